"""Operations around the tasks: instances that are changed and rebooted, moved tasks, schemas,
subnet groups, certificates, and what the service says of itself."""

import pytest

from tests.support.dms import Task, tasks
from tests.support.errors import refused
from tests.support.wait import wait_until


@pytest.fixture
def dms(server):
    return server.client("dms")


@pytest.fixture
def task(server, mariadb, schema, unique):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO t VALUES (1,'one'),(2,NULL)",
                    database=schema)
    with tasks(lambda **more: Task(server, mariadb, unique("ctl"), schema, **more)) as make:
        yield make


def instance(dms, name):
    return dms.create_replication_instance(
        ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.micro",
    )["ReplicationInstance"]["ReplicationInstanceArn"]


def shown(dms, arn):
    return dms.describe_replication_instances(
        Filters=[{"Name": "replication-instance-arn", "Values": [arn]}])["ReplicationInstances"][0]


def test_changes_of_an_instance_wait_or_not(dms, unique):
    arn = instance(dms, unique("rep"))
    answer = dms.modify_replication_instance(
        ReplicationInstanceArn=arn, ReplicationInstanceClass="dms.t3.large", AllocatedStorage=100, MultiAZ=True,
        PreferredMaintenanceWindow="mon:01:00-mon:02:00")["ReplicationInstance"]
    assert answer["ReplicationInstanceStatus"] == "modifying"
    now = shown(dms, arn)
    assert now["ReplicationInstanceStatus"] == "available" and now["ReplicationInstanceClass"] == "dms.t3.micro"
    assert now["PendingModifiedValues"] == {"ReplicationInstanceClass": "dms.t3.large", "AllocatedStorage": 100,
                                            "MultiAZ": True}
    assert now["PreferredMaintenanceWindow"] == "mon:01:00-mon:02:00"
    refused("InvalidParameterCombinationException", dms.reboot_replication_instance, ReplicationInstanceArn=arn,
            ForceFailover=True)
    assert dms.reboot_replication_instance(
        ReplicationInstanceArn=arn)["ReplicationInstance"]["ReplicationInstanceStatus"] == "rebooting"
    now = shown(dms, arn)
    assert (now["ReplicationInstanceClass"], now["AllocatedStorage"], now["MultiAZ"]) == ("dms.t3.large", 100, True)
    assert now["PendingModifiedValues"] == {} and now["ReplicationInstanceStatus"] == "available"
    name = unique("other")
    dms.modify_replication_instance(ReplicationInstanceArn=arn, ReplicationInstanceIdentifier=name, AllocatedStorage=60,
                                    ApplyImmediately=True)
    now = shown(dms, arn)
    assert now["ReplicationInstanceIdentifier"] == name and now["AllocatedStorage"] == 60
    instance(dms, other := unique("rep"))
    refused("ResourceAlreadyExistsFault", dms.modify_replication_instance, ReplicationInstanceArn=arn,
            ReplicationInstanceIdentifier=other)
    refused("InvalidParameterValueException", dms.modify_replication_instance, ReplicationInstanceArn=arn,
            ReplicationInstanceClass="t3.micro")
    refused("ResourceNotFoundFault", dms.reboot_replication_instance, ReplicationInstanceArn=arn + "X")


def test_running_tasks_survive_a_reboot(task, mariadb, schema):
    t = task(s3=dict(CdcMaxBatchInterval=3600))
    t.start()
    mariadb.execute("INSERT INTO t VALUES (3,'waits')", database=schema)
    wait_until(lambda: t.statistics("t")["Inserts"] == 1, 10)
    t.dms.reboot_replication_instance(ReplicationInstanceArn=t.instance)
    mariadb.execute("INSERT INTO t VALUES (4,'later')", database=schema)
    t.caught_up()
    assert t.describe()["Status"] == "running"
    assert t.change_text("t") == "I,3,waits\nI,4,later\n"


