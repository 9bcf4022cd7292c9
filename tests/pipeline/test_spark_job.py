"""Glue runs of scripts, on a real Spark and beside it: what they are given, how they end."""

import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile

import pytest

from tests.support.server import BINARY, ROOT
from tests.support.spark import QUICK, Jobs, spark_home, spark_server
from tests.support.wait import wait_until


pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def spark():
    server = spark_server("--clock-scale", "10")
    yield server
    server.close()


@pytest.fixture
def jobs(spark, unique):
    return Jobs(spark, unique)


def wheel(name, version="1.0", **files):
    """Bytes of a pure Python wheel."""
    out, info = io.BytesIO(), f"{name}-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(out, "w") as z:
        for path, text in files.items():
            z.writestr(path, text)
    return out.getvalue()


def processes_of(run):
    """Everything alive that has the run's id in its environment: Python, JVM, Spark's Python workers."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"CISTERN_JOB_RUN_ID={run}\0".encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "comm").read_text().strip()
        except OSError:
            continue
    return found


# --- what a run is given ------------------------------------------------------------------------------

ALL = r'''
import json, os, sys
import boto3
import near, packed, wheeled
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

spark = SparkSession.builder.getOrCreate()
names = udf(lambda i: near.WORD + packed.WORD + wheeled.WORD + str(i))
rows = [r[0] for r in spark.range(3).select(names("id")).collect()]
conf = spark.sparkContext.getConf()
lib = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".glue", "lib")
print(json.dumps({
    "argv": sys.argv[1:], "rows": rows, "extra": open("extra.txt").read(), "cwd": os.getcwd(),
    "conf": {k: conf.get(k) for k in ("spark.sql.shuffle.partitions", "spark.test.words", "spark.app.name",
                                      "spark.ui.enabled")},
    "lib": sorted(os.path.relpath(os.path.join(d, f), lib) for d, _, fs in os.walk(lib) for f in fs
                  if f.endswith(".py")),
    "own": sorted(k for k in os.environ if k.startswith("CISTERN_")), "main": __name__,
    "options": getResolvedOptions(sys.argv, ["JOB_NAME", "odd-value"])}))
sys.stdout.flush()
BUCKET = getResolvedOptions(sys.argv, ["go"])["go"]
boto3.client("s3").get_waiter("object_exists").wait(Bucket=BUCKET, Key="go", WaiterConfig={"Delay": 1})
'''
ODD = "--dash first\nsecond 'line' \"ü\" \\n 日本"


def test_everything_a_run_is_given(spark, jobs):
    """Arguments to the letter, --conf, extra files, modules, packages, live page, continuous logs."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("packed.py", "WORD = 'packed '")
    job = jobs.make(ALL, arguments={
        "--conf": QUICK + " --conf spark.test.words=a b  c --conf spark.sql.shuffle.partitions=3",
        "--extra-py-files": jobs.put("lib/near.py", "WORD = 'near '") + "," + jobs.put("lib/packed.zip", packed.getvalue()),
        "--extra-files": jobs.put("lib/extra.txt", "ünique"),
        "--additional-python-modules": jobs.put("wheeled-1.0-py3-none-any.whl", wheel("wheeled", **{"wheeled.py": "WORD = 'wheeled '"})),
        "--TempDir": "s3://tmp/dir", "--enable-spark-ui": "true", "--enable-continuous-cloudwatch-log": "true",
        "--no-value": "", "--odd-value": "default"}, GlueVersion="4.0")
    run = jobs.start(job, **{"odd-value": ODD, "go": jobs.bucket})

    page = wait_until(lambda: jobs.get(job, run).get("StateDetail"), 90, "the live page")
    url = re.fullmatch(r"Spark UI: (http://127\.0\.0\.1:\d+)", page).group(1)
    assert b"Spark" in urllib.request.urlopen(url + "/jobs/", timeout=30).read()
    jobs.put("go", b"")
    done = jobs.ended(job, run)
    errors, output = jobs.lines(done, "error"), jobs.lines(done, "output")
    assert done["JobRunState"] == "SUCCEEDED", errors
    assert "StateDetail" not in done
    seen = json.loads(output[-1])

    argv = seen["argv"]
    pairs = dict(zip(argv, argv[1:]))
    assert pairs["--odd-value"] == ODD and pairs["--TempDir"] == "s3://tmp/dir"
    assert pairs["--JOB_NAME"] == job and pairs["--JOB_RUN_ID"] == run and argv.count("--no-value") == 1
    assert pairs["--no-value"].startswith("--")
    assert seen["options"]["JOB_NAME"] == job and seen["options"]["odd_value"] == ODD
    assert seen["rows"] == [f"near packed wheeled {i}" for i in range(3)]
    assert seen["extra"] == "ünique" and seen["main"] == "__main__"
    assert seen["conf"]["spark.sql.shuffle.partitions"] == "3" and seen["conf"]["spark.test.words"] == "a b  c"
    assert seen["conf"]["spark.app.name"] == f"nativespark-{job}-{run}"
    folder = ROOT / "emulators/glue/python"
    assert seen["lib"] == sorted(str(p.relative_to(folder)) for p in folder.rglob("*.py")), \
        "emulators/glue/spark/python_files.c lists what travels inside of the binary"
    assert seen["own"] == ["CISTERN_JOB_BOOKMARK", "CISTERN_JOB_NAME", "CISTERN_JOB_RUN_ID"]

    assert any("GlueVersion 4.0 stands for Spark 3.3.0 and Python 3.10" in line for line in errors), errors
    live = jobs.log("/aws-glue/jobs/logs-v2", f"{run}-driver")
    assert live == errors
    assert not any("[Stage" in line for line in errors)
    assert not pathlib.Path(seen["cwd"]).exists(), "the run's folder stays"
    assert processes_of(run) == {}


