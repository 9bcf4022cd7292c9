"""cistern-merge: several tables in one run, its arguments, what it tells while it runs."""

import gzip
import random

import pytest

from tests.support.dms_text import objects
from tests.support.merge_job import Merge
from tests.support.wait import wait_until

TABLES = ("shop/items", "shop/orders", "crm/people")


@pytest.fixture
def merge(server, unique):
    return Merge(server, unique("merge"))


def fill(merge, tables=TABLES):
    for table in tables:
        merge.put("LOAD00000001.csv", "1,a\n2,b\n", table=f"in/{table}")
        merge.put("2026/11/20/20261120-100000000.csv", f"U,1,{table}\nD,2,b\n", table=f"in/{table}")


def source(merge, **arguments):
    return {"--source_path": f"s3://{merge.temp}/in", "--final_path": f"s3://{merge.final}/out/{{schema}}/{{table}}",
            **arguments}


def test_every_table_below_a_folder(merge):
    fill(merge)
    merge.put("20261120-100000000.csv", "I,5,no load\n", table="in/crm/calls")
    done = merge.run_with(**source(merge))
    for table in TABLES:
        assert merge.rows(table) == [("1", table)]
    assert merge.rows("crm/calls") == [("5", "no load")]
    assert sum("Merging s3://" in line for line in merge.log(done)) == 4
    merge.put("20261120-110000000.csv", "I,3,c\n", table="in/shop/items")
    again = merge.run_with(**source(merge))
    assert merge.rows("shop/items") == [("1", "shop/items"), ("3", "c")]
    assert sum("Nothing to do" in line for line in merge.log(again)) == 3


def test_a_bad_table_holds_no_other_up(merge):
    fill(merge)
    merge.put("2026/11/20/20261120-100001000.csv", "X,1,a\n", table="in/crm/people")
    message = merge.fails_with(**source(merge))
    assert "1 of 3 tables failed" in message and "crm/people" in message and "X" in message
    assert merge.rows("shop/items") == [("1", "shop/items")] and merge.rows("shop/orders") == [("1", "shop/orders")]
    assert objects(merge.s3, merge.final, "out/crm/") == []


def test_paths_of_several_tables(merge):
    fill(merge)
    assert "{table}" in merge.fails_with(**source(merge, **{"--final_path": f"s3://{merge.final}/out"}))
    assert "{name}" in merge.fails_with(**source(merge, **{"--final_path": f"s3://{merge.final}/{{name}}"}))
    assert "below --source_path" in merge.fails_with(
        **source(merge, **{"--final_path": f"s3://{merge.temp}/in/out/{{table}}"}))
    assert "no .csv" in merge.fails_with(**source(merge, **{"--source_path": f"s3://{merge.temp}/nothing"}))
    assert "left out" in merge.fails_with(**source(merge, **{"--key": "in/shop/items/LOAD00000001.csv"}))
    assert objects(merge.s3, merge.final) == []


def test_one_object_merges_only_its_table(merge):
    fill(merge)
    arguments = source(merge, **{"--bucket": merge.temp, "--key": "in/crm/people/LOAD00000001.csv"})
    del arguments["--source_path"]
    merge.run_with(**arguments)
    assert merge.rows("crm/people") == [("1", "a"), ("2", "b")]  # up to the file, not further
    assert objects(merge.s3, merge.final, "out/shop/") == []


@pytest.mark.parametrize("key", ["db/t/LOAD00000001.csv", "db%2Ft%2FLOAD00000001.csv"])
def test_short_names_and_encoded_keys(merge, key):
    merge.put("LOAD00000001.csv", "1,a\n")
    merge.run_with(**{"--bucket": merge.temp, "--key": key})
    assert merge.rows() == [("1", "a")]


def test_names_of_arguments(merge):
    merge.put("LOAD00000001.csv", "1,a\n")
    for slip in ("--primarykey", "--final-path", "--primary_keys", "--heaader", "--table", "--s3_target_path_bukcet",
                 "--output_path"):
        message = merge.fails("LOAD00000001.csv", **{slip: "x"})
        assert slip in message and "--final_path" in message and "--on_update_missing" in message
    done = merge.run("LOAD00000001.csv", **{
        "--job-language": "python", "--enable-metrics": "true", "--TempDir": "s3://x/", "--conf": "a=b", "--class": "X",
        "--extra-py-files": "s3://x/y.py", "--JOB_NAME": "z", "--env": "dev"})
    assert [line for line in merge.log(done) if "--env" in line] != []
    assert not any("--conf" in line or "--TempDir" in line for line in merge.log(done))