def test_a_task_moves_to_another_instance(task, unique):
    t = task()
    other = instance(t.dms, unique("rep"))
    t.start()
    move = dict(ReplicationTaskArn=t.arn, TargetReplicationInstanceArn=other)
    refused("InvalidResourceStateFault", t.dms.move_replication_task, **move)
    t.stop()
    assert t.dms.move_replication_task(**move)["ReplicationTask"]["Status"] == "moving"
    assert t.describe()["Status"] == "stopped" and t.describe()["ReplicationInstanceArn"] == other
    refused("InvalidResourceStateFault", t.dms.move_replication_task, **move)
    refused("InvalidResourceStateFault", t.dms.start_replication_task, ReplicationTaskArn=t.arn,
            StartReplicationTaskType="resume-processing")  # not tested from there
    old, t.instance = t.instance, other
    t.test_connections()
    t.start("resume-processing")
    t.dms.delete_replication_instance(ReplicationInstanceArn=old)


def test_schemas_are_read_from_the_source(task, mariadb, schema):
    t = task()
    assert t.dms.describe_schemas(EndpointArn=t.source)["Schemas"] == []
    refused("ResourceNotFoundFault", t.dms.describe_refresh_schemas_status, EndpointArn=t.source)
    both = dict(EndpointArn=t.source, ReplicationInstanceArn=t.instance)
    assert t.dms.refresh_schemas(**both)["RefreshSchemasStatus"]["Status"] == "refreshing"

    def status():
        return t.dms.describe_refresh_schemas_status(EndpointArn=t.source)["RefreshSchemasStatus"]

    wait_until(lambda: status()["Status"] == "successful", 10)
    assert status()["LastRefreshDate"]
    found = t.dms.describe_schemas(EndpointArn=t.source)["Schemas"]
    assert schema in found and "information_schema" in found
    refused("InvalidResourceStateFault", t.dms.refresh_schemas, EndpointArn=t.target, ReplicationInstanceArn=t.instance)
    t.dms.modify_endpoint(EndpointArn=t.source, Password="wrong")
    t.dms.refresh_schemas(**both)
    wait_until(lambda: status()["Status"] == "failed", 10)
    assert "NativeError: 1045" in status()["LastFailureMessage"]


def test_subnet_groups_change(dms, unique):
    name = unique("sub")
    dms.create_replication_subnet_group(ReplicationSubnetGroupIdentifier=name, SubnetIds=["subnet-1", "subnet-2"],
                                        ReplicationSubnetGroupDescription="one")
    changed = dms.modify_replication_subnet_group(ReplicationSubnetGroupIdentifier=name, SubnetIds=["subnet-3", "subnet-4"],
                                                  ReplicationSubnetGroupDescription="two")["ReplicationSubnetGroup"]
    [found] = dms.describe_replication_subnet_groups(
        Filters=[{"Name": "replication-subnet-group-id", "Values": [name]}])["ReplicationSubnetGroups"]
    assert found == changed and [s["SubnetIdentifier"] for s in found["Subnets"]] == ["subnet-3", "subnet-4"]
    assert found["ReplicationSubnetGroupDescription"] == "two"
    refused("InvalidSubnet", dms.modify_replication_subnet_group, ReplicationSubnetGroupIdentifier=name, SubnetIds=["x"])
    refused("ResourceNotFoundFault", dms.modify_replication_subnet_group, ReplicationSubnetGroupIdentifier="none",
            SubnetIds=["subnet-1"])


def test_what_the_service_says_of_itself(dms, unique):
    instance(dms, unique("rep"))
    engines = {(e["EngineName"], e["EndpointType"]) for e in dms.describe_endpoint_types()["SupportedEndpointTypes"]}
    assert ("mysql", "source") in engines and ("s3", "target") in engines
    only = dms.describe_endpoint_types(Filters=[{"Name": "endpoint-type", "Values": ["target"]}])
    assert [e["EngineName"] for e in only["SupportedEndpointTypes"]] == ["s3"]
    quotas = {q["AccountQuotaName"]: q for q in dms.describe_account_attributes()["AccountQuotas"]}
    assert quotas["ReplicationInstances"]["Used"] >= 1
    assert dms.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []
    assert dms.describe_engine_versions()["EngineVersions"][0]["Version"]


