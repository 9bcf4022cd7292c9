"""Workflows: definitions, graphs, runs with their properties, statistics and ends."""

import json

import pytest

from tests.support.errors import error_of
from tests.support.glue import Jobs
from tests.support.wait import wait_until

ARGUMENTS = """
import sys, boto3
from awsglue.utils import getResolvedOptions
o = getResolvedOptions(sys.argv, ["WORKFLOW_NAME", "WORKFLOW_RUN_ID"])
glue = boto3.client("glue")
p = glue.get_workflow_run_properties(Name=o["WORKFLOW_NAME"], RunId=o["WORKFLOW_RUN_ID"])["RunProperties"]
glue.put_workflow_run_properties(Name=o["WORKFLOW_NAME"], RunId=o["WORKFLOW_RUN_ID"],
                                 RunProperties={"seen": p["day"], "color": "blue"})
"""


@pytest.fixture
def workflow(glue, unique):
    """workflow([first jobs], [(watched, state, then)], …): name of a workflow, all triggers active."""

    def make(first, then=(), type="ON_DEMAND", **more):
        name = unique("wf")
        glue.create_workflow(Name=name, **more)
        schedule = {"Schedule": "cron(0 3 * * ? *)"} if type == "SCHEDULED" else {}
        glue.create_trigger(Name=f"{name}-start", WorkflowName=name, Type=type,
                            Actions=[{"JobName": j} for j in first], **schedule)
        for i, (watched, state, job) in enumerate(then):
            glue.create_trigger(
                Name=f"{name}-{i}", WorkflowName=name, Type="CONDITIONAL", StartOnCreation=True,
                Actions=[{"JobName": job}],
                Predicate={"Conditions": [{"LogicalOperator": "EQUALS", "JobName": watched, "State": state}]})
        return name

    return make


def finished(glue, name, run):
    def state():
        got = glue.get_workflow_run(Name=name, RunId=run)["Run"]
        return got if got["Status"] not in ("RUNNING", "STOPPING") else None

    return wait_until(state, 60, f"end of workflow run {run}")


def test_definition_and_graph(glue, jobs, workflow, unique):
    a, b = jobs.make(), jobs.make()
    name = workflow([a], [(a, "SUCCEEDED", b)], Description="text", MaxConcurrentRuns=3,
                    DefaultRunProperties={"x": "1"}, Tags={"team": "t"})
    got = glue.get_workflow(Name=name)["Workflow"]
    assert got["Description"] == "text" and got["MaxConcurrentRuns"] == 3
    assert got["DefaultRunProperties"] == {"x": "1"} and got["CreatedOn"] and got["LastModifiedOn"]
    assert "Graph" not in got and "LastRun" not in got
    assert glue.get_tags(ResourceArn=f"arn:aws:glue:us-east-1:000000000000:workflow/{name}")["Tags"] == {"team": "t"}
    graph = glue.get_workflow(Name=name, IncludeGraph=True)["Workflow"]["Graph"]
    ids = {(n["Type"], n["Name"]): n["UniqueId"] for n in graph["Nodes"]}
    start, then = ("TRIGGER", f"{name}-start"), ("TRIGGER", f"{name}-0")
    assert set(ids) == {start, then, ("JOB", a), ("JOB", b)}
    assert {(e["SourceId"], e["DestinationId"]) for e in graph["Edges"]} == {
        (ids[start], ids["JOB", a]), (ids["JOB", a], ids[then]), (ids[then], ids["JOB", b])}
    (node,) = [n for n in graph["Nodes"] if n["Name"] == f"{name}-start"]
    assert node["TriggerDetails"]["Trigger"]["Type"] == "ON_DEMAND"
    both = glue.batch_get_workflows(Names=[name, "none"], IncludeGraph=True)
    assert both["MissingWorkflows"] == ["none"] and both["Workflows"][0]["Graph"]["Nodes"]
    glue.update_workflow(Name=name, Description="new")
    got = glue.get_workflow(Name=name)["Workflow"]
    assert got["Description"] == "new" and "MaxConcurrentRuns" not in got
    assert glue.delete_workflow(Name=name)["Name"] == name
    assert error_of(glue.get_workflow, Name=name)[0] == "EntityNotFoundException"
    assert error_of(glue.get_trigger, Name=f"{name}-0")[0] == "EntityNotFoundException"
    assert glue.delete_workflow(Name=name)["Name"] == name


