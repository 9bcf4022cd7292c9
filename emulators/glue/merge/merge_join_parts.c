/* The parts of a join. Rows between two changes are passed many at a time, by the prefixes of their
 * keys alone; once the delta has no more keys for a part, the rest of it is copied without looking.
 */
#include "emulators/glue/merge/merge_join.h"
#include "emulators/glue/merge/merge_rows.h"

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
    enum status st = merge_join_flush(j);
    if (st != ST_OK || j->out->rows == 0 || !j->out->open || from > s->bytes ||
        j->out->bytes + (s->bytes - from) > 2 * j->env->part_bytes) {
        return st;
    }
    if (seen > s->rows || (seen == s->rows) != (from == s->bytes)) {
        return merge_join_disorder(j);
    }
    char last = '\n';
    st = merge_join_copy(j, from, s->bytes, &last);
    if (st == ST_OK && last != '\n') {
        return merge_join_disorder(j);
    }
    merge_writer_note(j->out, &s->last, &s->last, s->rows - seen);
    merge_key_copy(&j->prev, &s->last);
    *ret_done = true;
    return st;
}

/* Takes rows that nothing changes many at a time; *ret_n: how many, often none. */
static enum status pass_run(struct merge_join *j, const struct merge_part_state *s,
                            struct merge_part_rows *r, uint64_t *ret_n)
{
    const struct merge_delta *d = j->delta;
    *ret_n = 0;
    if (!r->quick || !csv_reader_holds(&r->reader)) {
        return ST_OK;
    }
    struct merge_run run = merge_part_rows_run(
        r, j->prev.prefix, d->have ? d->key.prefix : UINT64_MAX, merge_join_room(j));
    if (run.rows == 0) {
        return ST_OK;
    }
    struct merge_key *first = j->pending ? &j->pend_first : &j->span_first;
    bool joins =
        j->pending ? j->pend_rows > 0 : j->span_rows > 0 && j->span_p + j->span_n == run.bytes.p;
    enum status st = joins || j->pending ? ST_OK : merge_join_flush(j);
    if (st == ST_OK && !joins) {
        st = merge_part_rows_key(r, &run, false, first);
    }
    if (st == ST_OK) {
        st = merge_part_rows_key(r, &run, true, &j->prev);
    }
    if (st != ST_OK) {
        return st;
    }
    uint64_t end = r->reader.offset + run.bytes.n;
    if (j->pending) {
        j->pend_from = joins ? j->pend_from : r->reader.offset;
        j->pend_dirty = j->pend_dirty || (joins && j->pend_end != r->reader.offset);
        j->pend_end = end;
        j->pend_rows += run.rows;
    } else {
        j->span_p = joins ? j->span_p : run.bytes.p;
        j->span_n += run.bytes.n;
        j->span_rows += run.rows;
    }
    csv_reader_pass(&r->reader, run.rows);
    j->left = s->bytes > end ? s->bytes - end : 0;
    *ret_n = run.rows;
    return merge_join_cut(j);
}

/* The next row by itself. */
static enum status walk_row(struct merge_join *j, const struct merge_part_state *s,
                            struct merge_part_rows *r, uint64_t seen)
{
    enum status st = merge_part_rows_next(r);
    if (st != ST_OK) {
        return st;
    }
    if (seen == 0 && merge_key_cmp(&r->key, &s->first) != 0) {
        return merge_join_disorder(j);
    }
    uint64_t end = r->raw.offset + r->raw.raw_n;
    j->left = s->bytes > end ? s->bytes - end : 0;
    return merge_join_step(j, &(struct join_row){ .key = &r->key,
                                                  .row = r->row,
                                                  .offset = r->raw.offset,
                                                  .raw_n = r->raw.raw_n,
                                                  .verbatim = r->raw.unix_end && !r->widen });
}

/* Walks the rows of one part; *ret_all when it was read to its end. */
static enum status walk_part(struct merge_join *j, const struct merge_part_state *s,
                             struct merge_part_rows *r, const struct merge_key *upper,
                             bool *ret_all)
{
    *ret_all = false;
    uint64_t seen = 0;
    for (;;) {
        enum status st = csv_reader_holds(&r->reader) ? ST_OK : merge_join_flush(j);
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
        uint64_t passed = 0;
        st = seen > 0 ? pass_run(j, s, r, &passed) : ST_OK;
        seen += passed;
        if (st == ST_OK && passed == 0) {
            st = walk_row(j, s, r, seen);
            seen += st == ST_OK;
        }
        if (st == ST_NOT_FOUND) {
            *ret_all = true;
            bool same = seen == s->rows && merge_key_cmp(&j->prev, &s->last) == 0;
            return same ? ST_OK : merge_join_disorder(j);
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
        st = merge_join_flush(j);
    }
    while (st == ST_OK && !part_done(j, s, upper)) {
        j->left = upper ? 0 : merge_stream_left(&j->delta->stream);
        st = merge_join_new(j);
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

enum status merge_join_parts(struct merge_join *j, const struct merge_part_state *part, size_t n,
                             const struct merge_key *upper)
{
    const struct merge_set *set = &j->env->set;
    for (size_t i = 0; part && i < n; i++) {
        const struct merge_part_state *s = &part[i];
        const struct merge_key *next = i + 1 < n ? &part[i + 1].first : upper;
        enum status st;
        j->pending = true;
        if (set->n == set->n_before && part_done(j, s, next)) {
            j->pending = false;
            j->env->res->kept[s->index] = true;
            st = merge_writer_close(j->out);
        } else {
            st = join_part(j, s, next);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}
