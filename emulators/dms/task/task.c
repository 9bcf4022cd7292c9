/* Replication tasks: create, describe, modify, delete. */
#include "emulators/dms/task/task.h"

#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_event.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/endpoint/s3_settings.h"
#include "emulators/dms/mapping/mapping.h"
#include "emulators/dms/task/position.h"
#include "emulators/dms/task/settings.h"
#include "emulators/dms/task/stats.h"
#include "emulators/dms/worker/worker.h"
#include "server/base/id.h"

#define SERVER_ID_LOW 1000000000u /* above what people give their own replicas */

bool dms_task_is_config(const struct dms_task_row *t)
{
    return str_empty(t->instance_arn);
}

enum status dms_task_need(struct call *c, struct str arn, struct dms_task_row *ret)
{
    enum status st = dms_store_task_get(c->db, c->arena, arn, ret);
    if (st == ST_NOT_FOUND || (st == ST_OK && dms_task_is_config(ret))) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The replication task %.*s could not be found.", STR_ARG(arn));
    }
    return call_status(c, st);
}

enum status dms_task_show(struct call *c, const struct dms_task_row *t, struct str status,
                          bool with_settings, struct dms_replication_task **ret)
{
    struct dms_replication_task *out = ARENA_NEW(c->arena, struct dms_replication_task);
    *out = (struct dms_replication_task){
        .ReplicationTaskIdentifier = t->ident,
        .SourceEndpointArn = t->source_arn,
        .TargetEndpointArn = t->target_arn,
        .ReplicationInstanceArn = t->instance_arn,
        .MigrationType = t->type,
        .TableMappings = with_settings ? t->mappings : STR_NONE,
        .ReplicationTaskSettings = with_settings ? t->settings : STR_NONE,
        .Status = status,
        .LastFailureMessage = t->message,
        .StopReason = t->stop_reason,
        .ReplicationTaskCreationDate = OPT_TIME(t->created_ms),
        .CdcStartPosition = t->cdc_start,
        .CdcStopPosition = t->cdc_stop,
        .ReplicationTaskArn = t->arn,
        .TaskData = t->task_data,
    };
    if (t->start_ms) {
        out->ReplicationTaskStartDate = OPT_TIME(t->start_ms);
    }
    if (t->checkpoint.file[0]) {
        out->RecoveryCheckpoint =
            dms_checkpoint_text(c->arena, &t->checkpoint, (uint64_t)t->checkpoints);
    }
    *ret = out;
    struct str error;
    enum status st = dms_stats_task(c, t, &out->ReplicationTaskStats, &error);
    if (!str_set(out->LastFailureMessage)) {
        out->LastFailureMessage = error;
    }
    return call_status(c, st);
}

/* --- checks --- */

/* NULL: *ret_st is the handler's answer. */
static const struct dms_endpoint *need_endpoint(struct call *c, struct str arn, const char *member,
                                                const char *type, enum status *ret_st)
{
    struct dms_resource row;
    const struct dms_endpoint *e = NULL;
    *ret_st = dms_need(c, &dms_endpoints, arn, &row, &e);
    if (*ret_st == ST_OK && !str_eqz(e->EndpointType, type)) {
        *ret_st = call_fail(c, &dms_InvalidParameterValueException,
                            "%s must be the ARN of a %s endpoint; %.*s is none.", member, type,
                            STR_ARG(row.ident));
    }
    return *ret_st == ST_OK ? e : NULL;
}

static enum status check_partners(struct call *c, const struct dms_task_row *t)
{
    struct dms_resource instance;
    enum status st = dms_task_is_config(t)
                         ? ST_OK
                         : dms_need(c, &dms_instances, t->instance_arn, &instance, NULL);
    if (st != ST_OK) {
        return st;
    }
    const struct dms_endpoint *source, *target = NULL;
    source = need_endpoint(c, t->source_arn, "SourceEndpointArn", "source", &st);
    if (source) {
        target = need_endpoint(c, t->target_arn, "TargetEndpointArn", "target", &st);
    }
    if (!target) {
        return st;
    }
    struct dms_s3_options options;
    struct str why = STR("there are no S3 settings");
    if (!target->S3Settings ||
        dms_s3_read(c->arena, target->S3Settings, &options, NULL, &why) != ST_OK) {
        return call_fail(c, &dms_InvalidParameterValueException, "The target endpoint: %.*s",
                         STR_ARG(why));
    }
    if (options.empty_timestamp_name) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "TimestampColumnName cannot be an empty string.");
    }
    return ST_OK;
}

static enum status check_type(struct call *c, struct str type)
{
    if (str_eqz(type, "full-load") || str_eqz(type, "cdc") || str_eqz(type, "full-load-and-cdc")) {
        return ST_OK;
    }
    return call_fail(c, &dms_InvalidParameterValueException,
                     "MigrationType must be full-load, cdc or full-load-and-cdc.");
}

