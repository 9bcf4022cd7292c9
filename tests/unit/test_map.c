/* Text → pointer: against a plain array over many random changes, and the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/base/map.h"
#include "server/base/mem.h"

static void edges(void **state)
{
    (void)state;
    CLEANUP(map_fini) struct map m;
    int a, b;
    map_init(&m);
    assert_null(map_get(&m, STR("x")));
    assert_null(map_del(&m, STR("x")));
    assert_null(map_put(&m, STR("x"), &a));
    assert_ptr_equal(map_put(&m, STR("x"), &b), &a);
    assert_ptr_equal(map_get(&m, STR("x")), &b);
    assert_int_equal(m.n, 1);
    assert_null(map_put(&m, STR(""), &a));
    assert_ptr_equal(map_get(&m, STR("")), &a);
    assert_null(map_put(&m, STR("k\0a"), &a));
    assert_null(map_put(&m, STR("k\0b"), &b));
    assert_ptr_equal(map_get(&m, STR("k\0a")), &a);
    assert_null(map_get(&m, STR("k")));
    assert_ptr_equal(map_del(&m, STR("x")), &b);
    assert_null(map_del(&m, STR("x")));
    assert_null(map_get(&m, STR("x")));
    assert_int_equal(m.n, 3);
}

static void copies_keys(void **state)
{
    (void)state;
    CLEANUP(map_fini) struct map m;
    int a;
    char key[] = "key";
    map_init(&m);
    map_put(&m, str_z(key), &a);
    key[0] = 'X';
    assert_ptr_equal(map_get(&m, STR("key")), &a);
    assert_null(map_get(&m, STR("Xey")));
}

enum { KEYS = 2000, CHANGES = 100000 };

static struct str key_of(char text[16], unsigned i)
{
    return (struct str){ text, (size_t)snprintf(text, 16, "key-%u", i) };
}

static void agrees_with_an_array(void **state)
{
    (void)state;
    CLEANUP(map_fini) struct map m;
    static char *model[KEYS]; /* NULL: absent */
    static char values[2];
    char text[16];
    uint32_t seed = 12345;
    size_t live = 0;
    map_init(&m);
    for (unsigned step = 0; step < CHANGES; step++) {
        seed = seed * 1664525 + 1013904223;
        unsigned i = (seed >> 8) % KEYS;
        struct str key = key_of(text, i);
        if (seed >> 31) {
            char *value = &values[(seed >> 30) & 1];
            assert_ptr_equal(map_put(&m, key, value), model[i]);
            live += model[i] ? 0 : 1;
            model[i] = value;
        } else {
            assert_ptr_equal(map_del(&m, key), model[i]);
            live -= model[i] ? 1 : 0;
            model[i] = NULL;
        }
        assert_int_equal(m.n, live);
        assert_true(m.used <= m.cap / 4 * 3);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_get(&m, key_of(text, i)), model[i]);
    }
    size_t it = 0, seen = 0;
    struct str key;
    void *value;
    while (map_each(&m, &it, &key, &value)) {
        int64_t i = -1;
        assert_int_equal(str_i64(str_sub(key, 4, key.n), &i), ST_OK);
        assert_ptr_equal(value, model[i]);
        seen++;
    }
    assert_int_equal(seen, live);
}

/* Entries that come and go must not fill the table with tombstones. */
static void churn_keeps_the_table_small(void **state)
{
    (void)state;
    CLEANUP(map_fini) struct map m;
    char text[16];
    map_init(&m);
    for (unsigned i = 0; i < 10000; i++) {
        map_put(&m, key_of(text, i), &m);
        assert_ptr_equal(map_del(&m, key_of(text, i)), &m);
    }
    assert_int_equal(m.n, 0);
    assert_true(m.cap <= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),
        cmocka_unit_test(copies_keys),
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(churn_keeps_the_table_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
