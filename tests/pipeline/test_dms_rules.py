"""What table-mapping rules do to names, columns and rows: the same for the load and for changes."""

import hashlib
import re

import pytest
from botocore.exceptions import ClientError

from tests.support.dms import Task, mappings, selection, tasks
from tests.support.dms_text import bucket_rows
from tests.support.pipeline import Pipeline
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    def new(*rules, **more):
        return Task(server, mariadb, unique("rules"), schema, rules=list(rules), **more)

    with tasks(new) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute(*statements, database=schema)


def transform(schema, rule, action, target="column", table="%", column=None, **more):
    locator = {"schema-name": schema}
    if target != "schema":
        locator["table-name"] = table
    if column:
        locator["column-name"] = column
    return {"rule-type": "transformation", "rule-id": str(rule), "rule-name": f"rule-{rule}", "rule-target": target,
            "rule-action": action, "object-locator": locator, **more}


def added(schema, rule, name, expression, kind="string", **size):
    return transform(schema, rule, "add-column", value=name, expression=expression,
                     **{"data-type": {"type": kind, **size}})


def text_below(t, prefix):
    """{name: text} of all objects below the prefix."""
    answer = t.s3.list_objects_v2(Bucket=t.bucket, Prefix=prefix).get("Contents", [])
    read = lambda key: t.s3.get_object(Bucket=t.bucket, Key=key)["Body"].read().decode()
    return {o["Key"][len(prefix):]: read(o["Key"]) for o in answer}


def loads_and_changes(t, prefix):
    files = text_below(t, prefix)
    load = "".join(v for k, v in sorted(files.items()) if "LOAD" in k)
    return load, "".join(v for k, v in sorted(files.items()) if "LOAD" not in k)


def run(t, change):
    """Loads, makes the changes, and waits for them."""
    t.start()
    change()
    t.caught_up()
    return t


# --- selection -----------------------------------------------------------------------------------

def test_precedence_and_wildcards(task, schema, sql):
    for name in ("orders", "order_x", "orderax", "tmp1", "tmp_keep", "z9"):
        sql(f"CREATE TABLE {name} (id INT PRIMARY KEY)", f"INSERT INTO {name} VALUES (1)")
    t = task(selection(schema, "order%", rule=1), selection(schema, "order[_]_", "exclude", rule=2),
             selection(schema, "tmp%", "exclude", rule=3), selection(schema, "tmp_keep", "explicit", rule=4),
             selection(schema, "[x-z]_", rule=5), migration="full-load")
    t.start()
    t.until("stopped")
    shown = t.dms.describe_table_statistics(ReplicationTaskArn=t.arn)["TableStatistics"]
    assert sorted(s["TableName"] for s in shown) == ["orderax", "orders", "tmp_keep", "z9"]


def test_tables_load_in_their_order(task, schema, sql):
    for name in ("a", "b", "c"):
        sql(f"CREATE TABLE {name} (id INT PRIMARY KEY)", f"INSERT INTO {name} VALUES (1)")
    order = {"a": 1, "b": 3, "c": 2}
    t = task(*[selection(schema, k, rule=i, **{"load-order": str(v)}) for i, (k, v) in enumerate(order.items(), 1)],
             migration="full-load", settings={"FullLoadSettings": {"MaxFullLoadSubTasks": 1}})
    t.start()
    t.until("stopped")
    put = lambda name: t.s3.head_object(Bucket=t.bucket, Key=f"{schema}/{name}/LOAD00000001.csv")
    starts = {name: t.statistics(name)["FullLoadStartTime"] for name in order}
    assert starts["b"] <= starts["c"] <= starts["a"]
    assert put("b")["LastModified"] <= put("c")["LastModified"] <= put("a")["LastModified"]


def test_no_match_fails(task, schema, sql):
    t = task(selection(schema, "nothing"), migration="full-load")
    t.start(wait=False)
    assert "No tables were found at task initialization" in t.until("failed")["LastFailureMessage"]


# --- filters -------------------------------------------------------------------------------------

def condition(operator, value=None, end=None):
    c = {"filter-operator": operator}
    if end is not None:
        c.update({"start-value": value, "end-value": end})
    elif value is not None:
        c["value"] = value
    return c


def filtered(schema, column, *conditions, table="t"):
    return selection(schema, table, filters=[
        {"filter-type": "source", "column-name": column, "filter-conditions": list(conditions)}])


