/* Log groups as targets of EventBridge: a line per event, in a stream of the rule's own. A document
 * that has just `timestamp` (milliseconds) and `message`, as input transformers for log groups make
 * it, becomes a line of that time and text. Resource policies of Logs aren't there: whoever names
 * a group may write into it. */
#include "emulators/bus.h"
#include "emulators/logs/logs_internal.h"
#include "emulators/logs/logs_store.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/wire/json.h"

#define TARGET_ARENA_MAX (16u << 20)

/* "arn:aws:logs:REGION:ACCOUNT:log-group:NAME", with or without ":*". */
static bool read_arn(struct str arn, struct logs_owner *ret_owner, struct str *ret_group)
{
    struct str part[6], rest = arn;
    for (size_t i = 0; i < 6; i++) {
        if (!str_cut(rest, ':', &part[i], &rest)) {
            return false;
        }
    }
    *ret_owner = (struct logs_owner){ part[4], part[3] };
    *ret_group = str_ends(rest, STR(":*")) ? str_sub(rest, 0, rest.n - 2) : rest;
    return str_eqz(part[2], "logs") && str_eqz(part[5], "log-group") && ret_group->n > 0;
}

static enum status may(void *state, const struct bus_event *ev)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(TARGET_ARENA_MAX);
    struct logs_owner owner;
    struct logs_group_row row;
    struct str group;
    return read_arn(ev->target_arn, &owner, &group)
               ? logs_store_group(core_db(state), a, &owner, group, &row)
               : ST_NOT_FOUND;
}

/* The same for every event of a source: a digest of its ARN in the shape of a UUID. */
static struct str stream_of(struct arena *a, struct str source)
{
    unsigned char d[DIGEST_MAX];
    digest_bytes(DIGEST_MD5, source.p, source.n, d);
    return arena_printf(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11],
                        d[12], d[13], d[14], d[15]);
}

static enum status take(void *state, const struct bus_event *ev)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(TARGET_ARENA_MAX);
    struct logs_owner owner;
    struct json_value *json;
    struct str group, why, message = ev->payload;
    int64_t time_ms = clock_now_ms();
    enum status st = may(state, ev);
    if (st != ST_OK || !read_arn(ev->target_arn, &owner, &group)) {
        return st;
    }
    if (json_parse(a, ev->payload, &json, &why) == ST_OK && json->n == 2 &&
        str_set(json_get_str(json, "message")) && json_get_i64(json, "timestamp", -1) >= 0) {
        message = json_get_str(json, "message");
        time_ms = json_get_i64(json, "timestamp", time_ms);
    }
    return logs_write(state, &owner, group, stream_of(a, ev->source_arn), time_ms, message);
}

static const struct bus_target bus_target = {
    .arn_service = "logs",
    .check = may,
    .deliver = take,
};

enum status logs_target_init(struct core *core, void **ret_state)
{
    *ret_state = core;
    bus_register(core, &bus_target, core);
    return ST_OK;
}
