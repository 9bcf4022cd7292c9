/* DMS Serverless, first half: replication configs. Each has a task row of its own, which has no
 * instance and isn't listed as a task; the engine is the same. */
#include "emulators/dms/control/serverless.h"

#include "emulators/dms/dms_doc.h"
#include "emulators/dms/task/task.h"
#include "server/base/id.h"
#include "server/wire/doc.h"

#define SERVER_ID_LOW 1000000000u /* as for tasks */
#define UNITS_MAX 384

static enum status write_doc(struct arena *a, struct dms_replication_config *config,
                             struct str *ret)
{
    struct dms_create_replication_config_response out = { config };
    return doc_write(dms_op("CreateReplicationConfig"), a, &out, ret);
}

enum status dms_config_read(struct call *c, const struct dms_resource *row, struct dms_config *ret)
{
    void *out;
    ret->row = *row;
    enum status st = doc_read(dms_op("CreateReplicationConfig"), c->arena, row->doc, &out);
    if (st == ST_OK) {
        ret->doc = ((struct dms_create_replication_config_response *)out)->ReplicationConfig;
        st = dms_store_task_get(c->db, c->arena, row->arn, &ret->task);
    }
    return st;
}

enum status dms_config_need(struct call *c, struct str arn, struct dms_config *ret)
{
    struct dms_resource row;
    enum status st = dms_store_resource_get(c->db, c->arena, DMS_KIND_CONFIG, arn, &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The replication config %.*s could not be found.", STR_ARG(arn));
    }
    return call_status(c, st == ST_OK ? dms_config_read(c, &row, ret) : st);
}

enum status dms_config_list(struct call *c, const struct dms_filter_list *filters, const char *what,
                            struct dms_resource **ret, size_t *ret_n)
{
    static const char *const known[] = { "replication-config-arn", "replication-config-id", NULL };
    enum status st = dms_check_filters(c, filters, known);
    struct dms_resource *rows = NULL;
    size_t n = 0, fitting = 0;
    if (st == ST_OK) {
        st = call_status(c, dms_store_resource_list(c->db, c->arena, DMS_KIND_CONFIG,
                                                    dms_owner_of(c), &rows, &n));
    }
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        if (dms_filter_fits(filters, known[0], rows[i].arn) &&
            dms_filter_fits(filters, known[1], rows[i].ident)) {
            rows[fitting++] = rows[i];
        }
    }
    *ret = rows;
    *ret_n = fitting;
    if (st == ST_OK && fitting == 0 && filters->n > 0) {
        return call_fail(c, &dms_ResourceNotFoundFault, "No %s found matching the filter(s).",
                         what);
    }
    return st;
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

static enum status taken(struct call *c, struct str ident)
{
    return call_fail(c, &dms_ResourceAlreadyExistsFault,
                     "A replication config with the identifier %.*s or this ARN already exists.",
                     STR_ARG(ident));
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
    struct dms_resource row = { .arn = t.arn,
                                .account = t.account,
                                .region = t.region,
                                .ident = in->ReplicationConfigIdentifier };
    st = write_doc(c->arena, config, &row.doc);
    if (st == ST_OK) {
        st = dms_store_resource_add(c->db, DMS_KIND_CONFIG, &row, c->received_ms);
    }
    if (st == ST_OK) {
        st = dms_store_task_add(c->db, &t);
    }
    if (st == ST_EXISTS) {
        return taken(c, row.ident);
    }
    return call_status(c, st == ST_OK ? dms_put_tags(c, row.arn, &in->Tags) : st);
}

