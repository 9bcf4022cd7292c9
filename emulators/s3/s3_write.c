#include "emulators/s3/s3_write.h"

#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_range.h"
#include "emulators/s3/s3_view.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

enum status s3_write_cond_read(struct call *c, struct s3_write_cond *ret)
{
    *ret = (struct s3_write_cond){ call_header(c, "if-match"), call_header(c, "if-none-match") };
    if (str_set(ret->if_match) && str_set(ret->if_none_match)) {
        return s3_fail_header(c, "If-Match,If-None-Match",
                              "Multiple conditional request headers present in the request");
    }
    if (str_eqz(ret->if_match, "*")) {
        return s3_fail_header(c, "If-Match",
                              "We don't accept the provided value of If-Match "
                              "header for this API");
    }
    if (str_set(ret->if_none_match) && !str_eqz(s3_etag_bare(ret->if_none_match), "*")) {
        return s3_fail_header(c, "If-None-Match",
                              "We don't accept the provided value of If-None-Match header for "
                              "this API");
    }
    return ST_OK;
}

static enum status fail_precondition(struct call *c, const char *name)
{
    enum status st = call_fail(c, &s3_PreconditionFailed, NULL);
    call_fail_field(c, "Condition", str_z(name));
    return st;
}

static enum status fail_conflict(struct call *c, const char *name)
{
    enum status st = call_fail(c, &s3_ConditionalRequestConflict, NULL);
    call_fail_field(c, "Condition", str_z(name));
    call_fail_field(c, "Key", c->key);
    return st;
}

enum status s3_write_cond_check(struct call *c, const struct s3_write_cond *cond,
                                const struct s3_object_row *old, int64_t before_id)
{
    if (str_set(cond->if_none_match)) {
        if (old) {
            return fail_precondition(c, "If-None-Match");
        }
        return before_id > 0 ? fail_conflict(c, "If-None-Match") : ST_OK;
    }
    if (!str_set(cond->if_match)) {
        return ST_OK;
    }
    if (before_id > 0 && (!old || old->ref.id != before_id)) {
        return fail_conflict(c, "If-Match");
    }
    if (!old) {
        return s3_fail_key(c, c->key);
    }
    return s3_etag_matches(cond->if_match, old->etag) ? ST_OK : fail_precondition(c, "If-Match");
}

enum status s3_write_current(struct s3 *s3, struct arena *a, struct str bucket, struct str key,
                             struct s3_object_row **ret)
{
    struct s3_object_row *row = ARENA_NEW(a, struct s3_object_row);
    enum status st = s3_store_object(core_db(s3->core), a, bucket, key, row);
    *ret = st == ST_OK ? row : NULL;
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static void remember(struct s3 *s3, const struct s3_object_row *row)
{
    struct s3_recent *r = &s3->recent[s3->next_recent];
    s3->next_recent = (s3->next_recent + 1) % S3_RECENT_MAX;
    free(r->key);
    r->id = row->ref.id;
    r->key = xmalloc(row->key.n + 1);
    memcpy(r->key, row->key.p, row->key.n);
    r->key_n = row->key.n;
}

void s3_moved(void *arg, const struct blob_ref *ref, struct str new_path)
{
    struct s3 *s3 = arg;
    struct str key = STR_NONE, bucket = STR_NONE, rest = STR_NONE;
    for (size_t i = 0; i < S3_RECENT_MAX && !str_set(key); i++) {
        const struct s3_recent *r = &s3->recent[i];
        if (r->key && r->id == ref->id) {
            key = (struct str){ r->key, r->key_n };
        }
    }
    str_cut(new_path, '/', &bucket, &rest);
    enum status st = s3_store_moved(core_db(s3->core), bucket, key, ref, new_path);
    if (st != ST_OK) {
        log_error("s3", "cannot record that %.*s holds a file of this bucket: %s",
                  STR_ARG(new_path), status_name(st));
    }
}

enum status s3_write_object(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                            const struct s3_write *write, const struct s3_cause *cause)
{
    struct s3_object_row *row = write->row;
    const struct s3_object_row *old = write->old;
    row->size = row->ref.size;
    row->modified_ms = clock_now_ms();
    row->path = blob_path(a, row->bucket, row->key);
    enum status st = ST_OK;
    if (old) {
        st = s3_view_retire(s3, old, cause);
    }
    if (st == ST_OK) {
        st = s3_store_put_object(core_db(s3->core), row);
    }
    if (st == ST_OK) {
        st = blob_intend(s3->core, &row->ref, row->path, row->bucket, row->key);
    }
    if (st != ST_OK) {
        return st;
    }
    remember(s3, row);
    struct s3_event ev = {
        .name = write->event,
        .shape = S3_EVENT_CREATED,
        .key = row->key,
        .etag = row->etag,
        .size = row->size,
        .time_ms = row->modified_ms,
    };
    return s3_event_fire(s3, a, bucket, &ev, cause);
}

enum status s3_write_removal(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                             struct str key, const struct s3_object_row *old,
                             const struct s3_cause *cause)
{
    enum status st = ST_OK;
    if (old) {
        st = s3_view_retire(s3, old, cause);
        if (st == ST_OK) {
            st = s3_store_drop_object(core_db(s3->core), bucket->name, key);
        }
    }
    if (st != ST_OK) {
        return st;
    }
    struct s3_event ev = {
        .name = "s3:ObjectRemoved:Delete",
        .shape = S3_EVENT_REMOVED,
        .key = key,
        .time_ms = clock_now_ms(),
    };
    return s3_event_fire(s3, a, bucket, &ev, cause);
}
