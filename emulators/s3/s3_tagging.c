/* Tags of objects and buckets. */
#include "emulators/s3/s3_tagging.h"
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_event.h"
#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_pairs.h"
#include "server/base/clock.h"

enum status s3_tags_read(struct call *c, const struct s3_tag_set *set, size_t max, struct str *ret)
{
    struct s3_pairs pairs = { ARENA_ARRAY(c->arena, struct s3_pair, set->n + 1), set->n };
    for (size_t i = 0; i < set->n; i++) {
        struct str value = set->v[i].Value;
        pairs.v[i].name = str_set(set->v[i].Key) ? set->v[i].Key : STR("");
        pairs.v[i].value = str_set(value) ? value : STR("");
    }
    const char *complaint = s3_tags_complaint(pairs, max);
    if (complaint) {
        return call_fail(c, &s3_InvalidTag, "%s", complaint);
    }
    *ret = s3_pairs_encode(c->arena, pairs);
    return ST_OK;
}

static struct s3_tag_set tag_set(struct arena *a, struct str text)
{
    struct s3_pairs pairs = s3_pairs_decode(a, text);
    struct s3_tag_set set = { 0, ARENA_ARRAY(a, struct s3_tag, pairs.n + 1) };
    for (size_t i = 0; i < pairs.n; i++) {
        set.v[set.n++] = (struct s3_tag){ pairs.v[i].name, pairs.v[i].value };
    }
    return set;
}

enum status s3_get_object_tagging(struct call *c, const struct s3_get_object_tagging_request *in,
                                  struct s3_get_object_tagging_response *ret_out)
{
    struct s3_object_row row;
    enum status st = s3_need_object(c, in->VersionId, &row);
    if (st == ST_OK) {
        ret_out->TagSet = tag_set(c->arena, row.head.tags);
    }
    return call_status(c, st);
}

static enum status store_tags(struct call *c, struct str tags, struct str version,
                              const char *event_name)
{
    struct s3_object_row row;
    struct s3_bucket_row bucket;
    enum status st = s3_need_object(c, version, &row);
    if (st == ST_OK) {
        st = s3_need_bucket(c, &bucket);
    }
    if (st == ST_OK) {
        st = s3_store_set_tags(c->db, c->bucket, c->key, tags);
    }
    if (st != ST_OK) {
        return st;
    }
    struct s3_event ev = {
        .name = event_name,
        .shape = S3_EVENT_TAGGED,
        .key = c->key,
        .etag = row.etag,
        .time_ms = clock_now_ms(),
    };
    struct s3_cause cause = s3_cause_of(c);
    return s3_event_fire(call_s3(c), c->arena, &bucket, &ev, &cause);
}

enum status s3_put_object_tagging(struct call *c, const struct s3_put_object_tagging_request *in,
                                  struct s3_put_object_tagging_response *ret_out)
{
    (void)ret_out;
    struct str tags = STR_NONE;
    enum status st = s3_integrity_check_bytes(c, false);
    if (st == ST_OK) {
        st = in->Tagging ? s3_tags_read(c, &in->Tagging->TagSet, S3_OBJECT_TAGS_MAX, &tags)
                         : call_fail(c, &s3_MalformedXML, NULL);
    }
    if (st == ST_OK) {
        st = store_tags(c, tags, in->VersionId, "s3:ObjectTagging:Put");
    }
    return call_status(c, st);
}

enum status s3_delete_object_tagging(struct call *c,
                                     const struct s3_delete_object_tagging_request *in,
                                     struct s3_delete_object_tagging_response *ret_out)
{
    (void)ret_out;
    return call_status(c, store_tags(c, STR_NONE, in->VersionId, "s3:ObjectTagging:Delete"));
}

enum status s3_get_bucket_tagging(struct call *c, const struct s3_get_bucket_tagging_request *in,
                                  struct s3_get_bucket_tagging_response *ret_out)
{
    (void)in;
    struct str text = STR_NONE;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_store_setting(c->db, c->arena, c->bucket, "tagging", &text);
        if (st == ST_NOT_FOUND) {
            st = call_fail(c, &s3_NoSuchTagSet, NULL);
            call_fail_field(c, "BucketName", c->bucket);
        }
    }
    if (st == ST_OK) {
        ret_out->TagSet = tag_set(c->arena, text);
    }
    return call_status(c, st);
}

enum status s3_put_bucket_tagging(struct call *c, const struct s3_put_bucket_tagging_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct str tags = STR_NONE;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_integrity_check_bytes(c, false);
    }
    if (st == ST_OK) {
        st = in->Tagging ? s3_tags_read(c, &in->Tagging->TagSet, S3_BUCKET_TAGS_MAX, &tags)
                         : call_fail(c, &s3_MalformedXML, NULL);
    }
    if (st == ST_OK) {
        st = str_set(tags) ? s3_store_set_setting(c->db, c->bucket, "tagging", tags)
                           : s3_store_drop_setting(c->db, c->bucket, "tagging");
    }
    if (st == ST_OK) {
        call_set_http_status(c, 204);
    }
    return call_status(c, st);
}

enum status s3_delete_bucket_tagging(struct call *c,
                                     const struct s3_delete_bucket_tagging_request *in,
                                     void *ret_out)
{
    (void)in;
    (void)ret_out;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_store_drop_setting(c->db, c->bucket, "tagging");
    }
    return call_status(c, st);
}
