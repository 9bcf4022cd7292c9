/* One attempt of a task's thread, from reaching the source to its end. Worker thread. */
#ifndef CISTERN_DMS_TASK_RUN_H
#define CISTERN_DMS_TASK_RUN_H

#include "emulators/dms/worker/worker_impl.h"

/* ST_OK: the task has come to its end (w->finished). Else *err says why, or the worker was asked to
 * stop. */
enum status dms_task_run(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;

#endif
