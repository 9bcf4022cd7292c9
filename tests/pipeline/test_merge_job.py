"""The cistern-merge job on hand-made DMS files, through S3 and Glue alone."""

import pytest

from tests.support.dms_text import objects
from tests.support.merge_job import Merge


@pytest.fixture
def merge(server, unique):
    return Merge(server, unique("merge"))


LOAD = "1,Ann,Rome\n2,Bob,\n3,\"Cy, \"\"x\"\"\",Lima\n"


def test_load_then_changes(merge):
    merge.put("LOAD00000001.csv", LOAD)
    merge.run("LOAD00000001.csv")
    assert merge.rows() == [("1", "Ann", "Rome"), ("2", "Bob", ""), ("3", 'Cy, "x"', "Lima")]
    merge.put("20261120-100000000.csv", "U,2,Bob,Oslo\nI,10,\"new\nline\",X\nD,1,Ann,Rome\n")
    merge.put("20261120-100001000.csv", "U,10,Zoë,Y\nD,3,,\n")
    merge.run("20261120-100001000.csv")
    assert merge.rows() == [("10", "Zoë", "Y"), ("2", "Bob", "Oslo")]


def test_a_file_merges_once(merge):
    merge.put("LOAD00000001.csv", LOAD)
    merge.put("20261120-100000000.csv", "D,1,Ann,Rome\n")
    for _ in range(2):
        merge.run("20261120-100000000.csv")
    merge.put("20261120-100000001.csv", "I,1,Again,Paris\n")
    merge.run("20261120-100000001.csv")
    merge.run("20261120-100000000.csv")  # called for late and twice: nothing to do
    assert ("1", "Again", "Paris") in merge.rows() and len(merge.rows()) == 3


def test_events_out_of_order_and_at_once(merge):
    merge.put("LOAD00000001.csv", "".join(f"{i},v0\n" for i in range(50)))
    names = ["LOAD00000001.csv"]
    for step in range(20):
        names.append(f"20261120-1000{step:02}000.csv")
        merge.put(names[-1], "".join(f"U,{i},v{step + 1}\n" for i in range(step, 50)))
    runs = [merge.start(n) for n in reversed(names)]
    assert {merge.end(r)["JobRunState"] for r in runs} == {"SUCCEEDED"}
    assert merge.rows() == sorted((str(i), f"v{min(i + 1, 20)}") for i in range(50))


def test_several_tables_and_load_files(merge):
    for table in ("db/a", "db/b"):
        merge.put("LOAD00000001.csv", "1,x\n", table=table)
        merge.put("LOAD00000002.csv", f"2,{table}\n", table=table)
        merge.run("LOAD00000001.csv", table=table)
        merge.run("LOAD00000002.csv", table=table)
    assert merge.rows("a") == [("1", "x"), ("2", "db/a")]
    assert merge.rows("b") == [("1", "x"), ("2", "db/b")]


def test_reload_replaces(merge):
    merge.put("LOAD00000001.csv", LOAD)
    merge.put("20261120-100000000.csv", "I,9,old,change\n")
    merge.run("20261120-100000000.csv")
    merge.put("LOAD00000001.csv", "5,fresh,load\n")
    merge.run("LOAD00000001.csv")
    assert merge.rows() == [("5", "fresh", "load")]
    merge.put("20261120-110000000.csv", "U,5,fresh,changed\n")
    merge.run("20261120-110000000.csv")
    assert merge.rows() == [("5", "fresh", "changed")]


def test_files_uploaded_in_any_order(merge):
    """Nothing is "from before the load" when there was nothing: `aws s3 cp --recursive` puts the changes first."""
    merge.put("20261120-100000000.csv", "U,2,Bob,Oslo\n")
    merge.put("LOAD00000002.csv", "9,Zed,Bonn\n")
    merge.put("LOAD00000001.csv", LOAD)
    merge.run("20261120-100000000.csv")
    assert {r[0] for r in merge.rows()} == {"1", "2", "3", "9"} and ("2", "Bob", "Oslo") in merge.rows()


