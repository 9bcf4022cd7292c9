/* Who is believed, whose signature is checked, and how each protocol is told about a refusal. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/log.h"
#include "server/http/sigv4.h"
#include "tests/support/http_server.h"

#define H "Host: localhost\r\n"
#define JSON H "X-Amz-Target: Echo."

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
static void ask_signed(const struct http_server *s, const struct signing *g,
                       struct http_answer *ret)
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

static void expect_signed(const struct http_server *s, const struct signing *g, int status,
                          const char *text)
{
    struct http_answer r;
    ask_signed(s, g, &r);
    http_expect_answer(&r, status, text);
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
    const struct http_server *s = *state;
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
    g.token = ISSUED_TOKEN;
    expect_signed(s, &g, 403, "<CanonicalRequest>PUT");
    g.secret = ISSUED_SECRET;
    expect_signed(s, &g, 200, "x-account: " ISSUED_ACCOUNT);
    g.token = "stolen";
    expect_signed(s, &g, 400, "<Code>InvalidToken</Code>");
    g.token = ISSUED_TOKEN;
    g.shift_ms = -16 * 60 * 1000;
    expect_signed(s, &g, 403, "<Code>RequestTimeTooSkewed</Code>");
    g.shift_ms = 0;
    g.headers = "x-amz-acl: private\r\n"; /* not signed */
    expect_signed(s, &g, 403, "<HeadersNotSigned>");
    g.headers = "";
    g.key = EXPIRED_KEY;
    expect_signed(s, &g, 400, "<Code>ExpiredToken</Code>");
}

static void test_strict(void **state)
{
    const struct http_server *s = *state;
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
    http_expect(s, 403, "AccessDenied", "GET /b/k HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 400, "MissingAuthenticationTokenException",
                "POST / HTTP/1.1\r\n" JSON "Say\r\nContent-Length: 2\r\n\r\n{}");
    http_expect(s, 200, "running", "GET /_cistern/health HTTP/1.1\r\n" H "\r\n");
    http_expect(s, 400, "AuthorizationHeaderMalformed",
                "GET /b/k HTTP/1.1\r\n" H "Authorization: Bearer x\r\n\r\n");
    http_expect(s, 400, "AuthorizationQueryParametersError",
                "GET /b/k?X-Amz-Credential=AK/20261120/us-east-1/s3/aws4_request HTTP/1.1\r\n" H
                "\r\n");
    http_expect(s, 403, "Request has expired",
                "GET /b/k?AWSAccessKeyId=test&Expires=1&Signature=x HTTP/1.1\r\n" H "\r\n");
}

int main(void)
{
    if (log_configure("error") != ST_OK) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lenient, http_server_setup, http_server_teardown),
        cmocka_unit_test_setup_teardown(test_strict, http_server_setup_strict,
                                        http_server_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
