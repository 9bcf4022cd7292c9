"""Every documented form of DMS's CSV files, merged by the cistern-merge job."""

import pytest

from tests.support.dms_text import objects
from tests.support.merge_job import Merge

LOAD = [("1", "Ann", "Rome"), ("2", "Bob", ""), ("3", 'Cy, "x"', "Li\nma"), ("7", "Zoë 😀", "O'slo")]
CHANGES = [("U", "2", "Bob", "Oslo"), ("I", "10", 'new\r\nli"ne', ""), ("D", "1", "Ann", "Rome"),
           ("U", "10", "Ten,", "Y"), ("I", "11", "x", "x"), ("D", "11", "x", "x")]
RESULT = sorted([("2", "Bob", "Oslo"), LOAD[2], LOAD[3], ("10", "Ten,", "Y")])
TIME = "2026-11-20 10:00:00.000000"
NAMES = ("id", "name", "city")


@pytest.fixture
def merge(server, unique):
    return Merge(server, unique("merge"))


def line(fields, delimiter=",", end="\n"):
    quoted = ('"' + f.replace('"', '""') + '"' if set(f) & set(f'"\r\n{delimiter}') else f for f in fields)
    return delimiter.join(quoted) + end


def text(rows, **how):
    return "".join(line(r, **how) for r in rows)


def stamped(rows, at):
    return [r[:at] + (TIME,) + r[at:] for r in rows]


