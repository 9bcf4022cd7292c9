"""What isn't implemented answers 501 NotImplemented, in the protocol's own error shape, for every
operation of every service that the clients know."""

import pathlib
import re

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ["glue", "dms", "rds", "logs", "cloudwatch", "events", "iam", "sts"]  # body-driven protocols: any operation can be called bare
OTHERS = ["ec2", "sqs", "sns", "secretsmanager", "ssm", "athena",
          "cloudformation", "kinesis", "stepfunctions"]


def implemented(service):
    text = (ROOT / f"emulators/{service}/{service}.ops").read_text()
    return {line.split()[0] for line in text.splitlines()
            if line.strip() and not line.startswith(("#", "-")) and ":" not in line.split()[0]}


def client(server, service):
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False, inject_host_prefix=False, retries={"total_max_attempts": 1}))


def snake(name):
    from botocore import xform_name

    return xform_name(name)


def answer(call):
    with pytest.raises(ClientError) as e:
        call()
    error = e.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"].get("Message", "")


@pytest.mark.parametrize("service", OURS)
def test_missing_operations_say_so(server, service):
    c = client(server, service)
    mine = implemented(service)
    missing = sorted(set(c.meta.service_model.operation_names) - mine)
    assert len(missing) > 5
    for name in missing:
        status, code, message = answer(getattr(c, snake(name)))
        assert (status, code) == (501, "NotImplemented"), f"{service} {name}: {status} {code} {message}"
        assert name in message, f"{service} {name}: {message!r} does not name it"


@pytest.mark.parametrize("service", OTHERS)
def test_missing_services_say_so(server, service):
    c = client(server, service)
    for name in sorted(c.meta.service_model.operation_names)[:5]:
        status, code, message = answer(getattr(c, snake(name)))
        assert (status, code) == (501, "NotImplemented"), f"{service} {name}: {status} {code} {message}"


@pytest.mark.parametrize("service", OURS)
def test_bare_calls_of_what_is_there_are_clear_errors_or_answers(server, service):
    """Every operation that we claim survives an empty request: an answer, or a 400 with words."""
    c = client(server, service)
    for name in sorted(implemented(service)):
        try:
            getattr(c, snake(name))()
        except ClientError as e:
            status = e.response["ResponseMetadata"]["HTTPStatusCode"]
            assert 400 <= status < 500, f"{service} {name}: {status} {e}"
            assert re.search(r"\w{3,}", e.response["Error"].get("Message", "")), f"{service} {name}: no words"
