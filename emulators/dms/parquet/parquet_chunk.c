#include "emulators/dms/parquet/parquet_chunk.h"

#define PAGES_MAX ((size_t)4 << 30)
#define PAGES_KEEP ((size_t)4 << 20) /* more memory than this isn't kept for the next row group */

void parquet_chunk_init(struct parquet_chunk *c, enum parquet_type type,
                        const struct parquet_options *o)
{
    *c = (struct parquet_chunk){ .type = parquet_type_info(type) };
    parquet_dict_init(&c->dict, (size_t)o->dict_bytes);
    parquet_page_init(&c->page, c->type);
    buf_init(&c->pages, PAGES_MAX);
    parquet_chunk_begin(c, o);
}

void parquet_chunk_fini(struct parquet_chunk *c)
{
    parquet_dict_fini(&c->dict);
    parquet_page_fini(&c->page);
    buf_fini(&c->pages);
}

void parquet_chunk_begin(struct parquet_chunk *c, const struct parquet_options *o)
{
    parquet_dict_clear(&c->dict);
    if (c->pages.cap > PAGES_KEEP) {
        buf_fini(&c->pages);
        buf_init(&c->pages, PAGES_MAX);
    }
    buf_clear(&c->pages);
    c->sizes = (struct parquet_sizes){ 0, 0 };
    c->rows = 0;
    c->encodings = 0;
    parquet_stats_clear(&c->stats);
    parquet_page_begin(&c->page,
                       o->encoding != PARQUET_PLAIN && c->type->physical != PARQUET_P_BOOLEAN);
}

/* Ends the page at hand; the next one has numbers only if this one had. */
static enum status end_page(struct parquet_chunk *c, struct parquet_press *press, bool dict)
{
    if (c->page.rows > 0) {
        int encoding = 0;
        enum status st =
            parquet_page_write(&c->page, press, c->dict.n, &c->pages, &c->sizes, &encoding);
        if (st != ST_OK) {
            return st;
        }
        c->encodings |= 1u << (unsigned)encoding;
        c->rows += c->page.rows;
        parquet_stats_merge(&c->stats, c->type->order, &c->page.stats);
    }
    parquet_page_begin(&c->page, dict);
    return ST_OK;
}

static enum status after(struct parquet_chunk *c, struct parquet_press *press)
{
    return parquet_page_full(&c->page, &press->o) ? end_page(c, press, c->page.dict) : ST_OK;
}

enum status parquet_chunk_null(struct parquet_chunk *c, struct parquet_press *press)
{
    parquet_page_null(&c->page);
    return after(c, press);
}

enum status parquet_chunk_value(struct parquet_chunk *c, struct parquet_press *press,
                                struct str value)
{
    uint32_t number = 0;
    if (c->page.dict && !parquet_dict_find(&c->dict, c->type->width, value, &number)) {
        enum status st = end_page(c, press, false);
        if (st != ST_OK) {
            return st;
        }
    }
    parquet_page_value(&c->page, value, number);
    return after(c, press);
}

enum status parquet_chunk_end(struct parquet_chunk *c, struct parquet_press *press,
                              struct buf *ret_dict)
{
    buf_clear(ret_dict);
    enum status st = end_page(c, press, false);
    if (st == ST_OK && c->dict.n > 0) {
        st =
            parquet_page_write_dict(buf_str(&c->dict.bytes), c->dict.n, press, ret_dict, &c->sizes);
    }
    return st;
}

/* Encodings of everything in the chunk: data pages, levels, dictionary page. */
static void list_encodings(const struct parquet_chunk *c, const struct parquet_options *o,
                           struct compact *out)
{
    unsigned all = c->encodings | 1u << PARQUET_E_RLE;
    if (c->dict.n > 0) {
        all |= 1u << (unsigned)parquet_dict_encoding(o);
    }
    compact_list(out, 2, COMPACT_I32, (size_t)__builtin_popcount(all));
    for (int i = 0; i < 16; i++) {
        if (all >> (unsigned)i & 1) {
            compact_item_i32(out, i);
        }
    }
}

void parquet_chunk_describe(const struct parquet_chunk *c, const struct parquet_press *press,
                            struct str name, uint64_t at, uint64_t dict, struct compact *out)
{
    compact_open(out, 0);
    compact_i64(out, 2, (int64_t)at);
    compact_open(out, 3);
    compact_i32(out, 1, (int32_t)c->type->physical);
    list_encodings(c, &press->o, out);
    compact_list(out, 3, COMPACT_BINARY, 1);
    compact_item_binary(out, name);
    compact_i32(out, 4, press->o.gzip ? PARQUET_C_GZIP : PARQUET_C_NONE);
    compact_i64(out, 5, (int64_t)c->rows);
    compact_i64(out, 6, (int64_t)c->sizes.plain);
    compact_i64(out, 7, (int64_t)c->sizes.packed);
    compact_i64(out, 9, (int64_t)(at + dict));
    if (dict > 0) {
        compact_i64(out, 11, (int64_t)at);
    }
    if (press->o.statistics) {
        parquet_stats_write(&c->stats, c->type->order, out, 12);
    }
    compact_close(out);
    compact_close(out);
}
