"""The main job: a table in a real MariaDB followed into the final data set, through DMS, S3 events, a
Python Lambda and the Glue merge, driven by boto3 alone; and the same with the server killed."""

import random
import time

import pytest

from tests.support.dms_text import bucket_rows, objects, read_csv, replay, source_rows
from tests.support.mariadb import Writer
from tests.support.pipeline import Pipeline
from tests.support.wait import wait_until


@pytest.fixture
def server(make_server):
    """A server of the test's own: it is killed, and waits for its own pipeline only."""
    return make_server("--clock-scale", "60")


def fill(mariadb, schema, table, rows, start=1):
    mariadb.execute(
        f"CREATE TABLE IF NOT EXISTS {schema}.{table}"
        " (id INT PRIMARY KEY AUTO_INCREMENT, version INT NOT NULL, name VARCHAR(60), amount DECIMAL(12,2),"
        "  at DATETIME(3), note TEXT)",
        f"INSERT INTO {schema}.{table} SELECT seq, 0, concat('name, \"', seq, '\"'), seq/7,"
        f" '2026-01-01 00:00:00.125' + INTERVAL seq SECOND, IF(seq%3, concat('line\\n', seq), NULL)"
        f" FROM seq_{start}_to_{start + rows - 1}", database=schema)


def assert_equal(server, mariadb, schema, pipeline, tables):
    for table in tables:
        source = sorted(source_rows(mariadb, schema, table))
        final = sorted(bucket_rows(pipeline.s3, pipeline.final, f"{table}/"))
        if source != final:
            missing, extra = set(source) - set(final), set(final) - set(source)
            failed = [r for r in pipeline.runs() if r["JobRunState"] != "SUCCEEDED"]
            raise AssertionError(
                f"{table}: {len(source)} rows in the source, {len(final)} in the final data set; missing "
                f"{sorted(missing)[:3]}, extra {sorted(extra)[:3]}; runs not succeeded: {failed[:3]}\n"
                f"{server.log()[-3000:]}")


def work(schema, tables, seed):
    """Random transactions until stopped; every update counts the row's version up by one."""
    def run(connection, stop):
        r = random.Random(seed)
        connection.autocommit(False)
        with connection.cursor() as cursor:
            while not stop.is_set():
                for _ in range(r.randrange(1, 8)):
                    table, kind, some = r.choice(tables), r.random(), r.randrange(1, 3000)
                    if kind < 0.4:
                        cursor.execute(f"INSERT INTO {schema}.{table}(version, name, amount) VALUES (0, %s, 1.5)",
                                       (f"new {some}",))
                    elif kind < 0.8:
                        cursor.execute(f"UPDATE {schema}.{table} SET version=version+1, name=%s"
                                       " WHERE id BETWEEN %s AND %s", (f'up"{some}"', some, some + r.randrange(4)))
                    else:
                        cursor.execute(f"DELETE FROM {schema}.{table} WHERE id=%s", (some,))
                if r.random() < 0.1:
                    connection.rollback()
                else:
                    connection.commit()
                stop.wait(0.002)

    return run


def test_load_and_changes_arrive(server, mariadb, schema, unique):
    tables = ["people", "orders"]
    for table in tables:
        fill(mariadb, schema, table, 2000)
    pipeline = Pipeline(server.client, unique("p")).build(mariadb, schema)
    pipeline.start()
    server.wait_idle()
    assert_equal(server, mariadb, schema, pipeline, tables)
    for batch in range(3):
        mariadb.execute(
            f"UPDATE {schema}.people SET version=version+1, name='batch {batch}' WHERE id % 7 = {batch}",
            f"DELETE FROM {schema}.orders WHERE id % 50 = {batch} + 10",
            f"INSERT INTO {schema}.orders(version, name) VALUES (0, 'x,\"{batch}\"'), (0, NULL)")
        server.wait_idle()
        assert_equal(server, mariadb, schema, pipeline, tables)
    statistics = pipeline.statistics()
    assert statistics["people"]["FullLoadRows"] == 2000
    assert statistics["orders"]["Deletes"] == 120 and statistics["orders"]["Inserts"] == 6
    task = pipeline.status()
    assert task["Status"] == "running" and task["ReplicationTaskStats"]["FullLoadProgressPercent"] == 100


