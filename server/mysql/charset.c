#include "server/mysql/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"

/* Largest growth: one byte of a single-byte set becomes three of UTF-8. */
#define GROWTH 3u

/* How long a character is, told by its first bytes. */
enum width {
    WIDTH_1,       /* always one byte: use a table */
    WIDTH_2,       /* two bytes from 0x80 on */
    WIDTH_SJIS,    /* the same, but half-width katakana are one byte */
    WIDTH_EUC_JP,  /* three bytes after 0x8F */
    WIDTH_GB18030, /* four bytes if the second one is a digit */
    WIDTH_UNITS,   /* UTF-16, UTF-32: iconv finds the ends itself */
};

static const struct {
    const char *name;  /* the server's */
    const char *iconv; /* ours; "" is UTF-8 or ASCII already */
    enum width width;
    uint8_t unit; /* WIDTH_UNITS: bytes to skip where a character is broken */
} sets[] = {
    { "utf8mb4", "", WIDTH_1, 1 },
    { "utf8mb3", "", WIDTH_1, 1 },
    { "utf8", "", WIDTH_1, 1 },
    { "ascii", "", WIDTH_1, 1 },
    { "binary", "", WIDTH_1, 1 },
    { "latin1", "CP1252", WIDTH_1, 1 },
    { "latin2", "ISO-8859-2", WIDTH_1, 1 },
    { "latin5", "ISO-8859-9", WIDTH_1, 1 },
    { "latin7", "ISO-8859-13", WIDTH_1, 1 },
    { "greek", "ISO-8859-7", WIDTH_1, 1 },
    { "hebrew", "ISO-8859-8", WIDTH_1, 1 },
    { "cp1250", "CP1250", WIDTH_1, 1 },
    { "cp1251", "CP1251", WIDTH_1, 1 },
    { "cp1256", "CP1256", WIDTH_1, 1 },
    { "cp1257", "CP1257", WIDTH_1, 1 },
    { "cp850", "CP850", WIDTH_1, 1 },
    { "cp852", "CP852", WIDTH_1, 1 },
    { "cp866", "CP866", WIDTH_1, 1 },
    { "koi8r", "KOI8-R", WIDTH_1, 1 },
    { "koi8u", "KOI8-U", WIDTH_1, 1 },
    { "macroman", "MACINTOSH", WIDTH_1, 1 },
    { "macce", "MAC-CENTRALEUROPE", WIDTH_1, 1 },
    { "armscii8", "ARMSCII-8", WIDTH_1, 1 },
    { "tis620", "TIS-620", WIDTH_1, 1 },
    { "hp8", "HP-ROMAN8", WIDTH_1, 1 },
    { "dec8", "DEC-MCS", WIDTH_1, 1 },
    { "ucs2", "UTF-16BE", WIDTH_UNITS, 2 },
    { "utf16", "UTF-16BE", WIDTH_UNITS, 2 },
    { "utf16le", "UTF-16LE", WIDTH_UNITS, 2 },
    { "utf32", "UTF-32BE", WIDTH_UNITS, 4 },
    { "big5", "BIG5", WIDTH_2, 1 },
    { "gb2312", "EUC-CN", WIDTH_2, 1 },
    { "gbk", "GBK", WIDTH_2, 1 },
    { "gb18030", "GB18030", WIDTH_GB18030, 1 },
    { "sjis", "SJIS", WIDTH_SJIS, 1 },
    { "cp932", "CP932", WIDTH_SJIS, 1 },
    { "ujis", "EUC-JP", WIDTH_EUC_JP, 1 },
    { "eucjpms", "EUC-JP-MS", WIDTH_EUC_JP, 1 },
    { "euckr", "UHC", WIDTH_2, 1 },
};

/* Where the server's tables differ from iconv's: codes first … last become unicode and following,
 * or all of them '?'. Those of a set are neighbours. */
