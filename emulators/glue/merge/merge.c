#include "emulators/glue/merge/merge.h"

#include <errno.h>
#include <sys/stat.h>

#include "emulators/glue/merge/merge_join.h"
#include "server/base/mem.h"

#define NAMES_BYTES (512u << 20) /* layouts and column names of one attempt */

/* One try; a second one follows when rows turn out not to be in key order. */
struct attempt {
    struct merge_env env;
    struct merge_file *files; /* loads, then changes */
    size_t n_files;
    struct merge_parts parts;
    struct merge_delta delta;
    struct merge_writer out;
    struct merge_join join;
    bool scan_parts; /* hints are not to be trusted */
    bool sort_loads;
};

/* --- the result ---------------------------------------------------------------------------- */

static void info_clear(struct merge_part_info *info)
{
    free((char *)(uintptr_t)info->first_key.p);
    free((char *)(uintptr_t)info->last_key.p);
    *info = (struct merge_part_info){ 0 };
}

static void columns_clear(struct merge_result *r)
{
    for (size_t i = 0; r->columns && i < r->n_columns; i++) {
        free((char *)(uintptr_t)r->columns[i].p);
    }
    free(TAKE(r->columns));
    r->n_columns = 0;
}

static void written_clear(struct merge_result *r)
{
    for (size_t i = 0; i < r->n_written; i++) {
        info_clear(&r->written[i].info);
    }
    free(TAKE(r->written));
    r->n_written = 0;
}

void merge_result_fini(struct merge_result *r)
{
    for (size_t i = 0; i < r->n_parts; i++) {
        info_clear(&r->part_info[i]);
    }
    r->n_parts = 0;
    free(TAKE(r->part_info));
    free(TAKE(r->kept));
    written_clear(r);
    columns_clear(r);
}

static struct str copy_str(struct str s)
{
    return (struct str){ xstrndup(s.p ? s.p : "", s.n), s.n };
}

/* --- one attempt --------------------------------------------------------------------------- */

static enum status check_spec(struct merge_env *env)
{
    const struct merge_job *job = env->job;
    const struct merge_spec *spec = &job->spec;
    const char *why = NULL;
    if (env->delim == '"' || env->delim == '\r' || env->delim == '\n') {
        why = "the delimiter cannot be a quote or a line end";
    } else if (spec->n_key > MERGE_MAX_KEY_COLUMNS) {
        why = "more than 16 primary key columns";
    } else if (spec->n_columns > MERGE_MAX_COLUMNS) {
        why = "more than 4096 column names";
    } else if (job->n_loads > MERGE_MAX_FILES || job->n_changes > MERGE_MAX_FILES ||
               job->n_parts > MERGE_MAX_FILES) {
        why = "more than 1000000 files";
    } else if (str_find(spec->null_text, '"', 0) >= 0 || str_find(spec->null_text, '\n', 0) >= 0 ||
               str_find(spec->null_text, '\r', 0) >= 0 ||
               str_find(spec->null_text, env->delim, 0) >= 0) {
        why = "the null text holds a quote, a line end or the delimiter";
    }
    return why ? merge_fail(env, ST_INVALID, STR_NONE, 0, "%s", why) : ST_OK;
}

static uint64_t clamp_part_bytes(uint64_t n)
{
    if (n == 0) {
        return MERGE_PART_BYTES;
    }
    n = n < MERGE_PART_BYTES_MIN ? MERGE_PART_BYTES_MIN : n;
    return n > MERGE_PART_BYTES_MAX ? MERGE_PART_BYTES_MAX : n;
}

