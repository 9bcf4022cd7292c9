/* Connections: where a job, a crawler or a client finds a data store, and its credentials. The
 * password is given back to whoever doesn't set HidePassword, as on AWS; it is never logged. */
#include "emulators/glue/catalog/catalog_common.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"

#define CONNECTIONS_PAGE 200
#define CRITERIA_MAX 10
#define SCHEMA_VERSION 1 /* 2 is the form with AuthenticationConfiguration */

/* Types that are described by ConnectionProperties alone, and the property that each needs. */
static const struct {
    struct str type;
    const char *needs; /* NULL: none */
} known_types[] = {
    { STR_INIT("JDBC"), "JDBC_CONNECTION_URL" },
    { STR_INIT("KAFKA"), "KAFKA_BOOTSTRAP_SERVERS" },
    { STR_INIT("MONGODB"), "CONNECTION_URL" },
    { STR_INIT("NETWORK"), NULL },
    { STR_INIT("CUSTOM"), "CONNECTOR_URL" },
    { STR_INIT("MARKETPLACE"), "CONNECTOR_URL" },
    { STR_INIT("SFTP"), NULL },
};

static struct str property(const struct glue_connection_properties *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (str_eqz(p->v[i].key, name)) {
            return p->v[i].value;
        }
    }
    return STR_NONE;
}

static enum status check_type(struct call *c, const struct glue_connection_input *in)
{
    for (size_t i = 0; i < ARRAY_LEN(known_types); i++) {
        if (!str_eq(in->ConnectionType, known_types[i].type)) {
            continue;
        }
        const char *needs = known_types[i].needs;
        if (needs && str_empty(property(&in->ConnectionProperties, needs))) {
            return call_fail(c, &glue_InvalidInputException,
                             "Connection properties of type %.*s must have %s.",
                             STR_ARG(in->ConnectionType), needs);
        }
        return ST_OK;
    }
    const struct catalog_missing missing[] = {
        { "ConnectionType other than JDBC, KAFKA, MONGODB, NETWORK, CUSTOM, MARKETPLACE and SFTP",
          true },
        { NULL, false },
    };
    return catalog_refuse_missing(c, missing);
}

static enum status check_input(struct call *c, const struct glue_connection_input *in)
{
    const struct catalog_missing missing[] = {
        { "AuthenticationConfiguration", in->AuthenticationConfiguration != NULL },
        { "ValidateCredentials", in->ValidateCredentials.v },
        { "ValidateForComputeEnvironments", in->ValidateForComputeEnvironments.n > 0 },
        { NULL, false },
    };
    enum status st = catalog_check_name(c, "connectionInput.name", in->Name);
    st = st == ST_OK ? catalog_check_text(c, "connectionInput.description", in->Description,
                                          CATALOG_DESCRIPTION_MAX)
                     : st;
    if (st == ST_OK && in->MatchCriteria.n > CRITERIA_MAX) {
        st = catalog_check_count(c, "connectionInput.matchCriteria", in->MatchCriteria.n,
                                 CRITERIA_MAX);
    }
    st = st == ST_OK ? catalog_refuse_missing(c, missing) : st;
    return st == ST_OK ? check_type(c, in) : st;
}

static struct glue_connection
connection_from(struct call *c, const struct glue_connection_input *in, struct opt_time created)
{
    return (struct glue_connection){
        .Name = in->Name,
        .Description = in->Description,
        .ConnectionType = in->ConnectionType,
        .MatchCriteria = in->MatchCriteria,
        .ConnectionProperties = in->ConnectionProperties,
        .SparkProperties = in->SparkProperties,
        .AthenaProperties = in->AthenaProperties,
        .PythonProperties = in->PythonProperties,
        .PhysicalConnectionRequirements = in->PhysicalConnectionRequirements,
        .CreationTime = created,
        .LastUpdatedTime = OPT_TIME(clock_now_ms()),
        .LastUpdatedBy = catalog_caller(c),
        .Status = STR("READY"),
        .ConnectionSchemaVersion = OPT_I64(SCHEMA_VERSION),
    };
}

