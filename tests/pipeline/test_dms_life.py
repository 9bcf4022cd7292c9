"""Tasks' lives: waiters, stop and resume, restarts of either side, statements that change tables,
and what is refused or fails, with a reason."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from tests.support.dms import Task, mappings, selection, tasks
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda db=mariadb, on=server, **more: Task(on, db, unique("dms"), schema, **more)) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute(*statements, database=schema)


@pytest.fixture
def table(sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO t VALUES (1,'one'),(2,NULL)")


def fails(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


def test_states_are_seen_once(server, mariadb, schema, table, unique):
    """create → ready → running → stopped → deleted, as boto3's waiters look for them."""
    t = Task(server, mariadb, unique("dms"), schema, migration="full-load")
    dms = t.dms
    t.wait("ready", tries=1)
    t.start()
    assert t.describe()["Status"] in ("running", "stopped")
    t.wait("stopped")
    assert t.describe()["StopReason"] == "Stop Reason FULL_LOAD_ONLY_FINISHED"
    fails("InvalidResourceStateFault", dms.stop_replication_task, ReplicationTaskArn=t.arn)
    fails("InvalidResourceStateFault", dms.delete_endpoint, EndpointArn=t.source)
    fails("InvalidResourceStateFault", dms.delete_replication_instance, ReplicationInstanceArn=t.instance)
    answer = dms.delete_replication_task(ReplicationTaskArn=t.arn)["ReplicationTask"]
    assert answer["Status"] == "deleting"
    t.wait("deleted", tries=1)
    for arn in (t.source, t.target):
        assert dms.delete_endpoint(EndpointArn=arn)["Endpoint"]["Status"] == "deleting"
    dms.get_waiter("endpoint_deleted").wait(
        Filters=[{"Name": "endpoint-arn", "Values": [t.source]}], WaiterConfig={"MaxAttempts": 1})
    assert dms.delete_replication_instance(
        ReplicationInstanceArn=t.instance)["ReplicationInstance"]["ReplicationInstanceStatus"] == "deleting"
    dms.get_waiter("replication_instance_deleted").wait(
        Filters=[{"Name": "replication-instance-arn", "Values": [t.instance]}], WaiterConfig={"MaxAttempts": 1})


def test_running_is_shown_even_when_the_load_was_quicker(task, table):
    t = task(migration="full-load")
    t.start(wait=False)
    wait_until(lambda: t.keys("t"), 20)
    time.sleep(0.3)
    assert t.describe()["Status"] == "running"
    t.wait("stopped")


def test_only_idle_tasks_can_be_changed(task, table):
    t = task()
    t.start()
    arn = dict(ReplicationTaskArn=t.arn)
    fails("InvalidResourceStateFault", t.dms.delete_replication_task, **arn)
    fails("InvalidResourceStateFault", t.dms.modify_replication_task, MigrationType="cdc", **arn)
    fails("InvalidResourceStateFault", t.dms.start_replication_task,
          StartReplicationTaskType="resume-processing", **arn)
    t.stop()
    assert t.describe()["StopReason"] == "Stop Reason NORMAL"
    fails("InvalidParameterCombinationException", t.dms.modify_replication_task, **arn)
    changed = t.dms.modify_replication_task(
        ReplicationTaskSettings=json.dumps({"Logging": {"EnableLogging": True}}), **arn)["ReplicationTask"]
    assert changed["Status"] == "modifying"
    assert json.loads(t.describe()["ReplicationTaskSettings"])["Logging"]["EnableLogging"] is True
    assert t.describe()["Status"] == "stopped"


