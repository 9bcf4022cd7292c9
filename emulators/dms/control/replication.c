/* DMS Serverless, second half: replications, which is what a config's task does. */
#include "emulators/dms/control/control.h"
#include "emulators/dms/control/serverless.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_event.h"
#include "emulators/dms/task/position.h"
#include "emulators/dms/task/stats.h"
#include "emulators/dms/task/task.h"

/* The service's words for the states of the task. */
static struct str status_of(const struct dms_task_row *t, struct str state)
{
    if (str_eq(state, dms_task_state_name(DMS_TASK_READY))) {
        return STR("created");
    }
    if (str_eq(state, dms_task_state_name(DMS_TASK_STARTING))) {
        return t->fresh_ms == t->start_ms ? STR("initialising") : STR("replication_starting");
    }
    return state;
}

static struct dms_replication_stats *stats_of(struct arena *a,
                                              const struct dms_replication_task_stats *s)
{
    struct dms_replication_stats *out = ARENA_NEW(a, struct dms_replication_stats);
    *out = (struct dms_replication_stats){
        .FullLoadProgressPercent = s->FullLoadProgressPercent,
        .ElapsedTimeMillis = s->ElapsedTimeMillis,
        .TablesLoaded = s->TablesLoaded,
        .TablesLoading = s->TablesLoading,
        .TablesQueued = s->TablesQueued,
        .TablesErrored = s->TablesErrored,
        .FreshStartDate = s->FreshStartDate,
        .StartDate = s->StartDate,
        .StopDate = s->StopDate,
        .FullLoadStartDate = s->FullLoadStartDate,
        .FullLoadFinishDate = s->FullLoadFinishDate,
    };
    return out;
}

static void show_failure(struct arena *a, struct str message, struct dms_replication *r)
{
    if (str_set(message)) {
        struct str *v = ARENA_ARRAY(a, struct str, 1);
        v[0] = message;
        r->FailureMessages.n = 1;
        r->FailureMessages.v = v;
    }
}

/* Units are there while the replication runs. */
static void show_capacity(struct arena *a, const struct dms_config *k, bool runs,
                          struct dms_replication *r)
{
    const struct dms_compute_config *compute = k->doc->ComputeConfig;
    struct opt_i64 units =
        compute->MinCapacityUnits.set ? compute->MinCapacityUnits : compute->MaxCapacityUnits;
    r->ProvisionData = ARENA_NEW(a, struct dms_provision_data);
    *r->ProvisionData = (struct dms_provision_data){
        .ProvisionState = runs ? STR("succeeded") : STR("deprovisioned"),
        .ProvisionedCapacityUnits = runs ? units : OPT_I64(0),
        .DateProvisioned = OPT_TIME(k->task.start_ms),
        .IsNewProvisioningAvailable = OPT_BOOL(false),
    };
    if (!runs && k->task.stop_ms) {
        r->ReplicationDeprovisionTime = OPT_TIME(k->task.stop_ms);
    }
}

static enum status show(struct call *c, const struct dms_config *k, struct str state,
                        struct dms_replication *r)
{
    const struct dms_task_row *t = &k->task;
    *r = (struct dms_replication){
        .ReplicationConfigIdentifier = k->row.ident,
        .ReplicationConfigArn = k->row.arn,
        .SourceEndpointArn = t->source_arn,
        .TargetEndpointArn = t->target_arn,
        .ReplicationType = t->type,
        .Status = status_of(t, state),
        .StopReason = t->stop_reason,
        .CdcStartPosition = t->cdc_start,
        .CdcStopPosition = t->cdc_stop,
        .ReplicationCreateTime = OPT_TIME(t->created_ms),
        .ReplicationUpdateTime = k->doc->ReplicationConfigUpdateTime,
    };
    if (t->cdc_start_ms) {
        r->CdcStartTime = OPT_TIME(t->cdc_start_ms);
    }
    if (t->checkpoint.file[0]) {
        r->RecoveryCheckpoint =
            dms_checkpoint_text(c->arena, &t->checkpoint, (uint64_t)t->checkpoints);
    }
    struct dms_replication_task_stats *stats = NULL;
    struct str error = STR_NONE;
    enum status st = dms_stats_task(c, t, &stats, &error);
    if (stats) {
        bool runs = dms_task_in(t, DMS_TASK_STARTING) || dms_task_in(t, DMS_TASK_RUNNING) ||
                    dms_task_in(t, DMS_TASK_STOPPING);
        r->ReplicationStats = stats_of(c->arena, stats);
        r->ReplicationLastStopTime = stats->StopDate;
        r->StartReplicationType = str_set(t->task_data) ? t->task_data : STR_NONE;
        show_capacity(c->arena, k, runs, r);
    }
    show_failure(c->arena, str_set(t->message) ? t->message : error, r);
    return call_status(c, st);
}

