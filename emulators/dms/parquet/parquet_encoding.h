/* Encodings of values and levels (parquet-format, Encodings.md): PLAIN, and the hybrid of runs and
 * packed bits that RLE and the dictionary encodings share. Pure; any thread. */
#ifndef CISTERN_DMS_PARQUET_ENCODING_H
#define CISTERN_DMS_PARQUET_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"

/* Little-endian, `width` bytes. */
void parquet_le(unsigned char *p, uint64_t v, unsigned width);
uint64_t parquet_le_read(const char *p, size_t width);
void parquet_le_put(struct buf *out, uint64_t v, unsigned width);

/* PLAIN: fixed values as they are (width > 0), others behind their length. */
void parquet_plain_put(struct buf *out, unsigned width, struct str value);
/* Bit number `index` of PLAIN booleans, the lowest bit of a byte first. Must rise by one. */
void parquet_plain_bit(struct buf *out, uint64_t index, bool v);

/* The hybrid, value by value. */
struct parquet_rle {
    struct buf *out;
    unsigned width;    /* bits of a value, 1 … 32 */
    uint32_t last;     /* the value that repeats */
    uint64_t repeat;   /* how often so far, as far as it may become a run */
    uint32_t group[8]; /* values not yet packed */
    unsigned group_n;
    unsigned groups;  /* of 8 in the packed run that is open; 0: none is */
    size_t header_at; /* its header */
};

void parquet_rle_begin(struct parquet_rle *r, struct buf *out, unsigned width);
void parquet_rle_put(struct parquet_rle *r, uint32_t v);
void parquet_rle_end(struct parquet_rle *r);
/* Bits that values below n need, at least 1. */
unsigned parquet_rle_width(uint32_t n);

#endif
