"""What a data engineer would try who knows the service: single cases that belong to no other file."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.support import dms_text
from tests.support.dms import QuickTask, mappings, selection, tasks
from tests.support.wait import wait_until

BIG = "18446744073709551615"


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda *rules, **more: QuickTask(server, mariadb, unique("acc"), schema, rules=list(rules) or None,
                                                **more)) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute(*statements, database=schema)


def transform(schema, rule, action, target="column", **more):
    locator = {"schema-name": schema, "table-name": "%", **more.pop("locator", {})}
    return {"rule-type": "transformation", "rule-id": str(rule), "rule-name": str(rule), "rule-target": target,
            "rule-action": action, "object-locator": locator, **more}


def added(schema, rule, name, expression, kind="string", **size):
    return transform(schema, rule, "add-column", value=name, expression=expression,
                     **{"data-type": {"type": kind, **size}})


def log_lines(t):
    answer = t.server.client("logs").get_log_events(
        logGroupName=f"dms-tasks-{t.name}-rep", logStreamName="dms-task-" + t.arn.rsplit(":", 1)[1], startFromHead=True)
    return [e["message"] for e in answer["events"]]


def remapped(t, *rules):
    """Stops the task and gives it other rules."""
    t.stop()
    t.dms.modify_replication_task(ReplicationTaskArn=t.arn, TableMappings=mappings(*rules))
    t.until("stopped")


def tables(t):
    shown = t.dms.describe_table_statistics(ReplicationTaskArn=t.arn)["TableStatistics"]
    return [s["TableName"] for s in shown]


# --- changed table mappings ------------------------------------------------------------------------

@pytest.fixture
def two(sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)",
        "INSERT INTO u VALUES (1)")


def test_a_table_that_is_selected_later_is_loaded_at_the_next_resume(task, schema, sql, two):
    t = task(selection(schema, "t"))
    t.start()
    sql("INSERT INTO t VALUES (2)", "INSERT INTO u VALUES (2)")
    t.caught_up()
    remapped(t, selection(schema))
    sql("INSERT INTO t VALUES (3)", "INSERT INTO u VALUES (3)", "CREATE TABLE v (id INT)", "INSERT INTO v VALUES (4)")
    t.start("resume-processing", wait=False)
    wait_until(lambda: t.loads("u") and t.statistics("u")["TableState"] == "Table completed", 20)
    sql("INSERT INTO t VALUES (5)", "DELETE FROM u WHERE id=2")
    t.caught_up()
    assert t.text("u", "LOAD00000001.csv") == "1\n2\n3\n" and t.change_text("u") == "D,2\n"
    assert t.loads("t") == ["LOAD00000001.csv"] and t.change_text("t") == "I,2\nI,3\nI,5\n"
    assert t.text("v", "LOAD00000001.csv") == "4\n" and tables(t) == ["t", "u", "v"]
    t.stop()  # once only: the next start knows them
    t.start("resume-processing", wait=False)
    sql("INSERT INTO u VALUES (6)")
    t.caught_up()
    assert t.change_text("u") == "D,2\nI,6\n"


def test_a_table_that_is_no_longer_selected_is_left_alone(task, schema, sql, two):
    t = task()
    t.start()
    sql("INSERT INTO t VALUES (2)", "INSERT INTO u VALUES (2)")
    t.caught_up()
    remapped(t, selection(schema, "u"))
    sql("INSERT INTO t VALUES (3)", "INSERT INTO u VALUES (3)")
    t.start("resume-processing", wait=False)
    t.caught_up()
    sql("ALTER TABLE t ADD n INT", "INSERT INTO t VALUES (4,4)", "TRUNCATE TABLE t", "INSERT INTO u VALUES (4)")
    t.caught_up()
    assert t.change_text("t") == "I,2\n" and t.change_text("u") == "I,2\nI,3\nI,4\n"
    assert t.loads("t") and tables(t) == ["u"]


def test_capture_alone_takes_a_new_table_from_where_it_stopped(task, schema, sql, two):
    t = task(selection(schema, "t"), migration="cdc")
    t.start()
    sql("INSERT INTO u VALUES (2)")
    t.caught_up()
    remapped(t, selection(schema))
    sql("INSERT INTO t VALUES (3)", "INSERT INTO u VALUES (3)")
    t.start("resume-processing", wait=False)
    t.caught_up()
    assert t.change_text("t") == "I,3\n" and t.change_text("u") == "I,3\n" and not t.loads("u")


def test_changed_mappings_that_select_nothing_fail(task, schema, two):
    t = task()
    t.start()
    remapped(t, selection(schema, "nothing"))
    t.start("resume-processing", wait=False)
    assert "No tables were found at task initialization" in t.until("failed")["LastFailureMessage"]
    t.dms.modify_replication_task(ReplicationTaskArn=t.arn, TableMappings=mappings(selection(schema, "u")))
    t.start("resume-processing", wait=False)
    t.until("running")
    assert tables(t) == ["u"]


def test_a_kill_does_not_forget_that_the_mappings_were_changed(fresh_server, mariadb, schema, sql, two, unique):
    t = QuickTask(fresh_server, mariadb, unique("acc"), schema, rules=[selection(schema, "t")])
    t.start()
    remapped(t, selection(schema, "u"))
    fresh_server.kill()
    fresh_server.start()
    t.start("resume-processing", wait=False)
    wait_until(lambda: t.loads("u"), 20)
    assert t.text("u", "LOAD00000001.csv") == "1\n" and tables(t) == ["u"]


# --- temporal tables -------------------------------------------------------------------------------

def test_changes_of_temporal_tables_are_refused(task, schema, sql):
    """Their log has the history as rows: what would be written is not what happened."""
    sql("CREATE TABLE old (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING", "INSERT INTO old VALUES (1,1)",
        "CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE late (id INT PRIMARY KEY)")
    t = task()
    t.start()
    assert t.statistics("old")["TableState"] == "Table error"
    text = t.describe()["LastFailureMessage"]
    assert f"{schema}.old is system-versioned" in text and "DROP SYSTEM VERSIONING" in text
    sql("INSERT INTO late VALUES (1)", "ALTER TABLE late ADD SYSTEM VERSIONING", "INSERT INTO late VALUES (2)",
        "DELETE FROM late", "INSERT INTO t VALUES (1)")
    t.caught_up()
    assert t.statistics("late")["TableState"] == "Table error" and t.change_text("late") == "I,1\n"
    assert t.change_text("t") == "I,1\n" and t.keys("old") == []
    sql("ALTER TABLE old DROP SYSTEM VERSIONING")
    t.dms.reload_tables(ReplicationTaskArn=t.arn, TablesToReload=[{"SchemaName": schema, "TableName": "old"}])
    wait_until(lambda: t.statistics("old")["TableState"] == "Table completed", 20)
    assert t.text("old", "LOAD00000001.csv") == "1,1\n"


def test_temporal_tables_can_be_loaded(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY) WITH SYSTEM VERSIONING", "INSERT INTO t VALUES (1),(2)",
        "DELETE FROM t WHERE id=1")
    t = task(migration="full-load")
    t.start(wait=False)
    t.until("stopped")
    assert t.text("t", "LOAD00000001.csv") == "2\n"


# --- expressions -----------------------------------------------------------------------------------

def test_a_copied_number_keeps_all_its_digits(task, schema, sql):
    number = "-12345678901234567890.1234567890"
    sql("CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, n DECIMAL(38,10))", f"INSERT INTO t VALUES ({BIG},{number})")
    t = task(selection(schema), added(schema, 2, "a", "$n"), added(schema, 3, "b", " $ID "),
             added(schema, 4, "c", "$n", "numeric", precision=38, scale=4), added(schema, 5, "d", "$n < 0"))
    t.start()
    sql("UPDATE t SET id=1")
    t.caught_up()
    tail = f"{number},%s,-12345678901234567890.1235,1\n"
    assert t.text("t", "LOAD00000001.csv") == f"{BIG},{number}," + tail % BIG
    assert t.change_text("t") == f"U,1,{number}," + tail % 1


# --- positions -------------------------------------------------------------------------------------

def test_a_position_before_the_first_event_is_the_beginning(task, mariadb, schema, sql):
    mariadb.root("FLUSH BINARY LOGS")
    [at] = mariadb.query("SHOW MASTER STATUS")
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(migration="cdc", CdcStartPosition=f"{at[0]}:0")
    t.start()
    t.caught_up()
    assert t.change_text("t") == "I,1\n" and t.describe()["CdcStartPosition"] == f"{at[0]}:0"


@pytest.mark.parametrize("ahead,said", [(3, "middle of event"), (10**8, "impossible position")])
def test_a_position_within_an_event_is_told(task, mariadb, sql, ahead, said):
    sql("CREATE TABLE t (id INT PRIMARY KEY)")
    [at] = mariadb.query("SHOW MASTER STATUS")
    sql("INSERT INTO t VALUES (1)")
    t = task(migration="cdc", CdcStartPosition=f"{at[0]}:{at[1] + ahead}")
    t.start(wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "error 1236" in text and said in text and ". No event begins there. Take a CdcStartPosition" in text


def test_what_can_be_done_is_a_sentence_of_its_own(task, server, mariadb):
    """The server's message of a wrong login has no full stop."""
    t = task(migration="full-load")
    t.dms.modify_endpoint(EndpointArn=t.source, Password="wrong")
    t.dms.test_connection(ReplicationInstanceArn=t.instance, EndpointArn=t.source)
    where = [{"Name": "endpoint-arn", "Values": [t.source]}]
    [failed] = wait_until(lambda: [c for c in t.dms.describe_connections(Filters=where)["Connections"]
                                   if c["Status"] == "failed"], 20)
    assert "(using password: YES). Correct Username" in failed["LastFailureMessage"]


