/* A cistern-merge run: plan (core thread), merge (worker thread), publish (core thread, one
 * transaction with the ledger and the run's end). Runs of one data set take turns, oldest first. */
#include <stdatomic.h>
#include <unistd.h>

#include "emulators/glue/glue_merge_plan.h"
#include "server/base/digest.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/blob.h"

#define LOG_TEXT_MAX (1u << 20) /* of one run's lines */

/* A part being written, later to be published. Worker thread until the merge has ended. */
struct new_part {
    struct merge_work *work;
    int fd;
    int64_t id;
    bool done;
    struct blob_ref ref;
    struct digest *md5;
    unsigned char digest[DIGEST_MAX];
};

struct merge_work {
    struct glue_active *run;
    struct blobs *blobs;
    struct merge_plan plan;
    bool working; /* false: waits for its turn */
    atomic_bool cancel;
    struct merge_job job;
    struct merge_result result;
    enum status status;
    struct buf log;
};

static void start_when_free(struct glue_active *a);

/* --- the end -----------------------------------------------------------------------------------
 */
static void finish(struct merge_work *w, struct str error)
{
    struct glue_active *a = w->run;
    struct glue_state *g = a->glue;
    struct str location = w->plan.dataset.location;
    CLEANUP(free_ptr) char *place = xstrndup(location.p ? location.p : "", location.n);
    merge_plan_close(&w->plan);
    merge_result_fini(&w->result);
    buf_fini(&w->log);
    if (str_set(error)) {
        glue_log(a, GLUE_ERROR, "%.*s", STR_ARG(error));
    }
    a->work = NULL;
    glue_runner_finish(a, error);
    LIST_FOREACH(l, &g->active)
    {
        struct glue_active *next = CONTAINER_OF(l, struct glue_active, link);
        struct merge_work *waiting = next->kind == GLUE_KIND_MERGE ? next->work : NULL;
        if (waiting && !waiting->working && str_eqz(waiting->plan.dataset.location, place)) {
            start_when_free(next);
            return;
        }
    }
}

/* --- the sink: worker thread ---------------------------------------------------------------------
 */
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

static void on_log(void *ctx, enum merge_log_level level, struct str line)
{
    struct merge_work *w = ctx;
    buf_printf(&w->log, "%s%.*s\n", level == MERGE_LOG_WARN ? "WARN " : "", STR_ARG(line));
}

static void run_merge(void *arg)
{
    struct merge_work *w = arg;
    w->status = merge_run(&w->job, &w->result);
}

/* --- publishing: core thread ---------------------------------------------------------------------
 */
