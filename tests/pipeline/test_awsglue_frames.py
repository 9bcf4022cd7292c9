"""What a Glue script sees of DynamicFrames: one run of fixtures/glue/awsglue_frames.py on real Spark,
its cases judged one by one."""

import gzip
import itertools
import json
import re

import pytest

from tests.support.spark import Jobs, spark_server

pytestmark = pytest.mark.xdist_group("awsglue-frames")  # one job serves all of its tests

INPUT = {
    "people/a.csv": 'id,full name,age,city,born\n1,"Ann, B",44,Oslo,2001-02-03\n2,Bo,,"Say ""hi""",x\n',
    "people/b.csv": "id,full name,age\n3,Cy,50\n",
    "people/sub/c.csv": "id\n9\n",
    "pipes.txt": 'a|b\n"x|1\n',
    "quotes.csv": '1,"two\nlines"\n',
    "tree/top.csv": "1\n",
    "tree/a/deep.csv": "2\n",
    "tree/skip/no.csv": "3\n",
    "tree/a/old.bak": "4\n",
    "tree/a/_hidden.csv": "5\n",
    "mixed.json": '{"id":1,"v":"x","n":{"a":1,"b":null},"l":[{"t":"p","z":1},{"t":"q"}],"nothing":null}\n'
                  '{"id":2,"v":5,"n":{"a":2.5},"l":[]}\n{"id":3,"v":"7","n":{"a":3}}\n',
    "array.json": '[\n {"a": 1,\n  "b": "x"},\n {"a": 5000000000}\n]\n',
    "wrapped.json": '{"items": [{"a": 1},\n {"a": 2}]}',
    "left.json": '{"id":1,"x":"a"}\n{"id":2,"x":"b"}\n{"id":null,"x":"c"}\n',
    "right.json": '{"id":1,"x":"a","k":{"id":2}}\n{"id":null,"x":"c","k":{"id":7}}\n',
    "stage.json": '{"id":2,"x":"B","new":true}\n{"id":4,"x":"d"}\n',
    "boxed.json": '{"box":"{\\"a\\": 1}","cells":"p|q"}\n{"box":"no json","cells":"r|s"}\n',
    "broken.json": '{"a": 1}\n{"a": \n',
}


@pytest.fixture(scope="module")
def run():
    """{case: answer} and the run."""
    server = spark_server()
    counter = itertools.count(1)
    jobs = Jobs(server, lambda prefix: f"{prefix}-{next(counter)}")
    for key, body in INPUT.items():
        jobs.put(key, body)
    jobs.put("zipped/z.csv.gz", gzip.compress(b"a,b\n1,2\n"))
    job = jobs.make("awsglue_frames.py")
    done = jobs.ended(job, jobs.start(job, bucket=jobs.bucket), timeout=900)
    done["output"], done["errors"] = jobs.lines(done, "output"), jobs.lines(done, "error")
    assert done["JobRunState"] == "SUCCEEDED", (done.get("ErrorMessage"), done["errors"])
    cases = dict(line.split(" ", 2)[1:] for line in done["output"] if line.startswith("CASE "))
    done["cases"] = {name: json.loads(text) for name, text in cases.items()}
    yield done
    server.close()


@pytest.fixture
def ok(run):
    """ok("case"): what it returned."""

    def get(name):
        answer = run["cases"][name]
        assert "ok" in answer, (answer, run["errors"][-40:])
        return answer["ok"]

    return get


@pytest.fixture
def refused(run):
    """refused("case"): the text of its exception."""
    return lambda name: run["cases"][name]["error"]


# --- reading ---
def test_csv_columns_are_text_and_each_file_has_its_own_header(ok):
    fields, rows = ok("csv_with_header")
    assert fields == ["id: string", "full name: string", "age: string", "city: string", "born: string"]
    assert sorted(rows, key=lambda r: r["id"]) == [
        {"id": "1", "full name": "Ann, B", "age": "44", "city": "Oslo", "born": "2001-02-03"},
        {"id": "2", "full name": "Bo", "age": "", "city": 'Say "hi"', "born": "x"},
        {"id": "3", "full name": "Cy", "age": "50"}]


