/* Values in: PutMetricData, and what the other services count (metrics.h). */
#include <math.h>

#include "emulators/cloudwatch/cloudwatch_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/wire/codec.h"

#define DATA_MAX 1000
#define VALUES_MAX 150
#define PAST_MS (14 * INT64_C(86400000)) /* how old a value may be */
#define FUTURE_MS (2 * INT64_C(3600000)) /* how far ahead */
#define SCRATCH_MAX ((size_t)256 * 1024)

/* --- checks ----------------------------------------------------------------------------------- */
static enum status bad(struct call *c, size_t i, const char *what)
{
    return call_fail(c, &cloudwatch_InvalidParameterValueException,
                     "The parameter MetricData.member.%zu.%s", i + 1, what);
}

static bool is_unit(struct str unit)
{
    static const char *const units[] = {
        "Seconds",
        "Microseconds",
        "Milliseconds",
        "Bytes",
        "Kilobytes",
        "Megabytes",
        "Gigabytes",
        "Terabytes",
        "Bits",
        "Kilobits",
        "Megabits",
        "Gigabits",
        "Terabits",
        "Percent",
        "Count",
        "Bytes/Second",
        "Kilobytes/Second",
        "Megabytes/Second",
        "Gigabytes/Second",
        "Terabytes/Second",
        "Bits/Second",
        "Kilobits/Second",
        "Megabits/Second",
        "Gigabits/Second",
        "Terabits/Second",
        "Count/Second",
        "None",
    };
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_eqz(unit, units[i])) {
            return true;
        }
    }
    return false;
}

static enum status check_values(struct call *c, size_t i, const struct cloudwatch_metric_datum *d)
{
    int given = d->Value.set + (d->StatisticValues != NULL) + (d->Values.v != NULL);
    if (given != 1) {
        return call_fail(c, &cloudwatch_InvalidParameterCombinationException,
                         "MetricData.member.%zu must have exactly one of Value, Values and "
                         "StatisticValues.",
                         i + 1);
    }
    if (d->Values.n > VALUES_MAX || (d->Counts.v && d->Counts.n != d->Values.n)) {
        return bad(c, i, "Values and Counts must have the same length, at most 150.");
    }
    bool finite = !d->Value.set || isfinite(d->Value.v);
    for (size_t k = 0; d->Values.v && k < d->Values.n; k++) {
        finite = finite && isfinite(d->Values.v[k].v) &&
                 (!d->Counts.v || (isfinite(d->Counts.v[k].v) && d->Counts.v[k].v >= 0));
    }
    const struct cloudwatch_statistic_set *s = d->StatisticValues;
    if (s) {
        finite = isfinite(s->SampleCount.v) && isfinite(s->Sum.v) && isfinite(s->Minimum.v) &&
                 isfinite(s->Maximum.v) && s->SampleCount.v >= 0 && s->Minimum.v <= s->Maximum.v;
    }
    return finite ? ST_OK : bad(c, i, "Value must be a number in the range that is allowed.");
}

static enum status check_datum(struct call *c, size_t i, const struct cloudwatch_metric_datum *d,
                               int64_t now_ms)
{
    if (d->MetricName.n < 1 || d->MetricName.n > 255) {
        return bad(c, i, "MetricName must have 1 to 255 characters.");
    }
    if (d->Dimensions.n > METRICS_DIMENSIONS_MAX) {
        return bad(c, i, "Dimensions has more than 30 members.");
    }
    for (size_t k = 0; k < d->Dimensions.n; k++) {
        const struct cloudwatch_dimension *one = &d->Dimensions.v[k];
        if (one->Name.n < 1 || one->Name.n > 255 || one->Value.n < 1 || one->Value.n > 1024) {
            return bad(c, i, "Dimensions: names have 1 to 255, values 1 to 1024 characters.");
        }
    }
    if (str_set(d->Unit) && !is_unit(d->Unit)) {
        return bad(c, i, "Unit is none of CloudWatch's units.");
    }
    if (d->StorageResolution.set && d->StorageResolution.v != 1 && d->StorageResolution.v != 60) {
        return bad(c, i, "StorageResolution must be 1 or 60.");
    }
    if (d->Timestamp.set && d->Timestamp.ms < now_ms - PAST_MS) {
        return bad(c, i, "Timestamp must specify a time within the past two weeks.");
    }
    if (d->Timestamp.set && d->Timestamp.ms > now_ms + FUTURE_MS) {
        return bad(c, i, "Timestamp must specify a time no more than two hours in the future.");
    }
    return check_values(c, i, d);
}