# --- how runs end -------------------------------------------------------------------------------------

def test_errors_of_spark(jobs):
    """The message is that of the Java exception, or Python's last line."""
    job = jobs.make("""
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
try:
    spark.read.csv("s3://BUCKET/nothing/")
except Exception as e:
    print(type(e).__name__)
spark.read.csv("s3://no-such-bucket-anywhere/x").show()
""".replace("BUCKET", jobs.bucket))
    done = jobs.bad(job)
    assert re.match(r"An error occurred while calling o\d+\.csv\. .*no-such-bucket-anywhere", done["ErrorMessage"]), \
        done["ErrorMessage"]
    assert done["output"] == ["AnalysisException"]
    assert any(line.startswith("Traceback") for line in done["errors"])
    assert "runscript.py" not in "".join(done["errors"])


@pytest.mark.parametrize("script, message", [
    ("import sys\nsys.exit('no file today')", "SystemExit: no file today"),
    ("import sys\nsys.exit(3)", "SystemExit: 3"),
    ("x = 1\nif x:\nprint(1)", "IndentationError: expected an indented block after 'if' statement on line 2 (NAME.py, line 3)"),
    ("import nowhere.at_all\n", "ModuleNotFoundError: No module named 'nowhere'"),
    ("from awsglue.utils import getResolvedOptions\nimport sys\ngetResolvedOptions(sys.argv, ['missing'])",
     "GlueArgumentError: the following arguments are required: --missing"),
    ("import os\nos._exit(9)", "The script ended with exit status 9."),
])
def test_errors_before_spark(jobs, script, message):
    """No JVM is started for a script that fails before it asks for one."""
    job = jobs.make(script)
    assert jobs.bad(job)["ErrorMessage"] == message.replace("NAME", job)


BUSY = """
import time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
def spin(_):
    while True:
        pass
print("up", flush=True)
spark.sparkContext.parallelize([1], 1).map(spin).count()
"""


def wait_busy(run):
    def all_there():
        names = list(processes_of(run).values())
        return "java" in names and len(names) >= 4 and names  # the script, its JVM, Spark's daemon and a worker

    return wait_until(all_there, 90, "a busy worker")


