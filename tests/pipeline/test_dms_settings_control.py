"""Control tables, the sizes of task logs, and the metrics of instances."""

import csv
import datetime
import io
import time

import pytest
from botocore.exceptions import ClientError

from tests.support.dms import QuickTask, selection, tasks
from tests.support.wait import wait_until

STATUS = ["SERVER_NAME", "TASK_NAME", "TASK_STATUS", "STATUS_TIME", "PENDING_CHANGES", "DISK_SWAP_SIZE", "TASK_MEMORY",
          "SOURCE_CURRENT_POSITION", "SOURCE_CURRENT_TIMESTAMP", "SOURCE_TAIL_POSITION", "SOURCE_TAIL_TIMESTAMP",
          "SOURCE_TIMESTAMP_APPLIED"]
HISTORY = ["SERVER_NAME", "TASK_NAME", "TIMESLOT_TYPE", "TIMESLOT", "TIMESLOT_DURATION", "TIMESLOT_LATENCY", "RECORDS",
           "TIMESLOT_VOLUME"]
SUSPENDED = ["SERVER_NAME", "TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "SUSPEND_REASON", "SUSPEND_TIMESTAMP"]


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute(*statements, database=schema)


@pytest.fixture
def task(server, mariadb, schema, unique, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p1 VALUES LESS THAN (10))",
        "INSERT INTO t VALUES (1),(2)")
    def new(control, **more):
        settings = {"ControlTablesSettings": control, **more.pop("settings", {})}
        return QuickTask(server, mariadb, unique("ctl"), schema, settings=settings, rules=[selection(schema)], **more)

    with tasks(new) as make:
        yield make


def rows_of(t, table, folder="dmslogs/"):
    """Rows of all files of a control table, in order."""
    prefix = f"{folder}{table}/"
    keys = [o["Key"] for o in t.s3.list_objects_v2(Bucket=t.bucket, Prefix=prefix).get("Contents", [])]
    texts = [t.s3.get_object(Bucket=t.bucket, Key=k)["Body"].read().decode() for k in sorted(keys)]
    assert all(k[len(prefix):][8] == "-" and k.endswith(".csv") for k in keys), keys
    return [row for text in texts for row in csv.DictReader(io.StringIO(text))]


def test_status_and_history(task, sql):
    t = task({"StatusTableEnabled": True, "HistoryTableEnabled": True}, s3={"AddColumnName": True})
    t.start()
    sql("INSERT INTO t VALUES (3)", "DELETE FROM t WHERE id=1")
    t.caught_up()
    t.stop()
    status = rows_of(t, "awsdms_status")
    assert list(status[0]) == ["Op", *STATUS]
    assert [(r["Op"], r["TASK_STATUS"]) for r in status if r["TASK_STATUS"] != "CHANGE PROCESSING" or r["Op"] == "I"] == [
        ("I", "FULL LOAD"), ("U", "NOT RUNNING")]
    assert "CHANGE PROCESSING" in [r["TASK_STATUS"] for r in status]
    last = status[-1]
    assert last["SERVER_NAME"] == f"{t.name}-rep" and last["TASK_NAME"] == t.arn.rsplit(":", 1)[1]
    assert last["PENDING_CHANGES"] == "0" and last["TASK_MEMORY"] == ""
    assert last["SOURCE_CURRENT_POSITION"] == last["SOURCE_TAIL_POSITION"] and ":" in last["SOURCE_TAIL_POSITION"]
    told = datetime.datetime.strptime(last["STATUS_TIME"], "%Y-%m-%d %H:%M:%S")
    assert abs((datetime.datetime.utcnow() - told).total_seconds()) < 60
    history = rows_of(t, "awsdms_history")
    assert list(history[0]) == ["Op", *HISTORY] and {r["Op"] for r in history} == {"I"}
    loads = [r for r in history if r["TIMESLOT_TYPE"] == "FULL LOAD"]
    assert sum(int(r["RECORDS"]) for r in loads) == 2 and loads[0]["TIMESLOT_LATENCY"] == ""
    changes = [r for r in history if r["TIMESLOT_TYPE"] == "CHANGE PROCESSING"]
    assert sum(int(r["RECORDS"]) for r in changes) == 2 and all(1 <= int(r["TIMESLOT_DURATION"]) <= 5 for r in changes)
    count = len(status)
    t.start("resume-processing")
    wait_until(lambda: len(rows_of(t, "awsdms_status")) > count, 10)
    assert rows_of(t, "awsdms_status")[count]["TASK_STATUS"] == "CHANGE PROCESSING"


def test_a_slot_of_the_history_ends_by_itself(task):
    t = task({"HistoryTableEnabled": True, "HistoryTimeslotInMinutes": 5}, s3={"AddColumnName": True})
    t.start()
    # five minutes of the server's clock are five seconds
    wait_until(lambda: [r for r in rows_of(t, "awsdms_history") if r["TIMESLOT_DURATION"] == "5"
                        and r["TIMESLOT_TYPE"] == "CHANGE PROCESSING"], 20, "a full slot")


def test_suspended_tables_come_and_go(task, sql):
    t = task({"SuspendedTablesTableEnabled": True, "ControlSchema": "ctl"},
             s3={"AddColumnName": True, "BucketFolder": "deep"})
    t.start()
    assert rows_of(t, "awsdms_suspended_tables", "deep/ctl/") == []
    sql("ALTER TABLE t ADD PARTITION (PARTITION p2 VALUES LESS THAN (20))")
    [row] = wait_until(lambda: rows_of(t, "awsdms_suspended_tables", "deep/ctl/"), 10)
    assert list(row) == ["Op", *SUSPENDED]
    assert (row["Op"], row["TABLE_OWNER"], row["TABLE_NAME"]) == ("I", t.schema, "t") and "partitions" in row["SUSPEND_REASON"]
    t.dms.reload_tables(ReplicationTaskArn=t.arn, TablesToReload=[{"SchemaName": t.schema, "TableName": "t"}])
    wait_until(lambda: [r["Op"] for r in rows_of(t, "awsdms_suspended_tables", "deep/ctl/")] == ["I", "D"], 20)
    assert t.s3.list_objects_v2(Bucket=t.bucket, Prefix="deep/ctl/awsdms_status")["KeyCount"] == 0


