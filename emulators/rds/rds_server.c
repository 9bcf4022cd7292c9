/* The process of an instance, from its folder to "available" and back. One chain of steps, each
 * ended by a callback on the core thread:
 *
 *   template (a child installs an empty data folder, once per engine) → copy (a worker) → start
 * (the server) → ready (a worker logs in as administrator and runs the setup)
 *
 * The instance's row says where it is; a restart of ours begins the chain again. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/rds/rds_server.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/tree.h"

#define PASSWORD_DIGITS 40
#define UNKNOWN_TIME_ZONE 1298
#define SAID_MAX 65536 /* of what a server says before it has opened its error log */

struct rds_server *rds_server_find(const struct rds *r, struct str id)
{
    LIST_FOREACH(l, &r->servers)
    {
        struct rds_server *s = CONTAINER_OF(l, struct rds_server, link);
        if (str_eq(s->id, id)) {
            return s;
        }
    }
    return NULL;
}

void rds_server_free(struct rds_server *s)
{
    list_remove(&s->link);
    buf_fini(&s->said);
    arena_free(s->arena);
    free(s);
}

/* --- the row ---------------------------------------------------------------------------------- */
static struct str last_error(struct str text)
{
    struct str line, found = STR("");
    while (text.n && str_next(&text, '\n', &line)) {
        if (str_find_str(line, STR("[ERROR]")) >= 0 && !str_ends(line, STR("Aborting"))) {
            found = line;
        }
    }
    return found;
}

static struct str last_line(struct arena *a, const char *path)
{
    char text[4096];
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    off_t from = size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) : 0;
    ssize_t n = fd >= 0 ? pread(fd, text, sizeof(text), from) : 0;
    return arena_str(a, last_error(n > 0 ? (struct str){ text, (size_t)n } : STR("")));
}

void rds_server_failed(struct rds_server *s, const char *state, const char *fmt, ...)
{
    struct rds *r = s->rds;
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instance i;
    va_list ap;
    va_start(ap, fmt);
    struct str why = arena_vprintf(a, fmt, ap);
    va_end(ap);
    if (rds_store_by_id(core_db(r->core), a, s->id, &i) == ST_OK) {
        struct str line = last_line(a, arena_printf(a, "%s/error.log", s->dir).p);
        line = line.n ? line : last_error(str_trim(buf_str(&s->said)));
        i.doc->StatusInfos.n = 1;
        i.doc->StatusInfos.v = ARENA_NEW(a, struct rds_db_instance_status_info);
        *i.doc->StatusInfos.v = (struct rds_db_instance_status_info){
            .StatusType = STR("database server"),
            .Normal = OPT_BOOL(false),
            .Status = str_z(state),
            .Message =
                arena_printf(a, "%.*s%s%.*s", STR_ARG(why), line.n ? " " : "", STR_ARG(line)),
        };
        log_error(RDS_TOPIC, "instance %.*s: %.*s", STR_ARG(i.name),
                  STR_ARG(i.doc->StatusInfos.v->Message));
        status_ignore(rds_set_status(r, a, &i, state)); /* logged */
    }
    rds_server_free(s);
}

/* The server answers: what was done at its start is forgotten, and everybody may come in. */
static void up(struct rds_server *s)
{
    struct rds *r = s->rds;
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instance i;
    s->state = RDS_SERVER_UP;
    if (rds_store_by_id(core_db(r->core), a, s->id, &i) != ST_OK) {
        return;
    }
    i.setup = STR_NONE;
    i.doc->StatusInfos = (struct rds_db_instance_status_info_list){ 0, NULL };
    i.doc->Endpoint = ARENA_NEW(a, struct rds_endpoint);
    *i.doc->Endpoint = (struct rds_endpoint){ .Address = STR("127.0.0.1"),
                                              .Port = OPT_I64(i.port),
                                              .HostedZoneId = STR("Z2R2ITUGPM61AM") };
    for (size_t k = 0; k < i.doc->DBParameterGroups.n; k++) {
        i.doc->DBParameterGroups.v[k].ParameterApplyStatus = STR("in-sync");
    }
    status_ignore(rds_set_status(r, a, &i, "available")); /* logged */
}

