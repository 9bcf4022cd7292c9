"""The table changes while the pipeline runs: real DDL on MariaDB, followed by DMS, merged by
cistern-merge; the final set has the table's columns and rows."""

import csv
import io

import pytest

from tests.support.dms_text import columns, objects, source_rows
from tests.support.merge_job import Merge
from tests.support.pipeline import Pipeline


@pytest.fixture
def server(make_server):
    return make_server("--clock-scale", "60")


def final_rows(pipeline, table, header=True):
    """(names, rows) of the final data set; values by name."""
    names, rows = None, []
    for key in objects(pipeline.s3, pipeline.final, f"{table}/"):
        text = pipeline.s3.get_object(Bucket=pipeline.final, Key=key)["Body"].read().decode()
        lines = list(csv.reader(io.StringIO(text, newline="")))
        assert names in (None, lines[0])
        names, rows = lines[0], rows + lines[1:]
    return names, rows


def assert_equal(server, mariadb, schema, pipeline, table="t"):
    server.wait_idle()
    assert [r.get("ErrorMessage") for r in pipeline.runs() if r["JobRunState"] != "SUCCEEDED"] == []
    names, rows = final_rows(pipeline, table)
    source = [c[0] for c in columns(mariadb, schema, table)]
    assert sorted(names) == sorted(source)
    order = [names.index(c) for c in source]
    assert sorted(tuple(r[i] for i in order) for r in rows) == sorted(source_rows(mariadb, schema, table))


def build(server, mariadb, schema, unique, **settings):
    pipeline = Pipeline(server.client, unique("p"))
    pipeline.buckets()
    pipeline.role()
    pipeline.merge_job(**{"--output_header": "true"})
    pipeline.function()
    pipeline.trigger()
    pipeline.instance()
    pipeline.endpoints(mariadb, CdcMaxBatchInterval=0, **settings)
    pipeline.test_connections()
    pipeline.task(schema)
    pipeline.start()
    return pipeline


STEPS = [
    ("ALTER TABLE {t} ADD COLUMN d INT", "INSERT INTO {t}(id, a, c, d) VALUES (10, 'A', 'C', 5)"),
    ("ALTER TABLE {t} DROP COLUMN b", "UPDATE {t} SET a='changed' WHERE id=2"),
    ("ALTER TABLE {t} ADD COLUMN e TEXT FIRST", "INSERT INTO {t}(id, a, e) VALUES (11, 'x', 'new\n\"line\"')"),
    ("ALTER TABLE {t} CHANGE a renamed VARCHAR(50)", "UPDATE {t} SET renamed='again' WHERE id=3"),
    ("ALTER TABLE {t} DROP COLUMN e, ADD COLUMN f INT", "INSERT INTO {t}(id, f) VALUES (12, 7)"),
    ("ALTER TABLE {t} RENAME COLUMN f TO g", "DELETE FROM {t} WHERE id=1"),
    ("ALTER TABLE {t} DROP COLUMN c", "UPDATE {t} SET renamed='end' WHERE id=4"),
]


@pytest.mark.parametrize("settings", [{}, {"AddColumnName": True}], ids=["plain", "header"])
@pytest.mark.parametrize("merged", ["each", "together"])
def test_columns_come_and_go(server, mariadb, schema, unique, settings, merged):
    table = f"{schema}.t"
    mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20), c VARCHAR(20))",
                    f"INSERT INTO {table} SELECT seq, concat('a', seq), concat('b,', seq), concat('c\"', seq)"
                    " FROM seq_1_to_6", database=schema)
    pipeline = build(server, mariadb, schema, unique, **settings)
    assert_equal(server, mariadb, schema, pipeline)
    if merged == "together":  # all change files in one run, each with columns of its own
        pipeline.functions.delete_function(FunctionName=pipeline.function_arn)
    for statements in STEPS:
        mariadb.execute(*(s.format(t=table) for s in statements))
        server.wait_idle()
        if merged == "each":
            assert_equal(server, mariadb, schema, pipeline)
    if merged == "together":
        pipeline.glue.start_job_run(JobName=pipeline.job, Arguments={"--source_path": f"s3://{pipeline.temp}/"})
    assert_equal(server, mariadb, schema, pipeline)


