"""Fixtures shared by all Python tests. One server and one database per worker process; tests keep
out of each other's way by unique names. Tests that kill or configure take a fresh one."""

import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tests.support.mariadb import MariaDB  # noqa: E402
from tests.support.server import Server  # noqa: E402

_counter = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    """The worker's shared server: don't kill, restart or reset it."""
    s = Server("--clock-scale", "60")
    yield s
    s.close()


@pytest.fixture
def make_server():
    """make_server("--option", …): private servers, closed at the end of the test."""
    made = []

    def make(*options, **more):
        made.append(Server(*options, **more))
        return made[-1]

    yield make
    for s in made:
        s.close()


@pytest.fixture
def fresh_server(make_server):
    """A private server that the test may kill and restart."""
    return make_server("--clock-scale", "60")


@pytest.fixture(scope="session")
def mariadb():
    """The worker's shared source database: don't restart it; use a schema of your own (`schema`)."""
    db = MariaDB()
    yield db
    db.close()


@pytest.fixture
def fresh_mariadb():
    """make a private database with options: fresh_mariadb("--binlog-format=STATEMENT", binlog=…)"""
    made = []

    def make(*options, **more):
        made.append(MariaDB(*options, **more))
        return made[-1]

    yield make
    for db in made:
        db.close()


@pytest.fixture
def unique():
    """unique("prefix") → a lower-case name that no other test uses."""

    def make(prefix="t"):
        return f"{prefix}-{os.getpid()}-{next(_counter)}"

    return make


@pytest.fixture
def schema(mariadb, unique):
    """Name of an empty database (schema) in the shared MariaDB, dropped afterwards."""
    name = unique("db").replace("-", "_")
    mariadb.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield name
    mariadb.execute(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def s3(server):
    return server.client("s3")


@pytest.fixture
def glue(server):
    return server.client("glue")


@pytest.fixture
def bucket(s3, unique):
    """Name of a fresh, empty bucket."""
    name = unique("bucket")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def jobs(server, bucket, unique):
    """Glue jobs on the shared server (tests/support/glue.py)."""
    from tests.support.glue import Jobs

    return Jobs(server, bucket, unique)


@pytest.fixture
def functions(server, unique):
    """Lambda functions on the shared server (tests/support/functions.py)."""
    from tests.support.functions import Functions

    made = Functions(server, unique)
    yield made
    made.close()
