/* Full load: each table is read in one snapshot of its own, whose place in the binlog is known
 * exactly; changes from there on belong to capture. All files of a table are staged first and put
 * together with its new state, in one transaction: a load that breaks off leaves nothing behind and
 * simply starts again.
 *
 * A few loaders work in threads of their own, a table at a time; the worker's thread watches. */
#include "emulators/dms/worker/control_tables.h"
#include "emulators/dms/worker/load_read.h"
#include "server/base/log.h"
#include "server/core.h"

#define LOAD_ATTEMPTS 5 /* of a table that is altered while its snapshot is opened */
#define GONE_WAIT_S 5u  /* for a statement that is creating or dropping it */
#define LOAD_ARENA_MAX (64u << 20)

/* One loader and the table it is at. */
struct loader {
    struct dms_load *load;
    size_t index;
    pthread_t thread;
    struct mysql_conn *conn;
    bool connected;

    struct dms_table *t;
    struct dms_load_read read;
};

/* What the loaders share. */
struct dms_load {
    struct dms_worker *w;
    struct dms_table **queue;
    size_t n;
    _Atomic size_t next;
    _Atomic int running;
    _Atomic bool broken;  /* somebody failed: finish soon */
    pthread_mutex_t lock; /* of the two below */
    enum status st;
    struct mysql_err err;
    struct dms_conn_pool pool;
    struct loader loaders[DMS_LOADERS_MAX];
    size_t loaders_n;
};

/* --- one table --- */

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

/* Is the table gone? Then a statement that makes another one of its name comes later in the log
 * than l->read.at. */
static bool is_gone(struct loader *l, const struct mysql_err *why)
{
    struct mysql_err err;
    return why->kind == MYSQL_ERR_MISSING &&
           mysql_position_end(l->conn, &l->read.at, &err) == ST_OK &&
           mysql_table_touch(l->conn, l->t->schema, l->t->name, GONE_WAIT_S, &err) == ST_NOT_FOUND;
}

/* Reads it, again when it was altered meanwhile. *ret_gone: it was dropped, and capture follows. */
static enum status read_steadily(struct loader *l, bool *ret_gone, struct mysql_err *err)
{
    enum status st = ST_OK;
    for (int attempt = 0; attempt < LOAD_ATTEMPTS; attempt++) {
        *err = (struct mysql_err){ 0 };
        st = dms_load_read(&l->read, err);
        *ret_gone = st != ST_OK && l->load->w->captures && is_gone(l, err);
        if (*ret_gone) {
            return ST_OK;
        }
        if (st == ST_OK || (err->kind != MYSQL_ERR_CHANGED && err->kind != MYSQL_ERR_BUSY &&
                            err->kind != MYSQL_ERR_MISSING)) {
            break;
        }
    }
    return st;
}

/* Its files and its new state, at once. */
static enum status publish(struct loader *l, struct mysql_err *err)
{
    struct dms_worker *w = l->load->w;
    struct dms_table *t = l->t;
    CLEANUP(arena_freep) struct arena *a = arena_new(LOAD_ARENA_MAX);
    size_t n;
    struct dms_put *puts = dms_load_read_puts(&l->read, a, &n); /* dms_commit takes them over */
    atomic_store(&t->load_rows, l->read.rows);
    t->seen = l->read.at;
    t->seen_skip = 0;
    pthread_mutex_lock(&w->tables_lock); /* shown meanwhile, where capture runs beside the load */
    t->counts.reloads += t->reloading;
    t->counts.load_errors = l->read.left_out;
    t->reloading = false;
    t->message = STR_NONE;
    pthread_mutex_unlock(&w->tables_lock);
    set_state(w, t, DMS_TABLE_DONE);
    return dms_commit(w,
                      &(struct dms_commit){
                          .puts = puts,
                          .puts_n = n,
                          .tables = &t,
                          .tables_n = 1,
                          .emptied = n == 0 && w->settings.prep_mode != DMS_PREP_NOTHING,
                          .reloaded = true,
                      },
                      err);
}

/* Dropped since it was found. Capture looks out for another table of its name. */
static enum status publish_gone(struct loader *l, struct mysql_err *err)
{
    struct dms_worker *w = l->load->w;
    struct dms_table *t = l->t;
    dms_line(w, "TASK_MANAGER", 'W', "Table '%.*s'.'%.*s' was dropped before it could be loaded",
             STR_ARG(t->schema), STR_ARG(t->name));
    *err = (struct mysql_err){ 0 };
    t->seen = l->read.at;
    t->seen_skip = 0;
    pthread_mutex_lock(&w->tables_lock);
    t->reloading = false;
    t->message = STR_NONE;
    pthread_mutex_unlock(&w->tables_lock);
    set_state(w, t, DMS_TABLE_MISSING);
    return dms_commit(w,
                      &(struct dms_commit){
                          .tables = &t,
                          .tables_n = 1,
                          .emptied = w->settings.prep_mode != DMS_PREP_NOTHING,
                          .reloaded = true,
                      },
                      err);
}

