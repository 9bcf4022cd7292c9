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

#include "emulators/dms/dms_internal.h"
#include "emulators/dms/endpoint/s3_settings.h"
#include "emulators/dms/file/file.h"
#include "emulators/dms/file/out.h"
#include "emulators/dms/mapping/mapping.h"
#include "emulators/dms/mapping/shaper.h"
#include "emulators/dms/task/position.h"
#include "emulators/dms/task/settings.h"
#include "emulators/dms/worker/worker.h"
#include "emulators/facade/logs.h"
#include "server/base/map.h"
#include "server/mysql/binlog.h"
#include "server/mysql/conn.h"
#include "server/mysql/snapshot.h"

#define DMS_LOADERS_MAX 49 /* MaxFullLoadSubTasks goes so far */
#define DMS_WORKER_ARENA_MAX (512u << 20)
#define DMS_TABLES_MAX 100000
#define DMS_HEARTBEAT_MS 200
#define DMS_HEARTBEAT_FAST_MS 20 /* when batches have no interval */
#define DMS_CHECKPOINT_MS 5000   /* an idle position is stored this often */
#define DMS_STATS_MS 200         /* and counts are shown */

/* What a task has moved so far, for rates. */
struct dms_measured {
    int64_t ms; /* clock_mono_ms() */
    int64_t load_rows, changes;
    int64_t load_bytes, change_bytes;            /* put */
    int64_t load_source_bytes, log_source_bytes; /* read */
};

enum dms_table_state {
    DMS_TABLE_MISSING,
    DMS_TABLE_BEFORE,
    DMS_TABLE_LOADING,
    DMS_TABLE_DONE,
    DMS_TABLE_ERROR,
};
struct str dms_table_state_name(enum dms_table_state state);

/* An open change file. It begins with the row number first_skip (of its table) of the transaction
 * first_tx. */
struct dms_batch {
    struct dms_batch *next; /* of the same table, younger */
    struct dms_out out;
    char folder[DMS_DATE_MAX]; /* by the commit date of its rows, or "" */
    int64_t first_ms;          /* clock_mono_ms() of the first row */
    struct mysql_position first_tx;
    uint64_t first_skip;
    int64_t first_sequence_s; /* dms_worker.sequence_s then */
};

struct dms_table {
    struct str schema, name;
    struct str target_schema; /* as the files call it */
    struct str target_name;   /* likewise */
    struct str prefix;        /* of its objects */
    int64_t load_order;
    enum dms_table_state state;
    struct str message;
    struct mysql_table *def;                 /* NULL: not described yet */
    struct arena *def_arena, *old_def_arena; /* the stream may hold the one before */
    struct mysql_table
        *other; /* where def is from a statement: what the server says, if it differs */
    struct arena *other_arena;
    bool def_stored; /* the stored row has these columns */
    bool renamed;    /* by a statement that renames columns */
    bool view;       /* loaded, never captured */
    bool away;       /* a loader reloads it beside the capture, which leaves it alone meanwhile */
    bool reloading;  /* its next load is one that ReloadTables asked for */
    struct dms_csv_plan plan;
    struct dms_table_rules *rules;   /* for columns and rows; in def_arena; NULL: none apply */
    struct dms_shaper *shaper;       /* of the capture; made when needed */
    uint64_t rule_failures;          /* values that the rules could not make */
    uint64_t cut_values;             /* of changes, longer than their limit */
    struct dms_error_counts *errors; /* of this run; see errors.h */
    bool by_record; /* about to be suspended because of a record: TableErrorPolicy isn't asked */
    struct mysql_position seen;
    uint64_t seen_skip;
    int64_t last_name_ms;
    struct dms_table_counts counts; /* without load_rows */
    _Atomic int64_t load_rows;

    /* Open change files, oldest first: more than one when commit dates have folders. Rows are
     * appended to the last only, so that what the first ones hold lies before the others. */
    struct dms_batch *batches, *spare;
    size_t batches_n;
    /* PreserveTransactions: its rows in the open file of all tables, and the place of the first */
    uint64_t shared_rows;
    struct mysql_position shared_tx;
    uint64_t shared_skip;

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
    struct str shown_what;        /* for busy: in shown_arena */
    uint64_t busy_wait;           /* last wait_id handed over */
    int64_t shown_oldest_ms;      /* clock_mono_ms() of the oldest waiting change; 0: none */
    struct dms_measured measured; /* at the last metrics */
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
    struct str idle_settings; /* those that were changed and have no effect; absent: none */
    struct dms_s3_options s3;
    struct str cdc_start;
    int64_t cdc_start_ms, start_ms;
    enum dms_stop_kind stop_kind;
    int64_t stop_at_ms;
    struct logs_owner log_owner;
    struct str log_group, log_stream;
    struct str instance, resource_id; /* as metrics name them */
    int64_t interval_ms;              /* real milliseconds */
    struct mysql_conn *ctl, *stream;
    struct mysql_conn *load[DMS_LOADERS_MAX];    /* so many as the settings say, then NULL */
    struct mysql_conn *guard[DMS_LOADERS_MAX];   /* likewise: those of the loads' snapshots */
    struct mysql_conn *segment[DMS_LOADERS_MAX]; /* likewise; all NULL: no rule asks for it */
    int wake_fd;                                 /* eventfd: something below has changed */

