"""Custom runtimes on the Runtime API, and registered executables."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.support.functions import Functions
from tests.support.wait import wait_until

SHELL_BOOTSTRAP = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
headers=$(mktemp)
while :; do
    event=$(curl -sS -D "$headers" "$api/next")
    id=$(tr -d '\\r' < "$headers" | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip')
    case "$event" in
    *fail*) curl -sS -o /dev/null -H 'Lambda-Runtime-Function-Error-Type: Shell.Failed' \\
        -d '{"errorMessage":"as asked","errorType":"Shell.Failed"}' "$api/$id/error" ;;
    *exit*) exit 7 ;;
    *) echo "event $event"; curl -sS -o /dev/null -d "{\\"echo\\":$event}" "$api/$id/response" ;;
    esac
done
"""

PYTHON_BOOTSTRAP = """#!/usr/bin/env python3
import http.client, json, os
def call(method, path, body=None, **headers):
    c = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    c.request(method, path, body, headers)
    r = c.getresponse()
    return r.status, r.headers, r.read()
BASE = "/2018-06-01/runtime"
before = [call("POST", BASE + "/invocation/none/response", b"1")]
while True:
    status, headers, event = call("GET", BASE + "/invocation/next")
    wrong = call("POST", BASE + "/invocation/wrong/response", b"1")
    again = call("GET", BASE + "/invocation/next")
    unknown = call("GET", BASE + "/nothing")
    ping = call("GET", "/ping")
    answer = {"headers": dict(headers.items()), "event": json.loads(event), "status": status,
              "wrong": [wrong[0], json.loads(wrong[2])], "again": [again[0], json.loads(again[2])],
              "before": [before[0][0], json.loads(before[0][2])], "unknown": unknown[0],
              "ping": [ping[0], ping[2].decode()]}
    id_ = headers["Lambda-Runtime-Aws-Request-Id"]
    done = call("POST", BASE + "/invocation/" + id_ + "/response", json.dumps(answer))
    print("accepted", done[0], done[2].decode().strip(), flush=True)
    twice = call("POST", BASE + "/invocation/" + id_ + "/response", b"2")
    print("twice", twice[0], json.loads(twice[2])["errorType"], flush=True)
"""


@pytest.mark.parametrize("runtime", ["provided", "provided.al2", "provided.al2023"])
def test_a_bootstrap_in_shell(functions, runtime):
    name = functions.create(runtime, "any", {"bootstrap": SHELL_BOOTSTRAP})
    answer = functions.invoke(name, [1])
    assert answer.value == {"echo": [1]} and answer.error is None
    assert "event [1]\n" in answer.log
    failed = functions.invoke(name, "fail")
    assert failed.error == "Unhandled"
    assert failed.value == {"errorMessage": "as asked", "errorType": "Shell.Failed"}
    gone = functions.invoke(name, "exit")
    assert gone.value["errorType"] == "Runtime.ExitError"
    assert gone.value["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")
    assert functions.invoke(name, 2).value == {"echo": 2}


def test_the_runtime_api_to_the_letter(functions):
    name = functions.create("provided.al2023", "any", {"bootstrap": PYTHON_BOOTSTRAP}, timeout=20)
    answer = functions.invoke(name, {"k": 1})
    seen, headers = answer.value, {k.lower(): v for k, v in answer.value["headers"].items()}
    assert seen["event"] == {"k": 1} and seen["status"] == 200
    assert headers["content-type"] == "application/json"
    assert headers["lambda-runtime-aws-request-id"] == answer.request_id
    assert 0 < int(headers["lambda-runtime-deadline-ms"]) - time.time() * 1000 < 20000
    assert headers["lambda-runtime-invoked-function-arn"].endswith(f":function:{name}")
    assert headers["lambda-runtime-trace-id"].startswith("Root=1-")
    assert seen["wrong"][0] == 400 and seen["wrong"][1]["errorType"] == "InvalidRequestID"
    assert seen["again"][0] == 403 and seen["again"][1]["errorType"] == "InvalidStateTransition"
    assert seen["before"][0] == 403 and seen["before"][1]["errorType"] == "InvalidStateTransition"
    assert seen["unknown"] == 404 and seen["ping"] == [200, "pong"]
    functions.wait_lines(name, 'accepted 202 {"status":"OK"}')
    functions.wait_lines(name, "twice 400 InvalidRequestID")


