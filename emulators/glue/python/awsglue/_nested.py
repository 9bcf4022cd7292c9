"""Columns rebuilt with some of their nested fields edited."""

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue._schema import ITEM


def column(name):
    """The top-level column of exactly this name."""
    return F.col("`%s`" % name.replace("`", "``"))


def member(outer, name):
    """A struct's field."""
    return outer.getField(name)


def value_at(path):
    """The column expression for a path of names (no arrays in it)."""
    out = column(path[0])
    for name in path[1:]:
        out = member(out, name)
    return out


def rewrite(schema, edits):
    """The top-level columns with `edits` applied: {path: function(column, type, name) → list of
    (name, column) that take the field's place}. Fields without an edit stay as they are."""
    out = []
    for field in schema:
        out += _field(column(field.name), field, (field.name,), edits)
    return [c.alias(name) for name, c in out]


def _touched(path, edits):
    n = len(path)
    return any(len(e) > n and e[:n] == path for e in edits)


def _field(col, field, path, edits):
    if path in edits:
        return edits[path](col, field.dataType, field.name)
    if not _touched(path, edits):
        return [(field.name, col)]
    inner = _inside(col, field.dataType, path, edits)
    return [] if inner is None else [(field.name, inner)]


def _inside(col, kind, path, edits):
    if isinstance(kind, T.StructType):
        parts = []
        for field in kind:
            parts += _field(member(col, field.name), field, path + (field.name,), edits)
        if not parts:
            return None
        return F.when(col.isNotNull(), F.struct(*[c.alias(n) for n, c in parts]))
    if isinstance(kind, T.ArrayType):
        below = path + (ITEM,)

        def one(item):
            if below in edits:
                return edits[below](item, kind.elementType, ITEM)[0][1]
            return _inside(item, kind.elementType, below, edits)

        return F.transform(col, one)
    return col


def drop(_col, _kind, _name):
    """An edit: the field goes."""
    return []


def build_tree(targets):
    """Columns out of [(path, column)], paths with several names becoming structs; first come, first
    in order. A path that comes twice: the last wins."""
    root = {}
    for path, col in targets:
        here = root
        for name in path[:-1]:
            if not isinstance(here.get(name), dict):
                here[name] = {}
            here = here[name]
        here[path[-1]] = col

    def make(node):
        if not isinstance(node, dict):
            return node
        return F.struct(*[make(v).alias(k) for k, v in node.items()])

    return [make(node).alias(name) for name, node in root.items()]
