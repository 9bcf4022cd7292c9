#include "emulators/dms/mapping/mapping.h"

#include <stdlib.h>

#include "emulators/dms/mapping/rule_parse.h"
#include "server/base/mem.h"
#include "server/store/expression.h"

enum status dms_rule_refuse(struct dms_rule_parser *p, const char *fmt, ...)
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

enum status dms_rule_members(struct dms_rule_parser *p, const struct json_value *o,
                             const char *const *known, const char *what)
{
    for (const struct json_value *m = o->first; m; m = m->next) {
        bool found = m->kind == JSON_NULL; /* the service's console writes members of all rules */
        for (const char *const *k = known; *k && !found; k++) {
            found = str_eqz(m->key, *k);
        }
        if (!found) {
            return dms_rule_refuse(p, "%s has no member '%.*s'.", what, STR_ARG(m->key));
        }
    }
    return ST_OK;
}

const struct json_value *dms_rule_member(const struct json_value *o, const char *name)
{
    const struct json_value *m = json_get(o, name);
    return m && m->kind != JSON_NULL ? m : NULL;
}

enum status dms_rule_text(struct dms_rule_parser *p, const struct json_value *o, const char *name,
                          struct str *ret)
{
    *ret = json_get_str(o, name);
    return str_empty(*ret) ? dms_rule_refuse(p, "The member '%s' must be a non-empty string.", name)
                           : ST_OK;
}

enum status dms_rule_optional(struct dms_rule_parser *p, const struct json_value *o,
                              const char *name, struct str *ret)
{
    const struct json_value *m = dms_rule_member(o, name);
    if (m && m->kind != JSON_STRING) {
        return dms_rule_refuse(p, "The member '%s' must be a string.", name);
    }
    *ret = m ? m->str : STR_NONE;
    return ST_OK;
}

enum status dms_rule_number(struct dms_rule_parser *p, const struct json_value *o, const char *name,
                            int64_t *ret)
{
    const struct json_value *m = dms_rule_member(o, name);
    if (!m || (m->kind == JSON_STRING && m->str.n == 0)) {
        return ST_OK;
    }
    int64_t v = m->kind == JSON_INT ? m->i : -1;
    if (m->kind == JSON_STRING && str_i64(m->str, &v) != ST_OK) {
        v = -1;
    }
    if (v < 0) {
        return dms_rule_refuse(p, "'%s' must be a whole number from 0 on.", name);
    }
    *ret = v;
    return ST_OK;
}

enum status dms_rule_texts(struct dms_rule_parser *p, const struct json_value *list,
                           const char *name, const struct str **ret, size_t *ret_n)
{
    if (!list || list->kind != JSON_ARRAY) {
        return dms_rule_refuse(p, "The member '%s' must be a list.", name);
    }
    struct str *items = ARENA_ARRAY(p->a, struct str, list->n + 1);
    size_t n = 0;
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (v->kind == JSON_INT) {
            items[n++] = arena_i64(p->a, v->i);
        } else if (v->kind == JSON_STRING) {
            items[n++] = v->str;
        } else {
            return dms_rule_refuse(p, "'%s' must be a list of strings.", name);
        }
    }
    *ret = items;
    *ret_n = n;
    return ST_OK;
}

bool dms_rule_has_wildcard(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' || s.p[i] == '[') {
            return true;
        }
    }
    return false;
}

/* --- all rules -------------------------------------------------------------------------------- */

struct identity {
    uint64_t number;
    struct str name;
};

static enum status parse_identity(struct dms_rule_parser *p, const struct json_value *rule,
                                  const struct identity *seen, size_t seen_n)
{
    const struct json_value *m = json_get(rule, "rule-id");
    struct str id = m && m->kind == JSON_STRING ? m->str : STR_NONE;
    if (m && m->kind == JSON_INT) {
        id = arena_i64(p->a, m->i);
    }
    if (str_u64(id, &p->number) != ST_OK) {
        return dms_rule_refuse(p, "Every rule needs a numeric 'rule-id'.");
    }
    p->id = id;
    enum status st = dms_rule_text(p, rule, "rule-name", &p->name);
    for (size_t i = 0; st == ST_OK && i < seen_n; i++) {
        if (seen[i].number == p->number) {
            st = dms_rule_refuse(p, "The 'rule-id' is used twice.");
        } else if (str_eq(seen[i].name, p->name)) {
            st = dms_rule_refuse(p, "The 'rule-name' '%.*s' is used twice.", STR_ARG(p->name));
        }
    }
    return st;
}

static enum status parse_rule(struct dms_rule_parser *p, const struct json_value *rule)
{
    static const struct {
        const char *type;
        enum status (*parse)(struct dms_rule_parser *p, const struct json_value *rule);
    } types[] = {
        { "selection", dms_rule_selection },
        { "transformation", dms_rule_transform },
        { "table-settings", dms_rule_settings },
    };
    struct str type;
    enum status st = dms_rule_text(p, rule, "rule-type", &type);
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_eqz(type, types[i].type)) {
            return types[i].parse(p, rule);
        }
    }
    if (str_eqz(type, "post-processing")) {
        return dms_rule_refuse(p, "Rules with rule-type 'post-processing' (tags of the S3 "
                                  "objects) are not implemented here. Remove the rule.");
    }
    if (str_eqz(type, "object-mapping")) {
        return dms_rule_refuse(p, "Rules with rule-type 'object-mapping' don't apply to an Amazon "
                                  "S3 target.");
    }
    return dms_rule_refuse(p, "The rule-type '%.*s' is unknown.", STR_ARG(type));
}

