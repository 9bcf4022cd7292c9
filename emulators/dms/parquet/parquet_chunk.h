/* One column of one row group: values in, finished pages out. */
#ifndef CISTERN_DMS_PARQUET_CHUNK_H
#define CISTERN_DMS_PARQUET_CHUNK_H

#include "emulators/dms/parquet/parquet_dict.h"
#include "emulators/dms/parquet/parquet_page.h"

struct parquet_chunk {
    const struct parquet_type_info *type;
    struct parquet_dict dict;
    struct parquet_page page;
    struct buf pages; /* finished data pages */
    struct parquet_sizes sizes;
    struct parquet_stats stats;
    uint64_t rows;
    unsigned encodings; /* bit per enum parquet_encoding_id that its data pages have */
};

void parquet_chunk_init(struct parquet_chunk *c, enum parquet_type type,
                        const struct parquet_options *o);
void parquet_chunk_fini(struct parquet_chunk *c);
/* Empties it for the next row group. */
void parquet_chunk_begin(struct parquet_chunk *c, const struct parquet_options *o);

enum status parquet_chunk_null(struct parquet_chunk *c, struct parquet_press *press) MUST_CHECK;
/* A plain value, without a length before it. */
enum status parquet_chunk_value(struct parquet_chunk *c, struct parquet_press *press,
                                struct str value) MUST_CHECK;
/* Ends the last page, and makes the dictionary page in *ret_dict (empty when there is none); c's
 * sizes cover both then. */
enum status parquet_chunk_end(struct parquet_chunk *c, struct parquet_press *press,
                              struct buf *ret_dict) MUST_CHECK;
/* Its ColumnChunk, as an element of a list. `at`: the place of its first byte in the file; `dict`:
 * length of its dictionary page. */
void parquet_chunk_describe(const struct parquet_chunk *c, const struct parquet_press *press,
                            struct str name, uint64_t at, uint64_t dict, struct compact *out);

#endif
