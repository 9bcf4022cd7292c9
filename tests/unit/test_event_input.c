/* What targets get of an event: paths, templates, compaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "emulators/events/event_input.h"
#include "server/base/mem.h"

#define EVENT                                                                                    \
    "{\"id\":\"e1\",\"source\":\"aws.ec2\",\"resources\":[\"r0\",\"r1\"],\"detail\":{\"state\":" \
    "\"say \\\"hi\\\"\",\"n\":5,\"f\":1.5,\"o\":{\"k\":[1,{\"z\":true}]},\"a-b_c\":null}}"

static const struct {
    const char *path, *json; /* NULL: nothing */
} paths[] = {
    { "$.id", "\"e1\"" },
    { "$.detail.n", "5" },
    { "$.detail.f", "1.5" },
    { "$.detail.o", "{\"k\":[1,{\"z\":true}]}" },
    { "$.detail.o.k[1].z", "true" },
    { "$.detail['o']['k'][0]", "1" },
    { "$.detail.a-b_c", "null" },
    { "$.resources[1]", "\"r1\"" },
    { "$.resources[*]", "[\"r0\",\"r1\"]" },
    { "$.resources[2]", NULL },
    { "$.nowhere", NULL },
    { "$.id.deeper", NULL },
    { "$.detail.o.k[*].z", "[true]" },
    { "$", EVENT },
};

static const char *const bad_paths[] = { "",       "detail",  "$.",      "$..a",
                                         "$.a[",   "$.a[x",   "$.a[-1]", "$a b",
                                         "$.a.b ", "$.a['']", "$.a[]",   "$.a[1]b" };

static const struct {
    const char *template, *result;
} templates[] = {
    { "{\"s\":<state>,\"n\":<n>,\"o\":<o>}",
      "{\"s\":\"say \\\"hi\\\"\",\"n\":5,\"o\":{\"k\":[1,{\"z\":true}]}}" },
    { "\"<id> is <state>, <n> times\"", "\"e1 is say \\\"hi\\\", 5 times\"" },
    { "{\"t\":\"<n>\"}", "{\"t\":\"5\"}" },
    { "{\"gone\":<gone>,\"t\":\"x<gone>y\"}", "{\"gone\":\"\",\"t\":\"xy\"}" },
    { "{\"o\":\"<o>\"}", "{\"o\":\"{\\\"k\\\":[1,{\\\"z\\\":true}]}\"}" },
    { "{\"rule\":<aws.events.rule-name>,\"arn\":\"<aws.events.rule-arn>\"}",
      "{\"rule\":\"r\",\"arn\":\"arn:r\"}" },
    { "{\"e\":<aws.events.event>}",
      "{\"e\":{\"id\":\"e1\",\"source\":\"aws.ec2\",\"resources\":[\"r0\",\"r1\"]}}" },
    { "{\"e\":<aws.events.event.json>,\"at\":<aws.events.event.ingestion-time>}",
      "{\"e\":" EVENT ",\"at\":\"2026-01-01T00:00:00Z\"}" },
    { "{\"a\":\"1 < 2 \\\" <id>\"}", "{\"a\":\"1 < 2 \\\" e1\"}" },
    { "<n>", "5" },
};

static const struct event_variable variables[] = {
    { STR_INIT("id"), STR_INIT("$.id") },
    { STR_INIT("state"), STR_INIT("$.detail.state") },
    { STR_INIT("n"), STR_INIT("$.detail.n") },
    { STR_INIT("o"), STR_INIT("$.detail.o") },
    { STR_INIT("gone"), STR_INIT("$.detail.gone") },
};

static struct event_occasion occasion(struct arena *a)
{
    struct json_value *tree;
    struct str why;
    assert_int_equal(json_parse(a, str_z(EVENT), &tree, &why), ST_OK);
    return (struct event_occasion){ str_z(EVENT), tree, STR("arn:r"), STR("r"),
                                    STR("2026-01-01T00:00:00Z") };
}

