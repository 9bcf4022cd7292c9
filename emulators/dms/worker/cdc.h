/* The parts of change capture, shared by its files only: positions and cuts on one side, the calls
 * of the stream on the other. Worker thread. */
#ifndef CISTERN_DMS_CDC_H
#define CISTERN_DMS_CDC_H

#include "emulators/dms/worker/errors.h"
#include "emulators/dms/worker/worker_impl.h"

/* One run of the stream. */
struct dms_capture {
    struct dms_worker *w;
    struct mysql_tx tx;              /* the one at hand; start and commit time only */
    struct mysql_err err;            /* why a call stopped the stream, when it wasn't on purpose */
    struct dms_table *misfit;        /* the last one that was described again … */
    struct mysql_position misfit_tx; /* … for this transaction */
    const struct mysql_statement *statement; /* the one being followed */
    bool again;                              /* it was: begin the stream anew */
    uint64_t folder_tx;                      /* the transaction … */
    char folder[DMS_DATE_MAX];               /* … whose commit date this is, or "" */
};

/* Counts one more thing (a change or a statement) of the table within the transaction at hand;
 * false: it was in hand before, by an earlier run or load. */
bool dms_is_new(struct dms_capture *c, struct dms_table *t);
/* Where the table is now: everything of it before this has been read. */
void dms_cut_place(const struct dms_capture *c, const struct dms_table *t,
                   struct mysql_position *ret, uint64_t *ret_skip);
/* Puts the open change files of the table. With PreserveTransactions that is the file of all
 * tables, unless it ends within a transaction: then nothing happens. */
enum status dms_close(struct dms_capture *c, struct dms_table *t, struct mysql_err *err) MUST_CHECK;
/* Puts what is due: by age, because somebody asked, or everything when `all`. Answers questions
 * of dms_worker_busy(). */
enum status dms_tick(struct dms_capture *c, bool all, struct mysql_err *err) MUST_CHECK;
/* Appends one change to its table's file; cuts the file when it is large enough. */
enum status dms_change(struct dms_capture *c, struct dms_table *t,
                       const struct mysql_change *change, struct mysql_err *err) MUST_CHECK;
/* Only for tables with t->rules. Is the change to be skipped, by a filter or because the table
 * fails now? */
enum status dms_rules_filter(struct dms_capture *c, struct dms_table *t,
                             const struct mysql_change *change, bool *ret_skip,
                             struct mysql_err *err) MUST_CHECK;
/* Only for tables with t->rules: adds to the record's values those that the rules compute, and how
 * many they could not; valid until the next row of the table. */
void dms_rules_shape(struct dms_capture *c, struct dms_table *t, const struct mysql_change *change,
                     struct dms_record *record);
/* The table is suspended, and that is stored. */
enum status dms_rules_fail_table(struct dms_capture *c, struct dms_table *t, const char *text,
                                 struct mysql_err *err) MUST_CHECK;
/* An XA transaction is committed whose rows were logged before the stream's start. */
enum status dms_xa_orphan(struct dms_capture *c, struct str xid,
                          const struct mysql_tx *tx) MUST_CHECK;
/* Follows CREATE, ALTER, TRUNCATE, … of our tables. */
enum status dms_follow_ddl(struct dms_capture *c, const struct mysql_statement *s,
                           struct mysql_err *err) MUST_CHECK;

#endif
