/* Glue: jobs that really run. */
#include "emulators/glue/glue_internal.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/service.h"

extern const struct service glue_service;

static enum status init(struct core *core, void **ret_state)
{
    struct glue_state *g = xcalloc(1, sizeof(*g));
    g->core = core;
    list_init(&g->active);
    *ret_state = g;
    return ST_OK;
}

static enum status start(void *state)
{
    return glue_runner_recover(state);
}

static void stop(void *state)
{
    glue_runner_stop_all(state);
}

static void fini(void *state)
{
    free(state);
}

static void busy(void *state, struct busy *busy)
{
    struct glue_state *g = state;
    LIST_FOREACH(l, &g->active)
    {
        struct glue_active *a = CONTAINER_OF(l, struct glue_active, link);
        busy_add(busy, "glue", "job %.*s: run %.*s is %.*s", STR_ARG(a->run->JobName),
                 STR_ARG(a->run->Id), STR_ARG(a->run->JobRunState));
    }
    glue_runner_busy(g, busy);
}

const struct service glue_service = {
    .name = "glue",
    .signing_name = GLUE_SIGNING_NAME,
    .target_prefix = GLUE_TARGET_PREFIX,
    .api_version = GLUE_API_VERSION,
    .xmlns = GLUE_XMLNS,
    .protocols = GLUE_PROTOCOLS,
    .ops = glue_ops,
    .n_ops = GLUE_N_OPS,
    .schema_sql = glue_schema_sql,
    .errors = glue_errors,
    .init = init,
    .start = start,
    .stop = stop,
    .fini = fini,
    .busy = busy,
};
