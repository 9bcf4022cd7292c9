/* Borrowed strings: comparing, searching, splitting, numbers, UTF-8, patterns, hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/base/str.h"

static void assert_str(struct str s, const char *want)
{
    if (!str_eqz(s, want)) {
        fail_msg("\"%.*s\" instead of \"%s\"", STR_ARG(s), want ? want : "(absent)");
    }
}

static void compares(void **state)
{
    (void)state;
    assert_true(str_eq(STR("abc"), STR("abc")));
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_eq(STR_NONE, STR_NONE));
    assert_true(str_eq(STR(""), STR("")));
    assert_false(str_eq(STR_NONE, STR("")));
    assert_true(str_eqz(STR_NONE, NULL));
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_ieq(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_ieq(STR("[a"), STR("{a"))); /* differ in bit 5 as letters' cases do */
    assert_true(str_ieqz(STR("GET"), "get"));

    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("b"), STR("a")) > 0);
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("\x7f"), STR("\x80")) < 0);
    assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
    assert_true(str_cmp(STR_NONE, STR("")) < 0);
}

static void searches(void **state)
{
    (void)state;
    assert_true(str_starts(STR("prefix/x"), STR("prefix/")));
    assert_true(str_starts(STR("x"), STR("")));
    assert_false(str_starts(STR("x"), STR("xy")));
    assert_true(str_ends(STR("a.csv"), STR(".csv")));
    assert_false(str_ends(STR("csv"), STR(".csv")));

    assert_int_equal(str_find(STR("a/b/c"), '/', 0), 1);
    assert_int_equal(str_find(STR("a/b/c"), '/', 2), 3);
    assert_int_equal(str_find(STR("a/b/c"), '/', 4), -1);
    assert_int_equal(str_find(STR("a"), 'a', SIZE_MAX), -1);
    assert_int_equal(str_find(STR_NONE, 'a', 0), -1);
    assert_int_equal(str_find_str(STR("abcabd"), STR("abd")), 3);
    assert_int_equal(str_find_str(STR("ab"), STR("abc")), -1);
    assert_int_equal(str_find_str(STR_NONE, STR("")), 0);
}

static void cuts(void **state)
{
    (void)state;
    assert_str(str_sub(STR("abcdef"), 1, 3), "bc");
    assert_str(str_sub(STR("abcdef"), 4, SIZE_MAX), "ef");
    assert_str(str_sub(STR("abcdef"), 9, 12), "");
    assert_str(str_sub(STR("abcdef"), 3, 1), "");
    assert_str(str_sub(STR_NONE, 0, 1), NULL);
    assert_str(str_trim(STR(" \t a b\r\n")), "a b");
    assert_str(str_trim(STR("   ")), "");

    struct str head, tail;
    assert_true(str_cut(STR("key=a=b"), '=', &head, &tail));
    assert_str(head, "key");
    assert_str(tail, "a=b");
    assert_true(str_cut(STR("key="), '=', &head, &tail));
    assert_str(tail, "");
    assert_false(str_cut(STR("key"), '=', &head, &tail));
    assert_str(head, "key");
    assert_str(tail, NULL);
}

static void splits(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *items[5];
    } cases[] = {
        { "a,b,c", { "a", "b", "c" } },
        { "a", { "a" } },
        { "a,,b", { "a", "", "b" } },
        { ",a", { "", "a" } },
        { "a,", { "a" } }, /* as lines end */
        { "", { NULL } },
        { ",", { "" } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str rest = str_z(cases[i].list), item;
        size_t n = 0;
        while (str_next(&rest, ',', &item)) {
            assert_str(item, cases[i].items[n++]);
        }
        assert_null(cases[i].items[n]);
        assert_false(str_set(item));
    }
}

static void reads_whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok_i, ok_u;
        int64_t i;
        uint64_t u;
    } cases[] = {
        { "0", true, true, 0, 0 },
        { "007", true, true, 7, 7 },
        { "-1", true, false, -1, 0 },
        { "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
        { "9223372036854775808", false, true, 0, 9223372036854775808u },
        { "-9223372036854775808", true, false, INT64_MIN, 0 },
        { "-9223372036854775809", false, false, 0, 0 },
        { "18446744073709551615", false, true, 0, UINT64_MAX },
        { "18446744073709551616", false, false, 0, 0 },
        { "99999999999999999999999", false, false, 0, 0 },
        { "", false, false, 0, 0 },
        { "-", false, false, 0, 0 },
        { "--1", false, false, 0, 0 },
        { "+1", false, false, 0, 0 },
        { " 1", false, false, 0, 0 },
        { "1 ", false, false, 0, 0 },
        { "0x10", false, false, 0, 0 },
        { "1.0", false, false, 0, 0 },
    };
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        int64_t i = 42;
        uint64_t u = 42;
        struct str s = str_z(cases[k].text);
        assert_int_equal(str_i64(s, &i), cases[k].ok_i ? ST_OK : ST_INVALID);
        assert_int_equal(i, cases[k].ok_i ? cases[k].i : 42);
        assert_int_equal(str_u64(s, &u), cases[k].ok_u ? ST_OK : ST_INVALID);
        assert_true(u == (cases[k].ok_u ? cases[k].u : 42));
    }
    int64_t i;
    assert_int_equal(str_i64(STR_NONE, &i), ST_INVALID);
    assert_int_equal(str_i64(STR("1\0"), &i), ST_INVALID);
}

