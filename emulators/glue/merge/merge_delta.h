/* What is to be done, key by key in order: all rows of one key that the sorter holds, reduced to
 * their net effect. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_DELTA_H
#define CISTERN_GLUE_MERGE_DELTA_H

#include "emulators/glue/merge/merge_layout.h"
#include "emulators/glue/merge/merge_sort.h"

struct merge_delta {
    struct merge_env *env;
    struct merge_sort *sort;
    bool have; /* the rest describes the current key */
    struct merge_key key;
    bool in_base; /* the sorter held a base row of this key */
    struct buf base_row;
    uint64_t base_seq;
    bool changed; /* it held loads or changes */
    enum merge_kind first;
    enum merge_kind last;
    struct buf row;    /* the last one, unless last is KIND_DELETE */
    uint64_t load_seq; /* of the last KIND_LOAD row */
};

enum delta_effect {
    EFFECT_NONE, /* there is no row of this key, and none comes */
    EFFECT_KEEP, /* the old row stays */
    EFFECT_PUT,  /* delta->row takes its place, or is added */
    EFFECT_DROP, /* the old row goes */
};

/* Owns a sorter, to which rows are added first. */
void merge_delta_init(struct merge_delta *d, struct merge_env *env);
void merge_delta_fini(struct merge_delta *d);

/* Adds all rows of a file. `base`: load rows are the data set itself, not additions to it. */
enum status merge_delta_add_file(struct merge_delta *d, const struct merge_file *file,
                                 bool base) MUST_CHECK;
/* Adds all rows of an existing part as base rows. */
enum status merge_delta_add_part(struct merge_delta *d, size_t part) MUST_CHECK;

/* No more rows: goes to the first key. */
enum status merge_delta_start(struct merge_delta *d) MUST_CHECK;
enum status merge_delta_next(struct merge_delta *d) MUST_CHECK;

/* What the current key does to `old` (absent: not in the data set), counted in the result. */
enum delta_effect merge_delta_effect(struct merge_delta *d, struct str old);

#endif
