"""A store that is named by an ARN: a plugin of MLflow's knows where it is, and nobody else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tracking_builders import failed_pipeline, start_recorder
from tracking_stored import look
from tracking_waiting import is_gone, wait_for

from mlvalidate.core.contracts import Project
from mlvalidate.tracking.launch import Recording
from mlvalidate.tracking.store import Store

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team"

# Stands for the package sagemaker-mlflow, also where that is installed: of two with one name the
# first counts. It registers its stores in this way.
ENTRY_POINTS = """
[mlflow.tracking_store]
arn = arn_store:tracking_store

[mlflow.model_registry_store]
arn = arn_store:model_registry_store
"""
MODULE = """
import os
from pathlib import Path


def tracking_store(store_uri, artifact_uri):
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    import mlflow

    # The real one signs requests by what MLflow says, and not by what the client was given.
    assert store_uri == mlflow.get_tracking_uri() == os.environ["EXPECTED_ARN"]
    database = Path(os.environ["ARN_DATABASE"])
    return SqlAlchemyStore(f"sqlite:///{database}", str(database.parent / "artifacts"))


def model_registry_store(store_uri, **_):
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    return SqlAlchemyStore(f"sqlite:///{os.environ['ARN_DATABASE']}")
"""


def install(tmp_path: Path, entry_points: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package as that of SageMaker, and return the folder that it is in."""
    packages = tmp_path / "packages"
    described = packages / "sagemaker_mlflow-99.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: sagemaker-mlflow\nVersion: 99.0\n"
    )
    (described / "entry_points.txt").write_text(entry_points)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    return packages


@pytest.fixture
def plugin(tmp_path: Path, template_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a plugin for ARNs, and return the database that it records to."""
    packages = install(tmp_path, ENTRY_POINTS, monkeypatch)
    (packages / "arn_store.py").write_text(MODULE)
    database = tmp_path / "remote" / "mlflow.db"
    database.parent.mkdir()
    database.write_bytes(template_database.read_bytes())
    monkeypatch.setenv("ARN_DATABASE", str(database))
    monkeypatch.setenv("EXPECTED_ARN", ARN)
    return database


def test_a_record_in_a_store_that_a_plugin_knows(project: Project, plugin: Path) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    recorder = start_recorder(folder, Store(ARN, None, "shop", False), "mlvalidate ui")
    assert recorder.wait(60) == Recording(
        open_command="aws sagemaker create-presigned-mlflow-tracking-server-url "
        "--tracking-server-name team --region eu-west-1"
    )
    wait_for(lambda: is_gone(recorder.pid))
    stored = look(Store(f"sqlite:///{plugin}", None, "shop", False))
    assert set(stored.statuses().values()) == {"FINISHED", "FAILED"}
    assert len(stored.statuses()) == 3
    assert list((plugin.parent / "artifacts").rglob("train_1.csv.json"))


def test_without_the_plugin(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "", monkeypatch)
    folder = failed_pipeline(project.root, project.state_folder)
    recorder = start_recorder(folder, Store(ARN, None, "shop", False), "mlvalidate ui")
    assert recorder.wait(60).unrecorded == (
        f"MLflow has no plugin for the store {ARN}; install it with: "
        "pip install 'mlvalidate[sagemaker]'"
    )
    wait_for(lambda: is_gone(recorder.pid))
