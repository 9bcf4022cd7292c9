/* Subnet groups: stored and shown; nothing is routed by them. */
#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"

static enum status fill(struct call *c, struct str description,
                        const struct rds_subnet_identifier_list *ids, struct rds_db_subnet_group *g)
{
    if (ids->n < 2) {
        return call_fail(c, &rds_DBSubnetGroupDoesNotCoverEnoughAZs,
                         "The DB subnet group doesn't meet Availability Zone (AZ) coverage "
                         "requirement: give at least two subnets.");
    }
    g->Subnets = (struct rds_subnet_list){ 0, ARENA_ARRAY(c->arena, struct rds_subnet, ids->n) };
    for (size_t i = 0; i < ids->n; i++) {
        if (!str_starts(ids->v[i], STR("subnet-"))) {
            return call_fail(c, &rds_InvalidSubnet, "'%.*s' is not the id of a subnet.",
                             STR_ARG(ids->v[i]));
        }
        struct rds_availability_zone *zone = ARENA_NEW(c->arena, struct rds_availability_zone);
        zone->Name =
            arena_printf(c->arena, "%.*s%c", STR_ARG(c->caller.region), (char)('a' + (int)(i % 3)));
        g->Subnets.v[g->Subnets.n++] = (struct rds_subnet){ .SubnetIdentifier = ids->v[i],
                                                            .SubnetAvailabilityZone = zone,
                                                            .SubnetStatus = STR("Active") };
    }
    if (str_set(description)) {
        g->DBSubnetGroupDescription = description;
    }
    g->SubnetGroupStatus = STR("Complete");
    return ST_OK;
}

static enum status find(struct call *c, struct str name, struct rds_db_subnet_group **ret)
{
    struct rds_owner owner = rds_owner_of(c);
    enum status st = rds_store_subnets(c->db, c->arena, &owner, arena_lower(c->arena, name), ret);
    return st == ST_NOT_FOUND ? call_fail(c, &rds_DBSubnetGroupNotFoundFault,
                                          "DB subnet group '%.*s' does not exist.", STR_ARG(name))
                              : call_status(c, st);
}

enum status rds_create_db_subnet_group(struct call *c,
                                       const struct rds_create_db_subnet_group_request *in,
                                       struct rds_create_db_subnet_group_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    struct str name = arena_lower(c->arena, in->DBSubnetGroupName);
    if (name.n < 1 || name.n > 255 || str_eqz(name, "default")) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "DBSubnetGroupName must have 1 to 255 characters and not be 'default'.");
    }
    struct rds_db_subnet_group *g = ARENA_NEW(c->arena, struct rds_db_subnet_group);
    g->DBSubnetGroupName = name;
    g->DBSubnetGroupArn = call_arn(c, "rds", "subgrp:%.*s", STR_ARG(name));
    enum status st = fill(c, in->DBSubnetGroupDescription, &in->SubnetIds, g);
    if (st != ST_OK) {
        return st;
    }
    st = rds_store_put_subnets(c->db, c->arena, &owner, g, false);
    if (st == ST_EXISTS) {
        return call_fail(c, &rds_DBSubnetGroupAlreadyExistsFault,
                         "The DB subnet group '%.*s' already exists.", STR_ARG(name));
    }
    ret_out->DBSubnetGroup = g;
    return call_status(c, st == ST_OK ? tags_set(c->db, &rds_tags, g->DBSubnetGroupArn, &in->Tags)
                                      : st);
}

enum status rds_modify_db_subnet_group(struct call *c,
                                       const struct rds_modify_db_subnet_group_request *in,
                                       struct rds_modify_db_subnet_group_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    enum status st = find(c, in->DBSubnetGroupName, &ret_out->DBSubnetGroup);
    if (st == ST_OK) {
        st = fill(c, in->DBSubnetGroupDescription, &in->SubnetIds, ret_out->DBSubnetGroup);
    }
    if (st == ST_OK) {
        st = call_status(
            c, rds_store_put_subnets(c->db, c->arena, &owner, ret_out->DBSubnetGroup, true));
    }
    return st;
}

enum status rds_describe_db_subnet_groups(struct call *c,
                                          const struct rds_describe_db_subnet_groups_request *in,
                                          struct rds_describe_db_subnet_groups_response *ret_out)
{
    struct rds_owner owner = rds_owner_of(c);
    struct rds_db_subnet_groups all = { 0, NULL };
    size_t from = 0;
    enum status st;
    if (str_set(in->DBSubnetGroupName)) {
        all.n = 1;
        st = find(c, in->DBSubnetGroupName, &all.v);
    } else {
        st = call_status(c, rds_store_all_subnets(c->db, c->arena, &owner, &all));
    }
    st =
        st == ST_OK ? rds_page(c, in->MaxRecords, in->Marker, &all.n, &from, &ret_out->Marker) : st;
    ret_out->DBSubnetGroups = (struct rds_db_subnet_groups){ all.n, all.v + from };
    return st;
}

enum status rds_delete_db_subnet_group(struct call *c,
                                       const struct rds_delete_db_subnet_group_request *in,
                                       void *ret_out)
{
    (void)ret_out;
    struct rds_owner owner = rds_owner_of(c);
    struct rds_db_subnet_group *g;
    struct rds_instances all;
    enum status st = find(c, in->DBSubnetGroupName, &g);
    st = st == ST_OK ? call_status(c, rds_store_list(c->db, c->arena, &owner, &all)) : st;
    for (size_t i = 0; st == ST_OK && i < all.n; i++) {
        const struct rds_db_subnet_group *used = all.v[i].doc->DBSubnetGroup;
        if (used && str_eq(used->DBSubnetGroupName, g->DBSubnetGroupName)) {
            return call_fail(c, &rds_InvalidDBSubnetGroupStateFault,
                             "Cannot delete the subnet group '%.*s' because at least one database "
                             "instance: %.*s is still using it.",
                             STR_ARG(g->DBSubnetGroupName), STR_ARG(all.v[i].name));
        }
    }
    st = st == ST_OK ? rds_store_remove_subnets(c->db, &owner, g->DBSubnetGroupName) : st;
    st = st == ST_OK ? tags_clear(c->db, &rds_tags, g->DBSubnetGroupArn) : st;
    return call_status(c, st);
}
