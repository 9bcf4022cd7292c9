/* What other services count into CloudWatch. Core thread; part of the current transaction. */
#ifndef CISTERN_FACADE_METRICS_H
#define CISTERN_FACADE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "server/base/status.h"
#include "server/base/str.h"

struct core;

#define METRICS_DIMENSIONS_MAX 30 /* of one metric, as PutMetricData allows */

/* Whose metrics: series are unique within. */
struct metrics_owner {
    struct str account, region;
};

struct metrics_dimension {
    struct str name, value;
};

/* Which series: two with the same dimensions in another order are one. */
struct metrics_series {
    struct str name_space; /* "AWS/DMS" */
    struct str name;       /* "CDCIncomingChanges" */
    const struct metrics_dimension *dimensions;
    size_t n_dimensions;
};

/* Adds one value now. `unit` is one of CloudWatch's ("Count", "Bytes", "Seconds", "Percent",
 * "None", …). */
enum status metrics_put(struct core *core, const struct metrics_owner *owner,
                        const struct metrics_series *series, double value,
                        const char *unit) MUST_CHECK;

#endif
