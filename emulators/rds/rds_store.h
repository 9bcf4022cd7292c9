/* Instances, snapshots, groups and their parameters. The only SQL of the service. Core thread;
 * strings live in the arena given. */
#ifndef CISTERN_RDS_STORE_H
#define CISTERN_RDS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/rds/rds_model.h"
#include "server/base/arena.h"
#include "server/documents.h"
#include "server/tags.h"

extern const char rds_schema_sql[];

/* Whose resources: names are unique within. */
struct rds_owner {
    struct str account, region;
};
/* A condition for the store's files; its two values may be NULL. */
#define RDS_OF_OWNER_OR_ALL \
    " WHERE (?1 IS NULL OR account=?1) AND (?2 IS NULL OR region=?2) ORDER BY name"

struct rds_instance {
    struct rds_owner owner;
    struct str name;
    struct str id;     /* DbiResourceId: unique in the process, names the folder */
    struct str engine; /* "mariadb" or "mysql": the program that runs */
    int64_t port;
    struct str attached; /* "host:port" of a server that isn't ours; absent: we run it */
    struct str source;   /* id of the snapshot that its folder is made from; absent: empty */
    struct str setup;    /* SQL for the next start, one statement per line; absent: none */
    struct rds_db_instance *doc; /* what Describe shows */
};
struct rds_instances {
    struct rds_instance *v;
    size_t n;
};

/* ST_EXISTS: the name is taken. */
enum status rds_store_add(struct db *db, struct arena *a, const struct rds_instance *i) MUST_CHECK;
/* Name, port, setup and doc. */
enum status rds_store_update(struct db *db, struct arena *a,
                             const struct rds_instance *i) MUST_CHECK;
enum status rds_store_remove(struct db *db, struct str id) MUST_CHECK;
enum status rds_store_by_name(struct db *db, struct arena *a, const struct rds_owner *o,
                              struct str name, struct rds_instance *ret) MUST_CHECK;
enum status rds_store_by_id(struct db *db, struct arena *a, struct str id,
                            struct rds_instance *ret) MUST_CHECK;
/* How many bytes of a log ("error") have gone to CloudWatch. */
enum status rds_store_exported(struct db *db, struct str id, const char *log,
                               int64_t *ret_bytes) MUST_CHECK;
enum status rds_store_set_exported(struct db *db, struct str id, const char *log,
                                   int64_t bytes) MUST_CHECK;
/* All of the owner, or of everybody (NULL), by name. */
enum status rds_store_list(struct db *db, struct arena *a, const struct rds_owner *o,
                           struct rds_instances *ret) MUST_CHECK;

/* --- snapshots: their bytes lie in rds/snapshots/<id>/ ---------------------------------------- */
struct rds_snapshot {
    struct rds_owner owner;
    struct str name, id;
    struct str engine;
    struct rds_db_snapshot *doc;
};
struct rds_snapshots {
    struct rds_snapshot *v;
    size_t n;
};
enum status rds_store_add_snapshot(struct db *db, struct arena *a,
                                   const struct rds_snapshot *s) MUST_CHECK;
enum status rds_store_update_snapshot(struct db *db, struct arena *a,
                                      const struct rds_snapshot *s) MUST_CHECK;
enum status rds_store_snapshot(struct db *db, struct arena *a, const struct rds_owner *o,
                               struct str name, struct rds_snapshot *ret) MUST_CHECK;
enum status rds_store_snapshot_by_id(struct db *db, struct arena *a, struct str id,
                                     struct rds_snapshot *ret) MUST_CHECK;
enum status rds_store_snapshots(struct db *db, struct arena *a, const struct rds_owner *o,
                                struct rds_snapshots *ret) MUST_CHECK;
enum status rds_store_remove_snapshot(struct db *db, struct str id) MUST_CHECK;

/* --- parameter groups ------------------------------------------------------------------------- */
enum status rds_store_add_group(struct db *db, struct arena *a, const struct rds_owner *o,
                                struct rds_db_parameter_group *g) MUST_CHECK;
enum status rds_store_group(struct db *db, struct arena *a, const struct rds_owner *o,
                            struct str name, struct rds_db_parameter_group **ret) MUST_CHECK;
enum status rds_store_groups(struct db *db, struct arena *a, const struct rds_owner *o,
                             struct rds_db_parameter_group_list *ret) MUST_CHECK;
/* With its parameters. */
enum status rds_store_remove_group(struct db *db, const struct rds_owner *o,
                                   struct str name) MUST_CHECK;
/* A value that the user set. */
struct rds_setting {
    struct str name, value, method; /* method: immediate or pending-reboot */
};
struct rds_settings {
    struct rds_setting *v;
    size_t n;
};
enum status rds_store_set(struct db *db, const struct rds_owner *o, struct str group,
                          const struct rds_setting *s) MUST_CHECK;
/* name absent: all of the group. */
enum status rds_store_unset(struct db *db, const struct rds_owner *o, struct str group,
                            struct str name) MUST_CHECK;
enum status rds_store_settings(struct db *db, struct arena *a, const struct rds_owner *o,
                               struct str group, struct rds_settings *ret) MUST_CHECK;

/* --- subnet groups and tags ------------------------------------------------------------------- */
/* Inserts (ST_EXISTS: the name is taken) or replaces. */
enum status rds_store_put_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                                  struct rds_db_subnet_group *g, bool replace) MUST_CHECK;
enum status rds_store_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                              struct str name, struct rds_db_subnet_group **ret) MUST_CHECK;
enum status rds_store_all_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                                  struct rds_db_subnet_groups *ret) MUST_CHECK;
enum status rds_store_remove_subnets(struct db *db, const struct rds_owner *o,
                                     struct str name) MUST_CHECK;

extern const struct tags rds_tags;

/* --- events (rds_store_event.c) --------------------------------------------------------------- */
struct rds_fact {
    const char *type; /* RDS_EVENTS_… */
    const char *id, *category;
    struct str source, arn; /* name and ARN of the resource */
    struct str message;
};
#define RDS_EVENTS_INSTANCE "db-instance"
#define RDS_EVENTS_SNAPSHOT "db-snapshot"
#define RDS_EVENTS_GROUP "db-parameter-group"
/* Drops those that are older than 14 days. */
enum status rds_store_add_event(struct db *db, const struct rds_owner *o, const struct rds_fact *f,
                                int64_t ms) MUST_CHECK;
/* In the order of their happening; ends included. */
enum status rds_store_events(struct db *db, struct arena *a, const struct rds_owner *o,
                             int64_t from_ms, int64_t to_ms, struct rds_event_list *ret) MUST_CHECK;

#endif
