/* Rows of a source database, kept as values to be compared: from a snapshot and from the binlog. */
#ifndef CISTERN_TESTS_MYSQL_ROWS_H
#define CISTERN_TESTS_MYSQL_ROWS_H

#include <stddef.h>

#include "server/mysql/binlog.h"
#include "server/mysql/snapshot.h"
#include "tests/support/mariadb.h"

/* Rows of one table, in the order of arrival; every value is a deep copy in `arena`. */
struct rows {
    struct arena *arena;
    const struct mysql_value **items; /* one array of values per row */
    size_t n, cap, columns;
};
void rows_add(struct rows *r, const struct mysql_value *values, size_t columns);
void rows_fini(struct rows *r);

/* A connection to the test's server; the test fails if there is none. */
struct mysql_conn *db_connect(const struct mariadb *m);
/* Runs statements; the test fails with the server's words if one fails. */
void db_exec(struct mysql_conn *c, const char *sql);
/* Statements separated by ";\n". */
void db_script(struct mysql_conn *c, const char *sql);

/* What the binlog says about one table from a position to the current end. */
struct captured {
    struct arena *arena; /* the description */
    struct mysql_table table;
    struct rows inserted, before, updated, deleted;
    size_t begins, commits, ddls, heartbeats, others;
    char last_ddl[256];
    char last_gtid[64];
    uint64_t first_bytes;
    struct mysql_position end; /* of the last transaction */
};
void captured_init(struct captured *k, struct mysql_conn *c, const char *schema, const char *table);
void captured_fini(struct captured *k);
/* Reads `schema.table` from `start` to the end of the log with an own connection. */
enum status capture(const struct mariadb *m, struct captured *k, const struct mysql_position *start,
                    struct mysql_err *err);

/* All rows of a table by key, in one snapshot; *ret_position may be NULL. */
void snapshot_rows(struct mysql_conn *c, const struct mysql_table *t, struct rows *ret,
                   struct mysql_position *ret_position);
/* Compares row by row; on a difference prints column and both texts, and fails the test. */
void rows_assert_equal(const struct mysql_table *t, const struct rows *a, const struct rows *b,
                       const char *what);

#endif
