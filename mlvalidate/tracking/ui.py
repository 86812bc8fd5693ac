"""`mlvalidate ui`: MLflow's own UI on the project's store."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.secrets import Redactor
from mlvalidate.tracking.links import UI_HOST, UI_PORT, experiment_link, ui_address
from mlvalidate.tracking.store import Store

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.1
# The server is on this machine: no proxy stands in between.
_OPENER = build_opener(ProxyHandler({}))


def run_ui(
    store: Store,
    *,
    say: Callable[[str], None],
    host: str = UI_HOST,
    port: int = UI_PORT,
) -> None:
    """Serve MLflow's UI until Ctrl-C or SIGTERM; `say` gets the link once it answers.

    A store on a server has its UI already: then the link is all. UsageError when the port is taken
    or the store has no UI that can be started here, InfrastructureError when MLflow does not start.
    """
    if store.is_http:
        say(experiment_link(store.web_address, None))
        return
    if not store.needs_ui:
        raise UsageError(f"the store {store.shown_uri} has a UI of its own: open it there")
    _check_port(host, port)
    if store.local_path is not None:
        store.local_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryFile() as log,
        _stopped_by_signals(),
        _server(store, host, port, log) as p,
    ):
        address = ui_address(host, port)
        _wait_until_it_answers(p, address, log)
        say(experiment_link(address, _experiment_id(address, store.experiment)))
        p.wait()
        raise InfrastructureError(f"MLflow's server ended by itself: {_last_line(log)}")


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
def _server(
    store: Store, host: str, port: int, log: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run MLflow's server with one worker, in a process group of its own that is ended whole."""
    command = [sys.executable, "-P", "-m", "mlflow", "server"]
    options = ["--host", host, "--port", str(port), "--workers", "1"]
    process = subprocess.Popen(
        [*command, *options],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=_server_environment(store, os.environ),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _server_environment(store: Store, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the server's environment. The URI goes there because it may hold a password."""
    artifacts = {"MLFLOW_ARTIFACTS_DESTINATION": store.artifact_root} if store.artifact_root else {}
    return {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        **environ,
        **artifacts,
        "MLFLOW_BACKEND_STORE_URI": store.uri,
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_STOP_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let a closed terminal and SIGTERM end the server as Ctrl-C does, which all end the UI."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with _OPENER.open(f"{address}/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(_POLL_SECONDS)
    raise InfrastructureError(f"MLflow's server did not start: {_last_line(log)}")


def _experiment_id(address: str, name: str) -> str | None:
    """Return the id of the experiment; None where nothing has been recorded yet."""
    query = f"experiment_name={quote(name, safe='')}"
    try:
        with _OPENER.open(
            f"{address}/api/2.0/mlflow/experiments/get-by-name?{query}", timeout=10
        ) as answer:
            return str(json.load(answer)["experiment"]["experiment_id"])
    except (URLError, OSError, ValueError, KeyError):
        return None


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return Redactor.for_environment(os.environ).redact(lines[-1]) if lines else "it said nothing"
