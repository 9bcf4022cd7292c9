#include "tests/support/mysql_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"

#define ARENA ((size_t)1 << 30)

void rows_add(struct rows *r, const struct mysql_value *values, size_t columns)
{
    if (!r->arena) {
        r->arena = arena_new(ARENA);
    }
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 16;
        r->items = xrealloc(r->items, r->cap * sizeof(*r->items));
    }
    struct mysql_value *copy = ARENA_ARRAY(r->arena, struct mysql_value, columns);
    memcpy(copy, values, columns * sizeof(*copy));
    for (size_t i = 0; i < columns; i++) {
        switch ((enum mysql_value_kind)copy[i].kind) {
        case MYSQL_V_DECIMAL:
        case MYSQL_V_TEXT:
        case MYSQL_V_BYTES:
        case MYSQL_V_ENUM:
        case MYSQL_V_SET:
        case MYSQL_V_JSON:
        case MYSQL_V_GEOMETRY:
            copy[i].s = arena_str(r->arena, values[i].s);
            break;
        default:
            break;
        }
    }
    r->columns = columns;
    r->items[r->n++] = copy;
}

void rows_fini(struct rows *r)
{
    arena_freep(&r->arena);
    free(r->items);
    *r = (struct rows){ 0 };
}

struct mysql_conn *db_connect(const struct mariadb *m)
{
    struct mysql_conn_options o = { .unix_socket = mariadb_socket(m), .user = "root" };
    struct mysql_conn *c;
    struct mysql_err err;
    if (mysql_conn_open(&o, &c, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return c;
}

void db_exec(struct mysql_conn *c, const char *sql)
{
    struct mysql_err err;
    if (mysql_conn_exec(c, sql, &err) != ST_OK) {
        fail_msg("%s\n%s", err.text, sql);
    }
}

void db_script(struct mysql_conn *c, const char *sql)
{
    while (*sql) {
        const char *end = strstr(sql, ";\n");
        size_t n = end ? (size_t)(end - sql) : strlen(sql);
        CLEANUP(free_ptr) char *one = xstrndup(sql, n);
        db_exec(c, one);
        sql += end ? n + 2 : n;
    }
}

/* --- binlog ----------------------------------------------------------------------------------- */

static enum status on_begin(void *ctx, const struct mysql_tx *tx)
{
    struct captured *k = ctx;
    k->begins++;
    snprintf(k->last_gtid, sizeof(k->last_gtid), "%.*s", STR_ARG(tx->gtid));
    return ST_OK;
}

static enum status on_lookup(void *ctx, struct str schema, struct str name,
                             const struct mysql_table **ret)
{
    struct captured *k = ctx;
    *ret = str_eq(schema, k->table.schema) && str_eq(name, k->table.name) ? &k->table : NULL;
    return ST_OK;
}

static enum status on_row(void *ctx, const struct mysql_change *change)
{
    struct captured *k = ctx;
    assert_ptr_equal(change->table, &k->table);
    switch (change->kind) {
    case MYSQL_INSERT:
        assert_null(change->before);
        rows_add(&k->inserted, change->after, k->table.columns_n);
        break;
    case MYSQL_UPDATE:
        rows_add(&k->before, change->before, k->table.columns_n);
        rows_add(&k->updated, change->after, k->table.columns_n);
        break;
    case MYSQL_DELETE:
        assert_null(change->after);
        rows_add(&k->deleted, change->before, k->table.columns_n);
        break;
    }
    return ST_OK;
}

static enum status on_ddl(void *ctx, const struct mysql_statement *s)
{
    struct captured *k = ctx;
    k->ddls++;
    snprintf(k->last_ddl, sizeof(k->last_ddl), "%.*s", STR_ARG(s->text));
    return ST_OK;
}

static enum status on_commit(void *ctx, const struct mysql_tx *tx)
{
    struct captured *k = ctx;
    k->commits++;
    assert_true(mysql_position_cmp(&tx->start, &tx->end) < 0);
    k->end = tx->end;
    return ST_OK;
}

void captured_init(struct captured *k, struct mysql_conn *c, const char *schema, const char *table)
{
    struct mysql_err err;
    *k = (struct captured){ .arena = arena_new(ARENA) };
    if (mysql_schema_describe(c, k->arena, str_z(schema), str_z(table), &k->table, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
}

void captured_fini(struct captured *k)
{
    arena_freep(&k->arena);
    rows_fini(&k->inserted);
    rows_fini(&k->before);
    rows_fini(&k->updated);
    rows_fini(&k->deleted);
}

enum status capture(const struct mariadb *m, struct captured *k, const struct mysql_position *start,
                    struct mysql_err *err)
{
    static const struct mysql_binlog_calls calls = {
        .begin = on_begin,
        .lookup = on_lookup,
        .row = on_row,
        .ddl = on_ddl,
        .commit = on_commit,
    };
    static uint32_t server_id = 1000;
    CLEANUP(mysql_conn_freep) struct mysql_conn *c = db_connect(m);
    struct mysql_binlog_options o = { .start = *start,
                                      .server_id = server_id++,
                                      .until_end = true };
    struct mysql_binlog *b;
    enum status st = mysql_binlog_open(c, &o, &calls, k, &b, err);
    if (!st) {
        st = mysql_binlog_run(b, err);
    }
    mysql_binlog_free(b);
    return st;
}

/* --- snapshot --------------------------------------------------------------------------------- */

struct reading {
    struct rows *rows;
    size_t columns;
};

static enum status on_snapshot_row(void *ctx, const struct mysql_value *values)
{
    struct reading *g = ctx;
    rows_add(g->rows, values, g->columns);
    return ST_OK;
}

void snapshot_rows(struct mysql_conn *c, const struct mysql_table *t, struct rows *ret,
                   struct mysql_position *ret_position)
{
    struct mysql_snapshot_options o = { .tables = &t, .tables_n = 1 };
    struct mysql_snapshot *s;
    struct mysql_err err;
    struct reading g = { ret, t->columns_n };
    struct mysql_read read = { .table = t, .by_key = true, .row = on_snapshot_row, .ctx = &g };
    if (mysql_snapshot_open(&c, 1, &o, &s, &err) != ST_OK ||
        mysql_snapshot_read(s, 0, &read, NULL, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    if (ret_position) {
        *ret_position = *mysql_snapshot_position(s);
    }
    mysql_snapshot_free(s);
}

static void print_value(const char *which, const struct mysql_value *v)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    mysql_value_print(v, &b);
    fprintf(stderr, "  %s: kind %u digits %u bits %u [%.*s]", which, v->kind, v->digits, v->bits,
            (int)(b.n > 200 ? 200 : b.n), b.p ? b.p : "");
    for (size_t i = 0; i < b.n && i < 40; i++) {
        fprintf(stderr, " %02x", (unsigned char)b.p[i]);
    }
    fputc('\n', stderr);
}

void rows_assert_equal(const struct mysql_table *t, const struct rows *a, const struct rows *b,
                       const char *what)
{
    size_t wrong = 0;
    if (a->n != b->n) {
        fail_msg("%.*s: %s: %zu rows and %zu rows", STR_ARG(t->name), what, a->n, b->n);
    }
    for (size_t r = 0; r < a->n; r++) {
        for (size_t i = 0; i < t->columns_n; i++) {
            if (!mysql_value_equal(&a->items[r][i], &b->items[r][i])) {
                fprintf(stderr, "%.*s: %s: row %zu column %.*s differs\n", STR_ARG(t->name), what,
                        r, STR_ARG(t->columns[i].name));
                print_value("first", &a->items[r][i]);
                print_value("second", &b->items[r][i]);
                wrong++;
            }
        }
    }
    assert_int_equal(wrong, 0);
}
