"""`make demo`: the whole pipeline on this machine, narrated on one screen.

A private MariaDB and a private Cistern are started on free ports in temporary folders; everything
else goes through the AWS APIs. Ends with 0 only when the final data set equals the source tables.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

from tests.demo.source import SCHEMA, TABLES, Shop
from tests.support.dms_text import bucket_rows, objects, source_rows
from tests.support.mariadb import MariaDB
from tests.support.pipeline import Pipeline
from tests.support.server import BINARY, Server

# One emulated minute passes in a second, so that DMS's 60 s batches and Lambda's retries don't make
# the demo long.
CLOCK_SCALE = "60"


class Story:
    """Prints numbered steps with their times."""

    def __init__(self):
        self.number, self.start = 0, time.monotonic()

    def step(self, text):
        self.number += 1
        self.began = time.monotonic()
        print(f"{self.number:2}. {text}", end=" ", flush=True)

    def done(self, result=""):
        print(f"… {result}  [{time.monotonic() - self.began:.2f} s]", flush=True)


def options():
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running to look at")
    parser.add_argument("--rows", type=int, default=100_000, help="rows to load, in all (default 100000)")
    parser.add_argument("--transactions", type=int, default=2_000, help="transactions of changes (default 2000)")
    return parser.parse_args()


def compare(db, s3, bucket):
    """{table: (rows in the source, rows that differ)}; prints the first difference."""
    result = {}
    for table in TABLES:
        source = sorted(source_rows(db, SCHEMA, table))
        final = sorted(bucket_rows(s3, bucket, f"{table}/"))
        missing = set(source) - set(final)
        extra = set(final) - set(source)
        differing = max(len(missing), len(extra), abs(len(source) - len(final)))
        result[table] = (len(source), differing)
        for label, rows in (("only in the source", missing), ("only in the final data set", extra)):
            for row in sorted(rows)[:1]:
                print(f"\n    {table}, {label}: {row}")
    return result


def describe(db, cistern, pipeline):
    aws = f"AWS_ENDPOINT_URL={cistern.endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1"
    print(f"""
Still running (--keep). Look around, then press Ctrl-C to end everything:
  export {aws}
  aws --endpoint-url {cistern.endpoint} s3 ls --recursive s3://{pipeline.temp}/
  aws --endpoint-url {cistern.endpoint} s3 ls --recursive s3://{pipeline.final}/
  aws --endpoint-url {cistern.endpoint} logs tail /aws/lambda/{pipeline.name}-on-object
  mariadb -h127.0.0.1 -P{db.port} -u{db.user} -p{db.password} {SCHEMA}
  {BINARY} status --endpoint {cistern.endpoint}
  the files themselves: {cistern.data_dir}/buckets/""")
    while True:
        time.sleep(3600)


def run(story, asked, db, cistern):
    pipeline = Pipeline(cistern.client, "demo")
    shop = Shop(db)

    customers = asked.rows * 2 // 5
    story.step(f"Source: create {SCHEMA}.customers and {SCHEMA}.orders and fill them")
    shop.create(customers, asked.rows - customers)
    story.done(f"{customers:,} + {asked.rows - customers:,} rows of 13 and 11 columns")

    story.step("AWS: buckets, role, Glue job, Lambda function, S3 trigger, DMS instance, endpoints, task")
    pipeline.build(db, SCHEMA)
    story.done("all through boto3; connections tested")

    story.step("DMS: full load, then Lambda and the Glue merge behind each file")
    pipeline.start()
    cistern.wait_idle(300)
    loaded = {t: s["FullLoadRows"] for t, s in pipeline.statistics().items()}
    story.done(f"{sum(loaded.values()):,} rows loaded, {len(pipeline.runs())} runs")

    story.step("Compare source and final data set after the load")
    report(story, compare(db, pipeline.s3, pipeline.final))

    story.step(f"Source: {asked.transactions:,} transactions while the task runs")
    changes = shop.change(asked.transactions)
    story.done(", ".join(f"{count:,} {kind}" for kind, count in changes.items()))

    story.step("DMS: follow the binlog; wait until the whole pipeline is quiet (cistern wait)")
    cistern.wait_idle(300)
    statistics = pipeline.statistics().values()
    files = [k for k in objects(pipeline.s3, pipeline.temp) if "LOAD" not in k]
    runs = pipeline.runs()
    story.done(
        f"{sum(s['Inserts'] for s in statistics):,} I, {sum(s['Updates'] for s in statistics):,} U, "
        f"{sum(s['Deletes'] for s in statistics):,} D in {len(files)} files, "
        f"{sum(r['JobRunState'] == 'SUCCEEDED' for r in runs)} of {len(runs)} runs succeeded")

    story.step("Compare source and final data set, row by row")
    equal = report(story, compare(db, pipeline.s3, pipeline.final))
    print(f"\n{'Equal' if equal else 'NOT EQUAL'}: the final data set "
          f"{'is' if equal else 'is not'} the source. {time.monotonic() - story.start:.1f} s in all.")
    return pipeline, equal


def report(story, differences):
    story.done(", ".join(
        f"{table}: {rows:,} rows {'equal' if not bad else f'compared, {bad} DIFFER'}"
        for table, (rows, bad) in differences.items()))
    return not any(bad for _, bad in differences.values())


def main():
    asked = options()
    if not BINARY.exists():
        sys.exit(f"{BINARY} is missing: run `make` first (`make demo` does)")
    story = Story()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cistern-demo-"))
    story.step("Start a private MariaDB (row binlog on)")
    db = MariaDB()
    story.done(f"127.0.0.1:{db.port}")
    try:
        story.step("Start Cistern")
        cistern = Server("--clock-scale", CLOCK_SCALE, data_dir=folder / "data")
        story.done(cistern.endpoint)
        try:
            pipeline, equal = run(story, asked, db, cistern)
            if asked.keep:
                describe(db, cistern, pipeline)
        finally:
            cistern.close()
    except KeyboardInterrupt:
        print("\nEnded.")
        equal = True
    finally:
        db.close()
        if "equal" in locals() and equal:
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"The data folder and the log are kept for a look: {folder}", file=sys.stderr)
    return 0 if equal else 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
