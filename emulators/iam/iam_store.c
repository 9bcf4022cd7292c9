#include "emulators/iam/iam_store.h"

#include "server/base/mem.h"

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
static struct str marker_of(const struct iam_page *page)
{
    return str_set(page->marker) ? page->marker : STR("");
}
static enum status found(struct db *db)
{
    return db_changes(db) > 0 ? ST_OK : ST_NOT_FOUND;
}

/* --- roles -------------------------------------------------------------------------------------
 */
enum status iam_store_add_role(struct db *db, struct str account, const struct iam_role *r)
{
    return db_exec(db, "INSERT INTO iam_role VALUES(?,?,?,?,?,?,?,?,?,?)", bs(account),
                   bs(r->RoleName), bs(r->Path), bs(r->RoleId), bs(r->Arn),
                   bs(r->AssumeRolePolicyDocument), bs(r->Description), bi(r->MaxSessionDuration.v),
                   r->PermissionsBoundary ? bs(r->PermissionsBoundary->PermissionsBoundaryArn)
                                          : bn(),
                   bi(r->CreateDate.ms));
}

#define ROLE_COLUMNS "name,path,id,arn,trust,description,max_session,boundary,created_ms"

static struct iam_role role_row(struct rows *q, struct arena *a)
{
    struct iam_role r = {
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
        r.PermissionsBoundary = ARENA_NEW(a, struct iam_attached_permissions_boundary);
        r.PermissionsBoundary->PermissionsBoundaryType = STR("Policy");
        r.PermissionsBoundary->PermissionsBoundaryArn = boundary;
    }
    return r;
}

enum status iam_store_role(struct db *db, struct arena *a, struct str account, struct str name,
                           struct iam_role *ret)
{
    struct rows q;
    bool any = false;
    if (db_query(db, &q, "SELECT " ROLE_COLUMNS " FROM iam_role WHERE account=? AND name=?",
                 bs(account), bs(name)) == ST_OK &&
        rows_next(&q)) {
        *ret = role_row(&q, a);
        any = true;
    }
    enum status st = rows_end(&q);
    return st != ST_OK ? st : any ? ST_OK : ST_NOT_FOUND;
}

enum status iam_store_roles(struct db *db, struct arena *a, struct str account,
                            const struct iam_page *page, struct iam_role_list_type *ret)
{
    struct rows q;
    *ret = (struct iam_role_list_type){ 0, ARENA_ARRAY(a, struct iam_role, 1) };
    if (db_query(db, &q,
                 "SELECT " ROLE_COLUMNS " FROM iam_role WHERE account=? AND name>?"
                 " AND substr(path,1,length(?3))=?3 ORDER BY name LIMIT ?4",
                 bs(account), bs(marker_of(page)), bs(prefix_of(page)),
                 bi(page->max + 1)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = role_row(&q, a);
        }
    }
    return rows_end(&q);
}

enum status iam_store_update_role(struct db *db, struct str account, const struct iam_role *r)
{
    enum status st = db_exec(
        db, "UPDATE iam_role SET trust=?, description=?, max_session=? WHERE account=? AND name=?",
        bs(r->AssumeRolePolicyDocument), bs(r->Description), bi(r->MaxSessionDuration.v),
        bs(account), bs(r->RoleName));
    return st == ST_OK ? found(db) : st;
}

enum status iam_store_delete_role(struct db *db, struct str account, struct str name)
{
    enum status st =
        db_exec(db, "DELETE FROM iam_role_tag WHERE account=? AND role=?", bs(account), bs(name));
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM iam_role WHERE account=? AND name=?", bs(account), bs(name));
    }
    return st == ST_OK ? found(db) : st;
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
    struct rows q;
    *ret = (struct iam_tag_list_type){ 0, ARENA_ARRAY(a, struct iam_tag, 1) };
    if (db_query(db, &q,
                 "SELECT key,value FROM iam_role_tag WHERE account=? AND role=? ORDER BY key",
                 bs(account), bs(role)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = (struct iam_tag){ rows_str(&q, a, 0), rows_str(&q, a, 1) };
        }
    }
    return rows_end(&q);
}

/* --- inline policies ---------------------------------------------------------------------------
 */
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
    struct rows q;
    *ret = (struct iam_policy_name_list_type){ 0, ARENA_ARRAY(a, struct str, 1) };
    if (db_query(db, &q,
                 "SELECT name FROM iam_inline WHERE account=? AND role=? AND name>?"
                 " ORDER BY name LIMIT ?",
                 bs(account), bs(role), bs(marker_of(page)), bi(page->max + 1)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = rows_str(&q, a, 0);
        }
    }
    return rows_end(&q);
}

