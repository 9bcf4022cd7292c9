/* TableMappings: which tables a task moves. Pure; any thread. */
#ifndef CISTERN_DMS_MAPPING_H
#define CISTERN_DMS_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

#define DMS_MAPPING_BYTES_MAX (2u << 20)
#define DMS_MAPPING_RULES_MAX 3000

enum dms_rule_action { DMS_RULE_INCLUDE, DMS_RULE_EXCLUDE, DMS_RULE_EXPLICIT };

struct dms_selection {
    struct str id, name;      /* rule-id, rule-name */
    struct str schema, table; /* patterns; exact names for explicit rules */
    enum dms_rule_action action;
    int64_t load_order; /* higher loads first; 0 when not given */
};

struct dms_mapping {
    const struct dms_selection *rules;
    size_t n;
};

/* Parses the JSON text. ST_INVALID: *ret_error says which rule and which member is wrong, in the
 * words of the client's error. Rules that we don't carry out (transformations, filters, table
 * settings, views) are refused, never ignored. Strings live in the arena. */
enum status dms_mapping_parse(struct arena *a, struct str json, struct dms_mapping *ret,
                              struct str *ret_error) MUST_CHECK;

/* Is the table selected? Union of the includes without the excludes; an explicit rule wins over
 * both. *ret_order (may be NULL): the highest load-order of the rules that select it. */
bool dms_mapping_selects(const struct dms_mapping *m, struct str schema, struct str table,
                         int64_t *ret_order);

/* `%` any run, `_` one character, `[ab]` and `[a-d]` one of a set (so `[_]` is an underscore);
 * case matters. Characters are UTF-8. */
bool dms_wildcard(struct str pattern, struct str text);

#endif
