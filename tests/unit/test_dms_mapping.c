/* Rules beside the database: decimals, times, conversions, names, and what a table becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "emulators/dms/mapping/decimal.h"
#include "emulators/dms/mapping/segment.h"
#include "emulators/dms/mapping/shaper.h"
#include "emulators/dms/mapping/temporal.h"
#include "server/base/mem.h"

static int setup(void **state)
{
    *state = arena_new(16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void expect_text(struct str got, const char *want)
{
    if (!str_eqz(got, want)) {
        fail_msg("'%.*s' instead of '%s'", STR_ARG(got), want);
    }
}

/* --- numbers and times ------------------------------------------------------------------------ */

static void decimals_compare(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        { "1", "1.000", 0 },     { "-0", "0", 0 },
        { "10", "9", 1 },        { "-10", "-9", -1 },
        { ".5", "0.50", 0 },     { "0.05", "0.5", -1 },
        { "+7", "007", 0 },      { "-1", "1", -1 },
        { "-0.1", "-0.01", -1 }, { "99999999999999999999", "100000000000000000000", -1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int c = dms_decimal_compare(str_z(cases[i].a), str_z(cases[i].b));
        assert_int_equal(c < 0 ? -1 : c > 0, cases[i].order);
    }
    static const char *const bad[] = { "", ".", "-", "1e3", "1.2.3", "1 ", "0x1" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(dms_decimal_valid(str_z(bad[i])));
    }
}

static void decimals_round(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        int scale, precision;
        const char *want; /* NULL: doesn't fit */
    } cases[] = {
        { "1.005", 2, 9, "1.01" }, { "-1.004", 2, 9, "-1.00" }, { "9.99", 1, 9, "10.0" },
        { "9.99", 1, 2, NULL },    { "-0.004", 2, 9, "0.00" },  { "12", 3, 9, "12.000" },
        { ".5", 0, 9, "1" },       { "007.10", -1, 0, "7.1" },  { "999.5", 0, 3, NULL },
        { "0.99", 1, 1, NULL },    { "0.94", 1, 1, "0.9" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[64];
        size_t n = dms_decimal_round(str_z(cases[i].s), cases[i].scale, cases[i].precision, out,
                                     sizeof(out));
        if (cases[i].want) {
            expect_text((struct str){ out, n }, cases[i].want);
        } else {
            assert_int_equal(n, 0);
        }
    }
    char tiny[8];
    assert_int_equal(dms_decimal_round(STR("1"), 100, 0, tiny, sizeof(tiny)), 0);
}

static void times(void **state)
{
    (void)state;
    struct mysql_time t, u;
    int digits;
    assert_true(dms_datetime_parse(STR("2024-01-02 03:04:05.25"), &t, &digits));
    assert_int_equal(digits, 2);
    assert_int_equal(t.micros, 250000);
    assert_true(dms_datetime_parse(STR("2024-01-02T03:04:05Z"), &u, NULL));
    assert_true(dms_temporal_compare(&t, &u) > 0);
    assert_true(dms_time_parse(STR("-838:59:59"), &t, NULL));
    assert_true(dms_time_parse(STR("-00:00:01"), &u, NULL));
    assert_true(dms_temporal_compare(&t, &u) < 0);
    static const char *const bad[] = { "",
                                       "2024",
                                       "2024-13-01",
                                       "2024-01-32",
                                       "2024-01-01 24:00",
                                       "2024-01-01 1",
                                       "2024-01-01x",
                                       "24-01-01" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(dms_datetime_parse(str_z(bad[i]), &t, NULL));
    }
    assert_false(dms_time_parse(STR("839:00:00"), &t, NULL));
    assert_false(dms_time_parse(STR("1:60"), &t, NULL));
}

