/* All instances of one function and the events that wait for one. Core thread. */
#ifndef CISTERN_LAMBDA_POOL_H
#define CISTERN_LAMBDA_POOL_H

#include "emulators/lambda/lambda_instance.h"

struct lambda_pool {
    struct lambda *l;
    struct str key; /* lambda_key_text(), in `arena` */
    struct arena *arena;
    struct lambda_config *config; /* the newest; NULL: the function was deleted */
    int64_t reserved;             /* concurrency, -1: none */
    struct link instances;
    size_t n_instances;
    struct link queue; /* struct lambda_invocation, oldest first */
    size_t n_queue;
    bool dispatching;
};

/* The pool of a stored function, made when there is none; takes over what changed in the row. */
struct lambda_pool *lambda_pool_get(struct lambda *l, const struct lambda_row *row);
/* Takes the invocation, which ends in its done(), never before this returns. */
void lambda_pool_submit(struct lambda_pool *pool, struct lambda_invocation *inv);
/* Invocations that run or wait. */
size_t lambda_pool_active(const struct lambda_pool *pool);
/* Gives waiting events to instances, starts more where allowed. */
void lambda_pool_dispatch(struct lambda_pool *pool);
/* The same for all pools: something that they share became free. */
void lambda_pools_dispatch(struct lambda *l);
/* The function was changed or deleted, and that is committed: replaces its instances, removes code
 * that nobody needs any more. */
void lambda_pool_changed(struct lambda *l, const struct lambda_key *key);
/* Registers lambda_pool_changed() for after the commit. */
void lambda_pool_change_later(struct lambda *l, const struct lambda_key *key);
/* An instance's start failed: the oldest event that waits fails with `document`, or, when that is
 * absent, with one made of type and text. */
void lambda_pool_start_failed(struct lambda_instance *inst, const char *type, struct str text,
                              struct str document);
/* An instance was unlinked. */
void lambda_pool_lost(struct lambda_pool *pool);

/* Ends all instances, drops all waiting events; true when none is left. */
void lambda_pools_kill(struct lambda *l);
bool lambda_pools_empty(const struct lambda *l);
/* After lambda_pools_kill(): forgets the pools. */
void lambda_pools_free(struct lambda *l);
/* Ends instances that nobody needed for LAMBDA_IDLE_MS. */
void lambda_pools_tidy(void *lambda);

#endif
