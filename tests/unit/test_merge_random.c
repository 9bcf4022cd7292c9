/* The merge against a model: random tables, files and dialects, several runs on the same data set.
 * The model keeps every row as a list of raw fields and knows nothing of parts, order or hashing.
 * A failing seed is printed; give it as the only argument to run it alone. */
#include "emulators/glue/merge/merge.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "tests/unit/merge_world.h"

#ifndef SEEDS
#define SEEDS 400u
#endif

/* --- the check ----------------------------------------------------------------------------- */

static int by_text(const void *va, const void *vb)
{
    return str_cmp(*(const struct str *)va, *(const struct str *)vb);
}

/* Splits text into records, byte by byte. */
static size_t records(struct str text, struct str *out, size_t max)
{
    size_t n = 0;
    size_t start = 0;
    bool open = false;
    for (size_t i = 0; i < text.n; i++) {
        open ^= text.p[i] == '"';
        if ((text.p[i] == '\n' && !open) || i + 1 == text.n) {
            size_t end = i + (text.p[i] != '\n');
            end -= end > start && text.p[end - 1] == '\r' && end < text.n;
            if (end > start && n < max) {
                out[n++] = str_sub(text, start, end);
            }
            start = i + 1;
        }
    }
    return n;
}

static int by_first_key(const void *va, const void *vb, void *ctx)
{
    const struct folder_part *a = va;
    const struct folder_part *b = vb;
    int c = 0;
    if (!a->first_key || !b->first_key) {
        return (a->first_key != NULL) - (b->first_key != NULL);
    }
    if (merge_key_compare(str_z(a->first_key), str_z(b->first_key), *(char *)ctx, &c) != ST_OK) {
        abort();
    }
    return c;
}

/* Records of all parts; checks headers, row counts and that ranges do not overlap. */
static size_t read_parts(struct world *w, struct str *got, size_t max)
{
    struct folder *f = &w->folder;
    if (f->n_parts > 1) {
        qsort_r(f->part, f->n_parts, sizeof *f->part, by_first_key, &w->delim);
    }
    size_t n = 0;
    for (size_t i = 0; i < f->n_parts; i++) {
        struct buf b = BUF_INIT(FOLDER_MAX_BYTES);
        folder_read(f->part[i].path, &b);
        size_t here = records(arena_str(w->arena, buf_str(&b)), got + n, max - n);
        buf_fini(&b);
        if (w->out_header && here > 0) {
            here--;
            memmove(got + n, got + n + 1, here * sizeof *got);
        }
        if ((int64_t)here != f->part[i].rows) {
            fail_msg("seed %u: %s has %zu rows, not %lld", w->seed, f->part[i].path, here,
                     (long long)f->part[i].rows);
        }
        n += here;
        if (i > 0 && f->part[i - 1].last_key && strlen(f->part[i - 1].last_key) > 0) {
            int c = 0;
            assert_int_equal(merge_key_compare(str_z(f->part[i - 1].last_key),
                                               str_z(f->part[i].first_key), w->delim, &c),
                             ST_OK);
            assert_true(c < 0);
        }
    }
    return n;
}

static void check_rows(struct world *w)
{
    size_t max = w->n_rows + 2000;
    struct str *got = xcalloc(max, sizeof *got);
    struct str *want = xcalloc(w->n_rows + 1, sizeof *want);
    size_t n = read_parts(w, got, max);
    for (size_t i = 0; i < w->n_rows; i++) {
        want[i] = row_text(w, &w->rows[i]);
    }
    qsort(got, n, sizeof *got, by_text);
    qsort(want, w->n_rows, sizeof *want, by_text);
    for (size_t i = 0; i < n && i < w->n_rows; i++) {
        if (!str_eq(got[i], want[i])) {
            fail_msg("seed %u: got %.*s\nwant %.*s", w->seed, STR_ARG(got[i]), STR_ARG(want[i]));
        }
    }
    if (n != w->n_rows) {
        fail_msg("seed %u: %zu rows, not %zu", w->seed, n, w->n_rows);
    }
    free(got);
    free(want);
}

