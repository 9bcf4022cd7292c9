#include "server/base/str.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "server/base/mem.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool str_eq(struct str a, struct str b)
{
    if (a.n != b.n || (a.p == NULL) != (b.p == NULL)) {
        return false;
    }
    return a.n == 0 || memcmp(a.p, b.p, a.n) == 0;
}

bool str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_z(z));
}

bool str_ieq(struct str a, struct str b)
{
    if (a.n != b.n || (a.p == NULL) != (b.p == NULL)) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (char_lower(a.p[i]) != char_lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

bool str_ieqz(struct str a, const char *z)
{
    return str_ieq(a, str_z(z));
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
    if (order != 0) {
        return order;
    }
    if (a.n != b.n) {
        return a.n < b.n ? -1 : 1;
    }
    return (a.p != NULL) - (b.p != NULL); /* absent before empty, so that 0 means str_eq */
}

bool str_starts(struct str s, struct str prefix)
{
    return prefix.n <= s.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return suffix.n <= s.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

ptrdiff_t str_find(struct str s, char needle, size_t from)
{
    if (from >= s.n) {
        return -1;
    }
    const char *hit = memchr(s.p + from, needle, s.n - from);
    return hit ? hit - s.p : -1;
}

ptrdiff_t str_find_str(struct str s, struct str needle)
{
    if (needle.n == 0) {
        return 0;
    }
    const char *hit = needle.n <= s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return hit ? hit - s.p : -1;
}

struct str str_sub(struct str s, size_t from, size_t to)
{
    if (to > s.n) {
        to = s.n;
    }
    if (from > to) {
        from = to;
    }
    return s.p ? (struct str){ s.p + from, to - from } : STR_NONE;
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

bool str_cut(struct str s, char sep, struct str *ret_head, struct str *ret_tail)
{
    ptrdiff_t at = str_find(s, sep, 0);
    if (at < 0) {
        *ret_head = s;
        *ret_tail = STR_NONE;
        return false;
    }
    *ret_head = str_sub(s, 0, (size_t)at);
    *ret_tail = str_sub(s, (size_t)at + 1, s.n);
    return true;
}

bool str_next(struct str *rest, char sep, struct str *ret_item)
{
    if (rest->n == 0) {
        *ret_item = STR_NONE;
        return false;
    }
    str_cut(*rest, sep, ret_item, rest);
    return true;
}

enum status str_u64(struct str s, uint64_t *ret)
{
    if (s.n == 0) {
        return ST_INVALID;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]) || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v)) {
            return ST_INVALID;
        }
    }
    *ret = v;
    return ST_OK;
}

enum status str_i64(struct str s, int64_t *ret)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t v;
    if (str_u64(negative ? str_sub(s, 1, s.n) : s, &v) != ST_OK) {
        return ST_INVALID;
    }
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return ST_INVALID;
    }
    /* Negated as unsigned: -INT64_MIN does not exist. */
    *ret = negative ? (int64_t)(~v + 1) : (int64_t)v;
    return ST_OK;
}

/* Offset after the digits at `at`. */
static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.n && is_digit(s.p[at])) {
        at++;
    }
    return at;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit on at least one side of the point: what
 * strtod takes less hexadecimal, infinities and blanks. */
static bool is_decimal(struct str s)
{
    size_t at = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    size_t whole = skip_digits(s, at);
    size_t digits = whole - at;
    at = whole;
    if (at < s.n && s.p[at] == '.') {
        size_t fraction = skip_digits(s, at + 1);
        digits += fraction - at - 1;
        at = fraction;
    }
    if (digits == 0) {
        return false;
    }
    if (at < s.n && char_lower(s.p[at]) == 'e') {
        at++;
        if (at < s.n && (s.p[at] == '-' || s.p[at] == '+')) {
            at++;
        }
        size_t exponent = skip_digits(s, at);
        if (exponent == at) {
            return false;
        }
        at = exponent;
    }
    return at == s.n;
}

static locale_t c_locale;

static void c_locale_open(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

enum status str_f64(struct str s, double *ret)
{
    /* A double needs at most 17 digits to be named; longer texts than this are no numbers. */
    char text[512];
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (s.n >= sizeof(text) || !is_decimal(s)) {
        return ST_INVALID;
    }
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    pthread_once(&once, c_locale_open);
    double v = c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
    if (!isfinite(v)) {
        return ST_INVALID;
    }
    *ret = v;
    return ST_OK;
}

enum status str_bool(struct str s, bool *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "true", true },   { "1", true },  { "yes", true }, { "y", true },
        { "false", false }, { "0", false }, { "no", false }, { "n", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_ieqz(s, words[i].word)) {
            *ret = words[i].value;
            return ST_OK;
        }
    }
    return ST_INVALID;
}

/* Bytes of the valid UTF-8 sequence at p, 0 if there is none (Unicode 15, table 3-7). */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    unsigned char lead = p[0];
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (len > n) {
        return 0;
    }
    unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool str_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t at = 0;
    while (at < s.n) {
        uint64_t eight;
        if (s.n - at >= sizeof(eight)) {
            memcpy(&eight, p + at, sizeof(eight));
            if ((eight & 0x8080808080808080u) == 0) {
                at += sizeof(eight);
                continue;
            }
        }
        size_t len = utf8_sequence(p + at, s.n - at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

/* Bytes of the character at `at`; a broken sequence counts as one byte. */
static size_t char_len(struct str s, size_t at)
{
    size_t len = utf8_sequence((const unsigned char *)s.p + at, s.n - at);
    return len > 0 ? len : 1;
}

/* Only the last `*` seen can need another try: an earlier one has already met its part as early as
 * possible. So a mismatch moves that star's end on by one character; at most |pattern| × |s| steps,
 * never exponential. */
bool str_glob(struct str pattern, struct str s)
{
    size_t p = 0, i = 0;
    size_t star = SIZE_MAX, star_i = 0;
    while (i < s.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            star_i = i;
        } else if (p < pattern.n && pattern.p[p] == '?') {
            p++;
            i += char_len(s, i);
        } else if (p < pattern.n && pattern.p[p] == s.p[i]) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            star_i += char_len(s, star_i);
            i = star_i;
            p = star + 1;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}
