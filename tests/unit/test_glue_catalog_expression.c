/* GetPartitions' expressions: grammar, types, three-valued logic, and hostile texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulators/glue/catalog/catalog_expression.h"
#include "emulators/glue/catalog/catalog_value.h"
#include "server/base/mem.h"

#define ARENA_LIMIT (16u << 20)

static struct glue_column key_columns[] = {
    { .Name = STR_INIT("n"), .Type = STR_INIT("int") },
    { .Name = STR_INIT("s"), .Type = STR_INIT("string") },
    { .Name = STR_INIT("d"), .Type = STR_INIT("date") },
    { .Name = STR_INIT("t"), .Type = STR_INIT("timestamp") },
    { .Name = STR_INIT("x"), .Type = STR_INIT("decimal(20,5)") },
    { .Name = STR_INIT("f"), .Type = STR_INIT("double") },
    { .Name = STR_INIT("date"), .Type = STR_INIT("varchar(10)") },
};
static const struct glue_column_list keys = { ARRAY_LEN(key_columns), key_columns };

static struct str row_values[] = {
    STR_INIT("42"),    STR_INIT("Köln"), STR_INIT("2020-02-29"), STR_INIT("2020-02-29 12:30:00.5"),
    STR_INIT("12.50"), STR_INIT("1.5"),  STR_INIT("today"),
};
static const struct glue_value_string_list row = { ARRAY_LEN(row_values), row_values };

static enum status holds_for(const char *text, const struct glue_value_string_list *values,
                             bool *ret_holds, char *ret_why, size_t size)
{
    struct arena *a = arena_new(ARENA_LIMIT);
    struct catalog_expression *e;
    struct str why = STR_NONE;
    enum status st = catalog_expression_read(a, str_z(text), &keys, &e, &why);
    st = st == ST_OK ? catalog_expression_holds(e, a, values, ret_holds, &why) : st;
    snprintf(ret_why, size, "%.*s", STR_ARG(why));
    arena_free(a);
    return st;
}

static void check(const char *text, bool expected)
{
    bool holds = !expected;
    char why[512];
    if (holds_for(text, &row, &holds, why, sizeof(why)) != ST_OK || holds != expected) {
        fail_msg("%s: got %d, not %d (%s)", text, holds, expected, why);
    }
}

static void what_holds(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "n = 42",
        "n='42'",
        "42 = n",
        "n <> 41",
        "n != 41",
        "n > 9",
        "9 < n",
        "n >= 42",
        "n <= 42",
        "n < 4 or n = 42",
        "N = 42",
        "\"n\" = 42",
        "`n` = 42",
        "n BETWEEN 42 AND 42",
        "n NOT BETWEEN 1 AND 41",
        "n between 9 and 100 and s = 'Köln'",
        "n IN (1, '42', 3)",
        "n NOT IN (1, 2)",
        "NOT n = 1",
        "NOT NOT n = 42",
        "not (n = 1 or n = 2)",
        "n IS NOT NULL",
        "((n)) = ((42))",
        "(n = 42)",
        "(n) IN (42)",
        "n = +42",
        "n > -42",
        "s = 'Köln'",
        "s LIKE 'K%'",
        "s LIKE 'K_ln'",
        "s LIKE '%'",
        "s LIKE '%ö%'",
        "s NOT LIKE 'k%'",
        "s > 'A'",
        "s like '____'",
        "d = '2020-02-29'",
        "d = DATE '2020-02-29'",
        "d > '2020-02-28'",
        "d between '2020-01-01' and '2020-12-31'",
        "t > '2020-02-29'",
        "t = '2020-02-29 12:30:00.500'",
        "t = TIMESTAMP '2020-02-29T12:30:00.5'",
        "t < '2020-02-29 12:30:01'",
        "x = 12.5",
        "x = '12.50000'",
        "x > -13",
        "x < 1.26e1",
        "x > 12",
        "x > .5",
        "date = 'today'",
        "DATE LIKE 'to%'",
        "n=1 OR n=42 AND s='Köln'",
        "n = 42 AND (s = 'x' OR d = '2020-02-29')",
    };
    static const char *const no[] = {
        "n = 41",
        "n IS NULL",
        "n = 42 AND s = 'köln'",
        "NOT n = 42",
        "s LIKE 'k%'",
        "s LIKE 'K_'",
        "s = ''",
        "x = 12.501",
        "d < '2020-02-29'",
        "t = '2020-02-29 12:30:00'",
        "n IN (1,2)",
        "n NOT IN (42)",
        "NOT (n = 42 OR s = 'x')",
        "(n=42 OR n=1) AND s='x'",
        "x < -99999999999999999999",
        "s LIKE '\\K%n\\%'",
    };
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        check(yes[i], true);
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        check(no[i], false);
    }
}

/* The partition of rows without a value: unknown for all types but text. */
static void nothing_is_known_of_null(void **state)
{
    (void)state;
    struct str values[ARRAY_LEN(row_values)];
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        values[i] = STR(CATALOG_NULL);
    }
    const struct glue_value_string_list nulls = { ARRAY_LEN(values), values };
    static const struct {
        const char *text;
        bool holds;
    } cases[] = {
        { "n = 1", false },
        { "n <> 1", false },
        { "NOT n = 1", false },
        { "n NOT IN (1)", false },
        { "n IS NULL", true },
        { "n IS NOT NULL", false },
        { "n = 1 OR s > ''", true },
        { "n = 1 AND s > ''", false },
        { "NOT (n = 1 AND s = '')", true },
        { "s = '" CATALOG_NULL "'", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool holds = !cases[i].holds;
        char why[256];
        assert_int_equal(holds_for(cases[i].text, &nulls, &holds, why, sizeof(why)), ST_OK);
        if (holds != cases[i].holds) {
            fail_msg("%s: %d", cases[i].text, holds);
        }
    }
}

