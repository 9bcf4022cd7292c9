#include "emulators/dms/task/position.h"

#include <ctype.h>
#include <inttypes.h>

#include "server/base/clock.h"
#include "server/base/mem.h"

#define FIRST_EVENT 4u /* its place in every binlog file */

struct str dms_checkpoint_text(struct arena *a, const struct mysql_position *p, uint64_t n)
{
    return arena_printf(a,
                        "checkpoint:V1#%" PRIu64 "#%s:%" PRIu64 ":-1:0:%" PRIu64 ":%s:%" PRIu64
                        "#0#0#*#0#%" PRIu64,
                        n, p->file, p->pos, n, p->file, p->pos, n);
}

/* The third '#' field holds "file:pos:…"; the file's name has no colon. */
static enum status checkpoint_parse(struct str s, struct mysql_position *ret)
{
    struct str rest = s, field = STR_NONE;
    for (int i = 0; i < 3; i++) {
        if (!str_next(&rest, '#', &field)) {
            return ST_INVALID;
        }
    }
    struct str file, tail, number;
    if (!str_cut(field, ':', &file, &tail)) {
        return ST_INVALID;
    }
    if (!str_cut(tail, ':', &number, &tail)) {
        number = tail;
    }
    uint64_t pos;
    if (str_u64(number, &pos) != ST_OK) {
        return ST_INVALID;
    }
    return mysql_position_set(ret, file, pos);
}

/* Digits of the base at the beginning of s, which moves behind them: how many? */
static size_t take_digits(struct str *s, bool hex)
{
    size_t n = 0;
    while (n < s->n && (hex ? isxdigit((unsigned char)s->p[n]) : isdigit((unsigned char)s->p[n]))) {
        n++;
    }
    *s = str_sub(*s, n, s->n);
    return n;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) {
        return false;
    }
    *s = str_sub(*s, 1, s->n);
    return true;
}

/* 3E11FA47-71CA-11E1-9E33-C80AA9429562:… */
static bool is_mysql_gtid(struct str s)
{
    static const size_t groups[] = { 8, 4, 4, 4, 12 };
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (take_digits(&s, true) != groups[i] ||
            !take_char(&s, i + 1 < ARRAY_LEN(groups) ? '-' : ':')) {
            return false;
        }
    }
    return true;
}

/* 0-1-42, or several of them */
static bool is_mariadb_gtid(struct str s)
{
    for (int part = 0; part < 3; part++) {
        if (take_digits(&s, false) == 0 || (part < 2 && !take_char(&s, '-'))) {
            return false;
        }
    }
    return s.n == 0 || s.p[0] == ',';
}

bool dms_is_gtid(struct str s)
{
    s = str_trim(s);
    return is_mysql_gtid(s) || is_mariadb_gtid(s);
}

enum status dms_start_parse(struct str s, struct mysql_position *ret, int64_t *ret_ms)
{
    *ret = (struct mysql_position){ 0 };
    *ret_ms = -1;
    s = str_trim(s);
    if (dms_is_gtid(s)) {
        return ST_INVALID;
    }
    if (s.n >= 10 && s.p[4] == '-' && s.p[7] == '-' && clock_parse(s, ret_ms) == ST_OK) {
        return ST_OK;
    }
    *ret_ms = -1;
    enum status st =
        str_starts(s, STR("checkpoint:")) ? checkpoint_parse(s, ret) : mysql_position_parse(s, ret);
    if (st == ST_OK && ret->pos < FIRST_EVENT) {
        ret->pos = FIRST_EVENT; /* as CHANGE MASTER TO does */
    }
    return st;
}

enum status dms_stop_parse(struct str s, enum dms_stop_kind *ret_kind, int64_t *ret_ms)
{
    *ret_kind = DMS_STOP_NEVER;
    *ret_ms = 0;
    struct str kind, time;
    if (!str_cut(str_trim(s), ':', &kind, &time)) {
        return ST_INVALID;
    }
    if (str_ieqz(str_trim(kind), "server_time")) {
        *ret_kind = DMS_STOP_SERVER_TIME;
    } else if (str_ieqz(str_trim(kind), "commit_time")) {
        *ret_kind = DMS_STOP_COMMIT_TIME;
    } else {
        return ST_INVALID;
    }
    return clock_parse(str_trim(time), ret_ms);
}
