/* What the rules of the task do to its tables and rows while it runs. */
#include "emulators/dms/file/names.h"
#include "emulators/dms/file/parquet.h"
#include "emulators/dms/worker/cdc.h"
#include "server/base/mem.h"

#define COUNTER_BITS 11 /* rows per byte of log: compression doesn't reach 1:2048 */
#define FILE_NUMBER_MAX ((1u << 20) - 1)

void dms_rules_name(struct dms_worker *w, struct dms_table *t)
{
    dms_target_names(w->arena, &w->mapping, t->schema, t->name, &t->target_schema, &t->target_name);
    bool renamed = !str_eq(t->target_schema, t->schema); /* takes precedence over the setting */
    if (w->settings.target_schema.n > 0 && !renamed) {
        t->target_schema = w->settings.target_schema;
    }
    t->prefix = dms_name_prefix(w->arena, w->s3.folder, t->target_schema, t->target_name);
}

/* Two tables in one folder would overwrite each other's files. */
static const struct dms_table *find_clash(struct dms_worker *w, const struct dms_table *t)
{
    const struct dms_table *found = NULL;
    bool renames = w->mapping.transforms_n > 0 || w->settings.target_schema.n > 0;
    pthread_mutex_lock(&w->tables_lock);
    for (size_t i = 0; renames && i < w->tables_n && !found; i++) {
        if (w->tables[i] == t) {
            break; /* the first one of them has the folder */
        }
        found = str_eq(w->tables[i]->prefix, t->prefix) ? w->tables[i] : NULL;
    }
    pthread_mutex_unlock(&w->tables_lock);
    return found;
}

enum status dms_rules_clash(struct dms_worker *w, const struct dms_table *t, struct mysql_err *err)
{
    const struct dms_table *other = find_clash(w, t);
    if (!other) {
        return ST_OK;
    }
    snprintf(
        err->text, sizeof(err->text),
        "By transformation rules or TargetSchema the tables %.*s.%.*s and %.*s.%.*s have the same "
        "name in the target, %.*s.%.*s.",
        STR_ARG(other->schema), STR_ARG(other->name), STR_ARG(t->schema), STR_ARG(t->name),
        STR_ARG(t->target_schema), STR_ARG(t->target_name));
    err->kind = MYSQL_ERR_UNSUPPORTED;
    return ST_INVALID;
}

enum status dms_rules_check(struct dms_worker *w, const struct dms_table *t, struct mysql_err *err)
{
    if (!t->rules || !str_set(t->rules->refused)) {
        return dms_rules_clash(w, t, err);
    }
    err->kind = MYSQL_ERR_UNSUPPORTED;
    snprintf(err->text, sizeof(err->text), "%.*s", STR_ARG(t->rules->refused));
    return ST_INVALID;
}

static uint32_t lob_bytes(struct dms_worker *w, const struct dms_table *t)
{
    const struct dms_table_settings *s = dms_table_settings_find(&w->mapping, t->schema, t->name);
    if (s && s->lob == DMS_LOB_UNLIMITED) {
        dms_line(w, "TARGET_LOAD", 'W',
                 "Full LOB mode is not supported with an Amazon S3 target: table '%.*s'.'%.*s' is "
                 "loaded in limited LOB mode",
                 STR_ARG(t->schema), STR_ARG(t->name));
    }
    int64_t kb = s && s->lob == DMS_LOB_LIMITED ? s->lob_max_kb : w->settings.lob_max_kb;
    return (uint32_t)(kb * 1024);
}

/* HandleSourceTableAltered is false: the target keeps its columns, those that `order` names. New
 * columns of the source are left out, and those that it has no more stay, empty. (In Parquet files
 * they are missing instead: a reader takes that for NULL, and their type isn't known any more.) A
 * column whose type was changed has its new type. AWS documents only that true alters the target
 * table with the source's; a target table that isn't altered can't have other columns. */
