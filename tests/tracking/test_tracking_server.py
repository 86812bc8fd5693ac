"""The UI, and a record that goes through a real MLflow server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from tracking_builders import (
    RUN_ID,
    events_of,
    failed_pipeline,
    make_folder,
    make_plan,
    make_step,
    start_recorder,
)
from tracking_stored import look
from tracking_waiting import is_gone, is_logged, wait_for

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.engine.journal import JournalWriter
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import sync
from mlvalidate.tracking.ui import _stopped_by_signals, run_ui

SERVE = """
import json, sys
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.ui import _stopped_by_signals, run_ui
store = Store(**json.loads(sys.argv[1]))
run_ui(store, port=int(sys.argv[2]), say=lambda text: print(text, flush=True))
"""


@dataclass
class Ui:
    """A running `mlvalidate ui` and everything that it started."""

    process: subprocess.Popen[str]
    link: str

    def family(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(store: Store, port: int) -> Iterator[Ui]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, json.dumps(vars(store)), str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    family: list[int] = []
    try:
        assert process.stdout is not None
        ui = Ui(process, process.stdout.readline().strip())
        family = ui.family()
        yield ui
    finally:
        for pid in (*family, process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.slow
def test_record_through_a_server_that_is_away_comes_and_dies(
    project: Project, store: Store
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    over_http = Store(address, None, "shop", False)
    with open_session(store) as gateway:
        experiment = gateway.experiment_id

    waiting = failed_pipeline(project.root, project.state_folder, "run-away")
    assert record_live(waiting, over_http) is RecorderExit.UNAVAILABLE

    with serving(store, port) as ui:
        assert ui.link == (
            f"{address}/#/experiments/{experiment}/runs?workflowType=machine_learning"
        )
        assert sync(project.state_folder, over_http).recorded == ("run-away",)
        check_uploads(project, replace(over_http, experiment="proxied"))

        # The server dies while a run goes on: one line, and nothing is lost.
        folder = make_folder(project.state_folder)
        events = events_of(make_plan(project.root), [make_step(0, "a"), make_step(1, "b")])
        with JournalWriter(folder) as journal:
            for event in events[:-2]:
                journal.write(event)
            recorder = start_recorder(folder, over_http)
            wait_for(lambda: is_logged(folder, "/a"))
            for pid in ui.family():
                os.kill(pid, signal.SIGKILL)
            for event in events[-2:]:
                journal.write(event)
        reason = recorder.wait(60).unrecorded
        assert reason.startswith(f"the MLflow server at {address} ")
        # The UI does not outlive it.
        assert ui.process.wait(60) != 0

    # The file that the server had served is the same store by another name.
    assert sync(project.state_folder, store).recorded == (RUN_ID,)
    statuses = look(store).statuses()
    assert len(statuses) == 6
    assert set(statuses) >= {RUN_ID, f"{RUN_ID}/a", f"{RUN_ID}/b", "run-away"}
    assert "RUNNING" not in statuses.values()


def check_uploads(project: Project, store: Store) -> None:
    """Record a run whose artifacts go through the server."""
    folder = failed_pipeline(project.root, project.state_folder, "run-http")
    assert record_live(folder, store) is RecorderExit.RECORDED
    stored = look(store)
    run = stored.one("run-http/train")
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    assert run.data.metrics["auc"] == 0.75
    paths = [item.path for item in stored.client.list_artifacts(run.info.run_id, "data/train")]
    assert paths == ["data/train/train_1.csv.json", "data/train/train_1.csv.parquet"]
    assert list((project.state_folder / "artifacts").rglob("train_1.csv.json"))


@pytest.mark.slow
def test_ui_ends_with_ctrl_c_without_an_orphan(store: Store) -> None:
    with serving(store, free_port()) as ui:
        family = ui.family()
        assert family
        ui.process.send_signal(signal.SIGINT)
        assert ui.process.wait(60) == 0
        for pid in family:
            wait_for(lambda pid=pid: is_gone(pid))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ui_takes_other_signals_for_ctrl_c(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    ended = True
    with _stopped_by_signals():
        os.kill(os.getpid(), number)
        time.sleep(5)
        ended = False
    assert ended
    assert signal.getsignal(number) is before


def test_a_port_that_is_taken_is_a_usage_error(store: Store) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)) as caught:
            run_ui(store, say=print, port=port)
    assert "--port" in caught.value.hint


def test_ui_of_a_server_is_a_link(says: list[str], say: Callable[[str], None]) -> None:
    run_ui(Store("https://ann:hunter22@h/x", None, "shop", False), say=say)
    assert says == ["https://h/x/#/experiments?workflowType=machine_learning"]


def test_ui_of_an_arn_is_elsewhere(say: Callable[[str], None]) -> None:
    with pytest.raises(UsageError, match="UI of its own"):
        run_ui(Store("arn:aws:sagemaker:x", None, "shop", False), say=say)


def test_ui_that_does_not_start_says_why(
    store: Store, tmp_path: Path, say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no driver for mssql://ann:hunter22@h\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(InfrastructureError, match="did not start: no driver") as caught:
        run_ui(store, say=say, port=free_port())
    assert "hunter22" not in caught.value.message


@pytest.fixture
def says() -> list[str]:
    return []


@pytest.fixture
def say(says: list[str]) -> Callable[[str], None]:
    return says.append
