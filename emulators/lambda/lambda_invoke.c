/* Invoke. */
#include "emulators/lambda/lambda_check.h"
#include "emulators/lambda/lambda_pool.h"
#include "emulators/lambda/lambda_queue.h"
#include "emulators/lambda/lambda_runtime.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define PARSE_ARENA_MAX (64u << 20)

static enum status throttled(struct call *c, const char *reason)
{
    call_fail_field(c, "Reason", str_z(reason));
    call_set_header(c, "Retry-After", STR("1"));
    return call_fail(c, &lambda_TooManyRequestsException, "Rate Exceeded.");
}

static enum status check_payload(struct call *c, struct str payload, size_t max, const char *type)
{
    if (payload.n > max) {
        return call_fail(
            c, &lambda_RequestTooLargeException,
            "%zu byte payload is too large for the %s invocation type (limit %zu bytes)", payload.n,
            type, max);
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(PARSE_ARENA_MAX);
    struct json_value *json;
    struct str why;
    if (payload.n > 0 && json_parse(a, payload, &json, &why) == ST_INVALID) {
        return call_fail(c, &lambda_InvalidRequestContentException,
                         "Could not parse request body into json: Could not parse payload into "
                         "json: %.*s",
                         STR_ARG(why));
    }
    return ST_OK;
}

/* --- RequestResponse -------------------------------------------------------------------------- */

struct waiting {
    struct call *c;
    struct lambda *l;
};

static enum status answer_dropped(struct call *c, struct lambda *l)
{
    if (l->stopping) {
        return call_fail(c, &lambda_ServiceException, "The server is stopping.");
    }
    return call_fail(c, &lambda_ResourceConflictException,
                     "The function was changed or deleted before the invocation ended.");
}

static enum status answer(struct call *c, struct lambda_invocation *inv)
{
    struct lambda_invoke_response *out = c->out;
    out->StatusCode = OPT_I64(200);
    out->ExecutedVersion = STR(LAMBDA_LATEST);
    if (inv->outcome == LAMBDA_FAILED) {
        out->FunctionError = STR("Unhandled");
    }
    if (inv->want_tail) {
        size_t n = inv->tail_n < LAMBDA_TAIL_BYTES ? inv->tail_n : LAMBDA_TAIL_BYTES;
        out->LogResult = n ? base64_encode(c->arena, inv->tail + inv->tail_n - n, n) : STR("");
    }
    out->Payload = arena_str(c->arena, inv->answer);
    call_reply_bytes(c, STR("application/json"), out->Payload);
    return ST_OK;
}

static void sync_done(struct lambda_invocation *inv)
{
    struct waiting *w = inv->arg;
    struct call *c = w->c;
    w->l->n_sync--;
    bool ran = inv->outcome == LAMBDA_SUCCEEDED || inv->outcome == LAMBDA_FAILED;
    call_finish(c, ran ? answer(c, inv) : answer_dropped(c, w->l));
}

static enum status invoke_sync(struct call *c, const struct lambda_invoke_request *in,
                               const struct lambda_row *row)
{
    struct lambda *l = c->state;
    struct lambda_pool *pool = lambda_pool_get(l, row);
    if (row->reserved >= 0 && lambda_pool_active(pool) >= (size_t)row->reserved) {
        return throttled(c, "ReservedFunctionConcurrentInvocationLimitExceeded");
    }
    if (l->n_sync >= LAMBDA_SYNC_MAX) {
        return throttled(c, "ConcurrentInvocationLimitExceeded");
    }
    struct lambda_invocation *inv = lambda_invocation_new(
        c->request_id, in->Payload, in->ClientContext, call_header(c, "X-Amzn-Trace-Id"));
    struct waiting *w = ARENA_NEW(inv->arena, struct waiting);
    *w = (struct waiting){ c, l };
    inv->sync = true;
    inv->want_tail = str_eqz(in->LogType, "Tail");
    inv->done = sync_done;
    inv->arg = w;
    l->n_sync++;
    lambda_pool_submit(pool, inv);
    return ST_PENDING;
}

/* --- Event, DryRun ---------------------------------------------------------------------------- */

static enum status invoke_event(struct call *c, const struct lambda_invoke_request *in,
                                const struct lambda_row *row, struct lambda_invoke_response *out)
{
    struct lambda_event event = {
        .request_id = c->request_id,
        .trace = call_header(c, "X-Amzn-Trace-Id"),
        .client_context = in->ClientContext,
        .payload = str_empty(in->Payload) ? STR("{}") : in->Payload,
    };
    out->StatusCode = OPT_I64(202);
    call_reply_bytes(c, STR("application/json"), STR(""));
    return call_status(c, lambda_queue_add(c->state, &row->key, &event));
}

/* As the function's process gets it: JSON, whatever the client encoded. */
static enum status decode_context(struct call *c, struct str base64, struct str *ret)
{
    *ret = STR_NONE;
    if (str_empty(base64)) {
        return ST_OK;
    }
    if (base64.n > 3583 || base64_decode(c->arena, base64, ret) != ST_OK) {
        return call_fail(c, &lambda_InvalidRequestContentException,
                         "Client context must be a valid Base64-encoded JSON object.");
    }
    struct json_value *json;
    struct str why;
    if (json_parse(c->arena, *ret, &json, &why) != ST_OK || json->kind != JSON_OBJECT ||
        str_find(*ret, '\n', 0) >= 0 || str_find(*ret, '\r', 0) >= 0) {
        return call_fail(c, &lambda_InvalidRequestContentException,
                         "Client context must be a valid Base64-encoded JSON object.");
    }
    return ST_OK;
}

static enum status check_invoke(struct call *c, const struct lambda_invoke_request *in, bool event)
{
    if (str_set(in->DurableExecutionName) || str_set(in->TenantId)) {
        return lambda_unsupported(c, str_set(in->TenantId) ? "TenantId" : "DurableExecutionName",
                                  "functions have neither tenants nor durable executions");
    }
    if (str_set(in->LogType) && !str_eqz(in->LogType, "Tail") && !str_eqz(in->LogType, "None")) {
        return lambda_invalid(c, "logType", in->LogType, "satisfy enum value set: [None, Tail]");
    }
    return check_payload(c, in->Payload, event ? LAMBDA_ASYNC_PAYLOAD_MAX : LAMBDA_SYNC_PAYLOAD_MAX,
                         event ? "Event" : "RequestResponse");
}

enum status lambda_invoke(struct call *c, const struct lambda_invoke_request *in,
                          struct lambda_invoke_response *ret_out)
{
    struct lambda_row row;
    struct str type = str_set(in->InvocationType) ? in->InvocationType : STR("RequestResponse");
    bool event = str_eqz(type, "Event"), dry = str_eqz(type, "DryRun");
    if (!event && !dry && !str_eqz(type, "RequestResponse")) {
        return lambda_invalid(c, "invocationType", type,
                              "satisfy enum value set: [Event, RequestResponse, DryRun]");
    }
    struct lambda_invoke_request want = *in;
    enum status st = check_invoke(c, in, event);
    st = st == ST_OK ? decode_context(c, in->ClientContext, &want.ClientContext) : st;
    st = st == ST_OK ? lambda_target_row(c, in->FunctionName, in->Qualifier, &row) : st;
    if (st != ST_OK) {
        return st;
    }
    if (dry) {
        ret_out->StatusCode = OPT_I64(204);
        call_reply_bytes(c, STR("application/json"), STR(""));
        return ST_OK;
    }
    struct str lacks = lambda_runtime_lacks(c->state, c->arena, &row);
    if (str_set(lacks) && !event) {
        return call_fail(
            c, &lambda_ResourceConflictException,
            "The operation cannot be performed at this time. The function is currently "
            "in the following state: Failed. %.*s",
            STR_ARG(lacks));
    }
    return event ? invoke_event(c, &want, &row, ret_out) : invoke_sync(c, &want, &row);
}
