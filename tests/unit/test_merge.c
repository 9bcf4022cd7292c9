/* The merge case by case: rows, columns, keys. What it refuses is in test_merge_errors.c, what it
 * does with parts in test_merge_parts.c, the random comparison with a model in
 * test_merge_random.c. */
#include "emulators/glue/merge/merge.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "emulators/glue/merge/merge_keys.h"
#include "tests/unit/merge_scenario.h"

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
    { .name = "misfits ignored",
      .parts = { PERSONS },
      .changes = { "I,1,X,X\nU,7,y,y\nD,8,z,z\nU,2,b,b\nI,9,n,n\nU,9,m,m\nD,9,,\nU,9,o,o\n" },
      .spec = { .update_missing = MERGE_MISFIT_IGNORE,
                .delete_missing = MERGE_MISFIT_IGNORE,
                .insert_present = MERGE_MISFIT_IGNORE },
      .want = "1,Ann,Oslo\n2,b,b\n10,Cid,Kyiv\n",
      .counters = { .inserted_present = 1,
                    .upserted_missing = 2,
                    .deleted_missing = 1,
                    .updated = 1,
                    .rows_total = 3 } },
    { .name = "misfits ignored: a delete makes room for an insert, an insert for an update",
      .parts = { PERSONS },
      .changes = { "D,1,,\nI,1,X,X\nI,5,a,a\nU,5,b,b\nD,2,,\nU,2,no,no\n" },
      .spec = { .update_missing = MERGE_MISFIT_IGNORE, .insert_present = MERGE_MISFIT_FAIL },
      .want = "1,X,X\n5,b,b\n10,Cid,Kyiv\n",
      .counters = { .updated = 1, .inserted = 1, .deleted = 1, .upserted_missing = 1 } },
    { .name = "one misfit ignored, the others applied",
      .parts = { PERSONS },
      .changes = { "I,1,X,X\nU,7,y,y\nD,8,z,z\n" },
      .spec = { .insert_present = MERGE_MISFIT_IGNORE },
      .want = "1,Ann,Oslo\n2,Bob,Rome\n7,y,y\n10,Cid,Kyiv\n",
      .counters = { .inserted_present = 1, .upserted_missing = 1, .deleted_missing = 1 } },
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
};

static void all_scenarios(void **state)
{
    (void)state;
    run_scenarios(scenarios, ARRAY_LEN(scenarios));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_scenarios),
        cmocka_unit_test(keys_in_order),
        cmocka_unit_test(key_texts_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
