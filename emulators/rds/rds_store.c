#include "emulators/rds/rds_store.h"

#include "server/store/db_read.h"

const char rds_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS rds_instance("
    " id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " engine TEXT NOT NULL, port INTEGER NOT NULL, attached TEXT, source TEXT, setup TEXT, doc "
    "TEXT NOT NULL,"
    " UNIQUE(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rds_snapshot("
    " id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " engine TEXT NOT NULL, doc TEXT NOT NULL, UNIQUE(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rds_group("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL,"
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rds_setting("
    " account TEXT NOT NULL, region TEXT NOT NULL, grp TEXT NOT NULL, name TEXT NOT NULL,"
    " value TEXT NOT NULL, method TEXT NOT NULL, PRIMARY KEY(account, region, grp, name))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rds_subnets("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL,"
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rds_event("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL,"
    " type TEXT NOT NULL, source TEXT NOT NULL, arn TEXT NOT NULL, category TEXT NOT NULL,"
    " message TEXT NOT NULL, ms INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS rds_exported("
    " instance TEXT NOT NULL, log TEXT NOT NULL, bytes INTEGER NOT NULL,"
    " PRIMARY KEY(instance, log)) WITHOUT ROWID;" TAGS_SCHEMA("rds_tag");

/* --- instances -------------------------------------------------------------------------------- */
static const struct documents instances = {
    { rds_ops, RDS_N_OPS, "CreateDBInstance", "DBInstance" },
    .add = "INSERT INTO rds_instance VALUES(?,?,?,?,?,?,?,?,?,?)",
    .set = "UPDATE rds_instance SET doc=?, name=?, port=?, setup=? WHERE id=?",
};

enum status rds_store_add(struct db *db, struct arena *a, const struct rds_instance *i)
{
    return documents_add(db, a, &instances,
                         DOCUMENT_KEY(bs(i->id), OWNER(&i->owner), bs(i->name), bs(i->engine),
                                      bi(i->port), bs(i->attached), bs(i->source), bs(i->setup)),
                         i->doc);
}

enum status rds_store_update(struct db *db, struct arena *a, const struct rds_instance *i)
{
    enum status st = documents_set(
        db, a, &instances, DOCUMENT_KEY(bs(i->name), bi(i->port), bs(i->setup), bs(i->id)), i->doc);
    return st == ST_NOT_FOUND ? ST_OK : st; /* deleted meanwhile */
}

enum status rds_store_remove(struct db *db, struct str id)
{
    enum status st = db_exec(db, "DELETE FROM rds_exported WHERE instance=?", bs(id));
    return st == ST_OK ? db_exec(db, "DELETE FROM rds_instance WHERE id=?", bs(id)) : st;
}

/* --- exported logs ---------------------------------------------------------------------------- */
static enum status read_bytes(struct rows *q, struct arena *a, void *ret)
{
    (void)a;
    *(int64_t *)ret = rows_i64(q, 0);
    return ST_OK;
}

enum status rds_store_exported(struct db *db, struct str id, const char *log, int64_t *ret_bytes)
{
    *ret_bytes = 0;
    enum status st =
        db_read(db, ONE_ROW(NULL, read_bytes, ret_bytes),
                "SELECT bytes FROM rds_exported WHERE instance=? AND log=?", bs(id), bz(log));
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status rds_store_set_exported(struct db *db, struct str id, const char *log, int64_t bytes)
{
    return db_exec(db, "INSERT OR REPLACE INTO rds_exported VALUES(?,?,?)", bs(id), bz(log),
                   bi(bytes));
}

#define SELECT_INSTANCE                                                            \
    "SELECT id, account, region, name, engine, port, attached, source, setup, doc" \
    " FROM rds_instance"

static enum status read_instance(struct rows *q, struct arena *a, void *ret)
{
    struct rds_instance *i = ret;
    *i = (struct rds_instance){
        .id = rows_str(q, a, 0),
        .owner = { rows_str(q, a, 1), rows_str(q, a, 2) },
        .name = rows_str(q, a, 3),
        .engine = rows_str(q, a, 4),
        .port = rows_i64(q, 5),
        .attached = rows_str(q, a, 6),
        .source = rows_str(q, a, 7),
        .setup = rows_str(q, a, 8),
    };
    return doc_form_read(&instances.form, a, rows_str(q, a, 9), &i->doc);
}

enum status rds_store_by_name(struct db *db, struct arena *a, const struct rds_owner *o,
                              struct str name, struct rds_instance *ret)
{
    return db_read(db, ONE_ROW(a, read_instance, ret),
                   SELECT_INSTANCE " WHERE account=? AND region=? AND name=?", OWNER(o), bs(name));
}

enum status rds_store_by_id(struct db *db, struct arena *a, struct str id, struct rds_instance *ret)
{
    return db_read(db, ONE_ROW(a, read_instance, ret), SELECT_INSTANCE " WHERE id=?", bs(id));
}

enum status rds_store_list(struct db *db, struct arena *a, const struct rds_owner *o,
                           struct rds_instances *ret)
{
    return db_read(db, ALL_ROWS(a, read_instance, &ret->v, &ret->n),
                   SELECT_INSTANCE RDS_OF_OWNER_OR_ALL, bs(o ? o->account : STR_NONE),
                   bs(o ? o->region : STR_NONE));
}