static int by_number(const void *a, const void *b)
{
    const struct dms_transform *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static enum status check_includes(struct dms_rule_parser *p)
{
    p->id = STR_NONE;
    for (size_t i = 0; i < p->selections_n; i++) {
        if (p->selections[i].action != DMS_RULE_EXCLUDE) {
            return ST_OK;
        }
    }
    return dms_rule_refuse(p, "At least one selection rule must include tables.");
}

static enum status parse_rules(struct dms_rule_parser *p, const struct json_value *doc)
{
    static const char *const known[] = { "rules", NULL };
    if (doc->kind != JSON_OBJECT) {
        return dms_rule_refuse(p,
                               "The table mappings must be a JSON object with the member 'rules'.");
    }
    enum status st = dms_rule_members(p, doc, known, "The table mappings document");
    if (st != ST_OK) {
        return st;
    }
    const struct json_value *rules = json_get(doc, "rules");
    if (!rules || rules->kind != JSON_ARRAY || rules->n < 1) {
        return dms_rule_refuse(p, "'rules' must be a list with at least one selection rule.");
    }
    if (rules->n > DMS_MAPPING_RULES_MAX) {
        return dms_rule_refuse(p, "There are %zu rules; at most %d are possible.", rules->n,
                               DMS_MAPPING_RULES_MAX);
    }
    struct identity *seen = ARENA_ARRAY(p->a, struct identity, rules->n);
    p->selections = ARENA_ARRAY(p->a, struct dms_selection, rules->n);
    p->transforms = ARENA_ARRAY(p->a, struct dms_transform, rules->n);
    p->settings = ARENA_ARRAY(p->a, struct dms_table_settings, rules->n);
    size_t n = 0;
    for (const struct json_value *rule = rules->first; rule && st == ST_OK; rule = rule->next) {
        p->id = STR_NONE;
        if (rule->kind != JSON_OBJECT) {
            return dms_rule_refuse(p, "Every item of 'rules' must be an object.");
        }
        st = parse_identity(p, rule, seen, n);
        seen[n++] = (struct identity){ p->number, p->name };
        if (st == ST_OK) {
            st = parse_rule(p, rule);
        }
    }
    qsort(p->transforms, p->transforms_n, sizeof(*p->transforms), by_number);
    return st == ST_OK ? check_includes(p) : st;
}

enum status dms_mapping_parse(struct arena *a, struct str json, struct dms_mapping *ret,
                              struct str *ret_error)
{
    struct dms_rule_parser p = { .a = a, .error = ret_error };
    *ret = (struct dms_mapping){ 0 };
    if (json.n > DMS_MAPPING_BYTES_MAX) {
        return dms_rule_refuse(&p, "The table mappings are longer than %u bytes.",
                               DMS_MAPPING_BYTES_MAX);
    }
    struct json_value *doc;
    struct str why;
    if (json_parse(a, json, &doc, &why) != ST_OK) {
        *ret_error = arena_printf(a, "Invalid Table Mappings document: it is not valid JSON: %.*s",
                                  STR_ARG(why));
        return ST_INVALID;
    }
    enum status st = parse_rules(&p, doc);
    expressions_free(p.expressions);
    if (st != ST_OK) {
        return st;
    }
    *ret = (struct dms_mapping){ .rules = p.selections,
                                 .n = p.selections_n,
                                 .transforms = p.transforms,
                                 .transforms_n = p.transforms_n,
                                 .settings = p.settings,
                                 .settings_n = p.settings_n };
    for (size_t i = 0; i < p.selections_n; i++) {
        ret->wants_views = ret->wants_views ||
                           (p.selections[i].views && p.selections[i].action != DMS_RULE_EXCLUDE);
    }
    for (size_t i = 0; i < p.transforms_n; i++) {
        ret->wants_sequence = ret->wants_sequence || (str_set(p.transforms[i].expression) &&
                                                      str_find_str(p.transforms[i].expression,
                                                                   STR("AR_H_CHANGE_SEQ")) >= 0);
    }
    for (size_t i = 0; i < p.settings_n; i++) {
        ret->wants_segments = ret->wants_segments || p.settings[i].parallel != DMS_PARALLEL_NONE;
    }
    return ST_OK;
}

/* --- selection -------------------------------------------------------------------------------- */

bool dms_selection_hits(const struct dms_selection *r, struct str schema, struct str table)
{
    return r->action == DMS_RULE_EXPLICIT
               ? str_eq(r->schema, schema) && str_eq(r->table, table)
               : dms_wildcard(r->schema, schema) && dms_wildcard(r->table, table);
}

static bool selects(const struct dms_mapping *m, struct str schema, struct str table, bool view,
                    int64_t *ret_order)
{
    bool included = false, excluded = false, named = false;
    int64_t order = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct dms_selection *r = &m->rules[i];
        if (!(view ? r->views : r->tables) || !dms_selection_hits(r, schema, table)) {
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

bool dms_mapping_selects(const struct dms_mapping *m, struct str schema, struct str table,
                         int64_t *ret_order)
{
    return selects(m, schema, table, false, ret_order);
}

bool dms_mapping_selects_view(const struct dms_mapping *m, struct str schema, struct str view,
                              int64_t *ret_order)
{
    return selects(m, schema, view, true, ret_order);
}