/* Net effects, from the model before and after. */
static void check_counters(struct world *w, const struct row *old, size_t n_old,
                           const struct merge_counters *c)
{
    uint64_t came = 0;
    uint64_t changed = 0;
    uint64_t went = 0;
    for (size_t i = 0; i < w->n_rows; i++) {
        const struct row *was = find(w, old, n_old, &w->rows[i]);
        came += !was;
        changed += was && !str_eq(row_text(w, was), row_text(w, &w->rows[i]));
    }
    for (size_t i = 0; i < n_old; i++) {
        went += !find(w, w->rows, w->n_rows, &old[i]);
    }
    assert_int_equal(c->inserted + c->upserted_missing, came);
    assert_int_equal(c->updated, changed);
    assert_int_equal(c->deleted, went);
}

/* --- one run ------------------------------------------------------------------------------- */

static void remember_columns(struct world *w, const struct merge_result *res)
{
    if (!res->columns) {
        return;
    }
    assert_true(res->n_columns <= MAX_COLUMNS);
    w->known = ARENA_ARRAY(w->arena, struct str, res->n_columns);
    w->n_known = res->n_columns;
    for (size_t i = 0; i < res->n_columns; i++) {
        w->known[i] = arena_str(w->arena, res->columns[i]);
        assert_true(str_eq(w->known[i], w->names[i]));
    }
}

static void forget_some_hints(struct world *w)
{
    for (size_t i = 0; i < w->folder.n_parts; i++) {
        if (chance(w, 20)) {
            struct folder_part *p = &w->folder.part[i];
            free(TAKE(p->first_key));
            free(TAKE(p->last_key));
            p->rows = -1;
        }
    }
}

static struct merge_spec make_spec(struct world *w, bool add, struct str *key)
{
    struct merge_spec s = {
        .columns = w->known,
        .n_columns = w->n_known,
        .key = key,
        .n_key = w->n_key,
        .delimiter = w->delim == ',' && chance(w, 50) ? '\0' : w->delim,
        .header = w->header ? MERGE_YES : MERGE_NO,
        .output_header = w->out_header,
        .load_op = w->load_op ? MERGE_YES : MERGE_NO,
        .change_op = w->change_op ? MERGE_YES : MERGE_NO,
        .before = w->before,
        .before_prefix = STR("BI_"),
        .null_text = w->null_text,
        .load = add ? MERGE_LOAD_ADD : MERGE_LOAD_REPLACE,
        .part_bytes = w->part_bytes,
        .memory_bytes = w->memory_bytes,
        .tmp_dir = w->folder.dir,
        .threads = 1 + pick(w, 4),
    };
    if (w->time) {
        s.timestamp_name = STR("ts");
    }
    if (chance(w, 50)) {
        s.load_op = MERGE_AUTO;
    }
    if (w->change_op && chance(w, 50)) {
        s.change_op = MERGE_AUTO;
    }
    if (w->n_known > 0 && chance(w, 50)) {
        s.header = MERGE_AUTO;
    }
    bool names = w->header || w->n_known > 0;
    for (size_t i = 0; i < w->n_key; i++) {
        key[i] = names && chance(w, 50) ? w->names[w->key[i]]
                                        : arena_printf(w->arena, "_c%zu", w->key[i]);
    }
    if (w->n_key == 1 && w->key[0] == 0 && chance(w, 30)) {
        s.n_key = 0;
    }
    return s;
}

