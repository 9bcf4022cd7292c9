#include "server/http/listener.h"

#include <errno.h>
#include <malloc.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/http/exchange.h"
#include "server/http/health.h"
#include "server/http/listener_impl.h"
#include "server/http/request.h"
#include "server/store/db.h"

#define LISTEN_BACKLOG 511
#define BIND_TRIES 10 /* when the port is taken */
#define BIND_PAUSE_MS 100
#define FILES_RESERVED 256u /* descriptors left for everything but connections */

/* --- threads' databases ----------------------------------------------------------------------- */

static void close_db(void *db)
{
    db_close(db);
}

struct db *listener_db(struct listener *l)
{
    struct db *db = pthread_getspecific(l->db_key);
    if (!db && db_open(l->db_path, DB_READ, &db) == ST_OK) {
        if (pthread_setspecific(l->db_key, db) != 0) {
            db_close(db);
            return NULL;
        }
    }
    return db;
}

/* --- core's side ------------------------------------------------------------------------------ */

void listener_adopt(struct http_exchange *x)
{
    list_append(&x->listener->in_core, &x->in_core);
}

void listener_give_back(struct http_exchange *x)
{
    struct listener *l = x->listener;
    MHD_resume_connection(x->connection); /* from here on x is the HTTP thread's */
    atomic_fetch_sub(&l->in_core_count, 1);
}

/* --- the daemon's callbacks ------------------------------------------------------------------- */

static void *on_target(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct listener *l = cls;
    (void)connection;
    atomic_fetch_add(&l->exchanges, 1);
    return exchange_new(l, l->core, str_z(uri));
}

/* The daemon decides on the parameters. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **con_cls)
{
    (void)cls;
    (void)url;
    (void)version;
    struct http_exchange *x = *con_cls;
    bool go_on;
    if (x->phase == EXCHANGE_HEAD) {
        go_on = request_head(x, connection, method);
    } else if (*upload_n > 0) {
        go_on = request_bytes(x, upload, *upload_n);
        *upload_n = 0;
    } else {
        go_on = request_complete(x);
    }
    return go_on ? MHD_YES : MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    struct listener *l = cls;
    (void)connection;
    struct http_exchange *x = *con_cls;
    if (x) {
        request_log(x, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
        exchange_free(x);
        *con_cls = NULL;
        atomic_fetch_sub(&l->exchanges, 1);
    }
}

/* Paths stay as they were sent. */
static size_t no_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
    (void)cls;
    (void)connection;
    return strlen(s);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    char text[512];
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    while (n > 0 && n < (int)sizeof(text) && text[n - 1] == '\n') {
        text[--n] = '\0';
    }
    log_debug("http", "transport: %s", text);
}

/* --- start ------------------------------------------------------------------------------------ */

static int try_bind(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
    int on = 1;
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int why = errno;
        close_fd(&fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* After a kill the port of the process before may stay taken for a moment: by a child that it was
 * just starting, until the kernel has ended that, too. */
static int bind_any(const struct addrinfo *list)
{
    const struct timespec pause = { 0, BIND_PAUSE_MS * 1000000L };
    int fd = -1;
    for (int i = 0; i < BIND_TRIES && fd < 0; i++) {
        if (i > 0) {
            (void)nanosleep(&pause, NULL);
        }
        for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
            fd = try_bind(ai);
        }
        if (fd < 0 && errno != EADDRINUSE) {
            break;
        }
    }
    return fd;
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } sa = { .in6 = { 0 } };
    socklen_t n = sizeof(sa);
    if (getsockname(fd, &sa.any, &n) != 0) {
        return -1;
    }
    return ntohs(sa.any.sa_family == AF_INET6 ? sa.in6.sin6_port : sa.in.sin_port);
}

