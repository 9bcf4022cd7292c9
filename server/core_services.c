/* The services' life: init, start, stop, reset, and the question what is busy. */
#include "server/base/clock.h"
#include <signal.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/core_impl.h"
#include "server/loop/proc.h"
#include "server/outbox.h"
#include "server/service.h"

/* --- making and freeing ----------------------------------------------------------------------- */

static enum db_mode db_mode_of(const struct config *config)
{
    if (config->durable) {
        return DB_WRITE_DURABLE;
    }
    return config->ephemeral ? DB_WRITE_SCRATCH : DB_WRITE;
}

static enum status open_parts(struct core *core)
{
    const struct config *config = core->config;
    core->db_path = xasprintf("%s/cistern.db", config->data_dir);
    enum status st = loop_new(config->workers, &core->loop);
    if (st == ST_OK) {
        st = db_open(core->db_path, db_mode_of(config), &core->db);
    }
    if (st == ST_OK) {
        db_on_first_use(core->db, core_begin_pass, core);
        st = blobs_open(config->data_dir, &core->blobs);
    }
    if (st == ST_OK) {
        st = blobs_attach(core->blobs, core, config->durable);
    }
    return st == ST_OK ? outbox_open(core) : st;
}

static enum status create_tables(struct core *core)
{
    for (size_t i = 0; i < core->n_services; i++) {
        const char *sql = core->services[i]->schema_sql;
        if (sql && db_script(core->db, sql) != ST_OK) {
            log_error("core", "%s: cannot create its tables: %s", core->services[i]->name,
                      db_error(core->db));
            return ST_DB;
        }
    }
    return ST_OK;
}

static enum status init_services(struct core *core)
{
    for (size_t i = 0; i < core->n_services; i++) {
        const struct service *s = core->services[i];
        enum status st = s->init ? s->init(core, &core->states[i]) : ST_OK;
        if (st != ST_OK) {
            log_error("core", "%s: cannot start: %s", s->name, status_name(st));
            return st;
        }
        core->n_inited++;
    }
    return ST_OK;
}

enum status core_new(const struct config *config, const struct service *const *list,
                     struct core **ret)
{
    struct core *core = xcalloc(1, sizeof(*core));
    core->config = config;
    core->services = list;
    while (list[core->n_services]) {
        core->n_services++;
    }
    core->states = xcalloc(core->n_services + 1, sizeof(*core->states));
    enum status st = open_parts(core);
    if (st == ST_OK) {
        st = create_tables(core);
    }
    if (st == ST_OK) {
        st = init_services(core);
    }
    if (st == ST_OK) {
        core_end_pass(core);
        st = core->counts.failed_commits ? ST_DB : ST_OK;
    }
    if (st != ST_OK) {
        core_free(core);
        return st;
    }
    *ret = core;
    return ST_OK;
}

static void free_slots(struct core *core)
{
    struct core_slot *slot = core->slots;
    while (slot) {
        struct core_slot *next = slot->next;
        if (slot->value && slot->fini) {
            slot->fini(slot->value);
        }
        free(slot);
        slot = next;
    }
}

void core_free(struct core *core)
{
    if (!core) {
        return;
    }
    if (core->db && db_in_transaction(core->db)) {
        db_rollback(core->db); /* only when the start failed half-way */
    }
    for (size_t i = core->n_inited; i > 0; i--) {
        if (core->services[i - 1]->fini) {
            core->services[i - 1]->fini(core->states[i - 1]);
        }
    }
    if (core->db) {
        core_end_pass(core); /* what fini wrote */
    }
    free_slots(core);
    blobs_close(core->blobs);
    loop_free(core->loop);
    db_close(core->db);
    free(core->states);
    free(core->after);
    arena_free(core->pass_arena);
    free(core->db_path);
    free(core->endpoint);
    free(core);
}

/* --- look-up ---------------------------------------------------------------------------------- */

void *core_state(struct core *core, const char *service)
{
    for (size_t i = 0; i < core->n_services; i++) {
        if (strcmp(core->services[i]->name, service) == 0) {
            return core->states[i];
        }
    }
    return NULL;
}

const struct service *const *core_services(const struct core *core)
{
    return core->services;
}

void **core_slot(struct core *core, const char *name, void (*fini)(void *value))
{
    for (struct core_slot *s = core->slots; s; s = s->next) {
        if (strcmp(s->name, name) == 0) {
            return &s->value;
        }
    }
    struct core_slot *s = xcalloc(1, sizeof(*s));
    *s = (struct core_slot){ .next = core->slots, .name = name, .fini = fini };
    core->slots = s;
    return &s->value;
}

void core_busy(struct core *core, struct busy *busy)
{
    for (size_t i = 0; i < core->n_started; i++) {
        if (core->services[i]->busy) {
            core->services[i]->busy(core->states[i], busy);
        }
    }
}

/* --- start, run, stop ------------------------------------------------------------------------- */

static enum status start_services(struct core *core)
{
    uint64_t failed = core->counts.failed_commits;
    enum status st = ST_OK;
    while (core->n_started < core->n_services) {
        const struct service *s = core->services[core->n_started];
        st = s->start ? s->start(core->states[core->n_started]) : ST_OK;
        core->n_started++;
        if (st != ST_OK) {
            log_error("core", "%s: cannot continue its work: %s", s->name, status_name(st));
            return st;
        }
    }
    st = outbox_start(core);
    core_end_pass(core);
    return st == ST_OK && core->counts.failed_commits != failed ? ST_DB : st;
}

