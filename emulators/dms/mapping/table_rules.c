#include "emulators/dms/mapping/table_rules.h"

#include "emulators/dms/mapping/rule_parse.h"
#include "server/base/map.h"
#include "server/store/expression.h"

struct maker {
    struct arena *a;
    const struct dms_mapping *m;
    const struct mysql_table *def;
    struct dms_table_rules *r;
    struct dms_csv_column *columns;
    size_t n;
    struct dms_cell *cells;
    struct expressions *expressions;
    struct str *why;
    bool changed; /* the columns aren't the plain ones any more */
};

static enum status refuse(struct maker *k, const struct dms_transform *t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum status refuse(struct maker *k, const struct dms_transform *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(k->a, fmt, ap);
    va_end(ap);
    *k->why = arena_printf(k->a, "The rule with ruleId = %.*s can't be followed: %.*s",
                           STR_ARG(t->id), STR_ARG(text));
    return ST_INVALID;
}

bool dms_transform_hits(const struct dms_transform *t, const struct mysql_table *def,
                        const struct mysql_column *c)
{
    if (!dms_wildcard(t->schema, def->schema) ||
        (!str_empty(t->table) && !dms_wildcard(t->table, def->name))) {
        return false;
    }
    if (!c) {
        return true;
    }
    return (str_empty(t->column) || dms_wildcard(t->column, c->name)) &&
           (!str_set(t->column_type) || dms_type_find(t->column_type) == dms_type_of(c).type);
}

/* --- source columns --------------------------------------------------------------------------- */

/* The first rule of these actions for the column; more of them are worth a warning. */
static const struct dms_transform *rule_for(struct maker *k, const struct mysql_column *c,
                                            enum dms_transform_action low,
                                            enum dms_transform_action high)
{
    const struct dms_transform *found = NULL;
    for (size_t i = 0; i < k->m->transforms_n; i++) {
        const struct dms_transform *t = &k->m->transforms[i];
        if (t->target != DMS_TARGET_COLUMN || t->action < low || t->action > high ||
            !dms_transform_hits(t, k->def, c)) {
            continue;
        }
        if (found) {
            if (!str_set(k->r->warning)) {
                k->r->warning = arena_printf(
                    k->a,
                    "column '%.*s' is transformed by the rule with ruleId = %.*s; the one with "
                    "ruleId = %.*s has no effect on it",
                    STR_ARG(c->name), STR_ARG(found->id), STR_ARG(t->id));
            }
            break;
        }
        found = t;
    }
    return found;
}

static struct dms_cell *add_cell(struct maker *k)
{
    k->changed = true;
    ARENA_GROW(k->a, k->cells, k->r->cells_n);
    struct dms_cell *cell = &k->cells[k->r->cells_n++];
    *cell = (struct dms_cell){ 0 };
    return cell;
}

/* The number of the newest cell's value in a row. */
static uint32_t last_slot(const struct maker *k)
{
    return (uint32_t)(k->def->columns_n + k->r->cells_n - 1);
}

static enum status convert_column(struct maker *k, const struct mysql_column *c,
                                  struct dms_csv_column *out)
{
    const struct dms_transform *t = rule_for(k, c, DMS_ACT_CHANGE_TYPE, DMS_ACT_CHANGE_TYPE);
    if (!t) {
        return ST_OK;
    }
    if (dms_type_is_lob(c)) {
        if (dms_rule_has_wildcard(t->column)) {
            return ST_OK; /* LOB columns keep their type */
        }
        return refuse(k, t, "column '%.*s' (%.*s) is a LOB column, which can only be removed.",
                      STR_ARG(c->name), STR_ARG(c->type_text));
    }
    struct dms_cell *cell = add_cell(k);
    cell->kind = DMS_CELL_CONVERTED;
    cell->name = out->name;
    cell->column = out->index;
    cell->type = t->type;
    out->index = last_slot(k);
    out->type = &t->type;
    return ST_OK;
}

/* A column that the source has no more: always NULL. Rules are found by its name. */
static void gone_column(struct maker *k, const struct dms_csv_column *column)
{
    static const struct dms_data_type text = { .type = DMS_TYPE_STRING,
                                               .precision = -1,
                                               .scale = -1 };
    const struct mysql_column c = { .name = column->gone, .family = MYSQL_F_VARCHAR };
    if (rule_for(k, &c, DMS_ACT_REMOVE_COLUMN, DMS_ACT_REMOVE_COLUMN)) {
        return;
    }
    const struct dms_transform *t = rule_for(k, &c, DMS_ACT_RENAME, DMS_ACT_REPLACE_SUFFIX);
    struct dms_cell *cell = add_cell(k);
    cell->kind = DMS_CELL_NULL;
    cell->name = column->gone;
    cell->type = text;
    struct dms_csv_column *out = &k->columns[k->n++];
    *out = *column;
    out->name = t ? dms_transform_name(k->a, t, c.name) : column->gone;
    out->index = last_slot(k);
    out->type = &text;
}

static enum status source_columns(struct maker *k, const struct dms_csv_plan *plan)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < plan->n && st == ST_OK; i++) {
        if (str_set(plan->columns[i].gone)) {
            gone_column(k, &plan->columns[i]);
            continue;
        }
        const struct mysql_column *c = &k->def->columns[plan->columns[i].index];
        if (rule_for(k, c, DMS_ACT_REMOVE_COLUMN, DMS_ACT_REMOVE_COLUMN)) {
            k->changed = true;
            continue;
        }
        struct dms_csv_column *out = &k->columns[k->n++];
        *out = plan->columns[i];
        const struct dms_transform *t = rule_for(k, c, DMS_ACT_RENAME, DMS_ACT_REPLACE_SUFFIX);
        if (t) {
            out->name = dms_transform_name(k->a, t, c->name);
            k->changed = true;
        }
        st = convert_column(k, c, out);
    }
    return st;
}

