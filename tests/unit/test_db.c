#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/log.h"
#include "server/store/db.h"
#include "server/store/tree.h"

struct fixture {
    char dir[64];
    char path[96];
    struct db *db;
    struct arena *arena;
};

static int setup(void **state)
{
    static struct fixture f;
    snprintf(f.dir, sizeof(f.dir), "/tmp/cistern-test-db-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.path, sizeof(f.path), "%s/t.db", f.dir);
    assert_int_equal(db_open(f.path, DB_WRITE, &f.db), ST_OK);
    assert_int_equal(db_script(f.db, "CREATE TABLE t(a TEXT PRIMARY KEY, b INTEGER, c BLOB,"
                                     " CHECK(b IS NULL OR b >= 0))"),
                     ST_OK);
    f.arena = arena_new(1 << 20);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    db_close(f->db);
    arena_free(f->arena);
    assert_int_equal(tree_remove(f->dir), ST_OK);
    return 0;
}

static void values_come_back_as_they_went(void **state)
{
    struct fixture *f = *state;
    static const char odd[] = "a'\"\0\xff";
    struct str bytes = { odd, sizeof(odd) - 1 };
    assert_int_equal(
        db_exec(f->db, "INSERT INTO t VALUES(?,?,?)", bz("k"), bi(INT64_MAX), bb(bytes)), ST_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t VALUES(?,?,?)", bs(STR("")), bn(), bb(STR(""))),
                     ST_OK);
    struct rows q;
    assert_int_equal(db_query(f->db, &q, "SELECT a,b,c FROM t ORDER BY a"), ST_OK);
    assert_true(rows_next(&q));
    struct str a = rows_str(&q, f->arena, 0), c = rows_str(&q, f->arena, 2);
    assert_true(str_set(a) && a.n == 0 && str_set(c) && c.n == 0);
    assert_true(rows_null(&q, 1));
    assert_false(str_set(rows_str(&q, f->arena, 1)));
    assert_true(rows_next(&q));
    assert_int_equal(rows_i64(&q, 1), INT64_MAX);
    assert_true(str_eq(rows_view(&q, 2), bytes));
    assert_false(rows_next(&q));
    assert_false(rows_next(&q)); /* stays at the end, doesn't run again */
    assert_int_equal(rows_end(&q), ST_OK);
    assert_int_equal(rows_end(&q), ST_OK);
}

static void conflicts_and_checks_are_told_apart(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES(?)", bz("k")), ST_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES(?)", bz("k")), ST_EXISTS);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a,b) VALUES(?,?)", bz("x"), bi(-1)), ST_INVALID);
    assert_non_null(strstr(db_error(f->db), "CHECK"));
    assert_int_equal(db_exec(f->db, "INSERT INTO missing VALUES(1)"), ST_DB);
    assert_non_null(strstr(db_error(f->db), "missing"));
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES(?)"), ST_DB);   /* a value too few */
    assert_int_equal(db_exec(f->db, "DELETE FROM t; DELETE FROM t"), ST_DB); /* two at once */
    int64_t n;
    assert_int_equal(db_get_i64(f->db, &n, "SELECT count(*) FROM t"), ST_OK);
    assert_int_equal(n, 1);
    struct str s;
    assert_int_equal(db_get_str(f->db, f->arena, &s, "SELECT a FROM t WHERE a=?", bz("z")),
                     ST_NOT_FOUND);
}

static void nested_use_of_one_statement(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_script(f->db, "INSERT INTO t(a) VALUES('1'),('2'),('3')"), ST_OK);
    int pairs = 0;
    struct rows outer, inner;
    static const char sql[] = "SELECT a FROM t ORDER BY a";
    assert_int_equal(db_query(f->db, &outer, sql), ST_OK);
    while (rows_next(&outer)) {
        assert_int_equal(db_query(f->db, &inner, sql), ST_OK);
        while (rows_next(&inner)) {
            pairs++;
        }
        assert_int_equal(rows_end(&inner), ST_OK);
    }
    assert_int_equal(rows_end(&outer), ST_OK);
    assert_int_equal(pairs, 9);
}

