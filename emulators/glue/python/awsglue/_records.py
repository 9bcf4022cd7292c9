"""Transforms of records: filter, map, join, merge, split_rows, spigot, unbox. A record on which the
script's function raises doesn't end the job, as on Glue: it becomes an error record."""

import csv
import json
import sys
import traceback

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue import _choice, _infer, _json, _nested, _sink, gluetypes
from awsglue._schema import find_path, to_spark, type_at

ERROR_TYPE = T.StructType([T.StructField("msg", T.StringType()),
                           T.StructField("stackTrace", T.StringType()),
                           T.StructField("dynamicRecord", T.StringType())])
_ERRORS_SHOWN = 10
_shown = [0]


def _error_of(record):
    """The error record for the exception being handled; the first few are also printed."""
    kind, value = sys.exc_info()[:2]
    message = "%s: %s" % (kind.__name__, value)
    text = json.dumps(record, default=str, ensure_ascii=False)
    if _shown[0] < _ERRORS_SHOWN:
        _shown[0] += 1
        sys.stderr.write("awsglue: error record: %s in %.500s\n" % (message, text))
        sys.stderr.flush()
    return (message, traceback.format_exc(), text)


def filter_(frame, f):
    df, choices = frame._df, frame._choices
    if not df.columns:
        return frame._new(df)

    def judge(row):
        record = _infer.plain(row, choices)
        try:
            return (bool(f(record)), None)
        except Exception:
            return (False, _error_of(_infer.plain(row, choices)))

    kind = T.StructType([T.StructField("keep", T.BooleanType()),
                         T.StructField("error", ERROR_TYPE)])
    judging = F.udf(judge, kind).asNondeterministic()
    judged = df.withColumn("__judged", judging(F.struct(*map(_nested.column, df.columns))))
    kept = judged.filter(F.col("__judged.keep")).drop("__judged")
    errors = judged.filter(F.col("__judged.error").isNotNull()).select(
        F.col("__judged.error").alias("error"))
    return frame._new(kept, errors=errors)


def map_(frame, f):
    df, choices = frame._df, frame._choices
    if not df.columns:
        return frame._new(df)

    def attempt(row):
        try:
            made = f(_infer.plain(row, choices))
            if not isinstance(made, dict):
                raise TypeError("the function returned a %s, not a record" % type(made).__name__)
            _infer.observe(_infer.blank(), made)
            return (made, None)
        except Exception:
            return (None, _error_of(_infer.plain(row, choices)))

    # Kept: the types are learnt in one pass, the records taken in another, and f may have effects.
    tried = df.rdd.map(attempt).persist()
    good = tried.filter(lambda pair: pair[1] is None).map(lambda pair: pair[0])
    bad = tried.filter(lambda pair: pair[1] is not None).map(lambda pair: (pair[1],))
    made, choices = _json.frame_of(df.sparkSession, good, df.schema)
    kind = T.StructType([T.StructField("error", ERROR_TYPE)])
    return frame._new(made, choices, errors=df.sparkSession.createDataFrame(bad, kind))


_OPERATORS = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b, "=": lambda a, b: a == b, "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def comparison(frame, comparisons):
    """split_rows' condition as a column; null compares as false."""
    out = F.lit(True)
    for text, rules in comparisons.items():
        path = find_path(frame._df.schema, text)
        if type_at(frame._df.schema, path) is None:
            return F.lit(False)
        for operator, value in rules.items():
            if operator not in _OPERATORS:
                raise ValueError("Unknown comparison %r: use one of %s"
                                 % (operator, " ".join(sorted(_OPERATORS))))
            out = out & F.coalesce(_OPERATORS[operator](_nested.value_at(path), F.lit(value)),
                                   F.lit(False))
    return out


def _keys(frame, texts, which):
    schema, out = frame._df.schema, []
    for text in texts:
        path = find_path(schema, text)
        if type_at(schema, path) is None:
            raise ValueError("The key %r isn't in %s: it has %s"
                             % (text, which, ", ".join(schema.names)))
        if path in frame._choices:
            raise ValueError("The key %r of %s is a choice: resolve it first" % (text, which))
        out.append(_nested.value_at(path))
    return out


