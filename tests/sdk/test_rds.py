"""RDS: instances are real servers. Everything here talks to them as their users would."""

import os
import pathlib
import pwd
import shutil
import tempfile
import time

import pymysql
import pytest

from tests.support.rds import PASSWORD, an_instance, connect, describe, make, query, refused, variable, wait_for, wait_gone
from tests.support.server import BINARY
from tests.support.wait import wait_until


@pytest.fixture
def rds(server):
    return server.client("rds")


@pytest.fixture
def family(rds):
    return rds.describe_db_engine_versions(Engine="mariadb")["DBEngineVersions"][0]["DBParameterGroupFamily"]


def test_an_instance_is_a_server_with_its_master_user_and_database(rds, unique):
    name = unique("db")
    with an_instance(rds, name, DBName="shop", Tags=[{"Key": "team", "Value": "data"}]) as instance:
        assert instance["DBInstanceArn"].endswith(f":db:{name}")
        assert instance["DbiResourceId"].startswith("db-")
        assert instance["TagList"] == [{"Key": "team", "Value": "data"}]
        assert query(instance, "SELECT VERSION()")[0][0].startswith(instance["EngineVersion"])
        assert ("shop",) in query(instance, "SHOW DATABASES")
        query(instance, "CREATE TABLE shop.t(id INT PRIMARY KEY)")
        by_id = rds.describe_db_instances(
            Filters=[{"Name": "dbi-resource-id", "Values": [instance["DbiResourceId"]]}])["DBInstances"]
        assert [i["DBInstanceIdentifier"] for i in by_id] == [name]
        # as on RDS: no SUPER, binary log in the format of the engine's default
        grants = query(instance, "SHOW GRANTS")[0][0]
        assert "REPLICATION SLAVE" in grants and "SUPER" not in grants and "FILE" not in grants
        assert (variable(instance, "log_bin"), variable(instance, "binlog_format")) == (1, "MIXED")
        refused(lambda: make(rds, name), "DBInstanceAlreadyExists")
        with pytest.raises(pymysql.err.OperationalError):
            connect(instance, user="root", password="")
    refused(lambda: describe(rds, name), "DBInstanceNotFound", name)


def test_waiters(rds, unique):
    name = unique("db")
    with an_instance(rds, name):
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})


def test_retention_period_zero_turns_the_binary_log_off(rds, unique):
    name = unique("db")
    with an_instance(rds, name, BackupRetentionPeriod=0) as instance:
        assert variable(instance, "log_bin") == 0
        answer = rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=7)["DBInstance"]
        assert answer["PendingModifiedValues"] == {"BackupRetentionPeriod": 7}
        assert variable(instance, "log_bin") == 0
        rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=7, ApplyImmediately=True)
        assert variable(wait_for(rds, name), "log_bin") == 1


def test_parameter_groups_reach_the_server(rds, unique, family):
    name, group = unique("db"), unique("pg")
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description="cdc")
    rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[
        {"ParameterName": "binlog_format", "ParameterValue": "ROW", "ApplyMethod": "immediate"},
        {"ParameterName": "lower_case_table_names", "ParameterValue": "1", "ApplyMethod": "pending-reboot"}])
    mine = rds.describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]
    assert {(p["ParameterName"], p["ParameterValue"], p["Source"]) for p in mine} == {
        ("binlog_format", "ROW", "user"), ("lower_case_table_names", "1", "user")}
    with an_instance(rds, name, DBParameterGroupName=group) as instance:
        assert (variable(instance, "binlog_format"), variable(instance, "lower_case_table_names")) == ("ROW", 1)

        # dynamic ones at once, others after a reboot
        rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[
            {"ParameterName": "max_connections", "ParameterValue": "77", "ApplyMethod": "immediate"}])
        wait_until(lambda: variable(instance, "max_connections") == 77, 20, "max_connections")
        rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[
            {"ParameterName": "lower_case_table_names", "ParameterValue": "0", "ApplyMethod": "pending-reboot"}])
        assert describe(rds, name)["DBParameterGroups"] == [
            {"DBParameterGroupName": group, "ParameterApplyStatus": "pending-reboot"}]
        assert variable(instance, "lower_case_table_names") == 1
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        instance = wait_for(rds, name)
        assert instance["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
        assert (variable(instance, "lower_case_table_names"), variable(instance, "max_connections")) == (0, 77)

        refused(lambda: rds.delete_db_parameter_group(DBParameterGroupName=group), "InvalidDBParameterGroupState")
    rds.delete_db_parameter_group(DBParameterGroupName=group)
    refused(lambda: rds.describe_db_parameter_groups(DBParameterGroupName=group), "DBParameterGroupNotFound")


def test_a_value_that_the_server_refuses_shows_in_the_status(rds, unique, family):
    name, group = unique("db"), unique("pg")
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description="bad")
    rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[
        {"ParameterName": "collation_server", "ParameterValue": "klingon_ci", "ApplyMethod": "pending-reboot"}])
    make(rds, name, state="incompatible-parameters", DBParameterGroupName=group)
    assert "klingon_ci" in describe(rds, name)["StatusInfos"][0]["Message"]
    rds.reset_db_parameter_group(DBParameterGroupName=group, ResetAllParameters=True)
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    assert query(wait_for(rds, name), "SELECT 1") == [(1,)]
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def test_stop_start_and_password(rds, unique):
    name = unique("db")
    with an_instance(rds, name, DBName="d") as instance:
        query(instance, "CREATE TABLE d.t AS SELECT 42 AS x")
        rds.stop_db_instance(DBInstanceIdentifier=name)
        wait_for(rds, name, "stopped")
        with pytest.raises(pymysql.err.OperationalError):
            connect(instance)
        refused(lambda: rds.reboot_db_instance(DBInstanceIdentifier=name), "InvalidDBInstanceState", "stopped")
        rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword="another-Pw2", ApplyImmediately=True)
        rds.start_db_instance(DBInstanceIdentifier=name)
        instance = wait_for(rds, name)
        assert query(instance, "SELECT x FROM d.t", password="another-Pw2") == [(42,)]
        with pytest.raises(pymysql.err.OperationalError):
            connect(instance)


