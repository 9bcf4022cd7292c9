"""Bookmarks: what a run's script saves by the server's own route, and the operations on it."""

import json
import urllib.error
import urllib.request

from tests.support.errors import error_of

SAVE = """
import json, os, sys, urllib.request
run = sys.argv[sys.argv.index("--JOB_RUN_ID") + 1]
url = os.environ["AWS_ENDPOINT_URL"] + "/_cistern/glue/bookmarks/" + run
old = json.load(urllib.request.urlopen(url))
state = json.dumps({"seen": ((old["state"] or {}).get("seen", 0)) + 1, "text": "d\\u00fcne"}).encode()
put = urllib.request.Request(url, data=state, method="PUT")
print(json.load(urllib.request.urlopen(put))["version"])
"""


def run_once(glue, jobs, job, n):
    run = glue.start_job_run(JobName=job)["JobRunId"]
    ended = jobs.ended(job, n)[0]
    assert ended["JobRunState"] == "SUCCEEDED", ended
    return run


def route(server, run, body=None):
    request = urllib.request.Request(f"{server.endpoint}/_cistern/glue/bookmarks/{run}", data=body,
                                     method="GET" if body is None else "PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def test_saved_read_rewound_and_reset(glue, jobs):
    job = jobs.make(SAVE)
    for call in (glue.get_job_bookmark, glue.reset_job_bookmark):
        assert error_of(call, JobName=job) == ("EntityNotFoundException", f"Continuation for job {job} not found")
        assert error_of(call, JobName="nowhere")[0] == "EntityNotFoundException"
    runs = [run_once(glue, jobs, job, n) for n in (1, 2, 3)]
    entry = glue.get_job_bookmark(JobName=job)["JobBookmarkEntry"]
    assert json.loads(entry.pop("JobBookmark")) == {"seen": 3, "text": "düne"}
    assert entry == {"JobName": job, "Version": 3, "Run": 3, "Attempt": 0, "RunId": runs[2],
                     "PreviousRunId": runs[1]}
    first = glue.get_job_bookmark(JobName=job, RunId=runs[0])["JobBookmarkEntry"]
    assert json.loads(first["JobBookmark"])["seen"] == 1 and "PreviousRunId" not in first
    assert error_of(glue.reset_job_bookmark, JobName=job, RunId="jr_none")[0] == "EntityNotFoundException"
    glue.reset_job_bookmark(JobName=job, RunId=runs[0])
    runs.append(run_once(glue, jobs, job, 4))
    entry = glue.get_job_bookmark(JobName=job)["JobBookmarkEntry"]
    assert json.loads(entry["JobBookmark"])["seen"] == 2 and entry["PreviousRunId"] == runs[0]
    assert entry["Run"] == 4
    reset = glue.reset_job_bookmark(JobName=job)["JobBookmarkEntry"]
    assert reset == {"JobName": job, "Version": 0, "Run": 0, "Attempt": 0}
    run_once(glue, jobs, job, 5)
    assert json.loads(glue.get_job_bookmark(JobName=job)["JobBookmarkEntry"]["JobBookmark"])["seen"] == 1


def test_a_deleted_job_leaves_nothing(glue, jobs):
    job = jobs.make(SAVE)
    run_once(glue, jobs, job, 1)
    glue.delete_job(JobName=job)
    jobs.make(SAVE, name=job)
    assert error_of(glue.get_job_bookmark, JobName=job)[0] == "EntityNotFoundException"


def test_route_refuses(server, glue, jobs):
    script, key = jobs.gate()
    job = jobs.make(script)
    run = glue.start_job_run(JobName=job)["JobRunId"]
    jobs.started(job)
    assert route(server, run) == (200, {"state": None, "version": 0})
    assert route(server, run, b'{"a": [1, null]}') == (200, {"state": {"a": [1, None]}, "version": 1})
    for body in (b"", b"{", b"{} {}", b"\xff"):
        status, answer = route(server, run, body)
        assert status == 400 and "no JSON" in answer["message"], (body, answer)
    status, answer = route(server, run, json.dumps("x" * (1 << 20)).encode())
    assert status == 413 and "at most 1048576 bytes" in answer["message"]
    assert route(server, run, json.dumps("x" * ((1 << 20) - 2)).encode())[0] == 200
    assert len(route(server, run)[1]["state"]) == (1 << 20) - 2
    for unknown in ("jr_none", "", "../reset", "%2e"):
        assert route(server, unknown)[0] in (400, 404)
    jobs.open_gate(key)
    jobs.ended(job)
    status, answer = route(server, run, b"1")
    assert status == 409 and "SUCCEEDED" in answer["message"]
    assert route(server, run)[1]["version"] == 2