def test_csv_without_header_has_columns_col0_col1(ok):
    assert {"col0": "id", "col1": "full name", "col2": "age", "col3": "city", "col4": "born"} in ok(
        "csv_without_header")
    assert len(ok("csv_without_header")) == 3


def test_csv_separator_and_no_quotes(ok):
    assert ok("csv_dialect") == [{"a": '"x', "b": "1"}]


def test_csv_multiline(ok):
    assert ok("csv_quotes_and_lines") == [{"col0": "1", "col1": "two\nlines"}]


def test_csv_gzip(ok):
    assert ok("csv_gzip") == [{"a": "1", "b": "2"}]


def test_sub_folders_only_with_recurse_and_exclusions_hold(ok):
    assert ok("recurse_and_exclusions") == [1, 4, [{"col0": "1"}, {"col0": "2"}]]


def test_several_paths_and_grouping(ok):
    assert ok("several_paths_and_grouping") == 3


def test_nothing_to_read_is_an_empty_frame_that_writes_nothing(ok):
    assert ok("nothing_to_read") == [0, [], []]


def test_json_field_of_several_types_is_a_choice(ok):
    fields, rows, is_struct, is_choice = ok("json_types")
    assert fields == ["id: int", "v: choice", "n: struct", "l: array", "nothing: null"]
    assert {"id": 2, "v": {"int": 5}, "n": {"a": {"double": 2.5}}, "l": []} in rows
    assert is_struct and is_choice


def test_json_array_over_several_lines(ok):
    assert ok("json_array_over_lines") == [{"a": 1, "b": "x"}, {"a": 5000000000}]


def test_json_path(ok):
    assert ok("json_path") == [{"a": 1}, {"a": 2}]


def test_print_schema_and_show(run):
    output = run["output"]
    at = output.index("|-- v: choice")
    assert output[at - 2:at + 3] == ["root", "|-- id: int", "|-- v: choice", "|    |-- int",
                                     "|    |-- string"]
    assert "|    |    |-- t: string" in output
    assert any(line.startswith('{"id": 1, "v": "x", "n": {"a": 1') for line in output)


# --- choices ---
def test_make_cols(ok):
    assert [[r.get("v_int"), r.get("v_string")] for r in ok("resolve_make_cols")] == [
        [None, "x"], [5, None], [None, "7"]]


def test_make_struct(ok):
    assert [r["v"] for r in ok("resolve_make_struct")] == [{"string": "x"}, {"int": 5}, {"string": "7"}]


def test_cast_at_paths(ok):
    fields, rows = ok("resolve_cast")
    assert fields[1] == "v: long"
    assert [r.get("v") for r in rows] == [None, 5, 7]
    assert [r["n"]["a"] for r in rows] == [1.0, 2.5, 3.0]
    assert rows[0]["l"] == [{"t": "p", "z": "1"}, {"t": "q"}]


def test_project_drops_values_of_other_types(ok):
    assert [r.get("v") for r in ok("resolve_project")] == ["x", None, "7"]


def test_specs_and_choice_exclude_each_other(refused):
    assert refused("resolve_both_is_an_error").startswith("ValueError")


# --- fields ---
def test_apply_mapping_nests_and_leaves_out_what_is_not_mapped(ok):
    fields, rows = ok("apply_mapping")
    assert fields == ["key: struct", "a.b: string", "v: int"]
    assert {"key": {"id": 2}, "a.b": "2.5", "v": 5} in rows and {"key": {"id": 1}} in rows


