#include "emulators/dms/worker/control_tables.h"

#include "emulators/dms/file/names.h"
#include "emulators/dms/mapping/temporal.h"
#include "emulators/dms/worker/errors.h"
#include "server/base/log.h"
#include "server/core.h"

#define ARENA_MAX (16u << 20)
#define NAME_CHARS 128 /* of the text columns */
#define LOOK_MS 200    /* how often suspended tables are looked for */
#define COLUMNS_MAX 12
#define MIB ((int64_t)1 << 20)

enum table { STATUS, HISTORY, SUSPENDED, TABLES_N };

struct layout_column {
    const char *name;
    enum mysql_family family;
};
struct layout {
    const char *name;
    struct layout_column columns[COLUMNS_MAX + 1];
};

#define TEXT MYSQL_F_VARCHAR
#define WHEN MYSQL_F_DATETIME
#define NUMBER MYSQL_F_INT
static const struct layout layouts[TABLES_N] = {
    [STATUS] = { "awsdms_status",
                 { { "SERVER_NAME", TEXT },
                   { "TASK_NAME", TEXT },
                   { "TASK_STATUS", TEXT },
                   { "STATUS_TIME", WHEN },
                   { "PENDING_CHANGES", NUMBER },
                   { "DISK_SWAP_SIZE", NUMBER },
                   { "TASK_MEMORY", NUMBER },
                   { "SOURCE_CURRENT_POSITION", TEXT },
                   { "SOURCE_CURRENT_TIMESTAMP", WHEN },
                   { "SOURCE_TAIL_POSITION", TEXT },
                   { "SOURCE_TAIL_TIMESTAMP", WHEN },
                   { "SOURCE_TIMESTAMP_APPLIED", WHEN } } },
    [HISTORY] = { "awsdms_history",
                  { { "SERVER_NAME", TEXT },
                    { "TASK_NAME", TEXT },
                    { "TIMESLOT_TYPE", TEXT },
                    { "TIMESLOT", WHEN },
                    { "TIMESLOT_DURATION", NUMBER },
                    { "TIMESLOT_LATENCY", NUMBER },
                    { "RECORDS", NUMBER },
                    { "TIMESLOT_VOLUME", NUMBER } } },
    [SUSPENDED] = { "awsdms_suspended_tables",
                    { { "SERVER_NAME", TEXT },
                      { "TASK_NAME", TEXT },
                      { "TABLE_OWNER", TEXT },
                      { "TABLE_NAME", TEXT },
                      { "SUSPEND_REASON", TEXT },
                      { "SUSPEND_TIMESTAMP", WHEN } } },
};

struct dms_control {
    struct dms_worker *w;
    struct arena *arena; /* of the descriptions */
    struct mysql_table defs[TABLES_N];
    struct dms_csv_plan plans[TABLES_N];
    int64_t last_name_ms[TABLES_N];
    enum dms_phase phase;
    bool told;                                 /* awsdms_status has its row */
    int64_t slot_ms, slot_begin_ms, looked_ms; /* real milliseconds */
    int64_t slot_records, slot_bytes;          /* moved before it began */
};

/* Rows of one object. */
struct sheet {
    struct dms_control *k;
    enum table table;
    struct arena *arena;
    struct dms_out out;
    enum status st;
};

static void describe(struct dms_control *k, enum table table)
{
    struct mysql_column *columns = ARENA_ARRAY(k->arena, struct mysql_column, COLUMNS_MAX);
    size_t n = 0;
    for (const struct layout_column *c = layouts[table].columns; c->name; c++) {
        columns[n++] = (struct mysql_column){
            .name = str_z(c->name),
            .family = c->family,
            .type_text = c->family == TEXT   ? STR("varchar(128)")
                         : c->family == WHEN ? STR("datetime")
                                             : STR("int"),
            .chars = c->family == TEXT ? NAME_CHARS : 0,
            .nullable = true,
        };
    }
    k->defs[table] = (struct mysql_table){ .schema = k->w->settings.control_schema,
                                           .name = str_z(layouts[table].name),
                                           .columns = columns,
                                           .columns_n = n };
    dms_csv_plan(k->arena, &k->defs[table], true, 0, (struct dms_csv_order){ 0 }, &k->plans[table]);
}

/* --- values ----------------------------------------------------------------------------------- */

static struct mysql_value null_value(void)
{
    return (struct mysql_value){ .kind = MYSQL_V_NULL };
}

static struct mysql_value text(struct str s)
{
    return (struct mysql_value){ .kind = MYSQL_V_TEXT, .s = s };
}

static struct mysql_value number(int64_t i)
{
    return (struct mysql_value){ .kind = MYSQL_V_INT, .i = i };
}

/* NULL for 0. */
static struct mysql_value when(struct arena *a, int64_t ms)
{
    struct mysql_value v = { .kind = MYSQL_V_DATETIME };
    int digits;
    if (ms <= 0 || !dms_datetime_parse(clock_format(a, ms, "%Y-%m-%d %H:%M:%S"), &v.t, &digits)) {
        return null_value();
    }
    return v;
}