static void tell_end(const struct loader *l, int64_t start_us)
{
    struct dms_worker *w = l->load->w;
    const struct dms_table *t = l->t;
    if (l->read.failures > 0) {
        dms_line(
            w, "TRANSFORMATION", 'W',
            "%llu values of table '%.*s'.'%.*s' are empty because the rules can't make them; %s",
            (unsigned long long)l->read.failures, STR_ARG(t->schema), STR_ARG(t->name),
            l->read.why);
    }
    if (l->read.cut > 0) {
        dms_line(w, "TARGET_LOAD", 'W',
                 "%llu LOB values of table '%.*s'.'%.*s' were truncated to LobMaxSize (%lld KB)",
                 (unsigned long long)l->read.cut, STR_ARG(t->schema), STR_ARG(t->name),
                 (long long)w->settings.lob_max_kb);
    }
    dms_line(w, "TASK_MANAGER", 'I',
             "Loading finished for table '%.*s'.'%.*s' (Id = %zu) by subtask %zu. %lld rows "
             "affected.",
             STR_ARG(t->schema), STR_ARG(t->name), (size_t)(1 + l->index), l->index + 1,
             (long long)l->read.rows);
    dms_line(w, "PERFORMANCE", 'I', "Total load time for %.*s.%.*s = %lld microseconds",
             STR_ARG(t->schema), STR_ARG(t->name), (long long)(clock_mono_us() - start_us));
}

static enum status load_table(struct loader *l, struct mysql_err *err)
{
    struct dms_worker *w = l->load->w;
    struct dms_table *t = l->t;
    int64_t start_us = clock_mono_us();
    l->read.t = t;
    enum status st = dms_rules_clash(w, t, err); /* before another table's folder is emptied */
    if (st == ST_OK) {
        st = begin_table(l, err);
    }
    bool gone = false;
    if (st == ST_OK) {
        st = read_steadily(l, &gone, err);
    }
    if (st == ST_OK) {
        st = gone ? publish_gone(l, err) : publish(l, err);
    }
    if (st == ST_OK && !gone) {
        tell_end(l, start_us);
    }
    dms_load_read_drop(&l->read);
    return st;
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
    enum status stored = dms_commit(
        l->load->w, &(struct dms_commit){ .tables = &l->t, .tables_n = 1, .reloaded = true },
        &second);
    if (stored != ST_OK) {
        *err = second;
        return stored;
    }
    return st;
}

/* --- loaders --- */

static enum status connect_loader(struct loader *l, struct mysql_err *err)
{
    enum status st = ST_OK;
    if (!l->connected) {
        st = mysql_conn_connect(l->conn, err);
        if (st == ST_OK && l->load->w->captures) {
            st = mysql_conn_connect(l->read.guard, err);
        }
        l->connected = st == ST_OK;
    }
    return st;
}