static const struct fix {
    const char *set;
    uint32_t first, last;
    uint32_t unicode;
} fixes[] = {
    { "latin1", 0x81, 0x81, 0x81 },     { "latin1", 0x8D, 0x8D, 0x8D },
    { "latin1", 0x8F, 0x8F, 0x8F },     { "latin1", 0x90, 0x90, 0x90 },
    { "latin1", 0x9D, 0x9D, 0x9D },     { "greek", 0xA1, 0xA1, 0x2BD },
    { "greek", 0xA2, 0xA2, 0x2BC },     { "greek", 0xA4, 0xA5, '?' },
    { "greek", 0xAA, 0xAA, '?' },       { "hebrew", 0xAF, 0xAF, 0x203E },
    { "cp1256", 0x8A, 0x8A, '?' },      { "cp1256", 0x8F, 0x8F, '?' },
    { "cp1256", 0x98, 0x98, '?' },      { "cp1256", 0x9A, 0x9A, '?' },
    { "cp1256", 0x9F, 0x9F, '?' },      { "cp1256", 0xAA, 0xAA, '?' },
    { "cp1256", 0xC0, 0xC0, '?' },      { "cp1256", 0xFF, 0xFF, '?' },
    { "cp866", 0xFC, 0xFC, 0x207F },    { "cp866", 0xFD, 0xFD, 0xB2 },
    { "koi8u", 0x95, 0x95, 0x2022 },    { "macroman", 0xC6, 0xC6, 0x2206 },
    { "macroman", 0xF0, 0xF0, 0xF8FF }, { "armscii8", 0xA1, 0xA1, 0x2741 },
    { "armscii8", 0xA2, 0xA2, 0xA7 },   { "armscii8", 0xAD, 0xAD, 0x55F },
    { "armscii8", 0xFE, 0xFE, 0x2019 }, { "armscii8", 0xFF, 0xFF, 0x27 },
    { "tis620", 0x80, 0x9F, 0x80 },     { "tis620", 0xA0, 0xA0, 0xFFFD },
    { "tis620", 0xDB, 0xDB, 0xFFFD },   { "tis620", 0xDC, 0xDC, 0xFFFD },
    { "tis620", 0xDD, 0xDD, 0xFFFD },   { "tis620", 0xDE, 0xDE, 0xFFFD },
    { "tis620", 0xFC, 0xFC, 0xFFFD },   { "tis620", 0xFD, 0xFD, 0xFFFD },
    { "tis620", 0xFE, 0xFE, 0xFFFD },   { "tis620", 0xFF, 0xFF, 0xFFFD },
    { "dec8", 0xA0, 0xA0, 0xA0 },       { "big5", 0xA145, 0xA145, 0x2022 },
    { "big5", 0xA14E, 0xA14E, 0xFF64 }, { "big5", 0xA15A, 0xA15A, 0xFFFD },
    { "big5", 0xA1C2, 0xA1C2, 0x203E }, { "big5", 0xA1C3, 0xA1C3, 0xFFFD },
    { "big5", 0xA1C5, 0xA1C5, 0xFFFD }, { "big5", 0xA1E3, 0xA1E3, 0x223C },
    { "big5", 0xA1F2, 0xA1F2, 0x2641 }, { "big5", 0xA1F3, 0xA1F3, 0x2609 },
    { "big5", 0xA1FE, 0xA1FE, 0xFFFD }, { "big5", 0xA240, 0xA240, 0xFFFD },
    { "big5", 0xA241, 0xA241, 0xFF0F }, { "big5", 0xA242, 0xA242, 0xFF3C },
    { "big5", 0xA244, 0xA244, 0xA5 },   { "big5", 0xA246, 0xA247, 0xA2 },
    { "big5", 0xA2CC, 0xA2CC, 0xFFFD }, { "big5", 0xA2CE, 0xA2CE, 0xFFFD },
    { "big5", 0xA3E1, 0xA3E1, '?' },    { "big5", 0xC6A1, 0xC6A1, 0x30FE },
    { "big5", 0xC6A2, 0xC6A3, 0x309D }, { "big5", 0xC6A4, 0xC6A4, 0x3005 },
    { "big5", 0xC6A5, 0xC6F7, 0x3041 }, { "big5", 0xC6F8, 0xC6FE, 0x30A1 },
    { "big5", 0xC740, 0xC77E, 0x30A8 }, { "big5", 0xC7A1, 0xC7B0, 0x30E7 },
    { "big5", 0xC7B1, 0xC7B2, 0x414 },  { "big5", 0xC7B3, 0xC7B3, 0x401 },
    { "big5", 0xC7B4, 0xC7BA, 0x416 },  { "big5", 0xC7BB, 0xC7CD, 0x423 },
    { "big5", 0xC7CE, 0xC7CE, 0x451 },  { "big5", 0xC7CF, 0xC7E8, 0x436 },
    { "big5", 0xC7E9, 0xC7F2, 0x2460 }, { "big5", 0xC7F3, 0xC7FC, 0x2474 },
    { "big5", 0xC7FD, 0xC7FE, '?' },    { "big5", 0xC840, 0xC87E, '?' },
    { "big5", 0xC8A1, 0xC8FE, '?' },    { "big5", 0xF9DD, 0xF9FE, '?' },
    { "sjis", 0x815F, 0x815F, 0x5C },   { "ujis", 0xA1C0, 0xA1C0, 0x5C },
    { "ujis", 0xF5A1, 0xF5FE, 0xE000 }, { "ujis", 0xF6A1, 0xF6FE, 0xE05E },
    { "ujis", 0xF7A1, 0xF7FE, 0xE0BC }, { "ujis", 0xF8A1, 0xF8FE, 0xE11A },
    { "ujis", 0xF9A1, 0xF9FE, 0xE178 }, { "ujis", 0xFAA1, 0xFAFE, 0xE1D6 },
    { "ujis", 0xFBA1, 0xFBFE, 0xE234 }, { "ujis", 0xFCA1, 0xFCFE, 0xE292 },
    { "ujis", 0xFDA1, 0xFDFE, 0xE2F0 }, { "ujis", 0xFEA1, 0xFEFE, 0xE34E },
};

