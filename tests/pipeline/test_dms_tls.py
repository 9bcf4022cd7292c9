"""SslMode of source endpoints, with certificates of the test's own: what is refused is refused with words
that say why and what to do, by TestConnection and by a task alike; load and capture are encrypted."""

import json
import pathlib
import shutil
import tempfile

import pymysql
import pytest

from tests.support.certificates import Authority
from tests.support.dms import QuickTask, tasks
from tests.support.mariadb import MariaDB
from tests.support.tcp_proxy import Proxy
from tests.support.wait import wait_until


class Secure(MariaDB):
    """Always asked through its socket file: TCP may need TLS."""

    def connect(self, database=None, autocommit=True, **more):
        more.setdefault("charset", "utf8mb4")
        return pymysql.connect(unix_socket=str(self.socket), user=self.user, password=self.password,
                               database=database, autocommit=autocommit, **more)

    def present(self, name):
        """Shows this certificate from now on."""
        for kind in ("pem", "key"):
            shutil.copy(self.folder / f"{name}.{kind}", self.folder / f"now.{kind}")
            (self.folder / f"now.{kind}").chmod(0o644)
        self.root("FLUSH SSL")


@pytest.fixture(scope="module")
def folder():
    made = pathlib.Path(tempfile.mkdtemp(prefix="cistern-tls-"))
    made.chmod(0o755)
    ours, theirs = Authority(made), Authority(made, "stranger")
    ours.server("good")
    ours.server("now")
    ours.server("elsewhere", "DNS:db.example")
    ours.server("local", "DNS:localhost")
    ours.server("expired", days=-1)
    theirs.server("foreign")
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def db(folder):
    made = Secure(f"--ssl-cert={folder}/now.pem", f"--ssl-key={folder}/now.key", f"--ssl-ca={folder}/ca.pem")
    made.folder = folder
    made.execute("CREATE USER tls@'%' IDENTIFIED BY 'pw' REQUIRE SSL", "GRANT ALL ON *.* TO tls@'%'",
                 "CREATE USER x509@'%' IDENTIFIED BY 'pw' REQUIRE X509", "GRANT ALL ON *.* TO x509@'%'")
    yield made
    made.close()


@pytest.fixture
def table(db, unique):
    db.present("good")
    name = unique("tls").replace("-", "_")
    db.execute(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v VARCHAR(40))",
               f"INSERT INTO {name}.t VALUES (1,'one'),(2,NULL)")
    yield name
    db.root("SET GLOBAL require_secure_transport=OFF")
    db.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def certificates(server, folder):
    """{file's name: ARN}"""
    dms, made = server.client("dms"), {}
    for name in ("ca", "stranger"):
        made[name] = dms.import_certificate(
            CertificateIdentifier=f"{folder.name.replace('_', '')}-{name}",
            CertificatePem=(folder / f"{name}.pem").read_text())["Certificate"]["CertificateArn"]
    return made


@pytest.fixture
def outcome(server, db, unique):
    """outcome(SslMode=…): what TestConnection says, "" for success."""
    dms = server.client("dms")
    instance = dms.create_replication_instance(ReplicationInstanceIdentifier=unique("rep"), ReplicationInstanceClass="dms.t3.micro")
    instance = instance["ReplicationInstance"]["ReplicationInstanceArn"]

    def test(**more):
        login = dict(ServerName="127.0.0.1", Port=db.port, Username=db.user, Password=db.password, **{})
        login.update(more)
        arn = dms.create_endpoint(EndpointIdentifier=unique("e"), EndpointType="source", EngineName="mariadb",
                                  **login)["Endpoint"]["EndpointArn"]
        dms.test_connection(ReplicationInstanceArn=instance, EndpointArn=arn)

        def tested():
            [found] = dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [arn]}])["Connections"]
            return found if found["Status"] != "testing" else None

        found = wait_until(tested, 20, "the test's outcome")
        assert (found["Status"] == "successful") == (not found.get("LastFailureMessage")), found
        return found.get("LastFailureMessage", "")

    return test


@pytest.fixture
def task(server, db, table, unique):
    with tasks(lambda **more: QuickTask(server, db, unique("tls"), table, **more)) as make:
        yield make


REFUSED = [  # certificate shown, SslMode, authority, words of the message
    ("good", "verify-ca", "stranger", ["certificate", "isn't signed by the authority", "ImportCertificate"]),
    ("good", "verify-full", "stranger", ["isn't signed by the authority", "CertificateArn"]),
    ("foreign", "verify-ca", "ca", ["isn't signed by the authority", "ImportCertificate"]),
    ("foreign", "verify-full", "ca", ["isn't signed by the authority"]),
    ("elsewhere", "verify-full", "ca", ["another name than the endpoint's ServerName", "verify-ca"]),
    ("expired", "verify-ca", "ca", ["expired", "Renew the server's certificate", "FLUSH SSL"]),
    ("expired", "verify-full", "ca", ["expired", "Renew"]),
]


@pytest.mark.parametrize("shown,mode,authority,words", REFUSED, ids=[f"{r[0]}-{r[1]}-{r[2]}" for r in REFUSED])
def test_certificates_that_are_refused(outcome, db, table, certificates, shown, mode, authority, words):
    db.present(shown)
    text = outcome(SslMode=mode, CertificateArn=certificates[authority])
    assert text.startswith("Test Endpoint failed: Application-Status: 1020912") and "2026" in text
    for word in words:
        assert word in text, text


