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

/* A row of the data set as it comes. */
struct base_row {
    struct merge_key *key; /* may be swapped away */
    struct str row;
    uint64_t offset; /* in its file */
    size_t raw_n;
    bool verbatim; /* row and "\n" stand together at row.p */
};

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

static enum status out_of_order(struct merge_join *j)
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

static enum status flush_span(struct merge_join *j)
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

/* Ends the open part when it is big enough and what follows deserves its own. */
static enum status cut(struct merge_join *j)
{
    uint64_t bytes = (j->out->open ? j->out->bytes : 0) + j->span_n;
    uint64_t target = j->env->part_bytes;
    if (j->pending || bytes < target || (j->left < target / 2 && bytes < 2 * target)) {
        return ST_OK;
    }
    enum status st = flush_span(j);
    return st == ST_OK ? merge_writer_close(j->out) : st;
}

/* Copies the bytes [from, to) of the current part's file. */
static enum status copy_bytes(struct merge_join *j, uint64_t from, uint64_t to, char *ret_last)
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
    return st == ST_NOT_FOUND ? out_of_order(j) : st;
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
        st = j->pend_dirty ? copy_rows(j) : copy_bytes(j, j->pend_from, j->pend_end, &last);
        merge_writer_note(j->out, &j->pend_first, &j->prev, j->pend_rows);
    }
    return st;
}

/* --- one row of the data set, one key of the delta ----------------------------------------- */

static enum status keep_row(struct merge_join *j, const struct base_row *b)
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
    enum status st = joins ? ST_OK : flush_span(j);
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
        st = flush_span(j);
    }
    return st == ST_OK ? merge_writer_row(j->out, &j->delta->key, row) : st;
}

/* The delta's current key, which no row of the data set has (unless the sorter held it). */
static enum status apply_new(struct merge_join *j)
{
    struct merge_delta *d = j->delta;
    struct str old = d->in_base ? buf_str(&d->base_row) : STR_NONE;
    enum status st = ST_OK;
    switch (merge_delta_effect(d, old)) {
    case EFFECT_PUT:
        st = put_row(j, buf_str(&d->row));
        break;
    case EFFECT_KEEP:
        st = put_row(j, old);
        break;
    case EFFECT_NONE:
    case EFFECT_DROP:
        break;
    }
    if (st == ST_OK) {
        st = cut(j);
    }
    return st == ST_OK ? merge_delta_next(d) : st;
}

/* The delta's current key, which row b has. */
static enum status apply_old(struct merge_join *j, const struct base_row *b)
{
    enum status st = ST_OK;
    switch (merge_delta_effect(j->delta, b->row)) {
    case EFFECT_PUT:
        st = put_row(j, buf_str(&j->delta->row));
        break;
    case EFFECT_DROP:
        st = touch(j);
        if (st == ST_OK) {
            st = flush_span(j);
        }
        break;
    case EFFECT_NONE:
    case EFFECT_KEEP:
        st = keep_row(j, b);
        break;
    }
    return st == ST_OK ? merge_delta_next(j->delta) : st;
}

static enum status step(struct merge_join *j, const struct base_row *b)
{
    if (j->has_prev && merge_key_cmp(&j->prev, b->key) >= 0) {
        return out_of_order(j);
    }
    struct merge_delta *d = j->delta;
    int c = 1;
    while (d->have && (c = merge_key_cmp(&d->key, b->key)) < 0) {
        enum status st = apply_new(j);
        if (st != ST_OK) {
            return st;
        }
    }
    enum status st = d->have && c == 0 ? apply_old(j, b) : keep_row(j, b);
    if (st != ST_OK) {
        return st;
    }
    merge_key_swap(&j->prev, b->key);
    j->has_prev = true;
    return cut(j);
}

/* --- parts --------------------------------------------------------------------------------- */

/* Has the delta nothing (more) for this part, whose successor begins at `upper` (NULL: none)? */
static bool part_done(const struct merge_join *j, const struct merge_part_state *s,
                      const struct merge_key *upper)
{
    const struct merge_delta *d = j->delta;
    if (!d->have || (upper && merge_key_cmp(&d->key, upper) >= 0)) {
        return true;
    }
    /* New keys behind a last part that is big enough get a part of their own. */
    return !upper && j->pending && s->bytes >= j->env->part_bytes &&
           merge_key_cmp(&d->key, &s->last) > 0;
}

