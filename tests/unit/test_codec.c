/* Matching of REST requests, bindings, answers and errors. */
#include "tests/unit/wire_model.h"

static enum status noop(struct call *c, const void *in, void *ret_out)
{
    (void)c;
    (void)in;
    (void)ret_out;
    return ST_OK;
}

/* A structure with members in every place. */
struct t_put {
    struct str Bucket, Key;
    struct opt_i64 Part;
    struct t_names Tags;
    struct opt_time Since;
    struct t_names Parts;
    struct t_map Meta;
    struct str Body;
};
#define P_FIELD(member, wire_name, type, where, extra)                          \
    {                                                                           \
        .name = #member, .wire = (wire_name), .shape = &(type),                 \
        .off = offsetof(struct t_put, member), .loc = (where), .flags = (extra) \
    }
static const struct field p_fields[] = {
    P_FIELD(Bucket, "Bucket", shape_any_string, LOC_URI, FIELD_REQUIRED),
    P_FIELD(Key, "Key", shape_any_string, LOC_URI, FIELD_REQUIRED),
    P_FIELD(Part, "part", shape_any_int, LOC_QUERY, 0),
    P_FIELD(Tags, "tag", t_names, LOC_QUERY, 0),
    P_FIELD(Since, "If-Since", shape_any_time, LOC_HEADER, 0),
    P_FIELD(Parts, "x-parts", t_names, LOC_HEADER, 0),
    P_FIELD(Meta, "x-meta-", t_map, LOC_HEADERS, 0),
    P_FIELD(Body, "Body", shape_any_blob, LOC_BODY, FIELD_STREAM),
};
static const struct shape p_shape = { .name = "PutRequest",
                                      .kind = SHAPE_STRUCT,
                                      .size = sizeof(struct t_put),
                                      .fields = p_fields,
                                      .n_fields = ARRAY_LEN(p_fields),
                                      .payload = &p_fields[7] };
static const struct field upload_fields[] = { { .name = "UploadId",
                                                .wire = "uploadId",
                                                .shape = &shape_any_string,
                                                .loc = LOC_QUERY,
                                                .flags = FIELD_REQUIRED } };
static const struct shape upload_shape = { .name = "Upload",
                                           .kind = SHAPE_STRUCT,
                                           .size = sizeof(struct str),
                                           .fields = upload_fields,
                                           .n_fields = 1 };
/* Sorted by name. */
static const struct op ops[] = {
    { .name = "CreateBucket", .fn = noop, .method = "PUT", .uri = "/{Bucket}" },
    { .name = "GetAcl", .fn = noop, .method = "GET", .uri = "/{Bucket}?acl" },
    { .name = "GetFunction", .fn = noop, .method = "GET", .uri = "/2015/functions/{Name}" },
    { .name = "GetObject", .fn = noop, .method = "GET", .uri = "/{Bucket}/{Key+}?x-id=GetObject" },
    { .name = "ListBuckets", .fn = noop, .method = "GET", .uri = "/?x-id=ListBuckets" },
    { .name = "ListDirectories", .method = "GET", .uri = "/?x-id=ListDirectories" },
    { .name = "ListV1", .fn = noop, .method = "GET", .uri = "/{Bucket}" },
    { .name = "ListV2", .fn = noop, .method = "GET", .uri = "/{Bucket}?list-type=2" },
    { .name = "PutObject",
      .fn = noop,
      .in = &p_shape,
      .out = &p_shape,
      .method = "PUT",
      .uri = "/{Bucket}/{Key+}",
      .http_status = 200 },
    { .name = "UploadPart",
      .fn = noop,
      .in = &upload_shape,
      .method = "PUT",
      .uri = "/{Bucket}/{Key+}" },
};

static void expect_op(const char *method, const char *path, const char *query, const char *name)
{
    const struct op *op =
        op_match_rest(ops, ARRAY_LEN(ops), str_z(method), str_z(path), str_z(query));
    if (name) {
        assert_non_null(op);
        assert_string_equal(op->name, name);
    } else {
        assert_null(op);
    }
}

