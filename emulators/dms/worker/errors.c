#include "emulators/dms/worker/errors.h"

#include <stdlib.h>

#define TELL_EACH 1000 /* left out records: the first and then every so many have a line */

struct dms_error_counts *dms_errors_of(struct dms_worker *w, struct str schema, struct str name)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
    buf_str_add(&b, schema);
    buf_putc(&b, '\0');
    buf_str_add(&b, name);
    struct dms_error_counts *counts = map_get(&w->error_counts, buf_str(&b));
    if (!counts) {
        counts = xcalloc(1, sizeof(*counts));
        map_put(&w->error_counts, buf_str(&b), counts);
    }
    return counts;
}

void dms_errors_free(struct dms_worker *w)
{
    size_t it = 0;
    struct str key;
    void *counts;
    while (map_each(&w->error_counts, &it, &key, &counts)) {
        free(counts);
    }
    map_fini(&w->error_counts);
}

void dms_errors_stop(struct dms_worker *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    w->end_text = arena_vprintf(w->arena, fmt, ap);
    va_end(ap);
}

bool dms_table_error_stops(struct dms_worker *w, struct dms_table *t, char *ret_why)
{
    const struct dms_settings *s = &w->settings;
    if (t->by_record) {
        t->by_record = false;
        return false;
    }
    t->errors->tables++;
    if (s->table_error_stops_task) {
        snprintf(ret_why, MYSQL_ERR_TEXT, "TableErrorPolicy is STOP_TASK");
        return true;
    }
    if (s->table_escalation_count > 0 && t->errors->tables >= (uint64_t)s->table_escalation_count) {
        snprintf(ret_why, MYSQL_ERR_TEXT, "TableErrorEscalationCount %lld is reached",
                 (long long)s->table_escalation_count);
        return true;
    }
    return false;
}

/* --- records ---------------------------------------------------------------------------------- */

/* The column whose value would be cut; NULL: none. */
static const struct dms_csv_column *find_cut(const struct dms_csv_plan *plan,
                                             const struct mysql_value *values)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct dms_csv_column *c = &plan->columns[i];
        const struct mysql_value *v = &values[c->index];
        if (c->max_bytes > 0 && dms_csv_has_bytes(v) && dms_csv_limited(v->s, c).n < v->s.n) {
            return c;
        }
    }
    return NULL;
}

struct fault {
    enum dms_error_policy policy;
    const char *setting; /* whose policy that is */
    char what[MYSQL_ERR_TEXT / 2];
};

static enum status apply(struct dms_worker *w, struct dms_table *t, const struct fault *f,
                         bool *ret_skip, struct mysql_err *err)
{
    switch (f->policy) {
    case DMS_IGNORE_RECORD:
        *ret_skip = true;
        return ST_OK;
    case DMS_SUSPEND_TABLE:
        pthread_mutex_lock(&w->tables_lock);
        t->by_record = true;
        pthread_mutex_unlock(&w->tables_lock);
        err->kind = MYSQL_ERR_UNSUPPORTED;
        snprintf(err->text, sizeof(err->text), "%s (%s is SUSPEND_TABLE)", f->what, f->setting);
        return ST_INVALID;
    case DMS_STOP_TASK:
        pthread_mutex_lock(&w->tables_lock);
        dms_errors_stop(w, "A record of table %.*s.%.*s is in error and %s is STOP_TASK: %s",
                        STR_ARG(t->schema), STR_ARG(t->name), f->setting, f->what);
        pthread_mutex_unlock(&w->tables_lock);
        return ST_CONFLICT;
    default:
        return ST_OK; /* whoever writes the record tells the log */
    }
}

static enum status on_fault(struct dms_worker *w, struct dms_table *t, struct fault *f,
                            bool *ret_skip, struct mysql_err *err)
{
    const struct dms_settings *s = &w->settings;
    pthread_mutex_lock(&w->tables_lock);
    uint64_t n = ++t->errors->records;
    pthread_mutex_unlock(&w->tables_lock);
    if (f->policy < DMS_SUSPEND_TABLE && s->data_escalation_count > 0 &&
        n >= (uint64_t)s->data_escalation_count) {
        dms_line(w, "TASK_MANAGER", 'E',
                 "Table '%.*s'.'%.*s' has had %llu data errors: DataErrorEscalationCount is "
                 "reached.",
                 STR_ARG(t->schema), STR_ARG(t->name), (unsigned long long)n);
        f->policy = s->data_escalation;
        f->setting = "DataErrorEscalationPolicy";
    }
    if (f->policy == DMS_IGNORE_RECORD && (n == 1 || n % TELL_EACH == 0)) {
        dms_line(w, "TASK_MANAGER", 'W',
                 "A record of table '%.*s'.'%.*s' is left out (%s is IGNORE_RECORD, %llu data "
                 "errors so far): %s",
                 STR_ARG(t->schema), STR_ARG(t->name), f->setting, (unsigned long long)n, f->what);
    }
    return apply(w, t, f, ret_skip, err);
}

enum status dms_record_check(struct dms_worker *w, struct dms_table *t, const struct dms_record *r,
                             bool *ret_skip, struct mysql_err *err)
{
    enum status st = ST_OK;
    *ret_skip = false;
    if (r->failures > 0) {
        struct fault f = { .policy = w->settings.data_error, .setting = "DataErrorPolicy" };
        snprintf(f.what, sizeof(f.what), "The rules can't make a value: %.*s", STR_ARG(r->why));
        st = on_fault(w, t, &f, ret_skip, err);
    }
    const struct dms_csv_column *cut = NULL;
    if (st == ST_OK && !*ret_skip && w->settings.watch_cuts) {
        cut = find_cut(&t->plan, r->values);
    }
    if (cut) {
        struct fault f = { .policy = w->settings.truncation,
                           .setting = "DataTruncationErrorPolicy" };
        snprintf(f.what, sizeof(f.what),
                 "Column '%.*s': a value of %zu bytes is longer than the limit of %u bytes",
                 STR_ARG(cut->name), r->values[cut->index].s.n, (unsigned)cut->max_bytes);
        st = on_fault(w, t, &f, ret_skip, err);
    }
    return st;
}
