/* Replication subnet groups: stored and shown; nothing is routed by them. */
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_internal.h"
#include "server/wire/doc.h"

static enum status set_subnets(struct call *c, const struct dms_subnet_identifier_list *ids,
                               struct dms_replication_subnet_group *g)
{
    struct dms_subnet *subnets = ARENA_ARRAY(c->arena, struct dms_subnet, ids->n + 1);
    for (size_t i = 0; i < ids->n; i++) {
        if (!str_starts(ids->v[i], STR("subnet-"))) {
            return call_fail(c, &dms_InvalidSubnet, "'%.*s' is not the id of a subnet.",
                             STR_ARG(ids->v[i]));
        }
        subnets[i] =
            (struct dms_subnet){ .SubnetIdentifier = ids->v[i], .SubnetStatus = STR("Active") };
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
    struct dms_resource row = { .arn = dms_new_arn(c, "subgrp", ident),
                                .account = c->caller.account,
                                .region = c->caller.region,
                                .ident = ident };
    st = doc_write(dms_op("CreateReplicationSubnetGroup"), c->arena, ret_out, &row.doc);
    if (st == ST_OK) {
        st = dms_store_resource_add(c->db, DMS_KIND_SUBNETS, &row, c->received_ms);
    }
    if (st == ST_EXISTS) {
        return call_fail(c, &dms_ResourceAlreadyExistsFault,
                         "The replication subnet group %.*s already exists.", STR_ARG(ident));
    }
    if (st == ST_OK) {
        st = dms_put_tags(c, row.arn, &in->Tags);
    }
    return call_status(c, st);
}

enum status dms_describe_replication_subnet_groups(
    struct call *c, const struct dms_describe_replication_subnet_groups_request *in,
    struct dms_describe_replication_subnet_groups_response *ret_out)
{
    static const char *const known[] = { "replication-subnet-group-id", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    if (st != ST_OK) {
        return st;
    }
    struct dms_resource *rows = NULL;
    size_t n = 0, fitting = 0;
    st = dms_store_resource_list(c->db, c->arena, DMS_KIND_SUBNETS, dms_owner_of(c), &rows, &n);
    struct dms_replication_subnet_group *items =
        ARENA_ARRAY(c->arena, struct dms_replication_subnet_group, n + 1);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        void *doc;
        st = doc_read(dms_op("CreateReplicationSubnetGroup"), c->arena, rows[i].doc, &doc);
        if (st == ST_OK && dms_filter_fits(&in->Filters, known[0], rows[i].ident)) {
            struct dms_create_replication_subnet_group_response *out = doc;
            items[fitting++] = *out->ReplicationSubnetGroup;
        }
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (fitting == 0 && in->Filters.n > 0) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "No replication subnet groups found matching the filter(s).");
    }
    struct dms_page page;
    st = dms_page(c, in->MaxRecords, in->Marker, fitting, 100, &page);
    if (st == ST_OK) {
        ret_out->Marker = page.marker;
        ret_out->ReplicationSubnetGroups.n = page.to - page.from;
        ret_out->ReplicationSubnetGroups.v = items + page.from;
    }
    return st;
}

enum status
dms_modify_replication_subnet_group(struct call *c,
                                    const struct dms_modify_replication_subnet_group_request *in,
                                    struct dms_modify_replication_subnet_group_response *ret_out)
{
    struct dms_resource row;
    enum status st = dms_store_resource_by_ident(
        c->db, c->arena, DMS_KIND_SUBNETS, dms_owner_of(c),
        arena_lower(c->arena, in->ReplicationSubnetGroupIdentifier), &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The replication subnet group %.*s could not be found.",
                         STR_ARG(in->ReplicationSubnetGroupIdentifier));
    }
    void *doc = NULL;
    if (st == ST_OK) {
        st = doc_read(dms_op("CreateReplicationSubnetGroup"), c->arena, row.doc, &doc);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (in->SubnetIds.n == 0) {
        return call_fail(c, &dms_InvalidParameterValueException, "A subnet group needs subnets.");
    }
    struct dms_create_replication_subnet_group_response *kept = doc;
    if (str_set(in->ReplicationSubnetGroupDescription)) {
        kept->ReplicationSubnetGroup->ReplicationSubnetGroupDescription =
            in->ReplicationSubnetGroupDescription;
    }
    st = set_subnets(c, &in->SubnetIds, kept->ReplicationSubnetGroup);
    if (st != ST_OK) {
        return st;
    }
    st = doc_write(dms_op("CreateReplicationSubnetGroup"), c->arena, kept, &row.doc);
    if (st == ST_OK) {
        st = dms_store_resource_update(c->db, &row);
    }
    ret_out->ReplicationSubnetGroup = kept->ReplicationSubnetGroup;
    return call_status(c, st);
}

/* Is an instance described with this group? */
static enum status in_use(struct call *c, struct str ident, bool *ret)
{
    struct dms_resource *rows = NULL;
    size_t n = 0;
    *ret = false;
    enum status st =
        dms_store_resource_list(c->db, c->arena, DMS_KIND_INSTANCE, dms_owner_of(c), &rows, &n);
    for (size_t i = 0; i < n && st == ST_OK && !*ret; i++) {
        void *doc;
        st = doc_read(dms_op("CreateReplicationInstance"), c->arena, rows[i].doc, &doc);
        if (st == ST_OK) {
            struct dms_create_replication_instance_response *out = doc;
            const struct dms_replication_subnet_group *g =
                out->ReplicationInstance->ReplicationSubnetGroup;
            *ret = g && str_eq(g->ReplicationSubnetGroupIdentifier, ident);
        }
    }
    return st;
}

enum status dms_delete_replication_subnet_group(
    struct call *c, const struct dms_delete_replication_subnet_group_request *in, void *ret_out)
{
    (void)ret_out;
    struct str ident = arena_lower(c->arena, in->ReplicationSubnetGroupIdentifier);
    struct dms_resource row;
    enum status st = dms_store_resource_by_ident(c->db, c->arena, DMS_KIND_SUBNETS, dms_owner_of(c),
                                                 ident, &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The replication subnet group %.*s could not be found.", STR_ARG(ident));
    }
    bool used = false;
    if (st == ST_OK) {
        st = in_use(c, ident, &used);
    }
    if (used) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The replication subnet group %.*s is used by a replication instance.",
                         STR_ARG(ident));
    }
    if (st == ST_OK) {
        st = dms_store_resource_delete(c->db, row.arn);
    }
    return call_status(c, st);
}
