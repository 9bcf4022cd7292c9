/* Snapshots in the database. */
#include "emulators/rds/rds_store.h"
#include "server/wire/codec.h"
#include "server/wire/doc.h"

static const struct op *snapshot_op(void)
{
    return op_find(rds_ops, RDS_N_OPS, STR("CreateDBSnapshot"));
}

static enum status text_of(struct arena *a, const struct rds_snapshot *s, struct str *ret)
{
    struct rds_create_db_snapshot_response doc = { .DBSnapshot = s->doc };
    return doc_write(snapshot_op(), a, &doc, ret);
}

enum status rds_store_add_snapshot(struct db *db, struct arena *a, const struct rds_snapshot *s)
{
    struct str text;
    enum status st = text_of(a, s, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO rds_snapshot VALUES(?,?,?,?,?,?)", bs(s->id),
                                 bs(s->owner.account), bs(s->owner.region), bs(s->name),
                                 bs(s->engine), bs(text));
}

enum status rds_store_update_snapshot(struct db *db, struct arena *a, const struct rds_snapshot *s)
{
    struct str text;
    enum status st = text_of(a, s, &text);
    return st != ST_OK
               ? st
               : db_exec(db, "UPDATE rds_snapshot SET doc=? WHERE id=?", bs(text), bs(s->id));
}

static enum status collect(struct rows *q, struct arena *a, struct rds_snapshots *ret)
{
    enum status st = ST_OK;
    *ret = (struct rds_snapshots){ NULL, 0 };
    while (st == ST_OK && rows_next(q)) {
        void *doc = NULL;
        struct rds_snapshot s = {
            .id = rows_str(q, a, 0),
            .owner = { rows_str(q, a, 1), rows_str(q, a, 2) },
            .name = rows_str(q, a, 3),
            .engine = rows_str(q, a, 4),
        };
        st = doc_read(snapshot_op(), a, rows_str(q, a, 5), &doc);
        if (st == ST_OK) {
            s.doc = ((struct rds_create_db_snapshot_response *)doc)->DBSnapshot;
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = s;
        }
    }
    enum status end = rows_end(q);
    return st != ST_OK ? st : end;
}

static enum status one(enum status st, const struct rds_snapshots *found, struct rds_snapshot *ret)
{
    if (st == ST_OK && found->n == 0) {
        return ST_NOT_FOUND;
    }
    if (st == ST_OK) {
        *ret = found->v[0];
    }
    return st;
}

enum status rds_store_snapshot(struct db *db, struct arena *a, const struct rds_owner *o,
                               struct str name, struct rds_snapshot *ret)
{
    struct rows q;
    struct rds_snapshots found = { NULL, 0 };
    enum status st =
        db_query(db, &q, "SELECT * FROM rds_snapshot WHERE account=? AND region=? AND name=?",
                 bs(o->account), bs(o->region), bs(name));
    st = st == ST_OK ? collect(&q, a, &found) : st;
    return one(st, &found, ret);
}

enum status rds_store_snapshot_by_id(struct db *db, struct arena *a, struct str id,
                                     struct rds_snapshot *ret)
{
    struct rows q;
    struct rds_snapshots found = { NULL, 0 };
    enum status st = db_query(db, &q, "SELECT * FROM rds_snapshot WHERE id=?", bs(id));
    st = st == ST_OK ? collect(&q, a, &found) : st;
    return one(st, &found, ret);
}

enum status rds_store_snapshots(struct db *db, struct arena *a, const struct rds_owner *o,
                                struct rds_snapshots *ret)
{
    struct rows q;
    struct str account = o ? o->account : STR_NONE, region = o ? o->region : STR_NONE;
    enum status st = db_query(db, &q,
                              "SELECT * FROM rds_snapshot WHERE (?1 IS NULL OR account=?1)"
                              " AND (?2 IS NULL OR region=?2) ORDER BY name",
                              bs(account), bs(region));
    return st == ST_OK ? collect(&q, a, ret) : st;
}

enum status rds_store_remove_snapshot(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM rds_snapshot WHERE id=?", bs(id));
}
