/* Schedules: grammar, refusals with positions, and the times that come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/cron.h"
#include "server/base/id.h"
#include "server/base/mem.h"

static int64_t at(const char *iso)
{
    int64_t ms;
    assert_int_equal(clock_parse(str_z(iso), &ms), ST_OK);
    return ms;
}

static struct cron parsed(struct arena *a, const char *text)
{
    struct cron c;
    struct str why;
    if (cron_parse(a, str_z(text), &c, &why) != ST_OK) {
        fail_msg("%s: %.*s", text, STR_ARG(why));
    }
    return c;
}

/* The times of `text` after `from`, as many as `want` has. */
static void comes(const char *text, const char *from, const char *const *want)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct cron c = parsed(a, text);
    int64_t t = at(from);
    for (; *want; want++) {
        if (cron_next(&c, t, &t) != ST_OK) {
            fail_msg("%s: ends before %s", text, *want);
        }
        if (t != at(*want)) {
            fail_msg("%s: %s instead of %s", text, clock_iso(a, t).p, *want);
        }
    }
}
#define COMES(text, from, ...) comes(text, from, (const char *const[]){ __VA_ARGS__, NULL })

static void plain_fields(void **state)
{
    (void)state;
    COMES("cron(15 12 * * ? *)", "2026-11-20T12:14:59Z", "2026-11-20T12:15:00Z",
          "2026-11-21T12:15:00Z");
    COMES("cron(15 12 * * ? *)", "2026-11-20T12:15:00Z", "2026-11-21T12:15:00Z");
    COMES("cron(0/15 * * * ? *)", "2026-11-20T23:40:00Z", "2026-11-20T23:45:00Z",
          "2026-11-21T00:00:00Z");
    COMES("cron(*/20 8-9 * * ? *)", "2026-11-20T09:30:00Z", "2026-11-20T09:40:00Z",
          "2026-11-21T08:00:00Z");
    COMES("cron(10-50/20 0 1 JAN-mar,12 ? 2026-2027)", "2026-11-20T00:00:00Z",
          "2026-12-01T00:10:00Z", "2026-12-01T00:30:00Z", "2026-12-01T00:50:00Z",
          "2027-01-01T00:10:00Z");
    COMES("Cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00:00Z", "2026-11-23T18:00:00Z");
    COMES("cron(0 0 ? * 1,7 *)", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z",
          "2026-11-22T00:00:00Z", "2026-11-28T00:00:00Z");
    COMES("cron(59 23 31 12 ? *)", "1969-06-01T00:00:00Z", "1970-12-31T23:59:00Z");
    COMES("cron(0 0 1 1 ? *)", "1970-01-01T00:00:00Z", "1971-01-01T00:00:00Z");
    COMES("cron(0  10   *  * ? * )", "2026-11-20T00:00:00Z", "2026-11-20T10:00:00Z");
}

