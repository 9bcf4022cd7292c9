#include "server/mysql/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"
#include "server/mysql/snapshot_parts.h"

#define LOCK_WAIT_S 5u
#define LOCK_ATTEMPTS 5u
#define MATCH_ATTEMPTS 40 /* to catch several connections between the same two commits */
#define START "START TRANSACTION WITH CONSISTENT SNAPSHOT"

/* --- opening ---------------------------------------------------------------------------------- */

/* All at the same moment, nearly: the fewer commits come between them, the sooner they agree. */
static enum status start_all(struct mysql_snapshot *s, struct mysql_err *err)
{
    enum status st = ST_OK;
    size_t asked = 0;
    while (asked < s->conns_n && !st) {
        st = mysql_conn_send(s->conns[asked], MYSQL_COMMAND_QUERY, START, sizeof(START) - 1, err);
        asked += !st;
    }
    for (size_t i = 0; i < asked; i++) { /* each answer, whatever the others are */
        const uint8_t *p;
        size_t n;
        struct mysql_err own;
        enum status got = mysql_conn_recv(s->conns[i], &p, &n, &own);
        if (got && !st) {
            st = got;
            *err = own;
        }
    }
    return st;
}

static enum status isolate_all(struct mysql_snapshot *s, struct mysql_err *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < s->conns_n && !st; i++) {
        /* In a weaker one the server ignores WITH CONSISTENT SNAPSHOT, silently. */
        st = mysql_conn_exec(s->conns[i], "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                             err);
    }
    return st;
}

static void end_all(struct mysql_snapshot *s)
{
    struct mysql_err ignored;
    for (size_t i = 0; i < s->conns_n; i++) {
        status_ignore(mysql_conn_exec(s->conns[i], "ROLLBACK", &ignored));
    }
}

/* MariaDB: the position belongs to the snapshot. ST_NOT_FOUND: the connections never agreed. */
static enum status open_by_status(struct mysql_snapshot *s, struct mysql_err *err)
{
    for (int attempt = 0; attempt < MATCH_ATTEMPTS; attempt++) {
        enum status st = start_all(s, err);
        bool same = true;
        for (size_t i = 0; i < s->conns_n && !st; i++) {
            struct mysql_position p;
            st = mysql_position_snapshot(s->conns[i], &p, err);
            if (!st && i == 0) {
                s->position = p;
            }
            same = same && !st && mysql_position_cmp(&s->position, &p) == 0;
        }
        if (st || same) {
            s->how = MYSQL_SNAPSHOT_STATUS;
            return st;
        }
        end_all(s);
    }
    return mysql_err_set(err, ST_NOT_FOUND, MYSQL_ERR_BUSY,
                         "%zu connections to %s could not open the same snapshot between two "
                         "commits: use fewer connections, or grant RELOAD.",
                         s->conns_n, mysql_conn_host_text(s->conns[0]));
}

/* While writers are locked out: the snapshots, and the place that they belong to. */
static enum status start_locked(struct mysql_snapshot *s, struct mysql_conn *locker,
                                const struct mysql_snapshot_options *o, struct mysql_err *err)
{
    enum status st = start_all(s, err);
    if (!st && !o->no_position) {
        st = mysql_position_master(locker, &s->position, err);
    }
    return st;
}

static enum status set_lock_wait(struct mysql_conn *c, const struct mysql_snapshot_options *o,
                                 struct mysql_err *err)
{
    return mysql_conn_execf(c, err, "SET SESSION lock_wait_timeout = %u",
                            o->lock_wait_s ? o->lock_wait_s : LOCK_WAIT_S);
}

/* Waiting for the lock stalls every writer, so each attempt is short. */
static enum status try_lock(struct mysql_conn *c, const char *sql,
                            const struct mysql_snapshot_options *o, unsigned attempts,
                            struct mysql_err *err)
{
    enum status st = set_lock_wait(c, o, err);
    for (unsigned i = 0; i < attempts && (i == 0 || (st && err->kind == MYSQL_ERR_BUSY)); i++) {
        if (st && i == 0) {
            return st;
        }
        st = mysql_conn_exec(c, sql, err);
    }
    return st;
}

