/* What other services print into CloudWatch Logs. Core thread; part of the current transaction. */
#ifndef CISTERN_FACADE_LOGS_H
#define CISTERN_FACADE_LOGS_H

#include <stdint.h>

#include "server/base/str.h"

struct core;

/* Whose log groups: names are unique within. */
struct logs_owner {
    struct str account, region;
};

/* Appends one event; creates group and stream when missing. `message` may hold newlines; longer
 * than 256 KB is cut as the service does. */
enum status logs_write(struct core *core, const struct logs_owner *owner, struct str group,
                       struct str stream, int64_t time_ms, struct str message) MUST_CHECK;
/* Creates an empty stream, so that it shows before its first line. */
enum status logs_open_stream(struct core *core, const struct logs_owner *owner, struct str group,
                             struct str stream) MUST_CHECK;
/* Bytes of the stream's events as the service counts them; 0 when there is no such stream. */
enum status logs_stream_bytes(struct core *core, const struct logs_owner *owner, struct str group,
                              struct str stream, int64_t *ret) MUST_CHECK;

#endif
