/* What the catalog's handlers share: whose catalog is meant, the usual errors in AWS's words,
 * paging. Any thread that may use the call. */
#ifndef CISTERN_GLUE_CATALOG_COMMON_H
#define CISTERN_GLUE_CATALOG_COMMON_H

#include "emulators/glue/catalog/catalog_store.h"
#include "server/http/call.h"

/* Limits by name; AWS's. */
#define CATALOG_NAME_MAX 255
#define CATALOG_DESCRIPTION_MAX 2048
#define CATALOG_BATCH_CREATE_MAX 100
#define CATALOG_BATCH_DELETE_MAX 25

/* Why an item of a batch, or the one thing of a call, was refused. */
struct catalog_problem {
    const struct aws_error *error;
    struct str text;
};
/* Fills *ret and returns ST_AWS. The text lives in the arena. */
enum status catalog_refuse(struct arena *a, struct catalog_problem *ret,
                           const struct aws_error *error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A handler's end: ST_AWS with a problem becomes the call's failure, the rest as call_status(). */
enum status catalog_end(struct call *c, enum status st,
                        const struct catalog_problem *problem) MUST_CHECK;
/* The same for an item of a batch's answer. */
struct glue_error_detail *catalog_error_detail(struct arena *a,
                                               const struct catalog_problem *problem);

/* The owner of the catalog that CatalogId names: absent or the caller's account. Another account's
 * fails with AccessDeniedException, a catalog of another kind with EntityNotFoundException. */
enum status catalog_owner(struct call *c, struct str catalog_id, struct glue_owner *ret) MUST_CHECK;
/* Owner, database and table in one. The names are folded. */
enum status catalog_key_of(struct call *c, struct str catalog_id, struct str database,
                           struct str table, struct catalog_key *ret) MUST_CHECK;
/* Fails the call with "Database x not found." when there is none. */
enum status catalog_require_database(struct call *c, const struct catalog_key *key) MUST_CHECK;
/* The key and the table, or the call failed: the database or the table isn't there. */
enum status catalog_open_table(struct call *c, struct str catalog_id, struct str database,
                               struct str table, struct catalog_key *ret_key,
                               struct glue_table **ret) MUST_CHECK;
/* The three names of most requests. */
#define CATALOG_TABLE_OF(in) (in)->CatalogId, (in)->DatabaseName, (in)->TableName
/* A new name: 1 to 255 bytes without control characters. `member` as AWS names it
 * ("databaseInput.name"). */
enum status catalog_check_name(struct call *c, const char *member, struct str name) MUST_CHECK;
/* Text of at most `max` bytes. */
enum status catalog_check_text(struct call *c, const char *member, struct str text,
                               size_t max) MUST_CHECK;
/* A list of `n` items of which 1 to `max` are allowed. */
enum status catalog_check_count(struct call *c, const char *member, size_t n,
                                size_t max) MUST_CHECK;
/* Members that would promise something that isn't there: the first with `used` fails the call with
 * NotImplemented. Ends with a NULL name. */
struct catalog_missing {
    const char *name;
    bool used;
};
enum status catalog_refuse_missing(struct call *c, const struct catalog_missing *m) MUST_CHECK;

/* --- paging: tokens are opaque; a bad one is InvalidInputException ---------------------------- */
enum status catalog_page_of(struct call *c, struct str token, struct opt_i64 max, int64_t most,
                            struct catalog_page *ret) MUST_CHECK;
struct str catalog_token(struct arena *a, struct str last);

/* The caller, for CreatedBy and LastUpdatedBy. */
struct str catalog_caller(struct call *c);
/* What CreateTable and UpdateTable make of their input: a table as Glue answers it, its text
 * defaults filled in. `now_ms` becomes UpdateTime, and CreateTime unless `old` (may be NULL) has
 * one. Pointers go into `in`. */
struct glue_table *catalog_table_from(struct arena *a, const struct glue_table_input *in,
                                      const struct catalog_key *key, const struct glue_table *old,
                                      int64_t now_ms);
/* CreateTableDefaultPermissions of a database that says nothing of them. */
struct glue_principal_permissions_list catalog_default_permissions(struct arena *a);
/* Defaults of a storage descriptor that AWS answers though nobody sent them. NULL is fine. */
void catalog_fill_storage(struct arena *a, struct glue_storage_descriptor *s);
/* Checks a table's partition index and adds it. */
enum status catalog_create_index(struct call *c, const struct catalog_key *key,
                                 const struct glue_table *table,
                                 const struct glue_partition_index *index) MUST_CHECK;

#endif
