/* Snapshots and the binlog of a server that others write to: exactness of positions, statements,
 * interruptions, and everything that must be refused. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "tests/support/mysql_rows.h"

#define WRITERS 4
#define SNAPSHOTS 15

static struct mariadb *server;

static struct mysql_position here(struct mysql_conn *c)
{
    struct mysql_position p;
    struct mysql_err err;
    if (mysql_position_end(c, &p, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return p;
}

/* --- exactness -------------------------------------------------------------------------------- */

static atomic_bool writing, by_xa;

static enum status write_begin(struct mysql_conn *c, int w, long seq, struct mysql_err *err)
{
    return atomic_load(&by_xa) ? mysql_conn_execf(c, err, "XA START '%d-%ld'", w, seq)
                               : mysql_conn_exec(c, "BEGIN", err);
}

static enum status write_end(struct mysql_conn *c, int w, long seq, struct mysql_err *err)
{
    const char *word = seq % 7 != 0 ? "COMMIT" : "ROLLBACK";
    if (!atomic_load(&by_xa)) {
        return mysql_conn_exec(c, word, err);
    }
    enum status st = mysql_conn_execf(c, err, "XA END '%d-%ld'", w, seq);
    if (!st) {
        st = mysql_conn_execf(c, err, "XA PREPARE '%d-%ld'", w, seq);
    }
    return st ? st : mysql_conn_execf(c, err, "XA %s '%d-%ld'", word, w, seq);
}

/* Transactions of one to three rows (w, 1), (w, 2), …; some are rolled back. */
static void *write_rows(void *arg)
{
    int w = *(int *)arg;
    struct mysql_conn_options o = { .unix_socket = mariadb_socket(server), .user = "root" };
    struct mysql_conn *c;
    struct mysql_err err;
    if (mysql_conn_open(&o, &c, &err) != ST_OK) {
        return NULL;
    }
    for (long seq = 1; atomic_load(&writing); seq++) {
        enum status st = write_begin(c, w, seq, &err);
        int rows = 1 + (int)(seq % 3);
        for (int i = 0; i < rows && !st; i++) {
            st = mysql_conn_execf(
                c, &err, "INSERT INTO exact.t (w, seq, part) VALUES (%d, %ld, %d)", w, seq, i);
        }
        if (!st) {
            st = write_end(c, w, seq, &err);
        }
        if (st) {
            fprintf(stderr, "writer: %s\n", err.text);
            break;
        }
    }
    mysql_conn_free(c);
    return NULL;
}

/* What a snapshot, or the log up to a position, holds of each writer. */
struct tally {
    uint64_t rows[WRITERS];
    uint64_t sum[WRITERS]; /* of seq * 4 + part: tells sets of equal size apart */
};

static void tally_add(struct tally *t, const struct mysql_value *v)
{
    int64_t w = v[1].i;
    assert_true(w >= 0 && w < WRITERS);
    t->rows[w]++;
    t->sum[w] += (uint64_t)(v[2].i * 4 + v[3].i);
}

static enum status tally_row(void *ctx, const struct mysql_value *values)
{
    tally_add(ctx, values);
    return ST_OK;
}

struct exactness {
    struct mysql_table table;
    struct mysql_position at[SNAPSHOTS];
    struct tally seen[SNAPSHOTS], logged[SNAPSHOTS];
    size_t n;
};

static enum status exact_lookup(void *ctx, struct str schema, struct str name,
                                const struct mysql_table **ret)
{
    struct exactness *x = ctx;
    *ret = str_eqz(schema, "exact") && str_eqz(name, "t") ? &x->table : NULL;
    return ST_OK;
}

static enum status exact_row(void *ctx, const struct mysql_change *change)
{
    struct exactness *x = ctx;
    for (size_t i = 0; i < x->n; i++) {
        if (mysql_position_cmp(&change->tx->start, &x->at[i]) < 0) {
            tally_add(&x->logged[i], change->after);
        }
    }
    return ST_OK;
}

