#include "server/mysql/schema.h"

#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"
#include "server/mysql/schema_labels.h"

#define LABELS_MAX 65535    /* the server's own limit for ENUM */
#define COLUMNS_MAX 4096    /* likewise for columns of a table */
#define DESCRIBE_ATTEMPTS 5 /* of a table that is altered between the questions about it */

static const struct {
    const char *name;
    enum mysql_family family;
} families[] = {
    { "tinyint", MYSQL_F_TINYINT },
    { "smallint", MYSQL_F_SMALLINT },
    { "mediumint", MYSQL_F_MEDIUMINT },
    { "int", MYSQL_F_INT },
    { "bigint", MYSQL_F_BIGINT },
    { "decimal", MYSQL_F_DECIMAL },
    { "float", MYSQL_F_FLOAT },
    { "double", MYSQL_F_DOUBLE },
    { "bit", MYSQL_F_BIT },
    { "date", MYSQL_F_DATE },
    { "time", MYSQL_F_TIME },
    { "datetime", MYSQL_F_DATETIME },
    { "timestamp", MYSQL_F_TIMESTAMP },
    { "year", MYSQL_F_YEAR },
    { "char", MYSQL_F_CHAR },
    { "varchar", MYSQL_F_VARCHAR },
    { "tinytext", MYSQL_F_TINYTEXT },
    { "text", MYSQL_F_TEXT },
    { "mediumtext", MYSQL_F_MEDIUMTEXT },
    { "longtext", MYSQL_F_LONGTEXT },
    { "binary", MYSQL_F_BINARY },
    { "varbinary", MYSQL_F_VARBINARY },
    { "tinyblob", MYSQL_F_TINYBLOB },
    { "blob", MYSQL_F_BLOB },
    { "mediumblob", MYSQL_F_MEDIUMBLOB },
    { "longblob", MYSQL_F_LONGBLOB },
    { "enum", MYSQL_F_ENUM },
    { "set", MYSQL_F_SET },
    { "json", MYSQL_F_JSON },
    { "geometry", MYSQL_F_GEOMETRY },
    { "point", MYSQL_F_GEOMETRY },
    { "linestring", MYSQL_F_GEOMETRY },
    { "polygon", MYSQL_F_GEOMETRY },
    { "multipoint", MYSQL_F_GEOMETRY },
    { "multilinestring", MYSQL_F_GEOMETRY },
    { "multipolygon", MYSQL_F_GEOMETRY },
    { "geometrycollection", MYSQL_F_GEOMETRY },
    { "geomcollection", MYSQL_F_GEOMETRY },
    { "uuid", MYSQL_F_UUID },
    { "inet4", MYSQL_F_INET4 },
    { "inet6", MYSQL_F_INET6 },
};

bool mysql_family_text(enum mysql_family family)
{
    return family >= MYSQL_F_CHAR && family <= MYSQL_F_LONGTEXT;
}

bool mysql_family_binary(enum mysql_family family)
{
    return family >= MYSQL_F_BINARY && family <= MYSQL_F_LONGBLOB;
}

int mysql_table_find(const struct mysql_table *t, struct str column)
{
    for (size_t i = 0; i < t->columns_n; i++) {
        if (str_ieq(t->columns[i].name, column)) {
            return (int)i;
        }
    }
    return -1;
}

/* --- list of tables --------------------------------------------------------------------------- */

static uint64_t number(struct str s)
{
    uint64_t n = 0;
    return str_set(s) && str_u64(s, &n) == ST_OK ? n : 0;
}

