/* How a table looks at a place of the log. The server describes it as of now, and the statement
 * that was just read says what it made of the table before: where both agree the server's
 * description is taken, which knows more; else the table has been altered again since, and the
 * statement is right for the rows that come next. */
#include "emulators/dms/worker/worker_impl.h"
#include "server/mysql/ddl_apply.h"
#include "server/mysql/schema_labels.h"

enum status dms_table_fit(const struct dms_worker *w, const struct dms_table *t,
                          const struct mysql_table *def, struct mysql_err *err)
{
    if (w->captures && def->versioned) {
        err->kind = MYSQL_ERR_UNSUPPORTED;
        snprintf(err->text, sizeof(err->text),
                 "Table %.*s.%.*s is system-versioned, and changes of temporal tables can't be "
                 "captured: the log has its history as rows of its own. Exclude the table, load it "
                 "with a task of the type full-load, or ALTER TABLE … DROP SYSTEM VERSIONING and "
                 "reload it.",
                 STR_ARG(t->schema), STR_ARG(t->name));
        return ST_INVALID;
    }
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

/* The column's name now; absent: it went, and another of its name may have come. */
static struct str name_now(const struct mysql_table *told, struct str name)
{
    for (size_t i = 0; i < told->columns_n; i++) {
        if (str_set(told->columns[i].was) && str_ieq(told->columns[i].was, name)) {
            return told->columns[i].name;
        }
    }
    return STR_NONE;
}

/* Columns that are printed already stay where they are, also under other names. */
static struct dms_csv_order order_of(const struct dms_worker *w, const struct dms_table *t,
                                     const struct mysql_table *before,
                                     const struct mysql_table *told, struct arena *a)
{
    struct dms_csv_order old = { 0 };
    if (t->def) {
        old = dms_csv_plan_order(a, &t->plan, t->def);
    }
    if (!w->settings.handle_altered || !told) {
        return old;
    }
    struct str *names = ARENA_ARRAY(a, struct str, old.n + 1);
    size_t n = 0;
    for (size_t i = 0; before == t->def && i < old.n; i++) {
        struct str name = name_now(told, old.names[i]);
        if (str_set(name)) {
            names[n++] = arena_str(a, name);
        }
    }
    return (struct dms_csv_order){ names, n };
}

static enum status dialect_of(struct mysql_conn *c, struct arena *a,
                              const struct mysql_statement *s, struct mysql_ddl_dialect *ret,
                              struct mysql_err *err)
{
    *ret = (struct mysql_ddl_dialect){
        .ansi_quotes = s->ansi_quotes,
        .no_escapes = s->no_escapes,
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
    if (st == ST_OK && told && s->shown) {
        mysql_labels_restore(told_arena, told, now);
    }
    if (st == ST_OK && (!told || mysql_table_alike(now, told))) {
        struct dms_csv_order order = order_of(w, t, before, told, now_arena);
        arena_free(told_arena);
        st = dms_table_fit(w, t, now, err);
        if (st != ST_OK) {
            arena_free(now_arena);
            return st;
        }
        forget_other(t);
        dms_table_set_def(w, t, now, now_arena, order);
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
    dms_table_set_def(w, t, told, told_arena, order_of(w, t, before, told, told_arena));
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
    struct dms_csv_order order = dms_csv_plan_order(owner, &t->plan, t->def);
    dms_table_set_def(w, t, other, owner, order);
}
