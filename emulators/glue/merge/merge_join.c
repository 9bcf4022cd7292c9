/* A part is rewritten only from the first row that really changes: until then its rows are merely
 * passed (`pending`), so a change that is there already, or a delete of nothing, costs no write.
 * Once the delta has no more keys for a part, the rest of it is copied without looking. */
#include "emulators/glue/merge/merge_join.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "emulators/glue/merge/merge_rows.h"
#include "server/base/mem.h"

#define COPY_BYTES (256u << 10)

void merge_join_init(struct merge_join *j, struct merge_env *env, struct merge_delta *delta,
                     struct merge_writer *out)
{
    *j = (struct merge_join){ .env = env, .delta = delta, .out = out };
}

void merge_join_fini(struct merge_join *j)
{
    merge_key_fini(&j->prev);
    merge_key_fini(&j->span_first);
    merge_key_fini(&j->pend_first);
}

enum status merge_join_disorder(struct merge_join *j)
{
    j->env->out_of_order = true;
    return ST_CONFLICT;
}

/* --- writing ------------------------------------------------------------------------------- */

static void count_copied(struct merge_join *j, uint64_t bytes)
{
    if (j->from_parts) {
        j->env->res->counters.bytes_copied += bytes;
    }
}

enum status merge_join_flush(struct merge_join *j)
{
    if (j->span_rows == 0) {
        return ST_OK;
    }
    enum status st = merge_writer_span(j->out, &j->span_first, &j->prev, j->span_rows,
                                       (struct str){ j->span_p, j->span_n });
    count_copied(j, j->span_n);
    j->span_rows = 0;
    j->span_n = 0;
    return st;
}

uint64_t merge_join_room(const struct merge_join *j)
{
    uint64_t bytes = (j->out->open ? j->out->bytes : 0) + j->span_n;
    uint64_t target = j->env->part_bytes;
    if (j->pending) {
        return UINT64_MAX;
    }
    if (bytes < target) {
        return target - bytes;
    }
    return j->left < target / 2 && bytes < 2 * target ? 2 * target - bytes : 0;
}

enum status merge_join_cut(struct merge_join *j)
{
    uint64_t bytes = (j->out->open ? j->out->bytes : 0) + j->span_n;
    uint64_t target = j->env->part_bytes;
    if (j->pending || bytes < target || (j->left < target / 2 && bytes < 2 * target)) {
        return ST_OK;
    }
    enum status st = merge_join_flush(j);
    return st == ST_OK ? merge_writer_close(j->out) : st;
}

enum status merge_join_copy(struct merge_join *j, uint64_t from, uint64_t to, char *ret_last)
{
    const struct merge_part *part = j->part->part;
    CLEANUP(free_ptr) char *p = xmalloc(COPY_BYTES);
    CLEANUP(close_fd) int fd = open(part->path, O_RDONLY | O_CLOEXEC);
    while (from < to) {
        size_t want = to - from < COPY_BYTES ? (size_t)(to - from) : COPY_BYTES;
        ssize_t got = fd < 0 ? -1 : pread(fd, p, want, (off_t)from);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            const char *why = got < 0 ? strerrordesc_np(errno) : "it became shorter";
            return merge_fail(j->env, ST_IO, merge_part_name(part), 0, "cannot be read: %s",
                              why ? why : "unknown error");
        }
        enum status st = merge_writer_bytes(j->out, (struct str){ p, (size_t)got });
        if (st == ST_OK) {
            st = merge_tick(j->env, 0, (uint64_t)got);
        }
        if (st != ST_OK) {
            return st;
        }
        *ret_last = p[got - 1];
        from += (uint64_t)got;
        count_copied(j, (uint64_t)got);
    }
    return ST_OK;
}

/* Writes the first pend_rows rows of the part again, each with LF and nothing between. */
static enum status copy_rows(struct merge_join *j)
{
    struct merge_part_rows r = { 0 };
    enum status st = merge_part_rows_open(&r, j->env, j->part->part);
    for (uint64_t i = 0; i < j->pend_rows && st == ST_OK; i++) {
        st = merge_part_rows_next(&r);
        if (st == ST_OK) {
            st = merge_writer_bytes(j->out, r.row);
        }
        if (st == ST_OK) {
            st = merge_writer_bytes(j->out, STR("\n"));
        }
        count_copied(j, r.row.n + 1);
    }
    merge_part_rows_close(&r);
    return st == ST_NOT_FOUND ? merge_join_disorder(j) : st;
}

/* The part is going to change: from here on its rows are written, those passed so far first. */
static enum status touch(struct merge_join *j)
{
    if (!j->pending) {
        return ST_OK;
    }
    j->pending = false;
    enum status st = ST_OK;
    if (j->out->open && j->out->bytes >= j->env->part_bytes / 2) {
        st = merge_writer_close(j->out);
    }
    if (st == ST_OK && j->pend_rows > 0) {
        char last = '\n';
        st = j->pend_dirty ? copy_rows(j) : merge_join_copy(j, j->pend_from, j->pend_end, &last);
        merge_writer_note(j->out, &j->pend_first, &j->prev, j->pend_rows);
    }
    return st;
}

/* --- one row of the data set, one key of the delta ----------------------------------------- */

