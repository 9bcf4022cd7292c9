/* Change files: rows in, objects out, and which place of the log belongs to them. */
#include "emulators/dms/file/names.h"
#include "emulators/dms/worker/cdc.h"
#include "emulators/dms/worker/control_tables.h"
#include "server/base/log.h"
#include "server/core.h"

#define CUT_ARENA_MAX (64u << 20)
#define BATCHES_MAX 8 /* open files of a table, for different dates */

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

/* The earliest place that is still needed: where the oldest waiting change is from, or where we
 * are; and what sequence_s was there. */
static struct mysql_position needed(const struct dms_worker *w, int64_t *ret_sequence_s)
{
    struct mysql_position at = w->at;
    *ret_sequence_s = w->sequence_s;
    if (w->reloads && mysql_position_cmp(&w->pin, &at) < 0) {
        at = w->pin;
    }
    if (w->shared.out.rows > 0 && mysql_position_cmp(&w->shared.first_tx, &at) < 0) {
        at = w->shared.first_tx;
        *ret_sequence_s = w->shared.first_sequence_s;
    }
    for (size_t i = 0; i < w->tables_n; i++) {
        const struct dms_batch *oldest = w->tables[i]->batches;
        if (oldest && mysql_position_cmp(&oldest->first_tx, &at) < 0) {
            at = oldest->first_tx;
            *ret_sequence_s = oldest->first_sequence_s;
        }
    }
    return at;
}

/* The place to store: where another run can begin. That is where a transaction of XA was prepared
 * while its end, or what became of it, isn't in the bucket. */
static struct mysql_position checkpoint_place(struct dms_worker *w, int64_t *ret_sequence_s)
{
    struct mysql_position at = needed(w, ret_sequence_s);
    mysql_xa_hold(w->xa, &at);
    return at;
}

/* --- files to objects --- */

/* What is cut at once. */
struct cut {
    struct dms_capture *c;
    struct arena *arena;
    int64_t now_ms;   /* wall clock */
    int64_t until_ms; /* steady clock: files that were begun after it stay open */
    struct dms_put *puts;
    size_t puts_n;
    struct dms_table **tables;
    size_t tables_n;
    uint64_t rows;
};

static void move_on(struct cut *x, struct dms_table *t)
{
    struct mysql_position seen;
    uint64_t skip;
    dms_cut_place(x->c, t, &seen, &skip);
    t->seen = seen;
    t->seen_skip = skip;
}

/* The open file becomes a piece with this key. */
static enum status finish(struct cut *x, struct dms_out *out, struct str key)
{
    ARENA_GROW(x->arena, x->puts, x->puts_n);
    x->puts[x->puts_n].key = key;
    x->rows += out->rows;
    enum status st = dms_out_finish(out, &x->puts[x->puts_n].piece);
    x->puts_n += st == ST_OK;
    return st;
}

/* A batch that is done; one is kept, for its buffer. */
static void put_aside(struct dms_table *t, struct dms_batch *b)
{
    t->batches = b->next;
    t->batches_n--;
    b->next = NULL;
    if (t->spare) {
        dms_out_discard(&b->out);
        free(b);
    } else {
        t->spare = b;
    }
}

static enum status finish_table(struct cut *x, struct dms_table *t)
{
    struct dms_worker *w = x->c->w;
    enum status st = ST_OK;
    while (t->batches && t->batches->first_ms <= x->until_ms && st == ST_OK) {
        struct dms_batch *b = t->batches;
        struct str prefix =
            b->folder[0] ? arena_join(x->arena, t->prefix, str_z(b->folder)) : t->prefix;
        t->last_name_ms = dms_name_now(w->s3.date.zone, x->now_ms, t->last_name_ms);
        st = finish(x, &b->out, dms_name_cdc(x->arena, prefix, t->last_name_ms, w->s3.extension));
        put_aside(t, b);
    }
    if (!t->batches) {
        move_on(x, t);
    }
    t->counts.updated_ms = x->now_ms;
    return st;
}