def test_stop_flushes_and_resume_goes_on(task, table, sql):
    t = task(s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO t VALUES (3,'three')")
    wait_until(lambda: t.statistics("t")["Inserts"] == 1, 10)
    assert t.changes("t") == []
    t.stop()
    assert t.change_text("t") == "I,3,three\n"
    sql("UPDATE t SET v='while stopped' WHERE id=3")
    t.start("resume-processing")
    sql("DELETE FROM t WHERE id=1")
    t.caught_up()
    assert t.change_text("t") == "I,3,three\nU,3,while stopped\nD,1,one\n"
    t.assert_equal("t")


def test_reload_starts_from_nothing(task, table, sql):
    t = task()
    t.start()
    sql("INSERT INTO t VALUES (3,'three')")
    t.caught_up()
    assert t.changes("t")
    t.stop()
    t.start("reload-target")
    wait_until(lambda: t.statistics("t")["TableState"] == "Table completed", 20)
    assert t.keys("t") == ["LOAD00000001.csv"]
    assert t.text("t", "LOAD00000001.csv") == "1,one\n2,\n3,three\n"
    assert t.statistics("t")["Inserts"] == 0


def test_do_nothing_keeps_old_objects(task, table):
    t = task(migration="full-load", settings={"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}})
    t.s3.put_object(Bucket=t.bucket, Key=t.prefix("t") + "20200101-000000000.csv", Body=b"D,9,x\n")
    t.start()
    t.until("stopped")
    assert t.keys("t") == ["20200101-000000000.csv", "LOAD00000001.csv"]


def test_cdc_only_begins_now_or_at_a_place(task, table, sql, mariadb):
    [row] = mariadb.query("SHOW MASTER STATUS")
    sql("INSERT INTO t VALUES (3,'before')")
    now = task(migration="cdc")
    now.start()
    there = task(migration="cdc", CdcStartPosition=f"{row[0]}:{row[1]}")
    there.start()
    sql("INSERT INTO t VALUES (4,'after')")
    now.caught_up()
    assert now.change_text("t") == "I,4,after\n" and now.loads("t") == []
    assert there.change_text("t") == "I,3,before\nI,4,after\n"
    assert there.describe()["CdcStartPosition"] == f"{row[0]}:{row[1]}"


def test_stop_position_and_cached_changes(task, table, sql):
    settings = {"FullLoadSettings": {"StopTaskCachedChangesNotApplied": True}}
    t = task(settings=settings)
    t.start()
    assert t.until("stopped")["StopReason"] == "Stop Reason STOPPED_AFTER_FULL_LOAD"
    sql("INSERT INTO t VALUES (3,'later')")
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "I,3,later\n"
    u = task(settings={"FullLoadSettings": {"StopTaskCachedChangesApplied": True}})
    u.start()
    assert u.until("stopped")["StopReason"] == "Stop Reason STOPPED_AFTER_CACHED_EVENTS"


def test_truncate_empties_the_folder(task, table, sql):
    t = task()
    t.start()
    sql("INSERT INTO t VALUES (3,'three')")
    t.caught_up()
    sql("TRUNCATE TABLE t", "INSERT INTO t VALUES (9,'nine')")
    t.caught_up()
    assert t.loads("t") == [] and t.change_text("t") == "I,9,nine\n"
    assert t.statistics("t")["Ddls"] == 1


def test_truncate_can_be_ignored(task, table, sql):
    t = task(settings={"ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": False}})
    t.start()
    sql("TRUNCATE TABLE t", "INSERT INTO t VALUES (9,'nine')")
    t.caught_up()
    assert t.loads("t") == ["LOAD00000001.csv"] and t.change_text("t") == "I,9,nine\n"


def test_columns_come_and_go(task, table, sql):
    t = task(s3=dict(AddColumnName=True))
    t.start()
    sql("INSERT INTO t VALUES (3,'a')")
    t.caught_up()
    sql("ALTER TABLE t ADD COLUMN n INT DEFAULT 5")
    t.caught_up()
    sql("INSERT INTO t VALUES (4,'b',6)")
    t.caught_up()
    sql("ALTER TABLE t DROP COLUMN v")
    t.caught_up()
    sql("INSERT INTO t VALUES (5,7)")
    t.caught_up()
    texts = [t.text("t", k) for k in t.changes("t")]
    assert texts == ["Op,id,v\nI,3,a\n", "Op,id,v,n\nI,4,b,6\n", "Op,id,n\nI,5,7\n"]
    assert t.statistics("t")["Ddls"] == 2


def test_new_columns_come_last_wherever_they_are(fresh_server, mariadb, schema, table, sql, unique):
    t = Task(fresh_server, mariadb, unique("dms"), schema, s3=dict(AddColumnName=True))
    t.start()
    sql("ALTER TABLE t ADD COLUMN n INT DEFAULT 5 FIRST")
    t.caught_up()
    sql("INSERT INTO t(id,v) VALUES (4,'b')")
    t.caught_up()
    fresh_server.kill()
    fresh_server.start()
    sql("INSERT INTO t(id,v) VALUES (5,'c')")
    t.caught_up()
    assert [t.text("t", k) for k in t.changes("t")] == ["Op,id,v,n\nI,4,b,5\n", "Op,id,v,n\nI,5,c,5\n"]


def test_rows_that_no_description_fits_stop_their_table(task, table, sql):
    """A change of columns that the source was told not to log."""
    sql("CREATE TABLE u (id INT PRIMARY KEY)")
    t = task()
    t.start()
    sql("SET sql_log_bin=0", "ALTER TABLE t ADD COLUMN n INT", "SET sql_log_bin=1", "INSERT INTO t VALUES (3,'x',1)",
        "INSERT INTO u VALUES (1)")
    t.caught_up()
    assert t.statistics("t")["TableState"] == "Table error" and t.changes("t") == []
    assert t.change_text("u") == "I,1\n"
    shown = t.describe()
    assert shown["Status"] == "running" and f"{t.schema}.t" in shown["LastFailureMessage"]
    assert shown["ReplicationTaskStats"]["TablesErrored"] == 1


def test_columns_are_those_of_the_rows_place_in_the_log(task, table, sql):
    """The second and third change of columns are made before the rows between them are read."""
    t = task(s3=dict(AddColumnName=True))
    t.start()
    t.stop()
    sql("ALTER TABLE t ADD COLUMN n INT UNSIGNED", "INSERT INTO t VALUES (3,'x',4294967295)",
        "ALTER TABLE t DROP COLUMN v, DROP COLUMN n", "INSERT INTO t VALUES (4)",
        "CREATE TABLE u (id INT PRIMARY KEY, w VARCHAR(9) CHARACTER SET latin1)", "INSERT INTO u VALUES (1,'ä')",
        "CREATE TABLE l LIKE u", "RENAME TABLE u TO r", "INSERT INTO r VALUES (2,'ö')",
        "ALTER TABLE r MODIFY w VARCHAR(9) CHARACTER SET utf8mb4, CHANGE id k BIGINT FIRST, RENAME TO r2",
        "INSERT INTO r2 VALUES (3,'€')", "DROP TABLE r2", "INSERT INTO l VALUES (1,'ß')", "ALTER TABLE l ADD x INT FIRST")
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "Op,id,v,n\nI,3,x,4294967295\nOp,id\nI,4\n"
    assert t.change_text("u") == "Op,id,w\nI,1,ä\n" and t.change_text("r") == "Op,id,w\nI,2,ö\n"
    assert t.change_text("r2") == "Op,k,w\nI,3,€\n" and t.change_text("l") == "Op,id,w\nI,1,ß\n"


def test_tables_appear_and_vanish(task, table, sql):
    t = task()
    t.start()
    sql("CREATE TABLE fresh (id INT PRIMARY KEY)", "INSERT INTO fresh VALUES (1)", "DROP TABLE t")
    t.caught_up()
    assert t.change_text("fresh") == "I,1\n" and t.statistics("fresh")["Ddls"] == 1
    assert t.keys("t") == ["LOAD00000001.csv"]


def test_selection(task, table, sql):
    sql("CREATE TABLE t_2 AS SELECT * FROM t", "CREATE TABLE other AS SELECT * FROM t")
    t = task(migration="full-load", rules=[
        selection("%", "t%", rule=1), selection("%", "t[_]%", "exclude", rule=2)])
    t.start()
    t.until("stopped")
    assert t.keys("t") and not t.keys("t_2") and not t.keys("other")


def test_source_restarts_while_running(fresh_mariadb, server, unique):
    db = fresh_mariadb()
    db.execute("CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY)", "INSERT INTO s.t VALUES (1)")
    t = Task(server, db, unique("dms"), "s")
    t.start()
    db.execute("INSERT INTO s.t VALUES (2)")
    t.caught_up()
    db.stop()
    time.sleep(0.3)
    assert t.describe()["Status"] == "running"
    db.start()
    db.execute("INSERT INTO s.t VALUES (3)")
    t.caught_up()
    assert t.change_text("t") == "I,2\nI,3\n"
    t.delete()


def test_server_restart_resumes(fresh_server, mariadb, schema, table, sql, unique):
    t = Task(fresh_server, mariadb, unique("dms"), schema, s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO t VALUES (3,'x')")
    wait_until(lambda: t.statistics("t")["Inserts"] == 1, 10)
    fresh_server.restart()
    sql("INSERT INTO t VALUES (4,'y')")
    t.caught_up()
    assert t.describe()["Status"] == "running"
    assert t.change_text("t") == "I,3,x\nI,4,y\n"


# --- refused or failed, with a reason ---------------------------------------------------------------

def connect(server, unique, source, engine="mariadb"):
    dms = server.client("dms")
    name = unique("conn")
    rep = dms.create_replication_instance(
        ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.micro",
    )["ReplicationInstance"]["ReplicationInstanceArn"]
    arn = dms.create_endpoint(EndpointIdentifier=name, EngineName=engine, **source)["Endpoint"]["EndpointArn"]
    assert dms.test_connection(ReplicationInstanceArn=rep, EndpointArn=arn)["Connection"]["Status"] == "testing"

    def tested():
        shown = dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [arn]}])["Connections"][0]
        return shown if shown["Status"] != "testing" else None

    return wait_until(tested, 20)


