/* S3 for the other services of this process. */
#include "emulators/facade/s3.h"

#include "emulators/s3/s3_write.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/core.h"

#define FACADE_ARENA_MAX (16u << 20)
#define LIST_STEP 64

bool s3_bucket_exists(struct db *db, struct str bucket)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(FACADE_ARENA_MAX);
    struct s3_bucket_row row;
    return s3_store_bucket(db, a, bucket, &row) == ST_OK;
}

struct str s3_bucket_account(struct db *db, struct arena *a, struct str bucket)
{
    struct s3_bucket_row row;
    return s3_store_bucket(db, a, bucket, &row) == ST_OK ? row.account : STR_NONE;
}

static struct s3_object shown(const struct s3_object_row *row)
{
    return (struct s3_object){
        .bucket = row->bucket,
        .key = row->key,
        .etag = row->etag,
        .size = row->size,
        .last_modified_ms = row->modified_ms,
        .ref = row->ref,
        .path = row->path,
    };
}

enum status s3_object_find(struct db *db, struct arena *a, struct str bucket, struct str key,
                           struct s3_object *ret)
{
    struct s3_object_row row;
    enum status st = s3_store_object(db, a, arena_str(a, bucket), key, &row);
    if (st == ST_OK) {
        *ret = shown(&row);
    }
    return st;
}

enum status s3_object_list(struct db *db, struct arena *a, const struct s3_object_range *range,
                           struct s3_object **ret, size_t *ret_n)
{
    struct s3_cursor cur;
    struct str key = STR_NONE, top = arena_str(a, range->bucket), prefix = range->prefix;
    size_t limit = range->limit;
    bool after = str_set(range->start_after) && str_cmp(range->start_after, prefix) >= 0;
    size_t n = 0, cap = 0;
    struct s3_object *v = NULL;
    enum status st = s3_cursor_open(&cur, db, top, after ? range->start_after : prefix, !after);
    while (st == ST_OK && (limit == 0 || n < limit) && s3_cursor_next(&cur, &key) &&
           str_starts(key, prefix)) {
        if (n == cap) {
            struct s3_object *more = ARENA_ARRAY(a, struct s3_object, cap + cap / 2 + LIST_STEP);
            if (n > 0) {
                memcpy(more, v, n * sizeof(*v));
            }
            v = more;
            cap = cap + cap / 2 + LIST_STEP;
        }
        struct s3_object_row row;
        s3_cursor_row(&cur, a, top, &row);
        v[n++] = shown(&row);
    }
    enum status closed = s3_cursor_close(&cur);
    *ret = v;
    *ret_n = n;
    return st == ST_OK ? closed : st;
}

enum status s3_object_open(struct core *core, const struct s3_object *o, int *ret_fd)
{
    return blob_open(core_blobs(core), &o->ref, o->path, ret_fd);
}

static struct s3 *state_of(struct core *core)
{
    return core_state(core, "s3");
}

/* What CompleteMultipartUpload would have left in the row. */
static void came_in_parts(struct arena *a, const struct s3_put *put, struct s3_object_row *row)
{
    uint64_t left = (uint64_t)put->ref.size, each = (uint64_t)put->part_bytes;
    struct s3_part_sums parts = { NULL, (size_t)((left + each - 1) / each) };
    parts.v = ARENA_ARRAY(a, struct s3_part_sum, parts.n);
    for (size_t i = 0; i < parts.n; i++) {
        parts.v[i] = (struct s3_part_sum){ STR(""), left < each ? left : each };
        left -= parts.v[i].size;
    }
    row->parts = s3_parts_encode(a, parts);
    row->etag = arena_printf(a, "%.*s-%zu", STR_ARG(row->etag), parts.n);
}

static enum status put_in_mark(struct s3 *s3, struct arena *a, const struct s3_put *put)
{
    struct s3_bucket_row bucket;
    struct s3_object_row *old = NULL;
    struct s3_object_row row = {
        .bucket = put->bucket,
        .key = put->key,
        .etag = hex_encode(a, put->md5, 16),
        .head = { .content_type = put->content_type, .content_encoding = put->content_encoding },
        .ref = put->ref,
    };
    struct s3_cause cause = { .request_id = put->request_id, .principal = put->principal };
    enum status st = s3_store_bucket(core_db(s3->core), a, put->bucket, &bucket);
    if (st == ST_OK) {
        st = s3_write_current(s3, a, put->bucket, put->key, &old);
    }
    if (put->part_bytes > 0) {
        came_in_parts(a, put, &row);
    }
    struct s3_write write = { &row, old, "s3:ObjectCreated:Put" };
    return st == ST_OK ? s3_write_object(s3, a, &bucket, &write, &cause) : st;
}

enum status s3_object_put(struct core *core, const struct s3_put *put)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(FACADE_ARENA_MAX);
    struct core_mark mark;
    enum status st = core_mark(core, &mark);
    if (st == ST_OK) {
        st = core_mark_end(core, mark, put_in_mark(state_of(core), a, put));
    }
    if (st != ST_OK) {
        blob_discard(core_blobs(core), -1, put->ref.id);
    }
    return st;
}

enum status s3_object_delete(struct core *core, struct str bucket, struct str key)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(FACADE_ARENA_MAX);
    struct s3 *s3 = state_of(core);
    struct s3_bucket_row row;
    struct s3_object_row *old = NULL;
    struct s3_cause cause = { .request_id = STR_NONE };
    enum status st = s3_store_bucket(core_db(core), a, bucket, &row);
    if (st == ST_OK) {
        st = s3_write_current(s3, a, bucket, key, &old);
    }
    if (st != ST_OK || !old) {
        return st == ST_OK ? ST_NOT_FOUND : st;
    }
    return s3_write_removal(s3, a, &row, key, old, &cause);
}
