"""CREATE TABLE in Hive's words (STORED AS, ROW FORMAT) for a Spark without Hive: the same table
with USING."""

import re

from awsglue._errors import not_implemented

_WORD = r"(?:`(?:[^`]|``)+`|[\w]+)"
_START = re.compile(r"\s*CREATE\s+(EXTERNAL\s+)?TABLE\s+(IF\s+NOT\s+EXISTS\s+)?(%s(?:\s*\.\s*%s)*)"
                    % (_WORD, _WORD), re.I)
_TEXT = r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_CLAUSES = (
    ("serde", r"ROW\s+FORMAT\s+SERDE\s+%s" % _TEXT),
    ("properties", r"WITH\s+SERDEPROPERTIES\s*(\((?:[^()'\"]|%s)*\))" % _TEXT),
    ("delimited", r"ROW\s+FORMAT\s+DELIMITED"),
    ("fields", r"FIELDS\s+TERMINATED\s+BY\s+%s" % _TEXT),
    ("escaped", r"ESCAPED\s+BY\s+%s" % _TEXT),
    ("items", r"COLLECTION\s+ITEMS\s+TERMINATED\s+BY\s+%s" % _TEXT),
    ("keys", r"MAP\s+KEYS\s+TERMINATED\s+BY\s+%s" % _TEXT),
    ("lines", r"LINES\s+TERMINATED\s+BY\s+%s" % _TEXT),
    ("nulls", r"NULL\s+DEFINED\s+AS\s+%s" % _TEXT),
    ("formats", r"STORED\s+AS\s+INPUTFORMAT\s+%s\s+OUTPUTFORMAT\s+%s" % (_TEXT, _TEXT)),
    ("stored", r"STORED\s+AS\s+(\w+)"),
)
_STORED = {"parquet": "parquet", "orc": "orc", "avro": "avro", "textfile": "csv",
           "jsonfile": "json"}
_SERDES = (("parquet", "parquet"), ("orc", "orc"), ("avro", "avro"), ("json", "json"),
           ("opencsv", "csv"), ("lazysimple", "csv"))
HIVE_TEXT = {"sep": "\x01", "quote": "", "escape": "", "nullValue": "\\N"}


def literal(text):
    """A text as Spark SQL writes it."""
    return "'%s'" % text.replace("\\", "\\\\").replace("'", "\\'")


def _plain(text):
    inside = text[1:-1]
    inside = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1), 16)), inside)
    inside = re.sub(r"\\([0-3][0-7]{2})", lambda m: chr(int(m.group(1), 8)), inside)
    escapes = {"t": "\t", "n": "\n", "r": "\r", "0": "\0"}
    return re.sub(r"\\(.)", lambda m: escapes.get(m.group(1), m.group(1)), inside)


def _end_of_parens(text, start):
    """Behind the closing parenthesis that belongs to text[start]."""
    depth, i, quote = 0, start, None
    while i < len(text):
        c = text[i]
        if quote:
            if c == "\\" and quote != "`":
                i += 1
            elif c == quote:
                quote = None
        elif c in "'\"`":
            quote = c
        elif c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
            if not depth:
                return i + 1
        i += 1
    return len(text)


def _properties(text):
    pairs = re.findall(r"%s\s*=?\s*%s" % (_TEXT, _TEXT), text)
    return {_plain(k): _plain(v) for k, v in pairs}


def _provider(found):
    """(provider, options) that the clauses mean."""
    serde = _plain(found["serde"][0]).lower() if "serde" in found else ""
    properties = _properties(found["properties"][0]) if "properties" in found else {}
    name = None
    if "stored" in found:
        name = _STORED.get(found["stored"][0].lower())
        if name is None:
            raise not_implemented("STORED AS %s" % found["stored"][0],
                                  "Spark without Hive has no such format",
                                  "Take PARQUET, ORC, AVRO or TEXTFILE.")
    for part, provider in _SERDES:
        if part in serde or (name is None and "formats" in found
                             and part in found["formats"][0].lower()):
            name = provider
    name = name or "csv"
    if name != "csv":
        return name, {}
    options = dict(HIVE_TEXT)
    if "opencsv" in serde:
        options = {"sep": properties.get("separatorChar", ","),
                   "quote": properties.get("quoteChar", '"'),
                   "escape": properties.get("escapeChar", "\\")}
    elif properties.get("field.delim"):
        options["sep"] = properties["field.delim"]
    for clause, option in (("fields", "sep"), ("escaped", "escape"), ("nulls", "nullValue")):
        if clause in found:
            options[option] = _plain(found[clause][0])
    return name, options


def for_spark(text):
    """The statement, with Hive's clauses replaced if it is a CREATE TABLE that has some."""
    start = _START.match(text)
    if not start:
        return text
    body = text[start.end():]
    lead = len(body) - len(body.lstrip())
    columns = ""
    if body[lead:lead + 1] == "(":
        end = _end_of_parens(body, lead)
        columns, body = body[:end], body[end:]
    query = re.search(r"\bAS\s*\(?\s*(SELECT|WITH|FROM|VALUES|TABLE)\b", body, re.I)
    clauses, rest = (body[:query.start()], body[query.start():]) if query else (body, "")
    if re.search(r"\bUSING\s+\w", clauses, re.I):
        return text if not start.group(1) else text.replace(start.group(1), "", 1)
    found = {}
    for name, pattern in _CLAUSES:
        match = re.search(pattern, clauses, re.I)
        if match:
            found[name] = match.groups()
            clauses = clauses[:match.start()] + " " + clauses[match.end():]
    if not found and not start.group(1):
        return text
    provider, options = _provider(found)
    if start.group(1) and "LOCATION" not in clauses.upper():
        raise ValueError("CREATE EXTERNAL TABLE %s needs LOCATION" % start.group(3))
    using = " USING %s" % provider
    if options:
        using += " OPTIONS (%s)" % ", ".join("%s %s" % (literal(k), literal(v))
                                             for k, v in sorted(options.items()))
    return "CREATE TABLE %s%s%s%s %s%s" % (start.group(2) or "", start.group(3), columns, using,
                                           clauses.strip(), " " + rest if rest else "")
