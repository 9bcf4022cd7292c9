"""Triggers: definitions, what fires when, and that no chain is lost when the server is killed."""

import os
import random

import pytest

from tests.support.errors import error_of
from tests.support.glue import ROLE, Jobs
from tests.support.wait import wait_until

FAIL = "raise RuntimeError('no')"


def when(*conditions, logical="AND"):
    """when((job, state), …): a predicate."""
    return {"Logical": logical, "Conditions": [
        {"LogicalOperator": "EQUALS", "JobName": j, "State": s} for j, s in conditions]}


@pytest.fixture
def conditional(glue, unique):
    def make(predicate, *jobs, **more):
        name = unique("cond")
        glue.create_trigger(Name=name, Type="CONDITIONAL", StartOnCreation=True, Predicate=predicate,
                            Actions=[{"JobName": j} for j in jobs], **more)
        return name

    return make


@pytest.fixture
def on_demand(glue, unique):
    def make(*jobs, **more):
        name = unique("demand")
        glue.create_trigger(Name=name, Type="ON_DEMAND", Actions=[{"JobName": j} for j in jobs], **more)
        return name

    return make


# --- definitions ---
def test_trigger_comes_back_as_it_was_made(glue, jobs, unique):
    job, name = jobs.make(), unique("t")
    actions = [{"JobName": job, "Arguments": {"--a": "1"}, "Timeout": 7}]
    glue.create_trigger(Name=name, Type="SCHEDULED", Schedule="cron(0 3 * * ? *)", Actions=actions,
                        Description="nightly", Tags={"team": "x"})
    trigger = glue.get_trigger(Name=name)["Trigger"]
    assert trigger == {"Name": name, "Type": "SCHEDULED", "State": "CREATED", "Description": "nightly",
                       "Schedule": "cron(0 3 * * ? *)", "Actions": actions}
    assert glue.batch_get_triggers(TriggerNames=[name, "none"])["TriggersNotFound"] == ["none"]
    arn = f"arn:aws:glue:us-east-1:000000000000:trigger/{name}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "x"}
    glue.start_trigger(Name=name)
    assert glue.get_trigger(Name=name)["Trigger"]["State"] == "ACTIVATED"
    glue.stop_trigger(Name=name)
    assert glue.get_trigger(Name=name)["Trigger"]["State"] == "DEACTIVATED"
    new = glue.update_trigger(Name=name, TriggerUpdate={"Schedule": "cron(0 4 * * ? *)"})["Trigger"]
    assert new["Schedule"] == "cron(0 4 * * ? *)" and new["Actions"] == actions
    assert "Description" not in new and new["State"] == "DEACTIVATED"
    assert glue.delete_trigger(Name=name)["Name"] == name
    assert error_of(glue.get_trigger, Name=name)[0] == "EntityNotFoundException"
    assert glue.delete_trigger(Name=name)["Name"] == name  # as on AWS
    assert error_of(glue.get_tags, ResourceArn=arn)[0] == "EntityNotFoundException"


