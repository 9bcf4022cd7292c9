#include "emulators/iam/iam_store.h"

#include "server/store/db_read.h"

const char iam_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS iam_role("
    " account TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, id TEXT NOT NULL,"
    " arn TEXT NOT NULL, trust TEXT NOT NULL, description TEXT, max_session INTEGER NOT NULL,"
    " boundary TEXT, created_ms INTEGER NOT NULL, PRIMARY KEY(account, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS iam_role_tag("
    " account TEXT NOT NULL, role TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(account, role, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS iam_inline("
    " account TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,"
    " PRIMARY KEY(account, role, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS iam_attached("
    " account TEXT NOT NULL, role TEXT NOT NULL, arn TEXT NOT NULL,"
    " PRIMARY KEY(account, role, arn)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS iam_attached_arn ON iam_attached(arn);"
    "CREATE TABLE IF NOT EXISTS iam_policy("
    " arn TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,"
    " id TEXT NOT NULL, description TEXT, document TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    " UNIQUE(account, name)) WITHOUT ROWID;";

static struct str prefix_of(const struct iam_page *page)
{
    return str_set(page->path_prefix) ? page->path_prefix : STR("/");
}

/* --- roles ------------------------------------------------------------------------------------ */
enum status iam_store_add_role(struct db *db, struct str account, const struct iam_role *r)
{
    return db_exec(db, "INSERT INTO iam_role VALUES(?,?,?,?,?,?,?,?,?,?)", bs(account),
                   bs(r->RoleName), bs(r->Path), bs(r->RoleId), bs(r->Arn),
                   bs(r->AssumeRolePolicyDocument), bs(r->Description), bi(r->MaxSessionDuration.v),
                   r->PermissionsBoundary ? bs(r->PermissionsBoundary->PermissionsBoundaryArn)
                                          : bn(),
                   bi(r->CreateDate.ms));
}

/* A page of what has an account, a name and a path. */
#define PAGE_BY_NAME " account=? AND name>? AND substr(path,1,length(?3))=?3 ORDER BY name LIMIT ?4"
#define PAGE_BINDS(account, page) \
    bs(account), bs_or_empty((page)->marker), bs(prefix_of(page)), bi((page)->max + 1)

#define ROLE_COLUMNS "name,path,id,arn,trust,description,max_session,boundary,created_ms"

static enum status role_row(struct rows *q, struct arena *a, void *ret)
{
    struct iam_role *r = ret;
    *r = (struct iam_role){
        .RoleName = rows_str(q, a, 0),
        .Path = rows_str(q, a, 1),
        .RoleId = rows_str(q, a, 2),
        .Arn = rows_str(q, a, 3),
        .AssumeRolePolicyDocument = rows_str(q, a, 4),
        .Description = rows_str(q, a, 5),
        .MaxSessionDuration = OPT_I64(rows_i64(q, 6)),
        .CreateDate = OPT_TIME(rows_i64(q, 8)),
    };
    struct str boundary = rows_str(q, a, 7);
    if (str_set(boundary)) {
        r->PermissionsBoundary = ARENA_NEW(a, struct iam_attached_permissions_boundary);
        r->PermissionsBoundary->PermissionsBoundaryType = STR("Policy");
        r->PermissionsBoundary->PermissionsBoundaryArn = boundary;
    }
    return ST_OK;
}

enum status iam_store_role(struct db *db, struct arena *a, struct str account, struct str name,
                           struct iam_role *ret)
{
    return db_read(db, ONE_ROW(a, role_row, ret),
                   "SELECT " ROLE_COLUMNS " FROM iam_role WHERE account=? AND name=?", bs(account),
                   bs(name));
}

enum status iam_store_roles(struct db *db, struct arena *a, struct str account,
                            const struct iam_page *page, struct iam_role_list_type *ret)
{
    return db_read(db, ALL_ROWS(a, role_row, &ret->v, &ret->n),
                   "SELECT " ROLE_COLUMNS " FROM iam_role WHERE" PAGE_BY_NAME,
                   PAGE_BINDS(account, page));
}

