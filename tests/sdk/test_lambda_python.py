"""Functions of the python runtimes: what the handler sees, what its failures look like."""

import base64
import json
import re
import sys
import threading
import time

import pytest

from tests.support.functions import Functions


def test_context_and_environment(functions):
    name = functions.python("""
import os, sys
def handler(event, context):
    return {
        "event": event, "cwd": os.getcwd(), "path0": sys.path[0], "environ": dict(os.environ),
        "id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
        "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(), "client": context.client_context,
        "identity": context.identity.cognito_identity_id,
    }
""", timeout=20, env={"COLOUR": "blue", "EMPTY": ""})
    answer = functions.invoke(name, {"a": [1, None, "é€"]})
    seen, environ = answer.value, answer.value["environ"]
    assert answer.error is None and answer.status == 200 and answer.version == "$LATEST"
    assert seen["event"] == {"a": [1, None, "é€"]}
    assert seen["id"] == answer.request_id == environ.get("x", answer.request_id)
    assert (seen["name"], seen["version"], seen["memory"]) == (name, "$LATEST", "128")
    assert seen["group"] == f"/aws/lambda/{name}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen["stream"])
    assert seen["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert 15000 < seen["left"] <= 20000
    assert seen["client"] is None and seen["identity"] is None
    assert seen["cwd"] == seen["path0"] == environ["LAMBDA_TASK_ROOT"]
    expected = {
        "_HANDLER": "app.handler", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12", "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": seen["group"],
        "AWS_LAMBDA_LOG_STREAM_NAME": seen["stream"], "LANG": "en_US.UTF-8", "TZ": ":UTC",
        "AWS_ENDPOINT_URL": functions.server.endpoint, "COLOUR": "blue", "EMPTY": "",
    }
    assert {k: environ.get(k) for k in expected} == expected
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]",
                        environ["_X_AMZN_TRACE_ID"])
    assert environ["AWS_ACCESS_KEY_ID"] not in ("", "test") and environ["AWS_SESSION_TOKEN"]
    assert not [k for k in environ if k.startswith("CISTERN_")]


def test_the_role_s_credentials_reach_this_server(make_server, unique):
    """As users' code does it: boto3.client() without any argument."""
    functions = Functions(make_server("--python", sys.executable), unique)
    name = functions.python("""
import boto3
def handler(event, context):
    boto3.client("s3").create_bucket(Bucket=event)
    return boto3.client("sts").get_caller_identity()["Arn"]
""", timeout=60)
    bucket = unique("made-by-function")
    assert functions.invoke(name, bucket).value == (
        f"arn:aws:sts::000000000000:assumed-role/lambda-test/{name}")
    functions.server.client("s3").head_bucket(Bucket=bucket)


def test_client_context(functions):
    name = functions.python("def handler(e, c):\n"
                            "    return [c.client_context.custom, c.client_context.client.app_title]\n")
    context = base64.b64encode(json.dumps(
        {"custom": {"k": "v"}, "client": {"app_title": "t"}}).encode()).decode()
    assert functions.invoke(name, ClientContext=context).value == [{"k": "v"}, "t"]


@pytest.mark.parametrize("expression, raw", [
    ("None", b"null"), ("{'é': 1}", '{"é": 1}'.encode()), ("decimal.Decimal('1.5')", b"1.5"),
    ("b'any bytes'", b"any bytes"), ("'text'", b'"text"'), ("[1, 2.5, True]", b"[1, 2.5, true]"),
])
def test_results(functions, expression, raw):
    name = functions.python(f"import decimal\ndef handler(e, c):\n    return {expression}\n")
    answer = functions.client.invoke(FunctionName=name)
    assert answer["Payload"].read() == raw and "FunctionError" not in answer


def test_an_exception(functions):
    name = functions.python("""
def inner():
    raise ValueError("it broke")
def handler(event, context):
    inner()
""")
    answer = functions.invoke(name)
    assert answer.error == "Unhandled" and answer.status == 200
    assert answer.value["errorType"] == "ValueError" and answer.value["errorMessage"] == "it broke"
    assert answer.value["requestId"] == answer.request_id
    stack = answer.value["stackTrace"]
    assert len(stack) == 2 and "in handler\n    inner()\n" in stack[0]
    assert 'app.py", line 3, in inner\n    raise ValueError("it broke")\n' in stack[1]
    assert re.search(r"\[ERROR\] ValueError: it broke\rTraceback \(most recent call last\):\r"
                     r"  File \".*/app.py\", line 5, in handler\r    inner\(\)\r", answer.log)
    assert functions.invoke(name).error == "Unhandled"  # the instance lives on


