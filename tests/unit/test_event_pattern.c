/* Event patterns against the examples of the user guide of EventBridge, and what follows from its
 * rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "emulators/events/event_pattern.h"
#include "server/base/mem.h"

#define EVENT                                                                                      \
    "{\"version\":\"0\",\"id\":\"6a7e8feb\",\"detail-type\":\"EC2 Instance State-change "          \
    "Notification\",\"source\":\"aws.ec2\",\"account\":\"111122223333\","                          \
    "\"time\":\"2017-12-22T18:43:48Z\",\"region\":\"us-west-1\","                                  \
    "\"resources\":[\"arn:aws:ec2:us-west-1:123456789012:instance/i-1\",\"second\"],"              \
    "\"detail\":{\"instance-id\":\"i-1234567890abcdef0\",\"state\":\"terminated\",\"c-count\":5,"  \
    "\"x-limit\":301.8,\"big\":6000000000,\"source-ip\":\"10.0.0.33\",\"ip6\":\"2001:db8::1\","    \
    "\"file\":\"dir/sub/a.PNG\",\"none\":null,\"yes\":true,\"empty\":\"\",\"list\":[],\"o\":{},"   \
    "\"tags\":[\"a\",[\"b\",3]],\"star\":\"a*b\\\\c\","                                            \
    "\"people\":[{\"first\":\"John\",\"last\":\"Doe\"},[{\"first\":\"Anna\",\"last\":\"Smith\"}]," \
    "7]}}"

static const struct {
    const char *pattern;
    bool matches;
} table[] = {
    /* plain values */
    { "{\"source\":[\"aws.ec2\"]}", true },
    { "{\"source\":[\"aws.EC2\"]}", false },
    { "{\"source\":[\"aws.s3\",\"aws.ec2\"],\"detail\":{\"state\":[\"terminated\"]}}", true },
    { "{\"source\":[\"aws.ec2\"],\"detail\":{\"state\":[\"running\"]}}", false },
    { "{\"nothing\":[\"x\"]}", false },
    { "{\"detail\":{\"c-count\":[5]}}", true },
    { "{\"detail\":{\"c-count\":[5.0]}}", true },
    { "{\"detail\":{\"c-count\":[\"5\"]}}", false },
    { "{\"detail\":{\"x-limit\":[3.018e2]}}", true },
    { "{\"detail\":{\"yes\":[true]}}", true },
    { "{\"detail\":{\"yes\":[false,\"true\"]}}", false },
    { "{\"detail\":{\"none\":[null]}}", true },
    { "{\"detail\":{\"none\":[\"\"]}}", false },
    { "{\"detail\":{\"empty\":[\"\"]}}", true },
    { "{\"detail\":{\"empty\":[null]}}", false },
    { "{\"detail\":{\"missing\":[null]}}", false },
    /* arrays on both sides */
    { "{\"resources\":[\"x\",\"second\"]}", true },
    { "{\"resources\":[\"third\"]}", false },
    { "{\"detail\":{\"tags\":[\"b\"]}}", true },
    { "{\"detail\":{\"tags\":[3]}}", true },
    { "{\"detail\":{\"list\":[\"a\"]}}", false },
    { "{\"detail\":{\"people\":{\"first\":[\"Anna\"]}}}", true },
    { "{\"detail\":{\"people\":{\"first\":[\"Anna\"],\"last\":[\"Smith\"]}}}", true },
    { "{\"detail\":{\"people\":{\"first\":[\"Anna\"],\"last\":[\"Doe\"]}}}", false },
    /* prefix and suffix */
    { "{\"time\":[{\"prefix\":\"2017-12-22\"}]}", true },
    { "{\"time\":[{\"prefix\":\"2018\"}]}", false },
    { "{\"detail\":{\"c-count\":[{\"prefix\":\"5\"}]}}", false },
    { "{\"detail\":{\"file\":[{\"suffix\":\".png\"}]}}", false },
    { "{\"detail\":{\"file\":[{\"suffix\":{\"equals-ignore-case\":\".png\"}}]}}", true },
    { "{\"region\":[{\"prefix\":{\"equals-ignore-case\":\"US-\"}}]}", true },
    { "{\"resources\":[{\"prefix\":\"sec\"}]}", true },
    { "{\"region\":[{\"prefix\":\"us-west-1-and-more\"}]}", false },
    /* ignoring case */
    { "{\"source\":[{\"equals-ignore-case\":\"AWS.EC2\"}]}", true },
    { "{\"source\":[{\"equals-ignore-case\":\"AWS.EC\"}]}", false },
    /* wildcard */
    { "{\"detail\":{\"file\":[{\"wildcard\":\"dir/*.PNG\"}]}}", true },
    { "{\"detail\":{\"file\":[{\"wildcard\":\"*\"}]}}", true },
    { "{\"detail\":{\"file\":[{\"wildcard\":\"*/sub/*\"}]}}", true },
    { "{\"detail\":{\"file\":[{\"wildcard\":\"*/subs/*\"}]}}", false },
    { "{\"detail\":{\"file\":[{\"wildcard\":\"dir\"}]}}", false },
    { "{\"detail\":{\"star\":[{\"wildcard\":\"a\\\\*b\\\\\\\\c\"}]}}", true },
    { "{\"detail\":{\"file\":[{\"wildcard\":\"dir\\\\*\"}]}}", false },
    /* anything-but */
    { "{\"detail\":{\"state\":[{\"anything-but\":\"initializing\"}]}}", true },
    { "{\"detail\":{\"state\":[{\"anything-but\":\"terminated\"}]}}", false },
    { "{\"detail\":{\"state\":[{\"anything-but\":[\"stopped\",\"terminated\"]}]}}", false },
    { "{\"detail\":{\"x-limit\":[{\"anything-but\":[100,200,300]}]}}", true },
    { "{\"detail\":{\"c-count\":[{\"anything-but\":5}]}}", false },
    { "{\"detail\":{\"c-count\":[{\"anything-but\":\"5\"}]}}", true },
    { "{\"detail\":{\"missing\":[{\"anything-but\":\"x\"}]}}", false },
    { "{\"detail\":{\"state\":[{\"anything-but\":{\"prefix\":\"term\"}}]}}", false },
    { "{\"detail\":{\"state\":[{\"anything-but\":{\"prefix\":[\"init\",\"stop\"]}}]}}", true },
    { "{\"detail\":{\"state\":[{\"anything-but\":{\"suffix\":[\"ing\",\"ted\"]}}]}}", false },
    { "{\"detail\":{\"state\":[{\"anything-but\":{\"equals-ignore-case\":\"TERMINATED\"}}]}}",
      false },
    { "{\"detail\":{\"file\":[{\"anything-but\":{\"wildcard\":\"*/lib/*\"}}]}}", true },
    { "{\"detail\":{\"file\":[{\"anything-but\":{\"wildcard\":[\"x\",\"*/sub/*\"]}}]}}", false },
    { "{\"resources\":[{\"anything-but\":\"second\"}]}", true },
    /* numeric */
    { "{\"detail\":{\"c-count\":[{\"numeric\":[\">\",0,\"<=\",5]}]}}", true },
    { "{\"detail\":{\"c-count\":[{\"numeric\":[\">\",0,\"<\",5]}]}}", false },
    { "{\"detail\":{\"c-count\":[{\"numeric\":[\">=\",5]}]}}", true },
    { "{\"detail\":{\"c-count\":[{\"numeric\":[\">\",5]}]}}", false },
    { "{\"detail\":{\"x-limit\":[{\"numeric\":[\"=\",301.8]}]}}", true },
    { "{\"detail\":{\"state\":[{\"numeric\":[\"<\",10]}]}}", false },
    { "{\"detail\":{\"big\":[{\"numeric\":[\">\",0]}]}}", false }, /* out of its range */
    { "{\"detail\":{\"big\":[6000000000]}}", true },
    /* exists: leaves only */
    { "{\"detail\":{\"c-count\":[{\"exists\":true}]}}", true },
    { "{\"detail\":{\"c-count\":[{\"exists\":false}]}}", false },
    { "{\"detail\":{\"missing\":[{\"exists\":false}]}}", true },
    { "{\"detail\":{\"missing\":[{\"exists\":true}]}}", false },
    { "{\"detail\":{\"none\":[{\"exists\":true}]}}", true },
    { "{\"detail\":{\"o\":[{\"exists\":true}]}}", false },
    { "{\"detail\":{\"o\":[{\"exists\":false}]}}", true },
    { "{\"detail\":{\"list\":[{\"exists\":false}]}}", true },
    { "{\"absent\":{\"deep\":{\"er\":[{\"exists\":false}]}}}", true },
    { "{\"detail\":{\"missing\":[\"x\",{\"exists\":false}]}}", true },
    /* addresses */
    { "{\"detail\":{\"source-ip\":[{\"cidr\":\"10.0.0.0/24\"}]}}", true },
    { "{\"detail\":{\"source-ip\":[{\"cidr\":\"10.0.1.0/24\"}]}}", false },
    { "{\"detail\":{\"source-ip\":[{\"cidr\":\"0.0.0.0/0\"}]}}", true },
    { "{\"detail\":{\"source-ip\":[{\"cidr\":\"10.0.0.33/32\"}]}}", true },
    { "{\"detail\":{\"ip6\":[{\"cidr\":\"2001:db8::/32\"}]}}", true },
    { "{\"detail\":{\"ip6\":[{\"cidr\":\"0.0.0.0/0\"}]}}", false },
    { "{\"detail\":{\"state\":[{\"cidr\":\"10.0.0.0/8\"}]}}", false },
    /* $or */
    { "{\"$or\":[{\"source\":[\"x\"]},{\"region\":[\"us-west-1\"]}]}", true },
    { "{\"$or\":[{\"source\":[\"x\"]},{\"region\":[\"y\"]}]}", false },
    { "{\"source\":[\"x\"],\"$or\":[{\"region\":[\"us-west-1\"]},{\"id\":[\"y\"]}]}", false },
    { "{\"detail\":{\"$or\":[{\"c-count\":[{\"numeric\":[\">\",10]}]},{\"state\":[\"terminated\"],"
      "\"$or\":[{\"yes\":[true]},{\"none\":[1]}]}]}}",
      true },
    { "{\"$or\":{\"a\":[1]}}", false }, /* a field of that name */
    { "{\"$or\":[\"x\"]}", false },
};