static enum status list(struct mysql_conn *c, struct arena *a, const char *types,
                        struct mysql_table_list *ret, struct mysql_err *err)
{
    *ret = (struct mysql_table_list){ 0 };
    struct mysql_cells t;
    enum status st = mysql_conn_collect(
        c, a,
        arena_printf(
            a,
            "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_ROWS FROM information_schema.TABLES "
            "WHERE TABLE_TYPE IN (%s) AND TABLE_SCHEMA NOT IN "
            "('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY 1, 2",
            types)
            .p,
        &t, err);
    if (st) {
        return st;
    }
    struct mysql_table_name *items = ARENA_ARRAY(a, struct mysql_table_name, t.rows);
    for (size_t i = 0; i < t.rows; i++) {
        const struct str *row = t.cells + i * t.cols;
        items[i] = (struct mysql_table_name){
            .schema = row[0], .name = row[1], .engine = row[2], .approx_rows = number(row[3])
        };
    }
    ret->items = items;
    ret->n = t.rows;
    return ST_OK;
}

enum status mysql_schema_tables(struct mysql_conn *c, struct arena *a, struct mysql_table_list *ret,
                                struct mysql_err *err)
{
    return list(c, a, "'BASE TABLE', 'SYSTEM VERSIONED'", ret, err);
}

enum status mysql_schema_views(struct mysql_conn *c, struct arena *a, struct mysql_table_list *ret,
                               struct mysql_err *err)
{
    return list(c, a, "'VIEW'", ret, err);
}

/* --- one column ------------------------------------------------------------------------------- */

static bool contains(struct str s, const char *word)
{
    return str_set(s) && str_find_str(s, str_z(word)) >= 0;
}

/* One label of "enum('a','it''s','x\\y')", from behind its opening quote on; moves *i behind the
 * closing one. Inside, a quote is doubled, and backslash, newline, return, NUL are escaped. */
static bool read_label(struct str s, size_t *i, struct buf *out)
{
    buf_clear(out);
    while (*i < s.n) {
        char ch = s.p[(*i)++];
        if (ch == '\'') {
            if (*i >= s.n || s.p[*i] != '\'') {
                return true;
            }
            (*i)++;
        } else if (ch == '\\' && *i < s.n) {
            ch = s.p[(*i)++];
            ch = (char)(ch == 'n' ? '\n' : ch == 'r' ? '\r' : ch == '0' ? '\0' : ch);
        }
        buf_putc(out, ch);
    }
    return false;
}

static size_t parse_labels(struct arena *a, struct str type, struct str *labels)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    size_t n = 0;
    ptrdiff_t open = str_find(type, '(', 0);
    size_t i = open < 0 ? type.n : (size_t)open + 1;
    while (i < type.n && type.p[i] == '\'' && n < LABELS_MAX) {
        i++;
        if (!read_label(type, &i, &b)) {
            break;
        }
        if (labels) {
            labels[n] = b.n ? arena_str(a, buf_str(&b)) : STR("");
        }
        n++;
        if (i < type.n && type.p[i] == ',') {
            i++;
        }
    }
    return n;
}

static void set_labels(struct arena *a, struct mysql_column *col)
{
    col->labels_n = parse_labels(a, col->type_text, NULL);
    struct str *labels = ARENA_ARRAY(a, struct str, col->labels_n);
    parse_labels(a, col->type_text, labels);
    col->labels = labels;
}

static enum mysql_generated generated_of(struct str extra)
{
    if (contains(extra, "VIRTUAL")) {
        return MYSQL_GEN_VIRTUAL;
    }
    if (contains(extra, "STORED") || contains(extra, "PERSISTENT")) {
        return MYSQL_GEN_STORED;
    }
    return MYSQL_GEN_NO;
}

static enum mysql_family family_of(struct str data_type)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (str_ieqz(data_type, families[i].name)) {
            return families[i].family;
        }
    }
    return MYSQL_F_OTHER;
}

