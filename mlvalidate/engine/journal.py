"""The journal: a run's events on disk, one JSON line each, written before anybody is told.

The process that runs holds `owner.lock`. Whoever finds the lock free and no `RunFinished` knows
that the run was abandoned (killed, power lost) and closes it, so no run stays open for ever.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from pydantic import ValidationError

from mlvalidate.core.events import (
    ChecksFinished,
    DriftMeasured,
    Event,
    RunFinished,
    RunStarted,
    StepStarted,
    parse_event,
)
from mlvalidate.core.plan import PlannedStep, SkipReason
from mlvalidate.core.results import PipelineResult, Status, StepResult
from mlvalidate.core.run_folder import RunFolder, runs_folder

_POLL_SECONDS = 0.05
_PROBES = 3
_PROBE_SECONDS = 0.01


class JournalWriter:
    """Appends events to a new run's journal and holds its owner lock until closed.

    Use as a context manager. OSError (a full or read-only disk) reaches the caller.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def __enter__(self) -> JournalWriter:
        # Inputs, outputs and configuration of scripts may hold secrets: they are the user's alone.
        self.folder.root.mkdir(parents=True, mode=0o700)
        self._lock: IO[bytes] = self.folder.owner_lock.open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._file: IO[bytes] = self.folder.journal.open("wb")
        return self

    def write(self, event: Event) -> None:
        """Append one event; it is in the file when this returns."""
        self._file.write(event.model_dump_json().encode() + b"\n")
        self._file.flush()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self._lock.close()


def owner_is_alive(folder: RunFolder) -> bool:
    """Tell whether a process still runs this run."""
    for _ in range(_PROBES):
        try:
            with folder.owner_lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            # An owner holds it to the end; somebody who only looks whether to close it does not.
            time.sleep(_PROBE_SECONDS)
        else:
            return False
    return True


def read_events(folder: RunFolder) -> list[Event]:
    """Return the events of a journal; a line that was torn by a crash ends the list."""
    return _read_valid(folder)[0]


def _read_valid(folder: RunFolder) -> tuple[list[Event], int]:
    """Return the events up to the first torn line, and how many bytes they take."""
    events: list[Event] = []
    size = 0
    try:
        content = folder.journal.read_bytes()
    except FileNotFoundError:
        return events, size
    for line in content.splitlines(keepends=True):
        # An event without its end of line is torn as well: the next one must not follow it there.
        if not line.endswith(b"\n"):
            break
        try:
            events.append(parse_event(line))
        except ValidationError:
            break
        size += len(line)
    return events, size


def follow_events(folder: RunFolder) -> Iterator[Event]:
    """Yield a run's events as they are written, ending with its `RunFinished`.

    A run that was abandoned is closed first, so that the last event always is a `RunFinished`,
    except where the journal does not even hold a `RunStarted`.
    """
    while not folder.journal.exists():
        if not owner_is_alive(folder):
            return
        time.sleep(_POLL_SECONDS)
    with folder.journal.open("rb") as journal:
        while True:
            # Asked before reading: what a dead owner wrote last is then in the file.
            alive = owner_is_alive(folder)
            start = journal.tell()
            complete, newline, _torn = journal.read().rpartition(b"\n")
            journal.seek(start + len(complete) + len(newline))
            for line in complete.splitlines():
                event = parse_event(line)
                yield event
                if isinstance(event, RunFinished):
                    return
            if newline:
                continue
            if not alive and not close_if_abandoned(folder) and not _is_begun(folder):
                return
            # Also where another process was faster, or has just now asked for the owner.
            time.sleep(_POLL_SECONDS)


def _is_begun(folder: RunFolder) -> bool:
    """Tell whether the journal holds a run that has been closed, or that can be."""
    events = read_events(folder)
    return folder.owner_lock.exists() and bool(events) and isinstance(events[0], RunStarted)


def close_if_abandoned(folder: RunFolder) -> bool:
    """Append the missing `RunFinished` to a run whose owner is gone; True when that was done.

    Safe with two processes: the one that gets the owner lock does it, and only once.
    """
    try:
        lock = folder.owner_lock.open("rb")
    except FileNotFoundError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        events, size = _read_valid(folder)
        if not events or not isinstance(events[0], RunStarted):
            return False
        if isinstance(events[-1], RunFinished):
            return False
        note = "mlvalidate was killed during this run; it was closed from its journal."
        result = unfinished_result(events, Status.INTERRUPTED, note)
        with folder.journal.open("r+b") as journal:
            journal.truncate(size)
            journal.seek(size)
            event = RunFinished(at=result.finished_at, result=result)
            journal.write(event.model_dump_json().encode() + b"\n")
        write_result(folder, result)
        return True


def unfinished_result(events: list[Event], status: Status, note: str) -> PipelineResult:
    """Return what is known of a run that did not get to its end, from its events so far.

    Finished steps stand, the running one is closed, the others were skipped.
    """
    started = events[0]
    assert isinstance(started, RunStarted)
    plan = started.plan
    last = events[-1].at
    judged = (e for e in events if isinstance(e, ChecksFinished | DriftMeasured))
    done = {e.result.node: e.result for e in judged}
    begun = {e.node: e.at for e in events if isinstance(e, StepStarted)}
    steps = tuple(
        done.get(planned.node) or _result_of_unfinished(planned, begun.get(planned.node), last)
        for planned in plan.steps
    )
    result = PipelineResult.of(plan, started.run_id, status, started.at, last)
    return result.model_copy(update={"steps": steps, "notes": (note,)})


def _result_of_unfinished(planned: PlannedStep, begun: float | None, last: float) -> StepResult:
    if begun is not None:
        return StepResult.of(planned, Status.INTERRUPTED, begun, last)
    skipped = StepResult.of(planned, Status.SKIPPED, last, last)
    return skipped.model_copy(update={"skip_reason": SkipReason.INTERRUPTED})


def write_result(folder: RunFolder, result: PipelineResult) -> None:
    """Write `result.json` in one piece: readers see all of it or none."""
    temporary = folder.result.with_suffix(".tmp")
    temporary.write_text(result.model_dump_json(indent=2), encoding="utf-8")
    temporary.replace(folder.result)


def all_runs(state_folder: Path) -> list[RunFolder]:
    """Return every run folder of a project, oldest first."""
    root = runs_folder(state_folder)
    if not root.is_dir():
        return []
    folders = [RunFolder(path) for path in root.iterdir() if path.is_dir()]
    return sorted(folders, key=_order)


def _order(folder: RunFolder) -> tuple[str, int, str]:
    """Return what sorts runs by their start: the name tells seconds, and two may begin in one."""
    second, _, rest = folder.run_id.rpartition("-")
    try:
        # Written once, at the start.
        return second, folder.owner_lock.stat().st_mtime_ns, rest
    except OSError:
        return second, 0, rest