static void reads_fractions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double v;
    } good[] = {
        { "1", 1 },        { "-1.5", -1.5 }, { "+2", 2 },      { ".5", .5 },
        { "5.", 5 },       { "1e3", 1000 },  { "1E-2", 0.01 }, { "-0", 0 },
        { "1e-999", 0.0 }, { "0.1", 0.1 },   { "1e+2", 100 },
    };
    static const char *const bad[] = { "",    ".",   "-",  "e5", "1e",  "1e+",   "0x1p3",
                                       "inf", "nan", " 1", "1 ", "1,5", "1e999", "1.2.3" };
    double v = 0;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(str_f64(str_z(good[i].text), &v), ST_OK);
        assert_true(v == good[i].v);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (str_f64(str_z(bad[i]), &v) != ST_INVALID) {
            fail_msg("\"%s\" was taken for a number", bad[i]);
        }
    }
    char huge[4096];
    memset(huge, '1', sizeof(huge));
    assert_int_equal(str_f64((struct str){ huge, sizeof(huge) }, &v), ST_INVALID);
}

static void reads_truth(void **state)
{
    (void)state;
    bool v = false;
    assert_int_equal(str_bool(STR("True"), &v), ST_OK);
    assert_true(v);
    assert_int_equal(str_bool(STR("n"), &v), ST_OK);
    assert_false(v);
    assert_int_equal(str_bool(STR("YES"), &v), ST_OK);
    assert_true(v);
    assert_int_equal(str_bool(STR("0"), &v), ST_OK);
    assert_false(v);
    assert_int_equal(str_bool(STR("on"), &v), ST_INVALID);
    assert_int_equal(str_bool(STR(""), &v), ST_INVALID);
    assert_int_equal(str_bool(STR_NONE, &v), ST_INVALID);
}

static void checks_utf8(void **state)
{
    (void)state;
    static const struct str good[] = {
        STR_INIT(""),
        STR_INIT("plain ascii of more than eight bytes"),
        STR_INIT("gr\xc3\xbc\xc3\x9f"
                 "e"),
        STR_INIT("\xe2\x82\xac"),
        STR_INIT("\xf0\x9f\x98\x80 after an astral one"),
        STR_INIT("\xed\x9f\xbf\xee\x80\x80"),
        STR_INIT("\xf4\x8f\xbf\xbf"),
        STR_INIT("a\0b"),
    };
    static const struct str bad[] = {
        STR_INIT("\x80"),             /* continuation alone */
        STR_INIT("12345678\xc3"),     /* cut off */
        STR_INIT("\xe2\x82"),         /* cut off */
        STR_INIT("\xc0\x80"),         /* NUL in two bytes */
        STR_INIT("\xe0\x80\xaf"),     /* overlong */
        STR_INIT("\xf0\x80\x80\x80"), /* overlong */
        STR_INIT("\xed\xa0\x80"),     /* surrogate */
        STR_INIT("\xf4\x90\x80\x80"), /* beyond U+10FFFF */
        STR_INIT("\xff"
                 "abcdefgh"),
        STR_INIT("\xe2(\xa1"),
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(str_utf8(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(str_utf8(bad[i]));
    }
    assert_true(str_utf8(STR_NONE));
}

static void matches_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        { "*", "", true },
        { "*", "anything/at all", true },
        { "", "", true },
        { "", "a", false },
        { "a", "", false },
        { "?", "", false },
        { "a?c", "abc", true },
        { "a?c", "ac", false },
        { "a*c", "ac", true },
        { "a*c", "abcbc", true },
        { "a*c", "abcb", false },
        { "**a**", "xay", true },
        { "arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y", true },
        { "arn:aws:s3:::b/*", "arn:aws:s3:::bb/x", false },
        { "*.csv", "a.csv.gz", false },
        { "*a*b*c", "1a2b3c", true },
        { "*a*b*c", "1b2a3c", false },
        { "[a]", "a", false },
        { "?", "\xe2\x82\xac", true },    /* one character, three bytes */
        { "*??", "\xe2\x82\xac", false }, /* never cut inside */
        { "*?", "\xe2\x82\xac", true },
        { "A", "a", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (str_glob(str_z(cases[i].pattern), str_z(cases[i].text)) != cases[i].match) {
            fail_msg("\"%s\" against \"%s\"", cases[i].pattern, cases[i].text);
        }
    }
}

/* With naive backtracking this takes longer than the sun will burn. */
static void hostile_pattern_is_quick(void **state)
{
    (void)state;
    char pattern[201], text[20000];
    for (size_t i = 0; i < 200; i += 2) {
        pattern[i] = 'a';
        pattern[i + 1] = '*';
    }
    pattern[200] = 'b';
    memset(text, 'a', sizeof(text));
    int64_t start = clock_mono_ms();
    assert_false(str_glob((struct str){ pattern, 201 }, (struct str){ text, sizeof(text) }));
    assert_true(clock_mono_ms() - start < 2000);
}

static void hashes(void **state)
{
    (void)state;
    char text[64];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)i;
    }
    for (size_t n = 0; n < sizeof(text); n++) {
        struct str s = { text, n };
        char *copy = xmalloc(n + 1);
        memcpy(copy, text, n);
        assert_true(str_hash(s) == str_hash((struct str){ copy, n }));
        if (n > 0) {
            copy[n - 1] ^= 1;
            assert_true(str_hash(s) != str_hash((struct str){ copy, n }));
            assert_true(str_hash(s) != str_hash((struct str){ text, n - 1 }));
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(searches),
        cmocka_unit_test(cuts),
        cmocka_unit_test(splits),
        cmocka_unit_test(reads_whole_numbers),
        cmocka_unit_test(reads_fractions),
        cmocka_unit_test(reads_truth),
        cmocka_unit_test(checks_utf8),
        cmocka_unit_test(matches_patterns),
        cmocka_unit_test(hostile_pattern_is_quick),
        cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
