"""A private MariaDB server in a temporary folder, binlog on, as a test fixture and for the demo."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading

import pymysql

from tests.support.ports import free_port
from tests.support.wait import wait_until

# Throw-away speed: no fsync anywhere (a machine crash would lose the data, a process crash not).
SMALL = [
    "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--skip-name-resolve",
    "--key-buffer-size=64K", "--aria-pagecache-buffer-size=128K", "--max-connections=60",
    "--innodb-buffer-pool-dump-at-shutdown=0", "--innodb-buffer-pool-load-at-startup=0",
    "--innodb-use-native-aio=0",  # the kernel has few of its queues for all processes together
]
BINLOG = [
    "--log-bin=mysql-bin-changelog", "--server-id=1", "--binlog-format=ROW", "--binlog-row-image=FULL",
]


class MariaDB:
    """Starts at construction. `options` are further server options; later ones win."""

    user, password = "admin", "secret-Pw1"

    def __init__(self, *options, binlog=True):
        self.options = list(options)
        self.binlog = binlog
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="cistern-db-"))
        self.dir.chmod(0o755)
        self.data = self.dir / "data"
        self.socket = self.dir / "s"
        self.port = free_port()
        self.process = None
        self._as_user = []
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody").pw_name
            self._as_user = [f"--user={nobody}"]
            shutil.chown(self.dir, nobody)
        made = subprocess.run(
            ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
             f"--datadir={self.data}", "--skip-test-db", "--innodb-log-file-size=8M",
             "--innodb-use-native-aio=0",
             f"--tmpdir={self.dir}",  # servers that start clear their tmpdir of others' temporary tables
             *self._as_user],
            capture_output=True, text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        self.start()
        self.root(
            f"CREATE USER '{self.user}'@'%' IDENTIFIED BY '{self.password}'",
            f"GRANT ALL ON *.* TO '{self.user}'@'%' WITH GRANT OPTION",
        )

    def start(self):
        binary = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        self.log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen(
            [binary, "--no-defaults", "--lc-messages-dir=/usr/share/mysql", f"--datadir={self.data}",
             f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
             f"--pid-file={self.dir}/pid", f"--tmpdir={self.dir}", *self._as_user, *SMALL,
             *(BINLOG if self.binlog else []), *self.options],
            stdout=self.log, stderr=self.log, start_new_session=True,
        )

        def ready():
            if self.process.poll() is not None:
                raise AssertionError((self.dir / "log").read_text())
            try:
                self._connect_root().close()
                return True
            except pymysql.Error:
                return False

        wait_until(ready, 60, "MariaDB answering")

    def _connect_root(self):
        return pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True)

    def root(self, *statements):
        with self._connect_root() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def connect(self, database=None, autocommit=True, **more):
        """A PyMySQL connection as the admin user."""
        more.setdefault("charset", "utf8mb4")
        return pymysql.connect(host="127.0.0.1", port=self.port, user=self.user, password=self.password,
                               database=database, autocommit=autocommit, **more)

    def execute(self, *statements, database=None):
        with self.connect(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def query(self, sql, args=None, database=None):
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql, args)
            return list(cursor.fetchall())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.log.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Writer(threading.Thread):
    """Runs `work(connection, stop_event)` in the background; join() re-raises what it raised."""

    def __init__(self, database, work):
        super().__init__(daemon=True)
        self.database, self.work = database, work
        self.stop_event = threading.Event()
        self.error = None
        self.start()

    def run(self):
        try:
            with self.database.connect() as connection:
                self.work(connection, self.stop_event)
        except Exception as error:  # handed to join()
            self.error = error

    def finish(self):
        self.stop_event.set()
        self.join()
        if self.error:
            raise self.error


@contextlib.contextmanager
def writing(database, *works):
    """A Writer of each while the block runs."""
    writers = [Writer(database, work) for work in works]
    try:
        yield
    finally:
        for w in writers:
            w.finish()
