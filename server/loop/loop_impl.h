/* Inside of the loop: shared by the .c files of this folder only. */
#ifndef CISTERN_LOOP_LOOP_IMPL_H
#define CISTERN_LOOP_LOOP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "server/base/list.h"
#include "server/loop/loop.h"

struct post {
    struct post *next;
    void (*fn)(void *arg);
    void *arg;
};

/* Threads that run jobs in order of arrival; started one by one as they are needed. */
struct pool {
    struct loop *loop;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct job *first, **last; /* waiting */
    pthread_t *threads;
    int n_threads, max_threads;
    int n_idle;
    bool ending;
};

struct loop {
    uv_loop_t uv;
    pthread_t thread;
    uv_async_t wake;
    uv_prepare_t before_sleep_handle;
    bool (*before_sleep)(void *arg);
    void *before_sleep_arg;

    pthread_mutex_t mutex; /* guards the queue */
    struct post *first, **last;

    atomic_int pending;
    atomic_bool stop;

    struct pool workers;
    struct pool spawner; /* one thread: starts children */
    struct link signals;
    struct link procs; /* struct proc */
    bool reaping;      /* SIGCHLD is watched */
};

void pool_init(struct pool *p, struct loop *loop, int max_threads);
/* Waits for the job under way, drops those that have not begun (nobody runs their `done`). */
void pool_fini(struct pool *p);
void pool_start(struct pool *p, void (*run)(void *arg), void (*done)(void *arg), void *arg);

/* Starts a joinable thread that leaves the handling of signals to the loop's; 0 or errno. */
int thread_create_quiet(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg);

/* Forgets the children that still run (loop_free). */
void procs_fini(struct loop *loop);

#endif
