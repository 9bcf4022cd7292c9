/* Which database servers this machine has. They are asked for their versions when the first call
 * needs to know: starting a program costs more than all the rest of our start. Looked at, in this
 * order: what --mysqld names, mariadbd and mysqld on the PATH and in the usual places; the first of
 * each engine wins. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/proc.h"

#define VERSION_MAX 4096
#define PROGRAMS_MAX 64
#define OLDEST_MYSQL 50700 /* its users and its data folder are made by statements that we give */

struct waiting {
    struct link link;
    struct call *call;
    rds_again_fn again;
    const void *in;
    void *out;
};

/* --- asking ----------------------------------------------------------------------------------- */
struct question {
    struct rds *rds;
    const char *program;
    size_t rank;  /* the place in the order of looking */
    bool by_name; /* --mysqld says it: then the user wants to know what is wrong with it */
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

/* Can instances run on it? */
static const char *why_not(const struct question *q, const struct proc_result *result,
                           struct str version, bool mariadb)
{
    uint64_t major = 0, minor = 0;
    struct str a, b, rest = version;
    if (result->start_errno) {
        return strerror(result->start_errno);
    }
    if (!result->exited || result->code != 0 || !version.n) {
        return "it doesn't tell its version when it is run with --no-defaults --version";
    }
    bool read = str_next(&rest, '.', &a) && str_next(&rest, '.', &b) && str_u64(a, &major) == 0 &&
                str_u64(b, &minor) == 0;
    if (!mariadb && (!read || major * 10000 + minor * 100 < OLDEST_MYSQL)) {
        return "MySQL before 5.7 can't be prepared here: attach it while it runs, by the tag "
               "cistern:attach=HOST:PORT";
    }
    const struct rds_engine *e = &q->rds->engines[mariadb ? 0 : 1];
    return e->program && e->rank < q->rank ? "another one comes first" : NULL;
}

static void answered(void *arg, const struct proc_result *result)
{
    struct question *q = arg;
    struct rds *r = q->rds;
    bool mariadb = str_find_str(result->output, STR("MariaDB")) >= 0;
    struct rds_engine *e = &r->engines[mariadb ? 0 : 1];
    struct str version = version_in(result->output);
    const char *problem = why_not(q, result, version, mariadb);
    if (!problem) {
        e->program = q->program;
        e->rank = q->rank;
        e->version = arena_str(r->arena, version);
        e->major = arena_str(r->arena, major_of(version));
        e->family = arena_printf(r->arena, "%s%.*s", e->name, STR_ARG(e->major));
        log_debug(RDS_TOPIC, "%s %.*s: %s", e->name, STR_ARG(e->version), e->program);
    } else if (q->by_name) {
        log_warn(RDS_TOPIC, "database server %s (--mysqld) isn't used: %s", q->program, problem);
    } else {
        log_debug(RDS_TOPIC, "database server %s isn't used: %s", q->program, problem);
    }
    free(q);
    if (--r->asked == 0) {
        wake(r);
    }
}

static void ask(struct rds *r, const char *program, size_t rank, bool by_name)
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
    *q = (struct question){ r, program, rank, by_name };
    r->asked++;
    proc_start(core_loop(r->core), &options);
}

/* Programs to ask, each once whatever links lead to it. */
struct programs {
    struct rds *rds;
    const char *v[PROGRAMS_MAX], *real[PROGRAMS_MAX];
    size_t n;
};

static void add(struct programs *p, const char *path)
{
    char real[PATH_MAX];
    if (p->n == PROGRAMS_MAX || access(path, X_OK) != 0 || !realpath(path, real)) {
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->real[i], real) == 0) {
            return;
        }
    }
    p->v[p->n] = path;
    p->real[p->n++] = arena_strz(p->rds->arena, real).p;
}

/* mariadbd and mysqld in a list of folders; both names before the next folder. */
static void add_folders(struct programs *p, struct str folders)
{
    static const char *const names[] = { "mariadbd", "mysqld" };
    struct str dir;
    while (folders.n && str_next(&folders, ':', &dir)) {
        for (size_t i = 0; dir.n && dir.p[0] == '/' && i < ARRAY_LEN(names); i++) {
            add(p, arena_printf(p->rds->arena, "%.*s/%s", STR_ARG(dir), names[i]).p);
        }
    }
}

static void ask_all(struct rds *r)
{
    struct str named = str_z(core_config(r->core)->mysqld), one;
    struct programs p = { .rds = r };
    while (str_set(named) && named.n && str_next(&named, ':', &one)) {
        size_t before = p.n;
        const char *path = arena_cstr(r->arena, one);
        add(&p, path);
        if (p.n == before && one.n) {
            log_warn(RDS_TOPIC, "database server %s (--mysqld) isn't a program that can be run",
                     path);
        }
    }
    size_t n_named = p.n;
    add_folders(&p, str_z(getenv("PATH")));
    add_folders(&p, STR("/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/local/mysql/bin:"
                        "/usr/libexec"));
    rds_choose_user(r);
    r->asking = true;
    r->asked = 1; /* this function, so that a quick answer doesn't end it */
    for (size_t i = 0; i < p.n; i++) {
        ask(r, p.v[i], i, i < n_named);
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

/* --- looking up ------------------------------------------------------------------------------- */
const struct rds_engine *rds_engine(const struct rds *r, struct str name)
{
    for (size_t i = 0; i < RDS_N_ENGINES; i++) {
        if (str_eqz(name, r->engines[i].name) && r->engines[i].program) {
            return &r->engines[i];
        }
    }
    return NULL;
}

bool rds_version_fits(const struct rds_engine *e, struct str wanted)
{
    return !str_set(wanted) || !wanted.n || str_eq(wanted, e->version) ||
           (str_starts(e->version, wanted) && e->version.p[wanted.n] == '.');
}

const char *rds_engine_remedy(struct str name)
{
    return str_eqz(name, "mariadb")
               ? "Install the package mariadb-server-core (apt-get install --no-install-recommends "
                 "mariadb-server-core)"
               : "Install a MySQL server of version 5.7 or later so that mysqld is on the PATH, or "
                 "name its program by --mysqld; or use the engine mariadb (package "
                 "mariadb-server-core), or attach a running server by the tag "
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
