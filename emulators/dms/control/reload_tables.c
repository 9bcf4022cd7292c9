/* ReloadTables: what is asked for is stored, the running worker does it (reload.c). */
#include "emulators/dms/control/control.h"
#include "emulators/dms/dms_event.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/task/task.h"
#include "emulators/dms/worker/worker.h"

#define RELOAD_MAX 10

static bool known(const struct dms_table_row *rows, size_t n, const struct dms_table_to_reload *t)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(rows[i].schema, t->SchemaName) && str_eq(rows[i].name, t->TableName)) {
            return true;
        }
    }
    return false;
}

static enum status check(struct call *c, const struct dms_task_row *t,
                         const struct dms_table_list_to_reload *tables, struct str option)
{
    if (!dms_task_in(t, DMS_TASK_RUNNING) || !dms_worker_find(dms_of(c), t->id)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is %.*s; tables can be reloaded only while it is "
                         "running.",
                         STR_ARG(t->ident), STR_ARG(t->state));
    }
    if (str_eqz(t->type, "cdc")) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s only replicates changes: it has no tables to load.",
                         STR_ARG(t->ident));
    }
    if (str_eqz(option, "validate-only")) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "ReloadOption validate-only needs a task with data validation enabled.");
    }
    if (!str_empty(option) && !str_eqz(option, "data-reload")) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "ReloadOption must be data-reload or validate-only.");
    }
    if (tables->n < 1 || tables->n > RELOAD_MAX) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "TablesToReload must name 1 to %d tables.", RELOAD_MAX);
    }
    return ST_OK;
}

static bool named_before(const struct dms_table_list_to_reload *tables, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (str_eq(tables->v[k].SchemaName, tables->v[i].SchemaName) &&
            str_eq(tables->v[k].TableName, tables->v[i].TableName)) {
            return true;
        }
    }
    return false;
}

enum status dms_control_reload(struct call *c, const struct dms_task_row *t,
                               const struct dms_table_list_to_reload *tables, struct str option)
{
    enum status st = check(c, t, tables, option);
    struct dms_table_row *rows = NULL;
    size_t n = 0;
    if (st == ST_OK) {
        st = call_status(c, dms_store_table_list(c->db, c->arena, t->id, false, &rows, &n));
    }
    for (size_t i = 0; i < tables->n && st == ST_OK; i++) {
        const struct dms_table_to_reload *wanted = &tables->v[i];
        if (!known(rows, n, wanted)) {
            return call_fail(c, &dms_ResourceNotFoundFault,
                             "The table %.*s.%.*s is not one of the task's tables.",
                             STR_ARG(wanted->SchemaName), STR_ARG(wanted->TableName));
        }
        if (named_before(tables, i)) {
            return call_fail(c, &dms_InvalidParameterValueException,
                             "TablesToReload names the table %.*s.%.*s twice.",
                             STR_ARG(wanted->SchemaName), STR_ARG(wanted->TableName));
        }
        st = call_status(c,
                         dms_store_reload_add(c->db, t->id, wanted->SchemaName, wanted->TableName));
    }
    return st;
}

/* Once the request is kept: the worker reads it in a transaction of its own. */
static void wake(void *arg, bool committed)
{
    struct dms_control_wake *k = arg;
    struct dms_worker *w = committed ? dms_worker_find(k->dms, k->task) : NULL;
    if (w) {
        dms_worker_reload(w);
    }
}

void dms_control_reload_wake(struct call *c, int64_t task)
{
    struct dms_control_wake *k = ARENA_NEW(core_pass_arena(c->core), struct dms_control_wake);
    *k = (struct dms_control_wake){ dms_of(c), task };
    core_after_commit(c->core, wake, k);
}

enum status dms_reload_tables(struct call *c, const struct dms_reload_tables_request *in,
                              struct dms_reload_tables_response *ret_out)
{
    struct dms_task_row t;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    if (st == ST_OK) {
        st = dms_control_reload(c, &t, &in->TablesToReload, in->ReloadOption);
    }
    if (st == ST_OK) {
        st = call_status(c, dms_event_task(c->core, &t, DMS_EVENT_TASK_RELOADS, STR_NONE));
        dms_control_reload_wake(c, t.id);
        ret_out->ReplicationTaskArn = t.arn;
    }
    return st;
}
