#include "server/http/request.h"

#include <arpa/inet.h>
#include <microhttpd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/http/chain.h"
#include "server/http/exchange.h"
#include "server/http/listener.h"
#include "server/http/listener_impl.h"
#include "server/http/response.h"

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                  const char *value, size_t value_n)
{
    struct http_exchange *x = cls;
    (void)kind;
    /* the daemon keeps the text until the answer has left */
    http_headers_add(&x->request.headers, x->call.arena, (struct str){ key, key_n },
                     value ? (struct str){ value, value_n } : STR(""));
    return MHD_YES;
}

static struct str peer_address(struct arena *a, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    if (info && info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)info->client_addr;
        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
    } else if (info && info->client_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)info->client_addr;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
    }
    return arena_strz(a, text);
}

/* Is it cheap to read the rest of the body, so that the client gets to the answer? Else the answer
 * goes out now and the connection is closed behind it. */
static bool worth_draining(const struct http_exchange *x)
{
    if (str_ieqz(http_headers_get(&x->request.headers, "expect"), "100-continue")) {
        return false; /* it waits for our word before it sends */
    }
    struct str length = http_headers_get(&x->request.headers, "content-length");
    int64_t n;
    return !str_set(length) || str_i64(length, &n) != ST_OK || n <= HTTP_DRAIN_MAX;
}

static bool has_body(const struct http_exchange *x)
{
    struct str length = http_headers_get(&x->request.headers, "content-length");
    return (str_set(length) && !str_eqz(length, "0")) ||
           str_set(http_headers_get(&x->request.headers, "transfer-encoding"));
}

bool request_head(struct http_exchange *x, struct MHD_Connection *connection, const char *method)
{
    struct listener *l = x->listener;
    struct call *c = &x->call;
    x->connection = connection;
    x->phase = EXCHANGE_BODY;
    x->request.method = arena_strz(c->arena, method);
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, x);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    x->socket = info ? info->connect_fd : -1;
    c->source_ip = peer_address(c->arena, connection);
    c->db = listener_db(l);
    enum status st = chain_begin(x);
    if (st == ST_OK) {
        return true;
    }
    status_ignore(chain_encode(x, st)); /* the error is the answer */
    x->phase = EXCHANGE_ANSWER;
    return has_body(x) && !worth_draining(x) ? response_send(x) : true;
}

bool request_bytes(struct http_exchange *x, const char *p, size_t n)
{
    body_feed(&x->body, p, n);
    bool refused = x->phase == EXCHANGE_ANSWER || x->body.fault != BODY_OK;
    return !refused || x->body.received <= HTTP_DRAIN_MAX + (int64_t)x->body.max;
}

static bool answer_here(struct http_exchange *x, enum status st)
{
    status_ignore(chain_encode(x, st)); /* an error is an answer too */
    return response_send(x);
}

static bool hand_over(struct http_exchange *x)
{
    struct listener *l = x->listener;
    /* Counted before the question, so that listener_stop() either sees it or refuses it. */
    atomic_fetch_add(&l->in_core_count, 1);
    if (atomic_load(&l->closing)) {
        atomic_fetch_sub(&l->in_core_count, 1);
        chain_unavailable(x, "The server is stopping.");
        return response_send(x);
    }
    MHD_suspend_connection(x->connection);
    exchange_to_core(x);
    return true;
}

bool request_complete(struct http_exchange *x)
{
    if (x->phase == EXCHANGE_ANSWER) {
        return response_send(x);
    }
    enum status st = chain_body(x);
    if (st != ST_OK) {
        return answer_here(x, st);
    }
    if (!(x->call.op->flags & OP_READ)) {
        return hand_over(x);
    }
    if (!x->call.db) {
        return answer_here(x, ST_DB);
    }
    st = chain_invoke(x);
    if (st == ST_PENDING) {
        log_error("http", "%s is marked as reading but wants to answer later", x->call.op->name);
        st = ST_CONFLICT;
    }
    return answer_here(x, st);
}

void request_log(const struct http_exchange *x, bool completed)
{
    const struct call *c = &x->call;
    enum log_level level = x->sent_status >= 500 ? LOG_INFO : LOG_DEBUG;
    if (!log_enabled(level, "access")) {
        return;
    }
    int64_t us = clock_mono_us() - x->started_us;
    const char *code = x->reply.failure.error ? x->reply.failure.error->code : "";
    log_write(level, "access", "%.*s %s %s %.*s %.*s %d%s%s in=%lld out=%lld %lld.%03lld ms%s",
              STR_ARG(c->request_id), c->service ? c->service->name : "-",
              c->op ? c->op->name : "-", STR_ARG(c->method), STR_ARG(c->path), x->sent_status,
              *code ? " " : "", code, (long long)x->body.received, (long long)x->sent_bytes,
              (long long)(us / 1000), (long long)(us % 1000), completed ? "" : " (client gone)");
}
