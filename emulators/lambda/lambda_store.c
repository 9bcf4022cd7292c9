#include "emulators/lambda/lambda_store.h"

#include "server/store/db_read.h"

const char lambda_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS lambda_function("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " runtime TEXT NOT NULL, role TEXT NOT NULL, handler TEXT NOT NULL, description TEXT NOT NULL,"
    " timeout_s INTEGER NOT NULL, memory_mb INTEGER NOT NULL, ephemeral_mb INTEGER NOT NULL,"
    " env TEXT, architecture TEXT NOT NULL, tracing TEXT NOT NULL, log_group TEXT NOT NULL,"
    " subnets TEXT, security_groups TEXT, code_sha256 TEXT NOT NULL, code_dir TEXT NOT NULL,"
    " code_size INTEGER NOT NULL, workdir TEXT, modified_ms INTEGER NOT NULL,"
    " revision TEXT NOT NULL, reserved INTEGER NOT NULL,"
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS lambda_permission("
    " id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " sid TEXT NOT NULL, statement TEXT NOT NULL, principal TEXT NOT NULL, action TEXT NOT NULL,"
    " source_arn TEXT, source_account TEXT, conditions INTEGER NOT NULL,"
    " UNIQUE(account, region, name, sid));"
    "CREATE TABLE IF NOT EXISTS lambda_tag("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(account, region, name, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS lambda_async("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " retries INTEGER NOT NULL, max_age_s INTEGER NOT NULL, modified_ms INTEGER NOT NULL,"
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;";

#define KEY_IS " account=? AND region=? AND name=?"
#define KEY(key) bs((key)->account), bs((key)->region), bs((key)->name)

/* --- functions -------------------------------------------------------------------------------- */
enum status lambda_store_add(struct db *db, const struct lambda_row *r)
{
    return db_exec(
        db, "INSERT INTO lambda_function VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        KEY(&r->key), bs(r->runtime), bs(r->role), bs(r->handler), bs(r->description),
        bi(r->timeout_s), bi(r->memory_mb), bi(r->ephemeral_mb), bs(r->env), bs(r->architecture),
        bs(r->tracing), bs(r->log_group), bs(r->subnets), bs(r->security_groups),
        bs(r->code_sha256), bs(r->code_dir), bi(r->code_size), bs(r->workdir), bi(r->modified_ms),
        bs(r->revision), bi(r->reserved));
}

#define ROW_COLUMNS                                                                          \
    "account,region,name,runtime,role,handler,description,timeout_s,memory_mb,ephemeral_mb," \
    "env,architecture,tracing,log_group,subnets,security_groups,code_sha256,code_dir,"       \
    "code_size,workdir,modified_ms,revision,reserved"

static enum status read_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct lambda_row *)ret = (struct lambda_row){
        .key = { rows_str(q, a, 0), rows_str(q, a, 1), rows_str(q, a, 2) },
        .runtime = rows_str(q, a, 3),
        .role = rows_str(q, a, 4),
        .handler = rows_str(q, a, 5),
        .description = rows_str(q, a, 6),
        .timeout_s = rows_i64(q, 7),
        .memory_mb = rows_i64(q, 8),
        .ephemeral_mb = rows_i64(q, 9),
        .env = rows_str(q, a, 10),
        .architecture = rows_str(q, a, 11),
        .tracing = rows_str(q, a, 12),
        .log_group = rows_str(q, a, 13),
        .subnets = rows_str(q, a, 14),
        .security_groups = rows_str(q, a, 15),
        .code_sha256 = rows_str(q, a, 16),
        .code_dir = rows_str(q, a, 17),
        .code_size = rows_i64(q, 18),
        .workdir = rows_str(q, a, 19),
        .modified_ms = rows_i64(q, 20),
        .revision = rows_str(q, a, 21),
        .reserved = rows_i64(q, 22),
    };
    return ST_OK;
}

enum status lambda_store_find(struct db *db, struct arena *a, const struct lambda_key *key,
                              struct lambda_row *ret)
{
    return db_read(db, ONE_ROW(a, read_row, ret),
                   "SELECT " ROW_COLUMNS " FROM lambda_function WHERE" KEY_IS, KEY(key));
}

enum status lambda_store_update(struct db *db, const struct lambda_row *r)
{
    return db_change(
        db,
        "UPDATE lambda_function SET runtime=?,role=?,handler=?,description=?,timeout_s=?,"
        "memory_mb=?,ephemeral_mb=?,env=?,architecture=?,tracing=?,log_group=?,subnets=?,"
        "security_groups=?,code_sha256=?,code_dir=?,code_size=?,workdir=?,modified_ms=?,"
        "revision=?,reserved=? WHERE" KEY_IS,
        bs(r->runtime), bs(r->role), bs(r->handler), bs(r->description), bi(r->timeout_s),
        bi(r->memory_mb), bi(r->ephemeral_mb), bs(r->env), bs(r->architecture), bs(r->tracing),
        bs(r->log_group), bs(r->subnets), bs(r->security_groups), bs(r->code_sha256),
        bs(r->code_dir), bi(r->code_size), bs(r->workdir), bi(r->modified_ms), bs(r->revision),
        bi(r->reserved), KEY(&r->key));
}

enum status lambda_store_delete(struct db *db, const struct lambda_key *key)
{
    static const char *const all[] = {
        "DELETE FROM lambda_permission WHERE" KEY_IS,
        "DELETE FROM lambda_tag WHERE" KEY_IS,
        "DELETE FROM lambda_async WHERE" KEY_IS,
        "DELETE FROM lambda_function WHERE" KEY_IS,
        NULL,
    };
    return db_change_all(db, all, KEY(key));
}

enum status lambda_store_list(struct db *db, struct arena *a, const struct lambda_key *where,
                              int64_t max, struct lambda_row **ret, size_t *ret_n)
{
    return db_read(
        db, ALL_ROWS(a, read_row, ret, ret_n),
        "SELECT " ROW_COLUMNS
        " FROM lambda_function WHERE account=? AND region=? AND name>? ORDER BY name LIMIT ?",
        bs(where->account), bs(where->region), bs_or_empty(where->name), bi(max));
}

enum status lambda_store_uses_code(struct db *db, struct str account, struct str name,
                                   struct str code_dir, bool *ret)
{
    int64_t n = 0;
    enum status st = db_get_i64(
        db, &n, "SELECT count(*) FROM lambda_function WHERE account=? AND name=? AND code_dir=?",
        bs(account), bs(name), bs(code_dir));
    *ret = n > 0;
    return st;
}

/* --- permissions ------------------------------------------------------------------------------ */
enum status lambda_store_add_statement(struct db *db, const struct lambda_key *key,
                                       const struct lambda_statement *s)
{
    return db_exec(db,
                   "INSERT INTO lambda_permission(account,region,name,sid,statement,principal,"
                   "action,source_arn,source_account,conditions) VALUES(?,?,?,?,?,?,?,?,?,?)",
                   KEY(key), bs(s->sid), bs(s->text), bs(s->grant.principal), bs(s->grant.action),
                   bs(s->grant.source_arn), bs(s->grant.source_account),
                   bi(s->grant.other_conditions));
}

enum status lambda_store_delete_statement(struct db *db, const struct lambda_key *key,
                                          struct str sid)
{
    return db_change(db, "DELETE FROM lambda_permission WHERE" KEY_IS " AND sid=?", KEY(key),
                     bs(sid));
}

static enum status read_statement(struct rows *q, struct arena *a, void *ret)
{
    *(struct lambda_statement *)ret = (struct lambda_statement){
        .sid = rows_str(q, a, 0),
        .text = rows_str(q, a, 1),
        .grant = { .principal = rows_str(q, a, 2),
                   .action = rows_str(q, a, 3),
                   .source_arn = rows_str(q, a, 4),
                   .source_account = rows_str(q, a, 5),
                   .other_conditions = rows_i64(q, 6) != 0 },
    };
    return ST_OK;
}

enum status lambda_store_statements(struct db *db, struct arena *a, const struct lambda_key *key,
                                    struct lambda_statement **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, read_statement, ret, ret_n),
                   "SELECT sid,statement,principal,action,source_arn,source_account,conditions"
                   " FROM lambda_permission WHERE" KEY_IS " ORDER BY id",
                   KEY(key));
}

