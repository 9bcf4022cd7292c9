#include "server/mysql/binlog_row.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "server/mysql/jsonb.h"
#include "server/mysql/packed.h"
#include "server/mysql/wire_types.h"

#define COMPRESSED_MAX ((size_t)1 << 30)

void row_image_init(struct row_image *image, const uint8_t *bitmap, size_t bits)
{
    image->present = bitmap;
    image->present_n = 0;
    for (size_t i = 0; i < bits; i++) {
        image->present_n += bitmap[i / 8] >> (i % 8) & 1;
    }
    image->full = image->present_n == bits;
}

/* --- numbers and times ------------------------------------------------------------------------ */

static void read_int(struct rd *r, size_t n, struct mysql_value *v)
{
    const uint8_t *p = rd_take(r, n);
    uint64_t u = p ? le_bytes(p, n) : 0;
    if (v->kind == MYSQL_V_INT) {
        unsigned shift = (unsigned)(64 - 8 * n);
        v->i = (int64_t)(u << shift) >> shift;
    } else {
        v->u = u;
    }
}

static void read_real(struct rd *r, struct mysql_value *v)
{
    if (v->kind == MYSQL_V_FLOAT) {
        uint32_t bits = (uint32_t)rd_le(r, 4);
        memcpy(&v->f, &bits, sizeof(bits));
    } else {
        uint64_t bits = rd_le(r, 8);
        memcpy(&v->d, &bits, sizeof(bits));
    }
}

static void read_decimal(struct rd *r, const struct rowcol *c, struct scratch *scratch,
                         struct mysql_value *v)
{
    const uint8_t *p = rd_take(r, c->length_bytes);
    v->s = STR("");
    if (p) {
        char *to = scratch_room(scratch, PACKED_DECIMAL_TEXT);
        v->s = (struct str){ to, packed_decimal(p, c->precision, c->digits, to) };
        scratch_keep(scratch, v->s.n);
    }
}

/* The forms before MySQL 5.6 are decimal numbers like 20240102030405. */
static void read_old_temporal(struct rd *r, uint8_t wire, struct mysql_time *t)
{
    memset(t, 0, sizeof(*t));
    if (wire == WIRE_TIMESTAMP) {
        packed_epoch((uint32_t)rd_le(r, 4), t);
    } else if (wire == WIRE_TIME) {
        int32_t v = (int32_t)((uint32_t)rd_le(r, 3) << 8) >> 8;
        uint32_t u = (uint32_t)(v < 0 ? -v : v);
        t->negative = v < 0;
        t->hour = u / 10000;
        t->minute = (uint8_t)(u / 100 % 100);
        t->second = (uint8_t)(u % 100);
    } else {
        uint64_t v = rd_le(r, 8);
        uint64_t date = v / 1000000, time = v % 1000000;
        t->year = (uint16_t)(date / 10000);
        t->month = (uint8_t)(date / 100 % 100);
        t->day = (uint8_t)(date % 100);
        t->hour = (uint32_t)(time / 10000);
        t->minute = (uint8_t)(time / 100 % 100);
        t->second = (uint8_t)(time % 100);
    }
}

static void read_date(struct rd *r, struct mysql_time *t)
{
    uint32_t v = (uint32_t)rd_le(r, 3);
    memset(t, 0, sizeof(*t));
    t->day = v & 31;
    t->month = v >> 5 & 15;
    t->year = (uint16_t)(v >> 9);
}

/* --- texts and bytes -------------------------------------------------------------------------- */

/* MariaDB's COMPRESSED columns: a byte, method in its high half (0: not compressed, 8: deflate), in
 * the low one a flag for zlib's wrapper and the size of the length that follows, big-endian. */
static const char *inflate_column(struct str in, struct scratch *scratch, struct str *ret)
{
    *ret = in;
    if (in.n == 0) {
        return NULL;
    }
    uint8_t head = (uint8_t)in.p[0];
    size_t length_n = head & 7;
    if (head == 0) {
        *ret = str_sub(in, 1, in.n);
        return NULL;
    }
    if (head >> 4 != 8 || length_n == 0 || length_n > 4 || in.n <= length_n) {
        return "a compressed column has an unknown header";
    }
    size_t size = (size_t)be_bytes((const uint8_t *)in.p + 1, length_n);
    if (size > COMPRESSED_MAX || size / 1100 > in.n) {
        return "a compressed column claims an impossible size";
    }
    z_stream z = { 0 };
    z.next_in = (Bytef *)in.p + 1 + length_n;
    z.avail_in = (uInt)(in.n - 1 - length_n);
    char *to = scratch_alloc(scratch, size + 1);
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)(size + 1);
    if (inflateInit2(&z, head & 8 ? -MAX_WBITS : MAX_WBITS) != Z_OK) {
        return "no memory to uncompress a column";
    }
    int rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    *ret = (struct str){ to, size };
    return rc == Z_STREAM_END && z.total_out == size ? NULL : "a compressed column is damaged";
}

