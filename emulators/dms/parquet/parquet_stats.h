/* Smallest and largest value and number of nulls, of a page or a column chunk. Pure. */
#ifndef CISTERN_DMS_PARQUET_STATS_H
#define CISTERN_DMS_PARQUET_STATS_H

#include "emulators/dms/parquet/parquet_format.h"
#include "emulators/dms/parquet/parquet_thrift.h"

/* Longer values aren't written. One byte more is kept of each, by which it is known to be longer;
 * the comparisons that matter come out the same. */
#define PARQUET_STATS_VALUE_MAX 256

struct parquet_stats {
    uint64_t nulls;
    bool any; /* min and max are set */
    uint16_t min_n, max_n;
    char min[PARQUET_STATS_VALUE_MAX + 1], max[PARQUET_STATS_VALUE_MAX + 1];
};

void parquet_stats_clear(struct parquet_stats *s);
/* A plain value (without a length before it). */
void parquet_stats_add(struct parquet_stats *s, enum parquet_order order, struct str value);
/* Makes `s` cover also what `from` covers. */
void parquet_stats_merge(struct parquet_stats *s, enum parquet_order order,
                         const struct parquet_stats *from);
/* As a Statistics struct in field `id`. */
void parquet_stats_write(const struct parquet_stats *s, enum parquet_order order, struct compact *c,
                         int id);

#endif
