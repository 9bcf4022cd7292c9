#include "emulators/dms/worker/load_read.h"

#include <stdlib.h>

#include "emulators/dms/file/names.h"
#include "emulators/dms/worker/errors.h"
#include "server/base/mem.h"
#include "server/core.h"

#define READ_ARENA_MAX (64u << 20)

/* One thread's part. */
struct reader {
    struct dms_load_read *r;
    size_t conn; /* of the snapshot */
    pthread_t thread;
    _Atomic size_t *next; /* segment */
    _Atomic bool *failed;
    struct mysql_snapshot *snapshot;

    struct dms_shaper *shaper;
    struct dms_spool *spool;
    struct dms_out out;
    struct dms_loaded *pieces;
    size_t pieces_n, pieces_cap;
    size_t segment;
    int64_t rows, told, left_out;
    uint64_t cut, failures;
    char why[400]; /* of the first failure */
    enum status st;
    bool started;
    struct mysql_err err;
    struct mysql_err row_err; /* why a row ended the reading, when the source is not to blame */
};

/* --- rows to pieces --------------------------------------------------------------------------- */

static enum status end_piece(struct reader *p)
{
    if (p->pieces_n == p->pieces_cap) {
        p->pieces_cap = p->pieces_cap ? p->pieces_cap * 2 : 8;
        p->pieces = xrealloc(p->pieces, p->pieces_cap * sizeof(*p->pieces));
    }
    p->pieces[p->pieces_n].segment = p->segment;
    p->pieces[p->pieces_n].number = p->pieces_n;
    enum status st = dms_out_finish(&p->out, &p->pieces[p->pieces_n].piece);
    p->pieces_n += st == ST_OK;
    return st;
}

/* What its rules make of the row, and what ErrorBehavior makes of that. */
static enum status shape(struct reader *p, const struct mysql_value **values, bool *ret_skip)
{
    struct dms_record record = { 0 };
    if (p->shaper) {
        *values = dms_shaper_row(
            p->shaper, &(struct dms_shaped){ .operation = 'I', .load = true, .image = *values });
        record.failures = dms_shaper_failures(p->shaper, &record.why);
    }
    if (!dms_record_doubtful(p->r->w, &record)) {
        return ST_OK;
    }
    record.values = *values;
    enum status st = dms_record_check(p->r->w, p->r->t, &record, ret_skip, &p->row_err);
    if (st != ST_OK || *ret_skip) {
        p->left_out++;
        return st;
    }
    if (p->failures == 0 && record.failures > 0) {
        snprintf(p->why, sizeof(p->why), "%.*s", STR_ARG(record.why));
    }
    p->failures += record.failures;
    return ST_OK;
}

static enum status on_row(void *ctx, const struct mysql_value *values)
{
    struct reader *p = ctx;
    struct dms_worker *w = p->r->w;
    struct dms_table *t = p->r->t;
    const struct dms_layout layout = { .csv = &w->s3.csv,
                                       .plan = &t->plan,
                                       .table = t->def,
                                       .parquet = &w->s3.parquet,
                                       .op = w->s3.op_in_load };
    struct dms_csv_lead lead = { .op = w->s3.op_in_load ? 'I' : '\0' };
    if (str_set(w->s3.csv.timestamp_name)) {
        lead.timestamp = true;
        lead.time_us = w->s3.start_time_stamps ? w->start_ms * 1000 : clock_now_us();
    }
    bool skip = false;
    enum status st = shape(p, &values, &skip);
    if (st != ST_OK || skip) {
        return st;
    }
    st = dms_out_row(&p->out, &layout, &lead, values, &p->cut);
    if (st != ST_OK) {
        return st;
    }
    p->rows++;
    if ((p->rows & 1023) == 0) {
        atomic_fetch_add_explicit(&t->load_rows, p->rows - p->told, memory_order_relaxed);
        p->told = p->rows;
        if (dms_stopping(w) || atomic_load(p->r->broken) || atomic_load(p->failed)) {
            return ST_CONFLICT;
        }
    }
    return dms_out_bytes(&p->out) >= (uint64_t)w->s3.max_file_bytes ? end_piece(p) : ST_OK;
}

