/* Parameter groups: what is set really reaches the servers that use the group. Dynamic parameters
 * with ApplyMethod immediate are set at once, the others at the next reboot, which the instance's
 * ParameterApplyStatus says until then. */
#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/wire/codec.h"

#define PARAMETERS_MAX 20 /* of one request, as on RDS */

static enum status find(struct call *c, struct str name, struct rds_db_parameter_group *ret)
{
    struct rds_owner owner = rds_owner_of(c);
    struct str lower = arena_lower(c->arena, name), standard = STR("default.");
    struct str family = str_starts(lower, standard) ? str_sub(lower, standard.n, lower.n) : STR("");
    struct rds_db_parameter_group *found = NULL;
    *ret = (struct rds_db_parameter_group){
        lower, family, arena_printf(c->arena, "Default parameter group for %.*s", STR_ARG(family)),
        call_arn(c, "rds", "pg:%.*s", STR_ARG(lower))
    };
    if (rds_is_family(family)) {
        return ST_OK;
    }
    enum status st = rds_store_group(c->db, c->arena, &owner, lower, &found);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &rds_DBParameterGroupNotFoundFault, "DBParameterGroup not found: %.*s",
                         STR_ARG(name));
    }
    if (found) {
        *ret = *found;
    }
    return call_status(c, st);
}

static enum status find_own(struct call *c, struct str name, struct rds_db_parameter_group *ret)
{
    if (str_starts(arena_lower(c->arena, name), STR("default."))) {
        return call_fail(c, &rds_InvalidDBParameterGroupStateFault,
                         "Default parameter groups can't be changed or deleted: create a group of "
                         "your own.");
    }
    return find(c, name, ret);
}

/* --- create, describe, delete ----------------------------------------------------------------- */
enum status rds_create_db_parameter_group(struct call *c,
                                          const struct rds_create_db_parameter_group_request *in,
                                          struct rds_create_db_parameter_group_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    struct str name = arena_lower(c->arena, in->DBParameterGroupName);
    struct str plain = arena_printf(c->arena, "%.*s", STR_ARG(name));
    for (size_t i = 0; i < plain.n; i++) { /* dots are allowed here, unlike in other names */
        if (plain.p[i] == '.') {
            ((char *)(uintptr_t)plain.p)[i] = 'x';
        }
    }
    enum status st = rds_check_name(c, "DBParameterGroupName", plain);
    if (st != ST_OK) {
        return st;
    }
    if (!rds_is_family(in->DBParameterGroupFamily)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "ParameterGroupFamily %.*s is not a valid parameter group family: use "
                         "for instance mariadb10.11 or mysql8.0.",
                         STR_ARG(in->DBParameterGroupFamily));
    }
    struct rds_db_parameter_group *g = ARENA_NEW(c->arena, struct rds_db_parameter_group);
    *g = (struct rds_db_parameter_group){ name, in->DBParameterGroupFamily, in->Description,
                                          call_arn(c, "rds", "pg:%.*s", STR_ARG(name)) };
    st = rds_store_add_group(c->db, c->arena, &owner, g);
    if (st == ST_EXISTS) {
        return call_fail(c, &rds_DBParameterGroupAlreadyExistsFault,
                         "Parameter group %.*s already exists", STR_ARG(name));
    }
    ret_out->DBParameterGroup = g;
    return call_status(
        c, st == ST_OK ? tags_set(c->db, &rds_tags, g->DBParameterGroupArn, &in->Tags) : st);
}

enum status
rds_describe_db_parameter_groups(struct call *c,
                                 const struct rds_describe_db_parameter_groups_request *in,
                                 struct rds_describe_db_parameter_groups_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    struct rds_db_parameter_group_list all = { 0, NULL };
    size_t from = 0;
    enum status st;
    if (str_set(in->DBParameterGroupName)) {
        struct rds_db_parameter_group *one = ARENA_NEW(c->arena, struct rds_db_parameter_group);
        st = find(c, in->DBParameterGroupName, one);
        all = (struct rds_db_parameter_group_list){ 1, one };
    } else {
        st = call_status(c, rds_store_groups(c->db, c->arena, &owner, &all));
    }
    st =
        st == ST_OK ? rds_page(c, in->MaxRecords, in->Marker, &all.n, &from, &ret_out->Marker) : st;
    ret_out->DBParameterGroups = (struct rds_db_parameter_group_list){ all.n, all.v + from };
    return st;
}

