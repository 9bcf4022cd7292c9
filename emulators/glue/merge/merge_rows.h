/* Rows of load and change files, checked and brought into the columns of the data set. Private to
 * emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_ROWS_H
#define CISTERN_GLUE_MERGE_ROWS_H

#include "emulators/glue/merge/csv_reader.h"
#include "emulators/glue/merge/merge_keys.h"
#include "emulators/glue/merge/merge_layout.h"
#include "emulators/glue/merge/merge_sort.h"

struct merge_rows {
    struct merge_env *env;
    const struct merge_file *file;
    struct csv_reader reader;
    struct csv_fields fields; /* of the current record */
    struct buf built;         /* a row that is not simply a piece of the record */
    struct buf scratch;       /* an unquoted value */
    /* The current row: */
    struct csv_row raw;
    enum merge_kind kind; /* KIND_BASE in load files */
    struct merge_key key;
    struct merge_key old_key; /* valid when has_old_key */
    bool has_old_key;         /* the key was changed from old_key */
    struct str row;           /* in the columns of the set; empty for deletes */
};

/* Opens the file behind its header. Close in any case; a zeroed one may be closed. */
enum status merge_rows_open(struct merge_rows *r, struct merge_env *env,
                            const struct merge_file *file) MUST_CHECK;
/* Without a file: merge_feed.h gives records to r->reader. */
void merge_rows_init(struct merge_rows *r, struct merge_env *env);
/* The next row; ST_NOT_FOUND at the end; ST_INVALID names file, line and reason. */
enum status merge_rows_next(struct merge_rows *r) MUST_CHECK;
void merge_rows_close(struct merge_rows *r);

/* The rows of a part of the data set, as they stand or filled up to the columns of the set. */
struct merge_part_rows {
    struct merge_env *env;
    struct csv_reader reader;
    struct csv_fields fields; /* of the current record */
    struct buf built;
    struct buf scratch;
    bool quick;                           /* merge_part_rows_run() may be tried */
    bool widen;                           /* every row is split and filled up */
    size_t n_head;                        /* fields to split for the key */
    size_t key_at[MERGE_MAX_KEY_COLUMNS]; /* fields of the key */
    struct csv_row raw;
    struct merge_key key;
    struct str row;
};

enum status merge_part_rows_open(struct merge_part_rows *r, struct merge_env *env,
                                 const struct merge_part *part) MUST_CHECK;
enum status merge_part_rows_next(struct merge_part_rows *r) MUST_CHECK;

/* Rows that stand together, ready in the reader's window, whose keys rise. */
struct merge_run {
    size_t rows;
    struct str bytes;
    uint64_t first; /* prefixes of their keys */
    uint64_t last;
};

/* Looks at the rows that come next, for as long as the prefixes of their keys are above `after`,
 * below `below` and rising, and until `max_bytes` are passed; they are not taken yet
 * (csv_reader_pass()). What is not plain ends it, so it may find none. */
struct merge_run merge_part_rows_run(const struct merge_part_rows *r, uint64_t after,
                                     uint64_t below, uint64_t max_bytes);
/* The key of the run's first or last row. */
enum status merge_part_rows_key(struct merge_part_rows *r, const struct merge_run *run, bool last,
                                struct merge_key *key) MUST_CHECK;
void merge_part_rows_close(struct merge_part_rows *r);

#endif
