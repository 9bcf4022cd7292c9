/* The parts of a merge: staged files while it runs, objects and ledger rows at once when it is
 * done. */
#include "emulators/glue/glue_merge_work.h"
#include "server/base/digest.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/store/blob.h"

/* A part being written, later to be published. One of the merge's threads until it has ended. */
struct new_part {
    struct merge_work *work;
    int fd;
    int64_t id;
    bool done;
    struct blob_ref ref;
    struct digest *md5;
    unsigned char digest[DIGEST_MAX];
};

/* --- the sink: the merge's threads, several at once ------------------------------------------- */
static enum status open_part(void *ctx, int *ret_fd, void **ret_handle)
{
    struct merge_work *w = ctx;
    struct new_part *p = xcalloc(1, sizeof(*p));
    enum status st = blob_stage(w->blobs, &p->fd, &p->id);
    if (st != ST_OK) {
        free(p);
        return st;
    }
    p->work = w;
    p->md5 = digest_new(DIGEST_MD5);
    *ret_fd = p->fd;
    *ret_handle = p;
    return ST_OK;
}

static void observe(void *ctx, void *handle, const void *bytes, size_t n)
{
    (void)ctx;
    struct new_part *p = handle;
    digest_update(p->md5, bytes, n);
}

static enum status finish_part(void *ctx, void *handle, const struct merge_part_info *info)
{
    (void)info;
    struct merge_work *w = ctx;
    struct new_part *p = handle;
    digest_final(p->md5, p->digest);
    enum status st = blob_stage_end(w->blobs, p->fd, p->id, &p->ref);
    p->fd = -1;
    p->done = st == ST_OK;
    return st;
}

static void discard_part(void *ctx, void *handle)
{
    struct merge_work *w = ctx;
    struct new_part *p = handle;
    blob_discard(w->blobs, p->fd, p->id);
    digest_free(p->md5);
    free(p);
}

struct merge_sink merge_work_sink(struct merge_work *w)
{
    return (struct merge_sink){ w, open_part, finish_part, discard_part, observe };
}

/* --- publishing: core thread ------------------------------------------------------------------ */
static enum status put_part(struct merge_work *w, size_t index, struct str uuid)
{
    struct glue_active *a = w->run;
    struct arena *arena = w->plan.arena;
    struct merge_written *written = &w->result.written[index];
    struct new_part *p = written->handle;
    struct s3_object stored;
    struct s3_put put = {
        .bucket = w->plan.table.final_bucket,
        .key = arena_printf(arena, "%.*spart-%05zu-%.*s-c000.csv",
                            STR_ARG(w->plan.table.final_prefix), index, STR_ARG(uuid)),
        .ref = p->ref,
        .md5 = p->digest,
        .content_type = STR("text/csv"),
    };
    enum status st = s3_object_put(a->glue->core, &put);
    digest_free(p->md5); /* the staged file is S3's now, whatever came */
    free(p);
    written->handle = NULL;
    struct db *db = core_db(a->glue->core);
    st = st == ST_OK ? s3_object_find(db, arena, put.bucket, put.key, &stored) : st;
    if (st != ST_OK) {
        return st;
    }
    struct glue_part_row row = { put.key, merge_version(arena, &stored),
                                 (int64_t)written->info.rows, written->info.first_key,
                                 written->info.last_key };
    return glue_ledger_put_part(db, w->plan.dataset.id, &row);
}

/* A part that the merge replaced goes; if somebody changed it meanwhile, the merge was in vain. */
static enum status drop_part(struct merge_work *w, size_t index, struct str *ret_error)
{
    struct glue_active *a = w->run;
    struct db *db = core_db(a->glue->core);
    const struct s3_object *seen = &w->plan.parts[index];
    struct s3_object now;
    enum status st = s3_object_find(db, w->plan.arena, seen->bucket, seen->key, &now);
    if (st == ST_NOT_FOUND || (st == ST_OK && !str_eq(merge_version(w->plan.arena, &now),
                                                      w->plan.part_rows[index].version))) {
        *ret_error = arena_printf(a->arena,
                                  "s3://%.*s/%.*s was changed by somebody else during the merge; "
                                  "nothing was published. Start the run again.",
                                  STR_ARG(seen->bucket), STR_ARG(seen->key));
        return ST_CONFLICT;
    }
    st = st == ST_OK ? s3_object_delete(a->glue->core, seen->bucket, seen->key) : st;
    return st == ST_OK ? glue_ledger_delete_part(db, w->plan.dataset.id, seen->key) : st;
}

static enum status keep_part(struct merge_work *w, size_t index)
{
    struct glue_part_row row = w->plan.part_rows[index];
    const struct merge_part_info *info = &w->result.part_info[index];
    row.rows = (int64_t)info->rows;
    row.first_key = info->first_key;
    row.last_key = info->last_key;
    return glue_ledger_put_part(core_db(w->run->glue->core), w->plan.dataset.id, &row);
}

static enum status replace_parts(struct merge_work *w, struct str *ret_error)
{
    struct str uuid = id_uuid(w->plan.arena);
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < w->result.n_parts; i++) {
        st = w->result.kept[i] ? keep_part(w, i) : drop_part(w, i, ret_error);
    }
    for (size_t i = 0; st == ST_OK && i < w->result.n_written; i++) {
        st = put_part(w, i, uuid);
    }
    return st;
}

static enum status publish(struct merge_work *w, struct str *ret_error)
{
    struct db *db = core_db(w->run->glue->core);
    struct merge_plan *plan = &w->plan;
    plan->dataset.columns = glue_ledger_list(plan->arena, w->result.columns,
                                             w->result.columns ? w->result.n_columns : 0);
    enum status st = glue_ledger_save(db, &plan->dataset);
    st = st == ST_OK ? replace_parts(w, ret_error) : st;
    st = st == ST_OK ? merge_plan_settle(db, plan, w->run->run->Id) : st;
    for (size_t i = 0; i < w->result.n_written; i++) { /* those that a failure left over */
        if (w->result.written[i].handle) {
            discard_part(w, w->result.written[i].handle);
        }
    }
    return st;
}

enum status merge_work_publish(struct merge_work *w, struct str *ret_error)
{
    struct core *core = w->run->glue->core;
    struct core_mark mark;
    enum status st = core_mark(core, &mark);
    return st == ST_OK ? core_mark_end(core, mark, publish(w, ret_error)) : st;
}
