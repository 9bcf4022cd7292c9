#include "emulators/s3/s3_store.h"

#include "server/base/mem.h"

/* Objects lie in one B-tree in byte order of (bucket, key): a listing seeks and steps. What
 * listings show comes first in the row; rarely set columns are last and cost a byte when NULL.
 * `path` is NULL while the file lies where the key says. */
#define OBJECT_COLUMNS                                                               \
    " bucket TEXT NOT NULL, key TEXT NOT NULL,"                                      \
    " size INTEGER NOT NULL, etag TEXT NOT NULL, modified_ms INTEGER NOT NULL,"      \
    " storage_class TEXT, alg INTEGER NOT NULL, composite INTEGER NOT NULL,"         \
    " blob_id INTEGER NOT NULL, blob_mtime_ns INTEGER NOT NULL, path TEXT,"          \
    " checksum TEXT, content_type TEXT, content_encoding TEXT, cache_control TEXT,"  \
    " content_disposition TEXT, content_language TEXT, expires TEXT, redirect TEXT," \
    " meta BLOB, tags BLOB, parts TEXT,"

const char s3_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS s3_buckets("
    " name TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS s3_settings("
    " bucket TEXT NOT NULL, kind TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(bucket, kind)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS s3_rules("
    " bucket TEXT NOT NULL, pos INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL,"
    " arn TEXT, events TEXT, prefix TEXT, suffix TEXT,"
    " PRIMARY KEY(bucket, pos)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS s3_sequence("
    " one INTEGER NOT NULL PRIMARY KEY CHECK(one = 1), value INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS s3_objects(" OBJECT_COLUMNS
    " PRIMARY KEY(bucket, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS s3_kept(" OBJECT_COLUMNS
    " access_key TEXT NOT NULL, view INTEGER NOT NULL, file INTEGER NOT NULL,"
    " PRIMARY KEY(access_key, bucket, key, blob_id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS s3_uploads("
    " id TEXT NOT NULL PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, alg INTEGER NOT NULL, composite INTEGER NOT NULL,"
    " before_id INTEGER NOT NULL, storage_class TEXT, content_type TEXT, content_encoding TEXT,"
    " cache_control TEXT, content_disposition TEXT, content_language TEXT, expires TEXT,"
    " redirect TEXT, meta BLOB, tags BLOB) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS s3_uploads_by_key ON s3_uploads(bucket, key, id);"
    "CREATE TABLE IF NOT EXISTS s3_parts("
    " upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,"
    " checksum TEXT, modified_ms INTEGER NOT NULL, blob_id INTEGER NOT NULL,"
    " blob_mtime_ns INTEGER NOT NULL,"
    " PRIMARY KEY(upload, number)) WITHOUT ROWID;";

static void bucket_row(struct rows *q, struct arena *a, struct s3_bucket_row *ret)
{
    ret->name = rows_str(q, a, 0);
    ret->account = rows_str(q, a, 1);
    ret->region = rows_str(q, a, 2);
    ret->created_ms = rows_i64(q, 3);
}

enum status s3_store_bucket(struct db *db, struct arena *a, struct str name,
                            struct s3_bucket_row *ret)
{
    struct rows q;
    if (db_query(db, &q, "SELECT name,account,region,created_ms FROM s3_buckets WHERE name=?",
                 bs(name)) == ST_OK &&
        rows_first(&q)) {
        bucket_row(&q, a, ret);
    }
    return rows_end(&q);
}

enum status s3_store_add_bucket(struct db *db, const struct s3_bucket_row *row)
{
    return db_exec(db, "INSERT INTO s3_buckets(name,account,region,created_ms) VALUES(?,?,?,?)",
                   bs(row->name), bs(row->account), bs(row->region), bi(row->created_ms));
}

enum status s3_store_drop_bucket(struct db *db, struct str name)
{
    enum status st = db_exec(db, "DELETE FROM s3_buckets WHERE name=?", bs(name));
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM s3_settings WHERE bucket=?", bs(name));
    }
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM s3_rules WHERE bucket=?", bs(name));
    }
    return st;
}

