/* Inside of a snapshot, shared by opening (snapshot.c) and reading (snapshot_read.c). */
#ifndef CISTERN_MYSQL_SNAPSHOT_PARTS_H
#define CISTERN_MYSQL_SNAPSHOT_PARTS_H

#include "server/mysql/snapshot.h"

struct mysql_snapshot {
    struct mysql_conn *conns[MYSQL_SNAPSHOT_CONNS]; /* borrowed */
    size_t conns_n;
    struct mysql_position position;
    enum mysql_snapshot_how how;
};

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
