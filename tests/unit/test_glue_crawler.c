/* The crawlers' classifiers: formats, types, headers, tables out of folders, exclude patterns; and
 * that no bytes whatever do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "emulators/glue/crawler/classify.h"
#include "emulators/glue/crawler/crawler_glob.h"
#include "emulators/glue/crawler/crawler_group.h"
#include "server/base/mem.h"

#define ARENA_MAX ((size_t)1 << 30)
#define FUZZ_ROUNDS 4000

/* A footer as Arrow writes it: Id int32, d decimal(10,2), at timestamp(us), tags list<string>,
 * m map<string,int64>, s struct<x double, y binary>; one row. */
static const char footer[] =
    "\x15\x04\x19\xec\x35\x00\x18\x06\x73\x63\x68\x65\x6d\x61\x15\x0c\x00\x15\x02\x25\x02\x18"
    "\x02\x49\x64\x00\x15\x0e\x15\x0a\x15\x02\x18\x01\x64\x25\x0a\x15\x04\x15\x14\x2c\x5c\x15"
    "\x04\x15\x14\x00\x00\x00\x15\x04\x25\x02\x18\x02\x61\x74\x25\x14\x4c\x8c\x12\x1c\x2c\x00"
    "\x00\x00\x00\x00\x35\x02\x18\x04\x74\x61\x67\x73\x15\x02\x15\x06\x4c\x3c\x00\x00\x00\x35"
    "\x04\x18\x04\x6c\x69\x73\x74\x15\x02\x00\x15\x0c\x25\x02\x18\x07\x65\x6c\x65\x6d\x65\x6e"
    "\x74\x25\x00\x4c\x1c\x00\x00\x00\x35\x02\x18\x01\x6d\x15\x02\x15\x02\x4c\x2c\x00\x00\x00"
    "\x35\x04\x18\x09\x6b\x65\x79\x5f\x76\x61\x6c\x75\x65\x15\x04\x00\x15\x0c\x25\x00\x18\x03"
    "\x6b\x65\x79\x25\x00\x4c\x1c\x00\x00\x00\x15\x04\x25\x02\x18\x05\x76\x61\x6c\x75\x65\x00"
    "\x35\x02\x18\x01\x73\x15\x04\x00\x15\x0a\x25\x02\x18\x01\x78\x00\x15\x0c\x25\x02\x18\x01"
    "\x79\x00\x16\x02\x19\x1c\x19\x8c\x26\x00\x1c\x15\x02\x19\x25\x06\x00\x19\x18\x02\x49\x64"
    "\x15\x00\x16\x02\x16\x3a\x16\x3a\x26\x08\x49\x1c\x15\x00\x15\x00\x15\x02\x00\x3c\x29\x06"
    "\x19\x26\x00\x02\x00\x00\x00\x26\x00\x1c\x15\x0e\x19\x25\x06\x00\x19\x18\x01\x64\x15\x00"
    "\x16\x02\x16\x3c\x16\x3c\x26\x42\x49\x1c\x15\x00\x15\x00\x15\x02\x00\x3c\x29\x06\x19\x26"
    "\x00\x02\x00\x00\x00\x26\x00\x1c\x15\x04\x19\x25\x06\x00\x19\x18\x02\x61\x74\x15\x00\x16"
    "\x02\x16\x42\x16\x42\x26\x7e\x49\x1c\x15\x00\x15\x00\x15\x02\x00\x3c\x29\x06\x19\x26\x00"
    "\x02\x00\x00\x00\x26\x00\x1c\x15\x0c\x19\x25\x06\x00\x19\x38\x04\x74\x61\x67\x73\x04\x6c"
    "\x69\x73\x74\x07\x65\x6c\x65\x6d\x65\x6e\x74\x15\x00\x16\x02\x16\x48\x16\x48\x26\xc0\x01"
    "\x49\x1c\x15\x00\x15\x00\x15\x02\x00\x3c\x16\x02\x19\x26\x02\x00\x19\x46\x00\x00\x00\x02"
    "\x00\x00\x00\x26\x00\x1c\x15\x0c\x19\x25\x06\x00\x19\x38\x01\x6d\x09\x6b\x65\x79\x5f\x76"
    "\x61\x6c\x75\x65\x03\x6b\x65\x79\x15\x00\x16\x02\x16\x48\x16\x48\x26\x88\x02\x49\x1c\x15"
    "\x00\x15\x00\x15\x02\x00\x3c\x16\x02\x19\x26\x02\x00\x19\x36\x00\x00\x02\x00\x00\x00\x26"
    "\x00\x1c\x15\x04\x19\x25\x06\x00\x19\x38\x01\x6d\x09\x6b\x65\x79\x5f\x76\x61\x6c\x75\x65"
    "\x05\x76\x61\x6c\x75\x65\x15\x00\x16\x02\x16\x4e\x16\x4e\x26\xd0\x02\x49\x1c\x15\x00\x15"
    "\x00\x15\x02\x00\x3c\x29\x26\x02\x00\x19\x46\x00\x00\x00\x02\x00\x00\x00\x26\x00\x1c\x15"
    "\x0a\x19\x25\x06\x00\x19\x28\x01\x73\x01\x78\x15\x00\x16\x02\x16\x42\x16\x42\x26\x9e\x03"
    "\x49\x1c\x15\x00\x15\x00\x15\x02\x00\x3c\x29\x06\x19\x36\x00\x00\x02\x00\x00\x00\x26\x00"
    "\x1c\x15\x0c\x19\x25\x06\x00\x19\x28\x01\x73\x01\x79\x15\x00\x16\x02\x16\x3c\x16\x3c\x26"
    "\xe0\x03\x49\x1c\x15\x00\x15\x00\x15\x02\x00\x3c\x16\x02\x19\x06\x19\x36\x00\x00\x02\x00"
    "\x00\x00\x16\x94\x04\x16\x02\x26\x08\x16\x94\x04\x00\x28\x20\x70\x61\x72\x71\x75\x65\x74"
    "\x2d\x63\x70\x70\x2d\x61\x72\x72\x6f\x77\x20\x76\x65\x72\x73\x69\x6f\x6e\x20\x32\x36\x2e"
    "\x30\x2e\x31\x19\x8c\x1c\x00\x00\x1c\x00\x00\x1c\x00\x00\x1c\x00\x00\x1c\x00\x00\x1c\x00"
    "\x00\x1c\x00\x00\x1c\x00\x00\x00";

