/* AWS schedule expressions, pure: `cron(Minutes Hours Day-of-month Month Day-of-week Year)` with
 * six fields in UTC and `rate(N minutes|hours|days)`. Any thread.
 *
 *   field         values            wildcards
 *   Minutes       0-59              , - * /
 *   Hours         0-23              , - * /
 *   Day-of-month  1-31              , - * ? / L W    (L last day, 15W weekday nearest the 15th, LW)
 *   Month         1-12, JAN-DEC     , - * /
 *   Day-of-week   1-7, SUN-SAT      , - * ? L #      (L Saturday, 5L last Thursday, 3#2 second
 * Tuesday) Year          1970-2199         , - * /
 *
 * One of the two day fields must be `?`, the other not. Names in any case. A range that runs
 * backwards (FRI-MON) is refused: AWS doesn't say what it would mean. */
#ifndef CISTERN_BASE_CRON_H
#define CISTERN_BASE_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

#define CRON_TEXT_MAX 256
#define CRON_YEAR_FIRST 1970
#define CRON_YEAR_LAST 2199

/* By value; filled by cron_parse(). Sets are bits by value (minute 5: bit 5, SUN: bit 1). */
struct cron {
    int64_t rate_ms; /* > 0: rate(...), and the rest is unused */
    uint64_t minutes, hours, days, months, weekdays;
    uint64_t years[4]; /* bit 0 of the first: 1970 */
    bool by_weekday;   /* Day-of-month is `?` */
    bool last_day, last_workday;
    uint64_t near_days;     /* the nW */
    uint64_t last_weekdays; /* the nL of Day-of-week */
    uint64_t nth[6];        /* weekdays of n#1 to n#5, by number */
};

/* ST_INVALID: *ret_why says what is wrong and at which character, counted from 1 (in the arena). */
enum status cron_parse(struct arena *a, struct str text, struct cron *ret,
                       struct str *ret_why) MUST_CHECK;
/* The first time strictly after `after_ms` (epoch milliseconds, from 1970 on; earlier counts as
 * 1970). For rate: after_ms plus the rate. ST_NOT_FOUND: there is none any more. */
enum status cron_next(const struct cron *c, int64_t after_ms, int64_t *ret_ms) MUST_CHECK;

#endif
