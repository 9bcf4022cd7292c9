"""Nested frames made flat: unnest and relationalize."""

from pyspark import StorageLevel
from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue import _nested
from awsglue._schema import moved


def _flat(frame, keep_choices):
    """[(path, Spark type, column)] of all fields with structs opened."""
    out = []

    def walk(kind, path, col):
        for f in kind:
            here = path + (f.name,)
            inner = _nested.column(f.name) if col is None else _nested.member(col, f.name)
            if isinstance(f.dataType, T.StructType) and not (
                    keep_choices and here in frame._choices):
                walk(f.dataType, here, inner)
            else:
                out.append((here, f.dataType, inner))

    walk(frame._df.schema, (), None)
    return out


def unnest(frame):
    choices, columns = set(), []
    for path, _kind, col in _flat(frame, True):
        name = ".".join(path)
        columns.append(col.alias(name))
        choices |= moved(frame._choices, path, (name,))
    return frame._new(frame._df.select(*columns), choices)


def _opened(df):
    """The frame with structs opened: (DataFrame, names of its arrays and maps)."""
    columns, nested = [], []

    def walk(kind, col, name):
        if isinstance(kind, T.StructType):
            for f in kind:
                walk(f.dataType, _nested.member(col, f.name), name + "." + f.name)
            return
        columns.append(col.alias(name))
        if isinstance(kind, (T.ArrayType, T.MapType)):
            nested.append(name)

    for f in df.schema:
        walk(f.dataType, _nested.column(f.name), f.name)
    return df.select(*columns), nested


def relationalize(frame, root):
    """{name: DynamicFrame}: the root with arrays replaced by keys, and ROOT_path frames with id,
    index and path.val… for their elements. Keys are unique within one call only."""
    out = {}

    def add(df, name):
        flat, nested = _opened(df)
        if nested:  # the keys must be the same in all frames made of this one
            flat = flat.withColumn("__id", F.monotonically_increasing_id() + 1).persist(
                StorageLevel.MEMORY_AND_DISK)
        columns = []
        for c in flat.columns:
            if c in nested:
                key = F.when(_nested.column(c).isNotNull(), F.col("__id"))
                columns.append(key.alias(c))
            elif c != "__id":
                columns.append(_nested.column(c))
        out[name] = frame._new(flat.select(*columns), frozenset(), name)
        for c in nested:
            add(_elements(flat, c), "%s_%s" % (root, c))

    add(frame._df, root)
    return out


def _elements(flat, name):
    """One row per element of the array or map column `name`."""
    source = _nested.column(name)
    if isinstance(flat.schema[name].dataType, T.MapType):
        source = F.map_entries(source)
    rows = flat.select(F.col("__id").alias("id"), F.posexplode(source).alias("index", "__val"))
    return rows.select("id", "index", F.col("__val").alias(name + ".val"))
