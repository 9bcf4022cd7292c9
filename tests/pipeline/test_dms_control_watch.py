"""What can be seen of tasks and instances besides their state: logs, metrics, events; and the task
settings that steer errors and logging."""

import datetime
import json

import pytest

from tests.support.dms import Task, tasks
from tests.support.errors import refused
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)", "INSERT INTO t VALUES (1,'one'),(2,NULL)",
                    database=schema)
    def new(db=mariadb, on=server, **more):
        return Task(on, db, unique("see"), more.pop("schema", schema), **more)

    with tasks(new) as make:
        yield make


def severities(level):
    return {"LogComponents": [{"Id": i, "Severity": f"LOGGER_SEVERITY_{level}"}
                              for i in ("TASK_MANAGER", "SOURCE_CAPTURE", "TARGET_LOAD", "PERFORMANCE")]}


# --- logs -----------------------------------------------------------------------------------------

def test_no_group_without_logging(task):
    t = task(migration="full-load")
    t.start()
    t.until("stopped")
    assert t.log() is None


def test_lines_have_the_services_form(task, schema):
    t = task(migration="full-load", settings={"Logging": {"EnableLogging": True},
                                              "TargetMetadata": {"FullLobMode": True, "LobMaxSize": 0}})
    t.start()
    t.until("stopped")
    lines = wait_until(lambda: "stopped" in (t.log() or "") and t.log(), 10).splitlines()
    found = [x for x in lines if f"Loading finished for table '{schema}'.'t' (Id = 1) by subtask 1. 2 rows" in x]
    assert len(found) == 1
    stamp, rest = found[0].split(" ", 1)
    datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S")
    assert rest.startswith("[TASK_MANAGER    ]I:  Loading")
    assert any("]W:  Full LOB mode is not supported" in x for x in lines)
    assert any("]I:  Total load time for " in x and "[PERFORMANCE     ]" in x for x in lines)


def test_severities_are_honoured_and_may_change_while_running(task, mariadb, schema):
    t = task(settings={"Logging": {"EnableLogging": True, **severities("ERROR")}})
    t.start()
    assert t.log() is None
    change = dict(ReplicationTaskArn=t.arn)
    refused("InvalidResourceStateFault", t.dms.modify_replication_task, ReplicationTaskSettings=json.dumps(
        {"TargetMetadata": {"LobMaxSize": 1}}), **change)
    refused("InvalidParameterValueException", t.dms.modify_replication_task, ReplicationTaskSettings=json.dumps(
        {"Logging": severities("LOUD")}), **change)
    t.dms.modify_replication_task(ReplicationTaskSettings=json.dumps({"Logging": severities("INFO")}), **change)
    assert t.describe()["Status"] == "running"
    mariadb.execute("ALTER TABLE t ADD COLUMN n INT", database=schema)
    t.caught_up()
    text = wait_until(lambda: t.log(), 10)
    assert "was altered" in text and "Loading finished" not in text


def test_cut_values_are_told(task, mariadb, schema):
    mariadb.execute("INSERT INTO t VALUES (3,REPEAT('x',3000))", database=schema)
    t = task(migration="full-load", settings={"Logging": {"EnableLogging": True}, "TargetMetadata": {"LobMaxSize": 1}})
    t.start()
    t.until("stopped")
    assert f"3,{'x' * 1024}\n" in t.text("t", "LOAD00000001.csv")
    assert "]W:  1 LOB values of table" in t.log()


# --- metrics --------------------------------------------------------------------------------------

def test_metrics_of_a_running_task(task, mariadb, schema):
    t = task(s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    mariadb.execute("INSERT INTO t VALUES (3,'three'),(4,'four')", database=schema)
    watch = t.server.client("cloudwatch")
    now = datetime.datetime.now(datetime.timezone.utc)

    def maximum(name):
        points = watch.get_metric_statistics(
            Namespace="AWS/DMS", MetricName=name, Period=60, Statistics=["Maximum"],
            Dimensions=[{"Name": "ReplicationInstanceIdentifier", "Value": f"{t.name}-rep"},
                        {"Name": "ReplicationTaskIdentifier", "Value": t.arn.rsplit(":", 1)[1]}],
            StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=5))["Datapoints"]
        return max((p["Maximum"] for p in points), default=None)

    wait_until(lambda: maximum("CDCIncomingChanges") == 2, 15, "two changes waiting")
    assert maximum("CDCChangesMemoryTarget") == 2 and maximum("CDCChangesMemorySource") == 0
    wait_until(lambda: maximum("CDCLatencyTarget") > 0.5, 15)
    names = {m["MetricName"] for m in watch.list_metrics(Namespace="AWS/DMS")["Metrics"]}
    assert {"FullLoadThroughputRowsSource", "FullLoadThroughputRowsTarget", "CDCLatencySource",
            "CDCThroughputRowsTarget"} <= names


