/* Workflows as targets of EventBridge. An event counts for the workflow's trigger of type EVENT;
 * the run begins when the batch is full or, BatchWindow seconds after its first event, with what
 * came until then. The run's property aws:eventIds has the ids: "[id, id]". "Starting a Glue
 * workflow with an Amazon EventBridge event" in the developer guide. */
#include "emulators/bus.h"
#include "emulators/glue/trigger/trigger.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/core.h"
#include "server/outbox.h"
#include "server/service.h"
#include "server/wire/json.h"

#define KIND "glue-events"
#define EVENT_ARENA_MAX (64u << 20)
#define WINDOW_DEFAULT_S 900

struct place {
    struct glue_owner owner;
    struct str workflow;
};

/* "arn:aws:glue:REGION:ACCOUNT:workflow/NAME" */
static bool read_arn(struct str arn, struct place *ret)
{
    struct str part[5], rest = arn;
    for (size_t i = 0; i < 5; i++) {
        if (!str_cut(rest, ':', &part[i], &rest)) {
            return false;
        }
    }
    if (!str_starts(rest, STR("workflow/"))) {
        return false;
    }
    *ret = (struct place){ { part[4], part[3] }, str_sub(rest, 9, rest.n) };
    return true;
}

/* ST_NOT_FOUND: there is no such workflow, or events don't start it. */
static enum status find_trigger(struct glue_state *g, struct arena *a, const struct place *p,
                                const struct glue_trigger **ret)
{
    struct glue_workflow *w;
    struct glue_trigger_list triggers;
    struct db *db = core_db(g->core);
    enum status st = glue_store_workflow(db, a, &p->owner, p->workflow, &w);
    st = st == ST_OK ? glue_store_triggers(db, a, &p->owner, p->workflow, &triggers) : st;
    for (size_t i = 0; st == ST_OK && i < triggers.n; i++) {
        if (str_eqz(triggers.v[i].Type, "EVENT") && !str_eqz(triggers.v[i].State, "DEACTIVATED")) {
            *ret = &triggers.v[i];
            return ST_OK;
        }
    }
    if (st == ST_OK) {
        log_warn("glue", "workflow %.*s got an event, but no trigger of type EVENT starts it",
                 STR_ARG(p->workflow));
    }
    return st == ST_OK ? ST_NOT_FOUND : st;
}

/* --- batches ---------------------------------------------------------------------------------- */
static enum status forget_row(struct glue_state *g, const struct place *p,
                              const struct glue_trigger *t)
{
    int64_t row = 0;
    struct db *db = core_db(g->core);
    enum status st = glue_store_trigger_due(db, &p->owner, t->Name, &row);
    if (st == ST_OK && row) {
        st = outbox_done(g->core, row);
        st = st == ST_NOT_FOUND ? ST_OK : st;
        st = st == ST_OK ? glue_store_set_trigger_due(db, &p->owner, t->Name, 0) : st;
    }
    return st;
}

/* The events that wait become a run. */
static enum status begin(struct glue_state *g, struct arena *a, const struct place *p,
                         const struct glue_trigger *t)
{
    struct str ids, run;
    int64_t n;
    struct core_mark mark;
    struct db *db = core_db(g->core);
    enum status st = glue_store_workflow_events(db, a, &p->owner, p->workflow, &ids, &n);
    st = st == ST_OK ? glue_store_clear_workflow_events(db, &p->owner, p->workflow) : st;
    st = st == ST_OK ? forget_row(g, p, t) : st;
    if (st != ST_OK || n == 0) {
        return st;
    }
    struct glue_workflow_run_properties_entry entry = { STR("aws:eventIds"),
                                                        arena_printf(a, "[%.*s]", STR_ARG(ids)) };
    const struct glue_workflow_run_properties properties = { 1, &entry };
    st = core_mark(g->core, &mark);
    if (st != ST_OK) {
        return st;
    }
    st = core_mark_end(g->core, mark,
                       glue_workflow_begin(g, a, &p->owner, p->workflow, &properties, &run));
    return st == ST_CONFLICT ? glue_workflow_note_refused(g, a, &p->owner, p->workflow) : st;
}