static enum status read_segment(struct reader *p)
{
    const struct dms_segment *s = &p->r->segments[p->segment];
    struct mysql_read read = {
        .table = p->r->t->def, .where = s->where, .partition = s->partition, .row = on_row, .ctx = p
    };
    enum status st = mysql_snapshot_read(p->snapshot, p->conn, &read, NULL, &p->err);
    if (st != ST_OK && p->row_err.kind != MYSQL_ERR_NONE) {
        p->err = p->row_err;
    }
    return st == ST_OK && p->out.rows > 0 ? end_piece(p) : st;
}

static void *run_reader(void *arg)
{
    struct reader *p = arg;
    const struct dms_table_rules *rules = p->r->t->rules;
    if (rules && dms_shaper_new(rules, p->r->w->s3.csv.zone, &p->shaper) != ST_OK) {
        p->st = ST_NOMEM;
        p->err.kind = MYSQL_ERR_LIMIT;
        snprintf(p->err.text, sizeof(p->err.text), "No memory is left for the rules.");
    }
    while (p->st == ST_OK && !atomic_load(p->failed)) {
        p->segment = atomic_fetch_add(p->next, 1);
        if (p->segment >= p->r->segments_n) {
            break;
        }
        p->st = read_segment(p);
    }
    if (p->st != ST_OK) {
        atomic_store(p->failed, true);
    }
    return NULL;
}

/* --- segments --------------------------------------------------------------------------------- */

static enum status list_partitions(struct dms_load_read *r, struct mysql_conn *c,
                                   struct dms_segment_wish *wish, struct mysql_err *err)
{
    struct str schema = mysql_quote(r->arena, r->t->schema);
    struct str name = mysql_quote(r->arena, r->t->name);
    struct mysql_cells cells;
    enum status st = mysql_conn_collect(
        c, r->arena,
        arena_printf(r->arena,
                     "SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE "
                     "TABLE_SCHEMA = %.*s AND TABLE_NAME = %.*s AND PARTITION_NAME IS NOT NULL "
                     "GROUP BY PARTITION_NAME ORDER BY MIN(PARTITION_ORDINAL_POSITION)",
                     STR_ARG(schema), STR_ARG(name))
            .p,
        &cells, err);
    if (st == ST_OK) {
        wish->partitions = cells.cells;
        wish->partitions_n = cells.rows;
    }
    return st;
}

static const struct dms_table_settings *settings_of(const struct dms_load_read *r)
{
    return dms_table_settings_find(&r->w->mapping, r->t->schema, r->t->name);
}

/* As on AWS such rows are not loaded, and nothing else tells. */
static void tell_nulls(const struct dms_load_read *r)
{
    const struct dms_table_settings *s = settings_of(r);
    size_t n = s && s->parallel == DMS_PARALLEL_RANGES ? s->columns_n : 0;
    for (size_t i = 0; i < n; i++) {
        int at = mysql_table_find(r->t->def, s->columns[i]);
        if (at >= 0 && r->t->def->columns[at].nullable) {
            dms_line(r->w, "SOURCE_UNLOAD", 'W',
                     "Rows of table '%.*s'.'%.*s' whose column '%.*s' is NULL are in no range of "
                     "its parallel load: they are not loaded",
                     STR_ARG(r->t->schema), STR_ARG(r->t->name), STR_ARG(s->columns[i]));
        }
    }
}

static enum status make_segments(struct dms_load_read *r, struct mysql_conn *c,
                                 struct mysql_err *err)
{
    struct dms_segment_wish wish = {
        .settings = settings_of(r),
        .def = r->t->def,
        .where = r->t->rules ? r->t->rules->where : STR_NONE,
    };
    enum status st = ST_OK;
    if (wish.settings && wish.settings->parallel == DMS_PARALLEL_PARTITIONS) {
        st = list_partitions(r, c, &wish, err);
    }
    struct str why;
    if (st == ST_OK &&
        dms_segments_make(r->arena, &wish, &r->segments, &r->segments_n, &why) != ST_OK) {
        err->kind = MYSQL_ERR_UNSUPPORTED;
        snprintf(err->text, sizeof(err->text), "%.*s", STR_ARG(why));
        st = ST_INVALID;
    }
    return st;
}

/* --- one table -------------------------------------------------------------------------------- */

void dms_conn_pool_add(struct dms_conn_pool *p, struct mysql_conn *c)
{
    if (c) {
        pthread_mutex_lock(&p->lock);
        p->conns[p->n++] = c;
        pthread_mutex_unlock(&p->lock);
    }
}

