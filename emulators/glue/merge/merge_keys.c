/* One component is a class byte and a body:
 *   0x37        negative integer of 20..255 digits: 255 - count, digits complemented
 *   0x38..0x3f  negative integer that fits 64 bits: its magnitude complemented, 8..1 bytes
 *   0x40..0x48  0 and positive integers that fit 64 bits: 0..8 bytes, big-endian
 *   0x49        positive integer of 20..255 digits: count, digits
 *   0x80        text: bytes with 00 as 00 ff, ended by 00 01 */
#include "emulators/glue/merge/merge_keys.h"

#include "emulators/glue/merge/csv_scan.h"
#include "emulators/glue/merge/merge.h"
#include "server/base/mem.h"

#define CLASS_ZERO 0x40u
#define CLASS_BIG 0x49u
#define CLASS_NEGATIVE_BIG 0x37u
#define CLASS_TEXT 0x80u
#define KEY_TEXT_BYTES (4 * (size_t)MERGE_MAX_KEY_BYTES) /* with quotes doubled, and room */
#define SMALL_DIGITS 19u                                 /* always fit 64 bits */
#define BIG_DIGITS 255u

void merge_key_fini(struct merge_key *k)
{
    free(k->p);
    *k = (struct merge_key){ 0 };
}

void merge_key_clear(struct merge_key *k)
{
    k->n = 0;
    k->prefix = 0;
}

static unsigned char *room(struct merge_key *k, size_t n)
{
    if (k->cap - k->n < n) {
        k->cap = (k->n + n) * 2 + 32;
        k->p = xrealloc(k->p, k->cap);
    }
    return k->p + k->n;
}

uint64_t merge_key_prefix(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    if (n >= sizeof v) {
        memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        return v;
    }
    for (size_t i = 0; i < sizeof v; i++) {
        v = v << 8 | (i < n ? p[i] : 0u);
    }
    return v;
}

/* Digits of a canonical integer ("0", "-12", not "-0", "007"); 0 when it is none. */
static size_t integer_digits(struct str s)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    size_t n = s.n - minus;
    if (n == 0 || n > BIG_DIGITS || (s.p[minus] == '0' && s.n > 1)) {
        return 0;
    }
    for (size_t i = minus; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return 0;
        }
    }
    return n;
}

