/* Rows of the binary protocol. Wire types are those of the protocol's column definitions; texts
 * arrive in UTF-8, ENUM and SET as labels, so values borrow from the packet. */
#include <string.h>

#include "server/mysql/snapshot_parts.h"
#include "server/mysql/value_parts.h"
#include "server/mysql/wire_types.h"

static uint8_t kind_of(const struct mysql_column *col)
{
    switch (col->family) {
    case MYSQL_F_TINYINT:
    case MYSQL_F_SMALLINT:
    case MYSQL_F_MEDIUMINT:
    case MYSQL_F_INT:
    case MYSQL_F_BIGINT:
        return col->is_unsigned ? MYSQL_V_UINT : MYSQL_V_INT;
    case MYSQL_F_DECIMAL:
        return MYSQL_V_DECIMAL;
    case MYSQL_F_FLOAT:
        return MYSQL_V_FLOAT;
    case MYSQL_F_DOUBLE:
        return MYSQL_V_DOUBLE;
    case MYSQL_F_BIT:
        return MYSQL_V_BIT;
    case MYSQL_F_DATE:
        return MYSQL_V_DATE;
    case MYSQL_F_TIME:
        return MYSQL_V_TIME;
    case MYSQL_F_DATETIME:
        return MYSQL_V_DATETIME;
    case MYSQL_F_TIMESTAMP:
        return MYSQL_V_TIMESTAMP;
    case MYSQL_F_YEAR:
        return MYSQL_V_YEAR;
    case MYSQL_F_ENUM:
        return MYSQL_V_ENUM;
    case MYSQL_F_SET:
        return MYSQL_V_SET;
    case MYSQL_F_JSON:
        return MYSQL_V_JSON;
    case MYSQL_F_GEOMETRY:
        return MYSQL_V_GEOMETRY;
    case MYSQL_F_UUID:
    case MYSQL_F_INET4:
    case MYSQL_F_INET6:
        return MYSQL_V_TEXT;
    default:
        return mysql_family_text(col->family)     ? MYSQL_V_TEXT
               : mysql_family_binary(col->family) ? MYSQL_V_BYTES
                                                  : MYSQL_V_ABSENT;
    }
}

static bool wire_fits(uint8_t wire, uint8_t kind)
{
    switch ((enum mysql_value_kind)kind) {
    case MYSQL_V_INT:
    case MYSQL_V_UINT:
        return wire == WIRE_TINY || wire == WIRE_SHORT || wire == WIRE_INT24 || wire == WIRE_LONG ||
               wire == WIRE_LONGLONG;
    case MYSQL_V_FLOAT:
        return wire == WIRE_FLOAT;
    case MYSQL_V_DOUBLE:
        return wire == WIRE_DOUBLE;
    case MYSQL_V_DATE:
        return wire == WIRE_DATE || wire == WIRE_NEWDATE;
    case MYSQL_V_DATETIME:
        return wire == WIRE_DATETIME;
    case MYSQL_V_TIMESTAMP:
        return wire == WIRE_TIMESTAMP;
    case MYSQL_V_TIME:
        return wire == WIRE_TIME;
    case MYSQL_V_YEAR:
        return wire == WIRE_YEAR;
    case MYSQL_V_BIT:
        return wire == WIRE_BIT;
    case MYSQL_V_DECIMAL:
        return wire == WIRE_NEWDECIMAL || wire == WIRE_DECIMAL;
    case MYSQL_V_ABSENT:
    case MYSQL_V_NULL:
        return false;
    default:
        return wire == WIRE_VARCHAR || (wire >= WIRE_JSON && wire != WIRE_NEWDECIMAL);
    }
}

bool rowread_plan(const struct mysql_column *col, uint8_t wire, struct rowread_column *ret)
{
    ret->wire = wire;
    ret->kind = kind_of(col);
    ret->digits = (uint8_t)(ret->kind == MYSQL_V_DECIMAL ? col->scale : col->fraction);
    ret->bits = (uint8_t)(ret->kind == MYSQL_V_BIT ? col->precision : 0);
    return wire_fits(wire, ret->kind);
}