struct charset {
    iconv_t cd;
    bool utf8, open;
    enum width width;
    uint8_t unit;
    const struct fix *fixes; /* of this set */
    size_t fixes_n;
    uint8_t bytes[256][4]; /* UTF-8 of each byte: */
    uint8_t sizes[256];    /* and its length */
};

/* --- one character ---------------------------------------------------------------------------- */

static size_t put_utf8(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 63));
    to[2] = (char)(0x80 | (code & 63));
    return 3;
}

static size_t one_character(const struct charset *cs, const char *p, size_t n, char *to)
{
    uint32_t code = (uint32_t)be_bytes((const uint8_t *)p, n);
    for (size_t i = 0; i < cs->fixes_n; i++) {
        const struct fix *f = &cs->fixes[i];
        if (code >= f->first && code <= f->last) {
            return put_utf8(f->unicode == '?' ? '?' : f->unicode + code - f->first, to);
        }
    }
    char *from = (char *)p; /* iconv does not write there */
    size_t left = 8, from_left = n;
    char *end = to;
    iconv(cs->cd, NULL, NULL, NULL, NULL);
    if (iconv(cs->cd, &from, &from_left, &end, &left) == (size_t)-1 || from_left) {
        to[0] = '?';
        return 1;
    }
    return (size_t)(end - to);
}

static void fill_table(struct charset *cs)
{
    for (unsigned i = 0; i < 256; i++) {
        char in = (char)i, out[8];
        size_t n = i < 0x80 ? put_utf8(i, out) : one_character(cs, &in, 1, out);
        memcpy(cs->bytes[i], out, 4);
        cs->sizes[i] = (uint8_t)n;
    }
}

static void find_fixes(struct charset *cs, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(fixes); i++) {
        if (str_ieqz(name, fixes[i].set)) {
            cs->fixes = cs->fixes_n ? cs->fixes : &fixes[i];
            cs->fixes_n++;
        }
    }
}

/* --- a text ----------------------------------------------------------------------------------- */

struct charset *charset_new(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        if (!str_ieqz(name, sets[i].name)) {
            continue;
        }
        struct charset *cs = xcalloc(1, sizeof(*cs));
        cs->utf8 = sets[i].iconv[0] == '\0';
        cs->unit = sets[i].unit;
        cs->width = sets[i].width;
        if (!cs->utf8) {
            cs->cd = iconv_open("UTF-8", sets[i].iconv);
            cs->open = cs->cd != (iconv_t)-1;
            if (!cs->open) {
                free(cs);
                return NULL;
            }
        }
        find_fixes(cs, name);
        if (cs->width == WIDTH_1 && !cs->utf8) {
            fill_table(cs);
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
    uint64_t any = 0;
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        any |= le64_at((const uint8_t *)s.p + i);
    }
    for (; i < s.n; i++) {
        any |= (unsigned char)s.p[i];
    }
    return !(any & UINT64_C(0x8080808080808080));
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

static size_t width_of(enum width width, const char *p, size_t left)
{
    unsigned char first = (unsigned char)p[0];
    unsigned char second = left > 1 ? (unsigned char)p[1] : 0;
    size_t n = 2;
    if (first < 0x80 || (width == WIDTH_SJIS && first >= 0xA1 && first <= 0xDF)) {
        n = 1;
    } else if (width == WIDTH_EUC_JP && first == 0x8F) {
        n = 3;
    } else if (width == WIDTH_GB18030 && second >= '0' && second <= '9') {
        n = 4;
    }
    return n < left ? n : left;
}

static struct str by_characters(const struct charset *cs, struct str s, struct scratch *out)
{
    char *start = scratch_room(out, s.n * GROWTH + 8), *to = start;
    size_t n;
    for (size_t i = 0; i < s.n; i += n) {
        n = width_of(cs->width, s.p + i, s.n - i);
        if (n == 1 && (unsigned char)s.p[i] < 0x80) {
            *to++ = s.p[i];
        } else {
            to += one_character(cs, s.p + i, n, to);
        }
    }
    struct str result = { start, (size_t)(to - start) };
    scratch_keep(out, result.n);
    return result;
}

static struct str by_units(const struct charset *cs, struct str s, struct scratch *out)
{
    size_t left = s.n * GROWTH + 8;
    char *start = scratch_room(out, left), *to = start;
    char *from = (char *)s.p;
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
    if (cs->width == WIDTH_UNITS) {
        return by_units(cs, s, out);
    }
    if (all_ascii(s)) {
        return s;
    }
    return cs->width == WIDTH_1 ? by_table(cs, s, out) : by_characters(cs, s, out);
}
