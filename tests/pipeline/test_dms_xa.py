"""XA transactions: their rows are in the log when they are prepared, and count when they are committed,
maybe much later. CISTERN_XA_ROWS=n: rows of the large one."""

import os
import random
import time
import urllib.request

import pymysql
import pytest

from tests.support import dms_text
from tests.support.dms import QuickTask, kill_at_random, tasks, two_rows
from tests.support.mariadb import MariaDB, writing
from tests.support.wait import wait_until

LARGE = int(os.environ.get("CISTERN_XA_ROWS", "200000"))
KILLS = int(os.environ.get("CISTERN_KILLS", "8"))


@pytest.fixture(scope="module")
def db():
    made = MariaDB("--innodb-flush-log-at-trx-commit=1")
    yield made
    made.close()


@pytest.fixture
def table(db, unique):
    with two_rows(db, unique("xa")) as name:
        yield name
        for [_, n, _, data] in db.query("XA RECOVER"):
            db.execute(f"XA ROLLBACK '{data[:n].decode()}'")


@pytest.fixture
def task(server, db, table, unique):
    with tasks(lambda on=server, **more: QuickTask(on, db, unique("xa"), table, **more)) as make:
        yield make


@pytest.fixture
def xid(unique):
    return unique("x")


def prepare(db, schema, xid, *statements):
    """In a session of its own, which ends: the transaction stays prepared."""
    db.execute(f"XA START '{xid}'", *statements, f"XA END '{xid}'", f"XA PREPARE '{xid}'", database=schema)


def status(server):
    with urllib.request.urlopen(server.endpoint + "/_cistern/status") as answer:
        return answer.read().decode()


def positions(task):
    text = task.describe()["RecoveryCheckpoint"].split("#")[2].split(":")
    return int(text[0].rsplit(".", 1)[1]), int(text[1])


def test_rows_come_with_the_commit(task, db, table, xid):
    t = task()
    t.start()
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')", "UPDATE t SET v='xa' WHERE id=1")
    db.execute("INSERT INTO t VALUES (4,'plain')", database=table)
    t.caught_up()
    assert t.change_text("t") == "I,4,plain\n"
    db.execute(f"XA COMMIT '{xid}'")
    t.caught_up()
    assert t.change_text("t") == "I,4,plain\nI,3,xa\nU,1,xa\n"
    t.assert_equal("t")


def test_what_is_rolled_back_never_comes(task, db, table, xid):
    t = task()
    t.start()
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')", "DELETE FROM t WHERE id=1")
    db.execute(f"XA ROLLBACK '{xid}'")
    db.execute(f"XA START '{xid}'", "INSERT INTO t VALUES (3,'never')", f"XA END '{xid}'", f"XA ROLLBACK '{xid}'",
               "INSERT INTO t VALUES (4,'y')", database=table)
    t.caught_up()
    assert t.change_text("t") == "I,4,y\n"


def test_one_phase_savepoints_and_names_of_all_parts(task, db, table, xid):
    t = task()
    t.start()
    db.execute(f"XA START '{xid}'", "INSERT INTO t VALUES (3,'x')", f"XA END '{xid}'", f"XA COMMIT '{xid}' ONE PHASE",
               f"XA START '{xid}',X'00FF27',2147483647", "INSERT INTO t VALUES (4,'y')", "SAVEPOINT s",
               "INSERT INTO t VALUES (5,'gone')", "ROLLBACK TO SAVEPOINT s", f"XA END '{xid}',X'00FF27',2147483647",
               f"XA PREPARE '{xid}',X'00FF27',2147483647", f"XA COMMIT '{xid}',X'00FF27',2147483647",
               f"XA START 'r','{xid}'", "SELECT * FROM t", f"XA END 'r','{xid}'", f"XA PREPARE 'r','{xid}'", f"XA COMMIT 'r','{xid}'",
               database=table)
    t.caught_up()
    assert t.change_text("t") == "I,3,x\nI,4,y\n"


def test_a_load_without_the_right_to_lock_is_told_of(task, db, table, xid, unique):
    """Only a lock waits until MariaDB shows what an XA COMMIT has put into the log."""
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')")
    db.execute(f"XA COMMIT '{xid}'")
    user = unique("xa").replace("-", "_")
    db.root(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw'",
            f"GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR, REPLICATION SLAVE ADMIN ON *.* TO {user}@'%'")
    t, exact = (task(settings={"Logging": {"EnableLogging": True}}, source=more)
                for more in (dict(Username=user, Password="pw"), {}))
    for each in (t, exact):
        each.start()
        each.assert_equal("t")
    [line] = [x for x in t.log().splitlines() if "]W:" in x]
    assert "SOURCE_UNLOAD" in line and f"may be missing from table '{table}'.'t'" in line
    assert "Grant RELOAD, or LOCK TABLES, to the user of the source endpoint" in line and "LOCK TABLES: " in line
    assert "may be missing" not in exact.log()


