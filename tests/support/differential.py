"""An independent reader of what DMS writes: LOAD files, then change files in the order of their names,
each file's columns by its header. Strict: an insert of a present row, a change of a missing one, a
version that doesn't follow, a delete whose image isn't the row raise at once."""

import collections
import csv
import gzip
import io

from tests.support import dms_text
from tests.support.workload import UNTOLD

NULL = "<null>"


class Reader:
    """State of one table: {key: {column: text}}, or a Counter of rows for a table without key."""

    def __init__(self, table, log=None):
        self.table, self.key = table, table.key
        self.at = 0  # which shape of the table the rows are in
        self.shapes = table.shapes
        self.rows = {}
        self.bag = collections.Counter()
        self.name = ""

    def fail(self, text):
        raise AssertionError(f"table {self.table.name}, {self.name}: {text}")

    # --- shapes ---
    def advance(self, to):
        for step in self.table.steps[self.at:to]:
            self.rows = {k: self._moved(row, step) for k, row in self.rows.items()}
            bag = collections.Counter()
            for row, n in self.bag.items():
                bag[frozenset(self._moved(dict(row), step).items())] += n
            self.bag = bag
        self.at = to

    @staticmethod
    def _moved(row, step):
        row = {step["rename"].get(k, k): v for k, v in row.items() if k not in step["drop"]}
        for name, shown in step["add"].items():
            row[name] = NULL if shown is None else shown
        return row

    def header(self, names, first):
        shape = frozenset(names)
        if len(shape) != len(names):
            self.fail(f"a column comes twice in {names}")
        for i in range(self.at, len(self.shapes)):
            if self.shapes[i] == shape:
                if first:
                    self.at = i
                else:
                    self.advance(i)
                return
        self.fail(f"no shape of the table from number {self.at} on has the columns {names}")

    # --- rows ---
    def key_of(self, row):
        return tuple(row[k] for k in self.key)

    def insert(self, row):
        if not self.key:
            self.bag[frozenset(row.items())] += 1
            return
        if self.key_of(row) in self.rows:
            self.fail(f"insert of present {row}")
        self.rows[self.key_of(row)] = row

    def same(self, old, new):
        return all(old[k] is UNTOLD or old[k] == v for k, v in new.items())

    def change(self, op, row):
        if op == "I":
            self.insert(row)
        elif not self.key:
            if op != "D":
                self.fail(f"an update of a table without key: {row}")
            old = frozenset(row.items())
            if self.bag[old] <= 0:
                self.fail(f"delete of missing {row}")
            self.bag[old] -= 1
        else:
            old = self.rows.get(self.key_of(row)) or self.fail(f"{op} of missing {row}")
            if op == "D":
                if not self.same(old, row):
                    self.fail(f"delete of {row}, but the row is {old}")
                del self.rows[self.key_of(row)]
            elif op == "U":
                if row["ver"] not in ("0", str(int(old["ver"]) + 1)):  # 0: REPLACE
                    self.fail(f"update {row} of {old}")
                self.rows[self.key_of(row)] = row
            else:
                self.fail(f"unknown operation {op!r}")

    # --- files ---
    def read(self, s3, bucket, prefix):
        names = dms_text.objects(s3, bucket, prefix)
        loads = sorted(n for n in names if n[len(prefix):].startswith("LOAD"))
        changes = sorted(n for n in names if not n[len(prefix):].startswith("LOAD"))
        first = True
        for name in loads + changes:
            self.name = name[len(prefix):]
            body = s3.get_object(Bucket=bucket, Key=name)["Body"].read()
            text = (gzip.decompress(body) if name.endswith(".gz") else body).decode()
            lines = csv.reader(io.StringIO(text, newline=""))
            names_row = next(lines)
            is_load = name in loads
            if not is_load and names_row[0] != "Op":
                self.fail(f"no Op in {names_row}")
            self.header(names_row if is_load else names_row[1:], first)
            first = False
            for line in lines:
                if len(line) != len(names_row):
                    self.fail(f"{len(line)} fields under {len(names_row)} columns: {line}")
                row = dict(zip(names_row, line))
                self.insert(row) if is_load else self.change(row.pop("Op"), row)
        self.name = "at the end"
        self.advance(len(self.shapes) - 1)

    def result(self):
        """A Counter of rows, each a sorted tuple of (column, text)."""
        rows = [tuple(sorted(r.items(), key=lambda i: i[0])) for r in self.rows.values()]
        rows += [tuple(sorted(r)) for r, n in self.bag.items() for _ in range(n)]
        return collections.Counter(rows)


def source(db, schema, table):
    names = [c[0] for c in dms_text.columns(db, schema, table.name)]
    return collections.Counter(
        tuple(sorted(zip(names, row))) for row in dms_text.source_rows(db, schema, table.name, NULL))


def assert_same(s3, bucket, db, schema, table):
    reader = Reader(table)
    reader.read(s3, bucket, f"{schema}/{table.name}/")
    got, want = reader.result(), source(db, schema, table)
    missing, extra = list((want - got).elements()), list((got - want).elements())
    if missing or extra:
        detail = ""
        if missing and extra:
            pairs = [(m, e) for m in missing for e in extra if sum(a == b for a, b in zip(m, e)) > len(m) // 2]
            if pairs:
                detail = str([(a, b) for a, b in zip(*pairs[0]) if a != b])[:2000]
        raise AssertionError(f"table {table.name} ({table.create}): {len(missing)} rows are missing, {len(extra)} too many; "
                             f"differences {detail}; missing {str(missing[:1])[:800]}; extra {str(extra[:1])[:800]}")