/* --- added columns ---------------------------------------------------------------------------- */

/* Exactly, or as MySQL compares names of columns. */
static int find_column(const struct mysql_table *def, struct str name)
{
    for (size_t i = 0; i < def->columns_n; i++) {
        if (str_eq(def->columns[i].name, name)) {
            return (int)i;
        }
    }
    return mysql_table_find(def, name);
}

static enum status resolve_input(struct maker *k, const struct dms_transform *t, struct str name,
                                 struct dms_input *ret)
{
    *ret = (struct dms_input){ .is_variable = dms_variable_reserved(name) };
    if (ret->is_variable) {
        if (!dms_variable_find(name, &ret->variable)) {
            return refuse(k, t, "there is no variable '$%.*s'.", STR_ARG(name));
        }
        k->r->wants_position |= ret->variable == DMS_VAR_STREAM_POSITION;
        k->r->wants_sequence |= ret->variable == DMS_VAR_CHANGE_SEQ;
        return ST_OK;
    }
    int at = find_column(k->def, name);
    if (at < 0) {
        return refuse(k, t, "its expression names '$%.*s', but table %.*s.%.*s has no such column.",
                      STR_ARG(name), STR_ARG(k->def->schema), STR_ARG(k->def->name));
    }
    if (dms_type_is_lob(&k->def->columns[at])) {
        return refuse(k, t, "its expression names '$%.*s', which is a LOB column.", STR_ARG(name));
    }
    ret->column = (uint32_t)at;
    return ST_OK;
}

/* Nothing but the name of a column whose numbers have more digits than SQLite's: its value is taken
 * as it is. */
static bool exact_copy(const struct maker *k, const struct dms_cell *cell)
{
    if (cell->inputs_n != 1 || cell->inputs[0].is_variable) {
        return false;
    }
    const struct mysql_column *c = &k->def->columns[cell->inputs[0].column];
    struct str text = str_trim(cell->expression);
    return (c->family == MYSQL_F_DECIMAL || c->family == MYSQL_F_BIGINT) && text.n > 0 &&
           text.p[0] == '$' && find_column(k->def, str_sub(text, 1, text.n)) >= 0;
}

