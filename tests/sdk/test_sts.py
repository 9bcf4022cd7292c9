"""STS: identities and temporary credentials, and that these are really checked."""

import boto3
import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/path/worker"


def session(server, credentials):
    return boto3.client(
        "sts", endpoint_url=server.endpoint, region_name="us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"])


def test_identity_of_any_key(server):
    identity = server.client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"] == "arn:aws:iam::000000000000:root"
    other = server.client("sts", access_key="123456789012").get_caller_identity()
    assert other["Account"] == "123456789012"


def test_assumed_role(server):
    answer = server.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me@work")
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA") and len(credentials["AccessKeyId"]) == 20
    identity = session(server, credentials).get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::000000000000:assumed-role/worker/me@work"
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


def test_issued_keys_are_verified(server):
    credentials = server.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
    with pytest.raises(ClientError) as e:
        session(server, credentials | {"SecretAccessKey": "wrong"}).get_caller_identity()
    assert e.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    with pytest.raises(ClientError) as e:
        session(server, credentials | {"SessionToken": "wrong"}).get_caller_identity()
    assert e.value.response["Error"]["Code"] in ("InvalidClientTokenId", "InvalidToken")


@pytest.mark.parametrize("arn", ["worker", "arn:aws:iam::000000000000:user/x-long-enough", "arn:aws:iam::1:role/xyz-abc-def"])
def test_bad_role_arn(server, arn):
    with pytest.raises(ClientError) as e:
        server.client("sts", parameter_validation=False).assume_role(RoleArn=arn, RoleSessionName="me")
    assert e.value.response["Error"]["Code"] == "ValidationError"
