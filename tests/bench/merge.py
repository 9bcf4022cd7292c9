"""`make bench-merge`: `cistern merge` beside cp, DuckDB, PySpark and a shell pipeline, in one run, in
turn.

A table of 9 columns with quoted commas, newlines and quotes; 1,000,000 changes all over it, and 1,000
in a hundredth of its keys. Printed are medians of the rounds and of the ratios within a round. The
results of cistern, DuckDB and PySpark are compared. Then growth: 1,000 changes at several sizes.
Everything lies in a temporary folder (in TMPDIR, else /dev/shm when there is room) and goes at the
end."""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from tests.bench.merge_peers import BINARY, Cistern, Cp, DuckDB, Measured, Shell, Spark, fingerprints

TOOLS = pathlib.Path(os.environ.get("BENCH_TOOLS", "build/release/bench"))
ROW_BYTES = 128
SEED = 1


def generate(path, *words):
    with open(path, "wb") as out:
        subprocess.run([str(TOOLS / "mergegen"), *map(str, words)], stdout=out, check=True)


class Bench:
    def __init__(self, asked, folder):
        self.asked, self.folder = asked, folder
        self.results = {}  # (case, peer): [a Measured per round]
        self.compared = []

    def data_set(self, rows):
        """A set as a full load leaves it."""
        load, base = self.folder / "load.csv", self.folder / f"base-{rows}"
        generate(load, "base", rows, SEED)
        Measured([str(BINARY), "merge", "--final", str(base), "--quiet", "--load", str(load)])
        load.unlink()
        return base

    def one(self, case, peer, base, changes):
        out = self.folder / f"out-{peer.name.replace(' ', '')}"
        shutil.rmtree(out, ignore_errors=True)
        if peer is Cistern:
            subprocess.run(["cp", "-rp", str(base), str(out)], check=True)
        measured = peer.run(base, changes, out)
        self.results.setdefault((case, peer.name), []).append(measured)
        return out

    def rounds(self, case, peers, base, changes):
        for n in range(self.asked.rounds):
            outs = {}
            for k in range(len(peers)):
                peer = peers[(n + k) % len(peers)]
                out = self.one(case, peer, base, changes)
                if n == 0 and peer.name in ("cistern", "DuckDB", "PySpark"):
                    outs[peer.name] = out
                else:
                    shutil.rmtree(out)
            self.compare(case, outs)
            print(f"{case}, round {n + 1}", file=sys.stderr, flush=True)

    def compare(self, case, outs):
        if len(outs) > 1:
            found = dict(zip(outs, fingerprints(outs.values())))
            if len(set(found.values())) != 1:
                raise SystemExit(f"bench-merge: {case}: the results differ: {found}")
            self.compared.append(f"{case}: {', '.join(found)} agree (rows, keys, hash: {next(iter(found.values()))})")
        for out in outs.values():
            shutil.rmtree(out)

    def run(self):
        asked = self.asked
        peers = [Cistern, Cp, DuckDB, Shell]
        if asked.spark_home:
            scratch = self.folder / "spark"
            scratch.mkdir()
            peers.append(Spark(asked.spark_home, scratch))
        if asked.only:
            peers = [p for p in peers if p.name.lower().split()[0] in asked.only + ["cistern", "cp"]]
        base, changes = self.data_set(asked.rows), self.folder / "changes.csv"
        generate(changes, "changes", asked.rows, SEED, asked.changes, 0, asked.rows)
        self.rounds(f"{asked.changes:,} changes", peers, base, changes)
        generate(changes, "changes", asked.rows, SEED, 1000, asked.rows * 9 // 10, asked.rows * 91 // 100)
        self.rounds("1,000 clustered", [p for p in peers if p is not Shell], base, changes)
        shutil.rmtree(base)
        for rows in asked.growth:
            if rows * ROW_BYTES * 2.2 > shutil.disk_usage(self.folder).free:
                print(f"no room for {rows:,} rows in {self.folder}: left out", file=sys.stderr)
                continue
            base = self.data_set(rows)
            generate(changes, "changes", rows, SEED, 1000, rows - min(100_000, rows // 10), rows)
            self.rounds(f"1,000 at {rows:,} rows", [Cistern], base, changes)
            shutil.rmtree(base)


def spread(values):
    text = f"{statistics.median(values):.3g}"
    return text if len(values) == 1 else f"{text} ({min(values):.3g}-{max(values):.3g})"


def table(results):
    rows = [("", "", "seconds", "CPU s", "RSS MB", "cistern is x times quicker")]
    for (case, peer), runs in results.items():
        ours = results[case, "cistern"]
        ratios = [] if peer == "cistern" else [b.seconds / a.seconds for a, b in zip(ours, runs)]
        rows.append((case, peer, spread([r.seconds for r in runs]), spread([r.cpu_s for r in runs]),
                     f"{max(r.rss_mb for r in runs):,.0f}", spread(ratios) if ratios else ""))
    return rows


def targets(results, asked):
    """[(words, met, value)]"""
    def ratio(case, peer):
        ours, theirs = results[case, "cistern"], results.get((case, peer))
        return theirs and statistics.median(b.seconds / a.seconds for a, b in zip(ours, theirs))

    big, small = f"{asked.changes:,} changes", "1,000 clustered"
    found = [(f"{big}: >= {goal} x {peer}", value >= goal, f"{value:.2f}")
             for peer, goal in (("cp", 0.6), ("DuckDB", 8), ("PySpark", 20)) if (value := ratio(big, peer))]
    memory = max(r.rss_mb for r in results[big, "cistern"])
    found.append((f"{big}: < 300 MB", memory < 300, f"{memory:.0f}"))
    figures = json.loads(results[small, "cistern"][0].out)
    share = 100 * figures["bytes_rewritten"] / figures["bytes_total"]
    found.append((f"{small}: <= 5 % of bytes rewritten", share <= 5, f"{share:.2f} %"))
    return found


def options():
    parser = argparse.ArgumentParser(prog="make bench-merge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--growth", type=lambda s: [int(n) for n in s.split(",") if n],
                        default=[1_000_000, 10_000_000, 40_000_000], help="table sizes, by commas; '' for none")
    parser.add_argument("--only", type=lambda s: s.lower().split(","), help="of duckdb,pyspark,sort")
    parser.add_argument("--spark-home", help="folder of a Spark (a pyspark package folder is one)")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a target is missed")
    return parser.parse_args()


def place(asked):
    """Where there is room: base, a copy of it, and what two peers make of it."""
    need = asked.rows * ROW_BYTES * 5
    if "TMPDIR" not in os.environ and os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > need:
        return "/dev/shm"
    if shutil.disk_usage(tempfile.gettempdir()).free < need:
        raise SystemExit(f"bench-merge: {need >> 20} MB are needed in {tempfile.gettempdir()} (TMPDIR); "
                         "--rows takes fewer")
    return None


def main():
    asked = options()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cistern-bench-merge-", dir=place(asked)))
    bench, began = Bench(asked, folder), time.monotonic()
    try:
        bench.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{platform.system()} {platform.release()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; "
          f"{asked.rows:,} rows in {folder.parent}; {asked.rounds} rounds in turn, "
          f"{time.monotonic() - began:.0f} s; median (least-most)\n")
    rows = table(bench.results)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))))
    print("\n" + "\n".join(bench.compared))
    found = targets(bench.results, asked)
    for words, met, value in found:
        print(f"  {'met   ' if met else 'MISSED'}  {words} (is {value})")
    return 1 if asked.strict and not all(met for _, met, _ in found) else 0


if __name__ == "__main__":
    sys.exit(main())