# --- the control plane -----------------------------------------------------------------------------

def test_blanks_around_attributes_do_not_count(server, unique):
    dms, s3 = server.client("dms"), {"BucketName": "b", "ServiceAccessRoleArn": "arn:aws:iam::000000000000:role/dms"}
    made = dms.create_endpoint(
        EndpointIdentifier=unique("acc"), EndpointType="target", EngineName="s3", S3Settings=s3,
        ExtraConnectionAttributes=" timestampColumnName = at ;\n includeOpForFullLoad= true; bucketFolder = in/x")
    shown = made["Endpoint"]["S3Settings"]
    assert (shown["TimestampColumnName"], shown["IncludeOpForFullLoad"], shown["BucketFolder"]) == ("at", True, "in/x")


@pytest.mark.parametrize("code,call,arguments", [
    ("ReplicationSubnetGroupDoesNotCoverEnoughAZs", "create_replication_subnet_group", dict(
        ReplicationSubnetGroupIdentifier="one", ReplicationSubnetGroupDescription="x", SubnetIds=["subnet-1"])),
    ("ReplicationSubnetGroupDoesNotCoverEnoughAZs", "create_replication_subnet_group", dict(
        ReplicationSubnetGroupIdentifier="same", ReplicationSubnetGroupDescription="x", SubnetIds=["subnet-1"] * 2)),
    ("InvalidParameterValueException", "create_replication_instance", dict(
        ReplicationInstanceIdentifier="a" * 64, ReplicationInstanceClass="dms.t3.micro")),
])
def test_resources_that_cannot_be(server, code, call, arguments):
    with pytest.raises(ClientError) as refused:
        getattr(server.client("dms"), call)(**arguments)
    assert refused.value.response["Error"]["Code"] == code


