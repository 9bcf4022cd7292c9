"""The whole pipeline, created through boto3 alone: what a user's set-up script does."""

import io
import json
import pathlib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ASSUME = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com", "glue.amazonaws.com", "dms.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }],
}


def zip_of(**files):
    """Bytes of a zip; zip_of(**{"name.py": "text"})."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            z.writestr(info, content)
    return out.getvalue()


class Pipeline:
    """`client(service)` makes boto3 clients; everything is named after `name`."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.s3, self.glue, self.dms, self.functions = (
            client("s3"), client("glue"), client("dms"), client("lambda"))
        self.temp, self.final, self.job = f"{name}-temp", f"{name}-final", f"{name}-merge"
        self.task_arn = None

    # --- one step each, in the order in which a user takes them ---
    def buckets(self):
        for bucket in (self.temp, self.final):
            self.s3.create_bucket(Bucket=bucket)

    def role(self):
        answer = self.client("iam").create_role(
            RoleName=f"{self.name}-role", AssumeRolePolicyDocument=json.dumps(ASSUME))
        self.role_arn = answer["Role"]["Arn"]

    def merge_job(self, primary_key="id", **arguments):
        defaults = {"--final_path": f"s3://{self.final}/{{table}}", "--primary_key": primary_key}
        defaults.update(arguments)
        self.glue.create_job(
            Name=self.job, Role=self.role_arn, Command={"Name": "cistern-merge"},
            DefaultArguments=defaults, ExecutionProperty={"MaxConcurrentRuns": 3},
            JobRunQueuingEnabled=True)

    def function(self, code=None, runtime="python3.12", handler="start_merge.lambda_handler", timeout=60):
        source = (ROOT / "fixtures/lambda/start_merge.py").read_text()
        answer = self.functions.create_function(
            FunctionName=f"{self.name}-on-object", Role=self.role_arn, Runtime=runtime, Handler=handler,
            Code={"ZipFile": code or zip_of(**{"start_merge.py": source})}, Timeout=timeout,
            Environment={"Variables": {"JOB_NAME": self.job}})
        self.function_arn = answer["FunctionArn"]
        self.functions.get_waiter("function_active_v2").wait(FunctionName=self.function_arn)

    def trigger(self):
        self.functions.add_permission(
            FunctionName=self.function_arn, StatementId="s3", Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com", SourceArn=f"arn:aws:s3:::{self.temp}")
        self.s3.put_bucket_notification_configuration(
            Bucket=self.temp,
            NotificationConfiguration={"LambdaFunctionConfigurations": [{
                "LambdaFunctionArn": self.function_arn, "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".csv"}]}},
            }]})

    def instance(self):
        answer = self.dms.create_replication_instance(
            ReplicationInstanceIdentifier=f"{self.name}-instance",
            ReplicationInstanceClass="dms.t3.micro")
        self.instance_arn = answer["ReplicationInstance"]["ReplicationInstanceArn"]
        self.dms.get_waiter("replication_instance_available").wait(
            Filters=[{"Name": "replication-instance-arn", "Values": [self.instance_arn]}])

    def endpoints(self, db, **s3_settings):
        source = self.dms.create_endpoint(
            EndpointIdentifier=f"{self.name}-source", EndpointType="source", EngineName="mariadb",
            ServerName=getattr(db, "host", "127.0.0.1"), Port=db.port, Username=db.user, Password=db.password)
        settings = {"BucketName": self.temp, "ServiceAccessRoleArn": self.role_arn}
        settings.update(s3_settings)
        target = self.dms.create_endpoint(
            EndpointIdentifier=f"{self.name}-target", EndpointType="target", EngineName="s3",
            S3Settings=settings)
        self.source_arn = source["Endpoint"]["EndpointArn"]
        self.target_arn = target["Endpoint"]["EndpointArn"]

    def test_connections(self):
        for arn in (self.source_arn, self.target_arn):
            self.dms.test_connection(ReplicationInstanceArn=self.instance_arn, EndpointArn=arn)
        self.dms.get_waiter("test_connection_succeeds").wait(
            Filters=[{"Name": "endpoint-arn", "Values": [self.source_arn, self.target_arn]}],
            WaiterConfig={"Delay": 1})

    def task(self, schema, tables=("%",), migration="full-load-and-cdc", settings=None):
        rules = [{
            "rule-type": "selection", "rule-id": str(i + 1), "rule-name": f"include-{i + 1}",
            "object-locator": {"schema-name": schema, "table-name": table}, "rule-action": "include",
        } for i, table in enumerate(tables)]
        more = {"ReplicationTaskSettings": json.dumps(settings)} if settings else {}
        answer = self.dms.create_replication_task(
            ReplicationTaskIdentifier=f"{self.name}-task", SourceEndpointArn=self.source_arn,
            TargetEndpointArn=self.target_arn, ReplicationInstanceArn=self.instance_arn,
            MigrationType=migration, TableMappings=json.dumps({"rules": rules}), **more)
        self.task_arn = answer["ReplicationTask"]["ReplicationTaskArn"]
        self._wait("replication_task_ready")

    def start(self, kind="start-replication"):
        self.dms.start_replication_task(
            ReplicationTaskArn=self.task_arn, StartReplicationTaskType=kind)
        self._wait("replication_task_running")

    def _wait(self, waiter):
        self.dms.get_waiter(waiter).wait(
            Filters=[{"Name": "replication-task-arn", "Values": [self.task_arn]}],
            WaiterConfig={"Delay": 1})

    def statistics(self):
        answer = self.dms.describe_table_statistics(ReplicationTaskArn=self.task_arn)
        return {t["TableName"]: t for t in answer["TableStatistics"]}

    def status(self):
        answer = self.dms.describe_replication_tasks(
            Filters=[{"Name": "replication-task-arn", "Values": [self.task_arn]}])
        return answer["ReplicationTasks"][0]

    def runs(self):
        answers = self.glue.get_paginator("get_job_runs").paginate(JobName=self.job)
        return [run for page in answers for run in page["JobRuns"]]

    def build(self, db, schema, tables=("%",), **s3_settings):
        """Everything up to a ready task."""
        self.buckets()
        self.role()
        self.merge_job()
        self.function()
        self.trigger()
        self.instance()
        self.endpoints(db, **s3_settings)
        self.test_connections()
        self.task(schema, tables)
        return self
