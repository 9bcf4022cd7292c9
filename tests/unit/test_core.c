#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/loop/loop.h"
#include "server/loop/proc.h"
#include "server/service.h"
#include "server/store/db.h"
#include "server/store/tree.h"
#include "tests/support/core_fixture.h"

/* --- a service that writes down what happens to it -------------------------------------------- */

struct diary {
    struct core *core;
    char text[256]; /* one letter per event */
    bool worker_ended;
};
static struct diary diary;
static bool fail_init;

static void note(char what)
{
    size_t n = strlen(diary.text);
    assert_true(n + 1 < sizeof(diary.text));
    diary.text[n] = what;
    diary.text[n + 1] = '\0';
}

static enum status diary_init(struct core *core, void **ret_state)
{
    note('i');
    diary.core = core;
    *ret_state = &diary;
    return fail_init ? ST_IO : ST_OK;
}

static enum status diary_start(void *state)
{
    assert_ptr_equal(state, &diary);
    note('s');
    return ST_OK;
}

static enum status write_last(struct core *core, void *arg)
{
    (void)arg;
    return db_exec(core_db(core), "INSERT INTO t(a) VALUES('last')");
}

/* A worker's last words: needs the core while services stop. */
static void worker(void *arg)
{
    struct diary *d = arg;
    d->worker_ended = core_sync(d->core, write_last, NULL) == ST_OK;
}

static void worker_done(void *arg)
{
    (void)arg;
    note('w');
}

static void diary_stop(void *state)
{
    struct diary *d = state;
    note('x');
    assert_true(core_stopping(d->core));
    work_start(core_loop(d->core), worker, worker_done, d);
}

static void diary_fini(void *state)
{
    (void)state;
    note('f');
}

static void diary_busy(void *state, struct busy *busy)
{
    (void)state;
    busy_add(busy, "diary", "writing %d", 1);
}

static void diary_reset(void *state)
{
    (void)state;
    note('r');
}

static const struct service diary_service = {
    .name = "diary",
    .schema_sql = "CREATE TABLE IF NOT EXISTS t(a TEXT PRIMARY KEY)",
    .init = diary_init,
    .start = diary_start,
    .stop = diary_stop,
    .fini = diary_fini,
    .busy = diary_busy,
    .reset = diary_reset,
};
static const struct service *const diaries[] = { &diary_service, NULL };

/* --- fixture ---------------------------------------------------------------------------------- */

static int setup(void **state)
{
    static struct core_fixture f;
    diary = (struct diary){ 0 };
    core_fixture_open(&f, diaries);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    core_fixture_close(*state);
    return 0;
}

static int64_t count(struct core *core)
{
    int64_t n;
    assert_int_equal(db_get_i64(core_db(core), &n, "SELECT count(*) FROM t"), ST_OK);
    return n;
}

/* --- tests ------------------------------------------------------------------------------------ */

struct seen {
    struct core_fixture *f;
    char order[16];
    bool committed;
};

static void add_letter(char order[16], char letter)
{
    size_t n = strlen(order);
    assert_true(n < 15);
    order[n] = letter;
    order[n + 1] = '\0';
}

static void first(void *arg, bool committed)
{
    struct seen *s = arg;
    s->committed = committed;
    add_letter(s->order, '1');
}

static void second(void *arg, bool committed)
{
    struct seen *s = arg;
    assert_true(committed);
    add_letter(s->order, '2');
    /* The next transaction, which has functions of its own. */
    assert_int_equal(db_exec(core_db(s->f->core), "INSERT INTO t VALUES('from after')"), ST_OK);
    core_after_commit(s->f->core, first, s);
}

static void functions_run_after_the_commit(void **state)
{
    struct core_fixture *f = *state;
    struct seen s = { .f = f };
    struct db *reader;
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('a')"), ST_OK);
    core_after_commit(f->core, second, &s);
    core_after_commit(f->core, first, &s);
    core_fixture_pass(f);
    assert_string_equal(s.order, "211");
    assert_true(s.committed);
    assert_int_equal(db_open(core_db_path(f->core), DB_READ, &reader), ST_OK);
    int64_t n;
    assert_int_equal(db_get_i64(reader, &n, "SELECT count(*) FROM t"), ST_OK);
    assert_int_equal(n, 2);
    db_close(reader);
}

