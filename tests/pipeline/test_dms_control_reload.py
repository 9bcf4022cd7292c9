"""ReloadTables: tables are read anew while changes of all others go on, and nothing is lost or
doubled, whatever is killed meanwhile."""

import os
import random
import time

import pytest

from tests.pipeline.test_dms_kill import churn, strict_replay
from tests.support import dms_text
from tests.support.dms import Task, tasks
from tests.support.errors import refused
from tests.support.mariadb import Writer
from tests.support.wait import wait_until

KILLS = int(os.environ.get("CISTERN_KILLS", "8"))


def reload(task, *tables, **more):
    return task.dms.reload_tables(
        ReplicationTaskArn=task.arn,
        TablesToReload=[{"SchemaName": task.schema, "TableName": t} for t in tables], **more)


def reloaded(task, table):
    shown = task.statistics(table)
    return shown["TableState"] == "Table completed" and shown["FullLoadReloaded"]


@pytest.fixture
def task(server, mariadb, schema, unique):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO t VALUES (1,'one'),(2,NULL)",
                    "CREATE TABLE u (id INT PRIMARY KEY)", "INSERT INTO u VALUES (1)", database=schema)
    with tasks(lambda **more: Task(server, mariadb, unique("rel"), schema, **more)) as make:
        yield make


def test_a_table_is_loaded_again_and_capture_goes_on(task, mariadb, schema):
    t = task()
    t.start()
    mariadb.execute("INSERT INTO t VALUES (3,'three')", "INSERT INTO u VALUES (2)", database=schema)
    t.caught_up()
    assert t.changes("t") and t.changes("u")
    before = t.changes("u")
    assert reload(t, "t")["ReplicationTaskArn"] == t.arn
    shown = t.statistics("t")
    assert shown["TableState"] == "Table is being reloaded" or shown["FullLoadReloaded"]
    mariadb.execute("INSERT INTO u VALUES (3)", database=schema)
    wait_until(lambda: reloaded(t, "t"), 20)
    mariadb.execute("UPDATE t SET v='later' WHERE id=1", database=schema)
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == "1,one\n2,\n3,three\n" and t.change_text("t") == "U,1,later\n"
    assert t.changes("u")[:1] == before and t.change_text("u") == "I,2\nI,3\n"
    assert t.statistics("t")["FullLoadRows"] == 3 and not t.statistics("u")["FullLoadReloaded"]
    assert t.describe()["Status"] == "running"


def test_a_table_in_error_is_mended_by_its_reload(task, mariadb, schema):
    mariadb.execute("CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY HASH(id) PARTITIONS 2", "INSERT INTO p VALUES (1)",
                    database=schema)
    t = task()
    t.start()
    mariadb.execute("ALTER TABLE p ADD PARTITION PARTITIONS 2", "INSERT INTO p VALUES (2)", database=schema)
    t.caught_up()
    assert t.statistics("p")["TableState"] == "Table error" and t.changes("p") == []
    assert "partitions" in t.describe()["LastFailureMessage"]
    reload(t, "p")
    wait_until(lambda: reloaded(t, "p"), 20)
    mariadb.execute("INSERT INTO p VALUES (3)", database=schema)
    t.caught_up()
    assert sorted(t.text("p", "LOAD00000001.csv").split()) == ["1", "2"] and t.change_text("p") == "I,3\n"
    assert "LastFailureMessage" not in t.describe()


def test_what_cannot_be_reloaded(task):
    t = task()
    refused("InvalidResourceStateFault", reload, t, "t")
    t.start()
    assert "none-such" in refused("ResourceNotFoundFault", reload, t, "none-such")
    refused("InvalidParameterValueException", reload, t, *["t"] * 11)
    refused("InvalidParameterCombinationException", reload, t, "t", ReloadOption="validate-only")
    only = task(migration="cdc")
    only.start()
    refused("InvalidResourceStateFault", reload, only, "t")


def test_kills_while_tables_are_reloaded(fresh_server, mariadb, schema, unique):
    seed = int(os.environ.get("CISTERN_SEED", random.randrange(1 << 30)))
    print(f"CISTERN_SEED={seed}")
    rng = random.Random(seed)
    tables = ["a", "b", "c"]
    for table in tables:
        mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, ver INT, txt VARCHAR(30))",
                        f"INSERT INTO {table} SELECT seq, 0, CONCAT('row ',seq) FROM seq_1_to_20000", database=schema)
    task = Task(fresh_server, mariadb, unique("rkill"), schema)
    task.start()
    writers = [Writer(mariadb, churn(schema, tables, i)) for i in range(2)]
    try:
        for _ in range(KILLS):
            wait_until(lambda: task.describe()["Status"] == "running", 30)
            reload(task, *rng.sample(tables, rng.randint(1, 2)))
            if rng.random() < 0.3:
                time.sleep(rng.uniform(0, 0.1))
                reload(task, rng.choice(tables))
            time.sleep(rng.uniform(0, 0.5))
            fresh_server.kill()
            fresh_server.start()
        reload(task, "a")
        wait_until(lambda: task.statistics("a")["TableState"] == "Table completed", 60)
    finally:
        for w in writers:
            w.finish()
    task.caught_up(120)
    assert task.describe()["Status"] == "running"
    for table in tables:
        state = strict_replay(task, table)
        assert sorted(state.values()) == sorted(dms_text.source_rows(mariadb, schema, table)), table
        assert task.statistics(table)["TableState"] == "Table completed"
