/* Connecting, statements, descriptions, and the errors that users will meet. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "tests/support/mysql_rows.h"

static struct mariadb *server;

static void test_connect_errors(void **state)
{
    (void)state;
    struct mysql_conn *c;
    struct mysql_err err;
    struct mysql_conn_options o = { .port = mariadb_port(server), .user = "root" };
    assert_int_equal(mysql_conn_open(&o, &c, &err), ST_OK);
    assert_int_equal(mysql_conn_flavour(c), MYSQL_FLAVOUR_MARIADB);
    assert_true(mysql_conn_version(c) >= 100000);
    assert_non_null(strstr(mysql_conn_version_text(c), "MariaDB"));
    mysql_conn_free(c);
    o.password = "wrong";
    assert_int_equal(mysql_conn_open(&o, &c, &err), ST_IO);
    assert_null(c);
    assert_int_equal(err.kind, MYSQL_ERR_AUTH);
    assert_int_equal(err.code, 1045);
    assert_string_equal(err.sqlstate, "28000");
    o.password = NULL;
    o.database = "nowhere";
    assert_int_equal(mysql_conn_open(&o, &c, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_MISSING);
    o = (struct mysql_conn_options){ .port = 1, .user = "root", .connect_ms = 2000 };
    assert_int_equal(mysql_conn_open(&o, &c, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_UNREACHABLE);
    assert_non_null(strstr(err.text, "127.0.0.1:1"));
    o = (struct mysql_conn_options){ .unix_socket = "/nonexistent/socket", .user = "root" };
    assert_int_equal(mysql_conn_open(&o, &c, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_UNREACHABLE);
    /* This server has no certificate. */
    o = (struct mysql_conn_options){ .port = mariadb_port(server),
                                     .user = "root",
                                     .tls = MYSQL_TLS_REQUIRE };
    assert_int_equal(mysql_conn_open(&o, &c, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_TLS);
}