def test_connections_that_fail_say_why(server, mariadb, unique):
    login = dict(EndpointType="source", ServerName="127.0.0.1", Port=mariadb.port, Username=mariadb.user)
    wrong = connect(server, unique, dict(login, Password="wrong"))
    assert wrong["Status"] == "failed"
    assert wrong["LastFailureMessage"].startswith("Test Endpoint failed: Application-Status: 1020912, ")
    assert "NativeError: 1045" in wrong["LastFailureMessage"]
    nobody = connect(server, unique, dict(login, Port=1, Password="x"))
    assert nobody["Status"] == "failed" and "Network error has occurred" in nobody["LastFailureMessage"]
    none = connect(server, unique, dict(EndpointType="target", S3Settings={
        "BucketName": "no-such-bucket-here", "ServiceAccessRoleArn": "arn:aws:iam::000000000000:role/r"}), "s3")
    assert none["Status"] == "failed" and "no-such-bucket-here" in none["LastFailureMessage"]


def test_start_needs_tested_connections(task, table, server):
    t = task()
    t.dms.delete_connection(EndpointArn=t.source, ReplicationInstanceArn=t.instance)
    text = fails("InvalidResourceStateFault", t.dms.start_replication_task,
                 ReplicationTaskArn=t.arn, StartReplicationTaskType="start-replication")
    assert "TestConnection" in text
    fails("InvalidResourceStateFault", t.dms.start_replication_task,
          ReplicationTaskArn=t.arn, StartReplicationTaskType="resume-processing")


