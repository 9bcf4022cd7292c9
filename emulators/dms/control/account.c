/* What the service can do and how much of it is used. */
#include "emulators/dms/dms_doc.h"

#define ENGINE_VERSION "3.5.4"
#define MINIMUM_VERSION "3.1.3"

static const struct {
    const char *engine, *shown;
    bool source;
} types[] = {
    { "mysql", "MySQL", true },
    { "mariadb", "MariaDB", true },
    { "aurora", "Amazon Aurora MySQL", true },
    { "s3", "Amazon S3", false },
};

enum status dms_describe_endpoint_types(struct call *c,
                                        const struct dms_describe_endpoint_types_request *in,
                                        struct dms_describe_endpoint_types_response *ret_out)
{
    static const char *const known[] = { "engine-name", "endpoint-type", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    if (st != ST_OK) {
        return st;
    }
    struct dms_supported_endpoint_type *items =
        ARENA_ARRAY(c->arena, struct dms_supported_endpoint_type, ARRAY_LEN(types));
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct str type = types[i].source ? STR("source") : STR("target");
        if (dms_filter_fits(&in->Filters, "engine-name", str_z(types[i].engine)) &&
            dms_filter_fits(&in->Filters, "endpoint-type", type)) {
            items[n++] = (struct dms_supported_endpoint_type){
                .EngineName = str_z(types[i].engine),
                .SupportsCDC = OPT_BOOL(true),
                .EndpointType = type,
                .ReplicationInstanceEngineMinimumVersion = STR(MINIMUM_VERSION),
                .EngineDisplayName = str_z(types[i].shown),
            };
        }
    }
    ret_out->SupportedEndpointTypes.v = items;
    ret_out->SupportedEndpointTypes.n = n;
    return dms_cut(c, DMS_ASK(in), DMS_PAGE_MAX, &ret_out->SupportedEndpointTypes,
                   &ret_out->Marker);
}

/* The quotas of a new account; none of them is enforced here but by what the machine can carry. */
static const struct {
    const char *name;
    const char *kind; /* of the resources that use it; NULL: not counted */
    int64_t max;
} quotas[] = {
    { "ReplicationInstances", DMS_KIND_INSTANCE, 60 },
    { "AllocatedStorage", NULL, 30000 },
    { "Endpoints", DMS_KIND_ENDPOINT, 1000 },
    { "EndpointsPerInstance", NULL, 100 },
    { "ReplicationSubnetGroups", DMS_KIND_SUBNETS, 60 },
    { "SubnetsPerReplicationSubnetGroup", NULL, 60 },
    { "ReplicationTasks", NULL, 600 },
    { "EventSubscriptions", NULL, 60 },
};

static enum status count(struct call *c, const char *kind, int64_t *ret)
{
    struct dms_resource *rows;
    size_t n = 0;
    enum status st = dms_store_resource_list(c->db, c->arena, kind, dms_owner_of(c), &rows, &n);
    *ret = (int64_t)n;
    return st;
}

static enum status count_tasks(struct call *c, int64_t *ret)
{
    struct dms_task_row *rows;
    size_t n = 0;
    enum status st =
        dms_store_task_list(c->db, c->arena, c->caller.account, c->caller.region, &rows, &n);
    *ret = (int64_t)n;
    return st;
}

enum status
dms_describe_account_attributes(struct call *c, const void *in,
                                struct dms_describe_account_attributes_response *ret_out)
{
    (void)in;
    struct dms_account_quota *items =
        ARENA_ARRAY(c->arena, struct dms_account_quota, ARRAY_LEN(quotas));
    enum status st = ST_OK;
    for (size_t i = 0; i < ARRAY_LEN(quotas) && st == ST_OK; i++) {
        int64_t used = 0;
        if (quotas[i].kind) {
            st = count(c, quotas[i].kind, &used);
        } else if (str_eqz(STR("ReplicationTasks"), quotas[i].name)) {
            st = count_tasks(c, &used);
        }
        items[i] = (struct dms_account_quota){ .AccountQuotaName = str_z(quotas[i].name),
                                               .Used = OPT_I64(used),
                                               .Max = OPT_I64(quotas[i].max) };
    }
    ret_out->AccountQuotas.v = items;
    ret_out->AccountQuotas.n = ARRAY_LEN(quotas);
    ret_out->UniqueAccountIdentifier =
        arena_printf(c->arena, "cistern%.*s", STR_ARG(c->caller.account));
    return call_status(c, st);
}

/* Nothing of this server is ever waiting for maintenance. */
static enum status need_instance(struct call *c, struct str arn)
{
    struct dms_resource instance;
    return dms_need(c, &dms_instances, arn, &instance, NULL);
}

/* Nothing is ever pending. */
enum status
dms_apply_pending_maintenance_action(struct call *c,
                                     const struct dms_apply_pending_maintenance_action_request *in,
                                     struct dms_apply_pending_maintenance_action_response *ret_out)
{
    (void)ret_out;
    enum status st = need_instance(c, in->ReplicationInstanceArn);
    if (st != ST_OK) {
        return st;
    }
    return call_fail(c, &dms_ResourceNotFoundFault,
                     "No maintenance action '%.*s' is pending for the replication instance %.*s.",
                     STR_ARG(in->ApplyAction), STR_ARG(in->ReplicationInstanceArn));
}

enum status dms_describe_pending_maintenance_actions(
    struct call *c, const struct dms_describe_pending_maintenance_actions_request *in,
    struct dms_describe_pending_maintenance_actions_response *ret_out)
{
    enum status st =
        str_set(in->ReplicationInstanceArn) ? need_instance(c, in->ReplicationInstanceArn) : ST_OK;
    if (st != ST_OK) {
        return st;
    }
    ret_out->PendingMaintenanceActions.v =
        ARENA_ARRAY(c->arena, struct dms_resource_pending_maintenance_actions, 1);
    return ST_OK;
}

enum status dms_describe_engine_versions(struct call *c,
                                         const struct dms_describe_engine_versions_request *in,
                                         struct dms_describe_engine_versions_response *ret_out)
{
    struct dms_engine_version *v = ARENA_ARRAY(c->arena, struct dms_engine_version, 1);
    v[0] =
        (struct dms_engine_version){ .Version = STR(ENGINE_VERSION), .ReleaseStatus = STR("prod") };
    v[0].AvailableUpgrades.v = ARENA_ARRAY(c->arena, struct str, 1);
    ret_out->EngineVersions.v = v;
    ret_out->EngineVersions.n = 1;
    return dms_cut(c, DMS_ASK_ALL(in), DMS_PAGE_MAX, &ret_out->EngineVersions, &ret_out->Marker);
}
