#include "server/http/call.h"

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/http/exchange.h"

/* --- reply ------------------------------------------------------------------------------------ */

void call_reply_init(struct call_reply *r)
{
    *r = (struct call_reply){ .fd = -1 };
}

void call_reply_fini(struct call_reply *r)
{
    close_fd(&r->fd);
    r->fd = -1;
    wire_reply_fini(&r->wire);
}

void call_reply_reset(struct call_reply *r)
{
    call_reply_fini(r);
    call_reply_init(r);
}

enum status call_fail(struct call *c, const struct aws_error *error, const char *fmt, ...)
{
    struct call_reply *r = c->reply;
    r->failure.error = error;
    r->failure.text = STR_NONE;
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        r->failure.text = arena_vprintf(c->arena, fmt, ap);
        va_end(ap);
    }
    return ST_AWS;
}

void call_fail_field(struct call *c, const char *name, struct str value)
{
    struct call_reply *r = c->reply;
    if (r->n_extras % 8 == 0) {
        struct wire_extra *grown = ARENA_ARRAY(c->arena, struct wire_extra, r->n_extras + 8);
        if (r->n_extras > 0) {
            memcpy(grown, r->extras, r->n_extras * sizeof(*grown));
        }
        r->extras = grown;
    }
    r->extras[r->n_extras++] =
        (struct wire_extra){ arena_strz(c->arena, name).p, arena_str(c->arena, value) };
    r->failure.extras = r->extras;
    r->failure.n_extras = r->n_extras;
}

enum status call_status(struct call *c, enum status st)
{
    switch (st) {
    case ST_OK:
    case ST_AWS:
    case ST_PENDING:
        return st;
    case ST_NOMEM:
        return call_fail(c, &wire_ServiceUnavailable,
                         "A limit of this server was passed while handling the request.");
    default:
        log_error(c->service ? c->service->name : "http", "%.*s %s failed: %s",
                  STR_ARG(c->request_id), c->op ? c->op->name : "request", status_name(st));
        return call_fail(c, &wire_InternalFailure,
                         "The server failed (%s); its log says why, under request id %.*s.",
                         status_name(st), STR_ARG(c->request_id));
    }
}

void call_set_header(struct call *c, const char *name, struct str value)
{
    struct call_reply *r = c->reply;
    value = arena_str(c->arena, value);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (str_ieqz(r->headers[i].name, name)) {
            r->headers[i].value = value;
            return;
        }
    }
    if (r->n_headers == r->headers_cap) {
        size_t cap = r->headers_cap ? r->headers_cap * 2 : 8;
        struct wire_header *grown = ARENA_ARRAY(c->arena, struct wire_header, cap);
        if (r->n_headers > 0) {
            memcpy(grown, r->headers, r->n_headers * sizeof(*grown));
        }
        r->headers = grown;
        r->headers_cap = cap;
    }
    r->headers[r->n_headers++] = (struct wire_header){ arena_strz(c->arena, name), value };
}

void call_set_http_status(struct call *c, int http_status)
{
    c->reply->http_status = http_status;
}

void call_reply_file(struct call *c, int fd, int64_t off, int64_t len)
{
    struct call_reply *r = c->reply;
    close_fd(&r->fd);
    r->kind = REPLY_FILE;
    r->fd = fd;
    r->off = off;
    r->len = len;
}

void call_reply_bytes(struct call *c, struct str content_type, struct str bytes)
{
    struct call_reply *r = c->reply;
    r->kind = REPLY_BYTES;
    r->content_type = arena_str(c->arena, content_type);
    r->bytes = arena_str(c->arena, bytes);
}

/* --- request ---------------------------------------------------------------------------------- */

struct http_exchange *exchange_of(struct call *c)
{
    return c->http;
}

struct str call_header_named(const struct call *c, struct str name)
{
    const struct http_exchange *x = c->http;
    if (!x) {
        return STR_NONE;
    }
    if (x->content_encoding_changed && str_ieqz(name, "content-encoding")) {
        return x->content_encoding;
    }
    struct str value = http_headers_named(&x->request.headers, name);
    const struct http_headers *trailers = body_trailers(&x->body);
    return str_set(value) || !trailers ? value : http_headers_named(trailers, name);
}

void call_forget_headers(struct call *c)
{
    struct http_exchange *x = c->http;
    x->request.headers = (struct http_headers){ .n = 0 };
    x->content_encoding_changed = false;
}

void call_add_header(struct call *c, struct str name, struct str value)
{
    http_headers_add(&c->http->request.headers, c->arena, name, value);
}

bool call_each_header(const struct call *c, size_t *it, struct str *ret_name, struct str *ret_value)
{
    const struct http_exchange *x = c->http;
    if (!x) {
        return false;
    }
    const struct http_headers *h = &x->request.headers;
    const struct http_headers *trailers = body_trailers(&x->body);
    size_t n = h->n + (trailers ? trailers->n : 0);
    while (*it < n) {
        size_t i = (*it)++;
        const struct http_header *line = i < h->n ? &h->v[i] : &trailers->v[i - h->n];
        *ret_name = line->name;
        *ret_value = line->value;
        if (!x->content_encoding_changed || !str_ieqz(line->name, "content-encoding")) {
            return true;
        }
        *ret_value = x->content_encoding;
        if (str_set(*ret_value)) {
            return true;
        }
    }
    return false;
}

bool call_query(const struct call *c, const char *name, struct str *ret_value)
{
    return http_query_get(c->query, c->arena, name, ret_value);
}

struct str call_arn(const struct call *c, const char *service, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str rest = arena_vprintf(c->arena, fmt, ap);
    va_end(ap);
    return arena_printf(c->arena, "arn:aws:%s:%.*s:%.*s:%.*s", service, STR_ARG(c->caller.region),
                        STR_ARG(c->caller.account), STR_ARG(rest));
}
