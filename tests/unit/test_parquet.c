/* The Parquet writer: encodings against worked examples and an independent decoder, statistics,
 * dictionaries, and files whose footer is read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "emulators/dms/parquet/parquet_dict.h"
#include "emulators/dms/parquet/parquet_encoding.h"
#include "emulators/dms/parquet/parquet_stats.h"
#include "emulators/dms/parquet/parquet_writer.h"
#include "emulators/glue/crawler/thrift.h"
#include "server/base/mem.h"

static void expect_bytes(struct buf *b, const char *want, size_t n)
{
    assert_true(buf_ok(b));
    assert_int_equal(b->n, n);
    assert_memory_equal(b->p, want, n);
    buf_clear(b);
}
#define EXPECT_BYTES(b, lit) expect_bytes((b), "" lit "", sizeof(lit) - 1)

/* --- thrift ----------------------------------------------------------------------------------- */

static void compact_protocol(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 16);
    struct compact c;
    compact_varint(&b, 0);
    compact_varint(&b, 300);
    compact_varint(&b, UINT64_MAX);
    EXPECT_BYTES(&b, "\x00\xAC\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
    compact_begin(&c, &b);
    compact_i32(&c, 1, -1);
    compact_i64(&c, 3, INT64_MIN);
    compact_bool(&c, 4, true);
    compact_bool(&c, 5, false);
    compact_byte(&c, 6, 64);
    compact_binary(&c, 30, STR("ab"));
    compact_close(&c);
    EXPECT_BYTES(&b, "\x15\x01\x26\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x11\x12\x13\x40"
                     "\x08\x3C\x02"
                     "ab\x00");
    compact_begin(&c, &b);
    compact_list(&c, 1, COMPACT_I32, 2);
    compact_item_i32(&c, 1);
    compact_item_i32(&c, 2);
    compact_list(&c, 2, COMPACT_STRUCT, 15);
    for (int i = 0; i < 15; i++) {
        compact_open(&c, 0);
        compact_close(&c);
    }
    compact_open(&c, 3); /* ids begin anew inside, and go on behind it */
    compact_i32(&c, 1, 0);
    compact_close(&c);
    compact_i32(&c, 4, 0);
    compact_close(&c);
    EXPECT_BYTES(&b, "\x19\x25\x02\x04\x19\xFC\x0F\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                     "\x1C\x15\x00\x00\x15\x00\x00");
}

/* --- encodings -------------------------------------------------------------------------------- */

static void plain(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 16);
    parquet_plain_put(&b, 0, STR("h\xC3\xA9"));
    parquet_plain_put(&b, 0, STR(""));
    parquet_plain_put(&b, 4, STR("\x01\x02\x03\x04"));
    EXPECT_BYTES(&b, "\x03\0\0\0h\xC3\xA9\0\0\0\0\x01\x02\x03\x04");
    static const bool bits[] = { true, false, false, true, true, false, false, false, true };
    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        parquet_plain_bit(&b, i, bits[i]);
    }
    EXPECT_BYTES(&b, "\x19\x01");
}

/* The hybrid read back, by the rules of Encodings.md. Returns the number of values, the padding of
 * the last packed run included. */
static size_t decode(struct str in, unsigned width, uint32_t *out, size_t max)
{
    size_t at = 0, n = 0;
    while (at < in.n) {
        uint64_t header = 0;
        for (unsigned shift = 0;; shift += 7) {
            unsigned char b = (unsigned char)in.p[at++];
            header |= (uint64_t)(b & 0x7F) << shift;
            if (b < 0x80) {
                break;
            }
        }
        if (header & 1) {
            size_t bits = 8 * width * (header >> 1);
            for (size_t bit = 0; bit < bits && n < max; bit += width, n++) {
                out[n] = 0;
                for (unsigned k = 0; k < width; k++) {
                    unsigned char byte = (unsigned char)in.p[at + (bit + k) / 8];
                    out[n] |= (uint32_t)(byte >> ((bit + k) % 8) & 1) << k;
                }
            }
            at += bits / 8;
        } else {
            unsigned bytes = (width + 7) / 8;
            uint32_t v = 0;
            for (unsigned k = 0; k < bytes; k++) {
                v |= (uint32_t)(unsigned char)in.p[at + k] << (8 * k);
            }
            at += bytes;
            for (uint64_t i = 0; i < header >> 1 && n < max; i++) {
                out[n++] = v;
            }
        }
    }
    assert_int_equal(at, in.n);
    return n;
}

