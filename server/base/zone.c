/* A file is two blocks of the same make, the second with 64-bit times (only that is used), and a
 * rule in POSIX notation ("CET-1CEST,M3.5.0,M10.5.0/3") for the time after the last transition. */
#include "server/base/zone.h"

#include <stdio.h>
#include <unistd.h>

#include "server/base/mem.h"

#define FILE_MAX (1u << 20) /* the largest zone has 4 KB */
#define NAME_MAX_BYTES 64
#define HEADER_BYTES 44
#define DAY_S 86400
#define OFFSET_MAX_S (26 * 3600) /* RFC 8536, 3.2: between -25 and 26 hours */

struct change {
    int64_t at; /* from this second on … */
    int32_t offset;
};

/* When in a year summer time begins or ends, in the local time that holds before it. */
struct day_rule {
    char kind; /* 'M' month, week, weekday; 'J' day 1–365 without 29 February; 'n' day 0–365 */
    int month, week, day;
    int32_t second;
};
struct rule {
    bool set, has_summer;
    int32_t standard, summer; /* offsets */
    struct day_rule begin, end;
};

struct zone {
    int32_t first; /* before all changes */
    const struct change *changes;
    size_t n;
    struct rule rule;
};

/* --- calendar --------------------------------------------------------------------------------- */

int64_t zone_days(int64_t year, int month, int day)
{
    /* Years begin in March, so that the leap day is a year's last. */
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t in_era = y - era * 400;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static int64_t floor_div(int64_t v, int64_t by)
{
    return v / by - (v % by < 0);
}

static struct zone_time split(int64_t local_s)
{
    int64_t days = floor_div(local_s, DAY_S);
    int rest = (int)(local_s - days * DAY_S);
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t in_era = z - era * 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * in_year + 2) / 153;
    int month = (int)(m < 10 ? m + 3 : m - 9);
    return (struct zone_time){ .year = y + era * 400 + (month <= 2),
                               .month = month,
                               .day = (int)(in_year - (153 * m + 2) / 5 + 1),
                               .hour = rest / 3600,
                               .minute = rest / 60 % 60,
                               .second = rest % 60 };
}

static bool leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* --- the rule after the last transition ------------------------------------------------------- */

static bool eat(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) {
        return false;
    }
    *s = str_sub(*s, 1, s->n);
    return true;
}

static bool eat_number(struct str *s, int most, int *ret)
{
    size_t n = 0;
    int v = 0;
    for (; n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
        v = v * 10 + (s->p[n] - '0');
    }
    *s = str_sub(*s, n, s->n);
    *ret = v;
    return n > 0 && v <= most;
}

/* "CET" or "<+0330>" */
static bool eat_name(struct str *s)
{
    size_t n = 0;
    if (eat(s, '<')) {
        ptrdiff_t end = str_find(*s, '>', 0);
        *s = end < 0 ? *s : str_sub(*s, (size_t)end + 1, s->n);
        return end > 0;
    }
    while (n < s->n && ((s->p[n] >= 'A' && s->p[n] <= 'Z') || (s->p[n] >= 'a' && s->p[n] <= 'z'))) {
        n++;
    }
    *s = str_sub(*s, n, s->n);
    return n > 0;
}

