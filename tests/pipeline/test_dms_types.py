"""Every type prints the same in a load and as a change, and as the documents say."""

import pytest

from tests.support import dms_text
from tests.support.dms import Task, tasks

COLUMNS = """
 id INT PRIMARY KEY, i1 TINYINT, i1u TINYINT UNSIGNED, i2 SMALLINT, i3 MEDIUMINT, i3u MEDIUMINT UNSIGNED,
 i4u INT UNSIGNED ZEROFILL, i8 BIGINT, i8u BIGINT UNSIGNED, b BOOL, dec1 DECIMAL(20,6), dec2 DECIMAL(5,0),
 f FLOAT, d DOUBLE, bit1 BIT(1), bit12 BIT(12), bit64 BIT(64), dt DATE, t0 TIME, t3 TIME(3), dt0 DATETIME,
 dt3 DATETIME(3), dt6 DATETIME(6), ts0 TIMESTAMP NULL, ts2 TIMESTAMP(2) NULL, y YEAR, c CHAR(10),
 v VARCHAR(50), vl VARCHAR(20) CHARACTER SET latin1, tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT,
 bin BINARY(6), vb VARBINARY(20), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, e ENUM('a','b,c','d"e'),
 s SET('x','y','z'), j JSON, g POINT
"""
ROWS = [
    "(1,-128,255,-32768,-8388608,16777215,42,-9223372036854775808,18446744073709551615,TRUE,-12345.678900,99999,"
    "9.8,21804.858478453007,b'1',b'101010111100',0xFFEEDDCCBBAA9988,'2024-02-29','-838:59:59','-00:00:01.5',"
    "'2024-01-02 03:04:05','2024-01-02 03:04:05.678','2024-01-02 03:04:05.678901','2024-06-01 12:00:00',"
    "'2024-06-01 12:00:00.25',2024,'ch','quote \" and, comma','caf\u00e9','t','two\\nlines','m\u00e4\u20ac\U0001f600','l',"
    "'ab',X'00FF',X'01',X'',X'DEADBEEF','b,c','x,z','{\"a\": [1, 2]}',ST_GeomFromText('POINT(1 2)'))",
    "(2" + ",NULL" * 41 + ")",
    "(3,0,0,0,0,0,0,0,0,FALSE,0,0,0,0,b'0',b'0',b'0','1000-01-01','00:00:00','838:59:59.999','9999-12-31 23:59:59',"
    "'1970-01-01 00:00:00','1970-01-01 00:00:00.000001','1970-01-01 00:00:01','2038-01-19 03:14:07.99',1901,'','','',"
    "'','','','','','','','','','a','','[]',ST_GeomFromText('POINT(0 0)'))",
    "(4,1,1,1,1,1,1,1,1,1,0.000001,-7,1e-30,-1.7976931348623157e308,b'1',b'1',b'1','2024-01-01','12:30:00','00:00:00.001',"
    "'2024-12-31 00:00:00','2024-12-31 00:00:00.1','2024-12-31 00:00:00.1','2024-12-31 00:00:00','2024-12-31 00:00:00',"
    "2155,'  lead','trail  ','\\'s \\\\','\\t','\\r\\n',',','\"','ab\\0cd',' ','\\0','x','y','d\"e','x,y,z','null',NULL)",
]


@pytest.fixture
def task(server, mariadb, schema, unique):
    with tasks(lambda **more: Task(server, mariadb, unique("dms"), schema, **more)) as make:
        yield make


def utc(db, schema, *statements):
    db.execute("SET time_zone='+00:00'", *statements, database=schema)


def test_load_and_changes_print_alike(task, mariadb, schema):
    utc(mariadb, schema, f"CREATE TABLE t ({COLUMNS}) CHARACTER SET utf8mb4", *(f"INSERT INTO t VALUES {r}" for r in ROWS))
    t = task()
    t.start()
    t.caught_up()
    load = t.text("t", "LOAD00000001.csv")
    for got, want in zip(sorted(dms_text.read_csv(load)), sorted(dms_text.source_rows(mariadb, schema, "t")), strict=True):
        assert [pair for pair in zip(got, want, strict=True) if pair[0] != pair[1]] == []
    utc(mariadb, schema, "DELETE FROM t", *(f"INSERT INTO t VALUES {r}" for r in ROWS))
    t.caught_up()
    inserts = [line for line in dms_text.read_csv(t.change_text("t")) if line[0] == "I"]
    assert [r[1:] for r in inserts] == dms_text.read_csv(load)
    deletes = [line for line in dms_text.read_csv(t.change_text("t")) if line[0] == "D"]
    assert sorted(r[1:] for r in deletes) == sorted(dms_text.read_csv(load))


def test_zero_dates_are_empty(task, mariadb, schema):
    utc(mariadb, schema, "SET sql_mode=''", "CREATE TABLE t (id INT PRIMARY KEY, d DATE, dt DATETIME, ts TIMESTAMP NULL, y YEAR)",
        "INSERT INTO t VALUES (1,'0000-00-00','0000-00-00 00:00:00','0000-00-00 00:00:00',0)")
    t = task()
    t.start()
    utc(mariadb, schema, "UPDATE t SET id=2")
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == "1,,,,0\n"
    assert t.change_text("t") == "U,2,,,,0\n"