static const struct {
    const char *pattern, *why;
} broken[] = {
    { "", "" },
    { "{", "" },
    { "[]", "Filter is not an object" },
    { "{}", "Empty objects are not allowed" },
    { "{\"a\":{}}", "Empty objects are not allowed (at a)" },
    { "{\"source\":\"x\"}", "\"source\" must be an object or an array (at source)" },
    { "{\"detail\":{\"a\":1}}", "\"a\" must be an object or an array (at detail.a)" },
    { "{\"a\":[]}", "Empty arrays are not allowed (at a)" },
    { "{\"a\":[[1]]}", "Match value must be String, number, true, false, or null (at a)" },
    { "{\"a\":[{}]}", "Empty objects are not allowed (at a)" },
    { "{\"a\":[{\"x\":1}]}", "Unrecognized match type x (at a)" },
    { "{\"a\":[{\"prefix\":\"a\",\"suffix\":\"b\"}]}",
      "Only one key allowed in match expression (at a)" },
    { "{\"a\":[{\"prefix\":1}]}", "prefix match pattern must be a string (at a)" },
    { "{\"a\":[{\"suffix\":{\"prefix\":\"x\"}}]}", "Unsupported suffix pattern: prefix (at a)" },
    { "{\"a\":[{\"prefix\":{}}]}", "Unsupported prefix pattern: {} (at a)" },
    { "{\"a\":[{\"equals-ignore-case\":[\"x\"]}]}",
      "equals-ignore-case match pattern must be a string (at a)" },
    { "{\"a\":[{\"wildcard\":\"a**b\"}]}", "Consecutive wildcard characters at pos 1 (at a)" },
    { "{\"a\":[{\"wildcard\":\"a\\\\b\"}]}", "Invalid escape character at pos 1 (at a)" },
    { "{\"a\":[{\"wildcard\":\"a\\\\\"}]}", "Invalid escape character at pos 1 (at a)" },
    { "{\"a\":[{\"exists\":1}]}", "exists match pattern must be either true or false. (at a)" },
    { "{\"a\":[{\"numeric\":5}]}", "Value of numeric must be an array. (at a)" },
    { "{\"a\":[{\"numeric\":[]}]}", "Invalid member in numeric match: ] (at a)" },
    { "{\"a\":[{\"numeric\":[\"~\",1]}]}", "Unrecognized numeric range operator: ~ (at a)" },
    { "{\"a\":[{\"numeric\":[1]}]}", "Unrecognized numeric range operator:  (at a)" },
    { "{\"a\":[{\"numeric\":[\"<\"]}]}", "Value of < must be numeric (at a)" },
    { "{\"a\":[{\"numeric\":[\"<\",\"1\"]}]}", "Value of < must be numeric (at a)" },
    { "{\"a\":[{\"numeric\":[\"=\",6e9]}]}",
      "Value must be between -5.0E9 and 5.0E9, inclusive (at a)" },
    { "{\"a\":[{\"numeric\":[\">\",5,\"<\",5]}]}", "Bottom must be less than top (at a)" },
    { "{\"a\":[{\"numeric\":[\"=\",5,\"<\",6]}]}",
      "Too many terms in numeric range expression (at a)" },
    { "{\"a\":[{\"numeric\":[\">\",1,\"<\",6,\"<\",7]}]}",
      "Too many terms in numeric range expression (at a)" },
    { "{\"a\":[{\"cidr\":\"10.0.0.0\"}]}",
      "Malformed CIDR, one '/' required, or no IP address and mask: 10.0.0.0 (at a)" },
    { "{\"a\":[{\"cidr\":\"10.0.0.0/33\"}]}",
      "Malformed CIDR, one '/' required, or no IP address and mask: 10.0.0.0/33 (at a)" },
    { "{\"a\":[{\"anything-but\":[]}]}", "Empty arrays are not allowed (at a)" },
    { "{\"a\":[{\"anything-but\":[1,\"a\"]}]}",
      "Inside anything but list, either all values are number or string, mixed type is not "
      "supported (at a)" },
    { "{\"a\":[{\"anything-but\":[null]}]}",
      "Inside anything but list, start|null|boolean is not supported. (at a)" },
    { "{\"a\":[{\"anything-but\":true}]}",
      "Value of anything-but must be an array or single string/number value. (at a)" },
    { "{\"a\":[{\"anything-but\":{\"numeric\":[1]}}]}",
      "Unsupported anything-but pattern: numeric (at a)" },
    { "{\"a\":[{\"anything-but\":{\"prefix\":[]}}]}", "Empty arrays are not allowed (at a)" },
    { "{\"a\":[{\"anything-but\":{}}]}", "Unsupported anything-but pattern: {} (at a)" },
    { "{\"$or\":[{\"a\":[]},{\"b\":[1]}]}", "Empty arrays are not allowed (at $or.a)" },
    { "{\"$or\":[{\"prefix\":1},{\"b\":[1]}]}", "prefix match pattern must be a string (at $or)" },
};

