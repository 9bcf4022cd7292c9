/* Constants of filters and ranges, compared with a column as MySQL compares them by the column's
 * type. Pure. */
#ifndef CISTERN_DMS_OPERAND_H
#define CISTERN_DMS_OPERAND_H

#include "server/base/arena.h"
#include "server/mysql/schema.h"
#include "server/mysql/value.h"

enum dms_operand_kind {
    DMS_OPERAND_NUMBER,
    DMS_OPERAND_DATE, /* also with a time of day */
    DMS_OPERAND_TIME,
    DMS_OPERAND_BYTES, /* compared byte by byte */
    DMS_OPERAND_TEXT,  /* by the column's collation: only the server knows that */
};
struct dms_operand {
    enum dms_operand_kind kind;
    struct str text;
    double number;
    struct mysql_time time;
    bool has_clock;
};

/* ST_INVALID: *ret_why tells that the text is no value for such a column, or that such columns
 * can't be compared (LOBs). */
enum status dms_operand_parse(struct arena *a, const struct mysql_column *c, struct str text,
                              struct dms_operand *ret, struct str *ret_why) MUST_CHECK;
/* As a literal in a statement. */
struct str dms_operand_sql(struct arena *a, const struct dms_operand *o);
/* < 0, 0, > 0 for a value that is not NULL; not for DMS_OPERAND_TEXT. */
int dms_operand_compare(const struct mysql_value *v, const struct dms_operand *o);
/* The same for two constants of one column; for texts that differ always < 0. */
int dms_operand_order(const struct dms_operand *a, const struct dms_operand *b);

#endif
