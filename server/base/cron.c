/* Reading: a cursor walks the text; each field becomes a set of bits and, for the days, a few
 * special sets. Searching: from the year down to the minute, skipping what the sets exclude; at
 * most 230 years are looked through. */
#include "server/base/cron.h"

#define MINUTE_MS 60000LL
#define DAY_MINUTES 1440LL
#define RATE_MAX_DAYS 36500

enum field_kind { MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS, YEARS, FIELDS };

struct field {
    const char *name;
    int first, last;
    const char *names; /* three letters each, of `first` and on; NULL: none */
};
static const struct field fields[FIELDS] = {
    [MINUTES] = { "Minutes", 0, 59, NULL },
    [HOURS] = { "Hours", 0, 23, NULL },
    [DAYS] = { "Day-of-month", 1, 31, NULL },
    [MONTHS] = { "Month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC" },
    [WEEKDAYS] = { "Day-of-week", 1, 7, "SUNMONTUEWEDTHUFRISAT" },
    [YEARS] = { "Year", CRON_YEAR_FIRST, CRON_YEAR_LAST, NULL },
};

struct reader {
    struct arena *a;
    struct str text;
    size_t at;
    struct str why; /* set at the first mistake */
};

static enum status wrong(struct reader *r, const char *what)
{
    r->why = arena_printf(r->a, "%s at character %zu of '%.*s'", what, r->at + 1, STR_ARG(r->text));
    return ST_INVALID;
}

static enum status wrong_field(struct reader *r, const struct field *f)
{
    const char *what = arena_printf(r->a, "%s must be %d to %d%s", f->name, f->first, f->last,
                                    f->names ? " or three-letter names" : "")
                           .p;
    return wrong(r, what);
}

static bool take(struct reader *r, char c)
{
    if (r->at >= r->text.n || char_upper(r->text.p[r->at]) != c) {
        return false;
    }
    r->at++;
    return true;
}

static bool take_word(struct reader *r, struct str word)
{
    if (!str_ieq(str_sub(r->text, r->at, r->at + word.n), word)) {
        return false;
    }
    r->at += word.n;
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->at < r->text.n && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9';
}

/* A number of at most six digits. */
static bool take_number(struct reader *r, int *ret)
{
    size_t from = r->at;
    *ret = 0;
    while (is_digit(r) && r->at - from < 6) {
        *ret = *ret * 10 + (r->text.p[r->at++] - '0');
    }
    return r->at > from && !is_digit(r);
}

static bool field_ends(const struct reader *r)
{
    return r->at >= r->text.n || r->text.p[r->at] == ' ' || r->text.p[r->at] == ')' ||
           r->text.p[r->at] == ',';
}

/* --- sets ------------------------------------------------------------------------------------- */
static uint64_t *set_of(struct cron *c, enum field_kind kind)
{
    switch (kind) {
    case MINUTES:
        return &c->minutes;
    case HOURS:
        return &c->hours;
    case DAYS:
        return &c->days;
    case MONTHS:
        return &c->months;
    case WEEKDAYS:
        return &c->weekdays;
    case YEARS:
    case FIELDS:
        break;
    }
    return c->years;
}

static unsigned bit_of(enum field_kind kind, int value)
{
    return (unsigned)(kind == YEARS ? value - CRON_YEAR_FIRST : value);
}

static void set_range(struct cron *c, enum field_kind kind, int first, int last, int step)
{
    uint64_t *set = set_of(c, kind);
    for (int v = first; v <= last; v += step) {
        unsigned bit = bit_of(kind, v);
        set[bit / 64] |= 1ull << bit % 64;
    }
}

static bool has(uint64_t set, int value)
{
    return set >> (unsigned)value & 1;
}

/* --- reading a field -------------------------------------------------------------------------- */
static enum status read_value(struct reader *r, const struct field *f, int *ret)
{
    size_t from = r->at;
    if (is_digit(r)) {
        if (take_number(r, ret) && *ret >= f->first && *ret <= f->last) {
            return ST_OK;
        }
        r->at = from;
        return wrong_field(r, f);
    }
    for (int i = 0; f->names && i <= f->last - f->first; i++) {
        if (take_word(r, str_sub(str_z(f->names), (size_t)i * 3, (size_t)i * 3 + 3))) {
            *ret = f->first + i;
            return ST_OK;
        }
    }
    return wrong_field(r, f);
}

static enum status read_step(struct reader *r, const struct field *f, int *ret)
{
    size_t from = r->at;
    if (!take_number(r, ret) || *ret < 1 || *ret > f->last) {
        r->at = from;
        return wrong(r, "A number of at least 1 must follow '/'");
    }
    return ST_OK;
}

