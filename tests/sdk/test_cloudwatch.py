"""CloudWatch metrics: what is put comes back as statistics, in every protocol that clients speak."""

import datetime
import math

import botocore.exceptions
import botocore.session
import pytest

UTC = datetime.timezone.utc


@pytest.fixture
def cloudwatch(server):
    return server.client("cloudwatch")


@pytest.fixture
def space(unique):
    """A namespace of the test's own."""
    return unique("Space")


def minute(ago=10):
    """The beginning of a minute, some minutes ago."""
    now = datetime.datetime.now(UTC) - datetime.timedelta(minutes=ago)
    return now.replace(second=0, microsecond=0)


def statistics(cloudwatch, space, name, start, minutes=1, period=60, **more):
    answer = cloudwatch.get_metric_statistics(
        Namespace=space, MetricName=name, StartTime=start,
        EndTime=start + datetime.timedelta(minutes=minutes), Period=period,
        **(more or {"Statistics": ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]}))
    return sorted(answer["Datapoints"], key=lambda d: d["Timestamp"])


def test_values_of_a_period_are_one_datapoint(cloudwatch, space):
    start = minute()
    cloudwatch.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "Rows", "Value": v, "Timestamp": start + datetime.timedelta(seconds=s), "Unit": "Count"}
        for s, v in enumerate([1, 2, 3, 10])])
    [point] = statistics(cloudwatch, space, "Rows", start)
    assert point == {"Timestamp": start, "SampleCount": 4, "Sum": 16, "Average": 4, "Minimum": 1,
                     "Maximum": 10, "Unit": "Count"}


def test_periods_are_cut_from_the_start(cloudwatch, space):
    start = minute(ago=20)
    cloudwatch.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "M", "Value": i, "Timestamp": start + datetime.timedelta(minutes=i)} for i in range(6)])
    points = statistics(cloudwatch, space, "M", start, minutes=6, period=180)
    assert [(p["SampleCount"], p["Sum"]) for p in points] == [(3, 3), (3, 12)]


def test_values_with_counts_and_statistic_sets_add_up(cloudwatch, space):
    start = minute()
    cloudwatch.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "M", "Timestamp": start, "Values": [1.0, 5.0], "Counts": [3.0, 1.0]},
        {"MetricName": "M", "Timestamp": start,
         "StatisticValues": {"SampleCount": 2, "Sum": 20, "Minimum": 9, "Maximum": 11}}])
    [point] = statistics(cloudwatch, space, "M", start)
    assert (point["SampleCount"], point["Sum"], point["Minimum"], point["Maximum"]) == (6, 28, 1, 11)


def test_percentiles_are_nearest_ranks_of_single_values(cloudwatch, space):
    start = minute()
    cloudwatch.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "M", "Timestamp": start, "Values": [float(i) for i in range(1, 101)]}])
    [point] = statistics(cloudwatch, space, "M", start, ExtendedStatistics=["p50", "p99", "p100"])
    assert point["ExtendedStatistics"] == {"p50": 50, "p99": 99, "p100": 100}


def test_series_differ_by_dimensions_in_any_order(cloudwatch, space):
    start = minute()
    a, b = {"Name": "Job", "Value": "x"}, {"Name": "Run", "Value": "1"}
    cloudwatch.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "M", "Timestamp": start, "Value": 1, "Dimensions": [a, b]},
        {"MetricName": "M", "Timestamp": start, "Value": 2, "Dimensions": [b, a]},
        {"MetricName": "M", "Timestamp": start, "Value": 4, "Dimensions": [a]}])
    [both] = statistics(cloudwatch, space, "M", start, Statistics=["Sum"], Dimensions=[b, a])
    [one] = statistics(cloudwatch, space, "M", start, Statistics=["Sum"], Dimensions=[a])
    assert (both["Sum"], one["Sum"]) == (3, 4)
    assert statistics(cloudwatch, space, "M", start) == []


def test_units_are_kept_apart(cloudwatch, space):
    start = minute()
    cloudwatch.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "M", "Timestamp": start, "Value": 1, "Unit": "Bytes"},
        {"MetricName": "M", "Timestamp": start, "Value": 2, "Unit": "Seconds"}])
    [point] = statistics(cloudwatch, space, "M", start, Statistics=["Sum"], Unit="Seconds")
    assert (point["Sum"], point["Unit"]) == (2, "Seconds")


def test_metric_data_answers_many_series_in_pages(cloudwatch, space):
    start = minute(ago=30)
    for name in ("A", "B"):
        cloudwatch.put_metric_data(Namespace=space, MetricData=[
            {"MetricName": name, "Value": i, "Timestamp": start + datetime.timedelta(minutes=i)} for i in range(5)])
    request = {
        "StartTime": start, "EndTime": start + datetime.timedelta(minutes=10), "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            {"Id": name.lower(), "MetricStat": {"Metric": {"Namespace": space, "MetricName": name},
                                                "Period": 60, "Stat": "Sum"}} for name in ("A", "B")]}
    whole = cloudwatch.get_metric_data(**request)["MetricDataResults"]
    assert [(r["Id"], r["Label"], r["Values"], r["StatusCode"]) for r in whole] == [
        ("a", "A", [0, 1, 2, 3, 4], "Complete"), ("b", "B", [0, 1, 2, 3, 4], "Complete")]
    assert whole[0]["Timestamps"][1] == start + datetime.timedelta(minutes=1)
    paged = {"a": [], "b": []}
    token, pages = {}, 0
    while True:
        answer = cloudwatch.get_metric_data(**request, MaxDatapoints=3, **token)
        pages += 1
        for result in answer["MetricDataResults"]:
            paged[result["Id"]] += result["Values"]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert paged == {"a": [0, 1, 2, 3, 4], "b": [0, 1, 2, 3, 4]} and pages == 4
    newest = cloudwatch.get_metric_data(**{**request, "ScanBy": "TimestampDescending"})
    assert newest["MetricDataResults"][0]["Values"] == [4, 3, 2, 1, 0]