static enum status resolve_expression(struct maker *k, const struct dms_transform *t,
                                      struct dms_cell *cell)
{
    char why[EXPRESSION_WHY_MAX];
    struct expression *e;
    if (!k->expressions && dms_expressions_new(NULL, &k->expressions) != ST_OK) {
        return refuse(k, t, "no memory is left for its expression.");
    }
    if (expression_new(k->expressions, t->expression, &e, why) != ST_OK) {
        return refuse(k, t, "its expression is not valid: %s.", why);
    }
    size_t n = expression_inputs(e);
    struct dms_input *inputs = ARENA_ARRAY(k->a, struct dms_input, n + 1);
    enum status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = resolve_input(k, t, expression_input(e, i), &inputs[i]);
    }
    cell->kind = DMS_CELL_EXPRESSION;
    cell->expression = t->expression;
    cell->inputs = inputs;
    cell->inputs_n = n;
    if (st == ST_OK && exact_copy(k, cell)) {
        cell->kind = DMS_CELL_CONVERTED;
        cell->column = inputs[0].column;
        if (cell->type.type == DMS_TYPE_NONE) {
            cell->type.type = DMS_TYPE_STRING;
        }
    }
    return st;
}

static void put_column(struct maker *k, struct str name, const struct dms_data_type *type)
{
    k->columns[k->n++] = (struct dms_csv_column){
        .index = last_slot(k),
        .source = DMS_CSV_NO_SOURCE,
        .name = name,
        .type = type,
    };
}

static enum status added_columns(struct maker *k)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < k->m->transforms_n && st == ST_OK; i++) {
        const struct dms_transform *t = &k->m->transforms[i];
        if (t->action != DMS_ACT_ADD_COLUMN || !dms_transform_hits(t, k->def, NULL)) {
            continue;
        }
        struct dms_cell *cell = add_cell(k);
        cell->kind = DMS_CELL_NULL;
        cell->name = t->value;
        cell->type = t->type;
        if (str_set(t->expression)) {
            st = resolve_expression(k, t, cell);
        }
        put_column(k, t->value, &t->type);
    }
    return st;
}

static bool wants_before(const struct dms_transform *t, const struct mysql_table *def,
                         const struct mysql_column *c)
{
    return dms_transform_hits(t, def, c) && !dms_type_is_lob(c) &&
           (t->before != DMS_BEFORE_PK_ONLY || c->pk > 0);
}

static void before_columns(struct maker *k, size_t sources)
{
    for (size_t i = 0; i < k->m->transforms_n; i++) {
        const struct dms_transform *t = &k->m->transforms[i];
        if (t->action != DMS_ACT_BEFORE_IMAGE || !dms_transform_hits(t, k->def, NULL)) {
            continue;
        }
        for (size_t j = 0; j < sources; j++) {
            uint32_t source = k->columns[j].source;
            if (source == DMS_CSV_NO_SOURCE) {
                continue;
            }
            if (!wants_before(t, k->def, &k->def->columns[source])) {
                continue;
            }
            struct str name = arena_printf(k->a, "%.*s%.*s%.*s", STR_ARG(t->before_prefix),
                                           STR_ARG(k->columns[j].name), STR_ARG(t->before_suffix));
            struct dms_cell *cell = add_cell(k);
            cell->kind = DMS_CELL_BEFORE;
            cell->name = name;
            cell->column = source;
            cell->only_when_key = t->before == DMS_BEFORE_PK_ONLY;
            if (k->columns[j].type) {
                cell->type = *k->columns[j].type;
            } else {
                cell->type = (struct dms_data_type){ .precision = -1, .scale = -1 };
            }
            put_column(k, name, k->columns[j].type);
            k->columns[k->n - 1].like = source;
        }
    }
}

/* --- key -------------------------------------------------------------------------------------- */

/* The column's name in the target; absent when the files lack it. */
static struct str name_of(const struct maker *k, uint32_t source)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->columns[i].source == source) {
            return k->columns[i].name;
        }
    }
    return STR_NONE;
}

static bool is_target_name(const struct maker *k, struct str name)
{
    for (size_t i = 0; i < k->n; i++) {
        if (str_eq(k->columns[i].name, name)) {
            return true;
        }
    }
    return false;
}

