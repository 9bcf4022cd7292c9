"""Statements that meet a look at their table, at the most delicate moments: found by the differential test.
Nobody waits longer than for a load to look at the table, and each statement is either in the load or in
the changes."""

import threading
import time

import pytest

from tests.support.dms import QuickTask, selection
from tests.support.mariadb import MariaDB
from tests.support.tcp_proxy import Proxy
from tests.support.wait import wait_until

# How a snapshot is opened, and what is sent then. MySQL's ways are MariaDB's after an XA COMMIT.
WAYS = {"status": b"START TRANSACTION WITH CONSISTENT SNAPSHOT", "flush": b"FLUSH TABLES WITH READ LOCK", "lock": b"LOCK TABLES `"}
KEY_BEFORE = {"rule-type": "transformation", "rule-id": "3", "rule-name": "3", "rule-target": "column",
              "object-locator": {"schema-name": "%", "table-name": "%"}, "rule-action": "add-before-image-columns",
              "before-image-def": {"column-prefix": "B_", "column-filter": "pk-only"}}
READER = "SELECT, LOCK TABLES, REPLICATION SLAVE, BINLOG MONITOR"


@pytest.fixture(scope="module")
def locked_db():
    db = MariaDB()
    db.execute("XA START 'x'", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'",
               f"CREATE USER reader IDENTIFIED BY '{db.password}'", f"GRANT {READER} ON *.* TO reader")
    yield db
    db.close()


class Meeting:
    """A task over t and then u, whose requests to the source can be met by statements."""

    def __init__(self, way, server, db, name, *rules):
        self.db, self.schema, self.words, self.took, self.expected = db, name.replace("-", "_"), WAYS[way], [], 0
        db.execute(f"CREATE DATABASE {self.schema}")
        for table in "tu":
            db.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY)", f"INSERT INTO {table} VALUES (1)", database=self.schema)
        self.proxy = Proxy(db.port)
        source = dict(Port=self.proxy.port, **(dict(Username="reader") if way == "lock" else {}))
        rules = [selection(self.schema, "t", **{"load-order": 2}), selection(self.schema, "u", rule=2, **{"load-order": 1}), *rules]
        self.task = QuickTask(server, db, name, self.schema, rules=rules, source=source, s3=dict(AddColumnName=True),
                              settings={"FullLoadSettings": {"MaxFullLoadSubTasks": 1}})

    def meet(self, words, *steps):
        """The first request that has the words waits until the first step's statements are through or wait for
        others, and so on."""
        self.expected = sum(map(len, steps))
        coming = list(steps)

        def on_request(data):
            if words in data and coming:
                for statement in coming.pop(0):
                    self.begin(statement)

        self.proxy.on_request = on_request

    def load(self):
        self.task.start()
        self.met()

    def met(self):
        wait_until(lambda: len(self.took) == self.expected, 60, "the statements")
        assert max(self.took) < 10, self.took

    def begin(self, statement):
        def work():
            start = time.monotonic()
            self.db.execute(statement, database=self.schema)
            self.took.append(time.monotonic() - start)

        def waits():
            return self.db.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE DB=%s AND INFO=%s AND STATE LIKE 'Waiting for%%'",
                                 (self.schema, statement))

        thread = threading.Thread(target=work)
        thread.start()
        wait_until(lambda: not thread.is_alive() or waits(), 30, statement)

    def close(self):
        self.task.delete()
        self.proxy.close()
        self.db.execute(f"DROP DATABASE {self.schema}")

    def sql(self, *statements):
        self.db.execute(*statements, database=self.schema)

    def lines(self, table):
        """Of the load and of the changes; a header only where it is a new one."""
        self.task.caught_up()
        made = []
        for names in (self.task.loads(table), self.task.changes(table)):
            made.append([])
            header = None
            for head, *rows in (self.task.text(table, name).split() for name in names):
                made[-1] += rows if head == header else [head, *rows]
                header = head
        return made

    def state(self, table):
        shown = self.task.statistics(table)
        return shown["TableState"], shown["Ddls"]


@pytest.fixture(params=WAYS)
def meeting(request, server, unique):
    db = request.getfixturevalue("mariadb" if request.param == "status" else "locked_db")
    made = Meeting(request.param, server, db, unique("meet"))
    yield made
    made.close()


