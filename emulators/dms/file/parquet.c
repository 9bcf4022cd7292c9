/* NULL, what a row image lacks and dates that don't exist are null. A DECIMAL of more than 38
 * digits doesn't fit the format's decimals and is text, as it is in CSV. */
#include "emulators/dms/file/parquet.h"

#include "emulators/dms/dms_internal.h"
#include "emulators/dms/file/number.h"
#include "server/base/log.h"
#include "server/base/mem.h"

#define GROUP_ROWS_DEFAULT 10000
#define GROUP_ROWS_MAX (64 << 20)
#define PAGE_DEFAULT (1 << 20)
#define DICT_DEFAULT (1 << 20)
#define CREATOR "AWS" /* repost.aws/knowledge-center/dms-s3-parquet-format shows such a file */

/* --- settings --------------------------------------------------------------------------------- */

/* The guide writes PARQUET_2_0 where the API has parquet-2-0: both are meant, in any case. */
static bool is(struct str given, const char *name)
{
    struct str want = str_z(name);
    bool same = given.n == want.n;
    for (size_t i = 0; same && i < want.n; i++) {
        char c = (char)(given.p[i] == '_' ? '-' : char_lower(given.p[i]));
        same = c == want.p[i];
    }
    return same;
}

static enum status read_encoding(struct arena *a, struct str s, enum parquet_encoding *ret,
                                 struct str *ret_error)
{
    if (str_empty(s) || is(s, "rle-dictionary")) {
        *ret = PARQUET_RLE_DICTIONARY;
    } else if (is(s, "plain-dictionary")) {
        *ret = PARQUET_PLAIN_DICTIONARY;
    } else if (is(s, "plain")) {
        *ret = PARQUET_PLAIN;
    } else {
        return dms_refuse(a, ret_error,
                          "S3 settings: EncodingType is '%.*s'; it must be plain, "
                          "plain-dictionary or rle-dictionary.",
                          STR_ARG(s));
    }
    return ST_OK;
}

static enum status read_version(struct arena *a, struct str s, bool *ret, struct str *ret_error)
{
    *ret = is(s, "parquet-2-0");
    if (*ret || str_empty(s) || is(s, "parquet-1-0")) {
        return ST_OK;
    }
    return dms_refuse(a, ret_error,
                      "S3 settings: ParquetVersion is '%.*s'; it must be parquet-1-0 or "
                      "parquet-2-0.",
                      STR_ARG(s));
}

/* More than the limit counts as the limit. */
static enum status read_number(struct arena *a, const char *name, struct opt_i64 v,
                               const int64_t bounds[static 3], uint64_t *ret, struct str *ret_error)
{
    int64_t n = v.set ? v.v : bounds[1];
    if (n < bounds[0]) {
        return dms_refuse(a, ret_error, "S3 settings: %s is %lld; it must be at least %lld.", name,
                          (long long)n, (long long)bounds[0]);
    }
    *ret = (uint64_t)(n < bounds[2] ? n : bounds[2]);
    return ST_OK;
}

enum status dms_parquet_read(struct arena *a, const struct dms_s3_settings *s,
                             struct dms_parquet_options *ret, struct str *ret_error)
{
    static const int64_t rows[] = { 1, GROUP_ROWS_DEFAULT, GROUP_ROWS_MAX };
    static const int64_t page[] = { 1, PAGE_DEFAULT, PARQUET_GROUP_BYTES_MAX };
    static const int64_t dict[] = { 0, DICT_DEFAULT, PARQUET_GROUP_BYTES_MAX };
    *ret = (struct dms_parquet_options){
        .file = { .gzip = str_ieqz(s->CompressionType, "gzip"),
                  .statistics = !s->EnableStatistics.set || s->EnableStatistics.v,
                  .creator = STR(CREATOR) },
        .milliseconds = s->ParquetTimestampInMillisecond.v,
    };
    struct parquet_options *f = &ret->file;
    enum status st = read_encoding(a, s->EncodingType, &f->encoding, ret_error);
    if (st == ST_OK) {
        st = read_version(a, s->ParquetVersion, &f->version_2, ret_error);
    }
    if (st == ST_OK) {
        st = read_number(a, "RowGroupLength", s->RowGroupLength, rows, &f->group_rows, ret_error);
    }
    if (st == ST_OK) {
        st = read_number(a, "DataPageSize", s->DataPageSize, page, &f->page_bytes, ret_error);
    }
    return st == ST_OK ? read_number(a, "DictPageSizeLimit", s->DictPageSizeLimit, dict,
                                     &f->dict_bytes, ret_error)
                       : st;
}

