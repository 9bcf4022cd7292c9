/* The merge case by case: rows, columns, keys, errors, and what it leaves behind when it ends
 * early. The random comparison with a model is in test_merge_random.c. */
#include "emulators/glue/merge/merge.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "emulators/glue/merge/merge_keys.h"
#include "tests/unit/merge_folder.h"

#define MAX_TEXTS 4

struct scenario {
    const char *name;
    const char *loads[MAX_TEXTS];
    const char *changes[MAX_TEXTS];
    const char *parts[MAX_TEXTS];
    const char *key[MAX_TEXTS];
    const char *columns[MAX_TEXTS];
    const char *want;  /* the parts in key order, put together; NULL: refused */
    const char *error; /* part of the message; %1 is the first change or load file */
    uint64_t line;
    struct merge_spec spec;
    struct merge_counters counters; /* those that are not 0 must be equal */
};

static size_t strs(const char *const *z, struct str *out)
{
    size_t n = 0;
    while (n < MAX_TEXTS && z[n]) {
        out[n] = str_z(z[n]);
        n++;
    }
    return n;
}

static size_t inputs(struct folder *f, const char *const *z, struct merge_input *out)
{
    size_t n = 0;
    while (n < MAX_TEXTS && z[n]) {
        out[n].path = folder_write(f, "input", str_z(z[n]), false);
        out[n].name = n == 0 ? STR("s3://b/first.csv") : STR("s3://b/second.csv");
        out[n].gzip = false;
        n++;
    }
    return n;
}

static int by_key(const void *va, const void *vb)
{
    const struct folder_part *a = va;
    const struct folder_part *b = vb;
    int c = 0;
    if (!a->first_key || !b->first_key ||
        merge_key_compare(str_z(a->first_key), str_z(b->first_key), ',', &c) != ST_OK) {
        abort();
    }
    return c;
}

/* The whole data set as one text. */
static void content(struct folder *f, struct buf *out)
{
    if (f->n_parts > 1) {
        qsort(f->part, f->n_parts, sizeof *f->part, by_key);
    }
    for (size_t i = 0; i < f->n_parts; i++) {
        folder_read(f->part[i].path, out);
    }
}

static void check_counters(const char *name, const struct merge_counters *want,
                           const struct merge_counters *got)
{
    const uint64_t *w = (const uint64_t *)want;
    const uint64_t *g = (const uint64_t *)got;
    for (size_t i = 0; i < sizeof *want / sizeof *w; i++) {
        if (w[i] && w[i] != g[i]) {
            fail_msg("%s: counter %zu is %llu, not %llu", name, i, (unsigned long long)g[i],
                     (unsigned long long)w[i]);
        }
    }
}

static void check_outcome(const struct scenario *s, struct folder *f, enum status st,
                          const struct merge_result *res)
{
    if (!s->want) {
        if (st == ST_OK) {
            fail_msg("%s: was not refused", s->name);
        }
        assert_int_equal(st, ST_INVALID);
        if (!strstr(res->error, s->error)) {
            fail_msg("%s: error is: %s", s->name, res->error);
        }
        assert_int_equal(res->error_line, s->line);
        assert_int_equal(f->n_finished + f->n_open, 0);
        return;
    }
    if (st != ST_OK) {
        fail_msg("%s: %s: %s", s->name, status_name(st), res->error);
    }
    struct buf got = BUF_INIT(FOLDER_MAX_BYTES);
    content(f, &got);
    if (!str_eqz(buf_str(&got), s->want)) {
        fail_msg("%s: got\n%.*s", s->name, STR_ARG(buf_str(&got)));
    }
    buf_fini(&got);
    check_counters(s->name, &s->counters, &res->counters);
}