static void an_undone_mark_leaves_nothing(void **state)
{
    struct core_fixture *f = *state;
    struct seen kept = { .f = f }, undone = { .f = f };
    struct core_mark outer, inner;
    assert_int_equal(core_mark(f->core, &outer), ST_OK);
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('a')"), ST_OK);
    core_after_commit(f->core, first, &kept);
    assert_int_equal(core_mark(f->core, &inner), ST_OK);
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('b')"), ST_OK);
    core_after_commit(f->core, first, &undone);
    core_mark_undo(f->core, inner);
    assert_int_equal(core_mark(f->core, &inner), ST_OK);
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('d')"), ST_OK);
    assert_int_equal(core_mark_end(f->core, inner, ST_CONFLICT), ST_CONFLICT);
    assert_int_equal(core_mark(f->core, &inner), ST_OK);
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('c')"), ST_OK);
    assert_int_equal(core_mark_keep(f->core, inner), ST_OK);
    assert_int_equal(core_mark_end(f->core, outer, ST_OK), ST_OK);
    core_fixture_pass(f);
    assert_string_equal(kept.order, "1");
    assert_string_equal(undone.order, "");
    assert_int_equal(count(f->core), 2);
}

static void a_failed_commit_keeps_nothing(void **state)
{
    struct core_fixture *f = *state;
    struct seen s = { .f = f, .committed = true };
    assert_int_equal(
        db_script(core_db(f->core),
                  "CREATE TABLE child(a REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)"),
        ST_OK);
    core_fixture_pass(f);
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('a')"), ST_OK);
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO child VALUES('nobody')"), ST_OK);
    core_after_commit(f->core, first, &s);
    core_fixture_pass(f);
    assert_string_equal(s.order, "1");
    assert_false(s.committed);
    assert_int_equal(count(f->core), 0);
    assert_int_equal(core_counts(f->core).failed_commits, 1);
    /* The next pass is a new start. */
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('a')"), ST_OK);
    core_fixture_pass(f);
    assert_int_equal(count(f->core), 1);
}

#define SYNC_THREADS 4
#define SYNC_ROWS 50

struct writer {
    struct core *core;
    int number;
    int kept, refused;
    bool ended;
};

struct row {
    int number, i;
};

static enum status insert_row(struct core *core, void *arg)
{
    const struct row *r = arg;
    char key[32];
    snprintf(key, sizeof(key), "%d-%d", r->number, r->i);
    enum status st = db_exec(core_db(core), "INSERT INTO t VALUES(?)", bz(key));
    /* Every fifth changes its mind after it has written. */
    return st == ST_OK && r->i % 5 == 0 ? ST_CONFLICT : st;
}

static void write_rows(void *arg)
{
    struct writer *w = arg;
    for (int i = 0; i < SYNC_ROWS; i++) {
        struct row r = { w->number, i };
        enum status st = core_sync(w->core, insert_row, &r);
        w->kept += st == ST_OK ? 1 : 0;
        w->refused += st == ST_CONFLICT ? 1 : 0;
    }
}

static void writer_ended(void *arg)
{
    struct writer *w = arg;
    w->ended = true;
}

static bool all_ended(void *arg)
{
    const struct writer *w = arg;
    return w[0].ended && w[1].ended && w[2].ended && w[3].ended;
}

static void threads_write_through_the_core(void **state)
{
    struct core_fixture *f = *state;
    struct writer w[SYNC_THREADS] = { 0 };
    for (int i = 0; i < SYNC_THREADS; i++) {
        w[i] = (struct writer){ .core = f->core, .number = i };
        assert_int_equal(
            thread_start(core_loop(f->core), "writer", write_rows, writer_ended, &w[i]), ST_OK);
    }
    core_fixture_until(f, all_ended, w);
    for (int i = 0; i < SYNC_THREADS; i++) {
        assert_int_equal(w[i].kept, SYNC_ROWS * 4 / 5);
        assert_int_equal(w[i].refused, SYNC_ROWS / 5);
    }
    assert_int_equal(count(f->core), SYNC_THREADS * SYNC_ROWS * 4 / 5);
    /* What came together was committed together. */
    assert_true(core_counts(f->core).commits <= SYNC_THREADS * SYNC_ROWS + 2);
}