enum status iam_store_update_role(struct db *db, struct str account, const struct iam_role *r)
{
    return db_change(
        db, "UPDATE iam_role SET trust=?, description=?, max_session=? WHERE account=? AND name=?",
        bs(r->AssumeRolePolicyDocument), bs(r->Description), bi(r->MaxSessionDuration.v),
        bs(account), bs(r->RoleName));
}

enum status iam_store_delete_role(struct db *db, struct str account, struct str name)
{
    static const char *const all[] = {
        "DELETE FROM iam_role_tag WHERE account=? AND role=?",
        "DELETE FROM iam_role WHERE account=? AND name=?",
        NULL,
    };
    return db_change_all(db, all, bs(account), bs(name));
}

enum status iam_store_role_policy_count(struct db *db, struct str account, struct str role,
                                        int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT (SELECT count(*) FROM iam_inline WHERE account=?1 AND role=?2) +"
                      " (SELECT count(*) FROM iam_attached WHERE account=?1 AND role=?2)",
                      bs(account), bs(role));
}

enum status iam_store_tag_role(struct db *db, struct str account, struct str role,
                               const struct iam_tag_list_type *tags)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < tags->n && st == ST_OK; i++) {
        st = db_exec(db, "INSERT OR REPLACE INTO iam_role_tag VALUES(?,?,?,?)", bs(account),
                     bs(role), bs(tags->v[i].Key), bs(tags->v[i].Value));
    }
    return st;
}

enum status iam_store_untag_role(struct db *db, struct str account, struct str role, struct str key)
{
    return db_exec(db, "DELETE FROM iam_role_tag WHERE account=? AND role=? AND key=?", bs(account),
                   bs(role), bs(key));
}

enum status iam_store_role_tags(struct db *db, struct arena *a, struct str account, struct str role,
                                struct iam_tag_list_type *ret)
{
    return db_read(db, ALL_TEXTS(a, &ret->v, &ret->n),
                   "SELECT key,value FROM iam_role_tag WHERE account=? AND role=? ORDER BY key",
                   bs(account), bs(role));
}

/* --- inline policies -------------------------------------------------------------------------- */
enum status iam_store_put_inline(struct db *db, struct str account, struct str role,
                                 struct str name, struct str document)
{
    return db_exec(db, "INSERT OR REPLACE INTO iam_inline VALUES(?,?,?,?)", bs(account), bs(role),
                   bs(name), bs(document));
}

enum status iam_store_inline(struct db *db, struct arena *a, struct str account, struct str role,
                             struct str name, struct str *ret_document)
{
    return db_get_str(db, a, ret_document,
                      "SELECT document FROM iam_inline WHERE account=? AND role=? AND name=?",
                      bs(account), bs(role), bs(name));
}

enum status iam_store_inlines(struct db *db, struct arena *a, struct str account, struct str role,
                              const struct iam_page *page, struct iam_policy_name_list_type *ret)
{
    return db_read(db, ALL_TEXTS(a, &ret->v, &ret->n),
                   "SELECT name FROM iam_inline WHERE account=? AND role=? AND name>?"
                   " ORDER BY name LIMIT ?",
                   bs(account), bs(role), bs_or_empty(page->marker), bi(page->max + 1));
}

enum status iam_store_delete_inline(struct db *db, struct str account, struct str role,
                                    struct str name)
{
    return db_change(db, "DELETE FROM iam_inline WHERE account=? AND role=? AND name=?",
                     bs(account), bs(role), bs(name));
}

/* --- attachments ------------------------------------------------------------------------------ */
enum status iam_store_attach(struct db *db, struct str account, struct str role,
                             struct str policy_arn)
{
    return db_exec(db, "INSERT OR IGNORE INTO iam_attached VALUES(?,?,?)", bs(account), bs(role),
                   bs(policy_arn));
}

