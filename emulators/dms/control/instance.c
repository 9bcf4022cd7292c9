/* Replication instances: tasks run in this process, so an instance is its description. */
#include "emulators/dms/control/control.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_event.h"

#define ENGINE_VERSION "3.5.4"
#define STORAGE_DEFAULT_GB 50
#define STORAGE_MIN_GB 5
#define STORAGE_MAX_GB 6144
#define IDENT_MAX 63
#define INSTANCES_MAX 1000 /* far above the quota of a new account, so as not to be in the way */

struct dms_vpc_security_group_membership_list
dms_instance_groups(struct arena *a, const struct dms_vpc_security_group_id_list *ids)
{
    struct dms_vpc_security_group_membership *v =
        ARENA_ARRAY(a, struct dms_vpc_security_group_membership, ids->n + 1);
    for (size_t i = 0; i < ids->n; i++) {
        v[i].VpcSecurityGroupId = ids->v[i];
        v[i].Status = STR("active");
    }
    return (struct dms_vpc_security_group_membership_list){ .n = ids->n, .v = v };
}

static enum status set_groups(struct call *c,
                              const struct dms_create_replication_instance_request *in,
                              struct dms_replication_instance *r)
{
    r->VpcSecurityGroups = dms_instance_groups(c->arena, &in->VpcSecurityGroupIds);
    if (!str_empty(in->ReplicationSubnetGroupIdentifier)) {
        struct dms_resource row;
        return dms_need_ident(c, &dms_subnet_groups,
                              arena_lower(c->arena, in->ReplicationSubnetGroupIdentifier), &row,
                              &r->ReplicationSubnetGroup);
    }
    r->ReplicationSubnetGroup = ARENA_NEW(c->arena, struct dms_replication_subnet_group);
    r->ReplicationSubnetGroup->ReplicationSubnetGroupIdentifier = STR("default");
    r->ReplicationSubnetGroup->ReplicationSubnetGroupDescription = STR("default");
    r->ReplicationSubnetGroup->SubnetGroupStatus = STR("Complete");
    return ST_OK;
}

static enum status describe_new(struct call *c,
                                const struct dms_create_replication_instance_request *in,
                                struct dms_replication_instance *r)
{
    static struct str local[] = { STR_INIT("127.0.0.1") };
    *r = (struct dms_replication_instance){
        .ReplicationInstanceIdentifier = arena_lower(c->arena, in->ReplicationInstanceIdentifier),
        .ReplicationInstanceClass = in->ReplicationInstanceClass,
        .ReplicationInstanceStatus = STR("available"),
        .AllocatedStorage =
            in->AllocatedStorage.set ? in->AllocatedStorage : OPT_I64(STORAGE_DEFAULT_GB),
        .InstanceCreateTime = OPT_TIME(c->received_ms),
        .AvailabilityZone = in->AvailabilityZone,
        .PreferredMaintenanceWindow = str_set(in->PreferredMaintenanceWindow)
                                          ? in->PreferredMaintenanceWindow
                                          : STR("sun:06:00-sun:14:00"),
        .PendingModifiedValues =
            ARENA_NEW(c->arena, struct dms_replication_pending_modified_values),
        .MultiAZ = OPT_BOOL(in->MultiAZ.v),
        .EngineVersion = str_empty(in->EngineVersion) ? STR(ENGINE_VERSION) : in->EngineVersion,
        .AutoMinorVersionUpgrade =
            OPT_BOOL(!in->AutoMinorVersionUpgrade.set || in->AutoMinorVersionUpgrade.v),
        .KmsKeyId = in->KmsKeyId,
        .ReplicationInstanceArn = dms_new_arn(c, "rep", in->ResourceIdentifier),
        .ReplicationInstancePrivateIpAddress = local[0],
        .ReplicationInstancePrivateIpAddresses = { .n = 1, .v = local },
        .PubliclyAccessible = OPT_BOOL(!in->PubliclyAccessible.set || in->PubliclyAccessible.v),
        .DnsNameServers = in->DnsNameServers,
        .NetworkType = str_empty(in->NetworkType) ? STR("IPV4") : in->NetworkType,
    };
    if (!str_set(r->AvailabilityZone)) {
        r->AvailabilityZone = arena_printf(c->arena, "%.*sa", STR_ARG(c->caller.region));
    }
    return set_groups(c, in, r);
}

enum status dms_instance_check(struct call *c, struct str ident, struct str class_name,
                               struct opt_i64 storage_gb)
{
    enum status st =
        str_set(ident) ? dms_check_ident(c, "ReplicationInstanceIdentifier", ident) : ST_OK;
    if (st == ST_OK && ident.n > IDENT_MAX) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "ReplicationInstanceIdentifier must have 1 to %d characters.", IDENT_MAX);
    }
    if (st == ST_OK && str_set(class_name) && !str_starts(class_name, STR("dms."))) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "Invalid replication instance class: %.*s. Classes are named like "
                         "dms.t3.micro.",
                         STR_ARG(class_name));
    }
    if (st == ST_OK && storage_gb.set &&
        (storage_gb.v < STORAGE_MIN_GB || storage_gb.v > STORAGE_MAX_GB)) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "AllocatedStorage must be between %d and %d (GB).", STORAGE_MIN_GB,
                         STORAGE_MAX_GB);
    }
    return st;
}

