/* Selection rules and their filters. */
#include "emulators/dms/mapping/rule_parse.h"
#include "server/base/mem.h"

static enum status parse_action(struct dms_rule_parser *p, const struct json_value *rule,
                                enum dms_rule_action *ret)
{
    struct str word;
    enum status st = dms_rule_text(p, rule, "rule-action", &word);
    if (st != ST_OK) {
        return st;
    }
    if (str_eqz(word, "include")) {
        *ret = DMS_RULE_INCLUDE;
    } else if (str_eqz(word, "exclude")) {
        *ret = DMS_RULE_EXCLUDE;
    } else if (str_eqz(word, "explicit")) {
        *ret = DMS_RULE_EXPLICIT;
    } else {
        return dms_rule_refuse(p,
                               "'rule-action' is '%.*s'; a selection rule has include, exclude or "
                               "explicit.",
                               STR_ARG(word));
    }
    return ST_OK;
}

static enum status parse_locator(struct dms_rule_parser *p, const struct json_value *rule,
                                 struct dms_selection *sel)
{
    static const char *const known[] = { "schema-name", "table-name", "table-type", NULL };
    const struct json_value *o = json_get(rule, "object-locator");
    if (!o || o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The member 'object-locator' must be an object.");
    }
    struct str type;
    enum status st = dms_rule_members(p, o, known, "'object-locator' of a selection rule");
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "schema-name", &sel->schema);
    }
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "table-name", &sel->table);
    }
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "table-type", &type);
    }
    if (st != ST_OK) {
        return st;
    }
    sel->tables = !str_set(type) || str_eqz(type, "table") || str_eqz(type, "all");
    sel->views = str_eqz(type, "view") || str_eqz(type, "all");
    if (!sel->tables && !sel->views) {
        return dms_rule_refuse(p, "'table-type' is '%.*s'; it must be table, view or all.",
                               STR_ARG(type));
    }
    if (sel->action == DMS_RULE_EXPLICIT &&
        (dms_rule_has_wildcard(sel->schema) || dms_rule_has_wildcard(sel->table))) {
        return dms_rule_refuse(p, "An explicit rule needs exact names without wildcards.");
    }
    return ST_OK;
}

enum status dms_rule_selection(struct dms_rule_parser *p, const struct json_value *rule)
{
    static const char *const known[] = { "rule-type",   "rule-id",    "rule-name", "object-locator",
                                         "rule-action", "load-order", "filters",   NULL };
    struct dms_selection *sel = &p->selections[p->selections_n];
    sel->id = p->id;
    sel->name = p->name;
    enum status st = dms_rule_members(p, rule, known, "A selection rule");
    if (st == ST_OK) {
        st = parse_action(p, rule, &sel->action);
    }
    if (st == ST_OK) {
        st = parse_locator(p, rule, sel);
    }
    if (st == ST_OK) {
        st = dms_rule_number(p, rule, "load-order", &sel->load_order);
    }
    if (st == ST_OK) {
        st = dms_rule_filters(p, rule, sel);
    }
    p->selections_n += st == ST_OK;
    return st;
}

/* --- filters ---------------------------------------------------------------------------------- */

static const struct operator_word {
    const char *word;
    enum dms_operator op;
    int values;
    bool negative;
} operators[] = {
    { "eq", DMS_OP_EQ, 1, false },
    { "noteq", DMS_OP_NOTEQ, 1, true },
    { "lte", DMS_OP_LTE, 1, false },
    { "ste", DMS_OP_LTE, 1, false },
    { "gte", DMS_OP_GTE, 1, false },
    { "between", DMS_OP_BETWEEN, 2, false },
    { "notbetween", DMS_OP_NOTBETWEEN, 2, true },
    { "null", DMS_OP_NULL, 0, false },
    { "notnull", DMS_OP_NOTNULL, 0, true },
};

static const struct operator_word *find_operator(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (str_eqz(word, operators[i].word)) {
            return &operators[i];
        }
    }
    return NULL;
}

