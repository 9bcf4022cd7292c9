/* DMS Serverless, first half: replication configs. Each has a task row of its own, which has no
 * instance and isn't listed as a task; the engine is the same. */
#include "emulators/dms/control/serverless.h"

#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_event.h"
#include "emulators/dms/endpoint/attributes.h"
#include "emulators/dms/task/task.h"
#include "server/base/id.h"

#define SERVER_ID_LOW 1000000000u /* as for tasks */
#define UNITS_MAX 384

enum status dms_config_need(struct call *c, struct str arn, struct dms_config *ret)
{
    enum status st = dms_need(c, &dms_configs, arn, &ret->row, &ret->doc);
    return st == ST_OK ? call_status(c, dms_store_task_get(c->db, c->arena, arn, &ret->task)) : st;
}

enum status dms_config_need_idle(struct call *c, const struct dms_config *config, const char *what)
{
    const struct dms_task_row *t = &config->task;
    if (dms_task_in(t, DMS_TASK_READY) || dms_task_in(t, DMS_TASK_STOPPED) ||
        dms_task_in(t, DMS_TASK_FAILED)) {
        return ST_OK;
    }
    return call_fail(c, &dms_InvalidResourceStateFault,
                     "The replication %.*s is %.*s: its config can't be %s; stop it first.",
                     STR_ARG(config->row.ident), STR_ARG(t->state), what);
}

static enum status check_compute(struct call *c, const struct dms_compute_config *k)
{
    if (!k || !k->MaxCapacityUnits.set) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "ComputeConfig.MaxCapacityUnits is needed.");
    }
    int64_t most = k->MaxCapacityUnits.v;
    int64_t least = k->MinCapacityUnits.set ? k->MinCapacityUnits.v : 1;
    if (most < 1 || most > UNITS_MAX || least < 1 || least > most) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "ComputeConfig: MinCapacityUnits and MaxCapacityUnits must be 1 to %d, "
                         "the first not above the second.",
                         UNITS_MAX);
    }
    return ST_OK;
}

static struct str task_ident(struct arena *a, struct str ident)
{
    return arena_printf(a, DMS_CONFIG_PREFIX "%.*s", STR_ARG(ident));
}

/* What config and task have in common. */
static void show_task(struct dms_replication_config *config, const struct dms_task_row *t)
{
    config->SourceEndpointArn = t->source_arn;
    config->TargetEndpointArn = t->target_arn;
    config->ReplicationType = t->type;
    config->ReplicationSettings = t->settings;
    config->TableMappings = t->mappings;
}

static enum status tell(struct call *c, const struct dms_task_row *t, enum dms_event_kind kind)
{
    return call_status(c, dms_event_task(c->core, t, kind, STR_NONE));
}

static struct dms_task_row new_task(struct call *c,
                                    const struct dms_create_replication_config_request *in)
{
    uint32_t r;
    id_random(&r, sizeof(r));
    return (struct dms_task_row){
        .arn = dms_new_arn(c, DMS_KIND_CONFIG, in->ResourceIdentifier),
        .account = c->caller.account,
        .region = c->caller.region,
        .ident = task_ident(c->arena, in->ReplicationConfigIdentifier),
        .instance_arn = STR(""),
        .source_arn = in->SourceEndpointArn,
        .target_arn = in->TargetEndpointArn,
        .type = in->ReplicationType,
        .mappings = in->TableMappings,
        .created_ms = c->received_ms,
        .server_id = SERVER_ID_LOW + r % (UINT32_MAX - SERVER_ID_LOW),
        .state = dms_task_state_name(DMS_TASK_READY),
    };
}

enum status dms_create_replication_config(struct call *c,
                                          const struct dms_create_replication_config_request *in,
                                          struct dms_create_replication_config_response *ret_out)
{
    struct dms_task_row t = new_task(c, in);
    enum status st =
        dms_check_ident(c, "ReplicationConfigIdentifier", in->ReplicationConfigIdentifier);
    if (st == ST_OK) {
        st = check_compute(c, in->ComputeConfig);
    }
    if (st == ST_OK) {
        st = dms_task_check_new(c, &t, in->ReplicationSettings);
    }
    if (st != ST_OK) {
        return st;
    }
    struct dms_replication_config *config = ARENA_NEW(c->arena, struct dms_replication_config);
    *config = (struct dms_replication_config){
        .ReplicationConfigIdentifier = in->ReplicationConfigIdentifier,
        .ReplicationConfigArn = t.arn,
        .ComputeConfig = in->ComputeConfig,
        .SupplementalSettings = in->SupplementalSettings,
        .ReplicationConfigCreateTime = OPT_TIME(c->received_ms),
        .ReplicationConfigUpdateTime = OPT_TIME(c->received_ms),
    };
    show_task(config, &t);
    ret_out->ReplicationConfig = config;
    struct dms_resource row = { .arn = t.arn, .ident = in->ReplicationConfigIdentifier };
    st = dms_keep_new(c, &dms_configs, &row, config, &in->Tags);
    if (st == ST_OK) {
        st = call_status(c, dms_store_task_add(c->db, &t));
    }
    return st == ST_OK ? tell(c, &t, DMS_EVENT_TASK_CREATED) : st;
}