/* "[+-]h[h][:mm[:ss]]" in seconds */
static bool eat_time(struct str *s, int hours, int32_t *ret)
{
    int h, m = 0, sec = 0;
    bool minus = eat(s, '-');
    if (!minus) {
        eat(s, '+');
    }
    if (!eat_number(s, hours, &h) || (eat(s, ':') && !eat_number(s, 59, &m)) ||
        (eat(s, ':') && !eat_number(s, 59, &sec))) {
        return false;
    }
    *ret = (int32_t)(h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
    return true;
}

static bool eat_day(struct str *s, struct day_rule *d)
{
    d->second = 2 * 3600;
    bool ok;
    if (eat(s, 'M')) {
        d->kind = 'M';
        ok = eat_number(s, 12, &d->month) && d->month > 0 && eat(s, '.') &&
             eat_number(s, 5, &d->week) && d->week > 0 && eat(s, '.') && eat_number(s, 6, &d->day);
    } else {
        d->kind = eat(s, 'J') ? 'J' : 'n';
        ok = eat_number(s, 365, &d->day) && (d->kind == 'n' || d->day > 0);
    }
    return ok && (!eat(s, '/') || eat_time(s, 167, &d->second));
}

/* POSIX counts west of Greenwich. */
static bool parse_rule(struct str s, struct rule *r)
{
    *r = (struct rule){ .set = s.n > 0 };
    if (s.n == 0) {
        return true;
    }
    int32_t west;
    if (!eat_name(&s) || !eat_time(&s, 24, &west)) {
        return false;
    }
    r->standard = -west;
    if (s.n == 0) {
        return true;
    }
    r->has_summer = true;
    r->summer = r->standard + 3600;
    if (!eat_name(&s)) {
        return false;
    }
    if (s.n > 0 && s.p[0] != ',') {
        if (!eat_time(&s, 24, &west)) {
            return false;
        }
        r->summer = -west;
    }
    return eat(&s, ',') && eat_day(&s, &r->begin) && eat(&s, ',') && eat_day(&s, &r->end) &&
           s.n == 0;
}

/* Local seconds since 1970 at which the rule strikes in a year. */
static int64_t strikes(const struct day_rule *d, int64_t year)
{
    int64_t days;
    if (d->kind == 'M') {
        static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        int length = lengths[d->month - 1] + (d->month == 2 && leap(year));
        int64_t first = zone_days(year, d->month, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        int day = (d->day - weekday + 7) % 7 + (d->week - 1) * 7;
        while (day >= length) {
            day -= 7;
        }
        days = first + day;
    } else {
        days = zone_days(year, 1, 1) + d->day - (d->kind == 'J');
        if (d->kind == 'J' && d->day > 59 && leap(year)) {
            days++;
        }
    }
    return days * DAY_S + d->second;
}

static int32_t by_rule(const struct rule *r, int64_t utc_s)
{
    if (!r->has_summer) {
        return r->standard;
    }
    int64_t year = split(utc_s + r->standard).year;
    int64_t begin = strikes(&r->begin, year) - r->standard;
    int64_t end = strikes(&r->end, year) - r->summer;
    bool summer = begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;
    return summer ? r->summer : r->standard;
}

/* --- the file --------------------------------------------------------------------------------- */

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | (unsigned char)p[i];
    }
    return v;
}

/* The counts of a block's header, in the order of the file. */
struct counts {
    uint64_t isut, isstd, leap, time, type, chars;
};

static bool read_header(struct str s, struct counts *c, char *ret_version)
{
    if (s.n < HEADER_BYTES || memcmp(s.p, "TZif", 4) != 0) {
        return false;
    }
    *ret_version = s.p[4];
    *c = (struct counts){
        big_endian(s.p + 20, 4), big_endian(s.p + 24, 4), big_endian(s.p + 28, 4),
        big_endian(s.p + 32, 4), big_endian(s.p + 36, 4), big_endian(s.p + 40, 4)
    };
    return c->type > 0 && c->type <= 256 && c->time <= FILE_MAX && c->chars <= FILE_MAX &&
           c->leap <= FILE_MAX && c->isut <= c->type && c->isstd <= c->type;
}

static size_t block_bytes(const struct counts *c, size_t time_bytes)
{
    return (size_t)(c->time * (time_bytes + 1) + c->type * 6 + c->chars +
                    c->leap * (time_bytes + 4) + c->isstd + c->isut);
}

static bool read_offset(const char *types, uint64_t index, int32_t *ret)
{
    *ret = (int32_t)(uint32_t)big_endian(types + index * 6, 4);
    return *ret >= -OFFSET_MAX_S && *ret <= OFFSET_MAX_S;
}

static bool read_changes(struct arena *a, const char *times, const struct counts *c, struct zone *z)
{
    const char *indexes = times + c->time * 8, *types = indexes + c->time;
    struct change *changes = ARENA_ARRAY(a, struct change, (size_t)c->time + 1);
    for (size_t i = 0; i < c->time; i++) {
        uint64_t type = (unsigned char)indexes[i];
        changes[i].at = (int64_t)big_endian(times + i * 8, 8);
        if (type >= c->type || !read_offset(types, type, &changes[i].offset) ||
            (i > 0 && changes[i].at <= changes[i - 1].at)) {
            return false;
        }
    }
    z->changes = changes;
    z->n = (size_t)c->time;
    return read_offset(types, 0, &z->first);
}

