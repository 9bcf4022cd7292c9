"""Glue job definitions through boto3."""

from tests.support.errors import code_of

ROLE = "arn:aws:iam::000000000000:role/glue"
SCRIPT = {"Name": "pythonshell", "ScriptLocation": "s3://scripts/job.py", "PythonVersion": "3.9"}


def test_job_comes_back_as_it_was_made(glue, unique):
    name = unique("job")
    assert glue.create_job(
        Name=name, Role=ROLE, Command=SCRIPT, DefaultArguments={"--a": "1", "--b": "déjà <&>"},
        Description="text", Tags={"team": "x"}, Timeout=5)["Name"] == name
    job = glue.get_job(JobName=name)["Job"]
    assert job["Command"] == SCRIPT
    assert job["DefaultArguments"] == {"--a": "1", "--b": "déjà <&>"}
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert job["Timeout"] == 5 and job["MaxRetries"] == 0 and job["MaxCapacity"] == 0.0625
    assert "ExecutionClass" not in job
    assert job["CreatedOn"].tzinfo is not None
    arn = f"arn:aws:glue:us-east-1:000000000000:job/{name}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "x"}
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"y": "2"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["team"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"y": "2"}


def test_update_replaces_the_definition(glue, unique):
    name = unique("job")
    glue.create_job(Name=name, Role=ROLE, Command=SCRIPT, Description="old", MaxRetries=2)
    glue.update_job(JobName=name, JobUpdate={
        "Role": ROLE, "Command": {"Name": "cistern-merge"},
        "ExecutionProperty": {"MaxConcurrentRuns": 7}})
    job = glue.get_job(JobName=name)["Job"]
    assert job["Command"] == {"Name": "cistern-merge"}
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 7}
    assert "Description" not in job and job["MaxRetries"] == 0


def test_listing(server, unique):
    glue = server.client("glue", access_key="222233334444")
    for i in range(5):
        glue.create_job(Name=f"j{i}", Role=ROLE, Command=SCRIPT)
    assert glue.list_jobs()["JobNames"] == [f"j{i}" for i in range(5)]
    first = glue.get_jobs(MaxResults=3)
    assert [j["Name"] for j in first["Jobs"]] == ["j0", "j1", "j2"]
    rest = glue.get_jobs(NextToken=first["NextToken"])
    assert [j["Name"] for j in rest["Jobs"]] == ["j3", "j4"] and "NextToken" not in rest
    some = glue.batch_get_jobs(JobNames=["j1", "none"])
    assert [j["Name"] for j in some["Jobs"]] == ["j1"] and some["JobsNotFound"] == ["none"]


def test_errors(glue, unique):
    name = unique("job")
    glue.create_job(Name=name, Role=ROLE, Command=SCRIPT)
    assert code_of(glue.create_job, Name=name, Role=ROLE, Command=SCRIPT) == "AlreadyExistsException"
    assert code_of(glue.get_job, JobName="none") == "EntityNotFoundException"
    assert code_of(glue.start_job_run, JobName="none") == "EntityNotFoundException"
    for bad in ({"Name": "gluestreaming", "ScriptLocation": "s3://a/b"}, {"Name": "pythonshell"},
                {"Name": "pythonshell", "ScriptLocation": "/tmp/x.py"}):
        assert code_of(glue.create_job, Name="never", Role=ROLE, Command=bad) == "InvalidInputException"
    assert code_of(glue.create_job, Name="never", Role=ROLE, Command=SCRIPT, MaxRetries=11) == "InvalidInputException"
    assert code_of(glue.create_job, Name="never", Role=ROLE, Command=SCRIPT, MaxCapacity=2,
                   WorkerType="G.1X") == "InvalidInputException"
    assert code_of(glue.get_job, JobName="never") == "EntityNotFoundException"
    assert glue.delete_job(JobName="none")["JobName"] == "none"
    glue.delete_job(JobName=name)
    assert code_of(glue.get_job, JobName=name) == "EntityNotFoundException"


def test_listing_by_tags(server):
    glue = server.client("glue", access_key="222233335555")
    for i in range(6):
        glue.create_job(Name=f"j{i}", Role=ROLE, Command=SCRIPT, Tags={"odd": str(i % 2), "n": str(i)})
    assert glue.list_jobs(Tags={"odd": "1"})["JobNames"] == ["j1", "j3", "j5"]
    first = glue.list_jobs(Tags={"odd": "1"}, MaxResults=2)
    assert first["JobNames"] == ["j1", "j3"]
    rest = glue.list_jobs(Tags={"odd": "1"}, NextToken=first["NextToken"])
    assert rest["JobNames"] == ["j5"] and "NextToken" not in rest
    assert glue.list_jobs(Tags={"odd": "1", "n": "2"})["JobNames"] == []


def test_tags_go_with_the_job(glue, unique):
    name = unique("job")
    arn = f"arn:aws:glue:us-east-1:000000000000:job/{name}"
    glue.create_job(Name=name, Role=ROLE, Command=SCRIPT, Tags={"a": "1"})
    glue.delete_job(JobName=name)
    glue.create_job(Name=name, Role=ROLE, Command=SCRIPT)
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {}
    for tags in ({"aws:x": "1"}, {"k": "v" * 257}, {f"k{i}": "" for i in range(51)}):
        assert code_of(glue.tag_resource, ResourceArn=arn, TagsToAdd=tags) in (
            "InvalidInputException", "ValidationException")
        assert glue.get_tags(ResourceArn=arn)["Tags"] == {}


def test_tags_of_everything(glue, unique):
    name = unique("thing")
    arn = "arn:aws:glue:us-east-1:000000000000:"
    glue.create_database(DatabaseInput={"Name": name})
    glue.create_connection(ConnectionInput={
        "Name": name, "ConnectionType": "NETWORK", "ConnectionProperties": {}})
    glue.create_workflow(Name=name)
    glue.create_crawler(Name=name, Role=ROLE, DatabaseName=name, Targets={"S3Targets": [{"Path": "s3://b/p/"}]})
    for kind in ("database", "connection", "workflow", "crawler"):
        glue.tag_resource(ResourceArn=f"{arn}{kind}/{name}", TagsToAdd={"kind": kind})
        assert glue.get_tags(ResourceArn=f"{arn}{kind}/{name}")["Tags"] == {"kind": kind}
        assert code_of(glue.get_tags, ResourceArn=f"{arn}{kind}/nowhere") == "EntityNotFoundException"
    assert code_of(glue.get_tags, ResourceArn=f"{arn}registry/x") == "InvalidInputException"
    assert code_of(glue.get_tags, ResourceArn="arn:aws:s3:::b") == "InvalidInputException"
