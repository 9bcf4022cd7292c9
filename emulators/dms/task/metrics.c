/* CloudWatch metrics of running tasks (namespace AWS/DMS), once per emulated minute. */
#include "emulators/dms/task/metrics.h"

#include "emulators/dms/task/machine.h"
#include "emulators/dms/worker/worker_impl.h"
#include "emulators/facade/metrics.h"
#include "server/base/log.h"
#include "server/core.h"
#include "server/loop/loop.h"

#define PERIOD_MS 60000

static struct dms_measured measure(const struct dms_worker *w)
{
    struct dms_measured t = { .ms = clock_mono_ms(),
                              .load_bytes = (int64_t)atomic_load(&w->put_load_bytes),
                              .change_bytes = (int64_t)atomic_load(&w->put_bytes),
                              .log_source_bytes = (int64_t)mysql_conn_received(w->stream) };
    for (size_t i = 0; i < DMS_LOADERS_MAX && w->load[i]; i++) {
        t.load_source_bytes += (int64_t)mysql_conn_received(w->load[i]);
        t.load_source_bytes += w->segment[i] ? (int64_t)mysql_conn_received(w->segment[i]) : 0;
    }
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

static void put_bandwidth(struct sink *s, const char *name, double bytes_per_second)
{
    put(s, name, bytes_per_second / 1024, "Kilobytes/Second");
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

/* What waits is in memory, or has been spilled to a staged file while its batch is open: which of
 * both isn't counted by rows, so all of it counts as memory. */
static void put_waiting(struct sink *s)
{
    double waiting = (double)atomic_load(&s->w->waiting_rows);
    put(s, "CDCIncomingChanges", waiting, "Count");
    put(s, "CDCChangesMemorySource", 0, "Count"); /* nothing is held before it is formatted */
    put(s, "CDCChangesMemoryTarget", waiting, "Count");
    put(s, "CDCChangesDiskSource", 0, "Count");
    put(s, "CDCChangesDiskTarget", 0, "Count");
}

static enum status put_all(struct dms_worker *w)
{
    struct sink s = { .w = w };
    const struct dms_measured now = measure(w), *before = &w->measured;
    double seconds = (double)(now.ms - before->ms) / 1e3;
    double loaded = rate(now.load_rows, before->load_rows, seconds);
    double changed = rate(now.changes, before->changes, seconds);
    put(&s, "FullLoadThroughputRowsSource", loaded, "Count/Second");
    put(&s, "FullLoadThroughputRowsTarget", loaded, "Count/Second");
    put_bandwidth(&s, "FullLoadThroughputBandwidthSource",
                  rate(now.load_source_bytes, before->load_source_bytes, seconds));
    put_bandwidth(&s, "FullLoadThroughputBandwidthTarget",
                  rate(now.load_bytes, before->load_bytes, seconds));
    if (w->captures) {
        put_waiting(&s);
        put(&s, "CDCThroughputRowsSource", changed, "Count/Second");
        put(&s, "CDCThroughputRowsTarget", changed, "Count/Second");
        put_bandwidth(&s, "CDCThroughputBandwidthSource",
                      rate(now.log_source_bytes, before->log_source_bytes, seconds));
        put_bandwidth(&s, "CDCThroughputBandwidthTarget",
                      rate(now.change_bytes, before->change_bytes, seconds));
        put_latencies(&s);
    }
    w->measured = now;
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
    dms_machine_put(dms);
}

void dms_metrics_start(struct dms *dms)
{
    dms->machine = dms_machine_new();
    dms->metrics = timer_new(core_loop(dms->core), on_minute, dms);
    timer_start(dms->metrics, clock_scaled_ms(PERIOD_MS), clock_scaled_ms(PERIOD_MS));
}

void dms_metrics_stop(struct dms *dms)
{
    timer_free(dms->metrics);
    dms->metrics = NULL;
    free(dms->machine);
    dms->machine = NULL;
}