enum status zone_parse(struct arena *a, struct str bytes, const struct zone **ret)
{
    struct counts c;
    char version;
    if (!read_header(bytes, &c, &version) || version < '2') {
        return ST_INVALID;
    }
    struct str rest = str_sub(bytes, HEADER_BYTES + block_bytes(&c, 4), bytes.n);
    if (!read_header(rest, &c, &version)) {
        return ST_INVALID;
    }
    rest = str_sub(rest, HEADER_BYTES, rest.n);
    size_t n = block_bytes(&c, 8);
    if (rest.n < n) {
        return ST_INVALID;
    }
    struct zone *z = ARENA_NEW(a, struct zone);
    struct str footer = str_sub(rest, n, rest.n), rule = STR_NONE, tail;
    if (eat(&footer, '\n') && !str_cut(footer, '\n', &rule, &tail)) {
        return ST_INVALID;
    }
    if (!read_changes(a, rest.p, &c, z) || !parse_rule(rule, &z->rule)) {
        return ST_INVALID;
    }
    *ret = z;
    return ST_OK;
}

const char *zone_database(void)
{
    static const char *const places[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                          "/usr/share/lib/zoneinfo", "/etc/zoneinfo" };
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (access(places[i], X_OK) == 0) {
            return places[i];
        }
    }
    return NULL;
}

/* Letters, digits, "_", "-", "+" in parts divided by single slashes: nothing that leaves the folder
 * or names a file of it that is no zone ("tzdata.zi"). */
static bool is_name(struct str s)
{
    if (s.n == 0 || s.n > NAME_MAX_BYTES) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '+';
        bool divides = c == '/' && i > 0 && i + 1 < s.n && s.p[i - 1] != '/';
        if (!plain && !divides) {
            return false;
        }
    }
    return true;
}

enum status zone_read(struct arena *a, struct str name, const struct zone **ret)
{
    char path[512];
    const char *folder = zone_database();
    if (!folder || !is_name(name)) {
        return ST_NOT_FOUND;
    }
    snprintf(path, sizeof(path), "%s/%.*s", folder, STR_ARG(name));
    FILE *f = fopen(path, "re");
    if (!f) {
        return ST_NOT_FOUND;
    }
    CLEANUP(free_ptr) char *bytes = xmalloc(FILE_MAX);
    size_t n = fread(bytes, 1, FILE_MAX, f);
    bool failed = ferror(f) != 0; /* a folder, as "Europe" */
    fclose(f);
    if (failed || n < 4 || memcmp(bytes, "TZif", 4) != 0) {
        return ST_NOT_FOUND;
    }
    return zone_parse(a, (struct str){ bytes, n }, ret);
}

/* --- use -------------------------------------------------------------------------------------- */

int32_t zone_offset(const struct zone *z, int64_t utc_s)
{
    if (!z) {
        return 0;
    }
    if (z->rule.set && (z->n == 0 || utc_s >= z->changes[z->n - 1].at)) {
        return by_rule(&z->rule, utc_s);
    }
    size_t low = 0, high = z->n; /* the first change after utc_s */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->changes[middle].at <= utc_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? z->first : z->changes[low - 1].offset;
}

bool zone_next(const struct zone *z, int64_t after, int64_t *ret_at)
{
    int32_t now = zone_offset(z, after);
    int64_t from = after;
    for (size_t i = 0; i < z->n; i++) {
        if (z->changes[i].at > after && z->changes[i].offset != now) {
            *ret_at = z->changes[i].at;
            return true;
        }
        from = z->changes[i].at > from ? z->changes[i].at : from;
    }
    int64_t first = split(from + now).year;
    for (int64_t year = first; z->rule.has_summer && year <= first + 2; year++) {
        int64_t begin = strikes(&z->rule.begin, year) - z->rule.standard;
        int64_t end = strikes(&z->rule.end, year) - z->rule.summer;
        int64_t both[] = { begin < end ? begin : end, begin < end ? end : begin };
        for (size_t k = 0; k < ARRAY_LEN(both); k++) {
            if (both[k] > from && by_rule(&z->rule, both[k]) != now) {
                *ret_at = both[k];
                return true;
            }
        }
    }
    return false;
}

struct zone_time zone_local(const struct zone *z, int64_t utc_s)
{
    return split(utc_s + zone_offset(z, utc_s));
}