static void run_scenario(const struct scenario *s)
{
    struct folder f;
    folder_init(&f);
    struct str key[MAX_TEXTS];
    struct str columns[MAX_TEXTS];
    struct merge_input loads[MAX_TEXTS];
    struct merge_input changes[MAX_TEXTS];
    struct merge_job job = { .spec = s->spec, .loads = loads, .changes = changes };
    job.spec.key = key;
    job.spec.n_key = strs(s->key, key);
    job.spec.columns = columns;
    job.spec.n_columns = strs(s->columns, columns);
    job.spec.tmp_dir = f.dir;
    job.n_loads = inputs(&f, s->loads, loads);
    job.n_changes = inputs(&f, s->changes, changes);
    for (size_t i = 0; i < MAX_TEXTS && s->parts[i]; i++) {
        folder_add_part(&f, folder_write(&f, "part", str_z(s->parts[i]), false), STR_NONE, STR_NONE,
                        -1);
    }
    struct merge_result res;
    enum status st = folder_merge(&f, job, &res);
    check_outcome(s, &f, st, &res);
    merge_result_fini(&res);
    for (size_t i = 0; i < job.n_loads; i++) {
        free((char *)(uintptr_t)loads[i].path);
    }
    for (size_t i = 0; i < job.n_changes; i++) {
        free((char *)(uintptr_t)changes[i].path);
    }
    folder_fini(&f);
}

#define PERSONS "1,Ann,Oslo\n2,Bob,Rome\n10,Cid,Kyiv\n"