static struct str padded(struct str s, size_t n, struct scratch *scratch)
{
    if (s.n >= n) {
        return s;
    }
    char *to = scratch_alloc(scratch, n);
    memcpy(to, s.p, s.n);
    memset(to + s.n, 0, n - s.n);
    return (struct str){ to, n };
}

static struct str uuid_text(const uint8_t *p, struct scratch *scratch)
{
    static const char hex[] = "0123456789abcdef";
    char *to = scratch_alloc(scratch, 36), *out = to;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = hex[p[i] >> 4];
        *out++ = hex[p[i] & 15];
    }
    return (struct str){ to, 36 };
}

static struct str inet_text(int family, const uint8_t *p, struct scratch *scratch)
{
    char *to = scratch_alloc(scratch, INET6_ADDRSTRLEN);
    if (!inet_ntop(family, p, to, INET6_ADDRSTRLEN)) {
        to[0] = '\0';
    }
    return str_z(to);
}

static const char *read_string(struct rd *r, const struct rowcol *c, struct scratch *scratch,
                               struct mysql_value *v)
{
    const char *bad = NULL;
    struct str s = rd_str(r, (size_t)rd_le(r, c->length_bytes));
    if (c->special == ROWCOL_COMPRESSED) {
        bad = inflate_column(s, scratch, &s);
    }
    if (c->pad) {
        s = padded(s, c->pad, scratch);
    }
    switch ((enum rowcol_special)c->special) {
    case ROWCOL_UUID:
        s = uuid_text((const uint8_t *)s.p, scratch);
        break;
    case ROWCOL_INET4:
        s = inet_text(AF_INET, (const uint8_t *)s.p, scratch);
        break;
    case ROWCOL_INET6:
        s = inet_text(AF_INET6, (const uint8_t *)s.p, scratch);
        break;
    case ROWCOL_PLAIN:
    case ROWCOL_COMPRESSED:
        if (c->charset) {
            s = charset_to_utf8(c->charset, s, scratch);
        }
        break;
    }
    v->s = s;
    return bad;
}

static const char *read_json(struct rd *r, const struct rowcol *c, struct scratch *scratch,
                             struct mysql_value *v)
{
    struct str s = rd_str(r, (size_t)rd_le(r, c->length_bytes));
    struct buf text;
    buf_init(&text, s.n * 8 + 256); /* no binary form becomes longer than that */
    v->s = STR("");
    bool ok = jsonb_text(s, &text);
    if (ok) {
        char *to = scratch_alloc(scratch, text.n);
        memcpy(to, text.p, text.n);
        v->s = (struct str){ to, text.n };
    }
    buf_fini(&text);
    return ok ? NULL : "a JSON value is malformed";
}

static const char *read_enum(struct rd *r, const struct rowcol *c, struct mysql_value *v)
{
    uint64_t index = rd_le(r, c->length_bytes);
    v->s = STR("");
    if (index > c->labels_n) {
        return "an ENUM value is beyond the labels";
    }
    if (index > 0) {
        v->s = c->labels[index - 1];
    }
    return NULL;
}

static const char *read_set(struct rd *r, const struct rowcol *c, struct scratch *scratch,
                            struct mysql_value *v)
{
    uint64_t bits = rd_le(r, c->length_bytes);
    size_t n = 0;
    v->s = STR("");
    if (c->labels_n < 64 && bits >> c->labels_n) {
        return "a SET value is beyond the labels";
    }
    for (size_t i = 0; i < c->labels_n && i < 64; i++) {
        n += bits >> i & 1 ? c->labels[i].n + 1 : 0;
    }
    if (n == 0) {
        return NULL;
    }
    char *to = scratch_alloc(scratch, n), *out = to;
    for (size_t i = 0; i < c->labels_n && i < 64; i++) {
        if (bits >> i & 1) {
            memcpy(out, c->labels[i].p, c->labels[i].n);
            out += c->labels[i].n;
            *out++ = ',';
        }
    }
    v->s = (struct str){ to, n - 1 };
    return NULL;
}

