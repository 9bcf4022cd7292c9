"""Every CSV member of S3Settings, by the keys and bytes of the objects that a real task writes."""

import datetime
import itertools
import re
import zoneinfo

import pytest

from tests.support import dms_text
from tests.support.dms import Task, tasks
from tests.support.wait import wait_until

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
NAME = r"\d{8}-\d{9}\.csv"


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda db=mariadb, **more: Task(server, db, unique("s3set"), schema, **more)) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    run = lambda *statements: mariadb.execute(*statements, database=schema)
    run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO t VALUES (1,'one'),(2,NULL)")
    return run


def at(utc):
    """Makes the next statements of a session happen at this time of 'YYYY-mm-dd HH:MM:SS' UTC."""
    moment = datetime.datetime.fromisoformat(utc).replace(tzinfo=datetime.timezone.utc)
    return f"SET timestamp={int(moment.timestamp())}"


def all_text(t):
    """{key: text} of the whole bucket."""
    found = {}
    for key in dms_text.objects(t.s3, t.bucket):
        found[key] = t.s3.get_object(Bucket=t.bucket, Key=key)["Body"].read().decode()
    return found


# --- date partitions ---

SEQUENCES = {"YYYYMMDD": "Y M D", "YYYYMMDDHH": "Y M D H", "YYYYMM": "Y M", "MMYYYYDD": "M Y D", "DDMMYYYY": "D M Y"}
DELIMITERS = {"SLASH": "/", "DASH": "-", "UNDERSCORE": "_", "NONE": ""}


@pytest.mark.parametrize("sequence,delimiter", itertools.product(SEQUENCES, DELIMITERS))
def test_date_partitions(task, sql, sequence, delimiter):
    t = task(s3=dict(DatePartitionEnabled=True, DatePartitionSequence=sequence, DatePartitionDelimiter=delimiter))
    t.start()
    sql(at("2021-11-23 01:02:03"), "INSERT INTO t VALUES (3,'three')")
    t.caught_up()
    folder = DELIMITERS[delimiter].join(
        {"Y": "2021", "M": "11", "D": "23", "H": "01"}[part] for part in SEQUENCES[sequence].split())
    [name] = t.changes("t")
    assert re.fullmatch(f"{folder}/{NAME}", name), name
    assert t.text("t", name) == "I,3,three\n"
    assert t.loads("t") == ["LOAD00000001.csv"]  # at the table's root


def test_date_partition_defaults(task, sql):
    t = task(s3=dict(DatePartitionEnabled=True, BucketFolder="in"))
    t.start()
    sql(at("1999-01-02 23:59:59"), "INSERT INTO t VALUES (3,'three')")
    t.caught_up()
    [name] = t.changes("t", "in/")
    assert re.fullmatch(f"1999/01/02/{NAME}", name)


@pytest.mark.parametrize("zone,commit,folder", [
    ("Asia/Seoul", "2026-04-01 13:40:19", "2026/04/01"),
    ("Asia/Seoul", "2026-04-01 15:00:00", "2026/04/02"),
    ("America/New_York", "2026-03-08 04:59:59", "2026/03/07"),  # -5 before, -4 after
    ("America/New_York", "2026-11-01 03:59:59", "2026/10/31"),
    ("Asia/Kolkata", "2026-06-30 18:30:00", "2026/07/01"),
    ("Europe/Berlin", "2037-07-01 22:00:00", "2037/07/02"),  # by the rule behind the last transition
    ("Australia/Lord_Howe", "2026-01-01 13:00:00", "2026/01/02"),
    ("UTC", "2026-01-01 13:00:00", "2026/01/01"),
])
def test_date_partition_timezone(task, sql, zone, commit, folder):
    t = task(s3=dict(DatePartitionEnabled=True, DatePartitionTimezone=zone))
    t.start()
    sql(at(commit), "INSERT INTO t VALUES (3,'three')")
    t.caught_up()
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
    [name] = t.changes("t")
    found = re.fullmatch(f"{folder}/({NAME})", name)
    assert found, name
    cut = datetime.datetime.strptime(found[1][:-7], "%Y%m%d-%H%M%S")
    assert abs((now - cut).total_seconds()) < 60


