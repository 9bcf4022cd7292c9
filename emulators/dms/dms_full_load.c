/* Full load: each table is read in one snapshot of its own, whose place in the binlog is known
 * exactly; changes from there on belong to capture. All files of a table are staged first and put
 * together with its new state, in one transaction: a load that breaks off leaves nothing behind and
 * simply starts again.
 *
 * A few loaders work in threads of their own, a table at a time; the worker's thread watches. */
#include "emulators/dms/dms_names.h"
#include "emulators/dms/dms_worker_impl.h"
#include "server/base/log.h"
#include "server/core.h"

#define LOAD_ATTEMPTS 5 /* of a table that is altered while its snapshot is opened */
#define LOAD_ARENA_MAX (64u << 20)

struct loader;

/* What the loaders share. */
struct load {
    struct dms_worker *w;
    struct dms_table **queue;
    size_t n;
    _Atomic size_t next;
    _Atomic int running;
    _Atomic bool broken;  /* somebody failed: finish soon */
    pthread_mutex_t lock; /* of the two below */
    enum status st;
    struct mysql_err err;
    int64_t start_ms;
};

/* One loader and the table it is at. */
struct loader {
    struct load *load;
    size_t index;
    pthread_t thread;
    struct mysql_conn *conn;
    bool connected;

    struct dms_table *t;
    struct dms_file file;
    struct dms_piece *pieces;
    size_t pieces_n, pieces_cap;
    int64_t rows, file_rows;
    uint64_t cut;
};

/* --- rows to pieces
 * ------------------------------------------------------------------------------------ */

static enum status end_piece(struct loader *l)
{
    if (l->pieces_n == l->pieces_cap) {
        l->pieces_cap = l->pieces_cap ? l->pieces_cap * 2 : 8;
        l->pieces = xrealloc(l->pieces, l->pieces_cap * sizeof(*l->pieces));
    }
    enum status st = dms_file_finish(&l->file, &l->pieces[l->pieces_n]);
    if (st == ST_OK) {
        l->pieces_n++;
        l->file_rows = 0;
    }
    return st;
}

static enum status on_row(void *ctx, const struct mysql_value *values)
{
    struct loader *l = ctx;
    struct dms_worker *w = l->load->w;
    const struct dms_csv_format *f = &w->s3.csv;
    if (f->header && l->file_rows == 0) {
        dms_csv_header(&l->file.pending, f, &l->t->plan, l->t->def, w->s3.op_in_load);
    }
    struct dms_csv_lead lead = { .op = w->s3.op_in_load ? 'I' : '\0' };
    if (str_set(f->timestamp_name)) {
        lead.timestamp = true;
        lead.time_us = w->s3.start_time_stamps ? w->start_ms * 1000 : clock_now_us();
    }
    dms_csv_row(&l->file.pending, f, &l->t->plan, &lead, values, &l->cut);
    l->rows++;
    l->file_rows++;
    if ((l->rows & 1023) == 0) {
        atomic_store_explicit(&l->t->load_rows, l->rows, memory_order_relaxed);
        if (dms_stopping(w) || atomic_load(&l->load->broken)) {
            return ST_CONFLICT;
        }
    }
    if (dms_file_bytes(&l->file) >= (uint64_t)w->s3.max_file_bytes) {
        return end_piece(l);
    }
    return dms_file_spill(&l->file);
}

static void drop_pieces(struct loader *l)
{
    for (size_t i = 0; i < l->pieces_n; i++) {
        dms_piece_discard(core_blobs(l->load->w->core), &l->pieces[i]);
    }
    l->pieces_n = 0;
    dms_file_discard(&l->file);
}

/* --- one table
 * ----------------------------------------------------------------------------------------- */

