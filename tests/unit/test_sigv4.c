/* Every signature that real clients made for us must verify, and none may survive a changed byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/http/sigv2.h"
#include "server/http/sigv4.h"
#include "tests/support/captures.h"

static const struct str secret = STR_INIT("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
static const char *const files[] = { "boto3",  "boto3_https", "boto3_misc", "js",
                                     "awscli", "terraform",   "tf_fullload" };

struct counts {
    size_t v4_header, v4_query, v2_query, v4_post, v2_post, none, tampered;
};

/* --- verifying one request -------------------------------------------------------------------- */

static bool hex64(struct str s)
{
    return s.n == 64 && !str_starts(s, STR("STREAMING"));
}

static bool v4_holds(struct arena *a, const struct capture *c)
{
    struct sigv4 s;
    struct sig_problem problem;
    if (sigv4_parse(&c->request, a, &s, &problem) != ST_OK) {
        return false;
    }
    struct str body_hash = STR_NONE;
    if (str_set(c->body)) {
        unsigned char hash[DIGEST_MAX];
        digest_bytes(DIGEST_SHA256, c->body.p, c->body.n, hash);
        body_hash = hex_encode(a, hash, 32);
        if (hex64(s.payload_hash) && !str_eq(s.payload_hash, body_hash)) {
            return false;
        }
    }
    return sigv4_verify(&c->request, &s, secret, body_hash, a, NULL);
}

static bool v2_holds(struct arena *a, const struct capture *c)
{
    struct sigv2 s;
    struct sig_problem problem;
    return sigv2_parse(&c->request, a, &s, &problem) == ST_OK &&
           sigv2_verify(&c->request, &s, STR_NONE, secret, a, NULL);
}

static struct str form_field(struct arena *a, struct str body, const char *name)
{
    struct str mark = arena_printf(a, "name=\"%s\"\r\n\r\n", name);
    ptrdiff_t at = str_find_str(body, mark);
    if (at < 0) {
        return STR_NONE;
    }
    struct str rest = str_sub(body, (size_t)at + mark.n, body.n);
    return str_sub(rest, 0, (size_t)str_find(rest, '\r', 0));
}

static bool post_holds(struct arena *a, struct str body, struct counts *n)
{
    struct str policy = form_field(a, body, "policy");
    struct str credential = form_field(a, body, "x-amz-credential");
    if (str_set(credential)) {
        struct sigv4 s = { 0 };
        n->v4_post++;
        return sigv4_credential(credential, &s) == ST_OK &&
               sigv4_policy_verify(&s, secret, policy, form_field(a, body, "x-amz-signature"), a);
    }
    n->v2_post++;
    return sigv2_policy_verify(secret, policy, form_field(a, body, "signature"), a);
}

/* --- changing one byte ------------------------------------------------------------------------ */

/* Another character that the same grammar allows. */
static char other(char c)
{
    if (c >= '0' && c <= '9') {
        return c == '9' ? '0' : (char)(c + 1);
    }
    if ((c >= 'a' && c < 'z') || (c >= 'A' && c < 'Z')) {
        return (char)(c + 1);
    }
    return c == 'z' ? 'y' : c == 'Z' ? 'Y' : '\0';
}

/* Changes the letter or digit nearest after the middle; false when there is none. */
static bool spoil(struct arena *a, struct str *s, size_t from)
{
    for (size_t i = from; i < s->n; i++) {
        if (other(s->p[i]) && !(i > 0 && s->p[i - 1] == '%') && !(i > 1 && s->p[i - 2] == '%')) {
            char *copy = arena_cstr(a, *s);
            copy[i] = other(copy[i]);
            s->p = copy;
            return true;
        }
    }
    return false;
}

static void must_fail(struct arena *a, const struct capture *c, bool v2, struct counts *n,
                      const char *what)
{
    n->tampered++;
    if (v2 ? v2_holds(a, c) : v4_holds(a, c)) {
        fail_msg("%.*s: verified although %s was changed", STR_ARG(c->label), what);
    }
}

