#include "emulators/dms/control/probe.h"

#include "emulators/dms/control/certificate.h"
#include "emulators/dms/worker/remedy.h"
#include "emulators/dms/worker/worker.h"
#include "server/busy.h"
#include "server/core.h"
#include "server/loop/loop.h"

struct probe {
    struct link link;
    struct dms *dms;
    struct mysql_conn *conn;
    struct dms_probe_job job;
    enum status st;
    struct mysql_err err;
};

static void run(void *arg)
{
    struct probe *p = arg;
    p->st = mysql_conn_connect(p->conn, &p->err);
    if (p->st == ST_OK) {
        p->st = p->job.run(p->conn, p->job.arg, &p->err);
    }
}

static void done(void *arg)
{
    struct probe *p = arg;
    list_remove(&p->link);
    p->job.done(p->dms, p->job.arg, p->st, &p->err);
    mysql_conn_free(p->conn);
    free(p);
}

enum status dms_probe_start(struct dms *dms, struct arena *a, const struct dms_resource *endpoint,
                            const struct dms_probe_job *job, struct str *ret_error)
{
    struct mysql_conn_options options;
    enum status st = dms_source_options(a, endpoint, &options, ret_error);
    if (st == ST_OK) {
        st = dms_certificate_use(dms->core, a, endpoint, &options, ret_error);
    }
    if (st != ST_OK) {
        return st;
    }
    struct probe *p = xcalloc(1, sizeof(*p));
    *p = (struct probe){ .dms = dms, .conn = mysql_conn_new(&options), .job = *job };
    list_append(&dms->probes, &p->link);
    st = thread_start(core_loop(dms->core), "dms-probe", run, done, p);
    if (st != ST_OK) {
        list_remove(&p->link);
        mysql_conn_free(p->conn);
        free(p);
        return dms_refuse(a, ret_error, "No thread can be started.");
    }
    return ST_OK;
}

void dms_probes_stop(struct dms *dms)
{
    LIST_FOREACH(link, &dms->probes)
    {
        mysql_conn_abort(CONTAINER_OF(link, struct probe, link)->conn);
    }
}

void dms_probes_busy(struct dms *dms, struct busy *busy)
{
    LIST_FOREACH(link, &dms->probes)
    {
        busy_add(busy, "dms", "%s", CONTAINER_OF(link, struct probe, link)->job.what);
    }
}

struct str dms_probe_failure(struct arena *a, const struct mysql_err *err)
{
    const char *what = err->kind == MYSQL_ERR_UNREACHABLE ? "Failed to connect Network error has "
                                                            "occurred"
                                                          : "Failed to connect to database.";
    return arena_printf(a,
                        "Test Endpoint failed: Application-Status: 1020912, Application-Message: "
                        "%s, Application-Detailed-Message: RetCode: SQL_ERROR SqlState: %s "
                        "NativeError: %u Message: %s%s%s",
                        what, err->sqlstate[0] ? err->sqlstate : "HY000", err->code, err->text,
                        dms_remedy_stop(err), dms_remedy(err));
}
