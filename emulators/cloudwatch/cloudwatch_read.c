#include "emulators/cloudwatch/cloudwatch_read.h"

#include "server/base/mem.h"

enum status cloudwatch_window_of(struct call *c, struct opt_time start, struct opt_time end,
                                 struct opt_i64 period_s, struct cloudwatch_window *ret)
{
    int64_t p = period_s.v;
    bool short_period = p == 1 || p == 5 || p == 10 || p == 20 || p == 30;
    if (!short_period && (p < 60 || p % 60 != 0 || p > INT64_C(86400) * 365)) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not "
                         "%lld.",
                         (long long)p);
    }
    if (start.ms >= end.ms) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "The parameter StartTime must be less than the parameter EndTime.");
    }
    int64_t step = p * 1000 < CLOUDWATCH_MINUTE_MS ? p * 1000 : CLOUDWATCH_MINUTE_MS;
    *ret = (struct cloudwatch_window){ start.ms - start.ms % step, end.ms, p * 1000 };
    return ST_OK;
}

static int by_period_and_unit(const void *a, const void *b)
{
    const struct cloudwatch_point *x = a, *y = b;
    if (x->time_ms != y->time_ms) {
        return x->time_ms < y->time_ms ? -1 : 1;
    }
    return str_cmp(x->unit, y->unit);
}

enum status cloudwatch_read(struct call *c, const struct cloudwatch_series_row *series,
                            struct str unit, const struct cloudwatch_window *w,
                            struct cloudwatch_bucket **ret, size_t *ret_n)
{
    struct metrics_owner owner = cloudwatch_owner_of(c);
    struct cloudwatch_point_query query = { 0, w->start_ms, w->end_ms, unit };
    struct cloudwatch_point *points;
    size_t n;
    *ret = NULL;
    *ret_n = 0;
    enum status st = cloudwatch_store_series(c->db, &owner, series, &query.series);
    if (st == ST_NOT_FOUND) {
        return ST_OK;
    }
    st = st == ST_OK ? cloudwatch_store_points(c->db, c->arena, &query, &points, &n) : st;
    if (st != ST_OK || n == 0) {
        return call_status(c, st);
    }
    for (size_t i = 0; i < n; i++) {
        points[i].time_ms -= (points[i].time_ms - w->start_ms) % w->period_ms;
    }
    qsort(points, n, sizeof(*points), by_period_and_unit);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_period_and_unit(&points[i - 1], &points[i]) != 0) {
            ARENA_GROW(c->arena, *ret, *ret_n);
            (*ret)[(*ret_n)++] =
                (struct cloudwatch_bucket){ points[i].time_ms, points[i].unit, &points[i], 0 };
        }
        (*ret)[*ret_n - 1].n++;
    }
    return ST_OK;
}
