/* The SQL of this service. Everything runs in the current transaction on the core thread; strings
 * that are returned live in the given arena. Lists are in the order of creation. */
#ifndef CISTERN_DMS_STORE_H
#define CISTERN_DMS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/mysql/position.h"
#include "server/tags.h"

extern const char dms_schema_sql[];

/* --- resources: kinds, see dms_doc.h ---------------------------------------------------------- */
#define DMS_KIND_INSTANCE "rep"
#define DMS_KIND_ENDPOINT "endpoint"
#define DMS_KIND_SUBNETS "subgrp"
#define DMS_KIND_CERTIFICATE "cert"
#define DMS_KIND_CONFIG "replication-config"
#define DMS_KIND_RUN "assessment-run"
#define DMS_KIND_ONE "individual-assessment"

/* Whose resources: identifiers are unique within. */
struct dms_owner {
    struct str account, region;
};

struct dms_resource {
    struct str arn, account, region, ident;
    struct str doc;    /* see dms_doc.h */
    struct str secret; /* an endpoint's password, or absent */
};
/* ST_EXISTS: the identifier is taken. */
enum status dms_store_resource_add(struct db *db, const char *kind, const struct dms_resource *r,
                                   int64_t now_ms) MUST_CHECK;
enum status dms_store_resource_update(struct db *db, const struct dms_resource *r) MUST_CHECK;
/* ST_NOT_FOUND */
enum status dms_store_resource_get(struct db *db, struct arena *a, const char *kind, struct str arn,
                                   struct dms_resource *ret) MUST_CHECK;
enum status dms_store_resource_by_ident(struct db *db, struct arena *a, const char *kind,
                                        struct dms_owner owner, struct str ident,
                                        struct dms_resource *ret) MUST_CHECK;
/* Also its tags and connections. ST_NOT_FOUND. */
enum status dms_store_resource_delete(struct db *db, struct str arn) MUST_CHECK;
enum status dms_store_resource_list(struct db *db, struct arena *a, const char *kind,
                                    struct dms_owner owner, struct dms_resource **ret,
                                    size_t *ret_n) MUST_CHECK;
/* Of all accounts and regions. */
enum status dms_store_resource_all(struct db *db, struct arena *a, const char *kind,
                                   struct dms_resource **ret, size_t *ret_n) MUST_CHECK;
/* Is there a resource or task with this ARN? */
bool dms_store_exists(struct db *db, struct str arn);

/* --- connections ------------------------------------------------------------------------------ */
struct dms_connection_row {
    struct str instance_arn, endpoint_arn;
    struct str status; /* testing, successful, failed */
    struct str message;
};
enum status dms_store_connection_put(struct db *db, const struct dms_connection_row *c) MUST_CHECK;
enum status dms_store_connection_get(struct db *db, struct arena *a, struct str instance_arn,
                                     struct str endpoint_arn,
                                     struct dms_connection_row *ret) MUST_CHECK;
enum status dms_store_connection_delete(struct db *db, struct str instance_arn,
                                        struct str endpoint_arn) MUST_CHECK;
enum status dms_store_connection_list(struct db *db, struct arena *a, struct str account,
                                      struct str region, struct dms_connection_row **ret,
                                      size_t *ret_n) MUST_CHECK;
/* After a restart: tests, refreshes and assessments that were under way are forgotten. */
enum status dms_store_connection_forget_tests(struct db *db) MUST_CHECK;

extern const struct tags dms_tags; /* of resources and tasks */

/* --- tasks ------------------------------------------------------------------------------------ */
struct dms_task_row {
    int64_t id;
    struct str arn, account, region, ident;
    struct str instance_arn, source_arn, target_arn;
    struct str type; /* full-load, cdc, full-load-and-cdc */
    struct str mappings, settings, task_data;
    struct str cdc_start; /* CdcStartPosition as given, or absent */
    int64_t cdc_start_ms; /* CdcStartTime; 0: none */
    struct str cdc_stop;
    int64_t created_ms;
    int64_t server_id; /* as a replica of the source */

    struct str state;   /* the truth: ready, running, stopping, stopped, failed */
    struct str surface; /* what the next look shall see first, or absent */
    struct str message, stop_reason;
    int64_t fresh_ms, start_ms, stop_ms, load_start_ms, load_end_ms; /* 0: not yet */

