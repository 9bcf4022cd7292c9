/* What can be had here: the engines that are installed, one version of each, which so is the
 * default one (DefaultOnly), and the classes that requests may name. */
#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"

static bool wanted(const struct rds_engine *e, struct str engine, struct str version)
{
    return e->program && (!str_set(engine) || str_eqz(engine, e->name)) &&
           rds_version_fits(e, version);
}

static enum status versions(struct call *c, const void *request, void *response)
{
    const struct rds_describe_db_engine_versions_request *in = request;
    struct rds_describe_db_engine_versions_response *out = response;
    static const char *const filters[] = {
        "db-parameter-group-family", "engine", "engine-mode", "engine-version", "status", NULL
    };
    struct str *exportable = ARENA_ARRAY(c->arena, struct str, 3);
    exportable[0] = STR("error");
    exportable[1] = STR("general");
    exportable[2] = STR("slowquery");
    const struct rds *r = rds_of(c);
    enum status st = rds_check_filters(c, &in->Filters, filters);
    if (st != ST_OK) {
        return st;
    }
    struct rds_db_engine_version_list *list = &out->DBEngineVersions;
    list->v = ARENA_ARRAY(c->arena, struct rds_db_engine_version, RDS_N_ENGINES);
    for (size_t i = 0; i < RDS_N_ENGINES; i++) {
        const struct rds_engine *e = &r->engines[i];
        if (!wanted(e, in->Engine, in->EngineVersion) ||
            (str_set(in->DBParameterGroupFamily) &&
             !str_eq(in->DBParameterGroupFamily, e->family)) ||
            !rds_filter_fits(&in->Filters, "db-parameter-group-family", e->family) ||
            !rds_filter_fits(&in->Filters, "engine", str_z(e->name)) ||
            !rds_filter_fits(&in->Filters, "engine-mode", STR("provisioned")) ||
            !rds_filter_fits(&in->Filters, "engine-version", e->version) ||
            !rds_filter_fits(&in->Filters, "status", STR("available"))) {
            continue;
        }
        list->v[list->n++] = (struct rds_db_engine_version){
            .Engine = str_z(e->name),
            .MajorEngineVersion = e->major,
            .EngineVersion = e->version,
            .DBParameterGroupFamily = e->family,
            .DBEngineDescription = strcmp(e->name, "mariadb") == 0
                                       ? STR("MariaDB Community Edition")
                                       : STR("MySQL Community Edition"),
            .DBEngineVersionDescription =
                arena_printf(c->arena, "%s %.*s of this machine", e->name, STR_ARG(e->version)),
            .Status = STR("available"),
            .SupportsLogExportsToCloudwatchLogs = OPT_BOOL(true),
            .ExportableLogTypes = { 3, exportable },
            .SupportsReadReplica = OPT_BOOL(false),
        };
    }
    return ST_OK;
}

enum status
rds_describe_db_engine_versions(struct call *c,
                                const struct rds_describe_db_engine_versions_request *in,
                                struct rds_describe_db_engine_versions_response *ret_out)
{
    return rds_need_engines(c, versions, in, ret_out);
}

static enum status options(struct call *c, const void *request, void *response)
{
    static const char *const classes[] = { "db.t2.micro",   "db.t3.micro",  "db.t3.small",
                                           "db.t3.medium",  "db.t4g.micro", "db.t4g.small",
                                           "db.t4g.medium", "db.m5.large",  "db.m6g.large" };
    const struct rds_describe_orderable_db_instance_options_request *in = request;
    struct rds_describe_orderable_db_instance_options_response *out = response;
    const struct rds *r = rds_of(c);
    struct rds_orderable_db_instance_options_list *list = &out->OrderableDBInstanceOptions;
    list->v = ARENA_ARRAY(c->arena, struct rds_orderable_db_instance_option,
                          RDS_N_ENGINES * ARRAY_LEN(classes));
    for (size_t i = 0; i < RDS_N_ENGINES * ARRAY_LEN(classes); i++) {
        const struct rds_engine *e = &r->engines[i / ARRAY_LEN(classes)];
        struct str class_ = str_z(classes[i % ARRAY_LEN(classes)]);
        if (!wanted(e, in->Engine, in->EngineVersion) ||
            (str_set(in->DBInstanceClass) && !str_eq(in->DBInstanceClass, class_))) {
            continue;
        }
        struct rds_availability_zone *zone = ARENA_NEW(c->arena, struct rds_availability_zone);
        zone->Name = arena_printf(c->arena, "%.*sa", STR_ARG(c->caller.region));
        list->v[list->n++] = (struct rds_orderable_db_instance_option){
            .Engine = str_z(e->name),
            .EngineVersion = e->version,
            .DBInstanceClass = class_,
            .LicenseModel = STR("general-public-license"),
            .AvailabilityZones = { 1, zone },
            .MultiAZCapable = OPT_BOOL(false),
            .ReadReplicaCapable = OPT_BOOL(false),
            .Vpc = OPT_BOOL(true),
            .SupportsStorageEncryption = OPT_BOOL(false),
            .StorageType = STR("gp2"),
            .SupportsIops = OPT_BOOL(false),
            .SupportsEnhancedMonitoring = OPT_BOOL(false),
            .SupportsIAMDatabaseAuthentication = OPT_BOOL(false),
            .SupportsPerformanceInsights = OPT_BOOL(false),
            .MinStorageSize = OPT_I64(5),
            .MaxStorageSize = OPT_I64(65536),
        };
    }
    return ST_OK;
}

enum status rds_describe_orderable_db_instance_options(
    struct call *c, const struct rds_describe_orderable_db_instance_options_request *in,
    struct rds_describe_orderable_db_instance_options_response *ret_out)
{
    return rds_need_engines(c, options, in, ret_out);
}