static bool is_signed(struct arena *a, const struct capture *c, struct str name, bool v2)
{
    struct sigv4 s;
    struct sig_problem problem;
    if (v2) {
        return str_ieqz(name, "content-type") || str_ieqz(name, "content-md5");
    }
    assert_int_equal(sigv4_parse(&c->request, a, &s, &problem), ST_OK);
    struct str item;
    while (str_next(&s.signed_headers, ';', &item)) {
        if (str_ieq(item, name)) {
            return true;
        }
    }
    return false;
}

static void tamper_headers(struct arena *a, const struct capture *c, bool v2, struct counts *n)
{
    for (size_t i = 0; i < c->request.headers.n; i++) {
        struct str name = c->request.headers.v[i].name;
        struct str kept = c->request.headers.v[i].value;
        if (is_signed(a, c, name, v2) && spoil(a, &c->request.headers.v[i].value, 0)) {
            must_fail(a, c, v2, n, arena_cstr(a, name));
        }
        c->request.headers.v[i].value = kept;
    }
}

/* All 64 digits of the signature, and day, region and service of the scope. */
static void tamper_authorization(struct arena *a, const struct capture *c, struct counts *n)
{
    for (size_t i = 0; i < c->request.headers.n; i++) {
        struct str *value = &c->request.headers.v[i].value;
        struct str kept = *value;
        if (!str_ieqz(c->request.headers.v[i].name, "authorization")) {
            continue;
        }
        size_t scope = (size_t)str_find(kept, '/', 0);
        size_t scope_end = (size_t)str_find_str(kept, STR("aws4_request"));
        size_t first = (size_t)str_find_str(kept, STR("Signature=")) + 10;
        for (size_t at = scope; at < kept.n; at = at == scope_end ? first : at + 1) {
            if (other(kept.p[at])) {
                char *copy = arena_cstr(a, kept);
                bool digit = at >= first;
                copy[at] = digit && kept.p[at] == 'f' ? 'e' : other(kept.p[at]);
                value->p = copy;
                must_fail(a, c, false, n, "the authorization header");
                *value = kept;
            }
        }
    }
}

static void tamper_query(struct arena *a, struct capture *c, bool v2, struct counts *n)
{
    struct str kept = c->request.query, rest = kept, name, value;
    while (http_query_next(&rest, &name, &value)) {
        bool covered = !v2 || str_eqz(name, "Signature") || str_eqz(name, "Expires");
        size_t at = (size_t)(value.p - kept.p);
        if (covered && value.n > 0 && spoil(a, &c->request.query, at)) {
            must_fail(a, c, v2, n, "the query");
        }
        c->request.query = kept;
    }
}

static void tamper(struct arena *a, struct capture *c, bool v2, struct counts *n)
{
    tamper_headers(a, c, v2, n);
    tamper_query(a, c, v2, n);
    struct str path = c->request.path;
    if (spoil(a, &c->request.path, path.n / 2)) {
        must_fail(a, c, v2, n, "the path");
    }
    c->request.path = STR("/another");
    must_fail(a, c, v2, n, "the path");
    c->request.path = path;
    struct str method = c->request.method;
    c->request.method = STR("PATCH");
    must_fail(a, c, v2, n, "the method");
    c->request.method = method;
    struct str stated = http_headers_get(&c->request.headers, "x-amz-content-sha256");
    bool covered = !v2 && (hex64(stated) || !str_set(stated)) &&
                   str_set(http_headers_get(&c->request.headers, "authorization"));
    if (covered && !str_empty(c->body)) {
        struct str body = c->body;
        char *copy = arena_alloc(a, body.n);
        memcpy(copy, body.p, body.n);
        copy[body.n / 2] ^= 1;
        c->body.p = copy;
        must_fail(a, c, false, n, "the body");
        c->body = body;
    }
}

/* --- all captures ----------------------------------------------------------------------------- */