static void hybrid_examples(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 16);
    struct parquet_rle r;
    parquet_rle_begin(&r, &b, 3);
    for (uint32_t i = 0; i < 8; i++) {
        parquet_rle_put(&r, i);
    }
    parquet_rle_end(&r);
    EXPECT_BYTES(&b, "\x03\x88\xC6\xFA"); /* the example of the document */
    parquet_rle_begin(&r, &b, 9);
    for (int i = 0; i < 100; i++) {
        parquet_rle_put(&r, 300);
    }
    parquet_rle_end(&r);
    EXPECT_BYTES(&b, "\xC8\x01\x2C\x01");
    parquet_rle_begin(&r, &b, 1);
    parquet_rle_put(&r, 1);
    parquet_rle_end(&r);
    EXPECT_BYTES(&b, "\x02\x01");
    parquet_rle_begin(&r, &b, 1);
    parquet_rle_end(&r);
    EXPECT_BYTES(&b, "");
    assert_int_equal(parquet_rle_width(0), 1);
    assert_int_equal(parquet_rle_width(2), 1);
    assert_int_equal(parquet_rle_width(3), 2);
    assert_int_equal(parquet_rle_width(256), 8);
    assert_int_equal(parquet_rle_width(257), 9);
    assert_int_equal(parquet_rle_width(UINT32_MAX), 32);
}

#define N 3000

/* Runs and changing values mixed, in every width. */
static void hybrid_roundtrip(void **state)
{
    (void)state;
    static uint32_t in[N], out[N + 8];
    uint64_t x = 88172645463325252u;
    for (unsigned width = 1; width <= 32; width++) {
        uint32_t mask = width == 32 ? UINT32_MAX : (UINT32_C(1) << width) - 1;
        size_t run = 0;
        for (size_t i = 0; i < N; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            run = run > 0 ? run - 1 : x % 5 == 0 ? x / 7 % 40 : 0;
            in[i] = run > 0 && i > 0 ? in[i - 1] : (uint32_t)(x >> 20) & mask;
        }
        for (size_t n = N - 9; n <= N; n++) {
            CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
            struct parquet_rle r;
            parquet_rle_begin(&r, &b, width);
            for (size_t i = 0; i < n; i++) {
                parquet_rle_put(&r, in[i]);
            }
            parquet_rle_end(&r);
            assert_true(buf_ok(&b));
            size_t got = decode(buf_str(&b), width, out, ARRAY_LEN(out));
            assert_true(got >= n && got < n + 8);
            assert_memory_equal(in, out, n * sizeof(in[0]));
        }
    }
}

/* --- dictionary and statistics ---------------------------------------------------------------- */

static void dictionary(void **state)
{
    (void)state;
    struct parquet_dict d;
    parquet_dict_init(&d, 1000);
    uint32_t number = 99;
    for (int round = 0; round < 2; round++) {
        assert_true(parquet_dict_find(&d, 0, STR(""), &number) && number == 0);
        assert_true(parquet_dict_find(&d, 0, STR("a"), &number) && number == 1);
        assert_true(parquet_dict_find(&d, 0, STR(""), &number) && number == 0);
        assert_true(parquet_dict_find(&d, 0, STR("a\0"), &number) && number == 2);
        assert_int_equal(d.n, 3);
        assert_memory_equal(d.bytes.p, "\0\0\0\0\1\0\0\0a\2\0\0\0a\0", 15);
        uint32_t n = 3;
        for (; n < 1000; n++) { /* 4 bytes each, and 4 for the length */
            char key[4] = { (char)(n & 15), (char)(n >> 4 & 15), (char)(n >> 8), 'k' };
            if (!parquet_dict_find(&d, 0, (struct str){ key, 4 }, &number)) {
                break;
            }
            assert_int_equal(number, n);
        }
        assert_int_equal(n, 3 + (1000 - 15) / 8);
        assert_true(parquet_dict_find(&d, 0, STR("a"), &number) && number == 1);
        parquet_dict_clear(&d);
    }
    parquet_dict_fini(&d);
}

