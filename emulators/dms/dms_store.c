#include "emulators/dms/dms_store.h"

#include "server/store/db.h"

/* --- resources ---------------------------------------------------------------------------------
 */

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

static void read_resource(struct rows *q, struct arena *a, struct dms_resource *r)
{
    *r = (struct dms_resource){ .arn = rows_str(q, a, 0),
                                .account = rows_str(q, a, 1),
                                .region = rows_str(q, a, 2),
                                .ident = rows_str(q, a, 3),
                                .doc = rows_str(q, a, 4),
                                .secret = rows_str(q, a, 5) };
}

/* After a query that gives one row at most. */
static enum status one_resource(struct rows *q, struct arena *a, struct dms_resource *ret)
{
    bool found = rows_next(q);
    if (found) {
        read_resource(q, a, ret);
    }
    enum status st = rows_end(q);
    return st == ST_OK && !found ? ST_NOT_FOUND : st;
}

enum status dms_store_resource_get(struct db *db, struct arena *a, const char *kind, struct str arn,
                                   struct dms_resource *ret)
{
    struct rows q;
    status_ignore(db_query(db, &q,
                           "SELECT arn,account,region,ident,doc,secret FROM dms_resource "
                           "WHERE arn=? AND kind=?",
                           bs(arn), bz(kind))); /* rows_end tells */
    return one_resource(&q, a, ret);
}

enum status dms_store_resource_by_ident(struct db *db, struct arena *a, const char *kind,
                                        struct dms_owner owner, struct str ident,
                                        struct dms_resource *ret)
{
    struct rows q;
    status_ignore(db_query(db, &q,
                           "SELECT arn,account,region,ident,doc,secret FROM dms_resource "
                           "WHERE kind=? AND account=? AND region=? AND ident=?",
                           bz(kind), bs(owner.account), bs(owner.region),
                           bs(ident))); /* rows_end tells */
    return one_resource(&q, a, ret);
}

enum status dms_store_resource_delete(struct db *db, struct str arn)
{
    enum status st = db_exec(db, "DELETE FROM dms_resource WHERE arn=?", bs(arn));
    if (st == ST_OK && db_changes(db) == 0) {
        return ST_NOT_FOUND;
    }
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM dms_tag WHERE arn=?", bs(arn));
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
    struct dms_resource *items = NULL;
    size_t n = 0;
    struct rows q;
    status_ignore(db_query(db, &q,
                           "SELECT arn,account,region,ident,doc,secret FROM dms_resource "
                           "WHERE kind=? AND account=? AND region=? ORDER BY id",
                           bz(kind), bs(owner.account), bs(owner.region))); /* rows_end tells */
    while (rows_next(&q)) {
        ARENA_GROW(a, items, n);
        read_resource(&q, a, &items[n++]);
    }
    *ret = items;
    *ret_n = n;
    return rows_end(&q);
}

bool dms_store_exists(struct db *db, struct str arn)
{
    int64_t n;
    return db_get_i64(db, &n,
                      "SELECT 1 FROM dms_resource WHERE arn=?1 UNION ALL "
                      "SELECT 1 FROM dms_task WHERE arn=?1",
                      bs(arn)) == ST_OK;
}

/* --- connections -------------------------------------------------------------------------------
 */

enum status dms_store_connection_put(struct db *db, const struct dms_connection_row *c)
{
    return db_exec(db,
                   "INSERT INTO dms_connection(instance_arn,endpoint_arn,status,message) "
                   "VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET status=excluded.status, "
                   "message=excluded.message",
                   bs(c->instance_arn), bs(c->endpoint_arn), bs(c->status), bs(c->message));
}

static void read_connection(struct rows *q, struct arena *a, struct dms_connection_row *c)
{
    *c = (struct dms_connection_row){ .instance_arn = rows_str(q, a, 0),
                                      .endpoint_arn = rows_str(q, a, 1),
                                      .status = rows_str(q, a, 2),
                                      .message = rows_str(q, a, 3) };
}

enum status dms_store_connection_get(struct db *db, struct arena *a, struct str instance_arn,
                                     struct str endpoint_arn, struct dms_connection_row *ret)
{
    struct rows q;
    status_ignore(db_query(db, &q,
                           "SELECT instance_arn,endpoint_arn,status,message FROM dms_connection "
                           "WHERE instance_arn=? AND endpoint_arn=?",
                           bs(instance_arn), bs(endpoint_arn))); /* rows_end tells */
    bool found = rows_next(&q);
    if (found) {
        read_connection(&q, a, ret);
    }
    enum status st = rows_end(&q);
    return st == ST_OK && !found ? ST_NOT_FOUND : st;
}

enum status dms_store_connection_delete(struct db *db, struct str instance_arn,
                                        struct str endpoint_arn)
{
    enum status st =
        db_exec(db, "DELETE FROM dms_connection WHERE instance_arn=? AND endpoint_arn=?",
                bs(instance_arn), bs(endpoint_arn));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

enum status dms_store_connection_list(struct db *db, struct arena *a, struct str account,
                                      struct str region, struct dms_connection_row **ret,
                                      size_t *ret_n)
{
    struct dms_connection_row *items = NULL;
    size_t n = 0;
    struct rows q;
    status_ignore(db_query(db, &q,
                           "SELECT c.instance_arn,c.endpoint_arn,c.status,c.message "
                           "FROM dms_connection c JOIN dms_resource r ON r.arn=c.endpoint_arn "
                           "WHERE r.account=? AND r.region=? ORDER BY c.rowid",
                           bs(account), bs(region))); /* rows_end tells */
    while (rows_next(&q)) {
        ARENA_GROW(a, items, n);
        read_connection(&q, a, &items[n++]);
    }
    *ret = items;
    *ret_n = n;
    return rows_end(&q);
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

/* --- tags --------------------------------------------------------------------------------------
 */

enum status dms_store_tag_put(struct db *db, const struct dms_tag_row *t)
{
    return db_exec(db, "INSERT OR REPLACE INTO dms_tag(arn,key,value) VALUES(?,?,?)", bs(t->arn),
                   bs(t->key), bs(t->value));
}

enum status dms_store_tag_delete(struct db *db, struct str arn, struct str key)
{
    return db_exec(db, "DELETE FROM dms_tag WHERE arn=? AND key=?", bs(arn), bs(key));
}

enum status dms_store_tag_list(struct db *db, struct arena *a, struct str arn,
                               struct dms_tag_row **ret, size_t *ret_n)
{
    struct dms_tag_row *items = NULL;
    size_t n = 0;
    struct rows q;
    status_ignore(db_query(db, &q, "SELECT key,value FROM dms_tag WHERE arn=? ORDER BY key",
                           bs(arn))); /* rows_end tells */
    while (rows_next(&q)) {
        ARENA_GROW(a, items, n);
        items[n++] = (struct dms_tag_row){ .arn = arena_str(a, arn),
                                           .key = rows_str(&q, a, 0),
                                           .value = rows_str(&q, a, 1) };
    }
    *ret = items;
    *ret_n = n;
    return rows_end(&q);
}
