#include "emulators/dms/mapping/operand.h"

#include <stdio.h>

#include "emulators/dms/mapping/data_type.h"
#include "emulators/dms/mapping/decimal.h"
#include "emulators/dms/mapping/temporal.h"
#include "server/base/digest.h"

static enum dms_operand_kind kind_of(const struct mysql_column *c)
{
    switch (c->family) {
    case MYSQL_F_TINYINT:
    case MYSQL_F_SMALLINT:
    case MYSQL_F_MEDIUMINT:
    case MYSQL_F_INT:
    case MYSQL_F_BIGINT:
    case MYSQL_F_DECIMAL:
    case MYSQL_F_FLOAT:
    case MYSQL_F_DOUBLE:
    case MYSQL_F_BIT:
    case MYSQL_F_YEAR:
        return DMS_OPERAND_NUMBER;
    case MYSQL_F_DATE:
    case MYSQL_F_DATETIME:
    case MYSQL_F_TIMESTAMP:
        return DMS_OPERAND_DATE;
    case MYSQL_F_TIME:
        return DMS_OPERAND_TIME;
    default:
        return mysql_family_binary(c->family) ? DMS_OPERAND_BYTES : DMS_OPERAND_TEXT;
    }
}

static enum status misfit(struct arena *a, const struct mysql_column *c, struct str text,
                          const char *what, struct str *ret_why)
{
    *ret_why = arena_printf(a, "'%.*s' is no %s, as column '%.*s' (%.*s) needs", STR_ARG(text),
                            what, STR_ARG(c->name), STR_ARG(c->type_text));
    return ST_INVALID;
}

enum status dms_operand_parse(struct arena *a, const struct mysql_column *c, struct str text,
                              struct dms_operand *ret, struct str *ret_why)
{
    if (dms_type_is_lob(c)) {
        *ret_why = arena_printf(a, "column '%.*s' (%.*s) is a LOB column", STR_ARG(c->name),
                                STR_ARG(c->type_text));
        return ST_INVALID;
    }
    *ret = (struct dms_operand){ .kind = kind_of(c), .text = text };
    struct str trimmed = str_trim(text);
    switch (ret->kind) {
    case DMS_OPERAND_NUMBER:
        if (!dms_decimal_valid(trimmed) || str_f64(trimmed, &ret->number) != ST_OK) {
            return misfit(a, c, text, "number", ret_why);
        }
        ret->text = trimmed;
        return ST_OK;
    case DMS_OPERAND_DATE:
        ret->has_clock = trimmed.n > sizeof("YYYY-MM-DD") - 1;
        return dms_datetime_parse(trimmed, &ret->time, NULL)
                   ? ST_OK
                   : misfit(a, c, text, "date (YYYY-MM-DD, YYYY-MM-DD HH:MM:SS)", ret_why);
    case DMS_OPERAND_TIME:
        return dms_time_parse(trimmed, &ret->time, NULL)
                   ? ST_OK
                   : misfit(a, c, text, "time (HH:MM:SS)", ret_why);
    default:
        return ST_OK;
    }
}

static struct str hex_literal(struct arena *a, struct str s)
{
    if (s.n == 0) {
        return STR("''");
    }
    struct str hex = hex_encode(a, s.p, s.n);
    return arena_printf(a, "x'%.*s'", STR_ARG(hex));
}

struct str dms_operand_sql(struct arena *a, const struct dms_operand *o)
{
    const struct mysql_time *t = &o->time;
    switch (o->kind) {
    case DMS_OPERAND_NUMBER:
        return o->text;
    case DMS_OPERAND_DATE:
        if (!o->has_clock) {
            return arena_printf(a, "'%04u-%02u-%02u'", t->year, t->month, t->day);
        }
        return arena_printf(a, "TIMESTAMP'%04u-%02u-%02u %02u:%02u:%02u.%06u'", t->year, t->month,
                            t->day, t->hour, t->minute, t->second, t->micros);
    case DMS_OPERAND_TIME:
        return arena_printf(a, "TIME'%s%02u:%02u:%02u.%06u'", t->negative ? "-" : "", t->hour,
                            t->minute, t->second, t->micros);
    case DMS_OPERAND_BYTES:
        return hex_literal(a, o->text);
    default:
        return mysql_quote(a, o->text);
    }
}

static int compare_doubles(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int compare_number(const struct mysql_value *v, const struct dms_operand *o)
{
    switch (v->kind) {
    case MYSQL_V_FLOAT:
        return compare_doubles((double)v->f, o->number);
    case MYSQL_V_DOUBLE:
        return compare_doubles(v->d, o->number);
    case MYSQL_V_DECIMAL:
        return dms_decimal_compare(v->s, o->text);
    default:
        break;
    }
    char text[24];
    int n = v->kind == MYSQL_V_INT ? snprintf(text, sizeof(text), "%lld", (long long)v->i)
                                   : snprintf(text, sizeof(text), "%llu", (unsigned long long)v->u);
    return dms_decimal_compare((struct str){ text, (size_t)n }, o->text);
}

int dms_operand_compare(const struct mysql_value *v, const struct dms_operand *o)
{
    switch (o->kind) {
    case DMS_OPERAND_NUMBER:
        return compare_number(v, o);
    case DMS_OPERAND_DATE:
    case DMS_OPERAND_TIME:
        return dms_temporal_compare(&v->t, &o->time);
    default:
        return str_cmp(v->s, o->text);
    }
}

int dms_operand_order(const struct dms_operand *a, const struct dms_operand *b)
{
    switch (a->kind) {
    case DMS_OPERAND_NUMBER:
        return dms_decimal_compare(a->text, b->text);
    case DMS_OPERAND_DATE:
    case DMS_OPERAND_TIME:
        return dms_temporal_compare(&a->time, &b->time);
    case DMS_OPERAND_BYTES:
        return str_cmp(a->text, b->text);
    default:
        return str_eq(a->text, b->text) ? 0 : -1;
    }
}