def test_the_type_of_a_task_that_has_run_stays(task, sql):
    """Else changes between its load and its next start would be missed."""
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(migration="full-load")
    t.start(wait=False)
    t.until("stopped")
    change = lambda kind: t.dms.modify_replication_task(ReplicationTaskArn=t.arn, MigrationType=kind)
    with pytest.raises(ClientError, match="InvalidParameterValueException.*migration type of a task that has run"):
        change("full-load-and-cdc")
    assert change("full-load")["ReplicationTask"]["MigrationType"] == "full-load"


# --- names in the target ---------------------------------------------------------------------------

def test_a_renamed_schema_wins_over_the_target_schema(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(selection(schema), transform(schema, 2, "rename", "schema", value="by_rule", locator={"schema-name": schema}),
             migration="full-load", settings={"TargetMetadata": {"TargetSchema": "by_setting"}})
    t.start(wait=False)
    t.until("stopped")
    assert dms_text.objects(t.s3, t.bucket) == ["by_rule/t/LOAD00000001.csv"]


def test_tables_of_two_schemas_do_not_share_a_target_schema(task, mariadb, schema, sql):
    other = f"{schema}_2"
    try:
        sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", f"CREATE DATABASE {other}",
            f"CREATE TABLE {other}.t (id INT PRIMARY KEY)", f"INSERT INTO {other}.t VALUES (2)")
        t = task(selection(f"{schema}%"), migration="full-load",
                 settings={"TargetMetadata": {"TargetSchema": "one"}})
        t.start(wait=False)
        t.until("stopped")
        states = {s["SchemaName"]: s["TableState"] for s in t.dms.describe_table_statistics(
            ReplicationTaskArn=t.arn)["TableStatistics"]}
        assert states == {schema: "Table completed", other: "Table error"}
        assert "have the same name in the target, one.t" in t.describe()["LastFailureMessage"]
        assert t.s3.get_object(Bucket=t.bucket, Key="one/t/LOAD00000001.csv")["Body"].read() == b"1\n"
    finally:
        mariadb.execute(f"DROP DATABASE IF EXISTS {other}")


