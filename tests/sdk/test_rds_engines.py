"""What RDS promises of every engine, on each that there is: MariaDB always, MySQL in the long target
(CISTERN_MYSQL=all). And how a MySQL server is found."""

import datetime
import os
import pathlib
import random
import stat
import zoneinfo

import pymysql
import pytest

from tests.support import mysql
from tests.support.rds import (
    PASSWORD, an_instance, connect, describe, make, query, refused, set_parameters, variable, wait_for,
)
from tests.support.server import BINARY, Server
from tests.support.wait import wait_until


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def engine(request):
    """(client of a server that has the engine, its name, its family of parameter groups)"""
    program = mysql.program() if request.param == "mysql" else None
    if request.param == "mysql" and not program:
        pytest.skip("MySQL belongs to the long target: CISTERN_MYSQL=all")
    server = Server("--clock-scale", "60", *(["--mysqld", program] if program else []))
    rds = server.client("rds")
    rds.logs, rds.data_dir = server.client("logs"), server.data_dir
    version = rds.describe_db_engine_versions(Engine=request.param)["DBEngineVersions"][0]
    yield rds, request.param, version["DBParameterGroupFamily"]
    server.close()


def group_of(rds, family, name, method="pending-reboot", **values):
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description="d")
    set_parameters(rds, name, method, **values)
    return name


def test_the_master_user_and_its_rights(engine, unique):
    rds, name, _ = engine
    with an_instance(rds, unique("db"), Engine=name, DBName="shop") as instance:
        assert query(instance, "SELECT VERSION()")[0][0].startswith(instance["EngineVersion"])
        assert ("shop",) in query(instance, "SHOW DATABASES")
        grants = "\n".join(row[0] for row in query(instance, "SHOW GRANTS"))
        assert "REPLICATION SLAVE" in grants and "WITH GRANT OPTION" in grants
        for right in (" SUPER", " FILE", "SHUTDOWN", "SYSTEM_VARIABLES_ADMIN", "ALL PRIVILEGES"):
            assert right not in grants
        with pytest.raises(pymysql.err.OperationalError):
            query(instance, "SET GLOBAL max_connections = 7")
        query(instance, "CREATE USER reader IDENTIFIED BY 'Reader-Pw1'")
        query(instance, "GRANT SELECT ON shop.* TO reader")
        assert query(instance, "SELECT CURRENT_USER()", user="reader", password="Reader-Pw1") == [("reader@%",)]
        users = {row[0] for row in query(instance, "SELECT user FROM mysql.user")}
        assert "root" not in users and "rdsadmin" in users
        if name == "mysql":
            assert "`rds_superuser_role`@`%` TO `admin`@`%`" in grants and "XA_RECOVER_ADMIN" in grants
            assert query(instance, "SELECT plugin FROM mysql.user WHERE user='admin'") == [("caching_sha2_password",)]
            query(instance, "CREATE ROLE analysts")


def test_two_servers_have_two_names_in_replication(engine, unique):
    rds, name, _ = engine
    if name != "mysql":
        pytest.skip("MariaDB's servers have numbers only")
    with an_instance(rds, unique("db"), Engine=name) as a, an_instance(rds, unique("db"), Engine=name) as b:
        assert variable(a, "server_uuid") != variable(b, "server_uuid")
        assert variable(a, "server_id") != variable(b, "server_id")


def test_binary_log(engine, unique):
    rds, name, family = engine
    db = unique("db")
    with an_instance(rds, db, Engine=name) as instance:
        new = name == "mysql" and not family.endswith(("5.7", "8.0"))
        assert (variable(instance, "log_bin"), variable(instance, "binlog_format")) == (1, "ROW" if new else "MIXED")
        rds.modify_db_instance(DBInstanceIdentifier=db, BackupRetentionPeriod=0, ApplyImmediately=True)
        assert variable(wait_for(rds, db), "log_bin") == 0


