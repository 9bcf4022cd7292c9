"""DMS Serverless: replication configs over the same engine."""

import json

import pytest

from tests.support.dms import Replication, Task
from tests.support.errors import refused
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO t VALUES (1,'one'),(2,NULL)",
                    database=schema)
    t = Task(server, mariadb, unique("sls"), schema)
    yield t
    t.delete()


def test_a_replication_lives(task, mariadb, schema, unique):
    r = Replication(task, unique("cfg"), ReplicationSettings=json.dumps({"Logging": {"EnableLogging": True}}))
    assert ":replication-config:" in r.arn and r.describe()["Status"] == "created"
    assert json.loads(r.config["ReplicationSettings"])["FullLoadSettings"]["CommitRate"] == 10000
    refused("InvalidResourceStateFault", r.start, kind="resume-processing")
    assert r.start()["Status"] == "initialising"
    assert r.describe()["Status"] == "running"
    wait_until(lambda: "FullLoadFinishDate" in r.describe()["ReplicationStats"], 30)
    mariadb.execute("INSERT INTO t VALUES (3,'three')", database=schema)
    task.caught_up()
    assert task.text("t", "LOAD00000001.csv") == "1,one\n2,\n" and task.change_text("t") == "I,3,three\n"
    assert r.statistics("t")["Inserts"] == 1 and r.describe()["ProvisionData"]["ProvisionedCapacityUnits"] == 1
    assert r.describe()["RecoveryCheckpoint"].startswith("checkpoint:V1#")
    refused("InvalidResourceStateFault", r.dms.modify_replication_config, ReplicationConfigArn=r.arn, ReplicationType="cdc")
    refused("InvalidResourceStateFault", r.dms.delete_replication_config, ReplicationConfigArn=r.arn)
    refused("InvalidResourceStateFault", r.dms.delete_endpoint, EndpointArn=task.source)
    r.dms.reload_replication_tables(ReplicationConfigArn=r.arn,
                                    TablesToReload=[{"SchemaName": schema, "TableName": "t"}])
    wait_until(lambda: r.statistics("t")["FullLoadReloaded"], 20)
    assert task.text("t", "LOAD00000001.csv") == "1,one\n2,\n3,three\n"
    assert r.stop()["Status"] == "stopping" and r.describe()["StopReason"] == "Stop Reason NORMAL"
    mariadb.execute("INSERT INTO t VALUES (4,'four')", database=schema)
    r.start("resume-processing")
    task.caught_up()
    assert task.change_text("t") == "I,4,four\n"
    events = task.server.client("logs").get_log_events(
        logGroupName=f"dms-serverless-replication-{r.name}", startFromHead=True,
        logStreamName="dms-serverless-serv-res-id-" + r.arn.rsplit(":", 1)[1])["events"]
    assert any("Loading finished for table" in e["message"] for e in events)
    r.stop()
    r.dms.delete_replication_config(ReplicationConfigArn=r.arn)
    refused("ResourceNotFoundFault", r.dms.describe_replications,
            Filters=[{"Name": "replication-config-arn", "Values": [r.arn]}])


def test_configs_are_kept_changed_and_no_tasks(task, unique):
    r = Replication(task, unique("cfg"), Tags=[{"Key": "a", "Value": "1"}])
    refused("ResourceAlreadyExistsFault", r.dms.create_replication_config, **r.given)
    changed = r.dms.modify_replication_config(ReplicationConfigArn=r.arn, ReplicationType="full-load",
                                              ComputeConfig={"MaxCapacityUnits": 8})["ReplicationConfig"]
    assert changed["ComputeConfig"] == {"MaxCapacityUnits": 8, "MinCapacityUnits": 1}
    [found] = r.dms.describe_replication_configs(
        Filters=[{"Name": "replication-config-id", "Values": [r.name]}])["ReplicationConfigs"]
    assert found == changed and found["ReplicationType"] == "full-load"
    assert r.dms.list_tags_for_resource(ResourceArn=r.arn)["TagList"] == [{"Key": "a", "Value": "1"}]
    assert r.arn not in [t["ReplicationTaskArn"] for t in r.dms.describe_replication_tasks()["ReplicationTasks"]]
    refused("ResourceNotFoundFault", r.dms.start_replication_task, ReplicationTaskArn=r.arn,
            StartReplicationTaskType="start-replication")
    refused("InvalidParameterValueException", r.dms.modify_replication_config, ReplicationConfigArn=r.arn,
            ComputeConfig={"MaxCapacityUnits": 500})
    refused("InvalidParameterValueException", r.dms.modify_replication_config, ReplicationConfigArn=r.arn,
            TableMappings="{")
    r.start()
    r.until("stopped")
    assert r.describe()["StopReason"] == "Stop Reason FULL_LOAD_ONLY_FINISHED"
    r.dms.delete_replication_config(ReplicationConfigArn=r.arn)
    refused("ResourceNotFoundFault", r.dms.describe_replication_configs,
            Filters=[{"Name": "replication-config-arn", "Values": [r.arn]}])
