import pytest

from tests.support.s3 import fails, raw

DATA = bytes(range(100))


@pytest.fixture
def key(s3, bucket):
    s3.put_object(Bucket=bucket, Key="r", Body=DATA)
    return dict(Bucket=bucket, Key="r")


@pytest.mark.parametrize(
    "text, start, end",
    [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=90-", 90, 99), ("bytes=-5", 95, 99), ("bytes=-500", 0, 99),
     ("bytes=50-99999999999999999999999", 50, 99)],
)
def test_part(s3, key, text, start, end):
    got = s3.get_object(Range=text, **key)
    assert got["Body"].read() == DATA[start : end + 1]
    assert got["ContentRange"] == f"bytes {start}-{end}/100"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert not [name for name in got if name.startswith("Checksum")]
    head = s3.head_object(Range=text, **key)
    assert head["ContentLength"] == end - start + 1 and head["ResponseMetadata"]["HTTPStatusCode"] == 206


@pytest.mark.parametrize("text", ["bytes=5-4", "bytes=a-b", "bytes", "lines=1-2", "bytes=0-1,5-6", "bytes=--5", "bytes=-"])
def test_ignored(s3, key, text):
    got = s3.get_object(Range=text, **key)
    assert got["Body"].read() == DATA and got["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("text", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"])
def test_outside(s3, key, text):
    answer = fails(s3.get_object, "InvalidRange", 416, Range=text, **key)
    assert answer["Error"]["ActualObjectSize"] == "100" and answer["Error"]["RangeRequested"] == text


def test_empty_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="e")
    for text in ("bytes=0-", "bytes=-1"):
        fails(s3.get_object, "InvalidRange", 416, Bucket=bucket, Key="e", Range=text)


def test_part_number_of_a_plain_object(s3, key):
    got = s3.get_object(PartNumber=1, **key)
    assert got["Body"].read() == DATA and got["ContentRange"] == "bytes 0-99/100" and "PartsCount" not in got
    answer = fails(s3.get_object, "InvalidPartNumber", 416, PartNumber=2, **key)
    assert answer["Error"]["ActualPartCount"] == "1" and answer["Error"]["PartNumberRequested"] == "2"
    fails(s3.get_object, "InvalidRequest", 400, PartNumber=1, Range="bytes=0-1", **key)


def test_if_range_is_no_trap(server, bucket, key):
    status, _, body = raw(server, "GET", f"/{bucket}/r", headers={"Range": "bytes=0-1"})
    assert status == 206 and body == DATA[:2]
