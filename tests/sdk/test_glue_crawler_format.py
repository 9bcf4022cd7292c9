"""What crawlers make of files: formats, types, SerDes, parameters, custom classifiers."""

import datetime
import decimal
import gzip
import json

import pyarrow as pa
import pytest

from tests.support.crawlers import Crawl, columns, parquet


@pytest.fixture
def crawl(server, unique):
    return Crawl(server, unique)


def only_table(crawl, files, **more):
    crawl.put(files)
    crawl.create(**more)
    crawl.run()
    (table,) = crawl.tables().values()
    return table


def test_csv_with_header(crawl):
    body = "Order Id,name,price,day\n007,x,2.5,2026-11-20\n8,y,3,\n"
    table = only_table(crawl, {"a.csv": body})
    assert table["Name"] == "in" and table["TableType"] == "EXTERNAL_TABLE"
    assert columns(table) == [("order id", "bigint"), ("name", "string"), ("price", "double"),
                              ("day", "string")]
    sd = table["StorageDescriptor"]
    assert sd["Location"] == f"s3://{crawl.bucket}/in/"
    assert sd["InputFormat"] == "org.apache.hadoop.mapred.TextInputFormat"
    assert sd["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","}}
    run = table["Parameters"].pop("CRAWL_RUN_ID")
    assert run == crawl.crawler()["LastCrawl"]["MessagePrefix"]
    assert table["Parameters"] == {
        "CrawlerSchemaDeserializerVersion": "1.0", "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawl.name, "areColumnsQuoted": "false", "classification": "csv",
        "columnsOrdered": "true", "compressionType": "none", "delimiter": ",", "objectCount": "1",
        "recordCount": "2", "sizeKey": str(len(body)), "averageRecordSize": str(len(body) // 2),
        "skip.header.line.count": "1", "typeOfData": "file"}
    assert sd["Parameters"] == table["Parameters"]


def test_csv_without_header(crawl):
    """As DMS writes changes: the operation first, no names."""
    table = only_table(crawl, {"20261120-1.csv": "I,1,x,1.5\nU,1,y,2\n"})
    assert columns(table) == [("col0", "string"), ("col1", "bigint"), ("col2", "string"), ("col3", "double")]
    assert "skip.header.line.count" not in table["Parameters"]
    assert table["Parameters"]["recordCount"] == "2"


def test_csv_all_text_has_no_header(crawl):
    table = only_table(crawl, {"a.csv": "name,town\nx,y\nv,w\n"})
    assert columns(table) == [("col0", "string"), ("col1", "string")]


@pytest.mark.parametrize("delimiter", ["|", "\t", ";", "\x01"])
def test_csv_delimiters(crawl, delimiter):
    body = "\n".join(delimiter.join(row) for row in (("id", "v"), ("1", "a,b"), ("2", "c,d"))) + "\n"
    table = only_table(crawl, {"a.csv": body})
    assert columns(table) == [("id", "bigint"), ("v", "string")]
    assert table["Parameters"]["delimiter"] == delimiter
    assert table["StorageDescriptor"]["SerdeInfo"]["Parameters"]["field.delim"] == delimiter


def test_csv_quoted_and_gzip(crawl):
    body = 'id,text,ok\n"1","a, ""b""\nc",true\n2,d,false\n'.encode()
    table = only_table(crawl, {"a.csv.gz": gzip.compress(body)})
    assert columns(table) == [("id", "bigint"), ("text", "string"), ("ok", "boolean")]
    parameters = table["Parameters"]
    assert parameters["areColumnsQuoted"] == "true" and parameters["compressionType"] == "gzip"
    assert parameters["recordCount"] == "2"
    assert table["StorageDescriptor"]["Compressed"] is True


def test_large_csv_is_estimated_from_its_head(crawl):
    rows = 300_000
    body = "id,v\n" + "".join(f"{i},abcdef\n" for i in range(100_000, 100_000 + rows))
    table = only_table(crawl, {"a.csv": body})
    count = int(table["Parameters"]["recordCount"])
    assert abs(count - rows) < rows / 100, count


def test_json_lines(crawl):
    rows = [
        {"Id": 1, "amount": 1, "tags": ["a"], "who": {"Name": "x", "age": None}, "mixed": 1},
        {"Id": 5_000_000_000, "amount": 2.5, "tags": [], "who": {"age": 3}, "mixed": "text", "late": True},
    ]
    table = only_table(crawl, {"a.json": "\n".join(map(json.dumps, rows))})
    assert columns(table) == [
        ("id", "bigint"), ("amount", "double"), ("tags", "array<string>"),
        ("who", "struct<Name:string,age:int>"), ("mixed", "string"), ("late", "boolean")]
    assert table["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"paths": "Id,amount,late,mixed,tags,who"}}
    assert table["Parameters"]["classification"] == "json"


def test_json_array_and_path(crawl):
    body = json.dumps([{"a": 1}, {"b": [1.5]}], indent=1)
    table = only_table(crawl, {"a.json": body})
    assert columns(table) == [("array", "array<struct<a:int,b:array<double>>>")]
    name = crawl.name + "-path"
    crawl.glue.create_classifier(JsonClassifier={"Name": name, "JsonPath": "$[*]"})
    crawl.glue.update_crawler(Name=crawl.name, Classifiers=[name])
    crawl.run()
    table = crawl.table("in")
    assert columns(table) == [("a", "int"), ("b", "array<double>")]
    assert table["Parameters"]["jsonPath"] == "$[*]"


def test_parquet_types(crawl):
    body = parquet(
        Tiny=pa.array([1], pa.int8()), small=pa.array([1], pa.int16()), i=pa.array([1], pa.int32()),
        big=pa.array([1], pa.int64()), wide=pa.array([1], pa.uint32()), f=pa.array([1], pa.float32()),
        d=pa.array([1], pa.float64()), ok=pa.array([True]), s=pa.array(["x"]), raw=pa.array([b"x"]),
        money=pa.array([decimal.Decimal("1.25")], pa.decimal128(12, 2)),
        day=pa.array([datetime.date(2026, 1, 1)]), at=pa.array([0], pa.timestamp("us")),
        l=pa.array([[[1]]], pa.list_(pa.list_(pa.int32()))),
        m=pa.array([[("k", 1.5)]], pa.map_(pa.string(), pa.float64())),
        t=pa.array([{"x": 1, "y": {"z": "q"}}], pa.struct([("x", pa.int64()), ("y", pa.struct([("z", pa.string())]))])),
    )
    table = only_table(crawl, {"a.parquet": body})
    assert columns(table) == [
        ("tiny", "tinyint"), ("small", "smallint"), ("i", "int"), ("big", "bigint"), ("wide", "bigint"),
        ("f", "float"), ("d", "double"), ("ok", "boolean"), ("s", "string"), ("raw", "binary"),
        ("money", "decimal(12,2)"), ("day", "date"), ("at", "timestamp"), ("l", "array<array<int>>"),
        ("m", "map<string,double>"), ("t", "struct<x:bigint,y:struct<z:string>>")]
    assert table["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"}}
    assert table["Parameters"]["recordCount"] == "1"


def test_avro(crawl):
    schema = {"type": "record", "name": "r", "fields": [
        {"name": "Id", "type": "long"}, {"name": "v", "type": ["null", "double"]},
        {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 3}}]}
    text = json.dumps(schema).encode()

    def number(n):  # zigzag varint
        n, out = n << 1, b""
        while n > 0x7F:
            out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
        return out + bytes([n])

    def counted(b):
        return number(len(b)) + b

    head = b"Obj\x01" + number(2) + counted(b"avro.schema") + counted(text)
    head += counted(b"avro.codec") + counted(b"null") + number(0) + b"0123456789abcdef"
    table = only_table(crawl, {"a.avro": head})
    assert columns(table) == [("id", "bigint"), ("v", "double"), ("d", "decimal(8,3)")]
    assert json.loads(table["Parameters"]["avro.schema.literal"]) == schema


def test_what_nobody_knows(crawl):
    table = only_table(crawl, {"a.orc": b"ORC" + bytes(range(200)), "_SUCCESS": "x", "empty.csv": ""})
    assert table["Parameters"]["classification"] == "UNKNOWN" and columns(table) == []
    assert table["Parameters"]["objectCount"] == "1"
    assert any("UNKNOWN: it is an ORC file" in line for line in crawl.lines())


def test_custom_csv(crawl):
    name = crawl.name + "-csv"
    crawl.glue.create_classifier(CsvClassifier={
        "Name": name, "Delimiter": "~", "QuoteSymbol": "'", "ContainsHeader": "ABSENT",
        "Header": ["first", "second", "third"], "CustomDatatypeConfigured": True,
        "CustomDatatypes": ["INT", "STRING", "DATE"]})
    table = only_table(crawl, {"a.txt": "1~'a~b'~2026-11-20\n"}, Classifiers=[name])
    assert columns(table) == [("first", "int"), ("second", "string"), ("third", "date")]
    assert table["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"quoteChar": "'", "separatorChar": "~"}}
