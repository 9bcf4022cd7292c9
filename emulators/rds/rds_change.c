/* Instances: changed, started, stopped, rebooted. What has no process to touch (names of windows,
 * class, storage) is only noted. ApplyImmediately=false keeps the rest as pending until the next
 * reboot, since there are no maintenance windows here. */
#include "emulators/rds/rds_attach.h"
#include "emulators/rds/rds_show.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

/* --- modify --------------------------------------------------------------------------------------
 */
static enum status refuse_missing(struct call *c, const struct rds_modify_db_instance_request *in,
                                  const struct rds_instance *i)
{
    bool version = str_set(in->EngineVersion) &&
                   !str_eq(in->EngineVersion, i->doc->EngineVersion) &&
                   !str_starts(i->doc->EngineVersion, in->EngineVersion);
    const char *what = in->MultiAZ.v                           ? "MultiAZ"
                       : in->EnableIAMDatabaseAuthentication.v ? "EnableIAMDatabaseAuthentication"
                       : in->EnablePerformanceInsights.v       ? "EnablePerformanceInsights"
                       : in->ManageMasterUserPassword.v        ? "ManageMasterUserPassword"
                       : in->CloudwatchLogsExportConfiguration ? "CloudwatchLogsExportConfiguration"
                       : in->MonitoringInterval.v              ? "MonitoringInterval"
                       : str_set(in->NewDBInstanceIdentifier)  ? "NewDBInstanceIdentifier"
                       : str_set(in->DBSubnetGroupName)        ? "DBSubnetGroupName"
                       : str_set(in->Domain)                   ? "Domain"
                       : version                               ? "EngineVersion"
                                                               : NULL;
    return what ? call_fail(c, &wire_NotImplemented, "Changing %s isn't implemented: leave it out.",
                            what)
                : ST_OK;
}

static enum status check(struct call *c, const struct rds_modify_db_instance_request *in,
                         const struct rds_instance *i)
{
    enum status st = refuse_missing(c, in, i);
    if (st != ST_OK) {
        return st;
    }
    if (in->BackupRetentionPeriod.set &&
        (in->BackupRetentionPeriod.v < 0 || in->BackupRetentionPeriod.v > 35)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid backup retention period: %lld. Must be between 0 and 35.",
                         (long long)in->BackupRetentionPeriod.v);
    }
    if (in->DBPortNumber.set && in->DBPortNumber.v != i->port &&
        !rds_free_port((int)in->DBPortNumber.v)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Port %lld of 127.0.0.1 is in use by another program.",
                         (long long)in->DBPortNumber.v);
    }
    return str_set(in->MasterUserPassword) ? rds_check_password(c, in->MasterUserPassword) : ST_OK;
}

/* What is only noted. */
static void note(struct call *c, const struct rds_modify_db_instance_request *in,
                 struct rds_db_instance *d)
{
    if (in->VpcSecurityGroupIds.v) {
        d->VpcSecurityGroups = rds_memberships(c, &in->VpcSecurityGroupIds);
    }
    struct {
        struct str *to, from;
    } texts[] = { { &d->DBInstanceClass, in->DBInstanceClass },
                  { &d->PreferredBackupWindow, in->PreferredBackupWindow },
                  { &d->PreferredMaintenanceWindow, in->PreferredMaintenanceWindow },
                  { &d->StorageType, in->StorageType },
                  { &d->CACertificateIdentifier, in->CACertificateIdentifier } };
    for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
        if (str_set(texts[k].from)) {
            *texts[k].to = texts[k].from;
        }
    }
    struct {
        struct opt_bool *to, from;
    } flags[] = { { &d->AutoMinorVersionUpgrade, in->AutoMinorVersionUpgrade },
                  { &d->CopyTagsToSnapshot, in->CopyTagsToSnapshot },
                  { &d->PubliclyAccessible, in->PubliclyAccessible },
                  { &d->DeletionProtection, in->DeletionProtection } };
    for (size_t k = 0; k < ARRAY_LEN(flags); k++) {
        if (flags[k].from.set) {
            *flags[k].to = flags[k].from;
        }
    }
    if (in->AllocatedStorage.set) {
        d->AllocatedStorage = in->AllocatedStorage;
    }
    if (in->MaxAllocatedStorage.set) {
        d->MaxAllocatedStorage = in->MaxAllocatedStorage;
    }
}

/* Moves what is pending into force; true: the process must be started anew for it. */
static bool apply_pending(struct rds_instance *i)
{
    struct rds_pending_modified_values *p = i->doc->PendingModifiedValues;
    bool restart = false;
    if (p->BackupRetentionPeriod.set) {
        restart = (p->BackupRetentionPeriod.v == 0) != (i->doc->BackupRetentionPeriod.v == 0);
        i->doc->BackupRetentionPeriod = p->BackupRetentionPeriod;
    }
    if (p->Port.set) {
        restart = restart || p->Port.v != i->port;
        i->port = p->Port.v;
    }
    *p = (struct rds_pending_modified_values){ 0 };
    return restart;
}

/* A new password is set at once by a running server, else by its next start. */
static void set_password(struct call *c, struct rds_instance *i, struct str password)
{
    struct str sql = rds_options_password(c->arena, i, password);
    if (rds_server_is_up(rds_of(c), i->id)) {
        rds_server_run(rds_of(c), i->id, sql);
    } else {
        struct str before = str_set(i->setup) ? i->setup : STR("");
        i->setup = arena_join(c->arena, before, sql);
    }
}

