/* Values as another type. Most ways go by the text that the value has in a file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "emulators/dms/file/number.h"
#include "emulators/dms/mapping/data_type.h"
#include "emulators/dms/mapping/decimal.h"
#include "emulators/dms/mapping/temporal.h"

#define NUMBER_TEXT_MAX 400 /* longest number that is read from a text */

static bool is_bytes(const struct mysql_value *v)
{
    return v->kind == MYSQL_V_BYTES || v->kind == MYSQL_V_GEOMETRY;
}

static bool is_text(const struct mysql_value *v)
{
    switch (v->kind) {
    case MYSQL_V_TEXT:
    case MYSQL_V_ENUM:
    case MYSQL_V_SET:
    case MYSQL_V_JSON:
    case MYSQL_V_DECIMAL:
        return true;
    default:
        return false;
    }
}

static bool is_temporal(const struct mysql_value *v)
{
    return v->kind == MYSQL_V_DATE || v->kind == MYSQL_V_DATETIME || v->kind == MYSQL_V_TIMESTAMP;
}

static void put_fixed(struct buf *room, const struct mysql_value *v)
{
    char text[DMS_TIME_MAX], *end;
    switch (v->kind) {
    case MYSQL_V_INT:
        end = dms_put_i64(text, v->i);
        break;
    case MYSQL_V_UINT:
    case MYSQL_V_YEAR:
    case MYSQL_V_BIT:
        end = dms_put_u64(text, v->u);
        break;
    case MYSQL_V_DATE:
        end = dms_put_date(text, &v->t);
        break;
    case MYSQL_V_DATETIME:
    case MYSQL_V_TIMESTAMP:
        end = dms_put_datetime(text, &v->t, v->digits);
        break;
    case MYSQL_V_TIME:
        end = dms_put_time(text, &v->t, v->digits);
        break;
    default:
        mysql_value_print(v, room); /* FLOAT, DOUBLE: the shortest digits */
        return;
    }
    buf_add(room, text, (size_t)(end - text));
}

/* The value's text: its own bytes, or made in `room`. */
static struct str text_of(const struct mysql_value *v, struct buf *room)
{
    buf_clear(room);
    if (is_text(v)) {
        return v->s;
    }
    if (is_bytes(v)) {
        char *p = buf_reserve(room, 2 * v->s.n + 1);
        if (p) {
            buf_commit(room, (size_t)(dms_put_hex(p, v->s.p, v->s.n) - p));
        }
        return buf_str(room);
    }
    put_fixed(room, v);
    return buf_str(room);
}

/* The first n characters; 0: all. */
static struct str first_characters(struct str s, int32_t n)
{
    if (n <= 0 || s.n <= (size_t)n) {
        return s;
    }
    size_t at = 0;
    for (int32_t i = 0; i < n && at < s.n; i++) {
        do {
            at++;
        } while (at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80);
    }
    return (struct str){ s.p, at };
}

static bool to_text(const struct dms_data_type *t, const struct mysql_value *v, struct buf *room,
                    struct mysql_value *ret)
{
    bool limited = t->type == DMS_TYPE_STRING || t->type == DMS_TYPE_WSTRING;
    struct str s = text_of(v, room);
    *ret = (struct mysql_value){ .kind = MYSQL_V_TEXT,
                                 .s = limited ? first_characters(s, t->length) : s };
    return buf_ok(room);
}

