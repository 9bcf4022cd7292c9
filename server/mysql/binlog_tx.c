/* Transactions: where they begin and end, and the statements between them. */
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/binlog_parts.h"

#define STATEMENT_ARENA ((size_t)64 * 1024 * 1024)
#define MICROS 1000000

/* MariaDB's GTID flags */
#define GTID_STANDALONE 0x01u
#define GTID_PREPARED_XA 0x40u

static uint64_t event_start(const struct mysql_binlog *b, const struct event *e)
{
    return e->inner || e->next == 0 ? b->at.pos : b->end.pos - e->size;
}

static enum status begin(struct mysql_binlog *b, const struct event *e, struct mysql_err *err)
{
    b->group = GROUP_OPEN;
    if (b->tx.commit_us == 0) {
        b->tx.commit_us = (int64_t)e->stamp * MICROS;
    }
    if (!b->calls.begin) {
        return ST_OK;
    }
    return binlog_called(b->calls.begin(b->ctx, &b->tx), err);
}

/* A new group of events starts with this one. */
static void announce(struct mysql_binlog *b, const struct event *e)
{
    b->tx = (struct mysql_tx){ .start = b->at };
    b->tx.start.pos = event_start(b, e);
    b->group = GROUP_ANNOUNCED;
    b->xa = false;
}

enum status binlog_commit(struct mysql_binlog *b, const struct event *e, struct mysql_err *err)
{
    if (b->group != GROUP_OPEN) {
        return binlog_corrupt(b, e, "a commit without a transaction", err);
    }
    if (b->xa && mysql_xa_has_events(mysql_xa_at_hand(b->xa_kept))) {
        return binlog_corrupt(b, e, "an XA transaction ends without XA PREPARE", err);
    }
    b->group = GROUP_NONE;
    b->xa = false;
    b->tx.end = b->end;
    if (b->calls.commit) {
        return binlog_called(b->calls.commit(b->ctx, &b->tx), err);
    }
    return ST_OK;
}

/* --- GTIDs ------------------------------------------------------------------------------------ */

static enum status mariadb_gtid(struct mysql_binlog *b, struct event *e, uint32_t server_id,
                                struct mysql_err *err)
{
    uint64_t sequence = rd_le(&e->body, 8);
    uint32_t domain = (uint32_t)rd_le(&e->body, 4);
    uint64_t flags = rd_le(&e->body, 1);
    if (e->body.bad) {
        return binlog_corrupt(b, e, "a GTID event is cut off", err);
    }
    snprintf(b->gtid, sizeof(b->gtid), "%u-%u-%llu", domain, server_id,
             (unsigned long long)sequence);
    b->tx.gtid = str_z(b->gtid);
    b->tx.commit_us = (int64_t)e->stamp * MICROS;
    if (flags & GTID_PREPARED_XA) {
        binlog_xa_begin(b);
    }
    /* It stands for BEGIN, too, unless one statement follows. */
    return flags & GTID_STANDALONE ? ST_OK : begin(b, e, err);
}

/* Flags, the server's UUID, the number; then, since 5.7 and 8.0, a logical clock and times. */
static enum status mysql_gtid(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    rd_take(&e->body, 1);
    const uint8_t *u = rd_take(&e->body, 16);
    uint64_t number = rd_le(&e->body, 8);
    if (!u || e->body.bad) {
        return binlog_corrupt(b, e, "a GTID event is cut off", err);
    }
    if (e->type == EVENT_GTID) {
        snprintf(b->gtid, sizeof(b->gtid),
                 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x:%llu", u[0],
                 u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
                 u[14], u[15], (unsigned long long)number);
        b->tx.gtid = str_z(b->gtid);
    }
    b->tx.commit_us = (int64_t)e->stamp * MICROS;
    if (rd_left(&e->body) >= 1 + 16 + 7 && rd_le(&e->body, 1) == 2) {
        rd_take(&e->body, 16);
        /* Microseconds of the commit here; its highest bit says that the original's follow. */
        int64_t us = (int64_t)(rd_le(&e->body, 7) & ~(1ull << 55));
        b->tx.commit_us = us > 0 ? us : b->tx.commit_us;
    }
    return ST_OK;
}