def test_parameters(engine, unique):
    rds, name, family = engine
    group, db = unique("pg"), unique("db")
    group_of(rds, family, group, binlog_format="ROW", binlog_checksum="NONE", lower_case_table_names="1",
             time_zone="Europe/Rome", character_set_client="utf8mb4", performance_schema="1")
    with an_instance(rds, db, Engine=name, DBParameterGroupName=group) as instance:
        assert [variable(instance, v) for v in (
            "binlog_format", "binlog_checksum", "lower_case_table_names", "time_zone", "performance_schema",
        )] == ["ROW", "NONE", 1, "Europe/Rome", 1]
        set_parameters(rds, group, max_connections="77")
        wait_until(lambda: variable(instance, "max_connections") == 77, 20, "max_connections")
        set_parameters(rds, group, "pending-reboot", performance_schema="0", time_zone="UTC")
        assert describe(rds, db)["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
        rds.reboot_db_instance(DBInstanceIdentifier=db)
        instance = wait_for(rds, db)
        assert instance["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
        assert [variable(instance, v) for v in ("performance_schema", "time_zone", "max_connections")] == [
            0, "UTC", 77]


def in_zones(cursor, names, seconds):
    """Do the server's zones show these instants as Python's do?"""
    for name in names:
        zone = zoneinfo.ZoneInfo(name)
        cursor.execute("SELECT " + ", ".join(
            f"CONVERT_TZ('{datetime.datetime.fromtimestamp(s, datetime.UTC):%Y-%m-%d %H:%M:%S}', 'UTC', '{name}')"
            for s in seconds))
        want = [datetime.datetime.fromtimestamp(s, zone).replace(tzinfo=None) for s in seconds]
        assert list(cursor.fetchone()) == want, name


def test_time_zones_have_names(engine, unique):
    """All of this machine's, at instants all over the time that servers know, and just around changes of them."""
    rds, name, family = engine
    group, rng = unique("pg"), random.Random(7)
    group_of(rds, family, group, "immediate", time_zone="America/New_York")
    with an_instance(rds, unique("db"), Engine=name, DBParameterGroupName=group, DBName="d") as instance:
        logged = "@@gtid_binlog_pos" if name == "mariadb" else "@@gtid_executed"
        assert query(instance, f"SELECT {logged}") == [("",)]  # what filled the tables isn't in the binary log
        with connect(instance) as connection, connection.cursor() as cursor:
            around = [s + d for s in (1774746000, 1792890000, 1772953200, 1793512800) for d in (-1, 0)]
            in_zones(cursor, sorted(zoneinfo.available_timezones() - {"localtime", "posixrules"}),
                     [*around, *(rng.randrange(86400, 2**31 - 86400) for _ in range(8))])
        query(instance, "CREATE TABLE d.t(at TIMESTAMP)")
        query(instance, "INSERT INTO d.t VALUES ('2026-07-01 12:00:00')")
        assert query(instance, "SELECT CONVERT_TZ(at, @@time_zone, 'UTC') FROM d.t")[0][0].hour == 16
        set_parameters(rds, group, time_zone="Europe/Rome")
        wait_until(lambda: variable(instance, "time_zone") == "Europe/Rome", 20, "the zone being set")
        assert query(instance, "SELECT at FROM d.t")[0][0].hour == 18
    for wrong in ("Mars/Olympus", "+02:00", "../zoneinfo/UTC", ""):
        refused(lambda value=wrong: set_parameters(rds, group, time_zone=value), "InvalidParameterValue", "time_zone")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can hide a folder")
def test_without_time_zones_instances_work_and_the_remedy_is_told(make_server, unique):
    hide = "mount -t tmpfs none /usr/share/zoneinfo && exec \"$@\""
    server = make_server(command=["unshare", "--mount", "sh", "-c", hide, "sh", BINARY])
    rds, name, group = server.client("rds"), unique("db"), unique("pg")
    instance = make(rds, name)
    assert query(instance, "SELECT count(*), CONVERT_TZ(NOW(), 'UTC', 'Europe/Rome') FROM mysql.time_zone_name") == [
        (0, None)]
    family = rds.describe_db_engine_versions(Engine="mariadb")["DBEngineVersions"][0]["DBParameterGroupFamily"]
    group_of(rds, family, group, time_zone="UTC")
    refused(lambda: set_parameters(rds, group, time_zone="Europe/Rome"), "InvalidParameterValue", "tzdata")
    rds.modify_db_instance(DBInstanceIdentifier=name, DBParameterGroupName=group)
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    assert variable(wait_for(rds, name), "time_zone") == "+00:00"

    server.stop()
    server.command = [str(BINARY)]
    server.start()
    rds = server.client("rds")
    wait_for(rds, name)
    set_parameters(rds, group, "pending-reboot", time_zone="Europe/Rome")
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    wait_for(rds, name, "incompatible-parameters")
    assert "tzdata" in describe(rds, name)["StatusInfos"][0]["Message"]
    assert variable(make(rds, unique("db"), DBParameterGroupName=group), "time_zone") == "Europe/Rome"


def test_every_parameter_is_one_that_the_server_takes(engine, unique):
    """With a value that is allowed: no name in the list is unknown to the server."""
    rds, name, family = engine
    group, db = unique("pg"), unique("db")
    odd = {"sql_mode": "", "default_time_zone": "+01:00", "time_zone": "Asia/Tokyo", "long_query_time": "2",
           "collation_server": "utf8mb4_bin", "collation_connection": "utf8mb4_bin", "require_secure_transport": "0",
           "binlog_row_metadata": "FULL", "gtid_mode": "ON", "enforce_gtid_consistency": "ON"}
    values = {}
    for page in rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=f"default.{family}"):
        for p in page["Parameters"]:
            allowed = p.get("AllowedValues", "")
            values[p["ParameterName"]] = odd.get(p["ParameterName"]) or (
                allowed.split(",")[0] if "," in allowed else allowed.split("-")[0] if allowed else "utf8mb4")
    values = {n: v for n, v in values.items() if n not in ("sql_mode", "innodb_buffer_pool_size", "read_only")}
    values["max_connections"], values["connect_timeout"] = "50", "10"
    values["net_read_timeout"] = values["net_write_timeout"] = values["wait_timeout"] = "100"
    values["interactive_timeout"] = values["lock_wait_timeout"] = "100"
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description="all")
    items = list(values.items())
    for i in range(0, len(items), 20):
        set_parameters(rds, group, "pending-reboot", **dict(items[i:i + 20]))
    with an_instance(rds, db, Engine=name, DBParameterGroupName=group) as instance:
        assert variable(instance, "time_zone") == "Asia/Tokyo"
        assert variable(instance, "wait_timeout") == 100
    other = "gtid_mode" if name == "mariadb" else "log_bin_compress"
    refused(lambda: set_parameters(rds, group, **{other: "ON" if name == "mariadb" else "1"}), "InvalidParameterValue",
            f"Could not find parameter with name: {other}")


