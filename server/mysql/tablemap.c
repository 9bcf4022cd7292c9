#include "server/mysql/tablemap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"
#include "server/mysql/packed.h"
#include "server/mysql/tablemap_meta.h"
#include "server/mysql/wire_types.h"

#define ARENA_EXTRA ((size_t)64 * 1024 * 1024)

struct charset *charset_cache_get(struct charset_cache *cache, struct str name)
{
    for (size_t i = 0; i < cache->n; i++) {
        if (str_eqz(name, cache->items[i].name)) {
            return cache->items[i].charset;
        }
    }
    if (cache->n == ARRAY_LEN(cache->items) || name.n >= sizeof(cache->items[0].name)) {
        return NULL;
    }
    struct charset *cs = charset_new(name);
    if (cs) {
        memset(cache->items[cache->n].name, 0, sizeof(cache->items[0].name));
        memcpy(cache->items[cache->n].name, name.p, name.n);
        cache->items[cache->n++].charset = cs;
    }
    return cs;
}

void charset_cache_fini(struct charset_cache *cache)
{
    while (cache->n > 0) {
        charset_free(cache->items[--cache->n].charset);
    }
}

/* --- the event -------------------------------------------------------------------------------- */

static struct str short_name(struct rd *r)
{
    struct str s = rd_str(r, (size_t)rd_le(r, 1));
    rd_take(r, 1); /* its NUL */
    return s;
}

struct tablemap *tablemap_new(struct str body)
{
    struct arena *a = arena_new(body.n + ARENA_EXTRA);
    struct tablemap *m = ARENA_NEW(a, struct tablemap);
    m->arena = a;
    m->raw = arena_str(a, body);
    struct rd r = { (const uint8_t *)m->raw.p, (const uint8_t *)m->raw.p + m->raw.n, false };
    m->schema = short_name(&r);
    m->name = short_name(&r);
    uint64_t n = rd_lenenc(&r);
    if (r.bad || n == 0 || n > TABLEMAP_COLUMNS_MAX) {
        tablemap_free(m);
        return NULL;
    }
    m->columns_n = (size_t)n;
    return m;
}

void tablemap_free(struct tablemap *m)
{
    if (m) {
        arena_free(m->arena);
    }
}

/* --- fitting a column ------------------------------------------------------------------------- */

struct fitting {
    struct tablemap *m;
    const struct mysql_table *table;
    struct tablemap_meta meta;
    struct charset_cache *charsets;
    bool mariadb;
};

static uint8_t blob_bytes(enum mysql_family family)
{
    switch (family) {
    case MYSQL_F_TINYTEXT:
    case MYSQL_F_TINYBLOB:
        return 1;
    case MYSQL_F_TEXT:
    case MYSQL_F_BLOB:
        return 2;
    case MYSQL_F_MEDIUMTEXT:
    case MYSQL_F_MEDIUMBLOB:
        return 3;
    case MYSQL_F_LONGTEXT:
    case MYSQL_F_LONGBLOB:
        return 4;
    default:
        return 0;
    }
}

static bool fit_number(const struct mysql_column *col, uint16_t meta, struct rowcol *rc)
{
    static const uint8_t wires[] = {
        [MYSQL_F_TINYINT] = WIRE_TINY,    [MYSQL_F_SMALLINT] = WIRE_SHORT,
        [MYSQL_F_MEDIUMINT] = WIRE_INT24, [MYSQL_F_INT] = WIRE_LONG,
        [MYSQL_F_BIGINT] = WIRE_LONGLONG,
    };
    switch (col->family) {
    case MYSQL_F_DECIMAL:
        rc->kind = MYSQL_V_DECIMAL;
        rc->precision = (uint8_t)(meta & 0xFF);
        rc->digits = (uint8_t)(meta >> 8);
        rc->length_bytes = (uint8_t)packed_decimal_size(rc->precision, rc->digits);
        return rc->wire == WIRE_NEWDECIMAL && rc->length_bytes && rc->digits == col->scale &&
               rc->precision == col->precision;
    case MYSQL_F_FLOAT:
        rc->kind = MYSQL_V_FLOAT;
        return rc->wire == WIRE_FLOAT;
    case MYSQL_F_DOUBLE:
        rc->kind = MYSQL_V_DOUBLE;
        return rc->wire == WIRE_DOUBLE;
    case MYSQL_F_BIT:
        rc->kind = MYSQL_V_BIT;
        rc->bits = (uint8_t)((meta >> 8) * 8 + (meta & 0xFF));
        rc->length_bytes = (uint8_t)((rc->bits + 7) / 8);
        return rc->wire == WIRE_BIT && rc->bits == col->precision && rc->bits <= 64;
    case MYSQL_F_YEAR:
        rc->kind = MYSQL_V_YEAR;
        return rc->wire == WIRE_YEAR;
    default:
        rc->kind = col->is_unsigned ? MYSQL_V_UINT : MYSQL_V_INT;
        return rc->wire == wires[col->family];
    }
}

