/* What all files of the merge share during one merge_run(): the job, the result that is filled,
 * the error text, progress and cancellation. Every thread has an environment of its own
 * (merge_team.h), so nothing in it needs a lock but what `shared` holds. Private to
 * emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_ENV_H
#define CISTERN_GLUE_MERGE_ENV_H

#include <pthread.h>

#include "emulators/glue/merge/merge.h"
#include "server/base/arena.h"

/* The columns of the data set. */
struct merge_set {
    size_t n;          /* columns; 0 while unknown */
    size_t n_before;   /* columns that existing parts have; 0: there are no rows yet; SIZE_MAX: they
                          are not the set's first columns, part_field tells */
    struct str *names; /* n, or NULL when unknown */
    const struct str *part_names; /* header of existing parts, n_part of them; NULL: unknown */
    size_t n_part;
    const size_t *part_field; /* NULL, or n_part_field: where the set's columns are in a part */
    size_t n_part_field;
    size_t key[MERGE_MAX_KEY_COLUMNS];
    size_t n_key;
    struct str header; /* first record of every part, with LF; empty without output_header */
};

/* One per attempt. */
struct merge_shared {
    pthread_mutex_t lock; /* progress, and one callback at a time */
    struct merge_progress progress;
    uint64_t reported;             /* bytes_read at the last progress call */
    _Atomic uint64_t failed_order; /* of the earliest failure so far; UINT64_MAX: none */
};

struct merge_env {
    const struct merge_job *job;
    struct merge_result *res; /* of a team's thread: its own counters and error */
    struct merge_shared *shared;
    size_t member;       /* of the team: 0 is the caller's thread */
    uint64_t order;      /* of the work in hand: of several failures the earliest counts */
    struct arena *arena; /* layouts, names, handles: freed at the end of an attempt */
    struct merge_set set;
    char delim;
    uint64_t part_bytes;
    bool fresh;        /* the load files are the whole data set */
    bool out_of_order; /* ST_CONFLICT came from rows that are not in key order */
    uint64_t rows;     /* read, not yet added to shared->progress */
    uint64_t bytes;
};

/* Words the error ("NAME, line N: …"; the line is left out when 0) and returns `st`. The first
 * error of an attempt stays. */
enum status merge_fail(struct merge_env *e, enum status st, struct str name, uint64_t line,
                       const char *fmt, ...) __attribute__((format(printf, 5, 6))) MUST_CHECK;
void merge_log(struct merge_env *e, enum merge_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Counts what was read, reports progress now and then; ST_CONFLICT when the run is cancelled, or
 * when work of a lower order has failed, so that this is in vain. */
enum status merge_tick(struct merge_env *e, uint64_t rows, uint64_t bytes) MUST_CHECK;

/* Files of a run are numbered in the order in which later ones win: parts, loads, changes. */
struct str merge_file_name(const struct merge_env *e, size_t file);

/* Display names. */
struct str merge_input_name(const struct merge_input *in);
struct str merge_part_name(const struct merge_part *part);

#endif
