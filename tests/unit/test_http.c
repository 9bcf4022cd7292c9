/* The transport over real sockets: bodies, refusals, keep-alive, pending calls, pages of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <zlib.h>

#include "server/base/arena.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "tests/support/echo_service.h"
#include "tests/support/http_server.h"
#include "tests/support/tmpdir.h"

#define H "Host: localhost\r\n"
#define JSON H "X-Amz-Target: Echo."

static void ask(const struct http_server *s, struct http_answer *ret, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void ask(const struct http_server *s, struct http_answer *ret, const char *fmt, ...)
{
    struct arena *a = arena_new(64u << 20);
    va_list ap;
    va_start(ap, fmt);
    http_ask(s->port, arena_vprintf(a, fmt, ap), ret);
    va_end(ap);
    arena_free(a);
}

/* --- plain transport -------------------------------------------------------------------------- */

static void test_health(void **state)
{
    const struct http_server *s = *state;
    http_expect(s, 200, "\"store\": \"running\"", "GET /_localstack/health HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 200, "\"edition\": \"cistern\"", "GET /_cistern/health HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 200, "", "HEAD /_cistern/health HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 404, "/_cistern/nothing", "GET /_cistern/nothing HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 404, "NotFound",
                "POST /_cistern/health HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n");
}

static void test_put_get(void **state)
{
    const struct http_server *s = *state;
    struct http_answer r;
    ask(s, &r, "PUT /b/k%%20/..//x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(r.status, 200);
    assert_true(str_eqz(http_answer_header(&r, "etag"), "\"5d41402abc4b2a76b9719d911017c592\""));
    assert_int_equal(http_answer_header(&r, "x-amz-request-id").n, 16);
    assert_true(http_answer_header(&r, "x-amz-id-2").n > 20);
    http_answer_fini(&r);
    http_expect(s, 200, "b|k /..//x|5|us-east-1", "GET /b/k%20/..//x HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 200, "b|k /..//x|5|us-east-1",
                "GET /k%20/..//x HTTP/1.1\r\nHost: b.localhost:1\r\n\r\n");
    http_expect(s, 418, "<Code>Teapot</Code>", "GET /b/none HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 418, "", "HEAD /b/none HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 405, "MethodNotAllowed", "DELETE /b/none HTTP/1.1\r\n" H "\r\n");
    ask(s, &r, "PUT /b/empty HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n");
    assert_true(str_eqz(http_answer_header(&r, "x-size"), "0"));
    http_answer_fini(&r);
}

static void test_files(void **state)
{
    const struct http_server *s = *state;
    struct http_answer r;
    ask(s, &r, "GET /b/k?size=300000 HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(r.body.n, 300000);
    http_answer_fini(&r);
    ask(s, &r, "HEAD /b/k?size=5368709120 HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(r.status, 200);
    assert_true(str_eqz(http_answer_header(&r, "content-length"), "5368709120"));
    http_answer_fini(&r);
    ask(s, &r, "GET /b/k?size=0 HTTP/1.1\r\n" H "\r\n");
    assert_true(str_eqz(http_answer_header(&r, "content-length"), "0"));
    http_answer_fini(&r);
}

static void test_json(void **state)
{
    const struct http_server *s = *state;
    http_expect(s, 200, "{\"a\":1}",
                "POST / HTTP/1.1\r\n" JSON "Say\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
    http_expect(s, 200, "later", "POST / HTTP/1.1\r\n" JSON "Later\r\nContent-Length: 2\r\n\r\n{}");
    http_expect(s, 501, "does not implement Missing",
                "POST / HTTP/1.1\r\n" JSON "Missing\r\nContent-Length: 2\r\n\r\n{}");
    http_expect(s, 400, "UnknownOperation",
                "POST / HTTP/1.1\r\n" JSON "Nope\r\nContent-Length: 2\r\n\r\n{}");
    http_expect(s, 501, "does not emulate this service: Other",
                "POST / HTTP/1.1\r\n" H "X-Amz-Target: Other.Op\r\nContent-Length: 2\r\n\r\n{}");
}

/* A failing handler leaves nothing; a failing one does not disturb its neighbours. */
static void test_undo(void **state)
{
    const struct http_server *s = *state;
    http_expect(s, 418, "changed my mind about \\\"<that>\\\"",
                "POST / HTTP/1.1\r\n" JSON "Half\r\nContent-Length: 2\r\n\r\n{}");
    http_expect(s, 418, "No key half", "GET /b/half HTTP/1.1\r\n" H "\r\n");
}

static void test_keep_alive(void **state)
{
    const struct http_server *s = *state;
    int fd = http_connect(s->port);
    for (int i = 0; i < 50; i++) {
        struct http_answer r;
        assert_true(http_send(fd, STR("PUT /b/k HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"),
                              i % 2 ? 7 : 0));
        http_read(fd, false, &r);
        assert_int_equal(r.status, 200);
        http_answer_fini(&r);
        assert_true(http_send(fd, STR("GET /b/none HTTP/1.1\r\n" H "\r\n"), 0));
        http_read(fd, false, &r);
        assert_int_equal(r.status, 418);
        http_answer_fini(&r);
    }
    close(fd);
}

static void *hammer(void *arg)
{
    const struct http_server *s = arg;
    int fd = http_connect(s->port);
    for (int i = 0; i < 200; i++) {
        struct http_answer r;
        struct str put = STR("PUT /b/h HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
        struct str get = STR("GET /b/h HTTP/1.1\r\n" H "\r\n");
        struct str bad = STR("POST / HTTP/1.1\r\n" JSON "Half\r\nContent-Length: 2\r\n\r\n{}");
        assert_true(http_send(fd, i % 3 == 0 ? put : i % 3 == 1 ? get : bad, 0));
        http_read(fd, false, &r);
        assert_int_equal(r.status, i % 3 == 2 ? 418 : 200);
        http_answer_fini(&r);
    }
    close(fd);
    return NULL;
}

static void test_many(void **state)
{
    pthread_t threads[8];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, *state), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
}

/* --- bodies ----------------------------------------------------------------------------------- */

static void test_expect(void **state)
{
    const struct http_server *s = *state;
    int fd = http_connect(s->port);
    int64_t start = clock_mono_ms();
    assert_true(http_send(
        fd, STR("PUT /b/k HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"), 0));
    char interim[64];
    ssize_t n = recv(fd, interim, sizeof(interim), 0);
    assert_true(n > 12 && memcmp(interim, "HTTP/1.1 100", 12) == 0);
    assert_true(clock_mono_ms() - start < 500);
    assert_true(http_send(fd, STR("abc"), 0));
    struct http_answer r;
    http_read(fd, false, &r);
    assert_int_equal(r.status, 200);
    http_answer_fini(&r);
    close(fd);
    /* refused at once, without the body */
    fd = http_connect(s->port);
    assert_true(http_send(fd,
                          STR("PUT /forbidden/k HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
                              "Content-Length: 3000000\r\n\r\n"),
                          0));
    n = recv(fd, interim, sizeof(interim), 0);
    assert_true(n > 12 && memcmp(interim, "HTTP/1.1 418", 12) == 0);
    close(fd);
}

/* A client that doesn't wait gets to its answer although the body is refused. */
static void test_refused_body(void **state)
{
    const struct http_server *s = *state;
    struct buf b = BUF_INIT(8u << 20);
    buf_puts(&b, "PUT /forbidden/k HTTP/1.1\r\n" H "Content-Length: 4000000\r\n\r\n");
    size_t head = b.n;
    assert_non_null(buf_reserve(&b, 4000000));
    memset(b.p + head, 'x', 4000000);
    buf_commit(&b, 4000000);
    buf_puts(&b, "GET /_cistern/health HTTP/1.1\r\n" H "\r\n");
    int fd = http_connect(s->port);
    struct http_answer r;
    assert_true(http_send(fd, buf_str(&b), 0));
    http_read(fd, false, &r);
    assert_int_equal(r.status, 418);
    http_answer_fini(&r);
    http_read(fd, false, &r);
    assert_int_equal(r.status, 200); /* and the connection lives on */
    http_answer_fini(&r);
    close(fd);
    buf_fini(&b);
}

static void test_too_large(void **state)
{
    http_expect(*state, 413, "larger than the 16777216 bytes",
                "POST / HTTP/1.1\r\n" JSON "Say\r\nContent-Length: 900000000\r\n\r\n{");
}

static size_t staged_files(const struct http_server *s)
{
    char *path = xasprintf("%s/tmp", s->dir);
    size_t n = tmpdir_count(path);
    free(path);
    return n;
}

/* A client that goes away in the middle leaves no file behind. */
static void test_cut_upload(void **state)
{
    const struct http_server *s = *state;
    size_t before = staged_files(s);
    int fd = http_connect(s->port);
    assert_true(
        http_send(fd, STR("PUT /b/cut HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nhalf"), 0));
    for (int i = 0; i < 200 && staged_files(s) == before; i++) {
        usleep(5000);
    }
    assert_int_equal(staged_files(s), before + 1);
    close(fd);
    for (int i = 0; i < 200 && staged_files(s) != before; i++) {
        usleep(5000);
    }
    assert_int_equal(staged_files(s), before);
    http_expect(s, 418, "No key cut", "GET /b/cut HTTP/1.1\r\n" H "\r\n");
}

#define CHUNKED                                                        \
    "PUT /b/c HTTP/1.1\r\n" H "Content-Encoding: gzip,aws-chunked\r\n" \
    "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n"     \
    "x-amz-trailer: x-amz-checksum-crc32\r\n"

static void test_aws_chunked(void **state)
{
    const struct http_server *s = *state;
    struct http_answer r;
    ask(s, &r,
        CHUNKED "x-amz-decoded-content-length: 11\r\nContent-Length: 52\r\n\r\n"
                "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n");
    assert_int_equal(r.status, 200);
    assert_true(str_eqz(http_answer_header(&r, "x-size"), "11"));
    assert_true(str_eqz(http_answer_header(&r, "x-encoding"), "gzip"));
    assert_true(str_eqz(http_answer_header(&r, "x-crc"), "DUoRhQ=="));
    http_answer_fini(&r);
    /* inside HTTP chunks, whose borders mean nothing; no decoded length */
    ask(s, &r,
        CHUNKED "Transfer-Encoding: chunked\r\n\r\n"
                "1\r\nb\r\n"
                "9\r\n\r\nhello w\r\n"
                "6\r\norld\r\n\r\n"
                "24\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n\r\n"
                "0\r\n\r\n");
    assert_int_equal(r.status, 200);
    assert_true(str_eqz(http_answer_header(&r, "x-size"), "11"));
    http_answer_fini(&r);
    http_expect(s, 400, "<Code>IncompleteBody</Code>",
                CHUNKED "x-amz-decoded-content-length: 12\r\nContent-Length: 52\r\n\r\n"
                        "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n");
    http_expect(s, 400, "InvalidChunkSizeError", CHUNKED "Content-Length: 5\r\n\r\nzz\r\nx");
    http_expect(s, 400, "MalformedTrailerError", CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n");
    assert_int_equal(staged_files(s) <= 16, 1);
}

static void test_gzip(void **state)
{
    const struct http_server *s = *state;
    unsigned char packed[256];
    z_stream z = { .next_in = (unsigned char *)(uintptr_t) "{\"zipped\":true}",
                   .avail_in = 15,
                   .next_out = packed,
                   .avail_out = sizeof(packed) };
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = sizeof(packed) - z.avail_out;
    deflateEnd(&z);
    for (int cut = 0; cut < 2; cut++) {
        struct buf b = BUF_INIT(4096);
        size_t len = cut ? n - 9 : n;
        buf_printf(&b,
                   "POST / HTTP/1.1\r\n" JSON "Say\r\nContent-Encoding: gzip\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   len);
        buf_add(&b, packed, len);
        struct http_answer r;
        http_ask(s->port, buf_str(&b), &r);
        assert_int_equal(r.status, cut ? 400 : 200);
        assert_true(http_answer_has(&r, cut ? "not a complete gzip stream" : "{\"zipped\":true}"));
        http_answer_fini(&r);
        buf_fini(&b);
    }
}

/* --- pages of other sites --------------------------------------------------------------------- */

static void test_guard(void **state)
{
    const struct http_server *s = *state;
    static const char *const refused[] = {
        "Host: evil.example\r\n",
        "Host: localhost\r\nOrigin: http://evil.example\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
    };
    static const char *const served[] = {
        "Host: 127.0.0.1:4566\r\n",
        "Host: bucket.s3.eu-west-1.amazonaws.com\r\n",
        "Host: cistern:4566\r\n",
        "Host: localhost:4566\r\nOrigin: http://localhost:3000\r\nSec-Fetch-Site: same-site\r\n",
    };
    char request[256];
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        (void)snprintf(request, sizeof(request), "GET /_cistern/health HTTP/1.1\r\n%s\r\n",
                       refused[i]);
        http_expect(s, 403, "AccessDenied", request);
    }
    for (size_t i = 0; i < ARRAY_LEN(served); i++) {
        (void)snprintf(request, sizeof(request), "GET /_cistern/health HTTP/1.1\r\n%s\r\n",
                       served[i]);
        http_expect(s, 200, "running", request);
    }
}

/* --- pending calls ---------------------------------------------------------------------------- */

static void wait_for(atomic_int *what, int value)
{
    for (int i = 0; i < 1000 && atomic_load(what) != value; i++) {
        usleep(5000);
    }
    assert_int_equal(atomic_load(what), value);
}

static void test_abort(void **state)
{
    const struct http_server *s = *state;
    int before = atomic_load(&echo_aborted);
    int fd = http_connect(s->port);
    assert_true(
        http_send(fd, STR("POST / HTTP/1.1\r\n" JSON "Hang\r\nContent-Length: 2\r\n\r\n{}"), 0));
    wait_for(&echo_hanging, 1);
    close(fd);
    wait_for(&echo_aborted, before + 1);
    wait_for(&echo_hanging, 0);
    http_expect(s, 200, "running", "GET /_cistern/health HTTP/1.1\r\n" H "\r\n");
}

/* Stopping answers what hangs. */
static void test_stop_pending(void **state)
{
    (void)state;
    struct http_server *s = http_server_start(false);
    int fd = http_connect(s->port);
    assert_true(
        http_send(fd, STR("POST / HTTP/1.1\r\n" JSON "Hang\r\nContent-Length: 2\r\n\r\n{}"), 0));
    wait_for(&echo_hanging, 1);
    http_server_end(s);
    struct http_answer r;
    http_read(fd, false, &r);
    assert_int_equal(r.status, 503);
    http_answer_fini(&r);
    close(fd);
    atomic_store(&echo_hanging, 0);
    http_server_stop(s);
}

int main(void)
{
    if (log_configure("error") != ST_OK) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health),       cmocka_unit_test(test_put_get),
        cmocka_unit_test(test_files),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_undo),         cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_expect),
        cmocka_unit_test(test_refused_body), cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_cut_upload),   cmocka_unit_test(test_aws_chunked),
        cmocka_unit_test(test_gzip),         cmocka_unit_test(test_guard),
        cmocka_unit_test(test_abort),        cmocka_unit_test(test_stop_pending),
    };
    return cmocka_run_group_tests(tests, http_server_setup, http_server_teardown);
}
