"""Recording what has not been recorded: runs whose server was away, or whose recorder was killed.

Safe with two at once: a run is only touched by the process that holds its tracking lock.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlvalidate.core.events import RunFinished
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.engine.journal import all_runs, close_if_abandoned, owner_is_alive, read_events
from mlvalidate.tracking.context import minimal_context
from mlvalidate.tracking.gateway import Gateway
from mlvalidate.tracking.progress import read_progress, tracking_lock
from mlvalidate.tracking.reasons import RecordingError
from mlvalidate.tracking.recording import RunRecorder
from mlvalidate.tracking.reports import record_reports, reports_pending
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store

_LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class PendingRun:
    """A run that is still not recorded, and why."""

    run_id: str
    reason: str


@dataclass(frozen=True)
class SyncReport:
    """What a sync came to: run ids, oldest first. A closed run had been killed.

    ``reports`` says of each run whose reports were recorded belatedly what came of them.
    """

    recorded: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    pending: tuple[PendingRun, ...] = ()
    reports: dict[str, str] = field(default_factory=dict)


@dataclass
class _Tally:
    recorded: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    pending: list[PendingRun] = field(default_factory=list)
    reports: dict[str, str] = field(default_factory=dict)

    def postpone(self, folder: RunFolder, reason: str) -> None:
        self.pending.append(PendingRun(folder.run_id, reason))

    def report(self) -> SyncReport:
        return SyncReport(
            tuple(self.recorded), tuple(self.closed), tuple(self.pending), self.reports
        )


def sync(state_folder: Path, store: Store, seconds: float | None = None) -> SyncReport:
    """Record every run of a project that is not recorded and that nobody runs any more.

    A run that was killed is closed first, so none stays open for ever. `seconds` bounds the time:
    no run is begun after it. Never raises for what a store or a single run does: that is a reason
    in the report.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    tally = _Tally()
    waiting = [folder for folder in all_runs(state_folder) if has_to_be_recorded(folder)]
    for folder in waiting:
        _close(folder, tally)
    if not waiting:
        return tally.report()
    try:
        with open_session(store) as gateway:
            _record_all(waiting, gateway, deadline, tally)
    except RecordingError as error:
        for folder in waiting:
            tally.postpone(folder, error.message)
    return tally.report()


def unrecorded_runs(state_folder: Path) -> tuple[str, ...]:
    """Return the ids of the runs that wait for a sync, without asking a store."""
    return tuple(f.run_id for f in all_runs(state_folder) if has_to_be_recorded(f))


def has_to_be_recorded(folder: RunFolder) -> bool:
    """Tell whether a run waits for a sync: nobody runs it, and something of it is not recorded."""
    try:
        progress = read_progress(folder)
        if progress.done:
            return reports_pending(folder)
        if progress.was_declined or owner_is_alive(folder):
            return False
        with folder.journal.open("rb") as journal:
            # Killed before its first event was written: there is nothing to record.
            return journal.readline().endswith(b"\n")
    except FileNotFoundError:
        return False
    except OSError:
        # Another user's run, say. The attempt to record it will tell the reason.
        return True


def _close(folder: RunFolder, tally: _Tally) -> None:
    try:
        if close_if_abandoned(folder):
            tally.closed.append(folder.run_id)
    except OSError:
        # A read-only disk. Recording it fails too, and says so.
        return


def _record_all(
    waiting: Sequence[RunFolder], gateway: Gateway, deadline: float | None, tally: _Tally
) -> None:
    """Record run after run. A run that MLflow refuses must not keep the others from it."""
    halt = ""
    for folder in waiting:
        if not halt and deadline is not None and time.monotonic() > deadline:
            halt = "there was no time left"
        if halt:
            tally.postpone(folder, halt)
            continue
        try:
            _record_one(folder, gateway, tally)
        except RecordingError as error:
            tally.postpone(folder, error.message)
            halt = error.message if error.is_unreachable else ""
        except OSError as error:
            tally.postpone(folder, f"{error.strerror}: {error.filename}")


def _record_one(folder: RunFolder, gateway: Gateway, tally: _Tally) -> None:
    # Its recorder may be about to record the last report.
    with tracking_lock(folder, wait=_LOCK_SECONDS) as held:
        if not held:
            tally.postpone(folder, "another process is recording it")
            return
        progress = read_progress(folder)
        if progress.done:
            _record_reports(folder, gateway, tally)
            return
        events = read_events(folder)
        if not events or not isinstance(events[-1], RunFinished):
            tally.postpone(folder, "its journal could not be read to the end, or be closed")
            return
        context = progress.context or minimal_context()
        RunRecorder(folder, gateway, context, has_ended=True).record(events)
        tally.recorded.append(folder.run_id)
        _record_reports(folder, gateway, tally)


def _record_reports(folder: RunFolder, gateway: Gateway, tally: _Tally) -> None:
    if summary := record_reports(folder, gateway):
        tally.reports[folder.run_id] = summary
