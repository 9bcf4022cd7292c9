/* Rows as DMS prints them: golden rows per type, quoting, layout. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "emulators/dms/file/csv.h"
#include "emulators/dms/file/number.h"
#include "server/base/id.h"
#include "server/base/mem.h"

static struct dms_csv_format plain(void)
{
    struct dms_csv_format f = {
        .delimiter = STR(","), .row_end = STR("\n"), .null_text = STR(""), .rfc4180 = true
    };
    dms_csv_prepare(&f);
    return f;
}

/* Prints values as one row after the lead; the result is in `b`. */
static const char *row(struct buf *b, const struct dms_csv_format *f, struct dms_csv_lead lead,
                       const struct mysql_value *values, size_t n)
{
    struct dms_csv_column columns[8];
    for (size_t i = 0; i < n; i++) {
        columns[i] = (struct dms_csv_column){ .index = (uint32_t)i };
    }
    struct dms_csv_plan plan = { columns, n };
    buf_clear(b);
    dms_csv_row(b, f, &plan, &lead, values, NULL);
    assert_true(buf_ok(b));
    return b->p;
}

static void expect_csv(struct mysql_value v, const char *want)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct dms_csv_format f = plain();
    const char *got = row(&b, &f, (struct dms_csv_lead){ 0 }, &v, 1);
    assert_int_equal(b.n, strlen(want) + 1);
    assert_memory_equal(got, want, strlen(want));
    assert_int_equal(got[b.n - 1], '\n');
}

static void numbers(void **state)
{
    (void)state;
    expect_csv((struct mysql_value){ .kind = MYSQL_V_INT, .i = 0 }, "0");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_INT, .i = -7 }, "-7");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_INT, .i = INT64_MIN }, "-9223372036854775808");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_UINT, .u = UINT64_MAX },
               "18446744073709551615");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_YEAR, .u = 2024 }, "2024");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_DECIMAL, .s = STR("-0.50") }, "-0.50");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_DOUBLE, .d = 21804.858478453007 },
               "+2.1804858478453007e+04");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_DOUBLE, .d = 0 }, "+0.0000000000000000e+00");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_FLOAT, .f = 9.8f }, "+9.8000001907348633e+00");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_BIT, .bits = 1, .u = 1 }, "1");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_BIT, .bits = 12, .u = 0xABC }, "0ABC");
}

/* Ours must print exactly what printf prints. */
static void expect_printf(double v)
{
    char want[64], got[64];
    snprintf(want, sizeof(want), "%+.16e", v);
    *dms_put_double(got, v) = '\0';
    assert_string_equal(got, want);
}

static void doubles_as_printf(void **state)
{
    (void)state;
    static const double chosen[] = { 1,        -1,      0.1,     0.5,      9.9999999999999999e22,
                                     1e16,     1e17,    1e-5,    1e22,     1e23,
                                     123456.5, 2.5e-17, 1e-16,   1e300,    5e-324,
                                     -0.0,     1e38,    3.4e38,  1.7e308,  9007199254740993.0,
                                     0.3,      1.0 / 3, 2.0 / 3, 99999999, 0.99999999999999999 };
    for (size_t i = 0; i < ARRAY_LEN(chosen); i++) {
        expect_printf(chosen[i]);
    }
    for (int i = 0; i < 200000; i++) {
        uint64_t bits;
        double v;
        id_random(&bits, sizeof(bits));
        memcpy(&v, &bits, sizeof(v));
        if (isfinite(v)) {
            expect_printf(v);
        }
        expect_printf((double)(int64_t)(bits % 2000000000000) / 100 - 1e10);
        expect_printf(ldexp((double)(bits >> 40), (int)(bits % 80) - 60));
    }
}

