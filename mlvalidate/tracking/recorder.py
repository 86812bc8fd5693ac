"""The recorder: a process beside the engine that follows a run's journal and records it in MLflow.

`python -m mlvalidate.tracking.recorder` reads lines of JSON from stdin: the store, because a
tracking URI may hold a password and everybody can read the arguments of a process, and then the
folder of each run that begins. It records the runs in this order, imports mlflow while
the first step runs, outlives a Ctrl-C and the engine's death, and leaves what it came to in each
run's progress log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from enum import IntEnum
from itertools import chain
from pathlib import Path

from mlvalidate.core.events import RunStarted
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.core.secrets import Redactor
from mlvalidate.engine.journal import follow_events
from mlvalidate.tracking.context import run_context
from mlvalidate.tracking.progress import Entry, append, read_progress, tracking_lock
from mlvalidate.tracking.reasons import RecordingError
from mlvalidate.tracking.recording import RunRecorder
from mlvalidate.tracking.reports import record_reports
from mlvalidate.tracking.session import open_session
from mlvalidate.tracking.store import Store
from mlvalidate.tracking.sync import sync

# A sync may have been faster, and then it does the work.
_LOCK_SECONDS = 60.0
# For older runs that wait. One that has begun is finished.
_HEAL_SECONDS = 20.0
# For reports, which the lowest of priorities may keep waiting. Later ones are left to a sync.
_RENDERING_SECONDS = 1800.0


class RecorderExit(IntEnum):
    """How the recorder ended."""

    RECORDED = 0
    INTERNAL = 3
    # The store is away, or refuses the record; a later sync tries again.
    UNAVAILABLE = 4
    # The run ended before its journal began.
    NOTHING_TO_RECORD = 5


def main() -> int:
    """Record the runs that stdin names, then older runs that wait."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    store = Store(**json.loads(sys.stdin.readline()))
    recorded: list[RunFolder] = []
    codes = [RecorderExit.RECORDED]
    for line in sys.stdin:
        folder = RunFolder(Path(json.loads(line)))
        codes.append(record_live(folder, store))
        if codes[-1] is RecorderExit.RECORDED:
            recorded.append(folder)
    if recorded:
        state_folder = recorded[0].root.parent.parent
        sync(state_folder, store, seconds=_HEAL_SECONDS)
    codes += [record_late(folder, store) for folder in recorded]
    return max(codes)


def record_late(folder: RunFolder, store: Store) -> RecorderExit:
    """Record the reports of a recorded run while they are rendered."""
    if not folder.reports_plan.exists():
        return RecorderExit.RECORDED
    try:
        with tracking_lock(folder, wait=_LOCK_SECONDS) as held:
            if held:
                with open_session(store) as gateway:
                    record_reports(folder, gateway, seconds=_RENDERING_SECONDS)
    except (RecordingError, OSError):
        # The run is recorded; a sync sees that reports are lacking.
        return RecorderExit.UNAVAILABLE
    return RecorderExit.RECORDED


def record_live(folder: RunFolder, store: Store) -> RecorderExit:
    """Record a run while it goes on. What fails stands in the progress log, never raised."""
    try:
        with tracking_lock(folder, wait=_LOCK_SECONDS) as held:
            return _record(folder, store, held)
    except (RecordingError, OSError) as error:
        _log_failure(folder, store, str(error))
        return RecorderExit.UNAVAILABLE
    except Exception as error:
        # A bug of ours: it must not look as if the store were at fault.
        what = traceback.format_exception_only(error)[0].splitlines()[0]
        _log_failure(folder, store, f"internal error: {what}", traceback.format_exc())
        return RecorderExit.INTERNAL


def _record(folder: RunFolder, store: Store, held: bool) -> RecorderExit:
    if not held:
        raise RecordingError("another process records it and does not come to an end")
    progress = read_progress(folder)
    if progress.done:
        return RecorderExit.RECORDED
    events = follow_events(folder)
    started = next(events, None)
    if not isinstance(started, RunStarted):
        return RecorderExit.NOTHING_TO_RECORD
    context = progress.context
    if context is None:
        # Now, because a sync next week would find another commit.
        context = run_context(started.plan.root, os.environ)
        append(folder, Entry(op="context", tags=context))
    with open_session(store) as gateway:
        recorder = RunRecorder(folder, gateway, context)
        if not recorder.record(chain((started,), events)):
            raise RecordingError("the run has no end, and its journal can't be closed")
    return RecorderExit.RECORDED


def _log_failure(folder: RunFolder, store: Store, reason: str, detail: str = "") -> None:
    redact = Redactor.for_environment(os.environ).redact
    # On a full disk the exit code has to say it.
    with suppress(OSError):
        append(
            folder,
            Entry(op="failed", store=store.key, reason=redact(reason), traceback=redact(detail)),
        )


if __name__ == "__main__":
    sys.exit(main())