static enum status finish_shared(struct cut *x)
{
    struct dms_worker *w = x->c->w;
    w->shared_name_ms = dms_name_now(NULL, x->now_ms, w->shared_name_ms);
    struct str key = dms_name_transactions(x->arena, w->s3.folder, w->s3.cdc_path,
                                           w->shared_name_ms, w->s3.transactions_extension);
    x->tables = ARENA_ARRAY(x->arena, struct dms_table *, w->tables_n + 1);
    for (size_t i = 0; i < w->tables_n; i++) {
        struct dms_table *t = w->tables[i];
        if (t->shared_rows > 0) {
            t->shared_rows = 0;
            t->last_name_ms = w->shared_name_ms;
            t->counts.updated_ms = x->now_ms;
            move_on(x, t);
            x->tables[x->tables_n++] = t;
        }
    }
    return finish(x, &w->shared.out, key);
}

static void tell_file_error(enum status st, struct mysql_err *err)
{
    err->kind = st == ST_NOMEM ? MYSQL_ERR_LIMIT : MYSQL_ERR_LOST;
    snprintf(err->text, sizeof(err->text), "%s",
             st == ST_NOMEM ? "A row is too long to be written."
                            : "A staged file can't be written below the data folder (disk "
                              "full?).");
}

/* Puts what was finished, with the tables' places and the checkpoint. `st`: of the finishing. */
static enum status put(struct cut *x, enum status st, struct mysql_err *err)
{
    struct dms_worker *w = x->c->w;
    w->reload = true; /* unless all of this is kept */
    if (st != ST_OK) {
        for (size_t i = 0; i < x->puts_n; i++) {
            dms_piece_discard(core_blobs(w->core), &x->puts[i].piece);
        }
        tell_file_error(st, err);
        return st;
    }
    int64_t sequence_s;
    struct mysql_position checkpoint = checkpoint_place(w, &sequence_s);
    st = dms_commit(w,
                    &(struct dms_commit){ .puts = x->puts,
                                          .puts_n = x->puts_n,
                                          .tables = x->tables,
                                          .tables_n = x->tables_n,
                                          .checkpoint = &checkpoint,
                                          .sequence_s = sequence_s },
                    err);
    if (st == ST_OK) {
        w->reload = false;
        w->stored = checkpoint;
        w->last_checkpoint_ms = clock_mono_ms();
        atomic_fetch_sub(&w->waiting_rows, x->rows);
    }
    return st;
}

/* Puts the files of these tables that were begun until then. */
static enum status cut_tables(struct dms_capture *c, struct dms_table **tables, size_t n,
                              int64_t until_ms, struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(CUT_ARENA_MAX);
    struct cut x = { .c = c,
                     .arena = a,
                     .now_ms = clock_now_ms(),
                     .until_ms = until_ms,
                     .tables = tables,
                     .tables_n = n };
    enum status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = finish_table(&x, tables[i]);
    }
    return put(&x, st, err);
}