static void conversions(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf room = BUF_INIT(1 << 20);
    const struct mysql_value text = { .kind = MYSQL_V_TEXT, .s = STR(" 128 ") };
    struct mysql_value v;
    const struct dms_data_type int1 = { .type = DMS_TYPE_INT1, .precision = -1, .scale = -1 };
    assert_false(dms_type_convert(&int1, &text, &room, &v));
    assert_int_equal(v.kind, MYSQL_V_NULL);
    const struct dms_data_type uint1 = { .type = DMS_TYPE_UINT1, .precision = -1, .scale = -1 };
    assert_true(dms_type_convert(&uint1, &text, &room, &v));
    assert_int_equal(v.u, 128);
    const struct mysql_value low = { .kind = MYSQL_V_INT, .i = INT64_MIN };
    const struct dms_data_type int8 = { .type = DMS_TYPE_INT8, .precision = -1, .scale = -1 };
    assert_true(dms_type_convert(&int8, &low, &room, &v));
    assert_true(v.i == INT64_MIN);
    const struct mysql_value zero = { .kind = MYSQL_V_DATE };
    const struct dms_data_type string = { .type = DMS_TYPE_STRING, .precision = -1, .scale = -1 };
    assert_true(dms_type_convert(&string, &zero, &room, &v));
    assert_int_equal(v.kind, MYSQL_V_NULL);
    const struct mysql_value exponent = { .kind = MYSQL_V_TEXT, .s = STR("1.5e3") };
    assert_true(dms_type_convert(&int8, &exponent, &room, &v));
    assert_int_equal(v.u, 1500);
}

/* --- a table with rules ----------------------------------------------------------------------- */

#define RULE(id, rest) ",{\"rule-id\":\"" id "\",\"rule-name\":\"" id "\"," rest "}"
#define MAPPING(rest)                                                                             \
    "{\"rules\":[{\"rule-type\":\"selection\",\"rule-id\":\"1\",\"rule-name\":\"1\","             \
    "\"rule-action\":\"include\",\"object-locator\":{\"schema-name\":\"s\",\"table-name\":\"%\"}" \
    "}" rest "]}"
#define LOCATOR(column) \
    "\"object-locator\":{\"schema-name\":\"s\",\"table-name\":\"t\",\"column-name\":\"" column "\"}"
#define TRANSFORM(id, action, column, rest)                                                      \
    RULE(id,                                                                                     \
         "\"rule-type\":\"transformation\",\"rule-target\":\"column\",\"rule-action\":\"" action \
         "\"," LOCATOR(column) rest)

static const struct mysql_column columns[] = {
    { .name = STR_INIT("id"), .type_text = STR_INIT("int(11)"), .family = MYSQL_F_INT, .pk = 1 },
    { .name = STR_INIT("name"),
      .type_text = STR_INIT("varchar(9)"),
      .family = MYSQL_F_VARCHAR,
      .charset = STR_INIT("utf8mb4"),
      .collation = STR_INIT("utf8mb4_general_ci"),
      .chars = 9 },
    { .name = STR_INIT("big"), .type_text = STR_INIT("longtext"), .family = MYSQL_F_LONGTEXT },
};
static const unsigned pk[] = { 0 };
static const struct mysql_table table = {
    .schema = STR_INIT("s"),
    .name = STR_INIT("t"),
    .columns = columns,
    .columns_n = 3,
    .pk = pk,
    .pk_n = 1,
};

static enum status make(struct arena *a, const char *json, struct dms_csv_plan *plan,
                        struct dms_table_rules **ret, struct str *why)
{
    struct dms_mapping *m = ARENA_NEW(a, struct dms_mapping);
    if (dms_mapping_parse(a, str_z(json), m, why) != ST_OK) {
        fail_msg("%.*s", STR_ARG(*why));
    }
    dms_csv_plan(a, &table, true, 0, (struct dms_csv_order){ 0 }, plan);
    return dms_table_rules_make(a, m, &table, plan, ret, why);
}

static void nothing_applies(void **state)
{
    struct dms_csv_plan plan;
    struct dms_table_rules *r;
    struct str why;
    assert_int_equal(make(*state, MAPPING(TRANSFORM("2", "rename", "other", ",\"value\":\"x\"")),
                          &plan, &r, &why),
                     ST_OK);
    assert_null(r);
    assert_int_equal(plan.n, 3);
}

static void columns_follow_rules(void **state)
{
    struct dms_csv_plan plan;
    struct dms_table_rules *r;
    struct str why;
    assert_int_equal(make(*state,
                          MAPPING(TRANSFORM("9", "convert-uppercase", "%", "")
                                      TRANSFORM("5", "rename", "id", ",\"value\":\"key\"")
                                          TRANSFORM("6", "remove-column", "big", "")
                                              TRANSFORM("7", "add-column", "",
                                                        ",\"value\":\"x\",\"expression\":"
                                                        "\"$name||$AR_H_CHANGE_SEQ\"")),
                          &plan, &r, &why),
                     ST_OK);
    assert_non_null(r);
    assert_int_equal(plan.n, 3);
    expect_text(plan.columns[0].name, "key");
    expect_text(plan.columns[1].name, "NAME");
    expect_text(plan.columns[2].name, "x");
    assert_int_equal(r->key_n, 1);
    expect_text(r->key[0], "key");
    assert_true(r->wants_sequence && !r->wants_position && str_set(r->warning));

    struct dms_shaper *s;
    assert_int_equal(dms_shaper_new(r, NULL, &s), ST_OK);
    const struct mysql_value row[] = { { .kind = MYSQL_V_INT, .i = 3 },
                                       { .kind = MYSQL_V_TEXT, .s = STR("Al") },
                                       { .kind = MYSQL_V_NULL } };
    const struct mysql_value *values = dms_shaper_row(
        s, &(struct dms_shaped){ .operation = 'I', .image = row, .sequence = STR("42") });
    expect_text(values[plan.columns[2].index].s, "Al42");
    dms_shaper_free(s);
}