/* --- a column, a row -------------------------------------------------------------------------- */

static const char *read_rest(struct rd *r, const struct rowcol *c, struct scratch *scratch,
                             struct mysql_value *v)
{
    switch (c->wire) {
    case WIRE_NEWDECIMAL:
        read_decimal(r, c, scratch, v);
        return NULL;
    case WIRE_DATE:
    case WIRE_NEWDATE:
        read_date(r, &v->t);
        return NULL;
    case WIRE_TIME:
    case WIRE_DATETIME:
    case WIRE_TIMESTAMP:
        read_old_temporal(r, c->wire, &v->t);
        return NULL;
    case WIRE_TIME2:
        packed_time2(r, c->digits, &v->t);
        return NULL;
    case WIRE_DATETIME2:
        packed_datetime2(r, c->digits, &v->t);
        return NULL;
    case WIRE_TIMESTAMP2:
        packed_timestamp2(r, c->digits, &v->t);
        return NULL;
    case WIRE_YEAR:
        v->u = rd_le(r, 1);
        v->u += v->u ? 1900 : 0;
        return NULL;
    case WIRE_BIT:
        v->bits = c->bits;
        v->u = rd_be(r, c->length_bytes);
        return NULL;
    case WIRE_ENUM:
        return read_enum(r, c, v);
    case WIRE_SET:
        return read_set(r, c, scratch, v);
    case WIRE_JSON:
        return read_json(r, c, scratch, v);
    default:
        return read_string(r, c, scratch, v);
    }
}

static const char *read_value(struct rd *r, const struct rowcol *c, struct scratch *scratch,
                              struct mysql_value *v)
{
    v->kind = c->kind;
    v->digits = c->digits;
    switch (c->wire) {
    case WIRE_TINY:
        read_int(r, 1, v);
        return NULL;
    case WIRE_SHORT:
        read_int(r, 2, v);
        return NULL;
    case WIRE_INT24:
        read_int(r, 3, v);
        return NULL;
    case WIRE_LONG:
        read_int(r, 4, v);
        return NULL;
    case WIRE_LONGLONG:
        read_int(r, 8, v);
        return NULL;
    case WIRE_FLOAT:
    case WIRE_DOUBLE:
        read_real(r, v);
        return NULL;
    default:
        return read_rest(r, c, scratch, v);
    }
}

const char *binlog_row_read(struct rd *r, const struct tablemap *m, const struct row_image *image,
                            struct scratch *scratch, struct mysql_value *values)
{
    const uint8_t *nulls = rd_take(r, (image->present_n + 7) / 8);
    struct mysql_value unused;
    size_t bit = 0;
    if (!nulls) {
        return "a row is cut off";
    }
    for (size_t i = 0; i < m->columns_n; i++) {
        const struct rowcol *c = &m->columns[i];
        struct mysql_value *v = c->hidden ? &unused : &values[i];
        if (!image->full && !(image->present[i / 8] >> (i % 8) & 1)) {
            v->kind = MYSQL_V_ABSENT;
            continue;
        }
        bool null = nulls[bit / 8] >> (bit % 8) & 1;
        bit++;
        if (null) {
            v->kind = MYSQL_V_NULL;
            v->digits = c->digits;
            continue;
        }
        const char *bad = read_value(r, c, scratch, v);
        if (bad) {
            return bad;
        }
    }
    return r->bad ? "a row is cut off" : NULL;
}

const char *binlog_row_skip(struct rd *r, const struct tablemap *m, const struct row_image *image)
{
    const uint8_t *nulls = rd_take(r, (image->present_n + 7) / 8);
    size_t bit = 0;
    if (!nulls) {
        return "a row is cut off";
    }
    for (size_t i = 0; i < m->columns_n; i++) {
        const struct rowcol *c = &m->columns[i];
        if (!image->full && !(image->present[i / 8] >> (i % 8) & 1)) {
            continue;
        }
        bool null = nulls[bit / 8] >> (bit % 8) & 1;
        bit++;
        if (!null) {
            rd_take(r, c->size ? c->size : (size_t)rd_le(r, c->length_bytes));
        }
    }
    return r->bad ? "a row is cut off" : NULL;
}
