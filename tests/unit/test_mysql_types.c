/* The golden test: for every type family, values read by a snapshot equal those that the binlog
 * says (INSERT, both images of UPDATE, DELETE), and the text that SELECT prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "tests/support/mysql_rows.h"

static struct mariadb *server;

struct type_case {
    const char *table;
    const char *columns;   /* behind "id INT PRIMARY KEY, touched INT, " */
    const char *values[8]; /* one per row; all-NULL is added */
};

static const struct type_case cases[] = {
    { "ints",
      "a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d SMALLINT UNSIGNED, e MEDIUMINT, "
      "f MEDIUMINT UNSIGNED, g INT, h INT UNSIGNED, i BIGINT, j BIGINT UNSIGNED, k BOOL, "
      "l INT(7) ZEROFILL",
      { "-128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, "
        "-9223372036854775808, 18446744073709551615, 1, 42",
        "127, 0, 32767, 0, 8388607, 0, 2147483647, 0, 9223372036854775807, 0, 0, 0",
        "-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 9999999" } },
    { "reals",
      "a FLOAT, b DOUBLE, c FLOAT(7,3), d DOUBLE(12,4), e FLOAT UNSIGNED, f REAL",
      { "16777217, 0.1, 1234.567, 12345678.1234, 3.5, 1e100",
        "-3.4028234e38, -1.7976931348623157e308, -0.001, -0.0001, 0, -0.0",
        "1.17549435e-38, 2.2250738585072014e-308, 0, 0, 1e-5, 123456789012345678",
        "9.8, 1e15, 1, 1, 1, 1e-10", "0.00001, 1e14, 1, 1, 1, 1e-15",
        "7, 4.9e-324, 1, 1, 1, 1234567890123456.7" } },
    { "decimals",
      "a DECIMAL(10,2), b DECIMAL(65,30), c DECIMAL(5,0), d DECIMAL(30,30), e DECIMAL(9,9), "
      "f DECIMAL(18,9) UNSIGNED, g DECIMAL(1,0), h DECIMAL(38,10)",
      { "12.50, 12345678901234567890123456789012345.123456789012345678901234567890, 99999, "
        "0.123456789012345678901234567890, 0.123456789, 123456789.123456789, 9, "
        "1234567890123456789012345678.0123456789",
        "-0.50, -99999999999999999999999999999999999.999999999999999999999999999999, -99999, "
        "-0.999999999999999999999999999999, -0.000000001, 0, -9, -0.0000000001",
        "0, 0, 0, 0, 0, 0.000000001, 0, 1000000000",
        "0.01, 1, 10, 0.1, 0.1, 1, 1, 1000000001.5" } },
    { "bits",
      "a BIT, b BIT(7), c BIT(8), d BIT(9), e BIT(33), f BIT(64)",
      { "1, 127, 255, 511, 8589934591, 18446744073709551615", "0, 0, 0, 0, 0, 0",
        "b'1', b'1000001', b'10000001', b'100000001', b'101', b'11'" } },
    { "dates",
      "a DATE, b YEAR, c DATETIME, d TIMESTAMP NULL, e TIME",
      { "'2024-02-29', 2024, '2024-02-29 23:59:59', '2024-02-29 23:59:59', '12:34:56'",
        "'1000-01-01', 1901, '1000-01-01 00:00:00', '1970-01-01 00:00:01', '-838:59:59'",
        "'9999-12-31', 2155, '9999-12-31 23:59:59', '2038-01-19 03:14:07', '838:59:59'",
        "'0000-00-00', 0, '0000-00-00 00:00:00', '0000-00-00 00:00:00', '00:00:00'",
        "'2024-00-00', 2000, '2024-01-00 10:11:12', '2000-03-01 00:00:00', '-00:00:01'" } },
    { "fractions",
      "a DATETIME(1), b DATETIME(2), c DATETIME(3), d DATETIME(4), e DATETIME(5), f DATETIME(6), "
      "g TIMESTAMP(1) NULL, h TIMESTAMP(3) NULL, i TIMESTAMP(6) NULL, j TIME(1), k TIME(2), "
      "l TIME(3), m TIME(4), n TIME(5), o TIME(6)",
      { "'2024-01-02 03:04:05.6', '2024-01-02 03:04:05.67', '2024-01-02 03:04:05.678', "
        "'2024-01-02 03:04:05.6789', '2024-01-02 03:04:05.67891', '2024-01-02 03:04:05.678912', "
        "'2024-01-02 03:04:05.6', '2024-01-02 03:04:05.678', '2024-01-02 03:04:05.678912', "
        "'01:02:03.4', '01:02:03.45', '01:02:03.456', '01:02:03.4567', '01:02:03.45678', "
        "'01:02:03.456789'",
        "'9999-12-31 23:59:59.9', '9999-12-31 23:59:59.99', '9999-12-31 23:59:59.999', "
        "'9999-12-31 23:59:59.9999', '9999-12-31 23:59:59.99999', '9999-12-31 23:59:59.999999', "
        "'1970-01-01 00:00:01.9', '1970-01-01 00:00:01.999', '1970-01-01 00:00:01.999999', "
        "'-838:59:58.9', '-838:59:58.99', '-838:59:58.999', '-838:59:58.9999', "
        "'-838:59:58.99999', '-838:59:58.999999'",
        "'0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', "
        "'0000-00-00', '0000-00-00', '0000-00-00', '-00:00:01.5', '-00:00:01.05', "
        "'-00:00:00.001', '-00:00:00.0001', '-00:00:00.00001', '-00:00:00.000001'" } },
    { "chars",
      "a CHAR(10) CHARACTER SET utf8mb4, b VARCHAR(10), c VARCHAR(300), d TINYTEXT, e TEXT, "
      "f MEDIUMTEXT, g LONGTEXT, h CHAR(255) CHARACTER SET utf8mb4, i JSON, j CHAR(0)",
      { "'abc   ', 'abc   ', REPEAT('x', 300), 'tiny', 'te\"xt', 'me,dium', 'lo\\nng', "
        "REPEAT('\\U0001F600', 200), '{\"a\": [1, 2.5, \"x\"]}', ''",
        "'', '', '', '', '', '', '', '', '[]', ''",
        "'\\U0001F600', 'grün', 'x', REPEAT('t', 255), REPEAT('y', 65535), REPEAT('z', 70000), "
        "REPEAT('w', 100000), 'x', 'null', ''" } },
    { "charsets",
      "a VARCHAR(20) CHARACTER SET latin1, b CHAR(20) CHARACTER SET latin1, "
      "c TEXT CHARACTER SET utf16, d VARCHAR(20) CHARACTER SET ucs2, "
      "e CHAR(20) CHARACTER SET utf32, f VARCHAR(20) CHARACTER SET gbk, "
      "g VARCHAR(20) CHARACTER SET sjis, h VARCHAR(20) CHARACTER SET koi8r, "
      "i VARCHAR(20) CHARACTER SET utf8mb3, j VARCHAR(20) CHARACTER SET ascii, "
      "k ENUM('grün','x') CHARACTER SET latin1, l CHAR(20) CHARACTER SET utf16le, "
      "m VARCHAR(20) CHARACTER SET big5, n VARCHAR(20) CHARACTER SET euckr, "
      "o VARCHAR(20) CHARACTER SET ujis, p VARCHAR(20) CHARACTER SET cp1251",
      { "'grün €', 'é ', 'aé\\U0001F600', 'aé中', 'a\\U0001F600', '中文a', 'カタカナa', 'Привет', "
        "'中文', 'plain', 'grün', 'a中\\U0001F600', '中文', '한국어', '日本語', 'Привет'",
        "'', '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''",
        "X'8182808D', 'x', 'x', 'x', 'x', 'x', 'x\\\\~', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', "
        "'x'" } },
    { "bytes",
      "a BINARY(4), b VARBINARY(10), c TINYBLOB, d BLOB, e MEDIUMBLOB, f LONGBLOB, g BINARY(255), "
      "h VARBINARY(300)",
      { "'ab', 'ab', 'tiny', X'00FF00', REPEAT('m', 70000), REPEAT('l', 70000), 'x', 'y'",
        "'', '', '', '', '', '', '', ''",
        "X'01000000', X'0100', X'00', X'', X'FE', X'00000000', REPEAT('z', 255), REPEAT('h', "
        "300)" } },
    { "labels",
      "a ENUM('x','it''s','a,b','back\\\\slash','grün','') NOT NULL DEFAULT 'x', "
      "b SET('a','b','c','d''e'), c SET('1','2','3','4','5','6','7','8','9','10'), "
      "d ENUM('only') ",
      { "'x', 'a', '1', 'only'", "'it''s', 'a,c', '10,9', 'only'", "'a,b', '', '1,2,3', ''",
        "'back\\\\slash', 'b', '', 'only'", "'grün', 'a,b,c', '8', 'only'",
        "'', 'c', '7', 'only'" } },
    { "others",
      "a UUID, b INET6, c INET4, d POINT, e GEOMETRY, f LINESTRING",
      { "'123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '10.0.0.1', "
        "ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))', 4326), "
        "ST_GeomFromText('LINESTRING(0 0, 1 1)')",
        "'00000000-0000-0000-0000-000000000000', '::', '0.0.0.0', ST_GeomFromText('POINT(0 0)'), "
        "ST_GeomFromText('POINT(1 1)'), ST_GeomFromText('LINESTRING(0 0, 9 9)')",
        "'ffffffff-ffff-1fff-8fff-ffffffffff00', '::ffff:192.0.2.1', '255.255.255.255', "
        "ST_GeomFromText('POINT(-1.5 2.5)'), ST_GeomFromText('POINT(1 1)'), "
        "ST_GeomFromText('LINESTRING(0 0, 9 9)')",
        "'00112233-4455-6677-8899-aabbccddeeff', '::1.2.3.4', '1.2.3.0', "
        "ST_GeomFromText('POINT(-1.5 2.5)'), ST_GeomFromText('POINT(1 1)'), "
        "ST_GeomFromText('LINESTRING(0 0, 9 9)')" } },
    { "compressed",
      "a VARCHAR(2000) COMPRESSED, b TEXT COMPRESSED, c BLOB COMPRESSED",
      { "REPEAT('abc', 600), REPEAT('grün', 3000), REPEAT(X'00', 9000)", "'', '', ''",
        "'short', 'x', X'00'" } },
};

