/* When scheduled triggers fire: one row in the outbox each, remembered with the trigger. */
#include "emulators/glue/trigger/trigger.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/outbox.h"
#include "server/schedule.h"

#define KIND "glue-trigger"
#define FIRE_ARENA_MAX (64u << 20)

/* The row's target: account, region and name. */
static struct str target_of(struct arena *a, const struct glue_owner *o, struct str name)
{
    return arena_printf(a, "%.*s/%.*s/%.*s", STR_ARG(o->account), STR_ARG(o->region),
                        STR_ARG(name));
}

static bool read_target(struct str target, struct glue_trigger_key *ret)
{
    struct str rest;
    return str_cut(target, '/', &ret->owner.account, &rest) &&
           str_cut(rest, '/', &ret->owner.region, &ret->name);
}

enum status glue_trigger_plan(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                              const struct glue_trigger *t)
{
    int64_t row = 0;
    struct db *db = core_db(g->core);
    if (!str_eqz(t->Type, "SCHEDULED")) {
        return ST_OK;
    }
    enum status st = glue_store_trigger_due(db, o, t->Name, &row);
    if (st == ST_OK && row) {
        st = outbox_done(g->core, row);
        st = st == ST_NOT_FOUND ? ST_OK : st;
        row = 0;
    }
    if (st == ST_OK && str_eqz(t->State, "ACTIVATED")) {
        st = schedule_begin(g->core, KIND, target_of(a, o, t->Name), t->Schedule, &row);
        st = st == ST_NOT_FOUND ? ST_OK : st; /* its last year is over */
    }
    return st == ST_OK ? glue_store_set_trigger_due(db, o, t->Name, row) : st;
}

static void fire(struct glue_state *g, struct arena *a, const struct glue_trigger_key *key,
                 const struct glue_trigger *t)
{
    struct core_mark mark;
    enum status st = core_mark(g->core, &mark);
    if (st != ST_OK) {
        return; /* logged */
    }
    st = core_mark_end(g->core, mark, glue_trigger_fire(g, a, &key->owner, t));
    if (st == ST_OK) {
        return;
    }
    if (st == ST_CONFLICT && !str_empty(t->WorkflowName)) {
        status_ignore(glue_workflow_note_refused(g, a, &key->owner, t->WorkflowName)); /* logged */
    }
    log_warn("glue", "trigger %.*s: its time came, but nothing could be started: %s",
             STR_ARG(key->name),
             st == ST_CONFLICT ? "MaxConcurrentRuns is reached" : status_name(st));
}

static void on_due(void *state, const struct outbox_row *row)
{
    struct glue_state *g = state;
    struct db *db = core_db(g->core);
    CLEANUP(arena_freep) struct arena *a = arena_new(FIRE_ARENA_MAX);
    struct glue_trigger_key key;
    struct glue_trigger *t;
    int64_t planned = 0;
    bool known = read_target(row->target, &key) &&
                 glue_store_trigger(db, a, &key.owner, key.name, &t) == ST_OK &&
                 glue_store_trigger_due(db, &key.owner, key.name, &planned) == ST_OK;
    if (!known || planned != row->id) {
        status_ignore(outbox_done(g->core, row->id)); /* deleted or planned anew meanwhile */
        return;
    }
    if (schedule_in_time(row)) {
        fire(g, a, &key, t);
    } else {
        log_warn("glue", "trigger %.*s: a time was missed and isn't made up for",
                 STR_ARG(key.name));
    }
    enum status st = schedule_again(g->core, row, t->Schedule);
    if (st == ST_NOT_FOUND) {
        st = glue_store_set_trigger_due(db, &key.owner, key.name, 0);
    }
    status_ignore(st); /* logged */
}

void glue_trigger_init(struct glue_state *g)
{
    outbox_register(g->core, KIND, on_due, g);
}

/* Times that passed while no server ran aren't made up for: everything is planned from now on. */
enum status glue_trigger_start(struct glue_state *g)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(FIRE_ARENA_MAX);
    struct db *db = core_db(g->core);
    struct glue_trigger_key *keys;
    size_t n;
    enum status st = glue_store_planned_triggers(db, a, &keys, &n);
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        struct glue_trigger *t;
        st = glue_store_trigger(db, a, &keys[i].owner, keys[i].name, &t);
        st = st == ST_OK ? glue_trigger_plan(g, a, &keys[i].owner, t) : st;
    }
    return st;
}
