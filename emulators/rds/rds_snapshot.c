/* Snapshots: copies of an instance's folder, and instances made from them. */
#include "emulators/rds/rds_attach.h"
#include "emulators/rds/rds_show.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/tree.h"
#include "server/wire/codec.h"

#define SNAPSHOT_DIGITS 26

static enum status find(struct call *c, struct str name, struct rds_snapshot *ret)
{
    struct rds_owner owner = rds_owner_of(c);
    enum status st =
        rds_store_snapshot(c->db, c->arena, &owner, rds_name_of(c, "snapshot", name), ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &rds_DBSnapshotNotFoundFault, "DBSnapshot not found: %.*s",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

static enum status tell(struct call *c, const struct rds_snapshot *s, const char *id,
                        const char *category, const char *message)
{
    const struct rds_fact f = { RDS_EVENTS_SNAPSHOT, id, category, s->name, s->doc->DBSnapshotArn,
                                str_z(message) };
    return call_status(c, rds_note(rds_of(c), c->arena, &s->owner, &f));
}

/* --- create ----------------------------------------------------------------------------------- */
static enum status add(struct call *c, const struct rds_instance *i, struct str name,
                       struct rds_snapshot *ret)
{
    const struct rds_db_instance *d = i->doc;
    struct str digits = id_base32(c->arena, SNAPSHOT_DIGITS);
    enum status st = rds_check_name(c, "DBSnapshotIdentifier", name);
    if (st != ST_OK) {
        return st;
    }
    *ret = (struct rds_snapshot){ .owner = i->owner,
                                  .name = arena_lower(c->arena, name),
                                  .id = arena_printf(c->arena, "snap-%.*s", STR_ARG(digits)),
                                  .engine = i->engine,
                                  .doc = ARENA_NEW(c->arena, struct rds_db_snapshot) };
    *ret->doc = (struct rds_db_snapshot){
        .DBSnapshotIdentifier = ret->name,
        .DBInstanceIdentifier = i->name,
        .SnapshotCreateTime = OPT_TIME(c->received_ms),
        .Engine = d->Engine,
        .AllocatedStorage = d->AllocatedStorage,
        .Status = STR("creating"),
        .Port = OPT_I64(i->port),
        .AvailabilityZone = d->AvailabilityZone,
        .InstanceCreateTime = d->InstanceCreateTime,
        .MasterUsername = d->MasterUsername,
        .EngineVersion = d->EngineVersion,
        .LicenseModel = d->LicenseModel,
        .SnapshotType = STR("manual"),
        .PercentProgress = OPT_I64(0),
        .StorageType = d->StorageType,
        .Encrypted = OPT_BOOL(false),
        .BackupRetentionPeriod = d->BackupRetentionPeriod,
        .DBSnapshotArn = call_arn(c, "rds", "snapshot:%.*s", STR_ARG(ret->name)),
        .IAMDatabaseAuthenticationEnabled = OPT_BOOL(false),
        .DbiResourceId = i->id,
    };
    st = rds_store_add_snapshot(c->db, c->arena, ret);
    if (st == ST_EXISTS) {
        return call_fail(c, &rds_DBSnapshotAlreadyExistsFault,
                         "Cannot create the snapshot because a snapshot with the identifier %.*s "
                         "already exists.",
                         STR_ARG(ret->name));
    }
    struct rds_tag_list tags = { 0, NULL };
    if (st == ST_OK && d->CopyTagsToSnapshot.v) {
        st = tags_list(c->db, c->arena, &rds_tags, d->DBInstanceArn, &tags);
        st = st == ST_OK ? tags_set(c->db, &rds_tags, ret->doc->DBSnapshotArn, &tags) : st;
    }
    return st == ST_OK ? tell(c, ret, "RDS-EVENT-0040", "creation", "Creating manual snapshot")
                       : call_status(c, st);
}

enum status rds_create_db_snapshot(struct call *c, const struct rds_create_db_snapshot_request *in,
                                   struct rds_create_db_snapshot_response *ret_out)
{
    struct rds_instance i;
    struct rds_snapshot s;
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    st = st == ST_OK ? rds_refuse_attached(c, &i, "copied") : st;
    if (st == ST_OK && !str_eqz(i.doc->DBInstanceStatus, "stopped")) {
        st = rds_require(c, &i, "available");
    }
    st = st == ST_OK ? add(c, &i, in->DBSnapshotIdentifier, &s) : st;
    if (st == ST_OK) {
        st = call_status(c, tags_set(c->db, &rds_tags, s.doc->DBSnapshotArn, &in->Tags));
    }
    st = st == ST_OK ? call_status(c, rds_set_status(rds_of(c), c->arena, &i, "backing-up")) : st;
    if (st == ST_OK) {
        rds_server_snapshot(rds_of(c), i.id, s.id);
        ret_out->DBSnapshot = s.doc;
    }
    return st;
}

enum status rds_final_snapshot(struct call *c, struct rds_instance *i, struct str name)
{
    struct rds_snapshot s;
    enum status st = add(c, i, name, &s);
    if (st == ST_OK) {
        rds_server_snapshot(rds_of(c), i->id, s.id);
    }
    return st;
}

/* --- describe, delete ------------------------------------------------------------------------- */
static bool fits(const struct rds_describe_db_snapshots_request *in, const struct rds_snapshot *s)
{
    const struct rds_db_snapshot *d = s->doc;
    return (!str_set(in->DBInstanceIdentifier) ||
            str_ieq(in->DBInstanceIdentifier, d->DBInstanceIdentifier)) &&
           (!str_set(in->DbiResourceId) || str_eq(in->DbiResourceId, d->DbiResourceId)) &&
           (!str_set(in->SnapshotType) || str_eq(in->SnapshotType, d->SnapshotType)) &&
           rds_filter_fits(&in->Filters, "db-instance-id", d->DBInstanceIdentifier) &&
           rds_filter_fits(&in->Filters, "db-snapshot-id", s->name) &&
           rds_filter_fits(&in->Filters, "dbi-resource-id", d->DbiResourceId) &&
           rds_filter_fits(&in->Filters, "snapshot-type", d->SnapshotType) &&
           rds_filter_fits(&in->Filters, "engine", d->Engine);
}

enum status rds_describe_db_snapshots(struct call *c,
                                      const struct rds_describe_db_snapshots_request *in,
                                      struct rds_describe_db_snapshots_response *ret_out)
{
    static const char *const names[] = { "db-instance-id", "db-snapshot-id", "dbi-resource-id",
                                         "snapshot-type",  "engine",         NULL };
    struct rds_owner owner = rds_owner_of(c);
    struct rds_snapshots all = { NULL, 0 };
    size_t from = 0;
    enum status st = rds_check_filters(c, &in->Filters, names);
    if (st == ST_OK && str_set(in->DBSnapshotIdentifier)) {
        all.v = ARENA_NEW(c->arena, struct rds_snapshot);
        all.n = 1;
        st = find(c, in->DBSnapshotIdentifier, all.v);
    } else if (st == ST_OK) {
        st = call_status(c, rds_store_snapshots(c->db, c->arena, &owner, &all));
    }
    size_t n = 0;
    for (size_t k = 0; st == ST_OK && k < all.n; k++) {
        if (fits(in, &all.v[k])) {
            all.v[n++] = all.v[k];
        }
    }
    st = st == ST_OK ? rds_page(c, in->MaxRecords, in->Marker, &n, &from, &ret_out->Marker) : st;
    struct rds_db_snapshot_list *out = &ret_out->DBSnapshots;
    out->v = ARENA_ARRAY(c->arena, struct rds_db_snapshot, n + 1);
    for (size_t k = 0; st == ST_OK && k < n; k++) {
        struct rds_db_snapshot *d = all.v[from + k].doc;
        st = call_status(c, tags_list(c->db, c->arena, &rds_tags, d->DBSnapshotArn, &d->TagList));
        out->v[out->n++] = *d;
    }
    return st;
}

enum status rds_delete_db_snapshot(struct call *c, const struct rds_delete_db_snapshot_request *in,
                                   struct rds_delete_db_snapshot_response *ret_out)
{
    struct rds_snapshot s;
    enum status st = find(c, in->DBSnapshotIdentifier, &s);
    if (st == ST_OK && str_eqz(s.doc->Status, "creating")) {
        return call_fail(c, &rds_InvalidDBSnapshotStateFault,
                         "Snapshot %.*s is being made: wait until it is available.",
                         STR_ARG(s.name));
    }
    st = st == ST_OK ? call_status(c, rds_store_remove_snapshot(c->db, s.id)) : st;
    if (st == ST_OK) {
        st = call_status(c, tags_clear(c->db, &rds_tags, s.doc->DBSnapshotArn));
        const struct rds *r = rds_of(c);
        tree_remove_later(core_loop(r->core), rds_snapshot_dir(r, c->arena, s.id));
        s.doc->Status = STR("deleted");
        ret_out->DBSnapshot = s.doc;
        st = st == ST_OK ? tell(c, &s, "RDS-EVENT-0041", "deletion", "Deleted user snapshot") : st;
    }
    return st;
}

/* --- restore ---------------------------------------------------------------------------------- */
static enum status restore(struct call *c, const void *request, void *response)
{
    const struct rds_restore_db_instance_from_db_snapshot_request *in = request;
    struct rds_restore_db_instance_from_db_snapshot_response *out = response;
    struct rds_snapshot s;
    struct rds_instance i;
    enum status st = find(c, in->DBSnapshotIdentifier, &s);
    if (st == ST_OK && !str_eqz(s.doc->Status, "available")) {
        return call_fail(c, &rds_InvalidDBSnapshotStateFault, "Snapshot %.*s is %.*s.",
                         STR_ARG(s.name), STR_ARG(s.doc->Status));
    }
    if (st == ST_OK && in->MultiAZ.v) {
        return call_fail(c, &wire_NotImplemented, "MultiAZ isn't implemented: leave it out.");
    }
    if (st != ST_OK) {
        return st;
    }
    const struct rds_wish wish = {
        .name = in->DBInstanceIdentifier,
        .class_ = str_set(in->DBInstanceClass) ? in->DBInstanceClass : STR("db.t3.micro"),
        .engine = s.doc->Engine,
        .master = s.doc->MasterUsername,
        .parameter_group = in->DBParameterGroupName,
        .subnet_group = in->DBSubnetGroupName,
        .zone = in->AvailabilityZone,
        .storage_type = str_set(in->StorageType) ? in->StorageType : s.doc->StorageType,
        .backup_window = in->PreferredBackupWindow,
        .storage = s.doc->AllocatedStorage,
        .port = in->Port,
        .backup_days = in->BackupRetentionPeriod.set ? in->BackupRetentionPeriod
                                                     : s.doc->BackupRetentionPeriod,
        .public = in->PubliclyAccessible,
        .minor_upgrade = in->AutoMinorVersionUpgrade,
        .copy_tags = in->CopyTagsToSnapshot,
        .protected = in->DeletionProtection,
        .groups = &in->VpcSecurityGroupIds,
        .exports = &in->EnableCloudwatchLogsExports,
        .tags = &in->Tags,
    };
    st = rds_new_instance(c, &wish, &i);
    if (st != ST_OK) {
        return st;
    }
    i.source = s.id;
    st = rds_store_add(c->db, c->arena, &i);
    st = st == ST_OK ? tags_set(c->db, &rds_tags, i.doc->DBInstanceArn, &in->Tags) : st;
    if (st != ST_OK) {
        return call_status(c, st);
    }
    rds_server_launch(rds_of(c), &i);
    return rds_show(c, &i, &out->DBInstance);
}

enum status rds_restore_db_instance_from_db_snapshot(
    struct call *c, const struct rds_restore_db_instance_from_db_snapshot_request *in,
    struct rds_restore_db_instance_from_db_snapshot_response *ret_out)
{
    return rds_need_engines(c, restore, in, ret_out);
}