static void errors_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "Unsupported expression '': expected a partition key, a 'text' or a number at "
              "character 1." },
        { "n",
          "Unsupported expression 'n': expected =, <>, <, <=, >, >=, BETWEEN, IN, LIKE or IS NULL "
          "at character 2." },
        { "n = ",
          "Unsupported expression 'n = ': expected a partition key, a 'text' or a number at "
          "character 5." },
        { "n = 1 n",
          "Unsupported expression 'n = 1 n': expected AND, OR or the end at character 7." },
        { "(n = 1", "Unsupported expression '(n = 1': expected ')' at character 7." },
        { "s = 'x",
          "Unsupported expression 's = 'x': expected a partition key, a 'text' or a number at "
          "character 5." },
        { "n = s",
          "Unsupported expression 'n = s': expected a 'text' or a number before at character "
          "6." },
        { "1 = 1", "Unsupported expression '1 = 1': expected a partition key on one side of the "
                   "comparison before at character 6." },
        { "id = 1", "Invalid partition expression! 'id' isn't a partition key of the table." },
        { "n = 'one'", "\"one\" is not an integer." },
        { "n = 2.5", "\"2.5\" is not an integer." },
        { "x = 'much'", "\"much\" is not a decimal." },
        { "d = '2019-02-29'", "\"2019-02-29\" is not a date." },
        { "t = '2020-02-29 25:00:00'", "\"2020-02-29 25:00:00\" is not a timestamp." },
        { "f = 1.5", "Unknown type : 'double'" },
        { "n LIKE '4%'", "Integral data type doesn't support operation 'LIKE'" },
        { "d LIKE '4%'", "Date data type doesn't support operation 'LIKE'" },
        { "n = '" CATALOG_NULL "'", "\"" CATALOG_NULL "\" is not an integer." },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool holds;
        char why[512];
        assert_int_equal(holds_for(cases[i].text, &row, &holds, why, sizeof(why)), ST_INVALID);
        assert_string_equal(why, cases[i].why);
    }
}

static void values_that_are_not_of_their_type(void **state)
{
    (void)state;
    struct str values[ARRAY_LEN(row_values)];
    memcpy(values, row_values, sizeof(values));
    values[0] = STR("abc");
    const struct glue_value_string_list odd = { ARRAY_LEN(values), values };
    bool holds;
    char why[256];
    assert_int_equal(holds_for("n = 1", &odd, &holds, why, sizeof(why)), ST_INVALID);
    assert_string_equal(why, "\"abc\" is not an integer.");
    assert_int_equal(holds_for("s = 'x' AND n = 1", &odd, &holds, why, sizeof(why)), ST_OK);
    assert_false(holds);
}

