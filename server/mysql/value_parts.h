/* Pieces that the decoders of this folder share: bounds-checked reading of bytes, and the memory
 * for the texts of one row. */
#ifndef CISTERN_MYSQL_VALUE_PARTS_H
#define CISTERN_MYSQL_VALUE_PARTS_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/str.h"

/* A place in borrowed bytes. Reading past the end gives zeros, and sets `bad` for good. */
struct rd {
    const uint8_t *p, *end;
    bool bad;
};

static inline size_t rd_left(const struct rd *r)
{
    return (size_t)(r->end - r->p);
}
/* n bytes, or NULL if there are fewer. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
    const uint8_t *p = r->p;
    if (__builtin_expect(n > rd_left(r), 0)) {
        r->bad = true;
        r->p = r->end;
        return NULL;
    }
    r->p += n;
    return p;
}
static inline struct str rd_str(struct rd *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return p ? (struct str){ (const char *)p, n } : (struct str){ "", 0 };
}
static inline uint64_t le64_at(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}
static inline uint64_t le32_at(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}
/* Little- and big-endian integers of n = 0 … 8 bytes that are known to be there. With a constant n
 * these become one or two loads. */
static inline uint64_t le_bytes(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    switch (n) {
    case 8:
        return le64_at(p);
    case 4:
        return le32_at(p);
    case 2:
        return (uint64_t)p[1] << 8 | p[0];
    case 1:
        return p[0];
    default:
        for (size_t i = n; i > 0; i--) {
            v = v << 8 | p[i - 1];
        }
        return v;
    }
}
static inline uint64_t be_bytes(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }
    return v;
}
static inline uint64_t rd_le(struct rd *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return p ? le_bytes(p, n) : 0;
}
static inline uint64_t rd_be(struct rd *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return p ? be_bytes(p, n) : 0;
}
/* The protocol's length-encoded integer; 251 (NULL) and 255 are bad here. */
uint64_t rd_lenenc(struct rd *r);

/* Memory for the texts of one row: pieces stay where they are until scratch_reset(), and after a
 * few rows nothing is allocated any more. Zeroed is empty. */
struct scratch {
    struct scratch_block *blocks; /* newest first */
    size_t used;                  /* of the newest */
};
void scratch_fini(struct scratch *s);
void scratch_reset(struct scratch *s);
/* Room for at most n bytes; scratch_keep() says how many of them are used. */
char *scratch_room(struct scratch *s, size_t n) __attribute__((returns_nonnull));
void scratch_keep(struct scratch *s, size_t n);
static inline char *scratch_alloc(struct scratch *s, size_t n)
{
    char *p = scratch_room(s, n);
    scratch_keep(s, n);
    return p;
}

/* Shortest text that reads back to the same double, laid out as the server does. */
void mysql_print_double(double d, struct buf *out);

#endif
