/* Hostile bytes: events that a real server sent are changed at random, and must be read or refused
 * without touching memory that is not theirs (run it under ASan). And MySQL's compressed
 * transactions, which MariaDB does not write, are made from its events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/mysql/binlog_parts.h"
#include "server/mysql/jsonb.h"
#include "server/mysql/snapshot_parts.h"
#include "tests/support/mysql_rows.h"

#define EVENTS_MAX 400
#define FUZZ_MS 900
#define CRC 4u

static struct mariadb *server;

struct events {
    uint8_t *bytes[EVENTS_MAX];
    size_t sizes[EVENTS_MAX];
    size_t n;
    struct mysql_position start;
    struct arena *arena;
    struct mysql_table table;
};

static struct events events;

/* A small generator of our own: the same run every time. */
static uint64_t seed = 88172645463325252ull;
static size_t pick(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n ? (size_t)(seed % n) : 0;
}

static const char *const setup[] = {
    "CREATE DATABASE fuzz CHARACTER SET utf8mb4",
    "USE fuzz",
    "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(300), c DECIMAL(20,5), d DATETIME(3), e TIME(6), "
    "f TIMESTAMP(2) NULL, g BLOB, h ENUM('x','y'), i SET('p','q','r'), j BIT(13), k UUID, l INET6, "
    "m VARCHAR(40) CHARACTER SET utf16, n VARCHAR(40) CHARACTER SET gbk, o BINARY(9), "
    "p VARCHAR(900) COMPRESSED, q DOUBLE, r FLOAT, s YEAR, u DATE, v POINT, w TEXT CHARACTER SET "
    "latin1, x BIGINT UNSIGNED, y MEDIUMINT, z CHAR(200))",
};
static const char *const work[] = {
    "INSERT INTO t VALUES (1, 'b', 12.5, '2024-01-02 03:04:05.678', '-01:02:03.456789', "
    "'2024-01-02 03:04:05.67', 'blob', 'x', 'p,r', 4097, UUID(), '::1', 'utf16', 'gbk', 'bin', "
    "REPEAT('c', 800), 1.5, 2.5, 2024, '2024-02-29', ST_GeomFromText('POINT(1 2)'), 'grün', 9, -9, "
    "'z')",
    "INSERT INTO t (a, b) SELECT seq, REPEAT('y', seq * 10) FROM seq_2_to_20",
    "UPDATE t SET b = 'changed', g = NULL",
    "SET binlog_row_image = MINIMAL",
    "UPDATE t SET y = 5 WHERE a < 5",
    "SET GLOBAL log_bin_compress = 1, GLOBAL log_bin_compress_min_len = 10",
    "INSERT INTO t (a, b) SELECT seq, REPEAT('k', 250) FROM seq_30_to_40",
    "ALTER TABLE t COMMENT 'long enough to be compressed, long enough to be compressed, long "
    "enough "
    "to be compressed'",
    "XA START 'f',X'00',3",
    "INSERT INTO t (a, b) VALUES (90, 'prepared')",
    "UPDATE t SET b = 'prepared too' WHERE a = 3",
    "XA END 'f',X'00',3",
    "XA PREPARE 'f',X'00',3",
    "XA COMMIT 'f',X'00',3",
    "DELETE FROM t",
};

static void capture_events(void)
{
    static const struct mysql_binlog_calls none;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(mysql_conn_freep) struct mysql_conn *dump = db_connect(server);
    struct mysql_err err;
    events.arena = arena_new(1u << 22);
    for (size_t i = 0; i < ARRAY_LEN(setup); i++) {
        db_exec(c, setup[i]);
    }
    db_exec(c, "SET GLOBAL binlog_row_metadata = 'FULL'");
    assert_int_equal(
        mysql_schema_describe(c, events.arena, STR("fuzz"), STR("t"), &events.table, &err), ST_OK);
    assert_int_equal(mysql_position_end(c, &events.start, &err), ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(work); i++) {
        db_exec(c, work[i]);
    }
    struct mysql_binlog_options o = { .start = events.start, .server_id = 8, .until_end = true };
    struct mysql_binlog *b;
    assert_int_equal(mysql_binlog_open(dump, &o, &none, NULL, &b, &err), ST_OK);
    const uint8_t *p;
    size_t n;
    while (mysql_conn_recv(dump, &p, &n, &err) == ST_OK && p[0] == 0 && events.n < EVENTS_MAX) {
        uint8_t *copy = xmalloc(n - 1);
        memcpy(copy, p + 1, n - 1);
        events.bytes[events.n] = copy;
        events.sizes[events.n++] = n - 1;
    }
    mysql_binlog_free(b);
    assert_true(events.n > 20);
}

