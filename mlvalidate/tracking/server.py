"""MLflow's server as a process: its command line, its start and its end.

`mlvalidate ui` and `mlvalidate server` both start it here.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.secrets import Redactor
from mlvalidate.tracking import server_guard
from mlvalidate.tracking.links import UI_HOST, UI_PORT, ui_address

_START_SECONDS = 60.0
# The guard gives the server five seconds before it kills it.
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1
# The server is on this machine: no proxy stands in between.
OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class ServerOptions:
    """What MLflow's server is started with.

    ``backend_uri`` may hold a password, and so may ``environ``, which is added to the server's
    environment. ``artifacts`` is where the server keeps artifacts (MLflow's default when empty),
    ``app_name`` an application on top of MLflow's own, such as ``basic-auth``.
    """

    backend_uri: str = field(repr=False)
    artifacts: str = ""
    host: str = UI_HOST
    port: int = UI_PORT
    workers: int = 1
    app_name: str = ""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """The address for a browser on this machine."""
        return ui_address(self.host, self.port)


def server_command(options: ServerOptions) -> list[str]:
    """Return the command line of MLflow's server. Without secrets: everybody can read it."""
    command = [sys.executable, "-P", "-m", "mlflow", "server"]
    command += ["--host", options.host, "--port", str(options.port)]
    command += ["--workers", str(options.workers)]
    if options.app_name:
        command += ["--app-name", options.app_name]
    return command


def server_environment(options: ServerOptions, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the server's environment. The URI goes there because it may hold a password."""
    artifacts = {"MLFLOW_ARTIFACTS_DESTINATION": options.artifacts} if options.artifacts else {}
    return {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        **environ,
        **artifacts,
        **options.environ,
        "MLFLOW_BACKEND_STORE_URI": options.backend_uri,
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }


class RunningServer:
    """A server that answers."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    def wait(self) -> None:
        """Wait for its end, which it never comes to by itself: InfrastructureError then."""
        self._process.wait()
        raise InfrastructureError(f"MLflow's server ended by itself: {_last_line(self._log)}")


@contextmanager
def running_server(options: ServerOptions) -> Iterator[RunningServer]:
    """Run MLflow's server, from its first answer to the end of the block; then it is gone.

    UsageError when the port is taken, InfrastructureError when the server does not start.
    """
    _check_port(options.host, options.port)
    with tempfile.TemporaryFile() as log, _process(options, log) as process:
        _wait_until_it_answers(process, options.address, log)
        yield RunningServer(process, log)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let a closed terminal and SIGTERM end the block as Ctrl-C does, which all end the server."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"can't listen on {host}, port {port}: {error.strerror}",
                hint="Choose another port with --port.",
            ) from None


@contextmanager
def _process(options: ServerOptions, log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server below its guard, in a process group of its own that is ended whole."""
    guard = [sys.executable, "-I", "-S", str(Path(server_guard.__file__))]
    process = subprocess.Popen(
        [*guard, *server_command(options)],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        env=server_environment(options, os.environ),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    # What a guard that died or hangs has left.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with OPENER.open(f"{address}/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(_POLL_SECONDS)
    raise InfrastructureError(f"MLflow's server did not start: {_last_line(log)}")


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return Redactor.for_environment(os.environ).redact(lines[-1]) if lines else "it said nothing"
