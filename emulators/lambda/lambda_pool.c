#include "emulators/lambda/lambda_pool.h"

#include "emulators/lambda/lambda_package.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"

#define POOL_ARENA_MAX (1u << 20)

static struct lambda_pool *pool_find(struct lambda *l, struct str key)
{
    return map_get(&l->pools, key);
}

static struct lambda_instance *instance_of(struct link *link)
{
    return CONTAINER_OF(link, struct lambda_instance, link);
}

static struct lambda_invocation *queue_take(struct lambda_pool *pool)
{
    struct link *first = pool->queue.next;
    list_remove(first);
    pool->n_queue--;
    return CONTAINER_OF(first, struct lambda_invocation, link);
}

/* --- taking over changes ---------------------------------------------------------------------- */

/* Instances of an older configuration end: at once, or after the event that they handle. */
static void retire(struct lambda_pool *pool)
{
    pool->dispatching = true;
    LIST_FOREACH(item, &pool->instances)
    {
        struct lambda_instance *inst = instance_of(item);
        if (inst->config != pool->config &&
            (inst->phase == LAMBDA_READY || inst->phase == LAMBDA_STARTING)) {
            lambda_instance_kill(inst);
        }
    }
    pool->dispatching = false;
}

struct lambda_pool *lambda_pool_get(struct lambda *l, const struct lambda_row *row)
{
    struct arena *a = arena_new(POOL_ARENA_MAX);
    struct str key = lambda_key_text(a, &row->key);
    struct lambda_pool *pool = pool_find(l, key);
    if (pool) {
        arena_free(a);
    } else {
        pool = xcalloc(1, sizeof(*pool));
        pool->l = l;
        pool->arena = a;
        pool->key = key;
        list_init(&pool->instances);
        list_init(&pool->queue);
        (void)map_put(&l->pools, key, pool); /* there was none */
    }
    pool->reserved = row->reserved;
    if (!pool->config || !str_eq(pool->config->row.revision, row->revision)) {
        lambda_config_unref(pool->config);
        pool->config = lambda_config_new(l, row);
        retire(pool);
    }
    return pool;
}

static void drop_queue(struct lambda_pool *pool)
{
    while (!list_empty(&pool->queue)) {
        lambda_invocation_end(queue_take(pool), LAMBDA_DROPPED, STR_NONE);
    }
}

static void pool_deleted(struct lambda_pool *pool)
{
    lambda_config_unref(TAKE(pool->config));
    retire(pool);
    drop_queue(pool);
}

/* Code of an older configuration can go when no process runs it any more. */
static bool runs_old_code(struct lambda_pool *pool)
{
    LIST_FOREACH(item, &pool->instances)
    {
        if (instance_of(item)->config != pool->config) {
            return true;
        }
    }
    return false;
}

static void sweep(struct lambda_pool *pool)
{
    struct lambda_key key;
    if (!runs_old_code(pool) && lambda_key_parse(pool->key, &key) == ST_OK) {
        lambda_package_sweep(pool->l, &key);
    }
}

void lambda_pool_changed(struct lambda *l, const struct lambda_key *key)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(POOL_ARENA_MAX);
    struct lambda_pool *pool = pool_find(l, lambda_key_text(a, key));
    if (!pool) {
        lambda_package_sweep(l, key);
        return;
    }
    struct lambda_row row;
    enum status st = lambda_store_find(core_db(l->core), a, key, &row);
    if (st == ST_OK) {
        (void)lambda_pool_get(l, &row);
        lambda_pool_dispatch(pool);
    } else if (st == ST_NOT_FOUND) {
        pool_deleted(pool);
    }
    sweep(pool);
}

struct change {
    struct lambda *l;
    struct str key;
};

static void change_committed(void *arg, bool committed)
{
    const struct change *change = arg;
    struct lambda_key key;
    if (committed && lambda_key_parse(change->key, &key) == ST_OK) {
        lambda_pool_changed(change->l, &key);
    }
}

void lambda_pool_change_later(struct lambda *l, const struct lambda_key *key)
{
    struct arena *a = core_pass_arena(l->core);
    struct change *change = ARENA_NEW(a, struct change);
    *change = (struct change){ l, lambda_key_text(a, key) };
    core_after_commit(l->core, change_committed, change);
}

