"""Files of DMS that are longer than one part are objects that came by multipart upload, like those that the
AWS SDK's transfer manager makes: 5 MiB at a time."""

import hashlib

import pytest

from tests.support.dms import QuickTask

PART = 5 << 20


def etag(body, part=PART):
    if len(body) <= part:
        return f'"{hashlib.md5(body).hexdigest()}"'
    sums = [hashlib.md5(body[at:at + part]).digest() for at in range(0, len(body), part)]
    return f'"{hashlib.md5(b"".join(sums)).hexdigest()}-{len(sums)}"'


@pytest.fixture
def task(server, mariadb, schema, unique):
    made = QuickTask(server, mariadb, unique("parts"), schema)
    yield made
    made.delete()


def fill(mariadb, schema, table, rows):
    mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(4000))",
                    f"INSERT INTO {table} SELECT seq, REPEAT(MD5(seq), 125) FROM seq_1_to_{rows}", database=schema)


def test_a_large_file_came_in_parts(task, mariadb, schema):
    fill(mariadb, schema, "small", 100)
    fill(mariadb, schema, "large", 3000)  # 12 MB
    task.start()
    [large], [small] = task.loads("large"), task.loads("small")
    where = {"Bucket": task.bucket, "Key": task.prefix("large") + large}
    body = task.s3.get_object(**where)["Body"].read()
    parts = [body[at:at + PART] for at in range(0, len(body), PART)]
    assert len(parts) == 3

    head = task.s3.head_object(**where)
    assert head["ETag"] == etag(body) and head["ETag"].endswith('-3"')
    listed = {o["Key"]: o["ETag"] for o in task.s3.list_objects_v2(Bucket=task.bucket)["Contents"]}
    assert listed[where["Key"]] == head["ETag"]
    for number, part in enumerate(parts, start=1):
        got = task.s3.get_object(PartNumber=number, **where)
        assert got["PartsCount"] == 3 and got["ContentLength"] == len(part)
        assert got["Body"].read() == part
    shown = task.s3.get_object_attributes(ObjectAttributes=["ETag", "ObjectParts", "ObjectSize"], **where)
    assert shown["ETag"] == head["ETag"].strip('"') and shown["ObjectSize"] == len(body)
    assert shown["ObjectParts"]["TotalPartsCount"] == 3
    copied = task.s3.copy_object(Bucket=task.bucket, Key="copy", CopySource=where)["CopyObjectResult"]["ETag"]
    assert copied == etag(body, part=len(body))

    where = {"Bucket": task.bucket, "Key": task.prefix("small") + small}
    head = task.s3.head_object(**where)
    assert head["ETag"] == etag(task.s3.get_object(**where)["Body"].read()) and "PartsCount" not in head


def test_changes_come_in_parts_too(task, mariadb, schema):
    fill(mariadb, schema, "t", 1)
    task.start()
    mariadb.execute("INSERT INTO t SELECT seq, REPEAT(MD5(seq), 125) FROM seq_2_to_2000", database=schema)
    task.caught_up()
    got = [task.s3.get_object(Bucket=task.bucket, Key=task.prefix("t") + name) for name in task.changes("t")]
    assert [o["ETag"] for o in got] == [etag(o["Body"].read()) for o in got]
    assert any(o["ETag"].endswith('-2"') for o in got)
    task.assert_equal("t")
