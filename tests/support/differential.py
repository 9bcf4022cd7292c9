"""An independent reader of what DMS writes: LOAD files, then change files in the order of their names,
each file's columns by its header. Strict: an insert of a present row, a change of a missing one, a
version that doesn't follow, a before image that isn't the row, columns in another order raise at once.
Which row an update changed: that of the before image if its key has changed, else that of the key; in
a table without key, the row that the before image shows."""

import collections
import csv
import gzip
import io

from tests.support import dms_text
from tests.support.workload import UNTOLD

NULL = "<null>"
NOSUP = "<nosup>"  # the log doesn't have the value
BEFORE = "BI_"


def evolve(order, step, shape):
    """Where the columns stand in the files after a change of the table: renamed ones where they were,
    new ones last."""
    if step["again"]:
        return shape
    kept = [step["rename"].get(name, name) for name in order if name not in step["drop"]]
    return (*kept, *(name for name in shape if name not in kept))


class Reader:
    """State of one table: {key: {column: text}}, or a Counter of rows for a table without key."""

    def __init__(self, table, plan):
        self.table, self.plan = table, plan
        self.at = 0  # which shape of the table the rows are in
        self.order = None
        self.shapes = [frozenset(shape) for shape in table.shapes]
        self.rows = {}
        self.bag = collections.Counter()
        self.name = ""

    def fail(self, text):
        raise AssertionError(f"table {self.table.name}, {self.name}: {text}"[:3000])

    # --- shapes ---
    @property
    def key(self):
        return self.table.key_at(self.at)

    def advance(self, to):
        for step in self.table.steps[self.at:to]:
            if step["again"]:
                self.rows, self.bag = {}, collections.Counter()
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

    def _evolved(self, order, since, to):
        for i in range(since, to):
            order = evolve(order, self.table.steps[i], self.table.shapes[i + 1])
        return order

    def header(self, names, first):
        """`first`: of its folder; any shape until then may have been the one that was described first."""
        if len(set(names)) != len(names):
            self.fail(f"a column comes twice in {names}")
        to = next((i for i in range(self.at, len(self.shapes)) if self.shapes[i] == frozenset(names)), None)
        if to is None:
            self.fail(f"no shape of the table from number {self.at} on has the columns {names}")
        if first:
            last = to  # the same columns, moved
            while last + 1 < len(self.shapes) and self.shapes[last + 1] == self.shapes[to]:
                last += 1
            want = [self._evolved(self.table.shapes[i], i, max(i, to)) for i in range(last + 1)]
        else:
            want = [self._evolved(self.order, self.at, to)]
        if tuple(names) not in want:
            self.fail(f"the columns are in the order {names} and not {want}")
        self.order = tuple(names)
        if first and not self.rows and not self.bag:
            self.at = to
        else:
            self.advance(to)

    # --- rows ---
    def key_of(self, row):
        return tuple(row[k] for k in self.key)

    def insert(self, row):
        if not self.key:
            self.bag[frozenset(row.items())] += 1
            return
        if self.key_of(row) in self.rows:
            self.fail(f"insert of present {row}")
        default = {"ver": "0"}  # of what an insert doesn't name
        self.rows[self.key_of(row)] = {k: default.get(k, UNTOLD) if v == NOSUP else v for k, v in row.items()}

    def same(self, old, new):
        return all(v == NOSUP or old[k] is UNTOLD or old[k] == v for k, v in new.items())

    def find(self, op, row, before):
        """The key and the row that an update or delete changes."""
        key = self.key_of(row)
        if op == "U" and any(before.get(k, NULL) != NULL for k in self.key):
            key = self.key_of(before)
        elif self.plan.before == "all" and op == "U":
            self.fail(f"{row} has no before image")
        old = self.rows.get(key) or self.fail(f"{op} of missing {key}: {row}, before {before}")
        if not self.same(old, row if op == "D" else {k: v for k, v in before.items() if self.plan.before == "all"}):
            differs = {k: (v, old[k]) for k, v in (row if op == "D" else before).items() if old[k] != v}
            self.fail(f"{op} with a before image that isn't the row, {differs}: {row}")
        return key, old

    def change_of_bag(self, op, row, before):
        if op == "U" and self.plan.before != "all":
            self.fail(f"an update of a table without key: {row}")
        old = frozenset((before if op == "U" else row).items())
        if self.bag[old] <= 0:
            nearest = max((dict(row) for row, n in self.bag.items() if n > 0), default={},
                          key=lambda row: sum(row[k] == v for k, v in old))
            self.fail(f"{op} of a missing row, the nearest differs in {[(k, v, nearest.get(k)) for k, v in old if nearest.get(k) != v]}: {old}")
        self.bag[old] -= 1
        if op == "U":
            self.check_version(dict(old), row)
            self.bag[frozenset(row.items())] += 1

    def check_version(self, old, row):
        if row["ver"] not in ("0", str(int(old["ver"]) + 1)):  # 0: REPLACE
            self.fail(f"version {row['ver']} comes after {old['ver']}: {row}")

    def change(self, op, row, before):
        if self.plan.image == "FULL" and NOSUP in row.values():
            self.fail(f"a value is missing in {row}")
        if op == "I":
            if any(v != NULL for v in before.values()):
                self.fail(f"an insert with a before image: {before}")
            self.insert(row)
        elif op not in ("U", "D"):
            self.fail(f"unknown operation {op!r}")
        elif not self.key:
            self.change_of_bag(op, row, before)
        else:
            key, old = self.find(op, row, before)
            del self.rows[key]
            if op == "U":
                unchanged = {k: UNTOLD if k in self.table.derived else old[k] for k, v in row.items() if v == NOSUP}
                new = {**row, **unchanged}
                self.check_version(old, new)
                if self.key_of(new) in self.rows:
                    self.fail(f"update {row} of {old} to a present key")
                self.rows[self.key_of(new)] = new

    # --- files ---
    def read(self, s3, bucket, prefix):
        names = dms_text.objects(s3, bucket, prefix)
        loads = sorted(n for n in names if n[len(prefix):].startswith("LOAD"))
        changes = sorted(n for n in names if not n[len(prefix):].startswith("LOAD"))
        for number, name in enumerate(loads + changes):
            self.name = name
            body = s3.get_object(Bucket=bucket, Key=name)["Body"].read()
            text = (gzip.decompress(body) if name.endswith(".gz") else body).decode()
            lines = csv.reader(io.StringIO(text, newline=""))
            self.read_file(next(lines), lines, name in loads, number == 0)

    def read_file(self, names, lines, is_load, first):
        if not is_load and names[0] != "Op":
            self.fail(f"no Op in {names}")
        at = next((i for i, n in enumerate(names) if n.startswith(BEFORE)), len(names))
        self.header(names[0 if is_load else 1:at], first)
        if bool(names[at:]) != bool(self.plan.before and (self.key or self.plan.before == "all")):
            self.fail(f"before images in {names}: {self.plan.before}")
        for line in lines:
            if len(line) != len(names):
                self.fail(f"{len(line)} fields under {len(names)} columns: {line}")
            row = dict(zip(names[:at], line))
            before = {n[len(BEFORE):]: v for n, v in zip(names[at:], line[at:])}
            self.change("I" if is_load else row.pop("Op"), row, before)

    def result(self, known):
        """A Counter of rows, each a sorted tuple of (column, text). What was never told is as in `known`."""
        rows = []
        for key, row in self.rows.items():
            if UNTOLD in row.values():
                if self.plan.image == "FULL":
                    self.fail(f"never told: {row}")
                row = {k: known.get(key, row)[k] if v is UNTOLD else v for k, v in row.items()}
            rows.append(tuple(sorted(row.items(), key=lambda i: i[0])))
        rows += [tuple(sorted(r)) for r, n in self.bag.items() for _ in range(n)]
        return collections.Counter(rows)


