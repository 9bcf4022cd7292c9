/* A replication config and the task row that does its work. Core thread. */
#ifndef CISTERN_DMS_SERVERLESS_H
#define CISTERN_DMS_SERVERLESS_H

#include "emulators/dms/dms_internal.h"

#define DMS_KIND_CONFIG "replication-config"

struct dms_config {
    struct dms_resource row;
    struct dms_replication_config *doc;
    struct dms_task_row task;
};

/* By ARN, or the call fails. */
enum status dms_config_need(struct call *c, struct str arn, struct dms_config *ret) MUST_CHECK;
/* Reads what belongs to a row of the kind. */
enum status dms_config_read(struct call *c, const struct dms_resource *row,
                            struct dms_config *ret) MUST_CHECK;
/* The caller's rows of the kind that fit the filters (by ARN and by identifier), in the arena. None
 * for filters that were given: the call fails, "No `what` found …". */
enum status dms_config_list(struct call *c, const struct dms_filter_list *filters, const char *what,
                            struct dms_resource **ret, size_t *ret_n) MUST_CHECK;
/* Not running, starting or stopping: else the call fails. `what`: "modified". */
enum status dms_config_need_idle(struct call *c, const struct dms_config *config,
                                 const char *what) MUST_CHECK;

#endif
