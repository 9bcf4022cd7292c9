/* clock_parse: three grammars, told apart by their first characters. A cursor walks the text; every
 * reader checks the end, and each number is bounded by its count of digits, so nothing overflows.
 */
#include "server/base/clock.h"

#include <math.h>

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z */
#define CLOCK_FIRST_MS (-62135596800000LL)
#define CLOCK_LAST_MS 253402300799999LL

struct cursor {
    struct str s;
    size_t at;
};

struct moment {
    int year, month, day;
    int hour, minute, second, ms;
    int zone_minutes; /* east of UTC */
};

static char peek(const struct cursor *c)
{
    if (c->at >= c->s.n) {
        return '\0';
    }
    return c->s.p[c->at];
}

static bool take(struct cursor *c, char want)
{
    if (c->at >= c->s.n || c->s.p[c->at] != want) {
        return false;
    }
    c->at++;
    return true;
}

static bool digit_at(const struct cursor *c)
{
    return peek(c) >= '0' && peek(c) <= '9';
}

/* Between `min` and `max` digits (at most 9). */
static bool take_number(struct cursor *c, int min, int max, int *ret)
{
    int v = 0, digits = 0;
    while (digits < max && digit_at(c)) {
        v = v * 10 + (peek(c) - '0');
        c->at++;
        digits++;
    }
    *ret = v;
    return digits >= min;
}

/* The digits after a point as milliseconds; more than three are cut off. */
static bool take_fraction(struct cursor *c, int *ret_ms)
{
    int ms = 0, weight = 100;
    size_t from = c->at;
    while (digit_at(c)) {
        ms += (peek(c) - '0') * weight;
        weight /= 10;
        c->at++;
    }
    *ret_ms = ms;
    return c->at > from;
}

/* +hh:mm, +hhmm, +hh (or with -). */
static bool take_offset(struct cursor *c, int *ret_minutes)
{
    int sign = peek(c) == '-' ? -1 : 1;
    int hours, minutes = 0;
    c->at++;
    if (!take_number(c, 2, 2, &hours)) {
        return false;
    }
    bool colon = take(c, ':');
    if ((colon || digit_at(c)) && !take_number(c, 2, 2, &minutes)) {
        return false;
    }
    *ret_minutes = sign * (hours * 60 + minutes);
    return hours <= 23 && minutes <= 59;
}

/* Days since 1970-01-01 in the Gregorian calendar; years count from March, so that the leap day is
 * the last of its year. */
static int64_t days_since_epoch(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t from_march = month > 2 ? month - 3 : month + 9;
    int64_t before = y * 365 + y / 4 - y / 100 + y / 400;
    return before + (from_march * 153 + 2) / 5 + day - 1 - 719468;
}

static enum status moment_to_ms(const struct moment *m, int64_t *ret_ms)
{
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (m->year % 4 == 0 && m->year % 100 != 0) || m->year % 400 == 0;
    if (m->year < 1 || m->month < 1 || m->month > 12 || m->day < 1 ||
        m->day > month_days[m->month - 1] + (leap && m->month == 2 ? 1 : 0)) {
        return ST_INVALID;
    }
    /* Second 60 is a leap second; it becomes the first of the next minute. */
    if (m->hour > 23 || m->minute > 59 || m->second > 60) {
        return ST_INVALID;
    }
    int64_t minutes = (days_since_epoch(m->year, m->month, m->day) * 24 + m->hour) * 60 + m->minute;
    int64_t ms = ((minutes - m->zone_minutes) * 60 + m->second) * 1000 + m->ms;
    if (ms < CLOCK_FIRST_MS || ms > CLOCK_LAST_MS) {
        return ST_INVALID;
    }
    *ret_ms = ms;
    return ST_OK;
}

/* hh:mm[:ss[.fraction]], or without the colons (as in X-Amz-Date). */
static bool take_time(struct cursor *c, bool colons, struct moment *m)
{
    if (!take_number(c, 2, 2, &m->hour) || (colons && !take(c, ':')) ||
        !take_number(c, 2, 2, &m->minute)) {
        return false;
    }
    if (colons ? !take(c, ':') : !digit_at(c)) {
        return true;
    }
    if (!take_number(c, 2, 2, &m->second)) {
        return false;
    }
    return (!take(c, '.') && !take(c, ',')) || take_fraction(c, &m->ms);
}

static enum status parse_iso(struct str s, int64_t *ret_ms)
{
    struct cursor c = { s, 0 };
    struct moment m = { 0 };
    if (!take_number(&c, 4, 4, &m.year)) {
        return ST_INVALID;
    }
    bool extended = take(&c, '-');
    if (!take_number(&c, 2, 2, &m.month) || (extended && !take(&c, '-')) ||
        !take_number(&c, 2, 2, &m.day)) {
        return ST_INVALID;
    }
    if (take(&c, 'T') || take(&c, 't') || take(&c, ' ')) {
        if (!take_time(&c, extended, &m)) {
            return ST_INVALID;
        }
        if (peek(&c) == '+' || peek(&c) == '-') {
            if (!take_offset(&c, &m.zone_minutes)) {
                return ST_INVALID;
            }
        } else if (!take(&c, 'Z')) {
            take(&c, 'z');
        }
    }
    return c.at == s.n ? moment_to_ms(&m, ret_ms) : ST_INVALID;
}