static int compare(enum catalog_type type, const char *x, const char *y)
{
    struct catalog_value a, b;
    assert_int_equal(catalog_value_read(type, str_z(x), &a), ST_OK);
    assert_int_equal(catalog_value_read(type, str_z(y), &b), ST_OK);
    int order = catalog_value_cmp(&a, &b);
    int back = catalog_value_cmp(&b, &a);
    assert_true((order < 0) == (back > 0) && (order == 0) == (back == 0));
    return order < 0 ? -1 : order > 0;
}

static void numbers_compare_as_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        { "0", "-0.000", 0 },
        { "007", "7", 0 },
        { "1e2", "100", 0 },
        { "100", "1.0e+2", 0 },
        { "0.1", "0.10", 0 },
        { "0.01", "0.1", -1 },
        { "-1", "1", -1 },
        { "-2", "-1", -1 },
        { "9", "10", -1 },
        { "1.5", "1.25", 1 },
        { "3e14", "2.6", 1 },
        { "0.5e-3", "0.0005", 0 },
        { "99999999999999999999999999999999999999", "99999999999999999999999999999999999998", 1 },
        { "10203", "10203.0", 0 },
        { "0", "0.00001", -1 },
        { "-0.5", "0", -1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (compare(CATALOG_DECIMAL, cases[i].a, cases[i].b) != cases[i].order) {
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        }
    }
    struct catalog_value v;
    static const char *const bad[] = { "",   "-",        ".",   "1.2.3", "1e",
                                       "e1", "1e999999", "0x1", "1 2",   "--1" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(catalog_value_read(CATALOG_DECIMAL, str_z(bad[i]), &v), ST_INVALID);
    }
}

static void hostile_texts_are_refused(void **state)
{
    (void)state;
    bool holds;
    char why[512], text[4096];
    /* too long, too deep, long chains */
    memset(text, 'x', sizeof(text));
    text[2049] = '\0';
    assert_int_equal(holds_for(text, &row, &holds, why, sizeof(why)), ST_INVALID);
    assert_string_equal(why, "The expression has 2049 bytes, more than 2048.");
    memset(text, '(', 1000);
    text[1000] = '\0';
    assert_int_equal(holds_for(text, &row, &holds, why, sizeof(why)), ST_INVALID);
    assert_non_null(strstr(why, "fewer parentheses"));
    size_t n = 0;
    for (; n + 4 < 2040; n += 4) {
        memcpy(text + n, "NOT ", 4);
    }
    memcpy(text + n, "n=42", 5);
    check(text, n / 4 % 2 == 0);
    n = 0;
    for (; n + 7 < 2040; n += 7) {
        memcpy(text + n, "n=1 OR ", 7);
    }
    memcpy(text + n, "n=42", 5);
    check(text, true);
    /* a pattern that takes others ages */
    memcpy(text, "s LIKE '", 8);
    for (n = 8; n < 2000; n += 2) {
        memcpy(text + n, "%_", 2);
    }
    memcpy(text + n, "x'", 3);
    check(text, false);
}

/* Any words in any order: an answer or a reason. */
static void random_texts_are_harmless(void **state)
{
    (void)state;
    static const char *const words[] = { "n",       "s",
                                         "d",       "(",
                                         ")",       "=",
                                         "<>",      "<",
                                         "AND",     "OR",
                                         "NOT",     "IN",
                                         ",",       "1",
                                         "'x'",     "IS",
                                         "NULL",    "LIKE",
                                         "%",       "DATE",
                                         "'",       "\"",
                                         "`",       "-",
                                         "BETWEEN", "'2020-01-01'",
                                         "1e5",     "\xc3" };
    uint32_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[256] = "", why[512];
        seed = seed * 1664525u + 1013904223u;
        size_t count = 1 + (seed >> 20) % 12, n = 0;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 1664525u + 1013904223u;
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
                                  words[(seed >> 16) % ARRAY_LEN(words)], seed & 1024 ? " " : "");
        }
        bool holds;
        if (holds_for(text, &row, &holds, why, sizeof(why)) != ST_OK) {
            assert_true(why[0] != '\0');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds),
        cmocka_unit_test(nothing_is_known_of_null),
        cmocka_unit_test(errors_say_what_is_wrong),
        cmocka_unit_test(values_that_are_not_of_their_type),
        cmocka_unit_test(numbers_compare_as_numbers),
        cmocka_unit_test(hostile_texts_are_refused),
        cmocka_unit_test(random_texts_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
