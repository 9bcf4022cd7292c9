/* What the handlers of the control plane share. Core thread. */
#ifndef CISTERN_DMS_CONTROL_H
#define CISTERN_DMS_CONTROL_H

#include "emulators/dms/dms_internal.h"
#include "server/core.h"

/* Identifier (absent: it stays), class (the same) and storage of an instance are as they may be:
 * else the call fails. */
enum status dms_instance_check(struct call *c, struct str ident, struct str class_name,
                               struct opt_i64 storage_gb) MUST_CHECK;
struct dms_vpc_security_group_membership_list
dms_instance_groups(struct arena *a, const struct dms_vpc_security_group_id_list *ids);

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