def test_refusals(glue, jobs, unique):
    job = jobs.make()
    run = [{"JobName": job}]
    refused = [
        ("InvalidInputException", "Actions", dict(Type="ON_DEMAND", Actions=[])),
        ("InvalidInputException", "either a JobName or a CrawlerName",
         dict(Type="ON_DEMAND", Actions=[{"JobName": job, "CrawlerName": "c"}])),
        ("EntityNotFoundException", "nowhere", dict(Type="ON_DEMAND", Actions=[{"JobName": "nowhere"}])),
        ("InvalidInputException", "StartOnCreation", dict(Type="ON_DEMAND", Actions=run, StartOnCreation=True)),
        ("InvalidInputException", "must have a Schedule", dict(Type="SCHEDULED", Actions=run)),
        ("InvalidInputException", "Hours must be 0 to 23 at character 8",
         dict(Type="SCHEDULED", Schedule="cron(0 25 * * ? *)", Actions=run)),
        ("InvalidInputException", "five minutes",
         dict(Type="SCHEDULED", Schedule="cron(0/4 * * * ? *)", Actions=run)),
        ("InvalidInputException", "cron(", dict(Type="SCHEDULED", Schedule="rate(5 minutes)", Actions=run)),
        ("InvalidInputException", "Predicate", dict(Type="CONDITIONAL", Actions=run)),
        ("InvalidInputException", "Logical", dict(
            Type="CONDITIONAL", Actions=run,
            Predicate={"Conditions": when((job, "FAILED"), (job, "STOPPED"))["Conditions"]})),
        ("InvalidInputException", "State of a condition",
         dict(Type="CONDITIONAL", Actions=run, Predicate=when((job, "RUNNING")))),
        ("EntityNotFoundException", "nowhere",
         dict(Type="CONDITIONAL", Actions=run, Predicate=when(("nowhere", "FAILED")))),
        ("EntityNotFoundException", "Workflow nowhere",
         dict(Type="ON_DEMAND", Actions=run, WorkflowName="nowhere")),
        ("InvalidInputException", "WorkflowName", dict(Type="EVENT", Actions=run)),
        ("InvalidInputException", "EventBatchingCondition",
         dict(Type="ON_DEMAND", Actions=run, EventBatchingCondition={"BatchSize": 2})),
        ("NotImplemented", "NotificationProperty", dict(
            Type="ON_DEMAND", Actions=[{"JobName": job, "NotificationProperty": {"NotifyDelayAfter": 5}}])),
    ]
    for code, text, arguments in refused:
        got = error_of(glue.create_trigger, Name=unique("t"), **arguments)
        assert got[0] == code and text in got[1], (arguments, got)
    name = unique("t")
    glue.create_trigger(Name=name, Type="ON_DEMAND", Actions=run)
    assert error_of(glue.create_trigger, Name=name, Type="ON_DEMAND", Actions=run)[0] == "AlreadyExistsException"
    assert error_of(glue.stop_trigger, Name=name)[0] == "InvalidInputException"
    for call in (glue.start_trigger, glue.stop_trigger):
        assert error_of(call, Name="nowhere")[0] == "EntityNotFoundException"


def test_listing(server, unique):
    glue = server.client("glue", access_key="222233337777")
    for job in ("a", "b"):
        glue.create_job(Name=job, Role=ROLE, Command={"Name": "cistern-merge"})
    for i in range(5):
        glue.create_trigger(Name=f"t{i}", Type="ON_DEMAND", Actions=[{"JobName": "ab"[i % 2]}],
                            Tags={"odd": str(i % 2)})
    first = glue.list_triggers(MaxResults=3)
    assert first["TriggerNames"] == ["t0", "t1", "t2"]
    assert glue.list_triggers(NextToken=first["NextToken"])["TriggerNames"] == ["t3", "t4"]
    assert glue.list_triggers(Tags={"odd": "1"})["TriggerNames"] == ["t1", "t3"]
    assert glue.list_triggers(DependentJobName="b")["TriggerNames"] == ["t1", "t3"]
    assert len(glue.list_triggers(DependentJobName="none")["TriggerNames"]) == 5  # as on AWS
    got = glue.get_triggers(DependentJobName="a", MaxResults=2)
    assert [t["Name"] for t in got["Triggers"]] == ["t0", "t2"] and got["NextToken"]


# --- firing ---
def test_on_demand_starts_all_actions(glue, jobs, on_demand, unique):
    one, two = jobs.make("import sys; print(sys.argv)"), jobs.make()
    name = unique("t")
    glue.create_trigger(Name=name, Type="ON_DEMAND", Actions=[
        {"JobName": one, "Arguments": {"--x": "1"}, "Timeout": 9}, {"JobName": two}])
    glue.start_trigger(Name=name)
    (run,) = jobs.ended(one)
    assert run["TriggerName"] == name and run["Arguments"] == {"--x": "1"} and run["Timeout"] == 9
    assert jobs.ended(two)[0]["JobRunState"] == "SUCCEEDED"
    assert glue.get_trigger(Name=name)["Trigger"]["State"] == "CREATED"


