"""Endpoint settings as the API takes, checks, merges and shows them."""

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/dms"
SHOWN = dict(ServiceAccessRoleArn=ROLE, CsvRowDelimiter="\\n", CsvDelimiter=",", BucketFolder="", BucketName="b",
             CompressionType="NONE", EnableStatistics=True, DatePartitionEnabled=False)


@pytest.fixture
def dms(server):
    return server.client("dms")


@pytest.fixture
def target(dms, unique):
    made = []

    def make(attributes=None, bucket=True, **settings):
        more = {"ExtraConnectionAttributes": attributes} if attributes is not None else {}
        if bucket:
            settings = dict(ServiceAccessRoleArn=ROLE, BucketName="b", **settings)
        e = dms.create_endpoint(EndpointIdentifier=unique("e"), EndpointType="target", EngineName="s3",
                                S3Settings=settings, **more)["Endpoint"]
        made.append(e["EndpointArn"])
        return e

    yield make
    for arn in made:
        dms.delete_endpoint(EndpointArn=arn)


@pytest.fixture
def source(dms, unique):
    made = []

    def make(**more):
        e = dms.create_endpoint(EndpointIdentifier=unique("e"), EndpointType="source", EngineName="mysql",
                                **{**dict(ServerName="h", Port=3306, Username="u", Password="p"), **more})["Endpoint"]
        made.append(e["EndpointArn"])
        return e

    yield make
    for arn in made:
        dms.delete_endpoint(EndpointArn=arn)


def describe(dms, endpoint):
    [e] = dms.describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": [endpoint["EndpointArn"]]}])["Endpoints"]
    return e


def refused(call, code="InvalidParameterValueException"):
    with pytest.raises(ClientError) as e:
        call()
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def test_only_what_was_set_is_shown(dms, target):
    e = target()
    assert e["EndpointType"] == "TARGET" and e["S3Settings"] == SHOWN
    assert e["ExtraConnectionAttributes"] == "bucketFolder=;bucketName=b;compressionType=NONE;csvDelimiter=,;csvRowDelimiter=\\n;"
    assert describe(dms, e)["S3Settings"] == SHOWN


def test_forms_in_which_settings_are_shown(dms, target):
    given = dict(BucketFolder="f/", CompressionType="gzip", EncryptionMode="sse-s3", CsvDelimiter="\t", CsvRowDelimiter="\r\n",
                 DatePartitionEnabled=True, DatePartitionSequence="YYYYMMDDHH", DatePartitionDelimiter="DASH",
                 DatePartitionTimezone="Asia/Seoul", CannedAclForObjects="BUCKET_OWNER_FULL_CONTROL", MaxFileSize=7,
                 CdcMinFileSize=8, CdcMaxBatchInterval=9, TimestampColumnName="", CsvNullValue="", Rfc4180=False,
                 AddTrailingPaddingCharacter=True, UseCsvNoSupValue=True, CsvNoSupValue="x", ExpectedBucketOwner="111122223333",
                 CdcInsertsOnly=True, IncludeOpForFullLoad=True, AddColumnName=True, EncodingType="plain", DictPageSizeLimit=1,
                 RowGroupLength=2, DataPageSize=3, ParquetVersion="parquet-2-0", ParquetTimestampInMillisecond=True,
                 UseTaskStartTimeForFullLoadTimestamp=True, IgnoreHeaderRows=1, ServerSideEncryptionKmsKeyId="k",
                 EnableStatistics=False, DataFormat="csv")
    want = {**SHOWN, **given, "CompressionType": "GZIP", "EncryptionMode": "SSE_S3", "CsvDelimiter": "\\t",
            "CsvRowDelimiter": "\\r\\n", "DatePartitionSequence": "yyyymmddhh", "DatePartitionDelimiter": "dash",
            "CannedAclForObjects": "bucket-owner-full-control"}
    e = target(**given)
    assert e["S3Settings"] == want
    assert describe(dms, e)["S3Settings"] == want


