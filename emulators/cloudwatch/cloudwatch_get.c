/* GetMetricStatistics: one series, several statistics. */
#include "emulators/cloudwatch/cloudwatch_read.h"
#include "emulators/cloudwatch/cloudwatch_statistic.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define DATAPOINTS_MAX 1440

struct wanted {
    struct cloudwatch_statistic *v;
    struct str *name;
    size_t n;
};

static enum status parse(struct call *c, struct str name, bool extended, struct wanted *w)
{
    struct cloudwatch_statistic s;
    enum status st = cloudwatch_statistic_parse(name, &s);
    if (st != ST_OK || (s.kind == CLOUDWATCH_PERCENTILE) != extended) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "The value %.*s for parameter %s is not supported: use %s.", STR_ARG(name),
                         extended ? "ExtendedStatistics" : "Statistics",
                         extended ? "percentiles (p0 to p100)"
                                  : "SampleCount, Average, Sum, Minimum or Maximum");
    }
    w->v[w->n] = s;
    w->name[w->n++] = name;
    return ST_OK;
}

static enum status wanted_of(struct call *c,
                             const struct cloudwatch_get_metric_statistics_request *in,
                             struct wanted *ret)
{
    size_t n = in->Statistics.n + in->ExtendedStatistics.n;
    *ret = (struct wanted){ ARENA_ARRAY(c->arena, struct cloudwatch_statistic, n + 1),
                            ARENA_ARRAY(c->arena, struct str, n + 1), 0 };
    enum status st = ST_OK;
    if (n == 0) {
        return call_fail(c, &cloudwatch_InvalidParameterCombinationException,
                         "Must specify either Statistics or ExtendedStatistics.");
    }
    for (size_t i = 0; st == ST_OK && i < in->Statistics.n; i++) {
        st = parse(c, in->Statistics.v[i], false, ret);
    }
    for (size_t i = 0; st == ST_OK && i < in->ExtendedStatistics.n; i++) {
        st = parse(c, in->ExtendedStatistics.v[i], true, ret);
    }
    return st;
}

static struct cloudwatch_datapoint datapoint_of(struct call *c, const struct wanted *w,
                                                const struct cloudwatch_bucket *b)
{
    struct cloudwatch_datapoint d = { .Timestamp = OPT_TIME(b->time_ms), .Unit = b->unit };
    struct opt_f64 *plain[] = { &d.SampleCount, &d.Average, &d.Sum, &d.Minimum, &d.Maximum };
    for (size_t i = 0; i < w->n; i++) {
        double value;
        if (!cloudwatch_statistic_of(&w->v[i], b->points, b->n, &value)) {
            continue;
        }
        if (w->v[i].kind != CLOUDWATCH_PERCENTILE) {
            *plain[w->v[i].kind] = OPT_F64(value);
            continue;
        }
        struct cloudwatch_datapoint_value_map *m = &d.ExtendedStatistics;
        ARENA_GROW(c->arena, m->v, m->n);
        m->v[m->n++] = (struct cloudwatch_datapoint_value_map_entry){ w->name[i], OPT_F64(value) };
    }
    return d;
}

enum status
cloudwatch_get_metric_statistics(struct call *c,
                                 const struct cloudwatch_get_metric_statistics_request *in,
                                 struct cloudwatch_get_metric_statistics_response *ret_out)
{
    struct cloudwatch_window window;
    struct cloudwatch_bucket *buckets;
    struct wanted wanted;
    size_t n;
    enum status st = cloudwatch_window_of(c, in->StartTime, in->EndTime, in->Period, &window);
    st = st == ST_OK ? wanted_of(c, in, &wanted) : st;
    if (st != ST_OK) {
        return st;
    }
    int64_t periods = (in->EndTime.ms - in->StartTime.ms) / window.period_ms;
    if (periods > DATAPOINTS_MAX) {
        return call_fail(c, &cloudwatch_InvalidParameterCombinationException,
                         "You have requested up to %lld datapoints, which exceeds the limit of "
                         "1,440. You may reduce the datapoints requested by increasing Period, or "
                         "decreasing the time range.",
                         (long long)periods);
    }
    struct cloudwatch_series_row series = { 0, in->Namespace, in->MetricName,
                                            cloudwatch_call_dimensions(c, &in->Dimensions) };
    st = cloudwatch_read(c, &series, in->Unit, &window, &buckets, &n);
    if (st != ST_OK) {
        return st;
    }
    ret_out->Label = in->MetricName;
    ret_out->Datapoints.v = ARENA_ARRAY(c->arena, struct cloudwatch_datapoint, n + 1);
    for (size_t i = 0; i < n; i++) {
        ret_out->Datapoints.v[ret_out->Datapoints.n++] = datapoint_of(c, &wanted, &buckets[i]);
    }
    return ST_OK;
}
