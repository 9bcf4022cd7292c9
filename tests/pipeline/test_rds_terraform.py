"""The pipeline's database and migration resources by Terraform's own AWS provider: apply, an empty plan,
destroy. Part of the long target, since the provider sleeps for minutes. Needs a terraform (CISTERN_TERRAFORM or
on the PATH) and, as nothing is downloaded, CISTERN_TERRAFORM_PLUGINS: a folder with the provider
(registry.terraform.io/hashicorp/aws/VERSION/linux_amd64/…)."""

import json
import os
import pathlib
import shutil
import subprocess

import pymysql
import pytest

CERTIFICATE = pathlib.Path(__file__).with_suffix(".pem")
CONFIG = """
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" {
  region                  = "us-east-1"
  access_key              = "test"
  secret_key              = "test"
  s3_use_path_style       = true
  skip_metadata_api_check = true
}
resource "aws_s3_bucket" "temp" {
  bucket        = "NAME-temp"
  force_destroy = true
}
resource "aws_iam_role" "dms" {
  name               = "NAME-dms"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "dms.amazonaws.com" } }] })
}

locals { subnets = ["subnet-11111111", "subnet-22222222"] }

resource "aws_db_parameter_group" "row" {
  name   = "NAME-row"
  family = "FAMILY"
  parameter {
    name  = "binlog_format"
    value = "ROW"
  }
  parameter {
    name         = "lower_case_table_names"
    value        = "1"
    apply_method = "pending-reboot"
  }
  tags = { team = "data" }
}
resource "aws_db_subnet_group" "all" {
  name       = "NAME-subnets"
  subnet_ids = local.subnets
}
resource "aws_db_instance" "source" {
  identifier              = "NAME-source"
  engine                  = "mariadb"
  engine_version          = "MAJOR"
  instance_class          = "db.t3.micro"
  allocated_storage       = 20
  db_name                 = "shop"
  username                = "admin"
  password                = "secret-Pw1"
  parameter_group_name    = aws_db_parameter_group.row.name
  db_subnet_group_name    = aws_db_subnet_group.all.name
  backup_retention_period = 1
  skip_final_snapshot     = true
  tags                    = { team = "data" }
}

resource "aws_dms_replication_subnet_group" "all" {
  replication_subnet_group_id          = "NAME-dms-subnets"
  replication_subnet_group_description = "all"
  subnet_ids                           = local.subnets
  depends_on                           = [aws_iam_role.dms]
}
resource "aws_dms_replication_instance" "one" {
  replication_instance_id     = "NAME-instance"
  replication_instance_class  = "dms.t3.micro"
  replication_subnet_group_id = aws_dms_replication_subnet_group.all.id
}
resource "aws_dms_certificate" "ca" {
  certificate_id  = "NAME-ca"
  certificate_pem = file("ca.pem")
}
resource "aws_dms_endpoint" "source" {
  endpoint_id   = "NAME-source"
  endpoint_type = "source"
  engine_name   = "mariadb"
  server_name   = aws_db_instance.source.address
  port          = aws_db_instance.source.port
  username      = "admin"
  password      = "secret-Pw1"
}
resource "aws_dms_endpoint" "verified" {
  endpoint_id     = "NAME-verified"
  endpoint_type   = "source"
  engine_name     = "mysql"
  server_name     = aws_db_instance.source.address
  port            = aws_db_instance.source.port
  username        = "admin"
  password        = "secret-Pw1"
  ssl_mode        = "verify-ca"
  certificate_arn = aws_dms_certificate.ca.certificate_arn
}
resource "aws_dms_s3_endpoint" "target" {
  endpoint_id             = "NAME-target"
  endpoint_type           = "target"
  bucket_name             = aws_s3_bucket.temp.id
  bucket_folder           = "load"
  service_access_role_arn = aws_iam_role.dms.arn
  cdc_max_batch_interval  = 1
}
resource "aws_dms_replication_task" "all" {
  replication_task_id      = "NAME-task"
  migration_type           = "full-load-and-cdc"
  replication_instance_arn = aws_dms_replication_instance.one.replication_instance_arn
  source_endpoint_arn      = aws_dms_endpoint.source.endpoint_arn
  target_endpoint_arn      = aws_dms_s3_endpoint.target.endpoint_arn
  start_replication_task   = false
  table_mappings = jsonencode({ rules = [{
    "rule-type" = "selection", "rule-id" = "1", "rule-name" = "1", "rule-action" = "include",
    "object-locator" = { "schema-name" = "shop", "table-name" = "%" } }] })
}

resource "aws_glue_catalog_database" "shop" {
  name = "NAME_catalog"
}
resource "aws_glue_catalog_table" "orders" {
  name          = "orders"
  database_name = aws_glue_catalog_database.shop.name
  table_type    = "EXTERNAL_TABLE"
  parameters    = { classification = "csv" }
  partition_keys {
    name = "day"
    type = "string"
  }
  storage_descriptor {
    location      = "s3://${aws_s3_bucket.temp.id}/load/shop/orders/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
      parameters            = { separatorChar = "," }
    }
    columns {
      name = "id"
      type = "int"
    }
  }
}
output "port" { value = aws_db_instance.source.port }
output "version" { value = aws_db_instance.source.engine_version_actual }
output "task" { value = aws_dms_replication_task.all.status }
"""


