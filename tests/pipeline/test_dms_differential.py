"""Differential test: a random schema and workload from a seed, run on the source; the files, applied by
an independent reader, give exactly the source. kill -9 and restarts of both sides in between.
CISTERN_SEEDS=n runs n seeds, CISTERN_SEEDS=a-b those, CISTERN_SEED=s one of them again; CISTERN_MYSQL
names other sources than MariaDB (tests/support/mysql.py). The long target is `make test-long`."""

import os
import random

import pytest

from tests.support import differential
from tests.support.dms import QuickTask, selection
from tests.support.mysql import runs, start
from tests.support.server import Server
from tests.support.workload import Workload

STEPS = int(os.environ.get("CISTERN_STEPS", "80"))


@pytest.fixture(scope="module")
def own_server():
    s = Server("--clock-scale", "60")
    yield s
    s.close()


@pytest.fixture(scope="module")
def source(request):
    db = start(request.param)
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


def rules(schema, plan):
    made = [selection(schema)]
    if plan.before:
        made.append({
            "rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column",
            "object-locator": {"schema-name": "%", "table-name": "%"}, "rule-action": "add-before-image-columns",
            "before-image-def": {"column-prefix": differential.BEFORE, "column-filter": plan.before}})
    return made


def check_states(task, work):
    shown = task.dms.describe_table_statistics(ReplicationTaskArn=task.arn)["TableStatistics"]
    wrong = [(t["TableName"], t["TableState"]) for t in shown
             if t["TableState"] != "Table completed" and (t["TableState"] == "Table error" or t["TableName"] not in work.gone)]
    assert not wrong, f"{wrong}: {task.describe().get('LastFailureMessage')}\n{task.server.log()[-2000:]}"
    shown = task.describe()
    assert shown["Status"] == "running", shown.get("LastFailureMessage")


@pytest.mark.parametrize("source, seed", runs(), indirect=["source"], scope="module")
def test_files_reproduce_the_source(own_server, source, unique, seed):
    print(f"CISTERN_SEED={seed} CISTERN_STEPS={STEPS}")
    rng = random.Random(seed * 7919)
    schema = unique("diff").replace("-", "_")
    source.execute(f"CREATE DATABASE {schema}")
    work = Workload(source, schema, seed, source.flavour)
    print(vars(work.plan))
    s3 = rng.choice((dict(), dict(CompressionType="gzip"), dict(CdcMaxBatchInterval=6), dict(MaxFileSize=64, CdcMinFileSize=1)))
    task = QuickTask(
        own_server, source, unique("diff"), schema, rules=rules(schema, work.plan),
        s3=dict(AddColumnName=True, CsvNullValue=differential.NULL, UseCsvNoSupValue=True, CsvNoSupValue=differential.NOSUP, **s3))
    task.start(wait=False)
    task.until("running")
    for number in range(STEPS):
        work.step()
        if number % 10 == 9 and not work.loaded:
            work.loaded = "FullLoadFinishDate" in task.describe()["ReplicationTaskStats"]
        if rng.random() < 0.04:
            disturb(rng, own_server, source, task, work)
    work.forget_connection()
    task.caught_up(120)
    check_states(task, work)
    for table in work.tables:
        differential.assert_same(task.s3, task.bucket, work, table)
    task.delete()
    source.execute(f"DROP DATABASE {schema}")
