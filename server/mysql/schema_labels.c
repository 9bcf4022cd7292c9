/* Labels of ENUM and SET with characters that the server's own descriptions lack: they are in
 * 3-byte UTF-8, and show '?' for all others. But values of the column's type have them whole: they
 * are made from numbers, without a row of the table. */
#include "server/mysql/schema_labels.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"

#define QUERY_MAX (8u << 20)
#define ASKED_MAX 2000u /* labels of a column */

/* One column and what is asked of it. */
struct asking {
    struct mysql_conn *conn;
    struct arena *arena;
    const struct mysql_table *table;
    const struct mysql_column *column;
    size_t *asked; /* indexes of labels */
    size_t n;
    struct str *labels;
};

static unsigned long long number_of(const struct asking *q, size_t k)
{
    return q->column->family == MYSQL_F_SET ? 1ull << q->asked[k] : q->asked[k] + 1;
}

static bool find_doubtful(struct asking *q)
{
    const struct mysql_column *c = q->column;
    size_t most = c->family == MYSQL_F_SET ? 64 : c->labels_n;
    q->n = 0;
    for (size_t i = 0; i < c->labels_n && i < most && q->n < ASKED_MAX; i++) {
        if (str_find(c->labels[i], '?', 0) >= 0) {
            q->asked = q->asked ? q->asked : ARENA_ARRAY(q->arena, size_t, c->labels_n);
            q->asked[q->n++] = i;
        }
    }
    if (q->n > 0) {
        q->labels = ARENA_ARRAY(q->arena, struct str, c->labels_n);
        memcpy(q->labels, c->labels, c->labels_n * sizeof(*c->labels));
    }
    return q->n > 0;
}

static void put_table(const struct asking *q, struct buf *out)
{
    buf_str_add(out, mysql_quote_name(q->arena, q->table->schema));
    buf_putc(out, '.');
    buf_str_add(out, mysql_quote_name(q->arena, q->table->name));
}

static void put_column(const struct asking *q, struct buf *out)
{
    buf_str_add(out, mysql_quote_name(q->arena, q->column->name));
}

/* --- MySQL ------------------------------------------------------------------------------------ */

/* A recursive query has the column types of its first part, here the column itself with a NULL from
 * no row; the numbers that come next become the column's values. */
static enum status ask_mysql(struct asking *q, struct buf *text, struct mysql_err *err)
{
    buf_puts(text, "WITH RECURSIVE r AS (SELECT t.c AS v FROM (SELECT 1) AS o LEFT JOIN "
                   "(SELECT ");
    put_column(q, text);
    buf_puts(text, " AS c FROM ");
    put_table(q, text);
    buf_puts(text, ") AS t ON FALSE UNION ALL SELECT n.n FROM r JOIN (");
    for (size_t k = 0; k < q->n; k++) {
        buf_printf(text, "%sSELECT %llu AS n", k ? " UNION ALL " : "", number_of(q, k));
    }
    buf_puts(text, ") AS n WHERE r.v IS NULL) SELECT CAST(v + 0 AS UNSIGNED), CONVERT(v USING "
                   "utf8mb4) FROM r WHERE v IS NOT NULL");
    buf_putc(text, '\0');
    struct mysql_cells rows;
    enum status st =
        buf_ok(text) ? mysql_conn_collect(q->conn, q->arena, text->p, &rows, err) : ST_NOMEM;
    for (size_t r = 0; st == ST_OK && r < rows.rows; r++) {
        const struct str *row = rows.cells + r * rows.cols;
        uint64_t number = 0;
        for (size_t k = 0; k < q->n && str_u64(row[0], &number) == ST_OK; k++) {
            if (number_of(q, k) == number && str_set(row[1])) {
                q->labels[q->asked[k]] = row[1];
            }
        }
    }
    return st;
}

/* --- MariaDB ---------------------------------------------------------------------------------- */