static bool comparable_text(const struct mysql_column *col)
{
    return col->family != MYSQL_F_FLOAT && col->family != MYSQL_F_BIT && !col->zerofill &&
           !(col->family == MYSQL_F_DOUBLE && str_find(col->type_text, '(', 0) >= 0);
}

/* Our text of each value against the server's. */
static void assert_texts(struct mysql_conn *c, const struct mysql_table *t, const struct rows *rows)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 28);
    CLEANUP(buf_fini) struct buf text = BUF_INIT(1u << 24);
    struct mysql_cells cells;
    struct mysql_err err;
    struct str sql = arena_printf(a, "SELECT * FROM `%.*s`.`%.*s` ORDER BY id", STR_ARG(t->schema),
                                  STR_ARG(t->name));
    assert_int_equal(mysql_conn_collect(c, a, sql.p, &cells, &err), ST_OK);
    assert_int_equal(cells.rows, rows->n);
    assert_int_equal(cells.cols, t->columns_n);
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t i = 0; i < t->columns_n; i++) {
            struct str want = cells.cells[r * cells.cols + i];
            const struct mysql_value *v = &rows->items[r][i];
            assert_int_equal(v->kind == MYSQL_V_NULL, !str_set(want));
            if (!str_set(want) || !comparable_text(&t->columns[i])) {
                continue;
            }
            buf_clear(&text);
            mysql_value_print(v, &text);
            if (!str_eq(text.n ? buf_str(&text) : STR(""), want)) {
                fail_msg("%.*s.%.*s row %zu: [%.*s], the server says [%.*s]", STR_ARG(t->name),
                         STR_ARG(t->columns[i].name), r, (int)text.n, text.p, STR_ARG(want));
            }
        }
    }
}

