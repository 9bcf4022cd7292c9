/* Which rows of a table pass: the same as a condition for the SELECT of a load and as a decision
 * about a change. */
#include "emulators/dms/mapping/table_rules.h"
#include "server/base/buf.h"

#define WHERE_MAX (1u << 20)

struct maker {
    struct arena *a;
    const struct mysql_table *def;
    const struct dms_selection *rule;
    struct buf where;
    struct str *why;
};

static enum status refuse(struct maker *k, struct str why)
{
    *k->why = arena_printf(k->a,
                           "A filter of the rule with ruleId = %.*s can't be applied to table "
                           "%.*s.%.*s: %.*s.",
                           STR_ARG(k->rule->id), STR_ARG(k->def->schema), STR_ARG(k->def->name),
                           STR_ARG(why));
    return ST_INVALID;
}

/* "<left> <op> …" with `left` being the column or its value. */
static struct str condition_sql(struct arena *a, const struct dms_test *t, struct str left)
{
    struct str low = dms_operand_sql(a, &t->low), high = dms_operand_sql(a, &t->high);
    switch (t->op) {
    case DMS_OP_EQ:
        return arena_printf(a, "%.*s = %.*s", STR_ARG(left), STR_ARG(low));
    case DMS_OP_NOTEQ:
        return arena_printf(a, "%.*s <> %.*s", STR_ARG(left), STR_ARG(low));
    case DMS_OP_LTE:
        return arena_printf(a, "%.*s <= %.*s", STR_ARG(left), STR_ARG(low));
    case DMS_OP_GTE:
        return arena_printf(a, "%.*s >= %.*s", STR_ARG(left), STR_ARG(low));
    case DMS_OP_BETWEEN:
        return arena_printf(a, "%.*s BETWEEN %.*s AND %.*s", STR_ARG(left), STR_ARG(low),
                            STR_ARG(high));
    case DMS_OP_NOTBETWEEN:
        return arena_printf(a, "%.*s NOT BETWEEN %.*s AND %.*s", STR_ARG(left), STR_ARG(low),
                            STR_ARG(high));
    case DMS_OP_NULL:
        return arena_printf(a, "%.*s IS NULL", STR_ARG(left));
    default:
        return arena_printf(a, "%.*s IS NOT NULL", STR_ARG(left));
    }
}

/* How the server is asked about one value: its place is between the two parts. */
static void make_question(struct arena *a, const struct mysql_column *c, struct dms_test *t)
{
    struct str type = STR_NONE;
    switch (c->family) {
    case MYSQL_F_UUID:
        type = STR("UUID");
        break;
    case MYSQL_F_INET4:
        type = STR("INET4");
        break;
    case MYSQL_F_INET6:
        type = STR("INET6");
        break;
    default:
        break;
    }
    if (str_set(type)) {
        t->ask = STR("SELECT CAST(");
        t->ask_rest = condition_sql(a, t, arena_printf(a, " AS %.*s)", STR_ARG(type)));
        return;
    }
    t->ask = STR("SELECT CONVERT(");
    t->ask_rest = condition_sql(
        a, t,
        arena_printf(a, " USING %.*s) COLLATE %.*s", STR_ARG(c->charset), STR_ARG(c->collation)));
}

static enum status make_test(struct maker *k, const struct dms_source_filter *f,
                             const struct dms_condition *c, struct dms_test *ret)
{
    int at = mysql_table_find(k->def, f->column);
    if (at < 0) {
        return refuse(k, arena_printf(k->a, "there is no column '%.*s'", STR_ARG(f->column)));
    }
    const struct mysql_column *column = &k->def->columns[at];
    bool values = c->op < DMS_OP_NULL;
    bool two = c->op == DMS_OP_BETWEEN || c->op == DMS_OP_NOTBETWEEN;
    struct str why;
    *ret = (struct dms_test){ .op = c->op, .column = (uint32_t)at };
    /* Without a value, too: LOB columns have no filters. */
    enum status st = dms_operand_parse(k->a, column, values ? c->low : STR("0"), &ret->low, &why);
    if (st == ST_OK && two) {
        st = dms_operand_parse(k->a, column, c->high, &ret->high, &why);
    }
    if (st != ST_OK && (values || dms_type_is_lob(column))) {
        return refuse(k, why);
    }
    if (values && ret->low.kind == DMS_OPERAND_TEXT) {
        make_question(k->a, column, ret);
    }
    struct str name = mysql_quote_name(k->a, column->name);
    buf_str_add(&k->where, condition_sql(k->a, ret, name));
    return ST_OK;
}

static enum status make_tests(struct maker *k, const struct dms_source_filter *f,
                              struct dms_tests *ret)
{
    struct dms_test *tests = ARENA_ARRAY(k->a, struct dms_test, f->n);
    enum status st = ST_OK;
    for (size_t i = 0; i < f->n && st == ST_OK; i++) {
        buf_puts(&k->where, i ? " OR " : "(");
        st = make_test(k, f, &f->conditions[i], &tests[i]);
    }
    buf_putc(&k->where, ')');
    *ret = (struct dms_tests){ tests, f->n };
    return st;
}

static enum status make_filter(struct maker *k, struct dms_row_filter *ret)
{
    struct dms_tests *all = ARENA_ARRAY(k->a, struct dms_tests, k->rule->filters_n);
    enum status st = ST_OK;
    for (size_t i = 0; i < k->rule->filters_n && st == ST_OK; i++) {
        buf_puts(&k->where, i ? " AND " : "(");
        st = make_tests(k, &k->rule->filters[i], &all[i]);
    }
    buf_putc(&k->where, ')');
    *ret = (struct dms_row_filter){ all, k->rule->filters_n };
    return st;
}

/* Does the table come by a rule that filters nothing? Then the others' filters say nothing. */
static bool wholly_included(const struct dms_mapping *m, const struct mysql_table *def)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->rules[i].action != DMS_RULE_EXCLUDE && m->rules[i].filters_n == 0 &&
            dms_selection_hits(&m->rules[i], def->schema, def->name)) {
            return true;
        }
    }
    return false;
}

enum status dms_filters_make(struct arena *a, const struct dms_mapping *m,
                             const struct mysql_table *def, struct dms_table_rules *r,
                             struct str *ret_why)
{
    if (wholly_included(m, def)) {
        return ST_OK;
    }
    struct maker k = { .a = a, .def = def, .why = ret_why };
    buf_init(&k.where, WHERE_MAX);
    struct dms_row_filter *filters = ARENA_ARRAY(a, struct dms_row_filter, m->n);
    enum status st = ST_OK;
    for (size_t i = 0; i < m->n && st == ST_OK; i++) {
        k.rule = &m->rules[i];
        if (k.rule->action == DMS_RULE_INCLUDE && k.rule->filters_n > 0 &&
            dms_selection_hits(k.rule, def->schema, def->name)) {
            buf_puts(&k.where, r->filters_n ? " OR " : "(");
            st = make_filter(&k, &filters[r->filters_n++]);
        }
    }
    if (st == ST_OK && r->filters_n > 0) {
        buf_putc(&k.where, ')');
        r->filters = filters;
        r->where = arena_str(a, buf_str(&k.where));
        if (!buf_ok(&k.where)) {
            *ret_why = STR("The filters of the table are too long.");
            st = ST_INVALID;
        }
    }
    buf_fini(&k.where);
    return st;
}
