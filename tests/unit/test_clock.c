/* Time: printing, reading (also hostile texts), the fake clock, scaled waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/mem.h"

#define NOV20 1795158489000LL /* 2026-11-20T07:08:09Z */

static void prints(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    assert_string_equal(clock_iso(a, NOV20 + 999).p, "2026-11-20T07:08:09Z");
    assert_string_equal(clock_iso_ms(a, NOV20 + 7).p, "2026-11-20T07:08:09.007Z");
    assert_string_equal(clock_rfc822(a, NOV20).p, "Fri, 20 Nov 2026 07:08:09 GMT");
    assert_string_equal(clock_rfc822(a, 0).p, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_string_equal(clock_iso_ms(a, -1).p, "1969-12-31T23:59:59.999Z");
    assert_string_equal(clock_iso(a, -1000).p, "1969-12-31T23:59:59Z");
    assert_string_equal(clock_iso(a, 1709164800000).p, "2024-02-29T00:00:00Z");
    assert_string_equal(clock_format(a, NOV20, "%Y/%m/%d-%H").p, "2026/11/20-07");
    assert_string_equal(clock_format(a, NOV20, "").p, "");
    assert_true(clock_iso(a, INT64_MAX).n > 0); /* absurd, but no fault */
    assert_true(clock_rfc822(a, INT64_MIN).n > 0);
}

static void reads(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "2026-11-20T07:08:09Z", NOV20 },
        { "2026-11-20T07:08:09", NOV20 },
        { "2026-11-20 07:08:09", NOV20 },
        { "2026-11-20t07:08:09z", NOV20 },
        { "2026-11-20T07:08:09.5Z", NOV20 + 500 },
        { "2026-11-20T07:08:09.123456789Z", NOV20 + 123 },
        { "2026-11-20T07:08:09.123+00:00", NOV20 + 123 },
        { "2026-11-20T08:38:09+01:30", NOV20 },
        { "2026-11-20T08:38:09+0130", NOV20 },
        { "2026-11-20T02:08:09-05", NOV20 },
        { "2026-11-20T07:08Z", NOV20 - 9000 },
        { "2026-11-20", 1795132800000 },
        { "20261120T070809Z", NOV20 },
        { "  2026-11-20T07:08:09Z\n", NOV20 },
        { "2024-02-29T00:00:00Z", 1709164800000 },
        { "2000-02-29", 951782400000 },
        { "1969-12-31T23:59:59.999Z", -1 },
        { "2016-12-31T23:59:60Z", 1483228800000 },
        { "0001-01-01T00:00:00Z", -62135596800000 },
        { "9999-12-31T23:59:59.999Z", 253402300799999 },
        { "Fri, 20 Nov 2026 07:08:09 GMT", NOV20 },
        { "Friday, 20-Nov-26 07:08:09 GMT", NOV20 },
        { "20 Nov 2026 07:08:09 +0000", NOV20 },
        { "Fri, 20 nov 2026 08:08:09 +0100", NOV20 },
        { "Fri, 20 Nov 2026 07:08 UTC", NOV20 - 9000 },
        { "Sun, 6 Nov 1994 08:49:37 GMT", 784111777000 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777000 },
        { "0", 0 },
        { "1795158489", NOV20 },
        { "1795158489.25", NOV20 + 250 },
        { "1795158489.0009", NOV20 },
        { "1.795158489E9", NOV20 },
        { "-1.5", -1500 },
        { "2026", 2026000 },
        { "20261120", 20261120000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = -77;
        enum status st = clock_parse(str_z(cases[i].text), &ms);
        if (st != ST_OK || ms != cases[i].ms) {
            fail_msg("\"%s\": %s, %lld", cases[i].text, status_name(st), (long long)ms);
        }
    }
}