# --- certificates ---------------------------------------------------------------------------------

def make_certificates(folder):
    """A CA and a server certificate for 127.0.0.1, by the openssl command."""
    import subprocess

    def run(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=our ca", "-keyout", "ca.key",
        "-out", "ca.pem")
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr",
        "-addext", "subjectAltName=IP:127.0.0.1")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
        "-extfile", "ext", "-out", "server.pem")
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=stranger", "-keyout", "x.key",
        "-out", "stranger.pem")
    for name in folder.iterdir():
        name.chmod(0o644)


def test_servers_are_verified_by_certificates(dms, server, fresh_mariadb, unique, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    make_certificates(folder)
    db = fresh_mariadb(f"--ssl-ca={folder}/ca.pem", f"--ssl-cert={folder}/server.pem", f"--ssl-key={folder}/server.key")
    names = {}
    for which in ("ca", "stranger"):
        made = dms.import_certificate(CertificateIdentifier=unique(which),
                                      CertificatePem=(folder / f"{which}.pem").read_text())["Certificate"]
        assert made["KeyLength"] == 2048 and made["SigningAlgorithm"] == "sha256WithRSAEncryption"
        assert made["CertificateOwner"] == {"ca": "our ca"}.get(which, which) and made["ValidToDate"] > made["ValidFromDate"]
        names[which] = made["CertificateArn"]
    rep = instance(dms, unique("rep"))

    def outcome(**more):
        arn = dms.create_endpoint(EndpointIdentifier=unique("e"), EndpointType="source", EngineName="mariadb",
                                  ServerName="127.0.0.1", Port=db.port, Username=db.user, Password=db.password,
                                  **more)["Endpoint"]["EndpointArn"]
        dms.test_connection(ReplicationInstanceArn=rep, EndpointArn=arn)

        def tested():
            found = dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [arn]}])["Connections"][0]
            return found if found["Status"] != "testing" else None

        return wait_until(tested, 20)

    good = outcome(SslMode="verify-full", CertificateArn=names["ca"])
    assert good["Status"] == "successful", good
    assert outcome(SslMode="verify-ca", CertificateArn=names["ca"])["Status"] == "successful"
    bad = outcome(SslMode="verify-ca", CertificateArn=names["stranger"])
    assert bad["Status"] == "failed" and "certificate" in bad["LastFailureMessage"].lower()
    refused("InvalidResourceStateFault", dms.delete_certificate, CertificateArn=names["ca"])


def test_certificates_are_checked_and_kept(dms, unique, tmp_path):
    make_certificates(tmp_path)
    name, pem = unique("cert"), (tmp_path / "ca.pem").read_text()
    refused("InvalidCertificateFault", dms.import_certificate, CertificateIdentifier=name, CertificatePem="not a pem")
    arn = dms.import_certificate(CertificateIdentifier=name, CertificatePem=pem)["Certificate"]["CertificateArn"]
    assert ":cert:" in arn
    refused("ResourceAlreadyExistsFault", dms.import_certificate, CertificateIdentifier=name, CertificatePem=pem)
    [found] = dms.describe_certificates(Filters=[{"Name": "certificate-id", "Values": [name]}])["Certificates"]
    assert found["CertificatePem"] == pem
    assert dms.delete_certificate(CertificateArn=arn)["Certificate"]["CertificateArn"] == arn
    refused("ResourceNotFoundFault", dms.describe_certificates,
            Filters=[{"Name": "certificate-arn", "Values": [arn]}])
    refused("ResourceNotFoundFault", dms.create_endpoint, EndpointIdentifier=unique("e"), EndpointType="source",
            EngineName="mysql", ServerName="h", Username="u", Password="p", SslMode="verify-ca", CertificateArn=arn)