static void read_log(struct exactness *x, const struct mysql_position *start)
{
    const struct mysql_binlog_calls calls = { .lookup = exact_lookup, .row = exact_row };
    struct mysql_binlog_options o = { .start = *start, .server_id = 77, .until_end = true };
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct mysql_binlog *b;
    struct mysql_err err;
    if (mysql_binlog_open(c, &o, &calls, x, &b, &err) != ST_OK ||
        mysql_binlog_run(b, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    mysql_binlog_free(b);
}

/* Both connections must see the same; the sums of the two are compared, too. */
static void take_snapshot(struct exactness *x, struct mysql_conn *const *conns, size_t n,
                          const struct mysql_snapshot_options *o, enum mysql_snapshot_how how)
{
    struct mysql_snapshot *s;
    struct mysql_err err;
    if (mysql_snapshot_open(conns, n, o, &s, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(mysql_snapshot_how(s), how);
    usleep(20000); /* let others commit before the first row is read */
    for (size_t i = 0; i < n; i++) {
        struct tally t = { 0 };
        struct mysql_read read = { .table = &x->table, .row = tally_row, .ctx = &t };
        if (mysql_snapshot_read(s, i, &read, NULL, &err) != ST_OK) {
            fail_msg("%s", err.text);
        }
        if (i == 0) {
            x->seen[x->n] = t;
        }
        assert_memory_equal(&t, &x->seen[x->n], sizeof(t));
    }
    x->at[x->n++] = *mysql_snapshot_position(s);
    mysql_snapshot_free(s);
}

static void start_writers(pthread_t threads[WRITERS], int ids[WRITERS], bool xa)
{
    atomic_store(&writing, true);
    atomic_store(&by_xa, xa);
    for (int i = 0; i < WRITERS; i++) {
        ids[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_rows, &ids[i]), 0);
    }
    usleep(100000);
}

/* And compares what the snapshots saw with what the log has. */
static void end_writers(pthread_t threads[WRITERS], struct exactness *x,
                        const struct mysql_position *start)
{
    atomic_store(&writing, false);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    read_log(x, start);
    for (size_t i = 0; i < x->n; i++) {
        assert_memory_equal(&x->seen[i], &x->logged[i], sizeof(x->seen[i]));
        assert_true(x->seen[i].rows[0] > 0);
    }
}

static void test_exactness(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 24);
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(mysql_conn_freep) struct mysql_conn *c2 = db_connect(server);
    struct mysql_conn *conns[] = { c, c2 };
    struct exactness x = { .n = 0 };
    struct mysql_err err;
    db_script(c,
              "CREATE DATABASE exact;\n"
              "CREATE TABLE exact.t (id INT AUTO_INCREMENT PRIMARY KEY, w INT, seq INT, part INT)");
    assert_int_equal(mysql_schema_describe(c, a, STR("exact"), STR("t"), &x.table, &err), ST_OK);
    struct mysql_position start = here(c);
    const struct mysql_table *tables[] = { &x.table };
    const struct mysql_snapshot_options by_status = { .tables = tables, .tables_n = 1 };
    const struct mysql_snapshot_options by_flush = { .tables = tables,
                                                     .tables_n = 1,
                                                     .no_status = true };
    const struct mysql_snapshot_options by_lock = {
        .tables = tables, .tables_n = 1, .no_status = true, .forbid_flush = true
    };
    pthread_t threads[WRITERS];
    int ids[WRITERS];
    start_writers(threads, ids, false);
    for (size_t i = 0; i < SNAPSHOTS / 3; i++) {
        take_snapshot(&x, conns, 1, &by_status, MYSQL_SNAPSHOT_STATUS);
        take_snapshot(&x, conns, 2, &by_flush, MYSQL_SNAPSHOT_GLOBAL_LOCK);
        take_snapshot(&x, conns, 1, &by_lock, MYSQL_SNAPSHOT_TABLE_LOCK);
    }
    end_writers(threads, &x, &start);
    /* A quiet server lets several connections agree without any lock. */
    take_snapshot(&(struct exactness){ .table = x.table }, conns, 2, &by_status,
                  MYSQL_SNAPSHOT_STATUS);
}

/* Once there was an XA COMMIT, snapshots are taken under a lock: without, one in some hundred lacks
 * a transaction that its position says it has. */
static void test_exactness_of_xa(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 24);
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct exactness x = { .n = 0 };
    struct mysql_err err;
    db_exec(c, "TRUNCATE exact.t");
    assert_int_equal(mysql_schema_describe(c, a, STR("exact"), STR("t"), &x.table, &err), ST_OK);
    struct mysql_position start = here(c);
    const struct mysql_table *tables[] = { &x.table };
    const struct mysql_snapshot_options usual = { .tables = tables, .tables_n = 1 };
    pthread_t threads[WRITERS];
    int ids[WRITERS];
    start_writers(threads, ids, true);
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        take_snapshot(&x, &c, 1, &usual, MYSQL_SNAPSHOT_GLOBAL_LOCK);
    }
    end_writers(threads, &x, &start);
}