static void read_column(struct arena *a, const struct mysql_cells *t, size_t r,
                        struct mysql_column *col)
{
    struct str extra = mysql_cells_get(t, r, "EXTRA");
    col->name = mysql_cells_get(t, r, "COLUMN_NAME");
    col->type_text = mysql_cells_get(t, r, "COLUMN_TYPE");
    col->charset = mysql_cells_get(t, r, "CHARACTER_SET_NAME");
    col->collation = mysql_cells_get(t, r, "COLLATION_NAME");
    col->family = family_of(mysql_cells_get(t, r, "DATA_TYPE"));
    col->chars = number(mysql_cells_get(t, r, "CHARACTER_MAXIMUM_LENGTH"));
    col->bytes = number(mysql_cells_get(t, r, "CHARACTER_OCTET_LENGTH"));
    col->precision = (unsigned)number(mysql_cells_get(t, r, "NUMERIC_PRECISION"));
    col->scale = (unsigned)number(mysql_cells_get(t, r, "NUMERIC_SCALE"));
    col->fraction = (unsigned)number(mysql_cells_get(t, r, "DATETIME_PRECISION"));
    col->zerofill = contains(col->type_text, " zerofill");
    col->is_unsigned = col->zerofill || contains(col->type_text, " unsigned");
    col->compressed = contains(col->type_text, " COMPRESSED");
    col->nullable = str_ieqz(mysql_cells_get(t, r, "IS_NULLABLE"), "YES");
    col->invisible = contains(extra, "INVISIBLE");
    col->auto_increment = contains(extra, "auto_increment");
    col->generated = generated_of(extra);
    if (col->family == MYSQL_F_ENUM || col->family == MYSQL_F_SET) {
        col->zerofill = col->is_unsigned = col->compressed = false; /* words of a label */
        set_labels(a, col);
    }
}

/* --- one table -------------------------------------------------------------------------------- */

/* A view of information_schema, and the column that orders what it says about one table. */
struct view {
    const char *name, *order;
};

static enum status query_about(struct mysql_conn *c, struct arena *a, struct view view,
                               const struct mysql_table *t, struct mysql_cells *ret,
                               struct mysql_err *err)
{
    struct str schema = mysql_quote(a, t->schema), name = mysql_quote(a, t->name);
    struct str sql =
        arena_printf(a,
                     "SELECT * FROM information_schema.%s WHERE TABLE_SCHEMA = %.*s AND "
                     "TABLE_NAME = %.*s ORDER BY %s",
                     view.name, STR_ARG(schema), STR_ARG(name), view.order);
    return mysql_conn_collect(c, a, sql.p, ret, err);
}

static enum status read_head(struct mysql_conn *c, struct arena *a, struct mysql_table *t,
                             bool view, struct mysql_err *err)
{
    struct mysql_cells rows;
    enum status st = query_about(c, a, (struct view){ "TABLES", "TABLE_NAME" }, t, &rows, err);
    if (st) {
        return st;
    }
    struct str type = mysql_cells_get(&rows, 0, "TABLE_TYPE");
    t->versioned = str_ieqz(type, "SYSTEM VERSIONED");
    if (view ? !str_ieqz(type, "VIEW") : !t->versioned && !str_ieqz(type, "BASE TABLE")) {
        return mysql_err_set(err, ST_NOT_FOUND, MYSQL_ERR_MISSING,
                             "There is no %s %.*s.%.*s on %s, or user '%s' may not see it.",
                             view ? "view" : "table", STR_ARG(t->schema), STR_ARG(t->name),
                             mysql_conn_host_text(c), mysql_conn_user(c));
    }
    t->engine = mysql_cells_get(&rows, 0, "ENGINE");
    struct str collation = mysql_cells_get(&rows, 0, "TABLE_COLLATION");
    ptrdiff_t end = str_find(collation, '_', 0);
    t->charset = end < 0 ? collation : str_sub(collation, 0, (size_t)end);
    t->approx_rows = number(mysql_cells_get(&rows, 0, "TABLE_ROWS"));
    return ST_OK;
}

static enum status ask_columns(struct mysql_conn *c, struct arena *a, const struct mysql_table *t,
                               struct mysql_cells *ret, struct mysql_err *err)
{
    return query_about(c, a, (struct view){ "COLUMNS", "ORDINAL_POSITION" }, t, ret, err);
}