/* A value is a string; what is written as a whole number means its digits. */
static enum status parse_value(struct dms_rule_parser *p, const struct json_value *o,
                               const char *name, bool wanted, struct str *ret)
{
    const struct json_value *m = dms_rule_member(o, name);
    if (!wanted) {
        return m ? dms_rule_refuse(p, "This filter-operator takes no '%s'.", name) : ST_OK;
    }
    if (m && m->kind == JSON_INT) {
        *ret = arena_i64(p->a, m->i);
        return ST_OK;
    }
    if (!m || m->kind != JSON_STRING) {
        return dms_rule_refuse(p, "This filter-operator needs the string '%s'.", name);
    }
    *ret = m->str;
    return ST_OK;
}

static enum status parse_condition(struct dms_rule_parser *p, const struct json_value *o, size_t of,
                                   struct dms_condition *ret)
{
    static const char *const known[] = { "filter-operator", "value", "start-value", "end-value",
                                         NULL };
    if (o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "Every item of 'filter-conditions' must be an object.");
    }
    struct str word;
    enum status st = dms_rule_members(p, o, known, "A filter condition");
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "filter-operator", &word);
    }
    if (st != ST_OK) {
        return st;
    }
    const struct operator_word *op = find_operator(word);
    if (!op) {
        return dms_rule_refuse(p,
                               "The filter-operator '%.*s' is unknown; there are eq, noteq, lte, "
                               "gte, between, notbetween, null and notnull.",
                               STR_ARG(word));
    }
    if (op->negative && of > 1) {
        return dms_rule_refuse(p,
                               "The negative filter-operator '%s' must be the only condition of "
                               "its filter.",
                               op->word);
    }
    ret->op = op->op;
    st = parse_value(p, o, "value", op->values == 1, &ret->low);
    if (st == ST_OK) {
        st = parse_value(p, o, "start-value", op->values == 2,
                         op->values == 2 ? &ret->low : &ret->high);
    }
    if (st == ST_OK) {
        st = parse_value(p, o, "end-value", op->values == 2, &ret->high);
    }
    return st;
}

static enum status parse_filter(struct dms_rule_parser *p, const struct json_value *o,
                                struct dms_source_filter *ret)
{
    static const char *const known[] = { "filter-type", "column-name", "filter-conditions", NULL };
    if (o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "Every item of 'filters' must be an object.");
    }
    struct str type;
    enum status st = dms_rule_members(p, o, known, "A filter");
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "filter-type", &type);
    }
    if (st == ST_OK && !str_eqz(type, "source")) {
        st = dms_rule_refuse(p, "The filter-type must be 'source'.");
    }
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "column-name", &ret->column);
    }
    const struct json_value *list = json_get(o, "filter-conditions");
    if (st == ST_OK && (!list || list->kind != JSON_ARRAY || list->n == 0)) {
        st = dms_rule_refuse(p, "A filter needs a list of 'filter-conditions'.");
    }
    if (st != ST_OK || !list) {
        return st;
    }
    struct dms_condition *conditions = ARENA_ARRAY(p->a, struct dms_condition, list->n);
    for (const struct json_value *v = list->first; v && st == ST_OK; v = v->next) {
        st = parse_condition(p, v, list->n, &conditions[ret->n++]);
    }
    ret->conditions = conditions;
    return st;
}

enum status dms_rule_filters(struct dms_rule_parser *p, const struct json_value *rule,
                             struct dms_selection *sel)
{
    const struct json_value *list = dms_rule_member(rule, "filters");
    if (!list) {
        return ST_OK;
    }
    if (list->kind != JSON_ARRAY) {
        return dms_rule_refuse(p, "The member 'filters' must be a list.");
    }
    if (list->n > 0 && sel->action != DMS_RULE_INCLUDE) {
        return dms_rule_refuse(p, "Filters need the rule-action 'include'.");
    }
    struct dms_source_filter *filters = ARENA_ARRAY(p->a, struct dms_source_filter, list->n + 1);
    enum status st = ST_OK;
    for (const struct json_value *v = list->first; v && st == ST_OK; v = v->next) {
        st = parse_filter(p, v, &filters[sel->filters_n++]);
    }
    sel->filters = filters;
    return st;
}
