/* From an event to the rules that want it. */
#include "emulators/events/event_input.h"
#include "emulators/events/event_pattern.h"
#include "emulators/events/events_internal.h"
#include "emulators/facade/metrics.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

#define EVENT_JSON_MAX (1u << 20)

struct str events_write(struct arena *a, const struct events_fields *f)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_JSON_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "version", STR("0"));
    json_pair(&o, "id", f->id);
    json_pair(&o, "detail-type", f->detail_type);
    json_pair(&o, "source", f->source);
    json_pair(&o, "account", f->account);
    json_pair(&o, "time", clock_iso(a, f->time_ms));
    json_pair(&o, "region", f->region);
    json_keyz(&o, "resources");
    json_open(&o, '[');
    for (size_t i = 0; i < f->n_resources; i++) {
        json_str(&o, f->resources[i]);
    }
    json_close(&o, ']');
    json_keyz(&o, "detail");
    buf_str_add(&b, event_compact(a, f->detail)); /* numbers stay as they were written */
    json_close(&o, '}');
    return buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR_NONE;
}

/* What a target asks for. */
static struct event_input input_of(struct arena *a, const struct events_target *t)
{
    struct event_input in = { .input = t->Input, .path = t->InputPath };
    if (t->InputTransformer) {
        const struct events_transformer_paths *paths = &t->InputTransformer->InputPathsMap;
        struct event_variable *v = ARENA_ARRAY(a, struct event_variable, paths->n + 1);
        for (size_t i = 0; i < paths->n; i++) {
            v[i] = (struct event_variable){ paths->v[i].key, paths->v[i].value };
        }
        in.template = t->InputTransformer->InputTemplate;
        in.variables = v;
        in.n_variables = paths->n;
    }
    return in;
}

/* --- one rule --------------------------------------------------------------------------------- */
struct firing {
    struct events *events;
    struct arena *arena;
    const struct events_rule_row *rule;
    const struct events_event *event;
    const struct event_occasion *occasion;
};

static enum status feed(const struct firing *f, const struct events_target *t)
{
    struct events_delivery d = { f->rule, t, f->event, STR_NONE };
    struct events_key other;
    const struct event_input in = input_of(f->arena, t);
    if (f->event->forwarded && events_bus_arn_read(t->Arn, &other)) {
        log_info("events", "rule %.*s: an event that came from another bus goes to no third one",
                 STR_ARG(f->rule->name));
        return ST_OK;
    }
    enum status st = event_input_make(f->arena, &in, f->occasion, &d.payload);
    if (st == ST_NOMEM) {
        log_warn("events", "rule %.*s: what target %.*s should get is too big, the event is lost",
                 STR_ARG(f->rule->name), STR_ARG(t->Id));
        return ST_OK;
    }
    return st == ST_OK ? events_deliver(f->events, f->arena, &d) : st;
}

static enum status count(const struct firing *f)
{
    const struct events_key *key = &f->rule->key;
    const struct metrics_owner owner = { key->account, key->region };
    const struct metrics_dimension d[] = { { STR("RuleName"), f->rule->name },
                                           { STR("EventBusName"), key->bus } };
    const struct metrics_series series = { STR("AWS/Events"), STR("TriggeredRules"), d,
                                           str_eqz(key->bus, EVENTS_DEFAULT_BUS) ? 1 : 2 };
    return metrics_put(f->events->core, &owner, &series, 1, "Count");
}

static enum status fire(const struct firing *f)
{
    const struct events_page all = { .after = STR(""), .limit = INT64_MAX };
    struct events_target_list targets;
    enum status st = count(f);
    st = st == ST_OK
             ? events_store_targets(core_db(f->events->core), f->arena, f->rule->id, &all, &targets)
             : st;
    for (size_t i = 0; st == ST_OK && i < targets.n; i++) {
        st = feed(f, &targets.v[i]);
    }
    return st;
}

/* ST_INVALID: the document is none. */
static enum status read_event(struct arena *a, const struct events_event *event,
                              struct event_occasion *ret)
{
    struct json_value *tree;
    struct str why;
    enum status st = json_parse(a, event->json, &tree, &why);
    *ret = (struct event_occasion){ .json = event->json,
                                    .event = st == ST_OK ? tree : NULL,
                                    .ingested = clock_iso(a, clock_now_ms()) };
    return st == ST_OK && tree->kind == JSON_OBJECT ? ST_OK : ST_INVALID;
}

enum status events_trigger(struct events *e, struct arena *a, const struct events_rule_row *rule,
                           const struct events_event *event)
{
    struct event_occasion occasion;
    const struct firing f = { e, a, rule, event, &occasion };
    enum status st = read_event(a, event, &occasion);
    occasion.rule_arn = events_rule_arn(a, rule);
    occasion.rule_name = rule->name;
    return st == ST_OK ? fire(&f) : st;
}

/* --- all rules of a bus ----------------------------------------------------------------------- */
static bool wants(struct arena *a, const struct events_rule_row *rule,
                  const struct json_value *event)
{
    const struct json_value *pattern;
    struct str why;
    return event_pattern_parse(a, rule->pattern, &pattern, &why) == ST_OK &&
           event_pattern_matches(pattern, event);
}

enum status events_route(struct events *e, const struct events_event *event)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENTS_ARENA_MAX);
    struct event_occasion occasion;
    struct events_rule_row *rules;
    size_t n = 0;
    enum status st = events_store_listeners(core_db(e->core), a, &event->key, &rules, &n);
    if (st != ST_OK || n == 0) {
        return st;
    }
    st = read_event(a, event, &occasion);
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        const struct firing f = { e, a, &rules[i], event, &occasion };
        occasion.rule_arn = events_rule_arn(a, &rules[i]);
        occasion.rule_name = rules[i].name;
        st = wants(a, &rules[i], occasion.event) ? fire(&f) : ST_OK;
    }
    return st;
}