static void check(void *arg, struct arena *a, struct capture *c)
{
    struct counts *n = arg;
    if (sigv4_present(&c->request)) {
        bool query = !str_set(http_headers_get(&c->request.headers, "authorization"));
        *(query ? &n->v4_query : &n->v4_header) += 1;
        if (!v4_holds(a, c)) {
            fail_msg("%.*s: the signature does not verify", STR_ARG(c->label));
        }
        tamper(a, c, false, n);
        if (!query) {
            tamper_authorization(a, c, n);
        }
    } else if (sigv2_present(&c->request)) {
        n->v2_query++;
        if (!v2_holds(a, c)) {
            fail_msg("%.*s: the version 2 signature does not verify", STR_ARG(c->label));
        }
        tamper(a, c, true, n);
    } else if (str_set(form_field(a, c->body, "policy"))) {
        assert_true(post_holds(a, c->body, n));
        struct str broken = arena_str(a, c->body);
        size_t at = (size_t)str_find_str(broken, form_field(a, c->body, "policy")) + 20;
        struct counts ignored = { 0 };
        assert_true(spoil(a, &broken, at));
        assert_false(post_holds(a, broken, &ignored));
    } else {
        n->none++;
    }
}

static void test_captures(void **state)
{
    (void)state;
    struct counts n = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        captures_each(files[i], check, &n);
    }
    assert_int_equal(n.v4_header, 1042);
    assert_int_equal(n.v4_query, 2);
    assert_int_equal(n.v2_query, 2);
    assert_int_equal(n.v4_post, 1);
    assert_int_equal(n.v2_post, 1);
    assert_int_equal(n.none, 2);
    assert_true(n.tampered > 70000);
    print_message("tampered requests refused: %zu\n", n.tampered);
}

static void test_wrong_secret(void **state)
{
    (void)state;
    struct arena *a = arena_new(1u << 20);
    unsigned char one[SIGV4_KEY_BYTES], two[SIGV4_KEY_BYTES];
    sigv4_key(STR("a"), STR("20261120"), STR("us-east-1"), STR("s3"), one);
    sigv4_key(STR("b"), STR("20261120"), STR("us-east-1"), STR("s3"), two);
    assert_memory_not_equal(one, two, sizeof(one));
    /* from the cache the same as computed */
    sigv4_key(STR("a"), STR("20261120"), STR("us-east-1"), STR("s3"), two);
    assert_memory_equal(one, two, sizeof(one));
    /* the borders between the parts count */
    sigv4_key(STR("a"), STR("20261120"), STR("us-east-1s"), STR("3"), two);
    assert_memory_not_equal(one, two, sizeof(one));
    arena_free(a);
}

/* Version 2 in the header; as botocore makes it: "/bucket" is signed as "/bucket/". */
static void test_v2_header(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        { "/bucket1", "GET\n\n\nFri, 20 Nov 2026 19:01:43 GMT\nx-amz-meta-a:b\n/bucket1/" },
        { "/bucket1", "GET\n\n\nFri, 20 Nov 2026 19:01:43 GMT\nx-amz-meta-a:b\n/bucket1" },
        { "/b/a%20c", "GET\n\n\nFri, 20 Nov 2026 19:01:43 GMT\nx-amz-meta-a:b\n/b/a%20c" },
    };
    struct arena *a = arena_new(1u << 20);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        unsigned char mac[20];
        hmac_sha1(secret, str_z(texts[i][1]), mac);
        struct str mac64 = base64_encode(a, mac, sizeof(mac));
        struct http_request r = { STR("GET"), str_z(texts[i][0]), STR("list-type=2"), { 0 } };
        http_headers_add(&r.headers, a, STR("Date"), STR("Fri, 20 Nov 2026 19:01:43 GMT"));
        http_headers_add(&r.headers, a, STR("X-Amz-Meta-A"), STR(" b "));
        http_headers_add(&r.headers, a, STR("Authorization"),
                         arena_printf(a, "AWS AK:%.*s", STR_ARG(mac64)));
        struct capture c = { STR("v2"), r, STR_NONE };
        assert_true(v2_holds(a, &c));
        c.request.path = STR("/bucket2");
        assert_false(v2_holds(a, &c));
        c.request.path = r.path;
        c.request.headers.v[1].value = STR("c");
        assert_false(v2_holds(a, &c));
    }
    arena_free(a);
}

