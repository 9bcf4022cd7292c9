/* The model's constraints on a decoded input. Internal to server/wire. */
#ifndef CISTERN_WIRE_VALIDATE_H
#define CISTERN_WIRE_VALIDATE_H

#include "server/wire/decode.h"

/* Required members, integer ranges, and enums where the model's table lists their values. All
 * faults go into one message, as AWS words it. */
enum status validate_input(struct decoder *d, const struct shape *shape, const void *in) MUST_CHECK;

#endif
