/* The tables of Lambda: functions, permissions, tags, settings of asynchronous invocations. The
 * only SQL of the service. Core thread; strings live in the arena given. */
#ifndef CISTERN_LAMBDA_STORE_H
#define CISTERN_LAMBDA_STORE_H

#include <stdbool.h>

#include "emulators/lambda/lambda_model.h"
#include "emulators/lambda/lambda_name.h"
#include "emulators/lambda/lambda_policy.h"
#include "server/base/arena.h"
#include "server/store/db.h"

extern const char lambda_schema_sql[];

/* One function as stored. */
struct lambda_row {
    struct lambda_key key;
    struct str runtime, role, handler;
    struct str description;
    int64_t timeout_s, memory_mb, ephemeral_mb;
    struct str env;          /* {"NAME":"value"}, absent: none given */
    struct str architecture; /* x86_64, arm64 */
    struct str tracing;      /* PassThrough, Active */
    struct str log_group;
    struct str subnets, security_groups; /* ids with ',' between; absent: no VpcConfig */
    struct str code_sha256;              /* base64 */
    struct str code_dir;                 /* folder's name: the digest in hex */
    int64_t code_size;
    struct str workdir; /* registered executables: where they run; else absent */
    int64_t modified_ms;
    struct str revision;
    int64_t reserved; /* concurrency; -1: none reserved */
};

/* ST_EXISTS: there is one of that name. */
enum status lambda_store_add(struct db *db, const struct lambda_row *row) MUST_CHECK;
enum status lambda_store_find(struct db *db, struct arena *a, const struct lambda_key *key,
                              struct lambda_row *ret) MUST_CHECK;
/* All columns but the key. */
enum status lambda_store_update(struct db *db, const struct lambda_row *row) MUST_CHECK;
/* With all that hangs on it. */
enum status lambda_store_delete(struct db *db, const struct lambda_key *key) MUST_CHECK;
/* At most `max` functions by name, after `marker` (absent: from the start). */
enum status lambda_store_list(struct db *db, struct arena *a, const struct lambda_key *where,
                              int64_t max, struct lambda_row **ret, size_t *ret_n) MUST_CHECK;
/* Does any function of this account and name (in whichever region) use this code folder? */
enum status lambda_store_uses_code(struct db *db, struct str account, struct str name,
                                   struct str code_dir, bool *ret) MUST_CHECK;

/* --- permissions ------------------------------------------------------------------------------ */
struct lambda_statement {
    struct str sid;
    struct str text; /* the statement as JSON */
    struct lambda_grant grant;
};
/* ST_EXISTS: the Sid is taken. */
enum status lambda_store_add_statement(struct db *db, const struct lambda_key *key,
                                       const struct lambda_statement *s) MUST_CHECK;
enum status lambda_store_delete_statement(struct db *db, const struct lambda_key *key,
                                          struct str sid) MUST_CHECK;
/* In the order in which they were added. */
enum status lambda_store_statements(struct db *db, struct arena *a, const struct lambda_key *key,
                                    struct lambda_statement **ret, size_t *ret_n) MUST_CHECK;

/* --- tags ------------------------------------------------------------------------------------- */
enum status lambda_store_tag(struct db *db, const struct lambda_key *key,
                             const struct lambda_tags *tags) MUST_CHECK;
enum status lambda_store_untag(struct db *db, const struct lambda_key *key,
                               struct str tag) MUST_CHECK;
enum status lambda_store_tags(struct db *db, struct arena *a, const struct lambda_key *key,
                              struct lambda_tags *ret) MUST_CHECK;

/* --- asynchronous invocation ------------------------------------------------------------------ */
struct lambda_async {
    int64_t retries;   /* -1: not set */
    int64_t max_age_s; /* -1: not set */
    int64_t modified_ms;
};
/* ST_NOT_FOUND: nothing was set; *ret then holds -1, -1. */
enum status lambda_store_async(struct db *db, const struct lambda_key *key,
                               struct lambda_async *ret) MUST_CHECK;
enum status lambda_store_set_async(struct db *db, const struct lambda_key *key,
                                   const struct lambda_async *async) MUST_CHECK;
enum status lambda_store_delete_async(struct db *db, const struct lambda_key *key) MUST_CHECK;

#endif
