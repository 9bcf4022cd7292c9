/* What a task has done, per table and in sum. */
#include "emulators/dms/task/stats.h"

#include "emulators/dms/dms_internal.h"
#include "emulators/dms/task/task.h"
#include "emulators/dms/worker/worker.h"

#define STATISTICS_MAX_RECORDS 500

static const struct dms_table_row *find_row(const struct dms_table_row *rows, size_t n,
                                            const struct dms_table_row *like)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(rows[i].name, like->name) && str_eq(rows[i].schema, like->schema)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Counts only grow while a worker lives. */
static int64_t sum(const struct dms_table_counts *c)
{
    return c->inserts + c->updates + c->deletes + c->ddls + c->load_rows;
}

enum status dms_stats_tables(struct call *c, const struct dms_task_row *t,
                             struct dms_table_row **ret, size_t *ret_n)
{
    enum status st = dms_store_table_list(c->db, c->arena, t->id, false, ret, ret_n);
    struct dms_worker *w = dms_worker_find(dms_of(c), t->id);
    size_t shown_n = 0;
    const struct dms_table_row *shown = w ? dms_worker_tables(w, &shown_n) : NULL;
    /* Stored counts are those of the last file; a running task has seen more. States are stored
     * at once, so the stored ones are right. */
    for (size_t i = 0; st == ST_OK && i < *ret_n; i++) {
        struct dms_table_row *row = &(*ret)[i];
        const struct dms_table_row *live =
            i < shown_n && str_eq(shown[i].name, row->name) && str_eq(shown[i].schema, row->schema)
                ? &shown[i]
                : find_row(shown, shown_n, row);
        if (live && sum(&live->counts) > sum(&row->counts)) {
            row->counts = live->counts;
        }
    }
    return st;
}

enum status dms_stats_task(struct call *c, const struct dms_task_row *t,
                           struct dms_replication_task_stats **ret, struct str *ret_error)
{
    *ret = NULL;
    *ret_error = STR_NONE;
    if (t->start_ms == 0) {
        return ST_OK;
    }
    struct dms_table_row *rows = NULL;
    size_t n = 0;
    enum status st = dms_stats_tables(c, t, &rows, &n);
    if (st != ST_OK) {
        return st;
    }
    int64_t loaded = 0, loading = 0, queued = 0, errored = 0;
    for (size_t i = 0; i < n; i++) {
        loaded += str_eqz(rows[i].state, "Table completed");
        loading +=
            str_eqz(rows[i].state, "Full load") || str_eqz(rows[i].state, DMS_STATE_RELOADING);
        queued += str_eqz(rows[i].state, "Before load");
        errored += str_eqz(rows[i].state, "Table error");
        if (str_eqz(rows[i].state, "Table error") && !str_set(*ret_error)) {
            *ret_error =
                arena_printf(c->arena, "Table %.*s.%.*s is in error: %.*s", STR_ARG(rows[i].schema),
                             STR_ARG(rows[i].name), STR_ARG(rows[i].message));
        }
    }
    bool loads = !str_eqz(t->type, "cdc");
    int64_t percent = !loads || n == 0 ? 0 : loaded * 100 / (int64_t)n;
    if (t->load_end_ms && loads) {
        percent = 100;
    }
    bool runs = dms_task_in(t, DMS_TASK_RUNNING) || dms_task_in(t, DMS_TASK_STARTING) ||
                dms_task_in(t, DMS_TASK_STOPPING);
    int64_t end = runs || !t->stop_ms ? clock_now_ms() : t->stop_ms;
    struct dms_replication_task_stats *s = ARENA_NEW(c->arena, struct dms_replication_task_stats);
    *s = (struct dms_replication_task_stats){
        .FullLoadProgressPercent = OPT_I64(percent),
        .ElapsedTimeMillis = OPT_I64(end - t->start_ms),
        .TablesLoaded = OPT_I64(loaded),
        .TablesLoading = OPT_I64(loading),
        .TablesQueued = OPT_I64(queued),
        .TablesErrored = OPT_I64(errored),
        .FreshStartDate = OPT_TIME(t->fresh_ms),
        .StartDate = OPT_TIME(t->start_ms),
    };
    if (t->stop_ms && !runs) {
        s->StopDate = OPT_TIME(t->stop_ms);
    }
    if (t->load_start_ms) {
        s->FullLoadStartDate = OPT_TIME(t->load_start_ms);
    }
    if (t->load_end_ms) {
        s->FullLoadFinishDate = OPT_TIME(t->load_end_ms);
    }
    *ret = s;
    return ST_OK;
}

