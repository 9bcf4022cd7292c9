/* XA transactions that are prepared when a task begins. Their rows are in the log before the place
 * where capture begins, so the task waits until they have ended, or says later whose changes it
 * lacks. Those that are prepared meanwhile are in the log from that place on: a source that always
 * has some doesn't keep the task waiting. AWS checks the same and calls the switch
 * IgnoreOpenXaTransactionsCheck. */
#include "emulators/dms/worker/cdc.h"
#include "server/core.h"

#define LOOK_ARENA_MAX (4u << 20)
#define LOOK_MS 200
#define NAMES_MAX 5 /* of transactions in a text */

/* --- those that are open at the start --------------------------------------------------------- */

struct look {
    struct arena *arena;
    struct mysql_position before, after; /* the log's end around the question */
    struct mysql_cells open;
};

static enum status look(struct mysql_conn *c, void *arg, struct mysql_err *err)
{
    struct look *k = arg;
    enum status st = mysql_position_end(c, &k->before, err);
    if (st != ST_OK) {
        return st;
    }
    st = mysql_conn_collect(c, k->arena, "XA RECOVER", &k->open, err);
    if (st != ST_OK && !mysql_err_retryable(err) && err->kind != MYSQL_ERR_ABORTED) {
        *err = (struct mysql_err){ 0 }; /* MySQL 8 tells only users with XA_RECOVER_ADMIN */
        k->open = (struct mysql_cells){ 0 };
        st = ST_OK;
    }
    return st == ST_OK ? mysql_position_end(c, &k->after, err) : st;
}

static bool is_among(const struct mysql_cells *all, const struct mysql_cells *t, size_t row)
{
    for (size_t i = 0; i < all->rows; i++) {
        bool same = all->cols == t->cols;
        for (size_t c = 0; same && c < t->cols; c++) {
            same = str_eq(all->cells[i * all->cols + c], t->cells[row * t->cols + c]);
        }
        if (same) {
            return true;
        }
    }
    return false;
}

struct left {
    size_t n;
    struct str names; /* of some */
};

/* Those of the first look that are open still. */
static struct left left_of(const struct look *first, const struct look *now)
{
    struct left left = { 0 };
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
    for (size_t i = 0; i < now->open.rows; i++) {
        if (!is_among(&first->open, &now->open, i)) {
            continue;
        }
        if (left.n < NAMES_MAX) {
            struct str data = mysql_cells_get(&now->open, i, "data");
            buf_puts(&b, left.n ? ", X'" : "X'");
            for (size_t k = 0; k < data.n; k++) {
                buf_printf(&b, "%02x", (unsigned char)data.p[k]);
            }
            buf_putc(&b, '\'');
        }
        left.n++;
    }
    buf_puts(&b, left.n > NAMES_MAX ? ", …" : "");
    left.names = arena_str(now->arena, buf_str(&b));
    return left;
}

static enum status breach(struct dms_worker *w, const struct left *left, struct mysql_err *err)
{
    if (!w->settings.fail_on_breach) {
        dms_line(w, "SOURCE_CAPTURE", 'W',
                 "%zu XA transactions are still prepared on the source (%.*s). The task goes on "
                 "without them; it will fail if one of them is committed after all.",
                 left->n, STR_ARG(left->names));
        return ST_OK;
    }
    err->kind = MYSQL_ERR_FATAL;
    snprintf(err->text, sizeof(err->text),
             "%zu XA transactions are still prepared on the source after "
             "TransactionConsistencyTimeout (%lld s): %.*s. End them with XA COMMIT or XA ROLLBACK "
             "(XA RECOVER lists them), and start the task again.",
             left->n, (long long)w->settings.consistency_timeout_s, STR_ARG(left->names));
    return ST_CONFLICT;
}

static enum status wait_for(struct dms_worker *w, const struct look *first,
                            struct mysql_position *ret_ended, struct mysql_err *err)
{
    int64_t until = clock_mono_ms() + clock_scaled_ms(w->settings.consistency_timeout_s * 1000);
    for (bool told = false;; told = true) {
        CLEANUP(arena_freep) struct arena *a = arena_new(LOOK_ARENA_MAX);
        struct look now = { .arena = a };
        enum status st = dms_ctl(w, look, &now, err);
        if (st != ST_OK) {
            return st;
        }
        *ret_ended = now.after;
        struct left left = left_of(first, &now);
        if (left.n == 0) {
            return ST_OK;
        }
        if (clock_mono_ms() >= until) {
            return breach(w, &left, err);
        }
        if (!told) {
            dms_line(w, "SOURCE_CAPTURE", 'W',
                     "%zu XA transactions are prepared on the source (%.*s); waiting until they "
                     "have ended, at most %lld s.",
                     left.n, STR_ARG(left.names), (long long)w->settings.consistency_timeout_s);
        }
        dms_show(w, !told, "waits for prepared XA transactions to end: %.*s", STR_ARG(left.names));
        dms_worker_sleep(w, LOOK_MS);
        if (dms_stopping(w)) {
            return ST_CONFLICT;
        }
    }
}

enum status dms_xa_wait(struct dms_worker *w, struct mysql_position *ret,
                        struct mysql_position *ret_ended, struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(LOOK_ARENA_MAX);
    struct look first = { .arena = a };
    enum status st = dms_ctl(w, look, &first, err);
    *ret = *ret_ended = first.before;
    if (st != ST_OK || first.open.rows == 0 || w->ignore_xa) {
        return st;
    }
    return wait_for(w, &first, ret_ended, err);
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
    struct mysql_position at, ended; /* the tables' snapshots come later than both */
    st = dms_xa_wait(w, &at, &ended, err);
    if (st != ST_OK) {
        return st;
    }
    w->xa_start = at;
    st = core_sync(w->core, put_start, w);
    return st == ST_OK ? ST_OK : store_failed(st, err);
}

/* --- those that are committed unexpectedly ---------------------------------------------------- */

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
