/* What happens to a table while its changes are captured. Every statement that touches one of our
 * tables closes its change file, so that the stored position never lies across a change of
 * columns. */
#include "emulators/dms/worker/cdc.h"
#include "server/base/log.h"

struct described {
    struct dms_worker *w;
    struct dms_table *t;
    const struct mysql_statement *statement;
    const struct mysql_table *before;
    enum status st;
};

static enum status describe(struct mysql_conn *conn, void *arg, struct mysql_err *err)
{
    struct described *d = arg;
    d->st = dms_table_follow(d->w, conn, d->t, d->statement, d->before, err);
    return d->st;
}

/* The statement was counted as read, but is only in hand once it has been followed to its end: a
 * file that is put before, or a stop meanwhile, must not move the table's position behind it. */
static void begin_statement(struct dms_table *t)
{
    t->tx_rows--;
}

/* The table's position moves behind the statement; `clear`: its objects go. */
static enum status settle(struct dms_capture *c, struct dms_table *t, bool clear,
                          struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    t->tx_rows++;
    t->counts.ddls++;
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
    return dms_table_waits(t) ? dms_close(c, t, err) : ST_OK;
}

static enum status on_truncate(struct dms_capture *c, struct dms_table *t, struct mysql_err *err)
{
    if (!c->w->settings.handle_truncated) {
        t->counts.ddls++;
        t->counts.left_ddls++;
        return ST_OK;
    }
    if (c->w->settings.fail_on_truncate) {
        pthread_mutex_lock(&c->w->tables_lock);
        dms_errors_stop(c->w,
                        "Truncation DDL detected: table %.*s.%.*s was truncated and "
                        "ApplyErrorFailOnTruncationDdl is true.",
                        STR_ARG(t->schema), STR_ARG(t->name));
        pthread_mutex_unlock(&c->w->tables_lock);
        c->w->reload = true; /* the statement isn't in hand: the next run begins before it */
        return ST_CONFLICT;
    }
    begin_statement(t);
    /* What waits in the open file is gone in the source too. As on AWS only the table's folder is
     * emptied ("HandleSourceTableTruncated"): a data set that somebody made of it keeps its rows
     * until its own job runs. The catalog remembers the truncation, so that the next merge of the
     * table begins with no rows. */
    enum status st = ST_OK;
    if (t->shared_rows > 0) { /* transactions stay whole */
        st = dms_close(c, t, err);
    }
    atomic_fetch_sub(&c->w->waiting_rows, dms_table_drop_batches(t));
    return st != ST_OK ? st : settle(c, t, true, err);
}

/* `before`: the table that the statement starts from; NULL: unknown or none. */
static enum status on_alter(struct dms_capture *c, struct dms_table *t,
                            const struct mysql_table *before, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    begin_statement(t);
    enum status st = close_file(c, t, err);
    if (st != ST_OK) {
        return st;
    }
    bool kept = !w->settings.handle_altered && t->def;
    t->renamed = t->renamed && !kept;
    struct described d = { .w = w, .t = t, .statement = c->statement, .before = before };
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
    dms_line(w, "SOURCE_CAPTURE", 'I', "Table '%.*s'.'%.*s' was altered; it has %zu columns now.%s",
             STR_ARG(t->schema), STR_ARG(t->name), t->def->columns_n,
             kept ? " HandleSourceTableAltered is false: the target keeps its columns." : "");
    t->counts.left_ddls += kept;
    return settle(c, t, false, err);
}

/* A table that appears (CREATE, RENAME … TO): captured from here on, without a load. */
static enum status on_appear(struct dms_capture *c, struct str schema, struct str name,
                             const struct mysql_table *before, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    struct dms_table *t = dms_tables_find(w, schema, name);
    int64_t order;
    if (t && t->away) {
        return ST_OK;
    }
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
    if (!dms_is_new(c, t)) {
        return ST_OK;
    }
    if (t->state == DMS_TABLE_MISSING) {
        pthread_mutex_lock(&w->tables_lock);
        t->state = DMS_TABLE_DONE;
        pthread_mutex_unlock(&w->tables_lock);
    }
    return on_alter(c, t, before, err);
}

