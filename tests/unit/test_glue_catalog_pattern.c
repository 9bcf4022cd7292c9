/* Name patterns of GetTables: what fits, what is refused, and that nothing takes long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulators/glue/catalog/catalog_pattern.h"
#include "server/base/mem.h"

#define ARENA_LIMIT (16u << 20)

static bool fits(const char *pattern, const char *name)
{
    struct arena *a = arena_new(ARENA_LIMIT);
    struct catalog_pattern *p;
    struct str why = STR_NONE;
    assert_int_equal(catalog_pattern_read(a, str_z(pattern), &p, &why), ST_OK);
    bool once = catalog_pattern_fits(p, str_z(name));
    assert_int_equal(catalog_pattern_fits(p, str_z(name)), once); /* can be used again */
    arena_free(a);
    return once;
}

static void names_fit(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool fits;
    } cases[] = {
        { "orders", "orders", true },
        { "orders", "orders2", false },
        { "orders", "my_orders", false },
        { "ORDERS", "orders", true },
        { "orders*", "orders_2020", true },
        { "orders.*", "orders", true },
        { "*orders*", "my_orders_x", true },
        { "*_x", "a_x", true },
        { "*_x", "a_x1", false },
        { "a|b", "b", true },
        { "a|b", "ab", false },
        { "(a|b)+", "abba", true },
        { "x(1|2)?", "x", true },
        { "x(1|2)?", "x3", false },
        { "[a-c]{2,3}", "ab", true },
        { "[a-c]{2,3}", "abca", false },
        { "[^a]x", "bx", true },
        { "[^a]x", "ax", false },
        { "[^a]x", "Ax", false },
        { "t\\d+", "t42", true },
        { "t\\d+", "t", false },
        { "\\w*", "a_1", true },
        { "\\D", "7", false },
        { "a\\.b", "a.b", true },
        { "a\\.b", "axb", false },
        { "a.b",
          "a\xc3\xa9"
          "b",
          true },
        { "a[\xc3\xa9]b",
          "a\xc3\xa9"
          "b",
          true },
        { "^all$", "all", true },
        { "", "", true },
        { "()", "", true },
        { "(a*)*b", "aab", true },
        { "a{0}b", "b", true },
        { "a{2,}", "aaaa", true },
        { "a{2,}", "a", false },
        { "[]x]", "]", true },
        { "[a-]", "-", true },
        { "*", "anything", true },
        { "(?:ab)+?c", "ababc", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (fits(cases[i].pattern, cases[i].name) != cases[i].fits) {
            fail_msg("'%s' on '%s' should be %d", cases[i].pattern, cases[i].name, cases[i].fits);
        }
    }
}

static void broken_patterns_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *why;
    } cases[] = {
        { "(a", "A ( without ) at character 3 of '(a'." },
        { "a)", "A ) without ( at character 2 of 'a)'." },
        { "[a", "A [ without ] at character 3 of '[a'." },
        { "+a", "Nothing to repeat at character 1 of '+a'." },
        { "a{2", "A repetition that isn't {m}, {m,} or {m,n} at character 4 of 'a{2'." },
        { "a\\", "A backslash with nothing behind it at character 3 of 'a\\'." },
        { "\\p{L}", "An escape that isn't known here at character 2 of '\\p{L}'." },
        { "(?=a)", "A group of a kind that isn't known here at character 3 of '(?=a)'." },
        { "[b-a]", "A range that ends before it begins at character 5 of '[b-a]'." },
        { "((((a{99}){99}){99}){99})",
          "the pattern is too big once its repetitions are written out." },
        { "(((((){255}){255}){255}){255})",
          "the pattern is too big once its repetitions are written out." },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *a = arena_new(ARENA_LIMIT);
        struct catalog_pattern *p;
        struct str why = STR_NONE;
        assert_int_equal(catalog_pattern_read(a, str_z(cases[i].pattern), &p, &why), ST_INVALID);
        assert_string_equal(arena_cstr(a, why), cases[i].why);
        arena_free(a);
    }
}

/* Patterns that take others ages. */
static void hostile_patterns_end(void **state)
{
    (void)state;
    char name[256], deep[2 * 100 + 1];
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_false(fits("(a+)+b", name));
    assert_false(fits("(a|aa)+b", name));
    assert_false(fits("((a?){20}){20}b", name));
    assert_true(fits("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)a", name));
    memset(deep, '(', 100);
    memset(deep + 100, ')', 100);
    deep[200] = '\0';
    struct arena *a = arena_new(ARENA_LIMIT);
    struct catalog_pattern *p;
    struct str why;
    assert_int_equal(catalog_pattern_read(a, str_z(deep), &p, &why), ST_INVALID);
    arena_free(a);
}

/* Any bytes: read or refused, never more. */
static void random_patterns_are_harmless(void **state)
{
    (void)state;
    static const char letters[] = "ab()[]{}|*+?.^$\\-,12dw\xc3\xa9";
    uint32_t seed = 1;
    for (int round = 0; round < 3000; round++) {
        char text[24];
        size_t n = 0;
        for (; n < sizeof(text); n++) {
            seed = seed * 1664525u + 1013904223u;
            text[n] = letters[(seed >> 16) % (sizeof(letters) - 1)];
        }
        struct arena *a = arena_new(ARENA_LIMIT);
        struct catalog_pattern *p;
        struct str why = STR_NONE;
        struct str pattern = { text, seed >> 8 & 15 };
        if (catalog_pattern_read(a, pattern, &p, &why) == ST_OK) {
            catalog_pattern_fits(p, (struct str){ text + 8, 16 });
        } else {
            assert_true(why.n > 0);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_fit),
        cmocka_unit_test(broken_patterns_say_why),
        cmocka_unit_test(hostile_patterns_end),
        cmocka_unit_test(random_patterns_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
