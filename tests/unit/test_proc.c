#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/loop/loop.h"
#include "server/loop/proc.h"

struct fixture {
    struct loop *loop;
    struct proc_result result;
    struct buf out, err; /* what came by on_output, or was captured */
    int exits;
    struct proc *proc;
    int stop_after;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    assert_int_equal(loop_new(1, &f->loop), ST_OK);
    buf_init(&f->out, 64 << 20);
    buf_init(&f->err, 1 << 20);
    f->stop_after = 1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    loop_free(f->loop);
    buf_fini(&f->out);
    buf_fini(&f->err);
    free(f);
    return 0;
}

static void on_output(void *arg, int stream, struct str bytes)
{
    struct fixture *f = arg;
    buf_str_add(stream == 1 ? &f->out : &f->err, bytes);
}

static void on_exit_(void *arg, const struct proc_result *result)
{
    struct fixture *f = arg;
    f->result = *result;
    buf_str_add(&f->out, result->output);
    f->result.output = STR_NONE;
    if (++f->exits == f->stop_after) {
        loop_stop(f->loop);
    }
}

static void too_late(void *arg)
{
    struct fixture *f = arg;
    loop_stop(f->loop);
}

static void run(struct fixture *f)
{
    struct timer *t = timer_new(f->loop, too_late, f);
    timer_start(t, 15000, 0);
    loop_run(f->loop, NULL, NULL);
    timer_free(t);
    assert_int_equal(f->exits, f->stop_after);
    assert_int_equal(proc_count(f->loop), 0);
}

static const char *const plain_env[] = { "PATH=/usr/bin:/bin", "GREETING=hello", NULL };

static struct proc_options shell(struct fixture *f, const char *const *argv)
{
    return (struct proc_options){
        .argv = argv, .env = plain_env, .on_output = on_output, .on_exit = on_exit_, .arg = f
    };
}

static void output_env_folder_and_status(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "sh", "-c", "echo $GREETING; pwd; echo bad >&2; exit 7", NULL };
    struct proc_options o = shell(f, argv);
    o.cwd = "/usr";
    proc_start(f->loop, &o);
    assert_int_equal(proc_count(f->loop), 1);
    run(f);
    assert_true(str_eqz(buf_str(&f->out), "hello\n/usr\n"));
    assert_true(str_eqz(buf_str(&f->err), "bad\n"));
    assert_true(f->result.exited);
    assert_int_equal(f->result.code, 7);
    assert_true(f->result.pid > 0 && f->result.wall_us > 0 && f->result.max_rss_kb > 0);
}

static void captured_output_is_limited(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "sh", "-c", "head -c 300000 /dev/zero; echo note >&2", NULL };
    struct proc_options o = shell(f, argv);
    o.capture_stdout = true;
    o.stdout_max = 100000;
    proc_start(f->loop, &o);
    run(f);
    assert_int_equal(f->out.n, 100000);
    assert_true(f->result.output_cut);
    assert_true(str_eqz(buf_str(&f->err), "note\n"));
    assert_int_equal(f->result.code, 0);
}

static void large_input_goes_through_a_filter(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "cat", NULL };
    struct proc_options o = shell(f, argv);
    size_t n = 3 << 20;
    char *bytes = xmalloc(n);
    memset(bytes, 'x', n);
    o.input = (struct str){ bytes, n };
    proc_start(f->loop, &o);
    free(bytes); /* copied */
    run(f);
    assert_int_equal(f->out.n, n);
}

static void input_that_nobody_reads(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "true", NULL };
    struct proc_options o = shell(f, argv);
    size_t n = 1 << 20;
    char *bytes = xcalloc(1, n);
    o.input = (struct str){ bytes, n };
    proc_start(f->loop, &o);
    free(bytes);
    run(f);
    assert_true(f->result.exited);
    assert_int_equal(f->result.code, 0);
}

static void what_cannot_start_says_why(void **state)
{
    struct fixture *f = *state;
    const char *const missing[] = { "no-such-program-anywhere", NULL };
    const char *const folder[] = { "/usr", NULL };
    const char *const data[] = { "/etc/passwd", NULL };
    struct proc_options o = shell(f, missing);
    proc_start(f->loop, &o);
    run(f);
    assert_int_equal(f->result.start_errno, ENOENT);
    assert_int_equal(f->result.pid, 0);
    f->exits = 0;
    o.argv = folder;
    proc_start(f->loop, &o);
    run(f);
    assert_int_equal(f->result.start_errno, EACCES);
    f->exits = 0;
    o.argv = data;
    proc_start(f->loop, &o);
    run(f);
    assert_int_equal(f->result.start_errno, EACCES);
    const char *const there[] = { "true", NULL };
    f->exits = 0;
    o.argv = there;
    o.cwd = "/no/such/folder";
    proc_start(f->loop, &o);
    run(f);
    assert_int_equal(f->result.start_errno, ENOENT);
}

