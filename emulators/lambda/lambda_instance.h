/* One running copy of a function: a process that asks our Runtime API for events, or, for
 * registered executables, a slot that starts a process per event. Core thread.
 *
 *   STARTING ── first "next" ──▶ READY ── event ──▶ BUSY ── answer ──▶ BETWEEN ── "next" ──▶ READY
 *   any ── timeout, exit, update, stop ──▶ ENDING ── process reaped ──▶ freed */
#ifndef CISTERN_LAMBDA_INSTANCE_H
#define CISTERN_LAMBDA_INSTANCE_H

#include "emulators/lambda/lambda_invocation.h"
#include "emulators/lambda/lambda_log.h"
#include "emulators/lambda/lambda_runtime.h"
#include "server/http/local.h"
#include "server/loop/loop.h"
#include "server/loop/proc.h"

struct lambda_pool;

/* A function's row as its instances know it; shared, counted. */
struct lambda_config {
    int refs;
    struct arena *arena;
    struct lambda_row row;
    enum lambda_runtime_kind kind;
    struct str command; /* of a registered executable */
    struct str root;    /* folder of the code; where a registered executable runs */
};
struct lambda_config *lambda_config_new(struct lambda *l, const struct lambda_row *row);
void lambda_config_unref(struct lambda_config *config); /* NULL is fine */

enum lambda_phase {
    LAMBDA_STARTING,
    LAMBDA_READY,
    LAMBDA_BUSY,
    LAMBDA_BETWEEN,
    LAMBDA_ENDING,
};

struct lambda_instance {
    struct link link; /* in the pool */
    struct lambda *l;
    struct lambda_pool *pool;
    struct lambda_config *config;
    enum lambda_phase phase;
    struct arena *arena;
    struct str log_stream;

    struct proc *proc;       /* NULL: none at the moment */
    struct local_http *http; /* NULL for registered executables */
    int port;
    struct local_request *next; /* the process waits for an event */
    struct lambda_invocation *inv;
    struct timer *limit;         /* of the start, then of each invocation */
    struct lambda_line lines[2]; /* stdout, stderr */

    int64_t spawned_us, init_us; /* init_us: told by the next REPORT, then 0 */
    int64_t idle_since_ms;       /* steady clock */
    char *last_error;            /* last line on stderr of a registered executable */
};

/* A new one in the pool's list, not started yet. */
struct lambda_instance *lambda_instance_new(struct lambda_pool *pool);
/* Starts its process; registered executables are READY at once. false: impossible; *ret_type and
 * *ret_why (in the instance's arena) say why, and the caller frees it. */
bool lambda_instance_start(struct lambda_instance *inst, const char **ret_type,
                           struct str *ret_why);
/* READY only: hands the event over; the instance owns the invocation until it ends. */
void lambda_instance_run(struct lambda_instance *inst, struct lambda_invocation *inv);
/* Kills it. An invocation that runs is dropped. It may be gone when this returns. */
void lambda_instance_kill(struct lambda_instance *inst);

/* --- for the parts of an instance ------------------------------------------------------------- */
/* BUSY only: the event was answered; logs the end, ends the invocation. `status` as
 * lambda_log_end(). The phase is BETWEEN afterwards. */
void lambda_instance_answer(struct lambda_instance *inst, enum lambda_outcome outcome,
                            struct str answer, const char *status);
/* The process asked for its next event. */
void lambda_instance_next(struct lambda_instance *inst);
/* STARTING only: the runtime says that it can't start; `document` is its error as JSON. The process
 * is left a moment to end by itself. */
void lambda_instance_init_error(struct lambda_instance *inst, struct str document);
/* How a process ended, as the platform words it: "Runtime exited with error: exit status 1". */
struct str lambda_exit_text(struct arena *a, const struct proc_result *result);
/* Logs "RequestId: … Error: …" and the type below it. BUSY only. */
void lambda_instance_log_error(struct lambda_instance *inst, const char *type, struct str text);
/* Unlinks and frees; its process must be gone. */
void lambda_instance_free(struct lambda_instance *inst);

/* lambda_runtime_api.c: the handler of the private HTTP server; arg is the instance. */
void lambda_runtime_api(void *arg, struct local_request *req);
/* Answers the parked "next" with the running invocation. */
void lambda_runtime_api_event(struct lambda_instance *inst);
/* lambda_exec.c: starts the command line for the running invocation. */
void lambda_exec_run(struct lambda_instance *inst);

#endif
