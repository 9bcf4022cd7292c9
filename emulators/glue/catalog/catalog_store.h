/* The Data Catalog's rows: databases, tables and their versions, partitions, partition indexes,
 * connections. The only SQL of the catalog. Documents are kept as the JSON text that the Get
 * operation answers. Strings live in the arena given; any handle (the read-only one of an HTTP
 * thread will do for the reading functions).
 *
 * Names of databases and tables are folded to lower case here, as Glue does: callers may pass them
 * as they came. Everything belongs to an owner (account and region). */
#ifndef CISTERN_GLUE_CATALOG_STORE_H
#define CISTERN_GLUE_CATALOG_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/glue/glue_store.h"

#define GLUE_CATALOG_SCHEMA_SQL                                                            \
    "CREATE TABLE IF NOT EXISTS glue_database("                                            \
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL," \
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"                                  \
    "CREATE TABLE IF NOT EXISTS glue_table("                                               \
    " account TEXT NOT NULL, region TEXT NOT NULL, db TEXT NOT NULL, name TEXT NOT NULL,"  \
    " doc TEXT NOT NULL, PRIMARY KEY(account, region, db, name)) WITHOUT ROWID;"           \
    "CREATE TABLE IF NOT EXISTS glue_table_version("                                       \
    " account TEXT NOT NULL, region TEXT NOT NULL, db TEXT NOT NULL, name TEXT NOT NULL,"  \
    " version INTEGER NOT NULL, doc TEXT NOT NULL,"                                        \
    " PRIMARY KEY(account, region, db, name, version)) WITHOUT ROWID;"                     \
    "CREATE TABLE IF NOT EXISTS glue_partition("                                           \
    " account TEXT NOT NULL, region TEXT NOT NULL, db TEXT NOT NULL, name TEXT NOT NULL,"  \
    " key TEXT NOT NULL, doc TEXT NOT NULL,"                                               \
    " PRIMARY KEY(account, region, db, name, key)) WITHOUT ROWID;"                         \
    "CREATE TABLE IF NOT EXISTS glue_partition_index("                                     \
    " account TEXT NOT NULL, region TEXT NOT NULL, db TEXT NOT NULL, name TEXT NOT NULL,"  \
    " label TEXT NOT NULL, keys TEXT NOT NULL,"                                            \
    " PRIMARY KEY(account, region, db, name, label)) WITHOUT ROWID;"                       \
    "CREATE TABLE IF NOT EXISTS glue_connection("                                          \
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL," \
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"

/* Whose table, and which. */
struct catalog_key {
    struct glue_owner owner;
    struct str database, table;
};

/* A listing: names after `after` (absent: from the first), at most limit + 1 of them, so that a
 * row too many tells that there is a next page. */
struct catalog_page {
    struct str after;
    int64_t limit;
};
#define CATALOG_ALL ((struct catalog_page){ STR_NONE, INT64_MAX - 1 })

/* --- databases: key->table isn't looked at ---------------------------------------------------- */
/* ST_EXISTS: the name is taken. `d` becomes the row; its Name is folded. */
enum status catalog_add_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct glue_database *d) MUST_CHECK;
/* ST_NOT_FOUND when there is none. */
enum status catalog_database(struct db *db, struct arena *a, const struct glue_owner *o,
                             struct str name, struct glue_database **ret) MUST_CHECK;
/* ST_OK when it is there, without decoding it. */
enum status catalog_has_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str name) MUST_CHECK;
/* Replaces the document of d->Name. ST_NOT_FOUND. */
enum status catalog_set_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct glue_database *d) MUST_CHECK;
/* In order of their names. */
enum status catalog_databases(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct catalog_page page, struct glue_database_list *ret) MUST_CHECK;
/* With all that is in it. ST_NOT_FOUND. */
enum status catalog_delete_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct str name) MUST_CHECK;

/* --- tables ----------------------------------------------------------------------------------- */
/* ST_NOT_FOUND: no such database; ST_EXISTS. t->Name, DatabaseName and VersionId ("0") are set
 * here; CreateTime and UpdateTime are the caller's. */
enum status catalog_add_table(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct glue_table *t) MUST_CHECK;
/* ST_NOT_FOUND: no such table, or no such database. */
enum status catalog_table(struct db *db, struct arena *a, const struct catalog_key *key,
                          struct glue_table **ret) MUST_CHECK;
