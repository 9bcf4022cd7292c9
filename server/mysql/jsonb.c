/* A value is a type byte and a body. Containers begin with their number of elements and their size,
 * then come key entries (offset, length), value entries (type, and the value itself if it is small
 * enough, else its offset), keys, values. All offsets count from the container's body; "small"
 * containers use 2 bytes for each of these numbers, "large" ones 4. */
#include "server/mysql/jsonb.h"

#include <stdio.h>
#include <string.h>

#include "server/mysql/packed.h"
#include "server/mysql/wire_types.h"

#define DEPTH_MAX 100 /* the server's own limit */

enum jsonb_type {
    JSONB_SMALL_OBJECT = 0x00,
    JSONB_LARGE_OBJECT = 0x01,
    JSONB_SMALL_ARRAY = 0x02,
    JSONB_LARGE_ARRAY = 0x03,
    JSONB_LITERAL = 0x04,
    JSONB_INT16 = 0x05,
    JSONB_UINT16 = 0x06,
    JSONB_INT32 = 0x07,
    JSONB_UINT32 = 0x08,
    JSONB_INT64 = 0x09,
    JSONB_UINT64 = 0x0A,
    JSONB_DOUBLE = 0x0B,
    JSONB_STRING = 0x0C,
    JSONB_OPAQUE = 0x0F,
};

static bool value_text(uint8_t type, struct rd body, int depth, struct buf *out);

static void string_text(struct str s, struct buf *out)
{
    static const char escapes[] = "btnvfr"; /* for 8 … 13; 11 has none */
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch == '"' || ch == '\\') {
            buf_putc(out, '\\');
            buf_putc(out, (char)ch);
        } else if (ch >= 8 && ch <= 13 && ch != 11) {
            buf_putc(out, '\\');
            buf_putc(out, escapes[ch - 8]);
        } else if (ch < 0x20) {
            buf_printf(out, "\\u%04x", ch);
        } else {
            buf_putc(out, (char)ch);
        }
    }
    buf_putc(out, '"');
}

/* Lengths here have 7 bits per byte, low ones first. */
static struct str var_string(struct rd *r)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint64_t byte = rd_le(r, 1);
        n |= (byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            return rd_str(r, (size_t)n);
        }
    }
    r->bad = true;
    return STR("");
}

static void base64(struct str s, struct buf *out)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.n; i += 3) {
        size_t n = s.n - i < 3 ? s.n - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++) {
            v = v << 8 | (k < n ? (uint8_t)s.p[i + k] : 0u);
        }
        buf_putc(out, set[v >> 18]);
        buf_putc(out, set[v >> 12 & 63]);
        buf_putc(out, (char)(n > 1 ? set[v >> 6 & 63] : '='));
        buf_putc(out, (char)(n > 2 ? set[v & 63] : '='));
    }
}

static bool decimal_text(struct str data, struct buf *out)
{
    char text[PACKED_DECIMAL_TEXT];
    if (data.n < 2) {
        return false;
    }
    unsigned precision = (uint8_t)data.p[0], scale = (uint8_t)data.p[1];
    size_t size = packed_decimal_size(precision, scale);
    if (size == 0 || size > data.n - 2) {
        return false;
    }
    buf_add(out, text, packed_decimal((const uint8_t *)data.p + 2, precision, scale, text));
    return true;
}

static bool temporal_text(uint8_t type, struct str data, struct buf *out)
{
    struct mysql_value v = { .kind = MYSQL_V_DATETIME, .digits = 6 };
    if (data.n != 8) {
        return false;
    }
    int64_t packed = (int64_t)le_bytes((const uint8_t *)data.p, 8);
    if (type == WIRE_TIME) {
        v.kind = MYSQL_V_TIME;
        packed_time64(packed, &v.t);
    } else {
        v.kind = type == WIRE_DATE ? MYSQL_V_DATE : MYSQL_V_DATETIME;
        packed_datetime64(packed, &v.t);
    }
    buf_putc(out, '"');
    mysql_value_print(&v, out);
    buf_putc(out, '"');
    return true;
}

static bool opaque_text(struct rd *r, struct buf *out)
{
    uint8_t type = (uint8_t)rd_le(r, 1);
    struct str data = var_string(r);
    if (r->bad) {
        return false;
    }
    switch (type) {
    case WIRE_NEWDECIMAL:
        return decimal_text(data, out);
    case WIRE_DATE:
    case WIRE_DATETIME:
    case WIRE_TIMESTAMP:
    case WIRE_TIME:
        return temporal_text(type, data, out);
    default:
        buf_printf(out, "\"base64:type%u:", type);
        base64(data, out);
        buf_putc(out, '"');
        return true;
    }
}