def test_table_without_key(server, mariadb, schema, unique):
    """The merge can't tell its rows apart, and doesn't guess; columns named by the user will do."""
    mariadb.execute(f"CREATE TABLE {schema}.l (a INT, b INT)",
                    f"INSERT INTO {schema}.l VALUES (1,1), (3,1), (2,2)")
    pipeline = Pipeline(server.client, unique("p"))
    pipeline.buckets()
    pipeline.role()
    pipeline.merge_job()
    pipeline.instance()
    pipeline.endpoints(mariadb, CdcMaxBatchInterval=0)
    pipeline.test_connections()
    pipeline.task(schema)
    pipeline.start()
    server.wait_idle()

    def run(job, **arguments):
        key = f"{schema}/l/LOAD00000001.csv"
        pipeline.glue.start_job_run(JobName=job, Arguments={
            "--s3_target_path_bucket": pipeline.temp, "--s3_target_path_key": key, **arguments})
        server.wait_idle()
        return pipeline.glue.get_job_runs(JobName=job)["JobRuns"][0]

    bare = unique("job")
    pipeline.glue.create_job(Name=bare, Role=pipeline.role_arn, Command={"Name": "cistern-merge"},
                             DefaultArguments={"--final_path": f"s3://{pipeline.final}/{{table}}"})
    refused = run(bare)
    assert refused["JobRunState"] == "FAILED" and "--primary_key" in refused["ErrorMessage"]
    assert "Contents" not in pipeline.s3.list_objects_v2(Bucket=pipeline.final)
    assert run(bare, **{"--primary_key": "a,b"})["JobRunState"] == "SUCCEEDED"
    assert_equal(server, mariadb, schema, pipeline, ["l"])


@pytest.mark.parametrize("settings", [
    {"TimestampColumnName": "ts"},
    {"TimestampColumnName": "ts", "AddColumnName": True, "IncludeOpForFullLoad": True}])
def test_timestamps_of_dms_stay_out_of_the_final_set(server, mariadb, schema, unique, settings):
    fill(mariadb, schema, "people", 50)
    pipeline = Pipeline(server.client, unique("p")).build(mariadb, schema, **settings)
    pipeline.start()
    server.wait_idle()
    mariadb.execute(f"UPDATE {schema}.people SET version=9 WHERE id=7",
                    f"DELETE FROM {schema}.people WHERE id=8")
    server.wait_idle()
    assert_equal(server, mariadb, schema, pipeline, ["people"])


def test_waiters_on_ten_rows(server, mariadb, schema, unique):
    """A load that ends before the first poll: the waiters for running and stopped both succeed."""
    fill(mariadb, schema, "tiny", 10)
    pipeline = Pipeline(server.client, unique("p"))
    pipeline.build(mariadb, schema)
    pipeline.dms.delete_replication_task(ReplicationTaskArn=pipeline.task_arn)
    pipeline._wait("replication_task_deleted")
    pipeline.task(schema, migration="full-load")
    pipeline.start()
    pipeline._wait("replication_task_stopped")
    assert pipeline.status()["StopReason"] == "Stop Reason FULL_LOAD_ONLY_FINISHED"
    pipeline.dms.delete_replication_task(ReplicationTaskArn=pipeline.task_arn)
    pipeline._wait("replication_task_deleted")


def test_waiters_on_a_million_rows(server, mariadb, schema, unique):
    mariadb.execute(f"CREATE TABLE {schema}.big (id INT PRIMARY KEY, v INT) AS SELECT seq id, seq%97 v"
                    " FROM seq_1_to_1000000", database=schema)
    pipeline = Pipeline(server.client, unique("p"))
    pipeline.buckets()
    pipeline.role()
    pipeline.instance()
    pipeline.endpoints(mariadb)
    pipeline.test_connections()
    pipeline.task(schema, migration="full-load")
    pipeline.start()
    pipeline._wait("replication_task_stopped")
    assert pipeline.statistics()["big"]["FullLoadRows"] == 1_000_000


KILLS = 20


def test_killed_in_the_middle_of_loads(server, mariadb, schema, unique):
    fill(mariadb, schema, "people", 30_000)
    pipeline = Pipeline(server.client, unique("p")).build(mariadb, schema)
    pipeline.start()
    began = time.monotonic()
    wait_until(lambda: pipeline.statistics()["people"]["FullLoadRows"] == 30_000, what="the first load")
    duration = max(0.05, time.monotonic() - began)
    r = random.Random(11)
    for i in range(KILLS):
        mariadb.execute(f"UPDATE {schema}.people SET version=version+1 WHERE id % 100 = {i}")
        pipeline.dms.stop_replication_task(ReplicationTaskArn=pipeline.task_arn)
        pipeline._wait("replication_task_stopped")
        pipeline.dms.start_replication_task(
            ReplicationTaskArn=pipeline.task_arn, StartReplicationTaskType="reload-target")
        time.sleep(r.uniform(0, duration))  # an instant of the load, chosen by chance
        server.kill()
        server.start()
        wait_until(lambda: pipeline.status()["Status"] == "running", what="the task running again")
    server.wait_idle(120)
    assert_equal(server, mariadb, schema, pipeline, ["people"])
    replay(pipeline.s3, pipeline.temp, schema, "people")