    /* any thread */
    _Atomic int stopping;            /* 0, 1: flush, 2: abort */
    _Atomic uint64_t ask;            /* wait_id to answer */
    _Atomic uint64_t ask_flush;      /* the same, with flush */
    _Atomic uint64_t answered;       /* everything asked up to this wait_id is in the bucket */
    _Atomic uint64_t waiting_rows;   /* read, not yet in the bucket */
    _Atomic uint64_t reload_ask;     /* counts calls of ReloadTables */
    _Atomic uint64_t put_bytes;      /* of change files so far */
    _Atomic uint64_t put_load_bytes; /* and of the load's */
    _Atomic int64_t reading_us;      /* commit time of the transaction at hand; 0: all are read */
    _Atomic uint64_t log_levels;     /* see settings_log.h */

    /* Loaders change state, counts and messages of their tables while the worker's thread shows
     * them: both hold this meanwhile, and never while they wait for anything. */
    pthread_mutex_t tables_lock;

    /* worker thread */
    struct dms_table **tables;
    size_t tables_n, tables_cap;
    struct map by_name;           /* "schema\0table" → struct dms_table */
    struct map error_counts;      /* the same → struct dms_error_counts, of this run */
    struct dms_control *control;  /* control_tables.h; NULL: none are wanted */
    struct dms_spool *spool;      /* of the change files */
    struct dms_batch shared;      /* PreserveTransactions: the open file of all tables */
    int64_t shared_name_ms;       /* of the last one */
    struct mysql_position at;     /* everything before it has been read; inside of a transaction:
                                   * where that begins */
    struct mysql_position stored; /* the checkpoint in the database */
    uint64_t tx_number;
    int64_t sequence_s;     /* latest commit time so far: of $AR_H_CHANGE_SEQ */
    int64_t not_before_us;  /* CdcStartTime: earlier transactions are dropped; 0: none */
    struct dms_table *last; /* cache of the row callback */
    uint64_t asked;         /* wait_id whose goal is known */
    struct mysql_position goal;
    struct mysql_position cached_goal; /* StopTaskCachedChangesApplied: stop there */
    bool has_cached_goal;
    uint64_t reload_seen;      /* calls of ReloadTables that were heard */
    struct dms_load *reloads;  /* tables that are being reloaded beside the capture; NULL: none */
    struct mysql_position pin; /* the checkpoint stays here until they are loaded */
    bool wants_sequence; /* a rule has $AR_H_CHANGE_SEQ: sequence_s is kept with the checkpoint */
    bool clean_metadata; /* CleanSourceMetadataOnMismatch */
    bool partition_ddl;  /* skipTableSuspensionForPartitionDdl */
    bool ignore_xa;      /* IgnoreOpenXaTransactionsCheck */
    struct mysql_xa *xa; /* of the stream */
    struct mysql_position xa_start; /* before the first load: capture begins there or earlier */
    bool shared_partial;            /* the shared file ends within a transaction */
    bool in_tx;
    bool was_up; /* this run has reached the source once */
    bool ctl_open;
    bool reload;       /* the state in memory is void: read it from the database */
    bool tables_known; /* the stored rows have been read */
    bool remap;        /* the mappings were changed since they were made: dms_tables_remap() */
    int64_t last_checkpoint_ms, last_stats_ms;
    uint64_t rows_since_tick;
    int64_t failures;     /* in a row */
    const char *finished; /* stop reason once the task has come to its end */

    /* written by the worker thread before it ends, read by the core afterwards */
    enum dms_end end;
    struct str end_text; /* reason or message, in `arena` */
};

/* --- worker.c --- */
/* Asked to stop? */
static inline bool dms_stopping(struct dms_worker *w)
{
    return atomic_load_explicit(&w->stopping, memory_order_relaxed) != 0;
}
/* Waits until something happens (dms_worker_stop, a loader's end) or the time is over. */
void dms_worker_sleep(struct dms_worker *w, int64_t ms);
void dms_worker_wake(struct dms_worker *w);

