/* DeleteObject and DeleteObjects. A key that doesn't exist is deleted successfully, and S3 tells
 * about it by an event all the same. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_range.h"
#include "emulators/s3/s3_write.h"

static enum status check_match_headers(struct call *c)
{
    static const char *const refused[] = { "x-amz-if-match-size",
                                           "x-amz-if-match-last-modified-time", NULL };
    for (size_t i = 0; refused[i]; i++) {
        if (str_set(call_header(c, refused[i]))) {
            return s3_fail_header(c, refused[i], "This condition is for directory buckets only.");
        }
    }
    return ST_OK;
}

static enum status check_if_match(struct call *c, const struct s3_object_row *old)
{
    struct str if_match = call_header(c, "if-match");
    if (!str_set(if_match)) {
        return ST_OK;
    }
    if (!old) {
        return s3_fail_key(c, c->key);
    }
    if (!s3_etag_matches(if_match, old->etag)) {
        enum status st = call_fail(c, &s3_PreconditionFailed, NULL);
        call_fail_field(c, "Condition", STR("If-Match"));
        return st;
    }
    return ST_OK;
}

enum status s3_delete_object(struct call *c, const struct s3_delete_object_request *in,
                             struct s3_delete_object_response *ret_out)
{
    (void)ret_out;
    struct s3_bucket_row bucket;
    struct s3_object_row *old = NULL;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_check_key(c);
    }
    if (st == ST_OK) {
        st = s3_check_version(c, in->VersionId);
    }
    if (st == ST_OK) {
        st = check_match_headers(c);
    }
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, c->bucket, c->key, &old);
    }
    if (st == ST_OK) {
        st = check_if_match(c, old);
    }
    if (st == ST_OK) {
        struct s3_cause cause = s3_cause_of(c);
        st = s3_write_removal(call_s3(c), c->arena, &bucket, c->key, old, &cause);
    }
    return call_status(c, st);
}

/* NULL: may be deleted. Else the code and text for the entry's Error element. */
static const char *entry_complaint(const struct s3_object_identifier *id,
                                   const struct s3_object_row *old, const char **ret_text)
{
    if (str_set(id->VersionId) && !str_eqz(id->VersionId, "null")) {
        *ret_text = "The specified version does not exist.";
        return "NoSuchVersion";
    }
    if (id->LastModifiedTime.set || id->Size.set) {
        *ret_text = "Conditions on size and time are for directory buckets only.";
        return "NotImplemented";
    }
    if (str_set(id->ETag) && !old) {
        *ret_text = "The specified key does not exist.";
        return "NoSuchKey";
    }
    if (str_set(id->ETag) && !s3_etag_matches(id->ETag, old->etag)) {
        *ret_text = "At least one of the pre-conditions you specified did not hold";
        return "PreconditionFailed";
    }
    return NULL;
}

static enum status delete_entry(struct call *c, const struct s3_bucket_row *bucket,
                                const struct s3_object_identifier *id,
                                struct s3_delete_objects_response *out, bool quiet)
{
    struct s3_object_row *old = NULL;
    const char *text = NULL;
    enum status st = s3_write_current(call_s3(c), c->arena, bucket->name, id->Key, &old);
    if (st != ST_OK) {
        return st;
    }
    const char *code = entry_complaint(id, old, &text);
    if (code) {
        out->Errors.v[out->Errors.n++] = (struct s3_error){
            .Key = id->Key, .VersionId = id->VersionId, .Code = str_z(code), .Message = str_z(text)
        };
        return ST_OK;
    }
    struct s3_cause cause = s3_cause_of(c);
    st = s3_write_removal(call_s3(c), c->arena, bucket, id->Key, old, &cause);
    if (st == ST_OK && !quiet) {
        out->Deleted.v[out->Deleted.n++] =
            (struct s3_deleted_object){ .Key = id->Key, .VersionId = id->VersionId };
    }
    return st;
}

static enum status check_entries(struct call *c, const struct s3_object_identifier_list *list)
{
    if (list->n == 0 || list->n > S3_DELETE_MAX) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (str_empty(list->v[i].Key)) {
            return call_fail(c, &s3_MalformedXML, NULL);
        }
    }
    return ST_OK;
}

enum status s3_delete_objects(struct call *c, const struct s3_delete_objects_request *in,
                              struct s3_delete_objects_response *ret_out)
{
    struct s3_bucket_row bucket;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_integrity_check_bytes(c, true);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (!in->Delete) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    st = check_entries(c, &in->Delete->Objects);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    const struct s3_object_identifier_list *list = &in->Delete->Objects;
    bool quiet = in->Delete->Quiet.set && in->Delete->Quiet.v;
    ret_out->Errors.v = ARENA_ARRAY(c->arena, struct s3_error, list->n);
    ret_out->Deleted.v = ARENA_ARRAY(c->arena, struct s3_deleted_object, list->n);
    for (size_t i = 0; i < list->n && st == ST_OK; i++) {
        st = delete_entry(c, &bucket, &list->v[i], ret_out, quiet);
    }
    return call_status(c, st);
}
