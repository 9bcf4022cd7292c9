/* What a job run sees of objects that it replaced or deleted itself: real requests, as Hadoop's S3A
 * sends them, against the real listener. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "emulators/facade/s3.h"
#include "emulators/s3/s3_write.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/service.h"
#include "tests/support/http_server.h"
#include "tests/support/tmpdir.h"

extern const struct service s3_service;
const struct service *const services[] = { &s3_service, NULL };

#define RUN "ASIARUNOFAJOB"
#define OTHER "ASIASOMEBODY"
#define HADOOP "User-Agent: Hadoop 3.3.4, aws-sdk-java/1.12.262 Linux java/17\r\n"
#define BOTO "User-Agent: Boto3/1.34 md/Botocore\r\n"
#define AUDIT(op) \
    "Referer: https://audit.example.org/hadoop/1/" op "/8a-01/?op=" op "&p1=s3a://bkt/k\r\n"
#define ETAG_ONE "\"f97c5d29941bfb1b2fdab0874906ab82\""
#define ETAG_TWO "\"b8a9f715dbb64fd5c56e7783c6820a61\""
#define LARGE (8u << 20)

struct fixture {
    struct http_server *server;
    int told;
    char told_of[128];
};

/* --- asking ----------------------------------------------------------------------------------- */

static struct buf request_of(const char *who, const char *line, const char *headers,
                             struct str body)
{
    struct buf b = BUF_INIT(64u << 20);
    buf_printf(&b,
               "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Date: 20261120T000000Z\r\n"
               "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nContent-Length: %zu\r\n%s"
               "Authorization: AWS4-HMAC-SHA256 Credential=%s/20261120/us-east-1/s3/aws4_request, "
               "SignedHeaders=host;x-amz-date, Signature=%064d\r\n\r\n",
               line, body.n, headers, who, 1);
    buf_str_add(&b, body);
    return b;
}

static void ask(const struct fixture *f, const char *who, const char *line, const char *headers,
                const char *body, struct http_answer *ret)
{
    struct buf b = request_of(who, line, headers, str_z(body));
    http_ask(f->server->port, buf_str(&b), ret);
    buf_fini(&b);
}

static void expect(const struct fixture *f, int status, const char *text, const char *who,
                   const char *line, const char *headers)
{
    struct http_answer r;
    ask(f, who, line, headers, "", &r);
    http_expect_answer(&r, status, text);
    http_answer_fini(&r);
}

static void put(const struct fixture *f, const char *who, const char *key, const char *body)
{
    struct http_answer r;
    char line[128];
    snprintf(line, sizeof(line), "PUT /bkt/%s", key);
    ask(f, who, line, "Content-Type: text/csv\r\nx-amz-meta-from: dms\r\n", body, &r);
    http_expect_answer(&r, 200, "");
    http_answer_fini(&r);
}

/* --- the view --------------------------------------------------------------------------------- */

static void on_old_read(void *arg, struct str bucket, struct str key)
{
    struct fixture *f = arg;
    f->told++;
    snprintf(f->told_of, sizeof(f->told_of), "%.*s/%.*s", STR_ARG(bucket), STR_ARG(key));
}

static enum status open_now(struct core *core, void *arg)
{
    struct s3_view view = { .access_key = STR(RUN), .on_old_read = on_old_read, .arg = arg };
    assert_int_equal(s3_view_open(core, &view), ST_OK);
    assert_int_equal(s3_view_open(core, &view), ST_EXISTS);
    return ST_OK;
}

static enum status close_now(struct core *core, void *arg)
{
    (void)arg;
    s3_view_close(core, STR("nobody"));
    s3_view_close(core, STR(RUN));
    s3_view_close(core, STR(RUN));
    return ST_OK;
}

static void on_core(struct fixture *f, enum status (*fn)(struct core *core, void *arg),
                    enum status wanted)
{
    assert_int_equal(core_sync(http_server_core(f->server), fn, f), wanted);
}

static size_t in_tmp(const struct fixture *f)
{
    CLEANUP(free_ptr) char *path = xasprintf("%s/tmp", f->server->dir);
    return tmpdir_count(path);
}

/* Old files are deleted in the background: asks until it is so. */
static void expect_in_tmp(struct fixture *f, size_t n)
{
    for (int i = 0; i < 20000 && in_tmp(f) != n; i++) {
        usleep(1000);
    }
    assert_int_equal(in_tmp(f), n);
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .server = http_server_start(false) };
    expect(&f, 200, "", RUN, "PUT /bkt", "");
    put(&f, OTHER, "k", "one");
    on_core(&f, open_now, ST_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_server_stop(f->server);
    return 0;
}

/* --- deleted ---------------------------------------------------------------------------------- */

