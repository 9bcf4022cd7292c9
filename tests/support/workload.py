"""Random tables and random changes from one seed, for the differential test of DMS. Knows nothing of
the server under test: it speaks SQL to a source and remembers which columns each table had when."""

import datetime
import json
import math
import random
import struct
from decimal import Decimal

import pymysql
from pymysql.constants import CLIENT

UNTOLD = object()  # the value that the source gave an existing row without an event: a later touch tells

ALPHABETS = {  # what each character set can hold, quotes and separators first
    "utf8mb4": "ab,\"'\\\n\r\té€漢😀 ;|", "utf8": "ab,\"'\\\né€漢 ", "latin1": "ab,\"'\\\né€ÿ ", "cp1251": "ab,\"'жЯ ",
    "koi8r": "ab,\"'жЯ ", "ucs2": "ab,\"'é漢 ", "utf16": "ab,\"'é漢😀 ", "utf32": "ab,\"'é漢😀 ", "gbk": "ab,\"'漢字 ",
    "sjis": "ab,\"'カ字 ", "ascii": "ab,\"'\\\n ", "greek": "ab,\"αΩ ", "latin2": "ab,\"čŽ ", "big5": "ab,\"漢字 ",
}


class Plan:
    """What a seed decides for the whole run: how the source logs, and which rules the task has.
    With before images keys may change and tables without key be updated; else a reader couldn't tell
    which row it was."""

    def __init__(self, seed, flavour):
        rng = random.Random(seed * 31 + 7)
        self.flavour = flavour
        self.image = rng.choice(("FULL", "FULL", "FULL", "NOBLOB", "MINIMAL"))
        self.before = rng.choice((None, "pk-only", "all", "all"))
        self.metadata = rng.choice(("NO_LOG", "MINIMAL", "FULL")[flavour != "mariadb":])
        self.compress = rng.random() < 0.4
        self.strict = rng.random() < 0.5  # of MariaDB's GTIDs
        self.domain = rng.choice((0, 0, 7))

    def global_settings(self):
        if self.flavour == "mysql56":
            return []
        settings = [f"SET GLOBAL binlog_row_metadata={self.metadata}"]
        if self.flavour == "mariadb":
            settings += [f"SET GLOBAL log_bin_compress={int(self.compress)}", "SET GLOBAL log_bin_compress_min_len=10",
                         f"SET GLOBAL gtid_strict_mode={int(self.strict)}"]
        return settings

    def session_settings(self):
        settings = ["time_zone='+00:00'", f"binlog_row_image={self.image}"]
        if self.flavour == "mariadb":
            settings.append(f"gtid_domain_id={self.domain}")
        elif self.flavour == "mysql9":
            settings.append(f"binlog_transaction_compression={int(self.compress)}")
        return settings


def longer(rng, longest, most):
    """Now and then a really long value."""
    return most if rng.random() < 0.02 else longest


