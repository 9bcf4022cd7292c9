"""getResolvedOptions, and sitecustomize.py where no catalog is asked for: without Spark."""

import os
import subprocess
import sys

import pytest

from tests.support.server import ROOT

FOLDER = ROOT / "emulators/glue/python"
sys.path.insert(0, str(FOLDER))
sys.dont_write_bytecode = True

from awsglue.utils import GlueArgumentError, getResolvedOptions  # noqa: E402


def resolved(text, *options):
    return getResolvedOptions(["job.py", *text.split()], list(options))


def test_wanted_options_and_nothing_of_the_others():
    got = resolved("--a 1 --other x --JOB_NAME n", "a", "JOB_NAME")
    assert got == {"a": "1", "JOB_NAME": "n", "job_bookmark_option": "job-bookmark-disable"}


def test_a_missing_option_is_named():
    with pytest.raises(GlueArgumentError, match="the following arguments are required: --b"):
        resolved("--a 1", "a", "b")


def test_hyphens_of_names_come_back_as_underscores():
    assert resolved("--my-key v", "my-key")["my_key"] == "v"


def test_values_may_begin_with_dashes_and_hold_anything():
    got = getResolvedOptions(["job.py", "--a", "--b=1 2", "--c", "-x"], ["a", "c"])
    assert (got["a"], got["c"]) == ("--b=1 2", "-x")


def test_a_value_may_be_given_with_an_equals_sign():
    assert resolved("--a=1", "a")["a"] == "1"


def test_names_are_not_abbreviated():
    with pytest.raises(GlueArgumentError):
        resolved("--database x", "data")


def test_temp_dir_is_also_the_redshift_temp_dir():
    assert resolved("--TempDir s3://t/ --a 1", "a")["RedshiftTempDir"] == "s3://t/"
    assert resolved("--RedshiftTempDir s3://t/", "TempDir")["TempDir"] == "s3://t/"
    with pytest.raises(GlueArgumentError, match="--TempDir"):
        resolved("", "TempDir")


def test_job_name_comes_only_when_asked_for_and_ids_always():
    got = resolved("--JOB_NAME n --JOB_ID j --JOB_RUN_ID jr")
    assert "JOB_NAME" not in got and (got["JOB_ID"], got["JOB_RUN_ID"]) == ("j", "jr")


@pytest.mark.parametrize("name", ["job-bookmark-option", "job_bookmark_from", "encryption_type"])
def test_reserved_names_cannot_be_asked_for(name):
    with pytest.raises(RuntimeError, match="Using reserved arguments"):
        resolved("", name)


def test_bookmark_options():
    got = resolved("--job-bookmark-option job-bookmark-pause --job-bookmark-from a --job-bookmark-to b")
    assert (got["job_bookmark_option"], got["job_bookmark_from"], got["job_bookmark_to"]) == (
        "job-bookmark-pause", "a", "b")
    with pytest.raises(GlueArgumentError):
        resolved("--job-bookmark-option sometimes")
    with pytest.raises(GlueArgumentError):
        resolved("--job-bookmark-from a")


def imported(**more):
    code = "import sys; print(any(m.startswith(('pyspark', 'boto3', 'awsglue')) for m in sys.modules), " \
           "any(type(f).__name__ == '_Watch' for f in sys.meta_path))"
    env = {**os.environ, "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1", **more}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True,
                          check=True).stdout.split()


def test_sitecustomize_does_nothing_unless_the_catalog_is_asked_for():
    assert imported(CISTERN_GLUE_CATALOG="") == ["False", "False"]
    assert imported(CISTERN_GLUE_CATALOG="1") == ["False", "True"]


@pytest.mark.parametrize("python", ["3.8", "3.9", "3.10", "3.12"])
def test_the_package_compiles_for_every_python_of_glue(python):
    """By this Python's own compiler, with the grammar of the other as far as it checks it."""
    import ast

    for path in sorted(FOLDER.rglob("*.py")):
        ast.parse(path.read_text(), str(path), feature_version=tuple(map(int, python.split("."))))
