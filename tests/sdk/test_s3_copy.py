import datetime

import pytest

from tests.support.s3 import fails, md5, raw

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def source(s3, bucket):
    s3.put_object(
        Bucket=bucket, Key="src", Body=b"payload", ContentType="text/plain", CacheControl="no-cache",
        Metadata={"a": "1"}, Tagging="t=1", ChecksumAlgorithm="SHA1", StorageClass="STANDARD_IA",
    )
    return {"Bucket": bucket, "Key": "src"}


def test_copy_keeps_what_belongs_to_the_object(server, s3, bucket, source):
    result = s3.copy_object(Bucket=bucket, Key="dst", CopySource=source)["CopyObjectResult"]
    assert result["ETag"] == f'"{md5(b"payload")}"' and result["ChecksumSHA1"] and result["LastModified"]
    got = s3.get_object(Bucket=bucket, Key="dst")
    assert got["Body"].read() == b"payload"
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == ("text/plain", "no-cache", {"a": "1"})
    assert got["TagCount"] == 1 and "StorageClass" not in got
    assert (server.data_dir / "buckets" / bucket / "dst").read_bytes() == b"payload"


def test_replace_directives(s3, bucket, source):
    s3.copy_object(
        Bucket=bucket, Key="dst", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"},
        ContentType="text/html", TaggingDirective="REPLACE", Tagging="u=2&v=3",
    )
    got = s3.get_object(Bucket=bucket, Key="dst")
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("text/html", {"b": "2"}, 2)
    assert "CacheControl" not in got
    fails(s3.copy_object, "InvalidArgument", 400, Bucket=bucket, Key="dst", CopySource=source, MetadataDirective="MAYBE")


def test_onto_itself(s3, bucket, source):
    fails(s3.copy_object, "InvalidRequest", 400, Bucket=bucket, Key="src", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="src", CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "1"})
    got = s3.get_object(Bucket=bucket, Key="src")
    assert got["Body"].read() == b"payload" and got["Metadata"] == {"new": "1"}
    s3.copy_object(Bucket=bucket, Key="src", CopySource=source, StorageClass="ONEZONE_IA")
    assert s3.head_object(Bucket=bucket, Key="src")["StorageClass"] == "ONEZONE_IA"


def test_other_checksum(s3, bucket, source):
    result = s3.copy_object(Bucket=bucket, Key="dst", CopySource=source, ChecksumAlgorithm="CRC32C")
    assert result["CopyObjectResult"]["ChecksumCRC32C"] and "ChecksumSHA1" not in result["CopyObjectResult"]


@pytest.mark.parametrize("form", ["{b}/src", "/{b}/src", "{b}/%73rc", "{b}/src?versionId=null"])
def test_forms_of_the_source(server, bucket, source, form):
    text = form.format(b=bucket)
    status, _, body = raw(server, "PUT", f"/{bucket}/dst", b"", {"x-amz-copy-source": text})
    assert status == 200, body


def test_odd_source_keys(s3, bucket):
    for key in ("a b+c", "ü/ö", "50%", "q?x=1", "a//b", "../up"):
        s3.put_object(Bucket=bucket, Key=key if key != "../up" else "up", Body=key.encode())
        if key != "../up":
            s3.copy_object(Bucket=bucket, Key="dst", CopySource={"Bucket": bucket, "Key": key})
            assert s3.get_object(Bucket=bucket, Key="dst")["Body"].read() == key.encode()


def test_bad_sources(server, s3, bucket):
    for text in ("nokey", "/", "bucket/", ""):
        status, _, body = raw(server, "PUT", f"/{bucket}/dst", b"", {"x-amz-copy-source": text or "/"})
        assert status == 400 and b"<Code>InvalidArgument</Code>" in body, text
    answer = fails(s3.copy_object, "NoSuchKey", 404, Bucket=bucket, Key="d", CopySource=f"{bucket}/no")
    assert answer["Error"]["Key"] == "no"
    fails(s3.copy_object, "NoSuchBucket", 404, Bucket=bucket, Key="d", CopySource=f"{bucket}x/no")


def test_source_conditions(s3, bucket, source):
    head = s3.head_object(**source)
    when, etag = head["LastModified"], head["ETag"]
    copy = dict(Bucket=bucket, Key="dst", CopySource=source)
    s3.copy_object(CopySourceIfMatch=etag, **copy)
    fails(s3.copy_object, "PreconditionFailed", 412, CopySourceIfMatch='"no"', **copy)
    fails(s3.copy_object, "PreconditionFailed", 412, CopySourceIfNoneMatch=etag, **copy)
    fails(s3.copy_object, "PreconditionFailed", 412, CopySourceIfModifiedSince=when, **copy)
    s3.copy_object(CopySourceIfModifiedSince=when + HOUR, **copy)
    fails(s3.copy_object, "PreconditionFailed", 412, CopySourceIfUnmodifiedSince=when - HOUR, **copy)
    s3.copy_object(CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince=when - HOUR, **copy)


def test_target_conditions(s3, bucket, source):
    copy = dict(Bucket=bucket, Key="dst", CopySource=source)
    s3.copy_object(IfNoneMatch="*", **copy)
    fails(s3.copy_object, "PreconditionFailed", 412, IfNoneMatch="*", **copy)
    fails(s3.copy_object, "PreconditionFailed", 412, IfMatch='"no"', **copy)
    s3.copy_object(IfMatch=md5(b"payload"), **copy)


def test_foreign_source(server, s3, bucket, source):
    other = server.client("s3", access_key="111122223333")
    mine = bucket + "-other"
    other.create_bucket(Bucket=mine)
    fails(other.copy_object, "AccessDenied", 403, Bucket=mine, Key="d", CopySource=source)
    fails(s3.copy_object, "AccessDenied", 403, Bucket=bucket, Key="d", CopySource=source,
          ExpectedSourceBucketOwner="111122223333")
