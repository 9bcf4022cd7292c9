#include "server/base/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { POOL_BYTES = 4096 };

/* Straight from the kernel. Without random bytes ids could repeat, so failing ends the process. */
static void kernel_random(unsigned char *p, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            fputs("cistern: the kernel gives no random bytes (getrandom failed)\n", stderr);
            abort();
        }
        p += got;
        n -= (size_t)got;
    }
}

void id_random(void *p, size_t n)
{
    static _Thread_local unsigned char pool[POOL_BYTES];
    static _Thread_local size_t left;
    if (n > POOL_BYTES / 2) {
        kernel_random(p, n);
        return;
    }
    if (n > left) {
        kernel_random(pool, sizeof(pool));
        left = sizeof(pool);
    }
    if (n > 0) {
        unsigned char *from = pool + sizeof(pool) - left;
        memcpy(p, from, n);
        memset(from, 0, n); /* a later reader of this memory learns no id */
        left -= n;
    }
}

/* n characters of an alphabet whose size is a power of two: no letter is more likely. */
static struct str id_text(struct arena *a, size_t n, const char *alphabet, unsigned mask)
{
    char *p = arena_alloc(a, n + 1);
    id_random(p, n);
    for (size_t i = 0; i < n; i++) {
        p[i] = alphabet[(unsigned char)p[i] & mask];
    }
    return (struct str){ p, n };
}

struct str id_hex(struct arena *a, size_t n)
{
    return id_text(a, n, "0123456789abcdef", 15);
}

struct str id_hex_upper(struct arena *a, size_t n)
{
    return id_text(a, n, "0123456789ABCDEF", 15);
}

struct str id_base32(struct arena *a, size_t n)
{
    return id_text(a, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 31);
}

struct str id_uuid(struct arena *a)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char r[16];
    id_random(r, sizeof(r));
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40); /* version 4 */
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80); /* RFC 9562 variant */
    char *p = arena_alloc(a, 37);
    char *to = p;
    for (size_t i = 0; i < sizeof(r); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *to++ = '-';
        }
        *to++ = digits[r[i] >> 4];
        *to++ = digits[r[i] & 15];
    }
    return (struct str){ p, 36 };
}
