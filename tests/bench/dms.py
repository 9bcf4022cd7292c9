"""`make bench-dms`: a full load and change capture of a private MariaDB, beside what the database's own
tools need for the same rows, in one run, in turn.

Load: a table of 10 columns, read by a bare client loop that throws the rows away (mysqlread) and by DMS,
each on one and on two connections (how much two gain depends on the machine's cores, of which the database
needs its own: the bare loop tells), by mariadb-dump --tab and by SELECT … INTO OUTFILE. Capture: the changes that
wait in the binlog when a stopped task resumes, beside mariadb-binlog -v of the same files. Latency: from
the return of COMMIT to the object's file in the bucket's folder, with no batch interval. Printed are the
medians of the rounds; ratios are within a round. On a machine that others use too, look at the CPU seconds:
of the program (ours, the tool), and of all that it takes, the database included."""

import argparse
import datetime
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from tests.support.dms import QuickTask, selection
from tests.support.mariadb import MariaDB
from tests.support.server import Server
from tests.support.wait import wait_until

TOOLS = pathlib.Path(os.environ.get("BENCH_TOOLS", "build/release/bench"))
COLUMNS = ("id BIGINT UNSIGNED PRIMARY KEY, n INT, kind ENUM('new','paid','sent'), price DECIMAL(10,2), weight DOUBLE,"
           " small SMALLINT, made DATETIME(3), seen TIMESTAMP NULL, name VARCHAR(60), note VARCHAR(120)")
FILL = ("SELECT seq, seq * 7 % 100003, 1 + seq % 3, (seq * 37 % 1000000) / 100, seq / 7, seq % 30000,"
        " '2024-01-01' + INTERVAL seq SECOND, '2024-06-01' + INTERVAL (seq % 1000000) SECOND, CONCAT('customer ', seq),"
        " CONCAT('a note, with a comma and ', seq, ' in it') FROM seq_1_to_{rows}")
SELECT = "SELECT id, n, kind, price, weight, small, made, seen, name, note FROM bench.t"


