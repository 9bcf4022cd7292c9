#include "server/base/buf.h"
#include "server/base/mem.h"

#include "emulators/s3/s3_store.h"

/* Columns of a listing first, then the rest: the readers below count on this order. */
#define LIST_COLUMNS \
    "key,size,etag,modified_ms,storage_class,alg,composite,blob_id,blob_mtime_ns,path"
#define MORE_COLUMNS                                                            \
    "checksum,content_type,content_encoding,cache_control,content_disposition," \
    "content_language,expires,redirect,meta,tags,parts"

static void list_row(struct rows *q, struct arena *a, struct str bucket, struct s3_object_row *ret)
{
    *ret = (struct s3_object_row){ .bucket = bucket };
    ret->key = rows_str(q, a, 0);
    ret->size = rows_i64(q, 1);
    ret->etag = rows_str(q, a, 2);
    ret->modified_ms = rows_i64(q, 3);
    ret->head.storage_class = rows_str(q, a, 4);
    ret->alg = (enum s3_alg)rows_i64(q, 5);
    ret->composite = rows_i64(q, 6) != 0;
    ret->ref =
        (struct blob_ref){ .id = rows_i64(q, 7), .size = ret->size, .mtime_ns = rows_i64(q, 8) };
    ret->path = rows_null(q, 9) ? blob_path(a, bucket, ret->key) : rows_str(q, a, 9);
}

static void full_row(struct rows *q, struct arena *a, struct str bucket, struct s3_object_row *ret)
{
    list_row(q, a, bucket, ret);
    ret->checksum = rows_str(q, a, 10);
    ret->head.content_type = rows_str(q, a, 11);
    ret->head.content_encoding = rows_str(q, a, 12);
    ret->head.cache_control = rows_str(q, a, 13);
    ret->head.content_disposition = rows_str(q, a, 14);
    ret->head.content_language = rows_str(q, a, 15);
    ret->head.expires = rows_str(q, a, 16);
    ret->head.redirect = rows_str(q, a, 17);
    ret->head.meta = rows_str(q, a, 18);
    ret->head.tags = rows_str(q, a, 19);
    ret->parts = rows_str(q, a, 20);
}
#define FULL_COLUMNS_N 21

enum status s3_store_object(struct db *db, struct arena *a, struct str bucket, struct str key,
                            struct s3_object_row *ret)
{
    struct rows q;
    if (db_query(db, &q,
                 "SELECT " LIST_COLUMNS "," MORE_COLUMNS
                 " FROM s3_objects WHERE bucket=? AND key=?",
                 bs(bucket), bs(key)) == ST_OK &&
        rows_first(&q)) {
        full_row(&q, a, bucket, ret);
    }
    return rows_end(&q);
}

/* New bytes go where the key says (path NULL); s3_store_moved() tells when they could not. */
enum status s3_store_put_object(struct db *db, const struct s3_object_row *row)
{
    const struct s3_headers *h = &row->head;
    return db_exec(db,
                   "INSERT OR REPLACE INTO s3_objects(bucket," LIST_COLUMNS "," MORE_COLUMNS
                   ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                   bs(row->bucket), bs(row->key), bi(row->size), bs(row->etag),
                   bi(row->modified_ms), bs(h->storage_class), bi(row->alg), bi(row->composite),
                   bi(row->ref.id), bi(row->ref.mtime_ns), bn(), bs(row->checksum),
                   bs(h->content_type), bs(h->content_encoding), bs(h->cache_control),
                   bs(h->content_disposition), bs(h->content_language), bs(h->expires),
                   bs(h->redirect), bb(h->meta), bb(h->tags), bs(row->parts));
}

enum status s3_store_drop_object(struct db *db, struct str bucket, struct str key)
{
    return db_exec(db, "DELETE FROM s3_objects WHERE bucket=? AND key=?", bs(bucket), bs(key));
}

enum status s3_store_set_tags(struct db *db, struct str bucket, struct str key, struct str tags)
{
    return db_exec(db, "UPDATE s3_objects SET tags=? WHERE bucket=? AND key=?", bb(tags),
                   bs(bucket), bs(key));
}

enum status s3_store_moved(struct db *db, struct str bucket, struct str key,
                           const struct blob_ref *ref, struct str path)
{
    if (str_set(key)) {
        return db_exec(db,
                       "UPDATE s3_objects SET path=? WHERE bucket=? AND key=? AND blob_id=?"
                       " AND blob_mtime_ns=?",
                       bs(path), bs(bucket), bs(key), bi(ref->id), bi(ref->mtime_ns));
    }
    return db_exec(db,
                   "UPDATE s3_objects SET path=? WHERE bucket=? AND blob_id=? AND blob_mtime_ns=?",
                   bs(path), bs(bucket), bi(ref->id), bi(ref->mtime_ns));
}

