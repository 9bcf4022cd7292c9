/* Instances: made, shown, deleted. */
#include "emulators/rds/rds_attach.h"
#include "emulators/rds/rds_show.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define PASSWORD_MIN 8
#define PASSWORD_MAX 41 /* MariaDB and MySQL on RDS */

enum status rds_check_password(struct call *c, struct str password)
{
    bool good = true;
    for (size_t i = 0; good && i < password.n; i++) {
        char ch = password.p[i];
        good = ch > ' ' && ch <= '~' && !strchr("/@\"", ch);
    }
    if (password.n < PASSWORD_MIN || password.n > PASSWORD_MAX) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "The parameter MasterUserPassword is not a valid password because it is "
                         "%s than %d characters.",
                         password.n < PASSWORD_MIN ? "shorter" : "longer",
                         password.n < PASSWORD_MIN ? PASSWORD_MIN : PASSWORD_MAX);
    }
    return good ? ST_OK
                : call_fail(c, &rds_InvalidParameterValue,
                            "The parameter MasterUserPassword is not a valid password. Only "
                            "printable ASCII characters besides '/', '@', '\"', ' ' may be used.");
}

/* --- create ----------------------------------------------------------------------------------- */
/* Members that would promise something that isn't there. */
static enum status refuse_missing(struct call *c, const struct rds_create_db_instance_request *in)
{
    const char *what = in->MultiAZ.v                           ? "MultiAZ"
                       : in->StorageEncrypted.v                ? "StorageEncrypted"
                       : in->EnableIAMDatabaseAuthentication.v ? "EnableIAMDatabaseAuthentication"
                       : in->EnablePerformanceInsights.v       ? "EnablePerformanceInsights"
                       : in->ManageMasterUserPassword.v        ? "ManageMasterUserPassword"
                       : in->MonitoringInterval.v              ? "MonitoringInterval"
                       : str_set(in->DBClusterIdentifier)      ? "DBClusterIdentifier"
                       : str_set(in->Domain)                   ? "Domain"
                       : str_set(in->OptionGroupName)          ? "OptionGroupName"
                                                               : NULL;
    return what ? call_fail(c, &wire_NotImplemented,
                            "%s isn't implemented: leave it out (the server runs on this machine, "
                            "alone and unencrypted).",
                            what)
                : ST_OK;
}

static enum status check_names(struct call *c, const struct rds_create_db_instance_request *in)
{
    struct str user = in->MasterUsername;
    if (!str_set(user) || !user.n || !str_set(in->MasterUserPassword)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "The parameter %s must be provided and must not be blank.",
                         str_set(user) && user.n ? "MasterUserPassword" : "MasterUsername");
    }
    bool good = user.n >= 1 && user.n <= 16 && !str_eqz(user, "root") &&
                !str_eqz(user, RDS_ADMIN) && !str_eqz(user, "admin'");
    for (size_t i = 0; good && i < user.n; i++) {
        char ch = user.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        good = letter || (i > 0 && ((ch >= '0' && ch <= '9') || ch == '_'));
    }
    if (!good) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "MasterUsername '%.*s' cannot be used: 1 to 16 letters, digits and "
                         "underscores, the first a letter, and not root or rdsadmin.",
                         STR_ARG(user));
    }
    bool named = str_set(in->DBName) && in->DBName.n;
    for (size_t i = 0; named && i < in->DBName.n; i++) {
        char ch = in->DBName.p[i];
        good = good && ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
                        (i > 0 && ch >= '0' && ch <= '9'));
    }
    if (!good || (named && in->DBName.n > 64)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "DBName must begin with a letter and contain only alphanumeric "
                         "characters and underscores, at most 64.");
    }
    return rds_check_password(c, in->MasterUserPassword);
}

static enum status create(struct call *c, const void *request, void *response)
{
    const struct rds_create_db_instance_request *in = request;
    struct rds_create_db_instance_response *out = response;
    struct rds_instance i;
    const struct rds_wish wish = {
        .name = in->DBInstanceIdentifier,
        .class_ = in->DBInstanceClass,
        .engine = in->Engine,
        .version = in->EngineVersion,
        .master = in->MasterUsername,
        .db_name = in->DBName,
        .parameter_group = in->DBParameterGroupName,
        .subnet_group = in->DBSubnetGroupName,
        .zone = in->AvailabilityZone,
        .storage_type = in->StorageType,
        .backup_window = in->PreferredBackupWindow,
        .maintenance_window = in->PreferredMaintenanceWindow,
        .license = in->LicenseModel,
        .storage = in->AllocatedStorage,
        .port = in->Port,
        .backup_days = in->BackupRetentionPeriod,
        .iops = in->Iops,
        .max_storage = in->MaxAllocatedStorage,
        .public = in->PubliclyAccessible,
        .minor_upgrade = in->AutoMinorVersionUpgrade,
        .copy_tags = in->CopyTagsToSnapshot,
        .protected = in->DeletionProtection,
        .groups = &in->VpcSecurityGroupIds,
        .exports = &in->EnableCloudwatchLogsExports,
        .tags = &in->Tags,
    };
    enum status st = rds_check_engine_name(c, in->Engine);
    st = st == ST_OK ? refuse_missing(c, in) : st;
    st = st == ST_OK ? check_names(c, in) : st;
    st = st == ST_OK ? rds_new_instance(c, &wish, &i) : st;
    if (st != ST_OK) {
        return st;
    }
    i.setup =
        str_set(i.attached) ? STR_NONE : rds_setup_first(c->arena, &i, in->MasterUserPassword);
    st = rds_store_add(c->db, c->arena, &i);
    st = st == ST_OK ? tags_set(c->db, &rds_tags, i.doc->DBInstanceArn, &in->Tags) : st;
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (str_set(i.attached)) {
        rds_attach(rds_of(c), &i, in->MasterUserPassword);
    } else {
        rds_server_launch(rds_of(c), &i);
    }
    return rds_show(c, &i, &out->DBInstance);
}

