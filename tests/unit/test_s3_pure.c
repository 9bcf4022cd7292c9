/* The parts of S3 that only decide: ranges, conditions, rules, checksums, names, listing helpers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulators/s3/s3_checksum.h"
#include "emulators/s3/s3_event.h"
#include "emulators/s3/s3_name.h"
#include "emulators/s3/s3_page.h"
#include "emulators/s3/s3_pairs.h"
#include "emulators/s3/s3_range.h"
#include "emulators/s3/s3_rule.h"
#include "server/base/mem.h"

#define assert_text(s, z)                                        \
    do {                                                         \
        struct str got_ = (s);                                   \
        assert_int_equal(got_.n, strlen(z));                     \
        assert_memory_equal(got_.p ? got_.p : "", z, strlen(z)); \
    } while (0)

static struct arena *a;

static int set_up(void **state)
{
    (void)state;
    a = arena_new(64u << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t size;
        enum s3_range_kind kind;
        int64_t off, len;
    } cases[] = {
        { "bytes=0-0", 10, S3_RANGE_PART, 0, 1 },
        { "bytes=2-5", 10, S3_RANGE_PART, 2, 4 },
        { "bytes=2-", 10, S3_RANGE_PART, 2, 8 },
        { "bytes=-3", 10, S3_RANGE_PART, 7, 3 },
        { "bytes=-30", 10, S3_RANGE_PART, 0, 10 },
        { "bytes=9-99999999999999999999999", 10, S3_RANGE_PART, 9, 1 },
        { " bytes = 1 - 2 ", 10, S3_RANGE_PART, 1, 2 },
        { "bytes=10-", 10, S3_RANGE_OUTSIDE, 0, 10 },
        { "bytes=99999999999999999999999-", 10, S3_RANGE_OUTSIDE, 0, 10 },
        { "bytes=-0", 10, S3_RANGE_OUTSIDE, 0, 10 },
        { "bytes=0-", 0, S3_RANGE_OUTSIDE, 0, 0 },
        { "bytes=-1", 0, S3_RANGE_OUTSIDE, 0, 0 },
        { "bytes=5-2", 10, S3_RANGE_WHOLE, 0, 10 },
        { "bytes=0-1,3-4", 10, S3_RANGE_WHOLE, 0, 10 },
        { "bytes=+1-2", 10, S3_RANGE_WHOLE, 0, 10 },
        { "bytes=1-+2", 10, S3_RANGE_WHOLE, 0, 10 },
        { "bytes=--2", 10, S3_RANGE_WHOLE, 0, 10 },
        { "bytes=-", 10, S3_RANGE_WHOLE, 0, 10 },
        { "bytes=", 10, S3_RANGE_WHOLE, 0, 10 },
        { "bytes", 10, S3_RANGE_WHOLE, 0, 10 },
        { "items=0-1", 10, S3_RANGE_WHOLE, 0, 10 },
        { "", 10, S3_RANGE_WHOLE, 0, 10 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t off = -1, len = -1;
        enum s3_range_kind kind = s3_range_parse(str_z(cases[i].text), cases[i].size, &off, &len);
        if (kind != cases[i].kind || off != cases[i].off || len != cases[i].len) {
            fail_msg("%s: kind %d, %lld + %lld", cases[i].text, kind, (long long)off,
                     (long long)len);
        }
    }
}

static void copy_ranges(void **state)
{
    (void)state;
    int64_t off = 0, len = 0;
    assert_int_equal(s3_copy_range_parse(STR("bytes=2-5"), 6, &off, &len), ST_OK);
    assert_int_equal(off, 2);
    assert_int_equal(len, 4);
    assert_int_equal(s3_copy_range_parse(STR("bytes=2-6"), 6, &off, &len), ST_CONFLICT);
    assert_int_equal(s3_copy_range_parse(STR("bytes=2-"), 6, &off, &len), ST_INVALID);
    assert_int_equal(s3_copy_range_parse(STR("bytes=-2"), 6, &off, &len), ST_INVALID);
    assert_int_equal(s3_copy_range_parse(STR("bytes=3-2"), 6, &off, &len), ST_INVALID);
    assert_int_equal(s3_copy_range_parse(STR("2-3"), 6, &off, &len), ST_INVALID);
}

static enum s3_cond_result check(struct s3_cond cond)
{
    const char *name = NULL;
    /* modified 1994-11-15T12:45:26.700Z, now an hour later */
    return s3_cond_check(&cond, STR("abc"), 784903526700, 784907126700, &name);
}