static void expect_stats(const struct parquet_stats *s, enum parquet_order order, const char *want,
                         size_t n)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 16);
    struct compact c;
    compact_begin(&c, &b);
    parquet_stats_write(s, order, &c, 1);
    expect_bytes(&b, want, n);
}
#define EXPECT_STATS(s, order, lit) expect_stats((s), (order), "" lit "", sizeof(lit) - 1)

static void statistics(void **state)
{
    (void)state;
    struct parquet_stats s;
    parquet_stats_clear(&s);
    s.nulls = 2;
    EXPECT_STATS(&s, PARQUET_O_BYTES, "\x1C\x36\x04\x00");
    parquet_stats_add(&s, PARQUET_O_SIGNED, STR("\xFF\xFF\xFF\xFF"));
    parquet_stats_add(&s, PARQUET_O_SIGNED, STR("\x01\x00\x00\x00"));
    EXPECT_STATS(&s, PARQUET_O_SIGNED,
                 "\x1C\x36\x04\x28\x04\x01\x00\x00\x00\x18\x04\xFF\xFF\xFF\xFF\x00");
    parquet_stats_clear(&s);
    parquet_stats_add(&s, PARQUET_O_UNSIGNED, STR("\xFF\xFF\xFF\xFF"));
    parquet_stats_add(&s, PARQUET_O_UNSIGNED, STR("\x01\x00\x00\x00"));
    EXPECT_STATS(&s, PARQUET_O_UNSIGNED,
                 "\x1C\x36\x00\x28\x04\xFF\xFF\xFF\xFF\x18\x04\x01\x00\x00\x00\x00");
    /* Zeros of either sign: -0.0 below, +0.0 above. A value that is no number has no place. */
    parquet_stats_clear(&s);
    parquet_stats_add(&s, PARQUET_O_REAL, STR("\0\0\0\0\0\0\0\0"));
    parquet_stats_add(&s, PARQUET_O_REAL, STR("\0\0\0\0\0\0\xF8\x7F"));
    EXPECT_STATS(&s, PARQUET_O_REAL,
                 "\x1C\x36\x00\x28\x08\0\0\0\0\0\0\0\0\x18\x08\0\0\0\0\0\0\0\x80\x00");
    /* Bytes compare without sign, and the shorter comes first. */
    struct parquet_stats more;
    parquet_stats_clear(&s);
    parquet_stats_clear(&more);
    parquet_stats_add(&s, PARQUET_O_BYTES, STR("ab"));
    parquet_stats_add(&more, PARQUET_O_BYTES, STR("a"));
    parquet_stats_add(&more, PARQUET_O_BYTES, STR("\xC3"));
    more.nulls = 1;
    parquet_stats_merge(&s, PARQUET_O_BYTES, &more);
    EXPECT_STATS(&s, PARQUET_O_BYTES,
                 "\x1C\x36\x02\x28\x01\xC3\x18\x01"
                 "a\x00");
}

static void statistics_of_long_values(void **state)
{
    (void)state;
    char text[PARQUET_STATS_VALUE_MAX + 10];
    memset(text, 'm', sizeof(text));
    struct parquet_stats s;
    parquet_stats_clear(&s);
    parquet_stats_add(&s, PARQUET_O_BYTES, (struct str){ text, sizeof(text) });
    EXPECT_STATS(&s, PARQUET_O_BYTES, "\x1C\x36\x00\x00"); /* neither */
    parquet_stats_add(&s, PARQUET_O_BYTES, STR("b"));
    EXPECT_STATS(&s, PARQUET_O_BYTES,
                 "\x1C\x36\x00\x38\x01"
                 "b\x00"); /* the smallest only */
    parquet_stats_add(&s, PARQUET_O_BYTES, STR("z"));
    EXPECT_STATS(&s, PARQUET_O_BYTES,
                 "\x1C\x36\x00\x28\x01z\x18\x01"
                 "b\x00");
}

