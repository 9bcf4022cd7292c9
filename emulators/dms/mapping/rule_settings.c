/* Table settings: how one table is loaded. */
#include "emulators/dms/mapping/rule_parse.h"

#define RANGE_COLUMNS_MAX 10
#define SEGMENTS_MAX 1000

static enum status parse_locator(struct dms_rule_parser *p, const struct json_value *rule,
                                 struct dms_table_settings *s)
{
    static const char *const known[] = { "schema-name", "table-name", "table-type", NULL };
    const struct json_value *o = json_get(rule, "object-locator");
    if (!o || o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The member 'object-locator' must be an object.");
    }
    enum status st = dms_rule_members(p, o, known, "'object-locator' of a table settings rule");
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "schema-name", &s->schema);
    }
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "table-name", &s->table);
    }
    if (st != ST_OK) {
        return st;
    }
    if (str_empty(s->schema) || str_empty(s->table) || dms_rule_has_wildcard(s->schema) ||
        dms_rule_has_wildcard(s->table)) {
        return dms_rule_refuse(
            p, "Exact schema and table name required when using table settings rule.");
    }
    for (size_t i = 0; i < p->settings_n; i++) {
        if (str_eq(p->settings[i].schema, s->schema) && str_eq(p->settings[i].table, s->table)) {
            return dms_rule_refuse(p, "There is another table settings rule for %.*s.%.*s.",
                                   STR_ARG(s->schema), STR_ARG(s->table));
        }
    }
    return ST_OK;
}

/* Names become parts of keys. */
static enum status check_names(struct dms_rule_parser *p, const struct dms_table_settings *s,
                               const char *what)
{
    for (size_t i = 0; i < s->names_n; i++) {
        if (s->names[i].n == 0 || str_find(s->names[i], '/', 0) >= 0) {
            return dms_rule_refuse(p, "'%s' must be non-empty names without '/'.", what);
        }
        for (size_t k = 0; k < i; k++) {
            if (str_eq(s->names[i], s->names[k])) {
                return dms_rule_refuse(p, "'%s' names '%.*s' twice.", what, STR_ARG(s->names[i]));
            }
        }
    }
    return ST_OK;
}

static enum status parse_partitions(struct dms_rule_parser *p, const struct json_value *o,
                                    bool listed, struct dms_table_settings *s)
{
    s->parallel = DMS_PARALLEL_PARTITIONS;
    const struct json_value *list = dms_rule_member(o, "partitions");
    if (!listed) {
        return list ? dms_rule_refuse(p, "'partitions' belongs to the type partitions-list.")
                    : ST_OK;
    }
    enum status st = dms_rule_texts(p, list, "partitions", &s->names, &s->names_n);
    if (st == ST_OK && (s->names_n == 0 || s->names_n > SEGMENTS_MAX)) {
        st = dms_rule_refuse(p, "'partitions' must name 1 to %d partitions.", SEGMENTS_MAX);
    }
    return st == ST_OK ? check_names(p, s, "partitions") : st;
}

static enum status parse_boundaries(struct dms_rule_parser *p, const struct json_value *o,
                                    struct dms_table_settings *s)
{
    const struct json_value *list = dms_rule_member(o, "boundaries");
    if (!list || list->kind != JSON_ARRAY || list->n == 0 || list->n >= SEGMENTS_MAX) {
        return dms_rule_refuse(p, "The type ranges needs 'boundaries': a list of 1 to %d lists.",
                               SEGMENTS_MAX - 1);
    }
    struct str *values = ARENA_ARRAY(p->a, struct str, list->n * s->columns_n);
    for (const struct json_value *v = list->first; v; v = v->next) {
        const struct str *row;
        size_t n;
        enum status st = dms_rule_texts(p, v, "boundaries", &row, &n);
        if (st == ST_OK && n != s->columns_n) {
            st = dms_rule_refuse(p,
                                 "Each of the 'boundaries' needs one value for each of the %zu "
                                 "'columns'.",
                                 s->columns_n);
        }
        if (st != ST_OK) {
            return st;
        }
        for (size_t i = 0; i < n; i++) {
            values[s->boundaries_n * n + i] = row[i];
        }
        s->boundaries_n++;
    }
    s->boundaries = values;
    return ST_OK;
}

