/* What the halves of the assessments share. Core thread. */
#ifndef CISTERN_DMS_ASSESS_H
#define CISTERN_DMS_ASSESS_H

#include "emulators/dms/dms_internal.h"

struct dms_check;

/* Is the run not at its end? */
bool dms_assess_under_way(const struct dms_replication_task_assessment_run *run);
/* Is the check of use for tasks of this MigrationType? */
bool dms_assess_applies(const struct dms_check *check, struct str type);

#endif
