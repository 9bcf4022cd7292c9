#include "emulators/dms/mapping/shaper.h"

#include <stdio.h>
#include <stdlib.h>

#include "emulators/dms/file/number.h"
#include "server/base/clock.h"
#include "server/base/map.h"
#include "server/base/mem.h"
#include "server/store/expression.h"

#define ANSWERS_MAX 20000 /* that are remembered; then it begins anew */
#define FIRST_WHY 400
#define REAL_TEXT 40

struct dms_shaper {
    const struct dms_table_rules *rules;
    struct mysql_value *values;
    struct expressions *expressions;
    const struct zone *zone;
    struct expression **compiled; /* per cell; NULL: it has none */
    struct expression_value *inputs;
    struct buf *input_rooms;  /* per input of the longest list */
    struct buf *rooms;        /* per cell */
    char (*reals)[REAL_TEXT]; /* per cell: its result as SQLite prints it */
    size_t inputs_max;
    char operation;
    char stamp[DMS_TIME_MAX];
    uint64_t failures;
    char why[FIRST_WHY];
    struct map answers; /* question → "yes" or "no" */
    struct buf question;
};

static char yes[] = "yes", no[] = "no";

/* --- life ------------------------------------------------------------------------------------- */

static enum status compile(struct dms_shaper *s)
{
    for (size_t i = 0; i < s->rules->cells_n; i++) {
        const struct dms_cell *cell = &s->rules->cells[i];
        if (cell->kind != DMS_CELL_EXPRESSION) {
            continue;
        }
        if (!s->expressions && dms_expressions_new(&s->operation, &s->expressions) != ST_OK) {
            return ST_DB;
        }
        char why[EXPRESSION_WHY_MAX];
        /* It was compiled when the rules were made. */
        if (expression_new(s->expressions, cell->expression, &s->compiled[i], why) != ST_OK) {
            return ST_DB;
        }
    }
    return ST_OK;
}

enum status dms_shaper_new(const struct dms_table_rules *rules, const struct zone *zone,
                           struct dms_shaper **ret)
{
    struct dms_shaper *s = xcalloc(1, sizeof(*s));
    s->rules = rules;
    s->zone = zone;
    for (size_t i = 0; i < rules->cells_n; i++) {
        size_t n = rules->cells[i].inputs_n;
        s->inputs_max = n > s->inputs_max ? n : s->inputs_max;
    }
    s->values = xcalloc(rules->def->columns_n + rules->cells_n + 1, sizeof(*s->values));
    s->compiled = xcalloc(rules->cells_n + 1, sizeof(struct expression *));
    s->inputs = xcalloc(s->inputs_max + 1, sizeof(*s->inputs));
    s->input_rooms = xcalloc(s->inputs_max + 1, sizeof(*s->input_rooms));
    s->rooms = xcalloc(rules->cells_n + 1, sizeof(*s->rooms));
    s->reals = xcalloc(rules->cells_n + 1, sizeof(*s->reals));
    for (size_t i = 0; i < s->inputs_max; i++) {
        buf_init(&s->input_rooms[i], EXPRESSION_VALUE_MAX);
    }
    for (size_t i = 0; i < rules->cells_n; i++) {
        buf_init(&s->rooms[i], 4ul * EXPRESSION_VALUE_MAX);
    }
    map_init(&s->answers);
    buf_init(&s->question, 4ul * EXPRESSION_VALUE_MAX);
    enum status st = compile(s);
    if (st != ST_OK) {
        dms_shaper_free(s);
        return st;
    }
    *ret = s;
    return ST_OK;
}

void dms_shaper_free(struct dms_shaper *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->inputs_max; i++) {
        buf_fini(&s->input_rooms[i]);
    }
    for (size_t i = 0; i < s->rules->cells_n; i++) {
        buf_fini(&s->rooms[i]);
    }
    expressions_free(s->expressions);
    map_fini(&s->answers);
    buf_fini(&s->question);
    free(s->values);
    free(s->compiled);
    free(s->inputs);
    free(s->input_rooms);
    free(s->rooms);
    free(s->reals);
    free(s);
}

static void note_failure(struct dms_shaper *s, const struct dms_cell *cell, const char *why)
{
    if (s->failures++ == 0) {
        snprintf(s->why, sizeof(s->why), "column '%.*s': %s", STR_ARG(cell->name), why);
    }
}

