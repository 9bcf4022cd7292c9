#include "emulators/dms/mapping/mapping.h"

/* Bytes of the character at s[i]; broken UTF-8 counts byte by byte. */
static size_t char_len(struct str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    size_t n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return n <= s.n - i ? n : 1;
}

/* End of the set that begins at pattern[at] == '[', or 0 when it isn't closed: then '[' stands for
 * itself. */
static size_t set_end(struct str pattern, size_t at)
{
    for (size_t i = at + 2; i < pattern.n; i++) {
        if (pattern.p[i] == ']') {
            return i + 1;
        }
    }
    return 0;
}

/* Is the character c one of those between '[' at `from` and ']' at `to`? */
static bool in_set(struct str pattern, size_t from, size_t to, struct str c)
{
    size_t i = from;
    while (i < to) {
        size_t n = char_len(pattern, i);
        struct str low = { pattern.p + i, n };
        struct str high = low;
        i += n;
        if (i + 1 < to && pattern.p[i] == '-') {
            size_t m = char_len(pattern, i + 1);
            high = (struct str){ pattern.p + i + 1, m };
            i += 1 + m;
        }
        /* UTF-8 sorts as its code points do. */
        if (str_cmp(low, c) <= 0 && str_cmp(c, high) <= 0) {
            return true;
        }
    }
    return false;
}

/* Does pattern[p…], which isn't '%', match the character text[t…]? Moves both on. */
static bool one(struct str pattern, size_t *p, struct str text, size_t *t)
{
    struct str c = { text.p + *t, char_len(text, *t) };
    size_t end = pattern.p[*p] == '[' ? set_end(pattern, *p) : 0;
    bool hit;
    if (end > 0) {
        hit = in_set(pattern, *p + 1, end - 1, c);
        *p = end;
    } else {
        struct str want = { pattern.p + *p, char_len(pattern, *p) };
        hit = pattern.p[*p] == '_' || str_eq(want, c);
        *p += want.n;
    }
    *t += c.n;
    return hit;
}

/* Linear in the text per '%': only the last '%' is ever tried again. */
bool dms_wildcard(struct str pattern, struct str text)
{
    size_t p = 0, t = 0;
    size_t back_p = SIZE_MAX, back_t = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '%') {
            back_p = ++p;
            back_t = t;
            continue;
        }
        size_t p2 = p, t2 = t;
        if (p < pattern.n && one(pattern, &p2, text, &t2)) {
            p = p2;
            t = t2;
            continue;
        }
        if (back_p == SIZE_MAX) {
            return false;
        }
        p = back_p;
        back_t += char_len(text, back_t);
        t = back_t;
    }
    while (p < pattern.n && pattern.p[p] == '%') {
        p++;
    }
    return p == pattern.n;
}
