"""What `make bench-merge` compares: each takes a data set and changes and leaves the merged set in a
folder. Peers run as processes of their own; what they say on standard output, if anything, is the
seconds that the work took without their start."""

import os
import pathlib
import subprocess
import sys
import textwrap
import time

BINARY = pathlib.Path(os.environ.get("CISTERN_BINARY", "build/release/cistern"))
COLUMNS = ["id", "name", "email", "city", "amount", "created", "state", "note", "code"]


class Measured:
    """One run of a command."""

    def __init__(self, command, own_seconds=False, **more):
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, **more)
        out = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        process.stdout.close()
        if status != 0:
            raise RuntimeError(f"{command[0]} failed: {status}\n{out}")
        self.out = out
        self.seconds = float(out.split()[-1]) if own_seconds else time.monotonic() - began
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.rss_mb = usage.ru_maxrss / 1024


class Cistern:
    name = "cistern"

    @staticmethod
    def run(_base, changes, out):
        """`out` holds a copy of the base, which is not part of what is measured."""
        return Measured([str(BINARY), "merge", "--final", str(out), "--json", "--quiet", str(changes)])


class Cp:
    name = "cp"

    @staticmethod
    def run(base, _changes, out):
        return Measured(["cp", "-r", str(base), str(out)])


DUCKDB = """
    import sys, time
    import duckdb
    base, changes, out, columns = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(",")
    began = time.monotonic()
    db = duckdb.connect()
    db.execute("SET preserve_insertion_order = false")
    db.execute("SET enable_progress_bar = false")
    options = "header=false, auto_detect=false, delim=',', quote='\\"', escape='\\"'"
    kinds = lambda names: "{" + ", ".join(f"'{n}': 'VARCHAR'" for n in names) + "}"
    db.execute(f'''
        CREATE TABLE change AS SELECT arg_max(c, n) AS c FROM (
            SELECT c, row_number() OVER () AS n
            FROM read_csv('{changes}', {options}, parallel=false, columns={kinds(["op", *columns])}) c)
        GROUP BY c.id''')
    db.execute(f'''
        COPY (SELECT b.* FROM read_csv('{base}/part-*.csv', {options}, columns={kinds(columns)}) b
                  WHERE NOT EXISTS (SELECT 1 FROM change WHERE c.id = b.id)
              UNION ALL SELECT {", ".join("c." + n for n in columns)} FROM change WHERE c.op <> 'D')
        TO '{out}' (FORMAT csv, HEADER false, PER_THREAD_OUTPUT true, FILENAME_PATTERN 'part-{{i}}')''')
    print(time.monotonic() - began)
"""


class DuckDB:
    name = "DuckDB"

    @staticmethod
    def run(base, changes, out):
        return Measured([sys.executable, "-c", textwrap.dedent(DUCKDB), str(base), str(changes), str(out),
                         ",".join(COLUMNS)], own_seconds=True)


SPARK = """
    import sys, time
    from pyspark.sql import SparkSession, functions as F
    base, changes, out, columns = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(",")
    spark = SparkSession.builder.appName("merge").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    began = time.monotonic()
    def read(path, names):
        schema = ", ".join(f"{n} STRING" for n in names)
        return spark.read.schema(schema).option("multiLine", True).option("escape", '"').csv(path)
    change = read(changes, ["op", *columns]).withColumn("n", F.monotonically_increasing_id())
    last = change.groupBy("id").agg(F.max_by(F.struct("op", *columns), "n").alias("c")).select("c.*").cache()
    kept = read(base, columns).join(last.select("id"), "id", "left_anti")
    put = last.where("op <> 'D'").select(columns)
    kept.select(columns).unionByName(put).write.mode("overwrite").option("escape", '"').csv(out)
    print(time.monotonic() - began)
"""


class Spark:
    name = "PySpark"

    def __init__(self, home, scratch):
        self.home, self.scratch = pathlib.Path(home), scratch

    def run(self, base, changes, out):
        command = [str(self.home / "bin/spark-submit"), "--master", f"local[{os.cpu_count()}]", "--driver-memory",
                   "4g", "--conf", f"spark.local.dir={self.scratch}", "--conf", "spark.ui.enabled=false"]
        script = self.scratch / "merge_spark.py"
        script.write_text(textwrap.dedent(SPARK))
        environment = {**os.environ, "SPARK_HOME": str(self.home)}
        python = self.home.parents[3] / "bin/python" if len(self.home.parents) > 3 else None
        if python and python.exists():
            environment.update(PYSPARK_PYTHON=str(python), PYSPARK_DRIVER_PYTHON=str(python))
        return Measured([*command, str(script), str(base), str(changes), str(out), ",".join(COLUMNS)],
                        own_seconds=True, env=environment, stderr=subprocess.DEVNULL)


SHELL = r"""
    export LC_ALL=C
    sort -m -s -t, -k1,1n -S 512M -T "$3" \
        <(cat "$1"/part-*.csv | sed 's/^/\x01B,/; s/^\x01B,\([^,]*\),/\1,B,/') \
        <(cat -n "$2" | sed 's/^ *\([0-9]*\)\t\([IUD]\),\([^,]*\),/\3,\2,/' | sort -s -t, -k1,1n -S 512M -T "$3") |
    awk -F, '$1 != key { if (NR > 1 && op != "D") print row; key = $1 } { op = $2; row = $0; sub(/,[BIUD],/, ",", row) }
             END { if (op != "D") print row }' > "$3/part-00000.csv"
"""


class Shell:
    """GNU sort and awk. Line by line, so rows with quoted newlines come out wrong: for time only."""

    name = "sort + awk"

    @staticmethod
    def run(base, changes, out):
        out.mkdir()
        return Measured(["bash", "-c", textwrap.dedent(SHELL), "shell", str(base), str(changes), str(out)])


SAME = """
    import sys, duckdb
    options = "header=false, auto_detect=false, delim=',', quote='\\"', escape='\\"'"
    columns = sys.argv[1].split(",")
    kinds = "{" + ", ".join(f"'{n}': 'VARCHAR'" for n in columns) + "}"
    duckdb.sql("SET enable_progress_bar = false")
    texts = ", ".join(f"coalesce({n}, '-')" for n in columns)
    for folder in sys.argv[2:]:
        print(*duckdb.sql(f'''SELECT count(*), count(DISTINCT id), sum(hash({texts}) % 1000000007)
            FROM read_csv('{folder}/part-*', {options}, columns={kinds})''').fetchall()[0])
"""


def fingerprints(folders):
    """Number of rows, number of keys, and a sum of hashes of all rows, of each folder."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(SAME), ",".join(COLUMNS), *map(str, folders)],
                          check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()
