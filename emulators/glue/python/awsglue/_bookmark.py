"""Job bookmarks: which files earlier runs of the job have read.

The state lives in the server, one JSON document per job:
{"version": 1, "runs": [{"run": id, "marks": {transformation_ctx: mark}}, …]}, newest last, where
a mark is {"until": ms, "recent": {digest: ms}} (files modified within RECENT_MS before `until` are
told one by one, since clocks of stores are coarse and listings may lag; only the newest run keeps
them) or {"max": key} for JDBC."""

import hashlib
import json
import os
import urllib.error
import urllib.request

RECENT_MS = 15 * 60 * 1000
RUNS_KEPT = 50


class Bookmarks(object):
    """What the current run knows; inactive until Job.init says otherwise."""

    def __init__(self):
        self._clear()

    def _clear(self):
        self.reads = self.saves = False
        self._run = None
        self._runs = []
        self._base = {}     # marks to begin after
        self._limit = None  # marks to end with (pause with --job-bookmark-to), or None
        self._new = {}

    def begin(self, arguments):
        """Reads the state, if this run has bookmarks at all."""
        self._clear()
        option = (os.environ.get("CISTERN_JOB_BOOKMARK") or arguments.get("job_bookmark_option")
                  or "job-bookmark-disable")
        if option == "job-bookmark-disable":
            return
        self._run = os.environ.get("CISTERN_JOB_RUN_ID") or arguments.get("JOB_RUN_ID")
        if not self._run or not os.environ.get("AWS_ENDPOINT_URL"):
            raise RuntimeError("Job bookmarks need a run of a job: start the script through "
                               "StartJobRun, or leave out --job-bookmark-option.")
        self.reads, self.saves = True, option == "job-bookmark-enable"
        self._runs = self._load()
        self._base = self._runs[-1]["marks"] if self._runs else {}
        first, last = arguments.get("job_bookmark_from"), arguments.get("job_bookmark_to")
        if option == "job-bookmark-pause" and first and last:
            self._base = self._marks_of(first, {})
            self._limit = self._marks_of(last, None)
            if self._limit is None:
                raise RuntimeError("--job-bookmark-to names the run %s, which saved no bookmark"
                                   % last)

    def _marks_of(self, run, default):
        for entry in self._runs:
            if entry["run"] == run:
                return entry["marks"]
        return default

    # --- files ---
    def new_files(self, ctx, files, bounded_files=0, bounded_size=0):
        """Those that the source `ctx` hasn't read in an earlier run, oldest first; remembered for
        save(). A bound ends the list early; the rest is left for the next run."""
        if not self.reads or not ctx:
            return files
        mark = self._base.get(ctx, {})
        fresh = [f for f in files if not _seen(mark, f)]
        if self._limit is not None:
            upper = self._limit.get(ctx, {})
            fresh = [f for f in fresh if _seen(upper, f)]
        fresh.sort(key=lambda f: (f.modified_ms, f.path))
        fresh = _bounded(fresh, int(bounded_files or 0), int(bounded_size or 0))
        self._new[ctx] = _advance(mark, fresh)
        return fresh

    # --- keys of tables ---
    def last_key(self, ctx):
        """The greatest key that earlier runs read, or None."""
        return self._base.get(ctx, {}).get("max") if self.reads and ctx else None

    def set_key(self, ctx, key):
        if self.reads and ctx and key is not None:
            self._new[ctx] = {"max": key}

    # --- the server ---
    def _url(self):
        return "%s/_cistern/glue/bookmarks/%s" % (os.environ["AWS_ENDPOINT_URL"].rstrip("/"),
                                                  self._run)

    def _call(self, request):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            raise RuntimeError("The bookmark of run %s: the server answered %d: %s"
                               % (self._run, error.code, text)) from None

    def _load(self):
        state = json.loads(self._call(urllib.request.Request(self._url())) or b"{}").get("state")
        if isinstance(state, str):
            state = json.loads(state)
        return (state or {}).get("runs", [])

    def save(self):
        """Job.commit(): what was read counts as done."""
        if not self.saves:
            return
        marks = dict(self._base)
        marks.update(self._new)
        runs = [r for r in self._runs if r["run"] != self._run]
        older = [{"run": r["run"], "marks": {c: _coarse(m) for c, m in r["marks"].items()}}
                 for r in runs[-(RUNS_KEPT - 1):]]
        runs = older + [{"run": self._run, "marks": marks}]
        body = json.dumps({"version": 1, "runs": runs}, separators=(",", ":")).encode("utf-8")
        self._call(urllib.request.Request(self._url(), data=body, method="PUT",
                                          headers={"Content-Type": "application/json"}))
        self._runs, self._base, self._new = runs, marks, {}


def _digest(f):
    text = "%s\n%d:%d:%s" % (f.path, f.modified_ms, f.size, f.version)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _coarse(mark):
    return {k: v for k, v in mark.items() if k != "recent"}


def _seen(mark, f):
    until = mark.get("until")
    if until is None or f.modified_ms > until:
        return False
    if f.modified_ms <= until - RECENT_MS or "recent" not in mark:
        return True
    return _digest(f) in mark["recent"]


def _bounded(files, count, size):
    if count:
        files = files[:count]
    if size:
        kept, total = [], 0
        for f in files:
            if kept and total + f.size > size:
                break
            kept.append(f)
            total += f.size
        files = kept
    return files


def _advance(mark, fresh):
    if not fresh:
        return mark
    until = max([f.modified_ms for f in fresh] + [mark.get("until") or 0])
    recent = dict(mark.get("recent", {}))
    recent.update((_digest(f), f.modified_ms) for f in fresh)
    recent = {d: ms for d, ms in recent.items() if ms > until - RECENT_MS}
    return {"until": until, "recent": recent}


BOOKMARKS = Bookmarks()
