#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulators/lambda/lambda_policy.h"
#include "server/base/mem.h"

static const struct lambda_source bucket = {
    .service = STR_INIT("s3.amazonaws.com"),
    .arn = STR_INIT("arn:aws:s3:::shop-temp"),
    .account = STR_INIT("123456789012"),
};

static struct lambda_grant grant(const char *principal, const char *action, const char *arn,
                                 const char *account)
{
    return (struct lambda_grant){ str_z(principal), str_z(action), str_z(arn), str_z(account),
                                  false };
}

static bool allows(const char *principal, const char *action, const char *arn, const char *account)
{
    struct lambda_grant g = grant(principal, action, arn, account);
    return lambda_grant_allows(&g, &bucket);
}

static void statements_match_their_source(void **state)
{
    (void)state;
    const char *s3 = "s3.amazonaws.com", *invoke = "lambda:InvokeFunction";
    assert_true(allows(s3, invoke, NULL, NULL));
    assert_true(allows(s3, invoke, "arn:aws:s3:::shop-temp", NULL));
    assert_true(allows(s3, invoke, "arn:aws:s3:::shop-*", "123456789012"));
    assert_true(allows(s3, "lambda:*", "arn:aws:s3:::*", NULL));
    assert_true(allows("*", "*", NULL, NULL));
    assert_false(allows("events.amazonaws.com", invoke, NULL, NULL));
    assert_false(allows(s3, "lambda:GetFunction", NULL, NULL));
    assert_false(allows(s3, invoke, "arn:aws:s3:::shop", NULL));
    assert_false(allows(s3, invoke, "arn:aws:s3:::shop-temp/*", NULL));
    assert_false(allows(s3, invoke, NULL, "999999999999"));
    assert_false(allows(s3, invoke, "arn:aws:s3:::shop-temp", "999999999999"));
    struct lambda_grant g = grant(s3, invoke, NULL, NULL);
    g.other_conditions = true;
    assert_false(lambda_grant_allows(&g, &bucket));
    struct lambda_source unknown = { .service = STR("s3.amazonaws.com") };
    g = grant(s3, invoke, "arn:aws:s3:::shop-temp", NULL);
    assert_false(lambda_grant_allows(&g, &unknown));
}

static void arns_are_compared_part_by_part(void **state)
{
    (void)state;
    assert_true(lambda_arn_like(STR("arn:aws:s3:::*"), STR("arn:aws:s3:::a:b")));
    assert_true(lambda_arn_like(STR("arn:*:s3:*:*:a?c"), STR("arn:aws:s3:::abc")));
    assert_false(lambda_arn_like(STR("arn:*:abc"), STR("arn:aws:s3:::abc")));
    assert_false(lambda_arn_like(STR("arn:aws:*:::abc"), STR("arn:aws:s3:us-east-1::abc")));
    assert_true(lambda_arn_like(STR("*"), STR("arn:aws:s3:::abc")));
}

static void actions(void **state)
{
    (void)state;
    assert_true(lambda_action_valid(STR("lambda:InvokeFunction")));
    assert_true(lambda_action_valid(STR("lambda:*")));
    assert_true(lambda_action_valid(STR("*")));
    assert_false(lambda_action_valid(STR("lambda:")));
    assert_false(lambda_action_valid(STR("lambda:Invoke*")));
    assert_false(lambda_action_valid(STR("s3:GetObject")));
    assert_false(lambda_action_valid(STR("")));
}

static void texts(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
    const struct lambda_statement_more none = { STR_NONE, STR_NONE, STR_NONE };
    struct str arn = STR("arn:aws:lambda:r:1:function:f");
    struct lambda_grant g = grant("s3.amazonaws.com", "lambda:InvokeFunction", NULL, NULL);
    assert_string_equal(lambda_statement_text(a, STR("a"), &g, arn, &none).p,
                        "{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
                        "\"s3.amazonaws.com\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":"
                        "\"arn:aws:lambda:r:1:function:f\"}");
    g = grant("123456789012", "*", "arn:aws:s3:::\"q\"", "123456789012");
    assert_string_equal(lambda_statement_text(a, STR("b"), &g, arn, &none).p,
                        "{\"Sid\":\"b\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"
                        "\"arn:aws:iam::123456789012:root\"},\"Action\":\"*\",\"Resource\":"
                        "\"arn:aws:lambda:r:1:function:f\",\"Condition\":{\"StringEquals\":"
                        "{\"AWS:SourceAccount\":\"123456789012\"},\"ArnLike\":{\"AWS:SourceArn\":"
                        "\"arn:aws:s3:::\\\"q\\\"\"}}}");
    g = grant("*", "lambda:*", NULL, NULL);
    g.other_conditions = true;
    const struct lambda_statement_more org = { STR_NONE, STR("o-1"), STR_NONE };
    assert_string_equal(lambda_statement_text(a, STR("c"), &g, arn, &org).p,
                        "{\"Sid\":\"c\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":"
                        "\"lambda:*\",\"Resource\":\"arn:aws:lambda:r:1:function:f\",\"Condition\":"
                        "{\"StringEquals\":{\"aws:PrincipalOrgID\":\"o-1\"}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_match_their_source),
        cmocka_unit_test(arns_are_compared_part_by_part),
        cmocka_unit_test(actions),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
