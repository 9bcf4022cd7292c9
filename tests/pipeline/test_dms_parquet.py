"""DataFormat=parquet: the files of real tasks, read back with pyarrow."""

import datetime
import decimal
import io
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests.pipeline.test_dms_types import COLUMNS, ROWS, utc
from tests.support import dms_text
from tests.support.dms import Task, selection, tasks
from tests.support.wait import wait_until

US = pa.timestamp("us", tz="UTC")
ARROW = {
    "id": pa.int32(), "i1": pa.int8(), "i1u": pa.uint8(), "i2": pa.int16(), "i3": pa.int32(), "i3u": pa.uint32(),
    "i4u": pa.uint32(), "i8": pa.int64(), "i8u": pa.uint64(), "b": pa.int8(), "dec1": pa.decimal128(20, 6),
    "dec2": pa.decimal128(5, 0), "f": pa.float64(), "d": pa.float64(), "bit1": pa.bool_(), "bit12": pa.binary(),
    "bit64": pa.binary(), "dt": pa.date32(), "t0": pa.string(), "t3": pa.string(), "dt0": US, "dt3": US, "dt6": US,
    "ts0": US, "ts2": US, "y": pa.int16(), "c": pa.string(), "v": pa.string(), "vl": pa.string(), "tt": pa.string(),
    "tx": pa.string(), "mt": pa.string(), "lt": pa.string(), "bin": pa.binary(), "vb": pa.binary(), "tb": pa.binary(),
    "bl": pa.binary(), "mb": pa.binary(), "e": pa.string(), "s": pa.string(), "j": pa.string(), "g": pa.binary(),
}


@pytest.fixture
def task(server, mariadb, schema, unique):
    def new(s3=None, **more):
        members = {"DataFormat": "parquet", **(s3 or {})}
        members = {name: value for name, value in members.items() if value is not None}
        return Task(server, mariadb, unique("dms"), schema, s3=members, **more)

    with tasks(new) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: utc(mariadb, schema, *statements)


def body(t, table, name):
    return t.s3.get_object(Bucket=t.bucket, Key=t.prefix(table) + name)["Body"].read()


def read(t, table, name):
    return pq.read_table(io.BytesIO(body(t, table, name)))


def metadata(t, table, name):
    return pq.read_metadata(io.BytesIO(body(t, table, name)))


def load(t, table="t"):
    return read(t, table, "LOAD00000001.parquet")


def changes(t, table="t"):
    """Rows of all change files, in order."""
    return [row for name in t.changes(table) for row in read(t, table, name).to_pylist()]


def typed(text, kind, column_type):
    """What the documented text of a value is as a value."""
    if text is None:
        return None
    if kind in dms_text._INTEGER:
        return int(text)
    if kind == "decimal":
        return decimal.Decimal(text)
    if kind in ("float", "double"):
        return float(text)
    if column_type == "bit(1)":
        return text == "1"
    if kind == "bit" or kind in dms_text._BINARY or kind in dms_text._SPATIAL:
        return bytes.fromhex(text)
    if kind == "date":
        return datetime.date.fromisoformat(text)
    if kind in ("datetime", "timestamp"):
        whole, _, fraction = text.partition(".")
        moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
        return moment.replace(microsecond=int(fraction.ljust(6, "0")))
    return text


def source(db, schema, table="t"):
    described = dms_text.columns(db, schema, table)
    return [{name: typed(text, kind, column_type) for text, (name, kind, column_type) in zip(row, described)}
            for row in dms_text.source_rows(db, schema, table, null=None)]


def by_id(rows):
    return sorted(rows, key=lambda row: row["id"])


# --- values ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("more", [{}, dict(EncodingType="plain", ParquetVersion="parquet-2-0", CompressionType="GZIP")])
def test_every_type_in_load_and_changes(task, sql, mariadb, schema, more):
    sql(f"CREATE TABLE t ({COLUMNS}) CHARACTER SET utf8mb4", *(f"INSERT INTO t VALUES {r}" for r in ROWS))
    t = task(s3=more)
    t.start()
    want = by_id(source(mariadb, schema))
    assert len(want) == len(ROWS)
    assert t.keys("t") == ["LOAD00000001.parquet"]
    assert {f.name: f.type for f in load(t).schema} == ARROW
    assert load(t).schema.names == list(ARROW)
    assert by_id(load(t).to_pylist()) == want
    sql("DELETE FROM t", *(f"INSERT INTO t VALUES {r}" for r in ROWS))
    t.caught_up()
    for name in t.changes("t"):
        assert re.fullmatch(r"\d{8}-\d{9}\.parquet", name)
        assert read(t, "t", name).schema.names == ["Op", *ARROW]
    for op in "DI":
        assert by_id({k: v for k, v in row.items() if k != "Op"} for row in changes(t) if row["Op"] == op) == want