@pytest.mark.parametrize("options,binlog,words", [
    ([], False, "binary log"),
    (["--binlog-format=STATEMENT"], True, "binlog_format"),
])
def test_capture_needs_a_row_binlog(fresh_mariadb, server, unique, options, binlog, words):
    db = fresh_mariadb(*options, binlog=binlog)
    db.execute("CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY)", "INSERT INTO s.t VALUES (1)")
    t = Task(server, db, unique("dms"), "s")
    t.start(wait=False)
    shown = t.until("failed")
    assert words in shown["LastFailureMessage"].lower() and shown["StopReason"] == "Stop Reason FATAL_ERROR"
    full = Task(server, db, unique("dms"), "s", migration="full-load")
    full.start()
    full.until("stopped")
    assert full.text("t", "LOAD00000001.csv") == "1\n"
    t.delete(), full.delete()


def test_privileges_that_are_missing(mariadb, server, unique, schema, table):
    user = unique("u").replace("-", "_")
    mariadb.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw'", f"GRANT SELECT ON {schema}.* TO {user}@'%'")
    login = dict(Username=user, Password="pw")
    t = Task(server, mariadb, unique("dms"), schema, source=login)
    t.start(wait=False)
    assert "REPLICATION SLAVE" in t.until("failed")["LastFailureMessage"].upper()
    full = Task(server, mariadb, unique("dms"), schema, migration="full-load", source=login)
    full.start()
    full.until("stopped")
    assert full.text("t", "LOAD00000001.csv") == "1,one\n2,\n"
    t.delete(), full.delete()


