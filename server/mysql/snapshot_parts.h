/* Inside of a snapshot, shared by opening (snapshot.c), its guard (snapshot_guard.c) and reading
 * (snapshot_read.c). */
#ifndef CISTERN_MYSQL_SNAPSHOT_PARTS_H
#define CISTERN_MYSQL_SNAPSHOT_PARTS_H

#include "server/mysql/snapshot.h"

struct mysql_snapshot {
    struct mysql_conn *conns[MYSQL_SNAPSHOT_CONNS]; /* borrowed */
    size_t conns_n;
    struct mysql_conn *guard;  /* borrowed; has the tables open. NULL: none, or settled */
    struct mysql_conn *locker; /* has them locked, in the place of the guard */
    struct mysql_position position;
    enum mysql_snapshot_how how;
    char doubt[MYSQL_ERR_TEXT]; /* "": none */
};

/* --- snapshot_guard.c --- */
/* The options' guard opens the tables, if there is one. `locked`: the server's lock is ours. Also
 * again. ST_NOT_FOUND: one of them is missing. */
enum status mysql_guard_take(struct mysql_snapshot *s, const struct mysql_snapshot_options *o,
                             bool locked, struct mysql_err *err) MUST_CHECK;

/* How one column of a binary-protocol row becomes a value. */
struct rowread_column {
    uint8_t wire; /* the protocol's type byte */
    uint8_t kind; /* enum mysql_value_kind */
    uint8_t digits, bits;
    size_t index; /* of the value, and of the table's column */
};
/* Decodes a row packet; false if it is malformed. `n` columns, in the order of the SELECT. */
bool rowread_decode(const uint8_t *p, size_t size, const struct rowread_column *columns, size_t n,
                    struct mysql_value *values);
/* Sets kind, digits, bits, and checks that `wire` can carry the column; false if it cannot. */
bool rowread_plan(const struct mysql_column *col, uint8_t wire, struct rowread_column *ret);

#endif
