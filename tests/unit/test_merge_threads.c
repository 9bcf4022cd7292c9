/* The merge with several threads: the outcome, good or bad, must not depend on their number. Inputs
 * are bigger than the reader's windows, so that they are handed from thread to thread in pieces. */
#include "emulators/glue/merge/merge.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "tests/unit/merge_folder.h"

#define ROWS 30000u

/* A row whose quoted field holds newlines, quotes and delimiters at ever other places, so that they
 * stand at every offset of a window. */
static void put_row(struct buf *b, unsigned id, unsigned version)
{
    buf_printf(b, "%u,\"v%u\n,\"\"", id, version);
    for (unsigned i = 0; i < id % 23; i++) {
        buf_puts(b, i % 3 ? "x" : "\n\"\"");
    }
    buf_puts(b, "\"\n");
}

/* What a change does to a row; the kinds in turn. */
static char change_of(unsigned id)
{
    return id % 7 == 3 ? 'U' : id % 7 == 5 ? 'D' : '\0';
}

static void put_changes(struct buf *b)
{
    for (unsigned i = 0; i < 2 * ROWS; i++) { /* in no order, but each id once */
        unsigned id = (unsigned)((uint64_t)i * 48611u % (2u * ROWS));
        char op = id % 2 ? (id % 10 == 1 ? 'I' : '\0') : change_of(id / 2);
        if (op) {
            buf_printf(b, "%c,", op);
            put_row(b, id, 2);
        }
    }
}

static void put_expected(struct buf *b)
{
    for (unsigned id = 0; id < 2 * ROWS; id++) {
        char op = id % 2 ? '\0' : change_of(id / 2);
        if (id % 2 ? id % 10 == 1 : op != 'D') {
            put_row(b, id, id % 2 || op == 'U' ? 2 : 1);
        }
    }
}

struct texts {
    struct buf base;
    struct buf change;
    struct buf expected;
};

static int set_up(void **state)
{
    struct texts *t = xcalloc(1, sizeof *t);
    buf_init(&t->base, FOLDER_MAX_BYTES);
    buf_init(&t->change, FOLDER_MAX_BYTES);
    buf_init(&t->expected, FOLDER_MAX_BYTES);
    for (unsigned i = 0; i < ROWS; i++) {
        put_row(&t->base, 2 * i, 1);
    }
    put_changes(&t->change);
    put_expected(&t->expected);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct texts *t = *state;
    buf_fini(&t->base);
    buf_fini(&t->change);
    buf_fini(&t->expected);
    free(t);
    return 0;
}

/* New parts stand in key order behind kept ones, so the test rewrites all. */
static void check_content(struct folder *f, struct str want)
{
    struct buf got = BUF_INIT(FOLDER_MAX_BYTES);
    for (size_t i = 0; i < f->n_parts; i++) {
        folder_read(f->part[i].path, &got);
    }
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    buf_fini(&got);
}

static enum status merge_file(struct folder *f, struct merge_spec spec, struct str text, bool gzip,
                              struct merge_result *res)
{
    struct merge_input in = { .path = folder_write(f, "change", text, gzip),
                              .name = STR("changes") };
    struct merge_job job = { .spec = spec, .changes = &in, .n_changes = 1 };
    enum status st = folder_merge(f, job, res);
    unlink(in.path);
    free((char *)(uintptr_t)in.path);
    return st;
}

static void load(struct folder *f, struct merge_spec spec, struct str text)
{
    folder_init(f);
    struct merge_result res;
    struct merge_input in = { .path = folder_write(f, "load", text, false) };
    struct merge_job job = { .spec = spec, .loads = &in, .n_loads = 1 };
    assert_int_equal(folder_merge(f, job, &res), ST_OK);
    merge_result_fini(&res);
    unlink(in.path);
    free((char *)(uintptr_t)in.path);
}

struct form {
    uint64_t part_bytes;
    uint64_t memory_bytes;
    unsigned threads;
    bool gzip;
    bool foreign; /* the base is one file that nobody knows */
};

static void one_form(const struct texts *t, struct form form)
{
    struct merge_spec spec = { .part_bytes = form.part_bytes,
                               .memory_bytes = form.memory_bytes,
                               .threads = form.threads };
    struct folder f;
    struct merge_result res;
    folder_init(&f);
    spec.tmp_dir = f.dir;
    if (form.foreign) {
        folder_add_part(&f, folder_write(&f, "foreign", buf_str(&t->base), false), STR_NONE,
                        STR_NONE, -1);
    } else {
        struct merge_input in = { .path = folder_write(&f, "load", buf_str(&t->base), false) };
        struct merge_job job = { .spec = spec, .loads = &in, .n_loads = 1 };
        assert_int_equal(folder_merge(&f, job, &res), ST_OK);
        merge_result_fini(&res);
        unlink(in.path);
        free((char *)(uintptr_t)in.path);
    }
    enum status st = merge_file(&f, spec, buf_str(&t->change), form.gzip, &res);
    if (st != ST_OK) {
        fail_msg("%s", res.error);
    }
    check_content(&f, buf_str(&t->expected));
    assert_int_equal(res.counters.upserted_missing + res.counters.deleted_missing, 0);
    assert_int_equal(res.counters.bytes_total, t->expected.n);
    assert_int_equal(f.n_open, 0);
    merge_result_fini(&res);
    folder_fini(&f);
}