def test_procedures_of_rds(rds, unique):
    name = unique("db")
    with an_instance(rds, name) as instance:
        assert query(instance, "CALL mysql.rds_show_configuration()")[0][:2] == ("binlog retention hours", None)
        query(instance, "CALL mysql.rds_set_configuration('binlog retention hours', 24)")
        assert query(instance, "CALL mysql.rds_show_configuration")[0][:2] == ("binlog retention hours", "24")
        with pytest.raises(pymysql.err.OperationalError, match="between 1 and 168"):
            query(instance, "CALL mysql.rds_set_configuration('binlog retention hours', 1000)")
        with pytest.raises(pymysql.err.OperationalError, match="Unknown configuration parameter"):
            query(instance, "CALL mysql.rds_set_configuration('bin log hours', 24)")


def test_binary_logs_go_unless_retention_hours_keep_them(make_server, unique):
    server = make_server("--clock-scale", "3000")  # five minutes are a tenth of a second
    rds = server.client("rds")
    for hours, kept in ((24, True), (None, False)):
        instance = make(rds, unique("db"))
        if hours:
            query(instance, f"CALL mysql.rds_set_configuration('binlog retention hours', {hours})")
        first = query(instance, "SHOW BINARY LOGS")[0][0]
        query(instance, "CREATE DATABASE d")

        def rotated(instance=instance):
            return len({query(instance, "SHOW MASTER STATUS")[0][0]} - {first}) == 1

        wait_until(rotated, 30, "the next binary log")
        if kept:
            assert first in [row[0] for row in query(instance, "SHOW BINARY LOGS")]
        else:
            wait_until(lambda i=instance, f=first: f not in [r[0] for r in query(i, "SHOW BINARY LOGS")], 30, "purge")


def test_snapshot_and_restore(rds, unique):
    name, copy, snapshot = unique("db"), unique("copy"), unique("snap")
    with an_instance(rds, name, DBName="d") as instance:
        query(instance, "CREATE TABLE d.t(x INT PRIMARY KEY) ENGINE=InnoDB")
        with connect(instance) as connection, connection.cursor() as cursor:
            for i in range(200):
                cursor.execute("INSERT INTO d.t VALUES(%s)", (i,))
            rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=name)
            cursor.execute("SELECT count(*) FROM d.t")  # the connection survives
            assert cursor.fetchone() == (200,)
        wait_until(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"][0]["Status"]
                   == "available", 60, "snapshot")
        wait_for(rds, name)
        query(instance, "DELETE FROM d.t")
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=copy, DBSnapshotIdentifier=snapshot)
        restored = wait_for(rds, copy)
        assert query(restored, "SELECT count(*) FROM d.t") == [(200,)]
        assert query(instance, "SELECT count(*) FROM d.t") == [(0,)]
        rds.delete_db_instance(DBInstanceIdentifier=copy, SkipFinalSnapshot=True)
        refused(lambda: rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=name),
                "DBSnapshotAlreadyExists")
    rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)
    refused(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot), "DBSnapshotNotFound")