/* The forms before MySQL 5.6 carry no fraction digits in their metadata (see old_temporal). */
static bool fit_temporal(const struct mysql_column *col, uint16_t meta, struct rowcol *rc)
{
    rc->digits = (uint8_t)col->fraction;
    bool digits_ok = meta == col->fraction && meta <= 6;
    switch (col->family) {
    case MYSQL_F_DATE:
        rc->kind = MYSQL_V_DATE;
        return rc->wire == WIRE_DATE || rc->wire == WIRE_NEWDATE;
    case MYSQL_F_TIME:
        rc->kind = MYSQL_V_TIME;
        return rc->wire == WIRE_TIME || (rc->wire == WIRE_TIME2 && digits_ok);
    case MYSQL_F_DATETIME:
        rc->kind = MYSQL_V_DATETIME;
        return rc->wire == WIRE_DATETIME || (rc->wire == WIRE_DATETIME2 && digits_ok);
    default:
        rc->kind = MYSQL_V_TIMESTAMP;
        return rc->wire == WIRE_TIMESTAMP || (rc->wire == WIRE_TIMESTAMP2 && digits_ok);
    }
}

/* Bytes or text of any length; `meta` is the maximum length, or the size of a blob's length. */
static bool fit_string(const struct mysql_column *col, uint16_t meta, struct rowcol *rc)
{
    uint8_t blob = blob_bytes(col->family);
    rc->kind = mysql_family_text(col->family) ? MYSQL_V_TEXT : MYSQL_V_BYTES;
    rc->length_bytes = blob ? blob : meta > 255 ? 2 : 1;
    switch (col->family) {
    case MYSQL_F_BINARY:
        rc->pad = meta;
        return rc->wire == WIRE_STRING;
    case MYSQL_F_CHAR:
        return rc->wire == WIRE_STRING;
    case MYSQL_F_VARCHAR:
    case MYSQL_F_VARBINARY:
        rc->special = rc->wire == WIRE_VARCHAR_COMPRESSED ? ROWCOL_COMPRESSED : ROWCOL_PLAIN;
        return rc->wire == WIRE_VARCHAR || rc->wire == WIRE_VAR_STRING || rc->special;
    default:
        rc->special = rc->wire == WIRE_BLOB_COMPRESSED ? ROWCOL_COMPRESSED : ROWCOL_PLAIN;
        return blob && meta == blob && (rc->wire == WIRE_BLOB || rc->special);
    }
}

static bool fit_other(const struct mysql_column *col, uint16_t meta, struct rowcol *rc)
{
    rc->length_bytes = (uint8_t)(meta > 4 ? 0 : meta);
    switch (col->family) {
    case MYSQL_F_ENUM:
        rc->kind = MYSQL_V_ENUM;
        rc->length_bytes = (uint8_t)meta;
        return rc->wire == WIRE_ENUM && (meta == 1 || meta == 2);
    case MYSQL_F_SET:
        rc->kind = MYSQL_V_SET;
        rc->length_bytes = (uint8_t)meta;
        return rc->wire == WIRE_SET && meta >= 1 && meta <= 8;
    case MYSQL_F_JSON:
        rc->kind = MYSQL_V_JSON;
        return rc->wire == WIRE_JSON && rc->length_bytes;
    case MYSQL_F_GEOMETRY:
        rc->kind = MYSQL_V_GEOMETRY;
        return rc->wire == WIRE_GEOMETRY && rc->length_bytes;
    case MYSQL_F_UUID:
    case MYSQL_F_INET6:
        rc->pad = 16;
        rc->special = col->family == MYSQL_F_UUID ? ROWCOL_UUID : ROWCOL_INET6;
        break;
    case MYSQL_F_INET4:
        rc->pad = 4;
        rc->special = ROWCOL_INET4;
        break;
    default:
        return false;
    }
    rc->kind = MYSQL_V_TEXT;
    rc->length_bytes = 1;
    return rc->wire == WIRE_STRING && meta == rc->pad;
}

static bool fit(const struct mysql_column *col, uint16_t meta, struct rowcol *rc)
{
    if (col->family >= MYSQL_F_TINYINT && col->family <= MYSQL_F_BIT) {
        return fit_number(col, meta, rc);
    }
    if (col->family == MYSQL_F_YEAR) {
        return fit_number(col, meta, rc);
    }
    if (col->family >= MYSQL_F_DATE && col->family <= MYSQL_F_TIMESTAMP) {
        return fit_temporal(col, meta, rc);
    }
    if (mysql_family_text(col->family) || mysql_family_binary(col->family)) {
        return fit_string(col, meta, rc);
    }
    return fit_other(col, meta, rc);
}

