/* GET  /_cistern/wait?timeout=60&flush=1   answers when nothing is busy any more, or with
 *                                          {"idle":false,"busy":[…]} when the time is over
 * GET  /_cistern/status                    the same list at once, and some counts
 * POST /_cistern/reset                     forgets everything
 *
 * Idleness is a fact of the whole process that no single event tells. So while somebody waits the
 * services are asked: after every pass that changed something, and now and then. Two answers
 * running must be empty, because work may be on its way between two services in a post. */
#include "server/admin.h"

#include "server/base/clock.h"
#include "server/base/list.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/core_run.h"
#include "server/http/admin.h"
#include "server/http/call.h"
#include "server/loop/loop.h"
#include "server/loop/proc.h"
#include "server/service.h"
#include "server/version.h"
#include "server/wire/json.h"

#define WAIT_POLL_MS 20   /* while something is busy */
#define WAIT_CONFIRM_MS 2 /* until the second look */
#define WAIT_DEFAULT_MS 60000
#define WAIT_MAX_MS 3600000
#define ADMIN_ANSWER_MAX (1u << 20)
#define BUSY_ARENA_MAX (1u << 20)

struct waiter {
    struct link link; /* in admin->waiters */
    struct admin *admin;
    struct call *call;
    uint64_t id;
    int64_t since_ms, ends_ms;
    bool flush;
    bool gone; /* its client hung up */
    int quiet; /* empty answers running */
};