def test_snapshots_take_the_tags_along_when_told_to(rds, unique):
    name, told, silent = unique("db"), unique("snap"), unique("snap")
    tags = [{"Key": "team", "Value": "data"}]
    with an_instance(rds, name, Tags=tags, CopyTagsToSnapshot=True) as instance:
        # programs look into these lists without asking whether they are there
        assert instance["OptionGroupMemberships"][0]["OptionGroupName"].startswith("default:mariadb-")
        assert all(instance[k] == [] for k in ("DBSecurityGroups", "ReadReplicaDBInstanceIdentifiers", "AssociatedRoles"))
        for snapshot, copied in ((told, tags), (silent, [])):
            rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=name)
            assert rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"][0]["TagList"] == copied
            wait_for(rds, name)
            rds.modify_db_instance(DBInstanceIdentifier=name, CopyTagsToSnapshot=False)
    for snapshot in (told, silent):
        rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)


def test_deletion_wants_a_final_snapshot_or_a_word(rds, unique):
    name, snapshot = unique("db"), unique("last")
    with an_instance(rds, name, DBName="d", DeletionProtection=True) as instance:
        query(instance, "CREATE TABLE d.t AS SELECT 1 AS x")
        refused(lambda: rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True),
                "InvalidParameterCombination", "protect")
        rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False)
        refused(lambda: rds.delete_db_instance(DBInstanceIdentifier=name), "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is required")
        rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=snapshot)
        wait_gone(rds, name)
    assert rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"][0]["Status"] == "available"
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=snapshot)
    assert query(wait_for(rds, name), "SELECT x FROM d.t") == [(1,)]
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def test_log_files(rds, unique, family):
    name, group = unique("db"), unique("pg")
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description="log")
    rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[
        {"ParameterName": "general_log", "ParameterValue": "1", "ApplyMethod": "immediate"}])
    with an_instance(rds, name, DBParameterGroupName=group) as instance:
        query(instance, "SELECT 'find me'")
        files = {f["LogFileName"] for f in rds.describe_db_log_files(DBInstanceIdentifier=name)["DescribeDBLogFiles"]}
        assert {"error/mysql-error.log", "general/mysql-general.log"} <= files
        text = rds.download_db_log_file_portion(DBInstanceIdentifier=name, LogFileName="general/mysql-general.log")
        assert "find me" in text["LogFileData"] and PASSWORD not in text["LogFileData"]
        refused(lambda: rds.download_db_log_file_portion(DBInstanceIdentifier=name, LogFileName="../../etc/passwd"),
                "DBLogFileNotFoundFault")


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_instances_survive_the_server(fresh_server, unique, end):
    rds = fresh_server.client("rds")
    name = unique("db")
    instance = make(rds, name, DBName="d")
    query(instance, "CREATE TABLE d.t AS SELECT 7 AS x")
    getattr(fresh_server, end)()
    with pytest.raises(pymysql.err.OperationalError):
        connect(instance)
    fresh_server.start()
    again = wait_for(fresh_server.client("rds"), name)
    assert again["Endpoint"] == instance["Endpoint"]
    assert query(again, "SELECT x FROM d.t") == [(7,)]


def survives_kills(server, name, pauses):
    """An instance is made although the server is killed after each of the pauses (seconds)."""
    server.client("rds").create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="mariadb", MasterUsername="admin",
        MasterUserPassword=PASSWORD, DBName="d")
    for pause in pauses:
        time.sleep(pause)
        server.kill()
        server.start()
    instance = wait_for(server.client("rds"), name)
    assert ("d",) in query(instance, "SHOW DATABASES")
    assert query(instance, "CALL mysql.rds_show_configuration")[0][0] == "binlog retention hours"


# While the empty folder is installed, copied, while its server starts, and what a kill left is made again.
@pytest.mark.parametrize("pauses", [(0,), (0.15,), (0.5, 0.1), (0.9, 0, 0.3)])
def test_kill_while_an_instance_is_made(fresh_server, unique, pauses):
    survives_kills(fresh_server, unique("db"), pauses)


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests show it already")
def test_kill_while_an_unprivileged_process_makes_an_instance(make_server, unique):
    with tempfile.TemporaryDirectory(prefix="cistern-rds-") as folder:
        binary = shutil.copy(BINARY, folder)
        nobody = pwd.getpwnam("nobody")
        for path in (folder, binary):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        server = make_server(data_dir=f"{folder}/data", command=[
            "setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", binary])
        survives_kills(server, unique("db"), (0.3, 0.2))
        server.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up its rights")
