/* A row's payload is one line of JSON (request id, failures so far, …), then the event as it came.
 */
#include "emulators/lambda/lambda_queue.h"

#include "emulators/bus.h"
#include "emulators/lambda/lambda_pool.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/outbox.h"
#include "server/service.h"
#include "server/wire/json.h"

#define QUEUE_ARENA_MAX (16u << 20)
#define RETRIES_DEFAULT 2
#define AGE_DEFAULT_S 21600
/* Waits after failures of the function: one and two minutes. */
#define RETRY_MS 60000
/* Waits when no instance is to be had: doubled each time. */
#define BACK_OFF_MS 1000
#define BACK_OFF_MAX_MS 300000

/* What a row's payload tells. */
struct envelope {
    struct lambda_event event;
    int64_t failures;  /* of the function */
    int64_t throttles; /* in a row */
};

/* --- rows ------------------------------------------------------------------------------------- */

static struct str envelope_text(struct arena *a, const struct envelope *e)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(QUEUE_ARENA_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "id", e->event.request_id);
    if (str_set(e->event.trace)) {
        json_pair(&o, "trace", e->event.trace);
    }
    if (str_set(e->event.client_context)) {
        json_pair(&o, "context", e->event.client_context);
    }
    json_keyz(&o, "failures");
    json_i64(&o, e->failures);
    json_keyz(&o, "throttles");
    json_i64(&o, e->throttles);
    json_close(&o, '}');
    buf_putc(&b, '\n');
    buf_str_add(&b, e->event.payload);
    return buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR_NONE;
}

static enum status envelope_read(struct arena *a, struct str text, struct envelope *ret)
{
    struct str head, why;
    struct json_value *json;
    if (!str_cut(text, '\n', &head, &ret->event.payload) ||
        json_parse(a, head, &json, &why) != ST_OK) {
        return ST_INVALID;
    }
    ret->event.request_id = json_get_str(json, "id");
    ret->event.trace = json_get_str(json, "trace");
    ret->event.client_context = json_get_str(json, "context");
    ret->failures = json_get_i64(json, "failures", 0);
    ret->throttles = json_get_i64(json, "throttles", 0);
    return str_set(ret->event.request_id) ? ST_OK : ST_INVALID;
}

enum status lambda_queue_add(struct lambda *l, const struct lambda_key *key,
                             const struct lambda_event *event)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(QUEUE_ARENA_MAX);
    struct envelope e = { .event = *event };
    struct str text = envelope_text(a, &e);
    return str_set(text)
               ? outbox_add(l->core, LAMBDA_OUTBOX_KIND, lambda_key_text(a, key), text, 0, NULL)
               : ST_NOMEM;
}

/* --- one attempt ------------------------------------------------------------------------------ */

/* Lives in the invocation's arena. */
struct attempt {
    struct lambda *l;
    int64_t row_id, created_ms;
    struct lambda_key key;
    struct envelope e;
    int64_t retries, max_age_ms; /* max_age_ms in real time */
};

static void finish_row(struct lambda *l, int64_t id)
{
    enum status st = outbox_done(l->core, id);
    if (st != ST_OK) {
        log_error(LAMBDA_TOPIC, "an event's end was not recorded (%s): it will run again",
                  status_name(st));
    }
}

static void give_up(struct attempt *t, const char *why)
{
    log_warn(LAMBDA_TOPIC, "%.*s: event %.*s is dropped: %s", STR_ARG(t->key.name),
             STR_ARG(t->e.event.request_id), why);
    finish_row(t->l, t->row_id);
}

static void try_again(struct attempt *t, struct arena *a, int64_t delay_ms, const char *why)
{
    int64_t due = clock_now_ms() + clock_scaled_ms(delay_ms);
    if (due > t->created_ms + t->max_age_ms) {
        give_up(t, "it would be too old when it is tried again");
        return;
    }
    log_info(LAMBDA_TOPIC, "%.*s: event %.*s is tried again in %lld s: %s", STR_ARG(t->key.name),
             STR_ARG(t->e.event.request_id), (long long)(delay_ms / 1000), why);
    enum status st = outbox_retry(t->l->core, t->row_id, due, envelope_text(a, &t->e));
    if (st != ST_OK) {
        log_error(LAMBDA_TOPIC, "an event's retry was not recorded: %s", status_name(st));
    }
}

static void back_off(struct attempt *t, struct arena *a, const char *why)
{
    int64_t shift = t->e.throttles < 9 ? t->e.throttles : 9;
    int64_t delay = BACK_OFF_MS << shift;
    t->e.throttles++;
    try_again(t, a, delay < BACK_OFF_MAX_MS ? delay : BACK_OFF_MAX_MS, why);
}

static void attempt_done(struct lambda_invocation *inv)
{
    struct attempt *t = inv->arg;
    switch (inv->outcome) {
    case LAMBDA_SUCCEEDED:
        finish_row(t->l, t->row_id);
        break;
    case LAMBDA_FAILED:
        t->e.failures++;
        t->e.throttles = 0;
        if (t->e.failures > t->retries) {
            give_up(t, "the function failed each time");
        } else {
            try_again(t, inv->arena, RETRY_MS * t->e.failures, "the function failed");
        }
        break;
    case LAMBDA_EXPIRED:
        give_up(t, "it is older than MaximumEventAge");
        break;
    case LAMBDA_DROPPED:
        if (!t->l->stopping) { /* else the next process runs it: the row stays */
            back_off(t, inv->arena, "its instance was replaced");
        }
        break;
    }
}