def test_secure_transport_can_be_required_of_who_offers_it(engine, unique):
    rds, name, family = engine
    db, group = unique("db"), unique("pg")
    group_of(rds, family, group, require_secure_transport="1")
    make(rds, db, Engine=name, DBParameterGroupName=group,
         state="available" if name == "mysql" else "incompatible-parameters")
    if name == "mysql":
        instance = describe(rds, db)
        assert query(instance, "SHOW STATUS LIKE 'Ssl_version'")[0][1].startswith("TLS")
        with pytest.raises(pymysql.err.OperationalError, match="insecure transport"):
            pymysql.connect(host="127.0.0.1", port=instance["Endpoint"]["Port"], user="admin", password=PASSWORD,
                            ssl_disabled=True)
    else:  # MariaDB has a certificate of its own from 11.4 on
        assert "Access denied" in describe(rds, db)["StatusInfos"][0]["Message"]
        set_parameters(rds, group, require_secure_transport="0")
        rds.reboot_db_instance(DBInstanceIdentifier=db)
        wait_for(rds, db)
    rds.delete_db_instance(DBInstanceIdentifier=db, SkipFinalSnapshot=True)


def test_procedures(engine, unique):
    rds, name, _ = engine
    with an_instance(rds, unique("db"), Engine=name) as instance:
        assert query(instance, "CALL mysql.rds_show_configuration()")[0][:2] == ("binlog retention hours", None)
        query(instance, "CALL mysql.rds_set_configuration('binlog retention hours', 24)")
        assert query(instance, "CALL mysql.rds_show_configuration")[0][:2] == ("binlog retention hours", "24")
        query(instance, "CALL mysql.rds_set_configuration('binlog retention hours', NULL)")
        assert query(instance, "CALL mysql.rds_show_configuration")[0][1] is None
        with pytest.raises(pymysql.err.OperationalError, match="between 1 and 168"):
            query(instance, "CALL mysql.rds_set_configuration('binlog retention hours', 1000)")
        with connect(instance) as victim:
            query(instance, f"CALL mysql.rds_kill_query({victim.thread_id()})")
            with victim.cursor() as cursor:
                cursor.execute("SELECT 1")  # a killed query ends, its session goes on
            query(instance, f"CALL mysql.rds_kill({victim.thread_id()})")
            with pytest.raises(pymysql.err.Error), victim.cursor() as cursor:
                cursor.execute("SELECT 1")
        for table in ("slow_log", "general_log"):
            query(instance, f"CALL mysql.rds_rotate_{table}")
            assert query(instance, f"SELECT count(*) FROM mysql.{table}_backup") == [(0,)]


