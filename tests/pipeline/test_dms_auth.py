"""Users of the source and their authentication plugins. MariaDB always; MySQL where CISTERN_MYSQL names a
server (tests/support/sources.py), with caching_sha2_password in all its ways."""

import pathlib
import shutil
import socket
import struct
import tempfile
import threading

import pytest

from tests.support.certificates import Authority
from tests.support.dms import QuickTask, tasks
from tests.support.mariadb import MariaDB
from tests.support.sources import mariadb_plugins, source
from tests.support.wait import wait_until


@pytest.fixture(scope="module")
def folder():
    made = pathlib.Path(tempfile.mkdtemp(prefix="cistern-auth-"))
    made.chmod(0o755)
    Authority(made).server("good")
    yield made
    shutil.rmtree(made)


def prepared(db):
    db.execute("CREATE DATABASE s", "CREATE TABLE s.t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO s.t VALUES (1,'one')")
    return db


@pytest.fixture(scope="module")
def mariadb_source(folder):
    made = prepared(MariaDB(f"--ssl-cert={folder}/good.pem", f"--ssl-key={folder}/good.key"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def ed25519_source(folder):
    made = prepared(MariaDB(*mariadb_plugins(), "--plugin-load-add=auth_ed25519", f"--ssl-cert={folder}/good.pem",
                            f"--ssl-key={folder}/good.key"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def mysql9(folder):
    made = prepared(source("mysql9", f"--ssl-cert={folder}/good.pem", f"--ssl-key={folder}/good.key",
                           f"--ssl-ca={folder}/ca.pem"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def mysql56():
    made = prepared(source("mysql56"))
    yield made
    made.close()


@pytest.fixture
def user(unique):
    return unique("u").replace("-", "_")


def grant(db, user):
    db.execute(f"GRANT ALL ON *.* TO {user}@'%'")


@pytest.fixture
def moves(server, unique):
    """moves(db, user, password): the user can do a load and a capture."""
    def check(db, user, password="pw", engine="mysql", **more):
        t = new(db, source=dict(Username=user, Password=password, **more))
        t.start()
        [(last,)] = db.query("SELECT MAX(id) FROM s.t")
        db.execute(f"INSERT INTO s.t VALUES ({last + 1},'x')")
        t.caught_up()
        assert t.change_text("t") == f"I,{last + 1},x\n"
        t.assert_equal("t")

    with tasks(lambda db, **more: QuickTask(server, db, unique("auth"), "s", **more)) as new:
        yield check


@pytest.fixture
def refusal(server, unique):
    dms = server.client("dms")
    instance = dms.create_replication_instance(ReplicationInstanceIdentifier=unique("rep"), ReplicationInstanceClass="dms.t3.micro")
    instance = instance["ReplicationInstance"]["ReplicationInstanceArn"]

    def test(db, user, password="pw", **more):
        arn = dms.create_endpoint(EndpointIdentifier=unique("e"), EndpointType="source", EngineName="mysql", ServerName="127.0.0.1",
                                  Port=db.port, Username=user, Password=password, **more)["Endpoint"]["EndpointArn"]
        dms.test_connection(ReplicationInstanceArn=instance, EndpointArn=arn)

        def tested():
            [found] = dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [arn]}])["Connections"]
            return found if found["Status"] != "testing" else None

        found = wait_until(tested, 20, "the test's outcome")
        assert found["Status"] == "failed", found
        return found["LastFailureMessage"]

    return test


# --- MariaDB ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["none", "require"])
def test_mariadb_native_password(mariadb_source, user, moves, mode):
    mariadb_source.execute(f"CREATE USER {user}@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('pw')")
    grant(mariadb_source, user)
    moves(mariadb_source, user, SslMode=mode)


def test_mariadb_empty_password(mariadb_source, user, moves):
    mariadb_source.execute(f"CREATE USER {user}@'%'")
    grant(mariadb_source, user)
    moves(mariadb_source, user, "")


@pytest.mark.parametrize("mode", ["none", "require"])
def test_mariadb_ed25519(ed25519_source, user, moves, mode):
    ed25519_source.execute(f"CREATE USER {user}@'%' IDENTIFIED VIA ed25519 USING PASSWORD('päss wörd')")
    grant(ed25519_source, user)
    moves(ed25519_source, user, "päss wörd", SslMode=mode)


def test_mariadb_unix_socket_is_refused(mariadb_source, user, refusal):
    mariadb_source.execute(f"CREATE USER {user}@'%' IDENTIFIED VIA unix_socket")
    text = refusal(mariadb_source, user)
    assert "1698" in text and "unix_socket" in text and "IDENTIFIED BY" in text


def test_mariadb_second_way_in(mariadb_source, user, moves):
    """unix_socket OR a password: the usual root of Debian with a password added."""
    mariadb_source.execute(f"CREATE USER {user}@'%' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('pw')")
    grant(mariadb_source, user)
    moves(mariadb_source, user)


def test_mariadb_wrong_password_and_locked_user(mariadb_source, user, refusal):
    mariadb_source.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw'")
    text = refusal(mariadb_source, user, "other")
    assert "1045" in text and "Username and Password" in text
    mariadb_source.execute(f"ALTER USER {user}@'%' ACCOUNT LOCK")
    assert "ACCOUNT UNLOCK" in refusal(mariadb_source, user)


def test_mariadb_user_of_another_host(mariadb_source, user, refusal):
    mariadb_source.execute(f"CREATE USER {user}@'192.0.2.1' IDENTIFIED BY 'pw'")
    assert "Access denied" in refusal(mariadb_source, user)


# --- MySQL --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["none", "require", "none"], ids=["rsa", "tls", "rsa-again"])
def test_mysql_caching_sha2(mysql9, user, moves, mode):
    """Without TLS the password goes encrypted with the server's RSA key."""
    mysql9.execute(f"CREATE USER {user}@'%' IDENTIFIED WITH caching_sha2_password BY 'p\u00e4ss w\u00f6rd, a long one of more than 20'")
    grant(mysql9, user)
    moves(mysql9, user, "p\u00e4ss w\u00f6rd, a long one of more than 20", SslMode=mode)


def test_mysql_caching_sha2_fast_and_full(mysql9, user, moves):
    mysql9.execute(f"CREATE USER {user}@'%' IDENTIFIED WITH caching_sha2_password BY 'pw'")
    grant(mysql9, user)
    moves(mysql9, user)  # the first login is full, all others find the cache
    mysql9.execute("FLUSH PRIVILEGES")  # empties the cache
    moves(mysql9, user)


def test_mysql_caching_sha2_empty_password(mysql9, user, moves):
    mysql9.execute(f"CREATE USER {user}@'%' IDENTIFIED WITH caching_sha2_password BY ''")
    grant(mysql9, user)
    moves(mysql9, user, "")


def test_mysql_sha256(mysql9, user, moves):
    mysql9.execute(f"CREATE USER {user}@'%' IDENTIFIED WITH sha256_password BY 'pw'")
    grant(mysql9, user)
    moves(mysql9, user)
    moves(mysql9, user, SslMode="require")


def test_mysql_verified(mysql9, user, moves, server, folder, unique):
    arn = server.client("dms").import_certificate(
        CertificateIdentifier=unique("ca"), CertificatePem=(folder / "ca.pem").read_text())["Certificate"]["CertificateArn"]
    mysql9.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw' REQUIRE SSL")
    grant(mysql9, user)
    moves(mysql9, user, SslMode="verify-full", CertificateArn=arn)


def test_mysql_refusals(mysql9, user, refusal):
    mysql9.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw' REQUIRE SSL")
    assert "REQUIRE SSL" in refusal(mysql9, user)
    assert "Username and Password" in refusal(mysql9, user, "other", SslMode="require")
    mysql9.execute(f"ALTER USER {user}@'%' REQUIRE NONE ACCOUNT LOCK")
    assert "ACCOUNT UNLOCK" in refusal(mysql9, user)
    mysql9.execute("SET GLOBAL require_secure_transport=ON")
    try:
        text = refusal(mysql9, mysql9.user, mysql9.password)
        assert "3159" in text and "SslMode" in text
    finally:
        mysql9.execute("SET GLOBAL require_secure_transport=OFF")


def test_mysql56_native_password(mysql56, user, moves):
    mysql56.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw'")
    grant(mysql56, user)
    moves(mysql56, user)


# --- hostile servers ----------------------------------------------------------------------------------

class Thief(threading.Thread):
    """Greets as a server does and then asks for the password in clear text."""

    def __init__(self, plugin):
        super().__init__(daemon=True)
        self.plugin, self.heard = plugin, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        client.settimeout(10)
        capabilities = 0x001FF7DF & ~0x20  # all that is usual but TLS and compression
        body = (b"\x0a8.0.36\0" + struct.pack("<I", 7) + b"saltsalt\0" + struct.pack("<H", capabilities & 0xFFFF) +
                b"\x2d\x02\0" + struct.pack("<H", capabilities >> 16) + b"\x15" + bytes(10) + b"saltsaltsalt\0" +
                b"mysql_native_password\0")
        try:
            client.sendall(struct.pack("<I", len(body))[:3] + b"\0" + body)
            self.heard += client.recv(65536)
            switch = b"\xfe" + self.plugin.encode() + b"\0saltsaltsaltsaltsalt\0"
            client.sendall(struct.pack("<I", len(switch))[:3] + b"\x02" + switch)
            while True:
                data = client.recv(65536)
                if not data:
                    break
                self.heard += data
        except OSError:
            pass
        finally:
            client.close()
            self.listener.close()


@pytest.mark.parametrize("plugin", ["mysql_clear_password", "dialog"])
def test_the_password_is_never_given_as_it_is(refusal, plugin):
    thief = Thief(plugin)
    text = refusal(thief, "admin", "the-secret-password")
    thief.join(20)
    assert b"admin" in thief.heard and b"the-secret-password" not in thief.heard
    assert "clear text" in text and "caching_sha2_password" in text
