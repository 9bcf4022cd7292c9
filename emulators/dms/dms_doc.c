#include "emulators/dms/dms_doc.h"

#include "server/wire/codec.h"
#include "server/wire/shape_def.h"

/* --- kinds ------------------------------------------------------------------------------------ */
#define FORM(op, member) .form = { dms_ops, DMS_N_OPS, op, member }

const struct dms_kind dms_instances = {
    DMS_KIND_INSTANCE,
    "replication instance",
    FORM("CreateReplicationInstance", "ReplicationInstance"),
    { { "replication-instance-arn",
        offsetof(struct dms_replication_instance, ReplicationInstanceArn) },
      { "replication-instance-id",
        offsetof(struct dms_replication_instance, ReplicationInstanceIdentifier) },
      { "replication-instance-class",
        offsetof(struct dms_replication_instance, ReplicationInstanceClass) },
      { "engine-version", offsetof(struct dms_replication_instance, EngineVersion) } },
};
const struct dms_kind dms_endpoints = {
    DMS_KIND_ENDPOINT,
    "endpoint",
    FORM("CreateEndpoint", "Endpoint"),
    { { "endpoint-arn", offsetof(struct dms_endpoint, EndpointArn) },
      { "endpoint-id", offsetof(struct dms_endpoint, EndpointIdentifier) },
      { "endpoint-type", offsetof(struct dms_endpoint, EndpointType) },
      { "engine-name", offsetof(struct dms_endpoint, EngineName) } },
};
const struct dms_kind dms_subnet_groups = {
    DMS_KIND_SUBNETS,
    "replication subnet group",
    FORM("CreateReplicationSubnetGroup", "ReplicationSubnetGroup"),
    { { "replication-subnet-group-id",
        offsetof(struct dms_replication_subnet_group, ReplicationSubnetGroupIdentifier) } },
};
const struct dms_kind dms_certificates = {
    DMS_KIND_CERTIFICATE,
    "certificate",
    FORM("ImportCertificate", "Certificate"),
    { { "certificate-arn", offsetof(struct dms_certificate, CertificateArn) },
      { "certificate-id", offsetof(struct dms_certificate, CertificateIdentifier) } },
};
const struct dms_kind dms_configs = {
    DMS_KIND_CONFIG,
    "replication config",
    FORM("CreateReplicationConfig", "ReplicationConfig"),
    { { "replication-config-arn", offsetof(struct dms_replication_config, ReplicationConfigArn) },
      { "replication-config-id",
        offsetof(struct dms_replication_config, ReplicationConfigIdentifier) } },
};
const struct dms_kind dms_runs = {
    DMS_KIND_RUN,
    "assessment run",
    FORM("StartReplicationTaskAssessmentRun", "ReplicationTaskAssessmentRun"),
    { { NULL, 0 } },
};
const struct dms_kind dms_ones = {
    DMS_KIND_ONE,
    "individual assessment",
    FORM("DescribeReplicationTaskIndividualAssessments", "ReplicationTaskIndividualAssessments"),
    { { "replication-task-assessment-run-arn",
        offsetof(struct dms_replication_task_individual_assessment,
                 ReplicationTaskAssessmentRunArn) },
      { "status", offsetof(struct dms_replication_task_individual_assessment, Status) } },
};

const struct shape *dms_member(const char *op, const char *member)
{
    const struct field *field = op_find(dms_ops, DMS_N_OPS, str_z(op))->in->fields;
    while (strcmp(field->name, member) != 0) {
        field++;
    }
    return field->shape;
}

/* --- one -------------------------------------------------------------------------------------- */

/* Ends the search for a row. */
static enum status found(struct call *c, enum status st, const struct dms_kind *kind,
                         struct str name, const struct dms_resource *row, void *ret_doc)
{
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault, "The %s %.*s could not be found.",
                         kind->noun, STR_ARG(name));
    }
    return call_status(c, st == ST_OK && ret_doc ? dms_doc_read(kind, c->arena, row, ret_doc) : st);
}

