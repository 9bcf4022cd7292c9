"""A private `cistern serve` as a test fixture: owns its process, port and data folder."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import boto3
from botocore.config import Config

from tests.support.ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("CISTERN_BINARY", ROOT / "build/release/cistern"))
READY_TIMEOUT_S = 60


class Server:
    """Starts at construction. `options` are further arguments of `cistern serve`; `command` becomes the
    program, if not the binary itself (setpriv …)."""

    def __init__(self, *options, data_dir=None, command=(BINARY,)):
        self.command = [str(word) for word in command]
        self.options = [str(o) for o in options]
        if "--python" not in self.options:  # the tests' own, which has boto3
            self.options += ["--python", sys.executable]
        self._own_dir = data_dir is None
        self.data_dir = pathlib.Path(data_dir or tempfile.mkdtemp(prefix="cistern-test-"))
        self.log_path = self.data_dir.parent / (self.data_dir.name + ".log")
        self.process = None
        # Below the range from which the kernel takes the ports of outgoing connections: a restart finds
        # it free again.
        self.port = free_port()
        self._clients = {}
        self.start()

    # --- life ---
    def start(self):
        """Starts (again) on the same data folder and, after the first time, the same port."""
        command = [*self.command, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.data_dir)]
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            command + self.options, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        log.close()
        for raw in self.process.stdout:
            if raw.rstrip().endswith(b"Ready."):
                break
        else:
            code = self.process.wait()
            raise AssertionError(f"cistern serve ended with {code} before it was ready:\n{self.log()}")
        self.endpoint = (self.data_dir / "endpoint").read_text().strip()
        self.port = int(self.endpoint.rsplit(":", 1)[1])

    def kill(self):
        """kill -9, as a crash would be. Children of the server (functions, jobs) die with its group
        only when they share it; the server must cope with survivors."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self, timeout=30):
        """Asks politely; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGABRT)
                self.process.wait()
                raise AssertionError(f"cistern serve did not stop within {timeout} s:\n{self.log()}")
        self.process.stdout.close()
        return self.process.returncode

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        if self.process and self.process.poll() is None:
            code = self.stop()
        else:
            code = self.process.returncode if self.process else 0
        log = self.log()
        if self._own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)
            self.log_path.unlink(missing_ok=True)
        assert "ERROR: AddressSanitizer" not in log and "runtime error:" not in log, log[-20000:]
        assert "WARNING: ThreadSanitizer" not in log and "LeakSanitizer" not in log, log[-20000:]
        assert code in (0, -signal.SIGKILL), f"cistern serve ended with {code}:\n{log[-5000:]}"

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # --- use ---
    def environment(self, **more):
        """For child processes: what a user exports, and nothing of ours."""
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CISTERN_"))}
        keep.update(
            AWS_ENDPOINT_URL=self.endpoint,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_EC2_METADATA_DISABLED="true",
            **more,
        )
        return keep

    def client(self, service, access_key="test", secret_key="test", region="us-east-1", **config):
        """A boto3 client that does not retry (so that tests see every answer)."""
        cache = (service, access_key, secret_key, region, tuple(sorted(map(str, config.items()))))
        if cache not in self._clients:
            config.setdefault("retries", {"total_max_attempts": 1})
            self._clients[cache] = boto3.session.Session().client(
                service,
                endpoint_url=self.endpoint,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
                region_name=region,
                config=Config(**config),
            )
        return self._clients[cache]

    def cli(self, *args, check=True, **more):
        """`cistern ARGS` against this server."""
        return subprocess.run(
            [str(BINARY), *map(str, args)],
            env=self.environment(**more), capture_output=True, text=True, check=check, timeout=300,
        )

    def wait_idle(self, timeout=60, flush=True):
        """`cistern wait`: the whole pipeline is quiet up to the source's current position."""
        command = ["wait", "--timeout", str(timeout)] + (["--flush"] if flush else [])
        done = self.cli(*command, check=False)
        assert done.returncode == 0, f"cistern wait: {done.stdout}{done.stderr}\n{self.log()[-3000:]}"
