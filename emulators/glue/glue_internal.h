/* What the files of Glue share. Core thread. */
#ifndef CISTERN_GLUE_INTERNAL_H
#define CISTERN_GLUE_INTERNAL_H

#include <stdbool.h>

#include "emulators/glue/glue_rooms.h"
#include "emulators/glue/glue_store.h"
#include "server/base/list.h"
#include "server/http/call.h"

struct busy;
struct core;
struct timer;

#define GLUE_TIMEOUT_MAX 10080 /* minutes: seven days */

/* What a job runs, by Command.Name. */
enum glue_kind {
    GLUE_KIND_UNKNOWN,
    GLUE_KIND_ETL,        /* glueetl: a PySpark script */
    GLUE_KIND_PYTHON,     /* pythonshell */
    GLUE_KIND_MERGE,      /* cistern-merge: the native merge */
    GLUE_KIND_EXECUTABLE, /* cistern-executable: any program */
};
enum glue_kind glue_kind_of(struct str command_name);

struct glue_state {
    struct core *core;
    struct link active; /* struct glue_active, oldest first */
    struct link crawls; /* struct crawl (crawler/), oldest first */
};

/* Why a run is being ended from outside. */
enum glue_stop { GLUE_STOP_NONE, GLUE_STOP_USER, GLUE_STOP_TIMEOUT, GLUE_STOP_SERVER };

/* A run under way; made and freed by glue_runner.c. */
struct glue_active {
    struct link link;
    struct glue_state *glue;
    struct arena *arena; /* of the run: its strings, its plan */
    struct glue_owner owner;
    struct glue_job *job; /* as it was when the run began */
    struct glue_job_run *run;
    struct glue_generic_map arguments; /* default, run's and not overridable ones */
    enum glue_kind kind;
    enum glue_stop stop;
    struct timer *timeout;
    int64_t began_ms; /* clock_mono_ms() */
    /* Continuous logging of glueetl: errors go here as well; absent: off. */
    struct str live_group, live_prefix;
    /* The kind's own: set by its begin function. */
    void *work;
    void (*stop_work)(struct glue_active *a); /* asks it to end soon; NULL: nothing runs yet */
};

/* --- jobs (glue_job.c) --- */
struct glue_owner glue_owner_of(const struct call *c);
/* The job, or the call failed with EntityNotFoundException. */
enum status glue_find_job(struct call *c, struct str name, struct glue_job **ret) MUST_CHECK;

/* --- arguments (glue_args.c) --- */
/* DefaultArguments, overlaid by the run's, then NonOverridableArguments. */
struct glue_generic_map glue_args_merge(struct arena *a, const struct glue_job *job,
                                        const struct glue_job_run *run);
/* Value of "--name"; absent when there is none. `name` without dashes. */
struct str glue_arg(const struct glue_generic_map *args, const char *name);
/* A switch: there, and empty or true. */
bool glue_flag(const struct glue_generic_map *args, const char *name);

/* --- metrics (glue_metrics.c) --- */
/* With --enable-metrics counts a value of the run, e.g. "glue.driver.aggregate.bytesRead". */
void glue_metric(struct glue_active *a, const char *name, double value);
/* The same for the lines "NAME count|gauge VALUE" of a file; none when it isn't there. */
void glue_metrics_from(struct glue_active *a, const char *path);

/* --- life of runs (glue_runner.c) --- */
/* What a run is started with; strings are borrowed for the call. */
struct glue_submission {
    const struct glue_start_job_run_request *in;
    struct str trigger; /* absent: started by a call */
    struct glue_predecessor_list predecessors;
};
/* Puts a new run of the job into the database and, after the commit, to work. *ret_id: its id.
 * ST_CONFLICT: MaxConcurrentRuns is reached and the job doesn't queue. ST_NOT_FOUND: no such run to
 * retry. */
enum status glue_runner_submit(struct glue_state *g, struct arena *a,
                               const struct glue_owner *owner, struct glue_job *job,
                               const struct glue_submission *how, struct str *ret_id) MUST_CHECK;
/* Lets waiting runs of the job take the places that are free: after MaxConcurrentRuns grew. */
void glue_runner_admit(struct glue_state *g, const struct glue_owner *owner, struct str job);
/* ST_NOT_FOUND; ST_CONFLICT: it has ended already. */
enum status glue_runner_stop(struct glue_state *g, struct arena *a, const struct glue_owner *owner,
                             struct str job, struct str run_id) MUST_CHECK;
/* A kind's end of a run: `error` absent means success. Frees `a`. */
void glue_runner_finish(struct glue_active *a, struct str error);
/* Continues what a restart interrupted. */
enum status glue_runner_recover(struct glue_state *g) MUST_CHECK;
/* Ends everything under way; finish follows for each. */
void glue_runner_stop_all(struct glue_state *g);

/* Adds the runs that wait for their turn. */
void glue_runner_busy(struct glue_state *g, struct busy *busy);

/* --- kinds --- */
void glue_merge_begin(struct glue_active *a);  /* glue_merge_run.c */
void glue_script_begin(struct glue_active *a); /* glue_script_run.c: all that are a process */

/* --- crawlers (crawler/) --- */
/* At the service's init, start, stop and for its busy. */
void glue_crawler_init(struct glue_state *g);
enum status glue_crawler_recover(struct glue_state *g) MUST_CHECK;
void glue_crawler_stop_all(struct glue_state *g);
void glue_crawler_busy(struct glue_state *g, struct busy *busy);
/* Starts a crawl, for a call, a schedule or a trigger; it begins after the commit. ST_NOT_FOUND;
 * ST_CONFLICT: it is running already. */
enum status glue_crawler_start(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                               struct str name) MUST_CHECK;

/* --- logs (glue_log.c) --- */
enum glue_stream {
    GLUE_OUTPUT,
    GLUE_ERROR,
    GLUE_PROGRESS, /* only with continuous logging */
};
/* One line to /aws-glue/jobs/output or error (python-jobs for pythonshell), stream = run id. */
void glue_log(struct glue_active *a, enum glue_stream stream, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Several lines at once. */
void glue_log_text(struct glue_active *a, enum glue_stream stream, struct str text);
/* "/aws-glue/jobs" or "/aws-glue/python-jobs" */
struct str glue_log_group(enum glue_kind kind);

#endif
