/* Transformation rules. */
#include "emulators/dms/mapping/expression_host.h"
#include "emulators/dms/mapping/rule_parse.h"
#include "server/base/mem.h"
#include "server/store/expression.h"

enum need {
    NEED_VALUE = 1,
    NEED_OLD_VALUE = 2,
    NEED_TYPE = 4,
    NEED_KEY = 8,
    NEED_BEFORE = 16,
    NEED_COLUMN = 32, /* object-locator's column-name */
    MAY_EXPRESSION = 64,
    MAY_TYPE = 128,
};
#define ON(target) (1u << (target))
#define ON_ALL (ON(DMS_TARGET_SCHEMA) | ON(DMS_TARGET_TABLE) | ON(DMS_TARGET_COLUMN))

static const struct action_word {
    const char *word;
    enum dms_transform_action action;
    unsigned targets;
    unsigned needs;
} actions[] = {
    { "rename", DMS_ACT_RENAME, ON_ALL, NEED_VALUE },
    { "convert-lowercase", DMS_ACT_LOWERCASE, ON_ALL, 0 },
    { "convert-uppercase", DMS_ACT_UPPERCASE, ON_ALL, 0 },
    { "add-prefix", DMS_ACT_ADD_PREFIX, ON_ALL, NEED_VALUE },
    { "remove-prefix", DMS_ACT_REMOVE_PREFIX, ON_ALL, NEED_VALUE },
    { "replace-prefix", DMS_ACT_REPLACE_PREFIX, ON_ALL, NEED_VALUE | NEED_OLD_VALUE },
    { "add-suffix", DMS_ACT_ADD_SUFFIX, ON_ALL, NEED_VALUE },
    { "remove-suffix", DMS_ACT_REMOVE_SUFFIX, ON_ALL, NEED_VALUE },
    { "replace-suffix", DMS_ACT_REPLACE_SUFFIX, ON_ALL, NEED_VALUE | NEED_OLD_VALUE },
    { "remove-column", DMS_ACT_REMOVE_COLUMN, ON(DMS_TARGET_COLUMN), NEED_COLUMN },
    { "add-column", DMS_ACT_ADD_COLUMN, ON(DMS_TARGET_COLUMN),
      NEED_VALUE | MAY_EXPRESSION | MAY_TYPE },
    { "change-data-type", DMS_ACT_CHANGE_TYPE, ON(DMS_TARGET_COLUMN),
      NEED_COLUMN | NEED_TYPE | MAY_TYPE },
    { "define-primary-key", DMS_ACT_DEFINE_KEY, ON(DMS_TARGET_TABLE), NEED_KEY },
    { "add-before-image-columns", DMS_ACT_BEFORE_IMAGE, ON(DMS_TARGET_COLUMN), NEED_BEFORE },
};

static const struct {
    const char *word;
    enum dms_rule_target target;
} targets[] = {
    { "schema", DMS_TARGET_SCHEMA },
    { "table", DMS_TARGET_TABLE },
    { "column", DMS_TARGET_COLUMN },
};

static enum status parse_target(struct dms_rule_parser *p, const struct json_value *rule,
                                enum dms_rule_target *ret)
{
    struct str word;
    enum status st = dms_rule_text(p, rule, "rule-target", &word);
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        if (str_eqz(word, targets[i].word)) {
            *ret = targets[i].target;
            return ST_OK;
        }
    }
    if (str_eqz(word, "table-tablespace") || str_eqz(word, "index-tablespace")) {
        return dms_rule_refuse(p, "The rule-target '%.*s' is for Oracle targets only.",
                               STR_ARG(word));
    }
    return dms_rule_refuse(p,
                           "The rule-target '%.*s' is unknown; there are schema, table and "
                           "column.",
                           STR_ARG(word));
}

static enum status parse_action(struct dms_rule_parser *p, const struct json_value *rule,
                                enum dms_rule_target target, const struct action_word **ret)
{
    struct str word;
    enum status st = dms_rule_text(p, rule, "rule-action", &word);
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (str_eqz(word, actions[i].word)) {
            *ret = &actions[i];
            return actions[i].targets & ON(target)
                       ? ST_OK
                       : dms_rule_refuse(p,
                                         "The rule-action '%s' doesn't go with the rule-target "
                                         "'%s'.",
                                         actions[i].word, targets[target].word);
        }
    }
    if (str_eqz(word, "include-column") || str_starts(word, STR("data-masking-"))) {
        return dms_rule_refuse(p,
                               "The rule-action '%.*s' is not implemented here. Remove the "
                               "rule.",
                               STR_ARG(word));
    }
    return dms_rule_refuse(p, "The rule-action '%.*s' of a transformation rule is unknown.",
                           STR_ARG(word));
}

