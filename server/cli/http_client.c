/* One request over one connection, HTTP/1.0 (so nothing comes in chunks), to a server on this
 * machine or near it. */
#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "server/base/mem.h"
#include "server/cli/cli.h"

#define REQUEST_HEAD_MAX (16u << 10)
#define READ_BYTES (64u << 10)

struct target {
    struct str host, port;
};

static enum status bad_endpoint(struct str endpoint, const char *why)
{
    fprintf(stderr, "cistern: the endpoint \"%.*s\" %s; give --endpoint http://ADDR:PORT\n",
            STR_ARG(endpoint), why);
    return ST_IO;
}

/* "http://host:port[/…]", "[v6]" hosts too. */
static enum status parse_endpoint(struct str endpoint, struct target *ret)
{
    static const struct str scheme = STR_INIT("http://");
    if (!str_starts(endpoint, scheme)) {
        return bad_endpoint(endpoint, "does not start with http://");
    }
    struct str rest = str_sub(endpoint, scheme.n, endpoint.n);
    struct str authority, path;
    str_cut(rest, '/', &authority, &path);
    ptrdiff_t close = str_find(authority, ']', 0);
    ptrdiff_t colon = str_find(authority, ':', close > 0 ? (size_t)close : 0);
    ret->host = colon < 0 ? authority : str_sub(authority, 0, (size_t)colon);
    ret->port = colon < 0 ? STR("80") : str_sub(authority, (size_t)colon + 1, authority.n);
    if (ret->host.n > 1 && ret->host.p[0] == '[' && close > 0) {
        ret->host = str_sub(authority, 1, (size_t)close);
    }
    uint64_t port;
    if (ret->host.n == 0 || str_u64(ret->port, &port) != ST_OK || port == 0 || port > 65535) {
        return bad_endpoint(endpoint, "names no host and port");
    }
    return ST_OK;
}

/* A connected socket, or -1 and errno. */
static int dial(const struct addrinfo *list, int timeout_s)
{
    int why = EADDRNOTAVAIL;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
        int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
        struct timeval limit = { .tv_sec = timeout_s };
        if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
            connect(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
            return fd;
        }
        why = errno;
        close_fd(&fd);
    }
    errno = why;
    return -1;
}

static enum status connect_to(struct arena *a, struct str endpoint, int timeout_s, int *ret_fd)
{
    struct target t;
    enum status st = parse_endpoint(endpoint, &t);
    if (st != ST_OK) {
        return st;
    }
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    int rc = getaddrinfo(arena_cstr(a, t.host), arena_cstr(a, t.port), &hints, &list);
    if (rc != 0) {
        return bad_endpoint(endpoint, gai_strerror(rc));
    }
    int fd = dial(list, timeout_s);
    int why = errno;
    freeaddrinfo(list);
    if (fd < 0) {
        fprintf(stderr,
                "cistern: no server at %.*s: %s; start one with `cistern serve`, or name another "
                "with --endpoint\n",
                STR_ARG(endpoint), strerror(why));
        return ST_IO;
    }
    *ret_fd = fd;
    return ST_OK;
}

static bool send_all(int fd, struct str bytes)
{
    for (size_t done = 0; done < bytes.n;) {
        ssize_t n = send(fd, bytes.p + done, bytes.n - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool send_request(int fd, struct str endpoint, const struct cli_request *r)
{
    CLEANUP(buf_fini) struct buf head = BUF_INIT(REQUEST_HEAD_MAX);
    struct str authority = str_sub(endpoint, 7, endpoint.n), path;
    str_cut(authority, '/', &authority, &path);
    buf_printf(&head, "%s %.*s HTTP/1.0\r\nHost: %.*s\r\nContent-Length: %zu\r\n", r->method,
               STR_ARG(r->target), STR_ARG(authority), r->body.n);
    if (str_set(r->content_type)) {
        buf_printf(&head, "Content-Type: %.*s\r\n", STR_ARG(r->content_type));
    }
    buf_puts(&head, "Connection: close\r\n\r\n");
    if (!buf_ok(&head)) {
        errno = EMSGSIZE;
        return false;
    }
    return send_all(fd, buf_str(&head)) && send_all(fd, r->body);
}

static bool receive_all(int fd, struct buf *b)
{
    for (;;) {
        char *p = buf_reserve(b, READ_BYTES);
        if (!p) {
            errno = EMSGSIZE;
            return false;
        }
        ssize_t n = recv(fd, p, READ_BYTES, 0);
        if (n == 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
        buf_commit(b, n > 0 ? (size_t)n : 0);
    }
}

/* "HTTP/1.x NNN …", headers, an empty line, the body. */
static bool parse_answer(struct arena *a, struct str bytes, struct cli_answer *ret)
{
    ptrdiff_t end = str_find_str(bytes, STR("\r\n\r\n"));
    int64_t status;
    if (end < 0 || !str_starts(bytes, STR("HTTP/1.")) ||
        str_i64(str_sub(bytes, 9, 12), &status) != ST_OK) {
        errno = EPROTO;
        return false;
    }
    ret->http_status = (int)status;
    ret->body = arena_str(a, str_sub(bytes, (size_t)end + 4, bytes.n));
    return true;
}

enum status cli_http(struct arena *a, struct str endpoint, const struct cli_request *request,
                     struct cli_answer *ret)
{
    int fd = -1;
    enum status st = connect_to(a, endpoint, request->timeout_s, &fd);
    if (st != ST_OK) {
        return st;
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT(CLI_ANSWER_MAX);
    bool ok = send_request(fd, endpoint, request) && receive_all(fd, &b) &&
              parse_answer(a, buf_str(&b), ret);
    int why = errno;
    close_fd(&fd);
    if (!ok) {
        fprintf(stderr, "cistern: %.*s did not answer properly: %s\n", STR_ARG(endpoint),
                why == EAGAIN ? "it took too long" : strerror(why));
    }
    return ok ? ST_OK : ST_IO;
}

int cli_refused(const char *what, const struct cli_answer *answer)
{
    fprintf(stderr, "cistern: %s: the server answered %d: %.*s\n", what, answer->http_status,
            STR_ARG(str_trim(answer->body)));
    return CLI_FAILED;
}