# --- reloads ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("code,names", [("InvalidParameterValueException", ["t", "t"]),
                                        ("ResourceNotFoundFault", ["t", "none"])])
def test_a_reload_that_is_refused_reloads_nothing(task, schema, sql, code, names):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task()
    t.start()
    with pytest.raises(ClientError) as refused:
        t.dms.reload_tables(ReplicationTaskArn=t.arn, TablesToReload=[
            {"SchemaName": schema, "TableName": name} for name in names])
    assert refused.value.response["Error"]["Code"] == code
    sql("INSERT INTO t VALUES (2)")
    t.caught_up()
    shown = t.statistics("t")
    assert shown["TableState"] == "Table completed" and not shown["FullLoadReloaded"] and t.change_text("t") == "I,2\n"


# --- time zones ------------------------------------------------------------------------------------

def test_rules_see_timestamps_in_the_zone_that_is_printed(task, schema, sql):
    utc = "SET time_zone='+00:00'"
    sql(utc, "CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP(3) NULL, again TIMESTAMP NULL)",
        "INSERT INTO t VALUES (1,'2020-01-01 20:00:00.5','2020-01-01 20:00:00')")
    t = task(selection(schema), added(schema, 2, "day", "date($at)"), added(schema, 3, "copy", "$at"),
             transform(schema, 4, "change-data-type", locator={"column-name": "again"},
                       **{"data-type": {"type": "string", "length": 30}}),
             transform(schema, 5, "add-before-image-columns", **{"before-image-def": {"column-prefix": "B_",
                                                                                       "column-filter": "non-lob"}}),
             source=dict(MySQLSettings={"ServerTimezone": "Asia/Tokyo"}))
    t.start()
    sql(utc, "UPDATE t SET at='2020-06-01 15:30:00', again=NULL")
    t.caught_up()
    before = "2020-01-02 05:00:00.500"
    assert t.text("t", "LOAD00000001.csv") == f"1,{before},2020-01-02 05:00:00,2020-01-02,{before},,,\n"
    now = "2020-06-02 00:30:00.000"
    assert t.change_text("t") == f"U,1,{now},,2020-06-02,{now},1,{before},2020-01-02 05:00:00\n"