static enum status parse_locator(struct dms_rule_parser *p, const struct json_value *rule,
                                 const struct action_word *action, struct dms_transform *t)
{
    static const char *const known[] = { "schema-name", "table-name", "table-type",
                                         "column-name", "data-type",  NULL };
    const struct json_value *o = json_get(rule, "object-locator");
    if (!o || o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The member 'object-locator' must be an object.");
    }
    enum status st = dms_rule_members(p, o, known, "'object-locator' of a transformation rule");
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "schema-name", &t->schema);
    }
    if (st == ST_OK) {
        st = t->target == DMS_TARGET_SCHEMA ? dms_rule_optional(p, o, "table-name", &t->table)
                                            : dms_rule_text(p, o, "table-name", &t->table);
    }
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "column-name", &t->column);
    }
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "data-type", &t->column_type);
    }
    if (st != ST_OK) {
        return st;
    }
    bool names = t->action <= DMS_ACT_REPLACE_SUFFIX;
    if (t->target == DMS_TARGET_COLUMN && (names || (action->needs & NEED_COLUMN)) &&
        str_empty(t->column)) {
        return dms_rule_refuse(p, "'object-locator' needs a 'column-name'.");
    }
    if (str_set(t->column_type) && dms_type_find(t->column_type) == DMS_TYPE_NONE) {
        return dms_rule_refuse(p, "The data-type '%.*s' of 'object-locator' is unknown.",
                               STR_ARG(t->column_type));
    }
    return ST_OK;
}

/* --- members of single actions ---------------------------------------------------------------- */

static enum status parse_type(struct dms_rule_parser *p, const struct json_value *rule,
                              const struct action_word *action, struct dms_data_type *ret)
{
    static const char *const known[] = { "type", "length", "precision", "scale", NULL };
    *ret = (struct dms_data_type){ .precision = -1, .scale = -1 };
    const struct json_value *o = dms_rule_member(rule, "data-type");
    if (!o) {
        return action->needs & NEED_TYPE
                   ? dms_rule_refuse(p, "The rule-action '%s' needs a 'data-type'.", action->word)
                   : ST_OK;
    }
    if (!(action->needs & MAY_TYPE)) {
        return dms_rule_refuse(p, "The rule-action '%s' has no 'data-type'.", action->word);
    }
    if (o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The member 'data-type' must be an object.");
    }
    struct str name;
    int64_t length = 0, precision = -1, scale = -1;
    enum status st = dms_rule_members(p, o, known, "'data-type'");
    if (st == ST_OK) {
        st = dms_rule_text(p, o, "type", &name);
    }
    if (st == ST_OK) {
        st = dms_rule_number(p, o, "length", &length);
    }
    if (st == ST_OK) {
        st = dms_rule_number(p, o, "precision", &precision);
    }
    if (st == ST_OK) {
        st = dms_rule_number(p, o, "scale", &scale);
    }
    if (st != ST_OK) {
        return st;
    }
    ret->type = dms_type_find(name);
    if (ret->type == DMS_TYPE_NONE) {
        return dms_rule_refuse(p, "The data type '%.*s' is unknown.", STR_ARG(name));
    }
    if (length > INT32_MAX || precision > 100 || scale > 100) {
        return dms_rule_refuse(p, "'data-type' has a length, precision or scale out of range.");
    }
    ret->length = (int32_t)length;
    ret->precision = (int32_t)precision;
    ret->scale = (int32_t)scale;
    return ST_OK;
}

