"""Upload forms of browsers: signed by boto3, sent as a browser sends them."""

import base64
import hashlib
import html
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.support.server import Server

BOUNDARY = "----FormBoundaryX7x"


@pytest.fixture(params=["s3", "s3v4"], ids=["v2", "v4"])
def signer(server, request):
    return server.client("s3", signature_version=request.param)


def part(name, value, more=""):
    return (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
            + (value if isinstance(value, bytes) else str(value).encode()) + b"\r\n")


def form(fields, content=b"hello", file_name="C:\\dir\\ü b.txt", after=()):
    body = b"".join(part(k, v) for k, v in fields.items())
    if content is not None:
        body += part("file", content, f'; filename="{file_name}"\r\nContent-Type: text/plain')
    return body + b"".join(part(k, v) for k, v in after) + f"--{BOUNDARY}--\r\n".encode()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


def send(url, body, content_type=f"multipart/form-data; boundary={BOUNDARY}"):
    request = urllib.request.Request(url, body, {"Content-Type": content_type})
    try:
        answer = urllib.request.build_opener(NoRedirect).open(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, dict(answer.headers), html.unescape(answer.read().decode())


def fails(got, status, code, text=""):
    assert got[0] == status and f"<Code>{code}</Code>" in got[2] and text in got[2], got


# --- what is allowed ------------------------------------------------------------------------------------
def test_a_signed_form(server, s3, bucket, signer):
    post = signer.generate_presigned_post(
        bucket, "in/${filename}", Fields={"Content-Type": "text/css", "x-amz-meta-who": "me", "acl": "private"},
        Conditions=[{"Content-Type": "text/css"}, ["starts-with", "$x-amz-meta-who", ""], {"acl": "private"},
                    ["content-length-range", 5, 5]])
    status, headers, body = send(post["url"], form(post["fields"], after=[("submit", "Go")]))
    assert (status, body) == (204, "")
    assert headers["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    assert headers["Location"].endswith(f"/{bucket}/in/%C3%BC%20b.txt")
    got = s3.get_object(Bucket=bucket, Key="in/ü b.txt", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello" and got["ContentType"] == "text/css" and got["Metadata"] == {"who": "me"}
    plain = server.client("s3", request_checksum_calculation="when_required")  # S3 then computes its own
    same = plain.put_object(Bucket=bucket, Key="same", Body=b"hello")
    assert got["ChecksumCRC64NVME"] == same["ChecksumCRC64NVME"]


@pytest.mark.parametrize("content", [b"", b"x" * 262144 + b"\r\n--" + b"y" * 262139, b"\r\n", b"-" * 600000],
                         ids=["empty", "like-a-delimiter", "line-end", "long"])
def test_bytes_arrive_as_they_are(s3, bucket, content):
    post = s3.generate_presigned_post(bucket, "k")
    assert send(post["url"], form(post["fields"], content))[0] == 204
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == content


def test_the_answer_that_the_form_wants(s3, bucket):
    def ask(**fields):
        post = s3.generate_presigned_post(bucket, "a b", Fields=dict(fields), Conditions=[fields])
        return send(post["url"], form(post["fields"]))

    etag = f'"{hashlib.md5(b"hello").hexdigest()}"'
    assert ask(success_action_status="200")[0] == 200
    status, headers, body = ask(success_action_status="201")
    assert status == 201 and headers["Content-Type"] == "application/xml"
    assert re.search(r"<PostResponse><Location>http://[^<]*/a%20b</Location><Bucket>" + bucket +
                     r'</Bucket><Key>a b</Key><ETag>"\w{32}"</ETag></PostResponse>', body), body
    status, headers, _ = ask(success_action_redirect="http://127.0.0.1/done?x=1")
    assert status == 303
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query) == {
        "x": ["1"], "bucket": [bucket], "key": ["a b"], "etag": [etag]}


def test_a_checksum_that_the_form_gives(s3, bucket):
    post = s3.generate_presigned_post(bucket, "k", Fields={"x-amz-checksum-crc32": "NhCmhg=="},
                                      Conditions=[{"x-amz-checksum-crc32": "NhCmhg=="}])
    assert send(post["url"], form(post["fields"]))[0] == 204
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == "NhCmhg=="


# --- what is refused ------------------------------------------------------------------------------------
def test_policies_are_kept(s3, bucket):
    def ask(change, conditions=(), content=b"hello", expires=60):
        post = s3.generate_presigned_post(bucket, "k", Conditions=list(conditions), ExpiresIn=expires)
        post["fields"].update(change)
        return send(post["url"], form(post["fields"], content))

    assert ask({})[0] == 204
    assert ask({"x-ignore-me": "1"})[0] == 204
    fails(ask({"key": "other"}), 403, "AccessDenied",
          'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "k"]')
    fails(ask({"x-amz-meta-a": "1"}), 403, "AccessDenied", "Extra input fields: x-amz-meta-a")
    fails(ask({"x-amz-meta-a": "b"}, [["starts-with", "$x-amz-meta-a", "a"]]), 403, "AccessDenied",
          '["starts-with", "$x-amz-meta-a", "a"]')
    fails(ask({}, expires=-1), 403, "AccessDenied", "Policy expired.")
    fails(ask({}, [["content-length-range", 6, 9]]), 400, "EntityTooSmall", "<MinSizeAllowed>6</MinSizeAllowed>")
    fails(ask({}, [["content-length-range", 0, 4]]), 400, "EntityTooLarge", "<MaxSizeAllowed>4</MaxSizeAllowed>")
    fails(ask({}, [{"a": "b", "c": "d"}]), 400, "InvalidPolicyDocument", "exactly one property")
    fails(ask({}, [["matches", "$key", "k"]]), 400, "InvalidPolicyDocument")
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


@pytest.mark.parametrize("text, complaint", [
    ("{", "Invalid JSON."), ("[]", "Invalid JSON."), ('{"conditions":[]}', "missing expiration"),
    ('{"expiration":"2099-01-01T00:00:00Z"}', "missing conditions"),
    ('{"expiration":"soon","conditions":[]}', "'expiration'"),
    ('{"expiration":"2099-01-01T00:00:00Z","conditions":[1]}', "Invalid Condition"),
    ('{"expiration":"2099-01-01T00:00:00Z","conditions":[["eq"]]}', "Invalid Condition"),
    ('{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range","a","b"]]}', "must be numbers"),
    ('{"expiration":"2099-01-01T00:00:00Z","conditions":[{"key":1}]}', "must be a string"),
])
def test_broken_policies(s3, bucket, text, complaint):
    post = s3.generate_presigned_post(bucket, "k")
    post["fields"]["policy"] = base64.b64encode(text.encode()).decode()
    fails(send(post["url"], form(post["fields"])), 400, "InvalidPolicyDocument", complaint)


def test_broken_forms(s3, bucket):
    post = s3.generate_presigned_post(bucket, "k")
    url, fields = post["url"], post["fields"]
    whole = form(fields)
    fails(send(url, whole, "text/plain"), 412, "PreconditionFailed", "multipart/form-data")
    fails(send(url, whole, "multipart/form-data"), 412, "PreconditionFailed")
    fails(send(url, whole, "multipart/form-data; boundary=other"), 400, "MalformedPOSTRequest")
    fails(send(url, form(fields, None)), 400, "IncorrectNumberOfFilesInPostRequest")
    fails(send(url, form({**fields, "x-ignore-a": "a" * 30000})), 400, "MaxPostPreDataLengthExceeded")
    for cut in (10, 60, 200, len(whole) - 6):
        fails(send(url, whole[:cut]), 400, "MalformedPOSTRequest")
    fails(send(url, form({k: v for k, v in fields.items() if k != "key"})), 400, "InvalidArgument", "named 'key'")
    without = {k: v for k, v in fields.items() if k.lower() not in ("x-amz-signature", "signature")}
    fails(send(url, form(without)), 400, "InvalidArgument", "ignature'")
    fails(send(url + "-none", whole), 403, "AccessDenied", '["eq", "$bucket"')
    none = s3.generate_presigned_post(f"{bucket}-none", "k")
    fails(send(none["url"], form(none["fields"])), 404, "NoSuchBucket")
    assert send(url, form({"key": "k"}))[0] == 204  # nobody asked for a signature
    wrong = s3.generate_presigned_post(bucket, "k", Fields={"x-amz-checksum-crc32": "AAAAAA=="},
                                       Conditions=[{"x-amz-checksum-crc32": "AAAAAA=="}])
    fails(send(wrong["url"], form(wrong["fields"])), 400, "BadDigest")
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_a_strict_server_wants_a_right_signature(unique):
    server = Server("--auth", "strict")
    try:
        bucket = unique("strict")
        for version in ("s3", "s3v4"):
            s3 = server.client("s3", signature_version=version)
            if version == "s3":
                server.client("s3").create_bucket(Bucket=bucket)
            post = s3.generate_presigned_post(bucket, version)
            assert send(post["url"], form(post["fields"]))[0] == 204
            policy = json.loads(base64.b64decode(post["fields"]["policy"]))
            policy["expiration"] = "2099-01-01T00:00:00Z"
            post["fields"]["policy"] = base64.b64encode(json.dumps(policy).encode()).decode()
            fails(send(post["url"], form(post["fields"])), 403, "SignatureDoesNotMatch")
        fails(send(f"{server.endpoint}/{bucket}", form({"key": "k"})), 403, "AccessDenied")
    finally:
        server.close()
