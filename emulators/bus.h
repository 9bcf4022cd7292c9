/* How services reach each other without including each other: event targets by ARN. S3 knows no
 * Lambda; it delivers to "whoever owns arn:aws:lambda:…". Core thread. */
#ifndef CISTERN_EMULATORS_BUS_H
#define CISTERN_EMULATORS_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/str.h"

struct core;

struct bus_event {
    struct str target_arn;
    struct str source_service; /* "s3.amazonaws.com" */
    struct str source_arn;     /* "arn:aws:s3:::bucket" */
    struct str source_account;
    struct str payload;        /* JSON document as the target receives it */
    struct str request_id;     /* of the call that caused it; kept for tracing */
};

struct bus_target {
    const char *arn_service; /* third part of the ARNs it owns: "lambda" */
    /* May the source deliver? ST_OK; ST_NOT_FOUND: no such target; ST_CONFLICT: no permission. */
    enum status (*check)(void *state, const struct bus_event *ev);
    /* Takes the event into its own queue *in the current transaction*; from then on delivery,
     * retries and dead letters are the target's. */
    enum status (*deliver)(void *state, const struct bus_event *ev);
};

/* At init; the target is constant. */
void bus_register(struct core *core, const struct bus_target *target, void *state);
/* Does a service of this process own ARNs like this one? Whether the target exists is another
 * question. */
bool bus_serves(struct core *core, struct str arn);
/* ST_NOT_FOUND when nobody owns the ARN. */
enum status bus_check(struct core *core, const struct bus_event *ev) MUST_CHECK;
enum status bus_deliver(struct core *core, const struct bus_event *ev) MUST_CHECK;

#endif
