"""Reading files of each format into (DataFrame, choices)."""

import csv

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue import _json
from awsglue._errors import not_implemented
from awsglue._files import first_line
from awsglue._nested import column
from awsglue._schema import type_name

HEADERS_LOOKED_AT = 1000
_MISSING_READERS = {
    "xml": "it needs the spark-xml package, which isn't part of Spark 3",
    "ion": "Spark has no reader for Amazon Ion",
    "grokLog": "Spark has no reader for Grok patterns",
}


class Layout(object):
    """What a catalog table adds to its files: data columns (name, Spark type), partition columns
    likewise, and the folder below which the partitions lie Hive-style."""

    def __init__(self, columns=(), partition_columns=(), base=None):
        self.columns = list(columns)
        self.partition_columns = list(partition_columns)
        self.base = base


def flag(value):
    """True, "true", 1 …"""
    return str(value).strip().lower() in ("true", "1", "yes")


def empty(spark):
    """A frame without records and thus without fields."""
    return spark.createDataFrame([], T.StructType([])), frozenset()


def read(spark, files, name, options, layout=None):
    """The files (SourceFile list) as one frame. `options` are Glue's format_options."""
    options = {str(k): v for k, v in (options or {}).items()}
    layout = layout or Layout()
    name = (name or "").strip()
    if not files:
        return empty(spark)
    if name == "csv":
        frame, choices = _csv(spark, files, options, layout)
    elif name == "json":
        frame, choices = _json.read(spark, files, options, layout)
    elif name in ("parquet", "glueparquet", "orc", "avro"):
        frame, choices = _columnar(spark, files, name.replace("glue", ""), layout), frozenset()
    elif name in _MISSING_READERS:
        raise not_implemented("Reading the format %r" % name, _MISSING_READERS[name],
                              "Convert the files to JSON, CSV or Parquet.")
    elif not name:
        raise ValueError("No format given for the files below %s: add format=\"csv\", \"json\", "
                         "\"parquet\", \"orc\" or \"avro\"." % files[0].path)
    else:
        raise ValueError("Unknown format %r: csv, json, parquet, orc and avro can be read." % name)
    if options.get("attachFilename"):
        frame = frame.withColumn(options["attachFilename"], F.input_file_name())
    return frame, choices


def _paths(files):
    return [f.path for f in files]


def _reader(spark, layout):
    reader = spark.read
    return reader.option("basePath", layout.base) if layout.base else reader


def _columnar(spark, files, name, layout):
    reader = _reader(spark, layout)
    if name in ("parquet", "orc"):
        reader = reader.option("mergeSchema", "true")
    try:
        frame = reader.format(name).load(_paths(files))
    except Exception as error:
        if name == "avro" and "avro" in str(error).lower() and "data source" in str(error).lower():
            raise not_implemented(
                "Reading the format 'avro'", "the spark-avro jar isn't in this Spark installation",
                "Put spark-avro_2.12-<version of Spark>.jar into Spark's jars folder.") from None
        raise
    if layout.base and layout.partition_columns:
        wanted = dict(layout.partition_columns)
        schema = T.StructType([T.StructField(f.name, wanted.get(f.name, f.dataType))
                               for f in frame.schema])
        frame = _reader(spark, layout).schema(schema).format(name).load(_paths(files))
    return frame


# --- CSV ---
def separator_of(options):
    return str(options.get("separator") or options.get("delimiter") or ",")


def quote_of(options):
    """The quote character; None when quoting is turned off with -1."""
    quote = options.get("quoteChar", '"')
    return None if str(quote) == "-1" or quote in (None, "") else str(quote)


def _spark_csv_options(options, skip_first):
    quote = quote_of(options)
    escaper = options.get("escaper")
    if str(escaper).lower() in ("none", ""):
        escaper = None
    multiline = flag(options.get("multiLine", options.get("multiline", False)))
    return {
        "sep": separator_of(options), "quote": quote or "", "multiLine": str(multiline).lower(),
        "escape": str(escaper or quote or "\u0000"), "header": str(bool(skip_first)).lower(),
        "mode": "PERMISSIVE", "encoding": str(options.get("encoding") or "UTF-8"),
        "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false",
    }