static void times(void **state)
{
    (void)state;
    struct mysql_time t = {
        .year = 2024, .month = 1, .day = 2, .hour = 3, .minute = 4, .second = 5, .micros = 60000
    };
    expect_csv((struct mysql_value){ .kind = MYSQL_V_DATE, .t = t }, "2024-01-02");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_DATETIME, .t = t }, "2024-01-02 03:04:05");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_DATETIME, .digits = 3, .t = t },
               "2024-01-02 03:04:05.060");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_TIMESTAMP, .digits = 6, .t = t },
               "2024-01-02 03:04:05.060000");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_DATETIME }, ""); /* 0000-00-00 00:00:00 */
    struct mysql_time span = { .hour = 838, .minute = 59, .second = 59, .negative = true };
    expect_csv((struct mysql_value){ .kind = MYSQL_V_TIME, .t = span }, "-838:59:59");
    span = (struct mysql_time){ .hour = 7, .micros = 500000 };
    expect_csv((struct mysql_value){ .kind = MYSQL_V_TIME, .digits = 1, .t = span }, "07:00:00.5");
    char text[64];
    *dms_put_stamp(text, 1795158489123456) = '\0';
    assert_string_equal(text, "2026-11-20 07:08:09.123456");
    *dms_put_stamp(text, -1) = '\0';
    assert_string_equal(text, "1969-12-31 23:59:59.999999");
}

static struct mysql_value text_value(struct str s)
{
    return (struct mysql_value){ .kind = MYSQL_V_TEXT, .s = s };
}

static void texts_and_quotes(void **state)
{
    (void)state;
    expect_csv(text_value(STR("")), "");
    expect_csv(text_value(STR(" blanks ' \\ stay ")), " blanks ' \\ stay ");
    expect_csv(text_value(STR("54, rue Royale")), "\"54, rue Royale\"");
    expect_csv(text_value(STR("a,\"b\"")), "\"a,\"\"b\"\"\"");
    expect_csv(text_value(STR("two\nlines")), "\"two\nlines\"");
    expect_csv(text_value(STR("cr\r")), "\"cr\r\"");
    expect_csv(text_value(STR("eight by\"te")), "\"eight by\"\"te\"");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_SET, .s = STR("a,b") }, "\"a,b\"");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_JSON, .s = STR("{\"a\": 1}") },
               "\"{\"\"a\"\": 1}\"");
    expect_csv((struct mysql_value){ .kind = MYSQL_V_BYTES, .s = STR("\x00\xfe\n") }, "00FE0A");
}

/* One byte after the other. */
static size_t print_plainly(char *to, struct str s, struct str delimiter)
{
    bool quote = false;
    char *p = to;
    for (size_t i = 0; i < s.n; i++) {
        quote = quote || s.p[i] == '"' || s.p[i] == '\r' || s.p[i] == '\n' ||
                str_starts(str_sub(s, i, s.n), delimiter);
    }
    if (quote) {
        *p++ = '"';
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') {
            *p++ = '"';
        }
        *p++ = s.p[i];
    }
    if (quote) {
        *p++ = '"';
    }
    *p++ = '\n';
    return (size_t)(p - to);
}

static void expect_plain(const struct dms_csv_format *f, struct str s)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    char want[256];
    const struct mysql_value v = { .kind = MYSQL_V_TEXT, .s = s };
    const char *got = row(&b, f, (struct dms_csv_lead){ 0 }, &v, 1);
    assert_int_equal(b.n, print_plainly(want, s, f->delimiter));
    assert_memory_equal(got, want, b.n);
}

/* Texts are looked at in pieces: each length, with each suspicious byte at each place. */
static void texts_of_each_length(void **state)
{
    (void)state;
    static const char marks[] = "\"\r\n,|";
    struct dms_csv_format formats[] = { plain(), plain() };
    formats[1].delimiter = STR("||");
    dms_csv_prepare(&formats[1]);
    for (size_t n = 0; n <= 50; n++) {
        CLEANUP(free_ptr) char *text = xmalloc(n + !n); /* nothing behind it may be read */
        for (size_t at = 0; at <= n; at++) {
            for (const char *m = marks; *m; m++) {
                memset(text, 'x', n);
                if (at < n) {
                    text[at] = *m;
                }
                expect_plain(&formats[0], (struct str){ text, n });
                expect_plain(&formats[1], (struct str){ text, n });
                if (at + 1 < n) {
                    text[at + 1] = *m;
                    expect_plain(&formats[1], (struct str){ text, n });
                }
            }
        }
    }
}

