/* The life of the core, for main.c and tests: make, start, run, stop, free. Everything here is for
 * the thread that made it, which becomes the core thread, unless it says "any thread". */
#ifndef CISTERN_CORE_RUN_H
#define CISTERN_CORE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "server/core.h"

struct busy;

/* Limits by name. */
#define CORE_STOP_MS 10000 /* what services, workers and children get to end */
#define CORE_KILL_MS 1000  /* and then, after their children were killed */

/* Opens loop, database and blobs in config->data_dir (which exists), creates the tables, runs every
 * service's init. `list` (the services) is NULL-terminated and, like `config`, outlives the core.
 * On failure everything is undone and the reason logged. */
enum status core_new(const struct config *config, const struct service *const *list,
                     struct core **ret) MUST_CHECK;
/* Finishes what a crash left in the blob store, then every service's start; committed on return. */
enum status core_start(struct core *core) MUST_CHECK;
/* Runs until core_end(). Resets that were asked for happen here, between two runs of the loop. */
void core_run(struct core *core);
/* Asks core_run() to return. Any thread. */
void core_end(struct core *core);
/* Services' stop in reverse order, then waits for workers, threads and children; false when some
 * were still there after CORE_STOP_MS: then memory they use must stay, so don't core_free(). */
bool core_stop(struct core *core);
void core_free(struct core *core); /* NULL is fine */

/* "http://ADDR:PORT" of the listener. Before core_start(). */
void core_set_endpoint(struct core *core, const char *addr, int port);
/* "DIR/cistern.db" */
const char *core_db_path(const struct core *core);
/* Asks for a reset: when it is done, done(arg, ok) runs on the core thread inside a pass. Requests
 * made meanwhile are served by the same reset. */
void core_reset(struct core *core, void (*done)(void *arg, bool ok), void *arg);

/* Asks every service what is not idle yet. */
void core_busy(struct core *core, struct busy *busy);
/* fn(arg) at the end of passes that changed the database; one at a time, NULL ends it. It must not
 * use the database. */
void core_on_change(struct core *core, void (*fn)(void *arg), void *arg);
/* The services, NULL-terminated; passes and commits since the start. */
const struct service *const *core_services(const struct core *core);
struct core_counts {
    uint64_t commits, failed_commits;
};
struct core_counts core_counts(const struct core *core);

#endif