/* --- starting --------------------------------------------------------------------------------- */
static void on_ready(struct rds_server *s, const struct mysql_err *err)
{
    if (s->ended) { /* rds_server_exited() waited for this worker */
        rds_server_gone(s);
        return;
    }
    if (err) {
        const char *remedy =
            err->code == UNKNOWN_TIME_ZONE
                ? " Its tables of time zones are empty, since none were found when "
                  "it was made: set time_zone to UTC, or install the package "
                  "tzdata and make a new instance."
                : "";
        s->failure = arena_printf(s->arena, "%s%s", err->text, remedy).p;
        proc_kill(s->proc, SIGTERM);
        return;
    }
    if (s->state == RDS_SERVER_STARTING) {
        up(s);
    }
}

static bool write_init_file(struct rds_server *s, struct str text)
{
    CLEANUP(close_fd)
    int fd = open(s->init_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n &&
           (!s->rds->uid || fchown(fd, s->rds->uid, s->rds->gid) == 0);
}

/* An instance that was never up may still move to another port; later its clients know it. */
static bool take_port(struct rds_server *s, struct arena *a, struct rds_instance *i)
{
    int port = rds_free_port((int)i->port);
    if (!port && !i->doc->Endpoint && (port = rds_free_port(0)) != 0) {
        i->port = port;
        status_ignore(rds_store_update(core_db(s->rds->core), a, i)); /* logged */
    }
    s->port = (unsigned)port;
    return port != 0;
}

static void start_process(struct rds_server *s)
{
    struct rds *r = s->rds;
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instance i;
    struct rds_settings settings = { NULL, 0 };
    enum status st = rds_store_by_id(core_db(r->core), a, s->id, &i);
    for (size_t k = 0; st == ST_OK && k < i.doc->DBParameterGroups.n; k++) {
        st = rds_store_settings(core_db(r->core), a, &i.owner,
                                i.doc->DBParameterGroups.v[k].DBParameterGroupName, &settings);
    }
    if (st != ST_OK) {
        rds_server_failed(s, "failed", "Its row can't be read (%s).", status_name(st));
        return;
    }
    s->has_settings = settings.n > 0;
    s->has_binlog = i.doc->BackupRetentionPeriod.v > 0;
    s->password = id_hex(s->arena, PASSWORD_DIGITS);
    if (!take_port(s, a, &i)) {
        rds_server_failed(s, "failed",
                          "Port %lld of 127.0.0.1 is taken by another program: end that, then "
                          "start or reboot the instance.",
                          (long long)i.port);
        return;
    }
    if (!write_init_file(s, rds_setup_init(a, i.engine, s->password))) {
        rds_server_failed(s, "failed", "%s: %s.", s->init_file, strerror(errno));
        return;
    }
    s->state = RDS_SERVER_STARTING;
    rds_server_spawn(s, rds_options_argv(r, a, &i, s->init_file, &settings));
    struct str globals = rds_setup_globals(a, &settings);
    rds_server_login(s, arena_join(a, globals, str_set(i.setup) ? i.setup : STR("")), on_ready);
}

/* --- the folder ------------------------------------------------------------------------------- */
static void copied(void *arg)
{
    struct rds_server *s = arg;
    if (s->copy_errno) {
        rds_server_failed(s, "failed", "Its folder %s can't be made: %s.", s->dir,
                          strerror(s->copy_errno));
    } else if (s->after == RDS_THEN_DELETE || s->after == RDS_THEN_SERVER_ENDS) {
        rds_server_gone(s);
    } else {
        start_process(s);
    }
}

/* MySQL's name of itself in replication: a copy makes its own. */
static bool forget_uuid(const struct rds_server *s)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof(path), "%s/auto.cnf", s->side_dir) < (int)sizeof(path) &&
           (unlink(path) == 0 || errno == ENOENT);
}

/* The copy goes to a side name first: a folder `data` is always a whole one. */
static void copy(void *arg)
{
    struct rds_server *s = arg;
    const char *side = s->side_dir;
    const struct rds *r = s->rds;
    errno = 0;
    bool good = (mkdir(s->dir, 0755) == 0 || errno == EEXIST) &&
                (mkdir(s->tmp_dir, 0755) == 0 || errno == EEXIST);
    if (good && access(s->data_dir, F_OK) != 0) {
        status_ignore(tree_remove(side)); /* logged; the copy tells */
        good = rds_copy_tree(s->source, side) && forget_uuid(s) && rename(side, s->data_dir) == 0;
    }
    good = good && (!r->uid || rds_chown_tree(s->dir, r->uid, r->gid));
    s->copy_errno = good ? 0 : errno ? errno : EIO;
}