# --- parallel load ---------------------------------------------------------------------------------

def ranges(schema, *boundaries, column="id"):
    return {"rule-type": "table-settings", "rule-id": "9", "rule-name": "9",
            "object-locator": {"schema-name": schema, "table-name": "t"},
            "parallel-load": {"type": "ranges", "columns": [column], "boundaries": [[b] for b in boundaries]}}


@pytest.mark.parametrize("kind,boundaries", [("INT", ["10", "9"]), ("DATE", ["2020-02-01", "2020-02-01"]),
                                             ("DECIMAL(9,2)", ["-1.5", "-2"])])
def test_ranges_that_overlap_are_refused(task, schema, sql, kind, boundaries):
    """They would load rows twice."""
    sql(f"CREATE TABLE t (id {kind} PRIMARY KEY)")
    t = task(selection(schema), ranges(schema, *boundaries), migration="full-load")
    t.start(wait=False)
    t.until("stopped", "failed")
    assert t.statistics("t")["TableState"] == "Table error"
    assert "'boundaries' must rise, and number 2 isn't above" in t.describe()["LastFailureMessage"]


def test_rows_outside_of_all_ranges_are_told(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, d DATE)", "INSERT INTO t VALUES (1,NULL),(2,'2020-01-01')")
    t = task(selection(schema), ranges(schema, "2021-01-01", column="d"), migration="full-load",
             settings={"Logging": {"EnableLogging": True}})
    t.start(wait=False)
    t.until("stopped")
    assert t.statistics("t")["FullLoadRows"] == 1
    assert any("column 'd' is NULL are in no range" in line for line in log_lines(t))


# --- documents as the service's console and other tools write them ----------------------------------

def test_members_of_other_rules_may_be_null(task, schema, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    nulls = dict.fromkeys(["rule-target", "value", "load-order", "before-image-def", "tag-set"])
    only = {**selection(schema), **nulls, "filters": []}
    only["object-locator"].update({"table-type": "table", "column-name": None})
    t = task(only, migration="full-load")
    t.start(wait=False)
    t.until("stopped")
    assert t.loads("t") == ["LOAD00000001.csv"]
    with pytest.raises(ClientError, match="A selection rule has no member 'tag-set'"):
        t.dms.modify_replication_task(ReplicationTaskArn=t.arn, TableMappings=mappings({**only, "tag-set": {}}))


def test_settings_of_newer_engines_are_taken(task):
    more = {"ChangeProcessingTuning": {"RecoveryTimeout": -1}, "ErrorBehavior": {"DataMaskingErrorPolicy": "STOP_TASK"},
            "ControlTablesSettings": {"CommitPositionTableEnabled": False},
            "ValidationSettings": {"EnableValidation": False, "ValidationS3Time": 0, "ValidationS3Mask": 0}}
    shown = json.loads(task(settings=more).describe()["ReplicationTaskSettings"])
    for section, members in more.items():
        assert members.items() <= shown[section].items()
    with pytest.raises(ClientError, match="CommitPositionTableEnabled=true is not supported"):
        task(settings={"ControlTablesSettings": {"CommitPositionTableEnabled": True}})


def test_a_dropped_table_is_told_and_its_objects_stay(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(settings={"Logging": {"EnableLogging": True}})
    t.start()
    sql("DROP TABLE t")
    t.caught_up()
    t.stop()
    assert t.loads("t") and t.statistics("t")["TableState"] == "Table completed"
    assert any("Cannot drop table 't'. DROP TABLE is not currently supported" in line for line in log_lines(t))
