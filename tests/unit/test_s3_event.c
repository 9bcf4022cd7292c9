/* S3 without HTTP: the façade, its events as a target on the bus gets them, the plans of its
 * queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulators/bus.h"
#include "emulators/facade/s3.h"
#include "emulators/s3/s3_event.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/service.h"
#include "server/wire/json.h"
#include "tests/support/core_fixture.h"

extern const struct service s3_service;

/* A "lambda" that keeps what it is given. */
#define CAUGHT_MAX 64
static struct caught {
    struct str payload, arn, source, account;
} caught[CAUGHT_MAX];
static size_t n_caught;
static enum status answer;
static struct arena *a;

static enum status catch_check(void *state, const struct bus_event *ev)
{
    (void)state;
    (void)ev;
    return answer;
}

static enum status catch_event(void *state, const struct bus_event *ev)
{
    (void)state;
    if (answer == ST_OK) {
        assert_true(n_caught < CAUGHT_MAX);
        caught[n_caught++] =
            (struct caught){ arena_str(a, ev->payload), arena_str(a, ev->target_arn),
                             arena_str(a, ev->source_arn), arena_str(a, ev->source_account) };
    }
    return answer;
}

static const struct bus_target catcher = { "lambda", catch_check, catch_event };

static enum status catcher_init(struct core *core, void **ret_state)
{
    *ret_state = NULL;
    bus_register(core, &catcher, NULL);
    return ST_OK;
}

static const struct service catcher_service = { .name = "lambda", .init = catcher_init };
const struct service *const services[] = { &s3_service, &catcher_service, NULL };

static struct core_fixture f;
#define ARN "arn:aws:lambda:us-east-1:000000000000:function:f"

static void add_bucket(const char *name)
{
    struct s3_bucket_row row = { str_z(name), STR("000000000000"), STR("eu-west-1"), 1 };
    struct s3_rule rules[] = {
        { S3_RULE_LAMBDA, STR("rule-1"), STR(ARN), STR("s3:ObjectCreated:*"), STR("in/"),
          STR_NONE },
        { S3_RULE_LAMBDA, STR("rule-2"), STR(ARN), STR("s3:ObjectRemoved:*"), STR_NONE, STR_NONE },
    };
    assert_int_equal(s3_store_add_bucket(core_db(f.core), &row), ST_OK);
    assert_int_equal(s3_store_set_rules(core_db(f.core), str_z(name), rules, 2), ST_OK);
}

