"""The servers that `make bench` compares. Each has a folder and a port of its own."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from tests.bench.plan import Plain, Signer
from tests.support.ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
START_LIMIT_S = 20


class Peer:
    """name, put_status, s3 (ETags are MD5s, requests are signed) and `path` (answered when idle)."""

    s3, put_status, path = True, 200, "/"

    def __init__(self, folder):
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        self.port, self.process = free_port(), None
        host = f"127.0.0.1:{self.port}"
        self.url = f"http://{host}"
        self.signer = Signer(host) if self.s3 else Plain(host)

    def command(self, folder, port):
        """Words that start it on a fresh folder."""
        raise NotImplementedError

    def environment(self, folder):
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CISTERN_", "AWS_"))}
        return dict(keep, TMPDIR=str(folder))

    def start(self):
        self.process = subprocess.Popen(
            self.command(self.folder, self.port), env=self.environment(self.folder),
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "wb"))
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.name} did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _answers(self):
        try:
            urllib.request.urlopen(self.url + self.path, timeout=5).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def put_bucket(self, name):
        head = self.signer.head("PUT", f"/{name}", length=0)
        with socket.create_connection(("127.0.0.1", self.port), 30) as s:
            s.sendall(head.encode())
            answer = s.recv(4096)
        if b" 200 " not in answer.split(b"\r\n")[0]:
            raise SystemExit(f"{self.name}: cannot make a bucket: {answer[:500]!r}")

    # --- what it costs ---
    def pids(self):
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def cpu_s(self):
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def rss_mb(self):
        pages = sum(int(pathlib.Path(f"/proc/{p}/statm").read_text().split()[1]) for p in self.pids())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def pss_mb(self):
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                total += int(line.split()[1]) if line.startswith("Pss:") else 0
        return total * 1024 / 1e6


class Cistern(Peer):
    name, path = "cistern", "/_cistern/health"
    binary = pathlib.Path(os.environ.get("CISTERN_BINARY", ROOT / "build/release/cistern"))

    def command(self, folder, port):
        return [str(self.binary), "serve", "--listen", f"127.0.0.1:{port}", "--data",
                str(folder / "data"), "--auth", "strict", "--log", "warn"]


class Moto(Peer):
    name, path = "moto", "/moto-api/"
    binary = ROOT / "build/bench-venv/bin/moto_server"

    def command(self, folder, port):
        return [str(self.binary), "-H", "127.0.0.1", "-p", str(port)]


class Nginx(Peer):
    """One worker, DAV PUT and static GET: checks no signature, makes no MD5, records nothing."""

    name, s3, put_status = "nginx", False, 201

    def command(self, folder, port):
        for name in ("files", "bodies"):
            (folder / name).mkdir(exist_ok=True)
        user = "user root;" if os.getuid() == 0 else ""
        (folder / "nginx.conf").write_text(f"""{user}
daemon off;
pid {folder}/pid;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/tmp-proxy;
    fastcgi_temp_path {folder}/tmp-fastcgi;
    uwsgi_temp_path {folder}/tmp-uwsgi;
    scgi_temp_path {folder}/tmp-scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            root {folder}/files;
            dav_methods PUT;
            create_full_put_path on;
        }}
    }}
}}
""")
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        return [binary, "-p", str(folder), "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]

    def put_bucket(self, name):
        (self.folder / "files" / name).mkdir()
