/* TABLE_MAP and rows events. */
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/binlog_parts.h"
#include "server/mysql/binlog_row.h"

#define TABLE_ID 6u
#define NO_TABLE 0x00FFFFFFull /* names no table: only ends a statement */
#define MAPS_MAX 8192u

static struct str id_key(const uint8_t *p)
{
    return (struct str){ (const char *)p, TABLE_ID };
}

void binlog_forget_tables(struct mysql_binlog *b)
{
    size_t it = 0;
    struct str key;
    void *value;
    while (map_each(&b->maps, &it, &key, &value)) {
        tablemap_free(value);
    }
    map_fini(&b->maps);
    map_init(&b->maps);
}

static enum status plan(struct mysql_binlog *b, struct tablemap *m, struct mysql_err *err)
{
    const struct mysql_table *table = NULL;
    enum status st = b->calls.lookup(b->ctx, m->schema, m->name, &table);
    if (st) {
        return binlog_called(st, err);
    }
    if (!table) {
        return ST_OK;
    }
    st = tablemap_plan(m, table, b->mariadb, &b->charsets, err);
    m->no_before = !st && b->calls.wants_before && !b->calls.wants_before(b->ctx, table);
    if (st && b->calls.misfit) {
        m->skip = true;
        return binlog_called(b->calls.misfit(b->ctx, table, err), err);
    }
    return st;
}

enum status binlog_table_map(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    const uint8_t *id = rd_take(&e->body, TABLE_ID);
    rd_take(&e->body, 2); /* flags */
    if (e->body.bad) {
        return binlog_corrupt(b, e, "a TABLE_MAP event is cut off", err);
    }
    struct str raw = { (const char *)e->body.p, rd_left(&e->body) };
    struct tablemap *known = map_get(&b->maps, id_key(id));
    if (known && str_eq(known->raw, raw)) {
        return ST_OK;
    }
    if (b->maps.n >= MAPS_MAX) {
        binlog_forget_tables(b);
    }
    struct tablemap *m = tablemap_new(raw);
    if (!m) {
        return binlog_corrupt(b, e, "a TABLE_MAP event is malformed", err);
    }
    tablemap_free(map_put(&b->maps, id_key(id), m));
    return plan(b, m, err);
}

/* --- rows ------------------------------------------------------------------------------------- */

struct rows_event {
    enum mysql_change_kind kind;
    bool extra;      /* version 2: has an extra part */
    bool compressed; /* MariaDB */
};

static bool classify(uint8_t type, struct rows_event *ret)
{
    uint8_t first =
        type >= EVENT_MARIADB_WRITE_ROWS_COMPRESSED      ? EVENT_MARIADB_WRITE_ROWS_COMPRESSED
        : type >= EVENT_MARIADB_WRITE_ROWS_V1_COMPRESSED ? EVENT_MARIADB_WRITE_ROWS_V1_COMPRESSED
        : type >= EVENT_WRITE_ROWS                       ? EVENT_WRITE_ROWS
                                                         : EVENT_WRITE_ROWS_V1;
    ret->compressed = type >= EVENT_MARIADB_WRITE_ROWS_V1_COMPRESSED;
    ret->extra = first == EVENT_WRITE_ROWS || first == EVENT_MARIADB_WRITE_ROWS_COMPRESSED;
    ret->kind = (enum mysql_change_kind)(type - first);
    return type >= first && type - first <= 2;
}

/* What an UPDATE's after image lacks has not changed. */
static void fill_in(const struct tablemap *m, const struct mysql_value *before,
                    struct mysql_value *after)
{
    for (size_t i = 0; i < m->table->columns_n; i++) {
        if (after[i].kind == MYSQL_V_ABSENT) {
            after[i] = before[i];
        }
    }
}