def test_refusals(glue, jobs, workflow, unique):
    job, empty = jobs.make(), unique("wf")
    name = workflow([job])
    assert error_of(glue.create_workflow, Name=name)[0] == "AlreadyExistsException"
    assert error_of(glue.create_workflow, Name=empty, MaxConcurrentRuns=0)[0] == "InvalidInputException"
    code, message = error_of(glue.create_trigger, Name=unique("t"), WorkflowName=name, Type="SCHEDULED",
                             Schedule="cron(0 1 * * ? *)", Actions=[{"JobName": job}])
    assert code == "InvalidInputException" and f"{name}-start" in message
    glue.create_workflow(Name=empty)
    code, message = error_of(glue.start_workflow_run, Name=empty)
    assert code == "InvalidInputException" and "no start trigger" in message
    assert error_of(glue.start_workflow_run, Name="nowhere")[0] == "EntityNotFoundException"
    for call in (glue.get_workflow_run, glue.stop_workflow_run, glue.get_workflow_run_properties):
        assert error_of(call, Name=name, RunId="wr_none")[0] == "EntityNotFoundException"
    assert error_of(glue.get_workflow_runs, Name="nowhere")[0] == "EntityNotFoundException"
    assert error_of(glue.update_workflow, Name="nowhere")[0] == "EntityNotFoundException"
    assert error_of(glue.resume_workflow_run, Name=name, RunId="x", NodeIds=["n"])[0] == "NotImplemented"


def test_listing(server):
    glue = server.client("glue", access_key="222233338888")
    for i in range(5):
        glue.create_workflow(Name=f"w{i}")
    first = glue.list_workflows(MaxResults=3)
    assert first["Workflows"] == ["w0", "w1", "w2"]
    rest = glue.list_workflows(NextToken=first["NextToken"])
    assert rest["Workflows"] == ["w3", "w4"] and "NextToken" not in rest


def test_run_with_properties_statistics_and_graph(glue, jobs, workflow):
    a, bad, after, never = jobs.make(ARGUMENTS), jobs.make("1/0"), jobs.make(), jobs.make()
    name = workflow([a, bad], [(bad, "FAILED", after), (bad, "SUCCEEDED", never)],
                    DefaultRunProperties={"day": "monday", "color": "red"})
    run = glue.start_workflow_run(Name=name, RunProperties={"day": "friday"})["RunId"]
    assert run.startswith("wr_") and len(run) == 67
    got = finished(glue, name, run)
    assert got["Status"] == "COMPLETED" and got["Name"] == name and got["CompletedOn"] >= got["StartedOn"]
    assert got["WorkflowRunProperties"] == {"day": "friday", "color": "blue", "seen": "friday"}
    assert glue.get_workflow_run_properties(Name=name, RunId=run)["RunProperties"]["color"] == "blue"
    assert got["Statistics"] == {
        "TotalActions": 3, "SucceededActions": 2, "FailedActions": 1, "TimeoutActions": 0,
        "StoppedActions": 0, "RunningActions": 0, "ErroredActions": 0, "WaitingActions": 0}
    (job_run,) = jobs.runs(after)
    assert job_run["TriggerName"] == f"{name}-0"
    assert job_run["Arguments"] == {"--WORKFLOW_NAME": name, "--WORKFLOW_RUN_ID": run}
    graph = glue.get_workflow_run(Name=name, RunId=run, IncludeGraph=True)["Run"]["Graph"]
    runs = {n["Name"]: n["JobDetails"]["JobRuns"] for n in graph["Nodes"] if "JobDetails" in n}
    assert {k: [r["JobRunState"] for r in v] for k, v in runs.items()} == {
        a: ["SUCCEEDED"], bad: ["FAILED"], after: ["SUCCEEDED"]}
    last = glue.get_workflow(Name=name)["Workflow"]["LastRun"]
    assert last["WorkflowRunId"] == run and last["Statistics"]["TotalActions"] == 3
    again = glue.start_workflow_run(Name=name)["RunId"]
    finished(glue, name, again)
    page = glue.get_workflow_runs(Name=name, MaxResults=1)
    assert [r["WorkflowRunId"] for r in page["Runs"]] == [again]
    page = glue.get_workflow_runs(Name=name, NextToken=page["NextToken"], IncludeGraph=True)
    assert [r["WorkflowRunId"] for r in page["Runs"]] == [run] and "NextToken" not in page
    assert page["Runs"][0]["Graph"]["Nodes"]
    assert len(json.dumps(graph, default=str)) > 0


def test_triggers_of_others_dont_see_it(glue, jobs, workflow, unique):
    a, outside = jobs.make(), jobs.make()
    glue.create_trigger(Name=unique("t"), Type="CONDITIONAL", StartOnCreation=True,
                        Actions=[{"JobName": outside}], Predicate={"Conditions": [
                            {"LogicalOperator": "EQUALS", "JobName": a, "State": "SUCCEEDED"}]})
    name = workflow([a])
    run = glue.start_workflow_run(Name=name)["RunId"]
    assert finished(glue, name, run)["Statistics"]["TotalActions"] == 1
    assert jobs.runs(outside) == []


