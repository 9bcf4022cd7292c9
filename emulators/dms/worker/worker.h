/* A running task: one thread that reads the source and writes to the bucket. The control plane sees
 * this header only. Core thread unless noted. */
#ifndef CISTERN_DMS_WORKER_H
#define CISTERN_DMS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/dms/dms_store.h"
#include "server/base/list.h"

struct dms;
struct dms_worker;
struct busy;
struct mysql_conn_options;

/* Why a worker ended. */
enum dms_end {
    DMS_END_ABORTED,   /* the server stops: nothing changes, the next start resumes */
    DMS_END_STOPPED,   /* asked to */
    DMS_END_FINISHED,  /* by itself: `reason` is a stop reason */
    DMS_END_FAILED,    /* `message` says why */
    DMS_END_EXHAUSTED, /* the same, after as many attempts as ErrorBehavior grants */
};

/* Starts the task whose row is `t` (state already set). `resumed`: it ran before, so a source that
 * doesn't answer is waited for. ST_INVALID: *ret_error says what of its stored configuration can't
 * be used. */
enum status dms_worker_start(struct dms *dms, const struct dms_task_row *t, bool resumed,
                             struct str *ret_error, struct arena *a) MUST_CHECK;
/* The worker whose link in dms->workers this is. */
struct dms_worker *dms_worker_of(struct link *link);
struct dms_worker *dms_worker_find(struct dms *dms, int64_t task);
/* The source was reached: watchers are told. */
void dms_worker_is_up(struct dms_worker *w);
/* flush: everything read so far is written out first (StopReplicationTask); else only the state of
 * the last commit is kept (the server stops). Any number of times. */
void dms_worker_stop(struct dms_worker *w, bool flush);
/* Logging.LogComponents of a task were changed while it runs. */
void dms_worker_set_log_levels(struct dms_worker *w, uint64_t levels);
/* ReloadTables has been stored (dms_store_reload_add): the worker looks for it soon. */
void dms_worker_reload(struct dms_worker *w);
/* Calls fn(arg) once, when the worker is up (or has ended); at once when it is already. */
void dms_worker_when_up(struct dms_worker *w, void (*fn)(void *arg), void *arg);
/* Calls fn(arg) once, after it has ended and the task's row says so. */
void dms_worker_when_ended(struct dms_worker *w, void (*fn)(void *arg), void *arg);
/* Forgets both. */
void dms_worker_unwatch(struct dms_worker *w, void *arg);
/* The last known counts of its tables; *ret_n 0 when there are none yet. Borrowed for the pass. */
const struct dms_table_row *dms_worker_tables(const struct dms_worker *w, size_t *ret_n);
void dms_worker_busy(struct dms_worker *w, struct busy *busy);

/* How an endpoint's row is logged in to: strings in the arena. ST_INVALID: *ret_error. */
enum status dms_source_options(struct arena *a, const struct dms_resource *endpoint,
                               struct mysql_conn_options *ret, struct str *ret_error) MUST_CHECK;

#endif
