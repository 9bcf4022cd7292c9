/* What one cistern-merge run has to do: which table it was called for, which of its files are not
 * merged yet, and the parts of the final data set. Made on the core thread from arguments, ledger
 * and bucket listings; everything lives in the run's arena, open files belong to the plan. */
#ifndef CISTERN_GLUE_MERGE_PLAN_H
#define CISTERN_GLUE_MERGE_PLAN_H

#include "emulators/facade/s3.h"
#include "emulators/glue/glue_internal.h"
#include "emulators/glue/glue_ledger.h"
#include "emulators/glue/merge/merge.h"

/* A table's file in the temp bucket. */
struct merge_file {
    struct s3_object object;
    struct str version; /* for the ledger */
    bool load;          /* LOAD….csv, else a change file */
    bool later;         /* comes after the file that the run was called for */
    bool skipped;       /* older than the load that begins: counted as merged, not applied */
    int fd;             /* -1: not open */
};

struct merge_plan {
    struct glue_dataset dataset;
    struct str final_bucket, final_prefix; /* prefix ends in '/' or is empty */
    struct str source_bucket, source_prefix;
    struct str called_for; /* key of the object that the run was called for */
    struct merge_spec spec;
    bool new_load; /* the load files replace the data set and its ledger */

    struct merge_file *files; /* loads first, then changes in commit order */
    size_t n_files;
    struct s3_object *parts;
    struct glue_part_row *part_rows; /* with the versions seen, one per part */
    int *part_fds;
    size_t n_parts;
};

/* Where the data set is, from the arguments: "s3://bucket/prefix/". Needed first: runs of one data
 * set take turns. ST_INVALID: *ret_error says what is missing or wrong. */
enum status merge_plan_target(struct glue_active *a, struct merge_plan *plan,
                              struct str *ret_error) MUST_CHECK;
/* The rest. ST_INVALID, ST_NOT_FOUND: *ret_error for the run. A plan without files has nothing to
 * do. Call merge_plan_close() whatever came. */
enum status merge_plan_fill(struct glue_active *a, struct merge_plan *plan,
                            struct str *ret_error) MUST_CHECK;
void merge_plan_close(struct merge_plan *plan);

/* Names one content of an object. */
struct str merge_version(struct arena *a, const struct s3_object *o);

#endif