def test_tables_hidden_by_missing_select(mariadb, server, unique, schema, table):
    user = unique("u").replace("-", "_")
    mariadb.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw'",
                    f"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {user}@'%'")
    t = Task(server, mariadb, unique("dms"), schema, source=dict(Username=user, Password="pw"))
    t.start(wait=False)
    reason = t.until("failed")["LastFailureMessage"]
    assert "No tables were found" in reason and "SELECT" in reason
    t.delete()


def test_no_table_matches(task, table):
    t = task(rules=[selection("no such schema")])
    t.start(wait=False)
    assert "No tables were found" in t.until("failed")["LastFailureMessage"]


def test_purged_binlog(fresh_mariadb, server, unique):
    db = fresh_mariadb()
    db.execute("CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY)", "INSERT INTO s.t VALUES (1)")
    t = Task(server, db, unique("dms"), "s")
    t.start()
    t.caught_up()
    t.stop()
    db.root("INSERT INTO s.t VALUES (2)", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
    [last] = db.query("SHOW MASTER STATUS")

    def purged():  # a file is kept while the server still believes that somebody reads it
        db.root(f"PURGE BINARY LOGS TO '{last[0]}'")
        return db.query("SHOW BINARY LOGS")[0][0] == last[0]

    wait_until(purged, 20)
    t.start("resume-processing", wait=False)
    assert "reload-target" in t.until("failed")["LastFailureMessage"]
    t.start("reload-target")
    wait_until(lambda: t.loads("t"), 20)
    t.assert_equal("t")
    t.delete()


def test_bucket_vanishes(task, table, sql):
    t = task()
    t.start()
    t.caught_up()
    for key in t.keys("t"):
        t.s3.delete_object(Bucket=t.bucket, Key=t.prefix("t") + key)
    t.s3.delete_bucket(Bucket=t.bucket)
    sql("INSERT INTO t VALUES (3,'x')")
    assert t.bucket in t.until("failed")["LastFailureMessage"]
    t.s3.create_bucket(Bucket=t.bucket)
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "I,3,x\n"


def test_mappings_and_settings_are_checked(task, table, server, unique):
    t = task()
    create = dict(ReplicationTaskIdentifier=unique("x"), SourceEndpointArn=t.source, TargetEndpointArn=t.target,
                  ReplicationInstanceArn=t.instance, MigrationType="cdc")
    call = t.dms.create_replication_task

    def refused(text, **more):
        found = fails("InvalidParameterValueException", call, **dict(
            create, TableMappings=mappings(selection("%")), **more) if "TableMappings" not in more
            else dict(create, **more))
        assert text in found, found

    refused("not valid JSON", TableMappings="{")
    refused("ruleId = 1", TableMappings=mappings(selection("%"), selection("%")))
    refused("not implemented", TableMappings=mappings(selection("%"), {
        "rule-type": "post-processing", "rule-id": "2", "rule-name": "2", "rule-action": "add-tag",
        "object-locator": {"schema-name": "%", "table-name": "t"}}))
    refused("FullLoadSettings.Nonsense", ReplicationTaskSettings='{"FullLoadSettings":{"Nonsense":1}}')
    refused("EnableValidation", ReplicationTaskSettings='{"ValidationSettings":{"EnableValidation":true}}')
    refused("CloudWatchLogGroup", ReplicationTaskSettings='{"Logging":{"CloudWatchLogGroup":"x"}}')
    refused("CdcStartPosition", CdcStartPosition="yesterday")
    fails("ResourceNotFoundFault", t.dms.describe_replication_tasks,
          Filters=[{"Name": "replication-task-id", "Values": ["none-such"]}])
    fails("InvalidParameterValueException", t.dms.describe_replication_tasks,
          Filters=[{"Name": "colour", "Values": ["red"]}])


def test_endpoints_are_checked(server, unique):
    dms = server.client("dms")

    def target(**s3):
        return dict(EndpointIdentifier=unique("e"), EndpointType="target", EngineName="s3",
                    S3Settings={"BucketName": "b", "ServiceAccessRoleArn": "arn:aws:iam::000000000000:role/r", **s3})

    for settings in (dict(EncryptionMode="sse-kms"), dict(PreserveTransactions=True),
                     dict(DatePartitionTimezone="no/where"), dict(MaxFileSize=0), dict(CsvDelimiter="")):
        fails("InvalidParameterValueException", dms.create_endpoint, **target(**settings))
    for role in ("", "r", "arn:aws:iam::000000000000:user/r", "arn:aws:s3:::bucket"):
        text = fails("InvalidParameterValueException", dms.create_endpoint, **target(ServiceAccessRoleArn=role))
        assert "ServiceAccessRoleArn" in text
    fails("InvalidParameterCombinationException", dms.create_endpoint,
          **target(CdcInsertsOnly=True, CdcInsertsAndUpdates=True))
    fails("InvalidParameterValueException", dms.create_endpoint, EndpointIdentifier=unique("e"),
          EndpointType="source", EngineName="oracle", ServerName="h", Username="u", Password="p")
    made = dms.create_endpoint(**target())["Endpoint"]
    assert made["EndpointType"] == "TARGET" and made["Status"] == "active"
    s3 = made["S3Settings"]
    assert (s3["CsvRowDelimiter"], s3["CsvDelimiter"], s3["CompressionType"]) == ("\\n", ",", "NONE")
    assert s3["EnableStatistics"] is True and s3["DatePartitionEnabled"] is False
    source = dms.create_endpoint(EndpointIdentifier=unique("e"), EndpointType="source", EngineName="mysql",
                                 MySQLSettings=dict(ServerName="h", Port=3306, Username="u", Password="p"))["Endpoint"]
    assert source["ServerName"] == "h" and "Password" not in source["MySQLSettings"]


def test_log_of_a_task(task, table, server):
    t = task(migration="full-load", settings={"Logging": {"EnableLogging": True}})
    t.start()
    t.until("stopped")
    logging = json.loads(t.describe()["ReplicationTaskSettings"])["Logging"]
    group, stream = logging["CloudWatchLogGroup"], logging["CloudWatchLogStream"]
    assert group == f"dms-tasks-{t.name}-rep" and stream == "dms-task-" + t.arn.rsplit(":", 1)[1]
    events = server.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    text = "\n".join(e["message"] for e in events)
    assert f"Loading finished for table '{t.schema}'.'t'" in text and "2 rows affected." in text


def test_tags(task, table):
    t = task(Tags=[{"Key": "a", "Value": "1"}])
    t.dms.add_tags_to_resource(ResourceArn=t.arn, Tags=[{"Key": "b", "Value": "2"}])
    t.dms.remove_tags_from_resource(ResourceArn=t.arn, TagKeys=["a"])
    assert t.dms.list_tags_for_resource(ResourceArn=t.arn)["TagList"] == [{"Key": "b", "Value": "2"}]
    fails("ResourceNotFoundFault", t.dms.list_tags_for_resource, ResourceArn="arn:aws:dms:us-east-1:0:task:X")
