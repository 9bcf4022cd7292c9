#include "emulators/s3/s3_headers.h"

#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_pairs.h"
#include "emulators/s3/s3_service.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/mem.h"

#define META_PREFIX "x-amz-meta-"
#define META_ENTRIES_MAX 1024

static bool one_of(struct str s, const char *const *names)
{
    for (; *names; names++) {
        if (str_eqz(s, *names)) {
            return true;
        }
    }
    return false;
}

enum status s3_acl_headers_check(struct call *c)
{
    static const char *const canned[] = { "private",
                                          "public-read",
                                          "public-read-write",
                                          "authenticated-read",
                                          "aws-exec-read",
                                          "bucket-owner-read",
                                          "bucket-owner-full-control",
                                          "log-delivery-write",
                                          NULL };
    static const char *const grants[] = { "x-amz-grant-full-control", "x-amz-grant-read",
                                          "x-amz-grant-read-acp",     "x-amz-grant-write",
                                          "x-amz-grant-write-acp",    NULL };
    struct str acl = call_header(c, "x-amz-acl");
    bool asks = false;
    if (!str_empty(acl)) {
        if (!one_of(acl, canned)) {
            return s3_fail_argument(c, "x-amz-acl", acl, "");
        }
        asks = !str_eqz(acl, "private") && !str_eqz(acl, "bucket-owner-full-control");
    }
    for (size_t i = 0; grants[i]; i++) {
        asks = asks || str_set(call_header(c, grants[i]));
    }
    return asks ? call_fail(c, &s3_AccessControlListNotSupported, NULL) : ST_OK;
}

static enum status check_encryption(struct call *c)
{
    struct str sse = call_header(c, "x-amz-server-side-encryption");
    if (str_set(call_header(c, "x-amz-server-side-encryption-customer-algorithm")) ||
        str_set(call_header(c, "x-amz-server-side-encryption-customer-key"))) {
        return s3_fail_header(c, "x-amz-server-side-encryption-customer-algorithm",
                              "Encryption with keys of the client is not implemented.");
    }
    if (str_eqz(sse, "aws:kms") || str_eqz(sse, "aws:kms:dsse") || str_eqz(sse, "aws:fsx")) {
        return s3_fail_header(c, "x-amz-server-side-encryption",
                              "Encryption with KMS keys is not implemented; use AES256.");
    }
    if (str_set(sse) && !str_eqz(sse, "AES256")) {
        return s3_fail_argument(c, "x-amz-server-side-encryption", sse,
                                "The encryption method specified is not supported");
    }
    return ST_OK;
}

static enum status check_storage_class(struct call *c)
{
    static const char *const kept[] = { "STANDARD",   "REDUCED_REDUNDANCY",  "STANDARD_IA",
                                        "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR",
                                        NULL };
    static const char *const known[] = { "GLACIER", "DEEP_ARCHIVE",    "OUTPOSTS",
                                         "SNOW",    "EXPRESS_ONEZONE", NULL };
    struct str class = call_header(c, "x-amz-storage-class");
    if (str_empty(class) || one_of(class, kept)) {
        return ST_OK;
    }
    if (one_of(class, known)) {
        return s3_fail_header(c, "x-amz-storage-class",
                              "Storage classes whose objects must be restored first, or that live "
                              "elsewhere, are not implemented.");
    }
    enum status st = call_fail(c, &s3_InvalidStorageClass, NULL);
    call_fail_field(c, "StorageClassRequested", class);
    return st;
}

enum status s3_headers_check(struct call *c)
{
    enum status st = check_encryption(c);
    if (st == ST_OK) {
        st = check_storage_class(c);
    }
    if (st == ST_OK) {
        st = s3_acl_headers_check(c);
    }
    if (st != ST_OK) {
        return st;
    }
    if (str_set(call_header(c, "x-amz-write-offset-bytes"))) {
        return s3_fail_header(c, "x-amz-write-offset-bytes", "Appending is not implemented.");
    }
    if (str_set(call_header(c, "x-amz-object-lock-mode")) ||
        str_set(call_header(c, "x-amz-object-lock-retain-until-date")) ||
        str_set(call_header(c, "x-amz-object-lock-legal-hold"))) {
        return call_fail(c, &s3_InvalidRequest, "Bucket is missing Object Lock Configuration");
    }
    return ST_OK;
}

/* Adds one header; the same name twice is joined by a comma, as a proxy would. */
static void meta_add(struct arena *a, struct s3_pairs *pairs, struct str name, struct str value)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (str_eq(pairs->v[i].name, name)) {
            pairs->v[i].value =
                arena_printf(a, "%.*s,%.*s", STR_ARG(pairs->v[i].value), STR_ARG(value));
            return;
        }
    }
    if (pairs->n < META_ENTRIES_MAX) {
        pairs->v[pairs->n++] = (struct s3_pair){ name, value };
    }
}

static enum status read_meta(struct call *c, struct str *ret)
{
    struct s3_pairs pairs = { NULL, 0 };
    size_t it = 0, bytes = 0;
    struct str name = STR_NONE, value = STR_NONE;
    while (call_each_header(c, &it, &name, &value)) {
        struct str head = str_sub(name, 0, sizeof(META_PREFIX) - 1);
        if (!str_ieqz(head, META_PREFIX)) {
            continue;
        }
        if (!pairs.v) {
            pairs.v = ARENA_ARRAY(c->arena, struct s3_pair, META_ENTRIES_MAX);
        }
        struct str rest = str_sub(name, sizeof(META_PREFIX) - 1, name.n);
        bytes += rest.n + str_trim(value).n;
        meta_add(c->arena, &pairs, arena_lower(c->arena, rest), str_trim(value));
    }
    if (bytes > S3_META_MAX) {
        enum status st = call_fail(c, &s3_MetadataTooLarge, NULL);
        call_fail_field(c, "Size", arena_printf(c->arena, "%zu", bytes));
        call_fail_field(c, "MaxSizeAllowed", arena_printf(c->arena, "%d", S3_META_MAX));
        return st;
    }
    *ret = s3_pairs_encode(c->arena, pairs);
    return ST_OK;
}

