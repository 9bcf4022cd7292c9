"""EventBridge: rules, patterns, targets, buses, schedules, and that nothing that was taken is lost."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from tests.support.events import ROLE, Listener, allow, arn, invocations, start_function
from tests.support.functions import Functions
from tests.support.glue import Jobs
from tests.support.wait import wait_until

ECHO = "cat >&2; echo >&2"


@pytest.fixture
def events(server):
    return server.client("events")


@pytest.fixture
def listen(server, unique):
    made = []

    def make(pattern=None, on=server, **more):
        made.append(Listener(on, unique("rule"), pattern, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def bus(events, unique):
    name = unique("bus")
    events.create_event_bus(Name=name)
    return name


def fails(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code, caught.value
    return error["Message"]


def put(events, source, detail=None, **more):
    answer = events.put_events(Entries=[
        {"Source": source, "DetailType": "test", "Detail": json.dumps(detail or {}), **more}])
    assert answer["FailedEntryCount"] == 0, answer
    return answer["Entries"][0]["EventId"]


# --- rules -----------------------------------------------------------------------------------------

def test_rule_is_put_shown_changed_and_deleted(events, unique):
    name = unique("rule")
    pattern = json.dumps({"source": ["a.b"]})
    rule = events.put_rule(Name=name, EventPattern=pattern, Description="d", RoleArn=ROLE,
                           Tags=[{"Key": "k", "Value": "v"}])["RuleArn"]
    assert rule == arn("events", f"rule/{name}")
    got = events.describe_rule(Name=name)
    assert (got["Name"], got["Arn"], got["EventPattern"], got["State"], got["Description"], got["RoleArn"]) == (
        name, rule, pattern, "ENABLED", "d", ROLE)
    assert got["EventBusName"] == "default" and "ScheduleExpression" not in got
    events.disable_rule(Name=name)
    assert events.describe_rule(Name=name)["State"] == "DISABLED"
    events.enable_rule(Name=name)
    assert events.describe_rule(Name=name)["State"] == "ENABLED"
    events.put_rule(Name=name, ScheduleExpression="rate(5 days)", State="DISABLED",
                    Tags=[{"Key": "other", "Value": "x"}])
    got = events.describe_rule(Name=name)
    assert got["ScheduleExpression"] == "rate(5 days)" and got["State"] == "DISABLED"
    assert not {"EventPattern", "Description", "RoleArn"} & set(got)
    assert events.list_tags_for_resource(ResourceARN=rule)["Tags"] == [{"Key": "k", "Value": "v"}]
    events.tag_resource(ResourceARN=rule, Tags=[{"Key": "l", "Value": ""}])
    events.untag_resource(ResourceARN=rule, TagKeys=["k"])
    assert events.list_tags_for_resource(ResourceARN=rule)["Tags"] == [{"Key": "l", "Value": ""}]
    events.delete_rule(Name=name)
    events.delete_rule(Name=name)
    assert fails("ResourceNotFoundException", events.describe_rule, Name=name) == \
        f"Rule {name} does not exist on EventBus default."
    fails("ResourceNotFoundException", events.list_tags_for_resource, ResourceARN=rule)


def test_rules_are_listed_in_pages(server, unique):
    events = server.client("events", access_key="444455556666")
    names = [f"p{i:02d}" for i in range(5)] + ["q"]
    for name in names:
        events.put_rule(Name=name, EventPattern='{"source":["x"]}')
    pages = list(events.get_paginator("list_rules").paginate(PaginationConfig={"PageSize": 2}))
    assert [[r["Name"] for r in p["Rules"]] for p in pages] == [names[:2], names[2:4], names[4:]]
    assert [r["Name"] for r in events.list_rules(NamePrefix="p")["Rules"]] == names[:5]
    assert all(r["Arn"].split(":")[4] == "444455556666" for r in events.list_rules()["Rules"])


def test_bad_rules(events, unique):
    name = unique("rule")
    bad = [
        ("ValidationException", "EventPattern or ScheduleExpression", {}),
        ("InvalidEventPatternException", "Event pattern is not valid. Reason: Filter is not an object",
         {"EventPattern": "[]"}),
        ("InvalidEventPatternException", '"source" must be an object or an array', {"EventPattern": '{"source":"x"}'}),
        ("InvalidEventPatternException", "Unrecognized match type", {"EventPattern": '{"a":[{"like":"x"}]}'}),
        ("InvalidEventPatternException", "Event pattern is not valid", {"EventPattern": "{oops"}),
        ("ValidationException", "ScheduleExpression is not valid", {"ScheduleExpression": "rate(1 minutes)"}),
        ("ValidationException", "ScheduleExpression is not valid", {"ScheduleExpression": "cron(0 12 * * *)"}),
        ("ValidationException", "state", {"EventPattern": '{"a":[1]}', "State": "ON"}),
    ]
    for code, text, arguments in bad:
        assert text in fails(code, events.put_rule, Name=name, **arguments), arguments
    pattern = '{"a":[1]}'
    fails("ValidationException", events.put_rule, Name="a b", EventPattern=pattern)
    fails("ValidationException", events.put_rule, Name="x" * 65, EventPattern=pattern)
    fails("ResourceNotFoundException", events.put_rule, Name=name, EventBusName="nowhere", EventPattern=pattern)
    fails("ResourceNotFoundException", events.enable_rule, Name=name)
    fails("ResourceNotFoundException", events.put_targets, Rule=name, Targets=[{"Id": "1", "Arn": arn("lambda", "function:f")}])
    assert events.list_rules(NamePrefix=name)["Rules"] == []


def test_event_pattern_is_tried(events):
    event = {"id": "1", "source": "s", "account": "000000000000", "time": "2026-01-01T00:00:00Z",
             "region": "us-east-1", "resources": [], "detail-type": "t", "detail": {"n": 7}}
    for pattern, result in [({"detail": {"n": [{"numeric": [">", 5]}]}}, True), ({"detail": {"n": ["7"]}}, False)]:
        assert events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"] is result
    fails("InvalidEventPatternException", events.test_event_pattern, EventPattern="{}", Event=json.dumps(event))
    fails("ValidationException", events.test_event_pattern, EventPattern='{"a":[1]}', Event="{oops")
    del event["region"]
    assert "region" in fails("ValidationException", events.test_event_pattern, EventPattern='{"a":[1]}',
                             Event=json.dumps(event))


# --- buses -----------------------------------------------------------------------------------------

def test_buses(events, unique):
    name = unique("bus")
    made = events.create_event_bus(Name=name, Description="mine", Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"]
    assert made == arn("events", f"event-bus/{name}")
    assert "already exists" in fails("ResourceAlreadyExistsException", events.create_event_bus, Name=name)
    fails("ResourceAlreadyExistsException", events.create_event_bus, Name="default")
    fails("ValidationException", events.create_event_bus, Name="a/b")
    got = events.describe_event_bus(Name=name)
    assert (got["Name"], got["Arn"], got["Description"]) == (name, made, "mine")
    assert events.describe_event_bus()["Arn"] == arn("events", "event-bus/default")
    assert events.describe_event_bus(Name=made)["Name"] == name
    assert [b["Name"] for b in events.list_event_buses(NamePrefix=name)["EventBuses"]] == [name]
    assert "default" in [b["Name"] for b in events.list_event_buses()["EventBuses"]]
    assert events.list_tags_for_resource(ResourceARN=made)["Tags"] == [{"Key": "k", "Value": "v"}]
    rule = events.put_rule(Name="r", EventBusName=name, EventPattern='{"a":[1]}')["RuleArn"]
    assert rule == arn("events", f"rule/{name}/r")
    assert events.list_tags_for_resource(ResourceARN=rule)["Tags"] == []
    assert "default event bus" in fails("ValidationException", events.put_rule, Name="s", EventBusName=name,
                                        ScheduleExpression="rate(1 day)")
    fails("ValidationException", events.delete_event_bus, Name=name)
    events.delete_rule(Name="r", EventBusName=name)
    events.delete_event_bus(Name=name)
    events.delete_event_bus(Name=name)
    fails("ResourceNotFoundException", events.describe_event_bus, Name=name)
    fails("ValidationException", events.delete_event_bus, Name="default")
    assert "KmsKeyIdentifier" in fails("NotImplemented", events.create_event_bus, Name=name,
                                       KmsKeyIdentifier="alias/x")


def test_event_goes_from_bus_to_bus_but_not_on_to_a_third(events, listen, unique):
    first, second, third = (unique("bus") for _ in range(3))
    source = unique("app")
    for name in (first, second, third):
        events.create_event_bus(Name=name)
    seen = [listen({"source": [source]}, bus=name) for name in (first, second, third)]
    for i, (name, other) in enumerate(((first, second), (second, third))):
        events.put_targets(Rule=seen[i].name, EventBusName=name, Targets=[
            {"Id": "on", "Arn": arn("events", f"event-bus/{other}"), "RoleArn": ROLE}])
    event_id = put(events, source, EventBusName=arn("events", f"event-bus/{first}"))
    assert [e["id"] for e in seen[1].wait()] == [event_id]
    put(events, source, EventBusName=second)  # begins there: to the third
    assert len(seen[2].wait()) == 1
    assert [e["id"] for e in seen[2].seen()] != [event_id]


# --- events ----------------------------------------------------------------------------------------

def test_event_arrives_as_it_was_put(events, listen):
    here = listen({"source": ["shop"], "detail": {"key": [{"prefix": "ord"}]}})
    answer = events.put_events(Entries=[
        {"Source": "shop", "DetailType": "Order", "Detail": '{"key": "order-1",\n "sum": 12.50, "u": "\\u00e9 \\"x\\""}',
         "Resources": ["r1", "r2"], "Time": 1700000000},
        {"Source": "shop", "DetailType": "Order", "Detail": '{"key": "other"}'}])
    assert answer["FailedEntryCount"] == 0
    [got] = here.wait()
    assert got.pop("id") == answer["Entries"][0]["EventId"]
    assert got == {"version": "0", "detail-type": "Order", "source": "shop", "account": "000000000000",
                   "time": "2023-11-14T22:13:20Z", "region": "us-east-1", "resources": ["r1", "r2"],
                   "detail": {"key": "order-1", "sum": 12.5, "u": 'é "x"'}}
    [line] = here.logs.filter_log_events(logGroupName=here.group)["events"]
    assert '"sum":12.50,' in line["message"] and "\n" not in line["message"]


def test_entries_fail_one_by_one(events):
    good = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    bad = [
        ("NotAuthorizedForSourceException", {"Source": "aws.s3"}),
        ("InvalidArgument", {"Source": ""}),
        ("InvalidArgument", {"DetailType": ""}),
        ("InvalidArgument", {"Detail": ""}),
        ("InvalidArgument", {"DetailType": "x" * 129}),
        ("MalformedDetail", {"Detail": "{oops"}),
        ("MalformedDetail", {"Detail": "[1]"}),
    ]
    answer = events.put_events(Entries=[good] + [{**good, **change} for _, change in bad])
    assert answer["FailedEntryCount"] == len(bad)
    assert "EventId" in answer["Entries"][0]
    for (code, change), entry in zip(bad, answer["Entries"][1:]):
        assert entry["ErrorCode"] == code and entry["ErrorMessage"] and "EventId" not in entry, change
    fails("ValidationException", events.put_events, Entries=[good] * 11)
    assert "Total size" in fails("ValidationException", events.put_events, Entries=[
        {**good, "Detail": json.dumps({"x": "y" * 140_000})}] * 2)


def test_disabled_rule_and_missing_bus_get_nothing(events, listen, server):
    here = listen({"source": ["quiet"]})
    events.disable_rule(Name=here.name)
    put(events, "quiet")
    put(events, "quiet", EventBusName="nowhere")
    events.enable_rule(Name=here.name)
    last = put(events, "quiet")
    assert [e["id"] for e in here.wait()] == [last]
    assert "there is no event bus nowhere" in server.log()


# --- targets ---------------------------------------------------------------------------------------

def test_targets_are_listed_replaced_and_removed(events, listen):
    here = listen({"source": ["t"]})
    function = arn("lambda", "function:" + here.name)
    events.put_targets(Rule=here.name, Targets=[{"Id": "f", "Arn": function, "Input": '{"a":1}'}])
    events.put_targets(Rule=here.name, Targets=[{"Id": "f", "Arn": function, "InputPath": "$.detail"}])
    got = {t["Id"]: t for t in events.list_targets_by_rule(Rule=here.name)["Targets"]}
    assert set(got) == {"f", "log"} and got["f"] == {"Id": "f", "Arn": function, "InputPath": "$.detail"}
    assert events.list_rule_names_by_target(TargetArn=function)["RuleNames"] == [here.name]
    assert events.list_rule_names_by_target(TargetArn=function + "x")["RuleNames"] == []
    assert "has targets" in fails("ValidationException", events.delete_rule, Name=here.name)
    answer = events.remove_targets(Rule=here.name, Ids=["f", "g"])
    assert answer["FailedEntryCount"] == 1 and answer["FailedEntries"][0]["TargetId"] == "g"
    assert [t["Id"] for t in events.list_targets_by_rule(Rule=here.name)["Targets"]] == ["log"]
    fails("LimitExceededException", events.put_targets, Rule=here.name,
          Targets=[{"Id": str(i), "Arn": function} for i in range(5)])
    assert len(events.list_targets_by_rule(Rule=here.name)["Targets"]) == 1


def test_targets_that_would_not_work_are_refused(events, listen):
    here = listen({"source": ["t"]})
    f = {"Id": "1", "Arn": arn("lambda", "function:f")}
    transform = lambda template, **paths: {"InputTransformer": {"InputTemplate": template, "InputPathsMap": paths}}
    bad = [
        ("NotImplemented", "sqs", {"Arn": arn("sqs", "queue")}),
        ("NotImplemented", "states", {"Arn": arn("states", "stateMachine:m")}),
        ("NotImplemented", "job/j", {"Arn": arn("glue", "job/j")}),
        ("NotImplemented", "aliases", {"Arn": arn("lambda", "function:f:live")}),
        ("NotImplemented", "DeadLetterConfig", {"DeadLetterConfig": {"Arn": arn("sqs", "queue")}}),
        ("NotImplemented", "KinesisParameters", {"KinesisParameters": {"PartitionKeyPath": "$.id"}}),
        ("ValidationException", "correct format", {"Arn": "lambda:f"}),
        ("ValidationException", "RoleArn", {"Arn": arn("glue", "workflow/w")}),
        ("ValidationException", "Only one of", {"Input": "{}", "InputPath": "$.id"}),
        ("ValidationException", "JSON syntax", {"Input": "{oops"}),
        ("ValidationException", "JSON path", {"InputPath": "detail"}),
        ("ValidationException", "placeholder x", transform('{"a": <x>}')),
        ("ValidationException", "one JSON value", transform("<id> happened", id="$.id")),
        ("ValidationException", "JSON path", transform('"x"', id="id")),
        ("ValidationException", "retryPolicy", {"RetryPolicy": {"MaximumRetryAttempts": 186}}),
        ("ValidationException", "event bus", {"Arn": arn("events", "event-bus/default"), "Input": "{}"}),
    ]
    for code, text, change in bad:
        assert text in fails(code, events.put_targets, Rule=here.name, Targets=[{**f, **change}]), change
    assert [t["Id"] for t in events.list_targets_by_rule(Rule=here.name)["Targets"]] == ["log"]


def test_function_is_invoked(events, listen, functions):
    here = listen({"source": ["invoke"]})
    name = functions.executable(ECHO)
    start_function(functions, events, name, here.name)
    sent = [put(events, "invoke", {"n": i}) for i in range(3)]
    got = invocations(functions, name, 3)
    assert sorted((e["id"], e["detail"]["n"]) for e in got) == sorted((s, i) for i, s in enumerate(sent))


def test_function_without_permission_gets_nothing(server, events, listen, functions):
    here = listen({"source": ["no.permission"]})
    name = functions.executable(ECHO)
    events.put_targets(Rule=here.name, Targets=[{"Id": "f", "Arn": arn("lambda", f"function:{name}")}])
    put(events, "no.permission", {"n": 1})
    here.wait()
    wait_until(lambda: f"rule {here.name}: an event for" in server.log(), 30, "the loss in the log")
    assert "doesn't permit events.amazonaws.com" in server.log()
    allow(functions, name, here.rule)
    put(events, "no.permission", {"n": 2})
    assert [e["detail"]["n"] for e in invocations(functions, name)] == [2]


def test_inputs(events, listen):
    here = listen({"source": ["inputs"]})

    def given(**target):
        here.put(**target)
        before = len(here.seen())
        put(events, "inputs", {"who": 'a "b"', "list": [{"x": 1}, {"x": 2}], "n": 3}, Resources=["r"])
        return here.wait(before + 1)[-1]

    transform = lambda template, **paths: given(InputTransformer={"InputTemplate": template, "InputPathsMap": paths})
    assert given(Input='{"fixed": true}') == {"fixed": True}
    assert given(InputPath="$.detail.list") == [{"x": 1}, {"x": 2}]
    assert transform('{"w": <who>, "all": <xs>, "n": <n>, "t": "<n> by <who>", "gone": "<gone>"}', who="$.detail.who",
                     xs="$.detail.list[*].x", n="$.detail.n", gone="$.detail.gone") == {
        "w": 'a "b"', "all": [1, 2], "n": 3, "t": '3 by a "b"', "gone": ""}
    assert transform('"resource <r>"', r="$.resources[0]") == "resource r"
    got = transform('{"rule": <aws.events.rule-name>, "arn": <aws.events.rule-arn>, "e": <aws.events.event.json>,'
                    ' "head": <aws.events.event>, "at": <aws.events.event.ingestion-time>}')
    assert (got["rule"], got["arn"]) == (here.name, here.rule)
    assert got["e"]["detail"]["n"] == 3 and got["head"]["source"] == "inputs" and "detail" not in got["head"]
    assert got["at"].startswith("20")


def test_log_line_of_a_chosen_time(events, listen):
    here = listen({"source": ["times"]})
    at = int(time.time() * 1000) - 5000
    here.put(InputTransformer={"InputPathsMap": {"at": "$.detail.at", "text": "$.detail.text"},
                               "InputTemplate": '{"timestamp": <at>, "message": <text>}'})
    put(events, "times", {"at": at, "text": '{"said": "hello"}'})
    here.wait()
    [line] = here.logs.filter_log_events(logGroupName=here.group)["events"]
    assert (line["timestamp"], line["message"]) == (at, '{"said": "hello"}')


def test_metrics_count_what_rules_do(server, events, listen):
    here = listen({"source": ["counted"]})
    put(events, "counted")
    here.wait()
    cloudwatch = server.client("cloudwatch")
    names = lambda: {m["MetricName"] for m in cloudwatch.list_metrics(
        Namespace="AWS/Events", Dimensions=[{"Name": "RuleName", "Value": here.name}])["Metrics"]}
    wait_until(lambda: names() == {"TriggeredRules", "Invocations"}, 30, f"the metrics ({names()})")


# --- Glue workflows --------------------------------------------------------------------------------

def workflow(server, bucket, unique, **batch):
    """A workflow with one quick job that events start; returns its name and the job's."""
    glue, name = server.client("glue"), unique("flow")
    job = Jobs(server, bucket, unique).make("print('ran')\n")
    glue.create_workflow(Name=name)
    more = {"EventBatchingCondition": batch} if batch else {}
    glue.create_trigger(Name=unique("trigger"), WorkflowName=name, Type="EVENT", Actions=[{"JobName": job}], **more)
    return name