static enum status lookup(void *ctx, struct str schema, struct str name,
                          const struct mysql_table **ret)
{
    (void)ctx;
    *ret = str_eqz(schema, "fuzz") && str_eqz(name, "t") ? &events.table : NULL;
    return ST_OK;
}

/* Touches every byte that it is given. */
static enum status row(void *ctx, const struct mysql_change *change)
{
    struct buf *b = ctx;
    for (size_t i = 0; i < change->table->columns_n; i++) {
        if (change->before) {
            mysql_value_print(&change->before[i], b);
        }
        if (change->after) {
            mysql_value_print(&change->after[i], b);
        }
        buf_putc(b, ',');
    }
    if (b->n > (1u << 20)) {
        buf_clear(b);
    }
    return ST_OK;
}

static enum status ddl(void *ctx, const struct mysql_statement *s)
{
    buf_str_add(ctx, s->text);
    return ST_OK;
}

static bool wants_before(void *ctx, const struct mysql_table *table)
{
    (void)ctx;
    (void)table;
    return false;
}

static const struct mysql_binlog_calls calls = { .lookup = lookup, .row = row, .ddl = ddl };
static const struct mysql_binlog_calls new_images_only = {
    .lookup = lookup, .row = row, .ddl = ddl, .wants_before = wants_before
};

static struct mysql_conn *unconnected(void)
{
    return mysql_conn_new(&(struct mysql_conn_options){ .port = 1 });
}

static void put_size(uint8_t *event, size_t n)
{
    for (int i = 0; i < 4; i++) {
        event[9 + i] = (uint8_t)(n >> (8 * i));
    }
}

/* Copies an event into memory of exactly its size, changed at some places. */
static uint8_t *mutate(size_t i, size_t *ret_n)
{
    size_t n = events.sizes[i];
    if (pick(4) == 0) {
        n -= pick(n - EVENT_HEADER);
    }
    uint8_t *copy = xmalloc(n);
    memcpy(copy, events.bytes[i], n);
    put_size(copy, n);
    for (size_t k = pick(4); k > 0 && n > EVENT_HEADER; k--) {
        size_t at = pick(8) == 0 ? 4 : EVENT_HEADER + pick(n - EVENT_HEADER);
        static const uint8_t odd[] = { 0, 0xFF, 0x7F, 0x80, 0xFC, 0xFD, 0xFE, 1 };
        copy[at] = pick(2) ? odd[pick(sizeof(odd))] : (uint8_t)pick(256);
    }
    *ret_n = n;
    return copy;
}

static void test_binlog_events(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = unconnected();
    CLEANUP(buf_fini) struct buf out = BUF_INIT(1u << 24);
    struct mysql_binlog_options o = { .start = events.start, .server_id = 8, .trust_bytes = true };
    int64_t until = clock_mono_ms() + FUZZ_MS;
    size_t refused = 0, passed = 0;
    while (clock_mono_ms() < until) {
        struct mysql_binlog *b = binlog_new(c, &o, pick(2) ? &calls : &new_images_only, &out);
        b->checksums = true;
        b->mariadb = true;
        enum status st = ST_OK;
        size_t one_in = 1 + pick(40);
        for (size_t i = 0; i < events.n && !st; i++) {
            struct mysql_err err;
            bool change = pick(one_in) == 0;
            size_t n = events.sizes[i];
            uint8_t *p = change ? mutate(i, &n) : events.bytes[i];
            st = binlog_packet(b, p, n, &err);
            if (st) {
                assert_true(err.kind != MYSQL_ERR_NONE && err.text[0] != '\0');
            }
            if (change) {
                free(p);
            }
        }
        refused += st != ST_OK;
        passed += st == ST_OK;
        mysql_binlog_free(b);
    }
    assert_true(refused > 10);
    (void)passed;
}

static enum status after_only(void *ctx, const struct mysql_change *change)
{
    struct mysql_change copy = *change;
    copy.before = NULL;
    return change->kind == MYSQL_UPDATE ? row(ctx, &copy) : ST_OK;
}

