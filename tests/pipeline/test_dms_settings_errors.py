"""ErrorBehavior: records that can't be moved as they are, tables in error, and what the policies make of them."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.support.dms import QuickTask, selection, tasks
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    def new(settings, *rules, **more):
        settings = {"Logging": {"EnableLogging": True}, **settings}
        return QuickTask(server, mariadb, unique("err"), schema, settings=settings,
                         rules=[selection(schema), *rules], **more)

    with tasks(new) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute(*statements, database=schema)


@pytest.fixture
def numbers(schema, sql):
    """A table whose second row has no number where a rule wants one; and one beside it. → the rule"""
    sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9))", "INSERT INTO t VALUES (1,'10'),(2,'x'),(3,'30')",
        "CREATE TABLE beside (id INT PRIMARY KEY)", "INSERT INTO beside VALUES (1)")
    return {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column",
            "object-locator": {"schema-name": schema, "table-name": "t", "column-name": "v"},
            "rule-action": "change-data-type", "data-type": {"type": "int4"}}


@pytest.fixture
def lobs(sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, v MEDIUMTEXT)", "INSERT INTO t VALUES (1,'short'),(2,REPEAT('x',3000))")


def errors(**more):
    return {"ErrorBehavior": more}


def state(t, table="t"):
    return t.statistics(table)["TableState"]


# --- data errors ----------------------------------------------------------------------------------

def test_logged_errors_leave_the_value_empty(task, numbers, sql):
    t = task({}, numbers)
    t.start()
    sql("INSERT INTO t VALUES (4,'y'),(5,'50')")
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == "1,10\n2,\n3,30\n" and t.change_text("t") == "I,4,\nI,5,50\n"
    assert t.log().count("are empty because the rules can't make them; column 'v': a value is no INT4") == 2
    assert t.statistics("t")["FullLoadErrorRows"] == 0


def test_ignored_records_are_left_out_and_counted(task, numbers, sql):
    t = task(errors(DataErrorPolicy="IGNORE_RECORD"), numbers)
    t.start()
    assert t.text("t", "LOAD00000001.csv") == "1,10\n3,30\n"
    sql("INSERT INTO t VALUES (4,'y'),(5,'50')", "UPDATE t SET v='z' WHERE id=1", "UPDATE t SET v='31' WHERE id=3",
        "DELETE FROM t WHERE id=4")
    t.caught_up()
    assert t.change_text("t") == "I,5,50\nU,3,31\n"
    shown = t.statistics("t")
    assert shown["FullLoadErrorRows"] == 1 and shown["FullLoadRows"] == 2 and shown["TableState"] == "Table completed"
    assert (shown["Inserts"], shown["AppliedInserts"]) == (2, 1)
    assert (shown["Updates"], shown["AppliedUpdates"]) == (2, 1)
    wait_until(lambda: t.statistics("t")["Deletes"] == 1, 10)
    assert t.statistics("t")["AppliedDeletes"] == 0
    assert "DataErrorPolicy is IGNORE_RECORD, 1 data errors so far" in t.log()
    t.stop()
    t.start("resume-processing")
    assert t.statistics("t")["FullLoadErrorRows"] == 1 and t.statistics("t")["AppliedInserts"] == 1


def test_an_error_in_the_load_suspends_the_table(task, numbers, sql):
    t = task(errors(DataErrorPolicy="SUSPEND_TABLE", TableErrorPolicy="STOP_TASK"), numbers)
    t.start()
    sql("INSERT INTO t VALUES (5,'50')", "INSERT INTO beside VALUES (2)")
    t.caught_up()
    assert state(t) == "Table error" and t.keys("t") == []
    assert t.text("beside", "LOAD00000001.csv") == "1\n" and t.change_text("beside") == "I,2\n"
    shown = t.describe()
    assert shown["Status"] == "running" and "DataErrorPolicy is SUSPEND_TABLE" in shown["LastFailureMessage"]
    sql("DELETE FROM t WHERE id=2")
    t.dms.reload_tables(ReplicationTaskArn=t.arn, TablesToReload=[{"SchemaName": t.schema, "TableName": "t"}])
    wait_until(lambda: state(t) == "Table completed", 30, "the reload")
    assert t.text("t", "LOAD00000001.csv") == "1,10\n3,30\n5,50\n"


def test_an_error_in_a_change_suspends_the_table(task, numbers, sql):
    sql("DELETE FROM t WHERE id=2")
    t = task(errors(DataErrorPolicy="SUSPEND_TABLE"), numbers)
    t.start()
    sql("INSERT INTO t VALUES (5,'50'),(6,'y'),(7,'70')", "INSERT INTO beside VALUES (2)", "INSERT INTO t VALUES (8,'80')")
    t.caught_up()
    assert state(t) == "Table error" and t.change_text("t") == "I,5,50\n" and t.change_text("beside") == "I,2\n"


def test_an_error_in_the_load_stops_the_task(task, numbers, sql):
    t = task(errors(DataErrorPolicy="STOP_TASK"), numbers, migration="full-load")
    t.start(wait=False)
    shown = t.until("failed")
    assert "DataErrorPolicy is STOP_TASK: The rules can't make a value: column 'v'" in shown["LastFailureMessage"]
    assert t.keys("t") == []
    sql("UPDATE t SET v='20' WHERE id=2")
    t.start("resume-processing", wait=False)
    t.until("stopped")
    assert t.text("t", "LOAD00000001.csv") == "1,10\n2,20\n3,30\n"


def test_a_stopped_task_goes_on_exactly_there(task, numbers, sql):
    sql("DELETE FROM t WHERE id=2")
    t = task(errors(DataErrorPolicy="STOP_TASK"), numbers)
    t.start()
    sql("INSERT INTO t VALUES (5,'50'),(6,'y'),(7,'70')", "INSERT INTO beside VALUES (2)")
    shown = t.until("failed")
    assert shown["StopReason"] == "Stop Reason FATAL_ERROR" and f"table {t.schema}.t" in shown["LastFailureMessage"]
    t.start("resume-processing", wait=False)
    t.until("failed")  # nobody has mended it
    t.dms.modify_replication_task(ReplicationTaskArn=t.arn, ReplicationTaskSettings=json.dumps(
        errors(DataErrorPolicy="IGNORE_RECORD")))
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "I,5,50\nI,7,70\n" and t.change_text("beside") == "I,2\n"


@pytest.mark.parametrize("policy, ends", [("SUSPEND_TABLE", "running"), ("STOP_TASK", "failed")])
def test_errors_escalate(task, numbers, sql, policy, ends):
    t = task(errors(DataErrorPolicy="IGNORE_RECORD", DataErrorEscalationCount=3, DataErrorEscalationPolicy=policy),
             numbers)
    t.start()
    sql("INSERT INTO t VALUES (4,'y'),(5,'50')")
    t.caught_up()
    assert t.change_text("t") == "I,5,50\n" and state(t) == "Table completed"
    sql("INSERT INTO t VALUES (6,'60'),(7,'z'),(8,'80')")
    if ends == "running":
        t.caught_up()
        assert state(t) == "Table error" and t.change_text("t") == "I,5,50\nI,6,60\n"
        assert "DataErrorEscalationPolicy is SUSPEND_TABLE" in t.describe()["LastFailureMessage"]
    else:
        assert "DataErrorEscalationPolicy is STOP_TASK" in t.until("failed")["LastFailureMessage"]
    assert "has had 3 data errors: DataErrorEscalationCount is reached" in t.log()


# --- truncation -----------------------------------------------------------------------------------

SMALL = {"TargetMetadata": {"LobMaxSize": 1}}


def test_logged_truncation_moves_what_fits(task, lobs, sql):
    t = task(SMALL)
    t.start()
    sql("INSERT INTO t VALUES (3,REPEAT('y',1025)),(4,REPEAT('z',1024))")
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == f"1,short\n2,{'x' * 1024}\n"
    assert t.change_text("t") == f"I,3,{'y' * 1024}\nI,4,{'z' * 1024}\n"
    log = t.log()
    assert "1 LOB values of table" in log and "1 LOB values in changes of table" in log


def test_too_long_records_may_be_ignored(task, lobs, sql):
    t = task({**SMALL, **errors(DataTruncationErrorPolicy="IGNORE_RECORD")})
    t.start()
    sql("INSERT INTO t VALUES (3,REPEAT('y',1025)),(4,REPEAT('z',1024))")
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == "1,short\n" and t.change_text("t") == f"I,4,{'z' * 1024}\n"
    assert t.statistics("t")["FullLoadErrorRows"] == 1
    assert "Column 'v': a value of 3000 bytes is longer than the limit of 1024 bytes" in t.log()


@pytest.mark.parametrize("policy, ends", [("SUSPEND_TABLE", "stopped"), ("STOP_TASK", "failed")])
def test_too_long_records_may_end_table_or_task(task, lobs, policy, ends):
    t = task({**SMALL, **errors(DataTruncationErrorPolicy=policy)}, migration="full-load")
    t.start(wait=False)
    assert f"DataTruncationErrorPolicy is {policy}" in t.until(ends)["LastFailureMessage"]
    assert t.keys("t") == []


def test_logged_truncations_escalate_too(task, lobs):
    t = task({**SMALL, **errors(DataErrorEscalationCount=1)}, migration="full-load")
    t.start(wait=False)
    t.until("stopped")
    assert state(t) == "Table error" and t.keys("t") == []


# --- tables ---------------------------------------------------------------------------------------

@pytest.fixture
def parts(sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p1 VALUES LESS THAN (10))",
        "INSERT INTO t VALUES (1)")
    return lambda n: sql(f"ALTER TABLE t ADD PARTITION (PARTITION p{n} VALUES LESS THAN ({n}0))")


def test_table_errors_stop_the_task_at_once(task, parts):
    t = task(errors(TableErrorPolicy="STOP_TASK"))
    t.start()
    parts(2)
    assert "TableErrorPolicy is STOP_TASK" in t.until("failed")["LastFailureMessage"]


def test_table_errors_escalate(task, parts):
    t = task(errors(TableErrorEscalationCount=2))
    t.start()
    parts(2)
    t.caught_up()
    assert state(t) == "Table error" and t.describe()["Status"] == "running"
    t.dms.reload_tables(ReplicationTaskArn=t.arn, TablesToReload=[{"SchemaName": t.schema, "TableName": "t"}])
    wait_until(lambda: state(t) == "Table completed", 30, "the reload")
    parts(3)
    assert "TableErrorEscalationCount 2 is reached" in t.until("failed")["LastFailureMessage"]


# --- words ----------------------------------------------------------------------------------------

def test_unknown_words_are_refused_with_the_known_ones(task, lobs):
    t = task({})
    for member, words in (
            ("DataErrorPolicy", "IGNORE_RECORD, LOG_ERROR, SUSPEND_TABLE, STOP_TASK"),
            ("DataTruncationErrorPolicy", "IGNORE_RECORD, LOG_ERROR, SUSPEND_TABLE, STOP_TASK"),
            ("DataErrorEscalationPolicy", "SUSPEND_TABLE, STOP_TASK"), ("TableErrorPolicy", "SUSPEND_TABLE, STOP_TASK"),
            ("TableErrorEscalationPolicy", "STOP_TASK"), ("EventErrorPolicy", "IGNORE, STOP_TASK"),
            ("ApplyErrorInsertPolicy", "INSERT_RECORD"), ("DataMaskingErrorPolicy", "STOP_TASK")):
        with pytest.raises(ClientError) as caught:
            t.dms.modify_replication_task(ReplicationTaskArn=t.arn, ReplicationTaskSettings=json.dumps(
                errors(**{member: "PERHAPS"})))
        assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
        message = caught.value.response["Error"]["Message"]
        assert f"ErrorBehavior.{member} must be one of: " in message and words in message
