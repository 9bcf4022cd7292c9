/* An empty data folder of each engine, installed once (half a second for MariaDB, two for MySQL)
 * and copied for every new instance (some milliseconds): DATA/rds/template-mariadb-10.11.19/. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/rds/rds_server.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/tree.h"

#define OUTPUT_MAX 65536
#define NOTHING_YET_MS 20
#define UNIQUE_DIGITS 8
#define INSTALLS_MORE 1009 /* MariaDB whose installer takes statements of ours */

struct install {
    struct rds_server *server;
    struct arena *arena;
    bool *installing; /* shared by the instances of this engine */
    struct timer *timer;
    const char *dir, *side; /* the template, and where it is made */
    const char *zones;      /* a file that fills its tables of time zones; NULL: they stay empty */
    int zones_errno;
    void (*done)(struct rds_server *s, const char *problem);
    struct buf errors;
};

static void finish(struct install *in, const char *problem)
{
    struct rds_server *s = in->server;
    void (*done)(struct rds_server *, const char *) = in->done;
    if (in->zones) {
        (void)unlink(in->zones); /* what isn't there any more is fine */
    }
    s->source = arena_strz(s->arena, in->dir).p;
    problem = problem ? arena_strz(s->arena, problem).p : NULL;
    timer_free(in->timer);
    buf_fini(&in->errors);
    arena_free(in->arena);
    free(in);
    done(s, problem);
}

static void on_output(void *arg, int stream, struct str bytes)
{
    struct install *in = arg;
    (void)stream;
    buf_str_add(&in->errors, bytes); /* beyond its limit the rest is lost */
}

static void installed(void *arg, const struct proc_result *result)
{
    struct install *in = arg;
    *in->installing = false;
    if (result->exited && result->code == 0 && rename(in->side, in->dir) == 0) {
        finish(in, NULL);
        return;
    }
    struct str said = str_trim(buf_str(&in->errors));
    const char *why = result->start_errno ? strerror(result->start_errno)
                      : result->exited    ? "it failed"
                                          : "it was ended by a signal";
    const char *problem =
        arena_printf(in->arena, "An empty data folder can't be installed with %s: %s. %.*s",
                     in->server->engine->name, why, STR_ARG(str_sub(said, 0, 500)))
            .p;
    status_ignore(tree_remove(in->side)); /* logged; it only takes space */
    finish(in, problem);
}

static void start_install(struct install *in)
{
    const struct rds_engine *e = in->server->engine;
    struct rds *r = in->server->rds;
    const char *datadir = arena_printf(in->arena, "--datadir=%s", in->side).p;
    bool mariadb = strcmp(e->name, "mariadb") == 0;
    /* In /tmp another server that starts would remove its temporary tables. */
    const char *tmpdir = arena_printf(in->arena, "--tmpdir=%s", in->side).p;
    const char *argv[20];
    size_t n = 0;
    argv[n++] = mariadb ? "mariadb-install-db" : e->program;
    argv[n++] = "--no-defaults";
    argv[n++] = datadir;
    argv[n++] = tmpdir;
    argv[n++] = "--innodb-use-native-aio=0";
    argv[n++] = "--innodb-flush-method=nosync"; /* a second less; the system writes it soon */
    if (mariadb) {
        argv[n++] = "--auth-root-authentication-method=normal";
        argv[n++] = "--skip-test-db";
        argv[n++] = "--innodb-log-file-size=8M";
        if (in->zones) {
            argv[n++] = arena_printf(in->arena, "--extra-file=%s", in->zones).p;
        }
    } else {
        argv[n++] = "--initialize-insecure";
        argv[n++] = "--loose-innodb-redo-log-capacity=16M";
        argv[n++] = "--performance-schema=OFF";
        argv[n++] = "--secure-file-priv=NULL";
        argv[n++] = "--innodb-doublewrite=OFF"; /* what a crash leaves half made is thrown away */
        if (in->zones) {
            argv[n++] = arena_printf(in->arena, "--init-file=%s", in->zones).p;
        }
        if (in->server->lower_case) {
            argv[n++] = "--lower-case-table-names=1";
        }
    }
    if (geteuid() == 0 && !r->uid) {
        argv[n++] = "--user=root";
    }
    argv[n] = NULL;
    const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                "LANG=C", NULL };
    const struct proc_options options = {
        .argv = argv,
        .env = env,
        .uid = r->uid,
        .gid = r->gid,
        .on_output = on_output,
        .on_exit = installed,
        .arg = in,
    };
    proc_start(core_loop(r->core), &options);
}