FILTERS = [
    ("i", "INT", ["1", "5", "9", "NULL"], [condition("eq", "5")], "5"),
    ("i", "INT", ["1", "5", "9", "NULL"], [condition("noteq", "5")], "1 9"),
    ("i", "INT", ["-3", "5", "20"], [condition("lte", "5.5")], "-3 5"),
    ("i", "INT", ["-3", "5", "20"], [condition("ste", "5")], "-3 5"),
    ("i", "BIGINT UNSIGNED", ["18446744073709551615", "7"], [condition("gte", "18446744073709551615")],
     "18446744073709551615"),
    ("i", "INT", ["1", "10", "60", "100"], [condition("lte", "10"), condition("between", "50", "75")], "1 10 60"),
    ("i", "INT", ["1", "60", "100", "NULL"], [condition("notbetween", "50", "75")], "1 100"),
    ("i", "INT", ["1", "NULL"], [condition("null")], ""),
    ("i", "INT", ["1", "NULL"], [condition("notnull")], "1"),
    ("d", "DECIMAL(10,2)", ["9.99", "10.00", "100.50"], [condition("gte", "10")], "10.00 100.50"),
    ("f", "DOUBLE", ["0.5", "2"], [condition("lte", "0.5")], "+5.0000000000000000e-01"),
    ("d", "DATE", ["'2001-12-31'", "'2002-01-01'"], [condition("gte", "2002-01-01")], "2002-01-01"),
    ("d", "DATETIME", ["'2002-01-01 00:00:00'", "'2002-01-01 10:00:00'"], [condition("gte", "2002-01-01 09:30:00")],
     "2002-01-01_10:00:00"),
    ("t", "TIME", ["'-01:00:00'", "'100:00:00'"], [condition("lte", "00:00:00")], "-01:00:00"),
    ("s", "VARCHAR(20) COLLATE utf8mb4_general_ci", ["'tech'", "'TECH '", "'sales'"], [condition("eq", "Tech")],
     "tech TECH_"),
    ("s", "VARCHAR(20) COLLATE utf8mb4_bin", ["'tech'", "'TECH'"], [condition("eq", "tech")], "tech"),
    ("s", "VARCHAR(20) COLLATE utf8mb4_unicode_ci", ["'Émile'", "'emil'", "'zoe'"], [condition("lte", "emile")],
     "emil Émile"),
    ("s", "VARCHAR(9) CHARSET latin1", ["'é'", "'e'", "'f'"], [condition("between", "E", "é")], "e é"),
    ("s", "ENUM('small','LARGE')", ["'small'", "'LARGE'"], [condition("eq", "large")], "LARGE"),
    ("b", "VARBINARY(5)", ["'a'", "'A'"], [condition("eq", "a")], "61"),
    ("y", "YEAR", ["1999", "2024"], [condition("gte", "2000")], "2024"),
    ("s", "VARCHAR(20)", ["'it''s'", "'x'"], [condition("noteq", "x?")], "it's x"),
]


@pytest.mark.parametrize("column,kind,values,conditions,want", FILTERS,
                         ids=[f"{f[1].split()[0]}-{f[3][0]['filter-operator']}-{i}" for i, f in enumerate(FILTERS)])
def test_filters(task, schema, sql, column, kind, values, conditions, want):
    sql(f"CREATE TABLE t (id INT PRIMARY KEY, `{column}` {kind}) DEFAULT CHARSET utf8mb4")
    rows = ",".join(f"({i},{v})" for i, v in enumerate(values))
    sql(f"INSERT INTO t VALUES {rows}")
    t = run(task(filtered(schema, column, *conditions)),
            lambda: sql("INSERT INTO t SELECT id+100,`%s` FROM t" % column))
    load, changes = loads_and_changes(t, f"{schema}/t/")
    got = lambda text, at: sorted(line.split(",")[at].replace(" ", "_") for line in text.splitlines())
    assert got(load, 1) == sorted(want.split(" "))
    assert got(changes, 2) == got(load, 1)
    assert t.statistics("t")["FullLoadRows"] == len(got(load, 1)) == t.statistics("t")["Inserts"]


def test_filters_on_updates_and_deletes(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, n INT, v VARCHAR(9))", "INSERT INTO t VALUES (1,1,'a'),(2,50,'b'),(3,60,'c')")
    rule = selection(schema, "t", filters=[
        {"filter-type": "source", "column-name": "n", "filter-conditions": [condition("gte", "50")]},
        {"filter-type": "source", "column-name": "v", "filter-conditions": [condition("notnull")]}])
    t = run(task(rule), lambda: sql(
        "UPDATE t SET v='x' WHERE id=1", "UPDATE t SET v='y' WHERE id=2", "UPDATE t SET n=70 WHERE id=1",
        "DELETE FROM t WHERE id=3", "UPDATE t SET v=NULL WHERE id=2", "DELETE FROM t WHERE id=2"))
    load, changes = loads_and_changes(t, f"{schema}/t/")
    assert load == "2,50,b\n3,60,c\n"
    assert changes == "U,2,50,y\nU,1,70,x\nD,3,60,c\n"
    assert t.statistics("t")["Updates"] == 2 and t.statistics("t")["Deletes"] == 1


