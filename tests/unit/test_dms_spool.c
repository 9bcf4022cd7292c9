/* The thread behind a writer of files: order, hand-over of buffers, waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "emulators/dms/file/spool.h"
#include "server/base/mem.h"

struct sink {
    struct buf got;
    unsigned slow_us;
};

static void take(void *arg, struct str bytes)
{
    struct sink *sink = arg;
    if (sink->slow_us) {
        usleep(sink->slow_us);
    }
    buf_str_add(&sink->got, bytes);
}

static void push_number(struct dms_spool *s, struct sink *sink, struct buf *b, unsigned i)
{
    buf_printf(b, "%u;", i);
    dms_spool_push(s, take, sink, b);
    assert_int_equal(b->n, 0);
    assert_int_equal(b->max, 1 << 20); /* whichever buffer comes back */
}

static void keeps_the_order_of_each_file(void **state)
{
    (void)state;
    struct dms_spool *s = dms_spool_new();
    struct sink sinks[2] = { { .got = BUF_INIT(1 << 20), .slow_us = 50 },
                             { .got = BUF_INIT(1 << 20) } };
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
    for (unsigned i = 0; i < 500; i++) {
        push_number(s, &sinks[0], &b, i);
        push_number(s, &sinks[1], &b, i);
        buf_printf(&want, "%u;", i);
    }
    dms_spool_wait(s);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sinks[i].got.n, want.n);
        assert_memory_equal(sinks[i].got.p, want.p, want.n);
        buf_fini(&sinks[i].got);
    }
    dms_spool_free(s);
}

static void ends_with_all_jobs_done(void **state)
{
    (void)state;
    struct dms_spool *s = dms_spool_new();
    struct sink sink = { .got = BUF_INIT(1 << 20), .slow_us = 1000 };
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);
    push_number(s, &sink, &b, 1);
    push_number(s, &sink, &b, 2);
    dms_spool_free(s);
    assert_int_equal(sink.got.n, 4);
    assert_memory_equal(sink.got.p, "1;2;", 4);
    buf_fini(&sink.got);
}

static void unused_is_nothing(void **state)
{
    (void)state;
    struct dms_spool *s = dms_spool_new();
    dms_spool_wait(s);
    dms_spool_free(s);
    dms_spool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order_of_each_file),
        cmocka_unit_test(ends_with_all_jobs_done),
        cmocka_unit_test(unused_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