@pytest.fixture
def terraform(make_server, tmp_path):
    program = os.environ.get("CISTERN_TERRAFORM") or shutil.which("terraform")
    plugins = os.environ.get("CISTERN_TERRAFORM_PLUGINS")
    if not program or not plugins:
        pytest.skip("long target: needs terraform (CISTERN_TERRAFORM or PATH) and CISTERN_TERRAFORM_PLUGINS")
    (tmp_path / "rc").write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins}"\n  }}\n}}\n')
    server = make_server()
    environment = server.environment(TF_CLI_CONFIG_FILE=str(tmp_path / "rc"), TF_IN_AUTOMATION="1", CHECKPOINT_DISABLE="1")

    def run(*args, codes=(0,)):
        done = subprocess.run([program, *args], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode in codes, done.stdout[-1000:] + done.stderr[-6000:]
        return done.stdout

    run.server, run.folder = server, tmp_path
    return run


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_apply_plan_destroy(terraform):
    server, name = terraform.server, "tf"
    rds = server.client("rds")
    version = rds.describe_db_engine_versions(Engine="mariadb")["DBEngineVersions"][0]
    text = CONFIG.replace("NAME", name).replace("FAMILY", version["DBParameterGroupFamily"])
    (terraform.folder / "main.tf").write_text(text.replace("MAJOR", version["MajorEngineVersion"]))
    shutil.copy(CERTIFICATE, terraform.folder / "ca.pem")
    terraform("init", "-no-color")
    terraform("apply", "-auto-approve", "-no-color")
    out = {k: v["value"] for k, v in json.loads(terraform("output", "-json")).items()}
    assert out["version"] == version["EngineVersion"] and out["task"] == "ready"
    with pymysql.connect(host="127.0.0.1", port=out["port"], user="admin", password="secret-Pw1") as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@binlog_format, @@lower_case_table_names, @@log_bin")
            assert cursor.fetchone() == ("ROW", 1, 1)
    terraform("plan", "-detailed-exitcode", "-no-color")  # 2: it would change something

    # a change in place
    (terraform.folder / "main.tf").write_text(text.replace("MAJOR", version["MajorEngineVersion"]).replace(
        "backup_retention_period = 1", "backup_retention_period = 3").replace(
        "cdc_max_batch_interval  = 1", "cdc_max_batch_interval  = 2"))
    terraform("apply", "-auto-approve", "-no-color")
    shown = rds.describe_db_instances(DBInstanceIdentifier=f"{name}-source")["DBInstances"][0]
    assert shown["BackupRetentionPeriod"] == 3
    terraform("plan", "-detailed-exitcode", "-no-color")

    terraform("destroy", "-auto-approve", "-no-color")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert server.client("dms").describe_endpoints()["Endpoints"] == []
    assert server.client("glue").get_databases()["DatabaseList"] == []