def test_large_objects_are_cut(task, mariadb, schema):
    utc(mariadb, schema, "CREATE TABLE t (id INT PRIMARY KEY, a LONGTEXT, b LONGBLOB, c TEXT)",
        "INSERT INTO t VALUES (1,REPEAT('\u00e4',1000),REPEAT(X'01',3000),REPEAT('x',3000))")
    t = task(settings={"TargetMetadata": {"LobMaxSize": 1}})
    t.start()
    utc(mariadb, schema, "UPDATE t SET id=2")
    t.caught_up()
    row = f"{'ä' * 512},{'01' * 1024},{'x' * 3000}\n"
    assert t.text("t", "LOAD00000001.csv") == "1," + row
    assert t.change_text("t") == "U,2," + row
    none = task(settings={"TargetMetadata": {"SupportLobs": False}}, migration="full-load")
    none.start()
    none.until("stopped")
    assert none.text("t", "LOAD00000001.csv") == f"2,{'x' * 3000}\n"


def test_names_that_need_care(task, mariadb, schema):
    utc(mariadb, schema, "CREATE TABLE `we``ird, \u00e4 Name` (`i d` INT PRIMARY KEY, `a,\"b` INT)",
        "INSERT INTO `we``ird, \u00e4 Name` VALUES (1,2)")
    t = task(s3=dict(AddColumnName=True))
    t.start()
    utc(mariadb, schema, "UPDATE `we``ird, \u00e4 Name` SET `a,\"b`=3")
    t.caught_up()
    assert t.text("we`ird, \u00e4 Name", "LOAD00000001.csv") == 'i d,"a,""b"\n1,2\n'
    assert t.change_text("we`ird, \u00e4 Name") == 'Op,i d,"a,""b"\nU,1,3\n'


def test_tables_without_a_key_and_generated_columns(task, mariadb, schema):
    utc(mariadb, schema, "CREATE TABLE t (a INT, st INT AS (a+1) STORED, vi INT AS (a*2) VIRTUAL, h INT INVISIBLE DEFAULT 9)",
        "INSERT INTO t(a) VALUES (1),(1)")
    t = task()
    t.start()
    utc(mariadb, schema, "UPDATE t SET a=2 LIMIT 1", "DELETE FROM t WHERE a=1")
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == "1,2,2,9\n1,2,2,9\n"
    assert t.change_text("t") == "U,2,3,4,9\nD,1,2,2,9\n"


CHARSETS = {"latin1": "é€ÿ", "latin2": "čŽ", "cp1251": "жЯ", "koi8r": "жЯ", "greek": "αΩ", "ucs2": "é漢", "utf16": "漢😀", "utf32": "漢😀",
            "gbk": "漢字", "big5": "漢字", "sjis": "カ字", "ujis": "カ字", "euckr": "한글", "utf8mb3": "é漢", "utf8mb4": "漢😀", "ascii": "abc"}


def test_character_sets_become_utf8(task, mariadb, schema):
    columns = ", ".join(f"c_{name} CHAR(9) CHARACTER SET {name}, t_{name} TEXT CHARACTER SET {name},"
                        f" e_{name} ENUM('{text[0]}','x') CHARACTER SET {name}" for name, text in CHARSETS.items())
    row = ", ".join(f"'{text}', '{text * 40}', '{text[0]}'" for text in CHARSETS.values())
    mariadb.execute(f"CREATE TABLE t (id INT PRIMARY KEY, {columns})", f"INSERT INTO t VALUES (1, {row})", database=schema)
    t = task()
    t.start()
    mariadb.execute("UPDATE t SET id=2", database=schema)
    t.caught_up()
    want = [x for text in CHARSETS.values() for x in (text, text * 40, text[0])]
    [load], [change] = dms_text.read_csv(t.text("t", "LOAD00000001.csv")), dms_text.read_csv(t.change_text("t"))
    assert [p for p in zip(load[1:], want, strict=True) if p[0] != p[1]] == []
    assert [p for p in zip(change[2:], want, strict=True) if p[0] != p[1]] == []


@pytest.mark.parametrize("sql,low,high", [
    ("TINYINT UNSIGNED", 0, 255), ("SMALLINT UNSIGNED", 0, 65535), ("MEDIUMINT UNSIGNED", 0, 2**24 - 1), ("INT UNSIGNED", 0, 2**32 - 1),
    ("BIGINT UNSIGNED", 0, 2**64 - 1), ("BIGINT", -2**63, 2**63 - 1), ("DECIMAL(65,0)", -10**65 + 1, 10**65 - 1),
    ("DECIMAL(65,30) UNSIGNED", "0." + "0" * 30, "9" * 35 + "." + "9" * 30),
])
def test_numbers_at_their_ends(task, mariadb, schema, sql, low, high):
    mariadb.execute(f"CREATE TABLE t (id INT PRIMARY KEY, v {sql})", f"INSERT INTO t VALUES (1,{low}),(2,{high}),(3,NULL)", database=schema)
    t = task()
    t.start()
    mariadb.execute("UPDATE t SET id=id+10", database=schema)
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == f"1,{low}\n2,{high}\n3,\n"
    assert sorted(t.change_text("t").splitlines()) == [f"U,11,{low}", f"U,12,{high}", "U,13,"]