@pytest.mark.parametrize("column,conditions,said", [
    ("missing", [condition("eq", "1")], "no column 'missing'"),
    ("id", [condition("eq", "many")], "'many' is no number"),
    ("big", [condition("eq", "x")], "LOB column"),
])
def test_filters_that_do_not_fit_fail_the_table(task, schema, sql, column, conditions, said):
    sql("CREATE TABLE t (id INT PRIMARY KEY, big LONGTEXT)", "INSERT INTO t VALUES (1,'x')")
    t = task(filtered(schema, column, *conditions), migration="full-load")
    t.start(wait=False)
    wait_until(lambda: t.describe()["Status"] in ("stopped", "failed"), 30)
    assert t.statistics("t")["TableState"] == "Table error"
    assert said in t.describe()["LastFailureMessage"] and t.keys("t") == []


# --- names ---------------------------------------------------------------------------------------

def test_renamed_schema_table_and_columns(task, schema, sql):
    sql("CREATE TABLE `Actor` (id INT PRIMARY KEY, First_Name VARCHAR(9), col_a INT, col_b INT)",
        "INSERT INTO `Actor` VALUES (1,'Al',1,2)")
    t = run(task(
        selection(schema),
        transform(schema, 2, "rename", "schema", value="target"),
        transform(schema, 3, "rename", "table", "Actor", value="people"),
        transform(schema, 4, "convert-uppercase", column="First%"),
        transform(schema, 5, "remove-column", table="Act%", column="col[_]b"),
        transform(schema, 6, "replace-prefix", column="col%", value="new_", **{"old-value": "col_"}),
        s3=dict(AddColumnName=True)), lambda: sql("UPDATE `Actor` SET First_Name='Bo'"))
    files = text_below(t, "target/people/")
    assert files["LOAD00000001.csv"] == "id,FIRST_NAME,new_a\n1,Al,1\n"
    [change] = [v for k, v in files.items() if "LOAD" not in k]
    assert change == "Op,id,FIRST_NAME,new_a\nU,1,Bo,1\n"
    assert text_below(t, f"{schema}/") == {}
    assert t.statistics("Actor")["Updates"] == 1  # statistics are about the source's tables


@pytest.mark.parametrize("action,more,want", [
    ("convert-lowercase", {}, "pre_orders_suf"),
    ("convert-uppercase", {}, "PRE_ORDERS_SUF"),
    ("add-prefix", {"value": "DMS_"}, "DMS_Pre_Orders_suf"),
    ("remove-prefix", {"value": "Pre_"}, "Orders_suf"),
    ("replace-prefix", {"value": "x", "old-value": "Pre_"}, "xOrders_suf"),
    ("add-suffix", {"value": "_v"}, "Pre_Orders_suf_v"),
    ("remove-suffix", {"value": "_suf"}, "Pre_Orders"),
    ("replace-suffix", {"value": "", "old-value": "_suf"}, "Pre_Orders"),
])
def test_names_of_tables(task, schema, sql, action, more, want):
    sql("CREATE TABLE `Pre_Orders_suf` (id INT PRIMARY KEY)", "INSERT INTO `Pre_Orders_suf` VALUES (1)")
    t = task(selection(schema), transform(schema, 2, action, "table", **more), migration="full-load")
    t.start()
    t.until("stopped")
    assert text_below(t, f"{schema}/") == {f"{want}/LOAD00000001.csv": "1\n"}