static void conditions(void **state)
{
    (void)state;
    const struct str at = STR("Tue, 15 Nov 1994 12:45:26 GMT");
    const struct str before = STR("Tue, 15 Nov 1994 12:45:25 GMT");
    const struct str future = STR("Tue, 15 Nov 2044 12:45:26 GMT");
    assert_int_equal(check((struct s3_cond){ .if_match = STR("\"abc\"") }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_match = STR("abc") }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_match = STR("\"x\", \"abc\"") }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_match = STR("*") }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_match = STR("") }), S3_COND_FAILED);
    assert_int_equal(check((struct s3_cond){ .if_match = STR("\"ab\"") }), S3_COND_FAILED);
    assert_int_equal(check((struct s3_cond){ .if_none_match = STR("W/\"abc\"") }),
                     S3_COND_NOT_MODIFIED);
    assert_int_equal(check((struct s3_cond){ .if_none_match = STR("x") }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_modified_since = at }), S3_COND_NOT_MODIFIED);
    assert_int_equal(check((struct s3_cond){ .if_modified_since = before }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_modified_since = future }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_modified_since = STR("soon") }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_unmodified_since = at }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ .if_unmodified_since = before }), S3_COND_FAILED);
    assert_int_equal(check((struct s3_cond){ STR("abc"), STR_NONE, STR_NONE, before }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ STR_NONE, STR("x"), at, STR_NONE }), S3_COND_OK);
    assert_int_equal(check((struct s3_cond){ STR("abc"), STR("abc"), STR_NONE, STR_NONE }),
                     S3_COND_NOT_MODIFIED);
}

static struct s3_rule rule(const char *events, const char *prefix, const char *suffix)
{
    return (struct s3_rule){ .kind = S3_RULE_LAMBDA,
                             .events = str_z(events),
                             .prefix = str_z(prefix),
                             .suffix = str_z(suffix) };
}

static void rules_match(void **state)
{
    (void)state;
    struct s3_rule r = rule("s3:ObjectCreated:*,s3:ObjectRemoved:Delete", "in/", ".csv");
    assert_true(s3_rule_matches(&r, STR("s3:ObjectCreated:Put"), STR("in/a.csv")));
    assert_true(s3_rule_matches(&r, STR("s3:ObjectCreated:Copy"), STR("in/.csv")));
    assert_true(s3_rule_matches(&r, STR("s3:ObjectRemoved:Delete"), STR("in/a b.csv")));
    assert_false(s3_rule_matches(&r, STR("s3:ObjectRemoved:DeleteMarkerCreated"), STR("in/a.csv")));
    assert_false(s3_rule_matches(&r, STR("s3:ObjectTagging:Put"), STR("in/a.csv")));
    assert_false(s3_rule_matches(&r, STR("s3:ObjectCreated:Put"), STR("out/a.csv")));
    assert_false(s3_rule_matches(&r, STR("s3:ObjectCreated:Put"), STR("in/a.csv.gz")));
    r = (struct s3_rule){ .kind = S3_RULE_EVENTBRIDGE };
    assert_true(s3_rule_matches(&r, STR("s3:ObjectTagging:Put"), STR("anything")));
    assert_true(s3_event_known(STR("s3:IntelligentTiering")));
    assert_false(s3_event_known(STR("s3:ObjectCreated:Get")));
    assert_false(s3_event_known(STR("s3:ObjectCreated")));
}

