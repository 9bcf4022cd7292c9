/* The Runtime API: what AWS's runtime clients speak to learn of events and to answer them. */
#include "emulators/lambda/lambda_pool.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define API "/2018-06-01/runtime"

static void reply_error(struct local_request *req, int status, const char *type, const char *text)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "errorMessage", str_z(text));
    json_pair(&o, "errorType", str_z(type));
    json_close(&o, '}');
    const struct local_header json = { "Content-Type", STR_INIT("application/json") };
    local_http_reply(req, status, &json, 1, buf_str(&b));
}

static void reply_accepted(struct local_request *req)
{
    const struct local_header json = { "Content-Type", STR_INIT("application/json") };
    local_http_reply(req, 202, &json, 1, STR("{\"status\":\"OK\"}\n"));
}

/* --- next ------------------------------------------------------------------------------------- */

void lambda_runtime_api_event(struct lambda_instance *inst)
{
    struct lambda_invocation *inv = inst->inv;
    struct arena *a = inv->arena;
    struct local_header headers[7] = {
        { "Content-Type", STR("application/json") },
        { "Lambda-Runtime-Aws-Request-Id", inv->request_id },
        { "Lambda-Runtime-Deadline-Ms", arena_printf(a, "%lld", (long long)inv->deadline_ms) },
        { "Lambda-Runtime-Invoked-Function-Arn", lambda_arn(a, &inst->config->row.key, STR_NONE) },
        { "Lambda-Runtime-Trace-Id", inv->trace },
    };
    size_t n = 5;
    if (!str_empty(inv->client_context)) {
        headers[n++] =
            (struct local_header){ "Lambda-Runtime-Client-Context", inv->client_context };
    }
    local_http_reply(TAKE(inst->next), 200, headers, n, inv->event);
}

static void get_next(struct lambda_instance *inst, struct local_request *req)
{
    if (inst->phase == LAMBDA_BUSY || inst->phase == LAMBDA_ENDING) {
        reply_error(req, 403, "InvalidStateTransition",
                    "Transition from RuntimeInvocationResponse to RuntimeReady is not allowed: the "
                    "last event has not been answered");
        return;
    }
    if (inst->next) { /* its connection broke: the process asks again */
        reply_error(TAKE(inst->next), 403, "InvalidStateTransition", "Another request took over");
    }
    inst->next = req;
    if (inst->config != inst->pool->config) { /* updated meanwhile */
        lambda_instance_kill(inst);
        return;
    }
    lambda_instance_next(inst);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* AWS names the request in the documents of all function errors. */
static struct str with_request_id(struct arena *a, struct str document, struct str request_id)
{
    struct json_value *json;
    struct str why;
    if (json_parse(a, document, &json, &why) != ST_OK || json->kind != JSON_OBJECT ||
        json_get(json, "requestId")) {
        return document;
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT(LAMBDA_ANSWER_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (const struct json_value *m = json->first; m; m = m->next) {
        json_key(&o, m->key);
        json_tree(&o, m);
    }
    json_pair(&o, "requestId", request_id);
    json_close(&o, '}');
    return buf_ok(&b) ? arena_str(a, buf_str(&b)) : document;
}

static void post_response(struct lambda_instance *inst, struct local_request *req)
{
    proc_drain(inst->proc); /* what was printed before belongs to this event */
    struct str mode = local_request_header(req, "Lambda-Runtime-Function-Response-Mode");
    if (str_set(mode) && !str_eqz(mode, "streaming")) {
        reply_error(req, 400, "InvalidFunctionResponseMode",
                    "Lambda-Runtime-Function-Response-Mode may only be streaming");
        return;
    }
    if (req->body.n > LAMBDA_ANSWER_MAX) {
        lambda_instance_answer(inst, LAMBDA_FAILED, lambda_too_large_document(inst->inv), "error");
        reply_error(req, 413, "RequestEntityTooLarge", "The answer is larger than 6 MB");
        return;
    }
    lambda_instance_answer(inst, LAMBDA_SUCCEEDED, req->body, NULL);
    reply_accepted(req);
}

static void post_error(struct lambda_instance *inst, struct local_request *req)
{
    proc_drain(inst->proc);
    struct str type = local_request_header(req, "Lambda-Runtime-Function-Error-Type");
    inst->inv->error_type = arena_str(inst->inv->arena, type);
    struct str document = req->body;
    if (document.n == 0) {
        document = arena_printf(req->arena, "{\"errorMessage\":\"\",\"errorType\":\"%.*s\"}",
                                STR_ARG(str_set(type) ? STR("Unhandled") : STR("Runtime.Unknown")));
    }
    bool told = str_starts(type, STR("Runtime."));
    lambda_instance_answer(inst, LAMBDA_FAILED, document, told ? "error" : NULL);
    reply_accepted(req);
}

/* POST …/invocation/{id}/response or /error */
static void post_answer(struct lambda_instance *inst, struct local_request *req, struct str rest)
{
    struct str id, verb;
    bool known =
        str_cut(rest, '/', &id, &verb) && (str_eqz(verb, "response") || str_eqz(verb, "error"));
    if (!known) {
        reply_error(req, 404, "InvalidPath", "The Runtime API has no such path");
    } else if (inst->phase != LAMBDA_BUSY || !str_eq(id, inst->inv->request_id)) {
        bool state = inst->phase == LAMBDA_STARTING || inst->phase == LAMBDA_READY;
        reply_error(req, state ? 403 : 400, state ? "InvalidStateTransition" : "InvalidRequestID",
                    "No event of this request id is being handled");
    } else if (str_eqz(verb, "response")) {
        post_response(inst, req);
    } else {
        post_error(inst, req);
    }
}

static void post_init_error(struct lambda_instance *inst, struct local_request *req)
{
    if (inst->phase != LAMBDA_STARTING) {
        reply_error(req, 403, "InvalidStateTransition", "The runtime has started already");
        return;
    }
    struct str document =
        req->body.n ? req->body : STR("{\"errorMessage\":\"\",\"errorType\":\"InitError\"}");
    struct arena *a = req->arena;
    struct lambda_pool *pool = inst->pool;
    if (!list_empty(&pool->queue)) {
        struct lambda_invocation *head =
            CONTAINER_OF(pool->queue.next, struct lambda_invocation, link);
        document = with_request_id(a, document, head->request_id);
    }
    lambda_instance_init_error(inst, document);
    reply_accepted(req);
}

void lambda_runtime_api(void *arg, struct local_request *req)
{
    struct lambda_instance *inst = arg;
    bool get = str_eqz(req->method, "GET"), post = str_eqz(req->method, "POST");
    struct str prefix = STR(API "/invocation/");
    if (get && str_eqz(req->path, API "/invocation/next")) {
        get_next(inst, req);
    } else if (post && str_starts(req->path, prefix)) {
        post_answer(inst, req, str_sub(req->path, prefix.n, req->path.n));
    } else if (post && str_eqz(req->path, API "/init/error")) {
        post_init_error(inst, req);
    } else if (get && str_eqz(req->path, "/ping")) {
        local_http_reply(req, 200, NULL, 0, STR("pong"));
    } else {
        reply_error(req, 404, "InvalidPath", "The Runtime API has no such path");
    }
}