static void many_statements_keep_the_cache_small(void **state)
{
    struct fixture *f = *state;
    struct rows open;
    assert_int_equal(db_query(f->db, &open, "SELECT 'kept open'"), ST_OK);
    for (int i = 0; i < 1000; i++) {
        char sql[64];
        int64_t v;
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        assert_int_equal(db_get_i64(f->db, &v, sql), ST_OK);
        assert_int_equal(v, i);
    }
    assert_true(rows_next(&open)); /* the one in use was not thrown out */
    assert_true(str_eqz(rows_view(&open, 0), "kept open"));
    assert_int_equal(rows_end(&open), ST_OK);
}

static void begin(void *arg)
{
    struct fixture *f = arg;
    assert_int_equal(db_begin(f->db), ST_OK);
}

static void hook_and_savepoints(void **state)
{
    struct fixture *f = *state;
    int64_t n;
    db_on_first_use(f->db, begin, f);
    assert_false(db_in_transaction(f->db));
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES('1')"), ST_OK);
    assert_true(db_in_transaction(f->db));
    assert_int_equal(db_savepoint(f->db, 1), ST_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES('2')"), ST_OK);
    assert_int_equal(db_savepoint(f->db, 2), ST_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES('3')"), ST_OK);
    db_rollback_to(f->db, 2);
    assert_int_equal(db_release(f->db, 1), ST_OK);

    struct db *reader;
    assert_int_equal(db_open(f->path, DB_READ, &reader), ST_OK);
    assert_int_equal(db_get_i64(reader, &n, "SELECT count(*) FROM t"), ST_OK);
    assert_int_equal(n, 0);
    assert_int_equal(db_commit(f->db), ST_OK);
    assert_int_equal(db_get_i64(reader, &n, "SELECT count(*) FROM t"), ST_OK);
    assert_int_equal(n, 2);
    assert_int_equal(db_exec(reader, "DELETE FROM t"), ST_DB);
    db_close(reader);
}

/* Some failures end the transaction, not only the statement: what comes later in the pass must not
 * be kept alone. */
static void lost_transaction_stays_lost(void **state)
{
    struct fixture *f = *state;
    db_on_first_use(f->db, begin, f);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES('1')"), ST_OK);
    assert_int_equal(db_commit(f->db), ST_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES('2')"), ST_OK);
    assert_int_equal(db_exec(f->db, "INSERT OR ROLLBACK INTO t(a) VALUES('1')"), ST_EXISTS);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a) VALUES('3')"), ST_DB);
    assert_int_equal(db_savepoint(f->db, 1), ST_DB);
    assert_true(db_in_transaction(f->db));
    assert_int_equal(db_commit(f->db), ST_DB);
    db_rollback(f->db);
    assert_false(db_in_transaction(f->db));
    int64_t n;
    assert_int_equal(db_get_i64(f->db, &n, "SELECT count(*) FROM t"), ST_OK);
    assert_int_equal(n, 1);
}

static void full_disk_keeps_the_statement_out(void **state)
{
    struct fixture *f = *state;
    db_on_first_use(f->db, begin, f);
    int64_t pages, set;
    assert_int_equal(db_get_i64(f->db, &pages, "PRAGMA page_count"), ST_OK);
    char sql[64];
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%d", (int)pages + 1);
    assert_int_equal(db_get_i64(f->db, &set, sql), ST_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t(a,c) VALUES('1',zeroblob(100000))"), ST_DB);
    assert_non_null(strstr(db_error(f->db), "full"));
    db_rollback(f->db);
    int64_t n;
    assert_int_equal(db_get_i64(f->db, &n, "SELECT count(*) FROM t"), ST_OK);
    assert_int_equal(n, 0);
}

int main(void)
{
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_come_back_as_they_went, setup, teardown),
        cmocka_unit_test_setup_teardown(conflicts_and_checks_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(nested_use_of_one_statement, setup, teardown),
        cmocka_unit_test_setup_teardown(many_statements_keep_the_cache_small, setup, teardown),
        cmocka_unit_test_setup_teardown(hook_and_savepoints, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_transaction_stays_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk_keeps_the_statement_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
