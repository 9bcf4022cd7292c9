/* The tables of a running task. */
#include "emulators/dms/file/names.h"
#include "emulators/dms/worker/errors.h"
#include "emulators/dms/worker/schema_text.h"
#include "emulators/dms/worker/worker_impl.h"
#include "server/core.h"

static const struct str state_names[] = {
    [DMS_TABLE_MISSING] = STR_INIT("Table does not exist"),
    [DMS_TABLE_BEFORE] = STR_INIT("Before load"),
    [DMS_TABLE_LOADING] = STR_INIT("Full load"),
    [DMS_TABLE_DONE] = STR_INIT("Table completed"),
    [DMS_TABLE_ERROR] = STR_INIT("Table error"),
};

struct str dms_table_state_name(enum dms_table_state state)
{
    return state_names[state];
}

static enum dms_table_state state_from(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
        if (str_eq(state_names[i], name)) {
            return (enum dms_table_state)i;
        }
    }
    return DMS_TABLE_BEFORE;
}

/* "schema\0table" */
static struct str map_key(struct buf *b, struct str schema, struct str name)
{
    buf_clear(b);
    buf_str_add(b, schema);
    buf_putc(b, '\0');
    buf_str_add(b, name);
    return buf_str(b);
}

struct dms_table *dms_tables_find(struct dms_worker *w, struct str schema, struct str name)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
    return map_get(&w->by_name, map_key(&b, schema, name));
}

struct dms_table *dms_tables_add(struct dms_worker *w, struct str schema, struct str name,
                                 int64_t load_order)
{
    if (w->tables_n >= DMS_TABLES_MAX) {
        return NULL;
    }
    struct dms_table *t = ARENA_NEW(w->arena, struct dms_table);
    t->schema = arena_str(w->arena, schema);
    t->name = arena_str(w->arena, name);
    t->load_order = load_order;
    t->state = DMS_TABLE_BEFORE;
    t->errors = dms_errors_of(w, schema, name);
    dms_rules_name(w, t);
    pthread_mutex_lock(&w->tables_lock);
    if (w->tables_n == w->tables_cap) {
        w->tables_cap = w->tables_cap ? w->tables_cap * 2 : 64;
        w->tables = xrealloc(w->tables, w->tables_cap * sizeof(struct dms_table *));
    }
    w->tables[w->tables_n++] = t;
    pthread_mutex_unlock(&w->tables_lock);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
    map_put(&w->by_name, map_key(&b, schema, name), t);
    return t;
}

void dms_tables_free(struct dms_worker *w)
{
    for (size_t i = 0; i < w->tables_n; i++) {
        dms_table_drop_batches(w->tables[i]);
        dms_rules_drop(w->tables[i]);
        if (w->tables[i]->spare) {
            dms_out_discard(&w->tables[i]->spare->out);
            free(w->tables[i]->spare);
        }
        arena_free(w->tables[i]->def_arena);
        arena_free(w->tables[i]->old_def_arena);
        arena_free(w->tables[i]->other_arena);
    }
    free(w->tables);
    w->tables = NULL;
    w->tables_n = w->tables_cap = 0;
    if (w->shared.out.format) {
        dms_out_discard(&w->shared.out);
    }
    w->shared_partial = false;
}

uint64_t dms_table_drop_batches(struct dms_table *t)
{
    uint64_t rows = 0;
    while (t->batches) {
        struct dms_batch *b = t->batches;
        t->batches = b->next;
        rows += b->out.rows;
        dms_out_discard(&b->out);
        free(b);
    }
    t->batches_n = 0;
    return rows;
}

int64_t dms_table_oldest_ms(const struct dms_worker *w, const struct dms_table *t)
{
    return t->batches ? t->batches->first_ms : t->shared_rows > 0 ? w->shared.first_ms : 0;
}

void dms_table_place(const struct dms_table *t, struct mysql_position *ret, uint64_t *ret_skip)
{
    *ret = t->batches ? t->batches->first_tx : t->shared_rows > 0 ? t->shared_tx : t->seen;
    *ret_skip = t->batches           ? t->batches->first_skip
                : t->shared_rows > 0 ? t->shared_skip
                                     : t->seen_skip;
}

/* --- stored rows --- */

struct fetch {
    struct dms_worker *w;
    struct arena *arena;
    struct dms_task_row task;
    int64_t sequence_s;
    bool remap;
    struct dms_table_row *rows;
    size_t n;
};

static enum status fetch_rows(struct core *core, void *arg)
{
    struct fetch *f = arg;
    enum status st = dms_store_task_by_id(core_db(core), f->arena, f->w->task, &f->task);
    if (st == ST_OK) {
        st = dms_store_table_list(core_db(core), f->arena, f->w->task, true, &f->rows, &f->n);
    }
    if (st == ST_OK) {
        st = dms_store_sequence_get(core_db(core), f->w->task, &f->sequence_s);
    }
    f->remap = dms_store_remap(core_db(core), f->w->task);
    return st;
}