static enum status check_mappings(struct call *c, struct str mappings)
{
    struct dms_mapping mapping;
    struct str why;
    if (dms_mapping_parse(c->arena, mappings, &mapping, &why) != ST_OK) {
        return call_fail(c, &dms_InvalidParameterValueException, "%.*s", STR_ARG(why));
    }
    return ST_OK;
}

static enum status merge_settings(struct call *c, struct str given, struct str *settings)
{
    struct str why, merged;
    if (dms_settings_merge(c->arena, *settings, given, &merged, &why) != ST_OK) {
        return call_fail(c, &dms_InvalidParameterValueException, "%.*s", STR_ARG(why));
    }
    *settings = merged;
    return ST_OK;
}

enum status dms_task_set_positions(struct call *c, struct dms_task_row *t, const int64_t *start_ms,
                                   struct str start, struct str stop)
{
    if (start_ms && !str_empty(start)) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "CdcStartTime and CdcStartPosition can't both be given.");
    }
    if ((start_ms || !str_empty(start)) && !str_eqz(t->type, "cdc")) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "CdcStartTime and CdcStartPosition belong to tasks of the type cdc.");
    }
    struct mysql_position position;
    int64_t ms;
    if (!str_empty(start)) {
        if (dms_is_gtid(start)) {
            return call_fail(c, &dms_InvalidParameterValueException,
                             "CdcStartPosition '%.*s' is a GTID, and GTIDs are not supported as a "
                             "start for MySQL sources. Give the place in the binary log as "
                             "file:position (mysql-bin.000024:373), a date and time "
                             "(2018-03-08T12:12:12), or a checkpoint (checkpoint:V1#…).",
                             STR_ARG(start));
        }
        if (dms_start_parse(start, &position, &ms) != ST_OK) {
            return call_fail(c, &dms_InvalidParameterValueException,
                             "CdcStartPosition '%.*s' is none of: a date and time "
                             "(2018-03-08T12:12:12), file:position (mysql-bin.000024:373), a "
                             "checkpoint.",
                             STR_ARG(start));
        }
        t->cdc_start = start;
        t->cdc_start_ms = 0;
    }
    if (start_ms) {
        t->cdc_start = STR_NONE;
        t->cdc_start_ms = *start_ms;
    }
    enum dms_stop_kind kind;
    if (!str_empty(stop)) {
        if (dms_stop_parse(stop, &kind, &ms) != ST_OK) {
            return call_fail(c, &dms_InvalidParameterValueException,
                             "CdcStopPosition '%.*s' is not server_time: or commit_time: with a "
                             "date and time.",
                             STR_ARG(stop));
        }
        t->cdc_stop = stop;
    }
    return ST_OK;
}

enum status dms_task_set_type(struct call *c, struct dms_task_row *t, struct str type)
{
    enum status st = check_type(c, type);
    if (st == ST_OK && t->fresh_ms > 0 && !str_eq(type, t->type)) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "The migration type of a task that has run can't be changed: it is %.*s, "
                         "and the changes since its last run would be missed. Create another one "
                         "of the type %.*s.",
                         STR_ARG(t->type), STR_ARG(type));
    }
    t->type = type;
    return st;
}

enum status dms_task_check_new(struct call *c, struct dms_task_row *t, struct str settings)
{
    enum status st = check_type(c, t->type);
    if (st == ST_OK) {
        st = check_partners(c, t);
    }
    if (st == ST_OK) {
        st = check_mappings(c, t->mappings);
    }
    return st == ST_OK ? merge_settings(c, settings, &t->settings) : st;
}

/* --- operations --- */

static int64_t new_server_id(void)
{
    uint32_t r;
    id_random(&r, sizeof(r));
    return SERVER_ID_LOW + r % (UINT32_MAX - SERVER_ID_LOW);
}

static enum status taken(struct call *c, struct str ident)
{
    return call_fail(c, &dms_ResourceAlreadyExistsFault,
                     "A replication task with the identifier %.*s or this ARN already exists.",
                     STR_ARG(ident));
}