static const struct scenario scenarios[] = {
    { .name = "course: load",
      .loads = { PERSONS },
      .want = PERSONS,
      .counters = { .load_rows = 3, .inserted = 3, .rows_total = 3 } },
    { .name = "course: changes",
      .parts = { PERSONS },
      .changes = { "U,2,Bobby,Rome\nI,3,Eve,Paris\nI,11,Fay,Nice\nD,1,Ann,Oslo\n" },
      .want = "2,Bobby,Rome\n3,Eve,Paris\n10,Cid,Kyiv\n11,Fay,Nice\n",
      .counters = { .change_rows = 4, .inserted = 2, .updated = 1, .deleted = 1 } },
    { .name = "last change of a key wins, over files and lines",
      .parts = { PERSONS },
      .changes = { "U,2,x,x\nD,2,x,x\nI,2,y,y\nI,5,a,a\n", "U,5,b,b\nD,5,b,b\nU,2,z,z\n" },
      .want = "1,Ann,Oslo\n2,z,z\n10,Cid,Kyiv\n",
      .counters = { .updated = 1, .change_rows = 7 } },
    { .name = "integers sort numerically",
      .loads = { "10,a\n9,b\n-1,c\n0,d\n-10,e\n18446744073709551616,f\n007,g\n100,h\n" },
      .want = "-10,e\n-1,c\n0,d\n9,b\n10,a\n100,h\n18446744073709551616,f\n007,g\n" },
    { .name = "quoted and unquoted keys are equal",
      .parts = { "\"a,b\",1\n\"k\"\"q\",2\nx,3\n" },
      .changes = { "D,\"x\",\nU,\"k\"\"q\",9\nD,\"a,b\",\n" },
      .want = "\"k\"\"q\",9\n",
      .counters = { .deleted = 2, .updated = 1 } },
    { .name = "bytes of values stay",
      .parts = { "1,\"plain\", blanks ,\"\",\n" },
      .changes = { "I,2,\"quoted, \"\"x\"\"\nnext\",it's,\\N,\"\"\n" },
      .want = "1,\"plain\", blanks ,\"\",\n2,\"quoted, \"\"x\"\"\nnext\",it's,\\N,\"\"\n" },
    { .name = "CRLF in, no final newline, blank lines, byte order mark",
      .parts = { "\xef\xbb\xbf"
                 "1,a\r\n\r\n2,b\r\n3,c" },
      .changes = { "\r\nU,3,\"x\r\ny\"\r\n\nI,4,d" },
      .want = "1,a\n2,b\n3,\"x\r\ny\"\n4,d\n" },
    { .name = "blank lines at the end",
      .loads = { "1,a\n2,b\n\n\n", "3,c\n\r\n\r\n" },
      .changes = { "I,4,d\n\n" },
      .want = "1,a\n2,b\n3,c\n4,d\n" },
    { .name = "delete and update of missing keys",
      .parts = { "1,a\n" },
      .changes = { "D,7,x\nU,8,y\nI,1,a\n" },
      .want = "1,a\n8,y\n",
      .counters = { .deleted_missing = 1,
                    .upserted_missing = 1,
                    .inserted_present = 1,
                    .unchanged = 1 } },
    { .name = "composite key by name",
      .parts = { "1,1,a\n1,2,b\n2,1,c\n" },
      .columns = { "o", "n", "v" },
      .key = { "o", "N" },
      .changes = { "U,1,2,x\nD,2,1,c\nI,1,10,y\n" },
      .want = "1,1,a\n1,2,x\n1,10,y\n" },
    { .name = "key by position, not the first column",
      .parts = { "a,1\nb,2\n" },
      .key = { "_c1" },
      .changes = { "U,z,1\n" },
      .want = "z,1\nb,2\n" },
    { .name = "header in, header out, columns by name",
      .loads = { "id,name,city\n1,Ann,Oslo\n" },
      .changes = { "Op,city,id,name\nU,Bern,1,Ann\nI,Rome,2,Bob\n" },
      .key = { "id" },
      .spec = { .header = MERGE_YES, .output_header = true },
      .want = "id,name,city\n1,Ann,Bern\n2,Bob,Rome\n" },
    { .name = "header found out by Op, and by known names in a load",
      .loads = { "id,v\n1,a\n" },
      .changes = { "Op,id,v\nU,1,b\n" },
      .columns = { "id", "v" },
      .want = "1,b\n" },
    { .name = "timestamp column dropped",
      .loads = { "2024-01-01 00:00:00.000000,1,a\n" },
      .changes = { "U,2024-01-02 00:00:00.000000,1,b\n" },
      .spec = { .timestamp_name = STR_INIT("ts") },
      .want = "1,b\n" },
    { .name = "timestamp and Op by header",
      .loads = { "ts,id,v\n2024,1,a\n" },
      .changes = { "Op,ts,id,v\nI,2024,2,b\n" },
      .spec = { .header = MERGE_YES, .timestamp_name = STR_INIT("ts") },
      .want = "1,a\n2,b\n" },
    { .name = "Op in the load, found by a leading I",
      .loads = { "I,1,a\nI,2,b\n" },
      .want = "1,a\n2,b\n" },
    { .name = "changes without Op are inserts",
      .parts = { "1,a\n2,b\n" },
      .changes = { "2,x\n3,y\n" },
      .want = "1,a\n2,x\n3,y\n",
      .counters = { .inserted = 1, .updated = 1 } },
    { .name = "new column at the end, by position",
      .parts = { "1,a\n2,b\n" },
      .changes = { "U,2,b,new\n" },
      .spec = { .null_text = STR_INIT("NULL") },
      .want = "1,a,NULL\n2,b,new\n" },
    { .name = "new column by name, missing column filled",
      .parts = { "id,a,b\n1,x,y\n2,x,y\n" },
      .changes = { "Op,id,b,c\nU,2,B,C\n" },
      .spec = { .header = MERGE_YES, .output_header = true },
      .want = "id,a,b,c\n1,x,y,\n2,,B,C\n" },
    { .name = "fewer columns are filled",
      .parts = { "1,a,b\n" },
      .changes = { "U,1,z\n" },
      .spec = { .change_op = MERGE_YES },
      .want = "1,z,\n" },
    { .name = "changed primary key with before image of the key",
      .parts = { "1,a\n2,b\n" },
      .columns = { "id", "v" },
      .changes = { "U,3,a,1\nU,2,B,\nI,4,d,\n" },
      .spec = { .before = MERGE_BEFORE_KEY },
      .want = "2,B\n3,a\n4,d\n",
      .counters = { .deleted = 1, .inserted = 2, .updated = 1 } },
    { .name = "changed primary key with before image of all, by header",
      .parts = { "id,v\n1,a\n2,b\n" },
      .changes = { "Op,id,v,BI_id,BI_v\nU,3,A,1,a\nU,2,x,2,b\n" },
      .spec = { .header = MERGE_YES,
                .output_header = true,
                .before = MERGE_BEFORE_ALL,
                .before_prefix = STR_INIT("BI_") },
      .want = "id,v\n2,x\n3,A\n" },
    { .name = "the same load twice does not double rows",
      .parts = { PERSONS },
      .loads = { PERSONS, PERSONS },
      .want = PERSONS,
      .counters = { .duplicates = 3 } },
    { .name = "a further load file is added",
      .parts = { PERSONS },
      .loads = { "2,B,B\n20,X,X\n" },
      .spec = { .load = MERGE_LOAD_ADD },
      .want = "1,Ann,Oslo\n2,B,B\n10,Cid,Kyiv\n20,X,X\n",
      .counters = { .inserted = 1, .updated = 1 } },
    { .name = "a load replaces what is there",
      .parts = { PERSONS, "50,a,b\n" },
      .loads = { "2,B,B\n" },
      .want = "2,B,B\n" },
    { .name = "parts of another program, unordered",
      .parts = { "5,e\n1,a\n", "3,c\n", "2,b\n9,z\n" },
      .changes = { "D,3,c\nI,4,d\n" },
      .want = "1,a\n2,b\n4,d\n5,e\n9,z\n" },
    { .name = "parts of another program, each in order, but overlapping",
      .parts = { "1,a\n5,e\n", "3,c\n9,z\n" },
      .changes = { "U,5,x\n" },
      .want = "1,a\n3,c\n5,x\n9,z\n",
      .counters = { .updated = 1 } },
    { .name = "all rows deleted leaves one empty part",
      .parts = { "1,a\n" },
      .changes = { "D,1,a\n" },
      .want = "",
      .counters = { .deleted = 1 } },
    { .name = "all rows deleted leaves the header",
      .parts = { "id,v\n1,a\n" },
      .changes = { "Op,id,v\nD,1,a\n" },
      .spec = { .output_header = true },
      .want = "id,v\n" },
    { .name = "changes alone make a data set",
      .changes = { "I,1,a\nU,2,b\nD,3,c\n" },
      .want = "1,a\n2,b\n" },
    { .name = "nothing to do", .parts = { PERSONS }, .changes = { "" }, .want = PERSONS },
    { .name = "tab as delimiter",
      .parts = { "1\ta,b\n" },
      .changes = { "U\t1\t\"c\td\"\n" },
      .spec = { .delimiter = '\t' },
      .want = "1\t\"c\td\"\n" },
    { .name = "duplicates: the later one if asked",
      .loads = { "1,a\n1,b\n" },
      .spec = { .duplicates = MERGE_DUPLICATES_LAST },
      .want = "1,b\n",
      .counters = { .duplicates = 1, .rows_total = 1 } },

    { .name = "unknown operation",
      .parts = { "1,a\n" },
      .changes = { "I,2,\"x\n\ny\"\n\nX,3,c\n" },
      .error = "s3://b/first.csv, line 5: operation \"X\" in field 1 is not I, U or D",
      .line = 5 },
    { .name = "wrong number of fields",
      .parts = { "1,a\n" },
      .changes = { "I,2,b\nI,3\n" },
      .error = "line 2: 2 fields, but the file's first record has 3",
      .line = 2 },
    { .name = "stray quote",
      .changes = { "I,2,b\nI,3,5\" pipe\n" },
      .error = "line 2: a stray quote",
      .line = 2 },
    { .name = "stray quote that swallows lines",
      .changes = { "I,2,b\nI,3,5\" pipe\nI,4,6\" pipe\n" },
      .error = "line 2: a stray quote",
      .line = 2 },
    { .name = "open quote",
      .changes = { "I,2,b\nI,3,\"never closed\nI,4,x\n" },
      .error = "first.csv, line 2: a quoted field is not closed",
      .line = 2 },
    { .name = "empty key",
      .changes = { "I,2,b\nI,,b\n" },
      .columns = { "id", "v" },
      .error = "line 2: the primary key is empty (column 1 id)",
      .line = 2 },
    { .name = "duplicates in a load",
      .loads = { "1,a\n2,b\n1,c\n" },
      .error = "line 3: another row with the primary key 1 than in s3://b/first.csv, line 1",
      .line = 3 },
    { .name = "update in a load",
      .loads = { "I,1,a\nU,2,b\n" },
      .error = "line 2: operation \"U\" in field 1 is not I, the only one in a full load",
      .line = 2 },
    { .name = "key that is no column",
      .parts = { "1,a\n" },
      .columns = { "id", "v" },
      .key = { "nr" },
      .changes = { "I,2,b\n" },
      .error = "primary key nr is not among the columns (id, v)" },
    { .name = "key by name without names",
      .parts = { "1,a\n" },
      .key = { "id" },
      .changes = { "I,2,b\n" },
      .error = "the column names are not known" },
    { .name = "file without the key",
      .parts = { "id,v\n1,a\n" },
      .changes = { "Op,v\nU,b\n" },
      .spec = { .output_header = true },
      .error = "the file has no column for the primary key id",
      .line = 1 },
    { .name = "part with another header",
      .parts = { "id,v\n1,a\n", "id,w\n2,a\n" },
      .changes = { "Op,id,v\nU,1,b\n" },
      .spec = { .output_header = true },
      .error = "the part does not begin with the header of the data set (id, v)",
      .line = 1 },
    { .name = "header twice the same name",
      .loads = { "id,v,v\n1,a,b\n" },
      .spec = { .header = MERGE_YES },
      .error = "names column v twice",
      .line = 1 },
    { .name = "header wanted, names unknown",
      .loads = { "1,a\n" },
      .spec = { .output_header = true },
      .error = "the column names are not known" },
    { .name = "no Op although said",
      .loads = { "id,v\n1,a\n" },
      .spec = { .header = MERGE_YES, .load_op = MERGE_YES },
      .error = "the header has no column Op",
      .line = 1 },
    { .name = "bad null text",
      .changes = { "I,1,a\n" },
      .spec = { .null_text = STR_INIT("a,b") },
      .error = "the null text holds" },
};

