"""What differs between the servers: GTIDs, XA transactions and views. MariaDB always; MySQL where
CISTERN_MYSQL names a kind of it (tests/support/sources.py)."""

import pymysql
import pytest
from botocore.exceptions import ClientError

from tests.support.dms import QuickTask, selection, tasks, two_rows
from tests.support.mariadb import MariaDB
from tests.support.sources import source

GTID = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON")
SERVERS = {
    "mariadb": lambda: MariaDB(),
    "mariadb-strict": lambda: MariaDB("--gtid-strict-mode=ON", "--gtid-domain-id=7", "--binlog-annotate-row-events=ON"),
    "mysql56": lambda: source("mysql56"),
    "mysql56-gtid": lambda: source("mysql56", *GTID, "--log-slave-updates"),
    "mysql9": lambda: source("mysql9"),
    "mysql9-gtid": lambda: source("mysql9", *GTID, "--binlog-transaction-compression=ON"),
}


@pytest.fixture(scope="module", params=SERVERS)
def db(request):
    made = SERVERS[request.param]()
    made.kind = request.param.split("-")[0]
    yield made
    made.close()


@pytest.fixture
def schema(db, unique):
    with two_rows(db, unique("srv")) as name:
        yield name


@pytest.fixture
def task(server, db, schema, unique):
    with tasks(lambda **more: QuickTask(server, db, unique("srv"), schema, **more)) as make:
        yield make


def xa(db, schema, name, *statements, end=None):
    with db.connect(schema) as connection, connection.cursor() as cursor:
        for sql in (f"XA START '{name}'", *statements, f"XA END '{name}'", f"XA PREPARE '{name}'", *([end] if end else [])):
            cursor.execute(sql)


def test_gtids_do_not_matter(task, db, schema):
    """Also when domains and sequence numbers change under the task, and across a restart of it."""
    t = task()
    t.start()
    for i in range(3, 9):
        db.execute(f"INSERT INTO t VALUES ({i},'x')", database=schema)
        if db.kind == "mariadb":
            db.execute(f"SET gtid_domain_id={i}, server_id={i * 11}", f"UPDATE t SET v='d{i}' WHERE id={i}",
                       f"SET gtid_seq_no={i * 1000}", f"DELETE FROM t WHERE id={i - 2}", database=schema)
        if i == 5:
            t.stop()
            db.root("FLUSH LOGS")
            t.start("resume-processing")
    t.caught_up()
    t.assert_equal("t")


def test_gtid_mode_changes_while_it_runs(task, db, schema):
    if db.kind != "mysql9":
        pytest.skip("only MySQL 5.7 and later change it while they run")
    [(mode,)] = db.query("SELECT @@global.gtid_mode")
    way = ["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"]
    if mode == "ON":
        way.reverse()
    t = task()
    t.start()
    db.root("SET GLOBAL enforce_gtid_consistency=ON")
    for i, step in enumerate(way[1:] + way[-2::-1]):
        db.root(f"SET GLOBAL gtid_mode={step}")
        db.execute(f"INSERT INTO t VALUES ({i + 10},'{step}')", database=schema)
    t.caught_up()
    t.assert_equal("t")


@pytest.mark.parametrize("position", ["3E11FA47-71CA-11E1-9E33-C80AA9429562:23", "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11",
                                      "0-1-42", "0-1-42,7-3-9"])
