#include "server/http/route.h"

#include "server/base/digest.h"
#include "server/wire/codec.h"

#define JSON_PROTOCOLS (PROTO_JSON10 | PROTO_JSON11)
#define FORM_PROTOCOLS (PROTO_QUERY | PROTO_EC2)

static bool is_form(const struct http_request *r)
{
    struct str type = http_headers_get(&r->headers, "content-type");
    return str_starts(type, STR("application/x-www-form-urlencoded"));
}

/* --- finding a service ------------------------------------------------------------------------ */

static const struct service *by_protocol(const struct service *const *list, unsigned protocols)
{
    for (; *list; list++) {
        if ((*list)->protocols & protocols) {
            return *list;
        }
    }
    return NULL;
}

static const struct service *by_scope(const struct service *const *list, struct str scope)
{
    for (size_t i = 0; list[i]; i++) {
        if (str_eqz(scope, list[i]->signing_name)) {
            return list[i];
        }
    }
    for (size_t i = 0; list[i]; i++) {
        if (str_eqz(scope, list[i]->name)) {
            return list[i];
        }
    }
    return NULL;
}

static const struct service *by_target(const struct service *const *list, struct str prefix)
{
    for (; *list; list++) {
        if ((*list)->target_prefix && str_eqz(prefix, (*list)->target_prefix)) {
            return *list;
        }
    }
    return NULL;
}

static const struct service *by_version(const struct service *const *list, struct str version)
{
    for (; *list; list++) {
        const struct service *s = *list;
        if ((s->protocols & FORM_PROTOCOLS) && s->api_version && str_eqz(version, s->api_version)) {
            return s;
        }
    }
    return NULL;
}

/* "/2015-03-31/functions/…": a REST-JSON service with an operation there. */
static const struct service *by_dated_path(const struct service *const *list,
                                           const struct http_request *r)
{
    struct str p = r->path;
    if (p.n < 12 || p.p[0] != '/' || p.p[1] != '2' || p.p[2] != '0' || p.p[5] != '-' ||
        p.p[8] != '-' || p.p[11] != '/') {
        return NULL;
    }
    for (; *list; list++) {
        const struct service *s = *list;
        if ((s->protocols & PROTO_REST_JSON) &&
            op_match_rest(s->ops, s->n_ops, r->method, r->path, r->query)) {
            return s;
        }
    }
    return NULL;
}

/* --- hosts ------------------------------------------------------------------------------------ */

struct str route_host_name(struct str host)
{
    if (host.n > 0 && host.p[0] == '[') {
        ptrdiff_t end = str_find(host, ']', 0);
        return end < 0 ? host : str_sub(host, 1, (size_t)end);
    }
    struct str name, port;
    (void)str_cut(host, ':', &name, &port);
    return name;
}

struct str route_host_bucket(struct str host, struct arena *a)
{
    struct str name = route_host_name(host);
    for (size_t i = name.n; i-- > 1;) {
        struct str rest = str_sub(name, i, name.n);
        if (str_starts(rest, STR(".s3.")) || str_starts(rest, STR(".s3-"))) {
            return arena_str(a, str_sub(name, 0, i));
        }
    }
    if (str_ends(name, STR(".localhost")) && !str_eqz(name, "s3.localhost") &&
        !str_starts(name, STR("s3.")) && !str_starts(name, STR("s3-"))) {
        return arena_str(a, str_sub(name, 0, name.n - STR(".localhost").n));
    }
    return STR_NONE;
}

/* "glue.eu-west-1.amazonaws.com" */
static const struct service *by_host(const struct service *const *list, struct str host)
{
    struct str name = route_host_name(host), first, rest;
    if (!str_ends(name, STR(".amazonaws.com")) || !str_cut(name, '.', &first, &rest)) {
        return NULL;
    }
    return by_scope(list, first);
}

/* --- S3 addresses ----------------------------------------------------------------------------- */

static void address(const struct http_request *r, struct arena *a, struct route *ret)
{
    struct str bucket = route_host_bucket(http_headers_get(&r->headers, "host"), a);
    struct str rest = str_sub(r->path, r->path.p[0] == '/' ? 1 : 0, r->path.n);
    if (str_set(bucket)) {
        ret->bucket = bucket;
        ret->key = rest.n > 0 ? url_decode(a, rest, false) : STR_NONE;
        struct str spelt = url_encode(a, bucket, false);
        ret->path = arena_printf(a, "/%.*s%.*s", STR_ARG(spelt), STR_ARG(r->path));
        return;
    }
    struct str key = STR_NONE;
    (void)str_cut(rest, '/', &bucket, &key);
    ret->bucket = bucket.n > 0 ? url_decode(a, bucket, false) : STR_NONE;
    ret->key = bucket.n > 0 && key.n > 0 ? url_decode(a, key, false) : STR_NONE;
}

/* --- protocol --------------------------------------------------------------------------------- */

/* "/service/GraniteServiceVersion20100801/operation/PutMetricData" */
static bool cbor_path(struct str path, struct str *ret_service, struct str *ret_op)
{
    struct str rest = path, part;
    return str_next(&rest, '/', &part) && part.n == 0 && str_next(&rest, '/', &part) &&
           str_eqz(part, "service") && str_next(&rest, '/', ret_service) &&
           str_next(&rest, '/', &part) && str_eqz(part, "operation") &&
           str_next(&rest, '/', ret_op);
}

static bool is_cbor(const struct http_request *r)
{
    return str_eqz(http_headers_get(&r->headers, "smithy-protocol"), "rpc-v2-cbor");
}

