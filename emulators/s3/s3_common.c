#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_known.h"
#include "emulators/s3/s3_service.h"
#include "server/base/digest.h"
#include "server/core.h"

enum status s3_fail_argument(struct call *c, const char *name, struct str value, const char *text)
{
    enum status st = call_fail(c, &s3_InvalidArgument, "%s", text);
    call_fail_field(c, "ArgumentName", str_z(name));
    call_fail_field(c, "ArgumentValue", value);
    return st;
}

enum status s3_fail_header(struct call *c, const char *header, const char *text)
{
    enum status st = call_fail(c, &s3_NotImplemented, NULL);
    call_fail_field(c, "Header", str_z(header));
    call_fail_field(c, "additionalMessage", str_z(text));
    return st;
}

enum status s3_fail_key(struct call *c, struct str key)
{
    enum status st = call_fail(c, &s3_NoSuchKey, NULL);
    call_fail_field(c, "Key", key);
    return st;
}

struct str s3_owner_id(struct arena *a, struct str account)
{
    unsigned char out[DIGEST_MAX];
    struct str text = arena_printf(a, "s3 owner %.*s", STR_ARG(account));
    digest_bytes(DIGEST_SHA256, text.p, text.n, out);
    return hex_encode(a, out, 32);
}

struct str s3_quoted(struct arena *a, struct str etag)
{
    char *text = arena_alloc(a, etag.n + 3); /* zeroed: ends in a NUL */
    text[0] = text[etag.n + 1] = '"';
    if (etag.n > 0) {
        memcpy(text + 1, etag.p, etag.n);
    }
    return (struct str){ text, etag.n + 2 };
}

static enum status check_expected_owner(struct call *c, const struct s3_bucket_row *row,
                                        const char *header)
{
    struct str expected = call_header(c, header);
    int64_t number = 0;
    if (!str_set(expected)) {
        return ST_OK;
    }
    if (expected.n != 12 || str_i64(expected, &number) != ST_OK) {
        return call_fail(c, &s3_InvalidBucketOwnerAWSAccountID, NULL);
    }
    return str_eq(expected, row->account) ? ST_OK : call_fail(c, &s3_AccessDenied, NULL);
}

enum status s3_need_other_bucket(struct call *c, struct str name, const char *owner_header,
                                 struct s3_bucket_row *ret)
{
    /* The core must see what its transaction has changed already. */
    bool in_core = c->db == core_db(c->core);
    enum status st = in_core ? s3_store_bucket(c->db, c->arena, name, ret)
                             : s3_known_bucket(c->core, c->db, c->arena, name, ret);
    if (st == ST_NOT_FOUND) {
        st = call_fail(c, &s3_NoSuchBucket, NULL);
        call_fail_field(c, "BucketName", name);
        return st;
    }
    if (st != ST_OK) {
        return st;
    }
    if (!str_eq(ret->account, c->caller.account)) {
        return call_fail(c, &s3_AccessDenied, NULL);
    }
    return check_expected_owner(c, ret, owner_header);
}

enum status s3_need_bucket(struct call *c, struct s3_bucket_row *ret)
{
    return s3_need_other_bucket(c, c->bucket, "x-amz-expected-bucket-owner", ret);
}

enum status s3_check_bucket(struct call *c)
{
    struct s3_bucket_row row;
    return s3_need_bucket(c, &row);
}

enum status s3_check_key(struct call *c)
{
    if (c->key.n > S3_KEY_MAX) {
        enum status st = call_fail(c, &s3_KeyTooLongError, NULL);
        call_fail_field(c, "Size", arena_printf(c->arena, "%zu", c->key.n));
        call_fail_field(c, "MaxSizeAllowed", arena_printf(c->arena, "%d", S3_KEY_MAX));
        return st;
    }
    /* XML could not list a NUL. */
    if (!str_utf8(c->key) || str_find(c->key, '\0', 0) >= 0) {
        return call_fail(c, &s3_InvalidURI, NULL);
    }
    return ST_OK;
}

/* The shape of ids that AWS gives out: 32 characters of a file-name alphabet. */
static bool version_id_plausible(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        unsigned char ch = (unsigned char)id.p[i];
        bool alnum =
            (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        if (!alnum && ch != '.' && ch != '_' && ch != '-') {
            return false;
        }
    }
    return id.n == 32;
}

enum status s3_check_version(struct call *c, struct str version_id)
{
    if (!str_set(version_id) || str_eqz(version_id, "null")) {
        return ST_OK;
    }
    if (!version_id_plausible(version_id)) {
        return s3_fail_argument(c, "versionId", version_id,
                                version_id.n == 0 ? "Version id cannot be the empty string"
                                                  : "Invalid version id specified");
    }
    enum status st = call_fail(c, &s3_NoSuchVersion, NULL);
    call_fail_field(c, "Key", c->key);
    call_fail_field(c, "VersionId", version_id);
    return st;
}

enum status s3_find_object(struct call *c, struct str version_id, struct s3_object_row *ret)
{
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_check_key(c);
    }
    if (st == ST_OK) {
        st = s3_check_version(c, version_id);
    }
    return st == ST_OK ? s3_store_object(c->db, c->arena, c->bucket, c->key, ret) : st;
}

enum status s3_need_object(struct call *c, struct str version_id, struct s3_object_row *ret)
{
    enum status st = s3_find_object(c, version_id, ret);
    return st == ST_NOT_FOUND ? s3_fail_key(c, c->key) : st;
}

enum status s3_page_size(struct call *c, const char *name, const struct opt_i64 *given,
                         int64_t *ret)
{
    *ret = S3_PAGE_MAX;
    if (!given->set) {
        return ST_OK;
    }
    if (given->v < 0 || given->v > INT32_MAX) {
        return s3_fail_argument(c, name, arena_printf(c->arena, "%lld", (long long)given->v),
                                "Argument must be an integer between 0 and 2147483647");
    }
    *ret = given->v > S3_PAGE_MAX ? S3_PAGE_MAX : given->v;
    return ST_OK;
}
