#include "emulators/dms/dms_position.h"

#include <inttypes.h>

#include "server/base/clock.h"

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

enum status dms_start_parse(struct str s, struct mysql_position *ret, int64_t *ret_ms)
{
    *ret = (struct mysql_position){ 0 };
    *ret_ms = -1;
    s = str_trim(s);
    if (str_starts(s, STR("checkpoint:"))) {
        return checkpoint_parse(s, ret);
    }
    if (s.n >= 10 && s.p[4] == '-' && s.p[7] == '-' && clock_parse(s, ret_ms) == ST_OK) {
        return ST_OK;
    }
    *ret_ms = -1;
    return mysql_position_parse(s, ret);
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
