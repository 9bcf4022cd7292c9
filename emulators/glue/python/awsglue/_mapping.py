"""Transforms of fields: select, drop, rename, apply_mapping. Each takes a DynamicFrame and returns
one."""

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue import _nested, _schema
from awsglue._schema import below, find_path, moved, spark_type_of, type_at, type_name


def select(frame, paths):
    """Nested fields keep their place: selecting a.b gives a struct a with b alone."""
    schema = frame._df.schema
    found = [p for p in (find_path(schema, text) for text in paths)
             if type_at(schema, p) is not None]
    whole = {p[0] for p in found if len(p) == 1}
    found = [p for p in found if len(p) == 1 or p[0] not in whole]
    order = list(dict.fromkeys(p[0] for p in found))
    keep = set(found)
    edits = {}

    def walk(kind, path):
        for name in kind.names:
            here = path + (name,)
            if here in keep:
                continue
            if any(k[:len(here)] == here for k in keep):
                inner = kind[name].dataType
                if isinstance(inner, T.StructType):
                    walk(inner, here)
            else:
                edits[here] = _nested.drop

    walk(schema, ())
    made = frame._df.select(*_nested.rewrite(schema, edits)) if edits else frame._df
    made = made.select(*[_nested.column(n) for n in order])
    choices = {c for p in found for c in below(frame._choices, p)}
    return frame._new(made, choices)


def drop(frame, paths):
    schema = frame._df.schema
    found = [p for p in (find_path(schema, text) for text in paths)
             if type_at(schema, p) is not None]
    if not found:
        return frame._new(frame._df)
    made = frame._df.select(*_nested.rewrite(schema, {p: _nested.drop for p in found}))
    gone = {c for p in found for c in below(frame._choices, p)}
    return frame._new(made, frame._choices - gone)


def rename(frame, old, new):
    """`new` is a full path, too: one at another place moves the field. A field that isn't there
    leaves the frame as it is."""
    schema = frame._df.schema
    source = find_path(schema, old)
    target = _schema.split_path(new)
    kind = type_at(schema, source)
    if kind is None or source == target:
        return frame._new(frame._df)
    choices = (frame._choices - below(frame._choices, source)) | moved(
        frame._choices, source, target)
    if source[:-1] == target[:-1]:
        edits = {source: lambda col, _kind, _name: [(target[-1], col)]}
        if type_at(schema, target) is not None:
            edits[target] = _nested.drop  # the name was taken: the renamed field wins
        return frame._new(frame._df.select(*_nested.rewrite(schema, edits)), choices)
    if "[]" in source + target:
        raise ValueError("rename_field can't move %r to %r: arrays are in the way" % (old, new))
    return frame._new(_moved(frame._df, schema, source, target), choices)


def _moved(df, schema, source, target):
    leaves = []
    for path in _leaves(schema, source[0], target[0]):
        to = target if path == source else path
        leaves.append((to, _nested.value_at(path)))
    return df.select(*_nested.build_tree(leaves))


def _leaves(schema, *opened):
    """Paths of all fields, those of the structs named `opened` one by one."""
    out = []

    def walk(kind, path):
        for f in kind:
            here = path + (f.name,)
            if isinstance(f.dataType, T.StructType) and here[0] in opened:
                walk(f.dataType, here)
            else:
                out.append(here)

    walk(schema, ())
    return out


# --- apply_mapping ---
def _four(mapping):
    """(source, source type, target, target type) of a mapping of two, three or four texts."""
    m = tuple(mapping)
    if len(m) == 2:
        return m[0], None, m[1], None
    if len(m) == 3:
        return m[0], None, m[1], m[2]
    if len(m) == 4:
        return m
    raise ValueError("A mapping is (source, source type, target, target type), not %r" % (m,))


def _ignoring_case(schema, path):
    """The path as the schema spells it."""
    out, here = [], schema
    for part in path:
        if isinstance(here, T.StructType):
            match = [n for n in here.names if n.lower() == part.lower()]
            if not match:
                return path
            part = part if part in match else match[0]
            here = here[part].dataType
        out.append(part)
    return tuple(out)


def _convertible(kind):
    return type_name(kind) not in ("struct", "array", "map")


def _resolved(col, kind, choice, source_type):
    """The value of a choice that has the mapping's source type; of another column, itself."""
    if not choice:
        return col, kind, False
    if source_type in kind.names:
        return _nested.member(col, source_type), kind[source_type].dataType, False
    if source_type in (None, "choice"):
        return col, kind, True
    parts = [_nested.member(col, f.name).cast(spark_type_of(source_type))
             for f in kind if _convertible(f.dataType)]
    return F.coalesce(*parts), spark_type_of(source_type), False


def apply(frame, mappings, case_sensitive=True):
    """Only the mapped fields, in the mappings' order; sources that aren't there are left out."""
    schema, targets, choices = frame._df.schema, [], set()
    for mapping in mappings:
        source, source_type, target, target_type = _four(mapping)
        path = find_path(schema, source)
        if not case_sensitive:
            path = _ignoring_case(schema, path)
        kind = type_at(schema, path)
        if kind is None or "[]" in path:
            continue
        to = _schema.split_path(target)
        col, kind, still = _resolved(_nested.value_at(path), kind, path in frame._choices,
                                     source_type)
        if still or path not in frame._choices:
            choices |= moved(frame._choices, path, to)
        wanted = spark_type_of(target_type) if target_type else None
        if wanted is not None and _convertible(kind) and wanted != kind:
            col = cast(col, kind, wanted)
        elif wanted is not None and not _convertible(kind) and isinstance(wanted, T.StringType):
            col = F.to_json(col)
        elif wanted is not None and not _convertible(kind) and wanted != kind:
            col = col.cast(wanted)
        targets.append((to, col))
    return frame._new(frame._df.select(*_nested.build_tree(targets)), choices)


def cast(col, kind, wanted):
    """A cast as Glue does it: blanks around numbers in texts don't matter; null if it can't be."""
    if isinstance(kind, T.StringType) and not isinstance(wanted, (T.StringType, T.BinaryType)):
        text = F.trim(col)
        if isinstance(wanted, (T.ByteType, T.ShortType, T.IntegerType, T.LongType)):
            text = F.when(text.rlike(r"^[+-]?\d+$"), text)
        return text.cast(wanted)
    return col.cast(wanted)