/* MySQL before 5.7 makes commits visible after releasing the table locks: rows would be lost. */
static bool table_lock_works(const struct mysql_conn *c)
{
    return mysql_conn_flavour(c) == MYSQL_FLAVOUR_MARIADB || mysql_conn_version(c) >= 50700;
}

static unsigned attempts_of(const struct mysql_snapshot_options *o)
{
    return o->lock_attempts ? o->lock_attempts : LOCK_ATTEMPTS;
}

static enum status open_by_global_lock(struct mysql_snapshot *s,
                                       const struct mysql_snapshot_options *o,
                                       struct mysql_err *err)
{
    struct mysql_conn *c = s->conns[0];
    unsigned attempts = table_lock_works(c) ? 1 : attempts_of(o);
    enum status st = try_lock(c, "FLUSH TABLES WITH READ LOCK", o, attempts, err);
    if (st) {
        return st;
    }
    st = start_locked(s, c, o, err);
    if (!st) {
        st = mysql_guard_take(s, o, true, err);
    }
    struct mysql_err unlock;
    enum status unlocked = mysql_conn_exec(c, "UNLOCK TABLES", &unlock);
    if (!st && unlocked) {
        *err = unlock;
        st = unlocked;
    }
    s->how = MYSQL_SNAPSHOT_GLOBAL_LOCK;
    return st;
}

static void lock_statement(const struct mysql_snapshot_options *o, struct buf *sql)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < o->tables_n; i++) {
        buf_puts(sql, i ? ", " : "LOCK TABLES ");
        buf_str_add(sql, mysql_quote_name(a, o->tables[i]->schema));
        buf_putc(sql, '.');
        buf_str_add(sql, mysql_quote_name(a, o->tables[i]->name));
        buf_puts(sql, " READ");
    }
    buf_putc(sql, '\0');
}

/* START TRANSACTION would release the locks of its own session, so another one holds them: until
 * the end, if the tables are to stay as they are. A guard beside it could be kept waiting by
 * somebody who waits for the lock to alter a table. */
static enum status open_by_table_lock(struct mysql_snapshot *s,
                                      const struct mysql_snapshot_options *o, struct mysql_err *err)
{
    CLEANUP(buf_fini) struct buf sql = BUF_INIT(1 << 20);
    mysql_conn_freep(&s->locker);
    s->locker = mysql_conn_twin(s->conns[0]);
    lock_statement(o, &sql);
    if (!buf_ok(&sql) || o->tables_n == 0) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_LIMIT,
                             "No tables, or too many of them, to lock for a snapshot.");
    }
    enum status st = mysql_conn_connect(s->locker, err);
    if (!st) {
        st = try_lock(s->locker, sql.p, o, attempts_of(o), err);
    }
    if (!st) {
        st = start_locked(s, s->locker, o, err);
    }
    if (st || !o->guard) {
        mysql_snapshot_settle(s);
    }
    s->how = MYSQL_SNAPSHOT_TABLE_LOCK;
    return st;
}

