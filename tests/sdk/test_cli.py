"""The binary itself: subcommands, options, exit statuses."""

import json
import os
import re
import signal
import subprocess
import urllib.request

import pytest

from tests.support.server import BINARY
from tests.support.wait import wait_until


def run(*args, **more):
    more.setdefault("timeout", 60)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CISTERN_"))}
    environment.update(more.pop("env", {}))
    return subprocess.run([str(BINARY), *args], capture_output=True, text=True, env=environment, **more)


@pytest.mark.parametrize("command", [
    [], ["serve"], ["exec"], ["wait"], ["status"], ["reset"], ["aws"], ["function"]])
def test_help(command):
    done = run(*command, "--help")
    assert done.returncode == 0 and "Usage: cistern" in done.stdout and done.stderr == ""


def test_version():
    assert run("--version").stdout.startswith("cistern ")


@pytest.mark.parametrize("args, word", [
    (["srve"], "srve"), (["serve", "--lisen", "x"], "--lisen"), (["serve", "--listen", "nonsense"], "nonsense"),
    (["serve", "--clock-scale", "-1"], "clock-scale"), (["wait", "--timeout", "soon"], "soon")])
def test_bad_words_are_named(args, word):
    done = run(*args)
    assert done.returncode == 2 and word in done.stderr and done.stdout == ""


def test_client_commands_without_a_server():
    done = run("status", env={"CISTERN_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == 1 and "127.0.0.1:9" in done.stderr and "cistern serve" in done.stderr


def test_exec_gives_a_private_server_and_passes_the_exit_status_on(tmp_path):
    script = """
import boto3, os, sys
assert os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
boto3.client("s3").create_bucket(Bucket="bkt")
print([b["Name"] for b in boto3.client("s3").list_buckets()["Buckets"]])
sys.exit(7)
"""
    import sys

    done = run("exec", "--", sys.executable, "-c", script, cwd=tmp_path)
    assert done.returncode == 7, done.stderr
    assert done.stdout == "['bkt']\n"
    assert list(tmp_path.iterdir()) == []  # ephemeral: nothing stays


def test_exec_of_nothing():
    done = run("exec", "--", "/no/such/program")
    assert done.returncode == 127 and "/no/such/program" in done.stderr


def test_status_wait_reset(make_server):
    server = make_server()
    server.client("s3").create_bucket(Bucket="bkt")
    server.client("s3").put_object(Bucket="bkt", Key="k", Body=b"x")
    assert (server.data_dir / "buckets/bkt/k").read_bytes() == b"x"
    shown = server.cli("status")
    assert shown.returncode == 0
    [counts] = [line for line in shown.stdout.splitlines() if "commits" in line]
    assert re.fullmatch(r"[1-9]\d* commits \(0 failed\), 0 child processes", counts), shown.stdout
    assert server.cli("wait", "--timeout", "10").returncode == 0
    assert server.cli("reset").returncode == 0
    assert server.client("s3").list_buckets()["Buckets"] == []
    assert list((server.data_dir / "buckets").iterdir()) == []


def test_health(make_server):
    server = make_server()
    for path in ("/_cistern/health", "/_localstack/health"):
        health = json.load(urllib.request.urlopen(server.endpoint + path))
        assert {"s3", "lambda", "glue", "dms", "logs", "iam", "sts"} <= set(health["services"])
        assert set(health["services"].values()) <= {"running", "available"}


def test_a_second_server_on_the_same_folder_is_refused(make_server):
    server = make_server()
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(server.data_dir))
    assert done.returncode == 1 and str(server.data_dir) in done.stderr


def test_a_taken_port_is_named(make_server):
    server = make_server()
    done = run("serve", "--listen", f"127.0.0.1:{server.port}", "--ephemeral")
    assert done.returncode == 1 and str(server.port) in done.stderr


def test_ephemeral_leaves_nothing(tmp_path):
    process = subprocess.Popen(
        [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--ephemeral"], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)})
    for line in process.stdout:
        if line.rstrip().endswith("Ready."):
            break
    assert list(tmp_path.iterdir()) != []
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_state_survives_restart_and_kill(make_server):
    server = make_server()
    server.client("s3").create_bucket(Bucket="bkt")
    for end in ("restart", "kill"):
        server.client("s3").put_object(Bucket="bkt", Key=end, Body=end.encode())
        if end == "kill":
            server.kill()
            server.start()
        else:
            server.restart()
        assert server.client("s3").get_object(Bucket="bkt", Key=end)["Body"].read() == end.encode()


def test_web_pages_cannot_drive_it(server):
    for header, value in (("Origin", "https://evil.example"), ("Host", "evil.example")):
        request = urllib.request.Request(server.endpoint + "/_cistern/status", headers={header: value})
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(request)
        assert e.value.code == 403


def test_aws_passes_through(make_server):
    server = make_server()
    import sys

    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    done = server.cli("aws", "s3", "mb", "s3://from-cli", PATH=path)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: server.client("s3").list_buckets()["Buckets"])