static enum status each_row(struct mysql_binlog *b, struct event *e, const struct tablemap *m,
                            const struct rows_event *rows, const struct row_image images[2],
                            struct mysql_err *err)
{
    struct mysql_value *before = rows->kind == MYSQL_INSERT ? NULL : m->before;
    struct mysql_value *after = rows->kind == MYSQL_DELETE ? NULL : m->after;
    bool skip = m->no_before && rows->kind == MYSQL_UPDATE && images[1].full;
    struct mysql_change change = {
        .kind = rows->kind,
        .table = m->table,
        .before = skip ? NULL : before,
        .after = after,
        .tx = &b->tx,
        .partial = !images[0].full || !images[1].full,
    };
    while (rd_left(&e->body) > 0) {
        const char *bad = NULL;
        scratch_reset(&b->scratch);
        if (skip) {
            bad = binlog_row_skip(&e->body, m, &images[0]);
        } else if (before) {
            bad = binlog_row_read(&e->body, m, &images[0], &b->scratch, before);
        }
        if (after && !bad) {
            bad = binlog_row_read(&e->body, m, &images[1], &b->scratch, after);
        }
        if (bad) {
            enum status st = binlog_corrupt(b, e, bad, err);
            mysql_err_prefix(err, "Table %.*s.%.*s: ", STR_ARG(m->schema), STR_ARG(m->name));
            return st;
        }
        if (change.partial && !skip && before && after) {
            fill_in(m, before, after);
        }
        change.row_number = b->tx.rows++;
        b->counts.rows++;
        enum status st = b->calls.row(b->ctx, &change);
        if (st) {
            return binlog_called(st, err);
        }
    }
    return ST_OK;
}

static enum status decode(struct mysql_binlog *b, struct event *e, const struct tablemap *m,
                          const struct rows_event *rows, struct mysql_err *err)
{
    struct row_image images[2];
    uint64_t width = rd_lenenc(&e->body);
    size_t bitmap_n = (m->columns_n + 7) / 8;
    const uint8_t *first = rd_take(&e->body, bitmap_n);
    const uint8_t *second = rows->kind == MYSQL_UPDATE ? rd_take(&e->body, bitmap_n) : first;
    if (e->body.bad || width != m->columns_n) {
        return binlog_corrupt(b, e, "a rows event does not fit its TABLE_MAP", err);
    }
    row_image_init(&images[0], first, m->columns_n);
    row_image_init(&images[1], second, m->columns_n);
    if (images[0].present_n == 0 && images[1].present_n == 0) {
        return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED, "rows without any column.", err);
    }
    if (!rows->compressed) {
        return each_row(b, e, m, rows, images, err);
    }
    enum status st = binlog_inflate(b, &e->body, err);
    if (st) {
        return st;
    }
    const uint8_t *p = (const uint8_t *)b->unpacked.p;
    e->body = (struct rd){ p, p + b->unpacked.n, false };
    return each_row(b, e, m, rows, images, err);
}

enum status binlog_rows(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    struct rows_event rows;
    const uint8_t *id = rd_take(&e->body, TABLE_ID);
    rd_take(&e->body, 2);
    if (!classify(e->type, &rows) || !id) {
        return binlog_corrupt(b, e, "a rows event is cut off", err);
    }
    if (rows.extra) {
        uint64_t n = rd_le(&e->body, 2); /* counts itself */
        rd_take(&e->body, n >= 2 ? (size_t)n - 2 : 0);
    }
    if (e->body.bad) {
        return binlog_corrupt(b, e, "a rows event is cut off", err);
    }
    const struct tablemap *m = map_get(&b->maps, id_key(id));
    if (!m) {
        return le_bytes(id, TABLE_ID) == NO_TABLE
                   ? ST_OK
                   : binlog_corrupt(b, e, "a rows event comes without its TABLE_MAP", err);
    }
    if (!m->table || m->skip) {
        return ST_OK;
    }
    if (b->group != GROUP_OPEN) {
        return binlog_corrupt(b, e, "rows outside of a transaction", err);
    }
    return decode(b, e, m, &rows, err);
}
