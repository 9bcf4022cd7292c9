/* For the tests of the merge: cases as tables of texts, run on a folder of their own. */
#ifndef CISTERN_TESTS_MERGE_SCENARIO_H
#define CISTERN_TESTS_MERGE_SCENARIO_H

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "tests/unit/merge_folder.h"

#define MAX_TEXTS 4

struct scenario {
    const char *name;
    const char *loads[MAX_TEXTS];
    const char *changes[MAX_TEXTS];
    const char *parts[MAX_TEXTS];
    const char *key[MAX_TEXTS];
    const char *columns[MAX_TEXTS];
    const char *want;  /* the parts in key order, put together; NULL: refused */
    const char *error; /* part of the message; %1 is the first change or load file */
    uint64_t line;
    struct merge_spec spec;
    struct merge_counters counters; /* those that are not 0 must be equal */
};

static size_t strs(const char *const *z, struct str *out)
{
    size_t n = 0;
    while (n < MAX_TEXTS && z[n]) {
        out[n] = str_z(z[n]);
        n++;
    }
    return n;
}

static size_t inputs(struct folder *f, const char *const *z, struct merge_input *out)
{
    size_t n = 0;
    while (n < MAX_TEXTS && z[n]) {
        out[n] = (struct merge_input){
            .path = folder_write(f, "input", str_z(z[n]), false),
            .name = n == 0 ? STR("s3://b/first.csv") : STR("s3://b/second.csv"),
        };
        n++;
    }
    return n;
}

static int by_key(const void *va, const void *vb)
{
    const struct folder_part *a = va;
    const struct folder_part *b = vb;
    int c = 0;
    if (!a->first_key || !b->first_key ||
        merge_key_compare(str_z(a->first_key), str_z(b->first_key), ',', &c) != ST_OK) {
        abort();
    }
    return c;
}

/* The whole data set as one text. */
static inline void content(struct folder *f, struct buf *out)
{
    if (f->n_parts > 1) {
        qsort(f->part, f->n_parts, sizeof *f->part, by_key);
    }
    for (size_t i = 0; i < f->n_parts; i++) {
        folder_read(f->part[i].path, out);
    }
}

static void check_counters(const char *name, const struct merge_counters *want,
                           const struct merge_counters *got)
{
    const uint64_t *w = (const uint64_t *)want;
    const uint64_t *g = (const uint64_t *)got;
    for (size_t i = 0; i < sizeof *want / sizeof *w; i++) {
        if (w[i] && w[i] != g[i]) {
            fail_msg("%s: counter %zu is %llu, not %llu", name, i, (unsigned long long)g[i],
                     (unsigned long long)w[i]);
        }
    }
}

static void check_outcome(const struct scenario *s, struct folder *f, enum status st,
                          const struct merge_result *res)
{
    if (!s->want) {
        if (st == ST_OK) {
            fail_msg("%s: was not refused", s->name);
        }
        assert_int_equal(st, ST_INVALID);
        if (!strstr(res->error, s->error)) {
            fail_msg("%s: error is: %s", s->name, res->error);
        }
        assert_int_equal(res->error_line, s->line);
        assert_int_equal(f->n_finished + f->n_open, 0);
        return;
    }
    if (st != ST_OK) {
        fail_msg("%s: %s: %s", s->name, status_name(st), res->error);
    }
    struct buf got = BUF_INIT(FOLDER_MAX_BYTES);
    content(f, &got);
    if (!str_eqz(buf_str(&got), s->want)) {
        fail_msg("%s: got\n%.*s", s->name, STR_ARG(buf_str(&got)));
    }
    buf_fini(&got);
    check_counters(s->name, &s->counters, &res->counters);
}

static inline void run_scenario(const struct scenario *s)
{
    struct folder f;
    folder_init(&f);
    struct str key[MAX_TEXTS];
    struct str columns[MAX_TEXTS];
    struct merge_input loads[MAX_TEXTS];
    struct merge_input changes[MAX_TEXTS];
    struct merge_job job = { .spec = s->spec, .loads = loads, .changes = changes };
    job.spec.key = key;
    job.spec.n_key = strs(s->key, key);
    job.spec.columns = columns;
    job.spec.n_columns = strs(s->columns, columns);
    job.spec.tmp_dir = f.dir;
    job.n_loads = inputs(&f, s->loads, loads);
    job.n_changes = inputs(&f, s->changes, changes);
    for (size_t i = 0; i < MAX_TEXTS && s->parts[i]; i++) {
        folder_add_part(&f, folder_write(&f, "part", str_z(s->parts[i]), false), STR_NONE, STR_NONE,
                        -1);
    }
    struct merge_result res;
    enum status st = folder_merge(&f, job, &res);
    check_outcome(s, &f, st, &res);
    merge_result_fini(&res);
    for (size_t i = 0; i < job.n_loads; i++) {
        free((char *)(uintptr_t)loads[i].path);
    }
    for (size_t i = 0; i < job.n_changes; i++) {
        free((char *)(uintptr_t)changes[i].path);
    }
    folder_fini(&f);
}

/* `n` rows with the keys from, from + step, …, about 30 bytes each. */
static inline void make_rows(struct buf *b, unsigned from, unsigned n, unsigned step)
{
    for (unsigned i = 0; i < n; i++) {
        buf_printf(b, "%u,row %010u \"\"\n", from + i * step, from + i * step);
    }
    for (size_t i = 0; i < b->n; i++) {
        if (b->p[i] == '"') {
            b->p[i] = 'x'; /* no quotes: the fast way */
        }
    }
}

static inline enum status merge_texts(struct folder *f, struct merge_job job, struct str load,
                                      struct str change, struct merge_result *res)
{
    struct merge_input in_load = { 0 };
    struct merge_input in_change = { 0 };
    char *load_path = str_set(load) ? folder_write(f, "load", load, false) : NULL;
    char *change_path = str_set(change) ? folder_write(f, "change", change, false) : NULL;
    in_load.path = load_path;
    in_change.path = change_path;
    job.loads = &in_load;
    job.n_loads = load_path ? 1 : 0;
    job.changes = &in_change;
    job.n_changes = change_path ? 1 : 0;
    enum status st = folder_merge(f, job, res);
    if (load_path) {
        unlink(load_path);
    }
    if (change_path) {
        unlink(change_path);
    }
    free(load_path);
    free(change_path);
    return st;
}

/* One after the other: alone, with threads, and with everything forced to disk. */
static inline void run_scenarios(const struct scenario *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct scenario s = list[i];
        s.spec.threads = 1;
        run_scenario(&s);
        s.spec.threads = 3;
        run_scenario(&s);
        s.spec.memory_bytes = 1;
        run_scenario(&s);
        s.spec.threads = 1;
        run_scenario(&s);
    }
}

#endif
