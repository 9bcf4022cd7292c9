"""The Data Catalog as a Glue script sees it, through from_catalog and through spark.sql: one run of
fixtures/glue/awsglue_catalog.py, its cases judged one by one."""

import itertools
import json

import pytest

from tests.support.spark import Jobs, spark_server

pytestmark = pytest.mark.xdist_group("awsglue-catalog")  # one job serves all of its tests

CSV_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
FILES = {
    "orders/a.csv": "id,price\n1,10\n2,n/a\n3,\n",
    "days/year=2026/day=01/a.json": '{"what":"one"}\n',
    "days/year=2026/day=02/a.json": '{"what":"two"}\n',
    "far/x.csv": "p\n",
    "near/y.csv": "q\n",
    "repair/k=1/a.csv": "v1\n",
    "repair/k=2/a.csv": "v2\n",
}


def storage(location, columns, serde, **parameters):
    return {"Columns": [{"Name": n, "Type": t} for n, t in columns], "Location": location,
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters}}


def make_catalog(glue, database, root):
    glue.create_database(DatabaseInput={"Name": database, "LocationUri": root + "db/"})

    def table(name, sd, keys=(), **parameters):
        glue.create_table(DatabaseName=database, TableInput={
            "Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": sd,
            "PartitionKeys": [{"Name": n, "Type": t} for n, t in keys], "Parameters": parameters})
        return sd

    def partition(name, sd, values, location):
        glue.create_partition(DatabaseName=database, TableName=name, PartitionInput={
            "Values": values, "StorageDescriptor": {**sd, "Location": location}})

    table("orders", storage(root + "orders/", [("id", "string"), ("price", "bigint")], CSV_SERDE,
                            **{"field.delim": ","}),
          classification="csv", **{"skip.header.line.count": "1"})
    days = table("days", storage(root + "days/", [("what", "string")],
                                 "org.openx.data.jsonserde.JsonSerDe"),
                 [("year", "int"), ("day", "string")], classification="json")
    for day in ("01", "02"):
        partition("days", days, ["2026", day], f"{root}days/year=2026/day={day}/")
    scattered = table("scattered", storage(root + "scattered/", [("v", "string")], CSV_SERDE,
                                           **{"field.delim": ","}),
                      [("k", "int")], classification="csv")
    partition("scattered", scattered, ["1"], root + "far/")
    partition("scattered", scattered, ["2"], root + "near/")
    table("ice", storage(root + "ice/", [("v", "string")], CSV_SERDE), table_type="ICEBERG")
    glue.create_connection(ConnectionInput={
        "Name": f"shop-{database}", "ConnectionType": "JDBC", "ConnectionProperties": {
            "JDBC_CONNECTION_URL": "jdbc:mysql://db.example:3306/shop", "USERNAME": "ann",
            "PASSWORD": "secret"}})


@pytest.fixture(scope="module")
def run():
    server = spark_server()
    counter = itertools.count(1)
    jobs = Jobs(server, lambda prefix: f"{prefix}-{next(counter)}")
    for key, body in FILES.items():
        jobs.put(key, body)
    make_catalog(jobs.glue, "shop", f"s3://{jobs.bucket}/")
    job = jobs.make("awsglue_catalog.py", arguments={"--enable-glue-datacatalog": "true"})
    done = jobs.ended(job, jobs.start(job, bucket=jobs.bucket, database="shop"), timeout=900)
    done["output"], done["errors"] = jobs.lines(done, "output"), jobs.lines(done, "error")
    assert done["JobRunState"] == "SUCCEEDED", (done.get("ErrorMessage"), done["errors"])
    cases = dict(line.split(" ", 2)[1:] for line in done["output"] if line.startswith("CASE "))
    done["cases"] = {name: json.loads(text) for name, text in cases.items()}
    done["root"] = f"s3://{jobs.bucket}/"
    yield done
    server.close()


@pytest.fixture
def ok(run):
    def get(name):
        answer = run["cases"][name]
        assert "ok" in answer, (answer, run["errors"][-40:])
        return answer["ok"]

    return get


@pytest.fixture
def refused(run):
    return lambda name: run["cases"][name]["error"]


# --- from_catalog ---
def test_csv_values_that_are_not_of_the_columns_type_make_a_choice(ok):
    fields, rows = ok("from_catalog_types_and_choices")
    assert fields == ["id: string", "price: choice"]
    assert rows == [{"id": "1", "price": {"long": 10}}, {"id": "2", "price": {"string": "n/a"}},
                    {"id": "3"}]


