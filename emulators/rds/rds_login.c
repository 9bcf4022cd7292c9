/* Workers that log in to a server of ours as its administrator. */
#include <time.h>

#include "emulators/rds/rds_server.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"

#define LOGIN_MS 120000 /* recovery of a big data folder may take its time */
#define LOGIN_PAUSE_MS 5
#define REFUSED_MS \
    2000 /* a server that answers has run its init file: it knows us, or never will */
#define TLS_WANTED 3159 /* require_secure_transport is on */

struct login {
    struct rds_server *server;
    struct arena *arena;
    struct str statements, password;
    unsigned port;
    bool wait; /* for a server that is starting */
    bool failed;
    struct mysql_err err;
    void (*done)(struct rds_server *s, const struct mysql_err *err);
};

static void pause_a_little(void)
{
    struct timespec t = { 0, LOGIN_PAUSE_MS * 1000000L };
    (void)nanosleep(&t, NULL);
}

static enum status open_conn(struct login *l, struct mysql_conn **ret)
{
    struct mysql_conn_options options = {
        .port = l->port,
        .user = RDS_ADMIN,
        .password = arena_cstr(l->arena, l->password),
        .connect_ms = 5000,
        .read_ms = 60000,
    };
    int64_t ends = clock_mono_ms() + LOGIN_MS;
    for (;;) {
        enum status st = mysql_conn_open(&options, ret, &l->err);
        if (st == ST_OK || atomic_load(&l->server->cancel)) {
            return st;
        }
        if (l->err.code == TLS_WANTED && options.tls == MYSQL_TLS_NONE) {
            options.tls = MYSQL_TLS_REQUIRE;
            continue;
        }
        bool refused = l->err.kind == MYSQL_ERR_AUTH || l->err.kind == MYSQL_ERR_TLS ||
                       l->err.code == TLS_WANTED;
        int64_t now = clock_mono_ms();
        ends = refused && ends > now + REFUSED_MS ? now + REFUSED_MS : ends;
        if (!l->wait || now > ends) {
            return st;
        }
        pause_a_little();
    }
}

static void run(void *arg)
{
    struct login *l = arg;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = NULL;
    struct str rest = l->statements, one;
    enum status st = open_conn(l, &c);
    if (st == ST_OK) {
        st = mysql_conn_exec(
            c, "SET SESSION sql_log_bin=0, sql_log_off=1, long_query_time=31536000", &l->err);
    }
    while (st == ST_OK && rest.n && str_next(&rest, '\n', &one)) {
        st = one.n ? mysql_conn_exec(c, arena_cstr(l->arena, one), &l->err) : ST_OK;
    }
    l->failed = st != ST_OK;
}

static void done(void *arg)
{
    struct login *l = arg;
    struct rds_server *s = l->server;
    s->working--;
    l->done(s, l->failed ? &l->err : NULL);
    arena_free(l->arena);
    free(l);
}

static void login(struct rds_server *s, struct str statements, bool wait,
                  void (*fn)(struct rds_server *s, const struct mysql_err *err))
{
    struct login *l = xcalloc(1, sizeof(*l));
    l->arena = arena_new(RDS_ARENA_MAX);
    l->server = s;
    l->statements = str_set(statements) ? arena_str(l->arena, statements) : STR("");
    l->password = arena_str(l->arena, s->password);
    l->port = s->port;
    l->wait = wait;
    l->done = fn;
    s->working++;
    work_start(core_loop(s->rds->core), run, done, l);
}

void rds_server_login(struct rds_server *s, struct str statements,
                      void (*fn)(struct rds_server *s, const struct mysql_err *err))
{
    login(s, statements, true, fn);
}

static void ran(struct rds_server *s, const struct mysql_err *err)
{
    if (err) {
        log_warn(RDS_TOPIC, "instance %.*s: %s", STR_ARG(s->name), err->text);
    }
    if (s->ended) {
        rds_server_gone(s);
    }
}

/* The instance shows whether its server took a parameter. */
static void was_set(struct rds_server *s, const struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instance i;
    struct db *db = core_db(s->rds->core);
    if (rds_store_by_id(db, a, s->id, &i) == ST_OK && i.doc->DBParameterGroups.n) {
        struct str *shown = &i.doc->DBParameterGroups.v[0].ParameterApplyStatus;
        struct str then = err ? STR("failed-to-apply") : STR("in-sync");
        if (err || str_eqz(*shown, "failed-to-apply")) {
            *shown = then;
            status_ignore(rds_store_update(db, a, &i)); /* logged */
        }
    }
    ran(s, err);
}

void rds_server_set(struct rds *r, struct str id, struct str statements)
{
    struct rds_server *s = rds_server_find(r, id);
    if (s && s->state == RDS_SERVER_UP) {
        login(s, statements, false, was_set);
    }
}

void rds_server_run(struct rds *r, struct str id, struct str statements)
{
    struct rds_server *s = rds_server_find(r, id);
    if (s && s->state == RDS_SERVER_UP) {
        login(s, statements, false, ran);
    }
}

/* RDS removes binary logs as soon as it can unless retention hours are set. A log that a reader has
 * open stays (the server sees to that). */
void rds_server_keep_binlogs(struct rds *r)
{
    static const char sql[] =
        "SET @hours = (SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention "
        "hours')\n"
        "FLUSH BINARY LOGS\n"
        "PURGE BINARY LOGS BEFORE NOW() - INTERVAL IFNULL(@hours, 0) HOUR\n";
    LIST_FOREACH(l, &r->servers)
    {
        struct rds_server *s = CONTAINER_OF(l, struct rds_server, link);
        if (s->has_binlog) {
            rds_server_run(r, s->id, str_z(sql));
        }
    }
}
