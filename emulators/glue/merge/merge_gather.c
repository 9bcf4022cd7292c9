#include "emulators/glue/merge/merge_gather.h"

#include "emulators/glue/merge/merge_feed.h"
#include "emulators/glue/merge/merge_rows.h"
#include "emulators/glue/merge/merge_team.h"
#include "server/base/mem.h"

void merge_shards_init(struct merge_shards *s, const struct merge_env *env)
{
    s->n = merge_team_size(env);
    s->shard = xcalloc(s->n, sizeof *s->shard);
    merge_sort_pool_init(&s->pool, env, s->n);
    for (size_t i = 0; i < s->n; i++) {
        merge_sort_init(&s->shard[i], &s->pool);
    }
}

void merge_shards_fini(struct merge_shards *s)
{
    for (size_t i = 0; i < s->n; i++) {
        merge_sort_fini(&s->shard[i]);
    }
    free(s->shard);
    *s = (struct merge_shards){ 0 };
}

/* --- parts ----------------------------------------------------------------------------------- */

static enum status gather_part(struct merge_env *env, size_t part, void *ctx)
{
    struct merge_shards *s = ctx;
    struct merge_part_rows r = { 0 };
    enum status st = merge_part_rows_open(&r, env, &env->job->parts[part]);
    while (st == ST_OK) {
        st = merge_part_rows_next(&r);
        if (st == ST_OK) {
            st = merge_sort_add(&s->shard[env->member], env, &r.key, MERGE_SEQ(part, r.raw.line),
                                KIND_BASE, r.row);
        }
    }
    merge_part_rows_close(&r);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status merge_gather_parts(struct merge_env *env, struct merge_shards *s)
{
    return merge_team_run(env, env->job->n_parts, gather_part, s);
}

/* --- files ----------------------------------------------------------------------------------- */

struct gather {
    struct merge_shards *shards;
    struct merge_feed feed;
    bool base;
};

static enum status add_row(struct merge_sort *shard, const struct merge_rows *r, bool base)
{
    struct merge_env *env = r->env;
    uint64_t seq = MERGE_SEQ(r->file->number, r->raw.line);
    enum merge_kind kind = r->kind;
    if (r->file->load) {
        env->res->counters.load_rows++;
        kind = base ? KIND_BASE : KIND_LOAD;
    } else {
        env->res->counters.change_rows++;
    }
    if (r->has_old_key) {
        enum status st = merge_sort_add(shard, env, &r->old_key, seq, KIND_MOVE, STR_NONE);
        if (st != ST_OK) {
            return st;
        }
        kind = KIND_PUT;
    }
    return merge_sort_add(shard, env, &r->key, seq, kind, r->row);
}

static enum status gather_pieces(struct merge_env *env, size_t index, void *ctx)
{
    (void)index;
    struct gather *g = ctx;
    struct merge_rows r;
    merge_rows_init(&r, env);
    enum status st;
    while ((st = merge_feed_take(&g->feed, &r)) == ST_OK) {
        while ((st = merge_rows_next(&r)) == ST_OK) {
            st = add_row(&g->shards->shard[env->member], &r, g->base);
            if (st != ST_OK) {
                break;
            }
        }
        if (st != ST_NOT_FOUND) {
            break;
        }
    }
    merge_rows_close(&r);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status merge_gather_files(struct merge_env *env, struct merge_shards *s,
                               const struct merge_file *files, size_t n, bool base)
{
    struct gather g = { .shards = s, .base = base };
    merge_feed_init(&g.feed, files, n);
    enum status st = merge_team_run(env, s->n, gather_pieces, &g);
    merge_feed_fini(&g.feed);
    return st;
}

/* --- sorting --------------------------------------------------------------------------------- */

static enum status sort_shard(struct merge_env *env, size_t index, void *ctx)
{
    (void)env;
    struct merge_shards *s = ctx;
    merge_sort_finish(&s->shard[index]);
    return ST_OK;
}

enum status merge_shards_sort(struct merge_env *env, struct merge_shards *s)
{
    size_t runs = 0;
    for (size_t i = 0; i < s->n; i++) {
        runs += s->shard[i].n_runs;
    }
    if (runs > 0) {
        merge_log(env, MERGE_LOG_INFO, "sorted on disk in %zu runs", runs);
    }
    return merge_team_run(env, s->n, sort_shard, s);
}