enum status iam_store_detach(struct db *db, struct str account, struct str role,
                             struct str policy_arn)
{
    return db_change(db, "DELETE FROM iam_attached WHERE account=? AND role=? AND arn=?",
                     bs(account), bs(role), bs(policy_arn));
}

/* "arn:aws:iam::aws:policy/service-role/X" → "X" */
static struct str last_part(struct str arn)
{
    size_t from = arn.n;
    while (from > 0 && arn.p[from - 1] != '/') {
        from--;
    }
    return str_sub(arn, from, arn.n);
}

static enum status attached_row(struct rows *q, struct arena *a, void *ret)
{
    struct str arn = rows_str(q, a, 0);
    *(struct iam_attached_policy *)ret = (struct iam_attached_policy){ last_part(arn), arn };
    return ST_OK;
}

enum status iam_store_attached(struct db *db, struct arena *a, struct str account, struct str role,
                               const struct iam_page *page,
                               struct iam_attached_policies_list_type *ret)
{
    return db_read(db, ALL_ROWS(a, attached_row, &ret->v, &ret->n),
                   "SELECT arn FROM iam_attached WHERE account=? AND role=? AND arn>?"
                   " ORDER BY arn LIMIT ?",
                   bs(account), bs(role), bs_or_empty(page->marker), bi(page->max + 1));
}

/* --- managed policies ------------------------------------------------------------------------- */
enum status iam_store_add_policy(struct db *db, struct str account, const struct iam_policy *p,
                                 struct str document)
{
    return db_exec(db, "INSERT INTO iam_policy VALUES(?,?,?,?,?,?,?,?)", bs(p->Arn), bs(account),
                   bs(p->PolicyName), bs(p->Path), bs(p->PolicyId), bs(p->Description),
                   bs(document), bi(p->CreateDate.ms));
}

#define POLICY_COLUMNS                         \
    "arn,name,path,id,description,created_ms," \
    "(SELECT count(*) FROM iam_attached t WHERE t.arn=iam_policy.arn)"

static enum status policy_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct iam_policy *)ret = (struct iam_policy){
        .Arn = rows_str(q, a, 0),
        .PolicyName = rows_str(q, a, 1),
        .Path = rows_str(q, a, 2),
        .PolicyId = rows_str(q, a, 3),
        .Description = rows_str(q, a, 4),
        .CreateDate = OPT_TIME(rows_i64(q, 5)),
        .UpdateDate = OPT_TIME(rows_i64(q, 5)),
        .DefaultVersionId = STR("v1"),
        .IsAttachable = OPT_BOOL(true),
        .PermissionsBoundaryUsageCount = OPT_I64(0),
        .AttachmentCount = OPT_I64(rows_i64(q, 6)),
    };
    return ST_OK;
}

enum status iam_store_policy(struct db *db, struct arena *a, struct str arn, struct iam_policy *ret,
                             struct str *ret_document)
{
    enum status st = db_read(db, ONE_ROW(a, policy_row, ret),
                             "SELECT " POLICY_COLUMNS " FROM iam_policy WHERE arn=?", bs(arn));
    return st == ST_OK ? db_get_str(db, a, ret_document,
                                    "SELECT document FROM iam_policy WHERE arn=?", bs(arn))
                       : st;
}

enum status iam_store_policies(struct db *db, struct arena *a, struct str account,
                               const struct iam_page *page, struct iam_policy_list_type *ret)
{
    return db_read(db, ALL_ROWS(a, policy_row, &ret->v, &ret->n),
                   "SELECT " POLICY_COLUMNS " FROM iam_policy WHERE" PAGE_BY_NAME,
                   PAGE_BINDS(account, page));
}

enum status iam_store_delete_policy(struct db *db, struct str arn)
{
    return db_change(db, "DELETE FROM iam_policy WHERE arn=?", bs(arn));
}