static enum status cut_shared(struct dms_capture *c, struct mysql_err *err)
{
    if (c->w->shared.out.rows == 0 || c->w->shared_partial) {
        return ST_OK;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(CUT_ARENA_MAX);
    struct cut x = { .c = c, .arena = a, .now_ms = clock_now_ms() };
    return put(&x, finish_shared(&x), err);
}

enum status dms_close(struct dms_capture *c, struct dms_table *t, struct mysql_err *err)
{
    return c->w->s3.transactions ? cut_shared(c, err) : cut_tables(c, &t, 1, INT64_MAX, err);
}

/* --- rows --- */

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

/* It is counted, but no file will have it. */
static void count_left(struct dms_table *t, enum mysql_change_kind kind)
{
    if (kind == MYSQL_INSERT) {
        t->counts.left_inserts++;
    } else if (kind == MYSQL_UPDATE) {
        t->counts.left_updates++;
    } else {
        t->counts.left_deletes++;
    }
}

/* The change as its rules want it, and what ErrorBehavior makes of that. */
static enum status shape(struct dms_capture *c, struct dms_table *t,
                         const struct mysql_change *change, const struct mysql_value **ret,
                         bool *ret_skip, struct mysql_err *err)
{
    struct dms_record record = {
        .values = change->kind == MYSQL_DELETE ? change->before : change->after,
    };
    if (t->rules) {
        dms_rules_shape(c, t, change, &record);
    }
    *ret = record.values;
    if (!dms_record_doubtful(c->w, &record)) {
        return ST_OK;
    }
    struct mysql_err why = { 0 };
    enum status st = dms_record_check(c->w, t, &record, ret_skip, &why);
    if (st == ST_CONFLICT) {
        c->w->reload = true; /* the record isn't in hand: the next run begins before it */
        return st;
    }
    if (st != ST_OK) {
        *ret_skip = true;
        st = dms_rules_fail_table(c, t, why.text, err);
    }
    return st;
}

static void begin_batch(const struct dms_worker *w, const struct dms_table *t, struct dms_batch *b)
{
    b->first_ms = clock_mono_ms();
    b->first_tx = w->at;
    b->first_sequence_s = w->sequence_s;
    b->first_skip = t->tx_rows - 1; /* the row at hand is counted already */
}

/* Folder of the transaction at hand. */
static const char *folder_of(struct dms_capture *c)
{
    if (c->folder_tx != c->w->tx_number) {
        c->folder_tx = c->w->tx_number;
        dms_date_folder(&c->w->s3.date, c->tx.commit_us, c->folder);
    }
    return c->folder;
}

/* The file that the row at hand goes to: the table's last one, if its commit date fits. */
static enum status find_batch(struct dms_capture *c, struct dms_table *t, struct dms_batch **ret,
                              struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    const char *folder = w->s3.date.order[0] ? folder_of(c) : "";
    struct dms_batch **link = &t->batches;
    while (*link && ((*link)->next || strcmp((*link)->folder, folder) != 0)) {
        link = &(*link)->next;
    }
    if (!*link && t->batches_n >= BATCHES_MAX) {
        enum status st = cut_tables(c, &t, 1, INT64_MAX, err);
        if (st != ST_OK) {
            return st;
        }
        link = &t->batches;
    }
    if (!*link) {
        *link = t->spare ? TAKE(t->spare) : xcalloc(1, sizeof(struct dms_batch));
        if (!(*link)->out.format) {
            dms_out_init(&(*link)->out, w->s3.format, core_blobs(w->core), w->s3.gzip, w->spool);
        }
        snprintf((*link)->folder, sizeof((*link)->folder), "%s", folder);
        begin_batch(w, t, *link);
        t->batches_n++;
    }
    *ret = *link;
    return ST_OK;
}

/* The file of all tables. */
static struct dms_batch *shared_batch(struct dms_worker *w, struct dms_table *t)
{
    if (w->shared.out.rows == 0) {
        begin_batch(w, t, &w->shared);
    }
    if (t->shared_rows++ == 0) {
        t->shared_tx = w->at;
        t->shared_skip = t->tx_rows - 1;
    }
    w->shared_partial = true;
    return &w->shared;
}

/* The first value has a line, and then one of each thousand. */
static void tell_cut(struct dms_worker *w, struct dms_table *t, uint64_t n)
{
    uint64_t before = t->cut_values;
    t->cut_values += n;
    if (before == 0 || t->cut_values / 1000 != before / 1000) {
        dms_line(w, "TARGET_APPLY", 'W',
                 "%llu LOB values in changes of table '%.*s'.'%.*s' were truncated to their limit",
                 (unsigned long long)t->cut_values, STR_ARG(t->schema), STR_ARG(t->name));
    }
}

static enum status write_change(struct dms_capture *c, struct dms_table *t, struct dms_batch *b,
                                const struct mysql_change *change, const struct mysql_value *values,
                                struct mysql_err *err)
{
    static const char ops[] = { [MYSQL_INSERT] = 'I', [MYSQL_UPDATE] = 'U', [MYSQL_DELETE] = 'D' };
    struct dms_worker *w = c->w;
    const struct dms_layout layout = { .csv = &w->s3.csv,
                                       .plan = &t->plan,
                                       .table = t->def,
                                       .parquet = &w->s3.parquet,
                                       .op = w->s3.op_in_changes };
    struct dms_csv_lead lead = { .op = (char)(w->s3.op_in_changes ? ops[change->kind] : '\0'),
                                 .timestamp = str_set(w->s3.csv.timestamp_name),
                                 .time_us = c->tx.commit_us };
    if (w->s3.transactions) {
        lead.table = t->target_name;
        lead.schema = t->target_schema;
    }
    uint64_t cut = 0;
    enum status st = dms_out_row(&b->out, &layout, &lead, values, &cut);
    if (st != ST_OK) {
        w->reload = true;
        err->kind = st == ST_NOMEM || st == ST_INVALID ? MYSQL_ERR_LIMIT : MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text),
                 "A change of table %.*s.%.*s can't be written to a staged file (disk full, the "
                 "row is too long, or a value doesn't fit its Parquet column).",
                 STR_ARG(t->schema), STR_ARG(t->name));
        return st;
    }
    if (cut > 0) {
        tell_cut(w, t, cut);
    }
    atomic_fetch_add_explicit(&w->waiting_rows, 1, memory_order_relaxed);
    return ST_OK;
}

