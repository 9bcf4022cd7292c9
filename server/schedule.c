/* The payload of a row is "ANCHOR NEXT": at the real time ANCHOR the emulated clock was set to it
 * and runs on --clock-scale times as fast; NEXT is the emulated time that the row waits for. At
 * scale 1 both clocks are the same. Counting from a fixed anchor, and from NEXT instead of from
 * "now", keeps late deliveries from adding up or repeating a time. */
#include "server/schedule.h"

#include "server/base/clock.h"
#include "server/base/cron.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/outbox.h"

#define SCHEDULE_ARENA_MAX (1u << 20)
#define LATE_MS 60000 /* a time that is missed by more isn't made up for */

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

static enum status read_payload(const struct outbox_row *row, int64_t *ret_anchor,
                                int64_t *ret_next)
{
    struct str first, second;
    enum status st = str_cut(row->payload, ' ', &first, &second) ? ST_OK : ST_INVALID;
    st = st == ST_OK ? str_i64(first, ret_anchor) : st;
    return st == ST_OK ? str_i64(second, ret_next) : st;
}

enum status schedule_begin(struct core *core, const char *kind, struct str target,
                           struct str schedule, int64_t *ret_row)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SCHEDULE_ARENA_MAX);
    int64_t now = clock_now_ms(), next;
    enum status st = next_of(a, schedule, now, &next);
    return st == ST_OK ? outbox_add(core, kind, target, payload_of(a, now, next), due_of(now, next),
                                    ret_row)
                       : st;
}

bool schedule_in_time(const struct outbox_row *row)
{
    return clock_now_ms() - row->due_ms <= LATE_MS;
}

int64_t schedule_time_ms(const struct outbox_row *row)
{
    int64_t anchor, next;
    return read_payload(row, &anchor, &next) == ST_OK ? next : 0;
}

enum status schedule_again(struct core *core, const struct outbox_row *row, struct str schedule)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SCHEDULE_ARENA_MAX);
    int64_t anchor = 0, next = 0, now = clock_now_ms();
    enum status st = read_payload(row, &anchor, &next);
    if (st != ST_OK || !schedule_in_time(row)) {
        anchor = now;
        next = now;
    }
    do {
        st = next_of(a, schedule, next, &next);
    } while (st == ST_OK && due_of(anchor, next) < now); /* missed while this one was late */
    if (st == ST_OK) {
        return outbox_retry(core, row->id, due_of(anchor, next), payload_of(a, anchor, next));
    }
    enum status done = outbox_done(core, row->id);
    return done == ST_OK ? ST_NOT_FOUND : done;
}