struct admin {
    struct core *core;
    struct link waiters;
    struct timer *timer;
    int64_t next_look_ms;
    uint64_t last_wait;
    int64_t started_ms;
};

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_busy(struct json_out *o, const struct busy *busy)
{
    json_keyz(o, "busy");
    json_open(o, '[');
    for (const struct busy_item *item = busy->first; item; item = item->next) {
        json_open(o, '{');
        json_pair(o, "service", item->service);
        json_pair(o, "detail", item->detail);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static enum status reply_json(struct call *c, struct buf *b)
{
    buf_putc(b, '\n');
    if (buf_ok(b)) {
        call_reply_bytes(c, STR("application/json"), buf_str(b));
    }
    enum status st = buf_ok(b) ? ST_OK : ST_NOMEM;
    buf_fini(b);
    return call_status(c, st);
}

/* --- wait ------------------------------------------------------------------------------------- */

static void schedule(struct admin *admin, int64_t delay_ms)
{
    admin->next_look_ms = clock_mono_ms() + delay_ms;
    timer_start(admin->timer, delay_ms, 0);
}

static void finish_wait(struct waiter *w, const struct busy *busy)
{
    struct call *c = w->call;
    struct buf b = BUF_INIT(ADMIN_ANSWER_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_keyz(&o, "idle");
    json_bool(&o, busy->n == 0);
    json_keyz(&o, "waited_ms");
    json_i64(&o, clock_mono_ms() - w->since_ms);
    write_busy(&o, busy);
    json_close(&o, '}');
    call_finish(c, reply_json(c, &b));
}

/* Asks all services on behalf of one waiter; true when he got his answer. */
static bool look_for(struct waiter *w)
{
    struct core *core = w->admin->core;
    CLEANUP(arena_freep) struct arena *a = arena_new(BUSY_ARENA_MAX);
    struct busy busy;
    busy_init(&busy, a);
    busy.wait_id = w->id;
    busy.since_ms = w->since_ms;
    busy.flush = w->flush;
    core_busy(core, &busy);
    bool stopping = core_stopping(core);
    if (stopping) {
        busy_add(&busy, "cistern", "the server is ending or being reset");
    }
    w->quiet = busy.n == 0 ? w->quiet + 1 : 0;
    bool late = clock_mono_ms() >= w->ends_ms && busy.n > 0;
    bool over = w->quiet >= 2 || stopping || late || w->gone;
    if (over) {
        finish_wait(w, &busy);
    }
    return over;
}

static void look(void *arg)
{
    struct admin *admin = arg;
    bool confirm = false;
    LIST_FOREACH(item, &admin->waiters)
    {
        struct waiter *w = CONTAINER_OF(item, struct waiter, link);
        if (look_for(w)) {
            list_remove(item);
            free(w);
        } else {
            confirm = confirm || w->quiet > 0;
        }
    }
    if (list_empty(&admin->waiters)) {
        timer_stop(admin->timer);
    } else {
        schedule(admin, confirm ? WAIT_CONFIRM_MS : WAIT_POLL_MS);
    }
}

/* A pass changed something: maybe it was the last thing to do. */
static void on_change(void *arg)
{
    struct admin *admin = arg;
    if (!list_empty(&admin->waiters) && admin->next_look_ms > clock_mono_ms() + WAIT_CONFIRM_MS) {
        schedule(admin, WAIT_CONFIRM_MS);
    }
}

static void client_gone(void *arg)
{
    struct waiter *w = arg;
    w->gone = true; /* the next look ends it */
}

static enum status read_wait_query(struct call *c, struct waiter *w)
{
    static const struct aws_error bad = { .code = "ValidationException", .http_status = 400 };
    struct str value;
    double seconds = WAIT_DEFAULT_MS / 1000.0;
    if (call_query(c, "timeout", &value) &&
        (str_f64(value, &seconds) != ST_OK || !(seconds >= 0 && seconds <= WAIT_MAX_MS / 1000.0))) {
        return call_fail(c, &bad, "timeout must be a number of seconds from 0 to %d, not \"%.*s\".",
                         WAIT_MAX_MS / 1000, STR_ARG(value));
    }
    if (call_query(c, "flush", &value) && value.n > 0 && str_bool(value, &w->flush) != ST_OK) {
        return call_fail(c, &bad, "flush must be 1 or 0, not \"%.*s\".", STR_ARG(value));
    }
    w->ends_ms = w->since_ms + (int64_t)(seconds * 1000);
    return ST_OK;
}

static enum status wait_idle(struct call *c, void *arg)
{
    struct admin *admin = arg;
    struct waiter *w = xcalloc(1, sizeof(*w));
    w->admin = admin;
    w->call = c;
    w->id = ++admin->last_wait;
    w->since_ms = clock_mono_ms();
    enum status st = read_wait_query(c, w);
    if (st != ST_OK) {
        free(w);
        return st;
    }
    list_append(&admin->waiters, &w->link);
    call_on_abort(c, client_gone, w);
    schedule(admin, 0);
    return ST_PENDING;
}

/* --- status ----------------------------------------------------------------------------------- */

static enum status status(struct call *c, void *arg)
{
    struct admin *admin = arg;
    struct core *core = admin->core;
    struct busy busy;
    busy_init(&busy, c->arena);
    core_busy(core, &busy);
    struct core_counts counts = core_counts(core);
    struct buf b = BUF_INIT(ADMIN_ANSWER_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "version", STR(CISTERN_VERSION));
    json_pair(&o, "endpoint", core_endpoint(core));
    json_pair(&o, "data", str_z(core_config(core)->data_dir));
    json_keyz(&o, "pid");
    json_i64(&o, getpid());
    json_keyz(&o, "uptime_s");
    json_f64(&o, (double)(clock_mono_ms() - admin->started_ms) / 1000.0);
    json_keyz(&o, "services");
    json_open(&o, '[');
    for (const struct service *const *s = core_services(core); *s; s++) {
        json_str(&o, str_z((*s)->name));
    }
    json_close(&o, ']');
    json_keyz(&o, "idle");
    json_bool(&o, busy.n == 0);
    write_busy(&o, &busy);
    json_keyz(&o, "commits");
    json_i64(&o, (int64_t)counts.commits);
    json_keyz(&o, "failed_commits");
    json_i64(&o, (int64_t)counts.failed_commits);
    json_keyz(&o, "child_processes");
    json_i64(&o, proc_count(core_loop(core)));
    json_close(&o, '}');
    return reply_json(c, &b);
}

/* --- reset ------------------------------------------------------------------------------------ */

static void reset_done(void *arg, bool ok)
{
    static const struct aws_error failed = { .code = "InternalFailure", .http_status = 500 };
    struct call *c = arg;
    if (!ok) {
        call_finish(c, call_fail(c, &failed, "The reset failed; the server's log says why."));
        return;
    }
    call_reply_bytes(c, STR("application/json"), STR("{\"reset\":true}\n"));
    call_finish(c, ST_OK);
}

static enum status reset(struct call *c, void *arg)
{
    struct admin *admin = arg;
    core_reset(admin->core, reset_done, c);
    return ST_PENDING;
}

/* --- life ------------------------------------------------------------------------------------- */

static void admin_free(void *value)
{
    struct admin *admin = value;
    LIST_FOREACH(item, &admin->waiters)
    {
        free(CONTAINER_OF(item, struct waiter, link));
    }
    timer_free(admin->timer);
    free(admin);
}

void admin_register(struct core *core)
{
    struct admin *admin = xcalloc(1, sizeof(*admin));
    admin->core = core;
    admin->started_ms = clock_mono_ms();
    admin->timer = timer_new(core_loop(core), look, admin);
    list_init(&admin->waiters);
    *core_slot(core, "admin", admin_free) = admin;
    core_on_change(core, on_change, admin);
    http_admin_register("GET", "/_cistern/wait", 0, wait_idle, admin);
    http_admin_register("POST", "/_cistern/wait", 0, wait_idle, admin);
    http_admin_register("GET", "/_cistern/status", 0, status, admin);
    http_admin_register("POST", "/_cistern/reset", 0, reset, admin);
}
