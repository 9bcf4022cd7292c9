/* The data types of DMS itself, to which rules convert values (add-column, change-data-type). */
#ifndef CISTERN_DMS_DATA_TYPE_H
#define CISTERN_DMS_DATA_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/str.h"

struct mysql_column;
struct mysql_value;

enum dms_type {
    DMS_TYPE_NONE, /* not given */
    DMS_TYPE_BYTES,
    DMS_TYPE_DATE,
    DMS_TYPE_TIME,
    DMS_TYPE_DATETIME,
    DMS_TYPE_INT1,
    DMS_TYPE_INT2,
    DMS_TYPE_INT4,
    DMS_TYPE_INT8,
    DMS_TYPE_UINT1,
    DMS_TYPE_UINT2,
    DMS_TYPE_UINT4,
    DMS_TYPE_UINT8,
    DMS_TYPE_NUMERIC,
    DMS_TYPE_REAL4,
    DMS_TYPE_REAL8,
    DMS_TYPE_STRING,
    DMS_TYPE_WSTRING,
    DMS_TYPE_BLOB,
    DMS_TYPE_CLOB,
    DMS_TYPE_NCLOB,
    DMS_TYPE_BOOLEAN,
};

struct dms_data_type {
    enum dms_type type;
    int32_t length;           /* characters or bytes; 0: unlimited */
    int32_t precision, scale; /* -1: not given */
};

/* By name in any case ("int8"); DMS_TYPE_NONE when there is no such type. */
enum dms_type dms_type_find(struct str name);
/* "INT8" */
struct str dms_type_name(enum dms_type type);
/* What DMS makes of a source column. */
struct dms_data_type dms_type_of(const struct mysql_column *c);
/* Types that DMS treats as large objects: rules can only remove such columns. */
bool dms_type_is_lob(const struct mysql_column *c);
/* The Hive type whose text form a column of this type has in CSV files. */
struct str dms_type_hive(struct arena *a, const struct dms_data_type *t);

/* *ret becomes `v` as a value of the type, printed as such by dms_csv_row(); texts it makes go into
 * `room`, which is cleared first. `v` may not be in `room`. false: the value has no such form (then
 * *ret is NULL). NULL stays NULL. */
bool dms_type_convert(const struct dms_data_type *t, const struct mysql_value *v, struct buf *room,
                      struct mysql_value *ret);

#endif