class Peak(threading.Thread):
    """Largest resident size of a process while it works."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            with open(f"/proc/{self.pid}/statm") as f:
                self.most = max(self.most, int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))

    def finish(self):
        self.over.set()
        self.join()
        return self.most / 1e6


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Bench:
    def __init__(self, asked, folder):
        self.asked, self.folder = asked, folder
        self.results = {}
        self.db = MariaDB("--innodb-buffer-pool-size=1536M", "--innodb-log-file-size=512M", "--max-binlog-size=1G",
                          "--secure-file-priv=", "--max-allowed-packet=64M")
        self.server = Server("--clock-scale", "60", data_dir=folder / "data")
        self.number = 0

    def close(self):
        self.server.close()
        self.db.close()

    def note(self, what, value):
        self.results.setdefault(what, []).append(value)
        print(f"  {what}: {value:.3f}", file=sys.stderr)

    def task(self, **more):
        self.number += 1
        return QuickTask(self.server, self.db, f"bench-{self.number}", "bench", rules=[selection("bench", "t"), *more.pop("rules", [])],
                         settings={"Logging": {"EnableLogging": True}}, **more)

    def forget(self, task):
        task.delete()
        keys = [{"Key": o["Key"]} for page in task.s3.get_paginator("list_objects_v2").paginate(Bucket=task.bucket)
                for o in page.get("Contents", [])]
        for at in range(0, len(keys), 1000):
            task.s3.delete_objects(Bucket=task.bucket, Delete={"Objects": keys[at:at + 1000]})

    # --- full load ---
    def bare(self, connections):
        middle = self.asked.rows // 2
        parts = [""] if connections == 1 else [f" WHERE id <= {middle}", f" WHERE id > {middle}"]
        start, cpu = time.monotonic(), self.all_seconds()
        readers = [subprocess.Popen([TOOLS / "mysqlread", "127.0.0.1", str(self.db.port), self.db.user, self.db.password,
                                     SELECT + part], stdout=subprocess.PIPE, text=True) for part in parts]
        rows = sum(int(reader.communicate()[0].split()[0]) for reader in readers)
        assert rows == self.asked.rows, rows
        self.note(f"load: bare loop, {connections} connection(s), s", time.monotonic() - start)
        self.note(f"load: bare loop, {connections} connection(s), all CPU s", self.all_seconds() - cpu)

    def load(self, connections):
        rules = []
        if connections == 2:
            rules = [{"rule-type": "table-settings", "rule-id": "9", "rule-name": "9",
                      "object-locator": {"schema-name": "bench", "table-name": "t"},
                      "parallel-load": {"type": "ranges", "columns": ["id"], "boundaries": [[str(self.asked.rows // 2)]]}}]
        task = self.task(migration="full-load", rules=rules)
        peak, cpu, used = Peak(self.server.process.pid), cpu_seconds(self.server.process.pid), self.all_seconds()
        task.start(wait=False)
        task.until("stopped", timeout=600)
        shown = task.statistics("t")
        assert shown["FullLoadRows"] == self.asked.rows, shown
        took = self.logged(task, "Total load time for bench.t = ") / 1e6
        self.note(f"load: cistern, {connections} connection(s), s", took)
        self.note(f"load: cistern, {connections} connection(s), CPU s", cpu_seconds(self.server.process.pid) - cpu)
        self.note(f"load: cistern, {connections} connection(s), all CPU s", self.all_seconds() - used)
        self.note("load: memory, MB", peak.finish())
        self.forget(task)

    def all_seconds(self):
        """CPU of the server, the database, and of tools that have ended."""
        return cpu_seconds(self.server.process.pid) + cpu_seconds(self.db.process.pid) + children_seconds()

    def logged(self, task, words):
        logs = self.server.client("logs")
        group = f"dms-tasks-{task.name}-rep"
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]:
                if words in event["message"]:
                    return int(event["message"].split(words)[1].split()[0])
        raise AssertionError(f"no line with {words!r}")

    def peers(self):
        out = self.db.dir / "out"
        for name in ("dump --tab", "INTO OUTFILE"):
            out.mkdir()
            out.chmod(0o777)
            start, used = time.monotonic(), self.all_seconds()
            if name == "dump --tab":
                subprocess.run(["mariadb-dump", "-h127.0.0.1", f"-P{self.db.port}", f"-u{self.db.user}", f"-p{self.db.password}",
                                f"--tab={out}", "--fields-terminated-by=,", "--fields-optionally-enclosed-by=\"", "bench", "t"],
                               check=True)
            else:
                self.db.execute(f"{SELECT.replace(' FROM', f' INTO OUTFILE {chr(39)}{out}/t{chr(39)} FIELDS TERMINATED BY {chr(39)},{chr(39)} FROM')}")
            self.note(f"load: {name}, s", time.monotonic() - start)
            self.note(f"load: {name}, all CPU s", self.all_seconds() - used)
            shutil.rmtree(out)

    # --- changes ---
    def capture(self):
        task = self.task(migration="cdc")
        task.start()
        task.stop()
        self.db.root("FLUSH BINARY LOGS")
        [first] = self.db.query("SHOW MASTER STATUS")
        step = 10000
        for low in range(1, self.asked.changes + 1, step):
            self.db.execute(f"UPDATE bench.t SET n=n+1, price=price+1 WHERE id BETWEEN {low} AND {low + step - 1}")
        self.db.root("FLUSH BINARY LOGS")
        start, used = time.monotonic(), children_seconds()
        with open(os.devnull, "wb") as nowhere:
            subprocess.run(["mariadb-binlog", "-v", str(self.db.data / first[0])], stdout=nowhere, check=True)
        self.note("capture: mariadb-binlog -v, s", time.monotonic() - start)
        self.note("capture: mariadb-binlog -v, CPU s", children_seconds() - used)
        peak, cpu, start = Peak(self.server.process.pid), cpu_seconds(self.server.process.pid), time.monotonic()
        task.start("resume-processing", wait=False)
        wait_until(lambda: task.statistics("t")["Updates"] == self.asked.changes, 600, "all changes being captured", step=0.005)
        self.note("capture: cistern, s", time.monotonic() - start)
        self.note("capture: cistern, CPU s", cpu_seconds(self.server.process.pid) - cpu)
        self.note("capture: memory, MB", peak.finish())
        task.caught_up(120)
        self.forget(task)

    def latency(self):
        self.db.execute("CREATE TABLE IF NOT EXISTS bench.t2 (id INT PRIMARY KEY, v VARCHAR(20))", "TRUNCATE bench.t2")
        self.number += 1
        task = QuickTask(self.server, self.db, f"bench-{self.number}", "bench", migration="cdc", rules=[selection("bench", "t2")])
        task.start()
        folder = self.server.data_dir / "buckets" / task.bucket / "bench/t2"
        times = []
        with self.db.connect() as connection, connection.cursor() as cursor:
            for i in range(self.asked.commits):
                before = folder.stat().st_mtime_ns if folder.exists() else 0
                cursor.execute(f"INSERT INTO bench.t2 VALUES ({i}, 'x')")
                start = time.monotonic()
                while (folder.stat().st_mtime_ns if folder.exists() else 0) == before:
                    assert time.monotonic() < start + 30, "no object appeared"
                    time.sleep(0.0001)
                times.append((time.monotonic() - start) * 1000)
        times.sort()
        self.note("latency: p50, ms", times[len(times) // 2])
        self.note("latency: p99, ms", times[len(times) * 99 // 100])
        self.forget(task)

    # --- all ---
    def run(self):
        self.db.execute("CREATE DATABASE bench", f"CREATE TABLE bench.t ({COLUMNS})",
                        "USE bench", f"INSERT INTO bench.t {FILL.format(rows=self.asked.rows)}")
        self.db.query("SELECT COUNT(*), SUM(LENGTH(note)) FROM bench.t")  # into memory
        for _ in range(self.asked.rounds):
            for connections in (1, 2):
                self.bare(connections)
                self.load(connections)
            self.peers()
            self.capture()
            self.latency()

    def ratio(self, over, under):
        return statistics.median(a / b for a, b in zip(self.results[over], self.results[under]))

    def report(self):
        for what, values in self.results.items():
            print(f"{what:45} {statistics.median(values):10.2f}")
        one, two = "load: cistern, 1 connection(s), s", "load: cistern, 2 connection(s), s"
        bare_one, bare_two = "load: bare loop, 1 connection(s), s", "load: bare loop, 2 connection(s), s"
        rows = (("bare loop / cistern (target 0.9)", bare_one, one),
                ("one / two connections (1.6)", one, two),
                ("the same, bare loop: the machine's limit", bare_one, bare_two),
                ("bare loop / cistern, two connections", bare_two, two),
                ("dump --tab / cistern (3)", "load: dump --tab, s", one),
                ("INTO OUTFILE / cistern", "load: INTO OUTFILE, s", one),
                ("dump --tab / cistern, all CPU", "load: dump --tab, all CPU s", "load: cistern, 1 connection(s), all CPU s"),
                ("mariadb-binlog -v / cistern (4)", "capture: mariadb-binlog -v, s", "capture: cistern, s"),
                ("mariadb-binlog -v / cistern, CPU", "capture: mariadb-binlog -v, CPU s", "capture: cistern, CPU s"))
        for name, over, under in rows:
            print(f"{name:45} {self.ratio(over, under):10.2f} x")
        if self.asked.json:
            pathlib.Path(self.asked.json).write_text(json.dumps(dict(
                date=datetime.date.today().isoformat(), rows=self.asked.rows, results=self.results), indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", help="write all figures to this file")
    asked = parser.parse_args()
    asked.changes = min(asked.changes, asked.rows) // 10000 * 10000
    with tempfile.TemporaryDirectory(prefix="cistern-bench-") as folder:
        bench = Bench(asked, pathlib.Path(folder))
        try:
            bench.run()
        finally:
            bench.close()
        bench.report()


if __name__ == "__main__":
    main()
