#include "emulators/dms/dms_settings.h"

#include <cjson/cJSON.h>

#include "emulators/dms/dms_settings_defaults.h"
#include "server/base/mem.h"

#define LOB_MAX_KB 102400

struct merger {
    struct arena *a;
    struct str *error;
};

static enum status refuse(struct merger *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static enum status refuse(struct merger *m, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *m->error = arena_vprintf(m->a, fmt, ap);
    va_end(ap);
    return ST_INVALID;
}

static void delete_json(cJSON **doc)
{
    cJSON_Delete(*doc);
}

/* The item at "Section.Member"; NULL when there is none. */
static cJSON *at(const cJSON *doc, const char *section, const char *member)
{
    cJSON *s = cJSON_GetObjectItemCaseSensitive(doc, section);
    return s ? cJSON_GetObjectItemCaseSensitive(s, member) : NULL;
}

static bool same_type(const cJSON *a, const cJSON *b)
{
    if (cJSON_IsBool(a)) {
        return cJSON_IsBool(b);
    }
    return (a->type & 0xFF) == (b->type & 0xFF);
}

static const char *type_word(const cJSON *v)
{
    switch (v->type & 0xFF) {
    case cJSON_True:
    case cJSON_False:
        return "true or false";
    case cJSON_Number:
        return "a number";
    case cJSON_String:
        return "a string";
    case cJSON_Array:
        return "a list";
    default:
        return "an object";
    }
}

/* {"Id","Severity"} items replace those of the same Id. */
static enum status merge_components(struct merger *m, cJSON *dst, const cJSON *src)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, src)
    {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "Id");
        const cJSON *severity = cJSON_GetObjectItemCaseSensitive(item, "Severity");
        if (!cJSON_IsString(id) || !cJSON_IsString(severity)) {
            return refuse(m, "Every item of Logging.LogComponents needs the strings Id and "
                             "Severity.");
        }
        cJSON *old = NULL;
        cJSON_ArrayForEach(old, dst)
        {
            const cJSON *old_id = cJSON_GetObjectItemCaseSensitive(old, "Id");
            if (cJSON_IsString(old_id) && strcmp(old_id->valuestring, id->valuestring) == 0) {
                break;
            }
        }
        if (!old) {
            return refuse(m, "Logging.LogComponents has the unknown Id '%s'.", id->valuestring);
        }
        cJSON_ReplaceItemInObjectCaseSensitive(old, "Severity", cJSON_Duplicate(severity, true));
    }
    return ST_OK;
}

static enum status merge(struct merger *m, cJSON *dst, const cJSON *src, const cJSON *extras,
                         struct str path);

static enum status merge_member(struct merger *m, cJSON *dst, const cJSON *src, const cJSON *extras,
                                struct str path)
{
    struct str name = arena_printf(m->a, "%.*s%s%s", STR_ARG(path), path.n > 0 ? "." : "",
                                   src->string);
    cJSON *old = cJSON_GetObjectItemCaseSensitive(dst, src->string);
    const cJSON *extra = extras ? cJSON_GetObjectItemCaseSensitive(extras, src->string) : NULL;
    if (!old && extra) {
        cJSON *added = cJSON_IsObject(extra) ? cJSON_CreateObject() : cJSON_Duplicate(extra, true);
        cJSON_AddItemToObject(dst, src->string, added);
        old = added;
    }
    if (!old) {
        return refuse(m, "Invalid task settings: '%.*s' is not a known setting.", STR_ARG(name));
    }
    if (cJSON_IsObject(old) && cJSON_IsObject(src)) {
        if (name.n > 200) {
            return refuse(m, "Invalid task settings: nested too deeply.");
        }
        return merge(m, old, src, extra, name);
    }
    if (str_eqz(name, "Logging.LogComponents") && cJSON_IsArray(src)) {
        return merge_components(m, old, src);
    }
    /* null stands for "not set" wherever the default is null, a section or a list */
    bool keeps = cJSON_IsNull(src) && (cJSON_IsObject(old) || cJSON_IsArray(old));
    if (keeps) {
        return ST_OK;
    }
    if (!cJSON_IsNull(old) && !same_type(old, src)) {
        return refuse(m, "Invalid task settings: '%.*s' must be %s.", STR_ARG(name),
                      type_word(old));
    }
    cJSON_ReplaceItemInObjectCaseSensitive(dst, src->string, cJSON_Duplicate(src, true));
    return ST_OK;
}

