/* One data page while it fills: levels and values of some rows of one column; and how pages are
 * written, with their headers. */
#ifndef CISTERN_DMS_PARQUET_PAGE_H
#define CISTERN_DMS_PARQUET_PAGE_H

#include "emulators/dms/parquet/parquet_codec.h"
#include "emulators/dms/parquet/parquet_encoding.h"
#include "emulators/dms/parquet/parquet_format.h"
#include "emulators/dms/parquet/parquet_stats.h"

#define PARQUET_PAGE_ROWS_MAX (1u << 20)

/* What all columns of a file share. */
struct parquet_press {
    struct parquet_options o;
    struct parquet_codec codec;
    struct buf body, head; /* of the page that is being written */
};

struct parquet_page {
    const struct parquet_type_info *type;
    bool dict;         /* `values` are numbers of the dictionary, 4 bytes each */
    struct buf levels; /* definition levels, encoded */
    struct parquet_rle rle;
    struct buf values; /* else PLAIN */
    uint32_t rows;     /* nulls among them */
    struct parquet_stats stats;
};

/* Bytes of pages: as the file has them, and before compression. Headers count in both. */
struct parquet_sizes {
    uint64_t packed, plain;
};

void parquet_page_init(struct parquet_page *p, const struct parquet_type_info *type);
void parquet_page_fini(struct parquet_page *p);
/* Empties it. `dict`: what the next values are. */
void parquet_page_begin(struct parquet_page *p, bool dict);

void parquet_page_null(struct parquet_page *p);
/* A value; `number` is its place in the dictionary when the page has numbers. */
void parquet_page_value(struct parquet_page *p, struct str value, uint32_t number);
bool parquet_page_full(const struct parquet_page *p, const struct parquet_options *o);

/* Appends the page to `out`. dict_n: entries of the dictionary so far. *ret_encoding: of its values
 * (enum parquet_encoding_id). */
enum status parquet_page_write(struct parquet_page *p, struct parquet_press *press, uint32_t dict_n,
                               struct buf *out, struct parquet_sizes *sizes,
                               int *ret_encoding) MUST_CHECK;
/* Appends a dictionary page with n entries. */
enum status parquet_page_write_dict(struct str bytes, uint32_t n, struct parquet_press *press,
                                    struct buf *out, struct parquet_sizes *sizes) MUST_CHECK;
/* Encodings of the options' dictionary: of the numbers, and of the dictionary page itself. */
enum parquet_encoding_id parquet_numbers_encoding(const struct parquet_options *o);
enum parquet_encoding_id parquet_dict_encoding(const struct parquet_options *o);

#endif