static int set_up(void **state)
{
    (void)state;
    a = arena_new(64u << 20);
    answer = ST_OK;
    n_caught = 0;
    core_fixture_open(&f, services);
    add_bucket("b-1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    core_fixture_close(&f);
    arena_free(a);
    return 0;
}

/* part_bytes: see struct s3_put */
static enum status put_in_parts(const char *key, const char *body, int64_t part_bytes)
{
    unsigned char md5[DIGEST_MAX];
    struct blob_ref ref;
    int fd = -1;
    int64_t id = 0;
    assert_int_equal(blob_stage(core_blobs(f.core), &fd, &id), ST_OK);
    assert_int_equal(write(fd, body, strlen(body)), strlen(body));
    assert_int_equal(blob_stage_end(core_blobs(f.core), fd, id, &ref), ST_OK);
    digest_bytes(DIGEST_MD5, body, strlen(body), md5);
    struct s3_put p = {
        .bucket = STR("b-1"),
        .key = str_z(key),
        .ref = ref,
        .md5 = md5,
        .part_bytes = part_bytes,
        .content_type = STR("text/csv"),
        .principal = STR("AWS:AROAEXAMPLE:dms"),
    };
    return s3_object_put(f.core, &p);
}

static enum status put(const char *key, const char *body)
{
    return put_in_parts(key, body, 0);
}

static const struct json_value *record(size_t i)
{
    struct json_value *doc = NULL;
    struct str why = STR_NONE;
    assert_true(i < n_caught);
    assert_int_equal(json_parse(a, caught[i].payload, &doc, &why), ST_OK);
    const struct json_value *records = json_get(doc, "Records");
    assert_non_null(records);
    assert_int_equal(records->n, 1);
    return records->first;
}

static void assert_keys(const struct json_value *v, const char *const *keys)
{
    const struct json_value *m = v->first;
    for (; *keys; keys++, m = m->next) {
        assert_non_null(m);
        if (!str_eqz(m->key, *keys)) {
            fail_msg("expected member %s, found %.*s", *keys, STR_ARG(m->key));
        }
    }
    assert_null(m);
}

static void a_created_record(void **state)
{
    (void)state;
    assert_int_equal(put("in/a b@c.csv", "1,2\n"), ST_OK);
    assert_int_equal(put("out/ignored", "x"), ST_OK);
    assert_int_equal(n_caught, 1);
    assert_true(str_eqz(caught[0].arn, ARN));
    assert_true(str_eqz(caught[0].source, "arn:aws:s3:::b-1"));
    assert_true(str_eqz(caught[0].account, "000000000000"));
    const struct json_value *r = record(0), *s3 = json_get(r, "s3");
    assert_keys(r, (const char *const[]){ "eventVersion", "eventSource", "awsRegion", "eventTime",
                                          "eventName", "userIdentity", "requestParameters",
                                          "responseElements", "s3", NULL });
    assert_keys(s3, (const char *const[]){ "s3SchemaVersion", "configurationId", "bucket", "object",
                                           NULL });
    const struct json_value *bucket = json_get(s3, "bucket"), *object = json_get(s3, "object");
    assert_keys(bucket, (const char *const[]){ "name", "ownerIdentity", "arn", NULL });
    assert_keys(object, (const char *const[]){ "key", "size", "eTag", "sequencer", NULL });
    assert_true(str_eqz(json_get_str(r, "eventVersion"), "2.1"));
    assert_true(str_eqz(json_get_str(r, "eventSource"), "aws:s3"));
    assert_true(str_eqz(json_get_str(r, "awsRegion"), "eu-west-1"));
    assert_true(str_eqz(json_get_str(r, "eventName"), "ObjectCreated:Put"));
    assert_int_equal(json_get_str(r, "eventTime").n, strlen("2026-11-20T07:08:09.123Z"));
    assert_true(
        str_eqz(json_get_str(json_get(r, "userIdentity"), "principalId"), "AWS:AROAEXAMPLE:dms"));
    assert_int_equal(json_get_str(json_get(r, "responseElements"), "x-amz-request-id").n, 16);
    assert_true(str_eqz(json_get_str(s3, "configurationId"), "rule-1"));
    assert_true(str_eqz(json_get_str(object, "key"), "in/a+b%40c.csv"));
    assert_int_equal(json_get_i64(object, "size", -1), 4);
    assert_true(str_eqz(json_get_str(object, "eTag"), "3ecfad755fa825f7a17c5526ec44e651"));
}

static void what_came_in_parts(void **state)
{
    (void)state;
    struct s3_object found;
    assert_int_equal(put_in_parts("in/large", "12345", 2), ST_OK);
    assert_int_equal(n_caught, 1);
    const struct json_value *r = record(0), *object = json_get(json_get(r, "s3"), "object");
    assert_true(str_eqz(json_get_str(r, "eventName"), "ObjectCreated:Put"));
    assert_true(str_eqz(json_get_str(object, "eTag"), "827ccb0eea8a706c4c34a16891f84e7b-3"));
    assert_int_equal(json_get_i64(object, "size", -1), 5);
    assert_int_equal(s3_object_find(core_db(f.core), a, STR("b-1"), STR("in/large"), &found),
                     ST_OK);
    assert_true(str_eqz(found.etag, "827ccb0eea8a706c4c34a16891f84e7b-3"));
}

static void a_removed_record(void **state)
{
    (void)state;
    assert_int_equal(put("x", "1"), ST_OK);
    assert_int_equal(s3_object_delete(f.core, STR("b-1"), STR("x")), ST_OK);
    assert_int_equal(s3_object_delete(f.core, STR("b-1"), STR("x")), ST_NOT_FOUND);
    assert_int_equal(n_caught, 1);
    const struct json_value *r = record(0), *s3 = json_get(r, "s3");
    assert_true(str_eqz(json_get_str(r, "eventName"), "ObjectRemoved:Delete"));
    assert_true(str_eqz(json_get_str(s3, "configurationId"), "rule-2"));
    assert_keys(json_get(s3, "object"), (const char *const[]){ "key", "sequencer", NULL });
}

static void fire(const char *name, enum s3_event_shape shape)
{
    struct s3_bucket_row bucket;
    struct s3_event ev = { name, shape, STR("in/k"), STR("0123"), 7, 1000 };
    struct s3_cause cause = { .request_id = STR("REQ"),
                              .host_id = STR("HOST"),
                              .principal = STR("AWS:AIDA"),
                              .source_ip = STR("10.0.0.1") };
    assert_int_equal(s3_store_bucket(core_db(f.core), a, STR("b-1"), &bucket), ST_OK);
    assert_int_equal(s3_event_fire(core_state(f.core, "s3"), a, &bucket, &ev, &cause), ST_OK);
}

static void a_tagging_record(void **state)
{
    (void)state;
    struct s3_rule rules[] = { { S3_RULE_LAMBDA, STR("tags"), STR(ARN), STR("s3:ObjectTagging:*"),
                                 STR_NONE, STR_NONE } };
    assert_int_equal(s3_store_set_rules(core_db(f.core), STR("b-1"), rules, 1), ST_OK);
    fire("s3:ObjectTagging:Put", S3_EVENT_TAGGED);
    fire("s3:ObjectCreated:Put", S3_EVENT_CREATED);
    assert_int_equal(n_caught, 1);
    const struct json_value *r = record(0);
    assert_true(str_eqz(json_get_str(r, "eventVersion"), "2.3"));
    assert_true(str_eqz(json_get_str(r, "eventName"), "ObjectTagging:Put"));
    assert_true(str_eqz(json_get_str(r, "eventTime"), "1970-01-01T00:00:01.000Z"));
    assert_true(
        str_eqz(json_get_str(json_get(r, "requestParameters"), "sourceIPAddress"), "10.0.0.1"));
    assert_true(str_eqz(json_get_str(json_get(r, "responseElements"), "x-amz-id-2"), "HOST"));
    assert_keys(json_get(json_get(r, "s3"), "object"),
                (const char *const[]){ "key", "eTag", NULL });
}

/* One call may concern several rules: each gets a record of its own with its own id. */
static void every_rule_gets_its_own(void **state)
{
    (void)state;
    struct s3_rule rules[] = {
        { S3_RULE_LAMBDA, STR("one"), STR(ARN), STR("s3:ObjectCreated:Put"), STR_NONE, STR(".a") },
        { S3_RULE_LAMBDA, STR("two"), STR(ARN "2"), STR("s3:ObjectCreated:*"), STR("in"),
          STR_NONE },
    };
    assert_int_equal(s3_store_set_rules(core_db(f.core), STR("b-1"), rules, 2), ST_OK);
    assert_int_equal(put("in/x.a", "1"), ST_OK);
    assert_int_equal(n_caught, 2);
    assert_true(str_eqz(json_get_str(json_get(record(0), "s3"), "configurationId"), "one"));
    assert_true(str_eqz(json_get_str(json_get(record(1), "s3"), "configurationId"), "two"));
    assert_true(str_eqz(caught[1].arn, ARN "2"));
}

static struct str sequencer(size_t i)
{
    return json_get_str(json_get(json_get(record(i), "s3"), "object"), "sequencer");
}

static void sequencers_rise_across_restarts(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(put("in/k", "x"), ST_OK);
    }
    core_fixture_pass(&f);
    core_fixture_restart(&f);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(put("in/k", "x"), ST_OK);
    }
    assert_int_equal(n_caught, 40);
    for (size_t i = 1; i < n_caught; i++) {
        assert_int_equal(sequencer(i).n, 18);
        assert_true(str_cmp(sequencer(i - 1), sequencer(i)) < 0);
    }
}

