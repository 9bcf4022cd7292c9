/* Random names and the small tables: shapes, alphabets, no repetition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "server/base/id.h"
#include "server/base/map.h"
#include "server/base/mem.h"
#include "server/base/sm.h"

static void assert_alphabet(struct str s, size_t n, const char *alphabet)
{
    assert_int_equal(s.n, n);
    assert_int_equal(strspn(s.p, alphabet), n);
    assert_int_equal(s.p[n], '\0');
}

static void shapes(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    assert_alphabet(id_hex(a, 1000), 1000, "0123456789abcdef");
    assert_alphabet(id_hex_upper(a, 16), 16, "0123456789ABCDEF");
    assert_alphabet(id_base32(a, 26), 26, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    assert_alphabet(id_hex(a, 0), 0, "");
    for (int i = 0; i < 100; i++) {
        struct str u = id_uuid(a);
        assert_int_equal(u.n, 36);
        assert_true(u.p[8] == '-' && u.p[13] == '-' && u.p[18] == '-' && u.p[23] == '-');
        assert_int_equal(u.p[14], '4');
        assert_non_null(strchr("89ab", u.p[19]));
        assert_int_equal(strspn(u.p, "0123456789abcdef-"), 36);
    }
}

/* Every letter appears, about as often as the others: 32,000 draws of 32, 1000 expected each. */
static void letters_are_even(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    unsigned count[256] = { 0 };
    struct str s = id_base32(a, 32000);
    for (size_t i = 0; i < s.n; i++) {
        count[(unsigned char)s.p[i]]++;
    }
    for (const char *c = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; *c; c++) {
        assert_in_range(count[(unsigned char)*c], 700, 1300); /* nine standard deviations */
    }
}

static void *draw(void *arg)
{
    id_random(arg, 200);
    return NULL;
}

static void nothing_repeats(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new((size_t)16 << 20);
    CLEANUP(map_fini) struct map seen;
    map_init(&seen);
    for (int i = 0; i < 5000; i++) {
        assert_null(map_put(&seen, id_hex(a, 16 + (size_t)i % 40), a));
    }
    unsigned char one[200], two[200];
    pthread_t t;
    draw(one);
    assert_int_equal(pthread_create(&t, NULL, draw, two), 0);
    pthread_join(t, NULL);
    assert_memory_not_equal(one, two, sizeof(one));
}

enum { CREATING, AVAILABLE, DELETING };
static const struct sm_state states[] = {
    [CREATING] = { "creating", SM(AVAILABLE) | SM(DELETING), false },
    [AVAILABLE] = { "available", SM(DELETING), true },
    [DELETING] = { "deleting", 0, false },
};

static void state_machine(void **state)
{
    (void)state;
    assert_true(sm_allows(states, CREATING, AVAILABLE));
    assert_true(sm_allows(states, DELETING, DELETING));
    assert_false(sm_allows(states, AVAILABLE, CREATING));
    assert_int_equal(sm_find(states, 3, STR("deleting")), DELETING);
    assert_int_equal(sm_find(states, 3, STR("Deleting")), -1);
    assert_int_equal(sm_find(states, 3, STR_NONE), -1);
    assert_string_equal(status_name(ST_NOT_FOUND), "not_found");
    assert_string_equal(status_name(ST_PENDING), "pending");
    assert_string_equal(status_name((enum status)1000), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(letters_are_even),
        cmocka_unit_test(nothing_repeats),
        cmocka_unit_test(state_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