enum status merge_join_keep(struct merge_join *j, const struct join_row *b)
{
    if (j->pending) {
        if (j->pend_rows == 0) {
            j->pend_from = j->pend_end = b->offset;
            merge_key_copy(&j->pend_first, b->key);
        }
        j->pend_dirty = j->pend_dirty || !b->verbatim || b->offset != j->pend_end;
        j->pend_end = b->offset + b->raw_n;
        j->pend_rows++;
        return ST_OK;
    }
    bool joins = b->verbatim && j->span_rows > 0 && j->span_p + j->span_n == b->row.p;
    enum status st = joins ? ST_OK : merge_join_flush(j);
    if (st != ST_OK) {
        return st;
    }
    if (!b->verbatim) {
        count_copied(j, b->row.n + 1);
        return merge_writer_row(j->out, b->key, b->row);
    }
    if (!joins) {
        j->span_p = b->row.p;
        merge_key_copy(&j->span_first, b->key);
    }
    j->span_n += b->row.n + 1;
    j->span_rows++;
    return ST_OK;
}

static enum status put_row(struct merge_join *j, struct str row)
{
    enum status st = touch(j);
    if (st == ST_OK) {
        st = merge_join_flush(j);
    }
    return st == ST_OK ? merge_writer_row(j->out, &j->delta->key, row) : st;
}

enum status merge_join_new(struct merge_join *j)
{
    struct merge_delta *d = j->delta;
    struct str old = d->in_base ? d->base.row : STR_NONE;
    struct str row;
    enum delta_effect effect;
    enum status st = merge_delta_effect(d, old, &effect, &row);
    if (st == ST_OK && effect == EFFECT_PUT) {
        st = put_row(j, row);
    } else if (st == ST_OK && effect == EFFECT_KEEP) {
        st = put_row(j, old);
    }
    if (st == ST_OK) {
        st = merge_join_cut(j);
    }
    return st == ST_OK ? merge_delta_next(d) : st;
}

/* The delta's current key, which row b has. */
static enum status apply_old(struct merge_join *j, const struct join_row *b)
{
    struct str row;
    enum delta_effect effect;
    enum status st = merge_delta_effect(j->delta, b->row, &effect, &row);
    if (st != ST_OK) {
        return st;
    }
    if (effect == EFFECT_PUT) {
        st = put_row(j, row);
    } else if (effect == EFFECT_DROP) {
        st = touch(j);
        st = st == ST_OK ? merge_join_flush(j) : st;
    } else {
        st = merge_join_keep(j, b);
    }
    return st == ST_OK ? merge_delta_next(j->delta) : st;
}

enum status merge_join_step(struct merge_join *j, const struct join_row *b)
{
    if (j->has_prev && merge_key_cmp(&j->prev, b->key) >= 0) {
        return merge_join_disorder(j);
    }
    struct merge_delta *d = j->delta;
    int c = 1;
    while (d->have && (c = merge_key_cmp(&d->key, b->key)) < 0) {
        enum status st = merge_join_new(j);
        if (st != ST_OK) {
            return st;
        }
    }
    enum status st = d->have && c == 0 ? apply_old(j, b) : merge_join_keep(j, b);
    if (st != ST_OK) {
        return st;
    }
    merge_key_swap(&j->prev, b->key);
    j->has_prev = true;
    return merge_join_cut(j);
}

/* --- loads and the rest -------------------------------------------------------------------- */

static enum status join_load(struct merge_join *j, const struct merge_file *file)
{
    struct merge_rows r = { 0 };
    enum status st = merge_rows_open(&r, j->env, file);
    while (st == ST_OK) {
        st = csv_reader_holds(&r.reader) ? ST_OK : merge_join_flush(j);
        if (st == ST_OK) {
            st = merge_rows_next(&r);
        }
        if (st != ST_OK) {
            break;
        }
        j->env->res->counters.load_rows++;
        j->env->res->counters.inserted++;
        j->left -= r.raw.raw_n < j->left ? r.raw.raw_n : j->left;
        bool whole = r.row.p == r.raw.rec.p && r.row.n == r.raw.rec.n;
        st = merge_join_step(j, &(struct join_row){ .key = &r.key,
                                                    .row = r.row,
                                                    .offset = r.raw.offset,
                                                    .raw_n = r.raw.raw_n,
                                                    .verbatim = whole && r.raw.unix_end });
    }
    merge_rows_close(&r);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status merge_join_loads(struct merge_join *j, const struct merge_file *files, size_t n)
{
    uint64_t after = 0; /* bytes of the files behind the current one */
    for (size_t i = 0; i < n; i++) {
        after += files[i].bytes;
    }
    for (size_t i = 0; i < n; i++) {
        j->left = after;
        after -= files[i].bytes;
        enum status st = files[i].empty ? ST_OK : join_load(j, &files[i]);
        if (st == ST_OK) {
            st = merge_join_flush(j);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

enum status merge_join_rest(struct merge_join *j)
{
    bool fresh = j->env->fresh;
    while (j->delta->have) {
        j->left = merge_stream_left(&j->delta->stream);
        j->env->res->counters.inserted += fresh && j->delta->in_base;
        enum status st = merge_join_new(j);
        if (st == ST_OK) {
            st = merge_tick(j->env, 0, 0);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return merge_writer_close(j->out);
}