static void test_paths(void **state)
{
    (void)state;
    struct arena *a = arena_new(16u << 20);
    struct event_occasion o = occasion(a);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_true(event_path_valid(str_z(paths[i].path)));
        struct str got = event_path_read(a, str_z(paths[i].path), o.event);
        if (!str_eq(got, str_z(paths[i].json))) {
            fail_msg("%s: %.*s", paths[i].path, STR_ARG(got));
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(bad_paths); i++) {
        if (event_path_valid(str_z(bad_paths[i]))) {
            fail_msg("%s is no path", bad_paths[i]);
        }
    }
    arena_free(a);
}

static void test_templates(void **state)
{
    (void)state;
    struct arena *a = arena_new(16u << 20);
    struct event_occasion o = occasion(a);
    for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
        struct event_input in = { .template = str_z(templates[i].template),
                                  .variables = variables,
                                  .n_variables = ARRAY_LEN(variables) };
        struct str got, why;
        struct json_value *tree;
        assert_int_equal(event_input_check(a, &in, &why), ST_OK);
        assert_int_equal(event_input_make(a, &in, &o, &got), ST_OK);
        if (!str_eqz(got, templates[i].result)) {
            fail_msg("%s: %.*s", templates[i].template, STR_ARG(got));
        }
        assert_int_equal(json_parse(a, got, &tree, &why), ST_OK);
    }
    arena_free(a);
}

static void test_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new(16u << 20);
    const struct event_variable aws[] = { { STR("AWS.x"), STR("$.id") } };
    const struct event_variable path[] = { { STR("x"), STR("id") } };
    const struct {
        struct event_input in;
        const char *word;
    } all[] = {
        { { .template = STR("{\"a\":<unknown>}") }, "placeholder unknown" },
        { { .template = STR("hello <aws.events.rule-name>") }, "one JSON value" },
        { { .template = STR("\"one\"\n\"two\"") }, "one JSON value" },
        { { .template = STR("\"x\""), .variables = aws, .n_variables = 1 }, "AWS.x" },
        { { .template = STR("\"x\""), .variables = path, .n_variables = 1 }, "JSON path" },
        { { .input = STR("{oops") }, "JSON syntax error" },
        { { .path = STR("detail") }, "JSON path" },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct str why;
        assert_int_equal(event_input_check(a, &all[i].in, &why), ST_INVALID);
        if (str_find_str(why, str_z(all[i].word)) < 0) {
            fail_msg("%zu: %.*s", i, STR_ARG(why));
        }
    }
    arena_free(a);
}

static void test_simple(void **state)
{
    (void)state;
    struct arena *a = arena_new(16u << 20);
    struct event_occasion o = occasion(a);
    struct event_input in = { .input = STR("{\"fixed\": 1}") };
    struct str got;
    assert_int_equal(event_input_make(a, &in, &o, &got), ST_OK);
    assert_true(str_eqz(got, "{\"fixed\": 1}"));
    in = (struct event_input){ .path = STR("$.detail.nowhere") };
    assert_int_equal(event_input_make(a, &in, &o, &got), ST_OK);
    assert_true(str_eqz(got, "null"));
    in = (struct event_input){ .path = STR("$.detail.n") };
    assert_int_equal(event_input_make(a, &in, &o, &got), ST_OK);
    assert_true(str_eqz(got, "5"));
    in = (struct event_input){ .path = STR_NONE };
    assert_int_equal(event_input_make(a, &in, &o, &got), ST_OK);
    assert_true(str_eqz(got, EVENT));
    got = event_compact(a, STR(" { \"a b\" : [ 1.00 ,\n\"\\\" \\\\\" , 1e5 ] } "));
    assert_true(str_eqz(got, "{\"a b\":[1.00,\"\\\" \\\\\",1e5]}"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_simple),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
