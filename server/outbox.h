/* Durable delayed work: rows with a due time. S3 events, retries of asynchronous invocations, job
 * queues and scheduled changes of state live here; a restart continues them. Core thread only.
 *
 * What is promised:
 *  - A row is added in the transaction of its cause: both are kept, or neither.
 *  - It is handed to the kind's function after that transaction is committed and its time has come,
 *    never twice at a time: once handed over it is "in flight" until outbox_done() or
 *    outbox_retry() for it is committed (a rollback leaves it in flight).
 *  - Handing over is at least once: rows in flight when the process ends are handed over again by
 *    the next one. So work that leaves the process (a function runs, a message is sent) happens at
 *    least once; work that stays in the database and commits together with outbox_done() happens
 *    exactly once.
 *  - Rows of a kind come in order of (due_ms, id), but finish in any order. */
#ifndef CISTERN_OUTBOX_H
#define CISTERN_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct core;

/* Limits by name. */
#define OUTBOX_KINDS_MAX 32
#define OUTBOX_BATCH 256 /* rows that are handed over before other work gets its turn */

struct outbox_row {
    int64_t id;
    struct str kind;
    struct str target;  /* whom it is for, as given; may be absent */
    struct str payload; /* as given last; may be absent */
    int64_t due_ms;
    int64_t created_ms;
    int64_t attempt; /* 0 the first time; outbox_retry() counts it up, a restart doesn't */
};

/* Strings are borrowed for the call. Runs inside a pass: what it writes commits with the pass.
 * Must lead to outbox_done() or outbox_retry() for the row, now or later. */
typedef void (*outbox_fn)(void *state, const struct outbox_row *row);

/* At init, once per kind; `kind` is constant. Rows of kinds that nobody registered stay. */
void outbox_register(struct core *core, const char *kind, outbox_fn fn, void *state);
/* In the current transaction. due_ms as clock_now_ms(), in real time (scale delays yourself with
 * clock_scaled_ms); 0: at once. ret_id may be NULL. Absent strings stay absent. */
enum status outbox_add(struct core *core, const char *kind, struct str target, struct str payload,
                       int64_t due_ms, int64_t *ret_id) MUST_CHECK;
/* In the current transaction: forgets the row, in flight or not. ST_NOT_FOUND: no such row. */
enum status outbox_done(struct core *core, int64_t id) MUST_CHECK;
/* In the current transaction: again at due_ms; an absent payload keeps the old one. */
enum status outbox_retry(struct core *core, int64_t id, int64_t due_ms,
                         struct str payload) MUST_CHECK;
/* Makes all waiting rows of the kind due now (`wait --flush`). In the current transaction. */
enum status outbox_hurry(struct core *core, const char *kind) MUST_CHECK;
/* Rows of the kind that are not done, in flight or waiting; those due later than due_before_ms
 * don't count (INT64_MAX: all count). */
int64_t outbox_pending(struct core *core, const char *kind, int64_t due_before_ms);
/* Is the row handed over and not finished? */
bool outbox_in_flight(struct core *core, int64_t id);

/* For the core. */
enum status outbox_open(struct core *core) MUST_CHECK;
enum status outbox_start(struct core *core) MUST_CHECK;
void outbox_stop(struct core *core);

#endif
