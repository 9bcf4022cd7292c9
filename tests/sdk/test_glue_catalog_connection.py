"""Connections of the Data Catalog through boto3."""

import pytest

from tests.support.errors import error_of

JDBC = {"JDBC_CONNECTION_URL": "jdbc:mysql://db:3306/shop", "USERNAME": "u", "PASSWORD": "s3cret-Pa55"}


@pytest.fixture
def raw(server):
    """Sends what boto3 would refuse itself."""
    return server.client("glue", parameter_validation=False)


def connection(name, kind="JDBC", properties=None, **more):
    return {"Name": name, "ConnectionType": kind, "ConnectionProperties": JDBC if properties is None else properties, **more}


def test_connection_comes_back_as_it_was_made(glue, unique):
    name = unique("Conn")
    network = {"SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"], "AvailabilityZone": "us-east-1a"}
    given = connection(name, Description="d", MatchCriteria=["a"], PhysicalConnectionRequirements=network)
    assert glue.create_connection(ConnectionInput=given, Tags={"t": "1"})["CreateConnectionStatus"] == "READY"
    got = glue.get_connection(Name=name)["Connection"]
    made = got.pop("CreationTime")
    assert got.pop("LastUpdatedTime").tzinfo is not None
    assert got == {**given, "LastUpdatedBy": "arn:aws:iam::000000000000:root", "Status": "READY",
                   "ConnectionSchemaVersion": 1}
    hidden = glue.get_connection(Name=name, HidePassword=True)["Connection"]["ConnectionProperties"]
    assert hidden == {k: v for k, v in JDBC.items() if k != "PASSWORD"}
    arn = f"arn:aws:glue:us-east-1:000000000000:connection/{name}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"t": "1"}
    glue.update_connection(Name=name, ConnectionInput=connection(name, "NETWORK", {}))
    updated = glue.get_connection(Name=name)["Connection"]
    assert updated["ConnectionType"] == "NETWORK" and updated["ConnectionProperties"] == {}
    assert updated["CreationTime"] == made and "Description" not in updated
    glue.delete_connection(ConnectionName=name)
    assert error_of(glue.get_connection, Name=name) == ("EntityNotFoundException", f"Connection {name} not found.")


def test_passwords_are_not_in_the_log(server, unique):
    own = server.client("glue")
    own.create_connection(ConnectionInput=connection(unique("c")))
    error_of(own.create_connection, ConnectionInput=connection("x", "KAFKA", {"PASSWORD": JDBC["PASSWORD"]}))
    assert JDBC["PASSWORD"] not in server.log()


def test_listing_filters_and_pages(server):
    glue = server.client("glue", access_key="666677778888")
    for i in range(5):
        glue.create_connection(ConnectionInput=connection(f"jdbc{i}", MatchCriteria=["x", f"n{i}"]))
    glue.create_connection(ConnectionInput=connection("kafka", "KAFKA", {"KAFKA_BOOTSTRAP_SERVERS": "h:9092"}))

    def names(**more):
        return [c["Name"] for c in glue.get_connections(**more)["ConnectionList"]]

    assert names() == [f"jdbc{i}" for i in range(5)] + ["kafka"]
    assert names(Filter={"ConnectionType": "KAFKA"}) == ["kafka"]
    assert names(Filter={"MatchCriteria": ["x", "n3"]}) == ["jdbc3"]
    assert names(Filter={"ConnectionSchemaVersion": 2}) == []
    pages = glue.get_paginator("get_connections").paginate(
        Filter={"ConnectionType": "JDBC"}, HidePassword=True, PaginationConfig={"PageSize": 2})
    listed = [c for p in pages for c in p["ConnectionList"]]
    assert [c["Name"] for c in listed] == [f"jdbc{i}" for i in range(5)]
    assert all("PASSWORD" not in c["ConnectionProperties"] for c in listed)
    gone = glue.batch_delete_connection(ConnectionNameList=["jdbc0", "none", "jdbc1"])
    assert gone["Succeeded"] == ["jdbc0", "jdbc1"]
    assert gone["Errors"] == {"none": {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Connection none not found."}}
    assert names() == ["jdbc2", "jdbc3", "jdbc4", "kafka"]


def test_errors(glue, raw, unique):
    name = unique("c")
    glue.create_connection(ConnectionInput=connection(name))
    assert error_of(glue.create_connection, ConnectionInput=connection(name)) == (
        "AlreadyExistsException", f"Connection {name} already exists.")
    assert error_of(glue.create_connection, ConnectionInput=connection("never", "JDBC", {})) == (
        "InvalidInputException", "Connection properties of type JDBC must have JDBC_CONNECTION_URL.")
    assert error_of(glue.create_connection, ConnectionInput=connection("never", "KAFKA", {}))[0] == "InvalidInputException"
    assert error_of(glue.update_connection, Name=name, ConnectionInput=connection("other"))[0] == "InvalidInputException"
    assert error_of(raw.create_connection, ConnectionInput=connection(""))[0] == "ValidationException"
    for call, arguments in ((glue.update_connection, {"Name": "none", "ConnectionInput": connection("none")}),
                            (glue.delete_connection, {"ConnectionName": "none"}), (glue.get_connection, {"Name": "none"})):
        assert error_of(call, **arguments) == ("EntityNotFoundException", "Connection none not found.")
    for given in (connection("never", "SALESFORCE", {}), connection("never", ValidateCredentials=True),
                  connection("never", AuthenticationConfiguration={"AuthenticationType": "BASIC"})):
        assert error_of(glue.create_connection, ConnectionInput=given)[0] == "NotImplemented"
    assert error_of(glue.get_connection, Name="never")[0] == "EntityNotFoundException"
