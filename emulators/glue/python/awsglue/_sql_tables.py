"""One table or database, between Spark's catalog (through py4j) and the Data Catalog's shapes."""

import json
import time

from pyspark.sql import types as T

from awsglue import _catalog, _files
from awsglue._ddl import HIVE_TEXT, literal
from awsglue._errors import not_implemented
from awsglue._schema import hive_type

_OWN_SERDE = ("serialization.format", "field.delim", "paths", "path", "escape.delim")
_READABLE = ("parquet", "orc", "avro", "json", "csv")


def _quoted(*names):
    return ".".join("`%s`" % n.replace("`", "``") for n in names)


def fingerprint(table):
    """What decides whether a table has changed."""
    kept = {k: v for k, v in table.items() if k not in ("CreateTime", "CatalogId", "UpdateTime",
                                                        "VersionId", "LastAccessTime")}
    return json.dumps(kept, sort_keys=True, default=str)


# --- Spark's side ---
def _external(session):
    return session._jsparkSession.sharedState().externalCatalog()


def _listed(seq):
    text = seq.mkString("\n")
    return text.split("\n") if text else []


def _map(scala_map):
    out, pairs = {}, scala_map.iterator()
    while pairs.hasNext():
        pair = pairs.next()
        out[pair._1()] = pair._2()
    return out


def _option(option):
    return option.get() if option.isDefined() else None


def databases(session):
    return _listed(_external(session).listDatabases())


def tables(session, database):
    return _listed(_external(session).listTables(database))


def drop(session, database, table, made_here=False):
    """Out of Spark's catalog. No file is touched, unless Spark made them in this session and that
    is to be undone."""
    catalog = _external(session)
    if catalog.tableExists(database, table):
        managed = catalog.getTable(database, table).tableType().name() == "MANAGED"
        if managed and not made_here:
            raise RuntimeError("Table %s.%s was made in this session and changed outside of it: "
                               "start a new run." % (database, table))
        catalog.dropTable(database, table, True, False)


class SparkTable(object):
    """A CatalogTable of Spark's, read."""

    def __init__(self, session, database, name):
        table = _external(session).getTable(database, name)
        self.name = name
        self.kind = table.tableType().name()
        self.schema = T.StructType.fromJson(json.loads(table.schema().json()))
        self.keys = _listed(table.partitionColumnNames())
        self.provider = (_option(table.provider()) or "").lower()
        location = _option(table.storage().locationUri())
        self.location = location.toString() if location is not None else None
        self.options = _map(table.storage().properties())
        self.properties = _map(table.properties())
        self.comment = _option(table.comment())
        self.view = _option(table.viewText())

    def state(self):
        properties = {k: v for k, v in self.properties.items() if "transient" not in k}
        return json.dumps([self.kind, self.schema.jsonValue(), self.keys, self.provider,
                           self.location, self.options, properties, self.comment, self.view],
                          sort_keys=True)


def state(session, database, name):
    return SparkTable(session, database, name).state()


def partitions(session, database, name):
    """(partition columns, {values: location}) as Spark has them."""
    keys = SparkTable(session, database, name).keys
    if not keys:
        return [], {}
    out = {}
    nothing = session._jvm.scala.Option.empty()
    found = _external(session).listPartitions(database, name, nothing).iterator()
    while found.hasNext():
        partition = found.next()
        spec = _map(partition.spec())
        out[tuple(spec[k] for k in keys)] = _option(partition.storage().locationUri()).toString()
    return keys, out


# --- into Spark ---
def unreadable(table):
    """The exception to raise when the script names the table, or None."""
    if table.get("TableType") == "VIRTUAL_VIEW":
        if table.get("ViewOriginalText", "").startswith("/* Presto View"):
            return not_implemented("The view %s in Spark" % table["Name"],
                                   "it is written in the SQL of Athena", "Make it by spark.sql.")
        return None
    name = _catalog.format_of(table)
    if name not in _READABLE and not table.get("Parameters", {}).get("spark.sql.sources.provider"):
        return not_implemented("Table %s in spark.sql" % table["Name"],
                               "its format (%s) has no reader in this Spark" % (name or "unknown"),
                               "Set its classification to csv, json, parquet or orc if it is one.")
    if not table.get("StorageDescriptor", {}).get("Location"):
        return ValueError("Table %s.%s has no location in the Data Catalog"
                          % (table.get("DatabaseName"), table["Name"]))
    return None


def _csv_options(table):
    """As Hive's serdes read: LazySimpleSerDe knows no quotes, and Spark never heeds
    skip.header.line.count."""
    library = table["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary", "")
    p = _catalog.parameters_of(table)
    if "opencsv" in library.lower():
        return {"sep": p.get("separatorChar", ","), "quote": p.get("quoteChar", '"'),
                "escape": p.get("escapeChar", "\\")}
    options = dict(HIVE_TEXT, sep=_catalog.csv_options(table)["separator"])
    if p.get("escape.delim"):
        options["escape"] = p["escape.delim"]
    return options