enum status iam_store_delete_inline(struct db *db, struct str account, struct str role,
                                    struct str name)
{
    enum status st = db_exec(db, "DELETE FROM iam_inline WHERE account=? AND role=? AND name=?",
                             bs(account), bs(role), bs(name));
    return st == ST_OK ? found(db) : st;
}

/* --- attachments -------------------------------------------------------------------------------
 */
enum status iam_store_attach(struct db *db, struct str account, struct str role,
                             struct str policy_arn)
{
    return db_exec(db, "INSERT OR IGNORE INTO iam_attached VALUES(?,?,?)", bs(account), bs(role),
                   bs(policy_arn));
}

enum status iam_store_detach(struct db *db, struct str account, struct str role,
                             struct str policy_arn)
{
    enum status st = db_exec(db, "DELETE FROM iam_attached WHERE account=? AND role=? AND arn=?",
                             bs(account), bs(role), bs(policy_arn));
    return st == ST_OK ? found(db) : st;
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

enum status iam_store_attached(struct db *db, struct arena *a, struct str account, struct str role,
                               const struct iam_page *page,
                               struct iam_attached_policies_list_type *ret)
{
    struct rows q;
    *ret = (struct iam_attached_policies_list_type){ 0, ARENA_ARRAY(a, struct iam_attached_policy,
                                                                    1) };
    if (db_query(db, &q,
                 "SELECT arn FROM iam_attached WHERE account=? AND role=? AND arn>?"
                 " ORDER BY arn LIMIT ?",
                 bs(account), bs(role), bs(marker_of(page)), bi(page->max + 1)) == ST_OK) {
        while (rows_next(&q)) {
            struct str arn = rows_str(&q, a, 0);
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = (struct iam_attached_policy){ last_part(arn), arn };
        }
    }
    return rows_end(&q);
}

/* --- managed policies --------------------------------------------------------------------------
 */
enum status iam_store_add_policy(struct db *db, struct str account, const struct iam_policy *p,
                                 struct str document)
{
    return db_exec(db, "INSERT INTO iam_policy VALUES(?,?,?,?,?,?,?,?)", bs(p->Arn), bs(account),
                   bs(p->PolicyName), bs(p->Path), bs(p->PolicyId), bs(p->Description),
                   bs(document), bi(p->CreateDate.ms));
}

#define POLICY_COLUMNS                                  \
    "arn,name,path,id,description,created_ms,document," \
    "(SELECT count(*) FROM iam_attached t WHERE t.arn=iam_policy.arn)"

static struct iam_policy policy_row(struct rows *q, struct arena *a)
{
    return (struct iam_policy){
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
        .AttachmentCount = OPT_I64(rows_i64(q, 7)),
    };
}

enum status iam_store_policy(struct db *db, struct arena *a, struct str arn, struct iam_policy *ret,
                             struct str *ret_document)
{
    struct rows q;
    bool any = false;
    if (db_query(db, &q, "SELECT " POLICY_COLUMNS " FROM iam_policy WHERE arn=?", bs(arn)) ==
            ST_OK &&
        rows_next(&q)) {
        *ret = policy_row(&q, a);
        *ret_document = rows_str(&q, a, 6);
        any = true;
    }
    enum status st = rows_end(&q);
    return st != ST_OK ? st : any ? ST_OK : ST_NOT_FOUND;
}

enum status iam_store_policies(struct db *db, struct arena *a, struct str account,
                               const struct iam_page *page, struct iam_policy_list_type *ret)
{
    struct rows q;
    *ret = (struct iam_policy_list_type){ 0, ARENA_ARRAY(a, struct iam_policy, 1) };
    if (db_query(db, &q,
                 "SELECT " POLICY_COLUMNS " FROM iam_policy WHERE account=? AND name>?"
                 " AND substr(path,1,length(?3))=?3 ORDER BY name LIMIT ?4",
                 bs(account), bs(marker_of(page)), bs(prefix_of(page)),
                 bi(page->max + 1)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = policy_row(&q, a);
        }
    }
    return rows_end(&q);
}

enum status iam_store_delete_policy(struct db *db, struct str arn)
{
    enum status st = db_exec(db, "DELETE FROM iam_policy WHERE arn=?", bs(arn));
    return st == ST_OK ? found(db) : st;
}
