/* What the merge refuses, and how it says so: file, line, reason. */
#include "emulators/glue/merge/merge.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "tests/unit/merge_scenario.h"

static const struct scenario scenarios[] = {
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
    { .name = "update of a missing key, if it must fail",
      .parts = { "1,a\n5,e\n" },
      .changes = { "U,1,b\nU,\"x, y\",c\n" },
      .spec = { .update_missing = MERGE_MISFIT_FAIL },
      .error =
          "s3://b/first.csv, line 2: an update (U) of key \"x, y\", which is not in the data set",
      .line = 2 },
    { .name = "delete of a missing key, if it must fail",
      .parts = { "1,a\n5,e\n" },
      .changes = { "D,5,\n", "I,7,x\nD,5,\n" },
      .spec = { .delete_missing = MERGE_MISFIT_FAIL },
      .error = "s3://b/second.csv, line 2: a delete (D) of key 5, which is not in the data set",
      .line = 2 },
    { .name = "insert of a present key, if it must fail",
      .parts = { "1,a\n5,e\n" },
      .changes = { "I,2,b\nI,2,c\nI,5,x\n" },
      .spec = { .insert_present = MERGE_MISFIT_FAIL },
      .error = "s3://b/first.csv, line 2: an insert (I) of key 2, which is already in the data set",
      .line = 2 },
    { .name = "the first of several errors is told",
      .changes = { "I,1,a\nX,2,b\nI,3\n", "I,4,d\nI,\"open\n" },
      .error = "s3://b/first.csv, line 2: operation \"X\"",
      .line = 2 },
    { .name = "bad null text",
      .changes = { "I,1,a\n" },
      .spec = { .null_text = STR_INIT("a,b") },
      .error = "the null text holds" },
};

static void all_scenarios(void **state)
{
    (void)state;
    run_scenarios(scenarios, ARRAY_LEN(scenarios));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_scenarios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
