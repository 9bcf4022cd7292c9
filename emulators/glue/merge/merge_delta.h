/* What is to be done, key by key in order: all rows of one key that the sorter holds, reduced to
 * their net effect. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_DELTA_H
#define CISTERN_GLUE_MERGE_DELTA_H

#include "emulators/glue/merge/merge_gather.h"

/* A row that the sorter gave: its own, when it stays there, else a copy. */
struct delta_row {
    struct str row;
    struct buf copy;
};

/* What the changes of a key come to, taken one by one from a beginning with or without a row. Only
 * followed when some misfit is not simply applied. */
struct delta_course {
    bool present;
    bool changed;           /* `row` is the key's row now, if present; else the old one */
    bool inserted_by_other; /* not by a U on a missing key */
    struct delta_row row;
    unsigned misfits;        /* 1 << enum delta_misfit, at least once */
    enum merge_kind refused; /* the first change that must fail; 0: none */
    uint64_t refused_seq;
};

struct merge_delta {
    struct merge_env *env;
    struct merge_stream stream;
    bool policies; /* some misfit is not simply applied */
    bool have;     /* the rest describes the current key */
    struct merge_key key;
    bool in_base; /* the sorter held a base row of this key */
    struct delta_row base;
    uint64_t base_seq;
    bool changed; /* it held loads or changes */
    enum merge_kind first;
    enum merge_kind last;
    struct delta_row row;          /* the last one, unless last is a deletion */
    uint64_t load_seq;             /* of the last KIND_LOAD row */
    struct delta_course course[2]; /* from no row, from a row */
};

enum delta_effect {
    EFFECT_NONE, /* there is no row of this key, and none comes */
    EFFECT_KEEP, /* the old row stays */
    EFFECT_PUT,  /* *ret_row takes its place, or is added */
    EFFECT_DROP, /* the old row goes */
};

/* Opens the keys of a range (see merge_stream_open()) and goes to the first. */
enum status merge_delta_open(struct merge_delta *d, struct merge_env *env,
                             const struct merge_shards *shards, const struct merge_key *lower,
                             const struct merge_key *upper) MUST_CHECK;
void merge_delta_close(struct merge_delta *d); /* in any case; safe on a zeroed one */
enum status merge_delta_next(struct merge_delta *d) MUST_CHECK;

/* What the current key does to `old` (absent: not in the data set), counted in the result.
 * *ret_row is borrowed until merge_delta_next(). ST_INVALID: a misfit that must fail. */
enum status merge_delta_effect(struct merge_delta *d, struct str old, enum delta_effect *ret,
                               struct str *ret_row) MUST_CHECK;

#endif
