/* Tags, by ARN. */
#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"

/* Does the ARN name something that is there? */
static enum status check_arn(struct call *c, struct str arn)
{
    struct rds_owner owner = rds_owner_of(c);
    struct rds_instance i;
    struct rds_snapshot s;
    struct rds_db_parameter_group *g;
    struct rds_db_subnet_group *n;
    struct str prefix = call_arn(c, "rds", "%s", ""), kind, name;
    if (!str_starts(arn, prefix) || !str_cut(str_sub(arn, prefix.n, arn.n), ':', &kind, &name)) {
        return call_fail(c, &rds_InvalidParameterValue, "Invalid resource name: %.*s",
                         STR_ARG(arn));
    }
    enum status st = ST_NOT_FOUND;
    const struct aws_error *missing = &rds_ResourceNotFoundFault;
    if (str_eqz(kind, "db")) {
        st = rds_store_by_name(c->db, c->arena, &owner, name, &i);
        missing = &rds_DBInstanceNotFoundFault;
    } else if (str_eqz(kind, "snapshot")) {
        st = rds_store_snapshot(c->db, c->arena, &owner, name, &s);
        missing = &rds_DBSnapshotNotFoundFault;
    } else if (str_eqz(kind, "pg")) {
        st = rds_store_group(c->db, c->arena, &owner, name, &g);
        missing = &rds_DBParameterGroupNotFoundFault;
    } else if (str_eqz(kind, "subgrp")) {
        st = rds_store_subnets(c->db, c->arena, &owner, name, &n);
        missing = &rds_DBSubnetGroupNotFoundFault;
    }
    return st == ST_NOT_FOUND ? call_fail(c, missing, "There is nothing named %.*s.", STR_ARG(arn))
                              : call_status(c, st);
}

enum status rds_add_tags_to_resource(struct call *c,
                                     const struct rds_add_tags_to_resource_request *in,
                                     void *ret_out)
{
    (void)ret_out;
    enum status st = check_arn(c, in->ResourceName);
    return st == ST_OK ? call_status(c, tags_set(c->db, &rds_tags, in->ResourceName, &in->Tags))
                       : st;
}

enum status rds_remove_tags_from_resource(struct call *c,
                                          const struct rds_remove_tags_from_resource_request *in,
                                          void *ret_out)
{
    (void)ret_out;
    enum status st = check_arn(c, in->ResourceName);
    return st == ST_OK
               ? call_status(c, tags_unset(c->db, &rds_tags, in->ResourceName, &in->TagKeys))
               : st;
}

enum status rds_list_tags_for_resource(struct call *c,
                                       const struct rds_list_tags_for_resource_request *in,
                                       struct rds_list_tags_for_resource_response *ret_out)
{
    enum status st = check_arn(c, in->ResourceName);
    return st == ST_OK ? call_status(c, tags_list(c->db, c->arena, &rds_tags, in->ResourceName,
                                                  &ret_out->TagList))
                       : st;
}
