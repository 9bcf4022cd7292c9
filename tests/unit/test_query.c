/* Forms of the query protocols, good and hostile. */
#include "tests/unit/wire_model.h"

static void test_lists_go_by_number(void **state)
{
    (void)state;
    struct t_result t = t_decode(
        PROTO_QUERY, STR("Action=Put&Names.member.10=j&Names.member.2=b&Name=n+%C3%A9%2B&"
                         "Names.member.1=a&Children.member.1.Child.Name=x&Children.member.1.Name="
                         "c&Map.entry.1.key=k&Map.entry.1.value=v&Flat.2=q&Flat.1=p&Name-x=1"));
    assert_int_equal(t.st, ST_OK);
    assert_true(str_eqz(t.in->Name, "n \xC3\xA9+"));
    assert_int_equal(t.in->Names.n, 3);
    assert_true(str_eqz(t.in->Names.v[0], "a") && str_eqz(t.in->Names.v[2], "j"));
    assert_true(str_eqz(t.in->Children.v[0].Child->Name, "x"));
    assert_true(str_eqz(t.in->Map.v[0].key, "k") && str_eqz(t.in->Map.v[0].value, "v"));
    assert_int_equal(t.in->Flat.n, 2);
    assert_true(str_eqz(t.in->Flat.v[0], "p"));
    t_free(&t);
}

static void test_empty_list_and_repeated_key(void **state)
{
    (void)state;
    struct t_result t = t_decode(PROTO_QUERY, STR("Names=&Name=a&Name=b&Map="));
    assert_int_equal(t.st, ST_OK);
    assert_true(t.in->Names.v && t.in->Names.n == 0);
    assert_true(t.in->Map.v && t.in->Map.n == 0);
    assert_false(str_set(t.in->Data));
    assert_true(str_eqz(t.in->Name, "b"));
    t_free(&t);
    t_refused(PROTO_QUERY, STR("Name%00=a&Nam=b&Name%00x.1=c"), "ValidationError", "'name'");
}

static void test_ec2_lists_are_flat(void **state)
{
    (void)state;
    struct t_result t = t_decode(PROTO_EC2, STR("Name=n&Names.1=a&Names.2=b&Children.3.Name=c"));
    assert_int_equal(t.st, ST_OK);
    assert_int_equal(t.in->Names.n, 2);
    assert_int_equal(t.in->Children.n, 1);
    t_free(&t);
    t_refused(PROTO_EC2, STR("Action=Put"), "MissingParameter",
              "The request must contain the parameter Name");
    t_refused(PROTO_EC2, STR("Name=n&Count=x"), "InvalidParameterValue", "'count' is 'x'");
}

static void test_bad_values(void **state)
{
    (void)state;
    t_refused(PROTO_QUERY, STR("Name=n&Names.member.x=1"), "ValidationError",
              "'names' has the key 'x'");
    t_refused(PROTO_QUERY, STR("Name=n&Names.member.99999999999999999999=1"), "ValidationError",
              "must be a number");
    t_refused(PROTO_QUERY, STR("Name.x=n"), "ValidationError", "'name' must be plain text");
    t_refused(PROTO_QUERY, STR("Name=%FF"), "ValidationError", "UTF-8");
    t_refused(PROTO_QUERY, STR("Name=n&Flag=yes"), "ValidationError", "true or false");
    t_refused(PROTO_QUERY, STR("Name=n&When=yesterday"), "ValidationError", "a time such as");
    t_refused(PROTO_QUERY, STR("Name=n&Map.entry.1.value=v"), "ValidationError", "have a key");
    t_refused(PROTO_QUERY, STR("Count=0"), "ValidationError",
              "2 validation errors detected: Value null at 'name'");
}

static void test_bombs(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    t_refused(PROTO_QUERY, arena_printf(a, "%sName=x", t_repeat(a, "Child.", 500000).p),
              "MalformedInput", "too deep");
    t_refused(PROTO_QUERY, t_repeat(a, "a=b&", 1000000), "MalformedInput", "more than");
    /* Many elements of some hundred bytes each from few bytes: within the limit, and quick. */
    struct buf b = BUF_INIT(16u << 20);
    for (int i = 200000; i > 0; i--) {
        buf_printf(&b, "Names.member.%d=x&", i);
    }
    buf_puts(&b, "Name=n");
    struct t_result t = t_decode(PROTO_QUERY, buf_str(&b));
    assert_true(t.st == ST_NOMEM || (t.st == ST_OK && t.in->Names.n == 200000));
    t_free(&t);
    buf_fini(&b);
    arena_free(a);
}

static void test_mangled_forms(void **state)
{
    (void)state;
    struct str form =
        STR("Action=Put&Name=n&Count=5&Names.member.1=a&Names.member.2=b&Map.entry.1."
            "key=k&Map.entry.1.value=v&Children.member.1.Name=%41&Flat.1=p&Data=AAEC");
    t_mangle(PROTO_QUERY, form);
    t_mangle(PROTO_EC2, form);
}

static void test_action_from_url_or_body(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    struct str body = STR("Version=2010-05-08&Action=Create%52ole");
    assert_true(str_eqz(codec_form_value(a, STR_NONE, body, "Action"), "CreateRole"));
    assert_true(str_eqz(codec_form_value(a, STR("Action=X"), STR(""), "Action"), "X"));
    assert_false(str_set(codec_form_value(a, STR("action=X"), body, "Missing")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_go_by_number),
        cmocka_unit_test(test_empty_list_and_repeated_key),
        cmocka_unit_test(test_ec2_lists_are_flat),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_mangled_forms),
        cmocka_unit_test(test_action_from_url_or_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
