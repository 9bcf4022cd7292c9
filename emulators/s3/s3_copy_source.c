#include "emulators/s3/s3_copy_source.h"

#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_range.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/core.h"

#define SOURCE_HEADER "x-amz-copy-source"

struct source_name {
    struct str bucket, key, version;
};

/* "[/]bucket/key[?versionId=id]", percent-encoded. */
static enum status parse_source(struct call *c, struct source_name *ret)
{
    struct str text = call_header(c, SOURCE_HEADER), rest = STR_NONE;
    struct str version = STR("?versionId=");
    ptrdiff_t at = str_find_str(text, version);
    ret->version = STR_NONE;
    if (at >= 0) {
        ret->version = url_decode(c->arena, str_sub(text, (size_t)at + version.n, text.n), false);
        text = str_sub(text, 0, (size_t)at);
    }
    if (str_starts(text, STR("arn:"))) {
        return s3_fail_header(c, SOURCE_HEADER, "Access points are not implemented.");
    }
    text = url_decode(c->arena, text, false);
    if (str_starts(text, STR("/"))) {
        text = str_sub(text, 1, text.n);
    }
    if (!str_cut(text, '/', &ret->bucket, &rest) || str_empty(ret->bucket) || str_empty(rest) ||
        rest.n > S3_KEY_MAX || !str_utf8(text)) {
        return s3_fail_argument(c, SOURCE_HEADER, call_header(c, SOURCE_HEADER),
                                "Copy Source must mention the source bucket and key: "
                                "/sourcebucket/sourcekey");
    }
    ret->key = rest;
    return ST_OK;
}

static enum status check_conditions(struct call *c, const struct s3_object_row *source)
{
    struct s3_cond cond = {
        .if_match = call_header(c, "x-amz-copy-source-if-match"),
        .if_none_match = call_header(c, "x-amz-copy-source-if-none-match"),
        .if_modified_since = call_header(c, "x-amz-copy-source-if-modified-since"),
        .if_unmodified_since = call_header(c, "x-amz-copy-source-if-unmodified-since"),
    };
    const char *name = NULL;
    if (s3_cond_check(&cond, source->etag, source->modified_ms, clock_now_ms(), &name) ==
        S3_COND_OK) {
        return ST_OK;
    }
    enum status st = call_fail(c, &s3_PreconditionFailed, NULL);
    call_fail_field(c, "Condition", arena_printf(c->arena, "x-amz-copy-source-%s", name));
    return st;
}

enum status s3_copy_source(struct call *c, struct s3_object_row *ret)
{
    struct source_name name = { 0 };
    struct s3_bucket_row bucket;
    enum status st = parse_source(c, &name);
    if (st == ST_OK) {
        st = s3_need_other_bucket(c, name.bucket, "x-amz-source-expected-bucket-owner", &bucket);
    }
    if (st == ST_OK) {
        st = s3_check_version(c, name.version);
    }
    if (st != ST_OK) {
        return st;
    }
    if (str_set(call_header(c, "x-amz-copy-source-server-side-encryption-customer-algorithm"))) {
        return s3_fail_header(c, "x-amz-copy-source-server-side-encryption-customer-algorithm",
                              "Encryption with keys of the client is not implemented.");
    }
    st = s3_store_object(c->db, c->arena, name.bucket, name.key, ret);
    if (st == ST_NOT_FOUND) {
        return s3_fail_key(c, name.key);
    }
    return st == ST_OK ? check_conditions(c, ret) : st;
}

enum status s3_copy_source_open(struct call *c, const struct s3_object_row *source, int *ret_fd)
{
    enum status st = blob_open(core_blobs(c->core), &source->ref, source->path, ret_fd);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &s3_InternalError,
                         "The bytes of the source are missing: the file buckets/%.*s in the data "
                         "folder was removed or changed by another program.",
                         STR_ARG(source->path));
    }
    return st;
}
