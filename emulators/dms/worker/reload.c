/* ReloadTables while changes are captured: loaders read the tables anew beside the stream, which
 * goes on for all others. Meanwhile the checkpoint is pinned to where the reload began; when the
 * tables are loaded, the stream begins again at the earliest of their snapshots, and every other
 * table drops what it has seen. So a crash at any time finds each table with a place that the
 * checkpoint hasn't passed. */
#include "emulators/dms/worker/cdc.h"
#include "server/core.h"

static bool asked(const struct dms_worker *w)
{
    return atomic_load_explicit(&w->reload_ask, memory_order_relaxed) != w->reload_seen;
}

bool dms_reload_due(const struct dms_worker *w)
{
    return w->reloads ? !dms_load_running(w->reloads) : asked(w);
}

struct wanted {
    struct dms_worker *w;
    struct arena *arena;
    struct dms_table_row *rows;
    size_t n;
};

static enum status fetch(struct core *core, void *arg)
{
    struct wanted *d = arg;
    return dms_store_table_list(core_db(core), d->arena, d->w->task, false, &d->rows, &d->n);
}

/* The table is the loaders' from now on. */
static enum status hand_over(struct dms_worker *w, struct dms_table *t, struct mysql_err *err)
{
    if (dms_table_waits(t)) { /* its file belongs before the reload */
        struct dms_capture c = { .w = w };
        enum status st = dms_close(&c, t, err);
        if (st != ST_OK) {
            return st;
        }
    }
    dms_line(w, "TASK_MANAGER", 'I', "Table '%.*s'.'%.*s' is being reloaded.", STR_ARG(t->schema),
             STR_ARG(t->name));
    pthread_mutex_lock(&w->tables_lock);
    t->state = DMS_TABLE_BEFORE;
    pthread_mutex_unlock(&w->tables_lock);
    t->reloading = true;
    t->away = true;
    return ST_OK;
}

static enum status begin(struct dms_worker *w, struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(DMS_WORKER_ARENA_MAX);
    struct wanted d = { .w = w, .arena = a };
    uint64_t heard = atomic_load(&w->reload_ask);
    enum status st = core_sync(w->core, fetch, &d);
    if (st != ST_OK) {
        err->kind = MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text), "The task's stored state can't be read.");
        return st;
    }
    w->reload_seen = heard;
    struct dms_table **tables = xcalloc(d.n + 1, sizeof(struct dms_table *));
    size_t n = 0;
    for (size_t i = 0; i < d.n && st == ST_OK; i++) {
        struct dms_table *t = str_eqz(d.rows[i].state, DMS_STATE_RELOADING)
                                  ? dms_tables_find(w, d.rows[i].schema, d.rows[i].name)
                                  : NULL;
        if (t) {
            st = hand_over(w, t, err);
            tables[n++] = t;
        }
    }
    if (st != ST_OK || n == 0) {
        free(tables);
        return st;
    }
    w->pin = w->at;
    w->reloads = dms_load_begin(w, tables, n);
    return ST_OK;
}

/* The loaders are through, or were told to stop. */
static enum status end(struct dms_worker *w, bool abandon, struct mysql_err *err)
{
    enum status st = dms_load_end(w->reloads, abandon, err);
    w->reloads = NULL;
    for (size_t i = 0; i < w->tables_n; i++) {
        struct dms_table *t = w->tables[i];
        if (!t->away) {
            continue;
        }
        t->away = false;
        if (t->state == DMS_TABLE_BEFORE || t->state == DMS_TABLE_LOADING) {
            w->reload = true; /* not done: the next run begins with it */
        } else if (t->state != DMS_TABLE_ERROR && mysql_position_cmp(&t->seen, &w->at) < 0) {
            w->at = t->seen;
        }
    }
    w->reload = w->reload || st != ST_OK;
    return st;
}

enum status dms_reload_turn(struct dms_worker *w, struct mysql_err *err)
{
    enum status st = ST_OK;
    if (w->reloads && !dms_load_running(w->reloads)) {
        st = end(w, false, err);
    }
    return st == ST_OK && !w->reloads && asked(w) ? begin(w, err) : st;
}

void dms_reload_abandon(struct dms_worker *w)
{
    struct mysql_err why; /* the run ends for another reason */
    if (w->reloads) {
        status_ignore(end(w, true, &why));
    }
}
