#include "emulators/dms/task/settings.h"

#include "emulators/dms/dms_internal.h"
#include "emulators/dms/task/settings_check.h"
#include "emulators/dms/task/settings_defaults.h"
#include "emulators/dms/task/settings_log.h"
#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define LOB_DEFAULT_KB 32

struct merger {
    struct arena *a;
    struct str *error;
};

static bool is_true(const struct json_value *v)
{
    return json_is(v, JSON_BOOL) && v->b;
}

/* As json_get(), of a document of our own that we may change. */
static struct json_value *own(struct json_value *o, struct str key)
{
    for (struct json_value *m = o->kind == JSON_OBJECT ? o->first : NULL; m; m = m->next) {
        if (str_eq(m->key, key)) {
            return m;
        }
    }
    return NULL;
}

/* Puts another value in the place of `old`, which keeps its name and its neighbour. */
static void replace(struct json_value *old, const struct json_value *value)
{
    struct json_value v = *value;
    v.key = old->key;
    v.next = old->next;
    *old = v;
}

static struct json_value *append(struct arena *a, struct json_value *o, struct str key)
{
    struct json_value *m = ARENA_NEW(a, struct json_value);
    m->key = key;
    struct json_value **end = &o->first;
    while (*end) {
        end = &(*end)->next;
    }
    *end = m;
    o->n++;
    return m;
}

static bool same_type(const struct json_value *x, const struct json_value *y)
{
    bool x_number = x->kind == JSON_INT || x->kind == JSON_FLOAT;
    bool y_number = y->kind == JSON_INT || y->kind == JSON_FLOAT;
    return x_number ? y_number : x->kind == y->kind;
}

/* {"Id","Severity"} items replace those of the same Id. */
static enum status merge_components(struct merger *m, struct json_value *dst,
                                    const struct json_value *src)
{
    for (const struct json_value *item = src->first; item; item = item->next) {
        struct str id = json_get_str(item, "Id");
        const struct json_value *severity = json_get(item, "Severity");
        if (!str_set(id) || !json_is(severity, JSON_STRING)) {
            return dms_refuse(m->a, m->error,
                              "Every item of Logging.LogComponents needs the strings Id and "
                              "Severity.");
        }
        struct json_value *old = dst->first;
        while (old && !str_eq(json_get_str(old, "Id"), id)) {
            old = old->next;
        }
        if (!old) {
            return dms_refuse(m->a, m->error, "Logging.LogComponents has the unknown Id '%.*s'.",
                              STR_ARG(id));
        }
        unsigned level;
        if (!dms_log_severity(severity->str, &level)) {
            return dms_refuse(m->a, m->error,
                              "Logging.LogComponents: '%.*s' is not a severity (such as "
                              "LOGGER_SEVERITY_DEFAULT or LOGGER_SEVERITY_DEBUG).",
                              STR_ARG(severity->str));
        }
        replace(own(old, STR("Severity")), severity);
    }
    return ST_OK;
}

static enum status merge(struct merger *m, struct json_value *dst, const struct json_value *src,
                         const struct json_value *extras, struct str path);

/* The place in `dst` for the member; made when `extras` knows it; NULL: nobody does. */
static struct json_value *place(struct merger *m, struct json_value *dst, struct str key,
                                const struct json_value *extra)
{
    struct json_value *old = own(dst, key);
    if (old || !extra) {
        return old;
    }
    old = append(m->a, dst, key);
    if (extra->kind == JSON_OBJECT) {
        old->kind = JSON_OBJECT; /* with the given members only */
    } else {
        replace(old, extra);
    }
    return old;
}

static enum status merge_member(struct merger *m, struct json_value *dst,
                                const struct json_value *src, const struct json_value *extras,
                                struct str path)
{
    struct str name =
        arena_printf(m->a, "%.*s%s%.*s", STR_ARG(path), path.n > 0 ? "." : "", STR_ARG(src->key));
    const struct json_value *extra = json_get(extras, arena_cstr(m->a, src->key));
    struct json_value *old = place(m, dst, src->key, extra);
    if (!old) {
        return dms_refuse(m->a, m->error, "Invalid task settings: '%.*s' is not a known setting.",
                          STR_ARG(name));
    }
    if (old->kind == JSON_OBJECT && src->kind == JSON_OBJECT) {
        return merge(m, old, src, extra, name);
    }
    if (str_eqz(name, "Logging.LogComponents") && src->kind == JSON_ARRAY) {
        return merge_components(m, old, src);
    }
    /* null for a section or a list: nothing is given */
    if (src->kind == JSON_NULL && (old->kind == JSON_OBJECT || old->kind == JSON_ARRAY)) {
        return ST_OK;
    }
    if (old->kind != JSON_NULL && !same_type(old, src)) {
        return dms_refuse(m->a, m->error, "Invalid task settings: '%.*s' must be %s.",
                          STR_ARG(name), json_kind_name(old->kind));
    }
    replace(old, src);
    return ST_OK;
}