static void read_settings(struct lambda *l, struct attempt *t)
{
    struct lambda_async async = { -1, -1, 0 };
    enum status st = lambda_store_async(core_db(l->core), &t->key, &async);
    if (st != ST_OK && st != ST_NOT_FOUND) {
        log_debug(LAMBDA_TOPIC, "defaults are taken for an event: %s", status_name(st));
    }
    t->retries = async.retries >= 0 ? async.retries : RETRIES_DEFAULT;
    t->max_age_ms =
        clock_scaled_ms((async.max_age_s >= 0 ? async.max_age_s : AGE_DEFAULT_S) * 1000);
}

static void submit(struct attempt *t, const struct lambda_row *row)
{
    struct lambda *l = t->l;
    struct lambda_pool *pool = lambda_pool_get(l, row);
    const struct lambda_event *e = &t->e.event;
    struct lambda_invocation *inv =
        lambda_invocation_new(e->request_id, e->payload, e->client_context, e->trace);
    struct attempt *kept = ARENA_NEW(inv->arena, struct attempt);
    *kept = *t;
    kept->key = (struct lambda_key){ arena_str(inv->arena, t->key.account),
                                     arena_str(inv->arena, t->key.region),
                                     arena_str(inv->arena, t->key.name) };
    kept->e.event = (struct lambda_event){ inv->request_id, arena_str(inv->arena, e->trace),
                                           inv->client_context, inv->event };
    inv->expires_ms = t->created_ms + t->max_age_ms;
    inv->done = attempt_done;
    inv->arg = kept;
    lambda_pool_submit(pool, inv);
}

/* The outbox hands a row over. */
static void run_row(void *state, const struct outbox_row *row)
{
    struct lambda *l = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(QUEUE_ARENA_MAX);
    struct attempt t = { .l = l, .row_id = row->id, .created_ms = row->created_ms };
    struct lambda_row function;
    if (l->stopping) {
        return; /* stays in flight: the next process runs it */
    }
    if (lambda_key_parse(row->target, &t.key) != ST_OK ||
        envelope_read(a, row->payload, &t.e) != ST_OK) {
        log_error(LAMBDA_TOPIC, "row %lld of the queue can't be read; it is dropped",
                  (long long)row->id);
        finish_row(l, row->id);
        return;
    }
    read_settings(l, &t);
    enum status st = lambda_store_find(core_db(l->core), a, &t.key, &function);
    if (st == ST_NOT_FOUND) {
        give_up(&t, "the function was deleted");
    } else if (st != ST_OK) {
        back_off(&t, a, status_name(st));
    } else if (clock_now_ms() > t.created_ms + t.max_age_ms) {
        give_up(&t, "it is older than MaximumEventAge");
    } else if (function.reserved == 0) {
        give_up(&t, "the function's reserved concurrency is 0");
    } else if (lambda_pool_get(l, &function)->n_queue >= LAMBDA_QUEUE_MAX) {
        back_off(&t, a, "too many events wait already");
    } else {
        submit(&t, &function);
    }
}

/* --- events of other services ----------------------------------------------------------------- */

static enum status allowed(struct lambda *l, const struct bus_event *ev, struct lambda_key *ret_key)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(QUEUE_ARENA_MAX);
    struct lambda_name n;
    struct lambda_row row;
    if (lambda_name_parse(ev->target_arn, &n) != ST_OK || !str_set(n.region) ||
        (str_set(n.qualifier) && !str_eqz(n.qualifier, LAMBDA_LATEST))) {
        return ST_NOT_FOUND;
    }
    struct lambda_key key = { n.account, n.region, n.name };
    enum status st = lambda_store_find(core_db(l->core), a, &key, &row);
    if (st != ST_OK) {
        return st;
    }
    struct lambda_statement *list;
    size_t count;
    const struct lambda_source source = { ev->source_service, ev->source_arn, ev->source_account };
    st = lambda_store_statements(core_db(l->core), a, &key, &list, &count);
    for (size_t i = 0; st == ST_OK && i < count; i++) {
        if (lambda_grant_allows(&list[i].grant, &source)) {
            *ret_key = key; /* views into ev */
            return ST_OK;
        }
    }
    return st == ST_OK ? ST_CONFLICT : st;
}

static enum status bus_may(void *state, const struct bus_event *ev)
{
    struct lambda_key key;
    return allowed(state, ev, &key);
}

static enum status bus_take(void *state, const struct bus_event *ev)
{
    struct lambda *l = state;
    struct lambda_key key;
    enum status st = allowed(l, ev, &key); /* the permission may be gone since it was checked */
    if (st != ST_OK) {
        return st;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(4096);
    struct lambda_event event = { .request_id = id_uuid(a), .payload = ev->payload };
    log_debug(LAMBDA_TOPIC, "%.*s: event %.*s comes from %.*s, request %.*s", STR_ARG(key.name),
              STR_ARG(event.request_id), STR_ARG(ev->source_arn), STR_ARG(ev->request_id));
    return lambda_queue_add(l, &key, &event);
}

static const struct bus_target bus_target = {
    .arn_service = "lambda",
    .check = bus_may,
    .deliver = bus_take,
};

void lambda_queue_init(struct lambda *l)
{
    outbox_register(l->core, LAMBDA_OUTBOX_KIND, run_row, l);
    bus_register(l->core, &bus_target, l);
}

void lambda_queue_busy(struct lambda *l, struct busy *busy)
{
    int64_t n = outbox_pending(l->core, LAMBDA_OUTBOX_KIND, INT64_MAX);
    if (n > 0) {
        int64_t due = outbox_pending(l->core, LAMBDA_OUTBOX_KIND, clock_now_ms());
        busy_add(busy, "lambda", "%lld asynchronous invocations are running or queued%s",
                 (long long)n, due == 0 ? ", waiting for their next attempt" : "");
    }
}
