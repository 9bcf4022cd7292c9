/* The existing parts of a data set: their key ranges, from the caller or by looking. Private to
 * emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_PARTS_H
#define CISTERN_GLUE_MERGE_PARTS_H

#include "emulators/glue/merge/merge_env.h"
#include "emulators/glue/merge/merge_keys.h"

struct merge_part_state {
    size_t index; /* in job->parts */
    const struct merge_part *part;
    struct merge_key first;
    struct merge_key last;
    uint64_t rows;
    uint64_t bytes;
    bool hinted; /* range and rows are the caller's word */
    bool clean;  /* LF after every row, no blank lines: may be copied unparsed */
    bool sorted; /* its rows are in key order */
};

struct merge_parts {
    struct merge_part_state *state; /* parts with rows, in key order */
    size_t n;
    bool ordered; /* each in order, none overlapping: the engine's own shape */
};

/* Fills *ret; `scan`: look into every part, whatever the caller says of it. */
enum status merge_parts_load(struct merge_env *env, bool scan, struct merge_parts *ret) MUST_CHECK;
void merge_parts_fini(struct merge_parts *p);

#endif
