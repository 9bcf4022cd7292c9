"""A DMS task from MariaDB to a bucket through boto3: the part of a pipeline that DMS tests need."""

import contextlib
import gzip
import json
import time

from botocore.exceptions import ClientError

from tests.support import dms_text
from tests.support.wait import wait_until


def selection(schema, table="%", action="include", rule=1, **more):
    return {
        "rule-type": "selection", "rule-id": str(rule), "rule-name": f"rule-{rule}",
        "object-locator": {"schema-name": schema, "table-name": table}, "rule-action": action, **more,
    }


def mappings(*rules):
    return json.dumps({"rules": list(rules)})


class Task:
    """Instance, endpoints, tested connections and a task, all named after `name`."""

    def __init__(self, server, db, name, schema, migration="full-load-and-cdc", settings=None, s3=None,
                 rules=None, source=None, bucket=None, **create):
        self.server, self.db, self.name, self.schema = server, db, name, schema
        self.dms, self.s3 = server.client("dms"), server.client("s3")
        self.bucket = bucket or name
        self.migration = migration
        if not bucket:
            self.s3.create_bucket(Bucket=self.bucket)
        self.instance = self.dms.create_replication_instance(
            ReplicationInstanceIdentifier=f"{name}-rep", ReplicationInstanceClass="dms.t3.micro",
        )["ReplicationInstance"]["ReplicationInstanceArn"]
        login = dict(ServerName="127.0.0.1", Port=db.port, Username=db.user, Password=db.password)
        login.update(source or {})
        self.source = self.dms.create_endpoint(
            EndpointIdentifier=f"{name}-source", EndpointType="source", EngineName="mariadb", **login,
        )["Endpoint"]["EndpointArn"]
        self.target = self.dms.create_endpoint(
            EndpointIdentifier=f"{name}-target", EndpointType="target", EngineName="s3",
            S3Settings={"BucketName": self.bucket, "ServiceAccessRoleArn": "arn:aws:iam::000000000000:role/dms",
                        "CdcMaxBatchInterval": 0, **(s3 or {})},
        )["Endpoint"]["EndpointArn"]
        self.test_connections()
        more = {"ReplicationTaskSettings": json.dumps(settings)} if settings else {}
        self.arn = self.dms.create_replication_task(
            ReplicationTaskIdentifier=f"{name}-task", SourceEndpointArn=self.source,
            TargetEndpointArn=self.target, ReplicationInstanceArn=self.instance, MigrationType=migration,
            TableMappings=mappings(*(rules or [selection(schema)])), **more, **create,
        )["ReplicationTask"]["ReplicationTaskArn"]

    def test_connections(self):
        for arn in (self.source, self.target):
            self.dms.test_connection(ReplicationInstanceArn=self.instance, EndpointArn=arn)
        self.dms.get_waiter("test_connection_succeeds").wait(
            Filters=[{"Name": "endpoint-arn", "Values": [self.source, self.target]}],
            WaiterConfig={"Delay": 1, "MaxAttempts": 20})

    # --- life ---
    def start(self, kind="start-replication", wait=True):
        answer = self.dms.start_replication_task(
            ReplicationTaskArn=self.arn, StartReplicationTaskType=kind)["ReplicationTask"]
        assert answer["Status"] == "starting"
        if wait:
            self.wait("running")
            if self.migration == "full-load-and-cdc":  # else a change may still become part of the load
                wait_until(lambda: "FullLoadFinishDate" in self.describe()["ReplicationTaskStats"], 60, "the load")
        return answer

    def wait(self, state, tries=60):
        self.dms.get_waiter(f"replication_task_{state}").wait(
            Filters=[{"Name": "replication-task-arn", "Values": [self.arn]}],
            WaiterConfig={"Delay": 1, "MaxAttempts": tries})

    def stop(self):
        answer = self.dms.stop_replication_task(ReplicationTaskArn=self.arn)["ReplicationTask"]
        assert answer["Status"] == "stopping"
        self.wait("stopped")

    def describe(self):
        return self.dms.describe_replication_tasks(
            Filters=[{"Name": "replication-task-arn", "Values": [self.arn]}])["ReplicationTasks"][0]

    def until(self, *states, timeout=60):
        """Looks until the task is in one of the states; returns its description."""
        def look():
            shown = self.describe()
            return shown if shown["Status"] in states else None
        return wait_until(look, timeout, f"the task being {' or '.join(states)} ({self.describe()})")

    def caught_up(self, timeout=60):
        """Everything that the source has committed is in the bucket."""
        self.server.wait_idle(timeout)

    def delete(self):
        try:
            self.stop()
        except ClientError:
            pass
        self.dms.delete_replication_task(ReplicationTaskArn=self.arn)
        for arn in (self.source, self.target):
            self.dms.delete_endpoint(EndpointArn=arn)
        self.dms.delete_replication_instance(ReplicationInstanceArn=self.instance)

    # --- looks ---
    def log(self):
        """The task's log as text; None: there is none."""
        logs = self.server.client("logs")
        try:
            events = logs.get_log_events(logGroupName=f"dms-tasks-{self.name}-rep", startFromHead=True,
                                         logStreamName="dms-task-" + self.arn.rsplit(":", 1)[1])["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return "\n".join(e["message"] for e in events)

    def statistics(self, table):
        answer = self.dms.describe_table_statistics(
            ReplicationTaskArn=self.arn, Filters=[{"Name": "table-name", "Values": [table]}])
        assert len(answer["TableStatistics"]) == 1, answer
        return answer["TableStatistics"][0]

    def prefix(self, table, folder=""):
        return f"{folder}{self.schema}/{table}/"

    def keys(self, table, folder=""):
        """Names below the table's prefix, in order."""
        prefix = self.prefix(table, folder)
        return [k[len(prefix):] for k in dms_text.objects(self.s3, self.bucket, prefix)]

    def text(self, table, name, folder=""):
        body = self.s3.get_object(Bucket=self.bucket, Key=self.prefix(table, folder) + name)["Body"].read()
        return (gzip.decompress(body) if name.endswith(".gz") else body).decode()

    def loads(self, table, folder=""):
        return [k for k in self.keys(table, folder) if k.startswith("LOAD")]

    def changes(self, table, folder=""):
        return [k for k in self.keys(table, folder) if not k.startswith("LOAD")]

    def change_text(self, table):
        return "".join(self.text(table, k) for k in self.changes(table))

    def assert_equal(self, table, key_columns=(0,)):
        """Replaying all files strictly gives exactly the rows of the source."""
        state = dms_text.replay(self.s3, self.bucket, self.schema, table, key_columns)
        want = dms_text.source_rows(self.db, self.schema, table)
        assert sorted(state.values()) == sorted(want)


class QuickTask(Task):
    """Looks often instead of once a second."""

    def test_connections(self):
        def tested():
            shown = self.dms.describe_connections(
                Filters=[{"Name": "endpoint-arn", "Values": [self.source, self.target]}])["Connections"]
            return len(shown) == 2 and all(c["Status"] == "successful" for c in shown)

        for arn in (self.source, self.target):
            self.dms.test_connection(ReplicationInstanceArn=self.instance, EndpointArn=arn)
        wait_until(tested, 30, "the connections being tested")

    def wait(self, state, tries=60):
        self.until(state, timeout=tries)


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


@contextlib.contextmanager
def tasks(new):
    """For fixtures: the function `new`, which makes a task. What it made is deleted in the end, unless the
    test has ended that server."""
    made = []

    def make(*arguments, **more):
        made.append(new(*arguments, **more))
        return made[-1]

    yield make
    for t in made:
        if t.server.process.poll() is None:
            t.delete()


@contextlib.contextmanager
def two_rows(db, name):
    """For fixtures: the name of a schema with a table t of two rows, dropped in the end."""
    name = name.replace("-", "_")
    db.execute(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v VARCHAR(40))",
               f"INSERT INTO {name}.t VALUES (1,'one'),(2,NULL)")
    yield name
    db.execute(f"DROP DATABASE IF EXISTS {name}")


def kill_at_random(task, rng, pauses):
    """Kills and restarts the task's server after each pause of at most so many seconds; now and then the
    source begins a new log."""
    for longest in pauses:
        time.sleep(rng.uniform(0, longest))
        task.server.kill()
        task.server.start()
        if rng.random() < 0.3:
            task.db.root("FLUSH BINARY LOGS")
