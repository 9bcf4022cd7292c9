/* The life of a running task: its thread, attempts and pauses, and how the core thread sees it. */
#include "emulators/dms/worker/worker.h"

#include <poll.h>
#include <unistd.h>

#include "emulators/dms/worker/control_tables.h"
#include "emulators/dms/worker/remedy.h"
#include "emulators/dms/worker/task_run.h"
#include "server/base/log.h"
#include "server/busy.h"
#include "server/core.h"
#include "server/loop/loop.h"

/* --- worker thread --- */

void dms_worker_wake(struct dms_worker *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->wake_fd, &one, sizeof(one));
    (void)n; /* a full counter wakes as well */
}

void dms_worker_sleep(struct dms_worker *w, int64_t ms)
{
    struct pollfd p = { .fd = w->wake_fd, .events = POLLIN };
    if (poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int)ms) > 0) {
        uint64_t n;
        ssize_t got = read(w->wake_fd, &n, sizeof(n));
        (void)got;
    }
}

static void set_end(struct dms_worker *w, enum dms_end end, const char *text)
{
    w->end = end;
    if (text) {
        w->end_text = arena_strz(w->arena, text);
    }
}

/* How long to wait before the next attempt, in real milliseconds; -1: give up. */
static int64_t pause_ms(const struct dms_worker *w)
{
    const struct dms_settings *s = &w->settings;
    if (s->retry_count >= 0 && w->failures > s->retry_count) {
        return -1;
    }
    int64_t seconds = s->retry_interval_s > 0 ? s->retry_interval_s : 1;
    for (int64_t i = 1; s->retry_throttling && i < w->failures && seconds < s->retry_max_s; i++) {
        seconds *= 2;
    }
    if (s->retry_throttling && seconds >= s->retry_max_s) {
        if (s->retry_stop_after_max && s->retry_max_s > 0) {
            return -1;
        }
        seconds = s->retry_max_s > 0 ? s->retry_max_s : seconds;
    }
    return clock_scaled_ms(seconds * 1000);
}

/* After a failed attempt: true to try again. */
static bool pause_or_end(struct dms_worker *w, const struct mysql_err *err)
{
    if (str_set(w->end_text)) { /* a table error that stops the task */
        w->end = DMS_END_FAILED;
        return false;
    }
    char text[MYSQL_ERR_TEXT + 640];
    snprintf(text, sizeof(text), "%s%s%s",
             err->text[0] ? err->text : "The task ended for an unknown reason.",
             dms_remedy_stop(err), dms_remedy(err));
    bool again = mysql_err_retryable(err) && (w->was_up || w->resumed);
    w->failures++;
    int64_t wait = again ? pause_ms(w) : -1;
    if (wait < 0) {
        dms_line(w, "TASK_MANAGER", 'E', "%s", text);
        set_end(w, again ? DMS_END_EXHAUSTED : DMS_END_FAILED, text);
        return false;
    }
    dms_line(w, "TASK_MANAGER", 'W', "%s Trying again in %lld ms.", text, (long long)wait);
    dms_show(w, true, "waits before trying again: %s", text);
    int64_t until = clock_mono_ms() + wait;
    for (int64_t left = wait; left > 0 && !dms_stopping(w); left = until - clock_mono_ms()) {
        dms_worker_sleep(w, left);
    }
    return true;
}

static void run(void *arg)
{
    struct dms_worker *w = arg;
    for (;;) {
        struct mysql_err err = { 0 };
        enum status st = dms_stopping(w) ? ST_CONFLICT : dms_task_run(w, &err);
        if (st == ST_OK) {
            dms_show(w, true, "finished");
            set_end(w, DMS_END_FINISHED, w->finished);
            break;
        }
        if (dms_stopping(w)) {
            dms_show(w, true, "stopped");
            w->end = atomic_load(&w->stopping) == 1 ? DMS_END_STOPPED : DMS_END_ABORTED;
            break;
        }
        if (!pause_or_end(w, &err)) {
            break;
        }
    }
    if (w->end != DMS_END_ABORTED) {
        dms_control_end(w->control);
        bool failed = w->end == DMS_END_FAILED || w->end == DMS_END_EXHAUSTED;
        dms_line(w, "TASK_MANAGER", failed ? 'E' : 'I', "Task '%.*s' %s", STR_ARG(w->ident),
                 w->end == DMS_END_FAILED ? "encountered a fatal error"
                 : failed                 ? "encountered a recoverable error too often"
                                          : "stopped");
    }
}

/* --- core thread --- */

static void run_watches(struct dms_worker *w, bool ended)
{
    struct dms_watch **link = &w->watches;
    while (*link) {
        struct dms_watch *watch = *link;
        if (watch->for_end && !ended) {
            link = &watch->next;
            continue;
        }
        *link = watch->next;
        watch->fn(watch->arg);
        free(watch);
    }
}