/* --- statements and structure ----------------------------------------------------------------- */

static void test_ddl(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct mysql_err err;
    db_script(c, "CREATE DATABASE ddl;\nUSE ddl;\nCREATE TABLE t (a INT PRIMARY KEY, b INT)");
    captured_init(&k, c, "ddl", "t");
    struct mysql_position start = here(c);
    db_script(c, "INSERT INTO t VALUES (1, 1), (2, 2);\nFLUSH BINARY LOGS;\nTRUNCATE t;\n"
                 "INSERT INTO t VALUES (3, 3);\nCREATE TABLE u AS SELECT * FROM t;\n"
                 "DROP TABLE u;\nCREATE TEMPORARY TABLE tmp (a INT);\nINSERT INTO tmp VALUES (1);\n"
                 "RENAME TABLE t TO t2, t2 TO t");
    if (capture(server, &k, &start, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(k.inserted.n, 3);
    assert_int_equal(k.inserted.items[2][0].i, 3);
    assert_string_equal(k.last_ddl, "RENAME TABLE t TO t2, t2 TO t");
    /* TRUNCATE, CREATE, DROP, RENAME; temporary tables are not logged in row format */
    assert_int_equal(k.ddls, 4);
    assert_int_equal(k.begins, k.commits);
    assert_string_not_equal(k.last_gtid, "");
    struct mysql_position end = here(c);
    assert_int_equal(mysql_position_cmp(&end, &k.end), 0);
    captured_fini(&k);
}

/* The description is of another state of the table than the log. */
static void test_changed_table(void **state)
{
    static const struct {
        const char *alter, *says;
    } changes[] = {
        { "ALTER TABLE t ADD d INT", "4 in the binary log" },
        { "ALTER TABLE t DROP d, MODIFY b BIGINT", "Column 2" },
        { "ALTER TABLE t MODIFY b INT UNSIGNED", "unsigned" },
        { "ALTER TABLE t CHANGE b e INT", "named e" },
        { "ALTER TABLE t CHANGE e b INT, MODIFY c DECIMAL(6,2)", "Column 3" },
    };
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct mysql_err err;
    db_script(c,
              "SET GLOBAL binlog_row_metadata = 'FULL';\nCREATE DATABASE changed;\nUSE changed;\n"
              "CREATE TABLE t (a INT PRIMARY KEY, b INT, c DECIMAL(5,2))");
    captured_init(&k, c, "changed", "t");
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        db_exec(c, changes[i].alter);
        struct mysql_position start = here(c);
        char sql[64];
        snprintf(sql, sizeof(sql), "INSERT INTO t (a) VALUES (%zu)", i);
        db_exec(c, sql);
        assert_int_not_equal(capture(server, &k, &start, &err), ST_OK);
        assert_int_equal(err.kind, MYSQL_ERR_CHANGED);
        if (!strstr(err.text, changes[i].says)) {
            fail_msg("%s", err.text);
        }
    }
    db_exec(c, "SET GLOBAL binlog_row_metadata = 'NO_LOG'");
    captured_fini(&k);
}

/* Columns that MariaDB logs but does not show; generated and invisible ones. */
static void test_hidden_columns(void **state)
{
    static const struct {
        const char *table, *sql;
        unsigned hidden;
    } tables[] = {
        { "plain",
          "CREATE TABLE plain (a INT PRIMARY KEY, b INT AS (a + 1) VIRTUAL, "
          "c INT AS (a * 2) STORED, d INT INVISIBLE DEFAULT 5)",
          0 },
        { "hashed",
          "CREATE TABLE hashed (a INT PRIMARY KEY, b TEXT, UNIQUE (b), c TEXT, UNIQUE(c))", 2 },
        { "versioned", "CREATE TABLE versioned (a INT PRIMARY KEY, b INT) WITH SYSTEM VERSIONING",
          2 },
        { "period",
          "CREATE TABLE period (a INT PRIMARY KEY, b INT, "
          "s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, "
          "e TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, "
          "PERIOD FOR SYSTEM_TIME(s, e)) WITH SYSTEM VERSIONING",
          0 },
    };
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    db_script(c, "CREATE DATABASE hidden;\nUSE hidden");
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct captured k;
        struct rows rows = { 0 };
        struct mysql_err err;
        char sql[64];
        db_exec(c, tables[i].sql);
        captured_init(&k, c, "hidden", tables[i].table);
        assert_int_equal(k.table.hidden, tables[i].hidden);
        struct mysql_position start = here(c);
        snprintf(sql, sizeof(sql), "INSERT INTO %s (a) VALUES (1), (2)", tables[i].table);
        db_exec(c, sql);
        snapshot_rows(c, &k.table, &rows, NULL);
        if (capture(server, &k, &start, &err) != ST_OK) {
            fail_msg("%s", err.text);
        }
        assert_int_equal(rows.n, 2);
        rows_assert_equal(&k.table, &k.inserted, &rows, tables[i].table);
        rows_fini(&rows);
        captured_fini(&k);
    }
}

