/* A table through a prepared statement. The packets are read here and not by the library's
 * statement functions, which convert and copy each value: that costs four times as much. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"
#include "server/mysql/snapshot_parts.h"
#include "server/mysql/value_parts.h"
#include "server/mysql/wire_types.h"

#define EOF_HEAD 0xFE
#define EOF_SIZE_MAX 9u

struct reading {
    struct mysql_conn *conn;
    const struct mysql_read *read;
    const struct mysql_table *table;
    struct rowread_column *columns;
    struct mysql_value *values;
    size_t n; /* selected columns */
    uint32_t statement;
    uint64_t rows;
};

static bool skipped(const struct mysql_read *read, size_t i)
{
    return read->skip && read->skip[i];
}

static void select_statement(const struct mysql_read *read, struct buf *sql)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(4u << 20);
    const struct mysql_table *t = read->table;
    const char *between = "SELECT ";
    for (size_t i = 0; i < t->columns_n; i++) {
        if (!skipped(read, i)) {
            buf_puts(sql, between);
            buf_str_add(sql, mysql_quote_name(a, t->columns[i].name));
            between = ", ";
        }
    }
    buf_puts(sql, " FROM ");
    buf_str_add(sql, mysql_quote_name(a, t->schema));
    buf_putc(sql, '.');
    buf_str_add(sql, mysql_quote_name(a, t->name));
    if (!str_empty(read->partition)) {
        buf_puts(sql, " PARTITION (");
        buf_str_add(sql, mysql_quote_name(a, read->partition));
        buf_putc(sql, ')');
    }
    if (!str_empty(read->where)) {
        buf_puts(sql, " WHERE ");
        buf_str_add(sql, read->where);
    }
    between = " ORDER BY ";
    for (size_t i = 0; i < t->pk_n && read->by_key; i++) {
        buf_puts(sql, between);
        buf_str_add(sql, mysql_quote_name(a, t->columns[t->pk[i]].name));
        between = ", ";
    }
}

static enum status malformed(const struct reading *g, const char *what, struct mysql_err *err)
{
    return mysql_err_set(err, ST_INVALID, MYSQL_ERR_CORRUPT,
                         "%s sent a malformed %s while reading %.*s.%.*s (after %llu rows).",
                         mysql_conn_host_text(g->conn), what, STR_ARG(g->table->schema),
                         STR_ARG(g->table->name), (unsigned long long)g->rows);
}

static bool is_eof(const uint8_t *p, size_t n)
{
    return n > 0 && n < EOF_SIZE_MAX && p[0] == EOF_HEAD;
}

/* A column definition ends with: 12, charset 2, length 4, type 1, flags 2, decimals 1, 0 0. */
static enum status plan_column(struct reading *g, size_t k, size_t index, struct mysql_err *err)
{
    const uint8_t *p;
    size_t n;
    enum status st = mysql_conn_recv(g->conn, &p, &n, err);
    if (st) {
        return st;
    }
    if (n < 13) {
        return malformed(g, "column definition", err);
    }
    const struct mysql_column *col = &g->table->columns[index];
    g->columns[k].index = index;
    if (rowread_plan(col, p[n - 6], &g->columns[k])) {
        return ST_OK;
    }
    if (col->family == MYSQL_F_OTHER) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_UNSUPPORTED,
                             "Column %.*s.%.*s.%.*s has type %.*s, which we cannot read: leave it "
                             "out.",
                             STR_ARG(g->table->schema), STR_ARG(g->table->name), STR_ARG(col->name),
                             STR_ARG(col->type_text));
    }
    return mysql_err_set(err, ST_CONFLICT, MYSQL_ERR_CHANGED,
                         "Column %.*s.%.*s.%.*s was described as %.*s, but the server sends "
                         "protocol type %u: the table was altered.",
                         STR_ARG(g->table->schema), STR_ARG(g->table->name), STR_ARG(col->name),
                         STR_ARG(col->type_text), (unsigned)p[n - 6]);
}

static enum status expect_eof(struct reading *g, struct mysql_err *err)
{
    const uint8_t *p;
    size_t n;
    enum status st = mysql_conn_recv(g->conn, &p, &n, err);
    if (!st && !is_eof(p, n)) {
        st = malformed(g, "end of column definitions", err);
    }
    return st;
}