static void integers_as_printf(void **state)
{
    (void)state;
    char want[32], got[32];
    uint64_t power = 1;
    for (int digits = 1; digits <= 20; digits++, power *= 10) {
        for (uint64_t v = power - 1; v != power + 2; v++) {
            snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
            *dms_put_u64(got, v) = '\0';
            assert_string_equal(got, want);
        }
    }
    *dms_put_u64(got, UINT64_MAX) = '\0';
    assert_string_equal(got, "18446744073709551615");
}

static void layout(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct dms_csv_format f = plain();
    struct mysql_value v[2] = { { .kind = MYSQL_V_INT, .i = 1 }, { .kind = MYSQL_V_NULL } };
    assert_string_equal(row(&b, &f, (struct dms_csv_lead){ .op = 'U' }, v, 2), "U,1,\n");
    struct dms_csv_lead both = { .op = 'I', .timestamp = true, .time_us = 1000000 };
    assert_string_equal(row(&b, &f, both, v, 2), "I,1970-01-01 00:00:01.000000,1,\n");
    struct dms_csv_lead stamp = { .timestamp = true };
    assert_string_equal(row(&b, &f, stamp, v, 2), "1970-01-01 00:00:00.000000,1,\n");
    f.null_text = STR("NULL");
    f.no_value_text = STR("?");
    f.row_end = STR("\r\n");
    v[0].kind = MYSQL_V_ABSENT;
    assert_string_equal(row(&b, &f, (struct dms_csv_lead){ 0 }, v, 2), "?,NULL\r\n");
}

static void odd_delimiters(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct dms_csv_format f = plain();
    f.delimiter = STR("||");
    dms_csv_prepare(&f);
    struct mysql_value v[2] = { text_value(STR("a|b,c")), text_value(STR("a||b")) };
    assert_string_equal(row(&b, &f, (struct dms_csv_lead){ 0 }, v, 2), "a|b,c||\"a||b\"\n");
    f.delimiter = STR("-"); /* occurs in numbers and dates */
    dms_csv_prepare(&f);
    v[0] = (struct mysql_value){ .kind = MYSQL_V_INT, .i = -5 };
    v[1] =
        (struct mysql_value){ .kind = MYSQL_V_DATE, .t = { .year = 2024, .month = 1, .day = 2 } };
    assert_string_equal(row(&b, &f, (struct dms_csv_lead){ 0 }, v, 2), "\"-5\"-\"2024-01-02\"\n");
    f.rfc4180 = false;
    dms_csv_prepare(&f);
    assert_string_equal(row(&b, &f, (struct dms_csv_lead){ 0 }, v, 2), "-5-2024-01-02\n");
}

static void lobs_are_cut(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    const struct mysql_column columns[] = {
        { .name = STR("id"), .family = MYSQL_F_INT },
        { .name = STR("a,b"), .family = MYSQL_F_LONGTEXT },
        { .name = STR("blob"), .family = MYSQL_F_MEDIUMBLOB },
        { .name = STR("plain"), .family = MYSQL_F_TEXT },
    };
    const struct mysql_table t = { .columns = columns, .columns_n = 4 };
    const struct mysql_value v[] = { { .kind = MYSQL_V_INT, .i = 1 },
                                     text_value(STR("abc\xc3\xa4x")),
                                     { .kind = MYSQL_V_BYTES, .s = STR("\x01\x02\x03\x04\x05") },
                                     text_value(STR("whole text")) };
    struct dms_csv_format f = plain();
    struct dms_csv_plan plan;
    uint64_t cut = 0;
    dms_csv_plan(a, &t, true, 4, (struct dms_csv_order){ 0 }, &plan);
    dms_csv_row(&b, &f, &plan, &(struct dms_csv_lead){ 0 }, v, &cut);
    assert_string_equal(b.p, "1,abc,01020304,whole text\n"); /* not in the middle of ä */
    assert_int_equal(cut, 2);
    buf_clear(&b);
    dms_csv_plan(a, &t, false, 4, (struct dms_csv_order){ 0 }, &plan);
    dms_csv_row(&b, &f, &plan, &(struct dms_csv_lead){ 0 }, v, NULL);
    assert_string_equal(b.p, "1,whole text\n");
    buf_clear(&b);
    f.timestamp_name = STR("ts");
    dms_csv_plan(a, &t, true, 4, (struct dms_csv_order){ 0 }, &plan);
    dms_csv_header(&b, &f, &plan, true);
    assert_string_equal(b.p, "Op,ts,id,\"a,b\",blob,plain\n");
}

