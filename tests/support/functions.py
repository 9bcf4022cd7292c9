"""Short ways to make and run Lambda functions in tests."""

import base64
import json

from tests.support.pipeline import zip_of
from tests.support.wait import wait_until

ROLE = "arn:aws:iam::000000000000:role/lambda-test"


class Answer:
    """What Invoke gave: .value (decoded), .error (None or "Unhandled"), .log (text)."""

    def __init__(self, answer):
        self.raw = answer["Payload"].read()
        self.value = json.loads(self.raw) if self.raw else None
        self.error = answer.get("FunctionError")
        self.status = answer["StatusCode"]
        self.version = answer.get("ExecutedVersion")
        self.log = base64.b64decode(answer.get("LogResult", "")).decode()
        self.request_id = answer["ResponseMetadata"]["RequestId"]


class Functions:
    """Functions on one server, deleted at the end."""

    def __init__(self, server, unique):
        self.server, self.unique = server, unique
        self.client = server.client("lambda", read_timeout=60)
        self.logs = server.client("logs")
        self.names = []

    def create(self, runtime, handler, files=None, timeout=10, env=None, **more):
        name = self.unique("fn")
        if env is not None:
            more["Environment"] = {"Variables": env}
        more.setdefault("Code", {"ZipFile": zip_of(**(files or {}))})
        self.client.create_function(
            FunctionName=name, Role=ROLE, Runtime=runtime, Handler=handler, Timeout=timeout, **more)
        self.names.append(name)
        return name

    def python(self, source, handler="app.handler", **more):
        """A function whose module `app` has this source."""
        return self.create("python3.12", handler, {"app.py": source}, **more)

    def executable(self, command, **more):
        return self.create("executable", command, **more)

    def invoke(self, name, event=None, **more):
        more.setdefault("LogType", "Tail")
        return Answer(self.client.invoke(FunctionName=name, Payload=json.dumps(event), **more))

    def send(self, name, event=None):
        """Asynchronously; returns the request id."""
        answer = self.client.invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
        assert answer["StatusCode"] == 202 and answer["Payload"].read() == b""
        return answer["ResponseMetadata"]["RequestId"]

    def lines(self, name):
        """All messages in the function's log group, in order of arrival."""
        group = f"/aws/lambda/{name}"
        try:
            pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            return [e["message"] for page in pages for e in page["events"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []

    def wait_lines(self, name, wanted, n=1, timeout=30):
        """Waits until n log lines hold the text; returns them."""
        def look():
            found = [line for line in self.lines(name) if wanted in line]
            return found if len(found) >= n else None
        return wait_until(look, timeout, f"{n} log lines with {wanted!r}")

    def close(self):
        for name in self.names:
            try:
                self.client.delete_function(FunctionName=name)
            except self.client.exceptions.ResourceNotFoundException:
                pass