static void deleted_stays_readable(void **state)
{
    struct fixture *f = *state;
    expect(f, 204, "", RUN, "DELETE /bkt/k", HADOOP);
    expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "ETag: " ETAG_ONE, RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "Content-Type: text/csv", RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "x-amz-meta-from: dms", RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "x-amz-checksum-crc64nvme", RUN, "GET /bkt/k",
           HADOOP "x-amz-checksum-mode: ENABLED\r\n");
    expect(f, 206, "Content-Range: bytes 1-2/3", RUN, "GET /bkt/k", HADOOP "Range: bytes=1-9\r\n");
    expect(f, 416, "InvalidRange", RUN, "GET /bkt/k", HADOOP "Range: bytes=7-9\r\n");
    expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP "If-Match: " ETAG_ONE "\r\n");
    expect(f, 412, "PreconditionFailed", RUN, "GET /bkt/k", HADOOP "If-Match: " ETAG_TWO "\r\n");
    expect(f, 304, "", RUN, "GET /bkt/k", HADOOP "If-None-Match: " ETAG_ONE "\r\n");
    expect(f, 200, "Content-Length: 3", RUN, "HEAD /bkt/k", HADOOP);
}

static void others_see_the_truth(void **state)
{
    struct fixture *f = *state;
    expect(f, 204, "", RUN, "DELETE /bkt/k", HADOOP);
    expect(f, 404, "NoSuchKey", RUN, "GET /bkt/k", BOTO);
    expect(f, 404, "", RUN, "HEAD /bkt/k", BOTO);
    expect(f, 404, "NoSuchKey", OTHER, "GET /bkt/k", HADOOP);
    expect(f, 404, "NoSuchKey", RUN, "GET /bkt/k?tagging", HADOOP);
    expect(f, 200, "<KeyCount>0</KeyCount>", RUN, "GET /bkt?list-type=2", HADOOP);
    expect(f, 404, "NoSuchKey", RUN, "GET /bkt/never", HADOOP);
}

static void deleted_by_others_is_gone(void **state)
{
    struct fixture *f = *state;
    expect(f, 204, "", OTHER, "DELETE /bkt/k", HADOOP);
    expect(f, 404, "NoSuchKey", RUN, "GET /bkt/k", HADOOP);
    expect_in_tmp(f, 0);
}

/* S3A asks by HEAD for many reasons; only for reading the old object may show up. */
static void a_target_of_a_rename_is_gone(void **state)
{
    struct fixture *f = *state;
    expect(f, 204, "", RUN, "DELETE /bkt/k", HADOOP);
    expect(f, 404, "", RUN, "HEAD /bkt/k", HADOOP AUDIT("op_rename"));
    expect(f, 404, "", RUN, "HEAD /bkt/k", HADOOP AUDIT("op_exists"));
    expect(f, 404, "", RUN, "HEAD /bkt/k", HADOOP AUDIT("op_create"));
    expect(f, 200, "", RUN, "HEAD /bkt/k", HADOOP AUDIT("op_open"));
    expect(f, 200, "", RUN, "HEAD /bkt/k", HADOOP AUDIT("op_get_file_status"));
    expect(f, 200, "", RUN, "HEAD /bkt/k", HADOOP AUDIT("op_delete"));
    expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP AUDIT("op_open"));
    expect(f, 404, "", RUN, "HEAD /bkt/k", HADOOP "Referer: /hadoop/1/op_x/\r\n");
    expect(f, 200, "", RUN, "HEAD /bkt/k", HADOOP "Referer: /hadoop/1/\r\n");
}

static void scratch_is_not_kept(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = { "t/_temporary/0/part-0", "t/.spark-staging-1/p=1/part-0",
                                        "t/" };
    char line[128];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        put(f, RUN, keys[i], "x");
        snprintf(line, sizeof(line), "DELETE /bkt/%s", keys[i]);
        expect(f, 204, "", RUN, line, HADOOP);
        snprintf(line, sizeof(line), "GET /bkt/%s", keys[i]);
        expect(f, 404, "NoSuchKey", RUN, line, HADOOP);
    }
    expect_in_tmp(f, 0);
}

static void many_at_once(void **state)
{
    struct fixture *f = *state;
    struct http_answer r;
    put(f, OTHER, "k2", "two");
    ask(f, RUN, "POST /bkt?delete", HADOOP "Content-MD5: 68n44rJB2gaBa5cvVl0BaA==\r\n",
        "<Delete><Object><Key>k</Key></Object><Object><Key>k2</Key></Object></Delete>", &r);
    http_expect_answer(&r, 200, "<Deleted>");
    http_answer_fini(&r);
    expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "two", RUN, "GET /bkt/k2", HADOOP);
    expect_in_tmp(f, 2);
}