static enum status open_by_lock(struct mysql_snapshot *s, const struct mysql_snapshot_options *o,
                                struct mysql_err *err)
{
    enum status st = ST_IO;
    mysql_err_set(err, ST_IO, MYSQL_ERR_PRIVILEGE, "FLUSH TABLES WITH READ LOCK was not wanted.");
    if (!o->forbid_flush) {
        st = open_by_global_lock(s, o, err);
    }
    bool refused = st && (err->kind == MYSQL_ERR_PRIVILEGE || err->kind == MYSQL_ERR_BUSY ||
                          err->kind == MYSQL_ERR_AUTH);
    if (!refused) {
        return st;
    }
    if (!table_lock_works(s->conns[0])) {
        mysql_err_prefix(err, "An exact snapshot on this server needs FLUSH TABLES WITH READ LOCK "
                              "(grant RELOAD), which failed: ");
        return st;
    }
    struct mysql_err first = *err;
    enum status first_st = st;
    st = open_by_table_lock(s, o, err);
    if (st && err->kind == MYSQL_ERR_PRIVILEGE && first.kind == MYSQL_ERR_BUSY) {
        *err = first; /* the other lock may be had later */
        return first_st;
    }
    if (st && err->kind == MYSQL_ERR_PRIVILEGE) {
        mysql_err_prefix(err,
                         "An exact snapshot needs RELOAD or LOCK TABLES, and REPLICATION CLIENT. "
                         "FLUSH TABLES WITH READ LOCK: %.300s LOCK TABLES: ",
                         first.text);
    }
    return st;
}

/* MariaDB makes an XA COMMIT visible a moment after its place in the log, outside of the order that
 * its snapshots' positions rely on: only a lock waits for it. Since the server's start, was there
 * one? */
static bool has_xa(struct mysql_conn *c)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
    struct mysql_err ignored;
    struct mysql_cells t;
    return mysql_conn_collect(c, a, "SHOW GLOBAL STATUS LIKE 'Com_xa_commit'", &t, &ignored) ==
               ST_OK &&
           t.rows == 1 && t.cols == 2 && !str_eqz(t.cells[1], "0");
}

static enum status open_snapshot(struct mysql_snapshot *s, const struct mysql_snapshot_options *o,
                                 struct mysql_err *err)
{
    enum status st = isolate_all(s, err);
    if (st) {
        return st;
    }
    if (o->no_position && s->conns_n == 1) {
        s->how = MYSQL_SNAPSHOT_NO_POSITION;
        return start_all(s, err);
    }
    if (mysql_conn_flavour(s->conns[0]) == MYSQL_FLAVOUR_MARIADB && !o->no_status) {
        if (has_xa(s->conns[0])) {
            if (open_by_lock(s, o, err) == ST_OK) {
                return ST_OK;
            }
            snprintf(s->doubt, sizeof(s->doubt), "%s", err->text);
        }
        st = mysql_guard_take(s, o, false, err);
        if (st) {
            return st;
        }
        st = open_by_status(s, err);
        if (st != ST_NOT_FOUND) {
            return st;
        }
        mysql_snapshot_settle(s);
    }
    return open_by_lock(s, o, err);
}

enum status mysql_snapshot_open(struct mysql_conn *const *conns, size_t conns_n,
                                const struct mysql_snapshot_options *options,
                                struct mysql_snapshot **ret, struct mysql_err *err)
{
    *ret = NULL;
    mysql_err_clear(err);
    if (conns_n == 0 || conns_n > MYSQL_SNAPSHOT_CONNS) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_LIMIT,
                             "A snapshot takes 1 to %d connections, not %zu.", MYSQL_SNAPSHOT_CONNS,
                             conns_n);
    }
    struct mysql_snapshot *s = xcalloc(1, sizeof(*s));
    for (size_t i = 0; i < conns_n; i++) {
        s->conns[i] = conns[i];
    }
    s->conns_n = conns_n;
    enum status st = open_snapshot(s, options, err);
    if (st) {
        mysql_snapshot_free(s);
        return st;
    }
    *ret = s;
    return ST_OK;
}

void mysql_snapshot_free(struct mysql_snapshot *s)
{
    if (s) {
        mysql_snapshot_settle(s);
        end_all(s);
        free(s);
    }
}

const struct mysql_position *mysql_snapshot_position(const struct mysql_snapshot *s)
{
    return &s->position;
}

enum mysql_snapshot_how mysql_snapshot_how(const struct mysql_snapshot *s)
{
    return s->how;
}

const char *mysql_snapshot_doubt(const struct mysql_snapshot *s)
{
    return s->how == MYSQL_SNAPSHOT_STATUS && s->doubt[0] ? s->doubt : NULL;
}
