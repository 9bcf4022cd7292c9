"""What runs count into CloudWatch: namespace Glue, with --enable-metrics."""

import datetime

import pytest

from tests.support.merge_job import Merge
from tests.support.spark import Jobs, spark_server

SCRIPT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print(spark.read.csv(sys.argv[1]).groupBy("_c1").count().collect())
"""


def glue_values(server, job, run):
    """name → sum, of the run's series."""
    cloudwatch = server.client("cloudwatch")
    now = datetime.datetime.now(datetime.timezone.utc)
    values = {}
    for metric in cloudwatch.list_metrics(Namespace="Glue", Dimensions=[
            {"Name": "JobName", "Value": job}, {"Name": "JobRunId", "Value": run}])["Metrics"]:
        points = cloudwatch.get_metric_statistics(
            **metric, StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=1),
            Period=3600 * 2, Statistics=["Sum"])["Datapoints"]
        values[metric["MetricName"]] = sum(p["Sum"] for p in points)
    return values


def test_a_merge_counts_rows_and_bytes(server, unique):
    job = Merge(server, unique("metrics"), **{"--enable-metrics": "true", "--primary_key": "_c0"})
    job.put("LOAD00000001.csv", "1,a\n2,b\n3,c\n")
    run = job.run("LOAD00000001.csv")["Id"]
    for which in (run, "ALL"):
        values = glue_values(server, job.name, which)
        assert values["glue.driver.aggregate.recordsRead"] == 3
        assert values["glue.driver.aggregate.bytesRead"] == 12
        assert values["glue.driver.s3.filesystem.write_bytes"] == 12
        assert values["glue.driver.aggregate.elapsedTime"] >= 0


def test_without_the_argument_nothing_is_counted(server, unique):
    job = Merge(server, unique("quiet"), **{"--primary_key": "_c0"})
    job.put("LOAD00000001.csv", "1,a\n")
    run = job.run("LOAD00000001.csv")["Id"]
    assert glue_values(server, job.name, run) == {}


@pytest.mark.timeout(600)
def test_spark_counts_what_it_did(unique):
    server = spark_server()
    try:
        jobs = Jobs(server, unique)
        jobs.put("in/a.csv", "1,a\n2,b\n3,a\n")
        job = jobs.make(SCRIPT.replace("sys.argv[1]", repr(f"s3://{jobs.bucket}/in/")),
                        arguments={"--enable-metrics": ""})
        run = jobs.start(job)
        assert jobs.ended(job, run)["JobRunState"] == "SUCCEEDED"
        values = glue_values(server, job, run)
        assert values["glue.driver.aggregate.bytesRead"] >= 12
        assert values["glue.driver.aggregate.numCompletedTasks"] >= 2
        assert values["glue.driver.aggregate.numFailedTasks"] == 0
        assert 0 < values["glue.driver.jvm.heap.usage"] <= 1
        assert values["glue.driver.aggregate.elapsedTime"] > 1000
    finally:
        server.close()
