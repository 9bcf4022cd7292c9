import base64
import hashlib
import zlib

import pytest

from tests.support.s3 import MIB, fails, headers_of, md5, raw

SMALL = 5 * MIB


def block(i, size=SMALL):
    return bytes([i % 251]) * size


def start(s3, bucket, key="m", **more):
    more.setdefault("ChecksumAlgorithm", "CRC32")  # as boto3's transfer manager does
    return s3.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"]


def send(s3, bucket, upload, number, data, key="m", **more):
    answer = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data, **more)
    part = {"PartNumber": number, "ETag": answer["ETag"]}
    part.update({k: v for k, v in answer.items() if k.startswith("Checksum")})
    return part


def complete(s3, bucket, upload, parts, key="m", **more):
    return s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
    )


def etag_of(blocks):
    joined = b"".join(hashlib.md5(b).digest() for b in blocks)
    return f'"{md5(joined)}-{len(blocks)}"'


def test_whole_story(server, s3, bucket):
    blocks = [block(1), block(2, SMALL + 3), b"tail"]
    upload = start(s3, bucket, "dir/m", Metadata={"a": "b"}, ContentType="text/csv", Tagging="x=y")
    parts = [send(s3, bucket, upload, n, blocks[i], "dir/m") for i, n in enumerate((2, 5, 9))]
    fails(s3.head_object, "404", 404, Bucket=bucket, Key="dir/m")
    done = complete(s3, bucket, upload, parts, "dir/m")
    assert done["ETag"] == etag_of(blocks) and done["Bucket"] == bucket and done["Key"] == "dir/m"
    assert done["Location"].endswith(f"/{bucket}/dir/m")
    whole = b"".join(blocks)
    got = s3.get_object(Bucket=bucket, Key="dir/m")
    assert got["Body"].read() == whole and got["ETag"] == done["ETag"]
    assert (got["Metadata"], got["ContentType"], got["TagCount"]) == ({"a": "b"}, "text/csv", 1)
    assert (server.data_dir / "buckets" / bucket / "dir" / "m").read_bytes() == whole
    fails(s3.list_parts, "NoSuchUpload", 404, Bucket=bucket, Key="dir/m", UploadId=upload)
    fails(complete, "NoSuchUpload", 404, s3=s3, bucket=bucket, upload=upload, parts=parts, key="dir/m")