ATTRIBUTES = [
    ("bucketFolder", "f", "BucketFolder", "f"), ("csvDelimiter", "|", "CsvDelimiter", "|"),
    ("csvRowDelimiter", "\\n", "CsvRowDelimiter", "\\n"), ("compressionType", "GZIP", "CompressionType", "GZIP"),
    ("encryptionMode", "SSE_S3", "EncryptionMode", "SSE_S3"), ("dataFormat", "csv", "DataFormat", "csv"),
    ("encodingType", "plain", "EncodingType", "plain"), ("dictPageSizeLimit", "9", "DictPageSizeLimit", 9),
    ("rowGroupLength", "9", "RowGroupLength", 9), ("dataPageSize", "9", "DataPageSize", 9),
    ("parquetVersion", "parquet-2-0", "ParquetVersion", "parquet-2-0"), ("enableStatistics", "false", "EnableStatistics", False),
    ("includeOpForFullLoad", "true", "IncludeOpForFullLoad", True), ("cdcInsertsOnly", "y", "CdcInsertsOnly", True),
    ("timestampColumnName", "TS", "TimestampColumnName", "TS"),
    ("parquetTimestampInMillisecond", "n", "ParquetTimestampInMillisecond", False),
    ("cdcInsertsAndUpdates", "Y", "CdcInsertsAndUpdates", True), ("datePartitionEnabled", "true", "DatePartitionEnabled", True),
    ("datePartitionSequence", "YYYYMM", "DatePartitionSequence", "yyyymm"),
    ("datePartitionDelimiter", "NONE", "DatePartitionDelimiter", "none"),
    ("datePartitionTimezone", "Europe/Berlin", "DatePartitionTimezone", "Europe/Berlin"),
    ("useCsvNoSupValue", "true", "UseCsvNoSupValue", True), ("csvNoSupValue", "?", "CsvNoSupValue", "?"),
    ("cdcPath", "p", "CdcPath", "p"), ("useTaskStartTimeForFullLoadTimestamp", "N", "UseTaskStartTimeForFullLoadTimestamp", False),
    ("cannedAclForObjects", "PRIVATE", "CannedAclForObjects", "private"), ("addColumnName", "true", "AddColumnName", True),
    ("cdcMaxBatchInterval", "1", "CdcMaxBatchInterval", 1), ("cdcMinFileSize", "32", "CdcMinFileSize", 32),
    ("csvNullValue", "NULL", "CsvNullValue", "NULL"), ("ignoreHeaderRows", "1", "IgnoreHeaderRows", 1),
    ("maxFileSize", "512", "MaxFileSize", 512), ("rfc4180", "false", "Rfc4180", False),
    ("addTrailingPaddingCharacter", "true", "AddTrailingPaddingCharacter", True),
    ("expectedBucketOwner", "000000000000", "ExpectedBucketOwner", "000000000000"),
    ("glueCatalogGeneration", "true", "GlueCatalogGeneration", True),
    ("preserveTransactions", "false", "PreserveTransactions", False),
]


def test_every_setting_as_attribute(dms, target):
    for name, text, member, value in ATTRIBUTES:
        e = target(f"{name}={text}")
        assert e["S3Settings"][member] == value, name
        assert describe(dms, e)["S3Settings"] == {**SHOWN, member: value}
        assert e["ExtraConnectionAttributes"] == f"{name}={text}"
    e = target(f" bucketName = x ; serviceAccessRoleArn={ROLE};", bucket=False)
    assert e["S3Settings"]["ServiceAccessRoleArn"] == ROLE


def test_settings_win_over_attributes(target):
    e = target("bucketFolder=attribute;maxFileSize=3", BucketFolder="setting")
    assert e["S3Settings"]["BucketFolder"] == "setting" and e["S3Settings"]["MaxFileSize"] == 3


