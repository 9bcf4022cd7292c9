/* EventBridge: rules that send events of this pipeline, of a schedule, or of programs to functions,
 * log groups, Glue workflows and other buses. Archives, API destinations, connections, endpoints
 * and partner sources aren't there. */
#include "emulators/events/events_internal.h"
#include "server/base/mem.h"
#include "server/service.h"

extern const struct service events_service;

static enum status init(struct core *core, void **ret_state)
{
    struct events *e = xcalloc(1, sizeof(*e));
    e->core = core;
    *ret_state = e;
    events_deliver_init(e);
    events_schedule_init(e);
    events_facade_init(e);
    return ST_OK;
}

static enum status start(void *state)
{
    return events_schedule_start(state);
}

static void busy(void *state, struct busy *busy)
{
    events_deliver_busy(state, busy);
}

static void fini(void *state)
{
    free(state);
}

const struct service events_service = {
    .name = "events",
    .signing_name = EVENTS_SIGNING_NAME,
    .target_prefix = EVENTS_TARGET_PREFIX,
    .api_version = EVENTS_API_VERSION,
    .xmlns = EVENTS_XMLNS,
    .protocols = EVENTS_PROTOCOLS,
    .ops = events_ops,
    .n_ops = EVENTS_N_OPS,
    .schema_sql = events_schema_sql,
    .errors = events_errors,
    .init = init,
    .start = start,
    .fini = fini,
    .busy = busy,
};