static void add_small(struct merge_key *k, struct str s, bool minus)
{
    uint64_t v = 0;
    for (size_t i = minus; i < s.n; i++) {
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    unsigned bytes = v ? (71u - (unsigned)__builtin_clzll(v)) / 8u : 0u;
    unsigned char *out = room(k, 9);
    out[0] = (unsigned char)(minus ? CLASS_ZERO - bytes : CLASS_ZERO + bytes);
    if (minus) {
        v = ~v;
    }
    for (unsigned i = bytes; i > 0; i--) {
        out[i] = (unsigned char)v;
        v >>= 8;
    }
    k->n += 1 + bytes;
}

static void add_big(struct merge_key *k, struct str s, bool minus, size_t digits)
{
    unsigned char *out = room(k, digits + 2);
    unsigned char flip = minus ? 0xff : 0;
    out[0] = minus ? CLASS_NEGATIVE_BIG : CLASS_BIG;
    out[1] = (unsigned char)digits ^ flip;
    for (size_t i = 0; i < digits; i++) {
        out[2 + i] = (unsigned char)s.p[i + minus] ^ flip;
    }
    k->n += digits + 2;
}

static void add_text(struct merge_key *k, struct str s)
{
    unsigned char *out = room(k, 2 * s.n + 3);
    size_t n = 0;
    out[n++] = CLASS_TEXT;
    for (size_t i = 0; i < s.n; i++) {
        out[n++] = (unsigned char)s.p[i];
        if (s.p[i] == '\0') {
            out[n++] = 0xff;
        }
    }
    out[n++] = 0;
    out[n++] = 1;
    k->n += n;
}

void merge_key_add(struct merge_key *k, struct str value)
{
    size_t digits = integer_digits(value);
    bool minus = digits > 0 && value.p[0] == '-';
    if (digits == 0) {
        add_text(k, value);
    } else if (digits <= SMALL_DIGITS) {
        add_small(k, value, minus);
    } else {
        add_big(k, value, minus, digits);
    }
}

void merge_key_seal(struct merge_key *k)
{
    k->prefix = merge_key_prefix(k->p, k->n);
}

void merge_key_set(struct merge_key *k, const void *p, size_t n)
{
    k->n = 0;
    if (n > 0) {
        memcpy(room(k, n), p, n);
    }
    k->n = n;
    merge_key_seal(k);
}

void merge_key_copy(struct merge_key *to, const struct merge_key *from)
{
    merge_key_set(to, from->p, from->n);
}

void merge_key_swap(struct merge_key *a, struct merge_key *b)
{
    struct merge_key t = *a;
    *a = *b;
    *b = t;
}

#define QUICK_DIGITS 16u /* fewer than 2^56, so that the key fits the prefix */
#define QUICK_LIMIT (UINT64_C(1) << 56)

/* A text: its first 7 bytes, or all of it with its end. */
static bool quick_text(const char *p, const char *end, char delim, bool quoted,
                       uint64_t *ret_prefix)
{
    uint64_t v = CLASS_TEXT;
    unsigned n = 0;
    const char *q = p;
    for (; q < end && *q != delim && *q != '\n' && n < 7; q++, n++) {
        if (*q == '\0' || *q == '"') {
            return false;
        }
        v = v << 8 | (unsigned char)*q;
    }
    if (n == 0) {
        return false; /* empty */
    }
    bool whole = n < 7;
    for (; n < 7; n++) {
        v <<= 8;
    }
    if (whole && q - p <= 5) {
        v |= UINT64_C(1) << (8 * (5 - (unsigned)(q - p)));
    }
    for (; quoted && q < end && *q != delim && *q != '\n'; q++) {
        if (*q == '"') {
            return false;
        }
    }
    *ret_prefix = v;
    return true;
}

bool merge_key_quick(const char *p, const char *end, char delim, bool quoted, uint64_t *ret_prefix)
{
    const char *q = p;
    uint64_t v = 0;
    for (; q < end && (unsigned char)(*q - '0') <= 9 && q - p <= (ptrdiff_t)QUICK_DIGITS; q++) {
        v = v * 10 + (unsigned char)(*q - '0');
    }
    bool integer = q > p && q < end && (*q == delim || *q == '\n') && (*p != '0' || q - p == 1);
    if (!integer) {
        bool other = *p == '-' || *p == '"' || q - p > (ptrdiff_t)QUICK_DIGITS;
        return !other && quick_text(p, end, delim, quoted, ret_prefix);
    }
    if (v >= QUICK_LIMIT) {
        return false;
    }
    unsigned bytes = v ? (71u - (unsigned)__builtin_clzll(v)) / 8u : 0u;
    *ret_prefix = (uint64_t)(CLASS_ZERO + bytes) << 56 | v << (8 * (7 - bytes));
    return true;
}

bool merge_key_from_quick(struct merge_key *k, uint64_t prefix)
{
    unsigned class = (unsigned)(prefix >> 56);
    if (class == CLASS_TEXT) {
        return false;
    }
    merge_key_clear(k);
    unsigned char *out = room(k, 8);
    for (unsigned i = 0; i < 8; i++) {
        out[i] = (unsigned char)(prefix >> (56 - 8 * i));
    }
    k->n = 1 + class - CLASS_ZERO;
    k->prefix = prefix;
    return true;
}

/* Decodes the component at p into `out`; returns the bytes it took. */
static size_t component_text(const unsigned char *p, struct buf *out)
{
    unsigned class = p[0];
    if (class == CLASS_TEXT) {
        size_t i = 1;
        for (; p[i] != 0 || p[i + 1] != 1; i++) {
            buf_putc(out, (char)p[i]);
            i += p[i] == 0;
        }
        return i + 2;
    }
    bool minus = class < CLASS_ZERO;
    unsigned char flip = minus ? 0xff : 0;
    if (minus) {
        buf_putc(out, '-');
    }
    if (class == CLASS_BIG || class == CLASS_NEGATIVE_BIG) {
        size_t digits = p[1] ^ flip;
        for (size_t i = 0; i < digits; i++) {
            buf_putc(out, (char)(p[2 + i] ^ flip));
        }
        return digits + 2;
    }
    size_t bytes = minus ? CLASS_ZERO - class : class - CLASS_ZERO;
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) {
        v = v << 8 | (unsigned char)(p[1 + i] ^ flip);
    }
    buf_u64(out, v);
    return bytes + 1;
}

void merge_key_text(const struct merge_key *k, char delim, struct buf *out)
{
    struct buf one = BUF_INIT(KEY_TEXT_BYTES);
    for (size_t at = 0; at < k->n;) {
        if (at > 0) {
            buf_putc(out, delim);
        }
        buf_clear(&one);
        at += component_text(k->p + at, &one);
        csv_put(out, buf_str(&one), delim);
    }
    buf_fini(&one);
}

enum status merge_key_parse(struct merge_key *k, struct str text, char delim, size_t n_key)
{
    struct csv_field field[MERGE_MAX_KEY_COLUMNS];
    struct csv_fields f = { .field = field, .max = MERGE_MAX_KEY_COLUMNS };
    merge_key_clear(k);
    if (text.n > KEY_TEXT_BYTES || csv_split(text, delim, true, 0, &f) != NULL ||
        (n_key && f.n != n_key)) {
        return ST_INVALID;
    }
    struct buf scratch = BUF_INIT(KEY_TEXT_BYTES);
    for (size_t i = 0; i < f.n; i++) {
        merge_key_add(k, csv_value(text, field[i], &scratch));
    }
    merge_key_seal(k);
    buf_fini(&scratch);
    return ST_OK;
}

enum status merge_key_compare(struct str a, struct str b, char delimiter, int *ret)
{
    struct merge_key ka = { 0 };
    struct merge_key kb = { 0 };
    char delim = ',';
    if (delimiter) {
        delim = delimiter;
    }
    enum status st = merge_key_parse(&ka, a, delim, 0);
    if (st == ST_OK) {
        st = merge_key_parse(&kb, b, delim, 0);
    }
    if (st == ST_OK) {
        *ret = merge_key_cmp(&ka, &kb);
    }
    merge_key_fini(&ka);
    merge_key_fini(&kb);
    return st;
}