enum status core_start(struct core *core)
{
    enum status st = blobs_recover(core->blobs, core->db);
    return st == ST_OK ? start_services(core) : st;
}

static void wait_is_over(void *arg)
{
    struct core *core = arg;
    core->until = NULL;
    loop_stop(core->loop);
}

bool core_wait(struct core *core, bool (*done)(void *arg), void *arg, int64_t timeout_ms)
{
    core_end_pass(core);
    if (done(arg)) {
        return true;
    }
    struct timer *timer = timer_new(core->loop, wait_is_over, core);
    timer_start(timer, timeout_ms, 0);
    core->until = done;
    core->until_arg = arg;
    while (core->until && !done(arg)) { /* core_end() may stop the loop meanwhile */
        core_run_loop(core);
    }
    core->until = NULL;
    timer_free(timer);
    return done(arg);
}

static bool all_quiet(void *arg)
{
    struct core *core = arg;
    return loop_pending(core->loop) == 0 && proc_count(core->loop) == 0;
}

static bool stop_services(struct core *core)
{
    outbox_stop(core);
    while (core->n_started > 0) {
        const struct service *s = core->services[core->n_started - 1];
        if (s->stop) {
            s->stop(core->states[core->n_started - 1]);
        }
        core->n_started--;
    }
    return core_wait(core, all_quiet, core, CORE_STOP_MS);
}

bool core_stop(struct core *core)
{
    atomic_store(&core->stopping, true);
    bool quiet = stop_services(core);
    if (!quiet) {
        log_warn("core", "%d jobs and %d child processes did not end within %d s",
                 loop_pending(core->loop), proc_count(core->loop), CORE_STOP_MS / 1000);
        proc_kill_all(core->loop, SIGKILL);
        quiet = core_wait(core, all_quiet, core, CORE_KILL_MS);
    }
    return quiet;
}

void core_end(struct core *core)
{
    atomic_store(&core->end, true);
    loop_stop(core->loop);
}

/* --- reset ------------------------------------------------------------------------------------ */

void core_reset(struct core *core, void (*done)(void *arg, bool ok), void *arg)
{
    struct core_reset_waiter *w = xcalloc(1, sizeof(*w));
    *w = (struct core_reset_waiter){ .next = core->resets, .done = done, .arg = arg };
    core->resets = w;
    loop_stop(core->loop); /* services wait for workers in stop(): not possible inside of a pass */
}

static enum status empty_tables(struct core *core)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct str list[CORE_TABLES_MAX];
    size_t n = 0;
    struct rows q;
    status_ignore(db_query(core->db, &q,
                           "SELECT name FROM sqlite_master WHERE type='table' AND sql NOT LIKE "
                           "'CREATE VIRTUAL%' AND name NOT LIKE 'sqlite_%'"));
    while (n < ARRAY_LEN(list) && rows_next(&q)) {
        list[n++] = rows_str(&q, a, 0);
    }
    enum status st = rows_end(&q);
    if (st == ST_OK && n == ARRAY_LEN(list)) {
        st = ST_NOMEM;
    }
    if (st == ST_OK) {
        st = db_exec(core->db, "PRAGMA defer_foreign_keys=ON");
    }
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        const char *sql = arena_printf(a, "DELETE FROM \"%.*s\"", STR_ARG(list[i])).p;
        st = db_script(core->db, sql);
    }
    return st;
}

static enum status reset_all(struct core *core)
{
    struct core_mark mark;
    enum status st = core_mark(core, &mark);
    if (st != ST_OK) {
        return st;
    }
    st = empty_tables(core);
    if (st == ST_OK) {
        st = blobs_reset(core->blobs);
    }
    uint64_t failed = core->counts.failed_commits;
    st = core_mark_end(core, mark, st);
    if (st != ST_OK) {
        return st;
    }
    core_end_pass(core);
    if (core->counts.failed_commits != failed) {
        return ST_DB;
    }
    for (size_t i = 0; i < core->n_services; i++) {
        if (core->services[i]->reset) {
            core->services[i]->reset(core->states[i]);
        }
    }
    core_end_pass(core);
    return core->counts.failed_commits == failed ? ST_OK : ST_DB;
}

static void run_reset(struct core *core)
{
    struct core_reset_waiter *w = core->resets;
    core->resets = NULL;
    atomic_store(&core->stopping, true);
    enum status st = stop_services(core) ? reset_all(core) : ST_CONFLICT;
    atomic_store(&core->stopping, false);
    if (st != ST_OK) {
        log_error("core", "reset failed: %s", status_name(st));
    }
    enum status started = start_services(core);
    while (w) {
        struct core_reset_waiter *next = w->next;
        w->done(w->arg, st == ST_OK && started == ST_OK);
        free(w);
        w = next;
    }
    core_end_pass(core);
}

void core_run(struct core *core)
{
    while (!atomic_load(&core->end)) {
        core_run_loop(core);
        if (core->resets && !atomic_load(&core->end)) {
            run_reset(core);
        }
    }
    while (core->resets) {
        struct core_reset_waiter *w = core->resets;
        core->resets = w->next;
        w->done(w->arg, false);
        free(w);
    }
    core_end_pass(core);
}
