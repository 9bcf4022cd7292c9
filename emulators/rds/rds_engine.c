/* Which database servers this machine has. They are asked for their versions when the first call
 * needs to know: starting a program costs more than all the rest of our start. */
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/proc.h"

#define VERSION_MAX 4096

struct waiting {
    struct link link;
    struct call *call;
    rds_again_fn again;
    const void *in;
    void *out;
};

/* --- asking --------------------------------------------------------------------------------------
 */
struct question {
    struct rds *rds;
    const char *program;
};

static void wake(struct rds *r)
{
    r->engines_known = true;
    r->asking = false;
    if (r->when_known) {
        r->when_known(r);
        r->when_known = NULL;
    }
    struct link *l = r->waiting.next, *next;
    list_init(&r->waiting);
    for (; l != &r->waiting; l = next) {
        struct waiting *w = CONTAINER_OF(l, struct waiting, link);
        next = l->next;
        call_finish(w->call, w->again(w->call, w->in, w->out));
        free(w);
    }
}

/* "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for …": the digits after Ver. */
static struct str version_in(struct str text)
{
    ptrdiff_t at = str_find_str(text, STR("Ver "));
    size_t from = at < 0 ? text.n : (size_t)at + 4, to = from;
    while (to < text.n && ((text.p[to] >= '0' && text.p[to] <= '9') || text.p[to] == '.')) {
        to++;
    }
    return str_sub(text, from, to);
}

static struct str major_of(struct str version)
{
    struct str a, b, rest = version;
    if (!str_next(&rest, '.', &a) || !str_next(&rest, '.', &b)) {
        return version;
    }
    return str_sub(version, 0, a.n + 1 + b.n);
}

static void answered(void *arg, const struct proc_result *result)
{
    struct question *q = arg;
    struct rds *r = q->rds;
    bool mariadb = str_find_str(result->output, STR("MariaDB")) >= 0;
    struct rds_engine *e = &r->engines[mariadb ? 0 : 1];
    struct str version = version_in(result->output);
    if (result->exited && result->code == 0 && version.n && !e->program) {
        e->program = arena_strz(r->arena, q->program).p;
        e->version = arena_str(r->arena, version);
        e->major = arena_str(r->arena, major_of(version));
        e->family = arena_printf(r->arena, "%s%.*s", e->name, STR_ARG(e->major));
        log_debug(RDS_TOPIC, "%s %.*s: %s", e->name, STR_ARG(e->version), e->program);
    }
    free(q);
    if (--r->asked == 0) {
        wake(r);
    }
}

static void ask(struct rds *r, const char *program)
{
    struct question *q = xcalloc(1, sizeof(*q));
    const char *const argv[] = { program, "--no-defaults", "--version", NULL };
    const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/bin", "LANG=C", NULL };
    const struct proc_options options = { .argv = argv,
                                          .env = env,
                                          .capture_stdout = true,
                                          .stdout_max = VERSION_MAX,
                                          .on_exit = answered,
                                          .arg = q };
    *q = (struct question){ r, program };
    r->asked++;
    proc_start(core_loop(r->core), &options);
}

static void ask_all(struct rds *r)
{
    static const char *const programs[] = {
        "/usr/sbin/mariadbd",          "/usr/sbin/mysqld",       "/usr/local/sbin/mariadbd",
        "/usr/local/bin/mariadbd",     "/usr/local/sbin/mysqld", "/usr/local/bin/mysqld",
        "/usr/local/mysql/bin/mysqld", "/usr/libexec/mysqld",
    };
    rds_choose_user(r);
    r->asking = true;
    r->asked = 1; /* this function, so that a quick answer doesn't end it */
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        if (access(programs[i], X_OK) == 0) {
            ask(r, programs[i]);
        }
    }
    if (--r->asked == 0) {
        wake(r);
    }
}

enum status rds_need_engines(struct call *c, rds_again_fn again, const void *in, void *out)
{
    struct rds *r = rds_of(c);
    if (r->engines_known) {
        return again(c, in, out);
    }
    struct waiting *w = xcalloc(1, sizeof(*w));
    w->call = c;
    w->again = again;
    w->in = in;
    w->out = out;
    list_append(&r->waiting, &w->link);
    if (!r->asking) {
        ask_all(r);
    }
    return ST_PENDING;
}

void rds_when_engines_known(struct rds *r, void (*fn)(struct rds *r))
{
    if (r->engines_known) {
        fn(r);
        return;
    }
    r->when_known = fn;
    if (!r->asking) {
        ask_all(r);
    }
}

/* --- looking up ----------------------------------------------------------------------------------
 */
const struct rds_engine *rds_engine(const struct rds *r, struct str name)
{
    for (size_t i = 0; i < RDS_N_ENGINES; i++) {
        if (str_eqz(name, r->engines[i].name) && r->engines[i].program) {
            return &r->engines[i];
        }
    }
    return NULL;
}

const char *rds_engine_remedy(struct str name)
{
    return str_eqz(name, "mariadb")
               ? "Install the package mariadb-server-core (apt-get install --no-install-recommends "
                 "mariadb-server-core)"
               : "Install a MySQL server (mysqld in /usr/sbin or /usr/local), or use the engine "
                 "mariadb (package mariadb-server-core), or attach a running server by the tag "
                 "cistern:attach=HOST:PORT";
}

void rds_engines_fini(struct rds *r)
{
    for (struct link *l = r->waiting.next, *next; l != &r->waiting; l = next) {
        next = l->next;
        free(CONTAINER_OF(l, struct waiting, link));
    }
    arena_free(r->arena);
}