static enum protocol json_protocol(const struct http_request *r, unsigned spoken)
{
    struct str type = http_headers_get(&r->headers, "content-type");
    if (str_starts(type, STR("application/x-amz-json-1.0"))) {
        return PROTO_JSON10;
    }
    if (str_starts(type, STR("application/x-amz-json-1.1"))) {
        return PROTO_JSON11;
    }
    return spoken & PROTO_JSON11 || !(spoken & PROTO_JSON10) ? PROTO_JSON11 : PROTO_JSON10;
}

/* The protocol of an answer to somebody whose service we don't know. */
static enum protocol guess(const struct http_request *r)
{
    if (is_cbor(r)) {
        return PROTO_CBOR;
    }
    if (str_set(http_headers_get(&r->headers, "x-amz-target"))) {
        return json_protocol(r, 0);
    }
    return is_form(r) ? PROTO_QUERY : PROTO_REST_JSON;
}

static void set_target(struct route *ret, struct str target)
{
    struct str prefix, name;
    if (str_cut(target, '.', &prefix, &name)) {
        ret->op_name = name;
    } else {
        ret->op_name = target;
    }
}

static void set_protocol(const struct http_request *r, struct arena *a, struct route *ret)
{
    const struct service *s = ret->service;
    struct str target = http_headers_get(&r->headers, "x-amz-target");
    struct str cbor_service;
    if (!s) {
        ret->protocol = guess(r);
    } else if (is_cbor(r) && (s->protocols & PROTO_CBOR)) {
        ret->protocol = PROTO_CBOR;
        (void)cbor_path(r->path, &cbor_service, &ret->op_name);
    } else if ((s->protocols & JSON_PROTOCOLS) &&
               (str_set(target) || !(s->protocols & ~(unsigned)(JSON_PROTOCOLS | PROTO_CBOR)))) {
        ret->protocol = json_protocol(r, s->protocols);
        set_target(ret, target);
    } else if (s->protocols & PROTO_REST_XML) {
        ret->protocol = PROTO_REST_XML;
        address(r, a, ret);
    } else if (s->protocols & PROTO_REST_JSON) {
        ret->protocol = PROTO_REST_JSON;
    } else {
        ret->protocol = s->protocols & PROTO_EC2 ? PROTO_EC2 : PROTO_QUERY;
        ret->op_name = codec_form_value(a, r->query, STR_NONE, "Action");
        ret->form = !str_set(ret->op_name);
    }
}

/* --- the rules -------------------------------------------------------------------------------- */

static bool unsigned_form(const struct service *const *list, const struct http_request *r,
                          struct arena *a, struct route *ret)
{
    struct str version = codec_form_value(a, r->query, STR_NONE, "Version");
    if (str_set(version) && str_set(codec_form_value(a, r->query, STR_NONE, "Action"))) {
        ret->service = by_version(list, version);
        ret->wanted = arena_printf(a, "the one with API version %.*s", STR_ARG(version));
        set_protocol(r, a, ret);
        if (!ret->service) {
            ret->protocol = PROTO_QUERY;
        }
        return true;
    }
    if (str_eqz(r->method, "POST") && is_form(r)) {
        ret->form = true;
        ret->protocol = PROTO_QUERY;
        return true;
    }
    return false;
}

static const struct service *by_unsigned(const struct service *const *list,
                                         const struct http_request *r, struct str *ret_wanted)
{
    struct str target = http_headers_get(&r->headers, "x-amz-target"), prefix, name;
    if (str_cut(target, '.', &prefix, &name)) {
        *ret_wanted = prefix;
        return by_target(list, prefix);
    }
    if (is_cbor(r) && cbor_path(r->path, &prefix, &name)) {
        *ret_wanted = prefix;
        return by_target(list, prefix);
    }
    return NULL;
}

void route_find(const struct service *const *list, const struct http_request *r,
                const struct route_scope *scope, struct arena *a, struct route *ret)
{
    *ret = (struct route){ .path = r->path };
    if (str_set(scope->service)) {
        ret->service = by_scope(list, scope->service);
        ret->wanted = scope->service;
        if (ret->service && (ret->service->protocols & PROTO_REST_XML) &&
            str_starts(r->path, STR("/v20180820/"))) {
            ret->service = by_scope(list, STR("s3control"));
            ret->wanted = STR("s3control");
        }
        set_protocol(r, a, ret);
        return;
    }
    if (!scope->s3v2) {
        ret->service = by_unsigned(list, r, &ret->wanted);
        if (ret->service || str_set(ret->wanted)) {
            set_protocol(r, a, ret);
            return;
        }
        if (unsigned_form(list, r, a, ret)) {
            return;
        }
        ret->service = by_dated_path(list, r);
        if (!ret->service) {
            ret->service = by_host(list, http_headers_get(&r->headers, "host"));
        }
    }
    if (!ret->service) {
        ret->service = by_protocol(list, PROTO_REST_XML);
        ret->wanted = STR("s3");
    }
    set_protocol(r, a, ret);
}

void route_form(const struct service *const *list, const struct http_request *r, struct str body,
                struct arena *a, struct route *ret)
{
    ret->form = false;
    ret->op_name = codec_form_value(a, r->query, body, "Action");
    if (ret->service) {
        return;
    }
    struct str version = codec_form_value(a, r->query, body, "Version");
    if (str_set(ret->op_name) && str_set(version)) {
        ret->service = by_version(list, version);
        ret->wanted = arena_printf(a, "the one with API version %.*s", STR_ARG(version));
        if (ret->service) {
            ret->protocol = ret->service->protocols & PROTO_EC2 ? PROTO_EC2 : PROTO_QUERY;
        }
        return;
    }
    /* a form that is no query call: S3, which will refuse what it doesn't know */
    ret->op_name = STR_NONE;
    ret->service = by_protocol(list, PROTO_REST_XML);
    ret->wanted = STR("s3");
    set_protocol(r, a, ret);
}
