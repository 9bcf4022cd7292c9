#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/outbox.h"
#include "server/service.h"
#include "server/store/db.h"
#include "tests/support/core_fixture.h"

#define SEEN_MAX 2000

/* A service whose work is in the outbox. */
struct postman {
    struct core *core;
    int n;
    struct {
        int64_t id, attempt;
        char payload[16], target[16];
    } seen[SEEN_MAX];
    bool finish;      /* done at once, in the same pass */
    int retries_left; /* else again, after 5 ms */
};
static struct postman postman;

static void copy(char out[16], struct str s)
{
    snprintf(out, 16, "%.*s", STR_ARG(s));
}

static void deliver(void *state, const struct outbox_row *row)
{
    struct postman *p = state;
    assert_true(p->n < SEEN_MAX);
    p->seen[p->n].id = row->id;
    p->seen[p->n].attempt = row->attempt;
    copy(p->seen[p->n].payload, row->payload);
    copy(p->seen[p->n].target, row->target);
    p->n++;
    assert_true(str_eqz(row->kind, "letter"));
    assert_true(outbox_in_flight(p->core, row->id));
    if (p->retries_left > 0) {
        p->retries_left--;
        assert_int_equal(outbox_retry(p->core, row->id, clock_now_ms() + 5, STR("again")), ST_OK);
    } else if (p->finish) {
        assert_int_equal(db_exec(core_db(p->core), "UPDATE delivered SET n=n+1"), ST_OK);
        assert_int_equal(outbox_done(p->core, row->id), ST_OK);
    }
}

static enum status postman_init(struct core *core, void **ret_state)
{
    postman.core = core;
    postman.n = 0;
    *ret_state = &postman;
    outbox_register(core, "letter", deliver, &postman);
    return ST_OK;
}

static const struct service postman_service = {
    .name = "postman",
    .schema_sql = "CREATE TABLE IF NOT EXISTS delivered(n INTEGER);"
                  "INSERT INTO delivered SELECT 0 WHERE NOT EXISTS(SELECT 1 FROM delivered)",
    .init = postman_init,
};
static const struct service *const services_list[] = { &postman_service, NULL };

static int setup(void **state)
{
    static struct core_fixture f;
    postman = (struct postman){ .finish = true };
    core_fixture_open(&f, services_list);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    core_fixture_close(*state);
    return 0;
}

static int64_t add(struct core_fixture *f, const char *payload, int64_t due_ms)
{
    int64_t id = 0;
    assert_int_equal(outbox_add(f->core, "letter", STR("to"), str_z(payload), due_ms, &id), ST_OK);
    assert_true(id > 0);
    return id;
}

static bool nothing_left(void *arg)
{
    struct core_fixture *f = arg;
    return outbox_pending(f->core, "letter", INT64_MAX) == 0;
}

static int64_t delivered(struct core_fixture *f)
{
    int64_t n;
    assert_int_equal(db_get_i64(core_db(f->core), &n, "SELECT n FROM delivered"), ST_OK);
    return n;
}

static void rows_come_in_order_of_their_time(void **state)
{
    struct core_fixture *f = *state;
    int64_t now = clock_now_ms();
    add(f, "late", now + 40);
    add(f, "soon", now + 10);
    add(f, "now", 0);
    add(f, "past", now - 1000);
    assert_int_equal(postman.n, 0); /* not before the commit */
    core_fixture_until(f, nothing_left, f);
    assert_int_equal(postman.n, 4);
    assert_string_equal(postman.seen[0].payload, "past");
    assert_string_equal(postman.seen[1].payload, "now");
    assert_string_equal(postman.seen[2].payload, "soon");
    assert_string_equal(postman.seen[3].payload, "late");
    assert_string_equal(postman.seen[0].target, "to");
    assert_true(clock_now_ms() >= now + 40);
    assert_int_equal(delivered(f), 4);
}

static void what_is_rolled_back_was_never_there(void **state)
{
    struct core_fixture *f = *state;
    struct core_mark mark;
    assert_int_equal(core_mark(f->core, &mark), ST_OK);
    add(f, "no", 0);
    core_mark_undo(f->core, mark);
    core_fixture_pass(f);
    add(f, "yes", 0);
    core_fixture_until(f, nothing_left, f);
    assert_int_equal(postman.n, 1);
    assert_string_equal(postman.seen[0].payload, "yes");
}