/* --- dispatching ------------------------------------------------------------------------------ */

static struct lambda_instance *find_ready(struct lambda_pool *pool)
{
    LIST_FOREACH(item, &pool->instances)
    {
        struct lambda_instance *inst = instance_of(item);
        if (inst->phase == LAMBDA_READY && inst->config == pool->config) {
            return inst;
        }
    }
    return NULL;
}

struct counts {
    size_t live;   /* not ending */
    size_t coming; /* starting, or about to ask for their next event */
};

static struct counts count(struct lambda_pool *pool)
{
    struct counts n = { 0, 0 };
    LIST_FOREACH(item, &pool->instances)
    {
        enum lambda_phase phase = instance_of(item)->phase;
        n.live += phase != LAMBDA_ENDING;
        n.coming += phase == LAMBDA_STARTING || phase == LAMBDA_BETWEEN;
    }
    return n;
}

/* The instance of another function that has been idle for longest. */
static struct lambda_instance *find_idle(struct lambda *l, const struct lambda_pool *but)
{
    struct lambda_instance *best = NULL;
    size_t it = 0;
    void *value;
    struct str key;
    while (map_each(&l->pools, &it, &key, &value)) {
        struct lambda_pool *pool = value;
        LIST_FOREACH(item, &pool->instances)
        {
            struct lambda_instance *inst = instance_of(item);
            if (pool != but && inst->phase == LAMBDA_READY &&
                (!best || inst->idle_since_ms < best->idle_since_ms)) {
                best = inst;
            }
        }
    }
    return best;
}

static bool make_room(struct lambda_pool *pool)
{
    struct lambda *l = pool->l;
    if (l->n_instances < LAMBDA_ALL_INSTANCES_MAX) {
        return true;
    }
    struct lambda_instance *idle = find_idle(l, pool);
    if (idle) {
        lambda_instance_kill(idle);
    }
    return l->n_instances < LAMBDA_ALL_INSTANCES_MAX; /* else its end dispatches again */
}

static size_t limit_of(const struct lambda_pool *pool)
{
    return pool->reserved >= 0 ? (size_t)pool->reserved : LAMBDA_INSTANCES_MAX;
}

static void drop_expired(struct lambda_pool *pool)
{
    int64_t now = clock_now_ms();
    LIST_FOREACH(item, &pool->queue)
    {
        struct lambda_invocation *inv = CONTAINER_OF(item, struct lambda_invocation, link);
        if (inv->expires_ms && inv->expires_ms < now) {
            list_remove(&inv->link);
            pool->n_queue--;
            lambda_invocation_end(inv, LAMBDA_EXPIRED, STR_NONE);
        }
    }
}

static void start_one(struct lambda_pool *pool)
{
    struct lambda_instance *inst = lambda_instance_new(pool);
    const char *type;
    struct str why;
    if (!lambda_instance_start(inst, &type, &why)) {
        inst->phase = LAMBDA_ENDING;
        lambda_pool_start_failed(inst, type, why, STR_NONE);
        lambda_instance_free(inst);
    }
}

void lambda_pool_dispatch(struct lambda_pool *pool)
{
    if (pool->dispatching || !pool->config || pool->l->stopping) {
        return;
    }
    pool->dispatching = true;
    drop_expired(pool);
    while (pool->n_queue > 0) {
        struct lambda_instance *ready = find_ready(pool);
        if (ready) {
            lambda_instance_run(ready, queue_take(pool));
            continue;
        }
        struct counts n = count(pool);
        if (n.coming >= pool->n_queue || n.live >= limit_of(pool) || !make_room(pool)) {
            break;
        }
        start_one(pool);
    }
    pool->dispatching = false;
}

void lambda_pools_dispatch(struct lambda *l)
{
    size_t it = 0;
    void *value;
    struct str key;
    while (map_each(&l->pools, &it, &key, &value)) {
        struct lambda_pool *pool = value;
        if (pool->n_queue > 0) {
            lambda_pool_dispatch(pool);
        }
    }
}

