"""S3Settings GlueCatalogGeneration: the tables of a task in the Data Catalog."""

import pytest

from tests.support.dms import Task, tasks


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda **more: Task(server, mariadb, unique("dms"), schema, **more)) as make:
        yield make


def columns(table):
    return [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]]


def test_a_load_defines_its_tables(task, glue, mariadb, schema):
    mariadb.execute(
        "CREATE TABLE Orders (Id INT UNSIGNED PRIMARY KEY, a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d MEDIUMINT UNSIGNED,"
        " e BIGINT, f BIGINT UNSIGNED, g DECIMAL(10,2), h DECIMAL(60,2), i FLOAT, j DOUBLE, k DATE, l DATETIME(3),"
        " m TIMESTAMP NULL, n TIME, o YEAR, p CHAR(3), q TEXT, r VARBINARY(9), s BIT(3), t ENUM('x','y'))",
        "INSERT INTO Orders (Id) VALUES (1)",
        "CREATE TABLE empty_one (id INT PRIMARY KEY)", database=schema)
    t = task(migration="full-load", s3={"GlueCatalogGeneration": True, "AddColumnName": True, "IncludeOpForFullLoad": True,
                                        "TimestampColumnName": "ts", "BucketFolder": "in"})
    t.start()
    t.until("stopped")
    assert glue.get_database(Name=schema)["Database"]["CatalogId"] == "000000000000"
    table = glue.get_table(DatabaseName=schema, Name="orders")["Table"]
    assert columns(table) == [
        ("op", "string"), ("ts", "timestamp"), ("id", "bigint"), ("a", "tinyint"), ("b", "smallint"), ("c", "smallint"),
        ("d", "int"), ("e", "bigint"), ("f", "decimal(20,0)"), ("g", "decimal(10,2)"), ("h", "string"), ("i", "float"),
        ("j", "double"), ("k", "date"), ("l", "timestamp"), ("m", "timestamp"), ("n", "string"), ("o", "smallint"),
        ("p", "string"), ("q", "string"), ("r", "string"), ("s", "string"), ("t", "string")]
    storage = table["StorageDescriptor"]
    assert storage["Location"] == f"s3://{t.bucket}/{t.prefix('Orders', 'in/')}"
    assert storage["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ",", "serialization.format": ","}}
    assert table["TableType"] == "EXTERNAL_TABLE" and table["VersionId"] == "0"
    assert table["Parameters"] == {
        "classification": "csv", "columnsOrdered": "true", "compressionType": "none", "delimiter": ",",
        "typeOfData": "file", "EXTERNAL": "TRUE", "skip.header.line.count": "1"}


def test_statements_change_the_table(task, glue, mariadb, schema):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO t VALUES (1,'one')", database=schema)
    t = task(s3={"GlueCatalogGeneration": True, "CsvDelimiter": ";", "CompressionType": "gzip"})
    t.start()
    table = glue.get_table(DatabaseName=schema, Name="t")["Table"]
    assert columns(table) == [("id", "int"), ("v", "string")]
    assert table["Parameters"]["delimiter"] == ";" and table["Parameters"]["compressionType"] == "gzip"
    assert "skip.header.line.count" not in table["Parameters"]
    mariadb.execute("INSERT INTO t VALUES (2,'two')", "ALTER TABLE t ADD COLUMN n BIGINT", "INSERT INTO t VALUES (3,'x',9)",
                    database=schema)
    t.caught_up()
    table = glue.get_table(DatabaseName=schema, Name="t")["Table"]
    assert columns(table) == [("id", "int"), ("v", "string"), ("n", "bigint")] and table["VersionId"] == "1"
    versions = glue.get_table_versions(DatabaseName=schema, TableName="t")["TableVersions"]
    assert [columns(v["Table"]) for v in versions][1] == [("id", "int"), ("v", "string")]


def test_a_second_load_makes_no_version(task, glue, mariadb, schema):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", database=schema)
    t = task(migration="full-load", s3={"GlueCatalogGeneration": True})
    t.start()
    t.until("stopped")
    t.start("reload-target")
    t.until("stopped")
    assert glue.get_table(DatabaseName=schema, Name="t")["Table"]["VersionId"] == "0"


def test_without_the_setting_the_catalog_stays_empty(task, glue, mariadb, schema):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", database=schema)
    t = task(migration="full-load")
    t.start()
    t.until("stopped")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name=schema)
