"""What MySQLSettings of the source endpoint do to a real task."""

import pytest

from tests.support.dms import Task, tasks
from tests.support.wait import wait_until


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda **more: Task(server, mariadb, unique("mysqlset"), schema, **more)) as make:
        yield make


@pytest.fixture
def sql(mariadb, schema):
    return lambda *statements: mariadb.execute("SET time_zone='+00:00'", *statements, database=schema)


ZONED = ("CREATE TABLE z (id INT PRIMARY KEY, ts TIMESTAMP(3) NULL, dt DATETIME(3), k TIMESTAMP NULL)",
         "INSERT INTO z VALUES (1,'2026-07-01 23:00:00.5','2026-07-01 23:00:00.5','2026-01-01 23:00:00')",
         "INSERT INTO z VALUES (2,NULL,NULL,NULL)")


@pytest.mark.parametrize("settings,rows", [
    ({}, "1,2026-07-01 23:00:00.500,2026-07-01 23:00:00.500,2026-01-01 23:00:00\n2,,,\n"),
    (dict(ServerTimezone="UTC"), "1,2026-07-01 23:00:00.500,2026-07-01 23:00:00.500,2026-01-01 23:00:00\n2,,,\n"),
    (dict(ServerTimezone="Europe/Berlin"), "1,2026-07-02 01:00:00.500,2026-07-01 23:00:00.500,2026-01-02 00:00:00\n2,,,\n"),
    (dict(ServerTimezone="America/St_Johns"), "1,2026-07-01 20:30:00.500,2026-07-01 23:00:00.500,2026-01-01 19:30:00\n2,,,\n"),
])
def test_server_timezone(task, sql, settings, rows):
    """TIMESTAMP is printed as that zone's clock shows it, the same by load and by change."""
    sql(*ZONED)
    t = task(source=dict(MySQLSettings=settings), s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    sql("DELETE FROM z", *ZONED[1:])
    t.caught_up()
    assert t.text("z", "LOAD00000001.csv") == rows
    lines = t.change_text("z").splitlines()
    assert lines[2:] == ["I," + row for row in rows.splitlines()]
    assert lines[:2] == ["D," + row for row in rows.splitlines()]


def test_server_timezone_as_attribute(task, sql):
    sql(*ZONED)
    t = task(migration="full-load", source=dict(ExtraConnectionAttributes="serverTimezone=Asia/Tokyo"))
    t.start()
    t.until("stopped")
    assert t.text("z", "LOAD00000001.csv").startswith("1,2026-07-02 08:00:00.500,2026-07-01 23:00:00.500,2026-01-02 08:00:00\n")


def test_after_connect_script(task, sql, mariadb, schema):
    """Runs on each connection; what fails in it, or what it sets, harms nothing."""
    sql(*ZONED, "CREATE TABLE w (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET utf8mb4)", "INSERT INTO w VALUES (1,'ä;€')",
        f"CREATE DATABASE `{schema}_log`", f"CREATE TABLE `{schema}_log`.seen (id BIGINT, txt VARCHAR(40))")
    script = (f"INSERT INTO `{schema}_log`.seen VALUES (CONNECTION_ID(), 'semi;colon'); NO SUCH STATEMENT;"
              "/* a; comment */ SET time_zone='+05:00'; SET NAMES latin1; -- the end; really\nSET autocommit=0;"
              f"SET sql_mode='PAD_CHAR_TO_FULL_LENGTH'; INSERT INTO `{schema}_log`.seen VALUES (CONNECTION_ID(), 'last')")
    t = task(source=dict(MySQLSettings=dict(AfterConnectScript=script)))
    t.start()
    sql("UPDATE z SET id=3 WHERE id=1", "INSERT INTO w VALUES (2,'ü')")
    t.caught_up()
    assert t.text("z", "LOAD00000001.csv").startswith("1,2026-07-01 23:00:00.500,")
    assert t.text("w", "LOAD00000001.csv") == "1,ä;€\n" and t.change_text("w") == "I,2,ü\n"
    seen = mariadb.query("SELECT txt, COUNT(DISTINCT id) FROM seen GROUP BY txt ORDER BY txt", database=f"{schema}_log")
    assert [s[0] for s in seen] == ["last", "semi;colon"] and seen[0][1] == seen[1][1] >= 3


@pytest.mark.parametrize("clean", [False, True])
def test_clean_source_metadata_on_mismatch(task, sql, clean):
    """A column that appears without a statement in the log: in error, or read again."""
    sql("CREATE TABLE c (id INT PRIMARY KEY, v VARCHAR(9))", "INSERT INTO c VALUES (1,'a')")
    t = task(source=dict(MySQLSettings=dict(CleanSourceMetadataOnMismatch=clean)), s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO c VALUES (2,'b')", "SET sql_log_bin=0", "ALTER TABLE c ADD n INT DEFAULT 7", "SET sql_log_bin=1",
        "BEGIN", "INSERT INTO c VALUES (3,'c',8)", "UPDATE c SET v='d' WHERE id=1", "COMMIT", "DELETE FROM c WHERE id=2")
    t.caught_up()
    if clean:
        assert t.statistics("c")["TableState"] == "Table completed"
        assert t.change_text("c") == "I,2,b\nI,3,c,8\nU,1,d,7\nD,2,b,7\n"
    else:
        assert t.statistics("c")["TableState"] == "Table error"
        assert t.change_text("c") == "I,2,b\n"


def test_execute_timeout_ends_a_statement(task, sql, mariadb, schema):
    """A load whose read lasts longer is tried again; without the lock it goes through."""
    sql("CREATE TABLE c (id INT PRIMARY KEY, v VARCHAR(9))", "INSERT INTO c VALUES (1,'a')")
    t = task(migration="full-load", source=dict(MySQLSettings=dict(ExecuteTimeout=1)),
             settings={"Logging": {"EnableLogging": True}})
    logs = t.server.client("logs")

    def lines():
        group = f"dms-tasks-{t.name}-rep"
        return [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]]

    with mariadb.connect(schema, autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLES c WRITE")
        t.start(wait=False)
        wait_until(lambda: any("Trying again" in line for line in lines()), 30, "the timeout")
        cursor.execute("UNLOCK TABLES")
    t.until("stopped")
    assert t.text("c", "LOAD00000001.csv") == "1,a\n"


@pytest.mark.parametrize("attributes,state,changes", [
    ("", "Table error", "I,2\n"), ("skipTableSuspensionForPartitionDdl=false", "Table error", "I,2\n"),
    ("skipTableSuspensionForPartitionDdl=true", "Table completed", "I,2\nI,25\nD,1\n"),
])
def test_partition_statements(task, sql, attributes, state, changes):
    sql("CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))",
        "INSERT INTO p VALUES (1)")
    t = task(source=dict(ExtraConnectionAttributes=attributes), s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    sql("INSERT INTO p VALUES (2)", "ALTER TABLE p ADD PARTITION (PARTITION p1 VALUES LESS THAN (30))",
        "INSERT INTO p VALUES (25)", "DELETE FROM p WHERE id=1")
    t.caught_up()
    assert t.statistics("p")["TableState"] == state and t.statistics("p")["Ddls"] == 1
    assert t.change_text("p") == changes