def test_altered_before_the_snapshot(meeting):
    """A load that has the table open while it waits for the server's lock would wait for the statement that
    waits for the table with its part of the lock."""
    meeting.meet(meeting.words, ["ALTER TABLE t ADD n INT DEFAULT 5"])
    meeting.load()
    meeting.sql("INSERT INTO t VALUES (2, 6)")
    loaded, changed = meeting.lines("t")
    if meeting.words == WAYS["status"]:  # it waits for nobody, and has the table open
        assert loaded == ["id", "1"] and meeting.state("t") == ("Table completed", 1)
    else:
        assert loaded == ["id,n", "1,5"] and meeting.state("t") == ("Table completed", 0)
    assert changed == ["Op,id,n", "I,2,6"]


def test_altered_after_the_snapshot(meeting):
    """The description is one of the snapshot's place in the log."""
    words = b"ROLLBACK" if meeting.words == WAYS["status"] else b"UNLOCK TABLES"
    meeting.meet(words, ["ALTER TABLE t ADD n INT DEFAULT 5"])
    meeting.load()
    meeting.sql("INSERT INTO t VALUES (2, 6)")
    assert meeting.lines("t") == [["id", "1"], ["Op,id,n", "I,2,6"]]
    assert meeting.state("t") == ("Table completed", 1)


@pytest.mark.parametrize("way", ["flush", "lock"])
def test_segments_altered_before_the_snapshot(server, locked_db, unique, way):
    """How many connections it needs was decided by what the table was."""
    name = unique("meet")
    ranges = {"rule-type": "table-settings", "rule-id": "3", "rule-name": "ranges",
              "object-locator": {"schema-name": name.replace("-", "_"), "table-name": "t"},
              "parallel-load": {"type": "ranges", "columns": ["id"], "boundaries": [["0"]]}}
    meeting = Meeting(way, server, locked_db, name, ranges)
    meeting.sql("INSERT INTO t VALUES (-1)")
    meeting.meet(meeting.words, ["ALTER TABLE t ADD n INT DEFAULT 5"])
    meeting.load()
    texts = [meeting.task.text("t", f"SEGMENT{n}_LOAD00000001.csv") for n in (1, 2)]
    assert texts == ["id,n\n-1,5\n", "id,n\n1,5\n"]
    meeting.close()


def test_dropped_before_its_load(meeting):
    meeting.meet(meeting.words, ["DROP TABLE t"])
    meeting.load()
    assert meeting.state("t") == ("Table does not exist", 0) and meeting.state("u") == ("Table completed", 0)
    assert meeting.task.describe()["ReplicationTaskStats"]["TablesErrored"] == 0
    meeting.sql("INSERT INTO u VALUES (2)", "CREATE TABLE t (a INT, b INT)", "INSERT INTO t VALUES (3, 4)")
    assert meeting.lines("t") == [[], ["Op,a,b", "I,3,4"]]
    assert meeting.lines("u") == [["id", "1"], ["Op,id", "I,2"]]
    assert meeting.state("t") == ("Table completed", 1)


def test_made_again_while_others_are_loaded(meeting):
    """From the log, however late the others' snapshots are."""
    meeting.meet(meeting.words, ["DROP TABLE t"], ["CREATE TABLE t (a INT, b INT)", "INSERT INTO t VALUES (3, 4)", "INSERT INTO u VALUES (2)"])
    meeting.load()
    meeting.sql("INSERT INTO u VALUES (5)")
    assert meeting.lines("t") == [[], ["Op,a,b", "I,3,4"]]
    assert meeting.lines("u") == [["id", "1", "2"], ["Op,id", "I,5"]]
    assert meeting.state("t") == ("Table completed", 1)


@pytest.mark.parametrize("question", [b"information_schema.COLUMNS", b"information_schema.TABLES", b"information_schema.STATISTICS"])
def test_replaced_between_questions_about_it(server, locked_db, unique, question):
    """What is the table, which columns has it, which keys: the server answers each as of its own moment."""
    meeting = Meeting("flush", server, locked_db, unique("meet"), KEY_BEFORE)
    meeting.task.start()
    meeting.meet(question, ["INSERT INTO t VALUES (3)", "DROP TABLE t", "CREATE TABLE t (id INT) CHARACTER SET utf8mb4", "INSERT INTO t VALUES (4)"])
    meeting.sql("ALTER TABLE t ADD INDEX i (id)", "INSERT INTO t VALUES (2)")
    meeting.met()
    assert meeting.lines("t") == [["id,B_id", "1,"], ["Op,id,B_id", "I,2,", "I,3,", "Op,id", "I,4"]]
    meeting.close()