/* The connection, or the call failed. */
static enum status find(struct call *c, struct str catalog_id, struct str name,
                        struct glue_owner *ret_owner, struct glue_connection **ret)
{
    enum status st = catalog_owner(c, catalog_id, ret_owner);
    if (st != ST_OK) {
        return st;
    }
    st = catalog_connection(c->db, c->arena, ret_owner, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Connection %.*s not found.",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

static void hide_password(struct glue_connection *connection)
{
    struct glue_connection_properties *p = &connection->ConnectionProperties;
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        bool secret =
            str_eqz(p->v[i].key, "PASSWORD") || str_eqz(p->v[i].key, "ENCRYPTED_PASSWORD");
        if (!secret) {
            p->v[n++] = p->v[i];
        }
    }
    p->n = n;
}

enum status glue_create_connection(struct call *c, const struct glue_create_connection_request *in,
                                   struct glue_create_connection_response *ret_out)
{
    struct glue_owner owner;
    enum status st = catalog_owner(c, in->CatalogId, &owner);
    st = st == ST_OK ? check_input(c, in->ConnectionInput) : st;
    if (st != ST_OK) {
        return st;
    }
    struct glue_connection connection =
        connection_from(c, in->ConnectionInput, OPT_TIME(clock_now_ms()));
    st = catalog_add_connection(c->db, c->arena, &owner, &connection);
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Connection %.*s already exists.",
                         STR_ARG(connection.Name));
    }
    st = call_status(c, st);
    ret_out->CreateConnectionStatus = connection.Status;
    return st == ST_OK ? glue_tags_add(c, "connection", connection.Name, &in->Tags) : st;
}

enum status glue_get_connection(struct call *c, const struct glue_get_connection_request *in,
                                struct glue_get_connection_response *ret_out)
{
    struct glue_owner owner;
    enum status st = find(c, in->CatalogId, in->Name, &owner, &ret_out->Connection);
    if (st == ST_OK && in->HidePassword.v) {
        hide_password(ret_out->Connection);
    }
    return st;
}

/* All that the filter names must fit. */
static bool fits(const struct glue_get_connections_filter *f, const struct glue_connection *conn)
{
    if (!f) {
        return true;
    }
    if ((str_set(f->ConnectionType) && !str_eq(f->ConnectionType, conn->ConnectionType)) ||
        (f->ConnectionSchemaVersion.set &&
         f->ConnectionSchemaVersion.v != conn->ConnectionSchemaVersion.v)) {
        return false;
    }
    for (size_t i = 0; i < f->MatchCriteria.n; i++) {
        bool there = false;
        for (size_t k = 0; k < conn->MatchCriteria.n; k++) {
            there = there || str_eq(f->MatchCriteria.v[i], conn->MatchCriteria.v[k]);
        }
        if (!there) {
            return false;
        }
    }
    return true;
}

/* The filter is applied to pages of rows until the answer is full. */
static enum status collect(struct call *c, const struct glue_owner *owner,
                           const struct glue_get_connections_request *in, struct catalog_page page,
                           struct glue_connection_list *out)
{
    const struct catalog_page rest = { page.after, CATALOG_ALL.limit };
    struct glue_connection_list all;
    enum status st = catalog_connections(c->db, c->arena, owner, rest, &all);
    out->v = ARENA_ARRAY(c->arena, struct glue_connection, all.n + 1);
    for (size_t i = 0; st == ST_OK && i < all.n && (int64_t)out->n <= page.limit; i++) {
        if (fits(in->Filter, &all.v[i])) {
            out->v[out->n++] = all.v[i];
        }
    }
    return st;
}

