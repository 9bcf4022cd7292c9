#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulators/lambda/lambda_name.h"
#include "server/base/mem.h"

#define ARN "arn:aws:lambda:us-east-1:123456789012:function:"

static void check(struct str got, const char *expected)
{
    if (!expected) {
        assert_false(str_set(got));
    } else {
        assert_true(str_eqz(got, expected));
    }
}

static void every_form_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text, *region, *account, *name, *qualifier;
    } all[] = {
        { "f", NULL, NULL, "f", NULL },
        { "my-fn_2", NULL, NULL, "my-fn_2", NULL },
        { "f:$LATEST", NULL, NULL, "f", "$LATEST" },
        { "f:prod", NULL, NULL, "f", "prod" },
        { "function:f", NULL, NULL, "f", NULL },
        { "function:f:3", NULL, NULL, "f", "3" },
        { "function", NULL, NULL, "function", NULL },
        { "123456789012:f", NULL, "123456789012", "f", NULL },
        { "123456789012:function:f", NULL, "123456789012", "f", NULL },
        { "123456789012:function:f:1", NULL, "123456789012", "f", "1" },
        { ARN "f", "us-east-1", "123456789012", "f", NULL },
        { ARN "f:$LATEST", "us-east-1", "123456789012", "f", "$LATEST" },
        { "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f", "us-gov-west-1",
          "123456789012", "f", NULL },
        { "123456789012", NULL, NULL, "123456789012", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct lambda_name n;
        assert_int_equal(lambda_name_parse(str_z(all[i].text), &n), ST_OK);
        check(n.region, all[i].region);
        check(n.account, all[i].account);
        check(n.name, all[i].name);
        check(n.qualifier, all[i].qualifier);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const all[] = {
        "",
        ":",
        "a b",
        "a/b",
        "../x",
        "f:",
        "f:$OLDEST",
        "f:a:b",
        "arn:aws:lambda",
        "arn:aws:s3:::bucket",
        "arn:aws:lambda:us-east-1:123:function:f",
        "arn:aws:lambda:us-east-1:123456789012:layer:l",
        "arn:aws:lambda::123456789012:function:f",
        ARN,
        ARN "f:1:2",
        "12345678901:f:x:y",
        "f\xc3\xa9",
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345",
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct lambda_name n;
        assert_int_equal(lambda_name_parse(str_z(all[i]), &n), ST_INVALID);
    }
    struct lambda_name n;
    assert_int_equal(lambda_name_parse((struct str){ "f\0g", 3 }, &n), ST_INVALID);
}

static void roles(void **state)
{
    (void)state;
    assert_true(lambda_role_valid(STR("arn:aws:iam::123456789012:role/r")));
    assert_true(
        lambda_role_valid(STR("arn:aws:iam::123456789012:role/service-role/a+b=c,d.e@f-g_h")));
    assert_false(lambda_role_valid(STR("arn:aws:iam::123456789012:user/r")));
    assert_false(lambda_role_valid(STR("arn:aws:iam::12345678901:role/r")));
    assert_false(lambda_role_valid(STR("arn:aws:iam::123456789012:role/")));
    assert_false(lambda_role_valid(STR("arn:aws:iam::123456789012:role/a b")));
    assert_false(lambda_role_valid(STR("role")));
}

static void keys_go_there_and_back(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
    const struct lambda_key key = { STR("123456789012"), STR("eu-west-1"), STR("f") };
    struct lambda_key back;
    assert_int_equal(lambda_key_parse(lambda_key_text(a, &key), &back), ST_OK);
    assert_true(str_eq(key.account, back.account));
    assert_true(str_eq(key.region, back.region));
    assert_true(str_eq(key.name, back.name));
    assert_int_equal(lambda_key_parse(STR("only:two"), &back), ST_INVALID);
    assert_true(
        str_eqz(lambda_arn(a, &key, STR_NONE), "arn:aws:lambda:eu-west-1:123456789012:function:f"));
    assert_true(str_eqz(lambda_arn(a, &key, STR("$LATEST")),
                        "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_understood),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(roles),
        cmocka_unit_test(keys_go_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
