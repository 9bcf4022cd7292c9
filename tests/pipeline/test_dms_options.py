"""What endpoint settings do to the files."""

import gzip
import re
import time

import pytest

from tests.support.dms import Task, tasks
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda **more: Task(server, mariadb, unique("dms"), schema, **more)) as make:
        yield make


@pytest.fixture
def table(mariadb, schema):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO t VALUES (1,'one'),(2,NULL)",
                    database=schema)
    return lambda *sql: mariadb.execute(*sql, database=schema)


def test_header_operation_and_timestamp(task, table):
    t = task(s3=dict(AddColumnName=True, TimestampColumnName="ts", IncludeOpForFullLoad=True, BucketFolder="/a/b/"))
    t.start()
    table("UPDATE t SET v='x' WHERE id=2")
    t.caught_up()
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
    load = t.text("t", "LOAD00000001.csv", "a/b/").splitlines()
    assert load[0] == "Op,ts,id,v"
    assert re.fullmatch(f"I,{stamp},1,one", load[1]) and re.fullmatch(f"I,{stamp},2,", load[2])
    [name] = t.changes("t", "a/b/")
    change = t.text("t", name, "a/b/").splitlines()
    assert change[0] == "Op,ts,id,v" and re.fullmatch(r"U,[-0-9]{10} [:0-9]{8}\.000000,2,x", change[1]) and len(change) == 2


def test_header_of_a_load_has_no_op(task, table):
    t = task(migration="full-load", s3=dict(AddColumnName=True, TimestampColumnName="ts",
                                            UseTaskStartTimeForFullLoadTimestamp=True))
    t.start()
    t.until("stopped")
    lines = t.text("t", "LOAD00000001.csv").splitlines()
    assert lines[0] == "ts,id,v"
    stamps = {line.split(",")[0] for line in lines[1:]}
    assert len(stamps) == 1


def test_gzip(task, table):
    t = task(s3=dict(CompressionType="GZIP"))
    t.start()
    table("INSERT INTO t VALUES (3,'three')")
    t.caught_up()
    assert t.loads("t") == ["LOAD00000001.csv.gz"]
    assert t.text("t", "LOAD00000001.csv.gz") == "1,one\n2,\n"
    [name] = t.changes("t")
    assert name.endswith(".csv.gz") and t.text("t", name) == "I,3,three\n"
    raw = t.s3.get_object(Bucket=t.bucket, Key=t.prefix("t") + name)["Body"].read()
    assert raw[3] == 0 and raw[4:8] == b"\0\0\0\0" and raw[9] == 3
    assert gzip.decompress(raw)


def test_delimiters_null_and_no_quotes(task, table):
    table("INSERT INTO t VALUES (3,'a|b'),(4,'say \"x\"')")
    t = task(migration="full-load", s3=dict(CsvDelimiter="|", CsvRowDelimiter="\\r\\n", CsvNullValue="NULL"))
    t.start()
    t.until("stopped")
    assert t.text("t", "LOAD00000001.csv") == '1|one\r\n2|NULL\r\n3|"a|b"\r\n4|"say ""x"""\r\n'
    raw = task(migration="full-load", s3=dict(Rfc4180=False))
    raw.start()
    raw.until("stopped")
    assert raw.text("t", "LOAD00000001.csv") == '1,one\n2,\n3,a|b\n4,say "x"\n'


@pytest.mark.parametrize("settings,want", [
    (dict(CdcInsertsOnly=True), "3,x\n"),
    (dict(CdcInsertsOnly=True, IncludeOpForFullLoad=True), "I,3,x\n"),
    (dict(CdcInsertsAndUpdates=True), "3,x\n1,y\n"),
    (dict(CdcInsertsAndUpdates=True, IncludeOpForFullLoad=True), "I,3,x\nU,1,y\n"),
])
def test_selected_operations(task, table, settings, want):
    t = task(s3=settings)
    t.start()
    table("INSERT INTO t VALUES (3,'x')", "UPDATE t SET v='y' WHERE id=1", "DELETE FROM t WHERE id=2")
    t.caught_up()
    assert t.change_text("t") == want


def test_settings_as_attributes(task, table, server):
    t = task(migration="full-load")
    dms = server.client("dms")
    dms.modify_endpoint(EndpointArn=t.target, ExtraConnectionAttributes="bucketFolder=f;addColumnName=y")
    shown = dms.describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": [t.target]}])["Endpoints"][0]
    assert shown["S3Settings"]["BucketFolder"] == "f" and shown["S3Settings"]["AddColumnName"] is True
    t.start()
    t.until("stopped")
    assert t.text("t", "LOAD00000001.csv", "f/") == "id,v\n1,one\n2,\n"


def test_load_files_are_cut_by_size(task, table):
    table("DELETE FROM t", "INSERT INTO t SELECT seq, REPEAT('x',30) FROM seq_1_to_1000")
    t = task(migration="full-load", s3=dict(MaxFileSize=3))
    t.start()
    t.until("stopped")
    names = t.loads("t")
    assert len(names) > 9 and names[:2] == ["LOAD00000001.csv", "LOAD00000002.csv"] and "LOAD0000000A.csv" in names
    rows = "".join(t.text("t", n) for n in names).splitlines()
    assert rows == [f"{i},{'x' * 30}" for i in range(1, 1001)]
    assert all(len(t.text("t", n)) >= 3072 for n in names[:-1])


def test_changes_wait_for_their_interval(task, table):
    """60 emulated seconds are one real one here."""
    t = task(s3=dict(CdcMaxBatchInterval=60))
    t.start()
    begin = time.monotonic()
    for i in range(10, 14):
        table(f"INSERT INTO t VALUES ({i},'x')")
    assert t.changes("t") == []
    wait_until(lambda: t.changes("t"), 10)
    assert time.monotonic() - begin >= 0.9
    assert t.change_text("t") == "I,10,x\nI,11,x\nI,12,x\nI,13,x\n"
    assert len(t.changes("t")) == 1


def test_flush_does_not_wait(task, table, server):
    t = task(s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    table("INSERT INTO t VALUES (10,'x')")
    t.caught_up(20)
    assert t.change_text("t") == "I,10,x\n"


def test_changes_are_cut_by_size(task, table):
    t = task(s3=dict(CdcMaxBatchInterval=3600, CdcMinFileSize=4))
    t.start()
    table("INSERT INTO t SELECT seq, REPEAT('y',30) FROM seq_1001_to_2000")
    wait_until(lambda: len(t.changes("t")) >= 8, 10)
    t.caught_up()
    names = t.changes("t")
    assert all(len(t.text("t", n)) >= 4096 for n in names[:-1])
    assert t.change_text("t").splitlines() == [f"I,{i},{'y' * 30}" for i in range(1001, 2001)]
    assert names == sorted(names) and len(set(names)) == len(names)


def test_one_transaction_over_two_tables_gives_two_files(task, table, mariadb, schema):
    table("CREATE TABLE u (id INT PRIMARY KEY)")
    t = task()
    t.start()
    with mariadb.connect(schema, autocommit=False) as c, c.cursor() as cursor:
        for i in range(10, 15):
            cursor.execute(f"INSERT INTO t VALUES ({i},'x')")
            cursor.execute(f"INSERT INTO u VALUES ({i})")
        c.commit()
    t.caught_up()
    assert len(t.changes("t")) == 1 and len(t.changes("u")) == 1
    assert t.change_text("u") == "".join(f"I,{i}\n" for i in range(10, 15))
    assert t.keys("u") == t.changes("u")  # an empty table has no LOAD file
