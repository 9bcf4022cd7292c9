/* The record and field scanner against a plain state machine, and case by case. */
#include "emulators/glue/merge/csv_scan.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "server/base/mem.h"

static uint64_t random_state = 88172645463325252u;

static unsigned pick(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 20) % n);
}

/* Byte by byte: what csv_index() must find. */
static size_t naive_marks(const char *p, size_t n, struct csv_mark *mark, bool *ret_open)
{
    size_t count = 0;
    bool open = false;
    struct csv_mark cur = { 0 };
    for (size_t i = 0; i < n; i++) {
        open ^= p[i] == '"';
        cur.quoted = cur.quoted || p[i] == '"';
        cur.lines += p[i] == '\n';
        if (p[i] == '\n' && !open) {
            cur.end = (uint32_t)i + 1;
            mark[count++] = cur;
            cur = (struct csv_mark){ 0 };
        }
    }
    *ret_open = open;
    return count;
}

static void index_equals_state_machine(void **state)
{
    (void)state;
    static const char letters[] = "ab,\"\"\n\n\r";
    struct csv_index *ix = xmalloc(sizeof *ix);
    for (unsigned round = 0; round < 3000; round++) {
        size_t n = pick(400);
        unsigned kinds = 3 + pick(6);
        char *p = xmalloc(n + 1); /* exact size, so that a read behind it is seen */
        for (size_t i = 0; i < n; i++) {
            p[i] = letters[pick(kinds)];
        }
        struct csv_mark want[401];
        bool open;
        size_t count = naive_marks(p, n, want, &open);
        csv_index(ix, p, n);
        assert_int_equal(ix->n, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(ix->mark[i].end, want[i].end);
            assert_int_equal(ix->mark[i].lines, want[i].lines);
            assert_int_equal(ix->mark[i].quoted, want[i].quoted);
        }
        assert_int_equal(ix->tail_open, open);
        free(p);
    }
    free(ix);
}

static void index_stops_when_full(void **state)
{
    (void)state;
    size_t n = CSV_BATCH * 3 + 5;
    char *p = xmalloc(n);
    memset(p, '\n', n);
    struct csv_index *ix = xmalloc(sizeof *ix);
    size_t at = 0;
    size_t records = 0;
    do {
        csv_index(ix, p + at, n - at);
        records += ix->n;
        at += ix->n ? ix->mark[ix->n - 1].end : 0;
    } while (ix->n == CSV_BATCH);
    assert_int_equal(records, n);
    assert_int_equal(at, n);
    free(ix);
    free(p);
}

struct split_case {
    const char *rec;
    const char *fields; /* values joined by '|'; NULL: refused */
    const char *reason; /* part of the reason */
};

static const struct split_case split_cases[] = {
    { "", "", NULL },
    { "a", "a", NULL },
    { ",", "|", NULL },
    { "a,b,c", "a|b|c", NULL },
    { "a,,c,", "a||c|", NULL },
    { "\"\"", "", NULL },
    { "\"a,b\",c", "a,b|c", NULL },
    { "x,\"line\nbreak\",y", "x|line\nbreak|y", NULL },
    { "\"say \"\"hi\"\"\",1", "say \"hi\"|1", NULL },
    { "\"\"\"\"", "\"", NULL },
    { "\"\"\"\"\"\",", "\"\"|", NULL },
    { "a, b ,c ", "a| b |c ", NULL },
    { "it's,back\\slash", "it's|back\\slash", NULL },
    { "0123456789abcdef,0123456789abcdefg,h", "0123456789abcdef|0123456789abcdefg|h", NULL },
    { "0123456789abcde,f", "0123456789abcde|f", NULL },
    { "a\"b", NULL, "stray quote" },
    { "5\" pipe,2", NULL, "stray quote" },
    { "\"a\"b,c", NULL, "after the closing quote" },
    { "\"a", NULL, "not closed" },
    { "a,\"b\"\"", NULL, "not closed" },
};

