/* Rules of routing, one by one; and that recorded requests reach their service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/http/guard.h"
#include "server/http/route.h"
#include "server/http/sigv2.h"
#include "server/http/sigv4.h"
#include "tests/support/captures.h"

static enum status nothing(struct call *c, const void *in, void *ret_out)
{
    (void)c;
    (void)in;
    (void)ret_out;
    return ST_OK;
}

static const struct op rest_ops[] = {
    { "GetFunction", nothing, NULL, NULL, "GET", "/2015-03-31/functions/{FunctionName}", 200, 0,
      NULL },
};

static const struct service list_of[] = {
    { .name = "cloudwatch",
      .signing_name = "monitoring",
      .target_prefix = "GraniteServiceVersion20100801",
      .api_version = "2010-08-01",
      .protocols = PROTO_JSON10 | PROTO_QUERY | PROTO_CBOR },
    { .name = "ec2", .signing_name = "ec2", .api_version = "2016-11-15", .protocols = PROTO_EC2 },
    { .name = "glue",
      .signing_name = "glue",
      .target_prefix = "AWSGlue",
      .protocols = PROTO_JSON11 },
    { .name = "iam", .signing_name = "iam", .api_version = "2010-05-08", .protocols = PROTO_QUERY },
    { .name = "lambda",
      .signing_name = "lambda",
      .ops = rest_ops,
      .n_ops = ARRAY_LEN(rest_ops),
      .protocols = PROTO_REST_JSON },
    { .name = "s3", .signing_name = "s3", .protocols = PROTO_REST_XML },
    { .name = "sqs",
      .signing_name = "sqs",
      .target_prefix = "AmazonSQS",
      .api_version = "2012-11-05",
      .protocols = PROTO_JSON10 | PROTO_QUERY },
    { .name = "sts", .signing_name = "sts", .api_version = "2011-06-15", .protocols = PROTO_QUERY },
};

static const struct service *all[ARRAY_LEN(list_of) + 1];

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(list_of); i++) {
        all[i] = &list_of[i];
    }
    return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* "METHOD target\nName: value\n…" */
static void parse(struct arena *a, const char *text, struct http_request *ret)
{
    struct str rest = str_z(text), line, target;
    *ret = (struct http_request){ 0 };
    (void)str_next(&rest, '\n', &line);
    (void)str_cut(line, ' ', &ret->method, &target);
    http_target_split(target, &ret->path, &ret->query);
    while (str_next(&rest, '\n', &line)) {
        struct str name, value;
        (void)str_cut(line, ':', &name, &value);
        http_headers_add(&ret->headers, a, name, str_trim(value));
    }
}

static void find(struct arena *a, const struct http_request *r, struct route *ret)
{
    struct sigv4 s = { 0 };
    struct sig_problem problem;
    struct route_scope scope = { .s3v2 = sigv2_present(r) };
    if (sigv4_present(r)) {
        (void)!sigv4_parse(r, a, &s, &problem);
        scope = (struct route_scope){ .service = s.service };
    }
    route_find(all, r, &scope, a, ret);
}

static struct arena *arena;

static const char *service_of(const struct route *r)
{
    return r->service ? r->service->name : "-";
}

static struct route ask(const char *text)
{
    struct http_request r;
    struct route route;
    parse(arena, text, &r);
    find(arena, &r, &route);
    return route;
}

static void expect(const char *text, const char *service, enum protocol protocol, const char *op)
{
    struct route r = ask(text);
    assert_string_equal(service_of(&r), service);
    assert_int_equal(r.protocol, protocol);
    assert_true(op ? str_eqz(r.op_name, op) : !str_set(r.op_name));
}

static void expect_s3(const char *text, const char *bucket, const char *key, const char *path)
{
    struct route r = ask(text);
    assert_string_equal(service_of(&r), "s3");
    assert_true(bucket ? str_eqz(r.bucket, bucket) : !str_set(r.bucket));
    assert_true(key ? str_eqz(r.key, key) : !str_set(r.key));
    assert_true(str_eqz(r.path, path));
}

#define AUTH(scope) \
    "Authorization: AWS4-HMAC-SHA256 Credential=AK/20261120/r1/" scope "/aws4_request"
