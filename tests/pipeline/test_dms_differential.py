"""Differential test: a random schema and workload from a seed, run on the source; the files, applied by
an independent reader, give exactly the source. kill -9 and restarts of both sides in between.
CISTERN_SEEDS=n runs n seeds, CISTERN_SEED=s one of them again."""

import os
import random

import pytest

from tests.support import differential
from tests.support.dms import QuickTask
from tests.support.mysql import sources
from tests.support.server import Server
from tests.support.workload import Workload

FIRST = int(os.environ.get("CISTERN_SEED", "1"))
SEEDS = range(FIRST, FIRST + (1 if "CISTERN_SEED" in os.environ else int(os.environ.get("CISTERN_SEEDS", "8"))))
STEPS = int(os.environ.get("CISTERN_STEPS", "120"))


@pytest.fixture(scope="module")
def own_server():
    s = Server("--clock-scale", "60")
    yield s
    s.close()


@pytest.fixture(scope="module", params=list(sources()))
def source(request):
    db = sources()[request.param]()
    db.flavour = request.param.split("-")[0]
    yield db
    db.close()


def disturb(rng, server, db, task, work):
    dice = rng.random()
    if dice < 0.5:
        server.kill()
        server.start()
    elif dice < 0.65:
        server.restart()
    elif dice < 0.85:
        work.forget_connection()
        db.kill() if rng.random() < 0.5 else db.stop()
        db.start()
    elif task.describe()["Status"] == "running":
        task.stop()
        work.step()
        task.start("resume-processing", wait=False)
        task.until("running")


@pytest.mark.parametrize("seed", SEEDS)
def test_files_reproduce_the_source(own_server, source, unique, seed):
    print(f"CISTERN_SEED={seed}")
    rng = random.Random(seed * 7919)
    schema = unique("diff").replace("-", "_")
    source.execute(f"CREATE DATABASE {schema}")
    work = Workload(source, schema, seed, source.flavour)
    s3 = rng.choice((dict(), dict(CompressionType="gzip"), dict(CdcMaxBatchInterval=6), dict(MaxFileSize=64, CdcMinFileSize=1)))
    task = QuickTask(own_server, source, unique("diff"), schema, s3=dict(AddColumnName=True, CsvNullValue=differential.NULL, **s3))
    task.start(wait=False)
    task.until("running")
    for _ in range(STEPS):
        work.step()
        if rng.random() < 0.04:
            disturb(rng, own_server, source, task, work)
    work.forget_connection()
    task.caught_up(120)
    shown = task.dms.describe_table_statistics(ReplicationTaskArn=task.arn)["TableStatistics"]
    wrong = [(t["TableName"], t["TableState"]) for t in shown if t["TableState"] != "Table completed"]
    assert not wrong, f"{wrong}: {task.describe().get('LastFailureMessage')}"
    shown = task.describe()
    assert shown["Status"] == "running", shown.get("LastFailureMessage")
    for table in work.tables:
        differential.assert_same(task.s3, task.bucket, source, schema, table)
    task.delete()
    source.execute(f"DROP DATABASE {schema}")