/* --- worker_config.c --- */
/* Core thread: the worker of a task, with everything it needs from the database. */
enum status dms_worker_new(struct dms *dms, const struct dms_task_row *t, struct dms_worker **ret,
                           struct str *ret_error, struct arena *a) MUST_CHECK;
void dms_worker_free(struct dms_worker *w);

/* --- worker_tables.c --- */
/* (Again) from the stored rows: drops everything in memory. */
enum status dms_tables_load(struct dms_worker *w) MUST_CHECK;
struct dms_table *dms_tables_find(struct dms_worker *w, struct str schema, struct str name);
/* A new table in memory. NULL when there are too many. */
struct dms_table *dms_tables_add(struct dms_worker *w, struct str schema, struct str name,
                                 int64_t load_order);
/* Selected tables of the source that we don't know yet become known. */
enum status dms_tables_discover(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* The same after a change of the mappings: tables that are no longer selected are forgotten, new
 * ones are stored. Loads everything again. ST_CONFLICT: no table is left, and the settings say that
 * the task fails. */
enum status dms_tables_remap(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* ST_CONFLICT and *err, when no table is known and the settings say that the task fails then. */
enum status dms_tables_some(const struct dms_worker *w, size_t n, struct mysql_err *err) MUST_CHECK;
/* Are changes of the table waiting in an open file? */
static inline bool dms_table_waits(const struct dms_table *t)
{
    return t->batches || t->shared_rows > 0;
}
/* clock_mono_ms() of the oldest of them; 0: none waits. */
int64_t dms_table_oldest_ms(const struct dms_worker *w, const struct dms_table *t);
/* The place to store: every change before it is in the bucket (or in the transaction at hand). */
void dms_table_place(const struct dms_table *t, struct mysql_position *ret, uint64_t *ret_skip);
/* Throws the open change files of the table away; returns the number of their rows. */
uint64_t dms_table_drop_batches(struct dms_table *t);
/* Describes the table on a connection; def and plan are replaced. keep_order: columns that were
 * there before stay where they were in the files, new ones come last. ST_NOT_FOUND: no such table.
 */
enum status dms_table_describe(struct dms_worker *w, struct mysql_conn *c, struct dms_table *t,
                               bool keep_order, struct mysql_err *err) MUST_CHECK;
/* --- follow.c --- */
/* After a CREATE, ALTER or RENAME that made the table what it is, or started from `before`: as
 * dms_table_describe(), but right for this place of the log, also when more statements that the
 * stream hasn't come to yet have changed the table since. ST_NOT_FOUND: neither the statement nor
 * the server tells. */
enum status dms_table_follow(struct dms_worker *w, struct mysql_conn *c, struct dms_table *t,
                             const struct mysql_statement *s, const struct mysql_table *before,
                             struct mysql_err *err) MUST_CHECK;
/* ST_INVALID (MYSQL_ERR_UNSUPPORTED): the task can't move a table that looks so. */
enum status dms_table_fit(const struct dms_worker *w, const struct dms_table *t,
                          const struct mysql_table *def, struct mysql_err *err) MUST_CHECK;
/* The log's rows don't fit: the server's description instead of the one from the statement. Only
 * when t->other is there. */
void dms_table_take_other(struct dms_worker *w, struct dms_table *t);

void dms_table_set_def(struct dms_worker *w, struct dms_table *t, struct mysql_table *def,
                       struct arena *owner, struct dms_csv_order order);
/* The table can't go on: its state and message; the task goes on without it unless the settings
 * say otherwise (ST_CONFLICT then: the run ends and w->end_text tells). */
enum status dms_table_fail(struct dms_worker *w, struct dms_table *t, const char *text) MUST_CHECK;
void dms_tables_free(struct dms_worker *w);

/* --- rules.c --- */
/* Selected views become known, if the source and the task can have them. ST_INVALID: only views are
 * selected by a rule, and they can't be moved. */
enum status dms_views_discover(struct dms_worker *w, struct mysql_conn *c, struct arena *a,
                               struct mysql_err *err) MUST_CHECK;
/* Names and prefix in the target. */
void dms_rules_name(struct dms_worker *w, struct dms_table *t);
/* t->plan and t->rules for the description; `owner` lives as long as `def`. What can't be done is
 * told by dms_rules_check(). */
void dms_rules_plan(struct dms_worker *w, struct dms_table *t, const struct mysql_table *def,
                    struct arena *owner, struct dms_csv_order order);
/* ST_INVALID: the rules can't be followed for this table (MYSQL_ERR_UNSUPPORTED, *err says why). */
enum status dms_rules_check(struct dms_worker *w, const struct dms_table *t,
                            struct mysql_err *err) MUST_CHECK;
/* Only whether its name in the target is taken by another table. */
enum status dms_rules_clash(struct dms_worker *w, const struct dms_table *t,
                            struct mysql_err *err) MUST_CHECK;
void dms_rules_drop(struct dms_table *t);

/* --- commit.c --- */
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
    int64_t sequence_s;                      /* at the checkpoint */
    int64_t load_start_ms, load_end_ms;      /* of the task; both 0: stay */
    bool emptied;                            /* the tables have no rows and no objects now */
    bool reloaded;                           /* what ReloadTables asked for is done */
};
/* Any of the worker's threads. In one transaction; waits for it. Takes the pieces over. On failure
 * nothing is kept, *err says why, and the pieces are gone: the state in memory is ahead of the
 * database then (w->reload is the caller's to set). */
enum status dms_commit(struct dms_worker *w, const struct dms_commit *c,
                       struct mysql_err *err) MUST_CHECK;

/* --- catalog.c --- */
/* Core thread, in the current transaction: columns and key of the table's files, for the merge. */
enum status dms_catalog_note(struct core *core, struct arena *a, const struct dms_worker *w,
                             const struct dms_table *t, bool loaded) MUST_CHECK;
enum status dms_catalog_emptied(struct core *core, struct arena *a, const struct dms_worker *w,
                                const struct dms_table *t) MUST_CHECK;

/* --- show.c: to the core thread, without waiting ---------------------------------------------- */
/* Counts of all tables and what the worker is doing; not more often than DMS_STATS_MS unless
 * forced. */
void dms_show(struct dms_worker *w, bool force, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A line of the task's log stream, when logging is enabled. `level` is I, W or E. Any thread. */
void dms_line(struct dms_worker *w, const char *component, char level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* --- xa.c --- */
/* Waits until the XA transactions that are prepared on the source have ended, as long as the
 * settings say. They have before *ret_ended; from *ret on, which is before it, the log has all that
 * are prepared later. */
enum status dms_xa_wait(struct dms_worker *w, struct mysql_position *ret,
                        struct mysql_position *ret_ended, struct mysql_err *err) MUST_CHECK;
/* The same, once per fresh start of a task; the place is w->xa_start. */
enum status dms_xa_before_load(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;

/* --- the work --- */
/* How many tables or segments of them are read at the same time at most: MaxFullLoadSubTasks. */
size_t dms_load_subtasks(const struct dms_worker *w);
/* All that is not loaded yet. ST_CONFLICT: stopped. */
enum status dms_full_load(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* The same in the background: loads `n` tables (the array is taken over), a few at a time. Every
 * load that was begun must be ended. */
struct dms_load *dms_load_begin(struct dms_worker *w, struct dms_table **tables, size_t n)
    __attribute__((returns_nonnull));
bool dms_load_running(struct dms_load *load);
/* Waits for its end and frees it; abandon: tables that aren't loaded yet stay so. */
enum status dms_load_end(struct dms_load *load, bool abandon, struct mysql_err *err) MUST_CHECK;

/* --- reload.c: ReloadTables beside the capture ------------------------------------------------ */
/* Is there something to do: a new call, or tables that are through? Cheap. */
bool dms_reload_due(const struct dms_worker *w);
/* Does it. The stream is closed and everything that was read is in hand. On return the stream
 * begins again at w->at. */
enum status dms_reload_turn(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* Before the capture ends: waits for the loaders; what isn't loaded then is loaded by the next run
 * before it captures. */
void dms_reload_abandon(struct dms_worker *w);
/* May capture handle the table's rows and statements? */
static inline bool dms_table_captured(const struct dms_table *t)
{
    return t && !t->away && t->state == DMS_TABLE_DONE;
}
/* Until stopped, finished (w->finished) or failed. */
enum status dms_capture(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* Puts all open change files. */
enum status dms_flush(struct dms_worker *w, struct mysql_err *err) MUST_CHECK;
/* Runs fn on the control connection, connecting (again) when needed. */
typedef enum status (*dms_ctl_fn)(struct mysql_conn *c, void *arg, struct mysql_err *err);
enum status dms_ctl(struct dms_worker *w, dms_ctl_fn fn, void *arg,
                    struct mysql_err *err) MUST_CHECK;

#endif