/* --- replaced --------------------------------------------------------------------------------- */

static void expect_replaced(const struct fixture *f, const char *now)
{
    expect(f, 200, now, RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP "If-Match: " ETAG_ONE "\r\n");
    expect(f, 412, "PreconditionFailed", RUN, "GET /bkt/k", BOTO "If-Match: " ETAG_ONE "\r\n");
    expect(f, 412, "PreconditionFailed", OTHER, "GET /bkt/k", HADOOP "If-Match: " ETAG_ONE "\r\n");
    expect(f, 412, "PreconditionFailed", RUN, "GET /bkt/k", HADOOP "If-Match: \"0a\"\r\n");
}

static void replaced_by_a_put(void **state)
{
    struct fixture *f = *state;
    put(f, RUN, "k", "two");
    expect_replaced(f, "two");
    expect(f, 200, "two", RUN, "GET /bkt/k", HADOOP "If-Match: " ETAG_TWO "\r\n");
}

static void replaced_by_a_copy(void **state)
{
    struct fixture *f = *state;
    put(f, OTHER, "source", "two");
    expect(f, 200, "CopyObjectResult", RUN, "PUT /bkt/k",
           HADOOP "x-amz-copy-source: /bkt/source\r\n");
    expect_replaced(f, "two");
}

static void replaced_by_an_upload(void **state)
{
    struct fixture *f = *state;
    struct http_answer r;
    ask(f, RUN, "POST /bkt/k?uploads", HADOOP, "", &r);
    http_expect_answer(&r, 200, "<UploadId>");
    struct str text = buf_str(&r.body), id, rest;
    size_t from = (size_t)str_find_str(text, STR("<UploadId>")) + strlen("<UploadId>");
    str_cut(str_sub(text, from, text.n), '<', &id, &rest);
    CLEANUP(free_ptr)
    char *part = xasprintf("PUT /bkt/k?partNumber=1&uploadId=%.*s", STR_ARG(id));
    CLEANUP(free_ptr) char *complete = xasprintf("POST /bkt/k?uploadId=%.*s", STR_ARG(id));
    http_answer_fini(&r);
    ask(f, RUN, part, HADOOP, "two", &r);
    http_expect_answer(&r, 200, "");
    http_answer_fini(&r);
    ask(f, RUN, complete, HADOOP,
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" ETAG_TWO
        "</ETag></Part></CompleteMultipartUpload>",
        &r);
    http_expect_answer(&r, 200, "CompleteMultipartUploadResult");
    http_answer_fini(&r);
    expect_replaced(f, "two");
}

/* A script that overwrites its data set in a loop reads each time what it wrote before. */
static void own_objects_are_kept_too(void **state)
{
    struct fixture *f = *state;
    put(f, RUN, "k", "two");
    put(f, RUN, "k", "three");
    expect(f, 200, "three", RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP "If-Match: " ETAG_ONE "\r\n");
    expect(f, 200, "two", RUN, "GET /bkt/k", HADOOP "If-Match: " ETAG_TWO "\r\n");
    expect(f, 204, "", RUN, "DELETE /bkt/k", HADOOP);
    expect(f, 200, "three", RUN, "GET /bkt/k", HADOOP);
    expect(f, 200, "two", RUN, "GET /bkt/k", HADOOP "If-Match: " ETAG_TWO "\r\n");
    expect_in_tmp(f, 3);
}

static void a_deleted_bucket_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    put(f, OTHER, "deep/er/k", "one");
    expect(f, 204, "", RUN, "DELETE /bkt/deep/er/k", HADOOP);
    expect(f, 204, "", RUN, "DELETE /bkt/k", HADOOP);
    expect(f, 204, "", RUN, "DELETE /bkt", HADOOP);
    expect(f, 404, "NoSuchBucket", RUN, "GET /bkt/k", HADOOP);
    CLEANUP(free_ptr) char *path = xasprintf("%s/buckets", f->server->dir);
    for (int i = 0; i < 20000 && tmpdir_count(path) > 0; i++) {
        usleep(1000);
    }
    assert_int_equal(tmpdir_count(path), 0);
    on_core(f, close_now, ST_OK);
    expect_in_tmp(f, 0);
}

/* --- life ------------------------------------------------------------------------------------- */