static enum status read_columns(struct mysql_conn *c, struct arena *a, struct mysql_table *t,
                                const struct mysql_cells *rows, struct mysql_err *err)
{
    if (rows->rows == 0 || rows->rows > COLUMNS_MAX) {
        return mysql_err_set(err, ST_NOT_FOUND, MYSQL_ERR_MISSING,
                             "User '%s' can see no column of %.*s.%.*s: GRANT SELECT on it.",
                             mysql_conn_user(c), STR_ARG(t->schema), STR_ARG(t->name));
    }
    struct mysql_column *columns = ARENA_ARRAY(a, struct mysql_column, rows->rows);
    bool explicit_period = false;
    for (size_t i = 0; i < rows->rows; i++) {
        read_column(a, rows, i, &columns[i]);
        explicit_period |= str_ieqz(mysql_cells_get(rows, i, "GENERATION_EXPRESSION"), "ROW START");
    }
    t->columns = columns;
    t->columns_n = rows->rows;
    t->hidden = t->versioned && !explicit_period ? 2 : 0;
    return ST_OK;
}

/* MariaDB keeps a hidden hash column for each UNIQUE key that is too long for an index. */
static bool hidden_hash(const struct mysql_table *t, const struct mysql_cells *rows, size_t i)
{
    return str_ieqz(mysql_cells_get(rows, i, "INDEX_TYPE"), "HASH") &&
           str_eqz(mysql_cells_get(rows, i, "NON_UNIQUE"), "0") &&
           str_eqz(mysql_cells_get(rows, i, "SEQ_IN_INDEX"), "1") && !str_ieqz(t->engine, "MEMORY");
}

static enum status read_keys(struct mysql_conn *c, struct arena *a, struct mysql_table *t,
                             struct mysql_column *columns, struct mysql_err *err)
{
    struct mysql_cells rows;
    enum status st =
        query_about(c, a, (struct view){ "STATISTICS", "SEQ_IN_INDEX" }, t, &rows, err);
    if (st) {
        return st;
    }
    unsigned *pk = ARENA_ARRAY(a, unsigned, rows.rows);
    for (size_t i = 0; i < rows.rows; i++) {
        if (mysql_conn_flavour(c) == MYSQL_FLAVOUR_MARIADB && hidden_hash(t, &rows, i)) {
            t->hidden++;
        }
        int k = mysql_table_find(t, mysql_cells_get(&rows, i, "COLUMN_NAME"));
        if (k >= 0 && str_ieqz(mysql_cells_get(&rows, i, "INDEX_NAME"), "PRIMARY")) {
            pk[t->pk_n++] = (unsigned)k;
            columns[k].pk = (unsigned)t->pk_n;
        }
    }
    t->pk = pk;
    return ST_OK;
}

static bool same_cells(const struct mysql_cells *x, const struct mysql_cells *y)
{
    bool same = x->rows == y->rows && x->cols == y->cols;
    for (size_t i = 0; same && i < x->rows * x->cols; i++) {
        same = str_eq(x->cells[i], y->cells[i]);
    }
    return same;
}

/* `ret` names it. The server answers each question as of its own moment: only between two equal
 * answers about the columns, which also tell who is in a key, do the others belong to them. */
static enum status describe_once(struct mysql_conn *c, struct arena *a, bool view,
                                 struct mysql_table *ret, bool *ret_steady, struct mysql_err *err)
{
    struct mysql_cells before, after;
    enum status st = ask_columns(c, a, ret, &before, err);
    if (!st) {
        st = read_head(c, a, ret, view, err);
    }
    if (st) {
        return st;
    }
    *ret_steady = before.rows > 0; /* else it may just have been made */
    st = read_columns(c, a, ret, &before, err);
    if (!st) {
        /* The array is ours, only its users see it as const. */
        st = read_keys(c, a, ret, (struct mysql_column *)ret->columns, err);
    }
    if (!st) {
        st = mysql_schema_labels(c, a, ret, (struct mysql_column *)ret->columns, err);
    }
    if (!st) {
        st = ask_columns(c, a, ret, &after, err);
    }
    if (!st && arena_over(a)) {
        st = mysql_err_set(err, ST_NOMEM, MYSQL_ERR_LIMIT,
                           "The description of %.*s.%.*s is larger than our limit.",
                           STR_ARG(ret->schema), STR_ARG(ret->name));
    }
    *ret_steady = *ret_steady && (st || same_cells(&before, &after));
    return st;
}