static enum status check_new(struct call *c,
                             const struct dms_create_replication_instance_request *in)
{
    enum status st = dms_instance_check(c, in->ReplicationInstanceIdentifier,
                                        in->ReplicationInstanceClass, in->AllocatedStorage);
    if (st != ST_OK) {
        return st;
    }
    if (in->MultiAZ.v && !str_empty(in->AvailabilityZone)) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "AvailabilityZone can't be given for a Multi-AZ instance.");
    }
    struct dms_resource *rows;
    size_t n;
    st = dms_store_resource_list(c->db, c->arena, DMS_KIND_INSTANCE, dms_owner_of(c), &rows, &n);
    if (st == ST_OK && n >= INSTANCES_MAX) {
        return call_fail(c, &dms_ResourceQuotaExceededFault,
                         "The quota of %d replication instances is used up.", INSTANCES_MAX);
    }
    return call_status(c, st);
}

enum status
dms_create_replication_instance(struct call *c,
                                const struct dms_create_replication_instance_request *in,
                                struct dms_create_replication_instance_response *ret_out)
{
    enum status st = check_new(c, in);
    struct dms_replication_instance *r = ARENA_NEW(c->arena, struct dms_replication_instance);
    if (st == ST_OK) {
        st = describe_new(c, in, r);
    }
    if (st != ST_OK) {
        return st;
    }
    ret_out->ReplicationInstance = r;
    struct dms_resource row = { .arn = r->ReplicationInstanceArn,
                                .ident = r->ReplicationInstanceIdentifier };
    st = dms_keep_new(c, &dms_instances, &row, r, &in->Tags);
    if (st == ST_OK) {
        st = dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_CREATING);
    }
    if (st == ST_OK) {
        st = dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_CREATED);
    }
    r->ReplicationInstanceStatus = STR("creating"); /* shown once; the row says available */
    return call_status(c, st);
}

enum status
dms_describe_replication_instances(struct call *c,
                                   const struct dms_describe_replication_instances_request *in,
                                   struct dms_describe_replication_instances_response *ret_out)
{
    return dms_describe(c, &dms_instances, DMS_ASK(in), &ret_out->ReplicationInstances,
                        &ret_out->Marker);
}

enum status
dms_delete_replication_instance(struct call *c,
                                const struct dms_delete_replication_instance_request *in,
                                struct dms_delete_replication_instance_response *ret_out)
{
    struct dms_resource row;
    enum status st = dms_need(c, &dms_instances, in->ReplicationInstanceArn, &row,
                              &ret_out->ReplicationInstance);
    int64_t users = 0;
    if (st == ST_OK) {
        st = dms_store_task_users(c->db, row.arn, &users);
    }
    if (st == ST_OK && users > 0) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The replication instance %.*s has %d replication task(s); delete them "
                         "first.",
                         STR_ARG(row.ident), (int)users);
    }
    if (st == ST_OK) {
        st = dms_store_resource_delete(c->db, row.arn);
    }
    if (st == ST_OK) {
        ret_out->ReplicationInstance->ReplicationInstanceStatus = STR("deleting");
        st = dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_DELETING);
    }
    if (st == ST_OK) {
        st = dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_DELETED);
    }
    return call_status(c, st);
}

enum status dms_describe_orderable_replication_instances(
    struct call *c, const struct dms_describe_orderable_replication_instances_request *in,
    struct dms_describe_orderable_replication_instances_response *ret_out)
{
    static const char *const classes[] = {
        "dms.t2.micro", "dms.t2.small",  "dms.t2.medium",  "dms.t2.large",  "dms.t3.micro",
        "dms.t3.small", "dms.t3.medium", "dms.t3.large",   "dms.c5.large",  "dms.c5.xlarge",
        "dms.r5.large", "dms.r5.xlarge", "dms.r5.2xlarge", "dms.c6i.large", "dms.r6i.large",
    };
    struct dms_orderable_replication_instance *items =
        ARENA_ARRAY(c->arena, struct dms_orderable_replication_instance, ARRAY_LEN(classes));
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        items[i] = (struct dms_orderable_replication_instance){
            .EngineVersion = STR(ENGINE_VERSION),
            .ReplicationInstanceClass = str_z(classes[i]),
            .StorageType = STR("gp2"),
            .MinAllocatedStorage = OPT_I64(STORAGE_MIN_GB),
            .MaxAllocatedStorage = OPT_I64(STORAGE_MAX_GB),
            .DefaultAllocatedStorage = OPT_I64(STORAGE_DEFAULT_GB),
            .IncludedAllocatedStorage = OPT_I64(STORAGE_DEFAULT_GB),
        };
    }
    ret_out->OrderableReplicationInstances.v = items;
    ret_out->OrderableReplicationInstances.n = ARRAY_LEN(classes);
    return dms_cut(c, DMS_ASK_ALL(in), DMS_PAGE_MAX, &ret_out->OrderableReplicationInstances,
                   &ret_out->Marker);
}
