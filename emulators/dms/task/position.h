/* How a place in the source's log is written in the API: CdcStartPosition, CdcStopPosition and
 * RecoveryCheckpoint. Pure; any thread. */
#ifndef CISTERN_DMS_POSITION_H
#define CISTERN_DMS_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/mysql/position.h"

/* "checkpoint:V1#<n>#<file>:<pos>:-1:0:<n>:<file>:<pos>#0#0#*#0#<n>": the frame that the service
 * prints around a MySQL position. `n` counts the checkpoints of the task. */
struct str dms_checkpoint_text(struct arena *a, const struct mysql_position *p, uint64_t n);

/* A CdcStartPosition: "file:pos", a checkpoint text, or a date and time (then *ret_ms is set and
 * the position is nowhere; else *ret_ms is -1). ST_INVALID: none of them. */
enum status dms_start_parse(struct str s, struct mysql_position *ret, int64_t *ret_ms) MUST_CHECK;

/* Has it the form of a GTID (0-1-42, or a UUID with numbers) or of several? dms_start_parse() takes
 * none. */
bool dms_is_gtid(struct str s);

/* A CdcStopPosition: "server_time:2018-02-09T12:12:12" or "commit_time:…"; UTC without a zone. */
enum dms_stop_kind { DMS_STOP_NEVER, DMS_STOP_SERVER_TIME, DMS_STOP_COMMIT_TIME };
enum status dms_stop_parse(struct str s, enum dms_stop_kind *ret_kind, int64_t *ret_ms) MUST_CHECK;

#endif
