#include "emulators/cloudwatch/cloudwatch_statistic.h"

#include <math.h>
#include <stdlib.h>

#include "server/base/mem.h"

enum status cloudwatch_statistic_parse(struct str text, struct cloudwatch_statistic *ret)
{
    static const char *const names[] = { "SampleCount", "Average", "Sum", "Minimum", "Maximum" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eqz(text, names[i])) {
            *ret = (struct cloudwatch_statistic){ (enum cloudwatch_statistic_kind)i, 0 };
            return ST_OK;
        }
    }
    double p;
    if (text.n < 2 || text.p[0] != 'p' || str_f64(str_sub(text, 1, text.n), &p) != ST_OK ||
        !(p >= 0 && p <= 100)) {
        return ST_NOT_FOUND;
    }
    *ret = (struct cloudwatch_statistic){ CLOUDWATCH_PERCENTILE, p };
    return ST_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = ((const struct cloudwatch_point *)a)->min;
    double y = ((const struct cloudwatch_point *)b)->min;
    return (x > y) - (x < y);
}

static bool percentile(double p, struct cloudwatch_point *points, size_t n, double *ret)
{
    double count = 0;
    for (size_t i = 0; i < n; i++) {
        if (points[i].min < points[i].max) {
            return false;
        }
        count += points[i].n;
    }
    qsort(points, n, sizeof(*points), by_value);
    double rank = fmax(1, ceil(p / 100 * count)), seen = 0;
    size_t i = 0;
    while (i + 1 < n && seen + points[i].n < rank) {
        seen += points[i++].n;
    }
    *ret = points[i].min;
    return true;
}

bool cloudwatch_statistic_of(const struct cloudwatch_statistic *s, struct cloudwatch_point *points,
                             size_t n, double *ret)
{
    if (s->kind == CLOUDWATCH_PERCENTILE) {
        return percentile(s->percentile, points, n, ret);
    }
    double count = 0, sum = 0, min = points[0].min, max = points[0].max;
    for (size_t i = 0; i < n; i++) {
        count += points[i].n;
        sum += points[i].sum;
        min = fmin(min, points[i].min);
        max = fmax(max, points[i].max);
    }
    *ret = s->kind == CLOUDWATCH_SAMPLE_COUNT ? count
           : s->kind == CLOUDWATCH_AVERAGE    ? (count > 0 ? sum / count : 0)
           : s->kind == CLOUDWATCH_SUM        ? sum
           : s->kind == CLOUDWATCH_MINIMUM    ? min
                                              : max;
    return true;
}
