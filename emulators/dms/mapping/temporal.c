#include "emulators/dms/mapping/temporal.h"

struct reader {
    struct str s;
    size_t at;
    bool bad;
};

static bool next_is(struct reader *r, char c)
{
    if (r->at < r->s.n && r->s.p[r->at] == c) {
        r->at++;
        return true;
    }
    return false;
}

/* A number of low to high digits. */
static uint32_t number(struct reader *r, size_t low, size_t high)
{
    uint32_t v = 0;
    size_t n = 0;
    while (n < high && r->at < r->s.n && r->s.p[r->at] >= '0' && r->s.p[r->at] <= '9') {
        v = v * 10 + (uint32_t)(r->s.p[r->at++] - '0');
        n++;
    }
    r->bad = r->bad || n < low;
    return v;
}

/* ":MM[:SS[.f]]" */
static void clock_part(struct reader *r, struct mysql_time *t, int *digits)
{
    r->bad = r->bad || !next_is(r, ':');
    t->minute = (uint8_t)number(r, 2, 2);
    if (next_is(r, ':')) {
        t->second = (uint8_t)number(r, 2, 2);
    }
    if (next_is(r, '.')) {
        size_t from = r->at;
        uint32_t micros = number(r, 1, 6);
        *digits = (int)(r->at - from);
        for (int i = *digits; i < 6; i++) {
            micros *= 10;
        }
        t->micros = micros;
        while (r->at < r->s.n && r->s.p[r->at] >= '0' && r->s.p[r->at] <= '9') {
            r->at++;
        }
    }
    r->bad = r->bad || t->minute > 59 || t->second > 59;
}

bool dms_datetime_parse(struct str s, struct mysql_time *ret, int *ret_digits)
{
    struct reader r = { .s = s };
    struct mysql_time t = { 0 };
    int digits = 0;
    t.year = (uint16_t)number(&r, 4, 4);
    r.bad = r.bad || !next_is(&r, '-');
    t.month = (uint8_t)number(&r, 1, 2);
    r.bad = r.bad || !next_is(&r, '-');
    t.day = (uint8_t)number(&r, 1, 2);
    if (!r.bad && (next_is(&r, ' ') || next_is(&r, 'T'))) {
        t.hour = number(&r, 1, 2);
        clock_part(&r, &t, &digits);
        next_is(&r, 'Z');
    }
    if (r.bad || r.at != s.n || t.month > 12 || t.day > 31 || t.hour > 23) {
        return false;
    }
    *ret = t;
    if (ret_digits) {
        *ret_digits = digits;
    }
    return true;
}

bool dms_time_parse(struct str s, struct mysql_time *ret, int *ret_digits)
{
    struct reader r = { .s = s };
    struct mysql_time t = { 0 };
    int digits = 0;
    t.negative = next_is(&r, '-');
    t.hour = number(&r, 1, 3);
    clock_part(&r, &t, &digits);
    if (r.bad || r.at != s.n || t.hour > 838) {
        return false;
    }
    *ret = t;
    if (ret_digits) {
        *ret_digits = digits;
    }
    return true;
}

int dms_temporal_compare(const struct mysql_time *a, const struct mysql_time *b)
{
    const int64_t x[] = { a->year, a->month, a->day, a->hour, a->minute, a->second, a->micros };
    const int64_t y[] = { b->year, b->month, b->day, b->hour, b->minute, b->second, b->micros };
    int c = 0;
    for (size_t i = 0; i < sizeof(x) / sizeof(x[0]) && c == 0; i++) {
        int64_t u = a->negative ? -x[i] : x[i], v = b->negative ? -y[i] : y[i];
        c = u < v ? -1 : u > v;
    }
    return c;
}
