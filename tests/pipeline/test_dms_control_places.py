"""Where change capture begins and ends: times, native positions, checkpoints, stop positions."""

import datetime
import time

import pytest

from tests.support.dms import Task, tasks
from tests.support.errors import refused
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", database=schema)
    def new(migration="cdc", **more):
        return Task(server, mariadb, unique("pos"), schema, migration=migration, **more)

    with tasks(new) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute(*statements, database=schema)


def second():
    """A whole second that lies between what was committed before and after the call."""
    time.sleep(1.1)  # binlog stamps have whole seconds: nothing else to wait for
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    time.sleep(1.1)
    return now


def test_times_as_start(task, sql):
    sql("INSERT INTO t VALUES (1)")
    then = second()
    sql("INSERT INTO t VALUES (2)")
    as_text = task(CdcStartPosition=then.strftime("%Y-%m-%dT%H:%M:%S"))
    as_time = task(CdcStartTime=then)
    for t in (as_text, as_time):
        t.start()
        t.caught_up()
        assert t.change_text("t") == "I,2\n"
    as_time.stop()
    refused("InvalidParameterCombinationException", as_time.dms.modify_replication_task,
            ReplicationTaskArn=as_time.arn, CdcStartTime=then, CdcStartPosition="mysql-bin.000001:4")


def test_a_checkpoint_starts_another_task_and_a_start_may_override(task, sql, mariadb):
    first = task()
    first.start()
    sql("INSERT INTO t VALUES (1)")
    first.caught_up()
    first.stop()
    checkpoint = first.describe()["RecoveryCheckpoint"]
    assert checkpoint.startswith("checkpoint:V1#")
    sql("INSERT INTO t VALUES (2)")
    second_task = task(CdcStartPosition=checkpoint)
    second_task.start()
    second_task.caught_up()
    assert second_task.change_text("t") == "I,2\n"
    second_task.stop()
    [row] = mariadb.query("SHOW MASTER STATUS")
    sql("INSERT INTO t VALUES (3)")
    second_task.dms.start_replication_task(ReplicationTaskArn=second_task.arn, CdcStartPosition=f"{row[0]}:{row[1]}",
                                           StartReplicationTaskType="start-replication")
    second_task.caught_up()
    assert second_task.change_text("t") == "I,2\nI,3\n"
    assert second_task.describe()["CdcStartPosition"] == f"{row[0]}:{row[1]}"


@pytest.mark.parametrize("kind,reason", [("server_time", "STOPPED_AT_SERVER_TIME"),
                                         ("commit_time", "STOPPED_AT_COMMIT_TIME")])
def test_tasks_end_at_their_stop_position(task, sql, kind, reason):
    t = task()
    t.start()
    sql("INSERT INTO t VALUES (1)")
    t.caught_up()
    t.stop()
    then = second()
    sql("INSERT INTO t VALUES (2)")
    t.dms.start_replication_task(ReplicationTaskArn=t.arn, StartReplicationTaskType="resume-processing",
                                 CdcStopPosition=f"{kind}:{then.strftime('%Y-%m-%dT%H:%M:%S')}")
    shown = t.until("stopped")
    assert shown["StopReason"] == f"Stop Reason {reason}" and shown["CdcStopPosition"].startswith(kind)
    assert t.change_text("t") == "I,1\n"


def test_a_stop_in_the_future_is_waited_for(task, sql):
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    t = task(CdcStopPosition=f"server_time:{soon.strftime('%Y-%m-%dT%H:%M:%S')}")
    t.start()
    sql("INSERT INTO t VALUES (1)")
    assert t.until("stopped")["StopReason"] == "Stop Reason STOPPED_AT_SERVER_TIME"
    assert t.change_text("t") == "I,1\n"


def test_resumes_from_an_invalid_file_fail_with_1236(task, sql):
    t = task(CdcStartPosition="mysql-bin-changelog.999999:4")
    t.start(wait=False)
    shown = t.until("failed")
    assert "1236" in shown["LastFailureMessage"] or "binlog" in shown["LastFailureMessage"].lower()
    assert shown["LastFailureMessage"].startswith("Last Error ")
    assert shown["StopReason"] == "Stop Reason FATAL_ERROR"
    wait_until(lambda: t.describe()["Status"] == "failed", 5)
