/* Snapshots in the database. */
#include "emulators/rds/rds_store.h"
#include "server/store/db_read.h"

static const struct documents snapshots = {
    { rds_ops, RDS_N_OPS, "CreateDBSnapshot", "DBSnapshot" },
    .add = "INSERT INTO rds_snapshot VALUES(?,?,?,?,?,?)",
    .set = "UPDATE rds_snapshot SET doc=? WHERE id=?",
};

enum status rds_store_add_snapshot(struct db *db, struct arena *a, const struct rds_snapshot *s)
{
    return documents_add(db, a, &snapshots,
                         DOCUMENT_KEY(bs(s->id), OWNER(&s->owner), bs(s->name), bs(s->engine)),
                         s->doc);
}

enum status rds_store_update_snapshot(struct db *db, struct arena *a, const struct rds_snapshot *s)
{
    enum status st = documents_set(db, a, &snapshots, DOCUMENT_KEY(bs(s->id)), s->doc);
    return st == ST_NOT_FOUND ? ST_OK : st; /* deleted meanwhile */
}

#define SELECT_SNAPSHOT "SELECT id, account, region, name, engine, doc FROM rds_snapshot"

static enum status read_snapshot(struct rows *q, struct arena *a, void *ret)
{
    struct rds_snapshot *s = ret;
    *s = (struct rds_snapshot){
        .id = rows_str(q, a, 0),
        .owner = { rows_str(q, a, 1), rows_str(q, a, 2) },
        .name = rows_str(q, a, 3),
        .engine = rows_str(q, a, 4),
    };
    return doc_form_read(&snapshots.form, a, rows_str(q, a, 5), &s->doc);
}

enum status rds_store_snapshot(struct db *db, struct arena *a, const struct rds_owner *o,
                               struct str name, struct rds_snapshot *ret)
{
    return db_read(db, ONE_ROW(a, read_snapshot, ret),
                   SELECT_SNAPSHOT " WHERE account=? AND region=? AND name=?", OWNER(o), bs(name));
}

enum status rds_store_snapshot_by_id(struct db *db, struct arena *a, struct str id,
                                     struct rds_snapshot *ret)
{
    return db_read(db, ONE_ROW(a, read_snapshot, ret), SELECT_SNAPSHOT " WHERE id=?", bs(id));
}

enum status rds_store_snapshots(struct db *db, struct arena *a, const struct rds_owner *o,
                                struct rds_snapshots *ret)
{
    return db_read(db, ALL_ROWS(a, read_snapshot, &ret->v, &ret->n),
                   SELECT_SNAPSHOT RDS_OF_OWNER_OR_ALL, bs(o ? o->account : STR_NONE),
                   bs(o ? o->region : STR_NONE));
}

enum status rds_store_remove_snapshot(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM rds_snapshot WHERE id=?", bs(id));
}