enum status dms_create_replication_task(struct call *c,
                                        const struct dms_create_replication_task_request *in,
                                        struct dms_create_replication_task_response *ret_out)
{
    struct dms_task_row t = {
        .account = c->caller.account,
        .region = c->caller.region,
        .ident = in->ReplicationTaskIdentifier,
        .instance_arn = in->ReplicationInstanceArn,
        .source_arn = in->SourceEndpointArn,
        .target_arn = in->TargetEndpointArn,
        .type = in->MigrationType,
        .mappings = in->TableMappings,
        .task_data = in->TaskData,
        .created_ms = c->received_ms,
        .server_id = new_server_id(),
        .state = dms_task_state_name(DMS_TASK_READY),
    };
    enum status st = dms_check_ident(c, "ReplicationTaskIdentifier", t.ident);
    if (st == ST_OK) {
        st = dms_task_check_new(c, &t, in->ReplicationTaskSettings);
    }
    if (st == ST_OK) {
        st = dms_task_set_positions(c, &t, in->CdcStartTime.set ? &in->CdcStartTime.ms : NULL,
                                    in->CdcStartPosition, in->CdcStopPosition);
    }
    if (st != ST_OK) {
        return st;
    }
    t.arn = dms_new_arn(c, "task", in->ResourceIdentifier);
    st = dms_store_task_add(c->db, &t);
    if (st == ST_EXISTS) {
        return taken(c, t.ident);
    }
    if (st == ST_OK) {
        st = tags_set(c->db, &dms_tags, t.arn, &in->Tags);
    }
    if (st == ST_OK) {
        st = dms_event_task(c->core, &t, DMS_EVENT_TASK_CREATED, STR_NONE);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    return dms_task_show(c, &t, dms_task_state_name(DMS_TASK_CREATING), true,
                         &ret_out->ReplicationTask);
}

static bool fits(const struct dms_filter_list *f, const struct dms_task_row *t)
{
    return !dms_task_is_config(t) && dms_filter_fits(f, "replication-task-arn", t->arn) &&
           dms_filter_fits(f, "replication-task-id", t->ident) &&
           dms_filter_fits(f, "migration-type", t->type) &&
           dms_filter_fits(f, "replication-instance-arn", t->instance_arn) &&
           (dms_filter_fits(f, "endpoint-arn", t->source_arn) ||
            dms_filter_fits(f, "endpoint-arn", t->target_arn));
}

enum status dms_task_look(struct call *c, struct dms_task_row *t, struct str *ret)
{
    *ret = t->state;
    if (!str_set(t->surface) || dms_task_in(t, DMS_TASK_STARTING)) {
        return ST_OK;
    }
    *ret = t->surface;
    if (str_eqz(t->surface, "testing")) {
        return ST_OK; /* until the assessment is over */
    }
    t->surface = STR_NONE;
    return dms_store_task_update(c->db, t);
}

enum status dms_describe_replication_tasks(struct call *c,
                                           const struct dms_describe_replication_tasks_request *in,
                                           struct dms_describe_replication_tasks_response *ret_out)
{
    static const char *const known[] = { "replication-task-arn",     "replication-task-id",
                                         "migration-type",           "endpoint-arn",
                                         "replication-instance-arn", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    if (st != ST_OK) {
        return st;
    }
    struct {
        size_t n;
        struct dms_task_row *v;
    } rows = { 0 };
    size_t n = 0;
    st = dms_store_task_list(c->db, c->arena, c->caller.account, c->caller.region, &rows.v, &n);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    for (size_t i = 0; i < n; i++) {
        if (fits(&in->Filters, &rows.v[i])) {
            rows.v[rows.n++] = rows.v[i];
        }
    }
    st = dms_need_any(c, "replication task", rows.n, &in->Filters);
    if (st == ST_OK) {
        st = dms_cut(c, DMS_ASK(in), DMS_PAGE_MAX, &rows, &ret_out->Marker);
    }
    if (st != ST_OK) {
        return st;
    }
    struct dms_replication_task *items =
        ARENA_ARRAY(c->arena, struct dms_replication_task, rows.n + 1);
    ret_out->ReplicationTasks.v = items;
    for (size_t i = 0; i < rows.n; i++) {
        struct str status;
        struct dms_replication_task *shown = NULL;
        st = call_status(c, dms_task_look(c, &rows.v[i], &status));
        if (st == ST_OK) {
            st = dms_task_show(c, &rows.v[i], status, !in->WithoutSettings.v, &shown);
        }
        if (st != ST_OK) {
            return st;
        }
        items[ret_out->ReplicationTasks.n++] = *shown;
    }
    return ST_OK;
}

static enum status need_idle(struct call *c, const struct dms_task_row *t, const char *what)
{
    if (str_eqz(t->surface, "testing")) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is being assessed and can't be %s.",
                         STR_ARG(t->ident), what);
    }
    if (dms_task_in(t, DMS_TASK_READY) || dms_task_in(t, DMS_TASK_STOPPED) ||
        dms_task_in(t, DMS_TASK_FAILED)) {
        return ST_OK;
    }
    return call_fail(c, &dms_InvalidResourceStateFault,
                     "Replication task %.*s is %.*s and can't be %s; stop it first.",
                     STR_ARG(t->ident), STR_ARG(t->state), what);
}