@pytest.mark.parametrize("name, value, reason", [
    ("--part_size", "12QB", "a size"), ("--part_size", "1KB", "a size"), ("--part_size", "2GB", "a size"),
    ("--part_size_mb", "0", "1 to 1024"), ("--delimiter", "ab", "one ASCII"), ("--delimiter", '"', "one ASCII"),
    ("--on_update_missing", "skip", "apply, ignore or fail"), ("--before_image", "some", "none, key or all"),
    ("--threads", "0", "1 to 256"), ("--columns", "a,,b", "separated by commas"), ("--op_in_load", "2", "auto"),
    ("--primary_key", "nope", "nope")])
def test_values_of_arguments(merge, name, value, reason):
    merge.put("LOAD00000001.csv", "1,a\n")
    message = merge.fails("LOAD00000001.csv", **{name: value})
    assert reason in message and (name in message or name == "--primary_key")
    assert objects(merge.s3, merge.final) == []


def test_columns_key_and_output_header(merge):
    merge.put("LOAD00000001.csv", "x,1,a\ny,2,b\n")
    merge.run("LOAD00000001.csv", **{"--columns": "kind, id ,name", "--primary_key": "id", "--output_header": "true"})
    (part,) = objects(merge.s3, merge.final, "out/t/")
    body = merge.s3.get_object(Bucket=merge.final, Key=part)["Body"].read()
    assert body == b"kind,id,name\nx,1,a\ny,2,b\n"


def test_part_size(merge):
    rows = "".join(f"{i},{'x' * 100}\n" for i in range(2000))
    merge.put("LOAD00000001.csv", rows)
    merge.run("LOAD00000001.csv", **{"--part_size": "16KB"})
    before = objects(merge.s3, merge.final, "out/t/")
    sizes = [o["Size"] for o in merge.s3.list_objects_v2(Bucket=merge.final, Prefix="out/t/")["Contents"]]
    assert len(before) > 5 and max(sizes) <= 32 * 1024
    merge.put("20261120-100000000.csv", "U,1500,new\n")
    merge.run("20261120-100000000.csv", **{"--part_size": "16KB"})
    after = objects(merge.s3, merge.final, "out/t/")
    assert len(set(before) & set(after)) == len(before) - 1  # only the touched part is new


def test_the_log_tells_what_was_done(merge):
    merge.put("LOAD00000001.csv", "1,a\n2,b\n3,c\n")
    merge.run("LOAD00000001.csv")
    merge.put("20261120-100000000.csv", "U,1,A\nI,4,d\nD,2,b\n")
    done = merge.run("20261120-100000000.csv")
    log = "\n".join(merge.log(done))
    assert f"Merging s3://{merge.temp}/db/t/ into s3://{merge.final}/out/t/: 0 LOAD files, 1 change files" in log
    assert "1 inserted, 1 updated, 1 deleted" in log and "3 rows read in" in log and "MB/s" in log
    assert "StateDetail" not in done


def test_progress_is_seen_while_it_runs(merge):
    """Five million changes, most of them to the same rows: long enough to be watched."""
    keys = list(range(1, 10_001))
    random.Random(3).shuffle(keys)
    block = "".join(f"U,{k},name {k % 97},some text that makes it longer\n" for k in keys).encode()
    merge.s3.put_object(Bucket=merge.temp, Key="db/t/20261120-100000000.csv.gz", Body=gzip.compress(block * 500, 1))
    run = merge.start("20261120-100000000.csv.gz")

    def detail():
        got = merge.get(run)
        assert got["JobRunState"] not in ("FAILED", "SUCCEEDED"), "it ended before it told anything"
        return got.get("StateDetail", "").startswith("Merging: ") and got["StateDetail"]

    seen = wait_until(detail, 60, "a StateDetail")
    assert " %, " in seen and " rows, " in seen and " MB/s" in seen
    done = merge.end(run)
    assert done["JobRunState"] == "SUCCEEDED"
    assert len(merge.rows()) == 10_000
    assert any(line.startswith("Merging: ") for line in merge.log(done))