@pytest.mark.parametrize("header", [True, False], ids=["header", "plain"])
@pytest.mark.parametrize("load_op", [True, False], ids=["load-op", "no-load-op"])
@pytest.mark.parametrize("timestamp", [True, False], ids=["timestamp", "no-timestamp"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_leading_columns(merge, header, load_op, timestamp, suffix):
    """IncludeOpForFullLoad, TimestampColumnName, AddColumnName, CompressionType in all combinations."""
    load = [("I",) + r for r in LOAD] if load_op else LOAD
    load_names = ("Op",) + NAMES if load_op else NAMES
    changes, names = CHANGES, ("Op",) + NAMES
    if timestamp:
        load, load_names = stamped(load, int(load_op)), load_names[:load_op] + ("ts",) + load_names[load_op:]
        changes, names = stamped(changes, 1), ("Op", "ts") + NAMES
    if header:
        load, changes = [load_names] + load, [names] + changes
    merge.put("LOAD00000001" + suffix, text(load))
    merge.put("20261120-100000000" + suffix, text(changes))
    arguments = {"--timestamp_column": "ts"} if timestamp else {}
    if header and not load_op:
        arguments["--header"] = "true"  # nothing else tells that LOAD files begin with one
    merge.run("20261120-100000000" + suffix, **arguments)
    assert merge.rows() == RESULT


@pytest.mark.parametrize("at", [0, 2, 3])
def test_op_anywhere_under_a_header(merge, at):
    def moved(row):
        return row[1:][:at] + row[:1] + row[1:][at:]

    merge.put("LOAD00000001.csv", text([NAMES] + LOAD))
    merge.put("20261120-100000000.csv", text([moved(("Op",) + NAMES)] + [moved(c) for c in CHANGES]))
    merge.run("20261120-100000000.csv", **{"--header": "true"})
    assert merge.rows() == RESULT


def test_op_of_another_name(merge):
    merge.put("LOAD00000001.csv", text([NAMES] + LOAD))
    merge.put("20261120-100000000.csv", text([("cdc_operation",) + NAMES] + CHANGES))
    merge.run("20261120-100000000.csv", **{"--header": "true", "--op_column": "cdc_operation"})
    assert merge.rows() == RESULT


@pytest.mark.parametrize("last", [True, False], ids=["newline", "no-newline"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("delimiter, argument", [(",", None), ("|", "|"), ("\t", "\\t")], ids=["comma", "bar", "tab"])
def test_line_ends_and_delimiters(merge, end, last, delimiter, argument):
    def file(rows):
        body = text(rows, delimiter=delimiter, end=end)
        return body if last else body[:-len(end)]

    merge.put("LOAD00000001.csv", file(LOAD))
    merge.put("20261120-100000000.csv", file(CHANGES))
    merge.run("20261120-100000000.csv", **({"--delimiter": argument} if argument else {}))
    parts = objects(merge.s3, merge.final, "out/t/")
    body = b"".join(merge.s3.get_object(Bucket=merge.final, Key=k)["Body"].read() for k in parts)
    assert sorted(body.decode().replace("\r\n", "\n").splitlines()) == sorted(
        text(RESULT, delimiter=delimiter).replace("\r\n", "\n").splitlines())


def test_quoted_needlessly_and_byte_order_mark(merge):
    merge.put("LOAD00000001.csv", '\ufeff"1","Ann","Rome"\n2,"",""\n')
    merge.put("20261120-100000000.csv", '"U","2","Bob",""\n"D","1",,\n')
    merge.run("20261120-100000000.csv")
    assert merge.rows() == [("2", "Bob", "")]


@pytest.mark.parametrize("folder", [
    "2026/11/20/", "2026/11/20/10/", "2026/11/", "11/2026/20/", "20/11/2026/", "2026-11-20/", "2026_11_20_10/",
    "20261120/", "2026112010/", "202611/", "11-2026-20/", "20_11_2026/"])
@pytest.mark.parametrize("load", [True, False], ids=["load", "changes-only"])
def test_date_folders(merge, folder, load):
    """DatePartitionSequence and DatePartitionDelimiter: the table is the folder above the date."""
    if load:
        merge.put("LOAD00000001.csv", text(LOAD))
    else:
        merge.put(folder + "20261120-095900000.csv", text([("I",) + r for r in LOAD]))
    merge.put(folder + "20261120-100000000.csv", text(CHANGES[:3]))
    merge.run(folder + "20261120-100000000.csv")
    merge.put(folder + "20261120-100001000.csv", text(CHANGES[3:]))
    merge.run(folder + "20261120-100001000.csv")
    assert merge.rows() == RESULT


def test_date_folders_in_order_of_commit(merge):
    merge.put("LOAD00000001.csv", "1,a\n")
    for name, value in (("2026/11/19/20261119-235959000", "b"), ("2026/11/20/20261120-000001000", "c"),
                        ("2026/12/01/20261201-000001000", "d")):
        merge.put(name + ".csv", f"U,1,{value}\n")
    merge.run("2026/11/20/20261120-000001000.csv")
    assert merge.rows() == [("1", "c")]
    merge.run("2026/12/01/20261201-000001000.csv")
    assert merge.rows() == [("1", "d")]


def test_segments_of_a_parallel_load(merge):
    merge.put("SEGMENT1_LOAD00000001.csv", "1,a\n")
    merge.put("SEGMENT2_LOAD00000001.csv", "2,b\n")
    merge.put("20261120-100000000.csv", "U,2,B\n")
    merge.run("20261120-100000000.csv")
    assert merge.rows() == [("1", "a"), ("2", "B")]


def test_deep_folders_above_the_schema(merge):
    merge.put("LOAD00000001.csv", "1,a\n", table="a/b/c/shop/items")
    merge.run("LOAD00000001.csv", table="a/b/c/shop/items",
              **{"--final_path": f"s3://{merge.final}/out/{{schema}}-{{table}}/{{table}}"})
    assert merge.rows("shop-items/items") == [("1", "a")]


def test_transaction_order_files_are_refused(merge):
    merge.put("CDC_TXN-20261120100000000.csv", "I,t,db,1,a\n", table="cdc")
    message = merge.fails("CDC_TXN-20261120100000000.csv", table="cdc")
    assert "PreserveTransactions" in message and "CDC_TXN-20261120100000000.csv" in message
    assert objects(merge.s3, merge.final) == []


def test_objects_that_are_no_csv(merge):
    merge.put("LOAD00000001.parquet", b"PAR1")
    assert ".csv" in merge.fails("LOAD00000001.parquet")
    merge.s3.put_object(Bucket=merge.temp, Key="db/t/", Body=b"")
    merge.end(merge.start(""))  # a folder marker: nothing to do, nothing to fail
    assert objects(merge.s3, merge.final) == []


def test_inserts_without_op(merge):
    """CdcInsertsOnly with IncludeOpForFullLoad=false: no Op column anywhere."""
    merge.put("LOAD00000001.csv", "1,a\n")
    merge.put("20261120-100000000.csv", "2,b\n3,c\n")
    merge.run("20261120-100000000.csv", **{"--op_in_changes": "false"})
    assert merge.rows() == [("1", "a"), ("2", "b"), ("3", "c")]


def test_nulls_stay_apart_from_empty_text(merge):
    """An empty field stays one, "" stays quoted: Spark reads NULL and '' again."""
    merge.put("LOAD00000001.csv", '1,,""\n2,x,y\n')
    merge.put("20261120-100000000.csv", 'U,2,"",\n')
    merge.run("20261120-100000000.csv")
    (part,) = objects(merge.s3, merge.final, "out/t/")
    assert merge.s3.get_object(Bucket=merge.final, Key=part)["Body"].read() == b'1,,""\n2,"",\n'