def test_control_tables_have_the_endpoints_format(task):
    parquet = pytest.importorskip("pyarrow.parquet")
    t = task({"StatusTableEnabled": True}, s3={"DataFormat": "parquet"})
    t.start()
    found = wait_until(lambda: t.s3.list_objects_v2(Bucket=t.bucket, Prefix="dmslogs/awsdms_status/").get("Contents"), 10)
    body = t.s3.get_object(Bucket=t.bucket, Key=found[0]["Key"])["Body"].read()
    rows = parquet.read_table(io.BytesIO(body)).to_pylist()
    assert list(rows[0]) == ["Op", *STATUS] and rows[0]["PENDING_CHANGES"] == 0 and rows[0]["TASK_STATUS"] == "FULL LOAD"


def test_loads_alone_have_no_control_tables(task):
    t = task({"StatusTableEnabled": True, "HistoryTableEnabled": True}, migration="full-load")
    t.start(wait=False)
    t.until("stopped")
    assert t.s3.list_objects_v2(Bucket=t.bucket, Prefix="dmslogs/")["KeyCount"] == 0
    with pytest.raises(ClientError) as caught:
        task({"FullLoadExceptionTableEnabled": True})
    assert "FullLoadExceptionTableEnabled" in caught.value.response["Error"]["Message"]


# --- logs and metrics -----------------------------------------------------------------------------

def test_sizes_of_task_logs(task, unique):
    t = task({}, settings={"Logging": {"EnableLogging": True}}, migration="full-load")
    ask = lambda **more: t.dms.describe_replication_instance_task_logs(ReplicationInstanceArn=t.instance, **more)
    assert ask()["ReplicationInstanceTaskLogs"] == [] and ask()["ReplicationInstanceArn"] == t.instance
    t.start(wait=False)
    t.until("stopped")
    name = "dms-task-" + t.arn.rsplit(":", 1)[1]

    def size():
        events = t.server.client("logs").get_log_events(logGroupName=f"dms-tasks-{t.name}-rep", logStreamName=name,
                                                        startFromHead=True)["events"]
        return sum(len(e["message"].encode()) + 26 for e in events)

    wait_until(lambda: [x["ReplicationInstanceTaskLogSize"] for x in ask()["ReplicationInstanceTaskLogs"]] == [size()], 10)
    [shown] = ask()["ReplicationInstanceTaskLogs"]
    assert shown["ReplicationTaskName"] == f"{t.name}-task" and shown["ReplicationTaskArn"] == t.arn
    with pytest.raises(t.dms.exceptions.ResourceNotFoundFault):
        t.dms.describe_replication_instance_task_logs(ReplicationInstanceArn=t.instance + "X")


def test_no_maintenance_is_ever_pending(task):
    t = task({})
    assert t.dms.describe_pending_maintenance_actions(ReplicationInstanceArn=t.instance)["PendingMaintenanceActions"] == []
    for arn, words in ((t.instance, "No maintenance action 'os-upgrade' is pending"), (t.instance + "X", "could not be found")):
        with pytest.raises(t.dms.exceptions.ResourceNotFoundFault) as caught:
            t.dms.apply_pending_maintenance_action(ReplicationInstanceArn=arn, ApplyAction="os-upgrade", OptInType="immediate")
        assert words in str(caught.value)


def test_metrics_of_instance_and_bandwidth(task, sql):
    t = task({})
    t.start()
    watch = t.server.client("cloudwatch")
    instance = {"Name": "ReplicationInstanceIdentifier", "Value": f"{t.name}-rep"}
    id = {"Name": "ReplicationTaskIdentifier", "Value": t.arn.rsplit(":", 1)[1]}

    def values(name, *dimensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        points = watch.get_metric_statistics(
            Namespace="AWS/DMS", MetricName=name, Period=60, Statistics=["Maximum", "Minimum"], Dimensions=[*dimensions],
            StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=5))["Datapoints"]
        return max((p["Maximum"] for p in points), default=None), points and points[0]["Unit"]

    for name, unit, most in (("CPUUtilization", "Percent", 100), ("FreeableMemory", "Bytes", 1e15),
                             ("FreeStorageSpace", "Bytes", 1e18), ("SwapUsage", "Bytes", 1e15),
                             ("WriteThroughput", "Bytes/Second", 1e12)):
        value, shown = wait_until(lambda: values(name, instance) if values(name, instance)[1] else None, 15, name)
        assert 0 <= value <= most and shown == unit, (name, value, shown)
    assert values("FreeStorageSpace", instance)[0] > 1e6
    end = time.monotonic() + 20
    for name in ("CDCThroughputBandwidthSource", "CDCThroughputBandwidthTarget"):
        key = 100
        while not (values(name, instance, id)[0] or 0) > 0:
            assert time.monotonic() < end, name
            key += 1
            sql(f"REPLACE INTO t VALUES ({key % 10})")
            t.caught_up()
        assert values(name, instance, id)[1] == "Kilobytes/Second"
    listed = {m["MetricName"] for m in watch.list_metrics(Namespace="AWS/DMS", Dimensions=[instance])["Metrics"]}
    assert "ReadIOPS" not in listed and "FullLoadThroughputBandwidthSource" in listed