static void rules_clash(void **state)
{
    (void)state;
    static const struct {
        const char *events[2], *prefix[2], *suffix[2];
        enum s3_clash expected;
    } cases[] = {
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:Put" }, { 0 }, { 0 }, S3_CLASH_EVENT },
        { { "s3:ObjectCreated:Put", "s3:ObjectCreated:*" }, { 0 }, { 0 }, S3_CLASH_EVENT },
        { { "s3:ObjectCreated:Put", "s3:ObjectCreated:Copy" }, { 0 }, { 0 }, S3_CLASH_NONE },
        { { "s3:ObjectCreated:*", "s3:ObjectRemoved:*" }, { 0 }, { 0 }, S3_CLASH_NONE },
        { { "s3:ObjectRemoved:*,s3:ObjectCreated:Put", "s3:ObjectCreated:*" },
          { 0 },
          { 0 },
          S3_CLASH_EVENT },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" }, { "a/", "b/" }, { 0 }, S3_CLASH_NONE },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" }, { "a/", "a/b" }, { 0 }, S3_CLASH_FILTER },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" }, { "a/", NULL }, { 0 }, S3_CLASH_FILTER },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" }, { 0 }, { "jpg", "pg" }, S3_CLASH_FILTER },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" }, { 0 }, { "jpg", "png" }, S3_CLASH_NONE },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" },
          { "a/", "a/" },
          { ".csv", ".gz" },
          S3_CLASH_NONE },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" },
          { "a/", "b/" },
          { ".csv", ".csv" },
          S3_CLASH_NONE },
        { { "s3:ObjectCreated:*", "s3:ObjectCreated:*" }, { "", "" }, { "", "" }, S3_CLASH_EVENT },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct s3_rule x = rule(cases[i].events[0], cases[i].prefix[0], cases[i].suffix[0]);
        struct s3_rule y = rule(cases[i].events[1], cases[i].prefix[1], cases[i].suffix[1]);
        if (s3_rules_clash(&x, &y) != cases[i].expected ||
            s3_rules_clash(&y, &x) != cases[i].expected) {
            fail_msg("case %zu", i);
        }
    }
}

static void encoding(void **state)
{
    (void)state;
    assert_text(s3_form_encode(a, STR("a b/c@d+e=f&~*-_.%")), "a+b/c%40d%2Be%3Df%26%7E*-_.%25");
    assert_text(s3_form_encode(a, STR("\xC3\xBC\n")), "%C3%BC%0A");
    assert_text(s3_form_encode(a, STR("")), "");
    assert_false(str_set(s3_form_encode(a, STR_NONE)));
}

static void sequencers_rise(void **state)
{
    (void)state;
    assert_text(s3_sequencer(a, 0), "000000000000000000");
    assert_text(s3_sequencer(a, 1678926675915500), "0064126353EA5E353F");
    struct str last = s3_sequencer(a, 1700000000999990);
    for (int64_t us = 1700000000999991; us < 1700000001000020; us++) {
        struct str next = s3_sequencer(a, us);
        assert_int_equal(next.n, 18);
        assert_true(str_cmp(last, next) < 0);
        last = next;
    }
}

