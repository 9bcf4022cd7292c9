/* Instances: changed, started, stopped, rebooted. What has no process to touch (windows, flags) is
 * only noted. ApplyImmediately=false keeps the rest as pending until the next reboot, since there
 * are no maintenance windows here. */
#include "emulators/rds/rds_attach.h"
#include "emulators/rds/rds_show.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

/* --- modify ----------------------------------------------------------------------------------- */
static enum status refuse_missing(struct call *c, const struct rds_modify_db_instance_request *in)
{
    const char *what = in->MultiAZ.v                           ? "MultiAZ"
                       : in->EnableIAMDatabaseAuthentication.v ? "EnableIAMDatabaseAuthentication"
                       : in->EnablePerformanceInsights.v       ? "EnablePerformanceInsights"
                       : in->ManageMasterUserPassword.v        ? "ManageMasterUserPassword"
                       : in->MonitoringInterval.v              ? "MonitoringInterval"
                       : str_set(in->DBSubnetGroupName)        ? "DBSubnetGroupName"
                       : str_set(in->Domain)                   ? "Domain"
                                                               : NULL;
    return what ? call_fail(c, &wire_NotImplemented, "Changing %s isn't implemented: leave it out.",
                            what)
                : ST_OK;
}

static bool named(struct str member)
{
    return str_set(member) && member.n;
}

/* There is one version of each engine. */
static enum status check_version(struct call *c, const struct rds_modify_db_instance_request *in,
                                 const struct rds_instance *i)
{
    const struct rds_engine here = { .version = i->doc->EngineVersion };
    if (!named(in->EngineVersion) || rds_version_fits(&here, in->EngineVersion)) {
        return ST_OK;
    }
    return call_fail(c, &rds_InvalidParameterCombination,
                     "Cannot find upgrade target from %.*s with requested version %.*s: installed "
                     "on this machine is %.*s.",
                     STR_ARG(here.version), STR_ARG(in->EngineVersion), STR_ARG(here.version));
}

static enum status check_new_name(struct call *c, struct str name, const struct rds_instance *i)
{
    struct rds_instance other;
    struct str lower = arena_lower(c->arena, name);
    enum status st = rds_check_name(c, "NewDBInstanceIdentifier", name);
    if (st == ST_OK && !str_eq(lower, i->name) &&
        rds_store_by_name(c->db, c->arena, &i->owner, lower, &other) == ST_OK) {
        return call_fail(c, &rds_DBInstanceAlreadyExistsFault, "DB instance already exists");
    }
    return st;
}

static enum status check_numbers(struct call *c, const struct rds_modify_db_instance_request *in,
                                 const struct rds_instance *i)
{
    int64_t port = in->DBPortNumber.v, days = in->BackupRetentionPeriod.v;
    if (in->BackupRetentionPeriod.set && (days < 0 || days > 35)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid backup retention period: %lld. Must be between 0 and 35.",
                         (long long)days);
    }
    if (in->DBPortNumber.set && (port < 1150 || port > 65535)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid value %lld for DBPortNumber. Must be between 1150 and 65535.",
                         (long long)port);
    }
    if (in->DBPortNumber.set && port != i->port && !rds_free_port((int)port)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Port %lld of 127.0.0.1 is in use by another program.", (long long)port);
    }
    if (in->AllocatedStorage.set && in->AllocatedStorage.v < i->doc->AllocatedStorage.v) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "Invalid storage size: %lld GiB is less than the allocated %lld GiB, and "
                         "storage can't be reduced.",
                         (long long)in->AllocatedStorage.v, (long long)i->doc->AllocatedStorage.v);
    }
    struct rds_db_instance wanted = *i->doc;
    const struct rds_instance changed = { .engine = i->engine, .doc = &wanted };
    wanted.StorageType = named(in->StorageType) ? in->StorageType : wanted.StorageType;
    wanted.AllocatedStorage =
        in->AllocatedStorage.set ? in->AllocatedStorage : wanted.AllocatedStorage;
    return rds_check_storage(c, &changed);
}

static enum status check(struct call *c, const struct rds_modify_db_instance_request *in,
                         struct rds_instance *i)
{
    enum status st = refuse_missing(c, in);
    st = st == ST_OK ? check_version(c, in, i) : st;
    st = st == ST_OK ? check_numbers(c, in, i) : st;
    if (st == ST_OK && named(in->DBInstanceClass) && !str_starts(in->DBInstanceClass, STR("db."))) {
        st = call_fail(c, &rds_InvalidParameterValue, "Invalid DB Instance class: %.*s",
                       STR_ARG(in->DBInstanceClass));
    }
    if (st == ST_OK && named(in->NewDBInstanceIdentifier)) {
        st = check_new_name(c, in->NewDBInstanceIdentifier, i);
    }
    if (st == ST_OK && in->CloudwatchLogsExportConfiguration) {
        st = rds_change_exports(c, i, in->CloudwatchLogsExportConfiguration);
    }
    if (st == ST_OK && str_set(in->MasterUserPassword)) {
        st = rds_check_password(c, in->MasterUserPassword);
    }
    return st;
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
    } texts[] = { { &d->PreferredBackupWindow, in->PreferredBackupWindow },
                  { &d->PreferredMaintenanceWindow, in->PreferredMaintenanceWindow },
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
    if (in->MaxAllocatedStorage.set) {
        d->MaxAllocatedStorage = in->MaxAllocatedStorage;
    }
}

