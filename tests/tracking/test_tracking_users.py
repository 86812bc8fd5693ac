"""A record through a server that wants a user and a password."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from tracking_builders import failed_pipeline
from tracking_ports import free_port
from tracking_stored import look

from mlvalidate.core.contracts import Project
from mlvalidate.tracking.progress import read_progress
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.server import ServerOptions, running_server
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import SyncReport, sync

ADMIN = "ann"
PASSWORD = "p@ss/word with %25"


@pytest.fixture
def server(tmp_path: Path, template_database: Path) -> Iterator[str]:
    """Yield the address of a server with one user."""
    database = tmp_path / "mlflow.db"
    database.write_bytes(template_database.read_bytes())
    config = tmp_path / "users.ini"
    config.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{tmp_path}/users.db\n"
    )
    options = ServerOptions(
        f"sqlite:///{database}",
        str(tmp_path / "artifacts"),
        port=free_port(),
        app_name="basic-auth",
        environ={
            "MLFLOW_AUTH_CONFIG_PATH": str(config),
            "MLFLOW_AUTH_ADMIN_USERNAME": ADMIN,
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "only-of-this-test",
        },
    )
    with running_server(options):
        yield options.address


@pytest.mark.slow
def test_record_with_a_user(project: Project, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment, of the URI, a wrong one, one without permission, and none."""
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
        "figures",
        "report.md",
        "result.json",
    ]
    requests.post(
        f"{server}/api/2.0/mlflow/users/create",
        json={"username": "bob", "password": "password-of-bob"},
        auth=(ADMIN, PASSWORD),
        timeout=30,
    ).raise_for_status()

    folder = failed_pipeline(project.root, project.state_folder, "run-3")
    bob = replace(nobody, uri=server.replace("://", "://bob:password-of-bob@"))
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


def reason(folder) -> str:
    failure = read_progress(folder).failure
    assert failure is not None
    return failure.reason