static void a_target_that_is_gone_loses_the_event(void **state)
{
    (void)state;
    answer = ST_NOT_FOUND;
    assert_int_equal(put("in/k", "x"), ST_OK);
    answer = ST_CONFLICT;
    assert_int_equal(put("in/k", "y"), ST_OK);
    assert_int_equal(n_caught, 0);
}

/* Object and event are one transaction: a target that cannot take the event undoes the write. */
static void a_target_that_fails_undoes_the_object(void **state)
{
    (void)state;
    struct s3_object o;
    answer = ST_DB;
    assert_int_equal(put("in/k", "x"), ST_DB);
    assert_int_equal(s3_object_find(core_db(f.core), a, STR("b-1"), STR("in/k"), &o), ST_NOT_FOUND);
    core_fixture_settle(&f);
    assert_int_equal(core_fixture_count_files(&f, "buckets"), 0);
    assert_int_equal(core_fixture_count_files(&f, "tmp"), 0);
}

static void facade(void **state)
{
    (void)state;
    struct db *db = core_db(f.core);
    struct s3_object o, *list = NULL;
    size_t n = 0;
    int fd = -1;
    char text[8] = "";
    assert_true(s3_bucket_exists(db, STR("b-1")));
    assert_false(s3_bucket_exists(db, STR("b-2")));
    assert_true(str_eqz(s3_bucket_account(db, a, STR("b-1")), "000000000000"));
    assert_false(str_set(s3_bucket_account(db, a, STR("b-2"))));
    static const char *const keys[] = { "p/1", "p/2", "p/3", "q" };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_int_equal(put(keys[i], keys[i]), ST_OK);
    }
    assert_int_equal(s3_object_find(db, a, STR("b-1"), STR("p/2"), &o), ST_OK);
    assert_int_equal(o.size, 3);
    assert_int_equal(o.etag.n, 32);
    assert_int_equal(s3_object_open(f.core, &o, &fd), ST_OK);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    assert_memory_equal(text, "p/2", 3);
    close(fd);
    struct s3_object_range range = { .bucket = STR("b-1"), .prefix = STR("p/") };
    assert_int_equal(s3_object_list(db, a, &range, &list, &n), ST_OK);
    assert_int_equal(n, 3);
    range.start_after = STR("p/1");
    range.limit = 1;
    assert_int_equal(s3_object_list(db, a, &range, &list, &n), ST_OK);
    assert_int_equal(n, 1);
    assert_true(str_eqz(list[0].key, "p/2"));
    range = (struct s3_object_range){ .bucket = STR("b-1") };
    assert_int_equal(s3_object_list(db, a, &range, &list, &n), ST_OK);
    assert_int_equal(n, 4);
    core_fixture_pass(&f);
    assert_int_equal(put("p/2", "new"), ST_OK);
    core_fixture_settle(&f);
    assert_int_equal(s3_object_open(f.core, &o, &fd), ST_NOT_FOUND);
    assert_int_equal(core_fixture_count_files(&f, "buckets"), 4);
}

