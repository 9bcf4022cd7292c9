/* Numbers and times into bytes, fast. Each writes at p, which has room for the longest (see the
 * limit), and returns the end. Pure; any thread. */
#ifndef CISTERN_DMS_NUMBER_H
#define CISTERN_DMS_NUMBER_H

#include <stdint.h>

#include "server/base/zone.h"
#include "server/mysql/value.h"

#define DMS_INTEGER_MAX 20
#define DMS_DOUBLE_MAX 24
#define DMS_TIME_MAX 32

char *dms_put_u64(char *p, uint64_t v);
char *dms_put_i64(char *p, int64_t v);
/* Exactly as printf's "%+.16e". */
char *dms_put_double(char *p, double v);
/* "2024-01-02" */
char *dms_put_date(char *p, const struct mysql_time *t);
/* "2024-01-02 03:04:05.600", with `digits` digits of a second */
char *dms_put_datetime(char *p, const struct mysql_time *t, unsigned digits);
/* A TIMESTAMP as a clock in the zone shows it. */
struct mysql_time dms_local_time(const struct zone *z, const struct mysql_time *t);
/* "[-]HH:MM:SS[.f]"; the hour has two digits at least */
char *dms_put_time(char *p, const struct mysql_time *t, unsigned digits);
/* "2026-11-20 07:08:09.123456" */
char *dms_put_stamp(char *p, int64_t time_us);
/* Upper-case hexadecimal, two characters per byte. */
char *dms_put_hex(char *p, const void *bytes, size_t n);

#endif
