"""Runs the script of a pythonshell or glueetl job as the interpreter itself would:

    python RUN/.glue/runscript.py SCRIPT ARGUMENT…

Before: additional modules are installed, Spark is found and told what the server wrote into
.glue/spark.conf. Afterwards: Spark is stopped, and the reason of a failure is left in .glue/error in
the words that Glue uses for ErrorMessage."""

import atexit
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import traceback
import types

GLUE = os.path.dirname(os.path.abspath(__file__))
JVM_END_S = 30  # what Spark may take to tidy up
# GlueVersion: the Spark and the Python that it stands for.
VERSIONS = {
    "0.9": ("2.2.1", "2.7"), "1.0": ("2.4.3", "3.6"), "2.0": ("2.4.3", "3.7"), "3.0": ("3.1.1", "3.7"),
    "4.0": ("3.3.0", "3.10"), "5.0": ("3.5.4", "3.11"), "5.1": ("3.5.6", "3.11"),
}
NO_SPARK = (
    "Job type glueetl needs Apache Spark, and there is none: not in --spark-home, not from `cistern spark "
    "install`, no SPARK_HOME, no pyspark in {python}, no spark-submit on PATH. Remedy: run `cistern spark "
    "install` once and start the run again; or use Command.Name pythonshell or cistern-merge.")
NO_JAVA = (
    "Spark needs a Java runtime, and there is no java on the server's PATH nor in its JAVA_HOME. Remedy: install "
    "one (Debian, Ubuntu: apt-get install openjdk-17-jre-headless) and start the server again.")
OWN = ("CISTERN_MODULES", "CISTERN_MODULES_OPTIONS", "CISTERN_MODULES_DIR", "CISTERN_SPARK_ON_PATH",
       "CISTERN_SPARK_MASTER", "CISTERN_GLUE_VERSION", "CISTERN_KIND")


def say(text):
    print(text, file=sys.stderr, flush=True)


def note_error(text):
    with open(os.path.join(GLUE, "error"), "w", encoding="utf-8", errors="replace") as f:
        f.write(text)


def give_up(text):
    note_error(text)
    say(text)
    sys.exit(1)


def put_first(folders):
    """Modules of these folders and archives go before the interpreter's own; here and in workers."""
    old = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join([*folders, *([old] if old else [])])
    sys.path[1:1] = folders


# --- --additional-python-modules ----------------------------------------------------------------------

def install_modules(wanted, options, cache):
    """Installs the list once per server, list and Python; later runs find the folder."""
    target = f"{cache}-py{sys.version_info[0]}.{sys.version_info[1]}"
    if not os.path.isdir(target):
        fresh = f"{target}.{os.getpid()}"
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "AWS_ENDPOINT_URL")}
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                   "--no-warn-script-location", "--root-user-action=ignore", "--target", fresh,
                   *shlex.split(options), *wanted]
        say("Installing " + ", ".join(os.path.basename(w) for w in wanted) + " with pip")
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno())
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            give_up(f"--additional-python-modules: pip ended with status {done.returncode} for "
                    f"{', '.join(os.path.basename(w) for w in wanted)}; its words are in the error log.")
        try:
            os.rename(fresh, target)
        except OSError:  # another run was quicker
            shutil.rmtree(fresh, ignore_errors=True)
    put_first([target])


# --- Spark --------------------------------------------------------------------------------------------

def importable_spark():
    import importlib.util

    spec = importlib.util.find_spec("pyspark")
    return os.path.dirname(spec.origin) if spec and spec.origin else None


def find_spark():
    """The server tells SPARK_HOME when it knows a place; else this interpreter's pyspark, else that of
    spark-submit on PATH."""
    home = os.environ.get("SPARK_HOME") or importable_spark() or os.environ.get("CISTERN_SPARK_ON_PATH")
    if not home:
        give_up(NO_SPARK.format(python=sys.executable))
    os.environ["SPARK_HOME"] = home
    archives = glob.glob(os.path.join(home, "python", "lib", "py4j-*.zip"))
    if os.path.isfile(os.path.join(home, "python", "pyspark", "__init__.py")):
        put_first([os.path.join(home, "python"), *archives])
    elif importable_spark() != home:  # a pyspark folder of another interpreter
        put_first([os.path.dirname(home)])
    return home


