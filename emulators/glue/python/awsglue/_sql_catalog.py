"""The Data Catalog behind Spark's own in-memory one: before a statement the tables that it names
are brought in, after one that may define something what changed is written back."""

import re

from awsglue import _catalog, _sql_tables
from awsglue._ddl import literal

_CHUNK = 100  # partitions per ALTER TABLE


def _names(text, name):
    """Whether the lower-case text has the name as a word."""
    return re.search(r"(?<!\w)%s(?!\w)" % re.escape(name.lower()), text) is not None


def _quoted(*names):
    return ".".join("`%s`" % n.replace("`", "``") for n in names)


class SqlCatalog(object):
    """One per process; calls come from the script's thread."""

    def __init__(self):
        self.busy = False
        self._databases = set()  # those brought in or written
        self._glue = {}          # (database, table) → the catalog's state that Spark has
        self._spark = {}         # … → Spark's state then
        self._partitions = {}    # … → {values: location}
        self._managed = set()    # tables whose files go with them
        self._prepared = None

    # --- from the catalog ---
    def before(self, session, text, everything=False):
        """Brings in what `text` names; all tables of the databases concerned on `everything`."""
        if self.busy:
            return
        self.busy = True
        try:
            self._prepare(session)
            self._bring(session, text.lower(), everything)
        finally:
            self.busy = False

    def _prepare(self, session):
        if self._prepared is not session:
            self._prepared = session
            session.conf.set("spark.sql.legacy.createHiveTableByDefault", "false")

    def _bring(self, session, text, everything):
        found = {d["Name"]: d for d in _catalog.pages("get_databases", "DatabaseList")}
        for name in sorted(self._databases - set(found)):
            session.sql("DROP DATABASE IF EXISTS %s CASCADE" % _quoted(name))
            self._forget(name)
        known = set(_sql_tables.databases(session))
        for name, database in found.items():
            if name not in known:
                location = database.get("LocationUri")
                session.sql("CREATE DATABASE IF NOT EXISTS %s %s" % (
                    _quoted(name), "LOCATION %s" % literal(location) if location else ""))
            self._databases.add(name)
        current = session._jsparkSession.catalog().currentDatabase()
        for name in found:
            if name == current or _names(text, name):
                self._bring_tables(session, name, text, everything)

    def _forget(self, database, table=None):
        self._databases.discard(database if table is None else None)
        for key in list(self._glue):
            if key[0] == database and table in (None, key[1]):
                for state in (self._glue, self._spark, self._partitions):
                    state.pop(key, None)
                self._managed.discard(key)

    def _bring_tables(self, session, database, text, everything):
        tables = {t["Name"]: t for t in _catalog.pages("get_tables", "TableList",
                                                       DatabaseName=database)}
        for key in [k for k in self._glue if k[0] == database and k[1] not in tables]:
            _sql_tables.drop(session, *key)
            self._forget(*key)
        for name, table in tables.items():
            named = _names(text, name)
            reason = _sql_tables.unreadable(table)
            if named and reason and not text.lstrip().startswith("drop"):
                raise reason
            if everything or named:
                self._bring_table(session, database, table, named, reason)

    def _bring_table(self, session, database, table, named, reason):
        key = (database, table["Name"])
        state = _sql_tables.fingerprint(table)
        if self._glue.get(key) != state:
            if key in self._glue:
                _sql_tables.drop(session, *key)
                self._forget(*key)
            if reason:
                _sql_tables.define_for_listing(session, database, table["Name"])
            elif table.get("TableType") == "VIRTUAL_VIEW":
                self._bring(session, table["ViewExpandedText"].lower(), False)
            if not reason:
                _sql_tables.define(session, database, table)
            self._glue[key] = state
            self._partitions[key] = {}
            if table.get("TableType") == "MANAGED_TABLE":
                self._managed.add(key)
            self._spark[key] = _sql_tables.state(session, *key)
        if named and not reason and table.get("TableType") != "VIRTUAL_VIEW":
            self._bring_partitions(session, key, table)
            session._jsparkSession.catalog().refreshTable(_quoted(*key))  # forgets listed files

    def _bring_partitions(self, session, key, table):
        names = [k["Name"] for k in table.get("PartitionKeys", [])]
        if not names:
            return
        there = {tuple(p["Values"]): p["StorageDescriptor"].get("Location", "")
                 for p in _catalog.get_partitions(*key)}
        have = self._partitions[key]
        gone = [v for v in have if there.get(v) != have[v]]
        new = [v for v in there if have.get(v) != there[v]]

        def spec(values):
            return "PARTITION (%s)" % ", ".join("%s=%s" % (_quoted(n), literal(v))
                                                for n, v in zip(names, values))

        for i in range(0, len(gone), _CHUNK):
            session.sql("ALTER TABLE %s DROP IF EXISTS %s" % (
                _quoted(*key), ", ".join(spec(v) for v in gone[i:i + _CHUNK])))
        for i in range(0, len(new), _CHUNK):
            session.sql("ALTER TABLE %s ADD IF NOT EXISTS %s" % (_quoted(*key), " ".join(
                "%s LOCATION %s" % (spec(v), literal(there[v])) for v in new[i:i + _CHUNK])))
        self._partitions[key] = there

    # --- to the catalog ---
    def after(self, session, text):
        """Writes back what the statement made, changed or dropped."""
        if self.busy:
            return
        self.busy = True
        try:
            self._write_back(session, text.lower())
        finally:
            self.busy = False

    def _write_back(self, session, text):
        now = set(_sql_tables.databases(session))
        for name in sorted(now - self._databases - {"default"}):
            _catalog.client().create_database(
                DatabaseInput=_sql_tables.database_input(session, name))
            self._databases.add(name)
        for name in sorted(self._databases - now):
            for key in [k for k in self._glue if k[0] == name]:
                self._dropped(session, key)
            _catalog.client().delete_database(Name=name)
            self._forget(name)
        current = session._jsparkSession.catalog().currentDatabase()
        for name in now:
            if name == current or _names(text, name):
                self._write_tables(session, name, text)

    def _write_tables(self, session, database, text):
        tables = _sql_tables.tables(session, database)
        for key in [k for k in self._glue if k[0] == database and k[1] not in tables]:
            self._dropped(session, key)
            self._forget(*key)
        for name in tables:
            key = (database, name)
            state = _sql_tables.state(session, *key)
            if key not in self._glue:
                self._created(session, key)
            elif self._spark[key] != state:
                table = _sql_tables.table_input(session, *key)
                _catalog.client().update_table(DatabaseName=database, TableInput=table)
            else:
                state = None
            if state is not None:
                self._spark[key] = state
                self._glue[key] = _sql_tables.fingerprint(_catalog.get_table(*key))
            if _names(text, name):
                self._write_partitions(session, key)

    def _created(self, session, key):
        try:
            table = _sql_tables.table_input(session, *key)
        except Exception:
            _sql_tables.drop(session, *key, made_here=True)
            raise
        if key[0] not in self._databases:  # Spark's own "default"
            _catalog.client().create_database(DatabaseInput={"Name": key[0]})
            self._databases.add(key[0])
        _catalog.client().create_table(DatabaseName=key[0], TableInput=table)
        self._partitions[key] = {}
        if table["TableType"] == "MANAGED_TABLE":
            self._managed.add(key)

    def _dropped(self, session, key):
        table = None
        if key in self._managed:
            table = _catalog.get_table(*key)
        try:
            _catalog.client().delete_table(DatabaseName=key[0], Name=key[1])
        except Exception as error:
            if not _catalog.missing(error):
                raise
        if table is not None:
            _sql_tables.delete_files(session, table)

    def _write_partitions(self, session, key):
        names, there = _sql_tables.partitions(session, *key)
        if not names:
            return
        have = self._partitions.get(key, {})
        new = sorted((v, place) for v, place in there.items() if v not in have)
        moved = [(v, place) for v, place in there.items()
                 if v in have and have[v].rstrip("/") != place.rstrip("/")]
        gone = [v for v in have if v not in there] + [v for v, _ in moved]
        for i in range(0, len(gone), 25):
            _catalog.client().batch_delete_partition(
                DatabaseName=key[0], TableName=key[1],
                PartitionsToDelete=[{"Values": list(v)} for v in gone[i:i + 25]])
        if new or moved:
            _catalog.add_partitions(key[0], _catalog.get_table(*key), new + moved)
        self._partitions[key] = there
