/* Worker pools and threads of their own. A job's `done` travels to the loop as a post. */
#include <errno.h>
#include <signal.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/loop/loop_impl.h"

int thread_create_quiet(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF };
    sigset_t all, old;
    sigfillset(&all);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        sigdelset(&all, faults[i]); /* the crash handler wants these wherever they happen */
    }
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(ret, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0) {
        char cut[16]; /* the kernel's limit */
        snprintf(cut, sizeof(cut), "%.15s", name);
        pthread_setname_np(*ret, cut);
    }
    return rc;
}

/* --- pool ------------------------------------------------------------------------------------- */

struct job {
    struct job *next;
    struct loop *loop;
    void (*run)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

void pool_init(struct pool *p, struct loop *loop, int max_threads)
{
    p->loop = loop;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->last = &p->first;
    p->threads = xcalloc((size_t)max_threads, sizeof(*p->threads));
    p->max_threads = max_threads;
}

static void job_done(void *arg)
{
    struct job *job = arg;
    job->done(job->arg);
    atomic_fetch_sub(&job->loop->pending, 1);
    free(job);
}

static struct job *next_job(struct pool *p)
{
    pthread_mutex_lock(&p->mutex);
    p->n_idle++;
    while (!p->first && !p->ending) {
        pthread_cond_wait(&p->wake, &p->mutex);
    }
    p->n_idle--;
    struct job *job = p->ending ? NULL : p->first;
    if (job) {
        p->first = job->next;
        if (!p->first) {
            p->last = &p->first;
        }
    }
    pthread_mutex_unlock(&p->mutex);
    return job;
}

static void *pool_thread(void *arg)
{
    struct pool *p = arg;
    struct job *job;
    while ((job = next_job(p)) != NULL) {
        job->run(job->arg);
        loop_post(p->loop, job_done, job);
    }
    return NULL;
}

/* With the mutex held: one more thread when nobody is free for what waits. */
static void grow(struct pool *p, int waiting)
{
    if (p->n_idle >= waiting || p->n_threads >= p->max_threads) {
        return;
    }
    int rc = thread_create_quiet(&p->threads[p->n_threads], "worker", pool_thread, p);
    if (rc == 0) {
        p->n_threads++;
    } else if (p->n_threads == 0) {
        log_error("loop", "cannot start a worker thread: %s", strerror(rc));
        abort();
    }
}

void pool_start(struct pool *p, void (*run)(void *arg), void (*done)(void *arg), void *arg)
{
    struct job *job = xcalloc(1, sizeof(*job));
    *job = (struct job){ .loop = p->loop, .run = run, .done = done, .arg = arg };
    atomic_fetch_add(&p->loop->pending, 1);
    pthread_mutex_lock(&p->mutex);
    *p->last = job;
    p->last = &job->next;
    int waiting = 0;
    for (const struct job *j = p->first; j && waiting <= p->n_idle; j = j->next) {
        waiting++;
    }
    grow(p, waiting);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mutex);
}

void pool_fini(struct pool *p)
{
    pthread_mutex_lock(&p->mutex);
    p->ending = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    for (int i = 0; i < p->n_threads; i++) {
        pthread_join(p->threads[i], NULL);
    }
    struct job *job = p->first;
    while (job) {
        struct job *next = job->next;
        free(job);
        job = next;
    }
    free(p->threads);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
}

void work_start(struct loop *loop, void (*run)(void *arg), void (*done)(void *arg), void *arg)
{
    pool_start(&loop->workers, run, done, arg);
}

/* --- a thread of its own ---------------------------------------------------------------------- */

struct own_thread {
    struct loop *loop;
    pthread_t id;
    void (*run)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void own_thread_ended(void *arg)
{
    struct own_thread *t = arg;
    pthread_join(t->id, NULL);
    t->done(t->arg);
    atomic_fetch_sub(&t->loop->pending, 1);
    free(t);
}

static void *own_thread_main(void *arg)
{
    struct own_thread *t = arg;
    t->run(t->arg);
    loop_post(t->loop, own_thread_ended, t);
    return NULL;
}

enum status thread_start(struct loop *loop, const char *name, void (*run)(void *arg),
                         void (*done)(void *arg), void *arg)
{
    struct own_thread *t = xcalloc(1, sizeof(*t));
    *t = (struct own_thread){ .loop = loop, .run = run, .done = done, .arg = arg };
    atomic_fetch_add(&loop->pending, 1);
    int rc = thread_create_quiet(&t->id, name, own_thread_main, t);
    if (rc != 0) {
        log_error("loop", "cannot start thread %s: %s", name, strerror(rc));
        atomic_fetch_sub(&loop->pending, 1);
        free(t);
        return ST_IO;
    }
    return ST_OK;
}
