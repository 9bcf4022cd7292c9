/* The calls of the change stream. Errors that end the run are kept in the capture; a stop that was
 * asked for is ST_CONFLICT. */
#include "emulators/dms/worker/cdc.h"
#include "server/base/log.h"

#define TICK_ROWS 4096 /* inside of a large transaction, look at the clock after so many rows */

static enum status on_begin(void *ctx, const struct mysql_tx *tx)
{
    struct dms_capture *c = ctx;
    struct dms_worker *w = c->w;
    if (dms_stopping(w) || dms_reload_due(w)) {
        return ST_CONFLICT;
    }
    w->at = tx->start;
    w->in_tx = true;
    w->tx_number++;
    c->tx.start = tx->start;
    c->tx.commit_us = tx->commit_us;
    if (tx->commit_us / 1000000 > w->sequence_s) {
        w->sequence_s = tx->commit_us / 1000000;
    }
    atomic_store_explicit(&w->reading_us, tx->commit_us, memory_order_relaxed);
    if (w->stop_kind != DMS_STOP_NEVER && tx->commit_us > w->stop_at_ms * 1000) {
        w->finished = w->stop_kind == DMS_STOP_COMMIT_TIME ? "STOPPED_AT_COMMIT_TIME"
                                                           : "STOPPED_AT_SERVER_TIME";
        return ST_CONFLICT;
    }
    return ST_OK;
}

static enum status on_lookup(void *ctx, struct str schema, struct str name,
                             const struct mysql_table **ret)
{
    struct dms_capture *c = ctx;
    struct dms_table *t = dms_tables_find(c->w, schema, name);
    *ret = dms_table_captured(t) ? t->def : NULL;
    c->w->last = NULL;
    return ST_OK;
}

/* Only rules look at what a row was. */
static bool on_wants_before(void *ctx, const struct mysql_table *def)
{
    struct dms_capture *c = ctx;
    const struct dms_table *t = dms_tables_find(c->w, def->schema, def->name);
    return t && t->rules;
}

static struct dms_table *table_of(struct dms_worker *w, const struct mysql_table *def)
{
    if (!w->last || w->last->def != def) {
        w->last = dms_tables_find(w, def->schema, def->name);
    }
    return w->last;
}

static enum status describe_again(struct mysql_conn *conn, void *arg, struct mysql_err *err)
{
    struct dms_capture *c = arg;
    return dms_table_describe(c->w, conn, c->misfit, true, err);
}

/* CleanSourceMetadataOnMismatch: the table's description is read again, once per transaction, and
 * the stream begins anew with it. False: the table is in error. */
static bool clean_metadata(struct dms_capture *c, struct dms_table *t, const struct mysql_err *why)
{
    struct dms_worker *w = c->w;
    if (!w->clean_metadata ||
        (c->misfit == t && mysql_position_cmp(&c->misfit_tx, &c->tx.start) == 0)) {
        return false;
    }
    c->misfit = t;
    c->misfit_tx = c->tx.start;
    dms_line(w, "SOURCE_CAPTURE", 'W',
             "Metadata of table '%.*s'.'%.*s' doesn't fit the log and is read again: %s",
             STR_ARG(t->schema), STR_ARG(t->name), why->text);
    struct mysql_err err = { 0 };
    c->again = dms_ctl(w, describe_again, c, &err) == ST_OK;
    return c->again;
}

static enum status on_misfit(void *ctx, const struct mysql_table *def, const struct mysql_err *why)
{
    struct dms_capture *c = ctx;
    struct dms_table *t = dms_tables_find(c->w, def->schema, def->name);
    if (!dms_table_captured(t) || mysql_position_cmp(&c->tx.start, &t->seen) < 0) {
        return ST_OK; /* rows from before the load or the last change of columns: not wanted */
    }
    if (dms_table_waits(t)) {
        enum status st = dms_close(c, t, &c->err);
        if (st != ST_OK) {
            return st;
        }
    }
    if (t->other) {
        dms_table_take_other(c->w, t);
        c->again = true;
        enum status st =
            dms_commit(c->w, &(struct dms_commit){ .tables = &t, .tables_n = 1 }, &c->err);
        return st == ST_OK ? ST_CONFLICT : st;
    }
    if (clean_metadata(c, t, why)) {
        return ST_CONFLICT;
    }
    enum status st = dms_table_fail(c->w, t, why->text);
    if (st != ST_OK) {
        return st;
    }
    return dms_commit(c->w, &(struct dms_commit){ .tables = &t, .tables_n = 1 }, &c->err);
}

static enum status on_row(void *ctx, const struct mysql_change *change)
{
    struct dms_capture *c = ctx;
    struct dms_worker *w = c->w;
    struct dms_table *t = table_of(w, change->table);
    if (!dms_table_captured(t) || !dms_is_new(c, t)) {
        return ST_OK;
    }
    if (w->not_before_us && c->tx.commit_us < w->not_before_us) {
        return ST_OK;
    }
    enum status st = dms_change(c, t, change, &c->err);
    if (st == ST_OK && ++w->rows_since_tick >= TICK_ROWS) {
        /* A file of whole transactions waits for the end of this one, unless all is thrown away. */
        bool stop = w->s3.transactions ? atomic_load(&w->stopping) == 2
                                       : dms_stopping(w) || dms_reload_due(w);
        st = stop ? ST_CONFLICT : dms_tick(c, false, &c->err);
    }
    return st;
}

