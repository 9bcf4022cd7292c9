/* The daemon has no thread: its epoll descriptor and its timeout are watched by the core loop, and
 * MHD_run() is called on either. In that mode MHD_resume_connection() wakes nobody, so whoever
 * resumes also runs the daemon (unless it is running already, further up the stack). */
#include "server/http/local.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <sys/socket.h>

#include "server/base/buf.h"
#include "server/base/list.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/http/headers.h"
#include "server/loop/loop.h"

#define LOCAL_ARENA_MAX (16u << 20)
#define LOCAL_POOL_BYTES (32u << 10)
#define LOCAL_CONNECTIONS_MAX 64u
#define LOCAL_ROUNDS_MAX 16 /* MHD_run() calls before other work gets its turn */

struct local_http {
    struct MHD_Daemon *daemon;
    struct watch *watch;
    struct timer *timer;
    local_http_fn handler;
    void *arg;
    struct link kept; /* requests whose connection is suspended */
    bool running;     /* inside MHD_run() */
    bool again;       /* something was resumed meanwhile */
    bool stopping;
};

struct local_call {
    struct local_request request;
    struct local_http *http;
    struct MHD_Connection *connection;
    struct http_headers headers;
    struct buf body;
    struct MHD_Response *response; /* set by local_http_reply */
    unsigned status;
    bool begun;
    bool in_handler;
    struct link kept;
};

static struct local_call *call_of(struct local_request *req)
{
    return CONTAINER_OF(req, struct local_call, request);
}

/* --- running the daemon ----------------------------------------------------------------------- */

static void arm(struct local_http *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES) {
        timer_start(h->timer, (int64_t)ms, 0);
    } else {
        timer_stop(h->timer);
    }
}

static void run(struct local_http *h)
{
    if (h->running) {
        h->again = true;
        return;
    }
    h->running = true;
    MHD_UNSIGNED_LONG_LONG ms;
    int rounds = 0;
    do {
        h->again = false;
        if (MHD_run(h->daemon) != MHD_YES) {
            log_error("http", "a private HTTP server failed to run: %s", strerror(errno));
        }
    } while (++rounds < LOCAL_ROUNDS_MAX &&
             (h->again || (MHD_get_timeout(h->daemon, &ms) == MHD_YES && ms == 0)));
    h->running = false;
    arm(h);
}

static void on_ready(void *arg, int events)
{
    (void)events;
    run(arg);
}

static void on_timer(void *arg)
{
    run(arg);
}

/* --- requests --------------------------------------------------------------------------------- */

static struct local_call *local_call_new(struct local_http *h, const char *target)
{
    struct local_call *lc = xcalloc(1, sizeof(*lc));
    lc->http = h;
    lc->request.arena = arena_new(LOCAL_ARENA_MAX);
    buf_init(&lc->body, LOCAL_BODY_MAX);
    http_target_split(arena_strz(lc->request.arena, target), &lc->request.path, &lc->request.query);
    return lc;
}

static void local_call_free(struct local_call *lc)
{
    list_remove(&lc->kept);
    if (lc->response) {
        MHD_destroy_response(lc->response);
    }
    buf_fini(&lc->body);
    arena_free(lc->request.arena);
    free(lc);
}

struct str local_request_header(const struct local_request *req, const char *name)
{
    const struct local_call *lc =
        (const void *)((const char *)req - offsetof(struct local_call, request));
    return http_headers_get(&lc->headers, name);
}

void local_http_reply(struct local_request *req, int status, const struct local_header *headers,
                      size_t n_headers, struct str body)
{
    struct local_call *lc = call_of(req);
    struct local_http *h = lc->http;
    lc->status = (unsigned)status;
    lc->response =
        MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    for (size_t i = 0; lc->response && i < n_headers; i++) {
        if (MHD_add_response_header(lc->response, headers[i].name,
                                    arena_cstr(req->arena, headers[i].value)) != MHD_YES) {
            log_debug("http", "the header %s holds bytes that no header may; left out",
                      headers[i].name);
        }
    }
    if (!lc->in_handler) {
        list_remove(&lc->kept);
        MHD_resume_connection(lc->connection);
        run(h);
    }
}