@pytest.mark.parametrize("attributes,words", [
    ("noSuchThing=1", "noSuchThing is not a valid parameter in extra connection attributes"),
    ("bucketFolder", "'bucketFolder' has no '='"),
    ("maxFileSize=big", "'big' of the extra connection attribute MaxFileSize is not a whole number"),
    ("rfc4180=maybe", "'maybe' of the extra connection attribute Rfc4180 is not one of true, false, y, n"),
    ("maxFileSize=0", "MaxFileSize is 0; it must be from 1 to 1048576"),
])
def test_bad_attributes(target, attributes, words):
    assert words in refused(lambda: target(attributes))


@pytest.mark.parametrize("settings,words", [
    (dict(DatePartitionSequence="YYYY"), "DatePartitionSequence must be"),
    (dict(DatePartitionDelimiter="DOT"), "DatePartitionDelimiter"),
    (dict(DatePartitionTimezone="Mars/Olympus"), "'Mars/Olympus', which is no time zone"),
    (dict(DatePartitionTimezone="../../../etc/passwd"), "which is no time zone"),
    (dict(CannedAclForObjects="everybody"), "CannedAclForObjects is 'everybody'"),
    (dict(CompressionType="zip"), "CompressionType is 'zip'"),
    (dict(DataFormat="xml"), "DataFormat is 'xml'"),
    (dict(EncryptionMode="rot13"), "EncryptionMode is 'rot13'"),
    (dict(EncryptionMode="sse-kms", ServerSideEncryptionKmsKeyId="k"), "there are no KMS keys"),
    (dict(EncryptionMode="SSE_KMS"), "Use SSE_S3"),
    (dict(MaxFileSize=1048577), "MaxFileSize"), (dict(CdcMinFileSize=-1), "CdcMinFileSize"),
    (dict(CdcMaxBatchInterval=-1), "CdcMaxBatchInterval"),
    (dict(CsvDelimiter=""), "CsvDelimiter must have 1 to"), (dict(CsvRowDelimiter="x" * 17), "CsvRowDelimiter must have"),
    (dict(PreserveTransactions=True), "CdcPath must be provided"),
    (dict(PreserveTransactions=True, CdcPath=""), "CdcPath must be provided"),
])
def test_bad_settings(target, settings, words):
    assert words in refused(lambda: target(**settings))


@pytest.mark.parametrize("settings,words", [
    (dict(CdcInsertsOnly=True, CdcInsertsAndUpdates=True), "CdcInsertsOnly and CdcInsertsAndUpdates"),
    (dict(PreserveTransactions=True, CdcPath="p", AddColumnName=True), "AddColumnName"),
    (dict(PreserveTransactions=True, CdcPath="p", DatePartitionEnabled=True), "DatePartitionEnabled"),
    (dict(PreserveTransactions=True, CdcPath="p", GlueCatalogGeneration=True), "GlueCatalogGeneration"),
])
def test_settings_that_exclude_each_other(dms, target, settings, words):
    assert words in refused(lambda: target(**settings), "InvalidParameterCombinationException")
    e = target()
    assert words in refused(lambda: dms.modify_endpoint(EndpointArn=e["EndpointArn"], S3Settings=settings),
                            "InvalidParameterCombinationException")
    assert describe(dms, e)["S3Settings"] == SHOWN


def test_modify_merges(dms, target):
    e = target(BucketFolder="f", AddColumnName=True, MaxFileSize=5)
    arn = e["EndpointArn"]
    shown = dms.modify_endpoint(EndpointArn=arn, S3Settings=dict(MaxFileSize=6, CsvNullValue="N"))["Endpoint"]["S3Settings"]
    want = {**SHOWN, "BucketFolder": "f", "AddColumnName": True, "MaxFileSize": 6, "CsvNullValue": "N"}
    assert shown == want and describe(dms, e)["S3Settings"] == want
    shown = dms.modify_endpoint(EndpointArn=arn, ExtraConnectionAttributes="maxFileSize=7;addColumnName=n")["Endpoint"]
    want = {**want, "AddColumnName": False, "MaxFileSize": 7}
    assert shown["S3Settings"] == want
    dms.modify_endpoint(EndpointArn=arn, EndpointIdentifier=e["EndpointIdentifier"] + "x")
    assert describe(dms, e)["S3Settings"] == want