#define FORM "Content-Type: application/x-www-form-urlencoded; charset=utf-8\n"

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new(8u << 20);
    return 0;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* --- the rules -------------------------------------------------------------------------------- */

static void test_scope(void **state)
{
    (void)state;
    expect("POST /\nX-Amz-Target: AWSGlue.GetJob\n" AUTH("glue"), "glue", PROTO_JSON11, "GetJob");
    expect("POST /\nX-Amz-Target: AmazonSQS.SendMessage\n"
           "Content-Type: application/x-amz-json-1.0\n" AUTH("sqs"),
           "sqs", PROTO_JSON10, "SendMessage");
    expect("POST /000000000000/q\n" FORM AUTH("sqs"), "sqs", PROTO_QUERY, NULL);
    expect("POST /\n" FORM AUTH("monitoring"), "cloudwatch", PROTO_QUERY, NULL);
    expect("POST /?Action=ListUsers&Version=2010-05-08\n" AUTH("iam"), "iam", PROTO_QUERY,
           "ListUsers");
    expect("POST /\n" FORM AUTH("ec2"), "ec2", PROTO_EC2, NULL);
    expect("GET /2015-03-31/functions/f\n" AUTH("lambda"), "lambda", PROTO_REST_JSON, NULL);
    expect("POST /service/GraniteServiceVersion20100801/operation/PutMetricData\n"
           "smithy-protocol: rpc-v2-cbor\n" AUTH("monitoring"),
           "cloudwatch", PROTO_CBOR, "PutMetricData");
    /* SigV4a has no region */
    expect("GET /b\nAuthorization: AWS4-ECDSA-P256-SHA256 Credential=AK/20261120/s3/aws4_request, "
           "SignedHeaders=host, Signature=00",
           "s3", PROTO_REST_XML, NULL);
    expect("GET /b\nAuthorization: AWS AK:c2ln", "s3", PROTO_REST_XML, NULL);
}

static void test_unknown(void **state)
{
    (void)state;
    expect("POST /\nX-Amz-Target: TrentService.Encrypt\n"
           "Content-Type: application/x-amz-json-1.1\n" AUTH("kms"),
           "-", PROTO_JSON11, NULL);
    expect("POST /\n" FORM AUTH("elasticache"), "-", PROTO_QUERY, NULL);
    expect("GET /restapis\n" AUTH("apigateway"), "-", PROTO_REST_JSON, NULL);
    expect("GET /v20180820/tags/x\n" AUTH("s3"), "-", PROTO_REST_JSON, NULL);
    assert_true(str_eqz(ask("POST /\n" FORM AUTH("elasticache")).wanted, "elasticache"));
}

static void test_unsigned(void **state)
{
    (void)state;
    expect("POST /\nX-Amz-Target: AWSGlue.GetJob", "glue", PROTO_JSON11, "GetJob");
    expect("POST /service/GraniteServiceVersion20100801/operation/ListMetrics\n"
           "smithy-protocol: rpc-v2-cbor",
           "cloudwatch", PROTO_CBOR, "ListMetrics");
    expect("GET /?Action=GetCallerIdentity&Version=2011-06-15", "sts", PROTO_QUERY,
           "GetCallerIdentity");
    expect("GET /2015-03-31/functions/f", "lambda", PROTO_REST_JSON, NULL);
    expect("GET /2015-03-31/nothing", "s3", PROTO_REST_XML, NULL);
    expect("POST /\nHost: glue.eu-west-1.amazonaws.com", "glue", PROTO_JSON11, NULL);
    expect("GET /b/k?AWSAccessKeyId=A&Signature=s&Expires=1", "s3", PROTO_REST_XML, NULL);
    expect("GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261120%2Fr%2Fsts%2F"
           "aws4_request&Action=GetCallerIdentity&Version=2011-06-15",
           "sts", PROTO_QUERY, "GetCallerIdentity");
    expect("GET /", "s3", PROTO_REST_XML, NULL);
}

