#include "emulators/dms/dms_store.h"

#include "server/store/db_read.h"

/* --- resources -------------------------------------------------------------------------------- */

enum status dms_store_resource_add(struct db *db, const char *kind, const struct dms_resource *r,
                                   int64_t now_ms)
{
    return db_exec(db,
                   "INSERT INTO dms_resource(kind,arn,account,region,ident,doc,secret,created_ms) "
                   "VALUES(?,?,?,?,?,?,?,?)",
                   bz(kind), bs(r->arn), bs(r->account), bs(r->region), bs(r->ident), bs(r->doc),
                   bs(r->secret), bi(now_ms));
}

enum status dms_store_resource_update(struct db *db, const struct dms_resource *r)
{
    return db_exec(db, "UPDATE dms_resource SET ident=?, doc=?, secret=? WHERE arn=?", bs(r->ident),
                   bs(r->doc), bs(r->secret), bs(r->arn));
}

/* As struct dms_resource has them. */
#define SELECT_RESOURCE "SELECT arn,account,region,ident,doc,secret FROM dms_resource "

enum status dms_store_resource_get(struct db *db, struct arena *a, const char *kind, struct str arn,
                                   struct dms_resource *ret)
{
    return db_read(db, ONE_OF_TEXTS(a, ret), SELECT_RESOURCE "WHERE arn=? AND kind=?", bs(arn),
                   bz(kind));
}

enum status dms_store_resource_by_ident(struct db *db, struct arena *a, const char *kind,
                                        struct dms_owner owner, struct str ident,
                                        struct dms_resource *ret)
{
    return db_read(db, ONE_OF_TEXTS(a, ret),
                   SELECT_RESOURCE "WHERE kind=? AND account=? AND region=? AND ident=?", bz(kind),
                   bs(owner.account), bs(owner.region), bs(ident));
}

enum status dms_store_resource_delete(struct db *db, struct str arn)
{
    enum status st = db_change(db, "DELETE FROM dms_resource WHERE arn=?", bs(arn));
    if (st == ST_OK) {
        st = tags_clear(db, &dms_tags, arn);
    }
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM dms_connection WHERE instance_arn=?1 OR endpoint_arn=?1",
                     bs(arn));
    }
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM dms_refresh WHERE endpoint_arn=?", bs(arn));
    }
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM dms_schema_name WHERE endpoint_arn=?", bs(arn));
    }
    return st;
}

enum status dms_store_resource_list(struct db *db, struct arena *a, const char *kind,
                                    struct dms_owner owner, struct dms_resource **ret,
                                    size_t *ret_n)
{
    return db_read(db, ALL_TEXTS(a, ret, ret_n),
                   SELECT_RESOURCE "WHERE kind=? AND account=? AND region=? ORDER BY id", bz(kind),
                   bs(owner.account), bs(owner.region));
}

enum status dms_store_resource_all(struct db *db, struct arena *a, const char *kind,
                                   struct dms_resource **ret, size_t *ret_n)
{
    return db_read(db, ALL_TEXTS(a, ret, ret_n), SELECT_RESOURCE "WHERE kind=? ORDER BY id",
                   bz(kind));
}

bool dms_store_exists(struct db *db, struct str arn)
{
    int64_t n;
    return db_get_i64(db, &n,
                      "SELECT 1 FROM dms_resource WHERE arn=?1 UNION ALL "
                      "SELECT 1 FROM dms_task WHERE arn=?1",
                      bs(arn)) == ST_OK;
}

/* --- connections ------------------------------------------------------------------------------ */

enum status dms_store_connection_put(struct db *db, const struct dms_connection_row *c)
{
    return db_exec(db,
                   "INSERT INTO dms_connection(instance_arn,endpoint_arn,status,message) "
                   "VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET status=excluded.status, "
                   "message=excluded.message",
                   bs(c->instance_arn), bs(c->endpoint_arn), bs(c->status), bs(c->message));
}

enum status dms_store_connection_get(struct db *db, struct arena *a, struct str instance_arn,
                                     struct str endpoint_arn, struct dms_connection_row *ret)
{
    return db_read(db, ONE_OF_TEXTS(a, ret),
                   "SELECT instance_arn,endpoint_arn,status,message FROM dms_connection "
                   "WHERE instance_arn=? AND endpoint_arn=?",
                   bs(instance_arn), bs(endpoint_arn));
}

enum status dms_store_connection_delete(struct db *db, struct str instance_arn,
                                        struct str endpoint_arn)
{
    return db_change(db, "DELETE FROM dms_connection WHERE instance_arn=? AND endpoint_arn=?",
                     bs(instance_arn), bs(endpoint_arn));
}

enum status dms_store_connection_list(struct db *db, struct arena *a, struct str account,
                                      struct str region, struct dms_connection_row **ret,
                                      size_t *ret_n)
{
    return db_read(db, ALL_TEXTS(a, ret, ret_n),
                   "SELECT c.instance_arn,c.endpoint_arn,c.status,c.message "
                   "FROM dms_connection c JOIN dms_resource r ON r.arn=c.endpoint_arn "
                   "WHERE r.account=? AND r.region=? ORDER BY c.rowid",
                   bs(account), bs(region));
}

enum status dms_store_connection_forget_tests(struct db *db)
{
    enum status st = db_exec(db, "DELETE FROM dms_connection WHERE status='testing'");
    if (st == ST_OK) {
        st = db_exec(db, "UPDATE dms_task SET surface=NULL WHERE surface='testing'");
    }
    return st == ST_OK ? db_exec(db, "UPDATE dms_refresh SET status='failed', message='The server "
                                     "was stopped meanwhile.' WHERE status='refreshing'")
                       : st;
}

const struct tags dms_tags = TAGS_TABLE("dms_tag");