static void kill_now(void *arg)
{
    struct fixture *f = arg;
    assert_true(proc_pid(f->proc) > 0);
    proc_kill(f->proc, SIGTERM);
}

static void the_whole_group_is_killed(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "sh", "-c", "sleep 100 & sleep 100; wait", NULL };
    struct proc_options o = shell(f, argv);
    int64_t from = clock_mono_ms();
    f->proc = proc_start(f->loop, &o);
    struct timer *t = timer_new(f->loop, kill_now, f);
    timer_start(t, 200, 0);
    run(f);
    timer_free(t);
    assert_false(f->result.exited);
    assert_int_equal(f->result.signal, SIGTERM);
    assert_true(clock_mono_ms() - from < 5000);
}

static void a_kill_before_the_start_is_kept(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "sleep", "100", NULL };
    struct proc_options o = shell(f, argv);
    struct proc *p = proc_start(f->loop, &o);
    assert_int_equal(proc_pid(p), 0);
    proc_kill(p, SIGKILL);
    proc_kill(p, SIGTERM); /* doesn't soften it */
    run(f);
    assert_int_equal(f->result.signal, SIGKILL);
}

/* A daemon that inherited the pipe must not keep us waiting. */
static void grandchildren_do_not_hang_the_exit(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "sh", "-c", "sleep 20 & echo $!", NULL };
    struct proc_options o = shell(f, argv);
    int64_t from = clock_mono_ms();
    proc_start(f->loop, &o);
    run(f);
    int64_t took = clock_mono_ms() - from;
    assert_true(took >= PROC_GRACE_MS && took < 5000);
    int64_t daemon;
    assert_int_equal(str_i64(str_trim(buf_str(&f->out)), &daemon), ST_OK);
    assert_int_equal(kill((pid_t)daemon, SIGKILL), 0);
}

/* The set of a line "Sig…:\t<16 hex digits>" of /proc/PID/status. */
static unsigned long long signal_set(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    assert_non_null(line);
    return strtoull(line + strlen(name), NULL, 16);
}

static void signals_and_descriptors_are_clean(void **state)
{
    struct fixture *f = *state;
    /* Blocked, ignored and caught signals of the child; its open descriptors. */
    const char *const argv[] = { "sh", "-c",
                                 "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd",
                                 NULL };
    struct proc_options o = shell(f, argv);
    proc_start(f->loop, &o);
    run(f);
    assert_int_equal(signal_set(f->out.p, "SigBlk:"), 0);
    /* glibc ignores the two signals of its own threads, 32 and 33, in what it spawns. */
    assert_int_equal(signal_set(f->out.p, "SigIgn:") & ~0x180000000ull, 0);
    assert_non_null(strstr(f->out.p, "0\n1\n2\n3\n")); /* 3: ls's own */
    assert_null(strstr(f->out.p, "\n4\n"));
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

static void many_at_once_leave_nothing(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = { "sh", "-c", "exit 3", NULL };
    struct proc_options o = shell(f, argv);
    proc_start(f->loop, &o);
    run(f);
    int before = count_descriptors();
    f->exits = 0;
    f->stop_after = 40;
    for (int i = 0; i < 40; i++) {
        proc_start(f->loop, &o);
    }
    run(f);
    assert_int_equal(f->result.code, 3);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(loop_pending(f->loop), 0);
}

int main(void)
{
    for (int fd = 3; fd < 1024; fd++) { /* what the test itself was given */
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(output_env_folder_and_status, setup, teardown),
        cmocka_unit_test_setup_teardown(captured_output_is_limited, setup, teardown),
        cmocka_unit_test_setup_teardown(large_input_goes_through_a_filter, setup, teardown),
        cmocka_unit_test_setup_teardown(input_that_nobody_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_start_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(the_whole_group_is_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_kill_before_the_start_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(grandchildren_do_not_hang_the_exit, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_and_descriptors_are_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(many_at_once_leave_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
