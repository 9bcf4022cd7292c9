"""The job that the courses teach, unmodified, on a real Spark: behind DMS, S3 events and a Python
Lambda; its variants; what AWS would have done; and on a cluster."""

import csv
import io

import pytest

from tests.support.pipeline import ROOT, Pipeline, zip_of
from tests.support.spark import QUICK, Cluster, Jobs, spark_server

pytestmark = pytest.mark.timeout(900)  # on a busy machine a Spark takes its time

PEOPLE = {i: (f"Person {i}", ["Houston", "New York", "San José, CA"][i % 3]) for i in range(101)}
CHANGES = [
    ("U", 7, "Jane Seven", "Paris"), ("I", 130, "Ann, B.", "Köln"), ("I", 131, "Bob", "Rome"),
    ("I", 132, "Cy", "Oslo"), ("U", 8, "Jim Eight", "Lima"), ("D", 10, *PEOPLE[10]),
]


def merged():
    rows = dict(PEOPLE)
    for op, key, *rest in CHANGES:
        rows.pop(key, None)
        if op != "D":
            rows[key] = tuple(rest)
    return {(str(k), *v) for k, v in rows.items()}


MERGED = merged()


def csv_text(rows):
    """As DMS writes it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def objects(s3, bucket, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {o["Key"]: o for page in pages for o in page.get("Contents", [])
            if o["Key"].rsplit("/", 1)[-1][:1] not in ("", "_", ".")}


def rows_under(s3, bucket, prefix, header=False):
    """All rows of the CSV files of a data set."""
    rows = []
    for key in objects(s3, bucket, prefix):
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        read = list(csv.reader(io.StringIO(text)))
        rows += [tuple(r) for r in (read[1:] if header else read)]
    return rows


def check(rows, expected=MERGED):
    assert len(rows) == len(set(rows)), "rows twice"
    assert set(rows) == expected, (sorted(set(rows) - expected)[:3], sorted(expected - set(rows))[:3])


@pytest.fixture(scope="module")
def spark():
    server = spark_server()
    yield server
    server.close()


@pytest.fixture
def jobs(spark, unique):
    return Jobs(spark, unique)


def course(final):
    return (ROOT / "fixtures/glue/cdc_course.py").read_text().replace("cdc-final-bucket", final)


# --- the pipeline -------------------------------------------------------------------------------------

def test_course_pipeline(spark, jobs, mariadb, schema, unique):
    """MariaDB → DMS → S3 event → Python Lambda → PySpark; 101 rows become 103."""
    mariadb.execute(
        "CREATE TABLE Persons (PersonID INT PRIMARY KEY, FullName VARCHAR(255), City VARCHAR(255))", database=schema)
    for key, (name, city) in PEOPLE.items():
        mariadb.execute(f"INSERT INTO Persons VALUES ({key}, '{name}', '{city}')", database=schema)
    p = Pipeline(spark.client, unique("course"))
    p.buckets()
    p.role()
    jobs.make(course(p.final), name=p.job)
    p.function(code=zip_of(**{"lambda-function.py": (ROOT / "fixtures/lambda/start_cdc.py").read_text()}),
               handler="lambda-function.lambda_handler")
    p.trigger()
    p.instance()
    p.endpoints(mariadb)
    p.test_connections()
    p.task(schema, ["Persons"])
    p.start()
    spark.wait_idle(180)
    loaded = rows_under(p.s3, p.final, "output/")
    check(loaded, {(str(k), *v) for k, v in PEOPLE.items()})

    mariadb.execute(*[
        f"UPDATE Persons SET FullName='{name}', City='{city}' WHERE PersonID={key}" if op == "U" else
        f"INSERT INTO Persons VALUES ({key}, '{name}', '{city}')" if op == "I" else
        f"DELETE FROM Persons WHERE PersonID={key}" for op, key, name, city in CHANGES], database=schema)
    spark.wait_idle(180)
    runs = p.runs()
    assert [r["JobRunState"] for r in runs] == ["SUCCEEDED", "SUCCEEDED"], (
        runs, [jobs.lines(r, "error") for r in runs])
    check(rows_under(p.s3, p.final, "output/"))
    warned = [line for line in jobs.lines(runs[0], "error") if "CISTERN WARNING" in line]
    assert len(warned) == 1 and "LOST" in warned[0] and f"s3://{p.final}/output/part-" in warned[0]
    assert not any("CISTERN WARNING" in line for line in jobs.lines(runs[1], "error"))
    assert jobs.lines(runs[0], "output")[-1] == "done"


# --- what AWS would have done -------------------------------------------------------------------------

def prepare(jobs, unique, arguments=None):
    """A final data set with all people, a change file, and the job; nothing of it went through Spark."""
    final = unique("final")
    jobs.s3.create_bucket(Bucket=final)
    everybody = csv_text((k, *v) for k, v in PEOPLE.items())
    jobs.s3.put_object(Bucket=final, Key="output/part-00000-1-c000.csv", Body=everybody.encode())
    jobs.put("changes.csv", csv_text(CHANGES))
    job = jobs.make(course(final), arguments=arguments)
    return final, job, {"s3_target_path_bucket": jobs.bucket, "s3_target_path_key": "changes.csv"}


@pytest.fixture
def prepared(jobs, unique):
    return prepare(jobs, unique)


def test_self_overwrite_as_on_aws(jobs, prepared):
    """The rows of the old data set are lost, the inserted ones survive."""
    final, job, arguments = prepared
    jobs.good(job, **arguments, self_overwrite="aws")
    inserted = {(str(k), *rest) for op, k, *rest in CHANGES if op == "I"}
    check(rows_under(jobs.s3, final, "output/"), inserted)


def test_self_overwrite_as_plain_spark(jobs, prepared):
    final, job, arguments = prepared
    done = jobs.bad(job, **arguments, self_overwrite="spark")
    assert done["ErrorMessage"].startswith("An error occurred while calling o"), done["ErrorMessage"]
    assert any("FileNotFoundException: No such file" in line for line in done["errors"]), done["errors"]
    assert objects(jobs.s3, final, "output/") == {}


# --- variants -----------------------------------------------------------------------------------------

def test_variants(jobs, unique):
    out = unique("variants")
    jobs.s3.create_bucket(Bucket=out)
    job = jobs.make("cdc_variants.py", arguments={"--s3_output_path_bucket": out, "--job-bookmark-option":
                                                  "job-bookmark-disable"})
    jobs.put("my db/Persons/LOAD00000001.csv", csv_text((k, *v) for k, v in PEOPLE.items()))
    jobs.put("my db/Persons/20240612-103127367.csv", csv_text(CHANGES))
    for name in ("LOAD00000001", "20240612-103127367"):
        done = jobs.good(job, s3_target_path_bucket=jobs.bucket, s3_target_path_key=f"my+db/Persons/{name}.csv")
        assert len([line for line in done["output"] if line.startswith("variant ")]) == 6, done["output"]
    check(rows_under(jobs.s3, out, "header/", header=True))
    check(rows_under(jobs.s3, out, "temp_folder/"))
    check(rows_under(jobs.s3, out, "one_file/"))
    assert list(objects(jobs.s3, out, "one_file/")) == ["one_file/table.csv"]
    check(rows_under(jobs.s3, out, "ddl_and_joins/"))
    assert len(objects(jobs.s3, out, "temp_folder/")) == 1
    assert all(key.endswith(".parquet") for key in objects(jobs.s3, out, "parquet/"))
    check(rows_under(jobs.s3, out, "dynamic_frame/run=changes/", header=True))
    check([tuple(line.split("|")[1:]) for line in done["output"] if line.startswith("parquet|")])


# --- a cluster ----------------------------------------------------------------------------------------

def test_course_job_on_a_cluster(unique, tmp_path):
    """One master and two workers as processes of their own: the same rows."""
    cluster = Cluster(tmp_path)
    try:
        server = spark_server("--spark-master", cluster.url)
        try:
            jobs = Jobs(server, unique)
            final, job, arguments = prepare(jobs, unique, {
                "--conf": QUICK + " --conf spark.executor.memory=600m --conf spark.cores.max=2"})
            done = jobs.good(job, **arguments)
            check(rows_under(jobs.s3, final, "output/"))
            assert cluster.url in "".join(done["errors"])
            assert cluster.log("worker0").count("Asked to launch executor") == 1
            assert cluster.log("worker1").count("Asked to launch executor") == 1
        finally:
            server.close()
    finally:
        cluster.close()