/* `extras`: an object whose members may be added though dst doesn't have them; or NULL. No deeper
 * than `dst` and `extras` are. */
static enum status merge(struct merger *m, struct json_value *dst, const struct json_value *src,
                         const struct json_value *extras, struct str path)
{
    for (const struct json_value *item = src->first; item; item = item->next) {
        enum status st = merge_member(m, dst, item, extras, path);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

/* The service names the log group and stream; giving back what it told is fine. */
static enum status check_given(struct merger *m, const struct json_value *doc,
                               const struct json_value *given)
{
    static const char *const members[] = { "CloudWatchLogGroup", "CloudWatchLogStream" };
    if (!json_is(given, JSON_OBJECT)) {
        return dms_refuse(m->a, m->error, "Invalid task settings JSON: it must be an object.");
    }
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct json_value *v = dms_settings_at(given, "Logging", members[i]);
        const struct json_value *known = dms_settings_at(doc, "Logging", members[i]);
        bool same =
            json_is(v, JSON_STRING) && json_is(known, JSON_STRING) && str_eq(v->str, known->str);
        if (v && v->kind != JSON_NULL && !same) {
            return dms_refuse(m->a, m->error,
                              "Task Settings CloudWatchLogGroup or CloudWatchLogStream cannot be "
                              "set on create.");
        }
    }
    return ST_OK;
}

static struct str print(struct arena *a, const struct json_value *doc)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4 * DMS_SETTINGS_BYTES_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_tree(&o, doc);
    return arena_str(a, buf_ok(&b) ? buf_str(&b) : STR("{}"));
}

enum status dms_settings_merge(struct arena *a, struct str base, struct str given,
                               struct str *ret_text, struct str *ret_error)
{
    struct merger m = { a, ret_error };
    if (given.n > DMS_SETTINGS_BYTES_MAX) {
        return dms_refuse(m.a, m.error, "The task settings are longer than %zu bytes.",
                          DMS_SETTINGS_BYTES_MAX);
    }
    struct json_value *doc, *extras;
    struct str why;
    if (json_parse(a, str_empty(base) ? str_z(dms_settings_defaults) : base, &doc, &why) != ST_OK ||
        json_parse(a, str_z(dms_settings_extras), &extras, &why) != ST_OK) {
        return dms_refuse(m.a, m.error, "The stored task settings can't be read.");
    }
    enum status st = ST_OK;
    if (!str_empty(str_trim(given))) {
        struct json_value *add;
        if (json_parse(a, given, &add, &why) != ST_OK) {
            return dms_refuse(m.a, m.error, "Invalid task settings JSON: %.*s", STR_ARG(why));
        }
        st = check_given(&m, doc, add);
        if (st == ST_OK) {
            st = merge(&m, doc, add, extras, STR(""));
        }
    }
    if (st == ST_OK) {
        st = dms_settings_check(a, doc, ret_error);
    }
    if (st == ST_OK) {
        *ret_text = print(a, doc);
    }
    return st;
}

static bool flag(const struct json_value *doc, const char *section, const char *member)
{
    return is_true(dms_settings_at(doc, section, member));
}

static int64_t number(const struct json_value *doc, const char *section, const char *member)
{
    const struct json_value *v = dms_settings_at(doc, section, member);
    return json_is(v, JSON_INT) ? v->i : 0;
}

static struct str word(const struct json_value *doc, const char *section, const char *member)
{
    const struct json_value *v = dms_settings_at(doc, section, member);
    return json_is(v, JSON_STRING) ? v->str : STR("");
}

static enum dms_error_policy policy(const struct json_value *doc, const char *member)
{
    struct str w = word(doc, "ErrorBehavior", member);
    return str_eqz(w, "IGNORE_RECORD")   ? DMS_IGNORE_RECORD
           : str_eqz(w, "SUSPEND_TABLE") ? DMS_SUSPEND_TABLE
           : str_eqz(w, "STOP_TASK")     ? DMS_STOP_TASK
                                         : DMS_LOG_ERROR;
}

static void read_errors(const struct json_value *doc, struct dms_settings *s)
{
    s->data_error = policy(doc, "DataErrorPolicy");
    s->truncation = policy(doc, "DataTruncationErrorPolicy");
    s->data_escalation = policy(doc, "DataErrorEscalationPolicy");
    s->data_escalation_count = number(doc, "ErrorBehavior", "DataErrorEscalationCount");
    s->table_escalation_count = number(doc, "ErrorBehavior", "TableErrorEscalationCount");
    s->watch_cuts = s->truncation != DMS_LOG_ERROR || s->data_escalation_count > 0;
    s->fail_on_truncate = flag(doc, "ErrorBehavior", "ApplyErrorFailOnTruncationDdl");
}

