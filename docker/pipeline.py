"""The `pipeline` service of compose.yaml: builds the pipeline through the AWS APIs against the
containers `db` and `cistern`, changes rows, and ends with 0 when source and final data set are equal.

Starts from nothing each time: forgets what the server holds and drops the schema."""

import os
import subprocess
import sys

import boto3
import pymysql

from tests.demo.demo import compare
from tests.demo.source import SCHEMA, Shop
from tests.support.pipeline import Pipeline


class Source:
    """The database service; the same faces as tests.support.mariadb.MariaDB."""

    def __init__(self):
        self.host, self.port = os.environ["DB_HOST"], int(os.environ.get("DB_PORT", "3306"))
        self.user, self.password = os.environ["DB_USER"], os.environ["DB_PASSWORD"]

    def connect(self, database=None, autocommit=True, **more):
        more.setdefault("charset", "utf8mb4")
        return pymysql.connect(host=self.host, port=self.port, user=self.user, password=self.password,
                               database=database, autocommit=autocommit, **more)

    def execute(self, *statements):
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def query(self, sql, args=None):
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql, args)
            return list(cursor.fetchall())


def say(text):
    print(text, flush=True)


def wait_idle():
    subprocess.run(["cistern", "wait", "--timeout", "300", "--flush"], check=True)


def equal(source, pipeline):
    differences = compare(source, pipeline.s3, pipeline.final)
    for table, (rows, bad) in differences.items():
        say(f"  {table}: {rows:,} rows, " + (f"{bad} DIFFER" if bad else "equal"))
    return not any(bad for _, bad in differences.values())


def main():
    source = Source()
    subprocess.run(["cistern", "reset"], check=True)
    source.execute(f"DROP DATABASE IF EXISTS {SCHEMA}")
    shop = Shop(source)
    say(f"source: {source.host}:{source.port}, tables of {SCHEMA}")
    shop.create(int(os.environ.get("CUSTOMERS", "4000")), int(os.environ.get("ORDERS", "6000")))
    pipeline = Pipeline(boto3.client, "compose")
    pipeline.build(source, SCHEMA)
    pipeline.start()
    wait_idle()
    say("after the full load:")
    loaded = equal(source, pipeline)
    changes = shop.change(int(os.environ.get("TRANSACTIONS", "500")))
    wait_idle()
    say("after " + ", ".join(f"{count:,} {kind}" for kind, count in changes.items()) + ":")
    changed = equal(source, pipeline)
    runs = pipeline.runs()
    say(f"{len(runs)} Glue runs, {sum(r['JobRunState'] == 'SUCCEEDED' for r in runs)} succeeded")
    return 0 if loaded and changed else 1


if __name__ == "__main__":
    sys.exit(main())
