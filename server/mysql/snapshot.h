/* Reading tables as they were at one exact place of the binlog: the rows are the result of all
 * transactions that begin before mysql_snapshot_position() and of none that begins at it or later.
 * Keep snapshots short: they hold back purging and table changes on the server.
 *
 * How the place is found: MariaDB tells it for a consistent snapshot (binlog_snapshot_file and
 * _position; no lock, no privilege). Elsewhere FLUSH TABLES WITH READ LOCK (RELOAD) around opening,
 * else, from MySQL 5.7 on, LOCK TABLES … READ of the wanted tables on a second connection
 * (LOCK TABLES); both for about a millisecond. When none is possible, opening fails and says so.
 *
 * A snapshot can span several connections that see the same state, to read parts of a table in
 * parallel: one thread per connection then. Cancel with mysql_conn_abort() of each connection. */
#ifndef CISTERN_MYSQL_SNAPSHOT_H
#define CISTERN_MYSQL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "server/mysql/conn.h"
#include "server/mysql/position.h"
#include "server/mysql/schema.h"
#include "server/mysql/value.h"

struct mysql_snapshot;

enum mysql_snapshot_how {
    MYSQL_SNAPSHOT_STATUS,      /* MariaDB's status variables */
    MYSQL_SNAPSHOT_GLOBAL_LOCK, /* FLUSH TABLES WITH READ LOCK */
    MYSQL_SNAPSHOT_TABLE_LOCK,  /* LOCK TABLES … READ */
    MYSQL_SNAPSHOT_NO_POSITION, /* not asked for, and there is one connection only */
};

struct mysql_snapshot_options {
    const struct mysql_table *const *tables; /* what will be read (for LOCK TABLES and the guard):
                                              * only names are looked at */
    size_t tables_n;
    struct mysql_conn *guard; /* a further connected one, for these tables: from the snapshot's
                               * place to mysql_snapshot_settle() nothing alters them, so that a
                               * description made meanwhile, on this connection, is right for the
                               * place. NULL: they may be altered. Means nothing with no_position */
    bool no_position;         /* full load without capture: the server may have no binlog. Several
                               * connections need one of the ways above all the same */
    bool no_status;           /* on MariaDB, too, lock as on MySQL */
    bool forbid_flush;        /* never FLUSH TABLES WITH READ LOCK */
    unsigned lock_wait_s;     /* 5: a lock attempt gives up after this */
    unsigned lock_attempts; /* 5; one for all tables of the server where LOCK TABLES will do, too */
};

/* Opens on `conns_n` connected connections (1 … MYSQL_SNAPSHOT_CONNS), which stay the caller's but
 * must not run anything else until it is closed. MYSQL_ERR_MISSING: the guard found no such table.
 */
#define MYSQL_SNAPSHOT_CONNS 16
enum status mysql_snapshot_open(struct mysql_conn *const *conns, size_t conns_n,
                                const struct mysql_snapshot_options *options,
                                struct mysql_snapshot **ret, struct mysql_err *err) MUST_CHECK;
/* The tables may be altered again; the snapshot goes on. Safe twice. */
void mysql_snapshot_settle(struct mysql_snapshot *s);
/* Settles; ends the transactions (errors ignored: the sessions are over then anyway) and frees.
 * NULL is fine. */
void mysql_snapshot_free(struct mysql_snapshot *s);

/* Means nothing with no_position. */
const struct mysql_position *mysql_snapshot_position(const struct mysql_snapshot *s);
enum mysql_snapshot_how mysql_snapshot_how(const struct mysql_snapshot *s);
/* MariaDB, which has committed XA transactions, could not be locked, and this is why: one that was
 * being committed meanwhile may be neither among the rows nor behind the position. NULL: the
 * position is exact. */
const char *mysql_snapshot_doubt(const struct mysql_snapshot *s);

/* Opens the table as a SELECT would: a statement that creates, alters or drops it at that time is
 * waited for, so many seconds (MYSQL_ERR_BUSY then; the session keeps them as lock_wait_timeout).
 * Within a transaction the table stays as it is until the end of that. ST_NOT_FOUND: no such table.
 */
enum status mysql_table_touch(struct mysql_conn *c, struct str schema, struct str name,
                              unsigned wait_s, struct mysql_err *err) MUST_CHECK;

/* One row: values[i] belongs to table->columns[i]; valid during the call. Anything but ST_OK stops
 * the read, which then returns it. */
typedef enum status (*mysql_row_fn)(void *ctx, const struct mysql_value *values);

struct mysql_read {
    const struct mysql_table *table; /* as described, on a session of the same server */
    struct str where;                /* SQL condition to append; absent: all rows */
    struct str partition;            /* read only this one; absent: all */
    bool by_key;                     /* ORDER BY the primary key */
    /* With `skip[i]` column i is not fetched: its value is ABSENT. NULL: all columns. */
    const bool *skip;
    mysql_row_fn row;
    void *ctx;
};
/* Reads a table on connection `conn` (index into conns) of the snapshot through the binary
 * protocol. *ret_rows (may be NULL): rows delivered. MYSQL_ERR_CHANGED: the table is not as
 * described, or was altered after the snapshot (error 1412): describe it and open a new snapshot.
 * When the row function stops early, the connection has been cut: reconnect it before using it
 * again. */
enum status mysql_snapshot_read(struct mysql_snapshot *s, size_t conn,
                                const struct mysql_read *read, uint64_t *ret_rows,
                                struct mysql_err *err) MUST_CHECK;

#endif