static enum status prepare(struct reading *g, struct mysql_err *err)
{
    CLEANUP(buf_fini) struct buf sql = BUF_INIT(8u << 20);
    select_statement(g->read, &sql);
    if (!buf_ok(&sql)) {
        return mysql_err_set(err, ST_NOMEM, MYSQL_ERR_LIMIT, "The SELECT of a table is too long.");
    }
    enum status st = mysql_conn_send(g->conn, MYSQL_COMMAND_STMT_PREPARE, sql.p, sql.n, err);
    const uint8_t *p;
    size_t n;
    if (!st) {
        st = mysql_conn_recv(g->conn, &p, &n, err);
    }
    if (st) {
        return st;
    }
    if (n < 12 || p[0] != 0 || le_bytes(p + 5, 2) != g->n || le_bytes(p + 7, 2) != 0) {
        return malformed(g, "answer to PREPARE (or the condition has a '?')", err);
    }
    g->statement = (uint32_t)le_bytes(p + 1, 4);
    size_t k = 0;
    for (size_t i = 0; i < g->table->columns_n && !st; i++) {
        if (!skipped(g->read, i)) {
            st = plan_column(g, k++, i, err);
        }
    }
    return st ? st : expect_eof(g, err);
}

static void put_le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static enum status execute(struct reading *g, struct mysql_err *err)
{
    uint8_t body[9] = { 0 }; /* statement, no cursor, one iteration */
    put_le32(body, g->statement);
    body[5] = 1;
    enum status st = mysql_conn_send(g->conn, MYSQL_COMMAND_STMT_EXECUTE, body, sizeof(body), err);
    const uint8_t *p;
    size_t n;
    if (!st) {
        st = mysql_conn_recv(g->conn, &p, &n, err);
    }
    if (st) {
        return st;
    }
    struct rd r = { p, p + n, false };
    uint64_t count = rd_lenenc(&r);
    /* MariaDB may say in one more byte that the definitions do not follow. */
    bool follow = rd_left(&r) == 0 || rd_le(&r, 1) != 0;
    if (r.bad || count != g->n) {
        return malformed(g, "answer to EXECUTE", err);
    }
    for (size_t i = 0; i < g->n && follow && !st; i++) {
        st = mysql_conn_recv(g->conn, &p, &n, err);
    }
    return st ? st : expect_eof(g, err);
}

static enum status rows(struct reading *g, struct mysql_err *err)
{
    const uint8_t *p;
    size_t n;
    for (;;) {
        enum status st = mysql_conn_recv(g->conn, &p, &n, err);
        if (st) {
            return st;
        }
        if (is_eof(p, n)) {
            return ST_OK;
        }
        if (!rowread_decode(p, n, g->columns, g->n, g->values)) {
            return malformed(g, "row", err);
        }
        g->rows++;
        st = g->read->row(g->read->ctx, g->values);
        if (st) {
            mysql_err_clear(err);
            mysql_conn_cut(g->conn); /* the rest of the rows is still coming */
            return st;
        }
    }
}

/* In a snapshot, these can only come from a change of the table after it was described. */
static void word_change(const struct reading *g, struct mysql_err *err)
{
    if (err->kind == MYSQL_ERR_MISSING || err->kind == MYSQL_ERR_CHANGED) {
        err->kind = MYSQL_ERR_CHANGED;
        mysql_err_prefix(err, "Table %.*s.%.*s was altered while it was being loaded: ",
                         STR_ARG(g->table->schema), STR_ARG(g->table->name));
    }
}

static enum status read_all(struct reading *g, struct mysql_err *err)
{
    enum status st = prepare(g, err);
    if (!st) {
        st = execute(g, err);
        if (!st) {
            st = rows(g, err);
        }
        if (st) {
            return st;
        }
        uint8_t id[4];
        put_le32(id, g->statement);
        st = mysql_conn_send(g->conn, MYSQL_COMMAND_STMT_CLOSE, id, sizeof(id), err);
    }
    return st;
}

enum status mysql_snapshot_read(struct mysql_snapshot *s, size_t conn,
                                const struct mysql_read *read, uint64_t *ret_rows,
                                struct mysql_err *err)
{
    mysql_err_clear(err);
    if (ret_rows) {
        *ret_rows = 0;
    }
    struct reading g = { .read = read, .table = read->table };
    for (size_t i = 0; i < read->table->columns_n; i++) {
        g.n += !skipped(read, i);
    }
    if (conn >= s->conns_n || g.n == 0) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_LIMIT,
                             "Nothing to read of %.*s.%.*s: no such connection, or no column left.",
                             STR_ARG(read->table->schema), STR_ARG(read->table->name));
    }
    g.conn = s->conns[conn];
    g.columns = xcalloc(g.n, sizeof(*g.columns));
    g.values = xcalloc(read->table->columns_n, sizeof(*g.values));
    enum status st = read_all(&g, err);
    if (st) {
        word_change(&g, err);
    }
    if (ret_rows) {
        *ret_rows = g.rows;
    }
    free(g.columns);
    free(g.values);
    return st;
}
