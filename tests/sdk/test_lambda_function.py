"""Create, read, update, list, delete; names; what is refused."""

import base64
import hashlib
import io
import os
import re
import time
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

from tests.support.functions import ROLE, Functions
from tests.support.pipeline import zip_of

HELLO = "def handler(event, context):\n    return 'hello'\n"


def refused(call, code, status=None, words=""):
    with pytest.raises(ClientError) as e:
        call()
    assert e.value.response["Error"]["Code"] == code, e.value
    if status:
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    message = e.value.response["Error"].get("Message", "")
    assert words in message, message
    return e.value.response


def test_create_shows_pending_and_then_active(functions):
    code = zip_of(**{"app.py": HELLO})
    name = functions.unique("fn")
    functions.names.append(name)
    made = functions.client.create_function(
        FunctionName=name, Role=ROLE, Runtime="python3.12", Handler="app.handler",
        Code={"ZipFile": code}, Description="says hello", Tags={"team": "a"},
        Environment={"Variables": {"COLOUR": "blue"}})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert "LastUpdateStatus" not in made
    assert made["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert made["CodeSize"] == len(code)
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", made["LastModified"])
    assert (made["Timeout"], made["MemorySize"], made["Version"]) == (3, 128, "$LATEST")
    assert made["EphemeralStorage"] == {"Size": 512}
    assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert made["PackageType"] == "Zip" and made["Architectures"] == ["x86_64"]
    assert made["TracingConfig"] == {"Mode": "PassThrough"}
    assert made["Environment"] == {"Variables": {"COLOUR": "blue"}}

    seen = functions.client.get_function(FunctionName=name)
    assert seen["Configuration"]["State"] == "Active"
    assert seen["Configuration"]["LastUpdateStatus"] == "Successful"
    assert seen["Tags"] == {"team": "a"} and "Concurrency" not in seen
    assert seen["Code"]["RepositoryType"] == "S3"
    assert urllib.request.urlopen(seen["Code"]["Location"]).read() == code
    functions.client.get_waiter("function_active_v2").wait(FunctionName=name)


def test_names_may_be_given_in_every_form(functions):
    name = functions.python(HELLO)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    for form in (name, arn, f"000000000000:function:{name}", f"000000000000:{name}",
                 f"function:{name}", f"{name}:$LATEST", f"{arn}:$LATEST"):
        seen = functions.client.get_function_configuration(FunctionName=form)
        assert seen["FunctionArn"] == arn, form
        assert functions.invoke(form).value == "hello"
    refused(lambda: functions.client.get_function(FunctionName=f"{arn}:prod"),
            "ResourceNotFoundException", 404, f"Function not found: {arn}:prod")
    refused(lambda: functions.client.get_function(FunctionName=name, Qualifier="7"),
            "ResourceNotFoundException", 404, f"Function not found: {arn}:7")
    refused(lambda: functions.client.get_function(
        FunctionName=f"arn:aws:lambda:eu-west-1:000000000000:function:{name}"),
        "ResourceNotFoundException", 404, "not reachable in this region ('us-east-1')")


def test_a_missing_function_is_told_by_its_arn(functions):
    answer = refused(lambda: functions.client.get_function(FunctionName="nope"),
                     "ResourceNotFoundException", 404)
    assert answer["Error"]["Message"] == (
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nope")
    for call in ("get_function_configuration", "delete_function", "invoke", "get_policy",
                 "get_function_concurrency", "list_versions_by_function"):
        refused(lambda: getattr(functions.client, call)(FunctionName="nope"),
                "ResourceNotFoundException", 404, "Function not found: arn:")


def test_functions_belong_to_account_and_region(functions):
    name = functions.python(HELLO)
    other_region = functions.server.client("lambda", region="eu-central-1")
    other_account = functions.server.client("lambda", access_key="123456789012")
    for client in (other_region, other_account):
        refused(lambda: client.get_function(FunctionName=name), "ResourceNotFoundException")
        assert name not in [f["FunctionName"] for f in client.list_functions()["Functions"]]


def test_update_code(functions):
    name = functions.python(HELLO)
    before = functions.client.get_function_configuration(FunctionName=name)
    assert functions.invoke(name).value == "hello"
    code = zip_of(**{"app.py": HELLO.replace("hello", "good bye")})
    dry = functions.client.update_function_code(FunctionName=name, ZipFile=code, DryRun=True)
    assert dry["CodeSha256"] != before["CodeSha256"]
    assert functions.invoke(name).value == "hello"
    after = functions.client.update_function_code(FunctionName=name, ZipFile=code)
    assert after["LastUpdateStatus"] == "InProgress"
    assert after["RevisionId"] != before["RevisionId"]
    functions.client.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert functions.invoke(name).value == "good bye"
    # The old code is gone from the disk.
    folder = functions.server.data_dir / "functions/000000000000" / name
    digest = base64.b64decode(after["CodeSha256"]).hex()
    deadline = time.monotonic() + 10
    while {p.name for p in folder.iterdir()} != {digest, digest + ".zip"}:
        assert time.monotonic() < deadline, list(folder.iterdir())
        time.sleep(0.02)


def test_update_configuration(functions):
    name = functions.python("import os\ndef handler(e, c):\n"
                            "    return [os.environ.get('AA'), c.memory_limit_in_mb]\n", env={"AA": "1"})
    assert functions.invoke(name).value == ["1", "128"]
    old = functions.client.get_function_configuration(FunctionName=name)
    new = functions.client.update_function_configuration(
        FunctionName=name, MemorySize=256, Timeout=20, Environment={"Variables": {"AA": "2"}},
        RevisionId=old["RevisionId"])
    assert new["LastUpdateStatus"] == "InProgress"
    assert (new["MemorySize"], new["Timeout"], new["Handler"]) == (256, 20, "app.handler")
    assert functions.invoke(name).value == ["2", "256"]
    refused(lambda: functions.client.update_function_configuration(
        FunctionName=name, MemorySize=512, RevisionId=old["RevisionId"]),
        "PreconditionFailedException", 412)


def test_code_from_a_bucket(functions, s3, bucket):
    s3.put_object(Bucket=bucket, Key="code/app v1.zip", Body=zip_of(**{"app.py": HELLO}))
    name = functions.create("python3.12", "app.handler",
                            Code={"S3Bucket": bucket, "S3Key": "code/app v1.zip"})
    assert functions.invoke(name).value == "hello"
    refused(lambda: functions.client.update_function_code(
        FunctionName=name, S3Bucket=bucket, S3Key="nope"),
        "InvalidParameterValueException", 400, "S3 Error Code: NoSuchKey")
    refused(lambda: functions.client.update_function_code(
        FunctionName=name, S3Bucket=bucket + "-nope", S3Key="x"),
        "InvalidParameterValueException", 400, "S3 Error Code: NoSuchBucket")


def test_delete(functions):
    name = functions.python(HELLO)
    functions.invoke(name)
    folder = functions.server.data_dir / "functions/000000000000" / name
    assert folder.is_dir()
    answer = functions.client.delete_function(FunctionName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused(lambda: functions.client.get_function(FunctionName=name), "ResourceNotFoundException")
    refused(lambda: functions.client.delete_function(FunctionName=name), "ResourceNotFoundException")
    deadline = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_list_in_pages(make_server, unique):
    functions = Functions(make_server(), unique)
    made = sorted(functions.executable("cat") for _ in range(5))
    pages = list(functions.client.get_paginator("list_functions").paginate(
        PaginationConfig={"PageSize": 2}))
    assert [len(p["Functions"]) for p in pages] == [2, 2, 1]
    assert [f["FunctionName"] for p in pages for f in p["Functions"]] == made
    assert "NextMarker" not in pages[-1]


def test_what_terraform_asks(functions):
    name = functions.python(HELLO)
    versions = functions.client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [v["Version"] for v in versions] == ["$LATEST"]
    assert versions[0]["FunctionArn"].endswith(f":{name}:$LATEST")
    signing = functions.client.get_function_code_signing_config(FunctionName=name)
    del signing["ResponseMetadata"]
    assert signing == {}


def test_tags(functions):
    name = functions.python(HELLO, Tags={"a": "1"})
    arn = functions.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    functions.client.tag_resource(Resource=arn, Tags={"b": "2", "a": "3"})
    assert functions.client.list_tags(Resource=arn)["Tags"] == {"a": "3", "b": "2"}
    functions.client.untag_resource(Resource=arn, TagKeys=["a"])
    assert functions.client.list_tags(Resource=arn)["Tags"] == {"b": "2"}


def test_the_same_name_twice(functions):
    name = functions.python(HELLO)
    refused(lambda: functions.client.create_function(
        FunctionName=name, Role=ROLE, Runtime="python3.12", Handler="a.b",
        Code={"ZipFile": zip_of(**{"a.py": HELLO})}),
        "ResourceConflictException", 409, f"Function already exist: {name}")


@pytest.mark.parametrize("change, code, words", [
    ({"Runtime": "nodejs20.x"}, "InvalidParameterValueException", "python3.8 to python3.14"),
    ({"Runtime": "python2.7"}, "InvalidParameterValueException", "cannot be run by this server"),
    ({"Role": "no-arn"}, "ValidationException", "at 'role'"),
    ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
    ({"MemorySize": 64}, "ValidationException", "greater than or equal to 128"),
    ({"FunctionName": "a b"}, "ValidationException", "at 'functionName'"),
    ({"FunctionName": "x" * 65}, "ValidationException", "at 'functionName'"),
    ({"FunctionName": "../../etc"}, "ValidationException", "at 'functionName'"),
    ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException",
     "reserved keys"),
    ({"Environment": {"Variables": {"1x": "x"}}}, "ValidationException", "Map keys"),
    ({"Environment": {"Variables": {"BIG": "x" * 5000}}}, "InvalidParameterValueException",
     "exceeded the 4KB limit"),
    ({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}},
     "NotImplemented", "DeadLetterConfig"),
    ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]}, "NotImplemented", "Layers"),
    ({"Publish": True}, "NotImplemented", "$LATEST is the only version"),
    ({"PackageType": "Image"}, "NotImplemented", "PackageType Image"),
])
def test_create_refuses(functions, unique, change, code, words):
    request = {"FunctionName": unique("fn"), "Role": ROLE, "Runtime": "python3.12",
               "Handler": "a.b", "Code": {"ZipFile": zip_of(**{"a.py": HELLO})}}
    request.update(change)
    client = functions.server.client("lambda", parameter_validation=False)
    refused(lambda: client.create_function(**request), code, words=words)


