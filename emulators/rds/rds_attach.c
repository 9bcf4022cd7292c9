/* An existing server as an instance: only looked at, never started, changed or stopped. */
#include "emulators/rds/rds_attach.h"

#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/mysql/conn.h"

struct attach {
    struct rds *rds;
    struct arena *arena;
    struct str id, host, user, password;
    unsigned port;
    bool good;
    struct str version;
    struct mysql_err err;
};

static void look(void *arg)
{
    struct attach *t = arg;
    CLEANUP(mysql_conn_freep) struct mysql_conn *conn = NULL;
    const struct mysql_conn_options options = {
        .host = arena_cstr(t->arena, t->host),
        .port = t->port,
        .user = arena_cstr(t->arena, t->user),
        .password = arena_cstr(t->arena, t->password),
        .read_ms = 10000,
    };
    t->good = mysql_conn_open(&options, &conn, &t->err) == ST_OK;
    if (t->good) {
        t->version = arena_strz(t->arena, mysql_conn_version_text(conn));
    }
}

static void looked(void *arg)
{
    struct attach *t = arg;
    struct rds_instance i;
    if (rds_store_by_id(core_db(t->rds->core), t->arena, t->id, &i) == ST_OK) {
        struct rds_db_instance *d = i.doc;
        d->StatusInfos.n = t->good ? 0 : 1;
        d->StatusInfos.v = ARENA_NEW(t->arena, struct rds_db_instance_status_info);
        *d->StatusInfos.v =
            (struct rds_db_instance_status_info){ STR("database server"), OPT_BOOL(false),
                                                  STR("failed"), str_z(t->err.text) };
        if (t->good) {
            d->EngineVersion = t->version;
            d->Endpoint = ARENA_NEW(t->arena, struct rds_endpoint);
            *d->Endpoint =
                (struct rds_endpoint){ t->host, OPT_I64(t->port), STR("Z2R2ITUGPM61AM") };
        }
        status_ignore(rds_set_status(t->rds, t->arena, &i, t->good ? "available" : "failed"));
    }
    arena_free(t->arena);
    free(t);
}

void rds_attach(struct rds *r, const struct rds_instance *i, struct str password)
{
    struct attach *t = xcalloc(1, sizeof(*t));
    struct str host = STR_NONE, port;
    (void)str_cut(i->attached, ':', &host, &port); /* checked when it was created */
    t->rds = r;
    t->arena = arena_new(RDS_ARENA_MAX);
    t->id = arena_str(t->arena, i->id);
    t->host = arena_str(t->arena, host);
    t->user = arena_str(t->arena, i->doc->MasterUsername);
    t->password = arena_str(t->arena, password);
    t->port = (unsigned)i->port;
    work_start(core_loop(r->core), look, looked, t);
}

enum status rds_refuse_attached(struct call *c, const struct rds_instance *i, const char *what)
{
    if (!str_set(i->attached)) {
        return ST_OK;
    }
    return call_fail(c, &rds_InvalidDBInstanceStateFault,
                     "Instance %.*s is the attached server %.*s: it can't be %s from here.",
                     STR_ARG(i->name), STR_ARG(i->attached), what);
}