static void one_run(struct world *w, bool load, bool add)
{
    size_t n_old = w->n_rows;
    struct row *old = xcalloc(n_old + 1, sizeof *old);
    if (n_old > 0) {
        memcpy(old, w->rows, n_old * sizeof *old);
    }
    w->n_loads = w->n_changes = 0;
    w->load_rows = w->change_rows = 0;
    w->defines = n_old == 0 || (load && !add);
    if (load) {
        make_load(w, add);
    }
    if (!load || chance(w, 40)) {
        make_changes(w);
    }
    struct str key[2];
    struct merge_job job = { .spec = make_spec(w, add, key),
                             .loads = w->load,
                             .n_loads = w->n_loads,
                             .changes = w->change,
                             .n_changes = w->n_changes };
    struct merge_result res;
    enum status st = folder_merge(&w->folder, job, &res);
    if (st != ST_OK) {
        fail_msg("seed %u: %s: %s", w->seed, status_name(st), res.error);
    }
    w->altered = false;
    check_rows(w);
    assert_int_equal(res.counters.rows_total, w->n_rows);
    assert_int_equal(res.counters.load_rows, w->load_rows);
    assert_int_equal(res.counters.change_rows, w->change_rows);
    assert_int_equal(w->folder.n_open, 0);
    if (!load || add) {
        check_counters(w, old, n_old, &res.counters);
    }
    remember_columns(w, &res);
    merge_result_fini(&res);
    free(old);
    for (size_t i = 0; i < w->n_loads; i++) {
        unlink(w->load[i].path);
        free((char *)(uintptr_t)w->load[i].path);
    }
    for (size_t i = 0; i < w->n_changes; i++) {
        unlink(w->change[i].path);
        free((char *)(uintptr_t)w->change[i].path);
    }
}

static void world_init(struct world *w, unsigned seed)
{
    static const char *const names[MAX_COLUMNS] = { "id",        "na,me", "City", "\"q\"",
                                                    "new\nline", "sixth", "a;b" };
    *w = (struct world){ .random = 0x9E3779B97F4A7C15u * (seed + 1), .seed = seed };
    w->arena = arena_new(ARENA_LIMIT);
    folder_init(&w->folder);
    w->n_columns = 1 + pick(w, 5);
    for (size_t i = 0; i < MAX_COLUMNS; i++) {
        w->names[i] = str_z(names[i]);
    }
    w->n_key = w->n_columns > 1 && chance(w, 30) ? 2 : 1;
    w->key[0] = chance(w, 60) ? 0 : pick(w, (unsigned)w->n_columns);
    w->key[1] = (w->key[0] + 1) % w->n_columns;
    w->key_kind = pick(w, 3);
    w->key_space = chance(w, 50) ? 40 : 600;
    w->delim = chance(w, 70) ? ',' : chance(w, 50) ? ';' : '\t';
    w->header = chance(w, 40);
    w->out_header = chance(w, 40);
    w->time = chance(w, 30);
    w->load_op = chance(w, 30);
    w->change_op = !chance(w, 10);
    w->before = chance(w, 60)                   ? MERGE_BEFORE_NONE
                : w->change_op && chance(w, 50) ? MERGE_BEFORE_KEY
                                                : MERGE_BEFORE_ALL;
    w->long_fields = chance(w, 2);
    w->null_text = chance(w, 30) ? STR("NULL") : STR("");
    w->part_bytes = chance(w, 50) ? 4096 : chance(w, 50) ? 16384 : 0;
    w->memory_bytes = chance(w, 30) ? 1 + pick(w, 20000) : 0;
    if (chance(w, 50) || (w->out_header && !w->header)) {
        w->known = w->names;
        w->n_known = w->n_columns;
    }
}

static void one_seed(unsigned seed)
{
    struct world w;
    world_init(&w, seed);
    bool foreign = chance(&w, 30);
    if (foreign) {
        if (w.header && !w.out_header) {
            w.known = w.names; /* columns come in any order: only names can tell */
            w.n_known = w.n_columns;
        }
        make_foreign_parts(&w);
    }
    unsigned runs = 1 + pick(&w, 5);
    for (unsigned i = 0; i < runs; i++) {
        bool load = (i == 0 && !foreign && chance(&w, 80)) || chance(&w, 15);
        bool add = chance(&w, 50);
        one_run(&w, load, add);
        forget_some_hints(&w);
        if (chance(&w, 15) && w.before == MERGE_BEFORE_NONE) {
            add_column(&w);
            if (w.n_known > 0 && !w.header) {
                w.known = w.names; /* as the catalog does */
                w.n_known = w.n_columns;
            }
            one_run(&w, false, false);
        }
    }
    folder_fini(&w.folder);
    free(w.rows);
    arena_free(w.arena);
}

static unsigned only_seed;
static bool only;

static void merge_equals_model(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        one_seed(only ? only_seed : seed);
        if (only) {
            break;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        only = true;
        only_seed = (unsigned)strtoul(argv[1], NULL, 10);
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(merge_equals_model) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