/* Instances that use the group. */
static enum status users(struct call *c, struct str group, struct rds_instances *ret)
{
    struct rds_owner owner = rds_owner_of(c);
    enum status st = rds_store_list(c->db, c->arena, &owner, ret);
    size_t n = 0;
    for (size_t i = 0; st == ST_OK && i < ret->n; i++) {
        const struct rds_db_parameter_group_status_list *g = &ret->v[i].doc->DBParameterGroups;
        if (g->n && str_eq(g->v[0].DBParameterGroupName, group)) {
            ret->v[n++] = ret->v[i];
        }
    }
    ret->n = st == ST_OK ? n : 0;
    return call_status(c, st);
}

enum status rds_delete_db_parameter_group(struct call *c,
                                          const struct rds_delete_db_parameter_group_request *in,
                                          void *ret_out)
{
    (void)ret_out;
    struct rds_owner owner = rds_owner_of(c);
    struct rds_db_parameter_group g = { 0 };
    struct rds_instances using = { NULL, 0 };
    enum status st = find_own(c, in->DBParameterGroupName, &g);
    st = st == ST_OK ? users(c, g.DBParameterGroupName, &using) : st;
    if (st != ST_OK) {
        return st;
    }
    if (using.n) {
        return call_fail(c, &rds_InvalidDBParameterGroupStateFault,
                         "One or more database instances are still members of this parameter group "
                         "%.*s, so the group cannot be deleted",
                         STR_ARG(g.DBParameterGroupName));
    }
    st = rds_store_remove_group(c->db, &owner, g.DBParameterGroupName);
    return call_status(c, st == ST_OK ? tags_clear(c->db, &rds_tags, g.DBParameterGroupArn) : st);
}

/* --- parameters ------------------------------------------------------------------------------- */
static struct rds_parameter show(const struct rds_known *k, struct str family,
                                 const struct rds_settings *settings)
{
    const char *value = rds_known_value(k, family);
    struct rds_parameter p = {
        .ParameterName = str_z(k->name),
        .ParameterValue = str_z(value),
        .Description = str_z(k->text),
        .Source = value ? STR("system") : STR("engine-default"),
        .ApplyType = k->dynamic ? STR("dynamic") : STR("static"),
        .DataType = str_z(k->type),
        .AllowedValues = str_z(k->allowed),
        .IsModifiable = OPT_BOOL(true),
        .ApplyMethod = STR("pending-reboot"),
    };
    for (size_t i = 0; i < settings->n; i++) {
        if (str_eqz(settings->v[i].name, k->name)) {
            p.ParameterValue = settings->v[i].value;
            p.ApplyMethod = settings->v[i].method;
            p.Source = STR("user");
        }
    }
    return p;
}

static enum status list(struct call *c, struct str family, const struct rds_settings *settings,
                        struct str source, struct rds_parameters_list *ret)
{
    static const char *const sources[] = { "user", "system", "engine-default", NULL };
    size_t n, s = 0;
    const struct rds_known *known = rds_known_parameters(&n);
    while (str_set(source) && sources[s] && !str_eqz(source, sources[s])) {
        s++;
    }
    if (!sources[s]) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid source: %.*s. Valid values are user, system, engine-default.",
                         STR_ARG(source));
    }
    *ret = (struct rds_parameters_list){ 0, ARENA_ARRAY(c->arena, struct rds_parameter, n + 1) };
    for (size_t i = 0; i < n; i++) {
        struct rds_parameter p = show(&known[i], family, settings);
        if (rds_known_in(&known[i], family) && (!str_set(source) || str_eq(p.Source, source))) {
            ret->v[ret->n++] = p;
        }
    }
    return ST_OK;
}

enum status rds_describe_db_parameters(struct call *c,
                                       const struct rds_describe_db_parameters_request *in,
                                       struct rds_describe_db_parameters_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    struct rds_db_parameter_group g = { 0 };
    struct rds_settings settings = { NULL, 0 };
    size_t from = 0;
    enum status st = find(c, in->DBParameterGroupName, &g);
    if (st == ST_OK) {
        st = call_status(
            c, rds_store_settings(c->db, c->arena, &owner, g.DBParameterGroupName, &settings));
    }
    st = st == ST_OK
             ? list(c, g.DBParameterGroupFamily, &settings, in->Source, &ret_out->Parameters)
             : st;
    struct rds_parameters_list *all = &ret_out->Parameters;
    st = st == ST_OK ? rds_page(c, in->MaxRecords, in->Marker, &all->n, &from, &ret_out->Marker)
                     : st;
    all->v += from;
    return st;
}