def test_a_dropped_column_of_the_same_name_comes_back_empty(server, mariadb, schema, unique):
    table = f"{schema}.t"
    mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, a INT, b INT)",
                    f"INSERT INTO {table} VALUES (1, 1, 1), (2, 2, 2)")
    pipeline = build(server, mariadb, schema, unique)
    assert_equal(server, mariadb, schema, pipeline)
    mariadb.execute(f"ALTER TABLE {table} DROP COLUMN a")
    server.wait_idle()
    mariadb.execute(f"ALTER TABLE {table} ADD COLUMN a INT")
    server.wait_idle()
    mariadb.execute(f"INSERT INTO {table}(id, a) VALUES (3, 3)")
    assert_equal(server, mariadb, schema, pipeline)


def test_truncate(server, mariadb, schema, unique):
    """DMS empties the table's folder; the next merge begins with no rows. As on AWS nothing happens to
    the final set until its job runs."""
    table = f"{schema}.t"
    mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, a INT)", f"INSERT INTO {table} VALUES (1, 1), (2, 2)")
    pipeline = build(server, mariadb, schema, unique)
    mariadb.execute(f"UPDATE {table} SET a=7 WHERE id=1")
    assert_equal(server, mariadb, schema, pipeline)
    mariadb.execute(f"TRUNCATE TABLE {table}")
    server.wait_idle()
    assert objects(pipeline.s3, pipeline.temp) == []
    assert len(final_rows(pipeline, "t")[1]) == 2
    mariadb.execute(f"INSERT INTO {table} VALUES (2, 20)")
    assert_equal(server, mariadb, schema, pipeline)
    mariadb.execute(f"INSERT INTO {table} VALUES (3, 30)", f"TRUNCATE TABLE {table}")
    server.wait_idle()
    server.kill()
    server.start()
    # The event of a deleted object may start the job too: the key names the table.
    pipeline.glue.start_job_run(JobName=pipeline.job, Arguments={
        "--bucket": pipeline.temp, "--key": f"{schema}/t/LOAD00000001.csv"})
    assert_equal(server, mariadb, schema, pipeline)
    assert final_rows(pipeline, "t") == (["id", "a"], [])
    mariadb.execute(f"INSERT INTO {table} VALUES (4, 40)")
    assert_equal(server, mariadb, schema, pipeline)


def test_reload_of_a_table_that_is_empty_now(server, mariadb, schema, unique):
    table = f"{schema}.t"
    mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, a INT)", f"INSERT INTO {table} VALUES (1, 1), (2, 2)")
    pipeline = build(server, mariadb, schema, unique)
    assert_equal(server, mariadb, schema, pipeline)
    pipeline.dms.stop_replication_task(ReplicationTaskArn=pipeline.task_arn)
    pipeline._wait("replication_task_stopped")
    mariadb.execute(f"DELETE FROM {table}")
    pipeline.start("reload-target")
    server.wait_idle()
    mariadb.execute(f"INSERT INTO {table} VALUES (5, 5)")
    assert_equal(server, mariadb, schema, pipeline)


def test_columns_named_by_the_user_go_before_those_of_dms(server, mariadb, schema, unique):
    mariadb.execute(f"CREATE TABLE {schema}.t (id INT PRIMARY KEY, a INT)", f"INSERT INTO {schema}.t VALUES (1, 1)")
    pipeline = build(server, mariadb, schema, unique)
    server.wait_idle()
    merge = Merge(server, unique("merge"))
    merge.temp = pipeline.temp
    merge.run("LOAD00000001.csv", table=f"{schema}/t",
              **{"--columns": "number,value", "--primary_key": "number", "--output_header": "true"})
    assert merge.rows() == [("1", "1"), ("number", "value")]