def test_killed_in_the_middle_of_change_capture(server, mariadb, schema, unique):
    tables = ["a", "b"]
    for table in tables:
        fill(mariadb, schema, table, 1000)
    pipeline = Pipeline(server.client, unique("p")).build(mariadb, schema, CdcMaxBatchInterval=6)
    pipeline.start()
    server.wait_idle()
    writer = Writer(mariadb, work(schema, tables, seed=5))
    r = random.Random(12)
    for _ in range(KILLS):
        time.sleep(r.uniform(0.02, 0.6))
        server.kill()
        server.start()
    writer.finish()
    server.wait_idle(120)
    assert_equal(server, mariadb, schema, pipeline, tables)
    for table in tables:  # strict: nothing twice, nothing missing
        state = replay(pipeline.s3, pipeline.temp, schema, table)
        assert sorted(state.values()) == sorted(source_rows(mariadb, schema, table))


class Final:
    """What the final data set of one table may hold: the load, or the load and the first k change files."""

    def __init__(self, pipeline, schema, table):
        self.s3, self.temp, self.final = pipeline.s3, pipeline.temp, pipeline.final
        self.folder, self.table, self.files = f"{schema}/{table}/", table, {}

    def file(self, key):
        if key not in self.files:
            self.files[key] = read_csv(self.s3.get_object(Bucket=self.temp, Key=key)["Body"].read().decode())
        return self.files[key]

    def states(self):
        """Every state in turn, as frozenset-like sums of row hashes."""
        names = objects(self.s3, self.temp, self.folder)
        rows = {row[0]: row for name in names if "LOAD" in name for row in self.file(name)}
        total = sum(map(hash, rows.values()))
        yield total
        for name in (n for n in names if "LOAD" not in n):
            for op, *row in self.file(name):
                total -= hash(rows.pop(row[0])) if row[0] in rows else 0
                if op != "D":
                    rows[row[0]] = tuple(row)
                    total += hash(tuple(row))
            yield total

    def now(self):
        """One state of the whole data set: its parts have names of their own, so when all that were listed
        can be read, they are from one moment."""
        while True:
            try:
                return sum(map(hash, bucket_rows(self.s3, self.final, f"{self.table}/")))
            except self.s3.exceptions.NoSuchKey:
                continue


def assert_ledger_complete(server, pipeline, schema, table):
    """Every file is known as merged: a run for all of them finds nothing to do, although a file merged
    a second time would fail by its misfits."""
    before = objects(pipeline.s3, pipeline.final)
    run = pipeline.glue.start_job_run(JobName=pipeline.job, Arguments={
        "--source_path": f"s3://{pipeline.temp}/{schema}/", "--on_update_missing": "fail",
        "--on_delete_missing": "fail", "--on_insert_existing": "fail"})["JobRunId"]
    server.wait_idle()
    assert pipeline.glue.get_job_run(JobName=pipeline.job, RunId=run)["JobRun"]["JobRunState"] == "SUCCEEDED"
    log = server.client("logs").get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run)["events"]
    assert [e["message"] for e in log] == [
        f"Nothing to do: s3://{pipeline.temp}/{schema}/{table}/ is merged up to its last file already."]
    assert objects(pipeline.s3, pipeline.final) == before


def test_killed_in_the_middle_of_merges(server, mariadb, schema, unique):
    fill(mariadb, schema, "people", 20_000)
    pipeline = Pipeline(server.client, unique("p")).build(mariadb, schema, CdcMaxBatchInterval=0)
    pipeline.start()
    server.wait_idle()
    r = random.Random(13)
    final = Final(pipeline, schema, "people")
    for i in range(KILLS):
        before = len(pipeline.runs())
        mariadb.execute(f"UPDATE {schema}.people SET version=version+1 WHERE id % 11 = {i % 11}",
                        f"DELETE FROM {schema}.people WHERE id % 1009 = {i}")
        wait_until(lambda: len(pipeline.runs()) > before, what="a merge run", step=0.002)
        time.sleep(r.uniform(0, 0.06))
        server.kill()
        server.start()
        now = final.now()  # the old data set or a new one, never a mixture
        assert now in set(final.states())
    server.wait_idle(120)
    assert_equal(server, mariadb, schema, pipeline, ["people"])
    assert_ledger_complete(server, pipeline, schema, "people")
