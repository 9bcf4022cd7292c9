#include "server/mysql/binlog.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/binlog_parts.h"

#define HEARTBEAT_MS 500u
#define EVENT_MAX ((uint64_t)1 << 30)
#define EVENT_SMALL ((size_t)16 * 1024 * 1024) /* unpacking buffers above are given back */
#define DUMP_NON_BLOCK 1u
#define POS_MAX UINT32_MAX
#define EOF_PACKET 0xFE
#define EOF_SIZE_MAX 9u
#define CHECKSUM_NONE 0u
#define CHECKSUM_CRC32 1u
#define CHECKSUM_ARENA ((size_t)64 * 1024)

/* --- starting --------------------------------------------------------------------------------- */

static void put_le(struct buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        buf_putc(b, (char)(v >> (8 * i)));
    }
}

enum status mysql_conn_register(struct mysql_conn *c, uint32_t server_id, struct mysql_err *err)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(256);
    put_le(&b, server_id, 4);
    put_le(&b, 0, 3); /* no host, user, password to show */
    put_le(&b, 0, 2); /* port */
    put_le(&b, 0, 4); /* rank */
    put_le(&b, 0, 4); /* the server fills in its own id */
    enum status st = mysql_conn_send(c, MYSQL_COMMAND_REGISTER_SLAVE, b.p, b.n, err);
    const uint8_t *p;
    size_t n;
    if (!st) {
        st = mysql_conn_recv(c, &p, &n, err);
    }
    if (st && (err->kind == MYSQL_ERR_AUTH || err->kind == MYSQL_ERR_PRIVILEGE)) {
        err->kind = MYSQL_ERR_PRIVILEGE;
        mysql_err_prefix(err, "User '%s' may not read the binary log: GRANT REPLICATION SLAVE. ",
                         mysql_conn_user(c));
    }
    return st;
}

/* Servers without checksums do not know the variable; theirs carry none. */
static enum status agree_on_checksums(struct mysql_binlog *b, struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(CHECKSUM_ARENA);
    struct str kind;
    enum status st = mysql_conn_value(b->conn, a, "SELECT @@global.binlog_checksum", &kind, err);
    if (st) {
        b->checksums = false;
        return err->code == 1193 ? ST_OK : st;
    }
    b->checksums = !str_ieqz(kind, "NONE");
    return mysql_conn_exec(b->conn,
                           "SET @master_binlog_checksum = @@global.binlog_checksum, "
                           "@source_binlog_checksum = @@global.binlog_checksum",
                           err);
}

static enum status prepare_session(struct mysql_binlog *b, struct mysql_err *err)
{
    unsigned long long period = (unsigned long long)b->options.heartbeat_ms * 1000000;
    enum status st = agree_on_checksums(b, err);
    if (!st) {
        st = mysql_conn_execf(
            b->conn, err, "SET @master_heartbeat_period = %llu, @source_heartbeat_period = %llu",
            period, period);
    }
    if (!st) {
        /* While we are not reading (back-pressure), the server must not drop us. */
        st = mysql_conn_exec(b->conn, "SET SESSION net_write_timeout = 3600", err);
    }
    if (!st && mysql_conn_flavour(b->conn) == MYSQL_FLAVOUR_MARIADB) {
        /* Without, it would rewrite events for us as for an old replica. */
        st = mysql_conn_exec(b->conn, "SET @mariadb_slave_capability = 4", err);
    } else if (!st) {
        st = mysql_conn_exec(b->conn, "SET @slave_uuid = UUID(), @replica_uuid = @slave_uuid", err);
    }
    return st;
}

static enum status request_dump(struct mysql_binlog *b, struct mysql_err *err)
{
    CLEANUP(buf_fini) struct buf body = BUF_INIT(1024);
    put_le(&body, b->options.start.pos, 4);
    put_le(&body, b->options.until_end ? DUMP_NON_BLOCK : 0, 2);
    put_le(&body, b->options.server_id, 4);
    buf_puts(&body, b->options.start.file);
    return mysql_conn_send(b->conn, MYSQL_COMMAND_BINLOG_DUMP, body.p, body.n, err);
}

