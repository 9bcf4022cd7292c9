/* Inside of a binlog stream: shared by opening and reading (binlog.c), unpacking of events
 * (binlog_unpack.c), transactions and statements (binlog_tx.c), XA transactions (binlog_xa.c) and
 * rows (binlog_rows.c). */
#ifndef CISTERN_MYSQL_BINLOG_PARTS_H
#define CISTERN_MYSQL_BINLOG_PARTS_H

#include "server/base/map.h"
#include "server/mysql/binlog.h"
#include "server/mysql/conn_raw.h"
#include "server/mysql/tablemap.h"
#include "server/mysql/xa.h"

enum event_type {
    EVENT_QUERY = 2,
    EVENT_STOP = 3,
    EVENT_ROTATE = 4,
    EVENT_INTVAR = 5,
    EVENT_RAND = 13,
    EVENT_USER_VAR = 14,
    EVENT_FORMAT = 15,
    EVENT_XID = 16,
    EVENT_BEGIN_LOAD = 17,
    EVENT_EXECUTE_LOAD = 18,
    EVENT_TABLE_MAP = 19,
    EVENT_WRITE_ROWS_V1 = 23,
    EVENT_UPDATE_ROWS_V1 = 24,
    EVENT_DELETE_ROWS_V1 = 25,
    EVENT_INCIDENT = 26,
    EVENT_HEARTBEAT = 27,
    EVENT_IGNORABLE = 28,
    EVENT_ROWS_QUERY = 29,
    EVENT_WRITE_ROWS = 30,
    EVENT_UPDATE_ROWS = 31,
    EVENT_DELETE_ROWS = 32,
    EVENT_GTID = 33,
    EVENT_ANONYMOUS_GTID = 34,
    EVENT_PREVIOUS_GTIDS = 35,
    EVENT_TRANSACTION_CONTEXT = 36,
    EVENT_VIEW_CHANGE = 37,
    EVENT_XA_PREPARE = 38,
    EVENT_PARTIAL_UPDATE_ROWS = 39,
    EVENT_TRANSACTION_PAYLOAD = 40,
    EVENT_HEARTBEAT_V2 = 41,
    EVENT_GTID_TAGGED = 42,
    EVENT_MARIADB_ANNOTATE = 160,
    EVENT_MARIADB_CHECKPOINT = 161,
    EVENT_MARIADB_GTID = 162,
    EVENT_MARIADB_GTID_LIST = 163,
    EVENT_MARIADB_ENCRYPTION = 164,
    EVENT_MARIADB_QUERY_COMPRESSED = 165,
    EVENT_MARIADB_WRITE_ROWS_V1_COMPRESSED = 166,
    EVENT_MARIADB_UPDATE_ROWS_V1_COMPRESSED = 167,
    EVENT_MARIADB_DELETE_ROWS_V1_COMPRESSED = 168,
    EVENT_MARIADB_WRITE_ROWS_COMPRESSED = 169,
    EVENT_MARIADB_UPDATE_ROWS_COMPRESSED = 170,
    EVENT_MARIADB_DELETE_ROWS_COMPRESSED = 171,
};

#define EVENT_HEADER 19u
#define EVENT_FLAG_ARTIFICIAL 0x20u /* made up by the dump thread, not in the file */
#define EVENT_FLAG_IGNORABLE 0x80u

/* An event, its header read and its checksum taken off. */
struct event {
    uint32_t stamp; /* seconds since 1970 */
    uint32_t size;  /* as in the file */
    uint32_t next;  /* low 32 bits of the position behind it; 0 for made-up ones */
    uint16_t flags;
    uint8_t type;
    bool inner; /* from within a compressed transaction */
    struct rd body;
};

enum group_state {
    GROUP_NONE,      /* between transactions */
    GROUP_ANNOUNCED, /* a GTID came: BEGIN or one statement follows */
    GROUP_OPEN,      /* until XID, COMMIT, ROLLBACK, XA PREPARE */
};