/* `extras`: an object whose members may be added though dst doesn't have them; or NULL. */
static enum status merge(struct merger *m, cJSON *dst, const cJSON *src, const cJSON *extras,
                         struct str path)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, src)
    {
        enum status st = merge_member(m, dst, item, extras, path);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

/* Settings that would change what arrives on S3 and that we don't carry out. */
static const struct {
    const char *section, *member, *why;
} forbidden_true[] = {
    { "TargetMetadata", "BatchApplyEnabled",
      "batch apply reorders changes and is not carried out for S3 targets" },
    { "ControlTablesSettings", "StatusTableEnabled", "control tables are not written to S3" },
    { "ControlTablesSettings", "SuspendedTablesTableEnabled",
      "control tables are not written to S3" },
    { "ControlTablesSettings", "HistoryTableEnabled", "control tables are not written to S3" },
    { "ControlTablesSettings", "FullLoadExceptionTableEnabled",
      "control tables are not written to S3" },
    { "TTSettings", "EnableTT", "time travel logs are not written" },
    { "ValidationSettings", "EnableValidation",
      "data validation is not carried out (for S3 targets it needs Parquet files)" },
    { "ValidationSettings", "ValidationOnly", "data validation is not carried out" },
};
static const char *const forbidden_sections[] = { "LoopbackPreventionSettings",
                                                  "CharacterSetSettings", "PostProcessingRules",
                                                  "ResyncSettings" };

static enum status check_forbidden(struct merger *m, const cJSON *doc)
{
    for (size_t i = 0; i < ARRAY_LEN(forbidden_true); i++) {
        if (cJSON_IsTrue(at(doc, forbidden_true[i].section, forbidden_true[i].member))) {
            return refuse(m, "%s.%s=true is not supported: %s. Set it to false.",
                          forbidden_true[i].section, forbidden_true[i].member,
                          forbidden_true[i].why);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(forbidden_sections); i++) {
        const cJSON *s = cJSON_GetObjectItemCaseSensitive(doc, forbidden_sections[i]);
        if (s && !cJSON_IsNull(s)) {
            return refuse(m, "The task setting %s is not implemented for S3 targets here; leave it "
                             "null.",
                          forbidden_sections[i]);
        }
    }
    const cJSON *altered =
        at(doc, "ChangeProcessingDdlHandlingPolicy", "HandleSourceTableAltered");
    if (cJSON_IsFalse(altered)) {
        return refuse(m, "ChangeProcessingDdlHandlingPolicy.HandleSourceTableAltered=false is not "
                         "implemented here; table changes are always followed.");
    }
    return ST_OK;
}

static const struct {
    const char *section, *member;
    double low, high;
} ranges[] = {
    { "TargetMetadata", "LobMaxSize", 1, LOB_MAX_KB },
    { "FullLoadSettings", "MaxFullLoadSubTasks", 1, 49 },
    { "FullLoadSettings", "CommitRate", 1, 50000 },
    { "FullLoadSettings", "TransactionConsistencyTimeout", 0, 1e6 },
    { "ErrorBehavior", "RecoverableErrorCount", -1, 2147483647 },
    { "ErrorBehavior", "RecoverableErrorInterval", 0, 2147483647 },
    { "ErrorBehavior", "RecoverableErrorThrottlingMax", 0, 2147483647 },
};

static const struct {
    const char *section, *member;
    const char *words[6];
} enums[] = {
    { "FullLoadSettings",
      "TargetTablePrepMode",
      { "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD", "DO_NOTHING", NULL } },
    { "ErrorBehavior", "TableErrorPolicy", { "SUSPEND_TABLE", "STOP_TASK", NULL } },
    { "ErrorBehavior", "TableErrorEscalationPolicy", { "STOP_TASK", NULL } },
    { "ErrorBehavior",
      "DataErrorPolicy",
      { "IGNORE_RECORD", "LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK", NULL } },
};

static enum status check_values(struct merger *m, const cJSON *doc)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const cJSON *v = at(doc, ranges[i].section, ranges[i].member);
        if (!cJSON_IsNumber(v) || v->valuedouble < ranges[i].low ||
            v->valuedouble > ranges[i].high || v->valuedouble != (double)(int64_t)v->valuedouble) {
            return refuse(m, "Invalid task settings: %s.%s must be a whole number from %.0f to "
                             "%.0f.",
                          ranges[i].section, ranges[i].member, ranges[i].low, ranges[i].high);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(enums); i++) {
        const cJSON *v = at(doc, enums[i].section, enums[i].member);
        bool found = false;
        for (const char *const *w = enums[i].words; *w && cJSON_IsString(v); w++) {
            found = found || strcmp(*w, v->valuestring) == 0;
        }
        if (!found) {
            return refuse(m, "Invalid task settings: %s.%s has a value that is not one of its "
                             "words (such as %s).",
                          enums[i].section, enums[i].member, enums[i].words[0]);
        }
    }
    if (cJSON_IsTrue(at(doc, "FullLoadSettings", "StopTaskCachedChangesApplied")) &&
        cJSON_IsTrue(at(doc, "FullLoadSettings", "StopTaskCachedChangesNotApplied"))) {
        return refuse(m, "Invalid task settings: FullLoadSettings.StopTaskCachedChangesApplied and "
                         "StopTaskCachedChangesNotApplied exclude each other.");
    }
    if (cJSON_IsTrue(at(doc, "Logging", "EnableLogContext")) &&
        !cJSON_IsTrue(at(doc, "Logging", "EnableLogging"))) {
        return refuse(m, "Invalid task settings: Logging.EnableLogContext needs EnableLogging.");
    }
    return ST_OK;
}

/* The service names the log group and stream; giving back what it told is fine. */
static enum status check_given(struct merger *m, const cJSON *doc, const cJSON *given)
{
    static const char *const members[] = { "CloudWatchLogGroup", "CloudWatchLogStream" };
    if (!cJSON_IsObject(given)) {
        return refuse(m, "Invalid task settings JSON: it must be an object.");
    }
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const cJSON *v = at(given, "Logging", members[i]);
        if (v && !cJSON_IsNull(v) && !cJSON_Compare(v, at(doc, "Logging", members[i]), true)) {
            return refuse(m, "Task Settings CloudWatchLogGroup or CloudWatchLogStream cannot be "
                             "set on create.");
        }
    }
    return ST_OK;
}