enum status rds_describe_engine_default_parameters(
    struct call *c, const struct rds_describe_engine_default_parameters_request *in,
    struct rds_describe_engine_default_parameters_response *ret_out)
{
    const struct rds_settings none = { NULL, 0 };
    size_t from = 0;
    struct rds_engine_defaults *d = ARENA_NEW(c->arena, struct rds_engine_defaults);
    if (!rds_is_family(in->DBParameterGroupFamily)) {
        return call_fail(c, &rds_InvalidParameterValue, "Invalid DB parameter group family: %.*s",
                         STR_ARG(in->DBParameterGroupFamily));
    }
    enum status st = list(c, in->DBParameterGroupFamily, &none, STR_NONE, &d->Parameters);
    st = st == ST_OK ? rds_page(c, in->MaxRecords, in->Marker, &d->Parameters.n, &from, &d->Marker)
                     : st;
    d->DBParameterGroupFamily = in->DBParameterGroupFamily;
    d->Parameters.v += from;
    ret_out->EngineDefaults = d;
    return st;
}

/* --- changing --------------------------------------------------------------------------------- */
static enum status check_parameter(struct call *c, struct str family, const struct rds_parameter *p,
                                   const struct rds_known **ret)
{
    const struct rds_known *k = rds_known_parameter(p->ParameterName);
    bool now = str_eqz(p->ApplyMethod, "immediate");
    if (!k || !rds_known_in(k, family)) {
        return call_fail(c, &rds_InvalidParameterValue, "Could not find parameter with name: %.*s",
                         STR_ARG(p->ParameterName));
    }
    if (!now && !str_eqz(p->ApplyMethod, "pending-reboot")) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "ApplyMethod of %s must be immediate or pending-reboot.", k->name);
    }
    if (now && !k->dynamic) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "cannot use immediate apply method for static parameter");
    }
    *ret = k;
    return ST_OK;
}

static enum status check_value(struct call *c, const struct rds_parameter *p,
                               const struct rds_known *k)
{
    if (rds_value_fits(k, p->ParameterValue)) {
        return ST_OK;
    }
    if (strcmp(k->name, "time_zone") == 0) {
        return call_fail(
            c, &rds_InvalidParameterValue,
            "Invalid parameter value: %.*s for: time_zone allowed values are: UTC and "
            "names of time zones, as Europe/Rome (no offsets, as on RDS)%s",
            STR_ARG(p->ParameterValue),
            rds_zone_is(STR("UTC")) ? "" : ". This machine knows none: install the package tzdata");
    }
    bool formula = p->ParameterValue.n && p->ParameterValue.p[0] == '{';
    return call_fail(c, &rds_InvalidParameterValue,
                     "Invalid parameter value: %.*s for: %s allowed values are: %s%s",
                     STR_ARG(p->ParameterValue), k->name, k->allowed ? k->allowed : "plain text",
                     formula ? " (formulas aren't supported: give a number)" : "");
}

/* Sets it in the running servers, or notes that they need a reboot. value absent: the default. */
static enum status spread(struct call *c, const struct rds_instances *users,
                          const struct rds_known *k, struct str value, bool now)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < users->n; i++) {
        struct rds_instance *u = &users->v[i];
        if (now && rds_server_is_up(rds_of(c), u->id)) {
            struct str text = rds_setup_value(c->arena, k, value);
            rds_server_set(
                rds_of(c), u->id,
                arena_printf(c->arena, "SET GLOBAL %s = %.*s\n", k->name, STR_ARG(text)));
        } else if (!str_eqz(u->doc->DBInstanceStatus, "stopped")) {
            u->doc->DBParameterGroups.v[0].ParameterApplyStatus = STR("pending-reboot");
            st = call_status(c, rds_store_update(c->db, c->arena, u));
        }
    }
    return st;
}

