/* Counts of a task for the control plane. Core thread; results in the call's arena. */
#ifndef CISTERN_DMS_STATS_H
#define CISTERN_DMS_STATS_H

#include "emulators/dms/dms_store.h"

struct call;
struct dms_ask;
struct dms_table_statistics_list;
struct dms_replication_task_stats;

/* One page of a task's table statistics. */
enum status dms_stats_list(struct call *c, const struct dms_task_row *t, const struct dms_ask *ask,
                           struct dms_table_statistics_list *ret,
                           struct str *ret_marker) MUST_CHECK;

/* The task's tables with the latest counts that are known. */
enum status dms_stats_tables(struct call *c, const struct dms_task_row *t,
                             struct dms_table_row **ret, size_t *ret_n) MUST_CHECK;
/* ReplicationTaskStats; NULL before the first start. *ret_error: what is wrong with the first
 * table in error, absent when all are well. */
enum status dms_stats_task(struct call *c, const struct dms_task_row *t,
                           struct dms_replication_task_stats **ret,
                           struct str *ret_error) MUST_CHECK;

#endif
