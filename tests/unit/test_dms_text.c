/* Mappings, settings, names and positions: the texts that users write and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "emulators/dms/dms_model.h"
#include "emulators/dms/endpoint/s3_settings.h"
#include "emulators/dms/file/names.h"
#include "emulators/dms/mapping/mapping.h"
#include "emulators/dms/task/position.h"
#include "emulators/dms/task/settings.h"
#include "server/base/mem.h"

static int setup(void **state)
{
    *state = arena_new(16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void expect_text(struct str got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

static void expect_words(struct str text, const char *words)
{
    if (str_find_str(text, str_z(words)) < 0) {
        fail_msg("'%s' is not in: %.*s", words, STR_ARG(text));
    }
}

/* --- mappings --------------------------------------------------------------------------------- */

static void wildcards(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool hit;
    } cases[] = {
        { "%", "", true },           { "%", "x", true },         { "a%", "abc", true },
        { "a%c", "abcbc", true },    { "a%c", "abcb", false },   { "_", "x", true },
        { "_", "\xc3\xa4", true },   { "_", "", false },         { "a_c", "abc", true },
        { "a[_]c", "abc", false },   { "a[_]c", "a_c", true },   { "t[ab]", "tb", true },
        { "t[ab]", "tc", false },    { "t[a-d]%", "tdx", true }, { "t[a-d]", "te", false },
        { "[open", "[open", true },  { "Abc", "abc", false },    { "%%", "", true },
        { "%a%b%", "xxaxbx", true }, { "t[%]", "t%", true },     { "", "", true },
        { "", "a", false },          { "x%y", "xy", true },      { "[-a]", "-", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (dms_wildcard(str_z(cases[i].pattern), str_z(cases[i].text)) != cases[i].hit) {
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].text);
        }
    }
}

static void hostile_wildcards_end_soon(void **state)
{
    struct arena *a = *state;
    char *text = arena_alloc(a, 20001), *pattern = arena_alloc(a, 4001);
    memset(text, 'a', 20000);
    for (int i = 0; i < 2000; i++) {
        memcpy(pattern + 2 * i, "%a", 2);
    }
    pattern[3999] = 'b';
    assert_false(dms_wildcard(str_z(pattern), str_z(text)));
}

#define RULE(id, schema, table, action)                                             \
    "{\"rule-type\":\"selection\",\"rule-id\":\"" id "\",\"rule-name\":\"n" id      \
    "\",\"object-locator\":{\"schema-name\":\"" schema "\",\"table-name\":\"" table \
    "\"},\"rule-action\":\"" action "\"}"

static void selections(void **state)
{
    struct arena *a = *state;
    struct dms_mapping m;
    struct str why;
    assert_int_equal(
        dms_mapping_parse(
            a,
            STR("{\"rules\":[" RULE("1", "shop", "%", "include") "," RULE(
                "2", "shop", "tmp%", "exclude") "," RULE("3", "shop", "tmp_keep", "explicit") "]}"),
            &m, &why),
        ST_OK);
    assert_int_equal(m.n, 3);
    assert_true(dms_mapping_selects(&m, STR("shop"), STR("orders"), NULL));
    assert_false(dms_mapping_selects(&m, STR("shop"), STR("tmp1"), NULL));
    assert_true(dms_mapping_selects(&m, STR("shop"), STR("tmp_keep"), NULL));
    assert_false(dms_mapping_selects(&m, STR("shop"), STR("tmpxkeep"), NULL));
    assert_false(dms_mapping_selects(&m, STR("Shop"), STR("orders"), NULL));
}

static void load_order(void **state)
{
    struct arena *a = *state;
    struct dms_mapping m;
    struct str why;
    int64_t order;
    assert_int_equal(
        dms_mapping_parse(
            a,
            STR("{\"rules\":[{\"rule-type\":\"selection\",\"rule-id\":7,\"rule-name\":\"x\","
                "\"object-locator\":{\"schema-name\":\"s\",\"table-name\":\"t\",\"table-type\":"
                "\"table\"},\"rule-action\":\"include\",\"load-order\":\"3\",\"filters\":[]}]}"),
            &m, &why),
        ST_OK);
    assert_true(dms_mapping_selects(&m, STR("s"), STR("t"), &order));
    assert_int_equal(order, 3);
}

