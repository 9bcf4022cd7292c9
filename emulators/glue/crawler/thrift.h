/* Reads Thrift's compact protocol: just what a Parquet footer needs. Every read is bounded; after
 * the first fault all reads give zeros and `bad` says what was wrong. Pure; any thread. */
#ifndef CISTERN_GLUE_THRIFT_H
#define CISTERN_GLUE_THRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/str.h"

/* Limits by name. */
#define THRIFT_DEPTH_MAX 32

enum thrift_type {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_BYTE = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12,
};

struct thrift {
    struct str in;
    size_t at;
    const char *bad; /* NULL: all is well */
};

/* The next field of a struct; *last is the field before (0 at first) and becomes this one's id.
 * THRIFT_STOP at the end and after a fault. The value must then be read or skipped. */
enum thrift_type thrift_field(struct thrift *t, int64_t *last);
/* Of THRIFT_BYTE (as is), I16, I32, I64. */
int64_t thrift_int(struct thrift *t, enum thrift_type type);
struct str thrift_binary(struct thrift *t);
/* Elements of a list; no more than there are bytes left. */
uint64_t thrift_list(struct thrift *t, enum thrift_type *ret_element);
/* A value that isn't wanted. Booleans in fields have no bytes of their own. */
void thrift_skip(struct thrift *t, enum thrift_type type);

#endif
