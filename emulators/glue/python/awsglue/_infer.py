"""Types out of values: what JSON documents and the results of Map functions look like. Runs inside
of Spark's Python workers, so the observations are plain dictionaries."""

import datetime
import decimal

from pyspark.sql import types as T

_ORDER = ("int", "long", "double", "boolean", "string", "date", "timestamp", "decimal", "binary")
_ATOMS = {
    "int": T.IntegerType(), "long": T.LongType(), "double": T.DoubleType(),
    "boolean": T.BooleanType(), "string": T.StringType(), "date": T.DateType(),
    "timestamp": T.TimestampType(), "decimal": T.DecimalType(38, 18), "binary": T.BinaryType(),
}
_INT_MAX = 2147483647
_INTEGRAL = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)


def kind_of(value):
    """The name of a value's type; None for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -_INT_MAX - 1 <= value <= _INT_MAX else "long"
    if isinstance(value, float):
        return "double"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "struct"
    if isinstance(value, (list, tuple, set)):
        return "array"
    if isinstance(value, decimal.Decimal):
        return "decimal"
    if isinstance(value, datetime.datetime):
        return "timestamp"
    if isinstance(value, datetime.date):
        return "date"
    if isinstance(value, (bytes, bytearray)):
        return "binary"
    raise TypeError("A record holds a %s, which has no type in Glue" % type(value).__name__)


def blank():
    return {"atoms": set(), "fields": None, "item": None}


def observe(node, value):
    """Adds one value to what is known."""
    kind = kind_of(value)
    if kind == "struct":
        if node["fields"] is None:
            node["fields"] = {}
        for name, inner in value.items():
            observe(node["fields"].setdefault(str(name), blank()), inner)
    elif kind == "array":
        if node["item"] is None:
            node["item"] = blank()
        for inner in value:
            observe(node["item"], inner)
    elif kind:
        node["atoms"].add(kind)
    return node


def merge(a, b):
    """Both together, in `a`."""
    a["atoms"] |= b["atoms"]
    if b["fields"] is not None:
        if a["fields"] is None:
            a["fields"] = {}
        for name, inner in b["fields"].items():
            a["fields"][name] = merge(a["fields"][name], inner) if name in a["fields"] else inner
    if b["item"] is not None:
        a["item"] = b["item"] if a["item"] is None else merge(a["item"], b["item"])
    return a


def observe_all(values):
    """For mapPartitions: one observation of all."""
    node = blank()
    for value in values:
        observe(node, value)
    return [node]


def _kinds(node):
    atoms = set(node["atoms"])
    if "long" in atoms:
        atoms.discard("int")
    out = [k for k in _ORDER if k in atoms]
    if node["fields"] is not None:
        out.append("struct")
    if node["item"] is not None:
        out.append("array")
    return out


def _atom(kind, hint):
    integral = kind in ("int", "long") and isinstance(hint, _INTEGRAL)
    if integral and not (kind == "long" and not isinstance(hint, T.LongType)):
        return hint
    if kind == "double" and isinstance(hint, T.FloatType):
        return hint
    if kind == "decimal" and isinstance(hint, T.DecimalType):
        return hint
    return _ATOMS[kind]


def finish(node, hint=None, path=()):
    """(Spark type, choices below, plan for convert()). `hint` is the type that the field had
    before, kept where the values allow it."""
    kinds = _kinds(node)
    if not kinds:
        return (hint or T.NullType()), set(), ("hinted" if hint else "null",)
    made = {}
    for kind in kinds:
        inner_path = path if len(kinds) == 1 else path + (kind,)
        if kind == "struct":
            made[kind] = _finish_struct(node, hint, inner_path)
        elif kind == "array":
            element = hint.elementType if isinstance(hint, T.ArrayType) else None
            t, c, p = finish(node["item"], element, inner_path + ("[]",))
            made[kind] = (T.ArrayType(t), c, ("array", p))
        else:
            made[kind] = (_atom(kind, hint if len(kinds) == 1 else None), set(), ("atom",))
    if len(kinds) == 1:
        return made[kinds[0]]
    choices = {path}
    for t, c, p in made.values():
        choices |= c
    kind = T.StructType([T.StructField(k, made[k][0]) for k in kinds])
    return kind, choices, ("choice", [(k, made[k][2]) for k in kinds])


def _finish_struct(node, hint, path):
    known = {f.name: f.dataType for f in hint} if isinstance(hint, T.StructType) else {}
    order = [n for n in known if n in node["fields"]]
    order += [n for n in node["fields"] if n not in known]
    fields, choices, plans = [], set(), []
    for name in order:
        t, c, p = finish(node["fields"][name], known.get(name), path + (name,))
        fields.append(T.StructField(name, t))
        choices |= c
        plans.append((name, p))
    return T.StructType(fields), choices, ("struct", plans)


def convert(value, plan):
    """The value in the shape of the type that finish() made."""
    if value is None or plan[0] == "null":
        return None
    if plan[0] == "struct":
        return tuple(convert(value.get(name), inner) for name, inner in plan[1])
    if plan[0] == "array":
        return [convert(item, plan[1]) for item in value]
    if plan[0] == "choice":
        kind = kind_of(value)
        names = [k for k, _ in plan[1]]
        kind = "long" if kind == "int" and "int" not in names else kind
        return tuple(convert(value, inner) if k == kind else None for k, inner in plan[1])
    return value


def plain(row, choices=frozenset(), path=()):
    """A Row as nested dictionaries and lists; a choice as the one value that it has."""
    if isinstance(row, T.Row):
        names = row.__fields__
        if path in choices:
            for name, value in zip(names, row):
                if value is not None:
                    return plain(value, choices, path + (name,))
            return None
        return {n: plain(v, choices, path + (n,)) for n, v in zip(names, row)}
    if isinstance(row, list):
        return [plain(v, choices, path + ("[]",)) for v in row]
    if isinstance(row, dict):
        return {k: plain(v, choices, path + ("{}",)) for k, v in row.items()}
    return row
