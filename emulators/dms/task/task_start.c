/* Starting and stopping tasks. Both answers wait a little for what they cause (the source reached,
 * the last files written), so that a waiter's first look already finds the state it is after. */
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/task/settings.h"
#include "emulators/dms/task/task.h"
#include "emulators/dms/worker/worker.h"
#include "server/core.h"
#include "server/loop/loop.h"

#define ANSWER_AFTER_MS 3000

/* A call that waits for a worker. */
struct pending {
    struct call *call;
    struct dms *dms;
    int64_t task;
    struct timer *timer;
};

static void finish(void *arg)
{
    struct pending *p = arg;
    struct call *c = p->call;
    timer_free(p->timer);
    free(p);
    call_finish(c, ST_OK);
}

/* Time is over, or the client hung up: the worker must not call any more. */
static void give_up(void *arg)
{
    struct pending *p = arg;
    struct dms_worker *w = dms_worker_find(p->dms, p->task);
    if (w) {
        dms_worker_unwatch(w, p);
    }
    finish(p);
}

static struct pending *hold(struct call *c, int64_t task)
{
    struct pending *p = xcalloc(1, sizeof(*p));
    *p = (struct pending){ .call = c, .dms = dms_of(c), .task = task };
    p->timer = timer_new(core_loop(c->core), give_up, p);
    timer_start(p->timer, ANSWER_AFTER_MS, 0);
    call_on_abort(c, give_up, p);
    return p;
}

/* --- start --- */

static enum status need_tested(struct call *c, const struct dms_task_row *t, struct str endpoint)
{
    struct dms_connection_row row = { 0 };
    enum status st = dms_store_connection_get(c->db, c->arena, t->instance_arn, endpoint, &row);
    if (st != ST_OK && st != ST_NOT_FOUND) {
        return call_status(c, st);
    }
    if (st == ST_OK && str_eqz(row.status, "successful")) {
        return ST_OK;
    }
    return call_fail(c, &dms_InvalidResourceStateFault,
                     "Test connection for replication instance and endpoint should be successful "
                     "for starting the replication task. The endpoint %.*s %s; call TestConnection "
                     "and wait until it is successful.",
                     STR_ARG(endpoint),
                     st == ST_NOT_FOUND ? "has not been tested" : "has not passed its test");
}

enum status dms_task_check_start(struct call *c, struct dms_task_row *t, struct str type,
                                 bool *ret_fresh)
{
    *ret_fresh = str_eqz(type, "start-replication") || str_eqz(type, "reload-target");
    if (!*ret_fresh && !str_eqz(type, "resume-processing")) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "%s must be start-replication, resume-processing or reload-target.",
                         dms_task_is_config(t) ? "StartReplicationType"
                                               : "StartReplicationTaskType");
    }
    bool first = t->fresh_ms == 0;
    if (first && !str_eqz(type, "start-replication")) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s has not run yet: start it with start-replication.",
                         STR_ARG(t->ident));
    }
    if (str_eqz(t->surface, "testing")) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is being assessed: wait for the end, or cancel the "
                         "assessment run.",
                         STR_ARG(t->ident));
    }
    struct str before = t->state;
    if (dms_task_in(t, DMS_TASK_STARTING) || !dms_task_move(t, DMS_TASK_STARTING)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is %.*s and can't be started.", STR_ARG(t->ident),
                         STR_ARG(before));
    }
    return ST_OK;
}

static enum status check_start(struct call *c, const struct dms_start_replication_task_request *in,
                               struct dms_task_row *t, bool *ret_fresh)
{
    enum status st = dms_task_check_start(c, t, in->StartReplicationTaskType, ret_fresh);
    if (st == ST_OK) {
        st = need_tested(c, t, t->source_arn);
    }
    if (st == ST_OK) {
        st = need_tested(c, t, t->target_arn);
    }
    if (st == ST_OK) {
        st = dms_task_set_positions(c, t, in->CdcStartTime.set ? &in->CdcStartTime.ms : NULL,
                                    in->CdcStartPosition, in->CdcStopPosition);
    }
    return st;
}

