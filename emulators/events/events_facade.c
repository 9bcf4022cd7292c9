/* Events of other services: what they tell of themselves (emulators/facade/events.h), and documents
 * that arrive by emulators/bus.h: S3's notifications, and events that a rule sends to another bus.
 */
#include "emulators/facade/events.h"

#include "emulators/bus.h"
#include "emulators/events/events_internal.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/core.h"

enum status events_emit(struct core *core, const struct events_incident *in)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENTS_ARENA_MAX);
    struct events *e = core_state(core, "events");
    const struct events_fields fields = {
        .account = in->account,
        .region = in->region,
        .id = id_uuid(a),
        .source = str_z(in->source),
        .detail_type = str_z(in->detail_type),
        .resources = &in->resource,
        .n_resources = str_set(in->resource) ? 1 : 0,
        .time_ms = clock_now_ms(),
        .detail = in->detail,
    };
    const struct events_event event = { { in->account, in->region, STR(EVENTS_DEFAULT_BUS) },
                                        events_write(a, &fields),
                                        STR_NONE,
                                        false };
    if (!e) {
        return ST_OK; /* the service isn't in the list of this binary */
    }
    return str_set(event.json) ? events_route(e, &event) : ST_NOMEM;
}

static enum status bus_may(void *state, const struct bus_event *ev)
{
    struct events *e = state;
    struct events_key key;
    return events_bus_arn_read(ev->target_arn, &key) ? events_bus_exists(core_db(e->core), &key)
                                                     : ST_NOT_FOUND;
}

static enum status bus_take(void *state, const struct bus_event *ev)
{
    struct events *e = state;
    struct events_event event = { .json = ev->payload,
                                  .request_id = ev->request_id,
                                  .forwarded = str_eqz(ev->source_service, EVENTS_SOURCE) };
    enum status st = bus_may(state, ev);
    if (st != ST_OK || !events_bus_arn_read(ev->target_arn, &event.key)) {
        return st;
    }
    return events_route(e, &event);
}

static const struct bus_target bus_target = {
    .arn_service = "events",
    .check = bus_may,
    .deliver = bus_take,
};

void events_facade_init(struct events *e)
{
    bus_register(e->core, &bus_target, e);
}
