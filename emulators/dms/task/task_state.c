/* The states of a task and what moves it: its handlers ask, its worker reports. */
#include "emulators/dms/dms_event.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/worker/worker.h"
#include "server/base/log.h"
#include "server/base/sm.h"
#include "server/core.h"

static const struct sm_state states[] = {
    [DMS_TASK_CREATING] = { "creating", SM(DMS_TASK_READY), false },
    [DMS_TASK_READY] = { "ready", SM(DMS_TASK_STARTING) | SM(DMS_TASK_DELETING), true },
    [DMS_TASK_STARTING] = { "starting",
                            SM(DMS_TASK_RUNNING) | SM(DMS_TASK_STOPPING) | SM(DMS_TASK_STOPPED) |
                                SM(DMS_TASK_FAILED),
                            false },
    [DMS_TASK_RUNNING] = { "running",
                           SM(DMS_TASK_STOPPING) | SM(DMS_TASK_STOPPED) | SM(DMS_TASK_FAILED),
                           true },
    [DMS_TASK_STOPPING] = { "stopping", SM(DMS_TASK_STOPPED) | SM(DMS_TASK_FAILED), false },
    [DMS_TASK_STOPPED] = { "stopped", SM(DMS_TASK_STARTING) | SM(DMS_TASK_DELETING), true },
    [DMS_TASK_FAILED] = { "failed", SM(DMS_TASK_STARTING) | SM(DMS_TASK_DELETING), true },
    [DMS_TASK_DELETING] = { "deleting", 0, false },
};

struct str dms_task_state_name(enum dms_task_state state)
{
    return str_z(states[state].name);
}

bool dms_task_move(struct dms_task_row *t, enum dms_task_state to)
{
    int from = sm_find(states, ARRAY_LEN(states), t->state);
    if (from < 0 || !sm_allows(states, (unsigned)from, (unsigned)to)) {
        return false;
    }
    t->state = dms_task_state_name(to);
    return true;
}

bool dms_task_in(const struct dms_task_row *t, enum dms_task_state state)
{
    return str_eqz(t->state, states[state].name);
}

/* As the service words it: what happened, the stop reason, the level. */
static struct str failure_text(struct arena *a, struct str text, const char *reason,
                               const char *level)
{
    return arena_printf(a, "Last Error %.*s Stop Reason %s Error Level %s", STR_ARG(text), reason,
                        level);
}

static void note_end(struct dms_task_row *t, struct arena *a, int end, struct str text)
{
    t->stop_ms = clock_now_ms();
    if (end == DMS_END_FAILED || end == DMS_END_EXHAUSTED) {
        bool fatal = end == DMS_END_FAILED;
        const char *reason = fatal ? "FATAL_ERROR" : "RECOVERABLE_ERROR";
        t->message = failure_text(a, text, reason, fatal ? "FATAL" : "RECOVERABLE");
        t->stop_reason = arena_printf(a, "Stop Reason %s", reason);
        t->surface = STR_NONE; /* a failure is shown at once */
        dms_task_move(t, DMS_TASK_FAILED);
        return;
    }
    t->stop_reason = arena_printf(a, "Stop Reason %.*s",
                                  STR_ARG(end == DMS_END_FINISHED ? text : STR("NORMAL")));
    dms_task_move(t, DMS_TASK_STOPPED);
}

void dms_task_ended(struct dms *dms, int64_t id, int end, struct str text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(16u << 20);
    struct dms_task_row t;
    struct db *db = core_db(dms->core);
    enum status st = dms_store_task_by_id(db, a, id, &t);
    if (st == ST_NOT_FOUND) {
        return; /* forgotten by a reset */
    }
    if (st == ST_OK) {
        note_end(&t, a, end, text);
        st = dms_store_task_update(db, &t);
    }
    if (st == ST_OK) {
        bool failed = dms_task_in(&t, DMS_TASK_FAILED);
        st = dms_event_task(dms->core, &t, failed ? DMS_EVENT_TASK_FAILED : DMS_EVENT_TASK_STOPPED,
                            failed ? t.message : t.stop_reason);
    }
    if (st != ST_OK) {
        log_error("dms", "the end of task %lld can't be stored: %s", (long long)id,
                  status_name(st));
    } else {
        log_info("dms", "task %.*s: %.*s%s%.*s", STR_ARG(t.ident), STR_ARG(t.state),
                 text.n > 0 ? ": " : "", STR_ARG(text));
    }
}

void dms_task_is_up(struct dms *dms, int64_t id)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(16u << 20);
    struct dms_task_row t;
    struct db *db = core_db(dms->core);
    struct dms_worker *w = dms_worker_find(dms, id);
    enum status st = dms_store_task_by_id(db, a, id, &t);
    if (st == ST_OK && dms_task_in(&t, DMS_TASK_STARTING)) {
        dms_task_move(&t, DMS_TASK_RUNNING);
        st = dms_store_task_update(db, &t);
        st = st == ST_OK ? dms_event_task(dms->core, &t, DMS_EVENT_TASK_STARTED, STR_NONE) : st;
    }
    if (st != ST_OK) {
        log_error("dms", "task %lld is running, but that can't be stored: %s", (long long)id,
                  status_name(st));
    }
    if (w) {
        dms_worker_is_up(w);
    }
}

void dms_log_names(struct arena *a, const struct dms_task_row *t, struct str instance,
                   struct str *ret_group, struct str *ret_stream)
{
    struct str id = dms_arn_id(t->arn);
    if (str_empty(t->instance_arn)) {
        size_t cut = sizeof(DMS_CONFIG_PREFIX) - 1;
        struct str ident = t->ident.n > cut ? str_sub(t->ident, cut, t->ident.n) : t->ident;
        *ret_group = arena_printf(a, "dms-serverless-replication-%.*s", STR_ARG(ident));
        *ret_stream = arena_printf(a, "dms-serverless-serv-res-id-%.*s", STR_ARG(id));
        return;
    }
    *ret_group = arena_printf(a, "dms-tasks-%.*s", STR_ARG(instance));
    *ret_stream = arena_printf(a, "dms-task-%.*s", STR_ARG(id));
}

static enum status resume_one(struct dms *dms, struct dms_task_row *t, struct arena *a)
{
    struct str why = STR_NONE;
    bool ran = dms_task_in(t, DMS_TASK_RUNNING) || dms_task_in(t, DMS_TASK_STARTING);
    if (ran && dms_worker_start(dms, t, true, &why, a) == ST_OK) {
        log_info("dms", "task %.*s goes on", STR_ARG(t->ident));
        return ST_OK;
    }
    if (!ran && !dms_task_in(t, DMS_TASK_STOPPING)) {
        return ST_OK;
    }
    note_end(t, a, ran ? DMS_END_FAILED : DMS_END_STOPPED, why);
    return dms_store_task_update(core_db(dms->core), t);
}

enum status dms_tasks_resume(struct dms *dms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(256u << 20);
    struct dms_task_row *rows = NULL;
    size_t n = 0;
    enum status st = dms_store_task_list(core_db(dms->core), a, STR_NONE, STR_NONE, &rows, &n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = resume_one(dms, &rows[i], a);
    }
    return st;
}