static enum status check_options(const struct mysql_binlog *b, struct mysql_err *err)
{
    const struct mysql_position *p = &b->options.start;
    if (b->options.server_id == 0 || p->file[0] == '\0' || p->pos < 4) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_CONFIG,
                             "A binlog stream needs a server id and a position (file, 4 or more).");
    }
    if (p->pos > POS_MAX) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_UNSUPPORTED,
                             "The protocol cannot start at %s:%llu, beyond 4 GiB of a file: FLUSH "
                             "BINARY LOGS on the source, and reload the tables.",
                             p->file, (unsigned long long)p->pos);
    }
    return ST_OK;
}

struct mysql_binlog *binlog_new(struct mysql_conn *c, const struct mysql_binlog_options *options,
                                const struct mysql_binlog_calls *calls, void *ctx)
{
    struct mysql_binlog *b = xcalloc(1, sizeof(*b));
    b->conn = c;
    b->options = *options;
    b->options.heartbeat_ms = options->heartbeat_ms ? options->heartbeat_ms : HEARTBEAT_MS;
    if (!options->max_event_bytes || options->max_event_bytes > EVENT_MAX) {
        b->options.max_event_bytes = EVENT_MAX;
    }
    b->calls = *calls;
    b->ctx = ctx;
    b->at = b->end = options->start;
    b->own_xa = options->xa ? NULL : mysql_xa_new(NULL);
    b->xa_kept = options->xa ? options->xa : b->own_xa;
    map_init(&b->maps);
    buf_init(&b->unpacked, (size_t)b->options.max_event_bytes + 1);
    buf_init(&b->payload_event, (size_t)b->options.max_event_bytes + 1);
    return b;
}

enum status mysql_binlog_open(struct mysql_conn *c, const struct mysql_binlog_options *options,
                              const struct mysql_binlog_calls *calls, void *ctx,
                              struct mysql_binlog **ret, struct mysql_err *err)
{
    *ret = NULL;
    mysql_err_clear(err);
    struct mysql_binlog *b = binlog_new(c, options, calls, ctx);
    b->mariadb = mysql_conn_flavour(c) == MYSQL_FLAVOUR_MARIADB;
    enum status st = check_options(b, err);
    if (!st) {
        st = prepare_session(b, err);
    }
    if (!st) {
        st = mysql_conn_register(c, options->server_id, err);
    }
    if (!st) {
        st = request_dump(b, err);
    }
    if (st) {
        mysql_binlog_free(b);
        return st;
    }
    *ret = b;
    return ST_OK;
}

void mysql_binlog_free(struct mysql_binlog *b)
{
    if (!b) {
        return;
    }
    binlog_forget_tables(b);
    map_fini(&b->maps);
    scratch_fini(&b->scratch);
    charset_cache_fini(&b->charsets);
    buf_fini(&b->unpacked);
    buf_fini(&b->payload_event);
    arena_free(b->statement);
    mysql_xa_free(b->own_xa);
    free(b);
}

/* --- events ----------------------------------------------------------------------------------- */

/* A transaction never spans files. One that is still open when a new file begins was being written
 * when the server crashed: it does not count. */
static enum status abandon(struct mysql_binlog *b, struct mysql_err *err)
{
    if (b->group == GROUP_OPEN && b->tx.rows > 0) {
        return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED,
                             "the server crashed while it wrote a transaction, whose first rows "
                             "were delivered already. Reload the tables.",
                             err);
    }
    b->group = GROUP_NONE;
    mysql_xa_drop_open(b->xa_kept);
    return ST_OK;
}

