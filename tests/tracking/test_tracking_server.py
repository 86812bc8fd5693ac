"""The UI, and a record that goes through a real MLflow server."""

from __future__ import annotations

import json
import math
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
    write_files,
    write_journal,
)
from tracking_ports import free_port
from tracking_proxy import mortal_server
from tracking_stored import look
from tracking_waiting import is_gone, is_logged, wait_for

from mlvalidate.core.contracts import Project
from mlvalidate.core.errors import InfrastructureError, UsageError
from mlvalidate.core.history import NoHistoryError
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.journal import JournalWriter
from mlvalidate.tracking import layout, search
from mlvalidate.tracking.history import open_history
from mlvalidate.tracking.progress import Entry, read_progress
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.server import stopped_by_signals
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import SyncReport, sync, unrecorded_runs
from mlvalidate.tracking.trace import trace_id
from mlvalidate.tracking.ui import run_ui

SERVE = """
import json, sys
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.server import stopped_by_signals
from mlvalidate.tracking.ui import run_ui
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


def check_reading(store: Store, folder: Path) -> None:
    """Read a run back over HTTP: by its title, its nodes, its result and its samples."""
    with open_history(store, "shop") as history:
        run = history.find("churn run-away")
        assert [step.node for step in history.steps(run)] == ["preprocess", "train"]
        assert history.result(run).run_id == "run-away"
        (step,) = history.step_runs(run.scope, "train", search.began_after(0))
        assert history.step_result(step).node == "train"
        assert len(history.download(step, layout.DATA, folder / "read")) == 2
        assert list(history.runs(run.scope, search.began_before(run.started_at))) == []
        with pytest.raises(NoHistoryError):
            history.baselines(run.scope, "last-passed", math.inf)


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
        check_reading(over_http, project.root)
        check_uploads(project, replace(over_http, experiment="proxied"))
        die_at_every_request(project, replace(over_http, experiment="mortal"))

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


def die_at_every_request(project: Project, store: Store) -> None:
    """Record runs through a server that dies at one request after the other, then sync."""
    folders = [one_step_pipeline(project, "run-whole")]
    # Makes the experiment: that request is one of the first run's only.
    with open_session(store), mortal_server(store.uri) as server:
        mortal = replace(store, uri=server.address)
        assert record_live(folders[0], mortal) is RecorderExit.RECORDED
        # MLflow asks a server for its version once in a process.
        server.live(None)
        folders.append(one_step_pipeline(project, "run-again"))
        assert record_live(folders[1], mortal) is RecorderExit.RECORDED
        requests = list(server.seen)
        cuts = [(last, True) for last in range(len(requests))]
        # Before a request is after the one in front of it, but for what was logged in between.
        cuts += [(last, False) for last, what in enumerate(requests) if what.endswith("create")]
        for number, (last, after) in enumerate(cuts):
            server.live(last, after)
            folders.append(one_step_pipeline(project, f"run-{number:02}"))
            assert record_live(folders[-1], mortal) is RecorderExit.UNAVAILABLE, requests[last]
            assert "connection" in (read_progress(folders[-1]).failure or Entry(op="done")).reason
        server.live(None)
        waiting = tuple(folder.run_id for folder in folders[2:])
        assert unrecorded_runs(project.state_folder) == waiting
        assert sync(project.state_folder, mortal) == SyncReport(recorded=waiting)
        assert sync(project.state_folder, mortal) == SyncReport()
    stored = look(store)
    assert len(stored.statuses()) == 2 * len(folders)
    whole = stored.one("run-whole/train")
    parents = {stored.one(folder.run_id).info.run_id for folder in folders}
    traces = stored.client.search_traces(locations=[whole.info.experiment_id], max_results=500)
    assert sorted(trace.info.trace_id for trace in traces) == sorted(map(trace_id, parents))
    for folder in folders:
        run = stored.one(f"{folder.run_id}/train")
        assert run.info.status == "FINISHED"
        assert run.data.metrics == whole.data.metrics
        assert run.data.params == whole.data.params
        assert len(run.inputs.dataset_inputs) == len(whole.inputs.dataset_inputs)
        assert run.data.tags["mlflow.parentRunId"] == stored.one(folder.run_id).info.run_id
        assert len(stored.client.list_artifacts(run.info.run_id, "logs")) == 2


def one_step_pipeline(project: Project, run_id: str) -> RunFolder:
    folder = make_folder(project.state_folder, run_id)
    plan = make_plan(project.root, ("train",))
    write_journal(folder, events_of(plan, [make_step(0, "train")], run_id))
    write_files(folder, ("train",))
    return folder


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
    with stopped_by_signals():
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
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team"
    with pytest.raises(UsageError, match="UI of its own") as caught:
        run_ui(Store(arn, None, "shop", False), say=say)
    assert caught.value.hint.startswith("For its address: aws sagemaker create-presigned")


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
