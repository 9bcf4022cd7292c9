"""Exactly once: kill -9 at random instants of load and capture, then every change is in exactly one
file. Each row carries a version that every update raises by one, so a lost or repeated change shows
even where the final state would hide it."""

import io
import itertools
import os
import random
import time

import pyarrow.parquet
import pymysql
import pytest

from tests.support import dms_text
from tests.support.dms import Task, kill_at_random, selection
from tests.support.mariadb import writing
from tests.support.wait import wait_until

KILLS = int(os.environ.get("CISTERN_KILLS", "12"))


def rows_of(task, table, name):
    """Of one file, as tuples of texts."""
    if not name.endswith(".parquet"):
        return dms_text.read_csv(task.text(table, name))
    body = task.s3.get_object(Bucket=task.bucket, Key=task.prefix(table) + name)["Body"].read()
    return [tuple("" if v is None else str(v) for v in row.values())
            for row in pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()]


def strict_replay(task, table, columns=3):
    """Like dms_text.replay, and versions must follow each other. Further columns are left out."""
    state = {}
    for name in task.loads(table):
        for row in rows_of(task, table, name):
            row = row[:columns]
            assert row[0] not in state, f"{name}: {row[0]} loaded twice"
            state[row[0]] = row
    for name in task.changes(table):
        for op, *row in rows_of(task, table, name):
            row = row[:columns]
            old = state.get(row[0])
            if op == "I":
                assert old is None, f"{name}: insert of present {row}"
                state[row[0]] = tuple(row)
            elif op == "U":
                assert old and int(row[1]) == int(old[1]) + 1, f"{name}: update {row} of {old}"
                state[row[0]] = tuple(row)
            else:
                assert old == tuple(row), f"{name}: delete {row} of {old}"
                del state[row[0]]
    return state


def churn(schema, tables, seed):
    """Random inserts, updates, deletes, rollbacks and now and then a large transaction."""
    rng = random.Random(seed)

    def change(cursor, new_id):
        table = f"{schema}.{rng.choice(tables)}"
        dice = rng.random()
        if dice < 0.35:
            cursor.execute(f"INSERT INTO {table} VALUES ({new_id}, 0, 'n,\"{new_id}')")
        elif dice < 0.8:
            low = rng.randint(1, 20000)
            cursor.execute(f"UPDATE {table} SET ver=ver+1 WHERE id BETWEEN {low} AND {low + 20} AND id % 4 = {seed}")
        elif dice < 0.99:
            cursor.execute(f"DELETE FROM {table} WHERE id = {4 * rng.randint(1, 5000) + seed}")
        else:
            cursor.execute(f"UPDATE {table} SET ver=ver+1 WHERE id % 4 = {seed}")

    def work(connection, stop):
        next_id = 1_000_000 * (seed + 1)
        connection.autocommit(False)
        with connection.cursor() as cursor:
            while not stop.is_set():
                try:
                    for _ in range(rng.randint(1, 5)):
                        next_id += 1
                        change(cursor, next_id)
                    connection.rollback() if rng.random() < 0.1 else connection.commit()
                except pymysql.err.OperationalError as error:
                    assert error.args[0] in (1205, 1213), error  # deadlocks of the writers themselves
                    connection.rollback()
                time.sleep(0.001)

    return work


def sequence_rule(schema):
    return {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column",
            "object-locator": {"schema-name": schema, "table-name": "%"}, "rule-action": "add-column", "value": "seq",
            "expression": "$AR_H_CHANGE_SEQ", "data-type": {"type": "string", "length": 50}}


FORMS = {
    "at-once": dict(), "batches": dict(CdcMaxBatchInterval=10), "small-files": dict(CompressionType="gzip", CdcMinFileSize=8),
    "parquet": dict(DataFormat="parquet", CdcMaxBatchInterval=10),
    "parquet-small": dict(DataFormat="parquet", CompressionType="gzip", CdcMinFileSize=30, RowGroupLength=100),
}


@pytest.mark.parametrize("form", FORMS)
def test_kills_lose_and_repeat_nothing(fresh_server, mariadb, schema, unique, form):
    seed = int(os.environ.get("CISTERN_SEED", random.randrange(1 << 30)))
    print(f"CISTERN_SEED={seed}")
    rng = random.Random(seed)
    tables = ["a", "b", "c"]
    for table in tables:
        mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, ver INT, txt VARCHAR(30))",
                        f"INSERT INTO {table} SELECT seq, 0, CONCAT('row ',seq) FROM seq_1_to_20000", database=schema)
    rules = [selection(schema)] + ([sequence_rule(schema)] if form == "batches" else [])
    task = Task(fresh_server, mariadb, unique("kill"), schema, s3=FORMS[form], rules=rules)
    with writing(mariadb, *(churn(schema, tables, i) for i in range(3))):
        task.start(wait=False)
        kills = KILLS // 2 if "parquet" in form else KILLS
        kill_at_random(task, rng, [0.15 if i < KILLS // 3 else 0.7 for i in range(kills)])
        wait_until(lambda: all(task.changes(table) for table in tables), 120, "changes of every table")
    task.caught_up(120)
    assert task.describe()["Status"] == "running"
    for table in tables:
        state = strict_replay(task, table)
        want = dms_text.source_rows(mariadb, schema, table)
        assert sorted(state.values()) == sorted(want), table
        assert len(task.changes(table)) == len(set(task.changes(table)))
    if form == "batches":
        rising_and_unique(task, tables)


def rising_and_unique(task, tables):
    """Within a table they rise from change to change; no two changes of the task have the same."""
    everything = []
    for table in tables:
        numbers = [row[4] for name in task.changes(table) for row in rows_of(task, table, name)]
        assert all(len(n) == 35 and n.isdigit() for n in numbers), table
        assert all(one < next_one for one, next_one in itertools.pairwise(numbers)), table
        everything += numbers
    assert len(everything) == len(set(everything)) > 100