static void decimals_compare_with_sign(void **state)
{
    (void)state;
    struct parquet_stats s;
    char minus[16], zero[16] = { 0 };
    memset(minus, 0xFF, sizeof(minus));
    parquet_stats_clear(&s);
    parquet_stats_add(&s, PARQUET_O_DECIMAL, (struct str){ zero, 16 });
    parquet_stats_add(&s, PARQUET_O_DECIMAL, (struct str){ minus, 16 });
    assert_memory_equal(s.min, minus, 16);
    assert_memory_equal(s.max, zero, 16);
}

/* --- files ------------------------------------------------------------------------------------ */

struct file {
    struct buf bytes;
    enum status answer;
};

static enum status keep(void *ctx, struct str s)
{
    struct file *f = ctx;
    buf_str_add(&f->bytes, s);
    return f->answer;
}

static struct parquet_options defaults(void)
{
    return (struct parquet_options){ .statistics = true,
                                     .group_rows = 10000,
                                     .page_bytes = 1 << 20,
                                     .dict_bytes = 1 << 20,
                                     .creator = STR("test version 1 (build 1)") };
}

static struct str footer(const struct file *f)
{
    struct str s = buf_str(&f->bytes);
    assert_true(buf_ok(&f->bytes) && s.n >= 12);
    assert_memory_equal(s.p, "PAR1", 4);
    assert_memory_equal(s.p + s.n - 4, "PAR1", 4);
    uint64_t n = parquet_le_read(s.p + s.n - 8, 4);
    assert_true(n + 12 <= s.n);
    return str_sub(s, s.n - 8 - n, s.n - 8);
}

/* What the footer says, as far as tests want to know. */
struct told {
    int64_t version, rows;
    uint64_t groups;
    int64_t group_rows[8];
    int64_t pages; /* bytes of all column chunks */
    unsigned encodings;
};

static void read_column(struct thrift *t, struct told *told)
{
    int64_t last = 0;
    uint64_t n = 0;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        if (last != 3) {
            thrift_skip(t, type);
            continue;
        }
        int64_t inner = 0;
        while ((type = thrift_field(t, &inner)) != THRIFT_STOP) {
            enum thrift_type element = THRIFT_STOP;
            if (inner == 2) {
                n = thrift_list(t, &element);
                for (uint64_t i = 0; i < n; i++) {
                    told->encodings |= 1u << (unsigned)thrift_int(t, element);
                }
            } else if (inner == 7) {
                told->pages += thrift_int(t, type);
            } else {
                thrift_skip(t, type);
            }
        }
    }
}

static void read_group(struct thrift *t, struct told *told, uint64_t i)
{
    int64_t last = 0;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        enum thrift_type element = THRIFT_STOP;
        if (last == 1) {
            for (uint64_t n = thrift_list(t, &element); n > 0; n--) {
                read_column(t, told);
            }
        } else if (last == 3 && i < ARRAY_LEN(told->group_rows)) {
            told->group_rows[i] = thrift_int(t, type);
        } else {
            thrift_skip(t, type);
        }
    }
}

static struct told read_footer(const struct file *f)
{
    struct told told = { 0 };
    struct thrift t = { .in = footer(f) };
    int64_t last = 0;
    enum thrift_type type, element;
    while ((type = thrift_field(&t, &last)) != THRIFT_STOP) {
        if (last == 1) {
            told.version = thrift_int(&t, type);
        } else if (last == 3) {
            told.rows = thrift_int(&t, type);
        } else if (last == 4) {
            told.groups = thrift_list(&t, &element);
            for (uint64_t i = 0; i < told.groups; i++) {
                read_group(&t, &told, i);
            }
        } else {
            thrift_skip(&t, type);
        }
    }
    assert_null(t.bad);
    assert_int_equal(t.at, t.in.n);
    /* The pages fill all that is before the footer. */
    assert_int_equal((size_t)told.pages + 4 + t.in.n + 8, f->bytes.n);
    return told;
}

