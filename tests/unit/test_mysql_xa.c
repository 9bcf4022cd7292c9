/* What is kept of prepared XA transactions, in memory and in a file, and where reading must begin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/mysql/xa.h"
#include "tests/support/tmpdir.h"

static struct mysql_position at(uint64_t pos)
{
    struct mysql_position p = { 0 };
    assert_int_equal(mysql_position_set(&p, STR("log.000001"), pos), ST_OK);
    return p;
}

static struct mysql_xa_id id(const char *name)
{
    struct mysql_xa_id i = { .format = 1, .global_n = (uint32_t)strlen(name) };
    memcpy(i.p, name, strlen(name));
    return i;
}

/* Prepared at `pos`, with `events` of `size` bytes each: the k-th is k % 256 all over. */
static void prepare(struct mysql_xa *x, const char *name, uint64_t pos, int events, size_t size)
{
    struct mysql_position start = at(pos);
    struct mysql_xa_id i = id(name);
    struct mysql_err err;
    CLEANUP(free_ptr) char *bytes = xmalloc(size + 1);
    mysql_xa_open(x, &start);
    for (int k = 0; k < events; k++) {
        memset(bytes, k, size);
        assert_int_equal(mysql_xa_add(x, (uint8_t)(k + 1), bytes, size, &err), ST_OK);
    }
    assert_int_equal(mysql_xa_prepared(x, &i, &err), ST_OK);
    assert_null(mysql_xa_at_hand(x));
}

static void check(struct mysql_xa *x, const char *name, int events, size_t size)
{
    struct mysql_xa_id i = id(name);
    struct mysql_xa_tx *t = mysql_xa_find(x, &i);
    struct mysql_err err;
    assert_non_null(t);
    assert_int_equal(mysql_xa_has_events(t), events > 0);
    uint64_t cursor = 0;
    uint8_t type;
    struct str bytes;
    for (int k = 0; k < events; k++) {
        assert_int_equal(mysql_xa_read(x, t, &cursor, &type, &bytes, &err), ST_OK);
        assert_int_equal(type, (uint8_t)(k + 1));
        assert_int_equal(bytes.n, size);
        for (size_t n = 0; n < size; n += 97) {
            assert_int_equal((uint8_t)bytes.p[n], (uint8_t)k);
        }
    }
    assert_int_equal(mysql_xa_read(x, t, &cursor, &type, &bytes, &err), ST_NOT_FOUND);
}

static void end(struct mysql_xa *x, const char *name, uint64_t pos)
{
    struct mysql_xa_id i = id(name);
    struct mysql_position p = at(pos);
    struct mysql_xa_tx *t = mysql_xa_find(x, &i);
    assert_non_null(t);
    mysql_xa_ended(x, t, &p);
    assert_null(mysql_xa_find(x, &i));
}

static uint64_t hold(struct mysql_xa *x, uint64_t pos)
{
    struct mysql_position p = at(pos);
    mysql_xa_hold(x, &p);
    return p.pos;
}

static void test_places(void **state)
{
    (void)state;
    struct mysql_xa *x = mysql_xa_new(NULL);
    assert_int_equal(hold(x, 50), 50);
    prepare(x, "a", 100, 1, 10);
    assert_int_equal(hold(x, 100), 100); /* it is read again from there */
    assert_int_equal(hold(x, 150), 100);
    prepare(x, "b", 200, 1, 10);
    end(x, "a", 300);
    assert_int_equal(hold(x, 300), 100); /* the commit of a isn't in hand, so its rows are needed */
    /* From b's start on, a's commit comes without its rows. */
    assert_int_equal(hold(x, 400), 100);
    prepare(x, "c", 410, 1, 10);
    end(x, "c", 420);
    end(x, "b", 500);
    assert_int_equal(hold(x, 600), 600);
    assert_int_equal(hold(x, 700), 700);
    mysql_xa_free(x);
}

static void test_many_beside_a_long_one(void **state)
{
    (void)state;
    struct mysql_xa *x = mysql_xa_new(NULL);
    prepare(x, "long", 4, 1, 10);
    for (uint64_t pos = 10; pos < 100000; pos += 10) {
        prepare(x, "short", pos, 1, 10);
        end(x, "short", pos + 5);
        assert_int_equal(hold(x, pos + 8), 4);
    }
    check(x, "long", 1, 10);
    struct mysql_position p = at(200000);
    mysql_xa_rewind(x, &p);
    assert_int_equal(p.pos, 4);
    assert_int_equal(hold(x, 10), 10); /* all is forgotten */
    mysql_xa_free(x);
}

static void test_what_is_kept(void **state)
{
    (void)state;
    char *dir = tmpdir_make();
    const char *const places[] = { NULL, dir };
    for (size_t k = 0; k < ARRAY_LEN(places); k++) {
        struct mysql_xa *x = mysql_xa_new(places[k]);
        prepare(x, "empty", 4, 0, 0);
        prepare(x, "small", 10, 3, 0);
        prepare(x, "middle", 20, 300, 8000);
        prepare(x, "one", 30, 1, 3000000);
        prepare(x, "odd", 40, 77, 12345);
        check(x, "odd", 77, 12345);
        check(x, "empty", 0, 0);
        check(x, "middle", 300, 8000);
        end(x, "middle", 50);
        check(x, "one", 1, 3000000);
        check(x, "small", 3, 0);
        end(x, "one", 60);
        end(x, "odd", 70);
        prepare(x, "again", 80, 100, 9000); /* the file begins anew */
        check(x, "again", 100, 9000);
        prepare(x, "again", 90, 2, 5); /* the server lost the first */
        check(x, "again", 2, 5);
        struct mysql_position unfinished = at(100);
        struct mysql_err err;
        mysql_xa_open(x, &unfinished);
        assert_int_equal(mysql_xa_add(x, 1, "x", 1, &err), ST_OK);
        mysql_xa_open(x, &unfinished);
        assert_false(mysql_xa_has_events(mysql_xa_at_hand(x)));
        mysql_xa_free(x);
    }
    assert_int_equal(tmpdir_count(dir), 0);
    tmpdir_remove(dir);
}

static void test_limits(void **state)
{
    (void)state;
    struct mysql_err err = { 0 };
    struct mysql_position p = at(4);
    struct mysql_xa *x = mysql_xa_new(NULL);
    CLEANUP(free_ptr) char *bytes = xcalloc(1, 1u << 20);
    mysql_xa_open(x, &p);
    enum status st = ST_OK;
    for (int i = 0; i < 100 && st == ST_OK; i++) {
        st = mysql_xa_add(x, 1, bytes, 1u << 20, &err);
    }
    assert_int_equal(st, ST_NOMEM);
    assert_int_equal(err.kind, MYSQL_ERR_LIMIT);
    mysql_xa_free(x);
    x = mysql_xa_new("/nowhere at all");
    mysql_xa_open(x, &p);
    assert_int_equal(mysql_xa_add(x, 1, bytes, 1u << 20, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_LOST);
    assert_non_null(strstr(err.text, "/nowhere at all"));
    mysql_xa_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_many_beside_a_long_one),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
