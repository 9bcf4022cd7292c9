import urllib.error
import urllib.request

import pytest


def fetch(url, method="GET", data=None, headers=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


@pytest.fixture(params=["s3", "s3v4"], ids=["v2", "v4"])
def signer(server, request):
    return server.client("s3", signature_version=request.param)


def test_get_and_put(s3, bucket, signer):
    where = {"Bucket": bucket, "Key": "dir/ü b.txt"}
    url = signer.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
    status, _, body = fetch(url, "PUT", b"by url", {"Content-Type": ""})
    assert status == 200, body
    assert s3.get_object(**where)["Body"].read() == b"by url"
    status, seen, body = fetch(signer.generate_presigned_url("get_object", Params=where, ExpiresIn=60))
    assert (status, body) == (200, b"by url")
    assert s3.head_object(ChecksumMode="ENABLED", **where)["ChecksumCRC64NVME"]


def test_overrides_in_a_presigned_url(s3, bucket, signer):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = signer.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "k", "ResponseContentType": "text/html"}, ExpiresIn=60
    )
    assert fetch(url)[1]["Content-Type"] == "text/html"


def test_a_wrong_signature_is_refused(server, s3, bucket, signer, make_server):
    strict = make_server("--auth", "strict")
    own = strict.client("s3", signature_version=signer.meta.config.signature_version)
    own.create_bucket(Bucket="strict")
    own.put_object(Bucket="strict", Key="k", Body=b"x")
    url = own.generate_presigned_url("get_object", Params={"Bucket": "strict", "Key": "k"}, ExpiresIn=60)
    assert fetch(url)[0] == 200
    status, _, body = fetch(url.replace("/k?", "/other?"))
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body
    assert fetch(f"{strict.endpoint}/strict/k")[0] == 403


def test_expired(s3, bucket, signer, make_server):
    strict = make_server("--auth", "strict")
    own = strict.client("s3", signature_version=signer.meta.config.signature_version)
    own.create_bucket(Bucket="strict")
    own.put_object(Bucket="strict", Key="k", Body=b"x")
    url = own.generate_presigned_url("get_object", Params={"Bucket": "strict", "Key": "k"}, ExpiresIn=-5)
    status, _, body = fetch(url)
    assert status in (400, 403) and (b"Request has expired" in body or b"AuthorizationQueryParametersError" in body), body