def test_each_commit_date_has_a_file(task, sql):
    """Rows of one window whose commits are of different dates: a file per date, order kept."""
    t = task(s3=dict(DatePartitionEnabled=True, CdcMaxBatchInterval=3600))
    t.start()
    sql(at("2026-01-01 23:59:59"), "INSERT INTO t VALUES (3,'a')", "INSERT INTO t VALUES (4,'b')",
        at("2026-01-02 00:00:00"), "UPDATE t SET v='c' WHERE id=3", "DELETE FROM t WHERE id=4")
    t.caught_up()
    changes = t.changes("t")
    assert [c[:11] for c in changes] == ["2026/01/01/", "2026/01/02/"]
    assert t.text("t", changes[0]) == "I,3,a\nI,4,b\n" and t.text("t", changes[1]) == "U,3,c\nD,4,b\n"
    assert changes[0][11:] < changes[1][11:]  # names are unique and in order, though cut at once


def test_many_commit_dates_in_one_window(task, sql):
    t = task(s3=dict(DatePartitionEnabled=True, DatePartitionSequence="YYYYMMDDHH", CdcMaxBatchInterval=3600))
    t.start()
    for day in range(1, 25):
        sql(at(f"2026-01-{day:02} 12:00:00"), f"INSERT INTO t VALUES ({day + 10},'x')")
    t.caught_up()
    assert [(c[:14], t.text("t", c)) for c in t.changes("t")] == [
        (f"2026/01/{day:02}/12/", f"I,{day + 10},x\n") for day in range(1, 25)]


def test_older_date_is_cut_first(task, sql):
    """60 emulated seconds are one real one: the first date's window ends while the second's is open."""
    t = task(s3=dict(DatePartitionEnabled=True, CdcMaxBatchInterval=120))
    t.start()
    sql(at("2026-01-01 10:00:00"), "INSERT INTO t VALUES (3,'a')")
    changes = wait_until(lambda: t.changes("t"), 20)
    sql(at("2026-01-02 10:00:00"), "INSERT INTO t VALUES (4,'b')")
    assert [c[:11] for c in changes] == ["2026/01/01/"]
    wait_until(lambda: t.statistics("t")["Inserts"] == 2, 20)
    t.stop()
    assert [c[:11] for c in t.changes("t")] == ["2026/01/01/", "2026/01/02/"]
    assert t.change_text("t") == "I,3,a\nI,4,b\n"


def test_dates_survive_kill(fresh_server, mariadb, schema, sql, unique):
    """Files of one date are put while another date's is open: a kill neither loses nor repeats."""
    t = Task(fresh_server, mariadb, unique("s3set"), schema,
             s3=dict(DatePartitionEnabled=True, CdcMaxBatchInterval=30))
    t.start()
    want = ""
    for day in range(1, 12):
        sql(at(f"2026-01-{day:02} 12:00:00"), f"INSERT INTO t VALUES ({day + 10},'x')")
        want += f"I,{day + 10},x\n"
        if day % 3 == 0:
            wait_until(lambda: t.changes("t"), 20)
            fresh_server.kill()
            fresh_server.start()
    t.caught_up()
    assert t.change_text("t") == want


# --- PreserveTransactions ---

def transactions(t, prefix):
    return [(k[len(prefix):], v) for k, v in all_text(t).items() if k.startswith(prefix)]


