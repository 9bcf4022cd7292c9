"""Files through Hadoop's file systems (S3 and local alike): listing, reading first lines,
publishing what a sink wrote, deleting."""

import json
import re
import shutil
import tempfile
import time


_BATCH = 1000  # objects that DeleteObjects takes
_BLANK_BYTES = {"gz": 20, "bz2": 14}  # what a compressed file without content weighs


class SourceFile(object):
    """One input file. `version` tells whether it was written again in the same second."""

    __slots__ = ("path", "size", "modified_ms", "version")

    def __init__(self, path, size, modified_ms, version):
        self.path = path
        self.size = size
        self.modified_ms = modified_ms
        self.version = version


def _open_fs(sc, path):
    hadoop = sc._jvm.org.apache.hadoop.fs.Path(path)
    return hadoop, hadoop.getFileSystem(sc._jsc.hadoopConfiguration())


def _describe(status):
    path = status.getPath().toString()
    version = ""
    if _is_s3(path):
        version = status.getETag() or ""
    return SourceFile(path, status.getLen(), status.getModificationTime(), version)


def _is_hidden(path, root):
    inside = path[len(root):] if path.startswith(root) else path.rsplit("/", 1)[-1]
    names = [n for n in inside.split("/") if n]
    return any(n[0] in "_." or n.endswith("_$folder$") for n in names)


def _below(sc, path, recurse):
    hadoop, fs = _open_fs(sc, path)
    if re.search(r"[*?\[{]", path):
        found = fs.globStatus(hadoop)
        statuses = list(found) if found is not None else []
    else:
        try:
            statuses = [fs.getFileStatus(hadoop)]
        except Exception as error:  # py4j wraps the Java exception
            if "FileNotFoundException" in str(error):
                return []
            raise
    out = []
    for status in statuses:
        if status.isFile():
            out.append(_describe(status))
            continue
        root = status.getPath().toString().rstrip("/") + "/"
        if recurse:
            files = fs.listFiles(status.getPath(), True)
            while files.hasNext():
                out.append(_describe(files.next()))
        else:
            out += [_describe(s) for s in fs.listStatus(status.getPath()) if s.isFile()]
        out = [f for f in out if not (f.path.startswith(root) and _is_hidden(f.path, root))]
    return out


def glob_regex(glob):
    """Glue's exclusion patterns: * stays within a folder, ** doesn't; ?, [a-z], {a,b}."""
    out, i, groups = "", 0, 0
    while i < len(glob):
        c = glob[i]
        if glob.startswith("**", i):
            out, i = out + ".*", i + 1
        elif c == "*":
            out += "[^/]*"
        elif c == "?":
            out += "[^/]"
        elif c == "[" and "]" in glob[i + 1:]:
            end = glob.index("]", i + 1)
            inside = glob[i + 1:end]
            out += "[" + ("^" + inside[1:] if inside[:1] == "!" else inside) + "]"
            i = end
        elif c == "{":
            out, groups = out + "(?:", groups + 1
        elif c == "}" and groups:
            out, groups = out + ")", groups - 1
        elif c == "," and groups:
            out += "|"
        elif c == "\\" and i + 1 < len(glob):
            i += 1
            out += re.escape(glob[i])
        else:
            out += re.escape(c)
        i += 1
    return re.compile(out + r"\Z")


def list_files(sc, paths, recurse=False, exclusions=None):
    """The files to read below `paths`, ordered by path, each once; empty and hidden ones aren't
    data. A path that doesn't exist has no files, as on S3."""
    if isinstance(exclusions, str):
        exclusions = json.loads(exclusions)
    unwanted = [glob_regex(e) for e in exclusions or []]
    found = {}
    for path in paths:
        for f in _below(sc, path, recurse):
            if f.size and not any(r.match(f.path) for r in unwanted):
                found[f.path] = f
    return [found[p] for p in sorted(found)]


def first_line(sc, path, encoding="UTF-8"):
    """The first line of a text file, compressed or not; None when it's empty."""
    jvm = sc._jvm
    hadoop, fs = _open_fs(sc, path)
    codecs = jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(
        sc._jsc.hadoopConfiguration())
    stream = fs.open(hadoop)
    try:
        codec = codecs.getCodec(hadoop)
        inside = codec.createInputStream(stream) if codec is not None else stream
        reader = jvm.java.io.BufferedReader(jvm.java.io.InputStreamReader(inside, encoding))
        line = reader.readLine()
    finally:
        stream.close()
    return line.lstrip("\ufeff") if line is not None else None