static bool to_bytes(const struct dms_data_type *t, const struct mysql_value *v, struct buf *room,
                     struct mysql_value *ret)
{
    struct str s = is_bytes(v) ? v->s : text_of(v, room);
    if (t->type == DMS_TYPE_BYTES && t->length > 0 && s.n > (size_t)t->length) {
        s.n = (size_t)t->length;
    }
    *ret = (struct mysql_value){ .kind = MYSQL_V_BYTES, .s = s };
    return buf_ok(room);
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* The value as a plain decimal number ("-12.50"), in `text`. */
static bool decimal_of(const struct mysql_value *v, struct buf *room, char text[NUMBER_TEXT_MAX],
                       struct str *ret)
{
    if (v->kind == MYSQL_V_FLOAT || v->kind == MYSQL_V_DOUBLE) {
        double d = v->kind == MYSQL_V_FLOAT ? (double)v->f : v->d;
        int n = isfinite(d) ? snprintf(text, NUMBER_TEXT_MAX, "%.20f", d) : -1;
        *ret = (struct str){ text, n > 0 ? (size_t)n : 0 };
        return n > 0 && n < NUMBER_TEXT_MAX;
    }
    if (is_bytes(v) || is_temporal(v) || v->kind == MYSQL_V_TIME) {
        return false;
    }
    struct str s = str_trim(text_of(v, room));
    double d;
    if (dms_decimal_valid(s)) {
        *ret = s;
        return true;
    }
    if (s.n < NUMBER_TEXT_MAX && str_f64(s, &d) == ST_OK && isfinite(d)) { /* "1e3" */
        int n = snprintf(text, NUMBER_TEXT_MAX, "%.20f", d);
        *ret = (struct str){ text, n > 0 ? (size_t)n : 0 };
        return n > 0 && n < NUMBER_TEXT_MAX;
    }
    return false;
}

static const struct {
    int64_t low;
    uint64_t high;
} ranges[] = {
    [DMS_TYPE_INT1] = { INT8_MIN, INT8_MAX },   [DMS_TYPE_INT2] = { INT16_MIN, INT16_MAX },
    [DMS_TYPE_INT4] = { INT32_MIN, INT32_MAX }, [DMS_TYPE_INT8] = { INT64_MIN, INT64_MAX },
    [DMS_TYPE_UINT1] = { 0, UINT8_MAX },        [DMS_TYPE_UINT2] = { 0, UINT16_MAX },
    [DMS_TYPE_UINT4] = { 0, UINT32_MAX },       [DMS_TYPE_UINT8] = { 0, UINT64_MAX },
};

/* Fractions are cut off. */
static bool to_integer(const struct dms_data_type *t, const struct mysql_value *v, struct buf *room,
                       struct mysql_value *ret)
{
    char text[NUMBER_TEXT_MAX];
    struct str s, whole, rest;
    if (!decimal_of(v, room, text, &s)) {
        return false;
    }
    str_cut(s, '.', &whole, &rest);
    bool negative = whole.n > 0 && whole.p[0] == '-';
    if (whole.n > 0 && (negative || whole.p[0] == '+')) {
        whole = str_sub(whole, 1, whole.n);
    }
    uint64_t u = 0;
    if (whole.n > 0 && str_u64(whole, &u) != ST_OK) {
        return false;
    }
    if (negative && u > 0) {
        uint64_t most = (uint64_t)0 - (uint64_t)ranges[t->type].low;
        if (u > most) {
            return false;
        }
        *ret = (struct mysql_value){ .kind = MYSQL_V_INT, .i = (int64_t)((uint64_t)0 - u) };
        return true;
    }
    *ret = (struct mysql_value){ .kind = MYSQL_V_UINT, .u = u };
    return u <= ranges[t->type].high;
}

static bool to_numeric(const struct dms_data_type *t, const struct mysql_value *v, struct buf *room,
                       struct mysql_value *ret)
{
    char text[NUMBER_TEXT_MAX], rounded[NUMBER_TEXT_MAX + 64];
    struct str s;
    if (!decimal_of(v, room, text, &s)) {
        return false;
    }
    int scale = t->scale >= 0 ? t->scale : t->precision > 0 ? 0 : -1;
    size_t n = dms_decimal_round(s, scale, t->precision, rounded, sizeof(rounded));
    if (n == 0) {
        return false;
    }
    buf_clear(room);
    buf_add(room, rounded, n);
    *ret = (struct mysql_value){ .kind = MYSQL_V_DECIMAL, .s = buf_str(room) };
    return buf_ok(room);
}

static bool to_real(const struct dms_data_type *t, const struct mysql_value *v, struct buf *room,
                    struct mysql_value *ret)
{
    double d;
    if (v->kind == MYSQL_V_FLOAT || v->kind == MYSQL_V_DOUBLE) {
        d = v->kind == MYSQL_V_FLOAT ? (double)v->f : v->d;
    } else if (is_bytes(v) || is_temporal(v) || v->kind == MYSQL_V_TIME ||
               str_f64(str_trim(text_of(v, room)), &d) != ST_OK) {
        return false;
    }
    if (t->type == DMS_TYPE_REAL8) {
        *ret = (struct mysql_value){ .kind = MYSQL_V_DOUBLE, .d = d };
        return isfinite(d);
    }
    buf_clear(room);
    buf_printf(room, "%+.8e", (double)(float)d);
    *ret = (struct mysql_value){ .kind = MYSQL_V_TEXT, .s = buf_str(room) };
    return isfinite((float)d) && buf_ok(room);
}

static bool to_boolean(const struct mysql_value *v, struct buf *room, struct mysql_value *ret)
{
    char text[NUMBER_TEXT_MAX];
    struct str s;
    bool truth;
    if (decimal_of(v, room, text, &s)) {
        truth = dms_decimal_compare(s, STR("0")) != 0;
    } else if (is_bytes(v) || str_bool(str_trim(text_of(v, room)), &truth) != ST_OK) {
        return false;
    }
    *ret = (struct mysql_value){ .kind = MYSQL_V_BIT, .bits = 1, .u = truth };
    return true;
}

/* --- dates and times -------------------------------------------------------------------------- */

static int digits_of(const struct dms_data_type *t, int otherwise)
{
    int n = t->precision >= 0 ? t->precision : t->scale >= 0 ? t->scale : otherwise;
    return n > 6 ? 6 : n;
}

static bool parse_temporal(const struct dms_data_type *t, struct str text, struct mysql_time *ret,
                           int *ret_digits)
{
    return (t->type == DMS_TYPE_TIME && dms_time_parse(text, ret, ret_digits)) ||
           dms_datetime_parse(text, ret, ret_digits);
}

static bool to_temporal(const struct dms_data_type *t, const struct mysql_value *v,
                        struct mysql_value *ret)
{
    struct mysql_time time =
        v->kind == MYSQL_V_TIME || is_temporal(v) ? v->t : (struct mysql_time){ 0 };
    int digits = v->digits;
    bool fits = is_temporal(v) || (v->kind == MYSQL_V_TIME && t->type == DMS_TYPE_TIME) ||
                (is_text(v) && parse_temporal(t, str_trim(v->s), &time, &digits));
    *ret = (struct mysql_value){ .kind = t->type == DMS_TYPE_DATE   ? MYSQL_V_DATE
                                         : t->type == DMS_TYPE_TIME ? MYSQL_V_TIME
                                                                    : MYSQL_V_DATETIME,
                                 .digits = (uint8_t)digits_of(t, digits),
                                 .t = time };
    return fits;
}

bool dms_type_convert(const struct dms_data_type *t, const struct mysql_value *v, struct buf *room,
                      struct mysql_value *ret)
{
    static const struct mysql_value null = { .kind = MYSQL_V_NULL };
    bool ok = false;
    buf_clear(room);
    if (mysql_value_null(v) || (is_temporal(v) && mysql_value_zero_date(v))) {
        *ret = null;
        return true;
    }
    switch (t->type) {
    case DMS_TYPE_NONE:
        *ret = *v;
        return true;
    case DMS_TYPE_STRING:
    case DMS_TYPE_WSTRING:
    case DMS_TYPE_CLOB:
    case DMS_TYPE_NCLOB:
        ok = to_text(t, v, room, ret);
        break;
    case DMS_TYPE_BYTES:
    case DMS_TYPE_BLOB:
        ok = to_bytes(t, v, room, ret);
        break;
    case DMS_TYPE_NUMERIC:
        ok = to_numeric(t, v, room, ret);
        break;
    case DMS_TYPE_REAL4:
    case DMS_TYPE_REAL8:
        ok = to_real(t, v, room, ret);
        break;
    case DMS_TYPE_BOOLEAN:
        ok = to_boolean(v, room, ret);
        break;
    case DMS_TYPE_DATE:
    case DMS_TYPE_TIME:
    case DMS_TYPE_DATETIME:
        ok = to_temporal(t, v, ret);
        break;
    default:
        ok = to_integer(t, v, room, ret);
    }
    if (!ok) {
        *ret = null;
    }
    return ok;
}