def test_chain_with_and_any_and_failure(glue, jobs, on_demand, conditional):
    good, bad, both, either, after_bad, never = (
        jobs.make(), jobs.make(FAIL), jobs.make(), jobs.make(), jobs.make(), jobs.make())
    conditional(when((good, "SUCCEEDED"), (bad, "FAILED")), both)
    conditional(when((good, "FAILED"), (bad, "FAILED"), logical="ANY"), either)
    conditional(when((bad, "SUCCEEDED"), (good, "SUCCEEDED")), never)
    last = conditional(when((both, "SUCCEEDED")), after_bad)
    glue.start_trigger(Name=on_demand(good, bad))
    (end,) = jobs.ended(after_bad)
    assert end["TriggerName"] == last and end["PredecessorRuns"] == []
    (middle,) = jobs.ended(both)
    jobs.ended(either)
    seen = glue.get_job_run(JobName=both, RunId=middle["Id"], PredecessorsIncluded=True)["JobRun"]
    assert {(p["JobName"], p["RunId"]) for p in seen["PredecessorRuns"]} == {
        (good, jobs.runs(good)[0]["Id"]), (bad, jobs.runs(bad)[0]["Id"])}
    assert glue.get_job_run(JobName=both, RunId=middle["Id"])["JobRun"]["PredecessorRuns"] == []
    assert jobs.runs(never) == [] and len(jobs.runs(either)) == 1


def test_runs_by_hand_and_sleeping_triggers_start_nothing(glue, jobs, on_demand, conditional):
    first, second, third = jobs.make(), jobs.make(), jobs.make()
    cond = conditional(when((first, "SUCCEEDED")), second)
    glue.start_job_run(JobName=first)
    jobs.ended(first)
    assert jobs.runs(second) == []  # a chain begins with a trigger
    conditional(when((second, "SUCCEEDED")), third)
    start = on_demand(first)
    glue.start_trigger(Name=start)
    jobs.ended(third)
    glue.stop_trigger(Name=cond)
    glue.start_trigger(Name=start)
    jobs.ended(first, 3)
    assert len(jobs.runs(second)) == 1 and len(jobs.runs(third)) == 1


def test_conditions_of_another_chain_dont_count(glue, jobs, on_demand, conditional):
    left, right, both = jobs.make(), jobs.make(), jobs.make()
    conditional(when((left, "SUCCEEDED"), (right, "SUCCEEDED")), both)
    glue.start_trigger(Name=on_demand(left))
    jobs.ended(left)
    glue.start_trigger(Name=on_demand(right))
    jobs.ended(right)
    assert jobs.runs(both) == []
    glue.start_trigger(Name=on_demand(left, right))
    jobs.ended(both)


def test_a_try_that_is_repeated_has_not_ended(glue, jobs, on_demand, conditional):
    failing, after = jobs.make(FAIL, MaxRetries=2), jobs.make()
    conditional(when((failing, "FAILED")), after)
    glue.start_trigger(Name=on_demand(failing))
    (end,) = jobs.ended(after)
    tries = jobs.ended(failing, 3)
    assert [t["Attempt"] for t in tries] == [2, 1, 0]
    assert len({t["TriggerName"] for t in tries}) == 1
    seen = glue.get_job_run(JobName=after, RunId=end["Id"], PredecessorsIncluded=True)["JobRun"]
    assert seen["PredecessorRuns"] == [{"JobName": failing, "RunId": tries[0]["Id"]}]


def test_stopped_run_fires(glue, jobs, on_demand, conditional):
    script, _ = jobs.gate()
    waits, after = jobs.make(script), jobs.make()
    conditional(when((waits, "STOPPED")), after)
    glue.start_trigger(Name=on_demand(waits))
    (run,) = jobs.started(waits)
    glue.batch_stop_job_run(JobName=waits, JobRunIds=[run["Id"]])
    jobs.ended(after)


def test_trigger_that_can_start_nothing_says_so(glue, jobs, on_demand):
    script, key = jobs.gate()
    job = jobs.make(script)
    name = on_demand(job)
    glue.start_trigger(Name=name)
    assert error_of(glue.start_trigger, Name=name)[0] == "ConcurrentRunsExceededException"
    jobs.open_gate(key)
    jobs.ended(job)
    glue.delete_job(JobName=job)
    assert error_of(glue.start_trigger, Name=name)[0] == "EntityNotFoundException"


def test_self_watching_trigger_ends(glue, jobs, on_demand, conditional):
    job = jobs.make()
    conditional(when((job, "SUCCEEDED")), job)
    glue.start_trigger(Name=on_demand(job))
    jobs.ended(job, 2)
    assert len(jobs.runs(job)) == 2  # once in a chain


