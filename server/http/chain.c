#include "server/http/chain.h"

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/core_run.h"
#include "server/http/admin.h"
#include "server/http/exchange.h"
#include "server/http/guard.h"

static const struct aws_error refused_page = { "AccessDenied", NULL, 403, NULL };
static const struct aws_error no_admin = { "NotFound", NULL, 404, NULL };

/* --- wire view of the call -------------------------------------------------------------------- */

static struct str wire_header(const void *arg, const char *name)
{
    return call_header(arg, name);
}

static bool wire_each_header(const void *arg, size_t *it, struct str *ret_name,
                             struct str *ret_value)
{
    return call_each_header(arg, it, ret_name, ret_value);
}

/* Brings x->wire up to what is known by now. */
static void refresh_wire(struct http_exchange *x)
{
    struct call *c = &x->call;
    size_t n = 0;
    if (str_set(c->bucket)) {
        x->labels[n++] = (struct wire_label){ "Bucket", c->bucket };
    }
    if (str_set(c->key)) {
        x->labels[n++] = (struct wire_label){ "Key", c->key };
    }
    x->wire = (struct wire_request){
        .protocol = c->protocol,
        .service = c->service,
        .op = c->op,
        .arena = c->arena,
        .method = c->method,
        .path = x->route.path,
        .query = c->query,
        .body = c->body.bytes,
        .request_id = c->request_id,
        .host_id = c->host_id,
        .query_mode = str_ieqz(call_header(c, "x-amzn-query-mode"), "true"),
        .labels = x->labels,
        .n_labels = n,
        .header = wire_header,
        .each_header = wire_each_header,
        .arg = c,
    };
}

/* --- identify --------------------------------------------------------------------------------- */

static void name_request(struct call *c)
{
    if (c->protocol == PROTO_REST_XML) {
        c->request_id = id_hex_upper(c->arena, 16);
        unsigned char bytes[48];
        id_random(bytes, sizeof(bytes));
        c->host_id = base64_encode(c->arena, bytes, sizeof(bytes));
    } else {
        c->request_id = id_uuid(c->arena);
    }
}

static enum status take_route(struct http_exchange *x)
{
    struct call *c = &x->call;
    const struct route *route = &x->route;
    c->protocol = route->protocol;
    c->service = route->service;
    c->bucket = route->bucket;
    c->key = route->key;
    if (c->service) {
        c->state = core_state(c->core, c->service->name);
        return ST_OK;
    }
    if (route->form) {
        return ST_OK; /* the body will tell */
    }
    return call_fail(c, &wire_NotImplemented, "Cistern does not emulate this service: %.*s.",
                     STR_ARG(route->wanted));
}

static bool is_own_path(struct str path)
{
    return str_starts(path, STR("/_"));
}

static const struct service own_service = {
    .name = "cistern",
    .signing_name = "cistern",
    .protocols = PROTO_JSON11,
};

static enum status find_own(struct http_exchange *x)
{
    struct call *c = &x->call;
    c->service = &own_service;
    c->op = http_admin_find(c->method, c->path);
    if (!c->op) {
        return call_fail(c, &no_admin,
                         "%.*s %.*s is not part of Cistern's own API; GET /_cistern/health is.",
                         STR_ARG(c->method), STR_ARG(c->path));
    }
    return ST_OK;
}

/* --- find the operation ----------------------------------------------------------------------- */

static enum status unknown_op(struct http_exchange *x)
{
    struct call *c = &x->call;
    struct str name = x->route.op_name;
    if (str_set(name)) {
        return call_fail(c, codec_unknown_op(c->protocol), "The service %s has no operation %.*s.",
                         c->service->name, STR_ARG(name));
    }
    return call_fail(c, codec_unknown_op(c->protocol),
                     "The service %s has no operation for %.*s %.*s.", c->service->name,
                     STR_ARG(c->method), STR_ARG(c->path));
}

static enum status find_op(struct http_exchange *x)
{
    struct call *c = &x->call;
    const struct service *s = c->service;
    if (c->protocol == PROTO_REST_JSON || c->protocol == PROTO_REST_XML) {
        c->op = s->route ? s->route(c)
                         : op_match_rest(s->ops, s->n_ops, c->method, x->route.path, c->query);
    } else if (str_set(x->route.op_name)) {
        c->op = op_find(s->ops, s->n_ops, x->route.op_name);
    }
    if (!c->op) {
        return unknown_op(x);
    }
    if (!c->op->fn) {
        return call_fail(c, &wire_NotImplemented,
                         "Cistern does not implement %s of %s yet; nothing was done.", c->op->name,
                         s->name);
    }
    return auth_check_op(x);
}

