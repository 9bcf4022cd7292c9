#include "emulators/dms/parquet/parquet_stats.h"

#include "emulators/dms/parquet/parquet_encoding.h"

/* Fields of Statistics. */
#define NULL_COUNT 3
#define MAX_VALUE 5
#define MIN_VALUE 6

void parquet_stats_clear(struct parquet_stats *s)
{
    s->nulls = 0;
    s->any = false;
    s->min_n = s->max_n = 0;
}

static int sign(bool less, bool more)
{
    return (int)more - (int)less;
}

static double as_real(struct str s)
{
    double d = 0;
    float f;
    if (s.n == sizeof(f)) {
        memcpy(&f, s.p, sizeof(f));
        return (double)f;
    }
    memcpy(&d, s.p, sizeof(d));
    return d;
}

static int64_t as_signed(struct str s)
{
    uint64_t v = parquet_le_read(s.p, s.n);
    return s.n == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

static int compare(enum parquet_order order, struct str a, struct str b)
{
    switch (order) {
    case PARQUET_O_SIGNED:
        return sign(as_signed(a) < as_signed(b), as_signed(a) > as_signed(b));
    case PARQUET_O_UNSIGNED: {
        uint64_t x = parquet_le_read(a.p, a.n), y = parquet_le_read(b.p, b.n);
        return sign(x<y, x> y);
    }
    case PARQUET_O_REAL:
        return sign(as_real(a) < as_real(b), as_real(a) > as_real(b));
    case PARQUET_O_DECIMAL: {
        bool below_a = (a.p[0] & 0x80) != 0, below_b = (b.p[0] & 0x80) != 0;
        return below_a != below_b ? sign(below_a, below_b) : str_cmp(a, b);
    }
    default:
        return str_cmp(a, b);
    }
}

static void keep(char *slot, uint16_t *n, struct str value)
{
    memcpy(slot, value.p, value.n);
    *n = (uint16_t)value.n;
}

void parquet_stats_add(struct parquet_stats *s, enum parquet_order order, struct str value)
{
    if (order == PARQUET_O_REAL && as_real(value) != as_real(value)) {
        return; /* not a number: has no place in an order */
    }
    value = str_sub(value, 0, PARQUET_STATS_VALUE_MAX + 1);
    if (!s->any || compare(order, value, (struct str){ s->min, s->min_n }) < 0) {
        keep(s->min, &s->min_n, value);
    }
    if (!s->any || compare(order, value, (struct str){ s->max, s->max_n }) > 0) {
        keep(s->max, &s->max_n, value);
    }
    s->any = true;
}

void parquet_stats_merge(struct parquet_stats *s, enum parquet_order order,
                         const struct parquet_stats *from)
{
    s->nulls += from->nulls;
    if (from->any) {
        parquet_stats_add(s, order, (struct str){ from->min, from->min_n });
        parquet_stats_add(s, order, (struct str){ from->max, from->max_n });
    }
}

static void bound(struct compact *c, int id, enum parquet_order order, struct str value)
{
    /* Both zeros are equal: the bounds must cover both. */
    static const char above[8], below[2][8] = { [0][7] = (char)0x80, [1][3] = (char)0x80 };
    if (order == PARQUET_O_REAL && as_real(value) == 0.0) {
        value.p = id == MAX_VALUE ? above : below[value.n == 4];
    }
    compact_binary(c, id, value);
}

void parquet_stats_write(const struct parquet_stats *s, enum parquet_order order, struct compact *c,
                         int id)
{
    compact_open(c, id);
    compact_i64(c, NULL_COUNT, (int64_t)s->nulls);
    if (s->any && s->max_n <= PARQUET_STATS_VALUE_MAX) {
        bound(c, MAX_VALUE, order, (struct str){ s->max, s->max_n });
    }
    if (s->any && s->min_n <= PARQUET_STATS_VALUE_MAX) {
        bound(c, MIN_VALUE, order, (struct str){ s->min, s->min_n });
    }
    compact_close(c);
}
