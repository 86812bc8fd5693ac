"""A real PostgreSQL server and a real S3 API, on this machine and for the tests only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tracking_ports import free_port

USER, PASSWORD = "mlflow", "pass word/of@mlflow"
QUOTED = "pass%20word%2Fof%40mlflow"


@dataclass
class Postgres:
    """A server of PostgreSQL: its binaries, its data, and the process while it runs."""

    binaries: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["-D", str(self.folder / "data"), "-p", str(self.port)]
        settings = ("listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}")
        for setting in (*settings, "fsync=off", "full_page_writes=off"):
            options += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_as_nobody(), str(self.binaries / "postgres"), *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        ready = [str(self.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        # Its children notice that, and end; the next start waits for their last.
        time.sleep(0.2)

    def new_database(self) -> str:
        """Return the URI of an empty database."""
        name = f"test_{next(_numbers)}"
        create = [str(self.binaries / "createdb"), "-h", "127.0.0.1", "-p", str(self.port)]
        environ = {**os.environ, "PGPASSWORD": PASSWORD}
        subprocess.run([*create, "-U", USER, name], check=True, env=environ)
        return f"postgresql://{USER}:{QUOTED}@127.0.0.1:{self.port}/{name}"


_numbers = count()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server with a user of its own; skips the test where PostgreSQL is not installed."""
    binaries = _find_binaries()
    with tempfile.TemporaryDirectory(prefix="mlvalidate-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            # The server refuses to run as root.
            shutil.chown(folder, *_nobody())
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        init = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", USER, "--no-sync"]
        options = ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
        subprocess.run(
            [*_as_nobody(), *init, *options, "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        server = Postgres(binaries, folder, free_port())
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _find_binaries() -> Path:
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    found = shutil.which("initdb") or next(map(str, known), None)
    if found is None:
        pytest.skip("PostgreSQL is not installed: install Debian's package postgresql")
    return Path(found).resolve().parent


def _nobody() -> tuple[str, str]:
    return "nobody", "nogroup"


def _as_nobody() -> list[str]:
    """Return what to put before a command so that it ends with us, and is not root's."""
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig", "INT"]
    user, group = _nobody()
    who = ["--reuid", user, "--regid", group, "--clear-groups"]
    return ["setpriv", "--pdeathsig", "INT", *who]


@dataclass
class S3:
    """An S3 service on this machine."""

    endpoint: str
    client: Any

    def keys(self, bucket: str) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {item["Key"] for page in pages for item in page.get("Contents", ())}


@contextmanager
def running_s3() -> Iterator[S3]:
    """Run moto's server."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        yield S3(endpoint, boto3.client("s3", endpoint_url=endpoint, **_credentials()))
    finally:
        server.stop()


def _credentials() -> dict[str, str]:
    return {
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
        "region_name": "us-east-1",
    }


def s3_environment(endpoint: str) -> dict[str, str]:
    """Return the variables by which MLflow reaches the service."""
    credentials = {name.upper(): value for name, value in _credentials().items()}
    region = credentials.pop("REGION_NAME")
    return {**credentials, "AWS_DEFAULT_REGION": region, "MLFLOW_S3_ENDPOINT_URL": endpoint}
