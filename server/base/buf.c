#include "server/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/mem.h"

enum { BUF_FIRST = 64 };

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf)BUF_INIT(max_bytes);
}

void buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf)BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
    if (b->p) {
        b->p[0] = '\0';
    }
}

bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){ b->p ? b->p : "", b->n };
}

char *buf_take(struct buf *b, size_t *ret_n)
{
    char *p = TAKE(b->p);
    size_t n = b->n;
    if (n == 0) {
        free(p);
        p = NULL;
    }
    *b = (struct buf)BUF_INIT(b->max);
    if (ret_n) {
        *ret_n = n;
    }
    return p;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed || n > b->max || b->n > b->max - n) {
        b->failed = true;
        return NULL;
    }
    size_t need; /* with the NUL behind */
    if (__builtin_add_overflow(b->n + n, (size_t)1, &need) || need > PTRDIFF_MAX) {
        b->failed = true;
        return NULL;
    }
    if (need > b->cap) {
        size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
        while (cap < need) {
            cap = cap > PTRDIFF_MAX / 2 ? need : cap * 2;
        }
        if (cap - 1 > b->max) {
            cap = b->max + 1;
        }
        /* A client may have sized it, so no memory is a failure like the limit, not the end. */
        char *p = realloc(b->p, cap);
        if (!p) {
            b->failed = true;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
        b->p[b->n] = '\0';
    }
    return b->p + b->n;
}

void buf_commit(struct buf *b, size_t n)
{
    if (n == 0) {
        return;
    }
    assert(b->p && b->cap > b->n && n <= b->cap - b->n - 1);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0) {
        return;
    }
    if (n < b->cap - b->n && n <= b->max - b->n && !b->failed) { /* room for it and the NUL */
        memcpy(b->p + b->n, p, n);
        b->n += n;
        b->p[b->n] = '\0';
        return;
    }
    char *to = buf_reserve(b, n);
    if (to) {
        memcpy(to, p, n);
        buf_commit(b, n);
    }
}

void buf_str_add(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_i64(struct buf *b, int64_t v)
{
    if (v < 0) {
        buf_putc(b, '-');
        buf_u64(b, ~(uint64_t)v + 1);
    } else {
        buf_u64(b, (uint64_t)v);
    }
}

/* Tries in the room that is there, then once more in the room that it takes. */
void buf_printf(struct buf *b, const char *fmt, ...)
{
    if (b->failed) {
        return;
    }
    size_t room = b->cap - b->n;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(b->p ? b->p + b->n : NULL, room, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n >= room) {
        if (b->p) {
            b->p[b->n] = '\0'; /* forget the cut attempt, should the limit refuse the second */
        }
        char *to = buf_reserve(b, (size_t)n);
        if (to) {
            va_start(ap, fmt);
            vsnprintf(to, (size_t)n + 1, fmt, ap);
            va_end(ap);
        }
    }
    if (!b->failed) {
        buf_commit(b, (size_t)n);
    }
}