/* What only the day fields know, after the number `value`. *ret_done: it was such a thing. */
static enum status read_day_mark(struct reader *r, enum field_kind kind, struct cron *c, int value,
                                 bool *ret_done)
{
    int n = 0;
    *ret_done = true;
    if (kind == DAYS && take(r, 'W')) {
        c->near_days |= 1ull << (unsigned)value;
    } else if (kind == WEEKDAYS && take(r, 'L')) {
        c->last_weekdays |= 1ull << (unsigned)value;
    } else if (kind == WEEKDAYS && take(r, '#')) {
        if (!take_number(r, &n) || n < 1 || n > 5) {
            return wrong(r, "A number from 1 to 5 must follow '#'");
        }
        c->nth[n] |= 1ull << (unsigned)value;
    } else {
        *ret_done = false;
    }
    return ST_OK;
}

/* "L", "LW" of Day-of-month, "L" of Day-of-week. */
static bool read_last(struct reader *r, enum field_kind kind, struct cron *c)
{
    if ((kind != DAYS && kind != WEEKDAYS) || !take(r, 'L')) {
        return false;
    }
    if (kind == WEEKDAYS) {
        c->weekdays |= 1ull << 7;
    } else if (take(r, 'W')) {
        c->last_workday = true;
    } else {
        c->last_day = true;
    }
    return true;
}

/* One item between commas. */
static enum status read_item(struct reader *r, enum field_kind kind, struct cron *c)
{
    const struct field *f = &fields[kind];
    int first = f->first, last = f->last, step = 1;
    bool all = take(r, '*'), range = all, done = false;
    enum status st = ST_OK;
    if (!all) {
        if (read_last(r, kind, c)) {
            return ST_OK;
        }
        st = read_value(r, f, &first);
        st = st == ST_OK ? read_day_mark(r, kind, c, first, &done) : st;
        if (st != ST_OK || done) {
            return st;
        }
        last = first;
        if (take(r, '-')) {
            range = true;
            st = read_value(r, f, &last);
        }
        if (st == ST_OK && last < first) {
            return wrong(r, "A range must not run backwards (write two ranges instead)");
        }
    }
    if (st == ST_OK && take(r, '/')) {
        last = range ? last : f->last;
        st = read_step(r, f, &step);
    }
    if (st == ST_OK) {
        set_range(c, kind, first, last, step);
    }
    return st;
}

static enum status read_field(struct reader *r, enum field_kind kind, struct cron *c, bool *ret_any)
{
    *ret_any = (kind == DAYS || kind == WEEKDAYS) && take(r, '?');
    enum status st = ST_OK;
    if (!*ret_any) {
        do {
            st = read_item(r, kind, c);
        } while (st == ST_OK && take(r, ','));
    }
    if (st == ST_OK && (!field_ends(r) || take(r, ','))) {
        return wrong(r, arena_printf(r->a, "Unexpected text in the field %s", fields[kind].name).p);
    }
    return st;
}

static enum status read_cron(struct reader *r, struct cron *c)
{
    bool any[FIELDS] = { false };
    for (enum field_kind kind = MINUTES; kind < FIELDS; kind++) {
        size_t from = r->at;
        while (take(r, ' ')) {
        }
        if (kind != MINUTES && (r->at == from || r->at >= r->text.n || r->text.p[r->at] == ')')) {
            return wrong(
                r, arena_printf(r->a, "The field %s is missing (six are needed)", fields[kind].name)
                       .p);
        }
        enum status st = read_field(r, kind, c, &any[kind]);
        if (st != ST_OK) {
            return st;
        }
    }
    while (take(r, ' ')) {
    }
    if (any[DAYS] == any[WEEKDAYS]) {
        return wrong(r,
                     "One of Day-of-month and Day-of-week must be '?', the other not, up to here");
    }
    c->by_weekday = any[DAYS];
    return ST_OK;
}

static enum status read_rate(struct reader *r, struct cron *c)
{
    static const struct {
        const char *word;
        int64_t ms;
    } units[] = { { "minute", MINUTE_MS },
                  { "hour", 60 * MINUTE_MS },
                  { "day", DAY_MINUTES * MINUTE_MS } };
    int n = 0;
    if (!take_number(r, &n) || n < 1) {
        return wrong(r, "A number of at least 1 must begin the rate");
    }
    while (take(r, ' ')) {
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (take_word(r, str_z(units[i].word))) {
            if (take(r, 'S') == (n == 1)) {
                return wrong(r, "The unit must be singular for 1 and plural for more, up to here");
            }
            c->rate_ms = n * units[i].ms;
            return c->rate_ms <= RATE_MAX_DAYS * DAY_MINUTES * MINUTE_MS
                       ? ST_OK
                       : wrong(r, "The rate is longer than a hundred years, up to here");
        }
    }
    return wrong(r, "The unit must be minutes, hours or days");
}

