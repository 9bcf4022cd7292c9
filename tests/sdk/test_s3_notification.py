"""Notification configurations; what is delivered is tested where functions run."""

import pytest

from tests.support.s3 import fails, raw

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:"
TOPIC = "arn:aws:sns:us-east-1:000000000000:"


def rule(arn, *events, prefix=None, suffix=None, id=None):
    kind = "LambdaFunctionArn" if ":lambda:" in arn else "QueueArn" if ":sqs:" in arn else "TopicArn"
    out = {kind: arn, "Events": list(events or ["s3:ObjectCreated:*"])}
    rules = [{"Name": n, "Value": v} for n, v in (("prefix", prefix), ("suffix", suffix)) if v is not None]
    if rules:
        out["Filter"] = {"Key": {"FilterRules": rules}}
    if id:
        out["Id"] = id
    return out


def configuration(*rules):
    names = {"LambdaFunctionArn": "LambdaFunctionConfigurations", "QueueArn": "QueueConfigurations",
             "TopicArn": "TopicConfigurations"}
    out = {}
    for r in rules:
        for kind, name in names.items():
            if kind in r:
                out.setdefault(name, []).append(r)
    return out


@pytest.fixture
def put(s3, bucket):
    """put(rule, …): without looking at the destinations."""

    def call(*rules):
        return s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=configuration(*rules), SkipDestinationValidation=True
        )

    return call


def refused(put, *rules):
    with pytest.raises(Exception) as caught:
        put(*rules)
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidArgument", error
    return error


def test_round_trip(s3, bucket, put):
    put(
        rule(LAMBDA + "f", "s3:ObjectCreated:Put", "s3:ObjectCreated:Copy", prefix="in/", suffix=".csv", id="one"),
        rule(QUEUE + "q", "s3:ObjectRemoved:*", prefix=""),
        rule(TOPIC + "t", "s3:ObjectTagging:*"),
    )
    got = s3.get_bucket_notification_configuration(Bucket=bucket)
    f = got["LambdaFunctionConfigurations"][0]
    assert f["Id"] == "one" and f["LambdaFunctionArn"] == LAMBDA + "f"
    assert f["Events"] == ["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"]
    assert f["Filter"]["Key"]["FilterRules"] == [
        {"Name": "Prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".csv"}]
    q = got["QueueConfigurations"][0]
    assert len(q["Id"]) == 36 and q["Filter"]["Key"]["FilterRules"] == [{"Name": "Prefix", "Value": ""}]
    assert "Filter" not in got["TopicConfigurations"][0]
    put(rule(LAMBDA + "g"))
    got = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert got["LambdaFunctionConfigurations"][0]["LambdaFunctionArn"] == LAMBDA + "g"
    assert "QueueConfigurations" not in got
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert set(s3.get_bucket_notification_configuration(Bucket=bucket)) == {"ResponseMetadata"}


def test_missing_destinations(s3, bucket):
    arn = LAMBDA + "nobody-has-this"
    answer = fails(
        s3.put_bucket_notification_configuration, "InvalidArgument", 400, Bucket=bucket,
        NotificationConfiguration=configuration(rule(arn)),
    )
    error = answer["Error"]
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert error["ArgumentName1"] == f"{arn}, null"
    assert error["ArgumentValue1"] == f"Not authorized to invoke function [{arn}]"
    for arn in (QUEUE + "nobody-has-this", TOPIC + "nobody-has-this"):
        answer = fails(
            s3.put_bucket_notification_configuration, "InvalidArgument", 400, Bucket=bucket,
            NotificationConfiguration=configuration(rule(arn)),
        )
        assert answer["Error"]["Message"] == "Unable to validate the following destination configurations"
    assert set(s3.get_bucket_notification_configuration(Bucket=bucket)) == {"ResponseMetadata"}


@pytest.mark.parametrize(
    "bad, name",
    [({"LambdaFunctionArn": "nonsense"}, "CloudFunction"), ({"LambdaFunctionArn": QUEUE + "q"}, "CloudFunction"),
     ({"QueueArn": "arn:aws:sqs"}, "Queue"), ({"TopicArn": "arn:aws:sns:us-east-1"}, "Topic")],
)
def test_unparsable_arns(put, bad, name):
    error = refused(put, dict(bad, Events=["s3:ObjectCreated:*"]))
    assert error["Message"] == "The ARN could not be parsed" and error["ArgumentName"] == name


def test_bad_filters_and_events(put):
    r = rule(LAMBDA + "f")
    r["Filter"] = {"Key": {"FilterRules": [{"Name": "infix", "Value": "x"}]}}
    assert refused(put, r)["Message"] == "filter rule name must be either prefix or suffix"
    r["Filter"] = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "x"}, {"Name": "Prefix", "Value": "y"}]}}
    refused(put, r)
    refused(put, rule(LAMBDA + "f", prefix="x" * 1025))
    refused(put, rule(LAMBDA + "f", "s3:ObjectCreated:Get"))
    refused(put, rule(LAMBDA + "f", id="same"), rule(LAMBDA + "g", "s3:ObjectRemoved:*", id="same"))


