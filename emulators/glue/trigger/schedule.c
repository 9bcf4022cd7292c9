/* Schedules on an emulated clock. The payload of a row is "ANCHOR NEXT": at the real time ANCHOR
 * the emulated clock was set to it and runs on --clock-scale times as fast; NEXT is the emulated
 * time that the row waits for. At scale 1 both clocks are the same. Counting from a fixed anchor,
 * and from NEXT instead of from "now", keeps late deliveries from adding up or repeating a time. */
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/base/cron.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/outbox.h"

#define SCHEDULE_ARENA_MAX (1u << 20)
#define GAP_MIN_MS (5LL * 60 * 1000)
#define GAPS_LOOKED_AT 64
#define LATE_MS 60000 /* a time that is missed by more isn't made up for */

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

static enum status next_of(struct arena *a, struct str schedule, int64_t after_ms, int64_t *ret_ms)
{
    struct cron cron;
    struct str why;
    enum status st = cron_parse(a, schedule, &cron, &why);
    return st == ST_OK ? cron_next(&cron, after_ms, ret_ms) : st;
}

static int64_t due_of(int64_t anchor_ms, int64_t next_ms)
{
    return anchor_ms + clock_scaled_ms(next_ms - anchor_ms);
}

static struct str payload_of(struct arena *a, int64_t anchor_ms, int64_t next_ms)
{
    return arena_printf(a, "%lld %lld", (long long)anchor_ms, (long long)next_ms);
}

enum status glue_schedule_begin(struct glue_state *g, const char *kind, struct str target,
                                struct str schedule, int64_t *ret_row)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SCHEDULE_ARENA_MAX);
    int64_t now = clock_now_ms(), next;
    enum status st = next_of(a, schedule, now, &next);
    return st == ST_OK ? outbox_add(g->core, kind, target, payload_of(a, now, next),
                                    due_of(now, next), ret_row)
                       : st;
}

bool glue_schedule_in_time(const struct outbox_row *row)
{
    return clock_now_ms() - row->due_ms <= LATE_MS;
}

enum status glue_schedule_again(struct glue_state *g, const struct outbox_row *row,
                                struct str schedule)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SCHEDULE_ARENA_MAX);
    struct str first, second;
    int64_t anchor = 0, next = 0, now = clock_now_ms();
    enum status st = str_cut(row->payload, ' ', &first, &second) ? ST_OK : ST_INVALID;
    st = st == ST_OK ? str_i64(first, &anchor) : st;
    st = st == ST_OK ? str_i64(second, &next) : st;
    if (st != ST_OK || !glue_schedule_in_time(row)) {
        anchor = now;
        next = now;
    }
    do {
        st = next_of(a, schedule, next, &next);
    } while (st == ST_OK && due_of(anchor, next) < now); /* missed while this one was late */
    if (st == ST_OK) {
        return outbox_retry(g->core, row->id, due_of(anchor, next), payload_of(a, anchor, next));
    }
    enum status done = outbox_done(g->core, row->id);
    return done == ST_OK ? ST_NOT_FOUND : done;
}
