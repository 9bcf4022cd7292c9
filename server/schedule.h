/* Schedules (server/base/cron.h) that come due on an emulated clock: rows of the outbox that wait
 * for the next time of a cron() or rate() expression. --clock-scale shortens the wait. Core thread,
 * in the current transaction. */
#ifndef CISTERN_SCHEDULE_H
#define CISTERN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/str.h"

struct core;
struct outbox_row;

/* Adds an outbox row of this kind and target, due at the schedule's next time; *ret_row is its id.
 * The payload is ours. ST_NOT_FOUND: there is no next time. Times at which the server doesn't run
 * are not made up for: at the service's start, give up the old row (outbox_done) and begin anew. */
enum status schedule_begin(struct core *core, const char *kind, struct str target,
                           struct str schedule, int64_t *ret_row) MUST_CHECK;
/* Is a row handed over in time, so that it counts? (Not after the machine slept.) */
bool schedule_in_time(const struct outbox_row *row);
/* The time that the row waited for, on the emulated clock; 0: the payload isn't ours. */
int64_t schedule_time_ms(const struct outbox_row *row);
/* In the kind's outbox function: keeps the row for the next time; ST_NOT_FOUND: there is none, and
 * the row is done. */
enum status schedule_again(struct core *core, const struct outbox_row *row,
                           struct str schedule) MUST_CHECK;

#endif