@pytest.mark.parametrize("files, words", [
    ({"other": "x"}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
    ({"bootstrap": "#!/no/such/program\n"}, "No such file or directory"),
])
def test_a_bootstrap_that_cannot_start(functions, files, words):
    name = functions.create("provided.al2023", "any", files)
    answer = functions.invoke(name)
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] == "Runtime.InvalidEntrypoint"
    assert words in answer.value["errorMessage"]
    functions.wait_lines(name, words)


def test_a_bootstrap_that_says_that_it_cannot_start(functions):
    name = functions.create("provided.al2023", "any", {"bootstrap": """#!/bin/sh
echo starting
curl -sS -d '{"errorMessage":"no database","errorType":"Init.Failed"}' \
    "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error"
exit 1
"""})
    for _ in range(2):
        answer = functions.invoke(name)
        assert answer.error == "Unhandled"
        assert answer.value == {"errorMessage": "no database", "errorType": "Init.Failed",
                                "requestId": answer.request_id}
    assert len(functions.wait_lines(name, "starting", 2)) == 2


# --- registered executables ---


def test_an_executable_gets_the_event_and_answers(functions):
    name = functions.executable("cat; echo to the log >&2")
    answer = functions.invoke(name, {"a": [1, "é"]})
    assert answer.value == {"a": [1, "é"]} and answer.error is None
    assert "to the log\n" in answer.log
    assert answer.log.startswith(f"START RequestId: {answer.request_id}")
    assert f"END RequestId: {answer.request_id}\nREPORT" in answer.log


@pytest.mark.parametrize("command, value", [
    ("true", None), ("echo plain text", "plain text"), ("printf 'two\\nlines\\n'", "two\nlines"),
    ("echo ' [1, 2] '", [1, 2]), ("printf '\\377'", "\ufffd"), ("echo '\"x\" y'", '"x" y'),
])
def test_what_an_executable_prints_is_the_answer(functions, command, value):
    assert functions.invoke(functions.executable(command)).value == value


def test_an_executable_that_fails(functions):
    name = functions.executable("echo first >&2; echo 'the reason' >&2; echo partial; exit 3")
    answer = functions.invoke(name)
    assert answer.error == "Unhandled" and answer.value["errorType"] == "Runtime.ExitError"
    assert answer.value["errorMessage"].endswith("exit status 3: the reason")
    assert "first\nthe reason\n" in answer.log
    assert "not found" in functions.invoke(
        functions.executable("no-such-command-at-all")).value["errorMessage"]
    killed = functions.invoke(functions.executable("kill -9 $$"))
    assert "killed by signal 9" in killed.value["errorMessage"]