static void read_control_tables(struct arena *a, const struct json_value *doc,
                                struct dms_settings *s)
{
    static const char section[] = "ControlTablesSettings";
    struct str schema = word(doc, section, "ControlSchema");
    s->control_schema = str_empty(schema) ? STR(DMS_CONTROL_SCHEMA) : arena_str(a, schema);
    s->history_minutes = number(doc, section, "HistoryTimeslotInMinutes");
    s->status_table = flag(doc, section, "StatusTableEnabled");
    s->suspended_table = flag(doc, section, "SuspendedTablesTableEnabled");
    s->history_table = flag(doc, section, "HistoryTableEnabled");
}

enum status dms_settings_read(struct arena *a, struct str text, struct dms_settings *ret)
{
    struct json_value *doc;
    struct str why;
    if (json_parse(a, text, &doc, &why) != ST_OK) {
        return ST_INVALID;
    }
    struct str prep = word(doc, "FullLoadSettings", "TargetTablePrepMode");
    int64_t lob_kb = number(doc, "TargetMetadata", "LobMaxSize");
    *ret = (struct dms_settings){
        .target_schema = arena_str(a, word(doc, "TargetMetadata", "TargetSchema")),
        .support_lobs = flag(doc, "TargetMetadata", "SupportLobs"),
        .full_lob_mode = flag(doc, "TargetMetadata", "FullLobMode"),
        .lob_max_kb = lob_kb > 0 ? lob_kb : LOB_DEFAULT_KB, /* 0 goes with FullLobMode */
        .prep_mode = str_eqz(prep, "DO_NOTHING")             ? DMS_PREP_NOTHING
                     : str_eqz(prep, "TRUNCATE_BEFORE_LOAD") ? DMS_PREP_TRUNCATE
                                                             : DMS_PREP_DROP,
        .max_load_threads = number(doc, "FullLoadSettings", "MaxFullLoadSubTasks"),
        .consistency_timeout_s = number(doc, "FullLoadSettings", "TransactionConsistencyTimeout"),
        .stop_before_cached = flag(doc, "FullLoadSettings", "StopTaskCachedChangesNotApplied"),
        .stop_after_cached = flag(doc, "FullLoadSettings", "StopTaskCachedChangesApplied"),
        .logging = flag(doc, "Logging", "EnableLogging"),
        .log_levels = dms_log_levels(dms_settings_at(doc, "Logging", "LogComponents")),
        .handle_truncated =
            flag(doc, "ChangeProcessingDdlHandlingPolicy", "HandleSourceTableTruncated"),
        .handle_altered =
            flag(doc, "ChangeProcessingDdlHandlingPolicy", "HandleSourceTableAltered"),
        .table_error_stops_task =
            str_eqz(word(doc, "ErrorBehavior", "TableErrorPolicy"), "STOP_TASK"),
        .fail_without_tables = flag(doc, "ErrorBehavior", "FailOnNoTablesCaptured"),
        .fail_on_breach = flag(doc, "ErrorBehavior", "FailOnTransactionConsistencyBreached"),
        .retry_count = number(doc, "ErrorBehavior", "RecoverableErrorCount"),
        .retry_interval_s = number(doc, "ErrorBehavior", "RecoverableErrorInterval"),
        .retry_max_s = number(doc, "ErrorBehavior", "RecoverableErrorThrottlingMax"),
        .retry_throttling = flag(doc, "ErrorBehavior", "RecoverableErrorThrottling"),
        .retry_stop_after_max =
            flag(doc, "ErrorBehavior", "RecoverableErrorStopRetryAfterThrottlingMax"),
    };
    read_errors(doc, ret);
    read_control_tables(a, doc, ret);
    return ST_OK;
}

struct str dms_settings_with_log(struct arena *a, struct str text, struct str group,
                                 struct str stream)
{
    struct json_value *doc;
    struct str why;
    if (json_parse(a, text, &doc, &why) != ST_OK) {
        return text;
    }
    struct json_value *logging = own(doc, STR("Logging"));
    struct json_value *g = logging ? own(logging, STR("CloudWatchLogGroup")) : NULL;
    struct json_value *s = logging ? own(logging, STR("CloudWatchLogStream")) : NULL;
    if (g && s) {
        replace(g, &(struct json_value){ .kind = JSON_STRING, .str = group });
        replace(s, &(struct json_value){ .kind = JSON_STRING, .str = stream });
    }
    return print(a, doc);
}

bool dms_settings_same_but_log(struct arena *a, struct str x, struct str y)
{
    struct str texts[2] = { x, y };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value *doc;
        struct str why;
        if (json_parse(a, texts[i], &doc, &why) != ST_OK) {
            return false;
        }
        struct json_value *logging = own(doc, STR("Logging"));
        if (logging) {
            replace(logging, &(struct json_value){ .kind = JSON_NULL });
        }
        texts[i] = print(a, doc);
    }
    return str_eq(texts[0], texts[1]);
}
