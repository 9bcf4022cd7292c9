/* Who keeps the tables of a snapshot as they are, from its place in the log until they have been
 * described. A statement that alters a table first takes its part of the server's lock and then the
 * table, and waits for the table with that part in hand. Whoever holds the table and wants the lock
 * (FLUSH TABLES WITH READ LOCK) would wait for it in turn, and every writer behind them; the server
 * can't see that two sessions are one. So the order here is the same: the lock, then the table. */
#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"
#include "server/mysql/snapshot_parts.h"

#define GUARD_ARENA_MAX (1u << 20)
#define GUARD_WAIT_S 5u        /* for a statement that is altering the table */
#define GUARD_WAIT_LOCKED_S 1u /* none can be: all writers are waiting for us meanwhile */

enum status mysql_table_touch(struct mysql_conn *c, struct str schema, struct str name,
                              unsigned wait_s, struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(GUARD_ARENA_MAX);
    struct mysql_cells none;
    struct str in = mysql_quote_name(a, schema), table = mysql_quote_name(a, name);
    struct str sql =
        arena_printf(a, "SELECT 1 FROM %.*s.%.*s LIMIT 0", STR_ARG(in), STR_ARG(table));
    enum status st = mysql_conn_execf(c, err, "SET SESSION lock_wait_timeout = %u", wait_s);
    if (!st) {
        st = mysql_conn_collect(c, a, sql.p, &none, err);
    }
    return st && err->kind == MYSQL_ERR_MISSING ? ST_NOT_FOUND : st;
}

enum status mysql_guard_take(struct mysql_snapshot *s, const struct mysql_snapshot_options *o,
                             bool locked, struct mysql_err *err)
{
    if (!o->guard) {
        return ST_OK;
    }
    s->guard = o->guard;
    enum status st = mysql_conn_exec(o->guard, "START TRANSACTION", err);
    for (size_t i = 0; i < o->tables_n && !st; i++) {
        st = mysql_table_touch(o->guard, o->tables[i]->schema, o->tables[i]->name,
                               locked ? GUARD_WAIT_LOCKED_S : GUARD_WAIT_S, err);
    }
    return st;
}

void mysql_snapshot_settle(struct mysql_snapshot *s)
{
    struct mysql_err ignored; /* a session that is over holds nothing */
    if (s->guard) {
        status_ignore(mysql_conn_exec(s->guard, "ROLLBACK", &ignored));
        s->guard = NULL;
    }
    if (s->locker) {
        status_ignore(mysql_conn_exec(s->locker, "UNLOCK TABLES", &ignored));
        mysql_conn_freep(&s->locker);
    }
}
