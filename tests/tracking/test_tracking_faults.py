"""What goes wrong is one line in the progress log, with the right exit code."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tracking_builders import (
    RUN_ID,
    events_of,
    failed_pipeline,
    make_folder,
    make_plan,
    make_project,
    make_skipped,
    write_journal,
)
from tracking_stored import look

from mlvalidate.core.contracts import Project
from mlvalidate.tracking import recorder, session
from mlvalidate.tracking.gateway import ensure_experiment
from mlvalidate.tracking.progress import read_progress, tracking_lock
from mlvalidate.tracking.reasons import RecordingError, mlflow_errors_told
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.store import Store, resolve_store
from mlvalidate.tracking.sync import sync


def reason_of(folder) -> str:
    failure = read_progress(folder).failure
    assert failure is not None
    return failure.reason


def test_a_deleted_experiment_is_named_with_the_remedy(project: Project, store: Store) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(store.uri)
    experiment = client.create_experiment("shop")
    client.delete_experiment(experiment)
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.UNAVAILABLE
    assert reason_of(folder) == (
        "the MLflow experiment 'shop' has been deleted; restore it with "
        f"`mlflow experiments restore -x {experiment}`"
    )


def test_an_experiment_that_another_process_makes_meanwhile(store: Store) -> None:
    from mlflow.exceptions import MlflowException

    answers = iter([None, SimpleNamespace(experiment_id=7)])

    def create(*args: object, **values: object) -> str:
        raise MlflowException("exists")

    client = SimpleNamespace(
        get_experiment_by_name=lambda name: next(answers), create_experiment=create
    )
    assert ensure_experiment(client, store) == "7"
    gone = SimpleNamespace(get_experiment_by_name=lambda name: None, create_experiment=create)
    with pytest.raises(RecordingError, match="exists"):
        ensure_experiment(gone, store)


def test_a_bug_of_ours_is_not_blamed_on_the_store(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "run_context", lambda root, environ: 1 / 0)
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.INTERNAL
    assert reason_of(folder) == "internal error: ZeroDivisionError: division by zero"
    failure = read_progress(folder).failure
    assert failure is not None
    assert "Traceback" in failure.traceback


def test_a_run_that_someone_else_never_finishes_recording(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_LOCK_SECONDS", 0.1)
    folder = failed_pipeline(project.root, project.state_folder)
    with tracking_lock(folder):
        assert record_live(folder, store) is RecorderExit.UNAVAILABLE
    assert reason_of(folder) == "another process records it and does not come to an end"


def test_a_database_that_is_none(project: Project, store: Store) -> None:
    assert store.local_path is not None
    store.local_path.write_text("this is no database")
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.UNAVAILABLE
    assert "file is not a database" in reason_of(folder)


def test_a_folder_where_nothing_can_be_written(project: Project) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    blocked = Store(f"sqlite:///{folder.journal}/mlflow.db", None, "shop", False)
    assert record_live(folder, blocked) is RecorderExit.UNAVAILABLE
    assert "Errno" in reason_of(folder)
    folder.tracking_log.unlink()
    folder.tracking_log.mkdir()
    assert record_live(folder, blocked) is RecorderExit.UNAVAILABLE
    report = sync(project.state_folder, resolve_store(project, {}))
    assert [run.run_id for run in report.pending] == [RUN_ID]


def test_mlflow_keeps_off_the_terminal(
    project: Project, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    assert store.local_path is not None
    store.local_path.unlink()
    failed_pipeline(project.root, project.state_folder)
    assert sync(project.state_folder, store).recorded == (RUN_ID,)
    store.local_path.write_text("this is no database")
    failed_pipeline(project.root, project.state_folder, "run-2")
    assert sync(project.state_folder, store).recorded == ()
    assert capfd.readouterr() == ("", "")


def test_environment_is_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    before = dict(os.environ)
    with session.open_session(store):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"
        assert os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] == "false"
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError("reset"), "reset"),
        (ValueError(""), "ValueError"),
        (ValueError("first\nsecond"), "first"),
        (ValueError("at http://ann:hunter22@h"), "at http://ann:***@h"),
        (ValueError("x" * 400), "x" * 299 + "…"),
    ],
)
def test_reasons_are_one_line(store: Store, error: Exception, reason: str) -> None:
    with pytest.raises(RecordingError) as caught, mlflow_errors_told(store):
        raise error
    assert caught.value.message == reason
    assert not caught.value.is_unreachable


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("SSLError", "has a certificate that is not trusted"),
        ("NameResolutionError", "has a name that can't be resolved"),
        ("ProtocolError", "breaks off the connection"),
    ],
)
def test_faults_of_the_network(name: str, reason: str) -> None:
    cause = type(name, (Exception,), {})("deep inside")
    with (
        pytest.raises(RecordingError) as caught,
        mlflow_errors_told(Store("https://u:p@h", None, "shop", False)),
    ):
        raise ValueError("outside") from cause
    assert caught.value.message == f"the MLflow server at https://h {reason}"
    assert caught.value.is_unreachable


class RefusedError(Exception):
    def __init__(self, status: int, body: str = "") -> None:
        super().__init__(f"API request failed with error code {status}. Response body: '{body}'")
        self.get_http_status_code = lambda: status


@pytest.mark.parametrize(
    ("status", "variables", "reason"),
    [
        (
            401,
            {},
            "asks for a user: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (401)",
        ),
        (
            401,
            {"MLFLOW_TRACKING_USERNAME": "ann"},
            "does not accept user 'ann' with this password (401)",
        ),
        (
            401,
            {"MLFLOW_TRACKING_TOKEN": "t0ken-t0ken"},
            "does not accept the token in MLFLOW_TRACKING_TOKEN (401)",
        ),
        (
            403,
            {"MLFLOW_TRACKING_USERNAME": "ann"},
            "does not let user 'ann' write to the experiment 'shop' (403), and says 'no'",
        ),
    ],
)
def test_a_server_that_refuses_the_user(
    status: int, variables: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    store = Store("https://h", None, "shop", False)
    with pytest.raises(RecordingError) as caught, mlflow_errors_told(store):
        raise RefusedError(status, "no")
    assert caught.value.message == f"the MLflow server at https://h {reason}"


def test_a_script_that_never_ran(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    plan = make_plan(project.root, ("train",), kind="script")
    write_journal(folder, events_of(plan, [make_skipped("train")]))
    assert record_live(folder, store) is RecorderExit.RECORDED
    run = look(store).one(RUN_ID)
    assert "skipped" in run.data.tags["mlflow.note.content"]
    assert "arg.test-ratio" not in run.data.params


def test_a_file_store(project: Project) -> None:
    store = Store((project.root / "mlruns").as_uri(), None, "shop", False)
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    done = read_progress(folder).done
    assert done is not None
    run = project.root / "mlruns" / done.experiment_id / done.mlflow_run_id
    assert (run / "artifacts" / "report.md").is_file()


def test_a_project_below_a_folder_that_looks_like_an_escape(
    tmp_path: Path, template_database: Path
) -> None:
    """Jenkins names the folder of the branch feature/x so."""
    project, store = make_project(tmp_path / "feature%2Fx", template_database)
    folder = failed_pipeline(project.root, project.state_folder)
    assert record_live(folder, store) is RecorderExit.RECORDED
    assert len(look(store).runs) == 3
    assert list((project.state_folder / "artifacts").rglob("report.md"))