def define_for_listing(session, database, name):
    """A table that can't be read: there for SHOW TABLES only."""
    session.sql("CREATE TABLE %s (value STRING) USING text LOCATION 'file:///nonexistent'"
                % _quoted(database, name))


def define(session, database, table):
    """CREATE TABLE or VIEW in Spark's catalog."""
    name = _quoted(database, table["Name"])
    if table.get("TableType") == "VIRTUAL_VIEW":
        catalog = session._jsparkSession.catalog()
        before = catalog.currentDatabase()
        catalog.setCurrentDatabase(database)
        try:
            session.sql("CREATE OR REPLACE VIEW %s AS %s" % (name, table["ViewExpandedText"]))
        finally:
            catalog.setCurrentDatabase(before)
        return
    sd = table["StorageDescriptor"]
    provider = table.get("Parameters", {}).get("spark.sql.sources.provider")
    if provider and provider != "hive":
        options = {k: v for k, v in sd.get("SerdeInfo", {}).get("Parameters", {}).items()
                   if k not in _OWN_SERDE}
    else:
        provider = _catalog.format_of(table)
        options = _csv_options(table) if provider == "csv" else {}
    columns = sd.get("Columns", []) + table.get("PartitionKeys", [])
    parts = ["CREATE TABLE %s (%s) USING %s" % (
        name, ", ".join("%s %s" % (_quoted(c["Name"]), c.get("Type") or "string")
                        for c in columns), provider)]
    if options:
        parts.append("OPTIONS (%s)" % ", ".join(
            "%s %s" % (literal(k), literal(v)) for k, v in sorted(options.items())))
    if table.get("PartitionKeys"):
        parts.append("PARTITIONED BY (%s)" % ", ".join(
            _quoted(c["Name"]) for c in table["PartitionKeys"]))
    parts.append("LOCATION %s" % literal(sd["Location"]))
    session.sql(" ".join(parts))


# --- out of Spark ---
def _only_here(location):
    return location is None or location.startswith("file:")


def database_input(session, name):
    """DatabaseInput; a location in Spark's local warehouse isn't one."""
    database = _external(session).getDatabase(name)
    location = database.locationUri().toString()
    out = {"Name": name}
    if database.description():
        out["Description"] = database.description()
    if not _only_here(location):
        out["LocationUri"] = location
    return out


def table_input(session, database, name):
    """TableInput of Spark's table."""
    t = SparkTable(session, database, name)
    columns = [(f.name, f.dataType) for f in t.schema if f.name not in t.keys]
    parameters = {k: v for k, v in t.properties.items() if not k.startswith("view.")}
    parameters["transient_lastDdlTime"] = str(int(time.time()))
    out = {"Name": name, "Parameters": parameters,
           "PartitionKeys": [{"Name": k, "Type": hive_type(t.schema[k].dataType)}
                             for k in t.keys]}
    if t.comment:
        out["Description"] = t.comment
    if t.view is not None:
        out.update(TableType="VIRTUAL_VIEW", ViewOriginalText=t.view, ViewExpandedText=t.view,
                   StorageDescriptor={"Columns": [{"Name": n, "Type": hive_type(k)}
                                                  for n, k in columns]})
        return out
    if t.kind == "MANAGED" and _only_here(t.location):
        raise ValueError(
            "Can not create a Path from an empty string: database %s has no location, so its table "
            "%s would be lost with the run. Give the database one (LocationUri, or CREATE DATABASE "
            "… LOCATION 's3://…'), or the table a path." % (database, name))
    if t.provider not in _catalog.STORAGE:
        raise not_implemented("A table of the format %s in the Data Catalog" % t.provider,
                              "it isn't one of the Data Catalog's",
                              "Use parquet, orc, avro, json or csv.")
    parameters.update({"classification": t.provider, "spark.sql.sources.provider": t.provider})
    separator = t.options.get("sep") or t.options.get("delimiter") or ","
    sd = _catalog.storage(t.provider, columns, t.location, {"separator": separator})
    sd["SerdeInfo"]["Parameters"].update(t.options)
    if t.provider == "csv" and t.options.get("header", "").lower() == "true":
        parameters["skip.header.line.count"] = "1"
    out["StorageDescriptor"] = sd
    out["TableType"] = "MANAGED_TABLE" if t.kind == "MANAGED" else "EXTERNAL_TABLE"
    if t.kind != "MANAGED":
        parameters["EXTERNAL"] = "TRUE"
    return out


def delete_files(session, table):
    """A managed table's data."""
    location = table.get("StorageDescriptor", {}).get("Location")
    if location:
        _files.delete_tree(session.sparkContext, location)
