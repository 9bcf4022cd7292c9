#include "emulators/glue/merge/csv_reader.h"

#include "server/base/mem.h"

#define WINDOW_BYTES (256u << 10)

static enum status source_failed(struct csv_reader *r, enum status st)
{
    return merge_fail(r->env, st, r->name, 0, "cannot be read: %s", r->src.reason);
}

/* Moves what is left to the front and reads until the window is full or the file ends. */
static enum status fill(struct csv_reader *r)
{
    if (r->begin > 0 && r->end > r->begin) {
        memmove(r->win, r->win + r->begin, r->end - r->begin);
    }
    r->end -= r->begin;
    r->begin = 0;
    while (r->end < r->cap && !r->eof) {
        size_t got = 0;
        enum status st = byte_source_read(&r->src, r->win + r->end, r->cap - r->end, &got);
        if (st != ST_OK) {
            return source_failed(r, st);
        }
        r->eof = got == 0;
        r->end += got;
        st = merge_tick(r->env, 0, got);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

static enum status grow(struct csv_reader *r)
{
    if (r->cap > MERGE_MAX_RECORD_BYTES) {
        return merge_fail(r->env, ST_NOMEM, r->name, r->line,
                          "a record is longer than %u MiB (is a quote left open?)",
                          MERGE_MAX_RECORD_BYTES >> 20);
    }
    r->cap *= 2;
    r->win = xrealloc(r->win, r->cap);
    return ST_OK;
}

enum status csv_reader_open(struct csv_reader *r, struct merge_env *env, const char *path,
                            struct str name, bool must_gzip)
{
    *r = (struct csv_reader){ .env = env, .name = name, .line = 1, .src.fd = -1 };
    enum status st = byte_source_open(&r->src, path, must_gzip);
    if (st != ST_OK) {
        return merge_fail(env, st, name, 0, "cannot be opened: %s", r->src.reason);
    }
    r->cap = WINDOW_BYTES;
    r->win = xmalloc(r->cap);
    r->ix = xmalloc(sizeof *r->ix);
    r->ix->n = 0;
    st = fill(r);
    if (st == ST_OK && r->end >= 3 && memcmp(r->win, "\xef\xbb\xbf", 3) == 0) {
        r->begin = 3;
        r->offset = 3;
    }
    return st;
}

/* Marks further records; ST_NOT_FOUND when only an unfinished one (or nothing) is left. */
static enum status index_more(struct csv_reader *r)
{
    for (;;) {
        r->at = 0;
        r->base = r->begin;
        csv_index(r->ix, r->win + r->begin, r->end - r->begin);
        if (r->ix->n > 0) {
            return ST_OK;
        }
        if (r->eof) {
            return ST_NOT_FOUND;
        }
        enum status st = r->begin == 0 && r->end == r->cap ? grow(r) : ST_OK;
        if (st == ST_OK) {
            st = fill(r);
        }
        if (st != ST_OK) {
            return st;
        }
    }
}

/* Says what is wrong with a last record that ends inside quotes: often a stray quote. */
static enum status open_record(struct csv_reader *r)
{
    struct csv_fields f = { .max = MERGE_MAX_FIELDS };
    f.field = xmalloc(MERGE_MAX_FIELDS * sizeof *f.field);
    struct str rec = { r->win + r->begin, r->end - r->begin };
    csv_reason why = csv_split(rec, r->env->delim, true, 0, &f);
    free(f.field);
    if (!why) {
        why = "a quoted field is not closed";
    }
    return merge_fail(r->env, ST_INVALID, r->name, r->line, "%s", why);
}

/* What follows the last newline of the file. */
static enum status final_record(struct csv_reader *r, struct csv_row *ret)
{
    size_t n = r->end - r->begin;
    if (r->last || n == 0) {
        return ST_NOT_FOUND;
    }
    if (r->ix->tail_open) {
        return open_record(r);
    }
    r->last = true;
    *ret = (struct csv_row){
        .rec = { r->win + r->begin, n },
        .raw_n = n,
        .line = r->line,
        .offset = r->offset,
        .quoted = r->ix->tail_quoted,
        .unix_end = false,
    };
    return merge_tick(r->env, 1, 0);
}

bool csv_reader_holds(const struct csv_reader *r)
{
    return r->at < r->ix->n;
}

/* The next marked record, blank or not. */
static struct csv_row marked_record(struct csv_reader *r)
{
    const struct csv_mark *m = &r->ix->mark[r->at++];
    const char *p = r->win + r->begin;
    size_t n = r->base + m->end - r->begin;
    struct csv_row row = {
        .rec = csv_chomp(p, n),
        .raw_n = n,
        .line = r->line,
        .offset = r->offset,
        .quoted = m->quoted,
    };
    row.unix_end = row.rec.n + 1 == n;
    r->begin += n;
    r->offset += n;
    r->line += m->lines;
    return row;
}

/* Passes over blank lines that are marked, so that csv_reader_holds() tells the truth. */
static void skip_blank(struct csv_reader *r)
{
    while (r->at < r->ix->n) {
        const char *p = r->win + r->begin;
        size_t n = r->base + r->ix->mark[r->at].end - r->begin;
        if (n > 2 || csv_chomp(p, n).n > 0) {
            return;
        }
        marked_record(r);
    }
}

enum status csv_reader_next(struct csv_reader *r, struct csv_row *ret)
{
    while (r->at == r->ix->n) {
        enum status st = index_more(r);
        if (st == ST_OK) {
            st = merge_tick(r->env, r->ix->n, 0);
        }
        if (st != ST_OK) {
            return st == ST_NOT_FOUND ? final_record(r, ret) : st;
        }
        skip_blank(r);
    }
    *ret = marked_record(r);
    skip_blank(r);
    return ST_OK;
}

void csv_reader_pass(struct csv_reader *r, size_t n)
{
    uint32_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        lines += r->ix->mark[r->at + i].lines;
    }
    r->at += n;
    size_t end = r->base + r->ix->mark[r->at - 1].end;
    r->offset += end - r->begin;
    r->begin = end;
    r->line += lines;
    skip_blank(r);
}

void csv_reader_init(struct csv_reader *r, struct merge_env *env)
{
    *r = (struct csv_reader){ .env = env, .line = 1, .src.fd = -1, .cap = WINDOW_BYTES };
    r->win = xmalloc(r->cap);
    r->ix = xmalloc(sizeof *r->ix);
    r->ix->n = 0;
    r->eof = true;
}

enum status csv_reader_hand_over(struct csv_reader *from, struct csv_reader *to)
{
    enum status st = from->at == from->ix->n ? index_more(from) : ST_OK;
    bool tail = st == ST_NOT_FOUND && !from->last && from->end > from->begin;
    if (st != ST_OK && !tail) {
        return st;
    }
    size_t split = tail ? from->end : from->base + from->ix->mark[from->ix->n - 1].end;
    size_t left = from->end - split;
    struct csv_reader had = *to;
    *to = *from;
    to->env = had.env;
    to->src = had.src;
    to->end = split;
    to->eof = true;
    from->last = from->last || tail;
    from->win = had.win;
    from->cap = had.cap;
    from->ix = had.ix;
    if (from->cap < to->cap) {
        from->cap = to->cap;
        from->win = xrealloc(from->win, from->cap);
    }
    memcpy(from->win, to->win + split, left);
    for (size_t i = to->at; i < to->ix->n; i++) {
        from->line += to->ix->mark[i].lines;
    }
    from->offset += split - from->begin;
    from->begin = 0;
    from->end = left;
    from->at = from->ix->n = 0;
    skip_blank(to);
    return merge_tick(from->env, to->ix->n - to->at, 0);
}

void csv_reader_close(struct csv_reader *r)
{
    if (!r->env) {
        return;
    }
    byte_source_close(&r->src);
    free(TAKE(r->win));
    free(TAKE(r->ix));
    r->env = NULL;
}
