#include "emulators/dms/dms_mapping.h"

#include <cjson/cJSON.h>

#include "server/base/mem.h"

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

static void delete_json(cJSON **doc)
{
    cJSON_Delete(*doc);
}

/* First member of `o` that isn't in the NULL-terminated list, or NULL. */
static const char *stranger(const cJSON *o, const char *const *known)
{
    for (const cJSON *m = o->child; m; m = m->next) {
        bool found = false;
        for (const char *const *k = known; *k && !found; k++) {
            found = strcmp(*k, m->string) == 0;
        }
        if (!found) {
            return m->string;
        }
    }
    return NULL;
}

static enum status need_text(struct parser *p, const cJSON *o, const char *name, struct str *ret)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, name);
    if (!cJSON_IsString(m) || m->valuestring[0] == '\0') {
        return refuse(p, "The member '%s' must be a non-empty string.", name);
    }
    *ret = arena_strz(p->a, m->valuestring);
    return ST_OK;
}

static enum status parse_id(struct parser *p, const cJSON *rule)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(rule, "rule-id");
    struct str id = STR_NONE;
    if (cJSON_IsString(m)) {
        id = arena_strz(p->a, m->valuestring);
    } else if (cJSON_IsNumber(m) && m->valuedouble >= 0 && m->valuedouble < 1e15) {
        id = arena_printf(p->a, "%.0f", m->valuedouble);
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

static enum status parse_action(struct parser *p, const cJSON *rule, enum dms_rule_action *ret)
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
        return refuse(p, "'rule-action' is '%.*s'; a selection rule has include, exclude or "
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

static enum status parse_locator(struct parser *p, const cJSON *rule, struct dms_selection *sel)
{
    static const char *const known[] = { "schema-name", "table-name", "table-type", NULL };
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(rule, "object-locator");
    if (!cJSON_IsObject(o)) {
        return refuse(p, "The member 'object-locator' must be an object.");
    }
    const char *odd = stranger(o, known);
    if (odd) {
        return refuse(p, "'object-locator' has the unknown member '%s'.", odd);
    }
    enum status st = need_text(p, o, "schema-name", &sel->schema);
    if (st == ST_OK) {
        st = need_text(p, o, "table-name", &sel->table);
    }
    if (st != ST_OK) {
        return st;
    }
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(o, "table-type");
    if (type && !(cJSON_IsString(type) && strcmp(type->valuestring, "table") == 0)) {
        return refuse(p, "'table-type' must be 'table'; views are not implemented.");
    }
    if (sel->action == DMS_RULE_EXPLICIT && (has_wildcard(sel->schema) || has_wildcard(sel->table))) {
        return refuse(p, "An explicit rule needs exact names without wildcards.");
    }
    return ST_OK;
}

static enum status parse_load_order(struct parser *p, const cJSON *rule, int64_t *ret)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(rule, "load-order");
    if (!m || cJSON_IsNull(m)) {
        return ST_OK;
    }
    if (cJSON_IsNumber(m) && m->valuedouble >= 0 && m->valuedouble <= 2147483647) {
        *ret = (int64_t)m->valuedouble;
        return ST_OK;
    }
    if (cJSON_IsString(m) && str_i64(str_z(m->valuestring), ret) == ST_OK && *ret >= 0) {
        return ST_OK;
    }
    return refuse(p, "'load-order' must be a whole number from 0 on.");
}

static enum status parse_selection(struct parser *p, const cJSON *rule)
{
    static const char *const known[] = { "rule-type",   "rule-id",    "rule-name", "object-locator",
                                         "rule-action", "load-order", "filters",   NULL };
    struct dms_selection *sel = &p->rules[p->n];
    const char *odd = stranger(rule, known);
    if (odd) {
        return refuse(p, "A selection rule has no member '%s'.", odd);
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
    const cJSON *filters = cJSON_GetObjectItemCaseSensitive(rule, "filters");
    if (filters && !cJSON_IsNull(filters) &&
        !(cJSON_IsArray(filters) && cJSON_GetArraySize(filters) == 0)) {
        return refuse(p, "'filters' are not implemented here; remove them or leave the list empty.");
    }
    p->n++;
    return ST_OK;
}

static enum status parse_rule(struct parser *p, const cJSON *rule)
{
    p->id = STR_NONE;
    if (!cJSON_IsObject(rule)) {
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
        return refuse(p, "Rules with rule-type '%.*s' are not implemented here; only 'selection' "
                         "rules are. Remove the rule.",
                      STR_ARG(type));
    }
    return refuse(p, "The rule-type '%.*s' is unknown.", STR_ARG(type));
}

static enum status parse_rules(struct parser *p, const cJSON *doc)
{
    static const char *const known[] = { "rules", NULL };
    if (!cJSON_IsObject(doc)) {
        return refuse(p, "The table mappings must be a JSON object with the member 'rules'.");
    }
    const char *odd = stranger(doc, known);
    if (odd) {
        return refuse(p, "The table mappings have the unknown member '%s'.", odd);
    }
    const cJSON *rules = cJSON_GetObjectItemCaseSensitive(doc, "rules");
    int count = cJSON_IsArray(rules) ? cJSON_GetArraySize(rules) : 0;
    if (count < 1) {
        return refuse(p, "'rules' must be a list with at least one selection rule.");
    }
    if (count > DMS_MAPPING_RULES_MAX) {
        return refuse(p, "There are %d rules; at most %d are possible.", count,
                      DMS_MAPPING_RULES_MAX);
    }
    p->rules = ARENA_ARRAY(p->a, struct dms_selection, (size_t)count);
    const cJSON *rule;
    cJSON_ArrayForEach(rule, rules)
    {
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
    const char *end = NULL;
    CLEANUP(delete_json) cJSON *doc =
        cJSON_ParseWithLengthOpts(json.p ? json.p : "", json.n, &end, 0);
    if (!doc) {
        size_t at = end && json.p && end >= json.p ? (size_t)(end - json.p) : 0;
        return refuse(&p, "The table mappings are not valid JSON (near byte %zu).", at);
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
