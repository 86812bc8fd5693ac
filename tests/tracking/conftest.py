"""A project, its default store, and a database that is ready for use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tracking_builders import make_project
from tracking_services import S3, Postgres, running_postgres, running_s3, s3_environment

from mlvalidate.core.contracts import Project
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store, resolve_store


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith("MLFLOW_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with MLflow's tables: to make them takes a second."""
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    store = Store(f"sqlite:///{path}", None, "unused", False)
    with open_session(store):
        pass
    return path


@pytest.fixture
def project(tmp_path: Path, template_database: Path) -> Project:
    """Return a project with an empty store and no runs."""
    return make_project(tmp_path / "shop", template_database)[0]


@pytest.fixture
def store(project: Project) -> Store:
    """Return the project's default store."""
    return resolve_store(project, {})


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Yield a running PostgreSQL server."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """Yield a running S3 service."""
    with running_s3() as service:
        yield service


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """Return an S3 service that MLflow is set up to reach."""
    for name, value in s3_environment(s3_server.endpoint).items():
        monkeypatch.setenv(name, value)
    return s3_server