static enum MHD_Result send_reply(struct local_call *lc)
{
    return lc->response ? MHD_queue_response(lc->connection, lc->status, lc->response) : MHD_NO;
}

static enum MHD_Result refuse(struct local_call *lc, int status, struct str text)
{
    lc->in_handler = true;
    local_http_reply(&lc->request, status, NULL, 0, text);
    return send_reply(lc);
}

/* --- the daemon's callbacks ------------------------------------------------------------------- */

static void *on_target(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    return local_call_new(cls, uri);
}

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                  const char *value, size_t value_n)
{
    struct local_call *lc = cls;
    (void)kind;
    http_headers_add(&lc->headers, lc->request.arena, (struct str){ key, key_n },
                     value ? (struct str){ value, value_n } : STR(""));
    return MHD_YES;
}

static enum MHD_Result complete(struct local_call *lc)
{
    struct local_http *h = lc->http;
    if (!buf_ok(&lc->body)) {
        return refuse(lc, 413, STR("the body is larger than 6 MiB\n"));
    }
    if (h->stopping) {
        return refuse(lc, 503, STR("stopping\n"));
    }
    lc->request.body = lc->body.n > 0 ? buf_str(&lc->body) : STR("");
    lc->in_handler = true;
    h->handler(h->arg, &lc->request);
    lc->in_handler = false;
    if (lc->response) {
        return send_reply(lc);
    }
    list_append(&h->kept, &lc->kept);
    MHD_suspend_connection(lc->connection);
    return MHD_YES;
}

/* The daemon decides on the parameters. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **con_cls)
{
    struct local_call *lc = *con_cls;
    (void)cls;
    (void)url;
    (void)version;
    if (!lc->begun) {
        lc->begun = true;
        lc->connection = connection;
        lc->request.method = arena_strz(lc->request.arena, method);
        (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, lc);
        return MHD_YES;
    }
    if (*upload_n > 0) {
        buf_add(&lc->body, upload, *upload_n); /* too much of it is told at the end */
        *upload_n = 0;
        return MHD_YES;
    }
    return lc->response ? send_reply(lc) : complete(lc);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    if (*con_cls) {
        local_call_free(*con_cls);
        *con_cls = NULL;
    }
}

static size_t no_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
    (void)cls;
    (void)connection;
    return strlen(s);
}

/* --- life ------------------------------------------------------------------------------------- */

static int listen_any(int *ret_port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(fd, 64) != 0 ||
                    getsockname(fd, (struct sockaddr *)&sa, &n) != 0)) {
        int why = errno;
        close_fd(&fd);
        errno = why;
        return -1;
    }
    *ret_port = ntohs(sa.sin_port);
    return fd;
}

enum status local_http_new(struct loop *loop, local_http_fn handler, void *arg,
                           struct local_http **ret, int *ret_port)
{
    int port = 0;
    int fd = listen_any(&port);
    if (fd < 0) {
        log_error("http", "no port on 127.0.0.1 for a private server: %s", strerror(errno));
        return ST_IO;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a client that hangs up is an error code, not our end */
    struct local_http *h = xcalloc(1, sizeof(*h));
    h->handler = handler;
    h->arg = arg;
    list_init(&h->kept);
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, LOCAL_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)LOCAL_POOL_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        log_error("http", "a private HTTP server could not be started: %s", strerror(errno));
        close_fd(&fd);
        free(h);
        return ST_IO;
    }
    h->watch = watch_new(loop, info->epoll_fd, on_ready, h);
    h->timer = timer_new(loop, on_timer, h);
    watch_start(h->watch, WATCH_READ);
    arm(h);
    *ret = h;
    *ret_port = port;
    return ST_OK;
}

void local_http_free(struct local_http *h)
{
    if (!h) {
        return;
    }
    h->stopping = true;
    while (!list_empty(&h->kept)) {
        struct local_call *lc = CONTAINER_OF(h->kept.next, struct local_call, kept);
        local_http_reply(&lc->request, 503, NULL, 0, STR("stopping\n"));
    }
    watch_free(h->watch);
    timer_free(h->timer);
    MHD_stop_daemon(h->daemon);
    free(h);
}
