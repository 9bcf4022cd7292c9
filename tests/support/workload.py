"""Random tables and random changes from one seed, for the differential test of DMS. Knows nothing of
the server under test: it speaks SQL to a source and remembers in which order the columns of each
table came and went."""

import datetime
import json
import math
import random
import struct
from decimal import Decimal

import pymysql

UNTOLD = object()  # the value that the source gave an existing row without an event: a later touch tells

ALPHABETS = {  # what each character set can hold, quotes and separators first
    "utf8mb4": "ab,\"'\\\n\r\té€漢😀 ;|", "utf8": "ab,\"'\\\né€漢 ", "latin1": "ab,\"'\\\né€ÿ ", "cp1251": "ab,\"'жЯ ",
    "koi8r": "ab,\"'жЯ ", "ucs2": "ab,\"'é漢 ", "utf16": "ab,\"'é漢😀 ", "utf32": "ab,\"'é漢😀 ", "gbk": "ab,\"'漢字 ",
    "sjis": "ab,\"'カ字 ", "ascii": "ab,\"'\\\n ", "greek": "ab,\"αΩ ", "latin2": "ab,\"čŽ ", "big5": "ab,\"漢字 ",
}


def text(rng, charset, longest):
    n = rng.choice((0, 1, 3, longest // 2, longest))
    return "".join(rng.choice(ALPHABETS[charset]) for _ in range(min(n, longest)))


def blob(rng, longest):
    n = rng.choice((0, 1, 3, longest // 2, longest))
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
    longest = {"TINYTEXT": 60, "TEXT": 2000, "MEDIUMTEXT": 3000, "LONGTEXT": 4000}.get(kind, size)
    return Column(f"{kind} CHARACTER SET {charset}", lambda r: text(r, charset, longest))


def binary(rng, flavour):
    size = rng.choice((1, 7, 255))
    kind = rng.choice((f"BINARY({size})", f"VARBINARY({size * 4})", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"))
    longest = {"TINYBLOB": 255, "BLOB": 3000, "MEDIUMBLOB": 3000, "LONGBLOB": 4000}.get(kind, size)
    return Column(kind, lambda r: blob(r, longest))


def labelled(rng, flavour):
    labels = ["a", "it's", "ä€", 'q"q', "two words", "UNSIGNED", "z)"] + [f"l{i}" for i in range(rng.choice((0, 2, 50)))]
    quoted = ",".join("'" + name.replace("'", "''") + "'" for name in labels)
    if rng.random() < 0.5:
        return Column(f"ENUM({quoted})", lambda r: r.choice(labels))
    return Column(f"SET({quoted})", lambda r: ",".join(x for x in labels if r.random() < 0.2))


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


def any_column(rng, flavour):
    return rng.choice((number, number, temporal, character, character, binary, labelled, special))(rng, flavour)


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
    def __init__(self, name, rng, flavour):
        self.name, self.rng, self.flavour = name, rng, flavour
        self.key_kind = rng.choice(("int", "int", "auto", "text", "composite", "date", "none"))
        key_sql, self.make_key = KEYS[self.key_kind]
        self.key = [c.split()[0] for c in key_sql if not c.startswith("PRIMARY")]
        self.next_key = 1
        self.next_column = 1
        self.columns = {}  # what can be written, without key and ver
        parts = [*key_sql[: len(self.key)], "ver INT NOT NULL DEFAULT 0"]
        for _ in range(rng.choice((1, 3, 6, 12))):
            parts.append(self._new_column())
        if rng.random() < 0.3:
            parts.append("gs INT AS (ver + 1) STORED" if flavour != "mysql56" else "gs INT DEFAULT 5")
        if rng.random() < 0.3 and flavour != "mysql56":
            parts.append("gv BIGINT AS (ver * 2) VIRTUAL")
        if rng.random() < 0.2 and flavour == "mariadb":
            parts.append("hid INT INVISIBLE DEFAULT 9")
        rest = list(key_sql[len(self.key):])
        names = [*self.key, "ver", *(n.strip("`") for n in self.columns)]
        names += [p.split()[0] for p in parts if p.split()[0] in ("gs", "gv", "hid")]
        if rng.random() < 0.5:
            ends = parts[1:]
            rng.shuffle(ends)
            parts = parts[:1] + ends
        self.create = f"CREATE TABLE `{name}` ({', '.join(parts + rest)}) CHARACTER SET {rng.choice(('utf8mb4', 'latin1'))}"
        if flavour == "mysql56":
            self.create += " ROW_FORMAT=DYNAMIC"  # else long texts don't fit a page
        self.shapes = [frozenset(names)]  # of column names
        self.steps = []  # from shapes[i] to shapes[i + 1]: {"add": {name: text}, "drop": […], "rename": {old: new}}

    def _new_name(self):
        self.next_column += 1
        return self.rng.choice(("c{}", "`c {}`", "`c,{}`", "`Ü{}`")).format(self.next_column)

    def _new_column(self):
        name = self._new_name()
        column = any_column(self.rng, self.flavour)
        self.columns[name] = column
        return f"{name} {column.sql}"

    def step(self, add=None, drop=(), rename=None):
        shape = set(self.shapes[-1])
        bare = lambda name: name.strip("`")  # noqa: E731
        step = {"add": {bare(k): v for k, v in (add or {}).items()}, "drop": [bare(n) for n in drop],
                "rename": {bare(k): bare(v) for k, v in (rename or {}).items()}}
        shape |= set(step["add"]) | set(step["rename"].values())
        shape -= set(step["drop"]) | set(step["rename"])
        self.shapes.append(frozenset(shape))
        self.steps.append(step)

    # --- statements: (sql, parameters) ---
    def values(self, names):
        columns = [self.columns[n] for n in names]
        return [None if self.rng.random() < 0.12 and not c.never_null else c.make(self.rng) for c in columns]

    def insert(self, rows, verb="INSERT"):
        rng = self.rng
        names = [n for n in self.columns if rng.random() < 0.9]
        one = "(" + ",".join(["%s"] * len(self.key) + [self.columns[n].wrap for n in names]) + ")"
        parameters = []
        for _ in range(rows):
            if self.make_key:
                parameters += self.make_key(self.next_key)
            self.next_key += 1
            parameters += self.values(names)
        where = ", ".join(self.key + names)
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
                           "generated", "convert"))
        touch_ok = self.make_key is not None  # an update of a table without key can't be followed
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
        if pick == "generated" and touch_ok and self.flavour != "mysql56":
            name = self._new_name()
            return f"ADD COLUMN {name} INT AS (ver + 3) STORED", True, dict(add={name: UNTOLD})
        if pick == "convert" and touch_ok:
            column = self._new_column()
            name = list(self.columns)[-1]
            return f"COMMENT 'x, RENAME TO y', ADD {column}", True, dict(add={name: UNTOLD})
        return "ENGINE=InnoDB", False, {}

    def _modify(self, name, pick, place):
        column = self.columns[name]
        base = column.sql.split()[0].split("(")[0]
        if column.never_null or base not in WIDER or "COMPRESSED" in column.sql:
            return "ENGINE=InnoDB", False, {}
        wider = Column(column.sql.replace(base, WIDER[base], 1), column.make, column.wrap)
        if pick == "modify":
            self.columns[name] = wider
            return f"MODIFY COLUMN {name} {wider.sql}{place}", False, {}
        new = self._new_name()
        self.columns = {new if n == name else n: wider if n == name else c for n, c in self.columns.items()}
        return f"CHANGE {name} {new} {wider.sql}{place}", False, dict(rename={name: new})


class Workload:
    """Tables in `schema` of `db`, filled; then step() after step()."""

    def __init__(self, db, schema, seed, flavour="mariadb"):
        self.db, self.schema, self.flavour = db, schema, flavour
        self.rng = random.Random(seed)
        self.tables = []
        self.connection = None
        for _ in range(self.rng.randint(1, 4)):
            self.create()
        for table in self.tables:
            for _ in range(self.rng.choice((0, 1, 5, 20))):
                self.run([table.insert(self.rng.choice((1, 10, 30)))])

    def create(self):
        table = Table(f"T{len(self.tables)}_{self.rng.choice(('x', 'ü y', 'UPPER'))}", self.rng, self.flavour)
        self.run([(table.create, [])])
        self.tables.append(table)
        return table

    def connect(self):
        if not self.connection:
            self.connection = self.db.connect(
                self.schema, autocommit=False,
                init_command="SET time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'")
        return self.connection

    def forget_connection(self):
        if self.connection:
            try:
                self.connection.close()
            except pymysql.Error:
                pass
            self.connection = None

    def run(self, statements, end="commit"):
        connection = self.connect()
        with connection.cursor() as cursor:
            for sql, parameters in statements:
                cursor.execute(sql, parameters or None)
        getattr(connection, end)()

    def step(self):
        rng = self.rng
        dice = rng.random()
        table = rng.choice(self.tables)
        if dice < 0.10:
            self.alter(table)
        elif dice < 0.115 and len(self.tables) < 7:
            self.create()
        elif dice < 0.125:
            self.run([(f"TRUNCATE TABLE `{table.name}`", [])])
        elif dice < 0.15:
            self.run([("FLUSH BINARY LOGS" if self.flavour == "mariadb" else "FLUSH LOGS", [])])
        else:
            self.transaction(big=dice > 0.985)

    def alter(self, table):
        """Now and then several at once, without a pause for the reader to see each."""
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            sql, touch, noted = table.alter()
            self.run([(f"ALTER TABLE `{table.name}` {sql}", [])])
            table.step(**noted)
            if touch:
                self.run([table.touch()])
            elif self.rng.random() < 0.6:
                self.run([table.insert(self.rng.randint(1, 3))])

    def transaction(self, big):
        rng = self.rng
        statements = []
        for _ in range(rng.choice((1, 1, 2, 5))):
            table = rng.choice(self.tables)
            dice = rng.random()
            if dice < 0.45:
                statements.append(table.insert(rng.choice((1, 1, 4))))
            elif dice < 0.75 and table.make_key:
                statements.append(table.update(rng.choice((1, 3, 10))))
            elif dice < 0.8 and table.make_key:
                statements.append(table.replace())
            elif dice < 0.93:
                statements.append(table.delete(rng.choice((1, 3))))
            elif table.make_key:
                statements += [("SAVEPOINT s", []), table.insert(2), ("ROLLBACK TO SAVEPOINT s", [])]
        if big:
            statements += [table.touch() for table in self.tables if table.make_key]
            statements += [self.tables[0].insert(50) for _ in range(10)]
        self.run(statements, "rollback" if rng.random() < 0.1 else "commit")