def test_parts_of_the_finished_object(s3, bucket):
    blocks = [block(1), block(2), b"tail"]
    upload = start(s3, bucket, ChecksumAlgorithm="SHA256")
    parts = [send(s3, bucket, upload, i + 1, b, ChecksumAlgorithm="SHA256") for i, b in enumerate(blocks)]
    complete(s3, bucket, upload, parts)
    for i, data in enumerate(blocks):
        got = s3.get_object(Bucket=bucket, Key="m", PartNumber=i + 1, ChecksumMode="ENABLED")
        assert got["Body"].read() == data and got["PartsCount"] == 3
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert got["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()
    head = s3.head_object(Bucket=bucket, Key="m", PartNumber=3)
    assert head["ContentLength"] == 4 and head["PartsCount"] == 3
    answer = fails(s3.get_object, "InvalidPartNumber", 416, Bucket=bucket, Key="m", PartNumber=4)
    assert answer["Error"]["ActualPartCount"] == "3"
    seen = s3.get_object_attributes(Bucket=bucket, Key="m", ObjectAttributes=["ObjectParts", "Checksum"], MaxParts=2)
    assert seen["ObjectParts"]["TotalPartsCount"] == 3 and seen["ObjectParts"]["IsTruncated"]
    assert [p["Size"] for p in seen["ObjectParts"]["Parts"]] == [SMALL, SMALL]
    assert "-" not in seen["Checksum"]["ChecksumSHA256"]


def test_composite_checksum(s3, bucket):
    blocks = [block(1), b"tail"]
    upload = start(s3, bucket, ChecksumAlgorithm="CRC32")
    parts = [send(s3, bucket, upload, i + 1, b) for i, b in enumerate(blocks)]
    done = complete(s3, bucket, upload, parts)
    joined = b"".join(zlib.crc32(b).to_bytes(4, "big") for b in blocks)
    expected = base64.b64encode(zlib.crc32(joined).to_bytes(4, "big")).decode() + "-2"
    assert done["ChecksumCRC32"] == expected and done["ChecksumType"] == "COMPOSITE"
    head = s3.head_object(Bucket=bucket, Key="m", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == expected and head["ChecksumType"] == "COMPOSITE"


def test_full_object_checksum(s3, bucket):
    blocks = [block(1), block(2), b"tail"]
    whole = base64.b64encode(zlib.crc32(b"".join(blocks)).to_bytes(4, "big")).decode()
    upload = start(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [send(s3, bucket, upload, i + 1, b) for i, b in enumerate(blocks)]
    wrong = base64.b64encode(bytes(4)).decode()
    fails(complete, "BadDigest", 400, s3=s3, bucket=bucket, upload=upload, parts=parts, ChecksumCRC32=wrong,
          ChecksumType="FULL_OBJECT")
    bare = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts]
    done = complete(s3, bucket, upload, bare, ChecksumCRC32=whole, ChecksumType="FULL_OBJECT")
    assert done["ChecksumCRC32"] == whole and done["ChecksumType"] == "FULL_OBJECT"
    got = s3.get_object(Bucket=bucket, Key="m", ChecksumMode="ENABLED")
    assert got["ChecksumCRC32"] == whole
    got["Body"].read()  # the client compares


def xml_complete(parts):
    inner = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in parts)
    return f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>".encode()


def test_without_any_checksum(server, s3, bucket):
    status, _, body = raw(server, "POST", f"/{bucket}/n?uploads")
    upload = body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    assert status == 200 and b"ChecksumAlgorithm" not in body
    etags = []
    for n, data in ((1, block(1)), (2, b"tail")):
        status, seen, _ = raw(server, "PUT", f"/{bucket}/n?partNumber={n}&uploadId={upload}", data)
        assert status == 200
        etags.append((n, seen["etag"]))
    status, _, body = raw(server, "POST", f"/{bucket}/n?uploadId={upload}", xml_complete(etags))
    assert status == 200 and b"<ChecksumCRC64NVME>" in body and b"FULL_OBJECT" in body, body
    raw(server, "PUT", f"/{bucket}/same", block(1) + b"tail")
    one, two = (headers_of(s3.head_object(Bucket=bucket, Key=k, ChecksumMode="ENABLED")) for k in ("n", "same"))
    assert one["x-amz-checksum-crc64nvme"] == two["x-amz-checksum-crc64nvme"]


def test_errors_of_complete(s3, bucket):
    upload = start(s3, bucket)
    parts = [send(s3, bucket, upload, i, block(i)) for i in (1, 2)]
    where = dict(s3=s3, bucket=bucket, upload=upload)
    fails(complete, "InvalidPartOrder", 400, parts=parts[::-1], **where)
    fails(complete, "InvalidPartOrder", 400, parts=[parts[0], parts[0]], **where)
    fails(complete, "InvalidRequest", 400, parts=[], **where)
    other = dict(parts[1], PartNumber=3)
    answer = fails(complete, "InvalidPart", 400, parts=[parts[0], other], **where)
    assert answer["Error"]["PartNumber"] == "3" and answer["Error"]["UploadId"] == upload
    fails(complete, "InvalidPart", 400, parts=[dict(parts[0], ETag='"' + "0" * 32 + '"')], **where)
    answer = fails(complete, "InvalidRequest", 400, parts=[{k: parts[0][k] for k in ("PartNumber", "ETag")}], **where)
    assert "It was missing for part 1 in the request." in answer["Error"]["Message"]
    fails(complete, "InvalidRequest", 400, parts=parts, MpuObjectSize=17, **where)
    complete(s3, bucket, upload, parts, MpuObjectSize=2 * SMALL)


def test_small_parts(s3, bucket):
    upload = start(s3, bucket)
    parts = [send(s3, bucket, upload, i, b"small") for i in (1, 2)]
    answer = fails(complete, "EntityTooSmall", 400, s3=s3, bucket=bucket, upload=upload, parts=parts)
    assert answer["Error"]["MinSizeAllowed"] == "5242880" and answer["Error"]["ProposedSize"] == "5"
    assert complete(s3, bucket, upload, parts[:1])["ETag"].endswith('-1"')
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == b"small"


def test_errors_of_parts(s3, bucket):
    upload = start(s3, bucket, ChecksumAlgorithm="SHA256")
    where = dict(Bucket=bucket, Key="m", Body=b"x")
    for number in (0, 10001, -1):
        fails(s3.upload_part, "InvalidArgument", 400, UploadId=upload, PartNumber=number, **where)
    fails(s3.upload_part, "NoSuchUpload", 404, UploadId="nope", PartNumber=1, **where)
    fails(s3.upload_part, "NoSuchUpload", 404, UploadId=upload, PartNumber=1, Bucket=bucket, Key="other", Body=b"x")
    answer = fails(
        s3.upload_part, "InvalidRequest", 400, UploadId=upload, PartNumber=1, ChecksumAlgorithm="CRC32", **where
    )
    assert "expected checksum Type: sha256, actual checksum Type: crc32" in answer["Error"]["Message"]


@pytest.mark.parametrize(
    "algorithm, kind, good",
    [("CRC64NVME", "COMPOSITE", False), ("SHA1", "FULL_OBJECT", False), ("SHA256", "COMPOSITE", True),
     ("CRC32C", "FULL_OBJECT", True)],
)
def test_types_and_algorithms(server, bucket, algorithm, kind, good):
    headers = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind}
    status, _, body = raw(server, "POST", f"/{bucket}/t?uploads", headers=headers)
    assert status == (200 if good else 400), body
    status, _, body = raw(server, "POST", f"/{bucket}/t?uploads", headers={"x-amz-checksum-type": kind})
    assert status == 400 and b"<Code>InvalidRequest</Code>" in body


