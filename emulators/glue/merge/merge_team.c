#include "emulators/glue/merge/merge_team.h"

#include <signal.h>
#include <unistd.h>

#include "server/base/mem.h"

#define NAMES_BYTES (64u << 20) /* of one thread's messages */

struct team {
    const struct merge_env *env;
    merge_piece_fn fn;
    void *ctx;
    size_t n;
    _Atomic size_t next; /* piece that nobody has taken */
};

struct member {
    struct team *team;
    pthread_t thread;
    struct merge_env env;
    struct merge_result res;
    enum status status;
};

size_t merge_team_size(const struct merge_env *env)
{
    size_t n = env->job->spec.threads;
    if (n == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        n = online > 0 ? (size_t)online : 1;
    }
    return n < MERGE_MAX_THREADS ? n : MERGE_MAX_THREADS;
}

static void note_failure(struct merge_env *env)
{
    uint64_t seen = atomic_load(&env->shared->failed_order);
    while (env->order < seen &&
           !atomic_compare_exchange_weak(&env->shared->failed_order, &seen, env->order)) {
    }
}

static void *work(void *arg)
{
    struct member *m = arg;
    struct team *t = m->team;
    for (;;) {
        size_t i = atomic_fetch_add(&t->next, 1);
        m->env.order = i;
        if (i >= t->n || atomic_load(&m->env.shared->failed_order) < i) {
            return NULL;
        }
        m->status = t->fn(&m->env, i, t->ctx);
        if (m->status != ST_OK) {
            note_failure(&m->env);
            return NULL;
        }
    }
}

static void member_init(struct member *m, struct team *t)
{
    const struct merge_env *env = t->env;
    *m = (struct member){ .team = t, .env = *env };
    m->res.kept = env->res->kept;
    m->res.part_info = env->res->part_info;
    m->res.n_parts = env->res->n_parts;
    m->env.res = &m->res;
    m->env.arena = arena_new(NAMES_BYTES);
    m->env.rows = m->env.bytes = 0;
}

static void add_counters(struct merge_counters *to, const struct merge_counters *from)
{
    uint64_t *t = (uint64_t *)to;
    const uint64_t *f = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *t; i++) {
        t[i] += f[i];
    }
}

/* Takes over what a thread counted, and its failure when that is the one that counts. */
static enum status member_fini(struct member *m, struct merge_env *env)
{
    enum status st = ST_OK;
    add_counters(&env->res->counters, &m->res.counters);
    env->rows += m->env.rows;
    env->bytes += m->env.bytes;
    if (m->status != ST_OK && m->env.order == atomic_load(&env->shared->failed_order)) {
        st = m->status;
        env->out_of_order = m->env.out_of_order;
        env->res->cancelled = m->res.cancelled;
        if (env->res->error[0] == '\0') {
            memcpy(env->res->error, m->res.error, sizeof m->res.error);
            env->res->error_line = m->res.error_line;
        }
    }
    arena_free(m->env.arena);
    return st;
}

/* Starts threads for all members but the first; a thread that the system refuses is done without.
 * Signals stay with the threads that the process has for them. */
static size_t start_threads(struct member *member, size_t n)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    size_t started = 1;
    while (started < n &&
           pthread_create(&member[started].thread, NULL, work, &member[started]) == 0) {
        started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

enum status merge_team_run(struct merge_env *env, size_t n, merge_piece_fn fn, void *ctx)
{
    struct team team = { .env = env, .fn = fn, .ctx = ctx, .n = n };
    size_t size = merge_team_size(env);
    size = size < n ? size : n;
    if (size == 0) {
        return ST_OK;
    }
    struct member *member = xcalloc(size, sizeof *member);
    for (size_t i = 0; i < size; i++) {
        member_init(&member[i], &team);
        member[i].env.member = i;
    }
    size_t started = start_threads(member, size);
    work(&member[0]);
    for (size_t i = 1; i < started; i++) {
        pthread_join(member[i].thread, NULL);
    }
    enum status st = ST_OK;
    for (size_t i = 0; i < size; i++) {
        enum status failed = member_fini(&member[i], env);
        st = st == ST_OK ? failed : st;
    }
    free(member);
    return st;
}