enum status dms_need(struct call *c, const struct dms_kind *kind, struct str arn,
                     struct dms_resource *ret, void *ret_doc)
{
    enum status st = dms_store_resource_get(c->db, c->arena, kind->id, arn, ret);
    return found(c, st, kind, arn, ret, ret_doc);
}

enum status dms_need_ident(struct call *c, const struct dms_kind *kind, struct str ident,
                           struct dms_resource *ret, void *ret_doc)
{
    enum status st =
        dms_store_resource_by_ident(c->db, c->arena, kind->id, dms_owner_of(c), ident, ret);
    return found(c, st, kind, ident, ret, ret_doc);
}

static enum status kept(struct call *c, enum status st, const struct dms_kind *kind,
                        const struct dms_resource *row)
{
    return st == ST_EXISTS
               ? call_fail(c, &dms_ResourceAlreadyExistsFault,
                           "Another %s with the identifier %.*s or this ARN already exists.",
                           kind->noun, STR_ARG(row->ident))
               : call_status(c, st);
}

enum status dms_keep_new(struct call *c, const struct dms_kind *kind, struct dms_resource *row,
                         const void *doc, const struct dms_tag_list *tags)
{
    row->account = c->caller.account;
    row->region = c->caller.region;
    enum status st = dms_doc_write(kind, c->arena, doc, row);
    if (st == ST_OK) {
        st = dms_store_resource_add(c->db, kind->id, row, c->received_ms);
    }
    return kept(c, st == ST_OK ? tags_set(c->db, &dms_tags, row->arn, tags) : st, kind, row);
}

enum status dms_keep(struct call *c, const struct dms_kind *kind, struct dms_resource *row,
                     const void *doc)
{
    enum status st = dms_doc_write(kind, c->arena, doc, row);
    return kept(c, st == ST_OK ? dms_store_resource_update(c->db, row) : st, kind, row);
}

/* --- many ------------------------------------------------------------------------------------- */

static bool fits(const struct dms_kind *kind, const struct dms_filter_list *filters,
                 const char *doc)
{
    bool yes = true;
    for (size_t i = 0; yes && i < DMS_KIND_FILTERS_MAX && kind->filters[i].name; i++) {
        struct str text;
        memcpy(&text, doc + kind->filters[i].off, sizeof(text));
        yes = dms_filter_fits(filters, kind->filters[i].name, text);
    }
    return yes;
}

enum status dms_gather(struct call *c, const struct dms_kind *kind,
                       const struct dms_filter_list *filters, void *list)
{
    const char *known[DMS_KIND_FILTERS_MAX + 1] = { NULL };
    for (size_t i = 0; i < DMS_KIND_FILTERS_MAX; i++) {
        known[i] = kind->filters[i].name;
    }
    struct dms_resource *rows = NULL;
    size_t n = 0, size = doc_form_size(&kind->form);
    enum status st = filters ? dms_check_filters(c, filters, known) : ST_OK;
    if (st == ST_OK) {
        st = call_status(
            c, dms_store_resource_list(c->db, c->arena, kind->id, dms_owner_of(c), &rows, &n));
    }
    struct shape_seq seq = { 0, arena_alloc(c->arena, (n + 1) * size) };
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        const char *doc = NULL;
        st = call_status(c, dms_doc_read(kind, c->arena, &rows[i], &doc));
        if (st == ST_OK && (!filters || fits(kind, filters, doc))) {
            memcpy((char *)seq.v + seq.n++ * size, doc, size);
        }
    }
    shape_seq_store(list, seq);
    return st;
}

enum status dms_describe(struct call *c, const struct dms_kind *kind, const struct dms_ask *ask,
                         void *list, struct str *ret_marker)
{
    enum status st = dms_gather(c, kind, ask->filters, list);
    if (st == ST_OK) {
        st = dms_need_any(c, kind->noun, shape_seq_load(list).n, ask->filters);
    }
    return st == ST_OK
               ? dms_cut_n(c, ask, DMS_PAGE_MAX, doc_form_size(&kind->form), list, ret_marker)
               : st;
}