def test_exact_settings_replace(dms, target):
    e = target(BucketFolder="f", AddColumnName=True, MaxFileSize=5)
    exact = dict(BucketName="c", ServiceAccessRoleArn=ROLE, CsvDelimiter=";")
    shown = dms.modify_endpoint(EndpointArn=e["EndpointArn"], ExactSettings=True, S3Settings=exact)["Endpoint"]["S3Settings"]
    assert shown == {**SHOWN, **exact}
    words = refused(lambda: dms.modify_endpoint(EndpointArn=e["EndpointArn"], ExactSettings=True,
                                                S3Settings=dict(ServiceAccessRoleArn=ROLE)))
    assert "BucketName" in words
    assert describe(dms, e)["S3Settings"] == {**SHOWN, **exact}


# --- sources ---

def test_source_login_in_either_form(dms, source):
    login = dict(ServerName="h", Port=3306, Username="u")
    for e in (source(), source(ServerName="other", MySQLSettings=dict(login, Password="p"))):
        assert {k: e[k] for k in login} == login and e["MySQLSettings"] == login
        assert "Password" not in str(describe(dms, e))


def test_source_settings(dms, source):
    given = dict(AfterConnectScript="SELECT 1", CleanSourceMetadataOnMismatch=True, EventsPollInterval=3, TargetDbType="specific-database",
                 MaxFileSize=1, ParallelLoadThreads=2, ServerTimezone="US/Pacific", ExecuteTimeout=30, AuthenticationMethod="password")
    e = source(MySQLSettings=given)
    want = {**given, "ServerName": "h", "Port": 3306, "Username": "u"}
    assert e["MySQLSettings"] == want and describe(dms, e)["MySQLSettings"] == want
    arn = e["EndpointArn"]
    shown = dms.modify_endpoint(EndpointArn=arn, ServerName="k", ExtraConnectionAttributes="serverTimezone=Asia/Tokyo")["Endpoint"]
    want.update(ServerName="k", ServerTimezone="Asia/Tokyo")
    assert shown["MySQLSettings"] == want and shown["ServerName"] == "k"
    shown = dms.modify_endpoint(EndpointArn=arn, ExactSettings=True, MySQLSettings=dict(EventsPollInterval=4))["Endpoint"]
    assert shown["MySQLSettings"] == dict(ServerName="k", Port=3306, Username="u", EventsPollInterval=4)


@pytest.mark.parametrize("attributes,member,value", [
    ("afterConnectScript=SELECT 1", "AfterConnectScript", "SELECT 1"),
    ("CleanSrcMetadataOnMismatch=true", "CleanSourceMetadataOnMismatch", True),
    ("cleanSourceMetadataOnMismatch=n", "CleanSourceMetadataOnMismatch", False),
    ("eventsPollInterval=7", "EventsPollInterval", 7), ("executeTimeout=100", "ExecuteTimeout", 100),
    ("serverTimezone=UTC;", "ServerTimezone", "UTC"), ("parallelLoadThreads=1", "ParallelLoadThreads", 1),
    ("maxFileSize=512", "MaxFileSize", 512), ("targetDbType=MULTIPLE_DATABASES", "TargetDbType", "MULTIPLE_DATABASES"),
    ("skipTableSuspensionForPartitionDdl=true", None, None), ("IgnoreOpenXaTransactionsCheck=true", None, None),
    ("CharsetMapping=utf8,65001", None, None),
])
def test_source_attributes(dms, source, attributes, member, value):
    e = describe(dms, source(ExtraConnectionAttributes=attributes))
    assert e["ExtraConnectionAttributes"] == attributes
    if member:
        assert e["MySQLSettings"][member] == value