def test_match_catalog_casts_to_the_tables_types(ok):
    assert ok("match_catalog") == [["id: string", "price: long"],
                                   [{"id": "1", "price": 10}, {"id": "2"}, {"id": "3"}]]


def test_push_down_predicate_selects_partitions(ok):
    one = {"what": "one", "year": 2026, "day": "01"}
    two = {"what": "two", "year": 2026, "day": "02"}
    every, predicate, on_the_server = ok("from_catalog_predicate")
    assert len(every) == 2 and one in every and two in every
    assert (predicate, on_the_server) == ([two], [one])


def test_partitions_may_lie_anywhere(ok):
    assert ok("partitions_anywhere") == [{"v": "p", "k": 1}, {"v": "q", "k": 2}]


def test_data_frames_from_the_catalog(ok):
    assert ok("from_catalog_data_frame") == "1"


def test_a_missing_table_is_an_error(refused):
    assert "EntityNotFoundException" in refused("missing_table")


def test_write_from_catalog_adds_the_partition(ok):
    partitions, rows = ok("write_from_catalog")
    assert [["2026", "03"], "day=03"] in partitions
    assert rows == [{"what": "new", "year": 2026, "day": "03"}]


def test_a_sink_makes_and_updates_its_table(ok, run):
    first, columns, partitions, rows = ok("sink_makes_and_updates_a_table")
    assert first == {"columns": [["n", "int"]], "keys": [["p", "string"]], "type": "EXTERNAL_TABLE",
                     "location": run["root"] + "made/", "classification": "parquet"}
    assert columns == [["n", "int"], ["more", "boolean"]]
    assert partitions == [[["a"], "p=a"], [["b"], "p=b"]]
    assert len(rows) == 2 and {"n": 1, "p": "a"} in rows and {"more": True, "n": 2, "p": "b"} in rows


# --- spark.sql ---
def test_sql_reads_tables_of_the_catalog(ok):
    orders, days, scattered, exists = ok("sql_reads")
    assert orders == [{"id": "1", "price": 10}]
    assert days == [{"day": "01", "n": 1}, {"day": "02", "n": 1}]
    assert scattered == [{"v": "p", "k": 1}, {"v": "q", "k": 2}] and exists is True


def test_sql_lists_databases_and_tables(ok):
    assert ok("sql_lists") == [True, True, True]


def test_sql_writes_databases_tables_and_partitions_back(ok, run):
    assert ok("sql_creates_database_and_tables") == [
        "made", run["root"] + "sql", ["dt"], "ParquetHiveSerDe", [["x"]], "MANAGED_TABLE",
        [{"a": 1, "b": "b"}], [{"dt": "x", "id": 7}], 0, False]


def test_save_as_table(ok):
    table, partitions, rows, dynamic = ok("save_as_table")
    assert table["columns"] == [["n", "int"]] and table["keys"] == [["k", "string"]]
    assert table["classification"] == "csv" and partitions == [[["x"], "k=x"], [["y"], "k=y"]]
    assert rows == dynamic == [{"k": "x", "n": 1}, {"k": "y", "n": 2}]


def test_alter_table_adds_and_drops_partitions(ok):
    assert ok("add_partition_by_sql") == [[["2027", "09"], "days9"], 3]


def test_msck_repair_table(ok):
    assert ok("msck") == [[], [[["1"], "k=1"], [["2"], "k=2"]],
                          [{"k": "1", "v": "v1"}, {"k": "2", "v": "v2"}]]


def test_changes_outside_of_the_session_are_seen(ok):
    assert ok("changes_outside_are_seen") == [["id", "price"], ["id", "price", "extra"], 1]


def test_views(ok):
    assert ok("views") == ["VIRTUAL_VIEW", [{"id": "1"}]]


def test_a_managed_table_needs_a_database_with_a_location(refused):
    assert "has no location" in refused("managed_without_location")


def test_an_open_table_format_is_refused(refused):
    assert refused("iceberg_is_refused").startswith("NotImplementedError: Table ice in spark.sql")


def test_purge_table_removes_emptied_partitions(ok):
    assert ok("purge_table") == []


def test_extract_jdbc_conf(ok):
    conf = ok("jdbc_conf")
    assert {k: conf[k] for k in ("url", "fullUrl", "vendor", "user", "password")} == {
        "url": "jdbc:mysql://db.example:3306", "fullUrl": "jdbc:mysql://db.example:3306/shop",
        "vendor": "mysql", "user": "ann", "password": "secret"}
