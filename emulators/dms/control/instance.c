/* Replication instances: tasks run in this process, so an instance is its description. */
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_event.h"
#include "emulators/dms/dms_internal.h"
#include "server/wire/doc.h"

#define ENGINE_VERSION "3.5.4"
#define STORAGE_DEFAULT_GB 50
#define INSTANCES_MAX 1000 /* far above the quota of a new account, so as not to be in the way */

static enum status find_group(struct call *c, struct str ident,
                              struct dms_replication_subnet_group **ret)
{
    struct dms_resource row;
    enum status st = dms_store_resource_by_ident(c->db, c->arena, DMS_KIND_SUBNETS, dms_owner_of(c),
                                                 arena_lower(c->arena, ident), &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The replication subnet group %.*s could not be found.", STR_ARG(ident));
    }
    void *doc;
    if (st == ST_OK) {
        st = doc_read(dms_op("CreateReplicationSubnetGroup"), c->arena, row.doc, &doc);
    }
    if (st == ST_OK) {
        *ret = ((struct dms_create_replication_subnet_group_response *)doc)->ReplicationSubnetGroup;
    }
    return call_status(c, st);
}

static enum status set_groups(struct call *c,
                              const struct dms_create_replication_instance_request *in,
                              struct dms_replication_instance *r)
{
    struct dms_vpc_security_group_membership *groups = ARENA_ARRAY(
        c->arena, struct dms_vpc_security_group_membership, in->VpcSecurityGroupIds.n + 1);
    for (size_t i = 0; i < in->VpcSecurityGroupIds.n; i++) {
        groups[i] = (struct dms_vpc_security_group_membership){ .VpcSecurityGroupId =
                                                                    in->VpcSecurityGroupIds.v[i],
                                                                .Status = STR("active") };
    }
    r->VpcSecurityGroups =
        (struct dms_vpc_security_group_membership_list){ .n = in->VpcSecurityGroupIds.n,
                                                         .v = groups };
    if (!str_empty(in->ReplicationSubnetGroupIdentifier)) {
        return find_group(c, in->ReplicationSubnetGroupIdentifier, &r->ReplicationSubnetGroup);
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

static enum status check_new(struct call *c,
                             const struct dms_create_replication_instance_request *in)
{
    enum status st =
        dms_check_ident(c, "ReplicationInstanceIdentifier", in->ReplicationInstanceIdentifier);
    if (st != ST_OK) {
        return st;
    }
    if (!str_starts(in->ReplicationInstanceClass, STR("dms."))) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "Invalid replication instance class: %.*s. Classes are named like "
                         "dms.t3.micro.",
                         STR_ARG(in->ReplicationInstanceClass));
    }
    if (in->AllocatedStorage.set && (in->AllocatedStorage.v < 5 || in->AllocatedStorage.v > 6144)) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "AllocatedStorage must be between 5 and 6144 (GB).");
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
                                .account = c->caller.account,
                                .region = c->caller.region,
                                .ident = r->ReplicationInstanceIdentifier };
    st = doc_write(dms_op("CreateReplicationInstance"), c->arena, ret_out, &row.doc);
    if (st == ST_OK) {
        st = dms_store_resource_add(c->db, DMS_KIND_INSTANCE, &row, c->received_ms);
    }
    if (st == ST_EXISTS) {
        return call_fail(c, &dms_ResourceAlreadyExistsFault,
                         "A replication instance with the identifier %.*s or this ARN already "
                         "exists.",
                         STR_ARG(row.ident));
    }
    if (st == ST_OK) {
        st = dms_put_tags(c, row.arn, &in->Tags);
    }
    if (st == ST_OK) {
        st = dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_CREATING);
    }
    if (st == ST_OK) {
        st = dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_CREATED);
    }
    r->ReplicationInstanceStatus = STR("creating"); /* shown once; the row says available */
    return call_status(c, st);
}

