import pytest

from tests.support.s3 import fails


def tags(**pairs):
    return {"TagSet": [{"Key": k, "Value": v} for k, v in pairs.items()]}


def test_object_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Tagging="a=1&b=two%20words")
    where = dict(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(**where)["TagSet"] == tags(a="1", b="two words")["TagSet"]
    s3.put_object_tagging(Tagging=tags(c="3", empty="", ü="ö"), **where)
    assert s3.get_object_tagging(**where)["TagSet"] == tags(c="3", empty="", ü="ö")["TagSet"]
    assert s3.head_object(**where)["TagCount"] == 3
    assert s3.delete_object_tagging(**where)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object_tagging(**where)["TagSet"] == []
    assert "TagCount" not in s3.head_object(**where)


def test_missing_object(s3, bucket):
    where = dict(Bucket=bucket, Key="none")
    fails(s3.get_object_tagging, "NoSuchKey", 404, **where)
    fails(s3.put_object_tagging, "NoSuchKey", 404, Tagging=tags(a="1"), **where)
    fails(s3.delete_object_tagging, "NoSuchKey", 404, **where)


@pytest.mark.parametrize(
    "bad",
    [tags(**{f"k{i}": "v" for i in range(11)}), tags(**{"k" * 129: "v"}), tags(k="v" * 257),
     tags(**{"aws:x": "v"}), {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, tags(k="<bad>")],
)
def test_bad_sets(s3, bucket, bad):
    s3.put_object(Bucket=bucket, Key="k")
    fails(s3.put_object_tagging, "InvalidTag", 400, Bucket=bucket, Key="k", Tagging=bad)


def test_bad_header(s3, bucket):
    fails(s3.put_object, "InvalidTag", 400, Bucket=bucket, Key="k", Tagging="&".join(f"k{i}=v" for i in range(11)))
    fails(s3.put_object, "InvalidTag", 400, Bucket=bucket, Key="k", Tagging="a=1&a=2")


def test_bucket_tags(s3, bucket):
    fails(s3.get_bucket_tagging, "NoSuchTagSet", 404, Bucket=bucket)
    assert s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(a="1", b="2"))["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(a="1", b="2")["TagSet"]
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(**{f"k{i}": "v" for i in range(50)}))
    fails(s3.put_bucket_tagging, "InvalidTag", 400, Bucket=bucket, Tagging=tags(**{f"k{i}": "v" for i in range(51)}))
    s3.delete_bucket_tagging(Bucket=bucket)
    fails(s3.get_bucket_tagging, "NoSuchTagSet", 404, Bucket=bucket)


def test_tags_at_creation(s3, unique):
    name = unique("tagged")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "1"}]})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "a", "Value": "1"}]
