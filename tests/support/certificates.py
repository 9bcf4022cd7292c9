"""A certificate authority and certificates of servers, made by the openssl command."""

import pathlib
import subprocess


def openssl(folder, *words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr


class Authority:
    """In `folder`: NAME.pem is its certificate. Everything is readable by servers of other users."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = pathlib.Path(folder), name
        openssl(self.folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
        self.pem = (self.folder / f"{name}.pem").read_text()

    def server(self, name, names="IP:127.0.0.1,DNS:localhost", days=30):
        """NAME.pem and NAME.key for these subject alternative names."""
        openssl(self.folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        for kind in ("pem", "key"):
            (self.folder / f"{name}.{kind}").chmod(0o644)
