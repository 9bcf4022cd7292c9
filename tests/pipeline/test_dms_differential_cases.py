"""What the differential test has found, one by one."""

import csv
import io

import pymysql
import pytest

from tests.support import dms_text
from tests.support.dms import QuickTask, selection

NOSUP = "<nosup>"


@pytest.fixture
def capture(server, mariadb, schema, unique):
    """capture("CREATE TABLE …", …) → a running task with headers, that has loaded them."""

    def make(*statements, **more):
        mariadb.execute(*statements, database=schema)
        more.setdefault("s3", dict(AddColumnName=True, UseCsvNoSupValue=True, CsvNoSupValue=NOSUP))
        made = QuickTask(server, mariadb, unique("case"), schema, **more)
        made.start()
        return made

    return make


def changes(task, table):
    """The lines of all change files in order, headers included."""
    task.caught_up()
    prefix = task.prefix(table)
    names = [n for n in dms_text.objects(task.s3, task.bucket, prefix) if "LOAD" not in n]
    return [line for n in names for line in csv.reader(io.StringIO(task.text(table, n[len(prefix):]), newline=""))]


def run_in(db, schema, charset, *statements):
    with pymysql.connect(host="127.0.0.1", port=db.port, user=db.user, password=db.password, database=schema,
                         charset=charset, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize("charset, name", [("latin1", "Größe"), ("sjis", "表示"), ("gbk", "漢字"), ("cp1251", "цена"), ("utf8mb4", "цена")])
def test_statements_in_the_client_s_character_set(capture, mariadb, schema, charset, name):
    """The log has a statement's bytes as they were sent. (表 ends with a backslash in Shift JIS.)"""
    task = capture("CREATE TABLE t (id INT PRIMARY KEY) CHARACTER SET utf8mb4")
    run_in(mariadb, schema, charset, f"ALTER TABLE t ADD `{name}` ENUM('{name}', 'x') COMMENT 'x, {name}'",
           f"CREATE TABLE `{name}` (id INT PRIMARY KEY, `{name}` INT)", "INSERT INTO t VALUES (1, 1)", f"INSERT INTO `{name}` VALUES (2, 3)",
           f"CREATE TABLE `s {name}` (`{name}` INT) SELECT 4 AS id", f"ALTER TABLE t DROP `{name}`")
    assert changes(task, "t") == [["Op", "id", name], ["I", "1", name]]
    assert changes(task, name) == [["Op", "id", name], ["I", "2", "3"]]
    assert changes(task, f"s {name}") == [["Op", name, "id"], ["I", "", "4"]]
    task.delete()


def test_backslashes_that_escape_nothing(capture, mariadb, schema):
    task = capture("CREATE TABLE t (id INT PRIMARY KEY)")
    run_in(mariadb, schema, "utf8mb4", "SET sql_mode='NO_BACKSLASH_ESCAPES'",
           "ALTER TABLE t ADD a INT COMMENT '\\', ADD b VARCHAR(9) COMMENT 'x'", "INSERT INTO t VALUES (1, 2, 'x')", "ALTER TABLE t DROP a")
    assert changes(task, "t") == [["Op", "id", "a", "b"], ["I", "1", "2", "x"]]
    task.delete()


def test_labels_that_the_server_does_not_show(capture, mariadb, schema):
    """information_schema says '?' for what is outside of the basic plane."""
    labels = ",".join(f"'l{i}'" for i in range(12))
    task = capture(f"CREATE TABLE t (id INT PRIMARY KEY, e ENUM('?','😀','a') CHARACTER SET utf16, s SET({labels},'x🎈','?')"
                   " CHARACTER SET utf8mb4)", "INSERT INTO t VALUES (1, '😀', 'x🎈')")
    run_in(mariadb, schema, "utf8mb4", "INSERT INTO t VALUES (2, '😀', 'l0,x🎈,?'), (3, '?', 'l11')",
           "ALTER TABLE t ADD f INT", "INSERT INTO t VALUES (4, '😀', 'x🎈', 1)")
    assert dms_text.read_csv(task.text("t", task.loads("t")[0]))[1] == ("1", "😀", "x🎈")
    assert [row[2:4] for row in changes(task, "t") if row[0] == "I"] == [["😀", "l0,x🎈,?"], ["?", "l11"], ["😀", "x🎈"]]
    task.delete()


def test_labels_in_what_the_log_has_of_create_select(capture, mariadb, schema):
    """The server logs the table as it shows it, with '?' in labels: they are those that the table has."""
    labels = "e ENUM('?','😀','a?','x🎈') CHARACTER SET utf16, s SET('?','b','x🎈y') CHARACTER SET utf8mb4"
    task = capture("CREATE TABLE t (id INT PRIMARY KEY)")
    run_in(mariadb, schema, "utf8mb4", f"CREATE TABLE made (id INT PRIMARY KEY, {labels}) SELECT 1 AS id, '😀' AS e, '?,x🎈y' AS s",
           "INSERT INTO made VALUES (2, 'x🎈', 'b'), (3, 'a?', '?')")
    assert [row for row in changes(task, "made") if row[0] == "I"] == [
        ["I", "1", "😀", "?,x🎈y"], ["I", "2", "x🎈", "b"], ["I", "3", "a?", "?"]]
    task.stop()  # until it has been altered since
    run_in(mariadb, schema, "utf8mb4", f"CREATE TABLE more (id INT PRIMARY KEY, {labels}) SELECT 1 AS id, '😀' AS e, 'b' AS s",
           "ALTER TABLE more RENAME COLUMN e TO f, ADD n INT DEFAULT 5 FIRST", "INSERT INTO more VALUES (6, 2, '?', 'x🎈y')")
    task.start("resume-processing")
    assert [row for row in changes(task, "more") if row[0] == "I"] == [["I", "1", "😀", "b"], ["I", "2", "?", "x🎈y", "6"]]
    task.delete()


def test_places_of_columns(capture, mariadb, schema):
    """A renamed column stays where it is, a new one comes last; another table of the name has its own."""
    task = capture("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c INT)")
    run_in(mariadb, schema, "utf8mb4", "ALTER TABLE t CHANGE a x INT, ADD n INT FIRST", "INSERT INTO t VALUES (0, 1, 2, 3, 4)",
           "ALTER TABLE t RENAME COLUMN b TO c, RENAME COLUMN c TO b", "INSERT INTO t VALUES (0, 2, 2, 3, 4)",
           "ALTER TABLE t DROP b, ADD b INT AFTER n", "INSERT INTO t VALUES (0, 9, 3, 2, 3)",
           "DROP TABLE t", "CREATE TABLE t (n INT, b INT, id INT PRIMARY KEY)", "INSERT INTO t VALUES (5, 6, 7)")
    assert changes(task, "t") == [
        ["Op", "id", "x", "b", "c", "n"], ["I", "1", "2", "3", "4", "0"],
        ["Op", "id", "x", "c", "b", "n"], ["I", "2", "2", "3", "4", "0"],
        ["Op", "id", "x", "c", "n", "b"], ["I", "3", "2", "3", "0", "9"],
        ["Op", "n", "b", "id"], ["I", "5", "6", "7"]]
    task.delete()


def test_a_before_image_without_a_value(capture, mariadb, schema):
    """What the log lacks is no NULL."""
    before = {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column",
              "object-locator": {"schema-name": "%", "table-name": "%"}, "rule-action": "add-before-image-columns",
              "before-image-def": {"column-prefix": "BI_", "column-filter": "all"}}
    task = capture("CREATE TABLE t (id INT PRIMARY KEY, a INT, b TEXT)", "INSERT INTO t VALUES (1, 2, 'x')",
                   rules=[selection(schema), before])
    run_in(mariadb, schema, "utf8mb4", "SET binlog_row_image=MINIMAL", "UPDATE t SET id=5, b=NULL")
    assert changes(task, "t")[1] == ["U", "5", NOSUP, "", "1", NOSUP, NOSUP]
    task.delete()
