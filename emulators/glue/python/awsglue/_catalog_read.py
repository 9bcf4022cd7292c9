"""A catalog table's data as a frame."""

from pyspark.sql import functions as F

from awsglue import _catalog, _choice, _files, _formats
from awsglue._bookmark import BOOKMARKS
from awsglue._errors import not_implemented

_JDBC = ("mysql", "mariadb", "postgresql", "sqlserver", "oracle", "redshift")
_OPEN = ("iceberg", "hudi", "delta")


def is_jdbc(table):
    """Whether the table describes one of a database."""
    parameters = table.get("Parameters", {})
    return parameters.get("classification", "").lower() in _JDBC or bool(
        parameters.get("connectionName"))


def jdbc_options(table):
    """connectionName, dbtable and database for a table that a crawler made of a database's: its
    location is database.table or database.schema.table."""
    location = table.get("StorageDescriptor", {}).get("Location", "")
    name = table.get("Parameters", {}).get("connectionName") or table.get(
        "StorageDescriptor", {}).get("Parameters", {}).get("connectionName")
    if not name:
        raise ValueError("Table %s has no connectionName among its parameters" % table["Name"])
    database, _, rest = location.partition(".")
    return {"connectionName": name, "dbtable": rest or location, "database": database}


def write_options(table, name):
    """format_options for a sink that adds to the table."""
    if name != "csv":
        return {}
    options = _catalog.csv_options(table)
    options["writeHeader"] = options.pop("withHeader")
    return options


def _refuse(table, name):
    if name in _OPEN:
        raise not_implemented("Reading the %s table %s" % (name, table["Name"]),
                              "its library isn't part of Spark",
                              "Use spark.read with the library's jars, or a plain Parquet table.")
    if not name:
        raise ValueError("Nothing tells the format of table %s: set the parameter classification "
                         "to csv, json, parquet, orc or avro." % table["Name"])


def read(spark, table, predicate, options, ctx, catalog_id):
    """(DataFrame, choices) of all partitions that the predicate selects, partition columns added.
    Of files that earlier runs read (bookmarks), none."""
    name = _catalog.format_of(table)
    _refuse(table, name)
    layout = _catalog.layout_of(table)
    settings = _catalog.csv_options(table) if name == "csv" else {}
    if name == "json" and table.get("Parameters", {}).get("multiline"):
        settings["multiline"] = table["Parameters"]["multiline"]
    sc, exclusions = spark.sparkContext, options.get("exclusions")
    bounds = (options.get("boundedFiles"), options.get("boundedSize"))
    base = _catalog.location_of(table)
    if not layout.partition_columns:
        files = _files.list_files(sc, [base], True, exclusions)
        return _formats.read(spark, BOOKMARKS.new_files(ctx, files, *bounds), name, settings,
                             layout)
    partitions = _catalog.get_partitions(table["DatabaseName"], table["Name"], catalog_id,
                                         options.get("catalogPartitionPredicate"))
    partitions = _catalog.select_partitions(spark, table, partitions, predicate)
    found = {}
    for partition in partitions:
        location = partition["StorageDescriptor"]["Location"]
        for f in _files.list_files(sc, [location], True, exclusions):
            found[f.path] = (f, location, tuple(partition["Values"]))
    fresh = BOOKMARKS.new_files(ctx, [v[0] for v in found.values()], *bounds)
    keys = [n for n, _ in layout.partition_columns]
    if all(_catalog.is_hive_path(base, found[f.path][1], keys, found[f.path][2]) for f in fresh):
        layout.base = base
        return _formats.read(spark, fresh, name, settings, layout)
    return _by_partition(spark, fresh, found, name, settings, layout)


def _by_partition(spark, files, found, name, settings, layout):
    """Partitions that lie anywhere: read one by one, their values added."""
    groups, out, choices = {}, None, frozenset()
    for f in files:
        groups.setdefault(found[f.path][2], []).append(f)
    for values, group in groups.items():
        frame, some = _formats.read(spark, group, name, settings, layout)
        for (key, kind), value in zip(layout.partition_columns, values):
            frame = frame.withColumn(key, F.lit(value).cast(kind))
        out, choices = (_choice.union_frames(out, choices, frame, some) if out is not None
                        else (frame, some))
    return out, choices
