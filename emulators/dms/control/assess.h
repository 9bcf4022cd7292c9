/* How assessment runs and their individual assessments are kept: as resources, whose documents are
 * those of the API. Core thread. */
#ifndef CISTERN_DMS_ASSESS_H
#define CISTERN_DMS_ASSESS_H

#include "emulators/dms/dms_internal.h"

#define DMS_KIND_RUN "assessment-run"
#define DMS_KIND_ONE "individual-assessment"

struct dms_check;

enum status dms_assess_read_run(struct arena *a, struct str doc,
                                struct dms_replication_task_assessment_run **ret) MUST_CHECK;
enum status dms_assess_write_run(struct arena *a, struct dms_replication_task_assessment_run *run,
                                 struct str *ret) MUST_CHECK;
enum status dms_assess_read_one(struct arena *a, struct str doc,
                                struct dms_replication_task_individual_assessment **ret) MUST_CHECK;
enum status dms_assess_write_one(struct arena *a,
                                 struct dms_replication_task_individual_assessment *one,
                                 struct str *ret) MUST_CHECK;
/* Is the run not at its end? */
bool dms_assess_under_way(const struct dms_replication_task_assessment_run *run);
/* Is the check of use for tasks of this MigrationType? */
bool dms_assess_applies(const struct dms_check *check, struct str type);

#endif
