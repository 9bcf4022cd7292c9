"""Prepared, signed S3 requests for s3load: the plan file and the file of bodies."""

import datetime
import hashlib
import hmac
import os

KIB, MIB = 1 << 10, 1 << 20
LARGE = 64 * MIB
SMALL_BODIES = 256


class Bodies:
    """One random file: as a whole the large body, its first KiBs the small ones."""

    def __init__(self, path):
        self.path = path
        data = os.urandom(LARGE)
        path.write_bytes(data)
        self.large_etag = hashlib.md5(data).hexdigest()
        small = [data[i * KIB:(i + 1) * KIB] for i in range(SMALL_BODIES)]
        self.etags = [hashlib.md5(b).hexdigest() for b in small]
        self.sha256 = [hashlib.sha256(b).hexdigest() for b in small]


class Signer:
    """Signature version 4 in headers, for one host, a few microseconds per request."""

    def __init__(self, host, key="test", secret="test", region="us-east-1"):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.host, self.key, self.time = host, key, now.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.time[:8]}/{region}/s3/aws4_request"
        signing_key = ("AWS4" + secret).encode()
        for part in self.scope.split("/"):
            signing_key = hmac.digest(signing_key, part.encode(), "sha256")
        self.signing_key = signing_key

    def head(self, method, path, query="", payload="UNSIGNED-PAYLOAD", length=None):
        """The request's head; path and query as they go over the wire (canonical already)."""
        canonical = (
            f"{method}\n{path}\n{query}\nhost:{self.host}\nx-amz-content-sha256:{payload}\n"
            f"x-amz-date:{self.time}\n\nhost;x-amz-content-sha256;x-amz-date\n{payload}")
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self.time}\n{self.scope}\n{digest}"
        signature = hmac.digest(self.signing_key, text.encode(), "sha256").hex()
        lines = [
            f"{method} {path}{'?' + query if query else ''} HTTP/1.1", f"Host: {self.host}",
            f"x-amz-date: {self.time}", f"x-amz-content-sha256: {payload}",
            f"Authorization: AWS4-HMAC-SHA256 Credential={self.key}/{self.scope},"
            f"SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature={signature}",
        ]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return "\r\n".join(lines) + "\r\n\r\n"


class Plain:
    """The same face for a server without signatures."""

    def __init__(self, host):
        self.host = host

    def head(self, method, path, query="", payload="", length=None):
        more = "" if length is None else f"Content-Length: {length}\r\n"
        return f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{more}\r\n"


def _record(head, status, body=(0, 0), want=(0, -1), etag="-"):
    return f"{len(head)} {body[0]} {body[1]} {status} {want[0]} {want[1]} {etag}\n{head}"


def put_small(peer, bodies, folder, count):
    for i in range(count):
        n = i % SMALL_BODIES
        head = peer.signer.head("PUT", f"/bench/{folder}/{i:06}", payload=bodies.sha256[n], length=KIB)
        yield _record(head, peer.put_status, (n * KIB, KIB), etag=bodies.etags[n] if peer.s3 else "-")


def get_small(peer, bodies, folder, keys, count):
    for i in range(count):
        n = i % keys % SMALL_BODIES
        head = peer.signer.head("GET", f"/bench/{folder}/{i % keys:06}")
        yield _record(head, 200, want=(n * KIB, KIB), etag=bodies.etags[n] if peer.s3 else "-")


def put_large(peer, bodies, folder, count):
    for i in range(count):
        head = peer.signer.head("PUT", f"/bench/{folder}/{i}", length=LARGE)
        yield _record(head, peer.put_status, (0, LARGE), etag=bodies.large_etag if peer.s3 else "-")


def get_large(peer, bodies, folder, count):
    for i in range(count):
        head = peer.signer.head("GET", f"/bench/{folder}/{i}")
        yield _record(head, 200, want=(0, LARGE), etag=bodies.large_etag if peer.s3 else "-")


def fill_list(peer, bodies, count):
    for i in range(count):
        yield _record(peer.signer.head("PUT", f"/list/key-{i:06}", payload=bodies.sha256[0], length=KIB),
                      peer.put_status, (0, KIB), etag=bodies.etags[0])


def list_pages(peer, count):
    """All keys in pages of 1000, each starting after the last key of the one before."""
    for page in range(0, count, 1000):
        after = f"&start-after=key-{page - 1:06}" if page else ""
        yield _record(peer.signer.head("GET", "/list", f"list-type=2&max-keys=1000{after}"), 200)