static enum status parse_key(struct dms_rule_parser *p, const struct json_value *rule,
                             const struct action_word *action, struct dms_transform *t)
{
    static const char *const known[] = { "name", "origin", "columns", NULL };
    const struct json_value *o = dms_rule_member(rule, "primary-key-def");
    if (!(action->needs & NEED_KEY)) {
        return o ? dms_rule_refuse(p, "The rule-action '%s' has no 'primary-key-def'.",
                                   action->word)
                 : ST_OK;
    }
    if (!o || o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The rule-action '%s' needs the object 'primary-key-def'.",
                               action->word);
    }
    struct str name, origin;
    enum status st = dms_rule_members(p, o, known, "'primary-key-def'");
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "name", &name);
    }
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "origin", &origin);
    }
    if (st == ST_OK && str_set(origin) && !str_eqz(origin, "primary-key") &&
        !str_eqz(origin, "unique-index")) {
        st = dms_rule_refuse(p, "The 'origin' of 'primary-key-def' must be primary-key or "
                                "unique-index.");
    }
    if (st == ST_OK) {
        st = dms_rule_texts(p, dms_rule_member(o, "columns"), "columns", &t->key, &t->key_n);
    }
    if (st == ST_OK && t->key_n == 0) {
        st = dms_rule_refuse(p, "'primary-key-def' names no columns.");
    }
    return st;
}

static enum status parse_before(struct dms_rule_parser *p, const struct json_value *rule,
                                const struct action_word *action, struct dms_transform *t)
{
    static const char *const known[] = { "column-prefix", "column-suffix", "column-filter", NULL };
    const struct json_value *o = dms_rule_member(rule, "before-image-def");
    if (!(action->needs & NEED_BEFORE)) {
        return o ? dms_rule_refuse(p, "The rule-action '%s' has no 'before-image-def'.",
                                   action->word)
                 : ST_OK;
    }
    if (!o || o->kind != JSON_OBJECT) {
        return dms_rule_refuse(p, "The rule-action '%s' needs the object 'before-image-def'.",
                               action->word);
    }
    struct str filter;
    enum status st = dms_rule_members(p, o, known, "'before-image-def'");
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "column-prefix", &t->before_prefix);
    }
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "column-suffix", &t->before_suffix);
    }
    if (st == ST_OK) {
        st = dms_rule_optional(p, o, "column-filter", &filter);
    }
    if (st != ST_OK) {
        return st;
    }
    if (str_empty(t->before_prefix) && str_empty(t->before_suffix)) {
        return dms_rule_refuse(p, "'before-image-def' needs a 'column-prefix' or a "
                                  "'column-suffix'.");
    }
    if (!str_set(filter) || str_eqz(filter, "pk-only")) {
        t->before = DMS_BEFORE_PK_ONLY;
    } else if (str_eqz(filter, "non-lob")) {
        t->before = DMS_BEFORE_NON_LOB;
    } else if (str_eqz(filter, "all")) {
        t->before = DMS_BEFORE_ALL;
    } else {
        return dms_rule_refuse(p, "The 'column-filter' of 'before-image-def' must be pk-only, "
                                  "non-lob or all.");
    }
    return ST_OK;
}

/* Tried at once; whether the columns exist is known only with the table. */
static enum status parse_expression(struct dms_rule_parser *p, const struct json_value *rule,
                                    const struct action_word *action, struct dms_transform *t)
{
    enum status st = dms_rule_optional(p, rule, "expression", &t->expression);
    if (st != ST_OK || !str_set(t->expression)) {
        return st;
    }
    if (!(action->needs & MAY_EXPRESSION)) {
        return dms_rule_refuse(p,
                               "An 'expression' with the rule-action '%s' is not implemented "
                               "here; only add-column can have one.",
                               action->word);
    }
    if (!p->expressions && dms_expressions_new(NULL, &p->expressions) != ST_OK) {
        return dms_rule_refuse(p, "The expression can't be tried: no memory is left.");
    }
    char why[EXPRESSION_WHY_MAX];
    struct expression *e;
    if (expression_new(p->expressions, t->expression, &e, why) != ST_OK) {
        return dms_rule_refuse(p, "The expression '%.*s' is not valid: %s.", STR_ARG(t->expression),
                               why);
    }
    for (size_t i = 0; i < expression_inputs(e); i++) {
        struct str name = expression_input(e, i);
        enum dms_variable variable;
        if (dms_variable_reserved(name) && !dms_variable_find(name, &variable)) {
            return dms_rule_refuse(p,
                                   "The expression names '$%.*s', which is not available for a "
                                   "MySQL source.",
                                   STR_ARG(name));
        }
    }
    return ST_OK;
}

