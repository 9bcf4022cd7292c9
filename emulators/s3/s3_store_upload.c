#include "emulators/s3/s3_store.h"
#include "server/base/mem.h"

#define UPLOAD_COLUMNS                                                                           \
    "id,bucket,key,created_ms,alg,composite,before_id,storage_class,content_type,"               \
    "content_encoding,cache_control,content_disposition,content_language,expires,redirect,meta," \
    "tags"
#define PART_COLUMNS "number,size,etag,checksum,modified_ms,blob_id,blob_mtime_ns"

static void upload_row(struct rows *q, struct arena *a, struct s3_upload_row *ret)
{
    *ret = (struct s3_upload_row){ .id = rows_str(q, a, 0) };
    ret->bucket = rows_str(q, a, 1);
    ret->key = rows_str(q, a, 2);
    ret->created_ms = rows_i64(q, 3);
    ret->alg = (enum s3_alg)rows_i64(q, 4);
    ret->composite = rows_i64(q, 5) != 0;
    ret->before_id = rows_i64(q, 6);
    ret->head.storage_class = rows_str(q, a, 7);
    ret->head.content_type = rows_str(q, a, 8);
    ret->head.content_encoding = rows_str(q, a, 9);
    ret->head.cache_control = rows_str(q, a, 10);
    ret->head.content_disposition = rows_str(q, a, 11);
    ret->head.content_language = rows_str(q, a, 12);
    ret->head.expires = rows_str(q, a, 13);
    ret->head.redirect = rows_str(q, a, 14);
    ret->head.meta = rows_str(q, a, 15);
    ret->head.tags = rows_str(q, a, 16);
}

enum status s3_store_upload(struct db *db, struct arena *a, struct str bucket, struct str key,
                            struct str id, struct s3_upload_row *ret)
{
    struct rows q;
    if (db_query(db, &q,
                 "SELECT " UPLOAD_COLUMNS " FROM s3_uploads WHERE id=? AND bucket=? AND key=?",
                 bs(id), bs(bucket), bs(key)) == ST_OK &&
        rows_first(&q)) {
        upload_row(&q, a, ret);
    }
    return rows_end(&q);
}

enum status s3_store_add_upload(struct db *db, const struct s3_upload_row *row)
{
    const struct s3_headers *h = &row->head;
    return db_exec(
        db, "INSERT INTO s3_uploads(" UPLOAD_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        bs(row->id), bs(row->bucket), bs(row->key), bi(row->created_ms), bi(row->alg),
        bi(row->composite), bi(row->before_id), bs(h->storage_class), bs(h->content_type),
        bs(h->content_encoding), bs(h->cache_control), bs(h->content_disposition),
        bs(h->content_language), bs(h->expires), bs(h->redirect), bb(h->meta), bb(h->tags));
}

enum status s3_store_drop_upload(struct db *db, struct str id)
{
    enum status st = db_exec(db, "DELETE FROM s3_parts WHERE upload=?", bs(id));
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM s3_uploads WHERE id=?", bs(id));
    }
    return st;
}

enum status s3_store_uploads(struct db *db, struct arena *a, struct str bucket,
                             const struct s3_upload_from *from, size_t limit,
                             struct s3_upload_rows *ret)
{
    struct rows q;
    *ret = (struct s3_upload_rows){ ARENA_ARRAY(a, struct s3_upload_row, limit ? limit : 1), 0 };
    if (db_query(db, &q,
                 "SELECT " UPLOAD_COLUMNS " FROM s3_uploads WHERE bucket=?1 AND key>=?2"
                 " AND (key>?2 OR id>?3) ORDER BY key,id LIMIT ?4",
                 bs(bucket), bs(str_set(from->key) ? from->key : STR("")),
                 bs(str_set(from->after_id) ? from->after_id : STR("")),
                 bi((int64_t)limit)) == ST_OK) {
        while (ret->n < limit && rows_next(&q)) {
            upload_row(&q, a, &ret->v[ret->n++]);
        }
    }
    return rows_end(&q);
}

static void part_row(struct rows *q, struct arena *a, struct s3_part_row *ret)
{
    *ret = (struct s3_part_row){ .number = rows_i64(q, 0) };
    ret->ref = (struct blob_ref){ .id = rows_i64(q, 5),
                                  .size = rows_i64(q, 1),
                                  .mtime_ns = rows_i64(q, 6) };
    ret->etag = rows_str(q, a, 2);
    ret->checksum = rows_str(q, a, 3);
    ret->modified_ms = rows_i64(q, 4);
}

enum status s3_store_part(struct db *db, struct arena *a, struct str id, int64_t number,
                          struct s3_part_row *ret)
{
    struct rows q;
    if (db_query(db, &q, "SELECT " PART_COLUMNS " FROM s3_parts WHERE upload=? AND number=?",
                 bs(id), bi(number)) == ST_OK &&
        rows_first(&q)) {
        part_row(&q, a, ret);
    }
    return rows_end(&q);
}

enum status s3_store_put_part(struct db *db, struct str id, const struct s3_part_row *row)
{
    return db_exec(
        db, "INSERT OR REPLACE INTO s3_parts(upload," PART_COLUMNS ") VALUES(?,?,?,?,?,?,?,?)",
        bs(id), bi(row->number), bi(row->ref.size), bs(row->etag), bs(row->checksum),
        bi(row->modified_ms), bi(row->ref.id), bi(row->ref.mtime_ns));
}

enum status s3_store_parts(struct db *db, struct arena *a, struct str id, int64_t after,
                           size_t limit, struct s3_part_rows *ret)
{
    struct rows q;
    *ret = (struct s3_part_rows){ ARENA_ARRAY(a, struct s3_part_row, limit ? limit : 1), 0 };
    if (db_query(db, &q,
                 "SELECT " PART_COLUMNS " FROM s3_parts WHERE upload=? AND number>?"
                 " ORDER BY number LIMIT ?",
                 bs(id), bi(after), bi((int64_t)limit)) == ST_OK) {
        while (ret->n < limit && rows_next(&q)) {
            part_row(&q, a, &ret->v[ret->n++]);
        }
    }
    return rows_end(&q);
}
