/* The core: the one thread that owns state, its loop and its database transaction.
 *
 * Every pass of the loop is one transaction. Code on the core thread just uses core_db(); the
 * first statement opens the transaction, and before the loop sleeps the core commits and then runs
 * the after-commit functions (answers to clients, renames, deliveries). So calls that arrive
 * together are committed together, and whatever is written in one pass is atomic.
 *
 * Other threads reach the core by core_post() (fire and forget) or core_sync() (wait for the
 * commit). Nothing else in this header may be called off the core thread unless it says so. */
#ifndef CISTERN_CORE_H
#define CISTERN_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/str.h"
#include "server/config.h"

struct arena;
struct core;
struct db;
struct loop;
struct blobs;
struct service;

const struct config *core_config(const struct core *core); /* any thread */
struct loop *core_loop(struct core *core);                 /* any thread */
struct blobs *core_blobs(struct core *core);               /* any thread */
struct db *core_db(struct core *core);
/* "http://127.0.0.1:4566", known once the listener is up; any thread. For children's
 * AWS_ENDPOINT_URL. */
struct str core_endpoint(const struct core *core);
/* State of a service by name, NULL when it isn't built in. */
void *core_state(struct core *core, const char *service);
/* "arn:aws:<service>:<region>:<account>:<rest>" is built by services themselves; these are the
 * defaults for rows that come from no call (DMS, Glue workers). Any thread. */
struct str core_default_region(const struct core *core);
struct str core_default_account(const struct core *core);

/* Runs fn(arg) on the core thread, inside a pass. Any thread. */
void core_post(struct core *core, void (*fn)(struct core *core, void *arg), void *arg);
/* Runs fn(arg) on the core thread in a savepoint of its own and waits until the pass is committed
 * (off the core thread only). If fn fails, its changes are rolled back and its status returned;
 * ST_DB when the commit itself failed (nothing was kept). Also valid while services stop. */
enum status core_sync(struct core *core, enum status (*fn)(struct core *core, void *arg), void *arg)
    MUST_CHECK;

/* Registers fn(arg, committed) for after this pass's commit (committed == false: it was rolled
 * back, nothing of the pass was kept). Functions run in the order of registration; they may use
 * the database again (that is the next transaction). */
void core_after_commit(struct core *core, void (*fn)(void *arg, bool committed), void *arg);
/* Memory that lives until the functions of this pass have run: for their arguments, since a mark
 * that is undone forgets functions without calling them. */
struct arena *core_pass_arena(struct core *core);
/* A point to return to: rolls the database back to the mark and forgets the after-commit functions
 * registered since. Marks nest; each must be ended by exactly one of the three. */
struct core_mark {
    int depth;
    unsigned long n_after;
};
enum status core_mark(struct core *core, struct core_mark *ret_mark) MUST_CHECK;
enum status core_mark_keep(struct core *core, struct core_mark mark) MUST_CHECK;
void core_mark_undo(struct core *core, struct core_mark mark);
/* Ends the mark by how the work went: kept when `st` is ST_OK, else undone. Returns `st`, or what
 * went wrong in keeping it. */
enum status core_mark_end(struct core *core, struct core_mark mark, enum status st) MUST_CHECK;

/* For a service's stop() and reset() only: runs passes of the loop until done(arg) or the time is
 * over; returns what done says. */
bool core_wait(struct core *core, bool (*done)(void *arg), void *arg, int64_t timeout_ms);

/* A pointer kept with the core under a name, for parts of the process that belong to it but are no
 * service (the bus, the outbox): NULL at first, freed by fini(value) when the core ends. */
void **core_slot(struct core *core, const char *name, void (*fini)(void *value));

/* true once shutdown or a reset began: start nothing new. Any thread. */
bool core_stopping(const struct core *core);

#endif