static void all_scenarios(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        run_scenario(&scenarios[i]);
    }
}

/* The same with everything forced to disk. */
static void all_scenarios_sorted_on_disk(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        struct scenario s = scenarios[i];
        s.spec.memory_bytes = 1;
        run_scenario(&s);
    }
}

/* --- keys ---------------------------------------------------------------------------------- */

static void keys_in_order(void **state)
{
    (void)state;
    static const char *const order[] = {
        "-18446744073709551616",
        "-10000000000000000000",
        "-9223372036854775808",
        "-256",
        "-255",
        "-1",
        "0",
        "1",
        "255",
        "256",
        "65536",
        "9999999999999999999",
        "10000000000000000000",
        "18446744073709551615",
        "18446744073709551616",
        "100000000000000000000",
        /* texts */
        "\"\"",
        "-0",
        "007",
        "1.5",
        "A",
        "Aa",
        "\"a,b\"",
        "a b",
        "b",
        "\xc3\xa9",
    };
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        for (size_t j = 0; j < ARRAY_LEN(order); j++) {
            int c = 9;
            assert_int_equal(merge_key_compare(str_z(order[i]), str_z(order[j]), ',', &c), ST_OK);
            int want = (i > j) - (i < j);
            /* "a b" sorts before "a,b" by its blank */
            bool swapped = strchr(order[i], 'a') && strchr(order[j], 'a') &&
                           strchr(order[i], 'b') && strchr(order[j], 'b') && i != j;
            if ((c > 0) - (c < 0) != (swapped ? -want : want)) {
                fail_msg("%s ? %s gave %d", order[i], order[j], c);
            }
        }
    }
    int c;
    assert_int_equal(merge_key_compare(STR("1,b"), STR("1,\"b\""), ',', &c), ST_OK);
    assert_int_equal(c, 0);
    assert_int_equal(merge_key_compare(STR("\"1"), STR("1"), ',', &c), ST_INVALID);
}