static enum status note_setting(struct call *c, const struct rds_db_parameter_group *g,
                                const struct rds_setting *s)
{
    const struct rds_owner owner = rds_owner_of(c);
    const struct rds_fact f = {
        RDS_EVENTS_GROUP,
        "RDS-EVENT-0037",
        "configuration change",
        g->DBParameterGroupName,
        g->DBParameterGroupArn,
        arena_printf(c->arena, "Updated parameter %.*s to %.*s with apply method %.*s",
                     STR_ARG(s->name), STR_ARG(s->value), STR_ARG(s->method)),
    };
    return call_status(c, rds_note(rds_of(c), c->arena, &owner, &f));
}

enum status rds_modify_db_parameter_group(struct call *c,
                                          const struct rds_modify_db_parameter_group_request *in,
                                          struct rds_modify_db_parameter_group_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    struct rds_db_parameter_group g = { 0 };
    struct rds_instances using = { NULL, 0 };
    const struct rds_known *k = NULL;
    enum status st = find_own(c, in->DBParameterGroupName, &g);
    if (st == ST_OK && (in->Parameters.n < 1 || in->Parameters.n > PARAMETERS_MAX)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Parameters must have 1 to %d members in one request.", PARAMETERS_MAX);
    }
    st = st == ST_OK ? users(c, g.DBParameterGroupName, &using) : st;
    for (size_t i = 0; st == ST_OK && i < in->Parameters.n; i++) {
        st = check_parameter(c, g.DBParameterGroupFamily, &in->Parameters.v[i], &k);
        st = st == ST_OK ? check_value(c, &in->Parameters.v[i], k) : st;
    }
    for (size_t i = 0; st == ST_OK && i < in->Parameters.n; i++) {
        const struct rds_parameter *p = &in->Parameters.v[i];
        k = rds_known_parameter(p->ParameterName); /* checked above */
        struct rds_setting s = { str_z(k->name), p->ParameterValue, p->ApplyMethod };
        st = st == ST_OK ? call_status(c, rds_store_set(c->db, &owner, g.DBParameterGroupName, &s))
                         : st;
        st = st == ST_OK ? spread(c, &using, k, s.value, str_eqz(s.method, "immediate")) : st;
        st = st == ST_OK ? note_setting(c, &g, &s) : st;
    }
    ret_out->DBParameterGroupName = st == ST_OK ? g.DBParameterGroupName : STR_NONE;
    return st;
}

static enum status reset_one(struct call *c, const struct rds_db_parameter_group *g,
                             const struct rds_instances *using, const struct rds_parameter *p)
{
    struct rds_owner owner = rds_owner_of(c);
    const struct rds_known *k = NULL;
    enum status st = check_parameter(c, g->DBParameterGroupFamily, p, &k);
    if (st != ST_OK || !k) {
        return st;
    }
    st = call_status(c, rds_store_unset(c->db, &owner, g->DBParameterGroupName, str_z(k->name)));
    return st == ST_OK ? spread(c, using, k, str_z(rds_known_value(k, g->DBParameterGroupFamily)),
                                str_eqz(p->ApplyMethod, "immediate"))
                       : st;
}

enum status rds_reset_db_parameter_group(struct call *c,
                                         const struct rds_reset_db_parameter_group_request *in,
                                         struct rds_reset_db_parameter_group_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    struct rds_db_parameter_group g = { 0 };
    struct rds_instances using = { NULL, 0 };
    struct rds_settings settings = { NULL, 0 };
    enum status st = find_own(c, in->DBParameterGroupName, &g);
    st = st == ST_OK ? users(c, g.DBParameterGroupName, &using) : st;
    if (st == ST_OK && in->ResetAllParameters.v) {
        st = call_status(
            c, rds_store_settings(c->db, c->arena, &owner, g.DBParameterGroupName, &settings));
    }
    for (size_t i = 0; st == ST_OK && i < settings.n; i++) {
        const struct rds_known *k = rds_known_parameter(settings.v[i].name);
        struct rds_parameter p = { .ParameterName = settings.v[i].name,
                                   .ApplyMethod =
                                       k && k->dynamic ? STR("immediate") : STR("pending-reboot") };
        st = reset_one(c, &g, &using, &p);
    }
    for (size_t i = 0; st == ST_OK && !in->ResetAllParameters.v && i < in->Parameters.n; i++) {
        st = reset_one(c, &g, &using, &in->Parameters.v[i]);
    }
    ret_out->DBParameterGroupName = st == ST_OK ? g.DBParameterGroupName : STR_NONE;
    return st;
}
