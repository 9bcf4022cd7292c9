/* Walks the data set and the delta side by side in key order and writes what changes. A join covers
 * a range of keys and belongs to one thread. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_JOIN_H
#define CISTERN_GLUE_MERGE_JOIN_H

#include "emulators/glue/merge/merge_delta.h"
#include "emulators/glue/merge/merge_parts.h"
#include "emulators/glue/merge/merge_writer.h"

struct merge_join {
    struct merge_env *env;
    struct merge_delta *delta;
    struct merge_writer *out;
    struct merge_key prev; /* of the last row of the data set; order is checked against it */
    bool has_prev;
    uint64_t left; /* bytes that are still to come, for cutting parts evenly */

    /* Untouched rows that stand together in the reader's window and are not written yet. */
    const char *span_p;
    size_t span_n;
    uint64_t span_rows;
    struct merge_key span_first;

    /* The part being walked (NULL: a load file). While `pending`, nothing has changed in it and
     * nothing was written: the rows so far are the bytes [pend_from, pend_end) of its file. */
    const struct merge_part_state *part;
    bool from_parts; /* bytes count as copied */
    bool pending;
    bool pend_dirty; /* those bytes hold more than rows with LF */
    uint64_t pend_from;
    uint64_t pend_end;
    uint64_t pend_rows;
    struct merge_key pend_first;
};

/* A row of the data set as it comes. */
struct join_row {
    struct merge_key *key; /* may be swapped away */
    struct str row;
    uint64_t offset; /* in its file */
    size_t raw_n;
    bool verbatim; /* row and "\n" stand together at row.p */
};

void merge_join_init(struct merge_join *j, struct merge_env *env, struct merge_delta *delta,
                     struct merge_writer *out);
void merge_join_fini(struct merge_join *j);

/* Ordered parts, which begin where the delta does; `upper` is where they and it end (NULL: both go
 * to the last key). Those that nothing changes are marked as kept in the result. ST_CONFLICT with
 * env->out_of_order when a part is not what its hints say. */
enum status merge_join_parts(struct merge_join *j, const struct merge_part_state *part, size_t n,
                             const struct merge_key *upper) MUST_CHECK;
/* Load files that are the data set. ST_CONFLICT with env->out_of_order when their rows are not in
 * key order. */
enum status merge_join_loads(struct merge_join *j, const struct merge_file *files,
                             size_t n) MUST_CHECK;
/* What the delta still holds; closes the last part. */
enum status merge_join_rest(struct merge_join *j) MUST_CHECK;

/* --- between merge_join.c and merge_join_parts.c ---------------------------------------------- */

/* The next row of the data set, and the changes before it. */
enum status merge_join_step(struct merge_join *j, const struct join_row *b) MUST_CHECK;
/* A row that stays. */
enum status merge_join_keep(struct merge_join *j, const struct join_row *b) MUST_CHECK;
/* The delta's current key, which no row of the data set has (unless the sorter held it). */
enum status merge_join_new(struct merge_join *j) MUST_CHECK;
/* Writes the span before the window that it stands in changes. */
enum status merge_join_flush(struct merge_join *j) MUST_CHECK;
/* Ends the open part when it is big enough and what follows deserves its own. */
enum status merge_join_cut(struct merge_join *j) MUST_CHECK;
/* Bytes that may come before merge_join_cut() must be asked. */
uint64_t merge_join_room(const struct merge_join *j);
/* Copies the bytes [from, to) of the current part's file. */
enum status merge_join_copy(struct merge_join *j, uint64_t from, uint64_t to,
                            char *ret_last) MUST_CHECK;
/* env->out_of_order */
enum status merge_join_disorder(struct merge_join *j) MUST_CHECK;

#endif