/* --- tags ------------------------------------------------------------------------------------- */
enum status lambda_store_tag(struct db *db, const struct lambda_key *key,
                             const struct lambda_tags *tags)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < tags->n && st == ST_OK; i++) {
        st = db_exec(db, "INSERT OR REPLACE INTO lambda_tag VALUES(?,?,?,?,?)", KEY(key),
                     bs(tags->v[i].key), bs(tags->v[i].value));
    }
    return st;
}

enum status lambda_store_untag(struct db *db, const struct lambda_key *key, struct str tag)
{
    return db_exec(db, "DELETE FROM lambda_tag WHERE" KEY_IS " AND key=?", KEY(key), bs(tag));
}

enum status lambda_store_tags(struct db *db, struct arena *a, const struct lambda_key *key,
                              struct lambda_tags *ret)
{
    return db_read(db, ALL_TEXTS(a, &ret->v, &ret->n),
                   "SELECT key,value FROM lambda_tag WHERE" KEY_IS " ORDER BY key", KEY(key));
}

/* --- asynchronous invocation ------------------------------------------------------------------ */
static enum status read_async(struct rows *q, struct arena *a, void *ret)
{
    (void)a;
    *(struct lambda_async *)ret =
        (struct lambda_async){ rows_i64(q, 0), rows_i64(q, 1), rows_i64(q, 2) };
    return ST_OK;
}

enum status lambda_store_async(struct db *db, const struct lambda_key *key,
                               struct lambda_async *ret)
{
    *ret = (struct lambda_async){ -1, -1, 0 };
    return db_read(db, ONE_ROW(NULL, read_async, ret),
                   "SELECT retries,max_age_s,modified_ms FROM lambda_async WHERE" KEY_IS, KEY(key));
}

enum status lambda_store_set_async(struct db *db, const struct lambda_key *key,
                                   const struct lambda_async *async)
{
    return db_exec(db, "INSERT OR REPLACE INTO lambda_async VALUES(?,?,?,?,?,?)", KEY(key),
                   bi(async->retries), bi(async->max_age_s), bi(async->modified_ms));
}

enum status lambda_store_delete_async(struct db *db, const struct lambda_key *key)
{
    return db_change(db, "DELETE FROM lambda_async WHERE" KEY_IS, KEY(key));
}
