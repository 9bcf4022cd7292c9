"""Crawling in tests: put files, crawl, look at the tables."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.wait import wait_until

ROLE = "arn:aws:iam::000000000000:role/crawler"


def parquet(**columns):
    """Bytes of a Parquet file; columns are pyarrow arrays or lists."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


class Crawl:
    """A bucket, a database and one crawler over s3://bucket/in/ in a server."""

    def __init__(self, server, unique):
        self.glue, self.s3, self.logs = (server.client(x) for x in ("glue", "s3", "logs"))
        self.bucket, self.name = unique("lake"), unique("crawler")
        self.database = unique("db").replace("-", "_")
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, files):
        """{"folder/file": text or bytes} below in/."""
        for key, body in files.items():
            self.s3.put_object(Bucket=self.bucket, Key="in/" + key, Body=body)

    def create(self, path="in/", exclusions=(), sample=None, **more):
        target = {"Path": f"s3://{self.bucket}/{path}", "Exclusions": list(exclusions)}
        if sample:
            target["SampleSize"] = sample
        self.glue.create_crawler(Name=self.name, Role=ROLE, DatabaseName=self.database,
                                 Targets={"S3Targets": [target]}, **more)

    def crawler(self):
        return self.glue.get_crawler(Name=self.name)["Crawler"]

    def ready(self, timeout=60):
        def look():
            found = self.crawler()
            return found if found["State"] == "READY" else None

        return wait_until(look, timeout, f"end of {self.name}")

    def run(self, status="SUCCEEDED"):
        self.glue.start_crawler(Name=self.name)
        last = self.ready()["LastCrawl"]
        assert last["Status"] == status, last
        return last

    def tables(self):
        found = self.glue.get_tables(DatabaseName=self.database)["TableList"]
        return {t["Name"]: t for t in found}

    def table(self, name):
        return self.glue.get_table(DatabaseName=self.database, Name=name)["Table"]

    def partitions(self, table):
        found = self.glue.get_partitions(DatabaseName=self.database, TableName=table)["Partitions"]
        return {tuple(p["Values"]): p for p in found}

    def lines(self):
        events = self.logs.get_log_events(logGroupName="/aws-glue/crawlers", logStreamName=self.name,
                                          startFromHead=True)["events"]
        return [e["message"] for e in events]


def columns(thing):
    """[("id", "bigint"), …] of a table or partition."""
    return [(c["Name"], c["Type"]) for c in thing["StorageDescriptor"]["Columns"]]
