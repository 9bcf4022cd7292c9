"""The model generator: the names it gives, what it refuses, that it notices a stale model."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "server/wire/gen/genmodel.py"
_spec = importlib.util.spec_from_file_location("genmodel", GENERATOR)
genmodel = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(genmodel)


@pytest.mark.parametrize("name,expected", [
    ("CreateDatabase", "create_database"), ("ListObjectsV2", "list_objects_v2"),
    ("DescribeDBInstances", "describe_db_instances"), ("ETag", "etag"),
    ("MySQLSettings", "mysql_settings"), ("PostgreSQLSettings", "postgresql_settings"),
    ("S3Settings", "s3_settings"), ("GetBucketCors", "get_bucket_cors"),
    ("ListenerARNs", "listener_arns"),
    ("AssumeRoleWithWebIdentity", "assume_role_with_web_identity"),
    ("CORSRule", "cors_rule"), ("__string", "_string"),
])
def test_snake(name, expected):
    assert genmodel.snake(name) == expected


def test_members_that_c_reserves_get_an_underscore():
    assert genmodel.member_name("default") == "default_"
    assert genmodel.member_name("linux") == "linux_"
    assert genmodel.member_name("Default") == "Default"


def test_unknown_flags_keys_and_operations_are_refused(tmp_path):
    for text, word in (("PutObject fast", "unknown flag fast"),
                       ("colour: red", "unknown key colour"),
                       ("PutObjekt", "no operation PutObjekt")):
        path = tmp_path / "s3.ops"
        path.write_text(text + "\n")
        done = subprocess.run([sys.executable, GENERATOR, path], capture_output=True, text=True)
        assert done.returncode != 0 and word in done.stderr


def test_a_changed_model_is_noticed(tmp_path):
    ops = tmp_path / "sts.ops"
    ops.write_text("GetCallerIdentity\n")
    run = [sys.executable, GENERATOR]
    assert subprocess.run(run + [ops]).returncode == 0
    assert subprocess.run(run + ["--check", ops], capture_output=True).returncode == 0
    ops.write_text("GetCallerIdentity\nAssumeRole\n")
    done = subprocess.run(run + ["--check", ops], capture_output=True, text=True)
    assert done.returncode != 0 and "sts_assume_role" in done.stdout
