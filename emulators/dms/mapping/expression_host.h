/* What DMS offers to the expressions of rules: variables and functions. */
#ifndef CISTERN_DMS_EXPRESSION_HOST_H
#define CISTERN_DMS_EXPRESSION_HOST_H

#include <stdbool.h>

#include "server/base/str.h"

struct expressions;

/* $AR_H_… (of the change) and $AR_M_… (of the table). */
enum dms_variable {
    DMS_VAR_STREAM_POSITION,
    DMS_VAR_TIMESTAMP,
    DMS_VAR_COMMIT_TIMESTAMP,
    DMS_VAR_OPERATION,
    DMS_VAR_CHANGE_SEQ,
    DMS_VAR_SCHEMA,
    DMS_VAR_TABLE,
    DMS_VAR_COLUMN,    /* NULL: an added column has no source column */
    DMS_VAR_DATA_TYPE, /* likewise */
    DMS_VARIABLES,
};
/* Without '$'. */
bool dms_variable_find(struct str name, enum dms_variable *ret);
/* Does it begin as variables do, so that no column is meant? */
bool dms_variable_reserved(struct str name);

/* An evaluator with hash_sha256, replaceChars and operation_indicator. *operation: 'I', 'U' or 'D'
 * of the row at hand, borrowed; NULL when nothing will be run. */
enum status dms_expressions_new(const char *operation, struct expressions **ret) MUST_CHECK;

#endif
