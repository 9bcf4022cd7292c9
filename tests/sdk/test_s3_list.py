import random
import time

import pytest

from tests.support.s3 import fails, raw

KEYS = ["a", "a/1", "a/2", "a/b/3", "a0", "b/x/y", "b/x/z", "c", "ä", "日本/x", "zz z+=&%"]


@pytest.fixture
def filled(s3, bucket):
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


def model(keys, prefix="", delimiter="", after="", skip=False):
    """What S3 lists: an ordered list of ("key"|"prefix", text)."""
    out = []
    for key in sorted(keys, key=lambda k: k.encode()):
        if not key.startswith(prefix) or key.encode() <= after.encode():
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        if at < 0:
            out.append(("key", key))
            continue
        common = key[: at + len(delimiter)]
        if skip and after.startswith(common):
            continue
        if ("prefix", common) not in out:
            out.append(("prefix", common))
    return out


def shown(page):
    keys = [("key", o["Key"]) for o in page.get("Contents", [])]
    return keys + [("prefix", p["Prefix"]) for p in page.get("CommonPrefixes", [])]


def test_everything(s3, filled):
    page = s3.list_objects_v2(Bucket=filled)
    assert [o["Key"] for o in page["Contents"]] == sorted(KEYS, key=lambda k: k.encode())
    assert page["KeyCount"] == len(KEYS) and not page["IsTruncated"] and page["MaxKeys"] == 1000
    one = page["Contents"][0]
    assert one["Size"] == 1 and one["StorageClass"] == "STANDARD" and one["ETag"].startswith('"')
    assert one["ChecksumAlgorithm"] == ["CRC32"] and one["ChecksumType"] == "FULL_OBJECT" and "Owner" not in one
    owned = s3.list_objects_v2(Bucket=filled, FetchOwner=True)["Contents"][0]
    assert len(owned["Owner"]["ID"]) == 64
    assert "Owner" in s3.list_objects(Bucket=filled)["Contents"][0]


@pytest.mark.parametrize("prefix", ["", "a", "a/", "b/x", "nothing", "ä", "日"])
@pytest.mark.parametrize("delimiter", ["", "/", "x/", "0"])
def test_prefix_and_delimiter(s3, filled, prefix, delimiter):
    expected = model(KEYS, prefix, delimiter)
    page = s3.list_objects_v2(Bucket=filled, Prefix=prefix, Delimiter=delimiter)
    assert sorted(shown(page)) == sorted(expected) and page["KeyCount"] == len(expected)
    assert sorted(shown(s3.list_objects(Bucket=filled, Prefix=prefix, Delimiter=delimiter))) == sorted(expected)
    versions = s3.list_object_versions(Bucket=filled, Prefix=prefix, Delimiter=delimiter)
    versions["Contents"] = versions.get("Versions", [])
    assert sorted(shown(versions)) == sorted(expected)


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects", "list_object_versions"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages(s3, filled, operation, size, delimiter):
    pages = s3.get_paginator(operation).paginate(
        Bucket=filled, Delimiter=delimiter, PaginationConfig={"PageSize": size}
    )
    seen = []
    for page in pages:
        page.setdefault("Contents", page.get("Versions", []))
        assert len(shown(page)) <= size
        seen += shown(page)
    assert sorted(seen) == sorted(model(KEYS, delimiter=delimiter))
    assert len(seen) == len(set(seen))


def test_start_after_and_marker(s3, filled):
    page = s3.list_objects_v2(Bucket=filled, StartAfter="a/1")
    assert shown(page) == model(KEYS, after="a/1") and page["StartAfter"] == "a/1"
    first = s3.list_objects_v2(Bucket=filled, MaxKeys=2)
    page = s3.list_objects_v2(Bucket=filled, StartAfter="zz", ContinuationToken=first["NextContinuationToken"])
    assert shown(page)[0] == model(KEYS)[2]
    page = s3.list_objects(Bucket=filled, Delimiter="/", Marker="a/b/3")
    assert sorted(shown(page)) == sorted(model(KEYS, delimiter="/", after="a/b/3", skip=True))