@pytest.mark.parametrize("folder,path,prefix", [("", "tx", "tx/"), ("/f/", "/a/b/", "f/a/b/")])
def test_preserve_transactions(task, sql, schema, folder, path, prefix):
    sql("CREATE TABLE u (k VARCHAR(9) PRIMARY KEY, a INT, b INT)")
    t = task(s3=dict(PreserveTransactions=True, CdcPath=path, BucketFolder=folder, CdcMaxBatchInterval=3600))
    t.start()
    sql("BEGIN", "INSERT INTO t VALUES (3,'x')", "INSERT INTO u VALUES ('a,b',1,NULL)", "UPDATE t SET v='y' WHERE id=1",
        "COMMIT", "DELETE FROM t WHERE id=2", "UPDATE u SET b=7")
    t.caught_up()
    base = folder.strip("/") + "/" if folder else ""
    found = all_text(t)
    assert found.pop(f"{base}{schema}/t/LOAD00000001.csv") == "1,one\n2,\n"
    [(key, text)] = found.items()
    assert re.fullmatch(re.escape(prefix) + r"CDC_TXN-\d{17}\.csv", key), key
    assert text == (f"I,t,{schema},3,x\nI,u,{schema},\"a,b\",1,\nU,t,{schema},1,y\nD,t,{schema},2,\n"
                    f"U,u,{schema},\"a,b\",1,7\n")


