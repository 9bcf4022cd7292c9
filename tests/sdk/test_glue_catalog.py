"""The Data Catalog's databases and tables through boto3."""

import time

import pytest

from tests.support.errors import code_of, error_of

ACCOUNT = "000000000000"
CSV = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    },
}


@pytest.fixture
def raw(server):
    """Sends what boto3 would refuse itself."""
    return server.client("glue", parameter_validation=False)


@pytest.fixture
def database(glue, unique):
    name = unique("db").replace("-", "_")
    glue.create_database(DatabaseInput={"Name": name})
    return name


def table_input(name, **more):
    return {
        "Name": name,
        "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "int"}], "Location": "s3://b/t/", **CSV},
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "csv"},
        **more,
    }


# --- databases -------------------------------------------------------------------------------------


def test_database_comes_back_as_it_was_made(glue, unique):
    name = unique("db")
    glue.create_database(
        DatabaseInput={"Name": name.upper(), "Description": "déjà", "LocationUri": "s3://b/x/", "Parameters": {"a": "1"}},
        Tags={"team": "x"},
    )
    got = glue.get_database(Name=name)["Database"]
    created = got.pop("CreateTime")
    assert created.tzinfo is not None and abs(time.time() - created.timestamp()) < 60
    assert got == {
        "Name": name.lower(),
        "Description": "déjà",
        "LocationUri": "s3://b/x/",
        "Parameters": {"a": "1"},
        "CatalogId": ACCOUNT,
        "CreateTableDefaultPermissions": [
            {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
        ],
    }
    assert glue.get_database(Name=name.upper(), CatalogId=ACCOUNT)["Database"]["Name"] == name.lower()
    arn = f"arn:aws:glue:us-east-1:{ACCOUNT}:database/{name.lower()}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "x"}
    glue.update_database(Name=name, DatabaseInput={"Name": name, "Description": "new"})
    updated = glue.get_database(Name=name)["Database"]
    assert updated["Description"] == "new" and "Parameters" not in updated and updated["CreateTime"] == created


def test_deleting_a_database_takes_everything_in_it(glue, unique):
    name = unique("db")
    for _ in range(2):
        glue.create_database(DatabaseInput={"Name": name}, Tags={"a": "b"})
        keys = [{"Name": "d", "Type": "string"}]
        glue.create_table(DatabaseName=name, TableInput=table_input("t", PartitionKeys=keys))
        glue.update_table(DatabaseName=name, TableInput=table_input("t", PartitionKeys=keys))
        assert glue.get_partitions(DatabaseName=name, TableName="t")["Partitions"] == []
        assert len(glue.get_table_versions(DatabaseName=name, TableName="t")["TableVersions"]) == 2
        glue.create_partition(DatabaseName=name, TableName="t", PartitionInput={"Values": ["1"]})
        glue.delete_database(Name=name)
        assert error_of(glue.get_database, Name=name) == (
            "EntityNotFoundException", f"Database {name.lower()} not found.")
    glue.create_database(DatabaseInput={"Name": name})
    assert glue.get_tables(DatabaseName=name)["TableList"] == []
    arn = f"arn:aws:glue:us-east-1:{ACCOUNT}:database/{name.lower()}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {}


def test_databases_come_in_pages(server):
    glue = server.client("glue", access_key="333344445555")
    names = [f"db{i:03}" for i in range(7)]
    for name in names:
        glue.create_database(DatabaseInput={"Name": name})
    first = glue.get_databases(MaxResults=3)
    assert [d["Name"] for d in first["DatabaseList"]] == names[:3]
    pages = glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 3})
    assert [d["Name"] for p in pages for d in p["DatabaseList"]] == names
    assert glue.get_databases(ResourceShareType="FOREIGN")["DatabaseList"] == []
    assert set(glue.get_databases(AttributesToGet=["NAME"])["DatabaseList"][0]) == {"Name", "CatalogId"}
    assert code_of(glue.get_databases, NextToken="%%%") == "InvalidInputException"


