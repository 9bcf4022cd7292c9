/* Connection tests: the endpoint is really logged in to. */
#include "emulators/dms/control/certificate.h"
#include "emulators/dms/control/probe.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/endpoint/s3_settings.h"
#include "emulators/dms/worker/worker.h"
#include "emulators/facade/s3.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/mysql/conn.h"

/* The answer waits this long for the outcome, so that a look right after it finds the end. */
#define ANSWER_AFTER_MS 3000

struct test {
    struct link link;
    struct dms *dms;
    struct arena *arena;
    struct str instance_arn, endpoint_arn;
    struct mysql_conn *conn;
    struct call *call; /* not answered yet, else NULL */
    struct timer *timer;
    /* worker → core */
    bool ok;
    struct mysql_err err;
};

static void answer(struct test *t)
{
    if (t->call) {
        struct call *c = t->call;
        t->call = NULL;
        call_finish(c, ST_OK);
    }
}

static void on_timer(void *arg)
{
    answer(arg);
}

static void on_abort(void *arg)
{
    answer(arg);
}

static void run(void *arg)
{
    struct test *t = arg;
    t->ok = mysql_conn_connect(t->conn, &t->err) == ST_OK &&
            mysql_conn_exec(t->conn, "SELECT 1", &t->err) == ST_OK;
}

static void done(void *arg)
{
    struct test *t = arg;
    struct db *db = core_db(t->dms->core);
    struct dms_connection_row row;
    /* The row may be gone with the endpoint or a reset. */
    if (dms_store_connection_get(db, t->arena, t->instance_arn, t->endpoint_arn, &row) == ST_OK) {
        row.status = t->ok ? STR("successful") : STR("failed");
        row.message = t->ok ? STR_NONE : dms_probe_failure(t->arena, &t->err);
        status_ignore(dms_store_connection_put(db, &row)); /* logged; it stays "testing" */
    }
    answer(t);
    list_remove(&t->link);
    timer_free(t->timer);
    mysql_conn_free(t->conn);
    arena_free(t->arena);
    free(t);
}

void dms_tests_stop(struct dms *dms)
{
    LIST_FOREACH(link, &dms->tests)
    {
        mysql_conn_abort(CONTAINER_OF(link, struct test, link)->conn);
    }
}

static enum status start_source(struct call *c, const struct dms_resource *endpoint,
                                struct str instance_arn)
{
    struct dms *dms = dms_of(c);
    struct mysql_conn_options options;
    struct str why;
    if (dms_source_options(c->arena, endpoint, &options, &why) != ST_OK ||
        dms_certificate_use(c->core, c->arena, endpoint, &options, &why) != ST_OK) {
        return call_fail(c, &dms_InvalidParameterValueException, "%.*s", STR_ARG(why));
    }
    struct test *t = xcalloc(1, sizeof(*t));
    t->dms = dms;
    t->arena = arena_new(1u << 20);
    t->instance_arn = arena_str(t->arena, instance_arn);
    t->endpoint_arn = arena_str(t->arena, endpoint->arn);
    t->conn = mysql_conn_new(&options);
    t->call = c;
    t->timer = timer_new(core_loop(c->core), on_timer, t);
    timer_start(t->timer, ANSWER_AFTER_MS, 0);
    list_append(&dms->tests, &t->link);
    enum status st = thread_start(core_loop(c->core), "dms-test", run, done, t);
    if (st == ST_OK) {
        call_on_abort(c, on_abort, t);
        return ST_PENDING;
    }
    t->call = NULL;
    snprintf(t->err.text, sizeof(t->err.text), "No thread can be started for the test.");
    done(t);
    return ST_OK;
}

#define REFUSED "Test Endpoint failed: Application-Status: 1020912, Application-Message: "

/* Buckets are next door: the outcome is known at once. */
static void test_target(struct call *c, const struct dms_endpoint *e,
                        struct dms_connection_row *row)
{
    struct dms_s3_options s3;
    struct str why;
    row->status = STR("failed");
    if (!e->S3Settings || dms_s3_read(c->arena, e->S3Settings, &s3, NULL, &why) != ST_OK) {
        row->message = STR("The endpoint has no valid S3 settings.");
    } else if (!s3_bucket_exists(c->db, s3.bucket)) {
        row->message = arena_printf(
            c->arena,
            REFUSED "Failed to connect to S3 endpoint, Application-Detailed-Message: the bucket "
                    "'%.*s' does not exist; create it and test again.",
            STR_ARG(s3.bucket));
    } else if (str_set(s3.acl)) {
        row->message = arena_printf(
            c->arena,
            REFUSED "Failed to put an object, Application-Detailed-Message: "
                    "AccessControlListNotSupported: The bucket does not allow ACLs. "
                    "CannedAclForObjects is %.*s; here the ACLs of all buckets are disabled "
                    "(BucketOwnerEnforced, as in new buckets on AWS), so set it to none, private "
                    "or bucket-owner-full-control.",
            STR_ARG(s3.acl));
    } else if (str_set(s3.owner) &&
               !str_eq(s3.owner, s3_bucket_account(c->db, c->arena, s3.bucket))) {
        row->message = arena_printf(
            c->arena,
            REFUSED "Access denied, Application-Detailed-Message: the bucket '%.*s' does not "
                    "belong to the account %.*s (ExpectedBucketOwner).",
            STR_ARG(s3.bucket), STR_ARG(s3.owner));
    } else {
        row->status = STR("successful");
    }
}

