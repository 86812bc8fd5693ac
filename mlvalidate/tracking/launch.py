"""Starting a recorder beside the engine, and asking what it came to. Imports no mlflow."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from pydantic import ValidationError

from mlvalidate.core.related import RELATED_ISSUES, RelatedIssue
from mlvalidate.core.run_folder import RunFolder
from mlvalidate.tracking.links import open_command
from mlvalidate.tracking.progress import Progress, read_progress
from mlvalidate.tracking.store import Store

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Recording:
    """Where the run can be seen, or why it can't be seen yet.

    For a local store `run_url` holds once `open_command` runs. Both are empty where MLflow has no
    such address, and while `unrecorded` says why the run waits for a sync.
    """

    run_url: str = ""
    open_command: str = ""
    unrecorded: str = ""
    related_issues: tuple[RelatedIssue, ...] = ()


class RecorderProcess:
    """The recorder, for one of its runs. It goes on by itself when nobody waits for it."""

    def __init__(
        self,
        folder: RunFolder,
        store: Store,
        ui_command: str,
        process: subprocess.Popen[bytes] | None,
        fault: str = "",
    ) -> None:
        self._folder = folder
        self._open_command = open_command(store, ui_command)
        self._process = process
        self._fault = fault

    @property
    def pid(self) -> int | None:
        """The process id, None when the recorder could not be started."""
        return self._process.pid if self._process else None

    def leave(self) -> Recording:
        """Let the recorder go on by itself: what can be said without its answer."""
        return Recording(open_command=self._open_command, unrecorded=self._fault)

    def wait(self, timeout: float) -> Recording:
        """Return as soon as the run is recorded, or recording failed, or `timeout` seconds passed.

        Does not wait for the older runs that the recorder sees to afterwards.
        """
        deadline = time.monotonic() + timeout
        while True:
            # Asked first: what a dead process wrote last is then in the log.
            code = self._process.poll() if self._process else None
            progress = read_progress(self._folder)
            if recording := self._outcome(progress):
                return recording
            if self._process is None:
                return Recording(unrecorded=self._fault)
            if code is not None:
                return Recording(unrecorded=f"the recorder ended with exit code {code}")
            if time.monotonic() >= deadline:
                reason = f"recording takes longer than {timeout:g} s and goes on by itself"
                return Recording(unrecorded=reason)
            time.sleep(_POLL_SECONDS)

    def _outcome(self, progress: Progress) -> Recording | None:
        if progress.done:
            return Recording(
                run_url=progress.done.run_url,
                open_command=self._open_command,
                related_issues=self._related_issues(),
            )
        if progress.failure:
            return Recording(unrecorded=progress.failure.reason)
        return None

    def _related_issues(self) -> tuple[RelatedIssue, ...]:
        """Return what the recorder has found, which it wrote before it was done."""
        try:
            return RELATED_ISSUES.validate_json(self._folder.related.read_bytes())
        except (OSError, ValidationError):
            return ()


class SharedRecorder:
    """One process that records the runs it is told of, one after the other.

    Each imports mlflow, which takes a second and 160 MB. `ui_command` is what the user types to
    look at a local store. Never raises: a run does not fail because it can't be recorded.
    """

    def __init__(self, store: Store, ui_command: str = "") -> None:
        self._store = store
        self._ui_command = ui_command
        self._process: subprocess.Popen[bytes] | None = None

    def record(self, folder: RunFolder) -> RecorderProcess:
        """Record a run whose journal is open; call it once `RunStarted` is written."""
        fault = ""
        try:
            if self._process is None:
                self._process = _start()
                self._tell(asdict(self._store))
            self._tell(str(folder.root))
        except OSError as error:
            fault = f"the recorder did not start: {error.strerror}"
        return RecorderProcess(folder, self._store, self._ui_command, self._process, fault)

    def _tell(self, what: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Say that there will be no more runs."""
        if self._process is not None and self._process.stdin is not None:
            # What is still in the buffer of one that has died has nowhere to go.
            with suppress(OSError):
                self._process.stdin.close()


def _start() -> subprocess.Popen[bytes]:
    # Without -P a folder `mlflow` in the user's working directory would be imported.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "mlvalidate.tracking.recorder"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
