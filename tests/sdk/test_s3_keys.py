"""Keys are names, not paths: whatever a client sends stays in the bucket's folder and comes back."""

import urllib.parse

import pytest

from tests.support.s3 import fails, files_under, raw
from tests.support.wait import wait_until

HOSTILE = [
    "../escape", "../../etc/passwd", "a/../../b", "./dot", "a/./b", "..", ".", "a/..", "/leading", "//two", "a//b",
    "trailing/", "a/b/", ".cistern/x", ".cistern", "con\nrol", "back\\slash", "x" * 300, "d/" + "y" * 256,
    "/".join(["deep"] * 200), "emoji 🚀", "ü" * 100, "%2e%2e/x", "a?b#c", "space end ", "~user", "-rf", "*", "'\"<>&",
    ".git/config", "a:b|c", "tab\tkey", "\u202ertl",
]


@pytest.fixture
def target(bucket):
    return lambda key: f"/{bucket}/" + urllib.parse.quote(key, safe="/.~")


def test_hostile_keys_stay_inside(server, s3, bucket, target):
    outside = set(files_under(server.data_dir / "buckets")) - {f"{bucket}/{f}" for f in files_under(server.data_dir / "buckets" / bucket)}
    for key in HOSTILE:
        status, _, body = raw(server, "PUT", target(key), key.encode())
        assert status == 200, (key, body)
    for key in HOSTILE:
        status, _, body = raw(server, "GET", target(key))
        assert (status, body) == (200, key.encode()), key
    listed = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted(HOSTILE, key=lambda k: k.encode())
    root = server.data_dir / "buckets"
    wait_until(lambda: len(files_under(root / bucket)) == len(HOSTILE))
    now = set(files_under(root))
    assert {f for f in now if not f.startswith(bucket + "/")} == outside
    assert not list(server.data_dir.glob("escape")) and not (server.data_dir.parent / "escape").exists()
    for key in HOSTILE:
        assert raw(server, "DELETE", target(key))[0] == 204, key
    wait_until(lambda: files_under(root / bucket) == [])


def test_plain_keys_are_plain_files(server, s3, bucket):
    root = server.data_dir / "buckets" / bucket
    plain = ["a", "dir/b.csv", "dir/sub/c", "with space", "ünï/ö", "x+y=z&w", ".hidden", "日本語", "a:b"]
    for key in plain:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert files_under(root) == sorted(plain)
    for key in plain:
        assert (root / key).read_bytes() == key.encode()


@pytest.mark.parametrize("first, second", [("a", "a/b"), ("a/b", "a"), ("a/b/c/d", "a/b"), ("a", "a/")])
def test_a_file_beside_a_folder(server, s3, bucket, first, second):
    for _ in range(2):
        for key in (first, second):
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        for key in (first, second):
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    for gone, kept in ((first, second), (second, first)):
        s3.delete_object(Bucket=bucket, Key=gone)
        assert s3.get_object(Bucket=bucket, Key=kept)["Body"].read() == kept.encode()
        s3.put_object(Bucket=bucket, Key=gone, Body=gone.encode())
        assert s3.get_object(Bucket=bucket, Key=gone)["Body"].read() == gone.encode()
    s3.delete_object(Bucket=bucket, Key=first)
    s3.delete_object(Bucket=bucket, Key=second)
    wait_until(lambda: files_under(server.data_dir / "buckets" / bucket) == [])


def test_a_symbolic_link_is_not_followed(server, s3, bucket, tmp_path):
    """Somebody plants a link where an object will be: it is replaced, not followed."""
    root = server.data_dir / "buckets" / bucket
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    s3.put_object(Bucket=bucket, Key="link", Body=b"mine")
    assert s3.get_object(Bucket=bucket, Key="link")["Body"].read() == b"mine"
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_file_changed_from_outside_is_told(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1234")
    (server.data_dir / "buckets" / bucket / "k").write_bytes(b"other bytes")
    answer = fails(s3.get_object, "InternalError", 500, Bucket=bucket, Key="k")
    assert "another program" in answer["Error"]["Message"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"again")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"again"