static void closing_frees(void **state)
{
    struct fixture *f = *state;
    expect(f, 204, "", RUN, "DELETE /bkt/k", HADOOP);
    put(f, OTHER, "k2", "two");
    put(f, RUN, "k2", "three");
    expect_in_tmp(f, 2);
    on_core(f, close_now, ST_OK);
    expect(f, 404, "NoSuchKey", RUN, "GET /bkt/k", HADOOP);
    expect(f, 412, "", RUN, "GET /bkt/k2", HADOOP "If-Match: " ETAG_TWO "\r\n");
    expect(f, 200, "three", RUN, "GET /bkt/k2", HADOOP);
    expect_in_tmp(f, 0);
    on_core(f, open_now, ST_OK);
    expect(f, 404, "NoSuchKey", RUN, "GET /bkt/k", HADOOP);
}

static void closing_while_a_reader_streams(void **state)
{
    struct fixture *f = *state;
    char *large = xmalloc(LARGE + 1);
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';
    put(f, OTHER, "large", large);
    expect(f, 204, "", RUN, "DELETE /bkt/large", HADOOP);
    struct buf b = request_of(RUN, "GET /bkt/large", HADOOP, STR(""));
    int fd = http_connect(f->server->port);
    assert_true(http_send(fd, buf_str(&b), 0));
    char first;
    assert_int_equal(recv(fd, &first, 1, MSG_PEEK), 1); /* the answer is on its way */
    on_core(f, close_now, ST_OK);
    expect_in_tmp(f, 0);
    struct http_answer r;
    http_read(fd, false, &r);
    http_expect_answer(&r, 200, "");
    assert_int_equal(r.body.n, LARGE);
    assert_memory_equal(buf_str(&r.body).p, large, LARGE);
    http_answer_fini(&r);
    close(fd);
    buf_fini(&b);
    free(large);
}

static enum status look(struct core *core, void *arg)
{
    (void)core;
    (void)arg;
    return ST_OK;
}

static void told_once(void **state)
{
    struct fixture *f = *state;
    put(f, OTHER, "k2", "two");
    expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP);
    expect(f, 204, "", RUN, "DELETE /bkt/k", HADOOP);
    expect(f, 204, "", RUN, "DELETE /bkt/k2", HADOOP);
    on_core(f, look, ST_OK);
    assert_int_equal(f->told, 0);
    for (int i = 0; i < 16; i++) {
        expect(f, 200, "one", RUN, "GET /bkt/k", HADOOP);
    }
    expect(f, 200, "two", RUN, "GET /bkt/k2", HADOOP);
    on_core(f, look, ST_OK); /* behind what was posted */
    assert_int_equal(f->told, 1);
    assert_string_equal(f->told_of, "bkt/k");
}

/* --- what is rolled back ---------------------------------------------------------------------- */

static enum status remove_and_fail(struct core *core, void *arg)
{
    (void)arg;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct s3 *s3 = core_state(core, "s3");
    struct s3_bucket_row bucket;
    struct s3_object_row *old = NULL;
    struct s3_cause cause = { .access_key = STR(RUN) };
    assert_int_equal(s3_store_bucket(core_db(core), a, STR("bkt"), &bucket), ST_OK);
    assert_int_equal(s3_write_current(s3, a, STR("bkt"), STR("k"), &old), ST_OK);
    assert_non_null(old);
    assert_int_equal(s3_write_removal(s3, a, &bucket, STR("k"), old, &cause), ST_OK);
    return ST_INVALID;
}

static enum status kept_is_nothing(struct core *core, void *arg)
{
    (void)arg;
    int64_t n = -1;
    assert_int_equal(db_get_i64(core_db(core), &n, "SELECT count(*) FROM s3_kept"), ST_OK);
    assert_int_equal(n, 0);
    return ST_OK;
}

static void rolled_back_keeps_nothing(void **state)
{
    struct fixture *f = *state;
    on_core(f, remove_and_fail, ST_INVALID);
    on_core(f, kept_is_nothing, ST_OK);
    assert_int_equal(in_tmp(f), 0);
    expect(f, 200, "one", OTHER, "GET /bkt/k", BOTO);
    expect(f, 204, "", OTHER, "DELETE /bkt/k", BOTO);
    expect(f, 404, "NoSuchKey", RUN, "GET /bkt/k", HADOOP);
}

int main(void)
{
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deleted_stays_readable, setup, teardown),
        cmocka_unit_test_setup_teardown(others_see_the_truth, setup, teardown),
        cmocka_unit_test_setup_teardown(deleted_by_others_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_target_of_a_rename_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(scratch_is_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(many_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(replaced_by_a_put, setup, teardown),
        cmocka_unit_test_setup_teardown(replaced_by_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(replaced_by_an_upload, setup, teardown),
        cmocka_unit_test_setup_teardown(own_objects_are_kept_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deleted_bucket_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_frees, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_while_a_reader_streams, setup, teardown),
        cmocka_unit_test_setup_teardown(told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(rolled_back_keeps_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
