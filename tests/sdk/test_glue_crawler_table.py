"""Which folders become which tables and partitions, and what further crawls change."""

import json

import pytest

from tests.support.crawlers import Crawl, columns

A = "id,v\n1,2\n2,3\n"
B = "name,size,day\nx,1,2\ny,2,3\n"


@pytest.fixture
def crawl(server, unique):
    return Crawl(server, unique)


def configuration(**members):
    return json.dumps({"Version": 1.0, **members})


def test_named_partitions(crawl):
    crawl.put({"orders/Year=2025/m=1/a.csv": A, "orders/Year=2026/m=1/a.csv": A,
               "orders/Year=2026/m=2%2F3/b.csv": A, "people/p.csv": B})
    crawl.create()
    crawl.run()
    assert set(crawl.tables()) == {"orders", "people"}
    orders = crawl.table("orders")
    assert [(k["Name"], k["Type"]) for k in orders["PartitionKeys"]] == [("year", "string"), ("m", "string")]
    assert orders["Parameters"]["objectCount"] == "3" and orders["Parameters"]["recordCount"] == "6"
    found = crawl.partitions("orders")
    assert set(found) == {("2025", "1"), ("2026", "1"), ("2026", "2/3")}
    one = found["2025", "1"]
    assert one["StorageDescriptor"]["Location"] == f"s3://{crawl.bucket}/in/orders/Year=2025/m=1/"
    assert columns(one) == [("id", "bigint"), ("v", "bigint")]
    assert one["Parameters"]["recordCount"] == "2" and one["Parameters"]["classification"] == "csv"


