/* A stream of row changes from a server's binary log, from a given place on, for ever or up to the
 * current end. It runs blocking in the caller's thread and calls back for each event; another
 * thread ends it with mysql_conn_abort(). Everything passed to a callback is borrowed for its call.
 *
 * Calls come as: begin, { row | ddl }*, commit — for every transaction in the log, also for those
 * that touch no wanted table — and between transactions heartbeat and rotate. (A begin without its
 * commit: the source crashed while writing it, before any row of it was delivered.) Positions: a
 * transaction that begins at or after a snapshot's position is not in that snapshot. To resume,
 * open at commit's `end`, or, within a transaction, at its `start` and drop the first
 * `row_number` rows.
 *
 * An XA transaction comes twice: empty when it is prepared, and with its rows when it is committed.
 *
 * Refused with a clear error, never skipped: DML written in statement format, unknown events
 * without the "ignorable" flag, partial JSON updates, types or character sets that we cannot
 * decode, tables that differ from their description. */
#ifndef CISTERN_MYSQL_BINLOG_H
#define CISTERN_MYSQL_BINLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/mysql/conn.h"
#include "server/mysql/ddl.h"
#include "server/mysql/position.h"
#include "server/mysql/schema.h"
#include "server/mysql/value.h"
#include "server/mysql/xa.h"

struct mysql_binlog;

struct mysql_tx {
    struct mysql_position start; /* of its first event */
    struct mysql_position end;   /* behind its last event; set in commit only */
    int64_t commit_us;  /* commit time since 1970 UTC; whole seconds unless the server says more */
    struct str gtid;    /* "0-1-42" (MariaDB), "uuid:42" (MySQL), absent without GTIDs */
    uint64_t rows;      /* rows delivered so far */
    uint64_t log_bytes; /* bytes of its events so far */
};

enum mysql_change_kind { MYSQL_INSERT, MYSQL_UPDATE, MYSQL_DELETE };

struct mysql_change {
    enum mysql_change_kind kind;
    const struct mysql_table *table;  /* what lookup returned */
    const struct mysql_value *before; /* UPDATE, DELETE: one per table column; else NULL. Also NULL
                                       * where wants_before says that nobody looks at it */
    const struct mysql_value *after;  /* INSERT, UPDATE; else NULL */
    const struct mysql_tx *tx;
    uint64_t row_number; /* within tx, from 0, counting delivered rows of all tables */
    bool partial;        /* the images lack columns (binlog_row_image is not FULL). Columns that an
                          * UPDATE's after image lacks are unchanged: they are filled in from before
                          * where that has them */
};

struct mysql_statement {
    struct str text;             /* in UTF-8 */
    struct str schema;           /* its default database; "" for none */
    const struct mysql_ddl *ddl; /* what it does to which tables */
    const struct mysql_tx *tx;
    bool ansi_quotes; /* "x" is a name in it */
    bool no_escapes;  /* a backslash stands for itself in it */
    bool shown; /* in place of CREATE TABLE … SELECT: how the server shows the table, with '?'
                 * in labels for characters outside of the basic plane */
};

/* Each returns ST_OK to go on; anything else ends mysql_binlog_run(), which returns it. Members
 * that are NULL are not called, but `lookup` and `row` must be there. */
struct mysql_binlog_calls {
    enum status (*begin)(void *ctx, const struct mysql_tx *tx);
    /* Which table is this? *ret = its description as of this place in the log (it must stay valid
     * and unchanged until the next lookup of the same table, or the end), or NULL if its rows are
     * not wanted. Asked once per table, and again after every DDL statement or server restart. */
    enum status (*lookup)(void *ctx, struct str schema, struct str name,
                          const struct mysql_table **ret);
    /* After `lookup`: does anybody look at the old image of this table's UPDATEs? Reading over it
     * saves half of the work. Without this member: yes. */
    bool (*wants_before)(void *ctx, const struct mysql_table *table);
    /* The log's rows do not fit the description (err says how; kind MYSQL_ERR_CHANGED or
     * _UNSUPPORTED). ST_OK: skip this table's rows until the next lookup of it. Without this
     * member the run ends with that error. */
    enum status (*misfit)(void *ctx, const struct mysql_table *table, const struct mysql_err *err);
    enum status (*row)(void *ctx, const struct mysql_change *change);
    /* A statement that is not about rows: CREATE, ALTER, TRUNCATE, GRANT, … */
    enum status (*ddl)(void *ctx, const struct mysql_statement *statement);
    enum status (*commit)(void *ctx, const struct mysql_tx *tx);
    /* Idle for heartbeat_ms; everything before `at` has been delivered. */
    enum status (*heartbeat)(void *ctx, const struct mysql_position *at);
    /* In place of the rows: an XA transaction is committed that was prepared before the stream's
     * start ("X'78',X'',1"). Without this member the run ends with an error. */
    enum status (*orphan)(void *ctx, struct str xid, const struct mysql_tx *tx);
    /* A new file begins. */
    enum status (*rotate)(void *ctx, const struct mysql_position *at);
};

struct mysql_binlog_options {
    struct mysql_position start; /* start of a transaction, or 4 */
    uint32_t server_id;          /* unique among the source's replicas, not 0 */
    unsigned heartbeat_ms;       /* 500 */
    bool until_end;              /* end with ST_OK when everything now in the log was delivered */
    bool trust_bytes;            /* do not check the events' CRC32 */
    uint64_t max_event_bytes;    /* 1 GiB: larger events (unpacked, too) are refused */
    struct mysql_xa *xa;         /* borrowed, see xa.h; NULL: an own one, in memory */
};

/* Starts the stream on a connected connection, which is useless for anything else afterwards but
 * stays the caller's. MYSQL_ERR_PURGED when the server no longer has the place, _CONFIG when it has
 * no row binlog, _PRIVILEGE without REPLICATION SLAVE. (Some of these only show in the first
 * mysql_binlog_run().) `calls` is copied. */
enum status mysql_binlog_open(struct mysql_conn *c, const struct mysql_binlog_options *options,
                              const struct mysql_binlog_calls *calls, void *ctx,
                              struct mysql_binlog **ret, struct mysql_err *err) MUST_CHECK;
/* NULL is fine. The connection may be freed before or after. */
void mysql_binlog_free(struct mysql_binlog *b);

/* Reads events until a callback stops, the log ends (until_end) or something fails; err->kind is
 * MYSQL_ERR_NONE when a callback stopped it. Not to be called again after a failure. */
enum status mysql_binlog_run(struct mysql_binlog *b, struct mysql_err *err) MUST_CHECK;

struct mysql_binlog_counts {
    uint64_t events, bytes; /* read from the network */
    uint64_t rows;          /* delivered */
    int64_t last_event_us;  /* server's time stamp of the last event; 0 before the first */
};
struct mysql_binlog_counts mysql_binlog_counts(const struct mysql_binlog *b);

#endif
