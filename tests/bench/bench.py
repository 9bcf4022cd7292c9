"""`make bench`: Cistern beside moto and nginx, on this machine, in one run, in turn.

Every round gives each server the same work, one after the other; what is printed are medians of the
rounds and medians of the ratios within a round, since those survive a machine that does other things,
too. Every answer is checked: status, body, and on S3 the ETag. Targets are those of the design."""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from tests.bench import plan
from tests.bench.peers import ROOT, Cistern, Moto, Nginx
from tests.support.ports import free_port

TOOLS = pathlib.Path(os.environ.get("BENCH_TOOLS", ROOT / "build/release/bench"))
LOAD_LIMIT_S = 40
LISTED = 10_000
MOTO_SMALL = 250  # half a second's work for it


class Failed(Exception):
    pass


class Bench:
    def __init__(self, asked, folder):
        self.asked, self.folder = asked, folder
        self.begun = time.monotonic()
        self.bodies = plan.Bodies(folder / "bodies")
        self.peers = [Cistern(folder), Moto(folder), Nginx(folder)]
        self.results = {}  # (what, peer): [a value per round]

    def add(self, what, peer, value):
        self.results.setdefault((what, peer.name), []).append(value)

    # --- one load ---
    def start_load(self, peer, records, connections, text=None, limit_s=LOAD_LIMIT_S):
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix="plan-", delete=False) as plan_file:
            plan_file.writelines(records)
        command = [str(TOOLS / "s3load"), str(peer.port), str(connections), str(limit_s), plan_file.name,
                   str(self.bodies.path)] + ([text] if text else [])
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end_load(self, peer, process):
        """s3load's report; it bounds its time itself."""
        out, err = process.communicate()
        if not out:
            raise Failed(f"{peer.name}: {err}")
        report = json.loads(out)
        if report["errors"] or process.returncode != 0:
            raise Failed(f"{peer.name}: {report}")
        return report

    def load(self, peer, records, connections, **more):
        """Runs s3load; returns its report with the server's CPU time."""
        before = peer.cpu_s()
        report = self.end_load(peer, self.start_load(peer, records, connections, **more))
        report["cpu_s"] = peer.cpu_s() - before
        return report

    # --- start, memory, size ---
    def startup(self):
        for peer in self.peers:
            for n in range(3 if peer.name == "moto" else 9):
                folder = self.folder / f"start-{peer.name}-{n}"
                folder.mkdir()
                port = free_port()
                done = subprocess.run(
                    [str(TOOLS / "firstanswer"), str(port), peer.path, "20", *peer.command(folder, port)],
                    env=peer.environment(folder), capture_output=True, text=True, timeout=60)
                if done.returncode != 0:
                    raise Failed(f"{peer.name}: {done.stderr}")
                self.add("start ms", peer, float(done.stdout.split()[0]))

    def idle(self):
        for peer in self.peers:
            self.add("idle RSS MB", peer, peer.rss_mb())
            self.add("idle PSS MB", peer, peer.pss_mb())

    def size(self):
        stripped = self.folder / "stripped"
        subprocess.run(["strip", "-o", str(stripped), str(Cistern.binary)], check=True)
        self.add("binary MB", self.peers[0], stripped.stat().st_size / 1e6)

    # --- rounds ---
    def prepare(self):
        for peer in self.peers:
            peer.start()
        time.sleep(0.5)
        self.idle()
        self.refuses_forgeries()
        for peer in self.peers:
            for bucket in ("bench", "list"):
                peer.put_bucket(bucket)
            if peer.s3:
                self.load(peer, plan.fill_list(peer, self.bodies, LISTED), 16, limit_s=100)
        self.lists_truly(self.peers[0])

    def refuses_forgeries(self):
        """The figures are those of a server that checks signatures: shown once."""
        cistern = self.peers[0]
        forged = plan.Signer(f"127.0.0.1:{cistern.port}", secret="wrong").head("GET", "/bench")
        headers = dict(line.split(": ", 1) for line in forged.split("\r\n")[1:] if line)
        try:
            urllib.request.urlopen(urllib.request.Request(cistern.url + "/bench", headers=headers), timeout=10)
        except urllib.error.HTTPError as error:
            if error.code == 403:
                return
            raise Failed(f"a wrong signature was answered with {error.code}")
        raise Failed("a wrong signature was accepted")

    def lists_truly(self, peer):
        """All keys once and in order, by continuation tokens, as clients page."""
        keys, token = [], ""
        while True:
            query = f"{token}list-type=2"
            head = peer.signer.head("GET", "/list", query)
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            request = urllib.request.Request(f"{peer.url}/list?{query}", headers=headers)
            body = urllib.request.urlopen(request, timeout=10).read().decode()
            keys += re.findall("<Key>([^<]*)</Key>", body)
            more = re.search("<NextContinuationToken>([^<]*)<", body)
            if not more:
                break
            token = f"continuation-token={urllib.parse.quote(more[1], safe='')}&"
        if keys != [f"key-{i:06}" for i in range(LISTED)]:
            raise Failed(f"{peer.name} listed {len(keys)} keys, or not in order")

    def small(self, peer, n):
        count = MOTO_SMALL if peer.name == "moto" else self.asked.small
        put = self.load(peer, plan.put_small(peer, self.bodies, f"small-{n}", count), 16)
        self.add("PUT 1 KiB /s", peer, put["done"] / put["seconds"])
        self.add("PUT 1 KiB CPU us", peer, put["cpu_s"] / put["done"] * 1e6)
        get = self.load(peer, plan.get_small(peer, self.bodies, f"small-{n}", count, count), 16)
        self.add("GET 1 KiB /s", peer, get["done"] / get["seconds"])
        self.add("GET 1 KiB CPU us", peer, get["cpu_s"] / get["done"] * 1e6)
        self.add("GET 1 KiB p50 us", peer, get["p50_us"])

    def large(self, peer, n):
        count = self.asked.large
        os.sync()
        put = self.load(peer, plan.put_large(peer, self.bodies, f"large-{n}", count), 2)
        self.add("PUT 64 MiB MB/s", peer, count * plan.LARGE / put["seconds"] / 1e6)
        self.add("PUT 64 MiB CPU ms", peer, put["cpu_s"] / count * 1e3)
        get = self.load(peer, plan.get_large(peer, self.bodies, f"large-{n}", count), 2)
        self.add("GET 64 MiB MB/s", peer, count * plan.LARGE / get["seconds"] / 1e6)
        self.add("GET 64 MiB CPU ms", peer, get["cpu_s"] / count * 1e3)

    def listing(self, peer):
        report = self.load(peer, plan.list_pages(peer, LISTED), 1, text="<Key>")
        if report["counted"] != LISTED:
            raise Failed(f"{peer.name} listed {report['counted']} keys")
        self.add("list 10,000 keys ms", peer, report["seconds"] * 1e3)

    def mixed(self, peer, n):
        """The median GET while two large PUTs run, over the median GET before."""
        def small():
            return plan.get_small(peer, self.bodies, f"small-{n}", 1000, 2000)

        quiet = self.load(peer, small(), 4)
        large = self.start_load(peer, plan.put_large(peer, self.bodies, f"mixed-{n}", 2 * self.asked.large), 2)
        time.sleep(0.1)
        busy = self.load(peer, small(), 4)
        overlapped = large.poll() is None
        self.end_load(peer, large)
        if overlapped:
            self.add("GET p50 beside 2 large PUTs / quiet", peer, busy["p50_us"] / quiet["p50_us"])

    def round(self, n):
        for step in (self.small, self.large):
            for k in range(len(self.peers)):
                step(self.peers[(n + k) % len(self.peers)], n)
        for k in range(len(self.peers)):
            peer = self.peers[(n + k) % len(self.peers)]
            if peer.s3:
                self.listing(peer)
        self.mixed(self.peers[0], n)

    def run(self):
        self.size()
        self.startup()
        self.prepare()
        self.rounds = 0
        for n in range(self.asked.rounds):
            began = time.monotonic()
            self.round(n)
            self.rounds += 1
            print(f"round {n + 1}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
            ahead = time.monotonic() - self.begun + 1.3 * (time.monotonic() - began)
            if ahead > self.asked.seconds and self.rounds >= 3:
                break
        for peer in self.peers:
            self.add("loaded PSS MB", peer, peer.pss_mb())

    def close(self):
        for peer in self.peers:
            peer.stop()


# --- the table ----------------------------------------------------------------------------------------
# what, is less better, target × moto, target × nginx, absolute target
ROWS = [
    ("start ms", True, 40, None, 10),
    ("idle RSS MB", True, None, None, 12),
    ("idle PSS MB", True, None, None, None),
    ("binary MB", True, None, None, 3),
    ("PUT 1 KiB /s", False, 40, 1.2, None),
    ("PUT 1 KiB CPU us", True, None, None, None),
    ("GET 1 KiB /s", False, 100, 0.75, None),
    ("GET 1 KiB CPU us", True, None, None, None),
    ("GET 1 KiB p50 us", True, None, None, None),
    ("PUT 64 MiB MB/s", False, 2, None, None),
    ("PUT 64 MiB CPU ms", True, None, None, None),
    ("GET 64 MiB MB/s", False, None, 0.8, None),
    ("GET 64 MiB CPU ms", True, None, None, None),
    ("list 10,000 keys ms", True, 150, None, None),
    ("GET p50 beside 2 large PUTs / quiet", True, None, None, 3),
    ("loaded PSS MB", True, None, None, None),
]


def spread(values, form):
    low, high = min(values), max(values)
    text = form(statistics.median(values))
    return text if len(values) == 1 else f"{text} ({form(low)}-{form(high)})"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratios(results, what, peer, less):
    """How many times better we are; pairs of the same round where the counts agree, else medians."""
    ours, theirs = results.get((what, "cistern")), results.get((what, peer))
    if not theirs:
        return []
    if len(ours) != len(theirs):
        ours, theirs = [statistics.median(ours)], [statistics.median(theirs)]
    return [(b / a if less else a / b) for a, b in zip(ours, theirs) if a and b]


def table(results):
    """Rows of texts, and [(target in words, met)]."""
    rows = [("", "cistern", "moto", "nginx", "x moto", "x nginx")]
    targets = []
    for what, less, *goals, absolute in ROWS:
        if (what, "cistern") not in results:
            continue
        ours = statistics.median(results[what, "cistern"])
        cells = [what]
        cells += [spread(results[what, p], number) if (what, p) in results else "" for p in ("cistern", "moto", "nginx")]
        for peer, goal in zip(("moto", "nginx"), goals):
            by = ratios(results, what, peer, less)
            cells.append(spread(by, number) if by else "")
            if goal:
                targets.append((f"{what}: >= {goal} x {peer}", statistics.median(by) >= goal,
                                number(statistics.median(by))))
        if absolute:
            targets.append((f"{what}: < {absolute}", ours < absolute, number(ours)))
        rows.append(tuple(cells))
    return rows, targets


def show(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))))