def test_v1_marker_only_with_delimiter(s3, filled):
    assert "NextMarker" not in s3.list_objects(Bucket=filled, MaxKeys=2)
    page = s3.list_objects(Bucket=filled, MaxKeys=2, Delimiter="/")
    assert page["NextMarker"] == "a/" and page["IsTruncated"]


def test_max_keys(server, s3, filled):
    page = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert not page["IsTruncated"] and page["KeyCount"] == 0
    assert s3.list_objects_v2(Bucket=filled, MaxKeys=5000)["MaxKeys"] == 1000
    for bad in ("-1", "x", "99999999999"):
        status, _, body = raw(server, "GET", f"/{filled}?list-type=2&max-keys={bad}")
        assert status == 400 and b"<Code>InvalidArgument</Code>" in body, body


@pytest.mark.parametrize("token", ["", "x", "!!", "a2E", "eHk="])
def test_bad_tokens(s3, filled, token):
    if token == "a2E":  # "ka": one of ours
        return
    answer = fails(s3.list_objects_v2, "InvalidArgument", 400, Bucket=filled, ContinuationToken=token)
    assert answer["Error"]["Message"] == "The continuation token provided is incorrect"


def test_encoding(server, s3, bucket):
    keys = ["a b", "c+d", "e=f", "g/h", "ü", "x*y", "tab\there", "~"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key)
    assert sorted(o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]) == sorted(keys)
    _, _, body = raw(server, "GET", f"/{bucket}?list-type=2&encoding-type=url")
    for text in (b"a+b", b"c%2Bd", b"e%3Df", b"g/h", b"%C3%BC", b"x*y", b"tab%09here", b"%7E"):
        assert b"<Key>" + text + b"</Key>" in body, text
    for bad in ("encoding-type=xml", "encoding-type="):
        status, _, body = raw(server, "GET", f"/{bucket}?list-type=2&{bad}")
        assert status == 400 and b"Invalid Encoding Method specified in Request" in body


def test_control_characters_survive_without_encoding(server, bucket):
    assert raw(server, "PUT", f"/{bucket}/a%01b", b"")[0] == 200
    _, _, body = raw(server, "GET", f"/{bucket}?list-type=2")
    assert b"a&#x1;b" in body.replace(b"&#1;", b"&#x1;")


def test_versions_show_null(s3, filled):
    got = s3.list_object_versions(Bucket=filled, MaxKeys=2)
    assert all(v["VersionId"] == "null" and v["IsLatest"] for v in got["Versions"])
    assert got["NextKeyMarker"] == "a/1" and got["NextVersionIdMarker"] == "null"
    fails(s3.list_object_versions, "InvalidArgument", 400, Bucket=filled, VersionIdMarker="null")


def test_random_against_the_model(s3, bucket):
    rng = random.Random(7)
    keys = sorted({"".join(rng.choice("ab/") for _ in range(rng.randint(1, 6))) for _ in range(60)})
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key)
    for _ in range(60):
        prefix = rng.choice(keys)[: rng.randint(0, 3)]
        delimiter = rng.choice(["", "/", "a", "b/"])
        size = rng.randint(1, 9)
        seen, more = [], {}
        while True:
            page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter=delimiter, MaxKeys=size, **more)
            seen += shown(page)
            if not page["IsTruncated"]:
                break
            more = {"ContinuationToken": page["NextContinuationToken"]}
        assert sorted(seen) == sorted(model(keys, prefix, delimiter)), (prefix, delimiter, size)
        after = rng.choice(keys)
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter=delimiter, StartAfter=after)
        assert sorted(shown(page)) == sorted(model(keys, prefix, delimiter, after)), (prefix, delimiter, after)


def test_a_prefix_costs_the_same_however_full_it_is(s3, bucket):
    """A delimiter listing seeks past each common prefix."""
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"few{i}/x")

    def listing():
        start = time.perf_counter()
        s3.list_objects_v2(Bucket=bucket, Delimiter="/")
        return time.perf_counter() - start

    listing()
    quick = min(listing() for _ in range(5))
    for i in range(3000):
        s3.put_object(Bucket=bucket, Key=f"few0/{i:05}")
    assert min(listing() for _ in range(5)) < quick * 3 + 0.01
