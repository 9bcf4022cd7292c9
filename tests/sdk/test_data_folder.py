"""Two servers never share a data folder; a killed one doesn't keep the next one out."""

import subprocess
import sys

import pytest

from tests.support.server import BINARY, Server

HOLD = """
import fcntl, sys, time
lock = open(sys.argv[1], "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def hold(path, seconds):
    """Another process that has the lock for a while, as a child of a killed server may."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path), str(seconds)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_server_is_refused_and_told_whose_the_folder_is(fresh_server):
    second = subprocess.run(
        [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(fresh_server.data_dir)],
        capture_output=True, text=True, timeout=30,
    )
    assert second.returncode == 1
    assert f"another cistern (process {fresh_server.process.pid}) uses {fresh_server.data_dir}" in second.stderr


def test_what_a_killed_server_leaves_behind_is_waited_for(fresh_server):
    fresh_server.client("s3").create_bucket(Bucket="b-1")
    fresh_server.kill()
    leftover = hold(fresh_server.data_dir / "lock", 0.7)
    fresh_server.start()
    assert leftover.wait(10) == 0
    assert [b["Name"] for b in fresh_server.client("s3").list_buckets()["Buckets"]] == ["b-1"]


def test_it_is_not_waited_for_ever(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "lock").write_text(f"{gone.pid}\n")
    leftover = hold(tmp_path / "lock", 60)
    try:
        with pytest.raises(AssertionError, match="another cistern"):
            Server(data_dir=tmp_path)
    finally:
        leftover.kill()
        leftover.wait()
