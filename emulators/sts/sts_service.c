/* STS: who am I, and temporary credentials. */
#include "emulators/sts/sts_model.h"
#include "emulators/sts/sts_store.h"
#include "server/service.h"

extern const struct service sts_service;

static enum status init(struct core *core, void **ret_state)
{
    (void)core;
    *ret_state = NULL;
    auth_set_lookup(sts_store_find);
    return ST_OK;
}

const struct service sts_service = {
    .name = "sts",
    .signing_name = STS_SIGNING_NAME,
    .target_prefix = STS_TARGET_PREFIX,
    .api_version = STS_API_VERSION,
    .xmlns = STS_XMLNS,
    .protocols = STS_PROTOCOLS,
    .ops = sts_ops,
    .n_ops = STS_N_OPS,
    .schema_sql = sts_schema_sql,
    .errors = sts_errors,
    .init = init,
};
