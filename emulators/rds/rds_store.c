#include "emulators/rds/rds_store.h"

#include "server/wire/codec.h"
#include "server/wire/doc.h"

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
    "CREATE TABLE IF NOT EXISTS rds_tag("
    " arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(arn, key))"
    " WITHOUT ROWID;";

static const struct op *op_of(const char *name)
{
    return op_find(rds_ops, RDS_N_OPS, str_z(name));
}

/* --- instances -----------------------------------------------------------------------------------
 */
static enum status instance_text(struct arena *a, const struct rds_instance *i, struct str *ret)
{
    struct rds_create_db_instance_response doc = { .DBInstance = i->doc };
    return doc_write(op_of("CreateDBInstance"), a, &doc, ret);
}

enum status rds_store_add(struct db *db, struct arena *a, const struct rds_instance *i)
{
    struct str text;
    enum status st = instance_text(a, i, &text);
    return st != ST_OK
               ? st
               : db_exec(db, "INSERT INTO rds_instance VALUES(?,?,?,?,?,?,?,?,?,?)", bs(i->id),
                         bs(i->owner.account), bs(i->owner.region), bs(i->name), bs(i->engine),
                         bi(i->port), bs(i->attached), bs(i->source), bs(i->setup), bs(text));
}

enum status rds_store_update(struct db *db, struct arena *a, const struct rds_instance *i)
{
    struct str text;
    enum status st = instance_text(a, i, &text);
    return st != ST_OK
               ? st
               : db_exec(db, "UPDATE rds_instance SET name=?, port=?, setup=?, doc=? WHERE id=?",
                         bs(i->name), bi(i->port), bs(i->setup), bs(text), bs(i->id));
}

enum status rds_store_remove(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM rds_instance WHERE id=?", bs(id));
}

static enum status collect(struct rows *q, struct arena *a, struct rds_instances *ret)
{
    enum status st = ST_OK;
    *ret = (struct rds_instances){ NULL, 0 };
    while (st == ST_OK && rows_next(q)) {
        void *doc = NULL;
        struct rds_instance i = {
            .id = rows_str(q, a, 0),
            .owner = { rows_str(q, a, 1), rows_str(q, a, 2) },
            .name = rows_str(q, a, 3),
            .engine = rows_str(q, a, 4),
            .port = rows_i64(q, 5),
            .attached = rows_str(q, a, 6),
            .source = rows_str(q, a, 7),
            .setup = rows_str(q, a, 8),
        };
        st = doc_read(op_of("CreateDBInstance"), a, rows_str(q, a, 9), &doc);
        if (st == ST_OK) {
            i.doc = ((struct rds_create_db_instance_response *)doc)->DBInstance;
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = i;
        }
    }
    enum status end = rows_end(q);
    return st != ST_OK ? st : end;
}

static enum status one(enum status st, const struct rds_instances *found, struct rds_instance *ret)
{
    if (st == ST_OK && found->n == 0) {
        return ST_NOT_FOUND;
    }
    if (st == ST_OK) {
        *ret = found->v[0];
    }
    return st;
}

enum status rds_store_by_name(struct db *db, struct arena *a, const struct rds_owner *o,
                              struct str name, struct rds_instance *ret)
{
    struct rows q;
    struct rds_instances found = { NULL, 0 };
    enum status st =
        db_query(db, &q, "SELECT * FROM rds_instance WHERE account=? AND region=? AND name=?",
                 bs(o->account), bs(o->region), bs(name));
    st = st == ST_OK ? collect(&q, a, &found) : st;
    return one(st, &found, ret);
}

enum status rds_store_by_id(struct db *db, struct arena *a, struct str id, struct rds_instance *ret)
{
    struct rows q;
    struct rds_instances found = { NULL, 0 };
    enum status st = db_query(db, &q, "SELECT * FROM rds_instance WHERE id=?", bs(id));
    st = st == ST_OK ? collect(&q, a, &found) : st;
    return one(st, &found, ret);
}

enum status rds_store_list(struct db *db, struct arena *a, const struct rds_owner *o,
                           struct rds_instances *ret)
{
    struct rows q;
    struct str account = o ? o->account : STR_NONE, region = o ? o->region : STR_NONE;
    enum status st = db_query(db, &q,
                              "SELECT * FROM rds_instance WHERE (?1 IS NULL OR account=?1)"
                              " AND (?2 IS NULL OR region=?2) ORDER BY name",
                              bs(account), bs(region));
    return st == ST_OK ? collect(&q, a, ret) : st;
}
