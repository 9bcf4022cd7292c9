"""cistern-merge: changes that don't fit, and primary keys that change."""

import pytest

from tests.support.dms_text import objects
from tests.support.merge_job import Merge

LOAD = "1,a\n2,b\n"
MISFIT = {"update": "U,9,new\n", "delete": "D,9,x\n", "insert": "I,1,again\n"}
ARGUMENT = {"update": "--on_update_missing", "delete": "--on_delete_missing", "insert": "--on_insert_existing"}
APPLIED = {"update": [("1", "a"), ("2", "b"), ("9", "new")], "delete": [("1", "a"), ("2", "b")],
           "insert": [("1", "again"), ("2", "b")]}
COUNTED = {"update": "1 updates of missing keys were {}", "delete": "1 deletes of missing keys ignored",
           "insert": "1 inserts of present keys {}"}


@pytest.fixture
def merge(server, unique):
    return Merge(server, unique("merge"))


@pytest.mark.parametrize("kind", MISFIT)
@pytest.mark.parametrize("said", [None, "apply", "ignore"])
def test_misfits_are_applied_or_ignored(merge, kind, said):
    merge.put("LOAD00000001.csv", LOAD)
    merge.put("20261120-100000000.csv", MISFIT[kind])
    merge.run("LOAD00000001.csv")
    done = merge.run("20261120-100000000.csv", **({ARGUMENT[kind]: said} if said else {}))
    ignored = said == "ignore"
    assert merge.rows() == ([("1", "a"), ("2", "b")] if ignored else APPLIED[kind])
    words = "ignored" if ignored else {"update": "inserted", "insert": "replaced the row"}.get(kind)
    assert any(COUNTED[kind].format(words) in line for line in merge.log(done))


@pytest.mark.parametrize("kind", MISFIT)
def test_misfits_that_fail(merge, kind):
    merge.put("LOAD00000001.csv", LOAD)
    merge.run("LOAD00000001.csv")
    before = objects(merge.s3, merge.final)
    merge.put("20261120-100000000.csv", "U,2,B\n" + MISFIT[kind])
    message = merge.fails("20261120-100000000.csv", **{ARGUMENT[kind]: "fail"})
    assert "20261120-100000000.csv" in message and MISFIT[kind][2] in message
    assert objects(merge.s3, merge.final) == before
    merge.run("20261120-100000000.csv")  # another policy: nothing was lost
    assert ("2", "B") in merge.rows()


def test_policies_do_not_touch_what_fits(merge):
    merge.put("LOAD00000001.csv", LOAD)
    merge.put("20261120-100000000.csv", "I,3,c\nU,3,C\nD,1,a\nI,1,A\nU,2,B\nD,3,C\n")
    merge.run("20261120-100000000.csv", **dict.fromkeys(ARGUMENT.values(), "fail"))
    assert merge.rows() == [("1", "A"), ("2", "B")]


@pytest.mark.parametrize("header", [True, False], ids=["header", "plain"])
@pytest.mark.parametrize("filter", ["key", "all"])
def test_changed_keys_with_before_images(merge, header, filter):
    """add-before-image-columns with column-filter pk-only or all: the row under the old key goes."""
    names = ["Op", "id", "v", "BI_id"] + (["BI_v"] if filter == "all" else [])
    key = filter == "key"
    changes = [
        ["U", "5", "moved", "1"] + ([] if key else ["a"]),
        ["U", "2", "same key", "" if key else "2"] + ([] if key else ["b"]),
        ["I", "8", "new", ""] + ([] if key else [""]),
        ["U", "9", "new, moved", "8"] + ([] if key else ["new"]),
        ["D", "3", "c", "3"] + ([] if key else ["c"]),
        ["I", "1", "free again", ""] + ([] if key else [""]),
    ]
    rows = ([names] if header else []) + changes
    merge.put("LOAD00000001.csv", ("id,v\n" if header else "") + LOAD + "3,c\n")
    merge.put("20261120-100000000.csv", "".join(",".join(f'"{f}"' if "," in f else f for f in r) + "\n" for r in rows))
    arguments = {"--before_image": filter, "--header": str(header).lower()}
    if header:
        arguments["--before_image_prefix"] = "BI_"
    else:
        arguments["--columns"] = "id,v"
    merge.run("20261120-100000000.csv", **arguments)
    assert merge.rows() == [("1", "free again"), ("2", "same key"), ("5", "moved"), ("9", "new, moved")]


def test_a_prefix_alone_means_before_images_of_the_key(merge):
    merge.put("LOAD00000001.csv", "id,v\n" + LOAD)
    merge.put("20261120-100000000.csv", "Op,id,v,id_old\nU,7,a,1\n")
    merge.run("20261120-100000000.csv", **{"--before_image_suffix": "_old", "--header": "true"})
    assert merge.rows() == [("2", "b"), ("7", "a")]


def test_changed_keys_as_delete_and_insert(merge):
    merge.put("LOAD00000001.csv", LOAD)
    merge.put("20261120-100000000.csv", "D,1,a\nI,7,a\n")
    merge.run("20261120-100000000.csv")
    assert merge.rows() == [("2", "b"), ("7", "a")]


def test_changed_composite_key_in_one_file_after_the_other(merge):
    merge.put("LOAD00000001.csv", "a,b,v\n1,x,one\n1,y,two\n")
    merge.put("20261120-100000000.csv", "Op,a,b,v,BI_a,BI_b\nU,2,x,one,1,x\n")
    merge.put("20261120-100001000.csv", "Op,a,b,v,BI_a,BI_b\nU,2,z,ONE,2,x\nU,1,y,TWO,,\n")
    merge.run("20261120-100001000.csv",
              **{"--primary_key": "a,b", "--header": "true", "--before_image_prefix": "BI_"})
    assert merge.rows() == [("1", "y", "TWO"), ("2", "z", "ONE")]