def test_listing_filters_and_pages(cloudwatch, space):
    for first in range(0, 620, 310):
        cloudwatch.put_metric_data(Namespace=space, MetricData=[
            {"MetricName": "M", "Value": 1, "Dimensions": [{"Name": "N", "Value": str(i)}]}
            for i in range(first, first + 310)])
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=space))
    assert [len(p["Metrics"]) for p in pages] == [500, 120]
    [one] = cloudwatch.list_metrics(Namespace=space, Dimensions=[{"Name": "N", "Value": "7"}])["Metrics"]
    assert one == {"Namespace": space, "MetricName": "M", "Dimensions": [{"Name": "N", "Value": "7"}]}
    assert cloudwatch.list_metrics(Namespace=space, Dimensions=[{"Name": "X"}])["Metrics"] == []


@pytest.mark.parametrize("protocol", ["json", "query", "smithy-rpc-v2-cbor"])
def test_every_protocol_of_the_service(server, space, protocol):
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    model = loader.load_service_model("cloudwatch", "service-2")
    model["metadata"]["protocol"] = protocol
    model["metadata"]["protocols"] = [protocol]
    original = loader.load_service_model
    loader.load_service_model = lambda name, kind, *a, **k: (
        model if (name, kind) == ("cloudwatch", "service-2") else original(name, kind, *a, **k))
    client = session.create_client("cloudwatch", region_name="us-east-1", endpoint_url=server.endpoint,
                                   aws_access_key_id="test", aws_secret_access_key="test")
    start = minute()
    client.put_metric_data(Namespace=space, MetricData=[{"MetricName": "M", "Value": 1.5, "Timestamp": start}])
    [point] = statistics(client, space, "M", start, Statistics=["Sum"])
    assert (point["Sum"], point["Timestamp"]) == (1.5, start)


@pytest.mark.parametrize("datum, code, words", [
    ({"Value": 1, "Timestamp": datetime.datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidParameterValue", "past two weeks"),
    ({"Value": 1, "Unit": "Parsecs"}, "InvalidParameterValue", "Unit"),
    ({"Value": math.nan}, "InvalidParameterValue", "Value"),
    ({}, "InvalidParameterCombination", "exactly one"),
    ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue", "same length"),
    ({"Value": 1, "StorageResolution": 7}, "InvalidParameterValue", "StorageResolution"),
])
def test_bad_data_is_refused_whole(cloudwatch, space, datum, code, words):
    good = {"MetricName": "Good", "Value": 1}
    with pytest.raises(botocore.exceptions.ClientError) as error:
        cloudwatch.put_metric_data(Namespace=space, MetricData=[good, {"MetricName": "M", **datum}])
    assert error.value.response["Error"]["Code"] == code
    assert words in error.value.response["Error"]["Message"]
    assert cloudwatch.list_metrics(Namespace=space)["Metrics"] == []


def test_bad_questions_are_refused(cloudwatch, space):
    start = minute()
    with pytest.raises(botocore.exceptions.ClientError, match="exceeds the limit of 1,440"):
        statistics(cloudwatch, space, "M", start - datetime.timedelta(days=2), minutes=2880)
    with pytest.raises(botocore.exceptions.ClientError, match="Period must be"):
        statistics(cloudwatch, space, "M", start, period=61)
    with pytest.raises(botocore.exceptions.ClientError, match="less than the parameter EndTime"):
        statistics(cloudwatch, space, "M", start, minutes=0)
    with pytest.raises(botocore.exceptions.ClientError, match="AWS/ for parameter Namespace"):
        cloudwatch.put_metric_data(Namespace="AWS/Mine", MetricData=[{"MetricName": "M", "Value": 1}])


def test_alarms_and_metric_math_say_that_they_are_missing(cloudwatch, space):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        cloudwatch.put_metric_alarm(AlarmName="a", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(botocore.exceptions.ClientError, match="Expression"):
        cloudwatch.get_metric_data(StartTime=minute(), EndTime=minute(0),
                                   MetricDataQueries=[{"Id": "e", "Expression": "SUM(METRICS())"}])


def test_metrics_survive_a_restart(fresh_server, space):
    start = minute()
    fresh_server.client("cloudwatch").put_metric_data(
        Namespace=space, MetricData=[{"MetricName": "M", "Value": 3, "Timestamp": start}])
    fresh_server.kill()
    fresh_server.start()
    [point] = statistics(fresh_server.client("cloudwatch"), space, "M", start, Statistics=["Sum"])
    assert point["Sum"] == 3