def check_java():
    home = os.environ.get("JAVA_HOME")
    if not (home and os.access(os.path.join(home, "bin", "java"), os.X_OK)) and not shutil.which("java"):
        give_up(NO_JAVA)


def jar_version(home, name):
    found = glob.glob(os.path.join(home, "jars", name + "*.jar"))
    return found[0].rsplit("-", 1)[1][:-4] if found else None


def tell_versions(home, master):
    have = (jar_version(home, "spark-core_") or "?", f"{sys.version_info[0]}.{sys.version_info[1]}")
    glue = os.environ.get("CISTERN_GLUE_VERSION", "")
    text = f"Cistern: this run has Spark {have[0]} ({home}) and Python {have[1]}, master {master}."
    if glue in VERSIONS and VERSIONS[glue] != have:
        text += (f" GlueVersion {glue} stands for Spark {VERSIONS[glue][0]} and Python {VERSIONS[glue][1]}: that is "
                 "not honoured.")
    say(text)
    if not jar_version(home, "hadoop-aws-"):
        hadoop = jar_version(home, "hadoop-client-api-") or "the bundled Hadoop's version"
        say(f"Cistern: {home}/jars has no hadoop-aws jar, so s3:// paths will not work: put hadoop-aws-{hadoop}.jar "
            "and the AWS SDK bundle that goes with it there, or use `cistern spark install`.")


def complete_conf(path, home, master):
    """The installation's own spark-defaults.conf goes first: --properties-file would hide it. Returns
    the settings that matter here."""
    folder = os.environ.get("SPARK_CONF_DIR") or os.path.join(home, "conf")
    with open(path, encoding="utf-8") as f:
        ours = f.read()
    try:
        with open(os.path.join(folder, "spark-defaults.conf"), encoding="utf-8") as f:
            ours = f.read() + "\n" + ours
    except OSError:
        pass
    if not master.startswith("local"):  # executors elsewhere don't see our PYTHONPATH
        archive = shutil.make_archive(os.path.join(GLUE, "awsglue"), "zip", os.path.join(GLUE, "lib"))
        given = re.findall(r"^spark\.submit\.pyFiles=(.*)$", ours, re.M)
        ours += "\nspark.submit.pyFiles=" + ",".join([archive.replace("\\", "\\\\"), *given[-1:]]) + "\n"
    with open(path, "w", encoding="utf-8") as f:
        f.write(ours)
    return dict(re.findall(r"^(spark\.pyspark\.(?:driver\.)?python)[=\s]\s*(.*)$", ours, re.M))


def prepare_spark():
    master = os.environ["CISTERN_SPARK_MASTER"]
    home = find_spark()
    check_java()
    tell_versions(home, master)
    conf = os.path.join(GLUE, "spark.conf")
    python = complete_conf(conf, home, master).get("spark.pyspark.python")
    same_machine = master.startswith(("local", "spark://"))
    os.environ.setdefault("PYSPARK_PYTHON", python or (sys.executable if same_machine else "python3"))
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--properties-file {shlex.quote(conf)} pyspark-shell"
    atexit.register(stop_spark)


