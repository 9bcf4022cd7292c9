"""What breaks under a running task: connections, logs, disks, privileges. While the cause is there the
task retries or fails with words that say how to mend it; once it is gone, every change is in exactly one
file. CISTERN_BIG_ROWS=n: rows of the large transaction."""

import os
import re
import resource
import subprocess
import threading

import pymysql
import pytest

from tests.support import dms_text
from tests.support.dms import QuickTask, tasks, two_rows
from tests.support.mariadb import MariaDB
from tests.support.server import Server
from tests.support.tcp_proxy import Proxy
from tests.support.wait import wait_until

LOGGED = {"Logging": {"EnableLogging": True}}
BIG_ROWS = int(os.environ.get("CISTERN_BIG_ROWS", "1000000"))


@pytest.fixture(scope="module")
def db():
    """A source that the tests of this file may stop, reconfigure and purge."""
    made = MariaDB("--innodb-flush-log-at-trx-commit=1", "--max-allowed-packet=256M", "--innodb-log-file-size=96M",
                   "--innodb-buffer-pool-size=128M", "--max-binlog-size=1G")
    yield made
    made.close()


@pytest.fixture
def table(db, unique):
    """Name of a schema with a table t of two rows."""
    with two_rows(db, unique("f")) as name:
        yield name


@pytest.fixture
def task(server, db, table, unique):
    with tasks(lambda on=server, **more: QuickTask(on, db, unique("fault"), table, **more)) as make:
        yield make


@pytest.fixture
def proxy(db):
    made = Proxy(db.port)
    yield made
    made.close()


def numbers(db, schema, first, last, table="t"):
    db.execute(f"INSERT INTO {table} SELECT seq, CONCAT('v', seq) FROM seq_{first}_to_{last}", database=schema)


# --- the network and the connection ------------------------------------------------------------------

def test_network_cuts_lose_and_repeat_nothing(task, db, table, proxy):
    numbers(db, table, 100, 60000)
    proxy.cut_after = 300_000  # in the midst of the load
    t = task(source=dict(Port=proxy.port))
    t.start()
    for i in range(6):
        proxy.cut_after = 20_000 * (i + 1)
        numbers(db, table, 100_000 * (i + 1), 100_000 * (i + 1) + 5000)
        db.execute("UPDATE t SET v='u' WHERE id % 50 = 7", database=table)
        proxy.cut()
    t.caught_up()
    assert t.describe()["Status"] == "running"
    t.assert_equal("t")


def test_a_source_that_cannot_be_reached_is_tried_again(task, db, table, proxy):
    t = task(source=dict(Port=proxy.port), settings=LOGGED)
    t.start()
    proxy.refuse = True
    proxy.cut()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    wait_until(lambda: "Trying again" in log_of(t), 20, "a retry")
    assert t.describe()["Status"] == "running"
    proxy.refuse = False
    t.caught_up()
    assert t.change_text("t") == "I,3,x\n"


def test_retries_end_as_the_settings_say(task, db, table, proxy):
    settings = {"ErrorBehavior": {"RecoverableErrorCount": 2, "RecoverableErrorInterval": 1}}
    t = task(source=dict(Port=proxy.port), settings=settings)
    t.start()
    proxy.refuse = True
    proxy.cut()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    shown = t.until("failed")
    assert shown["LastFailureMessage"] and shown["StopReason"].startswith("Stop Reason "), shown
    proxy.refuse = False
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "I,3,x\n"


def pauses(t):
    return [int(n) for n in re.findall(r"Trying again in (\d+) ms", log_of(t))]


@pytest.mark.parametrize("behaviour,expected", [  # the shared server's clock runs 60 times as fast
    (dict(RecoverableErrorCount=3, RecoverableErrorInterval=6, RecoverableErrorThrottling=False), [100, 100, 100]),
    (dict(RecoverableErrorCount=0), []),
    (dict(RecoverableErrorInterval=6, RecoverableErrorThrottlingMax=40), [100, 200, 400]),
    (dict(RecoverableErrorCount=2, RecoverableErrorInterval=12, RecoverableErrorThrottlingMax=40), [200, 400]),
    (dict(RecoverableErrorCount=4, RecoverableErrorInterval=12, RecoverableErrorThrottlingMax=18,
          RecoverableErrorStopRetryAfterThrottlingMax=False), [200, 300, 300, 300]),
])
def test_how_often_and_when_it_is_tried_again(task, db, table, proxy, behaviour, expected):
    t = task(source=dict(Port=proxy.port), settings={"ErrorBehavior": behaviour, **LOGGED})
    t.start()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.caught_up()
    proxy.refuse = True
    proxy.cut()
    db.execute("UPDATE t SET v='y' WHERE id=3", database=table)
    shown = t.until("failed")
    assert shown["StopReason"] == "Stop Reason RECOVERABLE_ERROR" and str(proxy.port) in shown["LastFailureMessage"], shown
    wait_until(lambda: "too often" in log_of(t), 20, "the log")
    assert pauses(t) == expected
    proxy.refuse = False
    t.start("resume-processing")
    db.execute("DELETE FROM t WHERE id=3", database=table)
    t.caught_up()
    assert t.change_text("t") == "I,3,x\nU,3,y\nD,3,y\n" and "LastFailureMessage" not in t.describe()


