"""`mlvalidate server`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
import requests
from tracking_builders import failed_pipeline
from tracking_ports import free_port
from tracking_stored import look
from tracking_waiting import is_gone, wait_for

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.tracking import server_checks
from mlvalidate.tracking.progress import read_progress
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.server import ServerOptions, server_command, server_environment
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import SyncReport, sync
from mlvalidate.tracking.team_server import TeamServer, _with_ports, run_server

ADMIN = "ann"
PASSWORD = "p@ss/word with %25"


@dataclass
class Served:
    """A running `mlvalidate server`."""

    process: subprocess.Popen[str]
    text: str

    def family(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


@contextmanager
def serving(folder: Path, *options: str, **environ: str) -> Iterator[Served]:
    """Run the command until the block ends; it has said all that it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlvalidate", "server", *options],
        cwd=folder,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    family: list[int] = []
    try:
        while not lines or (lines[-1] and not lines[-1].startswith("Ctrl-C")):
            lines.append(process.stdout.readline())
        served = Served(process, "".join(lines))
        family = served.family()
        yield served
    finally:
        for pid in (*family, process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


@pytest.mark.slow
def test_sqlite_and_a_folder_with_users(
    tmp_path: Path,
    project: Project,
    template_database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "mlflow.db").write_bytes(template_database.read_bytes())
    port = free_port()
    options = ("--folder", str(data), "--port", str(port), "--auth")
    first = {"MLFLOW_AUTH_ADMIN_USERNAME": ADMIN, "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}
    with serving(tmp_path, *options, **first) as served:
        address = f"http://127.0.0.1:{port}"
        assert served.text.splitlines()[1:] == [
            f"  database:  sqlite:///{data}/mlflow.db",
            f"  artifacts: {data}/artifacts",
            "record to it with",
            f"  export MLFLOW_TRACKING_URI={address}",
            "  export MLFLOW_TRACKING_USERNAME=...  MLFLOW_TRACKING_PASSWORD=...",
            "Ctrl-C stops it",
        ]
        record_with_users(project, address, monkeypatch)
        assert list((data / "artifacts").rglob("report.md"))
        family = served.family()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(60) == 0
    for pid in family:
        wait_for(lambda pid=pid: is_gone(pid))
    assert (data / "users.db").is_file()


def record_with_users(project: Project, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the environment, one of the URI, a wrong one, one without permission, and none."""
    nobody = Store(server, None, "shop", False)
    folder = failed_pipeline(project.root, project.state_folder, "run-1")
    assert record_live(folder, nobody) is RecorderExit.UNAVAILABLE
    assert reason(folder) == (
        f"the MLflow server at {server} asks for a user: set MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD (401)"
    )

    in_uri = replace(nobody, uri=server.replace("://", "://ann:p%40ss%2Fword with %2525@"))
    assert sync(project.state_folder, in_uri) == SyncReport(recorded=("run-1",))
    assert "MLFLOW_TRACKING_PASSWORD" not in os.environ

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    folder = failed_pipeline(project.root, project.state_folder, "run-2")
    assert record_live(folder, nobody) is RecorderExit.RECORDED
    stored = look(nobody)
    assert set(stored.statuses()) == {
        f"run-{n}{x}" for n in "12" for x in ("", "/preprocess", "/train")
    }
    run = stored.one("run-1").info
    assert [item.path for item in stored.client.list_artifacts(run.run_id)] == [
        "report.md",
        "result.json",
    ]

    def ask(what: str, **values: str) -> None:
        asked = requests.post(
            f"{server}/api/{what}", json=values, auth=(ADMIN, PASSWORD), timeout=30
        )
        asked.raise_for_status()

    # A team writes to the same experiments, unless somebody says otherwise.
    ask("2.0/mlflow/users/create", username="bob", password="password-of-bob")
    bob = replace(nobody, uri=server.replace("://", "://bob:password-of-bob@"))
    failed_pipeline(project.root, project.state_folder, "run-3")
    assert sync(project.state_folder, bob) == SyncReport(recorded=("run-3",))
    denied = {"resource_type": "experiment", "resource_id": run.experiment_id, "permission": "DENY"}
    ask("3.0/mlflow/users/permissions/grant", username="bob", **denied)
    folder = failed_pipeline(project.root, project.state_folder, "run-4")
    (pending,) = sync(project.state_folder, bob).pending
    assert pending.reason == (
        f"the MLflow server at {server} does not let user 'bob' write to the experiment 'shop' "
        "(403), and says 'Permission denied'"
    )
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2222")
    assert record_live(folder, nobody) is RecorderExit.UNAVAILABLE
    assert reason(folder) == (
        f"the MLflow server at {server} does not accept user 'ann' with this password (401)"
    )
    written = b"".join(p.read_bytes() for p in project.state_folder.rglob("*.json*"))
    for secret in (PASSWORD, "p%40ss", "password-of-bob", "hunter2222"):
        assert secret.encode() not in written


def reason(folder: RunFolder) -> str:
    failure = read_progress(folder).failure
    assert failure is not None
    return failure.reason


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        team = TeamServer(tmp_path, port=taken.getsockname()[1])
        with pytest.raises(UsageError, match="can't listen") as caught:
            run_server(team, print)
    assert "--port" in caught.value.hint


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://h", "is no database that an MLflow server can keep its runs in"),
        ("mlflow.db", "is no database that an MLflow server can keep its runs in"),
        ("sqlite:///:memory:", "names no database file"),
        ("postgresql+nodriver://ann:hunter22@h/db", "is no URL of a database"),
        ("postgresql://ann:hunter22@127.0.0.1:{port}/db", "can't open the database"),
        ("oracle://ann:hunter22@h/db", "which is not installed"),
    ],
)
def test_a_wrong_database(tmp_path: Path, uri: str, message: str) -> None:
    team = TeamServer(tmp_path, backend_uri=uri.format(port=free_port()))
    with pytest.raises(UsageError, match=message) as caught:
        run_server(team, print)
    assert "hunter22" not in caught.value.message + caught.value.hint


def test_the_driver_of_postgresql_is_in_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("psycopg", "psycopg2"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"needs 'psycopg2?', which is not installed") as caught:
        server_checks.check_database(Store("postgresql://h/db", None, "", False))
    assert "pip install 'mlvalidate[server]'" in caught.value.hint


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(UsageError, match="unable to open database file"):
        run_server(TeamServer(tmp_path), print)


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="can't make the folder"):
        run_server(TeamServer(tmp_path / "file" / "folder"), print)


def test_an_s3_service_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    with pytest.raises(UsageError, match="can't look into s3://bucket/x") as caught:
        run_server(TeamServer(tmp_path, artifacts="s3://bucket/x"), print)
    assert "MLFLOW_S3_ENDPOINT_URL" in caught.value.hint


def test_users_need_a_first_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="needs a password for the first user") as caught:
        run_server(TeamServer(tmp_path, auth=True), print)
    assert "MLFLOW_AUTH_ADMIN_PASSWORD" in caught.value.hint
    monkeypatch.setitem(sys.modules, "flask_wtf", None)
    with pytest.raises(UsageError, match="Flask-WTF"):
        run_server(TeamServer(tmp_path, auth=True), print)


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        ("mlflow.corp", "mlflow.corp,mlflow.corp:*,localhost,localhost:*,127.0.0.1,127.0.0.1:*"),
        ("a:80, localhost", "a:80,localhost,localhost:*,127.0.0.1,127.0.0.1:*"),
        ("*", "*,localhost,localhost:*,127.0.0.1,127.0.0.1:*"),
    ],
)
def test_allowed_hosts_with_any_port(names: str, patterns: str) -> None:
    assert _with_ports(names) == patterns


def test_secrets_are_in_the_environment_only() -> None:
    options = ServerOptions(
        "postgresql://ann:hunter22@h/db", "s3://b", app_name="basic-auth", environ={"A": "b"}
    )
    assert "hunter22" not in " ".join(server_command(options)) + repr(options)
    assert server_command(options)[-2:] == ["--app-name", "basic-auth"]
    environ = server_environment(options, {"A": "c", "MLFLOW_BACKEND_STORE_URI": "sqlite://"})
    assert environ["MLFLOW_BACKEND_STORE_URI"] == options.backend_uri
    assert (environ["MLFLOW_ARTIFACTS_DESTINATION"], environ["A"]) == ("s3://b", "b")