static void put_into_a_missing_bucket(void **state)
{
    (void)state;
    struct blob_ref ref;
    unsigned char md5[16] = { 0 };
    int fd = -1;
    int64_t id = 0;
    assert_int_equal(blob_stage(core_blobs(f.core), &fd, &id), ST_OK);
    assert_int_equal(blob_stage_end(core_blobs(f.core), fd, id, &ref), ST_OK);
    struct s3_put p = { .bucket = STR("none"), .key = STR("k"), .ref = ref, .md5 = md5 };
    assert_int_equal(s3_object_put(f.core, &p), ST_NOT_FOUND);
    assert_int_equal(core_fixture_count_files(&f, "tmp"), 0);
}

/* Nothing in a listing or a look-up may walk a table. */
static void queries_seek(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "EXPLAIN QUERY PLAN SELECT key,size FROM s3_objects WHERE bucket='b' AND key>='k' ORDER BY "
        "key",
        "EXPLAIN QUERY PLAN SELECT key FROM s3_objects WHERE bucket='b' AND key>'k' ORDER BY key",
        "EXPLAIN QUERY PLAN SELECT * FROM s3_objects WHERE bucket='b' AND key='k'",
        "EXPLAIN QUERY PLAN SELECT 1 FROM s3_objects WHERE bucket='b' LIMIT 1",
        "EXPLAIN QUERY PLAN SELECT id FROM s3_uploads WHERE bucket='b' AND key>='k' AND (key>'k' "
        "OR "
        "id>'i') ORDER BY key,id LIMIT 5",
        "EXPLAIN QUERY PLAN SELECT * FROM s3_parts WHERE upload='u' AND number>3 ORDER BY number",
        "EXPLAIN QUERY PLAN SELECT id FROM s3_rules WHERE bucket='b' ORDER BY pos",
    };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct rows q;
        int steps = 0;
        assert_int_equal(db_query(core_db(f.core), &q, queries[i]), ST_OK);
        while (rows_next(&q)) {
            struct str detail = rows_str(&q, a, 3);
            steps++;
            if (!str_starts(detail, STR("SEARCH "))) {
                fail_msg("%s\n-> %.*s", queries[i], STR_ARG(detail));
            }
        }
        assert_int_equal(rows_end(&q), ST_OK);
        assert_int_equal(steps, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_created_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_in_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_removed_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tagging_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_rule_gets_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sequencers_rise_across_restarts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_target_that_is_gone_loses_the_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_target_that_fails_undoes_the_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(facade, set_up, tear_down),
        cmocka_unit_test_setup_teardown(put_into_a_missing_bucket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queries_seek, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