static void what_does_not_fit(void **state)
{
    static const struct {
        const char *json, *said;
    } cases[] = {
        { MAPPING(TRANSFORM("2", "rename", "id", ",\"value\":\"name\"")), "'name'" },
        { MAPPING(TRANSFORM("2", "remove-column", "%", "")), "no column" },
        { MAPPING(
              TRANSFORM("2", "change-data-type", "big", ",\"data-type\":{\"type\":\"string\"}")),
          "LOB" },
        { MAPPING(TRANSFORM("2", "add-column", "", ",\"value\":\"id\"")), "'id'" },
        { MAPPING(TRANSFORM("2", "add-column", "", ",\"value\":\"x\",\"expression\":\"$nothing\"")),
          "ruleId = 2" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dms_csv_plan plan;
        struct dms_table_rules *r;
        struct str why = STR_NONE;
        assert_int_equal(make(*state, cases[i].json, &plan, &r, &why), ST_INVALID);
        if (str_find_str(why, str_z(cases[i].said)) < 0) {
            fail_msg("'%s' is not in: %.*s", cases[i].said, STR_ARG(why));
        }
    }
}

static void conflicts_are_refused(void **state)
{
    struct dms_mapping m;
    struct str why;
    assert_int_equal(
        dms_mapping_parse(*state,
                          STR(MAPPING(TRANSFORM("2", "convert-lowercase", "%", "")
                                          TRANSFORM("3", "add-prefix", "%", ",\"value\":\"x\""))),
                          &m, &why),
        ST_INVALID);
    assert_true(str_find_str(why, STR("ruleId = 3 failed validation")) >= 0);
    /* what the console writes: members that are null */
    assert_int_equal(
        dms_mapping_parse(*state,
                          STR(MAPPING(TRANSFORM("2", "convert-lowercase", "%",
                                                ",\"value\":null,\"old-value\":null,"
                                                "\"load-order\":null,\"before-image-def\":null,"
                                                "\"tag-set\":null"))),
                          &m, &why),
        ST_OK);
}

/* The statement of the user guide's example. */
static void segments(void **state)
{
    static const struct str names[] = { STR_INIT("id"), STR_INIT("name") };
    static const struct str boundaries[] = { STR_INIT("10"), STR_INIT("m"), STR_INIT("20"),
                                             STR_INIT("z") };
    const struct dms_table_settings settings = { .id = STR("2"),
                                                 .parallel = DMS_PARALLEL_RANGES,
                                                 .columns = names,
                                                 .columns_n = 2,
                                                 .boundaries = boundaries,
                                                 .boundaries_n = 2 };
    const struct dms_segment_wish wish = { .settings = &settings, .def = &table };
    const struct dms_segment *s;
    size_t n;
    struct str why;
    assert_int_equal(dms_segments_make(*state, &wish, &s, &n, &why), ST_OK);
    assert_int_equal(n, 3);
    expect_text(s[0].where, "(((`id` < 10) OR ((`id` = 10) AND (`name` < 'm'))))");
    expect_text(s[1].where, "(NOT ((`id` < 10) OR ((`id` = 10) AND (`name` < 'm'))) AND "
                            "((`id` < 20) OR ((`id` = 20) AND (`name` < 'z'))))");
    expect_text(s[2].where, "(NOT ((`id` < 20) OR ((`id` = 20) AND (`name` < 'z'))))");
    expect_text(s[2].name, "SEGMENT3_");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(decimals_compare),  TEST(decimals_round),        TEST(times),
        TEST(conversions),       TEST(nothing_applies),       TEST(columns_follow_rules),
        TEST(what_does_not_fit), TEST(conflicts_are_refused), TEST(segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