static void fill(struct mysql_conn *c, const struct type_case *k)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    size_t n = 0;
    for (; n < ARRAY_LEN(k->values) && k->values[n]; n++) {
        db_exec(c,
                arena_printf(a, "INSERT INTO %s VALUES (%zu, 0, %s)", k->table, n, k->values[n]).p);
    }
    db_exec(c, arena_printf(a, "INSERT INTO %s (id, touched) VALUES (%zu, 0)", k->table, n).p);
}

static void check_case(struct mysql_conn *c, const struct type_case *k)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    struct captured log;
    struct rows first = { 0 }, second = { 0 };
    struct mysql_position start;
    struct mysql_err err;
    db_exec(c, arena_printf(a, "CREATE OR REPLACE TABLE %s (id INT PRIMARY KEY, touched INT, %s)",
                            k->table, k->columns)
                   .p);
    captured_init(&log, c, "types", k->table);
    assert_int_equal(mysql_position_end(c, &start, &err), ST_OK);
    fill(c, k);
    snapshot_rows(c, &log.table, &first, NULL);
    assert_texts(c, &log.table, &first);
    db_exec(c, arena_printf(a, "UPDATE %s SET touched = touched + 1 ORDER BY id", k->table).p);
    snapshot_rows(c, &log.table, &second, NULL);
    db_exec(c, arena_printf(a, "DELETE FROM %s ORDER BY id", k->table).p);
    if (capture(server, &log, &start, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    rows_assert_equal(&log.table, &log.inserted, &first, "INSERT and snapshot");
    rows_assert_equal(&log.table, &log.before, &first, "UPDATE before and snapshot");
    rows_assert_equal(&log.table, &log.updated, &second, "UPDATE after and snapshot");
    rows_assert_equal(&log.table, &log.deleted, &second, "DELETE and snapshot");
    assert_true(first.n > 2);
    assert_int_equal(log.begins, log.commits);
    rows_fini(&first);
    rows_fini(&second);
    captured_fini(&log);
}

static void all_types(void)
{
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    db_exec(c, "CREATE DATABASE IF NOT EXISTS types CHARACTER SET utf8mb4");
    db_exec(c, "USE types");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_case(c, &cases[i]);
    }
}