static struct str take_word(struct cursor *c)
{
    size_t from = c->at;
    while ((peek(c) >= 'A' && peek(c) <= 'Z') || (peek(c) >= 'a' && peek(c) <= 'z')) {
        c->at++;
    }
    return str_sub(c->s, from, c->at);
}

static void skip_separators(struct cursor *c)
{
    while (peek(c) == ' ' || peek(c) == '-' || peek(c) == ',') {
        c->at++;
    }
}

static bool take_month(struct cursor *c, int *ret)
{
    static const char months[][4] = { "jan", "feb", "mar", "apr", "may", "jun",
                                      "jul", "aug", "sep", "oct", "nov", "dec" };
    struct str word = take_word(c);
    for (int i = 0; i < 12; i++) {
        if (str_ieqz(word, months[i])) {
            *ret = i + 1;
            return true;
        }
    }
    return false;
}

/* RFC 822 and 2822, with the hyphens of RFC 850 allowed: HTTP asks servers to take both. */
static enum status parse_rfc822(struct str s, int64_t *ret_ms)
{
    struct cursor c = { s, 0 };
    struct moment m = { 0 };
    take_word(&c); /* the day of the week says nothing new */
    skip_separators(&c);
    if (!take_number(&c, 1, 2, &m.day)) {
        return ST_INVALID;
    }
    skip_separators(&c);
    if (!take_month(&c, &m.month)) {
        return ST_INVALID;
    }
    skip_separators(&c);
    size_t year_at = c.at;
    if (!take_number(&c, 2, 4, &m.year)) {
        return ST_INVALID;
    }
    if (c.at - year_at == 3) {
        return ST_INVALID;
    }
    if (c.at - year_at == 2) {
        m.year += m.year < 70 ? 2000 : 1900;
    }
    if (!take(&c, ' ') || !take_time(&c, true, &m)) {
        return ST_INVALID;
    }
    while (take(&c, ' ')) {
    }
    if (peek(&c) == '+' || peek(&c) == '-') {
        if (!take_offset(&c, &m.zone_minutes)) {
            return ST_INVALID;
        }
    } else {
        struct str zone = take_word(&c);
        if (!str_empty(zone) && !str_ieqz(zone, "GMT") && !str_ieqz(zone, "UTC") &&
            !str_ieqz(zone, "UT") && !str_ieqz(zone, "Z")) {
            return ST_INVALID;
        }
    }
    return c.at == s.n ? moment_to_ms(&m, ret_ms) : ST_INVALID;
}

/* 1.7e9: a JSON writer's shorthand. */
static enum status parse_exponent(struct str s, int64_t *ret_ms)
{
    double v;
    if (str_f64(s, &v) != ST_OK || v * 1000 < (double)CLOCK_FIRST_MS ||
        v * 1000 > (double)CLOCK_LAST_MS) {
        return ST_INVALID;
    }
    *ret_ms = llround(v * 1000);
    return ST_OK;
}

/* Whole and fraction apart, because a double would round the milliseconds. */
static enum status parse_epoch(struct str s, int64_t *ret_ms)
{
    if (str_find(s, 'e', 0) >= 0 || str_find(s, 'E', 0) >= 0) {
        return parse_exponent(s, ret_ms);
    }
    struct cursor c = { s, 0 };
    bool negative = take(&c, '-');
    struct str whole, fraction;
    bool has_fraction = str_cut(str_sub(s, c.at, s.n), '.', &whole, &fraction);
    uint64_t seconds;
    int rest = 0;
    struct cursor f = { fraction, 0 };
    if (str_u64(whole, &seconds) != ST_OK || (has_fraction && !take_fraction(&f, &rest)) ||
        f.at != fraction.n) {
        return ST_INVALID;
    }
    if (seconds > (negative ? -CLOCK_FIRST_MS : CLOCK_LAST_MS) / 1000) {
        return ST_INVALID;
    }
    int64_t ms = (int64_t)seconds * 1000 + rest;
    ms = negative ? -ms : ms;
    if (ms < CLOCK_FIRST_MS) {
        return ST_INVALID;
    }
    *ret_ms = ms;
    return ST_OK;
}

enum status clock_parse(struct str s, int64_t *ret_ms)
{
    s = str_trim(s);
    if (str_empty(s)) {
        return ST_INVALID;
    }
    struct cursor c = { s, 0 };
    int number;
    bool four = take_number(&c, 4, 4, &number);
    if (four && peek(&c) == '-') {
        return parse_iso(s, ret_ms);
    }
    if (four && s.n > 8 && (s.p[8] == 'T' || s.p[8] == 't')) {
        return parse_iso(s, ret_ms);
    }
    c.at = 0;
    skip_separators(&c);
    if (peek(&c) >= 'A') {
        return parse_rfc822(s, ret_ms);
    }
    /* "20 Nov 2026 …": RFC 822 without the day of the week. */
    if (str_find(s, ' ', 0) > 0) {
        return parse_rfc822(s, ret_ms);
    }
    return parse_epoch(s, ret_ms);
}
