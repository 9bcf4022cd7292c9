"""A cistern-merge job on hand-made DMS files, through S3 and Glue alone."""

import gzip

from tests.support.dms_text import bucket_rows
from tests.support.wait import wait_until

ROLE = "arn:aws:iam::000000000000:role/glue"
END = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


class Merge:
    def __init__(self, server, name, **arguments):
        self.server = server
        self.s3, self.glue, self.logs = server.client("s3"), server.client("glue"), server.client("logs")
        self.name, self.temp, self.final = name, f"{name}-temp", f"{name}-final"
        self.s3.create_bucket(Bucket=self.temp)
        self.s3.create_bucket(Bucket=self.final)
        self.glue.create_job(
            Name=name, Role=ROLE, Command={"Name": "cistern-merge"},
            DefaultArguments={"--final_path": f"s3://{self.final}/out/{{table}}", **arguments},
            ExecutionProperty={"MaxConcurrentRuns": 20})

    def put(self, file, text, table="db/t"):
        body = text if isinstance(text, bytes) else text.encode()
        if file.endswith(".gz"):
            body = gzip.compress(body)
        self.s3.put_object(Bucket=self.temp, Key=f"{table}/{file}", Body=body)

    def start(self, file, table="db/t", **arguments):
        return self.start_with(**{
            "--s3_target_path_bucket": self.temp, "--s3_target_path_key": f"{table}/{file}", **arguments})

    def start_with(self, **arguments):
        return self.glue.start_job_run(JobName=self.name, Arguments=arguments)["JobRunId"]

    def get(self, run):
        return self.glue.get_job_run(JobName=self.name, RunId=run)["JobRun"]

    def end(self, run):
        def state():
            got = self.get(run)
            return got if got["JobRunState"] in END else None

        return wait_until(state, 60, f"end of {run}")

    def run(self, file, **arguments):
        done = self.end(self.start(file, **arguments))
        assert done["JobRunState"] == "SUCCEEDED", done
        return done

    def run_with(self, **arguments):
        done = self.end(self.start_with(**arguments))
        assert done["JobRunState"] == "SUCCEEDED", done
        return done

    def fails(self, file, **arguments):
        return self.fails_with(**{
            "--s3_target_path_bucket": self.temp,
            "--s3_target_path_key": f"{arguments.pop('table', 'db/t')}/{file}", **arguments})

    def fails_with(self, **arguments):
        done = self.end(self.start_with(**arguments))
        assert done["JobRunState"] == "FAILED", done
        return done["ErrorMessage"]

    def rows(self, table="t"):
        return sorted(bucket_rows(self.s3, self.final, f"out/{table}/"))

    def log(self, run):
        """The lines that a run printed."""
        events = self.logs.get_log_events(
            logGroupName="/aws-glue/jobs/output", logStreamName=run["Id"], startFromHead=True)["events"]
        return [e["message"].rstrip("\n") for e in events]
