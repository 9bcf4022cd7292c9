#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/loop/loop.h"

struct fixture {
    struct loop *loop;
    int passes;
    int count;
    int order[64];
    int n_order;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    assert_int_equal(loop_new(3, &f->loop), ST_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    loop_free(f->loop);
    free(f);
    return 0;
}

static bool end_of_pass(void *arg)
{
    struct fixture *f = arg;
    f->passes++;
    return false;
}

static void stop(void *arg)
{
    struct fixture *f = arg;
    loop_stop(f->loop);
}

/* Never waits for ever. */
static void run(struct fixture *f)
{
    struct timer *t = timer_new(f->loop, stop, f);
    timer_start(t, 10000, 0);
    loop_run(f->loop, end_of_pass, f);
    timer_free(t);
}

struct step {
    struct fixture *f;
    int number;
};

static void note(void *arg)
{
    const struct step *s = arg;
    s->f->order[s->f->n_order++] = s->number;
}

static void posts_run_in_order_on_the_loop(void **state)
{
    struct fixture *f = *state;
    struct step steps[10];
    for (int i = 0; i < 10; i++) {
        steps[i] = (struct step){ f, i };
        loop_post(f->loop, note, &steps[i]);
    }
    assert_int_equal(loop_pending(f->loop), 10);
    loop_post(f->loop, stop, f);
    run(f);
    assert_int_equal(f->n_order, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(f->order[i], i);
    }
    assert_int_equal(loop_pending(f->loop), 0);
    assert_true(f->passes > 0);
}

#define JOBS 200

struct job {
    struct fixture *f;
    bool off_loop;
    int value;
};

static void job_run(void *arg)
{
    struct job *j = arg;
    j->off_loop = !loop_on_thread(j->f->loop);
    j->value *= 2;
}

static void job_done(void *arg)
{
    struct job *j = arg;
    assert_true(loop_on_thread(j->f->loop));
    assert_true(j->off_loop);
    j->f->count += j->value;
    if (++j->f->n_order == JOBS) {
        loop_stop(j->f->loop);
    }
}

static void jobs_own_their_input(void **state)
{
    struct fixture *f = *state;
    static struct job jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){ .f = f, .value = i };
        work_start(f->loop, job_run, job_done, &jobs[i]);
    }
    run(f);
    assert_int_equal(f->count, JOBS * (JOBS - 1));
    assert_int_equal(loop_pending(f->loop), 0);
}

static void count_up(void *arg)
{
    struct fixture *f = arg;
    f->count++;
}

static void thread_run(void *arg)
{
    struct fixture *f = arg;
    char name[16];
    assert_int_equal(pthread_getname_np(pthread_self(), name, sizeof(name)), 0);
    for (int i = 0; i < 1000; i++) {
        loop_post(f->loop, count_up, f);
    }
}

static void thread_done(void *arg)
{
    struct fixture *f = arg;
    f->n_order++;
    loop_stop(f->loop);
}

static void threads_are_joined_after_their_posts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(thread_start(f->loop, "a name that is too long", thread_run, thread_done, f),
                     ST_OK);
    assert_int_equal(loop_pending(f->loop) > 0, 1);
    run(f);
    assert_int_equal(f->n_order, 1);
    assert_int_equal(f->count, 1000);
}

static void on_signal(void *arg, int signum)
{
    struct fixture *f = arg;
    f->count = signum;
    loop_stop(f->loop);
}

static void raise_usr1(void *arg)
{
    (void)arg;
    raise(SIGUSR1);
}

static void signals_and_timers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(loop_on_signal(f->loop, SIGUSR1, on_signal, f), ST_OK);
    struct timer *t = timer_new(f->loop, raise_usr1, f);
    int64_t from = clock_mono_ms();
    timer_start(t, 30, 0);
    run(f);
    assert_int_equal(f->count, SIGUSR1);
    assert_true(clock_mono_ms() - from >= 29);
    timer_free(t);
}

struct ticking {
    struct fixture *f;
    struct timer *timer;
};

static void tick(void *arg)
{
    struct ticking *t = arg;
    if (++t->f->count == 5) {
        timer_free(t->timer); /* from within its own call */
        t->timer = NULL;
        loop_stop(t->f->loop);
    }
}

static void timers_repeat_and_may_free_themselves(void **state)
{
    struct fixture *f = *state;
    struct ticking t = { .f = f };
    t.timer = timer_new(f->loop, tick, &t);
    timer_start(t.timer, 1, 1);
    run(f);
    assert_int_equal(f->count, 5);
}

struct watching {
    struct fixture *f;
    struct watch *watch;
    int fd;
};

static void readable(void *arg, int events)
{
    struct watching *w = arg;
    char c;
    assert_true(events & WATCH_READ);
    if (read(w->fd, &c, 1) == 1) {
        w->f->count += c;
        return;
    }
    watch_free(w->watch); /* end of file */
    close(w->fd);
    loop_stop(w->f->loop);
}

static void descriptors_are_watched_to_their_end(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct watching w = { .f = f, .fd = ends[0] };
    w.watch = watch_new(f->loop, ends[0], readable, &w);
    assert_non_null(w.watch);
    watch_start(w.watch, WATCH_READ);
    assert_int_equal(write(ends[1], "\1\2\3", 3), 3);
    close(ends[1]);
    run(f);
    assert_int_equal(f->count, 6);
}

struct rounds {
    struct loop *loop;
    int left;
};

static bool three_rounds(void *arg)
{
    struct rounds *r = arg;
    if (r->left == 0) {
        loop_stop(r->loop);
        return false;
    }
    r->left--;
    return true;
}

static void before_sleep_repeats_until_quiet(void **state)
{
    struct fixture *f = *state;
    struct rounds r = { .loop = f->loop, .left = 3 };
    loop_run(f->loop, three_rounds, &r);
    assert_int_equal(r.left, 0);
    /* A stop that comes before the run ends that run, and only that one. */
    loop_stop(f->loop);
    r.left = 1;
    loop_run(f->loop, three_rounds, &r);
    assert_int_equal(r.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(posts_run_in_order_on_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(jobs_own_their_input, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_are_joined_after_their_posts, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_and_timers, setup, teardown),
        cmocka_unit_test_setup_teardown(timers_repeat_and_may_free_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptors_are_watched_to_their_end, setup, teardown),
        cmocka_unit_test_setup_teardown(before_sleep_repeats_until_quiet, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