def test_part_again_replaces(s3, bucket):
    upload = start(s3, bucket)
    send(s3, bucket, upload, 1, b"first")
    part = send(s3, bucket, upload, 1, b"second")
    assert [p["Size"] for p in s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)["Parts"]] == [6]
    complete(s3, bucket, upload, [part])
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == b"second"


def test_abort_leaves_nothing(server, s3, bucket, make_server):
    own = make_server()
    s3 = own.client("s3")
    s3.create_bucket(Bucket="b-1")
    upload = start(s3, "b-1")
    send(s3, "b-1", upload, 1, b"x" * 1000)
    s3.abort_multipart_upload(Bucket="b-1", Key="m", UploadId=upload)
    fails(s3.abort_multipart_upload, "NoSuchUpload", 404, Bucket="b-1", Key="m", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="b-1")
    own.restart()
    assert not list((own.data_dir / "tmp").iterdir())


def test_list_parts_in_pages(s3, bucket):
    upload = start(s3, bucket)
    for i in range(1, 6):
        send(s3, bucket, upload, i * 10, b"x" * i)
    first = s3.list_parts(Bucket=bucket, Key="m", UploadId=upload, MaxParts=2)
    assert [p["PartNumber"] for p in first["Parts"]] == [10, 20] and first["IsTruncated"]
    assert first["NextPartNumberMarker"] == 20 and first["ChecksumAlgorithm"] == "CRC32"
    pages = s3.get_paginator("list_parts").paginate(
        Bucket=bucket, Key="m", UploadId=upload, PaginationConfig={"PageSize": 2}
    )
    assert [p["Size"] for page in pages for p in page["Parts"]] == [1, 2, 3, 4, 5]