static struct str print(struct arena *a, const cJSON *doc)
{
    CLEANUP(free_ptr) char *text = cJSON_PrintUnformatted(doc);
    return arena_strz(a, text ? text : "{}");
}

enum status dms_settings_merge(struct arena *a, struct str base, struct str given,
                               struct str *ret_text, struct str *ret_error)
{
    struct merger m = { a, ret_error };
    if (given.n > DMS_SETTINGS_BYTES_MAX) {
        return refuse(&m, "The task settings are longer than %u bytes.", DMS_SETTINGS_BYTES_MAX);
    }
    struct str start = str_empty(base) ? str_z(dms_settings_defaults) : base;
    CLEANUP(delete_json) cJSON *doc = cJSON_ParseWithLength(start.p, start.n);
    CLEANUP(delete_json) cJSON *extras = cJSON_Parse(dms_settings_extras);
    if (!doc || !extras) {
        return refuse(&m, "The stored task settings can't be read.");
    }
    if (!str_empty(str_trim(given))) {
        CLEANUP(delete_json) cJSON *add = cJSON_ParseWithLengthOpts(given.p, given.n, NULL, 0);
        if (!add) {
            return refuse(&m, "Invalid task settings JSON: it can't be parsed.");
        }
        enum status st = check_given(&m, doc, add);
        if (st == ST_OK) {
            st = merge(&m, doc, add, extras, STR(""));
        }
        if (st != ST_OK) {
            return st;
        }
    }
    enum status st = check_forbidden(&m, doc);
    if (st == ST_OK) {
        st = check_values(&m, doc);
    }
    if (st == ST_OK) {
        *ret_text = print(a, doc);
    }
    return st;
}

