/* A table's shape worked out from statements is the one that the server says after running them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/mysql/ddl_apply.h"
#include "tests/support/mysql_rows.h"

static struct mariadb *server;

/* NULL ends a table's story; the next begins with CREATE TABLE t. */
static const char *const stories[] = {
    "CREATE TABLE t (id INT PRIMARY KEY, a TINYINT UNSIGNED, b VARCHAR(20))",
    "ALTER TABLE t ADD COLUMN c DECIMAL(10,3) UNSIGNED ZEROFILL FIRST, ADD d BIT(7) AFTER id",
    "ALTER TABLE t ADD (e DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), KEY k (a), f YEAR)",
    "ALTER TABLE t MODIFY a INT UNSIGNED NOT NULL DEFAULT '5' AFTER f, DROP b",
    "ALTER TABLE t CHANGE COLUMN e `e 2` TIMESTAMP(6) NULL, RENAME COLUMN f TO g",
    "ALTER TABLE t DROP INDEX k, ADD INDEX k2 (a), ALTER a SET DEFAULT 7, COMMENT='x, ADD y INT'",
    "ALTER TABLE t DROP PRIMARY KEY, ADD CONSTRAINT `pk` PRIMARY KEY (a, id DESC)",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a BIGINT, DROP COLUMN IF EXISTS nothing, ENGINE=InnoDB",
    NULL,
    "CREATE TABLE t (a CHAR(5) CHARACTER SET ucs2, b TEXT, c ENUM('x','it''s','z)\\\\',\"q\") "
    "COLLATE latin1_bin, d SET('UNSIGNED','b') NOT NULL, e TEXT(70000), f BLOB(10), "
    "t2 TEXT(100) CHARACTER SET utf8mb4, t3 TEXT(60) CHARACTER SET utf8mb4, "
    "PRIMARY KEY (a(2), c)) DEFAULT CHARSET=latin1 COMMENT 'CHARSET=utf8'",
    "ALTER TABLE t ADD g NVARCHAR(9), ADD h NATIONAL CHARACTER VARYING(3), ADD i LONG VARCHAR",
    "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "ALTER TABLE t DEFAULT CHARACTER SET = koi8r",
    "ALTER TABLE t ADD j VARCHAR(3) DEFAULT _utf8mb4'a,b', ADD k VARCHAR(9) CHARACTER SET binary, "
    "ADD l CHAR BYTE",
    "ALTER TABLE t MODIFY c ENUM('new','x')",
    NULL,
    "CREATE OR REPLACE TABLE t (id SERIAL, o INT, v INT AS (o + 1) STORED, w INT GENERATED ALWAYS "
    "AS "
    "(CONCAT(o, ',')) VIRTUAL COMMENT 'FIRST', x INT INVISIBLE DEFAULT (1 + (2)), y UUID, z "
    "INET6, "
    "j JSON, p POINT NOT NULL, q BLOB COMPRESSED, r FLOAT(30), s REAL, u DOUBLE PRECISION, "
    "CHECK (x > 0), CONSTRAINT chk CHECK (x < 9), UNIQUE KEY uk (o, v)) ENGINE=InnoDB",
    "ALTER ONLINE TABLE `t` WAIT 3 ADD /* c */ COLUMN m MEDIUMINT -- the end\n UNSIGNED, ADD n "
    "BOOL",
    "ALTER TABLE t ADD FULLTEXT KEY ft (j), ADD SPATIAL INDEX (p), ALGORITHM=COPY, LOCK=SHARED",
    "ALTER TABLE t DROP CONSTRAINT chk, DROP KEY ft, MODIFY COLUMN IF EXISTS n SMALLINT FIRST",
    NULL,
    "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9), c DATE)",
    "ALTER TABLE t CHANGE a b INT, CHANGE b a VARCHAR(9)",
    "ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a, ADD d INT AFTER b",
    "ALTER TABLE t DROP c, CHANGE d c BIGINT FIRST",
    NULL,
};

static void check(struct mysql_conn *c, const char *sql, const struct mysql_table *told)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 24);
    struct mysql_err err;
    struct mysql_table now;
    assert_int_equal(mysql_schema_describe(c, a, STR("d"), STR("t"), &now, &err), ST_OK);
    if (!told) {
        fail_msg("not understood: %s", sql);
        return;
    }
    for (size_t i = 0; i < now.columns_n && i < told->columns_n; i++) {
        const struct mysql_column *x = &now.columns[i], *y = &told->columns[i];
        if (!str_eq(x->name, y->name) || x->family != y->family ||
            !str_eq(x->charset, y->charset) || x->generated != y->generated || x->pk != y->pk ||
            x->invisible != y->invisible) {
            fail_msg("%s: column %zu is %.*s %.*s %.*s, told %.*s %.*s %.*s (key %u, %u)", sql, i,
                     STR_ARG(x->name), STR_ARG(x->type_text), STR_ARG(x->charset), STR_ARG(y->name),
                     STR_ARG(y->type_text), STR_ARG(y->charset), x->pk, y->pk);
        }
    }
    if (!mysql_table_alike(&now, told) || !str_eq(now.charset, told->charset)) {
        fail_msg("%s: %zu columns, told %zu; charset %.*s, told %.*s", sql, now.columns_n,
                 told->columns_n, STR_ARG(now.charset), STR_ARG(told->charset));
    }
}

