"""DMS Serverless: replication configs over the same engine."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.support.dms import Task, mappings, selection
from tests.support.wait import wait_until


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value


class Replication:
    """A config with the endpoints of a task, whose helpers look into the bucket."""

    def __init__(self, task, name, **more):
        self.dms, self.name = task.dms, name
        self.given = dict(
            ReplicationConfigIdentifier=name, SourceEndpointArn=task.source, TargetEndpointArn=task.target,
            ComputeConfig={"MaxCapacityUnits": 4, "MinCapacityUnits": 1}, ReplicationType="full-load-and-cdc",
            TableMappings=mappings(selection(task.schema)), **more)
        self.config = self.dms.create_replication_config(**self.given)["ReplicationConfig"]
        self.arn = self.config["ReplicationConfigArn"]

    def describe(self):
        return self.dms.describe_replications(
            Filters=[{"Name": "replication-config-arn", "Values": [self.arn]}])["Replications"][0]

    def until(self, status):
        wait_until(lambda: self.describe()["Status"] == status, 30, status)

    def start(self, kind="start-replication"):
        return self.dms.start_replication(ReplicationConfigArn=self.arn, StartReplicationType=kind)["Replication"]

    def statistics(self, table):
        return self.dms.describe_replication_table_statistics(
            ReplicationConfigArn=self.arn,
            Filters=[{"Name": "table-name", "Values": [table]}])["ReplicationTableStatistics"][0]

    def stop(self):
        answer = self.dms.stop_replication(ReplicationConfigArn=self.arn)["Replication"]
        self.until("stopped")
        return answer


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