static void set_state(struct dms_worker *w, struct dms_table *t, enum dms_table_state state)
{
    pthread_mutex_lock(&w->tables_lock);
    t->state = state;
    t->counts.updated_ms = clock_now_ms();
    if (state == DMS_TABLE_LOADING) {
        t->counts.load_start_ms = t->counts.updated_ms;
        t->counts.load_end_ms = 0;
    } else {
        t->counts.load_end_ms = t->counts.updated_ms;
    }
    pthread_mutex_unlock(&w->tables_lock);
    if (state == DMS_TABLE_LOADING) {
        atomic_store(&t->load_rows, 0);
    }
}

static enum status begin_table(struct loader *l, struct mysql_err *err)
{
    struct dms_worker *w = l->load->w;
    set_state(w, l->t, DMS_TABLE_LOADING);
    bool clear = w->settings.prep_mode != DMS_PREP_NOTHING;
    return dms_commit(w,
                      &(struct dms_commit){ .clear_prefix = clear ? l->t->prefix : STR_NONE,
                                            .tables = &l->t,
                                            .tables_n = 1 },
                      err);
}

static enum status read_table(struct loader *l, struct mysql_position *ret_at,
                              struct mysql_err *err)
{
    const struct mysql_table *const tables[] = { l->t->def };
    struct mysql_snapshot *snapshot;
    enum status st = mysql_snapshot_open(&l->conn, 1,
                                         &(struct mysql_snapshot_options){
                                             .tables = tables,
                                             .tables_n = 1,
                                             .no_position = !l->load->w->captures,
                                         },
                                         &snapshot, err);
    if (st != ST_OK) {
        return st;
    }
    *ret_at = *mysql_snapshot_position(snapshot);
    struct mysql_read read = { .table = l->t->def, .row = on_row, .ctx = l };
    st = mysql_snapshot_read(snapshot, 0, &read, NULL, err);
    mysql_snapshot_free(snapshot);
    return st;
}

/* Reads it, again when it was altered meanwhile. */
static enum status read_steadily(struct loader *l, struct mysql_position *ret_at,
                                 struct mysql_err *err)
{
    enum status st = ST_OK;
    for (int attempt = 0; attempt < LOAD_ATTEMPTS; attempt++) {
        drop_pieces(l);
        l->rows = l->file_rows = 0;
        l->cut = 0;
        *err = (struct mysql_err){ 0 };
        st = dms_table_describe(l->load->w, l->conn, l->t, false, err);
        if (st == ST_OK) {
            st = read_table(l, ret_at, err);
        }
        if (st == ST_OK || err->kind != MYSQL_ERR_CHANGED) {
            break;
        }
    }
    if (st == ST_OK && l->file_rows > 0) {
        st = end_piece(l);
    }
    return st;
}

/* Its files and its new state, at once. */
static enum status publish(struct loader *l, const struct mysql_position *at, struct mysql_err *err)
{
    struct dms_worker *w = l->load->w;
    struct dms_table *t = l->t;
    CLEANUP(arena_freep) struct arena *a = arena_new(LOAD_ARENA_MAX);
    struct dms_put *puts = ARENA_ARRAY(a, struct dms_put, l->pieces_n + 1);
    for (size_t i = 0; i < l->pieces_n; i++) {
        puts[i].key = dms_name_load(a, t->prefix, (uint32_t)i + 1, w->s3.gzip);
        puts[i].piece = l->pieces[i];
    }
    size_t n = l->pieces_n;
    l->pieces_n = 0; /* dms_commit takes them over */
    atomic_store(&t->load_rows, l->rows);
    t->seen = *at;
    t->seen_skip = 0;
    set_state(w, t, DMS_TABLE_DONE);
    return dms_commit(w,
                      &(struct dms_commit){
                          .puts = puts,
                          .puts_n = n,
                          .tables = &t,
                          .tables_n = 1,
                          .emptied = n == 0 && w->settings.prep_mode != DMS_PREP_NOTHING,
                      },
                      err);
}