/* --- checking a column ------------------------------------------------------------------------ */

static enum status misfit(const struct fitting *f, size_t i, const char *how, struct mysql_err *err)
{
    const struct mysql_column *col = &f->table->columns[i];
    return mysql_err_set(err, ST_CONFLICT, MYSQL_ERR_CHANGED,
                         "Column %zu of %.*s.%.*s is %.*s %.*s in our description, but in the "
                         "binary log %s: the table was altered at another place of the log than "
                         "the description is from. Reload the table.",
                         i + 1, STR_ARG(f->table->schema), STR_ARG(f->table->name),
                         STR_ARG(col->name), STR_ARG(col->type_text), how);
}

static enum status unsupported(const struct fitting *f, size_t i, const char *why,
                               struct mysql_err *err)
{
    const struct mysql_column *col = &f->table->columns[i];
    return mysql_err_set(err, ST_INVALID, MYSQL_ERR_UNSUPPORTED,
                         "Changes of column %.*s.%.*s.%.*s (%.*s) cannot be read: %s.",
                         STR_ARG(f->table->schema), STR_ARG(f->table->name), STR_ARG(col->name),
                         STR_ARG(col->type_text), why);
}

static bool is_int(uint8_t wire)
{
    return wire == WIRE_TINY || wire == WIRE_SHORT || wire == WIRE_INT24 || wire == WIRE_LONG ||
           wire == WIRE_LONGLONG;
}

static enum status check_name_and_sign(const struct fitting *f, size_t i, struct mysql_err *err)
{
    const struct mysql_column *col = &f->table->columns[i];
    const struct tablemap_column *mc = &f->meta.columns[i];
    char how[160];
    if (str_set(mc->name) && !str_ieq(mc->name, col->name)) {
        snprintf(how, sizeof(how), "it is named %.*s", mc->name.n > 100 ? 100 : (int)mc->name.n,
                 mc->name.p);
        return misfit(f, i, how, err);
    }
    if (f->meta.has_signs && is_int(mc->wire) && mc->is_unsigned != col->is_unsigned &&
        mc->is_unsigned_old != col->is_unsigned) {
        return misfit(f, i, mc->is_unsigned ? "it is unsigned" : "it is signed", err);
    }
    return ST_OK;
}

/* The log's own labels are right for its rows; ours are as of the description. */
static enum status set_labels(const struct fitting *f, size_t i, struct rowcol *rc,
                              struct mysql_err *err)
{
    const struct mysql_column *col = &f->table->columns[i];
    const struct tablemap_column *mc = &f->meta.columns[i];
    rc->labels = col->labels;
    rc->labels_n = col->labels_n;
    if (mc->labels.n == 0) {
        return ST_OK;
    }
    struct charset *cs =
        str_set(col->charset) ? charset_cache_get(f->charsets, col->charset) : NULL;
    struct rd r = { (const uint8_t *)mc->labels.p, (const uint8_t *)mc->labels.p + mc->labels.n,
                    false };
    uint64_t n = rd_lenenc(&r);
    if (r.bad || n > rd_left(&r)) {
        return misfit(f, i, "its labels are malformed", err);
    }
    struct str *labels = ARENA_ARRAY(f->m->arena, struct str, n);
    struct scratch tmp = { 0 };
    for (uint64_t k = 0; k < n; k++) {
        struct str label = rd_str(&r, (size_t)rd_lenenc(&r));
        labels[k] = arena_str(f->m->arena, cs ? charset_to_utf8(cs, label, &tmp) : label);
    }
    scratch_fini(&tmp);
    rc->labels = labels;
    rc->labels_n = (size_t)n;
    return r.bad ? misfit(f, i, "its labels are malformed", err) : ST_OK;
}