def test_a_stop_between_prepare_and_commit(task, db, table, xid):
    """The checkpoint stays where the transaction was prepared, until it has ended."""
    t = task()
    t.start()
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')")
    [before] = db.query("SHOW MASTER STATUS")
    for i in range(10, 15):
        db.execute(f"INSERT INTO t VALUES ({i},'p')", database=table)
    t.caught_up()
    t.stop()
    assert positions(t) < (int(before[0].rsplit(".", 1)[1]), before[1])
    db.root("FLUSH BINARY LOGS")
    db.execute(f"XA COMMIT '{xid}'", "INSERT INTO t VALUES (20,'q')", database=table)
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "".join(f"I,{i},p\n" for i in range(10, 15)) + "I,3,xa\nI,20,q\n"
    t.stop()
    [end] = db.query("SHOW MASTER STATUS")
    assert positions(t) == (int(end[0].rsplit(".", 1)[1]), end[1])


def test_overlapping_transactions_and_restarts(task, db, table, unique):
    t = task()
    t.start()
    a, b, c = (unique("x") for _ in range(3))
    prepare(db, table, a, "INSERT INTO t VALUES (10,'a')")
    prepare(db, table, b, "INSERT INTO t VALUES (11,'b')")
    t.stop()
    t.start("resume-processing")
    db.execute(f"XA COMMIT '{a}'")
    prepare(db, table, c, "INSERT INTO t VALUES (12,'c')")
    t.caught_up()
    t.stop()
    t.start("resume-processing")
    db.execute(f"XA COMMIT '{b}'")
    t.caught_up()
    t.stop()
    db.execute(f"XA ROLLBACK '{c}'", f"INSERT INTO {table}.t VALUES (13,'d')")
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "I,10,a\nI,11,b\nI,13,d\n"


def test_a_large_transaction_is_kept_on_disk(fresh_server, task, db, table, xid):
    def resident():
        with open(f"/proc/{fresh_server.process.pid}/statm") as f:
            return int(f.read().split()[1]) * 4096

    t = task(on=fresh_server)
    t.start()
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.caught_up()
    before = resident()
    prepare(db, table, xid, f"INSERT INTO t SELECT seq, REPEAT('x', 40) FROM seq_1001_to_{1000 + LARGE}",
            "UPDATE t SET v='u' WHERE id IN (1001,1007,2000)")
    db.execute("INSERT INTO t VALUES (4,'y')", database=table)
    t.caught_up()
    if "asan" not in os.environ.get("CISTERN_BINARY", ""):
        assert resident() - before < 24 << 20
    db.execute(f"XA COMMIT '{xid}'")
    t.caught_up(120)
    t.assert_equal("t")
    assert t.statistics("t")["Inserts"] == LARGE + 2


def test_the_load_waits_for_prepared_transactions(task, db, table, xid):
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')")
    t = task(settings={"Logging": {"EnableLogging": True}, "FullLoadSettings": {"TransactionConsistencyTimeout": 36000}})
    t.start(wait=False)
    wait_until(lambda: "waits for prepared XA" in status(t.server), 20, "the task telling that it waits")
    db.execute(f"XA COMMIT '{xid}'")
    wait_until(lambda: "FullLoadFinishDate" in t.describe().get("ReplicationTaskStats", {}), 30, "the load")
    db.execute("INSERT INTO t VALUES (4,'y')", database=table)
    t.caught_up()
    assert t.change_text("t") == "I,4,y\n"
    t.assert_equal("t")


@pytest.mark.parametrize("migration", ("full-load-and-cdc", "cdc"))
def test_one_that_is_prepared_meanwhile_is_not_waited_for(task, db, table, xid, migration):
    """Its rows are in the log that is read."""
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')")
    t = task(migration=migration, settings={"FullLoadSettings": {"TransactionConsistencyTimeout": 36000}})
    t.start(wait=False)
    wait_until(lambda: "waits for prepared XA" in status(t.server), 20, "the task telling that it waits")
    prepare(db, table, xid + "2", "INSERT INTO t VALUES (4,'later')")
    db.execute("INSERT INTO t VALUES (5,'y')", f"XA COMMIT '{xid}'", database=table)
    wait_until(lambda: "waits for prepared XA" not in status(t.server), 20, "the end of waiting")
    t.until("running")
    t.caught_up()
    db.execute(f"XA COMMIT '{xid}2'", f"INSERT INTO {table}.t VALUES (6,'z')")
    t.caught_up()
    assert t.change_text("t") == "I,4,later\nI,6,z\n"
    if t.loads("t"):
        t.assert_equal("t")


def test_one_that_stays_prepared_is_told_when_it_is_committed(task, db, table, xid):
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')")
    t = task(settings={"FullLoadSettings": {"TransactionConsistencyTimeout": 1}})
    t.start()
    db.execute("INSERT INTO t VALUES (4,'y')", database=table)
    t.caught_up()
    db.execute(f"XA COMMIT '{xid}'")
    text = t.until("failed")["LastFailureMessage"]
    assert xid.encode().hex() in text and "reload-target" in text and "IgnoreOpenXaTransactionsCheck" in text
    t.start("reload-target")
    db.execute("INSERT INTO t VALUES (5,'z')", database=table)
    t.caught_up()
    t.assert_equal("t")