/* --- columns ---------------------------------------------------------------------------------- */

static enum parquet_type type_of(const struct dms_data_type *t, bool milliseconds)
{
    static const enum parquet_type types[] = {
        [DMS_TYPE_NONE] = PARQUET_STRING,    [DMS_TYPE_BYTES] = PARQUET_BINARY,
        [DMS_TYPE_DATE] = PARQUET_DATE,      [DMS_TYPE_TIME] = PARQUET_STRING,
        [DMS_TYPE_INT1] = PARQUET_INT8,      [DMS_TYPE_INT2] = PARQUET_INT16,
        [DMS_TYPE_INT4] = PARQUET_INT32,     [DMS_TYPE_INT8] = PARQUET_INT64,
        [DMS_TYPE_UINT1] = PARQUET_UINT8,    [DMS_TYPE_UINT2] = PARQUET_UINT16,
        [DMS_TYPE_UINT4] = PARQUET_UINT32,   [DMS_TYPE_UINT8] = PARQUET_UINT64,
        [DMS_TYPE_REAL4] = PARQUET_FLOAT,    [DMS_TYPE_REAL8] = PARQUET_DOUBLE,
        [DMS_TYPE_STRING] = PARQUET_STRING,  [DMS_TYPE_WSTRING] = PARQUET_STRING,
        [DMS_TYPE_BLOB] = PARQUET_BINARY,    [DMS_TYPE_CLOB] = PARQUET_STRING,
        [DMS_TYPE_NCLOB] = PARQUET_STRING,   [DMS_TYPE_BOOLEAN] = PARQUET_BOOLEAN,
        [DMS_TYPE_NUMERIC] = PARQUET_STRING, [DMS_TYPE_DATETIME] = PARQUET_TIMESTAMP_US,
    };
    if (t->type == DMS_TYPE_DATETIME && milliseconds) {
        return PARQUET_TIMESTAMP_MS;
    }
    bool decimal = t->type == DMS_TYPE_NUMERIC && t->precision > 0 &&
                   t->precision <= PARQUET_PRECISION_MAX && t->scale >= 0 &&
                   t->scale <= t->precision;
    return decimal ? PARQUET_DECIMAL : types[t->type];
}

static struct parquet_column column_of(struct str name, const struct dms_data_type *t,
                                       bool milliseconds)
{
    struct parquet_column c = { .name = name, .type = type_of(t, milliseconds) };
    if (c.type == PARQUET_DECIMAL) {
        c.precision = (unsigned)t->precision;
        c.scale = (unsigned)t->scale;
    }
    return c;
}

struct str dms_parquet_hive(struct arena *a, const struct dms_data_type *t)
{
    switch (type_of(t, false)) {
    case PARQUET_BOOLEAN:
        return STR("boolean");
    case PARQUET_BINARY:
        return STR("binary");
    case PARQUET_STRING:
        return STR("string");
    default:
        return dms_type_hive(a, t);
    }
}

/* --- values ----------------------------------------------------------------------------------- */

struct state {
    struct parquet_writer *writer;
    enum parquet_type *types; /* of the plan's columns */
    struct buf text;          /* a value that had to be made */
};

#define DAY_S 86400

/* Does the date exist? MySQL may store others (ALLOW_INVALID_DATES). */
static bool real_date(const struct mysql_time *t)
{
    int month = t->month % 12 + 1;
    int64_t next = zone_days(t->year + (month == 1), month, 1);
    return zone_days(t->year, t->month, t->day) < next;
}

static bool temporal(const struct mysql_value *v)
{
    return v->kind == MYSQL_V_DATE || v->kind == MYSQL_V_DATETIME || v->kind == MYSQL_V_TIMESTAMP;
}