def test_transactions_are_cut_at_their_end_only(task, sql, schema):
    t = task(s3=dict(PreserveTransactions=True, CdcPath="tx", CdcMinFileSize=1, CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO t SELECT seq, REPEAT('y',30) FROM seq_101_to_9000", "INSERT INTO t VALUES (10,'z')")
    t.caught_up()
    files = transactions(t, "tx/")
    assert [f[1].count("\n") for f in files] == [8900, 1]
    assert files[0][1].splitlines() == [f"I,t,{schema},{i},{'y' * 30}" for i in range(101, 9001)]


def test_transactions_compressed_with_timestamps_and_chosen_operations(task, sql, schema):
    import gzip
    t = task(s3=dict(PreserveTransactions=True, CdcPath="tx", CompressionType="gzip", CdcInsertsOnly=True,
                     TimestampColumnName="ts"))
    t.start()
    sql(at("2026-01-02 03:04:05"), "INSERT INTO t VALUES (3,'x')", "DELETE FROM t WHERE id=1")
    t.caught_up()
    [key] = dms_text.objects(t.s3, t.bucket, "tx/")
    assert key.endswith(".csv.gz")
    text = gzip.decompress(t.s3.get_object(Bucket=t.bucket, Key=key)["Body"].read()).decode()
    assert text == f"I,t,{schema},2026-01-02 03:04:05.000000,3,x\n"


def test_transactions_with_target_schema_ddl_and_truncate(task, sql):
    t = task(s3=dict(PreserveTransactions=True, CdcPath="tx", CdcMaxBatchInterval=3600),
             settings={"TargetMetadata": {"TargetSchema": "other"}})
    t.start()
    assert dms_text.objects(t.s3, t.bucket) == ["other/t/LOAD00000001.csv"]
    sql("INSERT INTO t VALUES (3,'x')", "ALTER TABLE t ADD n INT DEFAULT 5", "INSERT INTO t VALUES (4,'y',6)",
        "TRUNCATE TABLE t", "INSERT INTO t VALUES (5,'z',7)")
    t.caught_up()
    assert dms_text.objects(t.s3, t.bucket, "other/") == []
    assert "".join(v for _, v in transactions(t, "tx/")) == "I,t,other,3,x\nI,t,other,4,y,6\nI,t,other,5,z,7\n"


def test_transactions_survive_kill_and_stop(fresh_server, mariadb, schema, sql, unique):
    t = Task(fresh_server, mariadb, unique("s3set"), schema,
             s3=dict(PreserveTransactions=True, CdcPath="tx", CdcMaxBatchInterval=20))
    t.start()
    want = []
    for i in range(12):
        sql("BEGIN", *(f"INSERT INTO t VALUES ({100 + 10 * i + k},'x')" for k in range(5)), "COMMIT")
        want += [f"I,t,{schema},{100 + 10 * i + k},x" for k in range(5)]
        if i % 4 == 1:
            fresh_server.kill()
            fresh_server.start()
        if i == 6:
            t.until("running")
            t.stop()
            t.start("resume-processing", wait=False)
    t.caught_up()
    files = transactions(t, "tx/")
    assert "".join(f[1] for f in files).splitlines() == want
    assert all(f[1].count("\n") % 5 == 0 for f in files)
    t.delete()


def test_stop_within_a_large_transaction(task, sql, schema):
    """The stop waits for its end, and the file has all of it."""
    t = task(s3=dict(PreserveTransactions=True, CdcPath="tx", CdcMaxBatchInterval=3600, CdcMinFileSize=1))
    t.start()
    for first in (100_000, 200_000, 300_000):
        sql(f"INSERT INTO t SELECT seq, 'x' FROM seq_{first}_to_{first + 59_999}")
        wait_until(lambda: t.statistics("t")["Inserts"] >= first // 100_000 * 60_000 - 59_000, 20)
        t.stop()
        t.start("resume-processing")
    t.caught_up()
    files = transactions(t, "tx/")
    assert all(f[1].count("\n") % 60_000 == 0 for f in files)
    assert "".join(f[1] for f in files) == "".join(
        f"I,t,{schema},{i},x\n" for first in (100_000, 200_000, 300_000) for i in range(first, first + 60_000))


@pytest.mark.parametrize("settings", [
    dict(PreserveTransactions=True, CdcPath="tx"), dict(DatePartitionEnabled=True), dict(CdcMinFileSize=100)])
def test_lost_connection_within_transactions(task, sql, mariadb, schema, settings):
    """The stream begins the transaction again and drops what is in hand."""
    t = task(s3=dict(CdcMaxBatchInterval=3600, **settings))
    t.start()
    for first in (100_000, 200_000, 300_000):
        sql(f"INSERT INTO t SELECT seq, 'x' FROM seq_{first}_to_{first + 59_999}")
        for (dump,) in mariadb.query("SELECT id FROM information_schema.processlist WHERE command='Binlog Dump'"):
            mariadb.root(f"KILL {dump}")
    t.caught_up()
    rows = [i for first in (100_000, 200_000, 300_000) for i in range(first, first + 60_000)]
    if "CdcPath" in settings:
        assert "".join(f[1] for f in transactions(t, "tx/")) == "".join(f"I,t,{schema},{i},x\n" for i in rows)
    else:
        assert t.change_text("t") == "".join(f"I,{i},x\n" for i in rows)


# --- columns and rows ---

@pytest.mark.parametrize("settings,load,change", [
    (dict(), "1,one\n2,\n", "I,3,x\nU,1,y\nD,2,\n"),
    (dict(IncludeOpForFullLoad=True), "I,1,one\nI,2,\n", "I,3,x\nU,1,y\nD,2,\n"),
    (dict(CdcInsertsOnly=True), "1,one\n2,\n", "3,x\n"),
    (dict(CdcInsertsOnly=True, IncludeOpForFullLoad=True), "I,1,one\nI,2,\n", "I,3,x\n"),
    (dict(CdcInsertsAndUpdates=True), "1,one\n2,\n", "3,x\n1,y\n"),
    (dict(CdcInsertsAndUpdates=True, IncludeOpForFullLoad=True), "I,1,one\nI,2,\n", "I,3,x\nU,1,y\n"),
    (dict(AddColumnName=True), "id,v\n1,one\n2,\n", "Op,id,v\nI,3,x\nU,1,y\nD,2,\n"),
    (dict(AddColumnName=True, IncludeOpForFullLoad=True), "Op,id,v\nI,1,one\nI,2,\n", "Op,id,v\nI,3,x\nU,1,y\nD,2,\n"),
    (dict(AddColumnName=True, CdcInsertsOnly=True), "id,v\n1,one\n2,\n", "id,v\n3,x\n"),
])
def test_operation_column(task, sql, settings, load, change):
    t = task(s3=dict(CdcMaxBatchInterval=3600, **settings))
    t.start()
    sql("INSERT INTO t VALUES (3,'x')", "UPDATE t SET v='y' WHERE id=1", "DELETE FROM t WHERE id=2")
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == load
    assert t.change_text("t") == change


def test_timestamp_column(task, sql):
    t = task(s3=dict(TimestampColumnName="at,", AddColumnName=True, CdcMaxBatchInterval=3600))
    t.start()
    sql("BEGIN", at("2026-05-06 07:08:09"), "INSERT INTO t VALUES (3,'x')", "INSERT INTO t VALUES (4,'y')", "COMMIT",
        at("2026-05-06 07:08:10"), "DELETE FROM t WHERE id=3")
    t.caught_up()
    head, *rows = t.text("t", "LOAD00000001.csv").splitlines()
    assert head == '"at,",id,v'
    stamps = [row.split(",")[0] for row in rows]
    assert all(re.fullmatch(STAMP, s) for s in stamps) and stamps == sorted(stamps)
    assert t.change_text("t") == ('Op,"at,",id,v\nI,2026-05-06 07:08:09.000000,3,x\nI,2026-05-06 07:08:09.000000,4,y\n'
                                  "D,2026-05-06 07:08:10.000000,3,x\n")


def test_empty_timestamp_name_fails_at_the_task(task, sql):
    with pytest.raises(Exception) as e:
        task(s3=dict(TimestampColumnName=""))
    assert e.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "TimestampColumnName cannot be an empty string." in str(e.value)


def test_timestamp_of_the_start(task, sql):
    sql("INSERT INTO t SELECT seq,'x' FROM seq_100_to_200")
    t = task(migration="full-load", s3=dict(TimestampColumnName="ts", UseTaskStartTimeForFullLoadTimestamp=True,
                                            IncludeOpForFullLoad=True))
    t.start()
    shown = t.until("stopped")
    rows = dms_text.read_csv(t.text("t", "LOAD00000001.csv"))
    [stamp] = {row[1] for row in rows}
    started = shown["ReplicationTaskStats"]["StartDate"].astimezone(datetime.timezone.utc).replace(tzinfo=None)
    assert abs(datetime.datetime.fromisoformat(stamp) - started) < datetime.timedelta(milliseconds=2)


def test_null_and_empty(task, sql):
    sql("INSERT INTO t VALUES (3,'')")
    plain = task()
    plain.start()
    marked = task(s3=dict(CsvNullValue='N,"'))
    marked.start()
    sql("UPDATE t SET v=NULL WHERE id=3")
    plain.caught_up()
    assert plain.text("t", "LOAD00000001.csv") == "1,one\n2,\n3,\n"
    assert marked.text("t", "LOAD00000001.csv") == '1,one\n2,N,"\n3,\n'  # as it is given
    assert plain.change_text("t") == "U,3,\n" and marked.change_text("t") == 'U,3,N,"\n'


@pytest.mark.parametrize("image,settings,want", [
    ("MINIMAL", dict(UseCsvNoSupValue=True, CsvNoSupValue="-", CsvNullValue="NULL"),
     ["I,9,-,-,tt", "U,1,b,-,-", "U,1,NULL,-,-", "D,1,-,-,-"]),
    ("MINIMAL", dict(CsvNoSupValue="-", CsvNullValue="NULL"),
     ["I,9,NULL,NULL,tt", "U,1,b,NULL,NULL", "U,1,NULL,NULL,NULL", "D,1,NULL,NULL,NULL"]),
    ("MINIMAL", dict(UseCsvNoSupValue=True, CsvNoSupValue="", CsvNullValue="NULL"),
     ["I,9,,,tt", "U,1,b,,", "U,1,NULL,,", "D,1,,,"]),
    ("MINIMAL", dict(UseCsvNoSupValue=True, CsvNullValue="NULL"),
     ["I,9,NULL,NULL,tt", "U,1,b,NULL,NULL", "U,1,NULL,NULL,NULL", "D,1,NULL,NULL,NULL"]),
    ("NOBLOB", dict(UseCsvNoSupValue=True, CsvNoSupValue="-", CsvNullValue="NULL"),
     ["I,9,NULL,NULL,tt", "U,1,b,5,-", "U,1,NULL,5,-", "D,1,NULL,5,-"]),
    ("FULL", dict(UseCsvNoSupValue=True, CsvNoSupValue="-", CsvNullValue="NULL"),
     ["I,9,NULL,NULL,tt", "U,1,b,5,text", "U,1,NULL,5,text", "D,1,NULL,5,text"]),
])
def test_columns_that_the_log_lacks(task, sql, mariadb, image, settings, want):
    sql("CREATE TABLE m (id INT PRIMARY KEY, a VARCHAR(9), b INT, c TEXT)", "INSERT INTO m VALUES (1,'a',5,'text')")
    t = task(s3=settings)
    t.start()
    sql(f"SET SESSION binlog_row_image={image}", "INSERT INTO m (id,c) VALUES (9,'tt')",
        "UPDATE m SET a='b' WHERE id=1", "UPDATE m SET a=NULL WHERE id=1", "DELETE FROM m WHERE id=1")
    t.caught_up()
    assert t.change_text("m").splitlines() == want


# --- bytes ---

HOSTILE = ["plain", "", " lead and trail ", "54, rue Royale", 'say "x"', "a\nb", "a\rb", "tab\there", "semi;colon",
           "a|b", "a||b", "a^~b", "ünï€😀", "back\\slash", "it's", "\\n", "#", '"', ",", "\n", "NULL"]


def _quoted(text, delimiter):
    if delimiter in text or any(c in text for c in '"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


@pytest.mark.parametrize("delimiter,row_end,rfc4180,shown", [
    (",", "\n", True, (",", "\\n")),
    ("\\t", "\\n", True, ("\\t", "\\n")),
    ("\t", "\r\n", True, ("\\t", "\\r\\n")),
    ("|", "\\r\\n", True, ("|", "\\r\\n")),
    ("||", "@@", True, ("||", "@@")),
    ("^~", "\\n", False, ("^~", "\\n")),
    (";", "\\n", False, (";", "\\n")),
])
def test_delimiters(task, sql, mariadb, schema, delimiter, row_end, rfc4180, shown):
    def bulk(first):
        with mariadb.connect(schema) as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO h VALUES (%s,%s)", [(first + i, v) for i, v in enumerate(HOSTILE)])
    sql("CREATE TABLE h (id INT PRIMARY KEY, v TEXT CHARACTER SET utf8mb4)")
    bulk(0)
    t = task(s3=dict(CsvDelimiter=delimiter, CsvRowDelimiter=row_end, Rfc4180=rfc4180, CdcMaxBatchInterval=3600))
    echo = t.dms.describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": [t.target]}])["Endpoints"][0]
    assert (echo["S3Settings"]["CsvDelimiter"], echo["S3Settings"]["CsvRowDelimiter"]) == shown
    t.start()
    bulk(100)
    t.caught_up()
    decode = lambda s: s.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r")
    d, e = decode(delimiter), decode(row_end)
    text = lambda v: _quoted(v, d) if rfc4180 else v
    assert t.s3.get_object(Bucket=t.bucket, Key=t.prefix("h") + "LOAD00000001.csv")["Body"].read().decode() == "".join(
        f"{i}{d}{text(v)}{e}" for i, v in enumerate(HOSTILE))
    [name] = t.changes("h")
    assert t.s3.get_object(Bucket=t.bucket, Key=t.prefix("h") + name)["Body"].read().decode() == "".join(
        f"I{d}{100 + i}{d}{text(v)}{e}" for i, v in enumerate(HOSTILE))


def test_trailing_padding(task, sql):
    sql("CREATE TABLE p (id INT PRIMARY KEY, c CHAR(5) CHARACTER SET utf8mb4, v VARCHAR(5), b BINARY(3))",
        "INSERT INTO p VALUES (1,'ab','ab','x'),(2,'äö','',NULL),(3,NULL,NULL,NULL),(4,'12345','','abc'),(5,',','','')")
    t = task(s3=dict(AddTrailingPaddingCharacter=True, CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO p VALUES (6,'','','')", "UPDATE p SET c='q\"' WHERE id=1")
    t.caught_up()
    assert t.text("p", "LOAD00000001.csv") == (
        '1,ab   ,ab,780000\n2,äö   ,,\n3,,,\n4,12345,,616263\n5,",    ",,000000\n')
    assert t.change_text("p") == 'I,6,     ,,000000\nU,1,"q""   ",ab,780000\n'


def test_gzip_is_reproducible(task, sql):
    import gzip
    import zlib
    t = task(s3=dict(CompressionType="gzip"))
    t.start()
    sql("INSERT INTO t VALUES (3,'three')")
    t.caught_up()
    [change] = t.changes("t")
    assert re.fullmatch(NAME + r"\.gz", change) and t.loads("t") == ["LOAD00000001.csv.gz"]
    for name, want in (("LOAD00000001.csv.gz", b"1,one\n2,\n"), (change, b"I,3,three\n")):
        raw = t.s3.get_object(Bucket=t.bucket, Key=t.prefix("t") + name)["Body"].read()
        assert raw[:4] == b"\x1f\x8b\x08\x00" and raw[4:8] == b"\0\0\0\0" and raw[9] == 3
        member = zlib.decompressobj(31)
        assert member.decompress(raw) == want and member.unused_data == b"" and gzip.decompress(raw) == want


# --- when files are cut ---

def test_sizes_count_before_compression(task, sql):
    sql("DELETE FROM t", "INSERT INTO t SELECT seq, REPEAT('x',30) FROM seq_101_to_400")  # 34 bytes + newline
    t = task(s3=dict(CompressionType="gzip", MaxFileSize=1, CdcMinFileSize=2, CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO t SELECT seq, REPEAT('y',30) FROM seq_501_to_700")
    t.caught_up()
    loads = [t.text("t", n).count("\n") for n in t.loads("t")]
    assert loads == [30] * 10  # the 30th row of 35 bytes passes 1024
    changes = [t.text("t", n).count("\n") for n in t.changes("t")]
    assert changes == [56, 56, 56, 32]  # rows of 37 bytes, 2048 each


def test_interval_of_zero_cuts_every_transaction(task, sql):
    t = task(s3=dict(CdcMaxBatchInterval=0))
    t.start()
    for i in range(3, 6):
        sql(f"INSERT INTO t VALUES ({i},'x')")
        wait_until(lambda: len(t.changes("t")) == i - 2, 20)
    assert [t.text("t", n) for n in t.changes("t")] == [f"I,{i},x\n" for i in range(3, 6)]


# --- where files go ---

@pytest.mark.parametrize("folder,prefix", [(None, ""), ("", ""), ("/", ""), ("a", "a/"), ("/a/b/", "a/b/"), ("//a", "a/")])
def test_bucket_folder(task, sql, schema, folder, prefix):
    t = task(migration="full-load", s3={} if folder is None else dict(BucketFolder=folder))
    t.start()
    t.until("stopped")
    assert dms_text.objects(t.s3, t.bucket) == [f"{prefix}{schema}/t/LOAD00000001.csv"]


def test_target_schema(task, sql, schema):
    t = task(settings={"TargetMetadata": {"TargetSchema": "warehouse"}})
    t.start()
    sql("INSERT INTO t VALUES (3,'x')")
    t.caught_up()
    load, change = sorted(dms_text.objects(t.s3, t.bucket), reverse=True)
    assert load == "warehouse/t/LOAD00000001.csv" and re.fullmatch("warehouse/t/" + NAME, change)


@pytest.mark.parametrize("mode,left", [
    ("DROP_AND_CREATE", ["LOAD00000001.csv"]),
    ("TRUNCATE_BEFORE_LOAD", ["LOAD00000001.csv"]),
    ("DO_NOTHING", ["20200101-000000000.csv", "LOAD00000001.csv", "LOAD00000002.csv", "deep/er"]),
])
def test_preparation_of_the_target(task, sql, schema, mode, left):
    t = task(migration="full-load", settings={"FullLoadSettings": {"TargetTablePrepMode": mode}})
    for name in ("t/LOAD00000001.csv", "t/LOAD00000002.csv", "t/20200101-000000000.csv", "t/deep/er", "tt/x", "t.x"):
        t.s3.put_object(Bucket=t.bucket, Key=f"{schema}/{name}", Body=b"old")
    t.start()
    t.until("stopped")
    assert t.keys("t") == left
    assert t.text("t", "LOAD00000001.csv") == "1,one\n2,\n"
    assert dms_text.objects(t.s3, t.bucket, f"{schema}/t.") == [f"{schema}/t.x"]
    assert dms_text.objects(t.s3, t.bucket, f"{schema}/tt/") == [f"{schema}/tt/x"]


# --- permissions ---

@pytest.mark.parametrize("acl", ["none", "private", "bucket-owner-full-control", "BUCKET_OWNER_FULL_CONTROL"])
def test_acls_that_give_nothing_away(task, sql, acl):
    t = task(migration="full-load", s3=dict(CannedAclForObjects=acl))
    t.start()
    t.until("stopped")
    grants = t.s3.get_object_acl(Bucket=t.bucket, Key=t.prefix("t") + "LOAD00000001.csv")["Grants"]
    assert [g["Permission"] for g in grants] == ["FULL_CONTROL"]


@pytest.mark.parametrize("acl", ["public-read", "aws-exec-read", "AUTHENTICATED_READ"])
def test_acls_that_buckets_refuse(task, sql, acl):
    """ACLs of buckets are disabled, as in new ones on AWS: a PUT with such an ACL fails there too."""
    t = task()
    t.dms.modify_endpoint(EndpointArn=t.target, S3Settings={"CannedAclForObjects": acl})
    t.dms.start_replication_task(ReplicationTaskArn=t.arn, StartReplicationTaskType="start-replication")
    shown = t.until("failed")
    assert "AccessControlListNotSupported: The bucket does not allow ACLs" in shown["LastFailureMessage"]
    t.dms.test_connection(ReplicationInstanceArn=t.instance, EndpointArn=t.target)
    [connection] = t.dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [t.target]}])["Connections"]
    assert connection["Status"] == "failed"
    assert "AccessControlListNotSupported" in connection["LastFailureMessage"]


def test_expected_bucket_owner(task, sql):
    t = task(s3=dict(ExpectedBucketOwner="000000000000"))
    t.start()
    t.stop()
    t.dms.modify_endpoint(EndpointArn=t.target, S3Settings={"ExpectedBucketOwner": "111122223333"})
    t.dms.start_replication_task(ReplicationTaskArn=t.arn, StartReplicationTaskType="reload-target")
    shown = t.until("failed")
    assert "does not belong to the account 111122223333" in shown["LastFailureMessage"]
    assert t.text("t", "LOAD00000001.csv") == "1,one\n2,\n"  # not even deleted
    t.dms.test_connection(ReplicationInstanceArn=t.instance, EndpointArn=t.target)
    [connection] = t.dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [t.target]}])["Connections"]
    assert connection["Status"] == "failed" and "111122223333" in connection["LastFailureMessage"]
