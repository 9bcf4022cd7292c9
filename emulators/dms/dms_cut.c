/* Change files: rows in, objects out, and which place of the log belongs to them. */
#include "emulators/dms/dms_cdc.h"
#include "emulators/dms/dms_names.h"
#include "server/base/log.h"
#include "server/core.h"

#define CUT_ARENA_MAX (64u << 20)

bool dms_is_new(struct dms_capture *c, struct dms_table *t)
{
    struct dms_worker *w = c->w;
    if (t->tx_number != w->tx_number) {
        t->tx_number = w->tx_number;
        t->tx_rows = 0;
        t->tx_order = mysql_position_cmp(&c->tx.start, &t->seen);
    }
    uint64_t index = t->tx_rows++;
    return t->tx_order > 0 || (t->tx_order == 0 && index >= t->seen_skip);
}

void dms_cut_place(const struct dms_capture *c, const struct dms_table *t,
                   struct mysql_position *ret, uint64_t *ret_skip)
{
    const struct dms_worker *w = c->w;
    *ret = w->at;
    *ret_skip = w->in_tx && t->tx_number == w->tx_number ? t->tx_rows : 0;
    /* Reading again from an early checkpoint: the table may be ahead of the stream. */
    int order = mysql_position_cmp(&t->seen, ret);
    if (order > 0 || (order == 0 && t->seen_skip > *ret_skip)) {
        *ret = t->seen;
        *ret_skip = t->seen_skip;
    }
}

/* The earliest place that is still needed once `cut` are put: where the oldest waiting change is
 * from, or where we are. */
static struct mysql_position needed(const struct dms_worker *w, struct dms_table **cut, size_t n)
{
    struct mysql_position at = w->at;
    for (size_t i = 0; i < w->tables_n; i++) {
        const struct dms_table *t = w->tables[i];
        bool waits = t->rows > 0;
        for (size_t k = 0; k < n && waits; k++) {
            waits = cut[k] != t;
        }
        if (waits && mysql_position_cmp(&t->first_tx, &at) < 0) {
            at = t->first_tx;
        }
    }
    return at;
}

static void emptied(struct dms_worker *w, struct dms_table *t)
{
    atomic_fetch_sub(&w->waiting_rows, t->rows);
    t->rows = 0;
}

enum status dms_cut(struct dms_capture *c, struct dms_table **tables, size_t n,
                    struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    CLEANUP(arena_freep) struct arena *a = arena_new(CUT_ARENA_MAX);
    struct dms_put *puts = ARENA_ARRAY(a, struct dms_put, n + 1);
    int64_t now = clock_now_ms();
    enum status st = ST_OK;
    size_t done = 0;
    for (; done < n && st == ST_OK; done++) {
        struct dms_table *t = tables[done];
        t->last_name_ms = dms_name_time(now, t->last_name_ms);
        puts[done].key = dms_name_cdc(a, t->prefix, t->last_name_ms, w->s3.gzip);
        st = dms_file_finish(&t->file, &puts[done].piece);
        struct mysql_position seen;
        uint64_t skip;
        dms_cut_place(c, t, &seen, &skip);
        t->seen = seen;
        t->seen_skip = skip;
        t->counts.updated_ms = now;
    }
    w->reload = true; /* unless all of this is kept */
    if (st != ST_OK) {
        for (size_t i = 0; i + 1 < done; i++) {
            dms_piece_discard(core_blobs(w->core), &puts[i].piece);
        }
        err->kind = st == ST_NOMEM ? MYSQL_ERR_LIMIT : MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text), "%s",
                 st == ST_NOMEM ? "A row is too long to be written."
                                : "A staged file can't be written below the data folder (disk "
                                  "full?).");
        return st;
    }
    struct mysql_position checkpoint = needed(w, tables, n);
    st = dms_commit(
        w,
        &(struct dms_commit){
            .puts = puts, .puts_n = n, .tables = tables, .tables_n = n, .checkpoint = &checkpoint },
        err);
    if (st != ST_OK) {
        return st;
    }
    w->reload = false;
    w->stored = checkpoint;
    w->last_checkpoint_ms = clock_mono_ms();
    for (size_t i = 0; i < n; i++) {
        emptied(w, tables[i]);
    }
    return ST_OK;
}

/* --- rows
 * ------------------------------------------------------------------------------------------ */

static void count(struct dms_table *t, enum mysql_change_kind kind)
{
    if (kind == MYSQL_INSERT) {
        t->counts.inserts++;
    } else if (kind == MYSQL_UPDATE) {
        t->counts.updates++;
    } else {
        t->counts.deletes++;
    }
}

