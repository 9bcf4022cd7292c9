/* The merge and its parts: which are rewritten, hints that lie, and what is left behind when it
 * ends early. */
#include "emulators/glue/merge/merge.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "tests/unit/merge_scenario.h"

static void only_touched_parts_are_rewritten(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct merge_job job = { .spec = { .part_bytes = 64u << 10 } };
    struct buf rows = BUF_INIT(FOLDER_MAX_BYTES);
    folder_init(&f);
    make_rows(&rows, 0, 50000, 2);
    assert_int_equal(merge_texts(&f, job, buf_str(&rows), STR_NONE, &res), ST_OK);
    size_t n = res.n_written;
    assert_true(n >= rows.n / (128u << 10) && n <= rows.n / (32u << 10));
    for (size_t i = 0; i < n; i++) {
        assert_in_range(res.written[i].info.bytes, 32u << 10, 128u << 10);
    }
    merge_result_fini(&res);

    /* two neighbouring rows and one far away: two parts */
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("U,100,x\nI,101,y\nD,90000,z\n"), &res),
                     ST_OK);
    assert_int_equal(res.n_written, 2);
    assert_true(res.counters.bytes_rewritten < 200u << 10);
    assert_int_equal(res.counters.rows_total, 50000);
    merge_result_fini(&res);

    /* what is there already costs no write, nor does the delete of nothing */
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("U,100,x\nI,101,y\nD,90000,z\n"), &res),
                     ST_OK);
    assert_int_equal(res.n_written, 0);
    assert_int_equal(res.counters.unchanged, 2);
    assert_int_equal(res.counters.deleted_missing, 1);
    merge_result_fini(&res);

    /* new keys behind everything */
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("I,200000,x\n"), &res), ST_OK);
    assert_int_equal(res.n_written, 1);
    merge_result_fini(&res);
    buf_clear(&rows);
    make_rows(&rows, 0, 0, 1);
    for (unsigned i = 0; i < 20000; i++) {
        buf_printf(&rows, "I,%u,row %u appended\n", 300000 + i, i);
    }
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&rows), &res), ST_OK);
    for (size_t i = 0; i < res.n_written; i++) {
        assert_in_range(res.written[i].info.bytes, 16u << 10, 128u << 10);
    }
    assert_true(res.counters.bytes_rewritten < rows.n + (128u << 10));
    merge_result_fini(&res);
    buf_fini(&rows);
    folder_fini(&f);
}

/* A manifest that lies about a part that must be read is noticed; the result is right anyway. */
static void wrong_hints_are_noticed(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct merge_job job = { 0 };
    folder_init(&f);
    folder_add_part(&f, folder_write(&f, "part", STR("5,e\n1,a\n3,c\n"), false), STR("1"), STR("5"),
                    3);
    folder_add_part(&f, folder_write(&f, "part", STR("7,g\n8,h\n"), false), STR("7"), STR("8"), 5);
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("U,3,x\nU,7,y\n"), &res), ST_OK);
    struct buf got = BUF_INIT(1000);
    content(&f, &got);
    assert_true(str_eqz(buf_str(&got), "1,a\n3,x\n5,e\n7,y\n8,h\n"));
    assert_int_equal(res.counters.updated, 2);
    assert_int_equal(f.n_open, 0);
    buf_fini(&got);
    merge_result_fini(&res);
    folder_fini(&f);
}

static void columns_are_reported(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct merge_job job = { .spec = { .header = MERGE_YES } };
    folder_init(&f);
    assert_int_equal(
        merge_texts(&f, job, STR("id,\"a,b\"\n1,x\n"), STR("Op,id,new\nI,2,y\n"), &res), ST_OK);
    assert_int_equal(res.n_columns, 3);
    assert_true(str_eqz(res.columns[0], "id"));
    assert_true(str_eqz(res.columns[1], "a,b"));
    assert_true(str_eqz(res.columns[2], "new"));
    merge_result_fini(&res);
    folder_fini(&f);
}

/* --- ends that come early ------------------------------------------------------------------ */

struct watch {
    atomic_bool cancel;
    unsigned calls;
    unsigned cancel_at;
    unsigned percent;
    bool fell;
};

static void on_progress(void *ctx, const struct merge_progress *p)
{
    struct watch *w = ctx;
    w->fell = w->fell || p->percent < w->percent || p->percent > 100;
    w->percent = p->percent;
    if (++w->calls == w->cancel_at) {
        atomic_store(&w->cancel, true);
    }
}

/* How many files are in the folder? */
static unsigned folder_files(const struct folder *f)
{
    unsigned n = 0;
    DIR *d = opendir(f->dir);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    return n;
}

