/* A script of the user's: its statements one by one, as they stand between semicolons. */
#include "server/mysql/conn_raw.h"

#include "server/base/log.h"
#include "server/base/mem.h"

/* Behind what begins at `i`: a quoted text, a comment, or one byte. */
static size_t skip_part(struct str s, size_t i)
{
    char c = s.p[i];
    struct str rest = str_sub(s, i, s.n);
    if (c == '\'' || c == '"' || c == '`') {
        for (i++; i < s.n && s.p[i] != c; i++) {
            i += s.p[i] == '\\' && c != '`';
        }
        return i + 1; /* a doubled quote begins the next text at once */
    }
    if (c == '#' || str_starts(rest, STR("-- ")) || str_starts(rest, STR("--\n"))) {
        ptrdiff_t end = str_find(s, '\n', i);
        return end < 0 ? s.n : (size_t)end + 1;
    }
    if (str_starts(rest, STR("/*"))) {
        ptrdiff_t end = str_find_str(rest, STR("*/"));
        return end < 0 ? s.n : i + (size_t)end + 2;
    }
    return i + 1;
}

bool mysql_script_next(struct str *rest, struct str *ret)
{
    while (rest->n > 0) {
        size_t i = 0;
        while (i < rest->n && rest->p[i] != ';') {
            i = skip_part(*rest, i);
        }
        i = i < rest->n ? i : rest->n;
        *ret = str_trim(str_sub(*rest, 0, i));
        *rest = str_sub(*rest, i + 1, rest->n);
        if (ret->n > 0) {
            return true;
        }
    }
    return false;
}

enum status mysql_conn_script(struct mysql_conn *c, const char *script, struct mysql_err *err)
{
    struct str rest = str_z(script), statement;
    while (mysql_script_next(&rest, &statement)) {
        struct mysql_err why = { 0 };
        CLEANUP(free_ptr) char *sql = xstrndup(statement.p, statement.n);
        if (mysql_conn_exec(c, sql, &why) != ST_OK) {
            log_warn("mysql", "a statement of the script to run after connecting to %s failed: %s",
                     mysql_conn_host_text(c), why.text);
        }
    }
    return mysql_conn_exec(c, "SET NAMES utf8mb4, SESSION autocommit = 1", err);
}
