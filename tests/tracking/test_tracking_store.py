"""Which store a project records to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import UsageError
from mlvalidate.tracking.links import experiment_link, open_command, run_link, ui_address
from mlvalidate.tracking.store import Store, resolve_store


def project_with(root: Path, uri: str | None = None, experiment: str | None = None) -> Project:
    declared = {
        "version": 1,
        "project": "shop",
        "steps": {"train": {"script": "train.py"}},
        "tracking": {"uri": uri, "experiment": experiment},
    }
    return Project.model_validate(declared).at(root)


def test_default_is_sqlite_in_the_project(tmp_path: Path) -> None:
    store = resolve_store(project_with(tmp_path), {})
    assert store == Store(
        uri=f"sqlite:///{tmp_path}/.mlvalidate/mlflow.db",
        artifact_root=f"{tmp_path}/.mlvalidate/artifacts",
        experiment="shop",
        is_local_default=True,
    )
    assert store.local_path == tmp_path / ".mlvalidate/mlflow.db"
    assert store.needs_ui


def test_environment_wins_over_the_project_file(tmp_path: Path) -> None:
    project = project_with(tmp_path, "http://declared:1", "mine")
    environ = {"MLFLOW_TRACKING_URI": "http://given:2/", "MLFLOW_EXPERIMENT_NAME": "theirs"}
    assert resolve_store(project, environ).uri == "http://given:2"
    assert resolve_store(project, environ).experiment == "theirs"
    assert resolve_store(project, {"MLFLOW_TRACKING_URI": " "}).uri == "http://declared:1"
    assert resolve_store(project, {}).experiment == "mine"


@pytest.mark.parametrize(
    ("declared", "uri"),
    [
        ("sqlite:///runs/x.db", "sqlite:///{root}/runs/x.db"),
        ("sqlite:////abs/x.db?timeout=5", "sqlite:////abs/x.db?timeout=5"),
        ("file:mlruns", "file://{root}/mlruns"),
        ("file:///abs/mlruns", "file:///abs/mlruns"),
        ("file://localhost/abs", "file:///abs"),
        ("./mlruns", "file://{root}/mlruns"),
        ("/abs/mlruns", "file:///abs/mlruns"),
        ("postgresql+psycopg2://u:p@h/db", "postgresql+psycopg2://u:p@h/db"),
        ("arn:aws:sagemaker:eu-west-1:123:mlflow-tracking-server/x",) * 2,
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
    ],
)
def test_paths_become_absolute(tmp_path: Path, declared: str, uri: str) -> None:
    store = resolve_store(project_with(tmp_path, declared), {})
    assert store.uri == uri.format(root=tmp_path)
    assert not store.is_local_default


def test_paths_of_the_environment_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    environ = {"MLFLOW_TRACKING_URI": "sqlite:///x.db"}
    store = resolve_store(project_with(tmp_path), environ)
    assert store.uri == f"sqlite:///{tmp_path}/elsewhere/x.db"
    assert store.artifact_root == f"{tmp_path}/elsewhere/mlartifacts"


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:x.db"])
def test_a_database_without_a_file_is_a_usage_error(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match="names no database file"):
        resolve_store(project_with(tmp_path, uri), {})


def test_artifacts_of_a_bare_database_have_an_absolute_place(tmp_path: Path) -> None:
    project = project_with(tmp_path, "postgresql://h/db")
    assert resolve_store(project, {}).artifact_root == f"{tmp_path}/.mlvalidate/artifacts"
    environ = {"MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://bucket/x"}
    assert resolve_store(project, environ).artifact_root == "s3://bucket/x"
    assert resolve_store(project_with(tmp_path, "http://h"), {}).artifact_root is None


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    store = resolve_store(project_with(tmp_path, "https://ann:hunter22@mlflow.example/x/"), {})
    assert store.uri == "https://ann:hunter22@mlflow.example/x"
    assert "hunter22" not in repr(store)
    assert store.shown_uri == "https://ann:***@mlflow.example/x"
    assert store.web_address == "https://mlflow.example/x"
    assert run_link(store, "1", "r") == (
        "https://mlflow.example/x/#/experiments/1/runs/r?workflowType=machine_learning"
    )


def test_user_and_password_of_a_uri_are_given_to_the_client_apart() -> None:
    store = Store("https://ann:p%40ss%2Fword@mlflow.example:8443/x", None, "shop", False)
    assert store.client_uri == "https://mlflow.example:8443/x"
    assert store.credentials == {
        "MLFLOW_TRACKING_USERNAME": "ann",
        "MLFLOW_TRACKING_PASSWORD": "p@ss/word",
    }
    assert Store("https://mlflow.example", None, "shop", False).credentials == {}
    database = Store("postgresql://ann:hunter22@h/db", None, "shop", False)
    assert database.client_uri == database.uri
    assert database.credentials == {}


def test_an_arn_has_no_link(tmp_path: Path) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team"
    store = resolve_store(project_with(tmp_path, arn), {})
    assert run_link(store, "1", "r") == ""
    assert open_command(store, "mlvalidate ui") == (
        "aws sagemaker create-presigned-mlflow-tracking-server-url --tracking-server-name team "
        "--region eu-west-1"
    )
    app = "arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:mlflow-app/app-X1"
    assert open_command(Store(app, None, "shop", False), "mlvalidate ui") == (
        f"aws sagemaker create-presigned-mlflow-app-url --arn {app} --region us-gov-west-1"
    )
    assert open_command(Store("https://h", None, "shop", False), "mlvalidate ui") == ""
    assert not store.is_http
    assert not store.needs_ui
    assert store.local_path is None


@pytest.mark.parametrize("uri", ["arn:aws:sagemaker:x", "arn:aws:s3:::bucket"])
def test_another_arn_is_a_usage_error(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match="no ARN of an MLflow tracking server"):
        resolve_store(project_with(tmp_path, uri), {})


def test_links_to_experiments() -> None:
    mode = "?workflowType=machine_learning"
    assert experiment_link("http://h", "3") == f"http://h/#/experiments/3/runs{mode}"
    assert experiment_link("http://h", None) == f"http://h/#/experiments{mode}"
    assert ui_address("0.0.0.0", 8080) == "http://127.0.0.1:8080"
    assert ui_address("::1", 8080) == "http://[::1]:8080"


def test_what_the_command_line_imports_does_not_import_mlflow() -> None:
    code = (
        "import sys, mlvalidate.tracking.store, mlvalidate.tracking.launch, "
        "mlvalidate.tracking.sync, mlvalidate.tracking.ui, mlvalidate.tracking.recorder;"
        "print([m for m in ('mlflow', 'pandas', 'sqlalchemy', 'requests') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert output.stdout.strip() == "[]", output.stderr