/* Every part's bytes, and the number of files, before and after. */
static void snapshot(struct folder *f, struct buf *out)
{
    for (size_t i = 0; i < f->n_parts; i++) {
        folder_read(f->part[i].path, out);
    }
    buf_printf(out, "%u files", folder_files(f));
}

static void big_set(struct folder *f, struct buf *change)
{
    struct merge_result res;
    struct merge_job job = { .spec = { .part_bytes = 256u << 10 } };
    struct buf rows = BUF_INIT(FOLDER_MAX_BYTES);
    make_rows(&rows, 0, 400000, 1);
    assert_int_equal(merge_texts(f, job, buf_str(&rows), STR_NONE, &res), ST_OK);
    assert_true(res.n_written > 10);
    merge_result_fini(&res);
    buf_fini(&rows);
    for (unsigned i = 0; i < 400000; i += 500) {
        buf_printf(change, "U,%u,changed\n", i);
    }
}

static void cancel_and_failures_leave_all_as_it_was(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct buf change = BUF_INIT(FOLDER_MAX_BYTES);
    struct buf before = BUF_INIT(FOLDER_MAX_BYTES);
    struct buf after = BUF_INIT(FOLDER_MAX_BYTES);
    folder_init(&f);
    big_set(&f, &change);
    snapshot(&f, &before);
    struct watch w = { .cancel_at = 1 };
    struct merge_job job = { .spec = { .part_bytes = 256u << 10,
                                       .cancel = &w.cancel,
                                       .progress = on_progress,
                                       .callback_ctx = &w } };
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_CONFLICT);
    assert_true(res.cancelled);
    assert_int_equal(w.calls, 1);
    assert_false(w.fell);
    assert_int_equal(f.n_open + f.n_finished, 0);
    assert_true(f.n_discarded > 0);
    assert_int_equal(res.n_written, 0);
    merge_result_fini(&res);

    /* the sink refuses the first, second, … part */
    atomic_store(&w.cancel, false);
    w.cancel_at = 0;
    for (unsigned k = 1; k <= 8; k++) {
        job.spec.threads = 1 + k % 4;
        f.fail_open_at = (k + 1) / 2;
        assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_DB);
        assert_int_equal(f.n_open + f.n_finished, 0);
        assert_true(f.n_discarded >= (k + 1) / 2 - 1);
        f.fail_open_at = 0;
        merge_result_fini(&res);
    }

    /* a bad row at the very end */
    size_t good = change.n;
    buf_puts(&change, "U,1,one,too many\n");
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_INVALID);
    assert_int_equal(f.n_open + f.n_finished, 0);
    merge_result_fini(&res);
    change.n = good;

    snapshot(&f, &after);
    assert_true(str_eq(buf_str(&before), buf_str(&after)));

    /* and then it works */
    w = (struct watch){ 0 };
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_OK);
    assert_int_equal(res.counters.updated, 800);
    assert_true(w.calls >= 2);
    assert_false(w.fell);
    merge_result_fini(&res);
    buf_fini(&before);
    buf_fini(&after);
    buf_fini(&change);
    folder_fini(&f);
}

static void missing_and_broken_files(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    folder_init(&f);
    struct merge_input in = { .path = "/tmp/no/such/file.csv", .name = STR("s3://b/k.csv") };
    struct merge_job job = { .changes = &in, .n_changes = 1 };
    assert_int_equal(folder_merge(&f, job, &res), ST_IO);
    assert_non_null(strstr(res.error, "s3://b/k.csv: cannot be opened: No such file"));
    merge_result_fini(&res);

    char *plain = folder_write(&f, "plain", STR("I,1,a\n"), false);
    in.path = plain;
    in.gzip = true;
    assert_int_equal(folder_merge(&f, job, &res), ST_INVALID);
    assert_non_null(strstr(res.error, "not gzip-compressed"));
    merge_result_fini(&res);

    char *zipped = folder_write(&f, "zipped", STR("I,1,a\nI,2,b\nI,3,c\n"), true);
    in.path = zipped;
    assert_int_equal(folder_merge(&f, job, &res), ST_OK);
    assert_int_equal(res.counters.inserted, 3);
    merge_result_fini(&res);
    struct stat info;
    assert_int_equal(stat(zipped, &info), 0);
    for (off_t n = info.st_size - 1; n > 10; n -= 5) {
        assert_int_equal(truncate(zipped, n), 0);
        assert_int_equal(folder_merge(&f, job, &res), ST_INVALID);
        assert_non_null(strstr(res.error, "gzip data"));
        merge_result_fini(&res);
    }
    free(plain);
    free(zipped);
    folder_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_touched_parts_are_rewritten),
        cmocka_unit_test(wrong_hints_are_noticed),
        cmocka_unit_test(columns_are_reported),
        cmocka_unit_test(cancel_and_failures_leave_all_as_it_was),
        cmocka_unit_test(missing_and_broken_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
