#include "emulators/rds/rds_show.h"

#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/core.h"

#define STORAGE_DEFAULT_GB 20
#define BACKUP_DAYS_DEFAULT 1
#define BACKUP_DAYS_MAX 35
#define RESOURCE_DIGITS 26

/* --- engine ----------------------------------------------------------------------------------- */
enum status rds_check_engine_name(struct call *c, struct str engine)
{
    if (str_eqz(engine, "mariadb") || str_eqz(engine, "mysql")) {
        return ST_OK;
    }
    return call_fail(c, &rds_InvalidParameterValue,
                     "Invalid DB engine: %.*s. Here are mariadb and mysql.", STR_ARG(engine));
}

static enum status check_engine(struct call *c, const struct rds_wish *w, struct rds_instance *i)
{
    const struct rds_engine *e = rds_engine(rds_of(c), w->engine);
    if (str_set(i->attached)) {
        i->doc->EngineVersion = str_set(w->version) ? w->version : STR("attached");
        return ST_OK;
    }
    if (!e) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "The engine %.*s can't run: its server isn't installed on this machine. "
                         "%s.",
                         STR_ARG(w->engine), rds_engine_remedy(w->engine));
    }
    if (!rds_version_fits(e, w->version)) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "Cannot find version %.*s for %s: installed on this machine is %.*s. Ask "
                         "for \"%.*s\", or leave EngineVersion out.",
                         STR_ARG(w->version), e->name, STR_ARG(e->version), STR_ARG(e->major));
    }
    i->doc->EngineVersion = arena_str(c->arena, e->version);
    return ST_OK;
}

/* --- parts ------------------------------------------------------------------------------------ */
struct rds_vpc_security_group_membership_list
rds_memberships(struct call *c, const struct rds_vpc_security_group_id_list *ids)
{
    struct rds_vpc_security_group_membership_list list = {
        0, ARENA_ARRAY(c->arena, struct rds_vpc_security_group_membership, ids->n + 1)
    };
    for (size_t k = 0; k < ids->n; k++) {
        list.v[list.n++] = (struct rds_vpc_security_group_membership){ ids->v[k], STR("active") };
    }
    return list;
}

enum status rds_use_group(struct call *c, const struct rds_instance *i, struct str name,
                          const char *status, struct rds_db_instance *doc)
{
    struct rds_db_parameter_group *g;
    const struct rds_engine *e = rds_engine(rds_of(c), i->engine);
    struct str family = e ? e->family : STR("");
    struct str found = str_set(name) && name.n
                           ? arena_lower(c->arena, name)
                           : arena_printf(c->arena, "default.%.*s", STR_ARG(family));
    if (!str_starts(found, STR("default."))) {
        enum status st = rds_store_group(c->db, c->arena, &i->owner, found, &g);
        if (st == ST_NOT_FOUND) {
            return call_fail(c, &rds_DBParameterGroupNotFoundFault,
                             "DBParameterGroup not found: %.*s", STR_ARG(name));
        }
        if (st != ST_OK) {
            return call_status(c, st);
        }
        if (e && !str_eq(g->DBParameterGroupFamily, family)) {
            return call_fail(c, &rds_InvalidParameterCombination,
                             "The parameter group %.*s with DBParameterGroupFamily %.*s can't be "
                             "used for this instance. Please use a parameter group with "
                             "DBParameterGroupFamily %.*s",
                             STR_ARG(found), STR_ARG(g->DBParameterGroupFamily), STR_ARG(family));
        }
    }
    doc->DBParameterGroups = (struct rds_db_parameter_group_status_list){
        1, ARENA_NEW(c->arena, struct rds_db_parameter_group_status)
    };
    *doc->DBParameterGroups.v = (struct rds_db_parameter_group_status){ found, str_z(status) };
    return ST_OK;
}

static enum status use_subnets(struct call *c, const struct rds_wish *w, struct rds_instance *i)
{
    if (!str_set(w->subnet_group) || !w->subnet_group.n) {
        return ST_OK;
    }
    enum status st = rds_store_subnets(
        c->db, c->arena, &i->owner, arena_lower(c->arena, w->subnet_group), &i->doc->DBSubnetGroup);
    return st == ST_NOT_FOUND
               ? call_fail(c, &rds_DBSubnetGroupNotFoundFault,
                           "DB subnet group '%.*s' does not exist.", STR_ARG(w->subnet_group))
               : call_status(c, st);
}

