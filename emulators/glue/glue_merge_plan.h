/* What a cistern-merge run has to do for one table: which of its files are not merged yet, with
 * which columns, and the parts of the data set. Made on the core thread from arguments, ledger and
 * bucket listings; everything lives in the plan's arena, open files belong to the plan. */
#ifndef CISTERN_GLUE_MERGE_PLAN_H
#define CISTERN_GLUE_MERGE_PLAN_H

#include "emulators/facade/s3.h"
#include "emulators/glue/glue_internal.h"
#include "emulators/glue/glue_ledger.h"
#include "emulators/glue/glue_merge_table.h"
#include "emulators/glue/merge/merge.h"

/* A table's file in the temp bucket. */
struct merge_source_file {
    struct s3_object object;
    struct str version; /* for the ledger */
    bool load;          /* LOAD….csv, else a change file */
    bool later;         /* comes after the file that the run was called for */
    bool skipped;       /* older than the load that begins: counted as merged, not applied */
    int fd;             /* -1: not open */
};

struct merge_plan {
    struct arena *arena;
    struct merge_table table;
    struct glue_dataset dataset;
    struct merge_spec spec;
    bool new_load; /* the load files replace the data set and its ledger */
    bool empty;    /* with new_load: the load has no rows (the source table was emptied) */
    int empty_fd;  /* with empty: a file without bytes, the engine's load; -1: not open */

    struct merge_source_file *files; /* loads first, then changes in commit order */
    size_t n_files;
    struct s3_object *parts;
    struct glue_part_row *part_rows; /* with the versions seen, one per part */
    int *part_fds;
    size_t n_parts;

    /* What DMS noted (glue_ledger_notes()); none for files by hand. */
    struct glue_note *notes;
    size_t n_notes;
    int64_t emptied;      /* id of the newest GLUE_NOTE_EMPTIED; 0: none */
    int64_t columns_at;   /* id of the newest note of columns; 0: none */
    int64_t columns_seen; /* id of the one that the data set's last run followed; 0: none */
};

/* Fills in a zeroed plan of which `table` and `spec` (as the arguments say) are set. ST_INVALID,
 * ST_NOT_FOUND: *ret_error (in the run's arena) for the run. A plan without files and without
 * `empty` has nothing to do. Call merge_plan_close() whatever came. */
enum status merge_plan_fill(struct glue_active *a, struct merge_plan *plan,
                            struct str *ret_error) MUST_CHECK;
void merge_plan_close(struct merge_plan *plan);

/* The inputs for the engine, in the plan's arena: `job` gets loads, changes, parts and the spec's
 * columns. */
void merge_plan_inputs(struct merge_plan *plan, struct merge_job *job);
/* Notes in the ledger which files are merged now, by this run, and how far the notes were followed.
 * In the transaction that publishes the data set. */
enum status merge_plan_settle(struct db *db, const struct merge_plan *plan,
                              struct str run) MUST_CHECK;

/* Names one content of an object. */
struct str merge_version(struct arena *a, const struct s3_object *o);

#endif
