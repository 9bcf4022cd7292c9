"""Glue jobs for tests: quick ones of real Python, made and waited for."""

from tests.support.wait import wait_until

ROLE = "arn:aws:iam::000000000000:role/glue"
END = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR")


class Jobs:
    """Makes pythonshell jobs with scripts in one bucket of a server."""

    def __init__(self, server, bucket, name):
        self.glue, self.s3 = server.client("glue"), server.client("s3")
        self.bucket, self._name = bucket, name

    def make(self, script="", name=None, **more):
        """`name`: whole; else a new one. Returns the job's name."""
        name = name or self._name("job")
        self.s3.put_object(Bucket=self.bucket, Key=f"scripts/{name}.py", Body=script.encode())
        self.glue.create_job(Name=name, Role=ROLE, Command={
            "Name": "pythonshell", "ScriptLocation": f"s3://{self.bucket}/scripts/{name}.py"}, **more)
        return name

    def gate(self):
        """A script that goes on until open_gate(key); returns (script, key)."""
        key = self._name("gate")
        return (f"import boto3, time\ns3 = boto3.client('s3')\n"
                f"while not s3.list_objects_v2(Bucket='{self.bucket}', Prefix='{key}').get('KeyCount'):\n"
                f"    time.sleep(0.05)\n"), key

    def open_gate(self, key):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"")

    def runs(self, job):
        return self.glue.get_job_runs(JobName=job)["JobRuns"]

    def ended(self, job, n=1, timeout=60):
        """Waits until the job has at least n runs and all have ended; newest first."""

        def state():
            runs = self.runs(job)
            return runs if len(runs) >= n and all(r["JobRunState"] in END for r in runs) else None

        return wait_until(state, timeout, f"end of {n} runs of {job}")

    def started(self, job, n=1, timeout=60):
        """Waits until n runs of the job are under way."""

        def state():
            runs = [r for r in self.runs(job) if r["JobRunState"] == "RUNNING"]
            return runs if len(runs) >= n else None

        return wait_until(state, timeout, f"begin of {n} runs of {job}")
