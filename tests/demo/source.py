"""The demo's source: two tables of many types, their first rows and a day's worth of changes."""

import random

TABLES = ("customers", "orders")
SCHEMA = "shop"

_CREATE = [
    f"CREATE DATABASE {SCHEMA} CHARACTER SET utf8mb4",
    f"""CREATE TABLE {SCHEMA}.customers (
        id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, name VARCHAR(120) NOT NULL, city VARCHAR(80),
        email VARCHAR(160), balance DECIMAL(14,2), rating DOUBLE, born DATE, joined TIMESTAMP(3) NULL,
        level ENUM('basic','plus','gold'), tags SET('new','vip','late'), active BIT(1), note TEXT,
        photo VARBINARY(32))""",
    f"""CREATE TABLE {SCHEMA}.orders (
        id INT PRIMARY KEY AUTO_INCREMENT, customer BIGINT UNSIGNED, quantity SMALLINT, price FLOAT,
        total DECIMAL(20,4), placed DATETIME(6), deliver_at TIME, year_of YEAR, state CHAR(8),
        address VARCHAR(200), details JSON)""",
]

_NAMES = ["Ada Lovelace", "Zoë Ångström", "李小龙", "O'Brien, Pat", 'Max "Mad" Power', "Renée\nDupont"]
_CITIES = ["Lyon", "Houston", "Kraków", "São Paulo", "54, rue Royale", None]


class Shop:
    """Fills and changes the tables through `db` (tests.support.mariadb.MariaDB). Repeatable: the same
    seed gives the same rows."""

    def __init__(self, db, seed=7):
        self.db, self.random = db, random.Random(seed)
        self.next = {table: 1 for table in TABLES}

    def _customer(self):
        r = self.random
        return (
            f"{r.choice(_NAMES)} {r.randrange(10**6)}", r.choice(_CITIES), f"c{r.randrange(10**9)}@example.org",
            f"{r.randrange(-10**9, 10**11) / 100:.2f}", r.choice([None, r.uniform(-1e6, 1e9)]),
            f"{r.randrange(1930, 2020)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}",
            f"2024-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} {r.randrange(24):02}:{r.randrange(60):02}:07.125",
            r.choice(["basic", "plus", "gold", None]), r.choice(["", "new", "new,vip", "vip,late"]),
            r.randrange(2), r.choice(["", None, "plain", 'says "hi", twice', "two\nlines", "tab\there"]),
            r.randbytes(r.randrange(9)),
        )

    def _order(self):
        r = self.random
        return (
            r.randrange(1, max(2, self.next["customers"])), r.randrange(-5, 1000), r.choice([None, r.uniform(0, 999)]),
            f"{r.randrange(10**12) / 10000:.4f}", f"2025-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} 10:20:30.{r.randrange(10**6):06}",
            f"{r.randrange(24):02}:{r.randrange(60):02}:00", r.randrange(2000, 2030), r.choice(["open", "paid", "sent"]),
            f"{r.randrange(1, 200)}, rue de la Paix", '{"gift": %s, "lines": [1, 2]}' % r.choice(["true", "false"]),
        )

    def _insert(self, cursor, table, count):
        row = self._customer if table == "customers" else self._order
        width = 12 if table == "customers" else 10
        marks = "(NULL," + ",".join(["%s"] * width) + ")"
        for start in range(0, count, 1000):
            n = min(1000, count - start)
            values = [v for _ in range(n) for v in row()]
            cursor.execute(f"INSERT INTO {SCHEMA}.{table} VALUES " + ",".join([marks] * n), values)
            self.next[table] += n

    def create(self, customers, orders):
        self.db.execute(*_CREATE)
        with self.db.connect(autocommit=False) as connection, connection.cursor() as cursor:
            for table, count in (("customers", customers), ("orders", orders)):
                self._insert(cursor, table, count)
                connection.commit()

    def change(self, transactions):
        """Random transactions over both tables; returns counts by kind."""
        r, done = self.random, {"inserts": 0, "updates": 0, "deletes": 0, "rolled back": 0}
        with self.db.connect(autocommit=False) as connection, connection.cursor() as cursor:
            for _ in range(transactions):
                pending = {"inserts": 0, "updates": 0, "deletes": 0}
                for _ in range(r.randrange(1, 6)):
                    self._one_change(cursor, pending)
                if r.random() < 0.1:
                    connection.rollback()
                    done["rolled back"] += 1
                    continue
                connection.commit()
                for kind, count in pending.items():
                    done[kind] += count
        return done

    def _one_change(self, cursor, pending):
        r, table = self.random, self.random.choice(TABLES)
        some = r.randrange(1, self.next[table])
        kind = r.random()
        if kind < 0.3:
            self._insert(cursor, table, r.randrange(1, 4))
            pending["inserts"] += cursor.rowcount
        elif kind < 0.75:
            column = "name" if table == "customers" else "address"
            cursor.execute(
                f"UPDATE {SCHEMA}.{table} SET {column}=%s WHERE id BETWEEN %s AND %s",
                (f'changed, "{r.randrange(10**6)}"', some, some + r.randrange(5)))
            pending["updates"] += cursor.rowcount
        else:
            cursor.execute(f"DELETE FROM {SCHEMA}.{table} WHERE id=%s", (some,))
            pending["deletes"] += cursor.rowcount
