"""An independent opinion on what DMS prints: reads source tables by SQL and formats each value by
the documented type table, and reads CSV objects back. Shares no code with the server."""

import csv
import io

_TEXT = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json", "uuid", "inet6"}
_BINARY = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_SPATIAL = {"geometry", "point", "linestring", "polygon"}
_INTEGER = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}


def columns(db, schema, table):
    """[(name, type, column_type)] in ordinal order."""
    return db.query(
        "SELECT column_name, data_type, column_type FROM information_schema.columns"
        " WHERE table_schema=%s AND table_name=%s ORDER BY ordinal_position", (schema, table))


def _expression(name, kind, column_type):
    quoted = f"`{name}`"
    if kind in _TEXT:
        return f"CONVERT({quoted} USING utf8mb4)"
    if kind in _BINARY or kind in _SPATIAL:
        return f"HEX({quoted})"
    if kind == "bit":
        size = 2 * ((int(column_type[4:-1]) + 7) // 8)
        return f"{quoted}+0" if column_type == "bit(1)" else f"LPAD(HEX({quoted}), {size}, '0')"
    if kind == "float":
        return f"{quoted}+0e0"
    if kind in ("date", "datetime", "timestamp", "time", "decimal") or kind in _INTEGER:
        return f"CAST({quoted} AS CHAR)"
    return quoted


def _text(value, kind, null=""):
    if value is None:
        return null
    if kind in ("float", "double"):
        return "%+.16e" % value
    if kind in _INTEGER:
        return str(int(value))  # without the zeros of ZEROFILL and of the year 0000
    if kind in ("date", "datetime", "timestamp") and str(value).startswith("0000-00-00"):
        return null
    return value.decode() if isinstance(value, bytes) else str(value)


def source_rows(db, schema, table, null=""):
    """Every row as the tuple of texts that DMS's CSV holds; NULL is `null`."""
    described = columns(db, schema, table)
    wanted = ", ".join(_expression(*c) for c in described)
    with db.connect(init_command="SET time_zone='+00:00'") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {wanted} FROM `{schema}`.`{table}`")
        return [tuple(_text(v, c[1], null) for v, c in zip(row, described)) for row in cursor.fetchall()]


def read_csv(text):
    """Rows of one CSV text as tuples."""
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]


def objects(s3, bucket, prefix=""):
    """Keys below a prefix, in order."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [o["Key"] for page in pages for o in page.get("Contents", [])]


def bucket_rows(s3, bucket, prefix):
    """All rows of all objects below the prefix; names that start with _ or . are skipped, as readers do."""
    rows = []
    for key in objects(s3, bucket, prefix):
        if key.rsplit("/", 1)[-1].startswith(("_", ".")):
            continue
        rows += read_csv(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
    return rows


def replay(s3, bucket, schema, table, key_columns=(0,), folder=""):
    """Applies LOAD files, then change files in name order; strict: an I on a present key, a U or D
    on a missing one raise. Returns {key: row}."""
    prefix = f"{folder}{schema}/{table}/"
    names = objects(s3, bucket, prefix)
    state = {}

    def key(row):
        return tuple(row[i] for i in key_columns)

    for name in (n for n in names if n[len(prefix):].startswith("LOAD")):
        for row in read_csv(s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode()):
            assert key(row) not in state, f"{name}: key {key(row)} loaded twice"
            state[key(row)] = row
    for name in (n for n in names if not n[len(prefix):].startswith("LOAD")):
        for op, *rest in read_csv(s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode()):
            row = tuple(rest)
            if op == "I":
                assert key(row) not in state, f"{name}: insert of present key {key(row)}"
                state[key(row)] = row
            else:
                assert key(row) in state, f"{name}: {op} of missing key {key(row)}"
                if op == "U":
                    state[key(row)] = row
                else:
                    assert op == "D", f"{name}: op {op!r}"
                    del state[key(row)]
    return state