static enum status load_table(struct loader *l, struct mysql_err *err)
{
    struct dms_worker *w = l->load->w;
    struct dms_table *t = l->t;
    struct mysql_position at = { 0 };
    int64_t start_us = clock_mono_us();
    enum status st = begin_table(l, err);
    if (st == ST_OK) {
        st = read_steadily(l, &at, err);
    }
    if (st == ST_OK) {
        st = publish(l, &at, err);
    }
    drop_pieces(l);
    if (st != ST_OK) {
        return st;
    }
    if (l->cut > 0) {
        dms_line(w, "TARGET_LOAD", 'W',
                 "%llu LOB values of table '%.*s'.'%.*s' were truncated to LobMaxSize (%lld KB)",
                 (unsigned long long)l->cut, STR_ARG(t->schema), STR_ARG(t->name),
                 (long long)w->settings.lob_max_kb);
    }
    dms_line(w, "TASK_MANAGER", 'I',
             "Loading finished for table '%.*s'.'%.*s' (Id = %zu) by subtask %zu. %lld rows "
             "affected.",
             STR_ARG(t->schema), STR_ARG(t->name), (size_t)(1 + l->index), l->index + 1,
             (long long)l->rows);
    dms_line(w, "PERFORMANCE", 'I', "Total load time for %.*s.%.*s = %lld microseconds",
             STR_ARG(t->schema), STR_ARG(t->name), (long long)(clock_mono_us() - start_us));
    return ST_OK;
}

/* Errors that are the table's own: the task goes on without it. */
static bool is_table_error(const struct mysql_err *err)
{
    return err->kind == MYSQL_ERR_MISSING || err->kind == MYSQL_ERR_CHANGED ||
           err->kind == MYSQL_ERR_UNSUPPORTED || err->kind == MYSQL_ERR_LIMIT;
}

static enum status store_failed_table(struct loader *l, struct mysql_err *err)
{
    struct mysql_err why = *err;
    enum status st = dms_table_fail(l->load->w, l->t, why.text);
    struct mysql_err second = { 0 };
    enum status stored =
        dms_commit(l->load->w, &(struct dms_commit){ .tables = &l->t, .tables_n = 1 }, &second);
    if (stored != ST_OK) {
        *err = second;
        return stored;
    }
    return st;
}

/* --- loaders
 * ------------------------------------------------------------------------------------------- */

static enum status one(struct loader *l, struct mysql_err *err)
{
    *err = (struct mysql_err){ 0 };
    if (!l->connected) {
        enum status st = mysql_conn_connect(l->conn, err);
        if (st != ST_OK) {
            return st;
        }
        l->connected = true;
    }
    enum status st = load_table(l, err);
    if (st == ST_NOMEM && err->kind == MYSQL_ERR_NONE) {
        err->kind = MYSQL_ERR_LIMIT;
        snprintf(err->text, sizeof(err->text), "A row is too long to be written.");
    }
    if (st == ST_IO && err->kind == MYSQL_ERR_NONE) {
        err->kind = MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text),
                 "A staged file can't be written below the data folder (disk full?).");
    }
    if (st != ST_OK && st != ST_CONFLICT && is_table_error(err)) {
        l->connected = false; /* whatever state it is in */
        st = store_failed_table(l, err);
    }
    return st;
}

static void note_failure(struct load *load, enum status st, const struct mysql_err *err)
{
    pthread_mutex_lock(&load->lock);
    if (load->st == ST_OK || (load->st == ST_CONFLICT && st != ST_CONFLICT)) {
        load->st = st;
        load->err = *err;
    }
    pthread_mutex_unlock(&load->lock);
    atomic_store(&load->broken, true);
}