/* Content-Encoding without the transport's own word. */
static struct str stored_encoding(struct arena *a, struct str header)
{
    struct str rest = header, item = STR_NONE, out = STR_NONE;
    while (str_next(&rest, ',', &item)) {
        item = str_trim(item);
        if (item.n == 0 || str_ieqz(item, "aws-chunked")) {
            continue;
        }
        out = str_set(out) ? arena_printf(a, "%.*s,%.*s", STR_ARG(out), STR_ARG(item)) : item;
    }
    return out;
}

static enum status read_tags(struct call *c, struct str *ret)
{
    struct str text = call_header(c, "x-amz-tagging");
    if (str_empty(text)) {
        return ST_OK;
    }
    struct s3_pairs pairs = s3_pairs_parse_query(c->arena, text);
    const char *complaint = s3_tags_complaint(pairs, S3_OBJECT_TAGS_MAX);
    if (complaint) {
        return call_fail(c, &s3_InvalidTag, "%s", complaint);
    }
    *ret = s3_pairs_encode(c->arena, pairs);
    return ST_OK;
}

static struct str kept(struct call *c, const char *header)
{
    struct str value = call_header(c, header);
    return str_empty(value) ? STR_NONE : arena_str(c->arena, value);
}

enum status s3_headers_read(struct call *c, struct s3_headers *ret)
{
    *ret = (struct s3_headers){ .content_type = kept(c, "content-type") };
    enum status st = s3_headers_check(c);
    if (st == ST_OK) {
        st = read_meta(c, &ret->meta);
    }
    if (st == ST_OK) {
        st = read_tags(c, &ret->tags);
    }
    ret->content_encoding = stored_encoding(c->arena, call_header(c, "content-encoding"));
    ret->cache_control = kept(c, "cache-control");
    ret->content_disposition = kept(c, "content-disposition");
    ret->content_language = kept(c, "content-language");
    ret->expires = kept(c, "expires");
    ret->redirect = kept(c, "x-amz-website-redirect-location");
    ret->storage_class = kept(c, "x-amz-storage-class");
    if (str_eqz(ret->storage_class, "STANDARD")) {
        ret->storage_class = STR_NONE;
    }
    return st;
}

struct str s3_storage_class(const struct s3_headers *head)
{
    return str_set(head->storage_class) ? head->storage_class : STR("STANDARD");
}

void s3_checksum_reply(struct call *c, enum s3_alg alg, struct str value, bool composite)
{
    if (alg == S3_ALG_NONE || !str_set(value)) {
        return;
    }
    call_set_header(c, s3_alg_info(alg)->header, value);
    call_set_header(c, "x-amz-checksum-type", s3_checksum_type(composite));
}

static void reply_if(struct call *c, const char *name, struct str value)
{
    if (str_set(value)) {
        call_set_header(c, name, value);
    }
}

/* Bytes that are not ASCII travel as RFC 2047 words, as S3 sends them. */
static struct str meta_value(struct arena *a, struct str value)
{
    if (value.n == 0) {
        return STR(" "); /* the HTTP library drops empty headers; receivers trim this one */
    }
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] >= 0x80) {
            struct str b64 = base64_encode(a, value.p, value.n);
            return arena_printf(a, "=?UTF-8?B?%.*s?=", STR_ARG(b64));
        }
    }
    return value;
}

void s3_headers_reply(struct call *c, const struct s3_object_row *row)
{
    const struct s3_headers *h = &row->head;
    call_set_header(c, "ETag", s3_quoted(c->arena, row->etag));
    call_set_header(c, "Last-Modified", clock_rfc822(c->arena, row->modified_ms));
    call_set_header(c, "Accept-Ranges", STR("bytes"));
    call_set_header(c, "x-amz-server-side-encryption", STR("AES256"));
    call_set_header(c, "Content-Type",
                    str_set(h->content_type) ? h->content_type : STR("binary/octet-stream"));
    reply_if(c, "Content-Encoding", h->content_encoding);
    reply_if(c, "Cache-Control", h->cache_control);
    reply_if(c, "Content-Disposition", h->content_disposition);
    reply_if(c, "Content-Language", h->content_language);
    reply_if(c, "Expires", h->expires);
    reply_if(c, "x-amz-website-redirect-location", h->redirect);
    reply_if(c, "x-amz-storage-class", h->storage_class);
    struct s3_pairs meta = s3_pairs_decode(c->arena, h->meta);
    for (size_t i = 0; i < meta.n; i++) {
        struct str name = arena_printf(c->arena, META_PREFIX "%.*s", STR_ARG(meta.v[i].name));
        call_set_header(c, name.p, meta_value(c->arena, meta.v[i].value));
    }
    size_t tags = s3_pairs_decode(c->arena, h->tags).n;
    if (tags > 0) {
        call_set_header(c, "x-amz-tagging-count", arena_printf(c->arena, "%zu", tags));
    }
}