static enum status describe(struct mysql_conn *c, struct arena *a, bool view,
                            struct mysql_table *ret, struct mysql_err *err)
{
    const struct mysql_table named = *ret;
    enum status st = ST_OK;
    for (int i = 0; i < DESCRIBE_ATTEMPTS; i++) {
        bool steady = true;
        *ret = named;
        st = describe_once(c, a, view, ret, &steady, err);
        if (steady) {
            return st;
        }
    }
    return st ? st
              : mysql_err_set(err, ST_IO, MYSQL_ERR_BUSY,
                              "The table %.*s.%.*s is altered again and again; no description of "
                              "it lasts.",
                              STR_ARG(ret->schema), STR_ARG(ret->name));
}

enum status mysql_schema_describe(struct mysql_conn *c, struct arena *a, struct str schema,
                                  struct str name, struct mysql_table *ret, struct mysql_err *err)
{
    *ret = (struct mysql_table){ .schema = arena_str(a, schema), .name = arena_str(a, name) };
    return describe(c, a, false, ret, err);
}

enum status mysql_schema_describe_view(struct mysql_conn *c, struct arena *a, struct str schema,
                                       struct str name, struct mysql_table *ret,
                                       struct mysql_err *err)
{
    *ret = (struct mysql_table){ .schema = arena_str(a, schema), .name = arena_str(a, name) };
    return describe(c, a, true, ret, err);
}

enum status mysql_schema_charset(struct mysql_conn *c, struct arena *a, struct str schema,
                                 struct str *ret, struct mysql_err *err)
{
    struct mysql_cells rows;
    struct str name = mysql_quote(a, schema);
    struct str sql = arena_printf(a,
                                  "SELECT DEFAULT_CHARACTER_SET_NAME FROM "
                                  "information_schema.SCHEMATA WHERE SCHEMA_NAME = %.*s",
                                  STR_ARG(name));
    enum status st = mysql_conn_collect(c, a, sql.p, &rows, err);
    *ret = !st && rows.rows > 0 ? rows.cells[0] : STR_NONE;
    return st;
}

/* --- copies and comparison -------------------------------------------------------------------- */

struct mysql_table *mysql_table_copy(struct arena *a, const struct mysql_table *t)
{
    struct mysql_table *copy = ARENA_NEW(a, struct mysql_table);
    *copy = *t;
    copy->schema = arena_str(a, t->schema);
    copy->name = arena_str(a, t->name);
    copy->engine = arena_str(a, t->engine);
    copy->charset = arena_str(a, t->charset);
    struct mysql_column *columns = ARENA_ARRAY(a, struct mysql_column, t->columns_n);
    for (size_t i = 0; i < t->columns_n; i++) {
        const struct mysql_column *from = &t->columns[i];
        columns[i] = *from;
        columns[i].name = arena_str(a, from->name);
        columns[i].was = STR_NONE;
        columns[i].type_text = arena_str(a, from->type_text);
        columns[i].charset = arena_str(a, from->charset);
        columns[i].collation = arena_str(a, from->collation);
        struct str *labels = ARENA_ARRAY(a, struct str, from->labels_n);
        for (size_t k = 0; k < from->labels_n; k++) {
            labels[k] = arena_str(a, from->labels[k]);
        }
        columns[i].labels = labels;
    }
    copy->columns = columns;
    unsigned *pk = ARENA_ARRAY(a, unsigned, t->pk_n);
    for (size_t i = 0; i < t->pk_n; i++) {
        pk[i] = t->pk[i];
    }
    copy->pk = pk;
    return copy;
}