static void dispatch_posted(struct core *core, void *arg)
{
    struct lambda *l = arg;
    (void)core;
    l->dispatch_posted = false;
    lambda_pools_dispatch(l);
}

size_t lambda_pool_active(const struct lambda_pool *pool)
{
    size_t n = pool->n_queue;
    for (const struct link *i = pool->instances.next; i != &pool->instances; i = i->next) {
        const struct lambda_instance *inst =
            (const struct lambda_instance *)(const void *)((const char *)i -
                                                           offsetof(struct lambda_instance, link));
        n += inst->inv != NULL;
    }
    return n;
}

void lambda_pool_submit(struct lambda_pool *pool, struct lambda_invocation *inv)
{
    struct lambda *l = pool->l;
    list_append(&pool->queue, &inv->link);
    pool->n_queue++;
    if (!l->dispatch_posted) {
        l->dispatch_posted = true;
        core_post(l->core, dispatch_posted, l);
    }
}

void lambda_pool_start_failed(struct lambda_instance *inst, const char *type, struct str text,
                              struct str document)
{
    struct lambda_pool *pool = inst->pool;
    if (list_empty(&pool->queue)) {
        return; /* others took the work meanwhile */
    }
    struct lambda_invocation *inv = queue_take(pool);
    inst->inv = inv;
    inv->started_us = inst->spawned_us;
    lambda_log_start(inst);
    if (!str_set(document)) {
        lambda_instance_log_error(inst, type, text);
        document = lambda_error_document(inv, type, text);
    }
    lambda_log_end(inst, "error", 0);
    inst->inv = NULL;
    lambda_invocation_end(inv, LAMBDA_FAILED, document);
}

void lambda_pool_lost(struct lambda_pool *pool)
{
    struct lambda *l = pool->l;
    if (l->stopping) {
        return;
    }
    sweep(pool);
    lambda_pool_dispatch(pool);
    if (l->n_instances + 1 >= LAMBDA_ALL_INSTANCES_MAX) {
        lambda_pools_dispatch(l);
    }
}

/* --- end -------------------------------------------------------------------------------------- */

void lambda_pools_kill(struct lambda *l)
{
    size_t it = 0;
    void *value;
    struct str key;
    while (map_each(&l->pools, &it, &key, &value)) {
        struct lambda_pool *pool = value;
        drop_queue(pool);
        LIST_FOREACH(item, &pool->instances)
        {
            lambda_instance_kill(instance_of(item));
        }
    }
}

bool lambda_pools_empty(const struct lambda *l)
{
    return l->n_instances == 0;
}

static void pool_free(struct lambda_pool *pool)
{
    lambda_config_unref(pool->config);
    arena_free(pool->arena);
    free(pool);
}

void lambda_pools_free(struct lambda *l)
{
    size_t it = 0;
    void *value;
    struct str key;
    while (map_each(&l->pools, &it, &key, &value)) {
        pool_free(value);
    }
    map_fini(&l->pools);
    map_init(&l->pools);
}

/* One pool of a deleted function that nothing belongs to any more. */
static bool forget_one(struct lambda *l)
{
    size_t it = 0;
    void *value;
    struct str key;
    while (map_each(&l->pools, &it, &key, &value)) {
        struct lambda_pool *pool = value;
        if (!pool->config && pool->n_instances == 0 && pool->n_queue == 0) {
            (void)map_del(&l->pools, pool->key);
            pool_free(pool);
            return true;
        }
    }
    return false;
}

void lambda_pools_tidy(void *lambda)
{
    struct lambda *l = lambda;
    while (forget_one(l)) {
        continue;
    }
    int64_t before = clock_mono_ms() - LAMBDA_IDLE_MS;
    size_t it = 0;
    void *value;
    struct str key;
    while (map_each(&l->pools, &it, &key, &value)) {
        struct lambda_pool *pool = value;
        LIST_FOREACH(item, &pool->instances)
        {
            struct lambda_instance *inst = instance_of(item);
            if (inst->phase == LAMBDA_READY && inst->idle_since_ms < before) {
                lambda_instance_kill(inst);
            }
        }
    }
}
