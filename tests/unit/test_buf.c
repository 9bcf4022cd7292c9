/* Growable bytes: contents, the NUL behind, the limit, handing over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/base/buf.h"
#include "server/base/mem.h"

static void assert_buf(const struct buf *b, const char *want)
{
    assert_true(buf_ok(b));
    assert_string_equal(b->p, want); /* also proves the NUL */
    assert_int_equal(b->n, strlen(want));
}

static void appends(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1000);
    assert_true(str_set(buf_str(&b)));
    assert_int_equal(buf_str(&b).n, 0);
    buf_add(&b, NULL, 0);
    buf_str_add(&b, STR_NONE);
    buf_str_add(&b, STR("one "));
    buf_puts(&b, "two ");
    buf_putc(&b, '3');
    buf_putc(&b, ' ');
    buf_u64(&b, 0);
    buf_putc(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_putc(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_putc(&b, ' ');
    buf_i64(&b, 77);
    buf_printf(&b, " %s-%d", "x", 5);
    assert_buf(&b, "one two 3 0 18446744073709551615 -9223372036854775808 77 x-5");
    buf_clear(&b);
    assert_buf(&b, "");
    buf_puts(&b, "again");
    assert_true(str_eqz(buf_str(&b), "again"));
}

static void keeps_zero_bytes(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(10);
    buf_add(&b, "a\0b", 3);
    assert_int_equal(b.n, 3);
    assert_memory_equal(b.p, "a\0b", 4);
}

static void printf_grows(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(100000);
    size_t want = 0;
    for (int i = 0; i < 400; i++) {
        buf_printf(&b, "%0*d", i, i);
        want += i == 0 ? 1 : (size_t)i;
        if (i > 0 && i < 10) {
            assert_int_equal(b.p[b.n - 1], '0' + i);
        }
        assert_int_equal(b.n, want);
        assert_int_equal(b.p[b.n], '\0');
    }
    assert_true(buf_ok(&b));
    buf_printf(&b, "%s", "");
    assert_int_equal(b.n, want);
}

static void limit_is_exact_and_sticky(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(10);
    buf_puts(&b, "1234567890");
    assert_buf(&b, "1234567890");
    buf_putc(&b, 'x');
    assert_false(buf_ok(&b));
    assert_string_equal(b.p, "1234567890");
    buf_clear(&b);
    buf_printf(&b, "%s", "1234567890a");
    assert_false(buf_ok(&b));
    assert_string_equal(b.p, "");
    buf_puts(&b, "fits, but the failure stays");
    buf_putc(&b, 'x');
    assert_int_equal(b.n, 0);
    assert_null(buf_reserve(&b, 1));
    buf_clear(&b);
    buf_printf(&b, "%s", "1234567890");
    assert_buf(&b, "1234567890");
}

static void refuses_absurd_sizes(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(SIZE_MAX);
    buf_puts(&b, "x");
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_false(buf_ok(&b));
    buf_clear(&b);
    assert_null(buf_reserve(&b, SIZE_MAX - 1));
    assert_false(buf_ok(&b));
    assert_string_equal(b.p, "");
    CLEANUP(buf_fini) struct buf none = BUF_INIT(0);
    buf_add(&none, "", 0);
    assert_true(buf_ok(&none));
    buf_putc(&none, 'x');
    assert_false(buf_ok(&none));
}

static void reserves(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT(100);
    char *to = buf_reserve(&b, 50);
    assert_non_null(to);
    memset(to, 'h', 5);
    buf_commit(&b, 5);
    assert_buf(&b, "hhhhh");
    assert_non_null(buf_reserve(&b, 95));
    buf_commit(&b, 0);
    assert_buf(&b, "hhhhh");
}

static void hands_over(void **state)
{
    (void)state;
    struct buf b;
    size_t n = 9;
    buf_init(&b, 100);
    assert_null(buf_take(&b, &n));
    assert_int_equal(n, 0);
    buf_puts(&b, "mine");
    char *p = buf_take(&b, &n);
    assert_string_equal(p, "mine");
    assert_int_equal(n, 4);
    free(p);
    assert_null(b.p);
    buf_puts(&b, "next");
    assert_buf(&b, "next");
    buf_clear(&b);
    assert_null(buf_take(&b, NULL)); /* empty, though it had memory */
    buf_fini(&b);
    buf_fini(&b);
    struct buf zeroed = { 0 };
    buf_fini(&zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(keeps_zero_bytes),
        cmocka_unit_test(printf_grows),
        cmocka_unit_test(limit_is_exact_and_sticky),
        cmocka_unit_test(refuses_absurd_sizes),
        cmocka_unit_test(reserves),
        cmocka_unit_test(hands_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