/* Replaces the table t->DatabaseName, t->Name; its VersionId becomes one more than that of the old
 * one, which is kept as a version when `archive` is set. ST_NOT_FOUND. */
enum status catalog_set_table(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct glue_table *t, bool archive) MUST_CHECK;
/* Chooses tables by name, before the document is read. */
struct catalog_name_filter {
    bool (*keep)(void *arg, struct str name);
    void *arg;
};
/* The tables of a database in order of their names; `filter` NULL: all. */
enum status catalog_tables(struct db *db, struct arena *a, const struct catalog_key *database,
                           struct catalog_page page, const struct catalog_name_filter *filter,
                           struct glue_table_list *ret) MUST_CHECK;
/* With versions, partitions and indexes. ST_NOT_FOUND. */
enum status catalog_delete_table(struct db *db, struct arena *a,
                                 const struct catalog_key *key) MUST_CHECK;
/* Archived versions with numbers below `before`, newest first, at most limit + 1. */
enum status catalog_table_versions(struct db *db, struct arena *a, const struct catalog_key *key,
                                   int64_t before, int64_t limit,
                                   struct glue_get_table_versions_list *ret) MUST_CHECK;
/* ST_NOT_FOUND: no archived version of this number (the current one is the table itself). */
enum status catalog_table_version(struct db *db, struct arena *a, const struct catalog_key *key,
                                  int64_t version, struct glue_table **ret) MUST_CHECK;

/* --- partitions: known by their values, one per partition key --------------------------------- */
/* ST_EXISTS. p->DatabaseName and TableName are set here. Whether the table exists and has as many
 * keys as there are values is the caller's to check. */
enum status catalog_add_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                                  struct glue_partition *p) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status catalog_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                              const struct glue_value_string_list *values,
                              struct glue_partition **ret) MUST_CHECK;
/* Replaces the partition of these values, whose values may become others (`p`). ST_NOT_FOUND;
 * ST_EXISTS: the new values are taken. */
enum status catalog_set_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                                  const struct glue_value_string_list *values,
                                  struct glue_partition *p) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status catalog_delete_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                                     const struct glue_value_string_list *values) MUST_CHECK;
/* Chooses partitions by their values, before the document is read: ST_OK with *ret_keep, or the
 * reason to end the listing with. */
struct catalog_value_filter {
    enum status (*keep)(void *arg, const struct glue_value_string_list *values, bool *ret_keep);
    void *arg;
};
/* In order of their values; page.after is what catalog_partition_token() gave. `filter` NULL: all.
 */
enum status catalog_partitions(struct db *db, struct arena *a, const struct catalog_key *key,
                               struct catalog_page page, const struct catalog_value_filter *filter,
                               struct glue_partition_list *ret) MUST_CHECK;
/* Where a listing that ended with these values goes on. */
struct str catalog_partition_token(struct arena *a, const struct glue_value_string_list *values);

/* --- partition indexes ------------------------------------------------------------------------ */
/* ST_EXISTS. `keys`: names of partition keys. */
enum status catalog_add_index(struct db *db, struct arena *a, const struct catalog_key *key,
                              struct str label, const struct glue_key_list *keys) MUST_CHECK;
/* In order of their names. */
struct catalog_index {
    struct str label;
    struct str *keys;
    size_t n_keys;
};
enum status catalog_indexes(struct db *db, struct arena *a, const struct catalog_key *key,
                            struct catalog_index **ret, size_t *ret_n) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status catalog_delete_index(struct db *db, struct arena *a, const struct catalog_key *key,
                                 struct str label) MUST_CHECK;

/* --- connections: names keep their case ------------------------------------------------------- */
/* ST_EXISTS. */
enum status catalog_add_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_connection *connection) MUST_CHECK;
/* ST_NOT_FOUND. With its password. */
enum status catalog_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct glue_connection **ret) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status catalog_set_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_connection *connection) MUST_CHECK;
enum status catalog_connections(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct catalog_page page,
                                struct glue_connection_list *ret) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status catalog_delete_connection(struct db *db, const struct glue_owner *o,
                                      struct str name) MUST_CHECK;

#endif
