/* IAM: roles and policies, stored so that set-up scripts and templates run unmodified. Nothing is
 * enforced. */
#include "emulators/iam/iam_store.h"
#include "server/service.h"

extern const struct service iam_service;

const struct service iam_service = {
    .name = "iam",
    .signing_name = IAM_SIGNING_NAME,
    .target_prefix = IAM_TARGET_PREFIX,
    .api_version = IAM_API_VERSION,
    .xmlns = IAM_XMLNS,
    .protocols = IAM_PROTOCOLS,
    .ops = iam_ops,
    .n_ops = IAM_N_OPS,
    .schema_sql = iam_schema_sql,
    .errors = iam_errors,
};