static enum status defined_key(struct maker *k, const struct dms_transform *t)
{
    struct str *key = ARENA_ARRAY(k->a, struct str, t->key_n);
    for (size_t i = 0; i < t->key_n; i++) {
        key[i] = t->key[i];
        if (!is_target_name(k, key[i])) {
            int at = find_column(k->def, key[i]);
            key[i] = at >= 0 ? name_of(k, (uint32_t)at) : STR_NONE;
        }
        if (!str_set(key[i])) {
            return refuse(k, t, "table %.*s.%.*s has no column '%.*s' for the key.",
                          STR_ARG(k->def->schema), STR_ARG(k->def->name), STR_ARG(t->key[i]));
        }
    }
    k->r->key = key;
    k->r->key_n = t->key_n;
    k->changed = true;
    return ST_OK;
}

static enum status make_key(struct maker *k)
{
    for (size_t i = 0; i < k->m->transforms_n; i++) {
        const struct dms_transform *t = &k->m->transforms[i];
        if (t->action == DMS_ACT_DEFINE_KEY && dms_transform_hits(t, k->def, NULL)) {
            return defined_key(k, t);
        }
    }
    struct str *key = ARENA_ARRAY(k->a, struct str, k->def->pk_n + 1);
    for (size_t i = 0; i < k->def->pk_n; i++) {
        key[i] = name_of(k, k->def->pk[i]);
        if (!str_set(key[i])) {
            return ST_OK; /* removed: the files have no key */
        }
    }
    k->r->key = key;
    k->r->key_n = k->def->pk_n;
    return ST_OK;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum status check_names(struct maker *k)
{
    struct map seen;
    map_init(&seen);
    enum status st = ST_OK;
    for (size_t i = 0; i < k->n && st == ST_OK; i++) {
        if (map_put(&seen, k->columns[i].name, k)) {
            *k->why = arena_printf(k->a,
                                   "The transformation rules give two columns of table %.*s.%.*s "
                                   "the name '%.*s'.",
                                   STR_ARG(k->def->schema), STR_ARG(k->def->name),
                                   STR_ARG(k->columns[i].name));
            st = ST_INVALID;
        }
    }
    map_fini(&seen);
    if (st == ST_OK && k->n == 0) {
        *k->why = arena_printf(k->a, "The rules leave table %.*s.%.*s no column.",
                               STR_ARG(k->def->schema), STR_ARG(k->def->name));
        st = ST_INVALID;
    }
    return st;
}

static size_t most_columns(const struct dms_mapping *m, const struct dms_csv_plan *plan)
{
    size_t n = plan->n + 1;
    for (size_t i = 0; i < m->transforms_n; i++) {
        n += m->transforms[i].action == DMS_ACT_ADD_COLUMN;
        n += m->transforms[i].action == DMS_ACT_BEFORE_IMAGE ? plan->n : 0;
    }
    return n;
}

static enum status make(struct maker *k, struct dms_csv_plan *plan)
{
    enum status st = source_columns(k, plan);
    size_t sources = k->n;
    if (st == ST_OK) {
        st = added_columns(k);
    }
    if (st == ST_OK) {
        before_columns(k, sources);
        st = make_key(k);
    }
    if (st == ST_OK) {
        st = check_names(k);
    }
    k->r->cells = k->cells;
    return st == ST_OK ? dms_filters_make(k->a, k->m, k->def, k->r, k->why) : st;
}

enum status dms_table_rules_make(struct arena *a, const struct dms_mapping *m,
                                 const struct mysql_table *def, struct dms_csv_plan *plan,
                                 struct dms_table_rules **ret, struct str *ret_why)
{
    *ret = NULL;
    struct maker k = { .a = a, .m = m, .def = def, .why = ret_why };
    k.r = ARENA_NEW(a, struct dms_table_rules);
    k.r->def = def;
    k.columns = ARENA_ARRAY(a, struct dms_csv_column, most_columns(m, plan));
    enum status st = make(&k, plan);
    expressions_free(k.expressions);
    if (st == ST_OK && (k.changed || k.r->filters_n > 0)) {
        *plan = (struct dms_csv_plan){ k.columns, k.n };
        *ret = k.r;
    }
    return st;
}