def test_timeout_and_stop_end_everything(jobs):
    """Python, the JVM and the workers of a run that spins: none is left. A stopped run isn't retried."""
    job = jobs.make(BUSY, Timeout=1, MaxRetries=1, ExecutionProperty={"MaxConcurrentRuns": 2})
    late = jobs.start(job)  # a limit on real work: no clock scale shortens its minute
    stopped = jobs.start(job)
    wait_busy(stopped)
    jobs.glue.batch_stop_job_run(JobName=job, JobRunIds=[stopped])
    assert jobs.ended(job, stopped)["JobRunState"] == "STOPPED"
    wait_until(lambda: not processes_of(stopped), 20, "the end of all processes")
    wait_busy(late)
    done = jobs.ended(job, late)
    assert done["JobRunState"] == "TIMEOUT" and "1 minutes" in done["ErrorMessage"], done
    wait_until(lambda: not processes_of(late), 20, "the end of all processes")
    assert len(jobs.glue.get_job_runs(JobName=job)["JobRuns"]) == 2


# --- what is missing or refused -----------------------------------------------------------------------

@pytest.fixture
def bare(make_server, monkeypatch, tmp_path, unique):
    """bare(**environment): jobs of a server on a machine without Spark."""

    def make(*options, **environment):
        for name in ("CISTERN_SPARK_HOME", "SPARK_HOME", "JAVA_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Jobs(make_server(*options), unique)

    return make


def test_no_spark(bare):
    jobs = bare()
    message = jobs.bad(jobs.make("print(1)\n"))["ErrorMessage"]
    assert "needs Apache Spark" in message and "`cistern spark install`" in message
    done = jobs.server.cli("spark", "status", check=False)
    assert done.returncode == 1 and "cistern spark install" in done.stdout


def test_no_java(bare, tmp_path):
    jobs = bare("--spark-home", spark_home(), PATH=str(tmp_path))
    message = jobs.bad(jobs.make("print(1)\n"))["ErrorMessage"]
    assert "Java" in message and "openjdk-17-jre-headless" in message


def test_wrong_spark_home(bare, tmp_path):
    jobs = bare("--spark-home", tmp_path)
    assert "--spark-home names" in jobs.bad(jobs.make("print(1)\n"))["ErrorMessage"]


def test_spark_submit_on_path(bare, tmp_path):
    """The last place that is looked at; the interpreter is the server's own."""
    home = spark_home()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/spark-submit").symlink_to(home / "bin/spark-submit")
    jobs = bare(PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    job = jobs.make("import os, sys, pyspark\nprint(pyspark.__path__[0], os.environ['SPARK_HOME'], sys.executable)\n")
    assert jobs.good(job)["output"] == [f"{home} {home} {sys.executable}"]


@pytest.mark.parametrize("arguments, message", [
    ({"job-language": "scala"}, "only python scripts"),
    ({"class": "GlueApp"}, "Scala"),
    ({"conf": "spark.a=b --conf oops"}, "'oops' isn't key=value"),
    ({"self_overwrite": "maybe"}, "must be merge, aws or spark"),
    ({"extra-py-files": "s3://BUCKET/none.py"}, "s3://BUCKET/none.py does not exist"),
    ({"extra-jars": "/usr/share/x.jar"}, "isn't an S3 path"),
    ({"additional-python-modules": "--index-url=http://x"}, "isn't a module"),
])
def test_refused_arguments(jobs, arguments, message):
    job = jobs.make("print(1)\n")
    arguments = {k: v.replace("BUCKET", jobs.bucket) for k, v in arguments.items()}
    assert message.replace("BUCKET", jobs.bucket) in jobs.bad(job, **arguments)["ErrorMessage"]


def test_settings_are_checked_at_the_start():
    done = subprocess.run([BINARY, "serve", "--ephemeral", "--glue-self-overwrite", "perhaps"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "none of merge, aws, spark" in done.stderr


# --- pythonshell and executables ----------------------------------------------------------------------

def test_pythonshell_modules(spark, jobs):
    """A wheel from S3 by pip, and --extra-py-files; the second run finds what the first installed."""
    job = jobs.make("import boto3, near, shelled\nprint(near.WORD, shelled.WORD, __name__)\n", kind="pythonshell",
                    arguments={
        "--extra-py-files": jobs.put("near.py", "WORD = 'near'"),
        "--additional-python-modules": jobs.put("shelled-2.0-py3-none-any.whl", wheel("shelled", "2.0", **{"shelled.py": "WORD = 'shelled'"}))})
    first, second = jobs.good(job), jobs.good(job)
    assert first["output"] == second["output"] == ["near shelled __main__"]
    assert any("Installing shelled-2.0" in line for line in first["errors"])
    assert second["errors"] == []
    broken = jobs.make("print(1)\n", kind="pythonshell", arguments={
        "--additional-python-modules": jobs.put("broken-1.0-py3-none-any.whl", b"no zip")})
    message = jobs.bad(broken)["ErrorMessage"]
    assert "pip ended with status" in message and "broken-1.0" in message


def test_executable(spark, jobs):
    """Any program of this machine: the same arguments, environment, logs and folder."""
    job = jobs.make('#!/bin/sh\necho "$1 $2 $AWS_ENDPOINT_URL $CISTERN_JOB_NAME"; pwd\necho sad >&2\nexit "$2"\n',
                    kind="cistern-executable")
    done = jobs.good(job, status="0")
    assert done["LogGroupName"] == "/aws-glue/jobs"
    assert done["output"][0] == f"--status 0 {spark.endpoint} {job}" and done["Id"] in done["output"][1]
    assert jobs.bad(job, status="4")["ErrorMessage"] == "sad"
    text = jobs.make("just words\n", kind="cistern-executable")
    assert "could not be started: Exec format error" in jobs.bad(text)["ErrorMessage"]


# --- cistern spark install ----------------------------------------------------------------------------

@pytest.fixture
def mirrors(tmp_path):
    """A folder of packages for pip and a Maven repository, both files: packages with the layout of the
    real ones, and the real jars."""
    jars = spark_home() / "jars"
    empty = {f"pyspark/jars/{name}": "" for name in ("spark-core_2.12-3.5.6.jar", "hadoop-client-api-3.3.4.jar")}
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "pyspark-3.5.6-py3-none-any.whl").write_bytes(
        wheel("pyspark", "3.5.6", **{"pyspark/__init__.py": "", "pyspark/bin/spark-submit": "", **empty}))
    (packages / "boto3-1.43.11-py3-none-any.whl").write_bytes(wheel("boto3", "1.43.11", **{"boto3.py": ""}))
    for group, name, version in (("org/apache/hadoop", "hadoop-aws", "3.3.4"),
                                 ("com/amazonaws", "aws-java-sdk-bundle", "1.12.262")):
        folder = tmp_path / "maven" / group / name / version
        folder.mkdir(parents=True)
        (folder / f"{name}-{version}.jar").symlink_to(jars / f"{name}-{version}.jar")
    return packages, tmp_path / "maven"


def test_install(tmp_path, mirrors):
    """A wrong checksum is refused; the next attempt goes on where the first one was; then it is there."""
    packages, maven = mirrors
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages), "XDG_DATA_HOME": str(tmp_path)}
    env.pop("CISTERN_SPARK_HOME", None)
    env.pop("SPARK_HOME", None)

    def cistern(*words):
        return subprocess.run([BINARY, "spark", *words], env=env, capture_output=True, text=True, timeout=200)

    bundle = next(maven.rglob("aws-java-sdk-bundle*.jar"))
    real = bundle.resolve()
    bundle.unlink()
    bundle.write_bytes(b"something else")
    install = ("install", "--maven", f"file://{maven}", "--python", sys.executable)
    done = cistern(*install)
    assert done.returncode == 1 and "has the checksum" in done.stderr, (done.stdout, done.stderr)
    assert not (tmp_path / "cistern/spark").exists()
    bundle.unlink()
    bundle.symlink_to(real)
    done = cistern(*install)
    assert done.returncode == 0 and done.stdout.count("is there from before") == 3, (done.stdout, done.stderr)
    assert not list((tmp_path / "cistern").glob("*.partial"))
    status = cistern("status")
    assert status.returncode == 0 and "3.5.6 (cistern spark install)" in status.stdout, status.stdout
    assert "hadoop-aws 3.3.4" in status.stdout
    again = cistern(*install)
    assert again.returncode == 0 and "already" in again.stdout
    other = cistern(*install, "--version", "3.4.1")
    assert other.returncode == 1 and "has Spark 3.5.6" in other.stderr
    shutil.rmtree(tmp_path / "cistern")
