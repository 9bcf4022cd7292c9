"""Partitions of the Data Catalog, and the expressions that choose among them, through boto3."""

import itertools

import pytest

from tests.support.errors import error_of


@pytest.fixture
def raw(server):
    """Sends what boto3 would refuse itself."""
    return server.client("glue", parameter_validation=False)


@pytest.fixture
def make_table(glue, unique):
    def make(*keys):
        name = unique("db")
        glue.create_database(DatabaseInput={"Name": name})
        glue.create_table(DatabaseName=name, TableInput={
            "Name": "t", "PartitionKeys": [{"Name": k, "Type": t} for k, t in keys],
            "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "int"}], "Location": "s3://b/t/"}})
        return {"DatabaseName": name, "TableName": "t"}

    return make


def part(*values, **more):
    return {"Values": list(values), **more}


def fill(glue, where, rows):
    rows = [r if isinstance(r, tuple) else (r,) for r in rows]
    for i in range(0, len(rows), 100):
        answer = glue.batch_create_partition(**where, PartitionInputList=[part(*r) for r in rows[i:i + 100]])
        assert answer["Errors"] == []


def values(glue, where, **more):
    return [tuple(p["Values"]) for p in glue.get_partitions(**where, **more)["Partitions"]]


def test_partition_comes_back_as_it_was_made(glue, make_table):
    where = make_table(("year", "int"), ("city", "string"))
    storage = {"Columns": [{"Name": "id", "Type": "int"}], "Location": "s3://b/t/year=2020/city=Köln/",
               "InputFormat": "x", "OutputFormat": "y", "SerdeInfo": {"SerializationLibrary": "z"}}
    glue.create_partition(**where, PartitionInput=part("2020", "Köln", StorageDescriptor=storage, Parameters={"a": "b"}))
    got = glue.get_partition(**where, PartitionValues=["2020", "Köln"])["Partition"]
    assert got.pop("CreationTime").tzinfo is not None
    assert got == {
        "Values": ["2020", "Köln"], "DatabaseName": where["DatabaseName"].lower(), "TableName": "t",
        "CatalogId": "000000000000", "Parameters": {"a": "b"},
        "StorageDescriptor": {**storage, "Compressed": False, "NumberOfBuckets": 0, "SortColumns": [],
                              "StoredAsSubDirectories": False}}
    listed = glue.get_partitions(**where, ExcludeColumnSchema=True)["Partitions"]
    assert listed[0]["StorageDescriptor"]["Columns"] == [] and listed[0]["StorageDescriptor"]["Location"] == storage["Location"]


def test_update_may_give_new_values(glue, make_table):
    where = make_table(("k", "string"))
    fill(glue, where, ["a", "b"])
    made = glue.get_partition(**where, PartitionValues=["a"])["Partition"]["CreationTime"]
    glue.update_partition(**where, PartitionValueList=["a"], PartitionInput=part("c", Parameters={"x": "1"}))
    got = glue.get_partition(**where, PartitionValues=["c"])["Partition"]
    assert got["Parameters"] == {"x": "1"} and got["CreationTime"] == made
    assert values(glue, where) == [("b",), ("c",)]
    glue.update_partition(**where, PartitionValueList=["c"], PartitionInput={"Parameters": {"x": "2"}})
    assert glue.get_partition(**where, PartitionValues=["c"])["Partition"]["Parameters"] == {"x": "2"}
    assert error_of(glue.update_partition, **where, PartitionValueList=["c"], PartitionInput=part("b")) == (
        "AlreadyExistsException", "Partition already exists.")
    assert error_of(glue.update_partition, **where, PartitionValueList=["x"], PartitionInput=part("y"))[0] == (
        "EntityNotFoundException")
    assert values(glue, where) == [("b",), ("c",)]


def test_batches_list_what_failed(glue, raw, make_table):
    where = make_table(("k", "string"))
    fill(glue, where, ["a"])
    made = glue.batch_create_partition(**where, PartitionInputList=[part("a"), part("b"), part("c", "d")])
    assert [(e["PartitionValues"], e["ErrorDetail"]["ErrorCode"]) for e in made["Errors"]] == [
        (["a"], "AlreadyExistsException"), (["c", "d"], "InvalidInputException")]
    got = glue.batch_get_partition(**where, PartitionsToGet=[part("b"), part("x"), part("a")])
    assert [p["Values"] for p in got["Partitions"]] == [["b"], ["a"]] and got["UnprocessedKeys"] == []
    updated = glue.batch_update_partition(**where, Entries=[
        {"PartitionValueList": ["a"], "PartitionInput": part("a", Parameters={"n": "1"})},
        {"PartitionValueList": ["x"], "PartitionInput": part("x")}])
    assert [(e["PartitionValueList"], e["ErrorDetail"]) for e in updated["Errors"]] == [
        (["x"], {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Cannot find partition."})]
    assert glue.get_partition(**where, PartitionValues=["a"])["Partition"]["Parameters"] == {"n": "1"}
    deleted = glue.batch_delete_partition(**where, PartitionsToDelete=[part("a"), part("x")])
    assert [e["PartitionValues"] for e in deleted["Errors"]] == [["x"]]
    assert values(glue, where) == [("b",)]
    for call, member, n in ((raw.batch_create_partition, "PartitionInputList", 101),
                            (raw.batch_delete_partition, "PartitionsToDelete", 26),
                            (raw.batch_get_partition, "PartitionsToGet", 1001)):
        assert error_of(call, **where, **{member: [part("z")] * n})[0] == "ValidationException"


def test_errors(glue, raw, make_table):
    where = make_table(("k", "string"))
    nowhere = {**where, "TableName": "none"}
    glue.create_partition(**where, PartitionInput=part("a"))
    assert error_of(glue.create_partition, **where, PartitionInput=part("a")) == (
        "AlreadyExistsException", "Partition already exists.")
    assert error_of(glue.create_partition, **where, PartitionInput=part("a", "b")) == (
        "InvalidInputException", "The number of partition keys do not match the number of partition values")
    assert error_of(raw.create_partition, **where, PartitionInput=part(""))[0] == "InvalidInputException"
    assert error_of(raw.create_partition, **where, PartitionInput=part("x" * 1025))[0] == "InvalidInputException"
    assert error_of(glue.get_partition, **where, PartitionValues=["x"]) == (
        "EntityNotFoundException", "Cannot find partition.")
    assert error_of(glue.delete_partition, **where, PartitionValues=["x"])[0] == "EntityNotFoundException"
    for call, more in ((glue.create_partition, {"PartitionInput": part("a")}), (glue.get_partitions, {}),
                       (glue.get_partition, {"PartitionValues": ["a"]}),
                       (glue.batch_create_partition, {"PartitionInputList": [part("a")]})):
        assert error_of(call, **nowhere, **more) == ("EntityNotFoundException", "Table none not found.")
    glue.delete_partition(**where, PartitionValues=["a"])
    assert values(glue, where) == []


def test_values_may_be_anything(glue, make_table):
    where = make_table(("a", "string"), ("b", "string"))
    rows = [("a/b", "c=d"), ("x\x1fy", "\x1e"), ("x", "y\x1f"), ("it's", '"'), ("ü", "%20")]
    fill(glue, where, rows)
    assert sorted(values(glue, where)) == sorted(rows)
    for row in rows:
        assert glue.get_partition(**where, PartitionValues=list(row))["Partition"]["Values"] == list(row)
    assert values(glue, where, Expression="a = 'it''s'") == [("it's", '"')]


def test_pages_and_segments(glue, raw, make_table):
    where = make_table(("n", "int"))
    all_rows = sorted((str(i),) for i in range(230))
    fill(glue, where, all_rows)
    pages = glue.get_paginator("get_partitions").paginate(**where, PaginationConfig={"PageSize": 50})
    assert [tuple(p["Values"]) for page in pages for p in page["Partitions"]] == all_rows
    first = glue.get_partitions(**where, Expression="n >= 100", MaxResults=100)
    assert len(first["Partitions"]) == 100
    rest = glue.get_partitions(**where, Expression="n >= 100", NextToken=first["NextToken"])
    assert len(rest["Partitions"]) == 30 and "NextToken" not in rest
    parts = [values(glue, where, Segment={"SegmentNumber": i, "TotalSegments": 4}) for i in range(4)]
    assert all(parts) and sorted(itertools.chain(*parts)) == all_rows
    assert error_of(raw.get_partitions, **where, Segment={"SegmentNumber": 4, "TotalSegments": 4})[0] == "InvalidInputException"


def test_expression_on_a_table(glue, make_table):
    where = make_table(("year", "int"), ("month", "string"), ("day", "date"))
    fill(glue, where, [(str(y), f"{m:02}", f"{y:04}-{m:02}-15") for y in (9, 10, 2020) for m in (1, 2, 11)])
    assert len(values(glue, where, Expression="year > 9")) == 6  # as numbers, not as text
    assert values(glue, where, Expression="year = 2020 AND month IN ('01', '11')") == [
        ("2020", "01", "2020-01-15"), ("2020", "11", "2020-11-15")]
    assert values(glue, where, Expression="(year = 9 OR year = 10) AND NOT month LIKE '0%'") == [
        ("10", "11", "0010-11-15"), ("9", "11", "0009-11-15")]
    assert values(glue, where, Expression="day > DATE '2020-01-31' AND day < '2020-11-15'") == [
        ("2020", "02", "2020-02-15")]
    assert len(values(glue, where, Expression="  ")) == 9


def test_expression_errors(glue, make_table):
    where = make_table(("year", "int"), ("city", "string"), ("rate", "double"))
    fill(glue, where, [("x", "a", "1.5")])
    for expression, message in (
            ("nothing = 1", "Invalid partition expression! 'nothing' isn't a partition key of the table."),
            ("year = 'x'", '"x" is not an integer.'),
            ("year LIKE '2%'", "Integral data type doesn't support operation 'LIKE'"),
            ("rate = 1.5", "Unknown type : 'double'"),
            ("city IS 'x'", "Unsupported expression 'city IS 'x'': expected NULL at character 9."),
    ):
        assert error_of(glue.get_partitions, **where, Expression=expression) == ("InvalidInputException", message)
    assert error_of(glue.get_partitions, **where, Expression="year = 1") == (
        "InvalidStateException", '"x" is not an integer.')
    assert values(glue, where, Expression="city = 'b' AND year = 1") == []  # decided before the bad value
