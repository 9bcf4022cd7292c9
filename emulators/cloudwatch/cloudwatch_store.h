/* Series of metrics and their points. The only SQL of the service. Core thread; strings live in the
 * arena given. Times are milliseconds since the epoch. */
#ifndef CISTERN_CLOUDWATCH_STORE_H
#define CISTERN_CLOUDWATCH_STORE_H

#include <stdint.h>

#include "emulators/cloudwatch/cloudwatch_model.h"
#include "emulators/facade/metrics.h"
#include "server/base/arena.h"
#include "server/store/db.h"

extern const char cloudwatch_schema_sql[];

/* A value that was put `n` times, or a statistic set that a client computed (min != max). */
struct cloudwatch_point {
    int64_t time_ms;
    struct str unit;
    double n, sum, min, max;
};

struct cloudwatch_series_row {
    int64_t id;
    struct str name_space, name, dimensions; /* the canonical text of the dimensions */
};

/* One text for the same dimensions in any order: name US value RS …, sorted. */
struct str cloudwatch_dimensions_text(struct arena *a, const struct metrics_dimension *v, size_t n);
/* The dimensions of such a text. */
struct cloudwatch_dimensions cloudwatch_dimensions_of(struct arena *a, struct str text);

/* The series' id; ST_NOT_FOUND when nothing was put there. */
enum status cloudwatch_store_series(struct db *db, const struct metrics_owner *o,
                                    const struct cloudwatch_series_row *series,
                                    int64_t *ret_id) MUST_CHECK;
/* The same, made when missing; notes that it was active now. */
enum status cloudwatch_store_use_series(struct db *db, const struct metrics_owner *o,
                                        const struct cloudwatch_series_row *series, int64_t now_ms,
                                        int64_t *ret_id) MUST_CHECK;
enum status cloudwatch_store_add(struct db *db, int64_t series,
                                 const struct cloudwatch_point *point) MUST_CHECK;
/* Points with start <= time < end in order of time; unit absent: all. */
struct cloudwatch_point_query {
    int64_t series, start_ms, end_ms;
    struct str unit;
};
enum status cloudwatch_store_points(struct db *db, struct arena *a,
                                    const struct cloudwatch_point_query *query,
                                    struct cloudwatch_point **ret, size_t *ret_n) MUST_CHECK;
/* Series with ids above `after` that were active at or after `since_ms`, of the namespace and name
 * where set, in order of id; at most `limit`. */
struct cloudwatch_series_query {
    struct str name_space, name;
    int64_t after, since_ms, limit;
};
enum status cloudwatch_store_list(struct db *db, struct arena *a, const struct metrics_owner *o,
                                  const struct cloudwatch_series_query *query,
                                  struct cloudwatch_series_row **ret, size_t *ret_n) MUST_CHECK;
/* Drops points from before, and series without any since. */
enum status cloudwatch_store_expire(struct db *db, int64_t before_ms) MUST_CHECK;

#endif