static void double_text(double d, struct buf *out)
{
    size_t from = out->n;
    mysql_print_double(d, out);
    if (buf_ok(out) && !memchr(out->p + from, '.', out->n - from) &&
        !memchr(out->p + from, 'e', out->n - from)) {
        buf_puts(out, ".0");
    }
}

static bool scalar_text(uint8_t type, struct rd *r, struct buf *out)
{
    static const char *const literals[] = { "null", "true", "false" };
    switch (type) {
    case JSONB_LITERAL: {
        uint64_t which = rd_le(r, 1);
        r->bad |= which > 2;
        buf_puts(out, literals[which > 2 ? 0 : which]);
        break;
    }
    case JSONB_INT16:
        buf_i64(out, (int16_t)rd_le(r, 2));
        break;
    case JSONB_UINT16:
        buf_u64(out, rd_le(r, 2));
        break;
    case JSONB_INT32:
        buf_i64(out, (int32_t)rd_le(r, 4));
        break;
    case JSONB_UINT32:
        buf_u64(out, rd_le(r, 4));
        break;
    case JSONB_INT64:
        buf_i64(out, (int64_t)rd_le(r, 8));
        break;
    case JSONB_UINT64:
        buf_u64(out, rd_le(r, 8));
        break;
    case JSONB_DOUBLE: {
        uint64_t bits = rd_le(r, 8);
        double d;
        memcpy(&d, &bits, sizeof(d));
        double_text(d, out);
        break;
    }
    case JSONB_STRING:
        string_text(var_string(r), out);
        break;
    case JSONB_OPAQUE:
        return opaque_text(r, out);
    default:
        return false;
    }
    return !r->bad;
}

static bool is_inline(uint8_t type, bool large)
{
    return type == JSONB_LITERAL || type == JSONB_INT16 || type == JSONB_UINT16 ||
           (large && (type == JSONB_INT32 || type == JSONB_UINT32));
}

/* The part of the container's body from `offset` on. */
static struct rd at(const struct rd *body, uint64_t offset)
{
    if (offset > rd_left(body)) {
        return (struct rd){ body->end, body->end, true };
    }
    return (struct rd){ body->p + offset, body->end, false };
}

static bool element_text(const struct rd *body, struct rd *entry, bool large, int depth,
                         struct buf *out)
{
    uint8_t type = (uint8_t)rd_le(entry, 1);
    const uint8_t *p = rd_take(entry, large ? 4 : 2);
    if (!p) {
        return false;
    }
    if (is_inline(type, large)) {
        return value_text(type, (struct rd){ p, entry->p, false }, depth, out);
    }
    return value_text(type, at(body, le_bytes(p, large ? 4 : 2)), depth, out);
}

static bool container_text(uint8_t type, struct rd body, int depth, struct buf *out)
{
    bool large = type == JSONB_LARGE_OBJECT || type == JSONB_LARGE_ARRAY;
    bool object = type == JSONB_SMALL_OBJECT || type == JSONB_LARGE_OBJECT;
    size_t number = large ? 4 : 2;
    struct rd r = body;
    uint64_t count = rd_le(&r, number), size = rd_le(&r, number);
    if (r.bad || size < 2 * number || size > rd_left(&body) || depth > DEPTH_MAX) {
        return false;
    }
    body.end = r.end = body.p + size;
    struct rd keys = r, values = r;
    if (object) {
        values = at(&r, count * (number + 2));
    }
    buf_putc(out, object ? '{' : '[');
    for (uint64_t i = 0; i < count; i++) {
        if (i) {
            buf_puts(out, ", ");
        }
        if (object) {
            struct rd key = at(&body, rd_le(&keys, number));
            string_text(rd_str(&key, (size_t)rd_le(&keys, 2)), out);
            buf_puts(out, ": ");
            if (key.bad || keys.bad) {
                return false;
            }
        }
        if (!element_text(&body, &values, large, depth, out) || !buf_ok(out)) {
            return false;
        }
    }
    buf_putc(out, object ? '}' : ']');
    return !values.bad;
}

static bool value_text(uint8_t type, struct rd body, int depth, struct buf *out)
{
    if (type <= JSONB_LARGE_ARRAY) {
        return container_text(type, body, depth + 1, out);
    }
    return !body.bad && scalar_text(type, &body, out);
}

bool jsonb_text(struct str value, struct buf *out)
{
    if (value.n == 0) {
        buf_puts(out, "null");
        return buf_ok(out);
    }
    const uint8_t *p = (const uint8_t *)value.p;
    return value_text(p[0], (struct rd){ p + 1, p + value.n, false }, 0, out) && buf_ok(out);
}