static enum status need(struct call *c, struct str instance_arn, struct str endpoint_arn,
                        struct dms_resource *instance, struct dms_resource *endpoint, void *ret_doc)
{
    enum status st = dms_need(c, &dms_instances, instance_arn, instance, NULL);
    return st == ST_OK ? dms_need(c, &dms_endpoints, endpoint_arn, endpoint, ret_doc) : st;
}

static struct dms_connection *show(struct call *c, const struct dms_connection_row *row,
                                   struct str status, struct str instance, struct str endpoint)
{
    struct dms_connection *out = ARENA_NEW(c->arena, struct dms_connection);
    *out = (struct dms_connection){ .ReplicationInstanceArn = row->instance_arn,
                                    .EndpointArn = row->endpoint_arn,
                                    .Status = status,
                                    .LastFailureMessage = row->message,
                                    .EndpointIdentifier = endpoint,
                                    .ReplicationInstanceIdentifier = instance };
    return out;
}

enum status dms_test_connection(struct call *c, const struct dms_test_connection_request *in,
                                struct dms_test_connection_response *ret_out)
{
    struct dms_resource instance, endpoint;
    const struct dms_endpoint *e = NULL;
    enum status st = need(c, in->ReplicationInstanceArn, in->EndpointArn, &instance, &endpoint, &e);
    if (st != ST_OK) {
        return st;
    }
    struct dms_connection_row row = { .instance_arn = instance.arn,
                                      .endpoint_arn = endpoint.arn,
                                      .status = STR("testing") };
    bool source = str_eqz(e->EndpointType, "source");
    ret_out->Connection = show(c, &row, row.status, instance.ident, endpoint.ident);
    if (!source) {
        test_target(c, e, &row);
    }
    st = call_status(c, dms_store_connection_put(c->db, &row));
    return st == ST_OK && source ? start_source(c, &endpoint, instance.arn) : st;
}

enum status dms_describe_connections(struct call *c,
                                     const struct dms_describe_connections_request *in,
                                     struct dms_describe_connections_response *ret_out)
{
    static const char *const known[] = { "endpoint-arn", "replication-instance-arn", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    if (st != ST_OK) {
        return st;
    }
    struct dms_connection_row *rows = NULL;
    size_t n = 0, fitting = 0;
    st = dms_store_connection_list(c->db, c->arena, c->caller.account, c->caller.region, &rows, &n);
    struct dms_connection *items = ARENA_ARRAY(c->arena, struct dms_connection, n + 1);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        if (!dms_filter_fits(&in->Filters, "endpoint-arn", rows[i].endpoint_arn) ||
            !dms_filter_fits(&in->Filters, "replication-instance-arn", rows[i].instance_arn)) {
            continue;
        }
        struct dms_resource instance, endpoint;
        st = need(c, rows[i].instance_arn, rows[i].endpoint_arn, &instance, &endpoint, NULL);
        if (st == ST_OK) {
            items[fitting++] = *show(c, &rows[i], rows[i].status, instance.ident, endpoint.ident);
        }
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    ret_out->Connections.v = items;
    ret_out->Connections.n = fitting;
    st = dms_need_any(c, "connection", fitting, &in->Filters);
    return st == ST_OK
               ? dms_cut(c, DMS_ASK(in), DMS_PAGE_MAX, &ret_out->Connections, &ret_out->Marker)
               : st;
}

enum status dms_delete_connection(struct call *c, const struct dms_delete_connection_request *in,
                                  struct dms_delete_connection_response *ret_out)
{
    struct dms_resource instance = { 0 }, endpoint = { 0 };
    enum status st =
        need(c, in->ReplicationInstanceArn, in->EndpointArn, &instance, &endpoint, NULL);
    if (st != ST_OK) {
        return st;
    }
    struct dms_connection_row row = { .instance_arn = instance.arn, .endpoint_arn = endpoint.arn };
    st = dms_store_connection_delete(c->db, instance.arn, endpoint.arn);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "There is no connection between this instance and this endpoint.");
    }
    ret_out->Connection = show(c, &row, STR("deleting"), instance.ident, endpoint.ident);
    return call_status(c, st);
}