static enum status put_part(struct merge_work *w, size_t index, struct str uuid)
{
    struct glue_active *a = w->run;
    struct merge_written *written = &w->result.written[index];
    struct new_part *p = written->handle;
    struct s3_object stored;
    struct s3_put put = {
        .bucket = w->plan.final_bucket,
        .key = arena_printf(a->arena, "%.*spart-%05zu-%.*s-c000.csv", STR_ARG(w->plan.final_prefix),
                            index, STR_ARG(uuid)),
        .ref = p->ref,
        .md5 = p->digest,
        .content_type = STR("text/csv"),
    };
    enum status st = s3_object_put(a->glue->core, &put);
    digest_free(p->md5); /* the staged file is S3's now, whatever came */
    free(p);
    written->handle = NULL;
    struct db *db = core_db(a->glue->core);
    st = st == ST_OK ? s3_object_find(db, a->arena, put.bucket, put.key, &stored) : st;
    if (st != ST_OK) {
        return st;
    }
    struct glue_part_row row = { put.key, merge_version(a->arena, &stored),
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
    enum status st = s3_object_find(db, a->arena, seen->bucket, seen->key, &now);
    if (st == ST_NOT_FOUND ||
        (st == ST_OK && !str_eq(merge_version(a->arena, &now), w->plan.part_rows[index].version))) {
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

static void remember_columns(struct merge_work *w)
{
    struct buf b = BUF_INIT(1u << 20);
    for (size_t i = 0; w->result.columns && i < w->result.n_columns; i++) {
        if (i) {
            buf_putc(&b, GLUE_NAME_SEPARATOR);
        }
        buf_str_add(&b, w->result.columns[i]);
    }
    w->plan.dataset.columns = arena_str(w->run->arena, buf_str(&b));
    buf_fini(&b);
}

static enum status publish(struct merge_work *w, struct str *ret_error)
{
    struct glue_active *a = w->run;
    struct db *db = core_db(a->glue->core);
    struct str uuid = id_uuid(a->arena);
    remember_columns(w);
    enum status st = glue_ledger_save(db, &w->plan.dataset);
    if (st == ST_OK && w->plan.new_load) {
        st = glue_ledger_forget_merged(db, w->plan.dataset.id);
    }
    for (size_t i = 0; st == ST_OK && i < w->result.n_parts; i++) {
        st = w->result.kept[i] ? keep_part(w, i) : drop_part(w, i, ret_error);
    }
    for (size_t i = 0; st == ST_OK && i < w->result.n_written; i++) {
        st = put_part(w, i, uuid);
    }
    for (size_t i = 0; st == ST_OK && i < w->plan.n_files; i++) {
        const struct merge_file *f = &w->plan.files[i];
        st = glue_ledger_add_merged(db, w->plan.dataset.id, f->object.key, f->version, a->run->Id);
    }
    for (size_t i = 0; i < w->result.n_written; i++) { /* those that a failure left over */
        if (w->result.written[i].handle) {
            discard_part(w, w->result.written[i].handle);
        }
    }
    return st;
}

static void log_counters(struct merge_work *w)
{
    const struct merge_counters *n = &w->result.counters;
    glue_log(w->run, GLUE_OUTPUT,
             "Merged %zu files into %.*s: %llu rows loaded, %llu inserted, %llu updated, %llu "
             "deleted, %llu unchanged",
             w->plan.n_files, STR_ARG(w->plan.dataset.location), (unsigned long long)n->load_rows,
             (unsigned long long)n->inserted, (unsigned long long)n->updated,
             (unsigned long long)n->deleted, (unsigned long long)n->unchanged);
    if (n->upserted_missing || n->deleted_missing || n->inserted_present) {
        glue_log(w->run, GLUE_OUTPUT,
                 "WARN %llu updates of missing keys were inserted, %llu deletes of missing keys "
                 "ignored, %llu inserts of present keys replaced the row",
                 (unsigned long long)n->upserted_missing, (unsigned long long)n->deleted_missing,
                 (unsigned long long)n->inserted_present);
    }
    glue_log(w->run, GLUE_OUTPUT,
             "Data set: %llu rows, %llu bytes in %zu parts; %llu bytes rewritten, %llu kept",
             (unsigned long long)n->rows_total, (unsigned long long)n->bytes_total,
             w->result.n_written + w->result.n_parts, (unsigned long long)n->bytes_rewritten,
             (unsigned long long)n->bytes_kept);
}

static void merge_done(void *arg)
{
    struct merge_work *w = arg;
    struct glue_active *a = w->run;
    struct str error = STR_NONE;
    struct core_mark mark;
    glue_log_text(a, GLUE_OUTPUT, buf_str(&w->log));
    if (w->status != ST_OK) {
        error = w->result.error[0]
                    ? arena_strz(a->arena, w->result.error)
                    : arena_printf(a->arena, "The merge failed (%s).", status_name(w->status));
        finish(w, error);
        return;
    }
    enum status st = core_mark(a->glue->core, &mark);
    if (st == ST_OK) {
        st = publish(w, &error);
        if (st == ST_OK) {
            st = core_mark_keep(a->glue->core, mark);
        } else {
            core_mark_undo(a->glue->core, mark);
        }
    }
    if (st == ST_OK) {
        log_counters(w);
    } else if (!str_set(error)) {
        error = arena_printf(a->arena, "The result could not be published (%s): %s",
                             status_name(st), db_error(core_db(a->glue->core)));
    }
    finish(w, error);
}

/* --- the beginning -------------------------------------------------------------------------------
 */
static const char *fd_path(struct arena *a, int fd)
{
    return arena_printf(a, "/proc/self/fd/%d", fd).p;
}

static struct str object_name(struct arena *a, const struct s3_object *o)
{
    return arena_printf(a, "s3://%.*s/%.*s", STR_ARG(o->bucket), STR_ARG(o->key));
}

static void add_inputs(struct merge_work *w)
{
    struct arena *arena = w->run->arena;
    struct merge_input *loads = ARENA_ARRAY(arena, struct merge_input, w->plan.n_files + 1);
    struct merge_input *changes = ARENA_ARRAY(arena, struct merge_input, w->plan.n_files + 1);
    for (size_t i = 0; i < w->plan.n_files; i++) {
        const struct merge_file *f = &w->plan.files[i];
        if (f->skipped) {
            continue;
        }
        struct merge_input input = { .path = fd_path(arena, f->fd),
                                     .name = object_name(arena, &f->object),
                                     .gzip = str_ends(f->object.key, STR(".gz")) };
        if (f->load) {
            loads[w->job.n_loads++] = input;
        } else {
            changes[w->job.n_changes++] = input;
        }
    }
    w->job.loads = loads;
    w->job.changes = changes;
}

static void add_parts(struct merge_work *w)
{
    struct arena *arena = w->run->arena;
    struct merge_part *parts = ARENA_ARRAY(arena, struct merge_part, w->plan.n_parts + 1);
    for (size_t i = 0; i < w->plan.n_parts; i++) {
        const struct glue_part_row *row = &w->plan.part_rows[i];
        parts[i] = (struct merge_part){ .path = fd_path(arena, w->plan.part_fds[i]),
                                        .name = object_name(arena, &w->plan.parts[i]),
                                        .id = i,
                                        .first_key = row->first_key,
                                        .last_key = row->last_key,
                                        .rows = row->rows };
    }
    w->job.parts = parts;
    w->job.n_parts = w->plan.n_parts;
}

static void fill_spec(struct merge_work *w)
{
    struct merge_spec *s = &w->job.spec;
    *s = w->plan.spec;
    size_t n = 0;
    const struct str *names = glue_ledger_names(w->run->arena, w->plan.dataset.columns, &n);
    if (n) { /* what the data set has goes before what the arguments or the catalog say */
        s->columns = names;
        s->n_columns = n;
    }
    s->load = w->plan.new_load ? MERGE_LOAD_REPLACE : MERGE_LOAD_ADD;
    s->tmp_dir = blobs_tmp_dir(w->blobs);
    s->cancel = &w->cancel;
    s->log = on_log;
    s->callback_ctx = w;
}

/* `error` absent: nobody knew a reason. */
static void fail_plan(struct merge_work *w, enum status st, struct str error)
{
    struct str unknown =
        arena_printf(w->run->arena, "The run could not be planned (%s).", status_name(st));
    finish(w, str_set(error) ? error : unknown);
}

static void start(struct merge_work *w)
{
    struct glue_active *a = w->run;
    struct str error = STR_NONE;
    w->working = true;
    if (a->stop != GLUE_STOP_NONE) {
        finish(w, STR("Stopped before it began."));
        return;
    }
    enum status st = merge_plan_fill(a, &w->plan, &error);
    if (st != ST_OK) {
        fail_plan(w, st, error);
        return;
    }
    if (w->plan.n_files == 0) {
        glue_log(a, GLUE_OUTPUT, "Nothing to do: %.*s is merged up to this file already.",
                 STR_ARG(w->plan.dataset.source));
        finish(w, STR_NONE);
        return;
    }
    add_inputs(w);
    add_parts(w);
    fill_spec(w);
    w->job.sink = (struct merge_sink){ w, open_part, finish_part, discard_part, observe };
    work_start(core_loop(a->glue->core), run_merge, merge_done, w);
}

static void start_when_free(struct glue_active *a)
{
    struct merge_work *w = a->work;
    LIST_FOREACH(l, &a->glue->active)
    {
        struct glue_active *other = CONTAINER_OF(l, struct glue_active, link);
        struct merge_work *working = other->kind == GLUE_KIND_MERGE ? other->work : NULL;
        if (working && working != w && working->working &&
            str_eq(working->plan.dataset.location, w->plan.dataset.location)) {
            glue_log(a, GLUE_OUTPUT, "Waiting for run %.*s of the same data set.",
                     STR_ARG(other->run->Id));
            return;
        }
    }
    start(w);
}

static void stop_work(struct glue_active *a)
{
    struct merge_work *w = a->work;
    atomic_store(&w->cancel, true);
    if (!w->working) {
        w->working = true;
        finish(w, STR("Stopped before it began."));
    }
}

void glue_merge_begin(struct glue_active *a)
{
    struct str error = STR_NONE;
    struct merge_work *w = ARENA_NEW(a->arena, struct merge_work);
    w->run = a;
    w->blobs = core_blobs(a->glue->core);
    buf_init(&w->log, LOG_TEXT_MAX);
    atomic_init(&w->cancel, false);
    a->work = w;
    a->stop_work = stop_work;
    enum status st = merge_plan_target(a, &w->plan, &error);
    if (st != ST_OK) {
        fail_plan(w, st, error);
        return;
    }
    start_when_free(a);
}