static void test_matching(void **state)
{
    (void)state;
    expect_op("GET", "/", "", "ListBuckets");
    expect_op("GET", "", "", "ListBuckets");
    expect_op("GET", "/", "x-id=ListDirectories", "ListDirectories");
    expect_op("GET", "/b", "", "ListV1");
    expect_op("GET", "/b/", "list-type=2&prefix=a", "ListV2");
    expect_op("GET", "/b", "list-type=1", "ListV1");
    expect_op("GET", "/b", "acl", "GetAcl");
    expect_op("GET", "/b", "acl=", "GetAcl");
    expect_op("GET", "/b", "x&acl=&y", "GetAcl");
    expect_op("GET", "/b/k/l//", "", "GetObject");
    expect_op("GET", "/b//", "", "GetObject");
    expect_op("PUT", "/b/k", "", "PutObject");
    expect_op("PUT", "/b/k", "partNumber=1&uploadId=u", "UploadPart");
    expect_op("GET", "/2015/functions/f", "", "GetFunction");
    expect_op("GET", "/2015/functions/f/", "", "GetFunction");
    expect_op("DELETE", "/b", "", NULL);
    expect_op("PUT", "//", "", NULL);
    expect_op("PUT", "b", "", NULL);
}

static void test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        assert_ptr_equal(op_find(ops, ARRAY_LEN(ops), str_z(ops[i].name)), &ops[i]);
    }
    assert_null(op_find(ops, ARRAY_LEN(ops), STR("List")));
    assert_null(op_find(ops, ARRAY_LEN(ops), STR("Zzz")));
    assert_null(op_find(ops, 0, STR("List")));
    assert_null(op_find(ops, ARRAY_LEN(ops), STR_NONE));
}

static const char *const *headers;

static bool each(const void *arg, size_t *it, struct str *name, struct str *value)
{
    (void)arg;
    if (!headers || !headers[*it]) {
        return false;
    }
    *name = str_z(headers[(*it)++]);
    *value = str_z(headers[(*it)++]);
    return true;
}

static struct str get(const void *arg, const char *name)
{
    struct str key, value;
    for (size_t it = 0; each(arg, &it, &key, &value);) {
        if (str_ieqz(key, name)) {
            return value;
        }
    }
    return STR_NONE;
}

static struct wire_request request(struct arena *a, const char *path, const char *query)
{
    return (struct wire_request){ .protocol = PROTO_REST_XML,
                                  .op = &ops[8],
                                  .arena = a,
                                  .method = STR("PUT"),
                                  .path = str_z(path),
                                  .query = str_z(query),
                                  .body = STR("body"),
                                  .request_id = STR("req-1"),
                                  .header = get,
                                  .each_header = each };
}

static void test_bindings(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    static const char *const sent[] = { "X-Meta-A", "1",    "if-since",   "nonsense",
                                        "x-meta-a", "2",    "X-META-b-C", "\xC3\xA9",
                                        "X-Parts",  "p, q", NULL };
    headers = sent;
    struct wire_request r = request(a, "/b%20c/x/%2F+y", "tag=1&part=7&tag=%32+");
    struct wire_failure failure;
    void *in;
    assert_int_equal(codec_decode(&r, &in, &failure), ST_OK);
    const struct t_put *p = in;
    assert_true(str_eqz(p->Bucket, "b c") && str_eqz(p->Key, "x//+y"));
    assert_true(p->Part.v == 7 && p->Tags.n == 2 && str_eqz(p->Tags.v[1], "2 "));
    assert_false(p->Since.set); /* an unreadable date is ignored */
    assert_int_equal(p->Meta.n, 2);
    assert_true(str_eqz(p->Meta.v[0].key, "a") && str_eqz(p->Meta.v[0].value, "1,2"));
    assert_true(str_eqz(p->Meta.v[1].key, "b-c"));
    assert_true(p->Parts.n == 2 && str_eqz(p->Parts.v[1], "q"));
    assert_true(str_eqz(p->Body, "body"));
    /* The router's labels win over the path. */
    const struct wire_label labels[] = { { "Bucket", STR_INIT("vb") }, { "Key", STR_INIT("vk") } };
    r.labels = labels;
    r.n_labels = 2;
    assert_int_equal(codec_decode(&r, &in, &failure), ST_OK);
    p = in;
    assert_true(str_eqz(p->Bucket, "vb") && str_eqz(p->Key, "vk"));
    arena_free(a);
}

static void test_bad_parameters_are_named(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    headers = NULL;
    struct wire_request r = request(a, "/b/k", "part=x%26");
    struct wire_failure failure;
    void *in;
    assert_int_equal(codec_decode(&r, &in, &failure), ST_AWS);
    assert_string_equal(failure.error->code, "InvalidArgument");
    assert_true(str_eqz(failure.text, "Provided part not an integer or within integer range"));
    assert_int_equal(failure.n_extras, 2);
    assert_true(str_eqz(failure.extras[1].value, "x&"));
    r.path = STR("/b"); /* does not fit the template */
    r.query = STR("");
    assert_int_equal(codec_decode(&r, &in, &failure), ST_AWS);
    assert_true(str_eqz(failure.text, "The request must contain Bucket."));
    arena_free(a);
}

