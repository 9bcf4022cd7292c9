#include "server/store/expression.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/mem.h"

#define STEP_OPS 20000 /* virtual machine steps between two looks */
#define STEPS_MAX 100  /* looks before a run is stopped */
#define INPUTS_MAX 4096

struct expression {
    struct expression *next;
    struct expressions *x;
    sqlite3_stmt *stmt;
    size_t inputs;
};

struct function {
    struct expression_function f;
    struct buf out;
};

struct expressions {
    sqlite3 *h;
    struct expression *first;
    struct function *functions;
    size_t functions_n;
    int selects; /* seen while the current expression is compiled */
    int steps;   /* of the current run */
};

/* --- bounds ----------------------------------------------------------------------------------- */

/* SQLite's functions without effects outside of their value. */
static const char *const allowed[] = {
    "abs",    "char",    "coalesce", "date",      "datetime", "format",    "glob",       "hex",
    "ifnull", "iif",     "instr",    "julianday", "length",   "like",      "lower",      "ltrim",
    "max",    "min",     "nullif",   "printf",    "quote",    "random",    "randomblob", "replace",
    "round",  "rtrim",   "sign",     "strftime",  "substr",   "substring", "time",       "trim",
    "typeof", "unicode", "upper",    "zeroblob",
};

static bool function_allowed(const struct expressions *x, const char *name)
{
    struct str s = str_z(name);
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if (str_ieqz(s, allowed[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < x->functions_n; i++) {
        if (str_ieqz(s, x->functions[i].f.name)) {
            return true;
        }
    }
    return false;
}

static int authorize(void *arg, int action, const char *a, const char *b, const char *c,
                     const char *d)
{
    struct expressions *x = arg;
    (void)a;
    (void)c;
    (void)d;
    if (action == SQLITE_SELECT) {
        return x->selects++ == 0 ? SQLITE_OK : SQLITE_DENY; /* the one around the expression */
    }
    return action == SQLITE_FUNCTION && function_allowed(x, b) ? SQLITE_OK : SQLITE_DENY;
}

static int progress(void *arg)
{
    struct expressions *x = arg;
    return ++x->steps > STEPS_MAX;
}

static void set_limits(sqlite3 *h)
{
    static const struct {
        int id, value;
    } limits[] = {
        { SQLITE_LIMIT_LENGTH, (int)EXPRESSION_VALUE_MAX },
        { SQLITE_LIMIT_SQL_LENGTH, (int)EXPRESSION_TEXT_MAX + 100 },
        { SQLITE_LIMIT_COLUMN, 10 },
        { SQLITE_LIMIT_EXPR_DEPTH, 200 },
        { SQLITE_LIMIT_COMPOUND_SELECT, 1 },
        { SQLITE_LIMIT_FUNCTION_ARG, 100 },
        { SQLITE_LIMIT_ATTACHED, 0 },
        { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100 },
        { SQLITE_LIMIT_VARIABLE_NUMBER, INPUTS_MAX },
        { SQLITE_LIMIT_TRIGGER_DEPTH, 0 },
        { SQLITE_LIMIT_WORKER_THREADS, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        sqlite3_limit(h, limits[i].id, limits[i].value);
    }
}

/* --- functions -------------------------------------------------------------------------------- */

static struct expression_value value_of(sqlite3_value *v)
{
    struct expression_value r = { .kind = EXPRESSION_NULL };
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
        r.kind = EXPRESSION_INT;
        r.i = sqlite3_value_int64(v);
        break;
    case SQLITE_FLOAT:
        r.kind = EXPRESSION_REAL;
        r.d = sqlite3_value_double(v);
        break;
    case SQLITE_TEXT: {
        const char *p = (const char *)sqlite3_value_text(v);
        r.kind = EXPRESSION_TEXT;
        r.s = (struct str){ p ? p : "", (size_t)sqlite3_value_bytes(v) };
        break;
    }
    case SQLITE_BLOB: {
        const char *p = sqlite3_value_blob(v);
        r.kind = EXPRESSION_BLOB;
        r.s = (struct str){ p ? p : "", (size_t)sqlite3_value_bytes(v) };
        break;
    }
    default:
        break;
    }
    return r;
}

static void set_result(sqlite3_context *ctx, const struct expression_value *v)
{
    switch (v->kind) {
    case EXPRESSION_INT:
        sqlite3_result_int64(ctx, v->i);
        return;
    case EXPRESSION_REAL:
        sqlite3_result_double(ctx, v->d);
        return;
    case EXPRESSION_TEXT:
        sqlite3_result_text64(ctx, v->s.p, v->s.n, SQLITE_TRANSIENT, SQLITE_UTF8);
        return;
    case EXPRESSION_BLOB:
        sqlite3_result_blob64(ctx, v->s.p, v->s.n, SQLITE_TRANSIENT);
        return;
    default:
        sqlite3_result_null(ctx);
    }
}

static void call(sqlite3_context *ctx, int n, sqlite3_value **values)
{
    struct function *f = sqlite3_user_data(ctx);
    struct expression_value args[8], ret = { .kind = EXPRESSION_NULL };
    for (int i = 0; i < n && i < (int)ARRAY_LEN(args); i++) {
        args[i] = value_of(values[i]);
    }
    buf_clear(&f->out);
    f->f.fn(f->f.arg, args, &f->out, &ret);
    if (!buf_ok(&f->out)) {
        buf_fini(&f->out);
        buf_init(&f->out, EXPRESSION_VALUE_MAX);
        sqlite3_result_error_toobig(ctx);
        return;
    }
    set_result(ctx, &ret);
}

enum status expressions_new(const struct expression_function *functions, size_t n,
                            struct expressions **ret)
{
    struct expressions *x = xcalloc(1, sizeof(*x));
    x->functions = xcalloc(n + 1, sizeof(*x->functions));
    x->functions_n = n;
    int rc = sqlite3_open_v2(":memory:", &x->h,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                                 SQLITE_OPEN_NOMUTEX,
                             NULL);
    for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
        x->functions[i].f = functions[i];
        buf_init(&x->functions[i].out, EXPRESSION_VALUE_MAX);
        rc = sqlite3_create_function_v2(x->h, functions[i].name, functions[i].args, SQLITE_UTF8,
                                        &x->functions[i], call, NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        expressions_free(x);
        return ST_DB;
    }
    set_limits(x->h);
    sqlite3_set_authorizer(x->h, authorize, x);
    sqlite3_progress_handler(x->h, STEP_OPS, progress, x);
    *ret = x;
    return ST_OK;
}

void expressions_free(struct expressions *x)
{
    if (!x) {
        return;
    }
    for (struct expression *e = x->first; e;) {
        struct expression *next = e->next;
        sqlite3_finalize(e->stmt);
        free(e);
        e = next;
    }
    sqlite3_close(x->h);
    for (size_t i = 0; i < x->functions_n; i++) {
        buf_fini(&x->functions[i].out);
    }
    free(x->functions);
    free(x);
}

/* --- one expression --------------------------------------------------------------------------- */

static enum status refuse(char why[EXPRESSION_WHY_MAX], const char *text)
{
    snprintf(why, EXPRESSION_WHY_MAX, "%s", text);
    return ST_INVALID;
}

static enum status check(sqlite3_stmt *stmt, const char *tail, char why[EXPRESSION_WHY_MAX])
{

    if (!stmt || (tail && *tail) || sqlite3_column_count(stmt) != 1) {
        return refuse(why, "it must be one expression");
    }
    int n = sqlite3_bind_parameter_count(stmt);
    for (int i = 1; i <= n; i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        if (!name || name[0] != '$' || !name[1]) {
            return refuse(why, "inputs are written as $NAME");
        }
    }
    return ST_OK;
}

enum status expression_new(struct expressions *x, struct str text, struct expression **ret,
                           char why[EXPRESSION_WHY_MAX])
{
    if (text.n > EXPRESSION_TEXT_MAX || memchr(text.p ? text.p : "", '\0', text.n)) {
        return refuse(why, "it is too long or has a NUL character");
    }
    /* Inside of CASE only an expression can stand: what closes the bracket to go on with another
     * clause is no CASE any more. */
    CLEANUP(buf_fini) struct buf sql = BUF_INIT(EXPRESSION_TEXT_MAX + 64);
    buf_puts(&sql, "SELECT CASE WHEN 1 THEN (");
    buf_str_add(&sql, text);
    buf_puts(&sql, "\n) END");
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;
    x->selects = x->steps = 0;
    int rc = sqlite3_prepare_v3(x->h, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);
    if (rc != SQLITE_OK) {
        return refuse(why, rc == SQLITE_AUTH
                               ? "it uses something else than operators, literals, inputs and the "
                                 "known functions"
                               : sqlite3_errmsg(x->h));
    }
    enum status st = check(stmt, tail, why);
    if (st != ST_OK) {
        sqlite3_finalize(stmt);
        return st;
    }
    struct expression *e = xcalloc(1, sizeof(*e));
    *e = (struct expression){
        .next = x->first, .x = x, .stmt = stmt, .inputs = (size_t)sqlite3_bind_parameter_count(stmt)
    };
    x->first = e;
    *ret = e;
    return ST_OK;
}

size_t expression_inputs(const struct expression *e)
{
    return e->inputs;
}

struct str expression_input(const struct expression *e, size_t i)
{
    const char *name = sqlite3_bind_parameter_name(e->stmt, (int)i + 1);
    return str_z(name + 1);
}

static int bind(sqlite3_stmt *stmt, int at, const struct expression_value *v)
{
    switch (v->kind) {
    case EXPRESSION_INT:
        return sqlite3_bind_int64(stmt, at, v->i);
    case EXPRESSION_REAL:
        return sqlite3_bind_double(stmt, at, v->d);
    case EXPRESSION_TEXT:
        return sqlite3_bind_text64(stmt, at, v->s.p ? v->s.p : "", v->s.n, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case EXPRESSION_BLOB:
        return sqlite3_bind_blob64(stmt, at, v->s.p ? v->s.p : "", v->s.n, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(stmt, at);
    }
}

enum status expression_run(struct expression *e, const struct expression_value *inputs,
                           struct expression_value *ret, char why[EXPRESSION_WHY_MAX])
{
    struct expressions *x = e->x;
    x->steps = 0;
    sqlite3_reset(e->stmt);
    int rc = SQLITE_OK;
    for (size_t i = 0; i < e->inputs && rc == SQLITE_OK; i++) {
        rc = bind(e->stmt, (int)i + 1, &inputs[i]);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(e->stmt);
    }
    if (rc == SQLITE_ROW) {
        /* "Unprotected" against other threads only, and there are none. */
        *ret = value_of(sqlite3_column_value(e->stmt, 0));
        return ST_OK;
    }
    snprintf(why, EXPRESSION_WHY_MAX, "%s", sqlite3_errmsg(x->h));
    sqlite3_reset(e->stmt);
    return ST_INVALID;
}