static void key_texts_come_back(void **state)
{
    (void)state;
    static const struct str texts[] = {
        STR_INIT("7"),
        STR_INIT("-12345678901234567890123,x"),
        STR_INIT("\"a,\"\"b\",-3,"),
        STR_INIT("\"line\nbreak\""),
        STR_INIT("a\0b,\0"),
        STR_INIT("0,-1,18446744073709551615"),
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct merge_key k = { 0 };
        struct buf back = BUF_INIT(1000);
        assert_int_equal(merge_key_parse(&k, texts[i], ',', 0), ST_OK);
        merge_key_text(&k, ',', &back);
        assert_true(str_eq(buf_str(&back), texts[i]));
        buf_fini(&back);
        merge_key_fini(&k);
    }
}

/* --- parts --------------------------------------------------------------------------------- */

/* `n` rows with the keys from, from + step, …, about 30 bytes each. */
static void make_rows(struct buf *b, unsigned from, unsigned n, unsigned step)
{
    for (unsigned i = 0; i < n; i++) {
        buf_printf(b, "%u,row %010u \"\"\n", from + i * step, from + i * step);
    }
    for (size_t i = 0; i < b->n; i++) {
        if (b->p[i] == '"') {
            b->p[i] = 'x'; /* no quotes: the fast way */
        }
    }
}

