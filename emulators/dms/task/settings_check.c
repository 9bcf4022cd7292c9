#include "emulators/dms/task/settings_check.h"

#include "emulators/dms/dms_internal.h"
#include "emulators/dms/task/settings_defaults.h"
#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define LOB_MAX_KB 102400
#define WORDS_MAX 7 /* of one member */

struct checker {
    struct arena *a;
    const struct json_value *doc;
    struct str *error;
};

static bool on(const struct checker *k, const char *section, const char *member)
{
    const struct json_value *v = dms_settings_at(k->doc, section, member);
    return json_is(v, JSON_BOOL) && v->b;
}

/* --- what isn't carried out ------------------------------------------------------------------- */

/* Settings that would change what arrives on S3 and that we don't carry out.
 *
 * Validation: AWS compares Parquet files on S3 by queries of Athena, once a day. There is no Athena
 * here, so a task that asks for it is refused; accepting it would promise a comparison that never
 * comes. Without it every table's ValidationState is "Not enabled". */
static const struct {
    const char *section, *member, *why;
} forbidden_true[] = {
    { "TargetMetadata", "BatchApplyEnabled",
      "batch apply reorders changes and is not carried out for S3 targets" },
    { "TTSettings", "EnableTT", "time travel logs are not written" },
    { "ControlTablesSettings", "FullLoadExceptionTableEnabled",
      "this control table is not written (AWS documents no columns of it)" },
    { "ControlTablesSettings", "CommitPositionTableEnabled",
      "this control table is not written (AWS documents no columns of it)" },
    { "ValidationSettings", "EnableValidation",
      "data validation of an S3 target needs Amazon Athena, which is not part of this server" },
    { "ValidationSettings", "ValidationOnly",
      "data validation of an S3 target needs Amazon Athena, which is not part of this server" },
};
static const char *const forbidden_sections[] = { "LoopbackPreventionSettings",
                                                  "CharacterSetSettings", "PostProcessingRules",
                                                  "ResyncSettings" };

