/* Names of the objects that a task writes. Pure; any thread. */
#ifndef CISTERN_DMS_NAMES_H
#define CISTERN_DMS_NAMES_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/base/zone.h"

/* A folder as keys have it: without slashes at its ends. */
struct str dms_name_folder(struct str s);

/* "[folder/]schema/table/": what every object of a table begins with. Slashes at both ends of the
 * folder are dropped; the names are used as they are. */
struct str dms_name_prefix(struct arena *a, struct str folder, struct str schema, struct str table);

/* prefix + "LOAD0000000A.csv": files of the full load, numbered from 1 in upper-case hexadecimal.
 * The extension is dms_out_extension()'s. */
struct str dms_name_load(struct arena *a, struct str prefix, uint32_t number, struct str extension);

/* prefix + "20261120-070809123.csv": change files, named by the time of their cut. The time is that
 * of the wall clock in the task's zone, counted as if it were UTC (dms_name_now()). */
struct str dms_name_cdc(struct arena *a, struct str prefix, int64_t cut_ms, struct str extension);
/* "[folder/]path/CDC_TXN-20261120070809123.csv": changes of all tables in one file. */
struct str dms_name_transactions(struct arena *a, struct str folder, struct str path,
                                 int64_t cut_ms, struct str extension);

/* The time to name a cut by: now in the zone (NULL: UTC), or one millisecond after the last name
 * when the clock there hasn't moved on since (or ran backwards, as at the end of summer time). So
 * names are never used twice and sort as they were cut. last_ms 0: there is no last name. */
int64_t dms_name_now(const struct zone *zone, int64_t now_ms, int64_t last_ms);

/* --- folders by commit date ------------------------------------------------------------------- */
#define DMS_DATE_MAX 32 /* bytes of a date folder, with its slash and the terminating zero */

/* DatePartitionSequence and DatePartitionDelimiter, as prepared by dms_date_parts(). */
struct dms_date_format {
    char order[5];           /* of 'Y', 'M', 'D', 'H'; "": no folders */
    char between;            /* '/', '-', '_' or '\0' */
    const struct zone *zone; /* NULL: UTC */
};
/* ST_INVALID: no such sequence or delimiter (any case; absent: YYYYMMDD and SLASH). */
enum status dms_date_parts(struct str sequence, struct str delimiter,
                           struct dms_date_format *ret) MUST_CHECK;
/* "2026/11/20/" for a time, "" without folders. */
void dms_date_folder(const struct dms_date_format *f, int64_t time_us, char ret[DMS_DATE_MAX]);

#endif
