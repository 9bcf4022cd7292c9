#!/usr/bin/env python3
"""Checks the include edges of server/ and emulators/ against tests/layers.txt. Prints each breach
and ends with 1 when there is one."""

import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def read_rules(path):
    folders, facades, doors = {}, {}, {}
    for raw in path.read_text().splitlines():
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        if line.startswith("<"):
            library, folder = (x.strip() for x in line.split("@"))
            doors.setdefault(library.strip("<>"), []).extend(folder.split())
        elif "<-" in line:
            target, users = (x.strip() for x in line.split("<-"))
            facades[target] = users.split()
        else:
            folder, allowed = line.split(":", 1)
            folders[folder.strip()] = allowed.split()
    return folders, facades, doors


def allowed_for(folder, folders):
    """The rule of the folder itself, else of the nearest parent or pattern."""
    parts = folder
    while parts:
        if parts in folders:
            return folders[parts]
        for pattern, allowed in folders.items():
            if "*" in pattern and fnmatch.fnmatch(parts, pattern):
                return allowed
        parts = parts.rpartition("/")[0]
    return None


def service_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "emulators" and len(parts) > 2 else None


def main():
    folders, facades, doors = read_rules(ROOT / "tests/layers.txt")
    breaches = []
    files = sorted(p for top in ("server", "emulators") for p in (ROOT / top).rglob("*.[ch]"))
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        folder = name.rpartition("/")[0]
        service = service_of(name)
        allowed = allowed_for(folder, folders)
        for quote, target in INCLUDE.findall(file.read_text()):
            if quote == "<":
                for library, homes in doors.items():
                    if target.startswith(library) and not any(
                        folder == h or folder.startswith(h + "/") for h in homes
                    ):
                        breaches.append(f"{name}: <{target}> may only be seen in {' '.join(homes)}")
                continue
            if target in facades and service_of(target) != service:
                if service not in facades[target]:
                    breaches.append(f"{name}: façade {target} isn't open to {service or folder}")
                continue
            home = target.rpartition("/")[0]
            if home == folder or (service and service_of(target) == service):
                continue
            if name == "emulators/services.c" or "/" not in target:
                continue  # the one list; generated embeds live in the build folder
            if not any(target == a or home == a or home.startswith(a + "/") for a in allowed or []):
                breaches.append(f"{name}: may not include {target}")
    for breach in breaches:
        print(breach)
    print(f"layers: {len(files)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