class Staging(object):
    """A folder that Spark writes to before its files get their names in the target: local beside a
    local master (so that S3 sees only the finished files), else below the target."""

    def __init__(self, sc, target):
        self._sc = sc
        self._target = target.rstrip("/")
        self._local = None
        if sc.master.startswith("local"):
            self._local = tempfile.mkdtemp(prefix="glue-sink-")
            self.path = "file://" + self._local + "/out"
        else:
            self.path = "%s/_temporary_sink_%d" % (self._target, time.time() * 1000)

    def publish(self, rename, header=None):
        """Copies every data file to the target, in the same sub-folder, under the name
        rename(name). `header`: bytes to begin each with. Returns the paths written."""
        written = []
        hadoop, fs = _open_fs(self._sc, self.path)
        if not fs.exists(hadoop):
            return written
        files = fs.listFiles(hadoop, True)
        root = fs.getFileStatus(hadoop).getPath().toString().rstrip("/") + "/"
        sources = []
        while files.hasNext():
            status = files.next()
            path = status.getPath().toString()
            blank = _BLANK_BYTES.get(path.rsplit(".", 1)[-1], 0)
            if not _is_hidden(path, root) and status.getLen() > blank:
                sources.append(path)
        for source in sorted(sources):
            folder, _, name = source[len(root):].rpartition("/")
            target = "/".join(p for p in (self._target, folder, rename(name)) if p)
            self._copy(source, target, header)
            written.append(target)
        return written

    def _copy(self, source, target, header):
        jvm = self._sc._jvm
        source_path, source_fs = _open_fs(self._sc, source)
        target_path, target_fs = _open_fs(self._sc, target)
        stream = source_fs.open(source_path)
        try:
            out = target_fs.create(target_path, True)
            if header:
                out.write(bytearray(header))
            jvm.org.apache.hadoop.io.IOUtils.copyBytes(stream, out, 1 << 20, False)
            out.close()
        finally:
            stream.close()

    def remove(self):
        if self._local:
            shutil.rmtree(self._local, ignore_errors=True)
        else:
            hadoop, fs = _open_fs(self._sc, self.path)
            fs.delete(hadoop, True)


def _bucket_and_key(path):
    bucket, _, key = path.split("://", 1)[1].partition("/")
    return bucket, key


def _is_s3(path):
    return path.startswith(("s3://", "s3a://", "s3n://"))


def _delete_objects(bucket, keys):
    """Deletes by the S3 API, since S3A would leave folder markers behind; {key: error text}."""
    from awsglue._catalog import client

    failed = {}
    for i in range(0, len(keys), _BATCH):
        answer = client("s3").delete_objects(Bucket=bucket, Delete={
            "Quiet": True, "Objects": [{"Key": k} for k in keys[i:i + _BATCH]]})
        failed.update((e["Key"], e.get("Message", e["Code"])) for e in answer.get("Errors", []))
    return failed


def delete_files(sc, files):
    """Removes them; returns [(path, error text or None)]."""
    out, buckets = [], {}
    for f in files:
        if _is_s3(f.path):
            bucket, key = _bucket_and_key(f.path)
            buckets.setdefault(bucket, []).append((key, f.path))
            continue
        hadoop, fs = _open_fs(sc, f.path)
        out.append((f.path, None if fs.delete(hadoop, False) else "not deleted"))
    for bucket, found in buckets.items():
        failed = _delete_objects(bucket, [k for k, _ in found])
        out += [(path, failed.get(key)) for key, path in found]
    return out


def delete_tree(sc, path):
    """Removes a folder and all in it."""
    if not _is_s3(path):
        hadoop, fs = _open_fs(sc, path)
        fs.delete(hadoop, True)
        return
    from awsglue._catalog import client

    bucket, key = _bucket_and_key(path.rstrip("/") + "/")
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    keys = [o["Key"] for page in pages for o in page.get("Contents", [])]
    failed = _delete_objects(bucket, keys)
    if failed:
        raise RuntimeError("%d objects below %s were not deleted, first: %s"
                           % (len(failed), path, sorted(failed.items())[0]))


def write_text(sc, path, text):
    """A small text file."""
    hadoop, fs = _open_fs(sc, path)
    out = fs.create(hadoop, True)
    out.write(bytearray(text.encode("utf-8")))
    out.close()
