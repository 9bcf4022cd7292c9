#include "emulators/glue/merge/merge_writer.h"

#include <errno.h>
#include <unistd.h>

#include "server/base/mem.h"

#define BUFFER_BYTES (256u << 10)

void merge_writer_init(struct merge_writer *w, struct merge_env *env, struct merge_list *list)
{
    *w = (struct merge_writer){ .env = env, .list = list, .fd = -1, .buf = xmalloc(BUFFER_BYTES) };
}

void merge_writer_fini(struct merge_writer *w)
{
    if (w->open) {
        w->env->job->sink.discard_part(w->env->job->sink.ctx, w->handle);
    }
    free(w->buf);
    merge_key_fini(&w->first);
    merge_key_fini(&w->last);
    *w = (struct merge_writer){ .fd = -1 };
}

static enum status sink_failed(struct merge_writer *w, enum status st, const char *what)
{
    return merge_fail(w->env, st, STR_NONE, 0, "a new part could not be %s (%s)", what,
                      status_name(st));
}

static enum status write_out(struct merge_writer *w, struct str s)
{
    const struct merge_sink *sink = &w->env->job->sink;
    const char *p = s.p;
    size_t n = s.n;
    while (n > 0) {
        ssize_t put = write(w->fd, p, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            const char *why = strerrordesc_np(errno);
            return merge_fail(w->env, ST_IO, STR_NONE, 0, "a new part could not be written: %s",
                              why ? why : "unknown error");
        }
        p += put;
        n -= (size_t)put;
    }
    if (sink->observe && s.n > 0) {
        sink->observe(sink->ctx, w->handle, s.p, s.n);
    }
    return ST_OK;
}

static enum status flush(struct merge_writer *w)
{
    enum status st = write_out(w, (struct str){ w->buf, w->n });
    w->n = 0;
    return st;
}

enum status merge_writer_open(struct merge_writer *w)
{
    if (w->open) {
        return ST_OK;
    }
    const struct merge_sink *sink = &w->env->job->sink;
    enum status st = sink->open_part(sink->ctx, &w->fd, &w->handle);
    if (st != ST_OK) {
        return sink_failed(w, st, "opened");
    }
    w->open = true;
    w->n = 0;
    w->bytes = w->rows = 0;
    return merge_writer_bytes(w, w->env->set.header);
}

enum status merge_writer_bytes(struct merge_writer *w, struct str bytes)
{
    enum status st = merge_writer_open(w);
    if (st == ST_OK && bytes.n > BUFFER_BYTES - w->n) {
        st = flush(w);
    }
    if (st != ST_OK) {
        return st;
    }
    w->bytes += bytes.n;
    if (bytes.n > BUFFER_BYTES / 2) {
        st = flush(w);
        return st == ST_OK ? write_out(w, bytes) : st;
    }
    if (bytes.n > 0) {
        memcpy(w->buf + w->n, bytes.p, bytes.n);
        w->n += bytes.n;
    }
    return ST_OK;
}

void merge_writer_note(struct merge_writer *w, const struct merge_key *first,
                       const struct merge_key *last, uint64_t rows)
{
    if (rows == 0) {
        return;
    }
    if (w->rows == 0) {
        merge_key_copy(&w->first, first);
    }
    merge_key_copy(&w->last, last);
    w->rows += rows;
}

enum status merge_writer_span(struct merge_writer *w, const struct merge_key *first,
                              const struct merge_key *last, uint64_t rows, struct str bytes)
{
    enum status st = merge_writer_bytes(w, bytes);
    if (st == ST_OK) {
        merge_writer_note(w, first, last, rows);
    }
    return st;
}

enum status merge_writer_row(struct merge_writer *w, const struct merge_key *key, struct str row)
{
    enum status st = merge_writer_bytes(w, row);
    if (st == ST_OK) {
        st = merge_writer_bytes(w, STR("\n"));
    }
    if (st == ST_OK) {
        merge_writer_note(w, key, key, 1);
    }
    return st;
}

static struct str key_text(struct merge_writer *w, const struct merge_key *key)
{
    struct buf b = BUF_INIT(8 * (size_t)MERGE_MAX_KEY_BYTES);
    merge_key_text(key, w->env->delim, &b);
    struct str s = buf_str(&b);
    s.p = xstrndup(s.p, s.n);
    buf_fini(&b);
    return s;
}

static void remember(struct merge_writer *w, struct merge_part_info info)
{
    struct merge_list *l = w->list;
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->written = xrealloc(l->written, l->cap * sizeof *l->written);
    }
    l->written[l->n++] = (struct merge_written){ w->handle, info };
}

enum status merge_writer_close(struct merge_writer *w)
{
    if (!w->open) {
        return ST_OK;
    }
    enum status st = flush(w);
    if (st != ST_OK) {
        return st;
    }
    struct merge_part_info info = { .rows = w->rows, .bytes = w->bytes };
    if (w->rows > 0) {
        info.first_key = key_text(w, &w->first);
        info.last_key = key_text(w, &w->last);
    }
    w->open = false;
    remember(w, info);
    w->env->res->counters.bytes_rewritten += w->bytes;
    const struct merge_sink *sink = &w->env->job->sink;
    st = sink->finish_part(sink->ctx, w->handle, &info);
    return st == ST_OK ? ST_OK : sink_failed(w, st, "finished");
}