def test_apply_mapping_casts_and_gives_null_where_it_cannot(ok):
    fields, rows = ok("apply_mapping_casts")
    assert fields == ["id: long", "name: string", "age: decimal", "born: date"]
    assert sorted(rows, key=lambda r: r["id"]) == [
        {"id": 1, "name": "Ann, B", "age": 44.0, "born": "2001-02-03"}, {"id": 2, "name": "Bo"},
        {"id": 3, "name": "Cy", "age": 50.0}]


def test_select_drop_rename(ok):
    selected, nested, dropped, renamed, moved = ok("select_drop_rename")
    assert selected == ["v: choice", "n: struct"]
    assert {"n": {"a": "2.5"}} in nested
    assert dropped == ["id: int", "v: choice", "n: struct", "nothing: null"]
    assert renamed[0] == "key: int"
    assert {"n": {"id": 1}} in moved


def test_drop_null_fields_looks_into_structs(ok):
    assert ok("drop_null_fields") == ["id: int", "n: struct", ["a"]]


def test_unnest(ok):
    assert ok("unnest") == ["id: int", "v: choice", "n.a: choice", "n.b: null", "l: array",
                            "nothing: null"]


def test_split_fields_and_rows(ok):
    assert ok("split") == [["id: string"], ["full name: string", "age: string", "city: string",
                                            "born: string"], 1, 2, ["in", "out"]]


def test_unbox(ok):
    rows, errors, cells = ok("unbox")
    assert {"box": {"a": 1}, "cells": "p|q"} in rows and {"cells": "r|s"} in rows
    assert errors == 1
    assert {"col0": "p", "col1": "q"} in [r["cells"] for r in cells] and len(cells) == 2


# --- records ---
def test_filter_takes_records_and_keeps_count_of_errors(ok):
    rows, errors, frame = ok("filter_records")
    assert [r["id"] for r in rows] == ["1", "3"] and errors == 1 and frame == 1


def test_map_changes_records_and_an_error_is_a_record(ok):
    fields, rows, errors, stage, message, record = ok("map_records")
    assert fields == ["id: int", "v: string", "n: struct", "nothing: null", "twice: int",
                      "address: struct"]
    assert rows[0] == {"id": 1, "v": "x", "n": {"a": 1}, "twice": 2,
                       "address": {"street": "x", "no": [1, 2]}}
    assert (errors, stage, message, record) == (1, 1, "KeyError: 'two'", 2)


def test_stage_threshold_ends_the_job(refused):
    assert "stageThreshold is 2" in refused("map_over_the_threshold")


def test_join_prefixes_names_that_are_taken(ok):
    nested, both = ok("join")
    assert nested == [{"id": 2, "x": "b", ".id": 1, ".x": "a", "k": {"id": 2}}]
    assert both == [{"id": 1, "x": "a", ".id": 1, ".x": "a", "k": {"id": 2}}]


def test_union_of_different_types_is_a_choice(ok):
    fields, rows = ok("union")
    assert fields == ["id: choice", "v: choice"]
    assert {"id": {"int": 2}, "v": {"int": 5}} in rows and {"id": {"string": "3"}} in rows


def test_merge_replaces_by_key(ok):
    first, second = ok("merge")
    wanted = [{"id": 1, "x": "a"}, {"x": "c"}, {"id": 2, "x": "B", "new": True}, {"id": 4, "x": "d"}]
    assert len(first) == 4 and all(r in first for r in wanted)
    assert first == second


def test_relationalize_pivots_arrays(ok):
    assert ok("relationalize") == [
        ["root", "root_l"], ["id: int", "v: string", "n.a: string", "n.b: null", "l: long",
                             "nothing: null"],
        ["id: long", "index: int", "l.val.t: string", "l.val.z: int"], [[0, "p"], [1, "q"]]]
    assert ok("relationalize_keys_match") == [[1, "p"], [1, "q"]]


def test_collections(ok):
    assert ok("collections") == [["id: int"], ["id: string"], ["a_x", "a_y", "b_x", "b_y"], 2]


def test_spigot_writes_a_sample(ok):
    assert ok("spigot") == [3, 1]


