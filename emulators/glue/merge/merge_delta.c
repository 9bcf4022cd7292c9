#include "emulators/glue/merge/merge_delta.h"

#include "emulators/glue/merge/merge_rows.h"

void merge_delta_init(struct merge_delta *d, struct merge_env *env)
{
    *d = (struct merge_delta){ .env = env, .sort = merge_sort_new(env) };
    buf_init(&d->base_row, 2 * (size_t)MERGE_MAX_RECORD_BYTES);
    buf_init(&d->row, 2 * (size_t)MERGE_MAX_RECORD_BYTES);
}

void merge_delta_fini(struct merge_delta *d)
{
    merge_sort_free(d->sort);
    merge_key_fini(&d->key);
    buf_fini(&d->base_row);
    buf_fini(&d->row);
    *d = (struct merge_delta){ 0 };
}

/* --- adding -------------------------------------------------------------------------------- */

static enum status add_row(struct merge_delta *d, const struct merge_rows *r, bool base)
{
    uint64_t seq = MERGE_SEQ(r->file->number, r->raw.line);
    enum merge_kind kind = r->kind;
    if (r->file->load) {
        d->env->res->counters.load_rows++;
        kind = base ? KIND_BASE : KIND_LOAD;
    } else {
        d->env->res->counters.change_rows++;
    }
    if (r->has_old_key) {
        enum status st = merge_sort_add(d->sort, &r->old_key, seq, KIND_DELETE, STR_NONE);
        if (st != ST_OK) {
            return st;
        }
        kind = KIND_PUT;
    }
    return merge_sort_add(d->sort, &r->key, seq, kind, r->row);
}

enum status merge_delta_add_file(struct merge_delta *d, const struct merge_file *file, bool base)
{
    if (file->empty) {
        return ST_OK;
    }
    struct merge_rows r = { 0 };
    enum status st = merge_rows_open(&r, d->env, file);
    while (st == ST_OK) {
        st = merge_rows_next(&r);
        if (st == ST_OK) {
            st = add_row(d, &r, base);
        }
    }
    merge_rows_close(&r);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status merge_delta_add_part(struct merge_delta *d, size_t part)
{
    struct merge_part_rows r = { 0 };
    enum status st = merge_part_rows_open(&r, d->env, &d->env->job->parts[part]);
    while (st == ST_OK) {
        st = merge_part_rows_next(&r);
        if (st == ST_OK) {
            st = merge_sort_add(d->sort, &r.key, MERGE_SEQ(part, r.raw.line), KIND_BASE, r.row);
        }
    }
    merge_part_rows_close(&r);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

/* --- reducing ------------------------------------------------------------------------------ */

/* Two rows of one key that cannot both be meant: allowed when they are equal, or by request. */
static enum status duplicate(struct merge_delta *d, struct str old, uint64_t old_seq,
                             const struct sort_item *item)
{
    struct merge_env *env = d->env;
    env->res->counters.duplicates++;
    if (env->job->spec.duplicates == MERGE_DUPLICATES_LAST || str_eq(old, item->row)) {
        return ST_OK;
    }
    struct buf key = BUF_INIT(200);
    merge_key_text(&d->key, env->delim, &key);
    struct str shown = buf_str(&key);
    struct str first = merge_file_name(env, MERGE_SEQ_FILE(old_seq));
    enum status st = merge_fail(
        env, ST_INVALID, merge_file_name(env, MERGE_SEQ_FILE(item->seq)), MERGE_SEQ_LINE(item->seq),
        "another row with the primary key %.*s than in %.*s, line %llu; name the columns that "
        "make a row unique as the primary key",
        STR_ARG(shown), STR_ARG(first), (unsigned long long)MERGE_SEQ_LINE(old_seq));
    buf_fini(&key);
    return st;
}

static void set_row(struct buf *b, struct str row)
{
    buf_clear(b);
    buf_str_add(b, row);
}

static enum status take_item(struct merge_delta *d, const struct sort_item *item)
{
    if (item->kind == KIND_BASE) {
        enum status st = ST_OK;
        if (d->in_base) {
            st = duplicate(d, buf_str(&d->base_row), d->base_seq, item);
        }
        d->in_base = true;
        d->base_seq = item->seq;
        set_row(&d->base_row, item->row);
        return st;
    }
    enum status st = ST_OK;
    if (item->kind == KIND_LOAD) {
        if (d->changed) {
            st = duplicate(d, buf_str(&d->row), d->load_seq, item);
        }
        d->load_seq = item->seq;
    }
    if (!d->changed) {
        d->changed = true;
        d->first = item->kind;
    }
    d->last = item->kind;
    if (item->kind != KIND_DELETE) {
        set_row(&d->row, item->row);
    }
    return st;
}

enum status merge_delta_next(struct merge_delta *d)
{
    const struct sort_item *item = merge_sort_peek(d->sort);
    d->have = item != NULL;
    d->in_base = d->changed = false;
    if (!item) {
        return ST_OK;
    }
    merge_key_set(&d->key, item->key, item->key_n);
    enum status st = ST_OK;
    while (st == ST_OK && item && item->prefix == d->key.prefix && item->key_n == d->key.n &&
           memcmp(item->key, d->key.p, item->key_n) == 0) {
        st = take_item(d, item);
        if (st == ST_OK) {
            st = merge_sort_take(d->sort);
        }
        item = merge_sort_peek(d->sort);
    }
    if (st == ST_OK && !(buf_ok(&d->row) && buf_ok(&d->base_row))) {
        st = merge_fail(d->env, ST_NOMEM, STR_NONE, 0, "a row is too long");
    }
    return st;
}

enum status merge_delta_start(struct merge_delta *d)
{
    enum status st = merge_sort_start(d->sort);
    if (st == ST_OK && merge_sort_runs(d->sort) > 0) {
        merge_log(d->env, MERGE_LOG_INFO, "sorted on disk in %zu runs", merge_sort_runs(d->sort));
    }
    return st == ST_OK ? merge_delta_next(d) : st;
}

enum delta_effect merge_delta_effect(struct merge_delta *d, struct str old)
{
    struct merge_counters *c = &d->env->res->counters;
    bool present = str_set(old);
    if (!d->changed) {
        return present ? EFFECT_KEEP : EFFECT_NONE;
    }
    if (d->last == KIND_DELETE) {
        c->deleted += present;
        c->deleted_missing += !present && d->first != KIND_INSERT;
        return present ? EFFECT_DROP : EFFECT_NONE;
    }
    if (!present) {
        c->upserted_missing += d->first == KIND_UPDATE;
        c->inserted += d->first != KIND_UPDATE;
        c->deleted_missing += d->first == KIND_DELETE;
        return EFFECT_PUT;
    }
    c->inserted_present += d->first == KIND_INSERT;
    bool same = str_eq(old, buf_str(&d->row));
    c->unchanged += same;
    c->updated += !same;
    return same ? EFFECT_KEEP : EFFECT_PUT;
}
