/* Statistics over the points of a period. Pure; any thread. */
#ifndef CISTERN_CLOUDWATCH_STATISTIC_H
#define CISTERN_CLOUDWATCH_STATISTIC_H

#include <stdbool.h>
#include <stddef.h>

#include "emulators/cloudwatch/cloudwatch_store.h"

enum cloudwatch_statistic_kind {
    CLOUDWATCH_SAMPLE_COUNT,
    CLOUDWATCH_AVERAGE,
    CLOUDWATCH_SUM,
    CLOUDWATCH_MINIMUM,
    CLOUDWATCH_MAXIMUM,
    CLOUDWATCH_PERCENTILE,
};

struct cloudwatch_statistic {
    enum cloudwatch_statistic_kind kind;
    double percentile; /* 0..100 */
};

/* "Average", …, "p99", "p99.95". ST_NOT_FOUND: none that we compute. */
enum status cloudwatch_statistic_parse(struct str text,
                                       struct cloudwatch_statistic *ret) MUST_CHECK;
/* Over n > 0 points. A percentile is the value at the nearest rank; false when a statistic set is
 * among the points: its values are unknown (as CloudWatch has it). Sorts the points by value then.
 */
bool cloudwatch_statistic_of(const struct cloudwatch_statistic *s, struct cloudwatch_point *points,
                             size_t n, double *ret);

#endif
