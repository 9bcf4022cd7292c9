/* The real listener, core and store with two services of the test's own, over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <zlib.h>

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/config.h"
#include "server/core_run.h"
#include "server/http/auth.h"
#include "server/http/listener.h"
#include "server/http/sigv4.h"
#include "server/service.h"
#include "server/store/db.h"
#include "tests/support/echo_service.h"
#include "tests/support/http_client.h"
#include "tests/support/tmpdir.h"

#define ISSUED_KEY "ASIAISSUED"
#define ISSUED_SECRET "issued-secret"

struct server {
    struct config config;
    char *dir;
    pthread_t thread;
    sem_t ready;
    struct core *core;
    struct listener *listener;
    int port;
};

/* --- the server ----------------------------------------------------------------------------------
 */

static bool answered(void *arg)
{
    return !listener_busy(arg);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    assert_int_equal(core_new(&s->config, services, &s->core), ST_OK);
    assert_int_equal(listener_start(s->core, core_db_path(s->core), &s->listener), ST_OK);
    s->port = listener_port(s->listener);
    assert_int_equal(core_start(s->core), ST_OK);
    sem_post(&s->ready);
    core_run(s->core);
    listener_close(s->listener);
    bool quiet = core_stop(s->core);
    core_wait(s->core, answered, s->listener, 200);
    listener_stop(s->listener);
    if (quiet) {
        core_free(s->core);
    }
    return NULL;
}

static enum status lookup(struct db *db, struct arena *a, struct str key, struct credential *ret)
{
    (void)a;
    assert_non_null(db);
    if (!str_eqz(key, ISSUED_KEY) && !str_eqz(key, "ASIAEXPIRED")) {
        return ST_NOT_FOUND;
    }
    *ret = (struct credential){
        .secret = STR(ISSUED_SECRET),
        .session_token = STR("token"),
        .account = STR("111122223333"),
        .expires_ms = str_eqz(key, "ASIAEXPIRED") ? 1000 : 0,
    };
    return ST_OK;
}

