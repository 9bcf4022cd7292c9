/* Owned growable bytes with a mandatory maximum. Failure (limit passed) is sticky: append freely
 * and ask buf_ok() once. The bytes are always NUL-terminated beyond `n` when anything was added. */
#ifndef CISTERN_BASE_BUF_H
#define CISTERN_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/str.h"

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
    bool failed;
};

#define BUF_INIT(limit) { NULL, 0, 0, (limit), false }

void buf_init(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);  /* frees; safe on a zeroed one and twice */
void buf_clear(struct buf *b); /* keeps the memory */
bool buf_ok(const struct buf *b);
struct str buf_str(const struct buf *b); /* borrowed until the next change; never absent */
/* Hands the bytes over (free() them; NULL when empty) and leaves an empty buf. */
char *buf_take(struct buf *b, size_t *ret_n);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str_add(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *z);
void buf_putc(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes: pointer to write at, then buf_commit(b, used). NULL if over the limit. */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

#endif