static const char *const no_times[] = {
    "",
    " ",
    "-",
    ".",
    "T",
    "Z",
    "now",
    "2026-",
    "2026-13-01",
    "2026-00-01",
    "2026-01-00",
    "2026-02-30",
    "2023-02-29",
    "1900-02-29",
    "2026-11-20T",
    "2026-11-20T24:00:00Z",
    "2026-11-20T07:60:00Z",
    "2026-11-20T07:08:61Z",
    "2026-11-20T07:08:09.Z",
    "2026-11-20T07:08:09Zx",
    "2026-11-20T07:08:09+",
    "2026-11-20T07:08:09+1",
    "2026-11-20T07:08:09+24:00",
    "2026-11-20T07:08:09+01:60",
    "2026-1-20",
    "26-11-20",
    "0000-01-01",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "20261320T070809Z",
    "99999999999999999999999999",
    "-99999999999999999999999999",
    "253402300800",
    "1e300",
    "-1e300",
    "nan",
    "inf",
    "0x10",
    "1.2.3",
    "1.",
    "--1",
    "1 2",
    "Fri, 20 Nov 2026",
    "Fri, 32 Nov 2026 07:08:09 GMT",
    "Fri, 20 Foo 2026 07:08:09 GMT",
    "Fri, 20 Nov 2026 07:08:09 PST8",
    "Fri, 20 Nov 999999 07:08:09 GMT",
    "Fri",
    "Fri,",
    "20 Nov",
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(no_times); i++) {
        int64_t ms = -77;
        if (clock_parse(str_z(no_times[i]), &ms) != ST_INVALID || ms != -77) {
            fail_msg("\"%s\" was taken for a time: %lld", no_times[i], (long long)ms);
        }
    }
    int64_t ms;
    assert_int_equal(clock_parse(STR_NONE, &ms), ST_INVALID);
    assert_int_equal(clock_parse(STR("2026\0"), &ms), ST_INVALID);
}

/* Every prefix and every single-byte change of good texts: any answer, but no fault. Texts are in
 * blocks of their exact size, so that a sanitizer sees a byte read too far. */
static void survives_damage(void **state)
{
    (void)state;
    static const char *const texts[] = { "2026-11-20T07:08:09.123+01:30", "1795158489.25",
                                         "Fri, 20 Nov 2026 07:08:09 +0100" };
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        for (size_t n = 0; n <= strlen(texts[t]); n++) {
            CLEANUP(free_ptr) char *copy = xmalloc(n);
            memcpy(copy, texts[t], n);
            int64_t ms;
            status_ignore(clock_parse((struct str){ copy, n }, &ms)); /* either is fine */
            for (size_t i = 0; i < n; i++) {
                copy[i] ^= 0x15;
                status_ignore(clock_parse((struct str){ copy, n }, &ms));
                copy[i] ^= 0x15;
            }
        }
    }
}

static void agrees_with_libc(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new((size_t)64 << 20);
    int64_t ms = 0;
    for (int64_t day = -200000; day < 200000; day += 37) {
        int64_t want = day * 86400000 + 12345678;
        assert_int_equal(clock_parse(clock_iso_ms(a, want), &ms), ST_OK);
        assert_int_equal(ms, want);
        assert_int_equal(clock_parse(clock_rfc822(a, want), &ms), ST_OK);
        assert_int_equal(ms, want - 678);
    }
}

static void fakes(void **state)
{
    (void)state;
    clock_fake_ms(NOV20);
    assert_int_equal(clock_now_ms(), NOV20);
    assert_int_equal(clock_now_us(), NOV20 * 1000);
    int64_t mono = clock_mono_us();
    clock_fake_ms(-1);
    int64_t real = (int64_t)time(NULL);
    assert_in_range(clock_now_ms() / 1000, real, real + 5);
    assert_in_range(clock_now_us() / 1000000, real, real + 5);
    assert_true(clock_mono_us() >= mono);
    assert_true(clock_mono_ms() > 0);
}

static void scales_waits(void **state)
{
    (void)state;
    assert_int_equal(clock_scaled_ms(5000), 5000);
    clock_set_scale(10);
    assert_int_equal(clock_scaled_ms(5000), 500);
    assert_int_equal(clock_scaled_ms(1), 1);
    assert_int_equal(clock_scaled_ms(15), 2);
    assert_int_equal(clock_scaled_ms(0), 0);
    assert_int_equal(clock_scaled_ms(-5), 0);
    clock_set_scale(0.5);
    assert_int_equal(clock_scaled_ms(1000), 2000);
    assert_int_equal(clock_scaled_ms(INT64_MAX), INT64_MAX);
    clock_set_scale(0); /* senseless: ignored */
    clock_set_scale(-1);
    assert_int_equal(clock_scaled_ms(1000), 2000);
    clock_set_scale(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints),           cmocka_unit_test(reads),
        cmocka_unit_test(refuses),          cmocka_unit_test(survives_damage),
        cmocka_unit_test(agrees_with_libc), cmocka_unit_test(fakes),
        cmocka_unit_test(scales_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
