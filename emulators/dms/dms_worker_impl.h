/* The inside of a running task: shared by its files only.
 *
 * Positions. A table's `seen` says which of its changes are in hand: everything before the place,
 * and the first `seen_skip` of its rows in the transaction that begins there. What is in hand is
 * either in the bucket or in the open change file. The place that is stored (dms_table_row.from)
 * moves in the very transaction that puts the table's change file, so that after a crash each
 * change is in exactly one file. The task's checkpoint is the earliest place that is still needed;
 * reading again from there, every table drops what it has seen.
 *
 * The worker thread owns everything that isn't marked otherwise. */
#ifndef CISTERN_DMS_WORKER_IMPL_H
#define CISTERN_DMS_WORKER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "emulators/dms/dms_file.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/dms_mapping.h"
#include "emulators/dms/dms_position.h"
#include "emulators/dms/dms_s3_settings.h"
#include "emulators/dms/dms_settings.h"
#include "emulators/dms/dms_worker.h"
#include "emulators/facade/logs.h"
#include "server/base/map.h"
#include "server/mysql/binlog.h"
#include "server/mysql/conn.h"
#include "server/mysql/snapshot.h"

#define DMS_LOADERS_MAX 4
#define DMS_WORKER_ARENA_MAX (512u << 20)
#define DMS_TABLES_MAX 100000
#define DMS_HEARTBEAT_MS 200
#define DMS_HEARTBEAT_FAST_MS 20 /* when batches have no interval */
#define DMS_CHECKPOINT_MS 5000   /* an idle position is stored this often */
#define DMS_STATS_MS 200         /* and counts are shown */

enum dms_table_state {
    DMS_TABLE_MISSING,
    DMS_TABLE_BEFORE,
    DMS_TABLE_LOADING,
    DMS_TABLE_DONE,
    DMS_TABLE_ERROR,
};
struct str dms_table_state_name(enum dms_table_state state);

struct dms_table {
    struct str schema, name;
    struct str prefix; /* of its objects */
    int64_t load_order;
    enum dms_table_state state;
    struct str message;
    struct mysql_table *def;                 /* NULL: not described yet */
    struct arena *def_arena, *old_def_arena; /* the stream may hold the one before */
    bool def_stored;                         /* the stored row has these columns */
    struct dms_csv_plan plan;
    struct mysql_position seen;
    uint64_t seen_skip;
    int64_t last_name_ms;
    struct dms_table_counts counts; /* without load_rows */
    _Atomic int64_t load_rows;

    bool renamed; /* by a statement that renames columns */
    /* the open change file */
    struct dms_file file;
    uint64_t rows;                  /* in it; 0: there is none */
    int64_t first_ms;               /* clock_mono_ms() of the first */
    struct mysql_position first_tx; /* the transaction it is from */

    /* the transaction at hand, if tx_number is the worker's */
    uint64_t tx_number;
    uint64_t tx_rows; /* rows of this table so far, also those that were dropped */
    int tx_order;     /* place of the transaction against `seen` */
};

struct dms_watch {
    struct dms_watch *next;
    void (*fn)(void *arg);
    void *arg;
    bool for_end;
};

struct dms_worker {
    /* core thread */
    struct link link;
    struct dms *dms;
    struct dms_watch *watches;
    struct arena *shown_arena; /* last posted counts */
    struct dms_table_row *shown;
    size_t shown_n;
    struct str shown_what; /* for busy: in shown_arena */
    uint64_t busy_wait;    /* last wait_id handed over */
    bool up_known;

    /* constant while the thread runs */
    bool resumed, loads, captures;
    uint32_t server_id;
    struct core *core;
    struct arena *arena;
    int64_t task;
    struct str arn, ident;
    struct dms_mapping mapping;
    struct dms_settings settings;
    struct dms_s3_options s3;
    struct str cdc_start;
    int64_t cdc_start_ms, start_ms;
    enum dms_stop_kind stop_kind;
    int64_t stop_at_ms;
    struct logs_owner log_owner;
    struct str log_group, log_stream;
    int64_t interval_ms; /* real milliseconds */
    struct mysql_conn *ctl, *stream, *load[DMS_LOADERS_MAX];
    int wake_fd; /* eventfd: something below has changed */

    /* any thread */
    _Atomic int stopping;          /* 0, 1: flush, 2: abort */
    _Atomic uint64_t ask;          /* wait_id to answer */
    _Atomic uint64_t ask_flush;    /* the same, with flush */
    _Atomic uint64_t answered;     /* everything asked up to this wait_id is in the bucket */
    _Atomic uint64_t waiting_rows; /* read, not yet in the bucket */

    /* Loaders change state, counts and messages of their tables while the worker's thread shows
     * them: both hold this meanwhile, and never while they wait for anything. */
    pthread_mutex_t tables_lock;

    /* worker thread */
    struct dms_table **tables;
    size_t tables_n, tables_cap;
    struct map by_name;           /* "schema\0table" → struct dms_table */
    struct mysql_position at;     /* everything before it has been read; inside of a transaction:
                                   * where that begins */
    struct mysql_position stored; /* the checkpoint in the database */
    uint64_t tx_number;
    int64_t not_before_us;  /* CdcStartTime: earlier transactions are dropped; 0: none */
    struct dms_table *last; /* cache of the row callback */
    uint64_t asked;         /* wait_id whose goal is known */
    struct mysql_position goal;
    struct mysql_position cached_goal; /* StopTaskCachedChangesApplied: stop there */
    bool has_cached_goal;
    bool in_tx;
    bool was_up; /* this run has reached the source once */
    bool ctl_open;
    bool reload;       /* the state in memory is void: read it from the database */
    bool tables_known; /* the stored rows have been read */
    int64_t last_checkpoint_ms, last_stats_ms;
    uint64_t rows_since_tick;
    int64_t failures;     /* in a row */
    const char *finished; /* stop reason once the task has come to its end */

