/* The hybrid: 8 equal values that start at a multiple of 8 begin a run; everything else is packed
 * in groups of 8. A packed run's header has one byte that is filled in when the run ends, so it
 * takes 63 groups at most. */
#include "emulators/dms/parquet/parquet_encoding.h"

#include "emulators/dms/parquet/parquet_thrift.h"

#define GROUP 8
#define GROUPS_MAX 63

void parquet_le(unsigned char *p, uint64_t v, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        p[i] = (unsigned char)(v >> (8 * i));
    }
}

uint64_t parquet_le_read(const char *p, size_t width)
{
    uint64_t v = 0;
    for (size_t i = width; i-- > 0;) {
        v = v << 8 | (unsigned char)p[i];
    }
    return v;
}

void parquet_le_put(struct buf *out, uint64_t v, unsigned width)
{
    unsigned char bytes[8];
    parquet_le(bytes, v, width);
    buf_add(out, bytes, width);
}

void parquet_plain_put(struct buf *out, unsigned width, struct str value)
{
    if (width == 0) {
        parquet_le_put(out, value.n, 4);
    }
    buf_str_add(out, value);
}

void parquet_plain_bit(struct buf *out, uint64_t index, bool v)
{
    if (index % 8 == 0) {
        buf_putc(out, '\0');
    }
    if (v && buf_ok(out)) {
        out->p[out->n - 1] =
            (char)(unsigned char)((unsigned char)out->p[out->n - 1] | 1u << (unsigned)(index % 8));
    }
}

void parquet_rle_begin(struct parquet_rle *r, struct buf *out, unsigned width)
{
    *r = (struct parquet_rle){ .out = out, .width = width };
}

unsigned parquet_rle_width(uint32_t n)
{
    unsigned width = 1;
    while (width < 32 && n > UINT32_C(1) << width) {
        width++;
    }
    return width;
}

static void end_packed(struct parquet_rle *r)
{
    if (r->groups > 0 && buf_ok(r->out)) {
        r->out->p[r->header_at] = (char)(unsigned char)(r->groups << 1 | 1);
    }
    r->groups = 0;
}

static void end_run(struct parquet_rle *r)
{
    compact_varint(r->out, r->repeat << 1);
    parquet_le_put(r->out, r->last, (r->width + 7) / 8);
    r->repeat = 0;
}

static void pack_group(struct parquet_rle *r)
{
    if (r->groups == 0) {
        r->header_at = r->out->n;
        buf_putc(r->out, '\0');
    }
    uint64_t bits = 0;
    unsigned n = 0;
    for (unsigned i = 0; i < GROUP; i++) {
        bits |= (uint64_t)r->group[i] << n;
        n += r->width;
        unsigned whole = n / 8;
        parquet_le_put(r->out, bits, whole);
        bits = whole < 8 ? bits >> (8 * whole) : 0;
        n -= 8 * whole;
    }
    r->group_n = 0;
    r->repeat = 0;
    if (++r->groups == GROUPS_MAX) {
        end_packed(r);
    }
}

void parquet_rle_put(struct parquet_rle *r, uint32_t v)
{
    if (r->repeat > 0 && r->last == v) {
        r->repeat++;
        if (r->repeat > GROUP) {
            return; /* inside of a run */
        }
    } else {
        if (r->repeat >= GROUP) {
            end_run(r);
        }
        r->repeat = 1;
        r->last = v;
    }
    r->group[r->group_n++] = v;
    if (r->group_n < GROUP) {
        return;
    }
    if (r->repeat == GROUP) {
        end_packed(r);
        r->group_n = 0;
        return;
    }
    pack_group(r);
}

void parquet_rle_end(struct parquet_rle *r)
{
    if (r->group_n > 0 && r->groups == 0 && r->repeat == r->group_n) {
        r->group_n = 0; /* few, but all the same */
    }
    if (r->group_n > 0) {
        while (r->group_n < GROUP) {
            r->group[r->group_n++] = 0;
        }
        pack_group(r);
    }
    end_packed(r);
    if (r->repeat > 0) {
        end_run(r);
    }
}
