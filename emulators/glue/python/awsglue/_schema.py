"""Types: between Spark's, Glue's own and the names that scripts use; paths into nested fields.

A choice field is a struct in the DataFrame, with one member per type; which structs are choices is
a set of paths beside it. A path is a tuple of names; "[]" stands for the elements of an array."""

from pyspark.sql import types as T

from awsglue import gluetypes as G

ITEM = "[]"

_NAMES = {
    T.StringType: "string", T.IntegerType: "int", T.LongType: "long", T.DoubleType: "double",
    T.FloatType: "float", T.BooleanType: "boolean", T.DateType: "date", T.ShortType: "short",
    T.TimestampType: "timestamp", T.ByteType: "byte", T.BinaryType: "binary", T.NullType: "null",
    T.DecimalType: "decimal", T.ArrayType: "array", T.StructType: "struct", T.MapType: "map",
}
_GLUE = {c.name: c for c in G.AtomicType.__subclasses__()}
_ALIASES = {"long": "bigint", "short": "smallint", "byte": "tinyint", "integer": "int",
            "null": "void", "str": "string", "bool": "boolean", "number": "double"}
COMPLEX = ("array", "struct", "map", "choice", "set")


def type_name(spark_type):
    """Glue's short name: "long", "struct", …"""
    return _NAMES.get(type(spark_type), spark_type.simpleString())


def to_glue(spark_type, choices=frozenset(), path=()):
    """The gluetypes object for a Spark type at `path`."""
    if isinstance(spark_type, T.StructType):
        inner = [(f.name, to_glue(f.dataType, choices, path + (f.name,))) for f in spark_type]
        if path in choices:
            return G.ChoiceType([t for _, t in inner])
        return G.StructType([G.Field(n, t) for n, t in inner])
    if isinstance(spark_type, T.ArrayType):
        return G.ArrayType(to_glue(spark_type.elementType, choices, path + (ITEM,)))
    if isinstance(spark_type, T.MapType):
        return G.MapType(to_glue(spark_type.valueType, choices, path + ("{}",)))
    if isinstance(spark_type, T.DecimalType):
        return G.DecimalType(spark_type.precision, spark_type.scale)
    return _GLUE.get(type_name(spark_type), G.StringType)()


def to_spark(glue_type):
    """The Spark type for a gluetypes object; a choice becomes a struct."""
    if isinstance(glue_type, G.StructType):
        return T.StructType([T.StructField(f.name, to_spark(f.dataType)) for f in glue_type.fields])
    if isinstance(glue_type, G.ChoiceType):
        return T.StructType([T.StructField(n, to_spark(t)) for n, t in glue_type.choices.items()])
    if isinstance(glue_type, (G.ArrayType, G.SetType)):
        return T.ArrayType(to_spark(glue_type.elementType))
    if isinstance(glue_type, G.MapType):
        return T.MapType(T.StringType(), to_spark(glue_type.valueType))
    if isinstance(glue_type, G.DecimalType):
        return T.DecimalType(glue_type.precision, glue_type.scale)
    for spark_class, name in _NAMES.items():
        if name == glue_type.typeName():
            return spark_class()
    return T.StringType()


def spark_type_of(name):
    """The text of a type, Glue's or Hive's, as Spark's type; None for the bare "struct", "array",
    "map", which say nothing about their inside."""
    text = name.strip()
    lower = text.lower()
    if lower in COMPLEX:
        return None
    text = _ALIASES.get(lower, text if "<" in text else lower)
    try:
        return T._parse_datatype_string(text)
    except Exception:
        raise ValueError("Unknown type %r in a mapping or schema" % name) from None


def hive_type(spark_type):
    """How the Data Catalog spells a type."""
    if isinstance(spark_type, T.NullType):
        return "string"
    return spark_type.simpleString()


def tree(glue_type):
    """The lines of printSchema()."""
    lines = ["root"]

    def walk(kind, depth):
        lead = "|    " * depth + "|-- "
        if isinstance(kind, G.StructType):
            for field in kind.fields:
                lines.append("%s%s: %s" % (lead, field.name, field.dataType.typeName()))
                walk(field.dataType, depth + 1)
        elif isinstance(kind, G.ChoiceType):
            for name, inner in kind.choices.items():
                lines.append(lead + name)
                walk(inner, depth + 1)
        elif isinstance(kind, (G.ArrayType, G.SetType)):
            lines.append("%selement: %s" % (lead, kind.elementType.typeName()))
            walk(kind.elementType, depth + 1)
        elif isinstance(kind, G.MapType):
            lines.append("%skeyType: string" % lead)
            lines.append("%svalueType: %s" % (lead, kind.valueType.typeName()))
            walk(kind.valueType, depth + 1)

    walk(glue_type, 0)
    return "\n".join(lines)


def split_path(text):
    """"a.`b.c`.d[]" as ("a", "b.c", "d", "[]")."""
    out, name, quoted = [], "", False
    for c in text:
        if c == "`":
            quoted = not quoted
        elif c == "." and not quoted:
            out.append(name)
            name = ""
        else:
            name += c
    out.append(name)
    path = []
    for part in out:
        depth = 0
        while part.endswith(ITEM):
            part, depth = part[:-2], depth + 1
        path.extend([part] + [ITEM] * depth)
    return tuple(path)


def find_path(schema, text):
    """split_path, but a column whose very name has dots in it is found, too."""
    return (text,) if text in schema.names else split_path(text)


def join_path(path):
    """A path as text, for names of flattened columns."""
    out = ""
    for part in path:
        out += ITEM if part == ITEM else ("." + part if out else part)
    return out


def type_at(schema, path):
    """The Spark type at a path, or None."""
    here = schema
    for part in path:
        if part == ITEM:
            here = here.elementType if isinstance(here, T.ArrayType) else None
        elif isinstance(here, T.StructType) and part in here.names:
            here = here[part].dataType
        else:
            here = None
        if here is None:
            return None
    return here


def below(choices, path):
    """The choices at or below a path."""
    n = len(path)
    return {c for c in choices if c[:n] == path}


def moved(choices, old, new):
    """Those below `old`, as they are called after it has become `new`."""
    return {tuple(new) + c[len(old):] for c in below(choices, old)}
