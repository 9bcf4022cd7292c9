"""Full load and change capture into CSV objects, as a user sees them."""

import re

import pytest

from tests.support.dms import Task, tasks


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda **more: Task(server, mariadb, unique("dms"), schema, **more)) as make:
        yield make


def test_full_load_prints_the_documented_row(task, mariadb, schema):
    mariadb.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20), amt DECIMAL(10,2), d DATE, f DOUBLE, ts TIMESTAMP NULL)",
        "SET time_zone='+00:00'",
        "INSERT INTO t VALUES (1,'Al',12.5,'2024-01-02',1.5,'2024-01-02 03:04:05'),"
        " (2,NULL,12.5,'2024-01-02',0,NULL), (3,'a,\"b\"',-0.5,NULL,-2.5e-9,NULL)",
        database=schema)
    t = task(migration="full-load")
    t.start()
    shown = t.until("stopped")
    assert shown["StopReason"] == "Stop Reason FULL_LOAD_ONLY_FINISHED"
    assert t.keys("t") == ["LOAD00000001.csv"]
    assert t.text("t", "LOAD00000001.csv") == (
        "1,Al,12.50,2024-01-02,+1.5000000000000000e+00,2024-01-02 03:04:05\n"
        "2,,12.50,2024-01-02,+0.0000000000000000e+00,\n"
        '3,"a,""b""",-0.50,,-2.5000000000000001e-09,\n')
    stats = shown["ReplicationTaskStats"]
    assert stats["FullLoadProgressPercent"] == 100 and stats["TablesLoaded"] == 1
    assert t.statistics("t")["FullLoadRows"] == 3
    assert t.statistics("t")["TableState"] == "Table completed"


def test_changes_follow_the_load(task, mariadb, schema):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO t VALUES (1,'one')",
                    database=schema)
    t = task()
    t.start()
    mariadb.execute("INSERT INTO t VALUES (2,'two')", "UPDATE t SET v='ONE' WHERE id=1", "DELETE FROM t WHERE id=2",
                    "UPDATE t SET id=7 WHERE id=1", database=schema)
    t.caught_up()
    assert t.loads("t") == ["LOAD00000001.csv"]
    assert t.change_text("t") == "I,2,two\nU,1,ONE\nD,2,two\nU,7,ONE\n"
    assert all(re.fullmatch(r"\d{8}-\d{9}\.csv", k) for k in t.changes("t"))
    stats = t.statistics("t")
    assert (stats["Inserts"], stats["Updates"], stats["Deletes"]) == (1, 2, 1)
    assert t.describe()["RecoveryCheckpoint"].startswith("checkpoint:V1#")
