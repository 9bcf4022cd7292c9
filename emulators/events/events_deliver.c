/* Delivery: a row of the outbox for each event and target. Its payload is one line of JSON, then
 * the document for the target. A target that is gone or gives no permission loses the event at
 * once, as on AWS; anything else is tried again as the target's RetryPolicy says.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html */
#include "emulators/bus.h"
#include "emulators/events/events_internal.h"
#include "emulators/facade/metrics.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/outbox.h"
#include "server/service.h"
#include "server/wire/json.h"

#define KIND "events-delivery"
#define ROW_MAX (4u << 20)
#define RETRIES_DEFAULT 185
#define AGE_DEFAULT_S 86400
#define BACK_OFF_MS 1000
#define BACK_OFF_MAX_MS 300000

/* --- rows ------------------------------------------------------------------------------------- */
enum status events_deliver(struct events *e, struct arena *a, const struct events_delivery *d)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(ROW_MAX);
    const struct events_key *key = &d->rule->key;
    const struct events_retry_policy *retry = d->target->RetryPolicy;
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "account", key->account);
    json_pair(&o, "region", key->region);
    json_pair(&o, "bus", key->bus);
    json_pair(&o, "name", d->rule->name);
    json_pair(&o, "rule", events_rule_arn(a, d->rule));
    json_pair(&o, "request", d->event->request_id);
    json_keyz(&o, "retries");
    json_i64(&o, retry && retry->MaximumRetryAttempts.set ? retry->MaximumRetryAttempts.v
                                                          : RETRIES_DEFAULT);
    json_keyz(&o, "age_s");
    json_i64(&o, retry && retry->MaximumEventAgeInSeconds.set ? retry->MaximumEventAgeInSeconds.v
                                                              : AGE_DEFAULT_S);
    json_close(&o, '}');
    buf_putc(&b, '\n');
    buf_str_add(&b, d->payload);
    return buf_ok(&b) ? outbox_add(e->core, KIND, d->target->Arn, buf_str(&b), 0, NULL) : ST_NOMEM;
}

struct parcel {
    struct events *events;
    const struct outbox_row *row;
    struct events_key key;
    struct str rule, rule_arn, request, payload;
    int64_t retries, age_s;
};

static enum status read_row(struct arena *a, const struct outbox_row *row, struct parcel *p)
{
    struct str head, why;
    struct json_value *json;
    if (!str_cut(row->payload, '\n', &head, &p->payload) ||
        json_parse(a, head, &json, &why) != ST_OK) {
        return ST_INVALID;
    }
    p->key = (struct events_key){ json_get_str(json, "account"), json_get_str(json, "region"),
                                  json_get_str(json, "bus") };
    p->rule = json_get_str(json, "name");
    p->rule_arn = json_get_str(json, "rule");
    p->request = json_get_str(json, "request");
    p->retries = json_get_i64(json, "retries", RETRIES_DEFAULT);
    p->age_s = json_get_i64(json, "age_s", AGE_DEFAULT_S);
    return ST_OK;
}

/* --- one attempt ------------------------------------------------------------------------------ */
static void count(const struct parcel *p, const char *what)
{
    const struct metrics_owner owner = { p->key.account, p->key.region };
    const struct metrics_dimension d[] = { { STR("RuleName"), p->rule },
                                           { STR("EventBusName"), p->key.bus } };
    const struct metrics_series series = { STR("AWS/Events"), str_z(what), d,
                                           str_eqz(p->key.bus, EVENTS_DEFAULT_BUS) ? 1 : 2 };
    status_ignore(metrics_put(p->events->core, &owner, &series, 1, "Count")); /* logged */
}

static void finish(const struct parcel *p)
{
    status_ignore(outbox_done(p->events->core, p->row->id)); /* logged; it is delivered again */
}

static void give_up(const struct parcel *p, const char *why)
{
    log_warn("events", "rule %.*s: an event for %.*s is lost: %s", STR_ARG(p->rule),
             STR_ARG(p->row->target), why);
    count(p, "FailedInvocations");
    finish(p);
}

/* All or nothing: what the target's service wrote before it refused is undone. */
static enum status hand_over(const struct parcel *p)
{
    struct core_mark mark;
    const struct bus_event ev = {
        .target_arn = p->row->target,
        .source_service = STR(EVENTS_SOURCE),
        .source_arn = p->rule_arn,
        .source_account = p->key.account,
        .payload = p->payload,
        .request_id = p->request,
    };
    enum status st = core_mark(p->events->core, &mark);
    return st == ST_OK ? core_mark_end(p->events->core, mark, bus_deliver(p->events->core, &ev))
                       : st;
}

static void try_again(const struct parcel *p, enum status why)
{
    const struct outbox_row *row = p->row;
    int64_t shift = row->attempt < 9 ? row->attempt : 9;
    int64_t delay = BACK_OFF_MS << shift;
    int64_t due =
        clock_now_ms() + clock_scaled_ms(delay < BACK_OFF_MAX_MS ? delay : BACK_OFF_MAX_MS);
    if (row->attempt >= p->retries) {
        give_up(p, "MaximumRetryAttempts is reached");
    } else if (due > row->created_ms + clock_scaled_ms(p->age_s * 1000)) {
        give_up(p, "it would be older than MaximumEventAgeInSeconds");
    } else {
        log_info("events", "rule %.*s: %.*s is tried again: %s", STR_ARG(p->rule),
                 STR_ARG(row->target), status_name(why));
        status_ignore(outbox_retry(p->events->core, row->id, due, STR_NONE)); /* logged */
    }
}

static void on_due(void *state, const struct outbox_row *row)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENTS_ARENA_MAX);
    struct parcel p = { .events = state, .row = row };
    if (core_stopping(p.events->core)) {
        return; /* stays in flight: the next process delivers it */
    }
    if (read_row(a, row, &p) != ST_OK) {
        log_error("events", "row %lld of the outbox can't be read; it is dropped",
                  (long long)row->id);
        finish(&p);
        return;
    }
    enum status st = hand_over(&p);
    switch (st) {
    case ST_OK:
        count(&p, "Invocations");
        finish(&p);
        break;
    case ST_NOT_FOUND:
        give_up(&p, "the target doesn't exist (any more)");
        break;
    case ST_CONFLICT:
        give_up(&p, "the target doesn't permit " EVENTS_SOURCE " to send");
        break;
    case ST_INVALID:
        give_up(&p, "the target can't read it");
        break;
    default:
        try_again(&p, st);
        break;
    }
}

void events_deliver_init(struct events *e)
{
    outbox_register(e->core, KIND, on_due, e);
}

void events_deliver_busy(struct events *e, struct busy *busy)
{
    int64_t n = outbox_pending(e->core, KIND, INT64_MAX);
    if (n > 0) {
        busy_add(busy, "events", "%lld events wait for their targets", (long long)n);
    }
}