/* --- the body's way in ------------------------------------------------------------------------ */

static void strip_aws_chunked(struct http_exchange *x, struct str encoding)
{
    struct call *c = &x->call;
    struct buf kept = BUF_INIT(HTTP_HEADERS_MAX);
    struct str item;
    while (str_next(&encoding, ',', &item)) {
        item = str_trim(item);
        if (!str_ieqz(item, "aws-chunked")) {
            buf_puts(&kept, kept.n > 0 ? "," : "");
            buf_str_add(&kept, item);
        }
    }
    x->content_encoding_changed = true;
    x->content_encoding = kept.n > 0 ? arena_str(c->arena, buf_str(&kept)) : STR_NONE;
    buf_fini(&kept);
}

static enum status dechunk(struct http_exchange *x)
{
    struct call *c = &x->call;
    struct str encoding = http_headers_get(&x->request.headers, "content-encoding");
    struct str stated = http_headers_get(&x->request.headers, "x-amz-content-sha256");
    bool named = http_list_has(encoding, "aws-chunked");
    if (!named && !str_starts(stated, STR("STREAMING-"))) {
        return ST_OK;
    }
    int64_t declared = -1;
    struct str length = http_headers_get(&x->request.headers, "x-amz-decoded-content-length");
    if (str_set(length) && (str_i64(length, &declared) != ST_OK || declared < 0)) {
        static const struct aws_error invalid = { "InvalidArgument", NULL, 400, NULL };
        return call_fail(c, &invalid, "x-amz-decoded-content-length is not a number of bytes.");
    }
    struct aws_chunked_options options;
    auth_chunk_options(x, &options);
    body_dechunk(&x->body, &options, declared);
    if (named) {
        strip_aws_chunked(x, encoding);
    }
    return ST_OK;
}

static enum status stage(struct http_exchange *x)
{
    struct call *c = &x->call;
    if (c->service->prepare) {
        enum status st = call_status(c, c->service->prepare(c));
        if (st != ST_OK) {
            return st;
        }
    }
    unsigned want = c->body.want;
    if (x->auth.check_payload || x->auth.wants_body_hash) {
        want |= 1u << DIGEST_SHA256;
    }
    if (body_to_file(&x->body, core_blobs(c->core), want) != ST_OK) {
        log_error("http", "%.*s: no file for the request body: %s", STR_ARG(c->request_id),
                  strerror(x->body.error_number));
        return call_fail(c, &wire_InternalFailure,
                         "The request body could not be written to the data folder: %s.",
                         strerror(x->body.error_number));
    }
    return ST_OK;
}

static size_t body_limit(const struct call *c)
{
    return c->op && c->op->flags & OP_BIG_IN ? HTTP_BIG_BODY_MAX : HTTP_BODY_MAX;
}

static enum status too_large(struct call *c)
{
    return call_fail(c, &wire_RequestEntityTooLarge,
                     "The request body is larger than the %zu bytes that this operation takes.",
                     body_limit(c));
}

static enum status open_body(struct http_exchange *x)
{
    struct call *c = &x->call;
    int64_t length = -1;
    struct str text = http_headers_get(&x->request.headers, "content-length");
    if (str_set(text) && str_i64(text, &length) != ST_OK) {
        length = -1; /* the transport has its own opinion on such a header */
    }
    if (c->op && c->op->flags & OP_STREAM_IN) {
        enum status st = stage(x);
        return st == ST_OK ? dechunk(x) : st;
    }
    if (length > (int64_t)body_limit(c)) {
        return too_large(c);
    }
    body_to_memory(&x->body, body_limit(c), length);
    return dechunk(x);
}

