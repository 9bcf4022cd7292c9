"""Choice fields: resolveChoice, and the choices that a union makes."""

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue import _catalog, _mapping, _nested
from awsglue._schema import ITEM, below, find_path, moved, spark_type_of, type_at, type_name

_INTEGRAL = ("byte", "short", "int", "long")
_SPARK_INTEGRAL = {"byte": T.ByteType(), "short": T.ShortType(), "int": T.IntegerType(),
                   "long": T.LongType()}


def _action(text):
    """("cast", "long") of "cast:long"."""
    name, _, target = str(text).partition(":")
    name = name.strip().lower()
    if name in ("cast", "project"):
        if not target:
            raise ValueError("The action %r needs a type, as in %s:string" % (text, name))
        return name, target.strip()
    if name in ("make_cols", "make_struct", "keep_as_struct", "match_catalog"):
        return name, None
    raise ValueError("Unknown action %r: cast:TYPE, project:TYPE, make_cols, make_struct and "
                     "match_catalog can be used" % (text,))


def _as(col, kind, choice, wanted):
    """A field's value as one type, whatever it holds."""
    if not choice:
        if type_name(kind) in ("struct", "array", "map"):
            return F.to_json(col) if isinstance(wanted, T.StringType) else col.cast(wanted)
        return _mapping.cast(col, kind, wanted)
    parts = []
    for field in sorted(kind, key=lambda f: f.dataType != wanted):
        inner = _nested.member(col, field.name)
        if type_name(field.dataType) not in ("struct", "array", "map"):
            parts.append(_mapping.cast(inner, field.dataType, wanted))
        elif isinstance(wanted, T.StringType):
            parts.append(F.to_json(inner))
    return F.coalesce(*parts) if parts else F.lit(None).cast(wanted)


def _edit(action, target, choice, path):
    """The edit for _nested.rewrite."""
    def cast(col, kind, name):
        wanted = spark_type_of(target)
        if wanted is None:
            raise ValueError("cast:%s can't be done: give the type with what is inside of it"
                             % target)
        return [(name, _as(col, kind, choice, wanted))]

    def project(col, kind, name):
        if not choice:
            return [(name, col)]
        wanted = spark_type_of(target)
        kept = target if wanted is None else type_name(wanted)
        if kept in kind.names:
            return [(name, _nested.member(col, kept))]
        return [(name, F.lit(None).cast(wanted or T.StringType()))]

    def make_cols(col, kind, name):
        if not choice:
            return [(name, col)]
        if name == ITEM:
            raise ValueError("make_cols can't be used on the elements of an array (%s): take "
                             "make_struct or cast" % (path,))
        return [("%s_%s" % (name, f.name), _nested.member(col, f.name)) for f in kind]

    return {"cast": cast, "project": project, "make_cols": make_cols}[action]


def _catalog_types(database, table_name, catalog_id):
    if not database or not table_name:
        raise ValueError("match_catalog needs database= and table_name=")
    table = _catalog.get_table(database, table_name, catalog_id)
    columns = table["StorageDescriptor"].get("Columns", []) + table.get("PartitionKeys", [])
    return {c["Name"]: c["Type"] for c in columns}


def resolve(frame, specs, choice, database=None, table_name=None, catalog_id=None):
    """The frame with choices resolved."""
    if bool(specs) == bool(choice):
        raise ValueError("resolveChoice takes either specs or choice")
    schema = frame._df.schema
    if specs:
        wanted = [(find_path(schema, path), _action(action)) for path, action in specs]
        wanted = [(p, a) for p, a in wanted if type_at(schema, p) is not None]
    elif _action(choice)[0] == "match_catalog":
        wanted = [((n,), _action(choice)) for n in schema.names]
    else:
        wanted = [(p, _action(choice)) for p in sorted(frame._choices)]
    if any(a == "match_catalog" for _, (a, _t) in wanted):
        types = _catalog_types(database, table_name, catalog_id)
        wanted = [(p, ("cast", types[".".join(p)]) if a[0] == "match_catalog" else a)
                  for p, a in wanted if a[0] != "match_catalog" or ".".join(p) in types]
    edits, choices = {}, set(frame._choices)
    for path, (action, target) in wanted:
        if action == "cast" and spark_type_of(target) == type_at(schema, path):
            continue
        is_choice = path in frame._choices
        if is_choice:
            choices.discard(path)
        if action in ("make_struct", "keep_as_struct"):
            continue
        inner = below(choices, path)
        choices -= inner
        if action == "project":
            choices |= moved(inner, path + (target,), path)
        elif action == "make_cols" and is_choice:
            for name in type_at(schema, path).names:
                choices |= moved(inner, path + (name,), path[:-1] + ("%s_%s" % (path[-1], name),))
        edits[path] = _edit(action, target, is_choice, path)
    if not edits:
        return frame._new(frame._df, choices)
    return frame._new(frame._df.select(*_nested.rewrite(schema, edits)), choices)


# --- union ---
def _kinds(field, choice):
    """{type name: Spark type} that a field can hold."""
    if choice:
        return {f.name: f.dataType for f in field.dataType}
    if isinstance(field.dataType, T.NullType):
        return {}
    return {type_name(field.dataType): field.dataType}


def _common(kinds):
    if kinds and set(kinds) <= set(_INTEGRAL):
        return _SPARK_INTEGRAL[max(kinds, key=_INTEGRAL.index)]
    return None


def _shaped(field, choice, kinds):
    """The column of `field` as a choice of `kinds`."""
    col = _nested.column(field.name)
    parts = []
    for name, kind in kinds.items():
        if choice:
            inner = _nested.member(col, name) if name in field.dataType.names else None
        else:
            inner = col if type_name(field.dataType) == name else None
        parts.append((F.lit(None) if inner is None else inner).cast(kind).alias(name))
    return F.when(col.isNotNull(), F.struct(*parts)).alias(field.name)


def union(frame, other):
    """Records of both frames; where the types of a field differ, a choice."""
    return frame._new(*union_frames(frame._df, frame._choices, other._df, other._choices))


def union_frames(left, left_choices, right, right_choices):
    """The same for DataFrames with their choices: (DataFrame, choices)."""
    if not left.columns:
        return right, right_choices
    if not right.columns:
        return left, left_choices
    choices = set(left_choices) | set(right_choices)
    for f in left.schema:
        if f.name not in right.columns:
            continue
        g, path = right.schema[f.name], (f.name,)
        f_choice, g_choice = path in left_choices, path in right_choices
        plain_structs = not f_choice and not g_choice and isinstance(f.dataType, T.StructType) \
            and isinstance(g.dataType, T.StructType)
        if (f.dataType == g.dataType and f_choice == g_choice) or plain_structs:
            continue
        kinds = dict(_kinds(f, f_choice), **_kinds(g, g_choice))
        common = None if f_choice or g_choice else _common(kinds)
        if len(kinds) == 1 and not f_choice and not g_choice:
            common = list(kinds.values())[0]
        if common is not None:
            left = left.withColumn(f.name, _nested.column(f.name).cast(common))
            right = right.withColumn(f.name, _nested.column(f.name).cast(common))
            continue
        choices.add(path)
        left = left.withColumn(f.name, _shaped(f, f_choice, kinds))
        right = right.withColumn(f.name, _shaped(g, g_choice, kinds))
    return left.unionByName(right, allowMissingColumns=True), frozenset(choices)