static int setup(void **state)
{
    *state = arena_new(ARENA_MAX);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct schema of(struct arena *a, const char *text, const struct classifier *custom)
{
    struct schema s;
    struct sample sample = { .head = str_z(text), .whole = true, .compression = STR("none") };
    classify(a, &sample, custom, custom ? 1 : 0, &s);
    return s;
}

/* "id:bigint,name:string" */
static const char *columns(struct arena *a, const struct schema *s)
{
    struct str all = STR("");
    for (size_t i = 0; i < s->n; i++) {
        struct str type = hive_text(a, s->columns[i].type);
        all = arena_printf(a, "%.*s%s%.*s:%.*s", STR_ARG(all), i ? "," : "",
                           STR_ARG(s->columns[i].name), STR_ARG(type));
    }
    return arena_cstr(a, all);
}

static void expect(struct arena *a, const char *text, const char *format, const char *want)
{
    struct schema s = of(a, text, NULL);
    assert_string_equal(arena_cstr(a, s.classification), format);
    assert_string_equal(columns(a, &s), want);
}

static void test_csv(void **state)
{
    struct arena *a = *state;
    expect(a, "id,name,price\n1,x,2.5\n2,y,3\n", "csv", "id:bigint,name:string,price:double");
    expect(a, "1|x\n2|y\n", "csv", "col0:bigint,col1:string");
    expect(a, "a;b\nx;1\n", "csv", "a:string,b:bigint");
    expect(a, "a\tb\nx\ttrue\n", "csv", "a:string,b:boolean");
    expect(a,
           "a\x01"
           "b\nx\x01"
           "1e3\n",
           "csv", "a:string,b:double");
    /* all text: the first row is no header */
    expect(a, "name,town\nx,y\n", "csv", "col0:string,col1:string");
    /* a number in the first row: no header; dates stay text; empty cells say nothing */
    expect(a, "I,1,2026-11-20\nU,,2026-11-21\n", "csv", "col0:string,col1:bigint,col2:string");
    expect(a, "a,b,\n1,,\n2,,\n", "csv", "a:bigint,b:string,col2:string");
    expect(a, "a,a\n1,2\n", "csv", "a:bigint,a_1:bigint");
    expect(a, "a,b\n99999999999999999999,inf\n", "csv", "a:double,b:string");
    expect(a, "a,b\n\"1\",\"x,\ny\"\n", "csv", "a:bigint,b:string");
    /* one column, one row, ragged text: no CSV */
    expect(a, "a\nb\n", "UNKNOWN", "");
    expect(a, "a,b\n", "UNKNOWN", "");
    expect(a, "well, this\nis, a, text\nand no table\n", "UNKNOWN", "");
    expect(a, "", "UNKNOWN", "");
}

static void test_csv_facts(void **state)
{
    struct arena *a = *state;
    struct schema s = of(a, "a,b\n\"1\",x\n2,y\n", NULL);
    assert_true(s.csv.header && s.csv.quoted && !s.csv.open_serde);
    assert_int_equal(s.records, 2);
    s = of(a, "1,x\n2,y\n3,z", NULL);
    assert_true(!s.csv.header && !s.csv.quoted);
    assert_int_equal(s.records, 3);
}

static void test_custom_csv(void **state)
{
    struct arena *a = *state;
    static const struct str names[] = { STR_INIT("x"), STR_INIT("y") };
    static const struct str types[] = { STR_INIT("int"), STR_INIT("date") };
    struct classifier c = { .delimiter = '~', .header = names, .n_header = 2 };
    struct schema s = of(a, "1~a\n2~b\n", &c);
    assert_string_equal(columns(a, &s), "x:bigint,y:string");
    assert_false(s.csv.header);
    s = of(a, "X~Y\n2~b\n", &c); /* repeats the names: a header */
    assert_true(s.csv.header);
    c = (struct classifier){ .contains_header = CSV_HEADER_PRESENT, .quote = '\'' };
    s = of(a, "p,q\n'a,b',c\n", &c);
    assert_string_equal(columns(a, &s), "p:string,q:string");
    assert_true(s.csv.open_serde);
    c = (struct classifier){ .single_column = true, .contains_header = CSV_HEADER_ABSENT };
    s = of(a, "1\n2\n", &c);
    assert_string_equal(columns(a, &s), "col0:bigint");
    c = (struct classifier){ .types = types, .n_types = 2 };
    s = of(a, "a,b\n1,2026-01-01\n", &c);
    assert_string_equal(columns(a, &s), "a:int,b:date");
    s = of(a, "1,2,3\n4,5,6\n", &c); /* three columns don't fit: the built-in one takes it */
    assert_string_equal(columns(a, &s), "col0:bigint,col1:bigint,col2:bigint");
}

static void test_json(void **state)
{
    struct arena *a = *state;
    expect(a, "{\"Id\":1,\"x\":1.5}\n{\"Id\":3000000000,\"y\":true}\n", "json",
           "Id:bigint,x:double,y:boolean");
    expect(a, "{\"a\":[1,2.5],\"b\":{\"c\":\"}\",\"d\":[]}} {\"b\":{\"d\":[{}]}}", "json",
           "a:array<double>,b:struct<c:string,d:array<string>>");
    expect(a, "{\"a\":1}{\"a\":\"x\"}", "json", "a:string");
    expect(a, "{\n \"a\": null,\n \"b\": {}\n}\n", "json", "a:string,b:string");
    expect(a, "[{\"a\":1},{\"b\":2}]", "json", "array:array<struct<a:int,b:int>>");
    expect(a, "{\"a\":1}\n{broken}\n", "UNKNOWN", "");
    expect(a, "[", "UNKNOWN", "");
    struct classifier c = { .json = true, .json_path = STR("$[*]") };
    struct schema s = of(a, " [ {\"a\":1}, {\"b\":2} ] ", &c);
    assert_string_equal(columns(a, &s), "a:int,b:int");
    assert_int_equal(s.records, 2);
    c.json_path = STR("$.Records[*]['the key']");
    s = of(a, "{\"Records\":[{\"the key\":{\"q\":1}},{}]}", &c);
    assert_string_equal(columns(a, &s), "q:int");
    assert_true(classify_json_path_ok(STR("$.a[0].*")));
    assert_false(classify_json_path_ok(STR("$.a[?(@.x)]")));
    assert_false(classify_json_path_ok(STR("a")));
}

/* Cut off in the middle of a record: what is whole counts. */
static void test_json_cut(void **state)
{
    struct arena *a = *state;
    struct schema s;
    struct sample sample = { .head = STR("{\"a\":1}\n{\"b\":"), .compression = STR("none") };
    classify(a, &sample, NULL, 0, &s);
    assert_string_equal(columns(a, &s), "a:int");
    sample.head = STR("[{\"a\":1},{\"b\":\"");
    classify(a, &sample, NULL, 0, &s);
    assert_string_equal(columns(a, &s), "array:array<struct<a:int>>");
}

static struct schema of_parquet(struct arena *a, struct str bytes)
{
    struct schema s;
    struct sample sample = { .head = STR("PAR1....PAR1"),
                             .footer = bytes,
                             .compression = STR("none") };
    classify(a, &sample, NULL, 0, &s);
    return s;
}

static void test_parquet(void **state)
{
    struct arena *a = *state;
    struct str bytes = { footer, sizeof(footer) - 1 };
    struct schema s = of_parquet(a, bytes);
    assert_string_equal(columns(a, &s), "Id:int,d:decimal(10,2),at:timestamp,tags:array<string>,"
                                        "m:map<string,bigint>,s:struct<x:double,y:binary>");
    assert_int_equal(s.records, 1);
    assert_true(s.exact);
    for (size_t n = 0; n < 200; n++) { /* the schema and the number of rows lie in there */
        s = of_parquet(a, str_sub(bytes, 0, n));
        assert_false(schema_known(&s));
        assert_true(str_starts(s.why, STR("its Parquet footer can't be read")));
    }
}

static void test_avro(void **state)
{
    struct arena *a = *state;
    static const char json[] =
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\","
        "\"long\"]},{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":\"string\"}}]}";
    size_t n = sizeof(json) - 1;
    char head[256];
    int at = snprintf(head, sizeof(head), "Obj\x01\x02\x16\x61vro.schema%c%c%s", /* varints */
                      (int)(((n * 2) & 0x7f) | 0x80), (int)((n * 2) >> 7), json);
    head[at++] = 0;
    struct schema s;
    struct sample sample = { .head = { head, (size_t)at }, .compression = STR("none") };
    classify(a, &sample, NULL, 0, &s);
    assert_string_equal(arena_cstr(a, s.classification), "avro");
    assert_string_equal(columns(a, &s), "a:bigint,b:array<string>");
    sample.head.n = 40;
    classify(a, &sample, NULL, 0, &s);
    assert_false(schema_known(&s));
}

static bool glob(struct arena *a, const char *pattern, const char *path)
{
    struct str *v;
    size_t n;
    bool any = false;
    assert_int_equal(crawler_glob_expand(a, str_z(pattern), &v, &n), ST_OK);
    for (size_t i = 0; i < n; i++) {
        any |= crawler_glob(v[i], str_z(path));
    }
    return any;
}

static void test_glob(void **state)
{
    struct arena *a = *state;
    assert_true(glob(a, "*.csv", "a.csv"));
    assert_false(glob(a, "*.csv", "d/a.csv"));
    assert_true(glob(a, "**.csv", "d/e/a.csv"));
    assert_true(glob(a, "d/**", "d/e/a.csv"));
    assert_false(glob(a, "d/*", "d/e/a.csv"));
    assert_true(glob(a, "*/e/?.csv", "d/e/a.csv"));
    assert_false(glob(a, "d?e", "d/e"));
    assert_true(glob(a, "*.{csv,t[st]v}", "x.tsv"));
    assert_true(glob(a, "{a,b}{1,2}", "b2"));
    assert_false(glob(a, "{a,b}{1,2}", "c2"));
    assert_true(glob(a, "[!a-c]x", "dx"));
    assert_false(glob(a, "[!a-c]x", "bx"));
    assert_true(glob(a, "\\*x", "*x"));
    assert_false(glob(a, "\\*x", "ax"));
    assert_true(glob(a, "", ""));
    struct str *v;
    size_t n;
    assert_int_equal(crawler_glob_expand(a, STR("{a,{b}}"), &v, &n), ST_INVALID);
    assert_int_equal(crawler_glob_expand(a, STR("[a"), &v, &n), ST_INVALID);
    assert_int_equal(crawler_glob_expand(a, STR("a}"), &v, &n), ST_INVALID);
    assert_int_equal(
        crawler_glob_expand(a, STR("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), &v, &n),
        ST_INVALID);
}

/* --- folders to tables: "key text" pairs; the result as one line
 * ----------------------------------
 */
struct file {
    const char *key, *text;
};

static const char *tables(struct arena *a, struct crawl_grouping g, const struct file *files,
                          size_t n)
{
    struct crawl_file *found = ARENA_ARRAY(a, struct crawl_file, n);
    struct crawl_tables t = { 0 };
    struct str all = STR("");
    for (size_t i = 0; i < n; i++) {
        struct schema *s = ARENA_NEW(a, struct schema);
        *s = of(a, files[i].text, NULL);
        found[i] = (struct crawl_file){ str_z(files[i].key), 10, s, s->records };
    }
    g.bucket = STR("bkt");
    crawler_group(a, &g, found, n, &t);
    for (size_t i = 0; i < t.n; i++) {
        struct str name = crawler_table_name(a, STR(""), t.v[i].base);
        all = arena_printf(a, "%.*s%s%.*s@%.*s", STR_ARG(all), i ? " " : "", STR_ARG(name),
                           STR_ARG(t.v[i].location));
        for (size_t k = 0; k < t.v[i].n_keys; k++) {
            all = arena_printf(a, "%.*s[%.*s:%zu]", STR_ARG(all), STR_ARG(t.v[i].keys[k]),
                               t.v[i].n_partitions);
        }
    }
    return arena_cstr(a, all);
}

#define X "a,b\n1,2\n"
#define Y "p,q,r\nx,1,2\n"

static void test_group(void **state)
{
    struct arena *a = *state;
    struct crawl_grouping g = { .prefix = STR("in/") };
    const struct file partitions[] = { { "in/year=1/m=1/f", X },
                                       { "in/year=1/m=2/f", X },
                                       { "in/year=2/m=1/f", X } };
    assert_string_equal(tables(a, g, partitions, 3), "in@s3://bkt/in/[year:3][m:3]");
    const struct file plain[] = { { "in/a/f", X }, { "in/b/f", X } };
    assert_string_equal(tables(a, g, plain, 2), "in@s3://bkt/in/[partition_0:2]");
    const struct file different[] = { { "in/A b/f", X }, { "in/b/f", Y } };
    assert_string_equal(tables(a, g, different, 2), "a_b@s3://bkt/in/A b/ b@s3://bkt/in/b/");
    const struct file mixed[] = { { "in/x/f.csv", X }, { "in/x/g.csv", Y } };
    assert_string_equal(tables(a, g, mixed, 2),
                        "f_csv@s3://bkt/in/x/f.csv g_csv@s3://bkt/in/x/g.csv");
    const struct file one[] = { { "in/f", X }, { "in/g", X }, { "in/no", "?" } };
    assert_string_equal(tables(a, g, one, 3), "in@s3://bkt/in/");
    const struct file beside[] = { { "in/a/f", X }, { "in/f", X } };
    assert_string_equal(tables(a, g, beside, 2), "in@s3://bkt/in/");
    const struct file depths[] = { { "in/a/b/f", X }, { "in/c/f", X } };
    assert_string_equal(tables(a, g, depths, 2),
                        "a@s3://bkt/in/a/[partition_0:1] c@s3://bkt/in/c/");
    g.prefix = STR("");
    const struct file root[] = { { "f", X } };
    assert_string_equal(tables(a, g, root, 1), "bkt@s3://bkt/");
}

static void test_group_options(void **state)
{
    struct arena *a = *state;
    struct crawl_grouping g = { .prefix = STR("in/"), .combine = true };
    const struct file different[] = { { "in/a/f", X }, { "in/b/f", Y } };
    assert_string_equal(tables(a, g, different, 2), "in@s3://bkt/in/[partition_0:2]");
    g = (struct crawl_grouping){ .prefix = STR("in/"), .table_level = 3 };
    const struct file plain[] = { { "in/a/p/f", X }, { "in/b/p/f", X } };
    assert_string_equal(tables(a, g, plain, 2),
                        "a@s3://bkt/in/a/[partition_0:1] b@s3://bkt/in/b/[partition_0:1]");
}

/* --- random bytes
 * ---------------------------------------------------------------------------------
 */
static uint64_t random_state = 20261120;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static void mutate(char *p, size_t n)
{
    for (uint32_t k = next_random() % 6; k > 0 && n; k--) {
        p[next_random() % n] = (char)next_random();
    }
}

/* Every classifier on the same bytes, in a block of just their size, so that a sanitizer sees each
 * step too far. */
static void feed(const char *bytes, size_t n)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    CLEANUP(free_ptr) char *p = xmalloc(n + 1);
    memcpy(p, bytes, n);
    struct schema s;
    struct str why;
    struct classifier custom = { .single_column = true, .json_path = STR("$[*].a") };
    struct sample sample = { .head = { p, n },
                             .whole = next_random() % 2,
                             .compression = STR("none") };
    sample.footer = sample.head;
    for (int round = 0; round < 6; round++) {
        bool fits = round == 0   ? classify_csv(a, &sample, NULL, &s)
                    : round == 1 ? classify_csv(a, &sample, &custom, &s)
                    : round == 2 ? classify_json(a, &sample, STR_NONE, &s)
                    : round == 3 ? classify_json(a, &sample, custom.json_path, &s)
                    : round == 4 ? classify_parquet(a, &sample, &s, &why)
                                 : classify_avro(a, &sample, &s, &why);
        if (fits) {
            struct schema copy = schema_copy(a, &s);
            assert_true(schema_similarity(&s, &copy) >= 0);
            struct schema both = schema_merge(a, &s, &copy);
            assert_true(both.n >= copy.n || copy.n > 1);
            assert_true(strlen(columns(a, &both)) > 0);
        }
    }
}

static void test_fuzz(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "id,name\n1,\"x,y\"\n2,z\n",
        "{\"a\":[1,{\"b\":\"\\u00e9\"}]}\n{\"a\":null}",
        "[{\"a\":1},{\"a\":{}}]",
        "Obj\x01\x02\x16\x61vro.schema\x04{}",
    };
    char bytes[sizeof(footer)];
    for (int i = 0; i < FUZZ_ROUNDS; i++) {
        size_t n = 0;
        if (i % 2) {
            memcpy(bytes, footer, n = sizeof(footer) - 1);
        } else if (i % 4) {
            const char *seed = seeds[next_random() % (sizeof(seeds) / sizeof(seeds[0]))];
            memcpy(bytes, seed, n = strlen(seed));
        } else {
            n = next_random() % 200;
            for (size_t k = 0; k < n; k++) {
                bytes[k] = (char)next_random();
            }
        }
        mutate(bytes, n);
        feed(bytes, n ? n - next_random() % (n > 3 ? 3 : n) : 0);
    }
}

/* Brackets without end, and a schema that nests without end. */
static void test_deep(void **state)
{
    (void)state;
    size_t n = 200000;
    CLEANUP(free_ptr) char *p = xmalloc(n);
    memset(p, '[', n);
    feed(p, n);
    for (size_t i = 0; i + 5 <= n; i += 5) {
        memcpy(p + i, "{\"a\":", 5);
    }
    feed(p, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_csv, setup, teardown),
        cmocka_unit_test_setup_teardown(test_csv_facts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_custom_csv, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parquet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_avro, setup, teardown),
        cmocka_unit_test_setup_teardown(test_glob, setup, teardown),
        cmocka_unit_test_setup_teardown(test_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_group_options, setup, teardown),
        cmocka_unit_test(test_fuzz),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