# --- events ---------------------------------------------------------------------------------------

def test_events_tell_the_life(task, server):
    t = task(migration="full-load")
    t.start()
    t.until("stopped")
    dms = t.dms

    def messages(kind, ident, **more):
        return [e["Message"] for e in dms.describe_events(SourceType=kind, SourceIdentifier=ident, **more)["Events"]]

    told = messages("replication-task", f"{t.name}-task")
    assert [m.split(" has ")[1].split(".")[0] for m in told] == ["been created", "started", "stopped"]
    assert "FULL_LOAD_ONLY_FINISHED" in told[2]
    assert messages("replication-task", f"{t.name}-task", EventCategories=["creation"]) == told[:1]
    assert len(messages("replication-instance", f"{t.name}-rep")) == 2
    only = dms.describe_events(Filters=[{"Name": "replication-instance-id", "Values": [f"{t.name}-rep"]}])["Events"]
    assert {e["SourceIdentifier"] for e in only} == {f"{t.name}-rep"} and only[0]["EventCategories"] == ["creation"]
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    assert messages("replication-task", f"{t.name}-task", EndTime=past) == []
    refused("InvalidParameterCombinationException", dms.describe_events, SourceIdentifier="x")
    groups = {g["SourceType"]: g["EventCategories"] for g in dms.describe_event_categories()["EventCategoryGroupList"]}
    assert "low storage" in groups["replication-instance"] and "state change" in groups["replication-task"]


def test_subscriptions_are_refused_truthfully(server):
    dms = server.client("dms", retries={"max_attempts": 0})
    assert "SNS" in refused("NotImplemented", dms.create_event_subscription, SubscriptionName="s",
                            SnsTopicArn="arn:aws:sns:us-east-1:000000000000:t")
    assert dms.describe_event_subscriptions()["EventSubscriptionsList"] == []
    refused("ResourceNotFoundFault", dms.delete_event_subscription, SubscriptionName="s")


# --- errors ---------------------------------------------------------------------------------------

def test_a_lost_source_is_tried_as_often_as_the_settings_say(fresh_mariadb, task):
    db = fresh_mariadb()
    db.execute("CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY)", "INSERT INTO s.t VALUES (1)")
    t = task(db=db, schema="s", settings={"ErrorBehavior": {"RecoverableErrorCount": 2, "RecoverableErrorInterval": 1}})
    t.start()
    db.stop()
    shown = t.until("failed")
    assert shown["StopReason"] == "Stop Reason RECOVERABLE_ERROR"
    assert shown["LastFailureMessage"].startswith("Last Error ")
    assert shown["LastFailureMessage"].endswith("Stop Reason RECOVERABLE_ERROR Error Level RECOVERABLE")
    db.start()
    db.execute("INSERT INTO s.t VALUES (2)")
    t.start("resume-processing")
    assert "LastFailureMessage" not in t.describe() and "StopReason" not in t.describe()
    t.caught_up()
    assert t.change_text("t") == "I,2\n"


def test_settings_are_checked_and_completed(task):
    t = task()
    shown = json.loads(t.describe()["ReplicationTaskSettings"])
    assert shown["ErrorBehavior"]["RecoverableErrorThrottlingMax"] == 1800 and len(shown["Logging"]["LogComponents"]) == 19
    for section, member, value in (
            ("ErrorBehavior", "EventErrorPolicy", "SHRUG"), ("ErrorBehavior", "DataTruncationErrorPolicy", "CUT"),
            ("FullLoadSettings", "MaxFullLoadSubTasks", 50), ("StreamBufferSettings", "StreamBufferCount", 0),
            ("ControlTablesSettings", "HistoryTimeslotInMinutes", 1), ("TargetMetadata", "BatchApplyEnabled", True),
            ("ControlTablesSettings", "ControlSchema", "a/b")):
        text = refused("InvalidParameterValueException", t.dms.modify_replication_task, ReplicationTaskArn=t.arn,
                       ReplicationTaskSettings=json.dumps({section: {member: value}}))
        assert member in text