    struct mysql_position checkpoint; /* where to go on reading; nowhere: not yet */
    int64_t checkpoints;              /* how many there were */
};
/* Fills id. ST_EXISTS: the identifier is taken. */
enum status dms_store_task_add(struct db *db, struct dms_task_row *t) MUST_CHECK;
/* Everything but id, ARN, account, region and the checkpoint. Other mappings than before, once the
 * task has run, are noted (dms_store_remap). ST_EXISTS: the identifier is taken. */
enum status dms_store_task_update(struct db *db, const struct dms_task_row *t) MUST_CHECK;
/* To the instance and endpoints of *t. */
enum status dms_store_task_move(struct db *db, const struct dms_task_row *t) MUST_CHECK;
/* Also its tables and tags. */
enum status dms_store_task_delete(struct db *db, const struct dms_task_row *t) MUST_CHECK;
enum status dms_store_task_get(struct db *db, struct arena *a, struct str arn,
                               struct dms_task_row *ret) MUST_CHECK;
enum status dms_store_task_by_id(struct db *db, struct arena *a, int64_t id,
                                 struct dms_task_row *ret) MUST_CHECK;
/* Of one account and region; both absent: all. */
enum status dms_store_task_list(struct db *db, struct arena *a, struct str account,
                                struct str region, struct dms_task_row **ret,
                                size_t *ret_n) MUST_CHECK;
/* How many tasks use this instance or endpoint? */
enum status dms_store_task_users(struct db *db, struct str arn, int64_t *ret) MUST_CHECK;
enum status dms_store_task_checkpoint(struct db *db, int64_t id,
                                      const struct mysql_position *at) MUST_CHECK;
/* $AR_H_CHANGE_SEQ: the latest commit time (seconds) before the checkpoint. Never goes back; 0: not
 * stored. */
enum status dms_store_sequence_put(struct db *db, int64_t task, int64_t time_s) MUST_CHECK;
enum status dms_store_sequence_get(struct db *db, int64_t task, int64_t *ret) MUST_CHECK;
/* The place before the first load: every XA transaction that was prepared before it has ended. Kept
 * until the next fresh start. ST_NOT_FOUND */
enum status dms_store_xa_start_put(struct db *db, int64_t task,
                                   const struct mysql_position *at) MUST_CHECK;
enum status dms_store_xa_start_get(struct db *db, int64_t task,
                                   struct mysql_position *ret) MUST_CHECK;
enum status dms_store_task_load_times(struct db *db, int64_t id, int64_t start_ms,
                                      int64_t end_ms) MUST_CHECK;

/* --- tables of a task ------------------------------------------------------------------------- */
struct dms_table_counts {
    int64_t inserts, updates, deletes, ddls;
    int64_t load_rows, load_start_ms, load_end_ms; /* 0: not yet */
    int64_t updated_ms;
    int64_t reloads;
    /* Of the above, what was left out by settings of task or endpoint; and rows of the load. */
    int64_t left_inserts, left_updates, left_deletes, left_ddls, load_errors;
};
struct dms_table_row {
    struct str schema, name;
    struct str state; /* as the API shows it */
    int64_t load_order;
    struct mysql_position from; /* changes from here on are not in the bucket yet, */
    int64_t from_skip;          /* but so many rows of the transaction that begins there are */
    int64_t last_name_ms;       /* of its last change file */
    struct str columns;         /* description as of `from`, see dms_schema_text.h; may be absent */
    struct str message;         /* why it is in error */
    struct dms_table_counts counts;
};
enum status dms_store_table_put(struct db *db, int64_t task,
                                const struct dms_table_row *t) MUST_CHECK;
/* Without `columns` when !with_columns. */
enum status dms_store_table_list(struct db *db, struct arena *a, int64_t task, bool with_columns,
                                 struct dms_table_row **ret, size_t *ret_n) MUST_CHECK;
/* Tables that ReloadTables was called for have this state until they are loaded again. */
#define DMS_STATE_RELOADING "Table is being reloaded"
enum status dms_store_reload_add(struct db *db, int64_t task, struct str schema,
                                 struct str name) MUST_CHECK;
enum status dms_store_reload_done(struct db *db, int64_t task, struct str schema,
                                  struct str name) MUST_CHECK;
/* The task's mappings were changed since it last looked which tables they select. */
bool dms_store_remap(struct db *db, int64_t task);
enum status dms_store_remap_done(struct db *db, int64_t task) MUST_CHECK;
/* Forgets a table. */
enum status dms_store_table_drop(struct db *db, int64_t task, struct str schema,
                                 struct str name) MUST_CHECK;
/* Forgets all tables and the checkpoint: a fresh start. */
enum status dms_store_table_clear(struct db *db, int64_t task) MUST_CHECK;

#endif