static enum status parse_values(struct dms_rule_parser *p, const struct json_value *rule,
                                const struct action_word *action, struct dms_transform *t)
{
    enum status st = dms_rule_optional(p, rule, "value", &t->value);
    if (st == ST_OK) {
        st = dms_rule_optional(p, rule, "old-value", &t->old_value);
    }
    if (st != ST_OK) {
        return st;
    }
    bool may_be_empty =
        action->action == DMS_ACT_REPLACE_PREFIX || action->action == DMS_ACT_REPLACE_SUFFIX;
    if ((action->needs & NEED_VALUE) && (may_be_empty ? !str_set(t->value) : str_empty(t->value))) {
        return dms_rule_refuse(p, "The rule-action '%s' needs a 'value'.", action->word);
    }
    if (!(action->needs & NEED_VALUE) && !str_empty(t->value)) {
        return dms_rule_refuse(p, "The rule-action '%s' has no 'value'.", action->word);
    }
    if ((action->needs & NEED_OLD_VALUE) && str_empty(t->old_value)) {
        return dms_rule_refuse(p, "The rule-action '%s' needs an 'old-value'.", action->word);
    }
    if (!(action->needs & NEED_OLD_VALUE) && !str_empty(t->old_value)) {
        return dms_rule_refuse(p, "The rule-action '%s' has no 'old-value'.", action->word);
    }
    return ST_OK;
}

/* --- conflicts -------------------------------------------------------------------------------- */

static bool same(struct str a, struct str b)
{
    return (str_empty(a) && str_empty(b)) || str_eq(a, b);
}

/* Do two actions want the same of one object? */
static bool rivals(const struct dms_transform *a, const struct dms_transform *b)
{
    bool names = a->action <= DMS_ACT_REPLACE_SUFFIX && b->action <= DMS_ACT_REPLACE_SUFFIX;
    if (a->target != b->target || !(names || a->action == b->action)) {
        return false;
    }
    return a->action != DMS_ACT_ADD_COLUMN || str_eq(a->value, b->value);
}

static enum status check_conflict(struct dms_rule_parser *p, const struct dms_transform *t)
{
    for (size_t i = 0; i < p->transforms_n; i++) {
        const struct dms_transform *o = &p->transforms[i];
        if (rivals(t, o) && same(t->schema, o->schema) && same(t->table, o->table) &&
            same(t->column, o->column) && same(t->column_type, o->column_type)) {
            return dms_rule_refuse(p,
                                   "The rule with ruleId = %.*s transforms the same objects in "
                                   "the same respect; only one such action is possible.",
                                   STR_ARG(o->id));
        }
    }
    return ST_OK;
}

enum status dms_rule_transform(struct dms_rule_parser *p, const struct json_value *rule)
{
    static const char *const known[] = {
        "rule-type",  "rule-id",   "rule-name",       "rule-target",      "rule-action",
        "value",      "old-value", "object-locator",  "expression",       "data-type",
        "load-order", "tag-set",   "primary-key-def", "before-image-def", NULL,
    };
    struct dms_transform *t = &p->transforms[p->transforms_n];
    t->id = p->id;
    t->number = p->number;
    const struct action_word *action = NULL;
    enum status st = dms_rule_members(p, rule, known, "A transformation rule");
    if (st == ST_OK) {
        st = parse_target(p, rule, &t->target);
    }
    if (st == ST_OK) {
        st = parse_action(p, rule, t->target, &action);
    }
    if (st != ST_OK) {
        return st;
    }
    if (dms_rule_member(rule, "load-order") || dms_rule_member(rule, "tag-set")) {
        return dms_rule_refuse(p, "A transformation rule has no 'load-order' and no 'tag-set'.");
    }
    t->action = action->action;
    static enum status (*const steps[])(struct dms_rule_parser *, const struct json_value *,
                                        const struct action_word *, struct dms_transform *) = {
        parse_locator, parse_values, parse_key, parse_before, parse_expression,
    };
    for (size_t i = 0; i < ARRAY_LEN(steps) && st == ST_OK; i++) {
        st = steps[i](p, rule, action, t);
    }
    if (st == ST_OK) {
        st = parse_type(p, rule, action, &t->type);
    }
    if (st == ST_OK) {
        st = check_conflict(p, t);
    }
    p->transforms_n += st == ST_OK;
    return st;
}
