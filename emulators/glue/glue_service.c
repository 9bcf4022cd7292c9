/* Glue: jobs that really run. */
#include "emulators/glue/glue_internal.h"
#include "emulators/glue/merge_cli.h"
#include "emulators/glue/spark/spark_cli.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/cli/cli.h"
#include "server/service.h"

extern const struct service glue_service;

static enum status init(struct core *core, void **ret_state)
{
    struct glue_state *g = xcalloc(1, sizeof(*g));
    g->core = core;
    list_init(&g->active);
    glue_crawler_init(g);
    glue_trigger_init(g);
    glue_workflow_event_init(g);
    glue_bookmark_init(g);
    *ret_state = g;
    return ST_OK;
}

static enum status start(void *state)
{
    enum status st = glue_runner_recover(state);
    st = st == ST_OK ? glue_crawler_recover(state) : st;
    return st == ST_OK ? glue_trigger_start(state) : st;
}

static void stop(void *state)
{
    glue_runner_stop_all(state);
    glue_crawler_stop_all(state);
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
    glue_crawler_busy(g, busy);
    glue_workflow_event_busy(g, busy);
}

static const struct command commands[] = {
    MERGE_COMMAND,
    SPARK_COMMAND,
    { NULL, NULL, NULL, NULL },
};

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
    .commands = commands,
};