static void *run_loader(void *arg)
{
    struct loader *l = arg;
    struct load *load = l->load;
    for (;;) {
        size_t i = atomic_fetch_add(&load->next, 1);
        if (i >= load->n || atomic_load(&load->broken) || dms_stopping(load->w)) {
            break;
        }
        l->t = load->queue[i];
        struct mysql_err err;
        enum status st = one(l, &err);
        if (st != ST_OK) {
            note_failure(load, st, &err);
        }
    }
    dms_file_discard(&l->file);
    buf_fini(&l->file.pending);
    free(l->pieces);
    atomic_fetch_sub(&load->running, 1);
    dms_worker_wake(load->w);
    return NULL;
}

static void start_loaders(struct load *load, struct loader *loaders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        loaders[i] = (struct loader){ .load = load, .index = i, .conn = load->w->load[i] };
        dms_file_init(&loaders[i].file, core_blobs(load->w->core), load->w->s3.gzip);
        atomic_fetch_add(&load->running, 1);
        if (pthread_create(&loaders[i].thread, NULL, run_loader, &loaders[i]) != 0) {
            loaders[i].load = NULL;
            atomic_fetch_sub(&load->running, 1);
            if (i == 0) {
                struct mysql_err err = { .kind = MYSQL_ERR_LOST };
                snprintf(err.text, sizeof(err.text), "No thread can be started for the load.");
                note_failure(load, ST_NOMEM, &err);
            }
        }
    }
}

static int by_order(const void *a, const void *b)
{
    const struct dms_table *x = *(struct dms_table *const *)a, *y = *(struct dms_table *const *)b;
    if (x->load_order != y->load_order) {
        return x->load_order > y->load_order ? -1 : 1;
    }
    int c = str_cmp(x->schema, y->schema);
    return c ? c : str_cmp(x->name, y->name);
}

static size_t count_loaders(const struct dms_worker *w, size_t tables)
{
    size_t n = (size_t)w->settings.max_load_threads;
    n = n < DMS_LOADERS_MAX ? n : DMS_LOADERS_MAX;
    return n < tables ? n : tables;
}

static enum status run_load(struct load *load)
{
    struct dms_worker *w = load->w;
    struct loader loaders[DMS_LOADERS_MAX];
    size_t n = count_loaders(w, load->n);
    start_loaders(load, loaders, n);
    while (atomic_load(&load->running) > 0) {
        dms_worker_sleep(w, DMS_STATS_MS);
        dms_show(w, false, "full load of %zu tables in progress", load->n);
    }
    for (size_t i = 0; i < n; i++) {
        if (loaders[i].load) {
            pthread_join(loaders[i].thread, NULL);
        }
    }
    return load->st == ST_OK && dms_stopping(w) ? ST_CONFLICT : load->st;
}

enum status dms_full_load(struct dms_worker *w, struct mysql_err *err)
{
    struct load load = { .w = w, .start_ms = clock_now_ms() };
    CLEANUP(free_ptr)
    struct dms_table **queue = xcalloc(w->tables_n + 1, sizeof(struct dms_table *));
    for (size_t i = 0; i < w->tables_n; i++) {
        if (w->tables[i]->state == DMS_TABLE_BEFORE) {
            queue[load.n++] = w->tables[i];
        }
    }
    if (load.n == 0) {
        return ST_OK;
    }
    qsort(queue, load.n, sizeof(struct dms_table *), by_order);
    load.queue = queue;
    /* All rows are stored before the first load: a look at the statistics shows every table. */
    enum status st = dms_commit(
        w,
        &(struct dms_commit){ .tables = queue, .tables_n = load.n, .load_start_ms = load.start_ms },
        err);
    if (st != ST_OK) {
        return st;
    }
    pthread_mutex_init(&load.lock, NULL);
    st = run_load(&load);
    pthread_mutex_destroy(&load.lock);
    if (st != ST_OK) {
        *err = load.err;
        return st;
    }
    dms_line(w, "TASK_MANAGER", 'I', "All tables are loaded. Full load finished.");
    return dms_commit(
        w, &(struct dms_commit){ .load_start_ms = load.start_ms, .load_end_ms = clock_now_ms() },
        err);
}
