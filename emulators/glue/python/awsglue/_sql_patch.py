"""PySpark's entries to the catalog, wrapped so that they see the Data Catalog. Imported by
sitecustomize.py while pyspark.sql.session is being loaded: no imports of PySpark at the top."""

import functools
import re

_STATE = []


def _catalog():
    if not _STATE:
        from awsglue._sql_catalog import SqlCatalog

        _STATE.append(SqlCatalog())
    return _STATE[0]


_READS = re.compile(r"\s*(SELECT|SHOW|DESC|DESCRIBE|EXPLAIN|USE|SET|RESET|CACHE|UNCACHE|CLEAR|"
                    r"VALUES|TABLE|LIST|ADD|ANALYZE)\b", re.I)
_LISTS = re.compile(r"\s*SHOW\s+(TABLES|TABLE\s+EXTENDED|VIEWS)\b", re.I)


def _without_comments(text):
    return re.sub(r"/\*.*?\*/|--[^\n]*", " ", text, flags=re.S)


def _sql(original):
    @functools.wraps(original)
    def sql(self, sqlQuery, *args, **kwargs):
        from awsglue._ddl import for_spark

        bare = _without_comments(sqlQuery)
        catalog = _catalog()
        if catalog.busy:
            return original(self, sqlQuery, *args, **kwargs)
        catalog.before(self, bare, everything=bool(_LISTS.match(bare)))
        done = original(self, for_spark(sqlQuery), *args, **kwargs)
        if not _READS.match(bare):
            catalog.after(self, bare)
        return done

    return sql


def _named(original, session_of, writes=False):
    """A method whose first argument names a table."""
    @functools.wraps(original)
    def call(self, name, *args, **kwargs):
        catalog, session = _catalog(), session_of(self)
        if catalog.busy:
            return original(self, name, *args, **kwargs)
        catalog.before(session, str(name))
        done = original(self, name, *args, **kwargs)
        if writes:
            catalog.after(session, str(name))
        return done

    return call


class _CatalogView(object):
    """spark.catalog: each call looks first."""

    _WRITES = ("createTable", "createExternalTable", "recoverPartitions")

    def __init__(self, inner, session):
        self._inner = inner
        self._session = session

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name.startswith("_") or not callable(found):
            return found

        @functools.wraps(found)
        def call(*args, **kwargs):
            text = " ".join(str(a) for a in list(args) + list(kwargs.values()))
            catalog = _catalog()
            catalog.before(self._session, text, everything=name == "listTables")
            done = found(*args, **kwargs)
            if name in self._WRITES:
                catalog.after(self._session, text)
            return done

        return call


def _get_or_create(original):
    @functools.wraps(original)
    def get_or_create(self):
        # The Data Catalog stands in for a Hive metastore, whatever the script configures.
        self._options["spark.sql.catalogImplementation"] = "in-memory"
        return original(self)

    return get_or_create


def install(module):
    """`module`: pyspark.sql.session."""
    from pyspark.sql import readwriter

    session = module.SparkSession
    session.sql = _sql(session.sql)
    session.table = _named(session.table, lambda s: s)
    session.catalog = property(functools.partial(_view, session.catalog.fget),
                               doc=session.catalog.__doc__)
    session.Builder.getOrCreate = _get_or_create(session.Builder.getOrCreate)
    reader, writer = readwriter.DataFrameReader, readwriter.DataFrameWriter
    reader.table = _named(reader.table, lambda r: r._spark)
    for name in ("saveAsTable", "insertInto"):
        setattr(writer, name, _named(getattr(writer, name), lambda w: w._spark, True))


def _view(getter, self):
    return _CatalogView(getter(self), self)
