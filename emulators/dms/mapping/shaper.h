/* Rows of one table as its rules want them: computed values behind the table's own, and the
 * decision whether a row passes the filters. Holds what that needs beyond the rules themselves (the
 * evaluator, room for texts, remembered answers). One thread at a time. */
#ifndef CISTERN_DMS_SHAPER_H
#define CISTERN_DMS_SHAPER_H

#include "emulators/dms/mapping/table_rules.h"
#include "server/mysql/err.h"

struct dms_shaper;

/* Asks the source: *ret is what the statement's one cell says ("1"). */
typedef enum status (*dms_ask_fn)(void *ctx, struct str sql, bool *ret, struct mysql_err *err);

/* `rules` are borrowed and must outlive it. The rules see a TIMESTAMP as it is printed, in the zone
 * (NULL: UTC). ST_DB: there is no memory for an evaluator. */
enum status dms_shaper_new(const struct dms_table_rules *rules, const struct zone *zone,
                           struct dms_shaper **ret) MUST_CHECK;
/* NULL is fine. */
void dms_shaper_free(struct dms_shaper *s);

struct dms_shaped {
    char operation;                  /* 'I', 'U', 'D' */
    bool load;                       /* of a full load: no position, no sequence, no before image */
    const struct mysql_value *image; /* the row: after the change, or before a DELETE */
    const struct mysql_value *before; /* UPDATE, DELETE; else NULL */
    int64_t time_us;                  /* of the change: its commit */
    struct str position, sequence;    /* when the rules want them */
};
/* The row's values: the table's columns, then the rules' cells; valid until the next call. */
const struct mysql_value *dms_shaper_row(struct dms_shaper *s, const struct dms_shaped *row);
/* How many values could not be computed or converted (they are empty) since it was asked last, and
 * why the first could not. */
uint64_t dms_shaper_failures(struct dms_shaper *s, struct str *ret_why);

/* Does the row pass? ST_IO and the like: the source could not be asked. */
enum status dms_shaper_passes(struct dms_shaper *s, const struct mysql_value *image, dms_ask_fn ask,
                              void *ctx, bool *ret, struct mysql_err *err) MUST_CHECK;

#endif