static enum status one(struct loader *l, struct mysql_err *err)
{
    enum status st = load_table(l, err);
    if (st == ST_NOMEM && err->kind == MYSQL_ERR_NONE) {
        err->kind = MYSQL_ERR_LIMIT;
        snprintf(err->text, sizeof(err->text), "A row is too long to be written.");
    }
    if (st == ST_INVALID && err->kind == MYSQL_ERR_NONE) {
        err->kind = MYSQL_ERR_LIMIT;
        snprintf(err->text, sizeof(err->text),
                 "A value doesn't fit the type that its column has in Parquet.");
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

static void note_failure(struct dms_load *load, enum status st, const struct mysql_err *err)
{
    pthread_mutex_lock(&load->lock);
    if (load->st == ST_OK || (load->st == ST_CONFLICT && st != ST_CONFLICT)) {
        load->st = st;
        load->err = *err;
    }
    pthread_mutex_unlock(&load->lock);
    atomic_store(&load->broken, true);
}

/* Has the source (or its user) as many connections as it may have? */
static bool no_room(const struct mysql_err *err)
{
    return err->code == 1040 || err->code == 1203 || err->code == 1226;
}

static bool idle(struct dms_load *load)
{
    return atomic_load(&load->next) >= load->n || atomic_load(&load->broken) ||
           dms_stopping(load->w);
}

static void *run_loader(void *arg)
{
    struct loader *l = arg;
    struct dms_load *load = l->load;
    while (!idle(load)) {
        struct mysql_err err = { 0 };
        enum status st = connect_loader(l, &err);
        if (st != ST_OK && l->index > 0 && no_room(&err)) {
            dms_line(load->w, "TASK_MANAGER", 'W', "Subtask %zu ends, the others go on: %s",
                     l->index + 1, err.text);
            break;
        }
        size_t i = atomic_fetch_add(&load->next, 1);
        if (i >= load->n) {
            break;
        }
        l->t = load->queue[i];
        st = st == ST_OK ? one(l, &err) : st;
        if (st != ST_OK) {
            note_failure(load, st, &err);
        }
    }
    dms_load_read_drop(&l->read);
    dms_conn_pool_add(&load->pool, load->w->segment[l->index]);
    atomic_fetch_sub(&load->running, 1);
    dms_worker_wake(load->w);
    return NULL;
}

static void start_loaders(struct dms_load *load)
{
    struct loader *loaders = load->loaders;
    for (size_t i = 0; i < load->loaders_n; i++) {
        loaders[i] = (struct loader){ .load = load, .index = i, .conn = load->w->load[i] };
        loaders[i].read =
            (struct dms_load_read){ .w = load->w, .broken = &load->broken, .pool = &load->pool };
        loaders[i].read.conns[0] = load->w->load[i];
        loaders[i].read.guard = load->w->guard[i];
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

size_t dms_load_subtasks(const struct dms_worker *w)
{
    int64_t n = w->settings.max_load_threads;
    return n < 1 ? 1 : n > DMS_LOADERS_MAX ? DMS_LOADERS_MAX : (size_t)n;
}

struct dms_load *dms_load_begin(struct dms_worker *w, struct dms_table **tables, size_t n)
{
    struct dms_load *load = xcalloc(1, sizeof(*load));
    load->w = w;
    load->queue = tables;
    load->n = n;
    load->loaders_n = n < dms_load_subtasks(w) ? n : dms_load_subtasks(w);
    pthread_mutex_init(&load->pool.lock, NULL);
    for (size_t i = load->loaders_n; i < dms_load_subtasks(w); i++) {
        dms_conn_pool_add(&load->pool, w->segment[i]); /* a loader adds its own when it ends */
    }
    qsort(tables, n, sizeof(struct dms_table *), by_order);
    pthread_mutex_init(&load->lock, NULL);
    start_loaders(load);
    return load;
}

bool dms_load_running(struct dms_load *load)
{
    return atomic_load(&load->running) > 0;
}

enum status dms_load_end(struct dms_load *load, bool abandon, struct mysql_err *err)
{
    if (abandon) {
        atomic_store(&load->broken, true);
    }
    for (size_t i = 0; i < load->loaders_n; i++) {
        if (load->loaders[i].load) {
            pthread_join(load->loaders[i].thread, NULL);
        }
    }
    enum status st = load->st == ST_OK && dms_stopping(load->w) ? ST_CONFLICT : load->st;
    *err = load->err;
    pthread_mutex_destroy(&load->pool.lock);
    pthread_mutex_destroy(&load->lock);
    free(load->queue);
    free(load);
    return st;
}

enum status dms_full_load(struct dms_worker *w, struct mysql_err *err)
{
    struct dms_table **queue = xcalloc(w->tables_n + 1, sizeof(struct dms_table *));
    int64_t start_ms = clock_now_ms();
    size_t n = 0;
    for (size_t i = 0; i < w->tables_n; i++) {
        if (w->tables[i]->state == DMS_TABLE_BEFORE) {
            queue[n++] = w->tables[i];
        }
    }
    if (n == 0) {
        free(queue);
        return ST_OK;
    }
    /* All rows are stored before the first load: a look at the statistics shows every table. */
    enum status st = dms_commit(
        w, &(struct dms_commit){ .tables = queue, .tables_n = n, .load_start_ms = start_ms }, err);
    if (st != ST_OK) {
        free(queue);
        return st;
    }
    struct dms_load *load = dms_load_begin(w, queue, n);
    struct mysql_err why = { 0 };
    while (dms_load_running(load)) {
        dms_worker_sleep(w, DMS_STATS_MS);
        dms_show(w, false, "full load of %zu tables in progress", n);
        st = st == ST_OK ? dms_control_turn(w->control, DMS_PHASE_LOAD, &why) : st;
    }
    enum status told = st;
    st = dms_load_end(load, told != ST_OK, err);
    if (told != ST_OK) {
        *err = why;
        return told;
    }
    if (st != ST_OK) {
        return st;
    }
    dms_line(w, "TASK_MANAGER", 'I', "All tables are loaded. Full load finished.");
    return dms_commit(
        w, &(struct dms_commit){ .load_start_ms = start_ms, .load_end_ms = clock_now_ms() }, err);
}