static void with_template(struct rds_server *s, const char *problem)
{
    if (problem) {
        rds_server_failed(s, "failed", "%s", problem);
        return;
    }
    work_start(core_loop(s->rds->core), copy, copied, s);
}

/* Where all instances and snapshots lie; what fails here fails again, with a message, below. */
static void make_roots(struct rds_server *s)
{
    const char *data = core_config(s->rds->core)->data_dir;
    (void)mkdir(arena_printf(s->arena, "%s/rds", data).p, 0755);
    (void)mkdir(arena_printf(s->arena, "%s/rds/snapshots", data).p, 0755);
}

/* MySQL 8 settles lower_case_table_names when it installs its folder; MariaDB at any start. */
static void choose_case(struct rds_server *s)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct db *db = core_db(s->rds->core);
    struct rds_instance i;
    struct rds_settings settings = { NULL, 0 };
    enum status st =
        strcmp(s->engine->name, "mysql") == 0 ? rds_store_by_id(db, a, s->id, &i) : ST_NOT_FOUND;
    for (size_t k = 0; st == ST_OK && k < i.doc->DBParameterGroups.n; k++) {
        st = rds_store_settings(db, a, &i.owner, i.doc->DBParameterGroups.v[k].DBParameterGroupName,
                                &settings);
    }
    for (size_t k = 0; st == ST_OK && k < settings.n; k++) {
        if (str_eqz(settings.v[k].name, "lower_case_table_names")) {
            s->lower_case = str_eqz(settings.v[k].value, "1");
        }
    }
}

static void launch(void *arg, bool committed)
{
    struct rds_server *s = arg;
    if (!committed || core_stopping(s->rds->core)) {
        rds_server_free(s);
        return;
    }
    make_roots(s);
    if (access(s->data_dir, F_OK) == 0 || s->from_snapshot) {
        with_template(s, NULL);
    } else {
        choose_case(s);
        rds_template_get(s, with_template);
    }
}

void rds_server_launch(struct rds *r, const struct rds_instance *i)
{
    struct rds_server *s = xcalloc(1, sizeof(*s));
    s->arena = arena_new(RDS_ARENA_MAX);
    s->rds = r;
    buf_init(&s->said, SAID_MAX);
    s->id = arena_str(s->arena, i->id);
    s->name = arena_str(s->arena, i->name);
    s->engine = rds_engine(r, i->engine);
    s->dir = rds_instance_dir(r, s->arena, i->id);
    s->data_dir = arena_printf(s->arena, "%s/data", s->dir).p;
    s->side_dir = arena_printf(s->arena, "%s/data.new", s->dir).p;
    s->tmp_dir = arena_printf(s->arena, "%s/tmp", s->dir).p;
    s->init_file = arena_printf(s->arena, "%s/init.sql", s->dir).p;
    s->from_snapshot = str_set(i->source);
    if (s->from_snapshot) {
        s->source = arena_printf(s->arena, "%s/data", rds_snapshot_dir(r, s->arena, i->source)).p;
    }
    list_append(&r->servers, &s->link);
    if (!s->engine) {
        rds_server_failed(s, "failed", "No %.*s server is installed on this machine. %s.",
                          STR_ARG(i->engine), rds_engine_remedy(i->engine));
        return;
    }
    core_after_commit(r->core, launch, s);
}

bool rds_server_is_up(const struct rds *r, struct str id)
{
    const struct rds_server *s = rds_server_find(r, id);
    return s && s->state == RDS_SERVER_UP;
}

void rds_server_busy(const struct rds *r, struct busy *busy)
{
    LIST_FOREACH(l, &r->servers)
    {
        const struct rds_server *s = CONTAINER_OF(l, struct rds_server, link);
        if (s->state != RDS_SERVER_UP || s->working) {
            busy_add(busy, "rds", "instance %.*s: its server is %s", STR_ARG(s->name),
                     s->state == RDS_SERVER_ENDING ? "ending"
                     : s->working                  ? "at work"
                                                   : "starting");
        }
    }
}
