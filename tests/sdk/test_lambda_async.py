"""Asynchronous invocations: retries, ages, permissions, S3 events, crashes of the server."""

import json
import re
import time

import pytest
from botocore.exceptions import ClientError

from tests.support.functions import Functions
from tests.support.wait import wait_until

COUNTING = """
import json
def handler(event, context):
    print("run", json.dumps([context.aws_request_id, event]))
    if event.get("fail"):
        raise RuntimeError("as asked")
"""


def runs(functions, name):
    return [json.loads(line[4:]) for line in functions.lines(name) if line.startswith("run ")]


def wait_runs(functions, name, n, timeout=30):
    return wait_until(lambda: len(runs(functions, name)) >= n and runs(functions, name), timeout,
                      f"{n} runs of {name}")



def test_an_event_runs_once(functions):
    name = functions.python(COUNTING)
    id_ = functions.send(name, {"n": 1})
    assert wait_runs(functions, name, 1) == [[id_, {"n": 1}]]
    functions.wait_lines(name, "REPORT")


def test_many_events_each_run_once(functions):
    name = functions.executable("cat >&2")
    for i in range(40):
        functions.send(name, {"number": i})
    lines = functions.wait_lines(name, '"number"', 40)
    assert sorted(json.loads(line)["number"] for line in lines) == list(range(40))


def test_failures_are_retried_after_one_and_two_minutes(functions):
    """The clock of the shared server runs 60 times faster: one and two seconds."""
    name = functions.python(COUNTING)
    started = time.monotonic()
    id_ = functions.send(name, {"fail": 1})
    wait_runs(functions, name, 2)
    assert time.monotonic() - started >= 1
    seen = wait_runs(functions, name, 3)
    assert time.monotonic() - started >= 3
    assert seen == [[id_, {"fail": 1}]] * 3
    wait_until(lambda: "the function failed each time" in functions.server.log(), 10, "the drop")
    time.sleep(3)
    assert len(runs(functions, name)) == 3


