/* What other services tell EventBridge. Core thread; part of the current transaction. */
#ifndef CISTERN_FACADE_EVENTS_H
#define CISTERN_FACADE_EVENTS_H

#include <stdint.h>

#include "server/base/str.h"

struct core;

/* An event for the default bus of this account and region. */
struct events_incident {
    struct str account, region;
    const char *source;      /* "aws.dms" */
    const char *detail_type; /* "DMS Replication Task State Change" */
    struct str resource;     /* ARN; absent: none */
    struct str detail;       /* JSON object */
};

/* Hands the event to every rule that matches it: what their targets get is delivered after the
 * commit, at least once. */
enum status events_emit(struct core *core, const struct events_incident *incident) MUST_CHECK;

#endif
