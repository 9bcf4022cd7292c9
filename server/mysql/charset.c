#include "server/mysql/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"

/* Largest growth: one byte of a single-byte set becomes three of UTF-8, and two bytes of a double-
 * byte one at most two times three (a pair of combining characters). */
#define GROWTH 3u

static const struct {
    const char *name;  /* the server's */
    const char *iconv; /* ours; "" is UTF-8 or ASCII already */
    uint8_t unit;      /* bytes to skip where a character is broken */
    bool single;       /* every byte is a character: use a table */
} sets[] = {
    { "utf8mb4", "", 1, false },
    { "utf8mb3", "", 1, false },
    { "utf8", "", 1, false },
    { "ascii", "", 1, false },
    { "binary", "", 1, false },
    { "latin1", "CP1252", 1, true },
    { "latin2", "ISO-8859-2", 1, true },
    { "latin5", "ISO-8859-9", 1, true },
    { "latin7", "ISO-8859-13", 1, true },
    { "greek", "ISO-8859-7", 1, true },
    { "hebrew", "ISO-8859-8", 1, true },
    { "cp1250", "CP1250", 1, true },
    { "cp1251", "CP1251", 1, true },
    { "cp1256", "CP1256", 1, true },
    { "cp1257", "CP1257", 1, true },
    { "cp850", "CP850", 1, true },
    { "cp852", "CP852", 1, true },
    { "cp866", "CP866", 1, true },
    { "koi8r", "KOI8-R", 1, true },
    { "koi8u", "KOI8-U", 1, true },
    { "macroman", "MACINTOSH", 1, true },
    { "macce", "MAC-CENTRALEUROPE", 1, true },
    { "armscii8", "ARMSCII-8", 1, true },
    { "tis620", "TIS-620", 1, true },
    { "hp8", "HP-ROMAN8", 1, true },
    { "dec8", "DEC-MCS", 1, true },
    { "ucs2", "UTF-16BE", 2, false },
    { "utf16", "UTF-16BE", 2, false },
    { "utf16le", "UTF-16LE", 2, false },
    { "utf32", "UTF-32BE", 4, false },
    { "big5", "BIG5", 1, false },
    { "gb2312", "EUC-CN", 1, false },
    { "gbk", "GBK", 1, false },
    { "gb18030", "GB18030", 1, false },
    { "sjis", "SJIS", 1, false },
    { "cp932", "CP932", 1, false },
    { "ujis", "EUC-JP", 1, false },
    { "eucjpms", "EUC-JP-MS", 1, false },
    { "euckr", "UHC", 1, false },
};

struct charset {
    iconv_t cd;
    bool utf8, open;
    uint8_t unit;
    bool single;
    uint8_t bytes[256][4]; /* UTF-8 of each byte: */
    uint8_t sizes[256];    /* and its length */
};

/* The bytes that the code page leaves open are control characters to the server's latin1. */
static bool latin1_control(uint8_t byte)
{
    return byte == 0x81 || byte == 0x8D || byte == 0x8F || byte == 0x90 || byte == 0x9D;
}

static void fill_table(struct charset *cs, bool latin1)
{
    for (unsigned i = 0; i < 256; i++) {
        char in[1] = { (char)i }, *from = in, *to = (char *)cs->bytes[i];
        size_t in_left = 1, out_left = sizeof(cs->bytes[i]);
        iconv(cs->cd, NULL, NULL, NULL, NULL);
        if (latin1 && latin1_control((uint8_t)i)) {
            cs->bytes[i][0] = 0xC2;
            cs->bytes[i][1] = (uint8_t)i;
            cs->sizes[i] = 2;
        } else if (iconv(cs->cd, &from, &in_left, &to, &out_left) != (size_t)-1 && !in_left) {
            cs->sizes[i] = (uint8_t)(sizeof(cs->bytes[i]) - out_left);
        } else {
            cs->bytes[i][0] = '?';
            cs->sizes[i] = 1;
        }
    }
}

struct charset *charset_new(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        if (!str_ieqz(name, sets[i].name)) {
            continue;
        }
        struct charset *cs = xcalloc(1, sizeof(*cs));
        cs->utf8 = sets[i].iconv[0] == '\0';
        cs->unit = sets[i].unit;
        cs->single = sets[i].single;
        if (!cs->utf8) {
            cs->cd = iconv_open("UTF-8", sets[i].iconv);
            cs->open = cs->cd != (iconv_t)-1;
            if (!cs->open) {
                free(cs);
                return NULL;
            }
        }
        if (cs->single) {
            fill_table(cs, str_ieqz(name, "latin1"));
        }
        return cs;
    }
    return NULL;
}

void charset_free(struct charset *cs)
{
    if (cs && cs->open) {
        iconv_close(cs->cd);
    }
    free(cs);
}

bool charset_is_utf8(const struct charset *cs)
{
    return cs->utf8;
}

static bool all_ascii(struct str s)
{
    unsigned char any = 0;
    for (size_t i = 0; i < s.n; i++) {
        any |= (unsigned char)s.p[i];
    }
    return any < 0x80;
}

static struct str by_table(const struct charset *cs, struct str s, struct scratch *out)
{
    char *to = scratch_room(out, s.n * GROWTH + 4), *start = to;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t byte = (uint8_t)s.p[i];
        memcpy(to, cs->bytes[byte], 4);
        to += cs->sizes[byte];
    }
    struct str result = { start, (size_t)(to - start) };
    scratch_keep(out, result.n);
    return result;
}

static struct str by_iconv(struct charset *cs, struct str s, struct scratch *out)
{
    size_t room = s.n * GROWTH + 8, left = room;
    char *start = scratch_room(out, room), *to = start;
    char *from = (char *)s.p; /* iconv does not write there */
    size_t from_left = s.n;
    iconv(cs->cd, NULL, NULL, NULL, NULL);
    while (from_left > 0) {
        if (iconv(cs->cd, &from, &from_left, &to, &left) != (size_t)-1 || errno == E2BIG) {
            break;
        }
        size_t skip = from_left < cs->unit ? from_left : cs->unit;
        from += skip;
        from_left -= skip;
        *to++ = '?';
        left--;
    }
    struct str result = { start, (size_t)(to - start) };
    scratch_keep(out, result.n);
    return result;
}

struct str charset_to_utf8(struct charset *cs, struct str s, struct scratch *out)
{
    if (cs->utf8 || s.n == 0) {
        return s;
    }
    if (cs->unit == 1 && all_ascii(s)) {
        return s;
    }
    return cs->single ? by_table(cs, s, out) : by_iconv(cs, s, out);
}
