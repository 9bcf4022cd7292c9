/* The log: what is shown, how a line looks, the ring, threads, a real crash in a child process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/base/sanitize.h"

#define CAUGHT_MAX ((size_t)4 << 20)

extern char **environ;

static FILE *caught_file;
static int true_stderr = -1;

static void catch_begin(void)
{
    caught_file = tmpfile();
    assert_non_null(caught_file);
    fflush(stderr);
    true_stderr = dup(STDERR_FILENO);
    assert_true(true_stderr >= 0);
    assert_true(dup2(fileno(caught_file), STDERR_FILENO) >= 0);
}

/* What went to stderr since catch_begin. */
static void catch_end(struct buf *ret)
{
    assert_true(dup2(true_stderr, STDERR_FILENO) >= 0);
    close(true_stderr);
    rewind(caught_file);
    char piece[4096];
    size_t n;
    buf_init(ret, CAUGHT_MAX);
    while ((n = fread(piece, 1, sizeof(piece), caught_file)) > 0) {
        buf_add(ret, piece, n);
    }
    fclose(caught_file);
    assert_true(buf_ok(ret));
}

static size_t count_lines(const struct buf *b, const char *with)
{
    size_t n = 0;
    struct str rest = buf_str(b), line;
    while (str_next(&rest, '\n', &line)) {
        n += str_find_str(line, str_z(with)) >= 0 ? 1 : 0;
    }
    return n;
}

static void configures(void **state)
{
    (void)state;
    assert_int_equal(log_configure("info"), ST_OK);
    assert_true(log_enabled(LOG_INFO, "s3"));
    assert_false(log_enabled(LOG_DEBUG, "s3"));
    assert_int_equal(log_configure("warn, s3=debug ,http=error"), ST_OK);
    assert_true(log_enabled(LOG_DEBUG, "s3"));
    assert_false(log_enabled(LOG_WARN, "http"));
    assert_true(log_enabled(LOG_ERROR, "http"));
    assert_true(log_enabled(LOG_WARN, "dms"));
    assert_false(log_enabled(LOG_INFO, "dms"));
    static const char *const bad[] = { "loud",         "s3=",           "=debug",
                                       "info,s3=loud", "info s3=debug", "info,,debug",
                                       "s3=debug=warn" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(log_configure(bad[i]), ST_INVALID);
    }
    CLEANUP(buf_fini) struct buf many = BUF_INIT(10000);
    for (int i = 0; i < 100; i++) {
        buf_printf(&many, "t%d=debug,", i);
    }
    assert_int_equal(log_configure(many.p), ST_INVALID);
    char topic[200];
    memset(topic, 't', sizeof(topic));
    memcpy(topic + 100, "=warn", 6);
    assert_int_equal(log_configure(topic), ST_INVALID);
    assert_true(log_enabled(LOG_DEBUG, "s3")); /* a refused text changes nothing */
    assert_int_equal(log_configure("info"), ST_OK);
}

static void writes_lines(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b;
    clock_fake_ms(1795158489007);
    catch_begin();
    log_info("s3", "put %s in %d ms", "a/b", 5);
    log_debug("s3", "not shown");
    log_error("dms", "two\nlines\tand \x1b[31m");
    clock_fake_ms(1795158490000);
    log_warn("dms", "%s", "");
    catch_end(&b);
    clock_fake_ms(-1);
    assert_string_equal(b.p, "2026-11-20T07:08:09.007Z info s3: put a/b in 5 ms\n"
                             "2026-11-20T07:08:09.007Z error dms: two\\nlines\\tand \\x1b[31m\n"
                             "2026-11-20T07:08:10.000Z warn dms: \n");
}

static void bounds_lines(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b;
    char text[20000];
    for (int escape = 0; escape < 2; escape++) {
        memset(text, escape ? '\x01' : 'x', sizeof(text));
        catch_begin();
        log_info("s3", "%.*s", (int)sizeof(text), text);
        catch_end(&b);
        assert_true(b.n <= 4096 && b.n > 4000);
        assert_string_equal(b.p + b.n - 4, "...\n");
        assert_int_equal(count_lines(&b, "info"), 1);
        buf_fini(&b);
    }
}