/* Version 4, server version 50, created 4, header length 1, lengths …; checksum kind and CRC. */
static enum status format_event(struct mysql_binlog *b, const struct event *e,
                                struct mysql_err *err)
{
    struct rd r = e->body;
    uint64_t version = rd_le(&r, 2);
    struct str server = rd_str(&r, 50);
    rd_take(&r, 4);
    uint64_t header = rd_le(&r, 1);
    if (r.bad || version != 4 || header != EVENT_HEADER) {
        return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED,
                             "its format is not version 4 (the server is older than MySQL 5.0).",
                             err);
    }
    struct str text = { server.p, strnlen(server.p, server.n) };
    b->mariadb = str_find_str(text, STR("MariaDB")) >= 0;
    /* 5.5 and older end without; "5.5.5-10.…" is MariaDB's disguise. */
    bool old = text.n >= 4 && !b->mariadb &&
               (str_starts(text, STR("5.0.")) || str_starts(text, STR("5.1.")) ||
                str_starts(text, STR("5.5.")));
    b->checksums = false;
    if (!old && rd_left(&r) >= 5) {
        uint8_t kind = r.end[-5];
        if (kind != CHECKSUM_NONE && kind != CHECKSUM_CRC32) {
            return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED, "its checksums are of an unknown kind.",
                                 err);
        }
        b->checksums = kind == CHECKSUM_CRC32;
    }
    binlog_forget_tables(b); /* table ids start again with a server */
    return e->next == 0 ? ST_OK : abandon(b, err);
}

static enum status rotate_event(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    uint64_t pos = rd_le(&e->body, 8);
    struct str file = { (const char *)e->body.p, rd_left(&e->body) };
    struct mysql_position to = { 0 };
    if (e->body.bad || mysql_position_set(&to, file, pos) != ST_OK) {
        return binlog_corrupt(b, e, "a ROTATE event names no file", err);
    }
    bool same = strcmp(b->at.file, to.file) == 0;
    b->end = to;
    if (same || !b->calls.rotate) {
        return ST_OK;
    }
    return binlog_called(b->calls.rotate(b->ctx, &to), err);
}

static enum status heartbeat(struct mysql_binlog *b, struct mysql_err *err)
{
    return b->calls.heartbeat ? binlog_called(b->calls.heartbeat(b->ctx, &b->at), err) : ST_OK;
}

static enum status other_event(struct mysql_binlog *b, const struct event *e, struct mysql_err *err)
{
    switch (e->type) {
    case EVENT_STOP:
    case EVENT_INTVAR: /* these three belong to statements, which are judged themselves */
    case EVENT_RAND:
    case EVENT_USER_VAR:
    case EVENT_BEGIN_LOAD:
    case EVENT_IGNORABLE:
    case EVENT_ROWS_QUERY:
    case EVENT_PREVIOUS_GTIDS:
    case EVENT_TRANSACTION_CONTEXT:
    case EVENT_VIEW_CHANGE:
    case EVENT_MARIADB_ANNOTATE:
    case EVENT_MARIADB_CHECKPOINT:
    case EVENT_MARIADB_GTID_LIST:
    case EVENT_MARIADB_ENCRYPTION:
        return ST_OK;
    case EVENT_INCIDENT:
        return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED,
                             "the server notes that it lost events here. Reload the tables.", err);
    case EVENT_PARTIAL_UPDATE_ROWS:
        return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED,
                             "partial JSON updates cannot be captured. SET GLOBAL "
                             "binlog_row_value_options = '', then reload the tables.",
                             err);
    default:
        if (e->flags & EVENT_FLAG_IGNORABLE) {
            return ST_OK;
        }
        mysql_err_set(err, ST_INVALID, MYSQL_ERR_UNSUPPORTED,
                      "The binary log of %s has an event of unknown type %u at %s:%llu, which must "
                      "not be ignored.",
                      mysql_conn_host_text(b->conn), e->type, b->at.file,
                      (unsigned long long)b->at.pos);
        return ST_INVALID;
    }
}