enum status cron_parse(struct arena *a, struct str text, struct cron *ret, struct str *ret_why)
{
    struct reader r = { .a = a, .text = str_sub(text, 0, CRON_TEXT_MAX) };
    enum status st;
    *ret = (struct cron){ 0 };
    if (text.n > CRON_TEXT_MAX) {
        st = wrong(&r, "A schedule has at most 256 characters; too many");
    } else if (take_word(&r, STR("cron("))) {
        st = read_cron(&r, ret);
    } else if (take_word(&r, STR("rate("))) {
        st = read_rate(&r, ret);
    } else {
        st = wrong(&r, "A schedule must begin with 'cron(' or 'rate('");
    }
    if (st == ST_OK && (!take(&r, ')') || r.at != text.n)) {
        st = wrong(&r, "The schedule must end in ')'");
    }
    *ret_why = r.why;
    return st;
}

/* --- searching -------------------------------------------------------------------------------- */
/* Days since 1970-01-01 of a date from 1970 on: whole years, leap days, days of the year. */
static int64_t days_since_epoch(int year, int month, int day)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int y = year - 1;
    int64_t leap = (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return (year - 1970) * 365LL + leap + before[month - 1] + (is_leap && month > 2 ? 1 : 0) + day -
           1;
}

static int days_in(int year, int month)
{
    return month == 12
               ? 31
               : (int)(days_since_epoch(year, month + 1, 1) - days_since_epoch(year, month, 1));
}

/* 1 SUN to 7 SAT; 1970-01-01 was a Thursday. */
static int weekday_of(int year, int month, int day)
{
    return (int)((days_since_epoch(year, month, day) + 4) % 7) + 1;
}

/* The day from Monday to Friday nearest to this one, within the month. */
static int workday_near(int year, int month, int day)
{
    int last = days_in(year, month);
    day = day < last ? day : last;
    switch (weekday_of(year, month, day)) {
    case 1:
        return day < last ? day + 1 : day - 2;
    case 7:
        return day > 1 ? day - 1 : day + 2;
    default:
        return day;
    }
}

static bool near_day_matches(const struct cron *c, int year, int month, int day)
{
    for (int d = 1; d <= days_in(year, month); d++) {
        if (has(c->near_days, d) && workday_near(year, month, d) == day) {
            return true;
        }
    }
    return false;
}

static bool day_matches(const struct cron *c, int year, int month, int day)
{
    int last = days_in(year, month);
    if (c->by_weekday) {
        int weekday = weekday_of(year, month, day);
        return has(c->weekdays, weekday) || (has(c->last_weekdays, weekday) && day + 7 > last) ||
               has(c->nth[(day - 1) / 7 + 1], weekday);
    }
    int last_workday = workday_near(year, month, last);
    return has(c->days, day) || (c->last_day && day == last) ||
           (c->last_workday && day == last_workday) ||
           (c->near_days && near_day_matches(c, year, month, day));
}

/* First minute of the day, at or after `from`, that is in the sets; -1: none. */
static int minute_of_day(const struct cron *c, int from)
{
    for (int m = from; m < (int)DAY_MINUTES; m++) {
        if (has(c->hours, m / 60) && has(c->minutes, m % 60)) {
            return m;
        }
    }
    return -1;
}

/* First fitting minute of the month, at or after `from_minute` (minutes since the epoch). */
static bool month_next(const struct cron *c, int year, int month, int64_t from_minute, int64_t *ret)
{
    for (int day = 1; day <= days_in(year, month); day++) {
        int64_t begin = days_since_epoch(year, month, day) * DAY_MINUTES;
        if (begin + DAY_MINUTES <= from_minute || !day_matches(c, year, month, day)) {
            continue;
        }
        int minute = minute_of_day(c, begin < from_minute ? (int)(from_minute - begin) : 0);
        if (minute >= 0) {
            *ret = (begin + minute) * MINUTE_MS;
            return true;
        }
    }
    return false;
}

enum status cron_next(const struct cron *c, int64_t after_ms, int64_t *ret_ms)
{
    const int64_t last_ms =
        days_since_epoch(CRON_YEAR_LAST + 1, 1, 1) * DAY_MINUTES * MINUTE_MS - 1;
    if (after_ms >= last_ms) {
        return ST_NOT_FOUND;
    }
    after_ms = after_ms < 0 ? -1 : after_ms;
    if (c->rate_ms > 0) {
        *ret_ms = after_ms + c->rate_ms;
        return ST_OK;
    }
    int64_t from_minute = after_ms < 0 ? 0 : after_ms / MINUTE_MS + 1;
    for (int year = CRON_YEAR_FIRST; year <= CRON_YEAR_LAST; year++) {
        unsigned bit = bit_of(YEARS, year);
        if (!(c->years[bit / 64] >> bit % 64 & 1) ||
            days_since_epoch(year + 1, 1, 1) * DAY_MINUTES <= from_minute) {
            continue;
        }
        for (int month = 1; month <= 12; month++) {
            if (has(c->months, month) && month_next(c, year, month, from_minute, ret_ms)) {
                return ST_OK;
            }
        }
    }
    return ST_NOT_FOUND;
}
