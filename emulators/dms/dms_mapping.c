#include "emulators/dms/dms_mapping.h"

#include "server/wire/json.h"

struct parser {
    struct arena *a;
    struct dms_selection *rules;
    size_t n;
    struct str id; /* of the rule at hand */
    struct str *error;
};

static enum status refuse(struct parser *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The service's own frame around the reason. */
static enum status refuse(struct parser *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str why = arena_vprintf(p->a, fmt, ap);
    va_end(ap);
    if (str_set(p->id)) {
        *p->error = arena_printf(
            p->a, "Error in mapping rules. Rule with ruleId = %.*s failed validation. %.*s",
            STR_ARG(p->id), STR_ARG(why));
    } else {
        *p->error = arena_printf(p->a, "Error in mapping rules. %.*s", STR_ARG(why));
    }
    return ST_INVALID;
}

/* First member of `o` that isn't in the NULL-terminated list; absent: there is none. */
static struct str stranger(const struct json_value *o, const char *const *known)
{
    for (const struct json_value *m = o->first; m; m = m->next) {
        bool found = false;
        for (const char *const *k = known; *k && !found; k++) {
            found = str_eqz(m->key, *k);
        }
        if (!found) {
            return m->key;
        }
    }
    return STR_NONE;
}

static bool is(const struct json_value *v, enum json_kind kind)
{
    return v && v->kind == kind;
}

static enum status need_text(struct parser *p, const struct json_value *o, const char *name,
                             struct str *ret)
{
    *ret = json_get_str(o, name);
    if (str_empty(*ret)) {
        return refuse(p, "The member '%s' must be a non-empty string.", name);
    }
    return ST_OK;
}

static enum status parse_id(struct parser *p, const struct json_value *rule)
{
    const struct json_value *m = json_get(rule, "rule-id");
    struct str id = is(m, JSON_STRING) ? m->str : STR_NONE;
    if (is(m, JSON_INT)) {
        id = arena_printf(p->a, "%lld", (long long)m->i);
    }
    uint64_t number;
    if (str_u64(id, &number) != ST_OK) {
        return refuse(p, "Every rule needs a numeric 'rule-id'.");
    }
    p->id = id;
    for (size_t i = 0; i < p->n; i++) {
        if (str_eq(p->rules[i].id, id)) {
            return refuse(p, "The 'rule-id' is used twice.");
        }
    }
    return ST_OK;
}

static enum status parse_action(struct parser *p, const struct json_value *rule,
                                enum dms_rule_action *ret)
{
    struct str word;
    enum status st = need_text(p, rule, "rule-action", &word);
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
        return refuse(p,
                      "'rule-action' is '%.*s'; a selection rule has include, exclude or "
                      "explicit.",
                      STR_ARG(word));
    }
    return ST_OK;
}

static bool has_wildcard(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' || s.p[i] == '[') {
            return true;
        }
    }
    return false;
}

static enum status parse_locator(struct parser *p, const struct json_value *rule,
                                 struct dms_selection *sel)
{
    static const char *const known[] = { "schema-name", "table-name", "table-type", NULL };
    const struct json_value *o = json_get(rule, "object-locator");
    if (!is(o, JSON_OBJECT)) {
        return refuse(p, "The member 'object-locator' must be an object.");
    }
    struct str odd = stranger(o, known);
    if (str_set(odd)) {
        return refuse(p, "'object-locator' has the unknown member '%.*s'.", STR_ARG(odd));
    }
    enum status st = need_text(p, o, "schema-name", &sel->schema);
    if (st == ST_OK) {
        st = need_text(p, o, "table-name", &sel->table);
    }
    if (st != ST_OK) {
        return st;
    }
    const struct json_value *type = json_get(o, "table-type");
    if (type && !(is(type, JSON_STRING) && str_eqz(type->str, "table"))) {
        return refuse(p, "'table-type' must be 'table'; views are not implemented.");
    }
    if (sel->action == DMS_RULE_EXPLICIT &&
        (has_wildcard(sel->schema) || has_wildcard(sel->table))) {
        return refuse(p, "An explicit rule needs exact names without wildcards.");
    }
    return ST_OK;
}

static enum status parse_load_order(struct parser *p, const struct json_value *rule, int64_t *ret)
{
    const struct json_value *m = json_get(rule, "load-order");
    if (!m || m->kind == JSON_NULL) {
        return ST_OK;
    }
    if (is(m, JSON_INT) && m->i >= 0) {
        *ret = m->i;
        return ST_OK;
    }
    if (is(m, JSON_STRING) && str_i64(m->str, ret) == ST_OK && *ret >= 0) {
        return ST_OK;
    }
    return refuse(p, "'load-order' must be a whole number from 0 on.");
}

