/* Points of one series, gathered into periods. Core thread. */
#ifndef CISTERN_CLOUDWATCH_READ_H
#define CISTERN_CLOUDWATCH_READ_H

#include "emulators/cloudwatch/cloudwatch_internal.h"

#define CLOUDWATCH_MINUTE_MS INT64_C(60000)

/* What is asked: [start, end), cut into periods from `start` on. */
struct cloudwatch_window {
    int64_t start_ms, end_ms, period_ms;
};
/* The points of one period and unit. */
struct cloudwatch_bucket {
    int64_t time_ms; /* where the period begins */
    struct str unit;
    struct cloudwatch_point *points;
    size_t n;
};

/* Checks times and period (seconds: 1, 5, 10, 20, 30, or a multiple of 60), and rounds the start
 * down as CloudWatch does: to the minute, or to a shorter period. */
enum status cloudwatch_window_of(struct call *c, struct opt_time start, struct opt_time end,
                                 struct opt_i64 period_s, struct cloudwatch_window *ret) MUST_CHECK;
/* Buckets that hold points, by time, then unit. A series that doesn't exist has none. */
enum status cloudwatch_read(struct call *c, const struct cloudwatch_series_row *series,
                            struct str unit, const struct cloudwatch_window *window,
                            struct cloudwatch_bucket **ret, size_t *ret_n) MUST_CHECK;

#endif