static enum status read_instance(struct call *c, struct str doc,
                                 struct dms_replication_instance **ret)
{
    void *out;
    enum status st = doc_read(dms_op("CreateReplicationInstance"), c->arena, doc, &out);
    if (st == ST_OK) {
        *ret = ((struct dms_create_replication_instance_response *)out)->ReplicationInstance;
    }
    return st;
}

static bool fits(const struct dms_filter_list *f, const struct dms_replication_instance *r)
{
    return dms_filter_fits(f, "replication-instance-arn", r->ReplicationInstanceArn) &&
           dms_filter_fits(f, "replication-instance-id", r->ReplicationInstanceIdentifier) &&
           dms_filter_fits(f, "replication-instance-class", r->ReplicationInstanceClass) &&
           dms_filter_fits(f, "engine-version", r->EngineVersion);
}

enum status
dms_describe_replication_instances(struct call *c,
                                   const struct dms_describe_replication_instances_request *in,
                                   struct dms_describe_replication_instances_response *ret_out)
{
    static const char *const known[] = { "replication-instance-arn", "replication-instance-id",
                                         "replication-instance-class", "engine-version", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    if (st != ST_OK) {
        return st;
    }
    struct dms_resource *rows = NULL;
    size_t n = 0, fitting = 0;
    st = dms_store_resource_list(c->db, c->arena, DMS_KIND_INSTANCE, dms_owner_of(c), &rows, &n);
    struct dms_replication_instance *items =
        ARENA_ARRAY(c->arena, struct dms_replication_instance, n + 1);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct dms_replication_instance *r = NULL;
        st = read_instance(c, rows[i].doc, &r);
        if (st == ST_OK && fits(&in->Filters, r)) {
            items[fitting++] = *r;
        }
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (fitting == 0 && in->Filters.n > 0) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "No replication instances found matching the filter(s).");
    }
    struct dms_page page;
    st = dms_page(c, in->MaxRecords, in->Marker, fitting, 100, &page);
    if (st == ST_OK) {
        ret_out->Marker = page.marker;
        ret_out->ReplicationInstances.n = page.to - page.from;
        ret_out->ReplicationInstances.v = items + page.from;
    }
    return st;
}

enum status
dms_delete_replication_instance(struct call *c,
                                const struct dms_delete_replication_instance_request *in,
                                struct dms_delete_replication_instance_response *ret_out)
{
    struct dms_resource row;
    enum status st = dms_store_resource_get(c->db, c->arena, DMS_KIND_INSTANCE,
                                            in->ReplicationInstanceArn, &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The replication instance %.*s could not be found.",
                         STR_ARG(in->ReplicationInstanceArn));
    }
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
        st = read_instance(c, row.doc, &ret_out->ReplicationInstance);
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
    struct dms_page page;
    enum status st = dms_page(c, in->MaxRecords, in->Marker, ARRAY_LEN(classes), 100, &page);
    if (st != ST_OK) {
        return st;
    }
    struct dms_orderable_replication_instance *items =
        ARENA_ARRAY(c->arena, struct dms_orderable_replication_instance, ARRAY_LEN(classes));
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        items[i] = (struct dms_orderable_replication_instance){
            .EngineVersion = STR(ENGINE_VERSION),
            .ReplicationInstanceClass = str_z(classes[i]),
            .StorageType = STR("gp2"),
            .MinAllocatedStorage = OPT_I64(5),
            .MaxAllocatedStorage = OPT_I64(6144),
            .DefaultAllocatedStorage = OPT_I64(STORAGE_DEFAULT_GB),
            .IncludedAllocatedStorage = OPT_I64(STORAGE_DEFAULT_GB),
        };
    }
    ret_out->OrderableReplicationInstances.v = items + page.from;
    ret_out->OrderableReplicationInstances.n = page.to - page.from;
    ret_out->Marker = page.marker;
    return ST_OK;
}