static enum status take_row(struct dms_worker *w, const struct dms_table_row *row)
{
    struct dms_table *t = dms_tables_add(w, row->schema, row->name, row->load_order);
    if (!t) {
        return ST_NOMEM;
    }
    t->reloading = str_eqz(row->state, DMS_STATE_RELOADING);
    t->state = state_from(row->state);
    if (t->state == DMS_TABLE_LOADING) {
        t->state = DMS_TABLE_BEFORE; /* nothing of an unfinished load has been put */
    }
    t->message = arena_str(w->arena, row->message);
    t->seen = row->from;
    t->seen_skip = (uint64_t)row->from_skip;
    t->last_name_ms = row->last_name_ms;
    if (w->s3.transactions && t->last_name_ms > w->shared_name_ms) {
        w->shared_name_ms = t->last_name_ms;
    }
    t->counts = row->counts;
    atomic_store(&t->load_rows, row->counts.load_rows);
    if (str_set(row->columns)) {
        struct arena *a = arena_new(DMS_WORKER_ARENA_MAX);
        struct mysql_table *def;
        struct dms_csv_order order;
        if (dms_schema_read(a, arena_str(a, row->columns), &def, &order) != ST_OK) {
            arena_free(a);
            return ST_INVALID;
        }
        dms_table_set_def(w, t, def, a, order);
        t->def_stored = true;
    }
    return ST_OK;
}

enum status dms_tables_load(struct dms_worker *w)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(DMS_WORKER_ARENA_MAX);
    struct fetch f = { .w = w, .arena = a };
    uint64_t asked = atomic_load(&w->reload_ask);
    enum status st = core_sync(w->core, fetch_rows, &f);
    if (st != ST_OK) {
        return st;
    }
    w->reload_seen = asked; /* tables that are to be reloaded have that state now */
    dms_tables_free(w);
    map_fini(&w->by_name);
    map_init(&w->by_name);
    w->last = NULL;
    w->in_tx = false;
    w->at = w->stored = f.task.checkpoint;
    w->sequence_s = f.sequence_s;
    w->remap = f.remap;
    atomic_store(&w->waiting_rows, 0);
    w->shared_name_ms = 0;
    for (size_t i = 0; i < f.n && st == ST_OK; i++) {
        st = take_row(w, &f.rows[i]);
    }
    return st;
}

/* --- the source's tables --- */

struct discovery {
    struct dms_worker *w;
    struct arena *arena;
};

static enum status discover(struct mysql_conn *c, void *arg, struct mysql_err *err)
{
    struct discovery *d = arg;
    struct mysql_table_list list;
    enum status st = dms_views_discover(d->w, c, d->arena, err);
    if (st != ST_OK) {
        return st;
    }
    st = mysql_schema_tables(c, d->arena, &list, err);
    for (size_t i = 0; i < list.n && st == ST_OK; i++) {
        int64_t order;
        const struct mysql_table_name *item = &list.items[i];
        if (!dms_mapping_selects(&d->w->mapping, item->schema, item->name, &order) ||
            dms_tables_find(d->w, item->schema, item->name)) {
            continue;
        }
        if (!dms_tables_add(d->w, item->schema, item->name, order)) {
            err->kind = MYSQL_ERR_LIMIT;
            snprintf(err->text, sizeof(err->text),
                     "The table mappings select more than %d tables; select fewer.",
                     DMS_TABLES_MAX);
            st = ST_NOMEM;
        }
    }
    return st;
}

enum status dms_tables_discover(struct dms_worker *w, struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(DMS_WORKER_ARENA_MAX);
    struct discovery d = { w, a };
    return dms_ctl(w, discover, &d, err);
}

void dms_table_set_def(struct dms_worker *w, struct dms_table *t, struct mysql_table *def,
                       struct arena *owner, struct dms_csv_order order)
{
    struct arena *old = t->def_arena;
    t->def = def;
    t->def_arena = owner;
    t->def_stored = false;
    dms_rules_plan(w, t, def, owner, order);
    arena_free(t->old_def_arena);
    t->old_def_arena = old;
}

enum status dms_table_describe(struct dms_worker *w, struct mysql_conn *c, struct dms_table *t,
                               bool keep_order, struct mysql_err *err)
{
    struct arena *a = arena_new(DMS_WORKER_ARENA_MAX);
    struct mysql_table *def = ARENA_NEW(a, struct mysql_table);
    enum status st = t->view ? mysql_schema_describe_view(c, a, t->schema, t->name, def, err)
                             : mysql_schema_describe(c, a, t->schema, t->name, def, err);
    st = st == ST_OK ? dms_table_fit(w, t, def, err) : st;
    if (st != ST_OK) {
        arena_free(a);
        return st;
    }
    struct dms_csv_order order = { 0 };
    if (keep_order && t->def) {
        order = dms_csv_plan_order(a, &t->plan, t->def); /* names of the old one, which stays */
    }
    dms_table_set_def(w, t, def, a, order);
    return dms_rules_check(w, t, err);
}

enum status dms_table_fail(struct dms_worker *w, struct dms_table *t, const char *text)
{
    dms_line(w, "TASK_MANAGER", 'E', "Table '%.*s'.'%.*s' was errored/suspended: %s",
             STR_ARG(t->schema), STR_ARG(t->name), text);
    char which[MYSQL_ERR_TEXT];
    pthread_mutex_lock(&w->tables_lock); /* also for the arena: loaders come here too */
    bool stops = dms_table_error_stops(w, t, which);
    t->state = DMS_TABLE_ERROR;
    t->message = arena_strz(w->arena, text);
    t->counts.updated_ms = clock_now_ms();
    if (stops) {
        dms_errors_stop(w, "Table %.*s.%.*s is in error and %s: %s", STR_ARG(t->schema),
                        STR_ARG(t->name), which, text);
    }
    pthread_mutex_unlock(&w->tables_lock);
    return stops ? ST_CONFLICT : ST_OK;
}
