"""ModifyDBInstance: what takes force at once, what waits for a reboot, and what a restart follows. Events
tell of it."""

import datetime

import pytest

from tests.support.ports import free_port
from tests.support.rds import (
    an_instance, describe, make, query, refused, set_parameters, variable, wait_for, wait_gone,
)
from tests.support.wait import wait_until


@pytest.fixture
def rds(server):
    return server.client("rds")


@pytest.fixture
def family(rds):
    return rds.describe_db_engine_versions(Engine="mariadb")["DBEngineVersions"][0]["DBParameterGroupFamily"]


def events(rds, name, kind="db-instance", **more):
    return [(e["EventCategories"], e["Message"]) for e in rds.describe_events(
        SourceIdentifier=name, SourceType=kind, **more)["Events"]]


def test_a_rename_keeps_everything_but_the_name(rds, unique):
    old, new, other = unique("old"), unique("new"), unique("other")
    tags = [{"Key": "team", "Value": "data"}]
    with an_instance(rds, other):
        instance = make(rds, old, DBName="d", Tags=tags)
        query(instance, "CREATE TABLE d.t AS SELECT 5 AS x")
        refused(lambda: rds.modify_db_instance(DBInstanceIdentifier=old, NewDBInstanceIdentifier=other,
                                               ApplyImmediately=True), "DBInstanceAlreadyExists")
        refused(lambda: rds.modify_db_instance(DBInstanceIdentifier=old, NewDBInstanceIdentifier="-", ApplyImmediately=True),
                "InvalidParameterValue", "NewDBInstanceIdentifier")
    pending = rds.modify_db_instance(DBInstanceIdentifier=old, NewDBInstanceIdentifier=new)["DBInstance"]
    assert pending["DBInstanceIdentifier"] == old
    assert pending["PendingModifiedValues"] == {"DBInstanceIdentifier": new}
    rds.modify_db_instance(DBInstanceIdentifier=old, ApplyImmediately=True)
    refused(lambda: describe(rds, old), "DBInstanceNotFound")
    renamed = wait_for(rds, new)
    assert renamed["DBInstanceArn"].endswith(f":db:{new}") and renamed["TagList"] == tags
    assert renamed["DbiResourceId"] == instance["DbiResourceId"] and renamed["PendingModifiedValues"] == {}
    assert rds.list_tags_for_resource(ResourceName=renamed["DBInstanceArn"])["TagList"] == tags
    assert query(renamed, "SELECT x FROM d.t") == [(5,)]
    rds.reboot_db_instance(DBInstanceIdentifier=new)
    assert query(wait_for(rds, new), "SELECT x FROM d.t") == [(5,)]
    with an_instance(rds, old):  # the name is free again
        pass
    rds.delete_db_instance(DBInstanceIdentifier=new, SkipFinalSnapshot=True)
    wait_gone(rds, new)


def test_class_and_storage_wait_unless_told(rds, unique):
    name = unique("db")
    with an_instance(rds, name):
        shown = rds.modify_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.small", AllocatedStorage=30,
                                       PreferredBackupWindow="05:00-05:30")["DBInstance"]
        assert shown["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.small", "AllocatedStorage": 30}
        assert (shown["DBInstanceClass"], shown["AllocatedStorage"]) == ("db.t3.micro", 20)
        assert shown["PreferredBackupWindow"] == "05:00-05:30"
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        shown = wait_for(rds, name)
        assert (shown["DBInstanceClass"], shown["AllocatedStorage"]) == ("db.t3.small", 30)
        assert shown["PendingModifiedValues"] == {}
        rds.modify_db_instance(DBInstanceIdentifier=name, AllocatedStorage=40, StorageType="gp3", ApplyImmediately=True)
        assert [wait_for(rds, name)[k] for k in ("AllocatedStorage", "StorageType")] == [40, "gp3"]
        refused(lambda: rds.modify_db_instance(DBInstanceIdentifier=name, AllocatedStorage=10),
                "InvalidParameterCombination", "storage")
        refused(lambda: rds.modify_db_instance(DBInstanceIdentifier=name, EngineVersion="5.5"),
                "InvalidParameterCombination", "Cannot find upgrade target")
        refused(lambda: rds.modify_db_instance(DBInstanceIdentifier=name, DBPortNumber=80), "InvalidParameterValue")
        refused(lambda: rds.modify_db_instance(DBInstanceIdentifier=name, StorageType="io1"), "InvalidParameterValue",
                "Invalid storage size for engine name mariadb and storage type io1: 40")
        change = ["configuration change"]
        assert events(rds, name, EventCategories=change) == [
            (change, "Applying modification to allocated storage"),
            (change, "Finished applying modification to allocated storage"),
            (change, "Applying modification to database instance class"),
            (change, "Finished applying modification to DB instance class"),
            (change, "Applying modification to allocated storage"),
            (change, "Finished applying modification to allocated storage")]


def test_a_new_port_restarts_the_server_whatever_is_said(rds, unique):
    name, port = unique("db"), free_port()
    with an_instance(rds, name, DBName="d") as instance:
        query(instance, "CREATE TABLE d.t AS SELECT 1 AS x")
        answer = rds.modify_db_instance(DBInstanceIdentifier=name, DBPortNumber=port)["DBInstance"]
        assert answer["DBInstanceStatus"] == "modifying"
        moved = wait_for(rds, name)
        assert moved["Endpoint"]["Port"] == port
        assert query(moved, "SELECT x FROM d.t") == [(1,)]