def test_log_tables_are_rotated(engine, unique):
    rds, name, family = engine
    group = group_of(rds, family, unique("pg"), log_output="TABLE", general_log="1")
    with an_instance(rds, unique("db"), Engine=name, DBParameterGroupName=group) as instance:
        query(instance, "SELECT 'before'")
        query(instance, "CALL mysql.rds_rotate_general_log")
        query(instance, "SELECT 'after'")

        def logged(table, word):
            return query(instance, f"SELECT count(*) FROM mysql.{table} WHERE argument = 'SELECT ''{word}'''")[0][0]

        assert [logged("general_log_backup", "before"), logged("general_log", "after")] == [1, 1]
        assert [logged("general_log_backup", "after"), logged("general_log", "before")] == [0, 0]


def test_log_files(engine, unique):
    rds, name, family = engine
    db = unique("db")
    group = group_of(rds, family, unique("pg"), general_log="1", slow_query_log="1", long_query_time="0")
    with an_instance(rds, db, Engine=name, DBParameterGroupName=group) as instance:
        query(instance, "SELECT 'find me', SLEEP(0.01)")
        shown = {f["LogFileName"]: f for f in rds.describe_db_log_files(DBInstanceIdentifier=db)["DescribeDBLogFiles"]}
        assert set(shown) == {"error/mysql-error.log", "general/mysql-general.log", "slowquery/mysql-slowquery.log"}
        assert all(f["Size"] > 0 and f["LastWritten"] > 1_000_000_000_000 for f in shown.values())
        for file in ("general/mysql-general.log", "slowquery/mysql-slowquery.log"):
            text = rds.download_db_log_file_portion(DBInstanceIdentifier=db, LogFileName=file, Marker="0")["LogFileData"]
            assert "find me" in text and PASSWORD not in text
        text = rds.download_db_log_file_portion(DBInstanceIdentifier=db, LogFileName="error/mysql-error.log", Marker="0")
        assert "ready for connections" in text["LogFileData"]
        parts, marker, more = [], "0", True  # line by line gives the whole file
        while more:
            answer = rds.download_db_log_file_portion(
                DBInstanceIdentifier=db, LogFileName="error/mysql-error.log", Marker=marker, NumberOfLines=1)
            parts.append(answer["LogFileData"])
            marker, more = answer["Marker"], answer["AdditionalDataPending"]
        assert "".join(parts).startswith(text["LogFileData"])
        named = rds.describe_db_log_files(DBInstanceIdentifier=db, FilenameContains="slow")["DescribeDBLogFiles"]
        assert [f["LogFileName"] for f in named] == ["slowquery/mysql-slowquery.log"]