static enum status merge_texts(struct folder *f, struct merge_job job, struct str load,
                               struct str change, struct merge_result *res)
{
    struct merge_input in_load = { 0 };
    struct merge_input in_change = { 0 };
    char *load_path = str_set(load) ? folder_write(f, "load", load, false) : NULL;
    char *change_path = str_set(change) ? folder_write(f, "change", change, false) : NULL;
    in_load.path = load_path;
    in_change.path = change_path;
    job.loads = &in_load;
    job.n_loads = load_path ? 1 : 0;
    job.changes = &in_change;
    job.n_changes = change_path ? 1 : 0;
    enum status st = folder_merge(f, job, res);
    if (load_path) {
        unlink(load_path);
    }
    if (change_path) {
        unlink(change_path);
    }
    free(load_path);
    free(change_path);
    return st;
}

static void only_touched_parts_are_rewritten(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct merge_job job = { .spec = { .part_bytes = 64u << 10 } };
    struct buf rows = BUF_INIT(FOLDER_MAX_BYTES);
    folder_init(&f);
    make_rows(&rows, 0, 50000, 2);
    assert_int_equal(merge_texts(&f, job, buf_str(&rows), STR_NONE, &res), ST_OK);
    size_t n = res.n_written;
    assert_true(n >= rows.n / (128u << 10) && n <= rows.n / (32u << 10));
    for (size_t i = 0; i < n; i++) {
        assert_in_range(res.written[i].info.bytes, 32u << 10, 128u << 10);
    }
    merge_result_fini(&res);

    /* two neighbouring rows and one far away: two parts */
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("U,100,x\nI,101,y\nD,90000,z\n"), &res),
                     ST_OK);
    assert_int_equal(res.n_written, 2);
    assert_true(res.counters.bytes_rewritten < 200u << 10);
    assert_int_equal(res.counters.rows_total, 50000);
    merge_result_fini(&res);

    /* what is there already costs no write, nor does the delete of nothing */
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("U,100,x\nI,101,y\nD,90000,z\n"), &res),
                     ST_OK);
    assert_int_equal(res.n_written, 0);
    assert_int_equal(res.counters.unchanged, 2);
    assert_int_equal(res.counters.deleted_missing, 1);
    merge_result_fini(&res);

    /* new keys behind everything */
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("I,200000,x\n"), &res), ST_OK);
    assert_int_equal(res.n_written, 1);
    merge_result_fini(&res);
    buf_clear(&rows);
    make_rows(&rows, 0, 0, 1);
    for (unsigned i = 0; i < 20000; i++) {
        buf_printf(&rows, "I,%u,row %u appended\n", 300000 + i, i);
    }
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&rows), &res), ST_OK);
    for (size_t i = 0; i < res.n_written; i++) {
        assert_in_range(res.written[i].info.bytes, 16u << 10, 128u << 10);
    }
    assert_true(res.counters.bytes_rewritten < rows.n + (128u << 10));
    merge_result_fini(&res);
    buf_fini(&rows);
    folder_fini(&f);
}