static enum status begin(struct http_exchange *x)
{
    struct call *c = &x->call;
    const char *reason;
    if (!guard_allows(&x->request, core_config(c->core)->listen_addr, &reason)) {
        c->protocol = PROTO_JSON11;
        name_request(c);
        return call_fail(c, &refused_page, "%s", reason);
    }
    if (is_own_path(x->request.path)) {
        c->protocol = PROTO_JSON11;
        name_request(c);
        enum status st = find_own(x);
        return st == ST_OK ? open_body(x) : st;
    }
    auth_read(x);
    struct route_scope scope = {
        .service = x->auth.kind == AUTH_V4 ? x->auth.v4.service : STR_NONE,
        .s3v2 = x->auth.kind == AUTH_V2,
    };
    route_find(core_services(c->core), &x->request, &scope, c->arena, &x->route);
    c->protocol = x->route.protocol;
    name_request(c);
    enum status st = take_route(x);
    if (st == ST_OK) {
        st = auth_check(x);
    }
    if (st == ST_OK && !x->route.form) {
        st = find_op(x);
    }
    return st == ST_OK ? open_body(x) : st;
}

enum status chain_begin(struct http_exchange *x)
{
    struct call *c = &x->call;
    x->route.path = x->request.path;
    c->method = x->request.method;
    c->path = x->request.path;
    c->query = x->request.query;
    c->host = http_headers_get(&x->request.headers, "host");
    c->caller.account = core_default_account(c->core);
    c->caller.region = core_default_region(c->core);
    enum status st = begin(x);
    if (st != ST_OK) {
        body_drop(&x->body);
    }
    return st;
}

/* --- the body is there ------------------------------------------------------------------------ */

static enum status chunk_fault(struct http_exchange *x)
{
    static const struct aws_error incomplete = { "IncompleteBody", NULL, 400, NULL };
    static const struct aws_error size = { "InvalidChunkSizeError", NULL, 400, NULL };
    static const struct aws_error trailer = { "MalformedTrailerError", NULL, 400, NULL };
    struct call *c = &x->call;
    long long at = (long long)aws_chunked_offset(x->body.chunked);
    switch (aws_chunked_fault(x->body.chunked)) {
    case CHUNKED_SIZE:
        return call_fail(c, &size,
                         "The size of an aws-chunked frame before byte %lld of the body "
                         "is no hex number of bytes.",
                         at);
    case CHUNKED_TRAILER:
        return call_fail(c, &trailer,
                         "The request contained trailing data that was not well-formed, or lacks a "
                         "trailer that x-amz-trailer announced.");
    case CHUNKED_SIGNATURE:
        return call_fail(c, auth_error(FAULT_SIGNATURE, c->protocol),
                         "The signature of the aws-chunked frame that ends at byte %lld of the "
                         "body, or of its trailer, is missing or wrong.",
                         at);
    case CHUNKED_CUT:
        return call_fail(c, &incomplete, "The aws-chunked body ends before its last frame.");
    default:
        return call_fail(c, &incomplete,
                         "The aws-chunked framing is broken at byte %lld of the body.", at);
    }
}

static enum status body_failed(struct http_exchange *x)
{
    static const struct aws_error incomplete = { "IncompleteBody", NULL, 400, NULL };
    static const struct aws_error encoding = { "InvalidContentEncoding", NULL, 400, NULL };
    struct call *c = &x->call;
    const struct http_body *b = &x->body;
    switch (b->fault) {
    case BODY_TOO_LARGE:
        return too_large(c);
    case BODY_CHUNKED:
        return chunk_fault(x);
    case BODY_LENGTH:
        return call_fail(c, &incomplete,
                         "The body holds %lld decoded bytes, x-amz-decoded-content-length says "
                         "%lld.",
                         (long long)b->decoded, (long long)b->declared);
    case BODY_GZIP:
        return call_fail(c, &encoding,
                         "Content-Encoding says gzip, but the body is not a complete gzip stream.");
    default:
        log_error("http", "%.*s: cannot write the request body: %s", STR_ARG(c->request_id),
                  strerror(b->error_number));
        return call_fail(c, &wire_InternalFailure,
                         "The request body could not be written to the data folder: %s. Nothing "
                         "was changed.",
                         strerror(b->error_number));
    }
}

static enum status check_hash(struct http_exchange *x)
{
    struct call *c = &x->call;
    if (!x->auth.check_payload && !x->auth.wants_body_hash) {
        return ST_OK;
    }
    unsigned char hash[DIGEST_MAX];
    if (c->body.staged) {
        memcpy(hash, c->body.digest[DIGEST_SHA256], 32);
    } else {
        digest_bytes(DIGEST_SHA256, c->body.bytes.p, c->body.bytes.n, hash);
    }
    return auth_check_body(x, hex_encode(c->arena, hash, 32));
}

