/* Time zones: the system's files against what is known of them and against the C library; hostile
 * bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/buf.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/base/zone.h"

static const struct zone *zone(struct arena *a, const char *name)
{
    const struct zone *z = NULL;
    assert_int_equal(zone_read(a, str_z(name), &z), ST_OK);
    return z;
}

static void expect(const struct zone *z, int64_t utc_s, const char *want)
{
    struct zone_time t = zone_local(z, utc_s);
    char got[64];
    snprintf(got, sizeof(got), "%04d-%02d-%02d %02d:%02d:%02d", (int)t.year, t.month, t.day, t.hour,
             t.minute, t.second);
    assert_string_equal(got, want);
}

static void calendar(void **state)
{
    (void)state;
    expect(NULL, 0, "1970-01-01 00:00:00");
    expect(NULL, -1, "1969-12-31 23:59:59");
    expect(NULL, 951782400, "2000-02-29 00:00:00");
    expect(NULL, 4107542399, "2100-02-28 23:59:59");
    expect(NULL, 4107542400, "2100-03-01 00:00:00");
    expect(NULL, -62135596800, "0001-01-01 00:00:00");
    for (int64_t day = -800000; day < 800000; day += 37) {
        struct zone_time t = zone_local(NULL, day * 86400);
        assert_int_equal(zone_days(t.year, t.month, t.day), day);
    }
}

/* From change to change the offset is another one, and stays what it is between them. */
static void changes_one_after_the_other(void **state)
{
    static const char *const names[] = { "UTC",
                                         "Europe/Rome",
                                         "America/New_York",
                                         "Australia/Lord_Howe",
                                         "Pacific/Auckland",
                                         "Asia/Kolkata",
                                         "Africa/Casablanca" };
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct zone *z = zone(a, names[i]);
        int64_t at = 0, next = 0, end = 2600000000; /* beyond what files list */
        while (at < end) {
            int32_t offset = zone_offset(z, at);
            bool more = zone_next(z, at, &next);
            assert_true(!more || (next > at && zone_offset(z, next) != offset));
            for (int64_t t = at; t < (more ? next : end); t += 7 * 86400) {
                assert_int_equal(zone_offset(z, t), offset);
            }
            assert_true(!more || zone_offset(z, next - 1) == offset);
            at = more ? next : end;
        }
    }
    assert_false(zone_next(zone(a, "UTC"), 0, &(int64_t){ 0 }));
    int64_t at = 0;
    assert_true(zone_next(zone(a, "Europe/Rome"), 4000000000, &at)); /* by the rule alone */
    expect(NULL, at, "2096-10-28 01:00:00");
}

static void known_places(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    expect(zone(a, "Asia/Seoul"), 1775050819, "2026-04-01 22:40:19");
    expect(zone(a, "UTC"), 1775050819, "2026-04-01 13:40:19");
    const struct zone *berlin = zone(a, "Europe/Berlin");
    expect(berlin, 1774745999, "2026-03-29 01:59:59"); /* the hour from 2 to 3 doesn't exist */
    expect(berlin, 1774746000, "2026-03-29 03:00:00");
    expect(berlin, 1792889999, "2026-10-25 02:59:59"); /* and this one is there twice */
    expect(berlin, 1792890000, "2026-10-25 02:00:00");
    expect(berlin, 3908980800, "2093-11-13 21:00:00");
    expect(berlin, 3897000000, "2093-06-28 06:00:00"); /* summer, behind all transitions */
    expect(zone(a, "Australia/Lord_Howe"), 3908980800, "2093-11-14 07:00:00"); /* +10:30, +11 */
    expect(zone(a, "Asia/Kathmandu"), 1775050819, "2026-04-01 19:25:19");
    expect(zone(a, "America/New_York"), -5000000000, "1811-07-23 10:10:38"); /* local mean time */
}

/* Against the C library, which knows one zone per process. */
static void like_the_c_library(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Europe/Dublin",   "America/Sao_Paulo", "Africa/Casablanca", "America/Nuuk",
        "Pacific/Apia",    "Asia/Tehran",       "Antarctica/Troll",  "US/Pacific",
        "Pacific/Chatham", "Europe/London",     "Asia/Gaza",         "Etc/GMT+5"
    };
    CLEANUP(arena_freep) struct arena *a = arena_new(16 << 20);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct zone *z = zone(a, names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t s = -2000000000; s < 6000000000; s += 7654321) {
            time_t t = (time_t)s;
            struct tm tm;
            assert_non_null(localtime_r(&t, &tm));
            if (tm.tm_gmtoff != zone_offset(z, s)) {
                fail_msg("%s at %lld: %d, not %ld", names[i], (long long)s, zone_offset(z, s),
                         tm.tm_gmtoff);
            }
        }
    }
    unsetenv("TZ");
    tzset();
}

static void no_zones(void **state)
{
    (void)state;
    static const char *const names[] = { "",
                                         "Mars/Olympus",
                                         "Europe",
                                         "/etc/passwd",
                                         "../../../etc/passwd",
                                         "Europe/../UTC",
                                         "tzdata.zi",
                                         "Europe//Berlin",
                                         "Europe/Berlin/",
                                         "zone.tab",
                                         "Asia/Seoul\n" };
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    const struct zone *z = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(zone_read(a, str_z(names[i]), &z), ST_NOT_FOUND);
    }
    char longer[200];
    memset(longer, 'A', sizeof(longer));
    assert_int_equal(zone_read(a, (struct str){ longer, sizeof(longer) }, &z), ST_NOT_FOUND);
}

/* Cut off at every byte, and with bytes changed: refused or read, never past the end. */
static void hostile_bytes(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof(path), "%s/Europe/Berlin", zone_database());
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    char *room = buf_reserve(&b, 1 << 16);
    size_t n = fread(room, 1, 1 << 16, f);
    fclose(f);
    const struct zone *z;
    for (size_t cut = 0; cut < n; cut++) {
        CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
        CLEANUP(free_ptr) char *copy = xmalloc(cut + 1);
        memcpy(copy, room, cut);
        if (zone_parse(a, (struct str){ copy, cut }, &z) == ST_OK) {
            zone_local(z, 1775050819);
        }
    }
    for (int i = 0; i < 20000; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
        CLEANUP(free_ptr) char *copy = xmalloc(n);
        memcpy(copy, room, n);
        unsigned char r[8];
        id_random(r, sizeof(r));
        for (int k = 0; k < 3; k++) {
            copy[(size_t)(r[2 * k] | (r[2 * k + 1] << 8)) % n] = (char)r[7];
        }
        if (zone_parse(a, (struct str){ copy, n }, &z) == ST_OK) {
            zone_local(z, 1775050819);
            zone_local(z, 9000000000);
            zone_local(z, -9000000000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar),     cmocka_unit_test(changes_one_after_the_other),
        cmocka_unit_test(known_places), cmocka_unit_test(like_the_c_library),
        cmocka_unit_test(no_zones),     cmocka_unit_test(hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
