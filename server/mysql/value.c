#include "server/mysql/value.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/mysql/value_parts.h"

bool mysql_value_zero_date(const struct mysql_value *v)
{
    switch ((enum mysql_value_kind)v->kind) {
    case MYSQL_V_DATE:
    case MYSQL_V_DATETIME:
    case MYSQL_V_TIMESTAMP:
        return v->t.month == 0 || v->t.day == 0;
    default:
        return false;
    }
}

static bool time_equal(const struct mysql_time *a, const struct mysql_time *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second && a->micros == b->micros &&
           a->negative == b->negative;
}

/* The same bits: a NaN equals itself, and 0 differs from -0. */
static bool float_equal(float a, float b)
{
    uint32_t x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return x == y;
}

static bool double_equal(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return x == y;
}

bool mysql_value_equal(const struct mysql_value *a, const struct mysql_value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch ((enum mysql_value_kind)a->kind) {
    case MYSQL_V_ABSENT:
    case MYSQL_V_NULL:
        return true;
    case MYSQL_V_INT:
    case MYSQL_V_UINT:
    case MYSQL_V_YEAR:
        return a->u == b->u;
    case MYSQL_V_BIT:
        return a->u == b->u && a->bits == b->bits;
    case MYSQL_V_FLOAT:
        return float_equal(a->f, b->f);
    case MYSQL_V_DOUBLE:
        return double_equal(a->d, b->d);
    case MYSQL_V_DATE:
    case MYSQL_V_DATETIME:
    case MYSQL_V_TIMESTAMP:
    case MYSQL_V_TIME:
        return a->digits == b->digits && time_equal(&a->t, &b->t);
    case MYSQL_V_DECIMAL:
        return a->digits == b->digits && str_eq(a->s, b->s);
    case MYSQL_V_TEXT:
    case MYSQL_V_BYTES:
    case MYSQL_V_ENUM:
    case MYSQL_V_SET:
    case MYSQL_V_JSON:
    case MYSQL_V_GEOMETRY:
        return str_eq(a->s, b->s);
    }
    return false;
}

static void print_fraction(uint32_t micros, unsigned digits, struct buf *out)
{
    char text[8];
    if (digits == 0 || digits > 6) {
        return;
    }
    snprintf(text, sizeof(text), ".%06u", micros % 1000000);
    buf_add(out, text, digits + 1);
}

static void print_time(const struct mysql_value *v, struct buf *out)
{
    const struct mysql_time *t = &v->t;
    if (v->kind == MYSQL_V_TIME) {
        buf_printf(out, "%s%02u:%02u:%02u", t->negative ? "-" : "", t->hour, t->minute, t->second);
    } else {
        buf_printf(out, "%04u-%02u-%02u", t->year, t->month, t->day);
        if (v->kind == MYSQL_V_DATE) {
            return;
        }
        buf_printf(out, " %02u:%02u:%02u", t->hour, t->minute, t->second);
    }
    print_fraction(t->micros, v->digits, out);
}

/* The server's layout of the shortest digits "d.ddd…e±x" that read back to the same number: plain
 * up to 15 digits before the point and 14 zeros behind it, else d.ddde15. */
static void print_digits(const char *scientific, struct buf *out)
{
    char digits[24] = "0";
    int n = 0;
    const char *p = scientific;
    if (*p == '-') {
        buf_putc(out, *p++);
    }
    for (; *p && *p != 'e'; p++) {
        if (*p != '.' && n < (int)sizeof(digits)) {
            digits[n++] = *p;
        }
    }
    int point = *p ? (int)strtol(p + 1, NULL, 10) + 1 : 1;
    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }
    if (point < -14 || (point > 15 && n <= point)) {
        buf_putc(out, digits[0]);
        if (n > 1) {
            buf_putc(out, '.');
            buf_add(out, digits + 1, (size_t)n - 1);
        }
        buf_printf(out, "e%d", point - 1);
        return;
    }
    buf_puts(out, point <= 0 ? "0." : "");
    for (int i = point; i < 0; i++) {
        buf_putc(out, '0');
    }
    for (int i = 0; i < n || i < point; i++) {
        if (i == point && point > 0) {
            buf_putc(out, '.');
        }
        buf_putc(out, (char)(i < n ? digits[i] : '0'));
    }
}

void mysql_print_double(double d, struct buf *out)
{
    char text[40];
    if (d == 0) {
        buf_puts(out, "0");
        return;
    }
    /* 15 digits are always exact, but the smallest numbers have fewer. */
    bool tiny = d < DBL_MIN && d > -DBL_MIN;
    for (int precision = tiny ? 0 : 14; precision <= 16; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, d);
        if (strtod(text, NULL) == d) {
            break;
        }
    }
    print_digits(text, out);
}

static void print_float(float f, struct buf *out)
{
    char text[40];
    if (f == 0) {
        buf_puts(out, "0");
        return;
    }
    bool tiny = f < FLT_MIN && f > -FLT_MIN;
    for (int precision = tiny ? 0 : 5; precision <= 8; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, (double)f);
        if (strtof(text, NULL) == f) {
            break;
        }
    }
    print_digits(text, out);
}

void mysql_value_print(const struct mysql_value *v, struct buf *out)
{
    switch ((enum mysql_value_kind)v->kind) {
    case MYSQL_V_ABSENT:
        break;
    case MYSQL_V_NULL:
        buf_puts(out, "NULL");
        break;
    case MYSQL_V_INT:
        buf_i64(out, v->i);
        break;
    case MYSQL_V_UINT:
    case MYSQL_V_BIT:
        buf_u64(out, v->u);
        break;
    case MYSQL_V_YEAR:
        buf_printf(out, "%04u", (unsigned)v->u);
        break;
    case MYSQL_V_FLOAT:
        print_float(v->f, out);
        break;
    case MYSQL_V_DOUBLE:
        mysql_print_double(v->d, out);
        break;
    case MYSQL_V_DATE:
    case MYSQL_V_DATETIME:
    case MYSQL_V_TIMESTAMP:
    case MYSQL_V_TIME:
        print_time(v, out);
        break;
    case MYSQL_V_DECIMAL:
    case MYSQL_V_TEXT:
    case MYSQL_V_BYTES:
    case MYSQL_V_ENUM:
    case MYSQL_V_SET:
    case MYSQL_V_JSON:
    case MYSQL_V_GEOMETRY:
        buf_str_add(out, v->s);
        break;
    }
}
