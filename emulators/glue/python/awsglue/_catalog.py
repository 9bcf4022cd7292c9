"""The Data Catalog through boto3: connections, tables, partitions; what a sink writes into it."""

import os
import sys
import time

from pyspark.sql import types as T

from awsglue._errors import not_implemented
from awsglue._formats import Layout
from awsglue._schema import hive_type, spark_type_of

_client = {}
_BATCH = 100  # partitions per BatchCreatePartition

_SERDES = (  # what a class name or a classification contains → our format
    ("parquet", "parquet"), ("orc", "orc"), ("avro", "avro"), ("json", "json"),
    ("opencsv", "csv"), ("lazysimple", "csv"), ("csv", "csv"), ("xml", "xml"), ("ion", "ion"),
    ("grok", "grokLog"), ("regex", "grokLog"), ("hudi", "hudi"), ("iceberg", "iceberg"),
)
_HADOOP = "org.apache.hadoop.hive."
STORAGE = {  # format → (input format, output format, serde)
    "parquet": (_HADOOP + "ql.io.parquet.MapredParquetInputFormat",
                _HADOOP + "ql.io.parquet.MapredParquetOutputFormat",
                _HADOOP + "ql.io.parquet.serde.ParquetHiveSerDe"),
    "orc": (_HADOOP + "ql.io.orc.OrcInputFormat", _HADOOP + "ql.io.orc.OrcOutputFormat",
            _HADOOP + "ql.io.orc.OrcSerde"),
    "avro": (_HADOOP + "ql.io.avro.AvroContainerInputFormat",
             _HADOOP + "ql.io.avro.AvroContainerOutputFormat", _HADOOP + "serde2.avro.AvroSerDe"),
    "json": ("org.apache.hadoop.mapred.TextInputFormat",
             _HADOOP + "ql.io.HiveIgnoreKeyTextOutputFormat", "org.openx.data.jsonserde.JsonSerDe"),
    "csv": ("org.apache.hadoop.mapred.TextInputFormat",
            _HADOOP + "ql.io.HiveIgnoreKeyTextOutputFormat",
            _HADOOP + "serde2.lazy.LazySimpleSerDe"),
}