enum status binlog_gtid(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    if (b->group == GROUP_OPEN) {
        return binlog_corrupt(b, e, "a transaction begins within another", err);
    }
    announce(b, e);
    if (e->type == EVENT_MARIADB_GTID) {
        /* The header's server id is part of the name. */
        return mariadb_gtid(b, e, (uint32_t)le_bytes(e->body.p - EVENT_HEADER + 5, 4), err);
    }
    return e->type == EVENT_GTID_TAGGED ? ST_OK : mysql_gtid(b, e, err);
}

/* --- statements ------------------------------------------------------------------------------- */

struct query {
    struct str schema, text;
    struct query_status status;
    bool shown; /* by the server, in place of what the client wrote */
};

static bool split_query(struct event *e, struct query *ret)
{
    struct rd *r = &e->body;
    rd_take(r, 8); /* thread, seconds it took */
    size_t schema_n = (size_t)rd_le(r, 1);
    rd_take(r, 2); /* its error */
    size_t vars_n = (size_t)rd_le(r, 2);
    if (e->type == EVENT_EXECUTE_LOAD) {
        rd_take(r, 13); /* file, and where its name is in the text */
    }
    const uint8_t *vars = rd_take(r, vars_n);
    ret->schema = rd_str(r, schema_n);
    rd_take(r, 1);
    if (!vars || r->bad) {
        return false;
    }
    ret->status = binlog_query_status((struct rd){ vars, vars + vars_n, false });
    ret->text = (struct str){ (const char *)r->p, rd_left(r) };
    return true;
}

static bool own_schema(struct str schema)
{
    return str_eqz(schema, "mysql") || str_eqz(schema, "sys") ||
           str_eqz(schema, "performance_schema") || str_eqz(schema, "information_schema");
}

enum status binlog_wanted(struct mysql_binlog *b, const struct mysql_ddl *ddl, bool *ret,
                          struct mysql_err *err)
{
    *ret = !ddl->complete;
    for (size_t i = 0; i < ddl->n && !*ret; i++) {
        const struct mysql_table *table = NULL;
        if (own_schema(ddl->items[i].schema)) {
            continue;
        }
        enum status st = b->calls.lookup(b->ctx, ddl->items[i].schema, ddl->items[i].name, &table);
        if (st) {
            return binlog_called(st, err);
        }
        *ret = table != NULL;
    }
    return ST_OK;
}

/* Changes of wanted tables that are only described by a statement cannot be captured. */
static enum status dml(struct mysql_binlog *b, const struct query *q, const struct mysql_ddl *ddl,
                       struct mysql_err *err)
{
    bool wanted;
    enum status st = binlog_wanted(b, ddl, &wanted, err);
    if (st || !wanted) {
        return st;
    }
    return mysql_err_set(
        err, ST_CONFLICT, MYSQL_ERR_CONFIG,
        "The binary log of %s at %s:%llu has a change in statement format: %.*s%s. "
        "Its rows cannot be captured. Set binlog_format to ROW globally and in "
        "every session, then reload the tables.",
        mysql_conn_host_text(b->conn), b->at.file, (unsigned long long)b->at.pos,
        (int)(q->text.n > 200 ? 200 : q->text.n), q->text.p, q->text.n > 200 ? "…" : "");
}

static enum status rollback(struct mysql_binlog *b, const struct mysql_ddl *ddl,
                            const struct event *e, struct mysql_err *err)
{
    if (b->tx.rows > 0 || (b->xa && mysql_xa_has_events(mysql_xa_at_hand(b->xa_kept)))) {
        return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED,
                             "a transaction rolls back after changes of captured tables were "
                             "logged (it also changed tables without transactions). Reload the "
                             "tables, and do not mix storage engines in a transaction.",
                             err);
    }
    return ddl->kind == MYSQL_DDL_ROLLBACK && b->group == GROUP_OPEN ? binlog_commit(b, e, err)
                                                                     : ST_OK;
}

