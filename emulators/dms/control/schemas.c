/* RefreshSchemas really looks at the source; DescribeSchemas shows what it found. */
#include "emulators/dms/control/probe.h"
#include "emulators/dms/dms_doc.h"
#include "server/core.h"
#include "server/store/db_read.h"

#define SCHEMAS_ARENA_MAX (64u << 20)
#define RUNNING "refreshing"

struct refresh {
    struct arena *arena;
    struct str endpoint_arn;
    struct mysql_cells found;
};

struct row {
    struct str instance_arn, status, message;
    int64_t ms;
};

static enum status read_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct row *)ret = (struct row){ .instance_arn = rows_str(q, a, 0),
                                       .status = rows_str(q, a, 1),
                                       .message = rows_str(q, a, 2),
                                       .ms = rows_i64(q, 3) };
    return ST_OK;
}

static enum status find(struct db *db, struct arena *a, struct str endpoint, struct row *ret)
{
    return db_read(db, ONE_ROW(a, read_row, ret),
                   "SELECT instance_arn,status,message,ms FROM dms_refresh WHERE endpoint_arn=?",
                   bs(endpoint));
}

static enum status put(struct db *db, struct str endpoint, const struct row *r)
{
    return db_exec(db,
                   "INSERT OR REPLACE INTO dms_refresh(endpoint_arn,instance_arn,status,message,ms)"
                   " VALUES(?,?,?,?,?)",
                   bs(endpoint), bs(r->instance_arn), bs(r->status), bs(r->message), bi(r->ms));
}

/* --- the visit -------------------------------------------------------------------------------- */

static enum status run(struct mysql_conn *conn, void *arg, struct mysql_err *err)
{
    struct refresh *r = arg;
    return mysql_conn_collect(conn, r->arena,
                              "SELECT schema_name FROM information_schema.schemata ORDER BY 1",
                              &r->found, err);
}

static enum status keep(struct db *db, const struct refresh *r)
{
    enum status st =
        db_exec(db, "DELETE FROM dms_schema_name WHERE endpoint_arn=?", bs(r->endpoint_arn));
    for (size_t i = 0; i < r->found.rows && st == ST_OK; i++) {
        st = db_exec(db, "INSERT OR IGNORE INTO dms_schema_name(endpoint_arn,name) VALUES(?,?)",
                     bs(r->endpoint_arn), bs(r->found.cells[i * r->found.cols]));
    }
    return st;
}

static void done(struct dms *dms, void *arg, enum status st, const struct mysql_err *err)
{
    struct refresh *r = arg;
    struct db *db = core_db(dms->core);
    struct row row;
    /* The row may be gone with the endpoint or a reset. */
    if (find(db, r->arena, r->endpoint_arn, &row) == ST_OK) {
        row.status = st == ST_OK ? STR("successful") : STR("failed");
        row.message = st == ST_OK ? STR_NONE : dms_probe_failure(r->arena, err);
        row.ms = clock_now_ms();
        status_ignore(st == ST_OK ? keep(db, r) : ST_OK); /* logged by the store */
        status_ignore(put(db, r->endpoint_arn, &row));
    }
    arena_free(r->arena);
    free(r);
}

static enum status start(struct call *c, const struct dms_resource *endpoint)
{
    struct refresh *r = xcalloc(1, sizeof(*r));
    r->arena = arena_new(SCHEMAS_ARENA_MAX);
    r->endpoint_arn = arena_str(r->arena, endpoint->arn);
    const struct dms_probe_job job = { run, done, r, "schemas are read" };
    struct str why = STR_NONE;
    enum status st = dms_probe_start(dms_of(c), c->arena, endpoint, &job, &why);
    if (st != ST_OK) {
        arena_free(r->arena);
        free(r);
        return call_fail(c, &dms_InvalidResourceStateFault, "%.*s", STR_ARG(why));
    }
    return ST_OK;
}

/* --- operations ------------------------------------------------------------------------------- */

static struct dms_refresh_schemas_status *show(struct call *c, struct str endpoint,
                                               const struct row *r)
{
    struct dms_refresh_schemas_status *s = ARENA_NEW(c->arena, struct dms_refresh_schemas_status);
    *s = (struct dms_refresh_schemas_status){ .EndpointArn = endpoint,
                                              .ReplicationInstanceArn = r->instance_arn,
                                              .Status = r->status,
                                              .LastFailureMessage = r->message };
    if (r->ms) {
        s->LastRefreshDate = OPT_TIME(r->ms);
    }
    return s;
}

enum status dms_refresh_schemas(struct call *c, const struct dms_refresh_schemas_request *in,
                                struct dms_refresh_schemas_response *ret_out)
{
    struct dms_resource endpoint, instance;
    const struct dms_endpoint *e = NULL;
    enum status st = dms_need(c, &dms_endpoints, in->EndpointArn, &endpoint, &e);
    if (st == ST_OK) {
        st = dms_need(c, &dms_instances, in->ReplicationInstanceArn, &instance, NULL);
    }
    if (st != ST_OK) {
        return st;
    }
    if (!str_eqz(e->EndpointType, "source")) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The endpoint %.*s is an S3 target: it has no schemas.",
                         STR_ARG(endpoint.ident));
    }
    struct row row = { .instance_arn = instance.arn, .status = STR(RUNNING) };
    struct row old;
    if (find(c->db, c->arena, endpoint.arn, &old) == ST_OK) {
        row.ms = old.ms;
    }
    st = call_status(c, put(c->db, endpoint.arn, &row));
    ret_out->RefreshSchemasStatus = show(c, endpoint.arn, &row);
    return st == ST_OK ? start(c, &endpoint) : st;
}

enum status
dms_describe_refresh_schemas_status(struct call *c,
                                    const struct dms_describe_refresh_schemas_status_request *in,
                                    struct dms_describe_refresh_schemas_status_response *ret_out)
{
    struct dms_resource endpoint;
    struct row row;
    enum status st = dms_need(c, &dms_endpoints, in->EndpointArn, &endpoint, NULL);
    if (st != ST_OK) {
        return st;
    }
    st = find(c->db, c->arena, endpoint.arn, &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The schemas of endpoint %.*s were never refreshed: call RefreshSchemas.",
                         STR_ARG(endpoint.ident));
    }
    ret_out->RefreshSchemasStatus = st == ST_OK ? show(c, endpoint.arn, &row) : NULL;
    return call_status(c, st);
}

enum status dms_describe_schemas(struct call *c, const struct dms_describe_schemas_request *in,
                                 struct dms_describe_schemas_response *ret_out)
{
    struct dms_resource endpoint;
    enum status st = dms_need(c, &dms_endpoints, in->EndpointArn, &endpoint, NULL);
    if (st == ST_OK) {
        st = call_status(c, db_read(c->db,
                                    ALL_TEXTS(c->arena, &ret_out->Schemas.v, &ret_out->Schemas.n),
                                    "SELECT name FROM dms_schema_name WHERE endpoint_arn=? "
                                    "ORDER BY name",
                                    bs(endpoint.arn)));
    }
    return st == ST_OK
               ? dms_cut(c, DMS_ASK_ALL(in), DMS_PAGE_MAX, &ret_out->Schemas, &ret_out->Marker)
               : st;
}
