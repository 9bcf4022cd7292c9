/* JSON: exactness, hostile documents, the writer. */
#include "tests/unit/wire_model.h"

#include <math.h>

#include "server/wire/json.h"

static struct json_value *parse(struct arena *a, struct str text)
{
    struct json_value *v = NULL;
    struct str why;
    assert_int_equal(json_parse(a, text, &v, &why), ST_OK);
    return v;
}

static void test_integers_are_exact(void **state)
{
    (void)state;
    struct t_result t = t_decode(PROTO_JSON11, STR("{\"Name\":\"n\",\"Size\":9007199254740993}"));
    assert_int_equal(t.st, ST_OK);
    assert_true(t.in->Size.v == 9007199254740993);
    t_free(&t);
    t = t_decode(PROTO_JSON11, STR("{\"Name\":\"n\",\"Size\":-9223372036854775808}"));
    assert_int_equal(t.st, ST_OK);
    assert_true(t.in->Size.v == INT64_MIN);
    t_free(&t);
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Size\":9223372036854775808}"),
              "SerializationException", "'size'");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Size\":1e400}"), "SerializationException",
              "integer");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Size\":1.5}"), "SerializationException", "size");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Count\":3000000000}"), "SerializationException",
              "32 bits");
}

static void test_text_keeps_every_byte(void **state)
{
    (void)state;
    struct t_result t =
        t_decode(PROTO_JSON11, STR("{\"Name\":\"a\\u0000b\\\\u0000 \\ud83d\\ude00\\/\"}"));
    assert_int_equal(t.st, ST_OK);
    assert_true(str_eq(t.in->Name, STR("a\0b\\u0000 \xF0\x9F\x98\x80/")));
    t_free(&t);
    t_refused(PROTO_JSON11, STR("{\"Name\":\"a\xFF\"}"), "SerializationException", "UTF-8");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"\xED\xA0\x80\"}"), "SerializationException", "UTF-8");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"\\ud83d\"}"), "SerializationException", "JSON");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"a\nb\"}"), "SerializationException", "control");
}

static void test_last_of_equal_keys_counts(void **state)
{
    (void)state;
    struct t_result t = t_decode(PROTO_JSON11, STR("{\"Name\":\"a\",\"Name\":\"b\"}"));
    assert_int_equal(t.st, ST_OK);
    assert_true(str_eqz(t.in->Name, "b"));
    t_free(&t);
}

static void test_wrong_types_name_the_member(void **state)
{
    (void)state;
    t_refused(PROTO_JSON11, STR("{\"Name\":1}"), "SerializationException", "'name' is an integer");
    t_refused(PROTO_JSON11, STR("[]"), "SerializationException", "must be an object");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Flag\":\"true\"}"), "SerializationException",
              "true or false");
    t_refused(PROTO_JSON11,
              STR("{\"Name\":\"n\",\"Children\":[{\"Name\":\"x\"},{\"Map\":{\"k\":[]}}]}"),
              "SerializationException", "'children.2.member.map.k'");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Data\":\"*\"}"), "SerializationException",
              "base64");
}

static void test_grammar_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{",          "{\"a\":}", "{\"a\":01}", "{\"a\":1.}",        "{\"a\":-}",   "{\"a\":+1}",
        "{\"a\":.5}", "{a:1}",    "{\"a\":1}x", "{\"a\":\"\\x\"}",   "{\"a\":NaN}", "{\"a\":1,}",
        "nul",        "\"",       "{\"a\":1e}", "{\"a\":\"\\u00\"}", "}",           "{\"a\":\"\\",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        t_refused(PROTO_JSON11, str_z(bad[i]), "SerializationException", "not valid JSON");
    }
}

static void test_bombs_are_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    t_refused(PROTO_JSON11, t_repeat(a, "[", 2000000), "SerializationException", "too deep");
    t_refused(PROTO_JSON11, t_repeat(a, "{\"Child\":", 100000), "SerializationException",
              "too deep");
    t_refused(PROTO_JSON11, arena_printf(a, "[%s]", t_repeat(a, "0,", 2000000).p),
              "SerializationException", "too many");
    struct str digits = t_repeat(a, "9", 1000000);
    t_refused(PROTO_JSON11, arena_printf(a, "{\"Name\":\"n\",\"Size\":%s}", digits.p),
              "SerializationException", "size");
    arena_free(a);
}

static void test_amplification_is_limited(void **state)
{
    (void)state;
    /* 3 bytes of text per element of some hundred bytes. */
    struct arena *a = arena_new(TEST_ARENA);
    struct str body =
        arena_printf(a, "{\"Name\":\"n\",\"Children\":[%s{}]}", t_repeat(a, "{},", 500000).p);
    struct t_result t = t_decode(PROTO_JSON11, body);
    assert_int_equal(t.st, ST_NOMEM);
    t_free(&t);
    arena_free(a);
}