def options():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--small", type=int, default=8_000, help="1 KiB requests per round (default 8000)")
    parser.add_argument("--large", type=int, default=4, help="64 MiB requests per round (default 4)")
    parser.add_argument("--seconds", type=int, default=130, help="no further round after this (default 130)")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a target is missed")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures of every round to this file")
    return parser.parse_args()


def main():
    asked = options()
    parent = ROOT / "build/bench"
    parent.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    bench = Bench(asked, folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench.run()
        bench.close()
        return summary(asked, bench)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)  # some 100,000 files: takes its time on some disks


def summary(asked, bench):
    """Prints what was measured; returns the exit status."""
    rows, targets = table(bench.results)
    print(f"\n{platform.system()} {platform.release()}, {os.cpu_count()} processors, load "
          f"{os.getloadavg()[0]:.1f}; {bench.rounds} rounds in turn, {time.monotonic() - bench.begun:.0f} s; "
          "median (least-most); ratios within a round\n")
    show(rows)
    print("\nTargets:")
    for text, met, value in targets:
        print(f"  {'met   ' if met else 'MISSED'}  {text} (is {value})")
    if asked.json:
        asked.json.write_text(json.dumps(
            {"rounds": bench.rounds, "results": {f"{w}|{p}": v for (w, p), v in bench.results.items()}}, indent=1))
    missed = sum(not met for _, met, _ in targets)
    print(f"{len(targets) - missed} of {len(targets)} targets met.", flush=True)
    return 1 if missed and asked.strict else 0


if __name__ == "__main__":
    sys.exit(main())