static void row_groups(void **state)
{
    (void)state;
    struct file f = { .bytes = BUF_INIT(1 << 20) };
    struct parquet_options o = defaults();
    o.group_rows = 3;
    struct parquet_column columns[] = { { .name = STR("id"), .type = PARQUET_INT32 },
                                        { .name = STR("a.\"b\xC3\xA9"), .type = PARQUET_STRING } };
    struct parquet_writer *w = parquet_new(&o, columns, 2, (struct parquet_sink){ keep, &f });
    for (int i = 0; i < 6; i++) {
        parquet_put_int(w, i);
        parquet_put_null(w);
        assert_int_equal(parquet_row_end(w), ST_OK);
        assert_int_equal(parquet_waiting(w) > 0, i % 3 != 2);
    }
    assert_int_equal(parquet_finish(w), ST_OK);
    parquet_free(w);
    struct told told = read_footer(&f);
    assert_int_equal(told.version, 1);
    assert_int_equal(told.rows, 6);
    assert_int_equal(told.groups, 2); /* none without rows at the end */
    assert_int_equal(told.group_rows[0], 3);
    assert_int_equal(told.group_rows[1], 3);
    buf_fini(&f.bytes);
}

/* One column of 1,000 texts: what encodings does it get? */
static unsigned encodings_of(struct parquet_options o, bool distinct)
{
    struct file f = { .bytes = BUF_INIT(1 << 20) };
    struct parquet_column column = { .name = STR("c"), .type = PARQUET_STRING };
    struct parquet_writer *w = parquet_new(&o, &column, 1, (struct parquet_sink){ keep, &f });
    for (int i = 0; i < 1000; i++) {
        char text[16];
        int n = snprintf(text, sizeof(text), "%06d", distinct ? i : i % 3);
        parquet_put_bytes(w, (struct str){ text, (size_t)n });
        assert_int_equal(parquet_row_end(w), ST_OK);
    }
    assert_int_equal(parquet_finish(w), ST_OK);
    parquet_free(w);
    struct told told = read_footer(&f);
    assert_int_equal(told.version, o.version_2 ? 2 : 1);
    buf_fini(&f.bytes);
    return told.encodings;
}

#define BIT(e) (1u << (e))
#define PLAIN BIT(PARQUET_E_PLAIN)
#define RLE BIT(PARQUET_E_RLE)

static void encodings(void **state)
{
    (void)state;
    struct parquet_options o = defaults();
    for (int v = 0; v < 4; v++) {
        o.version_2 = v & 1;
        o.gzip = v & 2;
        o.encoding = PARQUET_PLAIN;
        o.dict_bytes = 1 << 20;
        assert_int_equal(encodings_of(o, false), PLAIN | RLE);
        o.encoding = PARQUET_RLE_DICTIONARY;
        assert_int_equal(encodings_of(o, false), PLAIN | RLE | BIT(PARQUET_E_RLE_DICTIONARY));
        o.encoding = PARQUET_PLAIN_DICTIONARY;
        assert_int_equal(encodings_of(o, true), RLE | BIT(PARQUET_E_PLAIN_DICTIONARY));
        o.dict_bytes = 2000; /* too small for 1,000 texts: it goes on with plain pages */
        assert_int_equal(encodings_of(o, true), PLAIN | RLE | BIT(PARQUET_E_PLAIN_DICTIONARY));
        assert_int_equal(encodings_of(o, false), RLE | BIT(PARQUET_E_PLAIN_DICTIONARY));
        o.dict_bytes = 0;
        assert_int_equal(encodings_of(o, false), PLAIN | RLE);
    }
}

/* However many rows a group may have, its memory has a limit. */
static void groups_end_by_bytes(void **state)
{
    (void)state;
    struct file f = { .bytes = BUF_INIT((size_t)256 << 20) };
    struct parquet_options o = defaults();
    o.group_rows = UINT64_MAX;
    o.encoding = PARQUET_PLAIN;
    struct parquet_column column = { .name = STR("c"), .type = PARQUET_BINARY };
    struct parquet_writer *w = parquet_new(&o, &column, 1, (struct parquet_sink){ keep, &f });
    CLEANUP(free_ptr) char *mib = xcalloc(1, 1 << 20);
    for (int i = 0; i < 100; i++) {
        parquet_put_bytes(w, (struct str){ mib, 1 << 20 });
        assert_int_equal(parquet_row_end(w), ST_OK);
        assert_true(parquet_waiting(w) < PARQUET_GROUP_BYTES_MAX);
    }
    assert_int_equal(parquet_finish(w), ST_OK);
    parquet_free(w);
    struct told told = read_footer(&f);
    assert_int_equal(told.groups, 2);
    assert_int_equal(told.group_rows[0], 64);
    assert_int_equal(told.group_rows[1], 36);
    buf_fini(&f.bytes);
}