/* In recursive queries its sets lack all but 8 labels; but it has variables of a column's type. */
static enum status ask_mariadb(struct asking *q, struct buf *text, struct mysql_err *err)
{
    buf_puts(text, "BEGIN NOT ATOMIC DECLARE v TYPE OF ");
    put_table(q, text);
    buf_putc(text, '.');
    put_column(q, text);
    buf_puts(text, "; SET @cistern_labels = '';");
    for (size_t k = 0; k < q->n; k++) {
        buf_printf(text,
                   " SET v = %llu; SET @cistern_labels = CONCAT(@cistern_labels, "
                   "HEX(CONVERT(v USING utf8mb4)), ',');",
                   number_of(q, k));
    }
    buf_puts(text, " END");
    buf_putc(text, '\0');
    struct str all = STR("");
    enum status st = buf_ok(text) ? mysql_conn_exec(q->conn, text->p, err) : ST_NOMEM;
    if (st == ST_OK) {
        st = mysql_conn_value(q->conn, q->arena, "SELECT @cistern_labels", &all, err);
    }
    for (size_t k = 0; st == ST_OK && str_set(all) && k < q->n; k++) {
        ptrdiff_t end = str_find(all, ',', 0);
        struct str label;
        if (end <= 0 || hex_decode(q->arena, str_sub(all, 0, (size_t)end), &label) != ST_OK) {
            break;
        }
        q->labels[q->asked[k]] = label;
        all = str_sub(all, (size_t)end + 1, all.n);
    }
    return st;
}

enum status mysql_schema_labels(struct mysql_conn *conn, struct arena *a,
                                const struct mysql_table *t, struct mysql_column *columns,
                                struct mysql_err *err)
{
    bool mariadb = mysql_conn_flavour(conn) == MYSQL_FLAVOUR_MARIADB;
    for (size_t i = 0; i < t->columns_n; i++) {
        struct asking q = { .conn = conn, .arena = a, .table = t, .column = &columns[i] };
        if (!find_doubtful(&q)) {
            continue;
        }
        CLEANUP(buf_fini) struct buf text = BUF_INIT(QUERY_MAX);
        enum status st = mariadb ? ask_mariadb(&q, &text, err) : ask_mysql(&q, &text, err);
        if (st != ST_OK && mysql_err_retryable(err)) {
            return st;
        }
        if (st != ST_OK) { /* the server is too old for it, or the table altered: they stay */
            mysql_err_clear(err);
            return ST_OK;
        }
        columns[i].labels = q.labels;
    }
    return ST_OK;
}

/* --- statements ------------------------------------------------------------------------------- */

#define LEAD_OF_4 0xF0u /* the first byte of characters outside of the basic plane, in UTF-8 */

/* Is the label shown like this? */
static bool shown_as(struct str label, struct str shown)
{
    size_t i = 0, k = 0;
    while (i < label.n && k < shown.n) {
        bool lost = (uint8_t)label.p[i] >= LEAD_OF_4;
        if (shown.p[k] != (lost ? '?' : label.p[i])) {
            return false;
        }
        i += lost ? 4 : 1;
        k++;
    }
    return i == label.n && k == shown.n;
}

static bool all_shown_as(const struct mysql_column *column, const struct mysql_column *shown)
{
    bool all = column->family == shown->family && column->labels_n >= shown->labels_n;
    for (size_t i = 0; all && i < shown->labels_n; i++) {
        all = shown_as(column->labels[i], shown->labels[i]);
    }
    return all;
}

/* The column of this name, or else one that has its labels: it may have been renamed since. */
static const struct mysql_column *same_column(const struct mysql_table *now,
                                              const struct mysql_column *shown)
{
    const struct mysql_column *alike = NULL;
    for (size_t i = 0; i < now->columns_n; i++) {
        const struct mysql_column *c = &now->columns[i];
        if (str_ieq(c->name, shown->name)) {
            return c;
        }
        if (!alike && all_shown_as(c, shown)) {
            alike = c;
        }
    }
    return alike;
}

void mysql_labels_restore(struct arena *a, struct mysql_table *shown, const struct mysql_table *now)
{
    struct mysql_column *columns = (struct mysql_column *)shown->columns;
    for (size_t i = 0; i < shown->columns_n; i++) {
        struct mysql_column *c = &columns[i];
        const struct mysql_column *from = c->labels_n > 0 ? same_column(now, c) : NULL;
        if (!from) {
            continue;
        }
        struct str *labels = ARENA_ARRAY(a, struct str, c->labels_n);
        for (size_t k = 0; k < c->labels_n; k++) {
            bool lost = k < from->labels_n && shown_as(from->labels[k], c->labels[k]);
            labels[k] = lost ? arena_str(a, from->labels[k]) : c->labels[k];
        }
        c->labels = labels;
    }
}