def source(db, schema, table):
    """The rows of the source, each a dict."""
    names = [c[0] for c in dms_text.columns(db, schema, table.name)]
    return [dict(zip(names, row)) for row in dms_text.source_rows(db, schema, table.name, NULL)]


def assert_same(s3, bucket, work, table):
    reader = Reader(table, work.plan)
    for name in table.names:
        reader.read(s3, bucket, f"{work.schema}/{name}/")
    reader.name = "at the end"
    reader.advance(len(reader.shapes) - 1)
    rows = source(work.db, work.schema, table)
    want = collections.Counter(tuple(sorted(row.items())) for row in rows)
    got = reader.result({reader.key_of(row): row for row in rows})
    missing, extra = list((want - got).elements()), list((got - want).elements())
    if missing or extra:
        detail = ""
        if missing and extra:
            pairs = [(m, e) for m in missing for e in extra if sum(a == b for a, b in zip(m, e)) > len(m) // 2]
            if pairs:
                detail = str([(a, b) for a, b in zip(*pairs[0]) if a != b])[:2000]
        raise AssertionError(f"table {table.name} ({table.create}): {len(missing)} rows are missing, {len(extra)} too many; "
                             f"differences {detail}; missing {str(missing[:1])[:800]}; extra {str(extra[:1])[:800]}")