def test_logs_go_to_cloudwatch(engine, unique):
    rds, name, family = engine
    db, logs = unique("db"), rds.logs
    group = group_of(rds, family, unique("pg"), general_log="1", slow_query_log="1", long_query_time="0")

    def sent(kind):
        try:
            return [e["message"] for e in logs.get_log_events(
                logGroupName=f"/aws/rds/instance/{db}/{kind}", logStreamName=db, startFromHead=True)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    with an_instance(rds, db, Engine=name, DBParameterGroupName=group,
                     EnableCloudwatchLogsExports=["error", "slowquery"]) as instance:
        assert instance["EnabledCloudwatchLogsExports"] == ["error", "slowquery"]
        query(instance, "SELECT 'slow',\n SLEEP(0.01)")
        [entry] = wait_until(lambda: [e for e in sent("slowquery") if "SLEEP" in e], 20, "the slow query")
        assert entry.startswith("# ") and entry.endswith("SLEEP(0.01);") and "Query_time" in entry
        wait_until(lambda: any("ready for connections" in e for e in sent("error")), 20, "the error log")
        assert sent("general") == []
        shown = rds.modify_db_instance(DBInstanceIdentifier=db, CloudwatchLogsExportConfiguration={
            "EnableLogTypes": ["general"], "DisableLogTypes": ["slowquery"]})["DBInstance"]
        assert shown["EnabledCloudwatchLogsExports"] == ["error", "general"]
        wait_until(lambda: any("SLEEP" in e for e in sent("general")), 20, "the general log")
        slow = sent("slowquery")
        rds.reboot_db_instance(DBInstanceIdentifier=db)
        instance = wait_for(rds, db)
        wait_until(lambda: sum("ready for connections" in e for e in sent("error")) == 2, 20, "the second start")
        assert sent("slowquery") == slow
        file = pathlib.Path(rds.data_dir, "rds", instance["DbiResourceId"], "error.log")

        def written():
            return [line.strip() for line in file.read_text().splitlines() if line.strip()]

        wait_until(lambda: sent("error") == written(), 20, "every line once")
        lines = written()
        refused(lambda: rds.modify_db_instance(DBInstanceIdentifier=db, CloudwatchLogsExportConfiguration={
            "EnableLogTypes": ["audit"]}), "InvalidParameterCombination", "log types 'audit'")
    assert any("hutdown" in e for e in sent("error")[len(lines):])  # what it said at its end came too


def test_stop_start_snapshot_restore(engine, unique):
    rds, name, _ = engine
    db, copy, snapshot = unique("db"), unique("copy"), unique("snap")
    with an_instance(rds, db, Engine=name, DBName="d") as instance:
        query(instance, "CREATE TABLE d.t(x INT PRIMARY KEY)")
        query(instance, "INSERT INTO d.t VALUES (1), (2), (3)")
        rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=db)
        rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=snapshot, WaiterConfig={"Delay": 1})
        wait_for(rds, db)
        query(instance, "DELETE FROM d.t WHERE x > 1")
        rds.stop_db_instance(DBInstanceIdentifier=db)
        rds.modify_db_instance(DBInstanceIdentifier=wait_for(rds, db, "stopped")["DBInstanceIdentifier"],
                               MasterUserPassword="another-Pw2")
        rds.start_db_instance(DBInstanceIdentifier=db)
        instance = wait_for(rds, db)
        assert query(instance, "SELECT x FROM d.t", password="another-Pw2") == [(1,)]
        rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=copy, DBSnapshotIdentifier=snapshot)
        restored = wait_for(rds, copy)
        assert query(restored, "SELECT count(*) FROM d.t") == [(3,)]
        if name == "mysql":
            assert variable(restored, "server_uuid") != query(
                instance, "SELECT @@server_uuid", password="another-Pw2")[0][0]
        rds.delete_db_instance(DBInstanceIdentifier=copy, SkipFinalSnapshot=True)
    rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot)


