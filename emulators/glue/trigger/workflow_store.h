/* Rows of workflows and their runs. Core thread; strings live in the arena given. */
#ifndef CISTERN_GLUE_WORKFLOW_STORE_H
#define CISTERN_GLUE_WORKFLOW_STORE_H

#include "emulators/glue/glue_store.h"

#define GLUE_WORKFLOW_SCHEMA_SQL                                                           \
    "CREATE TABLE IF NOT EXISTS glue_workflow("                                            \
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL," \
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"                                  \
    "CREATE TABLE IF NOT EXISTS glue_workflow_run("                                        \
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"                  \
    " account TEXT NOT NULL, region TEXT NOT NULL, workflow TEXT NOT NULL,"                \
    " status TEXT NOT NULL, doc TEXT NOT NULL);"                                           \
    "CREATE INDEX IF NOT EXISTS glue_workflow_run_workflow"                                \
    " ON glue_workflow_run(account, region, workflow, number);"                            \
    "CREATE TABLE IF NOT EXISTS glue_workflow_event("                                      \
    " number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,"                    \
    " region TEXT NOT NULL, workflow TEXT NOT NULL, event TEXT NOT NULL);"                 \
    "CREATE INDEX IF NOT EXISTS glue_workflow_event_workflow"                              \
    " ON glue_workflow_event(account, region, workflow, number);"

/* ST_EXISTS: the name is taken. */
enum status glue_store_add_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_workflow *w) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status glue_store_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str name, struct glue_workflow **ret) MUST_CHECK;
enum status glue_store_set_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_workflow *w) MUST_CHECK;
/* With its runs and their chains. */
enum status glue_store_delete_workflow(struct db *db, const struct glue_owner *o,
                                       struct str name) MUST_CHECK;
/* Names in order after `after`, at most limit + 1. */
enum status glue_store_workflow_names(struct db *db, struct arena *a, const struct glue_owner *o,
                                      struct str after, int64_t limit,
                                      struct glue_workflow_names *ret) MUST_CHECK;

enum status glue_store_add_workflow_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                        struct glue_workflow_run *run) MUST_CHECK;
/* ST_NOT_FOUND: this workflow has no such run. */
enum status glue_store_workflow_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct str workflow, struct str id,
                                    struct glue_workflow_run **ret) MUST_CHECK;
enum status glue_store_set_workflow_run(struct db *db, struct arena *a,
                                        struct glue_workflow_run *run) MUST_CHECK;
/* Newest first: those with numbers below `before` (INT64_MAX: from the newest), at most limit + 1;
 * *ret_last is the number of run number `limit`, for the next page. */
enum status glue_store_workflow_runs(struct db *db, struct arena *a, const struct glue_owner *o,
                                     const struct glue_run_query *query,
                                     struct glue_workflow_runs *ret, int64_t *ret_last) MUST_CHECK;
/* Runs that are RUNNING or STOPPING. */
enum status glue_store_active_workflow_runs(struct db *db, const struct glue_owner *o,
                                            struct str workflow, int64_t *ret) MUST_CHECK;

/* --- events that wait for their batch (workflow_event_store.c) --- */
enum status glue_store_add_workflow_event(struct db *db, const struct glue_owner *o,
                                          struct str workflow, struct str event) MUST_CHECK;
/* Their ids as "id, id", and how many they are. */
enum status glue_store_workflow_events(struct db *db, struct arena *a, const struct glue_owner *o,
                                       struct str workflow, struct str *ret,
                                       int64_t *ret_n) MUST_CHECK;
enum status glue_store_clear_workflow_events(struct db *db, const struct glue_owner *o,
                                             struct str workflow) MUST_CHECK;

#endif
