/* Logs that go to CloudWatch too: what a log file has gained since the last look goes to the group
 * /aws/rds/instance/<name>/<type>, its stream <name>. How far that came is kept in the same
 * transaction: no line is lost or sent twice. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/facade/logs.h"
#include "emulators/rds/rds_server.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

#define PORTION_BYTES ((size_t)256 << 10) /* of one file at one look */

/* --- entries ---------------------------------------------------------------------------------- */
/* A line; in the slow query log the lines "# …" and the statement that follows them. */
static struct str next_entry(struct str *rest, bool slow)
{
    struct str all = *rest, line;
    bool statement = false;
    for (;;) {
        struct str before = *rest;
        if (!rest->n || !str_next(rest, '\n', &line)) {
            break;
        }
        bool head = line.n && line.p[0] == '#';
        if (slow && head && statement) {
            *rest = before;
            break;
        }
        statement = statement || !head;
        if (!slow) {
            break;
        }
    }
    return str_trim(str_sub(all, 0, all.n - rest->n));
}

static enum status send(struct rds *r, struct arena *a, const struct rds_instance *i,
                        const struct rds_log *log, struct str text)
{
    const struct logs_owner owner = { i->owner.account, i->owner.region };
    struct str group = arena_printf(a, "/aws/rds/instance/%.*s/%s", STR_ARG(i->name), log->type);
    bool slow = strcmp(log->type, "slowquery") == 0;
    enum status st = ST_OK;
    while (st == ST_OK && text.n) {
        struct str entry = next_entry(&text, slow);
        if (entry.n) {
            st = logs_write(r->core, &owner, group, i->name, clock_now_ms(), entry);
        }
    }
    return st;
}

/* --- files ------------------------------------------------------------------------------------ */
/* Whole lines only, unless one alone fills the portion. */
static size_t whole_lines(struct str text)
{
    size_t n = text.n;
    while (n && text.p[n - 1] != '\n') {
        n--;
    }
    return n ? n : text.n == PORTION_BYTES ? text.n : 0;
}

static enum status export_log(struct rds *r, struct arena *a, const struct rds_instance *i,
                              const struct rds_log *log)
{
    struct db *db = core_db(r->core);
    const char *path = arena_printf(a, "%s/%s", rds_instance_dir(r, a, i->id), log->path).p;
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int64_t at = 0;
    enum status st = rds_store_exported(db, i->id, log->type, &at);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    if (st != ST_OK || size == at) {
        return st;
    }
    at = size < at ? 0 : at; /* begun anew */
    char *text = arena_alloc(a, PORTION_BYTES);
    ssize_t n = fd >= 0 ? pread(fd, text, PORTION_BYTES, (off_t)at) : 0;
    struct str portion = { text, n > 0 ? (size_t)n : 0 };
    portion.n = whole_lines(portion);
    st = send(r, a, i, log, portion);
    return st == ST_OK ? rds_store_set_exported(db, i->id, log->type, at + (int64_t)portion.n) : st;
}

void rds_export(struct rds *r, struct str id)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instance i;
    enum status st = rds_store_by_id(core_db(r->core), a, id, &i);
    for (size_t k = 0; st == ST_OK && k < i.doc->EnabledCloudwatchLogsExports.n; k++) {
        const struct rds_log *log = rds_log(i.doc->EnabledCloudwatchLogsExports.v[k]);
        st = log ? export_log(r, a, &i, log) : ST_OK;
    }
    if (st != ST_OK && st != ST_NOT_FOUND) {
        log_warn(RDS_TOPIC, "logs of %.*s don't get to CloudWatch: %s", STR_ARG(id),
                 status_name(st));
    }
}

void rds_export_all(struct rds *r)
{
    LIST_FOREACH(l, &r->servers)
    {
        const struct rds_server *s = CONTAINER_OF(l, struct rds_server, link);
        if (s->state == RDS_SERVER_UP) {
            rds_export(r, s->id);
        }
    }
}

/* --- what is asked for ------------------------------------------------------------------------ */
enum status rds_check_exports(struct call *c, const struct rds_instance *i,
                              const struct rds_log_type_list *types)
{
    if (types->n && str_set(i->attached)) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "The logs of an attached server aren't ours to export.");
    }
    for (size_t k = 0; k < types->n; k++) {
        if (!rds_log(types->v[k])) {
            return call_fail(c, &rds_InvalidParameterCombination,
                             "You cannot use the log types '%.*s' with engine version %.*s %.*s. "
                             "Here are error, general and slowquery.",
                             STR_ARG(types->v[k]), STR_ARG(i->engine),
                             STR_ARG(i->doc->EngineVersion));
        }
    }
    return ST_OK;
}

static bool has(const struct rds_log_type_list *list, struct str type)
{
    for (size_t k = 0; k < list->n; k++) {
        if (str_eq(list->v[k], type)) {
            return true;
        }
    }
    return false;
}

enum status rds_change_exports(struct call *c, struct rds_instance *i,
                               const struct rds_cloudwatch_logs_export_configuration *change)
{
    struct rds_log_type_list *now = &i->doc->EnabledCloudwatchLogsExports;
    enum status st = rds_check_exports(c, i, &change->EnableLogTypes);
    st = st == ST_OK ? rds_check_exports(c, i, &change->DisableLogTypes) : st;
    struct rds_log_type_list then = { 0, ARENA_ARRAY(c->arena, struct str,
                                                     now->n + change->EnableLogTypes.n + 1) };
    for (size_t k = 0; st == ST_OK && k < now->n + change->EnableLogTypes.n; k++) {
        struct str type = k < now->n ? now->v[k] : change->EnableLogTypes.v[k - now->n];
        if (!has(&then, type) && !has(&change->DisableLogTypes, type)) {
            then.v[then.n++] = type;
        }
    }
    *now = st == ST_OK ? then : *now;
    return st;
}
