/* ErrorBehavior of a running task: what becomes of records that can't be moved as they are, and how
 * often a table may err. Counts are of one run of the task: from its start, or resumption, on.
 *
 * A record errs when a rule can't make one of its values (DataErrorPolicy), or when a LOB value is
 * longer than its limit (DataTruncationErrorPolicy). Both count for DataErrorEscalationCount, also
 * those that are only logged. With LOG_ERROR the record is moved: with an empty value, or with the
 * value cut. Files know no conflicts, so that the ApplyError… settings have nothing to act upon. */
#ifndef CISTERN_DMS_ERRORS_H
#define CISTERN_DMS_ERRORS_H

#include "emulators/dms/worker/worker_impl.h"

struct dms_error_counts {
    uint64_t records, tables;
    bool listed; /* in awsdms_suspended_tables */
};

/* The table's, which stay as long as the worker. Worker thread. */
struct dms_error_counts *dms_errors_of(struct dms_worker *w, struct str schema, struct str name);
void dms_errors_free(struct dms_worker *w);

/* What is known of a record before it is written. */
struct dms_record {
    const struct mysql_value *values;
    uint64_t failures; /* values that its rules could not make */
    struct str why;    /* the first of them */
};
/* Is there anything that dms_record_check() could find? */
static inline bool dms_record_doubtful(const struct dms_worker *w, const struct dms_record *r)
{
    return r->failures > 0 || w->settings.watch_cuts;
}
/* *ret_skip: the record is to be left out. ST_INVALID (MYSQL_ERR_UNSUPPORTED): the table is to be
 * suspended, for the reason in *err; dms_table_fail() will know that TableErrorPolicy isn't asked.
 * ST_CONFLICT: the task ends, w->end_text tells why. Any of the worker's threads. */
enum status dms_record_check(struct dms_worker *w, struct dms_table *t, const struct dms_record *r,
                             bool *ret_skip, struct mysql_err *err) MUST_CHECK;

/* One more error of the table as a whole: does it stop the task? *ret_why (of MYSQL_ERR_TEXT bytes)
 * begins with which setting says so. Under w->tables_lock. */
bool dms_table_error_stops(struct dms_worker *w, struct dms_table *t, char *ret_why);
/* The task ends with this message. Under w->tables_lock. */
void dms_errors_stop(struct dms_worker *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
