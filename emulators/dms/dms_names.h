/* Names of the objects that a task writes. Pure; any thread. */
#ifndef CISTERN_DMS_NAMES_H
#define CISTERN_DMS_NAMES_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

/* "[folder/]schema/table/": what every object of a table begins with. Slashes at both ends of the
 * folder are dropped; the names are used as they are. */
struct str dms_name_prefix(struct arena *a, struct str folder, struct str schema, struct str table);

/* prefix + "LOAD0000000A.csv": files of the full load, numbered from 1 in upper-case hexadecimal.
 */
struct str dms_name_load(struct arena *a, struct str prefix, uint32_t number, bool gzip);

/* prefix + "20261120-070809123.csv": change files, named by the time of their cut in UTC. */
struct str dms_name_cdc(struct arena *a, struct str prefix, int64_t cut_ms, bool gzip);

/* The time to name a cut by: now, or one millisecond after the table's last name when the clock
 * hasn't moved on since (or ran backwards). So names are never used twice and sort as they were
 * cut. last_ms 0: there is no last name. */
int64_t dms_name_time(int64_t now_ms, int64_t last_ms);

#endif