/* --- storing ---------------------------------------------------------------------------------- */
static enum status put_datum(struct call *c, const struct metrics_owner *owner,
                             struct str name_space, const struct cloudwatch_metric_datum *d)
{
    int64_t now = clock_now_ms(), id;
    struct cloudwatch_series_row series = { 0, name_space, d->MetricName,
                                            cloudwatch_call_dimensions(c, &d->Dimensions) };
    enum status st = cloudwatch_store_use_series(c->db, owner, &series, now, &id);
    struct cloudwatch_point p = {
        .time_ms = d->Timestamp.set ? d->Timestamp.ms : now,
        .unit = str_set(d->Unit) ? d->Unit : STR("None"),
    };
    if (st == ST_OK && d->StatisticValues) {
        const struct cloudwatch_statistic_set *s = d->StatisticValues;
        p.n = s->SampleCount.v;
        p.sum = s->Sum.v;
        p.min = s->Minimum.v;
        p.max = s->Maximum.v;
        return cloudwatch_store_add(c->db, id, &p);
    }
    size_t n = d->Value.set ? 1 : d->Values.n;
    for (size_t k = 0; st == ST_OK && k < n; k++) {
        double value = d->Value.set ? d->Value.v : d->Values.v[k].v;
        p.n = d->Counts.v ? d->Counts.v[k].v : 1;
        p.sum = value * p.n;
        p.min = p.max = value;
        st = p.n > 0 ? cloudwatch_store_add(c->db, id, &p) : ST_OK;
    }
    return st;
}

enum status cloudwatch_put_metric_data(struct call *c,
                                       const struct cloudwatch_put_metric_data_request *in,
                                       void *ret_out)
{
    (void)ret_out;
    struct metrics_owner owner = cloudwatch_owner_of(c);
    if (in->EntityMetricData.n) {
        return call_fail(c, &wire_NotImplemented,
                         "EntityMetricData isn't implemented: use MetricData.");
    }
    if (in->Namespace.n < 1 || in->Namespace.n > 255 || in->Namespace.p[0] == ':') {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "The parameter Namespace must have 1 to 255 characters and not begin with "
                         "a colon.");
    }
    if (str_starts(in->Namespace, STR("AWS/"))) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "The value AWS/ for parameter Namespace is invalid.");
    }
    if (in->MetricData.n < 1 || in->MetricData.n > DATA_MAX) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "The parameter MetricData must have 1 to %d members.", DATA_MAX);
    }
    int64_t now = clock_now_ms();
    for (size_t i = 0; i < in->MetricData.n; i++) {
        enum status st = check_datum(c, i, &in->MetricData.v[i], now);
        if (st != ST_OK) {
            return st;
        }
    }
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < in->MetricData.n; i++) {
        st = put_datum(c, &owner, in->Namespace, &in->MetricData.v[i]);
    }
    return call_status(c, st);
}

enum status metrics_put(struct core *core, const struct metrics_owner *owner,
                        const struct metrics_series *series, double value, const char *unit)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SCRATCH_MAX);
    int64_t now = clock_now_ms(), id;
    struct cloudwatch_series_row row = { 0, series->name_space, series->name,
                                         cloudwatch_dimensions_text(a, series->dimensions,
                                                                    series->n_dimensions) };
    struct cloudwatch_point p = { now, str_z(unit), 1, value, value, value };
    enum status st = cloudwatch_store_use_series(core_db(core), owner, &row, now, &id);
    return st == ST_OK ? cloudwatch_store_add(core_db(core), id, &p) : st;
}