uint64_t dms_shaper_failures(struct dms_shaper *s, struct str *ret_why)
{
    uint64_t n = s->failures;
    s->failures = 0;
    *ret_why = str_z(s->why);
    return n;
}

/* --- inputs ----------------------------------------------------------------------------------- */

static struct expression_value text_value(struct str s)
{
    return (struct expression_value){ .kind = EXPRESSION_TEXT, .s = s };
}

static struct expression_value real_value(double d)
{
    return (struct expression_value){ .kind = EXPRESSION_REAL, .d = d };
}

static struct expression_value int_value(int64_t i)
{
    return (struct expression_value){ .kind = EXPRESSION_INT, .i = i };
}

/* What the files show of it: of a TIMESTAMP the time in the endpoint's zone. */
static struct mysql_value shown_value(const struct dms_shaper *s, const struct mysql_value *v)
{
    struct mysql_value shown = *v;
    if (v->kind == MYSQL_V_TIMESTAMP && s->zone && !mysql_value_zero_date(v)) {
        shown.kind = MYSQL_V_DATETIME;
        shown.t = dms_local_time(s->zone, &v->t);
    }
    return shown;
}

/* Numbers stay numbers, so that they compare as such; times are texts that SQLite's functions
 * read. */
static struct expression_value column_value(const struct mysql_value *v, struct buf *room)
{
    static const struct dms_data_type string = { .type = DMS_TYPE_STRING };
    struct mysql_value text;
    double d;
    switch (v->kind) {
    case MYSQL_V_ABSENT:
    case MYSQL_V_NULL:
        break;
    case MYSQL_V_INT:
        return int_value(v->i);
    case MYSQL_V_UINT:
    case MYSQL_V_YEAR:
    case MYSQL_V_BIT:
        return v->u <= INT64_MAX ? int_value((int64_t)v->u) : real_value((double)v->u);
    case MYSQL_V_FLOAT:
        return real_value((double)v->f);
    case MYSQL_V_DOUBLE:
        return real_value(v->d);
    case MYSQL_V_DECIMAL:
        return str_f64(v->s, &d) == ST_OK ? real_value(d) : text_value(v->s);
    case MYSQL_V_BYTES:
    case MYSQL_V_GEOMETRY:
        return (struct expression_value){ .kind = EXPRESSION_BLOB, .s = v->s };
    default:
        if (dms_type_convert(&string, v, room, &text) && text.kind == MYSQL_V_TEXT) {
            return text_value(text.s);
        }
    }
    return (struct expression_value){ .kind = EXPRESSION_NULL };
}

static struct expression_value variable_value(struct dms_shaper *s, enum dms_variable variable,
                                              const struct dms_shaped *row)
{
    switch (variable) {
    case DMS_VAR_STREAM_POSITION:
        return text_value(row->load ? STR("") : row->position);
    case DMS_VAR_CHANGE_SEQ:
        return text_value(row->load ? STR("") : row->sequence);
    case DMS_VAR_TIMESTAMP:
    case DMS_VAR_COMMIT_TIMESTAMP: {
        int64_t us = row->load ? clock_now_us() : row->time_us;
        return text_value(
            (struct str){ s->stamp, (size_t)(dms_put_stamp(s->stamp, us) - s->stamp) });
    }
    case DMS_VAR_OPERATION:
        return text_value(row->operation == 'D'   ? STR("DELETE")
                          : row->operation == 'U' ? STR("UPDATE")
                                                  : STR("INSERT"));
    case DMS_VAR_SCHEMA:
        return text_value(s->rules->def->schema);
    case DMS_VAR_TABLE:
        return text_value(s->rules->def->name);
    default:
        return (struct expression_value){ .kind = EXPRESSION_NULL };
    }
}

/* --- cells ------------------------------------------------------------------------------------ */

static struct mysql_value result_value(const struct expression_value *v)
{
    switch (v->kind) {
    case EXPRESSION_INT:
        return (struct mysql_value){ .kind = MYSQL_V_INT, .i = v->i };
    case EXPRESSION_REAL:
        return (struct mysql_value){ .kind = MYSQL_V_DOUBLE, .d = v->d };
    case EXPRESSION_TEXT:
        return (struct mysql_value){ .kind = MYSQL_V_TEXT, .s = v->s };
    case EXPRESSION_BLOB:
        return (struct mysql_value){ .kind = MYSQL_V_BYTES, .s = v->s };
    default:
        return (struct mysql_value){ .kind = MYSQL_V_NULL };
    }
}