enum status s3_store_keep(struct db *db, const struct s3_kept_row *row)
{
    return db_exec(db,
                   "INSERT INTO s3_kept(bucket," LIST_COLUMNS "," MORE_COLUMNS
                   ",access_key,view,file) SELECT bucket," LIST_COLUMNS "," MORE_COLUMNS
                   ",?,?,? FROM s3_objects WHERE bucket=? AND key=?",
                   bs(row->access_key), bi(row->view), bi(row->file), bs(row->object.bucket),
                   bs(row->object.key));
}

enum status s3_store_kept(struct db *db, struct arena *a, const struct s3_kept_row *which,
                          struct s3_kept_row **ret, size_t *ret_n)
{
    struct rows q;
    const struct s3_object_row *object = &which->object;
    struct s3_kept_row *v = NULL;
    size_t n = 0;
    if (db_query(db, &q,
                 "SELECT " LIST_COLUMNS "," MORE_COLUMNS ",view,file FROM s3_kept"
                 " WHERE access_key=? AND bucket=? AND key=? ORDER BY blob_id DESC",
                 bs(which->access_key), bs(object->bucket), bs(object->key)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, v, n);
            v[n].access_key = which->access_key;
            full_row(&q, a, object->bucket, &v[n].object);
            v[n].view = rows_i64(&q, FULL_COLUMNS_N);
            v[n].file = rows_i64(&q, FULL_COLUMNS_N + 1);
            n++;
        }
    }
    *ret = v;
    *ret_n = n;
    return rows_end(&q);
}

enum status s3_store_kept_files(struct db *db, struct arena *a, struct str access_key,
                                struct s3_kept_row **ret, size_t *ret_n)
{
    struct rows q;
    struct s3_kept_row *v = NULL;
    size_t n = 0;
    if (db_query(db, &q, "SELECT " LIST_COLUMNS ",bucket,file FROM s3_kept WHERE access_key=?",
                 bs(access_key)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, v, n);
            list_row(&q, a, rows_str(&q, a, 10), &v[n].object);
            v[n].file = rows_i64(&q, 11);
            n++;
        }
    }
    *ret = v;
    *ret_n = n;
    return rows_end(&q);
}

enum status s3_store_drop_kept(struct db *db, struct str access_key)
{
    return db_exec(db, "DELETE FROM s3_kept WHERE access_key=?", bs(access_key));
}

enum status s3_store_drop_all_kept(struct db *db)
{
    return db_exec(db, "DELETE FROM s3_kept");
}

enum status s3_cursor_open(struct s3_cursor *cur, struct db *db, struct str bucket, struct str from,
                           bool included)
{
    struct str start = str_set(from) ? from : STR("");
    if (included) {
        return db_query(db, &cur->q,
                        "SELECT " LIST_COLUMNS
                        " FROM s3_objects WHERE bucket=? AND key>=? ORDER BY key",
                        bs(bucket), bs(start));
    }
    return db_query(db, &cur->q,
                    "SELECT " LIST_COLUMNS " FROM s3_objects WHERE bucket=? AND key>? ORDER BY key",
                    bs(bucket), bs(start));
}

bool s3_cursor_next(struct s3_cursor *cur, struct str *ret_key)
{
    if (!rows_next(&cur->q)) {
        return false;
    }
    *ret_key = rows_view(&cur->q, 0);
    return true;
}

void s3_cursor_row(struct s3_cursor *cur, struct arena *a, struct str bucket,
                   struct s3_object_row *ret)
{
    list_row(&cur->q, a, bucket, ret);
}

enum status s3_cursor_close(struct s3_cursor *cur)
{
    return rows_end(&cur->q);
}

/* "size,checksum;" per part; the checksum may be empty. */
struct str s3_parts_encode(struct arena *a, struct s3_part_sums parts)
{
    if (parts.n == 0) {
        return STR_NONE;
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4u << 20); /* 10,000 parts × at most 110 bytes */
    for (size_t i = 0; i < parts.n; i++) {
        buf_u64(&b, parts.v[i].size);
        buf_putc(&b, ',');
        buf_str_add(&b, parts.v[i].value);
        buf_putc(&b, ';');
    }
    return arena_str(a, buf_str(&b));
}

struct s3_part_sums s3_parts_decode(struct arena *a, struct str text)
{
    struct s3_part_sums out = { NULL, 0 };
    size_t most = 0;
    for (size_t i = 0; i < text.n; i++) {
        most += text.p[i] == ';';
    }
    out.v = ARENA_ARRAY(a, struct s3_part_sum, most ? most : 1);
    struct str rest = text, item = STR_NONE;
    while (out.n < most && str_next(&rest, ';', &item)) {
        struct str size = STR_NONE;
        struct s3_part_sum *p = &out.v[out.n];
        if (!str_cut(item, ',', &size, &p->value) || str_u64(size, &p->size) != ST_OK) {
            break;
        }
        out.n++;
    }
    return out;
}
