#include "server/wire/utf8.h"

/* First bytes C2..F4 say how many follow; the second byte's range excludes overlong forms,
 * surrogates, and values above U+10FFFF. */
size_t utf8_len(struct str s, size_t at)
{
    unsigned char c = (unsigned char)s.p[at];
    if (c < 0x80) {
        return 1;
    }
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || s.n - at < n) {
        return 0;
    }
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    unsigned char second = (unsigned char)s.p[at + 1];
    if (second < low || second > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if (((unsigned char)s.p[at + i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return n;
}