static void keep_columns(struct arena *a, const struct mysql_table *def, bool parquet,
                         struct dms_csv_order order, struct dms_csv_plan *plan)
{
    struct dms_csv_column *columns = ARENA_ARRAY(a, struct dms_csv_column, order.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < order.n; i++) {
        int at = mysql_table_find(def, order.names[i]);
        const struct dms_csv_column *found = NULL;
        for (size_t k = 0; k < plan->n && at >= 0 && !found; k++) {
            found = plan->columns[k].source == (uint32_t)at ? &plan->columns[k] : NULL;
        }
        if (found) {
            columns[n++] = *found;
        } else if (at < 0 && !parquet) {
            struct str name = arena_str(a, order.names[i]);
            columns[n++] =
                (struct dms_csv_column){ .source = DMS_CSV_NO_SOURCE, .name = name, .gone = name };
        }
    }
    *plan = (struct dms_csv_plan){ columns, n };
}

void dms_rules_plan(struct dms_worker *w, struct dms_table *t, const struct mysql_table *def,
                    struct arena *owner, struct dms_csv_order order)
{
    dms_shaper_free(t->shaper);
    t->shaper = NULL;
    t->rules = NULL;
    dms_csv_plan(owner, def, w->settings.support_lobs, lob_bytes(w, t), order, &t->plan);
    if (!w->settings.handle_altered && order.n > 0) {
        keep_columns(owner, def, w->s3.format == &dms_format_parquet, order, &t->plan);
    }
    struct dms_table_rules *rules;
    struct str why;
    if (dms_table_rules_make(owner, &w->mapping, def, &t->plan, &rules, &why) != ST_OK) {
        rules = ARENA_NEW(owner, struct dms_table_rules);
        rules->def = def;
        rules->refused = why;
    }
    t->rules = rules;
    if (rules && str_set(rules->warning)) {
        dms_line(w, "TRANSFORMATION", 'W', "Table '%.*s'.'%.*s': %.*s", STR_ARG(t->schema),
                 STR_ARG(t->name), STR_ARG(rules->warning));
    }
}

void dms_rules_drop(struct dms_table *t)
{
    dms_shaper_free(t->shaper);
    t->shaper = NULL;
    t->rules = NULL;
}

/* --- changes ---------------------------------------------------------------------------------- */

struct question {
    struct str sql;
    bool yes;
};

static enum status ask_source(struct mysql_conn *conn, void *arg, struct mysql_err *err)
{
    struct question *q = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new(1u << 20);
    struct str answer;
    enum status st = mysql_conn_value(conn, a, q->sql.p, &answer, err);
    q->yes = st == ST_OK && str_eqz(answer, "1");
    return st;
}

static enum status ask(void *ctx, struct str sql, bool *ret, struct mysql_err *err)
{
    struct question q = { .sql = sql };
    enum status st = dms_ctl(ctx, ask_source, &q, err);
    *ret = q.yes;
    return st;
}

enum status dms_rules_fail_table(struct dms_capture *c, struct dms_table *t, const char *text,
                                 struct mysql_err *err)
{
    char copy[MYSQL_ERR_TEXT];
    snprintf(copy, sizeof(copy), "%s", text);
    enum status st = dms_table_fail(c->w, t, copy);
    return st == ST_OK ? dms_commit(c->w, &(struct dms_commit){ .tables = &t, .tables_n = 1 }, err)
                       : st;
}

static enum status make_shaper(struct dms_capture *c, struct dms_table *t, struct mysql_err *err)
{
    if (t->shaper) {
        return ST_OK;
    }
    if (dms_shaper_new(t->rules, c->w->s3.csv.zone, &t->shaper) != ST_OK) {
        err->kind = MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text),
                 "No memory is left for the rules of table "
                 "%.*s.%.*s.",
                 STR_ARG(t->schema), STR_ARG(t->name));
        c->w->reload = true;
        return ST_NOMEM;
    }
    return ST_OK;
}

