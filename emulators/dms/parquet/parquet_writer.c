#include "emulators/dms/parquet/parquet_writer.h"

#include <assert.h>

#include "emulators/dms/parquet/parquet_chunk.h"
#include "emulators/dms/parquet/parquet_meta.h"
#include "server/base/arena.h"
#include "server/base/mem.h"

#define MAGIC STR("PAR1")
#define META_MAX ((size_t)1 << 30)
#define VALUE_COST 4 /* what a value weighs beside its bytes */

__extension__ typedef unsigned __int128 uint128;

struct parquet_writer {
    struct parquet_sink sink;
    struct parquet_press press;
    struct parquet_column *columns;
    struct parquet_chunk *chunks;
    size_t n;
    struct arena *arena; /* of the columns and their names */
    enum status st;      /* the first fault */

    size_t next;           /* column of the next value of the row */
    uint64_t group_rows;   /* in the row group at hand */
    uint64_t group_weight; /* its bytes */
    uint64_t rows;         /* of all finished row groups */
    uint64_t at;           /* bytes given to the sink */
    struct buf groups;     /* their RowGroup structs */
    size_t groups_n;
    struct buf dict; /* a dictionary page on its way */
};

static void note(struct parquet_writer *w, enum status st)
{
    if (w->st == ST_OK) {
        w->st = st;
    }
}

static void emit(struct parquet_writer *w, struct str bytes)
{
    if (w->st == ST_OK && bytes.n > 0) {
        note(w, w->sink.write(w->sink.ctx, bytes));
        w->at += bytes.n;
    }
}

struct parquet_writer *parquet_new(const struct parquet_options *o,
                                   const struct parquet_column *columns, size_t n,
                                   struct parquet_sink sink)
{
    struct parquet_writer *w = xcalloc(1, sizeof(*w));
    w->sink = sink;
    w->press.o = *o;
    w->arena = arena_new(SIZE_MAX);
    w->press.o.creator = arena_str(w->arena, o->creator);
    parquet_codec_init(&w->press.codec, o->gzip);
    buf_init(&w->press.body, INT32_MAX);
    buf_init(&w->press.head, META_MAX);
    buf_init(&w->groups, META_MAX);
    buf_init(&w->dict, INT32_MAX);
    w->n = n;
    w->columns = ARENA_ARRAY(w->arena, struct parquet_column, n + 1);
    w->chunks = ARENA_ARRAY(w->arena, struct parquet_chunk, n + 1);
    for (size_t i = 0; i < n; i++) {
        w->columns[i] = columns[i];
        w->columns[i].name = arena_str(w->arena, columns[i].name);
        parquet_chunk_init(&w->chunks[i], columns[i].type, o);
    }
    emit(w, MAGIC);
    return w;
}

void parquet_free(struct parquet_writer *w)
{
    if (!w) {
        return;
    }
    for (size_t i = 0; i < w->n; i++) {
        parquet_chunk_fini(&w->chunks[i]);
    }
    arena_free(w->arena);
    parquet_codec_fini(&w->press.codec);
    buf_fini(&w->press.body);
    buf_fini(&w->press.head);
    buf_fini(&w->groups);
    buf_fini(&w->dict);
    free(w);
}

uint64_t parquet_waiting(const struct parquet_writer *w)
{
    return w->group_weight;
}

/* --- values ----------------------------------------------------------------------------------- */

static void put(struct parquet_writer *w, struct str value)
{
    assert(w->next < w->n);
    struct parquet_chunk *c = &w->chunks[w->next++];
    w->group_weight += value.n + VALUE_COST;
    if (w->st == ST_OK) {
        note(w, parquet_chunk_value(c, &w->press, value));
    }
}

void parquet_put_null(struct parquet_writer *w)
{
    assert(w->next < w->n);
    struct parquet_chunk *c = &w->chunks[w->next++];
    w->group_weight += VALUE_COST;
    if (w->st == ST_OK) {
        note(w, parquet_chunk_null(c, &w->press));
    }
}

void parquet_put_int(struct parquet_writer *w, int64_t v)
{
    unsigned char bytes[8];
    unsigned width = w->chunks[w->next].type->width;
    parquet_le(bytes, (uint64_t)v, width);
    put(w, (struct str){ (const char *)bytes, width });
}