static void change_task(struct dms_task_row *t,
                        const struct dms_modify_replication_config_request *in)
{
    t->mappings = str_set(in->TableMappings) ? in->TableMappings : t->mappings;
    t->source_arn = str_set(in->SourceEndpointArn) ? in->SourceEndpointArn : t->source_arn;
    t->target_arn = str_set(in->TargetEndpointArn) ? in->TargetEndpointArn : t->target_arn;
}

static enum status keep(struct call *c, struct dms_config *k)
{
    enum status st = dms_keep(c, &dms_configs, &k->row, k->doc);
    if (st == ST_OK) {
        st = call_status(c, dms_store_task_update(c->db, &k->task));
    }
    if (st == ST_OK) {
        st = call_status(c, dms_store_task_move(c->db, &k->task));
    }
    return st == ST_OK ? tell(c, &k->task, DMS_EVENT_TASK_MODIFIED) : st;
}

enum status dms_modify_replication_config(struct call *c,
                                          const struct dms_modify_replication_config_request *in,
                                          struct dms_modify_replication_config_response *ret_out)
{
    struct dms_config k = { 0 };
    enum status st = dms_config_need(c, in->ReplicationConfigArn, &k);
    if (st != ST_OK) {
        return st;
    }
    st = dms_config_need_idle(c, &k, "modified");
    if (st == ST_OK && str_set(in->ReplicationConfigIdentifier)) {
        st = dms_check_ident(c, "ReplicationConfigIdentifier", in->ReplicationConfigIdentifier);
        k.row.ident = k.doc->ReplicationConfigIdentifier = in->ReplicationConfigIdentifier;
        k.task.ident = task_ident(c->arena, k.row.ident);
    }
    if (st == ST_OK && in->ComputeConfig) {
        dms_overlay(dms_member("ModifyReplicationConfig", "ComputeConfig"), k.doc->ComputeConfig,
                    in->ComputeConfig);
        st = check_compute(c, k.doc->ComputeConfig);
    }
    if (st == ST_OK && str_set(in->ReplicationType)) {
        st = dms_task_set_type(c, &k.task, in->ReplicationType);
    }
    if (st == ST_OK) {
        change_task(&k.task, in);
        st = dms_task_check_new(c, &k.task, in->ReplicationSettings);
    }
    if (st != ST_OK) {
        return st;
    }
    if (str_set(in->SupplementalSettings)) {
        k.doc->SupplementalSettings = in->SupplementalSettings;
    }
    k.doc->ReplicationConfigUpdateTime = OPT_TIME(c->received_ms);
    show_task(k.doc, &k.task);
    ret_out->ReplicationConfig = k.doc;
    return keep(c, &k);
}

enum status dms_delete_replication_config(struct call *c,
                                          const struct dms_delete_replication_config_request *in,
                                          struct dms_delete_replication_config_response *ret_out)
{
    struct dms_config k = { 0 };
    enum status st = dms_config_need(c, in->ReplicationConfigArn, &k);
    if (st == ST_OK) {
        st = dms_config_need_idle(c, &k, "deleted");
    }
    if (st != ST_OK) {
        return st;
    }
    ret_out->ReplicationConfig = k.doc;
    st = dms_store_task_delete(c->db, &k.task);
    st = call_status(c, st == ST_OK ? dms_store_resource_delete(c->db, k.row.arn) : st);
    return st == ST_OK ? tell(c, &k.task, DMS_EVENT_TASK_DELETED) : st;
}

enum status
dms_describe_replication_configs(struct call *c,
                                 const struct dms_describe_replication_configs_request *in,
                                 struct dms_describe_replication_configs_response *ret_out)
{
    struct dms_replication_config_list *all = &ret_out->ReplicationConfigs;
    enum status st = dms_describe(c, &dms_configs, DMS_ASK(in), all, &ret_out->Marker);
    for (size_t i = 0; i < all->n && st == ST_OK; i++) {
        struct dms_task_row t;
        st =
            call_status(c, dms_store_task_get(c->db, c->arena, all->v[i].ReplicationConfigArn, &t));
        if (st == ST_OK) {
            show_task(&all->v[i], &t);
        }
    }
    return st;
}
