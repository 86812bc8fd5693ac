"""The journal: written first, torn lines end it, an abandoned run is closed once."""

from __future__ import annotations

import fcntl
import multiprocessing
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mlvalidate.core.contracts import Access, Step
from mlvalidate.core.events import ChecksFinished, Event, RunFinished, RunStarted, StepStarted
from mlvalidate.core.plan import DataSource, Plan, PlannedStep, SkipReason
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.run_folder import RunFolder, runs_folder
from mlvalidate.engine.journal import (
    JournalWriter,
    all_runs,
    close_if_abandoned,
    follow_events,
    owner_is_alive,
    read_events,
    write_result,
)


def make_plan(*nodes: str) -> Plan:
    return Plan(
        kind="pipeline",
        name="p",
        project="demo",
        root=Path("/project"),
        steps=tuple(
            PlannedStep(
                node=node,
                step_name=node,
                step=Step(script="x.py"),
                inputs=(),
                python=Path(sys.executable),
                timeout=1,
                memory=1,
                network=Access.DENY,
                credentials=Access.DENY,
                env={},
            )
            for node in nodes
        ),
        data_source=DataSource.SYNTHETIC,
        seed=0,
        log_limit=1,
        command="mlvalidate test-pipeline p",
    )


def make_step(node: str, status: Status = Status.PASSED) -> StepResult:
    return StepResult(
        node=node,
        step=node,
        kind="processing",
        entry_point="x.py",
        status=status,
        started_at=2,
        finished_at=3,
    )


BEGUN: list[Event] = [
    RunStarted(at=1, run_id="r", plan=make_plan("a", "b", "c")),
    StepStarted(at=2, node="a"),
    ChecksFinished(at=3, result=make_step("a")),
    StepStarted(at=4, node="b"),
]


def finished() -> RunFinished:
    result = PipelineResult(
        run_id="r",
        kind="pipeline",
        name="p",
        project="demo",
        status=Status.PASSED,
        started_at=1,
        finished_at=9,
        data_source=DataSource.SYNTHETIC,
        scenario="standard",
        seed=0,
        command="c",
        steps=(make_step("a"),),
    )
    return RunFinished(at=9, result=result)


def abandon(folder: RunFolder, events: list[Event], torn: bytes = b"") -> None:
    """Leave a journal as a killed process would."""
    with JournalWriter(folder) as journal:
        for event in events:
            journal.write(event)
    with folder.journal.open("ab") as file:
        file.write(torn)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs" / "r")


def test_events_are_in_the_file_at_once(folder: RunFolder) -> None:
    with JournalWriter(folder) as journal:
        assert owner_is_alive(folder)
        for number, event in enumerate(BEGUN, start=1):
            journal.write(event)
            assert read_events(folder) == BEGUN[:number]
    assert not owner_is_alive(folder)


def test_a_run_folder_is_never_used_twice(folder: RunFolder) -> None:
    abandon(folder, BEGUN)
    with pytest.raises(FileExistsError), JournalWriter(folder):
        pass


def test_without_a_journal(folder: RunFolder) -> None:
    assert read_events(folder) == []
    assert not owner_is_alive(folder)
    assert not close_if_abandoned(folder)
    assert list(follow_events(folder)) == []


@pytest.mark.parametrize(
    "torn",
    [
        b"{",
        BEGUN[1].model_dump_json().encode(),
        b"\0" * 50,
        b"x" * 100_000,
        b'{"event": "Unknown"}\n' + BEGUN[1].model_dump_json().encode() + b"\n",
    ],
)
def test_a_torn_line_ends_the_journal(folder: RunFolder, torn: bytes) -> None:
    abandon(folder, BEGUN, torn)
    assert read_events(folder) == BEGUN
    assert close_if_abandoned(folder)
    events = read_events(folder)
    assert events[:-1] == BEGUN
    assert isinstance(events[-1], RunFinished)
    content = folder.journal.read_bytes()
    assert content.count(b"\n") == len(events)
    assert content.endswith(b"\n")


def test_what_an_abandoned_run_came_to(folder: RunFolder) -> None:
    abandon(folder, BEGUN)
    assert close_if_abandoned(folder)
    last = read_events(folder)[-1]
    assert isinstance(last, RunFinished)
    result = last.result
    assert result.status is Status.INTERRUPTED
    assert (result.started_at, result.finished_at) == (1, 4)
    assert [step.node for step in result.steps] == ["a", "b", "c"]
    done, running, waiting = result.steps
    assert done == make_step("a")
    assert (running.status, running.started_at, running.skip_reason) == (
        Status.INTERRUPTED,
        4,
        None,
    )
    assert (waiting.status, waiting.skip_reason) == (Status.SKIPPED, SkipReason.INTERRUPTED)
    assert "killed" in result.notes[0]
    assert PipelineResult.model_validate_json(folder.result.read_bytes()) == result