def entry(name, data=b"x", mode=0o100644):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info, data


def raw_zip(*entries, compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        for info, data in entries:
            info.compress_type = compression
            z.writestr(info, data)
    return out.getvalue()


HOSTILE = {
    "no zip": b"this is no zip",
    "empty": raw_zip(),
    "cut": raw_zip(entry("app.py", HELLO.encode()))[:-30],
    "dots": raw_zip(entry("../../escaped.py")),
    "dots inside": raw_zip(entry("a/../../escaped.py")),
    "absolute": raw_zip(entry("/tmp/cistern-escaped.py")),
    "link out": raw_zip(entry("l", b"../../../..", 0o120777)),
    "absolute link": raw_zip(entry("l", b"/etc/passwd", 0o120777)),
    "link through a link": raw_zip(
        entry("x/l", b"..", 0o120777), entry("m", b"x/l/../..", 0o120777)),
    "through a link": raw_zip(entry("l", b".", 0o120777), entry("l/a.py")),
    "file and folder": raw_zip(entry("a"), entry("a/b")),
    "device": raw_zip(entry("d", b"", 0o020666)),
    "long name": raw_zip(entry("n" * 300)),
    "too many": raw_zip(*[entry(f"{i}", b"") for i in range(50001)]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_packages_are_refused(functions, unique, kind):
    name = unique("fn")
    refused(lambda: functions.client.create_function(
        FunctionName=name, Role=ROLE, Runtime="python3.12", Handler="app.handler",
        Code={"ZipFile": HOSTILE[kind]}), "InvalidParameterValueException", 400)
    made = [n for _, dirs, files in os.walk(functions.server.data_dir) for n in dirs + files]
    assert "cistern.db" in made and "escaped.py" not in made and "etc" not in made
    assert not os.path.exists("/tmp/cistern-escaped.py")


def test_a_bomb_is_refused(functions, unique):
    bomb = raw_zip(entry("big", b"\0" * (251 << 20)), compression=zipfile.ZIP_DEFLATED)
    refused(lambda: functions.client.create_function(
        FunctionName=unique("fn"), Role=ROLE, Runtime="python3.12", Handler="app.handler",
        Code={"ZipFile": bomb}), "InvalidParameterValueException", 400,
        "Unzipped size must be smaller than 262144000 bytes")


def test_links_and_permissions_inside_the_package_work(functions):
    package = raw_zip(
        entry("lib/", b"", 0o040755), entry("lib/real.py", b"VALUE = 42\n"),
        entry("app.py", b"import os, alias\ndef handler(e, c):\n"
                        b"    return [alias.VALUE, os.access('tool', os.X_OK), os.readlink('alias.py')]\n"),
        entry("alias.py", b"lib/real.py", 0o120777), entry("tool", b"#!/bin/sh\n", 0o100755),
        entry("lib/up", b"../app.py", 0o120777))
    name = functions.create("python3.12", "app.handler", Code={"ZipFile": package})
    assert functions.invoke(name).value == [42, True, "lib/real.py"]


def test_a_missing_interpreter_fails_the_function_and_says_what_to_install(make_server, unique):
    functions = Functions(make_server("--python", "no-such-python"), unique)
    name = functions.python(HELLO)
    seen = functions.client.get_function_configuration(FunctionName=name)
    assert seen["State"] == "Failed"
    assert "apt-get install python3" in seen["StateReason"]
    refused(lambda: functions.invoke(name), "ResourceConflictException", 409, "no-such-python")


def test_reset_forgets_functions(make_server, unique):
    server = make_server()
    functions = Functions(server, unique)
    name = functions.python("import time\ndef handler(e, c):\n    time.sleep(e)\n    return 1\n", timeout=60)
    assert functions.invoke(name, 0).value == 1
    functions.send(name, 30)
    functions.wait_lines(name, "START", 2)
    urllib.request.urlopen(urllib.request.Request(server.endpoint + "/_cistern/reset", method="POST"))
    refused(lambda: functions.invoke(name, 0), "ResourceNotFoundException")
    assert functions.client.list_functions()["Functions"] == []
    assert not (server.data_dir / "functions/000000000000").exists()
    assert functions.invoke(functions.python(HELLO)).value == "hello"