/* Takes over what is given; *ret_changed tells if that was anything. */
static enum status change(struct call *c, const struct dms_modify_replication_task_request *in,
                          struct dms_task_row *t, bool *ret_changed)
{
    enum status st = ST_OK;
    *ret_changed = true;
    if (str_set(in->ReplicationTaskIdentifier)) {
        st = dms_check_ident(c, "ReplicationTaskIdentifier", in->ReplicationTaskIdentifier);
        t->ident = in->ReplicationTaskIdentifier;
    }
    if (st == ST_OK && str_set(in->MigrationType)) {
        st = dms_task_set_type(c, t, in->MigrationType);
    }
    if (st == ST_OK && str_set(in->TableMappings)) {
        st = check_mappings(c, in->TableMappings);
        t->mappings = in->TableMappings;
    }
    if (st == ST_OK && str_set(in->ReplicationTaskSettings)) {
        st = merge_settings(c, in->ReplicationTaskSettings, &t->settings);
    }
    if (st == ST_OK) {
        st = dms_task_set_positions(c, t, in->CdcStartTime.set ? &in->CdcStartTime.ms : NULL,
                                    in->CdcStartPosition, in->CdcStopPosition);
    }
    if (str_set(in->TaskData)) {
        t->task_data = in->TaskData;
    }
    *ret_changed = str_set(in->ReplicationTaskIdentifier) || str_set(in->MigrationType) ||
                   str_set(in->TableMappings) || str_set(in->ReplicationTaskSettings) ||
                   in->CdcStartTime.set || str_set(in->CdcStartPosition) ||
                   str_set(in->CdcStopPosition) || str_set(in->TaskData);
    return st;
}

static bool only_settings(const struct dms_modify_replication_task_request *in)
{
    return str_set(in->ReplicationTaskSettings) && !str_set(in->ReplicationTaskIdentifier) &&
           !str_set(in->MigrationType) && !str_set(in->TableMappings) && !in->CdcStartTime.set &&
           !str_set(in->CdcStartPosition) && !str_set(in->CdcStopPosition) &&
           !str_set(in->TaskData);
}

/* The severities of the log are all that may change while a task runs. */
static enum status change_logging(struct call *c,
                                  const struct dms_modify_replication_task_request *in,
                                  struct dms_task_row *t, struct dms_worker *w,
                                  struct dms_modify_replication_task_response *ret_out)
{
    struct str before = t->settings;
    enum status st = merge_settings(c, in->ReplicationTaskSettings, &t->settings);
    if (st != ST_OK) {
        return st;
    }
    struct dms_settings old, now;
    if (!dms_settings_same_but_log(c->arena, before, t->settings) ||
        dms_settings_read(c->arena, before, &old) != ST_OK ||
        dms_settings_read(c->arena, t->settings, &now) != ST_OK || old.logging != now.logging) {
        return need_idle(c, t, "modified");
    }
    dms_worker_set_log_levels(w, now.log_levels);
    st = call_status(c, dms_store_task_update(c->db, t));
    return st == ST_OK ? dms_task_show(c, t, STR("modifying"), true, &ret_out->ReplicationTask)
                       : st;
}

enum status dms_modify_replication_task(struct call *c,
                                        const struct dms_modify_replication_task_request *in,
                                        struct dms_modify_replication_task_response *ret_out)
{
    struct dms_task_row t;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    struct dms_worker *w = st == ST_OK ? dms_worker_find(dms_of(c), t.id) : NULL;
    if (w && only_settings(in)) {
        return change_logging(c, in, &t, w, ret_out);
    }
    if (st == ST_OK) {
        st = need_idle(c, &t, "modified");
    }
    bool changed = false;
    if (st == ST_OK) {
        st = change(c, in, &t, &changed);
    }
    if (st != ST_OK) {
        return st;
    }
    if (!changed) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "No modifications were requested on the task: %.*s", STR_ARG(t.ident));
    }
    st = dms_store_task_update(c->db, &t);
    if (st == ST_EXISTS) {
        return taken(c, t.ident);
    }
    if (st == ST_OK) {
        st = dms_event_task(c->core, &t, DMS_EVENT_TASK_MODIFIED, STR_NONE);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    return dms_task_show(c, &t, STR("modifying"), true, &ret_out->ReplicationTask);
}

enum status dms_delete_replication_task(struct call *c,
                                        const struct dms_delete_replication_task_request *in,
                                        struct dms_delete_replication_task_response *ret_out)
{
    struct dms_task_row t;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    if (st == ST_OK) {
        st = need_idle(c, &t, "deleted");
    }
    if (st == ST_OK) {
        st = dms_task_show(c, &t, dms_task_state_name(DMS_TASK_DELETING), true,
                           &ret_out->ReplicationTask);
    }
    if (st == ST_OK) {
        st = call_status(c, dms_event_task(c->core, &t, DMS_EVENT_TASK_DELETED, STR_NONE));
    }
    return st == ST_OK ? call_status(c, dms_store_task_delete(c->db, &t)) : st;
}