static enum status statement(struct mysql_binlog *b, const struct query *q,
                             const struct mysql_ddl *ddl, struct mysql_err *err)
{
    binlog_forget_tables(b);
    struct mysql_statement s = { .text = q->text,
                                 .schema = q->schema,
                                 .ddl = ddl,
                                 .tx = &b->tx,
                                 .ansi_quotes = q->status.ansi_quotes,
                                 .no_escapes = q->status.no_escapes,
                                 .shown = q->shown };
    if (!b->calls.ddl) {
        return ST_OK;
    }
    return binlog_called(b->calls.ddl(b->ctx, &s), err);
}

/* A statement that is not part of an open transaction is one of its own. */
static enum status in_group(struct mysql_binlog *b, const struct event *e, const struct query *q,
                            const struct mysql_ddl *ddl, struct mysql_err *err)
{
    enum status st = ST_OK;
    bool alone = b->group != GROUP_OPEN;
    if (b->group == GROUP_NONE) {
        announce(b, e);
    }
    if (alone) {
        st = begin(b, e, err);
    }
    if (st) {
        return st;
    }
    if (ddl->kind == MYSQL_DDL_XA) {
        st = binlog_xa_query(b, e, q->text, err);
        alone = alone && !b->xa;
    } else if (ddl->kind == MYSQL_DDL_DML) {
        st = dml(b, q, ddl, err);
    } else {
        st = statement(b, q, ddl, err);
    }
    return !st && alone ? binlog_commit(b, e, err) : st;
}

static enum status act(struct mysql_binlog *b, const struct event *e, const struct query *q,
                       const struct mysql_ddl *ddl, struct mysql_err *err)
{
    switch (ddl->kind) {
    case MYSQL_DDL_BEGIN:
        if (b->group == GROUP_OPEN) {
            return ST_OK;
        }
        if (b->group == GROUP_NONE) {
            announce(b, e);
        }
        return begin(b, e, err);
    case MYSQL_DDL_COMMIT:
        return b->group == GROUP_OPEN ? binlog_commit(b, e, err) : ST_OK;
    case MYSQL_DDL_ROLLBACK:
    case MYSQL_DDL_ROLLBACK_TO:
        return rollback(b, ddl, e, err);
    case MYSQL_DDL_SAVEPOINT:
        return ST_OK;
    default:
        return in_group(b, e, q, ddl, err);
    }
}

/* In place of CREATE TABLE … SELECT the server writes how it would show the table, whatever the
 * client's character set. */
static bool written_by_server(struct str text)
{
    return str_starts(text, STR("CREATE ")) && str_find_str(text, STR("` (\n  ")) >= 0 &&
           str_utf8(text);
}

/* The log has the bytes that the client sent. */
static void to_utf8(struct mysql_binlog *b, struct query *q)
{
    struct charset *cs =
        str_set(q->status.charset) ? charset_cache_get(&b->charsets, q->status.charset) : NULL;
    q->shown = written_by_server(q->text);
    if (cs && !q->shown) {
        scratch_reset(&b->scratch);
        q->text = arena_str(b->statement, charset_to_utf8(cs, q->text, &b->scratch));
    }
}

enum status binlog_query(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    struct query q;
    if (!split_query(e, &q)) {
        return binlog_corrupt(b, e, "a QUERY event is cut off", err);
    }
    if (e->type == EVENT_MARIADB_QUERY_COMPRESSED) {
        struct rd packed = e->body;
        enum status st = binlog_inflate(b, &packed, err);
        if (st) {
            return st;
        }
        q.text = buf_str(&b->unpacked);
    }
    arena_free(b->statement);
    b->statement = arena_new(STATEMENT_ARENA);
    to_utf8(b, &q);
    struct mysql_ddl ddl;
    unsigned quoting = (q.status.ansi_quotes ? MYSQL_DDL_ANSI_QUOTES : 0u) |
                       (q.status.no_escapes ? MYSQL_DDL_NO_ESCAPES : 0u);
    mysql_ddl_parse(b->statement, q.text, q.schema, quoting, &ddl);
    if (e->type == EVENT_EXECUTE_LOAD) {
        ddl.kind = MYSQL_DDL_DML;
    }
    return act(b, e, &q, &ddl, err);
}
