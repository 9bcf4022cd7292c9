/* The expression evaluator: what it computes, and what it refuses to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/store/expression.h"

static void twice(void *arg, const struct expression_value *args, struct buf *out,
                  struct expression_value *ret)
{
    (void)arg;
    buf_str_add(out, args[0].s);
    buf_str_add(out, args[0].s);
    *ret = (struct expression_value){ .kind = EXPRESSION_TEXT, .s = buf_str(out) };
}

static int setup(void **state)
{
    const struct expression_function functions[] = { { "twice", 1, twice, NULL } };
    struct expressions *x = NULL;
    int failed = expressions_new(functions, 1, &x) != ST_OK;
    *state = x;
    return failed;
}

static int teardown(void **state)
{
    expressions_free(*state);
    return 0;
}

static struct expression_value run(struct expressions *x, const char *text,
                                   const struct expression_value *inputs)
{
    struct expression *e = NULL;
    struct expression_value v = { 0 };
    char why[EXPRESSION_WHY_MAX] = "";
    if (expression_new(x, str_z(text), &e, why) != ST_OK ||
        expression_run(e, inputs, &v, why) != ST_OK) {
        fail_msg("%s: %s", text, why);
    }
    return v;
}

static void expect_text(struct expression_value v, const char *want)
{
    assert_int_equal(v.kind, EXPRESSION_TEXT);
    assert_int_equal(v.s.n, strlen(want));
    assert_memory_equal(v.s.p, want, v.s.n);
}

static void computes(void **state)
{
    const struct expression_value in[] = {
        { .kind = EXPRESSION_TEXT, .s = STR("Al") },
        { .kind = EXPRESSION_INT, .i = 41 },
    };
    expect_text(run(*state, "$A || '_' || ($B + 1)", in), "Al_42");
    expect_text(run(*state, "twice($A) -- twice", in), "AlAl");
    assert_int_equal(run(*state, "CASE WHEN 2 > 1 THEN 7 END", NULL).i, 7);
    assert_int_equal(run(*state, "NULL", NULL).kind, EXPRESSION_NULL);
    assert_int_equal(run(*state, "zeroblob(3)", NULL).kind, EXPRESSION_BLOB);
    expect_text(run(*state, "$A", in), "Al");
}

static void names_its_inputs(void **state)
{
    struct expression *e;
    char why[EXPRESSION_WHY_MAX];
    assert_int_equal(expression_new(*state, STR("$b + $a * $b"), &e, why), ST_OK);
    assert_int_equal(expression_inputs(e), 2);
    assert_true(str_eqz(expression_input(e, 0), "b") && str_eqz(expression_input(e, 1), "a"));
}

static void inputs_change(void **state)
{
    struct expression *e;
    char why[EXPRESSION_WHY_MAX];
    assert_int_equal(expression_new(*state, STR("upper($a)"), &e, why), ST_OK);
    static const char *const texts[][2] = { { "x", "X" }, { "", "" }, { "ab", "AB" } };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct expression_value in = { .kind = EXPRESSION_TEXT, .s = str_z(texts[i][0]) }, v;
        assert_int_equal(expression_run(e, &in, &v, why), ST_OK);
        expect_text(v, texts[i][1]);
    }
}

static void refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "1;2",
        "1, 2",
        "(SELECT 1)",
        "1) FROM (SELECT 1",
        "1) WHERE (0",
        "1) LIMIT (0",
        "1) END FROM sqlite_master WHERE (1",
        "1) END, CASE WHEN 1 THEN (2",
        "EXISTS(SELECT 1)",
        "1 IN (SELECT name FROM sqlite_master)",
        "name",
        "load_extension('x')",
        "readfile('/etc/passwd')",
        "count(*)",
        "?1",
        ":a",
        "@a",
        "'open",
        "/* open",
        "((((((1",
        "1 UNION SELECT 2",
        "RAISE(ABORT,'x')",
        "sum(1) OVER ()",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct expression *e;
        char why[EXPRESSION_WHY_MAX] = "";
        if (expression_new(*state, str_z(texts[i]), &e, why) != ST_INVALID) {
            fail_msg("accepted: %s", texts[i]);
        }
        assert_true(why[0] != '\0');
    }
}

static void is_bounded(void **state)
{
    static const char *const texts[] = {
        "zeroblob(2000000000)",
        "randomblob(1000000000)",
        "replace(hex(zeroblob(30000000)), '0', 'xxxxxxxxxx')",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct expression *e;
        struct expression_value v;
        char why[EXPRESSION_WHY_MAX] = "";
        assert_int_equal(expression_new(*state, str_z(texts[i]), &e, why), ST_OK);
        if (expression_run(e, NULL, &v, why) != ST_INVALID) {
            fail_msg("ran: %s", texts[i]);
        }
    }
    assert_int_equal(run(*state, "printf('%2000000000d', 1)", NULL).kind, EXPRESSION_NULL);
    /* depth */
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i < 5000; i++) {
        buf_puts(&b, "abs(");
    }
    buf_puts(&b, "1");
    for (int i = 0; i < 5000; i++) {
        buf_putc(&b, ')');
    }
    struct expression *e;
    char why[EXPRESSION_WHY_MAX] = "";
    assert_int_equal(expression_new(*state, buf_str(&b), &e, why), ST_INVALID);
    /* and afterwards it still works */
    assert_int_equal(run(*state, "1+1", NULL).i, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(computes), TEST(names_its_inputs), TEST(inputs_change),
        TEST(refuses),  TEST(is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