static void test_mangled_documents(void **state)
{
    (void)state;
    t_mangle(PROTO_JSON11,
             STR("{\"Name\":\"n\\u0000\xC3\xA9\",\"Count\":5,\"Size\":12345678901234567,"
                 "\"Ratio\":1.25e3,\"Flag\":true,\"When\":1700000000.5,\"Data\":\"AAEC\","
                 "\"Doc\":{\"a\":[1,null,\"x\"]},\"Names\":[\"a\",null,\"b\"],"
                 "\"Map\":{\"k\":\"v\"},\"Children\":[{\"Name\":\"c\",\"Child\":{}}]}"));
}

static void test_limits_of_the_model(void **state)
{
    (void)state;
    t_refused(PROTO_JSON11, STR(""), "ValidationException",
              "1 validation error detected: Value null at 'name' failed to satisfy constraint: "
              "Member must not be null");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Count\":1001}"), "ValidationException",
              "Value '1001' at 'count' failed to satisfy constraint: Member must have value less "
              "than or equal to 1000");
    t_refused(PROTO_JSON11, STR("{\"Count\":0,\"Color\":\"green\",\"Children\":[{}]}"),
              "ValidationException", "4 validation errors detected: ");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Color\":\"green\"}"), "ValidationException",
              "Value 'green' at 'color' failed to satisfy constraint: Member must satisfy enum "
              "value set: [red, blue]");
    t_refused(PROTO_JSON11, STR("{\"Name\":\"n\",\"Children\":[{}]}"), "ValidationException",
              "'children.1.member.name'");
}

static void expect_json(struct buf *b, const char *text)
{
    assert_true(buf_ok(b));
    assert_string_equal(b->p, text);
    buf_clear(b);
}

static void test_writer(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(4096);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "a\"", STR("\x01\t\n\r\\\"\xC3\xA9\xFF\xC3"));
    json_keyz(&o, "b");
    json_open(&o, '[');
    json_i64(&o, INT64_MIN);
    json_bool(&o, false);
    json_null(&o);
    json_time(&o, 1700000000000);
    json_time(&o, 1700000000007);
    json_time(&o, -1500);
    json_blob(&o, STR("\x00\x01"));
    json_close(&o, ']');
    json_close(&o, '}');
    expect_json(&b, "{\"a\\\"\":\"\\u0001\\t\\n\\r\\\\\\\"\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\","
                    "\"b\":[-9223372036854775808,false,null,1700000000,1700000000.007,-1.500,"
                    "\"AAE=\"]}");
    buf_fini(&b);
}

static void test_numbers_read_back_to_the_same_value(void **state)
{
    (void)state;
    static const double values[] = { 0.1,  1.0 / 3, 1e300, 5e-324, -0.0, 123456789.123456789,
                                     1e15, 3.0,     1e22,  0.3 };
    struct arena *a = arena_new(TEST_ARENA);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf b = BUF_INIT(64);
        json_number(&b, values[i]);
        struct json_value *v = parse(a, buf_str(&b));
        double got = v->kind == JSON_INT ? (double)v->i : v->f;
        assert_true(got == values[i]);
        buf_fini(&b);
    }
    struct buf b = BUF_INIT(64);
    struct json_out o;
    json_out_init(&o, &b);
    json_f64(&o, 0.1);
    json_f64(&o, (double)NAN);
    json_f64(&o, -(double)INFINITY);
    expect_json(&b, "0.1,\"NaN\",\"-Infinity\"");
    buf_fini(&b);
    arena_free(a);
}

static void test_tree_api(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    struct json_value *v = parse(a, STR(" {\"a\": {\"b\": \"x\", \"n\": 12}, \"t\": true} "));
    assert_true(str_eqz(json_get_str(json_get(v, "a"), "b"), "x"));
    assert_int_equal(json_get_i64(json_get(v, "a"), "n", 0), 12);
    assert_true(json_get_bool(v, "t", false));
    assert_null(json_get(json_get(v, "missing"), "b"));
    assert_int_equal(json_get_i64(v, "t", -1), -1);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_are_exact),
        cmocka_unit_test(test_text_keeps_every_byte),
        cmocka_unit_test(test_last_of_equal_keys_counts),
        cmocka_unit_test(test_wrong_types_name_the_member),
        cmocka_unit_test(test_grammar_is_strict),
        cmocka_unit_test(test_bombs_are_refused),
        cmocka_unit_test(test_amplification_is_limited),
        cmocka_unit_test(test_mangled_documents),
        cmocka_unit_test(test_limits_of_the_model),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_numbers_read_back_to_the_same_value),
        cmocka_unit_test(test_tree_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
