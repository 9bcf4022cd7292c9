"""The codecs against botocore, message by message: what C encodes, botocore's own parsers must read
back to the same value; what botocore serialises with every member set, C must decode to the same
value. The tables are those of tests/wire/operations.txt."""

import base64
import collections
import datetime
import gzip
import json
import os
import pathlib
import subprocess
import xml.etree.ElementTree as ElementTree

import botocore.handlers
import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest
from botocore.awsrequest import AWSRequest, HeadersDict, prepare_request_dict

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "fixtures/wire/roundtrip.jsonl.gz"
WHEN = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
TEXT = 'va<l>&"é ü\r\n\t+%25=;\U0001f600'
# Services whose clients speak more than the model's first protocol.
MORE_PROTOCOLS = {"cloudwatch": ["json", "query", "smithy-rpc-v2-cbor"], "sqs": ["json", "query"]}
# These differ from another operation by a header only, which the service's own hook looks at.
BY_HEADER = {"CopyObject": "PutObject", "UploadPartCopy": "UploadPart"}


def tool_path():
    binary = os.environ.get("CISTERN_BINARY")
    if binary:
        return pathlib.Path(binary).parent / "codec_tool"
    return ROOT / "build/release/codec_tool"


def run_tool(lines):
    tool = tool_path()
    assert tool.exists(), f"{tool} is missing: run `make tools` first"
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([tool], input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(answers) == len(lines)
    return answers


_models = {}


def model(service):
    if service not in _models:
        data = botocore.loaders.Loader().load_service_model(service, "service-2")
        _models[service] = botocore.model.ServiceModel(data, service)
    return _models[service]


def wire_protocol(service, protocol):
    if protocol == "json":
        return "json" + model(service).metadata.get("jsonVersion", "1.1").replace(".", "")
    return protocol


def plain(value):
    """Times and bytes as the tool writes them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if isinstance(value, (bytes, bytearray)):
        return "b64:" + base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return plain(value.read())
    return value


def golden():
    with gzip.open(GOLDEN, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def parse(case, answer):
    """What a client makes of the answer."""
    protocol = case["protocol"]
    operation = model(case["service"]).operation_model(case["op"])
    response = {
        "status_code": answer["status"],
        "headers": HeadersDict(answer["headers"]),
        "body": base64.b64decode(answer["body"]),
        "context": {"operation_name": case["op"]},
    }
    parser = botocore.parsers.create_parser(protocol)
    parsed = parser.parse(response, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    if case["op"] == "GetBucketLocation":  # botocore reads this one outside of its parser
        parsed = {"LocationConstraint": ElementTree.fromstring(response["body"]).text}
    return plain(parsed)


def normal_times(value):
    """The recorded values write UTC as +00:00."""
    if isinstance(value, dict):
        return {k: normal_times(v) for k, v in value.items()}
    if isinstance(value, list):
        return [normal_times(v) for v in value]
    if isinstance(value, str) and value.endswith("+00:00") and value[:4].isdigit():
        return value.replace("+00:00", ".000Z")
    return value


def test_every_recorded_answer_is_encoded_so_that_botocore_reads_it_back():
    cases = golden()
    assert len(cases) == 455
    for case in cases:  # the status itself may be a member; the recorded values leave it out
        for name, member in model(case["service"]).operation_model(
                case["op"]).output_shape.members.items():
            if member.serialization.get("location") == "statusCode":
                case["value"][name] = case["status"]
    lines = [{"service": c["service"], "protocol": wire_protocol(c["service"], c["protocol"]),
              "op": c["op"], "mode": "encode", "value": c["value"]} for c in cases]
    bad = []
    for case, answer in zip(cases, run_tool(lines)):
        got, want = parse(case, answer), normal_times(case["value"])
        if got != want or answer["status"] != case["status"]:
            bad.append((case["service"], case["protocol"], case["op"], got, want))
    assert not bad, f"{len(bad)} answers differ; the first: {bad[0]}"


# --- requests -------------------------------------------------------------------------------------
def make_value(shape, stack=(), location=None):
    """A value with every member set; recursive shapes end where they meet themselves."""
    kind = shape.type_name
    location = shape.serialization.get("location", location)
    if kind == "structure":
        if shape.is_document_type:
            return {"a": [1, 2.5, None, True, TEXT]}
        out = {}
        for name, member in shape.members.items():
            if member.name not in stack:
                out[name] = make_value(member, stack + (shape.name,))
        return out
    if kind == "list":
        if shape.member.name in stack:
            return []
        return [make_value(shape.member, stack + (shape.name,), location) for _ in range(2)]
    if kind == "map":
        keys = shape.key.enum[:2] or ["k1", "k2"]
        return {k: make_value(shape.value, stack + (shape.name,), location) for k in keys}
    if kind in ("integer", "long"):
        low = shape.metadata.get("min", 7)
        big = 2**53 + 1 if kind == "long" else 2**31 - 1
        return int(min(shape.metadata.get("max", big), max(low, big)))
    if kind in ("float", "double"):
        return 0.1
    if kind == "boolean":
        return True
    if kind == "timestamp":
        return WHEN
    if kind == "blob":
        return b"\x00\x01\xffbin"
    if shape.enum:
        return shape.enum[0]
    if location == "uri":
        return "a b+é:x%2F1"
    if location in ("header", "headers"):
        return "value"
    return TEXT


def serialise(service, protocol, operation, value):
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(value, operation)
    # Clients do this behind the serialiser, and to XML only.
    if protocol == "rest-xml" and request["body"][:1] == b"<":
        botocore.handlers.escape_xml_payload(request)
    prepare_request_dict(request, endpoint_url="http://127.0.0.1:1")
    prepared = AWSRequest(method=request["method"], url=request["url"],
                          headers=request["headers"], data=request["body"]).prepare()
    url = prepared.url[len("http://127.0.0.1:1"):]
    path, _, query = url.partition("?")
    body = prepared.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = {k: v.decode() if isinstance(v, bytes) else str(v)
               for k, v in prepared.headers.items()}
    return {"method": prepared.method, "path": path or "/", "query": query, "headers": headers,
            "body": base64.b64encode(body).decode()}


def request_cases():
    for line in (ROOT / "tests/wire/operations.txt").read_text().split("\n"):
        if not line or line.startswith("#"):
            continue
        service, name = line.split()
        m = model(service)
        for protocol in MORE_PROTOCOLS.get(service, [m.resolved_protocol]):
            yield service, protocol, m.operation_model(name)


def test_every_request_of_botocore_is_decoded_to_the_value_that_was_sent():
    cases, lines = [], []
    for service, protocol, operation in request_cases():
        value = make_value(operation.input_shape) if operation.input_shape else {}
        cases.append((service, protocol, operation.name, value))
        lines.append({"service": service, "protocol": wire_protocol(service, protocol),
                      "op": operation.name, "mode": "decode",
                      "request": serialise(service, protocol, operation, value)})
    assert len({(c[0], c[2]) for c in cases}) == 541
    bad = []
    for (service, protocol, name, value), answer in zip(cases, run_tool(lines)):
        found = name if protocol in ("json", "smithy-rpc-v2-cbor") else answer.get("op")
        if answer.get("value") != plain(value) or found not in (name, BY_HEADER.get(name)):
            bad.append((service, protocol, name, answer, plain(value)))
    counts = collections.Counter((b[0], b[1]) for b in bad)
    assert not bad, f"{len(bad)} of {len(cases)} requests differ {dict(counts)}; first: {bad[0]}"


# --- errors ---------------------------------------------------------------------------------------
ERRORS = [
    ("glue", "json", {"code": "EntityNotFoundException", "status": 400}, "EntityNotFoundException"),
    ("lambda", "rest-json", {"code": "ResourceNotFoundException", "status": 404},
     "ResourceNotFoundException"),
    ("iam", "query", {"code": "NoSuchEntity", "shape": "NoSuchEntityException", "status": 404},
     "NoSuchEntity"),
    ("ec2", "ec2", {"code": "InvalidGroup.NotFound", "status": 400}, "InvalidGroup.NotFound"),
    ("s3", "rest-xml", {"code": "NoSuchKey", "status": 404}, "NoSuchKey"),
    ("cloudwatch", "smithy-rpc-v2-cbor", {"code": "ResourceNotFound",
                                          "shape": "ResourceNotFoundException", "status": 404},
     "ResourceNotFoundException"),
]


@pytest.mark.parametrize("service,protocol,error,code", ERRORS, ids=lambda v: str(v)[:20])
@pytest.mark.parametrize("status", [None, 501, 500])
def test_errors_are_read_back_by_botocore(service, protocol, error, code, status):
    error = {**error, "text": TEXT}
    if status == 501:
        error, code = {"code": "NotImplemented", "status": 501, "text": TEXT}, "NotImplemented"
    elif status:
        error["status"] = status
    answer, = run_tool([{"service": service, "protocol": wire_protocol(service, protocol),
                         "mode": "error", "error": error}])
    assert answer["status"] == error["status"]
    parser = botocore.parsers.create_parser(protocol)
    parsed = parser.parse({"status_code": answer["status"],
                           "headers": HeadersDict(answer["headers"]),
                           "body": base64.b64decode(answer["body"]),
                           "context": {"operation_name": "X"}}, None)
    assert parsed["Error"]["Code"] == code
    assert parsed["Error"]["Message"] == TEXT


def test_query_mode_names_the_old_code_in_a_header():
    answer, = run_tool([{
        "service": "sqs", "protocol": "json10", "mode": "error", "query_mode": True,
        "error": {"code": "AWS.SimpleQueueService.NonExistentQueue", "shape": "QueueDoesNotExist",
                  "status": 400, "text": "no"}}])
    assert answer["headers"]["x-amzn-query-error"] == \
        "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert json.loads(base64.b64decode(answer["body"]))["__type"] == "QueueDoesNotExist"


def test_s3_errors_carry_their_extra_elements_and_none_on_head():
    line = {"service": "s3", "protocol": "rest-xml", "mode": "error", "extras": {"Key": "a&b"},
            "error": {"code": "NoSuchKey", "status": 404, "text": "no"}}
    full, head = run_tool([line, {**line, "method": "HEAD"}])
    body = base64.b64decode(full["body"]).decode()
    assert "<Key>a&amp;b</Key>" in body and "<RequestId>req-0</RequestId>" in body
    assert "<HostId>host-0</HostId>" in body
    assert head["body"] == "" and head["status"] == 404


ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult", "ListObjectsV2": "ListBucketResult",
    "ListObjects": "ListBucketResult", "ListObjectVersions": "ListVersionsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult", "ListParts": "ListPartsResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult", "DeleteObjects": "DeleteResult",
    "GetObjectAttributes": "GetObjectAttributesResponse", "GetBucketAcl": "AccessControlPolicy",
    "GetBucketTagging": "Tagging", "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketLocation": "LocationConstraint",
}


def test_s3_answers_have_their_real_root_elements():
    lines = [{"service": "s3", "protocol": "rest-xml", "op": op, "mode": "encode", "value": {}}
             for op in ROOTS]
    copy = {"CopyObjectResult": {"LastModified": "2024-05-06T07:08:09Z", "ETag": '"e"'}}
    lines.append({"service": "s3", "protocol": "rest-xml", "op": "CopyObject", "mode": "encode",
                  "value": copy})
    answers = run_tool(lines)
    for answer, root in zip(answers, [*ROOTS.values(), "CopyObjectResult"]):
        element = ElementTree.fromstring(base64.b64decode(answer["body"]))
        assert element.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}" + root
        assert answer["headers"]["content-type"] == "application/xml"
    assert b"<LastModified>2024-05-06T07:08:09.000Z</LastModified>" in \
        base64.b64decode(answers[-1]["body"])
