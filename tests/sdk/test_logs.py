"""CloudWatch Logs through boto3."""

import time

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def logs(server):
    return server.client("logs")


@pytest.fixture
def group(logs, unique):
    name = "/test/" + unique("group")
    logs.create_log_group(logGroupName=name)
    return name


@pytest.fixture
def stream(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="2026/11/20/[$LATEST]abc")
    return "2026/11/20/[$LATEST]abc"


def put(logs, group, stream, *messages, at=None):
    at = at or int(time.time() * 1000)
    return logs.put_log_events(
        logGroupName=group, logStreamName=stream,
        logEvents=[{"timestamp": at + i, "message": m} for i, m in enumerate(messages)])


def test_group_and_stream_life(logs, group, stream):
    (described,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    assert described["logGroupArn"] == described["arn"][:-2]
    assert "retentionInDays" not in described
    logs.put_retention_policy(logGroupName=group, retentionInDays=14)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 14
    put(logs, group, stream, "one", "two")
    (shown,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert shown["lastEventTimestamp"] == shown["firstEventTimestamp"] + 1
    logs.delete_log_stream(logGroupName=group, logStreamName=stream)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_reading_forward_and_back(logs, group, stream):
    put(logs, group, stream, *[f"line {i}" for i in range(10)])
    where = {"logGroupName": group, "logStreamName": stream}
    first = logs.get_log_events(**where, startFromHead=True, limit=4)
    assert [e["message"] for e in first["events"]] == [f"line {i}" for i in range(4)]
    second = logs.get_log_events(**where, nextToken=first["nextForwardToken"], limit=100)
    assert [e["message"] for e in second["events"]] == [f"line {i}" for i in range(4, 10)]
    end = logs.get_log_events(**where, nextToken=second["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == second["nextForwardToken"]
    back = logs.get_log_events(**where, nextToken=second["nextBackwardToken"], limit=2)
    assert [e["message"] for e in back["events"]] == ["line 2", "line 3"]
    latest = logs.get_log_events(**where, limit=3)
    assert [e["message"] for e in latest["events"]] == ["line 7", "line 8", "line 9"]


@pytest.mark.parametrize("pattern, expected", [
    ("", ["ERROR disk full", "INFO fine", 'WARN "odd" ERROR']),
    ("ERROR", ["ERROR disk full", 'WARN "odd" ERROR']),
    ("ERROR -disk", ['WARN "odd" ERROR']),
    ('"disk full"', ["ERROR disk full"]),
    ("?INFO ?WARN", ["INFO fine", 'WARN "odd" ERROR']),
    ("nothing", []),
])
def test_filter(logs, group, stream, pattern, expected):
    put(logs, group, stream, "ERROR disk full", "INFO fine", 'WARN "odd" ERROR')
    events = logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    assert [e["message"] for e in events] == expected


def test_filter_by_pages_over_streams(logs, group):
    now = int(time.time() * 1000)
    for i in range(6):
        name = f"s{i % 2}"
        if i < 2:
            logs.create_log_stream(logGroupName=group, logStreamName=name)
        put(logs, group, name, f"m{i}", at=now + i)
    pages = list(logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, PaginationConfig={"PageSize": 4}))
    assert [e["message"] for p in pages for e in p["events"]] == [f"m{i}" for i in range(6)]
    only = logs.filter_log_events(logGroupName=group, logStreamNames=["s1"])["events"]
    assert [e["message"] for e in only] == ["m1", "m3", "m5"]
    some = logs.filter_log_events(logGroupName=group, startTime=now + 2, endTime=now + 4)["events"]
    assert [e["message"] for e in some] == ["m2", "m3", "m4"]


def test_errors(logs, group, stream):
    def code_of(call, **arguments):
        with pytest.raises(ClientError) as e:
            call(**arguments)
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 501)
        return e.value.response["Error"]["Code"]

    assert code_of(logs.create_log_group, logGroupName=group) == "ResourceAlreadyExistsException"
    assert code_of(logs.create_log_group, logGroupName="a b") == "InvalidParameterException"
    assert code_of(logs.get_log_events, logGroupName="/none", logStreamName="s") == "ResourceNotFoundException"
    assert code_of(logs.put_retention_policy, logGroupName=group, retentionInDays=2) == "InvalidParameterException"
    unordered = [{"timestamp": 2 * 10**12, "message": "b"}, {"timestamp": 10**12, "message": "a"}]
    assert code_of(logs.put_log_events, logGroupName=group, logStreamName=stream,
                   logEvents=unordered) == "InvalidParameterException"
    assert code_of(logs.filter_log_events, logGroupName=group,
                   filterPattern="{ $.x = 1 }") == "NotImplemented"
    assert code_of(logs.start_query, logGroupName=group, startTime=0, endTime=1,
                   queryString="fields @message") == "NotImplemented"


def test_old_and_new_events_are_rejected_and_told(logs, group, stream):
    now, day = int(time.time() * 1000), 24 * 3600 * 1000
    answer = logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": now - 20 * day, "message": "old"}, {"timestamp": now, "message": "good"},
        {"timestamp": now + day, "message": "new"}])
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    events = logs.filter_log_events(logGroupName=group)["events"]
    assert [e["message"] for e in events] == ["good"]


def test_tags(logs, unique):
    name = "/tags/" + unique()
    logs.create_log_group(logGroupName=name, tags={"a": "1"})
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{name}"
    logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