static void test_stories(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 26);
    struct mysql_conn *c = db_connect(server);
    struct mysql_ddl_dialect dialect = { .mariadb = true, .charset = STR("utf8mb4") };
    db_script(c, "CREATE DATABASE d CHARACTER SET utf8mb4;\nUSE d");
    struct mysql_table *t = NULL;
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        if (!stories[i]) {
            db_exec(c, "DROP TABLE t");
            t = NULL;
            continue;
        }
        db_exec(c, stories[i]);
        t = mysql_ddl_apply(a, str_z(stories[i]), &dialect, t, STR("d"), STR("t"));
        check(c, stories[i], t);
    }
    mysql_conn_free(c);
}

static void test_what_cannot_be_told(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 24);
    const struct mysql_ddl_dialect dialect = { .ansi_quotes = true };
    static const char *const texts[] = {
        "CREATE TABLE t AS SELECT 1",
        "CREATE TABLE t LIKE u",
        "CREATE TABLE t (a VECTOR(3))",
        "CREATE TABLE t (a INT) WITH SYSTEM VERSIONING",
        "CREATE TABLE t ()",
        "ALTER TABLE t ADD a INT",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_null(mysql_ddl_apply(a, str_z(texts[i]), &dialect, NULL, STR("d"), STR("t")));
    }
    struct mysql_table *t = mysql_ddl_apply(a, STR("CREATE TABLE t (\"a b\" JSON, c INT)"),
                                            &dialect, NULL, STR("d"), STR("t"));
    assert_non_null(t);
    assert_true(str_eqz(t->columns[0].name, "a b") && t->columns[0].family == MYSQL_F_JSON);
    assert_null(
        mysql_ddl_apply(a, STR("ALTER TABLE t DROP nothing"), &dialect, t, STR("d"), STR("t")));
    assert_null(
        mysql_ddl_apply(a, STR("ALTER TABLE t ADD c INT"), &dialect, t, STR("d"), STR("t")));
    struct mysql_table *like =
        mysql_ddl_apply(a, STR("CREATE TABLE u (LIKE t)"), &dialect, t, STR("d"), STR("u"));
    assert_true(like && mysql_table_alike(like, t) && str_eqz(like->name, "u"));
    struct mysql_table *same =
        mysql_ddl_apply(a, STR("RENAME TABLE t TO v"), &dialect, t, STR("d"), STR("v"));
    assert_true(same && mysql_table_alike(same, t) && str_eqz(same->name, "v"));
}

/* A column that a statement renames is known by its old name, also when names are exchanged. */
static void test_renamed_columns(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    const struct mysql_ddl_dialect d = { .no_escapes = true };
    struct mysql_table *t = mysql_ddl_apply(
        a, STR("CREATE TABLE t (a INT COMMENT 'x\\', b INT, c INT)"), &d, NULL, STR("d"), STR("t"));
    assert_true(t && t->columns_n == 3 && !str_set(t->columns[0].was));
    t = mysql_ddl_apply(
        a, STR("ALTER TABLE t CHANGE a b INT, RENAME COLUMN b TO a, ADD e INT, DROP c"), &d, t,
        STR("d"), STR("t"));
    assert_true(t && t->columns_n == 3);
    assert_true(str_eqz(t->columns[0].name, "b") && str_eqz(t->columns[0].was, "a"));
    assert_true(str_eqz(t->columns[1].name, "a") && str_eqz(t->columns[1].was, "b"));
    assert_true(str_eqz(t->columns[2].name, "e") && !str_set(t->columns[2].was));
}

/* Any text ends, within its bytes. */
static void test_any_text(void **state)
{
    (void)state;
    static const char *const words[] = {
        "ALTER TABLE t ",
        "CREATE TABLE t (",
        "ADD ",
        "DROP ",
        "MODIFY ",
        "CHANGE ",
        "a ",
        "`b`",
        "INT ",
        "ENUM(",
        "'x'",
        "'",
        "\"",
        "(",
        ")",
        ",",
        "PRIMARY KEY ",
        "DEFAULT ",
        "FIRST",
        "AFTER ",
        "CHARSET",
        "CONVERT ",
        "TO ",
        "LIKE ",
        "AS ",
        "DECIMAL(9,",
        "99999999999",
        "RENAME ",
        "COLUMN ",
        "IF EXISTS ",
        "\\",
        "/*!50",
        "COLLATE ",
        "utf8_bin ",
        "SET(",
        "TEXT(",
        "NATIONAL ",
        "LONG ",
        "CHECK ",
        "=",
    };
    unsigned seed = 7;
    CLEANUP(arena_freep) struct arena *base = arena_new(1u << 20);
    const struct mysql_ddl_dialect dialect = { .mariadb = true };
    struct mysql_table *before =
        mysql_ddl_apply(base, STR("CREATE TABLE t (a INT PRIMARY KEY, `b` TEXT)"), &dialect, NULL,
                        STR("d"), STR("t"));
    for (int k = 0; k < 20000; k++) {
        CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
        CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
        buf_puts(&b, words[k % 2]);
        for (int i = rand_r(&seed) % 16; i > 0; i--) {
            buf_puts(&b, words[(size_t)rand_r(&seed) % ARRAY_LEN(words)]);
        }
        char *exact = xmalloc(b.n);
        memcpy(exact, b.p, b.n);
        struct mysql_table *t = mysql_ddl_apply(a, (struct str){ exact, b.n }, &dialect,
                                                k % 3 ? before : NULL, STR("d"), STR("t"));
        for (size_t i = 0; t && i < t->columns_n; i++) {
            assert_true(t->columns[i].family != MYSQL_F_OTHER && str_set(t->columns[i].type_text));
        }
        free(exact);
    }
}

static int start(void **state)
{
    (void)state;
    server = mariadb_start(NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    mariadb_stop(server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_what_cannot_be_told),
        cmocka_unit_test(test_renamed_columns),
        cmocka_unit_test(test_any_text),
    };
    return cmocka_run_group_tests(tests, start, end);
}