static enum status on_ddl(void *ctx, const struct mysql_statement *s)
{
    struct dms_capture *c = ctx;
    return dms_follow_ddl(c, s, &c->err);
}

static enum status on_orphan(void *ctx, struct str xid, const struct mysql_tx *tx)
{
    return dms_xa_orphan(ctx, xid, tx);
}

static enum status at_rest(struct dms_capture *c, const struct mysql_position *at)
{
    struct dms_worker *w = c->w;
    w->at = *at;
    w->in_tx = false;
    w->shared_partial = false;
    w->failures = 0;
    if (w->has_cached_goal && mysql_position_cmp(&w->at, &w->cached_goal) >= 0) {
        w->finished = "STOPPED_AFTER_CACHED_EVENTS";
        return ST_CONFLICT;
    }
    return dms_stopping(w) || dms_reload_due(w) ? ST_CONFLICT : dms_tick(c, false, &c->err);
}

static enum status on_commit(void *ctx, const struct mysql_tx *tx)
{
    return at_rest(ctx, &tx->end);
}

static enum status on_heartbeat(void *ctx, const struct mysql_position *at)
{
    struct dms_capture *c = ctx;
    struct dms_worker *w = c->w;
    atomic_store_explicit(&w->reading_us, 0, memory_order_relaxed); /* nothing is behind */
    if (w->stop_kind != DMS_STOP_NEVER && clock_now_ms() > w->stop_at_ms) {
        w->at = *at;
        w->in_tx = false;
        w->finished = w->stop_kind == DMS_STOP_COMMIT_TIME ? "STOPPED_AT_COMMIT_TIME"
                                                           : "STOPPED_AT_SERVER_TIME";
        return ST_CONFLICT;
    }
    return at_rest(c, at);
}

static enum status on_rotate(void *ctx, const struct mysql_position *at)
{
    struct dms_capture *c = ctx;
    if (!c->w->in_tx) {
        c->w->at = *at;
    }
    return ST_OK;
}

static const struct mysql_binlog_calls calls = {
    .begin = on_begin,
    .lookup = on_lookup,
    .wants_before = on_wants_before,
    .misfit = on_misfit,
    .row = on_row,
    .ddl = on_ddl,
    .commit = on_commit,
    .heartbeat = on_heartbeat,
    .rotate = on_rotate,
    .orphan = on_orphan,
};

/* Everything that was read is in hand: the next stream may begin again at this transaction. */
static void remember(struct dms_capture *c)
{
    for (size_t i = 0; i < c->w->tables_n; i++) {
        struct dms_table *t = c->w->tables[i];
        if (t->away) {
            continue;
        }
        struct mysql_position seen;
        uint64_t skip;
        dms_cut_place(c, t, &seen, &skip);
        t->seen = seen;
        t->seen_skip = skip;
    }
    c->w->in_tx = false;
}

static enum status stream(struct dms_capture *c, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    struct mysql_binlog *binlog;
    enum status st = mysql_conn_connect(w->stream, err);
    if (st != ST_OK) {
        return st;
    }
    mysql_xa_rewind(w->xa, &w->at);
    struct mysql_binlog_options options = {
        .start = w->at,
        .xa = w->xa,
        .server_id = w->server_id,
        .heartbeat_ms =
            w->interval_ms < DMS_HEARTBEAT_MS ? DMS_HEARTBEAT_FAST_MS : DMS_HEARTBEAT_MS,
    };
    st = mysql_binlog_open(w->stream, &options, &calls, c, &binlog, err);
    if (st != ST_OK) {
        return st;
    }
    dms_line(w, "SOURCE_CAPTURE", 'I', "Position '%s:%llu' is used as the start of the stream.",
             w->at.file, (unsigned long long)w->at.pos);
    st = mysql_binlog_run(binlog, err);
    mysql_binlog_free(binlog);
    if (st == ST_OK) { /* the server ended the stream in good order: it is shutting down */
        err->kind = MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text), "The source has ended the change stream.");
        return ST_IO;
    }
    if (err->kind == MYSQL_ERR_NONE) {
        *err = c->err;
    }
    return st;
}

enum status dms_flush(struct dms_worker *w, struct mysql_err *err)
{
    struct dms_capture c = { .w = w };
    w->last_checkpoint_ms = INT64_MIN / 2; /* store the place too, however idle */
    return dms_tick(&c, true, err);
}

enum status dms_capture(struct dms_worker *w, struct mysql_err *err)
{
    struct dms_capture c = { .w = w };
    enum status st = stream(&c, err);
    while (st == ST_CONFLICT && !w->reload && !w->finished && !dms_stopping(w) &&
           err->kind == MYSQL_ERR_NONE && (c.again || dms_reload_due(w))) {
        remember(&c);
        c.again = false;
        st = dms_reload_turn(w, err);
        st = st == ST_OK ? stream(&c, err) : st;
    }
    struct mysql_err second = { 0 };
    enum status flushed = ST_OK;
    if (!w->reload) {
        remember(&c);
        if (w->finished || atomic_load(&w->stopping) == 1) {
            flushed = dms_flush(w, &second);
        }
    }
    dms_reload_abandon(w);
    if (flushed != ST_OK) {
        *err = second;
        return flushed;
    }
    return st;
}
