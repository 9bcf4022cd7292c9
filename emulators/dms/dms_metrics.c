/* CloudWatch metrics of running tasks (namespace AWS/DMS), once per emulated minute. */
#include "emulators/dms/dms_metrics.h"

#include "emulators/dms/dms_worker_impl.h"
#include "emulators/facade/metrics.h"
#include "server/base/log.h"
#include "server/core.h"
#include "server/loop/loop.h"

#define PERIOD_MS 60000

/* What a worker has moved so far, as last shown. */
struct totals {
    int64_t load_rows, changes, bytes;
};

static struct totals sum_up(struct dms_worker *w)
{
    struct totals t = { .bytes = (int64_t)atomic_load(&w->put_bytes) };
    for (size_t i = 0; i < w->shown_n; i++) {
        const struct dms_table_counts *n = &w->shown[i].counts;
        t.load_rows += n->load_rows;
        t.changes += n->inserts + n->updates + n->deletes;
    }
    return t;
}

/* Growth per second since the last time; 0 when a count began anew. */
static double rate(int64_t now, int64_t before, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

struct sink {
    struct dms_worker *w;
    enum status st;
};

static void put(struct sink *s, const char *name, double value, const char *unit)
{
    const struct metrics_owner owner = { s->w->log_owner.account, s->w->log_owner.region };
    const struct metrics_dimension dimensions[] = {
        { STR("ReplicationInstanceIdentifier"), s->w->instance },
        { STR("ReplicationTaskIdentifier"), s->w->resource_id },
    };
    const struct metrics_series series = {
        .name_space = STR("AWS/DMS"),
        .name = str_z(name),
        .dimensions = dimensions,
        .n_dimensions = ARRAY_LEN(dimensions),
    };
    if (s->st == ST_OK) {
        s->st = metrics_put(s->w->core, &owner, &series, value, unit);
    }
}

/* Seconds that the source's newest read transaction, and the oldest change that waits for its file,
 * are behind. */
static void put_latencies(struct sink *s)
{
    struct dms_worker *w = s->w;
    int64_t read_us = atomic_load(&w->reading_us);
    double source = read_us > 0 ? (double)(clock_now_us() - read_us) / 1e6 : 0;
    source = source > 0 ? source : 0;
    double target = source;
    if (w->shown_oldest_ms > 0) {
        double waits = (double)(clock_mono_ms() - w->shown_oldest_ms) / 1e3;
        target = waits > target ? waits : target;
    }
    put(s, "CDCLatencySource", source, "Seconds");
    put(s, "CDCLatencyTarget", target, "Seconds");
}

static enum status put_all(struct dms_worker *w)
{
    struct sink s = { .w = w };
    struct totals now = sum_up(w);
    int64_t ms = clock_mono_ms();
    double seconds = (double)(ms - w->measured_ms) / 1e3;
    double loaded = rate(now.load_rows, w->measured_load_rows, seconds);
    double changed = rate(now.changes, w->measured_changes, seconds);
    double kilobytes = rate(now.bytes, w->measured_bytes, seconds) / 1024;
    double waiting = (double)atomic_load(&w->waiting_rows);
    bool loading = w->loads && loaded > 0;
    put(&s, "FullLoadThroughputRowsSource", loaded, "Count/Second");
    put(&s, "FullLoadThroughputRowsTarget", loaded, "Count/Second");
    put(&s, "FullLoadThroughputBandwidthTarget", loading ? kilobytes : 0, "Kilobytes/Second");
    if (w->captures) {
        put(&s, "CDCIncomingChanges", waiting, "Count");
        put(&s, "CDCChangesMemorySource", 0, "Count"); /* nothing is held before it is formatted */
        put(&s, "CDCChangesMemoryTarget", waiting, "Count");
        put(&s, "CDCChangesDiskSource", 0, "Count");
        put(&s, "CDCChangesDiskTarget", 0, "Count");
        put(&s, "CDCThroughputRowsSource", changed, "Count/Second");
        put(&s, "CDCThroughputRowsTarget", changed, "Count/Second");
        put(&s, "CDCThroughputBandwidthTarget", loading ? 0 : kilobytes, "Kilobytes/Second");
        put_latencies(&s);
    }
    w->measured_ms = ms;
    w->measured_load_rows = now.load_rows;
    w->measured_changes = now.changes;
    w->measured_bytes = now.bytes;
    return s.st;
}

static void on_minute(void *arg)
{
    struct dms *dms = arg;
    LIST_FOREACH(link, &dms->workers)
    {
        struct dms_worker *w = dms_worker_of(link);
        enum status st = w->up_known ? put_all(w) : ST_OK;
        if (st != ST_OK) {
            log_warn("dms", "metrics of task %.*s can't be stored: %s", STR_ARG(w->ident),
                     status_name(st));
        }
    }
}

void dms_metrics_start(struct dms *dms)
{
    dms->metrics = timer_new(core_loop(dms->core), on_minute, dms);
    timer_start(dms->metrics, clock_scaled_ms(PERIOD_MS), clock_scaled_ms(PERIOD_MS));
}

void dms_metrics_stop(struct dms *dms)
{
    timer_free(dms->metrics);
    dms->metrics = NULL;
}
