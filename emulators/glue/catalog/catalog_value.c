#include "emulators/glue/catalog/catalog_value.h"

#include "server/base/mem.h"

#define EXPONENT_MAX 100000
#define NS_PER_S INT64_C(1000000000)
#define DATE_LENGTH 10

enum catalog_type catalog_type_of(struct str hive_type)
{
    static const struct {
        const char *name;
        enum catalog_type type;
    } known[] = {
        { "string", CATALOG_STRING },    { "char", CATALOG_STRING },
        { "varchar", CATALOG_STRING },   { "int", CATALOG_INTEGER },
        { "integer", CATALOG_INTEGER },  { "bigint", CATALOG_INTEGER },
        { "long", CATALOG_INTEGER },     { "tinyint", CATALOG_INTEGER },
        { "smallint", CATALOG_INTEGER }, { "decimal", CATALOG_DECIMAL },
        { "date", CATALOG_DATE },        { "timestamp", CATALOG_TIMESTAMP },
    };
    struct str name, rest;
    str_cut(str_trim(hive_type), '(', &name, &rest);
    name = str_trim(name);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_ieqz(name, known[i].name)) {
            return known[i].type;
        }
    }
    return CATALOG_NO_TYPE;
}

const char *catalog_type_article(enum catalog_type type)
{
    switch (type) {
    case CATALOG_INTEGER:
        return "an integer";
    case CATALOG_DECIMAL:
        return "a decimal";
    case CATALOG_DATE:
        return "a date";
    case CATALOG_TIMESTAMP:
        return "a timestamp";
    case CATALOG_NO_TYPE:
    case CATALOG_STRING:
        break;
    }
    return "a string";
}

/* --- numbers ---------------------------------------------------------------------------------- */
/* The digits of "12.50" into v, leading zeros left out; *at ends behind them. */
static enum status read_digits(struct str s, size_t *at, struct catalog_value *v, bool *ret_any)
{
    bool point = false;
    int64_t zeros = 0; /* at the end so far: written when another digit follows */
    *ret_any = false;
    for (; *at < s.n; (*at)++) {
        char c = s.p[*at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            break;
        }
        *ret_any = true;
        bool leading = v->n_digits == 0 && c == '0';
        v->exponent += !point && !leading ? 1 : point && leading ? -1 : 0;
        if (c == '0') {
            zeros += !leading;
            continue;
        }
        for (; zeros >= 0; zeros--) {
            if (v->n_digits >= CATALOG_DIGITS_MAX) {
                return ST_INVALID;
            }
            v->digits[v->n_digits++] = (char)(zeros ? '0' : c);
        }
        zeros = 0;
    }
    return ST_OK;
}

static enum status read_number(struct str s, struct catalog_value *v)
{
    size_t at = 0;
    int64_t power = 0;
    bool any;
    if (at < s.n && (s.p[at] == '-' || s.p[at] == '+')) {
        v->negative = s.p[at++] == '-';
    }
    enum status st = read_digits(s, &at, v, &any);
    if (st != ST_OK || !any) {
        return ST_INVALID;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at += at + 1 < s.n && s.p[at + 1] == '+' ? 2 : 1;
        if (str_i64(str_sub(s, at, s.n), &power) != ST_OK || power > EXPONENT_MAX ||
            power < -EXPONENT_MAX) {
            return ST_INVALID;
        }
        at = s.n;
    }
    v->exponent += power;
    if (v->n_digits == 0) {
        v->negative = false;
        v->exponent = 0;
    }
    return at == s.n ? ST_OK : ST_INVALID;
}

static int compare_numbers(const struct catalog_value *a, const struct catalog_value *b)
{
    int sign_a = a->n_digits == 0 ? 0 : a->negative ? -1 : 1;
    int sign_b = b->n_digits == 0 ? 0 : b->negative ? -1 : 1;
    if (sign_a != sign_b) {
        return sign_a < sign_b ? -1 : 1;
    }
    int size = a->exponent != b->exponent ? (a->exponent < b->exponent ? -1 : 1)
                                          : str_cmp((struct str){ a->digits, a->n_digits },
                                                    (struct str){ b->digits, b->n_digits });
    return sign_a < 0 ? -size : size;
}