static void bad_mappings(void **state)
{
    struct arena *a = *state;
    static const char *const cases[][2] = {
        { "", "not valid JSON" },
        { "[]", "JSON object" },
        { "{\"rules\":[]}", "at least one" },
        { "{\"rules\":{}}", "at least one" },
        { "{\"rules\":[1]}", "must be an object" },
        { "{\"rules\":[{}]}", "rule-id" },
        { "{\"rules\":[" RULE("x", "a", "b", "include") "]}", "rule-id" },
        { "{\"rules\":[" RULE("1", "a", "b", "include") "," RULE("1", "a", "b", "include") "]}",
          "twice" },
        { "{\"rules\":[" RULE("1", "a", "b", "drop") "]}", "ruleId = 1" },
        { "{\"rules\":[" RULE("1", "a", "", "include") "]}", "table-name" },
        { "{\"rules\":[" RULE("1", "a", "b%", "explicit") "]}", "wildcards" },
        { "{\"rules\":[" RULE("1", "a", "b", "exclude") "]}", "include" },
        { "{\"rules\":[{\"rule-type\":\"dance\",\"rule-id\":\"1\",\"rule-name\":\"x\"}]}",
          "unknown" },
        { "{\"rules\":[],\"more\":1}", "'more'" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dms_mapping m;
        struct str why = STR_NONE;
        assert_int_equal(dms_mapping_parse(a, str_z(cases[i][0]), &m, &why), ST_INVALID);
        expect_words(why, cases[i][1]);
    }
}

/* --- settings --------------------------------------------------------------------------------- */

static void defaults(void **state)
{
    struct arena *a = *state;
    struct str text, why;
    struct dms_settings s;
    assert_int_equal(dms_settings_merge(a, STR_NONE, STR_NONE, &text, &why), ST_OK);
    assert_int_equal(dms_settings_read(a, text, &s), ST_OK);
    assert_true(s.support_lobs && s.handle_truncated && s.fail_without_tables);
    assert_false(s.logging || s.table_error_stops_task || s.stop_before_cached);
    assert_int_equal(s.lob_max_kb, 32);
    assert_int_equal(s.prep_mode, DMS_PREP_DROP);
    assert_int_equal(s.max_load_threads, 8);
    assert_int_equal(s.retry_count, -1);
    assert_int_equal(s.retry_interval_s, 5);
    expect_words(text, "\"historyTimeslotInMinutes\":5");
    expect_words(text, "\"CloudWatchLogGroup\":null");
}

static void settings_are_merged(void **state)
{
    struct arena *a = *state;
    struct str text, again, why;
    struct dms_settings s;
    assert_int_equal(
        dms_settings_merge(a, STR_NONE,
                           STR("{\"FullLoadSettings\":{\"TargetTablePrepMode\":\"DO_NOTHING\"},"
                               "\"Logging\":{\"EnableLogging\":true,\"LogComponents\":[{\"Id\":"
                               "\"IO\",\"Severity\":\"LOGGER_SEVERITY_DEBUG\"}]},"
                               "\"ValidationSettings\":{\"EnableValidation\":false}}"),
                           &text, &why),
        ST_OK);
    assert_int_equal(dms_settings_read(a, text, &s), ST_OK);
    assert_int_equal(s.prep_mode, DMS_PREP_NOTHING);
    assert_true(s.logging);
    expect_words(text, "{\"Severity\":\"LOGGER_SEVERITY_DEBUG\",\"Id\":\"IO\"}");
    expect_words(text, "\"ValidationSettings\":{\"EnableValidation\":false}");
    text = dms_settings_with_log(a, text, STR("g"), STR("s"));
    expect_words(text, "\"CloudWatchLogGroup\":\"g\"");
    /* what the service told may be given back, and a second merge keeps the first */
    assert_int_equal(dms_settings_merge(a, text, text, &again, &why), ST_OK);
    expect_text(again, arena_cstr(a, text));
}

static void bad_settings(void **state)
{
    struct arena *a = *state;
    static const char *const cases[][2] = {
        { "{", "JSON" },
        { "[]", "object" },
        { "{\"Nonsense\":1}", "'Nonsense'" },
        { "{\"Logging\":{\"Nonsense\":1}}", "'Logging.Nonsense'" },
        { "{\"Logging\":{\"EnableLogging\":\"yes\"}}", "Logging.EnableLogging" },
        { "{\"Logging\":{\"CloudWatchLogGroup\":\"g\"}}", "CloudWatchLogGroup" },
        { "{\"Logging\":{\"EnableLogContext\":true}}", "EnableLogging" },
        { "{\"Logging\":{\"LogComponents\":[{\"Id\":\"X\",\"Severity\":\"Y\"}]}}", "'X'" },
        { "{\"TargetMetadata\":{\"BatchApplyEnabled\":true}}", "BatchApplyEnabled" },
        { "{\"TargetMetadata\":{\"LobMaxSize\":0}}", "LobMaxSize" },
        { "{\"FullLoadSettings\":{\"TargetTablePrepMode\":\"MAYBE\"}}", "TargetTablePrepMode" },
        { "{\"FullLoadSettings\":{\"MaxFullLoadSubTasks\":50}}", "MaxFullLoadSubTasks" },
        { "{\"ValidationSettings\":{\"EnableValidation\":true}}", "EnableValidation" },
        { "{\"CharacterSetSettings\":{}}", "CharacterSetSettings" },
        { "{\"ControlTablesSettings\":{\"ControlSchema\":\"a/b\"}}", "ControlSchema" },
        { "{\"ErrorBehavior\":{\"DataErrorPolicy\":\"SHRUG\"}}",
          "DataErrorPolicy must be one of: IGNORE_RECORD, LOG_ERROR, SUSPEND_TABLE, STOP_TASK" },
        { "{\"FullLoadSettings\":{\"StopTaskCachedChangesApplied\":true,"
          "\"StopTaskCachedChangesNotApplied\":true}}",
          "exclude" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text, why = STR_NONE;
        assert_int_equal(dms_settings_merge(a, STR_NONE, str_z(cases[i][0]), &text, &why),
                         ST_INVALID);
        expect_words(why, cases[i][1]);
    }
}

static void s3_settings(void **state)
{
    struct arena *a = *state;
    struct dms_s3_settings s = { .BucketName = STR("b"), .CsvDelimiter = STR("|") };
    struct dms_s3_options o;
    struct str why;
    bool conflict;
    assert_int_equal(dms_s3_attributes(a,
                                       STR("csvDelimiter=,;csvRowDelimiter=\\r\\n; "
                                           "includeOpForFullLoad=y;cdcMinFileSize=2;"),
                                       &s, &why),
                     ST_OK);
    assert_int_equal(dms_s3_read(a, &s, &o, &conflict, &why), ST_OK);
    expect_text(o.csv.delimiter, "|"); /* S3Settings win */
    expect_text(o.csv.row_end, "\r\n");
    assert_true(o.op_in_load && o.op_in_changes && o.csv.rfc4180);
    assert_int_equal(o.min_file_bytes, 2048);
    assert_int_equal(o.interval_s, 60);
    dms_s3_echo(a, &s);
    expect_text(s.CsvRowDelimiter, "\\r\\n");
    expect_text(s.CompressionType, "NONE");
    expect_text(dms_s3_echo_attributes(a, &s), "bucketFolder=;bucketName=b;compressionType=NONE;"
                                               "csvDelimiter=|;csvRowDelimiter=\\r\\n;");
    assert_int_equal(dms_s3_attributes(a, STR("colour=red"), &s, &why), ST_INVALID);
    expect_words(why, "colour is not a valid parameter");
    assert_int_equal(dms_s3_attributes(a, STR("maxFileSize=big"), &s, &why), ST_INVALID);
    s.CdcInsertsOnly = s.CdcInsertsAndUpdates = OPT_BOOL(true);
    assert_int_equal(dms_s3_read(a, &s, &o, &conflict, &why), ST_INVALID);
    assert_true(conflict);
}

/* --- names and positions ---------------------------------------------------------------------- */

static void names(void **state)
{
    struct arena *a = *state;
    struct str p = dms_name_prefix(a, STR("/top/sub/"), STR("shop"), STR("orders"));
    expect_text(p, "top/sub/shop/orders/");
    expect_text(dms_name_prefix(a, STR(""), STR("s"), STR("t")), "s/t/");
    expect_text(dms_name_load(a, p, 1, STR(".csv")), "top/sub/shop/orders/LOAD00000001.csv");
    expect_text(dms_name_load(a, STR("x/"), 26, STR(".csv.gz")), "x/LOAD0000001A.csv.gz");
    expect_text(dms_name_cdc(a, STR("x/"), 1795158489007, STR(".csv")), "x/20261120-070809007.csv");
    expect_text(dms_name_transactions(a, STR("/f/"), STR("/a/b/"), 1795158489007, STR(".csv.gz")),
                "f/a/b/CDC_TXN-20261120070809007.csv.gz");
    expect_text(dms_name_transactions(a, STR(""), STR("c"), 1795158489007, STR(".csv")),
                "c/CDC_TXN-20261120070809007.csv");
    assert_int_equal(dms_name_now(NULL, 100, 0), 100);
    assert_int_equal(dms_name_now(NULL, 100, 100), 101);
    assert_int_equal(dms_name_now(NULL, 100, 500), 501); /* a clock that ran backwards */
}

/* The hour that summer time's end repeats: names stay in order and are not used twice. */
static void names_in_a_zone(void **state)
{
    struct arena *a = *state;
    const struct zone *berlin = NULL;
    assert_int_equal(zone_read(a, STR("Europe/Berlin"), &berlin), ST_OK);
    int64_t first = dms_name_now(berlin, 1792889999999, 0), second;
    expect_text(dms_name_cdc(a, STR(""), first, STR("")), "20261025-025959999");
    second = dms_name_now(berlin, 1792890000000, first); /* 02:00:00 again */
    expect_text(dms_name_cdc(a, STR(""), second, STR("")), "20261025-030000000");
    expect_text(dms_name_cdc(a, STR(""), dms_name_now(berlin, 1792894000000, second), STR("")),
                "20261025-030640000");
}

static void expect_folder(const char *sequence, const char *delimiter, const struct zone *zone,
                          const char *want)
{
    struct dms_date_format f = { 0 };
    char got[DMS_DATE_MAX];
    assert_int_equal(dms_date_parts(str_z(sequence), str_z(delimiter), &f), ST_OK);
    f.zone = zone;
    dms_date_folder(&f, 1637629323000000, got); /* 2021-11-23 01:02:03 */
    assert_string_equal(got, want);
}

static void date_folders(void **state)
{
    struct arena *a = *state;
    const struct zone *lima = NULL;
    assert_int_equal(zone_read(a, STR("America/Lima"), &lima), ST_OK);
    expect_folder(NULL, NULL, NULL, "2021/11/23/");
    expect_folder("yyyymmddhh", "none", NULL, "2021112301/");
    expect_folder("MMYYYYDD", "dash", NULL, "11-2021-23/");
    expect_folder("DDMMYYYY", "Underscore", NULL, "23_11_2021/");
    expect_folder("YYYYMMDDHH", "SLASH", lima, "2021/11/22/20/");
    struct dms_date_format f = { 0 };
    char got[DMS_DATE_MAX] = "x";
    dms_date_folder(&f, 1637629323000000, got);
    assert_string_equal(got, "");
    assert_int_equal(dms_date_parts(STR("YYYY"), STR("SLASH"), &f), ST_INVALID);
    assert_int_equal(dms_date_parts(STR("YYYYMM"), STR("DOT"), &f), ST_INVALID);
}

static void positions(void **state)
{
    struct arena *a = *state;
    struct mysql_position p;
    int64_t ms;
    assert_int_equal(dms_start_parse(STR("mysql-bin-changelog.000024:373"), &p, &ms), ST_OK);
    assert_string_equal(p.file, "mysql-bin-changelog.000024");
    assert_int_equal(p.pos, 373);
    assert_int_equal(ms, -1);
    struct str text = dms_checkpoint_text(a, &p, 27);
    expect_text(text, "checkpoint:V1#27#mysql-bin-changelog.000024:373:-1:0:27:"
                      "mysql-bin-changelog.000024:373#0#0#*#0#27");
    struct mysql_position q;
    assert_int_equal(dms_start_parse(text, &q, &ms), ST_OK);
    assert_int_equal(mysql_position_cmp(&p, &q), 0);
    assert_int_equal(dms_start_parse(STR("checkpoint:V1#27#mysql-bin-changelog.157832:1975:-1:2002:"
                                         "677883278264080:mysql-bin-changelog.157832:1876#0#0#*#0#"
                                         "93"),
                                     &q, &ms),
                     ST_OK);
    assert_int_equal(q.pos, 1975);
    assert_int_equal(dms_start_parse(STR("2018-03-08T12:12:12"), &q, &ms), ST_OK);
    assert_int_equal(ms, 1520511132000);
    assert_int_equal(q.file[0], '\0');
    static const char *const bad[] = { "",      "yesterday",
                                       "file:", "checkpoint:V1#2",
                                       ":4",    "checkpoint:V1#1#nocolon#" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(dms_start_parse(str_z(bad[i]), &q, &ms), ST_INVALID);
    }
    enum dms_stop_kind kind;
    assert_int_equal(dms_stop_parse(STR("commit_time: 2018-02-09T12:12:12"), &kind, &ms), ST_OK);
    assert_int_equal(kind, DMS_STOP_COMMIT_TIME);
    assert_int_equal(dms_stop_parse(STR("server_time:2018-02-09T12:12:12Z"), &kind, &ms), ST_OK);
    assert_int_equal(dms_stop_parse(STR("noon"), &kind, &ms), ST_INVALID);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(wildcards),           TEST(hostile_wildcards_end_soon),
        TEST(selections),          TEST(load_order),
        TEST(bad_mappings),        TEST(defaults),
        TEST(settings_are_merged), TEST(bad_settings),
        TEST(s3_settings),         TEST(names),
        TEST(names_in_a_zone),     TEST(date_folders),
        TEST(positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