def flow_runs(glue, name, n):
    def look():
        runs = glue.get_workflow_runs(Name=name)["Runs"]
        return runs if len(runs) >= n and all(r["Status"] == "COMPLETED" for r in runs) else None
    return wait_until(look, 60, f"{n} runs of {name}")


def test_workflow_begins_with_an_event(server, events, listen, bucket, unique):
    glue, name = server.client("glue"), workflow(server, bucket, unique)
    here = listen({"source": [name]})
    events.put_targets(Rule=here.name, Targets=[
        {"Id": "w", "Arn": arn("glue", f"workflow/{name}"), "RoleArn": ROLE}])
    event_id = put(events, name)
    [run] = flow_runs(glue, name, 1)
    assert run["WorkflowRunProperties"] == {"aws:eventIds": f"[{event_id}]"}
    assert run["Statistics"]["SucceededActions"] == 1


def test_workflow_waits_for_its_batch(server, events, listen, bucket, unique):
    glue, name = server.client("glue"), workflow(server, bucket, unique, BatchSize=3, BatchWindow=900)
    here = listen({"source": [name]})
    events.put_targets(Rule=here.name, Targets=[
        {"Id": "w", "Arn": arn("glue", f"workflow/{name}"), "RoleArn": ROLE}])
    sent = [put(events, name) for _ in range(2)]
    here.wait(2)
    assert glue.get_workflow_runs(Name=name)["Runs"] == []
    sent.append(put(events, name))
    [run] = flow_runs(glue, name, 1)
    assert run["WorkflowRunProperties"] == {"aws:eventIds": f"[{', '.join(sent)}]"}
    alone = put(events, name)
    server.wait_idle()  # with --flush: the window ends now
    runs = flow_runs(glue, name, 2)
    assert {r["WorkflowRunProperties"]["aws:eventIds"] for r in runs} == {f"[{', '.join(sent)}]", f"[{alone}]"}


