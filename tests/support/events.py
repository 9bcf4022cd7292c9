"""EventBridge in tests: rules whose events arrive in a log group or a function, and reading them."""

import json

from tests.support.wait import wait_until

ACCOUNT = "arn:aws:{}:us-east-1:000000000000:"
ROLE = "arn:aws:iam::000000000000:role/events"


def arn(service, resource):
    return ACCOUNT.format(service) + resource


class Listener:
    """A rule of its own; what its target gets is read back with .seen() and .wait()."""

    def __init__(self, server, name, pattern=None, bus="default", **rule):
        self.events, self.logs = server.client("events"), server.client("logs")
        self.name, self.bus = name, bus
        self.group = f"/aws/events/{name}"
        self.logs.create_log_group(logGroupName=self.group)
        if pattern:
            rule["EventPattern"] = json.dumps(pattern)
        self.rule = self.events.put_rule(Name=name, EventBusName=bus, **rule)["RuleArn"]
        self.put()

    def put(self, **target):
        """(Again) the log group as target, perhaps with a transformer."""
        self.events.put_targets(Rule=self.name, EventBusName=self.bus, Targets=[
            {"Id": "log", "Arn": arn("logs", f"log-group:{self.group}"), **target}])

    def seen(self):
        """What arrived, in order: decoded where it is JSON."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.group)
        return [json.loads(e["message"]) for page in pages for e in page["events"]]

    def wait(self, n=1, timeout=30, fits=lambda e: True):
        def look():
            found = [e for e in self.seen() if fits(e)]
            return found if len(found) >= n else None
        return wait_until(look, timeout, f"{n} events for {self.name}")

    def close(self):
        ids = [t["Id"] for t in self.events.list_targets_by_rule(
            Rule=self.name, EventBusName=self.bus)["Targets"]]
        if ids:
            self.events.remove_targets(Rule=self.name, EventBusName=self.bus, Ids=ids)
        self.events.delete_rule(Name=self.name, EventBusName=self.bus)


def allow(functions, function, rule_arn):
    """Lets the rule invoke the function."""
    functions.client.add_permission(
        FunctionName=function, StatementId="events", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com", SourceArn=rule_arn)


def start_function(functions, events, function, rule, bus="default", **target):
    """Makes the function a target that the rule may invoke."""
    rule_arn = events.describe_rule(Name=rule, EventBusName=bus)["Arn"]
    allow(functions, function, rule_arn)
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[
        {"Id": "function", "Arn": arn("lambda", f"function:{function}"), **target}])


def invocations(functions, function, n=1, timeout=30):
    """The events that a function `cat >&2; echo >&2` got."""
    def look():
        got = [json.loads(line) for line in functions.lines(function) if line.startswith("{")]
        return got if len(got) >= n else None
    return wait_until(look, timeout, f"{n} events in {function}")
