/* Jobs, their runs and tags. SQL of the control plane; glue_ledger.h has the merge's. Core thread;
 * strings live in the arena given. */
#ifndef CISTERN_GLUE_STORE_H
#define CISTERN_GLUE_STORE_H

#include <stdint.h>

#include "emulators/glue/glue_model.h"
#include "server/base/arena.h"
#include "server/documents.h"
#include "server/tags.h"

extern const char glue_schema_sql[];

/* Whose job: names are unique within. */
struct glue_owner {
    struct str account, region;
};

/* --- jobs ------------------------------------------------------------------------------------- */
/* ST_EXISTS: the name is taken. */
enum status glue_store_add_job(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct glue_job *job) MUST_CHECK;
enum status glue_store_job(struct db *db, struct arena *a, const struct glue_owner *o,
                           struct str name, struct glue_job **ret) MUST_CHECK;
enum status glue_store_update_job(struct db *db, struct arena *a, const struct glue_owner *o,
                                  struct glue_job *job) MUST_CHECK;
/* Names in order after `after`, at most limit + 1. */
enum status glue_store_job_names(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str after, int64_t limit,
                                 struct glue_job_name_list *ret) MUST_CHECK;
/* With its runs. ST_NOT_FOUND when there is none. */
enum status glue_store_delete_job(struct db *db, const struct glue_owner *o,
                                  struct str name) MUST_CHECK;

/* --- runs ------------------------------------------------------------------------------------- */
/* A run as it is kept: `run` is what the API shows, `number` orders the runs. */
struct glue_run_row {
    int64_t number;
    struct glue_owner owner;
    struct glue_job_run *run;
};
struct glue_run_rows {
    struct glue_run_row *v;
    size_t n;
};
/* The runs of a job, newest first: those with numbers below `before` (INT64_MAX: from the newest),
 * at most limit + 1. */
struct glue_run_query {
    struct str job;
    int64_t before, limit;
};

enum status glue_store_add_run(struct db *db, struct arena *a, const struct glue_owner *o,
                               const struct glue_job_run *run) MUST_CHECK;
enum status glue_store_update_run(struct db *db, struct arena *a,
                                  const struct glue_job_run *run) MUST_CHECK;
/* By id alone: ids are unique in the process. */
enum status glue_store_run(struct db *db, struct arena *a, struct str id,
                           struct glue_run_row *ret) MUST_CHECK;
enum status glue_store_runs(struct db *db, struct arena *a, const struct glue_owner *o,
                            const struct glue_run_query *query,
                            struct glue_run_rows *ret) MUST_CHECK;
/* Runs of the job in this state (of all jobs when `job` is absent), oldest first. */
enum status glue_store_runs_in(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str job, const char *state,
                               struct glue_run_rows *ret) MUST_CHECK;
/* Runs of the job that take a place of MaxConcurrentRuns: STARTING, RUNNING, STOPPING. */
enum status glue_store_active_runs(struct db *db, const struct glue_owner *o, struct str job,
                                   int64_t *ret) MUST_CHECK;

extern const struct tags glue_tags;

#endif
