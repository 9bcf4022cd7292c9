"""`cistern merge`: the engine on local files, through the binary."""

import csv
import fcntl
import gzip
import io
import json
import os
import random
import signal
import subprocess
import time

import pytest

from tests.support.server import BINARY


def run(*words, **more):
    return subprocess.run([str(BINARY), "merge", *map(str, words)], capture_output=True, text=True,
                          timeout=120, **more)


def merge(final, *words):
    """Runs it with --json; the figures."""
    done = run("--final", final, "--json", "--quiet", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def put(path, text):
    path.write_bytes(text.encode())
    return path


def parts(final):
    return sorted(p for p in final.iterdir() if p.name[0] not in "._")


def rows(final):
    """The whole set in the order of the names of its parts."""
    text = "".join(p.read_bytes().decode() for p in parts(final))
    return list(csv.reader(io.StringIO(text, newline="")))


def hidden(final):
    return sorted(p.name for p in final.iterdir() if p.name.startswith(".cistern-merge-"))


@pytest.fixture
def final(tmp_path):
    return tmp_path / "final"


def table(ids, version=1):
    return "".join(f'{i},"name {version}\n{i}","x{"y" * (i % 13)}"\n' for i in ids)


def test_load_change_and_names(tmp_path, final):
    load = put(tmp_path / "LOAD00000001.csv", table(range(0, 4000, 2)))
    figures = merge(final, "--load", load, "--part-bytes", 8192)
    assert figures["inserted"] == 2000 and figures["rows_total"] == 2000
    names = [p.name for p in parts(final)]
    assert len(names) > 4 and names[3].startswith("part-00003-") and names[3].endswith("-c000.csv")
    change = put(tmp_path / "1.csv", "".join("I," + table([i]) for i in range(1001, 1400, 2)) + "D,4,,\nU,6,six,\n")
    figures = merge(final, change, "--part-bytes", 8192)
    assert (figures["inserted"], figures["updated"], figures["deleted"]) == (200, 1, 1)
    assert figures["bytes_kept"] > figures["bytes_rewritten"] > 0
    got = rows(final)
    assert [int(r[0]) for r in got] == sorted({*range(0, 4000, 2), *range(1001, 1400, 2)} - {4})
    assert got[2] == ["6", "six", ""]
    kept = set(names) & {p.name for p in parts(final)}
    assert len(kept) > 2 and hidden(final) == []
    # more changes at ever other places keep the names in the order of the keys
    for n in range(12):
        at = n * 331 % 4000
        merge(final, put(tmp_path / f"more{n}.csv", "".join("U," + table([i], n) for i in range(at, at + 90))),
              "--part-bytes", 8192)
    keys = [int(r[0]) for r in rows(final)]
    assert keys == sorted(keys) and len(keys) == len(set(keys))


def test_a_file_merges_once(tmp_path, final):
    load = put(tmp_path / "load.csv", "1,a\n2,b\n")
    change = put(tmp_path / "change.csv", "D,1,\n")
    back = put(tmp_path / "back.csv", "I,1,back\n")
    assert merge(final, "--load", load, change)["files"] == 2
    assert merge(final, back)["inserted"] == 1
    again = merge(final, change)
    assert (again["files"], again["skipped"]) == (0, 1)
    assert rows(final) == [["1", "back"], ["2", "b"]]
    assert merge(final, change, "--again")["deleted"] == 1
    # a new version of the file is another file
    put(change, "U,2,another\n")
    assert merge(final, change)["updated"] == 1
    assert rows(final) == [["2", "another"]]
    # a load forgets what was merged before it
    put(load, "1,a\n2,b\n3,c\n")
    assert merge(final, "--load", load, change)["rows_total"] == 3


def test_header_gzip_composite_key(tmp_path, final):
    load = put(tmp_path / "load.csv", "a,b,v\n1,1,x\n1,2,y\n")
    merge(final, "--load", load, "--header", "true", "--key", "a,b", "--output-header")
    change = tmp_path / "change.csv.gz"
    change.write_bytes(gzip.compress(b"Op,ts,b,a,v\nU,2026,2,1,z\nI,2026,1,2,n\n"))
    merge(final, change, "--timestamp", "ts", "--header", "true")  # key and header from the manifest
    assert rows(final) == [["a", "b", "v"], ["1", "1", "x"], ["1", "2", "z"], ["2", "1", "n"]]


def test_misfits(tmp_path, final):
    merge(final, "--load", put(tmp_path / "load.csv", "1,a\n2,b\n"))
    change = put(tmp_path / "change.csv", "U,1,x\nU,7,y\nI,2,z\n")
    done = run("--final", final, "--update-missing", "fail", change)
    assert done.returncode == 1 and f"{change}, line 2: an update (U) of key 7" in done.stderr
    assert rows(final) == [["1", "a"], ["2", "b"]]
    figures = merge(final, "--update-missing", "ignore", "--insert-present", "ignore", change)
    assert (figures["updated"], figures["upserted_missing"], figures["inserted_present"]) == (1, 1, 1)
    assert rows(final) == [["1", "x"], ["2", "b"]]


@pytest.mark.parametrize("text, line, word", [
    ("U,1,x\nX,2,y\n", 2, "operation"), ("U,1,x\nU,2\n", 2, "2 fields"), ('I,3,"a\nb\n', 1, "not closed"),
    ('U,1,x\nI,3,5" pipe\n', 2, "stray quote")])
def test_bad_input_loses_nothing(tmp_path, final, text, line, word):
    merge(final, "--load", put(tmp_path / "load.csv", "1,a\n2,b\n"))
    before = {p.name: p.read_bytes() for p in final.iterdir()}
    change = put(tmp_path / "change.csv", text)
    done = run("--final", final, "--json", change)
    assert done.returncode == 1
    assert f"{change}, line {line}: " in done.stderr and word in done.stderr
    assert json.loads(done.stdout)["line"] == line
    assert {p.name: p.read_bytes() for p in final.iterdir()} == before
    put(change, "U,1,x\n")
    assert merge(final, change)["updated"] == 1


@pytest.mark.parametrize("words, text", [
    ([], "--final"), (["--final"], "--final"), (["--final", "x", "--nonsense"], "--nonsense"),
    (["--final", "x", "--threads", "many"], "many"), (["--final", "x", "--update-missing", "maybe"], "maybe"),
    (["--final", "x", "--part-bytes", "8Q"], "8Q")])
def test_bad_words(tmp_path, words, text):
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2 and text in done.stderr and list(tmp_path.iterdir()) == []


def test_missing_file_and_folder(tmp_path, final):
    done = run("--final", final, tmp_path / "no.csv")
    assert done.returncode == 1 and "no.csv" in done.stderr and "No such file" in done.stderr
    done = run("--final", tmp_path / "a" / "b", put(tmp_path / "c.csv", "I,1,a\n"))
    assert done.returncode == 1 and "No such file" in done.stderr


def test_foreign_parts(tmp_path, final):
    """Another program's parts, and parts that it changed or removed after us."""
    final.mkdir()
    put(final / "some.csv", "5,e\n1,a\n")
    put(final / "_SUCCESS", "")
    put(final / ".hidden", "not ours")
    merge(final, put(tmp_path / "1.csv", "I,3,c\n"))
    assert rows(final) == [["1", "a"], ["3", "c"], ["5", "e"]]
    assert (final / "_SUCCESS").exists() and (final / ".hidden").read_text() == "not ours"
    put(parts(final)[0], "1,changed\n9,new\n")
    put(final / "added.csv", "4,four\n")
    merge(final, put(tmp_path / "2.csv", "U,9,nine\n"))
    assert sorted(rows(final)) == [["1", "changed"], ["4", "four"], ["9", "nine"]]
    for p in parts(final):
        p.unlink()
    merge(final, put(tmp_path / "3.csv", "I,7,seven\n"))
    assert rows(final) == [["7", "seven"]]


def test_two_at_once_are_refused(tmp_path, final):
    change = put(tmp_path / "c.csv", "I,1,a\n")
    merge(final, change)
    with open(final / ".cistern-merge.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("--final", final, change)
        assert done.returncode == 1 and "another merge is at work" in done.stderr
    assert merge(final, change)["skipped"] == 1


def test_broken_manifest_is_named(tmp_path, final):
    change = put(tmp_path / "c.csv", "I,1,a\n")
    merge(final, change)
    put(final / ".cistern-merge.json", "{")
    done = run("--final", final, change)
    assert done.returncode == 1 and ".cistern-merge.json" in done.stderr and "delete it" in done.stderr


def expected(steps):
    have = {}
    for step in steps:
        have = {**have, **step}
    return [[str(i), f"name {v}\n{i}", f'x{"y" * (i % 13)}'] for i, v in sorted(have.items())]


def test_kill_at_random_instants(tmp_path, final):
    """After kill -9 the folder holds the old set or the new one, at the latest after the next run,
    and the file counts as merged exactly when its rows are there."""
    seed = int(os.environ.get("CISTERN_SEED", time.time_ns() % 100000))
    chance = random.Random(seed)
    load = put(tmp_path / "load.csv", table(range(0, 60000)))
    merge(final, "--load", load, "--part-bytes", 65536)
    nothing = put(tmp_path / "nothing.csv", "")
    steps, took = [{i: 1 for i in range(60000)}], None
    old = new = 0
    for n in range(int(os.environ.get("CISTERN_KILLS", 25))):
        ids = {chance.randrange(70000): n + 2 for _ in range(300)}
        change = put(tmp_path / f"c{n}.csv", "".join("U," + table([i], v) for i, v in ids.items()))
        words = [str(BINARY), "merge", "--final", str(final), "--quiet", "--part-bytes", "65536", str(change)]
        if took is None:  # how long it takes undisturbed
            began = time.monotonic()
            subprocess.run(words, check=True, timeout=60)
            took = time.monotonic() - began
            steps.append(ids)
            continue
        process = subprocess.Popen(words)
        try:
            process.wait(chance.random() * took * 1.2)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        put(nothing, "\n" * (n + 1))  # another file each time, which changes nothing
        merge(final, nothing, "--part-bytes", 65536)
        assert hidden(final) == [] and not (final / ".cistern-merge.next.json").exists()
        got = rows(final)
        published = got == expected([*steps, ids])
        assert published or got == expected(steps), f"seed {seed}, kill {n}"
        assert merge(final, change, "--part-bytes", 65536)["skipped"] == published, f"seed {seed}, kill {n}"
        steps.append(ids)
        old, new = old + (not published), new + published
    assert rows(final) == expected(steps)
    assert old > 0, "no kill came in time"


def test_interrupt_leaves_the_set(tmp_path, final):
    merge(final, "--load", put(tmp_path / "load.csv", table(range(50000))), "--part-bytes", 65536)
    before = {p.name: p.read_bytes() for p in parts(final)}
    fifo = tmp_path / "c.csv"
    put(fifo, "".join("U," + table([i], 2) for i in range(0, 50000, 3)))
    process = subprocess.Popen([str(BINARY), "merge", "--final", str(final), "--threads", "1", str(fifo)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode > 0:
        assert "cancelled" in err
    if process.returncode != 0:
        assert {p.name: p.read_bytes() for p in parts(final)} == before
    merge(final, fifo)
    assert len(rows(final)) == 50000