def test_the_server_runs_without_rights(make_server, unique):
    with tempfile.TemporaryDirectory(prefix="cistern-rds-") as folder:
        pathlib.Path(folder).chmod(0o755)
        server = make_server(data_dir=f"{folder}/data")
        rds = server.client("rds")
        instance = make(rds, unique("db"))
        pid = (pathlib.Path(folder) / "data/rds" / instance["DbiResourceId"] / "data/pid").read_text().strip()
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert [line for line in status.splitlines() if line.startswith("Uid:")][0].split()[1] != "0"
        server.kill()  # as the kernel's memory killer does: the database server doesn't outlive it
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 10, "the database server's end")
        server.start()
        assert query(wait_for(server.client("rds"), instance["DBInstanceIdentifier"]), "SELECT 1") == [(1,)]
        server.close()


def test_an_existing_server_can_be_attached(rds, mariadb, unique):
    name = unique("db")
    attach = [{"Key": "cistern:attach", "Value": f"127.0.0.1:{mariadb.port}"}]
    more = {"MasterUsername": mariadb.user, "MasterUserPassword": mariadb.password, "Tags": attach}
    with an_instance(rds, name, **more) as instance:
        assert instance["Endpoint"]["Port"] == mariadb.port
        assert query(instance, "SELECT 1", user=mariadb.user, password=mariadb.password) == [(1,)]
        refused(lambda: rds.stop_db_instance(DBInstanceIdentifier=name), "InvalidDBInstanceState", "attached")
    assert mariadb.query("SELECT 1") == [(1,)]
    wrong = unique("db")
    make(rds, wrong, state="failed", **{**more, "MasterUserPassword": "not-the-password"})
    assert "Access denied" in describe(rds, wrong)["StatusInfos"][0]["Message"]
    rds.delete_db_instance(DBInstanceIdentifier=wrong, SkipFinalSnapshot=True)


@pytest.mark.parametrize("change, code, words", [
    ({"Engine": "oracle-ee"}, "InvalidParameterValue", "Here are mariadb and mysql"),
    ({"EngineVersion": "5.1"}, "InvalidParameterCombination", "installed on this machine"),
    ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue", "cannot be used"),
    ({"MasterUserPassword": "short"}, "InvalidParameterValue", "MasterUserPassword"),
    ({"MasterUserPassword": "new\nline-or-two"}, "InvalidParameterValue", "MasterUserPassword"),
    ({"DBInstanceClass": "t3.micro"}, "InvalidParameterValue", "class"),
    ({"StorageType": "gp9"}, "InvalidParameterValue", "Invalid storage type: gp9"),
    ({"AllocatedStorage": 5}, "InvalidParameterValue", "engine name mariadb and storage type gp2: 5"),
    ({"MasterUserPassword": "has@sign-2026"}, "InvalidParameterValue", "besides '/', '@'"),
    ({"MasterUsername": ""}, "InvalidParameterValue", "MasterUsername must be provided"),
    ({"DBParameterGroupName": "missing"}, "DBParameterGroupNotFound", "missing"),
    ({"DBSubnetGroupName": "missing"}, "DBSubnetGroupNotFoundFault", "missing"),
    ({"BackupRetentionPeriod": 99}, "InvalidParameterValue", "between 0 and 35"),
    ({"StorageEncrypted": True}, "NotImplemented", "StorageEncrypted"),
    ({"MultiAZ": True}, "NotImplemented", "MultiAZ"),
    ({"DBName": "a`b"}, "InvalidParameterValue", "DBName"),
    ({"DBInstanceIdentifier": "-x"}, "InvalidParameterValue", "DBInstanceIdentifier"),
])
def test_bad_requests_make_nothing(rds, unique, change, code, words):
    name = unique("db")
    refused(lambda: make(rds, **{"name": name, **({"name": change.pop("DBInstanceIdentifier")}
                                                  if "DBInstanceIdentifier" in change else {}), **change}), code, words)
    refused(lambda: describe(rds, name), "DBInstanceNotFound")


def test_subnet_groups_and_tags(rds, unique):
    name = unique("subnets")
    rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d",
                               SubnetIds=["subnet-1", "subnet-2"])
    group = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0]
    assert [s["SubnetIdentifier"] for s in group["Subnets"]] == ["subnet-1", "subnet-2"]
    arn = group["DBSubnetGroupArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "b", "Value": "2"}]
    rds.modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=["subnet-3", "subnet-4"])
    refused(lambda: rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d",
                                               SubnetIds=["subnet-1", "subnet-2"]), "DBSubnetGroupAlreadyExists")
    rds.delete_db_subnet_group(DBSubnetGroupName=name)
    refused(lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=name), "DBSubnetGroupNotFoundFault")