@pytest.mark.parametrize("source, handler, kind, words", [
    ("import no_such_module\n", "app.handler", "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'no_such_module'"),
    ("x = 1\n", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    ("def handler(:\n", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
    ("x = 1\n", "nodot", "Runtime.MalformedHandlerName", "Bad handler 'nodot': "),
    ("x = 1\n", "sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys"),
    ("x = {}['missing']\n", "app.handler", "KeyError", "'missing'"),
    ("x = 1\n", "other.handler", "Runtime.ImportModuleError",
     "Unable to import module 'other': No module named 'other'"),
])
def test_errors_of_the_start(functions, source, handler, kind, words):
    name = functions.python(source, handler=handler)
    answer = functions.invoke(name)
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] == kind and words in answer.value["errorMessage"]
    assert answer.value["requestId"] == answer.request_id
    functions.wait_lines(name, "[ERROR] " + kind)


def test_answers_that_are_no_json(functions):
    name = functions.python("import datetime\ndef handler(e, c):\n    return datetime.date.today()\n")
    answer = functions.invoke(name)
    assert answer.value["errorType"] == "Runtime.MarshalError"
    assert answer.value["errorMessage"].startswith("Unable to marshal response: Object of type date")


def test_an_answer_that_is_too_large(functions):
    name = functions.python("def handler(e, c):\n    return 'x' * (e << 20)\n")
    assert len(functions.invoke(name, 5).raw) == (5 << 20) + 2
    answer = functions.invoke(name, 7)
    assert answer.value["errorType"] == "Function.ResponseSizeTooLarge"
    assert functions.invoke(name, 0).value == ""


def test_timeout(functions):
    name = functions.python("""
import time
print("loaded")
def handler(event, context):
    if event:
        print("sleeping")
        time.sleep(event)
    return "done"
""", timeout=1)
    assert functions.invoke(name, 0).value == "done"
    started = time.monotonic()
    answer = functions.invoke(name, 30)
    assert 0.9 < time.monotonic() - started < 5
    assert answer.error == "Unhandled"
    assert answer.value == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {answer.request_id} Error: Task timed out after 1.00 seconds"}
    assert re.search(rf"sleeping\n\S+Z {answer.request_id} Task timed out after 1.00 seconds\n\n"
                     rf"END RequestId: {answer.request_id}\n", answer.log)
    assert "Status: timeout" in answer.log
    assert functions.invoke(name, 0).value == "done"  # in a new instance
    assert len(functions.wait_lines(name, "loaded", 2)) == 2


@pytest.mark.parametrize("statement, words", [
    ("os._exit(3)", "Runtime exited with error: exit status 3"),
    ("sys.exit(0)", "Runtime exited without providing a reason"),
    ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
])
def test_a_crash(functions, statement, words):
    name = functions.python(f"import os, sys\ndef handler(e, c):\n    if e: {statement}\n    return 1\n")
    answer = functions.invoke(name, True)
    assert answer.error == "Unhandled" and answer.value["errorType"] == "Runtime.ExitError"
    assert answer.value["errorMessage"] == f"RequestId: {answer.request_id} Error: {words}"
    assert functions.invoke(name, False).value == 1


def test_what_is_printed_and_logged(functions):
    name = functions.python("""
import logging, sys
logger = logging.getLogger()
logger.setLevel(logging.INFO)
print("while loading")
def handler(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logger.info("logged %s", 1)
    sys.stdout.write("no newline")
    return 1
""")
    answer = functions.invoke(name)
    id_ = answer.request_id
    lines = functions.wait_lines(name, "", 8)
    assert lines[0] == "while loading\n"
    assert lines[1] == f"START RequestId: {id_} Version: $LATEST\n"
    assert set(lines[2:6]) >= {"to stdout\n", "to stderr\n", "no newline"}
    assert re.fullmatch(r"\[INFO\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,3}Z\t" + id_ + r"\tlogged 1\n",
                        next(line for line in lines if "logged" in line))
    assert lines[6] == f"END RequestId: {id_}\n"
    assert re.fullmatch(
        rf"REPORT RequestId: {id_}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB"
        r"\tMax Memory Used: [1-9]\d* MB\tInit Duration: \d+\.\d\d ms\t\n", lines[7])
    assert answer.log.startswith("START RequestId") and answer.log.endswith("ms\t\n")
    second = functions.invoke(name)
    assert "Init Duration" not in second.log


def test_only_the_last_4_kilobytes_are_returned(functions):
    name = functions.python("def handler(e, c):\n    for i in range(2000): print('line', i)\n")
    log = functions.invoke(name).log
    assert len(log) == 4096 and "line 1999\nEND" in log and "START" not in log
    assert len(functions.wait_lines(name, "line ", 2000)) == 2000
    assert functions.invoke(name, LogType="None").log == ""


def test_instances_stay_warm_and_run_at_the_same_time(functions, tmp_path):
    name = functions.python("""
import os, time
count = 0
def handler(event, context):
    global count
    count += 1
    if event:  # waits for the others
        open(os.path.join(event, context.aws_request_id), "w").close()
        while len(os.listdir(event)) < 4:
            time.sleep(0.01)
    return [os.getpid(), count]
""", timeout=30)
    first = functions.invoke(name).value
    assert [functions.invoke(name).value for _ in range(3)] == [[first[0], n] for n in (2, 3, 4)]
    answers = []
    threads = [threading.Thread(
        target=lambda: answers.append(functions.invoke(name, str(tmp_path)).value)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len({pid for pid, _ in answers}) == 4 and first[0] in {pid for pid, _ in answers}


def test_reserved_concurrency(functions):
    name = functions.python("import time\ndef handler(e, c):\n    time.sleep(e)\n    return 1\n")
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    got = functions.client.get_function_concurrency(FunctionName=name)
    assert got["ReservedConcurrentExecutions"] == 1
    assert functions.client.get_function(FunctionName=name)["Concurrency"] == {
        "ReservedConcurrentExecutions": 1}
    slow = threading.Thread(target=lambda: functions.invoke(name, 2))
    slow.start()
    functions.wait_lines(name, "START")
    with pytest.raises(functions.client.exceptions.TooManyRequestsException) as e:
        functions.invoke(name, 0)
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert e.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    slow.join()
    assert functions.invoke(name, 0).value == 1
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.client.exceptions.TooManyRequestsException):
        functions.invoke(name, 0)
    functions.client.delete_function_concurrency(FunctionName=name)
    assert functions.invoke(name, 0).value == 1


def test_an_update_replaces_running_instances(functions):
    name = functions.python("import os, time\ndef handler(e, c):\n    time.sleep(e)\n"
                            "    return os.environ['VV']\n", env={"VV": "old"})
    assert functions.invoke(name, 0).value == "old"
    answers = []
    slow = threading.Thread(target=lambda: answers.append(functions.invoke(name, 1.5).value))
    slow.start()
    functions.wait_lines(name, "START", 2)
    functions.client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"VV": "new"}})
    assert functions.invoke(name, 0).value == "new"
    slow.join()
    assert answers == ["old"]  # what ran was let run
    assert functions.invoke(name, 0).value == "new"


def test_payloads(functions):
    name = functions.python("def handler(e, c):\n    return e\n")
    client = functions.client
    assert json.load(client.invoke(FunctionName=name)["Payload"]) == {}
    with pytest.raises(client.exceptions.InvalidRequestContentException) as e:
        client.invoke(FunctionName=name, Payload=b"{not json")
    assert "Could not parse request body into json" in str(e.value)
    for kind, size in (("RequestResponse", 6291457), ("Event", 1048577)):
        with pytest.raises(client.exceptions.RequestTooLargeException) as e:
            client.invoke(FunctionName=name, InvocationType=kind, Payload=b" " * size)
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    dry = client.invoke(FunctionName=name, InvocationType="DryRun")
    assert dry["StatusCode"] == 204 and dry["Payload"].read() == b""
    assert not functions.lines(name) or "{not" not in "".join(functions.lines(name))


def test_a_handler_in_a_folder_with_a_hyphen(functions):
    source = "def lambda_handler(event, context):\r\n    return 'crlf'\r\n"
    name = functions.create("python3.9", "src/lambda-function.lambda_handler",
                            {"src/lambda-function.py": source})
    assert functions.invoke(name).value == "crlf"
