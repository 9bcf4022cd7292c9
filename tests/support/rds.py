"""RDS instances as their users have them: through boto3 and a MySQL client."""

import contextlib
import ssl

import botocore.exceptions
import pymysql
import pytest

from tests.support.wait import wait_until

PASSWORD = "secret-Pw1"


def describe(rds, name):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def wait_for(rds, name, state="available"):
    def there():
        instance = describe(rds, name)
        bad = {"failed", "incompatible-parameters"} - {state}
        assert instance["DBInstanceStatus"] not in bad, instance["StatusInfos"]
        return instance if instance["DBInstanceStatus"] == state else None

    return wait_until(there, 60, f"{name} {state}")


def wait_gone(rds, name):
    def gone():
        try:
            describe(rds, name)
        except rds.exceptions.DBInstanceNotFoundFault:
            return True

    wait_until(gone, 60, f"{name} gone")


def make(rds, name, state="available", **more):
    rds.create_db_instance(**{
        "DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.micro", "Engine": "mariadb",
        "AllocatedStorage": 20, "MasterUsername": "admin", "MasterUserPassword": PASSWORD, **more})
    return wait_for(rds, name, state)


@contextlib.contextmanager
def an_instance(rds, name, **more):
    try:
        yield make(rds, name, **more)
    finally:
        with contextlib.suppress(botocore.exceptions.ClientError):
            rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
            wait_gone(rds, name)


def connect(instance, password=PASSWORD, user="admin", **more):
    if instance["Engine"] == "mysql":  # its passwords travel over TLS only; it made a certificate itself
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        more["ssl"] = trusting
    return pymysql.connect(host=instance["Endpoint"]["Address"], port=instance["Endpoint"]["Port"], user=user,
                           password=password, autocommit=True, **more)


def query(instance, sql, **more):
    with connect(instance, **more) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def variable(instance, name):
    return query(instance, f"SELECT @@global.{name}")[0][0]


def set_parameters(rds, group, method="immediate", **values):
    rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[
        {"ParameterName": n, "ParameterValue": v, "ApplyMethod": method} for n, v in values.items()])


def refused(call, code, words=""):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] == code
    assert words in error.value.response["Error"]["Message"]