enum status s3_store_buckets(struct db *db, struct arena *a, const struct s3_bucket_filter *filter,
                             struct s3_bucket_row **ret, size_t *ret_n)
{
    struct rows q;
    struct s3_bucket_row *v = NULL;
    size_t n = 0;
    struct str from = filter->after;
    if (str_cmp(filter->prefix, from) > 0) {
        from = filter->prefix;
    }
    if (db_query(db, &q,
                 "SELECT name,account,region,created_ms FROM s3_buckets"
                 " WHERE name>=?1 AND (?2 IS NULL OR account=?2) AND (?3 IS NULL OR region=?3)"
                 " ORDER BY name",
                 bs(str_set(from) ? from : STR("")), bs(filter->account),
                 bs(filter->region)) == ST_OK) {
        while (n < filter->limit && rows_next(&q)) {
            struct str name = rows_view(&q, 0);
            if (!str_starts(name, filter->prefix)) {
                break;
            }
            if (str_set(filter->after) && str_eq(name, filter->after)) {
                continue;
            }
            ARENA_GROW(a, v, n);
            bucket_row(&q, a, &v[n++]);
        }
    }
    *ret = v;
    *ret_n = n;
    return rows_end(&q);
}

enum status s3_store_bucket_empty(struct db *db, struct str name, bool *ret)
{
    int64_t one = 0;
    enum status st =
        db_get_i64(db, &one, "SELECT 1 FROM s3_objects WHERE bucket=? LIMIT 1", bs(name));
    *ret = st == ST_NOT_FOUND;
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status s3_store_setting(struct db *db, struct arena *a, struct str bucket, const char *kind,
                             struct str *ret)
{
    return db_get_str(db, a, ret, "SELECT value FROM s3_settings WHERE bucket=? AND kind=?",
                      bs(bucket), bz(kind));
}

enum status s3_store_set_setting(struct db *db, struct str bucket, const char *kind,
                                 struct str value)
{
    return db_exec(db,
                   "INSERT INTO s3_settings(bucket,kind,value) VALUES(?,?,?)"
                   " ON CONFLICT(bucket,kind) DO UPDATE SET value=excluded.value",
                   bs(bucket), bz(kind), bb(value));
}

enum status s3_store_drop_setting(struct db *db, struct str bucket, const char *kind)
{
    return db_exec(db, "DELETE FROM s3_settings WHERE bucket=? AND kind=?", bs(bucket), bz(kind));
}

enum status s3_store_rules(struct db *db, struct arena *a, struct str bucket, struct s3_rule **ret,
                           size_t *ret_n)
{
    struct rows q;
    struct s3_rule *v = NULL;
    size_t n = 0;
    if (db_query(db, &q,
                 "SELECT kind,id,arn,events,prefix,suffix FROM s3_rules WHERE bucket=?"
                 " ORDER BY pos",
                 bs(bucket)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, v, n);
            struct s3_rule *r = &v[n++];
            r->kind = (enum s3_rule_kind)rows_i64(&q, 0);
            r->id = rows_str(&q, a, 1);
            r->arn = rows_str(&q, a, 2);
            r->events = rows_str(&q, a, 3);
            r->prefix = rows_str(&q, a, 4);
            r->suffix = rows_str(&q, a, 5);
        }
    }
    *ret = v;
    *ret_n = n;
    return rows_end(&q);
}

enum status s3_store_set_rules(struct db *db, struct str bucket, const struct s3_rule *rules,
                               size_t n)
{
    enum status st = db_exec(db, "DELETE FROM s3_rules WHERE bucket=?", bs(bucket));
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        const struct s3_rule *r = &rules[i];
        st = db_exec(db,
                     "INSERT INTO s3_rules(bucket,pos,kind,id,arn,events,prefix,suffix)"
                     " VALUES(?,?,?,?,?,?,?,?)",
                     bs(bucket), bi((int64_t)i), bi(r->kind), bs(r->id), bs(r->arn), bs(r->events),
                     bs(r->prefix), bs(r->suffix));
    }
    return st;
}

enum status s3_store_sequence(struct db *db, int64_t *ret)
{
    *ret = 0;
    enum status st = db_get_i64(db, ret, "SELECT value FROM s3_sequence WHERE one=1");
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status s3_store_set_sequence(struct db *db, int64_t value)
{
    return db_exec(db,
                   "INSERT INTO s3_sequence(one,value) VALUES(1,?)"
                   " ON CONFLICT(one) DO UPDATE SET value=excluded.value",
                   bi(value));
}
