"""ChangeProcessingDdlHandlingPolicy, and settings that have no effect."""

import json

import pytest

from tests.support.dms import QuickTask, selection, tasks
from tests.support.wait import wait_until


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute(*statements, database=schema)


@pytest.fixture
def task(server, mariadb, schema, unique, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(9))", "INSERT INTO t VALUES (1,1,'one')")
    def new(settings, *rules, **more):
        return QuickTask(server, mariadb, unique("ddl"), schema, settings={"Logging": {"EnableLogging": True}, **settings},
                         rules=[selection(schema), *rules], **more)

    with tasks(new) as make:
        yield make


def changed(t, before):
    """Text of the change files that came since."""
    t.caught_up()
    return "".join(t.text("t", k) for k in t.changes("t") if k not in before), t.changes("t")


KEPT = {"ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableAltered": False}}


def test_the_target_keeps_its_columns(task, sql):
    t = task(KEPT, s3={"AddColumnName": True})
    t.start()
    sql("ALTER TABLE t ADD COLUMN n INT FIRST", "INSERT INTO t VALUES (7,2,2,'two')")
    text, seen = changed(t, [])
    assert text == "Op,id,a,b\nI,2,2,two\n"
    sql("ALTER TABLE t DROP COLUMN a", "INSERT INTO t VALUES (7,3,'three')")
    text, seen = changed(t, seen)
    assert text == "Op,id,a,b\nI,3,,three\n"
    t.stop()
    sql("ALTER TABLE t CHANGE b c VARCHAR(9)", "UPDATE t SET c='x' WHERE id=3")
    t.start("resume-processing")
    text, seen = changed(t, seen)
    assert text == "Op,id,a,b\nU,3,,\n"
    sql("ALTER TABLE t ADD COLUMN b INT DEFAULT 8, MODIFY id BIGINT", "DELETE FROM t WHERE id=3")
    text, seen = changed(t, seen)
    assert text == "Op,id,a,b\nD,3,,8\n"
    shown = t.statistics("t")
    assert shown["Ddls"] == 4 and shown["AppliedDdls"] == 0
    assert "HandleSourceTableAltered is false: the target keeps its columns" in t.log()


def test_a_reload_takes_the_columns_anew(task, sql):
    t = task(KEPT)
    t.start()
    sql("ALTER TABLE t ADD COLUMN n INT DEFAULT 5")
    t.caught_up()
    t.dms.reload_tables(ReplicationTaskArn=t.arn, TablesToReload=[{"SchemaName": t.schema, "TableName": "t"}])
    wait_until(lambda: t.statistics("t")["FullLoadReloaded"], 30, "the reload")
    sql("INSERT INTO t VALUES (2,2,'two',6)")
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == "1,1,one,5\n" and t.change_text("t") == "I,2,2,two,6\n"


def test_rules_apply_to_columns_that_are_gone(task, sql, schema):
    at = {"schema-name": schema, "table-name": "t"}
    t = task(KEPT,
             {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column",
              "object-locator": {**at, "column-name": "a"}, "rule-action": "rename", "value": "alpha"},
             {"rule-type": "transformation", "rule-id": "3", "rule-name": "3", "rule-target": "column",
              "object-locator": at, "rule-action": "add-column", "value": "twice", "expression": "$id * 2",
              "data-type": {"type": "int8"}},
             s3={"AddColumnName": True})
    t.start()
    assert t.text("t", "LOAD00000001.csv") == "id,alpha,b,twice\n1,1,one,2\n"
    sql("ALTER TABLE t DROP COLUMN a, ADD COLUMN z INT", "INSERT INTO t VALUES (4,'four',9)")
    text, _ = changed(t, [])
    assert text == "Op,id,alpha,b,twice\nI,4,,four,8\n"


def test_parquet_files_lack_columns_that_are_gone(task, sql):
    parquet = pytest.importorskip("pyarrow.parquet")
    import io
    t = task(KEPT, s3={"DataFormat": "parquet"})
    t.start()
    sql("ALTER TABLE t DROP COLUMN a, ADD COLUMN z INT", "INSERT INTO t VALUES (4,'four',9)")
    t.caught_up()
    [name] = t.changes("t")
    body = t.s3.get_object(Bucket=t.bucket, Key=t.prefix("t") + name)["Body"].read()
    assert parquet.read_table(io.BytesIO(body)).to_pydict() == {"Op": ["I"], "id": [4], "b": ["four"]}


def test_ignored_truncation_is_not_counted_as_applied(task, sql):
    t = task({"ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": False,
                                                    "HandleSourceTableDropped": False}})
    t.start()
    sql("TRUNCATE TABLE t", "INSERT INTO t VALUES (2,2,'two')")
    t.caught_up()
    assert t.loads("t") == ["LOAD00000001.csv"] and t.change_text("t") == "I,2,2,two\n"
    shown = t.statistics("t")
    assert (shown["Ddls"], shown["AppliedDdls"]) == (1, 0)


def test_a_truncation_may_fail_the_task(task, sql):
    t = task({"ErrorBehavior": {"ApplyErrorFailOnTruncationDdl": True}})
    t.start()
    sql("INSERT INTO t VALUES (2,2,'two')", "TRUNCATE TABLE t", "INSERT INTO t VALUES (3,3,'three')")
    assert "Truncation DDL detected" in t.until("failed")["LastFailureMessage"]
    assert t.loads("t") == ["LOAD00000001.csv"]
    t.dms.modify_replication_task(ReplicationTaskArn=t.arn, ReplicationTaskSettings=json.dumps(
        {"ErrorBehavior": {"ApplyErrorFailOnTruncationDdl": False}}))
    t.start("resume-processing")
    t.caught_up()
    assert t.loads("t") == [] and t.change_text("t") == "I,3,3,three\n"


# --- settings without effect ----------------------------------------------------------------------

def test_settings_without_effect_are_named(task):
    t = task({"ErrorBehavior": {"ApplyErrorInsertPolicy": "SUSPEND_TABLE", "DataErrorPolicy": "STOP_TASK",
                                "ApplyErrorDeletePolicy": "IGNORE_RECORD"},
              "FullLoadSettings": {"CommitRate": 5000}, "TargetMetadata": {"ParallelLoadThreads": 8},
              "StreamBufferSettings": {"StreamBufferCount": 4},
              "ControlTablesSettings": {"StatusTableEnabled": True}}, migration="full-load")
    t.start(wait=False)
    t.until("stopped")
    [line] = [x for x in t.log().splitlines() if "have no effect here" in x]
    assert "]W:  " in line and line.endswith(
        "(MySQL to Amazon S3, full load only): TargetMetadata.ParallelLoadThreads, FullLoadSettings.CommitRate, "
        "StreamBufferSettings.StreamBufferCount, ErrorBehavior.ApplyErrorInsertPolicy, "
        "ControlTablesSettings.StatusTableEnabled")


def test_nothing_is_named_when_all_have_effect(task):
    t = task({"ErrorBehavior": {"DataErrorPolicy": "STOP_TASK"}, "FullLoadSettings": {"MaxFullLoadSubTasks": 2}})
    t.start()
    assert "no effect" not in t.log()
