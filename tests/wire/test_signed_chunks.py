"""Bodies whose every chunk is signed (SDKs for Java and Hadoop over plain HTTP send these), against a
strict server: what is right is stored, what was changed on the way leaves nothing."""

import base64
import hashlib
import hmac
import http.client
import zlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

EMPTY = hashlib.sha256(b"").hexdigest()
DATA = bytes(range(256)) * 700
CHUNK = 64 * 1024


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Upload:
    def __init__(self, endpoint, path, trailer):
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
        headers = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": str(len(DATA)),
            "X-Amz-Content-SHA256": kind,
        }
        if trailer:
            headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
        request = AWSRequest("PUT", endpoint + path, headers=headers)
        auth = S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1")
        auth.payload = lambda _: kind
        auth.add_auth(request)
        self.headers = dict(request.headers.items())
        self.headers["X-Amz-Content-SHA256"] = kind
        self.path = path
        self.time = self.headers["X-Amz-Date"]
        self.scope = self.time[:8] + "/us-east-1/s3/aws4_request"
        self.key = b"AWS4test"
        for part in self.scope.split("/"):
            self.key = hmac.new(self.key, part.encode(), hashlib.sha256).digest()
        self.last = self.headers["Authorization"].rsplit("Signature=", 1)[1]
        self.body = b""
        for at in [*range(0, len(DATA), CHUNK), len(DATA)]:
            self.add_chunk(DATA[at : at + CHUNK])
        if trailer:
            self.add_trailer()
        self.body += b"\r\n"

    def add_chunk(self, data):
        digest = hashlib.sha256(data).hexdigest()
        self.last = sign(
            self.key,
            "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", self.time, self.scope, self.last, EMPTY, digest]),
        )
        self.body += f"{len(data):x};chunk-signature={self.last}\r\n".encode() + data
        self.body += b"\r\n" if data else b""

    def add_trailer(self):
        crc = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()
        digest = hashlib.sha256(f"x-amz-checksum-crc32:{crc}\n".encode()).hexdigest()
        signature = sign(
            self.key, "\n".join(["AWS4-HMAC-SHA256-TRAILER", self.time, self.scope, self.last, digest])
        )
        self.body += f"x-amz-checksum-crc32:{crc}\r\nx-amz-trailer-signature:{signature}\r\n".encode()

    def send(self, port, http_chunked):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        body = self.body
        if http_chunked:  # borders that mean nothing to the frames inside
            body = iter([body[at : at + 9999] for at in range(0, len(body), 9999)])
        connection.request("PUT", self.path, body, self.headers, encode_chunked=http_chunked)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text


@pytest.fixture(scope="module")
def strict():
    from tests.support.server import Server

    s = Server("--auth", "strict")
    s.client("s3").create_bucket(Bucket="chunks")
    yield s
    s.close()


@pytest.mark.parametrize("http_chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("trailer", [False, True], ids=["plain", "trailer"])
def test_signed_chunks(strict, trailer, http_chunked):
    s3 = strict.client("s3")
    key = f"right-{trailer}-{http_chunked}"
    upload = Upload(strict.endpoint, f"/chunks/{key}", trailer)
    upload.headers |= {"Transfer-Encoding": "chunked"} if http_chunked else {}
    assert upload.send(strict.port, http_chunked) == (200, b"")
    found = s3.get_object(Bucket="chunks", Key=key)
    assert found["Body"].read() == DATA
    assert "ContentEncoding" not in found

    for where in (b"chunk-signature=", b"\r\n0;chunk-signature=", b"x-amz-trailer-signature:"):
        broken = Upload(strict.endpoint, "/chunks/broken", trailer)
        at = broken.body.find(where)
        if at < 0:
            continue
        at += len(where)
        digit = b"1" if broken.body[at : at + 1] == b"0" else b"0"
        broken.body = broken.body[:at] + digit + broken.body[at + 1 :]
        broken.headers |= {"Transfer-Encoding": "chunked"} if http_chunked else {}
        status, text = broken.send(strict.port, http_chunked)
        assert (status, b"<Code>SignatureDoesNotMatch</Code>" in text) == (403, True), text

    changed = Upload(strict.endpoint, "/chunks/broken", trailer)
    middle = changed.body.index(b"\r\n") + 70000
    changed.body = changed.body[:middle] + bytes([changed.body[middle] ^ 1]) + changed.body[middle + 1 :]
    changed.headers |= {"Transfer-Encoding": "chunked"} if http_chunked else {}
    status, text = changed.send(strict.port, http_chunked)
    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in text) == (403, True), text
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="chunks", Key="broken")
