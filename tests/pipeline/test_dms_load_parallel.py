"""How many connections a full load uses, and that what they read together is one state of the table."""

import pytest

from tests.support.dms import QuickTask, selection, tasks
from tests.support.mariadb import Writer
from tests.support.wait import wait_until


@pytest.fixture
def load(server, mariadb, schema, unique):
    def new(*rules, subtasks=8, **more):
        return QuickTask(server, mariadb, unique("parallel"), schema, migration="full-load",
                         rules=[selection(schema), *rules],
                         settings={"FullLoadSettings": {"MaxFullLoadSubTasks": subtasks}}, **more)

    with tasks(new) as make:
        yield make


def by_ranges(schema, *bounds):
    return {"rule-type": "table-settings", "rule-id": "2", "rule-name": "ranges",
            "object-locator": {"schema-name": schema, "table-name": "t"},
            "parallel-load": {"type": "ranges", "columns": ["id"], "boundaries": [[str(b)] for b in bounds]}}


def readers(mariadb, schema):
    """Connections that wait for a locked table of the schema."""
    return len(mariadb.query("SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%'"
                             f" AND INFO LIKE '%`{schema}`.%'"))


def most_readers(mariadb, schema, task, tables, expected):
    """How many connections read at once while all of the tables are locked."""
    with mariadb.connect(schema) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES " + ", ".join(f"{t} WRITE" for t in tables))
        task.start(wait=False)
        wait_until(lambda: readers(mariadb, schema) >= expected, 30,
                   f"{expected} readers ({readers(mariadb, schema)})")
        task.describe()  # a look at the service, in which one more would have come
        found = readers(mariadb, schema)
        cursor.execute("UNLOCK TABLES")
    task.until("stopped")
    return found


@pytest.mark.parametrize("subtasks", [2, 12])
def test_as_many_tables_at_once_as_the_settings_say(load, mariadb, schema, subtasks):
    tables = [f"t{i}" for i in range(14)]
    for t in tables:
        mariadb.execute(f"CREATE TABLE {t} (id INT PRIMARY KEY)", f"INSERT INTO {t} VALUES (1)", database=schema)
    task = load(subtasks=subtasks)
    assert most_readers(mariadb, schema, task, tables, subtasks) == subtasks
    assert all(task.text(t, "LOAD00000001.csv") == "1\n" for t in tables)


def test_segments_count_as_subtasks(load, mariadb, schema):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t SELECT seq FROM seq_1_to_60", database=schema)
    task = load(by_ranges(schema, 10, 20, 30, 40, 50), subtasks=3)
    assert most_readers(mariadb, schema, task, ["t"], 3) == 3
    names = task.keys("t")
    assert names == [f"SEGMENT{i}_LOAD00000001.csv" for i in range(1, 7)]
    assert "".join(task.text("t", n) for n in names) == "".join(f"{i}\n" for i in range(1, 61))


def test_segments_without_capture_are_of_one_moment(load, mariadb, schema):
    """Money that moves between the segments all the time is never seen twice, and never missing."""
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, amount INT)",
                    "INSERT INTO t SELECT seq, 100 FROM seq_1_to_20000", database=schema)

    def move(connection, over):
        with connection.cursor() as cursor:
            while not over.is_set():
                for low in range(1, 5000, 7):
                    cursor.execute(f"UPDATE {schema}.t SET amount = amount + IF(id = {low}, -1, 1)"
                                   f" WHERE id IN ({low}, {low + 15000})")

    writer = Writer(mariadb, move)
    task = load(by_ranges(schema, 5000, 10000, 15000))
    try:
        task.start(wait=False)
        task.until("stopped")
    finally:
        writer.finish()
    rows = [line.split(",") for n in task.keys("t") for line in task.text("t", n).splitlines()]
    assert len(rows) == 20000 and sum(int(amount) for _, amount in rows) == 2_000_000