/* Digests of the pieces are computed one by one and put together again. */
static void checksums_of_parts(void **state)
{
    (void)state;
    const struct str pieces[] = { STR("hello "), STR(""), STR("composed"), STR(" world") };
    const struct str whole = STR("hello composed world");
    struct s3_part_sum sums[4];
    unsigned char out[DIGEST_MAX];
    struct str got = STR_NONE;
    for (int alg = S3_ALG_CRC32; alg < S3_ALGS; alg++) {
        const struct s3_alg_info *info = s3_alg_info((enum s3_alg)alg);
        size_t size = digest_size(info->digest);
        struct digest *d = digest_new(info->digest);
        for (size_t i = 0; i < 4; i++) {
            digest_bytes(info->digest, pieces[i].p, pieces[i].n, out);
            digest_update(d, out, size);
            sums[i] = (struct s3_part_sum){ base64_encode(a, out, size), pieces[i].n };
        }
        digest_final(d, out);
        digest_free(d);
        struct str expected = arena_printf(a, "%s-4", base64_encode(a, out, size).p);
        assert_int_equal(s3_checksum_composite(a, (enum s3_alg)alg, sums, 4, &got), ST_OK);
        assert_text(got, expected.p);
        enum status st = s3_checksum_full(a, (enum s3_alg)alg, sums, 4, &got);
        assert_int_equal(st, info->full ? ST_OK : ST_INVALID);
        if (info->full) {
            digest_bytes(info->digest, whole.p, whole.n, out);
            assert_text(got, base64_encode(a, out, size).p);
        }
        sums[1].value = STR("AAA=");
        assert_int_equal(s3_checksum_composite(a, (enum s3_alg)alg, sums, 4, &got), ST_INVALID);
    }
    assert_int_equal(s3_alg_find(STR("crc64nvme")), S3_ALG_CRC64NVME);
    assert_int_equal(s3_alg_find(STR("XXHASH64")), S3_ALG_NONE);
    assert_int_equal(s3_alg_of_header(STR("X-Amz-Checksum-Sha256")), S3_ALG_SHA256);
    assert_int_equal(s3_alg_of_header(STR("x-amz-checksum-mode")), S3_ALG_NONE);
}

static void etag_of_parts(void **state)
{
    (void)state;
    /* md5(md5("a") ‖ md5("b")) */
    struct str parts[] = { STR("0cc175b9c0f1b6a831c399e269772661"),
                           STR("92eb5ffee6ae2fec3ad71c777531578f") };
    struct str got = STR_NONE;
    assert_int_equal(s3_etag_multipart(a, parts, 2, &got), ST_OK);
    unsigned char joined[32], out[DIGEST_MAX];
    digest_bytes(DIGEST_MD5, "a", 1, out);
    memcpy(joined, out, 16);
    digest_bytes(DIGEST_MD5, "b", 1, out);
    memcpy(joined + 16, out, 16);
    digest_bytes(DIGEST_MD5, joined, 32, out);
    assert_text(got, arena_printf(a, "%s-2", hex_encode(a, out, 16).p).p);
    parts[1] = STR("92eb");
    assert_int_equal(s3_etag_multipart(a, parts, 2, &got), ST_INVALID);
}

static void part_lists_survive(void **state)
{
    (void)state;
    struct s3_part_sum v[] = { { STR("abc="), 5242880 }, { STR(""), 0 }, { STR("x/y+"), 17 } };
    struct str text = s3_parts_encode(a, (struct s3_part_sums){ v, 3 });
    struct s3_part_sums back = s3_parts_decode(a, text);
    assert_int_equal(back.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(str_eq(back.v[i].value, v[i].value));
        assert_int_equal(back.v[i].size, v[i].size);
    }
    assert_int_equal(s3_parts_decode(a, STR_NONE).n, 0);
    assert_int_equal(s3_parts_decode(a, STR("1,a;x,b;")).n, 1);
}

static void bucket_names(void **state)
{
    (void)state;
    static const char *const good[] = { "abc", "a.b-c", "123", "1.2.3", "my-bucket.with.dots" };
    static const char *const bad[] = { "",
                                       "ab",
                                       "Abc",
                                       "a_b",
                                       "-ab",
                                       "ab-",
                                       ".ab",
                                       "ab.",
                                       "a..b",
                                       "1.2.3.4",
                                       "999.1.1.1",
                                       "xn--a",
                                       "sthree-a",
                                       "a-s3alias",
                                       "a--x-s3",
                                       "a.mrap",
                                       "amzn-s3-demo-b",
                                       "a/b",
                                       "a b" };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(s3_bucket_name_ok(str_z(good[i])));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (s3_bucket_name_ok(str_z(bad[i]))) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_true(s3_region_ok(STR("eu-west-1")));
    assert_true(s3_region_ok(STR("us-gov-west-1")));
    assert_true(s3_region_ok(STR("EU")));
    assert_false(s3_region_ok(STR("nowhere")));
    assert_false(s3_region_ok(STR("eu_west-1")));
}