/* Reading over the old image of an UPDATE, all types in it, gives the same new one. */
static void test_old_images_are_left_out(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = unconnected();
    CLEANUP(buf_fini) struct buf whole = BUF_INIT(1u << 24), left_out = BUF_INIT(1u << 24);
    struct mysql_binlog_options o = { .start = events.start, .server_id = 8, .trust_bytes = true };
    for (int pass = 0; pass < 2; pass++) {
        struct mysql_binlog_calls k = pass ? new_images_only : calls;
        k.row = after_only;
        struct mysql_binlog *b = binlog_new(c, &o, &k, pass ? &left_out : &whole);
        b->checksums = true;
        b->mariadb = true;
        struct mysql_err err;
        for (size_t i = 0; i < events.n; i++) {
            if (binlog_packet(b, events.bytes[i], events.sizes[i], &err) != ST_OK) {
                fail_msg("%s", err.text);
            }
        }
        mysql_binlog_free(b);
    }
    assert_true(whole.n > 500);
    assert_true(str_eq(buf_str(&whole), buf_str(&left_out)));
}

static void test_checksums(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = unconnected();
    CLEANUP(buf_fini) struct buf out = BUF_INIT(1u << 24);
    struct mysql_binlog_options o = { .start = events.start, .server_id = 8 };
    struct mysql_err err;
    struct mysql_binlog *b = binlog_new(c, &o, &calls, &out);
    b->checksums = true;
    enum status st = ST_OK;
    size_t i = 0;
    for (; i < 5; i++) {
        assert_int_equal(binlog_packet(b, events.bytes[i], events.sizes[i], &err), ST_OK);
    }
    events.bytes[i][events.sizes[i] - 10] ^= 1;
    st = binlog_packet(b, events.bytes[i], events.sizes[i], &err);
    events.bytes[i][events.sizes[i] - 10] ^= 1;
    assert_int_equal(st, ST_INVALID);
    assert_int_equal(err.kind, MYSQL_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "checksum"));
    mysql_binlog_free(b);
}

/* --- compressed transactions of MySQL --------------------------------------------------------- */

static void lenenc(struct buf *b, uint64_t v)
{
    if (v < 251) {
        buf_putc(b, (char)v);
        return;
    }
    buf_putc(b, (char)254);
    buf_add(b, &v, 8);
}

static void field(struct buf *b, uint64_t type, uint64_t value)
{
    struct buf one = BUF_INIT(16);
    lenenc(&one, value);
    lenenc(b, type);
    lenenc(b, one.n);
    buf_str_add(b, buf_str(&one));
    buf_fini(&one);
}

/* Event i … until its XID, without checksums, as one event of type 40. */
static size_t pack_transaction(size_t i, struct buf *event)
{
    CLEANUP(buf_fini) struct buf plain = BUF_INIT(1u << 22);
    CLEANUP(buf_fini) struct buf packed = BUF_INIT(1u << 22);
    uint8_t type = 0;
    for (; i < events.n && type != EVENT_XID; i++) {
        uint8_t head[EVENT_HEADER];
        memcpy(head, events.bytes[i], sizeof(head));
        type = head[4];
        put_size(head, events.sizes[i] - CRC);
        buf_add(&plain, head, sizeof(head));
        buf_add(&plain, events.bytes[i] + EVENT_HEADER, events.sizes[i] - EVENT_HEADER - CRC);
    }
    char *to = buf_reserve(&packed, ZSTD_compressBound(plain.n));
    buf_commit(&packed, ZSTD_compress(to, ZSTD_compressBound(plain.n), plain.p, plain.n, 3));
    buf_add(event, events.bytes[i - 1], EVENT_HEADER);
    event->p[4] = EVENT_TRANSACTION_PAYLOAD;
    field(event, 2, 0);
    field(event, 3, plain.n);
    field(event, 1, packed.n);
    lenenc(event, 0);
    buf_str_add(event, buf_str(&packed));
    buf_add(event, "crc!", CRC);
    put_size((uint8_t *)event->p, event->n);
    return i;
}

