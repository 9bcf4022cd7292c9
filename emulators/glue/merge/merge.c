#include "emulators/glue/merge/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/glue/merge/merge_join.h"
#include "emulators/glue/merge/merge_team.h"
#include "server/base/mem.h"

#define NAMES_BYTES (512u << 20) /* layouts and column names of one attempt */
#define RANGE_PARTS                                                               \
    4u /* part sizes that one thread joins at a time, so that little is left over \
          at the ends and the threads end together */

/* One try; a second one follows when rows turn out not to be in key order. */
struct attempt {
    struct merge_env env;
    struct merge_file *files; /* loads, then changes */
    size_t n_files;
    struct merge_parts parts;
    struct merge_shards shards;
    struct merge_shared shared;
    struct range *range;
    size_t n_ranges;
    bool scan_parts; /* hints are not to be trusted */
    bool sort_loads;
};

/* Parts that stand together, and the keys up to the next ones: a piece of work for a thread. */
struct range {
    size_t part; /* first, in attempt.parts */
    size_t n_parts;
    struct merge_list out;
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

/* What the file holds once it is unpacked: a gzip file of one member, as DMS writes them, ends in
 * that size (modulo 4 GiB). Only for the progress: a wrong one does no harm. */
static uint64_t unpacked_bytes(const char *path, uint64_t on_disk)
{
    unsigned char head[2], tail[4];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t n = on_disk;
    if (fd >= 0 && on_disk > sizeof tail &&
        pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && head[0] == 0x1f &&
        head[1] == 0x8b &&
        pread(fd, tail, sizeof tail, (off_t)(on_disk - sizeof tail)) == (ssize_t)sizeof tail) {
        n = tail[0] | (uint64_t)tail[1] << 8 | (uint64_t)tail[2] << 16 | (uint64_t)tail[3] << 24;
    }
    if (fd >= 0) {
        close(fd);
    }
    return n > on_disk ? n : on_disk;
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
        f->bytes = unpacked_bytes(f->in->path, file_bytes(f->in->path));
        total += f->bytes;
    }
    for (size_t i = 0; i < job->n_parts && !a->env.fresh; i++) {
        total += file_bytes(job->parts[i].path);
    }
    a->shared.progress.bytes_total = total;
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
static enum status gather(struct attempt *a)
{
    struct merge_env *env = &a->env;
    bool base = env->fresh;
    size_t from = base && !a->sort_loads ? env->job->n_loads : 0;
    enum status st = ST_OK;
    if (!base && !a->parts.ordered) {
        st = merge_gather_parts(env, &a->shards);
    }
    if (st == ST_OK) {
        st = merge_gather_files(env, &a->shards, a->files + from, a->n_files - from, base);
    }
    return st == ST_OK ? merge_shards_sort(env, &a->shards) : st;
}

/* Cuts the ordered parts into ranges; the same whatever the threads, and so is the outcome. */
static void cut_ranges(struct attempt *a)
{
    bool walk = !a->env.fresh && a->parts.ordered;
    a->range = xcalloc(a->parts.n + 1, sizeof *a->range);
    a->n_ranges = 1;
    uint64_t bytes = 0;
    for (size_t i = 0; i < a->parts.n && walk; i++) {
        if (bytes >= RANGE_PARTS * a->env.part_bytes) {
            a->range[a->n_ranges++].part = i;
            bytes = 0;
        }
        a->range[a->n_ranges - 1].n_parts++;
        bytes += a->parts.state[i].bytes;
    }
}

static enum status join_range(struct merge_env *env, size_t index, void *ctx)
{
    struct attempt *a = ctx;
    struct range *range = &a->range[index];
    const struct merge_part_state *part = a->parts.state ? a->parts.state + range->part : NULL;
    bool last = index + 1 == a->n_ranges;
    const struct merge_key *upper = last ? NULL : &part[range->n_parts].first;
    struct merge_delta delta;
    struct merge_writer out;
    struct merge_join join;
    merge_writer_init(&out, env, &range->out);
    merge_join_init(&join, env, &delta, &out);
    enum status st =
        merge_delta_open(&delta, env, &a->shards, index > 0 ? &part->first : NULL, upper);
    if (st == ST_OK && env->fresh && !a->sort_loads) {
        st = merge_join_loads(&join, a->files, env->job->n_loads);
    } else if (st == ST_OK && range->n_parts > 0) {
        st = merge_join_parts(&join, part, range->n_parts, upper);
    }
    if (st == ST_OK) {
        st = merge_join_rest(&join);
    }
    merge_join_fini(&join);
    merge_writer_fini(&out);
    merge_delta_close(&delta);
    return st;
}

/* The parts that the ranges wrote, one after the other. */
static void collect_written(struct attempt *a)
{
    struct merge_result *res = a->env.res;
    for (size_t i = 0; i < a->n_ranges; i++) {
        struct merge_list *l = &a->range[i].out;
        if (l->n > 0) {
            res->written = xrealloc(res->written, (res->n_written + l->n) * sizeof *res->written);
            memcpy(res->written + res->n_written, l->written, l->n * sizeof *l->written);
            res->n_written += l->n;
        }
        free(TAKE(l->written));
        l->n = 0;
    }
}

static enum status join(struct attempt *a)
{
    cut_ranges(a);
    enum status st = merge_team_run(&a->env, a->n_ranges, join_range, a);
    collect_written(a);
    return st;
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
    struct merge_writer out;
    merge_writer_init(&out, &a->env, &a->range[0].out);
    enum status st = merge_writer_open(&out);
    if (st == ST_OK) {
        st = merge_writer_close(&out);
    }
    merge_writer_fini(&out);
    collect_written(a);
    return st;
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
        st = gather(a);
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
    pthread_mutex_init(&a->shared.lock, NULL);
    atomic_init(&a->shared.failed_order, UINT64_MAX);
    env->shared = &a->shared;
    merge_shards_init(&a->shards, env);
}

static void attempt_fini(struct attempt *a)
{
    merge_shards_fini(&a->shards);
    merge_parts_fini(&a->parts);
    pthread_mutex_destroy(&a->shared.lock);
    free(a->range);
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
