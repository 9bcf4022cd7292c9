import concurrent.futures
import threading

import pytest

from tests.support.s3 import MIB, files_under, md5
from tests.support.wait import wait_until


def test_everything_is_there_after_a_crash(fresh_server):
    s3 = fresh_server.client("s3")
    s3.create_bucket(Bucket="keep")
    s3.put_object(Bucket="keep", Key="a/b", Body=b"1", Metadata={"m": "1"}, Tagging="t=1", ContentType="text/csv")
    s3.put_object(Bucket="keep", Key="a", Body=b"2")
    s3.put_object(Bucket="keep", Key="gone", Body=b"3")
    s3.delete_object(Bucket="keep", Key="gone")
    s3.put_bucket_tagging(Bucket="keep", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    upload = s3.create_multipart_upload(Bucket="keep", Key="m", ChecksumAlgorithm="CRC32")["UploadId"]
    part = s3.upload_part(Bucket="keep", Key="m", UploadId=upload, PartNumber=1, Body=b"part")
    fresh_server.kill()
    fresh_server.start()
    got = s3.get_object(Bucket="keep", Key="a/b")
    assert got["Body"].read() == b"1" and got["Metadata"] == {"m": "1"} and got["ContentType"] == "text/csv"
    assert s3.get_object(Bucket="keep", Key="a")["Body"].read() == b"2"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="keep")["Contents"]] == ["a", "a/b"]
    assert s3.get_bucket_tagging(Bucket="keep")["TagSet"] == [{"Key": "x", "Value": "y"}]
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]
    s3.complete_multipart_upload(Bucket="keep", Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="keep", Key="m")["Body"].read() == b"part"
    wait_until(lambda: not list((fresh_server.data_dir / "tmp").iterdir()))


@pytest.mark.parametrize("round_", range(3))
def test_what_was_answered_survives_a_kill_in_the_middle(fresh_server, round_):
    """Writers run until the server is killed; each answered PUT must be readable, whole, afterwards."""
    s3 = fresh_server.client("s3", max_pool_connections=20)
    s3.create_bucket(Bucket="b-1")
    answered, stop, lock = {}, threading.Event(), threading.Lock()

    def write(worker):
        n = 0
        while not stop.is_set():
            key, body = f"w{worker}/{n % 7}", b"%d-%d;" % (worker, n) * (1 + n % 5000)
            try:
                s3.put_object(Bucket="b-1", Key=key, Body=body)
            except Exception:
                with lock:
                    answered.pop(key, None)  # unknown: either version may be there
                return
            with lock:
                answered[key] = md5(body)
            n += 1

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(write, i) for i in range(8)]
        wait_until(lambda: len(answered) > 30 + 10 * round_)
        fresh_server.kill()
        stop.set()
        for job in jobs:
            job.result()
    fresh_server.start()
    for key, digest in answered.items():
        got = s3.get_object(Bucket="b-1", Key=key)
        assert md5(got["Body"].read()) == digest, key
    listed = {o["Key"] for o in s3.list_objects_v2(Bucket="b-1")["Contents"]}
    assert set(answered) <= listed
    for key in listed:
        s3.get_object(Bucket="b-1", Key=key)["Body"].read()
    wait_until(lambda: set(files_under(fresh_server.data_dir / "buckets" / "b-1")) == listed)
    wait_until(lambda: not list((fresh_server.data_dir / "tmp").iterdir()))


def test_killed_while_completing(fresh_server):
    s3 = fresh_server.client("s3")
    s3.create_bucket(Bucket="b-1")
    blocks = [bytes([i]) * (8 * MIB) for i in range(8)]
    upload = s3.create_multipart_upload(Bucket="b-1", Key="m", ChecksumAlgorithm="CRC32")["UploadId"]
    parts = []
    for i, body in enumerate(blocks):
        answer = s3.upload_part(Bucket="b-1", Key="m", UploadId=upload, PartNumber=i + 1, Body=body)
        parts.append({"PartNumber": i + 1, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]})

    def finish():
        return s3.complete_multipart_upload(
            Bucket="b-1", Key="m", UploadId=upload, MultipartUpload={"Parts": parts}
        )

    job = threading.Thread(target=lambda: pytest.raises(Exception, finish))
    tmp = fresh_server.data_dir / "tmp"
    before = len(list(tmp.iterdir()))
    job.start()
    wait_until(lambda: len(list(tmp.iterdir())) != before, step=0.0005)
    fresh_server.kill()
    job.join()
    fresh_server.start()
    uploads = s3.list_multipart_uploads(Bucket="b-1").get("Uploads", [])
    if uploads:  # not committed: nothing is lost, the client tries again
        finish()
    body = s3.get_object(Bucket="b-1", Key="m")["Body"].read()
    assert body == b"".join(blocks)
    wait_until(lambda: not list(tmp.iterdir()))


def test_buckets_have_folders_after_a_restart(fresh_server):
    s3 = fresh_server.client("s3")
    s3.create_bucket(Bucket="empty")
    (fresh_server.data_dir / "buckets" / "empty").rmdir()
    fresh_server.restart()
    assert (fresh_server.data_dir / "buckets" / "empty").is_dir()