static void padding(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct dms_csv_format f = plain();
    f.pad = true;
    const struct dms_csv_column columns[] = { { .index = 0, .chars = 4 }, { .index = 1 } };
    const struct dms_csv_plan plan = { columns, 2 };
    struct mysql_value v[] = { text_value(STR("\xc3\xa4\xc3\xb6")), text_value(STR("x")) };
    const struct dms_csv_lead lead = { 0 };
    dms_csv_row(&b, &f, &plan, &lead, v, NULL);
    v[0] = text_value(STR("\"")); /* quotes hold the blanks too */
    dms_csv_row(&b, &f, &plan, &lead, v, NULL);
    v[0] = (struct mysql_value){ .kind = MYSQL_V_NULL };
    dms_csv_row(&b, &f, &plan, &lead, v, NULL);
    v[0] = text_value(STR("too long"));
    dms_csv_row(&b, &f, &plan, &lead, v, NULL);
    f.delimiter = STR(" ");
    dms_csv_prepare(&f);
    v[0] = text_value(STR("a"));
    dms_csv_row(&b, &f, &plan, &lead, v, NULL);
    assert_string_equal(b.p, "\xc3\xa4\xc3\xb6  ,x\n\"\"\"   \",x\n,x\ntoo long,x\n\"a   \" x\n");
}

static void timestamps_of_a_zone(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct dms_csv_format f = plain();
    assert_int_equal(zone_read(a, STR("Asia/Tokyo"), &f.zone), ST_OK);
    const struct mysql_time t = { .year = 2024, .month = 2, .day = 29, .hour = 15, .micros = 5 };
    const struct mysql_value v[] = { { .kind = MYSQL_V_TIMESTAMP, .digits = 6, .t = t },
                                     { .kind = MYSQL_V_DATETIME, .t = t },
                                     { .kind = MYSQL_V_TIMESTAMP } }; /* 0000-00-00 */
    assert_string_equal(row(&b, &f, (struct dms_csv_lead){ .timestamp = true }, v, 3),
                        "1970-01-01 00:00:00.000000,2024-03-01 00:00:00.000005,"
                        "2024-02-29 15:00:00,\n");
}

static void rows_of_several_tables(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct dms_csv_format f = plain();
    struct mysql_value v = { .kind = MYSQL_V_INT, .i = 1 };
    struct dms_csv_lead lead = { .op = 'D', .table = STR("a,b"), .schema = STR("s\"") };
    assert_string_equal(row(&b, &f, lead, &v, 1), "D,\"a,b\",\"s\"\"\",1\n");
}

static void too_long_a_row_is_told(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(100);
    struct dms_csv_format f = plain();
    struct dms_csv_column column = { 0 };
    struct dms_csv_plan plan = { &column, 1 };
    struct mysql_value v = text_value(STR("0123456789012345678901234567890123456789"));
    dms_csv_row(&b, &f, &plan, &(struct dms_csv_lead){ 0 }, &v, NULL);
    dms_csv_row(&b, &f, &plan, &(struct dms_csv_lead){ 0 }, &v, NULL);
    assert_false(buf_ok(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(doubles_as_printf),
        cmocka_unit_test(times),
        cmocka_unit_test(texts_and_quotes),
        cmocka_unit_test(texts_of_each_length),
        cmocka_unit_test(integers_as_printf),
        cmocka_unit_test(layout),
        cmocka_unit_test(odd_delimiters),
        cmocka_unit_test(lobs_are_cut),
        cmocka_unit_test(padding),
        cmocka_unit_test(timestamps_of_a_zone),
        cmocka_unit_test(rows_of_several_tables),
        cmocka_unit_test(too_long_a_row_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
