#include "server/http/sigv2.h"

#include <stdlib.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/mem.h"

#define TEXT_MAX (256u << 10)

/* Query parameters that are part of the resource. Sorted. */
static const char *const sub_resources[] = {
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

bool sigv2_present(const struct http_request *r)
{
    struct str auth = http_headers_get(&r->headers, "authorization");
    return str_starts(auth, STR("AWS ")) ||
           (!str_set(auth) && str_find_str(r->query, STR("AWSAccessKeyId=")) >= 0);
}

static enum status parse_query(const struct http_request *r, struct arena *a, struct sigv2 *ret,
                               struct sig_problem *ret_problem)
{
    ret->query = true;
    if (!http_query_get(r->query, a, "AWSAccessKeyId", &ret->access_key) ||
        !http_query_get(r->query, a, "Signature", &ret->signature) ||
        !http_query_get(r->query, a, "Expires", &ret->date)) {
        *ret_problem = (struct sig_problem){
            true, "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
                  "parameters"
        };
        return ST_INVALID;
    }
    if (str_i64(ret->date, &ret->expires_s) != ST_OK) {
        *ret_problem = (struct sig_problem){ true, "Invalid date (should be seconds since epoch)" };
        return ST_INVALID;
    }
    (void)http_query_get(r->query, a, "x-amz-security-token", &ret->session_token);
    return ST_OK;
}

enum status sigv2_parse(const struct http_request *r, struct arena *a, struct sigv2 *ret,
                        struct sig_problem *ret_problem)
{
    *ret = (struct sigv2){ 0 };
    struct str auth = http_headers_get(&r->headers, "authorization");
    if (!str_set(auth)) {
        return parse_query(r, a, ret, ret_problem);
    }
    struct str rest = str_sub(auth, 4, auth.n);
    if (!str_cut(rest, ':', &ret->access_key, &ret->signature) || ret->access_key.n == 0) {
        *ret_problem = (struct sig_problem){ false, "AWS authorization header is invalid. Expected "
                                                    "AwsAccessKeyId:signature" };
        return ST_INVALID;
    }
    struct str date = http_headers_get(&r->headers, "date");
    struct str amz = http_headers_get(&r->headers, "x-amz-date");
    ret->date = str_set(amz) ? STR("") : date;
    if (clock_parse(str_set(amz) ? amz : date, &ret->time_ms) != ST_OK) {
        *ret_problem =
            (struct sig_problem){ false,
                                  "AWS authentication requires a valid Date or x-amz-date header" };
        return ST_INVALID;
    }
    ret->session_token = http_headers_get(&r->headers, "x-amz-security-token");
    return ST_OK;
}

static int by_name(const void *pa, const void *pb)
{
    const struct http_header *a = pa;
    const struct http_header *b = pb;
    return str_cmp(a->name, b->name);
}

static bool is_amz(struct str lower_name)
{
    return str_starts(lower_name, STR("x-amz-"));
}

/* x-amz-* lines; a presigned URL may carry them as parameters (botocore makes such). */
static void add_amz(struct buf *out, const struct http_request *r, bool query, struct arena *a)
{
    struct http_headers list = { 0 };
    for (size_t i = 0; i < r->headers.n; i++) {
        struct str name = arena_lower(a, r->headers.v[i].name);
        if (is_amz(name)) {
            http_headers_add(&list, a, name, str_trim(r->headers.v[i].value));
        }
    }
    struct str rest = query ? r->query : STR_NONE, name, value;
    while (http_query_next(&rest, &name, &value)) {
        name = arena_lower(a, url_decode(a, name, false));
        if (is_amz(name) && !str_set(http_headers_get(&list, arena_cstr(a, name)))) {
            http_headers_add(&list, a, name, url_decode(a, value, true));
        }
    }
    if (list.n > 1) {
        qsort(list.v, list.n, sizeof(*list.v), by_name);
    }
    for (size_t i = 0; i < list.n; i++) {
        buf_str_add(out, list.v[i].name);
        buf_putc(out, ':');
        buf_str_add(out, list.v[i].value);
        while (i + 1 < list.n && str_eq(list.v[i + 1].name, list.v[i].name)) {
            buf_putc(out, ',');
            buf_str_add(out, list.v[++i].value);
        }
        buf_putc(out, '\n');
    }
}

static void add_resource(struct buf *out, const struct http_request *r, struct str bucket,
                         bool slash, struct arena *a)
{
    if (str_set(bucket)) {
        buf_putc(out, '/');
        buf_str_add(out, bucket);
    }
    buf_str_add(out, r->path);
    buf_puts(out, slash ? "/" : "");
    char next = '?';
    for (size_t i = 0; i < ARRAY_LEN(sub_resources); i++) {
        struct str rest = r->query, name, value;
        while (http_query_next(&rest, &name, &value)) {
            if (str_eqz(name, sub_resources[i])) {
                buf_putc(out, next);
                buf_puts(out, sub_resources[i]);
                buf_puts(out, value.n > 0 ? "=" : "");
                buf_str_add(out, url_decode(a, value, true));
                next = '&';
            }
        }
    }
}

/* A header, which a presigned URL may carry as a parameter too. */
static struct str header_or_parameter(const struct http_request *r, bool query, const char *name,
                                      struct arena *a)
{
    struct str value;
    if (query && http_query_get(r->query, a, name, &value)) {
        return value;
    }
    return http_headers_get(&r->headers, name);
}

static bool base64_is(struct str secret, struct str text, struct str signature, struct arena *a)
{
    unsigned char mac[20];
    hmac_sha1(secret, text, mac);
    struct str right = base64_encode(a, mac, sizeof(mac));
    return signature.n == right.n && digest_equal(signature.p, right.p, right.n);
}

static struct str string_to_sign(const struct http_request *r, const struct sigv2 *s,
                                 struct str bucket, bool slash, struct arena *a)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    buf_str_add(&out, r->method);
    buf_putc(&out, '\n');
    buf_str_add(&out, header_or_parameter(r, s->query, "content-md5", a));
    buf_putc(&out, '\n');
    buf_str_add(&out, header_or_parameter(r, s->query, "content-type", a));
    buf_putc(&out, '\n');
    buf_str_add(&out, s->date);
    buf_putc(&out, '\n');
    add_amz(&out, r, s->query, a);
    add_resource(&out, r, bucket, slash, a);
    struct str text = buf_ok(&out) ? arena_str(a, buf_str(&out)) : STR("");
    buf_fini(&out);
    return text;
}

bool sigv2_verify(const struct http_request *r, const struct sigv2 *s, struct str bucket,
                  struct str secret, struct arena *a, struct sig_text *ret_text)
{
    struct str text = string_to_sign(r, s, bucket, false, a);
    if (ret_text) {
        *ret_text = (struct sig_text){ STR_NONE, text };
    }
    if (text.n > 0 && base64_is(secret, text, s->signature, a)) {
        return true;
    }
    /* botocore asks for "/bucket" and signs "/bucket/" */
    if (str_set(bucket) || r->path.n < 2 || str_find(r->path, '/', 1) >= 0) {
        return false;
    }
    text = string_to_sign(r, s, bucket, true, a);
    return text.n > 0 && base64_is(secret, text, s->signature, a);
}

bool sigv2_policy_verify(struct str secret, struct str policy_base64, struct str signature,
                         struct arena *a)
{
    return base64_is(secret, policy_base64, signature, a);
}