/* Once logging has begun, the settings name its place. */
static enum status name_log(struct call *c, struct dms_task_row *t)
{
    struct dms_settings settings;
    struct dms_resource instance = { 0 };
    enum status st = dms_settings_read(c->arena, t->settings, &settings);
    if (st == ST_OK && settings.logging && !dms_task_is_config(t)) {
        st = dms_store_resource_get(c->db, c->arena, DMS_KIND_INSTANCE, t->instance_arn, &instance);
    }
    if (st != ST_OK || !settings.logging) {
        return st;
    }
    struct str group, stream;
    dms_log_names(c->arena, t, instance.ident, &group, &stream);
    t->settings = dms_settings_with_log(c->arena, t->settings, group, stream);
    return ST_OK;
}

enum status dms_task_prepare(struct call *c, struct dms_task_row *t, bool fresh)
{
    t->start_ms = c->received_ms;
    t->stop_ms = 0;
    t->message = t->stop_reason = STR_NONE;
    t->surface = dms_task_state_name(DMS_TASK_RUNNING);
    enum status st = name_log(c, t);
    if (st == ST_OK && fresh) {
        t->fresh_ms = t->start_ms;
        t->load_start_ms = t->load_end_ms = 0;
        t->checkpoint = (struct mysql_position){ 0 };
        st = dms_store_table_clear(c->db, t->id);
    }
    return st == ST_OK ? dms_store_task_update(c->db, t) : st;
}

enum status dms_task_launch(struct call *c, const struct dms_task_row *t)
{
    struct str why;
    if (dms_worker_start(dms_of(c), t, false, &why, c->arena) != ST_OK) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s can't be started: %.*s", STR_ARG(t->ident),
                         STR_ARG(why));
    }
    dms_worker_when_up(dms_worker_find(dms_of(c), t->id), finish, hold(c, t->id));
    return ST_PENDING;
}

enum status dms_start_replication_task(struct call *c,
                                       const struct dms_start_replication_task_request *in,
                                       struct dms_start_replication_task_response *ret_out)
{
    struct dms_task_row t;
    bool fresh = false;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    if (st == ST_OK) {
        st = check_start(c, in, &t, &fresh);
    }
    if (st == ST_OK) {
        st = call_status(c, dms_task_prepare(c, &t, fresh));
    }
    if (st == ST_OK) {
        st = dms_task_show(c, &t, dms_task_state_name(DMS_TASK_STARTING), true,
                           &ret_out->ReplicationTask);
    }
    return st == ST_OK ? dms_task_launch(c, &t) : st;
}

/* --- stop --- */

enum status dms_task_check_stop(struct call *c, struct dms_task_row *t)
{
    struct str before = t->state;
    if (dms_task_in(t, DMS_TASK_STOPPING) || !dms_task_move(t, DMS_TASK_STOPPING) ||
        !dms_worker_find(dms_of(c), t->id)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is %.*s and can't be stopped.", STR_ARG(t->ident),
                         STR_ARG(before));
    }
    t->surface = STR_NONE;
    return call_status(c, dms_store_task_update(c->db, t));
}

enum status dms_task_halt(struct call *c, const struct dms_task_row *t)
{
    struct dms_worker *w = dms_worker_find(dms_of(c), t->id);
    dms_worker_stop(w, true);
    dms_worker_when_ended(w, finish, hold(c, t->id));
    return ST_PENDING;
}

enum status dms_stop_replication_task(struct call *c,
                                      const struct dms_stop_replication_task_request *in,
                                      struct dms_stop_replication_task_response *ret_out)
{
    struct dms_task_row t;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    if (st == ST_OK) {
        st = dms_task_check_stop(c, &t);
    }
    if (st == ST_OK) {
        st = dms_task_show(c, &t, t.state, true, &ret_out->ReplicationTask);
    }
    return st == ST_OK ? dms_task_halt(c, &t) : st;
}
