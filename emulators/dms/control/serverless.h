/* A replication config and the task row that does its work. Core thread. */
#ifndef CISTERN_DMS_SERVERLESS_H
#define CISTERN_DMS_SERVERLESS_H

#include "emulators/dms/dms_internal.h"

struct dms_config {
    struct dms_resource row;
    struct dms_replication_config *doc;
    struct dms_task_row task;
};

/* By ARN, or the call fails. */
enum status dms_config_need(struct call *c, struct str arn, struct dms_config *ret) MUST_CHECK;
/* Not running, starting or stopping: else the call fails. `what`: "modified". */
enum status dms_config_need_idle(struct call *c, const struct dms_config *config,
                                 const char *what) MUST_CHECK;

#endif