static void days_of_month(void **state)
{
    (void)state;
    COMES("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z",
          "2032-02-29T00:00:00Z");
    COMES("cron(0 0 29 2 ? *)", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"); /* not 2100 */
    COMES("cron(0 0 L * ? *)", "2028-01-31T00:00:00Z", "2028-02-29T00:00:00Z",
          "2028-03-31T00:00:00Z");
    COMES("cron(0 0 31 * ? *)", "2026-08-31T00:00:00Z", "2026-10-31T00:00:00Z");
    /* 2026-11-15 is a Sunday, 2026-08-15 a Saturday, 2026-09-15 a Tuesday */
    COMES("cron(0 0 15W 8,9,11 ? 2026)", "2026-01-01T00:00:00Z", "2026-08-14T00:00:00Z",
          "2026-09-15T00:00:00Z", "2026-11-16T00:00:00Z");
    /* the 1st a Saturday, the last a Sunday: within the month */
    COMES("cron(0 0 1W 8 ? 2026)", "2026-01-01T00:00:00Z", "2026-08-03T00:00:00Z");
    COMES("cron(0 0 31W 5 ? 2026)", "2026-01-01T00:00:00Z", "2026-05-29T00:00:00Z");
    COMES("cron(0 0 LW 5,6 ? 2026)", "2026-01-01T00:00:00Z", "2026-05-29T00:00:00Z",
          "2026-06-30T00:00:00Z");
    COMES("cron(0 0 1,L 2 ? *)", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
          "2026-02-28T00:00:00Z");
}

static void days_of_week(void **state)
{
    (void)state;
    COMES("cron(0 0 ? * 3#2 *)", "2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z",
          "2026-12-08T00:00:00Z");
    COMES("cron(0 0 ? * SUN#5 *)", "2026-11-01T00:00:00Z", "2026-11-29T00:00:00Z",
          "2027-01-31T00:00:00Z");
    COMES("cron(0 0 ? * 5L *)", "2026-11-01T00:00:00Z", "2026-11-26T00:00:00Z",
          "2026-12-31T00:00:00Z");
    COMES("cron(0 0 ? * L *)", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z",
          "2026-11-28T00:00:00Z");
    COMES("cron(0 0 ? * FRIL,mon#1 *)", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z",
          "2026-11-27T00:00:00Z");
    COMES("cron(0 0 ? * * *)", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
}

static void never_again(void **state)
{
    (void)state;
    static const char *const texts[] = { "cron(0 0 1 1 ? 1999)", "cron(0 0 30 2 ? *)",
                                         "cron(0 0 31 4,6,9,11 ? *)", "cron(0 0 29 2 ? 2100)" };
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    int64_t t;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cron c = parsed(a, texts[i]);
        assert_int_equal(cron_next(&c, at("2026-11-20T00:00:00Z"), &t), ST_NOT_FOUND);
    }
    struct cron c = parsed(a, "cron(59 23 31 12 ? *)");
    assert_int_equal(cron_next(&c, at("2199-12-31T23:58:00Z"), &t), ST_OK);
    assert_int_equal(cron_next(&c, t, &t), ST_NOT_FOUND);
    assert_int_equal(cron_next(&c, INT64_MAX, &t), ST_NOT_FOUND);
    assert_int_equal(cron_next(&c, INT64_MIN, &t), ST_OK);
    assert_int_equal(t, at("1970-12-31T23:59:00Z"));
}

static void rates(void **state)
{
    (void)state;
    COMES("rate(1 minute)", "2026-11-20T00:00:30Z", "2026-11-20T00:01:30Z");
    COMES("rate(5 minutes)", "2026-11-20T00:00:00Z", "2026-11-20T00:05:00Z");
    COMES("rate(12 hours)", "2026-11-20T00:00:00Z", "2026-11-20T12:00:00Z");
    COMES("rate(7 days)", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z");
}

/* Text, and what the reason must contain. */
static void refused(const char *text, const char *reason)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct cron c;
    struct str why;
    assert_int_equal(cron_parse(a, str_z(text), &c, &why), ST_INVALID);
    if (str_find_str(why, str_z(reason)) < 0) {
        fail_msg("%s: '%.*s' doesn't say '%s'", text, STR_ARG(why), reason);
    }
}

static void refusals(void **state)
{
    (void)state;
    refused("", "at character 1");
    refused("every day", "must begin with 'cron('");
    refused("cron()", "Minutes must be 0 to 59 at character 6");
    refused("cron(60 * * * ? *)", "Minutes must be 0 to 59 at character 6");
    refused("cron(0 24 * * ? *)", "Hours must be 0 to 23 at character 8");
    refused("cron(0 0 0 * ? *)", "Day-of-month must be 1 to 31 at character 10");
    refused("cron(0 0 32 * ? *)", "Day-of-month");
    refused("cron(0 0 1 13 ? *)", "Month must be 1 to 12 or three-letter names at character 12");
    refused("cron(0 0 1 JUNE ? *)", "Unexpected text in the field Month at character 15");
    refused("cron(0 0 ? * 0 *)", "Day-of-week");
    refused("cron(0 0 ? * 8 *)", "Day-of-week");
    refused("cron(0 0 ? * MON 1969)", "Year");
    refused("cron(0 0 ? * MON 2200)", "Year");
    refused("cron(0 0 * * * *)", "must be '?'");
    refused("cron(0 0 ? * ? *)", "must be '?'");
    refused("cron(0 0 1 * ?)", "The field Year is missing");
    refused("cron(0 0 1 * ? * *)", "must end in ')'");
    refused("cron(0 0 1 * ? *", "must end in ')'");
    refused("cron(0 0 1 * ? *) ", "must end in ')'");
    refused("cron(0 ? 1 * ? *)", "Hours");
    refused("cron(L 0 1 * ? *)", "Minutes");
    refused("cron(0 0 ? * FRI-MON *)", "backwards");
    refused("cron(0/0 0 1 * ? *)", "at least 1 must follow '/'");
    refused("cron(0/x 0 1 * ? *)", "at least 1 must follow '/' at character 8");
    refused("cron(0,  0 1 * ? *)", "Minutes");
    refused("cron(0 0 ? * 3#6 *)", "1 to 5 must follow '#'");
    refused("cron(0 0 ? * 3W *)", "Unexpected text in the field Day-of-week");
    refused("cron(0 0 3#1 * ? *)", "Unexpected text in the field Day-of-month");
    refused("cron(99999999999999999999 0 1 * ? *)", "Minutes");
    refused("rate(0 minutes)", "at least 1");
    refused("rate(1 minutes)", "singular");
    refused("rate(5 minute)", "plural");
    refused("rate(5 weeks)", "minutes, hours or days");
    refused("rate(5 minutes", "must end in ')'");
    refused("rate(999999 days)", "hundred years");
    char big[400];
    memset(big, ' ', sizeof(big) - 1);
    memcpy(big, "cron(", 5);
    big[sizeof(big) - 1] = '\0';
    refused(big, "at most 256");
}

/* What is read gives times that rise and lie on a minute; everything else is refused with reason.
 */
static void hostile(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789*?/,-LW#MONJAN ()";
    for (int round = 0; round < 20000; round++) {
        CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
        unsigned char raw[24];
        char text[40] = "cron(";
        id_random(raw, sizeof(raw));
        size_t n = 5;
        for (size_t i = 0; i < sizeof(raw); i++) {
            text[n++] = alphabet[raw[i] % (sizeof(alphabet) - 1)];
        }
        text[n++] = ')';
        struct cron c;
        struct str why;
        int64_t t = 0, next;
        if (cron_parse(a, (struct str){ text, n }, &c, &why) != ST_OK) {
            assert_true(why.n > 0);
            continue;
        }
        for (int i = 0; i < 3 && cron_next(&c, t, &next) == ST_OK; i++, t = next) {
            assert_true(next > t && next % 60000 == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_fields), cmocka_unit_test(days_of_month),
        cmocka_unit_test(days_of_week), cmocka_unit_test(never_again),
        cmocka_unit_test(rates),        cmocka_unit_test(refusals),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