def test_data_frames_and_rdds(ok):
    assert ok("from_and_to_dataframes") == [
        "range", ["id: long"], 3, 3, 1, [{"n": 1, "t": "a"}], True]


# --- writing ---
def name_of(ending=""):
    return re.compile(r"run-\d{13}-part-r-0000\d" + ending + r"\Z")


def test_csv_is_added_under_names_without_extension_and_quotes_where_blanks_are(ok):
    written = ok("write_csv")
    assert len(written) == 2 and all(name_of().match(name) for name, _ in written)
    assert written[0][1].startswith('id,"full name",age,city,born\n')
    assert '1,"Ann, B",44,Oslo,2001-02-03\n' in written[0][1]
    assert '2,Bo,,"Say ""hi""",x\n' in written[0][1] and "3,Cy,50,,\n" in written[0][1]
    assert written[1][1].startswith("id\n")


def test_csv_dialect_of_output(ok):
    ((_, text),) = ok("write_csv_dialect")
    assert sorted(text.splitlines()) == ["1|Ann, B|44|Oslo|2001-02-03", '2|Bo||Say "hi"|x', "3|Cy|50||"]


def test_partition_keys_make_folders_and_leave_the_files(ok):
    written = dict(ok("write_csv_partitions"))
    folders = {name.split("/")[0]: text for name, text in written.items()}
    assert folders["city=Oslo"] == "id\n1\n"
    assert folders["city=__HIVE_DEFAULT_PARTITION__"] == "id\n3\n"
    assert len(folders) == 3


def test_csv_gzip_of_output(ok):
    ((name, text),) = ok("write_csv_gzip")
    assert name_of(r"\.gz").match(name) and sorted(text.split()) == ["1", "2", "3", "id"]


def test_json_output_has_a_choice_as_its_value(ok):
    ((name, text),) = ok("write_json")
    assert name_of().match(name)
    assert [json.loads(line)["v"] for line in text.splitlines()] == ["x", 5, "7"]


def test_columnar_formats_round_trip(ok):
    plain, glue, same, count, orc = ok("write_parquet")
    assert re.match(r"part-00000-.*\.snappy\.parquet\Z", plain[0])
    assert re.match(r"run-\d{13}-part-block-0-r-00000-snappy\.parquet\Z", glue[0])
    assert same and count == 3 and orc


def test_sink_and_source_objects(ok):
    assert ok("write_by_sink") == [["id=1", "id=2", "id=3"], 3]


def test_only_finished_files_reach_the_bucket(ok):
    assert not any("_temporary" in name or "_SUCCESS" in name or name.endswith(".crc")
                   for name, _ in ok("write_csv") + ok("write_json"))


def test_purge_keeps_what_is_younger_than_the_retention_period(ok):
    assert ok("purge") == [2, 0]


def test_logger_writes_log4j_lines(run):
    lines = [line for line in run["errors"] if "GlueLogger: " in line]
    assert re.match(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d INFO GlueLogger: told to the logger\Z", lines[0])
    assert lines[1].endswith("ERROR GlueLogger: went wrong")


# --- what isn't there ---
@pytest.mark.parametrize("case, words", [
    ("dynamodb_is_refused", "NotImplementedError: The connection type 'dynamodb'"),
    ("find_matches_is_refused", "NotImplementedError: The transform FindMatches"),
    ("xml_is_refused", "NotImplementedError: Reading the format 'xml'"),
    ("avro_without_its_jar", "NotImplementedError: Writing the format 'avro' isn't implemented"),
    ("mysql_without_its_driver", "RuntimeError: No JDBC driver for mysql on Spark's class path"),
])
def test_what_is_missing_says_so_with_a_remedy(refused, case, words):
    assert refused(case).startswith(words)


def test_bad_json_names_its_file(refused):
    assert "Unable to parse file: " in refused("bad_json_names_its_file")
    assert "broken.json" in refused("bad_json_names_its_file")