    /* written by the worker thread before it ends, read by the core afterwards */
    enum dms_end end;
    struct str end_text; /* reason or message, in `arena` */
};

/* --- dms_worker.c
 * --------------------------------------------------------------------------------- */
/* Asked to stop? */
static inline bool dms_stopping(struct dms_worker *w)
{
    return atomic_load_explicit(&w->stopping, memory_order_relaxed) != 0;
}
/* Waits until something happens (dms_worker_stop, a loader's end) or the time is over. */
void dms_worker_sleep(struct dms_worker *w, int64_t ms);
void dms_worker_wake(struct dms_worker *w);

/* --- dms_worker_config.c
 * ---------------------------------------------------------------------------- */
/* Core thread: the worker of a task, with everything it needs from the database. */
enum status dms_worker_new(struct dms *dms, const struct dms_task_row *t, struct dms_worker **ret,
                           struct str *ret_error, struct arena *a) MUST_CHECK;
void dms_worker_free(struct dms_worker *w);

/* --- dms_worker_tables.c
 * ---------------------------------------------------------------------------- */
/* (Again) from the stored rows: drops everything in memory. */
enum status dms_tables_load(struct dms_worker *w) MUST_CHECK;
struct dms_table *dms_tables_find(struct dms_worker *w, struct str schema, struct str name);
/* A new table in memory. NULL when there are too many. */
struct dms_table *dms_tables_add(struct dms_worker *w, struct str schema, struct str name,
                                 int64_t load_order);
/* Selected tables of the source that we don't know yet become known. */
enum status dms_tables_discover(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* Describes the table on a connection; def and plan are replaced. keep_order: columns that were
 * there before stay where they were in the files, new ones come last. ST_NOT_FOUND: no such table.
 */
enum status dms_table_describe(struct dms_worker *w, struct mysql_conn *c, struct dms_table *t,
                               bool keep_order, struct mysql_err *err) MUST_CHECK;
void dms_table_set_def(struct dms_worker *w, struct dms_table *t, struct mysql_table *def,
                       struct arena *owner, struct dms_csv_order order);
/* The table can't go on: its state and message; the task goes on without it unless the settings
 * say otherwise (ST_CONFLICT then: the run ends and w->end_text tells). */
enum status dms_table_fail(struct dms_worker *w, struct dms_table *t, const char *text) MUST_CHECK;
void dms_tables_free(struct dms_worker *w);

/* --- dms_commit.c
 * ------------------------------------------------------------------------------------ */
struct dms_put {
    struct str key;
    struct dms_piece piece;
};
/* What changes together. */
struct dms_commit {
    struct str clear_prefix; /* objects below it are deleted first; absent: none */
    const struct dms_put *puts;
    size_t puts_n;
    struct dms_table **tables; /* whose rows are stored */
    size_t tables_n;
    const struct mysql_position *checkpoint; /* NULL: stays */
    int64_t load_start_ms, load_end_ms;      /* of the task; both 0: stay */
    bool emptied;                            /* the tables have no rows and no objects now */
};
/* Any of the worker's threads. In one transaction; waits for it. Takes the pieces over. On failure
 * nothing is kept, *err says why, and the pieces are gone: the state in memory is ahead of the
 * database then (w->reload is the caller's to set). */
enum status dms_commit(struct dms_worker *w, const struct dms_commit *c,
                       struct mysql_err *err) MUST_CHECK;

/* --- dms_catalog.c
 * ---------------------------------------------------------------------------------- */
/* Core thread, in the current transaction: columns and key of the table's files, for the merge. */
enum status dms_catalog_note(struct core *core, struct arena *a, const struct dms_worker *w,
                             const struct dms_table *t, bool loaded) MUST_CHECK;
enum status dms_catalog_emptied(struct core *core, struct arena *a, const struct dms_worker *w,
                                const struct dms_table *t) MUST_CHECK;

/* --- dms_show.c: to the core thread, without waiting -------------------------------------------
 */
/* Counts of all tables and what the worker is doing; not more often than DMS_STATS_MS unless
 * forced. */
void dms_show(struct dms_worker *w, bool force, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A line of the task's log stream, when logging is enabled. `level` is I, W or E. Any thread. */
void dms_line(struct dms_worker *w, const char *component, char level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* --- the work
 * ---------------------------------------------------------------------------------------- */
/* All that is not loaded yet. ST_CONFLICT: stopped. */
enum status dms_full_load(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* Until stopped, finished (w->finished) or failed. */
enum status dms_capture(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* Puts all open change files. */
enum status dms_flush(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* Runs fn on the control connection, connecting (again) when needed. */
typedef enum status (*dms_ctl_fn)(struct mysql_conn *c, void *arg, struct mysql_err *err);
enum status dms_ctl(struct dms_worker *w, dms_ctl_fn fn, void *arg,
                    struct mysql_err *err) MUST_CHECK;

#endif