/* "13.0", "1.0e+20": fifteen digits and always a point. */
static struct str real_text(double d, char text[REAL_TEXT])
{
    int n = snprintf(text, REAL_TEXT, "%.15g", d);
    if (!memchr(text, '.', (size_t)n)) {
        size_t at = strcspn(text, "e");
        memmove(text + at + 2, text + at, (size_t)n - at + 1);
        text[at] = '.';
        text[at + 1] = '0';
        n += 2;
    }
    return (struct str){ text, (size_t)n };
}

static bool is_text_type(enum dms_type type)
{
    return type == DMS_TYPE_NONE || type == DMS_TYPE_STRING || type == DMS_TYPE_WSTRING ||
           type == DMS_TYPE_CLOB || type == DMS_TYPE_NCLOB;
}

static struct mysql_value evaluate(struct dms_shaper *s, size_t i, const struct dms_shaped *row)
{
    const struct dms_cell *cell = &s->rules->cells[i];
    for (size_t k = 0; k < cell->inputs_n; k++) {
        const struct dms_input *in = &cell->inputs[k];
        if (in->is_variable) {
            s->inputs[k] = variable_value(s, in->variable, row);
        } else {
            const struct mysql_value v = shown_value(s, &row->image[in->column]);
            s->inputs[k] = column_value(&v, &s->input_rooms[k]);
        }
    }
    struct expression_value result;
    char why[EXPRESSION_WHY_MAX];
    if (expression_run(s->compiled[i], s->inputs, &result, why) != ST_OK) {
        note_failure(s, cell, why);
        return (struct mysql_value){ .kind = MYSQL_V_NULL };
    }
    if (result.kind == EXPRESSION_REAL && is_text_type(cell->type.type)) {
        result = text_value(real_text(result.d, s->reals[i]));
    }
    return result_value(&result);
}

static bool key_changed(const struct mysql_table *t, const struct dms_shaped *row)
{
    for (size_t i = 0; i < t->pk_n; i++) {
        if (!mysql_value_equal(&row->before[t->pk[i]], &row->image[t->pk[i]])) {
            return true;
        }
    }
    return false;
}

static struct mysql_value before_value(const struct dms_shaper *s, const struct dms_cell *cell,
                                       const struct dms_shaped *row)
{
    bool wanted = row->before && (!cell->only_when_key || row->operation == 'D' ||
                                  key_changed(s->rules->def, row));
    return wanted ? shown_value(s, &row->before[cell->column])
                  : (struct mysql_value){ .kind = MYSQL_V_NULL };
}

static struct mysql_value raw_value(struct dms_shaper *s, size_t i, const struct dms_shaped *row)
{
    const struct dms_cell *cell = &s->rules->cells[i];
    switch (cell->kind) {
    case DMS_CELL_CONVERTED:
        return shown_value(s, &row->image[cell->column]);
    case DMS_CELL_EXPRESSION:
        return evaluate(s, i, row);
    case DMS_CELL_BEFORE:
        return before_value(s, cell, row);
    default:
        return (struct mysql_value){ .kind = MYSQL_V_NULL };
    }
}

/* What has no type given is printed as texts are: numbers without exponent. */
static struct dms_data_type type_of(const struct dms_cell *cell)
{
    struct dms_data_type t = cell->type;
    if (t.type == DMS_TYPE_NONE && cell->kind == DMS_CELL_EXPRESSION) {
        t.type = DMS_TYPE_STRING;
    }
    return t;
}

const struct mysql_value *dms_shaper_row(struct dms_shaper *s, const struct dms_shaped *row)
{
    size_t n = s->rules->def->columns_n;
    if (s->rules->cells_n == 0) {
        return row->image;
    }
    s->operation = row->operation;
    memcpy(s->values, row->image, n * sizeof(*s->values));
    for (size_t i = 0; i < s->rules->cells_n; i++) {
        const struct dms_cell *cell = &s->rules->cells[i];
        struct mysql_value raw = raw_value(s, i, row);
        if (raw.kind == MYSQL_V_ABSENT) { /* no value is not NULL */
            s->values[n + i] = raw;
            continue;
        }
        const struct dms_data_type type = type_of(cell);
        if (!dms_type_convert(&type, &raw, &s->rooms[i], &s->values[n + i])) {
            struct str name = dms_type_name(type.type);
            char why[64];
            snprintf(why, sizeof(why), "a value is no %.*s", STR_ARG(name));
            note_failure(s, cell, why);
        }
    }
    return s->values;
}