static enum status plan_column(const struct fitting *f, size_t i, struct rowcol *rc,
                               struct mysql_err *err)
{
    const struct mysql_column *col = &f->table->columns[i];
    const struct tablemap_column *mc = &f->meta.columns[i];
    char how[64];
    rc->wire = mc->wire;
    if (col->family == MYSQL_F_OTHER) {
        return unsupported(f, i, "its type is unknown to us", err);
    }
    if (!fit(col, mc->meta, rc)) {
        snprintf(how, sizeof(how), "its type is %u (metadata 0x%04x)", mc->wire, mc->meta);
        return misfit(f, i, how, err);
    }
    bool old_temporal =
        rc->wire == WIRE_TIME || rc->wire == WIRE_DATETIME || rc->wire == WIRE_TIMESTAMP;
    if (old_temporal && col->fraction > 0) {
        return unsupported(f, i,
                           "it is stored in the format before MySQL 5.6, whose fractions the log "
                           "does not describe; ALTER TABLE … FORCE with mysql56_temporal_format=ON",
                           err);
    }
    enum status st = check_name_and_sign(f, i, err);
    if (!st && (rc->kind == MYSQL_V_ENUM || rc->kind == MYSQL_V_SET)) {
        st = set_labels(f, i, rc, err);
    }
    if (!st && rc->kind == MYSQL_V_TEXT && !rc->pad) {
        rc->charset = charset_cache_get(f->charsets, col->charset);
        if (!rc->charset) {
            return unsupported(f, i, "we cannot convert from its character set", err);
        }
        if (charset_is_utf8(rc->charset)) {
            rc->charset = NULL;
        }
    }
    return st;
}

/* MariaDB logs some columns that no description shows, behind all others. */
static bool plan_hidden(const struct fitting *f, size_t i, struct rowcol *rc)
{
    const struct tablemap_column *mc = &f->meta.columns[i];
    rc->wire = mc->wire;
    rc->hidden = true;
    rc->kind = mc->wire == WIRE_TIMESTAMP2 ? MYSQL_V_TIMESTAMP : MYSQL_V_UINT;
    rc->digits = (uint8_t)(mc->wire == WIRE_TIMESTAMP2 ? mc->meta : 0);
    return mc->wire == WIRE_LONGLONG || (mc->wire == WIRE_TIMESTAMP2 && mc->meta <= 6);
}

static uint8_t value_size(const struct rowcol *rc)
{
    uint8_t fraction = (uint8_t)((rc->digits + 1) / 2);
    switch (rc->wire) {
    case WIRE_TINY:
    case WIRE_YEAR:
        return 1;
    case WIRE_SHORT:
        return 2;
    case WIRE_INT24:
    case WIRE_DATE:
    case WIRE_NEWDATE:
    case WIRE_TIME:
        return 3;
    case WIRE_LONG:
    case WIRE_FLOAT:
    case WIRE_TIMESTAMP:
        return 4;
    case WIRE_LONGLONG:
    case WIRE_DOUBLE:
    case WIRE_DATETIME:
        return 8;
    case WIRE_TIME2:
        return 3 + fraction;
    case WIRE_TIMESTAMP2:
        return 4 + fraction;
    case WIRE_DATETIME2:
        return 5 + fraction;
    case WIRE_NEWDECIMAL:
    case WIRE_BIT:
    case WIRE_ENUM:
    case WIRE_SET:
        return rc->length_bytes;
    default:
        return 0;
    }
}

static enum status check_count(const struct fitting *f, struct mysql_err *err)
{
    size_t have = f->table->columns_n, logged = f->m->columns_n;
    if (logged == have || logged == have + f->table->hidden) {
        return ST_OK;
    }
    return mysql_err_set(
        err, ST_CONFLICT, MYSQL_ERR_CHANGED,
        "Table %.*s.%.*s has %zu columns in our description, but %zu in the binary "
        "log: the table was altered at another place of the log than the "
        "description is from. Reload the table.",
        STR_ARG(f->table->schema), STR_ARG(f->table->name), have, logged);
}

enum status tablemap_plan(struct tablemap *m, const struct mysql_table *table, bool mariadb,
                          struct charset_cache *charsets, struct mysql_err *err)
{
    struct fitting f = { .m = m, .table = table, .charsets = charsets, .mariadb = mariadb };
    m->table = table;
    if (!tablemap_meta(m, mariadb, &f.meta)) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_CORRUPT,
                             "The binary log has a malformed TABLE_MAP event for %.*s.%.*s.",
                             STR_ARG(m->schema), STR_ARG(m->name));
    }
    enum status st = check_count(&f, err);
    m->columns = ARENA_ARRAY(m->arena, struct rowcol, m->columns_n);
    for (size_t i = 0; i < m->columns_n && !st; i++) {
        if (i < table->columns_n) {
            st = plan_column(&f, i, &m->columns[i], err);
        } else if (!plan_hidden(&f, i, &m->columns[i])) {
            st = mysql_err_set(err, ST_CONFLICT, MYSQL_ERR_CHANGED,
                               "Table %.*s.%.*s has more columns in the binary log than in our "
                               "description. Reload the table.",
                               STR_ARG(table->schema), STR_ARG(table->name));
        }
        m->columns[i].size = value_size(&m->columns[i]);
    }
    m->before = ARENA_ARRAY(m->arena, struct mysql_value, table->columns_n);
    m->after = ARENA_ARRAY(m->arena, struct mysql_value, table->columns_n);
    return st;
}
