import json

import pytest

from tests.support.s3 import fails


@pytest.mark.parametrize(
    "method, code, status",
    [
        ("get_bucket_policy", "NoSuchBucketPolicy", 404),
        ("get_bucket_policy_status", "NoSuchBucketPolicy", 404),
        ("get_bucket_cors", "NoSuchCORSConfiguration", 404),
        ("get_bucket_website", "NoSuchWebsiteConfiguration", 404),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration", 404),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError", 404),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError", 404),
        ("get_bucket_tagging", "NoSuchTagSet", 404),
    ],
)
def test_unset_is_an_error(s3, bucket, method, code, status):
    fails(getattr(s3, method), code, status, Bucket=bucket)
    fails(getattr(s3, method), "NoSuchBucket", 404, Bucket=bucket + "x")


def test_unset_is_empty(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert set(answer) == {"ResponseMetadata"}


@pytest.mark.parametrize("kind", ["analytics", "inventory", "metrics", "intelligent_tiering"])
def test_numbered_settings(s3, bucket, kind):
    get = getattr(s3, f"get_bucket_{kind}_configuration")
    fails(get, "NoSuchConfiguration", 404, Bucket=bucket, Id="x")
    listed = getattr(s3, f"list_bucket_{kind}_configurations")(Bucket=bucket)
    assert not listed["IsTruncated"] and not [k for k in listed if k.endswith("List")]


@pytest.mark.parametrize("what", ["cors", "website", "lifecycle", "replication", "tagging", "policy", "encryption"])
def test_deleting_what_is_not_set(s3, bucket, what):
    answer = getattr(s3, f"delete_bucket_{what}")(Bucket=bucket)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                  "Resource": "arn:aws:s3:::x/*"}]}


def test_policy(s3, bucket):
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(POLICY))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == POLICY
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    for bad in ("no json", "[]", "{", "{}"):
        fails(s3.put_bucket_policy, "MalformedPolicy", 400, Bucket=bucket, Policy=bad)
    s3.delete_bucket_policy(Bucket=bucket)
    fails(s3.get_bucket_policy, "NoSuchBucketPolicy", 404, Bucket=bucket)


def encryption(algorithm, **rule):
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}, **rule}]}


def test_encryption(s3, bucket):
    def shown():
        return s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]

    assert shown() == encryption("AES256", BucketKeyEnabled=False)
    s3.put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration=encryption("AES256", BucketKeyEnabled=True)
    )
    assert shown() == encryption("AES256", BucketKeyEnabled=True)
    s3.delete_bucket_encryption(Bucket=bucket)
    assert shown() == encryption("AES256", BucketKeyEnabled=False)
    fails(s3.put_bucket_encryption, "NotImplemented", 501, Bucket=bucket,
          ServerSideEncryptionConfiguration=encryption("aws:kms"))


def test_public_access_block(s3, bucket):
    names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]

    def shown():
        return s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]

    assert shown() == dict.fromkeys(names, True)
    wanted = dict(zip(names, [True, False, True, False]))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted)
    assert shown() == wanted
    s3.delete_public_access_block(Bucket=bucket)
    fails(s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", 404, Bucket=bucket)


def test_ownership(s3, bucket, unique):
    def shown(name):
        return s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]

    assert shown(bucket) == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert shown(bucket) == [{"ObjectOwnership": "ObjectWriter"}]
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    fails(s3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError", 404, Bucket=bucket)
    name = unique("owned")
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerPreferred")
    assert shown(name) == [{"ObjectOwnership": "BucketOwnerPreferred"}]


def test_what_would_have_no_effect_is_refused(s3, bucket):
    for status in ("Enabled", "Suspended"):
        answer = fails(
            s3.put_bucket_versioning, "NotImplemented", 501, Bucket=bucket, VersioningConfiguration={"Status": status}
        )
        assert "ersion" in answer["Error"]["Message"]
    rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    fails(s3.put_bucket_lifecycle_configuration, "NotImplemented", 501, Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    fails(s3.put_bucket_website, "NotImplemented", 501, Bucket=bucket,
          WebsiteConfiguration={"IndexDocument": {"Suffix": "i"}})
    fails(s3.put_bucket_cors, "NotImplemented", 501, Bucket=bucket,
          CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]})
    fails(s3.put_bucket_logging, "NotImplemented", 501, Bucket=bucket,
          BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "l/"}})
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    fails(s3.put_bucket_request_payment, "NotImplemented", 501, Bucket=bucket,
          RequestPaymentConfiguration={"Payer": "Requester"})
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    fails(s3.create_bucket, "NotImplemented", 501, Bucket=bucket + "-l", ObjectLockEnabledForBucket=True)


def test_object_lock_of_objects(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k")
    fails(s3.get_object_retention, "InvalidRequest", 400, Bucket=bucket, Key="k")
    fails(s3.get_object_legal_hold, "InvalidRequest", 400, Bucket=bucket, Key="k")


def test_settings_die_with_the_bucket(s3, unique):
    name = unique("again")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.delete_bucket(Bucket=name)
    s3.create_bucket(Bucket=name)
    fails(s3.get_bucket_tagging, "NoSuchTagSet", 404, Bucket=name)