def test_database_errors(glue, raw, database):
    assert error_of(glue.create_database, DatabaseInput={"Name": database.upper()}) == (
        "AlreadyExistsException", "Database already exists.")
    assert code_of(raw.create_database, DatabaseInput={"Name": "x" * 256}) == "ValidationException"
    assert code_of(glue.create_database, DatabaseInput={"Name": "a\nb"}) == "ValidationException"
    assert code_of(glue.update_database, Name=database, DatabaseInput={"Name": "other"}) == "InvalidInputException"
    for call in (glue.get_database, glue.delete_database):
        assert code_of(call, Name="none") == "EntityNotFoundException"
    assert code_of(glue.get_database, Name=database, CatalogId="111122223333") == "AccessDeniedException"
    assert error_of(glue.get_database, Name=database, CatalogId="s3tablescatalog") == (
        "EntityNotFoundException", "Catalog s3tablescatalog not found.")
    for part in ({"TargetDatabase": {"CatalogId": ACCOUNT, "DatabaseName": "x"}},
                 {"FederatedDatabase": {"Identifier": "x", "ConnectionName": "y"}},
                 {"CreateTableDefaultPermissions": [
                     {"Principal": {"DataLakePrincipalIdentifier": "arn:aws:iam::1:role/x"}, "Permissions": ["ALL"]}]}):
        assert code_of(glue.create_database, DatabaseInput={"Name": "never", **part}) == "NotImplemented"
    assert code_of(glue.get_database, Name="never") == "EntityNotFoundException"


def test_accounts_and_regions_are_apart(server, unique):
    name = unique("db").lower()
    here, there = server.client("glue"), server.client("glue", region="eu-west-1")
    other = server.client("glue", access_key="444455556666")
    here.create_database(DatabaseInput={"Name": name, "Description": "here"})
    there.create_database(DatabaseInput={"Name": name, "Description": "there"})
    other.create_database(DatabaseInput={"Name": name, "Description": "other"})
    assert [g.get_database(Name=name)["Database"]["Description"] for g in (here, there, other)] == [
        "here", "there", "other"]
    there.delete_database(Name=name)
    assert here.get_database(Name=name)["Database"]["Description"] == "here"


# --- tables ----------------------------------------------------------------------------------------


def test_table_comes_back_as_it_was_made(glue, database):
    given = table_input("Orders", Description="d", Owner="me", Retention=3,
                        PartitionKeys=[{"Name": "day", "Type": "date", "Comment": "of the order"}],
                        ViewOriginalText="x")
    glue.create_table(DatabaseName=database.upper(), TableInput=given)
    got = glue.get_table(DatabaseName=database, Name="ORDERS")["Table"]
    assert got.pop("CreateTime") == got.pop("UpdateTime")
    assert got == {
        **given,
        "Name": "orders",
        "DatabaseName": database,
        "CatalogId": ACCOUNT,
        "VersionId": "0",
        "CreatedBy": f"arn:aws:iam::{ACCOUNT}:root",
        "IsRegisteredWithLakeFormation": False,
        "IsMultiDialectView": False,
        "StorageDescriptor": {
            **given["StorageDescriptor"], "Compressed": False, "NumberOfBuckets": 0, "SortColumns": [],
            "StoredAsSubDirectories": False},
    }


def test_a_bare_table(glue, database):
    glue.create_table(DatabaseName=database, TableInput={"Name": "bare"})
    got = glue.get_table(DatabaseName=database, Name="bare")["Table"]
    assert got["PartitionKeys"] == [] and got["Retention"] == 0
    assert "StorageDescriptor" not in got and "Parameters" not in got


def test_updates_make_versions(glue, database):
    glue.create_table(DatabaseName=database, TableInput=table_input("t", Description="0"))
    made = glue.get_table(DatabaseName=database, Name="t")["Table"]
    for i in (1, 2, 3, 4):
        glue.update_table(DatabaseName=database, TableInput=table_input("t", Description=str(i)), SkipArchive=i == 3)
    now = glue.get_table(DatabaseName=database, Name="t")["Table"]
    assert now["VersionId"] == "4" and now["Description"] == "4"
    assert now["CreateTime"] == made["CreateTime"] <= now["UpdateTime"] and now["CreatedBy"] == made["CreatedBy"]
    versions = glue.get_table_versions(DatabaseName=database, TableName="t")["TableVersions"]
    assert [(v["VersionId"], v["Table"]["Description"]) for v in versions] == [
        ("4", "4"), ("3", "3"), ("1", "1"), ("0", "0")]  # 2 was not archived
    pages = glue.get_paginator("get_table_versions").paginate(
        DatabaseName=database, TableName="t", PaginationConfig={"PageSize": 1})
    assert [v["VersionId"] for p in pages for v in p["TableVersions"]] == ["4", "3", "1", "0"]
    one = glue.get_table_version(DatabaseName=database, TableName="t", VersionId="1")["TableVersion"]
    assert one["Table"]["Description"] == "1" and one["VersionId"] == "1"
    assert glue.get_table_version(DatabaseName=database, TableName="t")["TableVersion"]["VersionId"] == "4"
    assert code_of(glue.get_table_version, DatabaseName=database, TableName="t", VersionId="2") == "EntityNotFoundException"
    assert code_of(glue.get_table_version, DatabaseName=database, TableName="t", VersionId="x") == "InvalidInputException"


