import concurrent.futures
import hashlib
import threading

from tests.support.s3 import MIB, fails, md5


def test_readers_never_see_a_mix(server, bucket):
    """Several writers replace one key while readers compare each body with the ETag it came with."""
    client = server.client("s3", max_pool_connections=20)
    bodies = [bytes([i]) * (100_000 + i * 7919) for i in range(8)]
    known = {f'"{md5(b)}"': b for b in bodies}
    client.put_object(Bucket=bucket, Key="k", Body=bodies[0])
    stop = threading.Event()
    seen = set()

    def read():
        count = 0
        while not stop.is_set():
            got = client.get_object(Bucket=bucket, Key="k")
            body = got["Body"].read()
            assert body == known[got["ETag"]] and got["ContentLength"] == len(body)
            seen.add(got["ETag"])
            count += 1
        return count

    def write(i):
        for n in range(25):
            client.put_object(Bucket=bucket, Key="k", Body=bodies[(i + n) % len(bodies)])

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for w in [pool.submit(write, i) for i in range(4)]:
            w.result()
        stop.set()
        assert sum(r.result() for r in readers) > 20
    assert len(seen) > 1
    last = client.get_object(Bucket=bucket, Key="k")
    assert (server.data_dir / "buckets" / bucket / "k").read_bytes() == last["Body"].read()


def test_many_keys_at_once(server, bucket):
    client = server.client("s3", max_pool_connections=20)

    def put(i):
        client.put_object(Bucket=bucket, Key=f"{i % 10}/{i:04}", Body=b"%d" % i)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(500)))
    keys = [o["Key"] for o in client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert len(keys) == 500
    for i in range(0, 500, 37):
        assert client.get_object(Bucket=bucket, Key=f"{i % 10}/{i:04}")["Body"].read() == b"%d" % i


def test_parts_in_parallel_and_completions_that_race(server, bucket):
    client = server.client("s3", max_pool_connections=20)
    blocks = [bytes([i]) * (5 * MIB) for i in range(6)]
    upload = client.create_multipart_upload(Bucket=bucket, Key="m", ChecksumAlgorithm="CRC32")["UploadId"]

    def send(i):
        answer = client.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=i + 1, Body=blocks[i])
        return {"PartNumber": i + 1, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]}

    def finish(_):
        try:
            client.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
            return "done"
        except client.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        parts = list(pool.map(send, range(6)))
        results = sorted(pool.map(finish, range(3)))
    assert results == ["NoSuchUpload", "NoSuchUpload", "done"]
    digest = hashlib.md5()
    for piece in client.get_object(Bucket=bucket, Key="m")["Body"].iter_chunks(MIB):
        digest.update(piece)
    assert digest.hexdigest() == md5(b"".join(blocks))


def test_delete_while_reading(server, bucket):
    client = server.client("s3")
    data = b"d" * (20 * MIB)
    client.put_object(Bucket=bucket, Key="k", Body=data)
    got = client.get_object(Bucket=bucket, Key="k")
    first = got["Body"].read(1000)
    client.delete_object(Bucket=bucket, Key="k")
    client.put_object(Bucket=bucket, Key="k", Body=b"new")
    assert first + got["Body"].read() == data


def test_buckets_come_and_go_for_all_threads_at_once(server, unique):
    """HTTP threads remember buckets: once a change is answered, no thread knows the older state."""
    clients = [server.client("s3") for _ in range(6)]  # connections of their own, spread over threads
    name = unique("coming")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for _ in range(25):
            clients[0].create_bucket(Bucket=name)
            assert all(pool.map(lambda c: c.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1", clients))
            clients[1].put_object(Bucket=name, Key="k", Body=b"x")
            fails(clients[2].delete_bucket, "BucketNotEmpty", 409, Bucket=name)
            assert clients[3].get_object(Bucket=name, Key="k")["Body"].read() == b"x"
            clients[4].delete_object(Bucket=name, Key="k")
            clients[5].delete_bucket(Bucket=name)
            list(pool.map(lambda c: fails(c.get_object, "NoSuchBucket", 404, Bucket=name, Key="k"), clients))
            list(pool.map(lambda c: fails(c.put_object, "NoSuchBucket", 404, Bucket=name, Key="k"), clients))
