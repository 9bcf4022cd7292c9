/* What became of a table's columns, by DMS's notes: which columns a file has, and what the data
 * set's are called now. Pure; everything in the plan's arena. */
#ifndef CISTERN_GLUE_MERGE_COLUMNS_H
#define CISTERN_GLUE_MERGE_COLUMNS_H

#include "emulators/glue/glue_merge_plan.h"

/* The file's data fields by today's names, absent for those that were dropped since; NULL and 0
 * when there are no notes. */
const struct str *merge_columns_of(const struct merge_plan *plan,
                                   const struct merge_source_file *file, size_t *ret_n);
/* The same for the n columns of the data set, which are as they were at the note that its last run
 * followed (plan->columns_seen; 0: at the first one); NULL: there are no notes. */
const struct str *merge_columns_now(const struct merge_plan *plan, const struct str *names,
                                    size_t n);

#endif