def client(service="glue"):
    """A boto3 client for this run's server, region and credentials."""
    if service not in _client:
        try:
            import boto3
        except ImportError:
            raise RuntimeError(
                "The Data Catalog is reached through boto3, which this Python (%s) doesn't have: "
                "pip install boto3 there." % sys.executable) from None
        # Clients before 1.28 don't read the variable themselves.
        _client[service] = boto3.client(service, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
    return _client[service]


def _catalog(catalog_id):
    return {"CatalogId": catalog_id} if catalog_id else {}


def missing(error):
    """Whether a boto3 error is EntityNotFoundException."""
    return getattr(error, "response", {}).get("Error", {}).get("Code") == "EntityNotFoundException"


def pages(operation, member, **arguments):
    """All items of a paged answer."""
    out = []
    while True:
        answer = getattr(client(), operation)(**arguments)
        out += answer.get(member, [])
        if not answer.get("NextToken"):
            return out
        arguments["NextToken"] = answer["NextToken"]


def get_table(database, name, catalog_id=None):
    return client().get_table(DatabaseName=database, Name=name, **_catalog(catalog_id))["Table"]


def get_partitions(database, name, catalog_id=None, expression=None):
    more = {"Expression": expression} if expression else {}
    return pages("get_partitions", "Partitions", DatabaseName=database, TableName=name,
                 **_catalog(catalog_id), **more)


def parameters_of(table):
    """The table's parameters, overlaid by its storage's and its serde's."""
    sd = table.get("StorageDescriptor", {})
    out = dict(table.get("Parameters", {}))
    out.update(sd.get("Parameters", {}))
    out.update(sd.get("SerdeInfo", {}).get("Parameters", {}))
    return out


def format_of(table):
    """Our name of the format that the table's files have; "" if nothing tells."""
    parameters = table.get("Parameters", {})
    sd = table.get("StorageDescriptor", {})
    provider = parameters.get("spark.sql.sources.provider", "")
    open_table = parameters.get("table_type", "").lower()
    if open_table in ("iceberg", "hudi", "delta"):
        return open_table
    for text in (provider, parameters.get("classification", ""),
                 sd.get("SerdeInfo", {}).get("SerializationLibrary", ""),
                 sd.get("InputFormat", "")):
        for part, name in _SERDES:
            if part in text.lower():
                return name
    return provider if provider and provider != "hive" else ""


def columns_of(columns):
    """[(name, Spark type)] of catalog columns."""
    out = []
    for c in columns or []:
        kind = spark_type_of(c.get("Type") or "string")
        out.append((c["Name"], kind or T.StringType()))
    return out


def csv_options(table):
    """Glue's format_options for a table of CSV files."""
    p = parameters_of(table)
    open_csv = "opencsv" in table.get("StorageDescriptor", {}).get("SerdeInfo", {}).get(
        "SerializationLibrary", "").lower()
    options = {
        "separator": p.get("separatorChar") or p.get("field.delim") or p.get("delimiter")
        or p.get("sep") or p.get("serialization.format") or ",",
        "quoteChar": p.get("quoteChar", p.get("quote", '"')),
    }
    if open_csv and p.get("escapeChar"):
        options["escaper"] = p["escapeChar"]
    elif p.get("escape.delim"):
        options["escaper"] = p["escape.delim"]
    if options["separator"] == "1":  # Hive's number for its default, control-A
        options["separator"] = "\x01"
    skip = p.get("skip.header.line.count", "0")
    if skip not in ("0", "1", ""):
        raise not_implemented("skip.header.line.count=%s of table %s" % (skip, table["Name"]),
                              "Spark's CSV reader skips one line at most",
                              "Write the files with one header line, or none.")
    options["withHeader"] = skip == "1" or p.get("header", "").lower() == "true"
    return options


def layout_of(table):
    """Columns and partition columns as _formats wants them. The columns' names matter to CSV only:
    the other formats carry their own."""
    columns = columns_of(table.get("StorageDescriptor", {}).get("Columns"))
    keys = columns_of(table.get("PartitionKeys"))
    return Layout(columns if format_of(table) == "csv" else [], keys)


def location_of(table):
    location = table.get("StorageDescriptor", {}).get("Location", "")
    if not location:
        raise ValueError("Table %s.%s has no location in the Data Catalog"
                         % (table.get("DatabaseName"), table["Name"]))
    return location


# --- partitions ---
def is_hive_path(base, location, names, values):
    """Whether a partition lies where Spark would look for it: base/k=v/…"""
    expected = "/".join("%s=%s" % (n, v) for n, v in zip(names, values))
    return location.rstrip("/") == base.rstrip("/") + "/" + expected


def select_partitions(spark, table, partitions, predicate):
    """Those that a push_down_predicate lets through."""
    if not predicate:
        return partitions
    keys = columns_of(table.get("PartitionKeys"))
    if not keys:
        raise ValueError("push_down_predicate %r: table %s has no partition keys"
                         % (predicate, table["Name"]))
    schema = T.StructType([T.StructField(n, T.StringType()) for n, _ in keys]
                          + [T.StructField("__index", T.IntegerType())])
    rows = [tuple(p["Values"]) + (i,) for i, p in enumerate(partitions)]
    frame = spark.createDataFrame(rows, schema)
    for n, t in keys:
        frame = frame.withColumn(n, frame[n].cast(t))
    kept = {r[0] for r in frame.filter(predicate).select("__index").collect()}
    return [p for i, p in enumerate(partitions) if i in kept]


def add_partitions(database, table, values_and_locations, catalog_id=None):
    """Registers those that the table doesn't have yet."""
    sd = table.get("StorageDescriptor", {})
    items = list(values_and_locations)
    for i in range(0, len(items), _BATCH):
        inputs = [{"Values": [str(v) for v in values],
                   "StorageDescriptor": dict(sd, Location=location)}
                  for values, location in items[i:i + _BATCH]]
        answer = client().batch_create_partition(
            DatabaseName=database, TableName=table["Name"], PartitionInputList=inputs,
            **_catalog(catalog_id))
        for error in answer.get("Errors", []):
            detail = error.get("ErrorDetail", {})
            if detail.get("ErrorCode") != "AlreadyExistsException":
                raise RuntimeError("Partition %s of %s.%s: %s" % (
                    error.get("PartitionValues"), database, table["Name"],
                    detail.get("ErrorMessage")))


# --- tables ---
def storage(name, columns, location, options=None):
    """A StorageDescriptor for files of a format."""
    reads, writes, serde = STORAGE[name]
    parameters = {}
    if name == "csv":
        separator = str((options or {}).get("separator") or ",")
        parameters = {"field.delim": separator, "serialization.format": separator}
    elif name == "json":
        parameters = {"paths": ",".join(n for n, _ in columns)}
    else:
        parameters = {"serialization.format": "1"}
    return {
        "Columns": [{"Name": n, "Type": hive_type(t)} for n, t in columns],
        "Location": location, "InputFormat": reads, "OutputFormat": writes, "Compressed": False,
        "NumberOfBuckets": -1, "StoredAsSubDirectories": False,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters},
    }


