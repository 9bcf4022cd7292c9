/* Replication subnet groups: stored and shown; nothing is routed by them. */
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_internal.h"

static enum status set_subnets(struct call *c, const struct dms_subnet_identifier_list *ids,
                               struct dms_replication_subnet_group *g)
{
    struct dms_subnet *subnets = ARENA_ARRAY(c->arena, struct dms_subnet, ids->n + 1);
    bool several = false;
    for (size_t i = 0; i < ids->n; i++) {
        if (!str_starts(ids->v[i], STR("subnet-"))) {
            return call_fail(c, &dms_InvalidSubnet, "'%.*s' is not the id of a subnet.",
                             STR_ARG(ids->v[i]));
        }
        subnets[i] =
            (struct dms_subnet){ .SubnetIdentifier = ids->v[i], .SubnetStatus = STR("Active") };
        several |= !str_eq(ids->v[i], ids->v[0]);
    }
    if (!several) {
        return call_fail(c, &dms_ReplicationSubnetGroupDoesNotCoverEnoughAZs,
                         "The replication subnet group doesn't meet the Availability Zone coverage "
                         "requirement. Add subnets to cover at least two Availability Zones; one "
                         "subnet covers one.");
    }
    g->Subnets = (struct dms_subnet_list){ .n = ids->n, .v = subnets };
    return ST_OK;
}

enum status
dms_create_replication_subnet_group(struct call *c,
                                    const struct dms_create_replication_subnet_group_request *in,
                                    struct dms_create_replication_subnet_group_response *ret_out)
{
    enum status st = dms_check_ident(c, "ReplicationSubnetGroupIdentifier",
                                     in->ReplicationSubnetGroupIdentifier);
    if (st != ST_OK) {
        return st;
    }
    struct str ident = arena_lower(c->arena, in->ReplicationSubnetGroupIdentifier);
    if (str_eqz(ident, "default") || in->SubnetIds.n == 0) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "A subnet group needs subnets and must not be named 'default'.");
    }
    struct dms_replication_subnet_group *g =
        ARENA_NEW(c->arena, struct dms_replication_subnet_group);
    *g = (struct dms_replication_subnet_group){
        .ReplicationSubnetGroupIdentifier = ident,
        .ReplicationSubnetGroupDescription = in->ReplicationSubnetGroupDescription,
        .SubnetGroupStatus = STR("Complete"),
    };
    st = set_subnets(c, &in->SubnetIds, g);
    if (st != ST_OK) {
        return st;
    }
    ret_out->ReplicationSubnetGroup = g;
    struct dms_resource row = { .arn = dms_new_arn(c, DMS_KIND_SUBNETS, ident), .ident = ident };
    return dms_keep_new(c, &dms_subnet_groups, &row, g, &in->Tags);
}

enum status dms_describe_replication_subnet_groups(
    struct call *c, const struct dms_describe_replication_subnet_groups_request *in,
    struct dms_describe_replication_subnet_groups_response *ret_out)
{
    return dms_describe(c, &dms_subnet_groups, DMS_ASK(in), &ret_out->ReplicationSubnetGroups,
                        &ret_out->Marker);
}

enum status
dms_modify_replication_subnet_group(struct call *c,
                                    const struct dms_modify_replication_subnet_group_request *in,
                                    struct dms_modify_replication_subnet_group_response *ret_out)
{
    struct dms_resource row;
    struct dms_replication_subnet_group *g;
    enum status st =
        dms_need_ident(c, &dms_subnet_groups,
                       arena_lower(c->arena, in->ReplicationSubnetGroupIdentifier), &row, &g);
    if (st != ST_OK) {
        return st;
    }
    if (in->SubnetIds.n == 0) {
        return call_fail(c, &dms_InvalidParameterValueException, "A subnet group needs subnets.");
    }
    if (str_set(in->ReplicationSubnetGroupDescription)) {
        g->ReplicationSubnetGroupDescription = in->ReplicationSubnetGroupDescription;
    }
    st = set_subnets(c, &in->SubnetIds, g);
    ret_out->ReplicationSubnetGroup = g;
    return st == ST_OK ? dms_keep(c, &dms_subnet_groups, &row, g) : st;
}

/* Is an instance described with this group? */
static enum status in_use(struct call *c, struct str ident, bool *ret)
{
    struct dms_replication_instance_list all = { 0 };
    enum status st = dms_gather(c, &dms_instances, NULL, &all);
    for (size_t i = 0; i < all.n && !*ret; i++) {
        const struct dms_replication_subnet_group *g = all.v[i].ReplicationSubnetGroup;
        *ret = g && str_eq(g->ReplicationSubnetGroupIdentifier, ident);
    }
    return st;
}

enum status dms_delete_replication_subnet_group(
    struct call *c, const struct dms_delete_replication_subnet_group_request *in, void *ret_out)
{
    (void)ret_out;
    struct str ident = arena_lower(c->arena, in->ReplicationSubnetGroupIdentifier);
    struct dms_resource row;
    enum status st = dms_need_ident(c, &dms_subnet_groups, ident, &row, NULL);
    bool used = false;
    if (st == ST_OK) {
        st = in_use(c, ident, &used);
    }
    if (used) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The replication subnet group %.*s is used by a replication instance.",
                         STR_ARG(ident));
    }
    return st == ST_OK ? call_status(c, dms_store_resource_delete(c->db, row.arn)) : st;
}