def test_a_later_load_takes_none_of_the_old_files(merge):
    """Without cleaning (TargetTablePrepMode DO_NOTHING) the files of the load before are still there."""
    merge.put("LOAD00000001.csv", "1,a\n")
    merge.put("LOAD00000002.csv", "2,b\n")
    merge.put("20261120-100000000.csv", "U,1,old\n")
    merge.run("20261120-100000000.csv")
    merge.put("20261120-100001000.csv", "U,1,never merged and before the load\n")
    merge.put("LOAD00000001.csv", "1,A\n")
    merge.put("20261120-110000000.csv", "I,3,c\n")
    done = merge.run("20261120-110000000.csv")
    assert merge.rows() == [("1", "A"), ("3", "c")]
    assert any("3 files from before it" in line for line in merge.log(done))


def test_composite_key_headers_and_date_folders(merge):
    merge.put("LOAD00000001.csv", "a,b,v\n1,x,one\n1,y,two\n")
    merge.put("2026/11/20/20261120-100000000.csv", "Op,a,b,v\nU,1,y,TWO\nI,2,x,three\nD,1,x,one\n")
    merge.run("2026/11/20/20261120-100000000.csv",
              **{"--primary_key": "a,b", "--header": "true", "--output_header": "true"})
    keys = objects(merge.s3, merge.final, "out/t/")
    assert all(k.startswith("out/t/part-") and k.endswith("-c000.csv") for k in keys)
    assert merge.rows() == [("1", "y", "TWO"), ("2", "x", "three"), ("a", "b", "v")]


@pytest.mark.parametrize("row, reason", [
    ("X,1,Ann,Rome\n", "X"),
    ("U,1,Ann\n", "field"),
    ('U,1,"Ann,Rome\n', "quote"),
])
def test_a_bad_row_is_named_and_nothing_changes(merge, row, reason):
    merge.put("LOAD00000001.csv", LOAD)
    merge.run("LOAD00000001.csv")
    before = objects(merge.s3, merge.final)
    merge.put("20261120-100000000.csv", "D,2,Bob,\n" + row)
    message = merge.fails("20261120-100000000.csv")
    assert f"s3://{merge.temp}/db/t/20261120-100000000.csv" in message and "2" in message
    assert reason.lower() in message.lower()
    assert objects(merge.s3, merge.final) == before
    merge.put("20261120-100000000.csv", "D,2,Bob,\n")
    merge.run("20261120-100000000.csv")
    assert [r[0] for r in merge.rows()] == ["1", "3"]


def test_argument_errors(merge):
    merge.put("LOAD00000001.csv", LOAD)
    assert "does not exist" in merge.fails("LOAD00000009.csv")
    assert "--primery_key" in merge.fails("LOAD00000001.csv", **{"--primery_key": "id"})
    assert "--header" in merge.fails("LOAD00000001.csv", **{"--header": "maybe"})
    assert "bucket none" in merge.fails("LOAD00000001.csv", **{"--final_path": "s3://none/x"})
    assert "within each other" in merge.fails("LOAD00000001.csv", **{"--final_path": f"s3://{merge.temp}/db"})
    merge.run("LOAD00000001.csv", **{"--final_path": f"s3://{merge.final}/one"})
    merge.put("LOAD00000001.csv", LOAD, table="db/other")
    assert "{table}" in merge.fails("LOAD00000001.csv", table="db/other",
                                    **{"--final_path": f"s3://{merge.final}/one"})


def test_url_encoded_key(merge):
    merge.put("LOAD00000001.csv", "1,a\n", table="my db/t+x")
    done = merge.end(merge.start("LOAD00000001.csv", table="my+db/t%2Bx"))
    assert done["JobRunState"] == "SUCCEEDED", done
    assert merge.rows("t+x") == [("1", "a")]


def test_parts_changed_by_others_are_read_anew(merge):
    merge.put("LOAD00000001.csv", LOAD)
    merge.run("LOAD00000001.csv")
    (part,) = objects(merge.s3, merge.final, "out/t/")
    merge.s3.put_object(Bucket=merge.final, Key=part, Body=b"7,by,hand\n1,Ann,Rome\n")
    merge.s3.put_object(Bucket=merge.final, Key="out/t/_SUCCESS", Body=b"")
    merge.put("20261120-100000000.csv", "U,1,Ann,Paris\n")
    merge.run("20261120-100000000.csv")
    assert merge.rows() == [("1", "Ann", "Paris"), ("7", "by", "hand")]
    assert "out/t/_SUCCESS" in objects(merge.s3, merge.final, "out/t/")
