/* What happened to instances and tasks: kept 14 days for DescribeEvents, and told to EventBridge;
 * what happened to serverless replications is only told. Core thread, in the current transaction.
 */
#ifndef CISTERN_DMS_EVENT_H
#define CISTERN_DMS_EVENT_H

#include "server/base/status.h"
#include "server/base/str.h"

struct core;
struct dms_resource;
struct dms_task_row;

enum dms_event_kind {
    DMS_EVENT_INSTANCE_CREATING,
    DMS_EVENT_INSTANCE_CREATED,
    DMS_EVENT_INSTANCE_MODIFIED,
    DMS_EVENT_INSTANCE_REBOOTED,
    DMS_EVENT_INSTANCE_DELETING,
    DMS_EVENT_INSTANCE_DELETED,
    DMS_EVENT_TASK_CREATED,
    DMS_EVENT_TASK_STARTING, /* of serverless replications alone */
    DMS_EVENT_TASK_STARTED,
    DMS_EVENT_TASK_STOPPED,
    DMS_EVENT_TASK_FAILED,
    DMS_EVENT_TASK_MODIFIED,
    DMS_EVENT_TASK_RELOADS,
    DMS_EVENT_TASK_MOVED,
    DMS_EVENT_TASK_DELETED,
};

/* `detail` (may be absent) is appended to the kind's sentence. The task may be a serverless
 * replication's. */
enum status dms_event_instance(struct core *core, const struct dms_resource *instance,
                               enum dms_event_kind kind) MUST_CHECK;
enum status dms_event_task(struct core *core, const struct dms_task_row *task,
                           enum dms_event_kind kind, struct str detail) MUST_CHECK;

#endif