OVERLAP = "Configurations overlap."
AMBIGUOUS = "Configuration is ambiguously defined."


@pytest.mark.parametrize(
    "one, two, message",
    [
        (rule(LAMBDA + "f"), rule(LAMBDA + "g"), OVERLAP),
        (rule(LAMBDA + "f"), rule(QUEUE + "g", "s3:ObjectCreated:Put"), OVERLAP),
        (rule(LAMBDA + "f", prefix="a"), rule(LAMBDA + "g"), AMBIGUOUS),
        (rule(LAMBDA + "f", prefix="a"), rule(LAMBDA + "g", prefix="ab"), AMBIGUOUS),
        (rule(LAMBDA + "f", suffix="jpg"), rule(TOPIC + "g", suffix="pg"), AMBIGUOUS),
        (rule(LAMBDA + "f", prefix="a", suffix=".x"), rule(LAMBDA + "g", prefix="ab", suffix=".y"), None),
        (rule(LAMBDA + "f", prefix="a"), rule(LAMBDA + "g", prefix="b"), None),
        (rule(LAMBDA + "f", "s3:ObjectCreated:Put"), rule(LAMBDA + "g", "s3:ObjectCreated:Copy"), None),
    ],
)
def test_overlaps(put, one, two, message):
    if message:
        assert refused(put, one, two)["Message"].startswith(message)
    else:
        put(one, two)


def test_names_on_the_wire(server, bucket):
    xml = (
        "<NotificationConfiguration><CloudFunctionConfiguration><Id>i</Id>"
        f"<CloudFunction>{LAMBDA}f</CloudFunction><Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule>"
        "<Name>suffix</Name><Value>.csv</Value></FilterRule></S3Key></Filter></CloudFunctionConfiguration>"
        "</NotificationConfiguration>"
    ).encode()
    skip = {"x-amz-skip-destination-validation": "true"}
    assert raw(server, "PUT", f"/{bucket}?notification", xml, skip)[0] == 200
    _, _, body = raw(server, "GET", f"/{bucket}?notification")
    assert f"<CloudFunction>{LAMBDA}f</CloudFunction>".encode() in body and b"<Event>s3:ObjectCreated:*</Event>" in body
    status, _, body = raw(server, "PUT", f"/{bucket}?notification", b"<Notif", skip)
    assert status == 400 and b"<Code>MalformedXML</Code>" in body


def test_another_document_is_refused_and_changes_nothing(server, s3, bucket, put):
    put(rule(LAMBDA + "f"))
    for document in (b"<Wrong/>", b"<Tagging><TagSet/></Tagging>"):
        status, _, body = raw(server, "PUT", f"/{bucket}?notification", document)
        assert status == 400 and b"<Code>MalformedXML</Code>" in body and b"NotificationConfiguration" in body
    assert "LambdaFunctionConfigurations" in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_writes_go_on_when_the_target_is_gone(s3, bucket, put):
    put(rule(LAMBDA + "gone"))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_event_bridge_is_a_destination(s3, bucket):
    """What arrives there: test_events.py."""
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)