static void matching(void **state)
{
    (void)state;
    struct arena *a = arena_new(16u << 20);
    struct json_value *event;
    const struct json_value *pattern;
    struct str why;
    assert_int_equal(json_parse(a, str_z(EVENT), &event, &why), ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (event_pattern_parse(a, str_z(table[i].pattern), &pattern, &why) != ST_OK) {
            fail_msg("%s: %.*s", table[i].pattern, STR_ARG(why));
        }
        if (event_pattern_matches(pattern, event) != table[i].matches) {
            fail_msg("%s should%s match", table[i].pattern, table[i].matches ? "" : " not");
        }
    }
    arena_free(a);
}

static void refusing(void **state)
{
    (void)state;
    struct arena *a = arena_new(16u << 20);
    const struct json_value *pattern;
    struct str why;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_int_equal(event_pattern_parse(a, str_z(broken[i].pattern), &pattern, &why),
                         ST_INVALID);
        if (broken[i].why[0] && !str_eqz(why, broken[i].why)) {
            fail_msg("%s: %.*s", broken[i].pattern, STR_ARG(why));
        }
    }
    arena_free(a);
}

/* An event matches the pattern that is made of it, and not one with another value anywhere. */
static struct str pattern_of(struct arena *a, const struct json_value *v, size_t *leaf,
                             size_t wrong)
{
    struct str all = STR("{");
    for (const struct json_value *m = v->first; m; m = m->next) {
        struct str value;
        if (m->kind == JSON_OBJECT) {
            value = pattern_of(a, m, leaf, wrong);
        } else {
            bool other = (*leaf)++ == wrong;
            value = m->kind == JSON_STRING && !other
                        ? arena_printf(a, "[\"%.*s\"]", STR_ARG(m->str))
                    : m->kind == JSON_INT && !other ? arena_printf(a, "[%lld]", (long long)m->i)
                                                    : STR("[\"another\"]");
        }
        all = arena_printf(a, "%.*s%s\"%.*s\":%.*s", STR_ARG(all), m == v->first ? "" : ",",
                           STR_ARG(m->key), STR_ARG(value));
    }
    return arena_printf(a, "%.*s}", STR_ARG(all));
}

