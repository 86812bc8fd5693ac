"""The recorder as a process: started, killed, without a server, several at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

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
from tracking_stored import look
from tracking_waiting import is_gone, is_logged, wait_for

from mlvalidate.core.contracts import Project
from mlvalidate.engine.journal import JournalWriter
from mlvalidate.tracking.launch import Recording, SharedRecorder
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import PendingRun, sync


def serve_nothing(answers: bool) -> tuple[socket.socket, str]:
    """Return a listening socket and its URI: a server that accepts and never says a word."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    if answers:
        server.listen(50)
    return server, f"http://127.0.0.1:{server.getsockname()[1]}"


def test_recorder_follows_a_run_and_says_where_it_is(project: Project, store: Store) -> None:
    older = failed_pipeline(project.root, project.state_folder, "20240101-000000-old1")
    folder = make_folder(project.state_folder)
    events = events_of(make_plan(project.root, ("train",)), [make_step(0, "train")])
    with JournalWriter(folder) as journal:
        journal.write(events[0])
        recorder = start_recorder(folder, store, "mlvalidate ui -C shop")
        wait_for(lambda: is_logged(folder, '"started"'))
        os.kill(recorder.pid, signal.SIGINT)
        for event in events[1:-1]:
            journal.write(event)
        write_files(folder, ("train",))
        wait_for(lambda: is_logged(folder, '"recorded"'))
        assert look(store).statuses() == {RUN_ID: "RUNNING", f"{RUN_ID}/train": "FINISHED"}
        journal.write(events[-1])
    recording = recorder.wait(60)
    run = look(store).one(RUN_ID).info
    assert recording == Recording(
        run_url=f"http://127.0.0.1:5000/#/experiments/{run.experiment_id}/runs/{run.run_id}"
        "?workflowType=machine_learning",
        open_command="mlvalidate ui -C shop",
    )
    # Then it sees to the runs that waited, and ends.
    wait_for(lambda: is_logged(older, '"done"'))
    wait_for(lambda: is_gone(recorder.pid))


def test_recorder_killed_and_synced(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    steps = [make_step(0, "preprocess"), make_step(1, "train")]
    events = events_of(make_plan(project.root), steps)
    with JournalWriter(folder) as journal:
        for event in events[:-2]:
            journal.write(event)
        recorder = start_recorder(folder, store)
        wait_for(lambda: is_logged(folder, "/preprocess"))
        os.kill(recorder.pid, signal.SIGKILL)
        for event in events[-2:]:
            journal.write(event)
    write_files(folder, ("preprocess", "train"))
    assert recorder.wait(5).unrecorded == "the recorder ended with exit code -9"
    assert sync(project.state_folder, store).recorded == (RUN_ID,)
    assert set(look(store).statuses().values()) == {"FINISHED"}
    assert len(look(store).runs) == 3


def test_recorder_closes_the_run_of_an_engine_that_was_killed(
    project: Project, store: Store
) -> None:
    """The engine process writes the beginning of a run, starts the recorder and dies."""
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from tracking_builders import *
root, state = Path({str(project.root)!r}), Path({str(project.state_folder)!r})
folder = make_folder(state)
store = Store({store.uri!r}, {store.artifact_root!r}, "shop", True)
with JournalWriter(folder) as journal:
    for event in events_of(make_plan(root), [make_step(0, "preprocess")])[:3]:
        journal.write(event)
    start_recorder(folder, store)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    engine = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert engine.returncode == -signal.SIGKILL, engine.stderr
    folder = make_folder(project.state_folder)
    wait_for(lambda: is_logged(folder, '"done"'))
    assert look(store).statuses() == {RUN_ID: "KILLED", f"{RUN_ID}/preprocess": "KILLED"}


@pytest.mark.parametrize(
    ("answers", "reason"),
    [(False, "refuses the connection"), (True, "does not answer in time")],
    ids=["refuses", "hangs"],
)
@pytest.mark.slow
def test_a_server_that_is_away_is_told_quickly(
    project: Project, answers: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The default of 5 seconds holds unless the user has set another.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    server, address = serve_nothing(answers)
    uri = address.replace("http://", "http://ann:hunter22@")
    store = Store(uri, None, "shop", False)
    folder = failed_pipeline(project.root, project.state_folder)
    begun = time.monotonic()
    with server:
        recorder = start_recorder(folder, store)
        command_line = Path(f"/proc/{recorder.pid}/cmdline").read_text()
        recording = recorder.wait(60)
    assert time.monotonic() - begun < 60
    assert recording == Recording(unrecorded=f"the MLflow server at {address} {reason}")
    assert "hunter22" not in command_line
    assert "hunter22" not in folder.tracking_log.read_text()
    wait_for(lambda: is_gone(recorder.pid))


def test_sync_without_a_server_gives_up_at_once(project: Project) -> None:
    for number in range(3):
        failed_pipeline(project.root, project.state_folder, f"run-{number}")
    server, address = serve_nothing(answers=False)
    with server:
        begun = time.monotonic()
        report = sync(project.state_folder, Store(address, None, "shop", False))
    assert time.monotonic() - begun < 30
    reason = f"the MLflow server at {address} refuses the connection"
    assert report.pending == tuple(PendingRun(f"run-{number}", reason) for number in range(3))


def test_waiting_for_the_recorder_is_bounded(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    events = events_of(make_plan(project.root, ("train",)), [make_step(0, "train")])
    with JournalWriter(folder) as journal:
        journal.write(events[0])
        recorder = start_recorder(folder, store)
        recording = recorder.wait(0.1)
        assert recording.unrecorded == "recording takes longer than 0.1 s and goes on by itself"
        for event in events[1:]:
            journal.write(event)
    assert recorder.wait(60).unrecorded == ""


@pytest.mark.slow
def test_four_processes_record_twenty_runs_each_in_one_new_store(tmp_path: Path) -> None:
    database = tmp_path / "shared" / "mlflow.db"
    store = Store(f"sqlite:///{database}", f"{database.parent}/artifacts", "shop", False)
    recordings = []
    for number in range(4):
        recorder = SharedRecorder(store)
        state = tmp_path / f"shop-{number}" / ".mlvalidate"
        for run in range(20):
            folder = make_folder(state, f"run-{number}-{run:02}")
            plan = make_plan(tmp_path, ("train",), kind="script")
            write_journal(folder, events_of(plan, [make_step(0, "train")], folder.run_id))
            recordings.append(recorder.record(folder))
        recorder.close()
    assert [recording.wait(120).unrecorded for recording in recordings] == [""] * 80
    statuses = look(store).statuses()
    assert len(statuses) == 80
    assert set(statuses.values()) == {"FINISHED"}
    for recording in recordings:
        wait_for(lambda pid=recording.pid: is_gone(pid))


def test_two_syncs_at_once(project: Project, store: Store) -> None:
    for number in range(4):
        failed_pipeline(project.root, project.state_folder, f"run-{number}")
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(sync(project.state_folder, store)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    recorded = [run_id for report in reports for run_id in report.recorded]
    assert sorted(recorded) == [f"run-{number}" for number in range(4)]
    assert len(look(store).statuses()) == 12


def test_a_recorder_that_does_not_start_is_a_reason(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    recorder = start_recorder(failed_pipeline(project.root, project.state_folder), store)
    assert recorder.pid is None
    assert recorder.wait(1).unrecorded == "the recorder did not start: No such file or directory"
