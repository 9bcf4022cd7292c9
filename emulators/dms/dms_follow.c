/* How a table looks at a place of the log. The server describes it as of now, and the statement
 * that was just read says what it made of the table before: where both agree the server's
 * description is taken, which knows more; else the table has been altered again since, and the
 * statement is right for the rows that come next. */
#include "emulators/dms/dms_worker_impl.h"
#include "server/mysql/ddl_apply.h"

static enum status check_types(const struct dms_table *t, const struct mysql_table *def,
                               struct mysql_err *err)
{
    for (size_t i = 0; i < def->columns_n; i++) {
        const struct mysql_column *c = &def->columns[i];
        if (c->family == MYSQL_F_OTHER) {
            err->kind = MYSQL_ERR_UNSUPPORTED;
            snprintf(err->text, sizeof(err->text),
                     "Column '%.*s' of table %.*s.%.*s has the type '%.*s', which can't be moved; "
                     "exclude the table or change the column.",
                     STR_ARG(c->name), STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(c->type_text));
            return ST_INVALID;
        }
    }
    return ST_OK;
}

static void forget_other(struct dms_table *t)
{
    arena_free(t->other_arena);
    t->other_arena = NULL;
    t->other = NULL;
}

/* Columns that are printed already stay where they are. */
static void take(struct dms_worker *w, struct dms_table *t, struct mysql_table *def,
                 struct arena *owner)
{
    struct dms_csv_order order = { 0 };
    if (t->def) {
        order = dms_csv_plan_order(owner, &t->plan, t->def);
    }
    dms_table_set_def(w, t, def, owner, order);
}

static enum status dialect_of(struct mysql_conn *c, struct arena *a,
                              const struct mysql_statement *s, struct mysql_ddl_dialect *ret,
                              struct mysql_err *err)
{
    *ret = (struct mysql_ddl_dialect){
        .ansi_quotes = s->ansi_quotes,
        .mariadb = mysql_conn_flavour(c) == MYSQL_FLAVOUR_MARIADB,
    };
    if (s->ddl->kind != MYSQL_DDL_CREATE_TABLE || s->ddl->n == 0) {
        return ST_OK;
    }
    return mysql_schema_charset(c, a, s->ddl->items[0].schema, &ret->charset, err);
}

enum status dms_table_follow(struct dms_worker *w, struct mysql_conn *c, struct dms_table *t,
                             const struct mysql_statement *s, const struct mysql_table *before,
                             struct mysql_err *err)
{
    struct arena *now_arena = arena_new(DMS_WORKER_ARENA_MAX);
    struct arena *told_arena = arena_new(DMS_WORKER_ARENA_MAX);
    struct mysql_table *now = ARENA_NEW(now_arena, struct mysql_table), *told = NULL;
    struct mysql_ddl_dialect dialect;
    enum status st = dialect_of(c, told_arena, s, &dialect, err);
    if (st == ST_OK) {
        struct str text = arena_str(told_arena, s->text);
        told = mysql_ddl_apply(told_arena, text, &dialect, before, t->schema, t->name);
        st = mysql_schema_describe(c, now_arena, t->schema, t->name, now, err);
    }
    if (st == ST_OK && (!told || mysql_table_alike(now, told))) {
        arena_free(told_arena);
        st = check_types(t, now, err);
        if (st != ST_OK) {
            arena_free(now_arena);
            return st;
        }
        forget_other(t);
        take(w, t, now, now_arena);
        return ST_OK;
    }
    if (!told || (st != ST_OK && st != ST_NOT_FOUND)) {
        arena_free(told_arena);
        arena_free(now_arena);
        return st;
    }
    forget_other(t);
    if (st == ST_OK) {
        t->other = now;
        t->other_arena = now_arena;
    } else {
        arena_free(now_arena); /* dropped since */
        *err = (struct mysql_err){ 0 };
    }
    take(w, t, told, told_arena);
    return ST_OK;
}

void dms_table_take_other(struct dms_worker *w, struct dms_table *t)
{
    struct mysql_table *other = t->other;
    struct arena *owner = t->other_arena;
    t->other = NULL;
    t->other_arena = NULL;
    dms_line(w, "SOURCE_CAPTURE", 'W',
             "The changes of table '%.*s'.'%.*s' are not as its last statement says; the "
             "server's description is used.",
             STR_ARG(t->schema), STR_ARG(t->name));
    take(w, t, other, owner);
}