static void the_order_of_life(void **state)
{
    struct core_fixture *f = *state;
    assert_string_equal(diary.text, "is");
    assert_ptr_equal(core_state(f->core, "diary"), &diary);
    assert_null(core_state(f->core, "other"));
    core_fixture_restart(f);
    assert_true(diary.worker_ended);
    assert_string_equal(diary.text, "isxwfis");
    assert_int_equal(count(f->core), 1); /* the worker's last words were kept */
    assert_int_equal(db_exec(core_db(f->core), "DELETE FROM t"), ST_OK);
    core_fixture_pass(f);
}

struct reset_seen {
    struct core *core;
    int done;
    bool ok;
};

static void reset_over(void *arg, bool ok)
{
    struct reset_seen *s = arg;
    s->ok = ok;
    s->done++;
    core_end(s->core);
}

static void reset_empties_tables_and_starts_again(void **state)
{
    struct core_fixture *f = *state;
    struct reset_seen s = { .core = f->core };
    assert_int_equal(db_exec(core_db(f->core), "INSERT INTO t VALUES('a')"), ST_OK);
    core_reset(f->core, reset_over, &s);
    core_run(f->core);
    assert_int_equal(s.done, 1);
    assert_true(s.ok);
    assert_false(core_stopping(f->core));
    assert_string_equal(diary.text, "isxwrs");
    assert_int_equal(count(f->core), 0);
}

static void busy_lists_what_services_say(void **state)
{
    struct core_fixture *f = *state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct busy busy;
    busy_init(&busy, a);
    core_busy(f->core, &busy);
    assert_int_equal(busy.n, 1);
    assert_true(str_eqz(busy.first->detail, "writing 1"));
    for (int i = 0; i < 1000; i++) {
        busy_add(&busy, "x", "%d", i);
    }
    assert_int_equal(busy.n, 1001);
    int kept = 0;
    for (const struct busy_item *item = busy.first; item; item = item->next) {
        kept++;
    }
    assert_int_equal(kept, BUSY_ITEMS_MAX);
}

static void a_service_that_cannot_start_ends_the_rest(void **state)
{
    struct core_fixture *f = *state;
    static const struct service other = { .name = "other", .init = diary_init };
    static const struct service *const two[] = { &diary_service, &other, NULL };
    char dir[] = "/tmp/cistern-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct config config = f->config;
    config.data_dir = dir;
    struct core *core = NULL;
    fail_init = true;
    diary.text[0] = '\0';
    assert_int_equal(core_new(&config, two, &core), ST_IO);
    fail_init = false;
    assert_null(core);
    assert_string_equal(diary.text, "i"); /* its init failed: no fini */
    diary.core = f->core;
    assert_int_equal(tree_remove(dir), ST_OK);
}

static void exited(void *arg, const struct proc_result *result)
{
    int *signal = arg;
    *signal = result->signal;
}

static bool child_ended(void *arg)
{
    const int *signal = arg;
    return *signal != 0;
}

static void children_can_be_ended_together(void **state)
{
    struct core_fixture *f = *state;
    const char *const argv[] = { "sleep", "100", NULL };
    const char *const env[] = { NULL };
    int signal = 0;
    struct proc_options o = { .argv = argv, .env = env, .on_exit = exited, .arg = &signal };
    proc_start(core_loop(f->core), &o);
    core_fixture_pass(f);
    proc_kill_all(core_loop(f->core), 9);
    core_fixture_until(f, child_ended, &signal);
    assert_int_equal(signal, 9);
}

int main(void)
{
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(functions_run_after_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(an_undone_mark_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_commit_keeps_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_write_through_the_core, setup, teardown),
        cmocka_unit_test_setup_teardown(the_order_of_life, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_empties_tables_and_starts_again, setup, teardown),
        cmocka_unit_test_setup_teardown(children_can_be_ended_together, setup, teardown),
        cmocka_unit_test_setup_teardown(busy_lists_what_services_say, setup, teardown),
        cmocka_unit_test_setup_teardown(a_service_that_cannot_start_ends_the_rest, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