def test_crawler_in_a_chain(glue, jobs, on_demand, conditional, bucket, unique):
    crawler, after, missing = unique("crawler"), jobs.make(), jobs.make()
    jobs.s3.put_object(Bucket=bucket, Key="data/a.csv", Body=b"id,name\n1,x\n2,y\n")
    database = unique("db")
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_crawler(Name=crawler, Role=ROLE, DatabaseName=database,
                        Targets={"S3Targets": [{"Path": f"s3://{bucket}/data/"}]})
    name = unique("t")
    glue.create_trigger(Name=name, Type="ON_DEMAND", Actions=[{"CrawlerName": crawler}])
    for job, state in ((after, "SUCCEEDED"), (missing, "FAILED")):
        conditional({"Conditions": [{"LogicalOperator": "EQUALS", "CrawlerName": crawler,
                                     "CrawlState": state}]}, job)
    glue.start_trigger(Name=name)
    (run,) = jobs.ended(after)
    assert run["JobRunState"] == "SUCCEEDED" and jobs.runs(missing) == []
    assert error_of(glue.create_trigger, Name=unique("t"), Type="ON_DEMAND",
                    Actions=[{"CrawlerName": "nowhere"}])[0] == "EntityNotFoundException"


# --- schedules ---
def test_schedule_fires_again_and_again_until_stopped(make_server, unique):
    server = make_server("--clock-scale", "900")  # five minutes take a third of a second
    server.client("s3").create_bucket(Bucket="scripts")
    glue, jobs = server.client("glue"), Jobs(server, "scripts", unique)
    job = jobs.make(ExecutionProperty={"MaxConcurrentRuns": 50})
    glue.create_trigger(Name="t", Type="SCHEDULED", Schedule="cron(0/5 * * * ? *)", StartOnCreation=True,
                        Actions=[{"JobName": job}])
    wait_until(lambda: len(jobs.runs(job)) >= 3)
    glue.stop_trigger(Name="t")
    n = len(jobs.runs(job))
    assert {r["TriggerName"] for r in jobs.ended(job)} == {"t"}
    server.wait_idle()
    assert len(jobs.runs(job)) == n
    glue.start_trigger(Name="t")
    wait_until(lambda: len(jobs.runs(job)) > n)
    server.restart()
    known = len(jobs.runs(job))
    wait_until(lambda: len(jobs.runs(job)) > known, what="the schedule goes on after a restart")
    glue.delete_trigger(Name="t")
    jobs.ended(job)
    known = len(jobs.runs(job))
    server.wait_idle()
    assert len(jobs.runs(job)) == known


# --- nothing is lost ---
def test_kill_loses_no_chain(make_server):
    """Killed at random instants while chains of six jobs run (their runs fail at once): the end of a
    run and what its triggers start are one transaction, so every chain that was answered for comes to
    its end after the restart, with each job once."""
    server = make_server()
    glue = server.client("glue")
    chain = [f"job{i}" for i in range(6)]
    for job in chain:  # without its arguments a merge fails
        glue.create_job(Name=job, Role=ROLE, Command={"Name": "cistern-merge"},
                        ExecutionProperty={"MaxConcurrentRuns": 900})
    for before, after in zip(chain, chain[1:]):
        glue.create_trigger(Name=f"to-{after}", Type="CONDITIONAL", StartOnCreation=True,
                            Predicate=when((before, "FAILED")), Actions=[{"JobName": after}])
    glue.create_trigger(Name="start", Type="ON_DEMAND", Actions=[{"JobName": chain[0]}])
    seed = int(os.environ.get("CISTERN_SEED", random.randrange(1 << 32)))
    instants, started = random.Random(seed), 0
    for _ in range(int(os.environ.get("CISTERN_KILLS", 12))):
        for _ in range(instants.randint(1, 9)):
            glue.start_trigger(Name="start")
            started += 1
        server.kill()
        server.start()
    server.wait_idle()
    runs = {job: [] for job in chain}
    for job in chain:
        for page in glue.get_paginator("get_job_runs").paginate(JobName=job):
            runs[job] += [r["JobRunState"] for r in page["JobRuns"]]
    assert runs == {job: ["FAILED"] * started for job in chain}, f"CISTERN_SEED={seed}"
