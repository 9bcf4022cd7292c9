/* CloudWatch Logs: groups, streams, events. What the emulators print arrives through logs.h. */
#include "emulators/logs/logs_internal.h"
#include "emulators/logs/logs_store.h"
#include "server/service.h"

extern const struct service logs_service;

const struct service logs_service = {
    .name = "logs",
    .signing_name = LOGS_SIGNING_NAME,
    .target_prefix = LOGS_TARGET_PREFIX,
    .api_version = LOGS_API_VERSION,
    .xmlns = LOGS_XMLNS,
    .protocols = LOGS_PROTOCOLS,
    .ops = logs_ops,
    .n_ops = LOGS_N_OPS,
    .schema_sql = logs_schema_sql,
    .errors = logs_errors,
    .validation_error = &logs_InvalidParameterException,
    .init = logs_target_init,
};