def test_limits_of_decimals(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, a DECIMAL(38,10), b DECIMAL(38,0), c DECIMAL(38,38), d DECIMAL(39,0),"
        " e DECIMAL(65,30), f DECIMAL(1,0) UNSIGNED)",
        f"INSERT INTO t VALUES (1,-{'9' * 28}.{'9' * 10},{'9' * 38},-0.{'9' * 38},{'9' * 39},-{'9' * 35}.{'9' * 30},9),"
        "(2,0,0,0,0,0,0),(3,NULL,NULL,NULL,NULL,NULL,NULL),(4,1,-1,0.00000000000000000000000000000000000001,-1,0.5,1)")
    t = task()
    t.start()
    got = load(t)
    decimal128 = pa.decimal128
    assert got.schema.types[1:] == [decimal128(38, 10), decimal128(38, 0), decimal128(38, 38), pa.string(), pa.string(),
                                    decimal128(1, 0)]
    for i in (1, 2, 3, 6):
        column = metadata(t, "t", "LOAD00000001.parquet").row_group(0).column(i)
        assert column.physical_type == "FIXED_LEN_BYTE_ARRAY"
        values = [v for v in got.column(i).to_pylist() if v is not None]
        assert (column.statistics.min, column.statistics.max) == (min(values), max(values))
    one, two, three, four = (list(row.values())[1:] for row in by_id(got.to_pylist()))
    assert [str(v) for v in one] == [f"-{'9' * 28}.{'9' * 10}", "9" * 38, f"-0.{'9' * 38}", "9" * 39,
                                     f"-{'9' * 35}.{'9' * 30}", "9"]
    assert two[3:5] == ["0", "0." + "0" * 30] and two[0] == 0
    assert three == [None] * 6
    assert four == [1, -1, decimal.Decimal(1).scaleb(-38), "-1", "0.5" + "0" * 29, 1]


def test_moments(task, sql):
    """In UTC, to the microsecond or the millisecond; what no calendar has is null."""
    sql("SET sql_mode='ALLOW_INVALID_DATES'",
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE, dt DATETIME(6), ts TIMESTAMP(6) NULL)",
        "INSERT INTO t VALUES (1,'0000-00-00','0000-00-00 00:00:00','0000-00-00 00:00:00'),"
        "(2,'2023-02-31','2023-02-31 01:02:03',NULL),(3,'2024-02-29','1969-12-31 23:59:59.999999','1970-01-01 00:00:01'),"
        "(4,'0001-01-01','0001-01-01 00:00:00','2038-01-19 03:14:07.999999'),"
        "(5,'9999-12-31','9999-12-31 23:59:59.999999','2000-02-29 12:00:00.5')")
    utc_time = lambda *parts: datetime.datetime(*parts, tzinfo=datetime.timezone.utc)
    want = [
        (None, None, None), (None, None, None),
        (datetime.date(2024, 2, 29), utc_time(1969, 12, 31, 23, 59, 59, 999999), utc_time(1970, 1, 1, 0, 0, 1)),
        (datetime.date(1, 1, 1), utc_time(1, 1, 1), utc_time(2038, 1, 19, 3, 14, 7, 999999)),
        (datetime.date(9999, 12, 31), utc_time(9999, 12, 31, 23, 59, 59, 999999), utc_time(2000, 2, 29, 12, 0, 0, 500000)),
    ]
    whole = lambda v: v.replace(microsecond=v.microsecond // 1000 * 1000) if isinstance(v, datetime.datetime) else v
    for ms in (False, True):
        t = task(migration="full-load", s3=dict(ParquetTimestampInMillisecond=ms))
        t.start()
        t.until("stopped")
        got = load(t)
        assert got.schema.types[2:] == [pa.timestamp("ms" if ms else "us", tz="UTC")] * 2
        rows = [tuple(row.values())[1:] for row in by_id(got.to_pylist())]
        assert rows == ([tuple(map(whole, row)) for row in want] if ms else want)


def test_large_objects_are_cut_and_chars_padded(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, a LONGTEXT, b LONGBLOB, c CHAR(5), v VARCHAR(9)) CHARACTER SET utf8mb4",
        "INSERT INTO t VALUES (1,CONCAT('x',REPEAT('\u00e4',1000)),REPEAT(X'01',3000),'\u00e4b','v'),(2,NULL,'',NULL,'')")
    t = task(s3=dict(AddTrailingPaddingCharacter=True), settings={"TargetMetadata": {"LobMaxSize": 1}})
    t.start()
    assert by_id(load(t).to_pylist()) == [
        {"id": 1, "a": "x" + "\u00e4" * 511, "b": b"\x01" * 1024, "c": "\u00e4b   ", "v": "v"},
        {"id": 2, "a": None, "b": b"", "c": None, "v": ""}]