def _names(line, options, header):
    """Column names: of the header, or col0, col1, …"""
    quote = quote_of(options)
    rule = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    separator = separator_of(options)
    cells = (next(csv.reader([line or ""], delimiter=separator, **rule), [])
             if len(separator) == 1 else (line or "").split(separator))
    if not header:
        return tuple("col%d" % i for i in range(len(cells)))
    seen, out = {}, []
    for i, cell in enumerate(cells):
        name = cell or "col%d" % i
        if name in seen:
            seen[name] += 1
            name = "%s_%d" % (name, seen[name])
        seen.setdefault(name, 0)
        out.append(name)
    return tuple(out)


def _csv(spark, files, options, layout):
    header = flag(options.get("withHeader", False))
    skip = header or flag(options.get("skipFirst", False))
    if layout.columns:
        return _csv_of_table(spark, files, options, layout, skip)
    encoding = str(options.get("encoding") or "UTF-8")
    groups = {}
    for i, f in enumerate(files):
        if i < HEADERS_LOOKED_AT:
            names = _names(first_line(spark.sparkContext, f.path, encoding), options, header)
        groups.setdefault(names, []).append(f)
    if not header:  # the widest file tells
        widest = max(groups, key=len)
        groups = {widest: files}
    parts = [_csv_frame(spark, group, names, options, layout, skip)
             for names, group in groups.items()]
    frame = parts[0]
    for other in parts[1:]:
        frame = frame.unionByName(other, allowMissingColumns=True)
    return frame, frozenset()


def _csv_frame(spark, files, names, options, layout, skip):
    """All columns as text; an empty cell is the empty text."""
    inner = list(names)
    if len({n.lower() for n in names}) < len(names):  # Spark tells them apart by more than case
        inner = ["c%d" % i for i in range(len(names))]
    fields = [T.StructField(n, T.StringType()) for n in inner]
    fields += [T.StructField(n, t) for n, t in layout.partition_columns if layout.base]
    raw = _reader(spark, layout).schema(T.StructType(fields)).options(
        **_spark_csv_options(options, skip)).csv(_paths(files))
    columns = [F.coalesce(column(i), F.lit("")).alias(n) for i, n in zip(inner, names)]
    return raw.select(*(columns + [column(f.name) for f in fields[len(inner):]]))


def _csv_of_table(spark, files, options, layout, skip):
    """The columns by position, with the table's types; a column with cells that aren't of its type
    becomes a choice of that type and string."""
    raw = _csv_frame(spark, files, [n for n, _ in layout.columns], options, layout, skip)
    typed = [(n, t) for n, t in layout.columns if not isinstance(t, T.StringType)
             and not isinstance(t, (T.ArrayType, T.MapType, T.StructType))]
    if not typed:
        return raw, frozenset()
    failed = raw.select(*[F.sum(F.when(_cast(n, t).isNull() & (F.trim(column(n)) != ""), 1)
                                .otherwise(0)).alias("f%d" % i) for i, (n, t) in enumerate(typed)])
    counts = failed.head()
    bad = {n for (n, _), count in zip(typed, counts) if count}
    wanted, out = dict(typed), []
    for field in raw.schema:
        n = field.name
        if n in bad:
            good = _cast(n, wanted[n])
            out.append(F.when(column(n) != "", F.struct(
                good.alias(type_name(wanted[n])),
                F.when(good.isNull(), column(n)).alias("string"))).alias(n))
        else:
            out.append(_cast(n, wanted[n]).alias(n) if n in wanted else column(n))
    return raw.select(*out), frozenset((n,) for n in bad)


def _cast(name, kind):
    return F.trim(column(name)).cast(kind)