static void all_forms_give_the_same(void **state)
{
    const struct texts *t = *state;
    static const uint64_t sizes[] = { MERGE_PART_BYTES_MIN, 100u << 10, MERGE_PART_BYTES_MAX };
    static const unsigned threads[] = { 1, 2, 4 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t k = 0; k < ARRAY_LEN(threads); k++) {
            one_form(t, (struct form){ .part_bytes = sizes[i], .threads = threads[k] });
        }
    }
    for (size_t k = 0; k < ARRAY_LEN(threads); k++) {
        struct form form = { .part_bytes = 100u << 10, .threads = threads[k] };
        form.gzip = true;
        one_form(t, form);
        form.memory_bytes = 200u << 10; /* in many runs on disk */
        one_form(t, form);
        form.foreign = true;
        one_form(t, form);
    }
}

/* The earliest of several bad rows is told, and the set is as it was. */
static void the_first_error_is_told(void **state)
{
    const struct texts *t = *state;
    struct folder f;
    struct merge_result res;
    struct merge_spec spec = { .part_bytes = 50u << 10 };
    load(&f, spec, buf_str(&t->base));
    struct buf bad = BUF_INIT(FOLDER_MAX_BYTES);
    uint64_t line = 0;
    uint64_t lines = 1;
    for (unsigned i = 0; i < ROWS; i++) {
        size_t from = bad.n;
        if (i > ROWS / 2 && i % 100 == 0) {
            line = line ? line : lines;
            buf_printf(&bad, "X,%u,bad\n", i);
        } else {
            buf_puts(&bad, "U,");
            put_row(&bad, 2 * i, 3);
        }
        for (; from < bad.n; from++) {
            lines += bad.p[from] == '\n';
        }
    }
    for (unsigned round = 0; round < 12; round++) {
        spec.threads = 1 + round % 4;
        assert_int_equal(merge_file(&f, spec, buf_str(&bad), round % 2, &res), ST_INVALID);
        assert_int_equal(res.error_line, line);
        assert_non_null(strstr(res.error, "operation \"X\""));
        assert_int_equal(f.n_open + f.n_finished, 0);
        merge_result_fini(&res);
    }
    check_content(&f, buf_str(&t->base));
    buf_fini(&bad);
    folder_fini(&f);
}

/* A part that is broken in its middle: nothing is published, whoever was at work elsewhere. */
static void a_broken_part_fails_the_run(void **state)
{
    const struct texts *t = *state;
    struct folder f;
    struct merge_result res;
    struct merge_spec spec = { .part_bytes = 20u << 10 };
    load(&f, spec, buf_str(&t->base));
    assert_true(f.n_parts > 20);
    const char *path = f.part[f.n_parts / 2].path;
    struct buf part = BUF_INIT(FOLDER_MAX_BYTES);
    folder_read(path, &part);
    size_t cut = part.n - 40;
    while (part.p[cut - 1] != 'v') { /* behind the quote of a late row */
        cut--;
    }
    buf_fini(&part);
    assert_int_equal(truncate(path, (off_t)cut), 0);
    for (unsigned threads = 1; threads <= 4; threads++) {
        spec.threads = threads;
        assert_int_equal(merge_file(&f, spec, buf_str(&t->change), false, &res), ST_INVALID);
        assert_non_null(strstr(res.error, "a quoted field is not closed"));
        assert_non_null(strstr(res.error, path));
        assert_int_equal(f.n_open + f.n_finished, 0);
        assert_int_equal(res.n_written, 0);
        merge_result_fini(&res);
    }
    folder_fini(&f);
}

/* Text keys, of which some have long common beginnings, and a key that is not the first column. */
static void text_keys(void **state)
{
    (void)state;
    struct str key = STR("_c1");
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct merge_spec spec = {
            .part_bytes = 8192, .threads = threads, .key = &key, .n_key = 1
        };
        struct buf base = BUF_INIT(FOLDER_MAX_BYTES);
        struct buf change = BUF_INIT(FOLDER_MAX_BYTES);
        struct buf want = BUF_INIT(FOLDER_MAX_BYTES);
        for (unsigned i = 0; i < 5000; i++) {
            char key_text[40];
            snprintf(key_text, sizeof key_text, i < 2500 ? "1%05ux" : "common-beginning-%05u", i);
            static const char *const word[] = { "one", "\"two\n2\"" };
            buf_printf(&base, "a,%s,%s\n", key_text, word[i % 2]);
            if (i % 5 == 0) {
                buf_printf(&change, "U,a,%s,new\n", key_text);
            }
            if (i % 11 != 10) {
                buf_printf(&want, "a,%s,%s\n", key_text, i % 5 == 0 ? "new" : word[i % 2]);
            } else {
                buf_printf(&change, "D,a,%s,\n", key_text);
            }
        }
        struct folder f;
        struct merge_result res;
        load(&f, spec, buf_str(&base));
        assert_int_equal(merge_file(&f, spec, buf_str(&change), false, &res), ST_OK);
        check_content(&f, buf_str(&want));
        merge_result_fini(&res);
        folder_fini(&f);
        buf_fini(&base);
        buf_fini(&change);
        buf_fini(&want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_give_the_same),
        cmocka_unit_test(the_first_error_is_told),
        cmocka_unit_test(a_broken_part_fails_the_run),
        cmocka_unit_test(text_keys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