static void test_form(void **state)
{
    (void)state;
    struct http_request r;
    struct route route;
    parse(arena, "POST /\n" FORM, &r);
    find(arena, &r, &route);
    assert_true(route.form);
    route_form(all, &r, STR("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=a%3Ab"),
               arena, &route);
    assert_false(route.form);
    assert_string_equal(service_of(&route), "sts");
    assert_true(str_eqz(route.op_name, "AssumeRoleWithWebIdentity"));
    find(arena, &r, &route);
    route_form(all, &r, STR("Action=X&Version=2016-11-15"), arena, &route);
    assert_int_equal(route.protocol, PROTO_EC2);
    find(arena, &r, &route);
    route_form(all, &r, STR("Action=X&Version=1999-01-01"), arena, &route);
    assert_string_equal(service_of(&route), "-");
    parse(arena, "POST /bucket\n" FORM, &r);
    find(arena, &r, &route);
    route_form(all, &r, STR("a=b"), arena, &route);
    assert_string_equal(service_of(&route), "s3");
    assert_true(str_eqz(route.bucket, "bucket"));
    parse(arena, "POST /\n" FORM AUTH("iam"), &r);
    find(arena, &r, &route);
    assert_true(route.form);
    route_form(all, &r, STR("Action=List%55sers"), arena, &route);
    assert_string_equal(service_of(&route), "iam");
    assert_true(str_eqz(route.op_name, "ListUsers"));
}

static void test_s3_addresses(void **state)
{
    (void)state;
    expect_s3("GET /", NULL, NULL, "/");
    expect_s3("GET /b", "b", NULL, "/b");
    expect_s3("GET /b/", "b", NULL, "/b/");
    expect_s3("GET /b//", "b", "/", "/b//");
    expect_s3("GET /b/k//..//x", "b", "k//..//x", "/b/k//..//x");
    expect_s3("GET /b/a%20b+c%2Fd?acl", "b", "a b+c/d", "/b/a%20b+c%2Fd");
    expect_s3("GET /b/%252e", "b", "%2e", "/b/%252e");
    expect_s3("GET http://proxy/b/k?x", "b", "k", "/b/k");
    expect_s3("GET /\nHost: b.localhost:4566", "b", NULL, "/b/");
    expect_s3("GET /k%20/x\nHost: b.localhost", "b", "k /x", "/b/k%20/x");
    expect_s3("GET /k\nHost: my.bucket.s3.eu-west-1.amazonaws.com", "my.bucket", "k",
              "/my.bucket/k");
    expect_s3("GET /k\nHost: b.s3-eu-west-1.amazonaws.com", "b", "k", "/b/k");
    expect_s3("GET /k\nHost: b.s3.localhost:4566", "b", "k", "/b/k");
    expect_s3("GET /b/k\nHost: s3.eu-west-1.amazonaws.com", "b", "k", "/b/k");
    expect_s3("GET /b/k\nHost: s3.localhost:4566", "b", "k", "/b/k");
    expect_s3("GET /b/k\nHost: localhost:4566", "b", "k", "/b/k");
    expect_s3("GET /b/k\nHost: [::1]:4566", "b", "k", "/b/k");
}

/* --- recorded requests ------------------------------------------------------------------------ */

struct counts {
    size_t n, unrouted;
};

static void check(void *arg, struct arena *a, struct capture *c)
{
    struct counts *n = arg;
    struct route r;
    find(a, &c->request, &r);
    if (r.form) {
        route_form(all, &c->request, c->body, a, &r);
    }
    n->n++;
    n->unrouted += r.service == NULL;
    bool rest = r.protocol == PROTO_REST_XML || r.protocol == PROTO_REST_JSON;
    if (r.service && !rest && str_empty(r.op_name)) {
        fail_msg("%.*s: no operation found", STR_ARG(c->label));
    }
    if (str_starts(c->label, STR("s3."))) {
        assert_string_equal(service_of(&r), "s3");
    }
    const char *reason;
    assert_true(guard_allows(&c->request, "127.0.0.1", &reason));
}

static void test_captures(void **state)
{
    (void)state;
    static const char *const files[] = { "boto3", "boto3_https", "boto3_misc", "js", "awscli" };
    struct counts n = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        captures_each(files[i], check, &n);
    }
    assert_true(n.n > 180);
    assert_true(n.unrouted < n.n / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scope, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(test_unknown, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(test_unsigned, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(test_form, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(test_s3_addresses, make_arena, drop_arena),
        cmocka_unit_test(test_captures),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