void parquet_put_double(struct parquet_writer *w, double v)
{
    uint64_t bits = 0;
    unsigned char bytes[8];
    unsigned width = w->chunks[w->next].type->width;
    float f = (float)v;
    if (width == sizeof(f)) {
        uint32_t half;
        memcpy(&half, &f, sizeof(half));
        bits = half;
    } else {
        memcpy(&bits, &v, sizeof(bits));
    }
    parquet_le(bytes, bits, width);
    put(w, (struct str){ (const char *)bytes, width });
}

void parquet_put_bytes(struct parquet_writer *w, struct str s)
{
    if (s.n > PARQUET_VALUE_MAX) {
        note(w, ST_NOMEM);
        s.n = 0;
    }
    put(w, s);
}

/* The number without its point. */
static bool read_decimal(const struct parquet_column *c, struct str text, uint128 *ret)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    size_t digits = 0, fraction = 0;
    bool point = false;
    uint128 v = 0;
    for (size_t i = negative; i < text.n; i++) {
        char ch = text.p[i];
        if (ch == '.' && !point) {
            point = true;
            continue;
        }
        if (ch < '0' || ch > '9') {
            return false;
        }
        v = v * 10 + (unsigned)(ch - '0');
        digits += v > 0; /* zeros before the first other digit don't count */
        fraction += point;
        if (digits > c->precision) {
            return false;
        }
    }
    *ret = negative ? -v : v;
    return fraction == c->scale && text.n > negative;
}

void parquet_put_decimal(struct parquet_writer *w, struct str text)
{
    uint128 v = 0;
    if (!read_decimal(&w->columns[w->next], text, &v)) {
        note(w, ST_INVALID);
    }
    char bytes[PARQUET_DECIMAL_BYTES];
    for (size_t i = sizeof(bytes); i-- > 0; v >>= 8) {
        bytes[i] = (char)(unsigned char)v;
    }
    put(w, (struct str){ bytes, sizeof(bytes) });
}

/* --- row groups ------------------------------------------------------------------------------- */

/* Its pages leave; its description stays. */
static void end_column(struct parquet_writer *w, size_t i, struct compact *meta,
                       struct parquet_sizes *total)
{
    struct parquet_chunk *c = &w->chunks[i];
    uint64_t at = w->at;
    if (w->st == ST_OK) {
        note(w, parquet_chunk_end(c, &w->press, &w->dict));
    }
    emit(w, buf_str(&w->dict));
    emit(w, buf_str(&c->pages));
    parquet_chunk_describe(c, &w->press, w->columns[i].name, at, w->dict.n, meta);
    total->plain += c->sizes.plain;
    total->packed += c->sizes.packed;
    parquet_chunk_begin(c, &w->press.o);
}

static void end_group(struct parquet_writer *w)
{
    struct parquet_sizes total = { 0, 0 };
    uint64_t at = w->at;
    struct compact c;
    compact_begin(&c, &w->groups);
    compact_list(&c, 1, COMPACT_STRUCT, w->n);
    for (size_t i = 0; i < w->n; i++) {
        end_column(w, i, &c, &total);
    }
    compact_i64(&c, 2, (int64_t)total.plain);
    compact_i64(&c, 3, (int64_t)w->group_rows);
    compact_i64(&c, 5, (int64_t)at);
    compact_i64(&c, 6, (int64_t)total.packed);
    compact_close(&c);
    w->groups_n++;
    w->rows += w->group_rows;
    w->group_rows = 0;
    w->group_weight = 0;
    if (!buf_ok(&w->groups)) {
        note(w, ST_NOMEM);
    }
}

enum status parquet_row_end(struct parquet_writer *w)
{
    assert(w->next == w->n);
    w->next = 0;
    w->group_rows++;
    if (w->group_rows >= w->press.o.group_rows || w->group_weight >= PARQUET_GROUP_BYTES_MAX) {
        end_group(w);
    }
    return w->st;
}

enum status parquet_finish(struct parquet_writer *w)
{
    if (w->group_rows > 0) {
        end_group(w);
    }
    struct parquet_footer f = {
        .columns = w->columns,
        .n = w->n,
        .rows = w->rows,
        .groups = buf_str(&w->groups),
        .groups_n = w->groups_n,
        .creator = w->press.o.creator,
        .version_2 = w->press.o.version_2,
    };
    struct buf *out = &w->press.head;
    buf_clear(out);
    parquet_footer_write(&f, out);
    size_t n = out->n;
    parquet_le_put(out, n, 4);
    buf_str_add(out, MAGIC);
    if (!buf_ok(out)) {
        note(w, ST_NOMEM);
    }
    emit(w, buf_str(out));
    return w->st;
}