@pytest.mark.parametrize("more,words", [
    (dict(ExtraConnectionAttributes="initstmt=SET x=1"), "initstmt is not a valid parameter in extra connection attributes"),
    (dict(ExtraConnectionAttributes="username=x"), "username is not a valid parameter"),
    (dict(ExtraConnectionAttributes="CharsetMapping=big5,950"), "only mappings to UTF-8"),
    (dict(ExtraConnectionAttributes="IgnoreOpenXaTransactionsCheck=perhaps"), "'perhaps'"),
    (dict(MySQLSettings=dict(ServerTimezone="Mars/Olympus")), "'Mars/Olympus', which is no time zone"),
    (dict(MySQLSettings=dict(EventsPollInterval=0)), "EventsPollInterval must be 1"),
    (dict(MySQLSettings=dict(ExecuteTimeout=0)), "ExecuteTimeout must be 1"),
    (dict(MySQLSettings=dict(SecretsManagerSecretId="s")), "there is no Secrets Manager"),
    (dict(MySQLSettings=dict(SecretsManagerAccessRoleArn=ROLE)), "there is no Secrets Manager"),
    (dict(MySQLSettings=dict(AuthenticationMethod="iam")), "AuthenticationMethod iam is not implemented"),
    (dict(MySQLSettings=dict(Port=70000)), "Port must be between"),
    (dict(S3Settings=dict(BucketName="b")), "S3Settings don't belong"),
])
def test_bad_source_settings(source, more, words):
    assert words in refused(lambda: source(**more))


# --- what can be set ---

def test_endpoint_settings_are_described(dms, target):
    """Every choice and every limit that is told is accepted; beyond them, nothing is."""
    answer = dms.describe_endpoint_settings(EngineName="s3")["EndpointSettings"]
    by_name = {s["Name"]: s for s in answer}
    assert by_name["MaxFileSize"] == dict(Name="MaxFileSize", Type="integer", DefaultValue="1048576", Units="kilobytes",
                                          IntValueMin=1, IntValueMax=1048576, Sensitive=False)
    assert by_name["CompressionType"]["EnumValues"] == ["none", "gzip"] and by_name["Rfc4180"]["Type"] == "boolean"
    members = dms.meta.service_model.shape_for("S3Settings").members
    assert set(by_name) <= set(members)
    for name in ("DatePartitionSequence", "DatePartitionDelimiter", "CannedAclForObjects", "CompressionType", "EncryptionMode"):
        for value in by_name[name]["EnumValues"]:
            target(**{name: value})
        assert name in refused(lambda: target(**{name: "nonsense"}))
    for name in ("MaxFileSize", "CdcMinFileSize", "CdcMaxBatchInterval"):
        target(**{name: by_name[name]["IntValueMax"]})
        target(**{name: by_name[name]["IntValueMin"]})
        assert name in refused(lambda: target(**{name: by_name[name]["IntValueMin"] - 1}))


def test_source_settings_are_described(dms):
    names = [s["Name"] for s in dms.describe_endpoint_settings(EngineName="mariadb")["EndpointSettings"]]
    assert "ServerTimezone" in names and "BucketName" not in names
    assert names == [s["Name"] for s in dms.describe_endpoint_settings(EngineName="mysql")["EndpointSettings"]]
    assert "'oracle' is not implemented" in refused(lambda: dms.describe_endpoint_settings(EngineName="oracle"))
    first = dms.describe_endpoint_settings(EngineName="s3", MaxRecords=20)
    rest = dms.describe_endpoint_settings(EngineName="s3", Marker=first["Marker"])["EndpointSettings"]
    assert len(first["EndpointSettings"]) == 20 and rest and first["EndpointSettings"][-1]["Name"] < rest[0]["Name"]
