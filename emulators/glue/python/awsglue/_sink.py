"""Writing frames: files under Glue's names beside those that are there, and tables over JDBC."""

import json
import re
import time

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue import _infer
from awsglue._errors import not_implemented
from awsglue._files import Staging
from awsglue._formats import flag, quote_of, separator_of
from awsglue._nested import column, drop, rewrite
from awsglue._schema import ITEM, type_name

_PART = re.compile(r"part-(\d+)-[^.]*((?:\.\w+)*)\Z")
_COMPRESSIONS = {"gzip": "gzip", "gz": "gzip", "bzip": "bzip2", "bzip2": "bzip2",
                 "snappy": "snappy", "lzo": "lzo", "lz4": "lz4", "zlib": "zlib", "zstd": "zstd",
                 "none": "none", "uncompressed": "none"}


class Written(object):
    """What a write left behind: paths of files, and the partitions' values in them."""

    def __init__(self, root, paths, keys):
        self.paths = paths
        found = {}
        for path in paths:
            folders = path[len(root):].strip("/").split("/")[:-1]
            if keys and len(folders) == len(keys):
                values = tuple(_unescaped(f.split("=", 1)[1]) for f in folders)
                found[values] = path.rsplit("/", 1)[0] + "/"
        self.partitions = found


def _unescaped(text):
    return re.sub("%([0-9A-Fa-f]{2})", lambda m: chr(int(m.group(1), 16)), text)


def _compression(options):
    name = options.get("compression") or options.get("compressionType")
    if name in (None, ""):
        return None
    if str(name).lower() not in _COMPRESSIONS:
        raise ValueError("Unknown compression %r" % name)
    return _COMPRESSIONS[str(name).lower()]


def write_files(spark, frame, choices, path, name, options, keys=()):
    """Adds the frame's records to the folder `path` as files of the format `name`; nothing there is
    overwritten. An empty frame writes nothing."""
    keys = list(keys or [])
    missing = [k for k in keys if k not in frame.columns]
    if missing and frame.columns:
        raise ValueError("partitionKeys name %s, which the frame doesn't have (it has: %s)"
                         % (", ".join(missing), ", ".join(frame.columns)))
    root = path.rstrip("/")
    if not [c for c in frame.columns if c not in keys]:
        return Written(root, [], keys)
    staging = Staging(spark.sparkContext, root)
    try:
        rename, header = _stage(frame, choices, staging.path, name, options, keys)
        return Written(root, staging.publish(rename, header), keys)
    finally:
        staging.remove()


def _stage(frame, choices, path, name, options, keys):
    stamp = "run-%d" % (time.time() * 1000)
    compression = _compression(options)
    if name in ("csv", "json"):
        text, header = (_csv_lines(frame, options, keys) if name == "csv"
                        else (_json_lines(frame, choices, keys), None))
        if header and compression == "gzip":
            import gzip

            header = gzip.compress(header)
        elif header and compression == "bzip2":
            import bz2

            header = bz2.compress(header)
        elif header and compression not in (None, "none"):
            raise not_implemented("CSV with a header in the compression %r" % compression,
                                  "the header is put before Spark's output",
                                  "Take gzip or bzip2, or writeHeader False.")
        writer = text.write.partitionBy(*keys) if keys else text.write
        writer.option("compression", compression or "none").text(path)
        return _run_names(stamp, "part-r"), header
    if name in ("parquet", "glueparquet", "orc", "avro"):
        return _stage_columnar(frame, path, name, options, keys, stamp), None
    raise not_implemented("Writing the format %r" % name,
                          "csv, json, parquet, glueparquet, orc and avro are what there is",
                          "Choose one of these.")


def _stage_columnar(frame, path, name, options, keys, stamp):
    by_glue = name == "glueparquet" or flag(options.get("useGlueParquetWriter", False))
    compression = _compression(options)
    if frame.head(1) == []:
        return str
    writer = _without_voids(frame).write
    writer = writer.partitionBy(*keys) if keys else writer
    writer = writer.option("compression", compression) if compression else writer
    for glue, spark in (("blockSize", "parquet.block.size"), ("pageSize", "parquet.page.size")):
        if options.get(glue):
            writer = writer.option(spark, str(options[glue]))
    try:
        writer.format(name.replace("glue", "")).save(path)
    except Exception as error:
        if name == "avro" and "data source" in str(error).lower():
            raise not_implemented(
                "Writing the format 'avro'", "the spark-avro jar isn't in this Spark installation",
                "Put spark-avro_2.12-<version of Spark>.jar into Spark's jars folder.") from None
        raise
    if by_glue:
        return _run_names(stamp, "part-block-0-r", "-%s.parquet" % (
            "uncompressed" if compression == "none" else compression or "snappy"))
    return str if name != "avro" and name != "orc" else _run_names(stamp, "part-r", "." + name)


