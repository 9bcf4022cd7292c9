/* The core's side of a call: run the handler in a mark of its own, answer after the commit. */
#include <sys/socket.h>

#include "server/base/log.h"
#include "server/core.h"
#include "server/http/chain.h"
#include "server/http/exchange.h"
#include "server/http/listener_impl.h"
#include "server/loop/loop.h"

/* --- the end: after the commit ---------------------------------------------------------------- */

static void answered(void *arg, bool committed)
{
    struct http_exchange *x = arg;
    if (!committed) {
        chain_unavailable(x, "The database could not commit the change; nothing was kept. The "
                             "server's log says why.");
    }
    list_remove(&x->in_core);
    x->phase = EXCHANGE_ANSWER;
    listener_give_back(x);
}

static void stop_watching(struct http_exchange *x)
{
    watch_free(x->hangup);
    x->hangup = NULL;
    x->on_abort = NULL;
}

/* --- the handler ------------------------------------------------------------------------------ */

static void run_in_mark(struct http_exchange *x, struct core_mark mark)
{
    struct core *core = x->call.core;
    x->in_handler = true;
    enum status st = chain_invoke(x);
    x->in_handler = false;
    if (st == ST_PENDING && x->finished) {
        st = x->finished_with;
    }
    x->pending = st == ST_PENDING;
    if (x->pending) {
        if (core_mark_keep(core, mark) == ST_OK) {
            return;
        }
        x->pending = false;
        st = ST_DB;
    } else if (st == ST_OK && chain_encode(x, st) == ST_OK && core_mark_keep(core, mark) == ST_OK) {
        core_after_commit(core, answered, x);
        return;
    } else {
        core_mark_undo(core, mark);
    }
    if (!x->reply.failure.error) {
        st = st == ST_OK ? ST_DB : st;
        status_ignore(chain_encode(x, st)); /* the error is what the client gets */
    } else if (x->reply.wire.http_status == 0) {
        status_ignore(chain_encode(x, ST_AWS));
    }
    core_after_commit(core, answered, x);
}

static void run(struct core *core, void *arg)
{
    struct http_exchange *x = arg;
    x->call.db = core_db(core);
    listener_adopt(x);
    struct core_mark mark;
    if (core_mark(core, &mark) == ST_OK) {
        run_in_mark(x, mark);
        return;
    }
    chain_unavailable(x, "The database refused a transaction; the server's log says why.");
    core_after_commit(core, answered, x);
}

void exchange_to_core(struct http_exchange *x)
{
    x->phase = EXCHANGE_CORE;
    core_post(x->call.core, run, x);
}

/* --- pending calls ---------------------------------------------------------------------------- */

void call_finish(struct call *c, enum status st)
{
    struct http_exchange *x = exchange_of(c);
    x->finished = true;
    x->finished_with = st;
    if (x->in_handler) {
        return; /* run_in_mark goes on with it */
    }
    stop_watching(x);
    x->pending = false;
    status_ignore(chain_encode(x, st)); /* an error is an answer too */
    core_after_commit(c->core, answered, x);
}

/* Readable while we owe the answer: the next request already, or the end. */
static void on_readable(void *arg, int events)
{
    struct http_exchange *x = arg;
    (void)events;
    char byte;
    ssize_t n = recv(x->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n != 0) {
        watch_stop(x->hangup); /* pipelined: nothing more to be learned here */
        return;
    }
    void (*fn)(void *) = x->on_abort;
    void *fn_arg = x->on_abort_arg;
    stop_watching(x);
    fn(fn_arg);
}

void call_on_abort(struct call *c, void (*fn)(void *arg), void *arg)
{
    struct http_exchange *x = exchange_of(c);
    if (!x || x->finished) {
        return;
    }
    x->on_abort = fn;
    x->on_abort_arg = arg;
    if (!x->hangup && x->socket >= 0) {
        x->hangup = watch_new(core_loop(c->core), x->socket, on_readable, x);
        watch_start(x->hangup, WATCH_READ);
    }
}

void exchange_abandon(struct http_exchange *x)
{
    stop_watching(x);
    chain_unavailable(x, "The server is stopping.");
    answered(x, true);
}