static void write_zones(void *arg)
{
    struct install *in = arg;
    errno = 0;
    in->zones_errno = rds_zones_write(in->zones) ? 0 : errno ? errno : ENODATA;
}

static void zones_written(void *arg)
{
    struct install *in = arg;
    if (in->zones_errno || core_stopping(in->server->rds->core)) {
        *in->installing = false;
        finish(in, in->zones_errno
                       ? arena_printf(in->arena, "%s: %s.", in->zones, strerror(in->zones_errno)).p
                       : "The server is being stopped.");
        return;
    }
    start_install(in);
}

static bool make_side(const struct install *in)
{
    const struct rds *r = in->server->rds;
    return mkdir(in->side, 0755) == 0 && (!r->uid || chown(in->side, r->uid, r->gid) == 0);
}

/* Another instance's installation may be under way: it makes the same folder. */
static void look_again(void *arg)
{
    struct install *in = arg;
    if (access(in->dir, F_OK) == 0) {
        finish(in, NULL);
    } else if (core_stopping(in->server->rds->core)) {
        finish(in, "The server is being stopped.");
    } else if (*in->installing) {
        return;
    } else if (!make_side(in)) {
        finish(in, arena_printf(in->arena, "%s: %s.", in->side, strerror(errno)).p);
    } else {
        timer_stop(in->timer);
        *in->installing = true;
        if (in->zones) {
            work_start(core_loop(in->server->rds->core), write_zones, zones_written, in);
        } else {
            start_install(in);
        }
    }
}

/* Can its tables of time zones be filled while it is installed? Else its instances know none. */
static bool can_fill_zones(const struct rds_engine *e)
{
    if (!rds_zone_is(STR("UTC"))) {
        log_warn(RDS_TOPIC,
                 "new instances know no named time zones: this machine has none (package "
                 "tzdata)");
        return false;
    }
    unsigned mariadb = rds_family_version(e->family, STR("mariadb"));
    if (mariadb && mariadb < INSTALLS_MORE) {
        log_warn(RDS_TOPIC,
                 "new instances know no named time zones: MariaDB before 10.9 doesn't fill their "
                 "tables while it is installed (mariadb-tzinfo-to-sql | mariadb mysql does)");
        return false;
    }
    return true;
}

void rds_template_get(struct rds_server *s, void (*done)(struct rds_server *s, const char *problem))
{
    struct install *in = xcalloc(1, sizeof(*in));
    const struct rds_engine *e = s->engine;
    const char *data = core_config(s->rds->core)->data_dir;
    in->server = s;
    in->done = done;
    in->arena = arena_new(RDS_ARENA_MAX);
    bool zones = can_fill_zones(e);
    in->dir =
        arena_printf(in->arena, "%s/rds/template-%s-%.*s%s%s", data, e->name, STR_ARG(e->version),
                     s->lower_case ? "-lower" : "", zones ? "-zones" : "")
            .p;
    /* A name of its own: what a killed process of ours had started may still write to the last. */
    struct str unique = id_hex(in->arena, UNIQUE_DIGITS);
    in->side = arena_printf(in->arena, "%s-%.*s.new", in->dir, STR_ARG(unique)).p;
    in->zones = zones ? arena_printf(in->arena, "%s.sql", in->side).p : NULL;
    in->installing = &s->rds->installing[e - s->rds->engines];
    buf_init(&in->errors, OUTPUT_MAX);
    in->timer = timer_new(core_loop(s->rds->core), look_again, in);
    timer_start(in->timer, 0, NOTHING_YET_MS);
}
