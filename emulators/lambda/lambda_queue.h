/* Asynchronous invocations: rows of the outbox, added in the transaction of their cause, run at
 * least once, retried as AWS does. Core thread. */
#ifndef CISTERN_LAMBDA_QUEUE_H
#define CISTERN_LAMBDA_QUEUE_H

#include "emulators/lambda/lambda_state.h"

struct busy;

struct lambda_event {
    struct str request_id;            /* stays the same over all attempts */
    struct str trace, client_context; /* may be absent */
    struct str payload;               /* the event, JSON */
};

/* In the current transaction. */
enum status lambda_queue_add(struct lambda *l, const struct lambda_key *key,
                             const struct lambda_event *event) MUST_CHECK;
/* At init: the outbox's kind and the bus's target "lambda". */
void lambda_queue_init(struct lambda *l);
/* Events that wait, run, or will be tried again. */
void lambda_queue_busy(struct lambda *l, struct busy *busy);

#endif
