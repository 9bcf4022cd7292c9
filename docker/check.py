"""`make docker-check`: builds docker/Dockerfile and tries what it makes, without a daemon and without
a registry. buildah builds and runs (chroot isolation: the host's network, so the container's server
gets a free port); the base image is made of Debian's packages by mmdebstrap.

Ends with 0 when the image serves as a user without rights, is healthy, and the set-up of compose.yaml
runs the whole pipeline against it and a private MariaDB with the options of compose.yaml."""

import argparse
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request

import yaml

from tests.support.mariadb import MariaDB, free_port
from tests.support.wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORK = ROOT / "build/docker"
BASE = "localhost/cistern-base"
IMAGES = {"runtime": "localhost/cistern", "pipeline": "localhost/cistern-pipeline"}
CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


class Skip(Exception):
    """This machine cannot do it; says why."""


def say(text):
    print(f"docker-check: {text}", flush=True)


class Buildah:
    """buildah with a storage of its own below build/docker."""

    def __init__(self):
        driver = os.environ.get("BUILDAH_DRIVER", "overlay" if os.getuid() == 0 else "vfs")
        self.words = ["buildah", "--root", str(WORK / "storage"), "--runroot", str(WORK / "run"),
                      "--storage-driver", driver]

    def start(self, *args, **more):
        return subprocess.Popen([*self.words, *map(str, args)], **more)

    def run(self, *args, check=True, timeout=900):
        done = subprocess.run([*self.words, *map(str, args)], capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"buildah {shlex.join(map(str, args))}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done


def make_base(buildah, mirror):
    tar = WORK / "base.tar"
    if not tar.exists():
        say(f"making {tar.relative_to(ROOT)} from Debian's packages")
        part = WORK / "base.part.tar"
        done = subprocess.run(["mmdebstrap", "--variant=minbase", "bookworm", str(part), mirror],
                              capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            raise Skip(f"mmdebstrap cannot make the base image: {done.stderr[-1500:]}")
        part.rename(tar)
    if buildah.run("inspect", "--type", "image", BASE, check=False).returncode == 0:
        return
    done = buildah.run("from", "scratch", check=False)
    if done.returncode != 0:
        raise Skip(f"buildah cannot work here: {done.stderr}")
    container = done.stdout.strip()
    buildah.run("add", "-q", container, tar, "/")
    buildah.run("config", "--cmd", "bash", container)
    buildah.run("commit", "-q", "--rm", container, BASE)
    probe = buildah.run("from", BASE).stdout.strip()
    done = buildah.run("run", "--isolation", "chroot", probe, "--", "true", check=False)
    buildah.run("rm", probe)
    if done.returncode != 0:
        raise Skip(f"buildah cannot run programs in containers here: {done.stderr}")


def build(buildah):
    for target, image in IMAGES.items():
        say(f"building {image}")
        began = time.monotonic()
        secret = ["--secret", f"id=ca,src={CERTIFICATES}"] if CERTIFICATES.exists() else []
        buildah.run("bud", "--isolation", "chroot", "--layers", "--format", "docker", "-q", *secret,
                    "--build-arg", f"BASE={BASE}", "--target", target, "-t", image,
                    "-f", ROOT / "docker/Dockerfile", ROOT)
        say(f"  done in {time.monotonic() - began:.0f} s")


def check_config(buildah):
    """What the image promises to `docker run`."""
    config = json.loads(buildah.run("inspect", "--type", "image", IMAGES["runtime"]).stdout)["Docker"]["config"]
    assert config["Entrypoint"] == ["cistern"], config
    assert config["Cmd"][0] == "serve" and "0.0.0.0:4566" in config["Cmd"], config
    assert config["User"] == "cistern" and "4566/tcp" in config["ExposedPorts"] and "/data" in config["Volumes"], config
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/lib/cistern/healthcheck.sh"], config
    return config


class Container:
    """A server in a container made of the image; ended by closing."""

    def __init__(self, buildah, config, words):
        self.buildah = buildah
        self.name = buildah.run("from", IMAGES["runtime"]).stdout.strip()
        self.port = free_port()
        words = [w.replace("0.0.0.0:4566", f"127.0.0.1:{self.port}") for w in words]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = open(WORK / "server.log", "wb")
        self.process = buildah.start("run", "--isolation", "chroot", self.name, "--", *config["Entrypoint"], *words,
                                     stdout=self.log, stderr=self.log, start_new_session=True)
        wait_until(self.healthy, 60, "health in the container")

    def healthy(self):
        if self.process.poll() is not None:
            raise AssertionError("the server in the container ended:\n" + (WORK / "server.log").read_text())
        return self.inside("/usr/lib/cistern/healthcheck.sh", self.endpoint, check=False).returncode == 0

    def inside(self, *words, check=True):
        return self.buildah.run("run", "--isolation", "chroot", self.name, "--", *words, check=check)

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)
        finally:
            self.log.close()
            self.buildah.run("rm", self.name, check=False)


def check_inside(container):
    answer = json.load(urllib.request.urlopen(container.endpoint + "/_localstack/health", timeout=10))
    assert answer["services"]["s3"] == "running", answer
    assert container.inside("id", "-u").stdout.strip() == "4566"
    status = json.loads(container.inside("cistern", "status", "--json", "--endpoint", container.endpoint).stdout)
    assert status["data"] == "/data", status
    assert container.inside("/usr/lib/cistern/healthcheck.sh", "http://127.0.0.1:9", check=False).returncode != 0
    script = "import boto3, os, sys; assert os.environ['CISTERN_PYTHON'] == sys.executable; print(boto3.__version__)"
    version = container.inside("python", "-c", script).stdout.strip()
    wanted = re.search("^boto3==(.*)$", (ROOT / "tests/requirements.txt").read_text(), re.M)[1]
    assert version == wanted, (version, wanted)


def check_pipeline(buildah, container, compose):
    """The pipeline service, with the environment of compose.yaml and our addresses in it."""
    db = MariaDB(*compose["services"]["db"]["command"])
    name = buildah.run("from", IMAGES["pipeline"]).stdout.strip()
    try:
        environment = dict(compose["services"]["pipeline"]["environment"])
        environment.update(AWS_ENDPOINT_URL=container.endpoint, DB_HOST="127.0.0.1", DB_PORT=db.port)
        options = [x for k, v in environment.items() for x in ("--env", f"{k}={v}")]
        done = buildah.run("run", "--isolation", "chroot", *options, name, "--", "python", "-m", "docker.pipeline",
                           check=False, timeout=400)
        print(done.stdout, end="", flush=True)
        assert done.returncode == 0, f"{done.stderr[-3000:]}\n{(WORK / 'server.log').read_text()[-3000:]}"
    finally:
        buildah.run("rm", name, check=False)
        db.close()


def main():
    parser = argparse.ArgumentParser(prog="make docker-check", description=__doc__)
    parser.add_argument("--mirror", default="http://deb.debian.org/debian", help="Debian mirror")
    parser.add_argument("--no-pipeline", action="store_true", help="only build, serve and ask for health")
    asked = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "docker/Dockerfile").read_text(), re.M))
    assert {s["build"]["target"] for s in compose["services"].values() if "build" in s} <= stages
    buildah = Buildah()
    try:
        make_base(buildah, asked.mirror)
    except Skip as reason:
        say(f"SKIPPED, nothing was checked: {reason}")
        return 0
    try:
        build(buildah)
        check_images(buildah, compose, asked.no_pipeline)
    finally:
        buildah.run("rm", "--all", check=False)  # a failed build leaves its container
    return 0


def check_images(buildah, compose, no_pipeline):
    config = check_config(buildah)
    container = Container(buildah, config, compose["services"]["cistern"]["command"])
    try:
        check_inside(container)
        say("the image serves, is healthy, and has boto3")
        if not no_pipeline:
            check_pipeline(buildah, container, compose)
            say("the pipeline of compose.yaml ran: source and final data set are equal")
    finally:
        container.close()


if __name__ == "__main__":
    sys.exit(main())
