#include "emulators/dms/file/spool.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/base/mem.h"

#define SLOTS 4
#define KEEP_MAX ((size_t)1 << 20) /* a giant row's memory is given back */

struct job {
    void (*fn)(void *arg, struct str bytes);
    void *arg;
    struct buf bytes;
};

struct dms_spool {
    pthread_mutex_t lock; /* of everything below, but for the bytes of a job that runs */
    pthread_cond_t more;  /* a job came, or the end */
    pthread_cond_t fewer; /* a job is done */
    struct job jobs[SLOTS];
    size_t first, n; /* a ring; the first one is running */
    bool ending, started, refused;
    pthread_t thread;
};

struct dms_spool *dms_spool_new(void)
{
    struct dms_spool *s = xcalloc(1, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->more, NULL);
    pthread_cond_init(&s->fewer, NULL);
    return s;
}

static void empty(struct buf *b)
{
    if (b->cap > KEEP_MAX) {
        size_t max = b->max;
        buf_fini(b);
        buf_init(b, max);
    } else {
        buf_clear(b);
    }
}

static void *run(void *arg)
{
    struct dms_spool *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->n == 0 && !s->ending) {
            pthread_cond_wait(&s->more, &s->lock);
        }
        if (s->n == 0) {
            break;
        }
        struct job *j = &s->jobs[s->first];
        pthread_mutex_unlock(&s->lock);
        j->fn(j->arg, buf_str(&j->bytes));
        empty(&j->bytes);
        pthread_mutex_lock(&s->lock);
        s->first = (s->first + 1) % SLOTS;
        s->n--;
        if (s->n == 0 || s->n == SLOTS / 2) { /* not at every turn: waking is dear */
            pthread_cond_signal(&s->fewer);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

void dms_spool_free(struct dms_spool *s)
{
    if (!s) {
        return;
    }
    if (s->started) {
        pthread_mutex_lock(&s->lock);
        s->ending = true;
        pthread_cond_signal(&s->more);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        buf_fini(&s->jobs[i].bytes);
    }
    pthread_cond_destroy(&s->fewer);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool start(struct dms_spool *s)
{
    if (!s->started && !s->refused) {
        s->started = pthread_create(&s->thread, NULL, run, s) == 0;
        s->refused = !s->started;
        if (s->started) {
            pthread_setname_np(s->thread, "dms-write");
        }
    }
    return s->started;
}

void dms_spool_push(struct dms_spool *s, void (*fn)(void *arg, struct str bytes), void *arg,
                    struct buf *bytes)
{
    if (!start(s)) {
        fn(arg, buf_str(bytes));
        empty(bytes);
        return;
    }
    pthread_mutex_lock(&s->lock);
    while (s->n == SLOTS) {
        pthread_cond_wait(&s->fewer, &s->lock);
    }
    struct job *j = &s->jobs[(s->first + s->n) % SLOTS];
    struct buf spare = j->bytes;
    spare.max = bytes->max;
    *j = (struct job){ fn, arg, *bytes };
    *bytes = spare;
    if (s->n++ == 0) {
        pthread_cond_signal(&s->more);
    }
    pthread_mutex_unlock(&s->lock);
}

void dms_spool_wait(struct dms_spool *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->n > 0) {
        pthread_cond_wait(&s->fewer, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}