def test_retries_are_counted_anew_after_a_success(task, db, table, proxy):
    settings = {"ErrorBehavior": dict(RecoverableErrorCount=2, RecoverableErrorInterval=1, RecoverableErrorThrottling=False)}
    t = task(source=dict(Port=proxy.port), settings=settings)
    t.start()
    for i in range(3, 9):
        proxy.cut()
        db.execute(f"INSERT INTO t VALUES ({i},'x')", database=table)
        t.caught_up()
    assert t.change_text("t") == "".join(f"I,{i},x\n" for i in range(3, 9))


def log_of(t):
    return t.log() or ""


def test_killed_connections(task, db, table):
    t = task()
    t.start()
    for i in range(10, 20):
        db.execute(f"INSERT INTO t VALUES ({i},'x')", database=table)
        for [number] in db.query("SELECT id FROM information_schema.processlist WHERE user=%s AND id<>CONNECTION_ID()", [db.user]):
            try:
                db.execute(f"KILL {number}")
            except pymysql.err.OperationalError as gone:
                assert gone.args[0] == 1094
    t.caught_up()
    assert t.change_text("t") == "".join(f"I,{i},x\n" for i in range(10, 20))


def test_source_crashes_while_changes_are_read(task, db, table):
    t = task()
    t.start()
    for i in range(4):
        numbers(db, table, 1000 * (i + 1), 1000 * (i + 1) + 500)
        db.kill()
        db.start()
    t.caught_up()
    t.assert_equal("t")


# --- the log -----------------------------------------------------------------------------------------

def test_binlog_rotates_all_the_time(task, db, table):
    t = task()
    t.start()
    db.root("SET GLOBAL max_binlog_size=4096")
    try:
        for i in range(40):
            numbers(db, table, 1000 * (i + 1), 1000 * (i + 1) + 30)
            if i % 10 == 5:
                db.root("FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
            if i % 20 == 7:
                t.stop()
                t.start("resume-processing")
    finally:
        db.root("SET GLOBAL max_binlog_size=1073741824")
    t.caught_up()
    t.assert_equal("t")


def test_a_purged_log_is_told_and_a_reload_mends(task, db, table):
    t = task()
    t.start()
    t.caught_up()
    t.stop()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)

    def purged():
        db.root("FLUSH BINARY LOGS")
        [last] = db.query("SHOW MASTER STATUS")
        db.root(f"PURGE BINARY LOGS TO '{last[0]}'")
        return db.query("SHOW BINARY LOGS")[0][0] == last[0]

    wait_until(purged, 20)
    t.start("resume-processing", wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "1236" in text and "reload-target" in text
    t.start("reload-target")
    t.caught_up()
    t.assert_equal("t")


def test_a_log_that_began_anew_is_told(task, db, table):
    t = task()
    t.start()
    t.caught_up()
    t.stop()
    db.root("FLUSH BINARY LOGS", "FLUSH BINARY LOGS", "RESET MASTER")
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.start("resume-processing", wait=False)
    assert "reload-target" in t.until("failed")["LastFailureMessage"]


def test_statement_format_in_one_session(task, db, table):
    t = task()
    t.start()
    db.execute("SET SESSION binlog_format='STATEMENT'", "INSERT INTO t VALUES (3,'x')", database=table)
    text = t.until("failed")["LastFailureMessage"]
    assert "statement format" in text and "binlog_format" in text and "INSERT INTO t" in text
    t.start("reload-target")
    db.execute("INSERT INTO t VALUES (4,'y')", database=table)
    t.caught_up()
    t.assert_equal("t")


def test_row_images_that_are_not_full(task, db, table):
    db.execute("CREATE TABLE w (id INT PRIMARY KEY, a INT, b TEXT)", "INSERT INTO w VALUES (1,1,'one')", database=table)
    t = task(s3=dict(CsvNullValue="<null>", UseCsvNoSupValue=True, CsvNoSupValue="<none>"))
    t.start()
    db.execute("SET SESSION binlog_row_image='MINIMAL'", "INSERT INTO w VALUES (2,NULL,'two')",
               "UPDATE w SET a=5 WHERE id=1", "DELETE FROM w WHERE id=2", "SET SESSION binlog_row_image='NOBLOB'",
               "UPDATE w SET a=6 WHERE id=1", database=table)
    t.caught_up()
    lines = t.change_text("w").splitlines()
    assert lines[0] == "I,2,<null>,two" and lines[1] == "U,1,5,<none>"
    assert lines[2] == "D,2,<none>,<none>" and lines[3] == "U,1,6,<none>"


# --- settings and privileges --------------------------------------------------------------------------

def test_privileges_that_go_and_come_back(task, db, table, unique):
    user = unique("u").replace("-", "_")
    db.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw'", f"GRANT SELECT ON {table}.* TO {user}@'%'",
               f"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {user}@'%'")
    t = task(source=dict(Username=user, Password="pw"))
    t.start()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.caught_up()
    t.stop()
    db.execute(f"REVOKE REPLICATION SLAVE ON *.* FROM {user}@'%'", f"INSERT INTO {table}.t VALUES (4,'y')")
    t.start("resume-processing", wait=False)
    assert "REPLICATION SLAVE" in t.until("failed")["LastFailureMessage"].upper()
    db.execute(f"GRANT REPLICATION SLAVE ON *.* TO {user}@'%'", f"INSERT INTO {table}.t VALUES (5,'z')")
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "I,3,x\nI,4,y\nI,5,z\n"


