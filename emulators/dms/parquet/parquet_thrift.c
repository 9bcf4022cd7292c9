#include "emulators/dms/parquet/parquet_thrift.h"

#include <assert.h>

void compact_varint(struct buf *out, uint64_t v)
{
    while (v >= 0x80) {
        buf_putc(out, (char)(unsigned char)(v | 0x80));
        v >>= 7;
    }
    buf_putc(out, (char)(unsigned char)v);
}

/* Small negative numbers become small positive ones. */
static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static void field(struct compact *c, int id, enum compact_type type)
{
    int *last = &c->last[c->depth - 1];
    int step = id - *last;
    assert(step > 0);
    if (step <= 15) {
        buf_putc(c->out, (char)(unsigned char)((unsigned)step << 4 | (unsigned)type));
    } else {
        buf_putc(c->out, (char)type);
        compact_varint(c->out, zigzag(id));
    }
    *last = id;
}

void compact_begin(struct compact *c, struct buf *out)
{
    *c = (struct compact){ .out = out, .depth = 1 };
}

void compact_open(struct compact *c, int id)
{
    assert(c->depth < COMPACT_DEPTH_MAX);
    if (id > 0) {
        field(c, id, COMPACT_STRUCT);
    }
    c->last[c->depth++] = 0;
}

void compact_close(struct compact *c)
{
    assert(c->depth > 0);
    c->depth--;
    buf_putc(c->out, '\0');
}

void compact_bool(struct compact *c, int id, bool v)
{
    field(c, id, v ? COMPACT_TRUE : COMPACT_FALSE);
}

void compact_byte(struct compact *c, int id, int8_t v)
{
    field(c, id, COMPACT_BYTE);
    buf_putc(c->out, (char)v);
}

void compact_i32(struct compact *c, int id, int32_t v)
{
    field(c, id, COMPACT_I32);
    compact_item_i32(c, v);
}

void compact_i64(struct compact *c, int id, int64_t v)
{
    field(c, id, COMPACT_I64);
    compact_varint(c->out, zigzag(v));
}

void compact_binary(struct compact *c, int id, struct str s)
{
    field(c, id, COMPACT_BINARY);
    compact_item_binary(c, s);
}

void compact_list(struct compact *c, int id, enum compact_type element, size_t n)
{
    field(c, id, COMPACT_LIST);
    if (n < 15) {
        buf_putc(c->out, (char)(unsigned char)(n << 4 | (unsigned)element));
    } else {
        buf_putc(c->out, (char)(unsigned char)(0xF0 | (unsigned)element));
        compact_varint(c->out, n);
    }
}

void compact_item_i32(struct compact *c, int32_t v)
{
    compact_varint(c->out, zigzag(v));
}

void compact_item_binary(struct compact *c, struct str s)
{
    compact_varint(c->out, s.n);
    buf_str_add(c->out, s);
}