def test_a_finished_run_is_left_alone(folder: RunFolder) -> None:
    abandon(folder, [*BEGUN, finished()])
    before = folder.journal.read_bytes()
    assert not close_if_abandoned(folder)
    assert folder.journal.read_bytes() == before
    assert not folder.result.exists()


def test_a_running_run_is_left_alone(folder: RunFolder) -> None:
    with JournalWriter(folder) as journal:
        journal.write(BEGUN[0])
        assert not close_if_abandoned(folder)
        assert read_events(folder) == BEGUN[:1]


def test_a_run_that_has_not_begun_can_not_be_closed(folder: RunFolder) -> None:
    abandon(folder, [])
    assert not close_if_abandoned(folder)
    assert list(follow_events(folder)) == []


def _close(root: Path, count: int, results: multiprocessing.Queue[int]) -> None:
    results.put(sum(close_if_abandoned(RunFolder(root / str(n))) for n in range(count)))


def test_two_processes_close_a_run_once(tmp_path: Path) -> None:
    count = 15
    for number in range(count):
        abandon(RunFolder(tmp_path / str(number)), BEGUN)
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[int] = context.Queue()
    closers = [context.Process(target=_close, args=(tmp_path, count, results)) for _ in range(2)]
    for process in closers:
        process.start()
    closed = sum(results.get(timeout=60) for _ in closers)
    for process in closers:
        process.join()
    assert closed == count
    for number in range(count):
        events = read_events(RunFolder(tmp_path / str(number)))
        assert [event.event for event in events].count("RunFinished") == 1


def test_a_killed_owner_is_gone(folder: RunFolder) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from mlvalidate.core.run_folder import RunFolder\n"
        "from mlvalidate.engine.journal import JournalWriter\n"
        "with JournalWriter(RunFolder(Path(sys.argv[1]))):\n"
        "    print('ready', flush=True); time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, folder.root], stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        assert owner_is_alive(folder)
        owner.kill()
    assert not owner_is_alive(folder)


def test_following_a_finished_run(folder: RunFolder) -> None:
    abandon(folder, [*BEGUN, finished()])
    assert list(follow_events(folder)) == [*BEGUN, finished()]


def test_following_a_run_as_it_goes(folder: RunFolder) -> None:
    seen: list[Event] = []
    with JournalWriter(folder) as journal:
        reader = threading.Thread(target=lambda: seen.extend(follow_events(folder)))
        reader.start()
        for event in BEGUN:
            line = event.model_dump_json().encode() + b"\n"
            # Half a line must wait for its other half.
            for part in (line[:10], line[10:]):
                journal._file.write(part)
                journal._file.flush()
                time.sleep(0.06)
        journal.write(finished())
        reader.join(timeout=10)
        assert not reader.is_alive()
    assert seen == [*BEGUN, finished()]


def test_following_an_abandoned_run_closes_it(folder: RunFolder) -> None:
    abandon(folder, BEGUN, b'{"torn')
    events = list(follow_events(folder))
    assert events[:-1] == BEGUN
    assert isinstance(events[-1], RunFinished)
    assert events[-1].result.status is Status.INTERRUPTED


def test_following_a_run_that_another_process_closes(folder: RunFolder) -> None:
    abandon(folder, BEGUN)
    with folder.owner_lock.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen: list[Event] = []
        reader = threading.Thread(target=lambda: seen.extend(follow_events(folder)))
        reader.start()
        time.sleep(0.15)
        with folder.journal.open("ab") as journal:
            journal.write(finished().model_dump_json().encode() + b"\n")
    reader.join(timeout=10)
    assert not reader.is_alive()
    assert seen == [*BEGUN, finished()]


def test_a_result_is_written_in_one_piece(folder: RunFolder) -> None:
    folder.root.mkdir(parents=True)
    write_result(folder, finished().result)
    assert PipelineResult.model_validate_json(folder.result.read_bytes()) == finished().result
    assert [path.name for path in folder.root.iterdir()] == ["result.json"]


def test_runs_of_a_project_by_age(tmp_path: Path) -> None:
    assert all_runs(tmp_path) == []
    for name in ("20260102-000000-a", "20260101-000000-b"):
        (runs_folder(tmp_path) / name).mkdir(parents=True)
    (runs_folder(tmp_path) / "note.txt").touch()
    assert [run.run_id for run in all_runs(tmp_path)] == ["20260101-000000-b", "20260102-000000-a"]
