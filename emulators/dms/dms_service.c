/* The service's descriptor and life. */
#include "emulators/dms/control/probe.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/task/metrics.h"
#include "emulators/dms/worker/worker.h"
#include "server/base/log.h"
#include "server/core.h"
#include "server/service.h"

const struct aws_error dms_InvalidParameterValueException = {
    .code = "InvalidParameterValueException",
    .http_status = 400,
};
const struct aws_error dms_InvalidParameterCombinationException = {
    .code = "InvalidParameterCombinationException",
    .http_status = 400,
};

static enum status init(struct core *core, void **ret_state)
{
    struct dms *dms = xcalloc(1, sizeof(*dms));
    dms->core = core;
    list_init(&dms->workers);
    list_init(&dms->tests);
    list_init(&dms->probes);
    *ret_state = dms;
    return ST_OK;
}

static enum status start(void *state)
{
    struct dms *dms = state;
    enum status st = dms_store_connection_forget_tests(core_db(dms->core));
    dms->started_ms = clock_now_ms();
    dms_metrics_start(dms);
    return st == ST_OK ? dms_tasks_resume(dms) : st;
}

/* The core waits for the threads themselves afterwards. */
static void stop(void *state)
{
    struct dms *dms = state;
    LIST_FOREACH(link, &dms->workers)
    {
        dms_worker_stop(dms_worker_of(link), false);
    }
    dms_tests_stop(dms);
    dms_probes_stop(dms);
    dms_metrics_stop(dms);
}

static void fini(void *state)
{
    free(state);
}

static void busy(void *state, struct busy *busy)
{
    struct dms *dms = state;
    LIST_FOREACH(link, &dms->workers)
    {
        dms_worker_busy(dms_worker_of(link), busy);
    }
    LIST_FOREACH(test, &dms->tests)
    {
        busy_add(busy, "dms", "a connection test is running");
    }
    dms_probes_busy(dms, busy);
}

const struct service dms_service = {
    .name = "dms",
    .signing_name = DMS_SIGNING_NAME,
    .target_prefix = DMS_TARGET_PREFIX,
    .api_version = DMS_API_VERSION,
    .xmlns = DMS_XMLNS,
    .protocols = DMS_PROTOCOLS,
    .ops = dms_ops,
    .n_ops = DMS_N_OPS,
    .schema_sql = dms_schema_sql,
    .errors = dms_errors,
    .init = init,
    .start = start,
    .stop = stop,
    .fini = fini,
    .busy = busy,
};
