"""IAM roles and policies through boto3."""

import json

import pytest
from botocore.exceptions import ClientError

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "a b+c"}]}


@pytest.fixture
def iam(server):
    return server.client("iam")


@pytest.fixture
def role(iam, unique):
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Description="for <tests> & more")
    return name


def code(error):
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_role_comes_back_as_it_was_made(iam, unique):
    name = unique("role")
    made = iam.create_role(
        RoleName=name, Path="/service/", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=7200,
        Tags=[{"Key": "team", "Value": "déjà"}])["Role"]
    got = iam.get_role(RoleName=name)["Role"]
    assert got == made
    assert got["Arn"] == f"arn:aws:iam::000000000000:role/service/{name}"
    assert got["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert got["RoleId"].startswith("AROA") and len(got["RoleId"]) == 21
    assert got["Tags"] == [{"Key": "team", "Value": "déjà"}]
    assert got["MaxSessionDuration"] == 7200
    iam.get_waiter("role_exists").wait(RoleName=name)


def test_role_errors(iam, role):
    with pytest.raises(ClientError) as e:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    assert code(e) == ("EntityAlreadyExists", 409)
    with pytest.raises(ClientError) as e:
        iam.get_role(RoleName="no-such-role")
    assert code(e) == ("NoSuchEntity", 404)
    assert "no-such-role" in str(e.value)
    for bad in ("not json", "[]", "{}"):
        with pytest.raises(ClientError) as e:
            iam.create_role(RoleName="never", AssumeRolePolicyDocument=bad)
        assert code(e) == ("MalformedPolicyDocument", 400)
    with pytest.raises(ClientError) as e:
        iam.create_role(RoleName="bad name!", AssumeRolePolicyDocument=TRUST)
    assert code(e) == ("ValidationError", 400)
    with pytest.raises(ClientError) as e:
        iam.get_role(RoleName="never")
    assert code(e) == ("NoSuchEntity", 404)


def test_inline_policy(iam, role):
    iam.put_role_policy(RoleName=role, PolicyName="p1", PolicyDocument=json.dumps(POLICY))
    assert iam.get_role_policy(RoleName=role, PolicyName="p1")["PolicyDocument"] == POLICY
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["p1"]
    with pytest.raises(ClientError) as e:
        iam.delete_role(RoleName=role)
    assert code(e) == ("DeleteConflict", 409)
    iam.delete_role_policy(RoleName=role, PolicyName="p1")
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []
    iam.delete_role(RoleName=role)
    with pytest.raises(ClientError) as e:
        iam.get_role(RoleName=role)
    assert code(e) == ("NoSuchEntity", 404)


def test_attached_policies(iam, role, unique):
    aws_own = "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"
    mine = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=json.dumps(POLICY))["Policy"]
    for arn in (aws_own, mine["Arn"], mine["Arn"]):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert {p["PolicyName"] for p in attached} == {"AWSGlueServiceRole", mine["PolicyName"]}
    assert iam.get_policy(PolicyArn=mine["Arn"])["Policy"]["AttachmentCount"] == 1
    document = iam.get_policy_version(PolicyArn=mine["Arn"], VersionId="v1")["PolicyVersion"]["Document"]
    assert document == POLICY
    with pytest.raises(ClientError) as e:
        iam.delete_policy(PolicyArn=mine["Arn"])
    assert code(e) == ("DeleteConflict", 409)
    with pytest.raises(ClientError) as e:
        iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::000000000000:policy/none")
    assert code(e) == ("NoSuchEntity", 404)
    iam.detach_role_policy(RoleName=role, PolicyArn=mine["Arn"])
    iam.delete_policy(PolicyArn=mine["Arn"])


def test_listing_goes_by_pages(server):
    iam = server.client("iam", access_key="111122223333")  # an account of its own
    for i in range(7):
        iam.create_role(RoleName=f"r{i}", AssumeRolePolicyDocument=TRUST)
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(p["Roles"]) for p in pages] == [3, 3, 1]
    assert [r["RoleName"] for p in pages for r in p["Roles"]] == [f"r{i}" for i in range(7)]
    assert pages[0]["Roles"][0]["Arn"] == "arn:aws:iam::111122223333:role/r0"


def test_tags_and_updates(iam, role):
    iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName=role, TagKeys=["a"])
    assert iam.list_role_tags(RoleName=role)["Tags"] == [{"Key": "b", "Value": "2"}]
    iam.update_role(RoleName=role, Description="new")
    assert iam.get_role(RoleName=role)["Role"]["Description"] == "new"
    assert iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"] == []


def test_what_is_not_there_says_so(iam):
    with pytest.raises(ClientError) as e:
        iam.create_user(UserName="u")
    assert code(e) == ("NotImplemented", 501)