static int64_t microseconds(const struct mysql_value *v, const struct zone *zone)
{
    const struct mysql_time *t = &v->t;
    int64_t s = zone_days(t->year, t->month, t->day) * DAY_S + (int64_t)t->hour * 3600 +
                (int64_t)t->minute * 60 + t->second;
    if (v->kind == MYSQL_V_TIMESTAMP) {
        s += zone_offset(zone, s);
    }
    return s * 1000000 + t->micros;
}

static int64_t floor_ms(int64_t us)
{
    return us >= 0 ? us / 1000 : -((-us + 999) / 1000);
}

static bool put_number(struct parquet_writer *w, const struct mysql_value *v)
{
    switch (v->kind) {
    case MYSQL_V_INT:
        parquet_put_int(w, v->i);
        return true;
    case MYSQL_V_UINT:
    case MYSQL_V_YEAR:
    case MYSQL_V_BIT:
        parquet_put_int(w, (int64_t)v->u);
        return true;
    default:
        return false;
    }
}

static bool put_real(struct parquet_writer *w, const struct mysql_value *v)
{
    double d = 0;
    switch (v->kind) {
    case MYSQL_V_FLOAT:
        d = (double)v->f;
        break;
    case MYSQL_V_DOUBLE:
        d = v->d;
        break;
    case MYSQL_V_TEXT: /* REAL4 of a rule */
        if (str_f64(v->s, &d) != ST_OK) {
            return false;
        }
        break;
    default:
        return false;
    }
    parquet_put_double(w, d);
    return true;
}

static bool put_instant(struct parquet_writer *w, enum parquet_type type,
                        const struct dms_csv_format *f, const struct mysql_value *v)
{
    if (!temporal(v)) {
        return false;
    }
    if (type == PARQUET_DATE) {
        parquet_put_int(w, zone_days(v->t.year, v->t.month, v->t.day));
        return true;
    }
    int64_t us = microseconds(v, f->zone);
    parquet_put_int(w, type == PARQUET_TIMESTAMP_MS ? floor_ms(us) : us);
    return true;
}

/* BIT(n) is made of the fewest bytes, the highest first. */
static struct str bit_bytes(struct buf *room, const struct mysql_value *v)
{
    for (unsigned i = (v->bits + 7u) / 8; i-- > 0;) {
        buf_putc(room, (char)(unsigned char)(v->u >> (8 * i)));
    }
    return buf_str(room);
}

static struct str padded(struct buf *room, struct str s, size_t blanks)
{
    if (blanks == 0) {
        return s;
    }
    buf_str_add(room, s);
    char *p = buf_reserve(room, blanks);
    if (p) {
        memset(p, ' ', blanks);
        buf_commit(room, blanks);
    }
    return buf_str(room);
}

static bool put_bytes(struct state *s, const struct dms_layout *l, const struct dms_csv_column *c,
                      const struct mysql_value *v, uint64_t *ret_cut)
{
    buf_clear(&s->text);
    if (dms_csv_has_bytes(v)) {
        struct str kept = dms_csv_limited(v->s, c);
        if (kept.n < v->s.n && ret_cut) {
            ++*ret_cut;
        }
        parquet_put_bytes(s->writer, padded(&s->text, kept, dms_csv_blanks(l->csv, c, kept)));
        return true;
    }
    if (v->kind == MYSQL_V_BIT) {
        parquet_put_bytes(s->writer, bit_bytes(&s->text, v));
        return true;
    }
    if (v->kind == MYSQL_V_TIME) {
        char text[DMS_TIME_MAX];
        char *end = dms_put_time(text, &v->t, v->digits);
        parquet_put_bytes(s->writer, (struct str){ text, (size_t)(end - text) });
        return true;
    }
    return false;
}