def test_list_uploads(s3, bucket):
    keys = ["a/1", "a/2", "b", "b", "c d"]
    made = sorted((k, start(s3, bucket, k)) for k in keys)
    got = s3.list_multipart_uploads(Bucket=bucket)
    assert [(u["Key"], u["UploadId"]) for u in got["Uploads"]] == made
    assert got["Uploads"][0]["Initiator"]["DisplayName"] and not got["IsTruncated"]
    for size in (1, 2, 3):
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
        assert [(u["Key"], u["UploadId"]) for p in pages for u in p["Uploads"]] == made
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in grouped["CommonPrefixes"]] == ["a/"]
    assert [u["Key"] for u in grouped["Uploads"]] == ["b", "b", "c d"]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket, Prefix="b")["Uploads"]] == ["b", "b"]
    one = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", MaxUploads=1)
    assert one["IsTruncated"] and one["NextKeyMarker"] == "a/"
    rest = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", KeyMarker="a/")
    assert [u["Key"] for u in rest["Uploads"]] == ["b", "b", "c d"] and "CommonPrefixes" not in rest


def test_upload_part_copy(s3, bucket):
    source = bytes(range(256)) * (SMALL // 256 + 10)
    s3.put_object(Bucket=bucket, Key="src ü/1", Body=source)
    upload = start(s3, bucket, ChecksumAlgorithm="CRC32")
    where = dict(Bucket=bucket, Key="m", UploadId=upload, CopySource={"Bucket": bucket, "Key": "src ü/1"})
    one = s3.upload_part_copy(PartNumber=1, **where)["CopyPartResult"]
    two = s3.upload_part_copy(PartNumber=2, CopySourceRange="bytes=5-14", **where)["CopyPartResult"]
    assert two["ETag"] == f'"{md5(source[5:15])}"' and two["ChecksumCRC32"]
    fails(s3.upload_part_copy, "InvalidArgument", 400, PartNumber=3, CopySourceRange=f"bytes=0-{len(source)}", **where)
    fails(s3.upload_part_copy, "InvalidArgument", 400, PartNumber=3, CopySourceRange="bytes=5-", **where)
    fails(s3.upload_part_copy, "PreconditionFailed", 412, PartNumber=3, CopySourceIfMatch='"no"', **where)
    parts = [{"PartNumber": i + 1, "ETag": p["ETag"], "ChecksumCRC32": p["ChecksumCRC32"]} for i, p in enumerate((one, two))]
    complete(s3, bucket, upload, parts)
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == source + source[5:15]


def test_conditions(s3, bucket):
    upload = start(s3, bucket)
    parts = [send(s3, bucket, upload, 1, b"x")]
    where = dict(s3=s3, bucket=bucket, upload=upload, parts=parts)
    fails(complete, "NoSuchKey", 404, IfMatch='"x"', **where)
    fails(complete, "NotImplemented", 501, IfMatch="*", **where)
    etag = s3.put_object(Bucket=bucket, Key="m", Body=b"other")["ETag"]
    fails(complete, "PreconditionFailed", 412, IfNoneMatch="*", **where)
    complete(IfMatch=etag, **where)
    upload = start(s3, bucket)  # now the key exists
    parts = [send(s3, bucket, upload, 1, b"y")]
    s3.delete_object(Bucket=bucket, Key="m")
    answer = fails(
        complete, "ConditionalRequestConflict", 409, s3=s3, bucket=bucket, upload=upload, parts=parts, IfNoneMatch="*"
    )
    assert answer["Error"]["Key"] == "m"


def test_transfer_manager(s3, bucket, tmp_path):
    data = b"".join(i.to_bytes(4, "big") for i in range(6 * MIB))  # 24 MiB
    (tmp_path / "up").write_bytes(data)
    s3.upload_file(str(tmp_path / "up"), bucket, "big")
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-3"')
    s3.download_file(bucket, "big", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == data
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "big2")
    assert s3.get_object(Bucket=bucket, Key="big2")["Body"].read() == data


def test_copy_of_a_multipart_object_is_plain(s3, bucket):
    blocks = [block(1), b"tail"]
    upload = start(s3, bucket)
    complete(s3, bucket, upload, [send(s3, bucket, upload, i + 1, b) for i, b in enumerate(blocks)])
    whole = b"".join(blocks)
    result = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/m")["CopyObjectResult"]
    assert result["ETag"] == f'"{md5(whole)}"' and result["ChecksumType"] == "FULL_OBJECT"
    assert result["ChecksumCRC32"] == base64.b64encode(zlib.crc32(whole).to_bytes(4, "big")).decode()