static bool flag(const cJSON *doc, const char *section, const char *member)
{
    return cJSON_IsTrue(at(doc, section, member));
}

static int64_t number(const cJSON *doc, const char *section, const char *member)
{
    const cJSON *v = at(doc, section, member);
    return cJSON_IsNumber(v) ? (int64_t)v->valuedouble : 0;
}

static struct str word(struct arena *a, const cJSON *doc, const char *section, const char *member)
{
    const cJSON *v = at(doc, section, member);
    return arena_strz(a, cJSON_IsString(v) ? v->valuestring : "");
}

enum status dms_settings_read(struct arena *a, struct str text, struct dms_settings *ret)
{
    CLEANUP(delete_json) cJSON *doc = cJSON_ParseWithLength(text.p ? text.p : "", text.n);
    if (!doc) {
        return ST_INVALID;
    }
    struct str prep = word(a, doc, "FullLoadSettings", "TargetTablePrepMode");
    *ret = (struct dms_settings){
        .target_schema = word(a, doc, "TargetMetadata", "TargetSchema"),
        .support_lobs = flag(doc, "TargetMetadata", "SupportLobs"),
        .full_lob_mode = flag(doc, "TargetMetadata", "FullLobMode"),
        .lob_max_kb = number(doc, "TargetMetadata", "LobMaxSize"),
        .prep_mode = str_eqz(prep, "DO_NOTHING")             ? DMS_PREP_NOTHING
                     : str_eqz(prep, "TRUNCATE_BEFORE_LOAD") ? DMS_PREP_TRUNCATE
                                                             : DMS_PREP_DROP,
        .max_load_threads = number(doc, "FullLoadSettings", "MaxFullLoadSubTasks"),
        .stop_before_cached = flag(doc, "FullLoadSettings", "StopTaskCachedChangesNotApplied"),
        .stop_after_cached = flag(doc, "FullLoadSettings", "StopTaskCachedChangesApplied"),
        .logging = flag(doc, "Logging", "EnableLogging"),
        .handle_truncated =
            flag(doc, "ChangeProcessingDdlHandlingPolicy", "HandleSourceTableTruncated"),
        .table_error_stops_task =
            str_eqz(word(a, doc, "ErrorBehavior", "TableErrorPolicy"), "STOP_TASK"),
        .fail_without_tables = flag(doc, "ErrorBehavior", "FailOnNoTablesCaptured"),
        .retry_count = number(doc, "ErrorBehavior", "RecoverableErrorCount"),
        .retry_interval_s = number(doc, "ErrorBehavior", "RecoverableErrorInterval"),
        .retry_max_s = number(doc, "ErrorBehavior", "RecoverableErrorThrottlingMax"),
        .retry_throttling = flag(doc, "ErrorBehavior", "RecoverableErrorThrottling"),
        .retry_stop_after_max =
            flag(doc, "ErrorBehavior", "RecoverableErrorStopRetryAfterThrottlingMax"),
    };
    return ST_OK;
}

struct str dms_settings_with_log(struct arena *a, struct str text, struct str group,
                                 struct str stream)
{
    CLEANUP(delete_json) cJSON *doc = cJSON_ParseWithLength(text.p ? text.p : "", text.n);
    cJSON *logging = doc ? cJSON_GetObjectItemCaseSensitive(doc, "Logging") : NULL;
    if (!logging) {
        return text;
    }
    cJSON_ReplaceItemInObjectCaseSensitive(logging, "CloudWatchLogGroup",
                                           cJSON_CreateString(arena_cstr(a, group)));
    cJSON_ReplaceItemInObjectCaseSensitive(logging, "CloudWatchLogStream",
                                           cJSON_CreateString(arena_cstr(a, stream)));
    return print(a, doc);
}
