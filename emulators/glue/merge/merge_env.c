#include "emulators/glue/merge/merge_env.h"

#include <stdarg.h>

#include "server/base/buf.h"

#define PROGRESS_BYTES (4u << 20)
#define SHARE_BYTES (512u << 10) /* a thread counts alone until then */
#define LOG_LINE_MAX 2048u

enum status merge_fail(struct merge_env *e, enum status st, struct str name, uint64_t line,
                       const char *fmt, ...)
{
    if (e->res->error[0] != '\0') {
        return st;
    }
    struct buf b = BUF_INIT(64u << 10);
    if (!str_empty(name)) {
        buf_str_add(&b, name);
        if (line > 0) {
            buf_printf(&b, ", line %llu", (unsigned long long)line);
        }
        buf_puts(&b, ": ");
    }
    char text[sizeof e->res->error];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_puts(&b, text);
    struct str all = buf_str(&b);
    size_t n = all.n < sizeof e->res->error ? all.n : sizeof e->res->error - 1;
    while (n > 0 && n < all.n && ((unsigned char)all.p[n] & 0xc0) == 0x80) {
        n--; /* no half character at the cut */
    }
    if (n > 0) {
        memcpy(e->res->error, all.p, n);
    }
    e->res->error[n] = '\0';
    e->res->error_line = line;
    buf_fini(&b);
    return st;
}

void merge_log(struct merge_env *e, enum merge_log_level level, const char *fmt, ...)
{
    if (!e->job->spec.log) {
        return;
    }
    char text[LOG_LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    pthread_mutex_lock(&e->shared->lock);
    e->job->spec.log(e->job->spec.callback_ctx, level, (struct str){ text, len });
    pthread_mutex_unlock(&e->shared->lock);
}

static bool is_cancelled(const struct merge_env *e)
{
    const atomic_bool *cancel = e->job->spec.cancel;
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

/* Adds a thread's counts to those of all; the lock is held. Who cancelled hears no more. */
static void share_progress(struct merge_env *e)
{
    struct merge_progress *p = &e->shared->progress;
    p->rows += e->rows;
    p->bytes_read += e->bytes;
    e->rows = e->bytes = 0;
    if (p->bytes_read - e->shared->reported < PROGRESS_BYTES || !e->job->spec.progress ||
        is_cancelled(e)) {
        return;
    }
    e->shared->reported = p->bytes_read;
    if (p->bytes_total < p->bytes_read) {
        p->bytes_total = p->bytes_read;
    }
    unsigned percent = (unsigned)((double)p->bytes_read / (double)p->bytes_total * 100.0);
    if (percent > p->percent) {
        p->percent = percent;
    }
    e->job->spec.progress(e->job->spec.callback_ctx, p);
}

enum status merge_tick(struct merge_env *e, uint64_t rows, uint64_t bytes)
{
    e->rows += rows;
    e->bytes += bytes;
    if (is_cancelled(e)) {
        e->res->cancelled = true;
        return merge_fail(e, ST_CONFLICT, STR_NONE, 0, "the merge was cancelled");
    }
    if (atomic_load_explicit(&e->shared->failed_order, memory_order_relaxed) < e->order) {
        return ST_CONFLICT;
    }
    if (e->bytes >= SHARE_BYTES) {
        pthread_mutex_lock(&e->shared->lock);
        share_progress(e);
        pthread_mutex_unlock(&e->shared->lock);
    }
    return ST_OK;
}

struct str merge_input_name(const struct merge_input *in)
{
    return str_set(in->name) ? in->name : str_z(in->path);
}

struct str merge_part_name(const struct merge_part *part)
{
    return str_set(part->name) ? part->name : str_z(part->path);
}

struct str merge_file_name(const struct merge_env *e, size_t file)
{
    const struct merge_job *job = e->job;
    if (file < job->n_parts) {
        return merge_part_name(&job->parts[file]);
    }
    file -= job->n_parts;
    if (file < job->n_loads) {
        return merge_input_name(&job->loads[file]);
    }
    file -= job->n_loads;
    return file < job->n_changes ? merge_input_name(&job->changes[file]) : STR_NONE;
}
