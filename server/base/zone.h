/* Time zones of the system's database (tzdata, RFC 8536), read by ourselves: the C library knows
 * one zone per process. Immutable once read; any thread. */
#ifndef CISTERN_BASE_ZONE_H
#define CISTERN_BASE_ZONE_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct zone;

/* A zone by its IANA name ("Asia/Seoul", "UTC"); lives in the arena. ST_NOT_FOUND: there is no such
 * zone, or the database isn't installed (see zone_database()); ST_INVALID: its file is broken.
 * Reads a file of a few KB. */
enum status zone_read(struct arena *a, struct str name, const struct zone **ret) MUST_CHECK;
/* The same from the bytes of a file, for tests. */
enum status zone_parse(struct arena *a, struct str bytes, const struct zone **ret) MUST_CHECK;
/* Folder of the database, or NULL when this machine has none. */
const char *zone_database(void);

/* Seconds to add to UTC for the zone's local time at an instant (seconds since 1970). NULL is
 * UTC. */
int32_t zone_offset(const struct zone *z, int64_t utc_s);
/* The first instant later than `after` from which another offset holds; false: there is none. */
bool zone_next(const struct zone *z, int64_t after, int64_t *ret_at);

/* Local date and time of an instant; a proleptic Gregorian calendar, no locale. */
struct zone_time {
    int64_t year;
    int month, day, hour, minute, second; /* month and day from 1 */
};
struct zone_time zone_local(const struct zone *z, int64_t utc_s);
/* Days since 1970-01-01 of a date. */
int64_t zone_days(int64_t year, int month, int day);

#endif