enum status binlog_event(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    switch (e->type) {
    case EVENT_FORMAT:
        return format_event(b, e, err);
    case EVENT_ROTATE:
        return rotate_event(b, e, err);
    case EVENT_HEARTBEAT:
    case EVENT_HEARTBEAT_V2:
        return heartbeat(b, err);
    case EVENT_GTID:
    case EVENT_ANONYMOUS_GTID:
    case EVENT_GTID_TAGGED:
    case EVENT_MARIADB_GTID:
        return binlog_gtid(b, e, err);
    case EVENT_QUERY:
    case EVENT_MARIADB_QUERY_COMPRESSED:
    case EVENT_EXECUTE_LOAD:
        return binlog_query(b, e, err);
    case EVENT_XID:
        return binlog_commit(b, e, err);
    case EVENT_XA_PREPARE:
        return binlog_xa_prepare(b, e, err);
    case EVENT_TABLE_MAP:
        return b->xa ? binlog_xa_keep(b, e, err) : binlog_table_map(b, e, err);
    case EVENT_WRITE_ROWS_V1:
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_DELETE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_UPDATE_ROWS:
    case EVENT_DELETE_ROWS:
    case EVENT_MARIADB_WRITE_ROWS_V1_COMPRESSED:
    case EVENT_MARIADB_UPDATE_ROWS_V1_COMPRESSED:
    case EVENT_MARIADB_DELETE_ROWS_V1_COMPRESSED:
    case EVENT_MARIADB_WRITE_ROWS_COMPRESSED:
    case EVENT_MARIADB_UPDATE_ROWS_COMPRESSED:
    case EVENT_MARIADB_DELETE_ROWS_COMPRESSED:
        return b->xa ? binlog_xa_keep(b, e, err) : binlog_rows(b, e, err);
    case EVENT_TRANSACTION_PAYLOAD:
        return binlog_payload(b, e, err);
    default:
        return other_event(b, e, err);
    }
}

/* Positions in headers have 32 bits; a file with a huge transaction is longer. */
static void advance(struct mysql_binlog *b, const struct event *e)
{
    b->end = b->at;
    if (e->next == 0 || (e->flags & EVENT_FLAG_ARTIFICIAL) || e->type == EVENT_HEARTBEAT ||
        e->type == EVENT_HEARTBEAT_V2) {
        return;
    }
    uint64_t end = (b->at.pos & ~(uint64_t)UINT32_MAX) | e->next;
    if (end < b->at.pos) {
        end += (uint64_t)1 << 32;
    }
    b->end.pos = end;
}

enum status binlog_packet(struct mysql_binlog *b, const uint8_t *p, size_t n, struct mysql_err *err)
{
    struct event e;
    if (n > b->options.max_event_bytes) {
        return mysql_err_set(err, ST_NOMEM, MYSQL_ERR_LIMIT,
                             "An event at %s:%llu has %zu bytes, more than our limit.", b->at.file,
                             (unsigned long long)b->at.pos, n);
    }
    enum status st = binlog_split(b, p, n, false, &e, err);
    if (st) {
        return st;
    }
    b->counts.events++;
    b->counts.bytes += n;
    b->counts.last_event_us = e.stamp ? (int64_t)e.stamp * 1000000 : b->counts.last_event_us;
    b->tx.log_bytes += n;
    advance(b, &e);
    st = binlog_event(b, &e, err);
    if (!st) {
        b->at = b->end;
    }
    if (b->unpacked.cap > EVENT_SMALL) {
        buf_fini(&b->unpacked);
        buf_init(&b->unpacked, (size_t)b->options.max_event_bytes + 1);
    }
    return st;
}

enum status mysql_binlog_run(struct mysql_binlog *b, struct mysql_err *err)
{
    mysql_err_clear(err);
    for (;;) {
        const uint8_t *p;
        size_t n;
        enum status st = mysql_conn_recv(b->conn, &p, &n, err);
        if (st) {
            return st;
        }
        if (n > 0 && n < EOF_SIZE_MAX && p[0] == EOF_PACKET) {
            return ST_OK;
        }
        if (n < 1 + EVENT_HEADER || p[0] != 0) {
            return binlog_corrupt(b, NULL, "a packet is no event", err);
        }
        st = binlog_packet(b, p + 1, n - 1, err);
        if (st) {
            return st;
        }
    }
}

struct mysql_binlog_counts mysql_binlog_counts(const struct mysql_binlog *b)
{
    return b->counts;
}