def test_plain_folders_are_partition_n(crawl):
    crawl.put({"2025/01/a.csv": A, "2026/02/a.csv": A})
    crawl.create(TablePrefix="Raw-")
    crawl.run()
    (table,) = crawl.tables().values()
    assert table["Name"] == "raw_in"
    assert [k["Name"] for k in table["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert set(crawl.partitions("raw_in")) == {("2025", "01"), ("2026", "02")}


def test_files_that_differ_are_tables(crawl):
    crawl.put({"x/sale report.csv": A, "x/other.csv": B})
    crawl.create()
    crawl.run()
    tables = crawl.tables()
    assert set(tables) == {"sale_report_csv", "other_csv"}
    location = tables["other_csv"]["StorageDescriptor"]["Location"]
    assert location == f"s3://{crawl.bucket}/in/x/other.csv"


def test_similar_folders_are_one_table(crawl):
    wide = "id,a,b,c,d\n1,2,3,4,5\n2,3,4,5,6\n"
    crawl.put({"k=1/a.csv": wide, "k=2/a.csv": wide.replace("d\n", "e\n", 1)})
    crawl.create()
    crawl.run()
    assert columns(crawl.table("in")) == [(c, "bigint") for c in ("id", "a", "b", "c", "d", "e")]
    assert [c for c, _ in columns(crawl.partitions("in")["2",])] == ["id", "a", "b", "c", "e"]


def test_combine_compatible_schemas(crawl):
    crawl.put({"a/f.csv": A, "b/f.csv": B})
    crawl.create(Configuration=configuration(Grouping={"TableGroupingPolicy": "CombineCompatibleSchemas"}))
    crawl.run()
    assert [c for c, _ in columns(crawl.table("in"))] == ["id", "v", "name", "size", "day"]


def test_table_level(crawl):
    crawl.put({"a/x/f.csv": A, "b/x/f.csv": A})
    crawl.create(Configuration=configuration(Grouping={"TableLevelConfiguration": 3}))
    crawl.run()
    assert set(crawl.tables()) == {"a", "b"}
    assert set(crawl.partitions("a")) == {("x",)}


def test_table_threshold(crawl):
    crawl.put({"a/f.csv": A, "b/f.csv": B})
    crawl.create(Configuration=configuration(CrawlerOutput={"Tables": {"TableThreshold": 1}}))
    last = crawl.run("FAILED")
    assert "detected by crawler: 2 is greater than the table threshold value provided: 1" in last["ErrorMessage"]
    databases = [d["Name"] for d in crawl.glue.get_databases()["DatabaseList"]]
    assert crawl.database not in databases


def test_partition_index(crawl):
    crawl.put({"k=1/f.csv": A, "k=2/f.csv": A})
    crawl.create(Configuration=configuration(CreatePartitionIndex=True))
    crawl.run()
    assert crawl.table("in")["Parameters"]["partition_filtering.enabled"] == "true"
    (index,) = crawl.glue.get_partition_indexes(
        DatabaseName=crawl.database, TableName="in")["PartitionIndexDescriptorList"]
    assert [k["Name"] for k in index["Keys"]] == ["k"]


def test_same_name_gets_a_hash(crawl):
    crawl.put({"a/data/f.csv": A, "a/other/f.csv": B, "b/data/f.csv": B, "b/more/f.json": '{"q":1}'})
    crawl.create()
    crawl.run()
    names = sorted(crawl.tables())
    assert len(names) == 4 and {"data", "other", "more"} < set(names)
    (hashed,) = (n for n in names if n.startswith("data_"))
    assert len(hashed) == len("data_") + 32
    crawl.run()  # and is found again by its location
    assert sorted(crawl.tables()) == names


def test_exclusions(crawl):
    crawl.put({"keep/a.csv": A, "keep/deep/er/x.tmp": B, "skip/b.csv": B, "keep/c.json": '{"q":1}'})
    crawl.create(exclusions=["skip/**", "**.{tmp,json}"])
    crawl.run()
    (table,) = crawl.tables().values()
    assert table["Parameters"]["objectCount"] == "1"


def test_sample_size(crawl):
    """The second file of the folder isn't looked at: its columns stay unknown, its bytes count."""
    crawl.put({"a.csv": A, "b.csv": A.replace("v", "w", 1)})
    crawl.create(sample=1)
    crawl.run()
    (table,) = crawl.tables().values()
    assert columns(table) == [("id", "bigint"), ("v", "bigint")]
    assert table["Parameters"]["objectCount"] == "2"


def test_one_object_as_target(crawl):
    crawl.put({"a.csv": A, "b.csv": B})
    crawl.create(path="in/b.csv")
    crawl.run()
    (table,) = crawl.tables().values()
    assert table["Name"] == "b_csv" and [c for c, _ in columns(table)] == ["name", "size", "day"]


def test_no_bucket(crawl):
    crawl.create()
    crawl.glue.update_crawler(Name=crawl.name, Targets={"S3Targets": [{"Path": "s3://no-such-bucket-here"}]})
    last = crawl.run("FAILED")
    assert "The specified bucket does not exist" in last["ErrorMessage"]
    assert any("ERROR : The specified bucket" in line for line in crawl.lines())


# --- further crawls ---
def test_update_in_database(crawl):
    crawl.put({"k=1/a.csv": A})
    crawl.create()
    crawl.run()
    first = crawl.table("in")
    crawl.put({"k=1/a.csv": "id,v,w,more\n1,2.5,x,1\n", "k=2/a.csv": "id,v,w,more\n1,2.5,x,1\n"})
    crawl.run()
    table = crawl.table("in")
    assert columns(table) == [("id", "bigint"), ("v", "double"), ("w", "string"), ("more", "bigint")]
    assert int(table["VersionId"]) > int(first["VersionId"])
    assert set(crawl.partitions("in")) == {("1",), ("2",)}
    assert columns(crawl.partitions("in")["1",]) == columns(table)
    assert any("INFO : Updated table in in database" in line for line in crawl.lines())
    versions = crawl.glue.get_table_versions(DatabaseName=crawl.database, TableName="in")["TableVersions"]
    assert len(versions) == 2


def test_nothing_new_changes_nothing(crawl):
    crawl.put({"a.csv": A})
    crawl.create()
    crawl.run()
    before = crawl.table("in")
    crawl.run()
    after = crawl.table("in")
    assert after["Parameters"] == before["Parameters"]
    crawls = crawl.glue.list_crawls(CrawlerName=crawl.name)["Crawls"]
    assert [json.loads(c["Summary"]) for c in crawls][0] == {}
    versions = crawl.glue.get_table_versions(DatabaseName=crawl.database, TableName="in")["TableVersions"]
    assert len(versions) == 1


def test_log_only(crawl):
    crawl.put({"k=1/a.csv": A})
    crawl.create(SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"})
    crawl.run()
    crawl.put({"k=1/a.csv": B, "k=2/a.csv": B})
    crawl.run()
    assert columns(crawl.table("in")) == [("id", "bigint"), ("v", "bigint")]
    assert set(crawl.partitions("in")) == {("1",), ("2",)}  # new folders are added all the same
    assert any("not updated because UpdateBehavior is LOG" in line for line in crawl.lines())


def test_merge_new_columns(crawl):
    crawl.put({"a.csv": A})
    crawl.create(Configuration=configuration(
        CrawlerOutput={"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}))
    crawl.run()
    crawl.put({"a.csv": "w,v\nx,1.5\ny,1\n"})
    crawl.run()
    assert columns(crawl.table("in")) == [("id", "bigint"), ("v", "bigint"), ("w", "string")]


def test_partitions_inherit(crawl):
    crawl.put({"k=1/a.csv": "id,v,x,y\n1,2,3,4\n", "k=2/a.csv": "id,v,x,z\n1,2,3,4\n"})
    crawl.create(Configuration=configuration(
        CrawlerOutput={"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}))
    crawl.run()
    wanted = columns(crawl.table("in"))
    assert len(wanted) == 5
    assert all(columns(p) == wanted for p in crawl.partitions("in").values())


@pytest.mark.parametrize("behavior", ["DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE", "LOG"])
def test_gone_data(crawl, behavior):
    crawl.put({"a/k=1/f.csv": A, "a/k=2/f.csv": A, "b/f.csv": B})
    crawl.create(SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behavior})
    crawl.run()
    for key in ("a/k=2/f.csv", "b/f.csv"):
        crawl.s3.delete_object(Bucket=crawl.bucket, Key="in/" + key)
    # the one folder that is left, a/, still is the table a
    crawl.put({"c/f.json": '{"q":1}'})
    crawl.run()
    tables = crawl.tables()
    if behavior == "DELETE_FROM_DATABASE":
        assert set(tables) == {"a", "c"} and set(crawl.partitions("a")) == {("1",)}
    else:
        assert set(tables) == {"a", "b", "c"} and len(crawl.partitions("a")) == 2
        deprecated = "DEPRECATED_BY_CRAWLER" in tables["b"]["Parameters"]
        assert deprecated == (behavior == "DEPRECATE_IN_DATABASE")
    crawl.put({"b/f.csv": B})
    crawl.run()
    assert "DEPRECATED_BY_CRAWLER" not in crawl.table("b")["Parameters"]


def test_others_tables_stay(crawl):
    """A table that no crawler made is neither deleted nor renamed."""
    crawl.put({"a.csv": A})
    crawl.glue.create_database(DatabaseInput={"Name": crawl.database})
    crawl.glue.create_table(DatabaseName=crawl.database, TableInput={
        "Name": "in", "StorageDescriptor": {"Location": f"s3://{crawl.bucket}/in/elsewhere/"}})
    crawl.create(SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "DELETE_FROM_DATABASE"})
    crawl.run()
    names = set(crawl.tables())
    assert "in" in names and len(names) == 2


def test_new_folders_only(crawl):
    crawl.put({"k=1/a.csv": A})
    log = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    crawl.create(RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}, SchemaChangePolicy=log)
    crawl.run()
    crawl.s3.delete_object(Bucket=crawl.bucket, Key="in/k=1/a.csv")
    crawl.put({"k=3/a.csv": "id,v,w\n1,2,3\n"})
    crawl.run()
    assert set(crawl.partitions("in")) == {("1",), ("3",)}
    assert columns(crawl.table("in")) == [("id", "bigint"), ("v", "bigint")]
