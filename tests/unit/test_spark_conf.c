/* The properties file of a run: escapes as java.util.Properties reads them, and --conf chains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulators/glue/spark/spark_conf.h"
#include "server/base/mem.h"

#define TEXT_MAX (1u << 16)

static void expect_chain(const char *chain, const char *lines)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT(TEXT_MAX);
    struct str bad;
    assert_int_equal(spark_conf_add_chain(&out, str_z(chain), &bad), ST_OK);
    assert_string_equal(out.n ? out.p : "", lines);
}

static void test_chain(void **state)
{
    (void)state;
    expect_chain("a=b", "a=b\n");
    expect_chain(" a = b c  --conf  d=e=f ", "a=b c\nd=e=f\n");
    expect_chain("a=b --conf c=d\n--conf e=", "a=b\nc=d\ne=\n");
    expect_chain("--conf a=b", "a=b\n");
    expect_chain("a=-x--conf b --conf=c=d", "a=-x--conf b\nc=d\n");
    expect_chain("", "");
    expect_chain("a=--config", "a=--config\n");
}

static void test_bad_chain(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT(TEXT_MAX);
    struct str bad;
    assert_int_equal(spark_conf_add_chain(&out, STR("a=b --conf oops --conf c=d"), &bad),
                     ST_INVALID);
    assert_true(str_eqz(bad, "oops"));
    assert_int_equal(spark_conf_add_chain(&out, STR("=x"), &bad), ST_INVALID);
}

static void test_escapes(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT(TEXT_MAX);
    spark_conf_add(&out, STR("k:e y#"), STR(" a\\b\nc=d \xc3\xbc"));
    assert_string_equal(out.p, "k\\:e\\ y\\#=\\ a\\\\b\\nc=d \xc3\xbc\n");
}

static void test_masters(void **state)
{
    (void)state;
    assert_true(spark_master_local(STR("local")));
    assert_true(spark_master_local(STR("local[*]")));
    assert_false(spark_master_local(STR("local-cluster[2,1,1024]")));
    assert_false(spark_master_local(STR("spark://127.0.0.1:7077")));
    assert_true(spark_master_here(STR("spark://127.0.0.1:7077")));
    assert_false(spark_master_here(STR("spark://10.0.0.1:7077")));
    assert_false(spark_master_here(STR("yarn")));
}

/* What an argument says stays one line: nothing can add a setting by a newline. */
static void test_whole(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT(TEXT_MAX);
    const struct spark_conf conf = {
        .master = STR("spark://10.0.0.1:7077"),
        .app_name = STR("job\nspark.ui.enabled=true"),
        .endpoint = STR("https://s3.test:1"),
        .region = STR("eu-west-1"),
        .access_key = STR("A"),
        .secret = STR("S"),
        .token = STR("T"),
        .tmp_dir = "/tmp/x",
        .jars = STR("/a.jar,/b.jar"),
    };
    spark_conf_write(&out, &conf);
    struct str text = buf_str(&out);
    assert_true(buf_ok(&out));
    assert_true(str_find_str(text, STR("\nspark.ui.enabled=true")) < 0);
    assert_true(str_find_str(text, STR("\nspark.ui.enabled=false\n")) >= 0);
    assert_true(str_find_str(text, STR("fs.s3a.connection.ssl.enabled=true\n")) >= 0);
    assert_true(str_find_str(text, STR("spark.hadoop.fs.s3n.impl=")) >= 0);
    assert_true(str_find_str(text, STR("spark.jars=/a.jar,/b.jar\n")) >= 0);
    assert_true(str_find_str(text, STR("spark.driver.bindAddress")) < 0);
    assert_true(str_find_str(text, STR("/tmp/x")) < 0);
    assert_true(str_find_str(text, STR("spark.files")) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),   cmocka_unit_test(test_bad_chain),
        cmocka_unit_test(test_escapes), cmocka_unit_test(test_masters),
        cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
