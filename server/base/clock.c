#include "server/base/clock.h"

#include <math.h>
#include <time.h>

static _Atomic int64_t fake_ms = -1;
static _Atomic double wait_scale = 1.0;

static int64_t read_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    int64_t fake = fake_ms;
    return fake >= 0 ? fake * 1000 : read_us(CLOCK_REALTIME);
}

int64_t clock_now_ms(void)
{
    int64_t fake = fake_ms;
    return fake >= 0 ? fake : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

void clock_fake_ms(int64_t now_ms)
{
    fake_ms = now_ms;
}

void clock_set_scale(double scale)
{
    if (isfinite(scale) && scale > 0) {
        wait_scale = scale;
    }
}

int64_t clock_scaled_ms(int64_t delay_ms)
{
    double scale = wait_scale;
    if (delay_ms <= 0) {
        return 0;
    }
    if (scale == 1.0) {
        return delay_ms;
    }
    double real = ceil((double)delay_ms / scale);
    if (real >= 0x1p63) {
        return INT64_MAX;
    }
    return real < 1 ? 1 : (int64_t)real;
}

/* Broken down in UTC; *ret_ms is the rest below the second, 0 to 999 also before 1970. */
static struct tm split(int64_t ms, int *ret_ms)
{
    int64_t rest = ms % 1000;
    int64_t s = ms / 1000;
    if (rest < 0) {
        rest += 1000;
        s--;
    }
    *ret_ms = (int)rest;
    time_t t = (time_t)s;
    struct tm tm = { 0 };
    gmtime_r(&t, &tm); /* cannot fail: 2^63 ms are 292 million years */
    return tm;
}

/* Listings hold thousands of times: by hand this takes a tenth of what printf does. Years are meant
 * to have four digits; for the others printf is good enough. */
static bool ordinary(const struct tm *tm)
{
    return tm->tm_year >= -1900 && tm->tm_year <= 9999 - 1900;
}

static char *put(char *to, int v, int digits, char behind)
{
    for (int i = digits; i-- > 0; v /= 10) {
        to[i] = (char)('0' + v % 10);
    }
    to[digits] = behind;
    return to + digits + 1;
}

static char *put_time(char *to, const struct tm *tm, char behind)
{
    to = put(to, tm->tm_hour, 2, ':');
    to = put(to, tm->tm_min, 2, ':');
    return put(to, tm->tm_sec, 2, behind);
}

static char *put_iso(char *to, const struct tm *tm, char behind)
{
    to = put(to, tm->tm_year + 1900, 4, '-');
    to = put(to, tm->tm_mon + 1, 2, '-');
    to = put(to, tm->tm_mday, 2, 'T');
    return put_time(to, tm, behind);
}

struct str clock_iso(struct arena *a, int64_t ms)
{
    int rest;
    struct tm tm = split(ms, &rest);
    char text[32];
    if (ordinary(&tm)) {
        return arena_str(a, (struct str){ text, (size_t)(put_iso(text, &tm, 'Z') - text) });
    }
    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct str clock_iso_ms(struct arena *a, int64_t ms)
{
    int rest;
    struct tm tm = split(ms, &rest);
    char text[32];
    if (ordinary(&tm)) {
        char *end = put(put_iso(text, &tm, '.'), rest, 3, 'Z');
        return arena_str(a, (struct str){ text, (size_t)(end - text) });
    }
    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, rest);
}

struct str clock_rfc822(struct arena *a, int64_t ms)
{
    /* Not strftime: %a and %b speak the user's language. */
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int rest;
    struct tm tm = split(ms, &rest);
    char text[32];
    if (ordinary(&tm)) { /* "Fri, 20 Nov 2026 07:08:09 GMT" */
        memcpy(text, days[tm.tm_wday], 3);
        text[3] = ',';
        text[4] = ' ';
        put(text + 5, tm.tm_mday, 2, ' ');
        memcpy(text + 8, months[tm.tm_mon], 3);
        text[11] = ' ';
        char *end = put_time(put(text + 12, tm.tm_year + 1900, 4, ' '), &tm, ' ');
        memcpy(end, "GMT", 3);
        return arena_str(a, (struct str){ text, (size_t)(end + 3 - text) });
    }
    return arena_printf(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
                        months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The pattern is often data (date partition formats), so the compiler cannot check it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
struct str clock_format(struct arena *a, int64_t ms, const char *fmt)
{
    char text[1024];
    int rest;
    struct tm tm = split(ms, &rest);
    size_t n = strftime(text, sizeof(text), fmt, &tm);
    return arena_str(a, (struct str){ text, n });
}
#pragma GCC diagnostic pop
