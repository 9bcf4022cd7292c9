/* CBOR, good and hostile. */
#include "tests/unit/wire_model.h"

#include "server/wire/cbor.h"

#define NAME "\x64Name\x61n"

static void test_forms_of_values(void **state)
{
    (void)state;
    /* An indefinite map; text and bytes in chunks; half, single and double floats; a tag. */
    struct t_result t = t_decode(PROTO_CBOR, STR("\xBF"
                                                 "\x64Name\x7F\x61"
                                                 "a\x62"
                                                 "bc\xFF"
                                                 "\x65"
                                                 "Ratio\xF9\x3E\x00"
                                                 "\x64"
                                                 "Data\x5F\x42\x00\x01\x41\x02\xFF"
                                                 "\x64"
                                                 "Flag\xF5"
                                                 "\x64When\xC1\xFB\x41\xD9\x54\xFC\x40\x20\x00\x00"
                                                 "\x64Size\x3B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                                                 "\x65Names\x9F\x61x\xF6\x61y\xFF"
                                                 "\x63Map\xA1\x61k\x61v"
                                                 "\xFF"));
    assert_int_equal(t.st, ST_OK);
    assert_true(str_eqz(t.in->Name, "abc"));
    assert_true(t.in->Ratio.v == 1.5);
    assert_true(str_eq(t.in->Data, STR("\x00\x01\x02")));
    assert_true(t.in->Flag.v && t.in->Size.v == INT64_MIN);
    assert_true(t.in->When.ms == 1700000000500);
    assert_int_equal(t.in->Names.n, 2);
    assert_true(str_eqz(t.in->Map.v[0].value, "v"));
    t_free(&t);
}

static void test_malformed(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR_INIT("\xFF"),             /* a stop code alone */
        STR_INIT("\xA1\x01\x02"),     /* key that is no text */
        STR_INIT("\xA1" NAME "\x00"), /* more behind */
        STR_INIT("\xBF\x64Name"),     /* no end */
        STR_INIT("\x7F\x41\x61\xFF"), /* bytes inside text */
        STR_INIT("\xA1\x64Name\x61\xFF"),
        STR_INIT("\x1C"),                                             /* reserved */
        STR_INIT("\xA1\x64Name\x7B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), /* endless text */
        STR_INIT("\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),             /* endless array */
        STR_INIT("\xC1"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        t_refused(PROTO_CBOR, bad[i], "SerializationException", "not valid CBOR");
    }
    t_refused(PROTO_CBOR, STR("\xA1\x64Name\x01"), "SerializationException", "'name'");
}

static void test_bombs(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    t_refused(PROTO_CBOR, t_repeat(a, "\x81", 1000000), "SerializationException", "too deep");
    t_refused(PROTO_CBOR,
              t_repeat(a,
                       "\xA1\x65"
                       "Child",
                       100000),
              "SerializationException", "too deep");
    t_refused(PROTO_CBOR, t_repeat(a, "\xC1", 1000000), "SerializationException", "too early");
    arena_free(a);
}

static void test_mangled_documents(void **state)
{
    (void)state;
    t_mangle(PROTO_CBOR, STR("\xA6" NAME "\x65"
                             "Count\x05"
                             "\x65"
                             "Ratio\xFA\x3F\xC0\x00\x00"
                             "\x65Names\x82\x61x\x61y"
                             "\x63Map\xBF\x61k\x61v\xFF"
                             "\x68"
                             "Children\x81\xA1" NAME));
}

static void test_encoded_is_decoded_to_the_same(void **state)
{
    (void)state;
    struct str names[] = { STR_INIT("a"), STR_INIT("") };
    struct t_node node = { .Name = STR_INIT("n\xFF"),
                           .Size = OPT_I64(-70000),
                           .Ratio = OPT_F64(0.1),
                           .Data = STR_INIT("\x00\xFF"),
                           .When = OPT_TIME(-1500),
                           .Names = { 2, names } };
    node.Child = &(struct t_node){ .Name = STR_INIT("c"), .Size = OPT_I64(INT64_MAX) };
    struct buf b = BUF_INIT(4096);
    cbor_encode_struct(&b, &t_node, &node);
    struct t_result t = t_decode(PROTO_CBOR, buf_str(&b));
    assert_int_equal(t.st, ST_OK);
    assert_true(str_eqz(t.in->Name, "n\xEF\xBF\xBD"));
    assert_true(t.in->Size.v == -70000 && t.in->Ratio.v == 0.1 && t.in->When.ms == -1500);
    assert_true(str_eq(t.in->Data, STR("\x00\xFF")));
    assert_true(t.in->Names.n == 2 && t.in->Child->Size.v == INT64_MAX);
    assert_false(t.in->Flag.set);
    t_free(&t);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_values),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_mangled_documents),
        cmocka_unit_test(test_encoded_is_decoded_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