/* Takes over what is given; the members of ComputeConfig one by one. */
static void change_compute(struct dms_compute_config *k, const struct dms_compute_config *in)
{
    if (in->MaxCapacityUnits.set) {
        k->MaxCapacityUnits = in->MaxCapacityUnits;
    }
    if (in->MinCapacityUnits.set) {
        k->MinCapacityUnits = in->MinCapacityUnits;
    }
    if (in->MultiAZ.set) {
        k->MultiAZ = in->MultiAZ;
    }
    if (str_set(in->AvailabilityZone)) {
        k->AvailabilityZone = in->AvailabilityZone;
    }
    if (str_set(in->PreferredMaintenanceWindow)) {
        k->PreferredMaintenanceWindow = in->PreferredMaintenanceWindow;
    }
    if (str_set(in->ReplicationSubnetGroupId)) {
        k->ReplicationSubnetGroupId = in->ReplicationSubnetGroupId;
    }
    if (in->VpcSecurityGroupIds.n > 0) {
        k->VpcSecurityGroupIds = in->VpcSecurityGroupIds;
    }
}

static void change_task(struct dms_task_row *t,
                        const struct dms_modify_replication_config_request *in)
{
    t->type = str_set(in->ReplicationType) ? in->ReplicationType : t->type;
    t->mappings = str_set(in->TableMappings) ? in->TableMappings : t->mappings;
    t->source_arn = str_set(in->SourceEndpointArn) ? in->SourceEndpointArn : t->source_arn;
    t->target_arn = str_set(in->TargetEndpointArn) ? in->TargetEndpointArn : t->target_arn;
}

static enum status keep(struct call *c, struct dms_config *k)
{
    enum status st = write_doc(c->arena, k->doc, &k->row.doc);
    if (st == ST_OK) {
        st = dms_store_resource_update(c->db, &k->row);
    }
    if (st == ST_OK) {
        st = dms_store_task_update(c->db, &k->task);
    }
    if (st == ST_OK) {
        st = dms_store_task_move(c->db, &k->task);
    }
    return st == ST_EXISTS ? taken(c, k->row.ident) : call_status(c, st);
}

enum status dms_modify_replication_config(struct call *c,
                                          const struct dms_modify_replication_config_request *in,
                                          struct dms_modify_replication_config_response *ret_out)
{
    struct dms_config k = { 0 };
    enum status st = dms_config_need(c, in->ReplicationConfigArn, &k);
    if (st != ST_OK || !k.doc) {
        return st;
    }
    st = dms_config_need_idle(c, &k, "modified");
    if (st == ST_OK && str_set(in->ReplicationConfigIdentifier)) {
        st = dms_check_ident(c, "ReplicationConfigIdentifier", in->ReplicationConfigIdentifier);
        k.row.ident = k.doc->ReplicationConfigIdentifier = in->ReplicationConfigIdentifier;
        k.task.ident = task_ident(c->arena, k.row.ident);
    }
    if (st == ST_OK && in->ComputeConfig) {
        change_compute(k.doc->ComputeConfig, in->ComputeConfig);
        st = check_compute(c, k.doc->ComputeConfig);
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
    return call_status(c, st == ST_OK ? dms_store_resource_delete(c->db, k.row.arn) : st);
}

enum status
dms_describe_replication_configs(struct call *c,
                                 const struct dms_describe_replication_configs_request *in,
                                 struct dms_describe_replication_configs_response *ret_out)
{
    struct dms_resource *rows = NULL;
    size_t n = 0;
    struct dms_page page = { 0 };
    enum status st = dms_config_list(c, &in->Filters, "replication configs", &rows, &n);
    if (st == ST_OK) {
        st = dms_page(c, in->MaxRecords, in->Marker, n, 100, &page);
    }
    if (st != ST_OK) {
        return st;
    }
    struct dms_replication_config *items =
        ARENA_ARRAY(c->arena, struct dms_replication_config, page.to - page.from + 1);
    for (size_t i = page.from; i < page.to && st == ST_OK; i++) {
        struct dms_config k = { 0 };
        st = call_status(c, dms_config_read(c, &rows[i], &k));
        if (st == ST_OK && k.doc) {
            show_task(k.doc, &k.task);
            items[ret_out->ReplicationConfigs.n++] = *k.doc;
        }
    }
    ret_out->Marker = page.marker;
    ret_out->ReplicationConfigs.v = items;
    return st;
}