def test_a_new_password_gives_the_rights_back(engine, unique):
    rds, name, _ = engine
    db = unique("db")
    with an_instance(rds, db, Engine=name) as instance:
        query(instance, "REVOKE REPLICATION CLIENT ON *.* FROM admin")
        with pytest.raises(pymysql.err.OperationalError):
            query(instance, "SHOW BINARY LOGS")
        rds.modify_db_instance(DBInstanceIdentifier=db, MasterUserPassword="another-Pw2")

        def back():
            try:
                return query(instance, "SHOW BINARY LOGS", password="another-Pw2")
            except pymysql.err.OperationalError:
                return False

        wait_until(back, 20, "the new password and the old rights")


def test_a_version_is_named_by_its_beginning(engine, unique):
    rds, name, family = engine
    [shown] = rds.describe_db_engine_versions(Engine=name, DefaultOnly=True)["DBEngineVersions"]
    version, major = shown["EngineVersion"], shown["MajorEngineVersion"]
    assert version.startswith(major + ".") and family == name + major
    with an_instance(rds, unique("db"), Engine=name, EngineVersion=major) as instance:
        assert instance["EngineVersion"] == version
    for right in (version, major, major.split(".")[0]):
        assert [v["EngineVersion"] for v in rds.describe_db_engine_versions(
            Engine=name, EngineVersion=right)["DBEngineVersions"]] == [version]
        options = rds.describe_orderable_db_instance_options(Engine=name, EngineVersion=right)
        assert {o["EngineVersion"] for o in options["OrderableDBInstanceOptions"]} == {version}
    for wrong in ("5.5", "8.0.35", major[:-1], version + ".1"):
        if wrong == major.split(".")[0] + ".":
            continue
        assert not rds.describe_db_engine_versions(Engine=name, EngineVersion=wrong)["DBEngineVersions"]
        assert not rds.describe_orderable_db_instance_options(
            Engine=name, EngineVersion=wrong)["OrderableDBInstanceOptions"]
        refused(lambda w=wrong: make(rds, unique("db"), Engine=name, EngineVersion=w), "InvalidParameterCombination",
                f"Cannot find version {wrong} for {name}: installed on this machine is {version}.")


def test_what_isnt_a_server_isnt_offered(make_server, tmp_path):
    """--mysqld names what there is; anything else is reported, and MySQL before 5.7 isn't taken."""
    old, dumb = tmp_path / "old", tmp_path / "dumb"
    old.write_text("#!/bin/sh\necho 'mysqld  Ver 5.6.24 for linux'\n")
    dumb.write_text("#!/bin/sh\nexit 3\n")
    for script in (old, dumb):
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    server = make_server("--mysqld", f"{old}:{dumb}:{tmp_path}/missing")
    rds = server.client("rds")
    assert [v["Engine"] for v in rds.describe_db_engine_versions(Engine="mysql")["DBEngineVersions"]] == []
    refused(lambda: make(rds, "x", Engine="mysql"), "InvalidParameterValue", "--mysqld")
    wait_until(lambda: server.log().count("(--mysqld)") == 3, 10, "the three reasons")
    assert "MySQL before 5.7" in server.log() and "doesn't tell its version" in server.log()
    assert pathlib.Path(server.data_dir).exists()
