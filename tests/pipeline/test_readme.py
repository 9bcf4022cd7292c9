"""The walk-through of README.md runs as it stands: the blocks marked <!-- test -->, in one bash, with
versions 1 and 2 of the aws CLI. Only the ports are changed, so that tests can run side by side."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest

from tests.support.ports import free_port
from tests.support.server import BINARY, ROOT

BLOCK = re.compile(r"^<!-- test -->\n```sh\n(.*?)^```$", re.M | re.S)
# Where each version of the aws CLI is: pip's in the tests' environment, Debian's package.
CLIS = {"1": pathlib.Path(sys.executable).parent / "aws", "2": pathlib.Path("/usr/bin/aws")}


def walk_through(ports):
    text = "\n".join(BLOCK.findall((ROOT / "README.md").read_text()))
    for shown, used in ports.items():
        assert shown in text
        text = text.replace(shown, str(used))
    return "set -euo pipefail\n" + text


def folder_of_a_newcomer(folder):
    """What `make demo` leaves in the repository's folder."""
    (folder / "build/release").mkdir(parents=True)
    (folder / "build/release/cistern").symlink_to(BINARY)
    (folder / "build/venv").symlink_to(ROOT / "build/venv")
    (folder / "fixtures").symlink_to(ROOT / "fixtures")


@pytest.fixture
def short_path(unique):
    """A folder whose name leaves room for a socket's path."""
    folder = pathlib.Path("/tmp") / unique("readme")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("version", sorted(CLIS))
def test_walk_through(version, short_path):
    cli = CLIS[version]
    if version == "2" and not cli.exists():
        pytest.skip("no /usr/bin/aws: version 2 of the aws CLI is Debian's package awscli")
    shown = subprocess.run([cli, "--version"], capture_output=True, text=True, check=True)
    assert (shown.stdout + shown.stderr).startswith(f"aws-cli/{version}."), shown
    folder_of_a_newcomer(short_path)
    (short_path / "bin").mkdir()
    (short_path / "bin/aws").symlink_to(cli)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CISTERN_", "PYTHON"))}
    environment.update(PATH=f"{short_path}/bin:{environment['PATH']}", AWS_EC2_METADATA_DISABLED="true",
                       HOME=str(short_path))
    script = walk_through({"3307": free_port(), "4566": free_port()})
    process = subprocess.Popen(["bash", "-c", script], cwd=short_path, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(timeout=240)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session: what a failure left running
    log = short_path / "play/server.log"
    assert process.returncode == 0, f"{out}\n{err}\n{log.read_text() if log.exists() else ''}"
    lines = out.splitlines()
    assert "shop/people/LOAD00000001.csv" in out
    assert re.search(r"^\s*1,Ada,London$", out, re.M) and "2,Zoë,Paris" in lines and "4,Renée,Kraków" in lines
    assert "3,Pat,Houston" not in lines[lines.index("2,Zoë,Paris"):]
    assert "REPORT RequestId" in out and out.count("SUCCEEDED") >= 2, out
    assert lines[-1].strip() == "18", "the registered executable counted the event's bytes"
    assert not (short_path / "play").exists()
