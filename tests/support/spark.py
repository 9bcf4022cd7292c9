"""Spark for tests: a server that has one, jobs on it, and a small cluster of real processes."""

import os
import pathlib
import signal
import subprocess

from tests.support.ports import free_port
from tests.support.server import ROOT, Server
from tests.support.wait import wait_until

ROLE = "arn:aws:iam::000000000000:role/glue"
END = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED")
# A short job needs no optimising compiler, and two cores no big heap.
QUICK = "spark.driver.memory=1g --conf spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 --conf " \
        "spark.sql.shuffle.partitions=2"


def spark_home():
    """CISTERN_SPARK_HOME, or what the Makefile installed into build/spark."""
    given = os.environ.get("CISTERN_SPARK_HOME")
    if given:
        return pathlib.Path(given)
    found = sorted((ROOT / "build/spark").glob("lib/python3*/site-packages/pyspark"))
    assert found, "no Spark: `make spark`, or name one in CISTERN_SPARK_HOME"
    return found[-1]


def spark_server(*options, **more):
    """A Server whose glueetl jobs have that Spark."""
    return Server("--clock-scale", "60", "--spark-home", spark_home(), *options, **more)


class Jobs:
    """Scripts of fixtures/glue (or texts) as jobs of a server."""

    def __init__(self, server, unique):
        self.server, self.unique = server, unique
        self.s3, self.glue = server.client("s3"), server.client("glue")
        self.bucket = unique("scripts")
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)
        return f"s3://{self.bucket}/{key}"

    def make(self, script, kind="glueetl", arguments=None, name=None, **more):
        """`script`: the text, or the name of a file in fixtures/glue."""
        name = name or self.unique("job")
        fixture = ROOT / "fixtures/glue" / script if "\n" not in script else None
        text = fixture.read_text() if fixture else script
        defaults = {"--conf": QUICK} if kind == "glueetl" else {}
        defaults.update(arguments or {})
        self.glue.create_job(
            Name=name, Role=ROLE, DefaultArguments=defaults,
            Command={"Name": kind, "ScriptLocation": self.put(f"{name}.py", text)}, **more)
        return name

    def start(self, job, **arguments):
        return self.glue.start_job_run(
            JobName=job, Arguments={f"--{k}": v for k, v in arguments.items()})["JobRunId"]

    def get(self, job, run):
        return self.glue.get_job_run(JobName=job, RunId=run)["JobRun"]

    def ended(self, job, run, timeout=240):
        def state():
            got = self.get(job, run)
            return got if got["JobRunState"] in END else None

        return wait_until(state, timeout, f"end of {run}")

    def run(self, job, **arguments):
        """Starts and waits; the run as GetJobRun shows it, with `errors` and `output` (lists of lines)."""
        run = self.start(job, **arguments)
        done = self.ended(job, run)
        done["output"], done["errors"] = self.lines(done, "output"), self.lines(done, "error")
        return done

    def good(self, job, **arguments):
        done = self.run(job, **arguments)
        assert done["JobRunState"] == "SUCCEEDED", (done.get("ErrorMessage"), done["errors"])
        return done

    def bad(self, job, **arguments):
        done = self.run(job, **arguments)
        assert done["JobRunState"] == "FAILED", done
        return done

    def lines(self, run, kind):
        return self.log(f"{run['LogGroupName']}/{kind}", run["Id"])

    def log(self, group, stream):
        logs, lines, token = self.server.client("logs"), [], {}
        while True:
            try:
                answer = logs.get_log_events(
                    logGroupName=group, logStreamName=stream, startFromHead=True, **token)
            except logs.exceptions.ResourceNotFoundException:
                return lines
            if not answer["events"]:
                return lines
            lines += [e["message"] for e in answer["events"]]
            token = {"nextToken": answer["nextForwardToken"]}


class Cluster:
    """A standalone cluster: one master and workers of one core each, as processes of their own."""

    def __init__(self, folder, workers=2):
        self.home, self.folder, self.processes = spark_home(), pathlib.Path(folder), []
        self.port = free_port()
        self.url = f"spark://127.0.0.1:{self.port}"
        self._begin("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1",
                    "--port", str(self.port), "--webui-port", str(free_port()))
        self._wait_log("master", "I have been elected leader")
        for i in range(workers):
            self._begin(f"worker{i}", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1",
                        "--webui-port", str(free_port()), "--cores", "1", "--memory", "1g",
                        "--work-dir", str(self.folder / f"work{i}"), self.url)
        for i in range(workers):
            self._wait_log(f"worker{i}", "Successfully registered with master")

    def _begin(self, name, *command):
        env = {**os.environ, "SPARK_HOME": str(self.home), "SPARK_LOCAL_IP": "127.0.0.1",
               "SPARK_NO_DAEMONIZE": "1", "SPARK_DAEMON_MEMORY": "256m"}
        with open(self.folder / f"{name}.log", "wb") as log:
            self.processes.append(subprocess.Popen(
                [str(self.home / "bin/spark-class"), *command], stdout=log, stderr=log, env=env,
                stdin=subprocess.DEVNULL, start_new_session=True))

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _wait_log(self, name, text):
        def there():
            assert all(p.poll() is None for p in self.processes), self.log(name)
            return text in self.log(name)

        wait_until(there, 60, f"'{text}' of {name}")

    def close(self):
        for p in reversed(self.processes):
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            p.wait()