@pytest.mark.parametrize("type", ["ON_DEMAND", "SCHEDULED"])
def test_started_by_its_trigger(glue, jobs, workflow, type):
    a = jobs.make()
    name = workflow([a], type=type)
    if type == "ON_DEMAND":
        glue.start_trigger(Name=f"{name}-start")
    else:
        glue.start_workflow_run(Name=name)
    (run,) = glue.get_workflow_runs(Name=name)["Runs"]
    assert finished(glue, name, run["WorkflowRunId"])["Statistics"]["SucceededActions"] == 1


def test_concurrent_runs_and_stop(glue, jobs, workflow):
    script, key = jobs.gate()
    a, b = jobs.make(script), jobs.make()
    name = workflow([a], [(a, "STOPPED", b)], MaxConcurrentRuns=1)
    run = glue.start_workflow_run(Name=name)["RunId"]
    jobs.started(a)
    assert glue.get_workflow_run(Name=name, RunId=run)["Run"]["Statistics"]["RunningActions"] == 1
    code, message = error_of(glue.start_workflow_run, Name=name)
    assert code == "ConcurrentRunsExceededException" and message == f"Concurrent runs exceeded for workflow: {name}."
    assert error_of(glue.start_trigger, Name=f"{name}-start")[0] == "ConcurrentRunsExceededException"
    assert error_of(glue.delete_workflow, Name=name)[0] == "ConcurrentModificationException"
    glue.stop_workflow_run(Name=name, RunId=run)
    got = finished(glue, name, run)
    assert got["Status"] == "STOPPED" and got["Statistics"]["StoppedActions"] == 1
    assert jobs.runs(b) == []  # a workflow that is being stopped starts nothing
    assert error_of(glue.stop_workflow_run, Name=name, RunId=run)[0] == "IllegalWorkflowStateException"


def test_schedule_with_a_run_under_way_notes_the_error(make_server, unique):
    server = make_server("--clock-scale", "900")
    server.client("s3").create_bucket(Bucket="scripts")
    glue, jobs = server.client("glue"), Jobs(server, "scripts", unique)
    script, key = jobs.gate()
    job = jobs.make(script)
    glue.create_workflow(Name="w", MaxConcurrentRuns=1)
    glue.create_trigger(Name="t", WorkflowName="w", Type="SCHEDULED", Schedule="cron(0/5 * * * ? *)",
                        StartOnCreation=True, Actions=[{"JobName": job}])
    runs = wait_until(lambda: len(r := glue.get_workflow_runs(Name="w")["Runs"]) >= 2 and r)
    assert [r["Status"] for r in runs[-2:]] == ["ERROR", "RUNNING"]
    assert runs[-2]["ErrorMessage"] == "Concurrent runs exceeded for workflow: w."
    glue.stop_trigger(Name="t")
    jobs.open_gate(key)
    assert finished(glue, "w", runs[-1]["WorkflowRunId"])["Status"] == "COMPLETED"
    assert len(jobs.runs(job)) == 1


def test_action_that_cant_start_is_an_error_of_the_run(glue, jobs, workflow):
    script, key = jobs.gate()
    busy, other = jobs.make(script), jobs.make()
    glue.start_job_run(JobName=busy)
    jobs.started(busy)
    name = workflow([busy, other])
    got = finished(glue, name, glue.start_workflow_run(Name=name)["RunId"])
    assert got["Statistics"]["ErroredActions"] == 1 and got["Statistics"]["SucceededActions"] == 1
    jobs.open_gate(key)
    jobs.ended(busy)


def test_kill_in_the_middle(make_server, unique):
    server = make_server()
    server.client("s3").create_bucket(Bucket="scripts")
    glue, jobs = server.client("glue"), Jobs(server, "scripts", unique)
    script, key = jobs.gate()
    a, b = jobs.make(script, MaxRetries=3), jobs.make()
    glue.create_workflow(Name="w")
    glue.create_trigger(Name="s", WorkflowName="w", Type="ON_DEMAND", Actions=[{"JobName": a}])
    glue.create_trigger(Name="t", WorkflowName="w", Type="CONDITIONAL", StartOnCreation=True,
                        Actions=[{"JobName": b}], Predicate={"Conditions": [
                            {"LogicalOperator": "EQUALS", "JobName": a, "State": "SUCCEEDED"}]})
    run = glue.start_workflow_run(Name="w")["RunId"]
    jobs.started(a)
    server.kill()
    server.start()
    jobs.started(a)
    jobs.open_gate(key)
    got = finished(glue, "w", run)
    assert got["Status"] == "COMPLETED"
    assert got["Statistics"]["TotalActions"] == 2 and got["Statistics"]["SucceededActions"] == 2
    graph = glue.get_workflow_run(Name="w", RunId=run, IncludeGraph=True)["Run"]["Graph"]
    (node,) = [n for n in graph["Nodes"] if n["Name"] == a]
    assert [r["JobRunState"] for r in node["JobDetails"]["JobRuns"]] == ["FAILED", "SUCCEEDED"]
