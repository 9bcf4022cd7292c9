"""A script on a real Spark that overwrites what it reads lazily: it sees what was there when it read,
and nobody else does."""

import pytest

from tests.support.spark import Jobs, spark_server
from tests.support.wait import wait_until

# Each step leaves what it saw as an object of the bucket that is given.
SCRIPT = """
import sys

import boto3
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession

bucket = getResolvedOptions(sys.argv, ["bucket"])["bucket"]
path = f"s3a://{bucket}/out"
spark = SparkSession.builder.getOrCreate()
s3 = boto3.client("s3")


def note(name, value):
    s3.put_object(Bucket=bucket, Key=f"notes/{name}", Body=str(value).encode())


def boto_sees(key):
    try:
        s3.head_object(Bucket=bucket, Key=key)
        return True
    except s3.exceptions.ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"]


# A lazy read, a union, an overwrite of the input: twice, so that the second reads what the first wrote.
for n in (1, 2):
    old = spark.read.csv(path)
    more = spark.createDataFrame([(str(100 + n), f"new {n}")], ["_c0", "_c1"])
    old.union(more).write.mode("overwrite").csv(path)
note("boto", boto_sees("out/old-0.csv"))

# Parquet asks for a file's status before it opens it.
table = f"s3a://{bucket}/table"
spark.range(3).write.parquet(table)
spark.read.parquet(table).union(spark.range(3, 5)).write.mode("overwrite").parquet(table)
note("parquet", sorted(r.id for r in spark.read.parquet(table).collect()))

# What is deleted is gone for all who ask whether it is there, and its name is free.
hadoop = spark._jvm.org.apache.hadoop
fs = hadoop.fs.FileSystem.get(hadoop.fs.Path(path).toUri(), spark._jsc.hadoopConfiguration())
at = {name: hadoop.fs.Path(f"s3a://{bucket}/files/{name}") for name in ("a.csv", "b.csv")}
lazy = spark.read.csv(f"s3a://{bucket}/files/a.csv")
fs.delete(at["a.csv"], False)
note("exists", fs.exists(at["a.csv"]))
note("lazy", [r._c0 for r in lazy.collect()])
note("renamed", fs.rename(at["b.csv"], at["a.csv"]))

# The committer of RDDs writes the same names again: it finds the old ones and deletes them once more.
rdd = spark.sparkContext.textFile(f"s3a://{bucket}/rdd", 1)
rdd.getNumPartitions()
fs.delete(hadoop.fs.Path(f"s3a://{bucket}/rdd"), True)
rdd.map(lambda line: line.upper()).saveAsTextFile(f"s3a://{bucket}/rdd")
"""


@pytest.fixture(scope="module")
def server():
    s = spark_server()
    yield s
    s.close()


def below(s3, bucket, prefix):
    return {o["Key"]: s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read().decode()
            for o in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])}


def files(server):
    return [p for p in (server.data_dir / "tmp").rglob("*") if p.is_file()]


def test_a_run_reads_what_it_has_overwritten(server, unique):
    jobs, bucket = Jobs(server, unique), unique("final")
    s3 = jobs.s3
    s3.create_bucket(Bucket=bucket)
    for i in range(3):
        s3.put_object(Bucket=bucket, Key=f"out/old-{i}.csv", Body=f"{i},one\n{10 + i},two\n".encode())
    s3.put_object(Bucket=bucket, Key="files/a.csv", Body=b"old a\n")
    s3.put_object(Bucket=bucket, Key="files/b.csv", Body=b"b\n")
    s3.put_object(Bucket=bucket, Key="rdd/part-00000", Body=b"line\n")
    done = jobs.good(jobs.make(SCRIPT), bucket=bucket)

    out = below(s3, bucket, "out/")
    rows = sorted(line for text in out.values() for line in text.splitlines())
    assert rows == sorted([f"{i},one" for i in range(3)] + [f"{10 + i},two" for i in range(3)]
                          + ["101,new 1", "102,new 2"])
    assert not [k for k in out if "old-" in k or "_temporary" in k]
    notes = {k.split("/")[1]: v for k, v in below(s3, bucket, "notes/").items()}
    assert notes == {"boto": "404", "parquet": "[0, 1, 2, 3, 4]", "exists": "False", "lazy": "['old a']",
                     "renamed": "True"}
    assert below(s3, bucket, "files/a.csv") == {"files/a.csv": "b\n"}
    assert "LINE\n" in below(s3, bucket, "rdd/part-").values()

    warned = [line for line in done["errors"] if "CISTERN WARNING" in line]
    assert len(warned) == 1 and f"s3://{bucket}/out/old-" in warned[0]
    wait_until(lambda: not files(server), 20, "nothing kept on disk")
