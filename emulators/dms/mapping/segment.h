/* The parts in which a table is loaded. Pure. */
#ifndef CISTERN_DMS_SEGMENT_H
#define CISTERN_DMS_SEGMENT_H

#include "emulators/dms/mapping/table_rules.h"

struct dms_segment {
    struct str partition; /* absent: the table */
    struct str where;     /* SQL condition; absent: all rows */
    struct str name;      /* what stands before "LOAD" in its keys: "p0/", "SEGMENT1_" or "" */
};

/* `settings` (NULL: none) ask for parts; `partitions`: those that the table has, in order; `where`:
 * of the table's filters, may be absent. At least one segment. Strings in the arena or borrowed.
 * ST_INVALID: *ret_why. */
struct dms_segment_wish {
    const struct dms_table_settings *settings;
    const struct mysql_table *def;
    struct str where;
    const struct str *partitions;
    size_t partitions_n;
};
enum status dms_segments_make(struct arena *a, const struct dms_segment_wish *wish,
                              const struct dms_segment **ret, size_t *ret_n,
                              struct str *ret_why) MUST_CHECK;

#endif