def join(frame, paths1, paths2, other):
    """Inner equality join; null keys match nothing."""
    if len(paths1) != len(paths2):
        raise ValueError("join: %d keys on one side, %d on the other" % (len(paths1), len(paths2)))
    left, right = frame._df, other._df
    if not left.columns or not right.columns:
        empty = left.sparkSession.createDataFrame([], T.StructType([]))
        return frame._new(empty, frozenset())
    k = range(len(paths1))
    keys = _keys(frame, paths1, "the first frame")
    a = left.select("*", *[c.alias("__l%d" % i) for i, c in zip(k, keys)])
    names, n = [], len(right.columns)
    for name in right.columns:
        while name in left.columns or name in names:
            name = "." + name
        names.append(name)
    b = right.select(*([_nested.column(c).alias("__c%d" % i) for i, c in enumerate(right.columns)]
                       + [c.alias("__r%d" % i)
                          for i, c in zip(k, _keys(other, paths2, "the second frame"))]))
    condition = [F.col("__l%d" % i) == F.col("__r%d" % i) for i in k]
    made = a.join(b, condition, "inner").select(
        *([_nested.column(c) for c in left.columns]
          + [F.col("__c%d" % i).alias(names[i]) for i in range(n)]))
    renamed = dict(zip(right.columns, names))
    choices = set(frame._choices) | {(renamed[c[0]],) + c[1:] for c in other._choices}
    return frame._new(made, choices)


def merge(frame, stage, keys):
    """Records of `frame` whose keys the stage lacks, then the stage's."""
    if not frame._df.columns or not stage._df.columns:
        return _choice.union(frame, stage)
    theirs = stage._df.select(*[c.alias("__k%d" % i) for i, c in enumerate(
        _keys(stage, keys, "the staging frame"))]).distinct()
    conditions = [c.eqNullSafe(F.col("__k%d" % i)) for i, c in enumerate(
        _keys(frame, keys, "the source frame"))]
    condition = conditions[0]
    for more in conditions[1:]:
        condition = condition & more
    kept = frame._new(frame._df.join(theirs, condition, "left_anti"))
    return _choice.union(kept, stage)


def spigot(frame, path, options):
    """Sample records as JSON."""
    sample = frame._df
    if options.get("prob") is not None:
        sample = sample.sample(float(options["prob"]))
    if options.get("topk") is not None or options.get("prob") is None:
        sample = sample.limit(int(options.get("topk") or 10))
    _sink.write_files(sample.sparkSession, sample, frame._choices, path, "json", {})


# --- unbox ---
def _csv_values(options):
    separator = str(options.get("separator", ","))
    schema = options.get("withSchema")
    names = None
    if schema:
        kind = gluetypes.fromJson(schema) if isinstance(schema, str) else schema
        names = [f.name for f in kind.fields]

    def parse(text):
        cells = next(csv.reader([text], delimiter=separator), [])
        known = names or ["col%d" % i for i in range(len(cells))]
        return dict(zip(known, cells))

    return parse, (to_spark(kind) if schema else None)


def unbox(frame, path_text, format, options):
    """A text field parsed; a text that can't be is null and an error record."""
    df = frame._df
    path = find_path(df.schema, path_text)
    if not isinstance(type_at(df.schema, path), T.StringType):
        raise ValueError("unbox: %r isn't a text field of the frame" % path_text)
    if format == "json":
        parse, hint = json.loads, None
    elif format == "csv":
        parse, hint = _csv_values(options)
    else:
        raise ValueError("unbox knows the formats json and csv, not %r" % format)

    def safe(text):
        try:
            return parse(text) if text is not None else None
        except ValueError:
            return None

    node = df.select(_nested.value_at(path).alias("v")).rdd.map(lambda row: safe(row[0])) \
        .mapPartitions(_infer.observe_all).treeReduce(_infer.merge)
    kind, choices, plan = _infer.finish(node, hint, path)
    if isinstance(kind, T.NullType):
        kind = T.StringType()
    parsed = F.udf(lambda text: _infer.convert(safe(text), plan), kind)
    made = df.select(*_nested.rewrite(df.schema, {path: lambda c, _k, n: [(n, parsed(c))]}))
    readable = F.udf(lambda text: text is None or safe(text) is not None, T.BooleanType())
    text = _nested.value_at(path)
    errors = df.filter(~readable(text)).select(F.struct(
        F.lit("unbox: not %s" % format).alias("msg"), F.lit("").alias("stackTrace"),
        text.alias("dynamicRecord")).alias("error"))
    return frame._new(made, set(frame._choices) | choices, errors=errors)