/* A manifest that lies about a part that must be read is noticed; the result is right anyway. */
static void wrong_hints_are_noticed(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct merge_job job = { 0 };
    folder_init(&f);
    folder_add_part(&f, folder_write(&f, "part", STR("5,e\n1,a\n3,c\n"), false), STR("1"), STR("5"),
                    3);
    folder_add_part(&f, folder_write(&f, "part", STR("7,g\n8,h\n"), false), STR("7"), STR("8"), 5);
    assert_int_equal(merge_texts(&f, job, STR_NONE, STR("U,3,x\nU,7,y\n"), &res), ST_OK);
    struct buf got = BUF_INIT(1000);
    content(&f, &got);
    assert_true(str_eqz(buf_str(&got), "1,a\n3,x\n5,e\n7,y\n8,h\n"));
    assert_int_equal(res.counters.updated, 2);
    assert_int_equal(f.n_open, 0);
    buf_fini(&got);
    merge_result_fini(&res);
    folder_fini(&f);
}

static void columns_are_reported(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct merge_job job = { .spec = { .header = MERGE_YES } };
    folder_init(&f);
    assert_int_equal(
        merge_texts(&f, job, STR("id,\"a,b\"\n1,x\n"), STR("Op,id,new\nI,2,y\n"), &res), ST_OK);
    assert_int_equal(res.n_columns, 3);
    assert_true(str_eqz(res.columns[0], "id"));
    assert_true(str_eqz(res.columns[1], "a,b"));
    assert_true(str_eqz(res.columns[2], "new"));
    merge_result_fini(&res);
    folder_fini(&f);
}

/* --- ends that come early ------------------------------------------------------------------ */

struct watch {
    atomic_bool cancel;
    unsigned calls;
    unsigned cancel_at;
    unsigned percent;
    bool fell;
};

static void on_progress(void *ctx, const struct merge_progress *p)
{
    struct watch *w = ctx;
    w->fell = w->fell || p->percent < w->percent || p->percent > 100;
    w->percent = p->percent;
    if (++w->calls == w->cancel_at) {
        atomic_store(&w->cancel, true);
    }
}

/* How many files are in the folder? */
static unsigned folder_files(const struct folder *f)
{
    unsigned n = 0;
    DIR *d = opendir(f->dir);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    return n;
}

/* Every part's bytes, and the number of files, before and after. */
static void snapshot(struct folder *f, struct buf *out)
{
    for (size_t i = 0; i < f->n_parts; i++) {
        folder_read(f->part[i].path, out);
    }
    buf_printf(out, "%u files", folder_files(f));
}

static void big_set(struct folder *f, struct buf *change)
{
    struct merge_result res;
    struct merge_job job = { .spec = { .part_bytes = 256u << 10 } };
    struct buf rows = BUF_INIT(FOLDER_MAX_BYTES);
    make_rows(&rows, 0, 400000, 1);
    assert_int_equal(merge_texts(f, job, buf_str(&rows), STR_NONE, &res), ST_OK);
    assert_true(res.n_written > 10);
    merge_result_fini(&res);
    buf_fini(&rows);
    for (unsigned i = 0; i < 400000; i += 500) {
        buf_printf(change, "U,%u,changed\n", i);
    }
}