def test_version_guards_an_update(glue, database):
    glue.create_table(DatabaseName=database, TableInput=table_input("t"))
    glue.update_table(DatabaseName=database, TableInput=table_input("t", Description="a"), VersionId="0")
    assert code_of(glue.update_table, DatabaseName=database, TableInput=table_input("t", Description="b"),
                   VersionId="0") == "ConcurrentModificationException"
    assert glue.get_table(DatabaseName=database, Name="t")["Table"]["Description"] == "a"


def test_tables_by_expression_and_page(glue, raw, database):
    names = ["customers", "orders", "orders_2019", "orders_2020", "sales-eu"]
    for name in names:
        glue.create_table(DatabaseName=database, TableInput=table_input(name))

    def find(expression, **more):
        return [t["Name"] for t in glue.get_tables(DatabaseName=database, Expression=expression, **more)["TableList"]]

    assert find("orders") == ["orders"]
    assert find("orders*") == find("orders.*") == ["orders", "orders_2019", "orders_2020"]
    assert find("*_20(19|20)") == ["orders_2019", "orders_2020"]
    assert find("customers|sales.*") == ["customers", "sales-eu"]
    assert find("nothing.*") == []
    first = glue.get_tables(DatabaseName=database, Expression="orders.*", MaxResults=2)
    assert [t["Name"] for t in first["TableList"]] == ["orders", "orders_2019"]
    rest = glue.get_tables(DatabaseName=database, Expression="orders.*", NextToken=first["NextToken"])
    assert [t["Name"] for t in rest["TableList"]] == ["orders_2020"] and "NextToken" not in rest
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database, PaginationConfig={"PageSize": 2})
    assert [t["Name"] for p in pages for t in p["TableList"]] == names
    some = glue.get_tables(DatabaseName=database, AttributesToGet=["NAME", "TABLE_TYPE"])["TableList"][0]
    assert some == {"Name": "customers", "TableType": "EXTERNAL_TABLE", "DatabaseName": database, "CatalogId": ACCOUNT}
    assert error_of(glue.get_tables, DatabaseName=database, Expression="(a") == (
        "InvalidInputException", "Expression: A ( without ) at character 3 of '(a'.")
    assert code_of(raw.get_tables, DatabaseName=database, MaxResults=0) == "ValidationException"


