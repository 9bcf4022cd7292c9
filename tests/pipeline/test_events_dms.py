"""DMS tells EventBridge what happens to tasks and instances; a rule starts a function with it."""

import pytest

from tests.support.dms import Replication, Task, mappings, selection
from tests.support.events import Listener, invocations, start_function

ECHO = "cat >&2; echo >&2"


@pytest.fixture
def table(mariadb, schema):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1),(2)", database=schema)


def types(events):
    return [e["detail"]["eventType"] for e in events]


def test_states_of_a_task_start_a_function(server, mariadb, schema, table, unique, functions):
    name = unique("dms")
    here = Listener(server, name, {
        "source": ["aws.dms"], "detail": {"resourceLink": [{"suffix": f"/{name}-task"}]}})
    failures = Listener(server, name + "-failed", {
        "source": ["aws.dms"], "detail-type": ["DMS Replication Task State Change"],
        "detail": {"category": ["Failure"], "resourceLink": [{"suffix": f"/{name}-broken-task"}]}})
    stops = unique("stops")
    here.events.put_rule(Name=stops, EventPattern='{"source":["aws.dms"],"detail":{"eventType":['
                         '"REPLICATION_TASK_STARTED","REPLICATION_TASK_STOPPED","REPLICATION_TASK_FAILED"],'
                         f'"resourceLink":[{{"wildcard":"*/{name}-*"}}]}}}}')
    function = functions.executable(ECHO)
    start_function(functions, here.events, function, stops)
    t = Task(server, mariadb, name, schema, migration="full-load")
    t.start()
    t.wait("stopped")
    broken = Task(server, mariadb, name + "-broken", schema, rules=[selection("no_such_schema_here")])
    broken.start(wait=False)
    reason = broken.until("failed")["LastFailureMessage"]
    got = invocations(functions, function, 3)
    started, stopped, failed = sorted(got, key=lambda e: (e["detail"]["eventType"] != "REPLICATION_TASK_STARTED",
                                                          e["detail"]["eventType"] != "REPLICATION_TASK_STOPPED"))[:3]
    assert (started["source"], started["detail-type"]) == ("aws.dms", "DMS Replication Task State Change")
    assert started["resources"] == stopped["resources"] == [t.arn] and failed["resources"] == [broken.arn]
    assert {k: started["detail"][k] for k in ("type", "category", "eventId")} == {
        "type": "REPLICATION_TASK", "category": "StateChange", "eventId": "DMS-EVENT-0069"}
    assert stopped["detail"]["eventId"] == "DMS-EVENT-0079"
    assert "FULL_LOAD_ONLY_FINISHED" in stopped["detail"]["detailMessage"]
    assert failed["detail"]["eventType"] == "REPLICATION_TASK_FAILED"
    assert failed["detail"]["eventId"] == "DMS-EVENT-0078" and failed["detail"]["category"] == "Failure"
    assert reason in failed["detail"]["detailMessage"]
    assert types(failures.wait()) == ["REPLICATION_TASK_FAILED"]
    t.delete()
    here.wait(4)
    assert types(here.seen()) == ["REPLICATION_TASK_CREATED", "REPLICATION_TASK_STARTED", "REPLICATION_TASK_STOPPED",
                                  "REPLICATION_TASK_DELETED"]
    broken.delete()
    for rule in (here, failures):
        rule.close()


def test_life_of_an_instance(server, unique):
    dms, name = server.client("dms"), unique("rep")
    here = Listener(server, name, {"detail-type": ["DMS Replication Instance State Change"],
                                   "detail": {"resourceLink": [{"suffix": "/" + name}]}})
    instance = dms.create_replication_instance(
        ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.micro")["ReplicationInstance"]
    dms.reboot_replication_instance(ReplicationInstanceArn=instance["ReplicationInstanceArn"])
    dms.delete_replication_instance(ReplicationInstanceArn=instance["ReplicationInstanceArn"])
    got = here.wait(5)
    assert types(got) == ["REPLICATION_INSTANCE_" + x for x in ("CREATING", "CREATED", "REBOOTED", "DELETING", "DELETED")]
    assert got[0]["resources"] == [instance["ReplicationInstanceArn"]]
    assert got[1]["detail"]["eventId"] == "DMS-EVENT-0005" and got[1]["detail"]["type"] == "REPLICATION_INSTANCE"
    here.close()


def test_states_of_a_serverless_replication(server, mariadb, schema, table, unique):
    name = unique("sls")
    here = Listener(server, name, {"source": ["aws.dms"], "detail": {"type": ["REPLICATION_CONFIG"],
                                                                     "detailMessage": [{"wildcard": f"*{name}*"}]}})
    t = Task(server, mariadb, name, schema)
    r = Replication(t, name, ResourceIdentifier=name)
    r.start()
    r.until("running")
    r.stop()
    r.dms.modify_replication_config(ReplicationConfigArn=r.arn,
                                    TableMappings=mappings(selection("no_such_schema_here")))
    r.start("reload-target")
    r.until("failed")
    reason = r.describe()["FailureMessages"][0]
    r.dms.delete_replication_config(ReplicationConfigArn=r.arn)
    got = here.wait(8)
    assert types(got) == ["REPLICATION_" + x for x in (
        "CREATED", "INITIALIZING", "STARTED", "STOPPED", "MODIFIED", "INITIALIZING", "FAILED", "DELETED")]
    assert [e["detail"]["category"] for e in got] == [
        "Creation", *["StateChange"] * 3, "ConfigurationChange", "StateChange", "Failure", "Deletion"]
    assert {(e["detail-type"], *e["resources"]) for e in got} == {("DMS Replication State Change", r.arn)}
    assert got[1]["detail"] == {"type": "REPLICATION_CONFIG", "category": "StateChange",
                                "eventType": "REPLICATION_INITIALIZING",
                                "detailMessage": f"Replication with resource id, '{name}', is initializing."}
    assert got[6]["detail"]["detailMessage"] == f"Replication with resource id, '{name}', has failed. {reason}"
    events = t.dms.describe_events(Duration=60)["Events"]  # the service has no source type for them there
    assert not [e for e in events if e["SourceIdentifier"] == name], events
    t.delete()
    here.close()