def test_the_rule_with_the_lowest_id_names(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(selection(schema), transform(schema, 30, "convert-uppercase", "table"),
             transform(schema, 4, "rename", "table", "t", value="named"), migration="full-load")
    t.start()
    t.until("stopped")
    assert list(text_below(t, f"{schema}/")) == ["named/LOAD00000001.csv"]


def test_two_tables_cannot_share_a_name(task, schema, sql):
    sql("CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)",
        "INSERT INTO b VALUES (2)")
    t = task(selection(schema), transform(schema, 2, "rename", "table", value="one"), migration="full-load")
    t.start()
    t.until("stopped")
    assert text_below(t, f"{schema}/") == {"one/LOAD00000001.csv": "1\n"}
    assert t.statistics("b")["TableState"] == "Table error"


# --- columns -------------------------------------------------------------------------------------

EXPRESSIONS = [
    ("$first||'_'||$last", "Al_Lee"), ("upper($first)", "AL"), ("substr($last,1,2)", "Le"), ("$id*2", "2"),
    ("CASE WHEN $amount > 10 THEN 'big' ELSE 'small' END", "big"), ("coalesce($nothing,'none')", "none"),
    ("round($amount)", "13.0"), ("hash_sha256($first)", hashlib.sha256(b"Al").hexdigest()),
    ("replaceChars('abcde','abcd','123')", "1231e"), ("strftime('%Y',$day)", "2024"), ("hex($bytes)", "6162"),
    ("$AR_M_SOURCE_TABLE_NAME", "t"), ("$AR_M_SOURCE_COLUMN_NAME", ""), ("ifnull(nullif($id,1),'one')", "one"),
    ("trim('  x ')||instr($last,'e')", "x2"), ("$FIRST", "Al"),
]


def test_expressions(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, first VARCHAR(9), last VARCHAR(9), amount DECIMAL(9,2), nothing INT,"
        " day DATE, bytes VARBINARY(4))", "INSERT INTO t VALUES (1,'Al','Lee',12.50,NULL,'2024-05-06','ab')")
    rules = [added(schema, i, f"c{i}", e) for i, (e, _) in enumerate(EXPRESSIONS, 10)]
    t = run(task(selection(schema), *rules), lambda: sql("INSERT INTO t SELECT 2,first,last,amount,nothing,day,bytes FROM t"))
    load, changes = loads_and_changes(t, f"{schema}/t/")
    want = [w for _, w in EXPRESSIONS]
    assert load.strip("\n").split(",")[7:] == want
    want[3], want[13] = "4", "2"
    assert changes.strip("\n").split(",")[8:] == want


def test_order_of_columns_and_before_images(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9), big LONGTEXT)", "INSERT INTO t VALUES (1,'a','x'),(2,'b','y')")
    before = {"column-prefix": "BI_", "column-suffix": "", "column-filter": "non-lob"}
    t = run(task(
        selection(schema), added(schema, 2, "Operation", "operation_indicator('D','U','I')"),
        transform(schema, 3, "add-before-image-columns", **{"before-image-def": before}),
        transform(schema, 5, "add-column", value="empty", **{"data-type": {"type": "datetime", "precision": 6}}),
        s3=dict(AddColumnName=True, TimestampColumnName="ts", IncludeOpForFullLoad=True)),
        lambda: sql("INSERT INTO t VALUES (3,'c','z')", "UPDATE t SET v='w', id=9 WHERE id=1", "DELETE FROM t WHERE id=2"))
    load, changes = loads_and_changes(t, f"{schema}/t/")
    head = "Op,ts,id,v,big,Operation,empty,BI_id,BI_v"
    cut = lambda text: [re.sub(r"^(.),[^,]*,", r"\1,", line) for line in text.splitlines() if line != head]
    assert load.splitlines()[0] == head and changes.splitlines()[0] == head
    assert cut(load) == ["I,1,a,x,I,,,", "I,2,b,y,I,,,"]
    assert cut(changes) == ["I,3,c,z,I,,,", "U,9,w,x,U,,1,a", "D,2,b,y,D,,2,b"]


def test_before_image_of_the_key_only(task, schema, sql):
    sql("CREATE TABLE t (emp_no INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1,1)")
    before = {"column-suffix": "_was"}
    t = run(task(selection(schema), transform(schema, 3, "add-before-image-columns", **{"before-image-def": before})),
            lambda: sql("UPDATE t SET v=2", "UPDATE t SET emp_no=3"))
    assert loads_and_changes(t, f"{schema}/t/") == ("1,1,\n", "U,1,2,\nU,3,2,1\n")


