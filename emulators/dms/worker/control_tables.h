/* ControlTablesSettings: awsdms_status, awsdms_history and awsdms_suspended_tables as ordinary
 * tables of the target, that is, change files below <ControlSchema>/<table>/ in the format of the
 * endpoint. AWS documents their columns, that only tasks with change capture have them, and where
 * they are in databases; for S3 it documents no place, so the schema is dmslogs unless one is
 * given. What can't be told truly is NULL: a task's own share of memory (TASK_MEMORY) isn't known.
 * awsdms_full_load_exceptions is not among them: its columns are documented nowhere.
 *
 * The rows tell of the run and are not part of what it must not lose: after a crash the next run
 * begins with a row of its own. Worker thread. */
#ifndef CISTERN_DMS_CONTROL_TABLES_H
#define CISTERN_DMS_CONTROL_TABLES_H

#include "emulators/dms/worker/worker_impl.h"

struct dms_control;

enum dms_phase { DMS_PHASE_NONE, DMS_PHASE_LOAD, DMS_PHASE_CHANGES };

/* NULL: the task has none. */
struct dms_control *dms_control_new(struct dms_worker *w);
/* NULL is fine. */
void dms_control_free(struct dms_control *k);
/* The task is in this phase now: writes what is due, if anything. NULL is fine. */
enum status dms_control_turn(struct dms_control *k, enum dms_phase phase,
                             struct mysql_err *err) MUST_CHECK;
/* The task ends; what can't be written now isn't. NULL is fine. */
void dms_control_end(struct dms_control *k);

#endif
