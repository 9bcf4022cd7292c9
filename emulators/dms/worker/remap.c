/* A task goes on with other mappings than before: which tables are its own now. */
#include "emulators/dms/worker/worker_impl.h"
#include "server/core.h"

/* Tables of the array from `found` on are new; of the ones before, those are forgotten that the
 * mappings don't select. */
struct remap {
    struct dms_worker *w;
    size_t found;
};

static bool selected(const struct dms_worker *w, const struct dms_table *t)
{
    int64_t order;
    return t->view || dms_mapping_selects(&w->mapping, t->schema, t->name, &order);
}

static enum status store(struct core *core, void *arg)
{
    const struct remap *r = arg;
    const struct dms_worker *w = r->w;
    enum status st = dms_store_remap_done(core_db(core), w->task);
    for (size_t i = 0; i < w->tables_n && st == ST_OK; i++) {
        const struct dms_table *t = w->tables[i];
        if (i >= r->found) {
            st = dms_store_table_put(core_db(core), w->task,
                                     &(struct dms_table_row){
                                         .schema = t->schema,
                                         .name = t->name,
                                         .state = dms_table_state_name(t->state),
                                         .load_order = t->load_order,
                                     });
        } else if (!selected(w, t)) {
            st = dms_store_table_drop(core_db(core), w->task, t->schema, t->name);
        }
    }
    return st;
}

enum status dms_tables_some(const struct dms_worker *w, size_t n, struct mysql_err *err)
{
    if (n > 0 || !w->settings.fail_without_tables) {
        return ST_OK;
    }
    err->kind = MYSQL_ERR_FATAL;
    snprintf(err->text, sizeof(err->text),
             "No tables were found at task initialization. Either the selected table(s) or "
             "schema(s) no longer exist or no match was found for the table selection "
             "pattern(s). If you would like to start a Task that does not initially capture "
             "any tables, set Task Setting FailOnNoTablesCaptured to false and restart task. "
             "Names in selection rules are case-sensitive, and the endpoint's user sees only "
             "tables on which it was granted SELECT.");
    return ST_CONFLICT;
}

enum status dms_tables_remap(struct dms_worker *w, struct mysql_err *err)
{
    struct remap r = { .w = w, .found = w->tables_n };
    enum status st = dms_tables_discover(w, err);
    size_t left = w->tables_n;
    for (size_t i = 0; i < r.found; i++) {
        left -= !selected(w, w->tables[i]);
    }
    st = st == ST_OK ? dms_tables_some(w, left, err) : st;
    if (st != ST_OK) {
        w->reload = true; /* what was found is in memory only */
        return st;
    }
    for (size_t i = 0; i < w->tables_n; i++) {
        const struct dms_table *t = w->tables[i];
        if (i >= r.found || !selected(w, t)) {
            dms_line(w, "TASK_MANAGER", 'I', "Table '%.*s'.'%.*s' %s the changed table mappings",
                     STR_ARG(t->schema), STR_ARG(t->name),
                     i >= r.found ? "is added by" : "is left out by");
        }
    }
    st = core_sync(w->core, store, &r);
    st = st == ST_OK ? dms_tables_load(w) : st;
    if (st != ST_OK) {
        w->reload = true;
        err->kind = MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text), "The task's tables can't be stored.");
    }
    return st;
}
