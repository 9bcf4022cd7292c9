/* TableMappings: which tables and rows a task moves, under which names, with which columns. Pure;
 * any thread. What the rules mean for one table is worked out in mapping/table_rules.h. */
#ifndef CISTERN_DMS_MAPPING_H
#define CISTERN_DMS_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emulators/dms/mapping/data_type.h"
#include "server/base/arena.h"
#include "server/base/str.h"

#define DMS_MAPPING_BYTES_MAX (2u << 20)
#define DMS_MAPPING_RULES_MAX 3000

/* --- selection -------------------------------------------------------------------------------- */
enum dms_rule_action { DMS_RULE_INCLUDE, DMS_RULE_EXCLUDE, DMS_RULE_EXPLICIT };

enum dms_operator {
    DMS_OP_EQ,
    DMS_OP_NOTEQ,
    DMS_OP_LTE, /* also spelled "ste" */
    DMS_OP_GTE,
    DMS_OP_BETWEEN,
    DMS_OP_NOTBETWEEN,
    DMS_OP_NULL,
    DMS_OP_NOTNULL,
};
struct dms_condition {
    enum dms_operator op;
    struct str low, high; /* value or start-value; end-value */
};
/* A row passes when one of the conditions is true. */
struct dms_source_filter {
    struct str column;
    const struct dms_condition *conditions;
    size_t n;
};

struct dms_selection {
    struct str id, name;      /* rule-id, rule-name */
    struct str schema, table; /* patterns; exact names for explicit rules */
    enum dms_rule_action action;
    bool tables, views; /* table-type */
    int64_t load_order; /* higher loads first; 0 when not given */
    const struct dms_source_filter *filters;
    size_t filters_n; /* a row must pass all; 0: every row */
};

/* --- transformation --------------------------------------------------------------------------- */
enum dms_rule_target { DMS_TARGET_SCHEMA, DMS_TARGET_TABLE, DMS_TARGET_COLUMN };

enum dms_transform_action {
    DMS_ACT_RENAME, /* from here … */
    DMS_ACT_LOWERCASE,
    DMS_ACT_UPPERCASE,
    DMS_ACT_ADD_PREFIX,
    DMS_ACT_REMOVE_PREFIX,
    DMS_ACT_REPLACE_PREFIX,
    DMS_ACT_ADD_SUFFIX,
    DMS_ACT_REMOVE_SUFFIX,
    DMS_ACT_REPLACE_SUFFIX, /* … to here: they change a name */
    DMS_ACT_REMOVE_COLUMN,
    DMS_ACT_ADD_COLUMN,
    DMS_ACT_CHANGE_TYPE,
    DMS_ACT_DEFINE_KEY,
    DMS_ACT_BEFORE_IMAGE,
};
enum dms_before_filter { DMS_BEFORE_PK_ONLY, DMS_BEFORE_NON_LOB, DMS_BEFORE_ALL };

struct dms_transform {
    struct str id;
    uint64_t number; /* the rule-id */
    enum dms_rule_target target;
    enum dms_transform_action action;
    struct str schema, table, column; /* patterns; absent: any */
    struct str column_type;           /* object-locator's data-type; absent: any */
    struct str value, old_value;
    struct str expression; /* absent: none */
    struct dms_data_type type;
    const struct str *key; /* columns of define-primary-key */
    size_t key_n;
    struct str before_prefix, before_suffix;
    enum dms_before_filter before;
};

/* --- table settings --------------------------------------------------------------------------- */
enum dms_parallel {
    DMS_PARALLEL_NONE,
    DMS_PARALLEL_PARTITIONS, /* all, or those of `names` */
    DMS_PARALLEL_RANGES,
};
enum dms_lob_mode { DMS_LOB_TASK, DMS_LOB_LIMITED, DMS_LOB_UNLIMITED };

struct dms_table_settings {
    struct str id;
    struct str schema, table;
    enum dms_parallel parallel;
    const struct str *names; /* partitions, or segment names; 0: all, or numbers */
    size_t names_n;
    const struct str *columns; /* of the ranges */
    size_t columns_n;
    const struct str *boundaries; /* boundaries_n rows of columns_n values */
    size_t boundaries_n;
    enum dms_lob_mode lob;
    int64_t lob_max_kb;
};

struct dms_mapping {
    const struct dms_selection *rules;
    size_t n;
    const struct dms_transform *transforms; /* by rule-id */
    size_t transforms_n;
    const struct dms_table_settings *settings;
    size_t settings_n;
    bool wants_segments; /* some table is loaded in segments */
    bool wants_sequence; /* an expression has $AR_H_CHANGE_SEQ */
    bool wants_views;    /* a selection rule has table-type view or all */
};

/* Parses the JSON text. ST_INVALID: *ret_error says which rule and which member is wrong, in the
 * words of the client's error. Rules that we don't carry out are refused by name, never ignored.
 * Strings live in the arena. */
enum status dms_mapping_parse(struct arena *a, struct str json, struct dms_mapping *ret,
                              struct str *ret_error) MUST_CHECK;

/* Is the table selected? Union of the includes without the excludes; an explicit rule wins over
 * both. *ret_order (may be NULL): the highest load-order of the rules that select it. */
bool dms_mapping_selects(const struct dms_mapping *m, struct str schema, struct str table,
                         int64_t *ret_order);
/* The same for a view. */
bool dms_mapping_selects_view(const struct dms_mapping *m, struct str schema, struct str view,
                              int64_t *ret_order);
/* Does this (including) rule name the table? */
bool dms_selection_hits(const struct dms_selection *r, struct str schema, struct str table);

/* `%` any run, `_` one character, `[ab]` and `[a-d]` one of a set (so `[_]` is an underscore);
 * case matters. Characters are UTF-8. */
bool dms_wildcard(struct str pattern, struct str text);

#endif
