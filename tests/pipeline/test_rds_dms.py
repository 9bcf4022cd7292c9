"""An RDS instance as the source of a DMS task, with what goes wrong between the two on AWS: binary log off,
its format, its retention, reboots and stops. MariaDB always, MySQL in the long target (CISTERN_MYSQL=all)."""

import pymysql
import pytest

from tests.support import mysql, rds
from tests.support.dms import QuickTask, selection
from tests.support.server import Server
from tests.support.wait import wait_until


class Instance:
    """An instance as the DMS helpers want their source; its client retries nothing."""

    user, password = "admin", rds.PASSWORD

    def __init__(self, server, engine, name, **more):
        self.rds, self.name = server.client("rds"), name
        self.shown = rds.make(self.rds, name, Engine=engine, DBName="shop", **more)
        self.flavour = engine

    @property
    def port(self):
        return self.shown["Endpoint"]["Port"]

    def connect(self, database=None, **more):
        return rds.connect(self.shown, database=database, charset="utf8mb4", **more)

    def execute(self, *statements, database="shop"):
        with self.connect(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def query(self, sql, args=None, database=None):
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql, args)
            return list(cursor.fetchall())

    def wait(self, state="available"):
        self.shown = rds.wait_for(self.rds, self.name, state)

    def reboot(self):
        self.rds.reboot_db_instance(DBInstanceIdentifier=self.name)
        self.wait()

    def last_log(self):
        return self.query("SHOW BINARY LOGS")[-1][0]


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def site(request):
    """(server, engine): its five minutes between two looks at old binary logs are a second."""
    program = mysql.program() if request.param == "mysql" else None
    if request.param == "mysql" and not program:
        pytest.skip("MySQL belongs to the long target: CISTERN_MYSQL=all")
    server = Server("--clock-scale", "300", *(["--mysqld", program] if program else []))
    yield server, request.param
    server.close()


@pytest.fixture
def group(site, unique):
    """A parameter group of the engine, empty."""
    server, engine = site
    client, name = server.client("rds"), unique("pg")
    family = client.describe_db_engine_versions(Engine=engine)["DBEngineVersions"][0]["DBParameterGroupFamily"]
    client.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description="cdc")
    return name


@pytest.fixture
def instance(site, unique):
    server, engine = site
    made = []

    def make(**more):
        made.append(Instance(server, engine, unique("db"), **more))
        return made[-1]

    yield make
    for i in made:
        i.rds.delete_db_instance(DBInstanceIdentifier=i.name, SkipFinalSnapshot=True)


@pytest.fixture
def task(site, unique):
    server, engine = site
    made = []

    def make(db, user=None, **more):
        source = {"Username": user or db.user, "Password": db.password}
        made.append(QuickTask(server, db, unique("rd"), "shop", source=source, rules=[selection("shop")], **more))
        return made[-1]

    yield make
    for t in made:
        t.delete()


def test_parameter_group_load_changes_reboot_and_stop(site, group, instance, task):
    server, _ = site
    client = server.client("rds")
    rds.set_parameters(client, group, binlog_format="STATEMENT")
    db = instance(BackupRetentionPeriod=1, DBParameterGroupName=group)
    db.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO t VALUES (1,'one'),(2,NULL)",
               "CALL mysql.rds_set_configuration('binlog retention hours', 24)")  # else a reboot loses them
    t = task(db)
    t.start(wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "binlog_format must be ROW, it is STATEMENT" in text
    assert all(remedy in text for remedy in ("parameter group", "reboot", "my.cnf")), text

    # a value that waits for the reboot isn't there before it
    rds.set_parameters(client, group, "pending-reboot", binlog_format="ROW")
    assert rds.describe(client, db.name)["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    t.start("reload-target", wait=False)
    assert "it is STATEMENT" in t.until("failed")["LastFailureMessage"]
    db.reboot()
    assert rds.variable(db.shown, "binlog_format") == "ROW"
    t.start("reload-target")
    assert t.text("t", "LOAD00000001.csv") == "1,one\n2,\n"
    db.execute("INSERT INTO t VALUES (3,'three')", "UPDATE t SET v='uno' WHERE id=1", "DELETE FROM t WHERE id=2")
    t.caught_up()
    assert t.change_text("t") == "I,3,three\nU,1,uno\nD,2,\n"

    db.reboot()  # while changes are captured
    db.execute("INSERT INTO t VALUES (4,'after the reboot')")
    t.caught_up()
    t.assert_equal("t")
    assert t.describe()["Status"] == "running"

    client.stop_db_instance(DBInstanceIdentifier=db.name)
    db.wait("stopped")
    with pytest.raises(pymysql.err.OperationalError):
        db.query("SELECT 1")
    client.start_db_instance(DBInstanceIdentifier=db.name)
    db.wait()
    db.execute("INSERT INTO t VALUES (5,'after the stop')")
    t.caught_up()
    t.assert_equal("t")
    assert t.change_text("t").endswith("I,4,after the reboot\nI,5,after the stop\n")
    assert t.describe()["Status"] == "running"


def test_without_backups_there_is_no_change_capture(site, group, instance, task):
    server, _ = site
    rds.set_parameters(server.client("rds"), group, binlog_format="ROW")
    db = instance(BackupRetentionPeriod=0, DBParameterGroupName=group)
    db.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(db)
    t.start(wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "BackupRetentionPeriod" in text and "my.cnf" in text
    db.rds.modify_db_instance(DBInstanceIdentifier=db.name, BackupRetentionPeriod=1, ApplyImmediately=True)
    db.wait()
    t.start("reload-target")
    db.execute("INSERT INTO t VALUES (2)")
    t.caught_up()
    t.assert_equal("t")


def refusal(t):
    """The reason why the source can't be reached; None when it can."""
    t.dms.test_connection(ReplicationInstanceArn=t.instance, EndpointArn=t.source)

    def end():
        [shown] = t.dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [t.source]}])["Connections"]
        return shown if shown["Status"] != "testing" else None

    return wait_until(end, 30, "the connection being tested").get("LastFailureMessage")