static void test_answer_headers_cannot_be_split(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    headers = NULL;
    struct wire_request r = request(a, "/b/k", "");
    struct t_map_entry meta[] = { { STR_INIT("a"), STR_INIT("x\r\nSet-Cookie: y") } };
    struct t_put out = { .Since = OPT_TIME(0), .Meta = { 1, meta }, .Body = STR_INIT("b") };
    struct wire_reply reply;
    assert_int_equal(codec_encode(&r, &out, &reply), ST_OK);
    assert_int_equal(reply.n_headers, 2);
    assert_true(str_eqz(reply.headers[0].value, "Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_true(str_eqz(reply.headers[1].name, "x-meta-a"));
    assert_true(str_eqz(reply.headers[1].value, "x  Set-Cookie: y"));
    assert_true(str_eqz(buf_str(&reply.body), "b"));
    wire_reply_fini(&reply);
    arena_free(a);
}

static void expect_error(enum protocol protocol, const char *body, const char *type)
{
    struct arena *a = arena_new(TEST_ARENA);
    struct wire_request r = { .protocol = protocol, .arena = a, .request_id = STR("r<1>") };
    const struct wire_failure failure = { .error = &wire_NotImplemented, .text = STR_INIT("a<b") };
    struct wire_reply reply;
    assert_int_equal(codec_encode_error(&r, &failure, &reply), ST_OK);
    assert_int_equal(reply.http_status, 501);
    assert_true(str_eqz(reply.content_type, type));
    assert_string_equal(reply.body.p, body);
    wire_reply_fini(&reply);
    arena_free(a);
}

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void test_error_documents(void **state)
{
    (void)state;
    expect_error(PROTO_JSON10, "{\"__type\":\"NotImplemented\",\"message\":\"a<b\"}",
                 "application/x-amz-json-1.0");
    expect_error(PROTO_REST_JSON, "{\"Type\":\"Server\",\"message\":\"a<b\"}", "application/json");
    expect_error(PROTO_QUERY,
                 XML "<ErrorResponse><Error><Type>Receiver</Type><Code>NotImplemented</Code>"
                     "<Message>a&lt;b</Message></Error><RequestId>r&lt;1&gt;</RequestId>"
                     "</ErrorResponse>",
                 "text/xml");
    expect_error(PROTO_EC2,
                 XML "<Response><Errors><Error><Code>NotImplemented</Code><Message>a&lt;b"
                     "</Message></Error></Errors><RequestID>r&lt;1&gt;</RequestID></Response>",
                 "text/xml;charset=UTF-8");
    expect_error(PROTO_REST_XML,
                 XML "<Error><Code>NotImplemented</Code><Message>a&lt;b</Message>"
                     "<RequestId>r&lt;1&gt;</RequestId></Error>",
                 "application/xml");
}

static void test_operation_without_output(void **state)
{
    (void)state;
    static const struct op bare = { .name = "Bare", .http_status = 200 };
    static const struct {
        enum protocol protocol;
        const char *body;
    } want[] = {
        { PROTO_JSON11, "{}" },
        { PROTO_CBOR, "\xA0" },
        { PROTO_QUERY, XML "<BareResponse><ResponseMetadata><RequestId></RequestId>"
                           "</ResponseMetadata></BareResponse>" },
        { PROTO_EC2, XML "<BareResponse><requestId></requestId><return>true</return>"
                         "</BareResponse>" },
        { PROTO_REST_XML, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct arena *a = arena_new(TEST_ARENA);
        struct wire_request r = { .protocol = want[i].protocol, .op = &bare, .arena = a };
        assert_null(codec_new_out(&bare, a));
        struct wire_reply reply;
        assert_int_equal(codec_encode(&r, NULL, &reply), ST_OK);
        assert_true(str_eqz(buf_str(&reply.body), want[i].body));
        wire_reply_fini(&reply);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_bindings),
        cmocka_unit_test(test_bad_parameters_are_named),
        cmocka_unit_test(test_answer_headers_cannot_be_split),
        cmocka_unit_test(test_error_documents),
        cmocka_unit_test(test_operation_without_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
