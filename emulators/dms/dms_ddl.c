/* What happens to a table while its changes are captured. Every statement that touches one of our
 * tables closes its change file, so that the stored position never lies across a change of
 * columns. */
#include "emulators/dms/dms_cdc.h"
#include "server/base/log.h"

struct described {
    struct dms_worker *w;
    struct dms_table *t;
    enum status st;
};

static enum status describe(struct mysql_conn *conn, void *arg, struct mysql_err *err)
{
    struct described *d = arg;
    enum status st = dms_table_describe(d->w, conn, d->t, true, err);
    d->st = st;
    return st;
}

/* The table's position moves behind the statement; `clear`: its objects go. */
static enum status settle(struct dms_capture *c, struct dms_table *t, bool clear,
                          struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    struct mysql_position seen;
    uint64_t skip;
    dms_cut_place(c, t, &seen, &skip);
    t->seen = seen;
    t->seen_skip = skip;
    t->counts.updated_ms = clock_now_ms();
    w->reload = true;
    enum status st = dms_commit(w,
                                &(struct dms_commit){
                                    .clear_prefix = clear ? t->prefix : STR_NONE,
                                    .tables = &t,
                                    .tables_n = 1,
                                    .emptied = clear,
                                },
                                err);
    if (st == ST_OK) {
        w->reload = false;
    }
    return st;
}

static enum status close_file(struct dms_capture *c, struct dms_table *t, struct mysql_err *err)
{
    return t->rows > 0 ? dms_cut(c, &t, 1, err) : ST_OK;
}

static enum status on_truncate(struct dms_capture *c, struct dms_table *t, struct mysql_err *err)
{
    t->counts.ddls++;
    if (!c->w->settings.handle_truncated) {
        return ST_OK;
    }
    /* What waits in the open file is gone in the source too. As on AWS only the table's folder is
     * emptied ("HandleSourceTableTruncated"): a data set that somebody made of it keeps its rows
     * until its own job runs. The catalog remembers the truncation, so that the next merge of the
     * table begins with no rows. */
    atomic_fetch_sub(&c->w->waiting_rows, t->rows);
    t->rows = 0;
    dms_file_discard(&t->file);
    return settle(c, t, true, err);
}

static enum status on_alter(struct dms_capture *c, struct dms_table *t, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    enum status st = close_file(c, t, err);
    if (st != ST_OK) {
        return st;
    }
    t->counts.ddls++;
    struct described d = { .w = w, .t = t };
    struct mysql_err why = { 0 };
    st = dms_ctl(w, describe, &d, &why);
    if (st != ST_OK && (why.kind == MYSQL_ERR_MISSING || d.st == ST_NOT_FOUND)) {
        return settle(c, t, false, err); /* dropped since: nothing more will come */
    }
    if (st != ST_OK && why.kind == MYSQL_ERR_UNSUPPORTED) {
        st = dms_table_fail(w, t, why.text);
        return st == ST_OK ? settle(c, t, false, err) : st;
    }
    if (st != ST_OK) {
        *err = why;
        return st;
    }
    dms_line(w, "SOURCE_CAPTURE", 'I', "Table '%.*s'.'%.*s' was altered; it has %zu columns now.",
             STR_ARG(t->schema), STR_ARG(t->name), t->def->columns_n);
    return settle(c, t, false, err);
}

/* A table that appears (CREATE, RENAME … TO): captured from here on, without a load. */
static enum status on_appear(struct dms_capture *c, struct str schema, struct str name,
                             struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    struct dms_table *t = dms_tables_find(w, schema, name);
    int64_t order;
    if (!t && !dms_mapping_selects(&w->mapping, schema, name, &order)) {
        return ST_OK;
    }
    if (!t) {
        t = dms_tables_add(w, schema, name, order);
        if (!t) {
            err->kind = MYSQL_ERR_LIMIT;
            snprintf(err->text, sizeof(err->text), "The source has more than %d selected tables.",
                     DMS_TABLES_MAX);
            return ST_NOMEM;
        }
        t->state = DMS_TABLE_DONE;
        t->seen = c->tx.start;
    }
    return dms_is_new(c, t) ? on_alter(c, t, err) : ST_OK;
}

static enum status on_item(struct dms_capture *c, enum mysql_ddl_kind kind,
                           const struct mysql_ddl_item *item, struct mysql_err *err)
{
    bool renamed = str_set(item->to_name);
    struct dms_table *t = dms_tables_find(c->w, item->schema, item->name);
    switch (kind) {
    case MYSQL_DDL_CREATE_TABLE:
        return on_appear(c, item->schema, item->name, err);
    case MYSQL_DDL_TRUNCATE_TABLE:
        return t && dms_is_new(c, t) ? on_truncate(c, t, err) : ST_OK;
    case MYSQL_DDL_RENAME_TABLE:
        return renamed ? on_appear(c, item->to_schema, item->to_name, err) : ST_OK;
    case MYSQL_DDL_ALTER_TABLE:
    case MYSQL_DDL_ALTER_PARTITION:
        if (renamed) {
            return on_appear(c, item->to_schema, item->to_name, err);
        }
        return t && dms_is_new(c, t) ? on_alter(c, t, err) : ST_OK;
    default:
        return ST_OK; /* DROP: the service doesn't deliver it; objects stay */
    }
}

/* "CHANGE [COLUMN] a b …" or "RENAME COLUMN a TO b": the words may also be a name or a comment, so
 * whoever believes this checks where the columns stand. */
static bool mentions_rename(struct str text)
{
    static const struct str words[] = { STR_INIT("CHANGE"), STR_INIT("RENAME") };
    for (size_t w = 0; w < ARRAY_LEN(words); w++) {
        for (size_t i = 0; i + words[w].n <= text.n; i++) {
            if (str_ieq(str_sub(text, i, i + words[w].n), words[w])) {
                return true;
            }
        }
    }
    return false;
}

enum status dms_follow_ddl(struct dms_capture *c, const struct mysql_statement *s,
                           struct mysql_err *err)
{
    enum status st = ST_OK;
    bool renames = s->ddl->kind == MYSQL_DDL_ALTER_TABLE && mentions_rename(s->text);
    for (size_t i = 0; i < s->ddl->n && st == ST_OK; i++) {
        struct dms_table *t = dms_tables_find(c->w, s->ddl->items[i].schema, s->ddl->items[i].name);
        if (t && renames) {
            t->renamed = true;
        }
        st = on_item(c, s->ddl->kind, &s->ddl->items[i], err);
    }
    return st;
}