static void split_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(split_cases); i++) {
        const struct split_case *c = &split_cases[i];
        struct str rec = str_z(c->rec);
        struct csv_field f[8];
        struct csv_fields out = { .field = f, .max = 8, .n = 99 };
        csv_reason why = csv_split(rec, ',', memchr(rec.p, '"', rec.n) != NULL, 0, &out);
        if (!c->fields) {
            assert_non_null(why);
            assert_non_null(strstr(why, c->reason));
            continue;
        }
        assert_null(why);
        struct buf all = BUF_INIT(1000);
        struct buf scratch = BUF_INIT(1000);
        for (size_t k = 0; k < out.n; k++) {
            buf_puts(&all, k ? "|" : "");
            buf_str_add(&all, csv_value(rec, f[k], &scratch));
        }
        struct str got = buf_str(&all);
        if (!str_eqz(got, c->fields)) {
            fail_msg("case %zu: got %.*s", i, STR_ARG(got));
        }
        buf_fini(&all);
        buf_fini(&scratch);
    }
}

static void split_limits(void **state)
{
    (void)state;
    struct csv_field f[3];
    struct csv_fields out = { .field = f, .max = 3 };
    assert_non_null(csv_split(STR("a,b,c,d"), ',', false, 0, &out));
    assert_non_null(csv_split(STR("a,\"b\",c,d"), ',', true, 0, &out));
    assert_null(csv_split(STR("a,b,c"), ',', false, 0, &out));
    assert_int_equal(out.n, 3);
    assert_null(csv_split(STR("a,b,c,d"), ',', false, 2, &out));
    assert_int_equal(out.n, 2);
    assert_null(csv_split(STR("a,\"b\",c,d"), ',', true, 2, &out));
    assert_int_equal(out.n, 2);
    assert_null(csv_split(STR("a\tb,c"), '\t', false, 0, &out));
    assert_int_equal(out.n, 2);
}

static void put_and_split_are_inverse(void **state)
{
    (void)state;
    static const char letters[] = "a,\"\n\r\0b ";
    for (unsigned round = 0; round < 3000; round++) {
        char value[5][40];
        size_t len[5];
        struct buf rec = BUF_INIT(4000);
        size_t n = 1 + pick(5);
        for (size_t i = 0; i < n; i++) {
            len[i] = pick(40);
            for (size_t k = 0; k < len[i]; k++) {
                value[i][k] = letters[pick(8)];
            }
            if (i) {
                buf_putc(&rec, ',');
            }
            csv_put(&rec, (struct str){ value[i], len[i] }, ',');
        }
        struct csv_field f[5];
        struct csv_fields out = { .field = f, .max = 5 };
        assert_null(csv_split(buf_str(&rec), ',', true, 0, &out));
        assert_int_equal(out.n, n);
        struct buf scratch = BUF_INIT(100);
        for (size_t i = 0; i < n; i++) {
            struct str v = csv_value(buf_str(&rec), f[i], &scratch);
            assert_true(str_eq(v, (struct str){ value[i], len[i] }));
        }
        buf_fini(&scratch);
        buf_fini(&rec);
    }
}

static void chomp(void **state)
{
    (void)state;
    assert_true(str_eqz(csv_chomp("ab\n", 3), "ab"));
    assert_true(str_eqz(csv_chomp("ab\r\n", 4), "ab"));
    assert_true(str_eqz(csv_chomp("ab", 2), "ab"));
    assert_true(str_eqz(csv_chomp("ab\r", 3), "ab\r"));
    assert_true(str_eqz(csv_chomp("\n", 1), ""));
    assert_true(str_eqz(csv_chomp("\r\n", 2), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_equals_state_machine),
        cmocka_unit_test(index_stops_when_full),
        cmocka_unit_test(split_table),
        cmocka_unit_test(split_limits),
        cmocka_unit_test(put_and_split_are_inverse),
        cmocka_unit_test(chomp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
