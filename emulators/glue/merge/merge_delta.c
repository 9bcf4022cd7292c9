#include "emulators/glue/merge/merge_delta.h"

enum delta_misfit {
    MISFIT_UPDATE_MISSING,
    MISFIT_DELETE_MISSING,
    MISFIT_INSERT_PRESENT,
};

static void row_init(struct delta_row *r)
{
    *r = (struct delta_row){ 0 };
    buf_init(&r->copy, 2 * (size_t)MERGE_MAX_RECORD_BYTES);
}

static void row_set(struct delta_row *r, const struct sort_item *item)
{
    r->row = item->row;
    if (!item->stays) {
        buf_clear(&r->copy);
        buf_str_add(&r->copy, item->row);
        r->row = buf_str(&r->copy);
    }
}

static bool is_deletion(enum merge_kind kind)
{
    return kind == KIND_DELETE || kind == KIND_MOVE;
}

enum status merge_delta_open(struct merge_delta *d, struct merge_env *env,
                             const struct merge_shards *shards, const struct merge_key *lower,
                             const struct merge_key *upper)
{
    const struct merge_spec *spec = &env->job->spec;
    *d = (struct merge_delta){ .env = env };
    d->policies = spec->update_missing != MERGE_MISFIT_APPLY ||
                  spec->delete_missing != MERGE_MISFIT_APPLY ||
                  spec->insert_present != MERGE_MISFIT_APPLY;
    row_init(&d->base);
    row_init(&d->row);
    row_init(&d->course[0].row);
    row_init(&d->course[1].row);
    enum status st = merge_stream_open(&d->stream, env, shards->shard, shards->n, lower, upper);
    return st == ST_OK ? merge_delta_next(d) : st;
}

void merge_delta_close(struct merge_delta *d)
{
    merge_stream_close(&d->stream);
    merge_key_fini(&d->key);
    buf_fini(&d->base.copy);
    buf_fini(&d->row.copy);
    buf_fini(&d->course[0].row.copy);
    buf_fini(&d->course[1].row.copy);
    *d = (struct merge_delta){ 0 };
}

/* --- misfits that are not simply applied ------------------------------------------------------ */

/* Does the change fit? If not: what to do with it, noted in the course. */
static enum merge_misfit misfit(const struct merge_spec *spec, struct delta_course *c,
                                const struct sort_item *item)
{
    enum merge_misfit policy = MERGE_MISFIT_APPLY;
    if (item->kind == KIND_INSERT && c->present) {
        c->misfits |= 1u << MISFIT_INSERT_PRESENT;
        policy = spec->insert_present;
    } else if (item->kind == KIND_UPDATE && !c->present) {
        c->misfits |= 1u << MISFIT_UPDATE_MISSING;
        policy = spec->update_missing;
    } else if (is_deletion(item->kind) && !c->present) {
        c->misfits |= 1u << MISFIT_DELETE_MISSING;
        policy = item->kind == KIND_MOVE ? spec->update_missing : spec->delete_missing;
    }
    return policy;
}

static void course_take(const struct merge_spec *spec, struct delta_course *c,
                        const struct sort_item *item)
{
    enum merge_misfit policy = misfit(spec, c, item);
    if (policy == MERGE_MISFIT_FAIL && !c->refused_seq) {
        c->refused = item->kind;
        c->refused_seq = item->seq;
    }
    if (policy != MERGE_MISFIT_APPLY) {
        return;
    }
    if (is_deletion(item->kind)) {
        c->present = false;
        return;
    }
    c->inserted_by_other = c->present ? c->inserted_by_other : item->kind != KIND_UPDATE;
    c->present = true;
    c->changed = true;
    row_set(&c->row, item);
}

static enum status refuse(struct merge_delta *d, const struct delta_course *c)
{
    const char *what = c->refused == KIND_INSERT   ? "an insert (I)"
                       : c->refused == KIND_DELETE ? "a delete (D)"
                                                   : "an update (U)";
    struct merge_env *env = d->env;
    struct buf key = BUF_INIT(200);
    merge_key_text(&d->key, env->delim, &key);
    enum status st =
        merge_fail(env, ST_INVALID, merge_file_name(env, MERGE_SEQ_FILE(c->refused_seq)),
                   MERGE_SEQ_LINE(c->refused_seq), "%s of key %.*s, which is %s the data set", what,
                   STR_ARG(buf_str(&key)), c->refused == KIND_INSERT ? "already in" : "not in");
    buf_fini(&key);
    return st;
}

