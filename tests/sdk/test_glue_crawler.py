"""Crawlers and classifiers: definitions, errors, starting and stopping, schedules, history."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.support.crawlers import ROLE, Crawl
from tests.support.wait import wait_until

A = "id,v\n1,2\n2,3\n"
EVERY_FIVE_MINUTES = "cron(0/5 * * * ? *)"


@pytest.fixture
def crawl(server, unique):
    return Crawl(server, unique)


def refused(code, fn, **arguments):
    with pytest.raises(ClientError) as e:
        fn(**arguments)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def slow(crawl):
    """Data that take some tenths of a second to read."""
    row = json.dumps({f"column{i}": {"x": [i, {"y": str(i)}]} for i in range(40)}) + "\n"
    crawl.put({"0.json": row * (1_000_000 // len(row))})
    for i in range(1, 16):
        crawl.s3.copy_object(Bucket=crawl.bucket, Key=f"in/{i}.json",
                             CopySource={"Bucket": crawl.bucket, "Key": "in/0.json"})


# --- definitions ---
def test_defaults(crawl):
    crawl.create()
    got = crawl.crawler()
    assert got["State"] == "READY" and got["Version"] == 1 and got["CrawlElapsedTime"] == 0
    assert got["SchemaChangePolicy"] == {
        "UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DEPRECATE_IN_DATABASE"}
    assert got["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert got["Targets"]["JdbcTargets"] == [] and got["Classifiers"] == []
    assert "LastCrawl" not in got and "Schedule" not in got


def test_update_changes_what_is_given(crawl):
    crawl.create(Description="one", TablePrefix="p_")
    crawl.glue.update_crawler(Name=crawl.name, Description="two")
    got = crawl.crawler()
    assert (got["Description"], got["TablePrefix"], got["Version"]) == ("two", "p_", 2)
    assert got["LastUpdated"] > got["CreationTime"]


def test_lists(crawl, server, unique):
    crawl.create(Tags={"team": crawl.name})
    other = Crawl(server, unique)
    other.create()
    glue = crawl.glue
    got = glue.batch_get_crawlers(CrawlerNames=[crawl.name, "no such crawler"])
    assert [c["Name"] for c in got["Crawlers"]] == [crawl.name]
    assert got["CrawlersNotFound"] == ["no such crawler"]
    assert glue.list_crawlers(Tags={"team": crawl.name})["CrawlerNames"] == [crawl.name]
    names, token = [], {}
    while True:
        page = glue.get_crawlers(MaxResults=1, **token)
        assert len(page["Crawlers"]) <= 1
        names += [c["Name"] for c in page["Crawlers"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert {crawl.name, other.name} <= set(names) and names == sorted(names)


def test_delete(crawl):
    crawl.create()
    crawl.glue.delete_crawler(Name=crawl.name)
    refused("EntityNotFoundException", crawl.glue.get_crawler, Name=crawl.name)
    refused("EntityNotFoundException", crawl.glue.delete_crawler, Name=crawl.name)


def test_refusals(crawl):
    glue, ok = crawl.glue, {"S3Targets": [{"Path": f"s3://{crawl.bucket}/in/"}]}
    base = {"Name": crawl.name, "Role": ROLE, "DatabaseName": crawl.database, "Targets": ok}
    crawl.create()
    refused("AlreadyExistsException", glue.create_crawler, **base)
    base["Name"] += "-2"

    def bad(code, **changed):
        return refused(code, glue.create_crawler, **{**base, **changed})

    bad("InvalidInputException", Targets={})
    bad("InvalidInputException", Targets={"S3Targets": [{"Path": "/local/folder"}]})
    bad("InvalidInputException", Targets={"S3Targets": [{"Path": "s3://b/", "Exclusions": ["[a"]}]})
    bad("InvalidInputException", Targets={"S3Targets": [{"Path": "s3://b/", "SampleSize": 250}]})
    bad("InvalidInputException", DatabaseName="")
    bad("InvalidInputException", Schedule="every now and then")
    assert "Nonsense" in bad("InvalidInputException", Configuration='{"Version":1.0,"Nonsense":1}')
    bad("InvalidInputException", Configuration='{"Version":1.0,')
    bad("InvalidInputException", Configuration="{}")
    bad("InvalidInputException", RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"})
    bad("EntityNotFoundException", Classifiers=["no such classifier"])
    assert "JdbcTargets" in bad("NotImplemented", Targets={"JdbcTargets": [{"ConnectionName": "c", "Path": "db/%"}]})
    bad("NotImplemented", Targets={"DynamoDBTargets": [{"Path": "t"}]})
    bad("NotImplemented", Targets={"CatalogTargets": [{"DatabaseName": "d", "Tables": ["t"]}]})
    bad("NotImplemented", RecrawlPolicy={"RecrawlBehavior": "CRAWL_EVENT_MODE"})
    bad("NotImplemented", LineageConfiguration={"CrawlerLineageSettings": "ENABLE"})
    for name in ("start_crawler", "stop_crawler", "update_crawler"):
        refused("EntityNotFoundException", getattr(glue, name), Name="no such crawler")
    refused("EntityNotFoundException", glue.list_crawls, CrawlerName="no such crawler")


# --- running ---
def test_run_and_its_traces(crawl):
    crawl.put({"k=1/a.csv": A, "k=2/a.csv": A})
    crawl.create()
    last = crawl.run()
    assert last["LogGroup"] == "/aws-glue/crawlers" and last["LogStream"] == crawl.name
    run = last["MessagePrefix"]
    want = [
        f"BENCHMARK : Running Start Crawl for Crawler {crawl.name}",
        f"BENCHMARK : Classification complete, writing results to database {crawl.database}",
        'INFO : Crawler configured with SchemaChangePolicy {"UpdateBehavior":"UPDATE_IN_DATABASE",'
        '"DeleteBehavior":"DEPRECATE_IN_DATABASE"}.',
        f"INFO : Created database {crawl.database}",
        f"INFO : Created table in in database {crawl.database}",
        "BENCHMARK : Finished writing to Catalog",
        "INFO : Run Summary For TABLE:",
        "INFO : ADD: 1",
        "INFO : Run Summary For PARTITION:",
        "INFO : ADD: 2",
        "BENCHMARK : Crawler has finished running and is in state READY",
    ]
    assert crawl.lines() == [f"[{run}] {line}" for line in want]
    (entry,) = crawl.glue.list_crawls(CrawlerName=crawl.name)["Crawls"]
    assert entry["CrawlId"] == run and entry["State"] == "COMPLETED"
    assert json.loads(entry["Summary"]) == {
        "TABLE": {"ADD": {"Details": {"names": ["in"]}, "Count": 1}}, "PARTITION": {"ADD": {"Count": 2}}}
    assert entry["EndTime"] >= entry["StartTime"] == last["StartTime"]
    (metrics,) = crawl.glue.get_crawler_metrics(CrawlerNameList=[crawl.name])["CrawlerMetricsList"]
    assert metrics["TablesCreated"] == 1 and metrics["TablesUpdated"] == 0
    assert metrics["StillEstimating"] is False and metrics["TimeLeftSeconds"] == 0


def test_history_filters_and_pages(crawl):
    crawl.put({"a.csv": A})
    crawl.create()
    runs = [crawl.run()["MessagePrefix"] for _ in range(3)]

    def ids(**more):
        return [c["CrawlId"] for c in crawl.glue.list_crawls(CrawlerName=crawl.name, **more)["Crawls"]]

    def by(field, operator, value):
        return ids(Filters=[{"FieldName": field, "FilterOperator": operator, "FieldValue": value}])

    assert ids() == runs[::-1]
    assert by("CRAWL_ID", "EQ", runs[1]) == [runs[1]]
    assert by("STATE", "NE", "COMPLETED") == []
    assert by("START_TIME", "GT", "0") == runs[::-1] and by("START_TIME", "LT", "0") == []
    page = crawl.glue.list_crawls(CrawlerName=crawl.name, MaxResults=2)
    assert [c["CrawlId"] for c in page["Crawls"]] == [runs[2], runs[1]]
    assert ids(MaxResults=2, NextToken=page["NextToken"]) == [runs[0]]
    refused("InvalidInputException", crawl.glue.list_crawls, CrawlerName=crawl.name, Filters=[
        {"FieldName": "START_TIME", "FilterOperator": "GT", "FieldValue": "soon"}])


def test_stop(crawl):
    slow(crawl)
    crawl.create()
    refused("CrawlerNotRunningException", crawl.glue.stop_crawler, Name=crawl.name)
    crawl.glue.start_crawler(Name=crawl.name)
    assert crawl.crawler()["State"] == "RUNNING"
    refused("CrawlerRunningException", crawl.glue.start_crawler, Name=crawl.name)
    refused("CrawlerRunningException", crawl.glue.update_crawler, Name=crawl.name, Description="x")
    refused("CrawlerRunningException", crawl.glue.delete_crawler, Name=crawl.name)
    crawl.glue.stop_crawler(Name=crawl.name)
    assert crawl.ready()["LastCrawl"]["Status"] == "CANCELLED"
    (entry,) = crawl.glue.list_crawls(CrawlerName=crawl.name)["Crawls"]
    assert entry["State"] == "STOPPED"
    databases = [d["Name"] for d in crawl.glue.get_databases()["DatabaseList"]]
    assert crawl.database not in databases


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_restart_in_the_middle(fresh_server, unique, end):
    """The crawl begins again after a restart, under the same id, and ends as any other."""
    crawl = Crawl(fresh_server, unique)
    slow(crawl)
    crawl.create()
    crawl.glue.start_crawler(Name=crawl.name)
    (entry,) = crawl.glue.list_crawls(CrawlerName=crawl.name)["Crawls"]
    assert entry["State"] == "RUNNING"
    getattr(fresh_server, end)()
    fresh_server.start()
    last = crawl.ready()["LastCrawl"]
    assert (last["Status"], last["MessagePrefix"]) == ("SUCCEEDED", entry["CrawlId"])
    assert crawl.table("in")["Parameters"]["objectCount"] == "16"
    (entry,) = crawl.glue.list_crawls(CrawlerName=crawl.name)["Crawls"]
    assert entry["State"] == "COMPLETED"


def test_wait_knows_of_a_crawl(fresh_server, unique):
    crawl = Crawl(fresh_server, unique)
    slow(crawl)
    crawl.create()
    crawl.glue.start_crawler(Name=crawl.name)
    done = fresh_server.cli("wait", "--timeout", "60")
    assert done.returncode == 0, done.stderr
    assert crawl.crawler()["State"] == "READY"


# --- schedules ---
def test_schedule(make_server, unique):
    crawl = Crawl(make_server("--clock-scale", "3000"), unique)  # five minutes are 0.1 s
    crawl.put({"a.csv": A})
    crawl.create(Schedule=EVERY_FIVE_MINUTES)
    assert crawl.crawler()["Schedule"] == {"ScheduleExpression": EVERY_FIVE_MINUTES, "State": "SCHEDULED"}

    def crawls():
        return len(crawl.glue.list_crawls(CrawlerName=crawl.name)["Crawls"])

    wait_until(lambda: crawls() >= 2, what="two scheduled crawls")
    refused("SchedulerRunningException", crawl.glue.start_crawler_schedule, CrawlerName=crawl.name)
    crawl.glue.stop_crawler_schedule(CrawlerName=crawl.name)
    assert crawl.crawler()["Schedule"]["State"] == "NOT_SCHEDULED"
    refused("SchedulerNotRunningException", crawl.glue.stop_crawler_schedule, CrawlerName=crawl.name)
    crawl.ready()
    before = crawls()
    crawl.glue.start_crawler_schedule(CrawlerName=crawl.name)
    wait_until(lambda: crawls() > before, what="a crawl after the schedule was started again")


def test_schedule_survives_a_restart(make_server, unique):
    server = make_server("--clock-scale", "3000")
    crawl = Crawl(server, unique)
    crawl.put({"a.csv": A})
    crawl.create(Schedule=EVERY_FIVE_MINUTES)
    server.kill()
    server.start()

    def crawls():
        return len(crawl.glue.list_crawls(CrawlerName=crawl.name)["Crawls"])

    before = crawls()
    wait_until(lambda: crawls() > before, what="a scheduled crawl after the restart")


def test_schedule_is_taken_away(crawl):
    crawl.create(Schedule="cron(0 3 * * ? *)")
    crawl.glue.update_crawler_schedule(CrawlerName=crawl.name, Schedule="cron(0 4 * * ? *)")
    assert crawl.crawler()["Schedule"]["ScheduleExpression"] == "cron(0 4 * * ? *)"
    refused("InvalidInputException", crawl.glue.update_crawler_schedule, CrawlerName=crawl.name, Schedule="x")
    crawl.glue.update_crawler_schedule(CrawlerName=crawl.name, Schedule="")
    assert "Schedule" not in crawl.crawler()
    refused("NoScheduleException", crawl.glue.start_crawler_schedule, CrawlerName=crawl.name)


# --- classifiers ---
def test_classifier_life(crawl, unique):
    glue, name = crawl.glue, unique("classifier")
    glue.create_classifier(CsvClassifier={"Name": name, "Delimiter": "|", "ContainsHeader": "PRESENT"})
    got = glue.get_classifier(Name=name)["Classifier"]["CsvClassifier"]
    assert (got["Delimiter"], got["ContainsHeader"], got["Version"]) == ("|", "PRESENT", 1)
    glue.update_classifier(CsvClassifier={"Name": name, "Delimiter": ";"})
    got = glue.get_classifier(Name=name)["Classifier"]["CsvClassifier"]
    assert (got["Delimiter"], got["ContainsHeader"], got["Version"]) == (";", "PRESENT", 2)
    refused("InvalidInputException", glue.update_classifier, JsonClassifier={"Name": name, "JsonPath": "$"})
    refused("AlreadyExistsException", glue.create_classifier, JsonClassifier={"Name": name, "JsonPath": "$[*]"})
    listed = [c for page in glue.get_paginator("get_classifiers").paginate() for c in page["Classifiers"]]
    assert name in [c.get("CsvClassifier", {}).get("Name") for c in listed]
    glue.delete_classifier(Name=name)
    refused("EntityNotFoundException", glue.get_classifier, Name=name)
    refused("EntityNotFoundException", glue.delete_classifier, Name=name)


def test_classifier_refusals(crawl, unique):
    create, name = crawl.glue.create_classifier, unique("classifier")
    refused("InvalidInputException", create)
    refused("InvalidInputException", create, CsvClassifier={"Name": name, "Delimiter": "||"})
    refused("InvalidInputException", create, CsvClassifier={"Name": name, "Delimiter": "'", "QuoteSymbol": "'"})
    refused("InvalidInputException", create, CsvClassifier={"Name": name, "CustomDatatypes": ["VARCHAR"]})
    refused("InvalidInputException", create, JsonClassifier={"Name": name, "JsonPath": "$.a[?(@.b)]"})
    refused("NotImplemented", create, XMLClassifier={"Name": name, "Classification": "xml", "RowTag": "r"})
    refused("NotImplemented", create, GrokClassifier={
        "Name": name, "Classification": "g", "GrokPattern": "%{GREEDYDATA:x}"})