/* As it was described last, if it is one of ours. */
static const struct mysql_table *known(struct dms_capture *c, struct str schema, struct str name)
{
    const struct dms_table *t = str_set(name) ? dms_tables_find(c->w, schema, name) : NULL;
    return t ? t->def : NULL;
}

/* ALTER TABLE … {ADD|DROP|TRUNCATE|…} PARTITION removes rows without telling which: as on AWS, the
 * table is left alone from here on, unless the attribute says that this is wanted. */
static enum status on_partition(struct dms_capture *c, struct dms_table *t, struct mysql_err *err)
{
    begin_statement(t);
    enum status st = close_file(c, t, err);
    if (st != ST_OK) {
        return st;
    }
    st = dms_table_fail(c->w, t,
                        "A statement changed the table's partitions, which suspends it. Reload the "
                        "table to go on; to capture on across such statements, give the source "
                        "endpoint the extra connection attribute "
                        "skipTableSuspensionForPartitionDdl=true.");
    return st == ST_OK ? settle(c, t, false, err) : st;
}

static enum status on_item(struct dms_capture *c, enum mysql_ddl_kind kind,
                           const struct mysql_ddl_item *item, struct mysql_err *err)
{
    bool renamed = str_set(item->to_name);
    struct dms_table *t = dms_tables_find(c->w, item->schema, item->name);
    if (t && t->away) {
        return ST_OK; /* read again, from the place of its new load on */
    }
    if (t && t->state == DMS_TABLE_MISSING && !renamed && kind != MYSQL_DDL_CREATE_TABLE) {
        return ST_OK; /* of one that went before it was loaded */
    }
    switch (kind) {
    case MYSQL_DDL_CREATE_TABLE:
        return on_appear(c, item->schema, item->name, known(c, item->like_schema, item->like_name),
                         err);
    case MYSQL_DDL_TRUNCATE_TABLE:
        return t && dms_is_new(c, t) ? on_truncate(c, t, err) : ST_OK;
    case MYSQL_DDL_RENAME_TABLE:
        return renamed ? on_appear(c, item->to_schema, item->to_name,
                                   known(c, item->schema, item->name), err)
                       : ST_OK;
    case MYSQL_DDL_ALTER_PARTITION:
        if (!renamed && !c->w->partition_ddl) {
            return t && dms_is_new(c, t) ? on_partition(c, t, err) : ST_OK;
        }
        /* fall through */
    case MYSQL_DDL_ALTER_TABLE:
        if (renamed) {
            return on_appear(c, item->to_schema, item->to_name, known(c, item->schema, item->name),
                             err);
        }
        return t && dms_is_new(c, t) ? on_alter(c, t, t->def, err) : ST_OK;
    default:
        if (dms_table_captured(t) && kind == MYSQL_DDL_DROP_TABLE) {
            dms_line(c->w, "SOURCE_CAPTURE", 'W',
                     "Cannot drop table '%.*s'. DROP TABLE is not currently supported",
                     STR_ARG(t->name));
        }
        return ST_OK; /* the service doesn't deliver it; objects stay */
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
    c->statement = s;
    bool renames = s->ddl->kind == MYSQL_DDL_ALTER_TABLE && mentions_rename(s->text);
    for (size_t i = 0; i < s->ddl->n && st == ST_OK; i++) {
        struct dms_table *t = dms_tables_find(c->w, s->ddl->items[i].schema, s->ddl->items[i].name);
        if (t && !t->away && renames) {
            t->renamed = true;
        }
        st = on_item(c, s->ddl->kind, &s->ddl->items[i], err);
    }
    return st;
}