enum status dms_change(struct dms_capture *c, struct dms_table *t,
                       const struct mysql_change *change, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    const struct dms_csv_format *f = &w->s3.csv;
    static const char ops[] = { [MYSQL_INSERT] = 'I', [MYSQL_UPDATE] = 'U', [MYSQL_DELETE] = 'D' };
    count(t, change->kind);
    if ((change->kind == MYSQL_UPDATE && w->s3.no_updates) ||
        (change->kind == MYSQL_DELETE && w->s3.no_deletes)) {
        return ST_OK;
    }
    if (t->rows == 0) {
        t->first_ms = clock_mono_ms();
        t->first_tx = w->at;
        if (f->header) {
            dms_csv_header(&t->file.pending, f, &t->plan, t->def, w->s3.op_in_changes);
        }
    }
    struct dms_csv_lead lead = { .op = (char)(w->s3.op_in_changes ? ops[change->kind] : '\0'),
                                 .timestamp = str_set(f->timestamp_name),
                                 .time_us = c->tx.commit_us };
    const struct mysql_value *image = change->kind == MYSQL_DELETE ? change->before : change->after;
    dms_csv_row(&t->file.pending, f, &t->plan, &lead, image, NULL);
    t->rows++;
    atomic_fetch_add_explicit(&w->waiting_rows, 1, memory_order_relaxed);
    if (w->s3.min_file_bytes > 0 && dms_file_bytes(&t->file) >= (uint64_t)w->s3.min_file_bytes) {
        return dms_cut(c, &t, 1, err);
    }
    enum status st = dms_file_spill(&t->file);
    if (st != ST_OK) {
        w->reload = true;
        err->kind = st == ST_NOMEM ? MYSQL_ERR_LIMIT : MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text),
                 "A change of table %.*s.%.*s can't be written to a staged file (disk full, or the "
                 "row is too long).",
                 STR_ARG(t->schema), STR_ARG(t->name));
    }
    return st;
}

/* --- time
 * ------------------------------------------------------------------------------------------ */

static enum status store_checkpoint(struct dms_capture *c, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    struct mysql_position at = needed(w, NULL, 0);
    w->last_checkpoint_ms = clock_mono_ms();
    if (mysql_position_cmp(&at, &w->stored) == 0) {
        return ST_OK;
    }
    enum status st = dms_commit(w, &(struct dms_commit){ .checkpoint = &at }, err);
    if (st == ST_OK) {
        w->stored = at;
    }
    return st;
}

static enum status find_end(struct mysql_conn *conn, void *arg, struct mysql_err *err)
{
    return mysql_position_end(conn, arg, err);
}

/* A new question "is everything up to now in the bucket?": how far is now? */
static void hear_question(struct dms_worker *w)
{
    uint64_t ask = atomic_load(&w->ask);
    if (ask == w->asked) {
        return;
    }
    struct mysql_err err = { 0 };
    struct mysql_position goal;
    if (dms_ctl(w, find_end, &goal, &err) == ST_OK) {
        w->goal = goal;
        w->asked = ask;
    } else {
        log_debug("dms", "the source's position can't be read: %s", err.text);
    }
}

/* Has everything before the goal been read? */
static bool goal_read(const struct dms_worker *w)
{
    return mysql_position_cmp(&w->at, &w->goal) >= 0;
}

static void answer_question(struct dms_worker *w)
{
    if (w->asked <= atomic_load(&w->answered) || !goal_read(w)) {
        return;
    }
    struct mysql_position at = needed(w, NULL, 0);
    if (mysql_position_cmp(&at, &w->goal) >= 0) {
        atomic_store(&w->answered, w->asked);
    }
}

enum status dms_tick(struct dms_capture *c, bool all, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    w->rows_since_tick = 0;
    hear_question(w);
    if (!all && w->asked > atomic_load(&w->answered) && atomic_load(&w->ask_flush) >= w->asked) {
        all = goal_read(w);
    }
    CLEANUP(free_ptr) struct dms_table **due = NULL;
    size_t n = 0;
    int64_t now = clock_mono_ms();
    for (size_t i = 0; atomic_load(&w->waiting_rows) > 0 && i < w->tables_n; i++) {
        struct dms_table *t = w->tables[i];
        if (t->rows > 0 && (all || now - t->first_ms >= w->interval_ms)) {
            due = due ? due : xcalloc(w->tables_n, sizeof(struct dms_table *));
            due[n++] = t;
        }
    }
    enum status st = ST_OK;
    if (n > 0) {
        st = dms_cut(c, due, n, err);
    } else if (now - w->last_checkpoint_ms >= DMS_CHECKPOINT_MS) {
        st = store_checkpoint(c, err);
    }
    if (st == ST_OK) {
        answer_question(w);
        dms_show(w, n > 0, "%s %s:%llu, %llu changes wait for their batch",
                 "changes are read up to", w->at.file, (unsigned long long)w->at.pos,
                 (unsigned long long)atomic_load(&w->waiting_rows));
    }
    return st;
}
