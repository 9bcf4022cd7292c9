/* What the rules of a task mean for one table: its name and columns in the target, and which rows
 * pass. Made once per description of the table, constant then; any thread. */
#ifndef CISTERN_DMS_TABLE_RULES_H
#define CISTERN_DMS_TABLE_RULES_H

#include "emulators/dms/file/csv.h"
#include "emulators/dms/mapping/expression_host.h"
#include "emulators/dms/mapping/mapping.h"
#include "emulators/dms/mapping/operand.h"
#include "server/mysql/schema.h"

/* Names of schema and table in the target. Strings in the arena, or the given ones. */
void dms_target_names(struct arena *a, const struct dms_mapping *m, struct str schema,
                      struct str table, struct str *ret_schema, struct str *ret_table);
/* The settings rule for the table; NULL: none. */
const struct dms_table_settings *dms_table_settings_find(const struct dms_mapping *m,
                                                         struct str schema, struct str table);

/* --- columns ---------------------------------------------------------------------------------- */

/* One input of an expression. */
struct dms_input {
    bool is_variable;
    enum dms_variable variable;
    uint32_t column; /* index in the table's columns */
};
enum dms_cell_kind {
    DMS_CELL_CONVERTED,  /* a source column as another type */
    DMS_CELL_NULL,       /* an added column without expression */
    DMS_CELL_EXPRESSION, /* an added column */
    DMS_CELL_BEFORE,     /* a source column before the change */
};
/* A value in the files that isn't simply a source column's. */
struct dms_cell {
    enum dms_cell_kind kind;
    struct str name;    /* for messages */
    uint32_t column;    /* CONVERTED, BEFORE */
    bool only_when_key; /* BEFORE: filled only when the primary key has changed */
    struct dms_data_type type;
    struct str expression;
    const struct dms_input *inputs;
    size_t inputs_n;
};

/* --- filters ---------------------------------------------------------------------------------- */
struct dms_test {
    enum dms_operator op;
    uint32_t column;
    struct dms_operand low, high;
    struct str ask;      /* SQL of the condition with the column's value left out: before it … */
    struct str ask_rest; /* … and behind; absent: we decide ourselves */
};
/* One of the tests must be true. */
struct dms_tests {
    const struct dms_test *tests;
    size_t n;
};
/* All of these, from one selection rule. */
struct dms_row_filter {
    const struct dms_tests *all;
    size_t n;
};

struct dms_table_rules {
    const struct mysql_table *def;
    const struct dms_cell *cells; /* value number def->columns_n + i of a row */
    size_t cells_n;
    const struct dms_row_filter *filters; /* a row passes one of them; 0: every row passes */
    size_t filters_n;
    struct str where;      /* the same as a SQL condition; absent: none */
    const struct str *key; /* in the target; from define-primary-key or the table */
    size_t key_n;
    bool wants_position, wants_sequence; /* an expression names them */
    struct str refused; /* why they can't be followed: the table is in error; absent: they can */
    struct str warning; /* rules that have no effect because of others; absent: none */
};

/* Changes `plan` (made from the table alone) into what the files have. *ret is NULL when no rule
 * concerns columns or rows of the table. Everything in the arena, which must live as long as `def`.
 * ST_INVALID: *ret_why says which rule can't be followed with this table. */
enum status dms_table_rules_make(struct arena *a, const struct dms_mapping *m,
                                 const struct mysql_table *def, struct dms_csv_plan *plan,
                                 struct dms_table_rules **ret, struct str *ret_why) MUST_CHECK;

/* Parts of it. */
enum status dms_filters_make(struct arena *a, const struct dms_mapping *m,
                             const struct mysql_table *def, struct dms_table_rules *r,
                             struct str *ret_why) MUST_CHECK;
/* Does the rule concern this column? */
bool dms_transform_hits(const struct dms_transform *t, const struct mysql_table *def,
                        const struct mysql_column *c);
/* The name that the action makes of a name. */
struct str dms_transform_name(struct arena *a, const struct dms_transform *t, struct str name);

#endif
