#include <stdio.h>

#include "emulators/glue/glue_merge_work.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"

#define TICK_MS 200         /* how often the worker's progress is looked at */
#define DETAIL_MS 1000      /* and shown in the run at most */
#define LOG_STEP_PERCENT 10 /* and logged */
#define DIGITS_MAX 32

/* --- from the worker -------------------------------------------------------------------------- */
void merge_report_progress(void *ctx, const struct merge_progress *p)
{
    struct merge_work *w = ctx;
    atomic_store_explicit(&w->seen.rows, p->rows, memory_order_relaxed);
    atomic_store_explicit(&w->seen.bytes, p->bytes_read, memory_order_relaxed);
    atomic_store_explicit(&w->seen.percent, p->percent, memory_order_relaxed);
}

void merge_report_line(void *ctx, enum merge_log_level level, struct str line)
{
    struct merge_work *w = ctx;
    buf_printf(&w->log, "%s%.*s\n", level == MERGE_LOG_WARN ? "WARN " : "", STR_ARG(line));
}

/* --- on the core thread ----------------------------------------------------------------------- */
/* 4310000 → "4,310,000" */
static const char *grouped(uint64_t n, char out[DIGITS_MAX])
{
    char digits[DIGITS_MAX];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), o = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[o++] = ',';
        }
        out[o++] = digits[i];
    }
    out[o] = '\0';
    return out;
}

static unsigned long long megabytes(uint64_t bytes)
{
    return (unsigned long long)(bytes >> 20);
}

static uint64_t per_second(uint64_t n, int64_t ms)
{
    return ms > 0 ? (uint64_t)((double)n * 1000.0 / (double)ms) : n;
}

static void describe(struct merge_work *w, int64_t now)
{
    char rows[DIGITS_MAX], of[48] = "";
    uint64_t bytes = atomic_load_explicit(&w->seen.bytes, memory_order_relaxed);
    if (w->n_tables > 1) {
        snprintf(of, sizeof(of), ", table %zu of %zu", w->at + 1, w->n_tables);
    }
    snprintf(w->detail, sizeof(w->detail), "Merging: %u %%, %s rows, %llu MB, %llu MB/s%s",
             atomic_load_explicit(&w->seen.percent, memory_order_relaxed),
             grouped(atomic_load_explicit(&w->seen.rows, memory_order_relaxed), rows),
             megabytes(bytes), megabytes(per_second(bytes, now - w->began_ms)), of);
}

static void on_tick(void *arg)
{
    struct merge_work *w = arg;
    struct glue_active *a = w->run;
    int64_t now = clock_mono_ms();
    unsigned tenth =
        atomic_load_explicit(&w->seen.percent, memory_order_relaxed) / LOG_STEP_PERCENT;
    bool step = tenth > w->logged && tenth * LOG_STEP_PERCENT < 100;
    bool show = w->shown_ms == 0 || now - w->shown_ms >= DETAIL_MS;
    if (!step && !show) {
        return;
    }
    describe(w, now);
    if (step) {
        w->logged = tenth;
        glue_log(a, GLUE_OUTPUT, "%s", w->detail);
    }
    if (show) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1u << 20);
        w->shown_ms = now;
        a->run->StateDetail = str_z(w->detail);
        status_ignore(glue_store_update_run(core_db(a->glue->core), arena, a->run)); /* logged */
    }
}

