/* What the files of CloudWatch Logs share. Core thread. */
#ifndef CISTERN_LOGS_INTERNAL_H
#define CISTERN_LOGS_INTERNAL_H

#include "server/base/status.h"

struct core;

/* The service's init: registers log groups as targets of events (emulators/bus.h). The state is the
 * core. */
enum status logs_target_init(struct core *core, void **ret_state) MUST_CHECK;

#endif