def test_logins_and_rights_that_are_missing(site, group, instance, task):
    server, engine = site
    rds.set_parameters(server.client("rds"), group, binlog_format="ROW")
    db = instance(DBParameterGroupName=group)
    db.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)",
               f"CREATE USER moves@'%' IDENTIFIED BY '{rds.PASSWORD}'", "GRANT SELECT ON shop.* TO moves@'%'")
    t = task(db, user="moves")
    t.dms.modify_endpoint(EndpointArn=t.source, Password="another-Pw2")
    assert "Access denied" in refusal(t)
    t.dms.modify_endpoint(EndpointArn=t.source, Password=rds.PASSWORD)
    assert not refusal(t)
    t.start(wait=False)
    assert "GRANT REPLICATION SLAVE" in t.until("failed")["LastFailureMessage"]
    db.execute("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO moves@'%'")  # the master user may
    if engine == "mysql":
        t.start("reload-target", wait=False)
        assert "LOCK TABLES" in t.until("failed")["LastFailureMessage"]
        db.execute("GRANT LOCK TABLES ON shop.* TO moves@'%'")
    t.start("reload-target")
    db.execute("INSERT INTO t VALUES (2)")
    t.caught_up()
    t.assert_equal("t")


def test_time_zone_of_the_parameter_group_moves_no_timestamp(site, group, instance, task):
    """TIMESTAMPs are instants: loaded and captured ones read the same wherever the server lives."""
    server, _ = site
    rds.set_parameters(server.client("rds"), group, binlog_format="ROW", time_zone="Europe/Rome")
    db = instance(DBParameterGroupName=group)
    rows = "(%d,'2026-07-01 12:00:00','2026-07-01 12:00:00')"
    db.execute("CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP NULL, wall DATETIME)", "INSERT INTO t VALUES " + rows % 1)
    t = task(db)
    t.start()
    db.execute("INSERT INTO t VALUES " + rows % 2)
    t.caught_up()
    assert t.text("t", "LOAD00000001.csv") == "1,2026-07-01 10:00:00,2026-07-01 12:00:00\n"
    assert t.change_text("t") == "I,2,2026-07-01 10:00:00,2026-07-01 12:00:00\n"


def gone(db, name):
    return name not in [row[0] for row in db.query("SHOW BINARY LOGS")]


def test_changes_whose_binary_log_is_gone_are_lost_and_told(site, group, instance, task):
    server, _ = site
    rds.set_parameters(server.client("rds"), group, binlog_format="ROW")
    db = instance(DBParameterGroupName=group)
    db.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    t = task(db)
    t.start()
    t.caught_up()
    t.stop()
    log = db.last_log()
    db.execute("INSERT INTO t VALUES (2)")
    wait_until(lambda: gone(db, log), 30, "the binary log being purged")  # no retention hours were set
    t.start("resume-processing", wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "purged" in text.lower() or "binlog retention hours" in text, text

    # kept for hours, the log serves a task that was stopped
    db.execute("CALL mysql.rds_set_configuration('binlog retention hours', 24)")
    t.start("reload-target")
    t.caught_up()
    t.stop()
    log = db.last_log()
    db.execute("INSERT INTO t VALUES (3)")
    wait_until(lambda: db.last_log() != log, 30, "the next look at old logs")
    assert not gone(db, log)
    t.start("resume-processing")
    t.caught_up()
    t.assert_equal("t")
