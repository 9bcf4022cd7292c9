#include "server/loop/loop.h"

#include <errno.h>
#include <signal.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/loop/loop_impl.h"

/* --- posts ------------------------------------------------------------------------------------ */

void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct post *p = xmalloc(sizeof(*p));
    *p = (struct post){ .fn = fn, .arg = arg };
    atomic_fetch_add(&loop->pending, 1);
    pthread_mutex_lock(&loop->mutex);
    *loop->last = p;
    loop->last = &p->next;
    pthread_mutex_unlock(&loop->mutex);
    uv_async_send(&loop->wake);
}

static struct post *take_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    struct post *p = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->mutex);
    return p;
}

/* Runs what was queued when it began; posts made meanwhile wake the loop again. */
static void on_wake(uv_async_t *handle)
{
    struct loop *loop = handle->data;
    struct post *p = take_posts(loop);
    while (p) {
        struct post *next = p->next;
        p->fn(p->arg);
        free(p);
        atomic_fetch_sub(&loop->pending, 1);
        p = next;
    }
}

/* --- signals ---------------------------------------------------------------------------------- */

struct signal_watch {
    uv_signal_t handle;
    struct link link; /* in loop->signals: ends with the loop */
    void (*fn)(void *arg, int signum);
    void *arg;
};

static void free_signal(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct signal_watch, handle));
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct signal_watch *s = CONTAINER_OF(handle, struct signal_watch, handle);
    s->fn(s->arg, signum);
}

enum status loop_on_signal(struct loop *loop, int signum, void (*fn)(void *arg, int signum),
                           void *arg)
{
    struct signal_watch *s = xcalloc(1, sizeof(*s));
    s->fn = fn;
    s->arg = arg;
    uv_signal_init(&loop->uv, &s->handle);
    int rc = uv_signal_start(&s->handle, on_signal, signum);
    if (rc != 0) {
        log_error("loop", "cannot watch signal %d: %s", signum, uv_strerror(rc));
        uv_close((uv_handle_t *)&s->handle, free_signal);
        return ST_IO;
    }
    list_append(&loop->signals, &s->link);
    return ST_OK;
}

static void close_signals(struct loop *loop)
{
    LIST_FOREACH(item, &loop->signals)
    {
        struct signal_watch *s = CONTAINER_OF(item, struct signal_watch, link);
        uv_close((uv_handle_t *)&s->handle, free_signal);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_prepare(uv_prepare_t *handle)
{
    struct loop *loop = handle->data;
    while (loop->before_sleep && loop->before_sleep(loop->before_sleep_arg)) {
    }
    if (atomic_load(&loop->stop)) {
        uv_stop(&loop->uv);
    }
}

enum status loop_new(int workers, struct loop **ret)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));
    int rc = uv_loop_init(&loop->uv);
    if (rc == 0) {
        rc = uv_async_init(&loop->uv, &loop->wake, on_wake);
        if (rc != 0) {
            uv_loop_close(&loop->uv);
        }
    }
    if (rc != 0) {
        log_error("loop", "cannot start the event loop: %s", uv_strerror(rc));
        free(loop);
        return ST_IO;
    }
    loop->wake.data = loop;
    uv_prepare_init(&loop->uv, &loop->before_sleep_handle);
    loop->before_sleep_handle.data = loop;
    uv_prepare_start(&loop->before_sleep_handle, on_prepare);

    loop->thread = pthread_self();
    loop->last = &loop->first;
    pthread_mutex_init(&loop->mutex, NULL);
    list_init(&loop->procs);
    list_init(&loop->signals);
    pool_init(&loop->workers, loop, workers > 0 ? workers : 1);
    pool_init(&loop->spawner, loop, 1);
    /* Pipes to children and sockets report EPIPE where they are written. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error of that write, as a full disk is */
    *ret = loop;
    return ST_OK;
}

