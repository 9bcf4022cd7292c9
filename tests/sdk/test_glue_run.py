"""Glue runs of scripts: pythonshell; tests/pipeline/test_spark_job.py has Spark."""

import pytest
from botocore.exceptions import ClientError

from tests.support.wait import wait_until

ROLE = "arn:aws:iam::000000000000:role/glue"
END = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


@pytest.fixture
def make_job(glue, s3, bucket, unique):
    def make(script, kind="pythonshell", **more):
        name = unique("job")
        s3.put_object(Bucket=bucket, Key=f"scripts/{name}.py", Body=script.encode())
        glue.create_job(Name=name, Role=ROLE, Command={
            "Name": kind, "ScriptLocation": f"s3://{bucket}/scripts/{name}.py"}, **more)
        return name

    return make


def ended(glue, job, run):
    def state():
        got = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
        return got if got["JobRunState"] in END else None

    return wait_until(state, 60, f"end of {run}")


def lines(server, group, stream):
    events = server.client("logs").get_log_events(
        logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    return [e["message"] for e in events]


ARGV = """
import sys
from awsglue.utils import getResolvedOptions
print(sys.argv[0].rsplit("/", 1)[-1])
print(sys.argv[1:])
o = getResolvedOptions(sys.argv, ["a", "with-dash", "run"])
print(o["a"], o["with_dash"], o["run"], o["JOB_RUN_ID"])
"""


def test_arguments_and_output(server, glue, make_job):
    job = make_job(ARGV, DefaultArguments={"--a": "1", "--with-dash": "two words", "--run": "default"})
    run = glue.start_job_run(JobName=job, Arguments={"--run": "--given"})["JobRunId"]
    assert run.startswith("jr_") and len(run) == 67
    done = ended(glue, job, run)
    assert done["JobRunState"] == "SUCCEEDED", done
    assert done["LogGroupName"] == "/aws-glue/python-jobs" and done["Arguments"] == {"--run": "--given"}
    printed = lines(server, "/aws-glue/python-jobs/output", run)
    assert printed[0] == f"{job}.py"
    for word in ("'--a', '1'", "'--with-dash', 'two words'", "'--run', '--given'", f"'--JOB_NAME', '{job}'"):
        assert word in printed[1]
    assert printed[2] == f"1 two words --given {run}"


def test_boto3_inside_reaches_this_server(server, glue, make_job, bucket, s3):
    job = make_job(f"""
import boto3
s3 = boto3.client("s3")
s3.put_object(Bucket="{bucket}", Key="made-by-job", Body=b"x")
print(boto3.client("sts").get_caller_identity()["Arn"])
""")
    run = glue.start_job_run(JobName=job)["JobRunId"]
    done = ended(glue, job, run)
    assert done["JobRunState"] == "SUCCEEDED", (done, lines(server, "/aws-glue/python-jobs/error", run))
    assert s3.get_object(Bucket=bucket, Key="made-by-job")["Body"].read() == b"x"
    (arn,) = lines(server, "/aws-glue/python-jobs/output", run)
    assert arn.startswith("arn:aws:sts::000000000000:assumed-role/glue/")


@pytest.mark.parametrize("script, message", [
    ("import sys; print('x', file=sys.stderr); raise ValueError('bad düne')", "ValueError: bad düne"),
    ("import sys; sys.exit(3)", "SystemExit: 3"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
    ("from awsglue.utils import getResolvedOptions\nimport sys\ngetResolvedOptions(sys.argv, ['x'])",
     "the following arguments are required: --x"),
])
def test_failures_tell_the_reason(glue, make_job, script, message):
    job = make_job(script)
    done = ended(glue, job, glue.start_job_run(JobName=job)["JobRunId"])
    assert done["JobRunState"] == "FAILED"
    assert message in done["ErrorMessage"]


def test_missing_script(glue, make_job, s3, bucket):
    job = make_job("")
    s3.delete_object(Bucket=bucket, Key=f"scripts/{job}.py")
    done = ended(glue, job, glue.start_job_run(JobName=job)["JobRunId"])
    assert done["JobRunState"] == "FAILED" and "does not exist" in done["ErrorMessage"]


SLEEP = "import time\nprint('up')\ntime.sleep(600)"


def test_concurrency_and_stop(glue, make_job):
    job = make_job(SLEEP)
    run = glue.start_job_run(JobName=job)["JobRunId"]
    wait_until(lambda: glue.get_job_run(JobName=job, RunId=run)["JobRun"]["JobRunState"] == "RUNNING")
    with pytest.raises(ClientError) as e:
        glue.start_job_run(JobName=job)
    assert e.value.response["Error"]["Code"] == "ConcurrentRunsExceededException"
    assert e.value.response["Error"]["Message"] == f"Concurrent runs exceeded for {job}"
    answer = glue.batch_stop_job_run(JobName=job, JobRunIds=[run, "jr_none"])
    assert [s["JobRunId"] for s in answer["SuccessfulSubmissions"]] == [run]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert ended(glue, job, run)["JobRunState"] == "STOPPED"
    again = glue.start_job_run(JobName=job)["JobRunId"]
    glue.batch_stop_job_run(JobName=job, JobRunIds=[again])
    assert ended(glue, job, again)["JobRunState"] == "STOPPED"
    assert [r["Id"] for r in glue.get_job_runs(JobName=job)["JobRuns"]] == [again, run]


def test_queuing(glue, make_job):
    job = make_job("print('done')", JobRunQueuingEnabled=True)
    runs = [glue.start_job_run(JobName=job)["JobRunId"] for _ in range(4)]
    assert {ended(glue, job, r)["JobRunState"] for r in runs} == {"SUCCEEDED"}
    done = [glue.get_job_run(JobName=job, RunId=r)["JobRun"]["CompletedOn"] for r in runs]
    assert done == sorted(done)


def test_retries(glue, make_job):
    job = make_job("raise RuntimeError('again')", MaxRetries=2)
    run = glue.start_job_run(JobName=job)["JobRunId"]
    wait_until(lambda: len(glue.get_job_runs(JobName=job)["JobRuns"]) == 3)
    last = ended(glue, job, f"{run}_attempt_2")
    assert last["Attempt"] == 2 and last["PreviousRunId"] == f"{run}_attempt_1"
    assert len(glue.get_job_runs(JobName=job)["JobRuns"]) == 3


def test_kill_of_the_server_fails_the_run_with_the_reason(fresh_server):
    s3, glue = fresh_server.client("s3"), fresh_server.client("glue")
    s3.create_bucket(Bucket="scripts")
    s3.put_object(Bucket="scripts", Key="s.py", Body=SLEEP.encode())
    glue.create_job(Name="j", Role=ROLE, Command={"Name": "pythonshell", "ScriptLocation": "s3://scripts/s.py"})
    run = glue.start_job_run(JobName="j")["JobRunId"]
    wait_until(lambda: glue.get_job_run(JobName="j", RunId=run)["JobRun"]["JobRunState"] == "RUNNING")
    fresh_server.kill()
    fresh_server.start()
    done = ended(glue, "j", run)
    assert done["JobRunState"] == "FAILED" and "server ended" in done["ErrorMessage"]


def test_missing_connection_fails_the_run(glue, make_job, unique):
    name = unique("connection")
    job = make_job("print(1)", Connections={"Connections": [name]})
    done = ended(glue, job, glue.start_job_run(JobName=job)["JobRunId"])
    assert done["JobRunState"] == "FAILED" and f"Connection {name} not found" in done["ErrorMessage"]
    glue.create_connection(ConnectionInput={
        "Name": name, "ConnectionType": "NETWORK", "ConnectionProperties": {}})
    assert ended(glue, job, glue.start_job_run(JobName=job)["JobRunId"])["JobRunState"] == "SUCCEEDED"


def test_waiting_runs(glue, make_job):
    job = make_job(SLEEP, JobRunQueuingEnabled=True)
    runs = [glue.start_job_run(JobName=job)["JobRunId"] for _ in range(3)]

    def states():
        return [glue.get_job_run(JobName=job, RunId=r)["JobRun"]["JobRunState"] for r in runs]

    wait_until(lambda: states() == ["RUNNING", "WAITING", "WAITING"])
    with pytest.raises(ClientError) as e:
        glue.delete_job(JobName=job)
    assert "3 runs under way" in str(e.value)
    glue.batch_stop_job_run(JobName=job, JobRunIds=[runs[1]])
    assert states()[1] == "STOPPED"
    definition = glue.get_job(JobName=job)["Job"]
    glue.update_job(JobName=job, JobUpdate={
        "Role": ROLE, "Command": definition["Command"], "ExecutionProperty": {"MaxConcurrentRuns": 2}})
    wait_until(lambda: states() == ["RUNNING", "STOPPED", "RUNNING"], what="the place that was made is taken")
    glue.batch_stop_job_run(JobName=job, JobRunIds=runs)
    wait_until(lambda: states() == ["STOPPED"] * 3)


def test_pages_of_runs(glue, make_job):
    job = make_job("")
    runs = []
    for _ in range(3):
        runs.insert(0, glue.start_job_run(JobName=job)["JobRunId"])
        ended(glue, job, runs[0])
    first = glue.get_job_runs(JobName=job, MaxResults=2)
    assert [r["Id"] for r in first["JobRuns"]] == runs[:2]
    rest = glue.get_job_runs(JobName=job, NextToken=first["NextToken"])
    assert [r["Id"] for r in rest["JobRuns"]] == runs[2:] and "NextToken" not in rest
    with pytest.raises(ClientError) as e:
        glue.get_job_runs(JobName=job, NextToken="x")
    assert e.value.response["Error"]["Code"] == "InvalidInputException"


@pytest.mark.parametrize("more", [
    {"NotificationProperty": {"NotifyDelayAfter": 5}}, {"ExecutionRoleSessionPolicy": "{}"}])
def test_run_options_that_arent_done_are_refused(glue, make_job, more):
    with pytest.raises(ClientError) as e:
        glue.start_job_run(JobName=make_job(""), **more)
    assert e.value.response["Error"]["Code"] == "NotImplemented"
