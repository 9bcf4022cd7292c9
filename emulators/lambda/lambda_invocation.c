#include "emulators/lambda/lambda_invocation.h"

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define INVOCATION_ARENA_MAX (64u << 20)
/* Text is kept in a window that is moved when it is full. */
#define TAIL_WINDOW ((size_t)4 * LAMBDA_TAIL_BYTES)

static struct str new_trace(struct arena *a)
{
    struct str root = id_hex(a, 24), parent = id_hex(a, 16);
    return arena_printf(a, "Root=1-%08llx-%.*s;Parent=%.*s;Sampled=0",
                        (unsigned long long)(clock_now_ms() / 1000), STR_ARG(root),
                        STR_ARG(parent));
}

struct lambda_invocation *lambda_invocation_new(struct str request_id, struct str event,
                                                struct str client_context, struct str trace)
{
    struct arena *a = arena_new(INVOCATION_ARENA_MAX);
    struct lambda_invocation *inv = ARENA_NEW(a, struct lambda_invocation);
    inv->arena = a;
    inv->request_id = arena_str(a, request_id);
    inv->event = str_empty(event) ? STR("{}") : arena_str(a, event);
    inv->client_context = arena_str(a, client_context);
    inv->trace = str_empty(trace) ? new_trace(a) : arena_str(a, trace);
    return inv;
}

void lambda_invocation_end(struct lambda_invocation *inv, enum lambda_outcome outcome,
                           struct str answer)
{
    inv->outcome = outcome;
    inv->answer = arena_str(inv->arena, answer);
    inv->done(inv);
    free(inv->tail);
    arena_free(inv->arena);
}

void lambda_invocation_log(struct lambda_invocation *inv, struct str text)
{
    if (!inv->want_tail) {
        return;
    }
    if (!inv->tail) {
        inv->tail = xmalloc(TAIL_WINDOW);
    }
    if (text.n > LAMBDA_TAIL_BYTES) {
        text = str_sub(text, text.n - LAMBDA_TAIL_BYTES, text.n);
    }
    if (inv->tail_n + text.n > TAIL_WINDOW) {
        memmove(inv->tail, inv->tail + inv->tail_n - LAMBDA_TAIL_BYTES, LAMBDA_TAIL_BYTES);
        inv->tail_n = LAMBDA_TAIL_BYTES;
    }
    memcpy(inv->tail + inv->tail_n, text.p, text.n);
    inv->tail_n += text.n;
}

static struct str error_document(struct lambda_invocation *inv, const char *type, struct str text)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1u << 20);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "errorType", str_z(type));
    json_pair(&o, "errorMessage", text);
    json_close(&o, '}');
    inv->error_type = arena_strz(inv->arena, type);
    return arena_str(inv->arena, buf_str(&b));
}

struct str lambda_error_document(struct lambda_invocation *inv, const char *type, struct str text)
{
    return error_document(inv, type,
                          arena_printf(inv->arena, "RequestId: %.*s Error: %.*s",
                                       STR_ARG(inv->request_id), STR_ARG(text)));
}

struct str lambda_too_large_document(struct lambda_invocation *inv)
{
    return error_document(inv, "Function.ResponseSizeTooLarge",
                          arena_printf(inv->arena,
                                       "Response payload size exceeded maximum allowed payload "
                                       "size (%d bytes).",
                                       LAMBDA_ANSWER_MAX));
}