/* What waits for the next maintenance window, which is the next reboot here, or for
 * ApplyImmediately. */
static void note_pending(struct call *c, const struct rds_modify_db_instance_request *in,
                         struct rds_instance *i)
{
    struct rds_pending_modified_values *p = i->doc->PendingModifiedValues;
    if (named(in->DBInstanceClass) && !str_eq(in->DBInstanceClass, i->doc->DBInstanceClass)) {
        p->DBInstanceClass = in->DBInstanceClass;
    }
    if (named(in->StorageType) && !str_eq(in->StorageType, i->doc->StorageType)) {
        p->StorageType = in->StorageType;
    }
    if (named(in->NewDBInstanceIdentifier)) {
        struct str name = arena_lower(c->arena, in->NewDBInstanceIdentifier);
        p->DBInstanceIdentifier = str_eq(name, i->name) ? STR_NONE : name;
    }
    if (in->AllocatedStorage.set && in->AllocatedStorage.v != i->doc->AllocatedStorage.v) {
        p->AllocatedStorage = in->AllocatedStorage;
    }
    if (in->BackupRetentionPeriod.set &&
        in->BackupRetentionPeriod.v != i->doc->BackupRetentionPeriod.v) {
        p->BackupRetentionPeriod = in->BackupRetentionPeriod;
    }
    if (in->DBPortNumber.set && in->DBPortNumber.v != i->port) {
        p->Port = in->DBPortNumber;
    }
    /* From one number of days to another nothing has to be restarted, and RDS doesn't wait. */
    if (p->BackupRetentionPeriod.v && i->doc->BackupRetentionPeriod.v) {
        i->doc->BackupRetentionPeriod = p->BackupRetentionPeriod;
        p->BackupRetentionPeriod = (struct opt_i64){ 0 };
    }
}

/* Name and ARN, and what hangs on the ARN. The folder is named after DbiResourceId. */
static enum status rename_to(struct call *c, struct rds_instance *i, struct str name)
{
    struct str old_arn = i->doc->DBInstanceArn;
    struct rds_tag_list tags = { 0, NULL };
    struct rds_instance other;
    if (rds_store_by_name(c->db, c->arena, &i->owner, name, &other) == ST_OK) {
        return call_fail(c, &rds_DBInstanceAlreadyExistsFault, "DB instance already exists");
    }
    i->name = name;
    i->doc->DBInstanceIdentifier = name;
    i->doc->DBInstanceArn = call_arn(c, "rds", "db:%.*s", STR_ARG(name));
    enum status st = tags_list(c->db, c->arena, &rds_tags, old_arn, &tags);
    st = st == ST_OK ? tags_clear(c->db, &rds_tags, old_arn) : st;
    st = st == ST_OK ? tags_set(c->db, &rds_tags, i->doc->DBInstanceArn, &tags) : st;
    return call_status(c, st);
}

/* Tells of a step of a modification. */
static enum status tell(struct call *c, const struct rds_instance *i, const char *id,
                        const char *message)
{
    return call_status(
        c, rds_note_instance(rds_of(c), c->arena, i, id, "configuration change", str_z(message)));
}

/* Moves what is pending into force; *ret_restart: the process must be started anew for it. */
static enum status apply_pending(struct call *c, struct rds_instance *i, bool *ret_restart)
{
    struct rds_db_instance *d = i->doc;
    struct rds_pending_modified_values p = *d->PendingModifiedValues;
    enum status st = ST_OK;
    bool restart = false;
    *d->PendingModifiedValues = (struct rds_pending_modified_values){ 0 };
    if (p.BackupRetentionPeriod.set) {
        bool off = p.BackupRetentionPeriod.v == 0;
        restart = off != (d->BackupRetentionPeriod.v == 0);
        d->BackupRetentionPeriod = p.BackupRetentionPeriod;
        st = !restart ? ST_OK
             : off    ? tell(c, i, "RDS-EVENT-0028", "Disabled automated backups")
                      : tell(c, i, "RDS-EVENT-0032", "Enabled automated backups");
    }
    if (p.Port.set) {
        restart = restart || p.Port.v != i->port;
        i->port = p.Port.v;
    }
    d->StorageType = str_set(p.StorageType) ? p.StorageType : d->StorageType;
    if (st == ST_OK && p.AllocatedStorage.set) {
        d->AllocatedStorage = p.AllocatedStorage;
        st = tell(c, i, "RDS-EVENT-0018", "Applying modification to allocated storage");
        st = st == ST_OK ? tell(c, i, "RDS-EVENT-0017",
                                "Finished applying modification to allocated storage")
                         : st;
    }
    if (st == ST_OK && str_set(p.DBInstanceClass)) {
        d->DBInstanceClass = p.DBInstanceClass;
        st = tell(c, i, "RDS-EVENT-0012", "Applying modification to database instance class");
        st = st == ST_OK ? tell(c, i, "RDS-EVENT-0014",
                                "Finished applying modification to DB instance class")
                         : st;
    }
    *ret_restart = restart;
    return st == ST_OK && str_set(p.DBInstanceIdentifier) ? rename_to(c, i, p.DBInstanceIdentifier)
                                                          : st;
}

