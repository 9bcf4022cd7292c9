/* What is known about the tables whose files lie in S3: who writes them (DMS) notes the columns and
 * the key, who reads them (the merge) asks. Kept by Glue; without it nothing is known. Core thread.
 */
#ifndef CISTERN_FACADE_CATALOG_H
#define CISTERN_FACADE_CATALOG_H

#include <stdbool.h>
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
    /* Only when noting: name without extension of the last change file that had other columns;
     * absent: none has been written. */
    struct str after;
    /* Only when noting: all columns of the table in the order of its definition; with `renamed`, one
     * that stands where another stood is that one under a new name. */
    const struct str *places;
    size_t n_places;
    bool renamed; /* the statement that changed the columns renames some */
    bool loaded; /* only when noting: the LOAD files that are there now have these columns */
};

/* Notes or replaces what is known of the files below `location`
 * ("s3://bucket/folder/schema/table/"), in the current transaction. */
enum status catalog_note_table(struct core *core, struct str location,
                               const struct catalog_table *table) MUST_CHECK;
/* Notes that the table was emptied (TRUNCATE, or a load that found no row): what was in its files is
 * void, and its folder holds only what came after. In the current transaction. */
enum status catalog_note_emptied(struct core *core, struct str location) MUST_CHECK;
/* ST_NOT_FOUND: nothing is known. Everything in the arena. */
enum status catalog_find_table(struct core *core, struct arena *a, struct str location,
                               struct catalog_table *ret) MUST_CHECK;

/* A table for the Data Catalog (S3Settings GlueCatalogGeneration). */
struct catalog_column {
    struct str name, type; /* Hive's: "decimal(10,2)" */
};
struct catalog_definition {
    struct str account, region;
    struct str database, table; /* the catalog folds them to lower case */
    struct str location;
    const struct catalog_column *columns; /* all that are in the files, in their order */
    size_t n_columns;
    struct str delimiter;
    bool header; /* the first row of each file has the names */
    bool gzip;
    bool parquet; /* the files are Parquet; delimiter and header don't matter then */
};
/* Makes the database and the table, or gives the table these columns, in the current transaction.
 * What is so already stays as it is (no new version). */
enum status catalog_define_table(struct core *core, struct arena *a,
                                 const struct catalog_definition *d) MUST_CHECK;

#endif
