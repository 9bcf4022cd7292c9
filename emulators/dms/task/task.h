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
/* Is it the work of a serverless replication (whose identifier and ARN are those of its config)?
 * Such rows have no instance. */
bool dms_task_is_config(const struct dms_task_row *t);
/* Checks type, endpoints and mappings, and sets the settings. */
enum status dms_task_check_new(struct call *c, struct dms_task_row *t,
                               struct str settings) MUST_CHECK;
/* Checks and sets the migration type; it stays once the task has run. */
enum status dms_task_set_type(struct call *c, struct dms_task_row *t, struct str type) MUST_CHECK;
/* The status that this look shows; a state that waits to be seen is seen now. */
enum status dms_task_look(struct call *c, struct dms_task_row *t, struct str *ret) MUST_CHECK;
/* Starting, in this order: may a start of this type be? Moves the state; *ret_fresh: from nothing.
 */
enum status dms_task_check_start(struct call *c, struct dms_task_row *t, struct str type,
                                 bool *ret_fresh) MUST_CHECK;
/* Stores what a start changes. */
enum status dms_task_prepare(struct call *c, struct dms_task_row *t, bool fresh) MUST_CHECK;
/* Sets the worker going. ST_PENDING: the call is answered when it is up, or a little later. */
enum status dms_task_launch(struct call *c, const struct dms_task_row *t) MUST_CHECK;
/* Moves a running task to stopping, and stores that. */
enum status dms_task_check_stop(struct call *c, struct dms_task_row *t) MUST_CHECK;
/* Tells the worker. ST_PENDING as above. */
enum status dms_task_halt(struct call *c, const struct dms_task_row *t) MUST_CHECK;
/* Checks and sets CdcStartTime, CdcStartPosition, CdcStopPosition; absent ones stay as they are. */
enum status dms_task_set_positions(struct call *c, struct dms_task_row *t, const int64_t *start_ms,
                                   struct str start, struct str stop) MUST_CHECK;

#endif