def test_an_executable_that_takes_too_long_dies_with_its_children(functions, tmp_path):
    mark = tmp_path / "alive"
    name = functions.executable(f"(sleep 4; touch {mark}) & sleep 30", timeout=1)
    answer = functions.invoke(name)
    assert answer.value["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in answer.value["errorMessage"]
    time.sleep(4)
    assert not mark.exists()


def test_an_executable_s_environment(functions):
    name = functions.executable(
        'printf \'{"id":"%s","cwd":"%s","endpoint":"%s","own":"%s","name":"%s"}\' "$CISTERN_REQUEST_ID"'
        ' "$PWD" "$AWS_ENDPOINT_URL" "$OWN" "$AWS_LAMBDA_FUNCTION_NAME"', env={"OWN": "mine"})
    answer = functions.invoke(name)
    assert answer.value["id"] == answer.request_id and answer.value["own"] == "mine"
    assert answer.value["endpoint"] == functions.server.endpoint and answer.value["name"] == name
    assert f"/functions/000000000000/{name}/" in answer.value["cwd"]


def test_a_command_in_a_variable(functions):
    name = functions.create("provided.al2023", "any", {"tool.sh": "#!/bin/sh\necho '\"from tool\"'\n"},
                            env={"CISTERN_COMMAND": "./tool.sh"})
    assert functions.invoke(name).value == "from tool"


def test_a_large_event_and_a_large_answer(functions):
    name = functions.executable("cat")
    text = "x" * (6291456 - 2)
    assert functions.invoke(name, text).value == text
    big = functions.executable("head -c 7000000 /dev/zero | tr '\\0' x")
    assert functions.invoke(big).value["errorType"] == "Function.ResponseSizeTooLarge"


def test_the_file_of_functions(make_server, unique, tmp_path):
    (tmp_path / "data.txt").write_text("beside the file")
    listed = tmp_path / "functions.conf"
    listed.write_text("# comment\n\n echo-event = cat\nreader=cat data.txt\n")
    server = make_server("--functions", listed)
    functions = Functions(server, unique)
    assert functions.invoke("echo-event", [1]).value == [1]
    assert functions.invoke("reader").value == "beside the file"
    seen = functions.client.get_function_configuration(FunctionName="reader")
    assert (seen["Runtime"], seen["Handler"], seen["State"]) == (
        "executable", "cat data.txt", "Active")
    listed.write_text("reader = echo changed\n")
    server.restart()
    assert functions.invoke("reader").value == "changed"
    assert functions.invoke("echo-event", [2]).value == [2]


def test_a_bad_file_of_functions_is_told_with_its_line(make_server, tmp_path):
    listed = tmp_path / "functions.conf"
    listed.write_text("good = cat\nno equals sign\n")
    with pytest.raises(AssertionError) as e:
        make_server("--functions", listed)
    assert f"{listed}:2: not understood" in str(e.value)


@pytest.mark.skipif(not shutil.which("curl"), reason="the shell's bootstrap needs curl")
def test_no_process_survives_the_server(make_server, unique):
    """kill -9 leaves neither warm instances nor commands behind."""
    server = make_server()
    functions = Functions(server, unique)
    warm = functions.python("import os\ndef handler(e, c):\n    return os.getpid()\n")
    pids = [functions.invoke(warm).value]
    slow = functions.executable("echo pid $$ >&2; exec sleep 300", timeout=300)
    functions.send(slow)
    pids.append(int(functions.wait_lines(slow, "pid ")[0].split()[1]))
    server.kill()
    wait_until(lambda: not any(os.path.exists(f"/proc/{p}") for p in pids), 10, "their end")


def test_stopping_does_not_wait_for_functions(make_server, unique):
    server = make_server()
    functions = Functions(server, unique)
    slow = functions.executable("echo begun >&2; sleep 300", timeout=300)
    functions.send(slow)
    functions.wait_lines(slow, "begun")
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 8


@pytest.fixture(scope="session")
def awslambdaric(tmp_path_factory):
    """AWS's own Python client of the Runtime API, where pip can get it."""
    target = tmp_path_factory.mktemp("ric")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--only-binary", ":all:", "--target", target,
         "awslambdaric"], capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip("pip has no ready-made awslambdaric for this machine")
    return target


def test_aws_s_own_python_client(make_server, unique, awslambdaric):
    functions = Functions(make_server(), unique)
    bootstrap = (f"#!/bin/sh\nexport PYTHONPATH={awslambdaric}:$LAMBDA_TASK_ROOT\n"
                 f"exec {sys.executable} -m awslambdaric \"$_HANDLER\"\n")
    source = ("def handler(e, c):\n    print('seen', e)\n    if e == 'fail': raise KeyError('k')\n"
              "    return [e, c.function_name, c.aws_request_id]\n")
    name = functions.create("provided.al2023", "app.handler",
                            {"bootstrap": bootstrap, "app.py": source}, timeout=20)
    answer = functions.invoke(name, {"a": 1})
    assert answer.value == [{"a": 1}, name, answer.request_id]
    assert "seen {'a': 1}" in answer.log
    failed = functions.invoke(name, "fail")
    assert failed.error == "Unhandled" and failed.value["errorType"] == "KeyError"
