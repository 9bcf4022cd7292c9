#include "server/mysql/position.h"

#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"

#define SMALL_RESULT ((size_t)4 * 1024 * 1024)

static struct str base_of(const struct mysql_position *p, struct str *ret_suffix)
{
    struct str name = { p->file, strnlen(p->file, sizeof(p->file)) };
    size_t dot = name.n;
    while (dot > 0 && name.p[dot - 1] != '.') {
        dot--;
    }
    *ret_suffix = str_sub(name, dot, name.n);
    return str_sub(name, 0, dot);
}

int mysql_position_cmp(const struct mysql_position *a, const struct mysql_position *b)
{
    struct str a_suffix, b_suffix;
    struct str a_base = base_of(a, &a_suffix), b_base = base_of(b, &b_suffix);
    uint64_t a_number = 0, b_number = 0;
    int order = str_cmp(a_base, b_base);
    if (order == 0 && str_u64(a_suffix, &a_number) == ST_OK &&
        str_u64(b_suffix, &b_number) == ST_OK) {
        order = (a_number > b_number) - (a_number < b_number);
    } else if (order == 0) {
        order = str_cmp(a_suffix, b_suffix);
    }
    return order ? order : (a->pos > b->pos) - (a->pos < b->pos);
}

enum status mysql_position_set(struct mysql_position *p, struct str file, uint64_t pos)
{
    if (file.n == 0 || file.n >= sizeof(p->file)) {
        return ST_INVALID;
    }
    for (size_t i = 0; i < file.n; i++) {
        if ((unsigned char)file.p[i] < 0x20 || file.p[i] == '/' || file.p[i] == 0x7F) {
            return ST_INVALID;
        }
    }
    memset(p->file, 0, sizeof(p->file));
    memcpy(p->file, file.p, file.n);
    p->pos = pos;
    return ST_OK;
}

enum status mysql_position_parse(struct str s, struct mysql_position *ret)
{
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':') {
        colon--;
    }
    uint64_t pos;
    if (colon == 0 || str_u64(str_sub(s, colon, s.n), &pos) != ST_OK) {
        return ST_INVALID;
    }
    return mysql_position_set(ret, str_sub(s, 0, colon - 1), pos);
}

struct str mysql_position_text(struct arena *a, const struct mysql_position *p)
{
    return arena_printf(a, "%s:%llu", p->file, (unsigned long long)p->pos);
}

static enum status from_cells(struct mysql_conn *c, struct str file, struct str pos,
                              struct mysql_position *ret, struct mysql_err *err)
{
    uint64_t n;
    if (!str_set(file) || str_empty(file)) {
        return mysql_err_set(err, ST_CONFLICT, MYSQL_ERR_CONFIG,
                             "Binary logging is off on %s (log_bin is OFF): start the server with "
                             "--log-bin --server-id=1 --binlog-format=ROW.",
                             mysql_conn_host_text(c));
    }
    if (!str_set(pos) || str_u64(pos, &n) != ST_OK || mysql_position_set(ret, file, n) != ST_OK) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_CORRUPT,
                             "%s names an impossible binlog position: '%.*s', '%.*s'.",
                             mysql_conn_host_text(c), STR_ARG(file), STR_ARG(pos));
    }
    return ST_OK;
}

enum status mysql_position_snapshot(struct mysql_conn *c, struct mysql_position *ret,
                                    struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SMALL_RESULT);
    struct mysql_cells t;
    enum status st = mysql_conn_collect(
        c, a,
        "SHOW STATUS WHERE Variable_name IN ('binlog_snapshot_file', 'binlog_snapshot_position')",
        &t, err);
    if (st) {
        return st;
    }
    struct str file = STR_NONE, pos = STR_NONE;
    for (size_t r = 0; r < t.rows && t.cols == 2; r++) {
        if (str_ieqz(t.cells[r * 2], "binlog_snapshot_file")) {
            file = t.cells[r * 2 + 1];
        } else {
            pos = t.cells[r * 2 + 1];
        }
    }
    return from_cells(c, file, pos, ret, err);
}

/* One of several spellings of a statement: the servers' versions renamed them. */
static enum status first_that_works(struct mysql_conn *c, struct arena *a, const char *const *sql,
                                    struct mysql_cells *ret, struct mysql_err *err)
{
    enum status st;
    do {
        st = mysql_conn_collect(c, a, *sql, ret, err);
        sql++;
    } while (st && err->code == 1064 && *sql);
    return st;
}

enum status mysql_position_master(struct mysql_conn *c, struct mysql_position *ret,
                                  struct mysql_err *err)
{
    static const char *const sql[] = { "SHOW MASTER STATUS", "SHOW BINARY LOG STATUS", NULL };
    CLEANUP(arena_freep) struct arena *a = arena_new(SMALL_RESULT);
    struct mysql_cells t;
    enum status st = first_that_works(c, a, sql, &t, err);
    if (st) {
        return st;
    }
    return from_cells(c, mysql_cells_get(&t, 0, "File"), mysql_cells_get(&t, 0, "Position"), ret,
                      err);
}

enum status mysql_position_end(struct mysql_conn *c, struct mysql_position *ret,
                               struct mysql_err *err)
{
    *ret = (struct mysql_position){ 0 };
    /* Outside of a snapshot these are the current end, and need no privilege. */
    if (mysql_conn_flavour(c) == MYSQL_FLAVOUR_MARIADB) {
        return mysql_position_snapshot(c, ret, err);
    }
    return mysql_position_master(c, ret, err);
}

enum status mysql_position_oldest(struct mysql_conn *c, struct mysql_position *ret,
                                  struct mysql_err *err)
{
    static const char *const sql[] = { "SHOW BINARY LOGS", NULL };
    *ret = (struct mysql_position){ 0 };
    CLEANUP(arena_freep) struct arena *a = arena_new(SMALL_RESULT);
    struct mysql_cells t;
    enum status st = first_that_works(c, a, sql, &t, err);
    if (st) {
        return st;
    }
    return from_cells(c, mysql_cells_get(&t, 0, "Log_name"), STR("4"), ret, err);
}