static enum status parse_ranges(struct dms_rule_parser *p, const struct json_value *o,
                                struct dms_table_settings *s)
{
    s->parallel = DMS_PARALLEL_RANGES;
    enum status st =
        dms_rule_texts(p, dms_rule_member(o, "columns"), "columns", &s->columns, &s->columns_n);
    if (st == ST_OK && (s->columns_n == 0 || s->columns_n > RANGE_COLUMNS_MAX)) {
        st = dms_rule_refuse(p, "The type ranges needs 1 to %d 'columns'.", RANGE_COLUMNS_MAX);
    }
    if (st == ST_OK) {
        st = parse_boundaries(p, o, s);
    }
    const struct json_value *names = dms_rule_member(o, "segment-names");
    if (st != ST_OK || !names) {
        return st;
    }
    st = dms_rule_texts(p, names, "segment-names", &s->names, &s->names_n);
    if (st == ST_OK && s->names_n != s->boundaries_n + 1) {
        st = dms_rule_refuse(p,
                             "%zu 'boundaries' make %zu segments, but there are %zu "
                             "'segment-names'.",
                             s->boundaries_n, s->boundaries_n + 1, s->names_n);
    }
    return st == ST_OK ? check_names(p, s, "segment-names") : st;
}

static enum status parse_parallel(struct dms_rule_parser *p, const struct json_value *rule,
                                  struct dms_table_settings *s)
{
    static const char *const known[] = { "type",    "partitions", "subpartitions",
                                         "columns", "boundaries", "segment-names",
                                         NULL };
    const struct json_value *o = dms_rule_member(rule, "parallel-load");
    if (!o) {
        return ST_OK;
    }
    if (o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The member 'parallel-load' must be an object.");
    }
    if (dms_rule_member(o, "number-of-partitions")) {
        return dms_rule_refuse(p, "'number-of-partitions' doesn't apply to a MySQL source.");
    }
    struct str type;
    enum status st = dms_rule_members(p, o, known, "'parallel-load'");
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "type", &type);
    }
    if (st != ST_OK || str_eqz(type, "none")) {
        return st;
    }
    if (str_starts(type, STR("subpartitions")) || dms_rule_member(o, "subpartitions")) {
        return dms_rule_refuse(p, "Parallel load by subpartitions is for Oracle sources only.");
    }
    if (str_eqz(type, "partitions-auto") || str_eqz(type, "partitions-list")) {
        return parse_partitions(p, o, str_eqz(type, "partitions-list"), s);
    }
    if (str_eqz(type, "ranges")) {
        return parse_ranges(p, o, s);
    }
    return dms_rule_refuse(p,
                           "The type '%.*s' of 'parallel-load' is unknown; there are "
                           "partitions-auto, partitions-list, ranges and none.",
                           STR_ARG(type));
}

static enum status parse_lob(struct dms_rule_parser *p, const struct json_value *rule,
                             struct dms_table_settings *s)
{
    static const char *const known[] = { "mode", "bulk-max-size", NULL };
    const struct json_value *o = dms_rule_member(rule, "lob-settings");
    if (!o) {
        return ST_OK;
    }
    if (o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The member 'lob-settings' must be an object.");
    }
    struct str mode;
    enum status st = dms_rule_members(p, o, known, "'lob-settings'");
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "mode", &mode);
    }
    if (st == ST_OK) {
        st = dms_rule_number(p, o, "bulk-max-size", &s->lob_max_kb);
    }
    if (st != ST_OK || str_eqz(mode, "none")) {
        return st;
    }
    if (str_eqz(mode, "unlimited")) {
        s->lob = DMS_LOB_UNLIMITED;
        return ST_OK;
    }
    if (str_set(mode) && !str_eqz(mode, "limited")) {
        return dms_rule_refuse(p, "The 'mode' of 'lob-settings' must be limited, unlimited or "
                                  "none.");
    }
    s->lob = DMS_LOB_LIMITED;
    return s->lob_max_kb < 1 || s->lob_max_kb > 102400
               ? dms_rule_refuse(p, "The 'mode' limited needs a 'bulk-max-size' from 1 to 102400 "
                                    "kilobytes.")
               : ST_OK;
}

enum status dms_rule_settings(struct dms_rule_parser *p, const struct json_value *rule)
{
    static const char *const known[] = {
        "rule-type", "rule-id", "rule-name", "object-locator", "parallel-load", "lob-settings", NULL
    };
    struct dms_table_settings *s = &p->settings[p->settings_n];
    s->id = p->id;
    enum status st = dms_rule_members(p, rule, known, "A table settings rule");
    if (st == ST_OK) {
        st = parse_locator(p, rule, s);
    }
    if (st == ST_OK) {
        st = parse_parallel(p, rule, s);
    }
    if (st == ST_OK) {
        st = parse_lob(p, rule, s);
    }
    p->settings_n += st == ST_OK;
    return st;
}