def test_binlog_format_is_told_and_then_right(task, db, table):
    db.root("SET GLOBAL binlog_format='MIXED'")
    try:
        t = task()
        t.start(wait=False)
        text = t.until("failed")["LastFailureMessage"]
        assert "binlog_format must be ROW, it is MIXED" in text and "SET GLOBAL binlog_format" in text
    finally:
        db.root("SET GLOBAL binlog_format='ROW'")
    t.start("reload-target")
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.caught_up()
    t.assert_equal("t")


def test_binlog_off_is_told_and_then_on(server, unique):
    source = MariaDB(binlog=False)
    try:
        source.execute("CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY)", "INSERT INTO s.t VALUES (1)")
        t = QuickTask(server, source, unique("fault"), "s")
        t.start(wait=False)
        text = t.until("failed")["LastFailureMessage"]
        assert "--log-bin" in text and "backup retention" in text
        source.binlog = True
        source.restart()
        t.start("reload-target")
        source.execute("INSERT INTO s.t VALUES (2)")
        t.caught_up()
        t.assert_equal("t")
        t.delete()
    finally:
        source.close()


# --- our side -----------------------------------------------------------------------------------------

@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_full_disk(db, table, unique, tmp_path):
    """Load and changes wait while our data folder's disk is full, and go on when there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(disk)], check=True)
    server = None
    try:
        server = Server("--clock-scale", "60", data_dir=disk)
        db.execute("CREATE TABLE big (id INT PRIMARY KEY, v VARCHAR(300))",
                   "INSERT INTO big SELECT seq, REPEAT('x', 300) FROM seq_1_to_60000", database=table)
        t = QuickTask(server, db, unique("fault"), table, settings=LOGGED)
        t.start(wait=False)
        # The database lies on the same disk: only the server's own log, which doesn't, can surely tell.
        wait_until(lambda: "No space left on device" in server.log(), 60, "a full disk being told")
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        assert t.describe()["Status"] == "running"
        wait_until(lambda: "FullLoadFinishDate" in t.describe()["ReplicationTaskStats"], 60, "the load")
        told = len(server.log())
        db.execute("UPDATE big SET v=REPEAT('y', 300)", database=table)
        for low in range(0, 60000, 20000):
            db.execute(f"UPDATE big SET v=REPEAT('z', 300) WHERE id BETWEEN {low} AND {low + 19999}", database=table)
        wait_until(lambda: "No space left on device" in server.log()[told:], 60, "a full disk being told again")
        subprocess.run(["mount", "-o", "remount,size=512m", str(disk)], check=True)
        t.caught_up(120)
        assert t.describe()["Status"] == "running"
        t.assert_equal("big")
        t.assert_equal("t")
    finally:
        if server:
            server.close()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_files_that_cannot_grow(fresh_server, db, table, task):
    """A limit on the size of files, as a quota sets it."""
    t = task(on=fresh_server, settings=LOGGED)
    t.start()
    numbers(db, table, 10, 20)
    t.caught_up()
    resource.prlimit(fresh_server.process.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    db.execute("INSERT INTO t SELECT seq, REPEAT('x', 40) FROM seq_1000_to_30000", database=table)
    # The database is a file, too: only the server's own log can still tell.
    wait_until(lambda: "could not be committed" in fresh_server.log() or "cannot write" in fresh_server.log(), 30,
               "a file at its limit being told")
    assert fresh_server.process.poll() is None
    resource.prlimit(fresh_server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    t.caught_up(120)
    t.assert_equal("t")


# --- size ---------------------------------------------------------------------------------------------

class Memory(threading.Thread):
    """The largest resident size of a process, in bytes, while it is watched."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self._over = pid, 0, threading.Event()
        self.start()

    def now(self):
        with open(f"/proc/{self.pid}/statm") as f:
            return int(f.read().split()[1]) * resource.getpagesize()

    def run(self):
        while not self._over.wait(0.01):
            self.most = max(self.most, self.now())

    def finish(self):
        self._over.set()
        self.join()
        return self.most