/* --- filters ---------------------------------------------------------------------------------- */

struct asking {
    dms_ask_fn ask;
    void *ctx;
    struct mysql_err *err;
};

static enum status ask_server(struct dms_shaper *s, const struct dms_test *t,
                              const struct mysql_value *v, const struct asking *q, bool *ret)
{
    static const char hex[] = "0123456789abcdef";
    buf_clear(&s->question);
    buf_str_add(&s->question, t->ask);
    buf_puts(&s->question, v->s.n ? "_utf8mb4 x'" : "_utf8mb4 '");
    for (size_t i = 0; i < v->s.n; i++) {
        buf_putc(&s->question, hex[(unsigned char)v->s.p[i] >> 4]);
        buf_putc(&s->question, hex[(unsigned char)v->s.p[i] & 15]);
    }
    buf_putc(&s->question, '\'');
    buf_str_add(&s->question, t->ask_rest);
    if (!buf_ok(&s->question)) {
        q->err->kind = MYSQL_ERR_LIMIT;
        snprintf(q->err->text, sizeof(q->err->text), "A value is too long for a filter.");
        return ST_NOMEM;
    }
    const char *known = map_get(&s->answers, buf_str(&s->question));
    if (known) {
        *ret = known == yes;
        return ST_OK;
    }
    enum status st = q->ask(q->ctx, buf_str(&s->question), ret, q->err);
    if (st != ST_OK) {
        return st;
    }
    if (s->answers.n >= ANSWERS_MAX) {
        map_fini(&s->answers);
        map_init(&s->answers);
    }
    map_put(&s->answers, buf_str(&s->question), *ret ? yes : no);
    return ST_OK;
}

static bool decide(const struct dms_test *t, const struct mysql_value *v)
{
    int low = dms_operand_compare(v, &t->low);
    switch (t->op) {
    case DMS_OP_EQ:
        return low == 0;
    case DMS_OP_NOTEQ:
        return low != 0;
    case DMS_OP_LTE:
        return low <= 0;
    case DMS_OP_GTE:
        return low >= 0;
    case DMS_OP_BETWEEN:
        return low >= 0 && dms_operand_compare(v, &t->high) <= 0;
    default:
        return low < 0 || dms_operand_compare(v, &t->high) > 0;
    }
}

static enum status test_row(struct dms_shaper *s, const struct dms_test *t,
                            const struct mysql_value *image, const struct asking *q, bool *ret)
{
    const struct mysql_value *v = &image[t->column];
    *ret = true;
    if (v->kind == MYSQL_V_ABSENT) {
        return ST_OK; /* the image lacks it (binlog_row_image): nothing speaks against the row */
    }
    bool null = v->kind == MYSQL_V_NULL;
    if (t->op == DMS_OP_NULL || t->op == DMS_OP_NOTNULL) {
        *ret = null == (t->op == DMS_OP_NULL);
        return ST_OK;
    }
    if (null) {
        *ret = false;
        return ST_OK;
    }
    if (t->low.kind != DMS_OPERAND_TEXT) {
        *ret = decide(t, v);
        return ST_OK;
    }
    if (str_eq(v->s, t->low.text) && t->op <= DMS_OP_GTE) {
        *ret = t->op != DMS_OP_NOTEQ; /* the same bytes are equal in every collation */
        return ST_OK;
    }
    return ask_server(s, t, v, q, ret);
}

static enum status filter_row(struct dms_shaper *s, const struct dms_row_filter *f,
                              const struct mysql_value *image, const struct asking *q, bool *ret)
{
    *ret = true;
    for (size_t i = 0; i < f->n && *ret; i++) {
        *ret = false;
        for (size_t k = 0; k < f->all[i].n && !*ret; k++) {
            enum status st = test_row(s, &f->all[i].tests[k], image, q, ret);
            if (st != ST_OK) {
                return st;
            }
        }
    }
    return ST_OK;
}

enum status dms_shaper_passes(struct dms_shaper *s, const struct mysql_value *image, dms_ask_fn ask,
                              void *ctx, bool *ret, struct mysql_err *err)
{
    const struct asking q = { ask, ctx, err };
    *ret = s->rules->filters_n == 0;
    for (size_t i = 0; i < s->rules->filters_n && !*ret; i++) {
        enum status st = filter_row(s, &s->rules->filters[i], image, &q, ret);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}