void loop_run(struct loop *loop, bool (*before_sleep)(void *arg), void *arg)
{
    loop->before_sleep = before_sleep;
    loop->before_sleep_arg = arg;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    /* The stop may have come after this pass's preparation to sleep. */
    while (before_sleep && before_sleep(arg)) {
    }
    loop->before_sleep = NULL;
    atomic_store(&loop->stop, false);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stop, true);
    uv_async_send(&loop->wake);
}

static void close_left(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void loop_free(struct loop *loop)
{
    if (!loop) {
        return;
    }
    pool_fini(&loop->workers);
    pool_fini(&loop->spawner);
    procs_fini(loop);
    struct post *p = take_posts(loop);
    while (p) {
        struct post *next = p->next;
        free(p);
        p = next;
    }
    close_signals(loop);
    loop->before_sleep = NULL;
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->before_sleep_handle, NULL);
    uv_run(&loop->uv, UV_RUN_NOWAIT); /* lets handles that were freed before finish closing */
    uv_walk(&loop->uv, close_left, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop->uv) != 0) {
        log_error("loop", "ended with open handles");
    }
    pthread_mutex_destroy(&loop->mutex);
    free(loop);
}

bool loop_on_thread(const struct loop *loop)
{
    return pthread_equal(loop->thread, pthread_self()) != 0;
}

int loop_pending(const struct loop *loop)
{
    return atomic_load(&loop->pending);
}

/* --- timers ----------------------------------------------------------------------------------- */

struct timer {
    uv_timer_t handle;
    void (*fn)(void *arg);
    void *arg;
};

struct timer *timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct timer *t = xcalloc(1, sizeof(*t));
    t->fn = fn;
    t->arg = arg;
    uv_timer_init(&loop->uv, &t->handle);
    return t;
}

static void on_timer(uv_timer_t *handle)
{
    struct timer *t = CONTAINER_OF(handle, struct timer, handle);
    t->fn(t->arg);
}

void timer_start(struct timer *t, int64_t delay_ms, int64_t repeat_ms)
{
    uv_update_time(t->handle.loop); /* else the delay counts from the start of the pass */
    uv_timer_start(&t->handle, on_timer, delay_ms > 0 ? (uint64_t)delay_ms : 0,
                   repeat_ms > 0 ? (uint64_t)repeat_ms : 0);
}

void timer_stop(struct timer *t)
{
    uv_timer_stop(&t->handle);
}

static void free_timer(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct timer, handle));
}

void timer_free(struct timer *t)
{
    if (t) {
        uv_close((uv_handle_t *)&t->handle, free_timer);
    }
}

/* --- file descriptors ------------------------------------------------------------------------- */

struct watch {
    uv_poll_t handle;
    void (*fn)(void *arg, int events);
    void *arg;
};

static void free_watch(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct watch, handle));
}

struct watch *watch_new(struct loop *loop, int fd, void (*fn)(void *arg, int events), void *arg)
{
    struct watch *w = xcalloc(1, sizeof(*w));
    w->fn = fn;
    w->arg = arg;
    int rc = uv_poll_init(&loop->uv, &w->handle, fd);
    if (rc != 0) {
        log_error("loop", "cannot watch descriptor %d: %s", fd, uv_strerror(rc));
        free(w);
        return NULL;
    }
    return w;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct watch *w = CONTAINER_OF(handle, struct watch, handle);
    int seen = (events & UV_READABLE ? WATCH_READ : 0) | (events & UV_WRITABLE ? WATCH_WRITE : 0);
    /* An error shows itself to whoever reads or writes next. */
    w->fn(w->arg, status < 0 ? WATCH_READ | WATCH_WRITE : seen);
}

void watch_start(struct watch *w, int events)
{
    int wanted = (events & WATCH_READ ? UV_READABLE : 0) | (events & WATCH_WRITE ? UV_WRITABLE : 0);
    uv_poll_start(&w->handle, wanted, on_poll);
}

void watch_stop(struct watch *w)
{
    uv_poll_stop(&w->handle);
}

void watch_free(struct watch *w)
{
    if (w) {
        uv_poll_stop(&w->handle);
        uv_close((uv_handle_t *)&w->handle, free_watch);
    }
}
