/* One event on its way through a function: waits in the pool's queue, runs in an instance, and ends
 * in done(), exactly once. Core thread. */
#ifndef CISTERN_LAMBDA_INVOCATION_H
#define CISTERN_LAMBDA_INVOCATION_H

#include "emulators/lambda/lambda_state.h"
#include "server/base/arena.h"
#include "server/base/list.h"

enum lambda_outcome {
    LAMBDA_SUCCEEDED, /* `answer` is what the function returned */
    LAMBDA_FAILED,    /* `answer` is the error document */
    LAMBDA_DROPPED,   /* it never ran or was cut off: the server stops, the function is gone */
    LAMBDA_EXPIRED,   /* it waited until it was too old */
};

struct lambda_invocation {
    struct link link; /* in the pool's queue */
    struct arena *arena;
    struct str request_id, event, client_context, trace;
    bool sync;
    int64_t expires_ms;  /* wall clock; 0: never */
    int64_t deadline_ms; /* wall clock, once it runs */
    int64_t started_us;  /* steady clock, once it runs */
    char *tail;          /* the last lines of its log, when they are wanted */
    size_t tail_n;
    bool want_tail;

    enum lambda_outcome outcome;
    struct str answer;     /* in the arena, valid in done() */
    struct str error_type; /* of LAMBDA_FAILED, for logs */

    void (*done)(struct lambda_invocation *inv); /* the invocation is freed after it */
    void *arg;
};

/* Copies its strings; an absent event is "{}", an absent trace a new one. */
struct lambda_invocation *lambda_invocation_new(struct str request_id, struct str event,
                                                struct str client_context, struct str trace);
/* Ends it: calls done() and frees. It must not be in a queue any more. `answer` is copied. */
void lambda_invocation_end(struct lambda_invocation *inv, enum lambda_outcome outcome,
                           struct str answer);
/* Keeps log text for LogResult. */
void lambda_invocation_log(struct lambda_invocation *inv, struct str text);
/* {"errorType":"<type>","errorMessage":"RequestId: <id> Error: <text>"} in the invocation's arena.
 * Sets error_type. */
struct str lambda_error_document(struct lambda_invocation *inv, const char *type, struct str text);
/* The same for an answer that is larger than LAMBDA_ANSWER_MAX. */
struct str lambda_too_large_document(struct lambda_invocation *inv);

#endif
