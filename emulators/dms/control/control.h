/* What the handlers of the control plane share. Core thread. */
#ifndef CISTERN_DMS_CONTROL_H
#define CISTERN_DMS_CONTROL_H

#include "emulators/dms/dms_internal.h"
#include "server/core.h"

struct dms_control_wake {
    struct dms *dms;
    int64_t task;
};

/* Checks a request to reload these tables of a running task and stores it;
 * dms_control_reload_wake() tells the worker, once the call is committed. */
enum status dms_control_reload(struct call *c, const struct dms_task_row *t,
                               const struct dms_table_list_to_reload *tables,
                               struct str option) MUST_CHECK;
void dms_control_reload_wake(struct call *c, int64_t task);

#endif