/* A new password is set at once by a running server, else by its next start. */
static void set_password(struct call *c, struct rds_instance *i, struct str password)
{
    struct str sql = rds_setup_password(c->arena, i, password);
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
    enum status st = ST_OK;
    note(c, in, i->doc);
    note_pending(c, in, i);
    if (str_set(in->MasterUserPassword)) {
        set_password(c, i, in->MasterUserPassword);
        st = tell(c, i, "RDS-EVENT-0016", "Reset master credentials");
    }
    if (st == ST_OK && named(in->DBParameterGroupName) &&
        !str_eq(arena_lower(c->arena, in->DBParameterGroupName),
                i->doc->DBParameterGroups.v[0].DBParameterGroupName)) {
        st = rds_use_group(c, i, in->DBParameterGroupName, "pending-reboot", i->doc);
        if (st == ST_OK) {
            struct str group = i->doc->DBParameterGroups.v[0].DBParameterGroupName;
            st = tell(
                c, i, "RDS-EVENT-0011",
                arena_printf(c->arena, "Updated to use DBParameterGroup %.*s", STR_ARG(group)).p);
        }
    }
    if (st == ST_OK && in->ApplyImmediately.v) {
        st = apply_pending(c, i, ret_restart);
    } else if (st == ST_OK && i->doc->PendingModifiedValues->Port.set) {
        i->port = i->doc->PendingModifiedValues->Port.v; /* RDS never waits with it */
        i->doc->PendingModifiedValues->Port = (struct opt_i64){ 0 };
        *ret_restart = true;
    }
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

/* --- start, stop, reboot ---------------------------------------------------------------------- */
/* The server of an instance in one of these states begins anew, with all that was pending. */
static enum status begin_anew(struct call *c, struct str name, const char *what,
                              const char *const *states, const char *during,
                              struct rds_db_instance **ret)
{
    struct rds_instance i;
    bool restart = false; /* it starts anyway */
    enum status st = rds_find(c, name, &i);
    st = st == ST_OK ? rds_refuse_attached(c, &i, what) : st;
    size_t k = 0;
    while (st == ST_OK && states[k + 1] && !str_eqz(i.doc->DBInstanceStatus, states[k])) {
        k++;
    }
    st = st == ST_OK ? rds_require(c, &i, states[k]) : st; /* the last is the one it should be in */
    st = st == ST_OK ? apply_pending(c, &i, &restart) : st;
    st = st == ST_OK ? call_status(c, rds_set_status(rds_of(c), c->arena, &i, during)) : st;
    if (st == ST_OK) {
        rds_server_end(rds_of(c), i.id, RDS_THEN_START);
        st = rds_show(c, &i, ret);
    }
    return st;
}

static enum status start(struct call *c, const void *request, void *response)
{
    static const char *const states[] = { "failed", "incompatible-parameters", "stopped", NULL };
    const struct rds_start_db_instance_request *in = request;
    struct rds_start_db_instance_response *out = response;
    return begin_anew(c, in->DBInstanceIdentifier, "started", states, "starting", &out->DBInstance);
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
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    st = st == ST_OK ? rds_refuse_attached(c, &i, "stopped") : st;
    st = st == ST_OK ? rds_require(c, &i, "available") : st;
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
    static const char *const states[] = { "incompatible-parameters", "available", NULL };
    const struct rds_reboot_db_instance_request *in = request;
    struct rds_reboot_db_instance_response *out = response;
    return begin_anew(c, in->DBInstanceIdentifier, "rebooted", states, "rebooting",
                      &out->DBInstance);
}

enum status rds_reboot_db_instance(struct call *c, const struct rds_reboot_db_instance_request *in,
                                   struct rds_reboot_db_instance_response *ret_out)
{
    return rds_need_engines(c, reboot, in, ret_out);
}