static void done(void *arg)
{
    struct dms_worker *w = arg;
    list_remove(&w->link);
    if (w->end != DMS_END_ABORTED) {
        dms_task_ended(w->dms, w->task, (int)w->end, w->end_text);
    }
    run_watches(w, true);
    dms_worker_free(w);
}

enum status dms_worker_start(struct dms *dms, const struct dms_task_row *t, bool resumed,
                             struct str *ret_error, struct arena *a)
{
    struct dms_worker *w;
    enum status st = dms_worker_new(dms, t, &w, ret_error, a);
    if (st != ST_OK) {
        return st;
    }
    w->resumed = resumed;
    list_append(&dms->workers, &w->link);
    st = thread_start(core_loop(dms->core), "dms-task", run, done, w);
    if (st != ST_OK) {
        list_remove(&w->link);
        dms_worker_free(w);
        *ret_error = STR("No thread can be started for the task.");
        return ST_INVALID;
    }
    return ST_OK;
}

struct dms_worker *dms_worker_of(struct link *link)
{
    return CONTAINER_OF(link, struct dms_worker, link);
}

struct dms_worker *dms_worker_find(struct dms *dms, int64_t task)
{
    LIST_FOREACH(link, &dms->workers)
    {
        struct dms_worker *w = dms_worker_of(link);
        if (w->task == task) {
            return w;
        }
    }
    return NULL;
}

void dms_worker_stop(struct dms_worker *w, bool flush)
{
    int want = flush ? 1 : 2;
    if (atomic_load(&w->stopping) < want) {
        atomic_store(&w->stopping, want);
    }
    mysql_conn_abort(w->ctl);
    mysql_conn_abort(w->stream);
    for (size_t i = 0; i < DMS_LOADERS_MAX && w->load[i]; i++) {
        mysql_conn_abort(w->load[i]);
        mysql_conn_abort(w->guard[i]);
        if (w->segment[i]) {
            mysql_conn_abort(w->segment[i]);
        }
    }
    dms_worker_wake(w);
}

void dms_worker_set_log_levels(struct dms_worker *w, uint64_t levels)
{
    atomic_store(&w->log_levels, levels);
}

void dms_worker_reload(struct dms_worker *w)
{
    atomic_fetch_add(&w->reload_ask, 1);
    dms_worker_wake(w);
}

static void add_watch(struct dms_worker *w, void (*fn)(void *arg), void *arg, bool for_end)
{
    struct dms_watch *watch = xcalloc(1, sizeof(*watch));
    *watch = (struct dms_watch){ .next = w->watches, .fn = fn, .arg = arg, .for_end = for_end };
    w->watches = watch;
}

void dms_worker_when_up(struct dms_worker *w, void (*fn)(void *arg), void *arg)
{
    if (w->up_known) {
        fn(arg);
    } else {
        add_watch(w, fn, arg, false);
    }
}

void dms_worker_when_ended(struct dms_worker *w, void (*fn)(void *arg), void *arg)
{
    add_watch(w, fn, arg, true);
}

void dms_worker_unwatch(struct dms_worker *w, void *arg)
{
    for (struct dms_watch **link = &w->watches; *link;) {
        struct dms_watch *watch = *link;
        if (watch->arg == arg) {
            *link = watch->next;
            free(watch);
        } else {
            link = &watch->next;
        }
    }
}

void dms_worker_is_up(struct dms_worker *w)
{
    w->up_known = true;
    run_watches(w, false);
}

const struct dms_table_row *dms_worker_tables(const struct dms_worker *w, size_t *ret_n)
{
    *ret_n = w->shown_n;
    return w->shown;
}

void dms_worker_busy(struct dms_worker *w, struct busy *busy)
{
    if (busy->wait_id > w->busy_wait) {
        w->busy_wait = busy->wait_id;
        atomic_store(&w->ask, busy->wait_id);
    }
    if (busy->flush && busy->wait_id > atomic_load(&w->ask_flush)) {
        atomic_store(&w->ask_flush, busy->wait_id);
    }
    if (busy->wait_id > 0 && atomic_load(&w->answered) >= busy->wait_id) {
        return;
    }
    uint64_t waiting = atomic_load(&w->waiting_rows);
    if (busy->wait_id == 0 && w->up_known && w->captures && waiting == 0 && w->shown_n > 0 &&
        str_starts(w->shown_what, STR("changes are read"))) {
        return;
    }
    struct str what = str_set(w->shown_what) ? w->shown_what : STR("starting");
    busy_add(busy, "dms", "task %.*s: %.*s", STR_ARG(w->ident), STR_ARG(what));
}