static struct mysql_value place(struct arena *a, const struct mysql_position *at)
{
    return at->file[0] ? text(arena_printf(a, "%s:%llu", at->file, (unsigned long long)at->pos))
                       : null_value();
}

/* --- objects ---------------------------------------------------------------------------------- */

static struct sheet begin_sheet(struct dms_control *k, enum table table)
{
    struct sheet s = { .k = k, .table = table, .arena = arena_new(ARENA_MAX) };
    dms_out_init(&s.out, k->w->s3.format, core_blobs(k->w->core), k->w->s3.gzip, NULL);
    return s;
}

static void add_row(struct sheet *s, char op, const struct mysql_value *values)
{
    struct dms_worker *w = s->k->w;
    const struct dms_layout layout = { .csv = &w->s3.csv,
                                       .plan = &s->k->plans[s->table],
                                       .table = &s->k->defs[s->table],
                                       .parquet = &w->s3.parquet,
                                       .op = w->s3.op_in_changes };
    const struct dms_csv_lead lead = { .op = (char)(w->s3.op_in_changes ? op : '\0'),
                                       .timestamp = str_set(w->s3.csv.timestamp_name),
                                       .time_us = clock_now_us() };
    if (s->st == ST_OK) {
        s->st = dms_out_row(&s->out, &layout, &lead, values, NULL);
    }
}

static enum status put_sheet(struct sheet *s, struct mysql_err *err)
{
    struct dms_worker *w = s->k->w;
    int64_t *last_ms = &s->k->last_name_ms[s->table];
    *last_ms = dms_name_now(w->s3.date.zone, clock_now_ms(), *last_ms);
    struct str prefix = dms_name_prefix(s->arena, w->s3.folder, w->settings.control_schema,
                                        s->k->defs[s->table].name);
    struct dms_put put = { .key = dms_name_cdc(s->arena, prefix, *last_ms, w->s3.extension) };
    if (s->st == ST_OK && s->out.rows > 0) {
        s->st = dms_out_finish(&s->out, &put.piece);
        if (s->st == ST_OK) {
            s->st = dms_commit(w, &(struct dms_commit){ .puts = &put, .puts_n = 1 }, err);
        } else {
            err->kind = MYSQL_ERR_LOST;
            snprintf(err->text, sizeof(err->text),
                     "A staged file can't be written below the data folder (disk full?).");
        }
    }
    dms_out_discard(&s->out);
    arena_free(s->arena);
    return s->st;
}

/* --- the tables ------------------------------------------------------------------------------- */

static const char *phase_name(enum dms_phase phase)
{
    return phase == DMS_PHASE_LOAD      ? "FULL LOAD"
           : phase == DMS_PHASE_CHANGES ? "CHANGE PROCESSING"
                                        : "NOT RUNNING";
}

static enum status put_status(struct dms_control *k, enum dms_phase phase, struct mysql_err *err)
{
    struct dms_worker *w = k->w;
    if (!w->settings.status_table) {
        return ST_OK;
    }
    struct sheet s = begin_sheet(k, STATUS);
    uint64_t pending = atomic_load(&w->waiting_rows);
    int64_t reading_us = atomic_load(&w->reading_us);
    const struct mysql_value row[] = {
        text(w->instance),
        text(w->resource_id),
        text(str_z(phase_name(phase))),
        when(s.arena, clock_now_ms()),
        number((int64_t)pending),
        number(0), /* transactions are not kept back */
        null_value(),
        place(s.arena, &w->at),
        when(s.arena, reading_us / 1000),
        place(s.arena, &w->stored),
        null_value(),
        when(s.arena, pending == 0 ? w->sequence_s * 1000 : 0),
    };
    add_row(&s, k->told ? 'U' : 'I', row);
    k->told = true;
    return put_sheet(&s, err);
}

/* Rows and bytes moved by this run so far. */
static void moved(struct dms_control *k, enum dms_phase phase, int64_t *ret_records,
                  int64_t *ret_bytes)
{
    struct dms_worker *w = k->w;
    *ret_records = 0;
    *ret_bytes = (int64_t)atomic_load(phase == DMS_PHASE_LOAD ? &w->put_load_bytes : &w->put_bytes);
    pthread_mutex_lock(&w->tables_lock);
    for (size_t i = 0; i < w->tables_n; i++) {
        const struct dms_table_counts *c = &w->tables[i]->counts;
        *ret_records += phase == DMS_PHASE_LOAD ? atomic_load(&w->tables[i]->load_rows)
                                                : c->inserts + c->updates + c->deletes;
    }
    pthread_mutex_unlock(&w->tables_lock);
}

static void begin_slot(struct dms_control *k)
{
    k->slot_begin_ms = clock_mono_ms();
    moved(k, k->phase, &k->slot_records, &k->slot_bytes);
}