TYPES = [
    ("INT", "7", {"type": "string", "length": 50}, "7"),
    ("DECIMAL(9,3)", "12.675", {"type": "int8"}, "12"),
    ("DECIMAL(9,3)", "-12.675", {"type": "numeric", "precision": 9, "scale": 2}, "-12.68"),
    ("DOUBLE", "2.5", {"type": "numeric", "precision": 9, "scale": 1}, "2.5"),
    ("DOUBLE", "1.5", {"type": "string"}, "1.5"),
    ("INT", "3", {"type": "real8"}, "+3.0000000000000000e+00"),
    ("INT", "3", {"type": "real4"}, "+3.00000000e+00"),
    ("VARCHAR(20)", "'héllo'", {"type": "wstring", "length": 2}, "hé"),
    ("VARCHAR(30)", "'2024-01-02 03:04:05.5'", {"type": "datetime", "precision": 3}, "2024-01-02 03:04:05.500"),
    ("DATETIME(6)", "'2024-01-02 03:04:05.123456'", {"type": "date"}, "2024-01-02"),
    ("VARCHAR(20)", "'17'", {"type": "uint1"}, "17"),
    ("VARCHAR(20)", "'300'", {"type": "uint1"}, ""),
    ("VARCHAR(20)", "'ab'", {"type": "bytes"}, "6162"),
    ("INT", "5", {"type": "boolean"}, "1"),
]


@pytest.mark.parametrize("kind,value,to,want", TYPES, ids=[f"{a[0].split('(')[0]}-{a[2]['type']}" for a in TYPES])
def test_changed_types(task, schema, sql, kind, value, to, want):
    sql(f"CREATE TABLE t (id INT PRIMARY KEY, c {kind}) DEFAULT CHARSET utf8mb4", f"INSERT INTO t VALUES (1,{value})")
    t = run(task(selection(schema), transform(schema, 2, "change-data-type", column="c", **{"data-type": to})),
            lambda: sql("INSERT INTO t SELECT 2,c FROM t"))
    assert loads_and_changes(t, f"{schema}/t/") == (f"1,{want}\n", f"I,2,{want}\n")


@pytest.mark.parametrize("expression,said", [("$nowhere||'x'", "no such column"), ("$big||'x'", "LOB column")])
def test_expressions_that_do_not_fit_fail_the_table(task, schema, sql, expression, said):
    sql("CREATE TABLE t (id INT PRIMARY KEY, big LONGTEXT)", "INSERT INTO t VALUES (1,'x')",
        "CREATE TABLE u (id INT PRIMARY KEY, nowhere INT, big INT)", "INSERT INTO u VALUES (1,2,3)")
    t = task(selection(schema), added(schema, 2, "c", expression), migration="full-load")
    t.start(wait=False)
    wait_until(lambda: t.describe()["Status"] in ("stopped", "failed"), 30)
    assert t.statistics("t")["TableState"] == "Table error" and t.statistics("u")["TableState"] == "Table completed"
    assert said in t.describe()["LastFailureMessage"] and "ruleId = 2" in t.describe()["LastFailureMessage"]
    assert text_below(t, f"{schema}/u/")["LOAD00000001.csv"] in ("1,2,3,2x\n", "1,2,3,3x\n")


# --- variables of the change -----------------------------------------------------------------------