_INPUT = ("Name", "Description", "Owner", "LastAccessTime", "LastAnalyzedTime", "Retention",
          "StorageDescriptor", "PartitionKeys", "ViewOriginalText", "ViewExpandedText",
          "TableType", "Parameters", "TargetTable")


def input_of(table):
    """A table as read, as TableInput for UpdateTable."""
    return {k: table[k] for k in _INPUT if k in table}


def record_write(database, name, schema, keys, path, kind, options, partitions,
                 behavior="UPDATE_IN_DATABASE", catalog_id=None):
    """enableUpdateCatalog: makes or updates the table for what was written below `path`, and adds
    the new partitions. `behavior` LOG leaves an existing table's columns alone."""
    columns = [(f.name, f.dataType) for f in schema if f.name not in keys]
    key_columns = [{"Name": k, "Type": hive_type(schema[k].dataType)} for k in keys]
    location = path.rstrip("/") + "/"
    try:
        table = get_table(database, name, catalog_id)
    except Exception as error:
        if not missing(error):
            raise
        table = None
    if table is None:
        parameters = {"classification": kind, "EXTERNAL": "TRUE", "typeOfData": "file",
                      "transient_lastDdlTime": str(int(time.time()))}
        if kind == "csv" and str(options.get("writeHeader", True)).lower() != "false":
            parameters["skip.header.line.count"] = "1"
        client().create_table(DatabaseName=database, TableInput={
            "Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": parameters,
            "PartitionKeys": key_columns,
            "StorageDescriptor": storage(kind, columns, location, options)}, **_catalog(catalog_id))
        table = get_table(database, name, catalog_id)
    elif behavior == "UPDATE_IN_DATABASE":
        made = [{"Name": n, "Type": hive_type(t)} for n, t in columns]
        known = {c["Name"]: c for c in table["StorageDescriptor"].get("Columns", [])}
        new = [c for c in made if c["Name"] not in known or known[c["Name"]]["Type"] != c["Type"]]
        if new:
            known.update((c["Name"], c) for c in new)
            table["StorageDescriptor"]["Columns"] = list(known.values())
            client().update_table(DatabaseName=database, TableInput=input_of(table),
                                  **_catalog(catalog_id))
    if partitions:
        add_partitions(database, table, sorted(partitions.items()), catalog_id)


# --- connections ---
def connection(name, catalog_id=None):
    """A connection's properties, the password of its secret included."""
    found = client().get_connection(Name=name, **_catalog(catalog_id))["Connection"]
    properties = dict(found.get("ConnectionProperties", {}))
    if properties.get("SECRET_ID"):
        import json

        answer = client("secretsmanager").get_secret_value(SecretId=properties["SECRET_ID"])
        secret = json.loads(answer["SecretString"])
        properties.setdefault("USERNAME", secret.get("username", ""))
        properties.setdefault("PASSWORD", secret.get("password", ""))
    properties["TYPE"] = found.get("ConnectionType", "")
    return properties


def jdbc_conf(name, catalog_id=None):
    """What GlueContext.extract_jdbc_conf returns."""
    p = connection(name, catalog_id)
    full = p.get("JDBC_CONNECTION_URL", "")
    if not full.startswith("jdbc:"):
        raise ValueError("Connection %s has no JDBC_CONNECTION_URL (its type: %s)"
                         % (name, p["TYPE"] or "unknown"))
    vendor = full.split(":")[1]
    head, slashes, rest = full.partition("://")
    base = head + slashes + rest.split("/", 1)[0].split("?", 1)[0]
    return {
        "fullUrl": full, "url": base, "vendor": vendor,
        "user": p.get("USERNAME", ""), "password": p.get("PASSWORD", ""),
        "enforceSSL": p.get("JDBC_ENFORCE_SSL", "false"),
        "skipCustomJDBCCertValidation": p.get("SKIP_CUSTOM_JDBC_CERT_VALIDATION", "false"),
        "customJDBCCertString": p.get("CUSTOM_JDBC_CERT_STRING", ""),
        "customJDBCCert": p.get("CUSTOM_JDBC_CERT", ""),
    }