/* A tag `cistern:attach` = HOST:PORT: the instance is a server that runs already. */
static struct str attached_to(const struct rds_tag_list *tags)
{
    for (size_t k = 0; tags && k < tags->n; k++) {
        if (str_eqz(tags->v[k].Key, "cistern:attach")) {
            return tags->v[k].Value;
        }
    }
    return STR_NONE;
}

static enum status choose_port(struct call *c, const struct rds_wish *w, struct rds_instance *i)
{
    struct str host, port;
    uint64_t n;
    if (str_set(i->attached)) {
        if (!str_cut(i->attached, ':', &host, &port) || !host.n || str_u64(port, &n) != ST_OK ||
            n < 1 || n > 65535) {
            return call_fail(c, &rds_InvalidParameterValue,
                             "The tag cistern:attach must be HOST:PORT, not '%.*s'.",
                             STR_ARG(i->attached));
        }
        i->port = (int64_t)n;
        return ST_OK;
    }
    if (w->port.set && (w->port.v < 1150 || w->port.v > 65535)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid value %lld for Port. Must be between 1150 and 65535.",
                         (long long)w->port.v);
    }
    i->port = rds_free_port(w->port.set ? (int)w->port.v : 0);
    if (!i->port) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Port %lld of 127.0.0.1 is in use by another program: choose another one, "
                         "or leave Port out and read it from Endpoint.Port.",
                         (long long)w->port.v);
    }
    return ST_OK;
}

/* What RDS takes for MariaDB and MySQL. Nothing here has a size; but what is refused there is
 * refused. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html */
enum status rds_check_storage(struct call *c, const struct rds_instance *i)
{
    static const struct {
        const char *type;
        int64_t from, to;
    } types[] = { { "gp2", 20, 65536 },
                  { "gp3", 20, 65536 },
                  { "io1", 100, 65536 },
                  { "io2", 100, 65536 },
                  { "standard", 5, 3072 } };
    struct str type = i->doc->StorageType;
    int64_t size = i->doc->AllocatedStorage.v;
    size_t k = 0;
    while (k < ARRAY_LEN(types) && !str_eqz(type, types[k].type)) {
        k++;
    }
    if (k == ARRAY_LEN(types)) {
        return call_fail(c, &rds_InvalidParameterValue, "Invalid storage type: %.*s",
                         STR_ARG(type));
    }
    if (size < types[k].from || size > types[k].to) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid storage size for engine name %.*s and storage type %.*s: %lld",
                         STR_ARG(i->engine), STR_ARG(type), (long long)size);
    }
    return ST_OK;
}

static enum status check_wish(struct call *c, const struct rds_wish *w)
{
    enum status st = rds_check_name(c, "DBInstanceIdentifier", w->name);
    if (st != ST_OK) {
        return st;
    }
    if (!str_starts(w->class_, STR("db."))) {
        return call_fail(c, &rds_InvalidParameterValue, "Invalid DB Instance class: %.*s",
                         STR_ARG(w->class_));
    }
    if (w->backup_days.set && (w->backup_days.v < 0 || w->backup_days.v > BACKUP_DAYS_MAX)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid backup retention period: %lld. Must be between 0 and %d.",
                         (long long)w->backup_days.v, BACKUP_DAYS_MAX);
    }
    return ST_OK;
}

