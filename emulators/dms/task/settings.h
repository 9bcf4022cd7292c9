/* Task settings: the JSON text of ReplicationTaskSettings merged into the defaults, and what of it
 * steers our data plane. Pure; any thread. */
#ifndef CISTERN_DMS_SETTINGS_H
#define CISTERN_DMS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

#define DMS_SETTINGS_BYTES_MAX ((size_t)256 << 10)

enum dms_prep_mode { DMS_PREP_DROP, DMS_PREP_TRUNCATE, DMS_PREP_NOTHING };

/* What becomes of a record that can't be moved as it is. */
enum dms_error_policy {
    DMS_LOG_ERROR,     /* it is moved as well as can be, and the log tells */
    DMS_IGNORE_RECORD, /* it is left out */
    DMS_SUSPEND_TABLE,
    DMS_STOP_TASK,
};

#define DMS_CONTROL_SCHEMA "dmslogs" /* where control tables are when ControlSchema is "" */

struct dms_settings {
    /* TargetMetadata */
    struct str target_schema; /* replaces a schema in keys that no rule renames; "": none */
    bool support_lobs;
    bool full_lob_mode; /* not for S3: values are cut as in limited mode, with a warning */
    int64_t lob_max_kb;
    /* FullLoadSettings */
    enum dms_prep_mode prep_mode;
    int64_t max_load_threads;
    int64_t consistency_timeout_s;              /* TransactionConsistencyTimeout */
    bool stop_before_cached, stop_after_cached; /* StopTaskCachedChanges(Not)Applied */
    /* Logging */
    bool logging;
    uint64_t log_levels; /* see settings_log.h */
    /* ChangeProcessingDdlHandlingPolicy */
    bool handle_truncated, handle_altered;
    /* ControlTablesSettings */
    struct str control_schema;
    int64_t history_minutes;
    bool status_table, suspended_table, history_table;
    /* ErrorBehavior */
    enum dms_error_policy data_error, truncation, data_escalation;
    int64_t data_escalation_count, table_escalation_count; /* per table; 0: none */
    bool watch_cuts; /* the truncation of a value is more than a line in the log */
    bool table_error_stops_task;
    bool fail_without_tables;
    bool fail_on_breach; /* FailOnTransactionConsistencyBreached */
    bool fail_on_truncate;
    int64_t retry_count; /* -1: for ever */
    int64_t retry_interval_s, retry_max_s;
    bool retry_throttling, retry_stop_after_max;
};

/* Merges `given` (absent or "": nothing) into `base`, a full settings text (absent: the defaults),
 * and returns the full JSON text in *ret_text. ST_INVALID: *ret_error names the member and says
 * what is wrong with it: unknown, of the wrong type, out of range, or a setting that would change
 * what arrives on S3 and that we don't carry out. */
enum status dms_settings_merge(struct arena *a, struct str base, struct str given,
                               struct str *ret_text, struct str *ret_error) MUST_CHECK;

/* Do two texts that dms_settings_merge() made differ in Logging only? */
bool dms_settings_same_but_log(struct arena *a, struct str x, struct str y);

/* Reads a text that dms_settings_merge() made. ST_INVALID: it isn't one. */
enum status dms_settings_read(struct arena *a, struct str text,
                              struct dms_settings *ret) MUST_CHECK;

/* The text with the names of the log group and stream filled in, as the service shows it once
 * logging has started. */
struct str dms_settings_with_log(struct arena *a, struct str text, struct str group,
                                 struct str stream);

#endif