enum status rds_create_db_instance(struct call *c, const struct rds_create_db_instance_request *in,
                                   struct rds_create_db_instance_response *ret_out)
{
    return rds_need_engines(c, create, in, ret_out);
}

/* --- describe --------------------------------------------------------------------------------- */
static bool fits(const struct rds_filter_list *filters, const struct rds_instance *i)
{
    return (rds_filter_fits(filters, "db-instance-id", i->name) ||
            rds_filter_fits(filters, "db-instance-id", i->doc->DBInstanceArn)) &&
           rds_filter_fits(filters, "dbi-resource-id", i->id) &&
           rds_filter_fits(filters, "engine", i->doc->Engine);
}

enum status rds_describe_db_instances(struct call *c,
                                      const struct rds_describe_db_instances_request *in,
                                      struct rds_describe_db_instances_response *ret_out)
{
    static const char *const names[] = { "db-instance-id", "dbi-resource-id", "engine",
                                         "db-cluster-id",  "domain",          NULL };
    struct rds_owner owner = rds_owner_of(c);
    struct rds_instances all = { NULL, 0 };
    size_t from = 0;
    enum status st = rds_check_filters(c, &in->Filters, names);
    if (st == ST_OK && str_set(in->DBInstanceIdentifier)) {
        all.v = ARENA_NEW(c->arena, struct rds_instance);
        all.n = 1;
        st = rds_find(c, in->DBInstanceIdentifier, all.v);
    } else if (st == ST_OK) {
        st = call_status(c, rds_store_list(c->db, c->arena, &owner, &all));
    }
    size_t n = 0;
    for (size_t k = 0; st == ST_OK && k < all.n; k++) {
        if (fits(&in->Filters, &all.v[k])) {
            all.v[n++] = all.v[k];
        }
    }
    st = st == ST_OK ? rds_page(c, in->MaxRecords, in->Marker, &n, &from, &ret_out->Marker) : st;
    struct rds_db_instance_list *out = &ret_out->DBInstances;
    out->v = ARENA_ARRAY(c->arena, struct rds_db_instance, n + 1);
    for (size_t k = 0; st == ST_OK && k < n; k++) {
        struct rds_db_instance *doc;
        st = rds_show(c, &all.v[from + k], &doc);
        if (st == ST_OK) {
            out->v[out->n++] = *doc;
        }
    }
    return st;
}

/* --- delete ----------------------------------------------------------------------------------- */
static enum status check_delete(struct call *c, const struct rds_delete_db_instance_request *in,
                                const struct rds_instance *i)
{
    bool named = str_set(in->FinalDBSnapshotIdentifier) && in->FinalDBSnapshotIdentifier.n;
    if (i->doc->DeletionProtection.v) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "Cannot delete protected DB Instance, please disable deletion protection "
                         "and try again.");
    }
    if (str_eqz(i->doc->DBInstanceStatus, "deleting")) {
        return call_fail(c, &rds_InvalidDBInstanceStateFault,
                         "Instance %.*s is already being deleted.", STR_ARG(i->name));
    }
    if (in->SkipFinalSnapshot.v && named) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "FinalDBSnapshotIdentifier can not be specified when deleting with "
                         "SkipFinalSnapshot.");
    }
    if (!in->SkipFinalSnapshot.v && !named && !str_set(i->attached)) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is "
                         "specified.");
    }
    if (named && str_set(i->attached)) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "An attached server isn't ours to copy: use SkipFinalSnapshot.");
    }
    return ST_OK;
}

enum status rds_delete_db_instance(struct call *c, const struct rds_delete_db_instance_request *in,
                                   struct rds_delete_db_instance_response *ret_out)
{
    struct rds_instance i;
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    st = st == ST_OK ? check_delete(c, in, &i) : st;
    if (st == ST_OK && str_set(in->FinalDBSnapshotIdentifier)) {
        st = rds_final_snapshot(c, &i, in->FinalDBSnapshotIdentifier);
    }
    st = st == ST_OK ? call_status(c, rds_set_status(rds_of(c), c->arena, &i, "deleting")) : st;
    if (st == ST_OK && !str_set(in->FinalDBSnapshotIdentifier)) {
        rds_server_end(rds_of(c), i.id, RDS_THEN_DELETE);
    }
    return st == ST_OK ? rds_show(c, &i, &ret_out->DBInstance) : st;
}