static void fill(struct call *c, const struct rds_wish *w, struct rds_instance *i)
{
    struct rds_db_instance *d = i->doc;
    *d = (struct rds_db_instance){
        .DBInstanceIdentifier = i->name,
        .DBInstanceClass = w->class_,
        .Engine = w->engine,
        .DBInstanceStatus = STR("creating"),
        .MasterUsername = w->master,
        .DBName = w->db_name,
        .AllocatedStorage = w->storage.set ? w->storage : OPT_I64(STORAGE_DEFAULT_GB),
        .InstanceCreateTime = OPT_TIME(c->received_ms),
        .PreferredBackupWindow = str_set(w->backup_window) ? w->backup_window : STR("03:00-03:30"),
        .BackupRetentionPeriod = w->backup_days.set ? w->backup_days : OPT_I64(BACKUP_DAYS_DEFAULT),
        .VpcSecurityGroups = rds_memberships(c, w->groups),
        .EnabledCloudwatchLogsExports = *w->exports,
        .AvailabilityZone = w->zone,
        .PreferredMaintenanceWindow =
            str_set(w->maintenance_window) ? w->maintenance_window : STR("sun:04:00-sun:04:30"),
        .PendingModifiedValues = ARENA_NEW(c->arena, struct rds_pending_modified_values),
        .MultiAZ = OPT_BOOL(false),
        .AutoMinorVersionUpgrade = OPT_BOOL(!w->minor_upgrade.set || w->minor_upgrade.v),
        .LicenseModel = STR("general-public-license"),
        .Iops = w->iops,
        .PubliclyAccessible = OPT_BOOL(w->public.v),
        .StorageType = str_set(w->storage_type) ? w->storage_type : STR("gp2"),
        .DbInstancePort = OPT_I64(0),
        .StorageEncrypted = OPT_BOOL(false),
        .DbiResourceId = i->id,
        .CACertificateIdentifier = STR("rds-ca-rsa2048-g1"),
        .CopyTagsToSnapshot = OPT_BOOL(w->copy_tags.v),
        .MonitoringInterval = OPT_I64(0),
        .DBInstanceArn = call_arn(c, "rds", "db:%.*s", STR_ARG(i->name)),
        .IAMDatabaseAuthenticationEnabled = OPT_BOOL(false),
        .PerformanceInsightsEnabled = OPT_BOOL(false),
        .DeletionProtection = OPT_BOOL(w->protected.v),
        .MaxAllocatedStorage = w->max_storage,
        .NetworkType = STR("IPV4"),
        .BackupTarget = STR("region"),
    };
    if (!str_set(d->AvailabilityZone)) {
        d->AvailabilityZone = arena_printf(c->arena, "%.*sa", STR_ARG(c->caller.region));
    }
}

enum status rds_new_instance(struct call *c, const struct rds_wish *w, struct rds_instance *ret)
{
    struct str digits = id_base32(c->arena, RESOURCE_DIGITS);
    enum status st = check_wish(c, w);
    if (st != ST_OK) {
        return st;
    }
    *ret = (struct rds_instance){
        .owner = rds_owner_of(c),
        .name = arena_lower(c->arena, w->name),
        .id = arena_printf(c->arena, "db-%.*s", STR_ARG(digits)),
        .engine = w->engine,
        .attached = attached_to(w->tags),
        .doc = ARENA_NEW(c->arena, struct rds_db_instance),
    };
    struct rds_instance other;
    if (rds_store_by_name(c->db, c->arena, &ret->owner, ret->name, &other) == ST_OK) {
        return call_fail(c, &rds_DBInstanceAlreadyExistsFault, "DB instance already exists");
    }
    fill(c, w, ret);
    st = rds_check_storage(c, ret);
    st = st == ST_OK ? check_engine(c, w, ret) : st;
    st = st == ST_OK ? rds_check_exports(c, ret, w->exports) : st;
    st = st == ST_OK ? rds_use_group(c, ret, w->parameter_group, "in-sync", ret->doc) : st;
    st = st == ST_OK ? use_subnets(c, w, ret) : st;
    return st == ST_OK ? choose_port(c, w, ret) : st;
}

enum status rds_show(struct call *c, const struct rds_instance *i, struct rds_db_instance **ret)
{
    struct rds_db_instance *d = *ret = i->doc;
    struct str major = str_z(""), rest = d->EngineVersion, a, b;
    if (str_next(&rest, '.', &a) && str_next(&rest, '.', &b)) {
        major = arena_printf(c->arena, "-%.*s-%.*s", STR_ARG(a), STR_ARG(b));
    }
    /* Programs look into these lists without asking whether they are there. */
    d->ReadReplicaDBInstanceIdentifiers.v = ARENA_NEW(c->arena, struct str);
    d->DBSecurityGroups.v = ARENA_NEW(c->arena, struct rds_db_security_group_membership);
    d->DomainMemberships.v = ARENA_NEW(c->arena, struct rds_domain_membership);
    d->AssociatedRoles.v = ARENA_NEW(c->arena, struct rds_db_instance_role);
    d->OptionGroupMemberships.v = ARENA_NEW(c->arena, struct rds_option_group_membership);
    d->OptionGroupMemberships.n = 1;
    *d->OptionGroupMemberships.v =
        (struct rds_option_group_membership){ arena_printf(c->arena, "default:%.*s%.*s",
                                                           STR_ARG(i->engine), STR_ARG(major)),
                                              STR("in-sync") };
    return call_status(c, tags_list(c->db, c->arena, &rds_tags, d->DBInstanceArn, &d->TagList));
}