def test_a_gtid_is_no_start(server, unique, position):
    """Known without a source."""
    dms, s3, name = server.client("dms"), server.client("s3"), unique("gtid")
    s3.create_bucket(Bucket=name)
    instance = dms.create_replication_instance(ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.micro")
    source_arn = dms.create_endpoint(EndpointIdentifier=f"{name}-s", EndpointType="source", EngineName="mysql", ServerName="h",
                                     Username="u", Password="p")["Endpoint"]["EndpointArn"]
    target = dms.create_endpoint(EndpointIdentifier=f"{name}-t", EndpointType="target", EngineName="s3", S3Settings={
        "BucketName": name, "ServiceAccessRoleArn": "arn:aws:iam::000000000000:role/dms"})["Endpoint"]["EndpointArn"]
    with pytest.raises(ClientError) as refused:
        dms.create_replication_task(
            ReplicationTaskIdentifier=name, SourceEndpointArn=source_arn, TargetEndpointArn=target,
            ReplicationInstanceArn=instance["ReplicationInstance"]["ReplicationInstanceArn"], MigrationType="cdc",
            TableMappings='{"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"1","rule-action":"include",'
                          '"object-locator":{"schema-name":"s","table-name":"%"}}]}', CdcStartPosition=position)
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    for words in ("GTID", "mysql-bin.000024:373", "2018-03-08T12:12:12", "checkpoint"):
        assert words in error["Message"]


def test_xa(task, db, schema, unique):
    one, two, three = (unique("x") for _ in range(3))
    t = task()
    t.start()
    xa(db, schema, one, "INSERT INTO t VALUES (3,'xa')", "UPDATE t SET v='xa' WHERE id=1", end=f"XA ROLLBACK '{one}'")
    if db.kind == "mysql56":  # forgets what is prepared when the session ends, and logs at the commit
        xa(db, schema, two, "INSERT INTO t VALUES (4,'two')", end=f"XA COMMIT '{two}'")
    else:
        xa(db, schema, two, "INSERT INTO t VALUES (4,'two')")
        db.execute("INSERT INTO t VALUES (5,'plain')", database=schema)
        t.caught_up()
        assert t.change_text("t") == "I,5,plain\n"
        t.stop()
        t.start("resume-processing")
        db.execute(f"XA COMMIT '{two}'")
    db.execute(f"XA START '{three}'", "DELETE FROM t WHERE id=2", f"XA END '{three}'", f"XA COMMIT '{three}' ONE PHASE", database=schema)
    t.caught_up()
    assert t.change_text("t") == ("" if db.kind == "mysql56" else "I,5,plain\n") + "I,4,two\nD,2,\n"
    t.assert_equal("t")


def views(schema, kind="view"):
    return selection(schema, **{"object-locator": {"schema-name": schema, "table-name": "%", "table-type": kind}})


def test_views_are_loaded_from_mysql(task, db, schema):
    db.execute("CREATE VIEW v AS SELECT id * 2 AS twice, v FROM t WHERE id < 3", "CREATE VIEW w AS SELECT 1 AS one",
               database=schema)
    if db.kind == "mariadb":
        t = task(migration="full-load", rules=[views(schema)])
        t.start(wait=False)
        assert "views of a MariaDB source are not supported" in t.until("failed")["LastFailureMessage"]
        return
    t = task(migration="full-load", rules=[views(schema, "all")])
    t.start(wait=False)
    t.until("stopped")
    assert t.text("v", "LOAD00000001.csv") == "2,one\n4,\n" and t.text("w", "LOAD00000001.csv") == "1\n"
    assert t.text("t", "LOAD00000001.csv") == "1,one\n2,\n"
    shown = t.statistics("v")
    assert (shown["SchemaName"], shown["TableName"], shown["TableState"], shown["FullLoadRows"]) == (schema, "v", "Table completed", 2)


def test_views_are_not_captured(task, db, schema):
    db.execute("CREATE VIEW v AS SELECT id FROM t", database=schema)
    t = task(rules=[views(schema)])
    t.start(wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "views" in text and f"{schema}.v" in text and "table-type table" in text
    everything = task(rules=[views(schema, "all")])  # the view is left out, the table is moved
    everything.start()
    db.execute("INSERT INTO t VALUES (3,'x')", database=schema)
    everything.caught_up()
    everything.assert_equal("t")
    assert everything.keys("v") == []


def test_statistics_show_the_names_of_the_source(task, db, schema):
    """Rules that rename the target don't change them."""
    rename = {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "table", "rule-action": "rename",
              "object-locator": {"schema-name": schema, "table-name": "t"}, "value": "other"}
    t = task(rules=[selection(schema), rename])
    t.start()
    t.caught_up()
    assert t.loads("other") == ["LOAD00000001.csv"]
    shown = t.statistics("t")
    assert (shown["SchemaName"], shown["TableName"]) == (schema, "t")
    with pytest.raises(pymysql.Error):
        db.query(f"SELECT 1 FROM {schema}.other")