static enum status check_forbidden(struct checker *k)
{
    for (size_t i = 0; i < ARRAY_LEN(forbidden_true); i++) {
        if (on(k, forbidden_true[i].section, forbidden_true[i].member)) {
            return dms_refuse(k->a, k->error, "%s.%s=true is not supported: %s. Set it to false.",
                              forbidden_true[i].section, forbidden_true[i].member,
                              forbidden_true[i].why);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(forbidden_sections); i++) {
        const struct json_value *s = json_get(k->doc, forbidden_sections[i]);
        if (s && s->kind != JSON_NULL) {
            return dms_refuse(
                k->a, k->error,
                "The task setting %s is not implemented for S3 targets here; leave it "
                "null.",
                forbidden_sections[i]);
        }
    }
    return ST_OK;
}

/* --- values ----------------------------------------------------------------------------------- */

static const struct {
    const char *section, *member;
    int64_t low, high;
} ranges[] = {
    { "TargetMetadata", "LobMaxSize", 0, LOB_MAX_KB },
    { "TargetMetadata", "LobChunkSize", 0, LOB_MAX_KB },
    { "TargetMetadata", "InlineLobMaxSize", 0, LOB_MAX_KB },
    { "ControlTablesSettings", "HistoryTimeslotInMinutes", 5, 1440 },
    { "StreamBufferSettings", "StreamBufferCount", 1, 1000000 },
    { "StreamBufferSettings", "StreamBufferSizeInMB", 1, 1000000 },
    { "StreamBufferSettings", "CtrlStreamBufferSizeInMB", 1, 1000000 },
    { "ChangeProcessingTuning", "CommitTimeout", 1, 1000000 },
    { "ChangeProcessingTuning", "MemoryLimitTotal", 0, 2147483647 },
    { "ChangeProcessingTuning", "MemoryKeepTime", 0, 2147483647 },
    { "ErrorBehavior", "DataErrorEscalationCount", 0, 2147483647 },
    { "ErrorBehavior", "TableErrorEscalationCount", 0, 2147483647 },
    { "ErrorBehavior", "ApplyErrorEscalationCount", 0, 2147483647 },
    { "FullLoadSettings", "MaxFullLoadSubTasks", 1, 49 },
    { "FullLoadSettings", "CommitRate", 1, 50000 },
    { "FullLoadSettings", "TransactionConsistencyTimeout", 0, 1000000 },
    { "ErrorBehavior", "RecoverableErrorCount", -1, 2147483647 },
    { "ErrorBehavior", "RecoverableErrorInterval", 0, 2147483647 },
    { "ErrorBehavior", "RecoverableErrorThrottlingMax", 0, 2147483647 },
};

static const struct {
    const char *section, *member;
    const char *words[WORDS_MAX];
} enums[] = {
    { "FullLoadSettings",
      "TargetTablePrepMode",
      { "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD", "DO_NOTHING", NULL } },
    { "ErrorBehavior", "TableErrorPolicy", { "SUSPEND_TABLE", "STOP_TASK", NULL } },
    { "ErrorBehavior", "TableErrorEscalationPolicy", { "STOP_TASK", NULL } },
    { "ErrorBehavior",
      "DataErrorPolicy",
      { "IGNORE_RECORD", "LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK", NULL } },
    { "ErrorBehavior",
      "DataTruncationErrorPolicy",
      { "IGNORE_RECORD", "LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK", NULL } },
    { "ErrorBehavior", "DataErrorEscalationPolicy", { "SUSPEND_TABLE", "STOP_TASK", NULL } },
    { "ErrorBehavior", "EventErrorPolicy", { "IGNORE", "STOP_TASK", NULL } },
    { "ErrorBehavior",
      "ApplyErrorDeletePolicy",
      { "IGNORE_RECORD", "LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK", NULL } },
    { "ErrorBehavior",
      "ApplyErrorInsertPolicy",
      { "LOG_ERROR", "IGNORE_RECORD", "SUSPEND_TABLE", "STOP_TASK", "INSERT_RECORD",
        "UPDATE_RECORD", NULL } },
    { "ErrorBehavior",
      "ApplyErrorUpdatePolicy",
      { "LOG_ERROR", "IGNORE_RECORD", "SUSPEND_TABLE", "STOP_TASK", "INSERT_RECORD",
        "UPDATE_RECORD", NULL } },
    { "ErrorBehavior",
      "DataMaskingErrorPolicy",
      { "STOP_TASK", "SUSPEND_TABLE", "IGNORE_RECORD", "LOG_ERROR", NULL } },
    { "ErrorBehavior",
      "ApplyErrorEscalationPolicy",
      { "LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK", NULL } },
};

static enum status check_ranges(struct checker *k)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const struct json_value *v = dms_settings_at(k->doc, ranges[i].section, ranges[i].member);
        if (!json_is(v, JSON_INT) || v->i < ranges[i].low || v->i > ranges[i].high) {
            return dms_refuse(
                k->a, k->error,
                "Invalid task settings: %s.%s must be a whole number from %lld to %lld.",
                ranges[i].section, ranges[i].member, (long long)ranges[i].low,
                (long long)ranges[i].high);
        }
    }
    return ST_OK;
}

/* "A, B, C" */
static struct str list_of(struct arena *a, const char *const *words)
{
    struct str text = str_z(words[0]);
    for (size_t i = 1; words[i]; i++) {
        text = arena_printf(a, "%.*s, %s", STR_ARG(text), words[i]);
    }
    return text;
}

static enum status check_words(struct checker *k)
{
    for (size_t i = 0; i < ARRAY_LEN(enums); i++) {
        const struct json_value *v = dms_settings_at(k->doc, enums[i].section, enums[i].member);
        bool found = !v; /* a member that is in the document only when it was given */
        for (const char *const *w = enums[i].words; *w && json_is(v, JSON_STRING); w++) {
            found = found || str_eqz(v->str, *w);
        }
        if (!found) {
            struct str words = list_of(k->a, enums[i].words);
            return dms_refuse(k->a, k->error, "Invalid task settings: %s.%s must be one of: %.*s.",
                              enums[i].section, enums[i].member, STR_ARG(words));
        }
    }
    return ST_OK;
}

