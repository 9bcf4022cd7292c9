/* GetMetricData: many series, one statistic each, in pages. */
#include <inttypes.h>

#include "emulators/cloudwatch/cloudwatch_read.h"
#include "emulators/cloudwatch/cloudwatch_statistic.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define QUERIES_MAX 500
#define DATAPOINTS_MAX 100800

/* How many points the pages before this one had, and how many fit into it. */
struct page {
    int64_t skip, room, sent;
};

static enum status check_query(struct call *c, const struct cloudwatch_metric_data_query *q,
                               struct cloudwatch_statistic *ret)
{
    if (str_set(q->Expression)) {
        return call_fail(c, &wire_NotImplemented,
                         "Query '%.*s': Expression (metric math, SEARCH, Metrics Insights) isn't "
                         "implemented: ask for the metrics with MetricStat and compute in the "
                         "client.",
                         STR_ARG(q->Id));
    }
    const struct cloudwatch_metric_stat *m = q->MetricStat;
    if (!m || !m->Metric || !str_set(m->Metric->Namespace) || !str_set(m->Metric->MetricName)) {
        return call_fail(c, &cloudwatch_InvalidParameterCombinationException,
                         "Query '%.*s' needs MetricStat with Metric.Namespace and "
                         "Metric.MetricName.",
                         STR_ARG(q->Id));
    }
    if (cloudwatch_statistic_parse(m->Stat, ret) != ST_OK) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "Query '%.*s': Stat '%.*s' isn't supported: use SampleCount, Average, "
                         "Sum, Minimum, Maximum or a percentile such as p99.",
                         STR_ARG(q->Id), STR_ARG(m->Stat));
    }
    return ST_OK;
}

/* One query's values that fall into the page, newest first unless ascending. */
static enum status run_query(struct call *c, const struct cloudwatch_get_metric_data_request *in,
                             const struct cloudwatch_metric_data_query *q, struct page *page,
                             struct cloudwatch_metric_data_result *ret)
{
    struct cloudwatch_statistic statistic;
    struct cloudwatch_window window;
    struct cloudwatch_bucket *buckets;
    size_t n;
    enum status st = check_query(c, q, &statistic);
    st = st == ST_OK
             ? cloudwatch_window_of(c, in->StartTime, in->EndTime, q->MetricStat->Period, &window)
             : st;
    if (st != ST_OK) {
        return st;
    }
    const struct cloudwatch_metric *m = q->MetricStat->Metric;
    struct cloudwatch_series_row series = { 0, m->Namespace, m->MetricName,
                                            cloudwatch_call_dimensions(c, &m->Dimensions) };
    st = cloudwatch_read(c, &series, q->MetricStat->Unit, &window, &buckets, &n);
    if (st != ST_OK) {
        return st;
    }
    *ret = (struct cloudwatch_metric_data_result){
        .Id = q->Id,
        .Label = str_set(q->Label) ? q->Label : m->MetricName,
        .Timestamps = { 0, ARENA_ARRAY(c->arena, struct opt_time, n + 1) },
        .Values = { 0, ARENA_ARRAY(c->arena, struct opt_f64, n + 1) },
        .StatusCode = STR("Complete"),
    };
    bool ascending = str_eqz(in->ScanBy, "TimestampAscending");
    for (size_t i = 0; i < n; i++) {
        struct cloudwatch_bucket *b = &buckets[ascending ? i : n - 1 - i];
        double value;
        if (!cloudwatch_statistic_of(&statistic, b->points, b->n, &value)) {
            continue;
        }
        if (page->skip > 0) {
            page->skip--;
        } else if (page->sent == page->room) {
            ret->StatusCode = STR("PartialData");
            break;
        } else {
            page->sent++;
            ret->Timestamps.v[ret->Timestamps.n++] = OPT_TIME(b->time_ms);
            ret->Values.v[ret->Values.n++] = OPT_F64(value);
        }
    }
    return ST_OK;
}

static enum status first_page(struct call *c, const struct cloudwatch_get_metric_data_request *in,
                              struct page *ret)
{
    int64_t max = in->MaxDatapoints.set ? in->MaxDatapoints.v : DATAPOINTS_MAX;
    *ret = (struct page){ 0, max < DATAPOINTS_MAX ? max : DATAPOINTS_MAX, 0 };
    if (in->MetricDataQueries.n < 1 || in->MetricDataQueries.n > QUERIES_MAX) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "MetricDataQueries must have 1 to %d members.", QUERIES_MAX);
    }
    if (max < 1) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "MaxDatapoints must be at least 1.");
    }
    if (str_set(in->NextToken) && (str_i64(in->NextToken, &ret->skip) != ST_OK || ret->skip < 0)) {
        return call_fail(c, &cloudwatch_InvalidNextToken,
                         "NextToken isn't one that GetMetricData gave.");
    }
    return ST_OK;
}

enum status cloudwatch_get_metric_data(struct call *c,
                                       const struct cloudwatch_get_metric_data_request *in,
                                       struct cloudwatch_get_metric_data_response *ret_out)
{
    struct page page;
    bool more = false;
    struct cloudwatch_metric_data_results *out = &ret_out->MetricDataResults;
    enum status st = first_page(c, in, &page);
    int64_t before = st == ST_OK ? page.skip : 0;
    out->v =
        ARENA_ARRAY(c->arena, struct cloudwatch_metric_data_result, in->MetricDataQueries.n + 1);
    for (size_t i = 0; st == ST_OK && i < in->MetricDataQueries.n; i++) {
        const struct cloudwatch_metric_data_query *q = &in->MetricDataQueries.v[i];
        if (q->ReturnData.set && !q->ReturnData.v) {
            continue; /* only expressions would use it */
        }
        st = run_query(c, in, q, &page, &out->v[out->n]);
        more = more || (st == ST_OK && str_eqz(out->v[out->n].StatusCode, "PartialData"));
        out->n++;
    }
    ret_out->Messages.v = ARENA_NEW(c->arena, struct cloudwatch_message_data);
    if (more) {
        ret_out->NextToken = arena_printf(c->arena, "%" PRId64, before + page.sent);
    }
    return st;
}
