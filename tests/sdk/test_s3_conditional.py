import datetime

import pytest

from tests.support.s3 import fails, md5, raw

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def there(s3, bucket):
    """An object `k` with the body `x`: its ETag and time."""
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    return etag, s3.head_object(Bucket=bucket, Key="k")["LastModified"]


@pytest.mark.parametrize("method", ["get_object", "head_object"])
def test_reads(s3, bucket, there, method):
    read = getattr(s3, method)
    etag, when = there
    name = dict(Bucket=bucket, Key="k")
    precondition = "PreconditionFailed" if method == "get_object" else "412"
    for good in (etag, etag.strip('"'), "*", f'"other", {etag}'):
        read(IfMatch=good, **name)
    fails(read, precondition, 412, IfMatch='"other"', **name)
    fails(read, "304", 304, IfNoneMatch=etag, **name)
    read(IfNoneMatch='"other"', **name)
    fails(read, "304", 304, IfModifiedSince=when, **name)
    read(IfModifiedSince=when - HOUR, **name)
    read(IfModifiedSince=when + HOUR, **name)  # lies in the future: ignored
    read(IfUnmodifiedSince=when, **name)
    fails(read, precondition, 412, IfUnmodifiedSince=when - HOUR, **name)
    # the stronger of each pair decides
    read(IfMatch=etag, IfUnmodifiedSince=when - HOUR, **name)
    read(IfNoneMatch='"other"', IfModifiedSince=when, **name)
    fails(read, "304", 304, IfNoneMatch=etag, IfModifiedSince=when - HOUR, **name)


def test_not_modified_has_headers_but_no_body(server, s3, bucket, there):
    status, seen, body = raw(server, "GET", f"/{bucket}/k", headers={"If-None-Match": there[0]})
    assert status == 304 and body == b"" and seen["etag"] == there[0] and "last-modified" in seen


def test_bad_dates_are_ignored(server, bucket, there):
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        assert raw(server, "GET", f"/{bucket}/k", headers={name: "yesterday"})[0] == 200


def test_put_if_none_match(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    answer = fails(s3.put_object, "PreconditionFailed", 412, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert answer["Error"]["Condition"] == "If-None-Match"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"
    s3.delete_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfNoneMatch="*")


def test_put_if_match(s3, bucket, there):
    fails(s3.put_object, "PreconditionFailed", 412, Bucket=bucket, Key="k", Body=b"2", IfMatch='"other"')
    fails(s3.put_object, "NoSuchKey", 404, Bucket=bucket, Key="absent", Body=b"2", IfMatch='"other"')
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=there[0])
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=md5(b"2"))


def test_put_conditions_that_s3_does_not_have(s3, bucket, there):
    put = dict(Bucket=bucket, Key="k", Body=b"2")
    assert fails(s3.put_object, "NotImplemented", 501, IfMatch="*", **put)["Error"]["Header"] == "If-Match"
    fails(s3.put_object, "NotImplemented", 501, IfNoneMatch=there[0], **put)
    fails(s3.put_object, "NotImplemented", 501, IfNoneMatch="*", IfMatch=there[0], **put)


def test_delete_if_match(s3, bucket, there):
    fails(s3.delete_object, "PreconditionFailed", 412, Bucket=bucket, Key="k", IfMatch='"other"')
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=there[0])
    fails(s3.head_object, "404", 404, Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k")
    s3.delete_object(Bucket=bucket, Key="k", IfMatch="*")
    fails(s3.delete_object, "NotImplemented", 501, Bucket=bucket, Key="k", IfMatchSize=3)


def test_only_one_of_many_creators_wins(server, bucket):
    import concurrent.futures

    def create(i):
        client = server.client("s3", max_pool_connections=20)
        try:
            client.put_object(Bucket=bucket, Key="lock", Body=b"%d" % i, IfNoneMatch="*")
            return 1
        except client.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return 0

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(create, range(64))) == 1
