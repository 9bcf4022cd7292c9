import base64
import hashlib

from tests.support.s3 import fails, files_under, raw
from tests.support.wait import wait_until


def test_delete_takes_the_file_and_empty_folders(server, s3, bucket):
    root = server.data_dir / "buckets" / bucket
    s3.put_object(Bucket=bucket, Key="a/b/c", Body=b"1")
    s3.put_object(Bucket=bucket, Key="a/d", Body=b"2")
    assert files_under(root) == ["a/b/c", "a/d"]
    answer = s3.delete_object(Bucket=bucket, Key="a/b/c")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    wait_until(lambda: files_under(root) == ["a/d"] and not (root / "a" / "b").exists())
    s3.delete_object(Bucket=bucket, Key="a/d")
    wait_until(lambda: not list(root.iterdir()))
    fails(s3.get_object, "NoSuchKey", 404, Bucket=bucket, Key="a/d")


def test_delete_of_nothing_succeeds(s3, bucket):
    assert s3.delete_object(Bucket=bucket, Key="never")["ResponseMetadata"]["HTTPStatusCode"] == 204
    fails(s3.delete_object, "NoSuchBucket", 404, Bucket=bucket + "x", Key="k")


def test_many(s3, bucket):
    keys = [f"k{i}" for i in range(20)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key)
    asked = [{"Key": k} for k in keys[:10]] + [{"Key": "absent"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": asked})
    assert [d["Key"] for d in answer["Deleted"]] == keys[:10] + ["absent"] and "Errors" not in answer
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys[10:]], "Quiet": True})
    assert "Deleted" not in answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_many_with_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    s3.put_object(Bucket=bucket, Key="l", Body=b"x")
    asked = [{"Key": "k", "ETag": '"no"'}, {"Key": "l", "ETag": etag}, {"Key": "none", "ETag": etag},
             {"Key": "l", "VersionId": "x" * 32}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": asked})
    assert [d["Key"] for d in answer["Deleted"]] == ["l"]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [
        ("k", "PreconditionFailed"), ("none", "NoSuchKey"), ("l", "NoSuchVersion")]


def test_odd_keys(s3, bucket):
    keys = ["a b", "<&>", "ü\t", "x//y", "trailing/"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_limits_and_integrity(server, s3, bucket):
    fails(s3.delete_objects, "MalformedXML", 400, Bucket=bucket, Delete={"Objects": [{"Key": f"{i}"} for i in range(1001)]})
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"{i}"} for i in range(1000)]})
    xml = b"<Delete><Object><Key>k</Key></Object></Delete>"
    status, _, body = raw(server, "POST", f"/{bucket}?delete", xml)
    assert status == 400 and b"Missing required header for this request: Content-MD5" in body
    digest = base64.b64encode(hashlib.md5(xml).digest()).decode()
    assert raw(server, "POST", f"/{bucket}?delete", xml, {"Content-MD5": digest})[0] == 200
    wrong = base64.b64encode(bytes(16)).decode()
    status, _, body = raw(server, "POST", f"/{bucket}?delete", xml, {"Content-MD5": wrong})
    assert status == 400 and b"<Code>BadDigest</Code>" in body
    for broken in (b"<Delete></Delete>", b"<Delete><Object><Key>", b"nonsense"):
        digest = base64.b64encode(hashlib.md5(broken).digest()).decode()
        status, _, body = raw(server, "POST", f"/{bucket}?delete", broken, {"Content-MD5": digest})
        assert status == 400 and b"<Code>MalformedXML</Code>" in body, broken
