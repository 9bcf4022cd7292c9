/* Writes Thrift's compact protocol (github.com/apache/thrift, doc/specs): what pages' headers and
 * the footer are made of. Fields of a struct must come with rising ids. Pure; any thread. */
#ifndef CISTERN_DMS_PARQUET_THRIFT_H
#define CISTERN_DMS_PARQUET_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"

#define COMPACT_DEPTH_MAX 8

enum compact_type {
    COMPACT_TRUE = 1,
    COMPACT_FALSE = 2,
    COMPACT_BYTE = 3,
    COMPACT_I16 = 4,
    COMPACT_I32 = 5,
    COMPACT_I64 = 6,
    COMPACT_BINARY = 8,
    COMPACT_LIST = 9,
    COMPACT_STRUCT = 12,
};

struct compact {
    struct buf *out;
    unsigned depth;
    int last[COMPACT_DEPTH_MAX]; /* id of the field before, per struct that is open */
};

/* An unsigned number in groups of 7 bits, the lowest first. */
void compact_varint(struct buf *out, uint64_t v);

/* A struct of its own (a page's header, the footer); end it with compact_close. */
void compact_begin(struct compact *c, struct buf *out);
/* A struct as field `id`, or with id 0 as the next element of a list. */
void compact_open(struct compact *c, int id);
void compact_close(struct compact *c);

void compact_bool(struct compact *c, int id, bool v);
void compact_byte(struct compact *c, int id, int8_t v);
void compact_i32(struct compact *c, int id, int32_t v);
void compact_i64(struct compact *c, int id, int64_t v);
void compact_binary(struct compact *c, int id, struct str s);
/* A list: exactly n elements of the type must follow, each an item or an opened struct. */
void compact_list(struct compact *c, int id, enum compact_type element, size_t n);
void compact_item_i32(struct compact *c, int32_t v);
void compact_item_binary(struct compact *c, struct str s);

#endif