static enum status wait_for_more(struct glue_state *g, struct arena *a, const struct place *p,
                                 const struct glue_trigger *t)
{
    const struct glue_event_batching_condition *c = t->EventBatchingCondition;
    int64_t window_s = c && c->BatchWindow.set ? c->BatchWindow.v : WINDOW_DEFAULT_S;
    int64_t row = 0;
    struct str target = arena_printf(a, "%.*s/%.*s/%.*s", STR_ARG(p->owner.account),
                                     STR_ARG(p->owner.region), STR_ARG(p->workflow));
    enum status st = outbox_add(g->core, KIND, target, STR_NONE,
                                clock_now_ms() + clock_scaled_ms(window_s * 1000), &row);
    return st == ST_OK ? glue_store_set_trigger_due(core_db(g->core), &p->owner, t->Name, row) : st;
}

static void on_due(void *state, const struct outbox_row *row)
{
    struct glue_state *g = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENT_ARENA_MAX);
    const struct glue_trigger *t;
    struct place p;
    struct str rest;
    int64_t planned = 0;
    bool known = str_cut(row->target, '/', &p.owner.account, &rest) &&
                 str_cut(rest, '/', &p.owner.region, &p.workflow) &&
                 find_trigger(g, a, &p, &t) == ST_OK &&
                 glue_store_trigger_due(core_db(g->core), &p.owner, t->Name, &planned) == ST_OK;
    enum status st =
        known && planned == row->id ? begin(g, a, &p, t) : outbox_done(g->core, row->id);
    if (st != ST_OK) {
        log_error("glue", "workflow %.*s can't begin with the events that wait: %s",
                  STR_ARG(known ? p.workflow : row->target), status_name(st));
    }
}

/* --- the bus's side --------------------------------------------------------------------------- */
static enum status may(void *state, const struct bus_event *ev)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENT_ARENA_MAX);
    const struct glue_trigger *t;
    struct place p;
    return read_arn(ev->target_arn, &p) ? find_trigger(state, a, &p, &t) : ST_NOT_FOUND;
}

static enum status take(void *state, const struct bus_event *ev)
{
    struct glue_state *g = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENT_ARENA_MAX);
    const struct glue_trigger *t;
    struct place p;
    struct json_value *json = NULL;
    struct str why, waiting;
    int64_t n = 0;
    enum status st = read_arn(ev->target_arn, &p) ? find_trigger(g, a, &p, &t) : ST_NOT_FOUND;
    if (st != ST_OK) {
        return st;
    }
    bool read = json_parse(a, ev->payload, &json, &why) == ST_OK;
    struct str id = read ? json_get_str(json, "id") : STR_NONE;
    struct db *db = core_db(g->core);
    st = glue_store_add_workflow_event(db, &p.owner, p.workflow, str_set(id) ? id : id_uuid(a));
    st = st == ST_OK ? glue_store_workflow_events(db, a, &p.owner, p.workflow, &waiting, &n) : st;
    if (st != ST_OK) {
        return st;
    }
    const struct glue_event_batching_condition *c = t->EventBatchingCondition;
    int64_t size = c && c->BatchSize.set ? c->BatchSize.v : 1;
    if (n >= size) {
        return begin(g, a, &p, t);
    }
    return n == 1 ? wait_for_more(g, a, &p, t) : ST_OK;
}

static const struct bus_target bus_target = {
    .arn_service = "glue",
    .check = may,
    .deliver = take,
};

void glue_workflow_event_init(struct glue_state *g)
{
    outbox_register(g->core, KIND, on_due, g);
    bus_register(g->core, &bus_target, g);
}

void glue_workflow_event_busy(struct glue_state *g, struct busy *busy)
{
    int64_t n = outbox_pending(g->core, KIND, INT64_MAX);
    if (n > 0 && busy->flush) {
        status_ignore(outbox_hurry(g->core, KIND)); /* logged */
    }
    if (n > 0) {
        busy_add(busy, "glue", "%lld workflows wait for more events of their batch", (long long)n);
    }
}
