/* A table's description as JSON text: kept with the position up to which it was used, so that
 * changes that wait in the binlog are read with the columns they were written with, whatever has
 * happened to the table since. Any thread. */
#ifndef CISTERN_DMS_SCHEMA_TEXT_H
#define CISTERN_DMS_SCHEMA_TEXT_H

#include "emulators/dms/file/csv.h"
#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/mysql/schema.h"

/* ST_NOMEM: too big. `order`: of the columns in the files. */
enum status dms_schema_write(struct arena *a, const struct mysql_table *t,
                             struct dms_csv_order order, struct str *ret) MUST_CHECK;
/* ST_INVALID: not a text that dms_schema_write() made. */
enum status dms_schema_read(struct arena *a, struct str text, struct mysql_table **ret,
                            struct dms_csv_order *ret_order) MUST_CHECK;

#endif