/* false: a value of this kind has no place in such a column. */
static bool put_value(struct state *s, const struct dms_layout *l, size_t i,
                      const struct mysql_value *v, uint64_t *ret_cut)
{
    struct parquet_writer *w = s->writer;
    if (dms_csv_null(v) || (temporal(v) && !real_date(&v->t))) {
        parquet_put_null(w);
        return true;
    }
    switch (s->types[i]) {
    case PARQUET_FLOAT:
    case PARQUET_DOUBLE:
        return put_real(w, v);
    case PARQUET_DECIMAL:
        if (v->kind == MYSQL_V_DECIMAL) {
            parquet_put_decimal(w, v->s);
        }
        return v->kind == MYSQL_V_DECIMAL;
    case PARQUET_DATE:
    case PARQUET_TIMESTAMP_MS:
    case PARQUET_TIMESTAMP_US:
        return put_instant(w, s->types[i], l->csv, v);
    case PARQUET_STRING:
    case PARQUET_BINARY:
        return put_bytes(s, l, &l->plan->columns[i], v, ret_cut);
    default:
        return put_number(w, v);
    }
}

/* --- the format ------------------------------------------------------------------------------- */

static enum status to_file(void *ctx, struct str bytes)
{
    struct dms_file *f = ctx;
    enum status st = ST_OK;
    for (size_t at = 0; at < bytes.n && st == ST_OK; at += DMS_FILE_SPILL) {
        buf_str_add(&f->pending, str_sub(bytes, at, at + DMS_FILE_SPILL));
        st = dms_file_spill(f);
    }
    return st;
}

static enum status begin(struct dms_out *o, const struct dms_layout *l)
{
    struct state *s = xcalloc(1, sizeof(*s));
    buf_init(&s->text, PARQUET_VALUE_MAX);
    s->types = xcalloc(l->plan->n + 1, sizeof(*s->types));
    CLEANUP(free_ptr)
    struct parquet_column *columns = xcalloc(l->plan->n + 2, sizeof(*columns));
    size_t n = 0;
    if (l->op) {
        columns[n++] = (struct parquet_column){ .name = STR("Op"), .type = PARQUET_STRING };
    }
    if (str_set(l->csv->timestamp_name)) {
        columns[n++] =
            (struct parquet_column){ .name = l->csv->timestamp_name, .type = PARQUET_STRING };
    }
    for (size_t i = 0; i < l->plan->n; i++) {
        const struct dms_csv_column *c = &l->plan->columns[i];
        struct dms_data_type t = c->type ? *c->type : dms_type_of(&l->table->columns[c->like]);
        columns[n] = column_of(c->name, &t, l->parquet->milliseconds);
        s->types[i] = columns[n++].type;
    }
    s->writer = parquet_new(&l->parquet->file, columns, n,
                            (struct parquet_sink){ .write = to_file, .ctx = &o->file });
    o->state = s;
    return ST_OK;
}

static enum status row(struct dms_out *o, const struct dms_layout *l,
                       const struct dms_csv_lead *lead, const struct mysql_value *values,
                       uint64_t *ret_cut)
{
    struct state *s = o->state;
    if (l->op) {
        parquet_put_bytes(s->writer, (struct str){ &lead->op, 1 });
    }
    if (lead->timestamp) {
        char text[DMS_TIME_MAX];
        char *end = dms_put_stamp(text, lead->time_us);
        parquet_put_bytes(s->writer, (struct str){ text, (size_t)(end - text) });
    }
    for (size_t i = 0; i < l->plan->n; i++) {
        const struct dms_csv_column *c = &l->plan->columns[i];
        if (!put_value(s, l, i, &values[c->index], ret_cut)) {
            log_error("dms", "a value of column '%.*s' doesn't fit its Parquet type",
                      STR_ARG(c->name));
            return ST_INVALID;
        }
    }
    enum status st = parquet_row_end(s->writer);
    o->held = parquet_waiting(s->writer);
    return st == ST_OK && !buf_ok(&s->text) ? ST_NOMEM : st;
}

static enum status end(struct dms_out *o)
{
    struct state *s = o->state;
    enum status st = parquet_finish(s->writer);
    o->held = 0;
    return st;
}

static void drop(struct dms_out *o)
{
    struct state *s = o->state;
    if (s) {
        parquet_free(s->writer);
        buf_fini(&s->text);
        free(s->types);
        free(s);
    }
}

const struct dms_format dms_format_parquet = {
    .extension = ".parquet",
    .gzip_extension = ".parquet", /* the codec of its pages */
    .begin = begin,
    .row = row,
    .end = end,
    .drop = drop,
};