def text(rng, charset, longest):
    n = rng.choice((0, 1, 3, longest // 2, longest))
    if n > 2000:
        return "".join(rng.choice(ALPHABETS[charset]) for _ in range(97)) * (n // 97)
    return "".join(rng.choice(ALPHABETS[charset]) for _ in range(min(n, longest)))


def blob(rng, longest):
    n = rng.choice((0, 1, 3, longest // 2, longest))
    if n > 3000:
        return rng.randbytes(n)
    return bytes(rng.choice((0, 0x22, 0x2C, 0x0A, 0xFF, rng.randrange(256))) for _ in range(min(n, longest)))


def real(rng, single):
    if rng.random() < 0.3:
        return rng.choice((0.0, 1.0, -1.5, 1e15, 1e-10, 16777217.0))
    while True:
        raw = rng.randbytes(4 if single else 8)
        value = struct.unpack("<f" if single else "<d", raw)[0]
        if math.isfinite(value) and abs(value) > (1.2e-38 if single else 2.3e-308) and abs(value) < (3.4e38 if single else 1.7e308):
            return value


def moment(rng, digits, low=datetime.datetime(1970, 1, 2), high=datetime.datetime(2037, 12, 31)):
    value = low + (high - low) * rng.random()
    return value.strftime("%Y-%m-%d %H:%M:%S.%f")[: 20 + digits - (digits == 0)]


class Column:
    """`sql` is the type, `make(rng)` a value for a parameter, `wrap` the expression around it."""

    def __init__(self, sql, make, wrap="%s", never_null=False):
        self.sql, self.make, self.wrap, self.never_null = sql, make, wrap, never_null
        self.base = sql.split()[0].split("(")[0]
        self.longest = 0  # of the values so far

    def value(self, rng):
        made = self.make(rng)
        if isinstance(made, (str, bytes)):
            self.longest = max(self.longest, len(made))
        return made


def integer(name, bits, unsigned):
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return Column(f"{name} UNSIGNED" if unsigned else name,
                  lambda r: r.choice((low, high, 0, 1, r.randint(low, high))))


def decimal(rng):
    precision = rng.choice((1, 5, 9, 10, 18, 19, 38, 65))
    scale = rng.randint(0, min(precision, 30))
    top = 10**precision - 1

    def make(r):  # exactly: arithmetic would round to the context's digits
        value = r.choice((0, top, -top, r.randint(-top, top)))
        return Decimal((int(value < 0), tuple(map(int, str(abs(value)))), -scale))

    return Column(f"DECIMAL({precision},{scale})", make)


def character(rng, flavour):
    charset = rng.choice([c for c in ALPHABETS])
    size = rng.choice((1, 5, 63, 64, 85, 86, 255))
    kind = rng.choice((f"CHAR({size})", f"VARCHAR({size})", f"VARCHAR({size * 8})", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"))
    longest = {"TINYTEXT": 60, "TEXT": 2000, "MEDIUMTEXT": 2000, "LONGTEXT": 2000}.get(kind, size)
    most = {"TEXT": 15000, "MEDIUMTEXT": 8000, "LONGTEXT": 8000}.get(kind, longest)  # LOBs are cut at 32 KB
    return Column(f"{kind} CHARACTER SET {charset}", lambda r: text(r, charset, longer(r, longest, most)))


def binary(rng, flavour):
    size = rng.choice((1, 7, 255))
    kind = rng.choice((f"BINARY({size})", f"VARBINARY({size * 4})", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"))
    longest = {"TINYBLOB": 255, "BLOB": 3000, "MEDIUMBLOB": 3000, "LONGBLOB": 3000}.get(kind, size)
    most = {"BLOB": 60000, "MEDIUMBLOB": 32000, "LONGBLOB": 32000}.get(kind, longest)
    return Column(kind, lambda r: blob(r, longer(r, longest, most)))


def labelled(rng, flavour):
    labels = ["a", "it's", "ä€", 'q"q', "two words", "UNSIGNED", "z)"] + [f"l{i}" for i in range(rng.choice((0, 2, 50)))]
    charset = ""
    if flavour != "mysql56" and rng.random() < 0.4:  # 5.6 tells of such labels in no way
        charset = f" CHARACTER SET {rng.choice(('utf8mb4', 'utf16'))}"
        labels += ["?", "😀", "x🎈y"]
    quoted = ",".join("'" + name.replace("'", "''") + "'" for name in labels)
    if rng.random() < 0.5:
        return Column(f"ENUM({quoted}){charset}", lambda r: r.choice(labels))
    return Column(f"SET({quoted}){charset}", lambda r: ",".join(x for x in labels if r.random() < 0.2))


def temporal(rng, flavour):
    digits = rng.randint(0, 6)
    size = f"({digits})" if digits else ""

    def span(r):
        sign, hours = r.choice("+-"), r.choice((0, 1, 23, 100, 838))
        value = f"{hours}:{r.randint(0, 59):02}:{r.randint(0, 58):02}.{r.randint(0, 999999):06}"
        return ("-" if sign == "-" else "") + value[: len(value) - 6 + digits - (digits == 0)]

    return rng.choice((
        Column("DATE", lambda r: r.choice(("1000-01-01", "9999-12-31", moment(r, 0)[:10]))),
        Column(f"TIME{size}", span),
        Column(f"DATETIME{size}", lambda r: r.choice(("1000-01-01 00:00:00", "9999-12-31 23:59:59", moment(r, digits)))),
        Column(f"TIMESTAMP{size} NULL DEFAULT NULL", lambda r: moment(r, digits)),
        Column("YEAR", lambda r: r.choice((1901, 2155, 2024))),
    ))


def number(rng, flavour):
    dice = rng.random()
    if dice < 0.6:
        name, bits = rng.choice((("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)))
        return integer(name, bits, rng.random() < 0.5)
    if dice < 0.75:
        return decimal(rng)
    if dice < 0.9:
        single = rng.random() < 0.5
        return Column("FLOAT" if single else "DOUBLE", lambda r: repr(real(r, single)))
    size = rng.choice((1, 2, 8, 9, 33, 64))
    return Column(f"BIT({size})", lambda r: r.randrange(2**size))


def special(rng, flavour):
    document = Column("JSON", lambda r: json.dumps(r.choice((
        None, 1, "s", [], {}, {"a": [1, -2.5, "é\"", {"b": None}], "zz": True}, ["x" * r.randint(0, 300)], {"k": 2**40}))))
    choices = [Column("POINT", lambda r: f"POINT({r.randint(-9, 9)} {r.randint(-9, 9)})", "ST_GeomFromText(%s)"),
               Column("GEOMETRY", lambda r: "LINESTRING(0 0,1 1,2 0)", "ST_GeomFromText(%s)")]
    if flavour != "mysql56":
        choices.append(document)
    if flavour == "mariadb":
        choices += [
            Column("UUID", lambda r: "%08x-0000-4000-8000-%012x" % (r.getrandbits(32), r.choice((0, 1, r.getrandbits(48))))),
            Column("INET6", lambda r: r.choice(("::", "fe80::1", "2001:db8::ff00:42:8329"))),
            Column("VARCHAR(400) COMPRESSED CHARACTER SET utf8mb4", lambda r: text(r, "utf8mb4", 100) * 3),
            Column("BLOB COMPRESSED", lambda r: blob(r, 2000)),
        ]
    return rng.choice(choices)


LOB_MOST = {"MEDIUMTEXT": 8000, "LONGTEXT": 8000, "LONGBLOB": 32000}  # of what others become
LOBS = ("MEDIUMTEXT", "LONGTEXT", "MEDIUMBLOB", "LONGBLOB", "JSON", "POINT", "GEOMETRY")


def any_column(rng, flavour, without=()):
    """`without`: types that it must not be of."""
    while True:
        column = rng.choice((number, number, temporal, character, character, binary, labelled, special))(rng, flavour)
        if column.base not in without:
            return column


KEYS = {  # SQL of the key columns and what makes the n-th key
    "int": (("id INT PRIMARY KEY",), lambda n: (n,)),
    "auto": (("id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY",), lambda n: (n,)),
    "text": (("id VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY",), lambda n: (f"k,{n}\"é",)),
    "composite": (("id INT", "id2 VARBINARY(9)", "PRIMARY KEY (id2, id)"), lambda n: (n // 3, b"\0%d" % n)),
    "date": (("id DATETIME(6)", "id2 DECIMAL(20,4)", "PRIMARY KEY (id, id2)"),
             lambda n: (f"2020-01-01 00:00:{n % 60:02}.{n % 7:06}", Decimal(n) / 4)),
    "none": ((), None),
}

# Types that can become others without a change of what is printed.
WIDER = {"TINYINT": "INT", "SMALLINT": "MEDIUMINT", "MEDIUMINT": "BIGINT", "INT": "BIGINT", "FLOAT": "DOUBLE",
         "TINYTEXT": "MEDIUMTEXT", "TEXT": "LONGTEXT", "TINYBLOB": "BLOB", "BLOB": "LONGBLOB"}


class Table:
    """`names`: what it was called since it was empty, the last is its name now. `shapes`: the names of its columns, in the
    server's order; `steps`: from shapes[i] to shapes[i + 1]."""

    def __init__(self, name, rng, plan):
        self.name, self.names, self.rng, self.plan, self.flavour = name, [name], rng, plan, plan.flavour
        self.shapes, self.steps, self.keys = [], [], []
        self.next_column = 1
        self.define()

    def define(self):
        rng, flavour = self.rng, self.flavour
        self.key_kind = rng.choice(("int", "int", "auto", "text", "composite", "date", "none"))
        key_sql, self.make_key = KEYS[self.key_kind]
        self.key = [c.split()[0] for c in key_sql if not c.startswith("PRIMARY")]
        self.partitioned = self.key_kind in ("int", "auto") and rng.random() < 0.15
        # Before images don't have LOBs: without key, rows that only differ in them look the same.
        self.without = LOBS if not self.make_key and self.plan.before == "all" else ()
        if self.partitioned:
            self.without = ("POINT", "GEOMETRY")
        self.followed = self.make_key is not None or self.plan.before == "all"  # can a reader follow updates?
        self.next_key = 1
        self.columns = {}  # what can be written, without key and ver
        self.derived = set()  # columns that the server computes
        parts = [*key_sql[: len(self.key)], "ver INT NOT NULL DEFAULT 0"]
        for _ in range(rng.choice((1, 3, 6, 12))):
            parts.append(self._new_column())
        whole = self.make_key or self.plan.image == "FULL"  # else an insert isn't
        if whole and rng.random() < 0.3:
            parts.append("gs INT AS (ver + 1) STORED" if flavour != "mysql56" else "gs INT DEFAULT 5")
        if whole and rng.random() < 0.3 and flavour != "mysql56":
            parts.append("gv BIGINT AS (ver * 2) VIRTUAL")
        if whole and rng.random() < 0.2 and flavour == "mariadb":
            parts.append("hid INT INVISIBLE DEFAULT 9")
        self.derived |= {"gs", "gv", "hid"}
        rest = list(key_sql[len(self.key):])
        if rng.random() < 0.5:
            ends = parts[1:]
            rng.shuffle(ends)
            parts = parts[:1] + ends
        self.create = f"CREATE TABLE `{self.name}` ({', '.join(parts + rest)}) CHARACTER SET {rng.choice(('utf8mb4', 'latin1'))}"
        if flavour == "mysql56":
            self.create += " ROW_FORMAT=DYNAMIC"  # else long texts don't fit a page
        if self.partitioned:
            self.create += " PARTITION BY HASH (id) PARTITIONS 3"
        elif self.key_kind == "int" and flavour != "mysql56" and rng.random() < 0.2:
            self.create += " SELECT 1 AS id, 0 AS ver UNION ALL SELECT 2, 0"
            self.next_key = 3

    def _new_name(self):
        self.next_column += 1
        return self.rng.choice(("c{}", "`c {}`", "`c,{}`", "`Ü{}`")).format(self.next_column)

    def _new_column(self):
        name = self._new_name()
        column = any_column(self.rng, self.flavour, self.without)
        self.columns[name] = column
        return f"{name} {column.sql}"

    def begin(self, shape):
        self.shapes.append(tuple(shape))
        self.keys.append(list(self.key))

    def key_at(self, number):
        return self.keys[number]

    def step(self, shape, add=None, drop=(), rename=None, again=False):
        """`shape` is what it has become; `again`: a new table of the old name."""
        bare = lambda name: name.strip("`")  # noqa: E731
        self.begin(shape)
        self.steps.append({"add": {bare(k): v for k, v in (add or {}).items()}, "drop": [bare(n) for n in drop],
                           "rename": {bare(k): bare(v) for k, v in (rename or {}).items()}, "again": again})

    # --- statements: (sql, parameters) ---
    def values(self, names):
        columns = [self.columns[n] for n in names]
        return [None if self.rng.random() < 0.12 and not c.never_null else c.value(self.rng) for c in columns]

    def insert(self, rows, verb="INSERT"):
        rng = self.rng
        # What an insert doesn't name is not in a minimal image, and a LOB not in one without LOBs; nor
        # that REPLACE empties it.
        every = self.plan.image != "FULL"
        names = [n for n in self.columns if every or rng.random() < 0.9]
        fresh = ["ver"] if every else []
        one = "(" + ",".join(["%s"] * len(self.key) + ["0"] * len(fresh) + [self.columns[n].wrap for n in names]) + ")"
        parameters = []
        for _ in range(rows):
            if self.make_key:
                parameters += self.make_key(self.next_key)
            self.next_key += 1
            parameters += self.values(names)
        where = ", ".join(self.key + fresh + names)
        if not where:
            return f"{verb} INTO `{self.name}` () VALUES {', '.join(['()'] * rows)}", []
        return f"{verb} INTO `{self.name}` ({where}) VALUES {', '.join([one] * rows)}", parameters

    def replace(self):
        """Of an old key mostly: then ver begins again (I after D, or one U)."""
        latest, self.next_key = self.next_key, self.rng.randint(1, self.next_key)
        statement = self.insert(1, "REPLACE")
        self.next_key = max(latest, self.next_key)
        return statement

    def update(self, limit):
        names = [n for n in self.columns if self.rng.random() < 0.4]
        sets = ", ".join(["ver=ver+1"] + [f"{n}={self.columns[n].wrap}" for n in names])
        return (f"UPDATE `{self.name}` SET {sets} ORDER BY RAND({self.rng.randrange(1000)}) LIMIT {limit}", self.values(names))

    def move(self):
        """Changes keys: of one row, or of several by the same distance."""
        rng, n = self.rng, self.next_key
        if self.key_kind in ("int", "auto") and rng.random() < 0.4 and n < 10**6:
            self.next_key = 2 * n + 1
            return f"UPDATE `{self.name}` SET id=id+{n}, ver=ver+1 ORDER BY id DESC LIMIT {rng.choice((1, 5, 50))}", []
        self.next_key += 1
        sets = ", ".join([f"{k}=%s" for k in self.key] + ["ver=ver+1"])
        return f"UPDATE `{self.name}` SET {sets} ORDER BY RAND({rng.randrange(1000)}) LIMIT 1", list(self.make_key(n))

    def touch(self):
        return f"UPDATE `{self.name}` SET ver=ver+1", []

    def delete(self, limit):
        return f"DELETE FROM `{self.name}` ORDER BY RAND({self.rng.randrange(1000)}) LIMIT {limit}", []

    # --- statements that change the table: (sql, needs a touch of all rows, what to note) ---
    def alter(self):
        rng = self.rng
        place = rng.choice(("", "", " FIRST", " AFTER ver"))
        names = list(self.columns)
        pick = rng.choice(("add", "add", "add-default", "add-two", "drop", "modify", "change", "rename", "index", "same",
                           "generated", "convert", "key"))
        # Rows that the statement changes without an event: all are touched, and tell.
        touch_ok = self.followed and self.plan.image == "FULL"
        if pick == "add":
            sql = self._new_column()
            name = list(self.columns)[-1]
            return f"ADD COLUMN {sql}{place}", False, dict(add={name: None})
        if pick == "add-default":
            name = self._new_name()
            sql, shown, make = rng.choice((
                ("INT NOT NULL DEFAULT 7", "7", lambda r: r.randint(0, 9)),
                ("VARCHAR(30) CHARACTER SET utf8mb4 NOT NULL DEFAULT 'a,\"é'", 'a,"é', lambda r: "x"),
                ("BIGINT UNSIGNED NOT NULL DEFAULT 18446744073709551615 COMMENT 'signed, CHANGE it FIRST)'",
                 "18446744073709551615", lambda r: 2**63)))
            self.columns[name] = Column(sql, make, never_null=True)
            return f"ADD {name} {sql}{place}", False, dict(add={name: shown})
        if pick == "add-two":
            one, two = self._new_column(), self._new_column()
            a, b = list(self.columns)[-2:]
            return f"ADD COLUMN ({one}, {two})", False, dict(add={a: None, b: None})
        if pick == "drop" and len(names) > 1:
            name = rng.choice(names)
            del self.columns[name]
            return f"DROP COLUMN {name}", False, dict(drop=[name])
        if pick in ("modify", "change") and names:
            return self._modify(rng.choice(names), pick, place)
        if pick == "rename" and names and self.flavour != "mysql56":
            old, new = rng.choice(names), self._new_name()
            self.columns[new] = self.columns.pop(old)
            return f"RENAME COLUMN {old} TO {new}", False, dict(rename={old: new})
        if pick == "index":
            return f"ADD INDEX i{rng.randrange(10**6)} (ver)", False, {}
        if pick == "key" and len(self.key) > 1 and not self.partitioned:
            key = list(self.key)
            rng.shuffle(key)
            return f"DROP PRIMARY KEY, ADD PRIMARY KEY ({', '.join(key)})", False, {}
        if pick == "generated" and touch_ok and self.make_key and self.flavour != "mysql56":
            name = self._new_name()
            self.derived.add(name.strip("`"))
            return f"ADD COLUMN {name} INT AS (ver + 3) STORED", True, dict(add={name: UNTOLD})
        if pick == "convert" and touch_ok and self.make_key:
            column = self._new_column()
            name = list(self.columns)[-1]
            return f"COMMENT 'x, RENAME TO y', ADD {column}", True, dict(add={name: UNTOLD})
        return "ENGINE=InnoDB", False, {}

    def _modify(self, name, pick, place):
        column = self.columns[name]
        base = column.base
        if column.never_null or base not in WIDER or "COMPRESSED" in column.sql or WIDER[base] in self.without:
            return "ENGINE=InnoDB", False, {}
        most, make = LOB_MOST.get(WIDER[base]), column.make
        if most and column.longest > most:
            return "ENGINE=InnoDB", False, {}  # from now on it would be cut
        wider = Column(column.sql.replace(base, WIDER[base], 1), (lambda r: make(r)[:most]) if most else make, column.wrap)
        if pick == "modify":
            self.columns[name] = wider
            return f"MODIFY COLUMN {name} {wider.sql}{place}", False, {}
        new = self._new_name()
        self.columns = {new if n == name else n: wider if n == name else c for n, c in self.columns.items()}
        return f"CHANGE {name} {new} {wider.sql}{place}", False, dict(rename={name: new})


class Workload:
    """Tables in `schema` of `db`, filled; then step() after step(). `loaded`: the task has loaded all
    tables, from here on they may also be renamed."""

    def __init__(self, db, schema, seed, flavour="mariadb"):
        self.db, self.schema, self.flavour = db, schema, flavour
        self.rng = random.Random(seed)
        self.plan = Plan(seed, flavour)
        self.tables = []
        self.connections = {}
        self.gone = []  # names that tables had
        self.loaded = False
        self.db.execute(*self.plan.global_settings())
        for _ in range(self.rng.randint(1, 4)):
            self.create()
        for table in self.tables:
            for _ in range(self.rng.choice((0, 1, 5, 20))):
                self.run([table.insert(self.rng.choice((1, 10, 30)))])

    def create(self):
        table = Table(f"T{len(self.tables)}_{self.rng.choice(('x', 'ü y', 'UPPER'))}", self.rng, self.plan)
        self.define(table.create)
        table.begin(self.shape(table))
        self.tables.append(table)
        return table

    # --- connections ---
    def connect(self, charset="utf8mb4"):
        if charset not in self.connections:
            settings = self.plan.session_settings()
            if self.rng.random() < 0.3:
                settings.append("sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'")
            else:
                settings.append("sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'")
            self.connections[charset] = self.db.connect(
                self.schema, autocommit=False, charset=charset, client_flag=CLIENT.MULTI_STATEMENTS,
                init_command="SET " + ", ".join(settings))
        return self.connections[charset]

    def forget_connection(self):
        for connection in self.connections.values():
            try:
                connection.close()
            except pymysql.Error:
                pass
        self.connections = {}

    def run(self, statements, end="commit"):
        """In one transaction; now and then in one request."""
        connection = self.connect()
        with connection.cursor() as cursor:
            if len(statements) > 1 and self.rng.random() < 0.15:
                cursor.execute("; ".join(cursor.mogrify(sql, parameters or None) for sql, parameters in statements))
                while cursor.nextset():
                    pass
            else:
                for sql, parameters in statements:
                    cursor.execute(sql, parameters or None)
        getattr(connection, end)()

    def define(self, sql):
        """A statement that defines something, in some client's character set."""
        charset = self.rng.choice(("utf8mb4", "utf8mb4", "latin1", "gbk", "sjis", "cp1251"))
        try:
            sql.encode({"latin1": "cp1252", "utf8mb4": "utf8", "sjis": "shift_jis"}.get(charset, charset))
        except UnicodeEncodeError:
            charset = "utf8mb4"
        with self.connect(charset).cursor() as cursor:
            cursor.execute(sql)

    def shape(self, table):
        """Its columns in the server's order."""
        return [row[0] for row in self.db.query(
            "SELECT column_name FROM information_schema.columns WHERE table_schema=%s AND table_name=%s"
            " ORDER BY ordinal_position", (self.schema, table.name))]

    # --- steps ---
    def step(self):
        rng = self.rng
        dice = rng.random()
        table = rng.choice(self.tables)
        if dice < 0.10:
            self.alter(table)
        elif dice < 0.115 and len(self.tables) < 7:
            self.create()
        elif dice < 0.125:
            self.define(f"TRUNCATE TABLE `{table.name}`")
            table.names = [table.name]  # what the folders of earlier names have is void
        elif dice < 0.14:
            self.run([("FLUSH BINARY LOGS" if self.flavour == "mariadb" else "FLUSH LOGS", [])])
        elif dice < 0.15:
            self.db.execute(f"SET GLOBAL binlog_checksum={rng.choice(('NONE', 'CRC32'))}")
        elif dice < 0.16:
            self.again(table)
        elif dice < 0.175 and self.flavour != "mysql56":  # which forbids it together with GTIDs
            self.shadow(table)
        elif dice < 0.19 and self.loaded:
            self.rename(table)
        else:
            self.transaction(big=dice > 0.985)

    def alter(self, table):
        """Now and then several at once, without a pause for the reader to see each."""
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            sql, touch, noted = table.alter()
            self.define(f"ALTER TABLE `{table.name}` {sql}")
            table.step(self.shape(table), **noted)
            if touch:
                self.run([table.touch()])
            elif self.rng.random() < 0.6:
                self.run([table.insert(self.rng.randint(1, 3))])

    def again(self, table):
        """Dropped, and another one of the same name. Its columns' names tell the reader: none comes twice."""
        self.define(f"DROP TABLE `{table.name}`")
        table.define()
        self.define(table.create)
        table.step(self.shape(table), again=True)

    def rename(self, table):
        self.gone.append(table.name)
        name = f"{table.name.split(' (')[0]} ({len(self.gone)}"
        sql = (f"RENAME TABLE `{table.name}` TO `{name}`", f"ALTER TABLE `{table.name}` RENAME TO `{name}`")
        self.define(self.rng.choice(sql))
        table.name = name
        table.names.append(name)

    def shadow(self, table):
        """A temporary table of the same name hides it: none of this is the table's."""
        self.run([(sql, []) for sql in (
            f"CREATE TEMPORARY TABLE `{table.name}` (a INT PRIMARY KEY, b INT)", f"INSERT INTO `{table.name}` VALUES (1, 2), (2, 3)",
            f"ALTER TABLE `{table.name}` ADD c INT, DROP b", f"UPDATE `{table.name}` SET c=1", f"TRUNCATE TABLE `{table.name}`",
            f"DROP TEMPORARY TABLE `{table.name}`")])

    def transaction(self, big):
        rng = self.rng
        statements = []
        for _ in range(rng.choice((1, 1, 2, 5))):
            table = rng.choice(self.tables)
            dice = rng.random()
            if dice < 0.45:
                statements.append(table.insert(rng.choice((1, 1, 4))))
            elif dice < 0.70 and table.followed:
                statements.append(table.update(rng.choice((1, 3, 10))))
            elif dice < 0.76 and table.make_key and self.plan.before:
                statements.append(table.move())
            elif dice < 0.8 and table.make_key:
                statements.append(table.replace())
            elif dice < 0.93:
                statements.append(table.delete(rng.choice((1, 3))))
            else:
                statements += [("SAVEPOINT s", []), table.insert(2), ("ROLLBACK TO SAVEPOINT s", [])]
        if big:
            statements += [table.touch() for table in self.tables if table.followed]
            statements += [self.tables[0].insert(50) for _ in range(10)]
        self.run(statements, "rollback" if rng.random() < 0.1 else "commit")
