/* What is known about the tables whose files lie in S3: who writes them (DMS) notes the columns and
 * the key, who reads them (the merge) asks. Kept by Glue; without it nothing is known. Core thread.
 */
#ifndef CISTERN_FACADE_CATALOG_H
#define CISTERN_FACADE_CATALOG_H

#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct core;

struct catalog_table {
    const struct str *columns; /* as in the files, without Op and timestamp */
    size_t n_columns;
    const struct str *key; /* names of the primary key's columns; none: no key */
    size_t n_key;
    struct str timestamp; /* name of the timestamp column (TimestampColumnName); absent: none */
};

/* Notes or replaces what is known of the files below `location`
 * ("s3://bucket/folder/schema/table/"), in the current transaction. */
enum status catalog_note_table(struct core *core, struct str location,
                               const struct catalog_table *table) MUST_CHECK;
/* ST_NOT_FOUND: nothing is known. Everything in the arena. */
enum status catalog_find_table(struct core *core, struct arena *a, struct str location,
                               struct catalog_table *ret) MUST_CHECK;

#endif
