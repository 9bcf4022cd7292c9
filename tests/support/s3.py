"""Helpers of the S3 tests."""

import hashlib
import http.client
import pathlib
import urllib.parse

import pytest
from botocore.exceptions import ClientError

MIB = 1 << 20


def fails(call, code, status=None, **arguments):
    """Calls and expects this error; returns the parsed answer for a closer look."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer["Error"]
    if status:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
    return answer


def md5(data):
    return hashlib.md5(data).hexdigest()


def headers_of(answer):
    return answer["ResponseMetadata"]["HTTPHeaders"]


def raw(server, method, target, body=None, headers=None):
    """An unsigned request with the target exactly as given (HTTP libraries would tidy it up).
    Returns status, headers and body."""
    host = urllib.parse.urlparse(server.endpoint).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        named = "Host" in (headers or {})
        connection.putrequest(method, target, skip_host=named, skip_accept_encoding=True)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def files_under(folder):
    """Relative paths of all files below a folder."""
    root = pathlib.Path(folder)
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
