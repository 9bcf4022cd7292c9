#include "emulators/dms/worker/guard.h"

#include "server/base/arena.h"

#define GUARD_ARENA_MAX (1u << 20)

enum status dms_guard_take(struct mysql_conn *conn, const struct dms_table *t,
                           struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(GUARD_ARENA_MAX);
    struct mysql_cells none;
    struct str schema = mysql_quote_name(a, t->schema), name = mysql_quote_name(a, t->name);
    struct str sql =
        arena_printf(a, "SELECT 1 FROM %.*s.%.*s LIMIT 0", STR_ARG(schema), STR_ARG(name));
    enum status st = mysql_conn_exec(conn, "SET SESSION lock_wait_timeout = 5", err);
    if (st == ST_OK) {
        st = mysql_conn_exec(conn, "START TRANSACTION", err);
    }
    return st == ST_OK ? mysql_conn_collect(conn, a, sql.p, &none, err) : st;
}

void dms_guard_release(struct mysql_conn *conn)
{
    struct mysql_err ignored; /* a session that is over holds nothing */
    if (mysql_conn_exec(conn, "ROLLBACK", &ignored) != ST_OK) {
        return;
    }
}