def test_names_of_columns(task, sql):
    names = ["a.b", "a b", 'q"t', "\u00e4\u20ac", "=cmd", "x;y,z", "{}()", "Op"]
    columns = ", ".join(f"`{n}` INT" for n in names)
    sql(f"CREATE TABLE `t.x y` (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4",
        f"INSERT INTO `t.x y` VALUES (0,{','.join(str(i) for i in range(len(names)))})")
    t = task()
    t.start()
    got = load(t, "t.x y")
    assert got.schema.names == ["id", *names]
    assert got.to_pylist() == [{"id": 0, **{n: i for i, n in enumerate(names)}}]


# --- layout ---------------------------------------------------------------------------------------

def test_operation_and_timestamp_are_text(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(s3=dict(IncludeOpForFullLoad=True, TimestampColumnName="ts", AddColumnName=True))
    t.start()
    sql("INSERT INTO t VALUES (2)", "UPDATE t SET id=3 WHERE id=2", "DELETE FROM t WHERE id=1")
    t.caught_up()
    assert {f.name: f.type for f in load(t).schema} == {"Op": pa.string(), "ts": pa.string(), "id": pa.int32()}
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
    [row] = load(t).to_pylist()
    assert row["Op"] == "I" and re.fullmatch(stamp, row["ts"])
    got = changes(t)
    assert [(r["Op"], r["id"]) for r in got] == [("I", 2), ("U", 3), ("D", 1)]
    assert all(re.fullmatch(stamp, r["ts"]) for r in got)


@pytest.mark.parametrize("include,names", [(False, ["id"]), (True, ["Op", "id"])])
def test_inserts_only(task, sql, include, names):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(s3=dict(CdcInsertsOnly=True, IncludeOpForFullLoad=include))
    t.start()
    sql("INSERT INTO t VALUES (2)", "DELETE FROM t WHERE id=1")
    t.caught_up()
    assert load(t).schema.names == names
    [name] = t.changes("t")
    assert read(t, "t", name).schema.names == names and [r["id"] for r in changes(t)] == [2]


def test_new_columns_come_with_a_new_file(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, a INT)", "INSERT INTO t VALUES (1,1)")
    t = task(s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO t VALUES (2,2)", "ALTER TABLE t ADD COLUMN n VARCHAR(5) FIRST, MODIFY a BIGINT",
        "INSERT INTO t VALUES ('x',3,3)")
    wait_until(lambda: t.statistics("t")["Inserts"] == 2, 60, "both changes being read")
    t.stop()
    first, second = (read(t, "t", name) for name in t.changes("t"))
    assert {f.name: f.type for f in first.schema} == {"Op": pa.string(), "id": pa.int32(), "a": pa.int32()}
    assert [(f.name, f.type) for f in second.schema] == [("Op", pa.string()), ("id", pa.int32()), ("a", pa.int64()),
                                                         ("n", pa.string())]
    assert first.to_pylist() == [{"Op": "I", "id": 2, "a": 2}]
    assert second.to_pylist() == [{"Op": "I", "id": 3, "a": 3, "n": "x"}]


def test_large_loads_have_several_files(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, v BINARY(100))",
        "INSERT INTO t SELECT seq, RANDOM_BYTES(100) FROM seq_1_to_5000")
    t = task(s3=dict(MaxFileSize=100, RowGroupLength=300))
    t.start()
    names = t.loads("t")
    assert names[0] == "LOAD00000001.parquet" and 5 <= len(names) <= 7
    assert all(len(body(t, "t", n)) < 150 * 1024 for n in names)
    ids = [i for n in names for i in read(t, "t", n).column("id").to_pylist()]
    assert sorted(ids) == list(range(1, 5001))


