/* XA transactions that are prepared when a task begins. Their rows are in the log before the place
 * where capture begins, so the task waits until none is left, or says later whose changes it lacks.
 * AWS checks the same and calls the switch IgnoreOpenXaTransactionsCheck. */
#include "emulators/dms/worker/cdc.h"
#include "server/core.h"

#define LOOK_ARENA_MAX (4u << 20)
#define LOOK_MS 200
#define NAMES_MAX 5 /* of transactions in a text */

/* --- those that are open at the start --- */

struct look {
    struct arena *arena;
    struct mysql_position at; /* all that is prepared behind it is in the log from there on */
    size_t n;
    struct str names;
};

static void name_all(struct look *k, const struct mysql_cells *t)
{
    k->n = t->rows;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
    for (size_t i = 0; i < t->rows && i < NAMES_MAX; i++) {
        struct str data = mysql_cells_get(t, i, "data");
        buf_puts(&b, i ? ", X'" : "X'");
        for (size_t k2 = 0; k2 < data.n; k2++) {
            buf_printf(&b, "%02x", (unsigned char)data.p[k2]);
        }
        buf_putc(&b, '\'');
    }
    buf_puts(&b, t->rows > NAMES_MAX ? ", …" : "");
    k->names = arena_str(k->arena, buf_str(&b));
}

static enum status look(struct mysql_conn *c, void *arg, struct mysql_err *err)
{
    struct look *k = arg;
    struct mysql_cells t;
    enum status st = mysql_position_end(c, &k->at, err);
    if (st != ST_OK) {
        return st;
    }
    st = mysql_conn_collect(c, k->arena, "XA RECOVER", &t, err);
    if (st == ST_OK) {
        name_all(k, &t);
    } else if (!mysql_err_retryable(err) && err->kind != MYSQL_ERR_ABORTED) {
        *err = (struct mysql_err){ 0 }; /* MySQL 8 tells only users with XA_RECOVER_ADMIN */
        st = ST_OK;
    }
    return st;
}

static enum status breach(struct dms_worker *w, const struct look *k, struct mysql_err *err)
{
    if (!w->settings.fail_on_breach) {
        dms_line(w, "SOURCE_CAPTURE", 'W',
                 "%zu XA transactions are still prepared on the source (%.*s). The task goes on "
                 "without them; it will fail if one of them is committed after all.",
                 k->n, STR_ARG(k->names));
        return ST_OK;
    }
    err->kind = MYSQL_ERR_FATAL;
    snprintf(err->text, sizeof(err->text),
             "%zu XA transactions are still prepared on the source after "
             "TransactionConsistencyTimeout (%lld s): %.*s. End them with XA COMMIT or XA ROLLBACK "
             "(XA RECOVER lists them), and start the task again.",
             k->n, (long long)w->settings.consistency_timeout_s, STR_ARG(k->names));
    return ST_CONFLICT;
}

enum status dms_xa_wait(struct dms_worker *w, struct mysql_position *ret, struct mysql_err *err)
{
    int64_t until = clock_mono_ms() + clock_scaled_ms(w->settings.consistency_timeout_s * 1000);
    for (bool told = false;; told = true) {
        CLEANUP(arena_freep) struct arena *a = arena_new(LOOK_ARENA_MAX);
        struct look k = { .arena = a };
        enum status st = dms_ctl(w, look, &k, err);
        *ret = k.at;
        if (st != ST_OK || k.n == 0 || w->ignore_xa) {
            return st;
        }
        if (clock_mono_ms() >= until) {
            return breach(w, &k, err);
        }
        if (!told) {
            dms_line(w, "SOURCE_CAPTURE", 'W',
                     "%zu XA transactions are prepared on the source (%.*s); waiting until they "
                     "have ended, at most %lld s.",
                     k.n, STR_ARG(k.names), (long long)w->settings.consistency_timeout_s);
        }
        dms_show(w, !told, "waits for prepared XA transactions to end: %.*s", STR_ARG(k.names));
        dms_worker_sleep(w, LOOK_MS);
        if (dms_stopping(w)) {
            return ST_CONFLICT;
        }
    }
}

static enum status get_start(struct core *core, void *arg)
{
    struct dms_worker *w = arg;
    return dms_store_xa_start_get(core_db(core), w->task, &w->xa_start);
}

static enum status put_start(struct core *core, void *arg)
{
    struct dms_worker *w = arg;
    return dms_store_xa_start_put(core_db(core), w->task, &w->xa_start);
}

static enum status store_failed(enum status st, struct mysql_err *err)
{
    err->kind = MYSQL_ERR_LOST;
    snprintf(err->text, sizeof(err->text), "The task's state can't be read or stored just now.");
    return st;
}

enum status dms_xa_before_load(struct dms_worker *w, struct mysql_err *err)
{
    enum status st = core_sync(w->core, get_start, w);
    if (st != ST_NOT_FOUND) {
        return st == ST_OK ? ST_OK : store_failed(st, err);
    }
    struct mysql_position at;
    st = dms_xa_wait(w, &at, err);
    if (st != ST_OK) {
        return st;
    }
    w->xa_start = at;
    st = core_sync(w->core, put_start, w);
    return st == ST_OK ? ST_OK : store_failed(st, err);
}

/* --- those that are committed unexpectedly --- */

/* Could its changes be missing from a table? */
static bool matters(const struct dms_worker *w, const struct mysql_tx *tx)
{
    if (w->not_before_us && tx->commit_us < w->not_before_us) {
        return false;
    }
    for (size_t i = 0; i < w->tables_n; i++) {
        const struct dms_table *t = w->tables[i];
        if (dms_table_captured(t) && mysql_position_cmp(&tx->start, &t->seen) >= 0) {
            return true;
        }
    }
    return false;
}

enum status dms_xa_orphan(struct dms_capture *c, struct str xid, const struct mysql_tx *tx)
{
    struct dms_worker *w = c->w;
    if (!matters(w, tx)) {
        return ST_OK;
    }
    if (w->ignore_xa) {
        dms_line(w, "SOURCE_CAPTURE", 'W',
                 "The XA transaction %.*s, committed at %s:%llu, was prepared before the task "
                 "began to read the log; its changes are left out.",
                 STR_ARG(xid), tx->start.file, (unsigned long long)tx->start.pos);
        return ST_OK;
    }
    c->err.kind = MYSQL_ERR_UNSUPPORTED;
    snprintf(c->err.text, sizeof(c->err.text),
             "The XA transaction %.*s is committed at %s:%llu, but was prepared before the place "
             "where the task began to read the log, so its changes are not known. Start the task "
             "with reload-target. If it changed none of the task's tables, give the source "
             "endpoint the extra connection attribute IgnoreOpenXaTransactionsCheck=true and "
             "resume instead.",
             STR_ARG(xid), tx->start.file, (unsigned long long)tx->start.pos);
    return ST_INVALID;
}