static void ring_keeps_the_last(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b;
    char text[600];
    memset(text, 'y', sizeof(text));
    catch_begin();
    for (int i = 0; i < 1500; i++) {
        log_debug("ring", "line %d.", i);
    }
    log_debug("ring", "%.*s", (int)sizeof(text), text);
    log_dump_ring();
    catch_end(&b);
    assert_int_equal(count_lines(&b, " debug ring: "), 1000);
    assert_int_equal(count_lines(&b, "line 500."), 0);
    assert_int_equal(count_lines(&b, "line 501."), 1);
    assert_int_equal(count_lines(&b, "line 1499."), 1);
    struct str rest = buf_str(&b), line;
    while (str_next(&rest, '\n', &line)) {
        assert_true(line.n < 512);
    }
}

enum { THREADS = 4, THREAD_LINES = 300 };

static void *log_a_lot(void *arg)
{
    for (int i = 0; i < THREAD_LINES; i++) {
        log_info("thread", "from %d: %d.", *(int *)arg, i);
        log_debug("thread", "hidden");
    }
    return NULL;
}

static void threads_write_whole_lines(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    catch_begin();
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, log_a_lot, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    catch_end(&b);
    size_t n = 0;
    struct str rest = buf_str(&b), line;
    while (str_next(&rest, '\n', &line)) {
        assert_true(str_starts(line, STR("20")) && str_ends(line, STR(".")));
        assert_true(str_find_str(line, STR("Z info thread: from ")) == 23);
        n++;
    }
    assert_int_equal(n, THREADS * THREAD_LINES);
}

#if !defined(CISTERN_ASAN) && !defined(CISTERN_TSAN)
/* Too deep for any stack; the result keeps the compiler from making it a loop. */
static int overflow(const volatile char *above, int deeper)
{
    volatile char here[4096];
    here[0] = (char)(above ? above[0] : 1);
    return (deeper > 0 ? overflow(here, deeper - 1) : 0) + here[0];
}

static void crash_as(const char *how)
{
    log_install_crash_handler();
    log_debug("crash", "last words");
    if (strcmp(how, "segv") == 0) {
        raise(SIGSEGV);
    } else if (strcmp(how, "stack") == 0) {
        overflow(NULL, INT32_MAX);
    } else {
        abort();
    }
}

/* Runs this program again as a child that crashes. */
static void crashes(const char *how, int signal_wanted)
{
    CLEANUP(buf_fini) struct buf b;
    char *argv[] = { "/proc/self/exe", "crash", (char *)(uintptr_t)how, NULL };
    pid_t pid;
    int status = 0;
    catch_begin();
    int started = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);
    if (started == 0) {
        waitpid(pid, &status, 0);
    }
    catch_end(&b);
    assert_int_equal(started, 0);
    assert_true(WIFSIGNALED(status)); /* the default action, so a core or a debugger still works */
    assert_int_equal(WTERMSIG(status), signal_wanted);
    assert_int_equal(count_lines(&b, " debug crash: last words"), 1);
    assert_int_equal(count_lines(&b, "cistern: "), 1);
}

static void crash_prints_the_ring(void **state)
{
    (void)state;
    crashes("segv", SIGSEGV);
    crashes("abort", SIGABRT);
    crashes("stack", SIGSEGV);
}
#endif

int main(int argc, char **argv)
{
#if !defined(CISTERN_ASAN) && !defined(CISTERN_TSAN)
    if (argc == 3 && strcmp(argv[1], "crash") == 0) {
        crash_as(argv[2]);
        return 0;
    }
#else
    (void)argc;
    (void)argv;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configures),
        cmocka_unit_test(writes_lines),
        cmocka_unit_test(bounds_lines),
        cmocka_unit_test(ring_keeps_the_last),
        cmocka_unit_test(threads_write_whole_lines),
#if !defined(CISTERN_ASAN) && !defined(CISTERN_TSAN)
        cmocka_unit_test(crash_prints_the_ring),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