@pytest.mark.parametrize("shown,mode,name", [
    ("good", "verify-ca", "127.0.0.1"), ("good", "verify-full", "127.0.0.1"), ("good", "verify-full", "localhost"),
    ("elsewhere", "verify-ca", "127.0.0.1"), ("local", "verify-full", "localhost"),
    ("expired", "require", "127.0.0.1"), ("foreign", "require", "127.0.0.1"), ("foreign", "none", "localhost"),
])
def test_certificates_that_are_accepted(outcome, db, table, certificates, shown, mode, name):
    db.present(shown)
    more = dict(CertificateArn=certificates["ca"]) if mode.startswith("verify") else {}
    assert outcome(SslMode=mode, ServerName=name, **more) == ""


def test_a_name_that_the_certificate_lacks(outcome, db, table, certificates):
    db.present("local")
    assert "another name" in outcome(SslMode="verify-full", CertificateArn=certificates["ca"])


def test_verifying_needs_an_authority(outcome, db, table):
    assert "CertificateArn" in outcome(SslMode="verify-ca")
    assert "isn't signed by the authority" in outcome(SslMode="verify-full")  # the system's don't know it


def test_users_and_servers_that_demand_tls(outcome, db, table, certificates):
    tls, x509 = dict(Username="tls", Password="pw"), dict(Username="x509", Password="pw")
    assert outcome(SslMode="require", **tls) == ""
    text = outcome(SslMode="none", **tls)
    assert "1045" in text and "REQUIRE SSL" in text and "SslMode" in text
    assert "no client certificate" in outcome(SslMode="require", **x509)
    db.root("SET GLOBAL require_secure_transport=ON")
    text = outcome(SslMode="none")
    assert "require_secure_transport" in text and "SslMode" in text
    assert outcome(SslMode="verify-full", CertificateArn=certificates["ca"]) == ""


def test_a_server_without_tls(outcome, fresh_mariadb):
    plain = fresh_mariadb("--skip-ssl")
    text = outcome(Port=plain.port, SslMode="require")
    assert "does not offer TLS" in text and "ssl_cert" in text
    assert outcome(Port=plain.port, SslMode="none") == ""


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_load_and_capture_are_encrypted(task, db, table, certificates, mode):
    """The server refuses everything else, and counts: each login of the task's was encrypted."""
    db.root("SET GLOBAL require_secure_transport=ON")
    more = dict(CertificateArn=certificates["ca"]) if mode.startswith("verify") else {}
    def counts():
        return dict(db.query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Ssl_accepts', 'Ssl_finished_accepts', 'Com_show_slave_hosts')"))
    before = int(counts()["Ssl_finished_accepts"])
    t = task(source=dict(SslMode=mode, Username="tls", Password="pw", **more))
    t.start()
    db.execute("UPDATE t SET v='u' WHERE id=1", database=table)
    t.caught_up()
    assert t.change_text("t") == "U,1,u\n"
    t.assert_equal("t")
    [(dump,)] = db.query("SELECT COUNT(*) FROM information_schema.processlist WHERE command='Binlog Dump' AND user='tls'")
    assert dump == 1 and int(counts()["Ssl_finished_accepts"]) >= before + 4  # test, control, load, capture


def test_a_certificate_that_expires_under_a_task(task, db, table, certificates):
    """The running task keeps its connections; the next start is refused, and goes on once it is renewed."""
    t = task(source=dict(SslMode="verify-full", CertificateArn=certificates["ca"]))
    t.start()
    t.caught_up()
    t.stop()
    db.present("expired")
    db.execute("INSERT INTO t VALUES (3,'x')", database=table)
    t.start("resume-processing", wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "expired" in text and "Renew the server's certificate" in text
    db.present("good")
    t.start("resume-processing")
    t.caught_up()
    assert t.change_text("t") == "I,3,x\n"


def test_network_cuts_in_handshakes_and_later(task, db, table, certificates):
    """A connection that breaks while it is encrypted, or is about to be, is tried again."""
    proxy = Proxy(db.port)
    try:
        t = task(source=dict(Port=proxy.port, SslMode="verify-full", CertificateArn=certificates["ca"]))
        t.start()
        for i, size in enumerate((1, 90, 150, 400, 1000, 1500, 2200, 3000, 6000)):
            proxy.cut_after = size
            proxy.cut()
            db.execute(f"INSERT INTO t VALUES ({i + 10},REPEAT('x',40))", database=table)
            t.caught_up()
            shown = t.describe()
            assert shown["Status"] == "running", shown.get("LastFailureMessage")
        proxy.cut_after = None
        assert t.change_text("t") == "".join(f"I,{i},{'x' * 40}\n" for i in range(10, 19))
    finally:
        proxy.close()


def test_modes_are_checked_and_changed(server, task, db, table, certificates):
    t = task()
    dms = server.client("dms")
    with pytest.raises(dms.exceptions.ClientError) as refused:
        dms.modify_endpoint(EndpointArn=t.source, SslMode="verify-it-all")
    assert "SslMode" in str(refused.value)
    changed = dms.modify_endpoint(EndpointArn=t.source, SslMode="verify-full", CertificateArn=certificates["stranger"])["Endpoint"]
    assert (changed["SslMode"], changed["CertificateArn"]) == ("verify-full", certificates["stranger"])
    t.start(wait=False)
    text = t.until("failed")["LastFailureMessage"]
    assert "isn't signed by the authority" in text, text
    dms.modify_endpoint(EndpointArn=t.source, CertificateArn=certificates["ca"])
    t.test_connections()
    t.start("reload-target")
    t.caught_up()
    t.assert_equal("t")
    assert json.loads(t.describe()["ReplicationTaskSettings"])
