/* Writes one Parquet file, row by row. All columns are OPTIONAL and flat. What is written leaves
 * through a sink; in memory are the rows of one row group (at most PARQUET_GROUP_BYTES_MAX bytes of
 * values and the last row) and the footer so far, about 150 bytes per column and row group.
 *
 * For each row: one parquet_put_…() per column, in their order, then parquet_row_end(). The first
 * fault stays; parquet_row_end() and parquet_finish() tell it. One thread at a time. */
#ifndef CISTERN_DMS_PARQUET_WRITER_H
#define CISTERN_DMS_PARQUET_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/str.h"

#define PARQUET_GROUP_BYTES_MAX ((uint64_t)64 << 20)
#define PARQUET_VALUE_MAX ((size_t)1 << 30) /* the longest string; pages must stay below 2 GiB */
#define PARQUET_PRECISION_MAX 38            /* of a decimal */

enum parquet_type {
    PARQUET_BOOLEAN,
    PARQUET_INT8,
    PARQUET_INT16,
    PARQUET_INT32,
    PARQUET_INT64,
    PARQUET_UINT8,
    PARQUET_UINT16,
    PARQUET_UINT32,
    PARQUET_UINT64,
    PARQUET_FLOAT,
    PARQUET_DOUBLE,
    PARQUET_DECIMAL,      /* FIXED_LEN_BYTE_ARRAY(16) */
    PARQUET_DATE,         /* days since 1970-01-01 */
    PARQUET_TIMESTAMP_MS, /* milliseconds since 1970-01-01, UTC */
    PARQUET_TIMESTAMP_US,
    PARQUET_STRING, /* UTF-8 */
    PARQUET_BINARY,
};

struct parquet_column {
    struct str name;
    enum parquet_type type;
    unsigned precision, scale; /* PARQUET_DECIMAL */
};

enum parquet_encoding { PARQUET_RLE_DICTIONARY, PARQUET_PLAIN_DICTIONARY, PARQUET_PLAIN };

struct parquet_options {
    enum parquet_encoding encoding;
    bool gzip;
    bool statistics;     /* of pages and row groups */
    bool version_2;      /* format 2.0: data pages V2 */
    uint64_t group_rows; /* rows of a row group, at least 1 */
    uint64_t page_bytes; /* a page ends when it has this many; at most PARQUET_GROUP_BYTES_MAX */
    uint64_t dict_bytes; /* a larger dictionary is given up: the rest of the chunk is plain */
    struct str creator;  /* the footer's created_by */
};

/* Where the bytes go. A status other than ST_OK ends the file. */
struct parquet_sink {
    enum status (*write)(void *ctx, struct str bytes);
    void *ctx;
};

struct parquet_writer;

/* Copies everything but the sink's ctx. Free with parquet_free (NULL is fine); what wasn't finished
 * is lost then. */
struct parquet_writer *parquet_new(const struct parquet_options *o,
                                   const struct parquet_column *columns, size_t n,
                                   struct parquet_sink sink) __attribute__((returns_nonnull));
void parquet_free(struct parquet_writer *w);

void parquet_put_null(struct parquet_writer *w);
/* BOOLEAN (0, 1), integers, DATE and TIMESTAMP; unsigned 64 bits as the same bits. */
void parquet_put_int(struct parquet_writer *w, int64_t v);
/* DOUBLE, and FLOAT, which rounds it. */
void parquet_put_double(struct parquet_writer *w, double v);
/* DECIMAL from "-12.50": as many digits after the point as the column's scale, no more digits than
 * its precision. Anything else is ST_INVALID. */
void parquet_put_decimal(struct parquet_writer *w, struct str text);
/* STRING (valid UTF-8 is the caller's business) and BINARY. */
void parquet_put_bytes(struct parquet_writer *w, struct str s);
/* ST_NOMEM: a value was too long; ST_INVALID: a decimal wasn't one; else the sink's status. */
enum status parquet_row_end(struct parquet_writer *w) MUST_CHECK;

/* Writes what remains and the footer. Afterwards only parquet_free is allowed. */
enum status parquet_finish(struct parquet_writer *w) MUST_CHECK;
/* Bytes of the values that have not yet gone to the sink, before any encoding. */
uint64_t parquet_waiting(const struct parquet_writer *w);

#endif