static struct server *server_start(bool strict)
{
    struct server *s = xcalloc(1, sizeof(*s));
    s->dir = tmpdir_make();
    s->config = (struct config){ .listen_addr = "127.0.0.1",
                                 .data_dir = s->dir,
                                 .auth_strict = strict,
                                 .access_key = "test",
                                 .secret_key = "test",
                                 .account = "000000000000",
                                 .region = "us-east-1",
                                 .clock_scale = 1,
                                 .workers = 2 };
    auth_set_lookup(lookup);
    sem_init(&s->ready, 0, 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    sem_wait(&s->ready);
    return s;
}

static void server_stop(struct server *s)
{
    core_end(s->core);
    pthread_join(s->thread, NULL);
    sem_destroy(&s->ready);
    tmpdir_remove(s->dir);
    free(s);
}

static int setup(void **state)
{
    *state = server_start(false);
    return 0;
}

static int setup_strict(void **state)
{
    *state = server_start(true);
    return 0;
}

static int teardown(void **state)
{
    server_stop(*state);
    return 0;
}

/* --- asking --------------------------------------------------------------------------------------
 */

static void ask(const struct server *s, struct http_answer *ret, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void ask(const struct server *s, struct http_answer *ret, const char *fmt, ...)
{
    struct arena *a = arena_new(64u << 20);
    va_list ap;
    va_start(ap, fmt);
    http_ask(s->port, arena_vprintf(a, fmt, ap), ret);
    va_end(ap);
    arena_free(a);
}

static bool has(const struct http_answer *r, const char *text)
{
    return str_find_str(buf_str(&r->body), str_z(text)) >= 0;
}

static bool head_has(const struct http_answer *r, const char *text)
{
    return str_find_str(buf_str(&r->head), str_z(text)) >= 0;
}

#define H "Host: localhost\r\n"
#define JSON H "X-Amz-Target: Echo."

static void expect(const struct server *s, int status, const char *text, const char *request)
{
    struct http_answer r;
    http_ask(s->port, str_z(request), &r);
    if (r.status != status || !has(&r, text)) {
        fail_msg("wanted %d with \"%s\", got %.*s%.*s\nfor %s", status, text, (int)r.head.n,
                 r.head.p, (int)r.body.n, r.body.p ? r.body.p : "", request);
    }
    http_answer_fini(&r);
}

/* --- plain transport -----------------------------------------------------------------------------
 */

static void test_health(void **state)
{
    const struct server *s = *state;
    expect(s, 200, "\"store\": \"running\"", "GET /_localstack/health HTTP/1.1\r\n" H "\r\n");
    expect(s, 200, "\"edition\": \"cistern\"", "GET /_cistern/health HTTP/1.1\r\n" H "\r\n");
    expect(s, 200, "", "HEAD /_cistern/health HTTP/1.1\r\n" H "\r\n");
    expect(s, 404, "/_cistern/nothing", "GET /_cistern/nothing HTTP/1.1\r\n" H "\r\n");
    expect(s, 404, "NotFound", "POST /_cistern/health HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n");
}

static void test_put_get(void **state)
{
    const struct server *s = *state;
    struct http_answer r;
    ask(s, &r, "PUT /b/k%%20/..//x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(r.status, 200);
    assert_true(head_has(&r, "5d41402abc4b2a76b9719d911017c592"));
    assert_int_equal(http_answer_header(&r, "x-amz-request-id").n, 16);
    assert_true(http_answer_header(&r, "x-amz-id-2").n > 20);
    http_answer_fini(&r);
    expect(s, 200, "b|k /..//x|5|us-east-1", "GET /b/k%20/..//x HTTP/1.1\r\n" H "\r\n");
    expect(s, 200, "b|k /..//x|5|us-east-1",
           "GET /k%20/..//x HTTP/1.1\r\nHost: b.localhost:1\r\n\r\n");
    expect(s, 418, "<Code>Teapot</Code>", "GET /b/none HTTP/1.1\r\n" H "\r\n");
    expect(s, 418, "", "HEAD /b/none HTTP/1.1\r\n" H "\r\n");
    expect(s, 405, "MethodNotAllowed", "DELETE /b/none HTTP/1.1\r\n" H "\r\n");
    ask(s, &r, "PUT /b/empty HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n");
    assert_true(str_eqz(http_answer_header(&r, "x-size"), "0"));
    http_answer_fini(&r);
}

static void test_files(void **state)
{
    const struct server *s = *state;
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
    const struct server *s = *state;
    expect(s, 200, "{\"a\":1}",
           "POST / HTTP/1.1\r\n" JSON "Say\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
    expect(s, 200, "later", "POST / HTTP/1.1\r\n" JSON "Later\r\nContent-Length: 2\r\n\r\n{}");
    expect(s, 501, "does not implement Missing",
           "POST / HTTP/1.1\r\n" JSON "Missing\r\nContent-Length: 2\r\n\r\n{}");
    expect(s, 400, "UnknownOperation",
           "POST / HTTP/1.1\r\n" JSON "Nope\r\nContent-Length: 2\r\n\r\n{}");
    expect(s, 501, "does not emulate this service: Other",
           "POST / HTTP/1.1\r\n" H "X-Amz-Target: Other.Op\r\nContent-Length: 2\r\n\r\n{}");
}

/* A failing handler leaves nothing; a failing one does not disturb its neighbours. */
static void test_undo(void **state)
{
    const struct server *s = *state;
    expect(s, 418, "changed my mind about \\\"<that>\\\"",
           "POST / HTTP/1.1\r\n" JSON "Half\r\nContent-Length: 2\r\n\r\n{}");
    expect(s, 418, "No key half", "GET /b/half HTTP/1.1\r\n" H "\r\n");
}

static void test_keep_alive(void **state)
{
    const struct server *s = *state;
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
    const struct server *s = arg;
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

/* --- bodies --------------------------------------------------------------------------------------
 */

static void test_expect(void **state)
{
    const struct server *s = *state;
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
    const struct server *s = *state;
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
    expect(*state, 413, "larger than the 16777216 bytes",
           "POST / HTTP/1.1\r\n" JSON "Say\r\nContent-Length: 900000000\r\n\r\n{");
}

static size_t staged_files(const struct server *s)
{
    char *path = xasprintf("%s/tmp", s->dir);
    size_t n = tmpdir_count(path);
    free(path);
    return n;
}

/* A client that goes away in the middle leaves no file behind. */
static void test_cut_upload(void **state)
{
    const struct server *s = *state;
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
    expect(s, 418, "No key cut", "GET /b/cut HTTP/1.1\r\n" H "\r\n");
}

#define CHUNKED                                                        \
    "PUT /b/c HTTP/1.1\r\n" H "Content-Encoding: gzip,aws-chunked\r\n" \
    "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n"     \
    "x-amz-trailer: x-amz-checksum-crc32\r\n"

static void test_aws_chunked(void **state)
{
    const struct server *s = *state;
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
    expect(s, 400, "<Code>IncompleteBody</Code>",
           CHUNKED "x-amz-decoded-content-length: 12\r\nContent-Length: 52\r\n\r\n"
                   "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n");
    expect(s, 400, "InvalidChunkSizeError", CHUNKED "Content-Length: 5\r\n\r\nzz\r\nx");
    expect(s, 400, "MalformedTrailerError", CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n");
    assert_int_equal(staged_files(s) <= 16, 1);
}

static void test_gzip(void **state)
{
    const struct server *s = *state;
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
        assert_true(has(&r, cut ? "not a complete gzip stream" : "{\"zipped\":true}"));
        http_answer_fini(&r);
        buf_fini(&b);
    }
}

/* --- pages of other sites ------------------------------------------------------------------------
 */

static void test_guard(void **state)
{
    const struct server *s = *state;
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
        expect(s, 403, "AccessDenied", request);
    }
    for (size_t i = 0; i < ARRAY_LEN(served); i++) {
        (void)snprintf(request, sizeof(request), "GET /_cistern/health HTTP/1.1\r\n%s\r\n",
                       served[i]);
        expect(s, 200, "running", request);
    }
}

/* --- signatures ----------------------------------------------------------------------------------
 */

struct signing {
    const char *key, *secret, *token;
    const char *scope; /* "us-east-1/s3" */
    const char *method, *path, *headers, *body;
    const char *hash; /* x-amz-content-sha256; NULL: not sent */
    int64_t shift_ms; /* clock of the client */
};

static void hex_of(struct arena *a, const char *text, struct str *ret)
{
    unsigned char hash[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, text, strlen(text), hash);
    *ret = hex_encode(a, hash, 32);
}

/* Signs and sends; the way is written out here once more, apart from the server's. */
static void ask_signed(const struct server *s, const struct signing *g, struct http_answer *ret)
{
    struct arena *a = arena_new(1u << 20);
    struct str time = clock_format(a, clock_now_ms() + g->shift_ms, "%Y%m%dT%H%M%SZ");
    struct str day = str_sub(time, 0, 8), region, service, body_hash, hash;
    (void)str_cut(str_z(g->scope), '/', &region, &service);
    hex_of(a, g->body, &body_hash);
    hash = g->hash ? str_z(g->hash) : body_hash;
    const char *names = g->token ? "host;x-amz-date;x-amz-security-token" : "host;x-amz-date";
    struct str token = g->token ? arena_printf(a, "x-amz-security-token:%s\n", g->token) : STR("");
    struct str canonical =
        arena_printf(a, "%s\n%s\n\nhost:localhost\nx-amz-date:%.*s\n%.*s\n%s\n%.*s", g->method,
                     g->path, STR_ARG(time), STR_ARG(token), names, STR_ARG(hash));
    struct str canonical_hash;
    hex_of(a, canonical.p, &canonical_hash);
    struct str to_sign =
        arena_printf(a, "AWS4-HMAC-SHA256\n%.*s\n%.*s/%s/aws4_request\n%.*s", STR_ARG(time),
                     STR_ARG(day), g->scope, STR_ARG(canonical_hash));
    unsigned char key[32], mac[32];
    sigv4_key(str_z(g->secret), day, region, service, key);
    hmac_sha256((struct str){ (char *)key, 32 }, to_sign, mac);
    struct str signature = hex_encode(a, mac, 32);
    struct buf b = BUF_INIT(1u << 20);
    buf_printf(&b, "%s %s HTTP/1.1\r\n" H "X-Amz-Date: %.*s\r\nContent-Length: %zu\r\n%s",
               g->method, g->path, STR_ARG(time), strlen(g->body), g->headers);
    if (g->hash) {
        buf_printf(&b, "x-amz-content-sha256: %s\r\n", g->hash);
    }
    if (g->token) {
        buf_printf(&b, "x-amz-security-token: %s\r\n", g->token);
    }
    buf_printf(&b,
               "Authorization: AWS4-HMAC-SHA256 Credential=%s/%.*s/%s/aws4_request, "
               "SignedHeaders=%s, Signature=%.*s\r\n\r\n%s",
               g->key, STR_ARG(day), g->scope, names, STR_ARG(signature), g->body);
    http_ask(s->port, buf_str(&b), ret);
    buf_fini(&b);
    arena_free(a);
}

static void expect_signed(const struct server *s, const struct signing *g, int status,
                          const char *text)
{
    struct http_answer r;
    ask_signed(s, g, &r);
    if (r.status != status || (!has(&r, text) && !head_has(&r, text))) {
        fail_msg("wanted %d with \"%s\", got %.*s%.*s", status, text, (int)r.head.n, r.head.p,
                 (int)r.body.n, r.body.p ? r.body.p : "");
    }
    http_answer_fini(&r);
}

#define HELLO_HASH "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define OTHER_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct signing put_hello = {
    .key = "test",
    .secret = "test",
    .scope = "eu-west-1/s3",
    .method = "PUT",
    .path = "/b/k",
    .headers = "",
    .body = "hello",
    .hash = HELLO_HASH,
};
static const struct signing say_hello = {
    .key = "test",
    .secret = "test",
    .scope = "eu-west-1/echo",
    .method = "POST",
    .path = "/",
    .headers = "X-Amz-Target: Echo.Say\r\n",
    .body = "hello",
};

static void test_lenient(void **state)
{
    const struct server *s = *state;
    struct signing g = put_hello;
    expect_signed(s, &g, 200, "x-verified: yes");
    g.secret = "wrong";
    expect_signed(s, &g, 200, "x-verified: no");
    g.key = "111111111111";
    expect_signed(s, &g, 200, "x-account: 111111111111");
    g.key = "AKIANOBODY";
    expect_signed(s, &g, 200, "x-account: 000000000000");
    g.hash = OTHER_HASH; /* the body's hash is checked whoever sends it */
    expect_signed(s, &g, 400, "<Code>XAmzContentSHA256Mismatch</Code>");
    g.hash = HELLO_HASH;
    g.key = ISSUED_KEY; /* our own keys must sign rightly */
    g.token = "token";
    expect_signed(s, &g, 403, "<CanonicalRequest>PUT");
    g.secret = ISSUED_SECRET;
    expect_signed(s, &g, 200, "x-account: 111122223333");
    g.token = "stolen";
    expect_signed(s, &g, 400, "<Code>InvalidToken</Code>");
    g.token = "token";
    g.shift_ms = -16 * 60 * 1000;
    expect_signed(s, &g, 403, "<Code>RequestTimeTooSkewed</Code>");
    g.shift_ms = 0;
    g.headers = "x-amz-acl: private\r\n"; /* not signed */
    expect_signed(s, &g, 403, "<HeadersNotSigned>");
    g.headers = "";
    g.key = "ASIAEXPIRED";
    expect_signed(s, &g, 400, "<Code>ExpiredToken</Code>");
}

static void test_strict(void **state)
{
    const struct server *s = *state;
    struct signing g = put_hello;
    expect_signed(s, &g, 200, "x-verified: yes");
    g.secret = "wrong";
    expect_signed(s, &g, 403, "<Code>SignatureDoesNotMatch</Code>");
    g.key = "AKIANOBODY";
    expect_signed(s, &g, 403, "<Code>InvalidAccessKeyId</Code>");
    g = put_hello;
    g.shift_ms = 16 * 60 * 1000;
    expect_signed(s, &g, 403, "<MaxAllowedSkewMilliseconds>900000");
    g = say_hello; /* its hash is not stated: the body decides */
    expect_signed(s, &g, 200, "hello");
    g.secret = "wrong";
    expect_signed(s, &g, 400, "InvalidSignatureException");
    g = say_hello;
    g.hash = OTHER_HASH;
    expect_signed(s, &g, 400, "InvalidSignatureException");
    g = say_hello;
    g.key = "AKIANOBODY";
    expect_signed(s, &g, 400, "UnrecognizedClientException");
    expect(s, 403, "AccessDenied", "GET /b/k HTTP/1.1\r\n" H "\r\n");
    expect(s, 400, "MissingAuthenticationTokenException",
           "POST / HTTP/1.1\r\n" JSON "Say\r\nContent-Length: 2\r\n\r\n{}");
    expect(s, 200, "running", "GET /_cistern/health HTTP/1.1\r\n" H "\r\n");
    expect(s, 400, "AuthorizationHeaderMalformed",
           "GET /b/k HTTP/1.1\r\n" H "Authorization: Bearer x\r\n\r\n");
    expect(s, 400, "AuthorizationQueryParametersError",
           "GET /b/k?X-Amz-Credential=AK/20261120/us-east-1/s3/aws4_request HTTP/1.1\r\n" H "\r\n");
    expect(s, 403, "Request has expired",
           "GET /b/k?AWSAccessKeyId=test&Expires=1&Signature=x HTTP/1.1\r\n" H "\r\n");
}

/* --- pending calls -------------------------------------------------------------------------------
 */

static void wait_for(atomic_int *what, int value)
{
    for (int i = 0; i < 1000 && atomic_load(what) != value; i++) {
        usleep(5000);
    }
    assert_int_equal(atomic_load(what), value);
}

static void test_abort(void **state)
{
    const struct server *s = *state;
    int before = atomic_load(&echo_aborted);
    int fd = http_connect(s->port);
    assert_true(
        http_send(fd, STR("POST / HTTP/1.1\r\n" JSON "Hang\r\nContent-Length: 2\r\n\r\n{}"), 0));
    wait_for(&echo_hanging, 1);
    close(fd);
    wait_for(&echo_aborted, before + 1);
    wait_for(&echo_hanging, 0);
    expect(s, 200, "running", "GET /_cistern/health HTTP/1.1\r\n" H "\r\n");
}

/* Stopping answers what hangs. */
static void test_stop_pending(void **state)
{
    (void)state;
    struct server *s = server_start(false);
    int fd = http_connect(s->port);
    assert_true(
        http_send(fd, STR("POST / HTTP/1.1\r\n" JSON "Hang\r\nContent-Length: 2\r\n\r\n{}"), 0));
    wait_for(&echo_hanging, 1);
    core_end(s->core);
    struct http_answer r;
    http_read(fd, false, &r);
    assert_int_equal(r.status, 503);
    http_answer_fini(&r);
    close(fd);
    atomic_store(&echo_hanging, 0);
    server_stop(s);
}

int main(void)
{
    if (log_configure("error,core=error") != ST_OK) {
        return 1;
    }
    const struct CMUnitTest lenient[] = {
        cmocka_unit_test(test_health),       cmocka_unit_test(test_put_get),
        cmocka_unit_test(test_files),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_undo),         cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_expect),
        cmocka_unit_test(test_refused_body), cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_cut_upload),   cmocka_unit_test(test_aws_chunked),
        cmocka_unit_test(test_gzip),         cmocka_unit_test(test_guard),
        cmocka_unit_test(test_lenient),      cmocka_unit_test(test_abort),
        cmocka_unit_test(test_stop_pending),
    };
    const struct CMUnitTest strict[] = { cmocka_unit_test(test_strict) };
    int failed = cmocka_run_group_tests_name("lenient", lenient, setup, teardown);
    return failed + cmocka_run_group_tests_name("strict", strict, setup_strict, teardown);
}