def test_the_number_of_retries_can_be_set(functions):
    name = functions.python(COUNTING)
    client = functions.client
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName=name)
    put = client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=3600)
    assert put["FunctionArn"].endswith(f":{name}:$LATEST")
    got = client.get_function_event_invoke_config(FunctionName=name)
    assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (0, 3600)
    functions.send(name, {"fail": 1})
    functions.wait_lines(name, "REPORT")
    time.sleep(2.5)
    assert len(runs(functions, name)) == 1
    updated = client.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (1, 3600)
    functions.send(name, {"fail": 2})
    wait_runs(functions, name, 3)
    client.delete_function_event_invoke_config(FunctionName=name)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName=name)
    with pytest.raises(ClientError) as e:
        client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={
            "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}})
    assert e.value.response["Error"]["Code"] == "NotImplemented"


def test_an_event_gets_too_old(functions):
    name = functions.executable("echo attempt >&2; false")
    functions.client.put_function_event_invoke_config(
        FunctionName=name, MaximumEventAgeInSeconds=120)  # 2 s here
    functions.send(name)
    functions.wait_lines(name, "attempt\n", 2)
    time.sleep(3)
    assert functions.lines(name).count("attempt\n") == 2  # the third would come after 3 s


def test_reserved_concurrency_limits_events_too(functions):
    name = functions.executable("echo begin >&2; sleep 0.2; echo end >&2")
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    for i in range(4):
        functions.send(name, i)
    functions.wait_lines(name, "end", 4)
    lines = [line for line in functions.lines(name) if line in ("begin\n", "end\n")]
    assert lines == ["begin\n", "end\n"] * 4
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.send(name, 5)
    wait_until(lambda: "reserved concurrency is 0" in functions.server.log(), 10, "the drop")


def test_waiting_knows_about_events(make_server, unique):
    functions = Functions(make_server("--clock-scale", "60"), unique)
    name = functions.python(COUNTING)
    functions.send(name, {"fail": 1})
    functions.server.wait_idle()
    assert len(runs(functions, name)) == 3  # with its retries


def test_events_survive_the_death_of_the_server(fresh_server, unique):
    functions = Functions(fresh_server, unique)
    slow = functions.executable("cat >&2; echo ' running' >&2; sleep 2; echo finished >&2")
    failing = functions.python(COUNTING)
    functions.client.put_function_concurrency(FunctionName=slow, ReservedConcurrentExecutions=2)
    ids = [functions.send(slow, {"number": i}) for i in range(5)]
    failed = functions.send(failing, {"fail": 1})
    wait_runs(functions, failing, 1)
    functions.wait_lines(slow, "running", 2)
    fresh_server.kill()
    fresh_server.start()
    functions.wait_lines(slow, "finished", 5)
    lines = functions.lines(slow)
    finished = {json.loads(line.split("running")[0])["number"] for line in lines if "number" in line}
    assert finished == set(range(5))
    starts = [re.match(r"START RequestId: (\S+)", line)[1] for line in lines if "START" in line]
    assert set(starts) == set(ids) and 5 <= len(starts) <= 7  # the two that ran are run again
    wait_runs(functions, failing, 3)
    assert {id_ for id_, _ in runs(functions, failing)} == {failed}


def test_a_deleted_function_s_events_are_dropped(functions):
    name = functions.python(COUNTING)
    functions.send(name, {"fail": 1})
    wait_runs(functions, name, 1)
    functions.client.delete_function(FunctionName=name)
    wait_until(lambda: f"{name}: event" in functions.server.log() and
               "the function was deleted" in functions.server.log(), 10, "the drop")


# --- permissions ---


def test_permissions(functions):
    name = functions.python(COUNTING)
    client = functions.client
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    with pytest.raises(client.exceptions.ResourceNotFoundException) as e:
        client.get_policy(FunctionName=name)
    assert e.value.response["Error"]["Message"] == "The resource you requested does not exist."
    added = client.add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::bucket", SourceAccount="000000000000")
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 201
    statement = {
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceAccount": "000000000000"},
                      "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}}}
    assert json.loads(added["Statement"]) == statement
    client.add_permission(FunctionName=name, StatementId="account", Action="lambda:*",
                          Principal="123456789012")
    got = client.get_policy(FunctionName=name)
    policy = json.loads(got["Policy"])
    assert (policy["Version"], policy["Id"]) == ("2012-10-17", "default")
    assert policy["Statement"][0] == statement
    assert policy["Statement"][1]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert got["RevisionId"] == client.get_function_configuration(FunctionName=name)["RevisionId"]

    with pytest.raises(client.exceptions.ResourceConflictException) as e:
        client.add_permission(FunctionName=name, StatementId="s3", Action="lambda:*", Principal="*")
    assert "The statement id (s3) provided already exists" in str(e.value)
    with pytest.raises(client.exceptions.PreconditionFailedException):
        client.remove_permission(FunctionName=name, StatementId="s3", RevisionId="old")
    with pytest.raises(ClientError) as e:
        client.add_permission(FunctionName=name, StatementId="a b", Action="lambda:*", Principal="*")
    assert e.value.response["Error"]["Code"] == "ValidationException"
    for sid in ("s3", "account"):
        done = client.remove_permission(FunctionName=name, StatementId=sid)
        assert done["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.remove_permission(FunctionName=name, StatementId="s3")


# --- S3 events ---


def notify(s3, bucket, arn, **more):
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "LambdaFunctionConfigurations": [
            {"Id": "on-object", "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], **more}]})


def allow(functions, name, bucket, **more):
    functions.client.add_permission(
        FunctionName=name, StatementId=bucket, Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn=f"arn:aws:s3:::{bucket}", **more)
    return functions.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def test_an_object_starts_the_function(functions, s3, bucket):
    name = functions.python("import json\ndef handler(e, c):\n    print('run', json.dumps(e))\n")
    arn = allow(functions, name, bucket, SourceAccount="000000000000")
    notify(s3, bucket, arn)
    before = time.time()
    etag = s3.put_object(Bucket=bucket, Key="shop/a b+ü.csv", Body=b"1,2\n")["ETag"].strip('"')
    event = wait_runs(functions, name, 1)[0]
    [record] = event["Records"]
    assert set(record) == {"eventVersion", "eventSource", "awsRegion", "eventTime", "eventName",
                           "userIdentity", "requestParameters", "responseElements", "s3"}
    assert record["eventVersion"] == "2.1" and record["eventSource"] == "aws:s3"
    assert record["awsRegion"] == "us-east-1" and record["eventName"] == "ObjectCreated:Put"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["eventTime"])
    assert set(record["responseElements"]) == {"x-amz-request-id", "x-amz-id-2"}
    assert set(record["requestParameters"]) == {"sourceIPAddress"}
    told = record["s3"]
    assert told["s3SchemaVersion"] == "1.0" and told["configurationId"] == "on-object"
    assert told["bucket"]["name"] == bucket and told["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    assert set(told["object"]) == {"key", "size", "eTag", "sequencer"}
    assert told["object"]["key"] == "shop/a+b%2B%C3%BC.csv"
    assert (told["object"]["size"], told["object"]["eTag"]) == (4, etag)
    assert re.fullmatch(r"[0-9A-F]+", told["object"]["sequencer"])
    assert time.time() - before < 30


def test_s3_needs_the_permission(functions, s3, bucket):
    name = functions.python(COUNTING)
    arn = functions.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    for sid, more in (("other", {"SourceArn": "arn:aws:s3:::another-bucket"}),
                      ("account", {"SourceAccount": "999999999999"})):
        with pytest.raises(ClientError) as e:
            notify(s3, bucket, arn)
        assert e.value.response["Error"]["Code"] == "InvalidArgument"
        functions.client.add_permission(
            FunctionName=name, StatementId=sid, Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com", **more)
    with pytest.raises(ClientError):
        notify(s3, bucket, arn)
    functions.client.add_permission(
        FunctionName=name, StatementId="all", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::*")
    notify(s3, bucket, arn)


def test_s3_events_survive_the_death_of_the_server(fresh_server, unique):
    functions, s3 = Functions(fresh_server, unique), fresh_server.client("s3")
    bucket = unique("bucket")
    s3.create_bucket(Bucket=bucket)
    name = functions.executable("sed 's/^/event /' >&2; sleep 0.3", timeout=30)
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    notify(s3, bucket, allow(functions, name, bucket))
    for i in range(8):
        s3.put_object(Bucket=bucket, Key=f"object-{i}", Body=b"x")
    functions.wait_lines(name, "END")
    fresh_server.kill()
    fresh_server.start()
    def seen():
        events = [json.loads(line[6:]) for line in functions.lines(name) if line.startswith("event ")]
        return {e["Records"][0]["s3"]["object"]["key"] for e in events}
    wait_until(lambda: seen() == {f"object-{i}" for i in range(8)}, 30, "all objects")
