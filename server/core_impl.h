/* Inside of the core: core.c (the pass) and core_services.c (the services' life). */
#ifndef CISTERN_CORE_IMPL_H
#define CISTERN_CORE_IMPL_H

#include <stdatomic.h>

#include "server/base/arena.h"
#include "server/core_run.h"
#include "server/loop/loop.h"
#include "server/store/blob.h"
#include "server/store/db.h"

#define CORE_PASS_ARENA_MAX (64u << 20)
#define CORE_TABLES_MAX 512 /* of all services together */

struct after {
    void (*fn)(void *arg, bool committed);
    void *arg;
};

struct core_slot {
    struct core_slot *next;
    const char *name;
    void (*fini)(void *value);
    void *value;
};

struct core_reset_waiter {
    struct core_reset_waiter *next;
    void (*done)(void *arg, bool ok);
    void *arg;
};

struct core {
    const struct config *config;
    const struct service *const *services;
    size_t n_services;
    size_t n_inited;  /* services whose init succeeded: the first ones */
    size_t n_started; /* services whose start was called */
    void **states;

    struct loop *loop;
    struct db *db;
    struct blobs *blobs;
    struct core_slot *slots;
    char *db_path;
    char *endpoint;

    struct after *after; /* of this pass, in order */
    size_t n_after, cap_after;
    int mark_depth;
    struct arena *pass_arena; /* NULL until wanted */
    bool pass_failed;         /* BEGIN was refused */
    int64_t seen_changes;
    void (*on_change)(void *arg);
    void *on_change_arg;
    struct core_counts counts;

    atomic_bool stopping;
    atomic_bool end;
    struct core_reset_waiter *resets;
    bool (*until)(void *arg); /* core_wait */
    void *until_arg;
};

/* Commits the pass and runs what waits for the commit, until quiet; for before the loop sleeps and
 * where the loop doesn't run. Returns true when there may be more to do at once. */
bool core_end_pass(struct core *core);
/* Runs the loop until loop_stop(); each pass ends with core_end_pass(). */
void core_run_loop(struct core *core);
/* db_on_first_use: opens the pass's transaction. */
void core_begin_pass(void *core);

#endif
