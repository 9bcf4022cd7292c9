#include "tests/support/http_client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#define CLIENT_MAX (64u << 20)
#define CLIENT_TIMEOUT_S 20

int http_connect(int port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = CLIENT_TIMEOUT_S };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

bool http_send(int fd, struct str bytes, size_t piece)
{
    while (bytes.n > 0) {
        size_t n = piece && piece < bytes.n ? piece : bytes.n;
        ssize_t put = send(fd, bytes.p, n, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        bytes = str_sub(bytes, (size_t)put, bytes.n);
    }
    return true;
}

struct str http_answer_header(const struct http_answer *answer, const char *name)
{
    struct str rest = buf_str(&answer->head), line, key, value;
    while (str_next(&rest, '\n', &line)) {
        if (str_cut(line, ':', &key, &value) && str_ieqz(key, name)) {
            return str_trim(value);
        }
    }
    return STR_NONE;
}

static bool read_byte(int fd, char *ret)
{
    return recv(fd, ret, 1, 0) == 1;
}

/* Head up to the empty line; bytes of the body are left in the socket. */
static bool read_head(int fd, struct http_answer *ret)
{
    char c;
    buf_clear(&ret->head);
    while (read_byte(fd, &c)) {
        buf_putc(&ret->head, c);
        if (str_ends(buf_str(&ret->head), STR("\r\n\r\n"))) {
            int64_t status;
            assert_int_equal(str_i64(str_sub(buf_str(&ret->head), 9, 12), &status), ST_OK);
            ret->status = (int)status;
            return true;
        }
    }
    return false;
}

static void read_body(int fd, struct http_answer *ret)
{
    int64_t left;
    struct str length = http_answer_header(ret, "content-length");
    if (!str_set(length)) {
        return;
    }
    assert_int_equal(str_i64(length, &left), ST_OK);
    while (left > 0) {
        char piece[65536];
        ssize_t n =
            recv(fd, piece, left < (int64_t)sizeof(piece) ? (size_t)left : sizeof(piece), 0);
        if (n <= 0) {
            return;
        }
        buf_add(&ret->body, piece, (size_t)n);
        left -= n;
    }
}

void http_read(int fd, bool head_only, struct http_answer *ret)
{
    *ret = (struct http_answer){ .head = BUF_INIT(CLIENT_MAX), .body = BUF_INIT(CLIENT_MAX) };
    do {
        if (!read_head(fd, ret)) {
            ret->status = 0;
            return;
        }
    } while (ret->status < 200);
    if (!head_only && ret->status != 204 && ret->status != 304) {
        read_body(fd, ret);
    }
}

void http_answer_fini(struct http_answer *answer)
{
    buf_fini(&answer->head);
    buf_fini(&answer->body);
}

void http_ask(int port, struct str request, struct http_answer *ret)
{
    int fd = http_connect(port);
    (void)http_send(fd, request, 0); /* the answer tells */
    http_read(fd, str_starts(request, STR("HEAD ")), ret);
    close(fd);
}
