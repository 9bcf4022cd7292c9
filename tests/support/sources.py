"""What single tests need of servers and isn't installed: where CISTERN_MYSQL (see tests/support/mysql.py)
asks for it, as the long target does."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from tests.support import mysql

KINDS = {"mysql56": mysql.MySQL56, "mysql9": mysql.MySQL9}


def source(kind, *options):
    """A running server; its test is skipped where none is to be had."""
    wanted = os.environ.get("CISTERN_MYSQL", "")
    if wanted != "all" and kind not in wanted.split(","):
        pytest.skip(f"CISTERN_MYSQL doesn't name {kind}")
    return mysql.ready(KINDS[kind])(*options)


def mariadb_plugins():
    """Options of a MariaDB server that has the plugins of the package mariadb-server (ed25519). The machine
    needn't have the package: it is downloaded, not installed."""
    if pathlib.Path("/usr/lib/mysql/plugin/auth_ed25519.so").exists():
        return []
    place = mysql.ROOT / "mariadb-server"
    if not place.exists():
        if not os.environ.get("CISTERN_MYSQL"):
            pytest.skip("auth_ed25519 comes with the package mariadb-server, and CISTERN_MYSQL asks for no downloads")
        mysql.ROOT.mkdir(parents=True, exist_ok=True)
        made = pathlib.Path(tempfile.mkdtemp(dir=mysql.ROOT))
        made.chmod(0o755)
        subprocess.run(["apt-get", "download", "mariadb-server"], cwd=made, check=True, capture_output=True)
        subprocess.run(["dpkg-deb", "-x", *map(str, made.glob("*.deb")), str(made)], check=True)
        try:
            made.rename(place)
        except OSError:  # another worker was faster
            shutil.rmtree(made)
    return [f"--plugin-dir={place}/usr/lib/mysql/plugin"]