# --- schedules -------------------------------------------------------------------------------------

def test_schedule_fires_again_and_again(events, listen):
    here = listen(ScheduleExpression="rate(1 minute)")  # one real second
    first, second = here.wait(2)[:2]
    assert first["source"] == "aws.events" and first["detail-type"] == "Scheduled Event"
    assert first["resources"] == [here.rule] and first["detail"] == {} and first["id"] != second["id"]
    assert first["time"] < second["time"]


def test_cron_says_its_own_time(listen):
    here = listen(ScheduleExpression="cron(* * * * ? *)")
    assert all(e["time"].endswith(":00Z") for e in here.wait(2))


def test_disabled_schedule_is_silent_until_it_is_enabled(events, listen):
    quiet, loud = listen(ScheduleExpression="rate(1 minute)", State="DISABLED"), listen(
        ScheduleExpression="rate(1 minute)")
    loud.wait(2)
    assert quiet.seen() == []
    events.enable_rule(Name=quiet.name)
    quiet.wait(1)


# --- nothing is lost -------------------------------------------------------------------------------

def test_kill_between_putting_and_delivering_loses_nothing(fresh_server, unique):
    events, functions = fresh_server.client("events"), Functions(fresh_server, unique)
    here = Listener(fresh_server, unique("rule"), {"source": ["kill"]})
    name = functions.executable(ECHO)
    start_function(functions, events, name, here.name)
    sent = []
    for _ in range(3):
        for _ in range(5):
            answer = events.put_events(Entries=[
                {"Source": "kill", "DetailType": "t", "Detail": "{}"} for _ in range(10)])
            sent += [e["EventId"] for e in answer["Entries"]]
        fresh_server.kill()
        fresh_server.start()
        events = fresh_server.client("events")
    here.wait(len(sent), 60)
    logged = [e["id"] for e in here.seen()]
    assert sorted(logged) == sorted(sent)  # within the server: exactly once
    wait_until(lambda: {e["id"] for e in invocations(functions, name)} == set(sent), 60, "all invocations")


