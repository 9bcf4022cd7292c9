/* A cistern-merge run under way: its tables, one after the other, each planned (core thread),
 * merged (worker thread) and published (core thread, one transaction with the ledger). Private to
 * glue_merge_*.c. */
#ifndef CISTERN_GLUE_MERGE_WORK_H
#define CISTERN_GLUE_MERGE_WORK_H

#include <stdatomic.h>

#include "emulators/glue/glue_merge_plan.h"
#include "server/base/buf.h"

struct timer;

/* What the worker tells while it merges. */
struct merge_seen {
    _Atomic uint64_t rows, bytes;
    _Atomic unsigned percent;
};

/* Runs of one data set take turns. */
enum merge_turn {
    MERGE_TURN_NONE,  /* between two tables */
    MERGE_TURN_WAITS, /* another run works on the table's data set */
    MERGE_TURN_HAS,
};

struct merge_work {
    struct glue_active *run;
    struct blobs *blobs;
    struct merge_args args;
    struct merge_table *tables;
    size_t n_tables;
    size_t at;        /* index of the table at hand */
    size_t n_failed;  /* tables before it */
    struct str error; /* of the first of them; absent: none */

    /* of the table at hand */
    struct merge_plan plan;
    enum merge_turn turn;
    atomic_bool cancel;
    struct merge_job job;
    struct merge_result result;
    enum status status;
    struct buf log; /* the worker's lines, until it has ended */

    /* glue_merge_report.c */
    struct merge_seen seen;
    struct timer *ticker;
    int64_t began_ms; /* clock_mono_ms(): of the table */
    int64_t shown_ms; /* of the last StateDetail; 0: none yet */
    unsigned logged;  /* last tenth that was logged */
    char detail[160]; /* what StateDetail says */
};

/* --- glue_merge_publish.c --------------------------------------------------------------------- */
/* Where the engine puts its parts: staged files, on its threads. */
struct merge_sink merge_work_sink(struct merge_work *w);
/* The result becomes the data set, or (with *ret_error, which may stay absent) nothing changes. */
enum status merge_work_publish(struct merge_work *w, struct str *ret_error) MUST_CHECK;

/* --- glue_merge_report.c: the run's log and its StateDetail ----------------------------------- */
/* Around the work on one table. */
void merge_report_start(struct merge_work *w);
void merge_report_stop(struct merge_work *w);
/* The counters of a table that is published. */
void merge_report_counters(struct merge_work *w);
/* The engine's callbacks; its threads, one at a time. */
void merge_report_progress(void *ctx, const struct merge_progress *p);
void merge_report_line(void *ctx, enum merge_log_level level, struct str line);

#endif