enum status dms_rules_filter(struct dms_capture *c, struct dms_table *t,
                             const struct mysql_change *change, bool *ret_skip,
                             struct mysql_err *err)
{
    struct mysql_err why = { 0 };
    *ret_skip = true;
    if (dms_rules_check(c->w, t, &why) != ST_OK) {
        return dms_rules_fail_table(c, t, why.text, err);
    }
    enum status st = make_shaper(c, t, err);
    if (st != ST_OK) {
        return st;
    }
    bool passes = false;
    const struct mysql_value *image = change->kind == MYSQL_DELETE ? change->before : change->after;
    st = dms_shaper_passes(t->shaper, image, ask, c->w, &passes, &why);
    if (st != ST_OK && mysql_err_retryable(&why)) {
        c->w->reload = true;
        *err = why;
        return st;
    }
    if (st != ST_OK) {
        return dms_rules_fail_table(c, t, why.text, err);
    }
    *ret_skip = !passes;
    return ST_OK;
}

/* "…mysql-bin.000024" → 24 */
static uint64_t file_number(const char *file)
{
    struct str s = str_z(file);
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] >= '0' && s.p[at - 1] <= '9') {
        at--;
    }
    uint64_t n = 0;
    return str_u64(str_sub(s, at, s.n), &n) == ST_OK ? n : 0;
}

/* 14 digits of the commit time, two of hundredths, 19 of a number that rises with the place in the
 * log: the same for the same change whenever it is read, and rising from change to change also when
 * the source's commit times go back a little (w->sequence_s doesn't). */
static struct str sequence_of(const struct dms_capture *c, const struct mysql_change *change,
                              struct arena *a)
{
    uint64_t counter = (file_number(c->tx.start.file) & FILE_NUMBER_MAX) << 32;
    counter = ((counter + (c->tx.start.pos & UINT32_MAX)) << COUNTER_BITS) + change->row_number;
    struct str time = clock_format(a, c->w->sequence_s * 1000, "%Y%m%d%H%M%S");
    return arena_printf(a, "%.*s00%019llu", STR_ARG(time), (unsigned long long)counter);
}

/* In the frame of the positions that the service shows for MySQL. */
static struct str position_of(const struct dms_capture *c, const struct mysql_change *change,
                              struct arena *a)
{
    const struct mysql_position *start = &c->tx.start;
    unsigned long long end = start->pos + change->tx->log_bytes;
    return arena_printf(a, "%s:%llu:-1:%llu:%llu:%s:%llu", start->file, end, end,
                        (unsigned long long)change->row_number, start->file,
                        (unsigned long long)start->pos);
}

static void tell_failures(struct dms_worker *w, struct dms_table *t, const struct dms_record *r)
{
    uint64_t n = r->failures, before = t->rule_failures;
    t->rule_failures += n;
    if (n > 0 && w->settings.data_error == DMS_LOG_ERROR &&
        (before == 0 || t->rule_failures / 1000 != before / 1000)) {
        dms_line(w, "TRANSFORMATION", 'W',
                 "%llu values of table '%.*s'.'%.*s' are empty because the rules can't make them; "
                 "%.*s",
                 (unsigned long long)t->rule_failures, STR_ARG(t->schema), STR_ARG(t->name),
                 STR_ARG(r->why));
    }
}

void dms_rules_shape(struct dms_capture *c, struct dms_table *t, const struct mysql_change *change,
                     struct dms_record *record)
{
    static const char ops[] = { [MYSQL_INSERT] = 'I', [MYSQL_UPDATE] = 'U', [MYSQL_DELETE] = 'D' };
    struct dms_shaped row = {
        .operation = ops[change->kind],
        .image = record->values,
        .before = change->before,
        .time_us = c->tx.commit_us,
    };
    CLEANUP(arena_freep) struct arena *a = NULL;
    if (t->rules->wants_sequence || t->rules->wants_position) {
        a = arena_new(1u << 16);
        row.sequence = sequence_of(c, change, a);
        row.position = position_of(c, change, a);
    }
    record->values = dms_shaper_row(t->shaper, &row);
    record->failures = dms_shaper_failures(t->shaper, &record->why);
    tell_failures(c->w, t, record);
}