static enum status check_together(struct checker *k)
{
    if (dms_settings_at(k->doc, "TargetMetadata", "LobMaxSize")->i == 0 &&
        !on(k, "TargetMetadata", "FullLobMode")) {
        return dms_refuse(
            k->a, k->error,
            "Invalid task settings: TargetMetadata.LobMaxSize must be at least 1 (KB) "
            "unless FullLobMode is true.");
    }
    if (on(k, "FullLoadSettings", "StopTaskCachedChangesApplied") &&
        on(k, "FullLoadSettings", "StopTaskCachedChangesNotApplied")) {
        return dms_refuse(
            k->a, k->error,
            "Invalid task settings: FullLoadSettings.StopTaskCachedChangesApplied and "
            "StopTaskCachedChangesNotApplied exclude each other.");
    }
    if (on(k, "Logging", "EnableLogContext") && !on(k, "Logging", "EnableLogging")) {
        return dms_refuse(k->a, k->error,
                          "Invalid task settings: Logging.EnableLogContext needs EnableLogging.");
    }
    const struct json_value *schema =
        dms_settings_at(k->doc, "ControlTablesSettings", "ControlSchema");
    if (json_is(schema, JSON_STRING) && memchr(schema->str.p, '/', schema->str.n)) {
        return dms_refuse(k->a, k->error,
                          "Invalid task settings: ControlTablesSettings.ControlSchema must be a "
                          "name without slashes.");
    }
    return ST_OK;
}

enum status dms_settings_check(struct arena *a, const struct json_value *doc, struct str *ret_error)
{
    struct checker k = { a, doc, ret_error };
    enum status st = check_forbidden(&k);
    if (st == ST_OK) {
        st = check_ranges(&k);
    }
    if (st == ST_OK) {
        st = check_words(&k);
    }
    return st == ST_OK ? check_together(&k) : st;
}

/* --- what has no effect ----------------------------------------------------------------------- */

/* member NULL: the whole section. */
static const struct {
    const char *section, *member;
} idle[] = {
    { "TargetMetadata", "LimitedSizeLobMode" }, /* S3 has no other: full LOB mode is told apart */
    { "TargetMetadata", "LobChunkSize" },
    { "TargetMetadata", "InlineLobMaxSize" },
    { "TargetMetadata", "LoadMaxFileSize" }, /* MaxFileSize of the endpoint decides */
    { "TargetMetadata", "ParallelLoadThreads" },
    { "TargetMetadata", "ParallelLoadBufferSize" },
    { "TargetMetadata", "ParallelLoadQueuesPerThread" },
    { "TargetMetadata", "ParallelApplyThreads" },
    { "TargetMetadata", "ParallelApplyBufferSize" },
    { "TargetMetadata", "ParallelApplyQueuesPerThread" },
    { "TargetMetadata", "TaskRecoveryTableEnabled" }, /* the checkpoint is kept by the task */
    { "FullLoadSettings", "CommitRate" },
    { "FullLoadSettings", "TransactionConsistencyTimeout" }, /* a snapshot waits for nobody */
    { "FullLoadSettings", "CreatePkAfterFullLoad" },
    { "StreamBufferSettings", NULL },
    { "ChangeProcessingTuning", NULL },
    { "BeforeImageSettings", NULL }, /* of Kinesis and Kafka; S3 has a transformation rule */
    { "ErrorBehavior", "ApplyErrorDeletePolicy" }, /* files know no conflicts */
    { "ErrorBehavior", "ApplyErrorInsertPolicy" },
    { "ErrorBehavior", "ApplyErrorUpdatePolicy" },
    { "ErrorBehavior", "ApplyErrorEscalationPolicy" },
    { "ErrorBehavior", "ApplyErrorEscalationCount" },
    { "ErrorBehavior", "FullLoadIgnoreConflicts" },
    { "ErrorBehavior", "FailOnTransactionConsistencyBreached" }, /* of Oracle sources */
    { "ErrorBehavior", "EventErrorPolicy" }, /* an event is stored with what it tells, or neither */
    { "ErrorBehavior", "DataMaskingErrorPolicy" },
    { "ChangeProcessingDdlHandlingPolicy", "HandleSourceTableDropped" }, /* MySQL delivers none */
    { "FailTaskWhenCleanTaskResourceFailed", NULL },
    { "Logging", "EnableLogContext" },
    { "Logging", "LogConfiguration" },
};
/* Control tables belong to tasks that follow changes. */
static const struct {
    const char *section, *member;
} idle_in_loads[] = {
    { "ControlTablesSettings", "StatusTableEnabled" },
    { "ControlTablesSettings", "SuspendedTablesTableEnabled" },
    { "ControlTablesSettings", "HistoryTableEnabled" },
    { "ChangeProcessingDdlHandlingPolicy", "HandleSourceTableAltered" },
    { "ChangeProcessingDdlHandlingPolicy", "HandleSourceTableTruncated" },
    { "ErrorBehavior", "ApplyErrorFailOnTruncationDdl" },
};