def test_whole_transactions_stay_csv(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(s3=dict(PreserveTransactions=True, CdcPath="cdc"))
    t.start()
    sql("INSERT INTO t VALUES (2)")
    t.caught_up()
    assert t.keys("t") == ["LOAD00000001.parquet"]
    [key] = dms_text.objects(t.s3, t.bucket, "cdc/")
    assert key.endswith(".csv")
    assert t.s3.get_object(Bucket=t.bucket, Key=key)["Body"].read().decode() == f"I,t,{t.schema},2\n"


def test_empty_tables_have_no_file(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY)")
    t = task()
    t.start()
    assert t.keys("t") == []


def test_rules_change_types(task, sql, schema):
    def rule(number, action, column, **more):
        return {"rule-type": "transformation", "rule-id": str(number), "rule-name": f"r{number}", "rule-target": "column",
                "rule-action": action, "object-locator": {"schema-name": schema, "table-name": "t", "column-name": column},
                **more}

    def added(number, name, expression, **kind):
        return {"rule-type": "transformation", "rule-id": str(number), "rule-name": f"r{number}", "rule-target": "column",
                "rule-action": "add-column", "object-locator": {"schema-name": schema, "table-name": "t"},
                "value": name, "expression": expression, "data-type": kind}

    sql("CREATE TABLE t (id INT PRIMARY KEY, n INT, m VARCHAR(20))", "INSERT INTO t VALUES (1,-7,'12.5'),(2,NULL,NULL)")
    t = task(rules=[selection(schema), rule(2, "change-data-type", "n", **{"data-type": {"type": "string", "length": 20}}),
                    rule(3, "change-data-type", "m", **{"data-type": {"type": "numeric", "precision": 10, "scale": 2}}),
                    rule(4, "rename", "id", value="key"),
                    added(5, "up", "$id * 2", type="int8"), added(6, "half", "$id / 4.0", type="real8"),
                    added(7, "small", "$id / 4.0", type="real4"), added(8, "say", "'it is ' || $id", type="string", length=30),
                    added(9, "day", "'2024-02-29'", type="date"),
                    added(10, "at", "'2024-02-29 01:02:03.5'", type="datetime"),
                    added(11, "yes", "$id > 1", type="boolean")])
    t.start()
    sql("INSERT INTO t VALUES (3,3,'3')")
    t.caught_up()
    got = load(t)
    assert {f.name: f.type for f in got.schema} == {
        "key": pa.int32(), "n": pa.string(), "m": pa.decimal128(10, 2), "up": pa.int64(), "half": pa.float64(),
        "small": pa.float32(), "say": pa.string(), "day": pa.date32(), "at": US, "yes": pa.bool_()}
    at = datetime.datetime(2024, 2, 29, 1, 2, 3, 500000, tzinfo=datetime.timezone.utc)
    day = datetime.date(2024, 2, 29)
    want = {1: ("-7", decimal.Decimal("12.50"), False), 2: (None, None, True), 3: ("3", decimal.Decimal("3.00"), True)}
    for row in got.to_pylist() + changes(t):
        n, m, yes = want.pop(row["key"])
        assert row == {**({"Op": "I"} if "Op" in row else {}), "key": row["key"], "n": n, "m": m, "up": row["key"] * 2,
                       "half": row["key"] / 4, "small": row["key"] / 4, "say": f"it is {row['key']}", "day": day, "at": at,
                       "yes": yes}
    assert not want


def test_the_catalog_knows_the_types(server, task, sql, schema):
    sql("CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, a BIT(1), b BIT(9), c VARBINARY(3), d FLOAT, e DECIMAL(9,2),"
        " f DECIMAL(60,2), g DATETIME, h TIME, i BIGINT UNSIGNED)", "INSERT INTO t (id) VALUES (1)")
    t = task(migration="full-load", s3=dict(GlueCatalogGeneration=True, TimestampColumnName="ts", CompressionType="gzip"))
    t.start()
    t.until("stopped")
    table = server.client("glue").get_table(DatabaseName=schema, Name="t")["Table"]
    storage = table["StorageDescriptor"]
    assert [(c["Name"], c["Type"]) for c in storage["Columns"]] == [
        ("ts", "string"), ("id", "bigint"), ("a", "boolean"), ("b", "binary"), ("c", "binary"), ("d", "double"),
        ("e", "decimal(9,2)"), ("f", "string"), ("g", "timestamp"), ("h", "string"), ("i", "decimal(20,0)")]
    assert table["Parameters"] == {"classification": "parquet", "compressionType": "gzip", "typeOfData": "file",
                                   "EXTERNAL": "TRUE"}
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith(".ParquetHiveSerDe")
    assert storage["InputFormat"].endswith(".MapredParquetInputFormat")


# --- settings -------------------------------------------------------------------------------------

def many(sql, n=25000):
    sql("CREATE TABLE t (id INT PRIMARY KEY, few VARCHAR(9), each_ VARCHAR(20), n INT)",
        f"INSERT INTO t SELECT seq, CONCAT('f', seq % 7), CONCAT('text ', seq), NULLIF(seq % 10, 0) FROM seq_1_to_{n}")


def test_defaults(task, sql):
    many(sql)
    t = task()
    t.start()
    m = metadata(t, "t", "LOAD00000001.parquet")
    assert m.format_version == "1.0" and m.num_rows == 25000
    assert [m.row_group(i).num_rows for i in range(m.num_row_groups)] == [10000, 10000, 5000]
    assert m.created_by == "AWS"
    rows = load(t)
    for i in range(m.num_row_groups):
        for k, name in enumerate(["id", "few", "each_", "n"]):
            column = m.row_group(i).column(k)
            values = rows.column(name).slice(i * 10000, 10000).to_pylist()
            known = [v for v in values if v is not None]
            assert column.path_in_schema == name and column.compression == "UNCOMPRESSED"
            assert "RLE_DICTIONARY" in column.encodings and column.num_values == len(values)
            assert column.statistics.null_count == len(values) - len(known)
            assert (column.statistics.min, column.statistics.max) == (min(known), max(known))


def test_members_reach_the_file(task, sql):
    many(sql)
    t = task(s3=dict(CompressionType="gzip", EncodingType="plain-dictionary", RowGroupLength=7000, DictPageSizeLimit=2000,
                     DataPageSize=1000, ParquetVersion="parquet-2-0", EnableStatistics=False))
    t.start()
    assert t.loads("t") == ["LOAD00000001.parquet"]
    m = metadata(t, "t", "LOAD00000001.parquet")
    assert m.format_version != "1.0"
    assert [m.row_group(i).num_rows for i in range(m.num_row_groups)] == [7000, 7000, 7000, 4000]
    _, few, each, _ = (m.row_group(0).column(i) for i in range(4))
    assert few.compression == "GZIP" and few.statistics is None
    assert set(few.encodings) == {"RLE", "PLAIN_DICTIONARY"}
    assert "PLAIN" in each.encodings  # its dictionary has become too large
    assert each.total_compressed_size < each.total_uncompressed_size
    assert sorted(load(t).column("id").to_pylist()) == list(range(1, 25001))
    assert load(t).column("each_").to_pylist() == [f"text {i}" for i in load(t).column("id").to_pylist()]


def test_members_as_attributes(task, sql):
    """As AWS's own examples have them."""
    sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1),(2),(3)")
    t = task(s3=dict(DataFormat=None))
    t.dms.modify_endpoint(
        EndpointArn=t.target,
        ExtraConnectionAttributes="dataFormat=parquet;parquetVersion=PARQUET_2_0;rowGroupLength=2;encodingType=PLAIN;")
    t.start()
    m = metadata(t, "t", "LOAD00000001.parquet")
    assert m.format_version != "1.0" and m.num_row_groups == 2
    assert "RLE_DICTIONARY" not in m.row_group(0).column(0).encodings
    shown = t.dms.describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": [t.target]}])["Endpoints"][0]
    assert shown["S3Settings"]["DataFormat"] == "parquet" and shown["S3Settings"]["RowGroupLength"] == 2


