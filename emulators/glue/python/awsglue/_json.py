"""JSON: types by looking at every record, since a field may hold numbers here and texts there."""

import json

from pyspark.sql import types as T

from awsglue import _infer
from awsglue._errors import not_implemented
from awsglue._nested import column


def _values_of(text):
    """All JSON values in a text, arrays at the top opened; raises ValueError."""
    decoder, i, out = json.JSONDecoder(), 0, []
    n = len(text)
    while True:
        while i < n and text[i] in " \t\r\n,\ufeff":
            i += 1
        if i == n:
            return out
        value, i = decoder.raw_decode(text, i)
        out += value if isinstance(value, list) else [value]


def _steps(json_path):
    """["a", "b"] of "$.a.b[*]"."""
    path = json_path.strip()
    path = path[1:] if path.startswith("$") else path
    steps = [s for s in path.replace("[*]", "").split(".") if s]
    if any(c in s for s in steps for c in "[]()?@*"):
        raise not_implemented("The jsonPath %r" % json_path,
                              "only names and [*] are understood in it",
                              "Read the whole documents and select the fields by a transform.")
    return steps


def _records(text, steps):
    for value in _values_of(text):
        found = [value]
        for step in steps:
            inner = [v.get(step) for v in found if isinstance(v, dict)]
            found = [x for v in inner for x in (v if isinstance(v, list) else [v])]
        for record in found:
            if isinstance(record, dict):
                yield record
            elif record is not None:
                raise ValueError("a record is a %s, not an object" % type(record).__name__)


def _parser(steps, partitions):
    """A function for mapPartitions over rows (value, partition columns…, file)."""

    def parse(rows):
        for row in rows:
            try:
                for record in _records(row[0], steps):
                    for i, name in enumerate(partitions):
                        record[name] = row[1 + i]
                    yield record
            except ValueError as error:
                raise ValueError("Unable to parse file: %s: %s in %.80r"
                                 % (row[-1], error, row[0])) from None

    return parse


def _texts(spark, files, layout, whole):
    from pyspark.sql import functions as F

    reader = spark.read.format("text")
    parts = layout.partition_columns if layout.base else []
    fields = [T.StructField("value", T.StringType())] + [T.StructField(n, t) for n, t in parts]
    if layout.base:
        reader = reader.option("basePath", layout.base)
    frame = reader.schema(T.StructType(fields)).option("wholetext", str(whole).lower()).load(
        [f.path for f in files])
    columns = [column(f.name) for f in fields] + [F.input_file_name()]
    return frame.select(*columns), [n for n, _ in parts]


def _line_by_line(texts):
    """Whether the first lines are documents by themselves."""
    for row in texts.head(3):
        line = row[0].strip().lstrip("\ufeff")
        if line:
            try:
                _values_of(line)
            except ValueError:
                return False
    return True


def read(spark, files, options, layout):
    """(DataFrame, choices). One pass learns the types, the next ones read."""
    encoding = str(options.get("encoding") or "UTF-8").upper()
    if encoding not in ("UTF-8", "UTF8"):
        raise not_implemented("JSON in the encoding %r" % encoding,
                              "lines are read as UTF-8", "Convert the files to UTF-8.")
    whole = str(options.get("multiline", options.get("multiLine", ""))).lower() == "true"
    texts, parts = _texts(spark, files, layout, whole)
    if not whole and not _line_by_line(texts):
        whole = True
        texts, parts = _texts(spark, files, layout, whole)
    steps = _steps(str(options["jsonPath"])) if options.get("jsonPath") else []
    records = texts.rdd.mapPartitions(_parser(steps, parts))
    hint = T.StructType([T.StructField(n, t) for n, t in layout.partition_columns])
    node = _node_of(records)
    kind, choices, plan = _infer.finish(node, hint)
    if whole or steps or choices or not _plain_lines(kind):
        return _made(spark, records, kind, choices, plan)
    reader = spark.read.schema(kind)  # Spark's own parser is several times as fast
    if layout.base:
        reader = reader.option("basePath", layout.base)
    return reader.json([f.path for f in files]), frozenset()


def _plain_lines(kind):
    """Whether Spark's reader gives the same for this type as we do."""
    if isinstance(kind, T.StructType):
        return bool(kind.fields) and all(_plain_lines(f.dataType) for f in kind) and len(
            {n.lower() for n in kind.names}) == len(kind.names)
    if isinstance(kind, T.ArrayType):
        return _plain_lines(kind.elementType)
    return not isinstance(kind, T.NullType)


def _node_of(records):
    return records.mapPartitions(_infer.observe_all).treeReduce(_infer.merge)


def frame_of(spark, records, hint=None):
    """(DataFrame, choices) of an RDD of dictionaries."""
    kind, choices, plan = _infer.finish(_node_of(records), hint)
    return _made(spark, records, kind, choices, plan)


def _made(spark, records, kind, choices, plan):
    if not isinstance(kind, T.StructType) or not kind.fields:
        return spark.createDataFrame([], T.StructType([])), frozenset()
    rows = records.map(lambda record: _infer.convert(record, plan))
    return spark.createDataFrame(rows, kind, verifySchema=False), frozenset(choices)
