#include "server/http/response.h"

#include <errno.h>
#include <microhttpd.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/http/exchange.h"

#define RESPONSE_COPY_MAX (32 << 10) /* files up to here are read, larger ones sent by sendfile */

/* Never asked for bytes: answers to HEAD only show the length. */
static ssize_t no_bytes(void *cls, uint64_t pos, char *buf, size_t max)
{
    (void)cls;
    (void)pos;
    (void)buf;
    (void)max;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *from_bytes(struct str bytes)
{
    /* The bytes live in the exchange, which outlives the response. */
    return MHD_create_response_from_buffer(bytes.n, (void *)(uintptr_t)bytes.p,
                                           MHD_RESPMEM_PERSISTENT);
}

/* Head and body in one packet cost less than sendfile's second one. */
static struct MHD_Response *from_small_file(const struct call_reply *r)
{
    char *bytes = xmalloc((size_t)r->len);
    size_t have = 0;
    while (have < (size_t)r->len) {
        ssize_t n =
            pread(r->fd, bytes + have, (size_t)r->len - have, (off_t)(r->off + (int64_t)have));
        if (n == 0 || (n < 0 && errno != EINTR)) {
            free(bytes);
            return NULL; /* shorter than its row says: the connection is closed */
        }
        have += n > 0 ? (size_t)n : 0;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(have, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
    }
    return response;
}

static struct MHD_Response *from_file(struct http_exchange *x)
{
    struct call_reply *r = &x->reply;
    if (r->fd < 0) {
        return MHD_create_response_from_callback((uint64_t)r->len, 1024, no_bytes, NULL, NULL);
    }
    if (r->len == 0) {
        return from_bytes(STR("")); /* the file is closed with the exchange */
    }
    if (r->len <= RESPONSE_COPY_MAX) {
        return from_small_file(r);
    }
    struct MHD_Response *response =
        MHD_create_response_from_fd_at_offset64((uint64_t)r->len, r->fd, (uint64_t)r->off);
    if (response) {
        r->fd = -1; /* the response closes it */
    }
    return response;
}

static bool is_head(const struct http_exchange *x)
{
    return str_eqz(x->call.method, "HEAD");
}

static struct MHD_Response *make(struct http_exchange *x, int status)
{
    struct call_reply *r = &x->reply;
    bool error = r->failure.error != NULL;
    if (status == 204 || status == 304 || status < 200) {
        return from_bytes(STR(""));
    }
    if (!error && r->kind == REPLY_FILE) {
        x->sent_bytes = r->len;
        return from_file(x);
    }
    struct str bytes = !error && r->kind == REPLY_BYTES ? r->bytes : buf_str(&r->wire.body);
    if (is_head(x) && error) {
        bytes = STR(""); /* S3 tells the length of nothing */
    }
    x->sent_bytes = (int64_t)bytes.n;
    return from_bytes(str_set(bytes) ? bytes : STR(""));
}

static void add(struct http_exchange *x, struct MHD_Response *response, struct str name,
                struct str value)
{
    struct arena *a = x->call.arena;
    const char *z = arena_cstr(a, value);
    /* our own work; a second one confuses clients */
    if (value.n == 0 || str_ieqz(name, "content-length") || str_ieqz(name, "transfer-encoding")) {
        return;
    }
    if (strlen(z) != value.n ||
        MHD_add_response_header(response, arena_cstr(a, name), z) != MHD_YES) {
        log_debug("http", "%.*s: the header %.*s holds bytes that no header may; left out",
                  STR_ARG(x->call.request_id), STR_ARG(name));
    }
}

static bool said_by_handler(const struct call_reply *r, struct str name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (str_ieq(r->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void add_headers(struct http_exchange *x, struct MHD_Response *response)
{
    struct call *c = &x->call;
    struct call_reply *r = &x->reply;
    bool s3 = c->protocol == PROTO_REST_XML;
    bool bytes = r->kind == REPLY_BYTES && !r->failure.error;
    struct str type = bytes && str_set(r->content_type) ? r->content_type : r->wire.content_type;
    if (!said_by_handler(r, STR("content-type"))) {
        add(x, response, STR("Content-Type"), type);
    }
    if (!said_by_handler(r, STR("server"))) {
        add(x, response, STR("Server"), s3 ? STR("AmazonS3") : STR("Cistern"));
    }
    add(x, response, s3 ? STR("x-amz-request-id") : STR("x-amzn-RequestId"), c->request_id);
    add(x, response, STR("x-amz-id-2"), c->host_id);
    for (size_t i = 0; i < r->wire.n_headers; i++) {
        if (!said_by_handler(r, r->wire.headers[i].name)) {
            add(x, response, r->wire.headers[i].name, r->wire.headers[i].value);
        }
    }
    for (size_t i = 0; i < r->n_headers; i++) {
        add(x, response, r->headers[i].name, r->headers[i].value);
    }
}

bool response_send(struct http_exchange *x)
{
    struct call_reply *r = &x->reply;
    int status = r->http_status ? r->http_status : r->wire.http_status;
    status = status ? status : 200;
    struct MHD_Response *response = make(x, status);
    if (!response) {
        log_error("http", "%.*s: no response could be made", STR_ARG(x->call.request_id));
        return false;
    }
    add_headers(x, response);
    x->phase = EXCHANGE_SENT;
    x->sent_status = status;
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)status, response);
    MHD_destroy_response(response); /* drops our reference only */
    return queued == MHD_YES;
}
