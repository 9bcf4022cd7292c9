/* Regions: zeroed, aligned, apart from each other; the limit; copies and formatting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/base/arena.h"
#include "server/base/mem.h"
#include "server/base/sanitize.h"

#define PLENTY ((size_t)64 << 20)

/* Each piece is filled with its own byte; at the end all must still hold it. */
static void pieces_do_not_overlap(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(PLENTY);
    enum { PIECES = 3000 };
    static unsigned char *piece[PIECES];
    static size_t size[PIECES];
    uint32_t seed = 1;
    for (size_t i = 0; i < PIECES; i++) {
        seed = seed * 1664525 + 1013904223;
        size[i] = i % 100 == 99 ? seed >> 14 : (seed >> 8) % 200; /* up to 256 KiB */
        piece[i] = arena_alloc(a, size[i]);
        assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size[i]; k++) {
            assert_int_equal(piece[i][k], 0);
        }
        memset(piece[i], (int)(i % 255) + 1, size[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < size[i]; k++) {
            assert_int_equal(piece[i][k], i % 255 + 1);
        }
    }
    assert_false(arena_over(a));
}

static void limit_sticks_and_serves(void **state)
{
    (void)state;
    struct arena *a = arena_new(1000);
    arena_alloc(a, 1000);
    assert_false(arena_over(a));
    char *p = arena_alloc(a, 1);
    assert_true(arena_over(a));
    *p = 'x';
    memset(arena_alloc(a, 100000), 1, 100000);
    assert_true(arena_over(a));
    arena_free(a);
    arena_free(NULL);
}

static void copies(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(PLENTY);
    char text[] = "text";
    struct str s = arena_str(a, (struct str){ text, 3 });
    text[0] = 'X';
    assert_true(str_eqz(s, "tex"));
    assert_int_equal(s.p[3], '\0');
    assert_false(str_set(arena_str(a, STR_NONE)));
    assert_false(str_set(arena_strz(a, NULL)));
    assert_true(str_set(arena_str(a, STR(""))));
    assert_true(str_eqz(arena_strz(a, "z"), "z"));
    assert_string_equal(arena_cstr(a, STR_NONE), "");
    assert_string_equal(arena_cstr(a, STR("ab\0cd")), "ab");
    uint64_t *numbers = ARENA_ARRAY(a, uint64_t, 5);
    assert_int_equal(numbers[4], 0);
}

static void formats(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(PLENTY);
    for (int n = 250; n < 262; n++) { /* around the size of the stack buffer inside */
        struct str s = arena_printf(a, "%0*d!", n, 7);
        assert_int_equal(s.n, n + 1);
        assert_true(str_ends(s, STR("07!")));
        assert_int_equal(s.p[s.n], '\0');
    }
    struct str empty = arena_printf(a, "%s", "");
    assert_true(str_set(empty));
    assert_int_equal(empty.n, 0);
}

#ifdef CISTERN_ASAN
static void overruns_are_seen(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(PLENTY);
    static const size_t sizes[] = { 1, 7, 16, 32, 100, 9000, 100000 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *p = arena_alloc(a, sizes[i]);
        assert_false(__asan_address_is_poisoned(p + sizes[i] - 1));
        assert_true(__asan_address_is_poisoned(p + sizes[i]));
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(limit_sticks_and_serves),
        cmocka_unit_test(copies),
        cmocka_unit_test(formats),
#ifdef CISTERN_ASAN
        cmocka_unit_test(overruns_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