static void show(const struct dms_table_row *row, struct dms_table_statistics *s)
{
    const struct dms_table_counts *n = &row->counts;
    *s = (struct dms_table_statistics){
        .SchemaName = row->schema,
        .TableName = row->name,
        .Inserts = OPT_I64(n->inserts),
        .Deletes = OPT_I64(n->deletes),
        .Updates = OPT_I64(n->updates),
        .Ddls = OPT_I64(n->ddls),
        .AppliedInserts = OPT_I64(n->inserts - n->left_inserts),
        .AppliedDeletes = OPT_I64(n->deletes - n->left_deletes),
        .AppliedUpdates = OPT_I64(n->updates - n->left_updates),
        .AppliedDdls = OPT_I64(n->ddls - n->left_ddls),
        .FullLoadRows = OPT_I64(n->load_rows),
        .FullLoadCondtnlChkFailedRows = OPT_I64(0),
        .FullLoadErrorRows = OPT_I64(n->load_errors),
        .FullLoadReloaded = OPT_BOOL(n->reloads > 0),
        .TableState = row->state,
        .ValidationPendingRecords = OPT_I64(0),
        .ValidationFailedRecords = OPT_I64(0),
        .ValidationSuspendedRecords = OPT_I64(0),
        .ValidationState = STR("Not enabled"),
    };
    if (n->load_start_ms) {
        s->FullLoadStartTime = OPT_TIME(n->load_start_ms);
    }
    if (n->load_end_ms) {
        s->FullLoadEndTime = OPT_TIME(n->load_end_ms);
    }
    if (n->updated_ms) {
        s->LastUpdateTime = OPT_TIME(n->updated_ms);
    }
}

enum status dms_stats_list(struct call *c, const struct dms_task_row *t, const struct dms_ask *ask,
                           struct dms_table_statistics_list *ret, struct str *ret_marker)
{
    static const char *const known[] = { "schema-name", "table-name", "table-state", NULL };
    enum status st = dms_check_filters(c, ask->filters, known);
    if (st != ST_OK) {
        return st;
    }
    struct dms_table_row *rows = NULL;
    size_t n = 0, fitting = 0;
    st = dms_stats_tables(c, t, &rows, &n);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    struct dms_table_statistics *items = ARENA_ARRAY(c->arena, struct dms_table_statistics, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (dms_filter_fits(ask->filters, "schema-name", rows[i].schema) &&
            dms_filter_fits(ask->filters, "table-name", rows[i].name) &&
            dms_filter_fits(ask->filters, "table-state", rows[i].state)) {
            show(&rows[i], &items[fitting++]);
        }
    }
    ret->v = items;
    ret->n = fitting;
    return dms_cut(c, ask, STATISTICS_MAX_RECORDS, ret, ret_marker);
}

enum status dms_describe_table_statistics(struct call *c,
                                          const struct dms_describe_table_statistics_request *in,
                                          struct dms_describe_table_statistics_response *ret_out)
{
    struct dms_task_row t;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    if (st == ST_OK) {
        ret_out->ReplicationTaskArn = t.arn;
        st = dms_stats_list(c, &t, DMS_ASK(in), &ret_out->TableStatistics, &ret_out->Marker);
    }
    return st;
}
