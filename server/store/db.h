/* SQLite behind a small door: typed binds, cached statements, rows. One handle belongs to one
 * thread. Errors are logged here once with SQL and reason; callers get a status:
 * ST_EXISTS for a UNIQUE/PRIMARY KEY conflict, ST_INVALID for other constraints, ST_DB else.
 *
 *   status = db_exec(db, "INSERT INTO t(a,b) VALUES(?,?)", bs(name), bi(42));
 *   struct rows q;
 *   if (db_query(db, &q, "SELECT a,b FROM t WHERE a>?", bs(name)) == ST_OK) {
 *       while (rows_next(&q)) { s = rows_str(&q, arena, 0); i = rows_i64(&q, 1); }
 *   }
 *   status = rows_end(&q);            // always, also after a failed db_query
 */
#ifndef CISTERN_STORE_DB_H
#define CISTERN_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct db;

enum db_mode {
    DB_WRITE,         /* creates the file; WAL, synchronous=NORMAL */
    DB_WRITE_DURABLE, /* synchronous=FULL */
    DB_WRITE_SCRATCH, /* synchronous=OFF: the folder is removed at exit anyway */
    DB_READ,          /* query_only; sees committed state */
};

enum status db_open(const char *path, enum db_mode mode, struct db **ret) MUST_CHECK;
void db_close(struct db *db);
/* Why the last failing call on this handle failed, for messages ("disk I/O error"). */
const char *db_error(const struct db *db);

enum bind_kind { BIND_NONE, BIND_NULL, BIND_I64, BIND_F64, BIND_TEXT, BIND_BLOB };
struct bind {
    enum bind_kind kind;
    union {
        int64_t i;
        double d;
        struct str s;
    } u;
};
static inline struct bind bi(int64_t v)
{
    return (struct bind){ BIND_I64, { .i = v } };
}
static inline struct bind bd(double v)
{
    return (struct bind){ BIND_F64, { .d = v } };
}
static inline struct bind bn(void)
{
    return (struct bind){ BIND_NULL, { .i = 0 } };
}
/* Text; absent binds NULL. Borrowed until the statement ends. */
static inline struct bind bs(struct str s)
{
    return (struct bind){ s.p ? BIND_TEXT : BIND_NULL, { .s = s } };
}
static inline struct bind bz(const char *z)
{
    return bs(str_z(z));
}
/* Text; absent binds the empty one: where a list begins. */
static inline struct bind bs_or_empty(struct str s)
{
    return bs(s.p ? s : STR(""));
}
static inline struct bind bb(struct str s)
{
    return (struct bind){ s.p ? BIND_BLOB : BIND_NULL, { .s = s } };
}

struct rows {
    struct db *db;
    void *stmt;
    enum status st;
    bool cached;
};

/* Any statements without parameters, separated by ';' (schemas). */
enum status db_script(struct db *db, const char *sql) MUST_CHECK;
enum status db_exec_n(struct db *db, const char *sql, size_t n,
                      const struct bind *binds) MUST_CHECK;
enum status db_query_n(struct db *db, struct rows *ret, const char *sql, size_t n,
                       const struct bind *binds) MUST_CHECK;
#define DB_BINDS(...)                                                                         \
    (sizeof((struct bind[]){ { BIND_NONE, { 0 } }, __VA_ARGS__ }) / sizeof(struct bind) - 1), \
        (struct bind[]){ { BIND_NONE, { 0 } }, __VA_ARGS__ } + 1
/* `sql` should be a literal: statements are cached by their text. */
#define db_exec(db, ...) DB_EXEC_(db, __VA_ARGS__, )
#define DB_EXEC_(db, sql, ...) db_exec_n((db), (sql), DB_BINDS(__VA_ARGS__))
#define db_query(db, ret, ...) DB_QUERY_(db, ret, __VA_ARGS__, )
#define DB_QUERY_(db, ret, sql, ...) db_query_n((db), (ret), (sql), DB_BINDS(__VA_ARGS__))

/* As db_exec, but ST_NOT_FOUND when no row was changed. */
enum status db_change_n(struct db *db, const char *sql, size_t n,
                        const struct bind *binds) MUST_CHECK;
#define db_change(db, ...) DB_CHANGE_(db, __VA_ARGS__, )
#define DB_CHANGE_(db, sql, ...) db_change_n((db), (sql), DB_BINDS(__VA_ARGS__))
/* What hangs on a row and then the row itself: one statement after the other with the same values,
 * the last one as db_change. `sqls` ends with NULL. */
enum status db_change_all_n(struct db *db, const char *const *sqls, size_t n,
                            const struct bind *binds) MUST_CHECK;
#define db_change_all(db, ...) DB_CHANGE_ALL_(db, __VA_ARGS__, )
#define DB_CHANGE_ALL_(db, sqls, ...) db_change_all_n((db), (sqls), DB_BINDS(__VA_ARGS__))

/* Next row? false at the end and on error (rows_end tells which). */
bool rows_next(struct rows *q);
/* The first row? Without one rows_end says ST_NOT_FOUND. */
bool rows_first(struct rows *q);
int64_t rows_i64(struct rows *q, int col);
double rows_f64(struct rows *q, int col);
bool rows_null(struct rows *q, int col);
/* Copied to the arena; SQL NULL gives absent. rows_view: borrowed until the next step. */
struct str rows_str(struct rows *q, struct arena *a, int col);
struct str rows_view(struct rows *q, int col);
/* Resets the statement; returns ST_OK or what went wrong. Idempotent. */
enum status rows_end(struct rows *q);

/* One-row helpers: ST_NOT_FOUND when there is none. */
enum status db_get_i64_n(struct db *db, int64_t *ret, const char *sql, size_t n,
                         const struct bind *binds) MUST_CHECK;
#define db_get_i64(db, ret, ...) DB_GET_I64_(db, ret, __VA_ARGS__, )
#define DB_GET_I64_(db, ret, sql, ...) db_get_i64_n((db), (ret), (sql), DB_BINDS(__VA_ARGS__))
enum status db_get_str_n(struct db *db, struct arena *a, struct str *ret, const char *sql, size_t n,
                         const struct bind *binds) MUST_CHECK;
#define db_get_str(db, a, ret, ...) DB_GET_STR_(db, a, ret, __VA_ARGS__, )
#define DB_GET_STR_(db, a, ret, sql, ...) \
    db_get_str_n((db), (a), (ret), (sql), DB_BINDS(__VA_ARGS__))

/* Rows changed by the last db_exec; rowid of its insert. */
int64_t db_changes(struct db *db);
int64_t db_total_changes(struct db *db); /* by all statements since the handle was opened */
int64_t db_last_rowid(struct db *db);

/* Transactions are the core's business (server/core.c); tests may use them. */
enum status db_begin(struct db *db) MUST_CHECK;
enum status db_commit(struct db *db) MUST_CHECK;
void db_rollback(struct db *db);
bool db_in_transaction(struct db *db);
enum status db_savepoint(struct db *db, int depth) MUST_CHECK;
enum status db_release(struct db *db, int depth) MUST_CHECK;
void db_rollback_to(struct db *db, int depth);
/* Called before the first statement outside a transaction on a DB_WRITE handle. */
void db_on_first_use(struct db *db, void (*fn)(void *arg), void *arg);

#endif
