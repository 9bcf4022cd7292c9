/* The tables of a cistern-merge run: which folder in S3 is one, and where its data set goes. DMS
 * writes [folder/]SCHEMA/TABLE/, LOAD files there, change files there or in date folders below
 * (DatePartitionSequence, DatePartitionDelimiter). Core thread. */
#ifndef CISTERN_GLUE_MERGE_TABLE_H
#define CISTERN_GLUE_MERGE_TABLE_H

#include "emulators/glue/glue_merge_args.h"

struct merge_table {
    struct str source_bucket, source_prefix; /* ends in '/' or is empty */
    struct str called_for;                   /* key of the object; absent: all files */
    struct str final_bucket, final_prefix;   /* as the source's */
    struct str source, location;             /* both as "s3://bucket/prefix/" */
};

/* One for the object (none for a folder marker), or all below the source path in order; in the
 * run's arena. ST_INVALID, ST_NOT_FOUND: *ret_error says why there is none. */
enum status merge_tables(struct glue_active *a, const struct merge_args *args,
                         struct merge_table **ret, size_t *ret_n, struct str *ret_error) MUST_CHECK;

/* Is the object one of the table's files? */
bool merge_table_has(const struct merge_table *t, bool noted, struct str key);

/* Behind the last slash. */
struct str merge_base_name(struct str key);
/* LOAD00000001.csv, SEGMENT1_LOAD00000001.csv */
bool merge_is_load(struct str key);

#endif