enum status glue_get_connections(struct call *c, const struct glue_get_connections_request *in,
                                 struct glue_get_connections_response *ret_out)
{
    struct glue_owner owner;
    struct catalog_page page;
    struct glue_connection_list *out = &ret_out->ConnectionList;
    enum status st = catalog_owner(c, in->CatalogId, &owner);
    st = st == ST_OK ? catalog_page_of(c, in->NextToken, in->MaxResults, CONNECTIONS_PAGE, &page)
                     : st;
    st = st == ST_OK ? collect(c, &owner, in, page, out) : st;
    if (st == ST_OK && (int64_t)out->n > page.limit) {
        out->n = (size_t)page.limit;
        ret_out->NextToken = catalog_token(c->arena, out->v[out->n - 1].Name);
    }
    for (size_t i = 0; in->HidePassword.v && i < out->n; i++) {
        hide_password(&out->v[i]);
    }
    return call_status(c, st);
}

/* The definition is replaced as a whole; a connection keeps its name. */
enum status glue_update_connection(struct call *c, const struct glue_update_connection_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct glue_owner owner;
    struct glue_connection *old;
    enum status st = find(c, in->CatalogId, in->Name, &owner, &old);
    st = st == ST_OK ? check_input(c, in->ConnectionInput) : st;
    if (st != ST_OK) {
        return st;
    }
    if (!str_eq(in->Name, in->ConnectionInput->Name)) {
        return call_fail(c, &glue_InvalidInputException,
                         "A connection can't be renamed: Name is '%.*s', ConnectionInput.Name "
                         "'%.*s'.",
                         STR_ARG(in->Name), STR_ARG(in->ConnectionInput->Name));
    }
    struct glue_connection connection = connection_from(c, in->ConnectionInput, old->CreationTime);
    return call_status(c, catalog_set_connection(c->db, c->arena, &owner, &connection));
}

static enum status delete_one(struct call *c, const struct glue_owner *owner, struct str name)
{
    enum status st = catalog_delete_connection(c->db, owner, name);
    return st == ST_OK ? glue_tags_drop(c, "connection", name) : st;
}

enum status glue_delete_connection(struct call *c, const struct glue_delete_connection_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct glue_owner owner;
    enum status st = catalog_owner(c, in->CatalogId, &owner);
    st = st == ST_OK ? delete_one(c, &owner, in->ConnectionName) : st;
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Connection %.*s not found.",
                         STR_ARG(in->ConnectionName));
    }
    return call_status(c, st);
}

enum status glue_batch_delete_connection(struct call *c,
                                         const struct glue_batch_delete_connection_request *in,
                                         struct glue_batch_delete_connection_response *ret_out)
{
    struct glue_owner owner;
    struct glue_name_string_list *done = &ret_out->Succeeded;
    struct glue_error_by_name *errors = &ret_out->Errors;
    enum status st = catalog_owner(c, in->CatalogId, &owner);
    st = st == ST_OK ? catalog_check_count(c, "connectionNameList", in->ConnectionNameList.n,
                                           CATALOG_BATCH_DELETE_MAX)
                     : st;
    done->v = ARENA_ARRAY(c->arena, struct str, in->ConnectionNameList.n + 1);
    errors->v =
        ARENA_ARRAY(c->arena, struct glue_error_by_name_entry, in->ConnectionNameList.n + 1);
    for (size_t i = 0; st == ST_OK && i < in->ConnectionNameList.n; i++) {
        struct str name = in->ConnectionNameList.v[i];
        st = delete_one(c, &owner, name);
        if (st == ST_OK) {
            done->v[done->n++] = name;
        } else if (st == ST_NOT_FOUND) {
            struct catalog_problem p;
            status_ignore(catalog_refuse(c->arena, &p, &glue_EntityNotFoundException,
                                         "Connection %.*s not found.", STR_ARG(name)));
            errors->v[errors->n++] =
                (struct glue_error_by_name_entry){ name, *catalog_error_detail(c->arena, &p) };
            st = ST_OK;
        }
    }
    return call_status(c, st);
}