struct mysql_binlog {
    struct mysql_conn *conn; /* borrowed */
    struct mysql_binlog_options options;
    struct mysql_binlog_calls calls;
    void *ctx;
    struct mysql_position at;  /* behind the last complete event */
    struct mysql_position end; /* behind the current one */
    struct mysql_tx tx;
    char gtid[96];
    enum group_state group;
    bool xa; /* its rows are only prepared, not committed: they are kept */
    struct mysql_xa *xa_kept, *own_xa;
    bool checksums;  /* events carry a CRC32 */
    bool mariadb;    /* who wrote the current file */
    struct map maps; /* 8 bytes of table id → struct tablemap */
    struct scratch scratch;
    struct charset_cache charsets;
    struct buf unpacked;      /* a compressed event's rows or text */
    struct buf payload_event; /* one event of a compressed transaction */
    struct arena *statement;  /* of the current QUERY */
    struct mysql_binlog_counts counts;
};

/* A stream that was not asked for yet: `c` need not be connected. */
struct mysql_binlog *binlog_new(struct mysql_conn *c, const struct mysql_binlog_options *options,
                                const struct mysql_binlog_calls *calls, void *ctx)
    __attribute__((returns_nonnull));
/* Handles the bytes of one event. */
enum status binlog_packet(struct mysql_binlog *b, const uint8_t *p, size_t n,
                          struct mysql_err *err) MUST_CHECK;

/* All of these return a callback's status, or fill err. */
enum status binlog_event(struct mysql_binlog *b, struct event *e, struct mysql_err *err) MUST_CHECK;
enum status binlog_payload(struct mysql_binlog *b, struct event *e,
                           struct mysql_err *err) MUST_CHECK;
enum status binlog_gtid(struct mysql_binlog *b, struct event *e, struct mysql_err *err) MUST_CHECK;
enum status binlog_query(struct mysql_binlog *b, struct event *e, struct mysql_err *err) MUST_CHECK;
enum status binlog_commit(struct mysql_binlog *b, const struct event *e,
                          struct mysql_err *err) MUST_CHECK;
enum status binlog_table_map(struct mysql_binlog *b, struct event *e,
                             struct mysql_err *err) MUST_CHECK;
enum status binlog_rows(struct mysql_binlog *b, struct event *e, struct mysql_err *err) MUST_CHECK;
/* The group at hand is an XA transaction that is going to be prepared: its row events are kept. */
void binlog_xa_begin(struct mysql_binlog *b);
enum status binlog_xa_keep(struct mysql_binlog *b, const struct event *e,
                           struct mysql_err *err) MUST_CHECK;
/* The event XA_PREPARE, which ends the group. */
enum status binlog_xa_prepare(struct mysql_binlog *b, struct event *e,
                              struct mysql_err *err) MUST_CHECK;
/* A statement "XA …". */
enum status binlog_xa_query(struct mysql_binlog *b, const struct event *e, struct str text,
                            struct mysql_err *err) MUST_CHECK;
void binlog_forget_tables(struct mysql_binlog *b);

/* How the text of a statement is to be read. */
struct query_status {
    bool ansi_quotes;   /* "x" is a name in it */
    bool no_escapes;    /* a backslash stands for itself */
    struct str charset; /* absent: UTF-8, or one that we don't know */
};
struct query_status binlog_query_status(struct rd vars);

/* Is any table of the statement wanted? (`unknown` when not all could be told) */
enum status binlog_wanted(struct mysql_binlog *b, const struct mysql_ddl *ddl, bool *ret,
                          struct mysql_err *err) MUST_CHECK;

/* Splits packet bytes into header and body (checksum verified); ST_INVALID with err. */
enum status binlog_split(struct mysql_binlog *b, const uint8_t *p, size_t n, bool inner,
                         struct event *ret, struct mysql_err *err) MUST_CHECK;
/* MariaDB's compressed parts into b->unpacked. */
enum status binlog_inflate(struct mysql_binlog *b, struct rd *in, struct mysql_err *err) MUST_CHECK;

enum status binlog_corrupt(const struct mysql_binlog *b, const struct event *e, const char *why,
                           struct mysql_err *err);
enum status binlog_refuse(const struct mysql_binlog *b, enum mysql_err_kind kind, const char *why,
                          struct mysql_err *err);
/* A callback's status: ends the run without an error text. */
static inline enum status binlog_called(enum status st, struct mysql_err *err)
{
    if (st) {
        mysql_err_clear(err);
    }
    return st;
}

#endif
