"""Premigration assessments: checks that really ask the source, results in the bucket."""

import json

import pytest

from tests.support.dms import Task, tasks
from tests.support.errors import refused
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE loose (v LONGTEXT) ENGINE=MyISAM", database=schema)
    with tasks(lambda db=mariadb, schema=schema, **more: Task(server, db, unique("chk"), schema, **more)) as make:
        yield make


def start(task, name, **more):
    return task.dms.start_replication_task_assessment_run(
        ReplicationTaskArn=task.arn, ServiceAccessRoleArn="arn:aws:iam::000000000000:role/dms",
        ResultLocationBucket=task.bucket, ResultLocationFolder="checks", AssessmentRunName=name, **more,
    )["ReplicationTaskAssessmentRun"]


def finished(task, arn):
    def look():
        [run] = task.dms.describe_replication_task_assessment_runs(
            Filters=[{"Name": "replication-task-assessment-run-arn", "Values": [arn]}])["ReplicationTaskAssessmentRuns"]
        return run if run["Status"] not in ("starting", "running") else None
    return wait_until(look, 20)


def checks(task, run):
    pages = task.dms.describe_replication_task_individual_assessments(Filters=[
        {"Name": "replication-task-assessment-run-arn", "Values": [run["ReplicationTaskAssessmentRunArn"]]}])
    return {a["IndividualAssessmentName"]: a["Status"] for a in pages["ReplicationTaskIndividualAssessments"]}


def test_the_checks_find_what_is_there(task, unique, schema):
    t = task()
    name = unique("run")
    first = start(t, name)
    assert first["Status"] == "starting"
    run = finished(t, first["ReplicationTaskAssessmentRunArn"])
    assert run["Status"] == "warning" and run["IsLatestTaskAssessmentRun"]
    found = checks(t, run)
    names = t.dms.describe_applicable_individual_assessments(ReplicationTaskArn=t.arn)["IndividualAssessmentNames"]
    assert sorted(found) == sorted(names) and len(names) == run["AssessmentProgress"]["IndividualAssessmentCompletedCount"]
    warned = {n for n, status in found.items() if status != "passed"}
    assert warned == {"mysql-check-table-storage-engine", "table-with-no-primary-key-or-unique-constraint",
                      "mysql-check-limited-lob-truncation"}
    assert run["ResultStatistic"]["Warning"] == 3 and run["ResultStatistic"]["Failed"] == 0
    body = json.loads(t.s3.get_object(Bucket=t.bucket, Key=f"checks/{name}/table-with-no-primary-key-or-unique-constraint.json")["Body"].read())
    assert body["status"] == "warning" and body["objects"] == [f"{schema}.loose"] and body["message"]
    assert t.describe()["Status"] == "ready"
    refused("ResourceAlreadyExistsFault", t.dms.start_replication_task_assessment_run, ReplicationTaskArn=t.arn,
            ServiceAccessRoleArn="arn:aws:iam::000000000000:role/dms", ResultLocationBucket=t.bucket, AssessmentRunName=name)
    arn = dict(ReplicationTaskAssessmentRunArn=run["ReplicationTaskAssessmentRunArn"])
    refused("InvalidResourceStateFault", t.dms.cancel_replication_task_assessment_run, **arn)
    assert t.dms.delete_replication_task_assessment_run(**arn)["ReplicationTaskAssessmentRun"]["Status"] == "deleting"
    refused("ResourceNotFoundFault", t.dms.delete_replication_task_assessment_run, **arn)
    assert checks(t, run) == {}


def test_a_source_that_is_not_ready_fails(task, fresh_mariadb, unique):
    db = fresh_mariadb("--binlog-format=STATEMENT", "--binlog-row-image=MINIMAL", "--expire-logs-days=0")
    db.execute("CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY)",
               "CREATE USER low@'%' IDENTIFIED BY 'pw'", "GRANT SELECT ON s.* TO low@'%'")
    t = task(db=db, schema="s", source=dict(Username="low", Password="pw"))
    run = finished(t, start(t, unique("run"))["ReplicationTaskAssessmentRunArn"])
    found = checks(t, run)
    assert run["Status"] == "failed"
    assert found["mysql-check-binlog-format"] == "failed" and found["mysql-check-binlog-image"] == "warning"
    assert found["mysql-check-replication-privileges"] == "failed" and found["mysql-check-select-privileges"] == "passed"
    only = finished(t, start(t, unique("run"), IncludeOnly=["mysql-check-supported-version"])["ReplicationTaskAssessmentRunArn"])
    assert only["Status"] == "passed" and list(checks(t, only)) == ["mysql-check-supported-version"]
    t.dms.modify_endpoint(EndpointArn=t.source, Password="wrong")
    broken = finished(t, start(t, unique("run"))["ReplicationTaskAssessmentRunArn"])
    assert broken["Status"] == "error-executing" and "1045" in broken["LastFailureMessage"]


def test_what_cannot_be_assessed(task, unique):
    t = task()
    more = dict(ReplicationTaskArn=t.arn, ServiceAccessRoleArn="arn:aws:iam::000000000000:role/dms",
                AssessmentRunName=unique("run"))
    call = t.dms.start_replication_task_assessment_run
    refused("S3ResourceNotFoundFault", call, ResultLocationBucket="no-such-bucket-of-ours", **more)
    refused("InvalidParameterValueException", call, ResultLocationBucket=t.bucket, Exclude=["nonsense"], **more)
    t.start()
    refused("InvalidResourceStateFault", call, ResultLocationBucket=t.bucket, **more)


def test_keys_and_partitions_of_tables(task, mariadb, unique, schema):
    """What people meet only later: rows that change by cascade are in no log."""
    mariadb.execute(
        "CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT)",
        "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent(id) ON DELETE CASCADE)",
        "CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH(id) PARTITIONS 2", database=schema)
    t = task()
    names = {"mysql-check-auto-increment": "parent", "mysql-check-cascade-constraints": "child",
             "mysql-check-skip-table-suspension-partition-ddl": "parts"}
    name = unique("run")
    run = t.dms.start_replication_task_assessment_run(
        ReplicationTaskArn=t.arn, ServiceAccessRoleArn="arn:aws:iam::000000000000:role/dms", AssessmentRunName=name,
        ResultLocationBucket=t.bucket, ResultLocationFolder="/in/here/", IncludeOnly=list(names),
    )["ReplicationTaskAssessmentRun"]
    assert finished(t, run["ReplicationTaskAssessmentRunArn"])["Status"] == "warning"
    for check, table in names.items():
        body = json.loads(t.s3.get_object(Bucket=t.bucket, Key=f"in/here/{name}/{check}.json")["Body"].read())
        assert body["status"] == "warning" and body["objects"] == [f"{schema}.{table}"]
    t.dms.modify_endpoint(EndpointArn=t.source, ExtraConnectionAttributes="skipTableSuspensionForPartitionDdl=true")
    again = start(t, unique("run"), IncludeOnly=["mysql-check-skip-table-suspension-partition-ddl"])
    assert finished(t, again["ReplicationTaskAssessmentRunArn"])["Status"] == "passed"
