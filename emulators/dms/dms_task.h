/* Helpers of the tasks' handlers. Core thread. */
#ifndef CISTERN_DMS_TASK_H
#define CISTERN_DMS_TASK_H

#include <stdbool.h>

#include "emulators/dms/dms_store.h"

struct call;
struct dms_replication_task;

/* The row by ARN, or the call fails. */
enum status dms_task_need(struct call *c, struct str arn, struct dms_task_row *ret) MUST_CHECK;
/* As the API shows it, with this status. */
enum status dms_task_show(struct call *c, const struct dms_task_row *t, struct str status,
                          bool with_settings, struct dms_replication_task **ret) MUST_CHECK;
/* Checks and sets CdcStartTime, CdcStartPosition, CdcStopPosition; absent ones stay as they are. */
enum status dms_task_set_positions(struct call *c, struct dms_task_row *t, const int64_t *start_ms,
                                   struct str start, struct str stop) MUST_CHECK;

#endif