def test_change_sequence_rises_across_restarts(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(selection(schema), added(schema, 2, "seq", "$AR_H_CHANGE_SEQ", length=50))
    t.start()
    sql("INSERT INTO t VALUES (2),(3),(4)", "INSERT INTO u VALUES (1)", "UPDATE t SET id=9 WHERE id=2")
    t.caught_up()
    t.stop()
    sql("INSERT INTO t VALUES (10)", "INSERT INTO u VALUES (2)")
    t.start("resume-processing")
    sql("INSERT INTO t VALUES (11),(12)", "DELETE FROM t WHERE id=9")
    t.caught_up()
    load, changes = loads_and_changes(t, f"{schema}/t/")
    assert load == "1,\n"
    rows = [line.split(",") for line in changes.splitlines()]
    assert [r[:2] for r in rows] == [["I", "2"], ["I", "3"], ["I", "4"], ["U", "9"], ["I", "10"], ["I", "11"],
                                     ["I", "12"], ["D", "9"]]
    both = [r[2] for r in rows] + [line.split(",")[2] for line in loads_and_changes(t, f"{schema}/u/")[1].splitlines()]
    assert all(re.fullmatch(r"20\d{12}00\d{19}", s) for s in both) and len(set(both)) == len(both)
    assert [r[2] for r in rows] == sorted(r[2] for r in rows)


def test_headers_of_the_change(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = run(task(selection(schema), added(schema, 2, "op", "$AR_H_OPERATION"),
                 added(schema, 3, "at", "$AR_H_TIMESTAMP", "datetime", precision=6),
                 added(schema, 4, "done", "$AR_H_COMMIT_TIMESTAMP"), added(schema, 5, "pos", "$AR_H_STREAM_POSITION"),
                 s3=dict(TimestampColumnName="ts")), lambda: sql("DELETE FROM t"))
    load, changes = loads_and_changes(t, f"{schema}/t/")
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
    assert re.fullmatch(f"{stamp},1,INSERT,{stamp},{stamp},\n", load)
    got = re.fullmatch(rf"D,({stamp}),1,DELETE,({stamp}),({stamp}),(\S+)\n", changes)
    assert got and got[1] == got[2] == got[3]
    assert re.fullmatch(r"[^:]+\.\d+:\d+:-1:\d+:\d+:[^:]+\.\d+:\d+", got[4])


# --- table settings --------------------------------------------------------------------------------

def settings_rule(schema, table="t", rule=2, **more):
    return {"rule-type": "table-settings", "rule-id": str(rule), "rule-name": f"rule-{rule}",
            "object-locator": {"schema-name": schema, "table-name": table}, **more}


def test_load_by_partitions(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10),"
        " PARTITION p1 VALUES LESS THAN (20), PARTITION pmax VALUES LESS THAN MAXVALUE)",
        "INSERT INTO t VALUES (1),(2),(11),(30)")
    t = run(task(selection(schema), settings_rule(schema, **{"parallel-load": {"type": "partitions-auto"}})),
            lambda: sql("INSERT INTO t VALUES (3)"))
    files = text_below(t, f"{schema}/t/")
    change = [k for k in files if "LOAD" not in k]
    assert len(change) == 1 and "/" not in change[0] and files.pop(change[0]) == "I,3\n"
    assert files == {"p0/LOAD00000001.csv": "1\n2\n", "p1/LOAD00000001.csv": "11\n", "pmax/LOAD00000001.csv": "30\n"}
    assert t.statistics("t")["FullLoadRows"] == 4
    listed = task(selection(schema), settings_rule(schema, **{
        "parallel-load": {"type": "partitions-list", "partitions": ["p1", "pmax"]}}), migration="full-load")
    listed.start()
    listed.until("stopped")
    assert text_below(listed, f"{schema}/t/") == {"p1/LOAD00000001.csv": "11\n", "pmax/LOAD00000001.csv": "30\n"}


@pytest.mark.parametrize("names", [None, ["low", "mid", "high"]])
def test_load_by_ranges(task, schema, sql, names):
    sql("CREATE TABLE t (a INT, b VARCHAR(9), PRIMARY KEY(a,b))",
        "INSERT INTO t VALUES (1,'x'),(5,'a'),(5,'z'),(7,'q'),(100,'a')")
    load = {"type": "ranges", "columns": ["a", "b"], "boundaries": [["5", "m"], ["100", "a"]]}
    if names:
        load["segment-names"] = names
    t = run(task(filtered(schema, "b", condition("noteq", "q")), settings_rule(schema, **{"parallel-load": load})),
            lambda: sql("DELETE FROM t WHERE a=7", "DELETE FROM t WHERE a=1"))
    files = {k: v for k, v in text_below(t, f"{schema}/t/").items() if "LOAD" in k}
    at = (lambda i: f"{names[i]}/") if names else (lambda i: f"SEGMENT{i + 1}_")
    assert files == {f"{at(0)}LOAD00000001.csv": "1,x\n5,a\n", f"{at(1)}LOAD00000001.csv": "5,z\n",
                     f"{at(2)}LOAD00000001.csv": "100,a\n"}
    assert loads_and_changes(t, f"{schema}/t/")[1] == "D,1,x\n"


def test_segments_are_of_one_moment(task, schema, sql, mariadb):
    """While somebody writes, all segments together are one state of the table, and changes follow it."""
    sql("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t SELECT seq,0 FROM seq_1_to_40000")
    load = {"type": "ranges", "columns": ["id"], "boundaries": [["10000"], ["20000"], ["30000"]]}
    t = task(selection(schema), settings_rule(schema, **{"parallel-load": load}))
    t.start(wait=False)
    for i in range(1, 60):
        sql(f"UPDATE t SET v={i} WHERE id IN (5,15000,25000,39999)")
    t.wait("running")
    t.caught_up()
    load, changes = loads_and_changes(t, f"{schema}/t/")
    rows = [line.split(",") for line in load.splitlines()]
    assert len(rows) == 40000 and len({r[0] for r in rows}) == 40000
    [start] = {r[1] for r in rows if r[0] in ("5", "15000", "25000", "39999")}
    seen = [int(line.split(",")[2]) for line in changes.splitlines()]
    assert seen == [i for i in range(int(start) + 1, 60) for _ in range(4)]


def test_lob_settings(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, big LONGTEXT)", "CREATE TABLE u LIKE t",
        "INSERT INTO t VALUES (1,REPEAT('x',5000))", "INSERT INTO u SELECT * FROM t")
    t = run(task(selection(schema), settings_rule(schema, **{
        "lob-settings": {"mode": "limited", "bulk-max-size": "2"}})), lambda: sql("INSERT INTO t SELECT 2,big FROM t"))
    assert loads_and_changes(t, f"{schema}/t/") == ("1," + "x" * 2048 + "\n", "I,2," + "x" * 2048 + "\n")
    assert loads_and_changes(t, f"{schema}/u/")[0] == "1," + "x" * 5000 + "\n"