def test_changes_are_cut_by_size(task, sql):
    sql("CREATE TABLE t (id INT PRIMARY KEY, v BINARY(100))")
    t = task(s3=dict(CdcMaxBatchInterval=3600, CdcMinFileSize=20))
    t.start()
    sql("INSERT INTO t SELECT seq, RANDOM_BYTES(100) FROM seq_1_to_1000")
    wait_until(lambda: t.statistics("t")["Inserts"] == 1000, 60, "all changes being read")
    assert 4 <= len(t.changes("t")) <= 6
    t.stop()
    assert [row["id"] for row in changes(t)] == list(range(1, 1001))


@pytest.mark.parametrize("member,value,why", [
    ("DataFormat", "orc", "must be csv or parquet"), ("EncodingType", "delta", "must be plain, plain-dictionary or"),
    ("ParquetVersion", "2.0", "must be parquet-1-0 or parquet-2-0"), ("RowGroupLength", 0, "must be at least 1"),
    ("DataPageSize", -1, "must be at least 1"), ("DictPageSizeLimit", -1, "must be at least 0"),
])
def test_members_are_checked(server, unique, member, value, why):
    settings = {"BucketName": "b", "ServiceAccessRoleArn": "arn:aws:iam::000000000000:role/dms", "DataFormat": "parquet"}
    with pytest.raises(ClientError, match=f"{member}.*{why}"):
        server.client("dms").create_endpoint(EndpointIdentifier=unique("e"), EndpointType="target", EngineName="s3",
                                             S3Settings={**settings, member: value})
