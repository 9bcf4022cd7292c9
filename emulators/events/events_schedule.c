/* Rules with a ScheduleExpression: one row of the outbox each, remembered with the rule. The event
 * bears the time that the schedule says, also when --clock-scale makes it come early. */
#include "emulators/events/events_internal.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/outbox.h"
#include "server/schedule.h"

#define KIND "events-schedule"

enum status events_plan(struct events *e, struct events_rule_row *rule)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENTS_ARENA_MAX);
    enum status st = rule->due_row ? outbox_done(e->core, rule->due_row) : ST_OK;
    st = st == ST_NOT_FOUND ? ST_OK : st; /* it came to its end by itself */
    rule->due_row = 0;
    if (st == ST_OK && str_set(rule->schedule) && !str_eqz(rule->state, "DISABLED")) {
        st = schedule_begin(e->core, KIND, arena_i64(a, rule->id), rule->schedule, &rule->due_row);
        st = st == ST_NOT_FOUND ? ST_OK : st; /* its last year is over */
    }
    return st == ST_OK ? events_store_set_due(core_db(e->core), rule->id, rule->due_row) : st;
}

static enum status fire(struct events *e, struct arena *a, const struct events_rule_row *rule,
                        int64_t time_ms)
{
    const struct str arn = events_rule_arn(a, rule);
    const struct events_fields fields = {
        .account = rule->key.account,
        .region = rule->key.region,
        .id = id_uuid(a),
        .source = STR("aws.events"),
        .detail_type = STR("Scheduled Event"),
        .resources = &arn,
        .n_resources = 1,
        .time_ms = time_ms,
        .detail = STR("{}"),
    };
    const struct events_event event = { rule->key, events_write(a, &fields), STR_NONE, false };
    log_debug("events", "rule %.*s: its time came", STR_ARG(rule->name));
    return events_trigger(e, a, rule, &event);
}

static void on_due(void *state, const struct outbox_row *row)
{
    struct events *e = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENTS_ARENA_MAX);
    struct events_rule_row rule;
    int64_t id = 0;
    bool known = str_i64(row->target, &id) == ST_OK &&
                 events_store_rule_by_id(core_db(e->core), a, id, &rule) == ST_OK;
    if (!known || rule.due_row != row->id || !str_set(rule.schedule)) {
        status_ignore(outbox_done(e->core, row->id)); /* deleted or planned anew meanwhile */
        return;
    }
    enum status st = ST_OK;
    if (schedule_in_time(row)) {
        st = fire(e, a, &rule, schedule_time_ms(row));
    } else {
        log_warn("events", "rule %.*s: a time was missed and isn't made up for",
                 STR_ARG(rule.name));
    }
    if (st != ST_OK) {
        log_error("events", "rule %.*s: its time came, but its targets can't be told: %s",
                  STR_ARG(rule.name), status_name(st));
    }
    st = schedule_again(e->core, row, rule.schedule);
    if (st == ST_NOT_FOUND) {
        st = events_store_set_due(core_db(e->core), id, 0);
    }
    status_ignore(st); /* logged */
}

void events_schedule_init(struct events *e)
{
    outbox_register(e->core, KIND, on_due, e);
}

/* Times that passed while no server ran aren't made up for: everything is planned from now on. */
enum status events_schedule_start(struct events *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENTS_ARENA_MAX);
    struct events_rule_row *rules;
    size_t n;
    enum status st = events_store_scheduled(core_db(e->core), a, &rules, &n);
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        st = events_plan(e, &rules[i]);
    }
    return st;
}