/* --- hostile headers -------------------------------------------------------------------------- */

static enum status parse_auth(struct arena *a, const char *auth, const char *date,
                              struct sigv4 *ret)
{
    struct http_request r = { STR("GET"), STR("/"), STR(""), { 0 } };
    struct sig_problem problem = { 0 };
    http_headers_add(&r.headers, a, STR("Authorization"), str_z(auth));
    if (date) {
        http_headers_add(&r.headers, a, STR("X-Amz-Date"), str_z(date));
    }
    enum status st = sigv4_parse(&r, a, ret, &problem);
    assert_true(st == ST_OK || problem.text != NULL);
    return st;
}

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define GOOD "AWS4-HMAC-SHA256 Credential=AK/20261120/us-east-1/s3/aws4_request"

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=////",
        "AWS4-HMAC-SHA256 Credential=/20261120/us-east-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 ,,,,=,=,",
        "AWS4-HMAC-SHA512 Credential=AK/20261120/us-east-1/s3/aws4_request",
        GOOD,
        GOOD ", SignedHeaders=host",
        GOOD ", Signature=" HEX,
        GOOD ", SignedHeaders=x-amz-date, Signature=" HEX,
        GOOD ", SignedHeaders=host, Signature=" HEX "00",
        GOOD ", SignedHeaders=host, Signature=zz",
    };
    struct arena *a = arena_new(1u << 20);
    struct sigv4 s;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(parse_auth(a, bad[i], "20261120T000000Z", &s), ST_INVALID);
    }
    const char *good = GOOD ",SignedHeaders=host,Signature=" HEX;
    assert_int_equal(parse_auth(a, good, "20261120T000000Z", &s), ST_OK);
    assert_int_equal(parse_auth(a, good, NULL, &s), ST_INVALID);
    assert_int_equal(parse_auth(a, good, "20261121T000000Z", &s), ST_INVALID);
    assert_int_equal(parse_auth(a, good, "20261120T999999Z", &s), ST_INVALID);
    assert_int_equal(parse_auth(a, good, "Fri, 20 Nov 2026 07:08:09 GMT", &s), ST_OK);
    assert_true(str_eqz(s.time, "20261120T070809Z"));
    /* access keys may hold slashes */
    assert_int_equal(parse_auth(a,
                                "AWS4-HMAC-SHA256 Credential=a/b/20261120/r/glue/aws4_request, "
                                "SignedHeaders=host, Signature=" HEX,
                                "20261120T000000Z", &s),
                     ST_OK);
    assert_true(str_eqz(s.access_key, "a/b"));
    assert_true(str_eqz(s.service, "glue"));
    arena_free(a);
}

/* Not one of the signed headers, but meaningful: S3 refuses it. */
static void test_unsigned_header(void **state)
{
    (void)state;
    struct arena *a = arena_new(1u << 20);
    struct http_request r = { STR("GET"), STR("/"), STR(""), { 0 } };
    struct sigv4 s = { .signed_headers = STR("host;x-amz-date") };
    http_headers_add(&r.headers, a, STR("X-Amz-Date"), STR("20261120T000000Z"));
    http_headers_add(&r.headers, a, STR("X-Amz-Content-SHA256"), STR(HEX));
    assert_false(str_set(sigv4_unsigned_header(&r, &s)));
    http_headers_add(&r.headers, a, STR("x-amz-acl"), STR("public-read"));
    assert_true(str_eqz(sigv4_unsigned_header(&r, &s), "x-amz-acl"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captures),        cmocka_unit_test(test_wrong_secret),
        cmocka_unit_test(test_v2_header),       cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_unsigned_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