/* Size on disk; a missing file is reported by whoever opens it. */
static uint64_t file_bytes(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static void list_files(struct attempt *a)
{
    const struct merge_job *job = a->env.job;
    a->n_files = job->n_loads + job->n_changes;
    a->files = xcalloc(a->n_files + 1, sizeof *a->files);
    uint64_t total = 0;
    for (size_t i = 0; i < a->n_files; i++) {
        struct merge_file *f = &a->files[i];
        f->load = i < job->n_loads;
        f->in = f->load ? &job->loads[i] : &job->changes[i - job->n_loads];
        f->number = job->n_parts + i;
        f->bytes = file_bytes(f->in->path);
        total += f->bytes;
    }
    for (size_t i = 0; i < job->n_parts && !a->env.fresh; i++) {
        total += file_bytes(job->parts[i].path);
    }
    a->env.progress.bytes_total = total;
}

static enum status find_layouts(struct attempt *a)
{
    struct merge_env *env = &a->env;
    enum status st = env->fresh ? ST_OK : merge_layout_parts(env);
    for (size_t i = 0; i < a->n_files && st == ST_OK; i++) {
        st = merge_layout_input(env, &a->files[i]);
    }
    if (st == ST_OK) {
        st = merge_layout_set(env);
    }
    for (size_t i = 0; i < a->n_files && st == ST_OK; i++) {
        st = merge_layout_keys(env, &a->files[i]);
    }
    if (st == ST_OK && env->set.n_before == 0) {
        env->set.n_before = env->set.n; /* no old rows: nothing to widen */
    }
    return st;
}

/* Gives the sorter everything that is not read in order. */
static enum status fill_delta(struct attempt *a)
{
    const struct merge_job *job = a->env.job;
    enum status st = ST_OK;
    bool base = a->env.fresh;
    for (size_t i = 0; i < job->n_parts && !base && !a->parts.ordered && st == ST_OK; i++) {
        st = merge_delta_add_part(&a->delta, i);
    }
    for (size_t i = base && !a->sort_loads ? job->n_loads : 0; i < a->n_files && st == ST_OK; i++) {
        st = merge_delta_add_file(&a->delta, &a->files[i], base);
    }
    return st == ST_OK ? merge_delta_start(&a->delta) : st;
}

static enum status join(struct attempt *a)
{
    enum status st = ST_OK;
    if (a->env.fresh && !a->sort_loads) {
        st = merge_join_loads(&a->join, a->files, a->env.job->n_loads);
    } else if (!a->env.fresh && a->parts.ordered) {
        st = merge_join_parts(&a->join, &a->parts);
    }
    return st == ST_OK ? merge_join_rest(&a->join) : st;
}

static void describe_part(struct attempt *a, const struct merge_part_state *s)
{
    struct merge_part_info *info = &a->env.res->part_info[s->index];
    struct buf b = BUF_INIT(8 * (size_t)MERGE_MAX_KEY_BYTES);
    info->rows = s->rows;
    info->bytes = s->bytes;
    merge_key_text(&s->first, a->env.delim, &b);
    info->first_key = copy_str(buf_str(&b));
    buf_clear(&b);
    merge_key_text(&s->last, a->env.delim, &b);
    info->last_key = copy_str(buf_str(&b));
    buf_fini(&b);
}

/* Parts without rows stay only when nothing changed; a set that lost its last row gets one part
 * without rows. */
static enum status empty_parts(struct attempt *a)
{
    struct merge_result *res = a->env.res;
    bool changed = a->env.fresh || res->n_written > 0;
    bool kept = false;
    bool *with_rows = xcalloc(res->n_parts + 1, sizeof *with_rows);
    for (size_t i = 0; i < a->parts.n; i++) {
        size_t at = a->parts.state[i].index;
        with_rows[at] = true;
        kept = kept || res->kept[at];
        changed = changed || !res->kept[at];
    }
    for (size_t i = 0; i < res->n_parts; i++) {
        if (!with_rows[i]) {
            res->kept[i] = !changed;
        }
    }
    free(with_rows);
    if (!changed || kept || res->n_written > 0) {
        return ST_OK;
    }
    enum status st = merge_writer_open(&a->out);
    return st == ST_OK ? merge_writer_close(&a->out) : st;
}

static void count_totals(struct attempt *a)
{
    struct merge_result *res = a->env.res;
    struct merge_counters *c = &res->counters;
    for (size_t i = 0; i < a->parts.n; i++) {
        describe_part(a, &a->parts.state[i]);
    }
    for (size_t i = 0; i < res->n_parts; i++) {
        if (res->kept[i]) {
            c->rows_total += res->part_info[i].rows;
            c->bytes_kept += res->part_info[i].bytes;
        }
    }
    for (size_t i = 0; i < res->n_written; i++) {
        c->rows_total += res->written[i].info.rows;
    }
    c->bytes_total = c->bytes_kept + c->bytes_rewritten;
    const struct merge_set *set = &a->env.set;
    res->n_columns = set->n;
    if (set->names) {
        res->columns = xcalloc(set->n, sizeof *res->columns);
        for (size_t i = 0; i < set->n; i++) {
            res->columns[i] = copy_str(set->names[i]);
        }
    }
}

static enum status run_attempt(struct attempt *a)
{
    enum status st = check_spec(&a->env);
    if (st != ST_OK) {
        return st;
    }
    list_files(a);
    st = find_layouts(a);
    if (st == ST_OK && !a->env.fresh) {
        st = merge_parts_load(&a->env, a->scan_parts, &a->parts);
    }
    if (st == ST_OK) {
        st = fill_delta(a);
    }
    if (st == ST_OK) {
        st = join(a);
    }
    if (st == ST_OK) {
        st = empty_parts(a);
    }
    if (st == ST_OK) {
        count_totals(a);
    }
    return st;
}

static void attempt_init(struct attempt *a, const struct merge_job *job, struct merge_result *res)
{
    *a = (struct attempt){ .env = { .job = job, .res = res } };
    struct merge_env *env = &a->env;
    env->arena = arena_new(NAMES_BYTES);
    env->delim = ',';
    if (job->spec.delimiter) {
        env->delim = job->spec.delimiter;
    }
    env->part_bytes = clamp_part_bytes(job->spec.part_bytes);
    env->fresh = job->n_loads > 0 && job->spec.load == MERGE_LOAD_REPLACE;
    merge_delta_init(&a->delta, env);
    merge_writer_init(&a->out, env);
    merge_join_init(&a->join, env, &a->delta, &a->out);
}

static void attempt_fini(struct attempt *a)
{
    merge_join_fini(&a->join);
    merge_writer_fini(&a->out);
    merge_delta_fini(&a->delta);
    merge_parts_fini(&a->parts);
    free(a->files);
    arena_free(a->env.arena);
}

/* --- the run ------------------------------------------------------------------------------- */

/* Gives back every finished part and forgets what the attempt found. */
static void undo(const struct merge_job *job, struct merge_result *res)
{
    for (size_t i = 0; i < res->n_written; i++) {
        job->sink.discard_part(job->sink.ctx, res->written[i].handle);
    }
    written_clear(res);
    columns_clear(res);
    for (size_t i = 0; i < res->n_parts; i++) {
        info_clear(&res->part_info[i]);
        res->kept[i] = false;
    }
    res->counters = (struct merge_counters){ 0 };
}

enum status merge_run(const struct merge_job *job, struct merge_result *ret)
{
    *ret = (struct merge_result){ .n_parts = job->n_parts };
    ret->kept = xcalloc(job->n_parts + 1, sizeof *ret->kept);
    ret->part_info = xcalloc(job->n_parts + 1, sizeof *ret->part_info);
    for (bool again = false;; again = true) {
        struct attempt a;
        attempt_init(&a, job, ret);
        a.scan_parts = a.sort_loads = again;
        enum status st = run_attempt(&a);
        bool disorder = st == ST_CONFLICT && a.env.out_of_order;
        if (disorder && again) {
            st = merge_fail(&a.env, ST_IO, STR_NONE, 0,
                            "an input file changed while it was being read");
        } else if (disorder) {
            merge_log(&a.env, MERGE_LOG_INFO, "%s",
                      a.env.fresh ? "the load files are not in key order: sorting them"
                                  : "a part is not as its manifest says: looking into all parts");
        }
        attempt_fini(&a);
        if (st == ST_OK) {
            return ST_OK;
        }
        undo(job, ret);
        if (!disorder || again) {
            return st;
        }
    }
}