static void test_types(void **state)
{
    (void)state;
    all_types();
}

static void test_types_full_metadata(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    db_exec(c, "SET GLOBAL binlog_row_metadata = 'FULL'");
    all_types();
    db_exec(c, "SET GLOBAL binlog_row_metadata = 'NO_LOG'");
}

static void test_types_compressed_log(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    db_exec(c, "SET GLOBAL log_bin_compress = 1, GLOBAL log_bin_compress_min_len = 10, "
               "GLOBAL column_compression_zlib_wrap = 1");
    all_types();
    db_exec(c, "SET GLOBAL log_bin_compress = 0, GLOBAL column_compression_zlib_wrap = 0");
}

static void test_types_without_checksum(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    db_exec(c, "SET GLOBAL binlog_checksum = 'NONE'");
    all_types();
    db_exec(c, "SET GLOBAL binlog_checksum = 'CRC32'");
}

#define WIDE_SETS 21 /* the first one of them below */

/* Every byte of the single-byte sets, and every pair of the double-byte ones that the server takes,
 * converts as the server itself converts it. */
static void test_charsets(void **state)
{
    static const char *const sets[] = {
        "latin1", "latin2",   "latin5", "latin7", "greek",   "hebrew", "cp1250", "cp1251",
        "cp1256", "cp1257",   "cp850",  "cp852",  "cp866",   "koi8r",  "koi8u",  "macroman",
        "macce",  "armscii8", "tis620", "hp8",    "dec8",    "ucs2",   "big5",   "gb2312",
        "gbk",    "sjis",     "cp932",  "ujis",   "eucjpms", "euckr",
    };
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 24);
    db_exec(c, "CREATE DATABASE IF NOT EXISTS types CHARACTER SET utf8mb4");
    db_exec(c, "USE types");
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        struct captured log;
        struct rows rows = { 0 };
        struct mysql_position start;
        struct mysql_err err;
        bool wide = i >= WIDE_SETS;
        db_exec(c, arena_printf(a,
                                "CREATE OR REPLACE TABLE cs (id INT PRIMARY KEY, "
                                "v VARCHAR(10) CHARACTER SET %s)",
                                sets[i])
                       .p);
        captured_init(&log, c, "types", "cs");
        assert_int_equal(mysql_position_end(c, &start, &err), ST_OK);
        db_exec(c, arena_printf(a,
                                "INSERT IGNORE INTO cs SELECT seq, "
                                "CONVERT(UNHEX(LPAD(HEX(seq), %d, '0')) USING %s) FROM "
                                "seq_%d_to_%d WHERE %s",
                                wide ? 4 : 2, sets[i], wide ? 256 : 1, wide ? 65535 : 255,
                                /* Half of a pair: the server itself then sends broken UTF-8. */
                                strcmp(sets[i], "ucs2") == 0 ? "seq NOT BETWEEN 55296 AND 57343"
                                                             : "TRUE")
                       .p);
        snapshot_rows(c, &log.table, &rows, NULL);
        if (capture(server, &log, &start, &err) != ST_OK) {
            fail_msg("%s", err.text);
        }
        rows_assert_equal(&log.table, &log.inserted, &rows, sets[i]);
        rows_fini(&rows);
        captured_fini(&log);
    }
}

static int start_server(void **state)
{
    (void)state;
    server = mariadb_start(NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    mariadb_stop(server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_types_full_metadata),
        cmocka_unit_test(test_types_compressed_log),
        cmocka_unit_test(test_types_without_checksum),
        cmocka_unit_test(test_charsets),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
