/* The private server on the loop: answers now, later, in another order, or never. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>

#include "server/base/mem.h"
#include "server/http/local.h"
#include "server/loop/loop.h"
#include "tests/support/http_client.h"

#define KEPT_MAX 8

struct fixture {
    struct loop *loop;
    struct local_http *http;
    int port;
    struct local_request *kept[KEPT_MAX];
    struct local_request *releasing; /* came before anything was kept */
    size_t n_kept;
    struct timer *timer;
    void (*client)(struct fixture *f);
    pthread_t thread;
};

static void say(struct local_request *req, int status, struct str body)
{
    struct local_header headers[] = { { "Content-Type", STR("text/plain") },
                                      { "X-Method", req->method } };
    local_http_reply(req, status, headers, ARRAY_LEN(headers), body);
}

static void answer_later(void *arg)
{
    struct fixture *f = arg;
    timer_free(f->timer);
    f->timer = NULL;
    struct local_request *req = f->kept[--f->n_kept];
    say(req, 200, arena_printf(req->arena, "late %.*s", STR_ARG(req->path)));
}

static void release(struct local_request *kept, struct local_request *by)
{
    say(kept, 202, arena_printf(kept->arena, "released by %.*s", STR_ARG(by->body)));
    say(by, 200, STR("done"));
}

/* /now, /later, /keep and /release: whichever of the two comes second answers both */
static void handle(void *arg, struct local_request *req)
{
    struct fixture *f = arg;
    if (str_eqz(req->path, "/later")) {
        f->kept[f->n_kept++] = req;
        f->timer = timer_new(f->loop, answer_later, f);
        timer_start(f->timer, 20, 0);
    } else if (str_eqz(req->path, "/keep") && f->releasing) {
        release(req, f->releasing);
        f->releasing = NULL;
    } else if (str_eqz(req->path, "/keep")) {
        f->kept[f->n_kept++] = req;
    } else if (str_eqz(req->path, "/release") && f->n_kept == 0) {
        f->releasing = req;
    } else if (str_eqz(req->path, "/release")) {
        release(f->kept[--f->n_kept], req);
    } else {
        struct str agent = local_request_header(req, "user-agent");
        say(req, 200,
            arena_printf(req->arena, "%.*s?%.*s %.*s %zu", STR_ARG(req->path), STR_ARG(req->query),
                         STR_ARG(agent), req->body.n));
    }
}

/* --- frame ------------------------------------------------------------------------------------ */

static void *client_thread(void *arg)
{
    struct fixture *f = arg;
    f->client(f);
    loop_stop(f->loop);
    return NULL;
}

static bool quiet(void *arg)
{
    (void)arg;
    return false;
}

static void with_server(void (*client)(struct fixture *f))
{
    struct fixture f = { .client = client };
    assert_int_equal(loop_new(1, &f.loop), ST_OK);
    assert_int_equal(local_http_new(f.loop, handle, &f, &f.http, &f.port), ST_OK);
    assert_int_equal(pthread_create(&f.thread, NULL, client_thread, &f), 0);
    loop_run(f.loop, quiet, NULL);
    pthread_join(f.thread, NULL);
    local_http_free(f.http);
    loop_free(f.loop);
}

static void expect(int port, struct str request, int status, const char *body)
{
    struct http_answer r;
    http_ask(port, request, &r);
    assert_int_equal(r.status, status);
    assert_true(str_eqz(buf_str(&r.body), body));
    http_answer_fini(&r);
}

#define HOST "Host: x\r\nUser-Agent: me\r\n"

/* --- cases ------------------------------------------------------------------------------------ */

static void client_now(struct fixture *f)
{
    expect(f->port, STR("GET /a%20b?c=d HTTP/1.1\r\n" HOST "\r\n"), 200, "/a%20b?c=d me 0");
    expect(f->port, STR("POST /p HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd"), 200,
           "/p? me 4");
    expect(f->port, STR("GET /later HTTP/1.1\r\n" HOST "\r\n"), 200, "late /later");
    int fd = http_connect(f->port);
    for (int i = 0; i < 300; i++) {
        struct http_answer r;
        assert_true(http_send(fd, STR("GET /x HTTP/1.1\r\n" HOST "\r\n"), 0));
        http_read(fd, false, &r);
        assert_int_equal(r.status, 200);
        assert_true(str_eqz(http_answer_header(&r, "x-method"), "GET"));
        http_answer_fini(&r);
    }
    close(fd);
}

static void test_now(void **state)
{
    (void)state;
    with_server(client_now);
}

/* As the Runtime API: one connection waits for work, another brings it. */
static void client_kept(struct fixture *f)
{
    int waiting = http_connect(f->port);
    for (int i = 0; i < 50; i++) {
        struct http_answer r;
        assert_true(http_send(waiting, STR("GET /keep HTTP/1.1\r\n" HOST "\r\n"), 0));
        expect(f->port, STR("POST /release HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nyou"), 200,
               "done");
        http_read(waiting, false, &r);
        assert_int_equal(r.status, 202);
        assert_true(str_eqz(buf_str(&r.body), "released by you"));
        http_answer_fini(&r);
    }
    close(waiting);
}

static void test_kept(void **state)
{
    (void)state;
    with_server(client_kept);
}

static void client_large(struct fixture *f)
{
    struct buf b = BUF_INIT(16u << 20);
    for (size_t over = 0; over < 2; over++) {
        size_t n = LOCAL_BODY_MAX + over;
        buf_clear(&b);
        buf_printf(&b, "POST /p HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", n);
        memset(buf_reserve(&b, n), 'x', n);
        buf_commit(&b, n);
        struct http_answer r;
        http_ask(f->port, buf_str(&b), &r);
        assert_int_equal(r.status, over ? 413 : 200);
        http_answer_fini(&r);
    }
    buf_fini(&b);
}

static void test_large(void **state)
{
    (void)state;
    with_server(client_large);
}

/* Kept when the server goes, and a client that went first. */
static void client_leave(struct fixture *f)
{
    for (int i = 0; i < 3; i++) {
        int fd = http_connect(f->port);
        assert_true(http_send(fd, STR("GET /keep HTTP/1.1\r\n" HOST "\r\n"), 0));
        usleep(30000);
        close(fd);
    }
    int fd = http_connect(f->port);
    assert_true(http_send(fd, STR("POST /p HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nhalf"), 0));
    usleep(30000);
    close(fd);
}

static void test_leave(void **state)
{
    (void)state;
    with_server(client_leave);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_now),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