def _without_voids(frame):
    """The frame without fields that are null everywhere, which these formats have no type for."""
    voids = []

    def walk(kind, path):
        for f in kind:
            if isinstance(f.dataType, T.NullType):
                voids.append(path + (f.name,))
            elif isinstance(f.dataType, T.StructType):
                walk(f.dataType, path + (f.name,))
            elif isinstance(f.dataType, T.ArrayType) and isinstance(f.dataType.elementType,
                                                                    T.StructType):
                walk(f.dataType.elementType, path + (f.name, ITEM))
            elif isinstance(f.dataType, T.ArrayType) and isinstance(f.dataType.elementType,
                                                                    T.NullType):
                voids.append(path + (f.name,))

    walk(frame.schema, ())
    return frame.select(*rewrite(frame.schema, {p: drop for p in voids})) if voids else frame


def _run_names(stamp, middle, ending=None):
    def rename(name):
        match = _PART.match(name)
        extension = match.group(2) if match else ""
        extension = re.sub(r"\.(txt|c\d+)\b", "", extension) if ending is None else ending
        return "%s-%s-%s%s" % (stamp, middle, match.group(1) if match else name, extension)

    return rename


# --- lines ---
def _as_text(field):
    col = column(field.name)
    if type_name(field.dataType) in ("struct", "array", "map"):
        return F.to_json(col)
    if isinstance(field.dataType, T.BinaryType):
        return F.base64(col)
    return col.cast("string")


def _quoted(text, separator, quote, escaper):
    """Quotes where a text has the separator, a quote, a line end or a blank in it."""
    if not quote:
        return text
    special = "[\\s%s]" % "".join("\\" + c if not c.isalnum() else c for c in separator + quote)
    inside = re.sub(r"([\\$])", r"\\\1", (escaper or quote) + quote)
    doubled = F.regexp_replace(text, "\\Q%s\\E" % quote, inside)
    whole = F.concat(F.lit(quote), doubled, F.lit(quote))
    return F.when(text.rlike(special), whole).otherwise(text)


def _csv_lines(frame, options, keys):
    separator, quote = separator_of(options), quote_of(options)
    escaper = options.get("escaper")
    escaper = None if str(escaper).lower() in ("none", "") else str(escaper)
    fields = [f for f in frame.schema if f.name not in keys]
    cells = []
    for field in fields:
        text = _as_text(field)
        if type_name(field.dataType) not in ("int", "long", "short", "byte", "double", "float",
                                             "boolean", "decimal", "date"):
            text = _quoted(text, separator, quote, escaper)
        cells.append(F.coalesce(text, F.lit("")))
        cells.append(F.lit(separator))
    line = F.concat(*cells[:-1]) if len(cells) > 2 else cells[0]
    header = None
    if flag(options.get("writeHeader", True)):
        header = (separator.join(_header_cell(f.name, separator, quote) for f in fields)
                  + "\n").encode("utf-8")
    return frame.select(line.alias("value"), *[column(k) for k in keys]), header


def _header_cell(name, separator, quote):
    if quote and (any(c.isspace() for c in name) or separator in name or quote in name):
        return quote + name.replace(quote, quote * 2) + quote
    return name


def _json_lines(frame, choices, keys):
    fields = [f.name for f in frame.schema if f.name not in keys]
    if choices:  # a choice is written as the value that it has
        names = F.udf(lambda row: json.dumps(_without_nulls(_infer.plain(row, choices)),
                                             default=str, ensure_ascii=False,
                                             separators=(",", ":")))
        line = names(F.struct(*[column(n) for n in fields]))
    else:
        line = F.to_json(F.struct(*[column(n) for n in fields]))
    return frame.select(line.alias("value"), *[column(k) for k in keys])


def _without_nulls(value):
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value]
    return value
