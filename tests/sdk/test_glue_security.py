"""Security configurations: kept as given; used only where they promise nothing that isn't done."""

import pytest

from tests.support.errors import error_of
from tests.support.glue import ROLE

OFF = {"S3Encryption": [{"S3EncryptionMode": "SSE-S3"}],
       "CloudWatchEncryption": {"CloudWatchEncryptionMode": "DISABLED"},
       "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "DISABLED"}}
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"


def test_life(server):
    glue = server.client("glue", access_key="222233336666")
    for name in ("a", "b", "c"):
        made = glue.create_security_configuration(Name=name, EncryptionConfiguration=OFF)
        assert made["Name"] == name and made["CreatedTimestamp"]
    assert error_of(glue.create_security_configuration, Name="a",
                    EncryptionConfiguration=OFF)[0] == "AlreadyExistsException"
    got = glue.get_security_configuration(Name="a")["SecurityConfiguration"]
    assert got["EncryptionConfiguration"] == OFF and got["CreatedTimeStamp"]
    first = glue.get_security_configurations(MaxResults=2)
    assert [s["Name"] for s in first["SecurityConfigurations"]] == ["a", "b"]
    rest = glue.get_security_configurations(NextToken=first["NextToken"])
    assert [s["Name"] for s in rest["SecurityConfigurations"]] == ["c"] and "NextToken" not in rest
    glue.delete_security_configuration(Name="a")
    for call in (glue.get_security_configuration, glue.delete_security_configuration):
        assert error_of(call, Name="a")[0] == "EntityNotFoundException"


@pytest.mark.parametrize("part, config", [
    ("S3Encryption", {"S3Encryption": [{"S3EncryptionMode": "SSE-KMS", "KmsKeyArn": KEY}]}),
    ("CloudWatchEncryption", {"CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": KEY}}),
    ("JobBookmarksEncryption",
     {"JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "CSE-KMS", "KmsKeyArn": KEY}}),
])
def test_encryption_that_isnt_done_is_refused(glue, unique, part, config):
    name = unique("sec")
    glue.create_security_configuration(Name=name, EncryptionConfiguration=config)
    code, message = error_of(glue.create_job, Name=name, Role=ROLE, Command={"Name": "cistern-merge"},
                             SecurityConfiguration=name)
    assert code == "NotImplemented" and part in message and "nothing would be encrypted" in message
    glue.create_job(Name=name, Role=ROLE, Command={"Name": "cistern-merge"})
    assert error_of(glue.start_job_run, JobName=name, SecurityConfiguration=name)[0] == "NotImplemented"
    assert error_of(glue.update_job, JobName=name, JobUpdate={
        "Role": ROLE, "Command": {"Name": "cistern-merge"}, "SecurityConfiguration": name})[0] == "NotImplemented"


def test_job_with_sse_s3_runs(glue, jobs, unique):
    name = unique("sec")
    assert error_of(glue.create_job, Name=name, Role=ROLE, Command={"Name": "cistern-merge"},
                    SecurityConfiguration=name)[0] == "EntityNotFoundException"
    glue.create_security_configuration(Name=name, EncryptionConfiguration=OFF)
    job = jobs.make(SecurityConfiguration=name)
    glue.start_job_run(JobName=job)
    (run,) = jobs.ended(job)
    assert run["JobRunState"] == "SUCCEEDED" and run["SecurityConfiguration"] == name
    glue.delete_security_configuration(Name=name)
    glue.start_job_run(JobName=job)
    assert name in jobs.ended(job, 2)[0]["ErrorMessage"]
