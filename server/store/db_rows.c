/* Running statements: binds, rows, one-row helpers. */
#include <limits.h>

#include "server/base/log.h"
#include "server/store/db_impl.h"

static int bind_text(sqlite3_stmt *h, int i, struct str s)
{
    return sqlite3_bind_text64(h, i, s.p, (sqlite3_uint64)s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_one(sqlite3_stmt *h, int i, const struct bind *b)
{
    switch (b->kind) {
    case BIND_I64:
        return sqlite3_bind_int64(h, i, b->u.i);
    case BIND_F64:
        return sqlite3_bind_double(h, i, b->u.d);
    case BIND_TEXT:
        return bind_text(h, i, b->u.s);
    case BIND_BLOB:
        return sqlite3_bind_blob64(h, i, b->u.s.p, (sqlite3_uint64)b->u.s.n, SQLITE_STATIC);
    case BIND_NULL:
    case BIND_NONE:
        break;
    }
    return sqlite3_bind_null(h, i);
}

static enum status bind_all(struct db *db, struct db_stmt *s, size_t n, const struct bind *binds)
{
    if (n != (size_t)s->n_params) {
        snprintf(db->error, sizeof(db->error), "%zu values for %d parameters", n, s->n_params);
        log_error("db", "%s: %s", db->error, sqlite3_sql(s->h));
        return ST_DB;
    }
    for (size_t i = 0; i < n; i++) {
        int rc = bind_one(s->h, (int)i + 1, &binds[i]);
        if (rc != SQLITE_OK) {
            return db_fail(db, rc, sqlite3_sql(s->h));
        }
    }
    return ST_OK;
}

/* Disk full, I/O errors and lack of memory may end the whole transaction, not only the statement:
 * what follows in the pass must not slip into a new one. */
static enum status step_failed(struct db *db, int rc, const char *sql, bool was_inside)
{
    enum status st = db_fail(db, rc, sql);
    if (was_inside && sqlite3_get_autocommit(db->h)) {
        db->lost = true;
    }
    return st;
}

static enum status step(struct db *db, struct db_stmt *s, bool *ret_row)
{
    bool inside = !sqlite3_get_autocommit(db->h);
    int rc = sqlite3_step(s->h);
    *ret_row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        return ST_OK;
    }
    return step_failed(db, rc, sqlite3_sql(s->h), inside);
}

static enum status start(struct db *db, const char *sql, size_t n, const struct bind *binds,
                         struct db_stmt **ret)
{
    struct db_stmt *s = NULL;
    enum status st = db_enter(db);
    if (st == ST_OK) {
        st = db_stmt_get(db, sql, &s);
    }
    if (st == ST_OK) {
        st = bind_all(db, s, n, binds);
    }
    if (st != ST_OK) {
        db_stmt_done(s);
        s = NULL;
    }
    *ret = s;
    return st;
}

enum status db_exec_n(struct db *db, const char *sql, size_t n, const struct bind *binds)
{
    struct db_stmt *s;
    enum status st = start(db, sql, n, binds, &s);
    bool row = true;
    while (st == ST_OK && row) {
        st = step(db, s, &row); /* rows (RETURNING) are of no interest here */
    }
    db_stmt_done(s);
    return st;
}

enum status db_change_n(struct db *db, const char *sql, size_t n, const struct bind *binds)
{
    enum status st = db_exec_n(db, sql, n, binds);
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

enum status db_change_all_n(struct db *db, const char *const *sqls, size_t n,
                            const struct bind *binds)
{
    enum status st = ST_OK;
    for (; st == ST_OK && sqls[1]; sqls++) {
        st = db_exec_n(db, *sqls, n, binds);
    }
    return st == ST_OK ? db_change_n(db, *sqls, n, binds) : st;
}

enum status db_query_n(struct db *db, struct rows *ret, const char *sql, size_t n,
                       const struct bind *binds)
{
    struct db_stmt *s;
    enum status st = start(db, sql, n, binds, &s);
    *ret = (struct rows){ .db = db, .stmt = s, .st = st, .cached = s && s->cached };
    return st;
}

static sqlite3_stmt *handle(const struct rows *q)
{
    return ((struct db_stmt *)q->stmt)->h;
}

bool rows_next(struct rows *q)
{
    if (!q->stmt || q->st != ST_OK) {
        return false;
    }
    bool row;
    q->st = step(q->db, q->stmt, &row);
    if (!row) {
        /* The statement is given back at once: stepping on would run it again. */
        db_stmt_done(q->stmt);
        q->stmt = NULL;
    }
    return row;
}

bool rows_first(struct rows *q)
{
    bool there = rows_next(q);
    q->st = !there && q->st == ST_OK ? ST_NOT_FOUND : q->st;
    return there;
}

int64_t rows_i64(struct rows *q, int col)
{
    return sqlite3_column_int64(handle(q), col);
}

double rows_f64(struct rows *q, int col)
{
    return sqlite3_column_double(handle(q), col);
}

bool rows_null(struct rows *q, int col)
{
    return sqlite3_column_type(handle(q), col) == SQLITE_NULL;
}

struct str rows_view(struct rows *q, int col)
{
    sqlite3_stmt *h = handle(q);
    int type = sqlite3_column_type(h, col);
    if (type == SQLITE_NULL) {
        return STR_NONE;
    }
    const void *p = type == SQLITE_BLOB ? sqlite3_column_blob(h, col) : sqlite3_column_text(h, col);
    int n = sqlite3_column_bytes(h, col);
    if (!p) {
        if (n > 0) { /* no memory for the conversion */
            q->st = ST_NOMEM;
            return STR_NONE;
        }
        p = "";
    }
    return (struct str){ p, (size_t)n };
}

struct str rows_str(struct rows *q, struct arena *a, int col)
{
    return arena_str(a, rows_view(q, col));
}

enum status rows_end(struct rows *q)
{
    if (q->stmt) {
        db_stmt_done(q->stmt);
        q->stmt = NULL;
    }
    return q->st;
}

enum status db_get_i64_n(struct db *db, int64_t *ret, const char *sql, size_t n,
                         const struct bind *binds)
{
    struct rows q;
    status_ignore(db_query_n(db, &q, sql, n, binds)); /* rows_end repeats it */
    if (rows_first(&q)) {
        *ret = rows_i64(&q, 0);
    }
    return rows_end(&q);
}

enum status db_get_str_n(struct db *db, struct arena *a, struct str *ret, const char *sql, size_t n,
                         const struct bind *binds)
{
    struct rows q;
    status_ignore(db_query_n(db, &q, sql, n, binds)); /* rows_end repeats it */
    if (rows_first(&q)) {
        *ret = rows_str(&q, a, 0);
    }
    return rows_end(&q);
}