static void test_minimal_images(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct mysql_err err;
    db_script(c, "CREATE DATABASE minimal;\nUSE minimal;\n"
                 "CREATE TABLE t (a INT PRIMARY KEY, b INT, c TEXT)");
    captured_init(&k, c, "minimal", "t");
    struct mysql_position start = here(c);
    db_script(c, "SET binlog_row_image = 'MINIMAL';\nINSERT INTO t VALUES (1, 2, 'x');\n"
                 "UPDATE t SET b = 3;\nUPDATE t SET a = 9;\nDELETE FROM t");
    if (capture(server, &k, &start, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(k.before.n, 2);
    assert_int_equal(k.before.items[0][0].i, 1);
    assert_int_equal(k.before.items[0][1].kind, MYSQL_V_ABSENT);
    assert_int_equal(k.updated.items[0][0].i, 1); /* filled in from before */
    assert_int_equal(k.updated.items[0][1].i, 3);
    assert_int_equal(k.updated.items[0][2].kind, MYSQL_V_ABSENT);
    assert_int_equal(k.updated.items[1][0].i, 9);
    assert_int_equal(k.deleted.items[0][0].i, 9);
    assert_int_equal(k.deleted.items[0][2].kind, MYSQL_V_ABSENT);
    captured_fini(&k);
}

static void test_statement_format(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct mysql_err err;
    db_script(c, "CREATE DATABASE stmt;\nUSE stmt;\nCREATE TABLE t (a INT PRIMARY KEY);\n"
                 "CREATE TABLE other (a INT PRIMARY KEY)");
    captured_init(&k, c, "stmt", "t");
    struct mysql_position start = here(c);
    db_script(c, "SET binlog_format = 'STATEMENT';\nINSERT INTO other VALUES (1);\n"
                 "UPDATE other SET a = 2 WHERE a = 1;\nDELETE FROM other");
    assert_int_equal(capture(server, &k, &start, &err), ST_OK);
    db_exec(c, "INSERT INTO t VALUES (1)");
    assert_int_not_equal(capture(server, &k, &start, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_CONFIG);
    assert_non_null(strstr(err.text, "INSERT INTO t VALUES (1)"));
    captured_fini(&k);
}

static void test_xa(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct mysql_err err;
    db_script(c, "CREATE DATABASE xa;\nUSE xa;\nCREATE TABLE t (a INT PRIMARY KEY);\n"
                 "CREATE TABLE other (a INT PRIMARY KEY)");
    captured_init(&k, c, "xa", "t");
    struct mysql_position start = here(c);
    db_script(c,
              "XA START 'one';\nINSERT INTO t VALUES (1);\nXA END 'one';\n"
              "XA COMMIT 'one' ONE PHASE;\n"
              "XA START 'two';\nINSERT INTO other VALUES (1);\nXA END 'two';\nXA PREPARE 'two';\n"
              "XA COMMIT 'two';\nINSERT INTO t VALUES (2)");
    if (capture(server, &k, &start, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(k.inserted.n, 2);
    db_script(c, "XA START 'three';\nINSERT INTO t VALUES (3);\nXA END 'three';\n"
                 "XA PREPARE 'three';\nXA ROLLBACK 'three'");
    struct mysql_position prepared = here(c);
    db_script(
        c,
        "XA START 'four',X'00ff',7;\nINSERT INTO t VALUES (4);\nUPDATE t SET a = 5 WHERE a = 1;\n"
        "XA END 'four',X'00ff',7;\nXA PREPARE 'four',X'00ff',7");
    captured_fini(&k);
    captured_init(&k, c, "xa", "t");
    assert_int_equal(capture(server, &k, &start, &err), ST_OK);
    assert_int_equal(k.inserted.n, 2);
    captured_fini(&k);
    captured_init(&k, c, "xa", "t");
    struct mysql_position behind = here(c);
    db_exec(c, "XA COMMIT 'four',X'00ff',7");
    assert_int_equal(capture(server, &k, &start, &err), ST_OK);
    assert_int_equal(k.inserted.n, 3);
    assert_int_equal(k.updated.n, 1);
    captured_fini(&k);
    captured_init(&k, c, "xa", "t");
    assert_int_equal(capture(server, &k, &prepared, &err), ST_OK);
    assert_int_equal(k.inserted.n, 1);
    assert_int_not_equal(capture(server, &k, &behind, &err), ST_OK); /* its rows came before */
    assert_int_equal(err.kind, MYSQL_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "prepared before"));
    captured_fini(&k);
}

/* One transaction of many events, resumed in the middle by dropping rows. */
static void test_large_transaction(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct mysql_err err;
    db_script(c, "CREATE DATABASE large;\nUSE large;\n"
                 "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(200))");
    captured_init(&k, c, "large", "t");
    struct mysql_position start = here(c);
    db_exec(c, "INSERT INTO t SELECT seq, REPEAT('x', 100) FROM seq_1_to_20000");
    assert_int_equal(capture(server, &k, &start, &err), ST_OK);
    assert_int_equal(k.inserted.n, 20000);
    assert_int_equal(k.commits, 1);
    for (size_t i = 0; i < k.inserted.n; i++) {
        assert_int_equal(k.inserted.items[i][0].i, i + 1);
    }
    captured_fini(&k);
}

/* --- the stream itself ------------------------------------------------------------------------ */

struct following {
    struct mysql_binlog *binlog;
    struct mysql_conn *conn;
    struct captured *captured;
    atomic_int rows, heartbeats;
    enum status status;
    struct mysql_err err;
};

static enum status follow_lookup(void *ctx, struct str schema, struct str name,
                                 const struct mysql_table **ret)
{
    struct following *f = ctx;
    *ret = str_eqz(schema, "follow") && str_eqz(name, "t") ? &f->captured->table : NULL;
    return ST_OK;
}

static enum status follow_row(void *ctx, const struct mysql_change *change)
{
    struct following *f = ctx;
    (void)change;
    atomic_fetch_add(&f->rows, 1);
    return ST_OK;
}

static enum status follow_heartbeat(void *ctx, const struct mysql_position *at)
{
    struct following *f = ctx;
    assert_true(at->pos >= 4);
    atomic_fetch_add(&f->heartbeats, 1);
    return ST_OK;
}

static void *follow(void *arg)
{
    struct following *f = arg;
    f->status = mysql_binlog_run(f->binlog, &f->err);
    return NULL;
}

static void wait_for(atomic_int *counter, int n)
{
    int64_t until = clock_mono_ms() + 10000;
    while (atomic_load(counter) < n && clock_mono_ms() < until) {
        usleep(2000);
    }
    assert_true(atomic_load(counter) >= n);
}

static void test_follow_and_abort(void **state)
{
    (void)state;
    const struct mysql_binlog_calls calls = { .lookup = follow_lookup,
                                              .row = follow_row,
                                              .heartbeat = follow_heartbeat };
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct following f = { .captured = &k, .conn = db_connect(server) };
    db_script(c, "CREATE DATABASE follow;\nUSE follow;\nCREATE TABLE t (a INT PRIMARY KEY)");
    captured_init(&k, c, "follow", "t");
    struct mysql_binlog_options o = { .start = here(c), .server_id = 99, .heartbeat_ms = 50 };
    assert_int_equal(mysql_binlog_open(f.conn, &o, &calls, &f, &f.binlog, &f.err), ST_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, follow, &f), 0);
    db_exec(c, "INSERT INTO t VALUES (1), (2)");
    wait_for(&f.rows, 2);
    db_exec(c, "FLUSH BINARY LOGS");
    db_exec(c, "INSERT INTO t VALUES (3)");
    wait_for(&f.rows, 3);
    wait_for(&f.heartbeats, 2);
    int64_t before = clock_mono_ms();
    mysql_conn_abort(f.conn);
    pthread_join(thread, NULL);
    assert_true(clock_mono_ms() - before < 1000);
    assert_int_equal(f.status, ST_IO);
    assert_int_equal(f.err.kind, MYSQL_ERR_ABORTED);
    mysql_binlog_free(f.binlog);
    mysql_conn_free(f.conn);
    captured_fini(&k);
}

static void test_bad_positions(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct captured k;
    struct mysql_err err;
    struct mysql_position p = here(c), old;
    captured_init(&k, c, "follow", "t");
    p.pos += 1000000;
    assert_int_not_equal(capture(server, &k, &p, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_PURGED);
    assert_int_equal(err.code, 1236);
    assert_int_equal(mysql_position_parse(STR("mysql-bin-changelog.999999:4"), &p), ST_OK);
    assert_int_not_equal(capture(server, &k, &p, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_PURGED);
    assert_int_equal(mysql_position_oldest(c, &old, &err), ST_OK);
    db_exec(c, "FLUSH BINARY LOGS");
    p = here(c);
    char sql[400];
    snprintf(sql, sizeof(sql), "PURGE BINARY LOGS TO '%s'", p.file);
    usleep(100000); /* ended dumps still hold their files for a moment */
    db_exec(c, sql);
    struct mysql_position oldest;
    assert_int_equal(mysql_position_oldest(c, &oldest, &err), ST_OK);
    assert_true(mysql_position_cmp(&old, &oldest) < 0);
    assert_int_not_equal(capture(server, &k, &old, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_PURGED);
    captured_fini(&k);
}

static enum status stop_after_one(void *ctx, const struct mysql_value *values)
{
    (void)values;
    return ++*(int *)ctx == 1 ? ST_CONFLICT : ST_OK;
}

static void test_snapshot_errors(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 24);
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(mysql_conn_freep) struct mysql_conn *c2 = db_connect(server);
    struct mysql_snapshot_options o = { .tables_n = 0 };
    struct mysql_snapshot *s;
    struct mysql_table t;
    struct mysql_err err;
    int calls = 0;
    struct mysql_read read = { .table = &t, .row = stop_after_one, .ctx = &calls };
    db_script(c, "CREATE DATABASE snap;\nUSE snap;\nCREATE TABLE t (a INT PRIMARY KEY);\n"
                 "INSERT INTO t VALUES (1), (2), (3)");
    assert_int_equal(mysql_schema_describe(c, a, STR("snap"), STR("t"), &t, &err), ST_OK);
    assert_int_equal(mysql_snapshot_open(&c, 1, &o, &s, &err), ST_OK);
    db_exec(c2, "ALTER TABLE snap.t ADD b INT, ALGORITHM=COPY");
    assert_int_not_equal(mysql_snapshot_read(s, 0, &read, NULL, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_CHANGED);
    mysql_snapshot_free(s);
    /* A part of the rows; and a reader who stops early */
    assert_int_equal(mysql_schema_describe(c, a, STR("snap"), STR("t"), &t, &err), ST_OK);
    assert_int_equal(mysql_snapshot_open(&c, 1, &o, &s, &err), ST_OK);
    uint64_t rows;
    calls = 100;
    read.where = STR("a > 1");
    assert_int_equal(mysql_snapshot_read(s, 0, &read, &rows, &err), ST_OK);
    assert_int_equal(rows, 2);
    calls = 0;
    assert_int_equal(mysql_snapshot_read(s, 0, &read, &rows, &err), ST_CONFLICT);
    assert_int_equal(err.kind, MYSQL_ERR_NONE);
    mysql_snapshot_free(s);
    assert_int_equal(mysql_conn_connect(c, &err), ST_OK);
    db_exec(c, "DROP TABLE snap.t");
    assert_int_equal(mysql_schema_describe(c, a, STR("snap"), STR("t"), &t, &err), ST_NOT_FOUND);
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
        cmocka_unit_test(test_exactness),
        cmocka_unit_test(test_exactness_of_xa),
        cmocka_unit_test(test_ddl),
        cmocka_unit_test(test_changed_table),
        cmocka_unit_test(test_hidden_columns),
        cmocka_unit_test(test_minimal_images),
        cmocka_unit_test(test_statement_format),
        cmocka_unit_test(test_xa),
        cmocka_unit_test(test_large_transaction),
        cmocka_unit_test(test_follow_and_abort),
        cmocka_unit_test(test_bad_positions),
        cmocka_unit_test(test_snapshot_errors),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
