"""Each run is recorded once and only once, wherever recording it was cut off."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest
from tracking_builders import (
    RUN_ID,
    START,
    events_of,
    failed_pipeline,
    make_folder,
    make_plan,
    make_step,
    write_journal,
)
from tracking_faulty_client import DyingClient, Killed, dying_gateway
from tracking_stored import look

from mlvalidate.core.contracts import Project
from mlvalidate.core.events import ChecksFinished
from mlvalidate.engine.journal import JournalWriter, read_events
from mlvalidate.tracking.gateway import Gateway
from mlvalidate.tracking.progress import decline, read_progress, tracking_lock
from mlvalidate.tracking.reasons import RecordingError
from mlvalidate.tracking.recorder import RecorderExit, record_live
from mlvalidate.tracking.recording import RunRecorder
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import PendingRun, sync, unrecorded_runs

# Of recording the failed pipeline: create, batch, inputs, artifacts, end of two nested runs, and
# the same without inputs of the parent, after two searches for what earlier runs know of the fault.
CALLS = 16


def record_until_killed(folder, gateway, last: int, after: bool) -> bool:
    """Record a finished run; True when it was cut off at the call."""
    dying, client = dying_gateway(gateway, last, after)
    try:
        RunRecorder(folder, dying, {}).record(read_events(folder))
    except Killed:
        return True
    assert client.calls == CALLS
    return False


def assert_complete(stored, run_id: str) -> None:
    """Check that the run and its two nodes are there once, ended and whole."""
    expected = {run_id: "FAILED", f"{run_id}/preprocess": "FINISHED", f"{run_id}/train": "FAILED"}
    assert {key: stored.one(key).info.status for key in expected} == expected
    for node in ("preprocess", "train"):
        run = stored.one(f"{run_id}/{node}")
        assert run.data.tags["mlflow.parentRunId"] == stored.one(run_id).info.run_id
        assert run.data.metrics["auc"] == 0.75
        assert run.data.params["hp.max_depth"] == "4"
        assert len(run.inputs.dataset_inputs) == 2
        assert len(stored.artifacts(f"{run_id}/{node}")) == 5
        history = stored.client.get_metric_history(run.info.run_id, "system/process_rss_mb")
        assert len(history) == 5
    assert "report.md" in stored.artifacts(run_id)


@pytest.mark.slow
def test_recorder_killed_at_every_call(project: Project, store: Store) -> None:
    cuts = [(last, True) for last in range(CALLS)]
    # Before a call is after the one in front of it, but for what was logged in between.
    cuts += [(last, False) for last in (0, 1, 2, 6, 7, 11, 13)]
    with open_session(store) as gateway:
        for number, cut in enumerate(cuts):
            folder = failed_pipeline(project.root, project.state_folder, f"run-{number:02}")
            assert record_until_killed(folder, gateway, *cut)
        whole = failed_pipeline(project.root, project.state_folder, "run-whole")
        assert not record_until_killed(whole, gateway, CALLS, after=False)
    report = sync(project.state_folder, store)
    assert len(report.recorded) == len(cuts)
    assert report.pending == ()
    stored = look(store)
    assert len(stored.runs) == 3 * (len(cuts) + 1)
    for number in range(len(cuts)):
        assert_complete(stored, f"run-{number:02}")
    assert sync(project.state_folder, store).recorded == ()


def test_sync_killed_and_begun_again(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    with open_session(store) as gateway:
        for last in (3, 5, 6):
            # The second and third attempts search first, and find what is there.
            assert record_until_killed(folder, gateway, last, after=True)
    assert sync(project.state_folder, store).recorded == (RUN_ID,)
    assert_complete(look(store), RUN_ID)


def test_progress_that_was_torn_off(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    with open_session(store) as gateway:
        assert record_until_killed(folder, gateway, 8, after=False)
    content = folder.tracking_log.read_bytes()
    folder.tracking_log.write_bytes(content[:-20])
    assert sync(project.state_folder, store).recorded == (RUN_ID,)
    assert_complete(look(store), RUN_ID)
    assert read_progress(folder, store.key).done


def test_a_run_that_a_late_answer_doubled_is_deleted(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    with open_session(store) as gateway:
        record_until_killed(folder, gateway, 0, after=True)
        folder.tracking_log.write_bytes(folder.tracking_log.read_bytes())
        tags = {"mlvalidate.run_id": RUN_ID, "mlvalidate.key": RUN_ID}
        gateway.create_run("twin", START + 1, tags)
    sync(project.state_folder, store)
    assert_complete(look(store), RUN_ID)


@pytest.mark.parametrize("last", [0, 1, 2, 4, 6, 9, 13])
def test_two_hosts_record_copies_of_one_journal(
    project: Project, store: Store, tmp_path: Path, last: int
) -> None:
    """One has come to a call, and is overtaken by the other, which sees nothing of its lock."""
    here = failed_pipeline(project.root, project.state_folder)
    failed_pipeline(project.root, tmp_path / "elsewhere")
    with open_session(store) as gateway:

        class Overtaken(DyingClient):
            def __getattr__(self, name: str):
                if self.calls == last:
                    sync(tmp_path / "elsewhere", store)
                return super().__getattr__(name)

        client = Overtaken(gateway._client, last=-1, after=False)
        slow = Gateway(client, store, gateway.experiment_id)  # type: ignore[arg-type]
        with suppress(RecordingError):
            RunRecorder(here, slow, {}, has_ended=True).record(read_events(here))
    sync(project.state_folder, store)
    assert_complete(look(store), RUN_ID)
    done = read_progress(here).done
    assert done is not None
    assert done.mlflow_run_id == look(store).one(RUN_ID).info.run_id
    assert unrecorded_runs(project.state_folder) == ()


def test_nested_runs_that_were_deleted_are_recorded_again(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    with open_session(store) as gateway:
        assert record_until_killed(folder, gateway, 11, after=False)
    stored = look(store)
    stored.client.delete_run(stored.one(f"{RUN_ID}/train").info.run_id)
    assert sync(project.state_folder, store).recorded == (RUN_ID,)
    assert_complete(look(store), RUN_ID)


def test_runs_that_are_under_way_are_left_alone(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    with JournalWriter(folder) as journal:
        journal.write(events_of(make_plan(project.root), [make_step(0, "preprocess")])[0])
        assert sync(project.state_folder, store).pending == ()
        assert unrecorded_runs(project.state_folder) == ()
    assert not folder.tracking_log.exists()


def test_abandoned_run_is_closed_and_recorded_as_killed(project: Project, store: Store) -> None:
    """mlvalidate was killed while `train` ran: only its start stands in the journal."""
    folder = make_folder(project.state_folder)
    steps = [make_step(0, "preprocess"), make_step(1, "train")]
    events = events_of(make_plan(project.root), steps)
    cut = next(
        number
        for number, event in enumerate(events)
        if isinstance(event, ChecksFinished) and event.result.node == "train"
    )
    write_journal(folder, events[: cut - 1])
    assert unrecorded_runs(project.state_folder) == (RUN_ID,)
    report = sync(project.state_folder, store)
    assert (report.recorded, report.closed) == ((RUN_ID,), (RUN_ID,))
    assert look(store).statuses() == {
        RUN_ID: "KILLED",
        f"{RUN_ID}/preprocess": "FINISHED",
        f"{RUN_ID}/train": "KILLED",
    }
    assert unrecorded_runs(project.state_folder) == ()


def test_a_run_that_someone_else_records_is_left_to_him(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    with tracking_lock(folder) as held:
        assert held
        report = sync(project.state_folder, store)
    assert report.pending == (PendingRun(RUN_ID, "another process is recording it"),)
    assert report.recorded == ()


def test_recorder_waits_for_a_sync_and_finds_its_work_done(project: Project, store: Store) -> None:
    folder = failed_pipeline(project.root, project.state_folder)
    codes: list[RecorderExit] = []
    with tracking_lock(folder):
        recorder = threading.Thread(target=lambda: codes.append(record_live(folder, store)))
        recorder.start()
        with open_session(store) as gateway:
            RunRecorder(folder, gateway, {}).record(read_events(folder))
    recorder.join(10)
    assert codes == [RecorderExit.RECORDED]
    assert_complete(look(store), RUN_ID)


def test_a_run_that_mlflow_refuses_does_not_keep_the_others_from_it(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_pipeline(project.root, project.state_folder, "run-1")
    failed_pipeline(project.root, project.state_folder, "run-2")
    from mlflow import MlflowClient

    create = MlflowClient.create_run

    def refuse(self, experiment_id, **values):
        if values["tags"]["mlvalidate.run_id"] == "run-1":
            raise ValueError("no, not this\nsecond line")
        return create(self, experiment_id, **values)

    monkeypatch.setattr(MlflowClient, "create_run", refuse)
    report = sync(project.state_folder, store)
    assert report.recorded == ("run-2",)
    assert report.pending == (PendingRun("run-1", "no, not this"),)


def test_time_for_a_sync_is_bounded(project: Project, store: Store) -> None:
    failed_pipeline(project.root, project.state_folder)
    report = sync(project.state_folder, store, seconds=-1)
    assert report.pending == (PendingRun(RUN_ID, "there was no time left"),)


def test_a_run_that_never_began_is_no_work(project: Project, store: Store) -> None:
    write_journal(make_folder(project.state_folder, "empty"), [])
    make_folder(project.state_folder, "bare").root.mkdir()
    report = sync(project.state_folder, store)
    assert (report.recorded, report.pending) == ((), ())


def test_a_run_that_shall_not_be_recorded_is_not(project: Project, store: Store) -> None:
    decline(failed_pipeline(project.root, project.state_folder))
    assert sync(project.state_folder, store).recorded == ()
    assert unrecorded_runs(project.state_folder) == ()


def test_a_journal_of_another_version_waits(project: Project, store: Store) -> None:
    folder = make_folder(project.state_folder)
    write_journal(folder, [])
    folder.journal.write_text('{"event": "SomethingElse"}\n')
    report = sync(project.state_folder, store)
    assert [run.run_id for run in report.pending] == [RUN_ID]
    assert "could not be read" in report.pending[0].reason
