/* What the files of CloudWatch share. Core thread. */
#ifndef CISTERN_CLOUDWATCH_INTERNAL_H
#define CISTERN_CLOUDWATCH_INTERNAL_H

#include "emulators/cloudwatch/cloudwatch_store.h"
#include "server/http/call.h"

struct metrics_owner cloudwatch_owner_of(const struct call *c);
/* The canonical text of a request's dimensions, in the call's arena. */
struct str cloudwatch_call_dimensions(struct call *c, const struct cloudwatch_dimensions *d);

#endif
