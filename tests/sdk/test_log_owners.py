"""Logs of functions and jobs are kept where these are: in the same account and region."""

import pytest

from tests.support.pipeline import zip_of
from tests.support.wait import wait_until

ACCOUNTS = [("111111111111", "us-east-1"), ("222222222222", "us-east-1"), ("111111111111", "eu-west-1")]


def messages(logs, group):
    try:
        return "".join(e["message"] for e in logs.filter_log_events(logGroupName=group)["events"])
    except logs.exceptions.ResourceNotFoundException:
        return ""


def everywhere(server, group, wanted):
    """What each owner finds in the group, when all find what they look for."""
    def look():
        found = [messages(server.client("logs", account, region=region), group) for account, region in ACCOUNTS]
        return found if all(wanted(i) in text for i, text in enumerate(found)) else None

    return wait_until(look, 30, f"the lines of all owners in {group}")


def test_functions_of_the_same_name(server, unique):
    name = unique("same")
    for i, (account, region) in enumerate(ACCOUNTS):
        functions = server.client("lambda", account, region=region)
        functions.create_function(
            FunctionName=name, Runtime="python3.12", Handler="app.handler",
            Role=f"arn:aws:iam::{account}:role/r",
            Code={"ZipFile": zip_of(**{"app.py": f"def handler(e, c): print('I am {i}.')"})})
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        functions.invoke(FunctionName=name)
    found = everywhere(server, f"/aws/lambda/{name}", lambda i: f"I am {i}.")
    assert [text.count("I am ") for text in found] == [1, 1, 1]
    assert messages(server.client("logs"), f"/aws/lambda/{name}") == ""


@pytest.mark.parametrize("owner", ACCOUNTS[1:])
def test_jobs(server, unique, owner):
    account, region = owner
    s3, glue = (server.client(name, account, region=region) for name in ("s3", "glue"))
    bucket = unique("scripts")
    s3.create_bucket(Bucket=bucket, **({} if region == "us-east-1" else {
        "CreateBucketConfiguration": {"LocationConstraint": region}}))
    s3.put_object(Bucket=bucket, Key="j.py", Body=b"print('from the job')")
    glue.create_job(Name=bucket, Role=f"arn:aws:iam::{account}:role/r",
                    Command={"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/j.py"})
    run = glue.start_job_run(JobName=bucket)["JobRunId"]
    wait_until(lambda: glue.get_job_run(JobName=bucket, RunId=run)["JobRun"]["JobRunState"] == "SUCCEEDED",
               30, "the run")
    group = "/aws-glue/python-jobs/output"
    assert "from the job" in messages(server.client("logs", account, region=region), group)
    shown = server.client("logs").describe_log_streams(logGroupName=group)["logStreams"] \
        if messages(server.client("logs"), group) else []
    assert run not in [stream["logStreamName"] for stream in shown]