/* An authority, a certificate of it for another name, and one of somebody else. */
static void make_certificates(const char *folder)
{
    static const char script[] =
        "cd \"$1\" && new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes' && "
        "openssl req -x509 $new -days 2 -subj /CN=authority -keyout ca.key -out ca.pem && "
        "openssl req -x509 $new -days 2 -subj /CN=stranger -keyout x.key -out stranger.pem && "
        "openssl req $new -subj /CN=elsewhere.example -keyout key.pem -out csr.pem && "
        "openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
        "-out cert.pem";
    char *args[] = { "sh", "-c", (char *)script, "sh", (char *)folder, NULL };
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int status = -1;
    assert_int_equal(posix_spawnp(&pid, "sh", &files, NULL, args, environ), 0);
    posix_spawn_file_actions_destroy(&files);
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static enum status connect_tls(const struct mariadb *m, enum mysql_tls tls, const char *ca,
                               struct mysql_err *err)
{
    struct mysql_conn_options o = {
        .port = mariadb_port(m), .user = "root", .tls = tls, .tls_ca = ca
    };
    struct mysql_conn *c;
    enum status st = mysql_conn_open(&o, &c, err);
    if (!st && tls != MYSQL_TLS_NONE) {
        CLEANUP(arena_freep) struct arena *a = arena_new(65536);
        struct mysql_cells t;
        assert_int_equal(mysql_conn_collect(c, a, "SHOW STATUS LIKE 'Ssl_cipher'", &t, err), ST_OK);
        assert_true(t.cells[1].n > 0);
    }
    mysql_conn_free(c);
    return st;
}

static void test_tls(void **state)
{
    (void)state;
    const char *folder = mariadb_folder(server);
    char ca[128], stranger[128], cert[128], key[128];
    make_certificates(folder);
    snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
    snprintf(stranger, sizeof(stranger), "%s/stranger.pem", folder);
    snprintf(cert, sizeof(cert), "--ssl-cert=%s/cert.pem", folder);
    snprintf(key, sizeof(key), "--ssl-key=%s/key.pem", folder);
    const char *options[] = { cert, key, NULL };
    struct mariadb *m = mariadb_start(options);
    struct mysql_err err;
    assert_int_equal(connect_tls(m, MYSQL_TLS_NONE, NULL, &err), ST_OK);
    assert_int_equal(connect_tls(m, MYSQL_TLS_REQUIRE, NULL, &err), ST_OK);
    assert_int_equal(connect_tls(m, MYSQL_TLS_VERIFY_CA, ca, &err), ST_OK);
    assert_int_not_equal(connect_tls(m, MYSQL_TLS_VERIFY_CA, stranger, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_TLS);
    assert_int_not_equal(connect_tls(m, MYSQL_TLS_VERIFY_CA, NULL, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_TLS);
    /* signed well, but for another name */
    assert_int_not_equal(connect_tls(m, MYSQL_TLS_VERIFY, ca, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_TLS);
    mariadb_stop(m);
}

static void test_queries(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    struct mysql_cells t;
    struct mysql_err err;
    struct str s;
    assert_int_equal(mysql_conn_collect(c, a,
                                        "SELECT 1 AS a, NULL AS b, 'x' AS c UNION ALL "
                                        "SELECT 2, '', 'grün'",
                                        &t, &err),
                     ST_OK);
    assert_int_equal(t.rows, 2);
    assert_int_equal(t.cols, 3);
    assert_true(str_eqz(mysql_cells_get(&t, 1, "C"), "grün"));
    assert_false(str_set(mysql_cells_get(&t, 0, "b")));
    assert_true(str_set(mysql_cells_get(&t, 1, "b")));
    assert_false(str_set(mysql_cells_get(&t, 2, "a")));
    assert_int_equal(mysql_conn_exec(c, "SELEKT 1", &err), ST_IO);
    assert_int_equal(err.code, 1064);
    assert_non_null(strstr(err.text, "SELEKT 1"));
    assert_int_equal(mysql_conn_value(c, a, "SELECT @@session.time_zone", &s, &err), ST_OK);
    assert_true(str_eqz(s, "+00:00"));
    /* Quoting holds for every byte. */
    char all[256];
    for (int i = 0; i < 127; i++) {
        all[i] = (char)(i + 1);
    }
    struct str raw = { all, 127 };
    struct str sql = arena_printf(a, "SELECT %.*s AS %.*s", STR_ARG(mysql_quote(a, raw)),
                                  STR_ARG(mysql_quote_name(a, STR("a`b"))));
    assert_int_equal(mysql_conn_collect(c, a, sql.p, &t, &err), ST_OK);
    assert_true(str_eq(t.cells[0], raw));
    assert_true(str_eqz(t.names[0], "a`b"));
    CLEANUP(arena_freep) struct arena *small = arena_new(4096);
    assert_int_equal(mysql_conn_collect(c, small, "SELECT REPEAT('x', 100000)", &t, &err),
                     ST_NOMEM);
    assert_int_equal(err.kind, MYSQL_ERR_LIMIT);
    db_exec(c, "DO 1"); /* still usable */
}

static void *abort_later(void *arg)
{
    usleep(100000);
    mysql_conn_abort(arg);
    return NULL;
}

static void test_abort(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    struct mysql_err err;
    pthread_t thread;
    int64_t before = clock_mono_ms();
    assert_int_equal(pthread_create(&thread, NULL, abort_later, c), 0);
    assert_int_equal(mysql_conn_exec(c, "SELECT SLEEP(20)", &err), ST_IO);
    pthread_join(thread, NULL);
    assert_int_equal(err.kind, MYSQL_ERR_ABORTED);
    assert_true(clock_mono_ms() - before < 5000);
    assert_int_equal(mysql_conn_exec(c, "DO 1", &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_ABORTED);
    assert_int_equal(mysql_conn_connect(c, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_ABORTED);
}

static void test_killed_session(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(mysql_conn_freep) struct mysql_conn *c2 = mysql_conn_twin(c);
    struct mysql_err err;
    assert_int_equal(mysql_conn_connect(c2, &err), ST_OK);
    assert_int_equal(mysql_conn_execf(c2, &err, "KILL %lu", mysql_conn_thread_id(c)), ST_OK);
    assert_int_equal(mysql_conn_exec(c, "DO 1", &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_LOST);
    assert_true(mysql_err_retryable(&err));
    assert_int_equal(mysql_conn_connect(c, &err), ST_OK);
    db_exec(c, "DO 1");
}

static void test_describe(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 22);
    CLEANUP(arena_freep) struct arena *a2 = arena_new(1u << 22);
    struct mysql_table t;
    struct mysql_table_list list;
    struct mysql_err err;
    db_script(c, "CREATE DATABASE shop CHARACTER SET utf8mb4;\nUSE shop;\n"
                 "CREATE TABLE t (a INT UNSIGNED ZEROFILL, b VARCHAR(20) CHARACTER SET latin1, "
                 "`c d` DECIMAL(10,3), e ENUM('x y','it''s','a,b)','b\\\\n unsigned','\\n'), "
                 "f DATETIME(3) INVISIBLE, g INT AS (1) VIRTUAL, h INT AS (2) STORED, "
                 "i BIGINT AUTO_INCREMENT, j BIT(5), k SET('p','q') NOT NULL, l JSON, "
                 "PRIMARY KEY (i, b), KEY (a)) ENGINE=InnoDB;\n"
                 "CREATE VIEW v AS SELECT 1;\nCREATE SEQUENCE s;\nCREATE TABLE u (a INT)");
    assert_int_equal(mysql_schema_tables(c, a, &list, &err), ST_OK);
    assert_int_equal(list.n, 2);
    assert_true(str_eqz(list.items[0].name, "t") && str_eqz(list.items[1].name, "u"));
    assert_int_equal(mysql_schema_describe(c, a, STR("shop"), STR("t"), &t, &err), ST_OK);
    assert_int_equal(t.columns_n, 11);
    assert_true(str_eqz(t.engine, "InnoDB"));
    assert_true(t.columns[0].is_unsigned && t.columns[0].zerofill);
    assert_true(str_eqz(t.columns[1].charset, "latin1"));
    assert_int_equal(t.columns[1].chars, 20);
    assert_true(str_eqz(t.columns[2].name, "c d"));
    assert_int_equal(t.columns[2].precision, 10);
    assert_int_equal(t.columns[2].scale, 3);
    assert_int_equal(t.columns[3].labels_n, 5);
    assert_true(str_eqz(t.columns[3].labels[1], "it's"));
    assert_true(str_eqz(t.columns[3].labels[2], "a,b)"));
    assert_true(str_eqz(t.columns[3].labels[3], "b\\n unsigned"));
    assert_true(str_eqz(t.columns[3].labels[4], "\n"));
    assert_false(t.columns[3].is_unsigned);
    assert_int_equal(t.columns[4].fraction, 3);
    assert_true(t.columns[4].invisible);
    assert_int_equal(t.columns[5].generated, MYSQL_GEN_VIRTUAL);
    assert_int_equal(t.columns[6].generated, MYSQL_GEN_STORED);
    assert_true(t.columns[7].auto_increment && !t.columns[7].nullable);
    assert_int_equal(t.columns[8].precision, 5);
    assert_int_equal(t.columns[9].labels_n, 2);
    assert_int_equal(t.columns[10].family, MYSQL_F_LONGTEXT);
    assert_int_equal(t.pk_n, 2);
    assert_int_equal(t.pk[0], 7);
    assert_int_equal(t.pk[1], 1);
    assert_int_equal(t.columns[1].pk, 2);
    assert_int_equal(mysql_table_find(&t, STR("C D")), 2);
    assert_int_equal(mysql_table_find(&t, STR("none")), -1);
    struct mysql_table *copy = mysql_table_copy(a2, &t);
    assert_int_equal(copy->columns_n, t.columns_n);
    assert_true(str_eq(copy->columns[2].type_text, t.columns[2].type_text));
    db_exec(c, "ALTER TABLE t MODIFY `c d` DECIMAL(10,4)");
    assert_int_equal(mysql_schema_describe(c, a, STR("shop"), STR("t"), &t, &err), ST_OK);
    assert_false(str_eq(copy->columns[2].type_text, t.columns[2].type_text));
    assert_int_equal(mysql_schema_describe(c, a, STR("shop"), STR("v"), &t, &err), ST_NOT_FOUND);
    assert_int_equal(err.kind, MYSQL_ERR_MISSING);
}

/* Views are described and read like tables; only their servers differ in what DMS makes of them. */
static void test_views(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 22);
    struct mysql_table t;
    struct mysql_table_list list;
    struct mysql_err err;
    db_script(c,
              "CREATE DATABASE views;\nUSE views;\nCREATE TABLE t (a INT PRIMARY KEY, b CHAR(3));\n"
              "INSERT INTO t VALUES (1,'x'),(2,'y');\n"
              "CREATE VIEW big AS SELECT a, UPPER(b) AS ub FROM t WHERE a > 1");
    assert_int_equal(mysql_schema_views(c, a, &list, &err), ST_OK);
    bool found = false;
    for (size_t i = 0; i < list.n; i++) {
        found |= str_eqz(list.items[i].schema, "views") && str_eqz(list.items[i].name, "big");
        assert_false(str_eqz(list.items[i].name, "t"));
    }
    assert_true(found);
    assert_int_equal(mysql_schema_describe_view(c, a, STR("views"), STR("t"), &t, &err),
                     ST_NOT_FOUND);
    assert_int_equal(mysql_schema_describe_view(c, a, STR("views"), STR("big"), &t, &err), ST_OK);
    assert_int_equal(t.columns_n, 2);
    assert_int_equal(t.pk_n, 0);
    struct rows rows = { 0 };
    struct mysql_position at;
    snapshot_rows(c, &t, &rows, &at);
    assert_int_equal(rows.n, 1);
    rows_fini(&rows);
}

static void test_source_checks(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    struct mysql_source s;
    struct mysql_checks checks;
    struct mysql_err err;
    assert_int_equal(mysql_schema_source(c, a, &s, &err), ST_OK);
    mysql_schema_check_cdc(&s, a, &checks);
    assert_int_equal(checks.n, 0);
    assert_true(str_eqz(s.server_id, "1") && str_eqz(s.checksum, "CRC32") && !s.is_replica);
    db_exec(c, "SET GLOBAL binlog_format = 'MIXED', GLOBAL binlog_row_image = 'MINIMAL', "
               "GLOBAL binlog_expire_logs_seconds = 3600");
    assert_int_equal(mysql_schema_source(c, a, &s, &err), ST_OK);
    mysql_schema_check_cdc(&s, a, &checks);
    assert_int_equal(checks.n, 3);
    assert_true(checks.items[0].fatal && strcmp(checks.items[0].name, "binlog_format") == 0);
    assert_false(checks.items[1].fatal);
    db_exec(c, "SET GLOBAL binlog_format = 'ROW', GLOBAL binlog_row_image = 'FULL', "
               "GLOBAL binlog_expire_logs_seconds = 0");
    s.log_bin = STR("OFF");
    mysql_schema_check_cdc(&s, a, &checks);
    assert_non_null(strstr(checks.items[0].text.p, "log_bin is OFF"));
}

static void test_privileges(void **state)
{
    (void)state;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(server);
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    struct mysql_conn_options o = { .port = mariadb_port(server),
                                    .user = "reader",
                                    .password = "pa'ss" };
    struct mysql_conn *reader;
    struct mysql_err err;
    struct mysql_position p;
    struct mysql_table t;
    db_script(
        c, "CREATE DATABASE priv;\nCREATE TABLE priv.t (a INT);\n"
           "CREATE USER reader@'%' IDENTIFIED BY 'pa''ss';\nGRANT SELECT ON priv.* TO reader@'%'");
    assert_int_equal(mysql_conn_open(&o, &reader, &err), ST_OK);
    assert_int_equal(mysql_position_end(reader, &p, &err), ST_OK);
    assert_int_equal(mysql_schema_describe(reader, a, STR("priv"), STR("t"), &t, &err), ST_OK);
    assert_int_equal(mysql_position_oldest(reader, &p, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_PRIVILEGE);
    assert_int_equal(mysql_schema_check_replication(reader, 5, &err), ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_PRIVILEGE);
    assert_non_null(strstr(err.text, "REPLICATION SLAVE"));
    mysql_conn_free(reader);
    db_exec(c, "GRANT REPLICATION SLAVE ON *.* TO reader@'%'");
    assert_int_equal(mysql_conn_open(&o, &reader, &err), ST_OK);
    assert_int_equal(mysql_schema_check_replication(reader, 5, &err), ST_OK);
    mysql_conn_free(reader);
}

/* A server without a binary log: full loads work, positions say what is missing. */
static void test_no_binlog(void **state)
{
    (void)state;
    const char *options[] = { "--skip-log-bin", NULL };
    struct mariadb *plain = mariadb_start(options);
    struct mysql_conn *c = db_connect(plain);
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    struct mysql_source s;
    struct mysql_checks checks;
    struct mysql_position p;
    struct mysql_err err;
    struct mysql_snapshot *snap;
    struct mysql_snapshot_options o = { .no_position = false };
    assert_int_equal(mysql_schema_source(c, a, &s, &err), ST_OK);
    mysql_schema_check_cdc(&s, a, &checks);
    assert_string_equal(checks.items[0].name, "log_bin");
    assert_int_not_equal(mysql_position_end(c, &p, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_CONFIG);
    assert_int_not_equal(mysql_snapshot_open(&c, 1, &o, &snap, &err), ST_OK);
    assert_int_equal(err.kind, MYSQL_ERR_CONFIG);
    o.no_position = true;
    assert_int_equal(mysql_snapshot_open(&c, 1, &o, &snap, &err), ST_OK);
    assert_string_equal(mysql_snapshot_position(snap)->file, "");
    mysql_snapshot_free(snap);
    struct mysql_binlog_calls calls = { .lookup = NULL };
    struct mysql_binlog_options bo = { .server_id = 3, .until_end = true };
    struct mysql_binlog *b;
    assert_int_equal(mysql_position_parse(STR("x.000001:4"), &bo.start), ST_OK);
    enum status st = mysql_binlog_open(c, &bo, &calls, NULL, &b, &err);
    if (!st) {
        st = mysql_binlog_run(b, &err);
        mysql_binlog_free(b);
    }
    assert_int_equal(st, ST_IO);
    assert_int_equal(err.kind, MYSQL_ERR_CONFIG);
    mysql_conn_free(c);
    mariadb_stop(plain);
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
        cmocka_unit_test(test_connect_errors), cmocka_unit_test(test_tls),
        cmocka_unit_test(test_queries),        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_killed_session), cmocka_unit_test(test_describe),
        cmocka_unit_test(test_views),          cmocka_unit_test(test_source_checks),
        cmocka_unit_test(test_privileges),     cmocka_unit_test(test_no_binlog),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