def test_a_breach_fails_when_the_settings_say_so(task, db, table, xid):
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')")
    t = task(settings={"FullLoadSettings": {"TransactionConsistencyTimeout": 1},
                       "ErrorBehavior": {"FailOnTransactionConsistencyBreached": True}})
    t.start(wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert xid.encode().hex() in text and "XA RECOVER" in text and "TransactionConsistencyTimeout" in text


def test_open_transactions_can_be_ignored(task, db, table, xid):
    prepare(db, table, xid, "INSERT INTO t VALUES (3,'xa')")
    t = task(migration="cdc", source=dict(ExtraConnectionAttributes="IgnoreOpenXaTransactionsCheck=true"))
    t.start()
    db.execute(f"XA COMMIT '{xid}'", f"INSERT INTO {table}.t VALUES (4,'y')")
    t.caught_up()
    assert t.change_text("t") == "I,4,y\n"


def xa_churn(schema, seed):
    """Transactions of XA, some rolled back, some decided by another session after others."""
    rng = random.Random(seed)

    def work(connection, stop):
        number, waiting = 0, []
        with connection.cursor() as cursor:
            def change():
                dice = rng.random()
                if dice < 0.4:
                    cursor.execute(f"INSERT INTO {schema}.t VALUES ({1_000_000 * (seed + 1) + rng.getrandbits(19)}, 0, 'n')")
                elif dice < 0.9:
                    low = 4 * rng.randint(0, 200) + seed
                    cursor.execute(f"UPDATE {schema}.t SET ver=ver+1 WHERE id IN ({low},{low + 4},{low + 8})")
                else:
                    cursor.execute(f"DELETE FROM {schema}.t WHERE id={4 * rng.randint(1, 200) + seed}")

            while not stop.is_set() or waiting:
                number += 1
                name = f"'{schema}-{seed}-{number}'"
                try:
                    if not stop.is_set():
                        cursor.execute(f"XA START {name}")
                        change(), change()
                        cursor.execute(f"XA END {name}")
                        if rng.random() < 0.05:
                            cursor.execute(f"XA ROLLBACK {name}")
                        else:
                            cursor.execute(f"XA PREPARE {name}")
                            waiting.append(name)
                            if rng.random() < 0.3:  # gives it up: others go on, this one stays prepared
                                connection.close()
                                connection.connect()
                                cursor.connection = connection
                                time.sleep(rng.uniform(0, 0.05))
                    if waiting:
                        cursor.execute(f"XA {rng.choice(('COMMIT', 'COMMIT', 'ROLLBACK'))} {waiting[-1]}")
                        waiting.pop()
                except pymysql.Error as error:
                    assert error.args[0] in (1062, 1205, 1213, 1397, 1399, 1402, 1614), error
                    if error.args[0] == 1402:  # nothing was changed in it: it ended with its session
                        waiting.pop()
                    connection.close()
                    connection.connect()
                    cursor.connection = connection
                time.sleep(0.002)

    return work


def test_kills_between_prepare_and_commit(fresh_server, task, db, table, unique):
    """Loads and captures beside it, killed at random: nothing is lost or repeated."""
    seed = int(os.environ.get("CISTERN_SEED", random.randrange(1 << 30)))
    print(f"CISTERN_SEED={seed}")
    rng = random.Random(seed)
    db.execute(f"DROP TABLE {table}.t", f"CREATE TABLE {table}.t (id INT PRIMARY KEY, ver INT, txt VARCHAR(30))",
               f"INSERT INTO {table}.t SELECT seq, 0, 'row' FROM seq_1_to_900",
               database=table)
    with writing(db, *(xa_churn(table, i) for i in range(3))):
        t = task(on=fresh_server, s3=dict(CdcMaxBatchInterval=10))
        t.start()
        kill_at_random(t, rng, [0.5] * KILLS)
    t.caught_up(120)
    shown = t.describe()
    assert shown["Status"] == "running", shown.get("LastFailureMessage")
    state = {}
    for name in t.loads("t"):
        for row in dms_text.read_csv(t.text("t", name)):
            state[row[0]] = row
    for name in t.changes("t"):
        for op, *row in dms_text.read_csv(t.text("t", name)):
            old = state.get(row[0])
            assert (op == "I") == (old is None), f"{name}: {op} {row} of {old}"
            assert op != "U" or int(row[1]) == int(old[1]) + 1, f"{name}: {row} of {old}"
            if op == "D":
                del state[row[0]]
            else:
                state[row[0]] = tuple(row)
    assert sorted(state.values()) == sorted(dms_text.source_rows(db, table, "t"))