static void mirrored(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":\"x\",\"b\":{\"c\":1,\"d\":{\"e\":\"y z\",\"f\":-7}},"
                               "\"g\":{\"h\":\"\"}}";
    struct arena *a = arena_new(16u << 20);
    struct json_value *event;
    struct str why;
    assert_int_equal(json_parse(a, str_z(text), &event, &why), ST_OK);
    for (size_t wrong = 0; wrong <= 5; wrong++) {
        const struct json_value *pattern;
        size_t leaf = 0;
        struct str p = pattern_of(a, event, &leaf, wrong);
        assert_int_equal(leaf, 5);
        assert_int_equal(event_pattern_parse(a, p, &pattern, &why), ST_OK);
        assert_int_equal(event_pattern_matches(pattern, event), wrong == 5);
    }
    arena_free(a);
}

/* Bytes of the patterns above changed at random (from a fixed seed): what is still taken must be
 * matched without harm; sanitizers watch. */
static void mutated(void **state)
{
    (void)state;
    static const char bytes[] = "{}[]\",:*\\0-9e.tfn/ \x80";
    uint32_t seed = 1;
    size_t taken = 0, matched = 0;
    for (size_t round = 0; round < 200 * ARRAY_LEN(table); round++) {
        struct arena *a = arena_new(1u << 20);
        char *text = arena_cstr(a, str_z(table[round % ARRAY_LEN(table)].pattern));
        const struct json_value *pattern;
        struct json_value *event;
        struct str why;
        for (size_t i = 0; i <= round % 3; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[(seed >> 8) % strlen(text)] = bytes[(seed >> 24) % (sizeof(bytes) - 1)];
        }
        assert_int_equal(json_parse(a, str_z(EVENT), &event, &why), ST_OK);
        if (event_pattern_parse(a, str_z(text), &pattern, &why) == ST_OK) {
            matched += event_pattern_matches(pattern, event);
            taken++;
        } else {
            assert_true(why.n > 0);
        }
        arena_free(a);
    }
    assert_in_range(taken, 100, 200 * ARRAY_LEN(table) - 100);
    assert_in_range(matched, 1, taken - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),
        cmocka_unit_test(refusing),
        cmocka_unit_test(mirrored),
        cmocka_unit_test(mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
