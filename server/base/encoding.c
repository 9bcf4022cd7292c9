/* The text encodings of digest.h. */
#include "server/base/digest.h"
#include "server/base/mem.h"

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
enum { BASE64_PAD = 64 }; /* index of the '=' */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct str hex_encode(struct arena *a, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    char *out = arena_alloc(a, n * 2 + 1);
    for (size_t i = 0; i < n; i++) {
        out[i * 2] = hex_lower[p[i] >> 4];
        out[i * 2 + 1] = hex_lower[p[i] & 15];
    }
    return (struct str){ out, n * 2 };
}

enum status hex_decode(struct arena *a, struct str s, struct str *ret)
{
    if (s.n % 2 != 0) {
        return ST_INVALID;
    }
    char *out = arena_alloc(a, s.n / 2 + 1);
    for (size_t i = 0; i < s.n; i += 2) {
        int high = hex_value(s.p[i]), low = hex_value(s.p[i + 1]);
        if (high < 0 || low < 0) {
            return ST_INVALID;
        }
        out[i / 2] = (char)(high << 4 | low);
    }
    *ret = (struct str){ out, s.n / 2 };
    return ST_OK;
}

/* Writes the digits of 1 to 3 bytes, padded to four characters. */
static void base64_group(const unsigned char *p, size_t n, char *to)
{
    uint32_t v = (uint32_t)p[0] << 16;
    v |= n > 1 ? (uint32_t)p[1] << 8 : 0;
    v |= n > 2 ? p[2] : 0;
    to[0] = base64_digits[v >> 18];
    to[1] = base64_digits[(v >> 12) & 63];
    to[2] = base64_digits[n > 1 ? (v >> 6) & 63 : BASE64_PAD];
    to[3] = base64_digits[n > 2 ? v & 63 : BASE64_PAD];
}

static void base64_write(const unsigned char *p, size_t n, char *to)
{
    for (; n >= 3; n -= 3, p += 3, to += 4) {
        base64_group(p, 3, to);
    }
    if (n > 0) {
        base64_group(p, n, to);
    }
}

static size_t base64_size(size_t n)
{
    return (n / 3 + (n % 3 != 0)) * 4;
}

struct str base64_encode(struct arena *a, const void *p, size_t n)
{
    size_t size = base64_size(n);
    char *out = arena_alloc(a, size + 1);
    base64_write(p, n, out);
    return (struct str){ out, size };
}

void base64_add(struct buf *b, const void *p, size_t n)
{
    size_t size = base64_size(n);
    char *to = buf_reserve(b, size);
    if (to) {
        base64_write(p, n, to);
        buf_commit(b, size);
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum status base64_decode(struct arena *a, struct str s, struct str *ret)
{
    char *out = arena_alloc(a, s.n / 4 * 3 + 4);
    size_t n = 0, digits = 0, padding = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (is_space(s.p[i])) {
            continue;
        }
        if (s.p[i] == '=') {
            padding++;
            continue;
        }
        int v = base64_value(s.p[i]);
        if (v < 0 || padding > 0) {
            return ST_INVALID;
        }
        bits = bits << 6 | (uint32_t)v;
        if (++digits % 4 != 1) { /* this digit completes a byte */
            unsigned rest = 6 - 2 * (unsigned)((digits - 1) % 4);
            out[n++] = (char)(unsigned char)(bits >> rest);
        }
    }
    size_t last = digits % 4;
    if (last == 1 || (padding > 0 && (last == 0 || padding != 4 - last))) {
        return ST_INVALID;
    }
    *ret = (struct str){ out, n };
    return ST_OK;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

struct str url_encode(struct arena *a, struct str s, bool keep_slash)
{
    size_t size = 0;
    for (size_t i = 0; i < s.n; i++) {
        size += is_unreserved(s.p[i]) || (keep_slash && s.p[i] == '/') ? 1 : 3;
    }
    char *out = arena_alloc(a, size + 1);
    char *to = out;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(s.p[i]) || (keep_slash && c == '/')) {
            *to++ = s.p[i];
        } else {
            *to++ = '%';
            *to++ = hex_upper[c >> 4];
            *to++ = hex_upper[c & 15];
        }
    }
    return (struct str){ out, size };
}

struct str url_decode(struct arena *a, struct str s, bool plus_is_blank)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && s.n - i > 2 && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
            c = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        out[n++] = c;
    }
    return (struct str){ out, n };
}