/* Copies the rest of a part unparsed if that makes no part too big; *ret_done tells. */
static enum status copy_rest(struct merge_join *j, const struct merge_part_rows *r, uint64_t seen,
                             bool *ret_done)
{
    const struct merge_part_state *s = j->part;
    uint64_t from = r->reader.offset;
    *ret_done = false;
    if (!s->clean || r->widen) {
        return ST_OK;
    }
    enum status st = flush_span(j);
    if (st != ST_OK || j->out->rows == 0 || !j->out->open || from > s->bytes ||
        j->out->bytes + (s->bytes - from) > 2 * j->env->part_bytes) {
        return st;
    }
    if (seen > s->rows || (seen == s->rows) != (from == s->bytes)) {
        return out_of_order(j);
    }
    char last = '\n';
    st = copy_bytes(j, from, s->bytes, &last);
    if (st == ST_OK && last != '\n') {
        return out_of_order(j);
    }
    merge_writer_note(j->out, &s->last, &s->last, s->rows - seen);
    merge_key_copy(&j->prev, &s->last);
    *ret_done = true;
    return st;
}

/* Walks the rows of one part; *ret_all when it was read to its end. */
static enum status walk_part(struct merge_join *j, const struct merge_part_state *s,
                             struct merge_part_rows *r, const struct merge_key *upper,
                             bool *ret_all)
{
    *ret_all = false;
    for (uint64_t seen = 0;; seen++) {
        enum status st = csv_reader_holds(&r->reader) ? ST_OK : flush_span(j);
        bool done = false;
        if (st == ST_OK && part_done(j, s, upper)) {
            done = j->pending;
            if (!done) {
                st = copy_rest(j, r, seen, &done);
            }
        }
        if (st != ST_OK || done) {
            return st;
        }
        st = merge_part_rows_next(r);
        if (st == ST_NOT_FOUND) {
            *ret_all = true;
            return seen == s->rows ? ST_OK : out_of_order(j);
        }
        if (st == ST_OK && seen == 0 && merge_key_cmp(&r->key, &s->first) != 0) {
            return out_of_order(j);
        }
        uint64_t end = r->raw.offset + r->raw.raw_n;
        j->left = s->bytes > end ? s->bytes - end : 0;
        if (st == ST_OK) {
            st = step(j, &(struct base_row){ .key = &r->key,
                                             .row = r->row,
                                             .offset = r->raw.offset,
                                             .raw_n = r->raw.raw_n,
                                             .verbatim = r->raw.unix_end && !r->widen });
        }
        if (st != ST_OK) {
            return st;
        }
    }
}

static enum status join_part(struct merge_join *j, const struct merge_part_state *s,
                             const struct merge_key *upper)
{
    const struct merge_set *set = &j->env->set;
    struct merge_part_rows r = { 0 };
    j->part = s;
    j->from_parts = true;
    j->pending = set->n == set->n_before && s->bytes <= 2 * j->env->part_bytes;
    j->pend_dirty = false;
    j->pend_rows = 0;
    bool all = false;
    enum status st = merge_part_rows_open(&r, j->env, s->part);
    if (st == ST_OK) {
        st = walk_part(j, s, &r, upper, &all);
    }
    if (st == ST_OK) {
        st = flush_span(j);
    }
    while (st == ST_OK && !part_done(j, s, upper)) {
        j->left = upper ? 0 : merge_sort_left(j->delta->sort);
        st = apply_new(j);
    }
    merge_part_rows_close(&r);
    if (st == ST_OK && j->pending) {
        j->env->res->kept[s->index] = true;
        st = merge_writer_close(j->out); /* no later row may go before this part's */
    }
    j->pending = false;
    j->part = NULL;
    j->from_parts = false;
    return st;
}

enum status merge_join_parts(struct merge_join *j, const struct merge_parts *parts)
{
    const struct merge_set *set = &j->env->set;
    for (size_t i = 0; parts->state && i < parts->n; i++) {
        const struct merge_part_state *s = &parts->state[i];
        const struct merge_key *upper = i + 1 < parts->n ? &parts->state[i + 1].first : NULL;
        enum status st;
        j->pending = true;
        if (set->n == set->n_before && part_done(j, s, upper)) {
            j->pending = false;
            j->env->res->kept[s->index] = true;
            st = merge_writer_close(j->out);
        } else {
            st = join_part(j, s, upper);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

/* --- loads and the rest -------------------------------------------------------------------- */

static enum status join_load(struct merge_join *j, const struct merge_file *file)
{
    struct merge_rows r = { 0 };
    enum status st = merge_rows_open(&r, j->env, file);
    while (st == ST_OK) {
        st = csv_reader_holds(&r.reader) ? ST_OK : flush_span(j);
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
        st = step(j, &(struct base_row){ .key = &r.key,
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
            st = flush_span(j);
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
        j->left = merge_sort_left(j->delta->sort);
        j->env->res->counters.inserted += fresh && j->delta->in_base;
        enum status st = apply_new(j);
        if (st == ST_OK) {
            st = merge_tick(j->env, 0, 0);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return merge_writer_close(j->out);
}