static enum status put_decimal(unsigned precision, unsigned scale, const char *text, char out[16])
{
    struct file f = { .bytes = BUF_INIT(1 << 20) };
    struct parquet_options o = defaults();
    o.encoding = PARQUET_PLAIN;
    struct parquet_column column = { STR("c"), PARQUET_DECIMAL, precision, scale };
    struct parquet_writer *w = parquet_new(&o, &column, 1, (struct parquet_sink){ keep, &f });
    parquet_put_decimal(w, str_z(text));
    enum status st = parquet_row_end(w);
    if (st == ST_OK) {
        assert_int_equal(parquet_finish(w), ST_OK);
        struct told told = read_footer(&f);
        memcpy(out, f.bytes.p + 4 + told.pages - 16, 16);
    }
    parquet_free(w);
    buf_fini(&f.bytes);
    return st;
}

static void decimals(void **state)
{
    (void)state;
    char got[16], want[16] = { 0 };
    assert_int_equal(put_decimal(10, 2, "12.50", got), ST_OK);
    want[14] = 0x04;
    want[15] = (char)0xE2;
    assert_memory_equal(got, want, 16);
    assert_int_equal(put_decimal(10, 2, "-0.01", got), ST_OK);
    memset(want, 0xFF, 16);
    assert_memory_equal(got, want, 16);
    assert_int_equal(put_decimal(38, 0, "99999999999999999999999999999999999999", got), ST_OK);
    assert_memory_equal(got, "\x4B\x3B\x4C\xA8\x5A\x86\xC4\x7A\x09\x8A\x22\x3F\xFF\xFF\xFF\xFF",
                        16);
    assert_int_equal(put_decimal(38, 38, "-0.99999999999999999999999999999999999999", got), ST_OK);
    assert_memory_equal(got, "\xB4\xC4\xB3\x57\xA5\x79\x3B\x85\xF6\x75\xDD\xC0\x00\x00\x00\x01",
                        16);
    static const char *const bad[] = {
        "", "-", "1.5", "1.500", "1,50", "1e2", "x", "123.45", "1..0"
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(put_decimal(4, 2, bad[i], got), ST_INVALID);
    }
}

/* The first fault stays, and nothing more is written. */
static void faults(void **state)
{
    (void)state;
    struct file f = { .bytes = BUF_INIT(1 << 20) };
    struct parquet_options o = defaults();
    o.group_rows = 2;
    struct parquet_column column = { .name = STR("c"), .type = PARQUET_INT64 };
    struct parquet_writer *w = parquet_new(&o, &column, 1, (struct parquet_sink){ keep, &f });
    parquet_put_int(w, 1);
    assert_int_equal(parquet_row_end(w), ST_OK);
    f.answer = ST_IO;
    parquet_put_int(w, 2);
    assert_int_equal(parquet_row_end(w), ST_IO);
    size_t n = f.bytes.n;
    f.answer = ST_OK;
    parquet_put_int(w, 3);
    assert_int_equal(parquet_row_end(w), ST_IO);
    assert_int_equal(parquet_finish(w), ST_IO);
    assert_int_equal(f.bytes.n, n);
    parquet_free(w);
    buf_fini(&f.bytes);

    column.type = PARQUET_STRING;
    w = parquet_new(&o, &column, 1, (struct parquet_sink){ keep, &f });
    parquet_put_bytes(w, (struct str){ "", PARQUET_VALUE_MAX + 1 });
    assert_int_equal(parquet_row_end(w), ST_NOMEM);
    parquet_free(w);
    parquet_free(NULL);
    buf_fini(&f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_protocol),
        cmocka_unit_test(plain),
        cmocka_unit_test(hybrid_examples),
        cmocka_unit_test(hybrid_roundtrip),
        cmocka_unit_test(dictionary),
        cmocka_unit_test(statistics),
        cmocka_unit_test(statistics_of_long_values),
        cmocka_unit_test(decimals_compare_with_sign),
        cmocka_unit_test(row_groups),
        cmocka_unit_test(encodings),
        cmocka_unit_test(groups_end_by_bytes),
        cmocka_unit_test(decimals),
        cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