/* Seconds that the oldest change waits for its file. */
static int64_t latency_s(const struct dms_worker *w)
{
    int64_t oldest_ms = 0;
    for (size_t i = 0; i < w->tables_n; i++) {
        int64_t ms = dms_table_oldest_ms(w, w->tables[i]);
        oldest_ms = ms && (!oldest_ms || ms < oldest_ms) ? ms : oldest_ms;
    }
    return oldest_ms ? (clock_mono_ms() - oldest_ms) / 1000 : 0;
}

/* The slot that ends now, if the task was in a phase. */
static enum status put_history(struct dms_control *k, struct mysql_err *err)
{
    struct dms_worker *w = k->w;
    if (!w->settings.history_table || k->phase == DMS_PHASE_NONE) {
        return ST_OK;
    }
    int64_t records, bytes, minutes = w->settings.history_minutes;
    moved(k, k->phase, &records, &bytes);
    int64_t lasted_ms = clock_mono_ms() - k->slot_begin_ms;
    if (lasted_ms < k->slot_ms) { /* cut short by the end of its phase; begun minutes count */
        minutes = lasted_ms * minutes / (k->slot_ms > 0 ? k->slot_ms : 1) + 1;
    }
    struct sheet s = begin_sheet(k, HISTORY);
    const struct mysql_value row[] = {
        text(w->instance),
        text(w->resource_id),
        text(str_z(phase_name(k->phase))),
        when(s.arena, clock_now_ms()),
        number(minutes),
        k->phase == DMS_PHASE_CHANGES ? number(latency_s(w)) : null_value(),
        number(records > k->slot_records ? records - k->slot_records : 0),
        number((bytes - k->slot_bytes) / MIB),
    };
    add_row(&s, 'I', row);
    return put_sheet(&s, err);
}

/* Tables that have come into error since, or out of it. */
static enum status put_suspended(struct dms_control *k, struct mysql_err *err)
{
    struct dms_worker *w = k->w;
    if (!w->settings.suspended_table) {
        return ST_OK;
    }
    struct sheet s = begin_sheet(k, SUSPENDED);
    pthread_mutex_lock(&w->tables_lock);
    for (size_t i = 0; i < w->tables_n; i++) {
        struct dms_table *t = w->tables[i];
        bool suspended = t->state == DMS_TABLE_ERROR;
        bool loaded = t->state == DMS_TABLE_DONE;
        if (suspended == t->errors->listed || (!suspended && !loaded)) {
            continue;
        }
        const struct mysql_value row[] = {
            text(w->instance), text(w->resource_id), text(t->schema),
            text(t->name),     text(t->message),     when(s.arena, t->counts.updated_ms),
        };
        add_row(&s, suspended ? 'I' : 'D', row);
        t->errors->listed = suspended;
    }
    pthread_mutex_unlock(&w->tables_lock);
    return put_sheet(&s, err);
}

/* --- turns ------------------------------------------------------------------------------------ */

struct dms_control *dms_control_new(struct dms_worker *w)
{
    const struct dms_settings *s = &w->settings;
    if (!w->captures || !(s->status_table || s->history_table || s->suspended_table)) {
        return NULL;
    }
    struct dms_control *k = xcalloc(1, sizeof(*k));
    k->w = w;
    k->arena = arena_new(ARENA_MAX);
    k->slot_ms = clock_scaled_ms(s->history_minutes * 60000);
    k->told = w->resumed;
    for (enum table t = STATUS; t < TABLES_N; t++) {
        describe(k, t);
    }
    return k;
}

void dms_control_free(struct dms_control *k)
{
    if (k) {
        arena_free(k->arena);
        free(k);
    }
}

static enum status turn(struct dms_control *k, enum dms_phase phase, struct mysql_err *err)
{
    bool moves = phase != k->phase;
    bool slot_over = clock_mono_ms() - k->slot_begin_ms >= k->slot_ms;
    enum status st = put_suspended(k, err);
    if (st == ST_OK && (moves || slot_over)) {
        st = put_history(k, err);
    }
    if (st == ST_OK && (moves || slot_over)) {
        st = put_status(k, phase, err);
        k->phase = phase;
        begin_slot(k);
    }
    return st;
}

enum status dms_control_turn(struct dms_control *k, enum dms_phase phase, struct mysql_err *err)
{
    if (!k) {
        return ST_OK;
    }
    int64_t now = clock_mono_ms();
    if (phase == k->phase && now - k->looked_ms < LOOK_MS) {
        return ST_OK;
    }
    k->looked_ms = now;
    return turn(k, phase, err);
}

void dms_control_end(struct dms_control *k)
{
    struct mysql_err err = { 0 };
    if (k && k->phase != DMS_PHASE_NONE && turn(k, DMS_PHASE_NONE, &err) != ST_OK) {
        log_warn("dms", "task %.*s: its control tables can't be written: %s", STR_ARG(k->w->ident),
                 err.text);
    }
}
