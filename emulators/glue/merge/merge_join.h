/* Walks the data set and the delta side by side in key order and writes what changes. Private to
 * emulators/glue/merge/. */
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

void merge_join_init(struct merge_join *j, struct merge_env *env, struct merge_delta *delta,
                     struct merge_writer *out);
void merge_join_fini(struct merge_join *j);

/* Ordered parts: those that nothing changes are marked as kept in the result. ST_CONFLICT with
 * env->out_of_order when a part is not what its hints say. */
enum status merge_join_parts(struct merge_join *j, const struct merge_parts *parts) MUST_CHECK;
/* Load files that are the data set. ST_CONFLICT with env->out_of_order when their rows are not in
 * key order. */
enum status merge_join_loads(struct merge_join *j, const struct merge_file *files,
                             size_t n) MUST_CHECK;
/* What the delta still holds; closes the last part. */
enum status merge_join_rest(struct merge_join *j) MUST_CHECK;

#endif