def test_one_large_transaction_in_flat_memory(fresh_server, db, table, task):
    db.execute("CREATE TABLE large (id INT PRIMARY KEY, a BIGINT, v VARCHAR(40))", database=table)
    t = task(on=fresh_server)
    t.start()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.caught_up()
    watch = Memory(fresh_server.process.pid)
    before = watch.now()
    db.execute(f"INSERT INTO large SELECT seq, seq * 7, CONCAT('value ', seq) FROM seq_1_to_{BIG_ROWS}", database=table)
    t.caught_up(300)
    grown = watch.finish() - before
    assert t.statistics("large")["Inserts"] == BIG_ROWS
    rows, total = 0, 0
    for name in t.changes("large"):
        for line in t.s3.get_object(Bucket=t.bucket, Key=t.prefix("large") + name)["Body"].iter_lines():
            rows, total = rows + 1, total + int(line.split(b",", 2)[1])
    assert (rows, total) == (BIG_ROWS, BIG_ROWS * (BIG_ROWS + 1) // 2)
    if "asan" not in os.environ.get("CISTERN_BINARY", ""):
        assert grown < 40 << 20, f"memory grew by {grown >> 20} MB"


def test_two_hundred_columns(task, db, table):
    names = [f"c{i}" for i in range(200)]
    kinds = ["INT", "VARCHAR(20)", "DATETIME(3)", "DECIMAL(9,3)", "BIT(3)", "TEXT"]
    values = ["{}", "'t{}'", "'2024-01-01 00:00:00.{:03}'", "{}.5", "{} % 8", "REPEAT('x', {})"]
    db.execute(f"CREATE TABLE wide (id INT PRIMARY KEY, {', '.join(f'{n} {kinds[i % 6]}' for i, n in enumerate(names))})",
               database=table)
    row = ", ".join("NULL" if i % 11 == 3 else values[i % 6].format(i) for i in range(200))
    db.execute(f"INSERT INTO wide VALUES (1, {row}), (2, {row})", database=table)
    t = task()
    t.start()
    db.execute("UPDATE wide SET c0=5 WHERE id=1", f"INSERT INTO wide VALUES (3, {row})", "DELETE FROM wide WHERE id=2",
               database=table)
    t.caught_up()
    t.assert_equal("wide")


def test_a_row_of_64_megabytes(fresh_server, db, table, task):
    size = 64 << 20
    db.execute("CREATE TABLE huge (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET latin1)",
               f"INSERT INTO huge VALUES (1, REPEAT('a', {size}))", database=table)
    t = task(on=fresh_server, settings={"TargetMetadata": {"LobMaxSize": 102400}})
    t.start()
    db.execute(f"INSERT INTO huge VALUES (2, CONCAT(REPEAT('b', {size}), 'end'))", database=table)
    t.caught_up(120)
    load = t.s3.head_object(Bucket=t.bucket, Key=t.prefix("huge") + t.loads("huge")[0])["ContentLength"]
    assert load == size + len("1,\n")
    [name] = t.changes("huge")
    got = t.s3.get_object(Bucket=t.bucket, Key=t.prefix("huge") + name)["Body"].read()
    assert len(got) == size + len("I,2,end\n") and got.startswith(b"I,2,bbb") and got.endswith(b"bend\n")


def test_rows_are_read_alike_by_an_independent_reader(task, db, table):
    """The replay that the other tests rely on notices a lost change."""
    t = task()
    t.start()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.caught_up()
    t.s3.delete_object(Bucket=t.bucket, Key=t.prefix("t") + t.changes("t")[0])
    with pytest.raises(AssertionError):
        t.assert_equal("t")
    assert dms_text.source_rows(db, table, "t")