static void read_datetime(struct rd *r, struct mysql_value *v)
{
    size_t n = (size_t)rd_le(r, 1);
    const uint8_t *p = rd_take(r, n);
    memset(&v->t, 0, sizeof(v->t));
    if (!p || (n != 0 && n != 4 && n != 7 && n != 11)) {
        r->bad = true;
        return;
    }
    if (n >= 4) {
        v->t.year = (uint16_t)le_bytes(p, 2);
        v->t.month = p[2];
        v->t.day = p[3];
    }
    if (n >= 7) {
        v->t.hour = p[4];
        v->t.minute = p[5];
        v->t.second = p[6];
    }
    if (n == 11) {
        v->t.micros = (uint32_t)le_bytes(p + 7, 4);
    }
}

static void read_time(struct rd *r, struct mysql_value *v)
{
    size_t n = (size_t)rd_le(r, 1);
    const uint8_t *p = rd_take(r, n);
    memset(&v->t, 0, sizeof(v->t));
    if (!p || (n != 0 && n != 8 && n != 12)) {
        r->bad = true;
        return;
    }
    if (n >= 8) {
        uint32_t days = (uint32_t)le_bytes(p + 1, 4);
        v->t.negative = p[0] != 0;
        v->t.hour = (days > 35 ? 0 : days * 24) + p[5];
        v->t.minute = p[6];
        v->t.second = p[7];
        r->bad |= days > 35;
    }
    if (n == 12) {
        v->t.micros = (uint32_t)le_bytes(p + 8, 4);
    }
}

static void read_int(struct rd *r, size_t n, struct mysql_value *v)
{
    const uint8_t *p = rd_take(r, n);
    uint64_t u = p ? le_bytes(p, n) : 0;
    unsigned shift = (unsigned)(64 - 8 * n);
    if (v->kind == MYSQL_V_INT && shift) {
        v->i = (int64_t)(u << shift) >> shift;
    } else {
        v->u = u;
    }
}

static void read_bytes(struct rd *r, struct mysql_value *v)
{
    size_t n = (size_t)rd_lenenc(r);
    struct str s = rd_str(r, n);
    if (v->kind != MYSQL_V_BIT) {
        v->s = s;
    } else if (s.n <= 8) {
        v->u = be_bytes((const uint8_t *)s.p, s.n);
    } else {
        r->bad = true;
    }
}

static void read_value(struct rd *r, uint8_t wire, struct mysql_value *v)
{
    switch (wire) {
    case WIRE_TINY:
        read_int(r, 1, v);
        break;
    case WIRE_SHORT:
    case WIRE_YEAR:
        read_int(r, 2, v);
        break;
    case WIRE_INT24:
    case WIRE_LONG:
        read_int(r, 4, v);
        break;
    case WIRE_LONGLONG:
        read_int(r, 8, v);
        break;
    case WIRE_FLOAT: {
        const uint8_t *p = rd_take(r, sizeof(v->f));
        memcpy(&v->f, p ? p : (const uint8_t[4]){ 0 }, sizeof(v->f));
        break;
    }
    case WIRE_DOUBLE: {
        const uint8_t *p = rd_take(r, sizeof(v->d));
        memcpy(&v->d, p ? p : (const uint8_t[8]){ 0 }, sizeof(v->d));
        break;
    }
    case WIRE_DATE:
    case WIRE_NEWDATE:
    case WIRE_DATETIME:
    case WIRE_TIMESTAMP:
        read_datetime(r, v);
        break;
    case WIRE_TIME:
        read_time(r, v);
        break;
    default:
        read_bytes(r, v);
        break;
    }
}

bool rowread_decode(const uint8_t *p, size_t size, const struct rowread_column *columns, size_t n,
                    struct mysql_value *values)
{
    struct rd r = { p, p + size, false };
    rd_take(&r, 1);
    /* The first two bits of the NULL bitmap are reserved. */
    const uint8_t *nulls = rd_take(&r, (n + 2 + 7) / 8);
    if (!nulls) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct rowread_column *c = &columns[i];
        struct mysql_value *v = &values[c->index];
        v->digits = c->digits;
        v->bits = c->bits;
        if (nulls[(i + 2) / 8] & (1u << ((i + 2) % 8))) {
            v->kind = MYSQL_V_NULL;
            continue;
        }
        v->kind = c->kind;
        read_value(&r, c->wire, v);
    }
    return !r.bad && r.p == r.end;
}