static bool same(const struct json_value *x, const struct json_value *y)
{
    CLEANUP(buf_fini) struct buf bx = BUF_INIT(1u << 20), by = BUF_INIT(1u << 20);
    struct json_out o;
    json_out_init(&o, &bx);
    json_tree(&o, x);
    json_out_init(&o, &by);
    json_tree(&o, y);
    return str_eq(buf_str(&bx), buf_str(&by));
}

static void note(struct arena *a, struct str *list, const char *section, const char *member)
{
    *list = arena_printf(a, "%.*s%s%s%s%s", STR_ARG(*list), list->n > 0 ? ", " : "", section,
                         member ? "." : "", member ? member : "");
}

/* Those of a section that differ. */
static void note_section(struct arena *a, struct str *list, const char *section,
                         const struct json_value *given, const struct json_value *usual)
{
    if (!json_is(given, JSON_OBJECT) || !json_is(usual, JSON_OBJECT)) {
        if (given && usual && !same(given, usual)) {
            note(a, list, section, NULL);
        }
        return;
    }
    for (const struct json_value *v = given->first; v; v = v->next) {
        const char *name = arena_cstr(a, v->key);
        const struct json_value *old = json_get(usual, name);
        if (!old || !same(v, old)) {
            note(a, list, section, name);
        }
    }
}

static void note_member(struct arena *a, struct str *list, const struct json_value *docs[2],
                        const char *section, const char *member)
{
    if (!member) {
        note_section(a, list, section, json_get(docs[0], section), json_get(docs[1], section));
        return;
    }
    const struct json_value *given = dms_settings_at(docs[0], section, member);
    const struct json_value *usual = dms_settings_at(docs[1], section, member);
    if (given && (!usual || !same(given, usual))) {
        note(a, list, section, member);
    }
}

struct str dms_settings_idle(struct arena *a, struct str text, bool captures)
{
    struct json_value *given, *usual;
    struct str why, list = STR_NONE;
    if (json_parse(a, text, &given, &why) != ST_OK ||
        json_parse(a, str_z(dms_settings_defaults), &usual, &why) != ST_OK) {
        return STR_NONE;
    }
    const struct json_value *docs[2] = { given, usual };
    for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
        note_member(a, &list, docs, idle[i].section, idle[i].member);
    }
    for (size_t i = 0; i < ARRAY_LEN(idle_in_loads) && !captures; i++) {
        note_member(a, &list, docs, idle_in_loads[i].section, idle_in_loads[i].member);
    }
    return list;
}