enum status dms_start_replication(struct call *c, const struct dms_start_replication_request *in,
                                  struct dms_start_replication_response *ret_out)
{
    struct dms_config k = { 0 };
    bool fresh = false;
    enum status st = dms_config_need(c, in->ReplicationConfigArn, &k);
    if (st == ST_OK && str_set(in->PremigrationAssessmentSettings)) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "PremigrationAssessmentSettings is not implemented here: assess a task "
                         "with the same endpoints by StartReplicationTaskAssessmentRun.");
    }
    if (st == ST_OK) {
        st = dms_task_check_start(c, &k.task, in->StartReplicationType, &fresh);
    }
    if (st == ST_OK) {
        st = dms_task_set_positions(c, &k.task, in->CdcStartTime.set ? &in->CdcStartTime.ms : NULL,
                                    in->CdcStartPosition, in->CdcStopPosition);
    }
    if (st != ST_OK) {
        return st;
    }
    k.task.task_data = in->StartReplicationType; /* a config's task has no data of the user's */
    st = dms_task_prepare(c, &k.task, fresh);
    st = call_status(
        c, st == ST_OK ? dms_event_task(c->core, &k.task, DMS_EVENT_TASK_STARTING, STR_NONE) : st);
    ret_out->Replication = ARENA_NEW(c->arena, struct dms_replication);
    if (st == ST_OK) {
        st = show(c, &k, k.task.state, ret_out->Replication);
    }
    return st == ST_OK ? dms_task_launch(c, &k.task) : st;
}

enum status dms_stop_replication(struct call *c, const struct dms_stop_replication_request *in,
                                 struct dms_stop_replication_response *ret_out)
{
    struct dms_config k = { 0 };
    enum status st = dms_config_need(c, in->ReplicationConfigArn, &k);
    if (st == ST_OK) {
        st = dms_task_check_stop(c, &k.task);
    }
    ret_out->Replication = ARENA_NEW(c->arena, struct dms_replication);
    if (st == ST_OK) {
        st = show(c, &k, k.task.state, ret_out->Replication);
    }
    return st == ST_OK ? dms_task_halt(c, &k.task) : st;
}

enum status dms_describe_replications(struct call *c,
                                      const struct dms_describe_replications_request *in,
                                      struct dms_describe_replications_response *ret_out)
{
    struct dms_replication_config_list all = { 0 };
    enum status st = dms_describe(c, &dms_configs, DMS_ASK(in), &all, &ret_out->Marker);
    struct dms_replication *items = ARENA_ARRAY(c->arena, struct dms_replication, all.n + 1);
    for (size_t i = 0; i < all.n && st == ST_OK; i++) {
        struct dms_config k = { 0 };
        struct str state = STR_NONE;
        st = dms_config_need(c, all.v[i].ReplicationConfigArn, &k);
        if (st == ST_OK) {
            st = call_status(c, dms_task_look(c, &k.task, &state));
        }
        if (st == ST_OK) {
            st = show(c, &k, state, &items[i]);
        }
    }
    ret_out->Replications.v = items;
    ret_out->Replications.n = all.n;
    return st;
}

enum status dms_describe_replication_table_statistics(
    struct call *c, const struct dms_describe_replication_table_statistics_request *in,
    struct dms_describe_replication_table_statistics_response *ret_out)
{
    struct dms_config k = { 0 };
    struct dms_table_statistics_list all = { 0 };
    enum status st = dms_config_need(c, in->ReplicationConfigArn, &k);
    if (st == ST_OK) {
        st = dms_stats_list(c, &k.task, DMS_ASK(in), &all, &ret_out->Marker);
    }
    if (st == ST_OK) {
        ret_out->ReplicationConfigArn = k.row.arn;
        ret_out->ReplicationTableStatistics.n = all.n;
        ret_out->ReplicationTableStatistics.v = all.v;
    }
    return st;
}

enum status dms_reload_replication_tables(struct call *c,
                                          const struct dms_reload_replication_tables_request *in,
                                          struct dms_reload_replication_tables_response *ret_out)
{
    struct dms_config k = { 0 };
    enum status st = dms_config_need(c, in->ReplicationConfigArn, &k);
    if (st == ST_OK) {
        st = dms_control_reload(c, &k.task, &in->TablesToReload, in->ReloadOption);
    }
    if (st == ST_OK) {
        dms_control_reload_wake(c, k.task.id);
        ret_out->ReplicationConfigArn = k.row.arn;
    }
    return st;
}
