/* Pages. V1: levels (behind their length) and values are compressed together. V2: levels come first
 * and are never compressed. */
#include "emulators/dms/parquet/parquet_page.h"

#define PAGE_MAX ((size_t)INT32_MAX)
#define KEEP ((size_t)4 << 20) /* more memory than this isn't kept for the next page */
#define NUMBER_BYTES 4

void parquet_page_init(struct parquet_page *p, const struct parquet_type_info *type)
{
    *p = (struct parquet_page){ .type = type };
    buf_init(&p->levels, PAGE_MAX);
    buf_init(&p->values, PAGE_MAX);
}

void parquet_page_fini(struct parquet_page *p)
{
    buf_fini(&p->levels);
    buf_fini(&p->values);
}

static void empty(struct buf *b)
{
    if (b->cap > KEEP) {
        buf_fini(b);
        buf_init(b, PAGE_MAX);
    }
    buf_clear(b);
}

void parquet_page_begin(struct parquet_page *p, bool dict)
{
    empty(&p->levels);
    empty(&p->values);
    p->dict = dict;
    p->rows = 0;
    parquet_stats_clear(&p->stats);
    parquet_rle_begin(&p->rle, &p->levels, 1);
}

void parquet_page_null(struct parquet_page *p)
{
    parquet_rle_put(&p->rle, 0);
    p->rows++;
    p->stats.nulls++;
}

void parquet_page_value(struct parquet_page *p, struct str value, uint32_t number)
{
    parquet_rle_put(&p->rle, 1);
    if (p->dict) {
        parquet_le_put(&p->values, number, NUMBER_BYTES);
    } else if (p->type->physical == PARQUET_P_BOOLEAN) {
        parquet_plain_bit(&p->values, p->rows - p->stats.nulls, value.p[0] != 0);
    } else {
        parquet_plain_put(&p->values, p->type->width, value);
    }
    p->rows++;
    parquet_stats_add(&p->stats, p->type->order, value);
}

bool parquet_page_full(const struct parquet_page *p, const struct parquet_options *o)
{
    return p->levels.n + p->values.n >= o->page_bytes || p->rows >= PARQUET_PAGE_ROWS_MAX;
}

enum parquet_encoding_id parquet_numbers_encoding(const struct parquet_options *o)
{
    return o->encoding == PARQUET_PLAIN_DICTIONARY ? PARQUET_E_PLAIN_DICTIONARY
                                                   : PARQUET_E_RLE_DICTIONARY;
}

enum parquet_encoding_id parquet_dict_encoding(const struct parquet_options *o)
{
    return o->encoding == PARQUET_PLAIN_DICTIONARY ? PARQUET_E_PLAIN_DICTIONARY : PARQUET_E_PLAIN;
}

/* Numbers of the dictionary: their width, then the hybrid. */
static void put_numbers(struct buf *out, struct str numbers, uint32_t dict_n)
{
    struct parquet_rle rle;
    unsigned width = parquet_rle_width(dict_n);
    buf_putc(out, (char)width);
    parquet_rle_begin(&rle, out, width);
    for (size_t i = 0; i + NUMBER_BYTES <= numbers.n; i += NUMBER_BYTES) {
        parquet_rle_put(&rle, (uint32_t)parquet_le_read(numbers.p + i, NUMBER_BYTES));
    }
    parquet_rle_end(&rle);
}

/* The bytes of a page that are in press->body: `levels` bytes of them stay as they are. */
struct layout {
    enum parquet_page_type type;
    size_t levels;
    struct str packed; /* of the rest */
    size_t plain;
};

static enum status pack(struct parquet_press *press, struct layout *l)
{
    if (!buf_ok(&press->body)) {
        return ST_NOMEM;
    }
    struct str rest = str_sub(buf_str(&press->body), l->levels, press->body.n);
    l->plain = press->body.n;
    l->packed = rest;
    return rest.n > 0 ? parquet_codec_pack(&press->codec, rest, &l->packed) : ST_OK;
}

static void begin_header(struct parquet_press *press, const struct layout *l, struct compact *c)
{
    buf_clear(&press->head);
    compact_begin(c, &press->head);
    compact_i32(c, 1, (int32_t)l->type);
    compact_i32(c, 2, (int32_t)l->plain);
    compact_i32(c, 3, (int32_t)(l->levels + l->packed.n));
}

