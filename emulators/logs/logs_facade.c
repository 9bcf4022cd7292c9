/* What other services print: see logs.h. */
#include "emulators/facade/logs.h"

#include "emulators/logs/logs_store.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/core.h"

#define MESSAGE_MAX (256 * 1024 - 26) /* bytes of one event, as PutLogEvents allows */
#define SCRATCH_MAX ((size_t)64 * 1024)

struct place {
    int64_t group, stream;
};

/* Group and stream, made when missing. */
static enum status place_of(struct core *core, const struct logs_owner *owner,
                            struct str group_name, struct str stream_name, struct place *ret)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SCRATCH_MAX);
    struct db *db = core_db(core);
    struct logs_group_row group;
    struct logs_stream_row stream;
    enum status st = logs_store_group(db, a, owner, group_name, &group);
    if (st == ST_NOT_FOUND) {
        st = logs_store_add_group(db, owner, group_name, clock_now_ms(), &group.id);
    }
    if (st != ST_OK) {
        return st;
    }
    st = logs_store_stream(db, a, group.id, stream_name, &stream);
    if (st == ST_NOT_FOUND) {
        st = logs_store_add_stream(db, group.id, stream_name, clock_now_ms(), &stream.id);
    }
    *ret = (struct place){ group.id, stream.id };
    return st;
}

enum status logs_open_stream(struct core *core, const struct logs_owner *owner, struct str group,
                             struct str stream)
{
    struct place place;
    return place_of(core, owner, group, stream, &place);
}

enum status logs_stream_bytes(struct core *core, const struct logs_owner *owner, struct str group,
                              struct str stream, int64_t *ret)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SCRATCH_MAX);
    struct logs_group_row g;
    struct logs_stream_row s = { 0 };
    enum status st = logs_store_group(core_db(core), a, owner, group, &g);
    if (st == ST_OK) {
        st = logs_store_stream(core_db(core), a, g.id, stream, &s);
    }
    *ret = st == ST_OK ? s.bytes : 0;
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status logs_write(struct core *core, const struct logs_owner *owner, struct str group,
                       struct str stream, int64_t time_ms, struct str message)
{
    struct place place;
    enum status st = place_of(core, owner, group, stream, &place);
    if (st != ST_OK) {
        return st;
    }
    return logs_store_add_event(core_db(core), place.group, place.stream, time_ms, clock_now_ms(),
                                str_sub(message, 0, MESSAGE_MAX));
}