static void test_payload(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = unconnected();
    CLEANUP(buf_fini) struct buf direct = BUF_INIT(1u << 24), unpacked = BUF_INIT(1u << 24);
    struct mysql_binlog_options o = { .start = events.start, .server_id = 8, .trust_bytes = true };
    struct mysql_err err;
    struct buf packed = BUF_INIT(1u << 22);
    for (int pass = 0; pass < 2; pass++) {
        struct buf *out = pass ? &unpacked : &direct;
        struct mysql_binlog *b = binlog_new(c, &o, &calls, out);
        b->checksums = true;
        b->mariadb = true;
        for (size_t i = 0; i < events.n;) {
            const uint8_t *p = events.bytes[i];
            size_t n = events.sizes[i];
            if (pass && p[4] == EVENT_TABLE_MAP) {
                buf_clear(&packed);
                i = pack_transaction(i, &packed);
                p = (const uint8_t *)packed.p;
                n = packed.n;
            } else {
                i++;
            }
            if (binlog_packet(b, p, n, &err) != ST_OK) {
                fail_msg("%s", err.text);
            }
        }
        mysql_binlog_free(b);
    }
    assert_true(direct.n > 1000);
    assert_true(str_eq(buf_str(&direct), buf_str(&unpacked)));
    /* and damaged ones */
    for (int k = 0; k < 300; k++) {
        struct mysql_binlog *b = binlog_new(c, &o, &calls, &unpacked);
        size_t n = packed.n - pick(packed.n - EVENT_HEADER - CRC);
        uint8_t *copy = xmalloc(n);
        memcpy(copy, packed.p, n);
        copy[EVENT_HEADER + pick(n - EVENT_HEADER)] = (uint8_t)pick(256);
        put_size(copy, n);
        b->checksums = b->mariadb = true;
        b->group = GROUP_OPEN;
        status_ignore(binlog_packet(b, copy, n, &err));
        free(copy);
        mysql_binlog_free(b);
    }
    buf_fini(&packed);
}

/* --- rows of the binary protocol, JSON, statements -------------------------------------------- */

static void test_rows(void **state)
{
    (void)state;
    static const uint8_t wires[] = { 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 16, 246, 252, 254 };
    CLEANUP(buf_fini) struct buf out = BUF_INIT(1u << 20);
    for (int k = 0; k < 30000; k++) {
        struct rowread_column columns[12];
        struct mysql_value values[12] = { 0 };
        size_t n = 1 + pick(12), size = 1 + pick(80);
        for (size_t i = 0; i < n; i++) {
            struct mysql_column col = { .family = (enum mysql_family)(1 + pick(32)),
                                        .precision = 5,
                                        .is_unsigned = pick(2) };
            columns[i].index = i;
            if (!rowread_plan(&col, wires[pick(sizeof(wires))], &columns[i])) {
                i--;
            }
        }
        uint8_t *p = xmalloc(size);
        for (size_t i = 0; i < size; i++) {
            p[i] = (uint8_t)(pick(3) ? pick(12) : pick(256));
        }
        if (rowread_decode(p, size, columns, n, values)) {
            for (size_t i = 0; i < n; i++) {
                mysql_value_print(&values[i], &out);
            }
            buf_clear(&out);
        }
        free(p);
    }
}

static void test_json(void **state)
{
    (void)state;
    for (int k = 0; k < 50000; k++) {
        size_t n = pick(60);
        char *p = xmalloc(n + 1);
        for (size_t i = 0; i < n; i++) {
            p[i] = (char)(pick(4) ? pick(16) : pick(256));
        }
        CLEANUP(buf_fini) struct buf b = BUF_INIT(n * 8 + 256);
        bool ok = jsonb_text((struct str){ p, n }, &b);
        assert_true(!ok || b.n > 0);
        free(p);
    }
}

static void test_statements(void **state)
{
    (void)state;
    static const char *const words[] = { "ALTER ",     "TABLE ",  "`a",      "`.",     "b ",
                                         "RENAME ",    "TO ",     "DROP ",   "(",      ")",
                                         "'",          "\"",      "/*",      "*/",     "/*!50",
                                         "--",         "\n",      "#",       "\\",     ",",
                                         "IF ",        "EXISTS ", "INDEX ",  "ON ",    "SET ",
                                         "STATEMENT ", "FOR ",    "INSERT ", "UPDATE " };
    for (int k = 0; k < 20000; k++) {
        CLEANUP(arena_freep) struct arena *a = arena_new(1u << 16);
        CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
        for (size_t i = pick(14); i > 0; i--) {
            buf_puts(&b, words[pick(ARRAY_LEN(words))]);
        }
        char *exact = xmalloc(b.n + 1);
        memcpy(exact, b.p ? b.p : "", b.n);
        struct mysql_ddl out;
        mysql_ddl_parse(a, (struct str){ exact, b.n }, STR("db"), (unsigned)pick(2), &out);
        for (size_t i = 0; i < out.n; i++) {
            assert_true(str_set(out.items[i].name));
        }
        free(exact);
    }
}

static int start(void **state)
{
    (void)state;
    server = mariadb_start(NULL);
    capture_events();
    mariadb_stop(server);
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < events.n; i++) {
        free(events.bytes[i]);
    }
    arena_free(events.arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binlog_events),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_old_images_are_left_out),
        cmocka_unit_test(test_payload),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_statements),
    };
    return cmocka_run_group_tests(tests, start, end);
}