def test_schedule_goes_on_after_a_restart(fresh_server, unique):
    here = Listener(fresh_server, unique("rule"), ScheduleExpression="rate(1 minute)")
    here.wait()
    fresh_server.restart()
    before = len(here.seen())
    here.wait(before + 1)


def test_reset_forgets_rules(fresh_server, unique):
    here = Listener(fresh_server, unique("rule"), {"source": ["x"]}, State="ENABLED")
    fresh_server.cli("reset")
    assert here.events.list_rules()["Rules"] == []


def test_wait_waits_for_deliveries(fresh_server, unique):
    here = Listener(fresh_server, unique("rule"), {"source": ["x"]})
    for _ in range(20):
        here.events.put_events(Entries=[{"Source": "x", "DetailType": "t", "Detail": "{}"}] * 10)
    fresh_server.wait_idle()
    assert len(here.seen()) == 200


# --- S3 and the command line -----------------------------------------------------------------------

def test_objects_are_told(server, s3, bucket, listen, events, functions):
    here = listen({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})
    name = functions.executable(ECHO)
    start_function(functions, events, name, here.name)
    s3.put_object(Bucket=bucket, Key="before", Body=b"")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)
    etag = s3.put_object(Bucket=bucket, Key="a b/ü.csv", Body=b"12345")["ETag"].strip('"')
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "before"})
    s3.delete_object(Bucket=bucket, Key="a b/ü.csv")
    created, copied, deleted = sorted(here.wait(3), key=lambda e: e["detail"]["object"]["sequencer"])
    assert [e["detail-type"] for e in (created, copied, deleted)] == ["Object Created", "Object Created", "Object Deleted"]
    assert created["resources"] == [f"arn:aws:s3:::{bucket}"]
    detail = created["detail"]
    assert detail["object"]["key"] == "a b/ü.csv" and detail["object"]["size"] == 5 and detail["object"]["etag"] == etag
    assert detail["reason"] == "PutObject" and copied["detail"]["reason"] == "CopyObject"
    assert deleted["detail"]["reason"] == "DeleteObject" and "size" not in deleted["detail"]["object"]
    assert deleted["detail"]["deletion-type"] == "Permanently Deleted"
    assert len(invocations(functions, name, 3)) == 3


def test_command_line(server, listen):
    here = listen({"source": ["cli"]})
    entries = json.dumps([{"Source": "cli", "DetailType": "t", "Detail": '{"a": 1}'}])
    answer = json.loads(server.cli("aws", "events", "put-events", "--entries", entries).stdout)
    assert [e["id"] for e in here.wait()] == [answer["Entries"][0]["EventId"]]
