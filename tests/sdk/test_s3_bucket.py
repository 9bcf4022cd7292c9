import uuid

import pytest

from tests.support.s3 import fails, headers_of, raw


def fresh():
    return "t-" + uuid.uuid4().hex[:12]


def test_create_list_head_delete(server, s3):
    name = fresh()
    answer = s3.create_bucket(Bucket=name)
    assert answer["Location"] == "/" + name
    assert answer["BucketArn"] == "arn:aws:s3:::" + name
    assert (server.data_dir / "buckets" / name).is_dir()
    listed = s3.list_buckets()
    assert name in [b["Name"] for b in listed["Buckets"]]
    assert len(listed["Owner"]["ID"]) == 64
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None
    s3.delete_bucket(Bucket=name)
    assert fails(s3.head_bucket, "404", 404, Bucket=name)
    fails(s3.delete_bucket, "NoSuchBucket", 404, Bucket=name)


def test_create_again_is_silent_in_us_east_1_only(server, s3, bucket):
    s3.create_bucket(Bucket=bucket)
    west = server.client("s3", region="eu-west-1")
    name = fresh()
    where = {"LocationConstraint": "eu-west-1"}
    west.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    fails(west.create_bucket, "BucketAlreadyOwnedByYou", 409, Bucket=name, CreateBucketConfiguration=where)
    assert west.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"


def test_location_constraints(server, s3):
    west = server.client("s3", region="eu-west-1")
    for client, where, code in [
        (s3, "eu-west-1", "IllegalLocationConstraintException"),
        (s3, "us-east-1", "InvalidLocationConstraint"),
        (s3, "nowhere", "InvalidLocationConstraint"),
        (west, "eu-west-2", "IllegalLocationConstraintException"),
    ]:
        fails(client.create_bucket, code, 400, Bucket=fresh(), CreateBucketConfiguration={"LocationConstraint": where})
    status, _, body = raw(server, "PUT", "/" + fresh())
    assert status == 200, body


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Upper", "under_score", "-dash", "dash-", "two..dots", "192.168.0.1", "xn--abc", "sthree-x",
     "amzn-s3-demo-x", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3", "abc--table-s3"],
)
def test_bad_names(server, name):
    status, _, body = raw(server, "PUT", "/" + name)
    assert status == 400 and b"<Code>InvalidBucketName</Code>" in body
    assert f"<BucketName>{name}</BucketName>".encode() in body


def test_not_empty(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k")
    fails(s3.delete_bucket, "BucketNotEmpty", 409, Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.create_multipart_upload(Bucket=bucket, Key="unfinished")
    s3.delete_bucket(Bucket=bucket)


def test_other_accounts_see_nothing(server, s3, bucket):
    other = server.client("s3", access_key="111122223333")
    s3.put_object(Bucket=bucket, Key="k", Body=b"mine")
    fails(other.create_bucket, "BucketAlreadyExists", 409, Bucket=bucket)
    fails(other.get_object, "AccessDenied", 403, Bucket=bucket, Key="k")
    fails(other.list_objects_v2, "AccessDenied", 403, Bucket=bucket)
    fails(other.put_object, "AccessDenied", 403, Bucket=bucket, Key="k2", Body=b"x")
    assert bucket not in [b["Name"] for b in other.list_buckets()["Buckets"]]


def test_expected_owner(s3, bucket):
    s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner="000000000000")
    fails(s3.list_objects_v2, "AccessDenied", 403, Bucket=bucket, ExpectedBucketOwner="111122223333")
    fails(s3.list_objects_v2, "InvalidBucketOwnerAWSAccountID", 400, Bucket=bucket, ExpectedBucketOwner="me")


def test_list_buckets_in_pages(server):
    client = server.client("s3", access_key="444455556666")
    names = sorted(fresh() for _ in range(5))
    for name in names:
        client.create_bucket(Bucket=name)
    seen, token = [], {}
    while True:
        page = client.list_buckets(MaxBuckets=2, **token)
        assert len(page["Buckets"]) <= 2
        seen += [b["Name"] for b in page["Buckets"]]
        if "ContinuationToken" not in page:
            break
        token = {"ContinuationToken": page["ContinuationToken"]}
    assert seen == names
    assert [b["Name"] for b in client.list_buckets(Prefix=names[0])["Buckets"]] == names[:1]


def test_headers_of_every_answer(s3, bucket):
    seen = headers_of(s3.head_bucket(Bucket=bucket))
    assert len(seen["x-amz-request-id"]) == 16 and seen["x-amz-id-2"]
    assert seen["server"] == "AmazonS3"


def test_virtual_host(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"virtual")
    for host in (f"{bucket}.localhost", f"{bucket}.s3.localhost", f"{bucket}.s3.us-east-1.localhost"):
        status, _, body = raw(server, "GET", "/a/b", headers={"Host": f"{host}:{server.port}"})
        assert (status, body) == (200, b"virtual"), host
