/* The distinct values of a column chunk, numbered in the order of their first appearance. */
#ifndef CISTERN_DMS_PARQUET_DICT_H
#define CISTERN_DMS_PARQUET_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"

struct parquet_dict_entry {
    uint64_t hash;
    uint32_t at, n; /* the value within `bytes` */
};

struct parquet_dict {
    struct buf bytes; /* the values in PLAIN: the dictionary page */
    struct parquet_dict_entry *entries;
    uint32_t n, cap;
    uint32_t *slots; /* number of an entry + 1; 0: free */
    uint32_t slots_n;
};

void parquet_dict_init(struct parquet_dict *d, size_t max_bytes);
void parquet_dict_fini(struct parquet_dict *d);
void parquet_dict_clear(struct parquet_dict *d); /* keeps the memory */
/* The value's number, a new one if need be; false when it has none and would make the dictionary
 * larger than max_bytes. `width` as for parquet_plain_put. */
bool parquet_dict_find(struct parquet_dict *d, unsigned width, struct str value, uint32_t *ret);

#endif
