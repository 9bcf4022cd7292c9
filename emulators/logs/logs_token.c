#include "emulators/logs/logs_token.h"

struct str logs_token(struct arena *a, char direction, struct logs_position at)
{
    return arena_printf(a, "%c/%lld/%lld", direction, (long long)at.time_ms, (long long)at.id);
}

enum status logs_token_parse(struct str token, char *ret_direction, struct logs_position *ret)
{
    struct str time, id;
    if (token.n < 3 || (token.p[0] != 'f' && token.p[0] != 'b') || token.p[1] != '/' ||
        !str_cut(str_sub(token, 2, token.n), '/', &time, &id) ||
        str_i64(time, &ret->time_ms) != ST_OK || str_i64(id, &ret->id) != ST_OK) {
        return ST_INVALID;
    }
    *ret_direction = token.p[0];
    return ST_OK;
}