static enum status unpack(struct http_exchange *x)
{
    struct call *c = &x->call;
    if (c->body.staged || c->protocol == PROTO_REST_XML || c->service == &own_service ||
        !str_ieqz(call_header(c, "content-encoding"), "gzip")) {
        return ST_OK;
    }
    return body_gunzip(&x->body, body_limit(c), &c->body.bytes) == ST_OK ? ST_OK : body_failed(x);
}

static enum status find_form_op(struct http_exchange *x)
{
    struct call *c = &x->call;
    route_form(core_services(c->core), &x->request, c->body.bytes, c->arena, &x->route);
    enum status st = take_route(x);
    if (st == ST_OK) {
        st = find_op(x);
    }
    if (st == ST_OK && c->op->flags & OP_STREAM_IN) {
        /* an unsigned form to an address where only streams are taken */
        static const struct aws_error denied = { "AccessDenied", NULL, 403, "Access Denied" };
        st = call_fail(c, &denied, NULL);
    }
    return st;
}

enum status chain_body(struct http_exchange *x)
{
    struct call *c = &x->call;
    if (body_end(&x->body, &c->body) != ST_OK) {
        return body_failed(x);
    }
    enum status st = check_hash(x);
    if (st == ST_OK) {
        st = unpack(x);
    }
    if (st == ST_OK && x->route.form) {
        st = find_form_op(x);
    }
    if (st != ST_OK) {
        return st;
    }
    refresh_wire(x);
    if (c->service == &own_service) {
        return ST_OK;
    }
    struct wire_failure failure = { 0 };
    st = codec_decode(&x->wire, &c->in, &failure);
    if (st == ST_AWS) {
        x->reply.failure = failure;
        return ST_AWS;
    }
    if (st == ST_OK) {
        c->out = codec_new_out(c->op, c->arena);
        st = arena_over(c->arena) ? ST_NOMEM : ST_OK;
    }
    return call_status(c, st);
}

/* --- invoke and encode ------------------------------------------------------------------------ */

enum status chain_invoke(struct http_exchange *x)
{
    struct call *c = &x->call;
    enum status st = c->op->fn(c, c->in, c->out);
    return arena_over(c->arena) && st == ST_OK ? ST_NOMEM : st;
}

static enum status encode_error(struct http_exchange *x)
{
    refresh_wire(x);
    if (codec_encode_error(&x->wire, &x->reply.failure, &x->reply.wire) != ST_OK) {
        log_error("http", "%.*s: the error %s could not be rendered", STR_ARG(x->call.request_id),
                  x->reply.failure.error->code);
        wire_reply_fini(&x->reply.wire);
        x->reply.wire = (struct wire_reply){ .http_status = 500 };
    }
    return ST_AWS;
}

enum status chain_encode(struct http_exchange *x, enum status st)
{
    struct call *c = &x->call;
    struct call_reply *r = &x->reply;
    refresh_wire(x);
    st = call_status(c, st);
    if (st == ST_AWS && !r->failure.error) {
        log_error(c->service ? c->service->name : "http",
                  "%.*s: a handler refused without a reason", STR_ARG(c->request_id));
        st = call_fail(c, &wire_InternalFailure, NULL);
    }
    if (st == ST_AWS) {
        call_reply_file(c, -1, 0, 0); /* closes a file that was already open */
        r->kind = REPLY_SHAPE;
        r->http_status = 0;
        return encode_error(x);
    }
    r->failure = (struct wire_failure){ 0 }; /* of an attempt that the handler recovered from */
    if (c->service == &own_service) {
        r->wire.http_status = 200;
        if (r->kind == REPLY_SHAPE) {
            call_reply_bytes(c, STR("application/json"), STR("{}"));
        }
        return ST_OK;
    }
    st = codec_encode(&x->wire, c->out, &r->wire);
    if (st != ST_OK) {
        wire_reply_fini(&r->wire);
        status_ignore(call_status(c, st)); /* records the error */
        call_reply_file(c, -1, 0, 0);
        r->kind = REPLY_SHAPE;
        return encode_error(x);
    }
    return ST_OK;
}

void chain_unavailable(struct http_exchange *x, const char *words)
{
    struct call *c = &x->call;
    call_reply_reset(&x->reply);
    if (!str_set(c->request_id)) {
        name_request(c);
    }
    status_ignore(chain_encode(x, call_fail(c, &wire_ServiceUnavailable, "%s", words)));
}