# --- what comes after --------------------------------------------------------------------------------

def test_a_merge_follows_the_rules(make_server, mariadb, schema, sql, unique):
    """Renamed table and key, added columns, loaded in segments, no key or column named to the job."""
    sql("CREATE TABLE t (id INT, name VARCHAR(9), gone INT)", "INSERT INTO t VALUES (1,'a',0),(2,'b',0),(30,'c',0)")
    server = make_server("--clock-scale", "60")
    p = Pipeline(server.client, unique("rp"))
    p.buckets()
    p.role()
    p.glue.create_job(
        Name=p.job, Role=p.role_arn, Command={"Name": "cistern-merge"}, JobRunQueuingEnabled=True,
        DefaultArguments={"--final_path": f"s3://{p.final}/{{table}}"}, ExecutionProperty={"MaxConcurrentRuns": 3})
    p.function()
    p.trigger()
    p.instance()
    p.endpoints(mariadb)
    p.test_connections()
    rules = [
        selection(schema), transform(schema, 2, "rename", "table", "t", value="people"),
        transform(schema, 3, "rename", column="id", value="key_no"), transform(schema, 4, "remove-column", column="gone"),
        added(schema, 5, "shout", "upper($name)"),
        transform(schema, 6, "define-primary-key", "table", **{"primary-key-def": {"name": "pk", "columns": ["id"]}}),
        settings_rule(schema, rule=7, **{"parallel-load": {"type": "ranges", "columns": ["id"], "boundaries": [["10"]]}}),
    ]
    p.task_arn = p.dms.create_replication_task(
        ReplicationTaskIdentifier=f"{p.name}-task", SourceEndpointArn=p.source_arn, TargetEndpointArn=p.target_arn,
        ReplicationInstanceArn=p.instance_arn, MigrationType="full-load-and-cdc",
        TableMappings=mappings(*rules))["ReplicationTask"]["ReplicationTaskArn"]
    p.start()
    server.wait_idle()
    assert sorted(bucket_rows(p.s3, p.final, "people/")) == [("1", "a", "A"), ("2", "b", "B"), ("30", "c", "C")]
    sql("UPDATE t SET name='x' WHERE id=1", "DELETE FROM t WHERE id=2", "INSERT INTO t VALUES (5,'n',1)")
    server.wait_idle()
    assert sorted(bucket_rows(p.s3, p.final, "people/")) == [("1", "x", "X"), ("30", "c", "C"), ("5", "n", "N")]


# --- refusals ----------------------------------------------------------------------------------------

def bad(rule, **change):
    return {**rule, **change}