static void cancel_and_failures_leave_all_as_it_was(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    struct buf change = BUF_INIT(FOLDER_MAX_BYTES);
    struct buf before = BUF_INIT(FOLDER_MAX_BYTES);
    struct buf after = BUF_INIT(FOLDER_MAX_BYTES);
    folder_init(&f);
    big_set(&f, &change);
    snapshot(&f, &before);
    struct watch w = { .cancel_at = 1 };
    struct merge_job job = { .spec = { .part_bytes = 256u << 10,
                                       .cancel = &w.cancel,
                                       .progress = on_progress,
                                       .callback_ctx = &w } };
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_CONFLICT);
    assert_true(res.cancelled);
    assert_int_equal(w.calls, 1);
    assert_false(w.fell);
    assert_int_equal(f.n_open + f.n_finished, 0);
    assert_true(f.n_discarded > 0);
    assert_int_equal(res.n_written, 0);
    merge_result_fini(&res);

    /* the sink refuses the first, second, … part */
    atomic_store(&w.cancel, false);
    w.cancel_at = 0;
    for (unsigned k = 1; k <= 4; k++) {
        f.fail_open_at = k;
        assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_DB);
        assert_int_equal(f.n_open + f.n_finished, 0);
        assert_int_equal(f.n_discarded, k - 1);
        merge_result_fini(&res);
    }

    /* a bad row at the very end */
    size_t good = change.n;
    buf_puts(&change, "U,1,one,too many\n");
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_INVALID);
    assert_int_equal(f.n_open + f.n_finished, 0);
    merge_result_fini(&res);
    change.n = good;

    snapshot(&f, &after);
    assert_true(str_eq(buf_str(&before), buf_str(&after)));

    /* and then it works */
    w = (struct watch){ 0 };
    assert_int_equal(merge_texts(&f, job, STR_NONE, buf_str(&change), &res), ST_OK);
    assert_int_equal(res.counters.updated, 800);
    assert_true(w.calls >= 2);
    assert_false(w.fell);
    merge_result_fini(&res);
    buf_fini(&before);
    buf_fini(&after);
    buf_fini(&change);
    folder_fini(&f);
}

static void missing_and_broken_files(void **state)
{
    (void)state;
    struct folder f;
    struct merge_result res;
    folder_init(&f);
    struct merge_input in = { .path = "/tmp/no/such/file.csv", .name = STR("s3://b/k.csv") };
    struct merge_job job = { .changes = &in, .n_changes = 1 };
    assert_int_equal(folder_merge(&f, job, &res), ST_IO);
    assert_non_null(strstr(res.error, "s3://b/k.csv: cannot be opened: No such file"));
    merge_result_fini(&res);

    char *plain = folder_write(&f, "plain", STR("I,1,a\n"), false);
    in.path = plain;
    in.gzip = true;
    assert_int_equal(folder_merge(&f, job, &res), ST_INVALID);
    assert_non_null(strstr(res.error, "not gzip-compressed"));
    merge_result_fini(&res);

    char *zipped = folder_write(&f, "zipped", STR("I,1,a\nI,2,b\nI,3,c\n"), true);
    in.path = zipped;
    assert_int_equal(folder_merge(&f, job, &res), ST_OK);
    assert_int_equal(res.counters.inserted, 3);
    merge_result_fini(&res);
    struct stat info;
    assert_int_equal(stat(zipped, &info), 0);
    for (off_t n = info.st_size - 1; n > 10; n -= 5) {
        assert_int_equal(truncate(zipped, n), 0);
        assert_int_equal(folder_merge(&f, job, &res), ST_INVALID);
        assert_non_null(strstr(res.error, "gzip data"));
        merge_result_fini(&res);
    }
    free(plain);
    free(zipped);
    folder_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_scenarios),
        cmocka_unit_test(all_scenarios_sorted_on_disk),
        cmocka_unit_test(keys_in_order),
        cmocka_unit_test(key_texts_come_back),
        cmocka_unit_test(only_touched_parts_are_rewritten),
        cmocka_unit_test(wrong_hints_are_noticed),
        cmocka_unit_test(columns_are_reported),
        cmocka_unit_test(cancel_and_failures_leave_all_as_it_was),
        cmocka_unit_test(missing_and_broken_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
