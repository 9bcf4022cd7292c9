/* The pass: one transaction, and what waits for its commit. */
#include "server/core.h"

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core_impl.h"
#include "server/loop/gate.h"

/* Rounds of commit and functions before other work gets its turn. */
#define CORE_ROUNDS_MAX 64

/* --- plain facts ------------------------------------------------------------------------------ */

const struct config *core_config(const struct core *core)
{
    return core->config;
}

struct loop *core_loop(struct core *core)
{
    return core->loop;
}

struct blobs *core_blobs(struct core *core)
{
    return core->blobs;
}

struct db *core_db(struct core *core)
{
    return core->db;
}

struct str core_endpoint(const struct core *core)
{
    return str_z(core->endpoint);
}

void core_set_endpoint(struct core *core, const char *addr, int port)
{
    free(core->endpoint);
    bool v6 = strchr(addr, ':') != NULL;
    core->endpoint = xasprintf("http://%s%s%s:%d", v6 ? "[" : "", addr, v6 ? "]" : "", port);
}

const char *core_db_path(const struct core *core)
{
    return core->db_path;
}

struct str core_default_region(const struct core *core)
{
    return str_z(core->config->region);
}

struct str core_default_account(const struct core *core)
{
    return str_z(core->config->account);
}

bool core_stopping(const struct core *core)
{
    return atomic_load(&core->stopping);
}

struct core_counts core_counts(const struct core *core)
{
    return core->counts;
}

void core_on_change(struct core *core, void (*fn)(void *arg), void *arg)
{
    core->on_change = fn;
    core->on_change_arg = arg;
}

/* --- the pass --------------------------------------------------------------------------------- */

void core_begin_pass(void *arg)
{
    struct core *core = arg;
    if (!core->pass_failed) { /* a refusal lasts until the end of the pass */
        core->pass_failed = db_begin(core->db) != ST_OK;
    }
}

struct arena *core_pass_arena(struct core *core)
{
    if (!core->pass_arena) {
        core->pass_arena = arena_new(CORE_PASS_ARENA_MAX);
    }
    return core->pass_arena;
}

void core_after_commit(struct core *core, void (*fn)(void *arg, bool committed), void *arg)
{
    if (core->n_after == core->cap_after) {
        core->cap_after = core->cap_after ? core->cap_after * 2 : 64;
        core->after = xrealloc(core->after, core->cap_after * sizeof(*core->after));
    }
    core->after[core->n_after++] = (struct after){ .fn = fn, .arg = arg };
}

/* Ends the transaction if there is one; did everything of this pass stay? */
static bool end_transaction(struct core *core)
{
    bool ok = !core->pass_failed;
    core->pass_failed = false;
    core->mark_depth = 0;
    if (!db_in_transaction(core->db)) {
        return ok;
    }
    if (db_commit(core->db) == ST_OK) {
        core->counts.commits++;
        return ok;
    }
    log_error("core", "a transaction could not be committed and was undone: %s",
              db_error(core->db));
    db_rollback(core->db);
    core->counts.failed_commits++;
    return false;
}

static void run_after(struct core *core, bool committed)
{
    struct after *list = core->after;
    size_t n = core->n_after;
    core->after = NULL;
    core->n_after = core->cap_after = 0;
    for (size_t i = 0; i < n; i++) {
        list[i].fn(list[i].arg, committed);
    }
    if (core->after) {
        free(list); /* functions registered more, in memory of their own */
    } else {
        core->after = list;
        core->cap_after = n;
    }
}

static void tell_change(struct core *core)
{
    int64_t changes = db_total_changes(core->db);
    if (changes != core->seen_changes) {
        core->seen_changes = changes;
        if (core->on_change) {
            core->on_change(core->on_change_arg);
        }
    }
}

static void wake_again(void *arg)
{
    (void)arg;
}

bool core_end_pass(struct core *core)
{
    for (int round = 0; round < CORE_ROUNDS_MAX; round++) {
        if (!core->n_after && !core->pass_failed && !db_in_transaction(core->db)) {
            tell_change(core);
            arena_free(core->pass_arena);
            core->pass_arena = NULL;
            return false;
        }
        run_after(core, end_transaction(core));
    }
    loop_post(core->loop, wake_again, NULL); /* functions that keep registering: sockets first */
    return false;
}

static bool before_sleep(void *arg)
{
    struct core *core = arg;
    bool more = core_end_pass(core);
    if (!more && core->until && core->until(core->until_arg)) {
        loop_stop(core->loop);
    }
    return more;
}

void core_run_loop(struct core *core)
{
    loop_run(core->loop, before_sleep, core);
}

/* --- marks ------------------------------------------------------------------------------------ */

enum status core_mark(struct core *core, struct core_mark *ret_mark)
{
    enum status st = db_savepoint(core->db, core->mark_depth + 1);
    if (st == ST_OK) {
        core->mark_depth++;
        *ret_mark = (struct core_mark){ .depth = core->mark_depth, .n_after = core->n_after };
    }
    return st;
}

enum status core_mark_keep(struct core *core, struct core_mark mark)
{
    core->mark_depth = mark.depth - 1;
    return db_release(core->db, mark.depth);
}

void core_mark_undo(struct core *core, struct core_mark mark)
{
    core->mark_depth = mark.depth - 1;
    db_rollback_to(core->db, mark.depth);
    core->n_after = mark.n_after;
}

enum status core_mark_end(struct core *core, struct core_mark mark, enum status st)
{
    if (st == ST_OK) {
        return core_mark_keep(core, mark);
    }
    core_mark_undo(core, mark);
    return st;
}

/* --- from other threads ----------------------------------------------------------------------- */

struct post_request {
    struct core *core;
    void (*fn)(struct core *core, void *arg);
    void *arg;
};

static void run_post(void *arg)
{
    struct post_request *p = arg;
    p->fn(p->core, p->arg);
    free(p);
}

void core_post(struct core *core, void (*fn)(struct core *core, void *arg), void *arg)
{
    struct post_request *p = xmalloc(sizeof(*p));
    *p = (struct post_request){ .core = core, .fn = fn, .arg = arg };
    loop_post(core->loop, run_post, p);
}

struct sync_request {
    struct core *core;
    enum status (*fn)(struct core *core, void *arg);
    void *arg;
    enum status st;
    struct gate gate;
};

static void sync_done(void *arg, bool committed)
{
    struct sync_request *r = arg;
    r->st = committed ? ST_OK : ST_DB;
    gate_open(&r->gate);
}

static void run_sync(void *arg)
{
    struct sync_request *r = arg;
    struct core_mark mark;
    r->st = core_mark(r->core, &mark);
    if (r->st == ST_OK) {
        r->st = core_mark_end(r->core, mark, r->fn(r->core, r->arg));
    }
    if (r->st == ST_OK) {
        core_after_commit(r->core, sync_done, r);
    } else {
        gate_open(&r->gate);
    }
}

enum status core_sync(struct core *core, enum status (*fn)(struct core *core, void *arg), void *arg)
{
    if (loop_on_thread(core->loop)) {
        log_error("core", "core_sync() on the core thread would wait for itself");
        abort();
    }
    struct sync_request r = { .core = core, .fn = fn, .arg = arg, .st = ST_DB };
    gate_init(&r.gate);
    loop_post(core->loop, run_sync, &r);
    gate_wait(&r.gate);
    return r.st;
}