static enum status open_socket(const char *addr, int port, int *ret_fd)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    char service[16];
    (void)snprintf(service, sizeof(service), "%d", port);
    int rc = getaddrinfo(addr, service, &hints, &list);
    if (rc != 0) {
        log_error("http", "cannot listen on %s: %s; give an address of this machine by --listen",
                  addr, gai_strerror(rc));
        return ST_IO;
    }
    int fd = bind_any(list), why = errno;
    freeaddrinfo(list);
    if (fd < 0) {
        log_error("http", "cannot listen on %s:%d: %s%s", addr, port, strerror(why),
                  why == EADDRINUSE ? "; another server holds the port: stop it, or choose another "
                                      "by --listen ADDR:PORT (port 0: any free one)"
                                    : "; choose another address by --listen ADDR:PORT");
        return ST_IO;
    }
    *ret_fd = fd;
    return ST_OK;
}

static unsigned thread_count(const struct config *config)
{
    int n = config->http_threads > 0 ? config->http_threads : get_nprocs();
    return (unsigned)(n < 2 ? 2 : n);
}

static unsigned connection_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < (rlim_t)2 * FILES_RESERVED) {
        return FILES_RESERVED;
    }
    rlim_t n = files.rlim_cur - FILES_RESERVED;
    return n < HTTP_CONNECTIONS_MAX ? (unsigned)n : HTTP_CONNECTIONS_MAX;
}

static enum status start_daemon(struct listener *l, int fd)
{
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    l->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
        thread_count(core_config(l->core)), MHD_OPTION_CONNECTION_LIMIT, connection_limit(),
        MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_POOL_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, l, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!l->daemon) {
        log_error("http", "the HTTP threads could not be started: %s", strerror(errno));
        return ST_IO;
    }
    return ST_OK;
}

static void listener_free(struct listener *l)
{
    if (l->has_key) {
        pthread_key_delete(l->db_key);
    }
    free(l->db_path);
    free(l);
}

enum status listener_start(struct core *core, const char *db_path, struct listener **ret)
{
    const struct config *config = core_config(core);
    struct listener *l = xcalloc(1, sizeof(*l));
    int fd = -1;
    l->core = core;
    l->db_path = xstrdup(db_path);
    list_init(&l->in_core);
    (void)signal(SIGPIPE, SIG_IGN); /* a client that hangs up is an error code, not our end */
    /* By default a thread gives a listing's memory back each time and faults it in again: a fifth
     * of the listing's cost. Refusal does no harm. */
    (void)mallopt(M_TRIM_THRESHOLD, HTTP_KEPT_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, HTTP_KEPT_BYTES);
    health_register();
    enum status st = ST_NOMEM;
    l->has_key = pthread_key_create(&l->db_key, close_db) == 0;
    if (l->has_key) {
        st = open_socket(config->listen_addr, config->listen_port, &fd);
    }
    if (st == ST_OK) {
        l->port = bound_port(fd);
        st = start_daemon(l, fd);
    }
    if (st != ST_OK) {
        close_fd(&fd);
        listener_free(l);
        return st;
    }
    *ret = l;
    return ST_OK;
}

int listener_port(const struct listener *l)
{
    return l->port;
}

/* --- stop ------------------------------------------------------------------------------------- */

void listener_close(struct listener *l)
{
    if (!atomic_exchange(&l->closing, true)) {
        int fd = MHD_quiesce_daemon(l->daemon);
        close_fd(&fd);
    }
}

bool listener_busy(const struct listener *l)
{
    return atomic_load(&l->in_core_count) > 0;
}

/* Stopping the daemon cuts connections, so what was just answered gets a moment to leave. */
static void let_answers_leave(const struct listener *l)
{
    int64_t end = clock_mono_ms() + HTTP_LAST_ANSWERS_MS;
    while (atomic_load(&l->exchanges) > 0 && clock_mono_ms() < end) {
        usleep(1000);
    }
}

void listener_stop(struct listener *l)
{
    if (!l) {
        return;
    }
    listener_close(l);
    while (!list_empty(&l->in_core)) {
        exchange_abandon(CONTAINER_OF(l->in_core.next, struct http_exchange, in_core));
    }
    if (listener_busy(l)) {
        /* posts that no loop will run: their connections cannot be ended in an orderly way */
        log_warn("http", "%ld calls were left behind", atomic_load(&l->in_core_count));
        return;
    }
    let_answers_leave(l);
    MHD_stop_daemon(l->daemon);
    listener_free(l);
}