void merge_report_start(struct merge_work *w)
{
    size_t loads = 0, changes = 0, old = 0, bytes = 0;
    const struct merge_plan *plan = &w->plan;
    for (size_t i = 0; i < plan->n_files; i++) {
        const struct merge_source_file *f = &plan->files[i];
        loads += f->load && !f->skipped;
        changes += !f->load && !f->skipped;
        old += f->skipped;
        bytes += f->skipped ? 0 : (size_t)f->object.size;
    }
    if (old > 0) {
        glue_log(w->run, GLUE_OUTPUT,
                 "A new full load begins: %zu files from before it are not applied (again)", old);
    }
    if (plan->empty) {
        glue_log(w->run, GLUE_OUTPUT,
                 "%.*s: the source table was emptied since the last merge: the data set begins "
                 "with no rows",
                 STR_ARG(plan->table.source));
    }
    glue_log(
        w->run, GLUE_OUTPUT,
        "Merging %.*s into %.*s: %zu LOAD files, %zu change files, %zu bytes; the data set has "
        "%zu parts",
        STR_ARG(plan->table.source), STR_ARG(plan->table.location), loads, changes, bytes,
        plan->n_parts);
    atomic_store(&w->seen.rows, 0);
    atomic_store(&w->seen.bytes, 0);
    atomic_store(&w->seen.percent, 0);
    w->began_ms = clock_mono_ms();
    w->logged = 0;
    w->ticker = timer_new(core_loop(w->run->glue->core), on_tick, w);
    timer_start(w->ticker, TICK_MS, TICK_MS);
}

void merge_report_stop(struct merge_work *w)
{
    timer_free(w->ticker);
    w->ticker = NULL;
    glue_log_text(w->run, GLUE_OUTPUT, buf_str(&w->log));
    buf_clear(&w->log);
}

static const char *policy(enum merge_misfit misfit, const char *applied)
{
    return misfit == MERGE_MISFIT_IGNORE ? "ignored" : applied;
}

static void log_misfits(struct merge_work *w)
{
    const struct merge_counters *n = &w->result.counters;
    const struct merge_spec *spec = &w->job.spec;
    if (n->upserted_missing || n->deleted_missing || n->inserted_present) {
        glue_log(w->run, GLUE_OUTPUT,
                 "WARN %llu updates of missing keys were %s, %llu deletes of missing keys ignored, "
                 "%llu inserts of present keys %s",
                 (unsigned long long)n->upserted_missing, policy(spec->update_missing, "inserted"),
                 (unsigned long long)n->deleted_missing, (unsigned long long)n->inserted_present,
                 policy(spec->insert_present, "replaced the row"));
    }
}

/* Of the files that were merged; parts of the data set are read only where they change. */
static int64_t input_bytes(const struct merge_plan *plan)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < plan->n_files; i++) {
        bytes += plan->files[i].skipped ? 0 : plan->files[i].object.size;
    }
    return bytes;
}

void merge_report_counters(struct merge_work *w)
{
    const struct merge_counters *n = &w->result.counters;
    const struct merge_plan *plan = &w->plan;
    int64_t ms = clock_mono_ms() - w->began_ms;
    size_t parts = w->result.n_written;
    for (size_t i = 0; i < w->result.n_parts; i++) {
        parts += w->result.kept[i];
    }
    glue_log(w->run, GLUE_OUTPUT,
             "Merged %zu files into %.*s: %llu rows loaded, %llu inserted, %llu updated, %llu "
             "deleted, %llu unchanged",
             plan->n_files, STR_ARG(plan->table.location), (unsigned long long)n->load_rows,
             (unsigned long long)n->inserted, (unsigned long long)n->updated,
             (unsigned long long)n->deleted, (unsigned long long)n->unchanged);
    log_misfits(w);
    uint64_t rows = n->load_rows + n->change_rows;
    uint64_t bytes = atomic_load_explicit(&w->seen.bytes, memory_order_relaxed);
    glue_log(w->run, GLUE_OUTPUT,
             "Data set: %llu rows, %llu bytes in %zu parts; %llu bytes rewritten, %llu kept; %llu "
             "rows read in %lld.%03lld s, %llu MB/s",
             (unsigned long long)n->rows_total, (unsigned long long)n->bytes_total, parts,
             (unsigned long long)n->bytes_rewritten, (unsigned long long)n->bytes_kept,
             (unsigned long long)rows, (long long)(ms / 1000), (long long)(ms % 1000),
             megabytes(per_second(bytes, ms)));
    glue_metric(w->run, "glue.driver.aggregate.recordsRead", (double)rows);
    glue_metric(w->run, "glue.driver.aggregate.bytesRead", (double)input_bytes(plan));
    glue_metric(w->run, "glue.driver.s3.filesystem.write_bytes", (double)n->bytes_rewritten);
}