/* --- days and times --------------------------------------------------------------------------- */
/* `n` digits at `at` as a number of low to high. */
static bool read_part(struct str s, size_t at, size_t n, int low, int high)
{
    int v = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
        v = v * 10 + (s.p[i] - '0');
    }
    return v >= low && v <= high;
}

static int two(struct str s, size_t at)
{
    return (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
}

static enum status read_day(struct str s, struct catalog_value *v)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (s.n != DATE_LENGTH || s.p[4] != '-' || s.p[7] != '-' || !read_part(s, 0, 4, 0, 9999) ||
        !read_part(s, 5, 2, 1, 12)) {
        return ST_INVALID;
    }
    int month = two(s, 5), year = two(s, 0) * 100 + two(s, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    v->text = s;
    return read_part(s, 8, 2, 1, month == 2 && !leap ? 28 : days[month - 1]) ? ST_OK : ST_INVALID;
}

/* "12:34:56" or "12:34:56.789" */
static enum status read_time(struct str s, struct catalog_value *v)
{
    if (s.n < 8 || s.p[2] != ':' || s.p[5] != ':' || !read_part(s, 0, 2, 0, 23) ||
        !read_part(s, 3, 2, 0, 59) || !read_part(s, 6, 2, 0, 59)) {
        return ST_INVALID;
    }
    int64_t seconds = two(s, 6);
    seconds += INT64_C(60) * two(s, 3) + INT64_C(3600) * two(s, 0);
    v->time_ns = seconds * NS_PER_S;
    if (s.n == 8) {
        return ST_OK;
    }
    int64_t unit = NS_PER_S / 10;
    if (s.p[8] != '.' || s.n < 10 || s.n > 18) {
        return ST_INVALID;
    }
    for (size_t i = 9; i < s.n; i++, unit /= 10) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return ST_INVALID;
        }
        v->time_ns += (s.p[i] - '0') * unit;
    }
    return ST_OK;
}

/* A day alone is its midnight. */
static enum status read_timestamp(struct str s, struct catalog_value *v)
{
    enum status st = read_day(str_sub(s, 0, DATE_LENGTH), v);
    if (st != ST_OK || s.n <= DATE_LENGTH) {
        return st;
    }
    return s.p[DATE_LENGTH] == ' ' || s.p[DATE_LENGTH] == 'T'
               ? read_time(str_sub(s, DATE_LENGTH + 1, s.n), v)
               : ST_INVALID;
}

/* --- both ------------------------------------------------------------------------------------- */
enum status catalog_value_read(enum catalog_type type, struct str text, struct catalog_value *ret)
{
    *ret = (struct catalog_value){ .type = type, .null = str_eqz(text, CATALOG_NULL) };
    if (type == CATALOG_STRING) {
        ret->text = text;
        return ST_OK;
    }
    text = str_trim(text);
    if (ret->null) {
        return ST_OK;
    }
    switch (type) {
    case CATALOG_INTEGER: {
        enum status st = read_number(text, ret);
        bool whole = ret->exponent >= ret->n_digits && str_find(text, '.', 0) < 0;
        return st == ST_OK && whole ? ST_OK : ST_INVALID;
    }
    case CATALOG_DECIMAL:
        return read_number(text, ret);
    case CATALOG_DATE:
        return read_day(text, ret);
    case CATALOG_TIMESTAMP:
        return read_timestamp(text, ret);
    case CATALOG_NO_TYPE:
    case CATALOG_STRING:
        break;
    }
    return ST_INVALID;
}

int catalog_value_cmp(const struct catalog_value *a, const struct catalog_value *b)
{
    if (a->type == CATALOG_INTEGER || a->type == CATALOG_DECIMAL) {
        return compare_numbers(a, b);
    }
    int order = str_cmp(a->text, b->text);
    if (order == 0 && a->time_ns != b->time_ns) {
        return a->time_ns < b->time_ns ? -1 : 1;
    }
    return order;
}