def test_table_errors(glue, raw, database):
    glue.create_table(DatabaseName=database, TableInput=table_input("t"))
    assert error_of(glue.create_table, DatabaseName=database, TableInput=table_input("T")) == (
        "AlreadyExistsException", "Table already exists.")
    assert error_of(glue.create_table, DatabaseName="none", TableInput=table_input("t")) == (
        "EntityNotFoundException", "Database none not found.")
    assert error_of(glue.get_table, DatabaseName=database, Name="x") == ("EntityNotFoundException", "Entity Not Found")
    assert error_of(glue.get_table, DatabaseName="none", Name="x") == (
        "EntityNotFoundException", "Database none not found.")
    assert error_of(glue.delete_table, DatabaseName=database, Name="X") == (
        "EntityNotFoundException", "Table x not found.")
    assert error_of(glue.update_table, DatabaseName=database, TableInput=table_input("x")) == (
        "EntityNotFoundException", "Table x not found.")
    assert error_of(glue.get_tables, DatabaseName="none") == ("EntityNotFoundException", "Database none not found.")
    assert code_of(raw.create_table, DatabaseName=database, TableInput=table_input("")) == "ValidationException"
    assert code_of(glue.create_table, DatabaseName=database) == "InvalidInputException"
    bad = table_input("never")
    bad["StorageDescriptor"] = {**bad["StorageDescriptor"], "Columns": [{"Name": "", "Type": "int"}]}
    assert code_of(raw.create_table, DatabaseName=database, TableInput=bad) == "ValidationException"
    for part in ({"TargetTable": {"CatalogId": ACCOUNT, "DatabaseName": "x", "Name": "y"}},
                 {"ViewDefinition": {"IsProtected": True}}):
        assert code_of(glue.create_table, DatabaseName=database, TableInput=table_input("never", **part)) == "NotImplemented"
    assert code_of(glue.create_table, DatabaseName=database, TableInput=table_input("never"),
                   OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE"}}) == "NotImplemented"
    assert [t["Name"] for t in glue.get_tables(DatabaseName=database)["TableList"]] == ["t"]


def test_batch_delete_lists_what_was_not_there(glue, raw, database):
    for name in ("a", "b"):
        glue.create_table(DatabaseName=database, TableInput=table_input(name))
    got = glue.batch_delete_table(DatabaseName=database, TablesToDelete=["a", "x", "B"])
    assert got["Errors"] == [{"TableName": "x", "ErrorDetail": {
        "ErrorCode": "EntityNotFoundException", "ErrorMessage": "Table x not found."}}]
    assert glue.get_tables(DatabaseName=database)["TableList"] == []
    assert code_of(raw.batch_delete_table, DatabaseName=database, TablesToDelete=["a"] * 101) == "ValidationException"


def test_search(server):
    glue = server.client("glue", access_key="555566667777")
    for database in ("alpha", "beta"):
        glue.create_database(DatabaseInput={"Name": database})
        for name in ("customer-link", "xxlinkyy", "orders"):
            glue.create_table(DatabaseName=database, TableInput=table_input(
                name, Description=f"all {name} of {database}", Parameters={"classification": "csv", "stage": database}))

    def search(**arguments):
        return [(t["DatabaseName"], t["Name"]) for t in glue.search_tables(**arguments)["TableList"]]

    assert len(search()) == 6
    assert search(Filters=[{"Key": "DatabaseName", "Value": "alpha"}, {"Key": "Name", "Value": "link"}]) == [
        ("alpha", "customer-link")]
    assert search(Filters=[{"Key": "stage", "Value": "beta"}], SearchText="link") == [
        ("beta", "customer-link"), ("beta", "xxlinkyy")]
    assert search(SearchText='"orders"') == [("alpha", "orders"), ("beta", "orders")]
    by_name = [{"FieldName": "Name", "Sort": "DESC"}, {"FieldName": "DatabaseName", "Sort": "ASC"}]
    assert search(SortCriteria=by_name)[:3] == [("alpha", "xxlinkyy"), ("beta", "xxlinkyy"), ("alpha", "orders")]
    assert search(Filters=[{"Key": "CreateTime", "Value": "2001-01-01T00:00:00Z", "Comparator": "LESS_THAN"}]) == []
    assert len(search(Filters=[{"Key": "CreateTime", "Value": "2001-01-01T00:00:00Z", "Comparator": "GREATER_THAN"}])) == 6
    first = glue.search_tables(MaxResults=4)
    rest = glue.search_tables(MaxResults=4, NextToken=first["NextToken"])
    assert len(first["TableList"]) == 4 and len(rest["TableList"]) == 2 and "NextToken" not in rest
    assert code_of(glue.search_tables, Filters=[{"Key": "CreateTime", "Value": "x"}]) == "InvalidInputException"


def test_partition_indexes(glue, database):
    keys = [{"Name": "year", "Type": "int"}, {"Name": "month", "Type": "string"}]
    glue.create_table(DatabaseName=database, TableInput=table_input("t", PartitionKeys=keys),
                      PartitionIndexes=[{"IndexName": "by_year", "Keys": ["year"]}])
    where = {"DatabaseName": database, "TableName": "t"}
    glue.create_partition_index(**where, PartitionIndex={"IndexName": "both", "Keys": ["year", "month"]})
    assert glue.get_partition_indexes(**where)["PartitionIndexDescriptorList"] == [
        {"IndexName": "both", "Keys": [{"Name": "year", "Type": "int"}, {"Name": "month", "Type": "string"}],
         "IndexStatus": "ACTIVE"},
        {"IndexName": "by_year", "Keys": [{"Name": "year", "Type": "int"}], "IndexStatus": "ACTIVE"},
    ]
    assert code_of(glue.create_partition_index, **where,
                   PartitionIndex={"IndexName": "both", "Keys": ["year"]}) == "AlreadyExistsException"
    assert code_of(glue.create_partition_index, **where,
                   PartitionIndex={"IndexName": "c", "Keys": ["id"]}) == "InvalidInputException"
    glue.delete_partition_index(**where, IndexName="both")
    assert code_of(glue.delete_partition_index, **where, IndexName="both") == "EntityNotFoundException"
    assert [i["IndexName"] for i in glue.get_partition_indexes(**where)["PartitionIndexDescriptorList"]] == ["by_year"]
    assert error_of(glue.get_partition_indexes, DatabaseName=database, TableName="none") == (
        "EntityNotFoundException", "Table none not found.")