static enum status course_effect(struct merge_delta *d, struct str old, enum delta_effect *ret,
                                 struct str *ret_row)
{
    bool was = str_set(old);
    const struct delta_course *c = &d->course[was];
    struct merge_counters *n = &d->env->res->counters;
    bool upsert = (c->misfits >> MISFIT_UPDATE_MISSING) & 1;
    bool ignored = d->env->job->spec.update_missing != MERGE_MISFIT_APPLY;
    *ret = was ? EFFECT_KEEP : EFFECT_NONE;
    if (c->refused_seq) {
        return refuse(d, c);
    }
    n->deleted_missing += (c->misfits >> MISFIT_DELETE_MISSING) & 1;
    n->inserted_present += (c->misfits >> MISFIT_INSERT_PRESENT) & 1;
    n->upserted_missing += upsert && (ignored || (!was && c->present && !c->inserted_by_other));
    if (!c->present) {
        n->deleted += was;
        *ret = was ? EFFECT_DROP : EFFECT_NONE;
        return ST_OK;
    }
    if (!c->changed) {
        return ST_OK;
    }
    *ret_row = c->row.row;
    bool same = was && str_eq(old, *ret_row);
    n->inserted += !was && c->inserted_by_other;
    n->unchanged += same;
    n->updated += was && !same;
    *ret = same ? EFFECT_KEEP : EFFECT_PUT;
    return ST_OK;
}

/* --- reducing --------------------------------------------------------------------------------- */

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

static enum status take_base(struct merge_delta *d, const struct sort_item *item)
{
    enum status st = d->in_base ? duplicate(d, d->base.row, d->base_seq, item) : ST_OK;
    d->in_base = true;
    d->base_seq = item->seq;
    row_set(&d->base, item);
    return st;
}

static enum status take_item(struct merge_delta *d, const struct sort_item *item)
{
    enum status st = ST_OK;
    if (item->kind == KIND_LOAD) {
        if (d->changed) {
            st = duplicate(d, d->row.row, d->load_seq, item);
        }
        d->load_seq = item->seq;
    }
    if (!d->changed) {
        d->changed = true;
        d->first = item->kind;
    }
    d->last = item->kind;
    if (!is_deletion(item->kind)) {
        row_set(&d->row, item);
    }
    for (unsigned was = 0; d->policies && was < 2; was++) {
        course_take(&d->env->job->spec, &d->course[was], item);
    }
    return st;
}

static void start_key(struct merge_delta *d, const struct sort_item *item)
{
    d->in_base = d->changed = false;
    merge_key_set(&d->key, item->key, item->key_n);
    for (unsigned was = 0; d->policies && was < 2; was++) {
        struct delta_course *c = &d->course[was];
        c->present = was;
        c->changed = c->inserted_by_other = false;
        c->misfits = 0;
        c->refused_seq = 0;
    }
}

enum status merge_delta_next(struct merge_delta *d)
{
    const struct sort_item *item = merge_stream_peek(&d->stream);
    d->have = item != NULL;
    if (!item) {
        return ST_OK;
    }
    start_key(d, item);
    enum status st = ST_OK;
    while (st == ST_OK && item && item->prefix == d->key.prefix && item->key_n == d->key.n &&
           memcmp(item->key, d->key.p, item->key_n) == 0) {
        st = item->kind == KIND_BASE ? take_base(d, item) : take_item(d, item);
        if (st == ST_OK) {
            st = merge_stream_take(&d->stream);
        }
        item = merge_stream_peek(&d->stream);
    }
    if (st == ST_OK && !(buf_ok(&d->row.copy) && buf_ok(&d->base.copy))) {
        st = merge_fail(d->env, ST_NOMEM, STR_NONE, 0, "a row is too long");
    }
    return st;
}

enum status merge_delta_effect(struct merge_delta *d, struct str old, enum delta_effect *ret,
                               struct str *ret_row)
{
    struct merge_counters *c = &d->env->res->counters;
    bool present = str_set(old);
    *ret_row = d->row.row;
    *ret = present ? EFFECT_KEEP : EFFECT_NONE;
    if (!d->changed) {
        return ST_OK;
    }
    if (d->policies) {
        return course_effect(d, old, ret, ret_row);
    }
    if (is_deletion(d->last)) {
        c->deleted += present;
        c->deleted_missing += !present && d->first != KIND_INSERT;
        *ret = present ? EFFECT_DROP : EFFECT_NONE;
        return ST_OK;
    }
    *ret = EFFECT_PUT;
    if (!present) {
        c->upserted_missing += d->first == KIND_UPDATE;
        c->inserted += d->first != KIND_UPDATE;
        c->deleted_missing += is_deletion(d->first);
        return ST_OK;
    }
    c->inserted_present += d->first == KIND_INSERT;
    bool same = str_eq(old, d->row.row);
    c->unchanged += same;
    c->updated += !same;
    *ret = same ? EFFECT_KEEP : EFFECT_PUT;
    return ST_OK;
}