static enum status append(struct parquet_press *press, const struct layout *l, struct buf *out,
                          struct parquet_sizes *sizes)
{
    buf_str_add(out, buf_str(&press->head));
    buf_add(out, press->body.p, l->levels);
    buf_str_add(out, l->packed);
    sizes->packed += press->head.n + l->levels + l->packed.n;
    sizes->plain += press->head.n + l->plain;
    empty(&press->body);
    return buf_ok(&press->head) && buf_ok(out) ? ST_OK : ST_NOMEM;
}

static void data_header_v1(struct parquet_page *p, const struct parquet_options *o, int encoding,
                           struct compact *c)
{
    compact_open(c, 5);
    compact_i32(c, 1, (int32_t)p->rows);
    compact_i32(c, 2, encoding);
    compact_i32(c, 3, PARQUET_E_RLE);
    compact_i32(c, 4, PARQUET_E_RLE);
    if (o->statistics) {
        parquet_stats_write(&p->stats, p->type->order, c, 5);
    }
    compact_close(c);
}

static void data_header_v2(struct parquet_page *p, const struct parquet_press *press, int encoding,
                           const struct layout *l, struct compact *c)
{
    compact_open(c, 8);
    compact_i32(c, 1, (int32_t)p->rows);
    compact_i32(c, 2, (int32_t)p->stats.nulls);
    compact_i32(c, 3, (int32_t)p->rows);
    compact_i32(c, 4, encoding);
    compact_i32(c, 5, (int32_t)l->levels);
    compact_i32(c, 6, 0);
    compact_bool(c, 7, press->o.gzip && l->packed.n > 0);
    if (press->o.statistics) {
        parquet_stats_write(&p->stats, p->type->order, c, 8);
    }
    compact_close(c);
}

enum status parquet_page_write(struct parquet_page *p, struct parquet_press *press, uint32_t dict_n,
                               struct buf *out, struct parquet_sizes *sizes, int *ret_encoding)
{
    /* A page of nulls needs no dictionary, which may have no entry. */
    bool numbers = p->dict && p->values.n > 0;
    int encoding = numbers ? (int)parquet_numbers_encoding(&press->o) : PARQUET_E_PLAIN;
    bool v2 = press->o.version_2;
    parquet_rle_end(&p->rle);
    buf_clear(&press->body);
    if (!v2) {
        parquet_le_put(&press->body, p->levels.n, 4);
    }
    buf_str_add(&press->body, buf_str(&p->levels));
    struct layout l = { .type = v2 ? PARQUET_DATA_V2 : PARQUET_DATA_PAGE,
                        .levels = v2 ? press->body.n : 0 };
    if (numbers) {
        put_numbers(&press->body, buf_str(&p->values), dict_n);
    } else {
        buf_str_add(&press->body, buf_str(&p->values));
    }
    enum status st = buf_ok(&p->levels) && buf_ok(&p->values) ? pack(press, &l) : ST_NOMEM;
    if (st != ST_OK) {
        return st;
    }
    struct compact c;
    begin_header(press, &l, &c);
    if (v2) {
        data_header_v2(p, press, encoding, &l, &c);
    } else {
        data_header_v1(p, &press->o, encoding, &c);
    }
    compact_close(&c);
    *ret_encoding = encoding;
    return append(press, &l, out, sizes);
}

enum status parquet_page_write_dict(struct str bytes, uint32_t n, struct parquet_press *press,
                                    struct buf *out, struct parquet_sizes *sizes)
{
    struct layout l = { .type = PARQUET_DICTIONARY_PAGE };
    buf_clear(&press->body);
    buf_str_add(&press->body, bytes);
    enum status st = pack(press, &l);
    if (st != ST_OK) {
        return st;
    }
    struct compact c;
    begin_header(press, &l, &c);
    compact_open(&c, 7);
    compact_i32(&c, 1, (int32_t)n);
    compact_i32(&c, 2, (int32_t)parquet_dict_encoding(&press->o));
    compact_close(&c);
    compact_close(&c);
    return append(press, &l, out, sizes);
}
