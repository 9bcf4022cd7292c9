"""Glue and RDS tell EventBridge of their changes of state; what a rule starts may be the next step."""

import json

from tests.support.crawlers import Crawl
from tests.support.events import Listener, arn, invocations, start_function
from tests.support.glue import Jobs
from tests.support.rds import an_instance, wait_for

ECHO = "cat >&2; echo >&2"


def test_ends_of_glue_runs_start_a_function(server, bucket, unique, functions):
    jobs = Jobs(server, bucket, unique)
    good, bad = jobs.make("print(1)\n"), jobs.make("raise ValueError('no good')\n")
    here = Listener(server, unique("rule"), {
        "source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": {"jobName": [good, bad]}})
    function = functions.executable(ECHO)
    start_function(functions, here.events, function, here.name)
    runs = {job: jobs.glue.start_job_run(JobName=job)["JobRunId"] for job in (good, bad)}
    got = {e["detail"]["jobName"]: e for e in invocations(functions, function, 2)}
    assert got[good]["detail"] == {"jobName": good, "severity": "INFO", "state": "SUCCEEDED", "jobRunId": runs[good],
                                   "message": "Job run succeeded"}
    failed = got[bad]["detail"]
    assert (failed["severity"], failed["state"], failed["jobRunId"]) == ("ERROR", "FAILED", runs[bad])
    assert failed["message"] == jobs.runs(bad)[0]["ErrorMessage"] and "no good" in failed["message"]
    assert got[good]["resources"] == []
    here.close()


def test_crawls(server, unique):
    crawl = Crawl(server, unique)
    here = Listener(server, unique("rule"), {
        "source": ["aws.glue"], "detail-type": ["Glue Crawler State Change"], "detail": {"crawlerName": [crawl.name]}})
    crawl.put({"a.csv": "id,name\n1,x\n2,y\n"})
    crawl.create()
    crawl.glue.start_crawler(Name=crawl.name)
    crawl.ready()
    started, done = here.wait(2)
    assert (started["detail"]["state"], started["detail"]["message"]) == ("Started", "Crawler Started")
    assert (done["detail"]["state"], done["detail"]["message"]) == ("Succeeded", "Crawler Succeeded")
    assert done["detail"]["tablesCreated"] == "1" and done["detail"]["partitionsCreated"] == "0"
    here.close()


def test_object_starts_a_workflow_whose_job_starts_a_function(server, s3, bucket, unique, functions):
    """S3 → EventBridge → Glue workflow → job → EventBridge → Lambda, and `wait` waits for all of it."""
    glue, events, flow = server.client("glue"), server.client("events"), unique("flow")
    job = Jobs(server, bucket, unique).make("print('merged')\n")
    glue.create_workflow(Name=flow)
    glue.create_trigger(Name=unique("trigger"), WorkflowName=flow, Type="EVENT", Actions=[{"JobName": job}])
    created = Listener(server, unique("rule"), {
        "source": ["aws.s3"], "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "in/"}]}}})
    events.put_targets(Rule=created.name, Targets=[
        {"Id": "flow", "Arn": arn("glue", f"workflow/{flow}"), "RoleArn": "arn:aws:iam::000000000000:role/events"}])
    ended = Listener(server, unique("rule"), {"source": ["aws.glue"], "detail": {"jobName": [job]}})
    function = functions.executable(ECHO)
    start_function(functions, events, function, ended.name, InputTransformer={
        "InputPathsMap": {"state": "$.detail.state"}, "InputTemplate": '{"state": <state>}'})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket=bucket, Key="in/new.csv", Body=b"1\n")
    assert invocations(functions, function, timeout=60) == [{"state": "SUCCEEDED"}]
    [run] = glue.get_workflow_runs(Name=flow)["Runs"]
    [seen] = created.seen()
    assert json.dumps(run["WorkflowRunProperties"]) == json.dumps({"aws:eventIds": f"[{seen['id']}]"})
    for rule in (created, ended):
        rule.close()


def test_life_of_a_database(server, unique):
    rds, name = server.client("rds"), unique("db")
    here = Listener(server, name, {"source": ["aws.rds"], "detail": {"SourceIdentifier": [name]}})
    with an_instance(rds, name) as instance:
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        wait_for(rds, name)
    here.wait(fits=lambda e: e["detail"]["EventID"] == "RDS-EVENT-0003")
    got = here.seen()
    ids = [e["detail"]["EventID"] for e in got]
    life = ["RDS-EVENT-0005", "RDS-EVENT-0006", "RDS-EVENT-0003"]  # created, restarted, deleted
    assert [i for i in ids if i in life] == life
    first = got[ids.index("RDS-EVENT-0005")]
    assert first["detail-type"] == "RDS DB Instance Event" and first["resources"] == [instance["DBInstanceArn"]]
    assert {k: first["detail"][k] for k in ("EventCategories", "SourceType", "SourceArn")} == {
        "EventCategories": ["creation"], "SourceType": "DB_INSTANCE", "SourceArn": instance["DBInstanceArn"]}
    here.close()
