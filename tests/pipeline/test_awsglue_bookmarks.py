"""Job bookmarks: which files a run with --job-bookmark-option gives to its script. Few runs, since each
starts Spark."""

import itertools
import json

import pytest

from tests.support.spark import Jobs, spark_server

pytestmark = pytest.mark.xdist_group("awsglue-bookmarks")  # one job serves all of its tests


@pytest.fixture(scope="module")
def jobs():
    server = spark_server()
    counter = itertools.count(1)
    yield Jobs(server, lambda prefix: f"{prefix}-{next(counter)}")
    server.close()


@pytest.fixture(scope="module")
def story(jobs):
    """The job's life: [what each run found new and in all, …] and the ids of its runs."""
    name = jobs.make("awsglue_bookmarks.py", arguments={
        "--bucket": jobs.bucket, "--fail": "no", "--job-bookmark-option": "job-bookmark-enable"})
    found, runs = {}, {}

    def run(label, state="SUCCEEDED", **arguments):
        done = jobs.ended(name, jobs.start(name, **arguments), timeout=600)
        assert done["JobRunState"] == state, (done.get("ErrorMessage"), jobs.lines(done, "error"))
        line, = [t for t in jobs.lines(done, "output") if t.startswith("NEW ")]
        found[label], runs[label] = json.loads(line[4:]), done["Id"]

    jobs.put("in/a.csv", "a\n")
    run("first")
    jobs.put("in/b.csv", "b\n")
    run("fails", state="FAILED", fail="yes")
    run("second")
    jobs.put("in/a.csv", "a again\n")
    run("paused", **{"job-bookmark-option": "job-bookmark-pause"})
    run("third")
    run("range", **{"job-bookmark-option": "job-bookmark-pause",
                    "job-bookmark-from": runs["first"], "job-bookmark-to": runs["third"]})
    found["bookmark"] = jobs.glue.get_job_bookmark(JobName=name)["JobBookmarkEntry"]
    found["runs"] = runs
    jobs.glue.reset_job_bookmark(JobName=name)
    run("reset")
    return found


def test_a_run_reads_what_no_committed_run_has_read(story):
    assert story["first"] == [["a"], ["a"]]
    assert story["second"][0] == ["b"]


def test_a_failed_run_leaves_the_bookmark(story):
    assert story["fails"][0] == ["b"] == story["second"][0]


def test_a_file_written_again_is_new_and_pause_does_not_move_the_bookmark(story):
    assert story["paused"][0] == ["a again"] == story["third"][0]


def test_a_source_without_transformation_ctx_reads_everything(story):
    assert story["third"][1] == ["a again", "b"]


def test_pause_with_from_and_to_reads_what_lay_between(story):
    assert story["range"][0] == ["a again", "b"]


def test_the_bookmark_is_what_get_job_bookmark_shows(story):
    state = json.loads(story["bookmark"]["JobBookmark"])
    assert state["runs"][-1]["run"] == story["runs"]["third"]
    assert list(state["runs"][-1]["marks"]) == ["source"]


def test_reset_reads_all_again(story):
    assert story["reset"][0] == ["a again", "b"]
