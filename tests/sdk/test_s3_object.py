import datetime

import pytest

from tests.support.s3 import MIB, fails, headers_of, md5, raw


@pytest.mark.parametrize("size", [0, 1, 1024, 70_000, 3 * MIB + 17])
def test_put_get_head(server, s3, bucket, size):
    data = bytes(i * 7 % 251 for i in range(min(size, 1000))) * (size // 1000 + 1)
    data = data[:size]
    put = s3.put_object(Bucket=bucket, Key="dir/file.bin", Body=data)
    assert put["ETag"] == f'"{md5(data)}"'
    assert put["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="dir/file.bin")
    assert got["Body"].read() == data
    assert got["ContentLength"] == size and got["ETag"] == put["ETag"]
    assert got["ContentType"] == "binary/octet-stream" and got["AcceptRanges"] == "bytes"
    head = s3.head_object(Bucket=bucket, Key="dir/file.bin")
    assert head["ContentLength"] == size and head["ETag"] == put["ETag"]
    assert head["LastModified"] == got["LastModified"]
    assert (server.data_dir / "buckets" / bucket / "dir" / "file.bin").read_bytes() == data


def test_overwrite_replaces_everything(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one", Metadata={"a": "1"}, ContentType="text/plain", Tagging="t=1")
    s3.put_object(Bucket=bucket, Key="k", Body=b"second")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"second" and got["Metadata"] == {}
    assert got["ContentType"] == "binary/octet-stream" and "TagCount" not in got
    assert (server.data_dir / "buckets" / bucket / "k").read_bytes() == b"second"


def test_system_and_user_metadata(s3, bucket):
    expires = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    given = dict(
        ContentType="text/csv; charset=utf-8", ContentEncoding="gzip", ContentLanguage="de", CacheControl="max-age=5",
        ContentDisposition='attachment; filename="a b.csv"', StorageClass="STANDARD_IA",
        Metadata={"one": "1", "Two-Words": "  trimmed  ", "empty": ""}, WebsiteRedirectLocation="/elsewhere",
    )
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Expires=expires, Tagging="a=1&b=x%20y", **given)
    for read in (s3.get_object, s3.head_object):
        got = read(Bucket=bucket, Key="k")
        for name in given:
            if name != "Metadata":
                assert got[name] == given[name], name
        assert got["Metadata"] == {"one": "1", "two-words": "trimmed", "empty": ""}
        assert got["ExpiresString"] == "Wed, 02 Jan 2030 03:04:05 GMT"
        assert got["TagCount"] == 2


def test_standard_class_is_not_shown(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", StorageClass="STANDARD")
    assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="k")
    fails(s3.put_object, "InvalidStorageClass", 400, Bucket=bucket, Key="k", StorageClass="BRONZE")
    fails(s3.put_object, "NotImplemented", 501, Bucket=bucket, Key="k", StorageClass="DEEP_ARCHIVE")


def test_metadata_limits_and_non_ascii(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Metadata={"m": "x" * 2047})
    answer = fails(s3.put_object, "MetadataTooLarge", 400, Bucket=bucket, Key="k", Metadata={"m": "x" * 2048})
    assert answer["Error"]["Size"] == "2049" and answer["Error"]["MaxSizeAllowed"] == "2048"
    status, _, _ = raw(server, "PUT", f"/{bucket}/u", b"x", {"x-amz-meta-who": "Zoë".encode()})
    assert status == 200
    _, seen, _ = raw(server, "HEAD", f"/{bucket}/u")
    assert seen["x-amz-meta-who"] == "=?UTF-8?B?Wm/Dqw==?="


def test_missing(server, s3, bucket):
    answer = fails(s3.get_object, "NoSuchKey", 404, Bucket=bucket, Key="no/such")
    assert answer["Error"]["Key"] == "no/such"
    fails(s3.head_object, "404", 404, Bucket=bucket, Key="no/such")
    answer = fails(s3.get_object, "NoSuchBucket", 404, Bucket=bucket + "x", Key="k")
    assert answer["Error"]["BucketName"] == bucket + "x"
    fails(s3.put_object, "NoSuchBucket", 404, Bucket=bucket + "x", Key="k", Body=b"x")
    status, _, body = raw(server, "GET", f"/{bucket}/no")
    assert status == 404 and b"<HostId>" in body and b"<RequestId>" in body


def test_version_ids(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"x"
    answer = fails(s3.get_object, "InvalidArgument", 400, Bucket=bucket, Key="k", VersionId="nonsense!")
    assert answer["Error"]["ArgumentName"] == "versionId"
    fails(s3.get_object, "NoSuchVersion", 404, Bucket=bucket, Key="k", VersionId="a" * 32)


def test_response_overrides_need_a_signature(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    got = s3.get_object(
        Bucket=bucket, Key="k", ResponseContentType="text/html", ResponseContentDisposition="inline",
        ResponseContentEncoding="br", ResponseContentLanguage="fr", ResponseCacheControl="no-store",
    )
    assert (got["ContentType"], got["ContentDisposition"], got["ContentEncoding"]) == ("text/html", "inline", "br")
    assert (got["ContentLanguage"], got["CacheControl"]) == ("fr", "no-store")
    status, _, body = raw(server, "GET", f"/{bucket}/k?response-content-type=text/html")
    assert status == 400 and b"<Code>InvalidRequest</Code>" in body


def test_what_is_not_done_is_refused(s3, bucket):
    put = dict(Bucket=bucket, Key="k", Body=b"x")
    fails(s3.put_object, "NotImplemented", 501, ServerSideEncryption="aws:kms", **put)
    fails(s3.put_object, "NotImplemented", 501, SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32, **put)
    fails(s3.put_object, "AccessControlListNotSupported", 400, ACL="public-read", **put)
    fails(s3.put_object, "InvalidArgument", 400, ACL="everybody", **put)
    fails(s3.put_object, "InvalidRequest", 400, ObjectLockLegalHoldStatus="ON", **put)
    fails(s3.get_object, "NoSuchKey", 404, Bucket=bucket, Key="k")
    s3.put_object(ACL="private", ServerSideEncryption="AES256", **put)
    s3.put_object(ACL="bucket-owner-full-control", **put)


def test_key_limits(server, bucket):
    assert raw(server, "PUT", f"/{bucket}/" + "k" * 1024, b"x")[0] == 200
    status, _, body = raw(server, "PUT", f"/{bucket}/" + "k" * 1025, b"x")
    assert status == 400 and b"<Code>KeyTooLongError</Code>" in body and b"<Size>1025</Size>" in body
    for bad in ("%FF", "%C3", "a%00b"):
        status, _, body = raw(server, "PUT", f"/{bucket}/{bad}", b"x")
        assert status == 400 and b"<Code>InvalidURI</Code>" in body, bad


def test_too_large_is_refused_before_the_bytes(server, bucket):
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
        s.sendall(
            f"PUT /{bucket}/big HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
            f"Content-Length: {5 * 1024**3 + 1}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        answer = s.recv(65536)
        while b"</Error>" not in answer:
            more = s.recv(65536)
            assert more, answer
            answer += more
    assert b" 400 " in answer.split(b"\r\n")[0] and b"<Code>EntityTooLarge</Code>" in answer


def test_attributes(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm="SHA256")
    got = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    )
    assert got["ETag"] == md5(b"hello") and got["ObjectSize"] == 5 and got["StorageClass"] == "STANDARD"
    assert got["Checksum"]["ChecksumSHA256"] and got["Checksum"]["ChecksumType"] == "FULL_OBJECT"
    assert "ObjectParts" not in got
    got = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"])
    assert "ETag" not in got and "Checksum" not in got
    fails(s3.get_object_attributes, "InvalidArgument", 400, Bucket=bucket, Key="k", ObjectAttributes=["Color"])


def test_acl(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k")
    for acl in (s3.get_bucket_acl(Bucket=bucket), s3.get_object_acl(Bucket=bucket, Key="k")):
        assert acl["Grants"][0]["Permission"] == "FULL_CONTROL"
        assert acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"]
        assert acl["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    fails(s3.put_bucket_acl, "AccessControlListNotSupported", 400, Bucket=bucket, ACL="public-read")
    fails(s3.put_object_acl, "AccessControlListNotSupported", 400, Bucket=bucket, Key="k", ACL="public-read")


def test_date_headers(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k")
    seen = headers_of(s3.head_object(Bucket=bucket, Key="k"))
    assert seen["last-modified"].endswith(" GMT") and seen["date"].endswith(" GMT")