REFUSED = [
    ("unknown", lambda s: bad(selection(s, rule=2), **{"rule-type": "spell"})),
    ("'rule-id' is used twice", lambda s: bad(selection(s, rule=1), **{"rule-name": "other"})),
    ("'rule-name' 'rule-1' is used twice", lambda s: bad(selection(s, rule=2), **{"rule-name": "rule-1"})),
    ("Exact schema and table name required when using table settings rule.",
     lambda s: settings_rule(s, "%", **{"parallel-load": {"type": "partitions-auto"}})),
    ("'explode'", lambda s: transform(s, 2, "explode")),
    ("rule-target", lambda s: transform(s, 2, "rename", "index", value="x")),
    ("needs a 'value'", lambda s: transform(s, 2, "rename", column="c")),
    ("needs an 'old-value'", lambda s: transform(s, 2, "replace-prefix", column="c", value="x")),
    ("column-name", lambda s: transform(s, 2, "remove-column")),
    ("data type 'int9' is unknown", lambda s: transform(s, 2, "change-data-type", column="c", **{"data-type": {"type": "int9"}})),
    ("not valid", lambda s: added(s, 2, "c", "$a ||")),
    ("known functions", lambda s: added(s, 2, "c", "(SELECT 1)")),
    ("not authorized to use function", lambda s: added(s, 2, "c", "load_extension('x')")),
    ("not valid", lambda s: added(s, 2, "c", "1) FROM (SELECT 1")),
    ("AR_H_USER", lambda s: added(s, 2, "c", "$AR_H_USER")),
    ("before-image-def", lambda s: transform(s, 2, "add-before-image-columns")),
    ("column-prefix", lambda s: transform(s, 2, "add-before-image-columns", **{"before-image-def": {}})),
    ("not implemented", lambda s: transform(s, 2, "data-masking-hash-mask", column="c")),
    ("not implemented", lambda s: {"rule-type": "post-processing", "rule-id": "2", "rule-name": "2"}),
    ("subpartitions", lambda s: settings_rule(s, **{"parallel-load": {"type": "subpartitions-auto"}})),
    ("segment-names", lambda s: settings_rule(s, **{"parallel-load": {
        "type": "ranges", "columns": ["a"], "boundaries": [["1"]], "segment-names": ["x"]}})),
    ("filter-operator 'gt' is unknown", lambda s: bad(filtered(s, "c", condition("gt", "1")), **{
        "rule-id": "2", "rule-name": "2"})),
    ("only condition", lambda s: bad(filtered(s, "c", condition("noteq", "1"), condition("eq", "2")), **{
        "rule-id": "2", "rule-name": "2"})),
    ("needs the string 'value'", lambda s: bad(filtered(s, "c", condition("eq")), **{"rule-id": "2", "rule-name": "2"})),
    ("table-type", lambda s: bad(selection(s, rule=2), **{
        "object-locator": {"schema-name": s, "table-name": "%", "table-type": "index"}})),
]


@pytest.mark.parametrize("said,rule", REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_bad_rules_are_refused(server, said, rule):
    """Without any task: the mappings are looked at before it exists."""
    with pytest.raises(ClientError) as refused:
        refuse_on(server, mappings(selection("s"), rule("s")))
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException" and said in error["Message"]
    assert error["Message"].startswith("Error in mapping rules. Rule with ruleId = ")


def refuse_on(server, text):
    dms = server.client("dms")
    name = "rules-refused"
    try:
        instance = dms.create_replication_instance(
            ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.micro")["ReplicationInstance"]
        source = dms.create_endpoint(EndpointIdentifier=f"{name}-s", EndpointType="source", EngineName="mariadb",
                                     ServerName="127.0.0.1", Port=1, Username="u", Password="p")["Endpoint"]
        target = dms.create_endpoint(EndpointIdentifier=f"{name}-t", EndpointType="target", EngineName="s3", S3Settings={
            "BucketName": "b", "ServiceAccessRoleArn": "arn:aws:iam::000000000000:role/dms"})["Endpoint"]
    except ClientError:  # made by an earlier case
        find = lambda answer, member: answer[member][0]
        instance = find(dms.describe_replication_instances(
            Filters=[{"Name": "replication-instance-id", "Values": [name]}]), "ReplicationInstances")
        source, target = (find(dms.describe_endpoints(
            Filters=[{"Name": "endpoint-id", "Values": [f"{name}-{x}"]}]), "Endpoints") for x in "st")
    dms.create_replication_task(
        ReplicationTaskIdentifier=name, SourceEndpointArn=source["EndpointArn"], TargetEndpointArn=target["EndpointArn"],
        ReplicationInstanceArn=instance["ReplicationInstanceArn"], MigrationType="full-load", TableMappings=text)


def test_bad_json_is_refused(server):
    with pytest.raises(ClientError, match="Invalid Table Mappings document"):
        refuse_on(server, "{")


def test_modified_mappings_are_checked(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)")
    t = task(selection(schema))
    with pytest.raises(ClientError, match="ruleId = 2"):
        t.dms.modify_replication_task(ReplicationTaskArn=t.arn, TableMappings=mappings(
            selection(schema), transform(schema, 2, "rename", "table")))


def test_views_of_mariadb_are_refused(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", "CREATE VIEW v AS SELECT * FROM t")
    only = selection(schema, "v")
    only["object-locator"]["table-type"] = "view"
    t = task(only, migration="full-load")
    t.start(wait=False)
    assert "MariaDB" in t.until("failed")["LastFailureMessage"]
    every = selection(schema)
    every["object-locator"]["table-type"] = "all"
    t = task(every, migration="full-load")
    t.start()
    t.until("stopped")
    assert text_below(t, f"{schema}/") == {"t/LOAD00000001.csv": "1\n"}