def test_backup_retention(rds, unique):
    name = unique("db")
    with an_instance(rds, name, BackupRetentionPeriod=1) as instance:
        shown = rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=7)["DBInstance"]
        assert (shown["BackupRetentionPeriod"], shown["PendingModifiedValues"]) == (7, {})  # RDS doesn't wait with it
        rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=0)
        assert variable(instance, "log_bin") == 1
        assert describe(rds, name)["PendingModifiedValues"] == {"BackupRetentionPeriod": 0}
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        assert variable(wait_for(rds, name), "log_bin") == 0
        rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=1, ApplyImmediately=True)
        assert variable(wait_for(rds, name), "log_bin") == 1
        assert [text for _, text in events(rds, name, EventCategories=["configuration change"])] == [
            "Disabled automated backups", "Enabled automated backups"]


def test_another_parameter_group_waits_for_the_reboot(rds, unique, family):
    name, group = unique("db"), unique("pg")
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description="d")
    set_parameters(rds, group, binlog_format="ROW")
    with an_instance(rds, name) as instance:
        rds.modify_db_instance(DBInstanceIdentifier=name, DBParameterGroupName=group, ApplyImmediately=True)
        assert describe(rds, name)["DBParameterGroups"] == [
            {"DBParameterGroupName": group, "ParameterApplyStatus": "pending-reboot"}]
        assert variable(instance, "binlog_format") == "MIXED"
        assert events(rds, name)[-1][1] == f"Updated to use DBParameterGroup {group}"
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        assert variable(wait_for(rds, name), "binlog_format") == "ROW"
        # the same group again changes nothing
        rds.modify_db_instance(DBInstanceIdentifier=name, DBParameterGroupName=group)
        assert describe(rds, name)["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    assert events(rds, group, "db-parameter-group") == [
        (["configuration change"], "Updated parameter binlog_format to ROW with apply method immediate")]
    rds.create_db_parameter_group(DBParameterGroupName=unique("pg"), DBParameterGroupFamily="mysql8.0", Description="d")
    other = unique("pg")
    rds.create_db_parameter_group(DBParameterGroupName=other, DBParameterGroupFamily="mysql8.0", Description="d")
    refused(lambda: make(rds, unique("db"), DBParameterGroupName=other), "InvalidParameterCombination", "mysql8.0")
    refused(lambda: rds.create_db_parameter_group(DBParameterGroupName=unique("pg"), DBParameterGroupFamily="mysql7.3",
                                                  Description="d"), "InvalidParameterValue", "mysql7.3")


def test_a_value_that_the_running_server_refuses_shows(rds, unique, family):
    name, group = unique("db"), unique("pg")
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description="d")

    def shown():
        return describe(rds, name)["DBParameterGroups"][0]["ParameterApplyStatus"]

    with an_instance(rds, name, DBParameterGroupName=group) as instance:
        set_parameters(rds, group, collation_server="klingon_ci")
        wait_until(lambda: shown() == "failed-to-apply", 20, "the refusal")
        set_parameters(rds, group, collation_server="utf8mb4_bin")
        wait_until(lambda: shown() == "in-sync", 20, "the right value")
        assert variable(instance, "collation_server") == "utf8mb4_bin"


def test_events_of_a_life(rds, unique):
    name, snapshot = unique("db"), unique("snap")
    with an_instance(rds, name):
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        wait_for(rds, name)
        rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=name)
        wait_for(rds, name)
        rds.stop_db_instance(DBInstanceIdentifier=name)
        wait_for(rds, name, "stopped")
        rds.start_db_instance(DBInstanceIdentifier=name)
        wait_for(rds, name)
        rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword="another-Pw2")
    wait_until(lambda: (["deletion"], "DB instance deleted") in events(rds, name), 20, "the last event")
    assert events(rds, name) == [
        (["creation"], "DB instance created"),
        (["availability"], "DB instance shutdown"), (["availability"], "DB instance restarted"),
        (["backup"], "Backing up DB instance"), (["backup"], "Finished DB Instance backup"),
        (["notification"], "DB instance stopped"), (["notification"], "DB instance started"),
        (["configuration change"], "Reset master credentials"), (["deletion"], "DB instance deleted"),
    ]
    copy = unique("copy")
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=copy, DBSnapshotIdentifier=snapshot)
    wait_for(rds, copy)
    rds.delete_db_instance(DBInstanceIdentifier=copy, SkipFinalSnapshot=True)
    assert events(rds, name, EventCategories=["backup", "deletion"]) == [
        (["backup"], "Backing up DB instance"), (["backup"], "Finished DB Instance backup"),
        (["deletion"], "DB instance deleted")]
    one = rds.describe_events(SourceType="db-instance", SourceIdentifier=name)["Events"][0]
    assert one["SourceArn"].endswith(f":db:{name}")
    assert abs((datetime.datetime.now(datetime.UTC) - one["Date"]).total_seconds()) < 600
    assert events(rds, name, EndTime=one["Date"] - datetime.timedelta(minutes=1)) == []
    rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)
    assert events(rds, snapshot, "db-snapshot") == [
        (["creation"], "Creating manual snapshot"), (["creation"], "Manual snapshot created"),
        (["restoration"], f"Restored from snapshot {snapshot}"), (["deletion"], "Deleted user snapshot")]
    refused(lambda: rds.describe_events(SourceIdentifier=name), "InvalidParameterCombination", "SourceType")
    refused(lambda: rds.describe_events(SourceType="db"), "InvalidParameterValue", "SourceType")
    categories = rds.describe_event_categories(SourceType="db-instance")["EventCategoriesMapList"]
    assert "backup" in categories[0]["EventCategories"]