static enum status parse_selection(struct parser *p, const struct json_value *rule)
{
    static const char *const known[] = { "rule-type",   "rule-id",    "rule-name", "object-locator",
                                         "rule-action", "load-order", "filters",   NULL };
    struct dms_selection *sel = &p->rules[p->n];
    struct str odd = stranger(rule, known);
    if (str_set(odd)) {
        return refuse(p, "A selection rule has no member '%.*s'.", STR_ARG(odd));
    }
    sel->id = p->id;
    enum status st = need_text(p, rule, "rule-name", &sel->name);
    for (size_t i = 0; st == ST_OK && i < p->n; i++) {
        if (str_eq(p->rules[i].name, sel->name)) {
            st = refuse(p, "The 'rule-name' '%.*s' is used twice.", STR_ARG(sel->name));
        }
    }
    if (st == ST_OK) {
        st = parse_action(p, rule, &sel->action);
    }
    if (st == ST_OK) {
        st = parse_locator(p, rule, sel);
    }
    if (st == ST_OK) {
        st = parse_load_order(p, rule, &sel->load_order);
    }
    if (st != ST_OK) {
        return st;
    }
    const struct json_value *filters = json_get(rule, "filters");
    if (filters && filters->kind != JSON_NULL && !(is(filters, JSON_ARRAY) && filters->n == 0)) {
        return refuse(p,
                      "'filters' are not implemented here; remove them or leave the list empty.");
    }
    p->n++;
    return ST_OK;
}

static enum status parse_rule(struct parser *p, const struct json_value *rule)
{
    p->id = STR_NONE;
    if (!is(rule, JSON_OBJECT)) {
        return refuse(p, "Every item of 'rules' must be an object.");
    }
    enum status st = parse_id(p, rule);
    struct str type = STR_NONE;
    if (st == ST_OK) {
        st = need_text(p, rule, "rule-type", &type);
    }
    if (st != ST_OK) {
        return st;
    }
    if (str_eqz(type, "selection")) {
        return parse_selection(p, rule);
    }
    if (str_eqz(type, "transformation") || str_eqz(type, "table-settings") ||
        str_eqz(type, "post-processing")) {
        return refuse(p,
                      "Rules with rule-type '%.*s' are not implemented here; only 'selection' "
                      "rules are. Remove the rule.",
                      STR_ARG(type));
    }
    return refuse(p, "The rule-type '%.*s' is unknown.", STR_ARG(type));
}

static enum status parse_rules(struct parser *p, const struct json_value *doc)
{
    static const char *const known[] = { "rules", NULL };
    if (!is(doc, JSON_OBJECT)) {
        return refuse(p, "The table mappings must be a JSON object with the member 'rules'.");
    }
    struct str odd = stranger(doc, known);
    if (str_set(odd)) {
        return refuse(p, "The table mappings have the unknown member '%.*s'.", STR_ARG(odd));
    }
    const struct json_value *rules = json_get(doc, "rules");
    if (!is(rules, JSON_ARRAY) || rules->n < 1) {
        return refuse(p, "'rules' must be a list with at least one selection rule.");
    }
    if (rules->n > DMS_MAPPING_RULES_MAX) {
        return refuse(p, "There are %zu rules; at most %d are possible.", rules->n,
                      DMS_MAPPING_RULES_MAX);
    }
    p->rules = ARENA_ARRAY(p->a, struct dms_selection, rules->n);
    for (const struct json_value *rule = rules->first; rule; rule = rule->next) {
        enum status st = parse_rule(p, rule);
        if (st != ST_OK) {
            return st;
        }
    }
    p->id = STR_NONE;
    for (size_t i = 0; i < p->n; i++) {
        if (p->rules[i].action != DMS_RULE_EXCLUDE) {
            return ST_OK;
        }
    }
    return refuse(p, "At least one selection rule must include tables.");
}

enum status dms_mapping_parse(struct arena *a, struct str json, struct dms_mapping *ret,
                              struct str *ret_error)
{
    struct parser p = { .a = a, .error = ret_error };
    *ret = (struct dms_mapping){ 0 };
    if (json.n > DMS_MAPPING_BYTES_MAX) {
        return refuse(&p, "The table mappings are longer than %u bytes.", DMS_MAPPING_BYTES_MAX);
    }
    struct json_value *doc;
    struct str why;
    if (json_parse(a, json, &doc, &why) != ST_OK) {
        return refuse(&p, "The table mappings are not valid JSON: %.*s", STR_ARG(why));
    }
    enum status st = parse_rules(&p, doc);
    if (st == ST_OK) {
        *ret = (struct dms_mapping){ p.rules, p.n };
    }
    return st;
}

bool dms_mapping_selects(const struct dms_mapping *m, struct str schema, struct str table,
                         int64_t *ret_order)
{
    bool included = false, excluded = false, named = false;
    int64_t order = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct dms_selection *r = &m->rules[i];
        bool hit = r->action == DMS_RULE_EXPLICIT
                       ? str_eq(r->schema, schema) && str_eq(r->table, table)
                       : dms_wildcard(r->schema, schema) && dms_wildcard(r->table, table);
        if (!hit) {
            continue;
        }
        if (r->action == DMS_RULE_EXCLUDE) {
            excluded = true;
            continue;
        }
        included = true;
        named = named || r->action == DMS_RULE_EXPLICIT;
        order = r->load_order > order ? r->load_order : order;
    }
    if (ret_order) {
        *ret_order = order;
    }
    return named || (included && !excluded);
}
