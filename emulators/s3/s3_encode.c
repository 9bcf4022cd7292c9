#include "emulators/s3/s3_event.h"

struct str s3_form_encode(struct arena *a, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    if (!str_set(s)) {
        return s;
    }
    char *out = arena_alloc(a, s.n * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        bool alnum =
            (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        if (alnum || ch == '-' || ch == '_' || ch == '.' || ch == '*' || ch == '/') {
            out[n++] = (char)ch;
        } else if (ch == ' ') {
            out[n++] = '+';
        } else {
            out[n++] = '%';
            out[n++] = hex[ch >> 4];
            out[n++] = hex[ch & 15];
        }
    }
    return (struct str){ out, n };
}

struct str s3_sequencer(struct arena *a, int64_t us)
{
    uint64_t seconds = (uint64_t)(us / 1000000);
    uint64_t fraction = ((uint64_t)(us % 1000000) << 32) / 1000000;
    return arena_printf(a, "00%08llX%08llX", (unsigned long long)seconds,
                        (unsigned long long)fraction);
}