static void pairs(void **state)
{
    (void)state;
    struct s3_pairs p = s3_pairs_parse_query(a, STR("a=1&b=x%20y+z&empty=&bare&&%C3%BC=1"));
    assert_int_equal(p.n, 5);
    assert_text(p.v[1].value, "x y z");
    assert_text(p.v[3].name, "bare");
    assert_text(p.v[3].value, "");
    struct s3_pairs back = s3_pairs_decode(a, s3_pairs_encode(a, p));
    assert_int_equal(back.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(str_eq(back.v[i].name, p.v[i].name) && str_eq(back.v[i].value, p.v[i].value));
    }
    assert_null(s3_tags_complaint(p, S3_OBJECT_TAGS_MAX));
    assert_non_null(s3_tags_complaint(p, 4));
    struct s3_pair twice[] = { { STR("a"), STR("1") }, { STR("a"), STR("2") } };
    assert_non_null(s3_tags_complaint((struct s3_pairs){ twice, 2 }, 10));
    struct s3_pair cases[] = { { STR(""), STR("v") },
                               { STR("aws:x"), STR("v") },
                               { STR("a<b"), STR("v") },
                               { STR("a"), STR("v\n") },
                               { STR("a"), STR("\xFF") } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_non_null(s3_tags_complaint((struct s3_pairs){ &cases[i], 1 }, 10));
    }
    assert_false(str_set(s3_pairs_encode(a, (struct s3_pairs){ NULL, 0 })));
    assert_int_equal(s3_pairs_decode(a, STR_NONE).n, 0);
}

static void listing_helpers(void **state)
{
    (void)state;
    assert_text(s3_common_prefix_of(STR("a/b/c"), STR(""), STR("/")), "a/");
    assert_text(s3_common_prefix_of(STR("a/b/c"), STR("a/"), STR("/")), "a/b/");
    assert_text(s3_common_prefix_of(STR("a--b--c"), STR("a"), STR("--")), "a--");
    assert_false(str_set(s3_common_prefix_of(STR("a/b"), STR("a/"), STR("/"))));
    assert_false(str_set(s3_common_prefix_of(STR("a/b"), STR("b"), STR("/"))));
    assert_false(str_set(s3_common_prefix_of(STR("a/b"), STR("a"), STR(""))));
    assert_text(s3_after_prefix(a, STR("a/")), "a0");
    assert_text(s3_after_prefix(a, STR("a\xFF\xFF")), "b");
    assert_false(str_set(s3_after_prefix(a, STR("\xFF"))));
    struct str last = STR_NONE;
    bool prefix = false;
    struct str token = s3_token_encode(a, STR("dir/\xC3\xBC"), true);
    assert_int_equal(s3_token_decode(a, token, &last, &prefix), ST_OK);
    assert_text(last, "dir/\xC3\xBC");
    assert_true(prefix);
    assert_int_equal(s3_token_decode(a, STR(""), &last, &prefix), ST_INVALID);
    assert_int_equal(s3_token_decode(a, STR("eA=="), &last, &prefix), ST_INVALID);
    assert_int_equal(s3_token_decode(a, STR("#"), &last, &prefix), ST_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),          cmocka_unit_test(copy_ranges),
        cmocka_unit_test(conditions),      cmocka_unit_test(rules_match),
        cmocka_unit_test(rules_clash),     cmocka_unit_test(encoding),
        cmocka_unit_test(sequencers_rise), cmocka_unit_test(checksums_of_parts),
        cmocka_unit_test(etag_of_parts),   cmocka_unit_test(part_lists_survive),
        cmocka_unit_test(bucket_names),    cmocka_unit_test(pairs),
        cmocka_unit_test(listing_helpers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
