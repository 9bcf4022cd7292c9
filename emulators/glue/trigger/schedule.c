/* Which schedules Glue takes. */
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/base/cron.h"

#define GAP_MIN_MS (5LL * 60 * 1000)
#define GAPS_LOOKED_AT 64

/* "Time-based schedules for jobs and crawlers": rates faster than five minutes aren't supported. */
static bool too_often(const struct cron *cron)
{
    int64_t at = clock_now_ms(), next;
    for (int i = 0; i < GAPS_LOOKED_AT && cron_next(cron, at, &next) == ST_OK; i++) {
        if (i > 0 && next - at < GAP_MIN_MS) {
            return true;
        }
        at = next;
    }
    return false;
}

enum status glue_schedule_check(struct call *c, struct str schedule)
{
    struct cron cron;
    struct str why;
    if (cron_parse(c->arena, schedule, &cron, &why) != ST_OK) {
        return call_fail(c, &glue_InvalidInputException, "Invalid schedule: %.*s.", STR_ARG(why));
    }
    if (cron.rate_ms) {
        return call_fail(c, &glue_InvalidInputException,
                         "Invalid schedule: '%.*s'. Glue takes cron(Minutes Hours Day-of-month "
                         "Month Day-of-week Year) only, in UTC.",
                         STR_ARG(schedule));
    }
    if (too_often(&cron)) {
        return call_fail(c, &glue_InvalidInputException,
                         "Invalid schedule: '%.*s' comes more often than every five minutes.",
                         STR_ARG(schedule));
    }
    return ST_OK;
}