/* As many connections as there are segments, if they can be had. */
static size_t borrow(struct dms_load_read *r)
{
    size_t want = r->segments_n < ARRAY_LEN(r->conns) ? r->segments_n : ARRAY_LEN(r->conns);
    size_t n = 1;
    pthread_mutex_lock(&r->pool->lock);
    while (n < want && r->pool->n > 0) {
        r->conns[n++] = r->pool->conns[--r->pool->n];
    }
    pthread_mutex_unlock(&r->pool->lock);
    return n;
}

static void give_back(struct dms_load_read *r, size_t keep, size_t n)
{
    for (size_t i = keep; i < n; i++) {
        dms_conn_pool_add(r->pool, r->conns[i]);
    }
}

/* Connects those that were borrowed; returns how many of all there are. */
static size_t connect_all(struct dms_load_read *r, size_t n)
{
    size_t up = 1;
    struct mysql_err why;
    while (up < n && mysql_conn_connect(r->conns[up], &why) == ST_OK) {
        up++;
    }
    give_back(r, up, n);
    return up;
}

/* One snapshot for all connections; where that can't be had, for fewer. */
static enum status open_snapshot(struct dms_load_read *r, size_t *conns_n,
                                 struct mysql_snapshot **ret, struct mysql_err *err)
{
    const struct mysql_table table = { .schema = r->t->schema, .name = r->t->name };
    const struct mysql_table *const tables[] = { &table };
    const struct mysql_snapshot_options options = {
        .tables = tables,
        .tables_n = 1,
        .guard = r->w->captures ? r->guard : NULL,
        .no_position = !r->w->captures,
        .forbid_flush = !r->w->captures, /* stopping all writers isn't worth it */
    };
    *conns_n = connect_all(r, borrow(r));
    for (;;) {
        enum status st = mysql_snapshot_open(r->conns, *conns_n, &options, ret, err);
        bool fewer = err->kind == MYSQL_ERR_BUSY || err->kind == MYSQL_ERR_PRIVILEGE ||
                     (options.no_position && err->kind == MYSQL_ERR_CONFIG);
        if (st == ST_OK || *conns_n == 1 || !fewer) {
            return st;
        }
        give_back(r, *conns_n / 2, *conns_n);
        *conns_n /= 2;
    }
}

static int by_segment(const void *a, const void *b)
{
    const struct dms_loaded *x = a, *y = b;
    if (x->segment != y->segment) {
        return x->segment < y->segment ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Takes over what a reader has. */
static void collect(struct dms_load_read *r, struct reader *p)
{
    if (r->pieces_n + p->pieces_n > r->pieces_cap) {
        r->pieces_cap = r->pieces_n + p->pieces_n;
        r->pieces = xrealloc(r->pieces, r->pieces_cap * sizeof(*r->pieces));
    }
    for (size_t i = 0; i < p->pieces_n; i++) {
        r->pieces[r->pieces_n++] = p->pieces[i];
    }
    r->rows += p->rows;
    r->cut += p->cut;
    r->left_out += p->left_out;
    if (p->failures > 0 && r->failures == 0) {
        snprintf(r->why, sizeof(r->why), "%s", p->why);
    }
    r->failures += p->failures;
    dms_shaper_free(p->shaper);
    dms_out_discard(&p->out);
    dms_spool_free(p->spool);
    free(p->pieces);
}

static enum status run_readers(struct dms_load_read *r, struct mysql_snapshot *snapshot, size_t n,
                               struct mysql_err *err)
{
    struct reader readers[MYSQL_SNAPSHOT_CONNS];
    _Atomic size_t next = 0;
    _Atomic bool failed = false;
    for (size_t i = 0; i < n; i++) {
        readers[i] = (struct reader){
            .r = r, .conn = i, .next = &next, .failed = &failed, .snapshot = snapshot
        };
        readers[i].spool = dms_spool_new();
        dms_out_init(&readers[i].out, r->w->s3.format, core_blobs(r->w->core), r->w->s3.gzip,
                     readers[i].spool);
        /* When no thread can be had, the others do its part. */
        readers[i].started =
            i > 0 && pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]) == 0;
    }
    run_reader(&readers[0]);
    enum status st = ST_OK;
    for (size_t i = 0; i < n; i++) {
        if (readers[i].started) {
            pthread_join(readers[i].thread, NULL);
        }
        if (readers[i].st != ST_OK && (st == ST_OK || st == ST_CONFLICT)) {
            st = readers[i].st;
            *err = readers[i].err;
        }
        collect(r, &readers[i]);
    }
    if (r->pieces_n > 1) {
        qsort(r->pieces, r->pieces_n, sizeof(*r->pieces), by_segment);
    }
    return st;
}

