#include "server/http/exchange.h"

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/core.h"

struct http_exchange *exchange_new(struct listener *l, struct core *core, struct str target)
{
    struct http_exchange *x = xcalloc(1, sizeof(*x));
    struct arena *a = arena_new(CALL_ARENA_MAX);
    x->listener = l;
    x->socket = -1;
    x->call.core = core;
    x->call.arena = a;
    x->call.reply = &x->reply;
    x->call.http = x;
    x->call.received_ms = clock_now_ms();
    x->started_us = clock_mono_us();
    call_reply_init(&x->reply);
    body_init(&x->body, a);
    http_target_split(arena_str(a, target), &x->request.path, &x->request.query);
    return x;
}

void exchange_free(struct http_exchange *x)
{
    if (!x) {
        return;
    }
    struct call *c = &x->call;
    if (c->body.staged) {
        /* the handler did not take the file */
        blob_discard(core_blobs(c->core), -1, c->body.ref.id);
    }
    body_fini(&x->body);
    call_reply_fini(&x->reply);
    arena_free(c->arena);
    free(x);
}