static enum status modify(struct call *c, const struct rds_modify_db_instance_request *in,
                          struct rds_instance *i, bool *ret_restart)
{
    struct rds_pending_modified_values *p = i->doc->PendingModifiedValues;
    enum status st = ST_OK;
    note(c, in, i->doc);
    if (str_set(in->MasterUserPassword)) {
        set_password(c, i, in->MasterUserPassword);
    }
    if (str_set(in->DBParameterGroupName)) {
        st = rds_use_group(c, i, in->DBParameterGroupName, "pending-reboot", i->doc);
    }
    if (in->BackupRetentionPeriod.set) {
        p->BackupRetentionPeriod = in->BackupRetentionPeriod;
    }
    if (in->DBPortNumber.set) {
        p->Port = in->DBPortNumber;
    }
    *ret_restart = in->ApplyImmediately.v && apply_pending(i);
    return st;
}

enum status rds_modify_db_instance(struct call *c, const struct rds_modify_db_instance_request *in,
                                   struct rds_modify_db_instance_response *ret_out)
{
    struct rds_instance i;
    bool restart = false;
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    st = st == ST_OK ? rds_refuse_attached(c, &i, "modified") : st;
    st = st == ST_OK ? check(c, in, &i) : st;
    if (st == ST_OK && !str_eqz(i.doc->DBInstanceStatus, "stopped")) {
        st = rds_require(c, &i, "available");
    }
    st = st == ST_OK ? modify(c, in, &i, &restart) : st;
    if (st != ST_OK) {
        return st;
    }
    restart = restart && rds_server_is_up(rds_of(c), i.id);
    const char *state = restart ? "modifying" : arena_cstr(c->arena, i.doc->DBInstanceStatus);
    st = call_status(c, rds_set_status(rds_of(c), c->arena, &i, state));
    if (st == ST_OK && restart) {
        rds_server_end(rds_of(c), i.id, RDS_THEN_START);
    }
    return st == ST_OK ? rds_show(c, &i, &ret_out->DBInstance) : st;
}

/* --- start, stop, reboot
 * ---------------------------------------------------------------------------
 */
static enum status find_ours(struct call *c, struct str name, const char *what, const char *state,
                             struct rds_instance *ret)
{
    enum status st = rds_find(c, name, ret);
    st = st == ST_OK ? rds_refuse_attached(c, ret, what) : st;
    return st == ST_OK ? rds_require(c, ret, state) : st;
}

static enum status start(struct call *c, const void *request, void *response)
{
    const struct rds_start_db_instance_request *in = request;
    struct rds_start_db_instance_response *out = response;
    struct rds_instance i;
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    st = st == ST_OK ? rds_refuse_attached(c, &i, "started") : st;
    if (st == ST_OK && !str_eqz(i.doc->DBInstanceStatus, "failed") &&
        !str_eqz(i.doc->DBInstanceStatus, "incompatible-parameters")) {
        st = rds_require(c, &i, "stopped");
    }
    if (st != ST_OK) {
        return st;
    }
    (void)apply_pending(&i);
    st = call_status(c, rds_set_status(rds_of(c), c->arena, &i, "starting"));
    if (st == ST_OK) {
        rds_server_launch(rds_of(c), &i);
        st = rds_show(c, &i, &out->DBInstance);
    }
    return st;
}

enum status rds_start_db_instance(struct call *c, const struct rds_start_db_instance_request *in,
                                  struct rds_start_db_instance_response *ret_out)
{
    return rds_need_engines(c, start, in, ret_out);
}

enum status rds_stop_db_instance(struct call *c, const struct rds_stop_db_instance_request *in,
                                 struct rds_stop_db_instance_response *ret_out)
{
    struct rds_instance i;
    enum status st = find_ours(c, in->DBInstanceIdentifier, "stopped", "available", &i);
    if (st == ST_OK && str_set(in->DBSnapshotIdentifier)) {
        return call_fail(c, &wire_NotImplemented,
                         "DBSnapshotIdentifier isn't implemented for StopDBInstance: call "
                         "CreateDBSnapshot before.");
    }
    st = st == ST_OK ? call_status(c, rds_set_status(rds_of(c), c->arena, &i, "stopping")) : st;
    if (st == ST_OK) {
        rds_server_end(rds_of(c), i.id, RDS_THEN_STAY);
        st = rds_show(c, &i, &ret_out->DBInstance);
    }
    return st;
}

static enum status reboot(struct call *c, const void *request, void *response)
{
    const struct rds_reboot_db_instance_request *in = request;
    struct rds_reboot_db_instance_response *out = response;
    struct rds_instance i;
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    st = st == ST_OK ? rds_refuse_attached(c, &i, "rebooted") : st;
    if (st == ST_OK && !str_eqz(i.doc->DBInstanceStatus, "incompatible-parameters")) {
        st = rds_require(c, &i, "available");
    }
    if (st != ST_OK) {
        return st;
    }
    (void)apply_pending(&i);
    st = call_status(c, rds_set_status(rds_of(c), c->arena, &i, "rebooting"));
    if (st == ST_OK) {
        rds_server_end(rds_of(c), i.id, RDS_THEN_START);
        st = rds_show(c, &i, &out->DBInstance);
    }
    return st;
}

enum status rds_reboot_db_instance(struct call *c, const struct rds_reboot_db_instance_request *in,
                                   struct rds_reboot_db_instance_response *ret_out)
{
    return rds_need_engines(c, reboot, in, ret_out);
}