static void retries_count_and_change_the_payload(void **state)
{
    struct core_fixture *f = *state;
    postman.retries_left = 2;
    int64_t id = add(f, "first", 0);
    core_fixture_until(f, nothing_left, f);
    assert_int_equal(postman.n, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(postman.seen[i].id, id);
        assert_int_equal(postman.seen[i].attempt, i);
        assert_string_equal(postman.seen[i].payload, i == 0 ? "first" : "again");
    }
    assert_int_equal(outbox_done(f->core, id), ST_NOT_FOUND);
    assert_int_equal(outbox_retry(f->core, id, 0, STR_NONE), ST_NOT_FOUND);
}

static void in_flight_is_never_handed_over_twice(void **state)
{
    struct core_fixture *f = *state;
    postman.finish = false;
    int64_t id = add(f, "a", 0);
    core_fixture_pass(f);
    core_fixture_pass(f);
    assert_int_equal(postman.n, 1);
    add(f, "b", 0); /* another look at what is due */
    core_fixture_pass(f);
    assert_int_equal(postman.n, 2);
    assert_int_equal(outbox_pending(f->core, "letter", 0), 2);
    /* An end that is rolled back is no end. */
    struct core_mark mark;
    assert_int_equal(core_mark(f->core, &mark), ST_OK);
    assert_int_equal(outbox_done(f->core, id), ST_OK);
    core_mark_undo(f->core, mark);
    core_fixture_pass(f);
    assert_true(outbox_in_flight(f->core, id));
    /* Retried while its retry isn't committed: waits for the commit. */
    assert_int_equal(outbox_retry(f->core, id, clock_now_ms(), STR_NONE), ST_OK);
    core_fixture_pass(f);
    core_fixture_pass(f);
    assert_int_equal(postman.n, 3);
    assert_int_equal(postman.seen[2].id, id);
    assert_int_equal(postman.seen[2].attempt, 1);
    assert_string_equal(postman.seen[2].payload, "a");
}

static void a_restart_continues(void **state)
{
    struct core_fixture *f = *state;
    postman.finish = false;
    int64_t flying = add(f, "flying", 0);
    int64_t waiting = add(f, "waiting", clock_now_ms() + 100);
    core_fixture_pass(f);
    assert_int_equal(postman.n, 1);
    postman.finish = true;
    core_fixture_restart(f);
    core_fixture_until(f, nothing_left, f);
    assert_int_equal(postman.n, 2);
    assert_int_equal(postman.seen[0].id, flying); /* handed over again, not counted as a retry */
    assert_int_equal(postman.seen[0].attempt, 0);
    assert_int_equal(postman.seen[1].id, waiting);
    assert_int_equal(delivered(f), 2);
}

static void other_kinds_wait_for_their_owner(void **state)
{
    struct core_fixture *f = *state;
    assert_int_equal(outbox_add(f->core, "unknown", STR_NONE, STR("x"), 0, NULL), ST_OK);
    add(f, "known", 0);
    core_fixture_until(f, nothing_left, f);
    assert_int_equal(postman.n, 1);
    core_fixture_restart(f);
    int64_t n;
    assert_int_equal(
        db_get_i64(core_db(f->core), &n, "SELECT count(*) FROM outbox WHERE kind='unknown'"),
        ST_OK);
    assert_int_equal(n, 1);
}

static void hurry_makes_them_due(void **state)
{
    struct core_fixture *f = *state;
    add(f, "tomorrow", clock_now_ms() + 86400000);
    core_fixture_pass(f);
    assert_int_equal(outbox_pending(f->core, "letter", clock_now_ms()), 0);
    assert_int_equal(outbox_pending(f->core, "letter", INT64_MAX), 1);
    assert_int_equal(outbox_hurry(f->core, "letter"), ST_OK);
    core_fixture_until(f, nothing_left, f);
    assert_int_equal(postman.n, 1);
}

static void more_than_a_batch(void **state)
{
    struct core_fixture *f = *state;
    for (int i = 0; i < 3 * OUTBOX_BATCH; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        add(f, text, 1 + i / 10);
    }
    core_fixture_until(f, nothing_left, f);
    assert_int_equal(postman.n, 3 * OUTBOX_BATCH);
    for (int i = 0; i < postman.n; i++) {
        assert_int_equal(strtol(postman.seen[i].payload, NULL, 10), i);
    }
}

int main(void)
{
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_in_order_of_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_rolled_back_was_never_there, setup, teardown),
        cmocka_unit_test_setup_teardown(retries_count_and_change_the_payload, setup, teardown),
        cmocka_unit_test_setup_teardown(in_flight_is_never_handed_over_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_continues, setup, teardown),
        cmocka_unit_test_setup_teardown(other_kinds_wait_for_their_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(hurry_makes_them_due, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_a_batch, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