def note_metrics(context):
    """What Spark counted, in Glue's names: lines of name, type, value."""
    executors = context._jsc.sc().statusStore().executorList(False)
    rows = [executors.apply(i) for i in range(executors.size())]
    runtime = context._jvm.java.lang.Runtime.getRuntime()
    used = runtime.totalMemory() - runtime.freeMemory()
    aggregate = "glue.driver.aggregate."
    with open(os.path.join(GLUE, "metrics"), "w", encoding="utf-8") as f:
        for name, type_, value in (
                (aggregate + "bytesRead", "count", sum(e.totalInputBytes() for e in rows)),
                (aggregate + "numCompletedTasks", "count", sum(e.completedTasks() for e in rows)),
                (aggregate + "numFailedTasks", "count", sum(e.failedTasks() for e in rows)),
                (aggregate + "shuffleBytesWritten", "count", sum(e.totalShuffleWrite() for e in rows)),
                (aggregate + "shuffleLocalBytesRead", "count", sum(e.totalShuffleRead() for e in rows)),
                ("glue.driver.jvm.heap.used", "gauge", used),
                ("glue.driver.jvm.heap.usage", "gauge", used / runtime.maxMemory()),
                ("glue.driver.ExecutorAllocationManager.executors.numberAllExecutors", "gauge",
                 max(1, len(rows) - 1))):
            f.write(f"{name} {type_} {value}\n")


def stop_spark():
    """Without it the JVM would have to be killed: temporary files, a cluster's application."""
    pyspark = sys.modules.get("pyspark")
    gateway = getattr(getattr(pyspark, "SparkContext", None), "_gateway", None)
    if gateway is None:
        return
    try:
        context = pyspark.SparkContext._active_spark_context
        if context is not None:
            note_metrics(context)
            context.stop()
        jvm = getattr(gateway, "proc", None)
        gateway.shutdown()
        if jvm is not None:
            jvm.stdin.close()
            jvm.wait(JVM_END_S)
    except Exception as e:  # the script has had its end already
        say(f"Cistern: Spark did not stop in order: {e}")


# --- how it ended -------------------------------------------------------------------------------------

def java_error(text):
    """'An error occurred while calling o122.csv.\\n: java.io.IOException: No space\\n\\tat …' →
    'An error occurred while calling o122.csv. No space'."""
    head, _, rest = text.partition("\n")
    causes = re.findall(r"^(?:: |Caused by: )(.*)$", rest, re.M)
    named = re.compile(r"^[\w.$]+(?:Exception|Error|Failure)[\w$]*: ")
    plain = [named.sub("", c) for c in causes]
    cause = next((p for p in plain if p and p != "Job aborted."), "")
    return f"{head} {cause}".strip()


def message_of(error):
    """The last line of the traceback, as Glue shows it: the type without its module, and the text."""
    kind, text = type(error).__name__, str(error)
    if kind == "Py4JJavaError":
        return java_error(text)
    if isinstance(error, SyntaxError) and error.filename:
        text = f"{error.msg} ({os.path.basename(error.filename)}, line {error.lineno})"
    first = next((line for line in text.splitlines() if line.strip()), "")
    return f"{kind}: {first}" if first else kind


def exit_status(code):
    if code is None or (isinstance(code, int) and code & 0xFF == 0):
        return 0
    note_error(f"SystemExit: {code}")
    if isinstance(code, int):
        return code
    say(str(code))
    return 1


def run(script, arguments):
    """The script is __main__, with nothing of ours in it."""
    module = types.ModuleType("__main__")
    module.__file__ = script
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(script)
    try:
        with open(script, "rb") as f:
            code = compile(f.read(), script, "exec")
        exec(code, module.__dict__)
    except SystemExit as e:
        return exit_status(e.code)
    except BaseException as e:
        note_error(message_of(e))
        trace = e.__traceback__.tb_next if e.__traceback__ else None
        if sys.excepthook is sys.__excepthook__:
            traceback.print_exception(type(e), e, trace)
        else:
            sys.excepthook(type(e), e, trace)
        return 1
    return 0


def main():
    own = {name: os.environ.get(name, "") for name in OWN}
    if own["CISTERN_MODULES"]:
        install_modules(own["CISTERN_MODULES"].split("\n"), own["CISTERN_MODULES_OPTIONS"],
                        own["CISTERN_MODULES_DIR"])
    if own["CISTERN_KIND"] == "glueetl":
        prepare_spark()
    for name in OWN:
        os.environ.pop(name, None)
    code = run(sys.argv[1], sys.argv[2:])
    sys.stdout.flush()
    sys.exit(code)


main()
