/* The question "what is not idle yet?" that the core puts to every service (service->busy). Core
 * thread.
 *
 * `cistern wait` asks again and again with the same wait_id until nothing is busy in two answers
 * running. A service whose answer needs work (DMS asks the source for its binlog position) starts
 * that work when it sees a wait_id for the first time, reports itself busy while it runs, and
 * compares afterwards. With `flush` it also does at once what it would do later by itself (a batch
 * that waits for its interval), for this wait_id once. A plain `status` has wait_id 0: only look.
 */
#ifndef CISTERN_BUSY_H
#define CISTERN_BUSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

/* More are counted, not kept. */
#define BUSY_ITEMS_MAX 100

struct busy_item {
    struct busy_item *next;
    struct str service;
    struct str detail;
};

struct busy {
    uint64_t wait_id; /* one per `wait` request, growing; 0: status */
    int64_t since_ms; /* clock_mono_ms() when that request came */
    bool flush;       /* hurry what is waiting for its time */

    struct arena *arena; /* of the items */
    struct busy_item *first, **last;
    size_t n;
};

void busy_init(struct busy *b, struct arena *a);
/* busy_add() is declared in service.h. */

#endif
