import base64
import hashlib
import zlib

import pytest

from tests.support.s3 import fails, headers_of, raw

DATA = b"123456789"
# of the nine digits, big-endian
KNOWN = {
    "CRC32": base64.b64encode(bytes.fromhex("cbf43926")).decode(),
    "CRC32C": base64.b64encode(bytes.fromhex("e3069283")).decode(),
    "CRC64NVME": base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode(),
    "SHA1": base64.b64encode(hashlib.sha1(DATA).digest()).decode(),
    "SHA256": base64.b64encode(hashlib.sha256(DATA).digest()).decode(),
    "SHA512": base64.b64encode(hashlib.sha512(DATA).digest()).decode(),
}


def put(server, bucket, headers, body=DATA, key="k"):
    return raw(server, "PUT", f"/{bucket}/{key}", body, headers)


@pytest.mark.parametrize("name", KNOWN)
def test_every_algorithm(server, s3, bucket, name):
    header = "x-amz-checksum-" + name.lower()
    status, seen, body = put(server, bucket, {header: KNOWN[name]})
    assert status == 200, body
    assert seen[header] == KNOWN[name] and seen["x-amz-checksum-type"] == "FULL_OBJECT"
    head = headers_of(s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED"))
    assert head[header] == KNOWN[name] and head["x-amz-checksum-type"] == "FULL_OBJECT"
    assert header not in headers_of(s3.head_object(Bucket=bucket, Key="k"))
    wrong = base64.b64encode(bytes(len(base64.b64decode(KNOWN[name])))).decode()
    status, _, body = put(server, bucket, {header: wrong}, key="w")
    assert status == 400 and b"<Code>BadDigest</Code>" in body and name.encode() in body
    for broken in ("abc", "not base64!", base64.b64encode(b"xx").decode()):
        status, _, body = put(server, bucket, {header: broken}, key="w")
        assert status == 400 and f"Value for {header} header is invalid.".encode() in body
    assert raw(server, "GET", f"/{bucket}/w")[0] == 404


def test_none_given_is_crc64nvme(server, bucket):
    status, seen, _ = put(server, bucket, {})
    assert seen["x-amz-checksum-crc64nvme"] == KNOWN["CRC64NVME"]
    assert seen["x-amz-checksum-type"] == "FULL_OBJECT"


def test_content_md5(server, bucket):
    right = base64.b64encode(hashlib.md5(DATA).digest()).decode()
    wrong = base64.b64encode(bytes(16)).decode()
    assert put(server, bucket, {"Content-MD5": right})[0] == 200
    status, _, body = put(server, bucket, {"Content-MD5": wrong})
    assert status == 400 and b"<Code>BadDigest</Code>" in body
    assert f"<ExpectedDigest>{wrong}</ExpectedDigest>".encode() in body
    assert f"<CalculatedDigest>{right}</CalculatedDigest>".encode() in body
    for broken in ("x", base64.b64encode(b"short").decode()):
        status, _, body = put(server, bucket, {"Content-MD5": broken})
        assert status == 400 and b"<Code>InvalidDigest</Code>" in body


def test_contradictions(server, bucket):
    two = {"x-amz-checksum-crc32": KNOWN["CRC32"], "x-amz-checksum-sha1": KNOWN["SHA1"]}
    status, _, body = put(server, bucket, two)
    assert status == 400 and b"Expecting a single x-amz-checksum- header" in body
    status, _, body = put(server, bucket, {"x-amz-sdk-checksum-algorithm": "CRC32"})
    assert status == 400 and b"no corresponding x-amz-checksum-*" in body
    status, _, body = put(server, bucket, {"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": KNOWN["CRC32"]})
    assert status == 400
    status, _, body = put(server, bucket, {"x-amz-checksum-xxhash64": "AAAAAAAAAAA="})
    assert status == 501 and b"XXHASH" in body
    assert put(server, bucket, {"x-amz-checksum-crc99": "AAAA"})[0] == 400


def chunked(parts, trailer):
    body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n"
    return body + trailer + b"\r\n"


def streaming(server, bucket, trailer, announce="x-amz-checksum-crc32", encoding="aws-chunked"):
    body = chunked([DATA[:4], DATA[4:]], trailer)
    headers = {
        "Content-Encoding": encoding, "X-Amz-Trailer": announce, "X-Amz-Decoded-Content-Length": str(len(DATA)),
        "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
    return raw(server, "PUT", f"/{bucket}/t", body, headers)


def test_trailer(server, s3, bucket):
    status, seen, body = streaming(server, bucket, f"x-amz-checksum-crc32:{KNOWN['CRC32']}\r\n".encode())
    assert status == 200, body
    assert seen["x-amz-checksum-crc32"] == KNOWN["CRC32"]
    got = s3.get_object(Bucket=bucket, Key="t")
    assert got["Body"].read() == DATA and "ContentEncoding" not in got
    status, _, _ = streaming(
        server, bucket, f"x-amz-checksum-crc32:{KNOWN['CRC32']}\r\n".encode(), encoding="gzip,aws-chunked"
    )
    assert status == 200 and s3.head_object(Bucket=bucket, Key="t")["ContentEncoding"] == "gzip"


def test_wrong_and_missing_trailer(server, bucket):
    status, _, body = streaming(server, bucket, b"x-amz-checksum-crc32:AAAAAA==\r\n")
    assert status == 400 and b"<Code>BadDigest</Code>" in body
    status, _, body = streaming(server, bucket, b"")
    assert status == 400
    assert raw(server, "GET", f"/{bucket}/t")[0] == 404


def test_clients_verify_what_they_read(s3, bucket):
    body = b"z" * 200_000
    s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm="CRC32")
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    assert got["Body"].read() == body
    part = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", Range="bytes=5-99")
    assert "ChecksumCRC32" not in part and part["Body"].read() == body[5:100]


def test_bodies_of_other_operations_are_checked(server, s3, bucket):
    xml = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    wrong = {"Content-MD5": base64.b64encode(bytes(16)).decode()}
    status, _, body = raw(server, "PUT", f"/{bucket}?tagging", xml, wrong)
    assert status == 400 and b"<Code>BadDigest</Code>" in body
    fails(s3.get_bucket_tagging, "NoSuchTagSet", 404, Bucket=bucket)