/* Has the file the size at which change files are cut? */
static bool is_large(const struct dms_worker *w, const struct dms_batch *b)
{
    return w->s3.min_file_bytes > 0 && dms_out_bytes(&b->out) >= (uint64_t)w->s3.min_file_bytes;
}

enum status dms_change(struct dms_capture *c, struct dms_table *t,
                       const struct mysql_change *change, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    if (t->rules) {
        bool skip;
        enum status st = dms_rules_filter(c, t, change, &skip, err);
        if (st != ST_OK || skip) {
            return st;
        }
    }
    count(t, change->kind);
    if ((change->kind == MYSQL_UPDATE && w->s3.no_updates) ||
        (change->kind == MYSQL_DELETE && w->s3.no_deletes)) {
        count_left(t, change->kind);
        return ST_OK;
    }
    const struct mysql_value *values = NULL;
    bool skip = false;
    enum status st = shape(c, t, change, &values, &skip, err);
    if (st != ST_OK || skip) {
        count_left(t, change->kind);
        return st;
    }
    if (w->s3.transactions) {
        return write_change(c, t, shared_batch(w, t), change, values, err);
    }
    struct dms_batch *b = NULL;
    st = find_batch(c, t, &b, err);
    if (st == ST_OK) {
        st = write_change(c, t, b, change, values, err);
    }
    return st == ST_OK && is_large(w, b) ? dms_close(c, t, err) : st;
}

/* --- time --- */

static enum status store_checkpoint(struct dms_capture *c, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    int64_t sequence_s;
    struct mysql_position at = checkpoint_place(w, &sequence_s);
    w->last_checkpoint_ms = clock_mono_ms();
    if (mysql_position_cmp(&at, &w->stored) == 0) {
        return ST_OK;
    }
    enum status st =
        dms_commit(w, &(struct dms_commit){ .checkpoint = &at, .sequence_s = sequence_s }, err);
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
    int64_t sequence_s;
    struct mysql_position at = needed(w, &sequence_s);
    if (mysql_position_cmp(&at, &w->goal) >= 0) {
        atomic_store(&w->answered, w->asked);
    }
}

/* Puts the files that were begun until then, and the shared one also when it is large. */
static enum status cut_due(struct dms_capture *c, int64_t until_ms, bool *ret_cut,
                           struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    *ret_cut = false;
    if (atomic_load(&w->waiting_rows) == 0) {
        return ST_OK;
    }
    if (w->s3.transactions) {
        *ret_cut = w->shared.first_ms <= until_ms || is_large(w, &w->shared);
        return *ret_cut ? cut_shared(c, err) : ST_OK;
    }
    CLEANUP(free_ptr) struct dms_table **due = NULL;
    size_t n = 0;
    for (size_t i = 0; i < w->tables_n; i++) {
        struct dms_table *t = w->tables[i];
        if (t->batches && t->batches->first_ms <= until_ms) {
            due = due ? due : xcalloc(w->tables_n, sizeof(struct dms_table *));
            due[n++] = t;
        }
    }
    *ret_cut = n > 0;
    return n > 0 ? cut_tables(c, due, n, until_ms, err) : ST_OK;
}

enum status dms_tick(struct dms_capture *c, bool all, struct mysql_err *err)
{
    struct dms_worker *w = c->w;
    w->rows_since_tick = 0;
    hear_question(w);
    if (!all && w->asked > atomic_load(&w->answered) && atomic_load(&w->ask_flush) >= w->asked) {
        all = goal_read(w);
    }
    bool cut = false;
    int64_t now = clock_mono_ms();
    enum status st = cut_due(c, all ? INT64_MAX : now - w->interval_ms, &cut, err);
    if (st == ST_OK && w->control) {
        st = dms_control_turn(w->control, DMS_PHASE_CHANGES, err);
    }
    if (st == ST_OK && !cut && now - w->last_checkpoint_ms >= DMS_CHECKPOINT_MS) {
        st = store_checkpoint(c, err);
    }
    if (st == ST_OK) {
        answer_question(w);
        dms_show(w, cut, "%s %s:%llu, %llu changes wait for their batch", "changes are read up to",
                 w->at.file, (unsigned long long)w->at.pos,
                 (unsigned long long)atomic_load(&w->waiting_rows));
    }
    return st;
}