/* The table as it is now, and how it is to be read. */
static enum status describe(struct dms_load_read *r, struct mysql_conn *c, struct mysql_err *err)
{
    enum status st = dms_table_describe(r->w, c, r->t, false, err);
    return st == ST_OK ? make_segments(r, c, err) : st;
}

static void tell_doubt(const struct dms_load_read *r, const struct mysql_snapshot *snapshot)
{
    const char *why = mysql_snapshot_doubt(snapshot);
    if (why) {
        dms_line(r->w, "SOURCE_UNLOAD", 'W',
                 "Changes of an XA transaction that is being committed just now may be missing "
                 "from table '%.*s'.'%.*s': MariaDB shows them a moment after their place in the "
                 "log, and only a lock waits for that. Grant RELOAD, or LOCK TABLES, to the user "
                 "of the source endpoint. %s",
                 STR_ARG(r->t->schema), STR_ARG(r->t->name), why);
    }
}

/* Where capture follows, the description is one of the snapshot's place in the log: a statement
 * that alters the table is on one side of both. What is described before only says how many
 * connections are worth while. */
static enum status open_described(struct dms_load_read *r, size_t *conns_n,
                                  struct mysql_snapshot **ret, struct mysql_err *err)
{
    enum status st = ST_OK;
    if (!r->w->captures || settings_of(r)) {
        st = describe(r, r->conns[0], err);
    }
    if (st == ST_OK) {
        st = open_snapshot(r, conns_n, ret, err);
    }
    if (st == ST_OK && r->w->captures) {
        tell_doubt(r, *ret);
        st = describe(r, r->guard, err);
        mysql_snapshot_settle(*ret);
    }
    return st;
}

enum status dms_load_read(struct dms_load_read *r, struct mysql_err *err)
{
    dms_load_read_drop(r);
    atomic_store(&r->t->load_rows, 0);
    r->arena = arena_new(READ_ARENA_MAX);
    struct mysql_snapshot *snapshot = NULL;
    size_t conns_n = 1;
    enum status st = open_described(r, &conns_n, &snapshot, err);
    if (st == ST_OK) {
        r->at = *mysql_snapshot_position(snapshot);
        tell_nulls(r);
        st = run_readers(r, snapshot, conns_n, err);
    }
    mysql_snapshot_free(snapshot);
    if (st != ST_OK) {
        dms_load_read_drop(r);
    }
    give_back(r, 1, conns_n);
    if (conns_n > 1 && st != ST_OK && err->kind == MYSQL_ERR_CHANGED) {
        struct mysql_err why; /* stopping early cuts connections; the next attempt needs this one */
        if (mysql_conn_connect(r->conns[0], &why) != ST_OK) {
            *err = why;
        }
    }
    return st;
}

struct dms_put *dms_load_read_puts(struct dms_load_read *r, struct arena *a, size_t *ret_n)
{
    struct dms_put *puts = ARENA_ARRAY(a, struct dms_put, r->pieces_n + 1);
    uint32_t number = 0;
    for (size_t i = 0; i < r->pieces_n; i++) {
        size_t segment = r->pieces[i].segment;
        number = i > 0 && r->pieces[i - 1].segment == segment ? number + 1 : 1;
        struct str prefix = arena_join(a, r->t->prefix, r->segments[segment].name);
        puts[i].key = dms_name_load(a, prefix, number, r->w->s3.extension);
        puts[i].piece = r->pieces[i].piece;
    }
    *ret_n = r->pieces_n;
    r->pieces_n = 0;
    return puts;
}

void dms_load_read_drop(struct dms_load_read *r)
{
    for (size_t i = 0; i < r->pieces_n; i++) {
        dms_piece_discard(core_blobs(r->w->core), &r->pieces[i].piece);
    }
    free(r->pieces);
    arena_free(r->arena);
    r->arena = NULL;
    r->pieces = NULL;
    r->segments = NULL;
    r->pieces_n = r->pieces_cap = r->segments_n = 0;
    r->rows = r->left_out = 0;
    r->cut = r->failures = 0;
}
